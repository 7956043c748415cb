// Memory of the C library and of the kernel.
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tasks.h"

// Where blocks are kept, so that no compiler leaves their allocation out.
static void *volatile block;

// 100,000 bytes. A probe at the first instruction of malloc finds who called this function, but not itself.
__attribute__((noinline)) static void allocate_by_malloc(void) {
  for (int i = 0; i < 1000; i++) block = malloc(100);
}

// 150,000 bytes.
__attribute__((noinline)) static void allocate_by_calloc(void) {
  for (int i = 0; i < 500; i++) block = calloc(10, 30);
}

// 55,000 bytes.
__attribute__((noinline)) static void allocate_by_realloc(void) {
  block = NULL;
  for (size_t i = 1; i <= 10; i++) block = realloc(block, i * 1000);
}

__attribute__((noinline)) static void allocate_in_all_ways(void) {
  allocate_by_malloc();
  allocate_by_calloc();
  allocate_by_realloc();
  __asm__ volatile("");
}

// allocate: 305,000 bytes in all.
static int allocate(char **arguments) {
  (void)arguments;
  allocate_in_all_ways();
  return 0;
}

// fill MEGABYTES: uses so much memory at once.
static int fill_memory(char **arguments) {
  size_t size = (size_t)number_of(arguments[0]) << 20;
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 1;
  memset(memory, 1, size);
  return 0;
}

const struct task memory_tasks[] = {{"allocate", allocate}, {"fill", fill_memory}, {NULL, NULL}};
