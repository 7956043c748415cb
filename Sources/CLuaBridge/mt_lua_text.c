// Growing text outside Lua's memory.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mt_lua_internal.h"

bool mt_text_append(mt_text *text, const void *bytes, size_t length) {
  size_t needed = text->length + length + 1;
  if (needed > text->capacity) {
    size_t capacity = needed < 128 ? 128 : needed * 2;
    char *grown = realloc(text->bytes, capacity);
    if (!grown) return false;
    text->bytes = grown;
    text->capacity = capacity;
  }
  if (length) memcpy(text->bytes + text->length, bytes, length);
  text->length += length;
  text->bytes[text->length] = 0;
  return true;
}

bool mt_text_format(mt_text *text, const char *format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (length < 0) return false;
  size_t kept = (size_t)length < sizeof line ? (size_t)length : sizeof line - 1;
  return mt_text_append(text, line, kept);
}

void mt_text_free(mt_text *text) {
  free(text->bytes);
  *text = (mt_text){0};
}
