// Kernel bytes to Lua values and back, by decode plan; and Lua values as JSON text.
#pragma once
#include "mt_lua.h"

// Pushes the value at `base + field->offset` of a record of `available` bytes, or nil when it does not fit; only text
// may be cut by the record's end. Integers (64-bit unsigned ones wrap, as Lua's do), booleans, numbers, enums by name
// (the integer when the value has none), strings, lists from 1, and tables by member name. May raise (memory): call it
// from Lua C functions only.
void mt_lua_push_value(lua_State *L, const mt_field *field, const void *base, uint32_t available);

// The same for host functions: false, and nothing pushed, when memory is exhausted.
bool mt_lua_push_decoded(lua_State *L, const mt_field *field, const void *base, uint32_t available);

// Pushes a number for output: as text it is decimal or, of a pointer, hexadecimal, in JSON an exact number, and `<` and
// `==` of two, or `<` of one and an integer, see them without sign. False, and nothing pushed, when memory is
// exhausted.
bool mt_lua_push_unsigned(lua_State *L, uint64_t value, bool is_pointer);

// Writes the Lua value at `index` to `base + field->offset`. Never raises. On a value of the wrong type, out of
// range or with an unknown member it returns false and explains in `problem`, for example
// "expected an integer (u32), got a string". Floats with an exact integer value count as integers, digits in a string
// do not. Structs are tables by member name or, in declaration order, lists; what a table leaves out is zero. Enums
// take names or integers; text may be shorter than its field; bytes take a string of exactly that length. A record
// that may be cut (`may_be_cut`) must have all members but optional ones. Tuples are lists; an optional value may be
// nil; the words of a named one are an integer, or a list of them. On failure
// the bytes written so far are left as they are.
bool mt_lua_read_value(lua_State *L, int index, const mt_field *field, void *base, char *problem, size_t capacity);

// Text of any Lua value as JSON: integers exact, tables with keys 1…n (and empty ones) as lists, others as objects with
// sorted keys (integers before strings), event views as their record, unsigned numbers (above) as numbers, other things
// as their tostring text in quotes. Non-finite numbers are null. May raise (stale view, cycle, depth over 64, a key
// that is no string or integer; nothing is written then): from Lua C functions only.
void mt_lua_json(lua_State *L, int index, mt_output *output);
