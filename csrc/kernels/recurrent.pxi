# The steps of recurrent layers (npg/kernels/recurrent.py): products and passes over the numbers of some units.
#
# Each step is a job of the pool, which a thread that waits for it begins within a microsecond. Parts read the states of
# the step before, which all of them have written, so these are kept twice, and read and written in turn.

cdef enum Recurrence: TANH, RELU, LSTM, GRU

cdef double PASS = 0.8  # nanoseconds of one number in one pass, about, with what exp and tanh take
cdef int PASSES = 5  # over the gates of a step
cdef enum: ROOM_BLOCKS = 8  # blocks of scratch memory of a part


cdef struct Recurrent:
    Recurrence kind
    Loop add, subtract, multiply, divide, negative, exp, tanh, maximum
    int size, gates
    # units: of a part; total: rows of all steps
    cnp.npy_intp hidden, batch, units, parts, total, steps
    cnp.npy_intp *walk  # of each step the row where it begins, and how many sequences have it
    char *w  # forward, the rows for the gates of each part together
    char *bias
    # By parts: the gates (gates, total, units), what is kept of all steps (total, units), states (B, units). What is
    # called g... is the gradient of what is called the same without g.
    char *x
    char *cells
    char *more
    char *c
    char *gh
    char *gc
    # By rows of all units, or of all gates: of_input
    char *of_input
    char *h
    char *other_h
    char *y
    char *gy
    char *gx
    char *gs  # of the product of the states: gx, but for GRU
    Product *products  # by the number of rows; for a part and for the last one, which may be smaller
    char *room
    cnp.npy_intp room_size
    # Of the step that is a job now, the one before and the one after it: the row where it begins, and how many it has
    cnp.npy_intp at, count, last_at, last_count, next_at, next_count


cdef struct Units:
    # Some units, and scratch memory for them.
    cnp.npy_intp first, count, line, rows  # line: bytes of one row
    cnp.npy_intp n  # numbers of all rows
    char *block[ROOM_BLOCKS]
    char *product  # of the state, (rows, gates x units)
    char *room


cdef inline void _on_both(Loop *loop, char *a, char *b, char *out, cnp.npy_intp n, int size) noexcept nogil:
    _pass(loop, a, b, out, n, size, size, size)


cdef inline void _on_one(Loop *loop, char *a, char *out, cnp.npy_intp n, int size) noexcept nogil:
    cdef char *args[2]
    cdef cnp.npy_intp steps[2]
    args[0], args[1] = a, out
    steps[0] = steps[1] = size
    _elementwise(loop, args, n, steps)


cdef inline void _from_one(Recurrent *c, char *x, char *out, cnp.npy_intp n) noexcept nogil:
    """Write 1 - x."""
    cdef float single = 1
    cdef double doubled = 1
    _pass(&c.subtract, <char *>&single if c.size == 4 else <char *>&doubled, x, out, n, 0, c.size, c.size)


cdef void _sigmoid(Recurrent *c, char *x, cnp.npy_intp n) noexcept nogil:
    """Write 1 / (exp(-x) + 1) over x."""
    cdef float single = 1
    cdef double doubled = 1
    cdef char *one = <char *>&single if c.size == 4 else <char *>&doubled
    _on_one(&c.negative, x, x, n, c.size)
    _on_one(&c.exp, x, x, n, c.size)
    _pass(&c.add, x, one, x, n, c.size, 0, c.size)
    _pass(&c.divide, one, x, x, n, 0, c.size, c.size)


cdef void _take_units(Recurrent *c, int worker, long number, cnp.npy_intp rows, Units *u) noexcept nogil:
    cdef cnp.npy_intp space = _round(c.batch * c.units * c.size)
    cdef int i
    u.first = number * c.units
    u.count = min(c.units, c.hidden - u.first)
    u.line, u.rows, u.n = u.count * c.size, rows, rows * u.count
    for i in range(ROOM_BLOCKS):
        u.block[i] = c.room + worker * c.room_size + i * space
    u.product = c.room + worker * c.room_size + ROOM_BLOCKS * space
    u.room = u.product + c.gates * space


cdef inline char *_gate(Recurrent *c, Units *u, int gate) noexcept nogil:
    """Return where the numbers of a gate of these units begin at this step."""
    return c.x + (c.gates * c.total * u.first + (gate * c.total + c.at) * u.count) * c.size


cdef inline char *_kept(Recurrent *c, Units *u, char *x, cnp.npy_intp at) noexcept nogil:
    """Return where the numbers of these units begin in cells or more at the row `at`."""
    return x + (c.total * u.first + at * u.count) * c.size


cdef inline void _block_to_rows(
    Recurrent *c, Units *u, char *block, char *x, cnp.npy_intp at, cnp.npy_intp width, cnp.npy_intp column
) noexcept nogil:
    """Copy a block to these units' columns of x, from the row `at` on."""
    cdef cnp.npy_intp i
    for i in range(u.rows):
        memcpy(x + ((at + i) * width + column + u.first) * c.size, block + i * u.line, u.line)


cdef inline void _rows_to_block(
    Recurrent *c, Units *u, char *x, cnp.npy_intp at, cnp.npy_intp first, cnp.npy_intp count, char *block
) noexcept nogil:
    """Copy rows of these units' columns of x, from the row `at` on, to the rows of a block from `first` on."""
    cdef cnp.npy_intp i
    for i in range(first, first + count):
        memcpy(block + i * u.line, x + ((at + i) * c.hidden + u.first) * c.size, u.line)


# ----- Forward -----


cdef inline void _add_input(
    Recurrent *c, Units *u, int gate, char *s, cnp.npy_intp wide, char *out
) noexcept nogil:
    """Write the sum of s, with rows `wide` bytes apart, and of what the input contributes to a gate."""
    cdef cnp.npy_intp i
    for i in range(u.rows):
        _on_both(
            &c.add, c.of_input + (((c.at + i) * c.gates + gate) * c.hidden + u.first) * c.size, s + i * wide,
            out + i * u.line, u.count, c.size,
        )


cdef void recurrent_part(int worker, long number, void *data) noexcept nogil:
    """Compute a step for some units."""
    cdef Recurrent *c = <Recurrent *>data
    cdef Units u
    cdef int gate
    cdef char *y
    _take_units(c, worker, number, c.count, &u)
    y = u.block[0]
    multiply_alone(
        &c.products[2 * u.rows + (u.count != c.units)], c.h, c.w + u.first * c.gates * c.hidden * c.size, u.product,
        u.room,
    )
    if c.kind == LSTM:
        _lstm_step(c, &u, y)
    elif c.kind == GRU:
        _gru_step(c, &u, y)
    else:
        _plain_step(c, &u, y)
    _block_to_rows(c, &u, y, c.y, c.at, c.hidden, 0)
    _block_to_rows(c, &u, y, c.other_h, 0, c.hidden, 0)


cdef void _plain_step(Recurrent *c, Units *u, char *y) noexcept nogil:
    cdef double zero = 0
    _add_input(c, u, 0, u.product, u.line, y)
    if c.kind == TANH:
        _on_one(&c.tanh, y, y, u.n, c.size)
    else:
        _pass(&c.maximum, y, <char *>&zero, y, u.n, c.size, 0, c.size)


cdef void _lstm_step(Recurrent *c, Units *u, char *y) noexcept nogil:
    cdef char *cells = c.c + c.batch * u.first * c.size
    cdef char *s = u.block[1]
    cdef char *gates[4]
    cdef int gate
    for gate in range(4):
        gates[gate] = _gate(c, u, gate)
        _add_input(c, u, gate, u.product + gate * u.line, 4 * u.line, gates[gate])
        if gate == 2:
            _on_one(&c.tanh, gates[gate], gates[gate], u.n, c.size)
        else:
            _sigmoid(c, gates[gate], u.n)
    _on_both(&c.multiply, gates[1], cells, cells, u.n, c.size)
    _on_both(&c.multiply, gates[0], gates[2], s, u.n, c.size)
    _on_both(&c.add, cells, s, cells, u.n, c.size)
    if c.cells != NULL:
        memcpy(_kept(c, u, c.cells, c.at), cells, u.n * c.size)
        s = _kept(c, u, c.more, c.at)
    _on_one(&c.tanh, cells, s, u.n, c.size)
    _on_both(&c.multiply, gates[3], s, y, u.n, c.size)


cdef void _gru_step(Recurrent *c, Units *u, char *y) noexcept nogil:
    cdef char *new = u.block[1]
    cdef char *of_state = u.product + 2 * u.line
    cdef char *gates[3]
    cdef cnp.npy_intp i
    cdef int gate
    for gate in range(3):
        gates[gate] = _gate(c, u, gate)
    for gate in range(2):
        _add_input(c, u, gate, u.product + gate * u.line, 3 * u.line, gates[gate])
        _sigmoid(c, gates[gate], u.n)
    for i in range(u.rows):
        if c.bias != NULL:
            _on_both(
                &c.add, of_state + 3 * i * u.line, c.bias + u.first * c.size, new + i * u.line, u.count, c.size
            )
        else:
            memcpy(new + i * u.line, of_state + 3 * i * u.line, u.line)
    if c.more != NULL:
        memcpy(_kept(c, u, c.more, c.at), new, u.n * c.size)
    _on_both(&c.multiply, gates[0], new, new, u.n, c.size)
    _add_input(c, u, 2, new, u.line, gates[2])
    _on_one(&c.tanh, gates[2], gates[2], u.n, c.size)
    _rows_to_block(c, u, c.h, 0, 0, u.rows, y)
    _on_both(&c.subtract, y, gates[2], y, u.n, c.size)
    _on_both(&c.multiply, y, gates[1], y, u.n, c.size)
    _on_both(&c.add, y, gates[2], y, u.n, c.size)


# ----- Backward -----


cdef void _before(Recurrent *c, Units *u, char *block) noexcept nogil:
    """Write the cells (LSTM) or states (GRU) before this step: those of the last step, or the initial ones."""
    cdef cnp.npy_intp known = min(c.last_count, u.rows), rest = u.rows - known
    if c.kind == LSTM:
        memcpy(block, _kept(c, u, c.cells, c.last_at), known * u.line)
        memcpy(block + known * u.line, c.c + (c.batch * u.first + known * u.count) * c.size, rest * u.line)
    else:
        _rows_to_block(c, u, c.y, c.last_at, 0, known, block)
        _rows_to_block(c, u, c.h, 0, known, rest, block)


cdef void _sloped(Recurrent *c, Units *u, int gate, char *g, bint is_tanh) noexcept nogil:
    """Multiply the gradient g of a gate with its slope, and write it where it belongs."""
    cdef char *a = _gate(c, u, gate)
    cdef char *slope = u.block[7]
    _on_both(&c.multiply, a, a, slope, u.n, c.size)
    if is_tanh:
        _from_one(c, slope, slope, u.n)
    else:
        _on_both(&c.subtract, a, slope, slope, u.n, c.size)
    _on_both(&c.multiply, g, slope, g, u.n, c.size)
    _block_to_rows(c, u, g, c.gx, c.at, c.gates * c.hidden, gate * c.hidden)


cdef void _lstm_back(Recurrent *c, Units *u, char *gh, char *gc) noexcept nogil:
    cdef char *g = u.block[2]
    cdef char *before = u.block[3]
    cdef char *squashed = _kept(c, u, c.more, c.at)
    _on_both(&c.multiply, squashed, squashed, g, u.n, c.size)
    _from_one(c, g, g, u.n)
    _on_both(&c.multiply, _gate(c, u, 3), gh, before, u.n, c.size)
    _on_both(&c.multiply, before, g, g, u.n, c.size)
    _on_both(&c.add, gc, g, gc, u.n, c.size)
    _before(c, u, before)
    _on_both(&c.multiply, gc, _gate(c, u, 2), g, u.n, c.size)
    _sloped(c, u, 0, g, False)
    _on_both(&c.multiply, gc, before, g, u.n, c.size)
    _sloped(c, u, 1, g, False)
    _on_both(&c.multiply, gc, _gate(c, u, 0), g, u.n, c.size)
    _sloped(c, u, 2, g, True)
    _on_both(&c.multiply, gh, squashed, g, u.n, c.size)
    _sloped(c, u, 3, g, False)
    _on_both(&c.multiply, gc, _gate(c, u, 1), gc, u.n, c.size)


cdef void _gru_back(Recurrent *c, Units *u, char *gh) noexcept nogil:
    cdef char *g = u.block[2]
    cdef char *kept = u.block[3]
    cdef char *new = u.block[4]
    cdef char *r = _gate(c, u, 0)
    cdef cnp.npy_intp width = 3 * c.hidden
    _before(c, u, g)
    _on_both(&c.subtract, g, _gate(c, u, 2), g, u.n, c.size)
    _on_both(&c.multiply, g, gh, g, u.n, c.size)
    _sloped(c, u, 1, g, False)
    _block_to_rows(c, u, g, c.gs, c.at, width, c.hidden)
    _on_both(&c.multiply, gh, _gate(c, u, 1), kept, u.n, c.size)
    _on_both(&c.subtract, gh, kept, new, u.n, c.size)
    memcpy(gh, kept, u.n * c.size)
    _sloped(c, u, 2, new, True)
    _on_both(&c.multiply, new, _kept(c, u, c.more, c.at), g, u.n, c.size)
    _sloped(c, u, 0, g, False)
    _block_to_rows(c, u, g, c.gs, c.at, width, 0)
    _on_both(&c.multiply, new, r, new, u.n, c.size)
    _block_to_rows(c, u, new, c.gs, c.at, width, 2 * c.hidden)


cdef void _plain_back(Recurrent *c, Units *u, char *gh) noexcept nogil:
    cdef char *y = u.block[2]
    cdef char *g = u.block[3]
    cdef cnp.npy_intp i
    _rows_to_block(c, u, c.y, c.at, 0, u.rows, y)
    if c.kind == TANH:
        _on_both(&c.multiply, y, y, g, u.n, c.size)
        _from_one(c, g, g, u.n)
        _on_both(&c.multiply, gh, g, g, u.n, c.size)
    elif c.size == 4:
        for i in range(u.n):
            (<float *>g)[i] = (<float *>gh)[i] if (<float *>y)[i] > 0 else 0
    else:
        for i in range(u.n):
            (<double *>g)[i] = (<double *>gh)[i] if (<double *>y)[i] > 0 else 0
    _block_to_rows(c, u, g, c.gx, c.at, c.hidden, 0)


cdef void _states_back(Recurrent *c, Units *u, char *gh) noexcept nogil:
    """Write, or for GRU add, the gradients of the states that the next step has read."""
    cdef char *out = u.block[2] if c.kind == GRU else gh
    multiply_alone(
        &c.products[2 * c.next_count + (u.count != c.units)], c.gs + c.next_at * c.gates * c.hidden * c.size,
        c.w + u.first * c.size, out, u.room,
    )
    if c.kind == GRU:
        _on_both(&c.add, gh, out, gh, c.next_count * u.count, c.size)


cdef void recurrent_back_part(int worker, long number, void *data) noexcept nogil:
    """Compute the gradients of some units' states after a step, and of their gates."""
    cdef Recurrent *c = <Recurrent *>data
    cdef Units u
    cdef char *gh
    _take_units(c, worker, number, c.count, &u)
    gh = c.gh + c.batch * u.first * c.size
    if c.next_count:
        _states_back(c, &u, gh)
    if not c.count:
        return
    if c.gy != NULL:
        _rows_to_block(c, &u, c.gy, c.at, 0, u.rows, u.block[2])
        _on_both(&c.add, gh, u.block[2], gh, u.n, c.size)
    if c.kind == LSTM:
        _lstm_back(c, &u, gh, c.gc + c.batch * u.first * c.size)
    elif c.kind == GRU:
        _gru_back(c, &u, gh)
    else:
        _plain_back(c, &u, gh)


# ----- Calls -----


cdef void _walk_through(Recurrent *c, pool_part part, int threads) noexcept nogil:
    cdef cnp.npy_intp step
    cdef char *h
    for step in range(c.steps):
        c.at, c.count = c.walk[2 * step], c.walk[2 * step + 1]
        pool_run(part, c.parts, c, threads)
        h = c.h
        c.h = c.other_h
        c.other_h = h


cdef void _walk_back(Recurrent *c, pool_part part, int threads) noexcept nogil:
    cdef cnp.npy_intp step
    c.next_count = 0
    for step in range(c.steps - 1, -2, -1):
        c.count = c.last_count = 0
        if step >= 0:
            c.at, c.count = c.walk[2 * step], c.walk[2 * step + 1]
        if step > 0:
            c.last_at, c.last_count = c.walk[2 * step - 2], c.walk[2 * step - 1]
        pool_run(part, c.parts, c, threads)
        c.next_at, c.next_count = c.at, c.count


cdef bint _take_recurrent(
    Recurrent *c, int kind, tuple arrays, cnp.ndarray rows, cnp.ndarray w, cnp.npy_intp batch, cnp.npy_intp units,
    cnp.ndarray walk,
) except -1:
    """Read what both ways have in common; return whether loops and BLAS may be called for these arrays."""
    cdef int number = cnp.PyArray_TYPE(w)
    if not _has_product_loops or not _are_plain(number, tuple([array for array in arrays if array is not None])):
        return False
    c.add = _add_single if number == cnp.NPY_FLOAT else _add_double
    if not (
        _find_loop(np.subtract, number, &c.subtract) and _find_loop(np.multiply, number, &c.multiply)
        and _find_loop(np.true_divide, number, &c.divide) and _find_loop(np.negative, number, &c.negative)
        and _find_loop(np.exp, number, &c.exp) and _find_loop(np.tanh, number, &c.tanh)
        and _find_loop(np.maximum, number, &c.maximum)
    ):
        return False
    c.kind, c.size = <Recurrence>kind, cnp.PyArray_ITEMSIZE(w)
    c.hidden, c.gates = cnp.PyArray_DIM(w, 1), cnp.PyArray_DIM(w, 0) // cnp.PyArray_DIM(w, 1)
    c.batch, c.units, c.steps = batch, units, cnp.PyArray_DIM(walk, 0)
    c.parts, c.total = _divided_up(c.hidden, units), cnp.PyArray_DIM(rows, 0)
    c.walk = <cnp.npy_intp *>cnp.PyArray_BYTES(walk)
    c.w = cnp.PyArray_BYTES(w)
    return True


cdef inline char *_bytes_of(object array) noexcept:
    return NULL if array is None else cnp.PyArray_BYTES(<cnp.ndarray>array)


cdef bint _run_recurrent(Recurrent *c, bint back, int kind) except -1:
    """Cut the products of a step, for each number of rows that there is, and walk."""
    cdef cnp.npy_intp step, n, last = -1, largest = 0
    cdef int is_last, threads
    cdef Product *p
    memory = bytearray(2 * (c.batch + 1) * sizeof(Product))
    c.products = <Product *><char *>memory
    for step in range(c.steps):
        n = c.walk[2 * step + 1]
        if n == last:
            continue
        last = n
        for is_last in range(2):
            p = &c.products[2 * n + is_last]
            p.m, p.k = n, c.gates * c.hidden if back else c.hidden
            p.n = (1 if back else c.gates) * (c.hidden - (c.parts - 1) * c.units if is_last else c.units)
            p.a.down, p.a.right = p.k * c.size, c.size
            p.out.down, p.out.right = p.n * c.size, c.size
            if back:
                p.b.down, p.b.right = c.hidden * c.size, c.size
            else:
                p.b.down, p.b.right = c.size, c.hidden * c.size
            if not _cut_alone(p, kind, False):
                return False
            largest = max(largest, p.room_size)
    c.room_size = (ROOM_BLOCKS + c.gates) * _round(c.batch * c.units * c.size) + _round(largest)
    n = c.gates * c.hidden * c.batch
    threads = min(<cnp.npy_intp>_threads_for(n * (c.hidden / MULTIPLICATIONS + PASS * PASSES)), c.parts)
    rooms = PyBytes_FromStringAndSize(NULL, threads * c.room_size + 64)
    c.room = _line(rooms)
    with nogil:
        pool_enter()
        if back:
            _walk_back(c, recurrent_back_part, threads)
        else:
            _walk_through(c, recurrent_part, threads)
        pool_leave()
    return True


def recurrent(
    int kind, cnp.ndarray of_input not None, cnp.ndarray w not None, bias, cnp.ndarray h not None, other_h, cells, y,
    gates, all_cells, more, units, cnp.ndarray walk not None,
):
    """Walk through the steps of a recurrent layer, as npg/kernels/recurrent.py does; return whether it was done."""
    cdef Recurrent c
    cdef tuple arrays = (of_input, w, bias, h, other_h, cells, y, gates, all_cells, more)
    if not _take_recurrent(&c, kind, arrays, of_input, w, cnp.PyArray_DIM(h, 0), units, walk):
        return False
    c.of_input, c.bias, c.h, c.other_h = _bytes_of(of_input), _bytes_of(bias), _bytes_of(h), _bytes_of(other_h)
    c.c, c.y, c.x, c.cells, c.more = (
        _bytes_of(cells), _bytes_of(y), _bytes_of(gates), _bytes_of(all_cells), _bytes_of(more)
    )
    return _run_recurrent(&c, False, cnp.PyArray_TYPE(w))


def recurrent_back(
    int kind, gates, cnp.ndarray w not None, gy, gh, gc, cnp.ndarray y not None, cnp.ndarray h not None, cells,
    all_cells, more, gx, gs, units, cnp.ndarray walk not None,
):
    """Walk back through the steps of a recurrent layer; return whether it was done."""
    cdef Recurrent c
    cdef tuple arrays = (gates, w, gy, gh, gc, y, h, cells, all_cells, more, gx, gs)
    if not _take_recurrent(&c, kind, arrays, y, w, cnp.PyArray_DIM(h, 0), units, walk):
        return False
    c.x, c.gy, c.gh, c.gc, c.y, c.h = (
        _bytes_of(gates), _bytes_of(gy), _bytes_of(gh), _bytes_of(gc), _bytes_of(y), _bytes_of(h)
    )
    c.c, c.cells, c.more, c.gx, c.gs = (
        _bytes_of(cells), _bytes_of(all_cells), _bytes_of(more), _bytes_of(gx), _bytes_of(gs)
    )
    return _run_recurrent(&c, True, cnp.PyArray_TYPE(w))
