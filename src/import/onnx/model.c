// Field numbers: onnx/onnx.proto (github.com/onnx/onnx), named beside each case.
#include "import/onnx/model.h"
#include "import/limits.h"
#include "import/onnx/onnx.h"
#include <stdio.h>
#include <string.h>

// Reads a name or a text into *out; the reader keeps the error.
static void read_name(PbReader *reader, const PbField *field, Arena *arena, const char **out) {
    const char *text = pb_string(reader, field, arena, LIMIT_NAME);
    if (text) *out = text;
}

static Status take(Arena *arena, size_t count, size_t size, void **out) {
    *out = arena_array(arena, count, size);
    return *out ? ST_OK : fail_memory(count * size);
}

static Status check_count(size_t count, size_t limit, const char *what) {
    FAIL_IF(count > limit, ST_BAD, "expected at most %zu %s, got %zu", limit, what, count);
    return ST_OK;
}

// ---- attributes

const char *onnx_attr_type_name(OnnxAttrType type) {
    static const char *const names[] = {"nothing",         "a float",       "an integer",       "a text",
                                        "a tensor",        "a graph",       "a list of floats", "a list of integers",
                                        "a list of texts", "something else"};
    return names[type];
}

const OnnxAttr *onnx_attr(const OnnxNode *node, const char *name) {
    for (int i = 0; i < node->n_attrs; i++) {
        if (strcmp(node->attrs[i].name, name) == 0) return &node->attrs[i];
    }
    return NULL;
}

Status onnx_read_ints(PbReader message, uint32_t number, size_t limit, Arena *arena, const int64_t **out,
                      size_t *count) {
    void *values;
    uint64_t bits;
    TRY(pb_list_count(message, number, PB_VARINT, count));
    TRY(check_count(*count, limit, "entries of a list"));
    TRY(take(arena, *count, sizeof(int64_t), &values));
    PbList list = pb_list(message, number, PB_VARINT);
    for (size_t i = 0; pb_list_next(&list, &bits); i++) ((int64_t *)values)[i] = (int64_t)bits;
    *out = values;
    return ST_OK;
}

static Status read_floats(PbReader message, uint32_t number, Arena *arena, OnnxAttr *attr) {
    void *values;
    uint64_t bits;
    TRY(pb_list_count(message, number, PB_FIXED32, &attr->count));
    TRY(check_count(attr->count, LIMIT_LIST, "entries of a list"));
    TRY(take(arena, attr->count, sizeof(double), &values));
    PbList list = pb_list(message, number, PB_FIXED32);
    for (size_t i = 0; pb_list_next(&list, &bits); i++) ((double *)values)[i] = pb_bits_float(bits);
    attr->floats = values;
    return ST_OK;
}

static Status read_strings(PbReader message, uint32_t number, Arena *arena, OnnxAttr *attr) {
    PbField field;
    void *values;
    attr->count = 0;
    for (PbReader reader = message; pb_next(&reader, &field);) attr->count += field.number == number;
    TRY(check_count(attr->count, LIMIT_LIST, "entries of a list"));
    TRY(take(arena, attr->count, sizeof(char *), &values));
    attr->strings = values;
    size_t i = 0;
    while (pb_next(&message, &field)) {
        if (field.number == number) attr->strings[i++] = pb_string(&message, &field, arena, LIMIT_TEXT);
    }
    return message.status;
}

static OnnxAttrType known_type(int64_t type) {
    return type >= 0 && type < ONNX_ATTR_OTHER ? (OnnxAttrType)type : ONNX_ATTR_OTHER;
}

// Files of IR version 1 leave out the type; the field that is there tells it.
static OnnxAttrType type_of_field(uint32_t number) {
    switch (number) {
    case 2: return ONNX_ATTR_FLOAT;
    case 3: return ONNX_ATTR_INT;
    case 4: return ONNX_ATTR_STRING;
    case 5: return ONNX_ATTR_TENSOR;
    case 6: return ONNX_ATTR_GRAPH;
    case 7: return ONNX_ATTR_FLOATS;
    case 8: return ONNX_ATTR_INTS;
    case 9: return ONNX_ATTR_STRINGS;
    default: return ONNX_ATTR_NONE;
    }
}

static Status read_graph(PbReader reader, int depth, Arena *arena, OnnxGraph *graph);

static Status read_subgraph(PbReader message, int depth, Arena *arena, OnnxGraph **out) {
    void *memory;
    FAIL_IF(depth > LIMIT_GRAPH_DEPTH, ST_BAD, "expected at most %d graphs inside each other, got more",
            LIMIT_GRAPH_DEPTH);
    TRY(take(arena, 1, sizeof(OnnxGraph), &memory));
    *out = memory;
    (*out)->name = "";
    return read_graph(message, depth, arena, *out);
}

// depth: of the graph that the node stands in; 1: the model's own.
static Status read_attr(PbReader message, int depth, Arena *arena, OnnxAttr *attr) {
    PbReader reader = message, graph = pb_reader(NULL, 0);
    PbField field;
    OnnxAttrType told = ONNX_ATTR_NONE, seen = ONNX_ATTR_NONE;
    *attr = (OnnxAttr){.name = "", .s = "", .tensor = pb_reader(NULL, 0)};
    while (pb_next(&reader, &field)) {
        switch (field.number) {
        case 1: read_name(&reader, &field, arena, &attr->name); break;
        case 2: attr->f = pb_float(&reader, &field); break;
        case 3: attr->i = pb_int64(&reader, &field); break;
        case 5: attr->tensor = pb_message(&reader, &field); break;
        case 6: graph = pb_message(&reader, &field); break;
        case 20: told = known_type(pb_int64(&reader, &field)); break;
        case 21: attr->reference = true; break; // ref_attr_name
        case 4: {
            const char *text = pb_string(&reader, &field, arena, LIMIT_TEXT);
            if (text) attr->s = text;
            break;
        }
        default: break;
        }
        if (seen == ONNX_ATTR_NONE) seen = type_of_field(field.number);
    }
    TRY(reader.status);
    attr->type = told != ONNX_ATTR_NONE ? told : seen;
    switch (attr->type) {
    case ONNX_ATTR_FLOATS: return read_floats(message, 7, arena, attr);
    case ONNX_ATTR_INTS: return onnx_read_ints(message, 8, LIMIT_LIST, arena, &attr->ints, &attr->count);
    case ONNX_ATTR_STRINGS: return read_strings(message, 9, arena, attr);
    case ONNX_ATTR_GRAPH: return read_subgraph(graph, depth + 1, arena, &attr->graph);
    default: return ST_OK;
    }
}

// ---- nodes

static Status size_node(PbReader reader, Arena *arena, OnnxNode *node) {
    PbField field;
    size_t inputs = 0, outputs = 0, attrs = 0;
    void *memory;
    while (pb_next(&reader, &field)) {
        inputs += field.number == 1;
        outputs += field.number == 2;
        attrs += field.number == 5;
    }
    TRY(reader.status);
    TRY(check_count(inputs, LIMIT_NODE_VALUES, "inputs of a node"));
    TRY(check_count(outputs, LIMIT_NODE_VALUES, "outputs of a node"));
    TRY(check_count(attrs, LIMIT_NODE_ATTRIBUTES, "attributes of a node"));
    TRY(take(arena, inputs, sizeof(char *), &memory));
    node->inputs = memory;
    TRY(take(arena, outputs, sizeof(char *), &memory));
    node->outputs = memory;
    TRY(take(arena, attrs, sizeof(OnnxAttr), &memory));
    node->attrs = memory;
    return ST_OK;
}

static Status check_attrs(const OnnxNode *node) {
    for (int i = 0; i < node->n_attrs; i++) {
        FAIL_IF(onnx_attr(node, node->attrs[i].name) != &node->attrs[i], ST_BAD,
                "node '%s' (%s): expected attribute '%s' once, got it twice", node->name, node->op,
                node->attrs[i].name);
    }
    return ST_OK;
}

static Status read_node(PbReader reader, int depth, Arena *arena, OnnxNode *node) {
    PbField field;
    *node = (OnnxNode){.name = "", .op = "", .domain = ""};
    TRY(size_node(reader, arena, node));
    while (pb_next(&reader, &field)) {
        switch (field.number) {
        case 1: read_name(&reader, &field, arena, &node->inputs[node->n_inputs++]); break;
        case 2: read_name(&reader, &field, arena, &node->outputs[node->n_outputs++]); break;
        case 3: read_name(&reader, &field, arena, &node->name); break;
        case 4: read_name(&reader, &field, arena, &node->op); break;
        case 5: {
            const PbReader attr = pb_message(&reader, &field);
            TRY(reader.status);
            TRY(read_attr(attr, depth, arena, &node->attrs[node->n_attrs++]));
            break;
        }
        case 7: read_name(&reader, &field, arena, &node->domain); break;
        default: break;
        }
    }
    TRY(reader.status);
    if (strcmp(node->domain, "ai.onnx") == 0) node->domain = "";
    return check_attrs(node);
}

// ---- inputs and tensors

// TensorShapeProto.Dimension: dim_value 1, dim_param 2.
static Status read_dim(PbReader reader, Arena *arena, int64_t *dim, const char **param) {
    PbField field;
    *dim = -1;
    *param = NULL;
    while (pb_next(&reader, &field)) {
        if (field.number == 1) *dim = MAX(pb_int64(&reader, &field), -1); // some exporters write -1 for "any"
        if (field.number == 2) read_name(&reader, &field, arena, param);
    }
    if (*param && !**param) *param = NULL;
    return reader.status;
}

static Status read_shape(PbReader reader, Arena *arena, OnnxInput *input) {
    PbField field;
    input->rank = 0;
    while (pb_next(&reader, &field)) {
        if (field.number != 1) continue;
        FAIL_IF(input->rank == MAX_RANK, ST_UNSUPPORTED, "input '%s': expected at most %d dims, got more", input->name,
                MAX_RANK);
        const PbReader dim = pb_message(&reader, &field);
        TRY(reader.status);
        TRY(read_dim(dim, arena, &input->dim[input->rank], &input->param[input->rank]));
        input->rank++;
    }
    return reader.status;
}

// TypeProto.Tensor: elem_type 1, shape 2.
static Status read_tensor_type(PbReader reader, Arena *arena, OnnxInput *input) {
    PbField field;
    input->is_tensor = true;
    while (pb_next(&reader, &field)) {
        if (field.number == 1) input->element = pb_int64(&reader, &field);
        if (field.number == 2) {
            const PbReader shape = pb_message(&reader, &field);
            TRY(reader.status);
            TRY(read_shape(shape, arena, input));
        }
    }
    return reader.status;
}

// ValueInfoProto: name 1, type 2; TypeProto: tensor_type 1.
static Status read_value_info(PbReader message, Arena *arena, bool with_type, OnnxInput *input) {
    PbReader type = pb_reader(NULL, 0);
    PbField field;
    *input = (OnnxInput){.name = "", .rank = -1};
    while (pb_next(&message, &field)) {
        if (field.number == 1) read_name(&message, &field, arena, &input->name);
        if (field.number == 2) type = pb_message(&message, &field);
    }
    TRY(message.status);
    while (with_type && pb_next(&type, &field)) {
        if (field.number != 1) continue;
        const PbReader tensor = pb_message(&type, &field);
        TRY(type.status);
        TRY(read_tensor_type(tensor, arena, input));
    }
    return type.status;
}

static Status read_initializer(PbReader message, Arena *arena, OnnxTensor *tensor) {
    PbReader reader = message;
    PbField field;
    *tensor = (OnnxTensor){.name = "", .message = message};
    while (pb_next(&reader, &field)) {
        if (field.number == 8) read_name(&reader, &field, arena, &tensor->name);
    }
    return reader.status;
}

// ---- the graph

// GraphProto: node 1, name 2, initializer 5, input 11, output 12, sparse_initializer 15.
static Status size_graph(PbReader reader, Arena *arena, OnnxGraph *graph) {
    PbField field;
    size_t nodes = 0, initializers = 0, inputs = 0, outputs = 0;
    void *memory;
    while (pb_next(&reader, &field)) {
        nodes += field.number == 1;
        initializers += field.number == 5;
        inputs += field.number == 11;
        outputs += field.number == 12;
        FAIL_IF(field.number == 15, ST_UNSUPPORTED,
                "the model has sparse initializers, which are not supported; export it with dense weights");
    }
    TRY(reader.status);
    TRY(check_count(nodes, LIMIT_NODES, "nodes"));
    TRY(check_count(initializers, LIMIT_NODES, "initializers"));
    TRY(check_count(inputs, LIMIT_NODES, "inputs"));
    TRY(check_count(outputs, LIMIT_NODE_VALUES, "outputs"));
    TRY(take(arena, nodes, sizeof(OnnxNode), &memory));
    graph->nodes = memory;
    TRY(take(arena, initializers, sizeof(OnnxTensor), &memory));
    graph->initializers = memory;
    TRY(take(arena, inputs, sizeof(OnnxInput), &memory));
    graph->inputs = memory;
    TRY(take(arena, outputs, sizeof(char *), &memory));
    graph->outputs = memory;
    return ST_OK;
}

static Status read_graph_field(PbReader message, uint32_t number, int depth, Arena *arena, OnnxGraph *graph) {
    OnnxInput output;
    switch (number) {
    case 1: return read_node(message, depth, arena, &graph->nodes[graph->n_nodes++]);
    case 5: return read_initializer(message, arena, &graph->initializers[graph->n_initializers++]);
    case 11: return read_value_info(message, arena, true, &graph->inputs[graph->n_inputs++]);
    default: // 12; what the file says of an output's shape is often out of date, so it is not even read
        TRY(read_value_info(message, arena, false, &output));
        graph->outputs[graph->n_outputs++] = output.name;
        return ST_OK;
    }
}

static Status read_graph(PbReader reader, int depth, Arena *arena, OnnxGraph *graph) {
    PbField field;
    TRY(size_graph(reader, arena, graph));
    while (pb_next(&reader, &field)) {
        if (field.number == 2) read_name(&reader, &field, arena, &graph->name);
        if (field.number != 1 && field.number != 5 && field.number != 11 && field.number != 12) continue;
        const PbReader message = pb_message(&reader, &field);
        TRY(reader.status);
        TRY(read_graph_field(message, field.number, depth, arena, graph));
    }
    return reader.status;
}

// ---- the model

// OperatorSetIdProto: domain 1, version 2.
static Status read_opset(PbReader reader, Arena *arena, OnnxModel *model) {
    PbField field;
    const char *domain = "";
    int64_t version = 0;
    while (pb_next(&reader, &field)) {
        if (field.number == 1) read_name(&reader, &field, arena, &domain);
        if (field.number == 2) version = pb_int64(&reader, &field);
    }
    TRY(reader.status);
    if (*domain && strcmp(domain, "ai.onnx") != 0) return ST_OK;
    FAIL_IF(model->opset != 0 && model->opset != version, ST_BAD, "expected one opset of ONNX, got %lld and %lld",
            (long long)model->opset, (long long)version);
    model->opset = version;
    return ST_OK;
}

// FunctionProto: name 1, domain 10.
static Status read_function(PbReader reader, Arena *arena, const char **out) {
    PbField field;
    const char *name = "", *domain = "";
    while (pb_next(&reader, &field)) {
        if (field.number == 1) read_name(&reader, &field, arena, &name);
        if (field.number == 10) read_name(&reader, &field, arena, &domain);
    }
    TRY(reader.status);
    const size_t size = strlen(domain) + strlen(name) + 2;
    char *full = arena_alloc(arena, size);
    if (!full) return fail_memory(size);
    snprintf(full, size, "%s.%s", domain, name);
    *out = full;
    return ST_OK;
}

// ModelProto: graph 7, opset_import 8, functions 25.
static Status read_model_field(PbReader message, uint32_t number, Arena *arena, OnnxModel *model) {
    switch (number) {
    case 7: return read_graph(message, 1, arena, &model->graph);
    case 8: return read_opset(message, arena, model);
    default: return read_function(message, arena, &model->functions[model->n_functions++]);
    }
}

static Status size_model(PbReader reader, Arena *arena, OnnxModel *model) {
    PbField field;
    size_t graphs = 0, opsets = 0, functions = 0;
    void *memory;
    while (pb_next(&reader, &field)) {
        graphs += field.number == 7;
        opsets += field.number == 8;
        functions += field.number == 25;
    }
    TRY(reader.status);
    FAIL_IF(graphs != 1, ST_BAD, "expected one graph in the model, got %zu; the file is damaged", graphs);
    TRY(check_count(opsets, LIMIT_OPSETS, "operator sets"));
    TRY(check_count(functions, LIMIT_NODES, "functions"));
    TRY(take(arena, functions, sizeof(char *), &memory));
    model->functions = memory;
    return ST_OK;
}

// A model all of whose operators are of other domains needs no opset of ONNX; they are refused by name.
static bool needs_opset(const OnnxModel *model) {
    for (int i = 0; i < model->graph.n_nodes; i++)
        if (!*model->graph.nodes[i].domain) return true;
    return model->graph.n_nodes == 0;
}

static Status check_opset(const OnnxModel *model) {
    const int64_t opset = model->opset;
    if (opset == 0 && !needs_opset(model)) return ST_OK;
    FAIL_IF(opset == 0, ST_BAD, "expected the number of an opset, got none; the file is damaged or from before 2017");
    FAIL_IF(opset < ONNX_OPSET_FIRST || opset > ONNX_OPSET_LAST, ST_UNSUPPORTED,
            "opset %lld is not supported, only %d to %d; export the model with another one (opset_version=17)",
            (long long)opset, ONNX_OPSET_FIRST, ONNX_OPSET_LAST);
    return ST_OK;
}

Status onnx_read_model(const void *bytes, size_t size, Arena *arena, OnnxModel *out) {
    PbReader reader = pb_reader(bytes, size);
    PbField field;
    *out = (OnnxModel){.graph.name = ""};
    TRY(size_model(reader, arena, out));
    while (pb_next(&reader, &field)) {
        if (field.number != 7 && field.number != 8 && field.number != 25) continue;
        const PbReader message = pb_message(&reader, &field);
        TRY(reader.status);
        TRY(read_model_field(message, field.number, arena, out));
    }
    TRY(reader.status);
    return check_opset(out);
}
