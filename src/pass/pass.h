// Passes: machine-independent rewrites graph -> graph, one file each, listed in one table (table.c) in the order in
// which they run. A pass may look at shapes, dtypes and constants; it measures nothing and knows no machine.
//
// What every pass keeps: the graph's inputs and outputs, their names and types, and the meaning of every value that
// stays (a value is never given the name of another one). Results stay the same bits unless the pass's file says
// which rounding changes. What a pass does not recognise with certainty it leaves alone.
#pragma once
#include "graph/graph.h"

typedef struct Pass {
    const char *name;
    int level; // runs at this opt level and above: 0 as is, 1 clean-up, 2 folding of normalisation and algebra
    Status (*run)(Graph *graph, bool *changed); // sets *changed when it rewrote something; never clears it
} Pass;
const Pass *pass_table(size_t *count);
const Pass *pass_find(const char *name); // NULL when there is none

// Called after each pass with the graph as it left it. round: 1, 2 ... An error ends the run and is handed on.
typedef Status PassObserver(void *context, const Pass *pass, int round, bool changed, const Graph *graph);

// Runs the passes of levels 0 to `opt_level` in order, again and again until none of them changes anything (a few
// rounds at most). After each pass the graph is compacted, its types are inferred and it is verified. observer may
// be NULL. ST_BAD: the graph is inconsistent (its shapes do not go together). A failed run leaves a graph that can
// only be freed. Beyond 20,000 nodes only level 0 runs (a rewrite looks through the graph for a value's uses).
Status passes_run(Graph *graph, int opt_level, PassObserver *observer, void *context);

// Rounds what convolutions multiply to bf16 (round_products.c). Types must be static.
Status pass_round_products(Graph *graph);

// Level 0, and part of every other: infers types and computes shapes. Arithmetic on small integer, bool and float
// constants (at most 10,000 elements; 64 when floats) becomes constants, so does what is known of the shape of a
// value: Resize sizes, Reshape shapes and the like that an exporter wrote as nodes. Called again once the free dims
// of the inputs are bound. Takes time linear in the graph.
Status pass_resolve_shapes(Graph *graph);
