/* What the machine itself takes for memory that nobody has touched for a while: a host may map it anew, page by page.
 *
 *   touch MIB IDLE_MS COUNT SECONDS
 *
 * Fills so much memory, in plain pages, rests, then makes COUNT random loads each millisecond, as a sweep over a store does, and prints the
 * longest of these batches in microseconds. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  size_t bytes = (size_t)atol(argv[1]) << 20;
  long count = atol(argv[3]);
  unsigned char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 1;
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  memset(memory, 1, bytes);
  usleep((useconds_t)atol(argv[2]) * 1000);

  unsigned long random = 88172645463325252UL, sum = 0;
  double longest = 0, end = now() + atof(argv[4]);
  for (double begin = now(); begin < end; begin = now()) {
    for (long index = 0; index < count; index++) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      sum += memory[random % bytes];
    }
    double took = now() - begin;
    if (took > longest) longest = took;
    usleep(1000);
  }
  printf("%.0f %lu\n", longest * 1e6, sum);
  return 0;
}
