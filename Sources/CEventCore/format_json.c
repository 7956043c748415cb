// Records as JSON, and as CSV rows, whose nested values are JSON.
#include <math.h>

#include "mt_format.h"

static void write_null(mt_output *output) {
  mt_output_append(output, "null", 4);
}

static void write_quote(mt_output *output, mt_quoting quoting) {
  mt_output_append(output, "\"\"", quoting == MT_QUOTE_TWICE ? 2 : 1);
}

static void write_float(mt_output *output, const mt_field *field, const void *base) {
  double value = mt_field_float(field, base);
  if (!isfinite(value)) {
    write_null(output);
    return;
  }
  output->length +=
      mt_format_float(mt_reserve(output, MT_NUMBER_BYTES), value, field->size == sizeof(float));
}

static void write_enum(mt_output *output, const mt_field *field, const void *base, mt_quoting quoting) {
  const char *name = mt_field_enum_name(field, mt_field_integer(field, base));
  if (name) {
    mt_write_json_string(output, name, strlen(name), quoting);
  } else {
    output->length += mt_format_scalar(mt_reserve(output, MT_NUMBER_BYTES), field, base);
  }
}

static void write_text(
    mt_output *output, const mt_field *field, const void *base, uint32_t available, mt_quoting quoting) {
  uint32_t length;
  if (mt_field_text(field, base, available, &length)) {
    mt_write_json_string(output, mt_field_bytes(field, base), length, quoting);
  } else {
    write_null(output);
  }
}

static void write_bytes(mt_output *output, const mt_field *field, const void *base, mt_quoting quoting) {
  write_quote(output, quoting);
  mt_write_hex(output, mt_field_bytes(field, base), field->size);
  write_quote(output, quoting);
}

static void write_array(
    mt_output *output, const mt_field *field, const void *base, uint32_t available, mt_quoting quoting) {
  const mt_field *element = field->element;
  uint32_t count = mt_field_array_count(field, available);
  const uint8_t *bytes = mt_field_bytes(field, base);
  mt_put(output, '[');
  for (uint32_t i = 0; i < count; i++, bytes += element->size) {
    if (i > 0) mt_put(output, ',');
    mt_write_json_value(output, element, bytes, element->size, quoting);
  }
  mt_put(output, ']');
}

static void write_object(
    mt_output *output, const mt_plan *plan, const void *base, uint32_t available, mt_quoting quoting) {
  mt_put(output, '{');
  for (uint32_t i = 0; i < plan->field_count; i++) {
    const mt_field *field = &plan->fields[i];
    if (i > 0) mt_put(output, ',');
    mt_write_json_string(output, field->name, field->name_length, quoting);
    mt_put(output, ':');
    mt_write_json_value(output, field, base, available, quoting);
  }
  mt_put(output, '}');
}

static void write_tuple(
    mt_output *output, const mt_plan *plan, const void *base, uint32_t available, mt_quoting quoting) {
  mt_put(output, '[');
  for (uint32_t i = 0; i < plan->field_count; i++) {
    if (i > 0) mt_put(output, ',');
    mt_write_json_value(output, &plan->fields[i], base, available, quoting);
  }
  mt_put(output, ']');
}

static void write_optional(
    mt_output *output, const mt_field *field, const void *base, uint32_t available, mt_quoting quoting) {
  if (mt_field_is_present(field, base)) {
    mt_write_json_value(output, field->element, mt_field_bytes(field, base), available - field->offset, quoting);
  } else {
    write_null(output);
  }
}

static void write_counted(mt_output *output, const mt_field *field, const void *base, mt_quoting quoting) {
  uint32_t length;
  const uint8_t *text = mt_field_counted(field, base, &length);
  mt_write_json_string(output, text, length, quoting);
}

static void write_name(mt_output *output, const mt_field *field, const void *base, mt_quoting quoting) {
  size_t length;
  const char *text = mt_field_name(field, base, &length);
  if (text) {
    mt_write_json_string(output, text, length, quoting);
  } else {
    write_null(output);
  }
}

void mt_write_json_value(
    mt_output *output, const mt_field *field, const void *base, uint32_t available, mt_quoting quoting) {
  if (field->kind == MT_TEXT) {
    write_text(output, field, base, available, quoting);
    return;
  }
  if (!mt_field_fits(field, available)) {
    write_null(output);
    return;
  }
  switch (field->kind) {
    case MT_SIGNED: mt_output_integer(output, mt_field_integer(field, base)); break;
    case MT_UNSIGNED:
    case MT_POINTER: mt_output_unsigned(output, (uint64_t)mt_field_integer(field, base)); break;
    case MT_BOOL: output->length += mt_format_scalar(mt_reserve(output, MT_NUMBER_BYTES), field, base); break;
    case MT_FLOAT: write_float(output, field, base); break;
    case MT_ENUM: write_enum(output, field, base, quoting); break;
    case MT_TEXT: break;
    case MT_COUNTED: write_counted(output, field, base, quoting); break;
    case MT_BYTES: write_bytes(output, field, base, quoting); break;
    case MT_ARRAY: write_array(output, field, base, available, quoting); break;
    case MT_RECORD:
      write_object(output, field->record, mt_field_bytes(field, base), available - field->offset, quoting);
      break;
    case MT_TUPLE:
      write_tuple(output, field->record, mt_field_bytes(field, base), available - field->offset, quoting);
      break;
    case MT_OPTIONAL: write_optional(output, field, base, available, quoting); break;
    case MT_NAMED: write_name(output, field, base, quoting); break;
  }
}

void mt_output_json_value(mt_output *output, const mt_field *field, const void *base, uint32_t available) {
  mt_write_json_value(output, field, base, available, MT_QUOTE_ONCE);
}

void mt_output_json_record(mt_output *output, const mt_plan *plan, const void *base, uint32_t available) {
  write_object(output, plan, base, available, MT_QUOTE_ONCE);
  mt_put(output, '\n');
}
