#include "include/mt_lua_rows.h"

#include "mt_lua_internal.h"

static void push_row(lua_State *L, const mt_rows *rows, uint32_t index) {
  lua_createtable(L, (int)rows->word_count + 1, 0);
  mt_lua_push_value(L, rows->key, rows->keys + (size_t)index * rows->key_stride, rows->key_stride);
  lua_rawseti(L, -2, 1);
  for (uint32_t i = 0; i < rows->word_count; i++) {
    lua_pushinteger(L, rows->words[(size_t)index * rows->word_count + i]);
    lua_rawseti(L, -2, (lua_Integer)i + 2);
  }
}

static int push_all(lua_State *L) {
  const mt_rows *rows = lua_touserdata(L, 1);
  lua_createtable(L, (int)rows->count, 0);
  for (uint32_t i = 0; i < rows->count; i++) {
    push_row(L, rows, i);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

bool mt_lua_push_rows(lua_State *L, const mt_rows *rows) {
  if (!lua_checkstack(L, 2)) return false;
  lua_pushcfunction(L, push_all);
  lua_pushlightuserdata(L, (void *)rows);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return true;
  lua_pop(L, 1);
  return false;
}
