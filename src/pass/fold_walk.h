// One walk over the graph that infers types and evaluates what is constant. Private to src/pass.
#pragma once
#include "pass/rewrite.h"

// What a node may cost to be evaluated now. All inputs are constants; each limit is for one node but the last two.
typedef struct FoldLimits {
    int64_t input_elements; // of each input
    int64_t int_elements;   // of each output of integers or bools
    int64_t float_elements; // of each output of floats
    int64_t bytes;          // of all outputs together
    int64_t grown_bytes;    // the same where the outputs are more than twice as large as the inputs
    double flop;
    // Of all walks over the graph together. `total`: bytes of what was folded, beside four times the constants that it
    // came with (half floats that become floats, weights that are written in another form).
    int64_t total;
    double total_flop;
} FoldLimits;

// Beyond the constants, integers that are known from shapes count as known (known_ints.h), and a Reshape gets a
// constant shape where dims are copied (0) or one dim is left to infer (-1). Graph outputs stay outputs of nodes.
Status fold_walk(Graph *graph, const FoldLimits *limits, bool *changed);
