// What the files of this target share.
#pragma once
#include <lua5.4/lauxlib.h>
#include <lua5.4/lualib.h>

#include "include/CLuaBridge.h"

// The record that handlers are looking at. A view is a light userdata holding `generation`; it is valid while that
// equals the current one, so keeping a view past its callback can never show another record's bytes.
typedef struct mt_current {
  uint64_t generation;  // of the record in `base`; each record gets a new one; 0: none
  mt_lua_stream *stream;
  const void *base;
  uint32_t size;
} mt_current;

// Text outside Lua's memory, so that errors can be told when that is exhausted.
typedef struct mt_text {
  char *bytes;
  size_t length, capacity;
} mt_text;

struct mt_lua {
  lua_State *main;
  lua_State *volatile running;  // the coroutine that runs now, for the time limit
  mt_lua_config config;
  size_t memory_in_use;
  char memory_place[96];  // `file:line` of the last refused allocation, or empty

  // Time limit: callbacks are counted; a timer's signal that finds the same callback still running too long sets the
  // kill hook. So starting a callback costs one increment.
  volatile uint64_t callbacks;
  volatile bool in_host;         // the host works: compiles, loads, reads maps, names symbols
  volatile uint64_t host_since;  // when it began, nanoseconds of CLOCK_MONOTONIC; 0: work that is never the script's
  volatile bool stop_requested;  // set by the signal: unwind everything
  volatile bool interrupted;     // set with it when it was the descriptor, not the limit
  volatile int interrupt_fd;     // that ends a run when it can be read; -1: none
  uint32_t depth;                // protected calls in progress
  uint32_t closing_coroutines;   // nested coroutine.close calls in progress
  mt_current current;
  uint64_t last_generation;

  int exit_code;
  bool exit_requested;  // kept after the run, for mt_lua_exit_requested
  bool unwinding;       // exit or the time limit ends the run in progress; nothing in Lua may catch it
  char stopped_at[96];  // `file:line` where the time limit struck

  mt_text failure;  // set by mt_lua_fail
  bool failure_located;

  mt_text error;  // text of the last failed call
  size_t error_message_length;
  mt_text traceback;  // of the error being raised
  lua_CFunction raise_function;  // Lua's `error`
  bool warnings;      // warn("@on")
  mt_output scratch;  // in memory: a record that `emit` is writing
  void *standard_output;  // FILE * in front of config.output
  mt_output transcript;  // in memory: what scripts have printed, if it is kept
  size_t transcript_limit;
  struct mt_watchdog *watchdog;
};

// In mt_lua_stream.c: gives light userdata their metatable (views). Called once at open; may raise.
void mt_lua_views_open(lua_State *L);
// In mt_lua_map.c: registers the map metatable. Called once at open; may raise.
void mt_lua_maps_open(lua_State *L);
// In mt_lua_transcript.c: keeps what a script prints, if that is wanted.
void mt_lua_keep(mt_lua *lua, const void *text, size_t length);
// In mt_lua_emit.c: defines `emit`. Called once at open; may raise.
void mt_lua_emit_open(lua_State *L);
// In mt_lua_base.c: the text on top goes out as print's and printf's does; and Lua's own string.format.
void mt_lua_print_top(lua_State *L);
void mt_lua_push_format(lua_State *L);
// Pushes the JSON text of the value at `index`; may raise as mt_lua_json does.
void mt_lua_push_json(lua_State *L, int index);
// Raises the error of a view whose record is gone.
int mt_lua_raise_stale(lua_State *L);
// Raises `file:line: message` at the innermost script frame.
int mt_lua_raise(lua_State *L, const char *format, ...);
// Runs a protected call on the main stack with the traceback handler and time limit; on failure the error text is kept
// for mt_lua_error and nothing is left on the stack. Does not count a callback: that is the caller's to do.
int mt_lua_protected(mt_lua *lua, int arguments, int results);

// --- mt_lua_text.c. False when memory is exhausted; the text then stays as it was.
bool mt_text_append(mt_text *text, const void *bytes, size_t length);
bool mt_text_format(mt_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void mt_text_free(mt_text *text);

// --- mt_lua_memory.c
void *mt_lua_allocate(void *lua, void *block, size_t old_size, size_t new_size);

// --- mt_lua_place.c. Appends `\n  file:line: in function 'name'` for each script frame, the innermost ones first.
void mt_lua_append_traceback(lua_State *L, mt_text *text);

// --- mt_lua_host.c. The C function behind every host function; its upvalue is the number.
int mt_lua_host_call(lua_State *L);
// Begins work of the host's, which is not held against the script's time unless it is a trifle. Within such work nothing
// changes. `always`: also trifles. Gives what mt_lua_leave_host needs.
bool mt_lua_enter_host(mt_lua *lua, bool always);
void mt_lua_leave_host(mt_lua *lua, bool nested);
// Calls host function `function` with the `arguments` on top of the stack; may raise.
void mt_lua_ask_host(lua_State *L, uint32_t function, int arguments, int results);

// --- mt_lua_unwind.c
// Whether the run in progress is being ended; then nothing may be handed back to Lua but mt_lua_unwind's error.
bool mt_lua_unwinding(const mt_lua *lua);
int mt_lua_unwind(lua_State *L);
// Makes every further instruction of `L` raise; async-signal-safe.
void mt_lua_set_kill_hook(lua_State *L);

// --- mt_lua_watchdog.c
bool mt_lua_watchdog_open(mt_lua *lua);
void mt_lua_watchdog_close(mt_lua *lua);
// Starts and stops the clock around an outermost protected call. False when the system refuses a timer.
bool mt_lua_watchdog_arm(mt_lua *lua);
// Nanoseconds of CLOCK_MONOTONIC; async-signal-safe.
uint64_t mt_lua_now(void);
void mt_lua_watchdog_disarm(mt_lua *lua);

// --- the sandbox; each is called once at open and may raise.
void mt_lua_base_open(lua_State *L);        // mt_lua_base.c: the libraries that need no capability
void mt_lua_coroutines_open(lua_State *L);  // mt_lua_coroutine.c
void mt_lua_files_open(lua_State *L);       // mt_lua_files.c: io and os, behind capabilities
void mt_lua_require_open(lua_State *L);     // mt_lua_require.c
// Replaces field `name` of the table on top by `function`, whose first upvalue is what was there.
void mt_lua_wrap_field(lua_State *L, const char *name, lua_CFunction function);
// Calls `function` (the value at that index) with all of the caller's arguments; an error it raises gets the script's
// position. Returns the number of results.
int mt_lua_forward(lua_State *L, int function);
