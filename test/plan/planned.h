// Runs plans in hostile surroundings, for tests: arena, weights, scratch and outputs hold NaN beforehand; the first
// three are of exactly the size that the plan asks for, between inaccessible pages (guard.h). The units of phases that
// may run together come in a shuffled order, then the same plan runs again over what the first run left, on a pool.
// Bits must be equal.
#pragma once
#include "plan/plan.h"
#include "test.h"

typedef struct Setting {
    Isa isa;
    int threads;
    bool fuse, reference;
    Precision precision;
    uint64_t memory; // PlanOptions.memory; where it is set, caches are those of planned_machine
    const PlanChoice *choices;
    int n_choices;
} Setting;

Graph *planned_graph(const char *text); // ends the test when the text is wrong
// Tensors of the graph's inputs: normal random numbers, small counts in integers; of its outputs: full of 0xff.
Tensor *planned_inputs(const Graph *graph, uint64_t seed, Arena *arena);
Tensor *planned_outputs(const Graph *graph, Arena *arena);
Isa planned_best_isa(void);
// The levels that plans can be made for, those above the machine's emulated (kernel/emulated.h), AMX only where it is
// asked for. ISA_COUNT: none is left.
Isa planned_next(int isa, bool amx);
#define EACH_PLANNED_ISA(isa, amx)                                                                                     \
    Isa isa = planned_next(0, amx);                                                                                    \
    isa < ISA_COUNT;                                                                                                   \
    isa = planned_next(isa + 1, amx)
// This machine with 1 MB of L2 and 32 MB of L3: what is chosen for its memory is then the same everywhere.
Machine planned_machine(Isa isa);

// False, with a failed check that names `what`, when the plan cannot be made, a run fails or two runs differ.
bool planned_run(const char *what, const Graph *graph, const Tensor *inputs, const Setting *setting, Tensor *outputs);
// Each output against the expected one: rms / standard deviation at most `tolerance`; integers equal; non-finite values
// at the same places.
bool planned_compare(const char *what, const Graph *graph, const Tensor *actual, const Tensor *expected,
                     double tolerance);
// The largest rms / standard deviation of the floating-point outputs.
double planned_error(const Graph *graph, const Tensor *actual, const Tensor *expected);
bool planned_same_bits(const char *what, const Graph *graph, const Tensor *a, const Tensor *b);
// The text on every ISA, with and without fusion, strict and not, on 1 to 3 threads, against the reference.
void planned_check(const char *file, int line, const char *text, double tolerance);
#define CHECK_PLANNED(text) planned_check(__FILE__, __LINE__, text, 1e-5)
// The printed plan on the best ISA (mem_free).
char *planned_text(const Graph *graph, const Setting *setting);

// A random network as text, the same for the same seed. It has inputs, outputs of all kinds and a few thousand values.
void random_network(uint64_t seed, Text *text);
