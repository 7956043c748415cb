// The files that the executable carries inside: the Lua library and recipes of lua-lib/, and libbpf's headers for
// programs written in C.
#pragma once
#include <stddef.h>

typedef struct mt_library_file {
  const char *path;  // below lua-lib/, or "include/bpf/NAME.h"
  const unsigned char *bytes;
  size_t size;
} mt_library_file;

extern const mt_library_file *const mt_library_files;
extern const size_t mt_library_file_count;
