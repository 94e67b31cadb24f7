// Building, rewriting, sorting, binding, the verifier's rules, FLOP.
#include "graph/graph.h"
#include "test.h"

static Graph *parse(const char *text) {
    Graph *graph;
    CHECK_OK(graph_parse(text, strlen(text), &graph));
    return graph;
}

static void check_text(const Graph *graph, const char *expected) {
    Text text = {0};
    CHECK_OK(graph_print(graph, true, &text));
    CHECK_TEXT(text.data, expected);
    text_free(&text);
}

static const Type VECTOR = {DT_F32, 1, {4}};

static ValueId value(Graph *graph, const char *name) {
    ValueId id;
    CHECK_OK(graph_add_value(graph, name, &VECTOR, &id));
    return id;
}

static Node *node(Graph *graph, Op op, ValueId a, ValueId b, ValueId out, int at) {
    Node *made;
    CHECK_OK(graph_add_node(graph, op, "", (ValueId[]){a, b}, b == NO_VALUE ? 1 : 2, &out, 1, at, &made));
    return made;
}

static Graph *empty(ValueId *input) {
    Graph *graph;
    CHECK_OK(graph_create(&graph));
    CHECK_OK(graph_add_input(graph, "x", &VECTOR, input));
    return graph;
}

TEST(the_op_table) {
    for (int op = OP_NONE + 1; op < OP_COUNT; op++) {
        const OpInfo *info = op_info((Op)op);
        CHECK_INT(op_from_name(info->name), op);
        CHECK(info->min_inputs >= 1 && (info->max_inputs < 0 || info->max_inputs >= info->min_inputs));
        CHECK(info->min_outputs >= 1 && (info->max_outputs < 0 || info->max_outputs >= info->min_outputs));
    }
    CHECK_INT(op_from_name("Konv"), OP_NONE);
    CHECK_INT(op_from_name("none") != OP_NONE, 0);
    CHECK_INT(op_info(OP_LayerNormalization)->max_inputs, 3);
}

TEST(names_are_unique) {
    ValueId x;
    Graph *graph = empty(&x);
    CHECK_TEXT(graph->values[value(graph, "x")].name, "x.1");
    CHECK_TEXT(graph->values[value(graph, "x.2")].name, "x.2");
    CHECK_TEXT(graph->values[value(graph, "x")].name, "x.3");
    CHECK_TEXT(graph->values[value(graph, "")].name, "v");
    CHECK_TEXT(graph->values[value(graph, "")].name, "v.1");
    CHECK_INT(graph_find(graph, "x"), x);
    CHECK_INT(graph_find(graph, "y"), NO_VALUE);
    char *name = mem_zero(65537, 1);
    REQUIRE(name);
    memset(name, 'a', 65536);
    ValueId id;
    CHECK(graph_add_value(graph, name, NULL, &id) == ST_BAD);
    mem_free(name);
    graph_free(graph);
}

TEST(nodes_are_inserted) {
    ValueId x;
    Graph *graph = empty(&x);
    const ValueId a = value(graph, "a"), b = value(graph, "b");
    node(graph, OP_Relu, a, NO_VALUE, b, -1);
    Node *first = node(graph, OP_Exp, x, NO_VALUE, a, 0);
    CHECK(graph->nodes[0] == first && graph->values[a].producer == first);
    CHECK_OK(graph_add_output(graph, b));
    CHECK_OK(graph_verify(graph));
    // What may not be: a second producer, making an input, values that are not there.
    Node *made;
    CHECK(graph_add_node(graph, OP_Relu, "r", &x, 1, &b, 1, -1, &made) == ST_BAD);
    CHECK_TEXT(error_message(), "Relu 'r': 'b' is made by two nodes");
    CHECK(graph_add_node(graph, OP_Relu, "r", &b, 1, &x, 1, -1, &made) == ST_BAD);
    CHECK(graph_add_node(graph, OP_Relu, "r", &(ValueId){9}, 1, &(ValueId){NO_VALUE}, 1, -1, &made) == ST_BAD);
    CHECK(graph_add_node(graph, OP_Relu, "r", &x, 1, &(ValueId){9}, 1, -1, &made) == ST_BAD);
    CHECK(graph_add_output(graph, 9) == ST_BAD);
    // A dead node's output may be made anew.
    node_kill(graph, first);
    node(graph, OP_Tanh, x, NO_VALUE, a, 0);
    CHECK_OK(graph_compact(graph));
    CHECK_OK(graph_verify(graph));
    check_text(graph, "graph (%x: float32[4]) -> (%b) {\n  %a = Tanh (%x) : float32[4]\n"
                      "  %b = Relu (%a) : float32[4]\n}\n");
    graph_free(graph);
}

TEST(attributes) {
    ValueId x;
    Graph *graph = empty(&x);
    Node *resize = node(graph, OP_Resize, x, NO_VALUE, value(graph, "y"), -1);
    for (int64_t i = 0; i < 40; i++) CHECK_OK(node_set_int(graph, resize, "antialias", i));
    CHECK_OK(node_set_float(graph, resize, "cubic_coeff_a", -0.5));
    CHECK_OK(node_set_string(graph, resize, "mode", "cubic"));
    CHECK_OK(node_set_ints(graph, resize, "axes", (int64_t[]){2, 3}, 2));
    const int64_t *axes;
    CHECK_INT(resize->n_attrs, 4);
    CHECK_INT(node_int(resize, "antialias", 0), 39);
    CHECK_INT(node_int(resize, "absent", 5), 5);
    CHECK_INT(node_int(resize, "mode", 5), 5); // of another type
    CHECK(node_float(resize, "cubic_coeff_a", 0) == -0.5);
    CHECK_TEXT(node_string(resize, "mode", ""), "cubic");
    CHECK_INT(node_ints(resize, "axes", &axes), 2);
    CHECK_INT(axes[1], 3);
    CHECK_INT(node_ints(resize, "none", &axes), 0);
    CHECK(!axes && !node_attr(resize, "none"));
    graph_free(graph);
}

// Lists that no op of the table has are kept and copied too: a later op may have them.
TEST(lists_of_floats_and_strings) {
    ValueId x;
    Graph *graph = empty(&x), *copy;
    Node *relu = node(graph, OP_Relu, x, NO_VALUE, value(graph, "y"), -1);
    char word[] = "one";
    const char *words[] = {word, "two"};
    double numbers[] = {1.5, -2};
    CHECK_OK(node_set(graph, relu, &(Attr){.name = "w", .type = ATTR_STRINGS, .strings = words, .count = 2}));
    CHECK_OK(node_set(graph, relu, &(Attr){.name = "n", .type = ATTR_FLOATS, .floats = numbers, .count = 2}));
    word[0] = 'x';
    numbers[0] = 0;
    CHECK_OK(graph_copy(graph, &copy));
    check_text(copy, "graph (%x: float32[4]) -> () {\n"
                     "  %y = Relu (%x) {w=[\"one\", \"two\"], n=[1.5, -2]} : float32[4]\n}\n");
    CHECK(graph_verify(copy) == ST_BAD); // not an attribute of Relu
    graph_free(graph);
    graph_free(copy);
}

TEST(replace_keeps_output_names) {
    Graph *graph = parse("graph (%x: float32[4]) -> (%y) {\n%a = Exp(%x)\n%y = Identity(%a)\n%b = Relu(%y)\n}");
    const ValueId a = graph_find(graph, "a"), y = graph_find(graph, "y");
    CHECK_INT(graph_uses(graph, y), 2);
    graph_replace(graph, y, a);
    CHECK_INT(graph_uses(graph, y), 0);
    CHECK_INT(graph_find(graph, "y"), a); // the names changed places
    CHECK_INT(graph_find(graph, "a"), y);
    CHECK_OK(graph_compact(graph));
    CHECK_OK(graph_verify(graph));
    check_text(graph, "graph (%x: float32[4]) -> (%y) {\n  %y = Exp (%x) : float32[4]\n}\n");
    CHECK(!graph->values[y].producer);
    graph_free(graph);
}

TEST(replace_by_input_or_output_keeps_their_names) {
    Graph *graph = parse("graph (%x: float32[4]) -> (%y, %z) {\n%y = Exp(%x)\n%z = Identity(%y)\n}");
    graph_replace(graph, graph_find(graph, "z"), graph_find(graph, "y"));
    CHECK_TEXT(graph->values[graph->outputs[0]].name, "y");
    CHECK_TEXT(graph->values[graph->outputs[1]].name, "y");
    graph_replace(graph, graph_find(graph, "y"), graph_find(graph, "x"));
    CHECK_TEXT(graph->values[graph->outputs[0]].name, "x");
    CHECK_INT(graph_find(graph, "x"), graph->inputs[0]);
    graph_free(graph);
}

TEST(values_become_constants) {
    Graph *graph = parse(
        "graph (%x: float32[4], %z: float32[4]) -> (%b) {\n%a, %c = Split(%x)\n%b = Concat(%a, %c, %z) {axis=0}\n}");
    const float numbers[] = {1, 2, 3, 4};
    const Tensor two = {DT_F32, {1, {2}}, (void *)numbers}, four = {DT_F32, {1, {4}}, (void *)numbers};
    CHECK_OK(graph_set_constant(graph, graph_find(graph, "a"), &two));
    CHECK_OK(graph_set_constant(graph, graph_find(graph, "z"), &four));
    CHECK_OK(graph_verify(graph));
    check_text(graph, "graph (%x: float32[4]) -> (%b) {\n  %z = const float32[4] {1, 2, 3, 4}\n"
                      "  %a = const float32[2] {1, 2}\n  _, %c = Split (%x) : _, float32[2]\n"
                      "  %b = Concat (%a, %c, %z) {axis=0} : float32[8]\n}\n");
    CHECK_OK(graph_set_constant(graph, graph_find(graph, "c"), &two));
    CHECK(graph->nodes[0]->dead);
    CHECK(node_constant(graph, graph->nodes[1], 1)->data == numbers);
    CHECK(!node_constant(graph, graph->nodes[1], 5));
    CHECK_OK(graph_verify(graph));
    graph_free(graph);
}

TEST(use_counts) {
    Graph *graph = parse("graph (%x: float32[4]) -> (%y, %y) {\n%a = Add(%x, %x)\n%y = Add(%a, %x)\n}");
    int *uses = graph_use_counts(graph);
    REQUIRE(uses);
    for (int i = 0; i < graph->n_values; i++) CHECK_INT(uses[i], graph_uses(graph, i));
    CHECK_INT(uses[graph_find(graph, "x")], 3);
    CHECK_INT(uses[graph_find(graph, "y")], 2);
    mem_free(uses);
    graph_free(graph);
}

TEST(compact_sorts_and_is_stable) {
    ValueId x;
    Graph *graph = empty(&x);
    const ValueId a = value(graph, "a"), b = value(graph, "b"), c = value(graph, "c"), d = value(graph, "d");
    const ValueId unused = value(graph, "unused");
    node(graph, OP_Add, b, c, d, -1);
    node(graph, OP_Relu, a, NO_VALUE, b, -1);
    node(graph, OP_Tanh, a, NO_VALUE, c, -1);
    node(graph, OP_Exp, d, NO_VALUE, unused, -1);
    node(graph, OP_Neg, x, NO_VALUE, a, -1);
    CHECK_OK(graph_add_output(graph, d));
    CHECK(graph_verify(graph) == ST_BAD);
    CHECK_OK(graph_compact(graph));
    CHECK_OK(graph_verify(graph));
    static const Op order[] = {OP_Neg, OP_Relu, OP_Tanh, OP_Add};
    REQUIRE(graph->n_nodes == 4);
    for (int i = 0; i < 4; i++) CHECK_INT(graph->nodes[i]->op, order[i]);
    CHECK_OK(graph_compact(graph)); // sorted already: as it is
    for (int i = 0; i < 4; i++) CHECK_INT(graph->nodes[i]->op, order[i]);
    CHECK(!graph->values[unused].producer);
    graph_free(graph);
}

TEST(cycles_are_named) {
    ValueId x;
    Graph *graph = empty(&x);
    const ValueId a = value(graph, "a"), b = value(graph, "b"), c = value(graph, "c");
    node(graph, OP_Add, x, b, a, -1);
    node(graph, OP_Relu, a, NO_VALUE, b, -1);
    node(graph, OP_Relu, b, NO_VALUE, c, -1);
    CHECK_OK(graph_add_output(graph, c));
    CHECK(graph_compact(graph) == ST_BAD);
    CHECK_TEXT(error_message(), "the graph has a cycle through value 'a' (Relu '')");
    graph_free(graph);
    graph = empty(&x); // a node that eats itself
    const ValueId own = value(graph, "own");
    node(graph, OP_Relu, own, NO_VALUE, own, -1);
    CHECK_OK(graph_add_output(graph, own));
    CHECK(graph_compact(graph) == ST_BAD);
    graph_free(graph);
}

TEST(binding) {
    Graph *graph = parse("graph (%x: float32[Nx3xHxW], %z: float32[Nx1xHx4]) -> (%y) {\n%y = Add(%x, %z)\n}");
    CHECK_TEXT(graph->symbols[0], "N");
    CHECK_OK(graph_bind(graph, "x", &(Shape){4, {2, 3, 8, 4}}));
    CHECK_INT(graph->values[graph_find(graph, "y")].type.rank, -1);
    CHECK_OK(graph_infer(graph));
    check_text(graph, "graph (%x: float32[2x3x8x4], %z: float32[2x1x8x4]) -> (%y) {\n"
                      "  %y = Add (%x, %z) : float32[2x3x8x4]\n}\n");
    CHECK_OK(graph_bind(graph, "z", &(Shape){4, {2, 1, 8, 4}}));
    CHECK(graph_bind(graph, "z", &(Shape){4, {1, 1, 8, 4}}) == ST_BAD);
    CHECK_TEXT(error_message(), "input 'z': expected 2 in dim 0 (the model or another binding says so), got 1");
    CHECK(graph_bind(graph, "z", &(Shape){3, {1, 8, 4}}) == ST_BAD);
    CHECK_TEXT(error_message(), "input 'z': expected 4 dims, got 3");
    CHECK(graph_bind(graph, "y", &(Shape){0}) == ST_BAD);
    CHECK_TEXT(error_message(), "the graph has no input 'y'");
    graph_free(graph);
    graph = parse("graph (%x: float32[NxN], %z: float32[*]) -> (%y) {\n%y = Add(%x, %z)\n}");
    CHECK(graph_bind(graph, "x", &(Shape){2, {2, 3}}) == ST_BAD); // one symbol, two sizes
    CHECK(graph_bind(graph, "z", &(Shape){1, {-1}}) == ST_BAD);
    CHECK_OK(graph_bind(graph, "z", &(Shape){1, {2}}));
    graph_free(graph);
}

TEST(copies_are_independent) {
    Graph *graph = parse("graph \"g\" (%x: float32[Nx4]) -> (%y) {\n%c = const float32[4] {1, 2, 3, 4}\n"
                         "%a = Mul(%x, %c)\n%y = Softmax \"s\" (%a) {axis=1}\n}");
    Graph *copy;
    CHECK_OK(graph_copy(graph, &copy));
    CHECK_OK(graph_verify(copy));
    CHECK(copy->values[graph_find(copy, "c")].constant->data == graph->values[graph_find(graph, "c")].constant->data);
    CHECK_INT(graph_find(copy, "y"), graph_find(graph, "y"));
    CHECK_OK(node_set_int(copy, copy->nodes[1], "axis", 0));
    CHECK_OK(graph_bind(copy, "x", &(Shape){2, {5, 4}}));
    check_text(graph, "graph \"g\" (%x: float32[Nx4]) -> (%y) {\n  %c = const float32[4] {1, 2, 3, 4}\n"
                      "  %a = Mul (%x, %c) : float32[Nx4]\n  %y = Softmax \"s\" (%a) {axis=1} : float32[Nx4]\n}\n");
    graph_free(copy);
    graph_free(graph);
}

TEST(flop) {
    Graph *graph =
        parse("graph (%x: float32[1x4x8x8], %s: float32[Nx2]) -> (%a, %b, %c, %d, %e, %f, %g, %h, %i, %j) {\n"
              "%w = const float32[6x2x3x3] zeros\n%v = const float32[4x3x2x2] zeros\n%m = const float32[8x5] zeros\n"
              "%a = Conv(%x, %w) {group=2, pads=[1, 1, 1, 1]}\n%b = ConvTranspose(%x, %v) {strides=[2, 2]}\n"
              "%c = MatMul(%x, %m)\n%d = MaxPool(%x) {kernel_shape=[2, 2], strides=[2, 2]}\n%e = Relu(%x)\n"
              "%f = ReduceMean(%x)\n%g = Transpose(%x)\n%h = Relu(%s)\n%i = GlobalAveragePool(%x)\n%p = Flatten(%x) "
              "{axis=3}\n"
              "%j = Gemm(%p, %m) {transA=0}\n}");
    static const double expected[] = {
        2. * 6 * 64 * 2 * 9, 2. * 4 * 64 * 3 * 4, 2. * 4 * 8 * 5 * 8, 256, 256, 256, 0, 0, 256, 0, 2. * 32 * 5 * 8};
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        CHECK_MSG(node_flop(graph, graph->nodes[i]) == expected[i], "%s: got %g, expected %g",
                  op_info(graph->nodes[i]->op)->name, node_flop(graph, graph->nodes[i]), expected[i]);
    graph_free(graph);
}

// A good graph is damaged in one place; the verifier says which rule was broken.
typedef void Damage(Graph *graph);
static Node *node_of(Graph *graph, int i) { return graph->nodes[i]; }
static void no_op(Graph *graph) { node_of(graph, 0)->op = OP_NONE; }
static void wild_op(Graph *graph) { node_of(graph, 0)->op = (Op)OP_COUNT; }
static void drop_input(Graph *graph) { node_of(graph, 1)->n_inputs = 1; }
static void absent_input(Graph *graph) { node_of(graph, 1)->inputs[1] = NO_VALUE; }
static void wild_input(Graph *graph) { node_of(graph, 1)->inputs[1] = 99; }
static void wild_result(Graph *graph) { node_of(graph, 1)->outputs[0] = 99; }
static void use_later(Graph *graph) { node_of(graph, 0)->inputs[0] = graph_find(graph, "y"); }
static void make_twice(Graph *graph) {
    graph->values[graph_find(graph, "b")].producer = NULL;
    node_of(graph, 1)->outputs[0] = graph_find(graph, "a");
}
static void other_producer(Graph *graph) { graph->values[graph_find(graph, "a")].producer = node_of(graph, 1); }
static void dead_producer(Graph *graph) { node_of(graph, 0)->dead = true; }
static void attr_name(Graph *graph) { CHECK_OK(node_set_int(graph, node_of(graph, 2), "axle", 1)); }
static void attr_type(Graph *graph) { CHECK_OK(node_set_float(graph, node_of(graph, 2), "axis", 1)); }
static void attr_value(Graph *graph) { CHECK_OK(node_set_int(graph, node_of(graph, 2), "axis", 2)); }
static void attr_twice(Graph *graph) {
    CHECK_OK(node_set_int(graph, node_of(graph, 2), "keepdims", 1));
    node_of(graph, 2)->attrs[1].name = "axis";
}
static void input_made(Graph *graph) { graph->values[graph_find(graph, "x")].producer = node_of(graph, 0); }
static void input_untyped(Graph *graph) { graph->values[graph_find(graph, "x")].type.dtype = DT_NONE; }
static void input_not_listed(Graph *graph) { graph->n_inputs = 0; }
static void input_twice(Graph *graph) {
    CHECK_OK(graph_add_input(graph, "x2", &VECTOR, &(ValueId){0}));
    graph->inputs[1] = 0;
}
static void input_is_none(Graph *graph) { graph->inputs[0] = graph_find(graph, "a"); }
static void input_wild(Graph *graph) { graph->inputs[0] = 99; }
static void no_outputs(Graph *graph) { graph->n_outputs = 0; }
static void wild_output(Graph *graph) { graph->outputs[0] = 99; }
static void output_not_made(Graph *graph) { graph->outputs[0] = value(graph, "ghost"); }
static void wrong_dtype(Graph *graph) { graph->values[graph_find(graph, "b")].type.dtype = DT_F64; }
static void wrong_shape(Graph *graph) { graph->values[graph_find(graph, "b")].type.dim[0] = 5; }
static void wild_rank(Graph *graph) { graph->values[graph_find(graph, "b")].type.rank = 9; }
static void wild_dtype(Graph *graph) { graph->values[graph_find(graph, "b")].type.dtype = DT_COUNT; }
static void wild_symbol(Graph *graph) { graph->values[graph_find(graph, "b")].type.dim[0] = DIM_SYMBOL_0; }
static void input_huge(Graph *graph) { graph->values[graph_find(graph, "x")].type.dim[0] = INT64_MAX; }
static void unnamed(Graph *graph) { graph->values[graph_find(graph, "b")].name = ""; }
static void same_name(Graph *graph) { graph->values[graph_find(graph, "b")].name = "a"; }
static void constant_type(Graph *graph) { graph->values[graph_find(graph, "k")].type.dim[0] = 2; }
static void constant_input(Graph *graph) { graph->values[graph_find(graph, "k")].is_input = true; }
static void constant_data(Graph *graph) {
    Tensor *tensor = (Tensor *)graph->values[graph_find(graph, "k")].constant;
    tensor->data = NULL;
}

TEST(the_verifier_refuses) {
    static const struct {
        Damage *damage;
        const char *message;
    } cases[] = {
        {no_op, "node 0, ? '': the op is unknown"},
        {wild_op, "node 0, ? '': the op is unknown"},
        {drop_input, "node 1, Add 'sum': expected 2 inputs, got 1"},
        {absent_input, "node 1, Add 'sum': input 1 is required, but absent"},
        {wild_input, "node 1, Add 'sum': input 1 is no value"},
        {wild_result, "value 'b': its producer does not make it"},
        {use_later, "node 0, Relu '': input 0: 'y' is used before it is made, or never made"},
        {make_twice, "node 1, Add 'sum': output 0: 'a' is made twice"},
        {other_producer, "value 'a': its producer does not make it"},
        {dead_producer, "value 'a': its producer does not make it"},
        {attr_name, "node 2, ArgMax '': there is no attribute 'axle'"},
        {attr_type, "node 2, ArgMax '': attribute 'axis': expected type int, got float"},
        {attr_value, "value 'y': ArgMax: expected an axis from -1 to 0, got 2"},
        {attr_twice, "node 2, ArgMax '': attribute 'axis' stands twice"},
        {input_made, "value 'x': an input can't be made by a node"},
        {input_untyped, "input 'x' has no dtype"},
        {input_not_listed, "input 'x' is not in the list of inputs"},
        {input_twice, "input 'x' stands twice in the list of inputs"},
        {input_is_none, "'a' is in the list of inputs, but is none"},
        {input_wild, "input number 0 is no value"},
        {no_outputs, "the graph has no output"},
        {wild_output, "output number 0 is no value"},
        {output_not_made, "output 'ghost' is never made"},
        {wrong_dtype, "value 'b': expected float64[4], as it was declared, got float32[4] from shape inference"},
        {wrong_shape, "value 'b': expected float32[5], as it was declared, got float32[4] from shape inference"},
        {wild_rank, "value 'b': expected at most 8 dims, got 9"},
        {wild_dtype, "value 'b': the dtype is impossible"},
        {wild_symbol, "value 'b': dim 0 names no symbol"},
        {input_huge, "value 'x' has more elements than can be addressed"},
        {unnamed, "value number 3 has no name"},
        {same_name, "two values are named 'a'"},
        {constant_type, "constant 'k': the type is not that of its data"},
        {constant_input, "value 'k': a constant can't be an input or made by a node"},
        {constant_data, "constant 'k' has no data"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Graph *graph = parse("graph (%x: float32[4]) -> (%y) {\n%k = const float32[1] {1}\n%a = Relu(%x)\n"
                             "%b = Add \"sum\" (%a, %k)\n%y = ArgMax(%b) {axis=0}\n}");
        CHECK_OK(graph_verify(graph));
        cases[i].damage(graph);
        CHECK_MSG(graph_verify(graph) == ST_BAD, "accepted; expected: %s", cases[i].message);
        CHECK_TEXT(error_message(), cases[i].message);
        graph_free(graph);
    }
}
