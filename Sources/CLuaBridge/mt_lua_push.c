// Operations for host functions, each in its own protected call so that running out of memory is a false result.
#include "mt_lua_internal.h"

typedef struct request {
  const void *bytes;
  size_t length;
  int64_t number;
  int lists, fields;
} request;

// Runs `operation` with the value on top (if `takes` is 1) and the request; leaves `results` values.
static bool run(lua_State *L, lua_CFunction operation, request *what, int takes, int results) {
  if (!lua_checkstack(L, 4)) {
    lua_pop(L, takes);
    return false;
  }
  lua_pushcfunction(L, operation);
  lua_insert(L, -(takes + 1));
  lua_pushlightuserdata(L, what);
  if (lua_pcall(L, takes + 1, results, 0) == LUA_OK) return true;
  lua_pop(L, 1);
  return false;
}

static int push_string(lua_State *L) {
  request *what = lua_touserdata(L, 1);
  lua_pushlstring(L, what->bytes, what->length);
  return 1;
}

bool mt_lua_push_string(lua_State *L, const void *bytes, size_t length) {
  request what = {.bytes = length ? bytes : "", .length = length};
  return run(L, push_string, &what, 0, 1);
}

static int push_table(lua_State *L) {
  request *what = lua_touserdata(L, 1);
  lua_createtable(L, what->lists, what->fields);
  return 1;
}

bool mt_lua_push_table(lua_State *L, int list_count, int field_count) {
  request what = {.lists = list_count, .fields = field_count};
  return run(L, push_table, &what, 0, 1);
}

static int push_host_function(lua_State *L) {
  request *what = lua_touserdata(L, 1);
  lua_pushinteger(L, what->number);
  lua_pushcclosure(L, mt_lua_host_call, 1);
  return 1;
}

bool mt_lua_push_host_function(lua_State *L, uint32_t function) {
  request what = {.number = function};
  return run(L, push_host_function, &what, 0, 1);
}

// Stack: value, request, table.
static int set_field(lua_State *L) {
  request *what = lua_touserdata(L, 2);
  lua_pushlstring(L, what->bytes, what->length);
  lua_pushvalue(L, 1);
  lua_rawset(L, 3);
  return 0;
}

static int set_index(lua_State *L) {
  request *what = lua_touserdata(L, 2);
  lua_pushvalue(L, 1);
  lua_rawseti(L, 3, what->number);
  return 0;
}

static bool run_on_table(lua_State *L, lua_CFunction operation, request *what, int table) {
  table = lua_absindex(L, table);
  if (!lua_checkstack(L, 5)) {
    lua_pop(L, 1);
    return false;
  }
  lua_pushcfunction(L, operation);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, what);
  lua_pushvalue(L, table);
  if (lua_pcall(L, 3, 0, 0) == LUA_OK) return true;
  lua_pop(L, 1);
  return false;
}

bool mt_lua_set_field(lua_State *L, int table, const char *key, size_t length) {
  request what = {.bytes = key, .length = length};
  return run_on_table(L, set_field, &what, table);
}

bool mt_lua_set_index(lua_State *L, int table, int64_t index) {
  request what = {.number = index};
  return run_on_table(L, set_index, &what, table);
}

static int set_global(lua_State *L) {
  lua_pushglobaltable(L);
  return set_field(L);
}

bool mt_lua_set_global(lua_State *L, const char *name, size_t length) {
  request what = {.bytes = name, .length = length};
  return run(L, set_global, &what, 1, 0);
}

static int make_reference(lua_State *L) {
  request *what = lua_touserdata(L, 2);
  lua_settop(L, 1);
  what->number = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

int mt_lua_ref(lua_State *L, int index) {
  request what = {.number = LUA_NOREF};
  if (!lua_checkstack(L, 1)) return LUA_NOREF;
  lua_pushvalue(L, index);
  return run(L, make_reference, &what, 1, 0) ? (int)what.number : LUA_NOREF;
}

void mt_lua_unref(mt_lua *lua, int reference) {
  // Both keys that luaL_unref writes exist already, so it allocates nothing.
  if (lua_checkstack(lua->main, 3)) luaL_unref(lua->main, LUA_REGISTRYINDEX, reference);
}
