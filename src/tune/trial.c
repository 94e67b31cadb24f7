#include "tune/trial.h"
#include "base/memory.h"

const char trial_order[TRIAL_RUNS + 1] = "ABABA";

TrialRatio trial_ratio(const double times[TRIAL_RUNS]) {
    const double first = times[0], middle = times[2], last = times[4];
    const double median = MAX(MIN(first, middle), MIN(MAX(first, middle), last));
    const double before = (first + middle) / 2, behind = (middle + last) / 2;
    if (first <= 0 || middle <= 0 || last <= 0) return (TrialRatio){0, 0, 0};
    const double ratio = (times[1] + times[3]) / (2 * median), pairs[] = {times[1] / before, times[3] / behind};
    return (TrialRatio){ratio, MIN(ratio, MIN(pairs[0], pairs[1])), MAX(ratio, MAX(pairs[0], pairs[1]))};
}
