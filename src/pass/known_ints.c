#include "pass/known_ints.h"

typedef struct Query {
    const Graph *graph;
    const Node *node;
    KnownInts *const *known;
} Query;

static void set_number(KnownInts *out, int i, int64_t value) {
    out->at[i] = value;
    out->number[i] = true;
}

static void set_unknown(KnownInts *out, int i) {
    out->at[i] = DIM_UNKNOWN;
    out->number[i] = false;
}

bool known_ints_complete(const KnownInts *ints) {
    for (int i = 0; i < ints->count; i++)
        if (!ints->number[i]) return false;
    return true;
}

bool known_ints_get(const Graph *graph, ValueId value, KnownInts *const *known, KnownInts *out) {
    if (value < 0) return false;
    const Value *const v = &graph->values[value];
    if (!v->constant) {
        if (known[value]) *out = *known[value];
        return known[value] != NULL;
    }
    out->rank = v->constant->shape.rank;
    if (!constant_ints(graph, value, out->at, &out->count)) return false;
    for (int i = 0; i < out->count; i++) out->number[i] = true;
    return true;
}

static bool input_of(const Query *q, int i, KnownInts *out) {
    return node_has_input(q->node, i) && known_ints_get(q->graph, q->node->inputs[i], q->known, out);
}

// A constant input that holds one integer.
static bool one_int(const Query *q, int input, int64_t *out) {
    int64_t values[MAX_INTS];
    int count;
    if (!node_has_input(q->node, input) || !constant_ints(q->graph, q->node->inputs[input], values, &count))
        return false;
    *out = values[0];
    return count == 1;
}

static bool of_shape(const Query *q, KnownInts *out) {
    const Type *const type = input_type(q->graph, q->node, 0);
    if (type->rank < 0) return false;
    int64_t start = node_int(q->node, "start", 0), end = node_int(q->node, "end", type->rank);
    if (start < 0) start += type->rank;
    if (end < 0) end += type->rank;
    start = MAX(start, 0);
    end = MIN(end, type->rank);
    *out = (KnownInts){.rank = 1, .count = (int)MAX(end - start, 0)};
    for (int i = 0; i < out->count; i++) {
        out->at[i] = type->dim[start + i];
        out->number[i] = type->dim[start + i] >= 0;
    }
    return true;
}

static bool of_gather(const Query *q, KnownInts *out) {
    KnownInts data, indices;
    if (!input_of(q, 0, &data) || data.rank != 1 || !input_of(q, 1, &indices) || !known_ints_complete(&indices))
        return false;
    *out = (KnownInts){.rank = indices.rank, .count = indices.count};
    for (int i = 0; i < indices.count; i++) {
        const int64_t index = indices.at[i] < 0 ? indices.at[i] + data.count : indices.at[i];
        if (index < 0 || index >= data.count) return false;
        out->at[i] = data.at[index];
        out->number[i] = data.number[index];
    }
    return true;
}

// One axis, steps forward.
static bool of_slice(const Query *q, KnownInts *out) {
    KnownInts data;
    int64_t start, end, step = 1;
    if (!input_of(q, 0, &data) || data.rank != 1 || !one_int(q, 1, &start) || !one_int(q, 2, &end)) return false;
    if (node_has_input(q->node, 4) && (!one_int(q, 4, &step) || step < 1)) return false;
    if (start < 0) start += data.count;
    if (end < 0) end += data.count;
    start = MAX(start, 0);
    end = MIN(end, data.count);
    *out = (KnownInts){.rank = 1};
    for (; start < end; start += MIN(step, data.count)) {
        out->at[out->count] = data.at[start];
        out->number[out->count++] = data.number[start];
    }
    return true;
}

static bool of_concat(const Query *q, KnownInts *out) {
    *out = (KnownInts){.rank = 1};
    for (int k = 0; k < q->node->n_inputs; k++) {
        KnownInts part;
        if (!input_of(q, k, &part)) { // of an unknown part the length may be known
            const Type *const type = input_type(q->graph, q->node, k);
            if (type->rank != 1 || type->dim[0] < 0 || type->dim[0] > MAX_INTS) return false;
            part = (KnownInts){.rank = 1, .count = (int)type->dim[0]};
            for (int i = 0; i < part.count; i++) set_unknown(&part, i);
        }
        if (part.rank != 1 || out->count + part.count > MAX_INTS) return false;
        for (int i = 0; i < part.count; i++) {
            out->at[out->count] = part.at[i];
            out->number[out->count++] = part.number[i];
        }
    }
    return true;
}

static bool holds_integers(const Type *type) { return type->dtype == DT_I64 || type->dtype == DT_I32; }

// Nodes that keep the elements and may change the rank (to 0 or 1).
static bool of_copy(const Query *q, KnownInts *out) {
    const Type *const type = output_type(q->graph, q->node);
    if (!holds_integers(type) || type->rank < 0 || type->rank > 1 || !input_of(q, 0, out)) return false;
    if (type->rank == 0 && out->count != 1) return false;
    out->rank = type->rank;
    return true;
}

// Neutral elements keep a symbol: x * 1, x / 1, x + 0, x - 0.
static void combine(Op op, const KnownInts *a, int i, const KnownInts *b, int j, KnownInts *out, int at) {
    const int64_t neutral = op == OP_Mul || op == OP_Div ? 1 : 0;
    int64_t result = 0;
    set_unknown(out, at);
    if (a->number[i] && b->number[j]) {
        const int64_t x = a->at[i], y = b->at[j];
        bool fits = op == OP_Add ? add_i64(x, y, &result) : op == OP_Mul ? mul_i64(x, y, &result) : false;
        if (op == OP_Sub) fits = !__builtin_sub_overflow(x, y, &result);
        if (op == OP_Div && y > 0) {
            result = x / y;
            fits = true;
        }
        if (fits && result >= INT32_MIN && result <= INT32_MAX) set_number(out, at, result); // in every dtype
    } else if (b->number[j] && b->at[j] == neutral) {
        out->at[at] = a->at[i];
    } else if ((op == OP_Add || op == OP_Mul) && a->number[i] && a->at[i] == neutral) {
        out->at[at] = b->at[j];
    }
}

static bool of_arithmetic(const Query *q, KnownInts *out) {
    KnownInts a, b;
    if (!input_of(q, 0, &a) || !input_of(q, 1, &b)) return false;
    if (a.count != b.count && a.count != 1 && b.count != 1) return false;
    *out = (KnownInts){.rank = MAX(a.rank, b.rank), .count = a.count == 1 ? b.count : a.count};
    for (int i = 0; i < out->count; i++)
        combine(q->node->op, &a, a.count == 1 ? 0 : i, &b, b.count == 1 ? 0 : i, out, i);
    return true;
}

bool known_ints_of(const Graph *graph, const Node *node, KnownInts *const *known, KnownInts *out) {
    const Query q = {graph, node, known};
    switch (node->op) {
    case OP_Shape: return of_shape(&q, out);
    case OP_Gather: return of_gather(&q, out);
    case OP_Slice: return of_slice(&q, out);
    case OP_Concat: return of_concat(&q, out);
    case OP_Cast:
    case OP_Identity:
    case OP_Squeeze:
    case OP_Unsqueeze:
    case OP_Reshape: return of_copy(&q, out);
    case OP_Add:
    case OP_Sub:
    case OP_Mul:
    case OP_Div: return of_arithmetic(&q, out);
    default: return false;
    }
}
