#include "plan/planned.h"
#include "base/rng.h"
#include "guard.h"
#include "kernel/emulated.h"
#include "reference/reference.h"
#include "thread/pool.h"

Graph *planned_graph(const char *text) {
    Graph *graph = NULL;
    if (graph_parse(text, strlen(text), &graph) != ST_OK) {
        test_failed(__FILE__, __LINE__, "%s\n%s", error_message(), text);
        test_end();
    }
    return graph;
}
static Tensor *tensors(const Graph *graph, const ValueId *values, int count, Arena *arena) {
    Tensor *list = arena_array(arena, (size_t)count + 1, sizeof *list);
    REQUIRE(list);
    for (int i = 0; i < count; i++) {
        const Type *type = &graph->values[values[i]].type;
        CHECK_OK(tensor_make(arena, type->dtype, type_shape(type), &list[i]));
    }
    return list;
}
Tensor *planned_inputs(const Graph *graph, uint64_t seed, Arena *arena) {
    Tensor *list = tensors(graph, graph->inputs, graph->n_inputs, arena);
    Rng rng;
    rng_seed(&rng, seed);
    for (int i = 0; i < graph->n_inputs; i++)
        for (int64_t k = 0; k < tensor_count(&list[i]); k++) {
            if (dtype_is_float(list[i].dtype)) tensor_set(&list[i], k, rng_normal(&rng));
            else tensor_set_int(&list[i], k, (int64_t)rng_below(&rng, list[i].dtype == DT_BOOL ? 2 : 4));
        }
    return list;
}
static void poison(const Graph *graph, Tensor *outputs) {
    for (int i = 0; i < graph->n_outputs; i++) memset(outputs[i].data, 0xff, tensor_bytes(&outputs[i]));
}
Tensor *planned_outputs(const Graph *graph, Arena *arena) {
    Tensor *list = tensors(graph, graph->outputs, graph->n_outputs, arena);
    poison(graph, list);
    return list;
}
Isa planned_best_isa(void) {
    Machine machine;
    CHECK_OK(machine_detect(&machine));
    return machine.isa;
}

Isa planned_next(int isa, bool amx) {
    for (; isa < ISA_COUNT; isa++)
        if ((amx || isa != ISA_AMX) && kernels_or_emulated((Isa)isa)) return (Isa)isa;
    return ISA_COUNT;
}

typedef struct Unit {
    int phase;
    int64_t unit;
} Unit;
// Phases first .. end - 1 may run at the same time: their units in a random order, each with scratch full of NaN.
static void run_group(const Phase *phases, int first, int end, char *const *bases, Rng *rng) {
    int64_t count = 0;
    for (int p = first; p < end; p++) count += phases[p].units;
    Unit *units = mem_alloc((size_t)(count + 1) * sizeof *units);
    REQUIRE(units);
    int64_t n = 0;
    for (int p = first; p < end; p++)
        for (int64_t u = 0; u < phases[p].units; u++) units[n++] = (Unit){p, u};
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t k = (int64_t)rng_below(rng, (uint64_t)(i + 1));
        const Unit swap = units[i];
        units[i] = units[k], units[k] = swap;
    }
    char **scratch = mem_zero((size_t)(end - first), sizeof *scratch);
    REQUIRE(scratch);
    for (int p = first; p < end; p++) scratch[p - first] = guard_alloc("scratch", phases[p].scratch, 64, GUARD_END);
    for (int64_t i = 0; i < n; i++) {
        const Phase *phase = &phases[units[i].phase];
        char *own = scratch[units[i].phase - first];
        memset(own, 0xff, phase->scratch);
        phase->run(phase->arguments, bases, units[i].unit, own);
    }
    for (int p = first; p < end; p++) guard_free(scratch[p - first]);
    mem_free(scratch);
    mem_free(units);
}
static void run_shuffled(const Phase *phases, int count, char *const *bases, uint64_t seed) {
    Rng rng;
    rng_seed(&rng, seed);
    for (int first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && phases[end].joins_previous;) end++;
        run_group(phases, first, end, bases, &rng);
    }
}
static void run_pool(const Plan *plan, Pool *pool, const Phase *phases, int count, char *const *bases) {
    const size_t stride = MAX(plan->scratch_bytes, 64);
    char *scratch = guard_alloc("scratch", stride * (size_t)plan->threads, 64, GUARD_START);
    CHECK_OK(pool_reserve(pool, count));
    pool_run(pool, phases, count, bases, scratch, stride, NULL);
    guard_free(scratch);
}

static bool same_bits(const Tensor *a, const Tensor *b) {
    return a->dtype == b->dtype && shape_equal(&a->shape, &b->shape) && !memcmp(a->data, b->data, tensor_bytes(a));
}
bool planned_same_bits(const char *what, const Graph *graph, const Tensor *a, const Tensor *b) {
    for (int i = 0; i < graph->n_outputs; i++) {
        if (same_bits(&a[i], &b[i])) continue;
        test_failed(__FILE__, __LINE__, "%s: output %d '%s' has other bits", what, i,
                    graph->values[graph->outputs[i]].name);
        return false;
    }
    return true;
}
typedef struct Memory {
    char *arena, *weights;
    char **bases;
    RunState state;
} Memory;
static bool run_both(const char *what, const Graph *graph, const Plan *plan, Pool *pool, Memory *memory,
                     Tensor *outputs) {
    Arena arena = {0};
    Tensor *again = planned_outputs(graph, &arena);
    run_shuffled(plan->phases, plan->n_phases, memory->bases, 7);
    bool good = memory->state.status == ST_OK;
    if (good) {
        for (int i = 0; i < graph->n_outputs; i++) memory->bases[BASE_EXTERNAL + graph->n_inputs + i] = again[i].data;
        if (plan->n_phases) run_pool(plan, pool, plan->phases, plan->n_phases, memory->bases);
        good = memory->state.status == ST_OK;
    }
    if (!good) test_failed(__FILE__, __LINE__, "%s: %s", what, memory->state.message);
    good = good && planned_same_bits(what, graph, outputs, again);
    arena_free(&arena);
    return good;
}
static bool run_plan(const char *what, const Graph *graph, const Plan *plan, Pool *pool, const Tensor *inputs,
                     Tensor *outputs) {
    Memory memory = {.arena = guard_alloc("arena", plan->arena_bytes, 64, GUARD_END),
                     .weights = guard_alloc("weights", plan->weights_bytes, 64, GUARD_END)};
    memory.bases = mem_zero((size_t)(BASE_EXTERNAL + graph->n_inputs + graph->n_outputs), sizeof *memory.bases);
    REQUIRE(memory.bases);
    memory.bases[BASE_WEIGHTS] = memory.weights, memory.bases[BASE_SESSION] = (char *)&memory.state;
    if (plan->n_prepare) run_shuffled(plan->prepare, plan->n_prepare, memory.bases, 3);
    char *again = guard_alloc("weights", plan->weights_bytes, 64, GUARD_START);
    memory.bases[BASE_WEIGHTS] = again;
    if (plan->n_prepare) run_pool(plan, pool, plan->prepare, plan->n_prepare, memory.bases);
    bool good = !memcmp(again, memory.weights, plan->weights_bytes);
    if (!good) test_failed(__FILE__, __LINE__, "%s: prepared weights have other bits", what);
    guard_free(again);
    memory.bases[BASE_ARENA] = memory.arena, memory.bases[BASE_WEIGHTS] = memory.weights;
    for (int i = 0; i < graph->n_inputs; i++) memory.bases[BASE_EXTERNAL + i] = inputs[i].data;
    for (int i = 0; i < graph->n_outputs; i++) memory.bases[BASE_EXTERNAL + graph->n_inputs + i] = outputs[i].data;
    good = run_both(what, graph, plan, pool, &memory, outputs) && good;
    guard_free(memory.arena);
    guard_free(memory.weights);
    mem_free(memory.bases);
    return good;
}
Machine planned_machine(Isa isa) {
    Machine machine;
    REQUIRE(machine_detect(&machine) == ST_OK);
    machine.isa = isa, machine.l2 = (size_t)1 << 20, machine.l3 = (size_t)32 << 20, machine.vector_bytes = 64;
    return machine;
}
static Status make_plan(const Graph *graph, const Setting *setting, Plan **plan) {
    Machine machine;
    TRY(machine_detect(&machine));
    machine.isa = setting->isa;
    if (setting->memory) machine = planned_machine(setting->isa);
    const Kernels *kernels = kernels_or_emulated(setting->isa);
    REQUIRE(kernels);
    const PlanOptions options = {.threads = setting->threads,
                                 .precision = setting->precision,
                                 .fuse = setting->fuse,
                                 .choices = setting->choices,
                                 .n_choices = setting->n_choices,
                                 .reference = setting->reference,
                                 .memory = setting->memory,
                                 .kernels = kernels};
    return plan_create(graph, &machine, &options, plan);
}
bool planned_run(const char *what, const Graph *graph, const Tensor *inputs, const Setting *setting, Tensor *outputs) {
    Plan *plan = NULL;
    Pool *pool = NULL;
    poison(graph, outputs);
    Status status = make_plan(graph, setting, &plan);
    if (status == ST_OK) status = pool_create(setting->threads, &pool);
    if (status != ST_OK) test_failed(__FILE__, __LINE__, "%s: %s", what, error_message());
    const bool good = status == ST_OK && run_plan(what, graph, plan, pool, inputs, outputs);
    pool_destroy(pool);
    plan_free(plan);
    return good;
}
char *planned_text(const Graph *graph, const Setting *setting) {
    Plan *plan;
    Text text = {0};
    CHECK_OK(make_plan(graph, setting, &plan));
    CHECK_OK(plan_print(plan, &text));
    plan_free(plan);
    return text.data;
}

static double largest(const Tensor *tensor) {
    double most = 0;
    for (int64_t i = 0; i < tensor_count(tensor); i++) most = fmax(most, fabs(tensor_get(tensor, i)));
    return most;
}
bool planned_compare(const char *what, const Graph *graph, const Tensor *actual, const Tensor *expected,
                     double tolerance) {
    bool good = true;
    for (int i = 0; i < graph->n_outputs; i++) {
        Comparison c;
        const char *name = graph->values[graph->outputs[i]].name;
        if (tensor_compare(&actual[i], &expected[i], 0, 0, &c) != ST_OK) {
            test_failed(__FILE__, __LINE__, "%s: output %d '%s': %s", what, i, name, error_message());
            return false;
        }
        // A nearly constant output has no standard deviation to speak of: there the largest value is the measure.
        const bool fits = dtype_is_float(expected[i].dtype)
                              ? c.rms_rel <= tolerance || c.max_abs <= 0.2 * tolerance * largest(&expected[i])
                              : c.outside == 0;
        if (fits) continue;
        test_failed(__FILE__, __LINE__, "%s: output %d '%s': rms / std %g, worst at %lld: got %g, expected %g", what, i,
                    name, c.rms_rel, (long long)c.worst, tensor_get(&actual[i], MAX(c.worst, 0)),
                    tensor_get(&expected[i], MAX(c.worst, 0)));
        good = false;
    }
    return good;
}

double planned_error(const Graph *graph, const Tensor *actual, const Tensor *expected) {
    double most = 0;
    for (int i = 0; i < graph->n_outputs; i++) {
        Comparison c;
        if (dtype_is_float(expected[i].dtype) && tensor_compare(&actual[i], &expected[i], 0, 0, &c) == ST_OK)
            most = fmax(most, c.rms_rel);
    }
    return most;
}

void planned_check(const char *file, int line, const char *text, double tolerance) {
    Arena arena = {0};
    Graph *graph = planned_graph(text);
    const Tensor *inputs = planned_inputs(graph, 11, &arena);
    Tensor *expected = arena_array(&arena, (size_t)graph->n_outputs, sizeof *expected);
    Tensor *outputs = planned_outputs(graph, &arena), *first = planned_outputs(graph, &arena);
    CHECK_OK(reference_run(graph, inputs, expected, &arena, NULL, NULL));
    const Isa best = planned_best_isa();
    for (EACH_PLANNED_ISA(isa, false))
        for (int way = 0; way < 4; way++)
            for (int threads = 1; threads <= 3; threads++) {
                const Setting setting = {(Isa)isa, threads, .fuse = way & 1, .precision = way & 2 ? PRECISION_STRICT : PRECISION_FP32};
                char what[160];
                snprintf(what, sizeof what, "%s:%d: %s, %d threads%s%s", file, line, isa_name((Isa)isa), threads,
                         way & 1 ? ", fused" : "", way & 2 ? ", strict" : "");
                if (!planned_run(what, graph, inputs, &setting, threads == 1 ? first : outputs) ||
                    (threads == 1 && !planned_compare(what, graph, first, expected, tolerance)) ||
                    (threads > 1 && !planned_same_bits(what, graph, outputs, first)))
                    test_end(); // one failure says enough
            }
    const Setting reference = {best, 2, .reference = true};
    if (planned_run("reference path", graph, inputs, &reference, outputs))
        planned_same_bits("reference path", graph, outputs, expected);
    graph_free(graph);
    arena_free(&arena);
}
