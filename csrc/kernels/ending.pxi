# The end of a process that has begun MPI (npg/distributed/_end.py).

cdef extern from "kernels/ending.h":
    bint npg_end_mpi_later(size_t finalize, size_t finalized, size_t abort_all, size_t world) noexcept
    void npg_end_mpi_with(int status) noexcept


def end_mpi_later(size_t finalize, size_t finalized, size_t abort_all, size_t world):
    """Have MPI ended where the process ends with status 0, else all processes; return whether that can be done.

    Args: the addresses of MPI_Finalize, MPI_Finalized and MPI_Abort, and the handle of MPI_COMM_WORLD.
    """
    return npg_end_mpi_later(finalize, finalized, abort_all, world)


def end_mpi_with(int status):
    """Have this status stand in place of 0, where end_mpi_later has been called: MPI cannot be ended well."""
    npg_end_mpi_with(status)
