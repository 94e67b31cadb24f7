#include "tune/tune.h"
#include "base/clock.h"
#include <math.h>
#include <string.h>

// A way to compute a layer.
typedef struct Way {
    const Solver *solver;
    Configuration configuration;
} Way;
enum { MOST_WAYS = 1024 };

typedef struct Tuning {
    const TuneSubject *subject;
    const TuneOptions *options;
    Arena *arena;
    const Kernels *kernels;
    Pool *pool; // prepares weights
    Tuned *out;
    Search search;
    SearchLayer *layers;
    Way **ways; // of each layer, parallel to its candidates
    int *steps; // of each layer: its step in the incumbent's plan
    int *picks;
    Session *session;   // the incumbent's
    uint64_t *times[2]; // of the steps: incumbent, challenger
    uint64_t start;
} Tuning;

static double seconds_since(uint64_t start) { return clock_ms_since(start) / 1e3; }
static Status tell(const Tuning *t, const char *stage, double done, double total) {
    return t->options->progress ? t->options->progress(t->options->progress_context, stage, done, total) : ST_OK;
}

// ---- the space

// Whether the solver would read and write what the neighbours of the step write and read.
static bool same_forms(const Problem *problem, const Need *need) {
    for (int i = 0; i < problem->n_inputs; i++)
        if (need->in[i].kind != problem->in[i].kind ||
            (need->in[i].kind == LAYOUT_BLOCKED && need->in[i].block != problem->in[i].block))
            return false;
    for (int i = 0; i < problem->n_outputs; i++)
        if (need->out[i].kind != problem->out[i].kind ||
            (need->out[i].kind == LAYOUT_BLOCKED && need->out[i].block != problem->out[i].block))
            return false;
    return true;
}
// All ways with the layouts that the step has, its own first.
static int list_ways(const Tuning *t, const PlanStep *step, Way *ways, double *estimates) {
    const Problem *problem = step->problem;
    int count = 1;
    ways[0] = (Way){step->solver, step->configuration}, estimates[0] = step->cycles;
    for (int s = 0; s < solver_count; s++) {
        const Solver *solver = solver_table[s];
        Need need;
        Configuration list[MOST_CONFIGURATIONS];
        memset(list, 0, sizeof list);
        if (!solver_applies(solver, problem, t->kernels, &need) || !same_forms(problem, &need)) continue;
        const int n = solver->configurations(problem, t->kernels, t->subject->machine, list, MOST_CONFIGURATIONS);
        for (int c = 0; c < n && count < MOST_WAYS; c++) {
            const bool same_arithmetic =
                solver == step->solver &&
                !memcmp(list[c].arithmetic, step->configuration.arithmetic, sizeof list[c].arithmetic);
            if (same_arithmetic && !memcmp(list[c].schedule, step->configuration.schedule, sizeof list[c].schedule))
                continue;
            if (t->options->same_bits && !same_arithmetic) continue;
            ways[count] = (Way){solver, list[c]};
            estimates[count++] = solver->estimate(problem, &list[c], t->kernels, t->subject->machine);
        }
    }
    return count;
}
static Status add_layer(Tuning *t, int step_index, const PlanStep *step) {
    static const char *const one_way = "there is one way only";
    const int at = t->out->n_layers++;
    Way ways[MOST_WAYS];
    double estimates[MOST_WAYS];
    const int count = list_ways(t, step, ways, estimates);
    SearchLayer *layer = &t->layers[at];
    t->steps[at] = step_index;
    t->ways[at] = arena_array(t->arena, (size_t)count, sizeof *ways);
    layer->candidates = arena_array(t->arena, (size_t)count, sizeof *layer->candidates);
    if (!t->ways[at] || !layer->candidates) return fail_memory((size_t)count * sizeof *ways);
    memcpy(t->ways[at], ways, (size_t)count * sizeof *ways);
    const bool meant = !t->options->layer || !strcmp(t->options->layer, step->name);
    layer->n_candidates = meant ? count : 1;
    for (int i = 0; i < layer->n_candidates; i++) layer->candidates[i] = (Candidate){.estimate = estimates[i]};
    t->out->layers[at] = (TunedLayer){.step = step,
                                      .n_configurations = count,
                                      .solver = step->solver,
                                      .configuration = step->configuration,
                                      .ratio = 1,
                                      .untuned = !meant       ? "not asked for"
                                                 : count == 1 ? one_way
                                                              : NULL};
    return ST_OK;
}
static Status list_layers(Tuning *t, const Plan *plan) {
    const size_t most = (size_t)plan->n_steps + 1;
    t->out->layers = arena_array(t->arena, most, sizeof *t->out->layers);
    t->layers = arena_array(t->arena, most, sizeof *t->layers);
    t->ways = arena_array(t->arena, most, sizeof *t->ways);
    t->steps = arena_array(t->arena, most, sizeof *t->steps);
    t->picks = arena_array(t->arena, most, sizeof *t->picks);
    t->times[0] = arena_array(t->arena, most, sizeof *t->times[0]);
    t->times[1] = arena_array(t->arena, most, sizeof *t->times[1]);
    if (!t->out->layers || !t->layers || !t->ways || !t->steps || !t->picks || !t->times[0] || !t->times[1])
        return fail_memory(most * sizeof *t->out->layers);
    bool found = !t->options->layer;
    for (int i = 0; i < plan->n_steps; i++) {
        if (!plan_step_has_choice(&plan->steps[i])) continue;
        found = found || !strcmp(t->options->layer, plan->steps[i].name);
        TRY(add_layer(t, i, &plan->steps[i]));
    }
    FAIL_IF(!found, ST_USAGE, "--layer: the plan has no layer '%s' with a choice; `stent profile` names them",
            t->options->layer);
    search_begin(&t->search, t->layers, t->out->n_layers, &t->options->search);
    return ST_OK;
}

// ---- measuring

// An executable of the incumbent's plan with other ways for some layers. pick: for each layer a way, 0 the incumbent's.
static Status make(Tuning *t, const int *picks, Executable **out) {
    PlanChoice *choices = mem_zero((size_t)t->out->n_layers + 1, sizeof *choices);
    PlanOptions options = t->subject->plan;
    Plan *plan;
    if (!choices) return fail_memory((size_t)t->out->n_layers * sizeof *choices);
    for (int i = 0; i < t->out->n_layers; i++) {
        const Way *way = &t->ways[i][picks[i]];
        choices[i] = (PlanChoice){t->out->layers[i].step->name, way->solver, way->configuration, true};
    }
    options.choices = choices, options.n_choices = t->out->n_layers;
    Status status = plan_create(t->subject->graph, t->subject->machine, &options, &plan);
    if (status == ST_OK) status = executable_create(plan, t->pool, t->subject->plain, out);
    mem_free(choices);
    return status;
}
// The step of `plan` for layer i; -1 where the plan took another way than the pick.
static int step_of(const Tuning *t, const Plan *plan, int i, int pick) {
    const PlanStep *wanted = t->out->layers[i].step;
    const Way *way = &t->ways[i][pick];
    const int guess = t->steps[i];
    for (int k = 0; k < plan->n_steps; k++) {
        const int at = (guess + k) % plan->n_steps;
        const PlanStep *step = &plan->steps[at];
        if (!plan_step_has_choice(step) || strcmp(step->name, wanted->name)) continue;
        const bool same = step->solver == way->solver && !strcmp(step->op, wanted->op) &&
                          !memcmp(&step->configuration, &way->configuration, sizeof step->configuration);
        return same ? at : -1;
    }
    return -1;
}
static Status run_once(Tuning *t, Session *session, uint64_t *times) {
    return session_profile(session, t->subject->inputs, t->subject->outputs, times);
}
// Pairs A B B A of whole runs; ratios of the layers that were picked.
static Status measure_trial(Tuning *t, Session *challenger, const Plan *plan) {
    const Plan *incumbent = executable_plan(t->out->incumbent);
    TRY(run_once(t, challenger, NULL)); // first touches of its memory
    memset(t->times[0], 0, (size_t)incumbent->n_steps * sizeof *t->times[0]);
    uint64_t *times = mem_zero((size_t)plan->n_steps + 1, sizeof *times);
    if (!times) return fail_memory((size_t)plan->n_steps * sizeof *times);
    Status status = run_once(t, t->session, t->times[0]);
    if (status == ST_OK) status = run_once(t, challenger, times);
    if (status == ST_OK) status = run_once(t, challenger, times);
    if (status == ST_OK) status = run_once(t, t->session, t->times[0]);
    for (int i = 0; status == ST_OK && i < t->out->n_layers; i++) {
        if (!t->picks[i]) continue;
        const int step = step_of(t, plan, i, t->picks[i]);
        const double was = (double)t->times[0][t->steps[i]];
        if (step < 0) search_refuse(&t->search, i, t->picks[i]);
        else search_tell(&t->search, i, t->picks[i], was > 0 ? (double)times[step] / was : 1);
    }
    mem_free(times);
    return status;
}
static Status trial(Tuning *t) {
    Executable *executable = NULL;
    Session *session = NULL;
    TRY(make(t, t->picks, &executable));
    Status status = session_create(executable, &session);
    if (status == ST_OK) status = measure_trial(t, session, executable_plan(executable));
    session_destroy(session);
    executable_release(executable);
    if (status == ST_OK) t->out->trials++;
    return status;
}

// Shares of the layers, and how long a run takes.
static Status measure_shares(Tuning *t) {
    enum { RUNS = 5 };
    double least[2] = {INFINITY, 0}, sum = 0;
    const Plan *plan = executable_plan(t->out->incumbent);
    TRY(run_once(t, t->session, NULL));
    memset(t->times[0], 0, (size_t)plan->n_steps * sizeof *t->times[0]);
    for (int i = 0; i < RUNS; i++) {
        const uint64_t start = clock_ns();
        TRY(run_once(t, t->session, t->times[0]));
        least[0] = MIN(least[0], clock_ms_since(start));
    }
    for (int i = 0; i < plan->n_steps; i++) sum += (double)t->times[0][i];
    for (int i = 0; i < t->out->n_layers; i++)
        t->out->layers[i].share = sum > 0 ? (double)t->times[0][t->steps[i]] / sum : 0;
    t->out->run_ms = least[0];
    return ST_OK;
}
// Layers that take next to nothing are left alone: they would keep the others waiting for their trials.
static void leave_small(Tuning *t) {
    for (int i = 0; i < t->out->n_layers; i++) {
        static const double small = 0.002;
        if (t->out->layers[i].share >= small || t->options->layer) continue;
        t->layers[i].n_candidates = 1;
        if (!t->out->layers[i].untuned) t->out->layers[i].untuned = "less than 0.2 % of the time";
    }
}
static Status search_layers(Tuning *t) {
    const double seconds = 0.8 * t->options->seconds - seconds_since(t->start), begun = seconds_since(t->start);
    t->out->complete = false;
    for (;;) {
        const double spent = seconds_since(t->start) - begun;
        TRY(tell(t, "measuring", MIN(spent, seconds), seconds));
        // The race needs its time.
        if (spent >= seconds && t->out->trials > 0) return ST_OK;
        if (!search_next(&t->search, t->picks)) break;
        TRY(trial(t));
    }
    t->out->complete = true;
    return ST_OK;
}
static void take_best(Tuning *t) {
    for (int i = 0; i < t->out->n_layers; i++) {
        TunedLayer *layer = &t->out->layers[i];
        const SearchLayer *found = &t->layers[i];
        const int best = search_best(found);
        for (int c = 1; c < found->n_candidates; c++) {
            layer->tried += found->candidates[c].state == TRIED;
            layer->refused += found->candidates[c].state == REFUSED;
        }
        if (!layer->untuned && !layer->tried)
            layer->untuned = layer->refused ? "the planner took none" : "no time was left";
        t->picks[i] = best;
        if (!best) continue;
        layer->solver = t->ways[i][best].solver, layer->configuration = t->ways[i][best].configuration;
        layer->ratio = candidate_ratio(&found->candidates[best]);
        t->out->changed++;
    }
}

// ---- the race

typedef struct Racers {
    Tuning *tuning;
    Session *sessions[2];
    int run, runs;
} Racers;
static Status race_run(void *context, int which, double *ms) {
    Racers *racers = context;
    TRY(tell(racers->tuning, "racing", racers->run++, racers->runs));
    const uint64_t start = clock_ns();
    TRY(run_once(racers->tuning, racers->sessions[which], NULL));
    *ms = clock_ms_since(start);
    return ST_OK;
}
static Status race_plans(Tuning *t) {
    const double left = t->options->seconds - seconds_since(t->start);
    const int rounds = race_rounds(MAX(left, 0.1 * t->options->seconds), t->out->run_ms);
    Racers racers = {.tuning = t, .sessions = {t->session, NULL}, .runs = 4 * rounds};
    TRY(make(t, t->picks, &t->out->tuned));
    Status status = session_create(t->out->tuned, &racers.sessions[1]);
    if (status == ST_OK) status = run_once(t, racers.sessions[1], NULL);
    if (status == ST_OK) status = race(race_run, &racers, rounds, &t->out->race);
    session_destroy(racers.sessions[1]);
    t->out->raced = status == ST_OK;
    return status;
}

// ---- all of it

static Status begin(Tuning *t, const TuneSubject *subject, const TuneOptions *options, Arena *arena, Tuned *out) {
    *out = (Tuned){.complete = true};
    *t = (Tuning){.subject = subject, .options = options, .arena = arena, .out = out, .start = clock_ns()};
    t->kernels = subject->plan.kernels ? subject->plan.kernels : kernels_for(subject->machine->isa);
    FAIL_IF(!t->kernels, ST_UNSUPPORTED, "this build has no kernels for %s", isa_name(subject->machine->isa));
    TRY(pool_create(subject->plan.threads, &t->pool));
    Plan *plan;
    TRY(plan_create(subject->graph, subject->machine, &subject->plan, &plan));
    const uint64_t bytes = plan_bytes(plan);
    TRY(executable_create(plan, t->pool, subject->plain, &out->incumbent));
    FAIL_IF(subject->plan.memory && 2 * bytes > subject->plan.memory, ST_RESOURCE,
            "two plans are in memory while they are compared: about %.0f MB, allowed are %.0f MB (--max-memory)",
            2e-6 * (double)bytes, 1e-6 * (double)subject->plan.memory);
    return list_layers(t, executable_plan(out->incumbent));
}
Status tune_list(const TuneSubject *subject, const TuneOptions *options, Arena *arena, Tuned *out) {
    Tuning t;
    const Status status = begin(&t, subject, options, arena, out);
    pool_destroy(t.pool);
    return status;
}
Status tune(const TuneSubject *subject, const TuneOptions *options, Arena *arena, Tuned *out) {
    Tuning t;
    Status status = begin(&t, subject, options, arena, out);
    if (status == ST_OK) status = session_create(out->incumbent, &t.session);
    if (status == ST_OK) status = measure_shares(&t);
    if (status == ST_OK) {
        leave_small(&t);
        status = search_layers(&t);
    }
    if (status == ST_OK) {
        take_best(&t);
        if (out->changed) status = race_plans(&t);
    }
    session_destroy(t.session);
    pool_destroy(t.pool);
    return status;
}
