// Views: what a handler holds of a record while it runs. A view is a light userdata whose pointer is the record's
// generation number, so it costs no allocation and can't outlive its record unnoticed.
#include <lua5.4/lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "mt_lua_stream_internal.h"
#include "mt_lua_suggest.h"

static const mt_current *current_at(lua_State *L, int index) {
  const mt_current *current = &(*(mt_lua **)lua_getextraspace(L))->current;
  uint64_t generation = (uint64_t)(uintptr_t)lua_touserdata(L, index);
  return generation == current->generation && generation != 0 ? current : NULL;
}

bool mt_lua_view(lua_State *L, int index, const mt_plan **plan, const void **base, uint32_t *available) {
  const mt_current *current = lua_islightuserdata(L, index) ? current_at(L, index) : NULL;
  if (!current) return false;
  if (plan) *plan = current->stream->plan;
  if (base) *base = current->base;
  if (available) *available = current->size;
  return true;
}

int mt_lua_raise_stale(lua_State *L) {
  return mt_lua_raise(L, "stale event: it is valid only while its handler runs; keep it with e:copy()");
}

static const mt_current *check_view(lua_State *L, const char *method) {
  if (!lua_islightuserdata(L, 1)) mt_lua_raise(L, "%s: the event is missing; call it as e:%s()", method, method);
  const mt_current *current = current_at(L, 1);
  if (!current) mt_lua_raise_stale(L);
  return current;
}

// --- e.field

static void push_field_names(lua_State *L, const mt_plan *plan) {
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (uint32_t i = 0; i < plan->field_count; i++) {
    luaL_addstring(&buffer, i == 0 ? "; its fields are " : ", ");
    luaL_addlstring(&buffer, plan->fields[i].name, plan->fields[i].name_length);
  }
  luaL_pushresult(&buffer);
}

static int raise_unknown_field(lua_State *L, const mt_plan *plan) {
  size_t length;
  const char *name = luaL_tolstring(L, 2, &length);
  mt_suggestion near = mt_suggestion_for(name, length);
  for (uint32_t i = 0; i < plan->field_count; i++)
    mt_suggestion_offer(&near, plan->fields[i].name, plan->fields[i].name_length);
  char hint[96];
  if (near.best)
    lua_pushstring(L, mt_suggestion_hint(&near, hint, sizeof hint));
  else
    push_field_names(L, plan);
  const char *space = plan->name[0] ? " " : "";
  return mt_lua_raise(L, "event%s%s has no field '%s'%s", space, plan->name, name, lua_tostring(L, -1));
}

// Names too long to be interned have many addresses.
static const mt_field *field_by_text(const mt_plan *plan, const char *name, size_t length) {
  for (uint32_t i = 0; i < plan->field_count; i++) {
    const mt_field *field = &plan->fields[i];
    if (field->name_length == length && memcmp(field->name, name, length) == 0) return field;
  }
  return NULL;
}

// What the address of the name did not find: a long name, `copy`, or an error.
static int index_slowly(lua_State *L, const mt_current *current, const mt_name_slot *slot) {
  const mt_plan *plan = current->stream->plan;
  size_t length = 0;
  const char *name = lua_tolstring(L, 2, &length);
  const mt_field *field = name && !slot ? field_by_text(plan, name, length) : NULL;
  if (!field && !slot) return raise_unknown_field(L, plan);
  if (field)
    mt_lua_push_value(L, field, current->base, current->size);
  else
    lua_pushvalue(L, lua_upvalueindex(1));
  return 1;
}

static bool push_plain(lua_State *L, const mt_name_slot *slot, const mt_current *current) {
  const char *at = (const char *)current->base + slot->offset;
  int32_t narrow;
  int64_t wide;
  if (slot->access == MT_ACCESS_PLAN || slot->end > current->size) return false;
  if (slot->access == MT_ACCESS_64) {
    memcpy(&wide, at, sizeof wide);
  } else {
    memcpy(&narrow, at, sizeof narrow);
    wide = slot->access == MT_ACCESS_I32 ? narrow : (int64_t)(uint32_t)narrow;
  }
  lua_pushinteger(L, wide);
  return true;
}

// Runs for every field that a handler reads. A number as the key is made a string in place, which does no harm.
static int view_index(lua_State *L) {
  const mt_current *current = current_at(L, 1);
  if (!current) return mt_lua_raise_stale(L);
  const char *name = lua_tolstring(L, 2, NULL);
  const mt_name_slot *slot = name ? mt_stream_slot(current->stream, name) : NULL;
  if (!slot || !slot->field) return index_slowly(L, current, slot);
  if (push_plain(L, slot, current)) return 1;
  mt_lua_push_value(L, slot->field, current->base, current->size);
  return 1;
}

static int view_newindex(lua_State *L) { return mt_lua_raise(L, "events are read-only; change a copy: e:copy()"); }

static int view_copy(lua_State *L) {
  const mt_current *current = check_view(L, "copy");
  mt_lua_push_fields(L, current->stream->plan, current->base, current->size);
  return 1;
}

// --- pairs(e)

// Whether the record is long enough to have a value for the field.
static bool is_present(const mt_field *field, const mt_current *current) {
  uint32_t length;
  if (field->kind == MT_TEXT) return mt_field_text(field, current->base, current->size, &length);
  if (!mt_field_fits(field, current->size)) return false;
  return field->kind != MT_OPTIONAL || mt_field_is_present(field, current->base);
}

// Upvalues: the view and the number of the next field.
static int next_field(lua_State *L) {
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(1));
  const mt_current *current = check_view(L, "pairs");
  const mt_plan *plan = current->stream->plan;
  lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));
  while (i < plan->field_count && !is_present(&plan->fields[i], current)) i++;
  lua_pushinteger(L, i + 1);
  lua_replace(L, lua_upvalueindex(2));
  if (i >= plan->field_count) return 0;
  mt_lua_push_name(L, &plan->fields[i]);
  mt_lua_push_value(L, &plan->fields[i], current->base, current->size);
  return 2;
}

static int view_pairs(lua_State *L) {
  check_view(L, "pairs");
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_field, 2);
  return 1;
}

// --- tostring(e)

static void add_value(luaL_Buffer *buffer, const mt_field *field, const void *base, uint32_t available);

static void add_quoted(luaL_Buffer *buffer, const char *bytes, size_t length) {
  char escape[8];
  luaL_addchar(buffer, '"');
  for (size_t i = 0; i < length; i++) {
    unsigned char byte = (unsigned char)bytes[i];
    if (byte == '"' || byte == '\\') luaL_addchar(buffer, '\\');
    if (byte >= ' ' && byte != 127) {
      luaL_addchar(buffer, bytes[i]);
    } else {
      snprintf(escape, sizeof escape, "\\x%02x", byte);
      luaL_addstring(buffer, escape);
    }
  }
  luaL_addchar(buffer, '"');
}

static void add_members(luaL_Buffer *buffer, const mt_plan *plan, const void *base, uint32_t available) {
  luaL_addchar(buffer, '{');
  for (uint32_t i = 0; i < plan->field_count; i++) {
    if (i > 0) luaL_addstring(buffer, ", ");
    luaL_addlstring(buffer, plan->fields[i].name, plan->fields[i].name_length);
    luaL_addchar(buffer, '=');
    add_value(buffer, &plan->fields[i], base, available);
  }
  luaL_addchar(buffer, '}');
}

static void add_elements(luaL_Buffer *buffer, const mt_field *field, const void *base, uint32_t available) {
  uint32_t count = mt_field_array_count(field, available);
  luaL_addchar(buffer, '{');
  for (uint32_t i = 0; i < count; i++) {
    uint32_t at = field->offset + i * field->element->size;
    if (i > 0) luaL_addstring(buffer, ", ");
    add_value(buffer, field->element, (const char *)base + at, available - at);
  }
  luaL_addchar(buffer, '}');
}

static void add_tuple(luaL_Buffer *buffer, const mt_plan *plan, const void *base, uint32_t available) {
  luaL_addchar(buffer, '{');
  for (uint32_t i = 0; i < plan->field_count; i++) {
    if (i > 0) luaL_addstring(buffer, ", ");
    add_value(buffer, &plan->fields[i], base, available);
  }
  luaL_addchar(buffer, '}');
}

static void add_optional(luaL_Buffer *buffer, const mt_field *field, const void *base, uint32_t available) {
  if (mt_field_is_present(field, base))
    add_value(buffer, field->element, (const char *)base + field->offset, available - field->offset);
  else
    luaL_addstring(buffer, "nil");
}

static void add_name(luaL_Buffer *buffer, const mt_field *field, const void *base) {
  size_t length;
  const char *text = mt_lua_field_name(buffer->L, field, base, &length);
  if (text)
    add_quoted(buffer, text, length);
  else
    luaL_addstring(buffer, "nil");
}

static void add_scalar(luaL_Buffer *buffer, const mt_field *field, const void *base, uint32_t available) {
  mt_lua_push_value(buffer->L, field, base, available);
  luaL_tolstring(buffer->L, -1, NULL);
  lua_remove(buffer->L, -2);
  luaL_addvalue(buffer);
}

static void add_text(luaL_Buffer *buffer, const mt_field *field, const void *base, uint32_t available) {
  uint32_t length;
  if (mt_field_text(field, base, available, &length))
    add_quoted(buffer, (const char *)base + field->offset, length);
  else
    luaL_addstring(buffer, "nil");
}

static void add_counted(luaL_Buffer *buffer, const mt_field *field, const void *base) {
  uint32_t length;
  const uint8_t *text = mt_field_counted(field, base, &length);
  add_quoted(buffer, (const char *)text, length);
}

static void add_value(luaL_Buffer *buffer, const mt_field *field, const void *base, uint32_t available) {
  const char *at = (const char *)base + field->offset;
  if (field->kind == MT_TEXT)
    add_text(buffer, field, base, available);
  else if (!mt_field_fits(field, available))
    luaL_addstring(buffer, "nil");
  else if (field->kind == MT_RECORD)
    add_members(buffer, field->record, at, available - field->offset);
  else if (field->kind == MT_TUPLE)
    add_tuple(buffer, field->record, at, available - field->offset);
  else if (field->kind == MT_OPTIONAL)
    add_optional(buffer, field, base, available);
  else if (field->kind == MT_NAMED)
    add_name(buffer, field, base);
  else if (field->kind == MT_ARRAY)
    add_elements(buffer, field, base, available);
  else if (field->kind == MT_COUNTED)
    add_counted(buffer, field, base);
  else if (field->kind == MT_BYTES)
    add_quoted(buffer, at, field->size);
  else
    add_scalar(buffer, field, base, available);
}

static int view_tostring(lua_State *L) {
  const mt_current *current = current_at(L, 1);
  if (!current) {
    lua_pushliteral(L, "stale event");
    return 1;
  }
  luaL_Buffer buffer;
  luaL_checkstack(L, 8, NULL);
  luaL_buffinit(L, &buffer);
  add_members(&buffer, current->stream->plan, current->base, current->size);
  luaL_pushresult(&buffer);
  return 1;
}

void mt_lua_views_open(lua_State *L) {
  const luaL_Reg metamethods[] = {
      {"__newindex", view_newindex}, {"__pairs", view_pairs}, {"__tostring", view_tostring}, {NULL, NULL}};
  lua_pushlightuserdata(L, NULL);
  luaL_newlib(L, metamethods);
  lua_pushcfunction(L, view_copy);
  lua_pushcclosure(L, view_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, "event");
  lua_setfield(L, -2, "__name");
  lua_pushliteral(L, "event");
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
}
