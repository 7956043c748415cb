// Records as aligned rows for a terminal: numbers to the right, text to the left, names in capitals.
#include "mt_format.h"

#define WIDEST_TEXT 32
#define WIDEST_ENUM 24
#define NESTED_WIDTH 16
// "0x" and 16 digits.
#define POINTER_WIDTH 18

static bool aligns_right(const mt_field *field) {
  switch (field->kind) {
    case MT_SIGNED:
    case MT_UNSIGNED:
    case MT_FLOAT:
    case MT_POINTER: return true;
    case MT_OPTIONAL: return aligns_right(field->element);
    default: return false;
  }
}

static void write_spaces(mt_output *output, size_t count) {
  while (count > 0) {
    size_t piece = count < MT_CHUNK ? count : MT_CHUNK;
    memset(mt_reserve(output, piece), ' ', piece);
    output->length += piece;
    count -= piece;
  }
}

static void pad(mt_output *output, size_t shown, size_t width) {
  if (shown < width) write_spaces(output, width - shown);
}

// Everything but text-like cells fits a small buffer. Returns 0 for those.
static size_t format_number_cell(char *text, const mt_field *field, const void *base, uint32_t available) {
  if (!aligns_right(field)) return 0;
  if (field->kind == MT_OPTIONAL) {
    if (mt_field_fits(field, available) && mt_field_is_present(field, base)) {
      return format_number_cell(text, field->element, mt_field_bytes(field, base), available - field->offset);
    }
  } else if (mt_field_fits(field, available)) {
    return mt_format_scalar(text, field, base);
  }
  *text = '-';
  return 1;
}

static size_t write_enum(mt_output *output, const mt_field *field, const void *base) {
  const char *name = mt_field_enum_name(field, mt_field_integer(field, base));
  if (name) return mt_write_visible(output, name, strlen(name));
  size_t length = mt_format_scalar(mt_reserve(output, MT_NUMBER_BYTES), field, base);
  output->length += length;
  return length;
}

// Bytes stand for characters here: nested text beyond ASCII makes its cell a little narrower.
static size_t write_nested(mt_output *output, const mt_field *field, const void *base, uint32_t available) {
  uint64_t start = mt_position(output);
  if (field->kind == MT_BYTES) {
    mt_write_hex(output, mt_field_bytes(field, base), field->size);
  } else {
    mt_write_json_value(output, field, base, available, MT_QUOTE_ONCE);
  }
  return (size_t)(mt_position(output) - start);
}

static size_t write_absent(mt_output *output) {
  mt_put(output, '-');
  return 1;
}

// A stack's lines stand in one cell, callers behind what they called.
static size_t write_name(mt_output *output, const mt_field *field, const void *base) {
  size_t length, shown = 0;
  const char *text = mt_field_name(field, base, &length);
  if (!text) return write_absent(output);
  for (const char *end = text + length, *line = text; line < end;) {
    const char *stop = memchr(line, '\n', (size_t)(end - line));
    if (!stop) stop = end;
    shown += mt_write_visible(output, line, (size_t)(stop - line));
    if (stop < end) shown += mt_write_visible(output, " < ", 3);
    line = stop + 1;
  }
  return shown;
}

// Returns how many characters the cell shows.
static size_t write_text_cell(mt_output *output, const mt_field *field, const void *base, uint32_t available) {
  uint32_t length;
  if (field->kind == MT_TEXT && mt_field_text(field, base, available, &length)) {
    return mt_write_visible(output, mt_field_bytes(field, base), length);
  }
  if (field->kind == MT_TEXT || !mt_field_fits(field, available)) return write_absent(output);
  if (field->kind == MT_OPTIONAL) {
    if (!mt_field_is_present(field, base)) return write_absent(output);
    return write_text_cell(output, field->element, mt_field_bytes(field, base), available - field->offset);
  }
  if (field->kind == MT_COUNTED) {
    const uint8_t *text = mt_field_counted(field, base, &length);
    return mt_write_visible(output, text, length);
  }
  if (field->kind == MT_NAMED) return write_name(output, field, base);
  if (field->kind == MT_ENUM) return write_enum(output, field, base);
  return write_nested(output, field, base, available);
}

// Behind a last cell that shows nothing, blanks would stand at the end.
static void end_row(mt_output *output, bool last_is_empty) {
  while (last_is_empty && output->length > 0 && output->bytes[output->length - 1] == ' ') output->length--;
  mt_put(output, '\n');
}

void mt_output_table_record(
    mt_output *output, const mt_plan *plan, const uint16_t *widths, const void *base, uint32_t available) {
  size_t shown = 0;
  for (uint32_t i = 0; i < plan->field_count; i++) {
    const mt_field *field = &plan->fields[i];
    char number[MT_NUMBER_BYTES];
    size_t length = format_number_cell(number, field, base, available);
    if (i > 0) mt_put(output, ' ');
    if (length > 0) {
      pad(output, length, widths[i]);
      mt_output_append(output, number, length);
    } else {
      length = write_text_cell(output, field, base, available);
      if (i + 1 < plan->field_count) pad(output, length, widths[i]);
    }
    shown = length;
  }
  end_row(output, shown == 0);
}

// Names come from an object's BTF, which may hold anything.
static size_t write_capitals(mt_output *output, const mt_field *field) {
  uint64_t start = mt_position(output);
  size_t shown = mt_write_visible(output, field->name, field->name_length);
  size_t count = (size_t)(mt_position(output) - start);
  if (count > output->length) return shown;  // so long that a part has left already
  for (char *letter = output->bytes + output->length - count; count > 0; count--, letter++) {
    if (*letter >= 'a' && *letter <= 'z') *letter -= 'a' - 'A';
  }
  return shown;
}

#define BOLD "\x1b[1m"
#define PLAIN "\x1b[0m"

void mt_output_begin_header(mt_output *output) {
  if (output->colors) mt_output_append(output, BOLD, sizeof BOLD - 1);
}

// The newline comes last, where the row's blanks have been cut already.
void mt_output_end_header(mt_output *output) {
  if (!output->colors) return;
  if (output->length > 0 && output->bytes[output->length - 1] == '\n') output->length--;
  mt_output_append(output, PLAIN "\n", sizeof PLAIN);
}

void mt_output_table_header(mt_output *output, const mt_plan *plan, const uint16_t *widths) {
  mt_output_begin_header(output);
  for (uint32_t i = 0; i < plan->field_count; i++) {
    const mt_field *field = &plan->fields[i];
    if (i > 0) mt_put(output, ' ');
    if (aligns_right(field)) {
      pad(output, field->name_length, widths[i]);
      write_capitals(output, field);
    } else {
      size_t shown = write_capitals(output, field);
      if (i + 1 < plan->field_count) pad(output, shown, widths[i]);
    }
  }
  mt_put(output, '\n');
  mt_output_end_header(output);
}

// Narrower than the widest value: a process ID has 7 digits, a 64-bit number is mostly a duration or a size.
static uint32_t integer_width(const mt_field *field) {
  uint32_t bits = field->bit_size ? field->bit_size : field->size * 8;
  return bits <= 8 ? 4 : bits <= 16 ? 6 : bits <= 32 ? 8 : 12;
}

static uint32_t enum_width(const mt_field *field) {
  size_t longest = 4;
  for (uint32_t i = 0; i < field->name_count; i++) {
    size_t length = strlen(field->names[i].name);
    if (length > longest) longest = length;
  }
  return longest < WIDEST_ENUM ? (uint32_t)longest : WIDEST_ENUM;
}

static uint32_t at_most(uint32_t width, uint32_t limit) {
  return width < limit ? width : limit;
}

static uint32_t value_width(const mt_field *field) {
  switch (field->kind) {
    case MT_SIGNED:
    case MT_UNSIGNED: return integer_width(field);
    case MT_BOOL: return 5;
    case MT_FLOAT: return 10;
    case MT_ENUM: return enum_width(field);
    case MT_POINTER: return POINTER_WIDTH;
    case MT_TEXT: return field->size ? at_most(field->size, WIDEST_TEXT) : NESTED_WIDTH;
    case MT_COUNTED: return at_most(field->size - 8, WIDEST_TEXT);
    case MT_BYTES: return field->size < WIDEST_TEXT ? at_most(2 * field->size, WIDEST_TEXT) : WIDEST_TEXT;
    case MT_OPTIONAL: return value_width(field->element);
    case MT_NAMED: return WIDEST_ENUM;
    case MT_ARRAY:
    case MT_TUPLE:
    case MT_RECORD: return NESTED_WIDTH;
  }
  return 0;
}

void mt_output_table_widths(const mt_plan *plan, uint16_t *widths) {
  for (uint32_t i = 0; i < plan->field_count; i++) {
    const mt_field *field = &plan->fields[i];
    uint32_t width = value_width(field);
    widths[i] = (uint16_t)at_most(width > field->name_length ? width : field->name_length, UINT16_MAX);
  }
}

void mt_output_table_cell(mt_output *output, const char *text, size_t length, uint16_t width, bool right, bool last) {
  size_t shown = length;
  if (right) {
    pad(output, length, width);
    mt_output_append(output, text, length);
  } else {
    shown = mt_write_visible(output, text, length);
    if (!last) pad(output, shown, width);
  }
  if (last)
    end_row(output, shown == 0);
  else
    mt_put(output, ' ');
}
