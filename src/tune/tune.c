#include "tune/tune.h"
#include "base/clock.h"
#include "tune/xgb.h"
#include <math.h>
#include <string.h>

typedef struct Tuning {
    const TuneSubject *subject;
    const TuneOptions *options;
    Arena *arena;
    const Kernels *kernels;
    Pool *pool; // prepares weights
    Tuned *out;
    Search search;
    Xgb *xgb; // NULL: another tuner
    SearchLayer *layers;
    Way **ways; // of each layer, parallel to its candidates
    RecallLayer *recalled;
    int *steps; // of each layer: its step in the incumbent's plan
    int *picks;
    Session *session; // the incumbent's
    StepTime *times;  // of its steps
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
// All ways with the layouts that the step has, its own first: counted where ways is NULL.
typedef struct WayList {
    const Tuning *tuning;
    const PlanStep *step;
    int solver; // in the table
    Way *ways;
    Candidate *candidates;
    int count;
} WayList;
static void add_way(WayList *list, int solver, const Configuration *configuration, double estimate) {
    const int at = list->count++;
    if (!list->ways) return;
    list->ways[at] = (Way){solver_table[solver], *configuration};
    list->candidates[at] = (Candidate){.estimate = estimate};
    int32_t *knob = list->candidates[at].knob;
    _Static_assert(CANDIDATE_KNOBS == 1 + 2 * CONFIGURATION_NUMBERS, "a candidate's knobs are its configuration");
    knob[0] = solver;
    memcpy(knob + 1, configuration->arithmetic, sizeof configuration->arithmetic);
    memcpy(knob + 1 + CONFIGURATION_NUMBERS, configuration->schedule, sizeof configuration->schedule);
}
static bool visit_way(void *context, const Configuration *configuration) {
    WayList *list = context;
    const Solver *solver = solver_table[list->solver];
    const Configuration *own = &list->step->configuration;
    const bool same_arithmetic =
        solver == list->step->solver && !memcmp(configuration->arithmetic, own->arithmetic, sizeof own->arithmetic);
    if (same_arithmetic && !memcmp(configuration->schedule, own->schedule, sizeof own->schedule)) return true;
    if (list->tuning->options->same_bits && !same_arithmetic) return true;
    const double estimate = !list->ways ? 0
                                        : solver->estimate(list->step->problem, configuration, list->tuning->kernels,
                                                           list->tuning->subject->machine);
    add_way(list, list->solver, configuration, estimate);
    return true;
}
static void list_ways(WayList *list) {
    const Tuning *t = list->tuning;
    const Problem *problem = list->step->problem;
    list->count = 0;
    for (int s = 0; s < solver_count; s++)
        if (solver_table[s] == list->step->solver) add_way(list, s, &list->step->configuration, list->step->cycles);
    for (list->solver = 0; list->solver < solver_count; list->solver++) {
        const Solver *solver = solver_table[list->solver];
        Need need;
        if (!solver_applies(solver, problem, t->kernels, &need) || !same_forms(problem, &need)) continue;
        solver_space(solver, problem, t->kernels, t->subject->machine, visit_way, list);
    }
}
static Status add_layer(Tuning *t, int step_index, const PlanStep *step) {
    static const char *const one_way = "there is one way only";
    const int at = t->out->n_layers++;
    WayList list = {.tuning = t, .step = step};
    list_ways(&list);
    const int count = list.count;
    SearchLayer *layer = &t->layers[at];
    t->steps[at] = step_index;
    t->ways[at] = list.ways = arena_array(t->arena, (size_t)count, sizeof *list.ways);
    layer->candidates = list.candidates = arena_array(t->arena, (size_t)count, sizeof *list.candidates);
    if (!list.ways || !list.candidates) return fail_memory((size_t)count * sizeof *list.candidates);
    list_ways(&list);
    const bool meant = !t->options->layer || !strcmp(t->options->layer, step->name);
    layer->n_candidates = meant ? count : 1;
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
    t->times = arena_array(t->arena, most, sizeof *t->times);
    t->recalled = arena_array(t->arena, most, sizeof *t->recalled);
    if (!t->out->layers || !t->layers || !t->ways || !t->steps || !t->picks || !t->times || !t->recalled)
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
    if (status == ST_OK) status = executable_create_like(plan, t->pool, t->subject->plain, t->out->incumbent, out);
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
static Status run_once(Tuning *t, Session *session, StepTime *times) {
    return session_profile(session, t->subject->inputs, t->subject->outputs, times);
}
// What the runs of a trial say of a layer: `was` its step in the incumbent's plan, `step` in the challenger's.
static TrialRatio ratio_of(StepTime *const runs[TRIAL_RUNS], int was, int step) {
    double times[TRIAL_RUNS];
    for (int r = 0; r < TRIAL_RUNS; r++) times[r] = (double)runs[r][trial_order[r] == 'B' ? step : was].ns;
    return trial_ratio(times);
}
// ... of layer i, for the search and as a line of wisdom.
static Status judge(Tuning *t, const Plan *plan, int i, StepTime *const runs[TRIAL_RUNS], Text *lines) {
    const int pick = t->picks[i], step = step_of(t, plan, i, pick), was = t->steps[i];
    if (step < 0) {
        search_refuse(&t->search, i, pick);
        return ST_OK;
    }
    const TrialRatio measured = ratio_of(runs, was, step);
    search_tell(&t->search, i, pick, measured.ratio > 0 ? measured.ratio : 1);
    return recall_line(&t->out->recall, i, pick, &measured, lines);
}
// How far apart equals are: a trial in which every layer was its own challenger.
static Status judge_noise(Tuning *t, const Plan *plan, StepTime *const runs[TRIAL_RUNS]) {
    static const double large = 0.01; // of the time; smaller layers are measured less exactly, and matter less
    Tuned *out = t->out;
    double *apart = mem_zero((size_t)out->n_layers + 1, sizeof *apart);
    if (!apart) return fail_memory((size_t)out->n_layers * sizeof *apart);
    for (int i = 0; i < out->n_layers; i++) {
        const int step = step_of(t, plan, i, 0);
        const TrialRatio equal = step < 0 ? (TrialRatio){0, 0, 0} : ratio_of(runs, t->steps[i], step);
        if (equal.ratio > 0 && out->layers[i].share >= large) apart[out->noise_layers++] = fabs(equal.ratio - 1);
    }
    if (out->noise_layers) {
        sort_doubles(apart, (size_t)out->noise_layers);
        out->noise = sorted_quantile(apart, (size_t)out->noise_layers, 0.5);
        out->noise_most = apart[out->noise_layers - 1];
    }
    mem_free(apart);
    return ST_OK;
}
// Whole runs; ratios of the layers that were picked. noise: none was, to see how far apart equals are.
static Status measure_trial(Tuning *t, Session *challenger, const Plan *plan, bool noise) {
    const size_t steps = (size_t)MAX(plan->n_steps, executable_plan(t->out->incumbent)->n_steps) + 1;
    StepTime *times = mem_zero(TRIAL_RUNS * steps, sizeof *times), *runs[TRIAL_RUNS];
    Text lines = {0};
    if (!times) return fail_memory(TRIAL_RUNS * steps * sizeof *times);
    Status status = run_once(t, challenger, NULL); // first touches of its memory
    for (int r = 0; r < TRIAL_RUNS; r++) {
        runs[r] = times + (size_t)r * steps;
        if (status == ST_OK) status = run_once(t, trial_order[r] == 'B' ? challenger : t->session, runs[r]);
    }
    for (int i = 0; status == ST_OK && i < t->out->n_layers; i++)
        if (t->picks[i]) status = judge(t, plan, i, runs, &lines);
    if (status == ST_OK && noise) status = judge_noise(t, plan, runs);
    if (status == ST_OK) recall_write(&t->out->recall, &lines);
    text_free(&lines);
    mem_free(times);
    return status;
}
static Status trial(Tuning *t, bool noise) {
    Executable *executable = NULL;
    Session *session = NULL;
    TRY(make(t, t->picks, &executable));
    Status status = session_create(executable, &session);
    if (status == ST_OK) status = measure_trial(t, session, executable_plan(executable), noise);
    session_destroy(session);
    executable_release(executable);
    if (status == ST_OK && !noise) t->out->trials++;
    return status;
}

// Shares of the layers, and how long a run takes.
static Status measure_shares(Tuning *t) {
    enum { RUNS = 5 };
    double least = INFINITY, sum = 0;
    const Plan *plan = executable_plan(t->out->incumbent);
    TRY(run_once(t, t->session, NULL));
    for (int i = 0; i < RUNS; i++) {
        const uint64_t start = clock_ns();
        TRY(run_once(t, t->session, t->times));
        least = MIN(least, clock_ms_since(start));
    }
    for (int i = 0; i < plan->n_steps; i++) sum += (double)t->times[i].ns;
    for (int i = 0; i < t->out->n_layers; i++)
        t->out->layers[i].share = sum > 0 ? (double)t->times[t->steps[i]].ns / sum : 0;
    t->out->run_ms = least;
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
// What wisdom says: in which order candidates are tried, and (--resume) what need not be measured again.
static Status remember(Tuning *t) {
    Recall *recall = &t->out->recall;
    for (int i = 0; i < t->out->n_layers; i++)
        t->recalled[i] = (RecallLayer){.problem = t->out->layers[i].step->problem,
                                       .ways = t->ways[i],
                                       .n_ways = t->out->layers[i].n_configurations};
    TRY(recall_begin(recall, t->recalled, t->out->n_layers, t->arena));
    TRY(recall_read(recall));
    for (int i = 0; i < t->out->n_layers; i++) {
        const size_t n = (size_t)t->recalled[i].n_ways;
        Candidate *candidates = t->layers[i].candidates;
        double *estimates = arena_array(t->arena, 2 * n, sizeof *estimates);
        if (!estimates) return fail_memory(2 * n * sizeof *estimates);
        for (int c = 0; c < t->layers[i].n_candidates; c++) estimates[c] = candidates[c].estimate;
        TRY(recall_foresee(&t->recalled[i], estimates, estimates + n));
        for (int c = 0; c < t->layers[i].n_candidates; c++) candidates[c].estimate = estimates[n + (size_t)c];
    }
    if (t->options->resume) recall_resume(recall, &t->search);
    return ST_OK;
}
static Status start_helper(Tuning *t) {
    if (t->options->search.tuner != TUNER_XGB) return ST_OK;
    const Problem **problems = arena_array(t->arena, (size_t)t->out->n_layers + 1, sizeof *problems);
    if (!problems) return fail_memory((size_t)t->out->n_layers * sizeof *problems);
    for (int i = 0; i < t->out->n_layers; i++) problems[i] = t->out->layers[i].step->problem;
    return xgb_start(&t->search, problems, &t->xgb);
}
static Status search_layers(Tuning *t) {
    const double seconds = 0.8 * t->options->seconds - seconds_since(t->start), begun = seconds_since(t->start);
    t->out->complete = false;
    memset(t->picks, 0, (size_t)t->out->n_layers * sizeof *t->picks);
    TRY(trial(t, true));
    for (;;) {
        const double spent = seconds_since(t->start) - begun;
        const Status told = tell(t, "measuring", MIN(spent, seconds), seconds);
        if (told == ST_CANCELLED) { // the best so far is kept
            t->out->stopped = true;
            error_clear();
            return ST_OK;
        }
        TRY(told);
        // The race needs its time.
        if (spent >= seconds && t->out->trials > 0) return ST_OK;
        // The best of many single measurements is mostly a lucky one.
        t->search.settling = t->out->trials > 0 && spent >= 0.5 * seconds;
        if (t->xgb) TRY(xgb_rank(t->xgb, &t->search));
        if (!search_next(&t->search, t->picks)) break;
        TRY(trial(t, false));
    }
    t->out->complete = !t->search.settling;
    return ST_OK;
}
static void add_up(Tuned *out) {
    out->promised = 1;
    for (int i = 0; i < out->n_layers; i++) out->promised -= out->layers[i].share * (1 - out->layers[i].ratio);
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
    add_up(t->out);
}

// What wisdom alone holds for the best; nothing is measured before the race.
static void take_foreseen(Tuning *t) {
    for (int i = 0; i < t->out->n_layers; i++) {
        TunedLayer *layer = &t->out->layers[i];
        const SearchLayer *found = &t->layers[i];
        int best = 0;
        layer->ratio = 1 - search_least_gain;
        for (int c = 1; c < found->n_candidates; c++)
            if (found->candidates[c].estimate < layer->ratio && recall_knows(&t->recalled[i], c))
                best = c, layer->ratio = found->candidates[c].estimate;
        t->picks[i] = best;
        if (best) layer->solver = t->ways[i][best].solver, layer->configuration = t->ways[i][best].configuration;
        else layer->ratio = 1;
        if (!best && !layer->untuned) layer->untuned = "wisdom knows nothing better";
        t->out->changed += best > 0;
    }
    add_up(t->out);
}

// ---- the race

typedef struct Racers {
    Tuning *tuning;
    Session *sessions[2];
    int run, runs;
} Racers;
static Status race_run(void *context, int which, double *ms) {
    Racers *racers = context;
    const Status told = tell(racers->tuning, "racing", racers->run++, racers->runs);
    if (told == ST_CANCELLED && racers->tuning->out->stopped) error_clear(); // it was asked once, and this is the end
    else TRY(told);
    RaceWatch *runs = &racers->tuning->out->runs;
    Counters before, after;
    counters_read(&racers->tuning->out->racing.files, &before);
    const uint64_t start = clock_ns();
    TRY(run_once(racers->tuning, racers->sessions[which], NULL));
    *ms = clock_ms_since(start);
    counters_read(&racers->tuning->out->racing.files, &after);
    runs->seen[which][runs->count[which]] = disturbance_between(&before, &after, NAN);
    runs->ms[which][runs->count[which]++] = *ms;
    return ST_OK;
}
static Status race_plans(Tuning *t) {
    const double left = t->options->seconds - seconds_since(t->start);
    const int rounds = t->out->stopped ? RACE_LEAST : race_rounds(MAX(left, 0.1 * t->options->seconds), t->out->run_ms);
    Racers racers = {.tuning = t, .runs = 4 * rounds};
    TRY(make(t, t->picks, &t->out->tuned));
    // Both sides start in fresh memory: on some machines that alone is worth percents.
    session_destroy(t->session), t->session = NULL;
    Status status = session_create(t->out->incumbent, &t->session);
    if (status == ST_OK) status = session_create(t->out->tuned, &racers.sessions[1]);
    racers.sessions[0] = t->session;
    for (int i = 0; i < 2 && status == ST_OK; i++) status = run_once(t, racers.sessions[i], NULL);
    if (status == ST_OK) {
        watch_begin(&t->out->racing);
        status = race(race_run, &racers, rounds, &t->out->race);
        watch_end(&t->out->racing);
    }
    if (status == ST_OK) status = race_watch_judge(&t->out->runs);
    session_destroy(racers.sessions[1]);
    t->out->raced = status == ST_OK;
    return status;
}

// ---- all of it

static Status two_fit(const TuneSubject *subject, uint64_t bytes) {
    FAIL_IF(subject->plan.memory && 2 * bytes > subject->plan.memory, ST_RESOURCE,
            "two plans are in memory while they are compared: about %.0f MB, allowed are %.0f MB (--max-memory)",
            2e-6 * (double)bytes, 1e-6 * (double)subject->plan.memory);
    return ST_OK;
}
static Status begin(Tuning *t, const TuneSubject *subject, const TuneOptions *options, Arena *arena, Tuned *out) {
    *out = (Tuned){
        .complete = true,
        .recall = {.path = options->wisdom, .isa = isa_name(subject->machine->isa), .threads = subject->plan.threads}};
    *t = (Tuning){.subject = subject, .options = options, .arena = arena, .out = out, .start = clock_ns()};
    t->kernels = subject->plan.kernels ? subject->plan.kernels : kernels_for(subject->machine->isa);
    FAIL_IF(!t->kernels, ST_UNSUPPORTED, "this build has no kernels for %s", isa_name(subject->machine->isa));
    TRY(pool_create(subject->plan.threads, &t->pool));
    Plan *plan;
    TRY(plan_create(subject->graph, subject->machine, &subject->plan, &plan));
    const uint64_t bytes = plan_bytes(plan);
    TRY(executable_create(plan, t->pool, subject->plain, &out->incumbent));
    TRY(two_fit(subject, bytes));
    Text machine = {0};
    machine_print(subject->machine, &machine);
    out->recall.machine = arena_string(arena, text_get(&machine));
    text_free(&machine);
    if (!out->recall.machine) return fail_memory(sizeof subject->machine->cpu);
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
        status = remember(&t);
    }
    if (status == ST_OK) status = start_helper(&t);
    if (status == ST_OK && !options->from_wisdom) {
        watch_begin(&out->measured);
        status = search_layers(&t);
        watch_end(&out->measured);
    }
    if (status == ST_OK) {
        if (options->from_wisdom) take_foreseen(&t);
        else take_best(&t);
        if (out->changed) status = race_plans(&t);
    }
    xgb_end(t.xgb);
    session_destroy(t.session);
    pool_destroy(t.pool);
    return status;
}

// ---- a stored plan, looked at again

typedef struct Recheck {
    const TuneSubject *subject;
    const TuneOptions *options;
    Session *sessions[2];
    int run;
} Recheck;
static Status recheck_run(void *context, int which, double *ms) {
    Recheck *recheck = context;
    const TuneOptions *options = recheck->options;
    if (options->progress)
        TRY(options->progress(options->progress_context, "checking", recheck->run++, 4 * RACE_LEAST));
    const uint64_t start = clock_ns();
    TRY(session_run(recheck->sessions[which], recheck->subject->inputs, recheck->subject->outputs));
    *ms = clock_ms_since(start);
    return ST_OK;
}
static Status recheck_begin(Recheck *recheck, int which, const PlanOptions *options, Pool *pool) {
    const TuneSubject *subject = recheck->subject;
    Plan *plan;
    Executable *executable;
    TRY(plan_create(subject->graph, subject->machine, options, &plan));
    const uint64_t bytes = plan_bytes(plan);
    TRY(executable_create(plan, pool, subject->plain, &executable));
    Status status = two_fit(subject, bytes);
    if (status == ST_OK) status = session_create(executable, &recheck->sessions[which]);
    executable_release(executable);
    if (status == ST_OK) status = session_run(recheck->sessions[which], subject->inputs, subject->outputs);
    return status;
}
Status tune_recheck(const TuneSubject *subject, const TuneOptions *options, Race *out) {
    Recheck recheck = {.subject = subject, .options = options};
    PlanOptions untuned = subject->plan;
    Pool *pool;
    untuned.choices = NULL, untuned.n_choices = 0;
    TRY(pool_create(subject->plan.threads, &pool));
    Status status = recheck_begin(&recheck, 0, &subject->plan, pool);
    if (status == ST_OK) status = recheck_begin(&recheck, 1, &untuned, pool);
    if (status == ST_OK) status = race(recheck_run, &recheck, RACE_LEAST, out);
    for (int which = 0; which < 2; which++) session_destroy(recheck.sessions[which]);
    pool_destroy(pool);
    return status;
}
