// Output text: one buffer in front of one descriptor, and records written into it as JSON, CSV or table rows.
#pragma once
#include "mt_plan.h"

// How records and emitted values print.
typedef enum mt_format { MT_FORMAT_TABLE, MT_FORMAT_JSON, MT_FORMAT_CSV } mt_format;

// Told before and after text is written: whoever has drawn where it appears (a status line, a prompt) makes room. `ended`:
// the text so far ends with a newline.
typedef enum mt_text_phase { MT_TEXT_WILL_APPEAR, MT_TEXT_APPEARED } mt_text_phase;
typedef void (*mt_text_fn)(void *context, mt_text_phase phase, bool ended);

typedef struct mt_output {
  char *bytes;
  size_t length;
  size_t capacity;
  int fd;
  int interrupt_fd;  // -1, or what ends a write to a reader that has stalled
  int error;  // errno of the first failed write, 0 while all is well; later text is dropped
  uint64_t taken;  // bytes that have left the buffer; `taken + length` only grows
  bool colors;     // headers of tables are bold
  bool mid_line;   // what was written last did not end with a newline
  mt_text_fn around;  // NULL: nobody has drawn there
  void *around_context;
} mt_output;

// With `fd` -1 the text stays in memory, at `bytes`, and the buffer grows as it must. Otherwise appending writes
// whole lines out when the buffer is full, so `length` is no mark to return to. False when memory is exhausted.
// Writing to a closed pipe raises SIGPIPE unless the process ignores it; then `error` becomes EPIPE.
bool mt_output_open(mt_output *output, int fd);
void mt_output_close(mt_output *output);  // flushes; does not close the descriptor
// A write that would block because the reader has stalled fails with ECANCELED once `fd` (a signalfd) can be read, so
// that Ctrl-C works while the pipe is full. -1 takes it back. Regular files never stall.
void mt_output_interrupt_by(mt_output *output, int fd);
void mt_output_append(mt_output *output, const void *bytes, size_t length);
// Text that is said on stderr in the place of the output (`print` among CSV rows). An output in memory takes it itself.
void mt_output_aside(mt_output *output, const void *bytes, size_t length);
// Writes all that is buffered, through short writes and EINTR. Returns false once the descriptor has failed.
bool mt_output_flush(mt_output *output);

void mt_output_integer(mt_output *output, int64_t value);
void mt_output_unsigned(mt_output *output, uint64_t value);
// The shortest decimal text that reads back as the same number ("%.17g" at worst); "null" for non-finite ones.
void mt_output_number(mt_output *output, double value);
// A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. DEL and C1 control characters are escaped
// like the C0 ones, so that JSON on a terminal can't drive it either.
void mt_output_json_string(mt_output *output, const void *bytes, size_t length);
// A CSV field, quoted when RFC 4180 needs it.
void mt_output_csv_string(mt_output *output, const void *bytes, size_t length);

// One value as JSON, read from `base + field->offset` in a record of `available` bytes. Enums are names in quotes,
// or integers when the value has no name; pointers are integers; MT_BYTES is a string of hexadecimal digits in the
// order of memory. Text that the record cuts short is as long as the record's bytes.
void mt_output_json_value(mt_output *output, const mt_field *field, const void *base, uint32_t available);
// A whole record as one JSON object on one line, with its newline. Fields that the record is too short for are null.
void mt_output_json_record(mt_output *output, const mt_plan *plan, const void *base, uint32_t available);
// A record as one CSV row; nested values stand in it as JSON. Scalars read as in JSON, without quotes that RFC 4180
// does not ask for. Empty text is "" in quotes, an absent value is nothing.
void mt_output_csv_record(mt_output *output, const mt_plan *plan, const void *base, uint32_t available);
// The header row of field names.
void mt_output_csv_header(mt_output *output, const mt_plan *plan);
// A record as one aligned row: column i is at least widths[i] wide, numbers to the right, the last text column
// unpadded, one space between columns. Control characters in text show as \xNN so that an event can't drive the
// terminal; pointers are hexadecimal; nested values are JSON; "-" stands for an absent value.
void mt_output_table_record(
    mt_output *output, const mt_plan *plan, const uint16_t *widths, const void *base, uint32_t available);
// One cell of a row that no plan describes, with the space behind it, or the row's newline when it is the last:
// numbers (`right`) to the right, text to the left with its control characters as \xNN.
void mt_output_table_cell(mt_output *output, const char *text, size_t length, uint16_t width, bool right, bool last);
// Begins and ends a header; nothing without colours.
void mt_output_begin_header(mt_output *output);
void mt_output_end_header(mt_output *output);
// The header row: the names in capitals, aligned as their columns are.
void mt_output_table_header(mt_output *output, const mt_plan *plan, const uint16_t *widths);
// The width that suits each column by its type and name; widths has plan->field_count places.
void mt_output_table_widths(const mt_plan *plan, uint16_t *widths);
