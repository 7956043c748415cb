// What tests of the Lua bridge need in C: a state with test functions, records and plans made by hand, a source that is
// a list of records, and a BPF map in memory that can misbehave the ways the kernel does.
#pragma once
#include "CEventCore.h"
#include "CLuaBridge.h"

// --- a state

// A state with these globals besides the sandbox's: json(v); pack(type, v), the bytes in hexadecimal or nil and the
// problem; unpack(type, hex). Types are listed in mt_test_type.
mt_lua *mt_test_open(size_t memory_limit, uint64_t callback_limit);
// Runs `text` as chunk "test". Its first result as text, or "error: " and the first line of the error; free() it.
char *mt_test_eval(mt_lua *lua, const char *text);
// The global `name` = a function that drains `source` into `stream` and returns how many were delivered.
void mt_test_set_drain(mt_lua *lua, const char *name, mt_lua_stream *stream, mt_source *source);
// The global `name` = a function that closes `stream`.
void mt_test_set_close(mt_lua *lua, const char *name, mt_lua_stream *stream);
// Adds the function that `text` evaluates to as a handler.
bool mt_test_add_handler(mt_lua *lua, mt_lua_stream *stream, const char *text);

// --- records

typedef struct mt_test_event {
  uint32_t pid;
  int32_t ret;
  uint64_t at;
  char comm[16];
  uint64_t address;
  uint32_t kind;  // 0 OPEN, 1 CLOSE
  uint32_t unused;
  double ratio;
  uint64_t reserved;
} mt_test_event;

// All fields but the padding ones: 7 fields in 64 bytes.
const mt_plan *mt_test_event_plan(void);
// "u8" … "s64", "bool", "float", "double", "enum", "pointer", "text8", "bytes4", "list" (u16[3]), "endpoint" (a struct
// of u32 address, u16 port and char[8] host), "packet" (bit-fields version:4, flags:3 signed; endpoints[2]; u16 tail[]).
const mt_field *mt_test_type(const char *name);

typedef struct mt_test_source {
  mt_source source;
  mt_test_event event;  // the record that is handed out, with `pid` counting up from 1
  uint32_t size;        // bytes of it that are there
  uint64_t remaining;
} mt_test_source;

mt_test_source *mt_test_source_open(uint64_t count);
mt_source *mt_test_source_base(mt_test_source *source);

// --- maps

typedef enum mt_test_batches { MT_TEST_NO_BATCHES, MT_TEST_BATCHES, MT_TEST_INTERRUPTED_BATCHES } mt_test_batches;

typedef struct mt_test_map {
  mt_map_config config;
  mt_test_batches batches;
  uint32_t bucket;        // slots that a batch gives only together
  bool take_unsupported;  // no "lookup and delete"
  bool endless;           // the walk starts over instead of ending
  uint32_t vanishing;     // so many keys vanish just before they are read
  int failure;            // each operation answers this, if not 0
  uint32_t batch_calls, key_calls;
  uint8_t *used;  // by slot
  uint8_t *keys, *values;
} mt_test_map;

// A map in memory; key and value types by name, NULL: bytes of that size. Its descriptor is a number of its own.
mt_test_map *mt_test_map_open(
    const char *name, mt_map_shape shape, uint32_t cpus, const char *key, const char *value, uint32_t max_entries);
void mt_test_map_close(mt_test_map *map);
// The global `name` = the map's Lua value.
void mt_test_set_map(mt_lua *lua, const char *name, const mt_test_map *map);
// Inner maps that this thread has open now, and how many it may have.
int mt_test_open_inner_maps(void);
enum { MT_TEST_MOST_INNER_MAPS = 16 };
