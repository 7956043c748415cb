// The libraries that a script has without any capability: base, string, table, math, utf8 and debug.traceback.
#include <string.h>
#include <unistd.h>

#include "mt_lua_internal.h"

void mt_lua_wrap_field(lua_State *L, const char *name, lua_CFunction function) {
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, function, 1);
  lua_setfield(L, -2, name);
}

int mt_lua_forward(lua_State *L, int function) {
  int arguments = lua_gettop(L);
  lua_pushvalue(L, function);
  lua_insert(L, 1);
  if (lua_pcall(L, arguments, LUA_MULTRET, 0) == LUA_OK) return lua_gettop(L);
  if (mt_lua_unwinding(mt_lua_of(L))) return mt_lua_unwind(L);
  if (lua_type(L, -1) != LUA_TSTRING) return lua_error(L);
  return mt_lua_raise(L, "%s", lua_tostring(L, -1));
}

static bool begins_json(mt_lua *lua) {
  if (lua->config.format != MT_FORMAT_JSON) return false;
  mt_output_append(lua->config.output, "{\"print\":", 9);
  return true;
}

// The text on top goes out. Among JSON lines it becomes one, without the newline that ends it, so that every line
// parses; among CSV rows it goes to stderr.
void mt_lua_print_top(lua_State *L) {
  mt_lua *lua = mt_lua_of(L);
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  mt_lua_keep(lua, text, length);
  if (begins_json(lua)) {
    mt_output_json_string(lua->config.output, text, length > 0 && text[length - 1] == '\n' ? length - 1 : length);
    mt_output_append(lua->config.output, "}\n", 2);
  } else if (lua->config.format == MT_FORMAT_CSV) {
    mt_output_aside(lua->config.output, text, length);
  } else {
    mt_output_append(lua->config.output, text, length);
  }
}

static int print(lua_State *L) {
  int count = lua_gettop(L);
  luaL_Buffer line;
  luaL_buffinit(L, &line);
  for (int i = 1; i <= count; i++) {
    if (i > 1) luaL_addchar(&line, '\t');
    luaL_tolstring(L, i, NULL);
    luaL_addvalue(&line);
  }
  luaL_addchar(&line, '\n');
  luaL_pushresult(&line);
  mt_lua_print_top(L);
  return 0;
}

// Upvalue 1: string.format, whose complaints name it.
static int printf_format(lua_State *L) {
  int arguments = lua_gettop(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  if (lua_pcall(L, arguments, 1, 0) == LUA_OK) {
    mt_lua_print_top(L);
    return 0;
  }
  if (mt_lua_unwinding(mt_lua_of(L))) return mt_lua_unwind(L);
  if (lua_type(L, -1) != LUA_TSTRING) return lua_error(L);
  return mt_lua_raise(L, "%s", luaL_gsub(L, lua_tostring(L, -1), "'string.format'", "'printf'"));
}

// Upvalue 1: Lua's load. Text only: crafted bytecode can crash the interpreter.
static int load_text(lua_State *L) {
  if (lua_gettop(L) < 3) lua_settop(L, 3);
  lua_pushliteral(L, "t");
  lua_replace(L, 3);
  return mt_lua_forward(L, lua_upvalueindex(1));
}

// Finalizers would run script code at any allocation, also inside host functions, and with hooks off, so that the time
// limit could not stop them. Lua looks for __gc when the metatable is set, and never again.
static void refuse_finalizer(lua_State *L) {
  lua_pushliteral(L, "__gc");
  if (lua_rawget(L, 2) != LUA_TNIL) {
    mt_lua_raise(L, "scripts have no finalizers (__gc): use a variable with __close, or at_exit");
  }
  lua_pop(L, 1);
}

static int set_metatable(lua_State *L) {
  int type = lua_type(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (type == LUA_TTABLE) refuse_finalizer(L);
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) return luaL_error(L, "cannot change a protected metatable");
  lua_settop(L, 2);
  lua_setmetatable(L, 1);
  return 1;
}

// The message handler that xpcall is given. Upvalue 1: the script's. A stop is raised by a hook, and hooks are off in
// what handles its error, so the script's handler must not be called then.
static int handle_error(lua_State *L) {
  if (mt_lua_unwinding(mt_lua_of(L))) return 1;
  int arguments = lua_gettop(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, arguments, LUA_MULTRET);
  return lua_gettop(L);
}

// Stack at the end: function, handler, true, results; or those and the handled error.
static int finish_xpcall(lua_State *L, int status, lua_KContext below) {
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - (int)below;
  lua_pushboolean(L, false);
  lua_pushvalue(L, -2);
  return 2;
}

static int xpcall_stoppable(lua_State *L) {
  int count = lua_gettop(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, handle_error, 1);
  lua_replace(L, 2);
  lua_pushboolean(L, true);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2);
  return finish_xpcall(L, lua_pcallk(L, count - 2, LUA_MULTRET, 2, 2, finish_xpcall), 2);
}

static void warn(void *context, const char *message, int more) {
  mt_lua *lua = context;
  if (*message == '@') {
    if (strcmp(message, "@on") == 0) lua->warnings = true;
    if (strcmp(message, "@off") == 0) lua->warnings = false;
    return;
  }
  if (!lua->warnings) return;
  size_t length = strlen(message);
  mt_output_aside(lua->config.output, message, length);
  if (!more) mt_output_aside(lua->config.output, "\n", 1);
}

static void remove_field(lua_State *L, const char *name) {
  lua_pushnil(L);
  lua_setfield(L, -2, name);
}

static void open_base(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"print", print}, {"setmetatable", set_metatable}, {"xpcall", xpcall_stoppable}, {NULL, NULL},
  };
  luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
  lua_getfield(L, -1, "error");
  mt_lua_of(L)->raise_function = lua_tocfunction(L, -1);
  lua_pop(L, 1);
  remove_field(L, "dofile");
  remove_field(L, "loadfile");
  mt_lua_wrap_field(L, "load", load_text);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
  lua_setwarnf(L, warn, mt_lua_of(L));
}

static char format_key;  // registry: Lua's own string.format

void mt_lua_push_format(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &format_key); }

static void open_string(lua_State *L) {
  luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 1);
  remove_field(L, "dump");
  lua_getfield(L, -1, "format");
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &format_key);
  lua_pushcclosure(L, printf_format, 1);
  lua_setglobal(L, "printf");
  lua_pop(L, 1);
}

static void open_traceback(lua_State *L) {
  lua_createtable(L, 0, 1);
  luaopen_debug(L);
  lua_getfield(L, -1, "traceback");
  lua_setfield(L, -3, "traceback");
  lua_pop(L, 1);
  lua_setglobal(L, LUA_DBLIBNAME);
}

void mt_lua_base_open(lua_State *L) {
  open_base(L);
  open_string(L);
  open_traceback(L);
  luaL_requiref(L, LUA_TABLIBNAME, luaopen_table, 1);
  luaL_requiref(L, LUA_MATHLIBNAME, luaopen_math, 1);
  luaL_requiref(L, LUA_UTF8LIBNAME, luaopen_utf8, 1);
  lua_pop(L, 3);
}
