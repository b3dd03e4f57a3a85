# Attention on heads in parallel (npg/ops/attention.py), by calling the loops of NumPy's ufuncs and of matmul.
#
# A head's scores, some ten kilobytes, stay in the L1 cache while the loops pass over them, and the pool's threads share
# the heads, without the interpreter between one product and the next. The numbers are computed in the order of the
# Python code, so the bits are the same.

cdef double SCORE = 1.5  # nanoseconds of one thread


cdef struct AttentionLoops:
    Loop multiply, add, subtract, maximum, minimum, exp, divide


cdef struct Attention:
    # One call. Steps are strides in bytes: from batch to batch, head to head, and position to position.
    AttentionLoops *loops
    Product scores, result
    char *q
    char *k
    char *v
    char *y
    char *p  # NULL: not written
    char *total  # NULL: not written
    char *mask  # (B, keys, nh, queries), added to the scores from the key `start` on; NULL: none
    cnp.npy_intp q_steps[3]
    cnp.npy_intp k_steps[3]
    cnp.npy_intp v_steps[3]
    cnp.npy_intp y_steps[3]
    cnp.npy_intp p_steps[3]
    cnp.npy_intp total_steps[3]
    cnp.npy_intp mask_steps[4]  # 0 along dimensions that are broadcast
    cnp.npy_intp heads, queries, keys, n, m, start
    int size
    double scale, most, least
    int unsafe  # a head has scores too large or too small
    char *room  # scratch memory of each thread, for one head
    cnp.npy_intp room_size


cdef inline double _reduced(Loop *loop, char *x, cnp.npy_intp n, int size) noexcept nogil:
    """Return the reduction of n contiguous numbers."""
    cdef float single = 0
    cdef double doubled = 0
    _reduce(loop, x, <char *>&single if size == 4 else <char *>&doubled, n, size)
    return single if size == 4 else doubled


cdef inline void _add_up(char *total, char *x, cnp.npy_intp start, cnp.npy_intp stop, int size) noexcept nogil:
    """Add numbers to a total one after the other: a call of a loop for each would take longer than all of them."""
    cdef cnp.npy_intp i
    for i in range(start, stop):
        if size == 4:
            (<float *>total)[0] += (<float *>x)[i]
        else:
            (<double *>total)[0] += (<double *>x)[i]


cdef inline void _sum_over_keys(
    AttentionLoops *loops, char *s, char *total, double *sums, cnp.npy_intp keys, cnp.npy_intp queries, int size,
) noexcept nogil:
    """Write the sums of (keys, queries) over the keys to total: in blocks, and the sums of the blocks in float64.

    Args: sums: scratch memory for the queries.
    """
    cdef cnp.npy_intp start = 0, line = queries * size, i
    while start < keys:
        memcpy(total, s + start * line, line)
        if queries == 1:
            _add_up(total, s, start + 1, min(start + ADDED_SINGLY, keys), size)
        else:
            for i in range(start + 1, min(start + ADDED_SINGLY, keys)):
                _pass(&loops.add, total, s + i * line, total, queries, size, size, size)
        start += ADDED_SINGLY
        if keys > ADDED_SINGLY:
            for i in range(queries):
                sums[i] = (sums[i] if start > ADDED_SINGLY else 0) + (
                    (<float *>total)[i] if size == 4 else (<double *>total)[i]
                )
    if keys > ADDED_SINGLY:
        for i in range(queries):
            if size == 4:
                (<float *>total)[i] = <float>sums[i]
            else:
                (<double *>total)[i] = sums[i]


cdef inline void _scale_rows(
    Loop *multiply, char *x, cnp.npy_intp x_step, char *out, cnp.npy_intp step, cnp.npy_intp rows, cnp.npy_intp n,
    double scale, int size,
) noexcept nogil:
    """Write rows of n contiguous numbers times the scale."""
    cdef float single = <float>scale
    cdef char *factor = <char *>&single if size == 4 else <char *>&scale
    cdef cnp.npy_intp i
    for i in range(rows):
        _pass(multiply, x + i * x_step, factor, out + i * step, n, size, 0, size)


cdef inline void _add_mask(
    Loop *add, char *s, char *mask, cnp.npy_intp *steps, cnp.npy_intp keys, cnp.npy_intp queries, int size
) noexcept nogil:
    """Add a head's mask to its scores, (keys, queries)."""
    cdef cnp.npy_intp line = queries * size, i
    if steps[1] == line and steps[3] == size:
        _pass(add, s, mask, s, keys * queries, size, size, size)
    else:
        for i in range(keys):
            _pass(add, s + i * line, mask + i * steps[1], s + i * line, queries, size, steps[3], size)


cdef void multiply_alone(Product *call, char *a, char *b, char *out, char *room) noexcept nogil:
    """Compute a product, tile by tile, in this thread."""
    cdef cnp.npy_intp tile
    for tile in range(call.tiles):
        multiply_tile(call, tile, a, b, out, room)


cdef void attend_to_head(int worker, long head, void *data) noexcept nogil:
    """Compute a head's result, unless its scores are too large or too small to do without a shift."""
    cdef Attention *call = <Attention *>data
    cdef AttentionLoops *loops = call.loops
    cdef cnp.npy_intp size = call.size, line = call.queries * size, n = call.queries * call.keys
    cdef cnp.npy_intp b = head // call.heads, h = head % call.heads, i, p_step
    # In whole cache lines, for both the sums and the products' scratch memory have numbers of 8 bytes.
    cdef double *sums = <double *>(call.room + worker * call.room_size)
    cdef char *scaled = <char *>sums + _round(call.queries * sizeof(double))
    cdef char *s = scaled + _round(call.queries * call.n * size)
    cdef char *total = s + _round(n * size)
    cdef char *room = total + _round(line)  # for the products
    cdef char *q = call.q + b * call.q_steps[0] + h * call.q_steps[1]
    cdef char *p
    cdef char *mask
    cdef char *args[2]
    cdef cnp.npy_intp steps[2]
    if pool_is_raised(&call.unsafe):
        return
    _scale_rows(
        &loops.multiply, q, call.q_steps[2], scaled, call.n * size, call.queries, call.n, call.scale, size
    )
    multiply_alone(&call.scores, call.k + b * call.k_steps[0] + h * call.k_steps[1], scaled, s, room)
    if call.mask != NULL:
        mask = call.mask + b * call.mask_steps[0] + h * call.mask_steps[2]
        _add_mask(
            &loops.add, s + call.start * line, mask, call.mask_steps, call.keys - call.start, call.queries, size
        )
    if not _reduced(&loops.maximum, s, n, size) < call.most:
        pool_raise(&call.unsafe)
        return
    args[0] = args[1] = s
    steps[0] = steps[1] = size
    _elementwise(&loops.exp, args, n, steps)
    _sum_over_keys(loops, s, total, sums, call.keys, call.queries, size)
    if not _reduced(&loops.minimum, total, call.queries, size) > call.least:
        pool_raise(&call.unsafe)
        return
    if call.total != NULL:
        memcpy(call.total + b * call.total_steps[0] + h * call.total_steps[2], total, line)
    p, p_step = s, line
    if call.p != NULL:
        p, p_step = call.p + b * call.p_steps[0] + h * call.p_steps[2], call.p_steps[1]
    if call.queries == 1:  # multiplied where they lie together
        _pass(&loops.divide, s, total, s, call.keys, size, 0, size)
        for i in range(call.keys if call.p != NULL else 0):
            memcpy(p + i * p_step, s + i * size, size)
        p = s
    else:
        for i in range(call.keys):
            _pass(&loops.divide, s + i * line, total, p + i * p_step, call.queries, size, size, size)
    multiply_alone(
        &call.result, p, call.v + b * call.v_steps[0] + h * call.v_steps[1],
        call.y + b * call.y_steps[0] + h * call.y_steps[1], room,
    )


cdef bint _cut_alone(Product *call, int kind, bint is_one) except -1:
    """Plan a product for multiply_alone; return whether BLAS can read its matrices and stays in its thread."""
    cdef cnp.npy_intp size = 4 if kind == cnp.NPY_FLOAT else 8
    if not _look(&call.a, call.m, call.k, size) or not _look(&call.b, call.k, call.n, size):
        return False
    if not _look(&call.out, call.m, call.n, size) or not call.out.by_rows:
        return False
    _cut_up(call, kind, is_one)
    return _is_apart or call.rows * call.columns * call.depth <= UNSHARED_GEMM


cdef AttentionLoops _attention_single, _attention_double


cdef bint _find_attention_loops(int kind, AttentionLoops *loops) except -1:
    return (
        _has_product_loops and _find_loop(np.multiply, kind, &loops.multiply)
        and _find_loop(np.add, kind, &loops.add) and _find_loop(np.maximum, kind, &loops.maximum)
        and _find_loop(np.minimum, kind, &loops.minimum) and _find_loop(np.exp, kind, &loops.exp)
        and _find_loop(np.divide, kind, &loops.divide) and _find_loop(np.subtract, kind, &loops.subtract)
    )


cdef bint _take_steps(object array, int kind, cnp.npy_intp *steps, char **memory) except -1:
    """Read the address and the first three strides of a 4-D array; return whether loops can run over its rows."""
    cdef cnp.ndarray x = <cnp.ndarray?>array
    cdef int i
    for i in range(3):
        steps[i] = cnp.PyArray_STRIDE(x, i)
    memory[0] = cnp.PyArray_BYTES(x)
    return (
        cnp.PyArray_TYPE(x) == kind and cnp.PyArray_ISALIGNED(x) and cnp.PyArray_ISNOTSWAPPED(x)
        and cnp.PyArray_STRIDE(x, 3) == cnp.PyArray_ITEMSIZE(x)
    )


cdef bint _take_mask(cnp.ndarray mask, int kind, cnp.npy_intp *steps, char **memory) noexcept:
    """Read the address and the strides of a mask, 0 along dimensions that are broadcast; return whether it is plain."""
    cdef int i
    for i in range(4):
        steps[i] = cnp.PyArray_STRIDE(mask, i) if i == 1 or cnp.PyArray_DIM(mask, i) > 1 else 0
    memory[0] = cnp.PyArray_BYTES(mask)
    return cnp.PyArray_TYPE(mask) == kind and cnp.PyArray_ISALIGNED(mask) and cnp.PyArray_ISNOTSWAPPED(mask)


cdef AttentionLoops *_attention_loops(int kind) except? NULL:
    """Return the loops for a dtype; NULL where there are none."""
    cdef AttentionLoops *loops = &_attention_single if kind == cnp.NPY_FLOAT else &_attention_double
    if not (kind == cnp.NPY_FLOAT or kind == cnp.NPY_DOUBLE):
        return NULL
    if loops.multiply.run == NULL and not _find_attention_loops(kind, loops):
        return NULL
    return loops


def attend(cnp.ndarray q not None, k, v, y, p, total, cnp.ndarray mask, double scale, double most, double least):
    """Write softmax(q k^T scale + mask) v of a tile into y, without subtracting a maximum.

    Args:
        q, k, v, y: (B, nh, T, n), (B, nh, S, n), (B, nh, S, m) and (B, nh, T, m).
        p, total: further outputs: (B, S, nh, T), the softmax, and (B, 1, nh, T), the sums; None: not written.
        mask: (B or 1, later, nh or 1, T or 1), added to the scores of the last keys; None: none.
        most, least: bounds: scores must be below `most`, sums above `least`.
    Returns: whether it was done. Otherwise the contents of y, p and total are undefined.
    """
    cdef Attention call
    cdef cnp.npy_intp heads, size = cnp.PyArray_ITEMSIZE(q)
    cdef int kind = cnp.PyArray_TYPE(q)
    call.size = size
    call.heads, call.queries, call.n = cnp.PyArray_DIM(q, 1), cnp.PyArray_DIM(q, 2), cnp.PyArray_DIM(q, 3)
    call.keys, call.m = cnp.PyArray_DIM(<cnp.ndarray?>k, 2), cnp.PyArray_DIM(<cnp.ndarray?>v, 3)
    call.p = call.total = call.mask = NULL
    if (
        not (kind == cnp.NPY_FLOAT or kind == cnp.NPY_DOUBLE) or not call.queries
        # NumPy adds the keys of one query of one head pairwise.
        or (call.queries == 1 and call.heads == 1)
        or not _take_steps(q, kind, call.q_steps, &call.q) or not _take_steps(k, kind, call.k_steps, &call.k)
        or not _take_steps(v, kind, call.v_steps, &call.v) or not _take_steps(y, kind, call.y_steps, &call.y)
        or (p is not None and not _take_steps(p, kind, call.p_steps, &call.p))
        or (total is not None and not _take_steps(total, kind, call.total_steps, &call.total))
    ):
        return False
    call.loops = _attention_loops(kind)
    if call.loops == NULL:
        return False
    call.start = call.keys
    if mask is not None:
        if not _take_mask(mask, kind, call.mask_steps, &call.mask):
            return False
        call.start -= cnp.PyArray_DIM(mask, 1)
    call.scale, call.most = scale, most
    call.least = <float>least if kind == cnp.NPY_FLOAT else least
    call.unsafe = 0
    heads = cnp.PyArray_DIM(q, 0) * call.heads
    call.scores.m, call.scores.k, call.scores.n = call.keys, call.n, call.queries
    call.scores.a.down, call.scores.a.right = call.k_steps[2], size
    call.scores.b.down, call.scores.b.right = size, call.n * size
    call.scores.out.down, call.scores.out.right = call.queries * size, size
    call.result.m, call.result.k, call.result.n = call.queries, call.keys, call.m
    call.result.a.down, call.result.a.right = size, call.queries * size
    if p is not None and call.queries > 1:
        call.result.a.right = call.p_steps[1]
    call.result.b.down, call.result.b.right = call.v_steps[2], size
    call.result.out.down, call.result.out.right = call.y_steps[2], size
    if not _cut_alone(&call.scores, kind, heads == 1) or not _cut_alone(&call.result, kind, heads == 1):
        return False
    call.room_size = _round(call.queries * sizeof(double)) + _round(call.queries * call.n * size)
    call.room_size += _round(call.queries * call.keys * size) + _round(call.queries * size)
    call.room_size += _round(max(call.scores.room_size, call.result.room_size))
    _run_parts(
        attend_to_head, heads, &call, SCORE * heads * call.queries * call.keys, &call.room, call.room_size
    )
    return not call.unsafe
