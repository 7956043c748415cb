// Walking all entries of a map: in batches where the kernel offers them, otherwise from key to key.
#pragma once
#include "mt_lua_map_internal.h"

typedef enum mt_walk_mode {
  MT_WALK_READ,   // keys and values
  MT_WALK_COUNT,  // entries only; keys and values need not be there
  MT_WALK_TAKE,   // keys and values, deleted as they are read; not for arrays
} mt_walk_mode;

typedef struct mt_walk {
  const mt_map_config *config;
  mt_walk_mode mode;
  bool by_key;            // the map offers no batches
  bool begun, finished;   // a position is known; nothing is left to load
  uint64_t budget;        // entries that may still be visited, so that a changing map can't hold the walk
  uint32_t capacity;      // entries that the buffers hold
  uint32_t count;         // of them loaded
  uint32_t position;      // of the next one to hand out
  size_t value_bytes;
  uint8_t *keys, *values;
  uint8_t *cursor, *next_cursor;  // batches: the kernel's place in the map; key by key: the key to visit next
} mt_walk;

// Pushes a walk as a userdata, which owns all memory that it uses. May raise.
mt_walk *mt_walk_push(lua_State *L, const mt_map_config *config, mt_walk_mode mode);
// Loads the next entries into the buffers of the walk at `index`; false when there are none. May raise.
bool mt_walk_load(lua_State *L, int index);
// The place of the next entry in the buffers; false at the end. May raise.
bool mt_walk_next(lua_State *L, int index, const uint8_t **key, const uint8_t **value);
// Whether `status` says that the map does not offer the operation.
bool mt_walk_not_offered(int status);
