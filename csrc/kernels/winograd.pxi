# Correlations by Winograd's F(2 x 2, 3 x 3) (npg/kernels/winograd.py).

cdef extern from "kernels/winograd.h":
    void npg_quarters(
        int size, const char *x, cnp.npy_intp height, cnp.npy_intp width, cnp.npy_intp top, cnp.npy_intp left,
        cnp.npy_intp rows, cnp.npy_intp pitch, char *quarters, cnp.npy_intp apart,
    ) noexcept nogil
    void npg_interleave(
        int size, const char *quarters, cnp.npy_intp apart, cnp.npy_intp pitch, char *y, cnp.npy_intp height,
        cnp.npy_intp width,
    ) noexcept nogil


cdef enum:
    QUARTERS = 4
    POINTS = 16
    TEMPORARIES = 16  # a channel's quarters, eight rows of sums down, and four of sums across


cdef struct Winograd:
    char *x
    char *u
    char *y
    char *bias
    int size
    Loop add, subtract, negative
    cnp.npy_intp count, channels, filters, height, width, out_height, out_width, above, before
    cnp.npy_intp tile_rows, tiles  # rows of an image, tiles of a row
    cnp.npy_intp images, rows, block, share, image_parts, row_parts, blocks, shares
    Product products[2][2]
    cnp.npy_intp columns  # of the first part
    int unsafe  # some number is not finite
    char *room
    cnp.npy_intp room_size, transformed_size, results_size, turned_size, part_size


cdef struct WinogradPart:
    cnp.npy_intp image, images, start, rows, each, columns


cdef inline void _add(Winograd *c, char *a, char *b, char *out, cnp.npy_intp n) noexcept nogil:
    _pass(&c.add, a, b, out, n, c.size, c.size, c.size)


cdef inline void _subtract(Winograd *c, char *a, char *b, char *out, cnp.npy_intp n) noexcept nogil:
    _pass(&c.subtract, a, b, out, n, c.size, c.size, c.size)


cdef inline void _negate(Winograd *c, char *a, char *out, cnp.npy_intp n) noexcept nogil:
    cdef char *args[2]
    cdef cnp.npy_intp steps[2]
    args[0], args[1] = a, out
    steps[0] = steps[1] = c.size
    _elementwise(&c.negative, args, n, steps)


# ----- Along one dimension -----


cdef void _differences(Winograd *c, char *even, char *odd, cnp.npy_intp on, char **out, cnp.npy_intp n) noexcept nogil:
    """Write B^T d of n tiles, d being even[i], odd[i], even[i + on] and odd[i + on]."""
    _subtract(c, even, even + on, out[0], n)
    _add(c, odd, even + on, out[1], n)
    _subtract(c, even + on, odd, out[2], n)
    _subtract(c, odd, odd + on, out[3], n)


cdef void _sums(Winograd *c, char *m, cnp.npy_intp step, char *first, char *second, cnp.npy_intp n) noexcept nogil:
    """Write A^T m: m has rows `step` bytes apart."""
    _add(c, m, m + step, first, n)
    _add(c, first, m + 2 * step, first, n)
    _subtract(c, m + step, m + 2 * step, second, n)
    _subtract(c, second, m + 3 * step, second, n)


cdef void _expansion(Winograd *c, char *first, char *second, char **out, cnp.npy_intp n) noexcept nogil:
    """Give A y of the results of n tiles: the first row is the first result, as it stands."""
    out[0] = first
    _add(c, first, second, out[1], n)
    _subtract(c, first, second, out[2], n)
    _negate(c, second, out[3], n)


# ----- Parts -----


cdef void _take_part(Winograd *c, cnp.npy_intp number, WinogradPart *part) noexcept nogil:
    part.image = number // c.row_parts * c.images
    part.images = min(c.images, c.count - part.image)
    part.start = number % c.row_parts * c.rows
    part.rows = min(c.rows, c.tile_rows - part.start)
    part.each = part.rows * c.tiles
    part.columns = part.images * part.each


cdef inline cnp.npy_intp _spaced(Winograd *c) noexcept nogil:
    """Return the numbers of a temporary row: the tiles, one more in each row and one more row, in whole lines."""
    return (c.images * (c.rows + 1) * (c.tiles + 1) + CLOSE_UP_PIECE + 15) // 16 * 16


cdef void _transform(Winograd *c, WinogradPart *part, char *v, char *memory) noexcept nogil:
    """Write B^T d B of all channels into v; memory: that of the temporaries."""
    cdef cnp.npy_intp n = part.columns, channel, i, size = c.size, apart = _spaced(c) * size
    cdef cnp.npy_intp pitch = c.tiles + 1, each = (part.rows + 1) * pitch, down = part.images * each - pitch
    cdef cnp.npy_intp step = c.channels * n * size
    cdef char *t[2][4]
    cdef char *across[4]
    cdef char *out
    cdef int r, b, k
    for r in range(4):
        across[r] = memory + (QUARTERS + 8 + r) * apart
        for b in range(2):
            t[b][r] = memory + (QUARTERS + 4 * b + r) * apart
    for channel in range(c.channels):
        for i in range(part.images):
            npg_quarters(
                c.size, c.x + ((part.image + i) * c.channels + channel) * c.height * c.width * size, c.height, c.width,
                2 * part.start - c.above, -c.before, part.rows + 1, pitch, memory + i * each * size, apart,
            )
        for b in range(2):
            _differences(c, memory + b * apart, memory + (2 + b) * apart, pitch * size, t[b], down)
        out = v + channel * n * size
        for r in range(4):
            _differences(c, t[0][r], t[1][r], size, across, down - 1)
            for k in range(4):
                for i in range(part.images):
                    npg_close_up(
                        c.size, across[k] + i * each * size, part.rows, c.tiles, pitch, out + i * part.each * size
                    )
                out += step


cdef void winograd_part(int worker, long number, void *data) noexcept nogil:
    """Compute some filters of a part."""
    cdef Winograd *c = <Winograd *>data
    cdef cnp.npy_intp size = c.size, block = number % c.blocks, first = block * c.block, f, i, n, step, apart
    cdef cnp.npy_intp filters = min(c.block, c.filters - first)
    cdef char *v = c.room + worker * c.room_size
    cdef char *results = v + c.transformed_size
    cdef char *memory = results + c.results_size
    cdef char *room = memory + TEMPORARIES * _spaced(c) * size
    cdef char *m
    cdef char *out
    cdef double single
    cdef WinogradPart part
    cdef Product *product
    cdef int b, r
    if pool_is_raised(&c.unsafe):
        return
    _take_part(c, number // c.blocks, &part)
    n, apart = part.columns, _spaced(c) * size
    _transform(c, &part, v, memory)
    product = &c.products[block == c.blocks - 1][n != c.columns]
    for i in range(POINTS):
        multiply_alone(
            product, c.u + (i * c.filters + first) * c.channels * size, v + i * c.channels * n * size,
            results + i * filters * n * size, room,
        )
    step = filters * n * size
    for f in range(filters):
        m = memory + QUARTERS * apart
        for r in range(4):
            _sums(c, results + f * n * size + r * step, 4 * step, m + r * apart, m + (4 + r) * apart, n)
        for b in range(2):
            _sums(c, m + 4 * b * apart, apart, memory + 2 * b * apart, memory + (2 * b + 1) * apart, n)
        for b in range(QUARTERS):
            if c.bias != NULL:
                _pass(
                    &c.add, memory + b * apart, c.bias + (first + f) * size, memory + b * apart, n, size, 0, size
                )
            single = _reduced(&c.add, memory + b * apart, n, c.size)
            if not single - single == 0:
                pool_raise(&c.unsafe)
        for i in range(part.images):
            out = c.y + ((part.image + i) * c.filters + first + f) * c.out_height * c.out_width * size
            out += 2 * part.start * c.out_width * size
            npg_interleave(
                c.size, memory + i * part.each * size, apart, c.tiles, out,
                min(2 * part.rows, c.out_height - 2 * part.start), c.out_width,
            )


cdef void winograd_weigh_part(int worker, long number, void *data) noexcept nogil:
    """Compute the sum over some parts."""
    cdef Winograd *c = <Winograd *>data
    cdef cnp.npy_intp size = c.size, f, i, n, step, apart = _spaced(c) * size, each, at
    cdef char *v = c.room + worker * c.room_size
    cdef char *results = v + c.transformed_size
    cdef char *memory = results + c.results_size
    cdef char *turned = memory + TEMPORARIES * apart
    cdef char *sum_ = turned + c.turned_size
    cdef char *room = sum_ + c.part_size
    cdef char *total = c.u + number * POINTS * c.filters * c.channels * size
    cdef char *t[2][4]
    cdef char *across[4]
    cdef char *out
    cdef WinogradPart part
    cdef Product *product
    cdef int b, r, k
    each = c.filters * c.channels
    for at in range(number * c.share, min((number + 1) * c.share, c.image_parts * c.row_parts)):
        _take_part(c, at, &part)
        n = part.columns
        _transform(c, &part, v, memory)
        step = c.filters * n * size
        for f in range(c.filters):
            for i in range(part.images):
                npg_quarters(
                    c.size, c.y + ((part.image + i) * c.filters + f) * c.out_height * c.out_width * size, c.out_height,
                    c.out_width, 2 * part.start, 0, part.rows, c.tiles, memory + i * part.each * size, apart,
                )
            for b in range(2):
                for r in range(4):
                    t[b][r] = memory + (QUARTERS + 4 * b + r) * apart
                _expansion(c, memory + b * apart, memory + (2 + b) * apart, t[b], n)
            out = results + f * n * size
            for r in range(4):
                for k in range(4):
                    across[k] = out + k * step
                _expansion(c, t[0][r], t[1][r], across, n)
                memcpy(out, across[0], n * size)
                out += 4 * step
        product = &c.products[0][n != c.columns]
        for i in range(POINTS):
            # BLAS multiplies small matrices faster where it reads both along their rows.
            npg_transpose(c.size, v + i * c.channels * n * size, c.channels, n, n, turned, c.channels)
            if at == number * c.share:
                multiply_alone(product, results + i * step, turned, total + i * each * size, room)
            else:
                multiply_alone(product, results + i * step, turned, sum_, room)
                _add(c, total + i * each * size, sum_, total + i * each * size, each)


# ----- Calls -----


cdef bint _take_winograd(Winograd *c, cnp.ndarray x, cnp.ndarray u, cnp.ndarray y, shape, plan) except -1:
    cdef int kind = cnp.PyArray_TYPE(x)
    if not _has_product_loops or not _are_plain(kind, (x, u, y)):
        return False
    c.add = _add_single if kind == cnp.NPY_FLOAT else _add_double
    if not _find_loop(np.subtract, kind, &c.subtract) or not _find_loop(np.negative, kind, &c.negative):
        return False
    c.size = 4 if kind == cnp.NPY_FLOAT else 8
    c.x, c.u, c.y, c.bias = cnp.PyArray_BYTES(x), cnp.PyArray_BYTES(u), cnp.PyArray_BYTES(y), NULL
    c.count, c.channels, c.filters, size, out, before = shape
    c.height, c.width = size
    c.out_height, c.out_width = out
    c.above, c.before = before
    c.tile_rows, c.tiles = _divided_up(c.out_height, 2), _divided_up(c.out_width, 2)
    c.images, c.rows, c.block, c.share = plan
    c.image_parts, c.row_parts = _divided_up(c.count, c.images), _divided_up(c.tile_rows, c.rows)
    c.blocks = _divided_up(c.filters, c.block)
    c.columns = c.images * c.rows * c.tiles
    c.unsafe = 0
    c.transformed_size = _round(POINTS * c.channels * c.columns * c.size)
    c.results_size = _round(POINTS * c.block * c.columns * c.size)
    c.turned_size = c.part_size = 0
    return True


cdef cnp.npy_intp _last_columns(Winograd *c) noexcept:
    """Return the columns of the parts that are smaller than the others."""
    cdef WinogradPart part
    cdef cnp.npy_intp number
    for number in (c.image_parts * c.row_parts - 1, c.row_parts - 1):
        _take_part(c, number, &part)
        if part.columns != c.columns:
            break
    return part.columns


cdef int _run_winograd(Winograd *c, pool_part part, cnp.npy_intp count) except -1:
    cdef double work = 1.0 * POINTS * c.filters * c.channels * c.columns * c.image_parts * c.row_parts
    c.room_size = c.transformed_size + c.results_size + TEMPORARIES * _spaced(c) * c.size + c.turned_size + c.part_size
    c.room_size += _round(_largest_room(c.products))
    return _run_parts(part, count, c, work / MULTIPLICATIONS, &c.room, c.room_size)


def winograd(
    cnp.ndarray x not None, cnp.ndarray u not None, cnp.ndarray bias, cnp.ndarray y not None, shape, plan
):
    """Write the correlation with the transformed weight u, plus bias, into y.

    Args:
        x, u, y: C-contiguous (N, C, H, W), (16, O, C), (N, O, places).
        bias: (O,) or None.
        shape, plan: those of npg/kernels/winograd.py.
    Returns: whether all numbers are finite; None where it cannot be done here.
    """
    cdef Winograd c
    cdef Product *p
    cdef int i, j
    if not _take_winograd(&c, x, u, y, shape, plan):
        return None
    if bias is not None:
        if cnp.PyArray_TYPE(bias) != cnp.PyArray_TYPE(x) or not is_plain(bias):
            return None
        c.bias = cnp.PyArray_BYTES(bias)
    for i in range(2):
        for j in range(2):
            p = &c.products[i][j]
            p.m, p.k = c.filters - (c.blocks - 1) * c.block if i else min(c.block, c.filters), c.channels
            p.n = _last_columns(&c) if j else c.columns
            p.a.down, p.a.right = c.channels * c.size, c.size
            p.b.down = p.out.down = p.n * c.size
            p.b.right = p.out.right = c.size
            if not _cut_alone(p, cnp.PyArray_TYPE(x), False):
                return None
    _run_winograd(&c, winograd_part, c.image_parts * c.row_parts * c.blocks)
    return not c.unsafe


def winograd_weigh(cnp.ndarray x not None, cnp.ndarray y not None, cnp.ndarray sums not None, shape, plan):
    """Write the sums over some parts each of (A y A^T)(B^T x B)^T into sums, (shares, 16, O, C).

    Returns: True, or None.
    """
    cdef Winograd c
    cdef Product *p
    cdef int j
    if not _take_winograd(&c, x, sums, y, shape, plan):
        return None
    c.shares = _divided_up(c.image_parts * c.row_parts, c.share)
    for j in range(2):
        p = &c.products[0][j]
        c.products[1][j].room_size = 0
        p.m, p.n = c.filters, c.channels
        p.k = _last_columns(&c) if j else c.columns
        p.a.down, p.a.right = p.k * c.size, c.size
        p.b.down = p.out.down = c.channels * c.size
        p.b.right = p.out.right = c.size
        if not _cut_alone(p, cnp.PyArray_TYPE(x), False):
            return None
    c.turned_size = _round(c.channels * c.columns * c.size)
    c.part_size = _round(c.filters * c.channels * c.size)
    _run_winograd(&c, winograd_weigh_part, c.shares)
    return True
