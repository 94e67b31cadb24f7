// Folds y = scale[c] * x + shift[c] into its neighbour: BatchNormalization at inference, and Mul, Add, Sub, Div by
// constants that differ by channel only.
//
//   behind a convolution:    scale * (w * x + b) + shift           = (scale w) * x + (scale b + shift)
//   behind a normalisation:  its own scale and bias change in the same way
//   before a convolution:    w * (scale x + shift) + b             = (w scale) * x + (b + sum of w shift)
//
// A scale and a shift with nothing to be folded into become one BatchNormalization: one pass over memory, which a
// convolution that a skip reads too may write beside its own output.
//
// (Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", 2018,
// section 3.2, for the first.) The last holds where no pixel is padding, or where shift is 0, as a padded pixel is 0
// and not `shift`. Nothing is folded across an activation, into a value that has other uses, or where a new weight
// would not be finite. New weights are computed in double and rounded once: a relative error of 2^-24 each in float32.
#include "pass/rewrite.h"
#include <math.h>
#include <string.h>

typedef struct Affine {
    ValueId x;
    int64_t channels;
    double *scale, *shift; // (channels)
    bool scales, shifts;   // some scale is not 1, some shift is not 0
} Affine;

// ---- Recognising ----

// A constant over channels (axis 1 of x) as doubles; false where it differs along another axis or changes x's shape.
static bool channel_values(const Graph *graph, ValueId value, const Type *x, double *out) {
    const Tensor *const c = graph->values[value].constant;
    const int64_t channels = x->dim[1];
    if (!c || c->shape.rank > x->rank) return false;
    const int64_t count = tensor_count(c);
    const int axis = 1 - (x->rank - c->shape.rank); // of the channels in c
    if (count != 1 && (axis < 0 || c->shape.dim[axis] != channels || count != channels)) return false;
    for (int64_t i = 0; i < channels; i++) out[i] = tensor_get(c, count == 1 ? 0 : i);
    return true;
}

static bool affine_normalisation(const Graph *graph, const Node *node, Affine *a) {
    const Tensor *p[4]; // scale, bias, mean, variance
    for (int i = 0; i < 4; i++) {
        p[i] = node_constant(graph, node, i + 1);
        if (!p[i] || tensor_count(p[i]) != a->channels) return false;
    }
    const double epsilon = node_float(node, "epsilon", 1e-5);
    a->x = node->inputs[0];
    for (int64_t i = 0; i < a->channels; i++) {
        a->scale[i] = tensor_get(p[0], i) / sqrt(tensor_get(p[3], i) + epsilon);
        a->shift[i] = tensor_get(p[1], i) - tensor_get(p[2], i) * a->scale[i];
    }
    return true;
}

// x op c or c op x; c arrives in a->shift.
static bool affine_arithmetic(const Node *node, bool constant_first, Affine *a) {
    if (constant_first && node->op == OP_Div) return false;
    for (int64_t i = 0; i < a->channels; i++) {
        const double c = a->shift[i];
        switch (node->op) {
        case OP_Mul: a->scale[i] = c; break;
        case OP_Div: a->scale[i] = 1 / c; break;
        case OP_Add: a->scale[i] = 1; break;
        default: a->scale[i] = constant_first ? -1 : 1;
        }
        if (node->op == OP_Mul || node->op == OP_Div) a->shift[i] = 0;
        if (node->op == OP_Sub && !constant_first) a->shift[i] = -c;
    }
    return true;
}

static bool is_affine_op(Op op) {
    return op == OP_BatchNormalization || op == OP_Mul || op == OP_Div || op == OP_Add || op == OP_Sub;
}

static bool has_channels(const Type *type) {
    return dtype_is_float(type->dtype) && type->rank >= 2 && type->dim[1] > 0 && type->dim[1] <= MOST_MADE;
}

static bool fill_affine(const Graph *graph, const Node *node, const Type *x, Affine *a) {
    if (node->op == OP_BatchNormalization) return affine_normalisation(graph, node, a);
    const int constant = node_constant(graph, node, 1) ? 1 : 0;
    a->x = node->inputs[1 - constant];
    return channel_values(graph, node->inputs[constant], x, a->shift) && affine_arithmetic(node, constant == 0, a);
}

// *is true and *a, with arrays in `scratch`, when the node is such a map of one of its inputs.
static Status affine_of(const Graph *graph, const Node *node, Arena *scratch, Affine *a, bool *is) {
    *is = false;
    if (!is_affine_op(node->op)) return ST_OK;
    const bool in_second = node->op != OP_BatchNormalization && node_constant(graph, node, 0) != NULL;
    const Type *const x = input_type(graph, node, in_second ? 1 : 0);
    if (!has_channels(x)) return ST_OK;
    *a = (Affine){.channels = x->dim[1]};
    a->scale = arena_array(scratch, (size_t)a->channels, sizeof(double));
    a->shift = arena_array(scratch, (size_t)a->channels, sizeof(double));
    if (!a->scale || !a->shift) return fail_memory((size_t)a->channels * sizeof(double));
    if (!fill_affine(graph, node, x, a)) return ST_OK;
    for (int64_t i = 0; i < a->channels; i++) {
        if (!isfinite(a->scale[i]) || !isfinite(a->shift[i])) return ST_OK;
        a->scales |= a->scale[i] != 1;
        a->shifts |= a->shift[i] != 0;
    }
    *is = true;
    return ST_OK;
}

// ---- New constants ----

// Channel of weight element k seen through its second axis: w is (first, second, taps...), and each of the `group`
// parts of `first` meets channels of its own. Output channels of ConvTranspose, input channels of Conv.
static int64_t second_channel(const Tensor *w, int64_t group, int64_t taps, int64_t k) {
    const int64_t second = w->shape.dim[1], first = k / (taps * second);
    return first / (w->shape.dim[0] / group) * second + k / taps % second;
}

static int64_t taps_of(const Tensor *w) {
    int64_t taps = 1;
    for (int i = 2; i < w->shape.rank; i++) taps *= w->shape.dim[i];
    return taps;
}

enum { RUN = 512 }; // elements in hand
static bool stays_finite(const Tensor *tensor) {
    const int64_t count = tensor_count(tensor);
    double part[RUN], zero = 0; // an infinity or NaN times 0 is NaN, and stays it
    for (int64_t first = 0; first < count; first += RUN) {
        const int64_t n = MIN(RUN, count - first);
        tensor_read(tensor, first, n, part);
        for (int64_t i = 0; i < n; i++) zero += part[i] * 0;
    }
    return zero == 0;
}

static void scale_run(const Tensor *w, int64_t first, int64_t count, double scale, Tensor *out) {
    double part[RUN];
    for (const int64_t end = first + count; first < end; first += RUN) {
        const int64_t n = MIN(RUN, end - first);
        tensor_read(w, first, n, part);
        for (int64_t i = 0; i < n; i++) part[i] *= scale;
        tensor_write(out, first, part, n);
    }
}

// Weights times scale[channel]; by_first: the channel is the first axis.
static Status scale_weights(Graph *graph, const Tensor *w, int64_t group, bool by_first, const double *scale,
                            Tensor *out) {
    TRY(make_tensor(graph, w->dtype, w->shape, out));
    const int64_t count = tensor_count(w), taps = taps_of(w), run = by_first ? taps * w->shape.dim[1] : taps;
    for (int64_t k = 0; k < count; k += run)
        scale_run(w, k, run, scale[by_first ? k / run : second_channel(w, group, taps, k)], out);
    return ST_OK;
}

static Status make_vector(Graph *graph, DType dtype, const double *values, int64_t count, Tensor *out) {
    TRY(make_tensor(graph, dtype, shape_of(1, &count), out));
    for (int64_t i = 0; i < count; i++) tensor_set(out, i, values[i]);
    return ST_OK;
}

// The convolution in hand: constants only, groups that divide the channels.
typedef struct Filter {
    const Tensor *w, *bias; // bias NULL: none
    int64_t group, oc, ic;
} Filter;

static bool filter_of(const Graph *graph, const Node *node, Filter *f) {
    *f = (Filter){.w = node_constant(graph, node, 1), .bias = node_constant(graph, node, 2)};
    f->group = node_int(node, "group", 1);
    if (!f->w || f->w->shape.rank < 3 || tensor_count(f->w) == 0 || (node_has_input(node, 2) && !f->bias)) return false;
    if (f->group < 1 || f->w->shape.dim[0] % f->group) return false;
    const int64_t second = f->w->shape.dim[1] * f->group;
    const bool transposed = node->op == OP_ConvTranspose;
    f->oc = transposed ? second : f->w->shape.dim[0];
    f->ic = transposed ? f->w->shape.dim[0] : second;
    return !f->bias || tensor_count(f->bias) == f->oc;
}

// The node becomes `like` (a convolution or normalisation that dies) with new inputs.
static Status take_over(Graph *graph, Node *node, Node *like, const ValueId *inputs, int n_inputs) {
    TRY(node_become(graph, node, like->op, inputs, n_inputs));
    TRY(copy_attrs(graph, like, node));
    node->name = like->name;
    node_kill(graph, like);
    return ST_OK;
}

// ---- Behind a convolution ----

static Status bias_behind(Graph *graph, const Filter *f, const Affine *a, Arena *scratch, Tensor *out) {
    double *const bias = arena_array(scratch, (size_t)f->oc, sizeof(double));
    if (!bias) return fail_memory((size_t)f->oc * sizeof(double));
    for (int64_t i = 0; i < f->oc; i++) bias[i] = (f->bias ? tensor_get(f->bias, i) : 0) * a->scale[i] + a->shift[i];
    return make_vector(graph, f->w->dtype, bias, f->oc, out);
}

static Status fold_behind_conv(Graph *graph, Node *node, Node *conv, const Affine *a, Arena *scratch, bool *changed) {
    Filter f;
    Tensor w, bias;
    if (!filter_of(graph, conv, &f) || f.oc != a->channels) return ST_OK;
    TRY(bias_behind(graph, &f, a, scratch, &bias));
    if (!stays_finite(&bias)) return ST_OK;
    ValueId inputs[3] = {conv->inputs[0], conv->inputs[1], NO_VALUE};
    if (a->scales) {
        TRY(scale_weights(graph, f.w, f.group, conv->op == OP_Conv, a->scale, &w));
        if (!stays_finite(&w)) return ST_OK;
        TRY(graph_add_constant(graph, graph->values[conv->inputs[1]].name, &w, &inputs[1]));
    }
    const char *const name = graph->values[node_has_input(conv, 2) ? conv->inputs[2] : conv->inputs[1]].name;
    TRY(graph_add_constant(graph, name, &bias, &inputs[2]));
    *changed = true;
    return take_over(graph, node, conv, inputs, 3);
}

// ---- Behind a normalisation ----

static Status fold_behind_norm(Graph *graph, Node *node, Node *norm, const Affine *a, bool *changed) {
    const Tensor *const scale = node_constant(graph, norm, 1), *const bias = node_constant(graph, norm, 2);
    ValueId inputs[5];
    if (!scale || !bias || tensor_count(scale) != a->channels || tensor_count(bias) != a->channels) return ST_OK;
    Tensor made[2];
    for (int k = 0; k < 2; k++) {
        TRY(make_tensor(graph, scale->dtype, scale->shape, &made[k]));
        for (int64_t i = 0; i < a->channels; i++) {
            const double shift = k ? a->shift[i] : 0;
            tensor_set(&made[k], i, tensor_get(k ? bias : scale, i) * a->scale[i] + shift);
        }
        if (!stays_finite(&made[k])) return ST_OK;
    }
    memcpy(inputs, norm->inputs, (size_t)norm->n_inputs * sizeof(ValueId));
    for (int k = 0; k < 2; k++)
        TRY(graph_add_constant(graph, graph->values[norm->inputs[k + 1]].name, &made[k], &inputs[k + 1]));
    *changed = true;
    return take_over(graph, node, norm, inputs, norm->n_inputs);
}

// ---- By themselves ----

static Status add_vector(Graph *graph, const char *name, DType dtype, const double *values, int64_t count,
                         ValueId *out) {
    Tensor made;
    TRY(make_vector(graph, dtype, values, count, &made));
    return graph_add_constant(graph, name, &made, out);
}

// a shifts what `scaling` scales. Scalars stay: they are parts of activations.
static Status join(Graph *graph, Node *node, Node *scaling, const Affine *a, Arena *scratch, bool *changed) {
    Affine b;
    bool is_map;
    TRY(affine_of(graph, scaling, scratch, &b, &is_map));
    if (!is_map || a->scales || b.shifts || a->channels < 2 || b.channels != a->channels) return ST_OK;
    const Tensor *const shift = node_constant(graph, node, node_constant(graph, node, 1) ? 1 : 0);
    const Type x = graph->values[b.x].type;
    if (x.rank < 4 || x.dtype != DT_F32 || tensor_count(shift) != a->channels) return ST_OK;
    double *const zeros = arena_array(scratch, (size_t)a->channels, sizeof(double));
    double *const ones = arena_array(scratch, (size_t)a->channels, sizeof(double));
    if (!zeros || !ones) return fail_memory((size_t)a->channels * sizeof(double));
    for (int64_t i = 0; i < a->channels; i++) ones[i] = 1;
    const double *const parameters[] = {b.scale, a->shift, zeros, ones};
    ValueId inputs[5] = {b.x};
    const char *const name = graph->values[node->outputs[0]].name;
    for (int i = 0; i < 4; i++) TRY(add_vector(graph, name, x.dtype, parameters[i], a->channels, &inputs[i + 1]));
    *changed = true;
    TRY(node_become(graph, node, OP_BatchNormalization, inputs, 5));
    node_kill(graph, scaling);
    return node_set_float(graph, node, "epsilon", 0);
}

static Status fold_behind(Graph *graph, Node *node, const Affine *a, Arena *scratch, bool *changed) {
    Node *const before = graph->values[a->x].producer;
    if (!before || !used_once(graph, a->x)) return ST_OK;
    switch (before->op) {
    case OP_Conv:
    case OP_ConvTranspose: return fold_behind_conv(graph, node, before, a, scratch, changed);
    case OP_BatchNormalization:
    case OP_InstanceNormalization:
    case OP_GroupNormalization: return fold_behind_norm(graph, node, before, a, changed);
    case OP_Mul:
    case OP_Div: return join(graph, node, before, a, scratch, changed);
    default: return ST_OK;
    }
}

// ---- Before a convolution ----

static bool is_unpadded(const Node *conv) {
    const char *const auto_pad = node_string(conv, "auto_pad", "NOTSET");
    const int64_t *pads;
    const size_t count = node_ints(conv, "pads", &pads);
    for (size_t i = 0; i < count; i++)
        if (pads[i] != 0) return false;
    return !strcmp(auto_pad, "NOTSET") || !strcmp(auto_pad, "VALID");
}

static Status bias_before(Graph *graph, const Filter *f, const Affine *a, Arena *scratch, Tensor *out) {
    double *const bias = arena_array(scratch, (size_t)f->oc, sizeof(double));
    if (!bias) return fail_memory((size_t)f->oc * sizeof(double));
    const int64_t count = tensor_count(f->w), taps = taps_of(f->w), row = taps * f->w->shape.dim[1];
    for (int64_t i = 0; i < f->oc; i++) bias[i] = f->bias ? tensor_get(f->bias, i) : 0;
    double *const part = arena_array(scratch, (size_t)taps, sizeof(double));
    if (!part) return fail_memory((size_t)taps * sizeof(double));
    for (int64_t k = 0; k < count; k += taps) {
        const double shift = a->shift[second_channel(f->w, f->group, taps, k)];
        tensor_read(f->w, k, taps, part);
        for (int64_t i = 0; i < taps; i++) bias[k / row] += part[i] * shift;
    }
    return make_vector(graph, f->w->dtype, bias, f->oc, out);
}

static Status fold_before(Graph *graph, Node *conv, Node *map, const Affine *a, Arena *scratch, bool *changed) {
    Filter f;
    Tensor w, bias;
    if (!filter_of(graph, conv, &f) || f.ic != a->channels || (a->shifts && !is_unpadded(conv))) return ST_OK;
    TRY(scale_weights(graph, f.w, f.group, false, a->scale, &w));
    TRY(bias_before(graph, &f, a, scratch, &bias));
    if (!stays_finite(&w) || !stays_finite(&bias)) return ST_OK;
    ValueId inputs[3] = {a->x, NO_VALUE, NO_VALUE};
    TRY(graph_add_constant(graph, graph->values[conv->inputs[1]].name, &w, &inputs[1]));
    const char *const name = graph->values[node_has_input(conv, 2) ? conv->inputs[2] : conv->inputs[1]].name;
    TRY(graph_add_constant(graph, name, &bias, &inputs[2]));
    node_kill(graph, map);
    *changed = true;
    ValueId *const own = arena_array(&graph->arena, 3, sizeof(ValueId));
    if (!own) return fail_memory(3 * sizeof(ValueId));
    memcpy(own, inputs, sizeof inputs);
    conv->inputs = own;
    conv->n_inputs = 3;
    return ST_OK;
}

// ---- The pass ----

static Status fold_node(Graph *graph, Node *node, Arena *scratch, bool *changed) {
    Affine a;
    bool is_map;
    TRY(affine_of(graph, node, scratch, &a, &is_map));
    if (is_map) return fold_behind(graph, node, &a, scratch, changed);
    if (node->op != OP_Conv) return ST_OK;
    Node *const map = graph->values[node->inputs[0]].producer;
    if (!map || !used_once(graph, node->inputs[0])) return ST_OK;
    TRY(affine_of(graph, map, scratch, &a, &is_map));
    return !is_map ? ST_OK : fold_before(graph, node, map, &a, scratch, changed);
}

static Status fold_in_scratch(Graph *graph, Node *node, bool *changed) {
    Arena scratch = {0};
    const Status status = fold_node(graph, node, &scratch, changed);
    arena_free(&scratch);
    return status;
}

Status pass_fold_normalisation(Graph *graph, bool *changed) {
    static Rewrite *const rewrites[] = {fold_in_scratch};
    return rewrite_nodes(graph, rewrites, COUNT_OF(rewrites), changed);
}
