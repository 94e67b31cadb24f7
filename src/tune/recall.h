// Wisdom and the search: what the lines of a file say of the layers at hand, and what a trial adds to it.
#pragma once
#include "machine/machine.h"
#include "solver/solver.h"
#include "tune/search.h"
#include "tune/trial.h"
#include "wisdom/wisdom.h"

// A way to compute a layer.
typedef struct Way {
    const Solver *solver;
    Configuration configuration;
} Way;
// "conv_winograd/2 4,128,0,0,0,0 0,12,1,0,0,0": solver and version, arithmetic, schedule.
void way_print(const Way *way, Text *text);
// CPU and caches, which with ISA and threads make the kind of machine that a ratio was measured on.
void machine_print(const Machine *machine, Text *text);

typedef struct Remembered {
    int incumbent, candidate; // ways
    double ratio;
    bool here; // on this kind of machine, with as many threads; else elsewhere with this ISA
} Remembered;
typedef struct RecallLayer {
    const Problem *problem;
    const Way *ways; // [0]: the incumbent
    int n_ways;
    Remembered *comparisons; // the newest that were read: a ring
    int64_t n_comparisons;   // read in all
    // keys
    uint64_t problem_key, *way_keys;
} RecallLayer;
enum { RECALL_COMPARISONS = 4096 }; // kept for a layer
typedef struct Recall {
    const char *path; // NULL: no wisdom
    const char *isa, *machine;
    int threads;
    RecallLayer *layers;
    int n_layers;
    WisdomCount count;
    int64_t here, elsewhere; // lines that belong to the layers
    int64_t resumed;         // ratios that were told to the search
    int64_t written;         // lines
    bool lost;               // lines could not be written
    Arena *arena;
} Recall;

// layers: problem, ways and n_ways are set; the rest is made in `arena`. The texts must outlive the recall.
Status recall_begin(Recall *recall, RecallLayer *layers, int n_layers, Arena *arena);
// Reads the file. ST_OK also where it cannot be read, which is told in a note.
Status recall_read(Recall *recall);
// What the comparisons and the estimates together foresee for each way, as a ratio to the incumbent. Each comparison is
// an equation for the logarithms of two ways' times, weighted: 1 for those here, 0.2 for those elsewhere, 0.02 for what
// the estimate says of a way and the incumbent; solved for least squares (damped Jacobi). estimates, ratios: of n_ways.
Status recall_foresee(const RecallLayer *layer, const double *estimates, double *ratios);
// Whether a comparison speaks of the way.
bool recall_knows(const RecallLayer *layer, int way);
// Tells the search what was measured here against the very incumbent, so that it is not measured again.
void recall_resume(Recall *recall, Search *search);

// One layer's part of a trial. Adds a line to `text`, where there is wisdom and the ratios are no nonsense.
Status recall_line(const Recall *recall, int layer, int candidate, const TrialRatio *measured, Text *text);
// Adds the lines of a trial to the file; once that fails, a note, and no more.
void recall_write(Recall *recall, const Text *lines);
