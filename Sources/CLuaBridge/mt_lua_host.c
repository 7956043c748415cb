// Lua calling the host, which never raises: it returns a status and the trampoline here raises.
#include "mt_lua_internal.h"

void mt_lua_fail(lua_State *L, const char *message, size_t length, bool located) {
  mt_lua *lua = mt_lua_of(L);
  lua->failure.length = 0;
  lua->failure_located = located;
  mt_text_append(&lua->failure, message, length);
}

static int raise_failure(lua_State *L, mt_lua *lua) {
  char place[96];
  luaL_checkstack(L, 3, NULL);
  bool prefixed = !lua->failure_located && mt_lua_where(L, place, sizeof place);
  if (prefixed) lua_pushfstring(L, "%s: ", place);
  lua_pushlstring(L, lua->failure.bytes ? lua->failure.bytes : "", lua->failure.length);
  if (prefixed) lua_concat(L, 2);
  return lua_error(L);
}

bool mt_lua_enter_host(mt_lua *lua, bool always) {
  bool nested = lua->in_host;
  if (!nested) lua->host_since = always ? 0 : mt_lua_now();
  lua->in_host = true;
  return nested;
}

void mt_lua_leave_host(mt_lua *lua, bool nested) { lua->in_host = nested; }

static int call_host(lua_State *L, uint32_t function) {
  mt_lua *lua = mt_lua_of(L);
  bool nested = mt_lua_enter_host(lua, false);
  lua->failure.length = 0;
  int results = lua->config.host(lua->config.context, function, L, lua_gettop(L));
  mt_lua_leave_host(lua, nested);
  if (mt_lua_unwinding(lua)) return mt_lua_unwind(L);
  return results < 0 ? raise_failure(L, lua) : results;
}

int mt_lua_host_call(lua_State *L) {
  return call_host(L, (uint32_t)lua_tointeger(L, lua_upvalueindex(1)));
}

void mt_lua_ask_host(lua_State *L, uint32_t function, int arguments, int results) {
  lua_pushinteger(L, function);
  lua_pushcclosure(L, mt_lua_host_call, 1);
  lua_insert(L, -(arguments + 1));
  lua_call(L, arguments, results);
}
