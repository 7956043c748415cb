// Lua values to kernel bytes. Nothing here may raise: only raw access, and no Lua string is made.
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mt_lua_internal.h"
#include "mt_lua_suggest.h"

typedef struct mt_reader {
  lua_State *L;
  char *problem;
  size_t capacity;
} mt_reader;

static bool read_value(mt_reader *reader, int index, const mt_field *field, void *base);

// --- explaining

__attribute__((format(printf, 2, 3))) static bool refuse(mt_reader *reader, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(reader->problem, reader->capacity, format, arguments);
  va_end(arguments);
  return false;
}

// Puts where the problem is before what it is.
static bool refuse_within(mt_reader *reader, const char *place) {
  char inner[256];
  snprintf(inner, sizeof inner, "%s", reader->problem);
  return refuse(reader, "%s: %s", place, inner);
}

static const char *describe(lua_State *L, int index, char *buffer, size_t capacity) {
  switch (lua_type(L, index)) {
    case LUA_TNIL: return "nil";
    case LUA_TBOOLEAN: return lua_toboolean(L, index) ? "true" : "false";
    case LUA_TSTRING: return "a string";
    case LUA_TTABLE: return "a table";
    case LUA_TFUNCTION: return "a function";
    case LUA_TLIGHTUSERDATA: return "an event (pass e:copy())";
    case LUA_TNUMBER: break;
    default: return "an object";
  }
  if (lua_isinteger(L, index))
    snprintf(buffer, capacity, "%lld", (long long)lua_tointegerx(L, index, NULL));
  else
    snprintf(buffer, capacity, "%.14g", lua_tonumberx(L, index, NULL));
  return buffer;
}

static bool refuse_type(mt_reader *reader, int index, const char *expected) {
  char got[40];
  return refuse(reader, "expected %s, got %s", expected, describe(reader->L, index, got, sizeof got));
}

// --- scalars

static bool is_signed(const mt_field *field) {
  return field->kind == MT_SIGNED || (field->kind == MT_ENUM && field->is_signed);
}

static uint32_t bit_width(const mt_field *field) { return field->bit_size ? field->bit_size : field->size * 8; }

static const char *integer_type(const mt_field *field, char *buffer, size_t capacity) {
  if (field->kind == MT_POINTER) return "address";
  if (field->bit_size)
    snprintf(buffer, capacity, "%u bits", field->bit_size);
  else
    snprintf(buffer, capacity, "%c%u", is_signed(field) ? 's' : 'u', bit_width(field));
  return buffer;
}

// Changes the bits of the field only, since bit-fields share their storage.
static void store_integer(const mt_field *field, void *base, lua_Integer value) {
  uint64_t unit = 0, bits = (uint64_t)value;
  uint8_t *at = (uint8_t *)base + field->offset;
  if (field->bit_size) {
    memcpy(&unit, at, field->size);
    uint64_t mask = (~(uint64_t)0 >> (64 - field->bit_size)) << field->bit_offset;
    bits = (unit & ~mask) | ((bits << field->bit_offset) & mask);
  }
  memcpy(at, &bits, field->size);
}

// Unsigned 64-bit fields take every Lua integer: a negative one stands for the same 64 bits.
static bool store_in_range(mt_reader *reader, const mt_field *field, void *base, lua_Integer value) {
  uint32_t width = bit_width(field);
  if (width < 64) {
    long long span = 1LL << (is_signed(field) ? width - 1 : width);
    long long least = is_signed(field) ? -span : 0;
    char type[16];
    if (value < least || value >= span)
      return refuse(
          reader, "expected %lld…%lld (%s), got %lld", least, span - 1, integer_type(field, type, sizeof type),
          (long long)value);
  }
  store_integer(field, base, value);
  return true;
}

// A float with an exact integer value counts as one; a string of digits does not.
static bool exact_integer(lua_State *L, int index, lua_Integer *value) {
  int exact = 0;
  if (lua_type(L, index) == LUA_TNUMBER) *value = lua_tointegerx(L, index, &exact);
  return exact;
}

static bool read_integer(mt_reader *reader, int index, const mt_field *field, void *base) {
  lua_Integer value = 0;
  if (exact_integer(reader->L, index, &value)) return store_in_range(reader, field, base, value);
  char type[16], expected[40];
  snprintf(expected, sizeof expected, "an integer (%s)", integer_type(field, type, sizeof type));
  return refuse_type(reader, index, expected);
}

static bool read_bool(mt_reader *reader, int index, const mt_field *field, void *base) {
  if (!lua_isboolean(reader->L, index)) return refuse_type(reader, index, "true or false");
  store_integer(field, base, lua_toboolean(reader->L, index));
  return true;
}

static bool read_float(mt_reader *reader, int index, const mt_field *field, void *base) {
  if (lua_type(reader->L, index) != LUA_TNUMBER) return refuse_type(reader, index, "a number");
  double number = lua_tonumberx(reader->L, index, NULL);
  uint8_t *at = (uint8_t *)base + field->offset;
  if (field->size == sizeof(double)) {
    memcpy(at, &number, sizeof number);
    return true;
  }
  if (isfinite(number) && fabs(number) > FLT_MAX) return refuse_type(reader, index, "a number that a float can hold");
  float single = (float)number;
  memcpy(at, &single, sizeof single);
  return true;
}

static bool read_enum_name(mt_reader *reader, int index, const mt_field *field, void *base) {
  size_t length;
  const char *name = lua_tolstring(reader->L, index, &length);
  mt_suggestion near = mt_suggestion_for(name, length);
  for (uint32_t i = 0; i < field->name_count; i++) {
    if (strcmp(field->names[i].name, name) == 0) {
      store_integer(field, base, field->names[i].value);
      return true;
    }
    mt_suggestion_offer(&near, field->names[i].name, strlen(field->names[i].name));
  }
  char hint[96];
  return refuse(reader, "the enum has no value '%.64s'%s", name, mt_suggestion_hint(&near, hint, sizeof hint));
}

static bool read_enum(mt_reader *reader, int index, const mt_field *field, void *base) {
  if (lua_type(reader->L, index) == LUA_TSTRING) return read_enum_name(reader, index, field, base);
  lua_Integer value = 0;
  if (exact_integer(reader->L, index, &value)) return store_in_range(reader, field, base, value);
  return refuse_type(reader, index, "an enum value's name or an integer");
}

static bool read_text(mt_reader *reader, int index, const mt_field *field, void *base) {
  if (lua_type(reader->L, index) != LUA_TSTRING) return refuse_type(reader, index, "a string");
  size_t length;
  const char *text = lua_tolstring(reader->L, index, &length);
  if (length > field->size)
    return refuse(reader, "expected at most %u bytes of text, got %zu", field->size, length);
  uint8_t *at = (uint8_t *)base + field->offset;
  memcpy(at, text, length);
  memset(at + length, 0, field->size - length);
  return true;
}

static bool read_counted(mt_reader *reader, int index, const mt_field *field, void *base) {
  if (lua_type(reader->L, index) != LUA_TSTRING) return refuse_type(reader, index, "a string");
  size_t length, room = field->size - 8;
  const char *text = lua_tolstring(reader->L, index, &length);
  if (length > room) return refuse(reader, "expected at most %zu bytes of text, got %zu", room, length);
  uint8_t *at = (uint8_t *)base + field->offset;
  uint64_t count = length;
  memcpy(at, &count, sizeof count);
  memcpy(at + 8, text, length);
  memset(at + 8 + length, 0, room - length);
  return true;
}

static bool read_bytes(mt_reader *reader, int index, const mt_field *field, void *base) {
  char expected[48];
  snprintf(expected, sizeof expected, "a string of %u bytes", field->size);
  if (lua_type(reader->L, index) != LUA_TSTRING) return refuse_type(reader, index, expected);
  size_t length;
  const char *bytes = lua_tolstring(reader->L, index, &length);
  if (length != field->size) return refuse(reader, "expected %s, got %zu bytes", expected, length);
  memcpy((uint8_t *)base + field->offset, bytes, length);
  return true;
}

// --- lists and records: the table is at `index`, the entry's key and value on top

static bool read_element(mt_reader *reader, const mt_field *field, void *base) {
  lua_Integer position;
  if (!lua_isinteger(reader->L, -2)) return refuse(reader, "expected a list, got a table with names in it");
  position = lua_tointegerx(reader->L, -2, NULL);
  if (position < 1 || position > field->count)
    return refuse(reader, "expected at most %u elements, got one at %lld", field->count, (long long)position);
  uint8_t *at = (uint8_t *)base + field->offset + (size_t)(position - 1) * field->element->size;
  if (read_value(reader, lua_gettop(reader->L), field->element, at)) return true;
  char place[40];
  snprintf(place, sizeof place, "element %lld", (long long)position);
  return refuse_within(reader, place);
}

static const mt_field *member_by_name(mt_reader *reader, const mt_plan *plan) {
  size_t length;
  const char *name = lua_tolstring(reader->L, -2, &length);
  mt_suggestion near = mt_suggestion_for(name, length);
  for (uint32_t i = 0; i < plan->field_count; i++) {
    const mt_field *member = &plan->fields[i];
    if (member->name_length == length && memcmp(member->name, name, length) == 0) return member;
    mt_suggestion_offer(&near, member->name, member->name_length);
  }
  char hint[96];
  mt_suggestion_hint(&near, hint, sizeof hint);
  refuse(reader, "%s has no member '%.64s'%s", plan->name[0] ? plan->name : "the struct", name, hint);
  return NULL;
}

static const mt_field *member_by_position(mt_reader *reader, const mt_plan *plan) {
  lua_Integer position = lua_tointegerx(reader->L, -2, NULL);
  if (position >= 1 && position <= plan->field_count) return &plan->fields[position - 1];
  const char *name = plan->name[0] ? plan->name : "the struct";
  refuse(reader, "%s has %u members, got one at %lld", name, plan->field_count, (long long)position);
  return NULL;
}

static bool read_member(mt_reader *reader, const mt_plan *plan, bool named, void *base) {
  if (lua_type(reader->L, -2) != LUA_TSTRING && (named || !lua_isinteger(reader->L, -2)))
    return refuse(reader, "expected members all by name or all in a list, got a mixture");
  const mt_field *member = named ? member_by_name(reader, plan) : member_by_position(reader, plan);
  if (!member) return false;
  if (read_value(reader, lua_gettop(reader->L), member, base)) return true;
  char place[96];
  snprintf(place, sizeof place, "member '%.64s'", member->name);
  return refuse_within(reader, place);
}

// Records of probes have all of their members: one that is missing would be nil to Lua but 0 to the kernel.
static bool has_member(lua_State *L, int table, const mt_field *member) {
  bool found = false;
  for (lua_pushnil(L); !found && lua_next(L, table);) {
    size_t length;
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &length) : NULL;
    found = name && member->name_length == length && memcmp(member->name, name, length) == 0;
    lua_pop(L, found ? 2 : 1);
  }
  return found;
}

static bool check_members(mt_reader *reader, int table, const mt_plan *plan) {
  for (uint32_t i = 0; i < plan->field_count; i++) {
    const mt_field *member = &plan->fields[i];
    if (member->kind != MT_OPTIONAL && !has_member(reader->L, table, member))
      return refuse(reader, "member '%.64s' is missing", member->name);
  }
  return true;
}

static bool has_names(lua_State *L, int table) {
  lua_pushnil(L);
  while (lua_next(L, table)) {
    bool named = lua_type(L, -2) == LUA_TSTRING;
    lua_pop(L, named ? 2 : 1);
    if (named) return true;
  }
  return false;
}

static bool read_entries(mt_reader *reader, int table, const mt_field *field, void *base) {
  lua_State *L = reader->L;
  bool complete = field->kind == MT_RECORD && field->may_be_cut;
  if (complete && !check_members(reader, table, field->record)) return false;
  bool named = field->kind == MT_RECORD && (complete || has_names(L, table));
  lua_pushnil(L);
  while (lua_next(L, table)) {
    bool read = field->kind == MT_RECORD ? read_member(reader, field->record, named, (uint8_t *)base + field->offset)
                                         : read_element(reader, field, base);
    lua_pop(L, read ? 1 : 2);
    if (!read) return false;
  }
  return true;
}

static bool read_table(mt_reader *reader, int index, const mt_field *field, void *base) {
  if (lua_type(reader->L, index) != LUA_TTABLE)
    return refuse_type(reader, index, field->kind == MT_RECORD ? "a table of members" : "a list");
  if (!lua_checkstack(reader->L, 3)) return refuse(reader, "out of memory");
  memset((uint8_t *)base + field->offset, 0, field->size);
  return read_entries(reader, lua_absindex(reader->L, index), field, base);
}

static bool check_length(mt_reader *reader, int table, uint32_t count) {
  size_t length = lua_rawlen(reader->L, table);
  return length <= count || refuse(reader, "expected a list of %u values, got %zu", count, length);
}

static bool read_tuple(mt_reader *reader, int index, const mt_field *field, void *base) {
  lua_State *L = reader->L;
  const mt_plan *plan = field->record;
  if (lua_type(L, index) != LUA_TTABLE) return refuse_type(reader, index, "a list");
  if (!lua_checkstack(L, 3)) return refuse(reader, "out of memory");
  int table = lua_absindex(L, index);
  bool good = check_length(reader, table, plan->field_count);
  for (uint32_t i = 0; good && i < plan->field_count; i++) {
    lua_rawgeti(L, table, (lua_Integer)i + 1);
    good = read_value(reader, lua_gettop(L), &plan->fields[i], (uint8_t *)base + field->offset);
    lua_pop(L, 1);
    char place[40];
    snprintf(place, sizeof place, "element %u", i + 1);
    if (!good) refuse_within(reader, place);
  }
  return good;
}

static bool read_optional(mt_reader *reader, int index, const mt_field *field, void *base) {
  uint8_t *at = (uint8_t *)base + field->offset;
  uint64_t present = !lua_isnil(reader->L, index);
  memset(at, 0, field->size);
  memcpy(at, &present, sizeof present);
  return !present || read_value(reader, index, field->element, at);
}

static bool read_words(mt_reader *reader, int table, const mt_field *field, void *base) {
  for (uint32_t i = 0; i < field->size / 8; i++) {
    lua_Integer word = 0;
    lua_rawgeti(reader->L, table, (lua_Integer)i + 1);
    bool integer = exact_integer(reader->L, -1, &word);
    lua_pop(reader->L, 1);
    if (!integer) return refuse(reader, "expected a list of %u integers", field->size / 8);
    memcpy((uint8_t *)base + field->offset + i * 8, &word, sizeof word);
  }
  return true;
}

// The text of a symbol or stack can't be turned back into its words.
static bool read_name(mt_reader *reader, int index, const mt_field *field, void *base) {
  lua_Integer word = 0;
  if (field->size > 8) {
    if (lua_type(reader->L, index) != LUA_TTABLE || !lua_checkstack(reader->L, 1))
      return refuse_type(reader, index, "a list of integers (names can't be turned back)");
    return read_words(reader, lua_absindex(reader->L, index), field, base);
  }
  if (!exact_integer(reader->L, index, &word))
    return refuse_type(reader, index, "an integer (names can't be turned back)");
  memcpy((uint8_t *)base + field->offset, &word, sizeof word);
  return true;
}

static bool read_value(mt_reader *reader, int index, const mt_field *field, void *base) {
  switch (field->kind) {
    case MT_SIGNED:
    case MT_UNSIGNED:
    case MT_POINTER: return read_integer(reader, index, field, base);
    case MT_BOOL: return read_bool(reader, index, field, base);
    case MT_FLOAT: return read_float(reader, index, field, base);
    case MT_ENUM: return read_enum(reader, index, field, base);
    case MT_TEXT: return read_text(reader, index, field, base);
    case MT_COUNTED: return read_counted(reader, index, field, base);
    case MT_BYTES: return read_bytes(reader, index, field, base);
    case MT_ARRAY:
    case MT_RECORD: return read_table(reader, index, field, base);
    case MT_TUPLE: return read_tuple(reader, index, field, base);
    case MT_OPTIONAL: return read_optional(reader, index, field, base);
    case MT_NAMED: return read_name(reader, index, field, base);
  }
  return refuse(reader, "the type has no reading");
}

bool mt_lua_read_value(
    lua_State *L, int index, const mt_field *field, void *base, char *problem, size_t capacity) {
  mt_reader reader = {L, problem, capacity};
  return read_value(&reader, index, field, base);
}
