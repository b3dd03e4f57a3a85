# The gradients of attention on heads in parallel (npg/ops/attention.py), like attention.pxi and with its parts.
#
# What a head needs, its probabilities and two matrices of their size, stays in the caches while the loops pass over it.
# The numbers are computed in the order of the Python code, so the bits are the same.


cdef struct AttentionGradients:
    # One call. Steps are strides in bytes: from batch to batch, head to head, and position to position.
    AttentionLoops *loops
    Product scores, gp, gv, gq, gk
    char *q
    char *k
    char *v
    char *g
    char *p  # the softmax; NULL: computed once more, with `logs`
    char *logs  # of the sums
    char *mask
    char *into_q  # NULL, as the next two: not wanted
    char *into_k
    char *into_v
    cnp.npy_intp q_steps[3]
    cnp.npy_intp k_steps[3]
    cnp.npy_intp v_steps[3]
    cnp.npy_intp g_steps[3]
    cnp.npy_intp p_steps[3]
    cnp.npy_intp logs_steps[3]
    cnp.npy_intp mask_steps[4]
    cnp.npy_intp into_q_steps[3]
    cnp.npy_intp into_k_steps[3]
    cnp.npy_intp into_v_steps[3]
    cnp.npy_intp heads, queries, keys, n, m, start
    int size
    bint adds  # to the gradients of keys and values
    double scale
    char *room
    cnp.npy_intp room_size


cdef inline void _into(
    AttentionGradients *call, Product *product, char *a, char *b, char *out, cnp.npy_intp step, char *added, char *room,
) noexcept nogil:
    """Write a product for the keys or the values, or add it."""
    cdef cnp.npy_intp line = product.n * call.size, i
    if not call.adds:
        multiply_alone(product, a, b, out, room)
        return
    multiply_alone(product, a, b, added, room)
    for i in range(product.m):
        _pass(
            &call.loops.add, out + i * step, added + i * line, out + i * step, product.n, call.size, call.size,
            call.size,
        )


cdef void differentiate_head(int worker, long head, void *data) noexcept nogil:
    """Compute the gradients of a head, in the order of npg/ops/attention.py."""
    cdef AttentionGradients *call = <AttentionGradients *>data
    cdef AttentionLoops *loops = call.loops
    cdef cnp.npy_intp size = call.size, line = call.queries * size, n = call.queries * call.keys
    cdef cnp.npy_intp b = head // call.heads, h = head % call.heads, i, step
    cdef double *sums = <double *>(call.room + worker * call.room_size)
    cdef char *scaled = <char *>sums + _round(call.queries * sizeof(double))
    cdef char *gs = scaled + _round(call.queries * call.n * size)
    cdef char *t = gs + _round(n * size)
    cdef char *total = t + _round(n * size)
    cdef char *p = total + _round(line)
    cdef char *added = p + (_round(n * size) if call.p == NULL else 0)
    cdef char *room = added + (_round(call.keys * max(call.n, call.m) * size) if call.adds else 0)
    cdef char *q = call.q + b * call.q_steps[0] + h * call.q_steps[1]
    cdef char *k = call.k + b * call.k_steps[0] + h * call.k_steps[1]
    cdef char *v = call.v + b * call.v_steps[0] + h * call.v_steps[1]
    cdef char *g = call.g + b * call.g_steps[0] + h * call.g_steps[1]
    cdef char *out
    cdef char *args[2]
    cdef cnp.npy_intp steps[2]
    _scale_rows(
        &loops.multiply, q, call.q_steps[2], scaled, call.n * size, call.queries, call.n, call.scale, size
    )
    if call.p != NULL:
        p = call.p + b * call.p_steps[0] + h * call.p_steps[2]
    else:
        multiply_alone(&call.scores, k, scaled, p, room)
        if call.mask != NULL:
            _add_mask(
                &loops.add, p + call.start * line, call.mask + b * call.mask_steps[0] + h * call.mask_steps[2],
                call.mask_steps, call.keys - call.start, call.queries, size,
            )
        out = call.logs + b * call.logs_steps[0] + h * call.logs_steps[2]
        for i in range(call.keys):
            _pass(&loops.subtract, p + i * line, out, p + i * line, call.queries, size, size, size)
        args[0] = args[1] = p
        steps[0] = steps[1] = size
        _elementwise(&loops.exp, args, n, steps)
    if call.into_v != NULL:
        out = call.into_v + b * call.into_v_steps[0] + h * call.into_v_steps[1]
        _into(call, &call.gv, p, g, out, call.into_v_steps[2], added, room)
    if call.into_q == NULL and call.into_k == NULL:
        return
    multiply_alone(&call.gp, v, g, gs, room)
    step = call.p_steps[1] if call.p != NULL else line
    if step == line:
        _pass(&loops.multiply, gs, p, t, n, size, size, size)
    else:
        for i in range(call.keys):
            _pass(&loops.multiply, gs + i * line, p + i * step, t + i * line, call.queries, size, size, size)
    _sum_over_keys(loops, t, total, sums, call.keys, call.queries, size)
    for i in range(call.keys):
        _pass(&loops.subtract, gs + i * line, total, gs + i * line, call.queries, size, size, size)
    if step == line:
        _pass(&loops.multiply, gs, p, gs, n, size, size, size)
    else:
        for i in range(call.keys):
            _pass(&loops.multiply, gs + i * line, p + i * step, gs + i * line, call.queries, size, size, size)
    if call.into_q != NULL:
        out = call.into_q + b * call.into_q_steps[0] + h * call.into_q_steps[1]
        multiply_alone(&call.gq, gs, k, out, room)
        step = call.into_q_steps[2]
        _scale_rows(&loops.multiply, out, step, out, step, call.queries, call.n, call.scale, size)
    if call.into_k != NULL:
        out = call.into_k + b * call.into_k_steps[0] + h * call.into_k_steps[1]
        _into(call, &call.gk, gs, scaled, out, call.into_k_steps[2], added, room)


cdef bint _plan(
    Product *call, int kind, bint is_one, cnp.npy_intp m, cnp.npy_intp k, cnp.npy_intp n, cnp.npy_intp a_down,
    cnp.npy_intp a_right, cnp.npy_intp b_down, cnp.npy_intp b_right, cnp.npy_intp out_down,
) except -1:
    """Plan a product of a head by its shape and strides."""
    call.m, call.k, call.n = m, k, n
    call.a.down, call.a.right, call.b.down, call.b.right = a_down, a_right, b_down, b_right
    call.out.down, call.out.right = out_down, 4 if kind == cnp.NPY_FLOAT else 8
    return _cut_alone(call, kind, is_one)


def attend_back(
    cnp.ndarray q not None, k, v, cnp.ndarray g not None, p, logs, gq, gk, gv, cnp.ndarray mask, double scale, bint adds
):
    """Write or add the gradients of a tile's queries, keys and values, without dropout.

    Args:
        q, k, v, g: (B, nh, T, n), (B, nh, S, n), (B, nh, S, m), and the gradient of the result, (B, nh, T, m).
        p: (B, S, nh, T), the softmax; None: it is computed from the scores and `logs`, (B, 1, nh, T).
        gq, gk, gv: shaped as q, k and v; None: not wanted.
        mask: as for attend, where p is None.
        adds: gk and gv are added to what is there.
    Returns: whether it was done.
    """
    cdef AttentionGradients call
    cdef cnp.npy_intp heads, size = cnp.PyArray_ITEMSIZE(q), line, step
    cdef int kind = cnp.PyArray_TYPE(q)
    cdef bint is_one
    call.size, call.scale, call.adds = size, scale, adds
    call.heads, call.queries, call.n = cnp.PyArray_DIM(q, 1), cnp.PyArray_DIM(q, 2), cnp.PyArray_DIM(q, 3)
    call.keys, call.m = cnp.PyArray_DIM(<cnp.ndarray?>k, 2), cnp.PyArray_DIM(<cnp.ndarray?>v, 3)
    call.scores.room_size = call.gv.room_size = call.gq.room_size = call.gk.room_size = 0  # those that are not planned
    call.p = call.logs = call.mask = call.into_q = call.into_k = call.into_v = NULL
    call.loops = _attention_loops(kind)
    if (
        call.loops == NULL or call.queries < 2 or call.keys < 2  # sums over one key or query are added in another way
        or not _take_steps(q, kind, call.q_steps, &call.q) or not _take_steps(k, kind, call.k_steps, &call.k)
        or not _take_steps(v, kind, call.v_steps, &call.v) or not _take_steps(g, kind, call.g_steps, &call.g)
        or (p is not None and not _take_steps(p, kind, call.p_steps, &call.p))
        or (logs is not None and not _take_steps(logs, kind, call.logs_steps, &call.logs))
        or (gq is not None and not _take_steps(gq, kind, call.into_q_steps, &call.into_q))
        or (gk is not None and not _take_steps(gk, kind, call.into_k_steps, &call.into_k))
        or (gv is not None and not _take_steps(gv, kind, call.into_v_steps, &call.into_v))
        or call.v == call.g  # see npg/kernels/products.py
    ):
        return False
    call.start = call.keys
    if mask is not None:
        if not _take_mask(mask, kind, call.mask_steps, &call.mask):
            return False
        call.start -= cnp.PyArray_DIM(mask, 1)
    heads = cnp.PyArray_DIM(q, 0) * call.heads
    is_one, line = heads == 1, call.queries * size
    step = call.p_steps[1] if p is not None else line
    if not (
        (p is not None or _plan(
            &call.scores, kind, is_one, call.keys, call.n, call.queries, call.k_steps[2], size, size, call.n * size,
            line,
        ))
        and _plan(
            &call.gp, kind, is_one, call.keys, call.m, call.queries, call.v_steps[2], size, size, call.g_steps[2], line
        )
        and (gv is None or _plan(
            &call.gv, kind, is_one, call.keys, call.queries, call.m, step, size, call.g_steps[2], size,
            call.m * size if adds else call.into_v_steps[2],
        ))
        and (gq is None or _plan(
            &call.gq, kind, is_one, call.queries, call.keys, call.n, size, line, call.k_steps[2], size,
            call.into_q_steps[2],
        ))
        and (gk is None or _plan(
            &call.gk, kind, is_one, call.keys, call.queries, call.n, line, size, call.n * size, size,
            call.n * size if adds else call.into_k_steps[2],
        ))
    ):
        return False
    step = max(call.scores.room_size, call.gp.room_size)
    step = max(step, max(call.gv.room_size, max(call.gq.room_size, call.gk.room_size)))
    call.room_size = _round(call.queries * sizeof(double)) + _round(call.queries * call.n * size) + _round(line)
    call.room_size += (2 if p is not None else 3) * _round(call.keys * line) + _round(step)
    call.room_size += _round(call.keys * max(call.n, call.m) * size) if adds else 0
    _run_parts(
        differentiate_head, heads, &call, 3 * SCORE * heads * call.queries * call.keys, &call.room, call.room_size
    )
    return True
