// From the outputs backwards: a node is converted when all that it reads has been. Functions are put in where they are
// called, each time anew. There is no recursion here: what is left to do stands in a list, so that long chains take no
// stack.
#include "import/limits.h"
#include "import/tensorflow/convert.h"
#include <string.h>

enum { MOST_CALLS = 32 }; // functions inside each other
static const int64_t most_inputs = INT64_C(8) * LIMIT_VALUES;
static const size_t most_name_bytes = (size_t)128 << 20;

// A node's state; what became of it when it is done.
typedef struct Made {
    enum { NODE_NEW, NODE_OPEN, NODE_DONE } state;
    SlotKind all; // of all outputs, when there is no list of them
    Slot *slots;
    int count;
} Made;

// The model's own graph, or one call of a function.
typedef struct Frame {
    const TfBody *body;
    const TfFunction *function; // NULL: the model's own graph
    struct Frame *caller;
    int depth;
    Slot *arguments; // of the function
    Made *made;      // by node
} Frame;

typedef struct Task {
    Frame *frame;
    int node;
    int next;     // what it reads is done up to here
    Frame *inner; // of a call, once it has begun
} Task;

typedef struct Walk {
    Builder *builder;
    Task *tasks; // mem_free
    int n_tasks, capacity;
} Walk;

// ---- frames and slots

static Status make_frame(Builder *builder, const TfBody *body, Frame **out) {
    builder->frame_nodes += body->n_nodes + 1;
    FAIL_IF(builder->frame_nodes > LIMIT_VALUES, ST_BAD,
            "expected at most %d nodes with those of functions, each time that they are called, got more",
            LIMIT_VALUES);
    builder->frame_inputs += body->n_inputs;
    FAIL_IF(builder->frame_inputs > most_inputs, ST_BAD, "expected at most %lld inputs of nodes, got more",
            (long long)most_inputs);
    Frame *frame = arena_alloc(builder->scratch, sizeof *frame);
    Made *made = arena_array(builder->scratch, (size_t)body->n_nodes + 1, sizeof *made);
    if (!frame || !made) return fail_memory((size_t)body->n_nodes * sizeof *made);
    *frame = (Frame){.body = body, .made = made};
    *out = frame;
    return ST_OK;
}

// The output arguments of operations that have more than one of them, in order (tensorflow/core/ops/*.cc); those of
// all others are counted through.
static const struct {
    const char *op, *outputs;
} several[] = {
    {"FusedBatchNorm", "y batch_mean batch_variance reserve_space_1 reserve_space_2"},
    {"FusedBatchNormV2", "y batch_mean batch_variance reserve_space_1 reserve_space_2"},
    {"FusedBatchNormV3", "y batch_mean batch_variance reserve_space_1 reserve_space_2 reserve_space_3"},
    {"Switch", "output_false output_true"},
    {"RefSwitch", "output_false output_true"},
    {"Merge", "output value_index"},
    {"RefMerge", "output value_index"},
    {"TopKV2", "values indices"},
    {"TopK", "values indices"},
    {"MaxPoolWithArgmax", "output argmax"},
    {"Unique", "y idx"},
};

static int word_index(const char *words, const char *word) {
    const size_t length = strlen(word);
    for (int i = 0; *words; i++) {
        const size_t size = strcspn(words, " ");
        if (size == length && memcmp(words, word, size) == 0) return i;
        words += size;
        words += strspn(words, " ");
    }
    return -1;
}

int tf_builder_output(const Builder *builder, const TfNode *node, const TfInput *input) {
    if (!input->arg) return input->index;
    const TfFunction *function = tf_find_function(&builder->model.graph, node->op);
    if (function) {
        const TfArguments *results = &function->results; // none before it is read: then nothing has called it
        const int at = tf_find_name(&results->names, results->count, input->arg);
        return at < 0 ? -1 : at + input->index;
    }
    for (size_t i = 0; i < COUNT_OF(several); i++) {
        if (strcmp(several[i].op, node->op) != 0) continue;
        const int first = word_index(several[i].outputs, input->arg);
        return first < 0 ? -1 : first + input->index;
    }
    return input->index;
}

// What an input stands for, once it is done.
static Status read_slot(const Walk *walk, const Frame *frame, const TfInput *input, Slot *out) {
    if (input->argument >= 0) {
        *out = frame->arguments[input->argument];
        return ST_OK;
    }
    FAIL_IF(input->node < 0, ST_BAD, "expected an input '%s', which nothing makes", input->text);
    const Made *made = &frame->made[input->node];
    const int at = tf_builder_output(walk->builder, &frame->body->nodes[input->node], input);
    *out = (Slot){.kind = made->all};
    if (!made->slots) return ST_OK;
    FAIL_IF(at < 0 || at >= made->count, ST_BAD, "expected an input '%s', but the node has %d outputs", input->text,
            made->count);
    *out = made->slots[at];
    return ST_OK;
}

// ---- what is to be done

static Status push(Walk *walk, Frame *frame, int node) {
    if (walk->n_tasks == walk->capacity) {
        const int larger = MAX(2 * walk->capacity, 64);
        Task *tasks = mem_resize(walk->tasks, (size_t)larger * sizeof *tasks);
        if (!tasks) return fail_memory((size_t)larger * sizeof *tasks);
        walk->tasks = tasks;
        walk->capacity = larger;
    }
    frame->made[node].state = NODE_OPEN;
    walk->tasks[walk->n_tasks++] = (Task){.frame = frame, .node = node};
    return ST_OK;
}

// The end of a loop: what it reads comes from later in the loop.
static bool closes_loop(const TfNode *node) {
    return strcmp(node->op, "NextIteration") == 0 || strcmp(node->op, "RefNextIteration") == 0;
}

bool tf_builder_tells_branch(const TfBody *body, int node) {
    if (node < 0) return false;
    const TfNode *pivot = &body->nodes[node];
    if (strcmp(pivot->op, "Switch") == 0) return true;
    if (strcmp(pivot->op, "Identity") != 0 || pivot->n_inputs != 1 || pivot->inputs[0].node < 0) return false;
    return strcmp(body->nodes[pivot->inputs[0].node].op, "Switch") == 0;
}

// The node that entry `i` of what a node reads is made by; -1: nothing to wait for. Inputs, then nodes that only order,
// which matter where they tell the branch.
static int dependency(const TfBody *body, const TfNode *node, int i) {
    if (i < node->n_inputs) return node->inputs[i].node;
    const int control = node->controls[i - node->n_inputs];
    return tf_builder_tells_branch(body, control) ? control : -1;
}

// Sees to it that the node is done. *waits: it is not, but stands on top of the list now.
static Status need(Walk *walk, Frame *frame, int node, bool *waits) {
    *waits = false;
    if (node < 0 || frame->made[node].state == NODE_DONE) return ST_OK;
    FAIL_IF(frame->made[node].state == NODE_OPEN, ST_BAD, "node '%s': expected no cycles, got one through it",
            frame->body->nodes[node].name);
    *waits = true;
    return push(walk, frame, node);
}

static Status need_inputs(Walk *walk, bool *waits) {
    const int top = walk->n_tasks - 1;
    Frame *frame = walk->tasks[top].frame;
    const TfNode *node = &frame->body->nodes[walk->tasks[top].node];
    const int count = closes_loop(node) ? 0 : node->n_inputs + node->n_controls;
    *waits = false;
    while (!*waits && walk->tasks[top].next < count) {
        const int next = walk->tasks[top].next;
        TRY(need(walk, frame, dependency(frame->body, node, next), waits));
        walk->tasks[top].next++;
    }
    return ST_OK;
}

static void finish(Walk *walk, SlotKind all, Slot *slots, int count) {
    const Task *task = &walk->tasks[--walk->n_tasks];
    task->frame->made[task->node] = (Made){.state = NODE_DONE, .all = all, .slots = slots, .count = count};
}

// ---- nodes

static Status in_node(Status status, const TfNode *node) {
    return status == ST_OK ? ST_OK : fail_context(status, "%s '%s'", node->op, node->name);
}

static bool has_kind(const Slot *slots, int count, SlotKind kind) {
    for (int i = 0; i < count; i++)
        if (slots[i].kind == kind) return true;
    return false;
}

static bool in_dead_branch(const Frame *frame, const TfNode *node) {
    for (int i = 0; i < node->n_controls; i++) {
        const int pivot = node->controls[i];
        if (!tf_builder_tells_branch(frame->body, pivot)) continue;
        const Made *made = &frame->made[pivot];
        if (made->slots ? made->count == 1 && made->slots[0].kind == SLOT_DEAD : made->all == SLOT_DEAD) return true;
    }
    return false;
}

static Status read_inputs(const Walk *walk, const Frame *frame, const TfNode *node, Slot **out) {
    *out = arena_array(walk->builder->scratch, (size_t)node->n_inputs + 1, sizeof **out);
    if (!*out) return fail_memory((size_t)node->n_inputs * sizeof **out);
    for (int i = 0; i < node->n_inputs; i++) TRY(read_slot(walk, frame, &node->inputs[i], &(*out)[i]));
    return ST_OK;
}

static Status miss(Walk *walk, const char *op) {
    missing_add(&walk->builder->missing, op);
    finish(walk, SLOT_MISSING, NULL, 0);
    return ST_OK;
}

// Keeps the node for BatchToSpaceND.
static Status keep_batched(Walk *walk, const Converter *converter, const Call *call) {
    const Batched *before = call->inputs[0].batched;
    const bool first = before && before->n_nodes == 0,
               conv = strncmp(converter->name, "Conv", 4) == 0 || strncmp(converter->name, "Depth", 5) == 0;
    const bool fits = before && converter->in_batch && first == conv && before->n_nodes < BATCHED_NODES &&
                      !has_kind(call->inputs + 1, call->n_inputs - 1, SLOT_BATCHED);
    if (!fits) return miss(walk, "SpaceToBatchND");
    Batched *batched = arena_alloc(walk->builder->scratch, sizeof *batched);
    Slot *slot = arena_alloc(walk->builder->scratch, sizeof *slot);
    if (!batched || !slot) return fail_memory(sizeof *batched);
    *batched = *before;
    batched->nodes[batched->n_nodes].converter = converter;
    batched->nodes[batched->n_nodes++].call = *call;
    *slot = (Slot){.kind = SLOT_BATCHED, .batched = batched};
    finish(walk, SLOT_BATCHED, slot, 1);
    return ST_OK;
}

// Each value and node that a conversion makes is called as the model's node, which functions repeat.
static Status run_converter(Builder *builder, const Converter *converter, Call *call) {
    const int before = builder->graph->n_values + builder->graph->n_nodes;
    TRY(converter->convert(call));
    const int made = builder->graph->n_values + builder->graph->n_nodes - before;
    builder->name_bytes += (size_t)made * strlen(call->node->name);
    FAIL_IF(builder->name_bytes > most_name_bytes, ST_BAD, "expected at most %zu bytes of names, got more",
            most_name_bytes);
    return ST_OK;
}

static Status convert_node(Walk *walk, const Frame *frame, const TfNode *node) {
    const Converter *converter = tf_find_converter(node->op);
    Call call = {.builder = walk->builder,
                 .node = node,
                 .emit = {.graph = walk->builder->graph, .layer = node->name},
                 .op = converter ? converter->op : OP_NONE,
                 .n_inputs = node->n_inputs};
    if (closes_loop(node)) return miss(walk, node->op);
    TRY(read_inputs(walk, frame, node, &call.inputs));
    const bool merges = converter && converter->convert == tf_convert_merge;
    if (in_dead_branch(frame, node) || (!merges && has_kind(call.inputs, call.n_inputs, SLOT_DEAD))) {
        finish(walk, SLOT_DEAD, NULL, 0);
        return ST_OK;
    }
    if (!converter) return miss(walk, node->op);
    if (has_kind(call.inputs, call.n_inputs, SLOT_MISSING)) {
        finish(walk, SLOT_MISSING, NULL, 0);
        return ST_OK;
    }
    if (!converter->any_slot && has_kind(call.inputs, call.n_inputs, SLOT_BATCHED))
        return keep_batched(walk, converter, &call);
    TRY(run_converter(walk->builder, converter, &call));
    finish(walk, SLOT_ABSENT, call.outputs, call.n_outputs);
    return ST_OK;
}

// ---- calls of functions

typedef enum CallKind { CALL_NONE, CALL_NAMED, CALL_PLAIN, CALL_IF } CallKind;

static CallKind call_kind(const Builder *builder, const TfNode *node) {
    if (strcmp(node->op, "PartitionedCall") == 0 || strcmp(node->op, "StatefulPartitionedCall") == 0) return CALL_PLAIN;
    if (strcmp(node->op, "If") == 0 || strcmp(node->op, "StatelessIf") == 0) return CALL_IF;
    return tf_find_function(&builder->model.graph, node->op) ? CALL_NAMED : CALL_NONE;
}

Status tf_builder_condition(Builder *builder, const Slot *slot, bool *known, bool *holds) {
    const Tensor *tensor;
    const char *blame;
    *known = *holds = false;
    if (slot->kind != SLOT_VALUE) return ST_OK;
    TRY(known_value(&builder->known, builder->graph, slot->value, &tensor, &blame));
    FAIL_IF(!tensor && *blame, ST_UNSUPPORTED,
            "its condition depends on input '%s', which is not supported; make it a constant: --bind %s=x.npy", blame,
            blame);
    if (!tensor) return ST_OK;
    FAIL_IF(tensor_count(tensor) != 1, ST_BAD, "expected a condition of one element, got %lld",
            (long long)tensor_count(tensor));
    *known = true;
    *holds = tensor_get(tensor, 0) != 0;
    return ST_OK;
}

static Status called_name(Walk *walk, const TfNode *node, CallKind kind, const Slot *inputs, const char **out) {
    bool known, holds;
    *out = node->op;
    if (kind == CALL_NAMED) return ST_OK;
    if (kind == CALL_PLAIN) return tf_call_attr_function(node, "f", walk->builder->scratch, out);
    FAIL_IF(node->n_inputs < 1, ST_BAD, "expected a condition, got no inputs");
    TRY(tf_builder_condition(walk->builder, &inputs[0], &known, &holds));
    *out = NULL;
    if (!known) return ST_OK;
    return tf_call_attr_function(node, holds ? "then_branch" : "else_branch", walk->builder->scratch, out);
}

static Status find_called(Walk *walk, const Frame *frame, const char *name, int n_inputs, TfFunction **out) {
    *out = tf_find_function(&walk->builder->model.graph, name);
    FAIL_IF(!*out, ST_BAD, "expected a function '%s', which is not there", name);
    for (const Frame *at = frame; at; at = at->caller)
        FAIL_IF(at->function == *out, ST_BAD, "expected functions that end, got '%s', which calls itself", name);
    FAIL_IF(frame->depth >= MOST_CALLS, ST_BAD, "expected at most %d functions inside each other, got more",
            MOST_CALLS);
    TRY(tf_read_function(*out, walk->builder->scratch));
    FAIL_IF((*out)->arguments.count != n_inputs, ST_BAD, "expected %d inputs for function '%s', got %d",
            (*out)->arguments.count, name, n_inputs);
    return ST_OK;
}

static Status begin_call(Walk *walk, Frame *frame, const TfNode *node, CallKind kind) {
    Slot *inputs;
    const char *name;
    TfFunction *function;
    Frame *inner;
    const int top = walk->n_tasks - 1, skip = kind == CALL_IF;
    TRY(read_inputs(walk, frame, node, &inputs));
    if (in_dead_branch(frame, node) || has_kind(inputs, node->n_inputs, SLOT_DEAD)) {
        finish(walk, SLOT_DEAD, NULL, 0);
        return ST_OK;
    }
    if (kind == CALL_IF && node->n_inputs > 0 && inputs[0].kind == SLOT_MISSING) {
        finish(walk, SLOT_MISSING, NULL, 0);
        return ST_OK;
    }
    TRY(called_name(walk, node, kind, inputs, &name));
    if (!name) return miss(walk, node->op);
    TRY(find_called(walk, frame, name, node->n_inputs - skip, &function));
    TRY(make_frame(walk->builder, &function->body, &inner));
    inner->function = function;
    inner->caller = frame;
    inner->depth = frame->depth + 1;
    inner->arguments = inputs + skip;
    walk->tasks[top].inner = inner;
    walk->tasks[top].next = 0;
    return ST_OK;
}

// What the function gives, once all of it is done.
static Status end_call(Walk *walk, const Frame *inner) {
    const int count = inner->function->results.count;
    Slot *slots = arena_array(walk->builder->scratch, (size_t)count + 1, sizeof *slots);
    if (!slots) return fail_memory((size_t)count * sizeof *slots);
    for (int i = 0; i < count; i++) TRY(read_slot(walk, inner, &inner->function->returns[i], &slots[i]));
    finish(walk, SLOT_ABSENT, slots, count);
    return ST_OK;
}

static Status go_on_with_call(Walk *walk) {
    const int top = walk->n_tasks - 1;
    Frame *inner = walk->tasks[top].inner;
    bool waits = false;
    while (!waits && walk->tasks[top].next < inner->function->results.count) {
        TRY(need(walk, inner, inner->function->returns[walk->tasks[top].next].node, &waits));
        walk->tasks[top].next++;
    }
    return waits ? ST_OK : end_call(walk, inner);
}

// ---- the walk

static Status step(Walk *walk) {
    bool waits;
    const int top = walk->n_tasks - 1;
    Frame *frame = walk->tasks[top].frame;
    const TfNode *node = &frame->body->nodes[walk->tasks[top].node];
    if (walk->tasks[top].inner) return in_node(go_on_with_call(walk), node);
    TRY(need_inputs(walk, &waits));
    if (waits) return ST_OK;
    const CallKind kind = call_kind(walk->builder, node);
    if (kind == CALL_NONE) return in_node(convert_node(walk, frame, node), node);
    return in_node(begin_call(walk, frame, node, kind), node);
}

static Status walk_to(Walk *walk, Frame *frame, int node) {
    bool waits;
    TRY(need(walk, frame, node, &waits));
    while (walk->n_tasks > 0) TRY(step(walk));
    return ST_OK;
}

// ---- inputs and outputs

// The graph's input takes the place of the node's output.
static Status feed(Builder *builder, Frame *frame, const TfPort *port) {
    const int node = tf_body_find(frame->body, port->node);
    FAIL_IF(node < 0, ST_BAD, "input '%s': expected a node '%s', which is not there", port->name, port->node);
    FAIL_IF(port->output >= LIMIT_NODE_VALUES, ST_BAD, "input '%s': expected an output below %d, got %d", port->name,
            LIMIT_NODE_VALUES, port->output);
    Made *made = &frame->made[node];
    const int count = MAX(made->count, port->output + 1);
    Slot *slots = arena_array(builder->scratch, (size_t)count, sizeof *slots);
    if (!slots) return fail_memory((size_t)count * sizeof *slots);
    if (made->slots) memcpy(slots, made->slots, (size_t)made->count * sizeof *slots);
    slots[port->output] = (Slot){.kind = SLOT_VALUE, .value = port->value};
    *made = (Made){.state = NODE_DONE, .slots = slots, .count = count};
    return ST_OK;
}

static Status feed_inputs(Builder *builder, Frame *frame, const TfSignature *signature) {
    for (int i = 0; i < signature->n_inputs; i++) TRY(feed(builder, frame, &signature->inputs[i]));
    return ST_OK;
}

// The value takes the place of the Identity of it, with the output's name, where nothing else needs its own.
static void take_name(Graph *graph, ValueId output, ValueId value) {
    if (!graph->values[value].producer) return;
    for (int i = 0; i < graph->n_outputs; i++)
        if (graph->outputs[i] == value) return;
    graph_replace(graph, output, value);
}

static Status give_output(Walk *walk, Frame *frame, const TfPort *port, ValueId output) {
    Slot slot;
    Node *node;
    const TfInput input = {
        .text = port->node, .node = tf_body_find(frame->body, port->node), .argument = -1, .index = port->output};
    FAIL_IF(input.node < 0, ST_BAD, "expected a node '%s', which is not there", port->node);
    TRY(walk_to(walk, frame, input.node));
    TRY(read_slot(walk, frame, &input, &slot));
    if (slot.kind == SLOT_BATCHED) missing_add(&walk->builder->missing, "SpaceToBatchND");
    if (slot.kind == SLOT_MISSING || slot.kind == SLOT_BATCHED) return ST_OK; // told when all is walked over
    FAIL_IF(slot.kind != SLOT_VALUE, ST_BAD, "expected a tensor of numbers, got something else");
    TRY(graph_add_node(walk->builder->graph, OP_Identity, port->name, &slot.value, 1, &output, 1, -1, &node));
    TRY(graph_infer_node(walk->builder->graph, node));
    TRY(graph_add_output(walk->builder->graph, output));
    take_name(walk->builder->graph, output, slot.value);
    return ST_OK;
}

static Status give_outputs(Walk *walk, Frame *frame, const TfSignature *signature, const ValueId *outputs) {
    for (int i = 0; i < signature->n_outputs; i++) {
        const TfPort *port = &signature->outputs[i];
        const Status status = give_output(walk, frame, port, outputs[i]);
        if (status != ST_OK) return fail_context(status, "output '%s'", port->name);
    }
    return ST_OK;
}

// Outputs get their names before any node can take them.
static Status name_outputs(Builder *builder, const TfSignature *signature, ValueId **out) {
    FAIL_IF(signature->n_outputs == 0, ST_BAD, "expected outputs of the model, got none");
    *out = arena_array(builder->scratch, (size_t)signature->n_outputs, sizeof **out);
    if (!*out) return fail_memory((size_t)signature->n_outputs * sizeof **out);
    for (int i = 0; i < signature->n_outputs; i++)
        TRY(graph_add_value(builder->graph, signature->outputs[i].name, NULL, &(*out)[i]));
    return ST_OK;
}

// Weights that are only read in another order, shapes, axes: what nobody reads any more is no constant of the graph.
static Status drop_unread(Graph *graph) {
    int *uses = graph_use_counts(graph);
    if (!uses) return fail_memory((size_t)graph->n_values * sizeof *uses);
    for (int i = 0; i < graph->n_values; i++)
        if (uses[i] == 0) graph->values[i].constant = NULL;
    mem_free(uses);
    return ST_OK;
}

static Status run(Walk *walk, const TfSignature *signature) {
    Builder *builder = walk->builder;
    Frame *frame;
    ValueId *outputs;
    TRY(make_frame(builder, &builder->model.graph.body, &frame));
    TRY(feed_inputs(builder, frame, signature));
    TRY(name_outputs(builder, signature, &outputs));
    TRY(give_outputs(walk, frame, signature, outputs));
    TRY(missing_status(&builder->missing, "operations", "node",
                       "export the model without them, or convert it to ONNX with tf2onnx"));
    TRY(emit_end(builder->graph));
    return drop_unread(builder->graph);
}

Status tf_builder_run(Builder *builder) {
    Walk walk = {.builder = builder};
    TfSignature signature;
    TRY(tf_builder_signature(builder, &signature));
    const Status status = run(&walk, &signature);
    mem_free(walk.tasks);
    return status;
}

size_t tf_builder_left(const Builder *builder) {
    size_t most = (size_t)256 << 20;
    for (size_t i = 0; i < builder->imported->n_mappings; i++) most += 2 * builder->imported->mappings[i].size;
    return most - MIN(builder->copied, most);
}

Status tf_builder_take(Builder *builder, size_t bytes) {
    FAIL_IF(bytes > tf_builder_left(builder), ST_BAD,
            "expected weights of at most %zu bytes more in another order, or repeated, got %zu",
            tf_builder_left(builder), bytes);
    builder->copied += bytes;
    return ST_OK;
}
