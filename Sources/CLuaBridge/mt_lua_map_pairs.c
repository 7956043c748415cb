// pairs(m) and #m.
#include "mt_lua_map_walk.h"

static void check_walkable(lua_State *L, const mt_map_config *config) {
  mt_map_check_readable(L, config);
  if (config->shape == MT_MAP_QUEUE)
    mt_lua_raise(
        L, "map '%s': the kernel can't list or count a queue's or stack's values: use m:drain() or m:pop()",
        config->name);
}

// Upvalues: the walk and the map, which the iterator keeps from being collected.
static int next_entry(lua_State *L) {
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(2));
  const mt_map_config *config = mt_map_at(L, 1, "pairs")->config;
  mt_map_check_readable(L, config);
  lua_pushvalue(L, lua_upvalueindex(1));
  const uint8_t *key, *value;
  if (!mt_walk_next(L, 2, &key, &value)) return 0;
  mt_map_push_key(L, config, key);
  mt_map_push_value(L, config, value);
  return 2;
}

int mt_map_pairs(lua_State *L) {
  const mt_map_config *config = mt_map_at(L, 1, "pairs")->config;
  check_walkable(L, config);
  mt_walk_push(L, config, MT_WALK_READ);
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, next_entry, 2);
  return 1;
}

int mt_map_length(lua_State *L) {
  const mt_map_config *config = mt_map_at(L, 1, "#")->config;
  check_walkable(L, config);
  uint64_t count = config->max_entries;
  if (config->shape != MT_MAP_ARRAY) {
    count = 0;
    const mt_walk *walk = mt_walk_push(L, config, MT_WALK_COUNT);
    while (mt_walk_load(L, lua_gettop(L))) count += walk->count;
  }
  // Entries that came twice because the map changed.
  if (count > config->max_entries) count = config->max_entries;
  lua_pushinteger(L, (lua_Integer)count);
  return 1;
}
