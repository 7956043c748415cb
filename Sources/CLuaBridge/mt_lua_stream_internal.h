// What draining a stream and looking at its records share.
#pragma once
#include "mt_lua_value_internal.h"

// How the commonest fields are read without looking at the plan.
typedef enum mt_access { MT_ACCESS_PLAN, MT_ACCESS_I32, MT_ACCESS_U32, MT_ACCESS_64 } mt_access;

// A field found by the address of its name: short strings are interned by Lua, so equal names are one object.
typedef struct mt_name_slot {
  const char *name;       // NULL: a free slot
  const mt_field *field;  // NULL: the method `copy`
  mt_access access;
  uint32_t offset, end;   // of the field's bytes in the record
} mt_name_slot;

struct mt_lua_stream {
  mt_lua *lua;
  const mt_plan *plan;
  mt_name_slot *slots;  // open addressing with a free slot at least
  uint32_t slot_mask;
  int names;     // registry reference: keeps the interned names where they are
  int handlers;  // registry reference: list of functions
  uint32_t handler_count;
  uint32_t draining;  // drains under way
  bool closed;        // to be freed when the last of them ends
};

// Calls `handlers` functions, from stack place `first` on, with a view of the record. May raise.
void mt_stream_call(
    lua_State *L, mt_lua_stream *stream, int first, int handlers, bool outermost, const void *data, uint32_t size);

// Lua's objects stand at multiples of 16, so the low bits say nothing.
static inline uint32_t mt_name_hash(const char *name) {
  return (uint32_t)(((uintptr_t)name >> 4) * 0x9E3779B97F4A7C15u >> 40);
}

// What `name`, the address of a Lua string, stands for in the stream's records; NULL: nothing by this address.
static inline const mt_name_slot *mt_stream_slot(const mt_lua_stream *stream, const char *name) {
  uint32_t i = mt_name_hash(name) & stream->slot_mask;
  while (stream->slots[i].name) {
    if (stream->slots[i].name == name) return &stream->slots[i];
    i = (i + 1) & stream->slot_mask;
  }
  return NULL;
}
