// Text from events, which nobody vouches for: repaired UTF-8, escaped for JSON, CSV and terminals.
#include "mt_format.h"

static const char hex_digits[] = "0123456789abcdef";
static const char replacement[] = "\xef\xbf\xbd";  // U+FFFD

#define REPLACEMENT_CHARACTER 0xfffd

// Bytes that need a second look. Everything from DEL up does: it may be no UTF-8, or a C1 control character.
static const uint8_t special_in_json[256] = {
    [0x00 ... 0x1f] = 1, ['"'] = 1, ['\\'] = 1, [0x7f ... 0xff] = 1};
static const uint8_t special_in_csv[256] = {['"'] = 1, [0x80 ... 0xff] = 1};
static const uint8_t special_on_terminal[256] = {[0x00 ... 0x1f] = 1, [0x7f ... 0xff] = 1};

static size_t plain_run(const uint8_t *bytes, size_t length, const uint8_t special[256]) {
  size_t run = 0;
  while (run < length && !special[bytes[run]]) run++;
  return run;
}

// The length of the sequence that `lead` begins, and what its second byte may be (Unicode 15, table 3-7).
static size_t sequence_length(uint8_t lead, uint8_t *lowest, uint8_t *highest) {
  *lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  *highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

size_t mt_decode_utf8(const uint8_t *bytes, size_t length, uint32_t *code_point) {
  *code_point = bytes[0];
  if (bytes[0] < 0x80) return 1;
  uint8_t lowest, highest;
  size_t wanted = sequence_length(bytes[0], &lowest, &highest);
  uint32_t value = bytes[0] & (0xffu >> (wanted + 1));
  size_t taken = 1;
  while (taken < wanted && taken < length && bytes[taken] >= lowest && bytes[taken] <= highest) {
    value = value << 6 | (bytes[taken++] & 0x3f);
    lowest = 0x80;
    highest = 0xbf;
  }
  *code_point = wanted != 0 && taken == wanted ? value : REPLACEMENT_CHARACTER;
  return taken;
}

static bool is_control(uint32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

// U+FFFD is written anew, which also repairs what was no UTF-8.
static void write_character(mt_output *output, const uint8_t *bytes, size_t length, uint32_t code_point) {
  if (code_point == REPLACEMENT_CHARACTER) {
    mt_output_append(output, replacement, 3);
  } else {
    mt_output_append(output, bytes, length);
  }
}

static void write_hex_escape(mt_output *output, const char *prefix, uint8_t byte) {
  mt_output_append(output, prefix, strlen(prefix));
  mt_write_hex(output, &byte, 1);
}

static void write_quote(mt_output *output, mt_quoting quoting) {
  mt_output_append(output, "\"\"", quoting == MT_QUOTE_TWICE ? 2 : 1);
}

static void write_json_escape(mt_output *output, uint8_t control) {
  switch (control) {
    case '\n': mt_output_append(output, "\\n", 2); break;
    case '\r': mt_output_append(output, "\\r", 2); break;
    case '\t': mt_output_append(output, "\\t", 2); break;
    default: write_hex_escape(output, "\\u00", control);
  }
}

// Writes the special character at `bytes`; returns how many bytes it took.
static size_t write_json_special(mt_output *output, const uint8_t *bytes, size_t length, mt_quoting quoting) {
  uint32_t code_point;
  size_t taken = mt_decode_utf8(bytes, length, &code_point);
  if (code_point == '"') {
    mt_put(output, '\\');
    write_quote(output, quoting);
  } else if (code_point == '\\') {
    mt_output_append(output, "\\\\", 2);
  } else if (is_control(code_point)) {
    write_json_escape(output, (uint8_t)code_point);
  } else {
    write_character(output, bytes, taken, code_point);
  }
  return taken;
}

void mt_write_json_string(mt_output *output, const void *text, size_t length, mt_quoting quoting) {
  const uint8_t *bytes = text;
  write_quote(output, quoting);
  while (length > 0) {
    size_t taken = plain_run(bytes, length, special_in_json);
    if (taken > 0) {
      mt_output_append(output, bytes, taken);
    } else {
      taken = write_json_special(output, bytes, length, quoting);
    }
    bytes += taken;
    length -= taken;
  }
  write_quote(output, quoting);
}

void mt_output_json_string(mt_output *output, const void *bytes, size_t length) {
  mt_write_json_string(output, bytes, length, MT_QUOTE_ONCE);
}

static bool needs_csv_quotes(const uint8_t *bytes, size_t length) {
  if (length == 0) return true;  // tells empty text from an absent value
  for (size_t i = 0; i < length; i++) {
    if (bytes[i] == ',' || bytes[i] == '"' || bytes[i] == '\n' || bytes[i] == '\r') return true;
  }
  return false;
}

static void write_csv_text(mt_output *output, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    uint32_t code_point;
    size_t taken = plain_run(bytes, length, special_in_csv);
    if (taken > 0) {
      mt_output_append(output, bytes, taken);
    } else {
      taken = mt_decode_utf8(bytes, length, &code_point);
      if (code_point == '"') mt_put(output, '"');
      write_character(output, bytes, taken, code_point);
    }
    bytes += taken;
    length -= taken;
  }
}

void mt_output_csv_string(mt_output *output, const void *bytes, size_t length) {
  bool quoted = needs_csv_quotes(bytes, length);
  if (quoted) mt_put(output, '"');
  write_csv_text(output, bytes, length);
  if (quoted) mt_put(output, '"');
}

// Writes the special character at `bytes`; adds the columns that it takes to `*shown`.
static size_t write_visible_special(mt_output *output, const uint8_t *bytes, size_t length, size_t *shown) {
  uint32_t code_point;
  size_t taken = mt_decode_utf8(bytes, length, &code_point);
  if (is_control(code_point)) {
    write_hex_escape(output, "\\x", (uint8_t)code_point);
    *shown += 4;
  } else {
    write_character(output, bytes, taken, code_point);
    *shown += 1;
  }
  return taken;
}

size_t mt_write_visible(mt_output *output, const void *text, size_t length) {
  const uint8_t *bytes = text;
  size_t shown = 0;
  while (length > 0) {
    size_t taken = plain_run(bytes, length, special_on_terminal);
    if (taken > 0) {
      mt_output_append(output, bytes, taken);
      shown += taken;
    } else {
      taken = write_visible_special(output, bytes, length, &shown);
    }
    bytes += taken;
    length -= taken;
  }
  return shown;
}

void mt_write_hex(mt_output *output, const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    char *text = mt_reserve(output, 2);
    text[0] = hex_digits[bytes[i] >> 4];
    text[1] = hex_digits[bytes[i] & 15];
    output->length += 2;
  }
}
