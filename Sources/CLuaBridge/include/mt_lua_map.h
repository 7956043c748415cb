// BPF maps as Lua values.
#pragma once
#include "mt_lua.h"

typedef enum mt_map_shape {
  MT_MAP_HASH,      // also LRU: absent keys read nil, assigning nil deletes
  MT_MAP_ARRAY,     // every index from 0 to max_entries - 1 always exists; assigning nil writes zeros
  MT_MAP_LPM_TRIE,  // a hash whose pairs() follow the kernel's order; no batches on some kernels
  MT_MAP_QUEUE,     // m:push(v), m:pop(), m:peek(); stacks too
  MT_MAP_STACKS,    // m[id] is a list of addresses
  MT_MAP_OF_MAPS,   // m[k] is the inner map, for reading
  MT_MAP_OPAQUE,    // known, but with nothing to read or write from here
} mt_map_shape;

typedef struct mt_map_config mt_map_config;

// What the kernel side offers; each returns 0 or a negative errno. Provided by the loader.
typedef struct mt_map_operations {
  int (*lookup)(int fd, const void *key, void *value);
  int (*update)(int fd, const void *key, const void *value);
  int (*remove)(int fd, const void *key);
  int (*next_key)(int fd, const void *key, void *next);
  int (*take)(int fd, const void *key, void *value);  // lookup and delete
  // Reads up to *count entries into keys and values, from *cursor (NULL in: the start) to out cursor; *count becomes
  // how many came; -ENOENT with the last ones. `take`: also deletes them. -EINVAL, -ENOTSUP or -ENOTSUPP (524) when the
  // map offers no batches. NULL: never offered. Cursors have max(8, key_size) bytes. A value of a
  // per-CPU map is cpus × (value_size rounded up to 8) bytes, here and in lookup, update and take.
  int (*batch)(int fd, bool take, const void *in, void *out, void *keys, void *values, uint32_t *count);
  // Opens inner map `id` (the value that a lookup in a map of maps gives) into `config`; the Lua value then owns the
  // descriptor and closes it with `close_inner`.
  int (*open_inner)(uint32_t id, mt_map_config *config);
  void (*close_inner)(mt_map_config *config);
} mt_map_operations;

struct mt_map_config {
  const char *name;
  int fd;                     // -1 until the object is loaded: using the map then is an error that says so
  mt_map_shape shape;
  bool per_cpu;               // values are lists with one entry per possible CPU
  bool read_only;             // the sandbox or the kernel forbids writing
  uint32_t cpus;              // possible CPUs
  uint32_t key_size, value_size, max_entries;
  const mt_field *key;        // offset 0; NULL: raw bytes as a string
  const mt_field *value;
  const mt_map_operations *operations;
  void *owner;                // for close_inner
};

// Pushes a map value. The config is read through the pointer at each use, so the host may fill in `fd` after loading;
// it and what it points to outlive the state. False when memory is exhausted.
//   m[k]  m[k] = v  m[k] = nil  pairs(m)  #m  m:get(k)  m:set(k, v)  m:clear()  m:name()
//   m:drain()                     a list of {key, value}, read and emptied; of a queue or stack, a list of values
//   m:push(v)  m:pop()  m:peek()  queues and stacks; nil when empty
//
// Keys that are structs are given as tables by member name or, in declaration order, as lists. Where keys are strings,
// the names of methods are taken: m:get("name") and m:set("name", v) reach any key. Assigning nil to an
// array's index writes zeros; draining an array reads and zeroes index by index, so that what the kernel adds between
// the two is lost. A negative index into a stack map, which is how the kernel tells that it has no stack, reads nil.
//
// While pairs(), # and drain() walk a map that changes, an entry may come twice or be missed, as in the kernel itself;
// a walk ends after about 4 × max_entries + 64 entries, so a map that changes without end can't hold it.
bool mt_lua_push_map(lua_State *L, const mt_map_config *config);
