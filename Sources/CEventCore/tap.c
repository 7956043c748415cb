#include "mt_tap.h"

static bool show(void *context, const void *data, uint32_t size) {
  mt_tap *tap = context;
  tap->watch(tap->watcher, data, size);
  return tap->consume(tap->context, data, size);
}

static uint64_t drain(mt_source *self, uint64_t limit, mt_record_fn consume, void *context) {
  mt_tap *tap = (mt_tap *)self;
  tap->consume = consume;
  tap->context = context;
  return tap->inner->drain(tap->inner, limit, show, tap);
}

void mt_tap_open(mt_tap *tap, mt_source *inner, mt_record_fn watch, void *watcher) {
  *tap = (mt_tap){.source = {.drain = drain}, .inner = inner, .watch = watch, .watcher = watcher};
}
