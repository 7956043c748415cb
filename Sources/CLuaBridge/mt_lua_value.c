// Kernel bytes to Lua values.
#include <lua5.4/lauxlib.h>
#include <string.h>

#include "mt_lua_value_internal.h"

static void push_enum(lua_State *L, const mt_field *field, const void *base) {
  int64_t value = mt_field_integer(field, base);
  const char *name = mt_field_enum_name(field, value);
  if (name)
    lua_pushstring(L, name);
  else
    lua_pushinteger(L, value);
}

// Text may be cut by the record's end: programs often send a record only as far as its last text reaches.
static void push_text(lua_State *L, const mt_field *field, const void *base, uint32_t available) {
  uint32_t length;
  if (mt_field_text(field, base, available, &length))
    lua_pushlstring(L, (const char *)base + field->offset, length);
  else
    lua_pushnil(L);
}

static void push_counted(lua_State *L, const mt_field *field, const void *base) {
  uint32_t length;
  const uint8_t *text = mt_field_counted(field, base, &length);
  lua_pushlstring(L, (const char *)text, length);
}

static void push_list(lua_State *L, const mt_field *field, const void *base, uint32_t available) {
  const mt_field *element = field->element;
  uint32_t count = mt_field_array_count(field, available);
  luaL_checkstack(L, 3, "a value nests too deep");
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 0; i < count; i++) {
    uint32_t at = field->offset + i * element->size;
    mt_lua_push_value(L, element, (const char *)base + at, available - at);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void push_tuple(lua_State *L, const mt_field *field, const void *base, uint32_t available) {
  const mt_plan *plan = field->record;
  luaL_checkstack(L, 3, "a value nests too deep");
  lua_createtable(L, (int)plan->field_count, 0);
  for (uint32_t i = 0; i < plan->field_count; i++) {
    mt_lua_push_value(L, &plan->fields[i], (const char *)base + field->offset, available - field->offset);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void push_optional(lua_State *L, const mt_field *field, const void *base, uint32_t available) {
  if (mt_field_is_present(field, base))
    mt_lua_push_value(L, field->element, (const char *)base + field->offset, available - field->offset);
  else
    lua_pushnil(L);
}

// Looking symbols up is the host's work: the time for it is not held against the script.
const char *mt_lua_field_name(lua_State *L, const mt_field *field, const void *base, size_t *length) {
  mt_lua *lua = mt_lua_of(L);
  bool nested = mt_lua_enter_host(lua, true);
  const char *text = mt_field_name(field, base, length);
  mt_lua_leave_host(lua, nested);
  return text;
}

static void push_name(lua_State *L, const mt_field *field, const void *base) {
  size_t length;
  const char *text = mt_lua_field_name(L, field, base, &length);
  if (text)
    lua_pushlstring(L, text, length);
  else
    lua_pushnil(L);
}

static void push_record(lua_State *L, const mt_field *field, const void *base, uint32_t available) {
  luaL_checkstack(L, 3, "a value nests too deep");
  mt_lua_push_fields(L, field->record, (const char *)base + field->offset, available - field->offset);
}

void mt_lua_push_name(lua_State *L, const mt_field *field) {
  lua_pushlstring(L, field->name, field->name_length);
  int is_number;
  lua_Integer position = lua_tointegerx(L, -1, &is_number);
  if (!is_number) return;
  lua_pop(L, 1);
  lua_pushinteger(L, position);
}

void mt_lua_push_fields(lua_State *L, const mt_plan *plan, const void *base, uint32_t available) {
  lua_createtable(L, 0, (int)plan->field_count);
  for (uint32_t i = 0; i < plan->field_count; i++) {
    const mt_field *member = &plan->fields[i];
    mt_lua_push_name(L, member);
    mt_lua_push_value(L, member, base, available);
    lua_rawset(L, -3);
  }
}

void mt_lua_push_value(lua_State *L, const mt_field *field, const void *base, uint32_t available) {
  if (field->kind != MT_TEXT && !mt_field_fits(field, available)) {
    lua_pushnil(L);
    return;
  }
  switch (field->kind) {
    case MT_SIGNED:
    case MT_UNSIGNED:
    case MT_POINTER: lua_pushinteger(L, mt_field_integer(field, base)); break;
    case MT_BOOL: lua_pushboolean(L, mt_field_integer(field, base) != 0); break;
    case MT_FLOAT: lua_pushnumber(L, mt_field_float(field, base)); break;
    case MT_ENUM: push_enum(L, field, base); break;
    case MT_TEXT: push_text(L, field, base, available); break;
    case MT_COUNTED: push_counted(L, field, base); break;
    case MT_BYTES: lua_pushlstring(L, (const char *)base + field->offset, field->size); break;
    case MT_ARRAY: push_list(L, field, base, available); break;
    case MT_RECORD: push_record(L, field, base, available); break;
    case MT_TUPLE: push_tuple(L, field, base, available); break;
    case MT_OPTIONAL: push_optional(L, field, base, available); break;
    case MT_NAMED: push_name(L, field, base); break;
  }
}

typedef struct mt_decoding {
  const mt_field *field;
  const void *base;
  uint32_t available;
} mt_decoding;

static int push_protected(lua_State *L) {
  const mt_decoding *decoding = lua_touserdata(L, 1);
  mt_lua_push_value(L, decoding->field, decoding->base, decoding->available);
  return 1;
}

bool mt_lua_push_decoded(lua_State *L, const mt_field *field, const void *base, uint32_t available) {
  mt_decoding decoding = {field, base, available};
  if (!lua_checkstack(L, 2)) return false;
  lua_pushcfunction(L, push_protected);
  lua_pushlightuserdata(L, &decoding);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return true;
  lua_pop(L, 1);
  return false;
}
