// Work: what a solver lowers to and an executor runs.
//
// A phase is a number of independent units with disjoint outputs. Units are fixed when a plan is made; who takes one
// is not, so a busy core delays little and the bits never depend on the number of threads.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Memory is named by base and offset, so that one immutable plan serves many sessions.
enum {
    BASE_ARENA,    // the session's arena
    BASE_WEIGHTS,  // prepared weights of the executable
    BASE_SESSION,  // the session's RunState
    BASE_EXTERNAL  // BASE_EXTERNAL + i: graph inputs, then graph outputs, in the caller's memory
};
typedef struct Ref {
    int32_t base;
    size_t offset; // bytes
} Ref;
static inline void *ref_at(char *const *bases, Ref ref) { return bases[ref.base] + ref.offset; }
static inline Ref ref_add(Ref ref, int64_t bytes) { return (Ref){ref.base, ref.offset + (size_t)bytes}; }

// What units say of a run beside their results.
typedef struct RunState {
    int status;        // for the few that can fail: the first failure, a Status (0: none)
    atomic_bool lost;  // values that plain fp32 sums would keep may be lost (run_note_lost)
    char message[512];
} RunState;
// A solver that is not made of plain sums calls it where a result is not finite, or is not what plain sums would give for
// values so large or small. The session then repeats the run in strict.
static inline void run_note_lost(char *const *bases) {
    atomic_store_explicit(&((RunState *)bases[BASE_SESSION])->lost, true, memory_order_relaxed);
}

// What a run took for a step (for the profiler).
typedef struct StepTime {
    uint64_t ns;      // from barrier to barrier
    uint64_t waiting; // of it, what threads waited at the barriers for the last one, all together
} StepTime;

// Computes unit number `unit` of a phase. scratch: the worker's own memory, 64-byte aligned, contents undefined.
typedef void UnitFunction(const void *arguments, char *const *bases, int64_t unit, void *scratch);
typedef struct Phase {
    UnitFunction *run;
    const void *arguments; // lives as long as the plan
    int64_t units;
    size_t scratch;        // bytes per worker
    bool joins_previous;   // no barrier before this phase: independent of the phase before it
    int step;              // number of the plan's step it belongs to (for the profiler)
} Phase;
