// What the inference of all ops shares: checks, dims, broadcasting, integer inputs, words.
#include "graph/infer.h"
#include <stdio.h>
#include <string.h>

bool shape_known(const Type *type) {
    if (type->rank < 0) return false;
    for (int i = 0; i < type->rank; i++)
        if (!dim_known(type->dim[i])) return false;
    return true;
}

Type unknown_type(DType dtype, int rank) {
    Type type = {.dtype = dtype, .rank = rank};
    for (int i = 0; i < rank; i++) type.dim[i] = DIM_UNKNOWN;
    return type;
}

TypeWords shape_words(const Type *type) {
    TypeWords words = {"[*]"};
    if (type->rank < 0) return words;
    size_t at = 0;
    words.text[at++] = '[';
    for (int i = 0; i < type->rank; i++) {
        if (i) words.text[at++] = 'x';
        if (dim_known(type->dim[i]))
            at += (size_t)snprintf(words.text + at, sizeof words.text - at, "%lld", (long long)type->dim[i]);
        else words.text[at++] = '?';
    }
    words.text[at++] = ']';
    words.text[at] = 0;
    return words;
}

TypeWords type_words(const Type *type) {
    TypeWords words;
    const TypeWords shape = shape_words(type);
    snprintf(words.text, sizeof words.text, "%s%.220s", type->dtype == DT_NONE ? "?" : dtype_name(type->dtype),
             shape.text);
    return words;
}

static int dtype_class(DType dtype) {
    if (dtype == DT_BOOL) return BOOLS;
    if (dtype_is_float(dtype)) return FLOATS;
    return dtype == DT_U8 || dtype == DT_U16 || dtype == DT_U32 || dtype == DT_U64 ? UNSIGNED_INTS : SIGNED_INTS;
}

static const char *class_words(int classes) {
    switch (classes) {
    case FLOATS: return "a floating-point type";
    case BOOLS: return "bool";
    case FLOATS | SIGNED_INTS: return "a floating-point or signed integer type";
    default: return "a numeric type";
    }
}

Status want_dtype(const Infer *infer, int input, int classes) {
    if (!node_has_input(infer->node, input) || infer->in[input].dtype == DT_NONE) return ST_OK;
    const DType dtype = infer->in[input].dtype;
    FAIL_IF(!(dtype_class(dtype) & classes), ST_BAD, "input %d: expected %s, got %s", input, class_words(classes),
            dtype_name(dtype));
    return ST_OK;
}

Status want_same_dtype(const Infer *infer, int a, int b) {
    if (!node_has_input(infer->node, a) || !node_has_input(infer->node, b)) return ST_OK;
    const DType x = infer->in[a].dtype, y = infer->in[b].dtype;
    FAIL_IF(x != DT_NONE && y != DT_NONE && x != y, ST_BAD, "input %d: expected %s like input %d, got %s", b,
            dtype_name(x), a, dtype_name(y));
    return ST_OK;
}

Status want_rank(const Infer *infer, int input, int min, int max) {
    if (!node_has_input(infer->node, input) || infer->in[input].rank < 0) return ST_OK;
    const int rank = infer->in[input].rank;
    if (max < 0) max = MAX_RANK;
    if (rank >= min && rank <= max) return ST_OK;
    if (min == max)
        return fail(ST_BAD, "input %d: expected %d dims, got %s", input, min, shape_words(&infer->in[input]).text);
    return fail(ST_BAD, "input %d: expected %d to %d dims, got %s", input, min, max,
                shape_words(&infer->in[input]).text);
}

Status want_vector(const Infer *infer, int input, int64_t count) {
    if (!node_has_input(infer->node, input) || infer->in[input].rank < 0) return ST_OK;
    const Type *type = &infer->in[input];
    if (type->rank == 1 && !dims_clash(type->dim[0], count)) return ST_OK;
    if (!dim_known(count)) return fail(ST_BAD, "input %d: expected one dim, got %s", input, shape_words(type).text);
    return fail(ST_BAD, "input %d: expected [%lld], got %s", input, (long long)count, shape_words(type).text);
}

Status want_axis(int64_t axis, int rank, int *out) {
    FAIL_IF(axis < -rank || axis >= rank, ST_BAD, "expected an axis from %d to %d, got %lld", -rank, rank - 1,
            (long long)axis);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return ST_OK;
}

Status want_choice(const Infer *infer, const char *attribute, const char *otherwise, const char *choices) {
    const char *value = node_string(infer->node, attribute, otherwise);
    const size_t length = strlen(value);
    for (const char *at = choices; *at;) {
        const size_t word = strcspn(at, " ");
        if (word == length && memcmp(at, value, word) == 0) return ST_OK;
        at += word;
        at += strspn(at, " ");
    }
    return fail(ST_BAD, "attribute '%s': expected one of (%s), got '%s'", attribute, choices, value);
}

bool dims_clash(int64_t a, int64_t b) { return dim_known(a) && dim_known(b) && a != b; }

int64_t dim_join(int64_t a, int64_t b) {
    if (dim_known(a)) return a;
    if (dim_known(b)) return b;
    return a != DIM_UNKNOWN ? a : b;
}

Status dim_add(int64_t a, int64_t b, int64_t *out) {
    *out = a == 0 ? b : b == 0 ? a : DIM_UNKNOWN;
    if (!dim_known(a) || !dim_known(b)) return ST_OK;
    FAIL_IF(!add_i64(a, b, out), ST_BAD, "the sum of dims %lld and %lld is too large", (long long)a, (long long)b);
    return ST_OK;
}

Status dim_mul(int64_t a, int64_t b, int64_t *out) {
    *out = a == 1 ? b : b == 1 ? a : DIM_UNKNOWN;
    if (!dim_known(a) || !dim_known(b)) return ST_OK;
    FAIL_IF(!mul_i64(a, b, out), ST_BAD, "the product of dims %lld and %lld is too large", (long long)a, (long long)b);
    return ST_OK;
}

// A known dim other than 1 wins over an unknown one: nothing else would go together with it.
bool broadcast_dim(int64_t a, int64_t b, int64_t *out) {
    if (a == b || b == 1) *out = a;
    else if (a == 1) *out = b;
    else if (dim_known(a) && dim_known(b)) return false;
    else *out = dim_known(a) ? a : b;
    if (!dim_known(a) && !dim_known(b) && a != b) *out = DIM_UNKNOWN;
    return true;
}

Status broadcast(const Type *a, const Type *b, Type *out) {
    if (a->rank < 0 || b->rank < 0) {
        out->rank = -1;
        return ST_OK;
    }
    const Type x = *a, y = *b; // `out` may be one of them
    out->rank = MAX(x.rank, y.rank);
    for (int i = 0; i < out->rank; i++) {
        const int k = i - (out->rank - x.rank), m = i - (out->rank - y.rank);
        FAIL_IF(!broadcast_dim(k < 0 ? 1 : x.dim[k], m < 0 ? 1 : y.dim[m], &out->dim[i]), ST_BAD,
                "expected shapes that broadcast together, got %s and %s", shape_words(&x).text, shape_words(&y).text);
    }
    return ST_OK;
}

Status int_input(const Infer *infer, int input, const char *what, IntInput *out) {
    *out = (IntInput){.present = node_has_input(infer->node, input), .count = -1};
    if (!out->present) return ST_OK;
    const Type *type = &infer->in[input];
    FAIL_IF(type->dtype != DT_NONE && type->dtype != DT_I64 && type->dtype != DT_I32, ST_BAD,
            "input %d (%s): expected int64, got %s", input, what, dtype_name(type->dtype));
    FAIL_IF(type->rank > 1, ST_BAD, "input %d (%s): expected a list, got %s", input, what, shape_words(type).text);
    if (type->rank >= 0) out->count = type->rank == 0 ? 1 : dim_known(type->dim[0]) ? type->dim[0] : -1;
    out->values = infer->constant ? infer->constant[input] : NULL;
    if (out->values) out->count = tensor_count(out->values);
    return ST_OK;
}

Status axes_of(const IntInput *list, int rank, bool chosen[MAX_RANK]) {
    memset(chosen, 0, MAX_RANK * sizeof *chosen);
    for (int64_t i = 0; i < list->count; i++) {
        int axis;
        TRY(want_axis(int_at(list, i), rank, &axis));
        FAIL_IF(chosen[axis], ST_BAD, "axis %d stands twice in the list of axes", axis);
        chosen[axis] = true;
    }
    return ST_OK;
}
