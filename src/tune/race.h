// The race: is the challenger faster than the incumbent, beyond the noise?
//
// Rounds of A B B A: two pairs, whose ratios of the challenger's time to the incumbent's a steady drift moves in
// opposite directions. A single run that something disturbed spoils one ratio, which the median does not mind. The
// challenger wins only when the whole 99 % interval of the median ratio lies below 1: of races between equals one in
// 200 is won, and one in 200 lost (docs/TUNING.md). Nothing here reads a clock.
#pragma once
#include "base/statistics.h"

// One run of the incumbent (which 0) or the challenger (1), in ms.
typedef Status RaceRun(void *context, int which, double *ms);
typedef struct Race {
    Ratio ratio;  // challenger / incumbent, 95 % interval
    double ms[2]; // medians
    int rounds;
    bool won, lost; // by the 99 % interval
} Race;
enum { RACE_LEAST = 10, RACE_MOST = 100 };
// rounds: of four runs each, RACE_LEAST..RACE_MOST. Both sides are warm.
Status race(RaceRun *run, void *context, int rounds, Race *out);
// So many rounds take about `seconds`, for a run of `ms`.
int race_rounds(double seconds, double ms);
