// Streams: records from a source handed to Lua handlers as views.
#pragma once
#include "mt_lua.h"

typedef struct mt_lua_stream mt_lua_stream;

typedef struct mt_drain_result {
  uint64_t delivered;  // records consumed by this call, the failing one included
  int status;          // 0, or the Lua status of the handler that failed; text at mt_lua_error
} mt_drain_result;

// What handlers are given, `e`, is a view onto the record, valid until the handler returns; later use raises an error.
//   e.name       the field's value, made when it is read; nil when the record is too short for it
//   e:copy()     a table of all fields, to keep; a record that has a field of that name has no such method
//   pairs(e)     names and values in declaration order
//   tostring(e)  `{pid=1, comm="x"}`, or `stale event`

// A stream whose records read by `plan`, which must outlive it. NULL when memory is exhausted.
mt_lua_stream *mt_lua_stream_open(mt_lua *lua, const mt_plan *plan);
// Before mt_lua_close. A handler of the stream itself may be running: its view is stale from then on, no further
// handler runs, and the drain ends after this record; only then is `plan` no longer used.
void mt_lua_stream_close(mt_lua_stream *stream);
// Adds a handler: the function on top of the main stack, which is popped. Handlers run in the order they were added;
// one that is added during a drain runs from the next drain on. False when memory is exhausted.
bool mt_lua_stream_add_handler(mt_lua_stream *stream);

// Hands at most `limit` records of `source` to the handlers, all of them in one protected call; stops early at the
// first handler that fails. Call again to go on with the next record. A handler's host functions may drain other
// streams: the handler's own view is stale meanwhile and valid again afterwards.
mt_drain_result mt_lua_stream_drain(mt_lua_stream *stream, mt_source *source, uint64_t limit);

// If the value at `index` is a view that is still valid: its plan, bytes and size.
bool mt_lua_view(lua_State *L, int index, const mt_plan **plan, const void **base, uint32_t *available);
