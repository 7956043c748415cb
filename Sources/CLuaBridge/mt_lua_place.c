// Where in the script something happens: positions and tracebacks of script frames.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mt_lua_internal.h"

enum {
  FRAMES_SHOWN = 20,
  // lua_getstack walks from the top each time; this bounds the search through deep recursion of library code.
  FRAMES_SEARCHED = 2000,
};

static bool is_script_frame(const lua_Debug *frame) {
  static const char library[] = "=[moontrace";
  return *frame->what != 'C' && strncmp(frame->source, library, sizeof library - 1) != 0;
}

bool mt_lua_where(lua_State *L, char *buffer, size_t capacity) {
  lua_Debug frame;
  for (int level = 0; level < FRAMES_SEARCHED && lua_getstack(L, level, &frame); level++) {
    if (!lua_getinfo(L, "Sl", &frame) || !is_script_frame(&frame)) continue;
    snprintf(buffer, capacity, "%s:%d", frame.short_src, frame.currentline);
    return true;
  }
  return false;
}

// What a library calls a function it was given says nothing to the script's author.
static bool has_name(lua_State *L, int level, const lua_Debug *frame) {
  lua_Debug caller;
  return frame->name && lua_getstack(L, level + 1, &caller) && lua_getinfo(L, "S", &caller) && is_script_frame(&caller);
}

static void append_frame(lua_State *L, int level, const lua_Debug *frame, mt_text *text) {
  mt_text_format(text, "\n  %s:%d: in ", frame->short_src, frame->currentline);
  if (*frame->what == 'm') {
    mt_text_format(text, "the main chunk");
  } else if (has_name(L, level, frame)) {
    bool plain = !*frame->namewhat || strcmp(frame->namewhat, "global") == 0;
    mt_text_format(text, "%s '%s'", plain ? "function" : frame->namewhat, frame->name);
  } else {
    mt_text_format(text, "the function at line %d", frame->linedefined);
  }
}

void mt_lua_append_traceback(lua_State *L, mt_text *text) {
  lua_Debug frame;
  int shown = 0;
  for (int level = 0; level < FRAMES_SEARCHED && lua_getstack(L, level, &frame); level++) {
    if (!lua_getinfo(L, "Sln", &frame) || !is_script_frame(&frame)) continue;
    if (shown++ == FRAMES_SHOWN) {
      mt_text_format(text, "\n  ...");
      return;
    }
    append_frame(L, level, &frame, text);
  }
}

int mt_lua_raise(lua_State *L, const char *format, ...) {
  char place[96];
  if (mt_lua_where(L, place, sizeof place)) {
    lua_pushfstring(L, "%s: ", place);
  } else {
    lua_pushliteral(L, "");
  }
  va_list arguments;
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  lua_concat(L, 2);
  return lua_error(L);
}
