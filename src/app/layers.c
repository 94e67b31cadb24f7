#include "app/layers.h"
#include "reference/reference.h"
#include "report/table.h"
#include <math.h>
#include <string.h>

typedef struct Layers {
    const stent_options *options;
    Graph *graph;    // a copy; the steps' values are outputs
    const char **op; // (outputs) of the step
    Tensor *fast;    // (outputs)
    int *slot;       // (values) index of the output, or -1
    double budget, done, total;
    JsonWriter *writer;
    Table table;
    const char *first; // name of the first value beyond the budget
    int compared, beyond;
} Layers;

// The values of the steps become outputs, in the order of the steps, unless they are already.
static Status expose(Layers *layers, const Plan *plan, Arena *arena) {
    Graph *graph = layers->graph;
    const size_t most = (size_t)(plan->n_steps + graph->n_outputs) + 1;
    layers->slot = arena_array(arena, (size_t)graph->n_values + 1, sizeof *layers->slot);
    layers->op = arena_array(arena, most, sizeof *layers->op);
    if (!layers->slot || !layers->op) return fail_memory(most * sizeof *layers->op);
    for (int i = 0; i < graph->n_values; i++) layers->slot[i] = -1;
    for (int i = 0; i < graph->n_outputs; i++) layers->slot[graph->outputs[i]] = i, layers->op[i] = "output";
    for (int i = 0; i < plan->n_steps; i++) {
        const ValueId value = graph_find(graph, plan->steps[i].name);
        if (value < 0 || !graph->values[value].producer) continue; // an input or a constant in another layout
        const bool is_convert = !strcmp(plan->steps[i].op, "convert");
        if (layers->slot[value] < 0) {
            layers->slot[value] = graph->n_outputs;
            TRY(graph_add_output(graph, value));
            layers->op[layers->slot[value]] = plan->steps[i].op;
        } else if (!is_convert) {
            layers->op[layers->slot[value]] = plan->steps[i].op;
        }
    }
    return ST_OK;
}
static Status run_fast(Layers *layers, const Opened *opened, const Tensor *inputs, Arena *arena) {
    const PlanOptions options = {.threads = opened->threads, .precision = opened->mode, .fuse = opened->opt_level >= 3};
    Plan *plan = NULL;
    Pool *pool = NULL;
    Executable *executable = NULL;
    Session *session = NULL;
    TRY(make_tensors(layers->graph, layers->graph->outputs, layers->graph->n_outputs, arena, &layers->fast));
    TRY(plan_create(layers->graph, &opened->machine, &options, &plan));
    Status status = pool_create(opened->threads, &pool);
    if (status == ST_OK) status = executable_create(plan, pool, NULL, &executable);
    else plan_free(plan);
    if (status == ST_OK) status = session_create(executable, &session);
    if (status == ST_OK) status = session_run(session, inputs, layers->fast);
    session_destroy(session);
    executable_release(executable);
    pool_destroy(pool);
    return status;
}

static Status compare(Layers *layers, int slot, const Tensor *expected) {
    const Value *value = &layers->graph->values[layers->graph->outputs[slot]];
    Comparison c;
    TRY(tensor_compare(&layers->fast[slot], expected, 0, 0, &c));
    const double rms = dtype_is_float(expected->dtype) ? c.rms_rel : c.worst >= 0 ? INFINITY : 0;
    const bool ok = rms <= layers->budget;
    JsonWriter *w = layers->writer;
    json_begin_object(w);
    json_key(w, "name"), json_string(w, value->name);
    json_key(w, "op"), json_string(w, layers->op[slot]);
    json_key(w, "max_abs"), json_number(w, c.max_abs);
    json_key(w, "rms_rel"), json_number(w, rms);
    json_key(w, "ok"), json_bool(w, ok);
    json_end_object(w);
    table_cell(&layers->table, "%s", value->name);
    table_cell(&layers->table, "%s", layers->op[slot]);
    table_cell(&layers->table, "%.2e", rms);
    table_cell(&layers->table, "%.2e", c.max_abs);
    table_cell(&layers->table, "%s", ok ? "" : layers->first ? "beyond" : "FIRST beyond the budget");
    if (!ok && !layers->first) layers->first = value->name;
    layers->compared++;
    layers->beyond += !ok;
    return ST_OK;
}
static Status see_node(void *context, const Graph *graph, const Node *node, const Tensor *outputs) {
    Layers *layers = context;
    layers->done += node_flop(graph, node);
    for (int i = 0; i < node->n_outputs; i++)
        if (node->outputs[i] >= 0 && layers->slot[node->outputs[i]] >= 0)
            TRY(compare(layers, layers->slot[node->outputs[i]], &outputs[i]));
    return report_progress(layers->options, "layers", layers->done, layers->total);
}

static Status walk(Layers *layers, const Opened *opened, const Tensor *inputs, Arena *arena) {
    TRY(expose(layers, executable_plan(opened->executable), arena));
    TRY(run_fast(layers, opened, inputs, arena));
    for (int i = 0; i < layers->graph->n_nodes; i++) layers->total += node_flop(layers->graph, layers->graph->nodes[i]);
    // The reference gives its results as outputs too: kept until the end, as large as the network's activations.
    Tensor *expected = arena_array(arena, (size_t)layers->graph->n_outputs + 1, sizeof *expected);
    if (!expected) return fail_memory(sizeof *expected);
    return reference_run(opened->package->graph, inputs, expected, arena, see_node, layers);
}
Status verify_layers(const Opened *opened, const stent_options *options, const Tensor *inputs, double budget,
                     struct stent_result *result, bool *ok) {
    Arena arena = {0};
    Layers layers = {.options = options, .budget = budget, .writer = &result->writer};
    table_begin(&layers.table, "value <", "op <", "rms / std >", "largest >", " <", NULL);
    json_key(&result->writer, "layers"), json_begin_array(&result->writer);
    Status status = graph_copy(opened->package->graph, &layers.graph);
    if (status == ST_OK) status = walk(&layers, opened, inputs, &arena);
    json_end_array(&result->writer);
    Text table = {0};
    const Status printed = table_end(&layers.table, &table);
    if (status == ST_OK) status = printed;
    if (status == ST_OK) {
        json_key(&result->writer, "first"), json_string(&result->writer, layers.first);
        text_add(&result->text, "%s%d of %d values beyond the budget (rms / std %.0e)\n", text_get(&table),
                 layers.beyond, layers.compared, budget);
        *ok = *ok && !layers.beyond;
    }
    text_free(&table);
    graph_free(layers.graph);
    arena_free(&arena);
    return status;
}
