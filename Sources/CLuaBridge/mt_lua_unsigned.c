// Unsigned 64-bit numbers that Lua's integers don't hold, for output: their text, their order, and in mt_lua_json.c
// their JSON.
#include <inttypes.h>
#include <stdio.h>

#include "mt_lua_value_internal.h"

#define UNSIGNED_TYPE "moontrace.unsigned"

typedef struct mt_unsigned {
  uint64_t value;
  bool is_pointer;
} mt_unsigned;

const uint64_t *mt_lua_unsigned(lua_State *L, int index) {
  const mt_unsigned *number = luaL_testudata(L, index, UNSIGNED_TYPE);
  return number ? &number->value : NULL;
}

static int to_text(lua_State *L) {
  const mt_unsigned *number = luaL_checkudata(L, 1, UNSIGNED_TYPE);
  char text[24];
  snprintf(text, sizeof text, number->is_pointer ? "0x%" PRIx64 : "%" PRIu64, number->value);
  lua_pushstring(L, text);
  return 1;
}

// Beside one that stands for itself an integer does, too.
static uint64_t operand(lua_State *L, int index) {
  const uint64_t *value = mt_lua_unsigned(L, index);
  return value ? *value : (uint64_t)luaL_checkinteger(L, index);
}

static int is_less(lua_State *L) {
  lua_pushboolean(L, operand(L, 1) < operand(L, 2));
  return 1;
}

static int is_equal(lua_State *L) {
  lua_pushboolean(L, operand(L, 1) == operand(L, 2));
  return 1;
}

static void push_metatable(lua_State *L) {
  const luaL_Reg metamethods[] = {{"__tostring", to_text}, {"__lt", is_less}, {"__eq", is_equal}, {NULL, NULL}};
  if (!luaL_newmetatable(L, UNSIGNED_TYPE)) return;
  luaL_setfuncs(L, metamethods, 0);
}

static int push_protected(lua_State *L) {
  const mt_unsigned *number = lua_touserdata(L, 1);
  *(mt_unsigned *)lua_newuserdatauv(L, sizeof *number, 0) = *number;
  push_metatable(L);
  lua_setmetatable(L, -2);
  return 1;
}

bool mt_lua_push_unsigned(lua_State *L, uint64_t value, bool is_pointer) {
  mt_unsigned number = {value, is_pointer};
  if (!lua_checkstack(L, 2)) return false;
  lua_pushcfunction(L, push_protected);
  lua_pushlightuserdata(L, &number);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return true;
  lua_pop(L, 1);
  return false;
}
