# CRC-32 of bytes (npg/kernels/checksums.py): all but the end of it, by checksums.h.

cdef extern from "kernels/checksums.h":
    bint checksums_can_fold()
    void checksums_fold(
        const unsigned char *data, size_t count, unsigned int crc, unsigned char *folded
    ) noexcept nogil


def fold(data, unsigned int crc):
    """Return 16 bytes with the checksum, begun at 0, that the first bytes of data have, begun at crc.

    Args:
        data: a buffer of at least 64 contiguous bytes. The first are as many as are a multiple of 64.
    """
    cdef Py_buffer view
    cdef unsigned char folded[16]
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        if view.len < 64:
            raise ValueError(f"expected at least 64 bytes, got {view.len}")
        with nogil:
            checksums_fold(<const unsigned char *>view.buf, view.len & ~<size_t>63, crc, folded)
    finally:
        PyBuffer_Release(&view)
    return PyBytes_FromStringAndSize(<char *>folded, 16)


can_fold = bool(checksums_can_fold())
