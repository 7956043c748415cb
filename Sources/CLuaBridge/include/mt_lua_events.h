// Events of several types that come out of one buffer: each record's first 8 bytes are its type's number.
#pragma once
#include "mt_lua_stream.h"

// What becomes of the records of one type. Handlers win over printing, printing over a format.
typedef struct mt_lua_route {
  mt_lua_stream *stream;  // with handlers; may have none
  const mt_plan *plan;    // of the record behind the number
  mt_record_fn print;     // NULL, or what prints a record; it is given the record behind the number
  void *context;          // for `print`
  const char *format;     // NULL, or a format as for Lua's string.format, for which the record's fields are arguments
  size_t format_length;
  const char *place;      // NULL, or `file:line` of the format, for errors
} mt_lua_route;

// Like mt_lua_stream_drain, for a source of several types: hands each record to routes[number], in order and in one
// protected call. A record of a type that is not among `count` routes, or too short to say, is passed over. Nested
// drains are not allowed: a handler's host functions must not call this again.
mt_drain_result mt_lua_events_drain(
    mt_lua *lua, const mt_lua_route *routes, uint32_t count, mt_source *source, uint64_t limit);
