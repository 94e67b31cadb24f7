// What goes in and out of a model: its signature, or what the nodes of a graph tell.
#include "import/bind.h"
#include "import/limits.h"
#include "import/tensorflow/convert.h"
#include "import/tensorflow/tensor.h"
#include <string.h>

// ---- signatures

static bool is_internal(const TfSignature *signature) { return text_starts(signature->name, "__saved_model"); }

static const TfSignature *find_signature(const TfModel *model, const char *name) {
    for (int i = 0; i < model->n_signatures; i++)
        if (strcmp(model->signatures[i].name, name) == 0) return &model->signatures[i];
    return NULL;
}

// The usual one: serving_default, the only one, predict.
static const TfSignature *usual_signature(const TfModel *model) {
    const TfSignature *found = find_signature(model, "serving_default"), *only = NULL;
    int count = 0;
    for (int i = 0; i < model->n_signatures; i++) {
        if (is_internal(&model->signatures[i])) continue;
        only = &model->signatures[i];
        count++;
    }
    if (found) return found;
    return count == 1 ? only : find_signature(model, "predict");
}

static Status choose_signature(const TfModel *model, const char *name, TfSignature *out) {
    const TfSignature *found = name ? find_signature(model, name) : usual_signature(model);
    Text list = {0};
    if (found) {
        *out = *found;
        return ST_OK;
    }
    for (int i = 0; i < model->n_signatures; i++) {
        if (is_internal(&model->signatures[i])) continue;
        text_add(&list, "%s'%s'", list.length ? ", " : "", model->signatures[i].name);
    }
    Status status;
    if (!list.length)
        status = fail(ST_UNSUPPORTED, "a SavedModel without signatures; save it with one (tf.saved_model.save)");
    else if (name) status = fail(ST_USAGE, "expected a signature (%s), got '%s'", text_get(&list), name);
    else status = fail(ST_USAGE, "expected the name of a signature, as the model has several: %s", text_get(&list));
    text_free(&list);
    return status;
}

// ---- graphs

// Who reads whom, within the model's own graph: the readers of node i are readers[first[i] .. first[i + 1]).
typedef struct Uses {
    const TfBody *body;
    int *first, *readers;
} Uses;

static Status make_uses(const TfBody *body, Arena *scratch, Uses *out) {
    size_t total = 0;
    for (int i = 0; i < body->n_nodes; i++) total += (size_t)body->nodes[i].n_inputs;
    FAIL_IF(total > INT32_MAX, ST_BAD, "expected fewer inputs of nodes, got %zu", total);
    int *first = arena_array(scratch, (size_t)body->n_nodes + 2, sizeof *first);
    int *readers = arena_array(scratch, total + 1, sizeof *readers);
    if (!first || !readers) return fail_memory(total * sizeof *readers);
    for (int i = 0; i < body->n_nodes; i++)
        for (int k = 0; k < body->nodes[i].n_inputs; k++)
            if (body->nodes[i].inputs[k].node >= 0) first[body->nodes[i].inputs[k].node + 2]++;
    for (int i = 0; i < body->n_nodes; i++) first[i + 2] += first[i + 1];
    for (int i = 0; i < body->n_nodes; i++)
        for (int k = 0; k < body->nodes[i].n_inputs; k++)
            if (body->nodes[i].inputs[k].node >= 0) readers[first[body->nodes[i].inputs[k].node + 1]++] = i;
    *out = (Uses){body, first, readers};
    return ST_OK;
}

static bool is_placeholder(const TfNode *node) {
    return strcmp(node->op, "Placeholder") == 0 || strcmp(node->op, "PlaceholderV2") == 0;
}

static Status placeholder_dtype(const TfNode *node, int64_t *out) {
    const Call call = {.node = node};
    return tf_call_attr_int(&call, "dtype", 0, out);
}

// The nodes that follow from numbers that are put in.
static Status mark_fed(const Uses *uses, Arena *scratch, bool **out) {
    const int n = uses->body->n_nodes;
    int *open = arena_array(scratch, (size_t)n + 1, sizeof *open), n_open = 0;
    *out = arena_array(scratch, (size_t)n + 1, sizeof **out);
    if (!open || !*out) return fail_memory((size_t)n * sizeof *open);
    for (int i = 0; i < n; i++) {
        int64_t dtype;
        if (!is_placeholder(&uses->body->nodes[i])) continue;
        TRY(placeholder_dtype(&uses->body->nodes[i], &dtype));
        if (dtype == TF_STRING) continue;
        (*out)[i] = true;
        open[n_open++] = i;
    }
    while (n_open > 0) {
        const int node = open[--n_open];
        for (int k = uses->first[node]; k < uses->first[node + 1]; k++) {
            if ((*out)[uses->readers[k]]) continue;
            (*out)[uses->readers[k]] = true;
            open[n_open++] = uses->readers[k];
        }
    }
    return ST_OK;
}

static bool ends_training(const TfNode *node) {
    static const char *const ops[] = {
        "Assign",       "AssignAdd",     "AssignVariableOp", "AssignSub",        "SaveV2",
        "MergeSummary", "ScalarSummary", "HistogramSummary", "ImageSummary",     "TensorSummaryV2",
        "Print",        "Assert",        "ApplyAdam",        "ResourceApplyAdam"};
    for (size_t i = 0; i < COUNT_OF(ops); i++)
        if (strcmp(ops[i], node->op) == 0) return true;
    return false;
}

static Status add_port(TfPort **ports, int *count, const char *name, const char *node, int output) {
    FAIL_IF(*count == LIMIT_NODE_VALUES, ST_BAD, "expected at most %d inputs or outputs, got more", LIMIT_NODE_VALUES);
    for (int i = 0; i < *count; i++)
        FAIL_IF(strcmp((*ports)[i].name, name) == 0, ST_USAGE, "expected output '%s' once, got it twice", name);
    (*ports)[(*count)++] = (TfPort){.name = name, .node = node, .output = output, .shape = {.rank = -1}};
    return ST_OK;
}

// What nobody reads and follows from what is put in.
static Status find_ends(Builder *builder, const Uses *uses, TfSignature *out) {
    bool *fed;
    TRY(mark_fed(uses, builder->scratch, &fed));
    for (int i = 0; i < uses->body->n_nodes; i++) {
        const TfNode *node = &uses->body->nodes[i];
        const bool is_read = uses->first[i] != uses->first[i + 1], pivot = tf_builder_tells_branch(uses->body, i);
        if (!fed[i] || is_read || pivot || is_placeholder(node) || ends_training(node)) continue;
        TRY(add_port(&out->outputs, &out->n_outputs, node->name, node->name, 0));
    }
    FAIL_IF(out->n_outputs == 0, ST_BAD,
            "expected a node that depends on a Placeholder and that no other reads (the output), got none");
    return ST_OK;
}

static Status fail_output(Builder *builder, const Uses *uses, const char *name) {
    TfSignature ends = {.outputs = arena_array(builder->scratch, LIMIT_NODE_VALUES, sizeof(TfPort))};
    Text list = {0};
    if (!ends.outputs) return fail_memory(LIMIT_NODE_VALUES * sizeof(TfPort));
    if (find_ends(builder, uses, &ends) != ST_OK) error_clear();
    for (int i = 0; i < MIN(ends.n_outputs, MISSING_NAMES); i++)
        text_add(&list, "%s'%s'", i ? ", " : "", ends.outputs[i].name);
    const Status status =
        fail(ST_USAGE, "expected a node of the graph as output (it ends in %s), got '%s'", text_get(&list), name);
    text_free(&list);
    return status;
}

// "logits,mask:1"
static Status named_ends(Builder *builder, const Uses *uses, const char *names, TfSignature *out) {
    while (*names) {
        const size_t length = strcspn(names, ",");
        const char *name = arena_string_n(builder->scratch, names, length), *node;
        int output;
        if (!name) return fail_memory(length);
        const Status status = tf_split_name(name, builder->scratch, &node, &output);
        if (status != ST_OK) return status == ST_BAD ? fail_context(ST_USAGE, "the signature") : status;
        if (tf_body_find(uses->body, node) < 0) return fail_output(builder, uses, name);
        TRY(add_port(&out->outputs, &out->n_outputs, output ? name : node, node, output));
        names += length;
        names += *names == ',';
    }
    return out->n_outputs ? ST_OK : fail_output(builder, uses, "");
}

// The Placeholders that the outputs depend on, in the order of the file.
static Status find_inputs(Builder *builder, const TfBody *body, TfSignature *out) {
    int *open = arena_array(builder->scratch, (size_t)body->n_nodes + 1, sizeof *open), n_open = 0;
    bool *seen = arena_array(builder->scratch, (size_t)body->n_nodes + 1, sizeof *seen);
    if (!open || !seen) return fail_memory((size_t)body->n_nodes * sizeof *open);
    for (int i = 0; i < out->n_outputs; i++) {
        const int node = tf_body_find(body, out->outputs[i].node);
        if (!seen[node]) open[n_open++] = node;
        seen[node] = true;
    }
    while (n_open > 0) {
        const TfNode *node = &body->nodes[open[--n_open]];
        for (int k = 0; k < node->n_inputs; k++) {
            const int from = node->inputs[k].node;
            if (from < 0 || seen[from]) continue;
            seen[from] = true;
            open[n_open++] = from;
        }
    }
    for (int i = 0; i < body->n_nodes; i++) {
        if (!seen[i] || !is_placeholder(&body->nodes[i])) continue;
        TRY(add_port(&out->inputs, &out->n_inputs, body->nodes[i].name, body->nodes[i].name, 0));
    }
    return ST_OK;
}

static Status graph_signature(Builder *builder, TfSignature *out) {
    const TfBody *body = &builder->model.graph.body;
    Uses uses;
    *out = (TfSignature){.name = ""};
    out->inputs = arena_array(builder->scratch, LIMIT_NODE_VALUES, sizeof(TfPort));
    out->outputs = arena_array(builder->scratch, LIMIT_NODE_VALUES, sizeof(TfPort));
    if (!out->inputs || !out->outputs) return fail_memory(2 * LIMIT_NODE_VALUES * sizeof(TfPort));
    TRY(make_uses(body, builder->scratch, &uses));
    if (builder->options->signature) TRY(named_ends(builder, &uses, builder->options->signature, out));
    else TRY(find_ends(builder, &uses, out));
    return find_inputs(builder, body, out);
}

// ---- inputs of the graph

// What the signature leaves open, the Placeholder may tell.
static Status ask_placeholder(const TfBody *body, TfPort *port) {
    const int at = tf_body_find(body, port->node);
    FAIL_IF(at < 0, ST_BAD, "expected a node '%s', which is not there", port->node);
    const Call call = {.node = &body->nodes[at]};
    const TfAttr *shape = tf_attr(&body->nodes[at], "shape");
    PbField field;
    if (port->dtype == 0) TRY(tf_call_attr_int(&call, "dtype", 0, &port->dtype));
    if (port->shape.rank >= 0 || !shape) return ST_OK;
    PbReader reader = shape->value;
    while (pb_next(&reader, &field)) {
        if (field.number != 7) continue;
        const PbReader message = pb_message(&reader, &field);
        TRY(reader.status);
        TRY(tf_read_shape(message, &port->shape));
    }
    return reader.status;
}

static Status add_input(Builder *builder, TfPort *port) {
    FAIL_IF(!*port->name, ST_BAD, "expected a name for each input, got an empty one");
    TRY(ask_placeholder(&builder->model.graph.body, port));
    Type type = port->shape;
    TRY(tf_dtype(port->dtype, &type.dtype));
    for (int i = 0; i < type.rank; i++)
        if (type.dim[i] < 0) TRY(import_free_dim(builder->graph, port->name, i, &type.dim[i]));
    return graph_add_input(builder->graph, port->name, &type, &port->value);
}

static Status add_inputs(Builder *builder, TfSignature *signature) {
    for (int i = 0; i < signature->n_inputs; i++) {
        const Status status = add_input(builder, &signature->inputs[i]);
        if (status != ST_OK) return fail_context(status, "input '%s'", signature->inputs[i].name);
    }
    return ST_OK;
}

Status tf_builder_signature(Builder *builder, TfSignature *out) {
    if (builder->is_saved_model || builder->model.n_signatures > 0)
        TRY(choose_signature(&builder->model, builder->options->signature, out));
    else TRY(graph_signature(builder, out));
    TRY(add_inputs(builder, out));
    return import_bind(builder->graph, builder->options);
}
