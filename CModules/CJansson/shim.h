/* jansson for Swift: the library's own header, and as `static inline` what Swift cannot import. */
#ifndef MARTLET_CJANSSON_SHIM_H
#define MARTLET_CJANSSON_SHIM_H

#include <jansson.h>

#endif
