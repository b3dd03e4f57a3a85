# Small products of matrices (npg/ops/_tiles.py), by calling the loop of NumPy's matmul tile by tile.

cdef double MULTIPLICATIONS = 50  # in a nanosecond of one thread, or fewer
cdef cnp.npy_intp ALONE = 1 << 17  # multiplications up to which a product that is not cut is computed here


cdef cnp.npy_intp AREA_ = _tiles.AREA

cdef enum: MOST_DIMS = 64  # NumPy's


cdef struct Matrix:
    # Where a matrix lies, and how many bytes further the next row and column are.
    char *start
    cnp.npy_intp down, right


cdef struct Product:
    # One call, and the shapes of its factors, (m, k) and (k, n), and of its tiles.
    Loop loop
    Matrix a, b, out
    cnp.npy_intp m, k, n, rows, columns, tiles_down


cdef struct Tiles:
    # The tiles of a call that one thread computes.
    Product *call
    cnp.npy_intp start, stop


cdef inline void _product(
    Loop *loop, char *a, cnp.npy_intp a_m, cnp.npy_intp a_n, char *b, cnp.npy_intp b_n, cnp.npy_intp b_p,
    char *out, cnp.npy_intp out_m, cnp.npy_intp out_p, cnp.npy_intp m, cnp.npy_intp n, cnp.npy_intp p,
) noexcept nogil:
    """Write the product of (m, n) and (n, p); x_i is how many bytes further the next i of x is."""
    cdef char *args[3]
    cdef cnp.npy_intp lengths[4]
    cdef cnp.npy_intp steps[9]
    args[0], args[1], args[2] = a, b, out
    lengths[0], lengths[1], lengths[2], lengths[3] = 1, m, n, p
    steps[0] = steps[1] = steps[2] = 0
    steps[3], steps[4], steps[5], steps[6], steps[7], steps[8] = a_m, a_n, b_n, b_p, out_m, out_p
    if m == 1:  # NumPy gives the loop no step where there is nothing to step to, and its loop looks at that
        steps[3] = steps[7] = 0
    if n == 1:
        steps[4] = steps[5] = 0
    if p == 1:
        steps[6] = steps[8] = 0
    loop.run(args, lengths, steps, loop.data)


cdef void multiply_tiles(int number, void *data, int more) noexcept nogil:
    """Compute some tiles of a product."""
    cdef Tiles *part = <Tiles *>data
    cdef Product *call = part.call
    cdef cnp.npy_intp tile, top, left
    for tile in range(part.start, part.stop):
        top, left = tile % call.tiles_down * call.rows, tile // call.tiles_down * call.columns
        _product(
            &call.loop, call.a.start + top * call.a.down, call.a.down, call.a.right,
            call.b.start + left * call.b.right, call.b.down, call.b.right,
            call.out.start + top * call.out.down + left * call.out.right, call.out.down, call.out.right,
            min(call.rows, call.m - top), call.k, min(call.columns, call.n - left),
        )


cdef Loop _matmul_single, _matmul_double


cdef bint _take_matrix(cnp.ndarray x, Matrix *matrix) noexcept:
    """Note where a matrix lies, or the rows of a contiguous array; return whether BLAS can walk it as it is."""
    cdef int n = cnp.PyArray_NDIM(x)
    cdef cnp.npy_intp size = cnp.PyArray_ITEMSIZE(x)
    matrix.start = cnp.PyArray_BYTES(x)
    if not (cnp.PyArray_ISALIGNED(x) and cnp.PyArray_ISNOTSWAPPED(x)):
        return False
    if cnp.PyArray_IS_C_CONTIGUOUS(x):  # its strides are those of its shape only in dimensions longer than one
        matrix.down, matrix.right = cnp.PyArray_DIM(x, n - 1) * size, size
        return True
    matrix.down, matrix.right = cnp.PyArray_STRIDE(x, n - 2), cnp.PyArray_STRIDE(x, n - 1)
    return n == 2 and (
        (matrix.right == size and matrix.down % size == 0 and matrix.down >= cnp.PyArray_DIM(x, 1) * size)
        or (matrix.down == size and matrix.right % size == 0 and matrix.right >= cnp.PyArray_DIM(x, 0) * size)
    )


def multiply(cnp.ndarray a, cnp.ndarray b):
    """Return np.matmul(a, b), b a matrix and `a` one or a contiguous array of its rows; None where that does better."""
    cdef Product call
    cdef Tiles parts[MOST_PARTS]
    cdef cnp.ndarray out
    cdef cnp.npy_intp shape[MOST_DIMS]
    cdef cnp.npy_intp tiles, share, work, size
    cdef int kind = cnp.PyArray_TYPE(a), dims = cnp.PyArray_NDIM(a), count = 1, taken, i
    if (
        kind != cnp.PyArray_TYPE(b) or not (kind == cnp.NPY_FLOAT or kind == cnp.NPY_DOUBLE)
        or cnp.PyArray_NDIM(b) != 2 or dims < 2 or not _take_matrix(a, &call.a) or not _take_matrix(b, &call.b)
    ):
        return None
    call.k, call.n = cnp.PyArray_DIM(b, 0), cnp.PyArray_DIM(b, 1)
    if call.k != cnp.PyArray_DIM(a, dims - 1) or not call.k:
        return None
    call.m = cnp.PyArray_SIZE(a) // call.k
    work = call.m * call.k * call.n
    if not work:
        return None
    size = cnp.PyArray_ITEMSIZE(a)
    call.rows, call.columns = call.m, call.n
    if call.m * call.n > AREA_:
        call.rows, call.columns = cut(call.m, call.k, call.n, size, call.a.right == size == call.b.down)
    call.tiles_down = (call.m + call.rows - 1) // call.rows
    tiles = call.tiles_down * ((call.n + call.columns - 1) // call.columns)
    if tiles == 1 and work > ALONE:
        return None
    for i in range(dims - 1):
        shape[i] = cnp.PyArray_DIM(a, i)
    shape[dims - 1] = call.n
    out = <cnp.ndarray>cnp.PyArray_EMPTY(dims, shape, kind, 0)
    call.out.start, call.out.right, call.out.down = cnp.PyArray_BYTES(out), size, call.n * size
    call.loop = _matmul_single if kind == cnp.NPY_FLOAT else _matmul_double
    if tiles > 1:
        count = min(_take_threads(work / MULTIPLICATIONS, &taken), MOST_PARTS, tiles)
    share = (tiles + count - 1) // count
    for i in range(count):
        parts[i].call, parts[i].start, parts[i].stop = &call, min(i * share, tiles), min((i + 1) * share, tiles)
    if count > 1:
        with nogil:
            pool_run(multiply_tiles, count, sizeof(Tiles), parts, 0, False)
    elif work > ALONE:
        with nogil:
            multiply_tiles(0, &parts[0], 0)
    else:
        multiply_tiles(0, &parts[0], 0)
    if tiles > 1:
        _give_back(taken)
    return out


if _find_loop(np.matmul, cnp.NPY_FLOAT, &_matmul_single) and _find_loop(np.matmul, cnp.NPY_DOUBLE, &_matmul_double):
    accelerate_products(multiply)
