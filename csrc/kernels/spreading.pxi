# The adjoint in the images of a correlation with steps (npg/kernels/convolution.py): products, added up by taps.

cdef void spread_part(int worker, long number, void *data) noexcept nogil:
    """Compute some channels of some images from all places, in the rows of their phases."""
    cdef Convolution *c = <Convolution *>data
    cdef char *columns = c.room + worker * c.room_size
    cdef char *packed = columns + c.columns_size
    cdef char *phases = packed + c.packed_size
    cdef char *room = phases + c.part_size
    cdef cnp.npy_intp rest = number, block = rest % c.blocks, group, first, channels, image, images, top, bottom
    cdef cnp.npy_intp f, i, j, n
    cdef cnp.npy_intp size = c.size, pitch = c.phases.count[2], line, tap
    cdef char *to
    cdef Product *product
    rest //= c.blocks
    group = rest % c.groups
    image = rest // c.groups * c.images
    images = min(c.images, c.count - image)
    channels = min(c.block, c.channels - block * c.block)
    first = group * c.channels + block * c.block
    memset(phases, 0, images * channels * c.numbers * size)
    top = 0
    while top < c.all_rows:
        bottom = min(top + c.rows, c.all_rows)
        n = (bottom - top) * pitch
        line = images * n * size
        for f in range(c.filters):
            for i in range(images):
                npg_put_in_rows(
                    c.size, &c.phases, c.y + (((image + i) * c.groups + group) * c.filters + f) * c.places * size,
                    packed + f * line + i * n * size, top, bottom,
                )
        product = &c.products[block == c.blocks - 1][images * n != c.tile_places]
        multiply_alone(
            product, c.w + (group * c.filters * c.depth + block * c.block * c.taps) * size, packed, columns, room
        )
        if bottom == c.all_rows:
            n -= pitch - c.phases.out[2]
        for i in range(images):
            for j in range(channels):
                to = phases + ((i * channels + j) * c.numbers + top * pitch) * size
                for tap in range(c.taps):
                    _pass(
                        &c.add, to + c.offsets[tap] * size,
                        columns + (j * c.taps + tap) * line + i * (line // images), to + c.offsets[tap] * size, n, size,
                        size, size,
                    )
        top = bottom
    for i in range(images):
        for j in range(channels):
            npg_split(
                c.size, &c.phases, c.x + ((image + i) * c.groups * c.channels + first + j) * c.pixels * size,
                phases + (i * channels + j) * c.numbers * size, 1,
            )


# ----- Calls -----


cdef int _take_phases(object plan, npg_phases *phases) except -1:
    cdef int i
    for i in range(3):
        phases.size[i], phases.out[i], phases.stride[i] = plan.size[i], plan.out[i], plan.stride[i]
        phases.before[i], phases.count[i] = plan.before[i], plan.extent[i]
    return 0


cdef inline cnp.npy_intp _phase_numbers(npg_phases *p) noexcept:
    """Return the numbers of all phases of an image."""
    return p.stride[0] * p.stride[1] * p.stride[2] * p.count[0] * p.count[1] * p.count[2]


def spread(
    cnp.ndarray x not None, cnp.ndarray w not None, cnp.ndarray y not None, window, plan, groups, phases
):
    """Write the adjoint of `correlate` in the images, of y, into x; return whether it was done.

    Args:
        phases: those of npg/kernels/phases.py for the window; the rows of the plan are theirs.
    """
    cdef Convolution c
    cdef Product *p
    cdef int i, j
    if not _take_images(&c, x, w, y, window, plan, groups, True):
        return False
    _take_phases(phases, &c.phases)
    offsets = np.array(phases.offsets, np.intp)
    c.offsets = <cnp.npy_intp *>cnp.PyArray_BYTES(<cnp.ndarray>offsets)
    c.numbers, c.all_rows = phases.numbers, phases.rows
    for i in range(2):
        for j in range(2):
            p = &c.products[i][j]
            p.m, p.k = _block_of(&c, c.channels, i) * c.taps, c.filters
            p.n = c.images * min(c.rows, c.all_rows) * c.phases.count[2]
            if not j:
                c.tile_places = p.n
            elif c.images > 1:
                p.n = ((c.count - 1) % c.images + 1) * c.all_rows * c.phases.count[2]
            else:
                p.n = ((c.all_rows - 1) % c.rows + 1) * c.phases.count[2]
            p.a.down, p.a.right = c.size, c.depth * c.size
            p.b.down = p.out.down = p.n * c.size
            p.b.right = p.out.right = c.size
            if not _cut_alone(p, cnp.PyArray_TYPE(x), False):
                return False
    c.columns_size = _round(c.block * c.taps * c.tile_places * c.size)
    c.packed_size = _round(c.filters * c.tile_places * c.size)
    c.part_size = _round(c.images * c.block * c.numbers * c.size)
    _run(&c, spread_part, c.image_tiles * c.groups * c.blocks)
    return True
