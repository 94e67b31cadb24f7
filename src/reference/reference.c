#include "reference/reference.h"
#include "reference/evaluate.h"
#include <assert.h>

static Evaluate *const functions[OP_COUNT] = {
#define OP(name, min_in, max_in, min_out, max_out, kind, attributes, doc) [OP_##name] = evaluate_##name,
#include "graph/ops.def"
#undef OP
};

// Wide runs hold every float as float64, but the graph was made for the types that it says. So that ops with several
// float inputs still fit together, inference sees all of them as float32; its float outputs become float64 again.
static Type type_seen(const Tensor *tensor, bool wide) {
    Type type = type_make(tensor->dtype, &tensor->shape);
    if (wide && dtype_is_float(type.dtype)) type.dtype = DT_F32;
    return type;
}

static Status infer_outputs(const Node *node, const Tensor *const *inputs, bool wide, Arena *scratch, Type *outputs) {
    Type *const types = arena_array(scratch, (size_t)MAX(node->n_inputs, 1), sizeof(Type));
    if (!types) return fail_memory((size_t)node->n_inputs * sizeof(Type));
    for (int i = 0; i < node->n_inputs; i++) {
        if (inputs[i]) types[i] = type_seen(inputs[i], wide);
        else types[i] = (Type){.dtype = DT_NONE, .rank = -1};
    }
    TRY(infer_node(node, types, inputs, outputs));
    for (int i = 0; i < node->n_outputs; i++) {
        FAIL_IF(!type_is_static(&outputs[i]), ST_UNSUPPORTED, "%s \"%s\": the shape of output %d cannot be had",
                op_info(node->op)->name, node->name, i);
        if (wide && dtype_is_float(outputs[i].dtype)) outputs[i].dtype = DT_F64;
    }
    return ST_OK;
}

// Without an element nothing is to be computed, whatever the other dims claim.
static bool has_elements(const Tensor *outputs, int count) {
    for (int i = 0; i < count; i++)
        if (tensor_count(&outputs[i]) > 0) return true;
    return false;
}

// homes[i]: where the data of output i goes.
static Status evaluate_in(const Node *node, const Tensor *const *inputs, const ReferenceOptions *options,
                          Arena *scratch, Arena *const *homes, Tensor *outputs) {
    const size_t n_outputs = (size_t)MAX(node->n_outputs, 1);
    Type *const types = arena_array(scratch, n_outputs, sizeof(Type));
    if (!types) return fail_memory(n_outputs * sizeof(Type));
    TRY(infer_outputs(node, inputs, options->in_double, scratch, types));
    for (int i = 0; i < node->n_outputs; i++)
        TRY(tensor_make(homes[i], types[i].dtype, type_shape(&types[i]), &outputs[i]));
    if (!has_elements(outputs, node->n_outputs)) return ST_OK;
    const Evaluation e = {
        .node = node, .inputs = inputs, .outputs = outputs, .scratch = scratch, .threads = options->threads};
    const Status status = functions[node->op](&e);
    if (status != ST_OK) return fail_context(status, "%s \"%s\"", op_info(node->op)->name, node->name);
    return ST_OK;
}

static Status evaluate(const Node *node, const Tensor *const *inputs, const ReferenceOptions *options,
                       Arena *const *homes, Tensor *outputs) {
    Arena scratch = {0};
    const Status status = evaluate_in(node, inputs, options, &scratch, homes, outputs);
    arena_free(&scratch);
    return status;
}

Status reference_node(const Node *node, const Tensor *const *inputs, Arena *arena, Tensor *outputs) {
    Arena pointers = {0};
    Arena **const homes = arena_array(&pointers, (size_t)MAX(node->n_outputs, 1), sizeof(Arena *));
    if (!homes) return fail_memory((size_t)node->n_outputs * sizeof(Arena *));
    for (int i = 0; i < node->n_outputs; i++) homes[i] = arena;
    const Status status = evaluate(node, inputs, &(ReferenceOptions){0}, homes, outputs);
    arena_free(&pointers);
    return status;
}

// ---- Whole graphs ----

typedef struct Run {
    const Graph *graph;
    const ReferenceOptions *options;
    const Tensor *inputs;
    Tensor *values; // by ValueId; data NULL: not made yet
    int *uses;      // by ValueId: still to come
    Arena *homes;   // by ValueId: what this run allocated for the value
    Arena memory;   // the arrays above
} Run;

static Status copy_as(const Tensor *from, DType dtype, Arena *arena, Tensor *out) {
    TRY(tensor_make(arena, dtype, from->shape, out));
    const int64_t count = tensor_count(from);
    if (dtype == from->dtype) {
        copy_elements(out, 0, from, 0, count);
    } else {
        for (int64_t i = 0; i < count; i++) tensor_set(out, i, tensor_get(from, i));
    }
    return ST_OK;
}

static void count_uses(Run *run) {
    const Graph *const graph = run->graph;
    for (int n = 0; n < graph->n_nodes; n++) {
        const Node *const node = graph->nodes[n];
        for (int i = 0; i < node->n_inputs && !node->dead; i++)
            if (node->inputs[i] >= 0) run->uses[node->inputs[i]]++;
    }
    for (int i = 0; i < graph->n_outputs; i++) run->uses[graph->outputs[i]]++;
}

static Status run_begin(Run *run) {
    const size_t n = (size_t)MAX(run->graph->n_values, 1);
    run->values = arena_array(&run->memory, n, sizeof(Tensor));
    run->uses = arena_array(&run->memory, n, sizeof(int));
    run->homes = arena_array(&run->memory, n, sizeof(Arena));
    if (!run->values || !run->uses || !run->homes) return fail_memory(n * (sizeof(Tensor) + sizeof(Arena)));
    count_uses(run);
    return ST_OK;
}

static void run_end(Run *run) {
    for (int v = 0; run->homes && v < run->graph->n_values; v++) arena_free(&run->homes[v]);
    arena_free(&run->memory);
}

// "float32 1x3x?x?"
static const char *type_text(const Graph *graph, const Type *type, Text *text) {
    text_add(text, "%s ", dtype_name(type->dtype));
    if (type->rank == 0) text_add(text, "scalar");
    for (int i = 0; i < type->rank; i++) {
        const int64_t dim = type->dim[i];
        if (i > 0) text_add(text, "x");
        if (dim >= 0) text_add(text, "%lld", (long long)dim);
        else text_add(text, "%s", dim == DIM_UNKNOWN ? "?" : graph->symbols[DIM_SYMBOL_0 - dim]);
    }
    return text_get(text);
}

// Binds the symbols of `type` (bound: by number, -1 while free) and says whether the shape fits.
static bool shape_fits(const Type *type, const Shape *shape, int64_t *bound) {
    if (type->rank < 0) return true;
    if (type->rank != shape->rank) return false;
    for (int i = 0; i < shape->rank; i++) {
        if (type->dim[i] >= 0 && type->dim[i] != shape->dim[i]) return false;
        if (type->dim[i] > DIM_SYMBOL_0) continue;
        int64_t *const symbol = &bound[DIM_SYMBOL_0 - type->dim[i]];
        if (*symbol >= 0 && *symbol != shape->dim[i]) return false;
        *symbol = shape->dim[i];
    }
    return true;
}

static bool dtype_fits(DType expected, DType got, bool wide) {
    return expected == DT_NONE || expected == got || (wide && dtype_is_float(expected) && dtype_is_float(got));
}

static Status check_input(const Run *run, int i, int64_t *bound) {
    const Value *const value = &run->graph->values[run->graph->inputs[i]];
    const Tensor *const input = &run->inputs[i];
    if (dtype_fits(value->type.dtype, input->dtype, run->options->in_double) &&
        shape_fits(&value->type, &input->shape, bound))
        return ST_OK;
    Text expected = {0}, got = {0};
    const Type type = type_make(input->dtype, &input->shape);
    fail(ST_BAD, "input \"%s\": expected %s, got %s", value->name, type_text(run->graph, &value->type, &expected),
         type_text(run->graph, &type, &got));
    text_free(&expected);
    text_free(&got);
    return ST_BAD;
}

static Status check_inputs(Run *run) {
    const int n_symbols = run->graph->n_symbols;
    int64_t *const bound = arena_array(&run->memory, (size_t)MAX(n_symbols, 1), sizeof(int64_t));
    if (!bound) return fail_memory((size_t)n_symbols * sizeof(int64_t));
    for (int i = 0; i < n_symbols; i++) bound[i] = -1;
    for (int i = 0; i < run->graph->n_inputs; i++) {
        TRY(check_input(run, i, bound));
        run->values[run->graph->inputs[i]] = run->inputs[i];
    }
    return ST_OK;
}

// Makes a constant or an input ready for use: known, and as float64 in a wide run.
static Status prepare_value(Run *run, ValueId id) {
    Tensor *const value = &run->values[id];
    const Tensor *const constant = run->graph->values[id].constant;
    if (constant && value->dtype == DT_NONE) *value = *constant;
    assert(value->dtype != DT_NONE && "nodes stand in topological order");
    if (!run->options->in_double || !dtype_is_float(value->dtype) || value->dtype == DT_F64) return ST_OK;
    const Tensor narrow = *value;
    return copy_as(&narrow, DT_F64, &run->homes[id], value);
}

static void use_done(Run *run, ValueId id) {
    if (--run->uses[id] <= 0) arena_free(&run->homes[id]);
}

static Status run_node_in(Run *run, const Node *node, Arena *memory) {
    const ReferenceOptions *const options = run->options;
    const size_t n_in = (size_t)MAX(node->n_inputs, 1), n_out = (size_t)MAX(node->n_outputs, 1);
    const Tensor **const inputs = arena_array(memory, n_in, sizeof(Tensor *));
    Arena **const homes = arena_array(memory, n_out, sizeof(Arena *));
    Tensor *const outputs = arena_array(memory, n_out, sizeof(Tensor));
    if (!inputs || !homes || !outputs) return fail_memory(n_in * sizeof(Tensor *) + n_out * sizeof(Tensor));
    for (int i = 0; i < node->n_inputs; i++) {
        if (node->inputs[i] < 0) continue;
        TRY(prepare_value(run, node->inputs[i]));
        inputs[i] = &run->values[node->inputs[i]];
    }
    for (int i = 0; i < node->n_outputs; i++) homes[i] = node->outputs[i] >= 0 ? &run->homes[node->outputs[i]] : memory;
    TRY(evaluate(node, inputs, options, homes, outputs));
    if (options->observer) TRY(options->observer(options->context, run->graph, node, outputs));
    for (int i = 0; i < node->n_outputs; i++) {
        if (node->outputs[i] < 0) continue;
        run->values[node->outputs[i]] = outputs[i];
        if (run->uses[node->outputs[i]] == 0) arena_free(&run->homes[node->outputs[i]]);
    }
    for (int i = 0; i < node->n_inputs; i++)
        if (node->inputs[i] >= 0) use_done(run, node->inputs[i]);
    return ST_OK;
}

static Status run_node(Run *run, const Node *node) {
    Arena memory = {0};
    const Status status = run_node_in(run, node, &memory);
    arena_free(&memory);
    return status;
}

static Status run_all(Run *run, Tensor *outputs, Arena *arena) {
    const Graph *const graph = run->graph;
    TRY(run_begin(run));
    TRY(check_inputs(run));
    for (int n = 0; n < graph->n_nodes; n++)
        if (!graph->nodes[n]->dead) TRY(run_node(run, graph->nodes[n]));
    for (int i = 0; i < graph->n_outputs; i++) {
        TRY(prepare_value(run, graph->outputs[i]));
        const Tensor *const value = &run->values[graph->outputs[i]];
        TRY(copy_as(value, value->dtype, arena, &outputs[i]));
        use_done(run, graph->outputs[i]);
    }
    return ST_OK;
}

Status reference_run_with(const Graph *graph, const Tensor *inputs, Tensor *outputs, Arena *arena,
                          const ReferenceOptions *options) {
    Run run = {.graph = graph, .options = options, .inputs = inputs};
    const Status status = run_all(&run, outputs, arena);
    run_end(&run);
    return status;
}

Status reference_run(const Graph *graph, const Tensor *inputs, Tensor *outputs, Arena *arena,
                     ReferenceObserver *observer, void *context) {
    const ReferenceOptions options = {.observer = observer, .context = context};
    return reference_run_with(graph, inputs, outputs, arena, &options);
}

Status reference_run_double(const Graph *graph, const Tensor *inputs, Tensor *outputs, Arena *arena,
                            ReferenceObserver *observer, void *context) {
    const ReferenceOptions options = {.in_double = true, .observer = observer, .context = context};
    return reference_run_with(graph, inputs, outputs, arena, &options);
}
