// coroutine.resume, wrap and close, which keep track of the coroutine that runs: hooks belong to one coroutine, so
// the time limit must know where to set its own, and a stop must go on in the coroutine that resumed.
#include "mt_lua_internal.h"

// As deep as Lua lets C calls nest. Lua 5.4.4 counts those of a resume, but not those of a close.
enum { CLOSING_LIMIT = 190 };

static lua_State *check_coroutine(lua_State *L) {
  lua_State *coroutine = lua_tothread(L, 1);
  luaL_argexpected(L, coroutine, 1, "coroutine");
  return coroutine;
}

static int resume_tracked(lua_State *L, lua_State *coroutine, int arguments, int *results) {
  mt_lua *lua = mt_lua_of(L);
  lua->running = coroutine;
  int status = lua_resume(coroutine, L, arguments, results);
  lua->running = L;
  if (mt_lua_unwinding(lua)) mt_lua_unwind(L);
  return status;
}

// Moves the arguments in and the results, or the error value, out. Returns how many results, or -1.
static int resume(lua_State *L, lua_State *coroutine, int arguments) {
  int results;
  if (!lua_checkstack(coroutine, arguments)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, coroutine, arguments);
  int status = resume_tracked(L, coroutine, arguments, &results);
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(coroutine, L, 1);
    return -1;
  }
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(coroutine, results);
    lua_pushliteral(L, "too many results to resume");
    return -1;
  }
  lua_xmove(coroutine, L, results);
  return results;
}

static int coroutine_resume(lua_State *L) {
  lua_State *coroutine = check_coroutine(L);
  int results = resume(L, coroutine, lua_gettop(L) - 1);
  lua_pushboolean(L, results >= 0);
  int count = results < 0 ? 1 : results;
  lua_insert(L, -(count + 1));
  return count + 1;
}

// Runs the pending __close metamethods of a coroutine that is suspended or dead. On an error its value is on top of
// the coroutine's stack.
static int close_tracked(lua_State *L, lua_State *coroutine) {
  mt_lua *lua = mt_lua_of(L);
  if (lua->closing_coroutines == CLOSING_LIMIT) return luaL_error(L, "C stack overflow");
  lua->closing_coroutines++;
  lua->running = coroutine;
  int status = lua_resetthread(coroutine);
  lua->running = L;
  lua->closing_coroutines--;
  if (mt_lua_unwinding(lua)) mt_lua_unwind(L);
  return status;
}

static bool is_dead(lua_State *coroutine) {
  lua_Debug frame;
  int status = lua_status(coroutine);
  if (status == LUA_YIELD) return false;
  if (status != LUA_OK) return true;
  return !lua_getstack(coroutine, 0, &frame) && lua_gettop(coroutine) == 0;
}

static bool is_suspended(lua_State *coroutine) {
  lua_Debug frame;
  return lua_status(coroutine) == LUA_YIELD ||
         (lua_status(coroutine) == LUA_OK && !lua_getstack(coroutine, 0, &frame) && lua_gettop(coroutine) > 0);
}

// Whether a stop ended the coroutine; its error value is then the one of mt_lua_unwind. Hooks stay off in it for ever
// (the error came out of one), so its __close metamethods could not be stopped and are not run.
static bool was_stopped(lua_State *coroutine) {
  return lua_status(coroutine) == LUA_ERRRUN && lua_gethook(coroutine) != NULL;
}

static int coroutine_close(lua_State *L) {
  lua_State *coroutine = check_coroutine(L);
  if (coroutine == L || (!is_suspended(coroutine) && !is_dead(coroutine))) {
    return luaL_error(L, "cannot close a %s coroutine", coroutine == L ? "running" : "normal");
  }
  if (was_stopped(coroutine) || close_tracked(L, coroutine) == LUA_OK) {
    lua_pushboolean(L, true);
    return 1;
  }
  lua_pushboolean(L, false);
  lua_xmove(coroutine, L, 1);
  return 2;
}

// Unlike Lua's own, puts no second position before the error's text: the traceback has it.
static int wrapped(lua_State *L) {
  lua_State *coroutine = lua_tothread(L, lua_upvalueindex(1));
  int results = resume(L, coroutine, lua_gettop(L));
  if (results >= 0) return results;
  int status = lua_status(coroutine);
  if (status != LUA_OK && status != LUA_YIELD && !was_stopped(coroutine)) {
    if (close_tracked(L, coroutine) != LUA_OK) lua_xmove(coroutine, L, 1);
  }
  return lua_error(L);
}

static int coroutine_create(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *coroutine = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, coroutine, 1);
  return 1;
}

static int coroutine_wrap(lua_State *L) {
  coroutine_create(L);
  lua_pushcclosure(L, wrapped, 1);
  return 1;
}

void mt_lua_coroutines_open(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"resume", coroutine_resume}, {"close", coroutine_close}, {"create", coroutine_create},
    {"wrap", coroutine_wrap}, {NULL, NULL},
  };
  luaL_requiref(L, LUA_COLIBNAME, luaopen_coroutine, 1);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
