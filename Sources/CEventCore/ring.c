// The consumer's half of a BPF ring buffer. The layout and the memory order are the kernel's:
// Documentation/bpf/ringbuf.rst and kernel/bpf/ringbuf.c. One page with the consumer's position, one with the
// producer's, then the data, mapped twice in a row so that no record wraps.
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mt_source.h"

// Space goes back to the kernel after this many bytes, and after 1/16 of a small ring: often enough that a slow
// consumer does not starve the producer, seldom enough that the shared cache line stays calm.
#define COMMIT_BYTES (64 * 1024)

static uint64_t producer_position(const mt_ring *ring) {
  return __atomic_load_n((const uint64_t *)ring->producer_pages, __ATOMIC_ACQUIRE);
}

static uint32_t record_header(const mt_ring *ring, uint64_t position) {
  return __atomic_load_n((const uint32_t *)(ring->data + (position & ring->mask)), __ATOMIC_ACQUIRE);
}

static uint32_t record_size(uint32_t header) {
  return header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
}

// Records are 8-aligned and follow a header of 8 bytes.
static uint64_t record_span(uint32_t header) {
  return ((uint64_t)record_size(header) + BPF_RINGBUF_HDR_SZ + 7) & ~(uint64_t)7;
}

static uint64_t published_position(const mt_ring *ring) {
  return __atomic_load_n((const uint64_t *)ring->consumer_page, __ATOMIC_RELAXED);
}

static void publish(mt_ring *ring) {
  __atomic_store_n((uint64_t *)ring->consumer_page, ring->position, __ATOMIC_RELEASE);
}

// The header of the next record to hand out; passes over discarded ones. False when none is finished.
static bool next_record(const mt_ring *ring, uint64_t *position, uint64_t end, uint32_t *header) {
  while (*position < end) {
    *header = record_header(ring, *position);
    if (*header & BPF_RINGBUF_BUSY_BIT) return false;
    if (!(*header & BPF_RINGBUF_DISCARD_BIT)) return true;
    *position += record_span(*header);
  }
  return false;
}

bool mt_ring_has_data(const mt_ring *ring) {
  uint64_t position = ring->position;
  uint32_t header;
  return next_record(ring, &position, producer_position(ring), &header);
}

// Leaves `ring->position` behind each record before its consumer runs, which may never come back.
static uint64_t ring_drain(mt_source *source, uint64_t limit, mt_record_fn consume, void *context) {
  mt_ring *ring = (mt_ring *)source;
  const uint64_t batch = ring->mask / 16 < COMMIT_BYTES ? ring->mask / 16 : COMMIT_BYTES;
  uint64_t published = published_position(ring);
  uint64_t end = producer_position(ring);
  uint64_t count = 0;
  uint32_t header;
  bool more = true;
  while (more && count < limit) {
    if (ring->position - published >= batch) {
      publish(ring);
      published = ring->position;
    }
    if (ring->position >= end) end = producer_position(ring);
    if (!next_record(ring, &ring->position, end, &header)) break;
    const uint8_t *data = ring->data + (ring->position & ring->mask) + BPF_RINGBUF_HDR_SZ;
    ring->position += record_span(header);
    source->delivered++;
    count++;
    more = consume(context, data, record_size(header));
  }
  if (ring->position != published) publish(ring);
  return count;
}

static int map_ring(mt_ring *ring, int map_fd, uint64_t size) {
  uint64_t page = ring->page_size;
  void *consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
  if (consumer == MAP_FAILED) return -errno;
  void *producer = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
  if (producer == MAP_FAILED) {
    int failure = -errno;
    munmap(consumer, page);
    return failure;
  }
  ring->consumer_page = consumer;
  ring->producer_pages = producer;
  return 0;
}

int mt_ring_open(mt_ring *ring, int map_fd, uint64_t size) {
  memset(ring, 0, sizeof *ring);
  ring->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
  if (size < ring->page_size || (size & (size - 1)) != 0 || size > UINT64_MAX / 4) return -EINVAL;
  int status = map_ring(ring, map_fd, size);
  if (status != 0) return status;
  ring->source.drain = ring_drain;
  ring->data = (const uint8_t *)ring->producer_pages + ring->page_size;
  ring->mask = size - 1;
  ring->position = published_position(ring);
  return 0;
}

void mt_ring_close(mt_ring *ring) {
  if (!ring->consumer_page) return;
  munmap(ring->consumer_page, ring->page_size);
  munmap(ring->producer_pages, ring->page_size + 2 * (ring->mask + 1));
  memset(ring, 0, sizeof *ring);
}
