// If, Loop and Scan: the graphs inside of them are put in.
#include "import/onnx_check.h"
#include "pass/pass.h"

static const ImportOptions resolving = {.resolve = pass_resolve_shapes};

// As check_nodes, with conditions computed.
static void check_put_in(OnnxFile *file, const ImportOptions *options, const char *expected) {
    Imported model;
    CHECK_OK(import_model(onnx_save(file, "model.onnx"), options, &model));
    Text text = say_graph(model.graph);
    CHECK_TEXT(text_get(&text), expected);
    text_free(&text);
    import_free(&model);
}
static void refuse(OnnxFile *file, Status status, const char *words) {
    check_refused_with(onnx_save(file, "model.onnx"), &resolving, status, words);
}

static OnnxFile with_input(const char *dims) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, dims);
    onnx_output(&file, "y");
    return file;
}
static void add_bool(OnnxFile *file, const char *name, uint8_t value) { onnx_raw(file, name, BOOL, "", &value, 1); }

// A branch of one node "t = op(inputs)".
static OnnxFile branch(const char *op, const char *inputs, const char *attrs) {
    OnnxFile graph = onnx_subgraph();
    onnx_node(&graph, op, inputs, "t", attrs);
    onnx_output(&graph, "t");
    return graph;
}

// ---- If

TEST(if_takes_the_branch_of_a_constant_condition) {
    for (int i = 0; i < 2; i++) {
        OnnxFile file = with_input("2,3"), a = branch("Relu", "x", ""), b = branch("Abs", "x", "");
        add_bool(&file, "c", (uint8_t)i);
        onnx_if(&file, "c", "y", &a, &b);
        check_nodes(&file, i ? "t = Relu(x)\ny = Identity(t)" : "t = Abs(x)\ny = Identity(t)");
    }
}

// What PyTorch writes for squeeze(1) of a tensor whose shape it does not know.
static OnnxFile squeeze_if_one(const char *dims) {
    OnnxFile file = with_input(dims);
    const int64_t one = 1;
    onnx_ints(&file, "axes", "1");
    onnx_raw(&file, "one", INT64, "", &one, sizeof one);
    onnx_node(&file, "Relu", "x", "r", "");
    onnx_node(&file, "Shape", "r", "s", "");
    onnx_node(&file, "Gather", "s one", "d", "axis=0");
    onnx_node(&file, "Equal", "d one", "c", "");
    OnnxFile a = branch("Squeeze", "r axes", ""), b = branch("Identity", "r", "");
    onnx_if(&file, "c", "y", &a, &b);
    return file;
}

TEST(if_on_dims) {
    OnnxFile file = squeeze_if_one("N,1,H,W");
    check_put_in(&file, &resolving, "r = Relu(x)\nt = Squeeze(r, {1})\ny = Identity(t)");
    file = squeeze_if_one("N,3,H,W"); // a Squeeze of 3 would be refused
    check_put_in(&file, &resolving, "r = Relu(x)\nt = Identity(r)\ny = Identity(t)");
    file = squeeze_if_one("2,1,4,4");
    check_put_in(&file, &resolving, "r = Relu(x)\nt = Squeeze(r, {1})\ny = Identity(t)");
    const InputShape shape = {.name = "x", .shape = {4, {2, 3, 4, 4}}};
    const ImportOptions shaped = {.inputs = &shape, .n_inputs = 1, .resolve = pass_resolve_shapes};
    file = squeeze_if_one("N,C,H,W");
    check_put_in(&file, &shaped, "r = Relu(x)\nt = Identity(r)\ny = Identity(t)");
    file = squeeze_if_one("N,C,H,W");
    refuse(&file, ST_UNSUPPORTED, "value 'y': If: its condition ('c') is not known|input 'x'|--input x=");
    file = squeeze_if_one("N,3,H,W");
    check_refused(&file, ST_UNSUPPORTED, "value 'y': If: its condition ('c') is not known"); // nothing computes it
}

TEST(if_on_an_input) {
    for (uint8_t value = 0; value < 2; value++) {
        OnnxFile file = with_input("2"), a = branch("Relu", "x", ""), b = branch("Abs", "x", "");
        onnx_input(&file, "c", BOOL, "");
        onnx_node(&file, "Not", "c", "d", "");
        onnx_if(&file, "d", "y", &a, &b);
        uint8_t data = value;
        const NamedTensor bind = {.name = "c", .tensor = {.dtype = DT_BOOL, .shape = {0}, .data = &data}};
        check_put_in(&file, &(ImportOptions){.bind = &bind, .n_bind = 1, .resolve = pass_resolve_shapes},
                     value ? "t = Abs(x)\ny = Identity(t)" : "t = Relu(x)\ny = Identity(t)");
    }
    OnnxFile file = with_input("2"), a = branch("Relu", "x", ""), b = branch("Abs", "x", "");
    onnx_input(&file, "c", BOOL, "");
    onnx_if(&file, "c", "y", &a, &b);
    refuse(&file, ST_UNSUPPORTED, "If: its condition ('c') is an input|--bind c=x.npy");
}

// Both branches and the graph around them use the same names; a branch reads what is around it and has weights.
TEST(names_of_branches_are_their_own) {
    OnnxFile file = with_input("2"), a = onnx_subgraph(), b = branch("Relu", "x", "");
    onnx_output(&file, "u");
    onnx_filled(&file, "w", "2", 2, 1);
    add_bool(&file, "c", 1);
    onnx_filled(&a, "k", "2", 2, 3);
    onnx_node(&a, "Add", "x k", "v", "");
    onnx_node(&a, "Mul", "v w", "t", "");
    onnx_output(&a, "t");
    onnx_if(&file, "c", "y", &a, &b);
    a = branch("Add", "y k", "");
    onnx_filled(&a, "k", "2", 2, 5);
    b = branch("Relu", "y", "");
    onnx_if(&file, "c", "u", &a, &b);
    check_nodes(&file, "v = Add(x, {3 3})\nt = Mul(v, {1 1})\ny = Identity(t)\n"
                       "t.1 = Add(y, {5 5})\nu = Identity(t.1)");
}

TEST(an_output_may_be_what_is_around_a_branch) {
    OnnxFile file = with_input("2"), a = onnx_subgraph(), b = branch("Relu", "x", "");
    add_bool(&file, "c", 1);
    onnx_output(&a, "x");
    onnx_if(&file, "c", "y", &a, &b);
    check_nodes(&file, "y = Identity(x)");
}

TEST(if_inside_if) {
    for (int i = 0; i < 4; i++) {
        OnnxFile file = with_input("2"), a = branch("Relu", "v", ""), b = branch("Abs", "v", "");
        OnnxFile outer = onnx_subgraph(), other = branch("Neg", "x", "");
        add_bool(&file, "c", (uint8_t)(i & 1));
        add_bool(&file, "d", (uint8_t)(i >> 1));
        onnx_node(&outer, "Exp", "x", "v", "");
        onnx_if(&outer, "d", "w", &a, &b);
        onnx_output(&outer, "w");
        onnx_if(&file, "c", "y", &outer, &other);
        check_nodes(&file, i == 1   ? "v = Exp(x)\nt = Abs(v)\nw = Identity(t)\ny = Identity(w)"
                           : i == 3 ? "v = Exp(x)\nt = Relu(v)\nw = Identity(t)\ny = Identity(w)"
                                    : "t = Neg(x)\ny = Identity(t)");
    }
}

TEST(a_branch_not_taken_may_hold_what_is_not_had) {
    for (int i = 0; i < 2; i++) {
        OnnxFile file = with_input("2"), a = branch("NonZero", "x", ""), b = branch("Abs", "x", "");
        add_bool(&file, "c", (uint8_t)i);
        onnx_if(&file, "c", "y", &a, &b);
        if (i)
            check_refused(&file, ST_UNSUPPORTED, "value 'y': If: operators that are not supported: NonZero (1 node)");
        else check_nodes(&file, "t = Abs(x)\ny = Identity(t)");
    }
}

// ---- If, hostile

static void refuse_if(OnnxFile *then_branch, OnnxFile *else_branch, Status status, const char *words) {
    OnnxFile file = with_input("2");
    add_bool(&file, "c", 1);
    onnx_if(&file, "c", "y", then_branch, else_branch);
    refuse(&file, status, words);
}

TEST(hostile_branches) {
    OnnxFile a = branch("Relu", "y", ""), b = branch("Abs", "x", ""); // reads the result of the If
    refuse_if(&a, &b, ST_BAD, "cycle");
    a = branch("Relu", "t", ""), b = branch("Abs", "x", "");
    refuse_if(&a, &b, ST_BAD, "cycle");
    a = branch("Relu", "u", ""), b = onnx_subgraph(); // a name of the other branch
    onnx_node(&b, "Relu", "x", "u", "");
    onnx_output(&b, "u");
    refuse_if(&a, &b, ST_BAD, "Relu|expected a value 'u', which nothing in the model makes");
    a = branch("Relu", "x", ""), b = branch("Abs", "x", "");
    onnx_output(&a, "x");
    refuse_if(&a, &b, ST_BAD, "If|'then_branch': expected as many outputs as the node has (1), got 2");
    a = branch("Relu", "x", ""), b = onnx_subgraph();
    refuse_if(&a, &b, ST_BAD, "'else_branch': expected as many outputs as the node has (1), got 0");
    a = branch("Relu", "x", ""), b = branch("Abs", "x", "");
    onnx_node(&a, "Abs", "x", "t", "");
    refuse_if(&a, &b, ST_BAD, "value 't': expected a name of its own");
    a = branch("Relu", "x", ""), b = branch("Abs", "x", "");
    onnx_output(&b, "nothing");
    refuse_if(&a, &b, ST_BAD, "expected a value 'nothing'");
    a = branch("Relu", "x", ""), b = branch("Abs", "x", "");
    onnx_input(&a, "z", FLOAT32, "2");
    refuse_if(&a, &b, ST_BAD, "graph 'inner': expected 0 inputs, got 1");
}

TEST(hostile_conditions) {
    OnnxFile file = with_input("2"), a = branch("Relu", "x", "");
    Text node = onnx_node_message("", "If", "x", "y", "");
    put_graph(&node, "then_branch", &a);
    put_message(&file.graph, 1, &node);
    refuse(&file, ST_BAD, "If: attribute 'else_branch' is missing");
    file = with_input("2");
    onnx_node(&file, "If", "x", "y", "then_branch=1 else_branch=2");
    refuse(&file, ST_BAD, "attribute 'else_branch': expected a graph, got an integer");
    file = with_input("2");
    a = branch("Relu", "x", "");
    OnnxFile b = branch("Abs", "x", "");
    onnx_ints(&file, "c", "1");
    onnx_if(&file, "c", "y", &a, &b);
    refuse(&file, ST_BAD, "its condition: expected one bool, got 1 of int64");
    file = with_input("2"); // a condition that depends on the If
    a = branch("Relu", "x", ""), b = branch("Abs", "x", "");
    onnx_node(&file, "Equal", "y y", "c", "");
    onnx_if(&file, "c", "y", &a, &b);
    refuse(&file, ST_UNSUPPORTED, "its condition ('c') is not known");
    file = with_input("2");
    a = branch("Relu", "x", ""), b = branch("Abs", "x", "");
    onnx_if(&file, "", "y", &a, &b);
    refuse(&file, ST_BAD, "If: expected 1 input, got 0");
}

static OnnxFile nested(int depth) {
    OnnxFile graph = branch("Relu", "x", "");
    for (int i = 0; i < depth; i++) {
        OnnxFile outer = onnx_subgraph(), other = branch("Abs", "x", "");
        onnx_if(&outer, "c", "t", &graph, &other);
        onnx_output(&outer, "t");
        graph = outer;
    }
    return graph;
}

TEST(graphs_inside_each_other_have_a_limit) {
    OnnxFile file = with_input("2"), a = nested(14), b = branch("Abs", "x", "");
    add_bool(&file, "c", 1);
    onnx_if(&file, "c", "y", &a, &b);
    Imported model;
    CHECK_OK(import_model(onnx_save(&file, "model.onnx"), NULL, &model));
    CHECK_INT(model.graph->n_nodes, 16);
    import_free(&model);
    a = nested(15), b = branch("Abs", "x", "");
    refuse_if(&a, &b, ST_BAD, "expected at most 16 graphs inside each other");
}

// Each If looks through the whole chain before it, as no dim in it is known.
static OnnxFile chain_of_ifs(int ifs) {
    enum { CHAIN = 1000 };
    const int64_t one = 1;
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "n0", FLOAT32, "N,1");
    onnx_raw(&file, "one", INT64, "", &one, sizeof one);
    for (int i = 1; i < CHAIN; i++) {
        char in[16], out[16];
        snprintf(in, sizeof in, "n%d", i - 1);
        snprintf(out, sizeof out, "n%d", i);
        onnx_node(&file, "Relu", in, out, "");
    }
    onnx_node(&file, "Shape", "n999", "s", "");
    onnx_node(&file, "Gather", "s one", "d", "axis=0");
    onnx_node(&file, "Equal", "d one", "c", "");
    for (int i = 0; i < ifs; i++) {
        char out[16];
        OnnxFile a = branch("Relu", "n999", ""), b = branch("Abs", "n999", "");
        snprintf(out, sizeof out, "y%d", i);
        onnx_if(&file, "c", out, &a, &b);
        onnx_output(&file, out);
    }
    return file;
}

TEST(looking_for_conditions_has_a_limit) {
    Imported model;
    OnnxFile file = chain_of_ifs(3);
    CHECK_OK(import_model(onnx_save(&file, "model.onnx"), &resolving, &model));
    import_free(&model);
    file = chain_of_ifs(201);
    refuse(&file, ST_UNSUPPORTED, "If: its condition ('c') is not known before a run");
}

// ---- Scan

// Body: s = s + e, out = -s.
static OnnxFile sum_body(void) {
    OnnxFile body = onnx_subgraph();
    onnx_input(&body, "s", FLOAT32, "3");
    onnx_input(&body, "e", FLOAT32, "3");
    onnx_node(&body, "Add", "s e", "sum", "");
    onnx_node(&body, "Neg", "sum", "out", "");
    onnx_output(&body, "sum");
    onnx_output(&body, "out");
    return body;
}
static OnnxFile scan_file(int opset, const char *state, const char *dims) {
    OnnxFile file = onnx_file(opset);
    onnx_input(&file, "x", FLOAT32, dims);
    onnx_input(&file, "s0", FLOAT32, state);
    onnx_output(&file, "last");
    onnx_output(&file, "all");
    return file;
}

TEST(scan_goes_step_by_step) {
    OnnxFile file = scan_file(11, "3", "2,3"), body = sum_body();
    onnx_body(&file, "Scan", "s0 x", "last all", "num_scan_inputs=1", &body);
    check_nodes(&file, "last.slice, last.slice.1 = Split(x) axis=0 num_outputs=2\n"
                       "last.element = Squeeze(last.slice, {0})\n"
                       "last.element.1 = Squeeze(last.slice.1, {0})\n"
                       "sum = Add(s0, last.element)\n"
                       "out = Neg(sum)\n"
                       "sum.1 = Add(sum, last.element.1)\n"
                       "out.1 = Neg(sum.1)\n"
                       "last.slice.2 = Unsqueeze(out, {0})\n"
                       "last.slice.3 = Unsqueeze(out.1, {0})\n"
                       "last.stack = Concat(last.slice.2, last.slice.3) axis=0\n"
                       "last = Identity(sum.1)\n"
                       "all = Identity(last.stack)");
}

TEST(scan_backwards_along_other_axes) {
    OnnxFile file = scan_file(11, "3", "3,2"), body = sum_body();
    onnx_body(&file, "Scan", "s0 x", "last all",
              "num_scan_inputs=1 scan_input_axes=[-1] scan_input_directions=[1] scan_output_axes=[1] "
              "scan_output_directions=[1]",
              &body);
    check_nodes(&file, "last.slice, last.slice.1 = Split(x) axis=-1 num_outputs=2\n"
                       "last.element = Squeeze(last.slice, {-1})\n"
                       "last.element.1 = Squeeze(last.slice.1, {-1})\n"
                       "sum = Add(s0, last.element.1)\n"
                       "out = Neg(sum)\n"
                       "sum.1 = Add(sum, last.element)\n"
                       "out.1 = Neg(sum.1)\n"
                       "last.slice.2 = Unsqueeze(out.1, {1})\n"
                       "last.slice.3 = Unsqueeze(out, {1})\n"
                       "last.stack = Concat(last.slice.2, last.slice.3) axis=1\n"
                       "last = Identity(sum.1)\n"
                       "all = Identity(last.stack)");
}

// What the body sees has types, so that its own Ifs can be decided.
TEST(if_inside_scan) {
    OnnxFile file = onnx_file(13), body = onnx_subgraph(), a = branch("Relu", "e", ""), b = branch("Abs", "e", "");
    onnx_input(&file, "x", FLOAT32, "2,3");
    onnx_output(&file, "y");
    onnx_ints(&file, "three", "3");
    onnx_input(&body, "e", FLOAT32, NULL);
    onnx_node(&body, "Shape", "e", "d", "");
    onnx_node(&body, "Equal", "d three", "c", "");
    onnx_if(&body, "c", "v", &a, &b);
    onnx_output(&body, "v");
    onnx_body(&file, "Scan", "x", "y", "num_scan_inputs=1", &body);
    check_put_in(&file, &resolving,
                 "y.slice, y.slice.1 = Split(x) axis=0 num_outputs=2\n"
                 "y.element = Squeeze(y.slice, {0})\n"
                 "y.element.1 = Squeeze(y.slice.1, {0})\n"
                 "t = Relu(y.element)\n"
                 "v = Identity(t)\n"
                 "t.1 = Relu(y.element.1)\n"
                 "v.1 = Identity(t.1)\n"
                 "y.slice.2 = Unsqueeze(v, {0})\n"
                 "y.slice.3 = Unsqueeze(v.1, {0})\n"
                 "y.stack = Concat(y.slice.2, y.slice.3) axis=0\n"
                 "y = Identity(y.stack)");
}

static void refuse_scan(const char *state, const char *dims, const char *inputs, const char *attrs, Status status,
                        const char *words) {
    OnnxFile file = scan_file(11, state, dims), body = sum_body();
    onnx_body(&file, "Scan", inputs, "last all", attrs, &body);
    refuse(&file, status, words);
}

TEST(scans_that_are_refused) {
    const char *const one = "num_scan_inputs=1";
    refuse_scan("3", "N,3", "s0 x", one, ST_UNSUPPORTED, "Scan: the length of input 2 is not known|--input");
    refuse_scan("3", "257,3", "s0 x", one, ST_UNSUPPORTED, "Scan: a length from 1 to 256 is supported, got 257");
    refuse_scan("3", "9000000000000000000,3", "s0 x", one, ST_UNSUPPORTED, "Scan: a length from 1 to 256");
    refuse_scan("3", "0,3", "s0 x", one, ST_UNSUPPORTED, "Scan: a length from 1 to 256 is supported, got 0");
    refuse_scan("3", "2,3", "s0 x", "", ST_BAD, "'num_scan_inputs': expected 1 to 2, got 0");
    refuse_scan("3", "2,3", "s0 x", "num_scan_inputs=3", ST_BAD, "'num_scan_inputs': expected 1 to 2, got 3");
    refuse_scan("3", "2,3", "s0 _ x", one, ST_BAD, "expected input 2, which is absent");
    refuse_scan("3", "2,3", "s0 s0 x", one, ST_BAD, "expected 3 inputs|graph 'inner'|2");
    refuse_scan("3", "2,3", "s0 x", "num_scan_inputs=1 scan_input_axes=[2]", ST_BAD,
                "expected an axis from -2 to 1, got 2");
    refuse_scan("3", "2,3", "s0 x", "num_scan_inputs=1 scan_input_axes=[0,0]", ST_BAD, "expected 1 numbers, got 2");
    refuse_scan("3", "2,3", "s0 x", "num_scan_inputs=2", ST_BAD, "Scan|expected a length of 3, as others have, got 2");
    refuse_scan("4", "2,3", "s0 x", one, ST_BAD, "Scan|Add|broadcast");
}

// 256 x 256 x 256 steps would be 16 million.
TEST(scans_inside_scans_have_a_limit) {
    OnnxFile file = onnx_file(11), body = onnx_subgraph();
    onnx_input(&file, "x", FLOAT32, "256");
    onnx_output(&file, "y");
    onnx_input(&body, "e", FLOAT32, "");
    onnx_node(&body, "Relu", "e", "t", "");
    onnx_output(&body, "t");
    for (int i = 0; i < 2; i++) {
        OnnxFile outer = onnx_subgraph();
        onnx_input(&outer, "e", FLOAT32, "");
        onnx_body(&outer, "Scan", "x", "t", "num_scan_inputs=1", &body);
        onnx_output(&outer, "t");
        body = outer;
    }
    onnx_body(&file, "Scan", "x", "y", "num_scan_inputs=1", &body);
    refuse(&file, ST_BAD, "expected at most 500000 nodes and values of graphs inside of nodes");
}

// ---- Loop

// Body: v = v + 1 step by step, stacked; goes on while `on`.
static OnnxFile count_body(const char *on_op, const char *on_inputs) {
    OnnxFile body = onnx_subgraph();
    onnx_input(&body, "i", INT64, "");
    onnx_input(&body, "c", BOOL, "");
    onnx_input(&body, "v", FLOAT32, "2");
    onnx_node(&body, on_op, on_inputs, "on", "");
    onnx_node(&body, "Relu", "v", "w", "");
    onnx_output(&body, "on");
    onnx_output(&body, "w");
    return body;
}
static OnnxFile loop_file(const char *steps) {
    OnnxFile file = with_input("2");
    const int64_t limit = 2;
    onnx_ints(&file, "n", steps);
    onnx_raw(&file, "limit", INT64, "", &limit, sizeof limit);
    onnx_input(&file, "m", INT64, "");
    return file;
}

TEST(loop_of_a_known_number_of_steps) {
    OnnxFile file = loop_file("2"), body = count_body("Identity", "c");
    onnx_body(&file, "Loop", "n _ x", "y", "", &body);
    check_put_in(&file, &resolving, "w = Relu(x)\nw.1 = Relu(w)\ny = Identity(w.1)");
    file = loop_file("9"), body = count_body("Less", "i limit"); // on while i < 2: i = 0, 1, 2
    onnx_body(&file, "Loop", "n _ x", "y", "", &body);
    check_put_in(&file, &resolving, "w = Relu(x)\nw.1 = Relu(w)\nw.2 = Relu(w.1)\ny = Identity(w.2)");
    file = loop_file("0"), body = count_body("Identity", "c");
    onnx_body(&file, "Loop", "n _ x", "y", "", &body);
    check_put_in(&file, &resolving, "y = Identity(x)");
    file = loop_file("-5"), body = count_body("Identity", "c");
    onnx_body(&file, "Loop", "n _ x", "y", "", &body);
    check_put_in(&file, &resolving, "y = Identity(x)");
}

TEST(loop_stacks_outputs) {
    OnnxFile file = loop_file("2"), body = count_body("Identity", "c");
    onnx_output(&body, "w");
    onnx_output(&file, "z");
    onnx_body(&file, "Loop", "n _ x", "y z", "", &body);
    check_put_in(&file, &resolving,
                 "w = Relu(x)\nw.1 = Relu(w)\ny = Identity(w.1)\n"
                 "y.slice = Unsqueeze(w, {0})\ny.slice.1 = Unsqueeze(w.1, {0})\n"
                 "y.stack = Concat(y.slice, y.slice.1) axis=0\nz = Identity(y.stack)");
}

static void refuse_loop(const char *steps, const char *inputs, const char *on_op, const char *on_inputs, Status status,
                        const char *words) {
    OnnxFile file = loop_file(steps), body = count_body(on_op, on_inputs);
    onnx_body(&file, "Loop", inputs, "y", "", &body);
    refuse(&file, status, words);
}

TEST(loops_that_are_refused) {
    refuse_loop("1", "m _ x", "Identity", "c", ST_UNSUPPORTED, "Loop: how often it goes round ('m')|--bind m=");
    refuse_loop("1", "_ _ x", "Identity", "c", ST_UNSUPPORTED, "Loop: more than 256 steps");
    refuse_loop("9000000000000000000", "n _ x", "Identity", "c", ST_UNSUPPORTED, "Loop: more than 256 steps");
    refuse_loop("3", "n _ x", "Less", "v v", ST_UNSUPPORTED, "Loop: its condition ('on') is not known");
    refuse_loop("3", "n _ x", "Relu", "v", ST_UNSUPPORTED, "Loop: its condition ('on') is not known");
    refuse_loop("3", "n n x", "Identity", "c", ST_BAD, "its condition: expected one bool, got 1 of int64");
    refuse_loop("3", "n _ x x", "Identity", "c", ST_BAD, "'body': expected at least 3 outputs, got 2");
    refuse_loop("3,4", "n _ x", "Identity", "c", ST_BAD, "how often it goes round: expected one int64, got 2");
}
