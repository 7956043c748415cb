// Files: their descriptions, contents and descriptors, and mounts.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tasks.h"

enum { PAGE = 4096 };

// stat PATH...: describes each path in five ways.
static int describe(char **paths) {
  char description[sizeof(struct stat) + 256];
  for (; *paths; paths++) {
    syscall(SYS_stat, *paths, description);
    syscall(SYS_lstat, *paths, description);
    syscall(SYS_newfstatat, AT_FDCWD, *paths, description, 0);
    syscall(SYS_statx, AT_FDCWD, *paths, 0, STATX_SIZE, description);
    syscall(SYS_statfs, *paths, description);
  }
  return 0;
}

// sync PATH: writes a page to the file and brings it to the disk in every way, and the file system of /proc too; last
// a descriptor that is none.
static int synchronize(char **arguments) {
  char page[PAGE] = {0};
  int fd = open(arguments[0], O_RDWR | O_CREAT, 0600), other = open("/proc", O_RDONLY | O_DIRECTORY);
  if (write(fd, page, sizeof page) != PAGE || fsync(fd) || fdatasync(fd)) return 1;
  if (sync_file_range(fd, 0, PAGE, SYNC_FILE_RANGE_WRITE) || syncfs(other)) return 1;
  void *mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (msync(mapped, PAGE, MS_SYNC)) return 1;
  return fsync(-1) != -1;
}

// mounts DIRECTORY: mounts a tmpfs there in a namespace of its own, and takes it away twice. Prints the namespace.
static int mount_there(char **arguments) {
  struct stat namespace;
  if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)) return 1;
  if (mount("workload", arguments[0], "tmpfs", MS_NOSUID, "size=1m") || umount2(arguments[0], 0)) return 1;
  if (!umount2(arguments[0], MNT_DETACH) || stat("/proc/self/ns/mnt", &namespace)) return 1;
  printf("%lu\n", (unsigned long)namespace.st_ino);
  return 0;
}

// direct read|write PATH COUNT: so many pages, one after the other, past the page cache.
static int pass_cache(char **arguments) {
  int is_read = !strcmp(arguments[0], "read"), fd = open(arguments[1], O_RDWR | O_DIRECT);
  void *page = aligned_alloc(PAGE, PAGE);
  memset(page, 0, PAGE);
  for (long i = 0; i < number_of(arguments[2]); i++) {
    ssize_t size = is_read ? pread(fd, page, PAGE, i * PAGE) : pwrite(fd, page, PAGE, i * PAGE);
    if (size != PAGE) return 1;
  }
  return 0;
}

// pages PATH COUNT: writes a file of so many pages, one at a time, brings it to the disk and reads it again.
static int use_pages(char **arguments) {
  char page[PAGE] = {0};
  long count = number_of(arguments[1]);
  int fd = open(arguments[0], O_RDWR | O_CREAT | O_TRUNC, 0600);
  for (long i = 0; i < count; i++)
    if (write(fd, page, PAGE) != PAGE) return 1;
  if (fsync(fd) || lseek(fd, 0, SEEK_SET)) return 1;
  for (long i = 0; i < count; i++)
    if (read(fd, page, PAGE) != PAGE) return 1;
  return 0;
}

// keep-open FILE DIRECTORY: opens the file to read, to write and for both, the directory, and a socket. Prints the
// descriptors.
static int keep_open(char **arguments) {
  int r = open(arguments[0], O_RDONLY), w = open(arguments[0], O_WRONLY), u = open(arguments[0], O_RDWR);
  int directory = open(arguments[1], O_RDONLY | O_DIRECTORY), connection = socket(AF_UNIX, SOCK_STREAM, 0);
  printf("%d %d %d %d %d\n", r, w, u, directory, connection);
  return r < 0 || w < 0 || u < 0 || directory < 0 || connection < 0;
}

const struct task file_tasks[] = {{"stat", describe},        {"sync", synchronize}, {"mounts", mount_there},
                                  {"direct", pass_cache},    {"pages", use_pages},  {"keep-open", keep_open},
                                  {NULL, NULL}};
