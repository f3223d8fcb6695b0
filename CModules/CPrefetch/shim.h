/* The processor's prefetch instruction for Swift, which has no name for it: no library, two lines that the compiler inlines.
 *
 * A hint: it asks for the cache line of any address, valid or not, and waits for nothing. A plain load in its place would have to
 * arrive before the instructions behind it can retire, so that a batch would wait where it should go on. */
#ifndef MARTLET_CPREFETCH_SHIM_H
#define MARTLET_CPREFETCH_SHIM_H

/* The line will be read soon. */
static inline void martlet_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

/* The line will be written soon. */
static inline void martlet_prefetch_for_write(const void *address) { __builtin_prefetch(address, 1, 3); }

#endif
