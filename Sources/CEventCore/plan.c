// Reading the fields of one record. Nothing here looks beyond the bytes that its caller vouches for.
#include "mt_plan.h"

#include <string.h>

// Of a NAMED value; an IPv6 address has two.
#define MOST_WORDS 4

// Copies of a constant size are single loads; this runs for every number that is read.
static uint64_t load_unsigned(const uint8_t *bytes, uint32_t size) {
  uint64_t value = 0;
  switch (size) {
    case 1: memcpy(&value, bytes, 1); break;
    case 2: memcpy(&value, bytes, 2); break;
    case 4: memcpy(&value, bytes, 4); break;
    case 8: memcpy(&value, bytes, 8); break;
    default: memcpy(&value, bytes, size < sizeof value ? size : sizeof value);
  }
  return value;
}

// Keeps the low `bits` bits and extends them to 64.
static int64_t extend(uint64_t value, unsigned bits, bool is_signed) {
  if (bits == 0 || bits >= 64) return (int64_t)value;
  unsigned unused = 64 - bits;
  value <<= unused;
  return is_signed ? (int64_t)value >> unused : (int64_t)(value >> unused);
}

int64_t mt_field_integer(const mt_field *field, const void *base) {
  uint64_t value = load_unsigned((const uint8_t *)base + field->offset, field->size);
  bool is_signed = field->kind == MT_SIGNED || (field->kind == MT_ENUM && field->is_signed);
  if (field->bit_size) return extend(value >> (field->bit_offset & 63), field->bit_size, is_signed);
  return extend(value, field->size * 8, is_signed);
}

double mt_field_float(const mt_field *field, const void *base) {
  const uint8_t *bytes = (const uint8_t *)base + field->offset;
  if (field->size == sizeof(float)) {
    float value;
    memcpy(&value, bytes, sizeof value);
    return value;
  }
  double value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

bool mt_field_text(const mt_field *field, const void *base, uint32_t available, uint32_t *length) {
  if (field->offset > available || (field->size != 0 && field->offset == available)) return false;
  uint32_t limit = available - field->offset;
  if (field->size != 0 && field->size < limit) limit = field->size;
  const uint8_t *text = (const uint8_t *)base + field->offset;
  const uint8_t *end = limit ? memchr(text, 0, limit) : NULL;
  *length = end ? (uint32_t)(end - text) : limit;
  return true;
}

uint32_t mt_field_text_length(const mt_field *field, const void *base) {
  const uint8_t *text = (const uint8_t *)base + field->offset;
  const uint8_t *end = field->size ? memchr(text, 0, field->size) : NULL;
  return end ? (uint32_t)(end - text) : field->size;
}

const uint8_t *mt_field_counted(const mt_field *field, const void *base, uint32_t *length) {
  const uint8_t *bytes = (const uint8_t *)base + field->offset;
  uint64_t count = load_unsigned(bytes, 8);
  *length = count < field->size - 8 ? (uint32_t)count : field->size - 8;
  return bytes + 8;
}

const char *mt_field_enum_name(const mt_field *field, int64_t value) {
  for (uint32_t i = 0; i < field->name_count; i++) {
    if (field->names[i].value == value) return field->names[i].name;
  }
  return NULL;
}

uint32_t mt_field_array_count(const mt_field *field, uint32_t available) {
  uint32_t stride = field->element->size;
  if (stride == 0 || field->offset > available) return 0;
  uint32_t held = (available - field->offset) / stride;
  return field->count != 0 && field->count < held ? field->count : held;
}

bool mt_field_is_present(const mt_field *field, const void *base) {
  return load_unsigned((const uint8_t *)base + field->offset, 8) != 0;
}

const char *mt_field_name(const mt_field *field, const void *base, size_t *length) {
  uint64_t words[MOST_WORDS];
  uint32_t count = field->size / 8 < MOST_WORDS ? field->size / 8 : MOST_WORDS;
  memcpy(words, (const uint8_t *)base + field->offset, count * sizeof *words);
  return field->namer->text(field->namer->context, field->naming, words, count, length);
}

// Of what may be cut, the presence word or the first byte must be there.
static uint32_t bytes_needed(const mt_field *field) {
  if (!field->may_be_cut) return field->size;
  return field->kind == MT_OPTIONAL ? 8 : field->size > 0;
}

bool mt_field_fits(const mt_field *field, uint32_t available) {
  return field->offset <= available && bytes_needed(field) <= available - field->offset;
}
