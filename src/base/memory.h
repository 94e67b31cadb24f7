// Memory: one door for every allocation (so that tests can make any of them fail), and an arena.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Like malloc/calloc/realloc/free; NULL when there is no memory. mem_zero checks count * size for overflow.
void *mem_alloc(size_t bytes);
void *mem_zero(size_t count, size_t size);
void *mem_resize(void *pointer, size_t bytes);
void mem_free(void *pointer);
char *mem_string(const char *text); // a copy, or NULL
// Gives what was freed back to the system, where the heap would keep it for what comes next.
void heap_trim(void);

// Pages straight from the system, aligned to `align` (a power of two >= 64), zeroed; huge pages are asked for
// when `bytes` is large. `bytes` must be given back to pages_free. NULL when there is no memory.
void *pages_alloc(size_t bytes, size_t align);
void pages_free(void *pointer, size_t bytes);
// Gives the memory of all whole pages in there back, of any allocation: nobody may ask for what stands there any more
// (it reads as zeros, or as whatever lay there). The address range stays taken.
void pages_forget(void *from, size_t bytes);

// The most memory that this process has held so far (VmHWM), in bytes; 0: not known.
uint64_t memory_peak(void);

// Fault injection (base/fault.h): the n-th following allocation (0 = next) of mem_*/pages_* fails once. Negative: none.
void mem_fail_after(int64_t n);

// For tests of leaks and of code that must not allocate: pieces of memory (mem_*, pages_*, mapped files) that were taken
// so far, and that are not given back yet.
uint64_t memory_taken(void);
int64_t memory_live(void);
void memory_took(void); // for what maps files
void memory_gave(void);

// An arena: allocations live until arena_free. Zeroed, aligned to 64 bytes when >= 64 bytes, else to 16.
typedef struct ArenaBlock ArenaBlock;
typedef struct Arena {
    ArenaBlock *head;
    size_t total;  // bytes handed out
    size_t limit;  // 0: none; beyond it arena_alloc gives NULL
} Arena;
void *arena_alloc(Arena *arena, size_t bytes);
void *arena_array(Arena *arena, size_t count, size_t size); // checked product
char *arena_string(Arena *arena, const char *text);
char *arena_string_n(Arena *arena, const char *text, size_t length);
void arena_free(Arena *arena); // gives everything back; the arena can be used again

// Checked arithmetic: true when the result fits.
static inline bool add_size(size_t a, size_t b, size_t *out) { return !__builtin_add_overflow(a, b, out); }
static inline bool mul_size(size_t a, size_t b, size_t *out) { return !__builtin_mul_overflow(a, b, out); }
static inline bool add_i64(int64_t a, int64_t b, int64_t *out) { return !__builtin_add_overflow(a, b, out); }
static inline bool mul_i64(int64_t a, int64_t b, int64_t *out) { return !__builtin_mul_overflow(a, b, out); }

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
static inline int64_t div_up(int64_t a, int64_t b) { return a / b + (a % b != 0); } // a >= 0, b > 0; never overflows
static inline int64_t round_up(int64_t a, int64_t b) { return div_up(a, b) * b; }   // a >= 0, b > 0
// Things in part `part` of `count` that are cut into `parts`; they differ by one at most, the first have more.
static inline int64_t share_of(int64_t count, int64_t parts, int64_t part) {
    return count / parts + (part < count % parts);
}
