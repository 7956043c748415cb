// Records as CSV (RFC 4180, with line feeds as Unix tools expect).
#include "mt_format.h"

static void write_text(mt_output *output, const mt_field *field, const void *base, uint32_t available) {
  uint32_t length;
  if (mt_field_text(field, base, available, &length)) {
    mt_output_csv_string(output, mt_field_bytes(field, base), length);
  }
}

static void write_counted(mt_output *output, const mt_field *field, const void *base) {
  uint32_t length;
  const uint8_t *text = mt_field_counted(field, base, &length);
  mt_output_csv_string(output, text, length);
}

static void write_enum(mt_output *output, const mt_field *field, const void *base) {
  const char *name = mt_field_enum_name(field, mt_field_integer(field, base));
  if (name) {
    mt_output_csv_string(output, name, strlen(name));
  } else {
    output->length += mt_format_scalar(mt_reserve(output, MT_NUMBER_BYTES), field, base);
  }
}

static void write_nested(mt_output *output, const mt_field *field, const void *base, uint32_t available) {
  mt_put(output, '"');
  mt_write_json_value(output, field, base, available, MT_QUOTE_TWICE);
  mt_put(output, '"');
}

static void write_name(mt_output *output, const mt_field *field, const void *base) {
  size_t length;
  const char *text = mt_field_name(field, base, &length);
  if (text) mt_output_csv_string(output, text, length);
}

// A value that is nil, or that the record is too short for, stays empty.
static void write_value(mt_output *output, const mt_field *field, const void *base, uint32_t available) {
  if (field->kind == MT_TEXT) {
    write_text(output, field, base, available);
    return;
  }
  if (!mt_field_fits(field, available)) return;
  switch (field->kind) {
    case MT_ENUM: write_enum(output, field, base); break;
    case MT_COUNTED: write_counted(output, field, base); break;
    case MT_BYTES: mt_write_hex(output, mt_field_bytes(field, base), field->size); break;
    case MT_NAMED: write_name(output, field, base); break;
    case MT_OPTIONAL:
      if (mt_field_is_present(field, base)) {
        write_value(output, field->element, mt_field_bytes(field, base), available - field->offset);
      }
      break;
    case MT_ARRAY:
    case MT_TUPLE:
    case MT_RECORD: write_nested(output, field, base, available); break;
    case MT_FLOAT:
    case MT_BOOL: output->length += mt_format_scalar(mt_reserve(output, MT_NUMBER_BYTES), field, base); break;
    default: mt_write_json_value(output, field, base, available, MT_QUOTE_ONCE);
  }
}

void mt_output_csv_record(mt_output *output, const mt_plan *plan, const void *base, uint32_t available) {
  for (uint32_t i = 0; i < plan->field_count; i++) {
    if (i > 0) mt_put(output, ',');
    write_value(output, &plan->fields[i], base, available);
  }
  mt_put(output, '\n');
}

void mt_output_csv_header(mt_output *output, const mt_plan *plan) {
  for (uint32_t i = 0; i < plan->field_count; i++) {
    if (i > 0) mt_put(output, ',');
    mt_output_csv_string(output, plan->fields[i].name, plan->fields[i].name_length);
  }
  mt_put(output, '\n');
}
