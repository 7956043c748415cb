// Keys and values of maps between Lua and the kernel's bytes, and what the kernel's refusals mean.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mt_lua_map_internal.h"

static mt_field index_field(uint32_t size) { return (mt_field){.name = "", .kind = MT_UNSIGNED, .size = size}; }

static mt_field bytes_field(uint32_t size) { return (mt_field){.name = "", .kind = MT_BYTES, .size = size}; }

static bool is_indexed(const mt_map_config *config) {
  return config->shape == MT_MAP_ARRAY || config->shape == MT_MAP_STACKS;
}

// A reading that is larger than the kernel's entry can't be right: such keys and values stay bytes.
static mt_field key_field(const mt_map_config *config) {
  if (config->key && config->key->size <= config->key_size) return *config->key;
  return is_indexed(config) ? index_field(config->key_size) : bytes_field(config->key_size);
}

static mt_field value_field(const mt_map_config *config) {
  if (config->value && config->value->size <= config->value_size) return *config->value;
  return bytes_field(config->value_size);
}

// The kernel lays the values of CPUs out at multiples of 8 bytes.
static size_t cpu_stride(const mt_map_config *config) { return ((size_t)config->value_size + 7) & ~(size_t)7; }

size_t mt_map_value_bytes(const mt_map_config *config) {
  return config->per_cpu ? config->cpus * cpu_stride(config) : config->value_size;
}

// --- naming and refusing

static const char *shape_name(mt_map_shape shape) {
  switch (shape) {
    case MT_MAP_HASH: return "hash";
    case MT_MAP_ARRAY: return "array";
    case MT_MAP_LPM_TRIE: return "LPM trie";
    case MT_MAP_QUEUE: return "queue or stack";
    case MT_MAP_STACKS: return "stack traces";
    case MT_MAP_OF_MAPS: return "map of maps";
    case MT_MAP_OPAQUE: return "opaque";
  }
  return "unknown";
}

const char *mt_map_describe(lua_State *L, const mt_map_config *config) {
  char text[160];
  snprintf(
      text, sizeof text, "(%s%s, keys of %u bytes, values of %u bytes, max_entries %u)",
      config->per_cpu ? "per-CPU " : "", shape_name(config->shape), config->key_size, config->value_size,
      config->max_entries);
  return lua_pushfstring(L, "map '%s' %s", config->name, text);
}

void mt_map_check_readable(lua_State *L, const mt_map_config *config) {
  if (config->shape == MT_MAP_OPAQUE)
    mt_lua_raise(L, "map '%s': maps of its type hold nothing that Lua can read or write", config->name);
  if (config->fd < 0)
    mt_lua_raise(L, "map '%s' is not loaded yet: call o:load() or o:attach() first", config->name);
}

void mt_map_check_writable(lua_State *L, const mt_map_config *config) {
  mt_map_check_readable(L, config);
  if (config->shape == MT_MAP_OF_MAPS)
    mt_lua_raise(L, "map '%s' is read-only: the inner maps are set in its C definition", config->name);
  if (config->read_only)
    mt_lua_raise(L, "map '%s' is read-only: it can be read but not changed from Lua", config->name);
}

static int raise_other(lua_State *L, const mt_map_config *config, int status) {
  return mt_lua_raise(L, "map '%s': refused by the kernel: %s", config->name, strerror(-status));
}

int mt_map_raise_refusal(lua_State *L, const mt_map_config *config, int status) {
  switch (-status) {
    case E2BIG:
    case ENOSPC:
      return mt_lua_raise(
          L, "map '%s': full (max_entries is %d): delete entries, raise max_entries or use an LRU map", config->name,
          (int)config->max_entries);
    case EPERM:
    case EACCES:
      return mt_lua_raise(
          L, "map '%s': not permitted: run as root or with CAP_BPF; a frozen map can't be written", config->name);
    case EINVAL:
      if (config->shape == MT_MAP_LPM_TRIE)
        return mt_lua_raise(
            L, "map '%s': refused by the kernel: the key's prefix length is from 0 to %d bits", config->name,
            (int)(config->key_size - 4) * 8);
      return raise_other(L, config, status);
    case EEXIST: return mt_lua_raise(L, "map '%s': the key exists already: delete it first", config->name);
    default: return raise_other(L, config, status);
  }
}

// --- keys

void mt_map_read_key(lua_State *L, int index, const mt_map_config *config, void *bytes) {
  char problem[256];
  mt_field field = key_field(config);
  memset(bytes, 0, config->key_size);
  if (!mt_lua_read_value(L, index, &field, bytes, problem, sizeof problem))
    mt_lua_raise(L, "map '%s': key: %s", config->name, problem);
}

void mt_map_push_key(lua_State *L, const mt_map_config *config, const void *bytes) {
  mt_field field = key_field(config);
  mt_lua_push_value(L, &field, bytes, config->key_size);
}

// --- values

static int refuse_value(lua_State *L, const mt_map_config *config, const char *problem) {
  return mt_lua_raise(L, "map '%s': value: %s", config->name, problem);
}

// The CPU that the key on the stack under the top names in a list of values.
static lua_Integer check_cpu(lua_State *L, const mt_map_config *config) {
  lua_Integer position = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
  if (position >= 1 && position <= (lua_Integer)config->cpus) return position - 1;
  char problem[96];
  snprintf(problem, sizeof problem, "expected a list of at most %u values, one per CPU", config->cpus);
  refuse_value(L, config, problem);
  return 0;
}

static void read_per_cpu(lua_State *L, int index, const mt_map_config *config, uint8_t *bytes) {
  char problem[256];
  mt_field field = value_field(config);
  if (!lua_istable(L, index)) refuse_value(L, config, "expected a list with one value per CPU");
  memset(bytes, 0, mt_map_value_bytes(config));
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_Integer cpu = check_cpu(L, config);
    if (!mt_lua_read_value(L, -1, &field, bytes + (size_t)cpu * cpu_stride(config), problem, sizeof problem))
      mt_lua_raise(L, "map '%s': value of CPU %d: %s", config->name, (int)cpu, problem);
    lua_pop(L, 1);
  }
}

void mt_map_read_value(lua_State *L, int index, const mt_map_config *config, void *bytes) {
  index = lua_absindex(L, index);
  if (config->per_cpu) {
    read_per_cpu(L, index, config, bytes);
    return;
  }
  char problem[256];
  mt_field field = value_field(config);
  memset(bytes, 0, config->value_size);
  if (!mt_lua_read_value(L, index, &field, bytes, problem, sizeof problem)) refuse_value(L, config, problem);
}

static void push_per_cpu(lua_State *L, const mt_map_config *config, const uint8_t *bytes) {
  mt_field field = value_field(config);
  lua_createtable(L, (int)config->cpus, 0);
  for (uint32_t cpu = 0; cpu < config->cpus; cpu++) {
    mt_lua_push_value(L, &field, bytes + cpu * cpu_stride(config), config->value_size);
    lua_rawseti(L, -2, (lua_Integer)cpu + 1);
  }
}

static void push_stack(lua_State *L, const mt_map_config *config, const uint8_t *bytes) {
  lua_newtable(L);
  for (uint32_t i = 0; i < config->value_size / 8; i++) {
    uint64_t address;
    memcpy(&address, bytes + (size_t)i * 8, sizeof address);
    if (address == 0) return;
    lua_pushinteger(L, (lua_Integer)address);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void push_inner(lua_State *L, const mt_map_config *config, const void *bytes) {
  uint32_t id;
  memcpy(&id, bytes, sizeof id);
  mt_map_push_inner(L, config, id);
}

void mt_map_push_value(lua_State *L, const mt_map_config *config, const void *bytes) {
  mt_field field = value_field(config);
  if (config->shape == MT_MAP_STACKS)
    push_stack(L, config, bytes);
  else if (config->shape == MT_MAP_OF_MAPS)
    push_inner(L, config, bytes);
  else if (config->per_cpu)
    push_per_cpu(L, config, bytes);
  else
    mt_lua_push_value(L, &field, bytes, config->value_size);
}
