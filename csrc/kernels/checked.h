/* Checks of the memory that uninstrumented code (NumPy's loops, BLAS) is about to access, before it is called.

   Only in the build with sanitizers (NPG_BUILD=sanitize, see setup.py); elsewhere they compile to nothing. */

#ifndef NPG_CHECKED_H
#define NPG_CHECKED_H

#if defined(NPG_SANITIZE)

#include <sanitizer/asan_interface.h>

#define NPG_CHECKED 1

/* Check n numbers, `right` bytes apart, in each of some rows, `down` bytes apart. Reading the first byte that is out of
   bounds makes the sanitizer report it; so does reading an unaligned number. */
static void npg_check(char *start, npy_intp rows, npy_intp down, npy_intp n, npy_intp right, npy_intp size) {
    npy_intp i, k, count = right == size ? 1 : n;
    if (rows < 1 || n < 1) return;
    if (right == size) size *= n;
    if (size % 8 == 0 && right % 8 == 0)
        (void)*(volatile double *)start;
    else if (size % 4 == 0)
        (void)*(volatile float *)start;
    for (i = 0; i < rows; i++)
        for (k = 0; k < count; k++) {
            volatile char *bad = (volatile char *)__asan_region_is_poisoned(start + i * down + k * right, (size_t)size);
            if (bad) (void)*bad;
        }
}

#else

#define NPG_CHECKED 0
#define npg_check(start, rows, down, n, right, size) \
    ((void)(start), (void)(rows), (void)(down), (void)(n), (void)(right), (void)(size))

#endif
#endif
