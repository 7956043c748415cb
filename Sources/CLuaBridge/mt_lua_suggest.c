#include "mt_lua_suggest.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

// Longer names are not compared: C identifiers that long are not typed by hand.
#define LONGEST 64

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

// One row of the edit distance matrix from the two before it: insertions, deletions, replacements and swaps of
// neighbours cost 1 each.
static void distance_row(
    const char *a, size_t i, const char *b, size_t length, const uint8_t *before, const uint8_t *last, uint8_t *row) {
  row[0] = (uint8_t)i;
  for (size_t j = 1; j <= length; j++) {
    size_t cost = last[j - 1] + (a[i - 1] != b[j - 1]);
    cost = least(cost, least(last[j], row[j - 1]) + 1);
    bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
    if (swapped) cost = least(cost, before[j - 2] + 1u);
    row[j] = (uint8_t)cost;
  }
}

static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length) {
  uint8_t rows[3][LONGEST + 1];
  for (size_t j = 0; j <= b_length; j++) rows[0][j] = (uint8_t)j;
  for (size_t i = 1; i <= a_length; i++)
    distance_row(a, i, b, b_length, rows[(i + 1) % 3], rows[(i - 1) % 3], rows[i % 3]);
  return rows[a_length % 3][b_length];
}

mt_suggestion mt_suggestion_for(const char *word, size_t length) {
  size_t limit = length < 6 ? 1 : length / 3;
  return (mt_suggestion){.word = word, .length = length, .distance = limit + 1};
}

void mt_suggestion_offer(mt_suggestion *suggestion, const char *candidate, size_t length) {
  if (suggestion->length > LONGEST || length > LONGEST || length == 0) return;
  size_t distance = edit_distance(suggestion->word, suggestion->length, candidate, length);
  if (distance >= suggestion->distance) return;
  suggestion->distance = distance;
  suggestion->best = candidate;
  suggestion->best_length = length;
}

const char *mt_suggestion_hint(const mt_suggestion *suggestion, char *buffer, size_t capacity) {
  buffer[0] = '\0';
  if (suggestion->best)
    snprintf(buffer, capacity, " (did you mean '%.*s'?)", (int)suggestion->best_length, suggestion->best);
  return buffer;
}
