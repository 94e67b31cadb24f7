// Programs of torch.export.save that are cut, torn or made to harm: a message each time, never more.
#include "base/rng.h"
#include "import/export_writer.h"
#include "import/onnx_check.h"
#include "import/torn.h"

static ExportFile whole(ExportLayout layout) {
    ExportFile file = export_file(layout);
    file.ranges = "'s0': {'min_val': 2, 'max_val': 8}";
    export_weight(&file, "w", "2,3", 1);
    export_constant(&file, "c", "3", 10);
    export_input(&file, "x", "s0,3");
    export_node(&file, "aten.add.Tensor", "self=%x other=%c", "add");
    export_node(&file, "aten.linear.default", "input=%add weight=%w", "linear");
    export_node(&file, "aten.chunk.default", "self=%linear chunks=2 dim=1", "[a,b]");
    export_output(&file, "%a");
    return file;
}

static void check_changed(ExportLayout layout, const char *from, const char *to, Status status, const char *words) {
    ExportFile file = whole(layout);
    export_change(&file, from, to);
    check_refused_with(export_save(&file, "m.pt2"), NULL, status, words);
}

// ---- the archive

static void check_without(ExportLayout layout, const char *name, Status status, const char *words) {
    ExportFile file = whole(layout);
    file.omit = name;
    check_refused_with(export_save(&file, "m.pt2"), NULL, status, words);
}

TEST(export_files_that_are_not_there) {
    check_without(EXPORT_LISTS, "models/model.json", ST_BAD, "expected a program (models/NAME.json)");
    check_without(EXPORT_LISTS, "model_weights_config.json", ST_BAD, "m/data/weights/model_weights_config.json");
    check_without(EXPORT_LISTS, "model_constants_config.json", ST_BAD, "m/data/constants/model_constants_config.json");
    check_without(EXPORT_LISTS, "weight_0", ST_BAD, "'w'|expected the file m/data/weights/weight_0");
    check_without(EXPORT_LISTS, "tensor_0", ST_BAD, "'c'|expected the file m/data/constants/tensor_0");
    check_without(EXPORT_2_8, "weights/model.pt", ST_BAD, "model_weights_config.json");
    check_without(EXPORT_2_5, "state_dict.pt", ST_BAD, "serialized_state_dict.pt");
    check_without(EXPORT_2_5, "constants.pt", ST_BAD, "serialized_constants.pt");
}

TEST(export_files_that_say_something_else) {
    ExportFile file = whole(EXPORT_LISTS);
    file.omit = "archive_version";
    file.extra = "m/archive_version"; // {}
    check_refused_with(export_save(&file, "m.pt2"), NULL, ST_UNSUPPORTED, "m/archive_version: expected '0', got '{}'");
    file = whole(EXPORT_LISTS);
    file.omit = "byteorder";
    file.extra = "m/byteorder";
    check_refused_with(export_save(&file, "m.pt2"), NULL, ST_UNSUPPORTED, "m/byteorder: expected 'little'");
    check_changed(EXPORT_LISTS, "'major': 8", "'major': 9", ST_UNSUPPORTED, "version 8|got 9");
    check_changed(EXPORT_LISTS, "'major': 8", "'major': '8'", ST_BAD, "expected an integer");
    check_changed(EXPORT_LISTS, "'schema_version'", "'other'", ST_BAD, "'schema_version'");
}

// ---- weights

TEST(export_lists_of_weights_that_lie) {
    check_changed(EXPORT_LISTS, "'config'", "'other'", ST_BAD,
                  "model_weights_config.json: expected an object 'config'");
    check_changed(EXPORT_LISTS, "'w': {'path_name'", "'v': {'path_name'", ST_BAD, "weight 'w'|expected its numbers");
    check_changed(EXPORT_LISTS, "'path_name': 'weight_0'", "'path_name': '../weight_0'", ST_BAD, "expected the file");
    check_changed(EXPORT_LISTS, "'path_name': 'weight_0'", "'path_name': 3", ST_BAD, "expected a text 'path_name'");
    check_changed(EXPORT_LISTS, "'storage_offset': {'as_int': 0}", "'storage_offset': {'as_int': 1}", ST_BAD,
                  "weight 'w'|within the 6 numbers of storage 'm/data/weights/weight_0', got number 6");
    check_changed(EXPORT_LISTS, "'storage_offset': {'as_int': 0}", "'storage_offset': {'as_int': -1}", ST_BAD,
                  "expected an offset that is not negative");
    check_changed(EXPORT_LISTS, "'sizes': [{'as_int': 2}, {'as_int': 3}]", "'sizes': [{'as_int': 2}]", ST_BAD,
                  "expected 1 strides, got 2");
    check_changed(EXPORT_LISTS, "'sizes': [{'as_int': 2}, {'as_int': 3}]", "'sizes': [{'as_int': 2}, {'as_int': 4}]",
                  ST_BAD, "within the 6 numbers");
    check_changed(EXPORT_LISTS, "'sizes': [{'as_int': 2}, {'as_int': 3}]",
                  "'sizes': [{'as_int': 4000000000}, {'as_int': 4000000000}]", ST_BAD, "dims that fit");
    check_changed(EXPORT_LISTS, "'sizes': [{'as_int': 2}, {'as_int': 3}]", "'sizes': [{'as_int': -2}, {'as_int': 3}]",
                  ST_BAD, "not negative");
    check_changed(EXPORT_LISTS, "'sizes': [{'as_int': 2}, {'as_int': 3}]",
                  "'sizes': [{'as_expr': {'expr_str': 's0'}}, {'as_int': 3}]", ST_BAD,
                  "sizes: expected numbers, got 's0'");
    check_changed(EXPORT_LISTS, "'strides': [{'as_int': 3}, {'as_int': 1}]",
                  "'strides': [{'as_int': 9000000000000000000}, {'as_int': 1}]", ST_BAD, "got number");
    check_changed(EXPORT_LISTS, "'strides': [{'as_int': 3}, {'as_int': 1}]",
                  "'strides': [{'as_int': -3}, {'as_int': 1}]", ST_BAD, "not negative");
    check_changed(EXPORT_LISTS, "'dtype': 7", "'dtype': 10", ST_UNSUPPORTED, "weight 'w': tensors of complex64");
    check_changed(EXPORT_LISTS, "'dtype': 7", "'dtype': 99", ST_UNSUPPORTED, "a type that is not known");
    check_changed(EXPORT_LISTS, "'dtype': 7", "'dtype': 8", ST_BAD, "within the 3 numbers"); // twice as wide
    check_changed(EXPORT_LISTS, "'layout': 7", "'layout': 1", ST_UNSUPPORTED, "sparse tensors");
    check_changed(EXPORT_LISTS, "'tensor_meta': {", "'tensor_meta': null, 'other': {", ST_UNSUPPORTED, "no tensors");
    check_changed(EXPORT_LISTS, "'use_pickle': false", "'use_pickle': true", ST_BAD, "opcode of a pickle");
}

// One number that says it is gigabytes.
TEST(export_weights_that_repeat_their_numbers) {
    ExportFile file = whole(EXPORT_LISTS);
    export_change(&file, "'sizes': [{'as_int': 2}, {'as_int': 3}]",
                  "'sizes': [{'as_int': 100000}, {'as_int': 100000}]");
    export_change(&file, "'strides': [{'as_int': 3}, {'as_int': 1}]", "'strides': [{'as_int': 0}, {'as_int': 0}]");
    check_refused_with(export_save(&file, "m.pt2"), NULL, ST_UNSUPPORTED, "bytes of numbers to copy");
}

// ---- the program

TEST(export_programs_that_say_something_else) {
    check_changed(EXPORT_LISTS, "'graph_module'", "'other'", ST_BAD,
                  "m/models/model.json: expected an object 'graph_module'");
    check_changed(EXPORT_LISTS, "'graph': {'inputs'", "'tree': {'inputs'", ST_BAD, "expected 'graph' and 'signature'");
    check_changed(EXPORT_LISTS, "'graph': {'inputs'", "'graph': [], 'x': {'inputs'", ST_BAD,
                  "expected an object, got '['");
    check_changed(EXPORT_LISTS, "'nodes': [", "'other': [", ST_BAD, "expected a list 'nodes'");
    check_changed(EXPORT_LISTS, "'nodes': [", "'nodes': 3, 'other': [", ST_BAD, "expected an array, got '3'");
    check_changed(EXPORT_LISTS, "'nodes': [", "'nodes': [], 'nodes': [", ST_BAD, "each key once, got \"nodes\" twice");
    check_changed(EXPORT_LISTS, "'tensor_values'", "'other'", ST_BAD,
                  "input 'x': expected its type in 'tensor_values'");
    check_changed(EXPORT_LISTS, "'input_specs'", "'other'", ST_BAD, "'input_specs'");
    check_changed(EXPORT_LISTS, "'output_specs'", "'other'", ST_BAD, "'output_specs'");
    check_changed(EXPORT_LISTS, "{'parameter': {'arg'", "{'something': {'arg'", ST_UNSUPPORTED,
                  "input_specs[0]|something");
    check_changed(EXPORT_LISTS, "'parameter_name': 'w'", "'parameter_name': 3", ST_BAD, "'parameter_name'");
    check_changed(EXPORT_LISTS, "'parameter_name': 'w'", "'parameter_name': 'v'", ST_BAD, "weight 'v'");
    check_changed(EXPORT_LISTS, "'range_constraints': {'s0': {'min_val': 2",
                  "'range_constraints': {'s0': {'min_val': 2.5", ST_BAD, "expected an integer");
    check_changed(EXPORT_LISTS, "'range_constraints': {", "'range_constraints': [], 'x': {", ST_BAD,
                  "'range_constraints'");
}

TEST(export_inputs_that_say_something_else) {
    static const char sizes[] = "'sizes': [{'as_expr': {'expr_str': 's0', 'hint': null}}, {'as_int': 3}]";
    check_changed(EXPORT_LISTS, "'x': {'dtype'", "'y': {'dtype'", ST_BAD, "input 'x': expected its type");
    check_changed(EXPORT_LISTS, sizes, "'sizes': 3", ST_BAD, "input 'x': expected a list 'sizes'");
    check_changed(EXPORT_LISTS, sizes, "'sizes': [{'as_int': -3}]", ST_BAD,
                  "input 'x': expected a dim that is not negative");
    check_changed(EXPORT_LISTS, sizes, "'sizes': [{'as_text': 3}]", ST_BAD, "expected as_int or as_expr, got as_text");
    check_changed(EXPORT_LISTS, sizes, "'sizes': [{'as_int': 2, 'as_expr': 3}]", ST_BAD,
                  "expected an object of one key");
    check_changed(EXPORT_LISTS, sizes,
                  "'sizes': [{'as_int': 1},{'as_int': 1},{'as_int': 1},{'as_int': 1},{'as_int': 1},{'as_int': 1},"
                  "{'as_int': 1},{'as_int': 1},{'as_int': 1}]",
                  ST_UNSUPPORTED, "at most 8 dims, got 9");
}

TEST(export_nodes_that_say_something_else) {
    check_changed(EXPORT_LISTS, "'target': 'torch.ops.aten.add.Tensor'", "'target': 3", ST_BAD,
                  "node 0|expected a text 'target'");
    check_changed(EXPORT_LISTS, "'target': 'torch.ops.aten.add.Tensor'", "'target': 'torch.ops.'", ST_UNSUPPORTED,
                  "enc.conv (net.py:12): node 0|no operator");
    check_changed(
        EXPORT_LISTS, "{'as_tensor': {'name': 'x'}}, 'kind'", "{'as_tensor': {'name': 'z'}}, 'kind'", ST_BAD,
        "enc.conv (net.py:12): node 0 (torch.ops.aten.add.Tensor): argument 0 self: |as_tensor: expected a value "
        "that stands above, got 'z'");
    check_changed(EXPORT_LISTS, "{'as_tensor': {'name': 'x'}}, 'kind'", "{'as_tensor': {'name': 'linear'}}, 'kind'",
                  ST_BAD, "stands above, got 'linear'");
    check_changed(EXPORT_LISTS, "{'as_tensor': {'name': 'x'}}, 'kind'", "{'as_tensor': 'x'}, 'kind'", ST_BAD,
                  "expected a text 'name'");
    check_changed(EXPORT_LISTS, "{'as_tensor': {'name': 'x'}}, 'kind'", "[], 'kind'", ST_BAD, "expected an object");
    check_changed(EXPORT_LISTS, "{'as_tensor': {'name': 'x'}}, 'kind'", "{'as_complex': {}}, 'kind'", ST_UNSUPPORTED,
                  "argument of kind as_complex");
    check_changed(EXPORT_LISTS, "{'as_int': 2}, 'kind'", "{'as_int': 2.5}, 'kind'", ST_BAD,
                  "as_int: expected an integer");
    check_changed(EXPORT_LISTS, "{'as_int': 2}, 'kind'", "{'as_ints': 2}, 'kind'", ST_BAD, "as_ints: expected a list");
    check_changed(EXPORT_LISTS, "{'as_int': 2}, 'kind'", "{'as_scalar_type': 77}, 'kind'", ST_UNSUPPORTED,
                  "type number 77");
    check_changed(EXPORT_LISTS, "{'as_int': 2}, 'kind'", "{'as_sym_int': {'as_name': 'q'}}, 'kind'", ST_BAD, "got 'q'");
    check_changed(EXPORT_LISTS, "[{'name': 'a'}, {'name': 'b'}]", "[{'name': 'a'}]", ST_BAD,
                  "expected names for 2 results, got 1");
    check_changed(EXPORT_LISTS, "[{'name': 'a'}, {'name': 'b'}]", "[{'name': 'a'}, {'name': 'a'}]", ST_BAD, "'a' once");
    check_changed(EXPORT_LISTS, "'outputs': [{'as_tensor': {'name': 'linear'}}]",
                  "'outputs': [{'as_tensor': {'name': 'x'}}]", ST_BAD, "'x' once, got it twice");
    check_changed(EXPORT_LISTS, "'arg': {'as_tensor': {'name': 'a'}}}", "'arg': {'as_tensor': {'name': 'q'}}}", ST_BAD,
                  "output 'output'|got 'q'");
    check_changed(EXPORT_LISTS, "'arg': {'as_tensor': {'name': 'a'}}}", "'arg': {'as_int': 3}}", ST_UNSUPPORTED,
                  "gives a tensor");
    check_changed(EXPORT_LISTS, "'metadata': {", "'metadata': [], 'x': {", ST_BAD, "expected an object, got '['");
}

TEST(export_shapes_that_do_not_go_together) {
    check_changed(EXPORT_LISTS, "'sizes': [{'as_expr': {'expr_str': 's0', 'hint': null}}, {'as_int': 3}]",
                  "'sizes': [{'as_int': 2}, {'as_int': 4}]", ST_BAD, "enc.conv (net.py:12)|aten::add");
}

// ---- depths and numbers

// Graphs inside each other, 17 of them.
TEST(export_graphs_of_great_depth) {
    Text inner = {0};
    export_put_node(&inner, "aten.relu.default", "self=%p", "q");
    for (int depth = 0; depth < 17; depth++) {
        Text graph = export_graph("p", &inner, "%q"), call = {0};
        text_add(&call, "=%s =%%p", text_get(&graph));
        text_free(&inner), text_free(&graph);
        export_put_node(&inner, "higher_order.wrap", text_get(&call), "q");
        text_free(&call);
    }
    ExportFile file = export_file(EXPORT_LISTS);
    export_input(&file, "p", "2");
    text_bytes(&file.nodes, inner.data, inner.length);
    export_output(&file, "%q");
    text_free(&inner);
    check_refused_with(export_save(&file, "m.pt2"), NULL, ST_BAD, "nested brackets");
}

TEST(export_lists_of_great_depth) {
    Text deep = {0};
    text_add(&deep, "{'as_ints': ");
    for (int i = 0; i < 10000; i++) text_add(&deep, "[");
    text_add(&deep, "}, 'kind'");
    check_changed(EXPORT_LISTS, "{'as_int': 2}, 'kind'", text_get(&deep), ST_BAD, "nested brackets");
    text_free(&deep);
}

TEST(export_views_of_great_depth) {
    ExportFile file = export_file(EXPORT_LISTS);
    char from[32] = "self=%a", to[16];
    export_input(&file, "x", "2,2");
    export_node(&file, "aten.clone.default", "self=%x", "a");
    for (int i = 0; i < 70; i++) {
        snprintf(to, sizeof to, "t%d", i);
        export_node(&file, "aten.t.default", from, to);
        snprintf(from, sizeof from, "self=%%t%d", i);
    }
    export_output(&file, "%t69");
    check_refused_with(export_save(&file, "m.pt2"), NULL, ST_BAD, "views of views");
}

TEST(export_nodes_of_many_arguments) {
    Text arguments = {0};
    for (int i = 0; i < 65; i++) text_add(&arguments, "%sa%d=1", i ? " " : "", i);
    ExportFile file = export_file(EXPORT_LISTS);
    export_input(&file, "x", "2");
    export_node(&file, "aten.relu.default", text_get(&arguments), "y");
    export_output(&file, "%y");
    text_free(&arguments);
    check_refused_with(export_save(&file, "m.pt2"), NULL, ST_BAD, "at most 64 arguments");
}

// ---- torn files

TEST(export_cut) {
    for (int layout = EXPORT_LISTS; layout <= EXPORT_2_5; layout++) {
        ExportFile file = whole((ExportLayout)layout);
        Text bytes = export_bytes(&file);
        CHECK_INT(torn_cuts("m.pt2", &bytes, ST_OK), 0);
        text_free(&bytes);
    }
}

TEST(export_flipped) {
    for (int layout = EXPORT_LISTS; layout <= EXPORT_2_5; layout++) {
        ExportFile file = whole((ExportLayout)layout);
        Text bytes = export_bytes(&file);
        torn_flips("m.pt2", &bytes);
        torn_moves("m.pt2", &bytes, 4);
        text_free(&bytes);
    }
}

TEST(export_without_memory) {
    ExportFile file = whole(EXPORT_LISTS);
    Text bytes = export_bytes(&file);
    torn_memory("m.pt2", &bytes);
    text_free(&bytes);
}

// The program's own text, in an archive whose checksums are right.
static Status import_text(const char *text, size_t size) {
    MadeZip zip = {0};
    static const char weights[] = "{\"config\": {}}";
    zip_put(&zip, "m/data/weights/model_weights_config.json", weights, strlen(weights));
    zip_put(&zip, "m/data/constants/model_constants_config.json", weights, strlen(weights));
    zip_put(&zip, "m/models/model.json", text, size);
    Text bytes = zip_end(&zip);
    const Status status = torn_import("m.pt2", bytes.data, bytes.length);
    text_free(&bytes);
    return status;
}

static Text program_text(void) {
    ExportFile file = export_file(EXPORT_LISTS);
    export_input(&file, "x", "s0,3");
    export_node(&file, "aten.add.Tensor", "self=%x other=1", "add");
    export_node(&file, "aten.relu_.default", "self=%add", "relu_");
    export_node(&file, "aten.sym_size.int", "self=%add dim=0", "#n");
    export_node(&file, "_operator.mul", "a=#n b=3", "#m");
    export_node(&file, "aten.expand.default", "self=%add size=[#n,3]", "expand");
    export_node(&file, "aten.view.default", "self=%relu_ size=[-1,3]", "view");
    export_node(&file, "aten.chunk.default", "self=%view chunks=3 dim=1", "[a,b,c]");
    Text nodes = {0}, call = {0};
    export_put_node(&nodes, "aten.add.Tensor", "self=%p other=%q", "sum");
    Text graph = export_graph("p q", &nodes, "%sum");
    text_add(&call, "=False =%s =%%a =%%b", text_get(&graph));
    export_node(&file, "higher_order.wrap_with_set_grad_enabled", text_get(&call), "y");
    export_output(&file, "%y");
    Text program = export_program(&file), json = export_json(&file, &program);
    text_free(&program), text_free(&nodes), text_free(&call), text_free(&graph);
    export_drop(&file);
    return json;
}

TEST(export_torn_programs) {
    static const char letters[] = "{}[]:,\"'\\0129-.asxyz_";
    Text json = program_text();
    Rng rng;
    int taken = 0;
    rng_seed(&rng, 3);
    CHECK_OK(import_text(json.data, json.length));
    char *torn = malloc(json.length);
    REQUIRE(torn);
    const int rounds = test_long() ? 100000 : 4000;
    for (int round = 0; round < rounds; round++) {
        memcpy(torn, json.data, json.length);
        for (uint64_t flips = 1 + rng_below(&rng, 2); flips > 0; flips--)
            torn[rng_below(&rng, json.length)] = letters[rng_below(&rng, sizeof letters - 1)];
        if (round % 4 == 0) { // a piece of it over another
            const size_t count = 1 + rng_below(&rng, 60), from = rng_below(&rng, json.length - count);
            memcpy(torn + rng_below(&rng, json.length - count), json.data + from, count);
        }
        taken += import_text(torn, json.length) == ST_OK;
    }
    CHECK_MSG(taken > rounds / 100 && taken < rounds, "%d of %d taken", taken, rounds);
    for (size_t size = 0; size < json.length; size += 7) CHECK_INT(import_text(json.data, size), ST_BAD);
    free(torn);
    text_free(&json);
}
