// bench: how steady the runs were.
#pragma once
#include "app/app.h"
#include "measure/disturbance.h"

// Four decimals: a tenth of a microsecond.
static inline double rounded_ms(double ms) { return (double)(int64_t)(ms * 1e4 + 0.5) / 1e4; }

typedef struct Runs {
    const double *ms;        // (count)
    const Disturbance *seen; // (count), or NULL: nothing was counted
    size_t count;            // >= 1
} Runs;
// Adds the keys `drift` and `outliers`, where it was counted with their causes and the keys `disturbances` and
// `loop`, and lines for people. list: also a line for each run.
Status tell_steadiness(const Runs *runs, bool list, struct stent_result *result);
