// Files that are cut, torn or made to harm: a message each time, never more.
#include "import/onnx_check.h"
#include "import/torn.h"

// y2 = x where it has 2 channels, summed over its height step by step; y3 by Einsum.
static void add_control(OnnxFile *file) {
    OnnxFile taken = onnx_subgraph(), other = onnx_subgraph(), body = onnx_subgraph();
    onnx_ints(file, "two", "2");
    onnx_node(file, "Shape", "x", "shape", "");
    onnx_node(file, "Constant", "", "one", "value_ints=[1]");
    onnx_node(file, "Gather", "shape one", "channels", "");
    onnx_node(file, "Equal", "channels two", "is_two", "");
    onnx_node(&taken, "Relu", "x", "t", "");
    onnx_output(&taken, "t");
    onnx_filled(&other, "u", "1", 1, 2);
    onnx_node(&other, "Mul", "x u", "t", "");
    onnx_output(&other, "t");
    onnx_if(file, "is_two", "i", &taken, &other);
    onnx_node(file, "ReduceSum", "i", "s0", "axes=[2] keepdims=0");
    onnx_input(&body, "s", FLOAT32, NULL);
    onnx_input(&body, "row", FLOAT32, NULL);
    onnx_node(&body, "Add", "s row", "next", "");
    onnx_output(&body, "next");
    onnx_body(file, "Scan", "s0 i", "y2", "num_scan_inputs=1 scan_input_axes=[2]", &body);
    onnx_node(file, "Einsum", "x w x", "y3", "equation='nchw,dcij,nahw->d'");
    onnx_output(file, "y2");
    onnx_output(file, "y3");
}

// A small model that has something of everything.
static Text small_model(void) {
    OnnxFile file = onnx_file(11);
    onnx_input(&file, "x", FLOAT32, "N,2,8,8");
    onnx_filled(&file, "w", "2,2,3,3", 36, 0.5f);
    onnx_ints(&file, "sizes", "1,2,16,16");
    onnx_node(&file, "Conv", "x w", "c", "pads=[1,1,1,1] kernel_shape=[3,3] auto_pad='NOTSET'");
    onnx_node(&file, "Clip", "c", "d", "");
    onnx_node(&file, "Constant", "", "k", "value_float=2.0");
    onnx_node(&file, "Mul", "d k", "e", "");
    onnx_node(&file, "Resize", "e _ _ sizes", "f", "mode='nearest'");
    onnx_node(&file, "Softmax", "f", "g", "axis=1");
    onnx_node(&file, "ReduceMean", "g", "h", "axes=[2,3] keepdims=0");
    onnx_node_tensor(&file, "ConstantOfShape", "sizes", "z", "value", "1", (const float[]){0}, 1);
    onnx_node(&file, "Unsqueeze", "h", "y", "axes=[0]");
    onnx_output(&file, "y");
    onnx_output(&file, "z");
    add_control(&file);
    Text all = onnx_bytes(&file);
    onnx_drop(&file);
    return all;
}

static Status import_bytes(const void *bytes, size_t size) { return torn_import("h.onnx", bytes, size); }

TEST(the_small_model_is_fine) {
    Text all = small_model();
    CHECK_INT(import_bytes(all.data, all.length), ST_OK);
    text_free(&all);
}

TEST(cut_at_every_byte) {
    Text all = small_model();
    CHECK_INT(torn_cuts("h.onnx", &all, ST_BAD),
              all.length); // the graph stands last in the file, so no beginning is a model
    text_free(&all);
}

TEST(flipped_bits_and_bytes) {
    Text all = small_model();
    torn_flips("h.onnx", &all);
    text_free(&all);
}

TEST(bytes_moved_within_the_file) {
    Text all = small_model();
    torn_moves("h.onnx", &all, 0);
    text_free(&all);
}

TEST(memory_that_runs_out) {
    Text all = small_model();
    torn_memory("h.onnx", &all);
    text_free(&all);
}

TEST(cycles) {
    OnnxFile file = onnx_file(13);
    onnx_output(&file, "y");
    onnx_node(&file, "Relu", "z", "y", "");
    onnx_node(&file, "Relu", "y", "z", "");
    check_refused(&file, ST_BAD, "cycle");
    file = onnx_file(13);
    onnx_output(&file, "y");
    onnx_node(&file, "Relu", "y", "y", "");
    check_refused(&file, ST_BAD, "cycle");
}

TEST(names_made_twice) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, "2");
    onnx_node(&file, "Relu", "x", "y", "");
    onnx_node(&file, "Exp", "x", "y", "");
    onnx_output(&file, "y");
    check_refused(&file, ST_BAD, "Exp|'y'|taken");
    file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, "2");
    onnx_node(&file, "Relu", "x", "x", "");
    onnx_output(&file, "x");
    check_refused(&file, ST_BAD, "'x'|taken");
    file = onnx_file(13);
    onnx_ints(&file, "w", "1");
    onnx_ints(&file, "w", "1");
    onnx_output(&file, "w");
    check_refused(&file, ST_BAD, "weight 'w'|taken");
    file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, "2");
    onnx_input(&file, "x", FLOAT32, "2");
    onnx_output(&file, "x");
    check_refused(&file, ST_BAD, "input 'x' once");
    file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, "2");
    onnx_output(&file, "x");
    onnx_output(&file, "x");
    check_refused(&file, ST_BAD, "output 'x' once");
}

TEST(nothing_comes_out) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, "2");
    check_refused(&file, ST_BAD, "expected outputs");
    file = onnx_file(13);
    onnx_output(&file, "y");
    check_refused(&file, ST_BAD, "output 1|'y'");
    file = onnx_file(13);
    put_message(&file.model, 7, &(Text){0});
    check_refused(&file, ST_BAD, "one graph in the model, got 2");
}

TEST(names_that_are_no_text) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x\xff", FLOAT32, "2");
    onnx_output(&file, "x\xff");
    check_refused(&file, ST_BAD, "UTF-8");
    char name[6000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    file = onnx_file(13);
    onnx_input(&file, name, FLOAT32, "2");
    onnx_output(&file, name);
    check_refused(&file, ST_BAD, "at most 4096 bytes, got 5999");
}

TEST(a_message_shows_no_control_characters) {
    OnnxFile file = onnx_file(13);
    onnx_node(&file, "Evil\x1b[31m\n", "", "y", "");
    onnx_output(&file, "y");
    check_refused(&file, ST_UNSUPPORTED, "Evil");
    CHECK(!strpbrk(error_message(), "\x1b\n"));
}

TEST(more_than_the_limits) {
    OnnxFile file = onnx_file(13);
    for (int i = 0; i < 100001; i++) put_bytes(&file.graph, 1, "", 0);
    check_refused(&file, ST_BAD, "at most 100000 nodes, got 100001");
    file = onnx_file(13);
    Text node = {0};
    for (int i = 0; i < 1025; i++) put_string(&node, 1, "x");
    put_message(&file.graph, 1, &node);
    check_refused(&file, ST_BAD, "at most 1024 inputs of a node");
    file = onnx_file(13);
    for (int i = 0; i < 257; i++) put_string(&node, 5, "");
    put_message(&file.graph, 1, &node);
    check_refused(&file, ST_BAD, "at most 256 attributes");
    file = onnx_file(13);
    Text attr = {0};
    put_string(&attr, 1, "axes");
    for (int i = 0; i < 65537; i++) put_int(&attr, 8, i);
    put_int(&attr, 20, 7);
    put_message(&node, 5, &attr);
    put_message(&file.graph, 1, &node);
    check_refused(&file, ST_BAD, "at most 65536 entries");
}

TEST(a_long_chain_takes_no_stack) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "n0", FLOAT32, "2");
    for (int i = 20000; i > 0; i--) {
        char in[16], out[16];
        snprintf(in, sizeof in, "n%d", i - 1);
        snprintf(out, sizeof out, "n%d", i);
        onnx_node(&file, "Relu", in, out, "");
    }
    onnx_output(&file, "n20000");
    Imported model;
    CHECK_OK(import_model(onnx_save(&file, "chain.onnx"), NULL, &model));
    CHECK_INT(model.graph->n_nodes, 20000);
    import_free(&model);
}

TEST(many_unsupported_operators) {
    OnnxFile file = onnx_file(13);
    for (int i = 0; i < 100; i++) {
        char op[16];
        snprintf(op, sizeof op, "Op%d", i);
        onnx_node(&file, op, "", "", "");
    }
    check_refused(&file, ST_UNSUPPORTED, "Op0 (1 node), Op1 (1 node)|and others (68 nodes)");
}
