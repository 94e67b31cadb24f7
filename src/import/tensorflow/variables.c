// Which numbers of a checkpoint a variable has. The graph tells it itself: the nodes that restore a checkpoint read the
// tensors of given names and assign them to variables (RestoreV2 -> Identity -> AssignVariableOp); in TF 2 they stand
// in a function that gets the variables as arguments. Where there are none, the variable's name is looked for, among
// the checkpoint's keys and among the names that its objects note.
#include "import/limits.h"
#include "import/tensorflow/convert.h"
#include "import/tensorflow/tensor.h"
#include <stdlib.h>
#include <string.h>

static bool is_op(const TfNode *node, const char *op) { return strcmp(node->op, op) == 0; }

static bool is_variable(const TfNode *node) {
    return is_op(node, "VarHandleOp") || is_op(node, "VariableV2") || is_op(node, "Variable");
}

// ---- the graph's own saver

typedef struct Texts {
    const char **list;
    int count;
    bool is_read;
} Texts;

// A body that is searched; call: the node of the model's own graph that calls it, NULL: it is that graph.
typedef struct Search {
    Builder *builder;
    const TfBody *body;
    const TfNode *call;
    Texts *texts; // of node i of the body, when it is a Const of strings
} Search;

// Text k of a Const of strings, NULL when there is none. Each is read once.
static Status const_text(const Search *search, const TfInput *input, int k, const char **out) {
    *out = NULL;
    if (input->node < 0 || !is_op(&search->body->nodes[input->node], "Const")) return ST_OK;
    Texts *texts = &search->texts[input->node];
    const TfAttr *value = tf_attr(&search->body->nodes[input->node], "value");
    if (!texts->is_read && value) {
        PbReader reader = value->value;
        PbField field;
        while (pb_next(&reader, &field)) {
            if (field.number != 8) continue;
            const PbReader tensor = pb_message(&reader, &field);
            TRY(reader.status);
            TRY(tf_texts(tensor, search->builder->scratch, &texts->list, &texts->count));
        }
        TRY(reader.status);
    }
    texts->is_read = true;
    if (k < texts->count) *out = texts->list[k];
    return ST_OK;
}

// The node of the model's own graph that holds the variable which is assigned to; -1: none.
static int assigned_variable(const Search *search, const TfInput *target) {
    const TfBody *own = &search->builder->model.graph.body;
    int node = target->node;
    if (search->call)
        node = target->argument >= 0 && target->argument < search->call->n_inputs
                   ? search->call->inputs[target->argument].node
                   : -1;
    return node >= 0 && is_variable(&own->nodes[node]) ? node : -1;
}

// Back over Identity to the RestoreV2; NULL: it comes from elsewhere (an initialiser).
static const TfNode *restored(const Search *search, const TfInput *source, int *output) {
    enum { STEPS = 16 };
    for (int i = 0; i < STEPS && source->node >= 0; i++) {
        const TfNode *node = &search->body->nodes[source->node];
        *output = source->index;
        if (is_op(node, "RestoreV2")) return node->n_inputs >= 3 ? node : NULL;
        if (!is_op(node, "Identity") || node->n_inputs != 1) return NULL;
        source = &node->inputs[0];
    }
    return NULL;
}

static Status note_assign(const Search *search, const TfNode *assign) {
    int output;
    const char *key, *slice;
    if (assign->n_inputs < 2) return ST_OK;
    const int at = assigned_variable(search, &assign->inputs[0]);
    const TfNode *restore = restored(search, &assign->inputs[1], &output);
    if (at < 0 || !restore) return ST_OK;
    TRY(const_text(search, &restore->inputs[1], output, &key));
    TRY(const_text(search, &restore->inputs[2], output, &slice));
    if (!key) return ST_OK;
    Variable *variable = &search->builder->variables.of_node[at];
    variable->key = key;
    variable->sliced = slice && *slice;
    return ST_OK;
}

static Status search_body(Builder *builder, const TfBody *body, const TfNode *call) {
    Search search = {builder, body, call,
                     arena_array(builder->scratch, (size_t)body->n_nodes + 1, sizeof *search.texts)};
    if (!search.texts) return fail_memory((size_t)body->n_nodes * sizeof *search.texts);
    for (int i = 0; i < body->n_nodes; i++) {
        const TfNode *node = &body->nodes[i];
        if (is_op(node, "AssignVariableOp") || is_op(node, "Assign")) TRY(note_assign(&search, node));
    }
    return ST_OK;
}

static Status search_saver(Builder *builder) {
    const TfBody *body = &builder->model.graph.body;
    const int restore = tf_body_find(body, builder->model.restore);
    const char *name;
    builder->variables.of_node = arena_array(builder->scratch, (size_t)body->n_nodes + 1, sizeof(Variable));
    if (!builder->variables.of_node) return fail_memory((size_t)body->n_nodes * sizeof(Variable));
    TRY(search_body(builder, body, NULL));
    if (restore < 0 || !tf_attr(&body->nodes[restore], "f")) return ST_OK;
    TRY(tf_call_attr_function(&body->nodes[restore], "f", builder->scratch, &name));
    TfFunction *function = tf_find_function(&builder->model.graph, name);
    if (!function) return ST_OK;
    TRY(tf_read_function(function, builder->scratch));
    return search_body(builder, &function->body, &body->nodes[restore]);
}

// ---- names of the checkpoint's objects

static int compare_names(const void *a, const void *b) {
    return strcmp(((const TfName *)a)->name, ((const TfName *)b)->name);
}

// SerializedTensor: full_name 2, checkpoint_key 3.
static Status read_object(PbReader reader, Builder *builder, int i) {
    Variables *variables = &builder->variables;
    const char *name = "", *key = "";
    PbField field;
    while (pb_next(&reader, &field)) {
        if (field.number != 2 && field.number != 3) continue;
        const char *text = pb_string(&reader, &field, builder->scratch, LIMIT_NAME);
        if (text) *(field.number == 2 ? &name : &key) = text;
    }
    variables->objects[i] = (TfName){name, i};
    variables->keys[i] = key;
    return reader.status;
}

// TrackableObjectGraph: nodes 1; TrackableObject: attributes 2. count: so far.
static Status read_objects(PbReader graph, Builder *builder, bool only_count, int *count) {
    PbField field, part;
    *count = 0;
    while (pb_next(&graph, &field)) {
        if (field.number != 1) continue;
        PbReader object = pb_message(&graph, &field);
        while (pb_next(&object, &part)) {
            if (part.number != 2) continue;
            const PbReader tensor = pb_message(&object, &part);
            TRY(object.status);
            if (!only_count) TRY(read_object(tensor, builder, *count));
            FAIL_IF(++*count > LIMIT_VALUES, ST_BAD, "expected at most %d objects, got more", LIMIT_VALUES);
        }
        TRY(object.status);
    }
    return graph.status;
}

static Status name_objects(Builder *builder) {
    static const char key[] = "_CHECKPOINTABLE_OBJECT_GRAPH";
    Variables *variables = &builder->variables;
    const uint8_t *bytes;
    size_t size;
    int count;
    if (!tf_bundle_has(&variables->bundle, key)) return ST_OK;
    TRY(tf_bundle_text(&variables->bundle, key, &bytes, &size));
    TRY(read_objects(pb_reader(bytes, size), builder, true, &count));
    variables->objects = arena_array(builder->scratch, (size_t)count + 1, sizeof *variables->objects);
    variables->keys = arena_array(builder->scratch, (size_t)count + 1, sizeof *variables->keys);
    if (!variables->objects || !variables->keys) return fail_memory((size_t)count * sizeof *variables->objects);
    TRY(read_objects(pb_reader(bytes, size), builder, false, &variables->n_objects));
    if (count) qsort(variables->objects, (size_t)count, sizeof *variables->objects, compare_names);
    return ST_OK;
}

// The key of the only object of that name.
static const char *object_key(const Variables *variables, const char *name) {
    const TfName wanted = {.name = name};
    if (!variables->n_objects) return NULL;
    const TfName *list = variables->objects,
                 *found = bsearch(&wanted, list, (size_t)variables->n_objects, sizeof wanted, compare_names);
    if (!found) return NULL;
    const bool again = (found > list && strcmp(found[-1].name, name) == 0) ||
                       (found + 1 < list + variables->n_objects && strcmp(found[1].name, name) == 0);
    return again ? NULL : variables->keys[found->index];
}

// ---- where the checkpoint is

static Status join(Builder *builder, const char *name, const char **out) {
    *out = path_join(builder->scratch, builder->folder, name);
    return *out ? ST_OK : fail_memory(strlen(builder->folder) + strlen(name));
}

static Status has_index(Builder *builder, const char *name, bool *out) {
    const char *path;
    PathKind kind;
    Text file = {0};
    text_add(&file, "%s.index", name);
    Status status = text_status(&file);
    if (status == ST_OK) status = join(builder, text_get(&file), &path);
    if (status == ST_OK) status = path_known(path, &kind);
    text_free(&file);
    *out = status == ST_OK && kind == PATH_FILE;
    return status;
}

// The file `checkpoint` (CheckpointState as text): model_checkpoint_path: "model.ckpt-1000". Only the last part counts:
// the checkpoint lies beside it.
static Status read_state(Builder *builder, const char **out) {
    enum { LARGEST = 1 << 20 };
    static const char word[] = "model_checkpoint_path:";
    const char *path;
    PathKind kind;
    uint8_t *data;
    size_t size;
    *out = NULL;
    TRY(join(builder, "checkpoint", &path));
    TRY(path_known(path, &kind));
    if (kind != PATH_FILE) return ST_OK;
    TRY(file_read(path, LARGEST, &data, &size));
    const char *text = (const char *)data, *at = strlen(text) == size && utf8_valid(text, size) ? text : "";
    if (!text_starts(at, word)) at = (at = strstr(at, "\nmodel_checkpoint_path:")) ? at + 1 : "";
    Status status = ST_OK;
    if (*at) {
        at += sizeof word - 1;
        at += strspn(at, " \t");
        const size_t length = *at == '"' ? strcspn(at + 1, "\"\n\\") : 0;
        const char *whole = arena_string_n(builder->scratch, at + 1, length);
        if (!whole) status = fail_memory(length);
        else if (*path_name(whole)) *out = path_name(whole);
    }
    mem_free(data);
    return status;
}

// The only *.index of the folder.
static Status only_index(Builder *builder, const char **out) {
    char **names;
    size_t count;
    int found = 0;
    TRY(folder_list(builder->folder, builder->scratch, &names, &count));
    for (size_t i = 0; i < count; i++) {
        if (!text_ends(names[i], ".index")) continue;
        *out = arena_string_n(builder->scratch, names[i], strlen(names[i]) - strlen(".index"));
        if (!*out) return fail_memory(strlen(names[i]));
        found++;
    }
    if (found != 1) *out = NULL;
    return ST_OK;
}

// Beside a graph: what has its name, what the file `checkpoint` names, or the only one.
static Status find_prefix(Builder *builder, const char **out) {
    const char *file = path_name(builder->path), *dot = strrchr(file, '.');
    bool there;
    *out = arena_string_n(builder->scratch, file, dot ? (size_t)(dot - file) : strlen(file));
    if (!*out) return fail_memory(strlen(file));
    TRY(has_index(builder, *out, &there));
    if (there) return ST_OK;
    TRY(read_state(builder, out));
    if (!*out) TRY(only_index(builder, out));
    FAIL_IF(!*out, ST_BAD,
            "expected a checkpoint beside the graph for its variables (NAME.index, NAME.data-...), got none; "
            "put it there, or freeze the graph");
    return ST_OK;
}

static Status open_checkpoint(Builder *builder) {
    Variables *variables = &builder->variables;
    const char *name = "variables/variables", *path;
    if (!builder->is_saved_model) TRY(find_prefix(builder, &name));
    TRY(join(builder, name, &path));
    TRY(tf_bundle_open(&variables->bundle, builder->imported, builder->scratch, path, name));
    TRY(name_objects(builder));
    variables->is_open = true;
    return ST_OK;
}

// ---- a variable

static Status find_key(Builder *builder, const TfNode *node, const Variable *variable, const char **out) {
    const Call call = {.builder = builder, .node = node};
    const char *shared;
    TRY(tf_call_attr_text(&call, "shared_name", "", &shared));
    const char *const names[] = {shared, node->name};
    FAIL_IF(variable->sliced, ST_UNSUPPORTED,
            "it is saved in slices (a partitioned variable), which is not supported; save it whole");
    *out = variable->key;
    for (size_t i = 0; i < COUNT_OF(names) && !*out; i++)
        if (*names[i]) *out = object_key(&builder->variables, names[i]);
    for (size_t i = 0; i < COUNT_OF(names) && !*out; i++)
        if (*names[i] && tf_bundle_has(&builder->variables.bundle, names[i])) *out = names[i];
    FAIL_IF(!*out, ST_BAD, "expected it in the checkpoint %s, where nothing of its name is",
            builder->variables.bundle.name);
    return ST_OK;
}

static Status load(Builder *builder, const TfNode *node, Variable *variable) {
    const char *key;
    Tensor tensor;
    size_t copied;
    Emit emit = {.graph = builder->graph, .layer = node->name};
    TRY(find_key(builder, node, variable, &key));
    TRY(tf_bundle_tensor(&builder->variables.bundle, key, &builder->graph->arena, &tensor, &copied));
    TRY(tf_builder_take(builder, copied));
    TRY(emit_tensor(&emit, "", &tensor, &variable->value));
    variable->loaded = true;
    return ST_OK;
}

Status tf_builder_variable(Builder *builder, const TfNode *node, ValueId *out) {
    const TfBody *body = &builder->model.graph.body;
    FAIL_IF(node < body->nodes || node >= body->nodes + body->n_nodes, ST_UNSUPPORTED,
            "variable '%s' is made inside of a function, which is not supported", node->name);
    if (!builder->variables.of_node) TRY(search_saver(builder));
    Variable *variable = &builder->variables.of_node[node - body->nodes];
    if (!variable->loaded) {
        if (!builder->variables.is_open) TRY(open_checkpoint(builder));
        const Status status = load(builder, node, variable);
        if (status != ST_OK) return fail_context(status, "variable '%s'", node->name);
    }
    *out = variable->value;
    return ST_OK;
}
