// Operators of PyTorch against what PyTorch computes.
#include "import/aten/convert.h"
#include "import/aten_cases.h"
#include "import/aten_check.h"

TEST(aten_operators_compute_what_pytorch_does) {
    for (size_t i = 0; i < COUNT_OF(aten_cases); i++) check_case(aten_cases[i], ATEN_FIXED);
}

// The same where all tensors are inputs and their first dim is known in a run only: most go.
TEST(aten_operators_of_free_dims) {
    size_t open = 0;
    for (size_t i = 0; i < COUNT_OF(aten_cases); i++) {
        if (check_case(aten_cases[i], ATEN_FREE)) continue;
        if (getenv("ATEN_VERBOSE")) printf("%s: %s\n", aten_cases[i], error_message());
        open++;
    }
    CHECK_MSG(open < COUNT_OF(aten_cases) / 5, "%zu of %zu are refused", open, COUNT_OF(aten_cases));
}

static bool same_name(const char *a, const char *b) {
    const size_t length = strcspn(a, "(");
    return strcspn(b, "(") == length && strncmp(a, b, length) == 0;
}

TEST(aten_rows_of_one_name_stand_together) {
    size_t n;
    const Converter *rows = aten_converters(&n);
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k + 1 < i; k++)
            CHECK_MSG(!same_name(rows[i].schema, rows[k].schema) || same_name(rows[i].schema, rows[i - 1].schema),
                      "%s stands apart", rows[i].schema);
}

// ---- numbers

static AtenValue number_of(const char *op, const AtenValue *args, int count) {
    AtenCase c;
    AtenValue out;
    CHECK_OK(case_call(&c, "relu(f(2))", ATEN_FIXED, 1));
    const AtenCall call = {.op = op, .args = args, .n_args = count};
    CHECK_OK(aten_call(&c.aten, &call, &out, 1));
    case_end(&c);
    return out;
}

static void check_ints(const char *op, int64_t a, int64_t b, int64_t expected) {
    const AtenValue args[] = {aten_int(a), aten_int(b)}, out = number_of(op, args, 2);
    CHECK_MSG(out.kind == ATEN_INT && out.i == expected, "%s(%lld, %lld): got %lld", op, (long long)a, (long long)b,
              (long long)out.i);
}

TEST(aten_integers_as_python_has_them) {
    check_ints("aten::add", 3, 4, 7);
    check_ints("aten::floordiv", -7, 2, -4);
    check_ints("aten::floordiv", 7, -2, -4);
    check_ints("aten::remainder", -7, 3, 2);
    check_ints("aten::remainder", 7, -3, -2);
    check_ints("_operator::mod", -7, -3, -1);
    check_ints("_operator::floordiv", 7, 2, 3);
    check_ints("_operator::pow", 2, 10, 1024);
    check_ints("aten::__and__", 6, 3, 2);
    check_ints("aten::__or__", 6, 3, 7);
    check_ints("aten::__xor__", 6, 3, 5);
    check_ints("prim::min", 6, 3, 3);
    check_ints("torch::sym_max", 6, 3, 6);
}

TEST(aten_numbers_of_other_kinds) {
    const AtenValue ints[] = {aten_int(7), aten_int(2)}, floats[] = {aten_float(-2.5), aten_int(2)};
    const AtenValue bools[] = {aten_bool(true), aten_bool(false)},
                    texts[] = {aten_text("bilinear"), aten_text("nearest")};
    CHECK(number_of("aten::div", ints, 2).f == 3.5);
    CHECK(number_of("aten::floordiv", floats, 2).f == -2);
    CHECK(number_of("aten::mul", floats, 2).f == -5);
    CHECK_INT(number_of("aten::__and__", bools, 2).b, false);
    CHECK_INT(number_of("aten::__or__", bools, 2).kind, ATEN_BOOL);
    CHECK_INT(number_of("aten::lt", ints, 2).b, false);
    CHECK_INT(number_of("aten::ge", floats, 2).b, false);
    CHECK_INT(number_of("aten::eq", texts, 2).b, false);
    CHECK_INT(number_of("aten::ne", texts, 2).b, true);
    CHECK_INT(number_of("math::ceil", floats, 1).i, -2);
    CHECK_INT(number_of("math::floor", floats, 1).i, -3);
    CHECK_INT(number_of("math::trunc", floats, 1).i, -2);
    CHECK_INT(number_of("aten::Int", floats, 1).i, -2);
    CHECK(number_of("torch::sym_float", ints, 1).kind == ATEN_FLOAT);
    CHECK(number_of("aten::round", floats, 1).f == -2); // halves to even
    CHECK_INT(number_of("aten::Bool", ints, 1).b, true);
    CHECK_INT(number_of("aten::__not__", bools, 1).b, false);
    CHECK(number_of("aten::neg", floats, 1).f == 2.5);
}

TEST(aten_lists_as_python_has_them) {
    const AtenValue items[] = {aten_int(5), aten_int(6), aten_int(7)}, none = aten_none(), list = aten_list(items, 3);
    CHECK_INT(number_of("aten::len", &list, 1).i, 3);
    CHECK_INT(number_of("aten::__getitem__", (const AtenValue[]){list, aten_int(-1)}, 2).i, 7);
    CHECK_INT(number_of("aten::__contains__", (const AtenValue[]){list, aten_int(6)}, 2).b, true);
    CHECK_INT(number_of("aten::__contains__", (const AtenValue[]){list, aten_int(8)}, 2).b, false);
    CHECK_INT(number_of("aten::eq", (const AtenValue[]){list, list}, 2).b, true);
    CHECK_INT(number_of("aten::__is__", (const AtenValue[]){none, none}, 2).b, true);
    CHECK_INT(number_of("aten::__isnot__", (const AtenValue[]){list, none}, 2).b, true);
    CHECK_INT(number_of("aten::add", (const AtenValue[]){list, list}, 2).count, 6);
    CHECK_INT(number_of("aten::mul", (const AtenValue[]){list, aten_int(2)}, 2).count, 6);
    CHECK_INT(number_of("aten::slice", (const AtenValue[]){list, aten_int(1)}, 2).count, 2);
    CHECK_INT(number_of("prim::max", &list, 1).i, 7);
}

// ---- what is known in a run only

typedef struct Free { // x (batch, 3, 4, 4)
    Arena arena;
    Imported imported;
    Aten aten;
    AtenValue x;
} Free;

static void free_begin(Free *f, const ImportOptions *options) {
    const Type type = {DT_F32, 4, {DIM_UNKNOWN, 3, 4, 4}};
    *f = (Free){0};
    CHECK_OK(aten_begin(&f->aten, &f->imported, options, &f->arena));
    CHECK_OK(aten_input(&f->aten, "x", &type, &f->x));
}

static void free_end(Free *f) {
    graph_free(f->imported.graph);
    arena_free(&f->arena);
}

static AtenValue call_of(Free *f, const char *op, const AtenValue *args, int count) {
    AtenValue out;
    const AtenCall call = {.op = op, .name = "v", .place = "net", .args = args, .n_args = count};
    CHECK_OK(aten_call(&f->aten, &call, &out, 1));
    return out;
}
#define CALL(f, op, ...)                                                                                               \
    call_of(f, op, (const AtenValue[]){__VA_ARGS__}, (int)COUNT_OF(((const AtenValue[]){__VA_ARGS__})))

// A view by sizes of which one is free keeps all that is known.
TEST(aten_views_keep_what_is_known) {
    Free f;
    free_begin(&f, NULL);
    const AtenValue batch = CALL(&f, "aten::size", f.x, aten_int(0));
    CHECK_INT(batch.kind, ATEN_NUMBER);
    const AtenValue shape[] = {batch, aten_int(3), aten_int(16)};
    const AtenValue y = CALL(&f, "aten::view", f.x, aten_list(shape, 3));
    const Type *type = &f.aten.graph->values[y.value].type;
    CHECK_INT(type->dim[0], f.aten.graph->values[f.x.value].type.dim[0]); // the symbol
    CHECK_INT(type->dim[2], 16);
    const AtenValue more = CALL(&f, "aten::mul", batch, aten_int(3));
    const AtenValue folded[] = {more, aten_int(16)};
    const AtenValue z = CALL(&f, "aten::view", f.x, aten_list(folded, 2));
    CHECK_INT(f.aten.graph->values[z.value].type.dim[1], 16);
    const AtenValue back[] = {batch, aten_int(3), aten_int(4), aten_int(4)};
    const AtenValue w = CALL(&f, "aten::view", z, aten_list(back, 4));
    CHECK_INT(f.aten.graph->values[w.value].type.dim[3], 4);
    free_end(&f);
}

// What the user fixes is known from the first call on.
TEST(aten_inputs_that_are_bound) {
    Free f;
    const InputShape shape = {"x", {4, {2, 3, 4, 4}}};
    const ImportOptions options = {.inputs = &shape, .n_inputs = 1};
    free_begin(&f, &options);
    const AtenValue batch = CALL(&f, "aten::size", f.x, aten_int(0));
    CHECK_INT(batch.kind, ATEN_INT);
    CHECK_INT(batch.i, 2);
    free_end(&f);
}

TEST(aten_numbers_in_the_graph) {
    Free f;
    Tensor in, out[4];
    free_begin(&f, NULL);
    const AtenValue batch = CALL(&f, "aten::size", f.x, aten_int(0));
    const AtenValue results[] = {
        CALL(&f, "aten::floordiv", batch, aten_int(2)), CALL(&f, "aten::div", batch, aten_int(2)),
        CALL(&f, "_operator::mod", batch, aten_int(3)), CALL(&f, "torch::sym_max", batch, aten_int(7))};
    static const double expected[] = {2, 2.5, 2, 7};
    for (int i = 0; i < 4; i++) {
        char name[16];
        snprintf(name, sizeof name, "y%d", i);
        CHECK_INT(results[i].kind, ATEN_NUMBER);
        CHECK_OK(aten_output(&f.aten, name, &results[i]));
    }
    CHECK_OK(aten_end(&f.aten));
    CHECK_OK(tensor_make(&f.arena, DT_F32, shape_of(4, (const int64_t[]){5, 3, 4, 4}), &in));
    CHECK_OK(reference_run(f.aten.graph, &in, out, &f.arena, NULL, NULL));
    for (int i = 0; i < 4; i++) CHECK(tensor_get(&out[i], 0) == expected[i]);
    free_end(&f);
}

// ---- what is missing

TEST(aten_missing_operators_are_told_together) {
    Free f;
    AtenValue y, z, parts[2];
    free_begin(&f, NULL);
    y = CALL(&f, "aten::fft_rfft", f.x);
    CHECK_INT(y.kind, ATEN_MISSING);
    CHECK_INT(CALL(&f, "aten::relu", y).kind, ATEN_MISSING); // its result is missing too, and is not told
    CALL(&f, "torchvision::nms", f.x);
    CALL(&f, "torchvision::nms", f.x);
    z = CALL(&f, "aten::relu", f.x);
    CHECK_OK(aten_output(&f.aten, "y", &z));
    CHECK_INT(aten_end(&f.aten), ST_UNSUPPORTED);
    CHECK(text_starts(error_message(), "net: operators of PyTorch that are not supported: aten::fft_rfft (1 call), "
                                       "torchvision::nms (2 calls); "));
    free_end(&f);
    free_begin(&f, NULL);
    const AtenValue args[] = {f.x, aten_int(3)};
    const AtenCall call = {.op = "aten::adaptive_max_pool2d", .name = "v", .args = args, .n_args = 2};
    CHECK_OK(aten_call(&f.aten, &call, parts, 2));
    CHECK_OK(aten_output(&f.aten, "y", &parts[0])); // the indices are asked for by nobody
    CHECK_OK(aten_end(&f.aten));
    z = CALL(&f, "aten::relu", parts[1]);
    CHECK_INT(aten_end(&f.aten), ST_UNSUPPORTED);
    CHECK(strstr(error_message(), "indices of an adaptive maximum"));
    free_end(&f);
}

TEST(aten_names) {
    CHECK(aten_has("aten::add") && aten_has("aten::add_") && aten_has("_operator::mul") && aten_has("aten::relu6"));
    CHECK(!aten_has("aten::ad") && !aten_has("aten::add__"));
    CHECK(!aten_has("aten::__is_") && !aten_has("") && !aten_has("aten::") && !aten_has("_"));
}
