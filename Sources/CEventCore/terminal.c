// Taking a terminal and giving it back, whatever ends the process (but SIGKILL).
#include "mt_terminal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

// xterm's control sequences: the alternate screen; the cursor; how long lines wrap.
#define ENTER "\x1b[?1049h\x1b[?25l\x1b[?7l"
#define LEAVE "\x1b[?7h\x1b[?25h\x1b[?1049l"

static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT};
#define CRASHES (sizeof crashes / sizeof *crashes)

// A process has one terminal, and signal handlers can be given nothing.
static struct termios before;
static struct sigaction actions[CRASHES];
static volatile sig_atomic_t taken = -1;  // the descriptor

static void leave_and_crash(int number) {
  mt_terminal_leave();
  raise(number);  // blocked until the handler returns; the former action is in place again
}

static void catch_crashes(void) {
  struct sigaction action = {.sa_handler = leave_and_crash};
  for (size_t i = 0; i < CRASHES; i++) sigaction(crashes[i], &action, &actions[i]);
}

static void write_text(int fd, const char *text) {
  while (write(fd, text, strlen(text)) < 0 && errno == EINTR) {
  }
}

bool mt_terminal_enter(int fd) {
  if (taken >= 0) return true;
  if (tcgetattr(fd, &before) != 0) return false;
  struct termios mode = before;
  mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
  mode.c_iflag &= ~(tcflag_t)(IXON | ICRNL);  // Ctrl-S would stall the run
  mode.c_cc[VMIN] = 1;
  mode.c_cc[VTIME] = 0;
  if (tcsetattr(fd, TCSADRAIN, &mode) != 0) return false;
  taken = fd;
  catch_crashes();
  write_text(fd, ENTER);
  return true;
}

void mt_terminal_leave(void) {
  int fd = taken, error = errno;
  if (fd < 0) return;
  taken = -1;
  write_text(fd, LEAVE);
  tcsetattr(fd, TCSAFLUSH, &before);
  for (size_t i = 0; i < CRASHES; i++) sigaction(crashes[i], &actions[i], NULL);
  errno = error;
}
