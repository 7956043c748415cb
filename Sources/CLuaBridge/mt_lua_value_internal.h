// What the files about values and views share.
#pragma once
#include "mt_lua_internal.h"

// Pushes the name of a record's field. A list that is an event calls its items "1", "2" …: there, the number.
void mt_lua_push_name(lua_State *L, const mt_field *field);
// Pushes a table of all fields of a record by name; those that it is too short for are left out. May raise (memory).
void mt_lua_push_fields(lua_State *L, const mt_plan *plan, const void *base, uint32_t available);
// The number that mt_lua_push_unsigned pushed at `index`; NULL for any other value. May raise (memory).
const uint64_t *mt_lua_unsigned(lua_State *L, int index);
// mt_field_name, outside of the script's time limit.
const char *mt_lua_field_name(lua_State *L, const mt_field *field, const void *base, size_t *length);
// Raises the error about a view that is kept longer than its handler ran.
int mt_lua_raise_stale(lua_State *L);
