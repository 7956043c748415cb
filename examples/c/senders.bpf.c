// Bytes that leave by an interface, by address: a program in the traffic control of an interface. Unlike XDP it also
// sees what is sent, as the kernel's own packets (sk_buff). It could change and drop them, so it must be allowed.
//
//   moontrace run --allow kernel.write --attach on_packet=tc:eth0:egress examples/c/senders.bpf.c
//   moontrace run --allow kernel.write --attach on_packet=tc:eth0:ingress examples/c/senders.bpf.c
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ETH_P_IP 0x0800
#define TC_ACT_UNSPEC -1  // as if this program were not there

struct addresses {
  u8 from[4], to[4];
};
struct volume {
  u64 packets, bytes;
};

/// @sample {"interval": 1000, "type": "default_kv"}
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 10240);
  __type(key, struct addresses);
  __type(value, struct volume);
} volumes SEC(".maps");

SEC("tc")
int on_packet(struct __sk_buff *packet) {
  struct addresses addresses;
  struct volume none = {};
  if (packet->protocol != bpf_htons(ETH_P_IP)) return TC_ACT_UNSPEC;
  // The two addresses stand behind each other in the header.
  u32 place = sizeof(struct ethhdr) + __builtin_offsetof(struct iphdr, saddr);
  if (bpf_skb_load_bytes(packet, place, &addresses, sizeof(addresses))) return TC_ACT_UNSPEC;
  struct volume *volume = bpf_map_lookup_elem(&volumes, &addresses);
  if (!volume) {
    bpf_map_update_elem(&volumes, &addresses, &none, BPF_NOEXIST);
    volume = bpf_map_lookup_elem(&volumes, &addresses);
    if (!volume) return TC_ACT_UNSPEC;
  }
  __sync_fetch_and_add(&volume->packets, 1);
  __sync_fetch_and_add(&volume->bytes, packet->len);
  return TC_ACT_UNSPEC;
}

/// @brief Count bytes on an interface by address.
char LICENSE[] SEC("license") = "GPL";
