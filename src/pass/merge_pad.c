// A Pad by zeros along the spatial dims becomes the pads of the Conv or AveragePool that follows. The sums are the
// same bits: where the Pad wrote a zero, the convolution now counts one.
//
// Not for MaxPool, whose own pads are minus infinity. AveragePool divides by the pixels of its window; those of the
// Pad were among them, so that count_include_pad becomes 1, which is the same only if the pool had no pads of its own
// or counted them already, and only without ceil_mode (which cuts the count of windows that stick out).
#include "pass/rewrite.h"
#include <string.h>

// pads[2 * rank]: all begins, then all ends. False unless the Pad writes zeros, adds only, and is constant.
static bool zero_pads(const Graph *graph, const Node *pad, int rank, int64_t *pads) {
    int64_t listed[MAX_INTS], axes[MAX_INTS];
    int n_listed, n_axes = rank;
    if (strcmp(node_string(pad, "mode", "constant"), "constant")) return false;
    if (node_has_input(pad, 2) && !constant_all(graph, pad->inputs[2], 0)) return false;
    if (!constant_ints(graph, pad->inputs[1], listed, &n_listed)) return false;
    for (int i = 0; i < rank; i++) axes[i] = i;
    if (node_has_input(pad, 3) && !constant_axes(graph, pad, 3, rank, axes, &n_axes)) return false;
    if (n_listed != 2 * n_axes) return false;
    memset(pads, 0, 2 * (size_t)rank * sizeof *pads);
    for (int i = 0; i < n_axes; i++) {
        if (listed[i] < 0 || listed[n_axes + i] < 0) return false;
        pads[axes[i]] = listed[i];
        pads[rank + axes[i]] = listed[n_axes + i];
    }
    return true;
}

static bool has_no_pads(const Node *node) {
    const int64_t *pads;
    const size_t count = node_ints(node, "pads", &pads);
    for (size_t i = 0; i < count; i++)
        if (pads[i] != 0) return false;
    return true;
}

static bool can_take_pads(const Node *node) {
    const char *const auto_pad = node_string(node, "auto_pad", "NOTSET");
    if (strcmp(auto_pad, "NOTSET") && strcmp(auto_pad, "VALID")) return false;
    if (node->op == OP_Conv) return true;
    return node->op == OP_AveragePool && !node_int(node, "ceil_mode", 0) &&
           (has_no_pads(node) || node_int(node, "count_include_pad", 0));
}

// The node's own pads and `more` (of all dims), as its attribute; false where a sum is beyond what a window may have.
static bool sum_pads(const Node *node, int rank, const int64_t *more, int64_t *pads) {
    const int spatial = rank - 2;
    const int64_t *own;
    const bool valid = !strcmp(node_string(node, "auto_pad", "NOTSET"), "VALID");
    const size_t count = valid ? 0 : node_ints(node, "pads", &own);
    for (int i = 0; i < 2 * spatial; i++) {
        const int64_t extra = i < spatial ? more[i + 2] : more[rank + i - spatial + 2];
        pads[i] = (size_t)i < count ? own[i] : 0;
        if (!add_i64(pads[i], extra, &pads[i]) || pads[i] > INT32_MAX) return false;
    }
    return true;
}

// A pool's window must not lie in the padding alone.
static bool reaches_input(const Node *pool, int spatial, const int64_t *pads) {
    const int64_t *kernel, *dilations;
    const size_t n_kernel = node_ints(pool, "kernel_shape", &kernel), n = node_ints(pool, "dilations", &dilations);
    for (int i = 0; i < 2 * spatial && n_kernel == (size_t)spatial; i++) {
        const int64_t step = n == (size_t)spatial ? dilations[i % spatial] : 1;
        if (pads[i] > step * (kernel[i % spatial] - 1)) return false;
    }
    return n_kernel == (size_t)spatial;
}

static Status merge_pad(Graph *graph, Node *node, bool *changed) {
    if (!can_take_pads(node)) return ST_OK;
    const Node *const pad = made_by(graph, node->inputs[0], OP_Pad);
    const int rank = pad ? input_type(graph, node, 0)->rank : 0;
    int64_t pads[2 * MAX_RANK], sum[2 * MAX_RANK];
    if (rank < 3 || !zero_pads(graph, pad, rank, pads)) return ST_OK;
    if (pads[0] || pads[1] || pads[rank] || pads[rank + 1]) return ST_OK; // batch or channels
    if (!sum_pads(node, rank, pads, sum)) return ST_OK;
    if (node->op == OP_AveragePool && !reaches_input(node, rank - 2, sum)) return ST_OK;
    node_unset(node, "auto_pad");
    TRY(node_set_ints(graph, node, "pads", sum, 2 * (size_t)rank - 4));
    if (node->op == OP_AveragePool) TRY(node_set_int(graph, node, "count_include_pad", 1));
    node->inputs[0] = pad->inputs[0];
    *changed = true;
    return ST_OK;
}

Status pass_merge_pad(Graph *graph, bool *changed) {
    static Rewrite *const rewrites[] = {merge_pad};
    return rewrite_nodes(graph, rewrites, COUNT_OF(rewrites), changed);
}
