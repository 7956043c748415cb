// Streams: from a source to the handlers, one protected call a batch.
#include "mt_lua_stream_internal.h"

#include <lua5.4/lauxlib.h>
#include <stdlib.h>

typedef struct mt_drain {
  mt_lua_stream *stream;
  lua_State *L;
  mt_source *source;
  uint64_t limit;
  int handlers;    // functions at stack places 1…handlers, so that a record needs no table read
  bool outermost;  // a drain within a callback counts as part of that callback, for the time limit
  uint64_t delivered;
} mt_drain;

// --- names by address

static mt_name_slot slot_for(const char *name, const mt_field *field) {
  mt_name_slot slot = {.name = name, .field = field};
  if (!field) return slot;
  slot.offset = field->offset;
  slot.end = field->offset + field->size;
  bool plain = (field->kind == MT_SIGNED || field->kind == MT_UNSIGNED) && field->bit_size == 0;
  if (plain && field->size == 8) slot.access = MT_ACCESS_64;
  if (plain && field->size == 4) slot.access = field->kind == MT_SIGNED ? MT_ACCESS_I32 : MT_ACCESS_U32;
  return slot;
}

// Enters a name unless it is there already: the first field of a name wins, and fields win over `copy`.
static void add_name(lua_State *L, mt_lua_stream *stream, const char *text, size_t length, const mt_field *field) {
  const char *name = lua_pushlstring(L, text, length);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  if (mt_stream_slot(stream, name)) return;
  uint32_t i = mt_name_hash(name) & stream->slot_mask;
  while (stream->slots[i].name) i = (i + 1) & stream->slot_mask;
  stream->slots[i] = slot_for(name, field);
}

// --- opening and closing

static int prepare(lua_State *L) {
  mt_lua_stream *stream = lua_touserdata(L, 1);
  const mt_plan *plan = stream->plan;
  lua_createtable(L, (int)plan->field_count + 1, 0);
  for (uint32_t i = 0; i < plan->field_count; i++)
    add_name(L, stream, plan->fields[i].name, plan->fields[i].name_length, &plan->fields[i]);
  add_name(L, stream, "copy", 4, NULL);
  stream->names = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_createtable(L, 1, 0);
  stream->handlers = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

// Runs a function that may only fail for want of memory, with `arguments` and then the stream as its arguments.
static bool run_with_stream(mt_lua_stream *stream, lua_CFunction function, int arguments) {
  lua_State *L = stream->lua->main;
  if (!lua_checkstack(L, 2)) {
    lua_pop(L, arguments);
    return false;
  }
  lua_pushcfunction(L, function);
  lua_insert(L, -1 - arguments);
  lua_pushlightuserdata(L, stream);
  if (lua_pcall(L, arguments + 1, 0, 0) == LUA_OK) return true;
  lua_pop(L, 1);
  return false;
}

static void release(mt_lua_stream *stream) {
  luaL_unref(stream->lua->main, LUA_REGISTRYINDEX, stream->names);
  luaL_unref(stream->lua->main, LUA_REGISTRYINDEX, stream->handlers);
  free(stream->slots);
  free(stream);
}

mt_lua_stream *mt_lua_stream_open(mt_lua *lua, const mt_plan *plan) {
  mt_lua_stream *stream = calloc(1, sizeof *stream);
  if (!stream) return NULL;
  uint32_t slots = 4;
  while (slots < 2 * (plan->field_count + 1)) slots *= 2;
  *stream = (mt_lua_stream){
      .lua = lua,
      .plan = plan,
      .slots = calloc(slots, sizeof *stream->slots),
      .slot_mask = slots - 1,
      .names = LUA_NOREF,
      .handlers = LUA_NOREF,
  };
  if (stream->slots && run_with_stream(stream, prepare, 0)) return stream;
  release(stream);
  return NULL;
}

void mt_lua_stream_close(mt_lua_stream *stream) {
  if (!stream || stream->closed) return;
  mt_current *current = &stream->lua->current;
  if (current->stream == stream) current->generation = 0;
  stream->closed = true;
  if (stream->draining == 0) release(stream);
}

static int append_handler(lua_State *L) {
  mt_lua_stream *stream = lua_touserdata(L, 2);
  lua_rawgeti(L, LUA_REGISTRYINDEX, stream->handlers);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, (lua_Integer)stream->handler_count + 1);
  stream->handler_count++;
  return 0;
}

bool mt_lua_stream_add_handler(mt_lua_stream *stream) { return run_with_stream(stream, append_handler, 1); }

// --- draining

void mt_stream_call(
    lua_State *L, mt_lua_stream *stream, int first, int handlers, bool outermost, const void *data, uint32_t size) {
  mt_lua *lua = stream->lua;
  uint64_t generation = ++lua->last_generation;
  lua->current = (mt_current){generation, stream, data, size};
  for (int handler = first; handler < first + handlers && !stream->closed; handler++) {
    lua->callbacks += outermost;
    lua_pushvalue(L, handler);
    lua_pushlightuserdata(L, (void *)(uintptr_t)generation);
    lua_call(L, 1, 0);
  }
}

static bool deliver(void *context, const void *data, uint32_t size) {
  mt_drain *drain = context;
  drain->delivered++;
  mt_stream_call(drain->L, drain->stream, 1, drain->handlers, drain->outermost, data, size);
  return !drain->stream->closed;
}

static int drain_protected(lua_State *L) {
  mt_drain *drain = lua_touserdata(L, 1);
  mt_lua_stream *stream = drain->stream;
  drain->L = L;
  drain->outermost = stream->lua->depth == 1;
  drain->handlers = (int)stream->handler_count;
  luaL_checkstack(L, drain->handlers + 4, "too many handlers");
  lua_rawgeti(L, LUA_REGISTRYINDEX, stream->handlers);
  lua_replace(L, 1);
  for (int handler = 1; handler <= drain->handlers; handler++) lua_rawgeti(L, 1, handler);
  lua_remove(L, 1);
  drain->source->drain(drain->source, drain->limit, deliver, drain);
  return 0;
}

// Gives the record that an outer handler is looking at its view back, unless its stream has been closed meanwhile.
static void restore(mt_lua *lua, mt_current outer) {
  if (outer.generation && outer.stream->closed) outer.generation = 0;
  lua->current = outer;
}

mt_drain_result mt_lua_stream_drain(mt_lua_stream *stream, mt_source *source, uint64_t limit) {
  mt_lua *lua = stream->lua;
  mt_current outer = lua->current;
  mt_drain drain = {.stream = stream, .source = source, .limit = limit};
  if (stream->closed) return (mt_drain_result){0, LUA_OK};
  if (!lua_checkstack(lua->main, 2)) return (mt_drain_result){0, LUA_ERRMEM};
  stream->draining++;
  lua_pushcfunction(lua->main, drain_protected);
  lua_pushlightuserdata(lua->main, &drain);
  int status = mt_lua_protected(lua, 1, 0);
  restore(lua, outer);
  stream->draining--;
  if (stream->closed && stream->draining == 0) release(stream);
  return (mt_drain_result){drain.delivered, status};
}
