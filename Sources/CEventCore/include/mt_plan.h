// A decode plan says how the bytes of one record read as named values. Plans are built once per record type
// from BTF and never change while a source that uses them is open.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum mt_kind {
  MT_SIGNED,    // 1, 2, 4 or 8 bytes, or a bit-field
  MT_UNSIGNED,  // likewise
  MT_BOOL,
  MT_FLOAT,     // 4 or 8 bytes
  MT_ENUM,      // an integer whose values have names
  MT_POINTER,   // an address
  MT_TEXT,      // char[N], ends at the first NUL or at N
  MT_COUNTED,   // text of which any byte may be 0: 8 bytes, its length, and behind them the text
  MT_BYTES,     // opaque: anything without a better reading, such as __int128
  MT_ARRAY,     // `count` elements of `element`
  MT_RECORD,    // a nested struct or union
  MT_TUPLE,     // the fields of `record`, nameless: a list
  MT_OPTIONAL,  // 8 bytes, 0 for nil, otherwise 1, and behind them the value, `element`
  MT_NAMED,     // words that read as text: an address that is a symbol, a stack; `namer` makes it
} mt_kind;

// Makes the text of MT_NAMED values. It is only called when such a value is read.
typedef struct mt_namer {
  // The text of `count` words, not NUL-terminated and valid until the next call; NULL: the value is nil.
  const char *(*text)(void *context, uint32_t naming, const uint64_t *words, uint32_t count, size_t *length);
  void *context;
} mt_namer;

typedef struct mt_enum_name {
  int64_t value;  // unsigned enums: the same 64 bits
  const char *name;
} mt_enum_name;

typedef struct mt_plan mt_plan;

typedef struct mt_field {
  const char *name;        // NUL-terminated; "" for array elements and bare values
  uint32_t name_length;
  mt_kind kind;
  bool is_signed;          // MT_ENUM: how to extend the integer
  uint8_t bit_size;        // 0: not a bit-field
  uint8_t bit_offset;      // bit-fields: bits above the lowest bit of the `size` bytes at `offset` (little endian)
  uint32_t offset;         // bytes from the start of the enclosing record
  uint32_t size;           // bytes; a bit-field's storage; 0 for a flexible array
  uint32_t count;          // MT_ARRAY: elements; 0 is a flexible array, as long as the record's bytes last
  const struct mt_field *element;  // MT_ARRAY; MT_OPTIONAL: at offset 8 from the field's own bytes
  const mt_plan *record;           // MT_RECORD, MT_TUPLE
  bool may_be_cut;                 // MT_RECORD, MT_TUPLE, MT_OPTIONAL: the record's end may cut it, as it may text
  uint32_t naming;                 // MT_NAMED: what the namer makes of it
  const mt_namer *namer;           // MT_NAMED
  const mt_enum_name *names;       // MT_ENUM, in declaration order
  uint32_t name_count;
} mt_field;

struct mt_plan {
  const char *name;  // the type's name, "" when it has none
  uint32_t size;     // bytes; a flexible last member is not counted
  uint32_t field_count;
  const mt_field *fields;
};

// Reads an integer-like field (SIGNED, UNSIGNED, BOOL, ENUM, POINTER) whose bytes start at `base + field->offset`,
// sign- or zero-extended to 64 bits. The caller has checked that the bytes are there.
int64_t mt_field_integer(const mt_field *field, const void *base);
// Reads a FLOAT field.
double mt_field_float(const mt_field *field, const void *base);
// Whether a TEXT field begins inside a record of `available` bytes, and how long its string is then. Programs often
// send a record only as far as its last text reaches, so text may be cut by the record's end; flexible text
// (size 0) always is.
bool mt_field_text(const mt_field *field, const void *base, uint32_t available, uint32_t *length);
// The length of a TEXT field's string when the field fits whole; 0 for flexible text, which needs mt_field_text.
uint32_t mt_field_text_length(const mt_field *field, const void *base);
// The text of a COUNTED field that fits, and its length.
const uint8_t *mt_field_counted(const mt_field *field, const void *base, uint32_t *length);
// The name of an enum value, or NULL when it has none.
const char *mt_field_enum_name(const mt_field *field, int64_t value);
// The number of elements of an ARRAY field in a record of `available` bytes counted from `base`. Elements of 0 bytes
// count as none.
uint32_t mt_field_array_count(const mt_field *field, uint32_t available);
// Whether a record of `available` bytes holds all of `field`; of flexible fields and those that may be cut, their start.
bool mt_field_fits(const mt_field *field, uint32_t available);
// Whether an OPTIONAL field that fits has a value.
bool mt_field_is_present(const mt_field *field, const void *base);
// The text of a NAMED field that fits; valid until the next call. NULL: nil.
const char *mt_field_name(const mt_field *field, const void *base, size_t *length);
