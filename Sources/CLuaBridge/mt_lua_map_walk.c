#include "mt_lua_map_walk.h"

#include <errno.h>
#include <string.h>

#define FIRST_CAPACITY 256
#define MOST_BUFFER_BYTES (1u << 20)
// The kernel's own number for "not supported", which leaks out of some map operations; not in <errno.h>.
#define KERNEL_ENOTSUPP 524

bool mt_walk_not_offered(int status) {
  return status == -EINVAL || status == -ENOTSUP || status == -KERNEL_ENOTSUPP;
}

// --- buffers

static size_t cursor_bytes(const mt_map_config *config) {
  size_t size = config->key_size < 8 ? 8 : config->key_size;
  return (size + 7) & ~(size_t)7;
}

static uint32_t first_capacity(const mt_map_config *config, size_t value_bytes) {
  size_t fitting = MOST_BUFFER_BYTES / (config->key_size + value_bytes + 1);
  size_t capacity = fitting < FIRST_CAPACITY ? fitting : FIRST_CAPACITY;
  if (capacity > config->max_entries) capacity = config->max_entries;
  return capacity ? (uint32_t)capacity : 1;
}

// Gives the walk at `index` buffers for `capacity` entries; where it stands is kept.
static void allocate(lua_State *L, int index, mt_walk *walk, uint32_t capacity) {
  const mt_map_config *config = walk->config;
  size_t cursor = cursor_bytes(config);
  size_t values = walk->value_bytes * capacity, keys = (size_t)config->key_size * capacity;
  uint8_t *block = lua_newuserdatauv(L, 2 * cursor + values + keys, 0);
  if (walk->begun) memcpy(block, walk->cursor, cursor);
  walk->cursor = block;
  walk->next_cursor = block + cursor;
  walk->values = block + 2 * cursor;
  walk->keys = walk->values + values;
  walk->capacity = capacity;
  lua_setiuservalue(L, index, 1);
}

mt_walk *mt_walk_push(lua_State *L, const mt_map_config *config, mt_walk_mode mode) {
  mt_walk *walk = lua_newuserdatauv(L, sizeof *walk, 1);
  *walk = (mt_walk){
      .config = config,
      .mode = mode,
      .by_key = config->operations->batch == NULL,
      .budget = 4 * (uint64_t)config->max_entries + 64,
      .value_bytes = mt_map_value_bytes(config),
  };
  allocate(L, lua_gettop(L), walk, first_capacity(config, walk->value_bytes));
  return walk;
}

static uint8_t *key_at(const mt_walk *walk, uint32_t entry) {
  return walk->keys + (size_t)walk->config->key_size * entry;
}

static uint8_t *value_at(const mt_walk *walk, uint32_t entry) { return walk->values + walk->value_bytes * entry; }

// --- key by key

// Moves the cursor to the key after `key` (NULL: the first one).
static int advance(mt_walk *walk, const uint8_t *key) {
  int status = walk->config->operations->next_key(walk->config->fd, key, walk->cursor);
  walk->begun = true;
  if (status == -ENOENT) walk->finished = true;
  return status == -ENOENT ? 0 : status;
}

// For maps without "lookup and delete". The key may vanish in between: then someone else has had the entry.
static int lookup_and_remove(const mt_map_config *config, const void *key, void *value) {
  int status = config->operations->lookup(config->fd, key, value);
  return status < 0 ? status : config->operations->remove(config->fd, key);
}

static int visit(const mt_walk *walk, const uint8_t *key, uint8_t *value) {
  const mt_map_config *config = walk->config;
  if (walk->mode == MT_WALK_COUNT) return 0;
  if (walk->mode == MT_WALK_READ) return config->operations->lookup(config->fd, key, value);
  int status = config->operations->take(config->fd, key, value);
  return mt_walk_not_offered(status) ? lookup_and_remove(config, key, value) : status;
}

// The key after an entry is asked for before the entry is deleted, here or by the script that gets it: from a key that
// is gone, the kernel starts over.
static int load_by_key(mt_walk *walk) {
  int status = walk->begun ? 0 : advance(walk, NULL);
  while (status == 0 && !walk->finished && walk->count < walk->capacity && walk->budget > 0) {
    uint8_t *key = key_at(walk, walk->count);
    memcpy(key, walk->cursor, walk->config->key_size);
    walk->budget--;
    status = advance(walk, key);
    if (status < 0) break;
    status = visit(walk, key, value_at(walk, walk->count));
    if (status == 0) walk->count++;
    if (status == -ENOENT) status = 0;
  }
  if (walk->budget == 0) walk->finished = true;
  return status;
}

// --- batches

// Goes on key by key after the last entry that a batch gave.
static int leave_batches(mt_walk *walk, const uint8_t *last) {
  walk->by_key = true;
  return advance(walk, last);
}

static int load_batch(mt_walk *walk) {
  const mt_map_config *config = walk->config;
  uint32_t count = walk->capacity;
  int status = config->operations->batch(
      config->fd, walk->mode == MT_WALK_TAKE, walk->begun ? walk->cursor : NULL, walk->next_cursor, walk->keys,
      walk->values, &count);
  if (mt_walk_not_offered(status)) return leave_batches(walk, NULL);
  if (status < 0 && status != -ENOENT && status != -EINTR) return status;
  walk->count = count < walk->capacity ? count : walk->capacity;
  walk->budget -= walk->count < walk->budget ? walk->count : walk->budget;
  // So some kernels give up when keys vanish under a batch (generic_map_lookup_batch in kernel/bpf/syscall.c).
  if (status == -EINTR) return leave_batches(walk, walk->count ? key_at(walk, walk->count - 1) : NULL);
  walk->finished = status == -ENOENT || walk->count == 0 || walk->budget == 0;
  memcpy(walk->cursor, walk->next_cursor, cursor_bytes(config));
  walk->begun = true;
  return 0;
}

// A hash gives its buckets whole and says ENOSPC when one has more entries than there is room for.
static bool grow(lua_State *L, int index, mt_walk *walk) {
  if (walk->capacity >= walk->config->max_entries) return false;
  uint32_t doubled = walk->capacity < UINT32_MAX / 2 ? walk->capacity * 2 : UINT32_MAX;
  allocate(L, index, walk, doubled < walk->config->max_entries ? doubled : walk->config->max_entries);
  return true;
}

// --- both

bool mt_walk_load(lua_State *L, int index) {
  mt_walk *walk = lua_touserdata(L, index);
  walk->count = walk->position = 0;
  while (walk->count == 0 && !walk->finished) {
    int status = walk->by_key ? load_by_key(walk) : load_batch(walk);
    if (status == -ENOSPC && !walk->by_key && grow(L, index, walk)) continue;
    if (status < 0) mt_map_raise_refusal(L, walk->config, status);
  }
  return walk->count > 0;
}

bool mt_walk_next(lua_State *L, int index, const uint8_t **key, const uint8_t **value) {
  mt_walk *walk = lua_touserdata(L, index);
  if (walk->position == walk->count && !mt_walk_load(L, index)) return false;
  *key = key_at(walk, walk->position);
  *value = value_at(walk, walk->position);
  walk->position++;
  return true;
}
