/* What is left to do once Python has ended and the exit status is known: see npg/distributed/_end.py. */
#if defined(__GLIBC__)
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int (*npg_mpi_finalize)(void);
static int (*npg_mpi_finalized)(int *);
static pid_t npg_mpi_owner;

static void npg_mpi_end(int status, void *unused) {
    int done = 0;
    (void)unused;
    if (getpid() != npg_mpi_owner) return; /* a forked child has no part in MPI */
    if (status != 0) {                     /* without an end MPI's launcher ends the other processes */
        fflush(NULL);
        _exit(status);
    }
    npg_mpi_finalized(&done);
    if (!done) npg_mpi_finalize();
}

static int npg_end_mpi_later(size_t finalize, size_t finalized) {
    npg_mpi_finalize = (int (*)(void))finalize;
    npg_mpi_finalized = (int (*)(int *))finalized;
    npg_mpi_owner = getpid();
    return on_exit(npg_mpi_end, NULL) == 0;
}
#else
static int npg_end_mpi_later(size_t finalize, size_t finalized) {
    (void)finalize;
    (void)finalized;
    return 0; /* no other C library tells the status */
}
#endif
