// tune: chooses by measuring; stores the plan that won.
#include "tune/tune.h"
#include "app/plan_store.h"
#include "app/sample.h"
#include "base/clock.h"
#include "report/table.h"
#include <math.h>
#include <string.h>

typedef struct TuneCall {
    const stent_tune_options *options;
    const char *package;
    Opened opened;
    StoredPlan stored;
    Tuned tuned;
    double seconds;
    Race rechecked; // untuned / stored; won: the stored plan has become the slower one
    bool from_wisdom;
    const char *carrier;           // the package that carries the plan; NULL: none was written
    const char *kept, *path, *why; // why: the tuned plan is not kept
    bool dropped;                  // what was tuned for other numbers of threads
    Arena *arena;
} TuneCall;

static Status on_progress(void *context, const char *stage, double done, double total) {
    const TuneCall *call = context;
    return report_progress(&call->options->common, stage, done, total);
}
static Status take_options(TuneCall *call, TuneOptions *out) {
    const stent_tune_options *o = call->options;
    *out = (TuneOptions){.search = {.trials = o->trials, .early_stop = o->early_stop, .seed = o->seed},
                         .seconds = (o->seconds > 0 ? o->seconds : 60) * measuring_effort,
                         .layer = o->layer,
                         .resume = o->resume,
                         .from_wisdom = call->from_wisdom,
                         .progress = on_progress,
                         .progress_context = call};
    TRY(wisdom_path(call->arena, o->wisdom, &out->wisdom));
    FAIL_IF(o->resume && !out->wisdom, ST_USAGE,
            "--resume: there is no wisdom: neither XDG_DATA_HOME nor HOME is set; name a file with --wisdom");
    if (!o->tuner) return ST_OK;
    FAIL_IF(!tuner_from_name(o->tuner, &out->search.tuner), ST_USAGE,
            "--tuner: expected model, xgb, ga, random or grid, got '%s'", o->tuner);
    return ST_OK;
}
// Whether another number of threads has schedules: then the bits must stay what they are there.
static bool stored_for_others(const StoredPlan *stored, int threads) {
    for (int i = 0; i < stored->n_layers; i++)
        for (int s = 0; s < stored->layers[i].n_schedules; s++)
            if (stored->layers[i].threads[s] != threads) return true;
    return false;
}
static Status store(TuneCall *call) {
    double rms = 0;
    bool ran = false;
    const Executable *winner = call->tuned.tuned;
    const Plan *plan = executable_plan(winner);
    if (!self_check_takes_too_long(plan)) {
        const Status status =
            self_check_run(&call->opened.package->check, call->tuned.tuned, plan_budget(call->opened.mode), &rms, &ran);
        if (status == ST_NO) {
            call->why = arena_string(call->arena, error_message());
            error_clear();
            return call->why ? ST_OK : fail_memory(256);
        }
        TRY(status);
    }
    TRY(stored_plan_put(&call->stored, plan, call->arena, &call->dropped));
    TRY(plan_store_write(&call->opened, &call->stored, &call->path));
    const bool kept = call->path || call->options->output; // else nobody will find it
    if (kept) call->kept = "tuned";
    return plan_hash(kept ? plan : executable_plan(call->tuned.incumbent), call->opened.plan_hash);
}

// ---- what was found

static void print_way(const Solver *solver, const Configuration *configuration, Text *text) {
    text_add(text, "%s", solver->name);
    solver_print(solver, configuration, " ", text);
}
static void put_way(JsonWriter *w, const char *key, const Solver *solver, const Configuration *configuration) {
    Text text = {0};
    print_way(solver, configuration, &text);
    json_key(w, key), json_string(w, text_get(&text));
    text_free(&text);
}
static void tell_layer(const TunedLayer *layer, struct stent_result *result, Table *table) {
    JsonWriter *w = &result->writer;
    const PlanStep *step = layer->step;
    Text shape = {0}, now = {0};
    shape_print(&shape, &step->shape);
    print_way(layer->solver, &layer->configuration, &now);
    json_begin_object(w);
    json_key(w, "name"), json_string(w, step->name);
    json_key(w, "op"), json_string(w, step->op);
    json_key(w, "shape"), json_string(w, text_get(&shape));
    json_number_at(w, "share", layer->share);
    json_key(w, "configurations"), json_integer(w, layer->n_configurations);
    json_key(w, "tried"), json_integer(w, layer->tried);
    json_key(w, "refused"), json_integer(w, layer->refused);
    put_way(w, "from", step->solver, &step->configuration);
    json_key(w, "to"), json_string(w, text_get(&now));
    json_number_at(w, "ratio", layer->ratio);
    json_key(w, "untuned"), json_string(w, layer->untuned);
    json_end_object(w);
    table_cell(table, "%s", step->name);
    table_cell(table, "%s", step->op);
    table_cell(table, "%s", text_get(&shape));
    table_cell(table, "%.1f %%", 100 * layer->share);
    table_cell(table, "%d of %d", layer->tried, layer->n_configurations - 1);
    if (layer->ratio == 1) table_cell(table, "-");
    else table_cell(table, "%.3f", layer->ratio);
    if (layer->untuned) table_cell(table, "not measured: %s", layer->untuned);
    else table_cell(table, "%s%s", layer->ratio == 1 ? "stays " : "", text_get(&now));
    result->text.failed = result->text.failed || shape.failed || now.failed;
    text_free(&shape), text_free(&now);
}
static Status tell_layers(const TuneCall *call, struct stent_result *result) {
    Table table;
    table_begin(&table, "layer <", "op <", "shape <", "time >", "tried >", "ratio >", "configuration <", NULL);
    json_key(&result->writer, "layers"), json_begin_array(&result->writer);
    for (int i = 0; i < call->tuned.n_layers; i++) tell_layer(&call->tuned.layers[i], result, &table);
    json_end_array(&result->writer);
    TRY(table_end(&table, &result->text));
    tell_fallbacks(executable_plan(call->tuned.incumbent), &result->text);
    return ST_OK;
}
static void tell_wisdom(const TuneCall *call, struct stent_result *result) {
    JsonWriter *w = &result->writer;
    const Recall *recall = &call->tuned.recall;
    json_key(w, "wisdom");
    if (!recall->path) {
        json_string(w, NULL);
        return;
    }
    json_begin_object(w);
    json_key(w, "path"), json_string(w, recall->path);
    json_key(w, "lines"), json_integer(w, recall->count.lines);
    json_key(w, "bad"), json_integer(w, recall->count.bad);
    json_key(w, "here"), json_integer(w, recall->here);
    json_key(w, "elsewhere"), json_integer(w, recall->elsewhere);
    json_key(w, "resumed"), json_integer(w, recall->resumed);
    json_key(w, "written"), json_integer(w, recall->written);
    json_end_object(w);
    text_add(&result->text, "wisdom: %lld lines, of these layers %lld measured on such a machine, %lld elsewhere",
             (long long)recall->count.lines, (long long)recall->here, (long long)recall->elsewhere);
    if (recall->resumed) text_add(&result->text, ", %lld not measured again", (long long)recall->resumed);
    if (recall->count.bad) text_add(&result->text, "; %lld damaged lines skipped", (long long)recall->count.bad);
    if (recall->count.cut) text_add(&result->text, "; what is beyond %d MB not read", WISDOM_BYTES >> 20);
    text_add(&result->text, "; %lld added\n", (long long)recall->written);
}
static void tell_stage(const char *key, const Watch *watch, struct stent_result *result) {
    // Below this nothing is said: the system's own work, and ticks of 10 ms.
    static const double little = 0.05;
    const double others = watch_others(watch), stolen = watch_stolen(watch);
    JsonWriter *w = &result->writer;
    json_key(w, key), json_begin_object(w);
    json_number_at(w, "seconds", watch->seconds);
    json_number_at(w, "others_cpus", others), json_number_at(w, "stolen_cpus", stolen);
    json_end_object(w);
    if (others > little)
        text_add(&result->text, "disturbed while %s: other processes kept %.2f CPUs busy\n", key, others);
    if (stolen > little)
        text_add(&result->text, "disturbed while %s: the hypervisor took %.2f CPUs away\n", key, stolen);
}
// Candidates that were measured on a busy machine are judged worse than on a quiet one, not wrongly: the race decides.
static void tell_disturbances(const TuneCall *call, struct stent_result *result) {
    JsonWriter *w = &result->writer;
    const Tuned *t = &call->tuned;
    const RaceWatch *runs = &t->runs;
    json_key(w, "disturbances"), json_begin_object(w);
    if (t->measured.seconds > 0) tell_stage("measuring", &t->measured, result);
    if (t->raced) tell_stage("racing", &t->racing, result);
    json_key(w, "outliers"), json_integer(w, runs->outliers);
    json_key(w, "unexplained"), json_integer(w, runs->unexplained);
    json_key(w, "causes"), json_begin_object(w);
    for (int cause = 0; cause < CAUSE_COUNT; cause++)
        if (runs->by_cause[cause]) json_key(w, cause_name((Cause)cause)), json_integer(w, runs->by_cause[cause]);
    json_end_object(w);
    json_end_object(w);
    if (!runs->outliers) return;
    text_add(&result->text, "%d of %d runs of the race took more than 5 %% longer than usual:", runs->outliers,
             runs->count[0] + runs->count[1]);
    for (int cause = 0; cause < CAUSE_COUNT; cause++)
        if (runs->by_cause[cause]) text_add(&result->text, " %s %d,", cause_name((Cause)cause), runs->by_cause[cause]);
    text_add(&result->text, " unexplained %d\n", runs->unexplained);
}
static void tell_race(const TuneCall *call, struct stent_result *result) {
    JsonWriter *w = &result->writer;
    Text *text = &result->text;
    const Tuned *t = &call->tuned;
    const Race *race = &t->race;
    const char *than = call->opened.tuned ? "the plan that was stored" : "the untuned plan";
    json_number_at(w, "baseline_ms", t->raced ? race->ms[0] : t->run_ms);
    json_number_at(w, "tuned_ms", t->raced ? race->ms[1] : NAN);
    json_number_at(w, "ratio_median", t->raced ? race->ratio.median : NAN);
    json_number_at(w, "ratio_low", t->raced ? race->ratio.low : NAN);
    json_number_at(w, "ratio_high", t->raced ? race->ratio.high : NAN);
    json_key(w, "rounds"), json_integer(w, race->rounds);
    json_key(w, "kept"), json_string(w, call->kept);
    json_key(w, "recheck");
    if (call->rechecked.rounds) {
        json_begin_object(w);
        json_number_at(w, "ratio_median", call->rechecked.ratio.median);
        json_number_at(w, "ratio_low", call->rechecked.ratio.low),
            json_number_at(w, "ratio_high", call->rechecked.ratio.high);
        json_key(w, "stored_gone"), json_bool(w, call->rechecked.won);
        json_end_object(w);
        text_add(text, "the untuned plan takes %.3f of the stored one's time (%.3f to %.3f)%s\n",
                 call->rechecked.ratio.median, call->rechecked.ratio.low, call->rechecked.ratio.high,
                 call->rechecked.won ? ": the stored one is gone" : "");
    } else json_null(w);
    if (t->raced)
        text_add(text, "race: %.3f ms against %.3f ms of %s, ratio %.3f (95 %% interval %.3f to %.3f, %d rounds): %s\n",
                 race->ms[1], race->ms[0], than, race->ratio.median, race->ratio.low, race->ratio.high, race->rounds,
                 race->won    ? "faster"
                 : race->lost ? "slower"
                              : "no difference beyond the noise");
    tell_disturbances(call, result);
    if (call->why) text_add(text, "the tuned plan failed the self-check: %s\n", call->why);
    if (race->won && !call->why && !call->path)
        text_add(text, "not stored: neither XDG_DATA_HOME nor HOME names a folder that may be written\n");
    if (call->path) text_add(text, "stored: %s\n", call->path);
    else if (!call->carrier) text_add(text, "nothing changes: %s stays\n", than);
    json_key(w, "package"), json_string(w, call->carrier);
    if (call->carrier) text_add(text, "%s: the package with this plan\n", call->carrier);
    else if (call->options->output)
        text_add(text, "%s is not written: there is no tuned plan\n", call->options->output);
    if (call->dropped) text_add(text, "what was tuned for other numbers of threads had other bits, and is gone\n");
}
static void tell_verdict(const TuneCall *call, struct stent_result *result) {
    JsonWriter *w = &result->writer;
    const Tuned *t = &call->tuned;
    json_key(w, "trials"), json_integer(w, t->trials);
    json_key(w, "complete"), json_bool(w, t->complete);
    json_key(w, "stopped"), json_bool(w, t->stopped);
    json_number_at(w, "seconds", call->seconds);
    json_number_at(w, "promised", t->promised);
    text_add(&result->text, "%d trials in %.1f s%s; %d of %d layers have a better configuration", t->trials,
             call->seconds,
             t->stopped    ? ", stopped by the user"
             : t->complete ? ""
                           : " (more time would allow more)",
             t->changed, t->n_layers);
    if (t->changed) text_add(&result->text, ", together they promise %.3f of the time", t->promised);
    text_add(&result->text, "\n");
    json_number_at(w, "noise", t->noise_layers ? t->noise : NAN);
    json_number_at(w, "noise_most", t->noise_layers ? t->noise_most : NAN);
    if (t->noise_layers)
        text_add(&result->text,
                 "noise: measured like a trial, equal layers differ by %.1f %% (median of %d), %.1f %% at most\n",
                 100 * t->noise, t->noise_layers, 100 * t->noise_most);
    tell_wisdom(call, result);
    tell_race(call, result);
}

// Whether the stored plan still stands before the untuned one; else tuning begins with that.
static Status recheck(TuneCall *call, TuneSubject *subject, TuneOptions *options) {
    TRY(tune_recheck(subject, options, &call->rechecked));
    if (!call->rechecked.won) return ST_OK;
    subject->plan.choices = NULL, subject->plan.n_choices = 0;
    call->stored = (StoredPlan){.n_layers = 0};
    call->opened.tuned = options->same_bits = false;
    return ST_OK;
}
// Instead of what was stored, in the user's folder or in the package.
static Status store_untuned(TuneCall *call) {
    const Plan *plan = executable_plan(call->tuned.incumbent);
    TRY(stored_plan_put(&call->stored, plan, call->arena, &call->dropped));
    TRY(plan_store_write(&call->opened, &call->stored, &call->path));
    return plan_hash(plan, call->opened.plan_hash);
}
// Finds, races and stores.
static Status tune_raced(TuneCall *call) {
    Opened *opened = &call->opened;
    const stent_options *common = common_options(&call->options->common);
    TuneOptions options;
    Sample sample;
    const PlainWeights plain = plain_weights_of(opened);
    TuneSubject subject = {.graph = opened->package->graph,
                           .machine = &opened->machine,
                           .plan = plan_options_of(opened, common),
                           .plain = &plain};
    PlanChoice *choices = NULL;
    TRY(take_options(call, &options));
    FAIL_IF(call->options->output && path_same(call->options->output, call->package), ST_USAGE,
            "%s: a package is not changed; name another file for the one with the plan", call->options->output);
    TRY(sample_take(opened, NULL, call->arena, &sample));
    TRY(make_tensors(subject.graph, subject.graph->outputs, subject.graph->n_outputs, call->arena, &subject.outputs));
    if (!common->untuned) TRY(plan_store_read(opened, &call->stored));
    TRY(stored_plan_choices(&call->stored, opened->threads, call->arena, &choices, &subject.plan.n_choices));
    opened->tuned = subject.plan.n_choices > 0;
    subject.plan.choices = choices, subject.inputs = sample.inputs;
    options.same_bits = stored_for_others(&call->stored, opened->threads);
    const uint64_t start = clock_ns();
    if (opened->tuned && !call->options->list) TRY(recheck(call, &subject, &options));
    TRY((call->options->list ? tune_list : tune)(&subject, &options, call->arena, &call->tuned));
    call->kept = "baseline";
    if (call->tuned.race.won) TRY(store(call));
    else if (call->rechecked.won) TRY(store_untuned(call));
    else TRY(plan_hash(executable_plan(call->tuned.incumbent), opened->plan_hash));
    call->seconds = clock_ms_since(start) / 1e3;
    if (!call->options->output || !call->stored.n_layers) return ST_OK;
    call->carrier = call->options->output;
    return plan_store_carry(opened, &call->stored, call->carrier);
}
static Status tune_opened(TuneCall *call, struct stent_result *result) {
    TRY(tune_raced(call));
    result_opened(result, &call->opened);
    TRY(tell_layers(call, result));
    if (!call->options->list) tell_verdict(call, result);
    return ST_OK;
}
Status race_wisdom(const char *package, const stent_options *common, double seconds, struct stent_result *result) {
    const stent_tune_options options = {.size = sizeof options, .common = *common, .seconds = seconds};
    Arena arena = {0};
    TuneCall call = {.options = &options, .package = package, .arena = &arena, .from_wisdom = true};
    Status status = open_package(package, common, OPEN_GRAPH, &call.opened);
    if (status == ST_OK) {
        status = tune_raced(&call);
        if (status == ST_OK) {
            json_key(&result->writer, "race"), json_begin_object(&result->writer);
            tell_wisdom(&call, result);
            tell_race(&call, result);
            json_end_object(&result->writer);
        }
        executable_release(call.tuned.incumbent), executable_release(call.tuned.tuned);
        close_package(&call.opened);
    }
    arena_free(&arena);
    return status;
}
stent_status stent_tune(const char *package, const stent_tune_options *given, stent_result **out) {
    stent_tune_options options = {.size = sizeof options};
    struct stent_result *result = NULL;
    Arena arena = {0};
    TuneCall call = {.options = &options, .package = package, .arena = &arena};
    error_clear();
    if (out) *out = NULL;
    Status status = options_take(given, sizeof options, &options);
    if (status == ST_OK) status = result_begin("tune", package, &options.common, &result);
    if (status == ST_OK) {
        status = open_package(package, &options.common, OPEN_GRAPH, &call.opened);
        if (status == ST_OK) {
            status = tune_opened(&call, result);
            executable_release(call.tuned.incumbent), executable_release(call.tuned.tuned);
            close_package(&call.opened);
        }
        status = result_finish(result, status, out);
    }
    arena_free(&arena);
    return (stent_status)status;
}
