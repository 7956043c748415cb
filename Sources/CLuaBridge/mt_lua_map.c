// Maps as Lua values: the metatable, reading and writing single entries, and who owns what.
#include <errno.h>
#include <lua5.4/lauxlib.h>
#include <string.h>

#include "mt_lua_map_internal.h"

#define MAP_TYPE "moontrace.map"

uint8_t *mt_map_space(lua_State *L, mt_map_scratch *scratch, size_t size) {
  if (size <= sizeof scratch->local) return (uint8_t *)scratch->local;
  luaL_checkstack(L, 1, NULL);
  return lua_newuserdatauv(L, size, 0);
}

mt_map *mt_map_at(lua_State *L, int index, const char *method) {
  mt_map *map = luaL_testudata(L, index, MAP_TYPE);
  if (!map) mt_lua_raise(L, "%s: the map is missing; call it as m:%s(…)", method, method);
  if (!map->config) mt_lua_raise(L, "%s: the inner map has been closed", method);
  return map;
}

// --- pushing and closing

static mt_map *new_map(lua_State *L, const mt_map_config *config) {
  mt_map *map = lua_newuserdatauv(L, sizeof *map, 0);
  *map = (mt_map){.config = config};
  luaL_setmetatable(L, MAP_TYPE);
  return map;
}

void mt_map_push(lua_State *L, const mt_map_config *config) { new_map(L, config); }

// Lua doesn't know that a map value holds a descriptor, so those that are no longer used may have piled up.
static int open_inner(lua_State *L, const mt_map_config *outer, uint32_t id, mt_map_config *inner) {
  int status = outer->operations->open_inner(id, inner);
  if (status != -EMFILE) return status;
  lua_gc(L, LUA_GCCOLLECT);
  return outer->operations->open_inner(id, inner);
}

void mt_map_push_inner(lua_State *L, const mt_map_config *outer, uint32_t id) {
  mt_map *map = new_map(L, NULL);
  int status = open_inner(L, outer, id, &map->inner);
  if (status == -ENOENT) {
    lua_pop(L, 1);
    lua_pushnil(L);
    return;
  }
  if (status < 0) mt_map_raise_refusal(L, outer, status);
  map->owned = true;
  map->config = &map->inner;
  map->inner.read_only = true;
}

static int close_map(lua_State *L) {
  mt_map *map = luaL_testudata(L, 1, MAP_TYPE);
  if (!map || !map->owned) return 0;
  map->owned = false;
  map->config = NULL;
  map->inner.operations->close_inner(&map->inner);
  return 0;
}

static int push_protected(lua_State *L) {
  new_map(L, lua_touserdata(L, 1));
  return 1;
}

bool mt_lua_push_map(lua_State *L, const mt_map_config *config) {
  if (!lua_checkstack(L, 2)) return false;
  lua_pushcfunction(L, push_protected);
  lua_pushlightuserdata(L, (void *)config);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return true;
  lua_pop(L, 1);
  return false;
}

// --- m[k]

static void check_keyed(lua_State *L, const mt_map_config *config) {
  if (config->shape == MT_MAP_QUEUE)
    mt_lua_raise(L, "map '%s' is a queue or stack and has no keys: use m:push(v), m:pop(), m:peek()", config->name);
}

// What bpf_get_stackid answers when it could not take the stack.
static bool is_missing_stack(lua_State *L, const mt_map_config *config) {
  return config->shape == MT_MAP_STACKS && lua_isinteger(L, 2) && lua_tointeger(L, 2) < 0;
}

static int push_absent(lua_State *L) {
  lua_pushnil(L);
  return 1;
}

static int map_get(lua_State *L) {
  const mt_map_config *config = mt_map_at(L, 1, "get")->config;
  mt_map_check_readable(L, config);
  check_keyed(L, config);
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  if (is_missing_stack(L, config)) return push_absent(L);
  mt_map_scratch key_space, value_space;
  uint8_t *key = mt_map_space(L, &key_space, config->key_size);
  uint8_t *value = mt_map_space(L, &value_space, mt_map_value_bytes(config));
  mt_map_read_key(L, 2, config, key);
  int status = config->operations->lookup(config->fd, key, value);
  if (status == -ENOENT) return push_absent(L);
  if (status < 0) return mt_map_raise_refusal(L, config, status);
  mt_map_push_value(L, config, value);
  return 1;
}

// Upvalue: the methods by name.
static int map_index(lua_State *L) {
  if (lua_type(L, 2) == LUA_TSTRING) {
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
    lua_pop(L, 1);
  }
  return map_get(L);
}

// --- m[k] = v

static void remove_entry(lua_State *L, const mt_map_config *config, const void *key) {
  int status = config->operations->remove(config->fd, key);
  if (status < 0 && status != -ENOENT) mt_map_raise_refusal(L, config, status);
}

static void check_bounds(lua_State *L, const mt_map_config *config, const void *key) {
  uint32_t index;
  memcpy(&index, key, sizeof index);
  if (index < config->max_entries) return;
  lua_pushinteger(L, index);
  mt_lua_raise(
      L, "map '%s': index %s is out of range: it has %d entries, numbered from 0", config->name, lua_tostring(L, -1),
      (int)config->max_entries);
}

static void update_entry(lua_State *L, const mt_map_config *config, const void *key) {
  mt_map_scratch space;
  uint8_t *value = mt_map_space(L, &space, mt_map_value_bytes(config));
  if (lua_isnil(L, 3))
    memset(value, 0, mt_map_value_bytes(config));
  else
    mt_map_read_value(L, 3, config, value);
  int status = config->operations->update(config->fd, key, value);
  if (status < 0) mt_map_raise_refusal(L, config, status);
}

static int map_set(lua_State *L) {
  const mt_map_config *config = mt_map_at(L, 1, "set")->config;
  mt_map_check_writable(L, config);
  check_keyed(L, config);
  luaL_checkany(L, 2);
  lua_settop(L, 3);
  mt_map_scratch space;
  uint8_t *key = mt_map_space(L, &space, config->key_size);
  mt_map_read_key(L, 2, config, key);
  if (config->shape == MT_MAP_ARRAY) check_bounds(L, config, key);
  if (config->shape == MT_MAP_STACKS && !lua_isnil(L, 3))
    return mt_lua_raise(L, "map '%s': only the kernel writes stack traces; assign nil to delete one", config->name);
  if (lua_isnil(L, 3) && config->shape != MT_MAP_ARRAY)
    remove_entry(L, config, key);
  else
    update_entry(L, config, key);
  return 0;
}

// Upvalue: the methods by name.
static int map_newindex(lua_State *L) {
  if (lua_type(L, 2) == LUA_TSTRING) {
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
      return mt_lua_raise(
          L, "map '%s': '%s' is a method; to write this key use m:set('%s', value)",
          mt_map_at(L, 1, "set")->config->name, lua_tostring(L, 2), lua_tostring(L, 2));
    lua_pop(L, 1);
  }
  return map_set(L);
}

// --- the rest of the metatable

static int map_tostring(lua_State *L) {
  const mt_map *map = luaL_testudata(L, 1, MAP_TYPE);
  if (map && map->config)
    mt_map_describe(L, map->config);
  else
    lua_pushliteral(L, "closed map");
  return 1;
}

static int map_name(lua_State *L) {
  lua_pushstring(L, mt_map_at(L, 1, "name")->config->name);
  return 1;
}

static void add_with_methods(lua_State *L, const char *name, lua_CFunction function) {
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, function, 1);
  lua_setfield(L, -3, name);
}

static const luaL_Reg metamethods[] = {
    {"__pairs", mt_map_pairs}, {"__len", mt_map_length}, {"__tostring", map_tostring},
    {"__gc", close_map},       {"__close", close_map},   {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"get", map_get},
    {"set", map_set},
    {"name", map_name},
    {"push", mt_map_push_method},
    {"pop", mt_map_pop_method},
    {"peek", mt_map_peek_method},
    {"clear", mt_map_clear_method},
    {"drain", mt_map_drain_method},
    {NULL, NULL},
};

static void set_text(lua_State *L, const char *name, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

void mt_lua_maps_open(lua_State *L) {
  luaL_newmetatable(L, MAP_TYPE);
  luaL_setfuncs(L, metamethods, 0);
  luaL_newlib(L, methods);
  add_with_methods(L, "__index", map_index);
  add_with_methods(L, "__newindex", map_newindex);
  lua_pop(L, 1);
  set_text(L, "__name", "map");
  set_text(L, "__metatable", "map");
  lua_pop(L, 1);
}
