// What the files about maps share. All functions may raise.
#pragma once
#include "mt_lua_internal.h"

typedef struct mt_map {
  const mt_map_config *config;
  mt_map_config inner;  // of an inner map: what `config` points to
  bool owned;           // `inner` is open and to be closed
} mt_map;

// Space for one key or value: in the C frame when it fits, otherwise a userdata pushed on the stack.
typedef struct mt_map_scratch {
  uint64_t local[128];
} mt_map_scratch;
uint8_t *mt_map_space(lua_State *L, mt_map_scratch *scratch, size_t size);

// --- mt_lua_map.c
// The map at `index`, or an error naming `method`.
mt_map *mt_map_at(lua_State *L, int index, const char *method);
// Pushes a map value for `config`, or for the inner map `id` of `outer` (nil when it is gone).
void mt_map_push(lua_State *L, const mt_map_config *config);
void mt_map_push_inner(lua_State *L, const mt_map_config *outer, uint32_t id);

// --- mt_lua_map_entry.c: keys, values and refusals
// Raises unless the map is loaded and its shape can be read; then also unless it may be written.
void mt_map_check_readable(lua_State *L, const mt_map_config *config);
void mt_map_check_writable(lua_State *L, const mt_map_config *config);
// `map 'name' (hash, …)`, for tostring and messages.
const char *mt_map_describe(lua_State *L, const mt_map_config *config);
// Bytes that the kernel reads or writes for one value: all CPUs' values of a per-CPU map.
size_t mt_map_value_bytes(const mt_map_config *config);
// Writes the Lua value at `index` as a key or value; `bytes` has room for one.
void mt_map_read_key(lua_State *L, int index, const mt_map_config *config, void *bytes);
void mt_map_read_value(lua_State *L, int index, const mt_map_config *config, void *bytes);
void mt_map_push_key(lua_State *L, const mt_map_config *config, const void *bytes);
void mt_map_push_value(lua_State *L, const mt_map_config *config, const void *bytes);
// Raises what the negative errno `status` of an operation means for the map.
int mt_map_raise_refusal(lua_State *L, const mt_map_config *config, int status);

// --- mt_lua_map_methods.c and mt_lua_map_pairs.c
int mt_map_push_method(lua_State *L);
int mt_map_pop_method(lua_State *L);
int mt_map_peek_method(lua_State *L);
int mt_map_clear_method(lua_State *L);
int mt_map_drain_method(lua_State *L);
int mt_map_pairs(lua_State *L);
int mt_map_length(lua_State *L);
