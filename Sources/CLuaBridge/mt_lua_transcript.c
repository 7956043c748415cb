// A copy of what scripts print, for those who show it elsewhere too.
#include "mt_lua_internal.h"

bool mt_lua_keep_transcript(mt_lua *lua, size_t limit) {
  if (!lua->transcript.bytes && !mt_output_open(&lua->transcript, -1)) return false;
  lua->transcript_limit = limit;
  return true;
}

void mt_lua_keep(mt_lua *lua, const void *text, size_t length) {
  if (lua->transcript.length >= lua->transcript_limit) return;
  size_t room = lua->transcript_limit - lua->transcript.length;
  mt_output_append(&lua->transcript, text, length < room ? length : room);
}

const char *mt_lua_transcript(const mt_lua *lua, size_t *length) {
  *length = lua->transcript.length;
  return lua->transcript.bytes;
}
