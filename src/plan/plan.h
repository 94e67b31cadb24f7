// The plan: how a graph with fixed shapes is computed on one kind of machine with one number of threads.
//
// Regions (an anchor op with the neighbours that it absorbs), a solver and configuration for each, the layouts between
// them (a change of layout is a step of its own), one arena with fixed offsets, and the phases that an executor runs.
// Immutable once made; holds pointers into the graph, which must outlive it.
#pragma once
#include "graph/graph.h"
#include "solver/solver.h"

// A solver and configuration for a region, from outside: of a stored plan, or one that is being tried. Names and
// numbers only: it is taken where it is one of the solver's own configurations for the region's problem.
typedef struct PlanChoice {
    const char *name; // of the value that the region makes
    const Solver *solver;
    Configuration configuration;
    bool scheduled; // false: only the arithmetic is meant, the schedule is estimated
} PlanChoice;

typedef struct PlanOptions {
    int threads;
    Precision precision;
    bool fuse;          // opt level 3: regions; without it every op is a step of its own
    bool reference;     // everything on the reference path
    double budget;      // most foreseen error; 0: plan_budget(precision)
    // Bytes that the plan may need (plan_bytes); 0: any number. Slower configurations that need less are taken until it
    // fits: first those that keep every bit. Beyond them the arithmetic may hang on the number of threads, whose
    // scratch counts. Where nothing fits the plan is the smallest.
    uint64_t memory;
    const Kernels *kernels; // instead of those of the machine's level, for tests; NULL: those
    // Instead of what is estimated to be best. None is taken that leads beyond `budget`, and none at all where the plan
    // would need more than `memory` with them.
    const PlanChoice *choices;
    int n_choices;
} PlanOptions;

typedef struct PlanStep {
    const char *name;   // of the value that it makes, as the source model has it
    const char *op;     // "Conv + Relu + MaxPool", "convert"
    const Solver *solver;
    Configuration configuration;
    Shape shape;        // of the value that it makes
    double flop;        // direct sums
    double bytes;       // read and written at least once: operands and plain weights
    double cycles;      // estimate
    double error;       // foreseen of the whole network's, by this step alone: rms / std before the last activation
    const char *why;    // not NULL: why no fast solver took it
    const char **parts; // names of all values that its nodes make, in the order of the graph; a "convert" has none, and
                        // of several steps that make a value the last one names it
    int n_parts;
    const Problem *problem; // with its final layouts
    // Its prepared weights: where they lie among the plan's, in bytes, and the phases that make them.
    size_t weights_at, weights_bytes;
    int prepare_at, n_prepare;
} PlanStep;

typedef struct Plan {
    Arena arena;
    PlanStep *steps;
    int n_steps;
    Phase *phases, *prepare;
    int n_phases, n_prepare;
    size_t arena_bytes, weights_bytes;
    size_t scratch_bytes; // per worker, of phases and prepare
    double error;         // foreseen: an upper mark of rms / std before the last activation (budget.c)
    int threads;
    Isa isa;
    const Graph *graph;
} Plan;

// Whether the step's solver was chosen among ways to compute a problem; not so conversions, copies and the reference.
bool plan_step_has_choice(const PlanStep *step);
// The error that a network may have: rms / std before its last activation (docs/NUMERICS.md).
double plan_budget(Precision precision);

// The graph must have static types everywhere (passes_run / pass_resolve_shapes). ST_UNSUPPORTED names a value whose
// shape is not known.
Status plan_create(const Graph *graph, const Machine *machine, const PlanOptions *options, Plan **out);
void plan_free(Plan *plan);
// Arena, prepared weights, and scratch of all threads.
uint64_t plan_bytes(const Plan *plan);
// One line a step: name, op, shape, solver, configuration.
Status plan_print(const Plan *plan, Text *text);
// SHA-256 (hex) over the printed steps, ISA and threads.
Status plan_hash(const Plan *plan, char hex[65]);
