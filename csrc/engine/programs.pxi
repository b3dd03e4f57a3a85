# Programs (npg/ops/_program.py), run by calling NumPy's inner loops block by block; without the GIL where it is long.

# Elements a block: five blocks of float32 fit into a first cache of 48 kB.
cdef cnp.npy_intp BLOCK = 2048
cdef cnp.npy_intp WITHOUT_GIL = 1 << 15  # elements

cdef double SHARED = 2e6  # bytes of all steps from which threads share a call, some 30 microseconds

cdef enum: MOST_PARTS = 64
cdef enum: MOST_STEPS = 64
cdef enum: MOST_PLACES = 64


cdef extern from "engine/pool.h":
    ctypedef void (*pool_part)(int number, void *data, int more) noexcept nogil
    void pool_run(pool_part part, int count, size_t size, void *data, int more, bint blocking) noexcept nogil
    size_t pool_callback()
    bint pool_is_available()


cdef struct Step:
    Loop loop
    int left, right, out  # numbers of places; right -1: one operand


cdef struct Code:
    # A program for one floating dtype. Its places, in this order: inputs, outputs, temporaries, numbers, constants.
    Step steps[MOST_STEPS]
    int count, inputs, outputs, temporaries, numbers, places, size
    double constants[MOST_PLACES]
    long long bits[MOST_PLACES]
    bint is_bits[MOST_PLACES]


cdef struct Call:
    # One call of a program: the memory of inputs and outputs, the numbers.
    Code *code
    char *bases[MOST_PLACES]
    double numbers[MOST_PLACES]


cdef struct Part:
    # The elements of a call that one thread computes, and room for its temporaries.
    Call *call
    char *temporary
    cnp.npy_intp start, stop


@cython.final
cdef class Compiled:
    """A program's steps for one floating dtype."""

    cdef Code code

    cdef bint compile(self, program, int kind, int integer, int size) except -1:
        """Return whether the program could be compiled."""
        cdef int i
        cdef list constants = []
        self.code.inputs, self.code.outputs = len(program.inputs), program.outputs
        self.code.temporaries = program.temporaries
        self.code.numbers, self.code.count, self.code.size = len(program.numbers), len(program.steps), size
        first = {"in": 0, "out": self.code.inputs, "temporary": self.code.inputs + self.code.outputs}
        first["number"] = first["temporary"] + self.code.temporaries
        first["constant"] = first["number"] + self.code.numbers
        if self.code.count > MOST_STEPS:
            return False
        for i, (ufunc, operands, place, bits) in enumerate(program.steps):
            if not _find_loop(ufunc, integer if bits else kind, &self.code.steps[i].loop):
                return False
            numbers = []
            for kind_of, value in operands:
                if kind_of == "constant":
                    constants.append((value, bits))
                    value = len(constants) - 1
                numbers.append(first[kind_of] + value)
            self.code.steps[i].left = numbers[0]
            self.code.steps[i].right = numbers[1] if len(numbers) > 1 else -1
            self.code.steps[i].out = first[place[0]] + place[1]
        self.code.places = first["constant"] + len(constants)
        if self.code.places > MOST_PLACES:
            return False
        for i in range(len(constants)):
            value, bits = constants[i]
            self.code.is_bits[i] = bits
            if bits:
                self.code.bits[i] = value
            else:
                self.code.constants[i] = value
        return True


cdef void run_part(int number, void *data, int more) noexcept nogil:
    """Run the steps of a Part, block by block."""
    cdef Part *part = <Part *>data
    cdef Call *call = part.call
    cdef Code *code = call.code
    cdef char *places[MOST_PLACES]
    cdef cnp.npy_intp strides[MOST_PLACES]
    cdef double values[MOST_PLACES]  # of numbers and constants, in the dtype
    cdef char *args[3]
    cdef cnp.npy_intp steps[3]
    cdef cnp.npy_intp n, at = part.start
    cdef int i, k, fixed = code.inputs + code.outputs
    cdef Step *step
    for i in range(code.temporaries):
        places[fixed + i] = part.temporary + i * BLOCK * code.size
    for i in range(fixed + code.temporaries):
        strides[i] = code.size
    for i in range(fixed + code.temporaries, code.places):
        k = i - fixed - code.temporaries
        strides[i] = 0
        places[i] = <char *>&values[i]
        if k < code.numbers:
            if code.size == 4:
                (<float *>places[i])[0] = <float>call.numbers[k]
            else:
                values[i] = call.numbers[k]
            continue
        k -= code.numbers
        if code.is_bits[k]:
            if code.size == 4:
                (<int *>places[i])[0] = <int>code.bits[k]
            else:
                (<long long *>places[i])[0] = code.bits[k]
        elif code.size == 4:
            (<float *>places[i])[0] = <float>code.constants[k]
        else:
            values[i] = code.constants[k]
    while at < part.stop:
        n = BLOCK if part.stop - at > BLOCK else part.stop - at
        for i in range(fixed):
            places[i] = call.bases[i] + at * code.size
        for i in range(code.count):
            step = &code.steps[i]
            args[0] = places[step.left]
            steps[0] = strides[step.left]
            k = 1
            if step.right >= 0:
                args[1] = places[step.right]
                steps[1] = strides[step.right]
                k = 2
            args[k] = places[step.out]
            steps[k] = code.size
            step.loop.run(args, &n, steps, step.loop.data)
        at += n


class _Runner:
    """Runs a program on arrays of either dtype; called like Program._run."""

    def __init__(self, program, Compiled single, Compiled double):
        self.program, self.single, self.double = program, single, double

    def __call__(self, tuple arrays, list numbers, tuple out):
        cdef cnp.ndarray array = <cnp.ndarray?>arrays[0]
        cdef Code *code
        cdef Call call
        cdef Part parts[MOST_PARTS]
        cdef cnp.npy_intp n = cnp.PyArray_SIZE(array), size
        cdef Py_ssize_t room
        cdef int i, kind = cnp.PyArray_TYPE(array), count = 1
        cdef char *temporary
        if kind == cnp.NPY_FLOAT:
            code = &(<Compiled>self.single).code
        elif kind == cnp.NPY_DOUBLE:
            code = &(<Compiled>self.double).code
        else:
            return self.program._run(arrays, numbers, out)
        call.code = code
        for i, a in enumerate(arrays + out):
            array = <cnp.ndarray?>a
            if (
                cnp.PyArray_TYPE(array) != kind or not _is_plain(array) or cnp.PyArray_SIZE(array) != n
                or (i >= code.inputs and not cnp.PyArray_ISWRITEABLE(array))
            ):
                return self.program._run(arrays, numbers, out)
            call.bases[i] = cnp.PyArray_BYTES(array)
        for i in range(code.numbers):
            call.numbers[i] = numbers[i]
        if n * code.count * code.size > SHARED:
            count = min(limit(), MOST_PARTS, (n + BLOCK - 1) // BLOCK)
        room = code.temporaries * BLOCK * code.size  # of one part
        memory = PyBytes_FromStringAndSize(NULL, count * room + 64)
        temporary = PyBytes_AS_STRING(memory)
        temporary += 64 - <size_t>temporary % 64
        size = ((n + BLOCK - 1) // BLOCK + count - 1) // count * BLOCK
        for i in range(count):
            parts[i].call = &call
            parts[i].temporary = temporary + i * room
            parts[i].start = min(i * size, n)
            parts[i].stop = min((i + 1) * size, n)
        if n < WITHOUT_GIL and count == 1:
            run_part(0, &parts[0], 0)
        else:
            with nogil:
                pool_run(run_part, count, sizeof(Part), parts, 0, False)


def compile_steps(program):
    """Return what runs a program, or None where NumPy lacks a loop for it."""
    cdef Compiled single = Compiled.__new__(Compiled), double = Compiled.__new__(Compiled)
    if single.compile(program, cnp.NPY_FLOAT, np.dtype(np.int32).num, 4) and double.compile(
        program, cnp.NPY_DOUBLE, np.dtype(np.int64).num, 8
    ):
        return _Runner(program, single, double)
    return None


accelerate(compile_steps)


def _take_products():
    """Have OpenBLAS hand the parts of its products to the pool."""
    cdef object callback
    if not pool_is_available() or os.environ.get("NPG_POOL", "1") == "0":
        return
    callback = _openblas.function("set_threads_callback_function")
    if callback is not None:
        callback.argtypes, callback.restype = [ctypes.c_void_p], None
        callback(pool_callback())
        products_handed_over()


_take_products()
