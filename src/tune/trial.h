// A trial's runs: A B A B A (A: the plan that stands, B: the challenger), and what they say of a layer.
//
// All follow a run of the other plan, so that both find the caches in the same state; a B between two As has their
// mean, and the middle A that of both Bs, whatever drifts steadily. The median of the As is what Bs are compared with:
// a disturbed A would make its challenger look lucky.
#pragma once

enum { TRIAL_RUNS = 5 };
extern const char trial_order[TRIAL_RUNS + 1]; // "ABABA"
typedef struct TrialRatio {
    double ratio;     // B / A; 0: no time was taken
    double low, high; // the least and the largest that the runs have beside each other
} TrialRatio;
TrialRatio trial_ratio(const double times[TRIAL_RUNS]); // any unit
