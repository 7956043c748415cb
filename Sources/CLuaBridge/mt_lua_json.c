// Lua values as JSON text. A value is checked whole before the first byte is written, so that an error leaves no half
// of a line in the output.
#include <lua5.4/lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "mt_lua_value_internal.h"

#define DEEPEST 64

typedef struct mt_path {
  const void *tables[DEEPEST];  // those that the value stands in
  int depth;
} mt_path;

typedef struct mt_json_key {
  const char *text;  // NULL: an integer key; the table keeps the string
  size_t length;
  lua_Integer integer;
} mt_json_key;

// --- checking

static void check(lua_State *L, int index, mt_path *path);

static void enter(lua_State *L, int table, mt_path *path) {
  const void *identity = lua_topointer(L, table);
  for (int i = 0; i < path->depth; i++)
    if (path->tables[i] == identity) mt_lua_raise(L, "JSON: a table contains itself");
  if (path->depth == DEEPEST) mt_lua_raise(L, "JSON: tables nest deeper than %d", DEEPEST);
  path->tables[path->depth++] = identity;
  luaL_checkstack(L, 8, "JSON nests too deep");
}

static void check_table(lua_State *L, int table, mt_path *path) {
  enter(L, table, path);
  lua_pushnil(L);
  while (lua_next(L, table)) {
    if (lua_type(L, -2) != LUA_TSTRING && !lua_isinteger(L, -2))
      mt_lua_raise(L, "JSON: a table has a %s as a key; keys are strings or integers", luaL_typename(L, -2));
    check(L, lua_gettop(L), path);
    lua_pop(L, 1);
  }
  path->depth--;
}

static void check(lua_State *L, int index, mt_path *path) {
  int type = lua_type(L, index);
  if (type == LUA_TTABLE) check_table(L, index, path);
  if (type == LUA_TLIGHTUSERDATA && !mt_lua_view(L, index, NULL, NULL, NULL)) mt_lua_raise_stale(L);
}

// --- writing

static void write_value(lua_State *L, int index, mt_output *output);

static void write_text(mt_output *output, const char *text) { mt_output_append(output, text, strlen(text)); }

static void write_list(lua_State *L, int table, lua_Unsigned count, mt_output *output) {
  write_text(output, "[");
  for (lua_Unsigned i = 1; i <= count; i++) {
    if (i > 1) write_text(output, ",");
    lua_rawgeti(L, table, (lua_Integer)i);
    write_value(L, lua_gettop(L), output);
    lua_pop(L, 1);
  }
  write_text(output, "]");
}

// How many entries the table has; `list` says whether their keys are exactly 1…n.
static size_t count_entries(lua_State *L, int table, bool *list) {
  lua_Unsigned length = lua_rawlen(L, table);
  size_t count = 0;
  *list = true;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    count++;
    if (!lua_isinteger(L, -1) || (lua_Unsigned)lua_tointeger(L, -1) - 1 >= length) *list = false;
  }
  *list = *list && count == length;
  return count;
}

static int compare_keys(const void *left, const void *right) {
  const mt_json_key *a = left, *b = right;
  if (!a->text || !b->text) {
    if (a->text || b->text) return a->text ? 1 : -1;
    return (a->integer > b->integer) - (a->integer < b->integer);
  }
  int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
  return order ? order : (a->length > b->length) - (a->length < b->length);
}

// Pushes a userdata that holds the table's keys in the order of writing.
static const mt_json_key *push_sorted_keys(lua_State *L, int table, size_t count) {
  mt_json_key *keys = lua_newuserdatauv(L, count * sizeof *keys, 0);
  mt_json_key *key = keys;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    *key = (mt_json_key){0};
    if (lua_type(L, -1) == LUA_TSTRING)
      key->text = lua_tolstring(L, -1, &key->length);
    else
      key->integer = lua_tointeger(L, -1);
    key++;
  }
  qsort(keys, count, sizeof *keys, compare_keys);
  return keys;
}

static void write_entry(lua_State *L, int table, const mt_json_key *key, mt_output *output) {
  if (key->text) {
    mt_output_json_string(output, key->text, key->length);
    lua_pushlstring(L, key->text, key->length);
  } else {
    write_text(output, "\"");
    mt_output_integer(output, key->integer);
    write_text(output, "\"");
    lua_pushinteger(L, key->integer);
  }
  write_text(output, ":");
  lua_rawget(L, table);
  write_value(L, lua_gettop(L), output);
  lua_pop(L, 1);
}

static void write_table(lua_State *L, int table, mt_output *output) {
  bool list;
  size_t count = count_entries(L, table, &list);
  if (list) {
    write_list(L, table, count, output);
    return;
  }
  const mt_json_key *keys = push_sorted_keys(L, table, count);
  write_text(output, "{");
  for (size_t i = 0; i < count; i++) {
    if (i > 0) write_text(output, ",");
    write_entry(L, table, &keys[i], output);
  }
  write_text(output, "}");
  lua_pop(L, 1);
}

static void write_view(lua_State *L, int index, mt_output *output) {
  const mt_plan *plan;
  const void *base;
  uint32_t available;
  if (!mt_lua_view(L, index, &plan, &base, &available)) mt_lua_raise_stale(L);
  write_text(output, "{");
  for (uint32_t i = 0; i < plan->field_count; i++) {
    const mt_field *field = &plan->fields[i];
    if (i > 0) write_text(output, ",");
    mt_output_json_string(output, field->name, field->name_length);
    write_text(output, ":");
    mt_output_json_value(output, field, base, available);
  }
  write_text(output, "}");
}

static void write_other(lua_State *L, int index, mt_output *output) {
  const uint64_t *number = mt_lua_unsigned(L, index);
  if (number) {
    mt_output_unsigned(output, *number);
    return;
  }
  size_t length;
  const char *text = luaL_tolstring(L, index, &length);
  mt_output_json_string(output, text, length);
  lua_pop(L, 1);
}

static void write_number(lua_State *L, int index, mt_output *output) {
  if (lua_isinteger(L, index))
    mt_output_integer(output, lua_tointeger(L, index));
  else
    mt_output_number(output, lua_tonumber(L, index));
}

static void write_string(lua_State *L, int index, mt_output *output) {
  size_t length;
  const char *text = lua_tolstring(L, index, &length);
  mt_output_json_string(output, text, length);
}

static void write_value(lua_State *L, int index, mt_output *output) {
  switch (lua_type(L, index)) {
    case LUA_TNIL: write_text(output, "null"); break;
    case LUA_TBOOLEAN: write_text(output, lua_toboolean(L, index) ? "true" : "false"); break;
    case LUA_TNUMBER: write_number(L, index, output); break;
    case LUA_TSTRING: write_string(L, index, output); break;
    case LUA_TTABLE: write_table(L, index, output); break;
    case LUA_TLIGHTUSERDATA: write_view(L, index, output); break;
    default: write_other(L, index, output); break;
  }
}

void mt_lua_push_json(lua_State *L, int index) {
  mt_path path = {.depth = 0};
  index = lua_absindex(L, index);
  luaL_checkstack(L, 8, NULL);
  check(L, index, &path);
  mt_output text;
  if (!mt_output_open(&text, -1)) luaL_error(L, "not enough memory");
  write_value(L, index, &text);
  // The copy may fail for want of memory; the buffer must not leak then.
  bool pushed = mt_lua_push_string(L, text.bytes, text.length);
  mt_output_close(&text);
  if (!pushed) luaL_error(L, "not enough memory");
}

void mt_lua_json(lua_State *L, int index, mt_output *output) {
  mt_path path = {.depth = 0};
  luaL_checkstack(L, 8, NULL);
  index = lua_absindex(L, index);
  check(L, index, &path);
  write_value(L, index, output);
}
