# NumPy's inner loops, called directly on small arrays.
#
# A ufunc spends half a microsecond on inspecting its arguments; its loop over sixteen numbers takes ten nanoseconds.
# Where the operands are known to be plain (one floating dtype, one shape, contiguous), that loop can be called
# directly: the same machine code on the same numbers, so the same bits. Everything else goes to the ufunc.

# Elements up to which the time saved matters; beyond, the ufunc is better, because it releases the GIL.
cdef cnp.npy_intp SMALL = 2048

# Numbers or rows that are added one after the other; elements of an inner product.
cdef cnp.npy_intp ADDED_SINGLY = limits.ADDED_SINGLY, ADDED_IN_A_RUN = limits.ADDED_IN_A_RUN

# The largest integer up to which a Python int is a double exactly.
cdef long long EXACT = 1 << 53


cdef extern from "kernels/checked.h":
    # Does nothing except in the build with sanitizers.
    void npg_check(
        char *start, cnp.npy_intp rows, cnp.npy_intp down, cnp.npy_intp n, cnp.npy_intp right, cnp.npy_intp size
    ) noexcept nogil
    bint NPG_CHECKED


@cython.final
cdef class Loops:
    """The loops of a ufunc for float32 and float64."""


cdef bint _find_loop(object ufunc, int kind, Loop *loop) except -1:
    """Find the loop of a ufunc whose operands and result are all of one type."""
    cdef PyUFuncObject *u = <PyUFuncObject *>ufunc
    cdef int i, k
    cdef bint fits
    for i in range(u.ntypes):
        fits = True
        for k in range(u.nargs):
            fits = fits and u.types[i * u.nargs + k] == kind
        if fits:  # the first that fits is the one that the ufunc runs; later ones of the same types are legacy code
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
    """Return the start of the first cache line in a buffer, which has 64 spare bytes for that."""
    cdef char *start = PyBytes_AS_STRING(memory)
    return start + 64 - (0 if NPG_CHECKED else <size_t>start % 64)  # with checks: use the buffer to its last byte


cdef inline cnp.npy_intp _divided_up(cnp.npy_intp n, cnp.npy_intp size) noexcept nogil:
    """Return into how many parts of this size n is cut, the last one smaller."""
    return (n + size - 1) // size


cdef inline cnp.npy_intp _round(cnp.npy_intp size) noexcept nogil:
    """Return a number of bytes rounded up to whole cache lines."""
    return (size + 63) // 64 * 64


cdef inline bint _are_plain(int kind, tuple arrays) except -1:
    """Tell whether loops may run over arrays: all of one dtype, float32 or float64."""
    if not (kind == cnp.NPY_FLOAT or kind == cnp.NPY_DOUBLE):
        return False
    for x in arrays:
        if cnp.PyArray_TYPE(<cnp.ndarray>x) != kind or not is_plain(<cnp.ndarray>x):
            return False
    return True


cdef int _run_parts(
    pool_part part, cnp.npy_intp count, void *data, double nanoseconds, char **room, cnp.npy_intp size
) except -1:
    """Run the parts of a job, in threads where that pays; each has `size` bytes of scratch memory, from *room on."""
    cdef int threads = min(<cnp.npy_intp>_threads_for(nanoseconds), count)
    cdef cnp.npy_intp shape[1]
    shape[0] = threads * size + 64
    memory = cnp.PyArray_EMPTY(1, shape, cnp.NPY_UINT8, 0)  # from memory that is kept, while an op runs
    room[0] = cnp.PyArray_BYTES(<cnp.ndarray>memory)
    room[0] += 0 if NPG_CHECKED else 64 - <size_t>room[0] % 64  # with checks: use the memory to its last byte
    with nogil:
        pool_enter()
        pool_run(part, count, data, threads)
        pool_leave()
    return 0


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
    """Reduce n > 0 contiguous numbers like the ufunc's reduce: combine the others with the first, in order."""
    memcpy(out, x, size)
    _pass(loop, out, x + size, out, n - 1, 0, size, 0)


cdef dict _known_loops = {}  # by ufunc


cdef Loops loops_of(object ufunc):
    """Return the loops of a ufunc of one or two inputs and one output, or None."""
    cdef Loops loops = None
    if not isinstance(ufunc, np.ufunc):
        return None
    if ufunc in _known_loops:
        return _known_loops[ufunc]
    if ufunc.nout == 1 and ufunc.nin <= 2:
        loops = Loops.__new__(Loops)
        loops.nin = ufunc.nin
        if not (
            _find_loop(ufunc, cnp.NPY_FLOAT, &loops.single) and _find_loop(ufunc, cnp.NPY_DOUBLE, &loops.double)
        ):
            loops = None
    _known_loops[ufunc] = loops
    return loops


cdef inline bint _read_number(object x, double *value) except -1:
    """Read a Python number that NumPy would convert to the dtype of the array beside it."""
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


cdef cnp.ndarray run_loop(Loops loops, object a, object b, cnp.ndarray out):
    """Return ufunc(a, b), or ufunc(a) where it has one input; None where the ufunc itself must be called.

    Args:
        a, b: arrays, or one of them a number.
        out: the array to write into; None for a new one.
    """
    cdef cnp.ndarray like, x
    cdef cnp.npy_intp n, size
    cdef cnp.npy_intp steps[3]
    cdef char *args[3]
    cdef float singles[2]
    cdef double doubles[2]
    cdef int kind, i, count = loops.nin
    cdef object operand
    # The operand that gives the result's shape: an array, but not a 0-d one beside a larger one.
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
    if n > SMALL or not is_plain(like) or not (kind == cnp.NPY_FLOAT or kind == cnp.NPY_DOUBLE):
        return None
    size = 4 if kind == cnp.NPY_FLOAT else 8
    for i in range(count):
        operand = a if i == 0 else b
        if operand is like:
            args[i] = cnp.PyArray_BYTES(like)
            steps[i] = size
        elif isinstance(operand, cnp.ndarray):
            x = <cnp.ndarray>operand
            if cnp.PyArray_TYPE(x) != kind or not is_plain(x):
                return None
            args[i] = cnp.PyArray_BYTES(x)
            if same_shape(x, like):
                steps[i] = size
            elif cnp.PyArray_NDIM(x) == 0:
                steps[i] = 0
            else:
                return None
        else:
            if not _read_number(operand, &doubles[i]):
                return None
            singles[i] = <float>doubles[i]  # inf beyond float32, as in NumPy
            args[i] = <char *>&singles[i] if kind == cnp.NPY_FLOAT else <char *>&doubles[i]
            steps[i] = 0
    if out is None:
        out = <cnp.ndarray>cnp.PyArray_EMPTY(cnp.PyArray_NDIM(like), cnp.PyArray_DIMS(like), kind, 0)
    elif (
        cnp.PyArray_TYPE(out) != kind or not cnp.PyArray_ISCARRAY(out) or not cnp.PyArray_ISNOTSWAPPED(out)
        or not same_shape(out, like)
    ):
        return None
    args[count] = cnp.PyArray_BYTES(out)
    steps[count] = size
    if kind == cnp.NPY_FLOAT:
        _elementwise(&loops.single, args, n, steps)
    else:
        _elementwise(&loops.double, args, n, steps)
    return out
