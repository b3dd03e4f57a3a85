# Correlations of each channel with kernels of its own (npg/kernels/depthwise.py).

cdef cnp.npy_intp STRETCH = 4096  # numbers of which all taps are added before the next ones
cdef double PASSED = 8  # numbers multiplied and added in a nanosecond


cdef struct Depthwise:
    npg_phases phases
    char *x
    char *w
    char *y
    char *bias
    int size
    Loop add, multiply, product
    cnp.npy_intp count, channels, filters, taps, pixels, places, rows, length, pieces  # filters: of one channel
    cnp.npy_intp *offsets
    char *room
    cnp.npy_intp room_size, phases_size, rows_size


cdef void depthwise_part(int worker, long number, void *data) noexcept nogil:
    """Compute the filters of a channel of an image."""
    cdef Depthwise *c = <Depthwise *>data
    cdef cnp.npy_intp size = c.size, channel = number % c.channels, f, start, n, i, z, line = c.phases.out[2] * size
    cdef char *phases = c.room + worker * c.room_size
    cdef char *total = phases + c.phases_size
    cdef char *part = total + c.rows_size
    cdef char *w
    cdef char *y
    cdef int tap
    npg_split(c.size, &c.phases, c.x + number * c.pixels * size, phases, 0)
    for f in range(channel * c.filters, (channel + 1) * c.filters):
        w = c.w + f * c.taps * size
        y = c.y + (number // c.channels * c.channels * c.filters + f) * c.places * size
        start = 0
        while start < c.length:
            n = min(STRETCH, c.length - start)
            for tap in range(c.taps):
                _pass(
                    &c.multiply, phases + (c.offsets[tap] + start) * size, w + tap * size,
                    part if tap else total + start * size, n, size, 0, size,
                )
                if tap:
                    _pass(&c.add, total + start * size, part, total + start * size, n, size, size, size)
            if c.bias != NULL:
                _pass(&c.add, total + start * size, c.bias + f * size, total + start * size, n, size, 0, size)
            start += n
        for z in range(c.phases.out[0]):
            for i in range(c.phases.out[1]):
                memcpy(
                    y + (z * c.phases.out[1] + i) * line,
                    total + (z * c.phases.count[1] + i) * c.phases.count[2] * size, line,
                )


cdef void depthwise_spread_part(int worker, long number, void *data) noexcept nogil:
    """Compute a channel of an image from the results of its filters."""
    cdef Depthwise *c = <Depthwise *>data
    cdef cnp.npy_intp size = c.size, channel = number % c.channels, f
    cdef char *phases = c.room + worker * c.room_size
    cdef char *rows = phases + c.phases_size
    cdef char *part = rows + c.rows_size
    cdef char *to
    cdef int tap
    memset(phases, 0, c.phases_size)
    for f in range(channel * c.filters, (channel + 1) * c.filters):
        npg_put_in_rows(
            c.size, &c.phases, c.y + (number // c.channels * c.channels * c.filters + f) * c.places * size, rows,
            0, c.rows,
        )
        for tap in range(c.taps):
            to = phases + c.offsets[tap] * size
            _pass(&c.multiply, rows, c.w + (f * c.taps + tap) * size, part, c.length, size, 0, size)
            _pass(&c.add, to, part, to, c.length, size, size, size)
    npg_split(c.size, &c.phases, c.x + number * c.pixels * size, phases, 1)


cdef void depthwise_weigh_part(int worker, long number, void *data) noexcept nogil:
    """Compute the products of a channel of an image with the results of its filters, for each tap."""
    cdef Depthwise *c = <Depthwise *>data
    cdef cnp.npy_intp size = c.size, channel = number % c.channels, image = number // c.channels, f, piece, start, n
    cdef char *phases = c.room + worker * c.room_size
    cdef char *rows = phases + c.phases_size
    cdef int tap
    npg_split(c.size, &c.phases, c.x + number * c.pixels * size, phases, 0)
    for f in range(channel * c.filters, (channel + 1) * c.filters):
        npg_put_in_rows(
            c.size, &c.phases, c.y + (image * c.channels * c.filters + f) * c.places * size, rows, 0, c.rows
        )
        for piece in range(c.pieces):
            start = piece * UNSHARED_VECTOR
            n = min(UNSHARED_VECTOR, c.length - start)
            for tap in range(c.taps):
                _product(
                    &c.product, phases + (c.offsets[tap] + start) * size, n * size, size,
                    rows + start * size, size, size,
                    c.w + (((image * c.pieces + piece) * c.channels * c.filters + f) * c.taps + tap) * size,
                    size, size, 1, n, 1,
                )


# ----- Calls -----


cdef object _take_depthwise(Depthwise *c, cnp.ndarray x, cnp.ndarray w, cnp.ndarray y, plan):
    """Read arrays and the plan; return the array of the taps' offsets, or None where the loops cannot be called."""
    cdef int kind = cnp.PyArray_TYPE(x)
    if not _has_product_loops or not _are_plain(kind, (x, w, y)) or not _find_loop(np.multiply, kind, &c.multiply):
        return None
    c.add = _add_single if kind == cnp.NPY_FLOAT else _add_double
    c.product = _matmul_single if kind == cnp.NPY_FLOAT else _matmul_double
    c.size = 4 if kind == cnp.NPY_FLOAT else 8
    c.x, c.w, c.y, c.bias = cnp.PyArray_BYTES(x), cnp.PyArray_BYTES(w), cnp.PyArray_BYTES(y), NULL
    _take_phases(plan, &c.phases)
    offsets = np.array(plan.offsets, np.intp)
    c.offsets, c.taps = <cnp.npy_intp *>cnp.PyArray_BYTES(<cnp.ndarray>offsets), len(plan.offsets)
    c.count, c.channels = cnp.PyArray_DIM(x, 0), cnp.PyArray_DIM(x, 1)
    c.filters = cnp.PyArray_DIM(y, 1) // c.channels
    c.pixels = c.phases.size[0] * c.phases.size[1] * c.phases.size[2]
    c.places = c.phases.out[0] * c.phases.out[1] * c.phases.out[2]
    c.rows, c.length = plan.rows, plan.length
    c.pieces = _divided_up(c.length, UNSHARED_VECTOR)
    return offsets


cdef int _run_depthwise(Depthwise *c, pool_part part) except -1:
    cdef cnp.npy_intp count = c.count * c.channels
    c.phases_size = _round(_phase_numbers(&c.phases) * c.size)
    c.rows_size = _round(c.rows * c.phases.count[2] * c.size)
    c.room_size = c.phases_size + 2 * c.rows_size
    return _run_parts(
        part, count, c, <double>count * c.filters * c.taps * c.length / PASSED, &c.room, c.room_size
    )


def depthwise(cnp.ndarray x not None, cnp.ndarray w not None, cnp.ndarray bias, cnp.ndarray y not None, plan):
    """Write the correlation of each channel with its kernels, plus bias, into y; return whether it was done."""
    cdef Depthwise c
    offsets = _take_depthwise(&c, x, w, y, plan)
    if offsets is None:
        return False
    if bias is not None:
        if cnp.PyArray_TYPE(bias) != cnp.PyArray_TYPE(x) or not is_plain(bias):
            return False
        c.bias = cnp.PyArray_BYTES(bias)
    _run_depthwise(&c, depthwise_part)
    return True


def depthwise_spread(cnp.ndarray x not None, cnp.ndarray w not None, cnp.ndarray y not None, plan):
    """Write the adjoint in the images, of y, into x; return whether it was done."""
    cdef Depthwise c
    offsets = _take_depthwise(&c, x, w, y, plan)
    if offsets is None:
        return False
    _run_depthwise(&c, depthwise_spread_part)
    return True


def depthwise_weigh(cnp.ndarray x not None, cnp.ndarray y not None, cnp.ndarray parts not None, plan):
    """Write the adjoint in the weight, of y, into parts, (N, pieces of an image, O, taps).

    Returns: whether it was done.
    """
    cdef Depthwise c
    offsets = _take_depthwise(&c, x, parts, y, plan)
    if offsets is None:
        return False
    _run_depthwise(&c, depthwise_weigh_part)
    return True
