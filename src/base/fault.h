// Fault injection: what the system may refuse (memory, a file, a page, a thread) can be made to fail once, for tests.
// All of it is asked for in base/ and thread/, and each place asks fault_here first. Off, that is one relaxed load.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

// Kinds of fault points, to be combined, and the errno that a fault leaves.
#define FAULT_KINDS(X)                                                            \
    X(FAULT_MEMORY, 1, ENOMEM)   /* mem_*, pages_* */                                    \
    X(FAULT_OPEN, 2, EMFILE)     /* opening a file or a folder, asking what a path is */ \
    X(FAULT_READ, 4, EIO)        /* bytes of a file, names of a folder */                \
    X(FAULT_MAP, 8, ENOMEM)      /* mapping a file */                                    \
    X(FAULT_WRITE, 16, ENOSPC)   /* write, flush, close, making a file or a folder */    \
    X(FAULT_RENAME, 32, EACCES)  /* a finished file takes its name */                    \
    X(FAULT_THREAD, 64, EAGAIN)  /* starting a thread */
typedef enum FaultKind {
#define FAULT_ENUM(name, bit, error) name = bit,
    FAULT_KINDS(FAULT_ENUM)
#undef FAULT_ENUM
    FAULT_ALL = 127
} FaultKind;

// The n-th following fault point (0: the next) of these kinds fails, on whatever thread it is; negative: none (default).
void fault_after(unsigned kinds, int64_t n);
// What has failed since fault_after: a FaultKind, or 0.
unsigned fault_met(void);
// How many fault points of its kinds were passed since fault_after(kinds, n), the failed one included.
int64_t fault_passed(void);

// For the places themselves: true when this one must fail; errno says why. `kind` is one of the above.
extern _Atomic int64_t fault_left; // before one fails; negative: none will
bool fault_count(FaultKind kind);
static inline bool fault_here(FaultKind kind) {
    return atomic_load_explicit(&fault_left, memory_order_relaxed) >= 0 && fault_count(kind);
}
