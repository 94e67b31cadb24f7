#include "tune/trial.h"
#include "base/memory.h"

const char trial_order[TRIAL_RUNS + 1] = "ABABA";

TrialRatio trial_ratio(const double times[TRIAL_RUNS]) {
    const double first = times[0], middle = times[2], last = times[4];
    if (first <= 0 || middle <= 0 || last <= 0) return (TrialRatio){0, 0, 0};
    const double ratio = 2 * MIN(times[1], times[3]) / (MIN(first, middle) + MIN(middle, last));
    const double pairs[] = {2 * times[1] / (first + middle), 2 * times[3] / (middle + last)};
    return (TrialRatio){ratio, MIN(ratio, MIN(pairs[0], pairs[1])), MAX(ratio, MAX(pairs[0], pairs[1]))};
}
