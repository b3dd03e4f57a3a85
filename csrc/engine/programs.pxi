# Programs (npg/ops/_program.py), run by calling NumPy's inner loops block by block; without the GIL where it is long.

# Elements a block: five blocks of float32 fit into a first cache of 48 kB.
cdef cnp.npy_intp BLOCK = 2048
cdef cnp.npy_intp WITHOUT_GIL = 1 << 15  # elements
cdef double NANOSECONDS = 0.015  # that a step takes for a byte, about

cdef enum: MOST_STEPS = 64
cdef enum: MOST_PLACES = 64


ctypedef void (*InnerLoop)(char **args, cnp.npy_intp *n, cnp.npy_intp *steps, void *data) noexcept nogil

cdef struct Step:
    InnerLoop loop
    void *data
    int left, right, out  # numbers of places; right -1: one operand


cdef bint _find_loop(object ufunc, int kind, Step *step) except -1:
    """Find the loop of a ufunc whose operands and result are all of one type."""
    cdef cnp.ufunc u = <cnp.ufunc?>ufunc
    cdef int i, k
    cdef bint fits
    for i in range(u.ntypes):
        fits = True
        for k in range(u.nargs):
            fits = fits and u.types[i * u.nargs + k] == kind
        if fits:
            step.loop, step.data = <InnerLoop>u.functions[i], u.data[i]
            return step.loop != NULL
    return False


@cython.final
cdef class Compiled:
    """A program's steps for one floating dtype.

    Its places, in this order: inputs, outputs, temporaries, numbers, constants.
    """

    cdef Step steps[MOST_STEPS]
    cdef int count, inputs, outputs, temporaries, numbers, places, size
    cdef double constants[MOST_PLACES]
    cdef long long bits[MOST_PLACES]
    cdef bint is_bits[MOST_PLACES]

    cdef bint compile(self, program, int kind, int integer, int size) except -1:
        """Return whether the program could be compiled."""
        cdef int i
        cdef list constants = []
        self.inputs, self.outputs, self.temporaries = len(program.inputs), program.outputs, program.temporaries
        self.numbers, self.count, self.size = len(program.numbers), len(program.steps), size
        first = {"in": 0, "out": self.inputs, "temporary": self.inputs + self.outputs}
        first["number"] = first["temporary"] + self.temporaries
        first["constant"] = first["number"] + self.numbers
        if self.count > MOST_STEPS:
            return False
        for i, (ufunc, operands, place, bits) in enumerate(program.steps):
            if not _find_loop(ufunc, integer if bits else kind, &self.steps[i]):
                return False
            numbers = []
            for kind_of, value in operands:
                if kind_of == "constant":
                    constants.append((value, bits))
                    value = len(constants) - 1
                numbers.append(first[kind_of] + value)
            self.steps[i].left = numbers[0]
            self.steps[i].right = numbers[1] if len(numbers) > 1 else -1
            self.steps[i].out = first[place[0]] + place[1]
        self.places = first["constant"] + len(constants)
        if self.places > MOST_PLACES:
            return False
        for i in range(len(constants)):
            value, bits = constants[i]
            self.is_bits[i] = bits
            if bits:
                self.bits[i] = value
            else:
                self.constants[i] = value
        return True

    cdef int run(
        self, char **bases, double *numbers, char *temporary, cnp.npy_intp start, cnp.npy_intp stop
    ) noexcept nogil:
        """Run on the elements from start to stop.

        Args:
            bases: the memory of the inputs and outputs.
            temporary: room for the temporaries' blocks.
        """
        cdef char *places[MOST_PLACES]
        cdef cnp.npy_intp strides[MOST_PLACES]
        cdef double values[MOST_PLACES]  # of numbers and constants, in the dtype
        cdef char *args[3]
        cdef cnp.npy_intp steps[3]
        cdef cnp.npy_intp n, at
        cdef int i, k, fixed = self.inputs + self.outputs
        cdef Step *step
        for i in range(self.temporaries):
            places[fixed + i] = temporary + i * BLOCK * self.size
        for i in range(fixed + self.temporaries):
            strides[i] = self.size
        for i in range(fixed + self.temporaries, self.places):
            k = i - fixed - self.temporaries
            strides[i] = 0
            places[i] = <char *>&values[i]
            if k < self.numbers:
                if self.size == 4:
                    (<float *>places[i])[0] = <float>numbers[k]
                else:
                    values[i] = numbers[k]
                continue
            k -= self.numbers
            if self.is_bits[k]:
                if self.size == 4:
                    (<int *>places[i])[0] = <int>self.bits[k]
                else:
                    (<long long *>places[i])[0] = self.bits[k]
            elif self.size == 4:
                (<float *>places[i])[0] = <float>self.constants[k]
            else:
                values[i] = self.constants[k]
        at = start
        while at < stop:
            n = BLOCK if stop - at > BLOCK else stop - at
            for i in range(fixed):
                places[i] = bases[i] + at * self.size
            for i in range(self.count):
                step = &self.steps[i]
                args[0] = places[step.left]
                steps[0] = strides[step.left]
                k = 1
                if step.right >= 0:
                    args[1] = places[step.right]
                    steps[1] = strides[step.right]
                    k = 2
                args[k] = places[step.out]
                steps[k] = self.size
                step.loop(args, &n, steps, step.data)
            at += n
        return 0


@cython.final
cdef class Job:
    """One call of a program, of which threads may run parts."""

    cdef Compiled compiled
    cdef char *bases[MOST_PLACES]
    cdef double values[MOST_PLACES]

    def __call__(self, cnp.npy_intp start, cnp.npy_intp stop):
        cdef Compiled compiled = self.compiled
        room = PyBytes_FromStringAndSize(NULL, compiled.temporaries * BLOCK * compiled.size + 64)
        cdef char *temporary = PyBytes_AS_STRING(room)
        temporary += 64 - <size_t>temporary % 64
        if stop - start < WITHOUT_GIL:
            compiled.run(self.bases, self.values, temporary, start, stop)
        else:
            with nogil:
                compiled.run(self.bases, self.values, temporary, start, stop)


class _Runner:
    """Runs a program on arrays of either dtype; called like Program._run."""

    def __init__(self, program, Compiled single, Compiled double):
        self.program, self.single, self.double = program, single, double

    def __call__(self, tuple arrays, list numbers, tuple out):
        cdef cnp.ndarray array = <cnp.ndarray?>arrays[0]
        cdef Compiled compiled
        cdef Job job
        cdef cnp.npy_intp n = cnp.PyArray_SIZE(array)
        cdef int i, kind = cnp.PyArray_TYPE(array)
        if kind == cnp.NPY_FLOAT:
            compiled = <Compiled>self.single
        elif kind == cnp.NPY_DOUBLE:
            compiled = <Compiled>self.double
        else:
            return self.program._run(arrays, numbers, out)
        job = Job.__new__(Job)
        job.compiled = compiled
        for i, a in enumerate(arrays + out):
            array = <cnp.ndarray?>a
            if (
                cnp.PyArray_TYPE(array) != kind or not _is_plain(array) or cnp.PyArray_SIZE(array) != n
                or (i >= compiled.inputs and not cnp.PyArray_ISWRITEABLE(array))
            ):
                return self.program._run(arrays, numbers, out)
            job.bases[i] = cnp.PyArray_BYTES(array)
        for i in range(compiled.numbers):
            job.values[i] = numbers[i]
        if n < WITHOUT_GIL:
            job(0, n)
        else:
            split(n, job, n * compiled.count * NANOSECONDS * compiled.size, BLOCK)


def compile_steps(program):
    """Return what runs a program, or None where NumPy lacks a loop for it."""
    cdef Compiled single = Compiled.__new__(Compiled), double = Compiled.__new__(Compiled)
    if single.compile(program, cnp.NPY_FLOAT, np.dtype(np.int32).num, 4) and double.compile(
        program, cnp.NPY_DOUBLE, np.dtype(np.int64).num, 8
    ):
        return _Runner(program, single, double)
    return None


accelerate(compile_steps)
