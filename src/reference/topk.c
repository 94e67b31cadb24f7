// TopK: the k largest (or smallest) along an axis, in order; equal ones by lower index. NaN counts as largest.
#include "reference/evaluate.h"
#include <math.h>
#include <stdlib.h>

// An element in a form that compares as one type: floats in `real`; integers in `whole`, uint64 shifted into int64.
typedef struct Ranked {
    double real;
    int64_t whole;
    int64_t index;
} Ranked;

static int compare_values(const Ranked *a, const Ranked *b) {
    if (isnan(a->real) || isnan(b->real)) return isnan(a->real) - isnan(b->real);
    if (a->real != b->real) return a->real < b->real ? -1 : 1;
    return a->whole < b->whole ? -1 : a->whole > b->whole;
}
static int by_index(const Ranked *a, const Ranked *b) { return a->index < b->index ? -1 : 1; }
static int largest_first(const void *a, const void *b) {
    const int order = compare_values(b, a);
    return order ? order : by_index(a, b);
}
static int smallest_first(const void *a, const void *b) {
    const int order = compare_values(a, b);
    return order ? order : by_index(a, b);
}

static Ranked ranked_of(const Tensor *x, int64_t at, int64_t index) {
    if (dtype_is_float(x->dtype)) return (Ranked){.real = tensor_get(x, at), .index = index};
    const int64_t value = tensor_get_int(x, at);
    return (Ranked){.whole = x->dtype == DT_U64 ? (int64_t)(as_unsigned(value) ^ 1ull << 63) : value, .index = index};
}

Status evaluate_TopK(const Evaluation *e) {
    const Tensor *const x = e->inputs[0];
    int axis;
    TRY(read_axis(node_int(e->node, "axis", -1), x->shape.rank, &axis));
    const int64_t outer = product(&x->shape, 0, axis), inner = product(&x->shape, axis + 1, x->shape.rank);
    const int64_t dim = x->shape.dim[axis], k = e->outputs[0].shape.dim[axis];
    FAIL_IF(k > dim, ST_BAD, "k: expected at most %lld, got %lld", (long long)dim, (long long)k);
    const bool largest = node_int(e->node, "largest", 1) != 0;
    Ranked *const row = arena_array(e->scratch, (size_t)MAX(dim, 1), sizeof(Ranked));
    if (!row) return fail_memory((size_t)dim * sizeof(Ranked));
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++) {
            const int64_t from = o * dim * inner + i, to = o * k * inner + i;
            for (int64_t j = 0; j < dim; j++) row[j] = ranked_of(x, from + j * inner, j);
            qsort(row, (size_t)dim, sizeof(Ranked), largest ? largest_first : smallest_first);
            for (int64_t j = 0; j < k; j++) {
                copy_element(&e->outputs[0], to + j * inner, x, from + row[j].index * inner);
                tensor_set_int(&e->outputs[1], to + j * inner, row[j].index);
            }
        }
    return ST_OK;
}
