// Counts calls of the allocator: preloaded into a server, read from outside through a file both map.
//
//   MALLOC_COUNTER=FILE LD_PRELOAD=malloc_counter.so server     FILE holds two 64-bit counts: allocations, frees
//
// glibc only: it forwards to glibc's own `__libc_` names, which need no dlsym (dlsym allocates).

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static _Atomic unsigned long long before_start[2];
static _Atomic unsigned long long *counts = before_start;

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("MALLOC_COUNTER");
  int file = path ? open(path, O_RDWR) : -1;
  if (file < 0) return;
  void *shared = mmap(NULL, sizeof before_start, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (shared != MAP_FAILED) counts = shared;
}

static void allocated(void) { atomic_fetch_add_explicit(&counts[0], 1, memory_order_relaxed); }

void *malloc(size_t size) { return allocated(), __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return allocated(), __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return allocated(), __libc_realloc(old, size); }
void *memalign(size_t alignment, size_t size) { return allocated(), __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return allocated(), __libc_memalign(alignment, size); }
int posix_memalign(void **result, size_t alignment, size_t size) {
  allocated();
  void *memory = __libc_memalign(alignment, size);
  if (!memory) return ENOMEM;
  *result = memory;
  return 0;
}
void free(void *memory) {
  if (memory) atomic_fetch_add_explicit(&counts[1], 1, memory_order_relaxed);
  __libc_free(memory);
}
