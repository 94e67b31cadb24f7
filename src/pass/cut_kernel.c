// A Conv whose outer taps never meet the picture loses them: with dilation 36 on 32x32 pixels (the pyramids of DeepLab)
// all of a 3x3 kernel but the middle is products with padding, and the convolution is one of 1x1. Sums are the same
// bits: what goes is a product with zero. Only where dims are known, and where the pads that are left are not negative.
#include "pass/rewrite.h"
#include <string.h>

enum { MOST_AXES = MAX_RANK - 2 };

typedef struct Cut {
    int axes;                        // spatial
    int64_t kernel[MOST_AXES];       // of the weight
    int64_t first[MOST_AXES], count[MOST_AXES];
    int64_t pads[2 * MOST_AXES];     // what is left of them
} Cut;
typedef struct Axis {
    int64_t in, out, stride, dilation, pad;
} Axis;

static bool meets(const Axis *a, int64_t tap) {
    const int64_t at = tap * a->dilation - a->pad; // the input of output 0
    const int64_t o = at < 0 ? (-at + a->stride - 1) / a->stride : 0;
    return o < a->out && o * a->stride + at < a->in;
}
static int64_t listed(const Node *node, const char *name, int i, int64_t otherwise) {
    const int64_t *list;
    return (size_t)i < node_ints(node, name, &list) ? list[i] : otherwise;
}
// Products of these stay far from overflow.
static bool is_moderate(const Axis *a) {
    const int64_t most = INT32_MAX;
    return a->in > 0 && a->in <= most && a->out > 0 && a->out <= most && a->stride > 0 && a->stride <= most &&
           a->dilation > 0 && a->dilation <= most && a->pad >= 0 && a->pad <= most;
}
// *cut, and whether it leaves any tap out.
static bool find_cut(const Graph *graph, const Node *conv, const Tensor *w, Cut *cut) {
    const Type *x = input_type(graph, conv, 0), *y = output_type(graph, conv);
    bool any = false;
    cut->axes = w->shape.rank - 2;
    if (x->rank != w->shape.rank || y->rank != w->shape.rank || cut->axes < 1) return false;
    for (int i = 0; i < cut->axes; i++) {
        const Axis a = {x->dim[i + 2], y->dim[i + 2], listed(conv, "strides", i, 1), listed(conv, "dilations", i, 1),
                        listed(conv, "pads", i, 0)};
        const int64_t kernel = w->shape.dim[i + 2];
        int64_t first = 0, end = kernel;
        if (!is_moderate(&a) || kernel > INT32_MAX) return false;
        while (first < end && !meets(&a, first)) first++;
        while (end > first && !meets(&a, end - 1)) end--;
        cut->kernel[i] = kernel, cut->first[i] = first, cut->count[i] = end - first;
        cut->pads[i] = a.pad - first * a.dilation;
        cut->pads[cut->axes + i] = listed(conv, "pads", cut->axes + i, 0) - (kernel - end) * a.dilation;
        if (first == end || cut->pads[i] < 0 || cut->pads[cut->axes + i] < 0) return false;
        any = any || end - first < kernel;
    }
    return any;
}
static Status cut_weight(Graph *graph, const Tensor *w, const Cut *cut, Tensor *out) {
    Shape shape = w->shape;
    int64_t planes = w->shape.dim[0] * w->shape.dim[1], from_taps = 1, to_taps = 1;
    for (int i = 0; i < cut->axes; i++) {
        shape.dim[i + 2] = cut->count[i];
        from_taps *= cut->kernel[i], to_taps *= cut->count[i];
    }
    TRY(make_tensor(graph, w->dtype, shape, out));
    const size_t size = dtype_size(w->dtype);
    for (int64_t tap = 0; tap < to_taps; tap++) {
        int64_t from = 0, rest = tap, step = 1;
        for (int i = cut->axes - 1; i >= 0; i--) {
            from += (rest % cut->count[i] + cut->first[i]) * step;
            rest /= cut->count[i], step *= cut->kernel[i];
        }
        for (int64_t plane = 0; plane < planes; plane++)
            memcpy((char *)out->data + (size_t)(plane * to_taps + tap) * size,
                   (const char *)w->data + (size_t)(plane * from_taps + from) * size, size);
    }
    return ST_OK;
}
static Status cut_kernel(Graph *graph, Node *node, bool *changed) {
    const Tensor *const w = node->op == OP_Conv ? node_constant(graph, node, 1) : NULL;
    const char *const auto_pad = node_string(node, "auto_pad", "NOTSET");
    Cut cut;
    Tensor made;
    if (!w || strcmp(auto_pad, "NOTSET") || !find_cut(graph, node, w, &cut)) return ST_OK;
    TRY(cut_weight(graph, w, &cut, &made));
    TRY(graph_add_constant(graph, graph->values[node->inputs[1]].name, &made, &node->inputs[1]));
    node_unset(node, "kernel_shape");
    TRY(node_set_ints(graph, node, "pads", cut.pads, 2 * (size_t)cut.axes));
    *changed = true;
    return ST_OK;
}

Status pass_cut_kernel(Graph *graph, bool *changed) {
    static Rewrite *const rewrites[] = {cut_kernel};
    return rewrite_nodes(graph, rewrites, COUNT_OF(rewrites), changed);
}
