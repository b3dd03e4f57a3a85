# While an op runs on arrays that are not small, NumPy allocates new arrays by memory.h.

cdef extern from *:
    """
    #include "kernels/memory.h"
    #if !defined(MEMORY_ALWAYS)
    #define MEMORY_ALWAYS 0
    #endif
    static inline PyObject *npg_set_handler(PyObject *handler) { return PyDataMem_SetHandler(handler); }
    static inline PyObject *npg_default_handler(void) {
        Py_INCREF(PyDataMem_DefaultHandler);
        return PyDataMem_DefaultHandler;
    }
    """
    ctypedef struct memory_counts:
        size_t used, kept
    bint MEMORY_ALWAYS
    object memory_make_handler()
    memory_counts memory_count()
    void memory_trim(size_t most) noexcept nogil
    object npg_set_handler(object handler)
    object npg_default_handler()

LARGE_INPUT = 0 if MEMORY_ALWAYS else 1 << 12

cdef object _handler = memory_make_handler(), _default_handler = npg_default_handler()

if MEMORY_ALWAYS:
    npg_set_handler(_handler)


cdef object use_cached_memory():
    """Let NumPy allocate by memory.h, unless the user has set a handler; return the argument for restore_memory."""
    cdef object before = npg_set_handler(_handler)
    if before is _default_handler or before is _handler:
        return before
    npg_set_handler(before)
    return None


cdef int restore_memory(object before) except -1:
    """Restore the handler that use_cached_memory replaced."""
    if before is not None:
        npg_set_handler(before)
    return 0


def address(array):
    """Return the address of the first element of an array, or of what stands for one; see npg/kernels/layouts.py."""
    if isinstance(array, cnp.ndarray):
        return <size_t>cnp.PyArray_DATA(<cnp.ndarray>array)
    return array.__array_interface__["data"][0]


def memory_held():
    """Return the bytes of live arrays in blocks of memory.h, and of blocks that wait for the next array."""
    cdef memory_counts now = memory_count()
    return now.used, now.kept


def drop_memory():
    """Return the waiting blocks to the operating system."""
    with nogil:
        memory_trim(0)
