# Random words (npg/kernels/words.py), by words.h, from the state of NumPy's MT19937.

cdef extern from "kernels/words.h":
    enum: WORDS_COUNT
    ctypedef struct words_state:
        uint32_t key[WORDS_COUNT]
        int place
    void words_take(words_state *state, uint32_t *out, size_t count) noexcept nogil
    void words_take_long(words_state *state, uint64_t *out, size_t count) noexcept nogil
    void words_compare(
        words_state *state, uint8_t *out, size_t count, uint32_t upper, uint32_t lower
    ) noexcept nogil

cdef extern from "numpy/random/bitgen.h":
    ctypedef struct bitgen_t:
        void *state

cdef cnp.npy_intp WORDS_WITH_GIL = 4096  # numbers up to which drawing them does not release the GIL


cdef words_state *_words_of(object source) except NULL:
    cdef void *generator = PyCapsule_GetPointer(source, "BitGenerator")
    return <words_state *>(<bitgen_t *>generator).state


def holds_words(source, cnp.ndarray key not None, int place):
    """Tell whether the state of an MT19937, by its capsule, is in memory as words.h has it: NumPy promises nothing."""
    cdef words_state *state = _words_of(source)
    cdef int i
    if cnp.PyArray_TYPE(key) != cnp.NPY_UINT32 or cnp.PyArray_SIZE(key) != WORDS_COUNT:
        return False
    for i in range(WORDS_COUNT):
        if state.key[i] != key[i]:
            return False
    return state.place == place


def take_words(source, cnp.npy_intp count):
    """Return (count,) uint32, the next words."""
    cdef words_state *state = _words_of(source)
    cdef cnp.ndarray out = cnp.PyArray_EMPTY(1, &count, cnp.NPY_UINT32, 0)
    cdef uint32_t *to = <uint32_t *>cnp.PyArray_DATA(out)
    if count <= WORDS_WITH_GIL:
        words_take(state, to, count)
    else:
        with nogil:
            words_take(state, to, count)
    return out


def take_long_words(source, cnp.npy_intp count):
    """Return (count,) uint64 of two words each, the first in the upper half."""
    cdef words_state *state = _words_of(source)
    cdef cnp.ndarray out = cnp.PyArray_EMPTY(1, &count, cnp.NPY_UINT64, 0)
    cdef uint64_t *to = <uint64_t *>cnp.PyArray_DATA(out)
    if count <= WORDS_WITH_GIL:
        words_take_long(state, to, count)
    else:
        with nogil:
            words_take_long(state, to, count)
    return out


def take_trials(source, cnp.npy_intp count, uint32_t upper, uint32_t lower):
    """Return (count,) bool: whether numbers of 53 bits, in two words each, are less than upper * 2**32 + lower."""
    cdef words_state *state = _words_of(source)
    cdef cnp.ndarray out = cnp.PyArray_EMPTY(1, &count, cnp.NPY_BOOL, 0)
    cdef uint8_t *to = <uint8_t *>cnp.PyArray_DATA(out)
    if count <= WORDS_WITH_GIL:
        words_compare(state, to, count, upper, lower)
    else:
        with nogil:
            words_compare(state, to, count, upper, lower)
    return out
