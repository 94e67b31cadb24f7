// Layers that importers share, against values worked out by hand.
#include "import/emit.h"
#include "import/missing.h"
#include "reference/reference.h"
#include "test.h"

typedef struct Small {
    Graph *graph;
    Emit emit;
    ValueId x;
} Small;

static Small begin(int rank, const int64_t *dims) {
    Small s = {0};
    const Shape shape = shape_of(rank, dims);
    const Type type = type_make(DT_F32, &shape);
    CHECK_OK(graph_create(&s.graph));
    s.emit = (Emit){.graph = s.graph, .layer = "layer"};
    CHECK_OK(graph_add_input(s.graph, "x", &type, &s.x));
    return s;
}

static ValueId weight(Small *s, int rank, const int64_t *dims, const float *values) {
    ValueId out;
    Tensor tensor;
    CHECK_OK(tensor_make(&s->graph->arena, DT_F32, shape_of(rank, dims), &tensor));
    memcpy(tensor.data, values, tensor_bytes(&tensor));
    CHECK_OK(emit_tensor(&s->emit, "weight", &tensor, &out));
    return out;
}

// Runs the graph on x = values; y has to have the shape and the values.
static void expect(Small *s, ValueId y, const float *values, int rank, const int64_t *dims, const float *expected) {
    Arena arena = {0};
    CHECK_OK(emit_output(&s->emit, "y", y));
    CHECK_OK(emit_end(s->graph));
    const Shape input = type_shape(&s->graph->values[s->graph->inputs[0]].type), shape = shape_of(rank, dims);
    const Tensor in = {.dtype = DT_F32, .shape = input, .data = (void *)(uintptr_t)values};
    Tensor made, *const out = &made;
    CHECK_OK(reference_run(s->graph, &in, out, &arena, NULL, NULL));
    REQUIRE(shape_equal(&out->shape, &shape));
    CHECK_TEXT(s->graph->values[s->graph->outputs[0]].name, "y");
    for (int64_t i = 0; i < tensor_count(out); i++) {
        CHECK_MSG(fabs(tensor_get(out, i) - (double)expected[i]) < 1e-6, "element %lld: got %g, expected %g",
                  (long long)i, tensor_get(out, i), (double)expected[i]);
    }
    arena_free(&arena);
    graph_free(s->graph);
}

#define DIMS(...)                                                                                                      \
    (int)COUNT_OF(((const int64_t[]){__VA_ARGS__})), (const int64_t[]) { __VA_ARGS__ }
#define VALUES(...)                                                                                                    \
    (const float[]) { __VA_ARGS__ }

// What a scatter of x into steps of the stride gives, cut as TensorFlow's conv1d_transpose does.
static void check_transposed(int64_t kernel, int64_t stride, const float *expected, int64_t length) {
    static const float taps[] = {1, 2, 3, 4};
    Small s = begin(DIMS(1, 1, 3));
    ValueId y;
    EmitWindow window = {.spatial = 1, .kernel = {kernel}, .stride = {stride}, .same = true};
    CHECK_OK(emit_conv_transpose(&s.emit, s.x, weight(&s, DIMS(1, 1, kernel), taps), NO_VALUE, &window, &y));
    expect(&s, y, VALUES(1, 10, 100), DIMS(1, 1, length), expected);
}

TEST(emit_transposed_convolution_same) {
    check_transposed(3, 2, VALUES(1, 2, 13, 20, 130, 200), 6);   // 1 2 3+10 20 30+100 200 300: one cut, at the end
    check_transposed(4, 2, VALUES(2, 13, 24, 130, 240, 300), 6); // 1 2 13 24 130 240 300 400: one at either end
    check_transposed(2, 2, VALUES(1, 2, 10, 20, 100, 200), 6);
    check_transposed(1, 2, VALUES(1, 0, 10, 0, 100, 0), 6); // smaller than its stride
    check_transposed(3, 1, VALUES(12, 123, 230), 3);        // 1 12 123 230 300
}

TEST(emit_windows_same) {
    Small s = begin(DIMS(1, 1, 5));
    ValueId y;
    EmitWindow window = {.spatial = 1, .kernel = {2}, .stride = {2}, .same = true};
    CHECK_OK(emit_pool(&s.emit, OP_MaxPool, s.x, &window, &y));
    expect(&s, y, VALUES(1, 2, 3, 4, -5), DIMS(1, 1, 3), VALUES(2, 4, -5));
    s = begin(DIMS(1, 1, 5));
    CHECK_OK(emit_pool(&s.emit, OP_AveragePool, s.x, &window, &y)); // pads are not counted
    expect(&s, y, VALUES(1, 2, 3, 4, -5), DIMS(1, 1, 3), VALUES(1.5f, 3.5f, -5));
    s = begin(DIMS(1, 1, 4));
    CHECK_OK(emit_conv(&s.emit, s.x, weight(&s, DIMS(1, 1, 2), VALUES(1, 10)), NO_VALUE, &window, &y));
    expect(&s, y, VALUES(1, 2, 3, 4), DIMS(1, 1, 2), VALUES(21, 43));
    s = begin(DIMS(1, 1, 4));
    window = (EmitWindow){.spatial = 1, .pad_begin = {2}, .pad_end = {1}, .dilation = {2}};
    CHECK_OK(emit_conv(&s.emit, s.x, weight(&s, DIMS(1, 1, 2), VALUES(1, 10)), weight(&s, DIMS(1), VALUES(0.5f)),
                       &window, &y));
    expect(&s, y, VALUES(1, 2, 3, 4), DIMS(1, 1, 5), VALUES(10.5f, 20.5f, 31.5f, 42.5f, 3.5f));
}

TEST(emit_channels_move) {
    Small s = begin(DIMS(1, 2, 2, 3));
    ValueId first, y;
    CHECK_OK(emit_first(&s.emit, s.x, &first));
    CHECK_INT(emit_type(&s.emit, first)->dim[1], 3);
    y = first;
    CHECK_OK(emit_last(&s.emit, y, &y)); // the result in the place of the input
    CHECK_INT(emit_type(&s.emit, y)->dim[3], 3);
    expect(&s, first, VALUES(0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32), DIMS(1, 3, 2, 2),
           VALUES(0, 10, 20, 30, 1, 11, 21, 31, 2, 12, 22, 32));
}

// The same numbers whichever axis the channels are.
TEST(emit_batch_norm_on_any_axis) {
    static const int64_t dims[3][4] = {{1, 2, 2, 1}, {1, 1, 2, 2}, {1, 2, 1, 2}};
    static const int axes[] = {1, 2, -1};
    static const float expected[3][4] = {{2, 4, 1, 2}, {2, 4, 1, 2}, {2, 0, 6, 2}};
    for (int i = 0; i < 3; i++) {
        Small s = begin(4, dims[i]);
        ValueId parameters[4], y;
        parameters[0] = weight(&s, DIMS(2), VALUES(2, 1));
        parameters[1] = weight(&s, DIMS(2), VALUES(0, -2));
        parameters[2] = weight(&s, DIMS(2), VALUES(0, 0));
        parameters[3] = weight(&s, DIMS(2), VALUES(0.75f, 0.75f));
        CHECK_OK(emit_batch_norm(&s.emit, s.x, axes[i], parameters, 0.25, &y));
        expect(&s, y, VALUES(1, 2, 3, 4), 4, dims[i], expected[i]);
    }
}

TEST(emit_moves_data) {
    Small s = begin(DIMS(1, 1, 3));
    ValueId y;
    CHECK_OK(
        emit_pad(&s.emit, "padded", s.x, (const int64_t[]){0, 0, 1}, (const int64_t[]){0, 0, -1}, "constant", 7, &y));
    expect(&s, y, VALUES(1, 2, 3), DIMS(1, 1, 3), VALUES(7, 1, 2));
    s = begin(DIMS(1, 1, 2));
    CHECK_OK(emit_resize(
        &s.emit, s.x, &(EmitResize){.scales = (const double[]){2}, .mode = "linear", .coordinate = "half_pixel"}, &y));
    expect(&s, y, VALUES(0, 4), DIMS(1, 1, 4), VALUES(0, 1, 3, 4));
    s = begin(DIMS(1, 1, 2));
    CHECK_OK(emit_resize(
        &s.emit, s.x, &(EmitResize){.sizes = (const int64_t[]){3}, .mode = "nearest", .coordinate = "asymmetric"}, &y));
    expect(&s, y, VALUES(0, 4), DIMS(1, 1, 3), VALUES(0, 0, 4));
    s = begin(DIMS(2, 3));
    Tensor made;
    Arena arena = {0};
    CHECK_OK(tensor_make(&arena, DT_F32, shape_of(3, (const int64_t[]){1, 2, 3}), &made));
    for (int i = 0; i < 6; i++) tensor_set(&made, i, i);
    CHECK_OK(emit_permuted(&s.emit, "kernel", &made, (const int[]){0, 2, 1}, &y));
    const Tensor *permuted = emit_constant(&s.emit, y);
    REQUIRE(permuted && permuted->shape.dim[1] == 3 && permuted->shape.dim[2] == 2);
    static const int expected[] = {0, 3, 1, 4, 2, 5};
    for (int i = 0; i < 6; i++) CHECK_INT(tensor_get_int(permuted, i), expected[i]);
    arena_free(&arena);
    graph_free(s.graph);
}

TEST(missing_is_counted_by_name) {
    Missing missing = {0};
    char names[40][16];
    CHECK_OK(missing_status(&missing, "layers", "layer", "remove them"));
    missing_add(&missing, "Lambda"), missing_add(&missing, "Odd"), missing_add(&missing, "Lambda");
    CHECK_INT(missing_status(&missing, "layers", "layer", "remove them"), ST_UNSUPPORTED);
    CHECK_TEXT(error_message(), "layers that are not supported: Lambda (2 layers), Odd (1 layer); remove them");
    for (int i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "n%d", i);
        missing_add(&missing, names[i]);
    }
    CHECK_INT(missing_status(&missing, "layers", "layer", "remove them"), ST_UNSUPPORTED);
    CHECK(strstr(error_message(), " and others (10 layers); remove them"));
}
