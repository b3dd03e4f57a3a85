# NumPy's inner loops, called directly on small arrays.
#
# A ufunc spends half a microsecond on finding out what it was given; its loop over sixteen numbers takes ten
# nanoseconds. Where the operands are known to be plain (one floating dtype, one shape, contiguous), that loop can be
# called without the search: the same machine code on the same numbers, so the same bits. Everything else: the ufunc.

# Up to here the time that is saved can be seen; beyond, the ufunc itself does better, for it lets other threads run.
cdef cnp.npy_intp SMALL = 2048

# Numbers, or rows, that are added one after the other; elements of an inner product.
cdef cnp.npy_intp ADDED_SINGLY = _sums.ADDED_SINGLY, ADDED_IN_A_RUN = _sums.ADDED_IN_A_RUN

# The largest integer up to which a Python int is a double exactly.
cdef long long EXACT = 1 << 53


cdef extern from "engine/checked.h":
    # Nothing, but in the build with sanitizers.
    void npg_check(
        char *start, cnp.npy_intp rows, cnp.npy_intp down, cnp.npy_intp n, cnp.npy_intp right, cnp.npy_intp size
    ) noexcept nogil
    bint NPG_CHECKED


cdef struct Loop:
    # A ufunc's loop for one type, with the data that it is called with, its arguments and the bytes of a number.
    InnerLoop run
    void *data
    int count, size


@cython.final
cdef class Loops:
    """The loops of a ufunc for float32 and float64."""

    cdef int nin
    cdef Loop single, double


cdef bint _find_loop(object ufunc, int kind, Loop *loop) except -1:
    """Find the loop of a ufunc whose operands and result are all of one type."""
    cdef PyUFuncObject *u = <PyUFuncObject *>ufunc
    cdef int i, k
    cdef bint fits
    for i in range(u.ntypes):
        fits = True
        for k in range(u.nargs):
            fits = fits and u.types[i * u.nargs + k] == kind
        if fits:  # the first that fits is the one that the ufunc runs; later ones of the same types are older code
            loop.run, loop.data = <InnerLoop>u.functions[i], u.data[i]
            loop.count, loop.size = u.nargs, 4 if kind == cnp.NPY_FLOAT else 8
            return loop.run != NULL
    return False


cdef inline void _elementwise(Loop *loop, char **args, cnp.npy_intp n, cnp.npy_intp *steps) noexcept nogil:
    """Run an elementwise loop over n numbers."""
    cdef int k
    for k in range(loop.count):
        npg_check(args[k], 1, 0, n, steps[k], loop.size)
    loop.run(args, &n, steps, loop.data)


cdef inline char *_line(bytes memory) noexcept:
    """Return where a line of the cache begins in a buffer, which has 64 bytes more for that."""
    cdef char *start = PyBytes_AS_STRING(memory)
    return start + 64 - (0 if NPG_CHECKED else <size_t>start % 64)  # checked, the buffer ends where its room does


cdef inline void _pass(
    Loop *loop, char *a, char *b, char *out, cnp.npy_intp n, cnp.npy_intp a_step, cnp.npy_intp b_step,
    cnp.npy_intp out_step,
) noexcept nogil:
    """Run an elementwise loop of two inputs."""
    cdef char *args[3]
    cdef cnp.npy_intp steps[3]
    args[0], args[1], args[2] = a, b, out
    steps[0], steps[1], steps[2] = a_step, b_step, out_step
    _elementwise(loop, args, n, steps)


cdef inline void _reduce(Loop *loop, char *x, char *out, cnp.npy_intp n, int size) noexcept nogil:
    """Reduce n > 0 contiguous numbers as the ufunc's reduce: the others come to the first."""
    memcpy(out, x, size)
    _pass(loop, out, x + size, out, n - 1, 0, size, 0)


cdef dict _loops_of = {}  # by ufunc


cdef Loops _loops(object ufunc):
    """Return the loops of a ufunc of one or two inputs and one output, or None."""
    cdef Loops loops = None
    if not isinstance(ufunc, np.ufunc):
        return None
    if ufunc in _loops_of:
        return _loops_of[ufunc]
    if ufunc.nout == 1 and ufunc.nin <= 2:
        loops = Loops.__new__(Loops)
        loops.nin = ufunc.nin
        if not (
            _find_loop(ufunc, cnp.NPY_FLOAT, &loops.single) and _find_loop(ufunc, cnp.NPY_DOUBLE, &loops.double)
        ):
            loops = None
    _loops_of[ufunc] = loops
    return loops


cdef inline bint _is_plain(cnp.ndarray array) noexcept:
    """Tell whether a loop may run over an array: contiguous, aligned, in the machine's byte order."""
    return cnp.PyArray_ISCARRAY_RO(array) and cnp.PyArray_ISNOTSWAPPED(array)


cdef inline bint _read_number(object x, double *value) except -1:
    """Read a Python number that NumPy would take in the dtype of the array beside it."""
    cdef long long i
    cdef int overflow = 0
    if type(x) is float:
        value[0] = <double>x
        return True
    if type(x) is not int:
        return False
    i = PyLong_AsLongLongAndOverflow(x, &overflow)
    value[0] = <double>i
    return not overflow and -EXACT <= i <= EXACT


cdef cnp.ndarray _run_loop(Loops loops, object a, object b, cnp.ndarray out):
    """Return ufunc(a, b), or ufunc(a) where it has one input; or None where the ufunc must be asked.

    Args:
        a, b: arrays, or one of them a number.
        out: where to write; None for a new array.
    """
    cdef cnp.ndarray like, x
    cdef cnp.npy_intp n, size
    cdef cnp.npy_intp steps[3]
    cdef char *args[3]
    cdef float singles[2]
    cdef double doubles[2]
    cdef int kind, i, count = loops.nin
    cdef object operand
    # The operand that gives the result's shape: an array, and not the 0-d one beside a larger one.
    if isinstance(a, cnp.ndarray) and (
        cnp.PyArray_NDIM(<cnp.ndarray>a) or not isinstance(b, cnp.ndarray) or not cnp.PyArray_NDIM(<cnp.ndarray>b)
    ):
        like = <cnp.ndarray>a
    elif isinstance(b, cnp.ndarray):
        like = <cnp.ndarray>b
    else:
        return None
    n = cnp.PyArray_SIZE(like)
    kind = cnp.PyArray_TYPE(like)
    if n > SMALL or not _is_plain(like) or not (kind == cnp.NPY_FLOAT or kind == cnp.NPY_DOUBLE):
        return None
    size = 4 if kind == cnp.NPY_FLOAT else 8
    for i in range(count):
        operand = a if i == 0 else b
        if operand is like:
            args[i] = cnp.PyArray_BYTES(like)
            steps[i] = size
        elif isinstance(operand, cnp.ndarray):
            x = <cnp.ndarray>operand
            if cnp.PyArray_TYPE(x) != kind or not _is_plain(x):
                return None
            args[i] = cnp.PyArray_BYTES(x)
            if _same_shape(x, like):
                steps[i] = size
            elif cnp.PyArray_NDIM(x) == 0:
                steps[i] = 0
            else:
                return None
        else:
            if not _read_number(operand, &doubles[i]):
                return None
            singles[i] = <float>doubles[i]  # inf beyond float32, as NumPy
            args[i] = <char *>&singles[i] if kind == cnp.NPY_FLOAT else <char *>&doubles[i]
            steps[i] = 0
    if out is None:
        out = <cnp.ndarray>cnp.PyArray_EMPTY(cnp.PyArray_NDIM(like), cnp.PyArray_DIMS(like), kind, 0)
    elif (
        cnp.PyArray_TYPE(out) != kind or not cnp.PyArray_ISCARRAY(out) or not cnp.PyArray_ISNOTSWAPPED(out)
        or not _same_shape(out, like)
    ):
        return None
    args[count] = cnp.PyArray_BYTES(out)
    steps[count] = size
    if kind == cnp.NPY_FLOAT:
        _elementwise(&loops.single, args, n, steps)
    else:
        _elementwise(&loops.double, args, n, steps)
    return out


# ----- Rules as loops -----
#
# Most rules of elementwise ops are one or two ufuncs, such as `g * b`. Run once on probes that note what is done with
# them, such a rule gives the list of its steps, which then runs without a Python frame.

cdef int CONSTANT = 32, RESULT = 16  # places: 0 is g, 1 is y, 2 and on the inputs; RESULT + k what step k gave


@cython.final
cdef class RuleSteps:
    """A rule as a list of loops."""

    cdef int count, result
    cdef list loops, constants
    cdef int left[8]
    cdef int right[8]  # -1: a step of one input

    cdef inline object _value(self, int place, object g, object y, tuple inputs, list results):
        if place >= CONSTANT:
            return self.constants[place - CONSTANT]
        if place >= RESULT:
            return results[place - RESULT]
        return g if place == 0 else y if place == 1 else _value(inputs[place - 2])

    cdef object run(self, object g, object y, tuple inputs):
        """Return the rule's gradient, or None where the rule itself must be asked."""
        cdef list results = None
        cdef object found, right
        cdef int i
        if self.count == 0:
            return g
        if self.count > 1:
            results = []
        for i in range(self.count):
            right = None if self.right[i] < 0 else self._value(self.right[i], g, y, inputs, results)
            found = _run_loop(
                <Loops>self.loops[i], self._value(self.left[i], g, y, inputs, results), right, None
            )
            if found is None:
                return None
            if results is not None:
                results.append(found)
        return found


cdef int _number(object probe) except -1:
    kind, number = probe.place
    return number if kind == "in" else RESULT + number


cdef RuleSteps _read_rule(object rule, int arity):
    """Return a rule's steps, or None for one that is more than ufuncs of its arguments."""
    cdef RuleSteps steps
    cdef list noted = []
    cdef int i, k
    code = getattr(rule, "__code__", None)
    # Names beside NumPy's could lead anywhere, to something that looks at shapes or types.
    if code is None or code.co_freevars or code.co_kwonlyargcount or not all(
        [name == "np" or isinstance(getattr(np, name, None), np.ufunc) for name in code.co_names]
    ):
        return None
    try:
        result = rule(*[Probe(noted, ("in", i)) for i in range(2 + arity)])
    except Exception:
        return None
    if not isinstance(result, Probe) or len(noted) > 8:
        return None
    steps = RuleSteps.__new__(RuleSteps)
    steps.count, steps.loops, steps.constants = len(noted), [], []
    for i in range(steps.count):
        step = noted[i]
        operands, loops = step.inputs, _loops(step.ufunc)
        if loops is None or step.shape != "full":
            return None
        steps.loops.append(loops)
        steps.right[i] = -1
        for k in range(len(operands)):
            if isinstance(operands[k], Probe):
                place = _number(operands[k])
            elif type(operands[k]) is float or type(operands[k]) is int:
                place = CONSTANT + len(steps.constants)
                steps.constants.append(operands[k])
            else:
                return None
            if k == 0:
                steps.left[i] = place
            else:
                steps.right[i] = place
    steps.result = _number(result)
    # What comes out must be what the last step gave, or with no step g itself.
    if steps.result != (RESULT + steps.count - 1 if steps.count else 0):
        return None
    return steps
