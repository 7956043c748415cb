#include <lua5.4/lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "LuaRuntimeTestSupport.h"

#define LARGEST 256

// --- json, pack, unpack

static int json(lua_State *L) {
  mt_output output;
  if (!mt_output_open(&output, -1)) return luaL_error(L, "no memory");
  lua_settop(L, 1);
  lua_pushlightuserdata(L, &output);
  lua_insert(L, 1);
  mt_lua_json(L, 2, &output);
  lua_pushlstring(L, output.bytes, output.length);
  mt_output_close(&output);
  return 1;
}

static const mt_field *check_type(lua_State *L) {
  const mt_field *field = mt_test_type(luaL_checkstring(L, 1));
  if (!field) luaL_error(L, "no test type '%s'", lua_tostring(L, 1));
  return field;
}

static int pack(lua_State *L) {
  const mt_field *field = check_type(L);
  uint8_t bytes[LARGEST] = {0};
  char problem[256];
  if (!mt_lua_read_value(L, 2, field, bytes, problem, sizeof problem)) {
    lua_pushnil(L);
    lua_pushstring(L, problem);
    return 2;
  }
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (uint32_t i = 0; i < field->size; i++) {
    char digits[3];
    snprintf(digits, sizeof digits, "%02x", bytes[i]);
    luaL_addstring(&buffer, digits);
  }
  luaL_pushresult(&buffer);
  return 1;
}

static int unpack(lua_State *L) {
  const mt_field *field = check_type(L);
  size_t length;
  const char *digits = luaL_checklstring(L, 2, &length);
  uint8_t bytes[LARGEST] = {0};
  for (size_t i = 0; i < length / 2 && i < LARGEST; i++) sscanf(digits + 2 * i, "%2hhx", &bytes[i]);
  mt_lua_push_value(L, field, bytes, (uint32_t)(length / 2));
  return 1;
}

// --- the state

static int no_host(void *context, uint32_t function, lua_State *L, int arguments) {
  (void)context, (void)function, (void)arguments;
  mt_lua_fail(L, "the test has no host", 20, false);
  return -1;
}

static int set_globals(lua_State *L) {
  lua_pushcfunction(L, json), lua_setglobal(L, "json");
  lua_pushcfunction(L, pack), lua_setglobal(L, "pack");
  lua_pushcfunction(L, unpack), lua_setglobal(L, "unpack");
  return 0;
}

mt_lua *mt_test_open(size_t memory_limit, uint64_t callback_limit) {
  static mt_output standard_output = {.fd = 1};
  mt_lua_config config = {
      .host = no_host,
      .output = &standard_output,
      .memory_limit = memory_limit,
      .callback_limit = callback_limit,
  };
  mt_lua *lua = mt_lua_open(&config);
  if (!lua) return NULL;
  lua_pushcfunction(mt_lua_state(lua), set_globals);
  lua_call(mt_lua_state(lua), 0, 0);
  return lua;
}

static int to_text(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

static char *error_text(mt_lua *lua) {
  char text[1024];
  size_t length;
  const char *error = mt_lua_error(lua, &length);
  snprintf(text, sizeof text, "error: %.*s", (int)strcspn(error, "\n"), error);
  return strdup(text);
}

char *mt_test_eval(mt_lua *lua, const char *text) {
  lua_State *L = mt_lua_state(lua);
  lua_pushcfunction(L, to_text);
  if (mt_lua_load(lua, text, strlen(text), "=test") != LUA_OK || mt_lua_call(lua, 0, 1) != LUA_OK) {
    lua_pop(L, 1);
    return error_text(lua);
  }
  if (mt_lua_call(lua, 1, 1) != LUA_OK) return error_text(lua);
  char *result = strdup(lua_tostring(L, -1));
  lua_pop(L, 1);
  return result;
}

void mt_test_set_map(mt_lua *lua, const char *name, const mt_test_map *map) {
  if (mt_lua_push_map(mt_lua_state(lua), &map->config)) lua_setglobal(mt_lua_state(lua), name);
}

// --- streams

static int drain(lua_State *L) {
  mt_drain_result result = mt_lua_stream_drain(
      lua_touserdata(L, lua_upvalueindex(1)), lua_touserdata(L, lua_upvalueindex(2)), UINT64_MAX);
  lua_pushinteger(L, (lua_Integer)result.delivered);
  return 1;
}

void mt_test_set_drain(mt_lua *lua, const char *name, mt_lua_stream *stream, mt_source *source) {
  lua_State *L = mt_lua_state(lua);
  lua_pushlightuserdata(L, stream);
  lua_pushlightuserdata(L, source);
  lua_pushcclosure(L, drain, 2);
  lua_setglobal(L, name);
}

static int close_stream(lua_State *L) {
  mt_lua_stream_close(lua_touserdata(L, lua_upvalueindex(1)));
  return 0;
}

void mt_test_set_close(mt_lua *lua, const char *name, mt_lua_stream *stream) {
  lua_State *L = mt_lua_state(lua);
  lua_pushlightuserdata(L, stream);
  lua_pushcclosure(L, close_stream, 1);
  lua_setglobal(L, name);
}

bool mt_test_add_handler(mt_lua *lua, mt_lua_stream *stream, const char *text) {
  if (mt_lua_load(lua, text, strlen(text), "=test") != LUA_OK || mt_lua_call(lua, 0, 1) != LUA_OK) return false;
  return mt_lua_stream_add_handler(stream);
}

static uint64_t drain_source(mt_source *self, uint64_t limit, mt_record_fn consume, void *context) {
  mt_test_source *source = (mt_test_source *)self;
  uint64_t count = 0;
  bool more = true;
  while (more && count < limit && source->remaining > 0) {
    source->remaining--;
    source->event.pid++;
    count++;
    self->delivered++;
    more = consume(context, &source->event, source->size);
  }
  return count;
}

mt_test_source *mt_test_source_open(uint64_t count) {
  mt_test_source *source = calloc(1, sizeof *source);
  source->source.drain = drain_source;
  source->size = sizeof source->event;
  source->remaining = count;
  source->event.ret = -2;
  source->event.at = UINT64_MAX;
  source->event.kind = 1;
  source->event.ratio = 0.5;
  memcpy(source->event.comm, "bash", 5);
  return source;
}

mt_source *mt_test_source_base(mt_test_source *source) { return &source->source; }
