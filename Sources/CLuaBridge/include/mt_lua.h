// The Lua state: sandbox, host calls, protected calls, memory cap and time limit.
#pragma once
#include <lua5.4/lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "CEventCore.h"

typedef struct mt_lua mt_lua;

// Runs host function number `function` with its arguments at stack indices 1…argument_count. Returns how many
// results it left on top of the stack, or -1 after mt_lua_fail. Must not call any Lua function that may raise:
// reading (lua_type, lua_tointegerx, lua_tolstring on a string, lua_next, lua_rawget…) and mt_lua_push_* are safe.
typedef int (*mt_lua_host_fn)(void *context, uint32_t function, lua_State *L, int argument_count);

// Function numbers that the bridge itself calls; the host's own ones start at MT_LUA_HOST_FIRST.
enum {
  // (name): the text of a module and its chunk name, or nothing when the host has no such module.
  MT_LUA_HOST_MODULE = 0,
  // (capability, path): returns nothing, or fails with the error that says what to allow. Capabilities are "fs.read",
  // "fs.write" and "exec"; for the last one the second argument is the command.
  MT_LUA_HOST_PERMIT = 1,
  MT_LUA_HOST_FIRST = 2,
};

typedef struct mt_lua_config {
  mt_lua_host_fn host;
  void *context;            // passed to `host`
  mt_output *output;        // where print and printf write; outlives the state
  mt_format format;         // how `emit` writes, and what becomes of printed text
  size_t memory_limit;      // bytes
  uint64_t callback_limit;  // nanoseconds of processor time that one callback may take, host calls that last left out
} mt_lua_config;

// NULL when there is no memory for it.
mt_lua *mt_lua_open(const mt_lua_config *config);
void mt_lua_close(mt_lua *lua);
lua_State *mt_lua_state(mt_lua *lua);
mt_lua *mt_lua_of(lua_State *L);  // constant time
size_t mt_lua_memory_in_use(const mt_lua *lua);
// From now on keeps what scripts print and emit, up to so many bytes. False when memory is exhausted.
bool mt_lua_keep_transcript(mt_lua *lua, size_t limit);
// What was kept, until the next print.
const char *mt_lua_transcript(const mt_lua *lua, size_t *length);

// --- inside a host function: results and failure. Each push is false when memory is exhausted, nothing pushed.
bool mt_lua_push_string(lua_State *L, const void *bytes, size_t length);
bool mt_lua_push_table(lua_State *L, int list_count, int field_count);
bool mt_lua_push_host_function(lua_State *L, uint32_t function);
// table[key] = the value on top, which is popped; raw.
bool mt_lua_set_field(lua_State *L, int table, const char *key, size_t length);
bool mt_lua_set_index(lua_State *L, int table, int64_t index);
// The global `name` = the value on top, which is popped.
bool mt_lua_set_global(lua_State *L, const char *name, size_t length);
// Sets the error that the trampoline raises once the host function has returned -1. The script's current
// `file:line: ` is put before it unless `located`.
void mt_lua_fail(lua_State *L, const char *message, size_t length, bool located);
// `file:line` of the innermost script frame (library chunks, named "=[moontrace…", and C frames are passed over);
// false when no script frame is active.
bool mt_lua_where(lua_State *L, char *buffer, size_t capacity);

// --- references to Lua values, kept until freed. LUA_NOREF (-2) on failure.
int mt_lua_ref(lua_State *L, int index);
void mt_lua_unref(mt_lua *lua, int reference);

// --- from the host to Lua. 0, or a Lua status; then the error text (with a traceback of script frames, separated by
// "\n") is at mt_lua_error until the next call.
// Loads text (never bytecode) and leaves the function on the stack.
int mt_lua_load(mt_lua *lua, const char *text, size_t length, const char *chunk_name);
// Calls the function under its `arguments` on the main stack, under the time limit; leaves `results` on success.
int mt_lua_call(mt_lua *lua, int arguments, int results);
const char *mt_lua_error(const mt_lua *lua, size_t *length);
// Stops what runs, as the time limit does, about an eighth of the limit after `fd` (a signalfd) can be read; -1 takes it
// back.
void mt_lua_interrupt_by(mt_lua *lua, int fd);
// Bytes of that text before the traceback; more than its first line when the message itself has several.
size_t mt_lua_error_message_length(const mt_lua *lua);
// Whether `exit(code)` ended the last call: not a failure. True and the code, then; until the next call.
bool mt_lua_exit_requested(const mt_lua *lua, int *code);
// Called by the host function behind `exit`: the run in progress unwinds past every pcall and coroutine.
void mt_lua_request_exit(lua_State *L, int code);
