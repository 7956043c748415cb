// emit(record [, columns]): one record of the script's own making, or an event as it is, in the format that the user
// chose.
//
// Records with the same columns are one shape. A header is printed before the first record of each shape, and a table's
// column widths are fixed by it, because rows that stream can't be measured ahead. A record is written to a scratch
// buffer first, so that one that fails leaves no half line.
#include <lua5.4/lauxlib.h>
#include <string.h>

#include "mt_lua_internal.h"

enum { RECORD = 1, COLUMNS = 2, NARROWEST_TEXT = 16, WIDEST_CELL = 48 };

static char shapes_key;  // registry: shape (a plan, or the column names joined) -> userdata of widths

// --- columns

static void check_columns(lua_State *L) {
  if (!lua_istable(L, COLUMNS)) mt_lua_raise(L, "emit: the columns are a list of names, got %s", luaL_typename(L, COLUMNS));
  lua_Integer count = (lua_Integer)lua_rawlen(L, COLUMNS);
  if (count == 0) mt_lua_raise(L, "emit: the list of columns is empty");
  for (lua_Integer i = 1; i <= count; i++) {
    if (lua_rawgeti(L, COLUMNS, i) != LUA_TSTRING) {
      mt_lua_raise(L, "emit: column %d is no name but a %s", (int)i, luaL_typename(L, -1));
    }
    lua_pop(L, 1);
  }
}

static void collect_names(lua_State *L) {
  lua_newtable(L);
  lua_Integer count = 0;
  for (lua_pushnil(L); lua_next(L, RECORD); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING) {
      mt_lua_raise(L, "emit: a record's fields have names, but this one has a %s as a key", luaL_typename(L, -2));
    }
    lua_pushvalue(L, -2);
    lua_rawseti(L, COLUMNS, ++count);
  }
  if (count == 0) mt_lua_raise(L, "emit: the record is empty");
}

// A table has no order of its own: its columns come sorted. Insertion sort, because there are a handful.
static void sort_names(lua_State *L) {
  for (lua_Integer i = 2; i <= (lua_Integer)lua_rawlen(L, COLUMNS); i++) {
    for (lua_Integer j = i; j > 1; j--) {
      lua_rawgeti(L, COLUMNS, j - 1);
      lua_rawgeti(L, COLUMNS, j);
      bool ordered = !lua_compare(L, -1, -2, LUA_OPLT);
      if (ordered) {
        lua_pop(L, 2);
        break;
      }
      lua_rawseti(L, COLUMNS, j - 1);
      lua_rawseti(L, COLUMNS, j);
    }
  }
}

static void settle_columns(lua_State *L) {
  if (!lua_isnil(L, COLUMNS)) {
    check_columns(L);
    return;
  }
  lua_settop(L, RECORD);
  collect_names(L);
  sort_names(L);
}

// Pushes the name of a column, then its value. Both are to be popped.
static const char *push_column(lua_State *L, lua_Integer index, size_t *length) {
  lua_rawgeti(L, COLUMNS, index);
  const char *name = lua_tolstring(L, -1, length);
  lua_pushvalue(L, -1);
  lua_gettable(L, RECORD);
  return name;
}

// --- shapes

// Stack: shape. Leaves the shape and its widths there; NULL, and nil, when no such record has been printed.
static uint16_t *known_widths(lua_State *L) {
  luaL_checkstack(L, 8, NULL);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &shapes_key) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &shapes_key);
  }
  lua_pushvalue(L, -2);
  lua_rawget(L, -2);
  lua_remove(L, -2);
  return lua_touserdata(L, -1);
}

// Stack: shape, nil. Puts widths for `count` columns in the place of nil and remembers them.
static uint16_t *new_widths(lua_State *L, size_t count) {
  lua_pop(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &shapes_key);
  lua_pushvalue(L, -2);
  uint16_t *widths = lua_newuserdatauv(L, count * sizeof *widths, 0);
  lua_pushvalue(L, -1);
  lua_insert(L, -4);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  return widths;
}

static void push_shape(lua_State *L, lua_Integer count) {
  luaL_Buffer joined;
  luaL_buffinit(L, &joined);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, COLUMNS, i);
    luaL_addvalue(&joined);
    luaL_addchar(&joined, '\0');
  }
  luaL_pushresult(&joined);
}

static uint16_t width_for(lua_State *L, size_t name_length) {
  size_t width = 5;
  if (lua_type(L, -1) == LUA_TNUMBER) width = 8;
  if (lua_type(L, -1) == LUA_TSTRING) width = lua_rawlen(L, -1) < NARROWEST_TEXT ? NARROWEST_TEXT : lua_rawlen(L, -1);
  if (width > WIDEST_CELL) width = WIDEST_CELL;
  return (uint16_t)(width > name_length ? width : name_length);
}

// --- rows of tables

// Replaces the value on top by its text; tables become JSON, and nil `absent`.
static const char *value_text(lua_State *L, const char *absent, size_t *length) {
  if (lua_istable(L, -1)) {
    mt_lua_push_json(L, -1);
  } else if (lua_isnil(L, -1)) {
    lua_pushstring(L, absent);
  } else {
    luaL_tolstring(L, -1, NULL);
  }
  lua_remove(L, -2);
  return lua_tolstring(L, -1, length);
}

static void write_json(lua_State *L, mt_output *output, lua_Integer count) {
  for (lua_Integer i = 1; i <= count; i++) {
    size_t length;
    const char *name = push_column(L, i, &length);
    mt_output_append(output, i == 1 ? "{" : ",", 1);
    mt_output_json_string(output, name, length);
    mt_output_append(output, ":", 1);
    mt_lua_json(L, -1, output);
    lua_pop(L, 2);
  }
  mt_output_append(output, "}\n", 2);
}

static void write_csv(lua_State *L, mt_output *output, lua_Integer count, bool header) {
  for (lua_Integer i = 1; i <= count; i++) {
    size_t length;
    const char *text = push_column(L, i, &length);
    bool absent = lua_isnil(L, -1);
    if (!header) text = value_text(L, "", &length);
    if (i > 1) mt_output_append(output, ",", 1);
    if (header || !absent) mt_output_csv_string(output, text, length);
    lua_pop(L, 2);
  }
  mt_output_append(output, "\n", 1);
}

static void write_row(lua_State *L, mt_output *output, lua_Integer count, const uint16_t *widths) {
  for (lua_Integer i = 1; i <= count; i++) {
    size_t length;
    push_column(L, i, &length);
    bool number = lua_type(L, -1) == LUA_TNUMBER;
    const char *text = value_text(L, "-", &length);
    mt_output_table_cell(output, text, length, widths[i - 1], number, i == count);
    lua_pop(L, 2);
  }
}

// The header, which also sets the widths.
static void write_row_header(lua_State *L, mt_output *output, lua_Integer count, uint16_t *widths) {
  mt_output_begin_header(output);
  for (lua_Integer i = 1; i <= count; i++) {
    size_t length;
    const char *name = push_column(L, i, &length);
    bool number = lua_type(L, -1) == LUA_TNUMBER;
    widths[i - 1] = width_for(L, length);
    luaL_Buffer capitals;
    char *place = luaL_buffinitsize(L, &capitals, length);
    for (size_t at = 0; at < length; at++) place[at] = name[at] >= 'a' && name[at] <= 'z' ? name[at] - 32 : name[at];
    luaL_pushresultsize(&capitals, length);
    mt_output_table_cell(output, lua_tostring(L, -1), length, widths[i - 1], number, i == count);
    lua_pop(L, 3);
  }
  mt_output_end_header(output);
}

static void emit_table(lua_State *L, mt_format format, mt_output *output) {
  settle_columns(L);
  lua_Integer count = (lua_Integer)lua_rawlen(L, COLUMNS);
  if (format == MT_FORMAT_JSON) {
    write_json(L, output, count);
    return;
  }
  push_shape(L, count);
  uint16_t *widths = known_widths(L);
  bool fresh = widths == NULL;
  if (fresh) widths = new_widths(L, (size_t)count);
  if (format == MT_FORMAT_CSV) {
    if (fresh) write_csv(L, output, count, true);
    write_csv(L, output, count, false);
  } else {
    if (fresh) write_row_header(L, output, count, widths);
    write_row(L, output, count, widths);
  }
}

// --- events as they are

static void emit_view(lua_State *L, mt_format format, mt_output *output) {
  const mt_plan *plan;
  const void *base;
  uint32_t available;
  mt_lua_view(L, RECORD, &plan, &base, &available);
  if (format == MT_FORMAT_JSON) {
    mt_output_json_record(output, plan, base, available);
    return;
  }
  lua_pushlightuserdata(L, (void *)plan);
  uint16_t *widths = known_widths(L);
  bool fresh = widths == NULL;
  if (fresh) {
    widths = new_widths(L, plan->field_count + 1);
    mt_output_table_widths(plan, widths);
  }
  if (format == MT_FORMAT_CSV) {
    if (fresh) mt_output_csv_header(output, plan);
    mt_output_csv_record(output, plan, base, available);
  } else {
    if (fresh) mt_output_table_header(output, plan, widths);
    mt_output_table_record(output, plan, widths, base, available);
  }
}

static int emit(lua_State *L) {
  mt_lua *lua = mt_lua_of(L);
  mt_output *scratch = &lua->scratch;
  bool view = mt_lua_view(L, RECORD, NULL, NULL, NULL);
  if (lua_islightuserdata(L, RECORD) && !view) mt_lua_raise_stale(L);
  if (!view && !lua_istable(L, RECORD)) mt_lua_raise(L, "emit: expected a record, got %s", luaL_typename(L, RECORD));
  lua_settop(L, COLUMNS);
  if (!scratch->bytes && !mt_output_open(scratch, -1)) return luaL_error(L, "not enough memory");
  scratch->length = 0;
  scratch->colors = lua->config.output->colors;
  if (view && lua_isnil(L, COLUMNS)) {
    bool nested = mt_lua_enter_host(lua, false);  // which may have symbols to name
    emit_view(L, lua->config.format, scratch);
    mt_lua_leave_host(lua, nested);
  } else {
    emit_table(L, lua->config.format, scratch);
  }
  mt_lua_keep(lua, scratch->bytes, scratch->length);
  mt_output_append(lua->config.output, scratch->bytes, scratch->length);
  return 0;
}

void mt_lua_emit_open(lua_State *L) {
  lua_pushcfunction(L, emit);
  lua_setglobal(L, "emit");
}
