// Numbers as text. Integers by hand: the default printing path writes millions of them a second.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "mt_format.h"

static const uint64_t powers_of_ten[20] = {
    1ULL,
    10ULL,
    100ULL,
    1000ULL,
    10000ULL,
    100000ULL,
    1000000ULL,
    10000000ULL,
    100000000ULL,
    1000000000ULL,
    10000000000ULL,
    100000000000ULL,
    1000000000000ULL,
    10000000000000ULL,
    100000000000000ULL,
    1000000000000000ULL,
    10000000000000000ULL,
    100000000000000000ULL,
    1000000000000000000ULL,
    10000000000000000000ULL,
};

static const char digit_pairs[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

// The decimal logarithm is near 1233/4096 of the binary one; the table settles which of two lengths it is.
static size_t digit_count(uint64_t value) {
  size_t bits = 64 - (size_t)__builtin_clzll(value | 1);
  size_t guess = bits * 1233 >> 12;
  return guess + (value >= powers_of_ten[guess]);
}

size_t mt_format_unsigned(char *text, uint64_t value) {
  size_t length = value ? digit_count(value) : 1;
  char *end = text + length;
  while (value >= 100) {
    end -= 2;
    memcpy(end, digit_pairs + value % 100 * 2, 2);
    value /= 100;
  }
  if (value >= 10) {
    memcpy(text, digit_pairs + value * 2, 2);
  } else {
    *text = (char)('0' + value);
  }
  return length;
}

size_t mt_format_integer(char *text, int64_t value) {
  if (value >= 0) return mt_format_unsigned(text, (uint64_t)value);
  *text = '-';
  return 1 + mt_format_unsigned(text + 1, -(uint64_t)value);
}

size_t mt_format_pointer(char *text, uint64_t value) {
  size_t digits = (64 - (size_t)__builtin_clzll(value | 1) + 3) / 4;
  memcpy(text, "0x", 2);
  for (size_t i = digits; i > 0; i--, value >>= 4) text[1 + i] = "0123456789abcdef"[value & 15];
  return 2 + digits;
}

static size_t format_non_finite(char *text, double value) {
  const char *name = isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  size_t length = strlen(name);
  memcpy(text, name, length);
  return length;
}

static bool reads_back(const char *text, double value, bool single) {
  return single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value;
}

size_t mt_format_float(char *text, double value, bool single) {
  if (!isfinite(value)) return format_non_finite(text, value);
  bool is_small_integer = fabs(value) < 1e15 && value == (double)(int64_t)value;
  if (is_small_integer && !(value == 0 && signbit(value))) return mt_format_integer(text, (int64_t)value);
  // Normal numbers that have a text of this many digits get it back from printf; subnormal ones may need fewer.
  bool is_subnormal = fabs(value) < (single ? 0x1p-126 : 0x1p-1022);
  int length = 0;
  for (int digits = is_subnormal ? 1 : single ? 6 : 15; digits <= 17; digits++) {
    length = snprintf(text, MT_NUMBER_BYTES, "%.*g", digits, value);
    if (reads_back(text, value, single)) break;
  }
  return (size_t)length;
}

static size_t format_word(char *text, bool value) {
  memcpy(text, value ? "true" : "false", 5);
  return value ? 4 : 5;
}

size_t mt_format_scalar(char *text, const mt_field *field, const void *base) {
  switch (field->kind) {
    case MT_FLOAT: return mt_format_float(text, mt_field_float(field, base), field->size == sizeof(float));
    case MT_BOOL: return format_word(text, mt_field_integer(field, base) != 0);
    case MT_POINTER: return mt_format_pointer(text, (uint64_t)mt_field_integer(field, base));
    case MT_UNSIGNED: return mt_format_unsigned(text, (uint64_t)mt_field_integer(field, base));
    case MT_ENUM:
      if (!field->is_signed) return mt_format_unsigned(text, (uint64_t)mt_field_integer(field, base));
      break;
    default: break;
  }
  return mt_format_integer(text, mt_field_integer(field, base));
}

void mt_output_integer(mt_output *output, int64_t value) {
  output->length += mt_format_integer(mt_reserve(output, MT_NUMBER_BYTES), value);
}

void mt_output_unsigned(mt_output *output, uint64_t value) {
  output->length += mt_format_unsigned(mt_reserve(output, MT_NUMBER_BYTES), value);
}

void mt_output_number(mt_output *output, double value) {
  if (!isfinite(value)) {
    mt_output_append(output, "null", 4);
    return;
  }
  output->length += mt_format_float(mt_reserve(output, MT_NUMBER_BYTES), value, false);
}
