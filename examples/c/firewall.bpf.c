// Drops UDP packets for a port before the kernel does anything with them, and counts what comes: an XDP program,
// which an interface's driver starts for each frame. It decides about packets, which must be allowed.
//
//   moontrace run --allow kernel.write --attach on_frame=xdp:eth0 examples/c/firewall.bpf.c --port 5353
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ETH_P_IP 0x0800

struct counts {
  u64 passed, dropped;
};

/// the UDP port that nothing may reach; 0 only counts
/// @cmdarg {"short": "p"}
const volatile u16 port = 0;

// By the protocol inside of IPv4: 1 is ICMP, 6 TCP, 17 UDP; 0 is what is no IPv4.
/// @sample {"interval": 1000, "type": "default_kv"}
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 256);
  __type(key, u32);
  __type(value, struct counts);
} protocols SEC(".maps");

SEC("xdp")
int on_frame(struct xdp_md *ctx) {
  // The verifier lets a program read only what it has compared with the frame's end.
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *ethernet = data;
  struct iphdr *ip = (void *)(ethernet + 1);
  struct udphdr *udp = (void *)(ip + 1);  // where the header of IP has no options
  bool is_ip = (void *)(ip + 1) <= end && ethernet->h_proto == bpf_htons(ETH_P_IP);
  u32 protocol = is_ip ? ip->protocol : 0;
  bool is_udp = protocol == IPPROTO_UDP && ip->ihl == 5 && (void *)(udp + 1) <= end;
  bool is_dropped = is_udp && port && udp->dest == bpf_htons(port);
  struct counts *counts = bpf_map_lookup_elem(&protocols, &protocol);
  if (!counts) return XDP_PASS;
  if (is_dropped)
    counts->dropped++;
  else
    counts->passed++;
  return is_dropped ? XDP_DROP : XDP_PASS;
}

/// @brief Drop UDP packets for a port, and count all by protocol.
char LICENSE[] SEC("license") = "GPL";
