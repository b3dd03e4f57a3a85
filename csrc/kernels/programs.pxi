# Programs (npg/kernels/programs.py), run by calling NumPy's inner loops block by block; the long ones without the GIL.

# Elements of a block, which has at least one row: five blocks of float32 fit into an L1 cache of 48 kB.
cdef cnp.npy_intp BLOCK = 2048
cdef cnp.npy_intp WITHOUT_GIL = 1 << 15  # elements

cdef double SHARED = 1e6  # bytes of all steps from which threads share a call, some 30 microseconds
cdef int MORE_PARTS = 4

cdef enum: MOST_STEPS = 64
cdef enum: MOST_PLACES = 64


cdef enum OperandShape: NUMBER, ROW, COLUMN, FULL  # of an operand: (), (n,), (rows, 1), (rows, n)

# How a step's loop is called for a block of rows: once over all elements, or over one of each row; for each row by
# itself; as a gufunc's loop over vectors; for each row as a reduction.
cdef enum LoopWay: ELEMENTS, ROW_HEADS, ROWS, DOTS, REDUCTIONS


cdef struct ProgramStep:
    Loop loop
    LoopWay way
    int count  # of operands and result
    int places[3]
    OperandShape shapes[3]


cdef struct Code:
    # A program for one floating dtype. Its places, in this order: inputs, outputs, temporaries, numbers, constants.
    ProgramStep steps[MOST_STEPS]
    OperandShape shapes[MOST_PLACES]  # of inputs and outputs
    int count, inputs, outputs, temporaries, numbers, places, size
    bint on_rows
    double constants[MOST_PLACES]


cdef struct Call:
    # One call of a program: the memory of inputs and outputs, the numbers, elements in a row, rows in a block.
    Code *code
    char *bases[MOST_PLACES]
    double numbers[MOST_PLACES]
    cnp.npy_intp n, height
    # How it is shared: rows, rows of a part, and for each thread the bytes of its temporaries.
    cnp.npy_intp rows, share, room
    char *temporaries


@cython.final
cdef class Compiled:
    """The steps of a program for one floating dtype."""

    cdef Code code

    cdef bint compile(self, program, int kind, int size) except -1:
        """Return whether the program could be compiled."""
        cdef int i
        cdef list constants = []
        cdef ProgramStep *step
        shapes = {"number": NUMBER, "row": ROW, "column": COLUMN, "full": FULL}
        self.code.inputs, self.code.outputs = len(program.inputs), program.outputs
        self.code.temporaries, self.code.on_rows = program.temporaries, program.on_rows
        self.code.numbers, self.code.count, self.code.size = len(program.numbers), len(program.steps), size
        first = {"in": 0, "out": self.code.inputs, "temporary": self.code.inputs + self.code.outputs}
        first["number"] = first["temporary"] + self.code.temporaries
        first["constant"] = first["number"] + self.code.numbers
        if self.code.count > MOST_STEPS:
            return False
        for i, source in enumerate(program.steps):
            step = &self.code.steps[i]
            if not _find_loop(source.ufunc, kind, &step.loop):
                return False
            step.count = len(source.operands) + 1
            for k, place, shape in zip(range(3), [*source.operands, source.place], [*source.shapes, source.shape]):
                kind_of, value = place
                if kind_of == "constant":
                    constants.append(value)
                    value = len(constants) - 1
                step.places[k], step.shapes[k] = first[kind_of] + value, shapes[shape]
            step.way = _way(source)
        self.code.places = first["constant"] + len(constants)
        if self.code.places > MOST_PLACES:
            return False
        for i, shape in enumerate(program.shapes + program.results):
            self.code.shapes[i] = shapes[shape]
        for i in range(len(constants)):
            self.code.constants[i] = constants[i]
        return True


cdef LoopWay _way(source) except *:
    if source.reduces:
        return REDUCTIONS
    if source.ufunc is np.vecdot:
        return DOTS
    if source.shape == "column":
        return ROW_HEADS
    return ROWS if "row" in source.shapes or "column" in source.shapes else ELEMENTS


cdef void _dot(Loop *loop, char *a, char *b, char *out, cnp.npy_intp n, int size) noexcept nogil:
    """Compute an inner product of many numbers in runs, like npg/kernels/sums.py."""
    cdef char *args[3]
    cdef cnp.npy_intp strides[5]
    cdef cnp.npy_intp lengths[2]
    cdef cnp.npy_intp start = 0
    cdef double total = 0
    lengths[0] = 1
    strides[0] = strides[1] = strides[2] = 0
    strides[3] = strides[4] = size
    while start < n:
        args[0], args[1], args[2] = a + start * size, b + start * size, out
        lengths[1] = min(ADDED_IN_A_RUN, n - start)
        npg_check(args[0], 1, 0, lengths[1], size, size)
        npg_check(args[1], 1, 0, lengths[1], size, size)
        npg_check(out, 1, 0, 1, size, size)
        loop.run(args, lengths, strides, loop.data)
        total += (<float *>out)[0] if size == 4 else (<double *>out)[0]
        start += ADDED_IN_A_RUN
    if size == 4:
        (<float *>out)[0] = <float>total
    else:
        (<double *>out)[0] = total


cdef void run_part(int worker, long number, void *data) noexcept nogil:
    """Run a program's steps on a part of the rows, block by block."""
    cdef Call *call = <Call *>data
    cdef Code *code = call.code
    cdef char *places[MOST_PLACES]
    cdef double values[MOST_PLACES]  # of numbers and constants, in the dtype
    cdef double value
    cdef cnp.npy_intp rows, at = number * call.share, stop = min((number + 1) * call.share, call.rows)
    cdef int i, k, fixed = code.inputs + code.outputs
    for i in range(code.temporaries):
        places[fixed + i] = call.temporaries + worker * call.room + i * call.height * call.n * code.size
    for i in range(fixed + code.temporaries, code.places):
        k = i - fixed - code.temporaries
        value = call.numbers[k] if k < code.numbers else code.constants[k - code.numbers]
        places[i] = <char *>&values[i]
        if code.size == 4:
            (<float *>places[i])[0] = <float>value
        else:
            values[i] = value
    while at < stop:
        rows = min(call.height, stop - at)
        for i in range(fixed):
            places[i] = call.bases[i] + at * code.size * _ahead(code.shapes[i], call.n)
        for i in range(code.count):
            run_step(&code.steps[i], places, rows, call.n, code.size)
        at += rows


cdef inline cnp.npy_intp _ahead(OperandShape shape, cnp.npy_intp n) noexcept nogil:
    """Return the distance between the rows of an operand, in elements."""
    return n if shape == FULL else 1 if shape == COLUMN else 0


cdef inline void run_step(ProgramStep *step, char **places, cnp.npy_intp rows, cnp.npy_intp n, int size) noexcept nogil:
    """Run a step on a block."""
    cdef char *args[3]
    cdef cnp.npy_intp strides[5]
    cdef cnp.npy_intp ahead[3]
    cdef cnp.npy_intp lengths[2]
    cdef cnp.npy_intp r
    cdef int k, count = step.count
    cdef OperandShape shape
    for k in range(count):
        shape = step.shapes[k]
        args[k] = places[step.places[k]]
        ahead[k] = size * _ahead(shape, n)
        strides[k] = size if shape == FULL or shape == ROW else 0
    if step.way == ELEMENTS:
        _elementwise(&step.loop, args, rows * n, strides)
    elif step.way == ROW_HEADS:
        _elementwise(&step.loop, args, rows, ahead)
    elif step.way == DOTS:
        if n >= 2 * ADDED_IN_A_RUN:
            for r in range(rows):
                _dot(&step.loop, args[0] + r * ahead[0], args[1] + r * ahead[1], args[2] + r * ahead[2], n, size)
            return
        lengths[0], lengths[1] = rows, n
        for k in range(3):
            strides[k] = ahead[k]
        strides[3] = strides[4] = size
        npg_check(args[0], rows, ahead[0], n, size, size)
        npg_check(args[1], rows, ahead[1], n, size, size)
        npg_check(args[2], 1, 0, rows, ahead[2], size)
        step.loop.run(args, lengths, strides, step.loop.data)
    elif step.way == ROWS:
        for r in range(rows):
            _elementwise(&step.loop, args, n, strides)
            for k in range(count):
                args[k] += ahead[k]
    else:
        for r in range(rows):
            _reduce(&step.loop, args[0] + r * ahead[0], args[1] + r * ahead[1], n, size)


@cython.final
cdef class _Runner:
    """Runner of a program for arrays of either dtype; called like Program._run."""

    cdef object program
    cdef Compiled single, double
    cdef tuple numbers, over  # their names; for each result the index of the input that it replaces, or None

    def __call__(self, tuple arrays, dict numbers, tuple out):
        cdef cnp.ndarray first = <cnp.ndarray?>arrays[0], array
        cdef Code *code
        cdef Call call
        cdef cnp.npy_intp rows, n, expected, blocks, parts
        cdef int i, kind = cnp.PyArray_TYPE(first), threads = 1
        cdef list results = None
        cdef object result = None
        if kind == cnp.NPY_FLOAT:
            code = &self.single.code
        elif kind == cnp.NPY_DOUBLE:
            code = &self.double.code
        else:
            return self.program._run(arrays, numbers, out)
        n = cnp.PyArray_DIM(first, cnp.PyArray_NDIM(first) - 1) if code.on_rows else 1
        rows = cnp.PyArray_SIZE(first) // max(n, 1)
        call.code, call.n, call.height = code, n, max(1, BLOCK // max(n, 1))
        if code.outputs > 1:
            results = []
        for i in range(code.inputs + code.outputs):
            if i < code.inputs:
                result = arrays[i]
            else:
                result = self._result(i - code.inputs, arrays, out, rows)
                if results is not None:
                    results.append(result)
            array = <cnp.ndarray?>result
            expected = rows if code.shapes[i] == COLUMN else n if code.shapes[i] == ROW else rows * n
            if (
                cnp.PyArray_TYPE(array) != kind or not is_plain(array) or cnp.PyArray_SIZE(array) != expected
                or (i >= code.inputs and not cnp.PyArray_ISWRITEABLE(array))
            ):
                return self.program._run(arrays, numbers, out)
            call.bases[i] = cnp.PyArray_BYTES(array)
        for i in range(code.numbers):
            call.numbers[i] = numbers[self.numbers[i]]
        blocks = (rows + call.height - 1) // call.height
        if rows * n * code.count * code.size > SHARED:
            threads = min(<cnp.npy_intp>_threads_for(2 * WORTH), blocks)
        # Rows are independent, so the number of threads may decide the parts: a few more than there are threads.
        parts = min(blocks, threads * MORE_PARTS) if threads > 1 else 1
        call.rows, call.share = rows, (blocks + parts - 1) // max(parts, 1) * call.height
        call.room = code.temporaries * call.height * n * code.size
        memory = PyBytes_FromStringAndSize(NULL, threads * call.room + 64)
        call.temporaries = _line(memory)
        if parts == 1 and rows * n < WITHOUT_GIL:
            run_part(0, 0, &call)
        else:
            with nogil:
                pool_enter()
                pool_run(run_part, parts, &call, threads)
                pool_leave()
        return result if results is None else tuple(results)

    cdef object _result(self, int k, tuple arrays, tuple out, cnp.npy_intp rows):
        """Return the array for result k."""
        cdef cnp.ndarray first = <cnp.ndarray>arrays[0]
        cdef cnp.npy_intp shape[2]
        cdef int kind = cnp.PyArray_TYPE(first)
        if self.over[k] is not None:
            return arrays[self.over[k]]
        if out is not None and out[k] is not None:
            return out[k]
        if self.single.code.shapes[self.single.code.inputs + k] == COLUMN:
            shape[0], shape[1] = rows, 1
            return cnp.PyArray_EMPTY(2, shape, kind, 0)
        return cnp.PyArray_EMPTY(cnp.PyArray_NDIM(first), cnp.PyArray_DIMS(first), kind, 0)


def compile_steps(program):
    """Return a runner for a program, or None where NumPy lacks a loop for it."""
    cdef Compiled single = Compiled.__new__(Compiled), double = Compiled.__new__(Compiled)
    cdef _Runner runner
    if single.compile(program, cnp.NPY_FLOAT, 4) and double.compile(program, cnp.NPY_DOUBLE, 8):
        runner = _Runner.__new__(_Runner)
        runner.program, runner.single, runner.double = program, single, double
        runner.numbers, runner.over = tuple(program.numbers), tuple(program.over)
        return runner
    return None
