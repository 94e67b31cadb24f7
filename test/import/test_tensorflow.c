// SavedModels and graphs as a whole: signatures, functions, branches, variables, models by others.
#include "import/tensorflow_check.h"

#define VALUES(...) ((const double[]){__VA_ARGS__})
#define FLOATS(...) ((const float[]){__VA_ARGS__})

static void check_model(const char *path, const char *dims, const float *x, const char *y_dims,
                        const double *expected) {
    Arena arena = {0};
    const Tensor y = run_model(path, NULL, dims, x, &arena);
    check_tensor(&y, y_dims, expected);
    arena_free(&arena);
}

// ---- what goes in and out

TEST(a_graph_ends_where_nobody_reads) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "image", "?,2");
    tf_node(&tf, "Relu", "hidden", "image", "");
    tf_node(&tf, "Neg", "logits", "hidden", "");
    tf_node(&tf, "Exp", "second", "hidden", "");
    tf_node(&tf, "NoOp", "init", "^logits", "");
    tf_filled(&tf, "unused", "2", 1);
    Imported model;
    CHECK_OK(import_model(tf_save_graph(&tf, "graph.pb"), NULL, &model));
    CHECK_TEXT(model.format, "TensorFlow GraphDef");
    CHECK_INT(model.graph->n_inputs, 1);
    CHECK_TEXT(model.graph->values[model.graph->inputs[0]].name, "image");
    CHECK_INT(model.graph->n_outputs, 2);
    CHECK_TEXT(model.graph->values[model.graph->outputs[0]].name, "logits");
    CHECK_TEXT(model.graph->values[model.graph->outputs[1]].name, "second");
    CHECK_INT(model.graph->values[model.graph->inputs[0]].type.dim[0] <= DIM_SYMBOL_0, 1);
    import_free(&model);
}

static void two_ends(TfWriter *tf) {
    tf_placeholder(tf, "image", "2");
    tf_node(tf, "Relu", "hidden", "image", "");
    tf_node(tf, "Neg", "logits", "hidden", "");
    tf_node(tf, "Unsupported", "loss", "hidden", "");
}

TEST(outputs_of_a_graph_by_name) {
    TfWriter tf = {0};
    Arena arena = {0};
    two_ends(&tf);
    const ImportOptions one = {.signature = "logits:0"}, inner = {.signature = "hidden"},
                        none = {.signature = "nothing"};
    const char *path = tf_save_graph(&tf, "graph.pb");
    Tensor y = run_model(path, &one, "2", FLOATS(-1, 3), &arena);
    check_tensor(&y, "2", VALUES(0, -3));
    y = run_model(path, &inner, "2", FLOATS(-1, 3), &arena);
    check_tensor(&y, "2", VALUES(0, 3));
    check_refused_with(path, &none, ST_USAGE, "'logits', 'loss'|got 'nothing'");
    check_refused_with(path, NULL, ST_UNSUPPORTED, "Unsupported (1 node)");
    arena_free(&arena);
}

static const char *two_signatures(const char *a, const char *b) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "p", "2");
    tf_node(&tf, "Neg", "n", "p", "");
    tf_node(&tf, "Relu", "r", "p", "");
    tf_signature(&tf, a, "x=p:0", "?,2", "minus=n:0");
    if (b) tf_signature(&tf, b, "x=p:0", "2", "plus=r:0");
    tf_signature(&tf, "__saved_model_init_op", "", "", "init=NoOp");
    return tf_save_model(&tf, "model");
}

static void check_signature(const char *path, const char *name, const char *output) {
    const ImportOptions options = {.signature = name};
    Imported model;
    CHECK_OK(import_model(path, &options, &model));
    CHECK_TEXT(model.format, "TensorFlow SavedModel");
    CHECK_TEXT(model.graph->values[model.graph->inputs[0]].name, "x");
    CHECK_TEXT(model.graph->values[model.graph->outputs[0]].name, output);
    import_free(&model);
}

TEST(signatures) {
    check_signature(two_signatures("any", NULL), NULL, "minus"); // the only one
    check_signature(two_signatures("serving_default", "b"), NULL, "minus");
    check_signature(two_signatures("a", "predict"), NULL, "plus");
    check_signature(two_signatures("a", "b"), "b", "plus");
    check_refused_with(two_signatures("a", "b"), NULL, ST_USAGE, "several: 'a', 'b'");
    const ImportOptions other = {.signature = "c"};
    check_refused_with(two_signatures("a", "b"), &other, ST_USAGE, "expected a signature ('a', 'b'), got 'c'");
    TfWriter tf = {0};
    tf_placeholder(&tf, "p", "2");
    check_refused_with(tf_save_model(&tf, "model"), NULL, ST_UNSUPPORTED, "without signatures");
}

TEST(the_file_alone_is_fine_too) {
    Imported model;
    two_signatures("any", NULL);
    CHECK_OK(import_model(test_temp("model/saved_model.pb"), NULL, &model));
    CHECK_TEXT(model.format, "TensorFlow SavedModel");
    CHECK_INT(model.n_mappings, 1);
    import_free(&model);
}

TEST(shapes_of_signatures) { // the Placeholder may tell what the signature does not
    TfWriter tf = {0};
    tf_placeholder(&tf, "p", "3,2");
    tf_node(&tf, "Neg", "n", "p", "");
    tf_signature(&tf, "s", "x=p:0", "*", "y=n:0");
    Imported model;
    CHECK_OK(import_model(tf_save_model(&tf, "model"), NULL, &model));
    CHECK_INT(model.graph->values[model.graph->inputs[0]].type.dim[0], 3);
    import_free(&model);
    const InputShape shape = {"x", {3, {1, 4, 2}}};
    const ImportOptions options = {.inputs = &shape, .n_inputs = 1};
    check_refused_with(test_temp("model"), &options, ST_USAGE, "");
}

TEST(an_output_keeps_its_name_where_a_node_has_it_too) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "p", "2");
    tf_node(&tf, "Neg", "y", "p", "");
    tf_node(&tf, "Exp", "x", "y", "");
    tf_signature(&tf, "s", "x=p:0", "2", "y=x:0");
    Imported model;
    CHECK_OK(import_model(tf_save_model(&tf, "model"), NULL, &model));
    CHECK_TEXT(model.graph->values[model.graph->inputs[0]].name, "x");
    CHECK_TEXT(model.graph->values[model.graph->outputs[0]].name, "y");
    import_free(&model);
}

TEST(bound_and_shaped_inputs) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "p", "?,?");
    tf_placeholder(&tf, "q", "2");
    tf_node(&tf, "Add", "a", "p q", "");
    tf_signature(&tf, "s", "x=p:0 z=q:0", "?,2", "y=a:0");
    const char *path = tf_save_model(&tf, "model");
    const InputShape shape = {"x", {2, {1, 2}}};
    float numbers[] = {10, 20};
    const NamedTensor bind = {"z", {DT_F32, {2, {1, 2}}, numbers}};
    const ImportOptions options = {.inputs = &shape, .n_inputs = 1, .bind = &bind, .n_bind = 1};
    Arena arena = {0};
    const Tensor y = run_model(path, &options, "1,2", FLOATS(1, 2), &arena);
    check_tensor(&y, "1,2", VALUES(11, 22));
    arena_free(&arena);
}

// ---- functions

TEST(functions_are_put_in) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "x", "2");
    tf_filled(&tf, "c", "", 10);
    tf_node(&tf, "PartitionedCall", "call", "x c", "f=@outer");
    tf_node(&tf, "StatefulPartitionedCall", "again", "call:1 c", "f=@outer");
    tf_node(&tf, "Sub", "y", "again call:0", "");
    tf_begin(&tf, "outer", "a b", "sum difference");
    tf_node(&tf, "inner", "i", "b a:0", ""); // called by its name
    tf_node(&tf, "Sub", "d", "a b", "");
    tf_node(&tf, "Identity", "id", "i:doubled:0 ^d", "");
    tf_end(&tf, "difference=d:z:0 sum=id:output:0");
    tf_begin(&tf, "inner", "p q", "first doubled");
    tf_node(&tf, "Add", "s", "p q", "");
    tf_node(&tf, "Add", "t", "s:z:0 s:z", "");
    tf_end(&tf, "first=p doubled=t:z:0");
    // outer(a, b) = (2 (a + b), a - b)
    check_graph(&tf, "2", FLOATS(1, 2), "2", VALUES(2 * (-9 + 10) - 22, 2 * (-8 + 10) - 24));
}

TEST(lists_of_outputs_in_functions) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "x", "2,2");
    tf_node(&tf, "PartitionedCall", "y", "x", "f=@f");
    tf_begin(&tf, "f", "a", "r");
    tf_node(&tf, "Unpack", "u", "a", "num=2");
    tf_filled(&tf, "one", "2", 1);
    tf_node(&tf, "FusedBatchNormV3", "n", "wide one zero zero one", "is_training=false epsilon=0.0");
    tf_filled(&tf, "zero", "2", 0);
    tf_ints(&tf, "dims", "1,1,1,2");
    tf_node(&tf, "Reshape", "wide", "u:output:1 dims", "");
    tf_node(&tf, "Add", "s", "n:y:0 n:batch_variance:0", "");
    tf_end(&tf, "r=s:z:0");
    check_graph(&tf, "2,2", FLOATS(1, 2, 3, 4), "1,1,1,2", VALUES(4, 5));
}

TEST(functions_that_are_wrong) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "PartitionedCall", "y", "x", "f=@g");
    refuse_graph(&tf, ST_BAD, "PartitionedCall 'y'|function 'g'");
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "PartitionedCall", "y", "x x", "f=@f");
    tf_begin(&tf, "f", "a", "r");
    tf_end(&tf, "r=a");
    refuse_graph(&tf, ST_BAD, "expected 1 inputs for function 'f', got 2");
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "PartitionedCall", "y", "x", "f=@f");
    tf_begin(&tf, "f", "a", "r");
    tf_node(&tf, "Neg", "n", "b", "");
    tf_end(&tf, "r=n:y:0");
    refuse_graph(&tf, ST_BAD, "Neg 'n'|'b', which nothing makes");
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "PartitionedCall", "y", "x", "f=@f");
    tf_begin(&tf, "f", "a", "r");
    tf_end(&tf, "");
    refuse_graph(&tf, ST_BAD, "function 'f'|expected what result 1 is");
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "f", "c", "x", "");
    tf_node(&tf, "Neg", "y", "c:1", "");
    tf_begin(&tf, "f", "a", "r");
    tf_end(&tf, "r=a");
    refuse_graph(&tf, ST_BAD, "'c:1', but the node has 1 outputs");
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "PartitionedCall", "y", "x", "f=@f");
    tf_begin(&tf, "f", "a", "r");
    tf_node(&tf, "LeakyRelu", "n", "a", "alpha=%slope");
    tf_end(&tf, "r=n:y:0");
    refuse_graph(&tf, ST_UNSUPPORTED, "'alpha' is left to the caller");
}

// ---- branches

static void add_branches(TfWriter *tf) {
    tf_begin(tf, "yes", "a", "r");
    tf_node(tf, "Neg", "n", "a", "");
    tf_end(tf, "r=n:y:0");
    tf_begin(tf, "no", "a", "r");
    tf_node(tf, "RandomUniform", "n", "a", ""); // not supported, and not taken
    tf_end(tf, "r=n:output:0");
}

TEST(branches_that_are_known) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "x", "2");
    tf_bool(&tf, "c", true);
    tf_node(&tf, "If", "y", "c x", "then_branch=@yes else_branch=@no");
    add_branches(&tf);
    check_graph(&tf, "2", FLOATS(1, 2), "2", VALUES(-1, -2));
    tf_placeholder(&tf, "x", "2");
    tf_int(&tf, "c", 0);
    tf_node(&tf, "StatelessIf", "y", "c x", "then_branch=@no else_branch=@yes");
    add_branches(&tf);
    check_graph(&tf, "2", FLOATS(1, 2), "2", VALUES(-1, -2));
}

// Dropout as Keras wrote it for TF 1: cond/Switch by keras_learning_phase.
static void add_switch(TfWriter *tf, const char *condition) {
    tf_placeholder(tf, "x", "2");
    tf_node(tf, "Switch", "cond/Switch", condition, "");
    tf_node(tf, "Identity", "cond/switch_t", "cond/Switch:1", "");
    tf_node(tf, "Identity", "cond/switch_f", "cond/Switch", "");
    tf_node(tf, "Switch", "cond/Mul", "x c", "");
    tf_ints(tf, "shape", "2");
    tf_node(tf, "Const2", "cond/random", "^cond/switch_t", ""); // without inputs, in the branch that is dead
    tf_node(tf, "Mul", "cond/dropped", "cond/Mul:1 cond/random", "");
    tf_node(tf, "Neg", "cond/Identity", "cond/Mul", "");
    tf_node(tf, "Merge", "y", "cond/dropped cond/Identity", "N=2");
}

TEST(switches) {
    TfWriter tf = {0};
    tf_bool(&tf, "no", false);
    tf_node(&tf, "PlaceholderWithDefault", "c", "no", "dtype=#10 shape={}");
    add_switch(&tf, "c c");
    check_graph(&tf, "2", FLOATS(1, 2), "2", VALUES(-1, -2));
    tf_node(&tf, "Placeholder", "c", "", "dtype=#10 shape={}");
    add_switch(&tf, "c c");
    const char *path = tf_save_graph(&tf, "graph.pb");
    check_refused_with(path, NULL, ST_UNSUPPORTED, "Switch|input 'c'|--bind c=x.npy");
    uint8_t off = 0;
    const NamedTensor bind = {"c", {DT_BOOL, {0}, &off}};
    const ImportOptions options = {.bind = &bind, .n_bind = 1};
    Arena arena = {0};
    const Tensor y = run_model(path, &options, "2", FLOATS(1, 2), &arena);
    check_tensor(&y, "2", VALUES(-1, -2));
    arena_free(&arena);
}

TEST(conditions_that_are_computed) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "Shape", "s", "x", "");
    tf_ints(&tf, "two", "2");
    tf_node(&tf, "Equal", "e", "s two", "");
    tf_ints(&tf, "axis", "0");
    tf_node(&tf, "All", "c", "e axis", "");
    tf_node(&tf, "If", "y", "c x", "then_branch=@yes else_branch=@no");
    add_branches(&tf);
    const char *path = tf_save_graph(&tf, "graph.pb");
    check_refused_with(path, NULL, ST_UNSUPPORTED, "If (1 node)"); // nobody computes it
    const ImportOptions options = {.resolve = pass_resolve_shapes};
    Arena arena = {0};
    const Tensor y = run_model(path, &options, "2", FLOATS(1, 2), &arena);
    check_tensor(&y, "2", VALUES(-1, -2));
    arena_free(&arena);
}

TEST(what_is_missing_is_told_in_one_line) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "Alpha", "a", "x", "");
    tf_node(&tf, "Beta", "b", "a", "");
    tf_node(&tf, "PartitionedCall", "c", "b", "f=@f");
    tf_node(&tf, "MatrixInverse", "d", "x", "");
    tf_node(&tf, "Add", "y", "c d", "");
    tf_begin(&tf, "f", "a", "r");
    tf_node(&tf, "Alpha", "n", "a", "");
    tf_node(&tf, "Neg", "m", "n:y:0", "");
    tf_end(&tf, "r=m:y:0");
    refuse_graph(&tf, ST_UNSUPPORTED,
                 "operations that are not supported: Alpha (2 nodes), Beta (1 node), MatrixInverse (1 node);|tf2onnx");
    tf_placeholder(&tf, "x", "2"); // loops
    tf_node(&tf, "Enter", "e", "x", "");
    tf_node(&tf, "Merge", "m", "e next", "");
    tf_node(&tf, "NextIteration", "next", "m", "");
    tf_node(&tf, "Exit", "y", "m", "");
    refuse_graph(&tf, ST_UNSUPPORTED, "Enter (1 node)|NextIteration (1 node)");
}

// ---- variables

static void write_variables(const char *prefix) {
    TfCheckpoint checkpoint = {.index.per_block = 2};
    tf_checkpoint_header(&checkpoint);
    tf_objects(&checkpoint, "dense/kernel=layer/kernel dense/bias=layer/bias twice=layer/bias twice=layer/kernel");
    tf_variable(&checkpoint, "layer/bias", "2", FLOATS(10, 20), 2);
    tf_variable(&checkpoint, "layer/kernel", "2,2", FLOATS(1, 2, 3, 4), 4);
    tf_save_checkpoint(&checkpoint, prefix);
}

// TF 2: a function gets the variables; another one restores them.
static void tf2_model(TfWriter *tf, bool saver, const char *slices) {
    tf_node(tf, "VarHandleOp", "dense/kernel", "", "dtype=#1 shared_name='dense/kernel'");
    tf_node(tf, "VarHandleOp", "dense/bias_1", "", "dtype=#1 shared_name='dense/bias'");
    tf_placeholder(tf, "serving_x", "?,2");
    tf_node(tf, "StatefulPartitionedCall", "call", "serving_x dense/kernel dense/bias_1", "f=@serve");
    tf_begin(tf, "serve", "x kernel bias", "y");
    tf_node(tf, "StatefulPartitionedCall", "c", "x kernel bias", "f=@dense");
    tf_end(tf, "y=c:output:0");
    tf_begin(tf, "dense", "x kernel bias", "y");
    tf_node(tf, "ReadVariableOp", "k", "kernel", "dtype=#1");
    tf_node(tf, "ReadVariableOp", "b", "bias", "dtype=#1");
    tf_node(tf, "MatMul", "m", "x k:value:0", "");
    tf_node(tf, "BiasAdd", "a", "m:product:0 b:value:0", "");
    tf_node(tf, "Identity", "i", "a:output:0 ^done", "");
    tf_node(tf, "NoOp", "done", "^k ^b", "");
    tf_end(tf, "y=i:output:0");
    tf_signature(tf, "serving_default", "x=serving_x:0", "?,2", "y=call:0");
    if (!saver) return;
    tf_node(tf, "Placeholder", "file", "", "dtype=#7");
    tf_node(tf, "StatefulPartitionedCall", "restore", "file dense/bias_1 dense/kernel", "f=@restore_all");
    tf_begin(tf, "restore_all", "file b k", "r");
    tf_texts_of(tf, "names", "layer/kernel layer/bias");
    tf_texts_of(tf, "slices", slices);
    tf_node(tf, "RestoreV2", "RestoreV2", "file names:output:0 slices:output:0", "");
    tf_node(tf, "Identity", "i0", "RestoreV2:tensors:0", "");
    tf_node(tf, "AssignVariableOp", "a0", "k i0:output:0", "");
    tf_node(tf, "Identity", "i1", "RestoreV2:tensors:1", "");
    tf_node(tf, "AssignVariableOp", "a1", "b i1:output:0", "");
    tf_node(tf, "Identity", "id", "file ^a0 ^a1", "");
    tf_end(tf, "r=id:output:0");
    tf_saver(tf, "restore");
}

static const double dense[] = {10 + 1 + 6, 20 + 2 + 8}; // (1, 2) kernel + bias

TEST(variables_of_tf2) {
    TfWriter tf = {0};
    tf2_model(&tf, true, "_ _");
    const char *path = tf_save_model(&tf, "model");
    CHECK_OK(folder_make(test_temp("model/variables")));
    write_variables("model/variables/variables");
    check_model(path, "1,2", FLOATS(1, 2), "1,2", dense);
    check_model(test_temp("model/saved_model.pb"), "1,2", FLOATS(1, 2), "1,2", dense);
    Imported model;
    CHECK_OK(import_model(path, NULL, &model));
    CHECK_INT(model.n_mappings, 3);
    import_free(&model);
}

TEST(variables_by_the_names_of_objects) {
    TfWriter tf = {0};
    tf2_model(&tf, false, "");
    const char *path = tf_save_model(&tf, "model");
    CHECK_OK(folder_make(test_temp("model/variables")));
    write_variables("model/variables/variables");
    check_model(path, "1,2", FLOATS(1, 2), "1,2", dense);
}

// TF 1: nodes that are the variables' numbers, and a saver beside them.
static void tf1_graph(TfWriter *tf, const char *kernel, bool saver) {
    tf_node(tf, "VariableV2", kernel, "", "dtype=#1");
    tf_node(tf, "Identity", "read", kernel, "");
    tf_node(tf, "VariableV2", "layer/bias", "", "dtype=#1");
    tf_placeholder(tf, "x", "1,2");
    tf_node(tf, "MatMul", "m", "x read", "");
    tf_node(tf, "BiasAdd", "y", "m layer/bias", "");
    if (!saver) return;
    char inputs[64];
    tf_texts_of(tf, "save/names", "layer/kernel");
    tf_texts_of(tf, "save/slices", "_");
    tf_node(tf, "Const", "save/file", "", "dtype=#7");
    tf_node(tf, "RestoreV2", "save/RestoreV2", "save/file save/names save/slices", "");
    snprintf(inputs, sizeof inputs, "%s save/RestoreV2", kernel);
    tf_node(tf, "Assign", "save/Assign", inputs, "");
    tf_filled(tf, "zeros", "2,2", 0);
    snprintf(inputs, sizeof inputs, "%s zeros", kernel);
    tf_node(tf, "Assign", "init", inputs, "");
}

TEST(variables_of_tf1) {
    static const char state[] =
        "model_checkpoint_path: \"/somewhere/else/step-10\"\nall_model_checkpoint_paths: \"x\"\n";
    TfWriter tf = {0};
    tf1_graph(&tf, "w", true);
    write_variables("graph"); // beside it, under its name
    check_model(tf_save_graph(&tf, "graph.pb"), "1,2", FLOATS(1, 2), "1,2", dense);
    tf1_graph(&tf, "layer/kernel", false);
    write_variables("step-10");
    write_variables("step-9");
    CHECK_OK(file_write(test_temp("checkpoint"), state, sizeof state - 1));
    check_model(tf_save_graph(&tf, "other.pb"), "1,2", FLOATS(1, 2), "1,2", dense);
}

TEST(the_only_checkpoint_of_a_folder) {
    TfWriter tf = {0};
    tf1_graph(&tf, "layer/kernel", false);
    const char *path = tf_save_graph(&tf, "graph.pb");
    check_refused_with(path, NULL, ST_BAD, "expected a checkpoint beside the graph|freeze");
    write_variables("model.ckpt-1");
    check_model(path, "1,2", FLOATS(1, 2), "1,2", dense);
    write_variables("model.ckpt-2");
    check_refused_with(path, NULL, ST_BAD, "expected a checkpoint beside the graph");
}

TEST(a_meta_graph_beside_its_checkpoint) {
    TfWriter tf = {0};
    tf1_graph(&tf, "layer/kernel", true);
    Text meta = tf_meta_bytes(&tf);
    tf_drop(&tf);
    write_variables("model.ckpt-1");
    write_variables("model.ckpt-2");
    CHECK_OK(file_write(test_temp("model.ckpt-1.meta"), meta.data, meta.length));
    text_free(&meta);
    check_model(test_temp("model.ckpt-1.meta"), "1,2", FLOATS(1, 2), "1,2", dense);
}

TEST(variables_that_are_not_there) {
    TfWriter tf = {0};
    tf2_model(&tf, true, "_ _");
    const char *path = tf_save_model(&tf, "model");
    check_refused_with(path, NULL, ST_BAD, "variables/variables.index|not there");
    CHECK_OK(folder_make(test_temp("model/variables")));
    TfCheckpoint checkpoint = {.shards = 2};
    tf_checkpoint_header(&checkpoint);
    tf_variable(&checkpoint, "layer/bias", "2", FLOATS(10, 20), 2);
    tf_variable_at(&checkpoint, "layer/kernel", "2,2", FLOATS(1, 2, 3, 4), 4, 1, -1, -1);
    tf_save_checkpoint(&checkpoint, "model/variables/variables");
    check_refused_with(path, NULL, ST_BAD, "variables.data-00001-of-00002|not there");
    checkpoint = (TfCheckpoint){0};
    tf_checkpoint_header(&checkpoint);
    tf_variable(&checkpoint, "layer/bias", "2", FLOATS(10, 20), 2);
    tf_save_checkpoint(&checkpoint, "model/variables/variables");
    check_refused_with(path, NULL, ST_BAD, "variable 'dense/kernel'|'layer/kernel'|where it is not");
}

TEST(variables_in_slices) {
    TfWriter tf = {0};
    tf2_model(&tf, true, "2,2:0,2 _"); // the saver says so
    const char *path = tf_save_model(&tf, "model");
    CHECK_OK(folder_make(test_temp("model/variables")));
    write_variables("model/variables/variables");
    check_refused_with(path, NULL, ST_UNSUPPORTED, "variable 'dense/kernel'|slices");
    TfCheckpoint checkpoint = {0}; // the checkpoint says so
    tf2_model(&tf, true, "_ _");
    tf_save_model(&tf, "model");
    tf_checkpoint_header(&checkpoint);
    tf_sliced(&checkpoint, "layer/kernel");
    tf_save_checkpoint(&checkpoint, "model/variables/variables");
    check_refused_with(path, NULL, ST_UNSUPPORTED, "'layer/kernel'|slices");
}

static void refuse_variable(bool bad_crc, int shard, int64_t offset, int64_t size, const char *words) {
    TfWriter tf = {0};
    tf2_model(&tf, true, "_ _");
    const char *path = tf_save_model(&tf, "model");
    TfCheckpoint checkpoint = {.bad_crc = bad_crc};
    CHECK_OK(folder_make(test_temp("model/variables")));
    tf_checkpoint_header(&checkpoint);
    tf_variable_at(&checkpoint, "layer/kernel", "2,2", FLOATS(1, 2, 3, 4), 4, shard, offset, size);
    tf_save_checkpoint(&checkpoint, "model/variables/variables");
    check_refused_with(path, NULL, ST_BAD, words);
}

TEST(variables_that_lie) {
    refuse_variable(true, 0, -1, -1, "checksum of its numbers");
    refuse_variable(false, 0, 1, 16, "expected 16 bytes at 1 of variables/variables.data-00000-of-00001|16 bytes");
    refuse_variable(false, 0, INT64_MAX, 16, "bytes at 9223372036854775807");
    refuse_variable(false, 0, 0, INT64_MAX, "expected 9223372036854775807 bytes");
    refuse_variable(false, 0, 0, 12, "expected 16 bytes of data, got 12");
    refuse_variable(false, 7, 0, 16, "one of 1 files, got file 7");
}

// ---- models by others

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

static int64_t count_parameters(const Graph *graph) {
    int64_t parameters = 0;
    for (int i = 0; i < graph->n_values; i++) {
        const Tensor *constant = graph->values[i].constant;
        if (constant && dtype_is_float(constant->dtype)) parameters += tensor_count(constant);
    }
    return parameters;
}

// The network for a smaller picture: all of it is convolutions. dim: the first spatial one.
static void make_small(Graph *graph, int dim, int64_t side) {
    Type *type = &graph->values[graph->inputs[0]].type;
    type->dim[0] = 1;
    type->dim[dim] = type->dim[dim + 1] = side;
    for (int i = 0; i < graph->n_values; i++) {
        Value *value = &graph->values[i];
        if (!value->is_input && !value->constant) value->type = (Type){.dtype = DT_NONE, .rank = -1};
    }
    CHECK_OK(graph_infer(graph));
}

static Tensor run_small(const char *path, int dim, const Tensor *x, Arena *arena) {
    Imported model;
    Tensor y;
    CHECK_OK(import_model(path, NULL, &model));
    make_small(model.graph, dim, x->shape.dim[dim]);
    CHECK_OK(reference_run(model.graph, x, &y, arena, NULL, NULL));
    import_free(&model);
    return y;
}

TEST(a_saved_model_is_what_its_onnx_file_is) {
    enum { SIDE = 32 };
    const char *saved = data_or_skip("models/lgg/seed-keras-w16.savedmodel"),
               *onnx = data_or_skip("models/lgg/seed-keras-w16.onnx");
    Arena arena = {0};
    Tensor last, first;
    CHECK_OK(tensor_make(&arena, DT_F32, (Shape){4, {1, SIDE, SIDE, 3}}, &last));
    CHECK_OK(tensor_make(&arena, DT_F32, (Shape){4, {1, 3, SIDE, SIDE}}, &first));
    for (int c = 0; c < 3; c++)
        for (int at = 0; at < SIDE * SIDE; at++) {
            const double value = sin(at * 0.37 + c) * 0.5 + (at % 17) / 17.0;
            tensor_set(&last, at * 3 + c, value);
            tensor_set(&first, c * SIDE * SIDE + at, value);
        }
    const Tensor a = run_small(saved, 1, &last, &arena), b = run_small(onnx, 2, &first, &arena);
    CHECK(a.shape.dim[3] == 1 && b.shape.dim[1] == 1 && tensor_count(&a) == tensor_count(&b));
    double lowest = 1, highest = 0;
    for (int64_t i = 0; i < tensor_count(&a); i++) {
        CHECK_MSG(fabs(tensor_get(&a, i) - tensor_get(&b, i)) < 1e-4, "pixel %lld: %g and %g", (long long)i,
                  tensor_get(&a, i), tensor_get(&b, i));
        lowest = fmin(lowest, tensor_get(&a, i));
        highest = fmax(highest, tensor_get(&a, i));
    }
    CHECK_MSG(highest - lowest > 1e-3, "an answer of %g to %g tells nothing", lowest, highest);
    arena_free(&arena);
}

TEST(saved_models_by_others) {
    static const struct {
        const char *path;
        int convs, transposed, norms;
        int64_t side, parameters;
    } models[] = {{"models/lgg/seed-keras-w16.savedmodel", 19, 4, 9, 256, 1944049},
                  {"models/tensorflow/brain-t1c-120-savedmodel", 11, 2, 0, 120, 116753}};
    for (size_t i = 0; i < COUNT_OF(models); i++) {
        Imported model;
        const ImportOptions options = {.resolve = pass_resolve_shapes};
        CHECK_OK(import_model(data_or_skip(models[i].path), &options, &model));
        const Graph *graph = model.graph;
        CHECK_TEXT(model.format, "TensorFlow SavedModel");
        CHECK_INT(count_op(graph, OP_Conv), models[i].convs);
        CHECK_INT(count_op(graph, OP_ConvTranspose), models[i].transposed);
        CHECK_INT(count_op(graph, OP_BatchNormalization), models[i].norms);
        CHECK_INT(count_parameters(graph), models[i].parameters);
        CHECK_INT(graph->n_inputs, 1);
        CHECK_INT(graph->n_outputs, 1);
        const Value *x = &graph->values[graph->inputs[0]], *y = &graph->values[graph->outputs[0]];
        CHECK_TEXT(x->name, "input_1");
        CHECK(x->type.rank == 4 && x->type.dim[1] == models[i].side);
        CHECK(y->type.rank == 4 && y->type.dim[1] == models[i].side && y->type.dim[3] == 1);
        import_free(&model);
    }
}
