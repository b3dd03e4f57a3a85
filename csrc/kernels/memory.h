/* A cache of memory for the arrays that npg's ops make.

   The C library serves a large request with fresh pages of the operating system and returns them when the array is
   freed; it also returns the end of its heap when that is free, as it is after each backward pass. A network's
   activations are of that size, so they are paid for page by page in every iteration: a quarter of the time of a
   nanoGPT iteration, an eighth of an LSTM's. So while an op or a backward pass runs, NumPy allocates its arrays here
   (NEP 49; the handler is set in the thread's context, and arrays remember theirs). Freed blocks wait for the next
   array of about their size; where memory must be returned, the oldest go first. More than MEMORY_KEPT bytes wait only
   while blocks are used again and again: a thread that exists only meanwhile returns the rest after a pause. Arrays
   made by other code are not affected.

   A large block is a mapping of its own. A middle one lies in the C library's heap, because a process may have only
   some 65,000 mappings, and graphs have more arrays than that; it waits in a list for its size. Smaller arrays are left
   to NumPy.

   Anonymous mappings and POSIX threads; elsewhere the handler is NumPy's own. */

#ifndef NPG_MEMORY_H
#define NPG_MEMORY_H

#include <stddef.h>
#include <string.h>

#define MEMORY_MIDDLE ((size_t)1 << 10) /* bytes; NumPy caches smaller arrays itself */
#define MEMORY_LARGE ((size_t)1 << 16)
#define MEMORY_STEP ((size_t)1 << 10)   /* bytes between the sizes of middle blocks */
#define MEMORY_SIZES (MEMORY_LARGE / MEMORY_STEP)
#define MEMORY_KEPT ((size_t)64 << 20)  /* bytes that wait at most after a pause */
#define MEMORY_SLACK (((size_t)16 << 20) + memory_most / 16)  /* bytes that are held beyond the peak of live arrays */
#define MEMORY_PAUSE 250000000L         /* nanoseconds; a pause lasts one or two of these */

typedef struct {
    size_t used, kept;  /* bytes of live arrays, and of waiting blocks */
} memory_counts;

#if defined(NPG_SANITIZE)

/* The C library's functions themselves, for all arrays of the importing thread: a sanitizer tracks what they return,
   and neither this cache nor NumPy's cache of small arrays reuses freed memory. */

#include <stdlib.h>

#define MEMORY_ALWAYS 1

static void *memory_malloc(void *context, size_t size) {
    (void)context;
    return malloc(size);
}
static void *memory_calloc(void *context, size_t count, size_t size) {
    (void)context;
    return calloc(count, size);
}
static void *memory_realloc(void *context, void *data, size_t size) {
    (void)context;
    return realloc(data, size);
}
static void memory_free(void *context, void *data, size_t size) {
    (void)context, (void)size;
    free(data);
}

static PyDataMem_Handler memory_handler_ = {
    "npg", 1, {NULL, memory_malloc, memory_calloc, memory_realloc, memory_free}};

static PyObject *memory_make_handler(void) { return PyCapsule_New(&memory_handler_, "mem_handler", NULL); }

#elif defined(__unix__) || defined(__APPLE__)

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#if !defined(MAP_ANONYMOUS)
#define MAP_ANONYMOUS MAP_ANON
#endif

/* The header before an array's data; its size is a multiple of the cache line. */
typedef struct memory_block {
    struct memory_block *next, *previous;
    size_t capacity;  /* bytes of the whole block; 0 for a small one */
    size_t start;     /* bytes from the start of the mapping to this header; for a small block, its size */
    char padding[64 - 2 * sizeof(void *) - 2 * sizeof(size_t)];
} memory_block;

/* The waiting blocks: a ring of the large ones, the last freed first, and a list of middle ones for each size. */
static memory_block memory_waiting = {&memory_waiting, &memory_waiting, 0, 0, {0}};
static memory_block *memory_middle[MEMORY_SIZES + 1];
static memory_counts memory_now = {0, 0};
static size_t memory_most = 0;  /* the peak of the bytes of live arrays */
static pthread_mutex_t memory_mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned long memory_calls = 0;  /* changes with every call, to detect a pause */
static int memory_has_keeper = 0;
static PyDataMem_Handler *memory_default = NULL;

static void memory_insert(memory_block *block) {
    block->next = memory_waiting.next;
    block->previous = &memory_waiting;
    memory_waiting.next->previous = block;
    memory_waiting.next = block;
}

static void memory_remove(memory_block *block) {
    block->next->previous = block->previous;
    block->previous->next = block->next;
}

static int memory_is_middle(memory_block *block) { return block->capacity <= MEMORY_LARGE + sizeof(memory_block); }

static void memory_give_back(memory_block *block) {
    if (memory_is_middle(block))
        free(block);
    else
        munmap((char *)block - block->start, block->capacity);
}

/* ----- Giving back ----- */

static memory_block *memory_take_old(size_t most) {
    /* Remove waiting blocks, the oldest of the large first and then any, until at most `most` bytes wait; return
       them as a list. The mutex is held. */
    memory_block *list = NULL, *block;
    size_t size = MEMORY_SIZES;
    while (memory_now.kept > most) {
        if (memory_waiting.previous != &memory_waiting) {
            block = memory_waiting.previous;
            memory_remove(block);
        } else {
            while (!memory_middle[size]) size--;
            block = memory_middle[size];
            memory_middle[size] = block->next;
        }
        memory_now.kept -= block->capacity;
        block->next = list;
        list = block;
    }
    return list;
}

static void memory_give_back_list(memory_block *list) {
    memory_block *next;
    for (; list; list = next) {
        next = list->next;
        memory_give_back(list);
    }
}

static void memory_trim(size_t most) {
    memory_block *list;
    pthread_mutex_lock(&memory_mutex);
    list = memory_take_old(most);
    pthread_mutex_unlock(&memory_mutex);
    memory_give_back_list(list);
}

static void *memory_keep(void *unused) {
    /* Wait for a pause, give back the excess, and end. */
    struct timespec pause = {0, MEMORY_PAUSE};
    unsigned long before = 0;
    memory_block *list = NULL;
    int ends = 0;
    (void)unused;
    while (!ends) {
        pthread_mutex_lock(&memory_mutex);
        ends = memory_calls == before || memory_now.kept <= MEMORY_KEPT;
        before = memory_calls;
        if (ends) {
            list = memory_take_old(MEMORY_KEPT);
            memory_has_keeper = 0;
        }
        pthread_mutex_unlock(&memory_mutex);
        if (!ends) nanosleep(&pause, NULL);
    }
    memory_give_back_list(list);
    return NULL;
}

static int memory_start_keeper(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    int failed;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    failed = pthread_create(&thread, &attributes, memory_keep, NULL);
    pthread_attr_destroy(&attributes);
    return !failed;
}

/* ----- What NumPy calls ----- */

static memory_block *memory_make_room(size_t needed) {
    /* Return a list of blocks to give back, so that little more is held than arrays once needed. The mutex is held. */
    size_t excess = memory_now.used + memory_now.kept + needed;
    if (excess <= memory_most + MEMORY_SLACK) return NULL;
    excess -= memory_most + MEMORY_SLACK;
    return memory_take_old(memory_now.kept > excess ? memory_now.kept - excess : 0);
}

static void memory_note_used(size_t needed) {
    memory_now.used += needed;
    if (memory_now.used > memory_most) memory_most = memory_now.used;
}

static memory_block *memory_from_heap(size_t needed, int zeroed) {
    return (memory_block *)(zeroed ? calloc(1, needed) : malloc(needed));
}

static void *memory_allocate_middle(size_t size, int zeroed) {
    size_t number = (size + MEMORY_STEP - 1) / MEMORY_STEP;
    size_t needed = number * MEMORY_STEP + sizeof(memory_block);
    memory_block *block, *list = NULL;
    pthread_mutex_lock(&memory_mutex);
    memory_calls++;
    block = memory_middle[number];
    if (block) {
        memory_middle[number] = block->next;
        memory_now.kept -= needed;
    } else {
        list = memory_make_room(needed);
    }
    memory_note_used(needed);
    pthread_mutex_unlock(&memory_mutex);
    memory_give_back_list(list);
    if (block) {
        if (zeroed) memset(block + 1, 0, size);
        return block + 1;
    }
    block = memory_from_heap(needed, zeroed);
    if (!block) {
        memory_trim(0); /* the waiting blocks may be what is missing */
        block = memory_from_heap(needed, zeroed);
    }
    if (!block) {
        pthread_mutex_lock(&memory_mutex);
        memory_now.used -= needed;
        pthread_mutex_unlock(&memory_mutex);
        return NULL;
    }
    block->capacity = needed;
    block->start = 0;
    return block + 1;
}

static void *memory_allocate_large(size_t size, int zeroed) {
    static unsigned int places = 0;
    memory_block *block, *best = NULL, *list = NULL;
    size_t needed, start;
    char *mapping;
    /* A processor that compares only the lower bits of addresses makes a load wait for an earlier store at the same
       offset in another page: so each array begins at another offset in its first page. */
    needed = (size + 17 * sizeof(memory_block) + 4095) / 4096 * 4096;
    if (needed < size) return NULL;
    pthread_mutex_lock(&memory_mutex);
    memory_calls++;
    for (block = memory_waiting.next; block != &memory_waiting; block = block->next)
        if (block->capacity >= needed && block->capacity <= needed + needed / 8 &&
            (!best || block->capacity < best->capacity)) {
            best = block;
            if (best->capacity == needed) break;
        }
    start = sizeof(memory_block) * (places++ % 16);
    if (best) {
        memory_remove(best);
        memory_now.kept -= best->capacity;
        memory_note_used(best->capacity);
    } else {
        list = memory_make_room(needed);
    }
    pthread_mutex_unlock(&memory_mutex);
    memory_give_back_list(list);
    if (best) {
        if (zeroed) memset(best + 1, 0, size);
        return best + 1;
    }
    mapping = (char *)mmap(NULL, needed, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == (char *)MAP_FAILED) {
        memory_trim(0); /* the waiting blocks may be what is missing */
        mapping = (char *)mmap(NULL, needed, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapping == (char *)MAP_FAILED) return NULL;
    }
    block = (memory_block *)(mapping + start);
    block->capacity = needed;
    block->start = start;
    pthread_mutex_lock(&memory_mutex);
    memory_note_used(needed);
    pthread_mutex_unlock(&memory_mutex);
    return block + 1;
}

static void *memory_allocate(size_t size, int zeroed) {
    return size > MEMORY_LARGE ? memory_allocate_large(size, zeroed) : memory_allocate_middle(size, zeroed);
}

static void memory_free_block(memory_block *block) {
    memory_block *list = NULL;
    int starts;
    pthread_mutex_lock(&memory_mutex);
    memory_calls++;
    memory_now.used -= block->capacity;
    memory_now.kept += block->capacity;
    if (memory_is_middle(block)) {
        memory_block **list = &memory_middle[(block->capacity - sizeof(memory_block)) / MEMORY_STEP];
        block->next = *list;
        *list = block;
    } else {
        memory_insert(block);
    }
    starts = memory_now.kept > MEMORY_KEPT && !memory_has_keeper;
    if (starts) memory_has_keeper = 1;
    pthread_mutex_unlock(&memory_mutex);
    if (starts && !memory_start_keeper()) {
        pthread_mutex_lock(&memory_mutex);
        memory_has_keeper = 0;
        list = memory_take_old(MEMORY_KEPT);
        pthread_mutex_unlock(&memory_mutex);
        memory_give_back_list(list);
    }
}

/* A small array has a header too: the size that NumPy passes when it frees an array is not always the one it requested
   (for arrays without elements), and when it resizes an array it passes no old size. */

static void *memory_small(memory_block *block, size_t size) {
    if (!block) return NULL;
    block->capacity = 0;
    block->start = size + sizeof(memory_block);
    return block + 1;
}

static void *memory_malloc(void *context, size_t size) {
    PyDataMemAllocator *allocator = &memory_default->allocator;
    (void)context;
    if (size >= MEMORY_MIDDLE) return memory_allocate(size, 0);
    return memory_small((memory_block *)allocator->malloc(allocator->ctx, size + sizeof(memory_block)), size);
}

static void *memory_calloc(void *context, size_t count, size_t size) {
    PyDataMemAllocator *allocator = &memory_default->allocator;
    (void)context;
    if (size && count > (size_t)-1 / size) return NULL;
    size *= count;
    if (size >= MEMORY_MIDDLE) return memory_allocate(size, 1);
    return memory_small((memory_block *)allocator->calloc(allocator->ctx, 1, size + sizeof(memory_block)), size);
}

static void memory_free(void *context, void *data, size_t size) {
    PyDataMemAllocator *allocator = &memory_default->allocator;
    memory_block *block;
    (void)context, (void)size;
    if (!data) return;
    block = (memory_block *)data - 1;
    if (block->capacity)
        memory_free_block(block);
    else
        allocator->free(allocator->ctx, block, block->start);
}

static void *memory_realloc(void *context, void *data, size_t size) {
    memory_block *block;
    size_t before;
    void *moved = memory_malloc(context, size);
    if (!data || !moved) return moved;
    block = (memory_block *)data - 1;
    before = block->capacity ? block->capacity - block->start : block->start;
    before -= sizeof(memory_block);
    memcpy(moved, data, size < before ? size : before);
    memory_free(context, data, before);
    return moved;
}

static PyDataMem_Handler memory_handler_ = {
    "npg", 1, {NULL, memory_malloc, memory_calloc, memory_realloc, memory_free}};

/* ----- Forks ----- */

static void memory_before_fork(void) { pthread_mutex_lock(&memory_mutex); }
static void memory_after_fork(void) { pthread_mutex_unlock(&memory_mutex); }
static void memory_after_fork_in_child(void) {
    pthread_mutex_init(&memory_mutex, NULL);
    memory_has_keeper = 0; /* the thread does not exist here */
}

static PyObject *memory_make_handler(void) {
    /* Return the capsule for NumPy. */
    memory_default = (PyDataMem_Handler *)PyCapsule_GetPointer(PyDataMem_DefaultHandler, "mem_handler");
    if (!memory_default) return NULL;
    pthread_atfork(memory_before_fork, memory_after_fork, memory_after_fork_in_child);
    return PyCapsule_New(&memory_handler_, "mem_handler", NULL);
}

static memory_counts memory_count(void) {
    memory_counts now;
    pthread_mutex_lock(&memory_mutex);
    now = memory_now;
    pthread_mutex_unlock(&memory_mutex);
    return now;
}

#else

static PyObject *memory_make_handler(void) {
    Py_INCREF(PyDataMem_DefaultHandler);
    return PyDataMem_DefaultHandler;
}

#endif

#if defined(NPG_SANITIZE) || !(defined(__unix__) || defined(__APPLE__))

static void memory_trim(size_t most) { (void)most; }

static memory_counts memory_count(void) {
    memory_counts none = {0, 0};
    return none;
}

#endif
#endif
