// The producer's half of a ring buffer, after bpf_ringbuf_reserve and bpf_ringbuf_commit in kernel/bpf/ringbuf.c.
#define _GNU_SOURCE
#include <linux/bpf.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "EventStreamTestSupport.h"

int mts_ring_file(uint64_t size) {
  int fd = memfd_create("ring", MFD_CLOEXEC);
  long page = sysconf(_SC_PAGESIZE);
  // The kernel maps the data twice; here the second copy is only what a record at the end runs over into.
  if (fd >= 0 && ftruncate(fd, 2 * page + 2 * (off_t)size) == 0) return fd;
  close(fd);
  return -1;
}

int mts_ring_become_producer(mt_ring *ring) {
  size_t length = ring->page_size + 2 * (ring->mask + 1);
  return mprotect(ring->producer_pages, length, PROT_READ | PROT_WRITE);
}

void *mts_ring_reserve(mt_ring *ring, uint32_t size) {
  uint64_t *producer = ring->producer_pages;
  uint64_t position = __atomic_load_n(producer, __ATOMIC_RELAXED);
  uint64_t consumed = __atomic_load_n((uint64_t *)ring->consumer_page, __ATOMIC_ACQUIRE);
  uint64_t span = ((uint64_t)size + BPF_RINGBUF_HDR_SZ + 7) & ~(uint64_t)7;
  if (position + span - consumed > ring->mask) return NULL;
  uint8_t *header = (uint8_t *)ring->data + (position & ring->mask);
  __atomic_store_n((uint32_t *)header, size | BPF_RINGBUF_BUSY_BIT, __ATOMIC_RELAXED);
  __atomic_store_n(producer, position + span, __ATOMIC_RELEASE);
  return header + BPF_RINGBUF_HDR_SZ;
}

void mts_ring_commit(void *record, bool discard) {
  uint32_t *header = (uint32_t *)((uint8_t *)record - BPF_RINGBUF_HDR_SZ);
  uint32_t size = __atomic_load_n(header, __ATOMIC_RELAXED) & ~BPF_RINGBUF_BUSY_BIT;
  __atomic_store_n(header, size | (discard ? BPF_RINGBUF_DISCARD_BIT : 0), __ATOMIC_RELEASE);
}

uint64_t mts_ring_published(const mt_ring *ring) {
  return __atomic_load_n((const uint64_t *)ring->consumer_page, __ATOMIC_ACQUIRE);
}

uint64_t mts_drain(mt_source *source, uint64_t limit, mt_record_fn consume, void *context) {
  return source->drain(source, limit, consume, context);
}

struct jump {
  jmp_buf back;
  volatile uint64_t seen;
  uint64_t jump_at;
};

static bool jump_out(void *context, const void *data, uint32_t size) {
  (void)data, (void)size;
  struct jump *jump = context;
  jump->seen++;
  if (jump->seen == jump->jump_at) longjmp(jump->back, 1);
  return true;
}

uint64_t mts_drain_until_jump(mt_source *source, uint64_t jump_at) {
  struct jump jump = {.jump_at = jump_at};
  if (setjmp(jump.back) == 0) source->drain(source, UINT64_MAX, jump_out, &jump);
  return jump.seen;
}
