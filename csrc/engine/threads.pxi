# The threads of pool.h, and OpenBLAS's: who may use them, see npg/ops/_parallel.py.

cdef enum: MOST_PARTS = 64

cdef extern from "engine/pool.h":
    ctypedef void (*pool_part)(int number, void *data, int more) noexcept nogil
    void pool_run(pool_part part, int count, size_t size, void *data, int more, bint blocking) noexcept nogil
    size_t pool_callback()
    bint pool_is_available()

ctypedef int (*Getter)() noexcept nogil
ctypedef void (*Setter)(int) noexcept nogil

cdef double HANDED = 10_000  # nanoseconds of one thread from which it pays to share work

cdef Getter _get_products = NULL
cdef Setter _set_products = NULL


cdef size_t _address(str name) except? 0:
    """Return the address of a function of OpenBLAS, 0 where there is none."""
    function = _openblas.function(name)
    return 0 if function is None else ctypes.cast(function, ctypes.c_void_p).value


def _take_products():
    """Have OpenBLAS hand the parts of its products to the pool."""
    global _get_products, _set_products
    _get_products, _set_products = <Getter>_address("get_num_threads"), <Setter>_address("set_num_threads")
    if not pool_is_available() or os.environ.get("NPG_POOL", "1") == "0":
        return
    callback = _openblas.function("set_threads_callback_function")
    if callback is not None:
        callback.argtypes, callback.restype = [ctypes.c_void_p], None
        callback(pool_callback())
        products_handed_over()


_take_products()


cdef int _take_threads(double nanoseconds, int *taken) except -1:
    """Hold products to one thread each, and take the threads if there is work for them.

    OpenBLAS would cut a product for its threads, and its bits would depend on how many it has.
    Args:
        nanoseconds: about how long one thread takes for the work.
        taken: gets what _give_back takes when it is done.
    Returns: how many threads may share it.
    """
    taken[0] = -1
    if not _parallel._pool.busy.acquire(False):  # whoever has them holds products, too
        return 1
    taken[0] = 0
    if _get_products != NULL and _set_products != NULL:
        taken[0] = _get_products()
        _set_products(1)
    return limit() if nanoseconds >= HANDED else 1


cdef int _give_back(int taken) except -1:
    """End what _take_threads began."""
    if taken >= 0:
        if taken:
            _set_products(taken)
        _parallel._pool.busy.release()
    return 0
