# Correlations of images with a weight (npg/kernels/convolution.py): columns of a tile are gathered, then multiplied.

cdef extern from "kernels/phases.h":
    ctypedef struct npg_phases:
        cnp.npy_intp size[3]
        cnp.npy_intp out[3]
        cnp.npy_intp stride[3]
        cnp.npy_intp before[3]
        cnp.npy_intp count[3]
    void npg_split(int size, npg_phases *p, char *x, char *phases, int back) noexcept nogil
    void npg_put_in_rows(
        int size, npg_phases *p, char *y, char *rows, cnp.npy_intp top, cnp.npy_intp bottom
    ) noexcept nogil

    void npg_close_up(
        int size, const char *x, cnp.npy_intp rows, cnp.npy_intp n, cnp.npy_intp pitch, char *out
    ) noexcept nogil

cdef extern from "kernels/convolution.h":
    ctypedef struct npg_window:
        cnp.npy_intp size[3]
        cnp.npy_intp kernel[3]
        cnp.npy_intp stride[3]
        cnp.npy_intp dilation[3]
        cnp.npy_intp before[3]
        cnp.npy_intp out[3]
    void npg_gather(
        int size, npg_window *w, void *x, cnp.npy_intp channel, cnp.npy_intp channels, void *columns,
        cnp.npy_intp apart, cnp.npy_intp top, cnp.npy_intp bottom, cnp.npy_intp left, cnp.npy_intp right, void *planes,
    ) noexcept nogil
    cnp.npy_intp npg_plane_numbers(npg_window *w, cnp.npy_intp rows, cnp.npy_intp columns) noexcept nogil


cdef enum:
    CLOSE_UP_PIECE = 8  # numbers that npg_close_up may read after the last row


cdef struct Tile:
    # Some images whole, or some rows of places of one image, or a piece of one row.
    cnp.npy_intp image, images, top, bottom, left, right, places


cdef struct Convolution:
    # C-contiguous arrays: images, weight, what belongs to the places; channels and filters of one group.
    npg_window window
    npg_window gathered  # as columns: the window, or that of one row of the kernel, with `more` rows of places
    char *x
    char *w
    char *y
    char *bias
    int size
    bint is_plain, is_packed  # an image is its own columns; several images in a tile
    cnp.npy_intp count, groups, channels, filters, taps, depth, places, pixels
    # How it is cut: images, rows and columns of a tile, filters or channels and images of a part, and how many; rows of
    # the kernel that are multiplied one after the other, 1: all at once
    cnp.npy_intp images, rows, columns, block, share, lines, more
    cnp.npy_intp image_tiles, row_tiles, column_tiles, blocks, shares
    Product products[2][2]  # for a block and the last one, for a tile and the last one
    cnp.npy_intp tile_places
    Loop add
    char *room
    cnp.npy_intp room_size, columns_size, planes_size, packed_size, part_size
    # Of `spread`: how images are split, numbers of all phases, and for each tap where it begins.
    npg_phases phases
    cnp.npy_intp numbers, all_rows
    cnp.npy_intp *offsets


cdef void _place_tile(Convolution *c, cnp.npy_intp image_tile, cnp.npy_intp number, Tile *tile) noexcept nogil:
    cdef cnp.npy_intp row = number // c.column_tiles, piece = number % c.column_tiles
    tile.image = image_tile * c.images
    tile.images = min(c.images, c.count - tile.image)
    tile.top = row * c.rows
    tile.bottom = min(tile.top + c.rows, c.window.out[0] * c.window.out[1])
    tile.left = piece * c.columns
    tile.right = min(tile.left + c.columns, c.window.out[2])
    tile.places = tile.images * (tile.bottom - tile.top) * (tile.right - tile.left)


cdef inline Product *_product_of(Convolution *c, cnp.npy_intp block, Tile *tile) noexcept nogil:
    return &c.products[block == c.blocks - 1][tile.places != c.tile_places]


cdef inline cnp.npy_intp _tile_offset(Convolution *c, Tile *tile) noexcept nogil:
    return (tile.top * c.window.out[2] + tile.left) * c.size


cdef inline cnp.npy_intp _apart(Convolution *c, cnp.npy_intp places) noexcept nogil:
    """Return the numbers of a row of columns: the places, and those that only other rows of the kernel have."""
    return places + c.more * c.columns


cdef void _gather(
    Convolution *c, Tile *tile, cnp.npy_intp channel, cnp.npy_intp channels, char *columns
) noexcept nogil:
    """Gather the columns of some channels, counted over all groups; the planes are at the end of their memory."""
    cdef cnp.npy_intp i, each = tile.places // tile.images, apart = _apart(c, tile.places)
    cdef char *x
    for i in range(tile.images):
        x = c.x + ((tile.image + i) * c.groups * c.channels + channel) * c.pixels * c.size
        npg_gather(
            c.size, &c.gathered, x, c.pixels, channels, columns + i * each * c.size, apart, tile.top,
            tile.bottom + c.more, tile.left, tile.right,
            columns + c.columns_size - c.planes_size if c.planes_size else NULL,
        )


cdef void _unpack(Convolution *c, Tile *tile, cnp.npy_intp first, cnp.npy_intp filters, char *packed) noexcept nogil:
    """Copy the places of several images, side by side for each filter, to where they belong."""
    cdef cnp.npy_intp f, i, line = c.places * c.size
    for f in range(filters):
        for i in range(tile.images):
            memcpy(
                c.y + ((tile.image + i) * c.groups * c.filters + first + f) * line,
                packed + (f * tile.images + i) * line, line,
            )


cdef void correlate_part(int worker, long number, void *data) noexcept nogil:
    """Compute some filters at the places of a tile."""
    cdef Convolution *c = <Convolution *>data
    cdef char *columns = c.room + worker * c.room_size
    cdef char *packed = columns + c.columns_size
    cdef char *room = packed + c.packed_size
    cdef cnp.npy_intp rest = number, block = rest % c.blocks, group, place, first, f, filters, line
    cdef cnp.npy_intp row, shift = c.window.dilation[1] * c.columns * c.size
    cdef Tile tile
    cdef char *out
    cdef char *w
    cdef char *part
    rest //= c.blocks
    place = rest % (c.row_tiles * c.column_tiles)
    rest //= c.row_tiles * c.column_tiles
    group = rest % c.groups
    _place_tile(c, rest // c.groups, place, &tile)
    filters = min(c.block, c.filters - block * c.block)
    first = group * c.filters + block * c.block
    cdef Product *product = _product_of(c, block, &tile)
    if c.is_plain:
        columns = c.x + (tile.image * c.groups + group) * c.channels * c.pixels * c.size + _tile_offset(c, &tile)
    else:
        _gather(c, &tile, group * c.channels, c.channels, columns)
    if c.is_packed:
        out, line = packed, tile.places * c.size
    else:
        out = c.y + (tile.image * c.groups * c.filters + first) * c.places * c.size + _tile_offset(c, &tile)
        line = c.places * c.size
    w = c.w + first * product.k * c.size
    if c.lines == 1:
        multiply_alone(product, w, columns, out, room)
    else:  # in `packed`, then together with the last row of the kernel where it belongs
        part = packed + filters * tile.places * c.size
        multiply_alone(product, w, columns, packed, room)
        for row in range(1, c.lines):
            w += c.groups * c.filters * product.k * c.size
            multiply_alone(product, w, columns + row * shift, part, room)
            for f in range(filters):
                _pass(
                    &c.add, packed + f * tile.places * c.size, part + f * tile.places * c.size,
                    out + f * line if row == c.lines - 1 else packed + f * tile.places * c.size, tile.places, c.size,
                    c.size, c.size,
                )
    if c.bias != NULL:
        for f in range(filters):
            _pass(
                &c.add, out + f * line, c.bias + (first + f) * c.size, out + f * line, tile.places, c.size, 0, c.size
            )
    if c.is_packed:
        _unpack(c, &tile, first, filters, packed)


cdef void weigh_part(int worker, long number, void *data) noexcept nogil:
    """Compute the sum over the places of some images, for some channels and all filters of a group."""
    cdef Convolution *c = <Convolution *>data
    cdef char *columns = c.room + worker * c.room_size
    cdef char *packed = columns + c.columns_size
    cdef char *part = packed + c.packed_size
    cdef char *room = part + c.part_size
    cdef char *y
    cdef cnp.npy_intp rest = number, block = rest % c.blocks, group, place, first, channels, image, n, i, each, row
    cdef cnp.npy_intp high = c.taps // c.lines * c.filters * c.size, shift = c.window.dilation[1] * c.columns * c.size
    cdef Tile tile
    cdef Product *product
    cdef char *total
    cdef bint is_first = True
    rest //= c.blocks
    group = rest % c.groups
    rest //= c.groups
    channels = min(c.block, c.channels - block * c.block)
    first = group * c.channels + block * c.block
    n = channels * c.taps // c.lines * c.filters
    for image in range(rest * c.share, min((rest + 1) * c.share, c.image_tiles)):
        for place in range(c.row_tiles * c.column_tiles):
            _place_tile(c, image, place, &tile)
            product = _product_of(c, block, &tile)
            each = tile.places // tile.images
            for i in range(tile.images):
                y = c.y + ((tile.image + i) * c.groups + group) * c.filters * c.places * c.size + _tile_offset(c, &tile)
                npg_transpose(
                    c.size, y, c.filters, each, c.places, packed + i * each * c.filters * c.size, c.filters
                )
            if c.is_plain:
                columns = c.x + (tile.image * c.groups * c.channels + first) * c.pixels * c.size
                columns += _tile_offset(c, &tile)
            else:
                _gather(c, &tile, first, channels, columns)
            total = c.w + ((rest * c.groups + group) * c.lines * c.channels + block * c.block) * high
            for row in range(c.lines):
                multiply_alone(product, columns + row * shift, packed, total if is_first else part, room)
                if not is_first:
                    _pass(&c.add, total, part, total, n, c.size, c.size, c.size)
                total += c.channels * high
            is_first = False


# ----- Calls -----


cdef int _take_window(object numbers, npg_window *window) except -1:
    cdef int i
    for i in range(3):
        window.size[i], window.kernel[i], window.stride[i] = numbers[0][i], numbers[1][i], numbers[2][i]
        window.dilation[i], window.before[i], window.out[i] = numbers[3][i], numbers[4][i], numbers[5][i]
    return 0


cdef cnp.npy_intp _places_of(Convolution *c, bint is_last) noexcept:
    """Return the places of a tile, or of the smaller one at the end."""
    cdef Tile tile
    cdef cnp.npy_intp number
    _place_tile(c, 0, 0, &tile)
    if is_last:
        number = c.row_tiles * c.column_tiles - 1
        _place_tile(c, c.image_tiles - 1, number, &tile)
    return tile.places


cdef inline cnp.npy_intp _block_of(Convolution *c, cnp.npy_intp n, bint is_last) noexcept:
    """Return the filters or channels of a block, or of the smaller one at the end, of n."""
    return n - (c.blocks - 1) * c.block if is_last or c.blocks == 1 else c.block


cdef cnp.npy_intp _largest_room(Product[2][2] products) noexcept:
    """Return the bytes of scratch memory that the largest of four products needs."""
    return max(
        max(products[0][0].room_size, products[0][1].room_size), max(products[1][0].room_size, products[1][1].room_size)
    )


cdef bint _take_images(
    Convolution *c, cnp.ndarray x, cnp.ndarray w, cnp.ndarray y, window, plan, cnp.npy_intp groups, bint by_channel
) except -1:
    """Read arrays and the plan; return whether the loops and BLAS may be called for them."""
    cdef int kind = cnp.PyArray_TYPE(x)
    if not _has_product_loops or not _are_plain(kind, (x, w, y)):
        return False
    _take_window(window, &c.window)
    c.size = 4 if kind == cnp.NPY_FLOAT else 8
    c.x, c.w, c.y, c.bias = cnp.PyArray_BYTES(x), cnp.PyArray_BYTES(w), cnp.PyArray_BYTES(y), NULL
    c.count, c.groups = cnp.PyArray_DIM(x, 0), groups
    c.channels, c.filters = cnp.PyArray_DIM(x, 1) // groups, cnp.PyArray_DIM(y, 1) // groups
    c.taps = c.window.kernel[0] * c.window.kernel[1] * c.window.kernel[2]
    c.depth = c.channels * c.taps
    c.places = c.window.out[0] * c.window.out[1] * c.window.out[2]
    c.pixels = c.window.size[0] * c.window.size[1] * c.window.size[2]
    c.images, c.rows, c.columns, c.block, c.share, c.is_plain, c.lines = plan
    c.is_packed = c.images > 1
    c.gathered = c.window
    c.more = (c.lines - 1) * c.window.dilation[1]
    if c.lines > 1:
        c.gathered.kernel[1] = 1
        c.gathered.out[1] += c.more
    c.image_tiles = _divided_up(c.count, c.images)
    c.row_tiles = _divided_up(c.window.out[0] * c.window.out[1], c.rows)
    c.column_tiles = _divided_up(c.window.out[2], c.columns)
    c.blocks = _divided_up(c.channels if by_channel else c.filters, c.block)
    c.shares = _divided_up(c.image_tiles, c.share)
    c.add = _add_single if kind == cnp.NPY_FLOAT else _add_double
    c.tile_places = _places_of(c, False)
    c.part_size = 0
    return True


cdef void _take_columns(Convolution *c, cnp.npy_intp high) noexcept:
    """Plan the memory of a tile's columns, `high` numbers each, and of the planes that they are gathered from."""
    c.columns_size = c.planes_size = 0
    if not c.is_plain:
        c.planes_size = _round(npg_plane_numbers(&c.gathered, c.rows + c.more, c.columns) * c.size)
        c.columns_size = _round(high * _apart(c, c.tile_places) * c.size) + c.planes_size


cdef int _run(Convolution *c, pool_part part, cnp.npy_intp count) except -1:
    cdef double work = <double>c.count * c.groups * c.filters * c.depth * c.places
    c.room_size = c.columns_size + c.packed_size + c.part_size + _round(_largest_room(c.products))
    return _run_parts(part, count, c, work / MULTIPLICATIONS, &c.room, c.room_size)


def correlate(
    cnp.ndarray x not None, cnp.ndarray w not None, cnp.ndarray bias, cnp.ndarray y not None, window, plan, groups
):
    """Write the correlation of images with a weight, plus bias, into y; return whether it was done.

    Args:
        x, w, y: C-contiguous (N, C, D, H, W), (O, C / groups, kernel) and (N, O, places). Where the rows of the kernel
            are multiplied one after the other: (rows, O, C / groups, columns of the kernel).
        bias: (O,) or None.
        window, plan: those of npg/kernels/convolution.py.
    """
    cdef Convolution c
    cdef Product *p
    cdef int i, j
    if not _take_images(&c, x, w, y, window, plan, groups, False):
        return False
    if bias is not None:
        if cnp.PyArray_TYPE(bias) != cnp.PyArray_TYPE(x) or not is_plain(bias):
            return False
        c.bias = cnp.PyArray_BYTES(bias)
    for i in range(2):
        for j in range(2):
            p = &c.products[i][j]
            p.m, p.k, p.n = _block_of(&c, c.filters, i), c.depth // c.lines, _places_of(&c, j)
            p.a.down, p.a.right = p.k * c.size, c.size
            p.b.down, p.b.right = (c.pixels if c.is_plain else _apart(&c, p.n)) * c.size, c.size
            p.out.down, p.out.right = (p.n if c.is_packed or c.lines > 1 else c.places) * c.size, c.size
            if not _cut_alone(p, cnp.PyArray_TYPE(x), False):
                return False
    _take_columns(&c, c.depth // c.lines)
    c.packed_size = _round((1 if c.is_packed else 2 * (c.lines > 1)) * c.block * c.tile_places * c.size)
    _run(&c, correlate_part, c.image_tiles * c.groups * c.row_tiles * c.column_tiles * c.blocks)
    return True


def weigh(cnp.ndarray x not None, cnp.ndarray y not None, cnp.ndarray parts not None, window, plan, groups):
    """Write the adjoint of `correlate` in the weight, of y, into parts: for some images each.

    Args:
        parts: C-contiguous (shares, groups, C / groups, kernel, O / groups); where the rows of the kernel are
            multiplied one after the other, they come before the channels.
    Returns: whether it was done.
    """
    cdef Convolution c
    cdef Product *p
    cdef int i, j
    if not _take_images(&c, x, parts, y, window, plan, groups, True):
        return False
    for i in range(2):
        for j in range(2):
            p = &c.products[i][j]
            p.m, p.k, p.n = _block_of(&c, c.channels, i) * c.taps // c.lines, _places_of(&c, j), c.filters
            p.a.down, p.a.right = (c.pixels if c.is_plain else _apart(&c, p.k)) * c.size, c.size
            p.b.down = p.out.down = c.filters * c.size
            p.b.right = p.out.right = c.size
            if not _cut_alone(p, cnp.PyArray_TYPE(x), False):
                return False
    _take_columns(&c, c.block * c.taps // c.lines)
    c.packed_size = _round(c.filters * c.tile_places * c.size)
    c.part_size = _round(c.filters * c.block * c.taps // c.lines * c.size)
    _run(&c, weigh_part, c.shares * c.groups * c.blocks)
    return True
