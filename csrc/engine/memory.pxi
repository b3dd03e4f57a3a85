# While an op runs on large arrays, NumPy asks memory.h for the memory of those that it makes.

cdef extern from *:
    """
    #include "engine/memory.h"
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

cdef cnp.npy_intp LARGE = 0 if MEMORY_ALWAYS else 1 << 12  # bytes of an op's input from which asking costs little beside it

cdef object _handler = memory_make_handler(), _default_handler = npg_default_handler()

if MEMORY_ALWAYS:
    npg_set_handler(_handler)


cdef inline object _ask_here():
    """Have NumPy ask memory.h, unless the user has a handler of his own; return what _release takes."""
    cdef object before = npg_set_handler(_handler)
    if before is _default_handler or before is _handler:
        return before
    npg_set_handler(before)
    return None


cdef inline object _keep_memory(tuple inputs):
    """Have NumPy ask memory.h if an input is large; return what _release takes, None otherwise."""
    cdef object item
    cdef cnp.ndarray x
    for item in inputs:
        if isinstance(item, TensorBase):
            x = (<TensorBase>item)._array
            if cnp.PyArray_NBYTES(x) >= LARGE:
                return _ask_here()
    return None


cdef inline int _release(object before) except -1:
    """End what _keep_memory or _ask_here began."""
    if before is not None:
        npg_set_handler(before)
    return 0


def memory_held():
    """Return the bytes of arrays alive in blocks of memory.h, and of blocks that wait for the next array."""
    cdef memory_counts now = memory_count()
    return now.used, now.kept


def drop_memory():
    """Give the blocks that wait back to the operating system."""
    with nogil:
        memory_trim(0)
