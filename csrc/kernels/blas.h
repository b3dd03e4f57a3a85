/* CBLAS by the address of its function: a batch of one product, which OpenBLAS computes in the thread that asks. */

#ifndef NPG_BLAS_H
#define NPG_BLAS_H

#include "checked.h"

/* Integers have 32 or 64 bits, as OpenBLAS was built. */
#define NPG_BATCH_OF_ONE(name, real, integer)                                                                      \
    static void name(void *function, int a_how, int b_how, long long m, long long n, long long k, char *a,         \
                     long long a_apart, char *b, long long b_apart, char *out, long long out_apart) {              \
        integer sizes[3], apart[3], one = 1;                                                                       \
        real factor = 1, nothing = 0;                                                                              \
        sizes[0] = (integer)m, sizes[1] = (integer)n, sizes[2] = (integer)k;                                       \
        apart[0] = (integer)a_apart, apart[1] = (integer)b_apart, apart[2] = (integer)out_apart;                   \
        ((void (*)(int, int *, int *, integer *, integer *, integer *, real *, char **, integer *, char **,        \
                   integer *, real *, char **, integer *, integer, integer *))function)(                           \
            101, &a_how, &b_how, &sizes[0], &sizes[1], &sizes[2], &factor, &a, &apart[0], &b, &apart[1], &nothing, \
            &out, &apart[2], 1, &one);                                                                             \
    }

NPG_BATCH_OF_ONE(npg_single_64, float, long long)
NPG_BATCH_OF_ONE(npg_single_32, float, int)
NPG_BATCH_OF_ONE(npg_double_64, double, long long)
NPG_BATCH_OF_ONE(npg_double_32, double, int)

/* Write the product of (m, k) and (k, n) into out, whose rows lie along contiguous numbers.

   size: bytes of a number. width: bytes of an integer. how: CBLAS's word for a matrix, 111 by rows, 112 by columns.
   apart: how many elements further the next row or column is. */
static void npg_batch_of_one(void *function, int size, int width, int a_how, int b_how, long long m, long long n,
                             long long k, char *a, long long a_apart, char *b, long long b_apart, char *out,
                             long long out_apart) {
    npg_check(a, a_how == 111 ? m : k, a_apart * size, a_how == 111 ? k : m, size, size);
    npg_check(b, b_how == 111 ? k : n, b_apart * size, b_how == 111 ? n : k, size, size);
    npg_check(out, m, out_apart * size, n, size, size);
    if (size == 4)
        (width == 8 ? npg_single_64 : npg_single_32)(function, a_how, b_how, m, n, k, a, a_apart, b, b_apart, out,
                                                     out_apart);
    else
        (width == 8 ? npg_double_64 : npg_double_32)(function, a_how, b_how, m, n, k, a, a_apart, b, b_apart, out,
                                                     out_apart);
}

#endif
