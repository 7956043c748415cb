// Aggregated entries of a BPF map as Lua values.
#pragma once
#include "mt_lua_value.h"

typedef struct mt_rows {
  const mt_field *key;   // how a key reads
  const uint8_t *keys;   // `count` keys, `key_stride` bytes apart
  uint32_t key_stride;
  const int64_t *words;  // `word_count` integers for each entry, one entry after the other
  uint32_t word_count;
  uint32_t count;
} mt_rows;

// Pushes a list of lists: key, first word, second word, …  For host functions: false, and nothing pushed, when memory
// is exhausted.
bool mt_lua_push_rows(lua_State *L, const mt_rows *rows);
