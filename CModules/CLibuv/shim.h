/* libuv for Swift: the library's own header, and as `static inline` what Swift cannot import. */
#ifndef MARTLET_CLIBUV_SHIM_H
#define MARTLET_CLIBUV_SHIM_H

#include <uv.h>

#endif
