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


cdef void _take(
    words_state *state, int kind, void *out, size_t count, uint32_t upper, uint32_t lower
) noexcept nogil:
    if kind == cnp.NPY_UINT32:
        words_take(state, <uint32_t *>out, count)
    elif kind == cnp.NPY_UINT64:
        words_take_long(state, <uint64_t *>out, count)
    else:
        words_compare(state, <uint8_t *>out, count, upper, lower)


cdef object _taken(object source, int kind, cnp.npy_intp count, uint32_t upper, uint32_t lower):
    """Return (count,) numbers of a kind: words are uint32, pairs of them uint64, trials bool."""
    cdef words_state *state = _words_of(source)
    cdef cnp.ndarray out = cnp.PyArray_EMPTY(1, &count, kind, 0)
    cdef void *to = cnp.PyArray_DATA(out)
    if count <= WORDS_WITH_GIL:
        _take(state, kind, to, count, upper, lower)
    else:
        with nogil:
            _take(state, kind, to, count, upper, lower)
    return out


def take_words(source, cnp.npy_intp count):
    """Return (count,) uint32, the next words."""
    return _taken(source, cnp.NPY_UINT32, count, 0, 0)


def take_long_words(source, cnp.npy_intp count):
    """Return (count,) uint64 of two words each, the first in the upper half."""
    return _taken(source, cnp.NPY_UINT64, count, 0, 0)


def take_trials(source, cnp.npy_intp count, uint32_t upper, uint32_t lower):
    """Return (count,) bool: whether numbers of 53 bits, in two words each, are less than upper * 2**32 + lower."""
    return _taken(source, cnp.NPY_BOOL, count, upper, lower)
