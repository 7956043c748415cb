// Does a known number of known things, so that tests and benchmarks can say what a trace of it must hold.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tasks.h"
#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#else
#define DTRACE_PROBE2(provider, name, first, second)
#endif

double read_clock(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

// getppid COUNT: as fast as it can. Prints the nanoseconds that one call took.
static int call_getppid(long count) {
  double start = read_clock(CLOCK_MONOTONIC);
  for (long i = 0; i < count; i++) syscall(SYS_getppid);
  printf("%.1f\n", (read_clock(CLOCK_MONOTONIC) - start) * 1e9 / (double)count);
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

// A new file that has no name any more; -1 when there can be none.
static int open_unnamed(char *path) {
  int fd = mkstemp(path);
  if (fd >= 0) unlink(path);
  return fd;
}

// ftruncate COUNT: gives a file the lengths from 0 to COUNT - 1; then 1000 to a descriptor that is none.
static int truncate_descriptor(long count) {
  char path[] = "/tmp/workload-XXXXXX";
  int fd = open_unnamed(path), failures = 0;
  for (long i = 0; i < count; i++) failures += ftruncate(fd, i) != 0;
  return failures || ftruncate(-1, 1000) == 0;
}

// truncate COUNT: the same by its name, without the last.
static int truncate_path(long count) {
  char path[] = "/tmp/workload-XXXXXX";
  int fd = mkstemp(path), failures = fd < 0;
  for (long i = 0; i < count; i++) failures += truncate(path, i) != 0;
  unlink(path);
  return failures != 0;
}

// seek COUNT: goes to the places from 0 to COUNT - 1 of a file.
static int seek_places(long count) {
  char path[] = "/tmp/workload-XXXXXX";
  int fd = open_unnamed(path), failures = 0;
  for (long i = 0; i < count; i++) failures += lseek(fd, i, SEEK_SET) != i;
  return failures != 0;
}

volatile unsigned long workload_result;

// A place that a profile must find; the library calls of the clock stay outside of it.
__attribute__((noinline)) void workload_spin(void) {
  for (unsigned long i = 0; i < 1000000; i++) workload_result += i * i;
}

// spin SECONDS: burns so much CPU time in workload_spin, however busy the machine is.
static int spin(double seconds) {
  while (read_clock(CLOCK_PROCESS_CPUTIME_ID) < seconds) workload_spin();
  return 0;
}

// A place for user probes, and for a USDT probe inside; called COUNT times by `call`.
__attribute__((noinline)) long workload_function(long number, const char *text) {
  DTRACE_PROBE2(workload, called, number, text);
  __asm__ volatile("" ::: "memory");
  return number + (text ? (long)strlen(text) : 0);
}

// call COUNT [SECONDS]: stays so long afterwards, so that its addresses can still be named.
static int call(long count, unsigned seconds) {
  for (long i = 0; i < count; i++) workload_result += (unsigned long)workload_function(i, "text");
  sleep(seconds);
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

// fexec: becomes /bin/true by its descriptor, which is execveat.
static int exec_descriptor(void) {
  char *arguments[] = {"true", "by-descriptor", NULL};
  int fd = open("/bin/true", O_RDONLY);
  fexecve(fd, arguments, environ);
  perror("workload: fexecve");
  return 1;
}

static long context_switches(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nvcsw + usage.ru_nivcsw;
}

// sleep COUNT: goes to sleep for a millisecond so many times, so that it waits for a CPU as often. Prints how often it
// lost the CPU meanwhile.
static int sleep_often(long count) {
  struct timespec time = {.tv_nsec = 1000000};
  long before = context_switches();
  for (long i = 0; i < count; i++) nanosleep(&time, NULL);
  printf("%ld\n", context_switches() - before);
  return 0;
}

static void *end_at_once(void *argument) { return argument; }

// threads COUNT: starts so many threads, one after the other, each of which ends at once.
static int start_threads(long count) {
  for (long i = 0; i < count; i++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, end_at_once, NULL)) return 1;
    pthread_join(thread, NULL);
  }
  return 0;
}

static void *exit_process(void *code) { _exit((int)(long)code); }

// thread-exit CODE: a second thread ends the process while the first one waits for it.
static int exit_from_thread(long code) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, exit_process, (void *)code)) return 1;
  pthread_join(thread, NULL);
  return 1;
}

// signal NUMBER: dies of it, also where the parent ignores or blocks it.
static int die_of(int number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  signal(number, SIG_DFL);
  return raise(number);
}

long number_of(const char *argument) { return argument ? strtol(argument, NULL, 10) : 0; }

static const struct task *find_task(const char *name) {
  const struct task *groups[] = {file_tasks,    memory_tasks,    network_tasks,
                                 process_tasks, scheduler_tasks, tls_tasks};
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
    for (const struct task *task = groups[i]; task->name; task++) {
      if (!strcmp(task->name, name)) return task;
    }
  }
  return NULL;
}

// Part of its callers, so that main itself calls the tasks in the stacks that tests look for.
__attribute__((always_inline)) static inline int do_task(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  long number = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
  if (!strcmp(what, "getppid")) return call_getppid(number);
  if (!strcmp(what, "open")) return open_paths(argv + 2);
  if (!strcmp(what, "ftruncate")) return truncate_descriptor(number);
  if (!strcmp(what, "truncate")) return truncate_path(number);
  if (!strcmp(what, "seek")) return seek_places(number);
  if (!strcmp(what, "spin")) return spin(argc > 2 ? strtod(argv[2], NULL) : 1);
  if (!strcmp(what, "call")) return call(number, argc > 3 ? (unsigned)atoi(argv[3]) : 0);
  if (!strcmp(what, "exec")) return start_children(number);
  if (!strcmp(what, "sleep")) return sleep_often(number);
  if (!strcmp(what, "fexec")) return exec_descriptor();
  if (!strcmp(what, "threads")) return start_threads(number);
  if (!strcmp(what, "thread-exit")) return exit_from_thread(number);
  if (!strcmp(what, "exit")) return (int)number;
  if (!strcmp(what, "signal")) return die_of((int)number);
  const struct task *task = find_task(what);
  if (task) return task->run(argv + 2);
  fprintf(stderr, "workload: unknown task '%s'\n", what);
  return 2;
}

// hold TASK...: does it when a line comes on standard input, prints `done` with its exit code, and lives until its
// input ends, so that it has one process id, a known beginning, and addresses that can be named afterwards.
static int hold(int argc, char **argv) {
  char line[16];
  if (read(STDIN_FILENO, line, sizeof line) <= 0) return 1;
  int status = do_task(argc, argv);
  fflush(stdout);
  int size = snprintf(line, sizeof line, "done %d\n", status);
  if (write(STDOUT_FILENO, line, (size_t)size) != size) return 1;
  while (read(STDIN_FILENO, line, sizeof line) > 0) continue;
  return status;
}

int main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "hold")) return hold(argc - 1, argv + 1);
  return do_task(argc, argv);
}
