// A tap: shows each record of a source to somebody else before its consumer takes it.
#pragma once
#include "mt_source.h"

typedef struct mt_tap {
  mt_source source;  // first member, so that a mt_tap* is a mt_source*
  mt_source *inner;
  mt_record_fn watch;  // its result says nothing; it may not leave by longjmp
  void *watcher;
  mt_record_fn consume;  // of the drain that runs
  void *context;
} mt_tap;

// Makes a source that hands out the records of `inner`, which outlives it.
void mt_tap_open(mt_tap *tap, mt_source *inner, mt_record_fn watch, void *watcher);
