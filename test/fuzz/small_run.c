#include "fuzz/small_run.h"
#include "session/session.h"

enum { MOST_BYTES = 1 << 22, MOST_NODES = 200 };

static bool is_small(const Graph *graph) {
    double flop = 0, bytes = 0;
    if (graph->n_nodes > MOST_NODES) return false;
    for (int i = 0; i < graph->n_values; i++) {
        const Value *value = &graph->values[i];
        if (!value->producer && !value->is_input && !value->constant) continue; // left over
        if (!type_is_static(&value->type)) return false;
        const Shape shape = type_shape(&value->type);
        const int64_t count = shape_count(&shape);
        if (count < 0 || count > MOST_BYTES) return false;
        bytes += (double)count * (double)dtype_size(value->type.dtype);
    }
    for (int i = 0; i < graph->n_nodes; i++) flop += node_flop(graph, graph->nodes[i]);
    return bytes <= MOST_BYTES && flop < 2e6;
}

static Status tensors_of(const Graph *graph, const ValueId *values, int count, Arena *arena, Tensor **out) {
    *out = arena_array(arena, (size_t)count + 1, sizeof **out);
    if (!*out) return fail_memory(sizeof **out);
    for (int i = 0; i < count; i++) {
        const Type *type = &graph->values[values[i]].type;
        TRY(tensor_make(arena, type->dtype, type_shape(type), &(*out)[i]));
    }
    return ST_OK;
}

static Status run(Executable *executable, const Graph *graph, const Tensor *given, Arena *arena) {
    Session *session = NULL;
    Tensor *inputs, *outputs;
    TRY(tensors_of(graph, graph->inputs, graph->n_inputs, arena, &inputs));
    TRY(tensors_of(graph, graph->outputs, graph->n_outputs, arena, &outputs));
    Status status = session_create(executable, &session);
    if (status == ST_OK) status = session_run(session, given ? given : inputs, outputs);
    session_destroy(session);
    return status;
}

Status small_run(Graph *graph, const Tensor *given) {
    Machine machine;
    Plan *plan = NULL;
    Pool *pool = NULL;
    Executable *executable = NULL;
    Arena arena = {0};
    if (!is_small(graph)) return ST_OK;
    TRY(machine_detect(&machine));
    TRY(plan_create(graph, &machine, &(PlanOptions){.threads = 1, .fuse = true}, &plan));
    if (plan->arena_bytes + plan->weights_bytes + plan->scratch_bytes > (size_t)1 << 26) {
        plan_free(plan);
        return ST_OK;
    }
    Status status = pool_create(1, &pool);
    if (status == ST_OK) status = executable_create(plan, pool, NULL, &executable);
    else plan_free(plan);
    if (status == ST_OK) status = run(executable, graph, given, &arena);
    executable_release(executable);
    pool_destroy(pool);
    arena_free(&arena);
    return status;
}
