#define _GNU_SOURCE
#include "base/memory.h"
#include "base/fault.h"
#include "base/file.h"
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// ---- counting ----

static _Atomic uint64_t taken, given; // pieces of memory

void memory_took(void) { atomic_fetch_add_explicit(&taken, 1, memory_order_relaxed); }
void memory_gave(void) { atomic_fetch_add_explicit(&given, 1, memory_order_relaxed); }
uint64_t memory_taken(void) { return atomic_load(&taken); }
int64_t memory_live(void) { return (int64_t)(atomic_load(&taken) - atomic_load(&given)); }

void mem_fail_after(int64_t n) { fault_after(FAULT_MEMORY, n); }

// ---- the heap ----
// Zero bytes give a pointer of their own, so that NULL always means "no memory".

static void *took(void *pointer) {
    if (pointer) memory_took();
    return pointer;
}

void *mem_alloc(size_t bytes) { return fault_here(FAULT_MEMORY) ? NULL : took(malloc(bytes ? bytes : 1)); }

void *mem_zero(size_t count, size_t size) {
    size_t bytes;
    if (!mul_size(count, size, &bytes) || fault_here(FAULT_MEMORY)) return NULL;
    return took(calloc(1, bytes ? bytes : 1));
}

void *mem_resize(void *pointer, size_t bytes) {
    if (fault_here(FAULT_MEMORY)) return NULL;
    void *larger = realloc(pointer, bytes ? bytes : 1);
    return pointer ? larger : took(larger);
}

void mem_free(void *pointer) {
    if (pointer) memory_gave();
    free(pointer);
}

char *mem_string(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = mem_alloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

void heap_trim(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

// ---- pages ----

enum { HUGE_PAGE = 2 * 1024 * 1024 };

// What is mapped for `bytes`: whole system pages.
static bool page_bytes(size_t bytes, size_t *out) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (!add_size(bytes ? bytes : 1, page - 1, out)) return false;
    *out &= ~(page - 1);
    return true;
}

// Maps more than is needed and gives the two ends back, so that what stays is aligned.
void *pages_alloc(size_t bytes, size_t align) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size, mapped_size;
    bool is_large = bytes >= HUGE_PAGE;
    align = MAX(align, is_large ? (size_t)HUGE_PAGE : page);
    if (fault_here(FAULT_MEMORY) || !page_bytes(bytes, &size) || !add_size(size, align, &mapped_size)) return NULL;
    char *mapped = mmap(NULL, mapped_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return NULL;
    size_t before = (align - (uintptr_t)mapped % align) % align, after = mapped_size - before - size;
    if (before) munmap(mapped, before);
    if (after) munmap(mapped + before + size, after);
#ifdef MADV_HUGEPAGE
    if (is_large) madvise(mapped + before, size, MADV_HUGEPAGE); // a wish; small pages work as well
#endif
    return took(mapped + before);
}

void pages_free(void *pointer, size_t bytes) {
    size_t size;
    if (!pointer || !page_bytes(bytes, &size)) return;
    munmap(pointer, size);
    memory_gave();
}

void pages_forget(void *from, size_t bytes) {
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), end = ((uintptr_t)from + bytes) & ~(page - 1);
    const uintptr_t start = ((uintptr_t)from + page - 1) & ~(page - 1);
    if (start < end) madvise((char *)from + (start - (uintptr_t)from), end - start, MADV_DONTNEED);
}

uint64_t memory_peak(void) {
    uint8_t *text;
    size_t size;
    unsigned long long kilobytes = 0;
    if (file_read("/proc/self/status", 1 << 20, &text, &size) != ST_OK) {
        error_clear();
        return 0;
    }
    const char *line = strstr((const char *)text, "VmHWM:");
    if (!line || sscanf(line, "VmHWM: %llu", &kilobytes) != 1) kilobytes = 0;
    mem_free(text);
    return kilobytes * 1024;
}

// ---- arena ----
// A list of blocks, newest first; small allocations share a block, a large one gets its own. Under the address
// sanitizer each allocation has its own block with the bytes behind it poisoned, so that an overrun is seen.

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#endif
#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
enum { ARENA_SHARES = false };
#else
#define ASAN_POISON_MEMORY_REGION(pointer, bytes) ((void)(pointer), (void)(bytes))
enum { ARENA_SHARES = true };
#endif

enum { ARENA_BLOCK = 64 * 1024, ARENA_ALIGN = 64 };
struct ArenaBlock {
    ArenaBlock *next;
    size_t used, capacity;
    char *data;
};

static ArenaBlock *block_make(size_t capacity) {
    size_t size;
    if (!add_size(capacity, sizeof(ArenaBlock) + ARENA_ALIGN, &size)) return NULL;
    ArenaBlock *block = mem_zero(1, size); // large ones come zeroed from the system and cost nothing until touched
    if (!block) return NULL;
    uintptr_t data = (uintptr_t)(block + 1);
    block->capacity = capacity;
    block->data = (char *)(block + 1) + (ARENA_ALIGN - data % ARENA_ALIGN) % ARENA_ALIGN;
    char *end = (char *)block + size;
    ASAN_POISON_MEMORY_REGION(block->data + capacity, (size_t)(end - (block->data + capacity)));
    return block;
}

// The block that has `bytes` left at `align`, or a new one. A large one goes second in the list, so that the
// first stays open for small ones.
static ArenaBlock *block_for(Arena *arena, size_t bytes, size_t align) {
    ArenaBlock *head = arena->head;
    if (head) {
        size_t start = (head->used + align - 1) & ~(align - 1);
        if (start <= head->capacity && bytes <= head->capacity - start) return head;
    }
    bool is_large = !ARENA_SHARES || bytes > ARENA_BLOCK / 4;
    ArenaBlock *block = block_make(is_large ? bytes : ARENA_BLOCK);
    if (!block) return NULL;
    bool goes_second = is_large && head;
    block->next = goes_second ? head->next : head;
    *(goes_second ? &head->next : &arena->head) = block;
    return block;
}

void *arena_alloc(Arena *arena, size_t bytes) {
    size_t align = bytes >= ARENA_ALIGN ? ARENA_ALIGN : 16, total;
    if (!add_size(arena->total, bytes, &total) || (arena->limit && total > arena->limit)) return NULL;
    ArenaBlock *block = block_for(arena, bytes, align);
    if (!block) return NULL;
    size_t start = (block->used + align - 1) & ~(align - 1);
    block->used = start + MAX(bytes, (size_t)1);
    arena->total = total;
    return block->data + start;
}

void *arena_array(Arena *arena, size_t count, size_t size) {
    size_t bytes;
    return mul_size(count, size, &bytes) ? arena_alloc(arena, bytes) : NULL;
}

char *arena_string_n(Arena *arena, const char *text, size_t length) {
    size_t size;
    char *copy = add_size(length, 1, &size) ? arena_alloc(arena, size) : NULL;
    if (copy && length) memcpy(copy, text, length); // the arena's zero ends it
    return copy;
}

char *arena_string(Arena *arena, const char *text) { return arena_string_n(arena, text, strlen(text)); }

void arena_free(Arena *arena) {
    for (ArenaBlock *block = arena->head, *next; block; block = next) {
        next = block->next;
        mem_free(block);
    }
    *arena = (Arena){.limit = arena->limit};
}
