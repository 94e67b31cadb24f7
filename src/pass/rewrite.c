#include "pass/rewrite.h"
#include <string.h>

Node *made_by(const Graph *graph, ValueId value, Op op) {
    if (value < 0) return NULL;
    Node *const node = graph->values[value].producer;
    return node && !node->dead && node->op == op ? node : NULL;
}

bool used_once(const Graph *graph, ValueId value) { return graph_uses(graph, value) == 1; }

bool is_output(const Graph *graph, ValueId value) {
    for (int i = 0; i < graph->n_outputs; i++)
        if (graph->outputs[i] == value) return true;
    return false;
}

int node_index(const Graph *graph, const Node *node) {
    int at = 0;
    while (graph->nodes[at] != node) at++;
    return at;
}

static bool all_are(const Node *node, const char *name, int64_t expected) {
    const int64_t *ints;
    const size_t count = node_ints(node, name, &ints);
    for (size_t i = 0; i < count; i++)
        if (ints[i] != expected) return false;
    return true;
}
bool is_pointwise_conv(const Graph *graph, const Node *node) {
    const Tensor *const weight = node->op == OP_Conv ? node_constant(graph, node, 1) : NULL;
    const Type *const x = weight ? input_type(graph, node, 0) : NULL;
    if (!weight || weight->dtype != DT_F32 || !type_is_static(x) || x->rank < 3 || x->rank > 5) return false;
    for (int i = 2; i < weight->shape.rank; i++)
        if (weight->shape.dim[i] != 1) return false;
    return weight->shape.rank == x->rank && all_are(node, "strides", 1) && all_are(node, "pads", 0) &&
           node_int(node, "group", 1) == 1 && weight->shape.dim[1] == x->dim[1];
}

bool same_dims(const Type *a, const Type *b) {
    if (a->rank < 0 || a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i] || a->dim[i] == DIM_UNKNOWN) return false;
    return true;
}

// ---- Constants ----

static const Tensor *constant_behind(const Graph *graph, ValueId value) {
    return value < 0 ? NULL : graph->values[value].constant;
}

bool constant_scalar(const Graph *graph, ValueId value, double *out) {
    const Tensor *const tensor = constant_behind(graph, value);
    if (!tensor || tensor_count(tensor) != 1) return false;
    *out = tensor_get(tensor, 0);
    return true;
}

bool constant_all(const Graph *graph, ValueId value, double expected) {
    const Tensor *const tensor = constant_behind(graph, value);
    if (!tensor) return false;
    const int64_t count = tensor_count(tensor);
    for (int64_t i = 0; i < count; i++)
        if (tensor_get(tensor, i) != expected) return false;
    return count > 0;
}

bool constant_ints(const Graph *graph, ValueId value, int64_t *out, int *count) {
    const Tensor *const tensor = constant_behind(graph, value);
    if (!tensor || !dtype_is_integer(tensor->dtype) || tensor->shape.rank > 1) return false;
    const int64_t n = tensor_count(tensor);
    if (n > MAX_INTS) return false;
    for (int64_t i = 0; i < n; i++) out[i] = tensor_get_int(tensor, i);
    *count = (int)n;
    return true;
}

bool constant_axes(const Graph *graph, const Node *node, int input, int rank, int64_t *axes, int *count) {
    if (!node_has_input(node, input) || !constant_ints(graph, node->inputs[input], axes, count)) return false;
    for (int i = 0; i < *count; i++) {
        if (axes[i] < 0) axes[i] += rank;
        if (axes[i] < 0 || axes[i] >= rank) return false;
    }
    return *count > 0;
}

bool is_scalar_for(const Graph *graph, ValueId value, const Type *x) {
    const Tensor *const tensor = constant_behind(graph, value);
    return tensor && tensor_count(tensor) == 1 && tensor->shape.rank <= x->rank;
}

bool split_scalar(const Graph *graph, const Node *node, ValueId *x, double *scalar) {
    for (int i = 0; i < 2; i++) {
        const ValueId other = node->inputs[1 - i];
        if (is_scalar_for(graph, node->inputs[i], &graph->values[other].type)) {
            *x = other;
            return constant_scalar(graph, node->inputs[i], scalar);
        }
    }
    return false;
}

bool with_scalar(const Graph *graph, const Node *node, double expected, double tolerance, ValueId *x) {
    double scalar;
    if (!split_scalar(graph, node, x, &scalar)) return false;
    const double difference = scalar > expected ? scalar - expected : expected - scalar;
    return difference <= tolerance * (expected < 0 ? -expected : expected);
}

// ---- Editing ----

Status make_tensor(Graph *graph, DType dtype, Shape shape, Tensor *out) {
    return tensor_make(&graph->arena, dtype, shape, out);
}

Status add_int_list(Graph *graph, const char *name, const int64_t *values, int count, ValueId *out) {
    const int64_t dims[1] = {count};
    Tensor tensor;
    TRY(make_tensor(graph, DT_I64, shape_of(1, dims), &tensor));
    for (int i = 0; i < count; i++) tensor_set_int(&tensor, i, values[i]);
    return graph_add_constant(graph, name, &tensor, out);
}

Status add_scalar(Graph *graph, const char *name, DType dtype, double value, ValueId *out) {
    Tensor tensor;
    TRY(make_tensor(graph, dtype, shape_of(0, NULL), &tensor));
    tensor_set(&tensor, 0, value);
    return graph_add_constant(graph, name, &tensor, out);
}

Status node_become(Graph *graph, Node *node, Op op, const ValueId *inputs, int n_inputs) {
    ValueId *const copy = arena_array(&graph->arena, (size_t)MAX(n_inputs, 1), sizeof(ValueId));
    if (!copy) return fail_memory((size_t)n_inputs * sizeof(ValueId));
    memcpy(copy, inputs, (size_t)n_inputs * sizeof(ValueId));
    node->op = op;
    node->inputs = copy;
    node->n_inputs = n_inputs;
    node->n_attrs = 0;
    return ST_OK;
}

Status copy_attrs(Graph *graph, const Node *from, Node *to) {
    for (int i = 0; i < from->n_attrs; i++) TRY(node_set(graph, to, &from->attrs[i]));
    return ST_OK;
}

void node_unset(Node *node, const char *name) {
    int kept = 0;
    for (int i = 0; i < node->n_attrs; i++)
        if (strcmp(node->attrs[i].name, name) != 0) node->attrs[kept++] = node->attrs[i];
    node->n_attrs = kept;
}

bool replace_output(Graph *graph, Node *node, ValueId to) {
    const ValueId from = node->outputs[0];
    const Value *const value = &graph->values[to];
    if (is_output(graph, from) && (value->is_input || value->constant || is_output(graph, to))) return false;
    graph_replace(graph, from, to);
    node_kill(graph, node);
    return true;
}

Status insert_node(Graph *graph, int at, Op op, const ValueId *inputs, int n_inputs, const Node *attrs, ValueId like,
                   Node **out) {
    const Type unknown = {.dtype = DT_NONE, .rank = -1};
    ValueId value;
    TRY(graph_add_value(graph, graph->values[like].name, &unknown, &value));
    TRY(graph_add_node(graph, op, attrs ? attrs->name : "", inputs, n_inputs, &value, 1, at, out));
    if (attrs) TRY(copy_attrs(graph, attrs, *out));
    return ST_OK;
}

Status rewrite_nodes(Graph *graph, Rewrite *const *rewrites, size_t count, bool *changed) {
    for (int i = 0; i < graph->n_nodes; i++) {
        Node *const node = graph->nodes[i];
        for (size_t k = 0; k < count && !node->dead; k++) TRY(rewrites[k](graph, node, changed));
    }
    return ST_OK;
}
