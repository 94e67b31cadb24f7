#include "session/session.h"
#include "base/log.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct Executable {
    Plan *plan;
    PlainWeights plain; // file NULL: in memory
    char *weights;
    size_t weights_bytes, copied_bytes;
    atomic_int users;
    bool allow_strict;
    Machine machine;         // of the strict plan
    PlanOptions options;
    pthread_mutex_t lock;    // of `strict`
    struct Executable *strict; // NULL: not needed so far
};
struct Session {
    Executable *executable;
    Pool *pool;
    char *arena, *scratch;
    size_t arena_bytes, scratch_bytes;
    char **bases; // BASE_EXTERNAL + inputs + outputs
    RunState state;
    Session *strict; // NULL: not needed so far
    int64_t repeats;
};

// The step of another plan that has the weights which this one needs; NULL: there is none.
static const PlanStep *twin_of(const PlanStep *step, const Plan *other) {
    for (int i = 0; i < other->n_steps; i++) {
        const PlanStep *twin = &other->steps[i];
        if (twin->weights_bytes == step->weights_bytes && twin->solver == step->solver &&
            !strcmp(twin->name, step->name) && !strcmp(twin->op, step->op) &&
            solver_same_weights(step->solver, &twin->configuration, &step->configuration))
            return twin;
    }
    return NULL;
}
// Copies what `like` has; *out, *count: the phases that are left.
static Status copy_weights(Executable *executable, const Executable *like, Phase **out, int *count) {
    const Plan *plan = executable->plan;
    Phase *left = *out = mem_zero((size_t)plan->n_prepare + 1, sizeof *left);
    if (!left) return fail_memory((size_t)plan->n_prepare * sizeof *left);
    for (int i = 0; i < plan->n_prepare; i++) left[i] = plan->prepare[i];
    for (int i = 0; like && i < plan->n_steps; i++) {
        const PlanStep *step = &plan->steps[i], *twin = step->n_prepare ? twin_of(step, like->plan) : NULL;
        if (!twin) continue;
        memcpy(executable->weights + step->weights_at, like->weights + twin->weights_at, step->weights_bytes);
        executable->copied_bytes += step->weights_bytes;
        for (int k = 0; k < step->n_prepare; k++) left[step->prepare_at + k].run = NULL;
    }
    *count = 0;
    for (int i = 0; i < plan->n_prepare; i++)
        if (left[i].run) left[(*count)++] = left[i];
    return ST_OK;
}
// Plain and prepared weights are in memory together for one part of the network at a time.
enum { PREPARE_PARTS = 8 };
// Runs the prepare phases; `bases` has just the weights.
static Status run_prepare(Executable *executable, Pool *pool, const Phase *phases, int count, char *scratch) {
    const PlainWeights *plain = &executable->plain;
    RunState state = {0};
    char *bases[BASE_EXTERNAL] = {NULL, executable->weights, (char *)&state};
    TRY(pool_reserve(pool, count));
    for (int first = 0, part = 0; part < PREPARE_PARTS; part++) {
        const int end = (int)((int64_t)count * (part + 1) / PREPARE_PARTS);
        if (end == first) continue;
        pool_run(pool, phases + first, end - first, bases, scratch, MAX(executable->plan->scratch_bytes, 64), NULL);
        FAIL_IF(state.status, (Status)state.status, "%s", state.message);
        if (plain->file) file_drop_pages(plain->file, plain->from, plain->bytes);
        first = end;
    }
    return ST_OK;
}
static Status prepare(Executable *executable, Pool *pool, const Executable *like) {
    const size_t bytes = MAX(executable->plan->scratch_bytes, 64) * (size_t)pool_threads(pool);
    Phase *phases = NULL;
    int count;
    char *scratch = pages_alloc(bytes, 4096);
    if (!scratch) return fail_memory(bytes);
    Status status = copy_weights(executable, like, &phases, &count);
    if (status == ST_OK) status = run_prepare(executable, pool, phases, count, scratch);
    mem_free(phases);
    pages_free(scratch, bytes);
    return executable->plain.file ? file_intact(executable->plain.file, status) : status;
}
Status executable_create_like(Plan *plan, Pool *pool, const PlainWeights *plain, const Executable *like,
                              Executable **out) {
    *out = NULL;
    Executable *executable = mem_zero(1, sizeof *executable);
    if (!executable) {
        plan_free(plan);
        return fail_memory(sizeof *executable);
    }
    executable->plan = plan;
    if (plain) executable->plain = *plain;
    executable->users = 1;
    pthread_mutex_init(&executable->lock, NULL);
    executable->weights_bytes = MAX(plan->weights_bytes, 64);
    executable->weights = pages_alloc(executable->weights_bytes, 4096);
    Status status = executable->weights ? prepare(executable, pool, like) : fail_memory(executable->weights_bytes);
    if (status != ST_OK) {
        executable_release(executable);
        return status;
    }
    *out = executable;
    return ST_OK;
}
Status executable_create(Plan *plan, Pool *pool, const PlainWeights *plain, Executable **out) {
    return executable_create_like(plan, pool, plain, NULL, out);
}
Executable *executable_share(Executable *executable) {
    atomic_fetch_add(&executable->users, 1);
    return executable;
}
void executable_release(Executable *executable) {
    if (!executable || atomic_fetch_sub(&executable->users, 1) != 1) return;
    if (executable->weights) pages_free(executable->weights, executable->weights_bytes);
    executable_release(executable->strict);
    pthread_mutex_destroy(&executable->lock);
    plan_free(executable->plan);
    mem_free(executable);
}
void executable_allow_strict(Executable *executable, const Machine *machine, const PlanOptions *options) {
    executable->allow_strict = options->precision != PRECISION_STRICT && !options->reference;
    executable->machine = *machine, executable->options = *options;
    executable->options.precision = PRECISION_STRICT, executable->options.n_choices = 0;
    // Both plans are in memory then: the strict one gets what is left.
    const uint64_t used = plan_bytes(executable->plan);
    if (options->memory) executable->options.memory = options->memory > used ? options->memory - used : 1;
}
// Made once; whoever comes meanwhile waits for it.
static Status strict_twin(Executable *executable, Pool *pool, Executable **out) {
    Plan *plan;
    Status status = ST_OK;
    pthread_mutex_lock(&executable->lock);
    if (!executable->strict) {
        status = plan_create(executable->plan->graph, &executable->machine, &executable->options, &plan);
        if (status == ST_OK) status = executable_create(plan, pool, &executable->plain, &executable->strict);
    }
    *out = executable->strict;
    pthread_mutex_unlock(&executable->lock);
    return status;
}
size_t executable_copied_bytes(const Executable *executable) { return executable->copied_bytes; }
size_t executable_weights_bytes(const Executable *executable) { return executable->weights_bytes; }
const Plan *executable_plan(const Executable *executable) { return executable->plan; }

Status session_create(Executable *executable, Session **out) {
    *out = NULL;
    const Plan *plan = executable->plan;
    Session *session = mem_zero(1, sizeof *session);
    if (!session) return fail_memory(sizeof *session);
    session->executable = executable_share(executable);
    session->arena_bytes = MAX(plan->arena_bytes, 64);
    session->scratch_bytes = MAX(plan->scratch_bytes, 64) * (size_t)plan->threads;
    session->arena = pages_alloc(session->arena_bytes, 4096);
    session->scratch = pages_alloc(session->scratch_bytes, 4096);
    session->bases =
        mem_zero((size_t)(BASE_EXTERNAL + plan->graph->n_inputs + plan->graph->n_outputs), sizeof *session->bases);
    Status status = ST_OK;
    if (!session->arena || !session->scratch || !session->bases) status = fail_memory(session->arena_bytes);
    if (status == ST_OK) status = pool_create(plan->threads, &session->pool);
    if (status == ST_OK) status = pool_reserve(session->pool, plan->n_phases);
    if (status != ST_OK) {
        session_destroy(session);
        return status;
    }
    session->bases[BASE_ARENA] = session->arena;
    session->bases[BASE_WEIGHTS] = executable->weights;
    session->bases[BASE_SESSION] = (char *)&session->state;
    *out = session;
    return ST_OK;
}
void session_destroy(Session *session) {
    if (!session) return;
    session_destroy(session->strict);
    pool_destroy(session->pool);
    if (session->arena) pages_free(session->arena, session->arena_bytes);
    if (session->scratch) pages_free(session->scratch, session->scratch_bytes);
    mem_free(session->bases);
    executable_release(session->executable);
    mem_free(session);
}

// Checks a caller's tensor against the graph's value.
static Status check(const Graph *graph, ValueId value, const char *what, const Tensor *tensor) {
    const Type *type = &graph->values[value].type;
    const Shape shape = type_shape(type);
    if (tensor->dtype == type->dtype && shape_equal(&tensor->shape, &shape)) return ST_OK;
    Text text = {0};
    text_add(&text, "%s '%s': expected %s ", what, graph->values[value].name, dtype_name(type->dtype));
    shape_print(&text, &shape);
    text_add(&text, ", got %s ", dtype_name(tensor->dtype));
    shape_print(&text, &tensor->shape);
    Status status = fail(ST_BAD, "%s", text_get(&text));
    text_free(&text);
    return status;
}
static Status repeat(Session *session, const Tensor *inputs, Tensor *outputs) {
    if (!session->strict) {
        Executable *strict;
        TRY(strict_twin(session->executable, session->pool, &strict));
        TRY(session_create(strict, &session->strict));
        log_note("values too large, too small or not finite for the fast ways: such runs are repeated in strict");
    }
    session->repeats++;
    return session_run(session->strict, inputs, outputs);
}
Status session_profile(Session *session, const Tensor *inputs, Tensor *outputs, StepTime *times) {
    const Executable *executable = session->executable;
    const Plan *plan = executable->plan;
    const Graph *graph = plan->graph;
    for (int i = 0; i < graph->n_inputs; i++) {
        TRY(check(graph, graph->inputs[i], "input", &inputs[i]));
        session->bases[BASE_EXTERNAL + i] = inputs[i].data;
    }
    for (int i = 0; i < graph->n_outputs; i++) {
        TRY(check(graph, graph->outputs[i], "output", &outputs[i]));
        session->bases[BASE_EXTERNAL + graph->n_inputs + i] = outputs[i].data;
    }
    session->state.status = ST_OK, session->state.lost = false;
    if (plan->n_phases)
        pool_run(session->pool, plan->phases, plan->n_phases, session->bases, session->scratch,
                 MAX(plan->scratch_bytes, 64), times);
    // Steps on the reference path read their constants from the file.
    const Mapping *file = executable->plain.file;
    if (file && file_lost(file)) return file_intact(file, ST_OK);
    FAIL_IF(session->state.status, (Status)session->state.status, "%s", session->state.message);
    return session->state.lost && executable->allow_strict ? repeat(session, inputs, outputs) : ST_OK;
}
Status session_run(Session *session, const Tensor *inputs, Tensor *outputs) {
    return session_profile(session, inputs, outputs, NULL);
}
int64_t session_repeats(const Session *session) { return session->repeats; }
