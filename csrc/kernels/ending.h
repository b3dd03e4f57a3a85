/* What is left to do once Python has ended and the exit status is known: see npg/distributed/_end.py. */
#if defined(__GLIBC__)
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int (*npg_mpi_finalize)(void);
static int (*npg_mpi_finalized)(int *);
static int (*npg_mpi_abort)(void *, int); /* a communicator is an int or a pointer: in the same register */
static void *npg_mpi_world;
static pid_t npg_mpi_owner;
static int npg_mpi_status; /* in place of 0 */

static void npg_mpi_end(int status, void *unused) {
    int done = 0;
    (void)unused;
    if (getpid() != npg_mpi_owner) return; /* a forked child has no part in MPI */
    npg_mpi_finalized(&done);
    if (done) return;
    if (status == 0) status = npg_mpi_status;
    if (status != 0) { /* ends the processes of all machines */
        fflush(NULL);
        npg_mpi_abort(npg_mpi_world, status);
        _exit(status);
    }
    npg_mpi_finalize();
}

static int npg_end_mpi_later(size_t finalize, size_t finalized, size_t abort_all, size_t world) {
    npg_mpi_finalize = (int (*)(void))finalize;
    npg_mpi_finalized = (int (*)(int *))finalized;
    npg_mpi_abort = (int (*)(void *, int))abort_all;
    npg_mpi_world = (void *)world;
    npg_mpi_owner = getpid();
    return on_exit(npg_mpi_end, NULL) == 0;
}

static void npg_end_mpi_with(int status) { npg_mpi_status = status; }
#else
static void npg_end_mpi_with(int status) { (void)status; }

static int npg_end_mpi_later(size_t finalize, size_t finalized, size_t abort_all, size_t world) {
    (void)finalize;
    (void)finalized;
    (void)abort_all;
    (void)world;
    return 0; /* no other C library tells the status */
}
#endif
