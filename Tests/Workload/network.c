// Traffic on the loopback device of a network namespace of its own.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tasks.h"

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

static int enter_own_network(void) {
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  if (unshare(CLONE_NEWNET)) return -1;
  int fd = socket(AF_INET, SOCK_DGRAM, 0), status = ioctl(fd, SIOCSIFFLAGS, &request);
  close(fd);
  return status;
}

static int port_of(int fd) {
  union address address;
  socklen_t size = sizeof address;
  return getsockname(fd, &address.any, &size) ? 0 : ntohs(address.v4.sin_port);
}

static socklen_t make_loopback(union address *address, int family, int port) {
  memset(address, 0, sizeof *address);
  address->any.sa_family = (sa_family_t)family;
  address->v4.sin_port = htons((in_port_t)port);
  if (family == AF_INET6) {
    address->v6.sin6_addr = in6addr_loopback;
    return sizeof address->v6;
  }
  address->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return sizeof address->v4;
}

// A socket at a port of the loopback device, any free one for 0; -1 when it can't be had. `option` is one to switch on.
static int bind_socket(int family, int type, int port, int option) {
  union address address;
  int fd = socket(family, type, 0), on = 1;
  socklen_t size = make_loopback(&address, family, port);
  if (option) setsockopt(fd, SOL_SOCKET, option, &on, sizeof on);
  if (!bind(fd, &address.any, size)) return fd;
  close(fd);
  return -1;
}

static int connect_to(int fd, int family, int port) {
  union address address;
  socklen_t size = make_loopback(&address, family, port);
  return connect(fd, &address.any, size) ? errno : 0;
}

struct connection {
  int listener, client, server;
};

static int open_connection(struct connection *made, int family) {
  made->listener = bind_socket(family, SOCK_STREAM, 0, 0);
  made->client = bind_socket(family, SOCK_STREAM, 0, 0);
  if (made->listener < 0 || made->client < 0 || listen(made->listener, 1)) return -1;
  if (connect_to(made->client, family, port_of(made->listener))) return -1;
  made->server = accept(made->listener, NULL, NULL);
  return made->server < 0 ? -1 : 0;
}

static int transfer(int from, int to, size_t size) {
  char bytes[4096] = {0};
  return send(from, bytes, size, 0) == (ssize_t)size && recv(to, bytes, size, MSG_WAITALL) == (ssize_t)size ? 0 : -1;
}

// tcp 4|6 [NAME]: one connection, with a congestion control of that name for its client, on which the client sends 1000 bytes, the server 300, and which the client ends; then one
// that is refused. Prints the port of the server, of its client, the one that refuses, and of its client.
static int talk(char **arguments) {
  int family = number_of(arguments[0]) == 6 ? AF_INET6 : AF_INET;
  struct connection made;
  char byte;
  if (enter_own_network() || open_connection(&made, family)) return 1;
  const char *control = arguments[1];
  if (control && setsockopt(made.client, IPPROTO_TCP, TCP_CONGESTION, control, (socklen_t)strlen(control))) return 1;
  int server_port = port_of(made.listener), client_port = port_of(made.client);
  if (transfer(made.client, made.server, 1000) || transfer(made.server, made.client, 300)) return 1;
  close(made.client);
  if (recv(made.server, &byte, 1, 0)) return 1;
  close(made.server);
  close(made.listener);

  int silent = bind_socket(family, SOCK_STREAM, 0, 0), refused = bind_socket(family, SOCK_STREAM, 0, 0);
  int refused_port = port_of(refused);
  if (connect_to(refused, family, port_of(silent)) != ECONNREFUSED) return 1;
  printf("%d %d %d %d\n", server_port, client_port, port_of(silent), refused_port);
  return 0;
}

static unsigned retransmissions(int fd) {
  struct tcp_info info = {0};
  socklen_t size = sizeof info;
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) ? 0 : info.tcpi_total_retrans;
}

// tcp-loss: the server's socket drops what the client sends until the client has sent it again; afterwards it
// arrives. Prints the port of the server, of the client, and how often the client sent it again, which is also how
// many packets were dropped.
static int lose_packets(char **arguments) {
  struct sock_filter drop_all = BPF_STMT(BPF_RET | BPF_K, 0);
  struct sock_fprog program = {.len = 1, .filter = &drop_all};
  struct connection made;
  char byte = 0;
  (void)arguments;
  if (enter_own_network() || open_connection(&made, AF_INET)) return 1;
  if (setsockopt(made.server, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program)) return 1;
  if (send(made.client, &byte, 1, 0) != 1) return 1;
  while (!retransmissions(made.client)) nap(1);
  if (setsockopt(made.server, SOL_SOCKET, SO_DETACH_FILTER, &program, sizeof program)) return 1;
  if (recv(made.server, &byte, 1, 0) != 1) return 1;
  printf("%d %d %u\n", port_of(made.listener), port_of(made.client), retransmissions(made.client));
  return 0;
}

// bind: sockets of TCP with SO_REUSEADDR, of UDP, of TCP over IPv6 with SO_REUSEPORT; one at a port that is taken, and
// one of the Unix family. Prints the three ports.
static int bind_sockets(char **arguments) {
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = ""};
  (void)arguments;
  if (enter_own_network()) return 1;
  int tcp = bind_socket(AF_INET, SOCK_STREAM, 0, SO_REUSEADDR), udp = bind_socket(AF_INET, SOCK_DGRAM, 0, 0);
  int tcp6 = bind_socket(AF_INET6, SOCK_STREAM, 0, SO_REUSEPORT);
  if (bind_socket(AF_INET, SOCK_DGRAM, port_of(udp), 0) >= 0) return 1;
  if (bind(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&name, sizeof(sa_family_t))) return 1;
  printf("%d %d %d\n", port_of(tcp), port_of(udp), port_of(tcp6));
  return 0;
}

// udp COUNT: sends so many datagrams to itself, each of which is a soft interrupt's work.
static int send_datagrams(char **arguments) {
  union address address;
  char byte = 0;
  if (enter_own_network()) return 1;
  int fd = bind_socket(AF_INET, SOCK_DGRAM, 0, 0);
  socklen_t size = make_loopback(&address, AF_INET, port_of(fd));
  for (long i = number_of(arguments[0]); i > 0; i--)
    if (sendto(fd, &byte, 1, 0, &address.any, size) != 1 || recv(fd, &byte, 1, 0) != 1) return 1;
  return 0;
}

const struct task network_tasks[] = {
    {"bind", bind_sockets}, {"tcp", talk}, {"tcp-loss", lose_packets}, {"udp", send_datagrams}, {NULL, NULL}};
