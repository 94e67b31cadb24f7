// A trial's runs: A B A B A (A: the plan that stands, B: the challenger), and what they say of a layer.
//
// All follow a run of the other plan, so that both find the caches in the same state. What disturbs a run makes it
// longer, never shorter: the lesser of the two Bs is compared with the mean of the lesser of the first two As and the
// lesser of the last two. As many runs stand behind each minimum, so that equals have a ratio of 1; how much less it
// varies than a ratio of means: docs/TUNING.md.
#pragma once

enum { TRIAL_RUNS = 5 };
extern const char trial_order[TRIAL_RUNS + 1]; // "ABABA"
typedef struct TrialRatio {
    double ratio;     // B / A; 0: no time was taken
    double low, high; // the least and the largest that neighbours, or the ratio itself, say
} TrialRatio;
TrialRatio trial_ratio(const double times[TRIAL_RUNS]); // any unit
