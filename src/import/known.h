// What is known of a value before a run: a constant, or what follows from constants and known dims. For what decides
// what the graph is: the condition of an If, how often a Loop goes round, axes that are computed.
#pragma once
#include "graph/graph.h"

typedef struct Known {
    Status (*resolve)(Graph *graph); // import.h; NULL: only a constant is known
    Arena *arena;                    // of the tensors that are handed out
    int64_t work;                    // nodes that were looked at so far; LIMIT_CONDITION at most, then nothing is known
} Known;

// *out NULL: not known; then *blame is the name of an input of the model that it depends on, or "".
Status known_value(Known *known, const Graph *graph, ValueId value, const Tensor **out, const char **blame);
