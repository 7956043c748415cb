// Looking at functions and tables for the compiler of probes. What needs memory runs in a protected call of its own.
#include "include/mt_lua_inspect.h"

#include <lua5.4/lauxlib.h>
#include <string.h>

#include "mt_lua_internal.h"

static char objects_key;  // registry: object -> kind << 32 | number
static char values_key;   // registry: number -> function or table, and the way back

typedef struct inspection {
  mt_inspected *value;
  int64_t subject;
  const void *name;
  size_t length;
  int64_t index;
} inspection;

// Pushes the registry's table of that key, made when it is not there. May raise.
static void push_registry_table(lua_State *L, const void *key) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

static bool is_library(const lua_Debug *function) {
  static const char mark[] = "=[moontrace";
  return strncmp(function->source, mark, sizeof mark - 1) == 0;
}

// Runs `operation` with the value at `index`, if it is not 0, and `context`.
static bool run(lua_State *L, lua_CFunction operation, void *context, int index) {
  if (!lua_checkstack(L, 4)) return false;
  if (index) index = lua_absindex(L, index);
  lua_pushcfunction(L, operation);
  lua_pushlightuserdata(L, context);
  if (index) lua_pushvalue(L, index);
  if (lua_pcall(L, index ? 2 : 1, 0, 0) == LUA_OK) return true;
  lua_pop(L, 1);
  return false;
}

// --- objects

static int mark(lua_State *L) {
  const mt_inspected *value = lua_touserdata(L, 1);
  push_registry_table(L, &objects_key);
  lua_pushvalue(L, 2);
  lua_pushinteger(L, (int64_t)value->kind << 32 | value->integer);
  lua_rawset(L, -3);
  return 0;
}

bool mt_lua_mark_object(lua_State *L, int index, uint32_t kind, uint32_t number) {
  mt_inspected value = {.kind = kind, .integer = number};
  return run(L, mark, &value, index);
}

// Stack: objects, …, value on top. Whether that is an object.
static bool is_object(lua_State *L, int objects, mt_inspected *value) {
  if (lua_isnil(L, -1)) return false;
  lua_pushvalue(L, -1);
  bool found = lua_rawget(L, objects) == LUA_TNUMBER;
  int64_t code = found ? lua_tointeger(L, -1) : 0;
  lua_pop(L, 1);
  value->kind = (uint32_t)(code >> 32);
  value->integer = (uint32_t)code;
  return found;
}

typedef struct naming {
  mt_object_name_fn found;
  void *context;
} naming;

static void name_locals(lua_State *L, int objects, const naming *naming, lua_Debug *frame) {
  mt_inspected object;
  const char *name;
  for (int i = 1; (name = lua_getlocal(L, frame, i)) != NULL; i++) {
    if (*name != '(' && is_object(L, objects, &object)) {
      naming->found(naming->context, object.kind, (uint32_t)object.integer, name);
    }
    lua_pop(L, 1);
  }
}

static void name_globals(lua_State *L, int objects, const naming *naming) {
  mt_inspected object;
  lua_pushglobaltable(L);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (lua_type(L, -2) == LUA_TSTRING && is_object(L, objects, &object)) {
      naming->found(naming->context, object.kind, (uint32_t)object.integer, lua_tostring(L, -2));
    }
  }
}

static int name_all(lua_State *L) {
  const naming *naming = lua_touserdata(L, 1);
  lua_Debug frame;
  luaL_checkstack(L, 8, NULL);
  push_registry_table(L, &objects_key);
  int objects = lua_gettop(L);
  for (int level = 1; lua_getstack(L, level, &frame); level++) {
    if (lua_getinfo(L, "S", &frame) && !is_library(&frame)) name_locals(L, objects, naming, &frame);
  }
  name_globals(L, objects, naming);
  return 0;
}

void mt_lua_name_objects(lua_State *L, mt_object_name_fn found, void *context) {
  naming naming = {found, context};
  run(L, name_all, &naming, 0);
}

// --- values

// The number of the table or function on top.
static int64_t number_of(lua_State *L) {
  push_registry_table(L, &values_key);
  lua_pushvalue(L, -2);
  if (lua_rawget(L, -2) == LUA_TNUMBER) {
    int64_t number = lua_tointeger(L, -1);
    lua_pop(L, 2);
    return number;
  }
  lua_pop(L, 1);
  lua_Integer number = (lua_Integer)lua_rawlen(L, -1) + 1;
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, number);
  lua_pushvalue(L, -2);
  lua_pushinteger(L, number);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  return number;
}

static bool is_script_function(lua_State *L) {
  lua_Debug about;
  if (lua_iscfunction(L, -1)) return false;
  lua_pushvalue(L, -1);
  return lua_getinfo(L, ">S", &about) && !is_library(&about);
}

static bool is_global_table(lua_State *L) {
  lua_pushglobaltable(L);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 1);
  return same;
}

static bool inspect_object(lua_State *L, mt_inspected *value) {
  push_registry_table(L, &objects_key);
  lua_pushvalue(L, -2);
  bool found = is_object(L, lua_gettop(L) - 1, value);
  lua_pop(L, 2);
  if (found) value->type = MT_INSPECTED_OBJECT;
  return found;
}

static void inspect_other(lua_State *L, mt_inspected *value) {
  value->type = MT_INSPECTED_OTHER;
  value->bytes = luaL_typename(L, -1);
  value->length = strlen(value->bytes);
}

static void inspect_number(lua_State *L, mt_inspected *value) {
  value->type = lua_isinteger(L, -1) ? MT_INSPECTED_INTEGER : MT_INSPECTED_NUMBER;
  value->integer = lua_tointegerx(L, -1, NULL);
  value->number = lua_tonumber(L, -1);
}

// Whether the table on top has the function below it under a name; pops the table.
static bool find_name(lua_State *L, mt_inspected *value) {
  int function = lua_gettop(L) - 1;
  bool found = false;
  for (lua_pushnil(L); !found && lua_next(L, function + 1);) {
    found = lua_type(L, -2) == LUA_TSTRING && lua_rawequal(L, -1, function);
    if (found) value->bytes = lua_tolstring(L, -2, &value->length);
    lua_pop(L, 1);
  }
  lua_settop(L, function);
  return found;
}

// The name under which scripts call the function on top.
static bool inspect_library(lua_State *L, mt_inspected *value) {
  static const char *const libraries[] = {"math", "string", "table", "coroutine", "utf8", "os", "io"};
  lua_pushglobaltable(L);
  bool found = find_name(L, value);
  for (size_t i = 0; !found && i < sizeof libraries / sizeof *libraries; i++) {
    lua_pushglobaltable(L);
    lua_pushstring(L, libraries[i]);
    bool is_table = lua_rawget(L, -2) == LUA_TTABLE;
    lua_remove(L, -2);
    if (is_table)
      found = find_name(L, value);
    else
      lua_pop(L, 1);
    value->library = libraries[i];
  }
  if (found) value->type = MT_INSPECTED_LIBRARY;
  return found;
}

static void inspect_table(lua_State *L, mt_inspected *value) {
  value->type = lua_getmetatable(L, -1) ? MT_INSPECTED_METATABLE : MT_INSPECTED_TABLE;
  if (value->type == MT_INSPECTED_METATABLE) lua_pop(L, 1);
  value->integer = number_of(L);
}

// Describes the value on top. May raise (memory).
static void inspect_top(lua_State *L, mt_inspected *value) {
  luaL_checkstack(L, 8, NULL);
  *value = (mt_inspected){.type = MT_INSPECTED_NIL};
  switch (lua_type(L, -1)) {
    case LUA_TNIL: break;
    case LUA_TBOOLEAN:
      value->type = MT_INSPECTED_BOOLEAN;
      value->integer = lua_toboolean(L, -1);
      break;
    case LUA_TNUMBER: inspect_number(L, value); break;
    case LUA_TSTRING:
      value->type = MT_INSPECTED_STRING;
      value->bytes = lua_tolstring(L, -1, &value->length);
      break;
    case LUA_TTABLE:
      if (inspect_object(L, value)) break;
      if (is_global_table(L))
        value->type = MT_INSPECTED_GLOBALS;
      else
        inspect_table(L, value);
      break;
    case LUA_TFUNCTION:
      if (!is_script_function(L)) {
        if (!inspect_library(L, value)) inspect_other(L, value);
        break;
      }
      value->type = MT_INSPECTED_FUNCTION;
      value->integer = number_of(L);
      break;
    default:
      if (!inspect_object(L, value)) inspect_other(L, value);
  }
}

// Pushes what a number stands for, or nil.
static int push_numbered(lua_State *L, int64_t number) {
  push_registry_table(L, &values_key);
  int type = lua_rawgeti(L, -1, number);
  lua_remove(L, -2);
  return type;
}

static int inspect_value(lua_State *L) {
  inspection *what = lua_touserdata(L, 1);
  inspect_top(L, what->value);
  return 0;
}

static int inspect_upvalue(lua_State *L) {
  inspection *what = lua_touserdata(L, 1);
  bool found = push_numbered(L, what->subject) == LUA_TFUNCTION && lua_getupvalue(L, -1, (int)what->index + 1);
  if (!found) lua_pushnil(L);
  inspect_top(L, what->value);
  return 0;
}

static int inspect_field(lua_State *L) {
  inspection *what = lua_touserdata(L, 1);
  if (push_numbered(L, what->subject) == LUA_TTABLE) {
    lua_pushlstring(L, what->name, what->length);
    lua_rawget(L, -2);
  } else {
    lua_pushnil(L);
  }
  inspect_top(L, what->value);
  return 0;
}

static int inspect_element(lua_State *L) {
  inspection *what = lua_touserdata(L, 1);
  if (push_numbered(L, what->subject) == LUA_TTABLE)
    lua_rawgeti(L, -1, what->index);
  else
    lua_pushnil(L);
  inspect_top(L, what->value);
  return 0;
}

static int inspect_global(lua_State *L) {
  inspection *what = lua_touserdata(L, 1);
  lua_pushglobaltable(L);
  lua_pushlstring(L, what->name, what->length);
  lua_rawget(L, -2);
  inspect_top(L, what->value);
  return 0;
}

bool mt_lua_inspect(lua_State *L, int index, mt_inspected *value) {
  inspection what = {.value = value};
  return run(L, inspect_value, &what, index);
}

bool mt_lua_inspect_upvalue(lua_State *L, int64_t function, int index, mt_inspected *value) {
  inspection what = {.value = value, .subject = function, .index = index};
  return run(L, inspect_upvalue, &what, 0);
}

bool mt_lua_inspect_field(lua_State *L, int64_t table, const void *name, size_t length, mt_inspected *value) {
  inspection what = {.value = value, .subject = table, .name = length ? name : "", .length = length};
  return run(L, inspect_field, &what, 0);
}

bool mt_lua_inspect_element(lua_State *L, int64_t table, int64_t index, mt_inspected *value) {
  inspection what = {.value = value, .subject = table, .index = index};
  return run(L, inspect_element, &what, 0);
}

bool mt_lua_inspect_global(lua_State *L, const void *name, size_t length, mt_inspected *value) {
  inspection what = {.value = value, .name = length ? name : "", .length = length};
  return run(L, inspect_global, &what, 0);
}

// --- entries

typedef struct walk {
  int64_t table;
  size_t limit;
  mt_entry_fn found;
  void *context;
  bool is_whole;
} walk;

static int inspect_entries(lua_State *L) {
  walk *walk = lua_touserdata(L, 1);
  mt_inspected key, value;
  size_t count = 0;
  if (push_numbered(L, walk->table) != LUA_TTABLE) return 0;
  int table = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    if (++count > walk->limit) return 0;
  }
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    inspect_top(L, &value);
    lua_pushvalue(L, -2);
    inspect_top(L, &key);
    lua_pop(L, 1);
    walk->found(walk->context, &key, &value);
  }
  walk->is_whole = true;
  return 0;
}

bool mt_lua_inspect_entries(lua_State *L, int64_t table, size_t limit, mt_entry_fn found, void *context) {
  walk walk = {table, limit, found, context, false};
  return run(L, inspect_entries, &walk, 0) && walk.is_whole;
}

// --- bytecode

typedef struct dumping {
  int64_t function;
  mt_dump_fn write;
  void *context;
} dumping;

static int write_piece(lua_State *L, const void *bytes, size_t length, void *context) {
  (void)L;
  const dumping *dumping = context;
  return dumping->write(dumping->context, bytes, length) ? 0 : 1;
}

static int dump(lua_State *L) {
  dumping *dumping = lua_touserdata(L, 1);
  if (push_numbered(L, dumping->function) != LUA_TFUNCTION) return luaL_error(L, "no function");
  if (lua_dump(L, write_piece, dumping, 0) != 0) return luaL_error(L, "not written");
  return 0;
}

bool mt_lua_inspect_dump(lua_State *L, int64_t function, mt_dump_fn write, void *context) {
  dumping dumping = {function, write, context};
  return run(L, dump, &dumping, 0);
}

void mt_lua_inspect_end(lua_State *L) {
  if (!lua_checkstack(L, 1)) return;
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &values_key);  // an existing key or nothing: allocates nothing
}
