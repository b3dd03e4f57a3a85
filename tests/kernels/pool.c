/* pool.h and memory.h used by four threads while others fork: for sanitizers, see test_pool.py. What the headers need of
   Python and NumPy stands here. Ends with a status that is not 0 where a part ran twice or not at all. */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    void *ctx;
    void *(*malloc)(void *, size_t);
    void *(*calloc)(void *, size_t, size_t);
    void *(*realloc)(void *, void *, size_t);
    void (*free)(void *, void *, size_t);
} PyDataMemAllocator;
typedef struct {
    char name[127];
    unsigned char version;
    PyDataMemAllocator allocator;
} PyDataMem_Handler;
typedef void PyObject;

static void *plain_malloc(void *context, size_t size) { return (void)context, malloc(size); }
static void *plain_calloc(void *context, size_t count, size_t size) { return (void)context, calloc(count, size); }
static void *plain_realloc(void *context, void *data, size_t size) { return (void)context, realloc(data, size); }
static void plain_free(void *context, void *data, size_t size) { (void)context, (void)size, free(data); }
static PyDataMem_Handler plain = {"plain", 1, {NULL, plain_malloc, plain_calloc, plain_realloc, plain_free}};
static PyObject *PyDataMem_DefaultHandler = &plain;
#define PyCapsule_GetPointer(capsule, name) (capsule)
#define PyCapsule_New(pointer, name, end) ((PyObject *)(pointer))

#include "kernels/memory.h"
#include "kernels/pool.h"

enum { THREADS = 4, PARTS = 50, ARRAYS = 20, ROUNDS = 40, FORKS = 4 };

typedef struct {
    int flag;
    long seen[PARTS];
    long taken[THREADS]; /* by each worker: no two have one number */
} Job;

static void part(int worker, long number, void *data) {
    Job *job = data;
    char *array = memory_malloc(NULL, (size_t)(60000 + number % 7 * 40000));
    memset(array, 1, 100);
    job->seen[number] += array[5];
    job->taken[worker] += array[99];
    if (number % 8 == 3 || pool_is_raised(&job->flag)) pool_raise(&job->flag);
    memory_free(NULL, array, 0);
}

static void run(long count, int threads) {
    Job job = {0};
    long i, taken = 0;
    pool_enter();
    pool_run(part, count, &job, threads);
    pool_leave();
    for (i = 0; i < THREADS; i++) taken += job.taken[i];
    for (i = 0; i < count; i++)
        if (job.seen[i] != 1) abort();
    if (taken != count || job.flag != (count > 3)) abort();
}

static int most = THREADS;
static unsigned int middle = 70000u; /* bytes of every other array, at most */

static void *use(void *given) {
    unsigned int seed = (unsigned int)(size_t)given;
    void *arrays[ARRAYS] = {NULL};
    int i, k;
    for (i = 0; i < ROUNDS; i++) {
        run(1 + rand_r(&seed) % PARTS, 1 + rand_r(&seed) % most);
        k = rand_r(&seed) % ARRAYS;
        arrays[k] = memory_realloc(NULL, arrays[k], 1 + rand_r(&seed) % (i % 2 ? 9000000u : middle));
        if (i % 16 == 0) usleep(3000); /* threads fall asleep */
        if (i % 32 == 31) memory_trim(0);
    }
    for (i = 0; i < ARRAYS; i++) memory_free(NULL, arrays[i], 0);
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    pthread_attr_t attributes;
    long i;
    int status, failed = 0;
    /* Small stacks: of those of threads that a child does not have, the C library keeps 40 MB and unmaps the rest.
       AddressSanitizer, which did not see these threads end, would take arrays that are mapped there for stacks. */
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, 1 << 20) || pthread_setattr_default_np(&attributes)) abort();
    pthread_attr_destroy(&attributes);
    memory_make_handler();
    pool_prepare();
    for (i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, use, (void *)(i + 1));
    for (i = 0; i < FORKS; i++) {
        pid_t child = fork();
        if (!child) {
#if defined(__SANITIZE_THREAD__)
            most = 1; /* it cannot follow threads that a child makes */
#endif
#if defined(__SANITIZE_ADDRESS__)
            middle = 9000000u; /* its malloc may be held by a thread that is not in the child; the C library's is not */
#endif
            alarm(300); /* sanitizers on a busy machine take a minute */
            use((void *)(i + 9));
            _exit(0);
        }
        waitpid(child, &status, 0);
        failed |= status;
    }
    for (i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    return failed || memory_count().used;
}
