// io and os behind capabilities: each function that reaches outside the process asks the host first, then goes on to
// Lua's own, which it keeps as its first upvalue.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "mt_lua_internal.h"

static void ask(lua_State *L, const char *capability, const char *path) {
  luaL_checkstack(L, 4, NULL);
  lua_pushstring(L, capability);
  lua_pushstring(L, path);
  mt_lua_ask_host(L, MT_LUA_HOST_PERMIT, 2, 0);
}

static int go_on(lua_State *L) { return mt_lua_forward(L, lua_upvalueindex(1)); }

static void ask_to_open(lua_State *L, const char *path, const char *mode) {
  const char *rest = mode + 1;
  bool both = *rest == '+';
  if (both) rest++;
  bool known = *mode && strchr("rwa", *mode) && strspn(rest, "b") == strlen(rest);
  luaL_argcheck(L, known, 2, "invalid mode");
  if (*mode == 'r' || both) ask(L, "fs.read", path);
  if (*mode != 'r' || both) ask(L, "fs.write", path);
}

static int io_open(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  ask_to_open(L, path, luaL_optstring(L, 2, "r"));
  return go_on(L);
}

// Whether Lua's default input is standard input, which may hold anything.
static void ask_for_default_input(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, "_IO_input");
  luaL_Stream *stream = lua_touserdata(L, -1);
  if (stream && stream->f == stdin) ask(L, "fs.read", "/dev/stdin");
  lua_pop(L, 1);
}

// io.lines, io.input: a path, or nothing for the default input.
static int io_of_input(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING) {
    ask(L, "fs.read", lua_tostring(L, 1));
  } else if (lua_isnoneornil(L, 1)) {
    ask_for_default_input(L);
  }
  return go_on(L);
}

static int io_read(lua_State *L) {
  ask_for_default_input(L);
  return go_on(L);
}

static int io_output(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING) ask(L, "fs.write", lua_tostring(L, 1));
  return go_on(L);
}

static int run_command(lua_State *L) {
  ask(L, "exec", luaL_optstring(L, 1, "/bin/sh"));
  return go_on(L);
}

static int make_temporary(lua_State *L) {
  ask(L, "fs.write", P_tmpdir);
  return go_on(L);
}

static int os_remove(lua_State *L) {
  ask(L, "fs.write", luaL_checkstring(L, 1));
  return go_on(L);
}

static int os_rename(lua_State *L) {
  ask(L, "fs.write", luaL_checkstring(L, 1));
  ask(L, "fs.write", luaL_checkstring(L, 2));
  return go_on(L);
}

static int os_exit(lua_State *L) {
  int code = lua_isboolean(L, 1) ? !lua_toboolean(L, 1) : (int)luaL_optinteger(L, 1, 0);
  mt_lua_request_exit(L, code);
  return mt_lua_unwind(L);
}

// --- standard output: a stdio stream in front of the same buffer that print writes to, so that their order stays.

static ssize_t write_output(void *context, const char *bytes, size_t length) {
  mt_lua *lua = context;
  mt_lua_keep(lua, bytes, length);
  mt_output_append(lua->config.output, bytes, length);
  return (ssize_t)length;
}

static int refuse_close(lua_State *L) {
  luaL_Stream *stream = lua_touserdata(L, 1);
  stream->closef = refuse_close;  // Lua has cleared it
  lua_pushnil(L);
  lua_pushliteral(L, "cannot close standard file");
  return 2;
}

// Leaves the stream on the stack.
static void push_standard_output(lua_State *L) {
  mt_lua *lua = mt_lua_of(L);
  luaL_Stream *stream = lua_newuserdatauv(L, sizeof *stream, 0);
  stream->closef = NULL;
  luaL_setmetatable(L, LUA_FILEHANDLE);
  FILE *file = fopencookie(lua, "w", (cookie_io_functions_t){.write = write_output});
  if (!file) luaL_error(L, "not enough memory");
  setvbuf(file, NULL, _IONBF, 0);
  lua->standard_output = file;
  stream->f = file;
  stream->closef = refuse_close;
}

// Upvalue 1: Lua's flush, of the default output or of a file.
static int flush(lua_State *L) {
  mt_output_flush(mt_lua_of(L)->config.output);
  return go_on(L);
}

// io[key] for keys it has not: io.stdin, upvalue 1, for those who may read it.
static int io_index(lua_State *L) {
  if (lua_type(L, 2) != LUA_TSTRING || strcmp(lua_tostring(L, 2), "stdin") != 0) return 0;
  ask(L, "fs.read", "/dev/stdin");
  lua_pushvalue(L, lua_upvalueindex(1));
  return 1;
}

static void wrap_all(lua_State *L, const luaL_Reg *functions) {
  for (; functions->name; functions++) mt_lua_wrap_field(L, functions->name, functions->func);
}

// Stack: io.
static void hide_standard_input(lua_State *L) {
  lua_createtable(L, 0, 2);
  lua_getfield(L, -2, "stdin");
  lua_pushcclosure(L, io_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_pushnil(L);
  lua_setfield(L, -2, "stdin");
}

// Scripts must not reach the metatable of files: it has a finalizer.
static void protect_files(lua_State *L) {
  luaL_getmetatable(L, LUA_FILEHANDLE);
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
  lua_getfield(L, -1, "__index");
  mt_lua_wrap_field(L, "flush", flush);
  lua_pop(L, 2);
}

static void open_io(lua_State *L) {
  static const luaL_Reg gates[] = {
    {"open", io_open}, {"lines", io_of_input}, {"input", io_of_input}, {"read", io_read}, {"output", io_output},
    {"popen", run_command}, {"tmpfile", make_temporary}, {"flush", flush}, {NULL, NULL},
  };
  luaL_requiref(L, LUA_IOLIBNAME, luaopen_io, 1);
  wrap_all(L, gates);
  push_standard_output(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, "_IO_output");
  lua_setfield(L, -2, "stdout");
  hide_standard_input(L);
  protect_files(L);
  lua_pop(L, 1);
}

void mt_lua_files_open(lua_State *L) {
  static const luaL_Reg gates[] = {
    {"execute", run_command}, {"remove", os_remove}, {"rename", os_rename}, {"tmpname", make_temporary},
    {"exit", os_exit}, {NULL, NULL},
  };
  open_io(L);
  luaL_requiref(L, LUA_OSLIBNAME, luaopen_os, 1);
  wrap_all(L, gates);
  lua_pushnil(L);
  lua_setfield(L, -2, "setlocale");  // it would change how numbers are written everywhere
  lua_pop(L, 1);
}
