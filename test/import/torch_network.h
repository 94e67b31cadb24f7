// A network made of a state_dict, and what is to be there: operators counted, sizes bound, who stands first in a
// concatenation looked up.
#pragma once
#include "import/torch_state.h"
#include "pass/pass.h"

static const ImportOptions none;

typedef struct Network {
    Graph *graph;
    Text notes;
} Network;

static inline Status try_network(Made *made, const ImportOptions *options, Network *out) {
    const TorchState state = made_state(made);
    Arena scratch = {0};
    *out = (Network){0};
    Status status = graph_create(&out->graph);
    if (status == ST_OK) status = torch_network(&state, options, &scratch, out->graph, &out->notes);
    arena_free(&scratch);
    return status;
}

static inline void network_free(Network *network) {
    graph_free(network->graph);
    text_free(&network->notes);
}

static inline Network network_of(Made *made) {
    Network network;
    CHECK_OK(try_network(made, &none, &network));
    CHECK_OK(graph_verify(network.graph));
    CHECK_INT(network.graph->n_inputs, 1);
    CHECK_INT(network.graph->n_outputs, 1);
    CHECK_TEXT(network.graph->values[network.graph->inputs[0]].name, "input");
    CHECK_TEXT(network.graph->values[network.graph->outputs[0]].name, "output");
    return network;
}

// The network has to be refused, with all of these words ("a|b") in the message.
static inline void check_refused(Made *made, const ImportOptions *options, Status expected, const char *words) {
    Network network;
    char copy[512];
    const Status status = try_network(made, options, &network);
    CHECK_MSG(status == expected, "status %d, expected %d: %s", status, expected, error_message());
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok(copy, "|"); word; word = strtok(NULL, "|")) {
        CHECK_MSG(strstr(error_message(), word), "no '%s' in: %s", word, error_message());
    }
    network_free(&network);
}

static inline void refuse(Made *made, const char *words) {
    check_refused(made, &none, ST_UNSUPPORTED, words);
    made_free(made);
}

static inline int count_op(const Graph *graph, Op op) {
    int count = 0;
    for (int i = 0; i < graph->n_nodes; i++) count += graph->nodes[i]->op == op;
    return count;
}

// "Conv 4, Relu 4": exactly as many, in words that tell what is wrong.
static inline void check_ops(const Network *network, const char *expected) {
    static const Op ops[] = {OP_Conv,
                             OP_ConvTranspose,
                             OP_BatchNormalization,
                             OP_InstanceNormalization,
                             OP_Relu,
                             OP_LeakyRelu,
                             OP_PRelu,
                             OP_MaxPool,
                             OP_AveragePool,
                             OP_Resize,
                             OP_Pad,
                             OP_Concat,
                             OP_Add,
                             OP_Sigmoid};
    Text text = {0};
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        // The Concats of pads stand with their Pads.
        const int count =
            count_op(network->graph, ops[i]) - (ops[i] == OP_Concat ? count_op(network->graph, OP_Pad) : 0);
        if (count) text_add(&text, "%s%s %d", text.length ? ", " : "", op_info(ops[i])->name, count);
    }
    CHECK_TEXT(text_get(&text), expected);
    text_free(&text);
}

static inline void check_notes(const Network *network, const char *expected) {
    CHECK_TEXT(text_get(&network->notes), expected);
}

static inline Status bind(const Network *network, const char *shape) {
    Shape input;
    REQUIRE(shape_parse(shape, &input));
    TRY(graph_bind(network->graph, "input", &input));
    TRY(pass_resolve_shapes(network->graph));
    return graph_verify(network->graph);
}

static inline void check_size(const Network *network, const char *input, const char *output) {
    Shape expected;
    REQUIRE(shape_parse(output, &expected));
    CHECK_OK(bind(network, input));
    const Type *type = &network->graph->values[network->graph->outputs[0]].type;
    REQUIRE(type_is_static(type));
    const Shape shape = type_shape(type);
    Text text = {0};
    shape_print(&text, &shape);
    CHECK_TEXT(text_get(&text), output);
    text_free(&text);
}

static inline const Node *made_by(const Graph *graph, ValueId value) { return graph->values[value].producer; }

// Of every concatenation of channels the input `index` comes from `op` by way of activations and pads.
static inline void check_joined(const Network *network, int index, Op op) {
    const Graph *graph = network->graph;
    for (int i = 0; i < graph->n_nodes; i++) {
        const Node *node = graph->nodes[i];
        if (node->op != OP_Concat || node_int(node, "axis", 0) != 1) continue;
        const Node *from = made_by(graph, node->inputs[index]);
        while (from && from->op != op && (from->op == OP_Pad || from->op == OP_LeakyRelu)) {
            from = made_by(graph, from->inputs[0]);
        }
        CHECK_MSG(from && from->op == op, "%s: input %d is of %s", graph->values[node->outputs[0]].name, index,
                  from ? op_info(from->op)->name : "nothing");
    }
}

static inline const Node *node_of(const Network *network, const char *value) {
    const ValueId id = graph_find(network->graph, value);
    if (id == NO_VALUE) test_failed(__FILE__, __LINE__, "no value '%s'", value);
    REQUIRE(id != NO_VALUE && made_by(network->graph, id));
    return made_by(network->graph, id);
}

static inline void check_ints(const Network *network, const char *value, const char *attr, const char *expected) {
    const int64_t *values;
    Text text = {0};
    const size_t count = node_ints(node_of(network, value), attr, &values);
    for (size_t i = 0; i < count; i++) text_add(&text, "%s%lld", i ? " " : "", (long long)values[i]);
    CHECK_TEXT(text_get(&text), expected);
    text_free(&text);
}
