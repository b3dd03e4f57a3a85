# Products of matrices in tiles (npg/kernels/tiles.py): for each the loop of NumPy's matmul or its BLAS is called.

cdef double MULTIPLICATIONS = 50  # in a nanosecond of one thread, or fewer
cdef double READ = 0.2  # nanoseconds in which a number of a matrix that a vector is multiplied with is read
cdef cnp.npy_intp WITH_GIL = 1 << 17  # multiplications up to which a product does not release the GIL

cdef cnp.npy_intp SMALL_TILE = limits.SMALL_TILE, UNSHARED_GEMM = limits.UNSHARED_GEMM
cdef cnp.npy_intp DEEP = limits.DEEP
cdef cnp.npy_intp UNSHARED_BATCH = limits.UNSHARED_BATCH, UNSHARED_VECTOR = limits.UNSHARED_VECTOR
cdef bint _is_apart = openblas.APART

cdef enum: MOST_DIMS = 64  # NumPy's
cdef enum: FEW_COLUMNS = 16


cdef struct Matrix:
    # The address of a matrix, the strides of rows and columns in bytes, and whether BLAS can read it by either.
    char *start
    cnp.npy_intp down, right
    bint by_rows, by_columns


cdef struct Batch:
    # cblas_?gemm_batch for one dtype, and the bytes of its integers.
    void *function
    int width


cdef struct Product:
    # The shapes of the factors, (m, k) and (k, n), and of the tiles; each call is passed the addresses of its matrices.
    Loop loop
    Batch *batch
    Matrix a, b, out
    cnp.npy_intp m, k, n, rows, columns, depth, tiles_down, tiles, size
    # Of a batch: its dimensions, and their strides in bytes.
    int dims
    cnp.npy_intp counts[MOST_DIMS]
    cnp.npy_intp a_steps[MOST_DIMS]
    cnp.npy_intp b_steps[MOST_DIMS]
    cnp.npy_intp out_steps[MOST_DIMS]
    cnp.npy_intp count, grain  # of tiles of the batch: all, and those that a thread takes at once
    char *room  # scratch memory of each thread, where k is added up in several steps
    cnp.npy_intp room_size
    char *row  # of multiply_one: n numbers that are added to each row of the product; or NULL


cdef Loop _matmul_single, _matmul_double, _add_single, _add_double
cdef Batch _batch_single, _batch_double


cdef int _find_batch(object dtype, Batch *batch) except -1:
    function, width = openblas.BATCHES[np.dtype(dtype)]
    batch.function, batch.width = <void *>_address(function), width
    return 0


# ----- A tile -----


cdef inline void _product(
    Loop *loop, char *a, cnp.npy_intp a_m, cnp.npy_intp a_n, char *b, cnp.npy_intp b_n, cnp.npy_intp b_p,
    char *out, cnp.npy_intp out_m, cnp.npy_intp out_p, cnp.npy_intp m, cnp.npy_intp n, cnp.npy_intp p,
) noexcept nogil:
    """Write the product of (m, n) and (n, p); x_i is the stride of dimension i of x, in bytes."""
    cdef char *args[3]
    cdef cnp.npy_intp lengths[4]
    cdef cnp.npy_intp steps[9]
    args[0], args[1], args[2] = a, b, out
    lengths[0], lengths[1], lengths[2], lengths[3] = 1, m, n, p
    steps[0] = steps[1] = steps[2] = 0
    steps[3], steps[4], steps[5], steps[6], steps[7], steps[8] = a_m, a_n, b_n, b_p, out_m, out_p
    if m == 1:  # NumPy passes strides of 0 for dimensions of size 1, and its loop depends on that
        steps[3] = steps[7] = 0
    if n == 1:
        steps[4] = steps[5] = 0
    if p == 1:
        steps[6] = steps[8] = 0
    npg_check(a, m, steps[3], n, steps[4], loop.size)
    npg_check(b, n, steps[5], p, steps[6], loop.size)
    npg_check(out, m, steps[7], p, steps[8], loop.size)
    loop.run(args, lengths, steps, loop.data)


cdef extern from "kernels/blas.h":
    void npg_batch_of_one(
        void *function, int size, int width, int a_trans, int b_trans, long long m, long long n, long long k, char *a,
        long long lda, char *b, long long ldb, char *out, long long ldc,
    ) noexcept nogil


cdef inline cnp.npy_intp _leading(Matrix *x, cnp.npy_intp rows, cnp.npy_intp columns, cnp.npy_intp size) noexcept nogil:
    """Return the leading dimension of a matrix, for BLAS."""
    if x.by_rows:
        return x.down // size if rows > 1 else columns
    return x.right // size if columns > 1 else rows


cdef void multiply_tile(Product *call, cnp.npy_intp tile, char *a, char *b, char *out, char *room) noexcept nogil:
    """Compute a tile of the product of the matrices at a and b."""
    cdef cnp.npy_intp top = tile % call.tiles_down * call.rows, left = tile // call.tiles_down * call.columns
    cdef cnp.npy_intp rows = min(call.rows, call.m - top), columns = min(call.columns, call.n - left)
    cdef cnp.npy_intp start = 0, depth, row, i
    a += top * call.a.down
    b += left * call.b.right
    out += top * call.out.down + left * call.out.right
    if rows * columns * call.depth > UNSHARED_BATCH and call.batch.function != NULL:
        npg_batch_of_one(
            call.batch.function, call.size, call.batch.width, 111 if call.a.by_rows else 112,
            111 if call.b.by_rows else 112, rows, columns, call.k,
            a, _leading(&call.a, call.m, call.k, call.size), b, _leading(&call.b, call.k, call.n, call.size),
            out, call.out.down // call.size,
        )
        return
    if call.depth == call.k:
        _product(
            &call.loop, a, call.a.down, call.a.right, b, call.b.down, call.b.right, out, call.out.down, call.size,
            rows, call.k, columns,
        )
        return
    cdef double *total = <double *>room
    room += _round(rows * columns * sizeof(double))
    memset(total, 0, rows * columns * sizeof(double))
    while start < call.k:
        depth = min(call.depth, call.k - start)
        _product(
            &call.loop, a + start * call.a.right, call.a.down, call.a.right,
            b + start * call.b.down, call.b.down, call.b.right, room, columns * call.size, call.size,
            rows, depth, columns,
        )
        for i in range(rows * columns):
            total[i] += (<float *>room)[i] if call.size == 4 else (<double *>room)[i]
        start += depth
    for row in range(rows):
        for i in range(columns):
            if call.size == 4:
                (<float *>(out + row * call.out.down))[i] = <float>total[row * columns + i]
            else:
                (<double *>(out + row * call.out.down))[i] = total[row * columns + i]


cdef void multiply_tiles(int worker, long number, void *data) noexcept nogil:
    """Compute some tiles of the products of a batch, one after the other: most read data that the last one has read."""
    cdef Product *call = <Product *>data
    cdef cnp.npy_intp tile
    for tile in range(number * call.grain, min((number + 1) * call.grain, call.count)):
        multiply_one(worker, tile, call)


cdef void multiply_one(int worker, cnp.npy_intp number, Product *call) noexcept nogil:
    """Compute a tile of one of the products of a batch."""
    cdef cnp.npy_intp index = number // call.tiles, i
    cdef char *a = call.a.start
    cdef char *b = call.b.start
    cdef char *out = call.out.start
    cdef int d
    for d in range(call.dims - 1, -1, -1):
        i = index % call.counts[d]
        index //= call.counts[d]
        a += i * call.a_steps[d]
        b += i * call.b_steps[d]
        out += i * call.out_steps[d]
    multiply_tile(call, number % call.tiles, a, b, out, call.room + worker * call.room_size)
    if call.row != NULL:
        _add_row(call, number % call.tiles, out)


cdef void _add_row(Product *call, cnp.npy_intp tile, char *out) noexcept nogil:
    """Add the row to a tile, which this thread's cache still holds."""
    cdef Loop *add = &_add_single if call.size == 4 else &_add_double
    cdef cnp.npy_intp top = tile % call.tiles_down * call.rows, left = tile // call.tiles_down * call.columns
    cdef cnp.npy_intp rows = min(call.rows, call.m - top), columns = min(call.columns, call.n - left), i
    cdef char *row = call.row + left * call.size
    out += top * call.out.down + left * call.size
    if columns < FEW_COLUMNS and columns < rows:  # starting the loop takes longer than it runs
        for i in range(columns):
            _pass(
                add, out + i * call.size, row + i * call.size, out + i * call.size, rows, call.out.down, 0,
                call.out.down,
            )
        return
    for i in range(rows):
        _pass(
            add, out + i * call.out.down, row, out + i * call.out.down, columns, call.size, call.size, call.size
        )


# ----- A product -----


cdef bint _look(Matrix *matrix, cnp.npy_intp rows, cnp.npy_intp columns, cnp.npy_intp size) noexcept:
    """Determine whether BLAS can read a matrix with these strides by rows or by columns; return whether by either."""
    # A stride counts only in a dimension that is longer than one.
    matrix.by_rows = (columns == 1 or matrix.right == size) and (
        rows == 1 or (matrix.down % size == 0 and matrix.down >= columns * size)
    )
    matrix.by_columns = (rows == 1 or matrix.down == size) and (
        columns == 1 or (matrix.right % size == 0 and matrix.right >= rows * size)
    )
    return matrix.by_rows or matrix.by_columns


cdef bint _take_matrix(cnp.ndarray x, Matrix *matrix) noexcept:
    """Read the layout of an array's last two dimensions; return whether BLAS can read them in place."""
    cdef int dims = cnp.PyArray_NDIM(x)
    matrix.start = cnp.PyArray_BYTES(x)
    matrix.down, matrix.right = cnp.PyArray_STRIDE(x, dims - 2), cnp.PyArray_STRIDE(x, dims - 1)
    return cnp.PyArray_ISALIGNED(x) and cnp.PyArray_ISNOTSWAPPED(x) and _look(
        matrix, cnp.PyArray_DIM(x, dims - 2), cnp.PyArray_DIM(x, dims - 1), cnp.PyArray_ITEMSIZE(x)
    )


def is_for_blas(x):
    """Tell whether BLAS can read the matrices of an array in place; false for what is no array."""
    cdef Matrix matrix
    return (
        isinstance(x, cnp.ndarray) and cnp.PyArray_NDIM(<cnp.ndarray>x) >= 2 and cnp.PyArray_SIZE(<cnp.ndarray>x) > 0
        and _take_matrix(<cnp.ndarray>x, &matrix)
    )


cdef bint _take_rows(cnp.ndarray x, Matrix *matrix) noexcept:
    """Read the layout of a C-contiguous array as the rows of one matrix; return whether BLAS can read it in place."""
    cdef cnp.npy_intp size = cnp.PyArray_ITEMSIZE(x), columns = cnp.PyArray_DIM(x, cnp.PyArray_NDIM(x) - 1)
    matrix.start, matrix.down, matrix.right = cnp.PyArray_BYTES(x), columns * size, size
    matrix.by_rows = True
    matrix.by_columns = columns == 1 or cnp.PyArray_SIZE(x) == columns
    return cnp.PyArray_ISALIGNED(x) and cnp.PyArray_ISNOTSWAPPED(x)


cdef int _cut_up(Product *call, int kind, bint is_one) except -1:
    """Decide how products of these shapes and layouts are cut."""
    cdef cnp.npy_intp work = call.m * call.k * call.n
    call.size = 4 if kind == cnp.NPY_FLOAT else 8
    call.loop = _matmul_single if kind == cnp.NPY_FLOAT else _matmul_double
    call.batch = &_batch_single if kind == cnp.NPY_FLOAT else &_batch_double
    call.rows, call.columns, call.depth = call.m, call.n, call.k
    # Most products are not cut, and calling `cut` takes longer than many of them.
    if (
        work > (UNSHARED_VECTOR if call.m == 1 or call.n == 1 else UNSHARED_GEMM)
        or (is_one and call.m * call.n > SMALL_TILE) or call.k > DEEP
    ):
        call.rows, call.columns, call.depth = cut(
            call.m, call.k, call.n, call.size, call.a.by_rows, call.b.by_columns, is_one
        )
    call.tiles_down = (call.m + call.rows - 1) // call.rows
    call.tiles = call.tiles_down * ((call.n + call.columns - 1) // call.columns)
    call.room_size = 0
    if call.depth != call.k:
        work = call.rows * call.columns
        call.room_size = _round(work * sizeof(double)) + _round(work * call.size)
    return 0


cdef bint _take_batch(Product *call, cnp.ndarray a, cnp.ndarray b, cnp.npy_intp *shape) noexcept:
    """Read the dimensions of two batches of matrices; return whether they broadcast."""
    cdef int a_dims = cnp.PyArray_NDIM(a) - 2, b_dims = cnp.PyArray_NDIM(b) - 2, d, i
    cdef cnp.npy_intp a_count, b_count
    call.dims = max(a_dims, b_dims)
    for d in range(call.dims):
        i = d - call.dims
        a_count = cnp.PyArray_DIM(a, a_dims + i) if a_dims + i >= 0 else 1
        b_count = cnp.PyArray_DIM(b, b_dims + i) if b_dims + i >= 0 else 1
        if a_count != b_count and a_count != 1 and b_count != 1:
            return False
        shape[d] = call.counts[d] = b_count if a_count == 1 else a_count
        call.a_steps[d] = cnp.PyArray_STRIDE(a, a_dims + i) if a_count != 1 else 0
        call.b_steps[d] = cnp.PyArray_STRIDE(b, b_dims + i) if b_count != 1 else 0
    shape[call.dims], shape[call.dims + 1] = call.m, call.n
    return True


cdef bint _take_row(object row, int kind, Product *call) except -1:
    """Read the row that is added to the product; return whether it is as long, plain and of its dtype."""
    call.row = NULL
    if row is None:
        return True
    call.row = cnp.PyArray_BYTES(<cnp.ndarray?>row)
    return (
        cnp.PyArray_TYPE(<cnp.ndarray>row) == kind and is_plain(<cnp.ndarray>row)
        and cnp.PyArray_SIZE(<cnp.ndarray>row) == call.n
    )


cdef inline double _time_of(Product *call, cnp.npy_intp work) noexcept nogil:
    """Return how many nanoseconds so many multiplications take one thread, about, or less."""
    return work * READ if call.m == 1 or call.n == 1 else work / MULTIPLICATIONS


def multiply(cnp.ndarray a not None, cnp.ndarray b not None, out, row):
    """Return np.matmul(a, b) + row of matrices or batches of matrices, or None where NumPy must be called.

    Args:
        out: the array to write into; None for a new one.
        row: (n,), or None for nothing.
    """
    cdef Product call
    cdef cnp.ndarray y, x
    cdef cnp.npy_intp shape[MOST_DIMS + 2]
    cdef cnp.npy_intp count, work
    cdef int kind = cnp.PyArray_TYPE(a), dims = cnp.PyArray_NDIM(a), threads, i
    cdef bint is_flat
    if (
        not _has_product_loops
        or kind != cnp.PyArray_TYPE(b) or not (kind == cnp.NPY_FLOAT or kind == cnp.NPY_DOUBLE)
        or dims < 2 or cnp.PyArray_NDIM(b) < 2 or not cnp.PyArray_SIZE(a) or not cnp.PyArray_SIZE(b)
    ):
        return None
    call.k, call.n = cnp.PyArray_DIM(b, cnp.PyArray_NDIM(b) - 2), cnp.PyArray_DIM(b, cnp.PyArray_NDIM(b) - 1)
    # One product of all rows instead of one for each matrix.
    is_flat = dims > 2 and cnp.PyArray_NDIM(b) == 2 and cnp.PyArray_IS_C_CONTIGUOUS(a) and (
        out is None or cnp.PyArray_IS_C_CONTIGUOUS(<cnp.ndarray?>out)
    )
    if not _take_row(row, kind, &call):
        return None
    if call.k != cnp.PyArray_DIM(a, dims - 1) or not (_take_rows(a, &call.a) if is_flat else _take_matrix(a, &call.a)):
        return None
    if not _take_matrix(b, &call.b):
        return None
    if is_flat:
        call.m, call.dims = cnp.PyArray_SIZE(a) // call.k, 0
        for i in range(dims - 1):
            shape[i] = cnp.PyArray_DIM(a, i)
        shape[dims - 1] = call.n
    else:
        call.m = cnp.PyArray_DIM(a, dims - 2)
        if not _take_batch(&call, a, b, shape):
            return None
        dims = call.dims + 2
    if call.a.start == call.b.start and call.m == call.n:  # see npg/kernels/products.py
        b = <cnp.ndarray>cnp.PyArray_NewCopy(b, cnp.NPY_CORDER)
        _take_matrix(b, &call.b)
        if not is_flat:
            _take_batch(&call, a, b, shape)
    if out is None:
        y = <cnp.ndarray>cnp.PyArray_EMPTY(dims, shape, kind, 0)
    else:
        y = <cnp.ndarray?>out
        if cnp.PyArray_TYPE(y) != kind or cnp.PyArray_NDIM(y) != dims or not cnp.PyArray_ISWRITEABLE(y):
            return None
        for i in range(dims):
            if cnp.PyArray_DIM(y, i) != shape[i]:
                return None
    if is_flat:
        _take_rows(y, &call.out)
    elif not _take_matrix(y, &call.out) or not call.out.by_rows:
        return None
    for i in range(call.dims):
        call.out_steps[i] = cnp.PyArray_STRIDE(y, i)
    if call.m == 1:
        call.out.down = call.n * cnp.PyArray_ITEMSIZE(a)
    if call.n == 1:
        call.out.right = cnp.PyArray_ITEMSIZE(a)
    count = 1
    for i in range(call.dims):
        count *= call.counts[i]
    _cut_up(&call, kind, count == 1)
    if call.tiles == 1 and call.m * call.k * call.n > UNSHARED_BATCH and not _is_apart:
        return None  # NumPy's BLAS shares it among its own threads
    work = count * call.m * call.k * call.n
    call.count = count * call.tiles
    threads = min(<cnp.npy_intp>_threads_for(_time_of(&call, work)), call.count) if call.count > 1 else 1
    call.grain = max(1, call.count // (2 * threads))
    if call.room_size:
        memory = PyBytes_FromStringAndSize(NULL, threads * call.room_size + 64)
        call.room = _line(memory)
    count = (call.count + call.grain - 1) // call.grain
    if work <= WITH_GIL:
        for i in range(count):
            multiply_tiles(0, i, &call)
    else:
        with nogil:
            pool_enter()
            pool_run(multiply_tiles, count, &call, threads)
            pool_leave()
    return y


def linear(cnp.ndarray x not None, cnp.ndarray w not None, bias):
    """Return x w^T + bias of small C-contiguous arrays, (..., k), (n, k), (n,) or None; or None for others.

    The same bits as `multiply` and an addition of the row give, without the views and calls in between.
    """
    cdef Product call
    cdef cnp.ndarray y
    cdef cnp.npy_intp shape[MOST_DIMS]
    cdef cnp.npy_intp i, size = cnp.PyArray_ITEMSIZE(x)
    cdef int kind = cnp.PyArray_TYPE(x), dims = cnp.PyArray_NDIM(x), threads = 1
    call.n, call.k = cnp.PyArray_DIM(w, 0), cnp.PyArray_DIM(w, 1)
    if not dims or not call.k or not call.n or cnp.PyArray_SIZE(x) * call.n > WITH_GIL:
        return None
    if not _has_product_loops or not _are_plain(kind, (x, w)) or cnp.PyArray_DATA(x) == cnp.PyArray_DATA(w):
        return None
    if not _take_row(bias, kind, &call):
        return None
    call.m = cnp.PyArray_SIZE(x) // call.k
    if not call.m:
        return None
    for i in range(dims - 1):
        shape[i] = cnp.PyArray_DIM(x, i)
    shape[dims - 1] = call.n
    call.a.down, call.a.right = call.k * size, size
    call.b.down, call.b.right = size, call.k * size
    call.out.down, call.out.right = call.n * size, size
    if not _look(&call.a, call.m, call.k, size) or not _look(&call.b, call.k, call.n, size):
        return None
    _look(&call.out, call.m, call.n, size)
    _cut_up(&call, kind, True)
    if call.tiles == 1 and call.m * call.k * call.n > UNSHARED_BATCH and not _is_apart:
        return None
    y = <cnp.ndarray>cnp.PyArray_EMPTY(dims, shape, kind, 0)
    call.dims, call.count = 0, call.tiles
    call.a.start, call.b.start, call.out.start = cnp.PyArray_BYTES(x), cnp.PyArray_BYTES(w), cnp.PyArray_BYTES(y)
    if call.tiles > 1:
        threads = min(<cnp.npy_intp>_threads_for(_time_of(&call, call.m * call.k * call.n)), call.tiles)
    call.grain = _divided_up(call.tiles, threads)
    if call.room_size:
        memory = PyBytes_FromStringAndSize(NULL, threads * call.room_size + 64)
        call.room = _line(memory)
    if threads == 1:
        multiply_tiles(0, 0, &call)
    else:
        with nogil:
            pool_enter()
            pool_run(multiply_tiles, threads, &call, threads)
            pool_leave()
    return y


cdef bint _find_product_loops() except -1:
    if not (
        _find_loop(np.matmul, cnp.NPY_FLOAT, &_matmul_single) and _find_loop(np.matmul, cnp.NPY_DOUBLE, &_matmul_double)
        and _find_loop(np.add, cnp.NPY_FLOAT, &_add_single) and _find_loop(np.add, cnp.NPY_DOUBLE, &_add_double)
    ):
        return False
    _find_batch(np.float32, &_batch_single)
    _find_batch(np.float64, &_batch_double)
    return True


cdef bint _has_product_loops = _find_product_loops()
