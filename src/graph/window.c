// Sliding windows: from attributes and an input's shape to pads and output sizes.
//
//      pad_begin       input        pad_end        reach = dilation * (kernel - 1) + 1, what one window spans
//     |---------|----------------|---------|
//     |=reach=|                                    output = (pad_begin + input + pad_end - reach) / stride + 1
//        |=reach=| ...             ceil_mode: rounded up, but the last window must start in pad_begin or the input
//      stride
//
// ConvTranspose is the gradient of that: output = stride * (input - 1) + output_padding + reach - pads.
#include "graph/infer.h"
#include <string.h>

// With no number above this, no sum of products below overflows.
static const int64_t LARGEST = INT32_MAX;

static Status read_list(const Node *node, const char *name, int count, int64_t min, int64_t *out) {
    const int64_t *values;
    const size_t got = node_ints(node, name, &values);
    if (got == 0) return ST_OK;
    FAIL_IF(got != (size_t)count, ST_BAD, "attribute '%s': expected %d numbers, got %zu", name, count, got);
    for (int i = 0; i < count; i++) {
        FAIL_IF(values[i] < min || values[i] > LARGEST, ST_BAD, "attribute '%s': expected numbers from %lld, got %lld",
                name, (long long)min, (long long)values[i]);
        out[i] = values[i];
    }
    return ST_OK;
}

static int64_t reach(const Window *window, int axis) { return window->dilation[axis] * (window->kernel[axis] - 1) + 1; }

static Status read_kernel(const Node *node, const int64_t *weight_kernel, Window *out) {
    TRY(read_list(node, "kernel_shape", out->spatial, 1, out->kernel));
    for (int i = 0; i < out->spatial; i++) {
        const int64_t dim = weight_kernel ? weight_kernel[i] : DIM_UNKNOWN;
        FAIL_IF(out->kernel[i] > 0 && dims_clash(dim, out->kernel[i]), ST_BAD,
                "attribute 'kernel_shape': expected %lld like the weights, got %lld", (long long)dim,
                (long long)out->kernel[i]);
        if (out->kernel[i] == 0 && dim_known(dim)) out->kernel[i] = dim;
        FAIL_IF(out->kernel[i] == 0 && !weight_kernel, ST_BAD, "attribute 'kernel_shape' is missing");
        FAIL_IF((out->kernel[i] < 1 && dim_known(dim)) || out->kernel[i] > LARGEST, ST_BAD,
                "expected a kernel of at least 1, got %lld", (long long)out->kernel[i]);
    }
    return ST_OK;
}

Status window_read(const Node *node, int spatial, const int64_t *weight_kernel, Window *out) {
    FAIL_IF(spatial < 1 || spatial > 3, ST_UNSUPPORTED, "expected 1 to 3 spatial dims, got %d", spatial);
    *out = (Window){.spatial = spatial, .group = node_int(node, "group", 1)};
    for (int i = 0; i < spatial; i++) out->stride[i] = out->dilation[i] = 1;
    int64_t pads[6] = {0};
    TRY(read_kernel(node, weight_kernel, out));
    TRY(read_list(node, "strides", spatial, 1, out->stride));
    TRY(read_list(node, "dilations", spatial, 1, out->dilation));
    TRY(read_list(node, "pads", 2 * spatial, 0, pads));
    TRY(read_list(node, "output_padding", spatial, 0, out->output_padding));
    FAIL_IF(out->group < 1 || out->group > LARGEST, ST_BAD, "attribute 'group': expected at least 1, got %lld",
            (long long)out->group);
    const char *automatic = node_string(node, "auto_pad", "NOTSET");
    const bool notset = strcmp(automatic, "NOTSET") == 0;
    FAIL_IF(!notset && strcmp(automatic, "VALID") && strcmp(automatic, "SAME_UPPER") && strcmp(automatic, "SAME_LOWER"),
            ST_BAD, "attribute 'auto_pad': expected NOTSET, VALID, SAME_UPPER or SAME_LOWER, got '%s'", automatic);
    for (int i = 0; i < spatial; i++) {
        out->pad_begin[i] = notset ? pads[i] : 0;
        out->pad_end[i] = notset ? pads[spatial + i] : 0;
        FAIL_IF(out->output_padding[i] >= MAX(out->stride[i], out->dilation[i]) && out->output_padding[i] > 0, ST_BAD,
                "attribute 'output_padding': expected less than stride or dilation, got %lld",
                (long long)out->output_padding[i]);
    }
    return ST_OK;
}

static bool pads_same(const Node *node) { return text_starts(node_string(node, "auto_pad", "NOTSET"), "SAME"); }

// The odd one goes to the end for SAME_UPPER, else to the beginning.
static void share_pads(const Node *node, int axis, int64_t total, Window *window) {
    const bool upper = strcmp(node_string(node, "auto_pad", "NOTSET"), "SAME_UPPER") == 0;
    window->pad_begin[axis] = upper ? total / 2 : total - total / 2;
    window->pad_end[axis] = total - window->pad_begin[axis];
}

static Status forward_axis(const Node *node, int axis, Window *window) {
    const int64_t input = window->input[axis], stride = window->stride[axis], span = reach(window, axis);
    if (pads_same(node)) {
        window->output[axis] = div_up(input, stride);
        share_pads(node, axis, MAX(0, (window->output[axis] - 1) * stride + span - input), window);
        return ST_OK;
    }
    const int64_t begin = window->pad_begin[axis], padded = begin + input + window->pad_end[axis];
    FAIL_IF(padded < span, ST_BAD, "spatial dim %d: the window spans %lld, but the padded input has only %lld", axis,
            (long long)span, (long long)padded);
    window->output[axis] = (padded - span) / stride + 1;
    if (node_int(node, "ceil_mode", 0) && (padded - span) % stride != 0 &&
        window->output[axis] * stride < begin + input)
        window->output[axis]++;
    return ST_OK;
}

// A given output size: the pads follow. Where even no pad gives too little, the output grows at its end.
static Status fit_output(const Node *node, int axis, int64_t natural, int64_t wanted, Window *window) {
    const int64_t total = natural - wanted;
    share_pads(node, axis, MAX(total, 0), window);
    window->output_padding[axis] += MAX(-total, 0);
    window->output[axis] = wanted;
    return ST_OK;
}

static Status transpose_axis(const Node *node, int axis, Window *window) {
    const int64_t natural =
        window->stride[axis] * (window->input[axis] - 1) + window->output_padding[axis] + reach(window, axis);
    int64_t wanted[3] = {0};
    const int64_t *values;
    size_t count = node_ints(node, "output_shape", &values);
    // Some writers give batch and channels too.
    const bool whole = count == (size_t)window->spatial + 2;
    FAIL_IF(count && !whole && count != (size_t)window->spatial, ST_BAD,
            "attribute 'output_shape': expected %d numbers, got %zu", window->spatial, count);
    for (int i = 0; count && i < window->spatial; i++) {
        wanted[i] = values[whole ? i + 2 : i];
        FAIL_IF(wanted[i] < 1 || wanted[i] > LARGEST, ST_BAD, "attribute 'output_shape': expected at least 1, got %lld",
                (long long)wanted[i]);
    }
    if (count) return fit_output(node, axis, natural, wanted[axis], window);
    if (pads_same(node)) return fit_output(node, axis, natural, window->input[axis] * window->stride[axis], window);
    window->output[axis] = natural - window->pad_begin[axis] - window->pad_end[axis];
    FAIL_IF(window->output[axis] < 1, ST_BAD, "spatial dim %d: nothing is left of the output after its pads", axis);
    return ST_OK;
}

Status window_axis(const Node *node, int axis, Window *window) {
    FAIL_IF(window->input[axis] < 1 || window->input[axis] > LARGEST, ST_BAD,
            "spatial dim %d: expected an input of at least 1 and at most %lld, got %lld", axis, (long long)LARGEST,
            (long long)window->input[axis]);
    return node->op == OP_ConvTranspose ? transpose_axis(node, axis, window) : forward_axis(node, axis, window);
}

// A window that keeps the size keeps the symbol.
int64_t window_symbolic(const Node *node, int axis, const Window *window, int64_t dim) {
    const int64_t *values;
    if (window->stride[axis] != 1 || window->kernel[axis] == 0 || node_ints(node, "output_shape", &values))
        return DIM_UNKNOWN;
    const int64_t pads = window->pad_begin[axis] + window->pad_end[axis];
    return pads_same(node) || pads == reach(window, axis) - 1 + window->output_padding[axis] ? dim : DIM_UNKNOWN;
}

static Status window_make(const Node *node, const Shape *input, const Shape *weight, Window *out) {
    FAIL_IF(input->rank < 3, ST_BAD, "expected an input of at least 3 dims, got %d", input->rank);
    FAIL_IF(weight && weight->rank != input->rank, ST_BAD, "expected weights of %d dims, got %d", input->rank,
            weight->rank);
    TRY(window_read(node, input->rank - 2, weight ? weight->dim + 2 : NULL, out));
    for (int i = 0; i < out->spatial; i++) {
        out->input[i] = input->dim[i + 2];
        TRY(window_axis(node, i, out));
    }
    return ST_OK;
}

Status window_of(const Node *node, const Shape *input, const Shape *weight, Window *out) {
    const Status status = window_make(node, input, weight, out);
    return status == ST_OK ? ST_OK : fail_context(status, "%s '%s'", op_info(node->op)->name, node->name);
}
