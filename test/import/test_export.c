// Programs of torch.export.save: the archive's layouts, names, dims, arguments, what shares memory, graphs in graphs.
#include "import/export_writer.h"
#include "import/run_check.h"

#define LEAF "{'type': null, 'context': null, 'children_spec': []}"

// ---- layouts

// y = relu(x * w + c)
static ExportFile small(ExportLayout layout) {
    ExportFile file = export_file(layout);
    export_weight(&file, "enc.w", "1,2", -1);
    export_constant(&file, "c", "2", 10);
    export_input(&file, "x", "1,2");
    export_node(&file, "aten.mul.Tensor", "self=%x other=%enc.w", "mul");
    export_node(&file, "aten.add.Tensor", "self=%mul other=%c", "add");
    export_node(&file, "aten.relu.default", "self=%add", "relu");
    export_output(&file, "%relu");
    return file;
}

TEST(export_layouts) {
    for (int layout = EXPORT_LISTS; layout <= EXPORT_2_5; layout++) {
        for (int deflated = 0; deflated <= 1; deflated++) {
            ExportFile file = small((ExportLayout)layout);
            file.deflated = deflated;
            CHECK_RUN(export_save(&file, "m.pt2"), FLOATS(20, 3), 0, 11);
        }
    }
}

TEST(export_says_what_it_is) {
    ExportFile file = small(EXPORT_LISTS);
    Imported model;
    CHECK_OK(import_model(export_save(&file, "m.pt2"), NULL, &model));
    CHECK_TEXT(model.format, "PyTorch export");
    CHECK_TEXT(text_get(&model.notes), "");
    CHECK_INT(model.opset, 0);
    CHECK(graph_find(model.graph, "enc.w") >= 0);
    import_free(&model);
}

// Views of one file's numbers: with an offset, transposed, repeated.
TEST(export_weights_that_are_views) {
    ExportFile file = export_file(EXPORT_LISTS);
    export_weight(&file, "a", "2,3", 1); // 1 2 3 4 5 6
    export_weight(&file, "b", "2,2", 100);
    export_input(&file, "x", "2,2");
    export_node(&file, "aten.add.Tensor", "self=%x other=%b", "y");
    export_output(&file, "%y");
    export_change(&file, "'path_name': 'weight_1'", "'path_name': 'weight_0'");
    export_change(&file,
                  "'sizes': [{'as_int': 2}, {'as_int': 2}], 'requires_grad': false, 'device': {'type': 'cpu', 'index': "
                  "null}, 'strides': [{'as_int': 2}, {'as_int': 1}], 'storage_offset': {'as_int': 0}",
                  "'sizes': [{'as_int': 2}, {'as_int': 2}], 'strides': [{'as_int': 1}, {'as_int': 3}], "
                  "'storage_offset': {'as_int': 1}");
    // That text stands in the program as well, for the input's type: the list comes first in the archive.
    CHECK_RUN(export_save(&file, "m.pt2"), FLOATS(0, 0, 0, 0), 2, 5, 3, 6);
}

// A file of torch.save to itself, as a subclass of tensors has it.
TEST(export_weights_that_are_pickled) {
    ExportFile file = small(EXPORT_LISTS);
    TorchMade made = torch_made();
    put_range(&made, "1,2", 5);
    Text bytes = torch_zip_bytes(&made, false);
    MadeZip zip = {0};
    Text program = export_program(&file), json = export_json(&file, &program);
    zip_put(&zip, "m/data/weights/weight_0", bytes.data, bytes.length);
    static const char weights[] = "{\"config\": {\"enc.w\": {\"path_name\": \"weight_0\", \"use_pickle\": true, "
                                  "\"tensor_meta\": {}}}}";
    zip_put(&zip, "m/data/weights/model_weights_config.json", weights, strlen(weights));
    export_put_list(&file, &zip, "constants", "tensor", true);
    zip_put(&zip, "m/models/model.json", json.data, json.length);
    Text archive = zip_end(&zip);
    CHECK_RUN(torch_write(&archive, "m.pt2"), FLOATS(1, 1), 15, 17);
    text_free(&bytes), text_free(&program), text_free(&json);
    torch_drop(&made);
    export_drop(&file);
}

// ---- names

static void check_names(ExportFile *file, const char *inputs, const char *outputs) {
    Imported model;
    Text text = {0};
    CHECK_OK(import_model(export_save(file, "m.pt2"), NULL, &model));
    const Graph *graph = model.graph;
    for (int i = 0; i < graph->n_inputs; i++)
        text_add(&text, "%s%s", i ? " " : "", graph->values[graph->inputs[i]].name);
    CHECK_TEXT(text_get(&text), inputs);
    text_free(&text);
    for (int i = 0; i < graph->n_outputs; i++)
        text_add(&text, "%s%s", i ? " " : "", graph->values[graph->outputs[i]].name);
    CHECK_TEXT(text_get(&text), outputs);
    text_free(&text);
    import_free(&model);
}

static ExportFile three_outputs(const char *out_spec) {
    ExportFile file = export_file(EXPORT_LISTS);
    file.out_spec = out_spec;
    export_input(&file, "image", "2");
    export_input(&file, "other", "2");
    export_node(&file, "aten.relu.default", "self=%image", "relu");
    export_node(&file, "aten.add.Tensor", "self=%relu other=%other", "mask");
    export_node(&file, "aten.neg.default", "self=%mask", "neg");
    export_output(&file, "%mask");
    export_output(&file, "%neg");
    export_output(&file, "%relu");
    return file;
}

TEST(export_names_of_a_dict) {
    ExportFile file = three_outputs("[1, {'type': 'builtins.dict', 'context': '[\"mask\", \"aux\"]', 'children_spec': "
                                    "[" LEAF ", {'type': 'builtins.tuple', 'context': 'null', 'children_spec': [" LEAF
                                    ", " LEAF "]}]}]");
    check_names(&file, "image other", "mask aux.0 aux.1");
}

TEST(export_names_of_tuples) {
    ExportFile file =
        three_outputs("[1, {'type': 'builtins.tuple', 'context': 'null', 'children_spec': [" LEAF
                      ", {'type': 'builtins.list', 'context': 'null', 'children_spec': [" LEAF ", " LEAF "]}]}]");
    check_names(&file, "image other", "output output_1 output_2");
    file = three_outputs("[1, {'type': 'builtins.tuple', 'context': 'null', 'children_spec': [" LEAF
                         ", {'type': 'collections.namedtuple', 'context': 'Pair', 'children_spec': [" LEAF ", " LEAF
                         "]}]}]");
    check_names(&file, "image other", "output 1.left 1.right");
}

TEST(export_names_that_nobody_tells) {
    ExportFile file = three_outputs(NULL);
    check_names(&file, "image other", "output output_1 output_2");
    file = three_outputs("[1, {'type': 'builtins.dict', 'context': '[\"a\"]', 'children_spec': [" LEAF "]}]");
    check_names(&file, "image other", "output output_1 output_2");
    file = three_outputs("nonsense");
    check_names(&file, "image other", "output output_1 output_2");
}

TEST(export_outputs_that_are_no_tensors) {
    ExportFile file = three_outputs(NULL);
    export_output(&file, "None");
    export_output(&file, "3");
    Imported model;
    CHECK_OK(import_model(export_save(&file, "m.pt2"), NULL, &model));
    CHECK_INT(model.graph->n_outputs, 3);
    CHECK_TEXT(text_get(&model.notes), "2 outputs that are no tensors: left out");
    import_free(&model);
}

// Outputs of training, and buffers that are written, are nobody's.
TEST(export_outputs_of_other_kinds) {
    ExportFile file = three_outputs(NULL);
    export_change(&file, "'output_specs': [",
                  "'output_specs': [{'buffer_mutation': {'arg': {'name': 'neg'}, "
                  "'buffer_name': 'steps'}}, ");
    check_names(&file, "image other", "output output_1 output_2");
    file = three_outputs(NULL);
    export_change(&file, "'output_specs': [",
                  "'output_specs': [{'gradient_to_parameter': {'arg': {'name': 'neg'}, "
                  "'parameter_name': 'w'}}, ");
    check_refused_with(export_save(&file, "m.pt2"), NULL, ST_UNSUPPORTED, "gradients");
}

// ---- dims

static ExportFile free_dims(const char *dims, const char *ranges) {
    ExportFile file = export_file(EXPORT_LISTS);
    file.ranges = ranges;
    export_input(&file, "x", dims);
    export_node(&file, "aten.sym_size.int", "self=%x dim=1", "#n");
    export_node(&file, "_operator.mul", "a=#n b=2", "#twice");
    export_node(&file, "aten.expand.default", "self=%x size=[1,#n]", "same");
    export_node(&file, "aten.mul.Tensor", "self=%same other=#twice", "y");
    export_output(&file, "%y");
    return file;
}

static void check_symbol(const char *dims, const char *symbol) {
    ExportFile file = free_dims(dims, NULL);
    Imported model;
    CHECK_OK(import_model(export_save(&file, "m.pt2"), NULL, &model));
    const Graph *graph = model.graph;
    const Type *type = &graph->values[graph->inputs[0]].type;
    REQUIRE(type->rank == 2 && type->dim[1] <= DIM_SYMBOL_0);
    CHECK_INT(type->dim[0], 1);
    CHECK_TEXT(graph->symbols[DIM_SYMBOL_0 - type->dim[1]], symbol);
    import_free(&model);
}

TEST(export_symbols) {
    check_symbol("1,s0", "s0");
    check_symbol("1,2*s0", "2*s0");
    check_symbol("1,Symbol(`s77`)", "s77");
}

// Commas are the writer's own: these stand in for dims with a name.
static void check_expression(const char *expression, const char *symbol) {
    ExportFile file = free_dims("1,NAMED", NULL);
    export_change(&file, "NAMED", expression);
    Imported model;
    CHECK_OK(import_model(export_save(&file, "m.pt2"), NULL, &model));
    const Graph *graph = model.graph;
    const Type *type = &graph->values[graph->inputs[0]].type;
    REQUIRE(type->rank == 2 && type->dim[1] <= DIM_SYMBOL_0);
    CHECK_TEXT(graph->symbols[DIM_SYMBOL_0 - type->dim[1]], symbol);
    import_free(&model);
}

TEST(export_expressions) {
    check_expression("Symbol(`s77`, positive=True, integer=True)", "s77");
    check_expression("Mul(Integer(2), Symbol(`s7`, integer=True))", "2*s7");
    check_expression("Add(Mul(Integer(4), Symbol(`s7`, integer=True)), Integer(-3))", "4*s7 - 3");
    check_expression("2*s0 + 1", "2*s0 + 1");
    check_expression("3*(s0 - 1)", "3*s0 - 3");
    check_expression("s0 + s0", "2*s0");
    check_expression("s0*s1", "s0*s1");
    check_expression("s0//2", "s0//2");
    check_expression("Pow(Symbol(`s0`), Integer(2))", "Pow(Symbol('s0'), Integer(2))");
}

static void check_shape_given(const char *ranges, int64_t size, Status expected, const char *words) {
    ExportFile file = free_dims("1,2*s0", ranges);
    const InputShape shape = {.name = "x", .shape = {.rank = 2, .dim = {1, size}}};
    const ImportOptions options = {.inputs = &shape, .n_inputs = 1};
    const char *path = export_save(&file, "m.pt2");
    if (expected != ST_OK) {
        check_refused_with(path, &options, expected, words);
        return;
    }
    Imported model;
    CHECK_OK(import_model(path, &options, &model));
    const Type *type = &model.graph->values[model.graph->outputs[0]].type;
    CHECK(type_is_static(type) && type->rank == 2 && type->dim[1] == size);
    import_free(&model);
}

TEST(export_shapes_that_are_given) {
    static const char ranges[] = "'2*s0': {'min_val': 8, 'max_val': 32}, 's0': {'min_val': 4, 'max_val': 16}";
    check_shape_given(NULL, 6, ST_OK, "");
    check_shape_given(ranges, 8, ST_OK, "");
    check_shape_given(ranges, 32, ST_OK, "");
    check_shape_given(ranges, 6, ST_USAGE, "input 'x': axis 1: expected 2*s0 of at least 8, got 6");
    check_shape_given(ranges, 34, ST_USAGE, "input 'x': axis 1: expected 2*s0 of at most 32, got 34");
    check_shape_given(NULL, 7, ST_USAGE, "input 'x': axis 1: expected 2*s0, got 7");
    check_shape_given("'s0': {'min_val': 2, 'max_val': null}", 2, ST_OK, ""); // as PyTorch: 2 is "any"
    check_shape_given("'s0': {'min_val': 3, 'max_val': 9223372036854775807}", 4, ST_USAGE, "expected s0 of at least 3");
}

TEST(export_symbols_have_one_size) {
    const InputShape shapes[] = {{.name = "x", .shape = {.rank = 2, .dim = {1, 8}}},
                                 {.name = "z", .shape = {.rank = 1, .dim = {5}}}};
    const ImportOptions options = {.inputs = shapes, .n_inputs = 2};
    for (int i = 0; i < 2; i++) {
        ExportFile file = free_dims("1,2*s0", NULL);
        export_input(&file, "z", "s0 + 1");
        const char *path = export_save(&file, "m.pt2");
        if (i == 0) {
            Imported model;
            CHECK_OK(import_model(path, &options, &model));
            import_free(&model);
            continue;
        }
        const InputShape other[] = {shapes[0], {.name = "z", .shape = {.rank = 1, .dim = {6}}}};
        const ImportOptions wrong = {.inputs = other, .n_inputs = 2};
        check_refused_with(path, &wrong, ST_USAGE, "input 'z': axis 0: expected s0 + 1, where s0 is 4, got 6");
    }
}

// 2 * n is known in a run only.
TEST(export_numbers_of_a_run) {
    ExportFile file = free_dims("1,s0", NULL);
    Imported model;
    Arena arena = {0};
    Tensor x, y;
    CHECK_OK(import_model(export_save(&file, "m.pt2"), NULL, &model));
    CHECK_OK(tensor_make(&arena, DT_F32, (Shape){.rank = 2, .dim = {1, 3}}, &x));
    for (int i = 0; i < 3; i++) tensor_set(&x, i, i + 1);
    CHECK_OK(reference_run(model.graph, &x, &y, &arena, NULL, NULL));
    CHECK(tensor_count(&y) == 3 && tensor_get(&y, 0) == 6 && tensor_get(&y, 2) == 18);
    arena_free(&arena);
    import_free(&model);
}

TEST(export_an_input_that_is_a_number) {
    ExportFile file = export_file(EXPORT_LISTS);
    export_input(&file, "x", "2");
    export_change(&file, "'inputs': [", "'inputs': [{'as_sym_int': {'as_name': 'k'}}, ");
    export_change(&file, "'input_specs': [",
                  "'input_specs': [{'user_input': {'arg': {'as_sym_int': {'as_name': 'k'}}}}, ");
    export_node(&file, "aten.mul.Tensor", "self=%x other=#k", "y");
    export_output(&file, "%y");
    CHECK_RUN(export_save(&file, "m.pt2"), FLOATS(3, 1, 2), 3, 6);
}

// Numbers that were fixed at export are no inputs.
TEST(export_inputs_that_are_fixed) {
    ExportFile file = export_file(EXPORT_LISTS);
    export_input(&file, "x", "2");
    export_change(&file, "'inputs': [", "'inputs': [{'as_float': 2.5}, {'as_none': true}, ");
    export_change(&file, "'input_specs': [",
                  "'input_specs': [{'constant_input': {'name': 'gain', 'value': {'as_float': 2.5}}}, "
                  "{'user_input': {'arg': {'as_none': true}}}, ");
    export_node(&file, "aten.mul.Tensor", "self=%x other=2.5", "y");
    export_output(&file, "%y");
    check_names(&file, "x", "output");
}

TEST(export_floats_of_other_widths) {
    ExportFile file = export_file(EXPORT_LISTS);
    export_input_of(&file, "x", 13, "2"); // bfloat16
    export_node(&file, "aten.relu.default", "self=%x", "y");
    export_output(&file, "%y");
    Imported model;
    CHECK_OK(import_model(export_save(&file, "m.pt2"), NULL, &model));
    CHECK_INT(model.graph->values[model.graph->inputs[0]].type.dtype, DT_F32);
    import_free(&model);
}

// ---- arguments

static void check_one(const char *target, const char *arguments, const char *dims, const float *x,
                      const float *expected, size_t count) {
    ExportFile file = export_file(EXPORT_LISTS);
    export_input(&file, "x", dims);
    export_node(&file, target, arguments, "y");
    export_output(&file, "%y");
    check_run(export_save(&file, "m.pt2"), x, expected, count);
}
#define CHECK_ONE(target, arguments, dims, x, ...)                                                                     \
    check_one(target, arguments, dims, x, FLOATS(__VA_ARGS__), COUNT_OF(FLOATS(__VA_ARGS__)))

TEST(export_arguments) {
    CHECK_ONE("aten.add.Scalar", "self=%x other=2.5 alpha=2", "2", FLOATS(1, 2), 6, 7);
    CHECK_ONE("aten.permute.default", "self=%x dims=[1,0]", "1,2", FLOATS(1, 2), 1, 2);
    CHECK_ONE("aten.cat.default", "tensors=[%x,%x] dim=0", "2", FLOATS(1, 2), 1, 2, 1, 2);
    CHECK_ONE("aten.clamp.default", "self=%x min=None max=1.5", "2", FLOATS(1, 2), 1, 1.5f);
    CHECK_ONE("aten.clamp.default", "self=%x min={'as_float': '-Infinity'} max={'as_float': 1.5}", "2", FLOATS(1, 2), 1,
              1.5f);
    CHECK_ONE("aten.clamp.default", "self=%x min={'as_float': -Infinity} max={'as_float': 1.5}", "2", FLOATS(1, 2), 1,
              1.5f); // torch 2.5
    CHECK_ONE("aten.to.dtype", "self=%x dtype={'as_scalar_type': 5}", "2", FLOATS(1.5f, -2.5f), 1, -2);
    CHECK_ONE("aten.gelu.default", "self=%x approximate='none'", "1", FLOATS(0), 0);
    CHECK_ONE("aten.sum.dim_IntList", "self=%x dim=[0] keepdim=True", "2", FLOATS(1, 2), 3);
    CHECK_ONE("aten.slice.Tensor", "self=%x dim=0 start=1 end=9223372036854775807", "3", FLOATS(1, 2, 3), 2, 3);
    CHECK_ONE("aten.full_like.default",
              "self=%x fill_value=3 dtype={'as_scalar_type': 7} layout={'as_layout': 7} device={'as_device': {'type': "
              "'cpu', 'index': null}} pin_memory=False memory_format={'as_memory_format': 4}",
              "2", FLOATS(1, 2), 3, 3);
}

TEST(export_lists_of_results) {
    ExportFile file = export_file(EXPORT_LISTS);
    export_input(&file, "x", "4");
    export_node(&file, "aten.chunk.default", "self=%x chunks=2", "[a,b]");
    export_node(&file, "aten.sub.Tensor", "self=%a other=%b", "y");
    export_output(&file, "%y");
    CHECK_RUN(export_save(&file, "m.pt2"), FLOATS(1, 2, 30, 40), -29, -38);
}

// ---- what shares memory

TEST(export_writes_in_place) {
    ExportFile file = export_file(EXPORT_LISTS);
    export_input(&file, "x", "2");
    export_node(&file, "aten.mul.Tensor", "self=%x other=1.0", "a");
    export_node(&file, "aten.relu_.default", "self=%a", "relu_");
    export_node(&file, "aten.add_.Tensor", "self=%relu_ other=1", "add_");
    export_node(&file, "aten.mul.Tensor", "self=%a other=10", "y"); // sees both
    export_output(&file, "%y");
    CHECK_RUN(export_save(&file, "m.pt2"), FLOATS(-5, 3), 10, 40);
}

// A copy is none of it.
TEST(export_writes_to_a_copy) {
    ExportFile file = export_file(EXPORT_LISTS);
    export_input(&file, "x", "2");
    export_node(&file, "aten.clone.default", "self=%x", "copy");
    export_node(&file, "aten.add_.Tensor", "self=%copy other=1", "add_");
    export_node(&file, "aten.sub.Tensor", "self=%copy other=%x", "y");
    export_output(&file, "%y");
    CHECK_RUN(export_save(&file, "m.pt2"), FLOATS(-5, 3), 1, 1);
}

// x[:, 1] = 7, by a view of a view; other views see it, made before or after.
TEST(export_writes_through_views) {
    ExportFile file = export_file(EXPORT_LISTS);
    export_input(&file, "x", "2,3");
    export_node(&file, "aten.clone.default", "self=%x", "a");
    export_node(&file, "aten.select.int", "self=%a dim=0 index=1", "before");
    export_node(&file, "aten.slice.Tensor", "self=%a dim=0 start=0 end=9223372036854775807", "rows");
    export_node(&file, "aten.slice.Tensor", "self=%rows dim=1 start=1 end=2", "column");
    export_node(&file, "aten.fill_.Scalar", "self=%column value=7", "fill_");
    export_node(&file, "aten.select.int", "self=%a dim=0 index=0", "after");
    export_node(&file, "aten.cat.default", "tensors=[%before,%after]", "y");
    export_output(&file, "%y");
    export_output(&file, "%column");
    export_output(&file, "%x");
    CHECK_RUN(export_save(&file, "m.pt2"), FLOATS(1, 2, 3, 4, 5, 6), 4, 7, 6, 1, 7, 3, 7, 7, 1, 2, 3, 4, 5, 6);
}

static void check_view_write(const char *target, const char *arguments, const char *results, const float *expected) {
    ExportFile file = export_file(EXPORT_LISTS);
    export_input(&file, "x", "2,3");
    export_node(&file, "aten.clone.default", "self=%x", "a");
    export_node(&file, target, arguments, results);
    export_node(&file, "aten.mul_.Tensor", "self=%v other=-1", "mul_");
    export_output(&file, "%a");
    check_run(export_save(&file, "m.pt2"), FLOATS(1, 2, 3, 4, 5, 6), expected, 6);
}

TEST(export_writes_through_views_of_each_kind) {
    check_view_write("aten.view.default", "self=%a size=[3,2]", "v", FLOATS(-1, -2, -3, -4, -5, -6));
    check_view_write("aten.detach.default", "self=%a", "v", FLOATS(-1, -2, -3, -4, -5, -6));
    check_view_write("aten.transpose.int", "self=%a dim0=0 dim1=1", "v", FLOATS(-1, -2, -3, -4, -5, -6));
    check_view_write("aten.t.default", "self=%a", "v", FLOATS(-1, -2, -3, -4, -5, -6));
    check_view_write("aten.permute.default", "self=%a dims=[1,0]", "v", FLOATS(-1, -2, -3, -4, -5, -6));
    check_view_write("aten.select.int", "self=%a dim=1 index=1", "v", FLOATS(1, -2, 3, 4, -5, 6));
    check_view_write("aten.slice.Tensor", "self=%a dim=1 start=0 end=3 step=2", "v", FLOATS(-1, 2, -3, -4, 5, -6));
    check_view_write("aten.narrow.default", "self=%a dim=1 start=1 length=2", "v", FLOATS(1, -2, -3, 4, -5, -6));
    check_view_write("aten.unbind.int", "self=%a dim=0", "[u,v]", FLOATS(1, 2, 3, -4, -5, -6));
    check_view_write("aten.split_with_sizes.default", "self=%a split_sizes=[1,2] dim=1", "[u,v]",
                     FLOATS(1, -2, -3, 4, -5, -6));
    check_view_write("aten.unsqueeze.default", "self=%a dim=0", "v", FLOATS(-1, -2, -3, -4, -5, -6));
}

// Whether a reshape is a view depends on strides: the result is right as long as only it is used.
TEST(export_writes_through_a_reshape) {
    for (int i = 0; i < 2; i++) {
        ExportFile file = export_file(EXPORT_LISTS);
        export_input(&file, "x", "2,3");
        export_node(&file, "aten.clone.default", "self=%x", "a");
        export_node(&file, "aten.reshape.default", "self=%a shape=[6]", "v");
        export_node(&file, "aten.mul_.Tensor", "self=%v other=-1", "mul_");
        export_output(&file, i ? "%a" : "%v");
        const char *path = export_save(&file, "m.pt2");
        if (i == 0) CHECK_RUN(path, FLOATS(1, 2, 3, 4, 5, 6), -1, -2, -3, -4, -5, -6);
        else check_refused_with(path, NULL, ST_UNSUPPORTED, "aten::mul_|may be a copy");
    }
}

// The other way round: after a write to the tensor its reshape is the old one or the new one.
TEST(export_reads_of_an_old_reshape) {
    for (int i = 0; i < 2; i++) {
        ExportFile file = export_file(EXPORT_LISTS);
        export_input(&file, "x", "2,3");
        export_node(&file, "aten.clone.default", "self=%x", "a");
        export_node(&file, "aten.reshape.default", "self=%a shape=[6]", "v");
        export_node(&file, "aten.abs.default", "self=%v", "read_in_time");
        export_node(&file, "aten.mul_.Tensor", "self=%a other=-1", "mul_");
        export_output(&file, i ? "%v" : "%read_in_time");
        const char *path = export_save(&file, "m.pt2");
        if (i == 0) CHECK_RUN(path, FLOATS(-1, 2, 3, 4, 5, 6), 1, 2, 3, 4, 5, 6);
        else check_refused_with(path, NULL, ST_UNSUPPORTED, "aten::reshape|may be a copy");
    }
}

TEST(export_writes_through_what_cannot_be_undone) {
    ExportFile file = export_file(EXPORT_LISTS);
    export_input(&file, "x", "1,3");
    export_node(&file, "aten.clone.default", "self=%x", "a");
    export_node(&file, "aten.expand.default", "self=%a size=[2,3]", "v");
    export_node(&file, "aten.mul_.Tensor", "self=%v other=-1", "mul_");
    export_output(&file, "%v");
    check_refused_with(export_save(&file, "m.pt2"), NULL, ST_UNSUPPORTED, "enc.conv (net.py:12)|aten::expand");
}

// ---- graphs in graphs

static void add_wrapped(ExportFile *file, const char *operator, const char * before, const char *operands) {
    Text nodes = {0}, call = {0};
    export_put_node(&nodes, "aten.add.Tensor", "self=%p other=%q", "sum");
    export_put_node(&nodes, "aten.sub.Tensor", "self=%p other=%q", "x"); // a name of its own
    Text graph = export_graph("p q", &nodes, "%sum %x");
    text_add(&call, "%s=%s %s", before, text_get(&graph), operands);
    export_node(file, operator, text_get(&call), "y z");
    text_free(&nodes), text_free(&call), text_free(&graph);
}

TEST(export_wrapped_graphs) {
    ExportFile file = export_file(EXPORT_LISTS);
    export_input(&file, "x", "1");
    export_input(&file, "w", "1");
    add_wrapped(&file, "higher_order.wrap_with_set_grad_enabled", "=False ", "=%x =%w");
    export_output(&file, "%y");
    export_output(&file, "%z");
    CHECK_RUN(export_save(&file, "m.pt2"), FLOATS(5, 3), 8, 2);
}

TEST(export_wrapped_graphs_take_lists) {
    ExportFile file = export_file(EXPORT_LISTS);
    export_input(&file, "x", "1");
    export_input(&file, "w", "1");
    add_wrapped(&file, "higher_order.hints_wrapper", "", "=[%x,%w]");
    export_output(&file, "%z");
    CHECK_RUN(export_save(&file, "m.pt2"), FLOATS(5, 3), 2);
}

static ExportFile with_cond(const char *dims) {
    ExportFile file = export_file(EXPORT_LISTS);
    Text yes = {0}, no = {0}, call = {0};
    export_input(&file, "x", dims);
    export_node(&file, "aten.sym_size.int", "self=%x dim=0", "#n");
    export_node(&file, "_operator.gt", "a=#n b=2", "#is_large");
    export_put_node(&yes, "aten.mul.Tensor", "self=%p other=10", "r");
    export_put_node(&no, "nothing.at_all.default", "self=%p", "r"); // need not be had
    Text first = export_graph("p", &yes, "%r"), second = export_graph("p", &no, "%r");
    text_add(&call, "=#is_large =%s =%s =[%%x]", text_get(&first), text_get(&second));
    export_node(&file, "higher_order.cond", text_get(&call), "y");
    export_output(&file, "%y");
    text_free(&yes), text_free(&no), text_free(&call), text_free(&first), text_free(&second);
    return file;
}

TEST(export_cond) {
    ExportFile file = with_cond("3");
    CHECK_RUN(export_save(&file, "m.pt2"), FLOATS(1, 2, 3), 10, 20, 30);
    file = with_cond("2");
    check_refused_with(export_save(&file, "m.pt2"), NULL, ST_UNSUPPORTED, "nothing::at_all");
    file = with_cond("s0");
    check_refused_with(export_save(&file, "m.pt2"), NULL, ST_UNSUPPORTED, "torch.cond|not known before a run");
}

// ---- what is not had

TEST(export_names_what_is_missing) {
    ExportFile file = export_file(EXPORT_LISTS);
    export_input(&file, "x", "2");
    export_node(&file, "torchvision.nms.default", "dets=%x", "a");
    export_node(&file, "aten.relu.default", "self=%a", "b");
    export_node(&file, "higher_order.while_loop", "=[%b]", "c");
    export_output(&file, "%c");
    check_refused_with(export_save(&file, "m.pt2"), NULL, ST_UNSUPPORTED,
                       "enc.conv (net.py:12)|torchvision::nms (1 call)|higher_order::while_loop (1 call)");
}

TEST(export_compiled_packages) {
    ExportFile file = small(EXPORT_LISTS);
    file.omit = "model.json";
    file.extra = "m/data/aotinductor/model/c.so";
    check_refused_with(export_save(&file, "m.pt2"), NULL, ST_UNSUPPORTED, "AOTInductor|torch.export.save");
    file = small(EXPORT_LISTS);
    file.extra = "m/data/aotinductor/model/c.so"; // beside the program: of no matter
    CHECK_RUN(export_save(&file, "m.pt2"), FLOATS(20, 3), 0, 11);
}

TEST(export_several_programs) {
    ExportFile file = small(EXPORT_LISTS);
    file.extra = "m/models/other.json";
    check_refused_with(export_save(&file, "m.pt2"), NULL, ST_UNSUPPORTED, "several programs|model.json|other.json");
    file = small(EXPORT_LISTS);
    file.extra = "m/extra/models/other.json";
    CHECK_RUN(export_save(&file, "m.pt2"), FLOATS(20, 3), 0, 11);
}

TEST(export_options_of_others) {
    ExportFile file = small(EXPORT_LISTS);
    const ImportOptions options = {.arch = "net.txt"};
    check_refused_with(export_save(&file, "m.pt2"), &options, ST_USAGE, "--arch");
}
