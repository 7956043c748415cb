// The host calling Lua: loading text, protected calls, and the text of what went wrong.
#include <string.h>

#include "mt_lua_internal.h"

static const char memory_cause[] = "not enough memory (the limit is %zu MiB)";

// Whether a C function of Lua's raised the error: those know no place unless Lua code called them directly, as in
// `for i, x in ipairs(nil)`. What a script raises with `error` is as it wants it.
static bool raised_in_library(lua_State *L, const mt_lua *lua) {
  lua_Debug frame;
  if (!lua_getstack(L, 1, &frame) || !lua_getinfo(L, "Sf", &frame)) return false;
  bool library = *frame.what == 'C' && lua_tocfunction(L, -1) != lua->raise_function;
  lua_pop(L, 1);
  return library;
}

// Whether a text begins with `file:line: `.
static bool has_place(const char *text) {
  for (const char *colon = strchr(text, ':'); colon; colon = strchr(colon + 1, ':')) {
    size_t digits = strspn(colon + 1, "0123456789");
    if (digits > 0 && strncmp(colon + 1 + digits, ": ", 2) == 0) return true;
  }
  return false;
}

// Puts the script's place before the message at 1, unless it has one.
static void locate(lua_State *L, const mt_lua *lua) {
  char place[96];
  if (has_place(lua_tostring(L, 1)) || !raised_in_library(L, lua) || !mt_lua_where(L, place, sizeof place)) return;
  lua_pushfstring(L, "%s: %s", place, lua_tostring(L, 1));
  lua_replace(L, 1);
}

// Raised values that are no string get one here, while their metatable can still be asked.
static int message_handler(lua_State *L) {
  mt_lua *lua = mt_lua_of(L);
  if (lua->unwinding) return 1;
  lua->traceback.length = 0;
  mt_lua_append_traceback(L, &lua->traceback);
  if (lua_type(L, 1) == LUA_TSTRING) {
    locate(L, lua);
    return 1;
  }
  if (lua_type(L, 1) == LUA_TNUMBER || luaL_getmetafield(L, 1, "__tostring") != LUA_TNIL) {
    luaL_tolstring(L, 1, NULL);
  } else {
    lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  return 1;
}

static void describe_stop(mt_lua *lua) {
  const char *place = lua->stopped_at;
  if (lua->interrupted) {
    mt_text_format(&lua->error, "%s%sinterrupted", place, *place ? ": " : "");
    return;
  }
  double seconds = (double)lua->config.callback_limit / 1e9;
  mt_text_format(&lua->error, "%s%sran longer than %g s: stopped", place, *place ? ": " : "", seconds);
}

static void describe_memory(mt_lua *lua) {
  const char *place = lua->memory_place;
  mt_text_format(&lua->error, "%s%s", place, *place ? ": " : "");
  mt_text_format(&lua->error, memory_cause, lua->config.memory_limit >> 20);
  lua->traceback.length = 0;
}

static void describe(mt_lua *lua, int status) {
  size_t length = 0;
  const char *text = lua_type(lua->main, -1) == LUA_TSTRING ? lua_tolstring(lua->main, -1, &length) : NULL;
  if (lua->unwinding && lua->exit_requested) {
    mt_text_format(&lua->error, "exit(%d)", lua->exit_code);
  } else if (lua->unwinding) {
    describe_stop(lua);
  } else if (status == LUA_ERRMEM) {
    describe_memory(lua);
  } else if (text) {
    mt_text_append(&lua->error, text, length);
  } else {
    mt_text_format(&lua->error, "(error object is a %s value)", luaL_typename(lua->main, -1));
  }
}

// Takes the error value off the stack and keeps its text.
static void keep_error(mt_lua *lua, int status) {
  lua->error.length = 0;
  describe(lua, status);
  lua->error_message_length = lua->error.length;
  mt_text_append(&lua->error, lua->traceback.bytes, lua->traceback.length);
  lua_pop(lua->main, 1);
  if (status == LUA_ERRMEM) lua_gc(lua->main, LUA_GCCOLLECT);
}

const char *mt_lua_error(const mt_lua *lua, size_t *length) {
  if (length) *length = lua->error.length;
  return lua->error.bytes ? lua->error.bytes : "";
}

size_t mt_lua_error_message_length(const mt_lua *lua) { return lua->error_message_length; }

// A failure that is found before Lua runs: drops `values` from the stack.
static int refuse(mt_lua *lua, int values, const char *cause) {
  lua_pop(lua->main, values);
  lua->error.length = 0;
  mt_text_append(&lua->error, cause, strlen(cause));
  lua->error_message_length = lua->error.length;
  return LUA_ERRRUN;
}

int mt_lua_load(mt_lua *lua, const char *text, size_t length, const char *chunk_name) {
  if (!lua_checkstack(lua->main, 2)) return refuse(lua, 0, "stack overflow");
  lua->traceback.length = 0;
  int status = luaL_loadbufferx(lua->main, text, length, chunk_name, "t");
  if (status != LUA_OK) keep_error(lua, status);
  return status;
}

static bool begin_run(mt_lua *lua) {
  lua->exit_requested = false;
  lua->unwinding = false;
  lua->stop_requested = false;
  lua->interrupted = false;
  lua->memory_place[0] = 0;
  return mt_lua_watchdog_arm(lua);
}

static void end_run(mt_lua *lua) {
  lua->unwinding = false;
  lua->stop_requested = false;
  lua_sethook(lua->main, NULL, 0, 0);
}

static int call_on_main(mt_lua *lua, int arguments, int results) {
  lua_State *outer = lua->running;
  bool in_host = lua->in_host;
  int handler = lua_gettop(lua->main) - arguments;
  lua_pushcfunction(lua->main, message_handler);
  lua_insert(lua->main, handler);
  lua->running = lua->main;
  lua->in_host = false;
  lua->depth++;
  int status = lua_pcall(lua->main, arguments, results, handler);
  lua->depth--;
  lua->in_host = in_host;
  lua->running = outer;
  lua_remove(lua->main, handler);
  return status;
}

int mt_lua_protected(mt_lua *lua, int arguments, int results) {
  bool outermost = lua->depth == 0;
  if (!lua_checkstack(lua->main, 2)) return refuse(lua, arguments + 1, "stack overflow");
  if (outermost && !begin_run(lua)) return refuse(lua, arguments + 1, "the system has no timer for the time limit");
  int status = call_on_main(lua, arguments, results);
  if (outermost) mt_lua_watchdog_disarm(lua);
  if (status != LUA_OK) keep_error(lua, status);
  if (outermost) end_run(lua);
  return status;
}

int mt_lua_call(mt_lua *lua, int arguments, int results) {
  if (lua->depth == 0) lua->callbacks++;
  return mt_lua_protected(lua, arguments, results);
}
