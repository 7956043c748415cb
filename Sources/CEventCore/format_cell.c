// One cell of a table whose columns are not a plan's: values of a script's own making.
#include "mt_format.h"

static void pad(mt_output *output, size_t shown, size_t width) {
  for (; shown < width; shown++) mt_put(output, ' ');
}

void mt_output_table_cell(mt_output *output, const char *text, size_t length, uint16_t width, bool right, bool last) {
  if (right) {
    pad(output, length, width);
    mt_output_append(output, text, length);
  } else {
    size_t shown = mt_write_visible(output, text, length);
    if (!last) pad(output, shown, width);
  }
  mt_put(output, last ? '\n' : ' ');
}
