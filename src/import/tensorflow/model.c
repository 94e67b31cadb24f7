// Field numbers: tensorflow/core/framework/{graph,node_def,attr_value,function,op_def,tensor_shape}.proto and
// tensorflow/core/protobuf/{saved_model,meta_graph,saver}.proto, named beside each message.
#include "import/tensorflow/model.h"
#include "import/limits.h"
#include "import/recognise.h"
#include <stdlib.h>
#include <string.h>

static Status take(Arena *arena, size_t count, size_t size, void **out) {
    *out = arena_array(arena, count + 1, size);
    return *out ? ST_OK : fail_memory(count * size);
}

static Status check_count(size_t count, size_t limit, const char *what) {
    FAIL_IF(count > limit, ST_BAD, "expected at most %zu %s, got %zu", limit, what, count);
    return ST_OK;
}

// Reads a name into *out; the reader keeps the error.
static void read_name(PbReader *reader, const PbField *field, Arena *arena, const char **out) {
    const char *text = pb_string(reader, field, arena, LIMIT_NAME);
    if (text) *out = text;
}

static Status count_fields(PbReader reader, uint32_t number, size_t *count) {
    PbField field;
    *count = 0;
    while (pb_next(&reader, &field)) *count += field.number == number;
    return reader.status;
}

// A message for an array: count, take, then read each.
static Status take_fields(PbReader reader, uint32_t number, size_t limit, const char *what, Arena *arena, size_t size,
                          void **out) {
    size_t count;
    TRY(count_fields(reader, number, &count));
    TRY(check_count(count, limit, what));
    return take(arena, count, size, out);
}

// An entry of a map: key 1, value 2.
static Status read_entry(PbReader reader, Arena *arena, const char **key, PbReader *value) {
    PbField field;
    *key = "";
    *value = pb_reader(NULL, 0);
    while (pb_next(&reader, &field)) {
        if (field.number == 1) read_name(&reader, &field, arena, key);
        if (field.number == 2) *value = pb_message(&reader, &field);
    }
    return reader.status;
}

// TensorShapeProto: dim 2 (size 1), unknown_rank 3.
Status tf_read_shape(PbReader reader, Type *out) {
    PbField field;
    bool unknown = false;
    *out = (Type){.rank = 0};
    while (pb_next(&reader, &field)) {
        if (field.number == 3) unknown = pb_int64(&reader, &field) != 0;
        if (field.number != 2) continue;
        FAIL_IF(out->rank == MAX_RANK, ST_UNSUPPORTED, "a shape of more than %d dims", MAX_RANK);
        PbReader dim = pb_message(&reader, &field);
        PbField size;
        int64_t value = 0;
        while (pb_next(&dim, &size)) {
            if (size.number == 1) value = pb_int64(&dim, &size);
        }
        TRY(dim.status);
        out->dim[out->rank++] = value < 0 ? DIM_UNKNOWN : value;
    }
    if (unknown) out->rank = -1;
    return reader.status;
}

// ---- names

static int compare_names(const void *a, const void *b) {
    return strcmp(((const TfName *)a)->name, ((const TfName *)b)->name);
}

int tf_find_name(const TfNames *names, int count, const char *name) {
    const TfName key = {.name = name};
    const TfName *found = count ? bsearch(&key, names->list, (size_t)count, sizeof key, compare_names) : NULL;
    return found ? found->index : -1;
}

int tf_body_find(const TfBody *body, const char *name) { return tf_find_name(&body->names, body->n_nodes, name); }

// Brings names->list, which is filled, into order.
static Status sort_names(TfNames *names, int count, const char *what) {
    if (count) qsort(names->list, (size_t)count, sizeof *names->list, compare_names);
    for (int i = 1; i < count; i++)
        FAIL_IF(strcmp(names->list[i - 1].name, names->list[i].name) == 0, ST_BAD,
                "expected %s '%s' once, got it twice", what, names->list[i].name);
    return ST_OK;
}

static Status name_nodes(TfBody *body, Arena *arena) {
    void *memory;
    TRY(take(arena, (size_t)body->n_nodes, sizeof *body->names.list, &memory));
    body->names.list = memory;
    for (int i = 0; i < body->n_nodes; i++) body->names.list[i] = (TfName){body->nodes[i].name, i};
    return sort_names(&body->names, body->n_nodes, "node");
}

static bool read_index(const char *digits, int *out) {
    int64_t value;
    if (!*digits || !parse_i64(digits, &value) || value < 0 || value >= LIMIT_LIST) return false;
    *out = (int)value;
    return true;
}

Status tf_split_name(const char *text, Arena *arena, const char **node, int *output) {
    const char *colon = strrchr(text, ':');
    *output = 0;
    *node = arena_string_n(arena, text, colon ? (size_t)(colon - text) : strlen(text));
    if (!*node) return fail_memory(strlen(text));
    FAIL_IF(colon && !read_index(colon + 1, output), ST_BAD, "expected 'NODE:OUTPUT', got '%s'", text);
    return ST_OK;
}

// ---- nodes

// NodeDef: name 1, op 2, input 3, device 4, attr 5.
static Status size_node(PbReader reader, Arena *arena, TfNode *node) {
    PbField field;
    size_t inputs = 0, controls = 0, attrs = 0;
    void *memory;
    while (pb_next(&reader, &field)) {
        const bool control = field.number == 3 && field.wire == PB_BYTES && field.size > 0 && *field.data == '^';
        controls += control;
        inputs += field.number == 3 && !control;
        attrs += field.number == 5;
    }
    TRY(reader.status);
    TRY(check_count(inputs, LIMIT_LIST, "inputs of a node"));
    TRY(check_count(controls, LIMIT_VALUES, "inputs of a node"));
    TRY(check_count(attrs, LIMIT_NODE_ATTRIBUTES, "attributes of a node"));
    TRY(take(arena, inputs, sizeof(TfInput), &memory));
    node->inputs = memory;
    TRY(take(arena, controls, sizeof(int), &memory));
    node->controls = memory;
    TRY(take(arena, attrs, sizeof(TfAttr), &memory));
    node->attrs = memory;
    return ST_OK;
}

static Status read_attr(PbReader *reader, const PbField *field, Arena *arena, TfNode *node) {
    const PbReader entry = pb_message(reader, field);
    TfAttr attr;
    TRY(reader->status);
    TRY(read_entry(entry, arena, &attr.name, &attr.value));
    if (*attr.name != '_') node->attrs[node->n_attrs++] = attr;
    return ST_OK;
}

static Status read_node(PbReader reader, Arena *arena, TfNode *node) {
    PbField field;
    *node = (TfNode){.name = "", .op = ""};
    TRY(size_node(reader, arena, node));
    while (pb_next(&reader, &field)) {
        if (field.number == 1) read_name(&reader, &field, arena, &node->name);
        if (field.number == 2) read_name(&reader, &field, arena, &node->op);
        if (field.number == 5) TRY(read_attr(&reader, &field, arena, node));
        if (field.number == 3 && (field.size == 0 || *field.data != '^')) {
            TfInput *input = &node->inputs[node->n_inputs++];
            input->text = "";
            read_name(&reader, &field, arena, &input->text);
        }
    }
    TRY(reader.status);
    FAIL_IF(!*node->name || !*node->op, ST_BAD, "expected a name and an operation for each node, got node '%s' (%s)",
            node->name, node->op);
    return ST_OK;
}

static Status read_nodes(PbReader reader, uint32_t number, Arena *arena, TfBody *body) {
    PbField field;
    void *memory;
    TRY(take_fields(reader, number, LIMIT_NODES, "nodes", arena, sizeof(TfNode), &memory));
    body->nodes = memory;
    while (pb_next(&reader, &field)) {
        if (field.number != number) continue;
        const PbReader node = pb_message(&reader, &field);
        TRY(reader.status);
        TRY(read_node(node, arena, &body->nodes[body->n_nodes]));
        body->n_inputs += body->nodes[body->n_nodes++].n_inputs;
    }
    TRY(reader.status);
    return name_nodes(body, arena);
}

// ---- what inputs stand for

// In a graph: "node", "node:1". In a function: "argument", "argument:0", "node:out", "node:out:1".
static Status resolve_input(const TfBody *body, const TfArguments *arguments, Arena *arena, TfInput *input) {
    char name[LIMIT_NAME + 1];
    const size_t length = strcspn(input->text, ":");
    memcpy(name, input->text, length);
    name[length] = 0;
    input->node = -1;
    input->argument = tf_find_name(&arguments->names, arguments->count, name);
    if (input->argument < 0) input->node = tf_body_find(body, name);
    const char *rest = input->text + length;
    if (!*rest || input->argument >= 0 || read_index(rest + 1, &input->index)) return ST_OK;
    const char *colon = strchr(rest + 1, ':');
    const size_t size = colon ? (size_t)(colon - rest - 1) : strlen(rest + 1);
    FAIL_IF(colon && !read_index(colon + 1, &input->index), ST_BAD, "expected an input 'NODE:NAME:INDEX', got '%s'",
            input->text);
    input->arg = arena_string_n(arena, rest + 1, size);
    return input->arg ? ST_OK : fail_memory(size);
}

static Status read_controls(PbReader reader, const TfBody *body, TfNode *node) {
    PbField field;
    char name[LIMIT_NAME + 1];
    while (pb_next(&reader, &field)) {
        if (field.number != 3 || field.size < 1 || *field.data != '^' || field.size > LIMIT_NAME) continue;
        memcpy(name, field.data + 1, field.size - 1);
        name[field.size - 1] = 0;
        node->controls[node->n_controls++] = tf_body_find(body, name);
    }
    return reader.status;
}

// Once all nodes have their names.
static Status resolve_inputs(PbReader reader, uint32_t number, const TfArguments *arguments, Arena *arena,
                             TfBody *body) {
    PbField field;
    for (int i = 0; pb_next(&reader, &field);) {
        if (field.number != number) continue;
        TfNode *node = &body->nodes[i++];
        for (int k = 0; k < node->n_inputs; k++) TRY(resolve_input(body, arguments, arena, &node->inputs[k]));
        TRY(read_controls(pb_message(&reader, &field), body, node));
    }
    return reader.status;
}

// ---- functions

// OpDef: name 1, input_arg 2, output_arg 3; ArgDef: name 1.
static Status read_args(PbReader reader, uint32_t number, const char *what, Arena *arena, TfArguments *out) {
    PbField field, part;
    void *memory;
    TRY(take_fields(reader, number, LIMIT_LIST, what, arena, sizeof(TfName), &memory));
    *out = (TfArguments){.names = {memory}};
    while (pb_next(&reader, &field)) {
        if (field.number != number) continue;
        PbReader arg = pb_message(&reader, &field);
        TfName *name = &out->names.list[out->count];
        *name = (TfName){"", out->count++};
        while (pb_next(&arg, &part)) {
            if (part.number == 1) read_name(&arg, &part, arena, &name->name);
        }
        TRY(arg.status);
    }
    TRY(reader.status);
    return sort_names(&out->names, out->count, what);
}

// ret: which input each result is.
static Status read_return(PbReader reader, Arena *arena, TfFunction *function) {
    const char *name = "", *from = "";
    PbField field;
    while (pb_next(&reader, &field)) {
        if (field.number == 1) read_name(&reader, &field, arena, &name);
        if (field.number == 2) read_name(&reader, &field, arena, &from);
    }
    TRY(reader.status);
    const int result = tf_find_name(&function->results.names, function->results.count, name);
    if (result >= 0) function->returns[result].text = from;
    return ST_OK;
}

static Status read_returns(TfFunction *function, Arena *arena) {
    PbReader reader = function->message;
    PbField field;
    void *memory;
    TRY(take(arena, (size_t)function->results.count, sizeof(TfInput), &memory));
    function->returns = memory;
    while (pb_next(&reader, &field)) {
        if (field.number != 4) continue;
        const PbReader entry = pb_message(&reader, &field);
        TRY(reader.status);
        TRY(read_return(entry, arena, function));
    }
    TRY(reader.status);
    for (int i = 0; i < function->results.count; i++) {
        FAIL_IF(!function->returns[i].text, ST_BAD, "expected what result %d is, got nothing", i + 1);
        TRY(resolve_input(&function->body, &function->arguments, arena, &function->returns[i]));
    }
    return ST_OK;
}

// FunctionDef: signature 1, node_def 3, ret 4.
static Status read_function(TfFunction *function, Arena *arena) {
    PbReader reader = function->message, signature = pb_reader(NULL, 0);
    PbField field;
    while (pb_next(&reader, &field)) {
        if (field.number == 1) signature = pb_message(&reader, &field);
    }
    TRY(reader.status);
    TRY(read_args(signature, 2, "argument", arena, &function->arguments));
    TRY(read_args(signature, 3, "result", arena, &function->results));
    TRY(check_count((size_t)function->results.count, LIMIT_NODE_VALUES, "results"));
    TRY(read_nodes(function->message, 3, arena, &function->body));
    TRY(resolve_inputs(function->message, 3, &function->arguments, arena, &function->body));
    return read_returns(function, arena);
}

Status tf_read_function(TfFunction *function, Arena *arena) {
    if (function->is_read) return ST_OK;
    const Status status = read_function(function, arena);
    function->is_read = status == ST_OK;
    return status == ST_OK ? ST_OK : fail_context(status, "function '%s'", function->name);
}

static int compare_functions(const void *a, const void *b) {
    return strcmp(((const TfFunction *)a)->name, ((const TfFunction *)b)->name);
}

TfFunction *tf_find_function(const TfGraph *graph, const char *name) {
    const TfFunction key = {.name = name};
    if (!graph->n_functions) return NULL;
    return bsearch(&key, graph->functions, (size_t)graph->n_functions, sizeof key, compare_functions);
}

static Status read_function_name(PbReader message, Arena *arena, TfFunction *function) {
    PbReader reader = message;
    PbField field, part;
    *function = (TfFunction){.name = "", .message = message};
    while (pb_next(&reader, &field)) {
        if (field.number != 1) continue;
        PbReader signature = pb_message(&reader, &field);
        while (pb_next(&signature, &part)) {
            if (part.number == 1) read_name(&signature, &part, arena, &function->name);
        }
        TRY(signature.status);
    }
    return reader.status;
}

// FunctionDefLibrary: function 1.
static Status read_library(PbReader reader, Arena *arena, TfGraph *graph) {
    PbField field;
    void *memory;
    TRY(take_fields(reader, 1, LIMIT_NODES, "functions", arena, sizeof(TfFunction), &memory));
    graph->functions = memory;
    graph->n_functions = 0;
    while (pb_next(&reader, &field)) {
        if (field.number != 1) continue;
        const PbReader message = pb_message(&reader, &field);
        TRY(reader.status);
        TRY(read_function_name(message, arena, &graph->functions[graph->n_functions++]));
    }
    TRY(reader.status);
    if (graph->n_functions)
        qsort(graph->functions, (size_t)graph->n_functions, sizeof *graph->functions, compare_functions);
    for (int i = 1; i < graph->n_functions; i++)
        FAIL_IF(strcmp(graph->functions[i - 1].name, graph->functions[i].name) == 0, ST_BAD,
                "expected function '%s' once, got it twice", graph->functions[i].name);
    return ST_OK;
}

// GraphDef: node 1, library 2.
static Status read_graph(PbReader message, Arena *arena, TfGraph *graph) {
    PbReader reader = message;
    PbField field;
    TRY(read_nodes(message, 1, arena, &graph->body));
    TRY(resolve_inputs(message, 1, &(TfArguments){0}, arena, &graph->body));
    while (pb_next(&reader, &field)) {
        if (field.number != 2) continue;
        const PbReader library = pb_message(&reader, &field);
        TRY(reader.status);
        TRY(read_library(library, arena, graph));
    }
    return reader.status;
}

// ---- signatures

// TensorInfo: name 1, dtype 2, tensor_shape 3, coo_sparse 4, composite_tensor 5.
static Status read_tensor_info(PbReader reader, Arena *arena, TfPort *port) {
    PbField field;
    const char *name = "";
    port->shape = (Type){.rank = -1};
    while (pb_next(&reader, &field)) {
        if (field.number == 1) read_name(&reader, &field, arena, &name);
        if (field.number == 2) port->dtype = pb_int64(&reader, &field);
        if (field.number == 3) {
            const PbReader shape = pb_message(&reader, &field);
            TRY(reader.status);
            TRY(tf_read_shape(shape, &port->shape));
        }
    }
    TRY(reader.status);
    return tf_split_name(name, arena, &port->node, &port->output);
}

static int compare_ports(const void *a, const void *b) {
    return natural_compare(((const TfPort *)a)->name, ((const TfPort *)b)->name);
}

static Status read_ports(PbReader reader, uint32_t number, Arena *arena, TfPort **out, int *count) {
    PbField field;
    void *memory;
    TRY(take_fields(reader, number, LIMIT_NODE_VALUES, "inputs or outputs of a signature", arena, sizeof(TfPort),
                    &memory));
    *out = memory;
    *count = 0;
    while (pb_next(&reader, &field)) {
        if (field.number != number) continue;
        TfPort *port = &(*out)[(*count)++];
        PbReader info;
        const PbReader entry = pb_message(&reader, &field);
        TRY(reader.status);
        TRY(read_entry(entry, arena, &port->name, &info));
        const Status status = read_tensor_info(info, arena, port);
        if (status != ST_OK) return fail_context(status, "'%s'", port->name);
    }
    TRY(reader.status);
    if (*count) qsort(*out, (size_t)*count, sizeof **out, compare_ports);
    for (int i = 1; i < *count; i++)
        FAIL_IF(strcmp((*out)[i - 1].name, (*out)[i].name) == 0, ST_BAD, "expected '%s' once, got it twice",
                (*out)[i].name);
    return ST_OK;
}

// SignatureDef: inputs 1, outputs 2.
static Status read_signature(PbReader entry, Arena *arena, TfSignature *signature) {
    PbReader value;
    TRY(read_entry(entry, arena, &signature->name, &value));
    Status status = read_ports(value, 1, arena, &signature->inputs, &signature->n_inputs);
    if (status == ST_OK) status = read_ports(value, 2, arena, &signature->outputs, &signature->n_outputs);
    return status == ST_OK ? ST_OK : fail_context(status, "signature '%s'", signature->name);
}

static Status read_signatures(PbReader reader, Arena *arena, TfModel *model) {
    PbField field;
    void *memory;
    TRY(take_fields(reader, 5, LIMIT_NODE_VALUES, "signatures", arena, sizeof(TfSignature), &memory));
    model->signatures = memory;
    while (pb_next(&reader, &field)) {
        if (field.number != 5) continue;
        const PbReader entry = pb_message(&reader, &field);
        TRY(reader.status);
        TRY(read_signature(entry, arena, &model->signatures[model->n_signatures++]));
    }
    return reader.status;
}

// ---- models

// SaverDef: restore_op_name 3.
static Status read_saver(PbReader reader, Arena *arena, TfModel *model) {
    PbField field;
    const char *name = "";
    int output;
    while (pb_next(&reader, &field)) {
        if (field.number == 3) read_name(&reader, &field, arena, &name);
    }
    TRY(reader.status);
    return tf_split_name(name, arena, &model->restore, &output);
}

// MetaGraphDef: meta_info_def 1, graph_def 2, saver_def 3, signature_def 5.
static Status read_meta_graph(PbReader message, Arena *arena, TfModel *model) {
    PbReader reader = message, graph = pb_reader(NULL, 0), saver = pb_reader(NULL, 0);
    PbField field;
    while (pb_next(&reader, &field)) {
        if (field.number == 2) graph = pb_message(&reader, &field);
        if (field.number == 3) saver = pb_message(&reader, &field);
    }
    TRY(reader.status);
    TRY(read_graph(graph, arena, &model->graph));
    TRY(read_saver(saver, arena, model));
    return read_signatures(message, arena, model);
}

// MetaGraphDef.MetaInfoDef: tags 4. What is damaged is told when the graph is read.
static bool is_for_serving(PbReader message) {
    PbField field, part;
    bool found = false;
    while (pb_next(&message, &field)) {
        if (field.number != 1 || field.wire != PB_BYTES) continue;
        PbReader info = pb_message(&message, &field);
        while (pb_next(&info, &part))
            found |= part.number == 4 && part.wire == PB_BYTES && part.size == 5 && memcmp(part.data, "serve", 5) == 0;
    }
    return found;
}

// SavedModel: saved_model_schema_version 1, meta_graphs 2. Of several the one with the tag "serve", else the first.
Status tf_read_saved_model(PbReader message, Arena *arena, TfModel *out) {
    PbField field;
    PbReader chosen = pb_reader(NULL, 0);
    bool serves = false;
    int count = 0;
    *out = (TfModel){.restore = ""};
    while (pb_next(&message, &field)) {
        if (field.number != 2) continue;
        const PbReader meta = pb_message(&message, &field);
        TRY(message.status);
        if (serves) continue;
        serves = is_for_serving(meta);
        if (count++ == 0 || serves) chosen = meta;
    }
    TRY(message.status);
    FAIL_IF(count == 0, ST_BAD, "expected a graph in the SavedModel, got none");
    return read_meta_graph(chosen, arena, out);
}

Status tf_read_graph_file(PbReader message, Arena *arena, TfModel *out) {
    *out = (TfModel){.restore = ""};
    if (recognise_graph_def(message)) return read_graph(message, arena, &out->graph);
    return read_meta_graph(message, arena, out);
}
