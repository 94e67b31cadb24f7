// Keras models by others. Parameters are those that the layers' settings ask for, counted apart.
#include "base/rng.h"
#include "import/keras_check.h"

static const char *data_or_skip(const char *name) {
    const char *path = test_data(name);
    if (!path) test_skip("the data by others is not there");
    return path;
}

static int count_op(const Graph *graph, Op op) {
    int count = 0;
    for (int i = 0; i < graph->n_nodes; i++) count += graph->nodes[i]->op == op;
    return count;
}

// Of the weights in use; one that two nodes share is counted once.
static int64_t count_parameters(const Graph *graph) {
    int64_t parameters = 0;
    for (int i = 0; i < graph->n_values; i++) {
        const Tensor *constant = graph->values[i].constant;
        if (constant && dtype_is_float(constant->dtype) && graph_uses(graph, i)) parameters += tensor_count(constant);
    }
    return parameters;
}

typedef struct Expected {
    const char *format;
    int convs, transposed, pools, norms, resizes;
    int64_t parameters;
} Expected;

static void check_real(const char *name, const Expected *expected) {
    Imported model;
    CHECK_OK(import_model(data_or_skip(name), NULL, &model));
    const Graph *graph = model.graph;
    CHECK_TEXT(model.format, expected->format);
    CHECK_INT(count_op(graph, OP_Conv), expected->convs);
    CHECK_INT(count_op(graph, OP_ConvTranspose), expected->transposed);
    CHECK_INT(count_op(graph, OP_MaxPool), expected->pools);
    CHECK_INT(count_op(graph, OP_BatchNormalization) + count_op(graph, OP_InstanceNormalization), expected->norms);
    CHECK_INT(count_op(graph, OP_Resize), expected->resizes);
    CHECK_INT(count_parameters(graph), expected->parameters);
    CHECK_INT(graph->n_inputs, 1);
    CHECK_INT(graph->n_outputs, 1);
    CHECK_OK(graph_verify(graph));
    import_free(&model);
}

TEST(keras_real_files) {
    check_real("models/lgg/seed-keras-w16.h5", &(Expected){"Keras 2 (.h5)", 19, 4, 4, 9, 0, 1944049});
    check_real("models/lgg/seed-keras-w16.keras", &(Expected){"Keras 3 (.keras)", 19, 4, 4, 9, 0, 1944049});
    // the scales of two Resize nodes, two each
    check_real("models/keras/brats-unet-128.h5", &(Expected){"Keras 3 (.h5)", 11, 0, 2, 0, 2, 117985 + 4});
}

// All its BatchNormalization layers were called with training=True, so that half of their 4 numbers a channel are not
// in use.
TEST(keras_real_batch_statistics) {
    Imported model;
    check_real("models/keras/tiramisu45.h5", &(Expected){"Keras 2 (.h5)", 40, 5, 5, 38, 0, 844344 - 2 * 6540});
    CHECK_OK(import_model(data_or_skip("models/keras/tiramisu45.h5"), NULL, &model));
    CHECK_MSG(strstr(text_get(&model.notes), "38 BatchNormalization"), "%s", text_get(&model.notes));
    import_free(&model);
}

TEST(keras_real_custom_layer) {
    check_refused_with(data_or_skip("models/keras/voxelmorph-3d-vm1.h5"), NULL, ST_UNSUPPORTED,
                       "layers that are not supported: SpatialTransformer (1 layer)");
}

// ---- one network in three formats

static void random_input(Arena *arena, const Shape *shape, Tensor *out) {
    Rng rng;
    rng_seed(&rng, 7);
    CHECK_OK(tensor_make(arena, DT_F32, *shape, out));
    for (int64_t i = 0; i < tensor_count(out); i++) tensor_set(out, i, rng_uniform(&rng) * 2 - 1);
}

// The picture with its channels first where the model has them so.
static void run_real(const char *name, Arena *arena, Tensor *out) {
    Imported model;
    Tensor input, first;
    CHECK_OK(import_model(data_or_skip(name), NULL, &model));
    random_input(arena, &(Shape){.rank = 4, .dim = {1, 256, 256, 3}}, &input);
    CHECK_OK(tensor_make(arena, DT_F32, (Shape){.rank = 4, .dim = {1, 3, 256, 256}}, &first));
    for (int64_t i = 0; i < tensor_count(&input); i++) tensor_set(&first, i % 3 * 65536 + i / 3, tensor_get(&input, i));
    const bool is_first = model.graph->values[model.graph->inputs[0]].type.dim[1] == 3;
    CHECK_OK(reference_run(model.graph, is_first ? &first : &input, out, arena, NULL, NULL));
    import_free(&model);
}

// The exporter has made each BatchNormalization part of a convolution, and put channels first.
TEST(keras_real_against_onnx) {
    Arena arena = {0};
    Tensor keras, onnx;
    Comparison comparison;
    run_real("models/lgg/seed-keras-w16.h5", &arena, &keras);
    run_real("models/lgg/seed-keras-w16.onnx", &arena, &onnx);
    CHECK(keras.shape.dim[1] == 256 && keras.shape.dim[3] == 1);
    onnx.shape = keras.shape; // one channel
    CHECK_OK(tensor_compare(&keras, &onnx, 1e-5, 1e-4, &comparison));
    CHECK_MSG(comparison.outside == 0, "largest difference %g, rms %g", comparison.max_abs, comparison.rms_rel);
    arena_free(&arena);
}

// The same nodes with the same weights.
TEST(keras_real_zip_against_h5) {
    Imported h5, zip;
    CHECK_OK(import_model(data_or_skip("models/lgg/seed-keras-w16.h5"), NULL, &h5));
    CHECK_OK(import_model(data_or_skip("models/lgg/seed-keras-w16.keras"), NULL, &zip));
    REQUIRE(h5.graph->n_nodes == zip.graph->n_nodes);
    for (int i = 0; i < h5.graph->n_nodes; i++) {
        const Node *a = h5.graph->nodes[i], *b = zip.graph->nodes[i];
        REQUIRE(a->op == b->op && a->n_inputs == b->n_inputs);
        for (int k = 0; k < a->n_inputs; k++) {
            const Tensor *x = node_constant(h5.graph, a, k), *y = node_constant(zip.graph, b, k);
            CHECK(!x == !y);
            if (!x || !y) continue;
            CHECK_MSG(shape_equal(&x->shape, &y->shape) && memcmp(x->data, y->data, tensor_bytes(x)) == 0,
                      "node %d (%s), input %d", i, a->name, k);
        }
    }
    import_free(&h5);
    import_free(&zip);
}
