# The number of threads of pool.h that share a piece of work, see npg/kernels/parallel.py.

cdef extern from "kernels/pool.h":
    ctypedef void (*pool_part)(int worker, long number, void *data) noexcept nogil
    void pool_prepare()
    void pool_enter() noexcept nogil
    void pool_leave() noexcept nogil
    void pool_raise(int *flag) noexcept nogil
    bint pool_is_raised(int *flag) noexcept nogil
    void pool_run(pool_part part, long count, void *data, int threads) noexcept nogil

cdef enum: MOST_THREADS = 64

ctypedef int (*Getter)() noexcept nogil

cdef double WORTH = 10_000  # nanoseconds of one thread from which it pays to share work

pool_prepare()


cdef size_t _address(object function) except? 0:
    """Return the address of a function that ctypes found, 0 for None."""
    return 0 if function is None else ctypes.cast(function, ctypes.c_void_p).value


cdef Getter _get_products = <Getter>_address(openblas.function("get_num_threads"))
cdef object _pool = parallel._pool, _inside = parallel.inside


cdef inline int _threads_for(double nanoseconds) except -1:
    """Return the number of threads for work that takes one thread this long; 1 within a part of other work."""
    cdef int threads
    if nanoseconds < WORTH or not _pool.is_free or _inside.part:
        return 1
    threads = _pool.limit
    if _get_products != NULL:
        threads = min(threads, _get_products())
    return max(1, min(threads, MOST_THREADS))
