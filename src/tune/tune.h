// Tuning a network: measure the candidates of its layers inside the network, put the best together, and race the whole.
#pragma once
#include "session/session.h"
#include "tune/race.h"
#include "tune/recall.h"
#include "tune/search.h"
#include "tune/watch.h"

// What is tuned. Everything must outlive the call.
typedef struct TuneSubject {
    const Graph *graph; // static shapes
    const Machine *machine;
    PlanOptions plan; // of the incumbent; its choices are those of a stored plan
    const PlainWeights *plain;
    const Tensor *inputs;
    Tensor *outputs;
} TuneSubject;
typedef struct TuneOptions {
    SearchOptions search;
    double seconds;    // for all of it, about: the search may take four fifths
    const char *layer; // only this one; NULL: all
    bool same_bits;    // schedules only: the arithmetic of every layer stays
    const char *wisdom; // file that is read, and that trials are added to; NULL: none
    bool resume;        // what wisdom says of this machine and incumbent counts as measured
    bool from_wisdom;   // nothing is measured: what wisdom holds for the best is raced
    // Told what is done; anything but ST_OK ends the tuning: ST_CANCELLED by the user. While candidates are measured
    // ST_CANCELLED ends the measuring only: the best so far races, in as few rounds as a race may have.
    Status (*progress)(void *context, const char *stage, double done, double total);
    void *progress_context;
} TuneOptions;

typedef struct TunedLayer {
    const PlanStep *step; // of the incumbent's plan
    double share;         // of the network's time
    int n_configurations; // that the layer could have, with the incumbent's
    int tried, refused;   // refused: the planner would not take it (error budget, memory)
    const Solver *solver; // the best found: the incumbent's where nothing was better
    Configuration configuration;
    double ratio;        // its time / the incumbent's, as measured in the network; 1 where nothing changes
    const char *untuned; // why nothing was measured; NULL: it was
} TunedLayer;
typedef struct Tuned {
    TunedLayer *layers; // those with a choice, in order
    int n_layers, trials, changed;
    bool complete; // the search came to its end before its time
    bool stopped;  // the user ended it
    bool raced;    // else nothing was better in any layer
    // In the first trial each layer is its own challenger: how far its ratio is from 1, of the layers with 1 % of the
    // time and more. Median, and the most; no layers: not measured.
    double noise, noise_most;
    int noise_layers;
    Race race;
    Recall recall;
    Watch measured, racing;        // what else the machine did
    RaceWatch runs;                // of the race
    double promised; // of the network's time, by the ratios of its layers: 1 where nothing changes. The race decides
    double run_ms;                 // of the incumbent, the least of a few runs
    Executable *incumbent, *tuned; // tuned NULL: not raced. To be released by the caller
} Tuned;

// Lists the layers and how many configurations each has; measures nothing.
Status tune_list(const TuneSubject *subject, const TuneOptions *options, Arena *arena, Tuned *out);
Status tune(const TuneSubject *subject, const TuneOptions *options, Arena *arena, Tuned *out);
// Races the untuned plan, as the challenger, against the one with the subject's choices, in as few rounds as a race may
// have: a plan that was stored long ago, or by an older stent, may have become the slower one.
Status tune_recheck(const TuneSubject *subject, const TuneOptions *options, Race *out);
