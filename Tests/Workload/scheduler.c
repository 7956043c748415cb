// Times on and off the CPUs.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tasks.h"

void nap(long milliseconds) {
  struct timespec time = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

// A place for user probes that takes a known time; its result is known too.
__attribute__((noinline)) long workload_nap(long milliseconds) {
  nap(milliseconds);
  return milliseconds * 2;
}

// nap COUNT MILLISECONDS: calls workload_nap so often.
static int nap_often(char **arguments) {
  long sum = 0, count = number_of(arguments[0]), milliseconds = number_of(arguments[1]);
  for (long i = 0; i < count; i++) sum += workload_nap(milliseconds);
  return sum != 2 * count * milliseconds;
}

static void do_nothing(int signal) { (void)signal; }

// Whether a process sleeps, by the state behind its name in /proc/PID/stat.
static bool is_asleep(pid_t pid) {
  char path[32], text[256] = "";
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  int fd = open(path, O_RDONLY);
  if (fd < 0 || read(fd, text, sizeof text - 1) < 0) text[0] = 0;
  if (fd >= 0) close(fd);
  const char *name = strrchr(text, ')');
  return name && name[1] && name[2] == 'S';
}

// What comes next happens to a process that waits for it, however long it took to get there.
static void await_sleep(pid_t pid) {
  while (!is_asleep(pid)) nap(1);
}

// nap-interrupted MILLISECONDS: a nap of an hour that a signal of a child process ends when it has lasted this time.
static int nap_until_signal(char **arguments) {
  signal(SIGALRM, do_nothing);
  pid_t napping = getpid();
  if (fork() == 0) {
    await_sleep(napping);
    nap(number_of(arguments[0]));
    _exit(kill(napping, SIGALRM) != 0);
  }
  struct timespec hour = {.tv_sec = 3600};
  int interrupted = nanosleep(&hour, NULL) != 0 && errno == EINTR;
  wait(NULL);
  return !interrupted;
}

// Stays on the last CPU that it may use, which it gives.
static int stay_on_one_cpu(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set)) return -1;
  int cpu = CPU_SETSIZE - 1;
  while (cpu > 0 && !CPU_ISSET(cpu, &set)) cpu--;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return sched_setaffinity(0, sizeof set, &set) ? -1 : cpu;
}

// spin-there SECONDS: burns so much CPU time on one CPU, and leaves it for a moment at the end. Prints the CPU.
static int spin_on_one_cpu(char **arguments) {
  int cpu = stay_on_one_cpu();
  double end = read_clock(CLOCK_PROCESS_CPUTIME_ID) + strtod(arguments[0], NULL);
  while (read_clock(CLOCK_PROCESS_CPUTIME_ID) < end) workload_spin();
  nap(1);
  printf("%d\n", cpu);
  return cpu < 0;
}

// crowd COUNT SECONDS: so many processes want the same CPU for so long. Prints the CPU.
static int crowd_one_cpu(char **arguments) {
  int cpu = stay_on_one_cpu(), failures = cpu < 0;
  double end = read_clock(CLOCK_MONOTONIC) + strtod(arguments[1], NULL);
  for (long i = number_of(arguments[0]); i > 0; i--) {
    if (fork()) continue;
    while (read_clock(CLOCK_MONOTONIC) < end) workload_spin();
    _exit(0);
  }
  while (wait(NULL) > 0) continue;
  printf("%d\n", cpu);
  return failures;
}

// wake COUNT MILLISECONDS NAME: is woken so often, each time after so long, by a child process of this name.
static int be_woken(char **arguments) {
  int ends[2], failures = pipe(ends) != 0;
  char byte = 0;
  long count = number_of(arguments[0]);
  pid_t waiting = getpid(), child = fork();
  if (child == 0) {
    prctl(PR_SET_NAME, arguments[2]);
    for (long i = 0; i < count; i++) {
      await_sleep(waiting);
      nap(number_of(arguments[1]));
      if (write(ends[1], &byte, 1) != 1) _exit(1);
    }
    _exit(0);
  }
  for (long i = 0; i < count; i++) failures += read(ends[0], &byte, 1) != 1;
  waitpid(child, NULL, 0);
  return failures != 0;
}

const struct task scheduler_tasks[] = {{"nap", nap_often},       {"nap-interrupted", nap_until_signal},
                                       {"crowd", crowd_one_cpu}, {"spin-there", spin_on_one_cpu},
                                       {"wake", be_woken},       {NULL, NULL}};
