// Constant folding: what depends on constants only is computed once, by the reference (so that the bits are those of
// the unfolded graph run on the reference).
//
// Exporters write shapes as nodes: PyTorch's Upsample is Shape, Slice, Cast, Mul, Floor, Cast, Concat, Resize. Once
// the input's dims are known all of it is arithmetic on a few integers.
#include "pass/fold_walk.h"

enum { KIB = 1 << 10, MIB = 1 << 20 };

Status pass_resolve_shapes(Graph *graph) {
    static const FoldLimits limits = {.input_elements = 10000,
                                      .int_elements = 10000,
                                      .float_elements = 64,
                                      .bytes = 128 * KIB,
                                      .grown_bytes = 128 * KIB,
                                      .flop = 1e6,
                                      .total = 256 * MIB, // the budget is one for both walks
                                      .total_flop = 2e9};
    bool changed = false;
    TRY(fold_walk(graph, &limits, &changed));
    return changed ? graph_compact(graph) : ST_OK;
}

// Growing results are kept as nodes: a mebibyte expanded to a gibibyte is cheaper to compute than to store.
Status pass_fold_constants(Graph *graph, bool *changed) {
    static const FoldLimits limits = {.input_elements = 64 * MIB,
                                      .int_elements = 64 * MIB,
                                      .float_elements = 64 * MIB,
                                      .bytes = 64 * MIB,
                                      .grown_bytes = 16 * MIB,
                                      .flop = 1e9,
                                      .total = 256 * MIB,
                                      .total_flop = 2e9};
    return fold_walk(graph, &limits, changed);
}
