// require: the modules that the host carries, and Lua's own libraries by name.
#include "mt_lua_internal.h"

// Stack: name. Leaves the chunk's function, or raises.
static void load_module(lua_State *L) {
  lua_pushvalue(L, 1);
  mt_lua_ask_host(L, MT_LUA_HOST_MODULE, 1, 2);
  if (lua_type(L, -2) != LUA_TSTRING) {
    mt_lua_raise(
      L, "there is no module '%s': require knows moontrace's own modules only; put other code into the script",
      lua_tostring(L, 1));
  }
  size_t length;
  const char *text = lua_tolstring(L, -2, &length);
  const char *chunk_name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : lua_tostring(L, 1);
  if (luaL_loadbufferx(L, text, length, chunk_name, "t") != LUA_OK) lua_error(L);
}

static int require(lua_State *L) {
  luaL_checkstring(L, 1);
  lua_settop(L, 1);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushvalue(L, 1);
  if (lua_rawget(L, 2) != LUA_TNIL) return 1;
  load_module(L);
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  if (lua_isnil(L, -1)) lua_pushboolean(L, true);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, -2);
  lua_rawset(L, 2);
  return 1;
}

void mt_lua_require_open(lua_State *L) {
  lua_pushcfunction(L, require);
  lua_setglobal(L, "require");
}
