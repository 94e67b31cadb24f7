// Activations that exporters write as several nodes, by their formulas:
//
//   Swish      x sigmoid(a x)                  Ramachandran et al. 2017, arXiv 1710.05941
//   HardSwish  x clip(x + 3, 0, 6) / 6         Howard et al. 2019, arXiv 1905.02244
//   Mish       x tanh(softplus(x))             Misra 2019, arXiv 1908.08681
//   Gelu       x / 2 (1 + erf(x / sqrt 2))     Hendrycks & Gimpel 2016, arXiv 1606.08415; and its tanh form
//   HardSigmoid  clip(x + 3, 0, 6) / 6
//   LeakyRelu  a PRelu with one slope, as torch.nn.PReLU is by default: then whoever makes x can apply it
//
// The whole formula is evaluated with one rounding where the nodes rounded after each step: results may differ by a
// few units in the last place. Inner nodes with other uses are left alone, as nothing would be saved.
#include "pass/rewrite.h"
#include <math.h>

static const double CLOSE = 1e-6; // relative: constants come rounded to float32 or printed with few digits

// A float node of that op which makes the value and whose output is used by nobody else.
static Node *inner(const Graph *graph, ValueId value, Op op) {
    Node *const node = made_by(graph, value, op);
    return node && used_once(graph, value) ? node : NULL;
}

// Of an op with one output: others may lack their first.
static bool is_float(const Graph *graph, const Node *node) { return dtype_is_float(output_type(graph, node)->dtype); }

// ---- x f(x) ----

// value = sigmoid(alpha x).
static bool is_sigmoid(const Graph *graph, ValueId value, ValueId x, double *alpha) {
    const Node *const sigmoid = inner(graph, value, OP_Sigmoid);
    if (!sigmoid) return false;
    *alpha = 1;
    if (sigmoid->inputs[0] == x) return true;
    const Node *const product = inner(graph, sigmoid->inputs[0], OP_Mul);
    ValueId factor;
    return product && split_scalar(graph, product, &factor, alpha) && factor == x;
}

static bool is_hard_sigmoid(const Graph *graph, ValueId value, ValueId x) {
    const Node *const node = inner(graph, value, OP_HardSigmoid);
    return node && node->inputs[0] == x && fabs(node_float(node, "alpha", 0.2) - 1.0 / 6) < CLOSE &&
           node_float(node, "beta", 0.5) == 0.5;
}

static bool is_tanh_softplus(const Graph *graph, ValueId value, ValueId x) {
    const Node *const tangent = inner(graph, value, OP_Tanh);
    const Node *const softplus = tangent ? inner(graph, tangent->inputs[0], OP_Softplus) : NULL;
    return softplus && softplus->inputs[0] == x;
}

static Status product_with(Graph *graph, Node *node, ValueId x, ValueId gate, bool *changed) {
    double alpha = 1;
    Op op = OP_NONE;
    if (is_sigmoid(graph, gate, x, &alpha)) op = OP_Swish;
    else if (is_hard_sigmoid(graph, gate, x)) op = OP_HardSwish;
    else if (is_tanh_softplus(graph, gate, x)) op = OP_Mish;
    if (op == OP_NONE) return ST_OK;
    *changed = true;
    TRY(node_become(graph, node, op, &x, 1));
    return op == OP_Swish && alpha != 1 ? node_set_float(graph, node, "alpha", alpha) : ST_OK;
}

static Status gated(Graph *graph, Node *node, bool *changed) {
    if (node->op != OP_Mul || !is_float(graph, node)) return ST_OK;
    const ValueId a = node->inputs[0], b = node->inputs[1];
    TRY(product_with(graph, node, a, b, changed));
    return node->op == OP_Mul ? product_with(graph, node, b, a, changed) : ST_OK;
}

// ---- clip(x + 3, 0, 6) / 6 ----

// value = clip(x + 3, 0, 6).
static bool is_shifted_relu6(const Graph *graph, ValueId value, ValueId *x) {
    const Node *const clip = inner(graph, value, OP_Clip);
    double low, high;
    if (!clip || !node_has_input(clip, 1) || !node_has_input(clip, 2)) return false;
    if (!constant_scalar(graph, clip->inputs[1], &low) || !constant_scalar(graph, clip->inputs[2], &high)) return false;
    const Node *const sum = inner(graph, clip->inputs[0], OP_Add);
    return low == 0 && high == 6 && sum && with_scalar(graph, sum, 3, 0, x);
}

// The node is value / 6 or value * (1 / 6).
static bool is_sixth(const Graph *graph, const Node *node, ValueId *value) {
    if (node->op == OP_Div) return with_scalar(graph, node, 6, 0, value) && *value == node->inputs[0];
    return node->op == OP_Mul && with_scalar(graph, node, 1.0 / 6, CLOSE, value);
}

// (x clip(x + 3, 0, 6)) / 6; the sixth taken of the clip alone is a HardSigmoid, which then meets its x as above.
static Status hard(Graph *graph, Node *node, bool *changed) {
    ValueId value, x;
    if (!is_sixth(graph, node, &value) || !is_float(graph, node)) return ST_OK;
    if (is_shifted_relu6(graph, value, &x)) {
        *changed = true;
        TRY(node_become(graph, node, OP_HardSigmoid, &x, 1));
        return node_set_float(graph, node, "alpha", 1.0 / 6); // beta is 1/2 by default
    }
    const Node *const product = inner(graph, value, OP_Mul);
    for (int i = 0; product && i < 2; i++) {
        if (!is_shifted_relu6(graph, product->inputs[i], &x) || x != product->inputs[1 - i]) continue;
        *changed = true;
        return node_become(graph, node, OP_HardSwish, &x, 1);
    }
    return ST_OK;
}

// ---- Gelu ----

// The factors of a product of two or three, in any grouping: (a b) c, a (b c), a b.
static int factors_of(const Graph *graph, const Node *node, ValueId *out) {
    int count = 0;
    for (int i = 0; i < 2; i++) {
        const Node *const product = count < 2 ? inner(graph, node->inputs[i], OP_Mul) : NULL;
        for (int k = 0; product && k < 2; k++) out[count++] = product->inputs[k];
        if (!product) out[count++] = node->inputs[i];
    }
    return count;
}

// value = 1 + f(...), f of that op.
static const Node *one_plus(const Graph *graph, ValueId value, Op op) {
    const Node *const sum = inner(graph, value, OP_Add);
    ValueId other;
    return sum && with_scalar(graph, sum, 1, 0, &other) ? inner(graph, other, op) : NULL;
}

// value = x / sqrt(2).
static bool is_over_root_two(const Graph *graph, ValueId value, ValueId x) {
    const Node *const quotient = inner(graph, value, OP_Div), *const product = inner(graph, value, OP_Mul);
    ValueId other;
    if (quotient) return with_scalar(graph, quotient, M_SQRT2, CLOSE, &other) && other == x && quotient->inputs[0] == x;
    return product && with_scalar(graph, product, M_SQRT1_2, CLOSE, &other) && other == x;
}

static bool is_cube(const Graph *graph, ValueId value, ValueId x) {
    const Node *const power = inner(graph, value, OP_Pow), *const product = inner(graph, value, OP_Mul);
    if (power)
        return power->inputs[0] == x && constant_all(graph, power->inputs[1], 3) &&
               is_scalar_for(graph, power->inputs[1], &graph->values[x].type);
    ValueId factors[4];
    return product && factors_of(graph, product, factors) == 3 && factors[0] == x && factors[1] == x && factors[2] == x;
}

// value = sqrt(2 / pi) (x + 0.044715 x^3).
static bool is_tanh_argument(const Graph *graph, ValueId value, ValueId x) {
    const Node *const product = inner(graph, value, OP_Mul);
    ValueId inside, cube;
    if (!product || !with_scalar(graph, product, sqrt(M_2_PI), CLOSE, &inside)) return false;
    const Node *const sum = inner(graph, inside, OP_Add);
    for (int i = 0; sum && i < 2; i++) {
        const Node *const term = inner(graph, sum->inputs[i], OP_Mul);
        if (term && sum->inputs[1 - i] == x && with_scalar(graph, term, 0.044715, CLOSE, &cube))
            return is_cube(graph, cube, x);
    }
    return false;
}

// f[0] = 1 + erf(x / sqrt 2) or 1 + tanh(...), f[1] = x, f[2] = 1/2.
static bool is_gelu(const Graph *graph, const ValueId f[3], bool *by_tanh) {
    double half;
    if (!constant_scalar(graph, f[2], &half) || half != 0.5) return false;
    if (!is_scalar_for(graph, f[2], &graph->values[f[1]].type)) return false;
    const Node *const by_erf = one_plus(graph, f[0], OP_Erf), *const tangent = one_plus(graph, f[0], OP_Tanh);
    *by_tanh = tangent != NULL;
    if (by_erf) return is_over_root_two(graph, by_erf->inputs[0], f[1]);
    return tangent && is_tanh_argument(graph, tangent->inputs[0], f[1]);
}

static Status gelu(Graph *graph, Node *node, bool *changed) {
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    ValueId f[4];
    if (node->op != OP_Mul || !is_float(graph, node) || factors_of(graph, node, f) != 3) return ST_OK;
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        const ValueId order[3] = {f[orders[i][0]], f[orders[i][1]], f[orders[i][2]]};
        bool by_tanh;
        if (!is_gelu(graph, order, &by_tanh)) continue;
        *changed = true;
        TRY(node_become(graph, node, OP_Gelu, &order[1], 1));
        return by_tanh ? node_set_string(graph, node, "approximate", "tanh") : ST_OK;
    }
    return ST_OK;
}

// ---- PRelu with one slope ----

static Status one_slope(Graph *graph, Node *node, bool *changed) {
    double slope;
    if (node->op != OP_PRelu || output_type(graph, node)->dtype != DT_F32) return ST_OK;
    const ValueId x = node->inputs[0];
    if (!constant_scalar(graph, node->inputs[1], &slope) || !isfinite(slope)) return ST_OK;
    if (!is_scalar_for(graph, node->inputs[1], &graph->values[x].type)) return ST_OK;
    *changed = true;
    TRY(node_become(graph, node, OP_LeakyRelu, &x, 1));
    return node_set_float(graph, node, "alpha", slope);
}

Status pass_recognise_activation(Graph *graph, bool *changed) {
    static Rewrite *const rewrites[] = {gated, hard, gelu, one_slope};
    return rewrite_nodes(graph, rewrites, COUNT_OF(rewrites), changed);
}
