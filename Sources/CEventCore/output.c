// The buffer in front of a descriptor. Whole lines leave it together, so that readers of a pipe or a terminal
// never see half a record for long.
#define _GNU_SOURCE  // memrchr
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mt_format.h"

#define FIRST_CAPACITY (64 * 1024)
// A line longer than this is written in pieces.
#define LONGEST_LINE (1024 * 1024)

_Static_assert(FIRST_CAPACITY >= 2 * MT_CHUNK, "a reservation must fit an empty buffer");

bool mt_output_open(mt_output *output, int fd) {
  *output = (mt_output){.bytes = malloc(FIRST_CAPACITY), .capacity = FIRST_CAPACITY, .fd = fd, .interrupt_fd = -1};
  return output->bytes != NULL;
}

void mt_output_close(mt_output *output) {
  if (output->fd >= 0) mt_output_flush(output);
  free(output->bytes);
  *output = (mt_output){.fd = -1, .interrupt_fd = -1};
}

void mt_output_interrupt_by(mt_output *output, int fd) {
  struct stat about;
  bool may_stall = fstat(output->fd, &about) == 0 && !S_ISREG(about.st_mode);
  output->interrupt_fd = may_stall ? fd : -1;
}

static void fail(mt_output *output, int error) {
  if (output->error == 0) output->error = error;
  output->taken += output->length;
  output->length = 0;
}

// Waits until PIPE_BUF bytes can be written without blocking. False when the interruption came first.
static bool wait_for_reader(const mt_output *output) {
  struct pollfd either[2] = {{.fd = output->fd, .events = POLLOUT}, {.fd = output->interrupt_fd, .events = POLLIN}};
  while (poll(either, 2, -1) < 0 && errno == EINTR) {
  }
  return either[0].revents != 0 || either[1].revents == 0;
}

// One write, past signals. Where the reader may stall, only as much as can't block. -1 when it failed.
static ssize_t write_some(const mt_output *output, const char *bytes, size_t count) {
  while (true) {
    if (output->interrupt_fd >= 0) {
      if (!wait_for_reader(output)) {
        errno = ECANCELED;
        return -1;
      }
      if (count > PIPE_BUF) count = PIPE_BUF;
    }
    ssize_t written = write(output->fd, bytes, count);
    if (written >= 0) return written;
    if (errno == EAGAIN) {
      poll(&(struct pollfd){.fd = output->fd, .events = POLLOUT}, 1, -1);
    } else if (errno != EINTR) {
      return -1;
    }
  }
}

static void announce(const mt_output *output, mt_text_phase phase) {
  if (output->around) output->around(output->around_context, phase, !output->mid_line);
}

// Writes the first `count` bytes and moves the rest to the front.
static void write_front(mt_output *output, size_t count) {
  announce(output, MT_TEXT_WILL_APPEAR);
  output->mid_line = output->bytes[count - 1] != '\n';
  for (size_t start = 0; start < count;) {
    ssize_t written = write_some(output, output->bytes + start, count - start);
    if (written < 0) {
      fail(output, errno);
      return;
    }
    start += (size_t)written;
  }
  memmove(output->bytes, output->bytes + count, output->length - count);
  output->length -= count;
  output->taken += count;
  announce(output, MT_TEXT_APPEARED);
}

void mt_output_aside(mt_output *output, const void *bytes, size_t length) {
  if (output->fd < 0) {
    mt_output_append(output, bytes, length);
    return;
  }
  announce(output, MT_TEXT_WILL_APPEAR);
  ssize_t written = write(STDERR_FILENO, bytes, length);
  (void)written;  // stderr may be closed
  announce(output, MT_TEXT_APPEARED);
}

bool mt_output_flush(mt_output *output) {
  if (output->error == 0 && output->fd >= 0 && output->length > 0) write_front(output, output->length);
  return output->error == 0;
}

static bool has_room(const mt_output *output, size_t count) {
  return output->capacity - output->length >= count;
}

static bool grow(mt_output *output) {
  char *bytes = realloc(output->bytes, output->capacity * 2);
  if (!bytes) return false;
  output->bytes = bytes;
  output->capacity *= 2;
  return true;
}

static void write_whole_lines(mt_output *output) {
  const char *end = memrchr(output->bytes, '\n', output->length);
  if (end) write_front(output, (size_t)(end - output->bytes) + 1);
}

void mt_output_make_room(mt_output *output, size_t count) {
  if (output->error != 0) fail(output, output->error);
  if (output->fd >= 0) write_whole_lines(output);
  if (has_room(output, count)) return;
  bool may_grow = output->fd < 0 || output->capacity < LONGEST_LINE;
  if (may_grow && grow(output)) return;
  if (output->fd < 0) {
    fail(output, ENOMEM);
  } else {
    mt_output_flush(output);
  }
}

void mt_output_append(mt_output *output, const void *bytes, size_t length) {
  const char *from = bytes;
  while (length > output->capacity - output->length) {
    size_t piece = length < MT_CHUNK ? length : MT_CHUNK;
    memcpy(mt_reserve(output, piece), from, piece);
    output->length += piece;
    from += piece;
    length -= piece;
  }
  if (length == 0) return;
  memcpy(output->bytes + output->length, from, length);
  output->length += length;
}
