// The time limit: a timer that ticks eight times per limit while protected calls are in progress.
//
// Setting a timer takes over a microsecond, as long as many a callback. So the timer goes on between calls, and the
// first tick that finds none in progress stops it.
//
// Its signal goes to the thread that runs Lua (SIGEV_THREAD_ID, timer_create(2)) and the handler touches that thread's
// state only. It counts processor time of the thread, not the clock on the wall: a callback that waits for a slow
// terminal, or for its turn on a busy machine, has not run. A count hook would do without a signal, but slows all of
// Lua by a factor of two to three.
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "mt_lua_internal.h"

// The first real-time signals are used by glibc and, by habit, by applications; this one is in nobody's list.
#define TICK_SIGNAL (SIGRTMIN + 7)

// One of so many ticks that strike in the host's work counts as the script's.
enum { TICKS = 8, HOST_SHARE = 16 };
// A shorter host call is an ordinary function, in nanoseconds.
static const uint64_t trifle = 100000;
// A callback inside a C function that never returns to Lua can't be stopped; after this the process ends.
static const uint64_t patience = 5000000000;

typedef struct mt_watchdog {
  mt_lua *lua;
  timer_t timer;
  pid_t thread;  // that the timer signals; 0: no timer yet
  volatile bool ticking;
  struct mt_watchdog *outer;  // another state whose host function is running this one
  uint64_t callback;    // in progress at the last tick
  uint64_t ticks;       // that found `callback` in progress
  uint64_t host_call;   // the host's work at the last tick: when it began
  uint64_t host_ticks;  // that found the host at work for the callback
  uint64_t last_tick;   // at which patience ends
} mt_watchdog;

// Thread-local in the way that is safe in a signal handler.
#define HANDLER_LOCAL static _Thread_local __attribute__((tls_model("initial-exec")))
HANDLER_LOCAL mt_watchdog *volatile armed;  // of the protected call in progress
HANDLER_LOCAL mt_watchdog *volatile idle;   // of the one that ended last, whose timer may still tick

static void say(const char *text) {
  if (write(STDERR_FILENO, text, strlen(text)) < 0) return;
}

static void say_place(lua_State *L) {
  lua_Debug frame;
  char digits[16], *start = digits + sizeof digits - 1;
  for (int level = 0; lua_getstack(L, level, &frame) && lua_getinfo(L, "Sl", &frame); level++) {
    if (frame.currentline < 0) continue;
    *start = 0;
    for (int line = frame.currentline; line > 0; line /= 10) *--start = (char)('0' + line % 10);
    say(frame.short_src);
    say(":");
    say(start);
    say(": ");
    return;
  }
}

static void give_up(mt_lua *lua) {
  mt_terminal_leave();
  say_place(lua->running);
  say("stuck in a function of Lua's C library, which can't be stopped: moontrace ends");
  say(" (use a simpler pattern or less data)\n");
  _exit(1);
}

uint64_t mt_lua_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

// Whether this tick struck while the host was at work for the script, such as compiling a probe or naming stacks. A
// single call has all the time that it takes; of many, a small part is the script's, so that one which asks for ever is
// stopped all the same.
static bool is_the_hosts_time(const mt_lua *lua, mt_watchdog *watchdog) {
  if (!lua->in_host) return false;
  uint64_t since = lua->host_since;
  bool same = since && since == watchdog->host_call;
  watchdog->host_call = since;
  if (same) return true;
  if (since && mt_lua_now() - since < trifle) return false;
  return ++watchdog->host_ticks % HOST_SHARE != 0;
}

static bool is_interrupted(const mt_lua *lua) {
  struct pollfd wanted = {.fd = lua->interrupt_fd, .events = POLLIN};
  return wanted.fd >= 0 && poll(&wanted, 1, 0) == 1;  // async-signal-safe
}

static void stop(mt_lua *lua) {
  lua->stop_requested = true;
  mt_lua_set_kill_hook(lua->running);
}

static void tick(mt_lua *lua, mt_watchdog *watchdog, uint64_t count) {
  if (lua->callbacks != watchdog->callback) {
    watchdog->callback = lua->callbacks;
    watchdog->ticks = 0;
    watchdog->host_ticks = 0;
    return;
  }
  if (is_the_hosts_time(lua, watchdog)) return;
  if (is_interrupted(lua)) {
    lua->interrupted = true;
    stop(lua);
  }
  watchdog->ticks += count;
  if (watchdog->ticks < TICKS) return;
  if (watchdog->ticks > watchdog->last_tick) give_up(lua);
  stop(lua);
}

static bool set_interval(mt_watchdog *watchdog, uint64_t nanoseconds) {
  struct timespec every = {(time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)};
  struct itimerspec setting = {.it_interval = every, .it_value = every};
  watchdog->ticking = timer_settime(watchdog->timer, 0, &setting, NULL) == 0 && nanoseconds > 0;
  return watchdog->ticking || nanoseconds == 0;
}

static void on_tick(int signal, siginfo_t *information, void *context) {
  (void)signal, (void)context;
  mt_watchdog *watchdog = information->si_value.sival_ptr;
  int saved = errno;
  if (watchdog && watchdog == armed) {
    tick(watchdog->lua, watchdog, 1 + (uint64_t)information->si_overrun);
  } else if (watchdog && watchdog == idle) {
    set_interval(watchdog, 0);
  }
  errno = saved;
}

static void install_handler(void) {
  struct sigaction action = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(TICK_SIGNAL, &action, NULL);
}

static pid_t this_thread(void) {
  static _Thread_local pid_t number;
  if (!number) number = (pid_t)syscall(SYS_gettid);
  return number;
}

static void drop_timer(mt_watchdog *watchdog) {
  if (watchdog->thread) timer_delete(watchdog->timer);
  watchdog->thread = 0;
  watchdog->ticking = false;
}

// A state may move to another thread between calls; a timer can't.
static bool make_timer(mt_watchdog *watchdog) {
  if (watchdog->thread == this_thread()) return true;
  drop_timer(watchdog);
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = TICK_SIGNAL};
  event.sigev_value.sival_ptr = watchdog;
  event._sigev_un._tid = this_thread();
  if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &watchdog->timer) != 0) return false;
  watchdog->thread = this_thread();
  // Threads of a dispatch pool start with all signals blocked.
  sigset_t ticks;
  sigemptyset(&ticks);
  sigaddset(&ticks, TICK_SIGNAL);
  return pthread_sigmask(SIG_UNBLOCK, &ticks, NULL) == 0;
}

bool mt_lua_watchdog_open(mt_lua *lua) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, install_handler);
  mt_watchdog *watchdog = calloc(1, sizeof *watchdog);
  if (!watchdog) return false;
  uint64_t interval = lua->config.callback_limit / TICKS;
  watchdog->lua = lua;
  watchdog->last_tick = TICKS + (interval ? patience / interval : 0) + 1;
  lua->watchdog = watchdog;
  return true;
}

void mt_lua_watchdog_close(mt_lua *lua) {
  if (lua->watchdog) drop_timer(lua->watchdog);
  if (idle == lua->watchdog) idle = NULL;
  free(lua->watchdog);
}

bool mt_lua_watchdog_arm(mt_lua *lua) {
  mt_watchdog *watchdog = lua->watchdog;
  if (!make_timer(watchdog)) return false;
  watchdog->callback = ~lua->callbacks;  // so that the time begins with the first tick
  watchdog->outer = armed;
  if (idle == watchdog) idle = NULL;
  armed = watchdog;
  atomic_signal_fence(memory_order_seq_cst);  // from here on, no tick stops the timer
  if (watchdog->ticking || set_interval(watchdog, lua->config.callback_limit / TICKS)) return true;
  armed = watchdog->outer;
  return false;
}

void mt_lua_interrupt_by(mt_lua *lua, int fd) { lua->interrupt_fd = fd; }

void mt_lua_watchdog_disarm(mt_lua *lua) {
  mt_watchdog *watchdog = lua->watchdog;
  idle = watchdog;
  armed = watchdog->outer;
}
