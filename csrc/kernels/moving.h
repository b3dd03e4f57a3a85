/* Moves numbers in memory (npg/kernels/moving.py). */

#ifndef NPG_MOVING_H
#define NPG_MOVING_H

#include <stdint.h>

/* Copy a matrix to its transpose, whose rows are `width` numbers apart; those of x are `apart` numbers apart. */
#define NPG_TRANSPOSE(name, real)                                                                                  \
    static void name(const real *x, npy_intp rows, npy_intp columns, npy_intp apart, real *out, npy_intp width) {  \
        enum { BLOCK = 8 }; /* a block of both stays in the cache */                                               \
        npy_intp i, j, top, left;                                                                                  \
        for (left = 0; left < columns; left += BLOCK)                                                              \
            for (top = 0; top < rows; top += BLOCK) {                                                              \
                npy_intp bottom = top + BLOCK < rows ? top + BLOCK : rows;                                         \
                npy_intp right = left + BLOCK < columns ? left + BLOCK : columns;                                  \
                if (bottom - top == BLOCK && right - left == BLOCK)                                                \
                    for (j = 0; j < BLOCK; j++)                                                                    \
                        for (i = 0; i < BLOCK; i++)                                                                \
                            out[(left + j) * width + top + i] = x[(top + i) * apart + left + j];                   \
                else                                                                                               \
                    for (j = left; j < right; j++)                                                                 \
                        for (i = top; i < bottom; i++) out[j * width + i] = x[i * apart + j];                      \
            }                                                                                                      \
    }

/* Copy a where `keep` is true, else b, or 0 for b = NULL. By bits, for a branch on random values is slow. */
#define NPG_SELECT(name, real)                                                                    \
    static void name(const uint8_t *keep, const real *a, const real *b, real *out, npy_intp n) {  \
        npy_intp i;                                                                               \
        if (b)                                                                                    \
            for (i = 0; i < n; i++) {                                                             \
                real bits = (real)(0 - (real)(keep[i] != 0));                                     \
                out[i] = (a[i] & bits) | (b[i] & (real)~bits);                                    \
            }                                                                                     \
        else                                                                                      \
            for (i = 0; i < n; i++) out[i] = a[i] & (real)(0 - (real)(keep[i] != 0));             \
    }

NPG_TRANSPOSE(npg_transpose_single, uint32_t)
NPG_TRANSPOSE(npg_transpose_double, uint64_t)
NPG_SELECT(npg_select_half, uint16_t)
NPG_SELECT(npg_select_single, uint32_t)
NPG_SELECT(npg_select_double, uint64_t)

static void npg_transpose(int size, const char *x, npy_intp rows, npy_intp columns, npy_intp apart, char *out,
                          npy_intp width) {
    if (size == 4)
        npg_transpose_single((const uint32_t *)x, rows, columns, apart, (uint32_t *)out, width);
    else
        npg_transpose_double((const uint64_t *)x, rows, columns, apart, (uint64_t *)out, width);
}

static void npg_select(int size, const void *keep, const void *a, const void *b, void *out, npy_intp n) {
    if (size == 2)
        npg_select_half((const uint8_t *)keep, (const uint16_t *)a, (const uint16_t *)b, (uint16_t *)out, n);
    else if (size == 4)
        npg_select_single((const uint8_t *)keep, (const uint32_t *)a, (const uint32_t *)b, (uint32_t *)out, n);
    else
        npg_select_double((const uint8_t *)keep, (const uint64_t *)a, (const uint64_t *)b, (uint64_t *)out, n);
}

#endif
