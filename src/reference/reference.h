// The oracle: every op as one plain function, with double accumulators for floats and exact integers. What every
// kernel, pass and importer is tested against; also what runs where no fast solver applies. Slow, never clever.
//
// float16 and bfloat16 are read and written through float32. Integers wrap to their type. NaN and infinities go
// through as numpy's do. The same bits on every machine with the same libm, on one thread as on several.
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

// Other people's threads, for the operators that take long (convolutions). `run` calls unit(arguments, i, scratch) for
// i in 0 .. units - 1, in any order and at once; each call has `scratch` bytes for itself, aligned for doubles.
typedef void ReferenceUnit(const void *arguments, int64_t unit, void *scratch);
typedef struct ReferenceThreads {
    Status (*run)(void *context, ReferenceUnit *unit, const void *arguments, int64_t units, size_t scratch);
    void *context;
} ReferenceThreads;
typedef struct ReferenceOptions {
    bool in_double; // as reference_run_double
    ReferenceObserver *observer;
    void *context;
    const ReferenceThreads *threads; // NULL: the caller's alone
} ReferenceOptions;
Status reference_run_with(const Graph *graph, const Tensor *inputs, Tensor *outputs, Arena *arena,
                          const ReferenceOptions *options);
