// Opening and closing a state.
#include <stdio.h>
#include <stdlib.h>

#include "mt_lua_internal.h"

lua_State *mt_lua_state(mt_lua *lua) { return lua->main; }

mt_lua *mt_lua_of(lua_State *L) { return *(mt_lua **)lua_getextraspace(L); }

static int open_libraries(lua_State *L) {
  mt_lua_base_open(L);
  mt_lua_coroutines_open(L);
  mt_lua_files_open(L);
  mt_lua_require_open(L);
  mt_lua_views_open(L);
  mt_lua_maps_open(L);
  mt_lua_emit_open(L);
  return 0;
}

static bool open_state(mt_lua *lua) {
  lua->main = lua_newstate(mt_lua_allocate, lua);
  if (!lua->main) return false;
  lua->running = lua->main;
  *(mt_lua **)lua_getextraspace(lua->main) = lua;
  lua_pushcfunction(lua->main, open_libraries);
  return lua_pcall(lua->main, 0, 0, 0) == LUA_OK && mt_lua_watchdog_open(lua);
}

mt_lua *mt_lua_open(const mt_lua_config *config) {
  mt_lua *lua = calloc(1, sizeof *lua);
  if (!lua) return NULL;
  lua->config = *config;
  lua->interrupt_fd = -1;
  if (open_state(lua)) return lua;
  mt_lua_close(lua);
  return NULL;
}

void mt_lua_close(mt_lua *lua) {
  if (lua->main) lua_close(lua->main);
  if (lua->standard_output) fclose(lua->standard_output);
  mt_lua_watchdog_close(lua);
  mt_output_close(&lua->scratch);
  mt_output_close(&lua->transcript);
  mt_text_free(&lua->failure);
  mt_text_free(&lua->error);
  mt_text_free(&lua->traceback);
  free(lua);
}
