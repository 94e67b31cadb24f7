// Which runs took longer than the others, and what the system saw in them alone. Nothing here reads a clock or a
// counter. The rules and where they come from: docs/TUNING.md, "Steadiness".
#pragma once
#include "base/counters.h"
#include "base/status.h"
#include "base/text.h"

// Name in JSON, what stands behind its number, decimals, milliseconds that one of it costs at most.
#define CAUSES(X)                                                                                                      \
    X(STOLEN, "stolen", "ms stolen by the hypervisor", 0, 1)                                                           \
    X(WAITED, "waited", "ms ready without a CPU", 2, 1)                                                                \
    X(PREEMPTED, "preempted", "times preempted", 0, 6)                                                                 \
    X(MIGRATED, "migrated", "threads on another CPU", 0, 0.5)                                                          \
    X(DISK, "disk_faults", "pages read from disk", 0, 10)                                                              \
    X(FAULTS, "page_faults", "page faults", 0, 0.002)                                                                  \
    X(CLOCK, "clock", "MHz of clock", 0, 0)                                                                            \
    X(PACE, "pace", "ms for the fixed loop around it", 2, 0)                                                           \
    X(OTHERS, "others", "ms of other processes", 0, 1)
typedef enum Cause {
#define CAUSE_ENUM(name, word, phrase, decimals, ms) CAUSE_##name,
    CAUSES(CAUSE_ENUM)
#undef CAUSE_ENUM
    CAUSE_COUNT
} Cause;
const char *cause_name(Cause cause);

// What was counted while one run lasted, more is worse. CAUSE_CLOCK: nanoseconds of 1000 cycles; CAUSE_PACE:
// milliseconds of a fixed piece of arithmetic, mean of before and behind the run. NAN: not known.
typedef struct Disturbance {
    double seen[CAUSE_COUNT];
} Disturbance;
Disturbance disturbance_between(const Counters *before, const Counters *after, double pace_ms);
// Whether numbers of several runs add up to something.
static inline bool cause_has_sum(Cause cause) { return cause != CAUSE_CLOCK && cause != CAUSE_PACE; }
void cause_print(Cause cause, double seen, Text *text); // "3.25 ms ready without a CPU"

// What runs usually are like.
typedef struct Usual {
    double ms;                // the median of all runs
    size_t count;             // of usual runs: those that are no outliers
    Disturbance median, most; // of the usual runs
} Usual;
// ms: (count), count >= 1; seen: (count), or NULL where nothing was counted.
Status usual_of(const double *ms, const Disturbance *seen, size_t count, Usual *out);
// More than 5 % above the median.
bool is_outlier(double ms, const Usual *usual);
// Why a run took longer than usual, a set of 1 << Cause: what there was more of than in any usual run, if it can
// account for a quarter of the excess. 0: unexplained, or there are fewer than 10 usual runs to compare with.
unsigned causes_of(double ms, const Disturbance *seen, const Usual *usual);
