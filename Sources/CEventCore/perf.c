// One CPU's perf buffer that BPF programs write with bpf_perf_event_output. The layout and the memory order are the
// kernel's: struct perf_event_mmap_page and PERF_RECORD_* in linux/perf_event.h.
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mt_source.h"

// A record's size is a 16-bit number.
#define SCRATCH_BYTES (64 * 1024)
// Space goes back to the kernel after this many bytes, or a quarter of a small buffer.
#define COMMIT_BYTES (64 * 1024)

// What PERF_SAMPLE_RAW alone puts into a PERF_RECORD_SAMPLE.
struct raw_sample {
  struct perf_event_header header;
  uint32_t size;  // of `data` with the padding that the kernel adds
  uint8_t data[];
};

struct lost_record {
  struct perf_event_header header;
  uint64_t id;
  uint64_t lost;
};

static struct perf_event_mmap_page *control(const mt_perf *perf) {
  return perf->pages;
}

static uint64_t head_position(const mt_perf *perf) {
  return __atomic_load_n(&control(perf)->data_head, __ATOMIC_ACQUIRE);
}

static void publish(mt_perf *perf) {
  __atomic_store_n(&control(perf)->data_tail, perf->position, __ATOMIC_RELEASE);
}

static const uint8_t *data_area(const mt_perf *perf) {
  return (const uint8_t *)perf->pages + perf->page_size;
}

// The record at `position` in one piece; NULL when the bytes up to `head` make no record.
static const struct perf_event_header *whole_record(mt_perf *perf, uint64_t head) {
  uint64_t offset = perf->position & (perf->size - 1);
  uint64_t before_end = perf->size - offset;  // records are 8-aligned, so a header never wraps
  const struct perf_event_header *header = (const void *)(data_area(perf) + offset);
  uint16_t size = header->size;
  if (size < sizeof *header || size > head - perf->position) return NULL;
  if (size <= before_end) return header;
  memcpy(perf->scratch, header, before_end);
  memcpy(perf->scratch + before_end, data_area(perf), size - before_end);
  return (const void *)perf->scratch;
}

// Whether the record is a sample with data to hand out; counts losses on the way.
static bool is_sample(mt_perf *perf, const struct perf_event_header *header) {
  if (header->type == PERF_RECORD_LOST && header->size >= sizeof(struct lost_record)) {
    perf->source.lost += ((const struct lost_record *)header)->lost;
    return false;
  }
  if (header->type != PERF_RECORD_SAMPLE || header->size < sizeof(struct raw_sample)) return false;
  return ((const struct raw_sample *)header)->size <= header->size - sizeof(struct raw_sample);
}

// The record at `position`, which moves behind it; NULL when there is nothing in it to hand out.
static const struct raw_sample *next_sample(mt_perf *perf, uint64_t head) {
  const struct perf_event_header *header = whole_record(perf, head);
  if (!header) {  // no kernel writes this; nothing up to `head` can be told apart any more
    perf->position = head;
    perf->source.lost++;
    return NULL;
  }
  perf->position += header->size;
  return is_sample(perf, header) ? (const void *)header : NULL;
}

// Leaves `perf->position` behind each record before its consumer runs, which may never come back.
static uint64_t perf_drain(mt_source *source, uint64_t limit, mt_record_fn consume, void *context) {
  mt_perf *perf = (mt_perf *)source;
  const uint64_t batch = perf->size / 4 < COMMIT_BYTES ? perf->size / 4 : COMMIT_BYTES;
  uint64_t published = control(perf)->data_tail;
  uint64_t head = head_position(perf);
  uint64_t count = 0;
  bool more = true;
  while (more && count < limit) {
    if (perf->position - published >= batch) {
      publish(perf);
      published = perf->position;
    }
    if (perf->position == head) head = head_position(perf);
    if (perf->position == head) break;
    const struct raw_sample *sample = next_sample(perf, head);
    if (!sample) continue;
    source->delivered++;
    count++;
    more = consume(context, sample->data, sample->size);
  }
  if (perf->position != published) publish(perf);
  return count;
}

static int open_event(int cpu, uint32_t wakeup_events) {
  struct perf_event_attr attributes = {
      .type = PERF_TYPE_SOFTWARE,
      .size = sizeof attributes,
      .config = PERF_COUNT_SW_BPF_OUTPUT,
      .sample_period = 1,
      .sample_type = PERF_SAMPLE_RAW,
      .wakeup_events = wakeup_events,
  };
  long fd = syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  return fd < 0 ? -errno : (int)fd;
}

static int map_event(mt_perf *perf) {
  void *pages = mmap(NULL, perf->page_size + perf->size, PROT_READ | PROT_WRITE, MAP_SHARED, perf->fd, 0);
  if (pages == MAP_FAILED) return -errno;
  perf->pages = pages;
  perf->scratch = malloc(SCRATCH_BYTES);
  return perf->scratch ? 0 : -ENOMEM;
}

int mt_perf_open(mt_perf *perf, int cpu, uint32_t pages, uint32_t wakeup_events) {
  memset(perf, 0, sizeof *perf);
  perf->fd = -1;
  if (pages == 0 || (pages & (pages - 1)) != 0) return -EINVAL;
  perf->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
  perf->size = pages * perf->page_size;
  perf->cpu = cpu;
  perf->source.drain = perf_drain;
  perf->fd = open_event(cpu, wakeup_events);
  if (perf->fd < 0) return perf->fd;
  int status = map_event(perf);
  if (status == 0 && ioctl(perf->fd, PERF_EVENT_IOC_ENABLE, 0) < 0) status = -errno;
  if (status != 0) mt_perf_close(perf);
  return status;
}

void mt_perf_close(mt_perf *perf) {
  if (perf->pages) munmap(perf->pages, perf->page_size + perf->size);
  free(perf->scratch);
  if (perf->fd >= 0) close(perf->fd);
  memset(perf, 0, sizeof *perf);
  perf->fd = -1;
}
