#pragma once
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// glibc has no wrapper for perf_event_open(2), and Swift can't call the variadic syscall(2).
static inline int mt_perf_event_open(struct perf_event_attr *attr, pid_t pid, int cpu) {
  return (int)syscall(SYS_perf_event_open, attr, pid, cpu, -1, (unsigned long)PERF_FLAG_FD_CLOEXEC);
}

// What libbpf prints, as text of any length (a verifier log has up to 16 MiB); the caller frees it. NULL when memory
// is exhausted. Swift can't copy a va_list, which measuring first takes.
static inline char *mt_format(const char *format, va_list arguments) {
  va_list measured;
  va_copy(measured, arguments);
  int length = vsnprintf(NULL, 0, format, measured);
  va_end(measured);
  char *text = length < 0 ? NULL : (char *)malloc((size_t)length + 1);
  if (text) vsnprintf(text, (size_t)length + 1, format, arguments);
  return text;
}

// A descriptor of a file system's root without mounting it anywhere: fsopen(2), fsconfig(2), fsmount(2). -1 and errno
// when the kernel is older than 5.2 or the caller lacks CAP_SYS_ADMIN. By number, because glibc has them from 2.36 on only.
static inline int mt_filesystem(const char *type) {
  enum { closeOnExec = 1, create = 6 };  // FSOPEN_CLOEXEC and FSMOUNT_CLOEXEC; FSCONFIG_CMD_CREATE (linux/mount.h)
  int context = (int)syscall(SYS_fsopen, type, closeOnExec);
  if (context < 0) return -1;
  int root = -1;
  if (syscall(SYS_fsconfig, context, create, NULL, NULL, 0) == 0)
    root = (int)syscall(SYS_fsmount, context, closeOnExec, 0);
  close(context);
  return root;
}

// Gives the calling thread a network namespace of its own, with nothing in it but its loopback interface.
static inline int mt_leave_network(void) {
  return (int)syscall(SYS_unshare, 0x40000000);  // CLONE_NEWNET (linux/sched.h)
}

// Links a netfilter program by bpf(2) itself: linux/bpf.h has these members from 6.4 on, and libbpf 1.1 no call for them.
// A descriptor, or a negative errno.
static inline int mt_link_netfilter(int program, unsigned family, unsigned hook, int priority) {
  struct {
    int program, target;
    unsigned attach_type, flags, family, hook;
    int priority;
    unsigned hook_flags;
  } attr = {.program = program, .attach_type = 45 /* BPF_NETFILTER */, .family = family, .hook = hook, .priority = priority};
  int link = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
  return link < 0 ? -errno : link;
}

// A descriptor of our own for what another process has open: pidfd_open(2), pidfd_getfd(2). -1 and errno. By number,
// because glibc has them from 2.36 on only.
static inline int mt_copy_descriptor(pid_t process, int descriptor) {
  enum { pidfdOpen = 434, pidfdGetFd = 438 };
  int file = (int)syscall(pidfdOpen, process, 0);
  if (file < 0) return -1;
  int copy = (int)syscall(pidfdGetFd, file, descriptor, 0);
  int failure = errno;
  close(file);
  errno = failure;
  return copy;
}

// Passes a USDT probe of our own, moontrace:trial without arguments: what `moontrace doctor` tries USDT with, because few
// systems' libraries have probes. The note is what systemtap's sys/sdt.h writes: three sizes, "stapsdt", the address of
// the nop, no base, no semaphore, the names.
__attribute__((noinline)) static void mt_trial_probe(void) {
  __asm__ volatile(
      "990: nop\n"
      ".pushsection .note.stapsdt,\"\",%note\n"
      ".balign 4\n"
      ".4byte 8, 994f - 993f, 3\n"
      ".asciz \"stapsdt\"\n"
      "993: .8byte 990b, 0, 0\n"
      ".asciz \"moontrace\", \"trial\", \"\"\n"
      "994: .balign 4\n"
      ".popsection\n");
}

// Symbols as their sources spell them, by the run-time libraries of C++ (Itanium C++ ABI) and Swift; NULL for what is
// none of theirs. The caller frees it.
extern char *__cxa_demangle(const char *symbol, char *buffer, size_t *size, int *status);
extern char *swift_demangle(const char *symbol, size_t length, char *buffer, size_t *size, uint32_t flags);

static inline char *mt_demangle_cxx(const char *symbol) { return __cxa_demangle(symbol, NULL, NULL, NULL); }

static inline char *mt_demangle_swift(const char *symbol) {
  return swift_demangle(symbol, strlen(symbol), NULL, NULL, 0);
}
