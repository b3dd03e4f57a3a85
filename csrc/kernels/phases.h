/* Moves numbers between images and their phases (npg/kernels/phases.py). */

#ifndef NPG_PHASES_H
#define NPG_PHASES_H

#include <stdint.h>
#include <string.h>

/* Along depth, height and width: sizes of an image, places, steps, zeros before; the numbers of a phase. */
typedef struct {
    npy_intp size[3], out[3], stride[3], before[3], count[3];
} npg_phases;

/* Find which of the numbers from start to stop, `stride` apart and the first `shift` after the begin of a row, lie in
   the row: from `low` to `high`. */
static inline void npg_inside(npy_intp size, npy_intp stride, npy_intp shift, npy_intp start, npy_intp stop,
                              npy_intp *low, npy_intp *high) {
    *low = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
    *high = size > shift ? (size - shift + stride - 1) / stride : 0;
    if (*low < start) *low = start;
    if (*low > stop) *low = stop;
    if (*high > stop) *high = stop;
    if (*high < *low) *high = *low;
}

/* The same for the numbers of a phase; `number`: the first one that belongs to it, counted from the first zero. */
static inline void npg_met(const npg_phases *p, int dim, npy_intp number, npy_intp *low, npy_intp *high) {
    npg_inside(p->size[dim], p->stride[dim], number - p->before[dim], 0, p->count[dim], low, high);
}

/* Copy an image to its phases, zeros outside it; or back what is inside, zeros where there is no phase. */
#define NPG_SPLIT(name, real)                                                                                     \
    static void name(const npg_phases *p, real *x, real *phases, int back) {                                      \
        npy_intp a, b, k, z, i, j, deep, deepest, first, last, low, high, s = p->stride[2];                       \
        npy_intp each = p->count[0] * p->count[1] * p->count[2];                                                  \
        if (back) memset(x, 0, p->size[0] * p->size[1] * p->size[2] * sizeof(real));                              \
        for (a = 0; a < p->stride[0]; a++)                                                                        \
            for (b = 0; b < p->stride[1]; b++)                                                                    \
                for (k = 0; k < s; k++, phases += each) {                                                         \
                    npg_met(p, 0, a, &deep, &deepest);                                                            \
                    npg_met(p, 1, b, &first, &last);                                                              \
                    npg_met(p, 2, k, &low, &high);                                                                \
                    if (!back && (deepest - deep) * (last - first) * (high - low) < each)                         \
                        memset(phases, 0, each * sizeof(real));                                                   \
                    for (z = deep; z < deepest; z++)                                                              \
                        for (i = first; i < last; i++) {                                                          \
                            npy_intp row = (z * p->stride[0] + a - p->before[0]) * p->size[1] + i * p->stride[1]; \
                            real *line = x + (row + b - p->before[1]) * p->size[2] + k - p->before[2];            \
                            real *to = phases + (z * p->count[1] + i) * p->count[2];                              \
                            if (back)                                                                             \
                                for (j = low; j < high; j++) line[j * s] = to[j];                                 \
                            else if (s == 1)                                                                      \
                                for (j = low; j < high; j++) to[j] = line[j];                                     \
                            else if (s == 2)                                                                      \
                                for (j = low; j < high; j++) to[j] = line[2 * j];                                 \
                            else                                                                                  \
                                for (j = low; j < high; j++) to[j] = line[j * s];                                 \
                        }                                                                                         \
                }                                                                                                 \
    }

NPG_SPLIT(npg_split_single, uint32_t)
NPG_SPLIT(npg_split_double, uint64_t)

static void npg_split(int size, const npg_phases *p, char *x, char *phases, int back) {
    if (size == 4)
        npg_split_single(p, (uint32_t *)x, (uint32_t *)phases, back);
    else
        npg_split_double(p, (uint64_t *)x, (uint64_t *)phases, back);
}

/* Copy results, place after place, to the rows of a phase from `top` to `bottom`, zeros between. */
static void npg_put_in_rows(int size, const npg_phases *p, const char *y, char *rows, npy_intp top, npy_intp bottom) {
    npy_intp row, line = p->out[2] * size, pitch = p->count[2] * size;
    for (row = top; row < bottom; row++, rows += pitch) {
        npy_intp z = row / p->count[1], i = row % p->count[1];
        if (i < p->out[1]) {
            memcpy(rows, y + (z * p->out[1] + i) * line, line);
            memset(rows + line, 0, pitch - line);
        } else
            memset(rows, 0, pitch);
    }
}

/* Copy rows of n numbers, `pitch` numbers apart, to where they stand one after the other. All but the last are copied in
   pieces: the next row overwrites what is too much. `x` may be read up to a piece after the last row. */
#define NPG_CLOSE_UP(name, real)                                                                          \
    static inline void name(const real *x, npy_intp rows, npy_intp n, npy_intp pitch, real *out) {        \
        enum { PIECE = 32 / sizeof(real), HALF = PIECE / 2 };                                             \
        npy_intp i = 0, j;                                                                                \
        if (n == PIECE)                                                                                   \
            for (; i < rows; i++) memcpy(out + i * n, x + i * pitch, PIECE * sizeof(real));               \
        else if (n > PIECE)                                                                               \
            for (; i < rows - 1; i++)                                                                     \
                for (j = 0; j < n; j += PIECE) memcpy(out + i * n + j, x + i * pitch + j, PIECE * sizeof(real)); \
        else if (n >= HALF)                                                                               \
            for (; i < rows - 1; i++)                                                                     \
                for (j = 0; j < n; j += HALF) memcpy(out + i * n + j, x + i * pitch + j, HALF * sizeof(real)); \
        for (; i < rows; i++)                                                                             \
            for (j = 0; j < n; j++) out[i * n + j] = x[i * pitch + j];                                    \
    }

NPG_CLOSE_UP(npg_close_up_single, uint32_t)
NPG_CLOSE_UP(npg_close_up_double, uint64_t)

static void npg_close_up(int size, const char *x, npy_intp rows, npy_intp n, npy_intp pitch, char *out) {
    if (size == 4)
        npg_close_up_single((const uint32_t *)x, rows, n, pitch, (uint32_t *)out);
    else
        npg_close_up_double((const uint64_t *)x, rows, n, pitch, (uint64_t *)out);
}

#endif
