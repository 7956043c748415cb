// Packets of an interface, as a small tcpdump: a socket filter, a program that reads what a packet socket is given a
// copy of. It changes nothing, so it needs no permission but root's.
//
//   moontrace run examples/c/packets.bpf.c                                         all interfaces
//   moontrace run --attach on_packet=socket:lo examples/c/packets.bpf.c --port 53
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ETH_P_IP 0x0800

enum ip_protocol { ICMP = 1, TCP = 6, UDP = 17 };

struct event {
  enum ip_protocol protocol;
  u8 from[4];
  u16 from_port;
  u8 to[4];
  u16 to_port;
  u32 length;  // with the frame's header
};

/// only TCP and UDP from or to this port
/// @cmdarg {"short": "p"}
const volatile u16 port = 0;

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20);
} events SEC(".maps");

/// @attach_to socket
SEC("socket")
int on_packet(struct __sk_buff *packet) {
  struct iphdr ip;
  u16 ports[2] = {};
  u32 place = sizeof(struct ethhdr);
  if (packet->protocol != bpf_htons(ETH_P_IP)) return 0;
  if (bpf_skb_load_bytes(packet, place, &ip, sizeof(ip))) return 0;
  bool has_ports = ip.protocol == TCP || ip.protocol == UDP;
  if (has_ports && bpf_skb_load_bytes(packet, place + ip.ihl * 4, ports, sizeof(ports))) return 0;
  u16 from = bpf_ntohs(ports[0]), to = bpf_ntohs(ports[1]);
  if (port && from != port && to != port) return 0;
  struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) return 0;
  event->protocol = ip.protocol;
  event->from_port = from;
  event->to_port = to;
  __builtin_memcpy(event->from, &ip.saddr, 4);
  __builtin_memcpy(event->to, &ip.daddr, 4);
  event->length = packet->len;
  bpf_ringbuf_submit(event, 0);
  return 0;  // so many bytes of the packet go to the socket's reader, and nobody reads it
}

/// @brief Show packets of an interface.
char LICENSE[] SEC("license") = "GPL";
