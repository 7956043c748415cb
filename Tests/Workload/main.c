// Does a known number of known things, so that tests and benchmarks can say what a trace of it must hold.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

// getppid COUNT: as fast as it can. Prints the nanoseconds that one call took.
static int call_getppid(long count) {
  double start = now();
  for (long i = 0; i < count; i++) syscall(SYS_getppid);
  printf("%.1f\n", (now() - start) * 1e9 / (double)count);
  return 0;
}

// open PATH...: opens each path once for reading.
static int open_paths(char **paths) {
  for (; *paths; paths++) {
    int fd = open(*paths, O_RDONLY);
    if (fd >= 0) close(fd);
  }
  return 0;
}

volatile unsigned long workload_result;

// A place that a profile must find; the library calls of the clock stay outside of it.
__attribute__((noinline)) void workload_spin(void) {
  for (unsigned long i = 0; i < 1000000; i++) workload_result += i * i;
}

// spin SECONDS: burns CPU in workload_spin.
static int spin(double seconds) {
  for (double end = now() + seconds; now() < end;) workload_spin();
  return 0;
}

// A place for user probes; called COUNT times by `call`.
__attribute__((noinline)) long workload_function(long number, const char *text) {
  __asm__ volatile("" ::: "memory");
  return number + (text ? (long)strlen(text) : 0);
}

static int call(long count) {
  for (long i = 0; i < count; i++) workload_result += (unsigned long)workload_function(i, "text");
  return 0;
}

// exec COUNT: starts /bin/true so many times.
static int start_children(long count) {
  for (long i = 0; i < count; i++) {
    pid_t child = fork();
    if (child == 0) {
      execl("/bin/true", "true", "from-the-workload", (char *)NULL);
      _exit(127);
    }
    waitpid(child, NULL, 0);
  }
  return 0;
}

// sleep COUNT: goes to sleep for a millisecond so many times, so that it waits for a CPU as often.
static int sleep_often(long count) {
  struct timespec time = {.tv_nsec = 1000000};
  for (long i = 0; i < count; i++) nanosleep(&time, NULL);
  return 0;
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  long number = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
  if (!strcmp(what, "getppid")) return call_getppid(number);
  if (!strcmp(what, "open")) return open_paths(argv + 2);
  if (!strcmp(what, "spin")) return spin(argc > 2 ? strtod(argv[2], NULL) : 1);
  if (!strcmp(what, "call")) return call(number);
  if (!strcmp(what, "exec")) return start_children(number);
  if (!strcmp(what, "sleep")) return sleep_often(number);
  if (!strcmp(what, "exit")) return (int)number;
  if (!strcmp(what, "signal")) return raise((int)number);
  fprintf(stderr, "workload: unknown task '%s'\n", what);
  return 2;
}
