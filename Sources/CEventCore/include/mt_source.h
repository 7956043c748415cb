// Sources: where records come from. A ring buffer is one source; a perf buffer is one source per CPU.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Takes one record; the bytes stay valid until it returns. A false result ends the drain after this record.
// It may leave by longjmp: the record then counts as consumed.
typedef bool (*mt_record_fn)(void *context, const void *data, uint32_t size);

typedef struct mt_source mt_source;
struct mt_source {
  // Hands at most `limit` records to `consume`, in order, and gives their space back to the kernel. Returns how many.
  uint64_t (*drain)(mt_source *self, uint64_t limit, mt_record_fn consume, void *context);
  uint64_t delivered;  // records handed out since the source was opened
  uint64_t lost;  // losses that the kernel reported in this source itself (PERF_RECORD_LOST)
};

// A BPF ring buffer. It knows of no losses: a program whose reservation fails must count that itself. After a
// consumer has left by longjmp, the space of the records since the last commit is given back by the next drain.
typedef struct mt_ring {
  mt_source source;  // first member, so that a mt_ring* is a mt_source*
  void *consumer_page;
  void *producer_pages;
  const uint8_t *data;
  uint64_t mask;
  uint64_t position;   // next record to read; ahead of the consumer page between commits
  uint64_t page_size;
} mt_ring;

// Maps the BPF ring buffer `map_fd` of `size` bytes (a power of two, whole pages). Returns 0 or a negative errno.
int mt_ring_open(mt_ring *ring, int map_fd, uint64_t size);
void mt_ring_close(mt_ring *ring);
// Whether a finished record waits: not one that is still being written, not a discarded one.
bool mt_ring_has_data(const mt_ring *ring);

// The perf buffer of one CPU. The kernel pads raw data so that a record ends on 8 bytes: the size handed to the
// consumer may be up to 7 more than the program sent, and those bytes hold anything. Losses are reported only in
// front of the next record that fits, so the last ones may not have been counted yet.
typedef struct mt_perf {
  mt_source source;
  int fd;              // perf event descriptor: to poll, and to put into the BPF map at index `cpu`
  int cpu;
  void *pages;
  uint64_t size;       // bytes of data
  uint64_t page_size;
  uint64_t position;
  uint8_t *scratch;    // for records that wrap around; allocated at open, one record's largest size (64 KiB)
} mt_perf;

// Opens the perf buffer of one CPU with `pages` data pages (a power of two), waking after `wakeup_events`
// records. Returns 0 or a negative errno.
int mt_perf_open(mt_perf *perf, int cpu, uint32_t pages, uint32_t wakeup_events);
void mt_perf_close(mt_perf *perf);
