/* A pool of threads for work that needs no interpreter: parts of programs, and the parts of OpenBLAS's products.

   OpenBLAS hands its parts to a callback where it is given one. So both kinds of work go to the same threads, which wait
   for the next part spinning for SPIN_NANOSECONDS and then sleep: a part that follows soon begins within a microsecond,
   and no two sets of threads compete for one processor. Parts of a product wait for each other, so each must have a
   thread of its own; parts of programs wait for nobody, so a product never waits for long.

   POSIX threads and the atomics of GCC and Clang; elsewhere pool_is_available() is 0 and everything runs in the caller. */

#ifndef NPG_POOL_H
#define NPG_POOL_H

#include <stddef.h>

typedef void (*pool_part)(int number, void *data, int more);

#if defined(__unix__) || defined(__APPLE__)

#include <pthread.h>
#include <sched.h>
#include <time.h>

#define POOL_MOST 64
#define SPIN_NANOSECONDS 1000000

typedef struct {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    int sleeps;           /* guarded by mutex */
    int begun, ended;     /* counts of parts, written by the caller and by the worker */
    pool_part part;
    int number, more;
    void *data;
} pool_worker;

static pool_worker pool_workers[POOL_MOST];
static int pool_size = 0;
static pthread_mutex_t pool_mutex = PTHREAD_MUTEX_INITIALIZER; /* held while parts run */
static int pool_prepared = 0;

static inline void pool_relax(int *turns) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
    if (++*turns % 4096 == 0) sched_yield();
}

static long long pool_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int pool_wait(pool_worker *worker, int done) {
    /* Return the number of the next part, after `done` of them. */
    int turns = 0, begun;
    long long until = pool_now() + SPIN_NANOSECONDS;
    for (;;) {
        begun = __atomic_load_n(&worker->begun, __ATOMIC_ACQUIRE);
        if (begun != done) return begun;
        pool_relax(&turns);
        if (turns % 256 == 0 && pool_now() > until) break;
    }
    pthread_mutex_lock(&worker->mutex);
    worker->sleeps = 1;
    while ((begun = __atomic_load_n(&worker->begun, __ATOMIC_ACQUIRE)) == done)
        pthread_cond_wait(&worker->wake, &worker->mutex);
    worker->sleeps = 0;
    pthread_mutex_unlock(&worker->mutex);
    return begun;
}

static void *pool_serve(void *given) {
    pool_worker *worker = (pool_worker *)given;
    int done = 0;
    for (;;) {
        done = pool_wait(worker, done);
        worker->part(worker->number, worker->data, worker->more);
        __atomic_store_n(&worker->ended, done, __ATOMIC_RELEASE);
    }
    return NULL;
}

static void pool_before_fork(void) { pthread_mutex_lock(&pool_mutex); }
static void pool_after_fork_in_parent(void) { pthread_mutex_unlock(&pool_mutex); }
static void pool_after_fork_in_child(void) {
    pool_size = 0; /* the threads are not there */
    pthread_mutex_init(&pool_mutex, NULL);
}

static int pool_grow(int size) {
    /* Have at least `size` workers; return how many there are. The pool's mutex is held. */
    pthread_attr_t attributes;
    if (!pool_prepared) {
        pthread_atfork(pool_before_fork, pool_after_fork_in_parent, pool_after_fork_in_child);
        pool_prepared = 1;
    }
    while (pool_size < size && pool_size < POOL_MOST) {
        pool_worker *worker = &pool_workers[pool_size];
        int failed;
        worker->sleeps = worker->begun = worker->ended = 0;
        pthread_mutex_init(&worker->mutex, NULL);
        pthread_cond_init(&worker->wake, NULL);
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        failed = pthread_create(&worker->thread, &attributes, pool_serve, worker);
        pthread_attr_destroy(&attributes);
        if (failed) break;
        pool_size++;
    }
    return pool_size;
}

static void pool_begin(pool_worker *worker, pool_part part, int number, void *data, int more) {
    worker->part = part;
    worker->number = number;
    worker->data = data;
    worker->more = more;
    __atomic_store_n(&worker->begun, worker->begun + 1, __ATOMIC_RELEASE);
    pthread_mutex_lock(&worker->mutex);
    if (worker->sleeps) pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->mutex);
}

static void pool_end(pool_worker *worker) {
    int turns = 0;
    while (__atomic_load_n(&worker->ended, __ATOMIC_ACQUIRE) != worker->begun) pool_relax(&turns);
}

static void pool_run(pool_part part, int count, size_t size, void *data, int more, int blocking) {
    /* Run part(i, data + i size, more) for i < count: side by side, or without `blocking` in turn if threads are busy. */
    char *first = (char *)data;
    int i, shared = 0;
    if (blocking)
        pthread_mutex_lock(&pool_mutex), shared = 1;
    else
        shared = pthread_mutex_trylock(&pool_mutex) == 0;
    if (shared && pool_grow(count - 1) >= count - 1) {
        for (i = 1; i < count; i++) pool_begin(&pool_workers[i - 1], part, i, first + i * size, more);
        part(0, first, more);
        for (i = 1; i < count; i++) pool_end(&pool_workers[i - 1]);
    } else
        for (i = 0; i < count; i++) part(i, first + i * size, more);
    if (shared) pthread_mutex_unlock(&pool_mutex);
}

/* What openblas_set_threads_callback_function takes. */
static void pool_openblas(int sync, pool_part part, int count, size_t size, void *data, int more) {
    (void)sync; /* a caller that need not wait may */
    pool_run(part, count, size, data, more, 1);
}

static size_t pool_callback(void) { return (size_t)pool_openblas; }
static int pool_is_available(void) { return 1; }

#else

static void pool_run(pool_part part, int count, size_t size, void *data, int more, int blocking) {
    int i;
    (void)blocking;
    for (i = 0; i < count; i++) part(i, (char *)data + i * size, more);
}

static size_t pool_callback(void) { return 0; }
static int pool_is_available(void) { return 0; }

#endif
#endif
