// The search: which configuration of each layer is measured next, and which is best. It knows nothing of networks and
// reads no clock: it proposes candidates and is told ratios.
//
// All layers are searched at once: one run of the whole network measures one candidate of every layer, each in the very
// place, with caches as warm or cold, that it will have. A trial is a pair: the same layers of the plan that stands
// (the incumbent), just before and after.
//
// A layer's candidates are tried once each, in the tuner's order; what seems to be the best is measured again at once,
// so that whatever ends the search, its best is no lucky measurement. Once the tuner has gone where it hoped for
// something, those near the best are measured again, more and more exactly (successive halving: Jamieson & Talwalkar,
// AISTATS 2016); then the rest is tried. What is left wins, if it beats the incumbent by more than a layer's noise.
//
// model: of each kind that was not tried the lowest estimate, as long as that promises something; then coordinate
// descent: those that differ from the best one in one knob, the next value and the lowest estimate in turn; among them,
// now and then, what has the lowest estimate of all.
//
// ga: a genetic algorithm as AutoTVM's (T. Chen et al., Learning to Optimize Tensor Programs, NeurIPS 2018):
// generations of 16, the first by chance; the next from two parents each, one point at which they are crossed, every
// knob mutated with a chance of 1 in 10. Parents are the last generation and the best 3 of all, the better of two
// taken. A child that is not in the list, or was tried, gives way to the untried candidate that is most like it.
//
// xgb: by chance until there are scores, then the highest one, and one in 20 by chance.
#pragma once
#include "base/memory.h"
#include "base/rng.h"
#include "base/status.h"

typedef enum Tuner {
    TUNER_MODEL,  // by estimate, then around the best
    TUNER_RANDOM, // by chance
    TUNER_GRID,   // as listed
    TUNER_GA,     // bred from good ones
    TUNER_XGB,    // by a model that is learnt meanwhile (xgb.h)
    TUNER_COUNT
} Tuner;
bool tuner_from_name(const char *name, Tuner *out);

enum { CANDIDATE_RATIOS = 8 };
typedef enum CandidateState { UNTRIED, TRIED, REFUSED } CandidateState;
enum { CANDIDATE_KNOBS = 13, CANDIDATE_KIND = 8 }; // those of one kind have the first CANDIDATE_KIND in common
typedef struct Candidate {
    double estimate;               // any unit; only ratios count
    double score;                  // XGB: what the model makes of it, higher is better
    double near, off;              // MODEL: what measured ones say of it, see search.c
    int32_t knob[CANDIDATE_KNOBS]; // what it is: its solver, the numbers of its configuration
    CandidateState state;
    int n_ratios;
    int turn;                        // of its first try among the layer's, from 1
    double ratios[CANDIDATE_RATIOS]; // candidate / incumbent
} Candidate;
typedef struct SearchLayer {
    Candidate *candidates; // [0] is the incumbent, which is not tried
    int n_candidates;
    int tried, since_better; // first tries; those since the best one
    int generation;          // GA: turns before the one that is being bred
    bool scored;             // XGB: its candidates have scores
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
    bool settling; // set by the caller when half of its time is over: nothing new is tried, the best are measured again
    Rng rng;
} Search;

void search_begin(Search *search, SearchLayer *layers, int n_layers, const SearchOptions *options);
// picks[layer]: the candidate to be measured next, 0: none. False when no layer has any left.
bool search_next(Search *search, int *picks);
void search_tell(Search *search, int layer, int candidate, double ratio);
void search_refuse(Search *search, int layer, int candidate); // the planner would not take it
// The median of what was told, of an even number the upper one: what disturbs an incumbent makes its challenger look
// lucky, and of two measurements the worse one is seldom that. 1 for the incumbent, infinity where nothing was told.
double candidate_ratio(const Candidate *candidate);
// What a layer has to gain for another configuration to be taken.
extern const double search_least_gain;
// The candidate that the layer should take: 0 where none was measured at least twice and found better by 1 %.
int search_best(const SearchLayer *layer);
