// What the formatting files share. Not part of the contract with other targets.
#pragma once
#include <string.h>

#include "mt_output.h"

// The most that one reservation may ask for; the buffer is never smaller.
#define MT_CHUNK 4096
// Enough for any number as text.
#define MT_NUMBER_BYTES 32

// How a JSON quotation mark is written: inside a CSV field it is doubled (RFC 4180).
typedef enum mt_quoting { MT_QUOTE_ONCE, MT_QUOTE_TWICE } mt_quoting;

// Frees at least `count` (up to MT_CHUNK) bytes behind `output->length`, by writing out, growing or dropping.
void mt_output_make_room(mt_output *output, size_t count);

// A place for `count` (up to MT_CHUNK) bytes; the caller adds what it used to `output->length`.
static inline char *mt_reserve(mt_output *output, size_t count) {
  if (output->capacity - output->length < count) mt_output_make_room(output, count);
  return output->bytes + output->length;
}

static inline void mt_put(mt_output *output, char byte) {
  *mt_reserve(output, 1) = byte;
  output->length++;
}

// Bytes that have been appended since the output was opened.
static inline uint64_t mt_position(const mt_output *output) {
  return output->taken + output->length;
}

static inline const uint8_t *mt_field_bytes(const mt_field *field, const void *base) {
  return (const uint8_t *)base + field->offset;
}

// --- format_number.c: text of numbers, written to MT_NUMBER_BYTES bytes; each returns the length.
size_t mt_format_unsigned(char *text, uint64_t value);
size_t mt_format_integer(char *text, int64_t value);
size_t mt_format_pointer(char *text, uint64_t value);
// Non-finite numbers are "nan", "inf" and "-inf". `single`: the value is a 32-bit float.
size_t mt_format_float(char *text, double value, bool single);
// An integer-like or float field as a table shows it: pointers in hexadecimal.
size_t mt_format_scalar(char *text, const mt_field *field, const void *base);

// --- format_text.c
// How many bytes the character at `bytes` takes; `*code_point` is U+FFFD for bytes that are not UTF-8, which are
// taken together as far as they could have begun a character (Unicode 15, section 3.9).
size_t mt_decode_utf8(const uint8_t *bytes, size_t length, uint32_t *code_point);
void mt_write_json_string(mt_output *output, const void *bytes, size_t length, mt_quoting quoting);
// Text with control characters as \xNN. Returns how many characters it shows.
size_t mt_write_visible(mt_output *output, const void *bytes, size_t length);
void mt_write_hex(mt_output *output, const uint8_t *bytes, size_t length);

// --- format_json.c
void mt_write_json_value(
    mt_output *output, const mt_field *field, const void *base, uint32_t available, mt_quoting quoting);
