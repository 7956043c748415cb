// Looking at a script's functions and tables as they are now, without running any of the script: for the compiler of
// probes. Everything is read raw, without metamethods.
#pragma once
#include "mt_lua.h"

typedef enum mt_inspected_type {
  MT_INSPECTED_NIL,
  MT_INSPECTED_BOOLEAN,   // `integer`
  MT_INSPECTED_INTEGER,   // `integer`
  MT_INSPECTED_NUMBER,    // `number`
  MT_INSPECTED_STRING,    // `bytes`, `length`: valid as long as the script keeps the string
  MT_INSPECTED_GLOBALS,   // the table of global variables
  MT_INSPECTED_TABLE,     // `integer`: its number
  MT_INSPECTED_METATABLE, // a table that has a metatable; `integer`: its number
  MT_INSPECTED_FUNCTION,  // `integer`: its number; a function of the script
  MT_INSPECTED_OBJECT,    // `kind`, `integer`: what mt_lua_mark_object was told
  MT_INSPECTED_LIBRARY,   // a function of Lua's or the host's that has a name: `bytes`, `length`, in `library`
  MT_INSPECTED_OTHER,     // `bytes`: the name of its Lua type; functions of Lua's or the host's without a name too
} mt_inspected_type;

typedef struct mt_inspected {
  mt_inspected_type type;
  uint32_t kind;
  int64_t integer;
  double number;
  const char *bytes;
  size_t length;
  const char *library;  // "math", "string"; NULL for a global function
} mt_inspected;

// Makes the table or userdata at `index` an object of the host: `kind` and `number` are the host's own. False when
// memory is exhausted. The object is kept until the state closes.
bool mt_lua_mark_object(lua_State *L, int index, uint32_t kind, uint32_t number);
// Calls `found` with the kind, number and name of each object that a local variable of an active function of the
// script, or a global variable, holds; the innermost first. The name is valid during the call.
typedef void (*mt_object_name_fn)(void *context, uint32_t kind, uint32_t number, const char *name);
void mt_lua_name_objects(lua_State *L, mt_object_name_fn found, void *context);

// What the value at `index` is. Tables and functions get numbers, the same one each time, and are kept from
// collection until mt_lua_inspect_end. False when memory is exhausted.
bool mt_lua_inspect(lua_State *L, int index, mt_inspected *value);
// The same for upvalue `index` (from 0) of a function, a table's entry, a global variable. A number that was not
// handed out, and an upvalue that is not there, read as nil.
bool mt_lua_inspect_upvalue(lua_State *L, int64_t function, int index, mt_inspected *value);
bool mt_lua_inspect_field(lua_State *L, int64_t table, const void *name, size_t length, mt_inspected *value);
bool mt_lua_inspect_element(lua_State *L, int64_t table, int64_t index, mt_inspected *value);
bool mt_lua_inspect_global(lua_State *L, const void *name, size_t length, mt_inspected *value);
// Calls `found` with each entry of a table, in no order; nothing when there are more than `limit`. What it is handed is
// valid during the call. False when memory is exhausted, or there are more.
typedef void (*mt_entry_fn)(void *context, const mt_inspected *key, const mt_inspected *value);
bool mt_lua_inspect_entries(lua_State *L, int64_t table, size_t limit, mt_entry_fn found, void *context);
// Hands the bytecode of a function, with its debug information, to `write` in pieces. False when there is no such
// function, or `write` answers false.
typedef bool (*mt_dump_fn)(void *context, const void *bytes, size_t length);
bool mt_lua_inspect_dump(lua_State *L, int64_t function, mt_dump_fn write, void *context);
// Forgets all numbers.
void mt_lua_inspect_end(lua_State *L);
