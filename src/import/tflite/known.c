// What is known of integers before a run: converters write shapes as operators (SHAPE, STRIDED_SLICE, PACK), of which
// some elements follow from dims that are known even where the batch is not.
#include "import/tflite/convert.h"

enum { MOST_STEPS = 500, MOST_DEPTH = 64 }; // values may be shared again and again

typedef struct Known {
    const Graph *graph;
    int steps;
} Known;

static bool element(Known *known, ValueId value, int64_t index, int depth, int64_t *out);

// Elements of a value; -1: not known, or no integers.
static int64_t count_of(const Known *known, ValueId value) {
    const Type *type = &known->graph->values[value].type;
    if (!type_is_static(type) || !dtype_is_integer(type->dtype)) return -1;
    const Shape shape = type_shape(type);
    return shape_count(&shape);
}

static bool of_shape(const Known *known, const Node *node, int64_t index, int64_t *out) {
    const Type *type = &known->graph->values[node->inputs[0]].type;
    if (node->n_attrs > 0 || index >= type->rank || type->dim[index] < 0) return false;
    *out = type->dim[index];
    return true;
}

static bool of_concat(Known *known, const Node *node, int64_t index, int depth, int64_t *out) {
    for (int i = 0; i < node->n_inputs && ++known->steps < MOST_STEPS; i++) {
        const int64_t count = count_of(known, node->inputs[i]);
        if (count < 0 || known->graph->values[node->inputs[i]].type.rank != 1) return false;
        if (index < count) return element(known, node->inputs[i], index, depth, out);
        index -= count;
    }
    return false;
}

// x, starts, ends, axes, steps, all constants, as convert_slice.c writes them.
static bool of_slice(Known *known, const Node *node, int64_t index, int depth, int64_t *out) {
    const int64_t count = count_of(known, node->inputs[0]);
    int64_t first, length;
    if (count < 0 || known->graph->values[node->inputs[0]].type.rank != 1 || node->n_inputs != 5) return false;
    const Tensor *lists[5];
    for (int i = 1; i < 5; i++) {
        lists[i] = node_constant(known->graph, node, i);
        if (!lists[i] || tensor_count(lists[i]) != 1) return false;
    }
    const int64_t step = tensor_get_int(lists[4], 0);
    if (slice_range(count, tensor_get_int(lists[1], 0), tensor_get_int(lists[2], 0), step, &first, &length) != ST_OK) {
        error_clear();
        return false;
    }
    return index < length && element(known, node->inputs[0], first + index * step, depth, out);
}

static bool of_gather(Known *known, const Node *node, int64_t index, int depth, int64_t *out) {
    const Tensor *indices = node_constant(known->graph, node, 1);
    const int64_t count = count_of(known, node->inputs[0]);
    if (!indices || count < 0 || known->graph->values[node->inputs[0]].type.rank != 1) return false;
    if (index >= tensor_count(indices)) return false;
    int64_t at = tensor_get_int(indices, index);
    if (at < 0) at += count;
    return at >= 0 && at < count && element(known, node->inputs[0], at, depth, out);
}

static bool calculate(Op op, int64_t a, int64_t b, int64_t *out) {
    switch (op) {
    case OP_Add: return add_i64(a, b, out);
    case OP_Sub: return !__builtin_sub_overflow(a, b, out);
    case OP_Mul: return mul_i64(a, b, out);
    case OP_Div:
        if (b == 0 || (a == INT64_MIN && b == -1)) return false;
        *out = a / b;
        return true;
    case OP_Mod: // the sign of the divisor
        if (b == 0 || b == -1) return false;
        *out = a % b != 0 && (a % b < 0) != (b < 0) ? a % b + b : a % b;
        return true;
    default: return false;
    }
}

static bool of_binary(Known *known, const Node *node, int64_t index, int depth, int64_t *out) {
    int64_t operands[2];
    for (int i = 0; i < 2; i++) {
        const int64_t count = count_of(known, node->inputs[i]);
        if (count < 1 || (count > 1 && index >= count)) return false;
        if (!element(known, node->inputs[i], count == 1 ? 0 : index, depth, &operands[i])) return false;
    }
    return calculate(node->op, operands[0], operands[1], out);
}

static bool of_node(Known *known, const Node *node, int64_t index, int depth, int64_t *out) {
    switch (node->op) {
    case OP_Shape: return of_shape(known, node, index, out);
    case OP_Cast:
    case OP_Identity:
    case OP_Squeeze:
    case OP_Unsqueeze:
    case OP_Reshape:
        return count_of(known, node->inputs[0]) > index && element(known, node->inputs[0], index, depth, out);
    case OP_Concat: return of_concat(known, node, index, depth, out);
    case OP_Slice: return of_slice(known, node, index, depth, out);
    case OP_Gather: return of_gather(known, node, index, depth, out);
    case OP_Add:
    case OP_Sub:
    case OP_Mul:
    case OP_Div:
    case OP_Mod: return of_binary(known, node, index, depth, out);
    default: return false;
    }
}

static bool element(Known *known, ValueId id, int64_t index, int depth, int64_t *out) {
    const Value *value = &known->graph->values[id];
    if (++known->steps > MOST_STEPS || depth > MOST_DEPTH) return false;
    if (value->constant) {
        if (!dtype_is_integer(value->constant->dtype) || index >= tensor_count(value->constant)) return false;
        *out = tensor_get_int(value->constant, index);
        return true;
    }
    return value->producer && of_node(known, value->producer, index, depth + 1, out);
}

void tfl_known_ints(const Graph *graph, ValueId value, int max, int64_t *out, bool *is_known, int *count) {
    Known known = {.graph = graph};
    const int64_t elements = count_of(&known, value);
    *count = elements >= 0 && elements <= max ? (int)elements : -1;
    for (int i = 0; i < *count; i++) is_known[i] = element(&known, value, i, 0, &out[i]);
}
