// How large the pieces of memory are that programs ask for: a uprobe at a function of the C library. A library's
// name is looked up as the linker does; for another program's own function write its path:
// SEC("uprobe//usr/bin/x:function").
//
//   moontrace run examples/c/mallocs.bpf.c                all processes; a histogram for each, each second
//   moontrace run -c 'ls -lR /usr' examples/c/mallocs.bpf.c --comm ls
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

// Slot n counts requests of 2^n to 2^(n+1) - 1 bytes; the other members are the histogram's label.
struct sizes {
  char comm[16];
  u32 slots[40];
};

/// only processes of this name
/// @cmdarg {"short": "c"}
const volatile char comm[16] = "";

/// @sample {"interval": 1000, "type": "log2_hist", "unit": "bytes"}
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __type(key, u32);
  __type(value, struct sizes);
} sizes SEC(".maps");

// Not on the stack, which has 512 bytes.
static const struct sizes no_sizes;

static __always_inline bool is_wanted(const char *name) {
  for (int i = 0; comm[0] && i < 16; i++) {
    if (comm[i] != name[i]) return false;
    if (!name[i]) break;
  }
  return true;
}

static __always_inline u32 log2_of(u64 number) {
  u32 power = 0;
  for (u32 step = 32; step; step >>= 1) {
    if (number >> step) {
      number >>= step;
      power += step;
    }
  }
  return power;
}

SEC("uprobe/libc:malloc")
int BPF_UPROBE(on_malloc, size_t size) {
  u32 process = bpf_get_current_pid_tgid() >> 32, slot = log2_of(size);
  char name[16];
  bpf_get_current_comm(name, sizeof(name));
  if (!is_wanted(name)) return 0;
  struct sizes *counts = bpf_map_lookup_elem(&sizes, &process);
  if (!counts) {
    bpf_map_update_elem(&sizes, &process, &no_sizes, BPF_NOEXIST);
    counts = bpf_map_lookup_elem(&sizes, &process);
    if (!counts) return 0;
  }
  __builtin_memcpy(counts->comm, name, sizeof(name));
  if (slot < 40) __sync_fetch_and_add(&counts->slots[slot], 1);
  return 0;
}

/// @brief Show the sizes of memory allocations.
char LICENSE[] SEC("license") = "GPL";
