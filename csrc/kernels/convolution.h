/* Columns of an image: for each element of a kernel the numbers that it meets, place after place.

   Moves numbers only; npg/kernels/convolution.py says what a window is. */

#ifndef NPG_CONVOLUTION_H
#define NPG_CONVOLUTION_H

#include <stdint.h>
#include <string.h>

#include "phases.h"

/* Sizes along depth, height and width: of an image, the kernel, its steps and spacing, the zeros before, the places. */
typedef struct {
    npy_intp size[3], kernel[3], stride[3], dilation[3], before[3], out[3];
} npg_window;

/* The numbers of `lines` rows of places, `n` of each from the one at `low` to the one at `high`: zeros outside. `from`
   is what the element meets at the first place of the first row, `pitch` the distance of two rows there. Copies of a
   fixed size are single instructions; a call of memcpy takes longer than a short row. */
#define NPG_LINES(name, real)                                                                                      \
    static inline void name(real *to, const real *from, npy_intp lines, npy_intp n, npy_intp low, npy_intp high,   \
                            npy_intp stride, npy_intp pitch) {                                                     \
        enum { BLOCK = 32 / sizeof(real) };                                                                        \
        npy_intp i, line, length = high - low;                                                                     \
        if (!length)                                                                                               \
            memset(to, 0, lines * n * sizeof(real));                                                               \
        else if (stride == 1 && pitch == n && lines > 1) { /* the rows as one, then the zeros */                   \
            memcpy(to + low, from + low, ((lines - 1) * n + length) * sizeof(real));                               \
            for (line = 0; line < lines; line++, to += n) {                                                        \
                for (i = 0; i < low; i++) to[i] = 0;                                                               \
                for (i = high; i < n; i++) to[i] = 0;                                                              \
            }                                                                                                      \
        } else                                                                                                     \
            for (line = 0; line < lines; line++, to += n, from += pitch) {                                         \
                for (i = 0; i < low; i++) to[i] = 0;                                                               \
                if (stride == 1 && length >= BLOCK) {                                                              \
                    for (i = low; i + BLOCK <= high; i += BLOCK) memcpy(to + i, from + i, BLOCK * sizeof(real));   \
                    memcpy(to + high - BLOCK, from + high - BLOCK, BLOCK * sizeof(real));                          \
                } else if (stride == 2) /* known when it is compiled, so that it becomes shuffles */               \
                    for (i = low; i < high; i++) to[i] = from[2 * i];                                              \
                else                                                                                               \
                    for (i = low; i < high; i++) to[i] = from[i * stride];                                         \
                for (i = high; i < n; i++) to[i] = 0;                                                              \
            }                                                                                                      \
    }

/* Copy what each of the kernel's elements meets in some channels to a row of `memory`, `apart` numbers after the last:
   the rows of places from `top` to `bottom`, of each those from `left` to `right`. `images`: the first channel,
   contiguous; `channel`: the distance of channels in numbers. */
#define NPG_GATHER(name, real, lines)                                                                              \
    static void name(const npg_window *w, const void *images, npy_intp channel, npy_intp channels, void *memory,   \
                     npy_intp apart, npy_intp top, npy_intp bottom, npy_intp left, npy_intp right) {               \
        const real *x = (const real *)images;                                                                      \
        real *columns = (real *)memory;                                                                            \
        npy_intp c, a, b, k, from, to, low, high, first, last, n = right - left, height = w->out[1];               \
        for (c = 0; c < channels; c++, x += channel)                                                               \
            for (a = 0; a < w->kernel[0]; a++)                                                                     \
                for (b = 0; b < w->kernel[1]; b++)                                                                 \
                    for (k = 0; k < w->kernel[2]; k++, columns += apart) {                                         \
                        npy_intp right_shift = k * w->dilation[2] - w->before[2];                                  \
                        npy_intp down_shift = b * w->dilation[1] - w->before[1];                                   \
                        real *out = columns;                                                                       \
                        npg_inside(w->size[2], w->stride[2], right_shift, left, right, &low, &high);               \
                        for (from = top; from < bottom; from = to) { /* the rows of one depth */                   \
                            npy_intp z = from / height, deep = z * w->stride[0] + a * w->dilation[0] - w->before[0]; \
                            to = (z + 1) * height < bottom ? (z + 1) * height : bottom;                            \
                            npg_inside(w->size[1], w->stride[1], down_shift, from - z * height, to - z * height,   \
                                       &first, &last);                                                             \
                            if (deep < 0 || deep >= w->size[0] || low == high) first = last;                       \
                            if (first == last)                                                                     \
                                memset(out, 0, (to - from) * n * sizeof(real));                                    \
                            else {                                                                                 \
                                npy_intp above = first - (from - z * height), below = to - z * height - last;      \
                                npy_intp line = deep * w->size[1] + first * w->stride[1] + down_shift;             \
                                memset(out, 0, above * n * sizeof(real));                                          \
                                lines(out + above * n, x + line * w->size[2] + left * w->stride[2] + right_shift,  \
                                      last - first, n, low - left, high - left, w->stride[2],                      \
                                      w->stride[1] * w->size[2]);                                                  \
                                memset(out + (to - from - below) * n, 0, below * n * sizeof(real));                \
                            }                                                                                      \
                            out += (to - from) * n;                                                                \
                        }                                                                                          \
                    }                                                                                              \
    }

/* The same as NPG_GATHER of images of two dimensions, by way of `planes`: an image's phases (phases.h), with zeros around,
   as far as these places meet them. Then what an element meets is a part of a plane. */
#define NPG_GATHER_PLANES(name, real, close_up)                                                                    \
    static void name(const npg_window *w, const void *images, npy_intp channel, npy_intp channels, void *memory,   \
                     npy_intp apart, npy_intp top, npy_intp bottom, npy_intp left, npy_intp right, void *planes) { \
        const real *x = (const real *)images;                                                                      \
        real *columns = (real *)memory;                                                                            \
        npy_intp down = w->stride[1], across = w->stride[2], rows = bottom - top, n = right - left;                \
        npy_intp height = rows + (w->kernel[1] - 1) * w->dilation[1] / down;                                       \
        npy_intp width = n + (w->kernel[2] - 1) * w->dilation[2] / across;                                         \
        npy_intp c, b, k, i, j, low, high, above, below;                                                           \
        for (c = 0; c < channels; c++, x += channel) {                                                             \
            real *plane = (real *)planes;                                                                          \
            for (b = 0; b < down; b++) {                                                                           \
                npy_intp line = top * down + b - w->before[1];                                                     \
                npg_inside(w->size[1], down, line, 0, height, &above, &below);                                     \
                for (k = 0; k < across; k++, plane += height * width) {                                            \
                    npy_intp shift = left * across + k - w->before[2];                                             \
                    npg_inside(w->size[2], across, shift, 0, width, &low, &high);                                  \
                    if (below - above < height || high - low < width)                                              \
                        memset(plane, 0, height * width * sizeof(real));                                           \
                    for (i = above; i < below; i++) {                                                              \
                        const real *from = x + (line + i * down) * w->size[2] + shift;                             \
                        real *to = plane + i * width;                                                              \
                        if (across == 1)                                                                           \
                            for (j = low; j < high; j++) to[j] = from[j];                                          \
                        else if (across == 2)                                                                      \
                            for (j = low; j < high; j++) to[j] = from[2 * j];                                      \
                        else                                                                                       \
                            for (j = low; j < high; j++) to[j] = from[j * across];                                 \
                    }                                                                                              \
                }                                                                                                  \
            }                                                                                                      \
            for (b = 0; b < w->kernel[1]; b++)                                                                     \
                for (k = 0; k < w->kernel[2]; k++, columns += apart) {                                             \
                    npy_intp z = b * w->dilation[1], y = k * w->dilation[2];                                       \
                    plane = (real *)planes + (z % down * across + y % across) * height * width;                    \
                    close_up(plane + z / down * width + y / across, rows, n, width, columns);                      \
                }                                                                                                  \
        }                                                                                                          \
    }

NPG_LINES(npg_lines_single, uint32_t)
NPG_LINES(npg_lines_double, uint64_t)
NPG_GATHER(npg_gather_single, uint32_t, npg_lines_single)
NPG_GATHER(npg_gather_double, uint64_t, npg_lines_double)
NPG_GATHER_PLANES(npg_gather_planes_single, uint32_t, npg_close_up_single)
NPG_GATHER_PLANES(npg_gather_planes_double, uint64_t, npg_close_up_double)

/* Return the numbers of the planes of so many rows and columns of places; 0: gathered without, because there are more
   planes than it pays for, or, where taps are far apart, more numbers than the columns have. */
static npy_intp npg_plane_numbers(const npg_window *w, npy_intp rows, npy_intp columns) {
    npy_intp down = w->stride[1], across = w->stride[2], taps = w->kernel[1] * w->kernel[2];
    npy_intp height = rows + (w->kernel[1] - 1) * w->dilation[1] / down;
    npy_intp width = columns + (w->kernel[2] - 1) * w->dilation[2] / across;
    if (w->size[0] != 1 || w->kernel[0] != 1 || w->out[0] != 1) return 0;
    if (down > 4 || across > 4 || down * across > 4 || down * across > taps / 2) return 0;
    if ((double)down * across * height * width > 2.0 * taps * rows * columns + 64) return 0;
    return down * across * height * width + 8;
}

/* Gather numbers of 4 or 8 bytes; planes: memory for those of one channel, or NULL for without. */
static void npg_gather(int size, const npg_window *w, const void *x, npy_intp channel, npy_intp channels, void *columns,
                       npy_intp apart, npy_intp top, npy_intp bottom, npy_intp left, npy_intp right, void *planes) {
    if (planes && size == 4)
        npg_gather_planes_single(w, x, channel, channels, columns, apart, top, bottom, left, right, planes);
    else if (planes)
        npg_gather_planes_double(w, x, channel, channels, columns, apart, top, bottom, left, right, planes);
    else if (size == 4)
        npg_gather_single(w, x, channel, channels, columns, apart, top, bottom, left, right);
    else
        npg_gather_double(w, x, channel, channels, columns, apart, top, bottom, left, right);
}

#endif
