// One buffer with records of several types, in one protected call a batch.
#include "include/mt_lua_events.h"

#include <lua5.4/lauxlib.h>
#include <string.h>

#include "mt_lua_stream_internal.h"

enum { NUMBER_BYTES = 8 };

typedef struct mt_dispatch {
  lua_State *L;
  mt_lua *lua;
  const mt_lua_route *routes;
  uint32_t count;
  const int *first;  // for each route, the stack place of its first handler
  mt_source *source;
  uint64_t limit;
  bool outermost;
  uint64_t delivered;
} mt_dispatch;

// --- printing with a format

static void push_argument(lua_State *L, const mt_field *field, const void *data, uint32_t size) {
  mt_lua_push_value(L, field, data, size);
  if (!lua_istable(L, -1)) return;
  mt_lua_push_json(L, -1);
  lua_remove(L, -2);
}

static void print_formatted(lua_State *L, const mt_lua_route *route, const void *data, uint32_t size) {
  const mt_plan *plan = route->plan;
  luaL_checkstack(L, (int)plan->field_count + 4, "too many arguments");
  mt_lua_push_format(L);
  lua_pushlstring(L, route->format, route->format_length);
  for (uint32_t i = 0; i < plan->field_count; i++) push_argument(L, &plan->fields[i], data, size);
  if (lua_pcall(L, (int)plan->field_count + 1, 1, 0) == LUA_OK) {
    mt_lua_print_top(L);
    lua_pop(L, 1);
  } else if (mt_lua_unwinding(mt_lua_of(L))) {
    mt_lua_unwind(L);
  } else {
    const char *place = route->place ? route->place : "";
    const char *text = luaL_gsub(L, lua_tostring(L, -1), "'string.format'", "'printf' in a probe");
    luaL_error(L, "%s%s%s", place, *place ? ": " : "", text);
  }
}

// What it takes to name a record's symbols is not the script's time.
static bool print_plainly(mt_lua *lua, const mt_lua_route *route, const void *data, uint32_t size) {
  bool nested = mt_lua_enter_host(lua, true);
  bool more = route->print(route->context, data, size);
  mt_lua_leave_host(lua, nested);
  return more;
}

// --- dispatch

static bool deliver(void *context, const void *data, uint32_t size) {
  mt_dispatch *dispatch = context;
  uint64_t number = UINT64_MAX;
  dispatch->delivered++;
  if (size >= NUMBER_BYTES) memcpy(&number, data, sizeof number);
  if (number >= dispatch->count) return true;
  const mt_lua_route *route = &dispatch->routes[number];
  const void *record = (const char *)data + NUMBER_BYTES;
  size -= NUMBER_BYTES;
  if (route->stream && route->stream->handler_count > 0) {
    int handlers = (int)(dispatch->first[number + 1] - dispatch->first[number]);
    mt_stream_call(dispatch->L, route->stream, dispatch->first[number], handlers, dispatch->outermost, record, size);
    return true;
  }
  dispatch->lua->callbacks += dispatch->outermost;
  if (route->print) return print_plainly(dispatch->lua, route, record, size);
  dispatch->lua->current.generation = 0;
  if (route->format) print_formatted(dispatch->L, route, record, size);
  return true;
}

// Puts every route's handlers on the stack, so that a record needs no table read; where each one's begin.
static const int *push_handlers(lua_State *L, const mt_dispatch *dispatch) {
  int *first = lua_newuserdatauv(L, (dispatch->count + 1) * sizeof *first, 0);
  for (uint32_t i = 0; i < dispatch->count; i++) {
    const mt_lua_stream *stream = dispatch->routes[i].stream;
    first[i] = lua_gettop(L) + 1;
    int count = stream ? (int)stream->handler_count : 0;
    luaL_checkstack(L, count + 4, "too many handlers");
    if (stream) lua_rawgeti(L, LUA_REGISTRYINDEX, stream->handlers);
    for (int handler = 1; handler <= count; handler++) lua_rawgeti(L, first[i], handler);
    if (stream) lua_remove(L, first[i]);
  }
  first[dispatch->count] = lua_gettop(L) + 1;
  return first;
}

static int dispatch_protected(lua_State *L) {
  mt_dispatch *dispatch = lua_touserdata(L, 1);
  dispatch->L = L;
  dispatch->outermost = dispatch->lua->depth == 1;
  dispatch->first = push_handlers(L, dispatch);
  dispatch->source->drain(dispatch->source, dispatch->limit, deliver, dispatch);
  return 0;
}

mt_drain_result mt_lua_events_drain(
    mt_lua *lua, const mt_lua_route *routes, uint32_t count, mt_source *source, uint64_t limit) {
  mt_current outer = lua->current;
  mt_dispatch dispatch = {.lua = lua, .routes = routes, .count = count, .source = source, .limit = limit};
  if (!lua_checkstack(lua->main, 2)) return (mt_drain_result){0, LUA_ERRMEM};
  lua_pushcfunction(lua->main, dispatch_protected);
  lua_pushlightuserdata(lua->main, &dispatch);
  int status = mt_lua_protected(lua, 1, 0);
  lua->current = outer;
  return (mt_drain_result){dispatch.delivered, status};
}
