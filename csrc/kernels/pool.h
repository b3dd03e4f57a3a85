/* A pool of threads for work that needs no interpreter: parts of programs, tiles of products, heads of attention.

   A job is a number of parts, cut by shapes alone. Every participating thread, including the caller, takes the parts of
   its own share, one after the other, and then what is left of the others': a thread that wakes late, or cannot be
   created, costs time but changes no result. Shares begin at the same places in every job, so that a thread mostly
   finds in its caches what it has written in the job before. Threads
   wait for the next job by spinning for SPIN_NANOSECONDS and then sleeping, so that a job that follows soon begins
   within a microsecond. One job runs at a time; a caller that finds the threads busy works alone.

   All work without the interpreter passes the gate. A fork closes it, so that no lock in the child (BLAS has some) is
   held by a thread that does not exist there. So does the end of the process, when libraries free memory that a daemon
   thread might still use.

   POSIX threads and the atomics of GCC and Clang; elsewhere everything runs in the caller. */

#ifndef NPG_POOL_H
#define NPG_POOL_H

#include <stddef.h>

/* Compute a part. `worker` is below the job's number of threads and differs between parts that run at the same time. */
typedef void (*pool_part)(int worker, long number, void *data);

#if defined(__unix__) || defined(__APPLE__)

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#define POOL_MOST 64
#define SPIN_NANOSECONDS 1000000

static struct {
    pool_part part;
    void *data;
    int helpers;      /* workers with numbers up to this take part */
    struct {
        long next, end; /* the next part to be taken, and the one after the last */
        char line[64 - 2 * sizeof(long)];
    } shares[POOL_MOST + 1];
    long open;        /* the number of the running job, 0 between jobs */
    int inside;       /* workers that may be using the job */
    int sleepers;     /* workers that sleep; changed under pool_sleep */
} pool_job;

static int pool_size = 0;
static long pool_jobs = 0;
static int pool_prepared = 0;
static pthread_mutex_t pool_mutex = PTHREAD_MUTEX_INITIALIZER; /* held while a job runs */
static pthread_mutex_t pool_sleep = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t pool_wake = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t pool_gate;

#define POOL_LOAD(x) __atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define POOL_STORE(x, value) __atomic_store_n(&(x), value, __ATOMIC_SEQ_CST)
#define POOL_ADD(x, value) __atomic_fetch_add(&(x), value, __ATOMIC_SEQ_CST)

/* A flag of a job, raised and read by its parts. */
static inline void pool_raise(int *flag) { __atomic_store_n(flag, 1, __ATOMIC_RELAXED); }
static inline int pool_is_raised(int *flag) { return __atomic_load_n(flag, __ATOMIC_RELAXED); }

static inline void pool_relax(unsigned *turns) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
    if (++*turns % 1024 == 0) sched_yield();
}

static long long pool_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* ----- The gate ----- */

static void pool_enter(void) { pthread_rwlock_rdlock(&pool_gate); }
static void pool_leave(void) { pthread_rwlock_unlock(&pool_gate); }
static void pool_close(void) { pthread_rwlock_wrlock(&pool_gate); }

static void pool_make_gate(void) {
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
#if defined(__GLIBC__)
    /* A closing thread waits for those inside, but not for those that come later. */
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    pthread_rwlock_init(&pool_gate, &attributes);
    pthread_rwlockattr_destroy(&attributes);
}

static void pool_after_fork_in_child(void) {
    pool_size = 0; /* the threads do not exist here */
    pool_job.open = pool_job.inside = pool_job.sleepers = 0;
    pthread_mutex_init(&pool_mutex, NULL);
    pthread_mutex_init(&pool_sleep, NULL);
    pthread_cond_init(&pool_wake, NULL);
    pool_make_gate();
}

static void pool_prepare(void) {
    /* Called once, by the thread that imports npg. */
    if (pool_prepared) return;
    pool_prepared = 1;
    pool_make_gate();
    pthread_atfork(pool_close, pool_leave, pool_after_fork_in_child);
    atexit(pool_close);
}

/* ----- Workers ----- */

static long pool_wait(long done) {
    /* Return the number of the next job after `done`. */
    unsigned turns = 0;
    long open;
    long long until = pool_now() + SPIN_NANOSECONDS;
    for (;;) {
        open = POOL_LOAD(pool_job.open);
        if (open && open != done) return open;
        pool_relax(&turns);
        if (turns % 256 == 0 && pool_now() > until) break;
    }
    pthread_mutex_lock(&pool_sleep);
    POOL_ADD(pool_job.sleepers, 1);
    while (!(open = POOL_LOAD(pool_job.open)) || open == done) pthread_cond_wait(&pool_wake, &pool_sleep);
    POOL_ADD(pool_job.sleepers, -1);
    pthread_mutex_unlock(&pool_sleep);
    return open;
}

static void pool_take(int worker) {
    int shares = pool_job.helpers + 1, i, share;
    long number;
    for (i = 0; i < shares; i++) {
        share = (worker + i) % shares;
        while ((number = POOL_ADD(pool_job.shares[share].next, 1)) < pool_job.shares[share].end)
            pool_job.part(worker, number, pool_job.data);
    }
}

static void *pool_serve(void *argument) {
    int worker = (int)(size_t)argument;
    long done = 0;
    for (;;) {
        done = pool_wait(done);
        /* After closing the job the caller waits for the workers inside: for each that finds it open here. */
        POOL_ADD(pool_job.inside, 1);
        if (POOL_LOAD(pool_job.open) == done && worker <= pool_job.helpers) pool_take(worker);
        POOL_ADD(pool_job.inside, -1);
    }
    return NULL;
}

static int pool_grow(int size) {
    /* Create workers until there are `size`, or as many as possible; return how many there are. */
    pthread_attr_t attributes;
    pthread_t thread;
    int failed = 0;
    while (pool_size < size && pool_size < POOL_MOST && !failed) {
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        failed = pthread_create(&thread, &attributes, pool_serve, (void *)(size_t)(pool_size + 1));
        pthread_attr_destroy(&attributes);
        if (!failed) pool_size++;
    }
    return pool_size;
}

static void pool_run(pool_part part, long count, void *data, int threads) {
    /* Run part(worker, number, data) for number < count on at most `threads` threads. The caller is inside the gate. */
    unsigned turns = 0;
    long number;
    int share;
    if (threads > POOL_MOST + 1) threads = POOL_MOST + 1;
    if (threads > 1 && count > 1 && pthread_mutex_trylock(&pool_mutex) == 0) {
        if (pool_grow((threads < count ? threads : (int)count) - 1)) {
            pool_job.part = part;
            pool_job.data = data;
            pool_job.helpers = threads - 1;
            for (share = 0; share < threads; share++) {
                POOL_STORE(pool_job.shares[share].next, count * share / threads);
                POOL_STORE(pool_job.shares[share].end, count * (share + 1) / threads);
            }
            POOL_STORE(pool_job.open, ++pool_jobs);
            if (POOL_LOAD(pool_job.sleepers)) {
                pthread_mutex_lock(&pool_sleep);
                pthread_cond_broadcast(&pool_wake);
                pthread_mutex_unlock(&pool_sleep);
            }
            pool_take(0);
            POOL_STORE(pool_job.open, 0);
            while (POOL_LOAD(pool_job.inside)) pool_relax(&turns);
            pthread_mutex_unlock(&pool_mutex);
            return;
        }
        pthread_mutex_unlock(&pool_mutex);
    }
    for (number = 0; number < count; number++) part(0, number, data);
}

#else

static void pool_raise(int *flag) { *flag = 1; }
static int pool_is_raised(int *flag) { return *flag; }

static void pool_prepare(void) {}
static void pool_enter(void) {}
static void pool_leave(void) {}

static void pool_run(pool_part part, long count, void *data, int threads) {
    long number;
    (void)threads;
    for (number = 0; number < count; number++) part(0, number, data);
}

#endif
#endif
