/* NumPy's memory with a forbidden page on one side of every array; see guarded.py.

   A block is [length][room][forbidden], the array at the end of its room, or [length][forbidden][room], at its start. */

#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE ((size_t)4096)

typedef struct {
    void *ctx;
    void *(*malloc)(void *, size_t);
    void *(*calloc)(void *, size_t, size_t);
    void *(*realloc)(void *, void *, size_t);
    void (*free)(void *, void *, size_t);
} Allocator;

typedef struct {
    char name[127];
    uint8_t version;
    Allocator allocator;
} Handler;

/* What stands at a block's start. Freed blocks wait for the next array of as many pages: mmap takes its time. */
typedef struct Note {
    size_t length, size;
    struct Note *next;
} Note;

enum { KINDS = 64 };

static int at_end;
static Note *waiting[KINDS];

static Note *note_of(char *p) {
    char *page = (char *)((uintptr_t)p & ~(uintptr_t)(PAGE - 1));
    return (Note *)(page - (at_end ? PAGE : 2 * PAGE));
}

static void *take(size_t size, int fill) {
    size_t pages, room;
    Note *block;
    char *p;
    if (!size) size = 1;
    pages = (size + PAGE - 1) / PAGE;
    room = pages * PAGE;
    if (pages < KINDS && waiting[pages]) {
        block = waiting[pages];
        waiting[pages] = block->next;
    } else {
        block = mmap(NULL, room + 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED) return NULL;
        if (mprotect((char *)block + (at_end ? PAGE + room : PAGE), PAGE, PROT_NONE)) abort();
        block->length = room + 2 * PAGE;
    }
    block->size = size;
    p = (char *)block + (at_end ? PAGE + room - size : 2 * PAGE);
    memset(p, fill, size);
    return p;
}

static void *guarded_malloc(void *ctx, size_t size) {
    (void)ctx;
    return take(size, 255);
}

static void *guarded_calloc(void *ctx, size_t count, size_t size) {
    (void)ctx;
    return take(count * size, 0);
}

static void guarded_free(void *ctx, void *p, size_t size) {
    (void)ctx, (void)size;
    if (p) {
        Note *note = note_of(p);
        size_t pages = note->length / PAGE - 2;
        if (pages < KINDS) {
            memset(p, 255, note->size);
            note->next = waiting[pages];
            waiting[pages] = note;
        } else {
            munmap(note, note->length);
        }
    }
}

static void *guarded_realloc(void *ctx, void *p, size_t size) {
    void *made = take(size, 255);
    if (made && p) {
        size_t held = note_of(p)->size;
        memcpy(made, p, held < size ? held : size);
        guarded_free(ctx, p, 0);
    }
    return made;
}

static Handler handler = {
    "guarded", 1, {NULL, guarded_malloc, guarded_calloc, guarded_realloc, guarded_free},
};

Handler *guarded_handler(int end) {
    at_end = end;
    return &handler;
}
