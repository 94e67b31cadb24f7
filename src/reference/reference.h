// The oracle: every op as one plain function, with double accumulators for floats and exact integers. What every
// kernel, pass and importer is tested against; also what runs where no fast solver applies. Slow, never clever.
//
// float16 and bfloat16 are read and written through float32. Integers wrap to their type. NaN and infinities go
// through as numpy's do. Everything is one-threaded and gives the same bits on every machine with the same libm.
#pragma once
#include "graph/graph.h"

// Evaluates one node. inputs[i]: NULL where absent (node->n_inputs of them). Types of the outputs follow from the
// inputs by infer_node; outputs[0 .. node->n_outputs) get their data in `arena`.
// ST_BAD: inputs that do not go together, or a value among them that cannot be (an index outside, an integer
// division by zero); ST_UNSUPPORTED; ST_RESOURCE.
Status reference_node(const Node *node, const Tensor *const *inputs, Arena *arena, Tensor *outputs);

// Sees the outputs of each node as soon as they are there (node->n_outputs tensors, valid during the call only).
// Anything but ST_OK ends the run with that status.
typedef Status ReferenceObserver(void *context, const Graph *graph, const Node *node, const Tensor *outputs);

// Runs a whole graph. inputs: as graph->inputs, in that order; symbols are bound by their shapes. outputs: as
// graph->outputs, data in `arena`. Tensors in between are given back after their last use. observer may be NULL.
// ST_BAD names an input whose dtype or shape does not fit.
Status reference_run(const Graph *graph, const Tensor *inputs, Tensor *outputs, Arena *arena,
                     ReferenceObserver *observer, void *context);

// The yardstick for errors: as reference_run, but every value of a float type is held as float64 from the inputs
// (which may be given as float64 too) to the outputs, and a cast between float types changes nothing.
Status reference_run_double(const Graph *graph, const Tensor *inputs, Tensor *outputs, Arena *arena,
                            ReferenceObserver *observer, void *context);
