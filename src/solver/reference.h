// What the reference solver needs of a problem: the node itself. The only door from solvers to src/reference.
#pragma once
#include "graph/graph.h"
#include "thread/work.h"

typedef struct ReferenceProblem {
    const Node *node;
    const Tensor *inputs;    // (node->n_inputs) dtype DT_NONE: absent; data not NULL: a constant
    const Ref *input_refs;   // where the others lie, plain
    const Tensor *outputs;   // (node->n_outputs) dtype DT_NONE: not wanted
    const Ref *output_refs;
} ReferenceProblem;
