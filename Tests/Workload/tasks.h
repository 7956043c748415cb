// The tasks of the workload, by what they work on. Each takes its arguments, ended by NULL, and gives the exit code.
#ifndef WORKLOAD_TASKS_H
#define WORKLOAD_TASKS_H

#include <stddef.h>

struct task {
  const char *name;
  int (*run)(char **arguments);
};

// Each ends with an entry without a name.
extern const struct task file_tasks[], memory_tasks[], network_tasks[], process_tasks[], scheduler_tasks[], tls_tasks[];

// A number among the arguments; 0 where there is none.
long number_of(const char *argument);

// spin SECONDS of main.c, for other tasks to burn CPU time with.
void workload_spin(void);
double read_clock(int clock);

// Sleeps for so long by clock_nanosleep.
void nap(long milliseconds);

#endif
