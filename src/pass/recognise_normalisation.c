// Normalisations that exporters write as several nodes.
//
//   d = x - mean(x);  d / sqrt(mean(d^2) + eps)   over trailing axes: LayerNormalization (Ba et al. 2016, arXiv
//                                                 1607.06450); over all of at least two spatial axes:
//                                                 InstanceNormalization (Ulyanov et al. 2016, arXiv 1607.08022)
//   Reshape to (n, groups, rest), InstanceNormalization, Reshape back: GroupNormalization (Wu & He 2018, arXiv
//                                                 1803.08494), as PyTorch writes it
//
// Scale and bias by constants that follow a LayerNormalization move into it. (Those per channel behind the others:
// fold_normalisation.c.) The whole is evaluated with fewer roundings than its nodes were: a few units in the last
// place may differ.
#include "pass/rewrite.h"
#include <string.h>

// ---- Layer and instance normalisation ----

typedef struct Moments {
    ValueId x;
    int64_t axes[MAX_INTS]; // of the means
    int n_axes;
    double epsilon;
} Moments;

// mean = the mean of some value over axes, kept; *x that value.
static bool is_mean(const Graph *graph, ValueId mean, int64_t *axes, int *n_axes, ValueId *x) {
    const Node *const node = made_by(graph, mean, OP_ReduceMean), *const pool =
                                                                      made_by(graph, mean, OP_GlobalAveragePool);
    const Node *const either = node ? node : pool;
    if (!either) return false;
    const int rank = input_type(graph, either, 0)->rank;
    *x = either->inputs[0];
    if (node) return rank > 0 && node_int(node, "keepdims", 1) && constant_axes(graph, node, 1, rank, axes, n_axes);
    *n_axes = MAX(rank - 2, 0);
    for (int i = 0; i < *n_axes; i++) axes[i] = i + 2;
    return rank > 2;
}

static bool is_square(const Graph *graph, ValueId value, ValueId of) {
    const Node *const power = made_by(graph, value, OP_Pow), *const product = made_by(graph, value, OP_Mul);
    if (product) return product->inputs[0] == of && product->inputs[1] == of;
    return power && power->inputs[0] == of && constant_all(graph, power->inputs[1], 2) &&
           is_scalar_for(graph, power->inputs[1], &graph->values[of].type);
}

// value = sqrt(other), also as a power.
static bool is_root(const Graph *graph, ValueId value, ValueId *other) {
    const Node *const root = made_by(graph, value, OP_Sqrt), *const power = made_by(graph, value, OP_Pow);
    const Node *const node = root ? root : power;
    if (!node || !used_once(graph, value)) return false;
    *other = node->inputs[0];
    return root || (constant_all(graph, power->inputs[1], 0.5) &&
                    is_scalar_for(graph, power->inputs[1], input_type(graph, power, 0)));
}

// The node divides *d by *deviation.
static bool is_division(const Graph *graph, const Node *node, ValueId *d, ValueId *deviation) {
    if (node->op == OP_Div) {
        *d = node->inputs[0];
        *deviation = node->inputs[1];
        return true;
    }
    for (int i = 0; node->op == OP_Mul && i < 2; i++) {
        const Node *const inverse = made_by(graph, node->inputs[i], OP_Reciprocal);
        if (!inverse || !used_once(graph, node->inputs[i])) continue;
        *d = node->inputs[1 - i];
        *deviation = inverse->inputs[0];
        return true;
    }
    return false;
}

static bool same_axes(const int64_t *a, int n_a, const int64_t *b, int n_b) {
    int in_a = 0, in_b = 0;
    for (int i = 0; i < n_a; i++) in_a |= 1 << a[i];
    for (int i = 0; i < n_b; i++) in_b |= 1 << b[i];
    return in_a == in_b;
}

static bool moments_of(const Graph *graph, const Node *node, Moments *m) {
    ValueId d, deviation, sum, variance, square, again;
    int64_t axes[MAX_INTS];
    int n_axes;
    if (!is_division(graph, node, &d, &deviation) || !is_root(graph, deviation, &sum)) return false;
    const Node *const difference = made_by(graph, d, OP_Sub), *const add = made_by(graph, sum, OP_Add);
    if (!difference || !add || !split_scalar(graph, add, &variance, &m->epsilon)) return false;
    if (!is_mean(graph, variance, axes, &n_axes, &square) || !is_square(graph, square, d)) return false;
    m->x = difference->inputs[0];
    return is_mean(graph, difference->inputs[1], m->axes, &m->n_axes, &again) && again == m->x &&
           same_axes(axes, n_axes, m->axes, m->n_axes);
}

// The first axis when the axes are the trailing ones, else -1.
static int trailing_from(const Moments *m, int rank) {
    int lowest = rank, seen = 0;
    for (int i = 0; i < m->n_axes; i++) {
        lowest = (int)MIN(m->axes[i], lowest);
        seen |= 1 << m->axes[i];
    }
    return seen == (1 << rank) - (1 << lowest) ? lowest : -1;
}

static Status add_filled(Graph *graph, const char *name, DType dtype, Shape shape, double value, ValueId *out) {
    Tensor tensor;
    TRY(make_tensor(graph, dtype, shape, &tensor));
    const int64_t count = tensor_count(&tensor);
    for (int64_t i = 0; i < count; i++) tensor_set(&tensor, i, value);
    return graph_add_constant(graph, name, &tensor, out);
}

static Status decomposed(Graph *graph, Node *node, bool *changed) {
    Moments m;
    if ((node->op != OP_Div && node->op != OP_Mul) || !moments_of(graph, node, &m)) return ST_OK;
    const Type x = graph->values[m.x].type;
    const int from = trailing_from(&m, x.rank);
    const bool spatial = from == 2 && x.rank >= 4;
    if (from < 0 || !dtype_is_float(x.dtype) || !(m.epsilon > 0)) return ST_OK;
    const int first = spatial ? 1 : from, last = spatial ? 2 : x.rank;
    for (int i = first; i < last; i++)
        if (x.dim[i] <= 0) return ST_OK;
    const Shape shape = shape_of(last - first, x.dim + first);
    if (shape_count(&shape) < 0 || shape_count(&shape) > MOST_MADE) return ST_OK;
    const char *const name = graph->values[node->outputs[0]].name;
    ValueId inputs[3] = {m.x, NO_VALUE, NO_VALUE};
    TRY(add_filled(graph, name, x.dtype, shape, 1, &inputs[1]));
    TRY(add_filled(graph, name, x.dtype, shape, 0, &inputs[2]));
    *changed = true;
    TRY(node_become(graph, node, spatial ? OP_InstanceNormalization : OP_LayerNormalization, inputs, 3));
    if (!spatial) TRY(node_set_int(graph, node, "axis", from));
    return node_set_float(graph, node, "epsilon", m.epsilon);
}

// ---- Scale and bias behind a layer normalisation ----

// `c` applies to the normalised dims alone: its shape without leading ones is that of `scale` or one element.
static bool fits_scale(const Tensor *c, const Tensor *scale, int rank) {
    if (c->shape.rank > rank) return false;
    if (tensor_count(c) == 1) return true;
    const int extra = c->shape.rank - scale->shape.rank;
    if (extra < 0 || tensor_count(c) != tensor_count(scale)) return false;
    return !memcmp(c->shape.dim + extra, scale->shape.dim, (size_t)scale->shape.rank * sizeof(int64_t));
}

// a * c, or a + c where `add`; a NULL: 0.
static Status combine(Graph *graph, const Tensor *a, const Tensor *c, bool add, const Tensor *like, const char *name,
                      ValueId *out) {
    Tensor made;
    TRY(make_tensor(graph, like->dtype, like->shape, &made));
    const int64_t count = tensor_count(&made), step = tensor_count(c) == 1 ? 0 : 1;
    for (int64_t i = 0; i < count; i++) {
        const double x = a ? tensor_get(a, i) : 0, y = tensor_get(c, i * step);
        tensor_set(&made, i, add ? x + y : x * y);
    }
    return graph_add_constant(graph, name, &made, out);
}

static Status absorb(Graph *graph, Node *node, bool *changed) {
    if (node->op != OP_Mul && node->op != OP_Add) return ST_OK;
    const int at = node_constant(graph, node, 1) ? 1 : 0;
    const Tensor *const c = node_constant(graph, node, at);
    Node *const norm = c ? made_by(graph, node->inputs[1 - at], OP_LayerNormalization) : NULL;
    if (!norm || norm->n_outputs > 1 || !used_once(graph, norm->outputs[0])) return ST_OK;
    const Tensor *const scale = node_constant(graph, norm, 1), *const bias = node_constant(graph, norm, 2);
    if (!scale || (node_has_input(norm, 2) && !bias) || (bias && !shape_equal(&bias->shape, &scale->shape)))
        return ST_OK;
    if (!fits_scale(c, scale, input_type(graph, norm, 0)->rank)) return ST_OK;
    const char *const name = graph->values[node->inputs[at]].name;
    const bool add = node->op == OP_Add;
    ValueId inputs[3] = {norm->inputs[0], norm->inputs[1], bias ? norm->inputs[2] : NO_VALUE};
    if (!add) TRY(combine(graph, scale, c, false, scale, name, &inputs[1]));
    if (add || bias) TRY(combine(graph, bias, c, add, scale, name, &inputs[2]));
    *changed = true;
    TRY(node_become(graph, node, OP_LayerNormalization, inputs, inputs[2] >= 0 ? 3 : 2));
    TRY(copy_attrs(graph, norm, node));
    node->name = norm->name;
    node_kill(graph, norm);
    return ST_OK;
}

// ---- Group normalisation ----

// Entry c of the result is entry c / (channels / groups) of `from`.
static Status spread(Graph *graph, ValueId from, int64_t channels, ValueId *out) {
    const Tensor *const values = graph->values[from].constant;
    Tensor made;
    TRY(make_tensor(graph, values->dtype, shape_of(1, &channels), &made));
    const int64_t size = channels / tensor_count(values);
    for (int64_t c = 0; c < channels; c++) tensor_set(&made, c, tensor_get(values, c / size));
    return graph_add_constant(graph, graph->values[from].name, &made, out);
}

static bool is_grouping(const Type *x, const Type *grouped, const Type *out) {
    return x->rank >= 3 && grouped->rank >= 3 && same_dims(x, out) && x->dim[0] == grouped->dim[0] && x->dim[1] > 0 &&
           grouped->dim[1] > 0 && x->dim[1] % grouped->dim[1] == 0;
}

static Status group(Graph *graph, Node *node, bool *changed) {
    const Node *const norm = node->op == OP_Reshape ? made_by(graph, node->inputs[0], OP_InstanceNormalization) : NULL;
    const Node *const reshape = norm ? made_by(graph, norm->inputs[0], OP_Reshape) : NULL;
    if (!reshape || !used_once(graph, norm->outputs[0]) || !used_once(graph, reshape->outputs[0])) return ST_OK;
    const Type *const x = input_type(graph, reshape, 0), *const grouped = output_type(graph, reshape);
    if (!is_grouping(x, grouped, output_type(graph, node))) return ST_OK;
    if (!node_constant(graph, norm, 1) || !node_constant(graph, norm, 2)) return ST_OK;
    const int64_t channels = x->dim[1], groups = grouped->dim[1];
    if (channels > MOST_MADE) return ST_OK;
    ValueId inputs[3] = {reshape->inputs[0], NO_VALUE, NO_VALUE};
    for (int i = 1; i < 3; i++) TRY(spread(graph, norm->inputs[i], channels, &inputs[i]));
    *changed = true;
    TRY(node_become(graph, node, OP_GroupNormalization, inputs, 3));
    node->name = norm->name;
    TRY(node_set_int(graph, node, "num_groups", groups));
    return node_set_float(graph, node, "epsilon", node_float(norm, "epsilon", 1e-5));
}

Status pass_recognise_normalisation(Graph *graph, bool *changed) {
    static Rewrite *const rewrites[] = {decomposed, absorb, group};
    return rewrite_nodes(graph, rewrites, COUNT_OF(rewrites), changed);
}
