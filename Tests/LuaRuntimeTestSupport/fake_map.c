// A BPF map in memory: slots stand in the order of the kernel's buckets.
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "LuaRuntimeTestSupport.h"

#define MOST_MAPS 4096
#define NONE UINT32_MAX

static mt_test_map *_Atomic maps[MOST_MAPS];
static atomic_int next_map;
static _Thread_local int open_inner_maps;

static uint32_t value_bytes(const mt_test_map *map) {
  return map->config.per_cpu ? map->config.cpus * ((map->config.value_size + 7) & ~7u) : map->config.value_size;
}

static uint8_t *key_of(const mt_test_map *map, uint32_t slot) { return map->keys + slot * map->config.key_size; }
static uint8_t *value_of(const mt_test_map *map, uint32_t slot) { return map->values + slot * value_bytes(map); }

static uint32_t next_used(const mt_test_map *map, uint32_t slot) {
  while (slot < map->config.max_entries && !map->used[slot]) slot++;
  return slot < map->config.max_entries ? slot : NONE;
}

static uint32_t find(const mt_test_map *map, const void *key) {
  for (uint32_t slot = next_used(map, 0); slot != NONE; slot = next_used(map, slot + 1))
    if (!key || memcmp(key_of(map, slot), key, map->config.key_size) == 0) return slot;
  return NONE;
}

// Queues keep their values in the first slots, the oldest in slot 0.
static void remove_slot(mt_test_map *map, uint32_t slot) {
  uint32_t last = slot;
  if (map->config.shape == MT_MAP_QUEUE) {
    while (last + 1 < map->config.max_entries && map->used[last + 1]) last++;
    memmove(value_of(map, slot), value_of(map, slot + 1), (last - slot) * value_bytes(map));
  }
  map->used[last] = 0;
}

static int lookup(int fd, const void *key, void *value) {
  mt_test_map *map = maps[fd];
  map->key_calls++;
  if (map->failure) return map->failure;
  uint32_t slot = find(map, key);
  if (slot != NONE && map->vanishing > 0) {
    map->vanishing--;
    remove_slot(map, slot);
    return -ENOENT;
  }
  if (slot == NONE) return -ENOENT;
  memcpy(value, value_of(map, slot), value_bytes(map));
  return 0;
}

static int update(int fd, const void *key, const void *value) {
  mt_test_map *map = maps[fd];
  if (map->failure) return map->failure;
  uint32_t slot = map->config.shape == MT_MAP_QUEUE ? NONE : find(map, key);
  for (uint32_t i = 0; slot == NONE && i < map->config.max_entries; i++)
    if (!map->used[i]) slot = i;
  if (slot == NONE) return -E2BIG;
  map->used[slot] = 1;
  if (key) memcpy(key_of(map, slot), key, map->config.key_size);
  memcpy(value_of(map, slot), value, value_bytes(map));
  return 0;
}

static int remove_key(int fd, const void *key) {
  mt_test_map *map = maps[fd];
  if (map->failure) return map->failure;
  uint32_t slot = find(map, key);
  if (slot == NONE) return -ENOENT;
  remove_slot(map, slot);
  return 0;
}

static int next_key(int fd, const void *key, void *next) {
  mt_test_map *map = maps[fd];
  map->key_calls++;
  if (map->failure) return map->failure;
  uint32_t slot = key ? find(map, key) : NONE;
  slot = next_used(map, slot == NONE ? 0 : slot + 1);
  if (slot == NONE && map->endless) slot = next_used(map, 0);
  if (slot == NONE) return -ENOENT;
  memcpy(next, key_of(map, slot), map->config.key_size);
  return 0;
}

static int take(int fd, const void *key, void *value) {
  mt_test_map *map = maps[fd];
  if (map->take_unsupported) return -524;
  int status = lookup(fd, key, value);
  return status < 0 ? status : remove_key(fd, key ? key : key_of(map, 0));
}

// --- batches

static uint32_t used_in_bucket(const mt_test_map *map, uint32_t start) {
  uint32_t count = 0;
  for (uint32_t i = start; i < start + map->bucket && i < map->config.max_entries; i++) count += map->used[i];
  return count;
}

static uint32_t copy_bucket(
    mt_test_map *map, uint32_t start, bool taking, uint8_t *keys, uint8_t *values, uint32_t at) {
  for (uint32_t i = start; i < start + map->bucket && i < map->config.max_entries; i++) {
    if (!map->used[i]) continue;
    memcpy(keys + (size_t)at * map->config.key_size, key_of(map, i), map->config.key_size);
    memcpy(values + (size_t)at * value_bytes(map), value_of(map, i), value_bytes(map));
    if (taking) map->used[i] = 0;
    at++;
  }
  return at;
}

static int batch(int fd, bool taking, const void *in, void *out, void *keys, void *values, uint32_t *count) {
  mt_test_map *map = maps[fd];
  map->batch_calls++;
  if (map->failure) return map->failure;
  if (map->batches == MT_TEST_NO_BATCHES || (taking && map->take_unsupported)) return -EINVAL;
  uint32_t room = *count, slot = 0;
  *count = 0;
  if (in) memcpy(&slot, in, sizeof slot);
  while (slot < map->config.max_entries && used_in_bucket(map, slot) <= room - *count) {
    *count = copy_bucket(map, slot, taking, keys, values, *count);
    slot += map->bucket;
    if (map->batches == MT_TEST_INTERRUPTED_BATCHES && *count > 0) return -EINTR;
  }
  if (slot < map->config.max_entries && *count == 0) return -ENOSPC;
  bool ended = slot >= map->config.max_entries;
  if (ended && map->endless) slot = 0;
  memcpy(out, &slot, sizeof slot);
  return ended && !map->endless ? -ENOENT : 0;
}

// --- maps of maps: values are the inner maps' descriptors

static int open_inner(uint32_t id, mt_map_config *config) {
  if (id >= MOST_MAPS || !maps[id]) return -ENOENT;
  if (open_inner_maps == MT_TEST_MOST_INNER_MAPS) return -EMFILE;
  *config = maps[id]->config;
  open_inner_maps++;
  return 0;
}

static void close_inner(mt_map_config *config) {
  (void)config;
  open_inner_maps--;
}

int mt_test_open_inner_maps(void) { return open_inner_maps; }

// --- opening

static const mt_map_operations operations = {
    lookup, update, remove_key, next_key, take, batch, open_inner, close_inner,
};

static void fill_array(mt_test_map *map) {
  for (uint32_t i = 0; i < map->config.max_entries; i++) {
    map->used[i] = 1;
    memcpy(key_of(map, i), &i, sizeof i);
  }
}

mt_test_map *mt_test_map_open(
    const char *name, mt_map_shape shape, uint32_t cpus, const char *key, const char *value, uint32_t max_entries) {
  mt_test_map *map = calloc(1, sizeof *map);
  map->config = (mt_map_config){
      .name = strdup(name),
      .fd = atomic_fetch_add(&next_map, 1),
      .shape = shape,
      .per_cpu = cpus > 0,
      .cpus = cpus,
      .key = key ? mt_test_type(key) : NULL,
      .value = mt_test_type(value),
      .max_entries = max_entries,
      .operations = &operations,
  };
  map->config.key_size = map->config.key ? map->config.key->size : 4;
  map->config.value_size = map->config.value->size;
  map->batches = MT_TEST_BATCHES;
  map->bucket = 1;
  map->used = calloc(max_entries, 1);
  map->keys = calloc(max_entries, map->config.key_size);
  map->values = calloc(max_entries, value_bytes(map));
  if (shape == MT_MAP_ARRAY) fill_array(map);
  maps[map->config.fd] = map;
  return map;
}

void mt_test_map_close(mt_test_map *map) {
  for (int fd = 0; fd < MOST_MAPS; fd++)
    if (maps[fd] == map) maps[fd] = NULL;
  free((char *)map->config.name);
  free(map->used);
  free(map->keys);
  free(map->values);
  free(map);
}
