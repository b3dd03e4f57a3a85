# The end of a process that has begun MPI (npg/distributed/_end.py).

cdef extern from "kernels/ending.h":
    bint npg_end_mpi_later(size_t finalize, size_t finalized) noexcept


def end_mpi_later(size_t finalize, size_t finalized):
    """Have MPI ended where the process ends with status 0, and not otherwise; return whether that can be done.

    Args: the addresses of MPI_Finalize and MPI_Finalized.
    """
    return npg_end_mpi_later(finalize, finalized)
