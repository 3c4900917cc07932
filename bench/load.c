// Load generators of the benchmark. load switches|calls RATE SECONDS [CPU]: so many events a second in bursts of a millisecond,
// on one CPU, for at most 60 seconds. Prints the events, the CPU time of the bursts and their wall time in nanoseconds.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int there[2], back[2];

static long long clock_ns(clockid_t clock) {
  struct timespec at;
  clock_gettime(clock, &at);
  return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static void *answer(void *unused) {
  char byte;
  while (read(there[0], &byte, 1) == 1) if (write(back[1], &byte, 1) != 1) break;
  return unused;
}

static void switches(long round_trips) {
  char byte = 0;
  for (long i = 0; i < round_trips; i++) if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) exit(1);
}

static void calls(long number) {
  for (long i = 0; i < number; i++) syscall(SYS_getppid);
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  int switching = strcmp(argv[1], "switches") == 0;
  long rate = atol(argv[2]);
  double seconds = atof(argv[3]);
  if (seconds <= 0 || seconds > 60 || rate < 1000) return 2;
  if (argc > 4) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(atoi(argv[4]), &set);
    sched_setaffinity(0, sizeof set, &set);
  }
  pthread_t other;
  if (switching && (pipe(there) || pipe(back) || pthread_create(&other, NULL, answer, NULL))) return 1;
  long burst = rate / 1000;
  long long events = 0, cpu = 0, wall = 0;
  long long begin = clock_ns(CLOCK_MONOTONIC), end = begin + (long long)(seconds * 1e9), due = begin;
  while (due < end) {
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    long long wall_before = clock_ns(CLOCK_MONOTONIC), cpu_before = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    if (switching) switches(burst / 2);
    else calls(burst);
    cpu += clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_before;
    wall += clock_ns(CLOCK_MONOTONIC) - wall_before;
    getrusage(RUSAGE_SELF, &after);
    events += switching ? after.ru_nvcsw + after.ru_nivcsw - before.ru_nvcsw - before.ru_nivcsw : burst;
    due += 1000000;
    // Late bursts are not made up for: the rate is then lower, and the count says so.
    long long now = clock_ns(CLOCK_MONOTONIC);
    if (due < now) due = now;
    struct timespec at = { due / 1000000000LL, due % 1000000000LL };
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
  }
  double took = (clock_ns(CLOCK_MONOTONIC) - begin) / 1e9;
  printf("{\"events\":%lld,\"cpuNs\":%lld,\"wallNs\":%lld,\"perSecond\":%.0f}\n", events, cpu, wall, events / took);
  return 0;
}
