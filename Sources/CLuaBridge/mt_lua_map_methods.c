// m:push, m:pop, m:peek, m:clear and m:drain.
#include <errno.h>
#include <lua5.4/lauxlib.h>
#include <string.h>

#include "mt_lua_map_walk.h"

// --- queues and stacks

static const mt_map_config *queue_at(lua_State *L, const char *method, bool writes) {
  const mt_map_config *config = mt_map_at(L, 1, method)->config;
  if (config->shape != MT_MAP_QUEUE)
    mt_lua_raise(L, "%s: it needs a queue or stack, and this is %s", method, mt_map_describe(L, config));
  if (writes)
    mt_map_check_writable(L, config);
  else
    mt_map_check_readable(L, config);
  return config;
}

int mt_map_push_method(lua_State *L) {
  const mt_map_config *config = queue_at(L, "push", true);
  mt_map_scratch space;
  lua_settop(L, 2);
  uint8_t *value = mt_map_space(L, &space, mt_map_value_bytes(config));
  mt_map_read_value(L, 2, config, value);
  int status = config->operations->update(config->fd, NULL, value);
  return status < 0 ? mt_map_raise_refusal(L, config, status) : 0;
}

// Pushes what `operation` gives; nil and false when there is nothing.
static bool push_from_queue(lua_State *L, const mt_map_config *config, int (*operation)(int, const void *, void *)) {
  mt_map_scratch space;
  uint8_t *value = mt_map_space(L, &space, mt_map_value_bytes(config));
  int status = operation(config->fd, NULL, value);
  if (status == -ENOENT) {
    lua_pushnil(L);
    return false;
  }
  if (status < 0) mt_map_raise_refusal(L, config, status);
  mt_map_push_value(L, config, value);
  return true;
}

int mt_map_pop_method(lua_State *L) {
  const mt_map_config *config = queue_at(L, "pop", true);
  push_from_queue(L, config, config->operations->take);
  return 1;
}

int mt_map_peek_method(lua_State *L) {
  const mt_map_config *config = queue_at(L, "peek", false);
  push_from_queue(L, config, config->operations->lookup);
  return 1;
}

// --- emptying. Where a list is at `list`, what is taken out goes into it; 0: it is dropped.

// The kernel may push meanwhile: as many values as the queue can hold are enough.
static void empty_queue(lua_State *L, const mt_map_config *config, int list) {
  int top = lua_gettop(L);
  for (uint32_t i = 1; i <= config->max_entries && push_from_queue(L, config, config->operations->take); i++) {
    if (list) lua_rawseti(L, list, i);
    lua_settop(L, top);
  }
}

static void append_entry(
    lua_State *L, const mt_map_config *config, int list, const uint8_t *key, const uint8_t *value) {
  lua_createtable(L, 2, 0);
  mt_map_push_key(L, config, key);
  lua_rawseti(L, -2, 1);
  mt_map_push_value(L, config, value);
  lua_rawseti(L, -2, 2);
  lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1);
}

static void empty_keyed(lua_State *L, const mt_map_config *config, int list) {
  mt_walk_push(L, config, MT_WALK_TAKE);
  int walk = lua_gettop(L);
  const uint8_t *key, *value;
  while (mt_walk_next(L, walk, &key, &value))
    if (list) append_entry(L, config, list, key, value);
}

// The kernel has no way to read and zero in one step.
static void empty_array(lua_State *L, const mt_map_config *config, int list) {
  mt_map_scratch space;
  uint8_t *zeros = mt_map_space(L, &space, mt_map_value_bytes(config));
  memset(zeros, 0, mt_map_value_bytes(config));
  mt_walk_push(L, config, list ? MT_WALK_READ : MT_WALK_COUNT);
  int walk = lua_gettop(L);
  const uint8_t *key, *value;
  while (mt_walk_next(L, walk, &key, &value)) {
    int status = config->operations->update(config->fd, key, zeros);
    if (status < 0) mt_map_raise_refusal(L, config, status);
    if (list) append_entry(L, config, list, key, value);
  }
}

static const mt_map_config *emptied_at(lua_State *L, const char *method) {
  const mt_map_config *config = mt_map_at(L, 1, method)->config;
  mt_map_check_writable(L, config);
  lua_settop(L, 1);
  return config;
}

int mt_map_clear_method(lua_State *L) {
  const mt_map_config *config = emptied_at(L, "clear");
  if (config->shape == MT_MAP_QUEUE)
    empty_queue(L, config, 0);
  else if (config->shape == MT_MAP_ARRAY)
    empty_array(L, config, 0);
  else
    empty_keyed(L, config, 0);
  return 0;
}

int mt_map_drain_method(lua_State *L) {
  const mt_map_config *config = emptied_at(L, "drain");
  lua_newtable(L);
  if (config->shape == MT_MAP_QUEUE)
    empty_queue(L, config, 2);
  else if (config->shape == MT_MAP_ARRAY)
    empty_array(L, config, 2);
  else
    empty_keyed(L, config, 2);
  lua_settop(L, 2);
  return 1;
}
