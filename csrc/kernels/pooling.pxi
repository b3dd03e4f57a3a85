# The largest numbers of windows, and numbers put back to their places (npg/kernels/pooling.py).

cdef extern from *:
    """
    #include <math.h>
    """

cdef extern from "kernels/pooling.h":
    ctypedef struct npg_windows:
        cnp.npy_intp size[3]
        cnp.npy_intp out[3]
        cnp.npy_intp step[3]
        cnp.npy_intp *first[3]
        cnp.npy_intp *last[3]
        cnp.npy_intp taps, before, stride
    void npg_largest_single(npg_windows *w, float *x, float *y, cnp.int64_t *index, cnp.int32_t *code) noexcept nogil
    void npg_largest_double(npg_windows *w, double *x, double *y, cnp.int64_t *index, cnp.int64_t *code) noexcept nogil
    cnp.npy_intp npg_largest_single_put(
        float *x, cnp.npy_intp pixels, float *g, cnp.int64_t *index, cnp.npy_intp n, bint is_sum, char *marks,
        cnp.npy_intp *later,
    ) noexcept nogil
    cnp.npy_intp npg_largest_double_put(
        double *x, cnp.npy_intp pixels, double *g, cnp.int64_t *index, cnp.npy_intp n, bint is_sum, char *marks,
        cnp.npy_intp *later,
    ) noexcept nogil
    void npg_distances_single_rows(
        npg_phases *p, float *g, cnp.int64_t *index, float *rows, cnp.int32_t *code
    ) noexcept nogil
    void npg_distances_double_rows(
        npg_phases *p, double *g, cnp.int64_t *index, double *rows, cnp.int64_t *code
    ) noexcept nogil
    void npg_distances_single_select(
        cnp.uint32_t *g, cnp.int32_t *code, cnp.uint32_t *to, cnp.npy_intp n, cnp.int32_t at
    ) noexcept nogil
    void npg_distances_double_select(
        cnp.uint64_t *g, cnp.int64_t *code, cnp.uint64_t *to, cnp.npy_intp n, cnp.int64_t at
    ) noexcept nogil

cdef double COMPARED = 1  # numbers of windows compared, or put, in a nanosecond
cdef cnp.npy_intp SHARE = 1 << 14  # numbers of a part, or more


cdef struct Pooling:
    npg_windows windows
    char *x
    char *y
    cnp.int64_t *index
    int size
    cnp.npy_intp planes, pixels, places, share
    char *room
    cnp.npy_intp room_size, marks_size
    bint is_sum, is_apart, is_own  # is_own: each image has windows of its own
    Loop add
    int wrong
    npg_phases phases
    cnp.npy_intp *offsets
    cnp.npy_intp *distances
    cnp.npy_intp taps, length, phases_size, rows_size


cdef void largest_part(int worker, long number, void *data) noexcept nogil:
    """Compute some images."""
    cdef Pooling *c = <Pooling *>data
    cdef cnp.npy_intp plane
    cdef cnp.int64_t *index
    cdef char *room = c.room + worker * c.room_size
    cdef npg_windows windows = c.windows
    cdef int i
    for plane in range(number * c.share, min((number + 1) * c.share, c.planes)):
        if c.is_own:
            for i in range(3):
                windows.first[i] = c.windows.first[i] + plane * windows.out[i]
                windows.last[i] = c.windows.last[i] + plane * windows.out[i]
        index = NULL if c.index == NULL else c.index + plane * c.places
        if c.size == 4:
            npg_largest_single(
                &windows, <float *>c.x + plane * c.pixels, <float *>c.y + plane * c.places, index, <cnp.int32_t *>room
            )
        else:
            npg_largest_double(
                &windows, <double *>c.x + plane * c.pixels, <double *>c.y + plane * c.places, index,
                <cnp.int64_t *>room,
            )


cdef void put_part(int worker, long number, void *data) noexcept nogil:
    """Put the numbers of some images."""
    cdef Pooling *c = <Pooling *>data
    cdef cnp.npy_intp plane, count, i, size = c.size
    cdef char *marks = c.room + worker * c.room_size
    cdef cnp.npy_intp *later = NULL if c.is_apart else <cnp.npy_intp *>(marks + c.marks_size)
    cdef cnp.int64_t *index
    cdef char *x
    cdef char *y
    for plane in range(number * c.share, min((number + 1) * c.share, c.planes)):
        index = c.index + plane * c.places
        x, y = c.x + plane * c.pixels * size, c.y + plane * c.places * size
        if size == 4:
            count = npg_largest_single_put(
                <float *>x, c.pixels, <float *>y, index, c.places, c.is_sum, marks, later
            )
        else:
            count = npg_largest_double_put(
                <double *>x, c.pixels, <double *>y, index, c.places, c.is_sum, marks, later
            )
        if count < 0:
            pool_raise(&c.wrong)
            return
        for i in range(count):
            _pass(
                &c.add, x + index[later[i]] * size, y + later[i] * size, x + index[later[i]] * size, 1, size, size, size
            )


cdef void add_part(int worker, long number, void *data) noexcept nogil:
    """Add the numbers of some images tap by tap, in the rows of their phases: the last tap meets a number first."""
    cdef Pooling *c = <Pooling *>data
    cdef cnp.npy_intp plane, start, n, size = c.size
    cdef int tap
    cdef char *phases = c.room + worker * c.room_size
    cdef char *rows = phases + c.phases_size
    cdef char *code = rows + c.rows_size
    cdef char *part = code + c.rows_size
    cdef char *y
    cdef char *to
    for plane in range(number * c.share, min((number + 1) * c.share, c.planes)):
        memset(phases, 0, c.phases_size)
        y = c.y + plane * c.places * size
        if size == 4:
            npg_distances_single_rows(
                &c.phases, <float *>y, c.index + plane * c.places, <float *>rows, <cnp.int32_t *>code
            )
        else:
            npg_distances_double_rows(
                &c.phases, <double *>y, c.index + plane * c.places, <double *>rows, <cnp.int64_t *>code
            )
        start = 0
        while start < c.length:
            n = min(STRETCH, c.length - start)
            for tap in range(c.taps - 1, -1, -1):
                if size == 4:
                    npg_distances_single_select(
                        <cnp.uint32_t *>rows + start, <cnp.int32_t *>code + start, <cnp.uint32_t *>part, n,
                        <cnp.int32_t>c.distances[tap],
                    )
                else:
                    npg_distances_double_select(
                        <cnp.uint64_t *>rows + start, <cnp.int64_t *>code + start, <cnp.uint64_t *>part, n,
                        c.distances[tap],
                    )
                to = phases + (c.offsets[tap] + start) * size
                _pass(&c.add, to, part, to, n, size, size, size)
            start += n
        npg_split(size, &c.phases, c.x + plane * c.pixels * size, phases, 1)


# ----- Calls -----


cdef bint _take_planes(Pooling *c, cnp.ndarray x, cnp.ndarray y, cnp.ndarray index) except -1:
    """Read arrays (planes, numbers of an image) and (planes, windows); return whether they are of the kinds in C."""
    cdef int kind = cnp.PyArray_TYPE(x)
    if not _are_plain(kind, (x, y)):
        return False
    c.index = NULL
    if index is not None:
        if cnp.PyArray_TYPE(index) != cnp.NPY_INT64 or not is_plain(index):
            return False
        c.index = <cnp.int64_t *>cnp.PyArray_DATA(index)
    c.size = 4 if kind == cnp.NPY_FLOAT else 8
    c.x, c.y = cnp.PyArray_BYTES(x), cnp.PyArray_BYTES(y)
    c.planes, c.pixels, c.places = cnp.PyArray_DIM(x, 0), cnp.PyArray_DIM(x, 1), cnp.PyArray_DIM(y, 1)
    c.share = max(1, SHARE // max(c.pixels, c.places))
    c.wrong = 0
    return True


cdef int _run_pooling(Pooling *c, pool_part part, double work) except -1:
    return _run_parts(part, _divided_up(c.planes, c.share), c, work / COMPARED, &c.room, c.room_size)


def largest(cnp.ndarray x not None, cnp.ndarray y not None, cnp.ndarray index, windows):
    """Write the largest number of each window into y, and its place into index; return whether it was done.

    Args:
        x, y: C-contiguous (planes, numbers of an image) and (planes, windows).
        index: like y, int64; or None.
        windows: those of npg/kernels/pooling.py.
    """
    cdef Pooling c
    cdef int i
    if not _take_planes(&c, x, y, index) or c.pixels >= 1 << 30:
        return False
    for i in range(3):
        c.windows.size[i], c.windows.out[i], c.windows.step[i] = windows.size[i], windows.out[i], windows.step[i]
        c.windows.first[i] = <cnp.npy_intp *>cnp.PyArray_DATA(<cnp.ndarray>windows.first[i])
        c.windows.last[i] = <cnp.npy_intp *>cnp.PyArray_DATA(<cnp.ndarray>windows.last[i])
    c.is_own = cnp.PyArray_NDIM(<cnp.ndarray>windows.first[0]) == 2
    c.windows.taps, c.windows.before, c.windows.stride = windows.taps, windows.before, windows.stride
    c.room_size = _round(c.windows.out[2] * c.size)
    _run_pooling(&c, largest_part, <double>c.planes * c.places * <cnp.npy_intp>windows.numbers)
    return True


def put_even(cnp.ndarray x not None, cnp.ndarray g not None, cnp.ndarray index not None, plan, distances):
    """Write the sums of the numbers of g at their places into x; return whether it was done.

    Args:
        x: C-contiguous (planes, numbers of an image).
        g, index: C-contiguous (planes, windows), index int64: of a tap of the window.
        plan: the phases of npg/kernels/phases.py for the windows.
        distances: for each tap, its distance from the window's first one in an image.
    """
    cdef Pooling c
    if not _take_planes(&c, x, g, index) or not _find_loop(np.add, cnp.PyArray_TYPE(x), &c.add):
        return False
    if c.pixels >= 1 << 30:
        return False
    _take_phases(plan, &c.phases)
    offsets, distances = np.array(plan.offsets, np.intp), np.array(distances, np.intp)
    c.offsets = <cnp.npy_intp *>cnp.PyArray_DATA(<cnp.ndarray>offsets)
    c.distances = <cnp.npy_intp *>cnp.PyArray_DATA(<cnp.ndarray>distances)
    c.taps, c.length = len(plan.offsets), plan.length
    c.phases_size = _round(_phase_numbers(&c.phases) * c.size)
    c.rows_size = _round(<cnp.npy_intp>plan.rows * c.phases.count[2] * c.size)
    c.room_size = c.phases_size + 2 * c.rows_size + _round(min(STRETCH, c.length) * c.size)
    _run_pooling(&c, add_part, <double>c.planes * c.places * c.taps)
    return True


def put(cnp.ndarray x not None, cnp.ndarray g not None, cnp.ndarray index not None, bint is_sum, bint is_apart):
    """Write zeros and the numbers of g at their places into x; return whether it was done.

    Args:
        x: C-contiguous (planes, numbers of an image).
        g, index: C-contiguous (planes, windows), index int64.
        is_sum: numbers of one place are added; otherwise the last one stays.
        is_apart: of several, too: none have one place.
    Raises: IndexError: when a place does not exist.
    """
    cdef Pooling c
    if not _take_planes(&c, x, g, index):
        return False
    c.is_sum, c.is_apart = is_sum, is_apart or not is_sum
    if not c.is_apart and not _find_loop(np.add, cnp.PyArray_TYPE(x), &c.add):
        return False
    c.marks_size = 0 if c.is_apart else _round(c.pixels)
    c.room_size = 0 if c.is_apart else c.marks_size + _round(c.places * sizeof(cnp.npy_intp))
    _run_pooling(&c, put_part, <double>c.planes * (c.places + c.pixels))
    if c.wrong:
        raise IndexError("an index lies outside the image")
    return True
