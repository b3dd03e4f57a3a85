/* The largest numbers of windows with their places in an image, and numbers put back to such places
   (npg/kernels/pooling.py). */

#ifndef NPG_POOLING_H
#define NPG_POOLING_H

#include <stdint.h>
#include <string.h>

/* Along depth, height and width: sizes of an image and of the results, the distance of taps, and for each window its
   first tap inside the image and the number that its taps stay below. Along width also the taps of a window, the zeros
   before, and the distance of windows; 0 where they do not lie evenly. */
typedef struct {
    npy_intp size[3], out[3], step[3];
    npy_intp *first[3], *last[3];
    npy_intp taps, before, stride;
} npg_windows;

#define NPG_ROW 4 /* windows in a row from which they are compared together */

/* A number takes the place of the largest one so far if it is larger, or nan. */
#define NPG_TAKES(v, best) (((v) > (best)) | ((v) != (v)))

#define NPG_LARGEST(name, real, lane, lowest)                                                                        \
    /* Compare what a tap meets at some places, `stride` apart, with the largest numbers so far. */                  \
    static inline void name##_tap(                                                                                   \
        real *restrict best, lane *restrict code, const real *restrict x, npy_intp n, npy_intp stride, lane at       \
    ) {                                                                                                              \
        npy_intp j;                                                                                                  \
        for (j = 0; j < n; j++) {                                                                                    \
            real v = x[j * stride], b = best[j];                                                                     \
            lane c = code[j];                                                                                        \
            int takes = NPG_TAKES(v, b);                                                                             \
            best[j] = takes ? v : b;                                                                                 \
            code[j] = takes ? at : c;                                                                                \
        }                                                                                                            \
    }                                                                                                                \
    static inline void name##_values(real *restrict best, const real *restrict x, npy_intp n, npy_intp stride) {     \
        npy_intp j;                                                                                                  \
        for (j = 0; j < n; j++) {                                                                                    \
            real v = x[j * stride], b = best[j];                                                                     \
            best[j] = NPG_TAKES(v, b) ? v : b;                                                                       \
        }                                                                                                            \
    }                                                                                                                \
    /* Windows of 2 x 2 numbers, side by side in two rows. */                                                        \
    static inline void name##_squares(                                                                               \
        real *restrict y, int64_t *restrict index, const real *restrict top, const real *restrict low, npy_intp n,   \
        int64_t at, lane down                                                                                        \
    ) {                                                                                                              \
        npy_intp j;                                                                                                  \
        for (j = 0; j < n; j++) {                                                                                    \
            real best = top[2 * j], b = top[2 * j + 1], c = low[2 * j], d = low[2 * j + 1];                          \
            lane code = NPG_TAKES(b, best) ? 1 : 0;                                                                  \
            best = NPG_TAKES(b, best) ? b : best;                                                                    \
            code = NPG_TAKES(c, best) ? down : code;                                                                 \
            best = NPG_TAKES(c, best) ? c : best;                                                                    \
            code = NPG_TAKES(d, best) ? down + 1 : code;                                                             \
            best = NPG_TAKES(d, best) ? d : best;                                                                    \
            y[j] = best;                                                                                             \
            if (index != NULL) index[j] = at + 2 * j + code;                                                         \
        }                                                                                                            \
    }                                                                                                                \
    /* Windows of two numbers, side by side in a row. */                                                             \
    static inline void name##_pairs(                                                                                 \
        real *restrict y, int64_t *restrict index, const real *restrict x, npy_intp n, int64_t at                    \
    ) {                                                                                                              \
        npy_intp j;                                                                                                  \
        for (j = 0; j < n; j++) {                                                                                    \
            real best = x[2 * j], b = x[2 * j + 1];                                                                  \
            lane code = NPG_TAKES(b, best) ? 1 : 0;                                                                  \
            y[j] = NPG_TAKES(b, best) ? b : best;                                                                    \
            if (index != NULL) index[j] = at + 2 * j + code;                                                         \
        }                                                                                                            \
    }                                                                                                                \
    static void name##_row(                                                                                          \
        const npg_windows *w, const real *x, real *y, int64_t *index, lane *code, npy_intp z, npy_intp i             \
    ) {                                                                                                              \
        npy_intp depth, row, k, j, n = w->out[2], s = w->stride, width = w->size[2], end = w->last[1][i];            \
        npy_intp start = (w->first[0][z] * w->size[1] + w->first[1][i]) * width;                                     \
        npy_intp rows = w->step[1] == 1 && w->last[0][z] - w->first[0][z] == 1 ? end - w->first[1][i] : 0;           \
        int is_tiled = s == 2 && w->taps == 2 && !w->before && w->step[2] == 1 && 2 * n <= width;                    \
        if (is_tiled && rows == 1) {                                                                                 \
            if (index != NULL)                                                                                       \
                name##_pairs(y, index, x + start, n, start);                                                         \
            else                                                                                                     \
                name##_pairs(y, NULL, x + start, n, start);                                                          \
            return;                                                                                                  \
        }                                                                                                            \
        if (is_tiled && rows == 2) {                                                                                 \
            if (index != NULL)                                                                                       \
                name##_squares(y, index, x + start, x + start + width, n, start, (lane)width);                       \
            else                                                                                                     \
                name##_squares(y, NULL, x + start, x + start + width, n, start, (lane)width);                        \
            return;                                                                                                  \
        }                                                                                                            \
        for (j = 0; j < n; j++) {                                                                                    \
            y[j] = lowest;                                                                                           \
            if (index != NULL) code[j] = (lane)(start + w->first[2][j] - j * s);                                     \
        }                                                                                                            \
        for (depth = w->first[0][z]; depth < w->last[0][z]; depth += w->step[0])                                     \
            for (row = w->first[1][i]; row < end; row += w->step[1])                                                 \
                for (k = 0; k < w->taps; k++) {                                                                      \
                    npy_intp shift = k * w->step[2] - w->before, low, high;                                          \
                    npy_intp line = (depth * w->size[1] + row) * width + shift;                                      \
                    low = shift >= 0 ? 0 : (-shift + s - 1) / s;                                                     \
                    high = width > shift ? (width - shift + s - 1) / s : 0;                                          \
                    if (high > n) high = n;                                                                          \
                    if (low >= high) continue;                                                                       \
                    if (index == NULL) {                                                                             \
                        if (s == 1)                                                                                  \
                            name##_values(y + low, x + line + low, high - low, 1);                                   \
                        else if (s == 2)                                                                             \
                            name##_values(y + low, x + line + 2 * low, high - low, 2);                               \
                        else                                                                                         \
                            name##_values(y + low, x + line + s * low, high - low, s);                               \
                    } else if (s == 1)                                                                               \
                        name##_tap(y + low, code + low, x + line + low, high - low, 1, (lane)line);                  \
                    else if (s == 2)                                                                                 \
                        name##_tap(y + low, code + low, x + line + 2 * low, high - low, 2, (lane)line);              \
                    else                                                                                             \
                        name##_tap(y + low, code + low, x + line + s * low, high - low, s, (lane)line);              \
                }                                                                                                    \
        if (index != NULL)                                                                                           \
            for (j = 0; j < n; j++) index[j] = (int64_t)code[j] + j * s;                                             \
    }                                                                                                                \
    /* A window by itself. */                                                                                        \
    static inline void name##_one(                                                                                   \
        const npg_windows *w, const real *x, real *y, int64_t *index, npy_intp z, npy_intp i, npy_intp j             \
    ) {                                                                                                              \
        npy_intp depth, row, column;                                                                                 \
        npy_intp at = (w->first[0][z] * w->size[1] + w->first[1][i]) * w->size[2] + w->first[2][j];                  \
        real best = lowest;                                                                                          \
        for (depth = w->first[0][z]; depth < w->last[0][z]; depth += w->step[0])                                     \
            for (row = w->first[1][i]; row < w->last[1][i]; row += w->step[1]) {                                     \
                npy_intp line = (depth * w->size[1] + row) * w->size[2];                                             \
                for (column = w->first[2][j]; column < w->last[2][j]; column += w->step[2]) {                        \
                    real v = x[line + column];                                                                       \
                    if (NPG_TAKES(v, best)) best = v, at = line + column;                                            \
                }                                                                                                    \
            }                                                                                                        \
        *y = best;                                                                                                   \
        if (index != NULL) *index = at;                                                                              \
    }                                                                                                                \
    /* All windows of an image; index may be NULL. */                                                                \
    static void name(const npg_windows *w, const real *x, real *y, int64_t *index, lane *code) {                     \
        npy_intp z, i, j;                                                                                            \
        for (z = 0; z < w->out[0]; z++)                                                                              \
            for (i = 0; i < w->out[1]; i++) {                                                                        \
                if (w->stride && w->out[2] >= NPG_ROW)                                                               \
                    name##_row(w, x, y, index, code, z, i);                                                          \
                else                                                                                                 \
                    for (j = 0; j < w->out[2]; j++)                                                                  \
                        name##_one(w, x, y + j, index == NULL ? NULL : index + j, z, i, j);                          \
                y += w->out[2];                                                                                      \
                if (index != NULL) index += w->out[2];                                                               \
            }                                                                                                        \
    }                                                                                                                \
    /* Put numbers to their places in an image of zeros, later ones over earlier ones; or, where `later` is given,   \
       the first of each place, as a sum with zero, and the numbers of the others there. Return how many those are,  \
       -1 where a place does not exist. */                                                                           \
    static npy_intp name##_put(                                                                                      \
        real *restrict x, npy_intp pixels, const real *restrict g, const int64_t *restrict index, npy_intp n,        \
        int is_sum, char *marks, npy_intp *later                                                                     \
    ) {                                                                                                              \
        npy_intp i, count = 0;                                                                                       \
        memset(x, 0, pixels * sizeof(real));                                                                         \
        if (later == NULL) {                                                                                         \
            for (i = 0; i < n; i++) {                                                                                \
                if ((uint64_t)index[i] >= (uint64_t)pixels) return -1;                                               \
                x[index[i]] = is_sum && g[i] == 0 ? 0 : g[i];                                                        \
            }                                                                                                        \
            return 0;                                                                                                \
        }                                                                                                            \
        memset(marks, 0, pixels);                                                                                    \
        for (i = 0; i < n; i++) {                                                                                    \
            uint64_t at = (uint64_t)index[i];                                                                        \
            if (at >= (uint64_t)pixels) return -1;                                                                   \
            if (marks[at])                                                                                           \
                later[count++] = i;                                                                                  \
            else {                                                                                                   \
                marks[at] = 1;                                                                                       \
                x[at] = g[i] == 0 ? 0 : g[i];                                                                        \
            }                                                                                                        \
        }                                                                                                            \
        return count;                                                                                                \
    }

/* Copy numbers and their places, window after window, to the rows of a phase, zeros between; a place as the distance from
   the window's first tap, inside or not. */
#define NPG_DISTANCES(name, real, bits, lane)                                                                     \
    static void name##_rows(const npg_phases *p, const real *g, const int64_t *index, real *rows, lane *code) {      \
        npy_intp z, i, j, n = p->out[2], pitch = p->count[2], width = p->size[2];                                    \
        for (z = 0; z < p->out[0]; z++)                                                                              \
            for (i = 0; i < p->count[1] && (z < p->out[0] - 1 || i < p->out[1]); i++, rows += pitch, code += pitch) { \
                npy_intp at = ((z * p->stride[0] - p->before[0]) * p->size[1] + i * p->stride[1] - p->before[1]) * width; \
                npy_intp m = i < p->out[1] ? n : 0;                                                                  \
                at -= p->before[2];                                                                                  \
                for (j = 0; j < m; j++) code[j] = (lane)(index[j] - at - j * p->stride[2]);                          \
                memcpy(rows, g, m * sizeof(real));                                                                   \
                memset(rows + m, 0, (pitch - m) * sizeof(real));                                                     \
                memset(code + m, 0, (pitch - m) * sizeof(lane));                                                     \
                index += m;                                                                                          \
                g += m;                                                                                              \
            }                                                                                                        \
    }                                                                                                                \
    /* Copy the numbers whose place is this one, zeros for the others. */                                            \
    static void name##_select(const bits *restrict g, const lane *restrict code, bits *restrict to, npy_intp n, lane at) { \
        npy_intp j;                                                                                                  \
        for (j = 0; j < n; j++) to[j] = g[j] & -(bits)(code[j] == at);                                                 \
    }

NPG_DISTANCES(npg_distances_single, float, uint32_t, int32_t)
NPG_DISTANCES(npg_distances_double, double, uint64_t, int64_t)

NPG_LARGEST(npg_largest_single, float, int32_t, -INFINITY)
NPG_LARGEST(npg_largest_double, double, int64_t, -INFINITY)

#endif
