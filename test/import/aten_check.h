// Calls of ATen operators written as in Python, and what comes of them, run by the reference:
//
//     check_case("add(f(2), 1) -> float32(2) -1.25 0.5", ATEN_FIXED);
//
// f(2, 3) is a tensor of floats, p of positive ones, g of floats further apart, d of float64, i of integers, n of
// integers from 0 to 4, b of bools; x([1, 0]), w([0.5]), m([1, 0]) are tensors of these. See
// test/frameworks/aten_cases.py.
#pragma once
#include "import/aten/aten.h"
#include "pass/pass.h"
#include "reference/reference.h"
#include "test.h"

typedef enum AtenCaseMode {
    ATEN_FIXED, // the first tensor is an input, the others are constants
    ATEN_FREE   // all tensors are inputs, of a first dim that is known in a run only
} AtenCaseMode;

enum { CASE_TENSORS = 8, CASE_ARGS = 16, CASE_RESULTS = 8, CASE_ITEMS = 256 };
typedef struct AtenCase {
    Arena arena;
    Imported imported;
    Aten aten;
    AtenCaseMode mode;
    const char *at;
    Tensor tensors[CASE_TENSORS], inputs[CASE_TENSORS];
    int n_tensors, n_inputs;
    AtenValue args[CASE_ARGS], outs[CASE_RESULTS];
    AtenKeyword keywords[CASE_ARGS];
    int n_args, n_keywords;
} AtenCase;

static inline void case_space(AtenCase *c) { c->at += strspn(c->at, " "); }
static inline bool case_take(AtenCase *c, const char *text) {
    case_space(c);
    if (strncmp(c->at, text, strlen(text)) != 0) return false;
    c->at += strlen(text);
    return true;
}

// ---- tensors

static inline double case_number(char kind, int64_t k, int seed) {
    const int64_t step = (k * 7 + seed * 5) % 23;
    switch (kind) {
    case 'f':
    case 'd': return (double)(step - 9) / 4;
    case 'p': return (double)(step + 1) / 4;
    case 'n': return (double)(step % 5);
    case 'b': return step % 3 == 0;
    default: return (double)(step - 9); // i, g
    }
}

static inline DType case_dtype(char kind) {
    if (strchr("fpgw", kind)) return DT_F32;
    if (kind == 'd') return DT_F64;
    return kind == 'b' || kind == 'm' ? DT_BOOL : DT_I64;
}

static inline Tensor case_made(AtenCase *c, char kind) {
    Shape shape = {0};
    Tensor tensor;
    while (!case_take(c, ")")) {
        char *end;
        shape.dim[shape.rank++] = strtoll(c->at, &end, 10);
        c->at = end;
        case_take(c, ",");
    }
    CHECK_OK(tensor_make(&c->arena, case_dtype(kind), shape, &tensor));
    for (int64_t k = 0; k < tensor_count(&tensor); k++) tensor_set(&tensor, k, case_number(kind, k, c->n_tensors));
    return tensor;
}

// [[1, 2], [3, 4]] or 1, and the closing bracket.
static inline Tensor case_given(AtenCase *c, char kind) {
    double values[CASE_ITEMS];
    Shape shape = {0};
    Tensor tensor;
    int depth = 0, n = 0;
    int64_t counts[MAX_RANK] = {0};
    while (depth > 0 || *c->at != ')') {
        if (case_take(c, "[")) {
            counts[depth++] = 0;
            shape.rank = depth > shape.rank ? depth : shape.rank;
        } else if (case_take(c, "]")) {
            depth--;
            shape.dim[depth] = counts[depth];
            if (depth > 0) counts[depth - 1]++;
        } else if (!case_take(c, ",")) {
            char *end;
            values[n++] = strtod(c->at, &end);
            REQUIRE(end > c->at && n < CASE_ITEMS);
            c->at = end;
            if (depth > 0) counts[depth - 1]++;
        }
        case_space(c);
    }
    c->at++;
    CHECK_OK(tensor_make(&c->arena, case_dtype(kind), shape, &tensor));
    for (int k = 0; k < n; k++) tensor_set(&tensor, k, values[k]);
    return tensor;
}

static inline AtenValue case_tensor(AtenCase *c, char kind) {
    char name[16];
    AtenValue value;
    Tensor tensor = strchr("xwm", kind) ? case_given(c, kind) : case_made(c, kind);
    REQUIRE(c->n_tensors < CASE_TENSORS);
    snprintf(name, sizeof name, "t%d", c->n_tensors);
    c->tensors[c->n_tensors] = tensor;
    Type type = type_make(tensor.dtype, &tensor.shape);
    const bool free = c->mode == ATEN_FREE && type.rank > 0 && type.dim[0] > 0;
    if (free)
        CHECK_OK(graph_symbol(c->aten.graph, type.dim[0] == c->tensors[0].shape.dim[0] ? "batch" : name, &type.dim[0]));
    if (c->n_tensors++ > 0 && c->mode == ATEN_FIXED)
        CHECK_OK(aten_constant(&c->aten, name, &c->tensors[c->n_tensors - 1], &value));
    else {
        CHECK_OK(aten_input(&c->aten, name, &type, &value));
        c->inputs[c->n_inputs++] = tensor;
    }
    return value;
}

// ---- arguments

static inline AtenValue case_value(AtenCase *c);

static inline AtenValue case_list(AtenCase *c) {
    AtenValue *items = arena_array(&c->arena, CASE_ITEMS, sizeof *items);
    int count = 0;
    REQUIRE(items);
    while (!case_take(c, "]")) {
        REQUIRE(count < CASE_ITEMS);
        items[count++] = case_value(c);
        case_take(c, ",");
    }
    return aten_list(items, count);
}

static inline AtenValue case_value(AtenCase *c) {
    static const struct {
        const char *name;
        int number;
    } types[] = {{"f32", 6}, {"i64", 4}, {"i32", 3}, {"bool_", 11}};
    case_space(c);
    if (strchr("fpinbgdxwm", *c->at) && c->at[1] == '(') {
        c->at += 2;
        return case_tensor(c, c->at[-2]);
    }
    if (case_take(c, "[")) return case_list(c);
    if (case_take(c, "None")) return aten_none();
    if (case_take(c, "True")) return aten_bool(true);
    if (case_take(c, "False")) return aten_bool(false);
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (case_take(c, types[i].name)) return aten_int(types[i].number);
    if (case_take(c, "'")) {
        const size_t length = strcspn(c->at, "'");
        const char *text = arena_string_n(&c->arena, c->at, length);
        c->at += length + 1;
        return aten_text(text);
    }
    char *end;
    const double f = strtod(c->at, &end);
    REQUIRE(end > c->at);
    const bool whole = strspn(c->at, "-0123456789") == (size_t)(end - c->at);
    const int64_t i = strtoll(c->at, NULL, 10);
    c->at = end;
    return whole ? aten_int(i) : aten_float(f);
}

static inline void case_arguments(AtenCase *c) {
    while (!case_take(c, ")")) {
        case_space(c);
        const size_t name = strspn(c->at, "abcdefghijklmnopqrstuvwxyz_");
        if (name > 0 && c->at[name] == '=') {
            AtenKeyword *keyword = &c->keywords[c->n_keywords++];
            keyword->name = arena_string_n(&c->arena, c->at, name);
            c->at += name + 1;
            keyword->value = case_value(c);
        } else c->args[c->n_args++] = case_value(c);
        case_take(c, ",");
    }
}

// ---- the call

// Reads the call in front of " -> " and makes it. c is dropped by case_end.
static inline Status case_call(AtenCase *c, const char *text, AtenCaseMode mode, int n_outs) {
    static const ImportOptions options = {.resolve = pass_resolve_shapes};
    char op[64] = "aten::";
    const size_t name = strcspn(text, "(");
    *c = (AtenCase){.mode = mode, .at = text + name + 1};
    REQUIRE(name + sizeof "aten::" < sizeof op);
    memcpy(op + strlen("aten::"), text, name);
    CHECK_OK(aten_begin(&c->aten, &c->imported, &options, &c->arena));
    case_arguments(c);
    const AtenCall call = {.op = op,
                           .name = "y",
                           .place = "net.layer (net.py:7)",
                           .args = c->args,
                           .n_args = c->n_args,
                           .keywords = c->keywords,
                           .n_keywords = c->n_keywords};
    return aten_call(&c->aten, &call, c->outs, n_outs);
}

static inline void case_end(AtenCase *c) {
    graph_free(c->imported.graph);
    text_free(&c->imported.notes);
    arena_free(&c->arena);
}

// ---- what comes of it

static inline void case_compare(const char *text, const Tensor *y, const char *expected) {
    char *end;
    const size_t name = strcspn(expected, "(");
    Shape shape = {0};
    CHECK_MSG(strlen(dtype_name(y->dtype)) == name && strncmp(dtype_name(y->dtype), expected, name) == 0,
              "%s: expected %.*s, got %s", text, (int)name, expected, dtype_name(y->dtype));
    for (expected += name + 1; *expected != ')'; expected = *end == ',' ? end + 1 : end)
        shape.dim[shape.rank++] = strtoll(expected, &end, 10);
    expected++;
    Text got = {0};
    shape_print(&got, &y->shape);
    const bool fits = shape_equal(&shape, &y->shape);
    CHECK_MSG(fits, "%s: got a shape of %s", text, text_get(&got));
    text_free(&got);
    for (int64_t i = 0; fits && i < tensor_count(y); i++) {
        const double wanted = strtod(expected, &end), value = tensor_get(y, i);
        expected = end;
        const bool same =
            isnan(wanted) ? isnan(value) : wanted == value || fabs(value - wanted) <= 2e-6 * (1 + fabs(wanted));
        CHECK_MSG(same, "%s: element %lld: expected %.8g, got %.8g", text, (long long)i, wanted, value);
    }
}

// The results as outputs of the graph, those of a list one by one; numbers are checked at once.
static inline void case_outputs(AtenCase *c, const char *text, const char **expected, int count, bool list) {
    int n = 0;
    const AtenValue *results = c->outs;
    if (list) {
        REQUIRE(c->outs[0].kind == ATEN_LIST && c->outs[0].count == count);
        results = c->outs[0].items;
    }
    for (int i = 0; i < count; i++) {
        char name[16];
        double number;
        if (*expected[i] == '-') continue;
        if (*expected[i] == '=') {
            if (aten_known_float(&c->aten, &results[i], &number)) {
                CHECK_MSG(number == atof(expected[i] + 1), "%s: got %g", text, number);
                continue;
            }
            CHECK_MSG(results[i].kind == ATEN_NUMBER, "%s: no number", text);
        } else CHECK_MSG(results[i].kind == ATEN_TENSOR, "%s: result %d is no tensor", text, i);
        snprintf(name, sizeof name, "out%d", n);
        CHECK_OK(aten_output(&c->aten, name, &results[i]));
        expected[n++] = expected[i];
    }
    expected[n] = NULL;
}

static inline void case_run(AtenCase *c, const char *text, const char **expected) {
    Tensor outputs[64];
    if (!expected[0]) return;
    Status status = aten_end(&c->aten);
    if (status == ST_OK) status = reference_run(c->aten.graph, c->inputs, outputs, &c->arena, NULL, NULL);
    CHECK_MSG(status == ST_OK, "%s: %s", text, error_message());
    for (int i = 0; status == ST_OK && expected[i]; i++) {
        if (*expected[i] != '=') case_compare(text, &outputs[i], expected[i]);
        else CHECK_MSG(tensor_get(&outputs[i], 0) == atof(expected[i] + 1), "%s: got another number", text);
    }
}

// "CALL -> RESULT | RESULT". False: what has to be known is not, where dims are free.
static inline bool check_case(const char *text, AtenCaseMode mode) {
    AtenCase c;
    const char *expected[65], *at = strstr(text, " -> ");
    int count = 0;
    REQUIRE(at);
    at += 4;
    const bool list = strncmp(at, "list | ", 7) == 0;
    if (list) at += 7;
    for (; at; at = strstr(at, " | ") ? strstr(at, " | ") + 3 : NULL) expected[count++] = at;
    const Status status = case_call(&c, text, mode, list ? 1 : count);
    const bool open = mode == ATEN_FREE && status == ST_UNSUPPORTED;
    if (!open) CHECK_MSG(status == ST_OK, "%s: %s", text, error_message());
    if (status == ST_OK) {
        case_outputs(&c, text, expected, count, list);
        case_run(&c, text, expected);
    }
    case_end(&c);
    return !open;
}
