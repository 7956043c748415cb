// What the C versions of the recipes' probes share. They do what the Lua text does, no more and no less: the same maps
// and records (integers have 64 bits, texts whole words), the same tests, and what would end a run in Lua ends it here and
// is counted. Options have the values that the recipes have when none is given, so both compilers fold them away.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 8 << 20);
} events SEC(".maps");

#define MAP(name, kind, key_type, value_type, entries) \
  struct { \
    __uint(type, BPF_MAP_TYPE_##kind); \
    __uint(max_entries, entries); \
    __type(key, key_type); \
    __type(value, value_type); \
  } name SEC(".maps")

/* Events that found no room, then the runs that ended early, by place. */
u64 counters[16];

/* Ends the run and counts where. Names are numbers of places; 0 is a lost event. */
#define FAIL(place) \
  do { \
    __sync_fetch_and_add(&counters[place], 1); \
    return 0; \
  } while (0)

/* Sends a record that was built on the stack. */
#define SEND(record) \
  do { \
    if (bpf_ringbuf_output(&events, &(record), sizeof(record), 0)) FAIL(0); \
  } while (0)

/* An argument of a raw tracepoint. */
#define ARG(ctx, type, index) ((type)(ctx)->args[index])

/* Reads kernel memory into a variable, without which the run ends. */
#define READ(to, from, place) \
  do { \
    if (bpf_probe_read_kernel(&(to), sizeof(to), from)) FAIL(place); \
  } while (0)

/* The address of a host, of 4 bytes or of 16; it may be unknown, which the record says. */
struct address { u64 known, words[2], size; };

#define AF_INET 2
#define ADDRESS(to, is_v4, v4, v6, place) \
  do { \
    if (is_v4) { \
      u32 word; \
      READ(word, v4, place); \
      (to).words[0] = word; \
      (to).known = 1; \
      (to).size = 4; \
    } else { \
      (to).known = bpf_probe_read_kernel((to).words, sizeof(to).words, v6) == 0; \
      (to).size = sizeof(to).words; \
    } \
  } while (0)

/* A port in the order of the machine. */
static __always_inline u64 machine_port(u16 port) { return (port & 0xff) << 8 | port >> 8; }

/* The bucket of a histogram: 0 below 0, 1 for 0, then by powers of two (bits.bpf.h of libbpf-tools does it so). */
static __always_inline u64 log2_of_word(u32 v) {
  u32 shift, r;
  r = (v > 0xffff) << 4;
  v >>= r;
  shift = (v > 0xff) << 3;
  v >>= shift;
  r |= shift;
  shift = (v > 0xf) << 2;
  v >>= shift;
  r |= shift;
  shift = (v > 0x3) << 1;
  v >>= shift;
  r |= shift;
  r |= v >> 1;
  return r;
}

static __always_inline u32 bucket(s64 value) {
  u32 high = (u64)value >> 32;
  if (value < 0) return 0;
  if (value == 0) return 1;
  return 2 + (high ? log2_of_word(high) + 32 : log2_of_word((u32)value));
}

char LICENSE[] SEC("license") = "GPL";
