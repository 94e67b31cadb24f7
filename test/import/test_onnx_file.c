// The file around the nodes: opsets, inputs, weights in all their forms, names, what the user binds.
#include "import/onnx_check.h"
#include <sys/stat.h>
#include <unistd.h>

// x -> Relu -> y
static OnnxFile relu_file(int opset, const char *dims) {
    OnnxFile file = onnx_file(opset);
    onnx_input(&file, "x", FLOAT32, dims);
    onnx_node(&file, "Relu", "x", "y", "");
    onnx_output(&file, "y");
    return file;
}

TEST(opsets_6_to_25) {
    for (int opset = 6; opset <= 25; opset++) {
        OnnxFile file = relu_file(opset, "2");
        Imported model;
        CHECK_OK(import_model(onnx_save(&file, "a.onnx"), NULL, &model));
        CHECK_INT(model.opset, opset);
        import_free(&model);
    }
    OnnxFile file = relu_file(5, "2");
    check_refused(&file, ST_UNSUPPORTED, "opset 5|6 to 25");
    file = relu_file(26, "2");
    check_refused(&file, ST_UNSUPPORTED, "opset 26|6 to 25");
    file = relu_file(13, "2");
    onnx_opset(&file, "ai.onnx", 12);
    check_refused(&file, ST_BAD, "13 and 12");
    file = relu_file(13, "2");
    onnx_opset(&file, "ai.onnx", 13);
    onnx_opset(&file, "com.microsoft", 1);
    check_nodes(&file, "y = Relu(x)");
}

// All of another domain: nothing of ONNX is needed, and nothing is damaged.
static OnnxFile file_of_another_domain(void) {
    OnnxFile file = {0};
    put_int(&file.model, 1, 8);
    put_string(&file.model, 2, "test");
    onnx_opset(&file, "ai.onnx.ml", 3);
    onnx_input(&file, "x", FLOAT32, "2");
    onnx_output(&file, "y");
    return file;
}
TEST(a_model_without_operators_of_onnx) {
    OnnxFile file = file_of_another_domain();
    Text node = onnx_node_message("ai.onnx.ml", "Binarizer", "x", "y", "");
    put_message(&file.graph, 1, &node);
    check_refused(&file, ST_UNSUPPORTED, "ai.onnx.ml.Binarizer (1 node)");
    file = file_of_another_domain();
    onnx_node(&file, "Relu", "x", "y", "");
    check_refused(&file, ST_BAD, "expected the number of an opset, got none");
}

TEST(unsupported_operators_are_listed_together) {
    OnnxFile file = relu_file(13, "2");
    onnx_node(&file, "GRU", "x", "a", "");
    onnx_node(&file, "GRU", "x", "b", "");
    onnx_node(&file, "NonZero", "x", "c", "");
    Text node = onnx_node_message("com.microsoft", "FusedConv", "x", "d", "");
    put_message(&file.graph, 1, &node);
    node = onnx_node_message("local", "block", "x", "e", "");
    put_message(&file.graph, 1, &node);
    Text function = {0};
    put_string(&function, 1, "block");
    put_string(&function, 10, "local");
    put_message(&file.model, 25, &function);
    check_refused(&file, ST_UNSUPPORTED,
                  "GRU (2 nodes), NonZero (1 node), com.microsoft.FusedConv (1 node), "
                  "local.block (a function of the model, 1 node)");
}

TEST(faults_of_several_nodes_are_told_together) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, "2");
    onnx_output(&file, "y");
    onnx_node(&file, "Relu", "x x", "y", "");
    onnx_node(&file, "Cast", "x", "b", "to=8");
    check_refused(&file, ST_BAD, "value 'y': Relu: expected 1 input, got 2; value 'b': Cast|string");
    file = onnx_file(13);
    onnx_output(&file, "y");
    onnx_node(&file, "Add", "p q", "y", "");
    check_refused(&file, ST_BAD, "'p', which nothing in the model makes; |'q'");
}

TEST(nodes_in_any_order) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, "2,3");
    onnx_output(&file, "y");
    onnx_node(&file, "Reshape", "r s", "y", "");
    onnx_node(&file, "Relu", "x", "r", "");
    onnx_node(&file, "Constant", "", "s", "value_ints=[6]");
    check_nodes(&file, "r = Relu(x)\ny = Reshape(r, {6})");
}

TEST(nodes_that_lead_nowhere_are_left_out) {
    OnnxFile file = relu_file(13, "2");
    onnx_node(&file, "Exp", "x", "unused", "");
    check_nodes(&file, "y = Relu(x)");
}

TEST(old_files_list_weights_as_inputs) {
    OnnxFile file = onnx_file(8);
    onnx_input(&file, "x", FLOAT32, "2");
    onnx_input(&file, "w", FLOAT32, "2");
    onnx_floats(&file, "w", "2", (const float[]){1, 2}, 2);
    onnx_node(&file, "Add", "x w", "y", "");
    onnx_output(&file, "y");
    check_nodes(&file, "y = Add(x, {1 2})");
}

TEST(domain_ai_onnx_is_the_default_one) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, "2");
    Text node = onnx_node_message("ai.onnx", "Relu", "x", "y", "");
    put_message(&file.graph, 1, &node);
    onnx_output(&file, "y");
    check_nodes(&file, "y = Relu(x)");
}

// ---- inputs

static void check_input_dims(const Graph *graph, int input, const int64_t *dims, int rank) {
    const Type *type = &graph->values[graph->inputs[input]].type;
    CHECK_INT(type->rank, rank);
    for (int i = 0; i < rank && i < type->rank; i++) CHECK_INT(type->dim[i], dims[i]);
}

TEST(symbolic_dims) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, "N,3,?,-1");
    onnx_input(&file, "z", FLOAT32, "N,3,1,1");
    onnx_node(&file, "Add", "x z", "y", "");
    onnx_output(&file, "y");
    Imported model;
    CHECK_OK(import_model(onnx_save(&file, "a.onnx"), NULL, &model));
    const Graph *graph = model.graph;
    CHECK_INT(graph->n_symbols, 3);
    CHECK_TEXT(graph->symbols[0], "N");
    CHECK_TEXT(graph->symbols[1], "x.2");
    CHECK_TEXT(graph->symbols[2], "x.3");
    check_input_dims(graph, 0, (const int64_t[]){DIM_SYMBOL_0, 3, DIM_SYMBOL_0 - 1, DIM_SYMBOL_0 - 2}, 4);
    check_input_dims(graph, 1, (const int64_t[]){DIM_SYMBOL_0, 3, 1, 1}, 4);
    import_free(&model);
}

TEST(input_shapes_fix_symbols) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, "N,3,?,8");
    onnx_input(&file, "z", FLOAT32, "N,1,1,1");
    onnx_node(&file, "Add", "x z", "y", "");
    onnx_output(&file, "y");
    const char *path = onnx_save(&file, "a.onnx");
    InputShape shape = {"x", shape_of(4, (const int64_t[]){2, 3, 4, 8})};
    const ImportOptions options = {.inputs = &shape, .n_inputs = 1};
    Imported model;
    CHECK_OK(import_model(path, &options, &model));
    check_input_dims(model.graph, 0, (const int64_t[]){2, 3, 4, 8}, 4);
    check_input_dims(model.graph, 1, (const int64_t[]){2, 1, 1, 1}, 4);
    const Type *type = &model.graph->values[model.graph->outputs[0]].type;
    CHECK(type_is_static(type) && type->dim[0] == 2 && type->dim[2] == 4);
    import_free(&model);
    shape.name = NULL;
    check_refused_with(path, &options, ST_USAGE, "name of the input|2");
    shape.name = "q";
    check_refused_with(path, &options, ST_USAGE, "('x', 'z')|'q'");
    shape = (InputShape){"x", shape_of(4, (const int64_t[]){2, 3, 4, 9})};
    check_refused_with(path, &options, ST_USAGE, "'x'|8|9");
    shape = (InputShape){"x", shape_of(3, (const int64_t[]){2, 3, 4})};
    check_refused_with(path, &options, ST_USAGE, "4 dims");
}

TEST(the_only_input_needs_no_name) {
    OnnxFile file = relu_file(13, "N,3");
    const InputShape shape = {NULL, shape_of(2, (const int64_t[]){5, 3})};
    const ImportOptions options = {.inputs = &shape, .n_inputs = 1};
    Imported model;
    CHECK_OK(import_model(onnx_save(&file, "a.onnx"), &options, &model));
    check_input_dims(model.graph, 0, (const int64_t[]){5, 3}, 2);
    import_free(&model);
}

TEST(an_input_without_shape_takes_any) {
    OnnxFile file = relu_file(13, NULL);
    const char *path = onnx_save(&file, "a.onnx");
    Imported model;
    CHECK_OK(import_model(path, NULL, &model));
    CHECK_INT(model.graph->values[model.graph->inputs[0]].type.rank, -1);
    import_free(&model);
    const InputShape shape = {"x", shape_of(2, (const int64_t[]){5, 3})};
    const ImportOptions options = {.inputs = &shape, .n_inputs = 1};
    CHECK_OK(import_model(path, &options, &model));
    check_input_dims(model.graph, 0, (const int64_t[]){5, 3}, 2);
    import_free(&model);
}

TEST(bound_inputs_become_constants) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, "N");
    onnx_input(&file, "k", FLOAT32, "N");
    onnx_node(&file, "Mul", "x k", "y", "");
    onnx_output(&file, "y");
    const char *path = onnx_save(&file, "a.onnx");
    float values[] = {2, 3};
    NamedTensor bind = {"k", {DT_F32, shape_of(1, (const int64_t[]){2}), values}};
    const ImportOptions options = {.bind = &bind, .n_bind = 1};
    Imported model;
    CHECK_OK(import_model(path, &options, &model));
    values[0] = 0; // the graph has a copy
    Text text = say_graph(model.graph);
    CHECK_TEXT(text_get(&text), "y = Mul(x, {2 3})");
    text_free(&text);
    CHECK_INT(model.graph->n_inputs, 1);
    check_input_dims(model.graph, 0, (const int64_t[]){2}, 1);
    import_free(&model);
    bind.tensor.dtype = DT_I32;
    check_refused_with(path, &options, ST_USAGE, "'k'|float32|int32");
    bind = (NamedTensor){"w", {DT_F32, shape_of(1, (const int64_t[]){2}), values}};
    check_refused_with(path, &options, ST_USAGE, "('x', 'k')|'w'");
}

TEST(inputs_that_are_no_tensors) {
    OnnxFile file = relu_file(13, "2");
    Text info = {0}, type = {0}, sequence = {0};
    put_message(&type, 4, &sequence);
    put_string(&info, 1, "s");
    put_message(&info, 2, &type);
    put_message(&file.graph, 11, &info);
    check_refused(&file, ST_UNSUPPORTED, "input 's'|sequence");
    file = relu_file(13, "2");
    onnx_input(&file, "t", 8, "2");
    check_refused(&file, ST_UNSUPPORTED, "input 't'|string");
    file = relu_file(13, "2");
    onnx_input(&file, "d", FLOAT32, "1,1,1,1,1,1,1,1,1");
    check_refused(&file, ST_UNSUPPORTED, "'d'|at most 8 dims");
}

// ---- weights

// y = Identity(w), w as the tensor given.
static OnnxFile weight_file(Text *tensor) {
    OnnxFile file = onnx_file(13);
    put_message(&file.graph, 5, tensor);
    onnx_node(&file, "Identity", "w", "y", "");
    onnx_output(&file, "y");
    return file;
}

static void check_weight(Text *tensor, DType dtype, const double *expected, int64_t count) {
    OnnxFile file = weight_file(tensor);
    Imported model;
    CHECK_OK(import_model(onnx_save(&file, "w.onnx"), NULL, &model));
    const Tensor *weight = model.graph->values[graph_find(model.graph, "w")].constant;
    REQUIRE(weight);
    CHECK_INT(weight->dtype, dtype);
    REQUIRE(tensor_count(weight) == count);
    for (int64_t i = 0; i < count; i++) {
        CHECK_MSG(tensor_get(weight, i) == expected[i], "%s: element %d: expected %g, got %g", dtype_name(dtype),
                  (int)i, expected[i], tensor_get(weight, i));
        if (dtype == DT_BOOL) CHECK_INT(((const uint8_t *)weight->data)[i], expected[i]); // 0 or 1, nothing else
    }
    import_free(&model);
}

// Numbers in a typed field: packed varints.
static void check_varints(int element, DType dtype, uint32_t field, const int64_t *values, const double *expected) {
    Text tensor = {0}, packed = {0};
    onnx_tensor_head(&tensor, "w", element, "2");
    for (int i = 0; i < 2; i++) put_varint(&packed, (uint64_t)values[i]);
    put_message(&tensor, field, &packed);
    check_weight(&tensor, dtype, expected, 2);
}

TEST(weights_in_typed_fields) {
    static const struct {
        int element;
        DType dtype;
        uint32_t field;
    } kinds[] = {{UINT8, DT_U8, 5},  {INT8, DT_I8, 5},   {4, DT_U16, 5},   {5, DT_I16, 5},
                 {INT32, DT_I32, 5}, {INT64, DT_I64, 7}, {12, DT_U32, 11}, {13, DT_U64, 11}};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        check_varints(kinds[i].element, kinds[i].dtype, kinds[i].field, (const int64_t[]){3, 100},
                      (const double[]){3, 100});
    }
    check_varints(INT8, DT_I8, 5, (const int64_t[]){-3, 100}, (const double[]){-3, 100});
    check_varints(INT64, DT_I64, 7, (const int64_t[]){-3, 1 << 30}, (const double[]){-3, 1 << 30});
    check_varints(BOOL, DT_BOOL, 5, (const int64_t[]){2, 0}, (const double[]){1, 0});
    check_varints(FLOAT16, DT_F16, 5, (const int64_t[]){0x3c00, 0xc000}, (const double[]){1, -2});
    check_varints(BFLOAT16, DT_BF16, 5, (const int64_t[]){0x3f80, 0xc000}, (const double[]){1, -2});
}

TEST(weights_of_floats_and_doubles) {
    Text tensor = {0};
    onnx_tensor_head(&tensor, "w", FLOAT32, "2");
    put_float(&tensor, 4, 1.5f); // not packed
    put_float(&tensor, 4, -2.5f);
    check_weight(&tensor, DT_F32, (const double[]){1.5, -2.5}, 2);
    onnx_tensor_head(&tensor, "w", FLOAT64, "2");
    put_bytes(&tensor, 10, (const double[]){0.1, -2.5}, 16);
    check_weight(&tensor, DT_F64, (const double[]){0.1, -2.5}, 2);
}

TEST(raw_weights) {
    Text tensor = {0};
    onnx_tensor_head(&tensor, "w", FLOAT16, "1,2");
    put_bytes(&tensor, 9, (const uint16_t[]){0x3c00, 0xc000}, 4);
    check_weight(&tensor, DT_F16, (const double[]){1, -2}, 2);
    onnx_tensor_head(&tensor, "w", BOOL, "3");
    put_bytes(&tensor, 9, "\0\1\7", 3);
    check_weight(&tensor, DT_BOOL, (const double[]){0, 1, 1}, 3);
}

TEST(weights_that_lie) {
    Text tensor = {0};
    onnx_tensor_head(&tensor, "w", FLOAT32, "3");
    put_bytes(&tensor, 9, "12345678", 8);
    OnnxFile file = weight_file(&tensor);
    check_refused(&file, ST_BAD, "weight 'w': expected 12 bytes of data, got 8");
    onnx_tensor_head(&tensor, "w", FLOAT32, "3");
    put_float(&tensor, 4, 1);
    file = weight_file(&tensor);
    check_refused(&file, ST_BAD, "weight 'w': expected 3 numbers of type float32, got 1");
    onnx_tensor_head(&tensor, "w", FLOAT32, "-3");
    file = weight_file(&tensor);
    check_refused(&file, ST_BAD, "weight 'w'|dims that fit in memory");
    onnx_tensor_head(&tensor, "w", FLOAT32, "4294967296,4294967296,4294967296");
    file = weight_file(&tensor);
    check_refused(&file, ST_BAD, "dims that fit in memory");
    onnx_tensor_head(&tensor, "w", FLOAT32, "1099511627776");
    file = weight_file(&tensor);
    check_refused(&file, ST_BAD, "dims that fit in memory");
    onnx_tensor_head(&tensor, "w", FLOAT32, "1073741824");
    file = weight_file(&tensor);
    check_refused(&file, ST_BAD, "expected 1073741824 numbers of type float32, got 0");
    onnx_tensor_head(&tensor, "w", FLOAT32, "1,1,1,1,1,1,1,1,1");
    file = weight_file(&tensor);
    check_refused(&file, ST_UNSUPPORTED, "at most 8 dims");
    onnx_tensor_head(&tensor, "w", 8, "1");
    file = weight_file(&tensor);
    check_refused(&file, ST_UNSUPPORTED, "weight 'w'|string");
    onnx_tensor_head(&tensor, "w", FLOAT32, "1");
    put_string(&tensor, 3, "");
    file = weight_file(&tensor);
    check_refused(&file, ST_UNSUPPORTED, "segments");
}

// Large weights stay in the file when they lie on a multiple of their size, and are right when they don't.
TEST(large_weights_stay_in_the_mapping) {
    int stayed = 0, copied = 0;
    for (int shift = 0; shift < 4; shift++) {
        OnnxFile file = onnx_file(13);
        onnx_filled(&file, "w", "2000", 2000, 3);
        put_string(&file.model, 6, &"abcd"[shift]); // moves the graph by a byte each time
        onnx_node(&file, "Identity", "w", "y", "");
        onnx_output(&file, "y");
        Imported model;
        CHECK_OK(import_model(onnx_save(&file, "w.onnx"), NULL, &model));
        const Tensor *weight = model.graph->values[graph_find(model.graph, "w")].constant;
        REQUIRE(weight && tensor_count(weight) == 2000);
        CHECK(tensor_get(weight, 0) == 3 && tensor_get(weight, 1999) == 3);
        const uint8_t *data = weight->data;
        if (data >= model.mappings[0].data && data < model.mappings[0].data + model.mappings[0].size) stayed++;
        else copied++;
        import_free(&model);
    }
    CHECK_INT(stayed, 1);
    CHECK_INT(copied, 3);
}

TEST(sparse_weights) {
    OnnxFile file = relu_file(13, "2");
    put_string(&file.graph, 15, "");
    check_refused(&file, ST_UNSUPPORTED, "sparse");
}

// ---- weights beside the model

static OnnxFile external_file(const char *location, const char *offset, const char *length) {
    OnnxFile file = onnx_file(13);
    onnx_external_floats(&file, "w", "2", location, offset, length);
    onnx_node(&file, "Identity", "w", "y", "");
    onnx_output(&file, "y");
    return file;
}

static void write_weights(const char *name) {
    const float values[] = {1, 2, 3, 4};
    CHECK_OK(file_write(test_temp(name), values, sizeof values));
}

static void check_external(const char *location, const char *offset, const char *length, double first) {
    OnnxFile file = external_file(location, offset, length);
    Imported model;
    CHECK_OK(import_model(onnx_save(&file, "e.onnx"), NULL, &model));
    CHECK_INT(model.n_mappings, 2);
    const Tensor *weight = model.graph->values[graph_find(model.graph, "w")].constant;
    REQUIRE(weight && tensor_count(weight) == 2);
    CHECK(tensor_get(weight, 0) == first && tensor_get(weight, 1) == first + 1);
    import_free(&model);
}

TEST(weights_in_another_file) {
    write_weights("w.bin");
    CHECK_OK(folder_make(test_temp("sub")));
    write_weights("sub/w.bin");
    check_external("w.bin", NULL, NULL, 1);
    check_external("w.bin", "8", "8", 3);
    check_external("sub/w.bin", "4", NULL, 2);
    check_external("./w.bin", "0", "8", 1);
}

TEST(large_weights_in_another_file_are_mapped_once) {
    float values[4000];
    for (int i = 0; i < 4000; i++) values[i] = (float)i;
    CHECK_OK(file_write(test_temp("big.bin"), values, sizeof values));
    OnnxFile file = onnx_file(13);
    onnx_external_floats(&file, "a", "2000", "big.bin", "0", NULL);
    onnx_external_floats(&file, "b", "2000", "big.bin", "8000", NULL);
    onnx_node(&file, "Add", "a b", "y", "");
    onnx_output(&file, "y");
    Imported model;
    CHECK_OK(import_model(onnx_save(&file, "e.onnx"), NULL, &model));
    REQUIRE(model.n_mappings == 2);
    const Tensor *b = model.graph->values[graph_find(model.graph, "b")].constant;
    CHECK(b && (const uint8_t *)b->data == model.mappings[1].data + 8000 && tensor_get(b, 1) == 2001);
    import_free(&model);
}

TEST(roads_out_of_the_models_folder) {
    static const char *const out[] = {"/etc/passwd", "../w.bin", "sub/../../w.bin", "..", "a\\b", "c:w.bin", ""};
    for (size_t i = 0; i < COUNT_OF(out); i++) {
        OnnxFile file = external_file(out[i], NULL, NULL);
        check_refused(&file, ST_BAD, "weight 'w'|model's folder");
    }
}

TEST(links_out_of_the_models_folder) {
    CHECK_OK(folder_make(test_temp("inside")));
    write_weights("outside.bin");
    REQUIRE(symlink("../outside.bin", test_temp("inside/w.bin")) == 0);
    REQUIRE(symlink("..", test_temp("inside/up")) == 0);
    OnnxFile file = external_file("w.bin", NULL, NULL);
    check_refused_with(onnx_save(&file, "inside/e.onnx"), NULL, ST_BAD, "weight 'w'|link 'w.bin'|out of it");
    file = external_file("up/outside.bin", NULL, NULL);
    check_refused_with(onnx_save(&file, "inside/e.onnx"), NULL, ST_BAD, "out of it");
    write_weights("inside/real.bin");
    REQUIRE(symlink("real.bin", test_temp("inside/alias.bin")) == 0);
    file = external_file("alias.bin", NULL, NULL);
    Imported model;
    CHECK_OK(import_model(onnx_save(&file, "inside/e.onnx"), NULL, &model)); // a link that stays inside is fine
    import_free(&model);
}

// A pipe would wait for ever, a device never end.
TEST(weights_that_are_no_file) {
    REQUIRE(mkfifo(test_temp("pipe"), 0600) == 0);
    CHECK_OK(folder_make(test_temp("folder")));
    REQUIRE(symlink("/dev/zero", test_temp("zero")) == 0);
    REQUIRE(symlink("loop", test_temp("loop")) == 0);
    static const struct {
        const char *location, *words;
    } cases[] = {{"pipe", "got something else"}, {"folder", "got something else"}, {"folder/", "got something else"},
                 {"zero", "link 'zero'|out of it"}, {"loop", "is not there"}, {"/dev/zero", "model's folder"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        OnnxFile file = external_file(cases[i].location, NULL, NULL);
        check_refused(&file, ST_BAD, cases[i].words);
    }
    // A NUL in the name, behind which it would go on.
    write_weights("w.bin");
    Text tensor = {0}, entry = {0};
    onnx_tensor_head(&tensor, "w", FLOAT32, "2");
    put_int(&tensor, 14, 1);
    put_string(&entry, 1, "location");
    put_bytes(&entry, 2, "w.bin\0/../../x", 14);
    put_message(&tensor, 13, &entry);
    OnnxFile file = weight_file(&tensor);
    check_refused(&file, ST_BAD, "weight 'w'");
}

TEST(weights_in_another_file_that_lie) {
    write_weights("w.bin");
    static const struct {
        const char *location, *offset, *length, *words;
    } lies[] = {
        {"gone.bin", NULL, NULL, "'gone.bin' is not there"},
        {"w.bin", "12", NULL, "expected 8 bytes at 12 of 'w.bin', got a file of 16 bytes"},
        {"w.bin", "9223372036854775807", NULL, "got a file of 16 bytes"},
        {"w.bin", "-1", NULL, "offset|'-1'"},
        {"w.bin", "x", NULL, "offset|'x'"},
        {"w.bin", "99999999999999999999", NULL, "offset"},
        {"w.bin", "0", "12", "expected 8 bytes in 'w.bin', got 12"},
        {".", NULL, NULL, "weight 'w'"},
    };
    for (size_t i = 0; i < COUNT_OF(lies); i++) {
        OnnxFile file = external_file(lies[i].location, lies[i].offset, lies[i].length);
        check_refused(&file, ST_BAD, lies[i].words);
    }
}
