/* Moves numbers between images and tiles (npg/kernels/winograd.py). */

#ifndef NPG_WINOGRAD_H
#define NPG_WINOGRAD_H

#include <stdint.h>
#include <string.h>

#include "phases.h"

/* Copy the numbers of each second row and column of an image from (top, left) on: four rows of `rows` x `pitch`
   numbers, `apart` numbers apart; zeros outside the image. */
#define NPG_QUARTERS(name, real)                                                                                  \
    static void name(const real *x, npy_intp height, npy_intp width, npy_intp top, npy_intp left, npy_intp rows,  \
                     npy_intp pitch, real *quarters, npy_intp apart) {                                            \
        npy_intp a, b, i, j, low, high, line;                                                                     \
        for (a = 0; a < 2; a++)                                                                                   \
            for (b = 0; b < 2; b++) {                                                                             \
                real *to = quarters + (2 * a + b) * apart;                                                        \
                npy_intp shift = left + b;                                                                        \
                npg_inside(width, 2, shift, 0, pitch, &low, &high);                                               \
                for (i = 0; i < rows; i++, to += pitch) {                                                         \
                    line = top + 2 * i + a;                                                                       \
                    if (line < 0 || line >= height)                                                               \
                        memset(to, 0, pitch * sizeof(real));                                                      \
                    else {                                                                                        \
                        const real *from = x + line * width + shift;                                              \
                        for (j = 0; j < low; j++) to[j] = 0;                                                      \
                        for (j = low; j < high; j++) to[j] = from[2 * j];                                         \
                        for (j = high; j < pitch; j++) to[j] = 0;                                                 \
                    }                                                                                             \
                }                                                                                                 \
            }                                                                                                     \
    }

/* Copy back what belongs to `height` x `width` numbers. */
#define NPG_INTERLEAVE(name, real)                                                                                \
    static void name(const real *quarters, npy_intp apart, npy_intp pitch, real *y, npy_intp height,              \
                     npy_intp width) {                                                                            \
        npy_intp i, j;                                                                                            \
        for (i = 0; i < height; i++, y += width) {                                                                \
            const real *even = quarters + 2 * (i % 2) * apart + i / 2 * pitch, *odd = even + apart;               \
            for (j = 0; j < width / 2; j++) {                                                                     \
                y[2 * j] = even[j];                                                                               \
                y[2 * j + 1] = odd[j];                                                                            \
            }                                                                                                     \
            if (width % 2) y[width - 1] = even[width / 2];                                                        \
        }                                                                                                         \
    }

NPG_QUARTERS(npg_quarters_single, uint32_t)
NPG_QUARTERS(npg_quarters_double, uint64_t)
NPG_INTERLEAVE(npg_interleave_single, uint32_t)
NPG_INTERLEAVE(npg_interleave_double, uint64_t)

static void npg_quarters(int size, const char *x, npy_intp height, npy_intp width, npy_intp top, npy_intp left,
                         npy_intp rows, npy_intp pitch, char *quarters, npy_intp apart) {
    if (size == 4)
        npg_quarters_single((const uint32_t *)x, height, width, top, left, rows, pitch, (uint32_t *)quarters, apart / 4);
    else
        npg_quarters_double((const uint64_t *)x, height, width, top, left, rows, pitch, (uint64_t *)quarters, apart / 8);
}

static void npg_interleave(int size, const char *quarters, npy_intp apart, npy_intp pitch, char *y, npy_intp height,
                           npy_intp width) {
    if (size == 4)
        npg_interleave_single((const uint32_t *)quarters, apart / 4, pitch, (uint32_t *)y, height, width);
    else
        npg_interleave_double((const uint64_t *)quarters, apart / 8, pitch, (uint64_t *)y, height, width);
}

#endif
