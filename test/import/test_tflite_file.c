// The file around the operators: inputs, outputs, names, weights, what is missing. And real models.
#include "import/tflite_check.h"
#include "pass/pass.h"
#include "plan/planned.h"

static TfliteFile small(const char *dims) {
    OneOp one = one_op(dims, T_FLOAT32);
    const int w = tflite_floats(&one.file, "w", "", (const float[]){2});
    tflite_op(&one.file, 18, 21, "", (int[]){one.x, w}, 2, (int[]){one.y}, 1);
    return one.file;
}

static void open_model(TfliteFile *file, const ImportOptions *options, Imported *model) {
    CHECK_OK(import_model(tflite_save(file, "small.tflite"), options, model));
    CHECK_TEXT(model->format, "TensorFlow Lite");
    CHECK_INT(model->opset, 0);
    CHECK_OK(graph_verify(model->graph));
}

static const char *input_name(const Imported *model, int i) {
    return model->graph->values[model->graph->inputs[i]].name;
}
static const char *output_name(const Imported *model, int i) {
    return model->graph->values[model->graph->outputs[i]].name;
}

TEST(names_are_those_of_the_tensors) {
    TfliteFile file = small("1,2");
    Imported model;
    open_model(&file, NULL, &model);
    CHECK_TEXT(input_name(&model, 0), "x");
    CHECK_TEXT(output_name(&model, 0), "y");
    import_free(&model);
}

TEST(names_are_those_of_the_signature) {
    TfliteFile file = small("1,2");
    file.n_signatures = 1;
    file.signatures[0] = (TfliteSignatureMade){.key = "serving_default", .names = {"image", "mask"}};
    Imported model;
    open_model(&file, NULL, &model);
    CHECK_TEXT(input_name(&model, 0), "image");
    CHECK_TEXT(output_name(&model, 0), "mask");
    import_free(&model);
}

TEST(a_signature_may_be_chosen) {
    const ImportOptions second = {.signature = "second"}, third = {.signature = "third"};
    for (int wanted = 2; wanted <= 3; wanted++) {
        TfliteFile file = small("1,2");
        file.subgraphs = 2;
        file.n_signatures = 2;
        file.signatures[0] = (TfliteSignatureMade){.key = "first", .names = {"a", "b"}};
        file.signatures[1] = (TfliteSignatureMade){.key = "second", .names = {"c", "d"}, .subgraph = 1};
        Imported model;
        if (wanted == 2) {
            open_model(&file, &second, &model);
            CHECK_TEXT(input_name(&model, 0), "c");
        } else {
            CHECK_INT(import_model(tflite_save(&file, "small.tflite"), &third, &model), ST_USAGE);
            CHECK(strstr(error_message(), "expected a signature of the model ('first', 'second'), got 'third'"));
        }
        import_free(&model);
    }
    TfliteFile file = small("1,2");
    Imported model;
    CHECK_INT(import_model(tflite_save(&file, "small.tflite"), &third, &model), ST_USAGE);
    CHECK(strstr(error_message(), "(it has none), got 'third'"));
}

// An output keeps its name whatever is called so in between; an input that is an output is a value of its own.
TEST(outputs_keep_their_names) {
    OneOp one = one_op("2", T_FLOAT32);
    const int w = tflite_floats(&one.file, "y", "", (const float[]){2}); // a weight of the output's name
    const int inner = tflite_tensor(&one.file, "y", T_FLOAT32, "2");
    tflite_op(&one.file, 18, 21, "", (int[]){one.x, w}, 2, (int[]){inner}, 1);
    tflite_op(&one.file, 19, 0, NULL, (int[]){inner}, 1, (int[]){one.y}, 1);
    tflite_ends(&one.file, &one.x, 1, (int[]){one.y, one.x, one.y}, 3);
    Imported model;
    open_model(&one.file, NULL, &model);
    CHECK_INT(model.graph->n_outputs, 3);
    CHECK_TEXT(output_name(&model, 0), "y");
    CHECK_TEXT(input_name(&model, 0), "x");
    CHECK_TEXT(output_name(&model, 1), "x.1");
    import_free(&model);
}

TEST(free_dims_are_symbols) {
    TfliteFile file = small("?,4,?,2");
    Imported model;
    open_model(&file, NULL, &model);
    const Type *type = &model.graph->values[model.graph->inputs[0]].type;
    REQUIRE(type->rank == 4);
    CHECK(type->dim[0] <= DIM_SYMBOL_0 && type->dim[1] == 4 && type->dim[2] <= DIM_SYMBOL_0 && type->dim[3] == 2);
    CHECK(type->dim[0] != type->dim[2]);
    CHECK_TEXT(model.graph->symbols[DIM_SYMBOL_0 - type->dim[0]], "x.0");
    import_free(&model);
    file = small("?,4");
    const InputShape shape = {"x", {2, {3, 4}}};
    const ImportOptions options = {.inputs = &shape, .n_inputs = 1};
    open_model(&file, &options, &model);
    CHECK_INT(model.graph->values[model.graph->outputs[0]].type.dim[0], 3);
    import_free(&model);
    file = small("?,4");
    const InputShape wrong = {"x", {2, {3, 5}}};
    const ImportOptions bad = {.inputs = &wrong, .n_inputs = 1};
    CHECK_INT(import_model(tflite_save(&file, "small.tflite"), &bad, &model), ST_USAGE);
}

TEST(inputs_may_be_bound) {
    TfliteFile file = small("2");
    float values[2] = {3, 4};
    const NamedTensor bind = {.name = "x", .tensor = {DT_F32, {1, {2}}, values}};
    const ImportOptions options = {.bind = &bind, .n_bind = 1};
    Imported model;
    open_model(&file, &options, &model);
    CHECK_INT(model.graph->n_inputs, 0);
    import_free(&model);
}

TEST(old_operator_codes) {
    TfliteFile file = small("1,2");
    file.old_codes = true;
    Imported model;
    open_model(&file, NULL, &model);
    import_free(&model);
}

TEST(weights_behind_the_flatbuffer) {
    TfliteFile file = small("2");
    file.outside = true;
    GIVES(&file, "2", 2 * test_number(0), 2 * test_number(1));
}

// A 1x1 filter has the same order of numbers either way; it and other large weights stay in the file.
TEST(large_weights_stay_where_they_are) {
    float *values = calloc(32 * 64, sizeof *values);
    REQUIRE(values);
    OneOp one = one_op("1,2,2,64", T_FLOAT32);
    const int w = tflite_floats(&one.file, "w", "32,1,1,64", values);
    tflite_op(&one.file, 3, 1, "0=b:0 1=i:1 2=i:1", (int[]){one.x, w}, 2, (int[]){one.y}, 1);
    Imported model;
    open_model(&one.file, NULL, &model);
    int found = 0;
    for (int i = 0; i < model.graph->n_nodes; i++) {
        const Node *node = model.graph->nodes[i];
        if (node->op != OP_Conv) continue;
        const Tensor *weight = node_constant(model.graph, node, 1);
        REQUIRE(weight);
        const uint8_t *at = weight->data, *start = model.mappings[0].data;
        CHECK(at > start && at < start + model.mappings[0].size);
        CHECK(weight->shape.dim[0] == 32 && weight->shape.dim[1] == 64 && weight->shape.dim[2] == 1);
        found++;
    }
    CHECK_INT(found, 1);
    import_free(&model);
    free(values);
}

TEST(versions) {
    TfliteFile file = small("1,2");
    file.version = 2;
    check_refused(&file, ST_UNSUPPORTED, "version 3 of TensorFlow Lite's schema, got 2");
}

TEST(what_is_missing_is_told_together) {
    OneOp one = one_op("1,2", T_FLOAT32);
    const int a = tflite_tensor(&one.file, "a", T_FLOAT32, "1"), b = tflite_tensor(&one.file, "b", T_FLOAT32, "1");
    const int c = tflite_tensor(&one.file, "c", T_FLOAT32, "1"), d = tflite_tensor(&one.file, "d", T_FLOAT32, "1");
    tflite_op(&one.file, 119, 93, "", (int[]){one.x}, 1, (int[]){a}, 1);
    tflite_op(&one.file, 16, 0, NULL, (int[]){a}, 1, (int[]){b}, 1);
    tflite_op(&one.file, 16, 0, NULL, (int[]){b}, 1, (int[]){c}, 1);
    tflite_op(&one.file, 32, 0, NULL, (int[]){c}, 1, (int[]){d}, 1)->custom = "MaxPoolingWithArgmax2D";
    tflite_op(&one.file, 300, 0, NULL, (int[]){d}, 1, (int[]){one.y}, 1);
    check_refused(&one.file, ST_UNSUPPORTED,
                  "operators that are not supported: WHILE (1 time), LSTM (2 times), MaxPoolingWithArgmax2D (1 time), "
                  "an operator newer");
}

TEST(types_and_tensors_that_are_not_had) {
    OneOp one = one_op("1,2", T_FLOAT32);
    one.file.tensors[one.x].type = T_STRING;
    tflite_op(&one.file, 19, 0, NULL, (int[]){one.x}, 1, (int[]){one.y}, 1);
    check_refused(&one.file, ST_UNSUPPORTED, "input 'x'|of type text");
    one = one_op("1,2", T_FLOAT32);
    one.file.tensors[one.x].type = 60;
    tflite_op(&one.file, 19, 0, NULL, (int[]){one.x}, 1, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "input 'x'|expected a type of tensors");
    TfliteFile file = small("1,2");
    file.tensors[2].sparse = true;
    check_refused(&file, ST_UNSUPPORTED, "MUL 'y'|input 1 'w'|sparse weights");
    one = one_op("1,2", T_FLOAT32);
    const int v = tflite_tensor(&one.file, "v", T_FLOAT32, "2");
    one.file.tensors[v].variable = true;
    tflite_op(&one.file, 0, 11, "", (int[]){one.x, v}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_UNSUPPORTED, "ADD 'y'|input 1 'v'|variable");
    file = small("1,2,3,4,5,6,7,8,9");
    check_refused(&file, ST_UNSUPPORTED, "9 dims");
}

// ---- real models

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

// Optimised, planned and run.
static void run_planned(const char *path, const Tensor *input, Arena *arena, Tensor *out) {
    Imported model;
    const InputShape shape = {NULL, input->shape};
    const ImportOptions options = {.inputs = &shape, .n_inputs = 1, .resolve = pass_resolve_shapes};
    const Setting setting = {.isa = planned_best_isa(), .threads = 1, .fuse = true};
    CHECK_OK(import_model(path, &options, &model));
    CHECK_OK(passes_run(model.graph, 2, NULL, NULL));
    Tensor *outputs = planned_outputs(model.graph, arena);
    CHECK(planned_run(path, model.graph, input, &setting, outputs));
    *out = outputs[0];
    import_free(&model);
}

TEST(the_lgg_network) {
    Imported model;
    CHECK_OK(import_model(data_or_skip("models/lgg/seed-keras-w16.tflite"), NULL, &model));
    CHECK_TEXT(input_name(&model, 0), "input_1");
    CHECK_TEXT(output_name(&model, 0), "conv2d_18");
    CHECK_TEXT(text_get(&model.notes), "");
    CHECK_INT(count_op(model.graph, OP_Conv), 19);
    CHECK_INT(count_op(model.graph, OP_ConvTranspose), 4);
    CHECK_OK(passes_run(model.graph, 2, NULL, NULL));
    CHECK_INT(count_op(model.graph, OP_Shape), 0);
    CHECK_INT(count_op(model.graph, OP_Transpose), 2); // behind the input and before the output
    import_free(&model);
}

// The same network was written to ONNX, there with its channels first.
TEST(the_lgg_network_is_the_one_in_onnx) {
    const char *onnx = data_or_skip("models/lgg/seed-keras-w16.onnx");
    const char *tflite = data_or_skip("models/lgg/seed-keras-w16.tflite");
    enum { SIDE = 256, PIXELS = SIDE * SIDE };
    Arena arena = {0};
    Tensor first, last, a, b;
    CHECK_OK(tensor_make(&arena, DT_F32, (Shape){4, {1, 3, SIDE, SIDE}}, &first));
    CHECK_OK(tensor_make(&arena, DT_F32, (Shape){4, {1, SIDE, SIDE, 3}}, &last));
    for (int64_t i = 0; i < 3 * PIXELS; i++) {
        const double value = (double)((i / 3 % SIDE * 5 + i / 3 / SIDE * 3 + i % 3 * 40) % 256) / 255;
        tensor_set(&last, i, value);
        tensor_set(&first, i % 3 * PIXELS + i / 3, value);
    }
    run_planned(onnx, &first, &arena, &a);
    run_planned(tflite, &last, &arena, &b);
    REQUIRE(tensor_count(&a) == PIXELS && tensor_count(&b) == PIXELS);
    double largest = 0, sum = 0;
    for (int64_t i = 0; i < PIXELS; i++) {
        largest = fmax(largest, fabs(tensor_get(&a, i) - tensor_get(&b, i)));
        sum += tensor_get(&a, i);
    }
    CHECK_MSG(largest < 1e-4, "they differ by %g", largest);
    CHECK(sum > 0 && sum < PIXELS); // it is an answer of a kind
    arena_free(&arena);
}

TEST(upsampling_by_tiles) {
    Imported model;
    CHECK_OK(import_model(data_or_skip("models/tflite/unet-128-tile-upsample.tflite"), NULL, &model));
    CHECK_INT(count_op(model.graph, OP_Conv), 15);
    const Type *type = &model.graph->values[model.graph->outputs[0]].type;
    CHECK(type->rank == 4 && type->dim[1] == 128 && type->dim[2] == 128 && type->dim[3] == 1);
    import_free(&model);
}
