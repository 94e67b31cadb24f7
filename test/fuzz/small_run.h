// What stands behind the readers, where a graph is small enough for it: free dims are bound, the graph is planned,
// prepared and run once.
#pragma once
#include "graph/graph.h"

// inputs: tensors for the graph's inputs, or NULL (zeros). Large or free graphs: ST_OK, nothing done.
Status small_run(Graph *graph, const Tensor *inputs);
