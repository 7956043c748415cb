// What the tests of EventStream need and Swift can't do: a ring buffer whose producer is the test, leaving a drain by
// longjmp, and bpf(2).
#pragma once
#include "CEventCore.h"

// A file with the layout of a ring buffer of `size` bytes, to open with mt_ring_open. -1 on failure.
int mts_ring_file(uint64_t size);
// Lets the test write where only the kernel does. Returns 0, or -1.
int mts_ring_become_producer(mt_ring *ring);
// Reserves `size` bytes as the kernel does, marked busy; NULL when the ring is full.
void *mts_ring_reserve(mt_ring *ring, uint32_t size);
// Finishes a reserved record, or discards it.
void mts_ring_commit(void *record, bool discard);
// How far the consumer has published.
uint64_t mts_ring_published(const mt_ring *ring);

// Drains with a consumer that leaves by longjmp from its record number `jump_at` (from 1). Returns how many records it
// saw, the one that it left from included.
uint64_t mts_drain_until_jump(mt_source *source, uint64_t jump_at);
// source->drain, which Swift can't call as a member.
uint64_t mts_drain(mt_source *source, uint64_t limit, mt_record_fn consume, void *context);

// BPF objects, as descriptors; negative errno on failure.
int mts_ringbuf_map(uint32_t size);
int mts_perf_map(void);
int mts_map_set(int map, uint32_t key, uint32_t value);
// A raw tracepoint program that sends its first two arguments, 16 bytes, to `map`.
int mts_ringbuf_program(int map);
int mts_perf_program(int map);
// Runs the program once on `cpu` with two arguments; returns what it returned, the result of its sending.
int mts_run(int program, int cpu, uint64_t first, uint64_t second);
