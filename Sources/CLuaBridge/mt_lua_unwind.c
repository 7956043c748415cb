// Ending the run in progress so that nothing in Lua can catch it: for exit() and for the time limit.
//
// The error is raised by a hook before every further instruction and call, so that a pcall that catches it gets no
// further. Hooks belong to one coroutine; mt_lua_coroutine.c raises anew in the coroutine that resumed.
#include "mt_lua_internal.h"

bool mt_lua_unwinding(const mt_lua *lua) { return lua->unwinding || lua->stop_requested; }

// Only the innermost place counts; what is raised while unwinding outward is the same stop.
static void note_stop(lua_State *L, mt_lua *lua) {
  if (lua->unwinding) return;
  lua->unwinding = true;
  lua->stopped_at[0] = 0;
  mt_lua_where(L, lua->stopped_at, sizeof lua->stopped_at);
  lua->traceback.length = 0;
  mt_lua_append_traceback(L, &lua->traceback);
}

int mt_lua_unwind(lua_State *L) {
  note_stop(L, mt_lua_of(L));
  mt_lua_set_kill_hook(L);
  lua_pushboolean(L, false);  // needs no memory; the outermost call has the text
  return lua_error(L);
}

static void kill_hook(lua_State *L, lua_Debug *event) {
  (void)event;
  if (mt_lua_unwinding(mt_lua_of(L))) {
    mt_lua_unwind(L);
  } else {
    lua_sethook(L, NULL, 0, 0);  // left over in a coroutine that yielded just as an earlier run was stopped
  }
}

void mt_lua_set_kill_hook(lua_State *L) {
  lua_sethook(L, kill_hook, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

void mt_lua_request_exit(lua_State *L, int code) {
  mt_lua *lua = mt_lua_of(L);
  lua->exit_code = code;
  lua->exit_requested = true;
  lua->unwinding = true;
  lua->traceback.length = 0;
}

bool mt_lua_exit_requested(const mt_lua *lua, int *code) {
  if (lua->exit_requested) *code = lua->exit_code;
  return lua->exit_requested;
}
