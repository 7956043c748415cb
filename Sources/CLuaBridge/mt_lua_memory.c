// The allocator with a cap.
#include <stdlib.h>

#include "mt_lua_internal.h"

// Lua's memory error has no position and reaches no message handler, so the place is noted here. Reading the call
// chain allocates nothing. Allocations that have no place and follow, to clean up, leave it as it is.
static void *refuse(mt_lua *lua) {
  if (lua->running) mt_lua_where(lua->running, lua->memory_place, sizeof lua->memory_place);
  return NULL;
}

void *mt_lua_allocate(void *context, void *block, size_t old_size, size_t new_size) {
  mt_lua *lua = context;
  if (!block) old_size = 0;  // Lua passes the kind of the new object here
  if (new_size == 0) {
    free(block);
    lua->memory_in_use -= old_size;
    return NULL;
  }
  size_t others = lua->memory_in_use - old_size;
  // Lua counts on shrinking to succeed.
  if (new_size > old_size && (others > lua->config.memory_limit || new_size > lua->config.memory_limit - others)) {
    return refuse(lua);
  }
  void *moved = realloc(block, new_size);
  if (!moved) return new_size <= old_size ? block : refuse(lua);
  lua->memory_in_use = others + new_size;
  return moved;
}

size_t mt_lua_memory_in_use(const mt_lua *lua) { return lua->memory_in_use; }
