// The search: which configuration of each layer is measured next, and which is best. It knows nothing of networks and
// reads no clock: it proposes candidates and is told ratios.
//
// All layers are searched at once: one run of the whole network measures one candidate of every layer, each in the very
// place, with caches as warm or cold, that it will have. A trial is a pair: the same layers of the plan that stands
// (the incumbent), just before and after.
//
// A layer's candidates are first tried once each, in the tuner's order; those near the best are measured again, more
// and more exactly (successive halving: Jamieson & Talwalkar, AISTATS 2016), and what is left wins, if it beats the
// incumbent by more than a layer's noise.
#pragma once
#include "base/memory.h"
#include "base/rng.h"
#include "base/status.h"

typedef enum Tuner {
    TUNER_MODEL,  // by estimate
    TUNER_RANDOM, // by chance
    TUNER_GRID,   // as listed
    TUNER_COUNT
} Tuner;
bool tuner_from_name(const char *name, Tuner *out);

enum { CANDIDATE_RATIOS = 8 };
typedef enum CandidateState { UNTRIED, TRIED, REFUSED } CandidateState;
typedef struct Candidate {
    double estimate; // any unit; only the order counts
    CandidateState state;
    int n_ratios;
    double ratios[CANDIDATE_RATIOS]; // candidate / incumbent
} Candidate;
typedef struct SearchLayer {
    Candidate *candidates; // [0] is the incumbent, which is not tried
    int n_candidates;
    int tried, since_better; // first tries; those since the best one
} SearchLayer;
typedef struct SearchOptions {
    Tuner tuner;
    int trials;     // first tries a layer; 0: all candidates
    int early_stop; // ends a layer's first tries after so many without a better one; 0: never
    uint64_t seed;
} SearchOptions;
typedef struct Search {
    SearchOptions options;
    SearchLayer *layers;
    int n_layers;
    Rng rng;
} Search;

void search_begin(Search *search, SearchLayer *layers, int n_layers, const SearchOptions *options);
// picks[layer]: the candidate to be measured next, 0: none. False when no layer has any left.
bool search_next(Search *search, int *picks);
void search_tell(Search *search, int layer, int candidate, double ratio);
void search_refuse(Search *search, int layer, int candidate); // the planner would not take it
// The median of what was told; 1 for the incumbent, infinity where nothing was.
double candidate_ratio(const Candidate *candidate);
// The candidate that the layer should take: 0 where none was measured at least twice and found better by 1 %.
int search_best(const SearchLayer *layer);
