// Damaged and lying TensorFlow files: each ends in a status with one line.
#include "import/tensorflow_check.h"
#include "import/torn.h"

// Something of everything, and a checkpoint beside it.
static void fill_small(TfWriter *tf) {
    static const float kernel[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    tf_placeholder(tf, "x", "?,4,4,1");
    tf_floats(tf, "k", "3,3,1,2", kernel, 18);
    tf_filled(tf, "one", "2", 1);
    tf_node(tf, "VariableV2", "v", "", "dtype=#1");
    tf_ints(tf, "i0", "0");
    tf_ints(tf, "i1", "1");
    tf_int(tf, "four", 4);
    tf_int(tf, "two", 2);
    tf_node(tf, "Conv2D", "c", "x k", "strides=[1,1,1,1] padding='SAME' data_format='NHWC'");
    tf_node(tf, "BiasAdd", "b", "c v", "");
    tf_node(tf, "FusedBatchNormV3", "n", "b one one one one", "is_training=false epsilon=0.5");
    tf_node(tf, "Relu6", "r", "n", "");
    tf_node(tf, "MaxPool", "p", "r", "ksize=[1,2,2,1] strides=[1,2,2,1] padding='SAME'");
    tf_node(tf, "Shape", "shape", "p", "T=#1");
    tf_node(tf, "StridedSlice", "batch", "shape i0 i1 i1", "shrink_axis_mask=1 begin_mask=1");
    tf_node(tf, "Pack", "sizes", "batch four four two", "N=4");
    tf_filled(tf, "u", "2,2,2,2", 0.5f);
    tf_node(tf, "Conv2DBackpropInput", "t", "sizes u p", "strides=[1,2,2,1] padding='SAME'");
    tf_int(tf, "axis", 3);
    tf_node(tf, "ConcatV2", "j", "t r axis", "N=2");
    tf_bool(tf, "yes", true);
    tf_node(tf, "If", "f", "yes j", "then_branch=@f else_branch=@f");
    tf_node(tf, "Switch", "w", "f yes", "");
    tf_node(tf, "Merge", "m", "w:1 w:0", "N=2");
    tf_ints(tf, "axes", "1,2");
    tf_node(tf, "Mean", "y", "m axes", "keep_dims=true");
    tf_begin(tf, "f", "a", "r");
    tf_node(tf, "Sigmoid", "s", "a", "");
    tf_node(tf, "Unpack", "u", "s:y:0", "num=4 axis=3");
    tf_node(tf, "Pack", "q", "u:output:0 u:output:3", "N=2 axis=-1");
    tf_node(tf, "Identity", "i", "q:output:0 ^s", "");
    tf_end(tf, "r=i:output:0");
}

static Text small_graph(void) {
    TfWriter tf = {0};
    fill_small(&tf);
    Text all = tf_graph_bytes(&tf);
    tf_drop(&tf);
    return all;
}

static void write_checkpoint(void) {
    static const float bias[] = {1, 2};
    TfCheckpoint checkpoint = {0};
    tf_checkpoint_header(&checkpoint);
    tf_variable(&checkpoint, "v", "2", bias, 2);
    tf_save_checkpoint(&checkpoint, "h");
}

static Status import_bytes(const void *bytes, size_t size) { return torn_import("h.pb", bytes, size); }

TEST(the_small_graph_is_fine) {
    Text all = small_graph();
    write_checkpoint();
    CHECK_MSG(import_bytes(all.data, all.length) == ST_OK, "%s", error_message());
    text_free(&all);
}

TEST(cut_at_every_byte) {
    Text all = small_graph();
    write_checkpoint();
    const int taken = torn_cuts("h.pb", &all, ST_OK);
    CHECK_MSG(taken < 40, "%d of them were taken", taken); // only where a whole node ends can one be a graph
    text_free(&all);
}

TEST(a_saved_model_cut_at_every_byte) {
    TfWriter tf = {0};
    fill_small(&tf);
    tf_signature(&tf, "s", "in=x:0", "?,4,4,1", "out=y:0");
    Text all = tf_model_bytes(&tf);
    tf_drop(&tf);
    CHECK_OK(folder_make(test_temp("m/variables")));
    for (size_t size = 0; size < all.length; size++) {
        FILE *stream = fopen(test_temp("m/saved_model.pb"), "wb");
        REQUIRE(stream && fwrite(all.data, 1, size, stream) == size && fclose(stream) == 0);
        check_refused_with(test_temp("m"), NULL, ST_BAD, "");
        if (size > 2) check_refused_with(test_temp("m/saved_model.pb"), NULL, ST_BAD, "");
    }
    text_free(&all);
}

TEST(flipped_bits_and_bytes) {
    Text all = small_graph();
    write_checkpoint();
    torn_flips("h.pb", &all);
    text_free(&all);
}

TEST(bytes_moved_within_the_file) {
    Text all = small_graph();
    write_checkpoint();
    torn_moves("h.pb", &all, 0);
    text_free(&all);
}

TEST(a_checkpoint_cut_at_every_byte) {
    static const char *const names[] = {"h.index", "h.data-00000-of-00001"};
    Text graph = small_graph();
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        write_checkpoint();
        FILE *stream = fopen(test_temp(names[i]), "rb");
        char bytes[4096];
        REQUIRE(stream);
        const size_t whole = fread(bytes, 1, sizeof bytes, stream);
        fclose(stream);
        for (size_t size = 0; size < whole; size++) {
            stream = fopen(test_temp(names[i]), "wb");
            REQUIRE(stream && fwrite(bytes, 1, size, stream) == size && fclose(stream) == 0);
            CHECK_INT(import_bytes(graph.data, graph.length), ST_BAD);
        }
    }
    text_free(&graph);
}

TEST(memory_that_runs_out) {
    Text all = small_graph();
    write_checkpoint();
    torn_memory("h.pb", &all);
    text_free(&all);
}

// ---- functions that don't end

TEST(functions_that_call_themselves) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "PartitionedCall", "y", "x", "f=@a");
    tf_begin(&tf, "a", "p", "r");
    tf_node(&tf, "PartitionedCall", "c", "p", "f=@b");
    tf_end(&tf, "r=c:output:0");
    tf_begin(&tf, "b", "p", "r");
    tf_node(&tf, "a", "c", "p", "");
    tf_end(&tf, "r=c:r:0");
    refuse_graph(&tf, ST_BAD, "'a', which calls itself");
}

// f0 calls f1 twice, f1 calls f2 twice ...
static void add_doubling(TfWriter *tf, int depth, const char *last) {
    tf_placeholder(tf, "x", "2");
    tf_node(tf, "f0", "y", "x", "");
    for (int i = 0; i < depth; i++) {
        char name[16], next[16], returns[4200];
        snprintf(name, sizeof name, "f%d", i);
        snprintf(next, sizeof next, "f%d", i + 1);
        tf_begin(tf, name, "p", "r");
        if (i == depth - 1) tf_node(tf, "Neg", last, "p", "");
        else {
            tf_node(tf, next, "a", "p", "");
            tf_node(tf, next, "b", "a:r:0", "");
        }
        snprintf(returns, sizeof returns, i == depth - 1 ? "r=%s:y:0" : "r=b:r:0", last);
        tf_end(tf, returns);
    }
}

TEST(functions_inside_each_other) {
    TfWriter tf = {0};
    add_doubling(&tf, 10, "n");
    Imported model;
    CHECK_OK(import_model(tf_save_graph(&tf, "graph.pb"), NULL, &model));
    CHECK_INT(model.graph->n_nodes, 512);
    import_free(&model);
    add_doubling(&tf, 31, "n"); // a thousand million nodes
    refuse_graph(&tf, ST_BAD, "at most 500000 nodes");
    add_doubling(&tf, 40, "n");
    refuse_graph(&tf, ST_BAD, "at most 32 functions inside each other");
    char name[4000]; // a long name, again and again
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    add_doubling(&tf, 17, name);
    refuse_graph(&tf, ST_BAD, "bytes of names");
}

TEST(thousands_of_calls) {
    TfWriter tf = {0};
    char in[16] = "x", out[16];
    tf_placeholder(&tf, "x", "2");
    for (int i = 0; i < 20000; i++) {
        snprintf(out, sizeof out, "c%d", i);
        tf_node(&tf, "PartitionedCall", out, in, "f=@f");
        memcpy(in, out, sizeof in);
    }
    tf_begin(&tf, "f", "p", "r");
    tf_node(&tf, "Neg", "n", "p", "");
    tf_end(&tf, "r=n:y:0");
    Imported model;
    CHECK_OK(import_model(tf_save_graph(&tf, "graph.pb"), NULL, &model));
    CHECK_INT(model.graph->n_nodes, 20000);
    import_free(&model);
}

TEST(a_long_chain_takes_no_stack) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "n0", "2");
    for (int i = 20000; i > 0; i--) { // the last first
        char in[16], out[16];
        snprintf(in, sizeof in, "n%d", i - 1);
        snprintf(out, sizeof out, "n%d", i);
        tf_node(&tf, "Relu", out, in, "");
    }
    Imported model;
    CHECK_OK(import_model(tf_save_graph(&tf, "graph.pb"), NULL, &model));
    CHECK_INT(model.graph->n_nodes, 20000);
    import_free(&model);
}

TEST(cycles) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "Add", "a", "x b", "");
    tf_node(&tf, "Neg", "b", "a", "");
    tf_node(&tf, "Neg", "y", "b", "");
    refuse_graph(&tf, ST_BAD, "cycles");
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "f", "y", "x", "");
    tf_begin(&tf, "f", "p", "r");
    tf_node(&tf, "Neg", "n", "n:y:0", "");
    tf_end(&tf, "r=n:y:0");
    refuse_graph(&tf, ST_BAD, "node 'n': expected no cycles");
}

// ---- names and limits

TEST(names_twice) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "Neg", "y", "x", "");
    tf_node(&tf, "Neg", "y", "x", "");
    refuse_graph(&tf, ST_BAD, "node 'y' once");
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "f", "y", "x", "");
    for (int i = 0; i < 2; i++) {
        tf_begin(&tf, "f", "p", "r");
        tf_end(&tf, "r=p");
    }
    refuse_graph(&tf, ST_BAD, "function 'f' once");
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "f", "y", "x x", "");
    tf_begin(&tf, "f", "p p", "r");
    tf_end(&tf, "r=p");
    refuse_graph(&tf, ST_BAD, "function 'f'|argument 'p' once");
}

TEST(what_is_not_there) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "Add", "y", "x nothing", "");
    refuse_graph(&tf, ST_BAD, "Add 'y'|'nothing', which nothing makes");
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "Add", "y", "x", "");
    refuse_graph(&tf, ST_BAD, "Add 'y'|expected 2 inputs, got 1");
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "Neg", "y", "x:1", "");
    refuse_graph(&tf, ST_BAD, "the node has 1 outputs");
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "Neg", "n", "x", "");
    tf_signature(&tf, "s", "x=x:0", "2", "y=z:0");
    check_refused_with(tf_save_model(&tf, "model"), NULL, ST_BAD, "output 'y'|node 'z'");
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "Neg", "n", "x", "");
    tf_signature(&tf, "s", "x=z:0", "2", "y=n:0");
    check_refused_with(tf_save_model(&tf, "model"), NULL, ST_BAD, "input 'x'|node 'z'");
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "Neg", "n", "x", "");
    tf_signature(&tf, "s", "", "2", "y=n:0");
    check_refused_with(tf_save_model(&tf, "model"), NULL, ST_UNSUPPORTED, "Placeholder 'x'|signature");
    tf_filled(&tf, "c", "2", 1);
    refuse_graph(&tf, ST_BAD, "depends on a Placeholder");
}

TEST(attributes_of_other_types) {
    TfWriter tf = {0};
    refuse_node(&tf, "LeakyRelu", "x", "alpha='much'", "2", ST_BAD, "'alpha': expected a float");
    refuse_node(&tf, "MaxPool", "x", "ksize=2 strides=[1,1,1,1] padding='SAME'", "1,2,2,1", ST_BAD,
                "'ksize': expected a list");
    refuse_node(&tf, "MaxPool", "x", "ksize=[1,0,2,1] strides=[1,1,1,1] padding='SAME'", "1,2,2,1", ST_BAD, "from 1");
    refuse_node(&tf, "MaxPool", "x", "ksize=[1,2,2,1] strides=[1,1,1,1] padding='SOME'", "1,2,2,1", ST_BAD, "SOME");
    refuse_node(&tf, "Unpack", "x", "num=2000000", "2", ST_BAD, "'num': expected 1 to 1024");
    refuse_node(&tf, "Unpack", "x", "num=-1", "2", ST_BAD, "'num'");
    refuse_node(&tf, "DepthToSpace", "x", "block_size=0", "1,2,2,4", ST_BAD, "DepthToSpace 'y'");
}

TEST(weights_that_are_brought_into_order_again_and_again) { // once is enough
    TfWriter tf = {0};
    enum { SIDE = 128 };
    float *weight = made_floats(SIDE * SIDE * 9, 1);
    tf_floats(&tf, "k", "3,3,128,128", weight, SIDE * SIDE * 9);
    char in[16] = "x", out[16];
    tf_placeholder(&tf, "x", "1,4,4,128");
    for (int i = 0; i < 2000; i++) { // 600 kB each: more than a gigabyte
        snprintf(out, sizeof out, "c%d", i);
        strcat(in, " k");
        tf_node(&tf, "Conv2D", out, in, "strides=[1,1,1,1] padding='SAME'");
        memcpy(in, out, sizeof in);
    }
    Imported model;
    CHECK_OK(import_model(tf_save_graph(&tf, "graph.pb"), NULL, &model));
    CHECK(memory_peak() < (uint64_t)600 << 20);
    import_free(&model);
    free(weight);
}

TEST(numbers_that_repeat) { // many constants of few bytes
    TfWriter tf = {0};
    char name[16], in[40] = "x", out[16];
    tf_placeholder(&tf, "x", "");
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "k%d", i);
        snprintf(out, sizeof out, "c%d", i);
        tf_filled(&tf, name, "1000,1000", 1);
        snprintf(in + strlen(in), sizeof in - strlen(in), " %s", name);
        tf_node(&tf, "Add", out, in, "");
        memcpy(in, out, sizeof out);
    }
    refuse_graph(&tf, ST_BAD, "bytes more of constants that repeat a number");
}

TEST(more_than_the_limits) {
    TfWriter tf = {0};
    Text node = tf_node_message("Neg", "n", "", ""), attr = {0};
    for (int i = 0; i < 257; i++) tf_attr_text(&node, "a=1", 3);
    tf_put_node(&tf, &node);
    text_free(&attr);
    refuse_graph(&tf, ST_BAD, "at most 256 attributes");
    char name[6000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "Neg", name, "x", "");
    refuse_graph(&tf, ST_BAD, "at most 4096 bytes");
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "Neg", "y\xff", "x", "");
    refuse_graph(&tf, ST_BAD, "UTF-8");
    refuse_node(&tf, "Neg", "x", "", "1,1,1,1,1,1,1,1,1", ST_UNSUPPORTED, "more than 8 dims");
}

TEST(a_message_shows_no_control_characters) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "Neg", "evil\x1b[31m\n", "x nothing", "");
    refuse_graph(&tf, ST_BAD, "evil");
    CHECK(!strpbrk(error_message(), "\x1b\n"));
}
