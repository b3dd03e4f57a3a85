# Numbers that are moved in memory (npg/kernels/moving.py).

cdef extern from "kernels/moving.h":
    void npg_transpose(
        int size, const char *x, cnp.npy_intp rows, cnp.npy_intp columns, cnp.npy_intp apart,
        char *out, cnp.npy_intp width,
    ) noexcept nogil
    void npg_select(
        int size, const void *keep, const void *a, const void *b, void *out, cnp.npy_intp n
    ) noexcept nogil


cdef enum:
    MOVED = 16384  # numbers of a part, about


cdef struct Transposition:
    char *x
    char *y
    int size
    cnp.npy_intp rows, columns, share, parts


cdef void _transpose_part(int worker, long number, void *data) noexcept nogil:
    cdef Transposition *c = <Transposition *>data
    cdef cnp.npy_intp matrix = number // c.parts, first = number % c.parts * c.share
    matrix *= c.rows * c.columns
    npg_transpose(
        c.size, c.x + (matrix + first) * c.size, c.rows, min(c.share, c.columns - first), c.columns,
        c.y + (matrix + first * c.rows) * c.size, c.rows,
    )


def transpose(cnp.ndarray x not None, cnp.ndarray y not None):
    """Write the transposes of matrices, C-contiguous (..., n, m), into y, (..., m, n); return whether it was done."""
    cdef Transposition c
    cdef int kind = cnp.PyArray_TYPE(x), last = cnp.PyArray_NDIM(x) - 1
    cdef char *room
    cdef cnp.npy_intp matrices
    if kind not in (cnp.NPY_FLOAT, cnp.NPY_DOUBLE) or not _are_plain(kind, (x, y)) or not cnp.PyArray_SIZE(x):
        return False
    c.x, c.y, c.size = cnp.PyArray_BYTES(x), cnp.PyArray_BYTES(y), cnp.PyArray_ITEMSIZE(x)
    c.rows, c.columns = cnp.PyArray_DIM(x, last - 1), cnp.PyArray_DIM(x, last)
    matrices = cnp.PyArray_SIZE(x) // (c.rows * c.columns)
    c.share = max(8, MOVED // c.rows // 8 * 8)
    c.parts = _divided_up(c.columns, c.share)
    _run_parts(_transpose_part, matrices * c.parts, &c, 1.0 * cnp.PyArray_SIZE(x), &room, 0)
    return True


cdef struct Selection:
    char *keep
    char *a
    char *b
    char *out
    int size
    cnp.npy_intp n


cdef void _select_part(int worker, long number, void *data) noexcept nogil:
    cdef Selection *c = <Selection *>data
    cdef cnp.npy_intp first = number * MOVED, at = first * c.size
    npg_select(
        c.size, c.keep + first, c.a + at, c.b + at if c.b != NULL else NULL, c.out + at, min(MOVED, c.n - first)
    )


def select(cnp.ndarray keep not None, cnp.ndarray a not None, cnp.ndarray b, cnp.ndarray out not None):
    """Write a where keep is true, else b, or 0 for None, into out; all are C-contiguous and of one shape.

    Args:
        keep: of bool. a, b, out: of one dtype of 2, 4 or 8 bytes.
    """
    cdef Selection c
    cdef char *room
    c.keep, c.a, c.out, c.b = cnp.PyArray_BYTES(keep), cnp.PyArray_BYTES(a), cnp.PyArray_BYTES(out), NULL
    if b is not None:
        c.b = cnp.PyArray_BYTES(b)
    c.size, c.n = cnp.PyArray_ITEMSIZE(a), cnp.PyArray_SIZE(a)
    _run_parts(_select_part, _divided_up(c.n, MOVED), &c, 0.2 * c.n, &room, 0)
