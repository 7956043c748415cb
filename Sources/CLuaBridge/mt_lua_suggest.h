// "did you mean …?" for names that scripts mistype; the same rule as suggestion(for:in:) of the Support room.
#pragma once
#include <stddef.h>

typedef struct mt_suggestion {
  const char *word;
  size_t length;
  size_t distance;   // of `best`
  const char *best;  // nearest candidate within a third of the word's length; NULL: none
  size_t best_length;
} mt_suggestion;

mt_suggestion mt_suggestion_for(const char *word, size_t length);
// Considers one more candidate; it must live as long as the suggestion is used.
void mt_suggestion_offer(mt_suggestion *suggestion, const char *candidate, size_t length);
// Writes ` (did you mean 'x'?)`, or nothing, and returns `buffer`.
const char *mt_suggestion_hint(const mt_suggestion *suggestion, char *buffer, size_t capacity);
