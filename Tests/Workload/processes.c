// Signals, users and threads.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tasks.h"

// kill PROCESS SIGNAL: succeeds also where the kernel refuses.
static int send_signal(char **arguments) {
  kill((pid_t)number_of(arguments[0]), (int)number_of(arguments[1]));
  return 0;
}

// signals: to itself, one that is ignored, one that is blocked, and the same again while it waits.
static int send_to_self(char **arguments) {
  sigset_t blocked;
  (void)arguments;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  return kill(getpid(), SIGWINCH) || kill(getpid(), SIGUSR1) || kill(getpid(), SIGUSR1);
}

// setuids: becomes user 33 by way of 1000, and can't go back.
static int change_user(char **arguments) {
  (void)arguments;
  if (syscall(SYS_setresuid, -1, 1000, -1) || syscall(SYS_setreuid, -1, 0) || syscall(SYS_setfsuid, 7)) return 1;
  return syscall(SYS_setuid, 33) || !syscall(SYS_setuid, 0);
}

static void *wait_for_ever(void *argument) {
  pause();
  return argument;
}

// idle-threads COUNT: so many threads more that live until the process ends.
static int keep_threads(char **arguments) {
  pthread_t thread;
  for (long i = number_of(arguments[0]); i > 0; i--)
    if (pthread_create(&thread, NULL, wait_for_ever, NULL)) return 1;
  return 0;
}

// give-away PATH USER: as this user, gives the open file to user 1, which needs a capability. Succeeds also without.
static int give_away(char **arguments) {
  int fd = open(arguments[0], O_RDONLY);
  if (fd < 0 || setresuid((uid_t)-1, (uid_t)number_of(arguments[1]), (uid_t)-1)) return 1;
  return fchown(fd, 1, (gid_t)-1) && errno != EPERM;
}

const struct task process_tasks[] = {{"kill", send_signal},          {"signals", send_to_self},
                                     {"setuids", change_user},       {"idle-threads", keep_threads},
                                     {"give-away", give_away},       {NULL, NULL}};
