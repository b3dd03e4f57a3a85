/* CBLAS by the address of its function: a batch of one product, which OpenBLAS computes in the calling thread. */

#ifndef NPG_BLAS_H
#define NPG_BLAS_H

#include "checked.h"

/* Integers have 32 or 64 bits, as OpenBLAS was built. */
#define NPG_BATCH_OF_ONE(name, real, integer)                                                                      \
    static void name(void *function, int a_trans, int b_trans, long long m, long long n, long long k, char *a,     \
                     long long lda, char *b, long long ldb, char *out, long long ldc) {                            \
        integer sizes[3], ld[3], one = 1;                                                                          \
        real alpha = 1, beta = 0;                                                                                  \
        sizes[0] = (integer)m, sizes[1] = (integer)n, sizes[2] = (integer)k;                                       \
        ld[0] = (integer)lda, ld[1] = (integer)ldb, ld[2] = (integer)ldc;                                          \
        ((void (*)(int, int *, int *, integer *, integer *, integer *, real *, char **, integer *, char **,        \
                   integer *, real *, char **, integer *, integer, integer *))function)(                           \
            101, &a_trans, &b_trans, &sizes[0], &sizes[1], &sizes[2], &alpha, &a, &ld[0], &b, &ld[1], &beta, &out, \
            &ld[2], 1, &one);                                                                                      \
    }

NPG_BATCH_OF_ONE(npg_single_64, float, long long)
NPG_BATCH_OF_ONE(npg_single_32, float, int)
NPG_BATCH_OF_ONE(npg_double_64, double, long long)
NPG_BATCH_OF_ONE(npg_double_32, double, int)

/* Write the product of (m, k) and (k, n) into out, whose rows are contiguous.

   size: bytes of a number. width: bytes of an integer. trans: CBLAS's constant for a matrix by rows, 111, or columns,
   112. ld: the leading dimension, in elements. */
static void npg_batch_of_one(void *function, int size, int width, int a_trans, int b_trans, long long m, long long n,
                             long long k, char *a, long long lda, char *b, long long ldb, char *out, long long ldc) {
    npg_check(a, a_trans == 111 ? m : k, lda * size, a_trans == 111 ? k : m, size, size);
    npg_check(b, b_trans == 111 ? k : n, ldb * size, b_trans == 111 ? n : k, size, size);
    npg_check(out, m, ldc * size, n, size, size);
    if (size == 4)
        (width == 8 ? npg_single_64 : npg_single_32)(function, a_trans, b_trans, m, n, k, a, lda, b, ldb, out, ldc);
    else
        (width == 8 ? npg_double_64 : npg_double_32)(function, a_trans, b_trans, m, n, k, a, lda, b, ldb, out, ldc);
}

#endif
