// info: what a model file or a package holds, and what running it on this machine will need.
#include "app/app.h"
#include "app/imported.h"
#include "app/plan_store.h"
#include "import/import.h"
#include "pass/pass.h"
#include <string.h>

static double graph_flop(const Graph *graph) {
    double sum = 0;
    for (int i = 0; i < graph->n_nodes; i++) sum += node_flop(graph, graph->nodes[i]);
    return sum;
}
// Elements of float constants: weights, biases, statistics.
static int64_t count_parameters(const Graph *graph) {
    int64_t sum = 0;
    for (int i = 0; i < graph->n_values; i++) {
        const Tensor *constant = graph->values[i].constant;
        if (constant && dtype_is_float(constant->dtype)) sum += tensor_count(constant);
    }
    return sum;
}
static bool is_free(const Graph *graph) {
    for (int i = 0; i < graph->n_inputs; i++)
        if (!type_is_static(&graph->values[graph->inputs[i]].type)) return true;
    return false;
}

// "float32 1x3xHxW", and a JSON array of numbers and names.
static void tell_type(const Graph *graph, const Type *type, struct stent_result *result) {
    JsonWriter *w = &result->writer;
    Text *text = &result->text;
    json_key(w, "dtype"), json_string(w, dtype_name(type->dtype));
    json_key(w, "shape");
    text_add(text, "%s ", dtype_name(type->dtype));
    if (type->rank < 0) {
        json_null(w);
        text_add(text, "of unknown shape");
        return;
    }
    json_begin_array(w);
    if (type->rank == 0) text_add(text, "scalar");
    for (int i = 0; i < type->rank; i++) {
        const int64_t dim = type->dim[i];
        const char *symbol = dim == DIM_UNKNOWN ? "?" : dim < 0 ? graph->symbols[DIM_SYMBOL_0 - dim] : NULL;
        if (symbol) json_string(w, symbol), text_add(text, "%s%s", i ? "x" : "", symbol);
        else json_integer(w, dim), text_add(text, "%s%lld", i ? "x" : "", (long long)dim);
    }
    json_end_array(w);
}
static void tell_values(const Graph *graph, const char *what, const ValueId *values, int count,
                        struct stent_result *result) {
    JsonWriter *w = &result->writer;
    char key[16];
    snprintf(key, sizeof key, "%ss", what);
    json_key(w, key), json_begin_array(w);
    for (int i = 0; i < count; i++) {
        const Value *value = &graph->values[values[i]];
        json_begin_object(w);
        json_key(w, "name"), json_string(w, value->name);
        text_add(&result->text, "%-8s %s: ", what, value->name);
        tell_type(graph, &value->type, result);
        text_add(&result->text, "\n");
        json_end_object(w);
    }
    json_end_array(w);
}
static void tell_ops(const Graph *graph, struct stent_result *result) {
    int counts[OP_COUNT] = {0};
    JsonWriter *w = &result->writer;
    for (int i = 0; i < graph->n_nodes; i++) counts[graph->nodes[i]->op]++;
    json_key(w, "nodes"), json_integer(w, graph->n_nodes);
    json_key(w, "ops"), json_begin_object(w);
    text_add(&result->text, "%d operations:", graph->n_nodes);
    for (int op = 1; op < OP_COUNT; op++) {
        if (!counts[op]) continue;
        json_key(w, op_info((Op)op)->name), json_integer(w, counts[op]);
        text_add(&result->text, " %d %s", counts[op], op_info((Op)op)->name);
    }
    json_end_object(w);
    text_add(&result->text, "\n");
}
static void tell_graph(const Graph *graph, struct stent_result *result) {
    tell_values(graph, "input", graph->inputs, graph->n_inputs, result);
    tell_values(graph, "output", graph->outputs, graph->n_outputs, result);
    tell_ops(graph, result);
    const int64_t parameters = count_parameters(graph);
    json_key(&result->writer, "parameters"), json_integer(&result->writer, parameters);
    text_add(&result->text, "%.3f million parameters\n", (double)parameters / 1e6);
}

// With the shapes that are bound: FLOP, what no fast solver takes, and the memory of a run.
static Status tell_plan(const Graph *graph, const PlanOptions *options, const Machine *machine,
                        struct stent_result *result) {
    JsonWriter *w = &result->writer;
    Text *text = &result->text;
    const double flop = graph_flop(graph);
    Plan *plan;
    TRY(plan_create(graph, machine, options, &plan));
    json_key(w, "flop"), json_number(w, flop);
    text_add(text, "%.2f GFLOP a run\n", flop * 1e-9);
    json_key(w, "steps"), json_integer(w, plan->n_steps);
    json_key(w, "fallbacks"), json_begin_array(w);
    for (int i = 0; i < plan->n_steps; i++) {
        const PlanStep *step = &plan->steps[i];
        if (!step->why) continue;
        json_begin_object(w);
        json_key(w, "name"), json_string(w, step->name);
        json_key(w, "op"), json_string(w, step->op);
        json_key(w, "why"), json_string(w, step->why);
        json_end_object(w);
    }
    json_end_array(w);
    tell_fallbacks(plan, text);
    const double arena = (double)plan->arena_bytes, weights = (double)plan->weights_bytes,
                 scratch = (double)plan->scratch_bytes * options->threads;
    json_key(w, "arena_mb"), json_number(w, arena / 1e6);
    json_key(w, "weights_mb"), json_number(w, weights / 1e6);
    json_key(w, "scratch_mb"), json_number(w, scratch / 1e6);
    json_key(w, "memory_mb"), json_number(w, (arena + weights + scratch) / 1e6);
    text_add(text, "memory on %s with %d threads: %.1f MB (activations %.1f, prepared weights %.1f, scratch %.1f)\n",
             isa_name(plan->isa), options->threads, (arena + weights + scratch) / 1e6, arena / 1e6, weights / 1e6,
             scratch / 1e6);
    plan_free(plan);
    return ST_OK;
}
static void tell_free(struct stent_result *result) {
    json_key(&result->writer, "flop"), json_null(&result->writer);
    text_add(&result->text, "FLOP and memory: depend on the free dims; fix them with --input NAME=1x3x256x256\n");
}

// What runs here, and what the next level lacks.
static void tell_isa(const Machine *machine, struct stent_result *result) {
    result_levels(result, machine);
    text_add(&result->text, "this machine runs it on %s%s\n", isa_name(machine->isa),
             machine->best + 1 < ISA_COUNT ? "; the next level:" : "");
    if (machine->best + 1 < ISA_COUNT) tell_level(machine, machine->best + 1, &result->text);
}

static Status info_model(const char *path, const stent_options *options, Arena *arena, Imported *model,
                         struct stent_result *result) {
    JsonWriter *w = &result->writer;
    Machine machine;
    int threads;
    TRY(machine_detect(&machine));
    TRY(choose_threads(options, &machine, &threads));
    TRY(import_with(path, options, NULL, 0, arena, model));
    TRY(pass_resolve_shapes(model->graph));
    json_key(w, "kind"), json_string(w, "model");
    json_key(w, "model"), json_string(w, path_name(path));
    json_key(w, "format"), json_string(w, model->format);
    put_opset(w, model);
    result_machine(result, &machine, threads);
    text_add(&result->text, "%s: ", path_name(path));
    tell_format(model, &result->text);
    text_add(&result->text, "\n");
    tell_notes(model, result);
    tell_graph(model->graph, result);
    tell_isa(&machine, result);
    if (is_free(model->graph)) return tell_free(result), ST_OK;
    TRY(passes_run(model->graph, 2, NULL, NULL));
    return tell_plan(model->graph, &(PlanOptions){.threads = threads, .fuse = true}, &machine, result);
}

void put_made(JsonWriter *w, const Json *description, const Package *package) {
    json_begin_object(w);
    for (size_t i = 0; description->type == JSON_OBJECT && i < description->count; i++)
        json_key(w, description->keys[i]), json_value(w, &description->items[i]);
    json_key(w, "opt_level"), json_integer(w, package->opt_level);
    json_key(w, "precision"), json_string(w, package->precision);
    json_end_object(w);
}
static void put_plan(void *context, const char *key) { json_string(&((struct stent_result *)context)->writer, key); }
static void print_plan(void *context, const char *key) {
    text_add(&((struct stent_result *)context)->text, "carries a tuned plan for: %s\n", key ? key : "(damaged)");
}
static Status tell_package(Opened *opened, struct stent_result *result) {
    JsonWriter *w = &result->writer;
    const Package *package = opened->package;
    Json *pipeline, *description;
    TRY(json_parse(&opened->arena, package->pipeline, strlen(package->pipeline), &pipeline));
    TRY(json_parse(&opened->arena, package->description, strlen(package->description), &description));
    const char *check = !package->check.n_outputs ? "none" : package->check.from_reference ? "reference" : "strict";
    json_key(w, "kind"), json_string(w, "package");
    json_key(w, "bytes"), json_integer(w, (int64_t)package->mapping.size);
    json_key(w, "made"), put_made(w, description, package);
    json_key(w, "pipeline"), json_value(w, pipeline);
    json_key(w, "self_check"), json_string(w, check);
    json_key(w, "plans"), json_begin_array(w);
    TRY(plan_store_carried(opened, &(CarriedList){put_plan, result}));
    json_end_array(w);
    Text made = {0};
    put_made(&(JsonWriter){.text = &made}, description, package);
    text_add(&result->text, "package of %s, %.1f MB\ncontent hash %s\nmade: %s\n", opened->model,
             (double)package->mapping.size / 1e6, package->content_hash, text_get(&made));
    text_free(&made);
    tell_graph(package->graph, result);
    text_add(&result->text, "pipeline: %s\nself-check: %s\n", package->pipeline, check);
    return plan_store_carried(opened, &(CarriedList){print_plan, result});
}
// Free dims that nothing fixes are no fault here.
static Status info_package(const char *path, const stent_options *options, struct stent_result *result) {
    Opened opened;
    TRY(open_package(path, options, OPEN_GRAPH | OPEN_FREE, &opened));
    result_opened(result, &opened);
    Status status = tell_package(&opened, result);
    tell_isa(&opened.machine, result);
    const PlanOptions plan = {.threads = opened.threads,
                              .precision = opened.mode,
                              .fuse = opened.opt_level >= 3,
                              .memory = memory_allowed(options, &opened.machine)};
    if (status == ST_OK) {
        if (is_free(opened.package->graph)) tell_free(result);
        else status = tell_plan(opened.package->graph, &plan, &opened.machine, result);
    }
    status = package_intact(opened.package, status);
    close_package(&opened);
    return status;
}

stent_status stent_info(const char *path, const stent_options *given, stent_result **out) {
    stent_options options = *common_options(NULL);
    struct stent_result *result = NULL;
    Imported model = {0};
    Arena arena = {0};
    error_clear();
    if (out) *out = NULL;
    Status status = options_take(given, sizeof options, &options);
    if (status == ST_OK) status = result_begin("info", path, &options, &result);
    if (status == ST_OK) {
        bool is_package = false;
        status = package_is(path, &is_package);
        if (status == ST_OK && is_package) status = info_package(path, &options, result);
        else if (status == ST_OK) status = info_model(path, &options, &arena, &model, result);
        status = import_intact(&model, status);
        status = result_finish(result, status, out);
    }
    import_free(&model);
    arena_free(&arena);
    return (stent_status)status;
}
