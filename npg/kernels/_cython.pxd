# The C functions that the engine calls; csrc/kernels documents them.

cimport cython
cimport numpy as cnp

# ----- Loops -----

ctypedef void (*InnerLoop)(char **args, cnp.npy_intp *n, cnp.npy_intp *steps, void *data) noexcept nogil


cdef struct Loop:
    # A ufunc's loop for one type, its data argument, its number of operands, and the bytes of a number.
    InnerLoop run
    void *data
    int count, size


@cython.final
cdef class Loops:
    cdef int nin
    cdef Loop single, double


cdef Loops loops_of(object ufunc)
cdef cnp.ndarray run_loop(Loops loops, object a, object b, cnp.ndarray out)


cdef inline bint is_plain(cnp.ndarray array) noexcept:
    """Tell whether a loop may run over an array: contiguous, aligned, in the machine's byte order."""
    return cnp.PyArray_ISCARRAY_RO(array) and cnp.PyArray_ISNOTSWAPPED(array)


cdef inline bint same_shape(cnp.ndarray a, cnp.ndarray b) noexcept:
    cdef int i, n = cnp.PyArray_NDIM(a)
    if n != cnp.PyArray_NDIM(b):
        return False
    for i in range(n):
        if cnp.PyArray_DIM(a, i) != cnp.PyArray_DIM(b, i):
            return False
    return True


# ----- The memory of large arrays -----

cdef cnp.npy_intp LARGE_INPUT  # bytes of an op's input from which setting the handler costs little compared to the op

cdef object use_cached_memory()
cdef int restore_memory(object before) except -1
