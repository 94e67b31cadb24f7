// profile: the median time of every step of the plan, beside what this machine could do at most.
#include "app/sample.h"
#include "app/versus.h"
#include "base/clock.h"
#include "base/statistics.h"
#include "measure/peaks.h"
#include "report/table.h"
#include "solver/explain.h"
#include <string.h>

typedef struct Profile {
    const stent_profile_options *options;
    const char *path;
    Opened opened;
    const Plan *plan;
    Session *session;
    Sample sample;
    Tensor *outputs;
    Arena *arena;
    int repeat;
    StepTime *times;     // (steps) of one run
    double *all, *whole; // [step][run], [run]
    double *waiting;     // [step][run]: part of the threads' time
    LayerProfile layers; // medians
    Peaks peaks;
} Profile;

static Status profile_begin(Profile *p) {
    const Graph *graph = p->opened.package->graph;
    p->plan = executable_plan(p->opened.executable);
    const size_t steps = (size_t)p->plan->n_steps, repeat = (size_t)p->repeat;
    TRY(sample_take(&p->opened, NULL, p->arena, &p->sample));
    TRY(make_tensors(graph, graph->outputs, graph->n_outputs, p->arena, &p->outputs));
    p->all = arena_array(p->arena, steps * repeat + 1, sizeof *p->all);
    p->waiting = arena_array(p->arena, steps * repeat + 1, sizeof *p->waiting);
    p->whole = arena_array(p->arena, repeat, sizeof *p->whole);
    p->times = arena_array(p->arena, steps + 1, sizeof *p->times);
    if (!p->all || !p->waiting || !p->whole || !p->times) return fail_memory(steps * repeat * sizeof *p->all);
    TRY(session_create(p->opened.executable, &p->session));
    for (int warm = 0; warm < 2; warm++) TRY(session_run(p->session, p->sample.inputs, p->outputs));
    return ST_OK;
}
// A plain run and a profiled one: the whole is measured without the profiler.
static Status profile_round(Profile *p, int round) {
    const size_t steps = (size_t)p->plan->n_steps;
    const uint64_t start = clock_ns();
    TRY(session_run(p->session, p->sample.inputs, p->outputs));
    p->whole[round] = clock_ms_since(start);
    memset(p->times, 0, steps * sizeof *p->times);
    TRY(session_profile(p->session, p->sample.inputs, p->outputs, p->times));
    for (size_t s = 0; s < steps; s++) {
        const size_t at = s * (size_t)p->repeat + (size_t)round;
        const double ns = (double)p->times[s].ns;
        p->all[at] = ns * 1e-6;
        p->waiting[at] = ns > 0 ? (double)p->times[s].waiting / ns / p->plan->threads : 0;
    }
    return ST_OK;
}
static double median_of(double *values, int count) {
    sort_doubles(values, (size_t)count);
    return sorted_quantile(values, (size_t)count, 0.5);
}
static Status keep_text(Arena *arena, Text *text, const char **out) {
    const Status status = text_status(text);
    *out = arena_string(arena, text_get(text));
    text_free(text);
    return status == ST_OK && !*out ? fail_memory(1) : status;
}
static Status layer_of(Profile *p, int at, Layer *out) {
    const PlanStep *step = &p->plan->steps[at];
    Text shape = {0}, configuration = {0};
    *out = (Layer){.name = step->name,
                   .op = step->op,
                   .solver = step->solver->name,
                   .why = step->why,
                   .parts = step->parts,
                   .n_parts = step->n_parts,
                   .ms = median_of(p->all + (size_t)at * (size_t)p->repeat, p->repeat),
                   .fallback = step->why != NULL};
    shape_print(&shape, &step->shape);
    if (step->solver->print) step->solver->print(&step->configuration, &configuration);
    const Status status = keep_text(p->arena, &shape, &out->shape);
    const Status other = keep_text(p->arena, &configuration, &out->configuration);
    return status == ST_OK ? other : status;
}
static Status profile_layers(Profile *p) {
    LayerProfile *out = &p->layers;
    *out = (LayerProfile){.name = path_name(p->path),
                          .isa = isa_name(p->opened.machine.isa),
                          .cpu = p->opened.machine.cpu,
                          .precision = p->opened.precision,
                          .stent = STENT_VERSION,
                          .threads = p->opened.threads,
                          .whole_ms = median_of(p->whole, p->repeat)};
    out->layers = arena_array(p->arena, (size_t)p->plan->n_steps + 1, sizeof *out->layers);
    if (!out->layers) return fail_memory((size_t)p->plan->n_steps * sizeof *out->layers);
    for (; out->count < p->plan->n_steps; out->count++) {
        TRY(layer_of(p, out->count, &out->layers[out->count]));
        out->sum_ms += out->layers[out->count].ms;
    }
    return ST_OK;
}
// other: NULL, or another network whose runs take turns with p's, so that what drifts slowly hits both alike.
static Status measure(Profile *p, Profile *other) {
    TRY(profile_begin(p));
    if (other) TRY(profile_begin(other));
    for (int r = 0; r < p->repeat; r++) {
        TRY(profile_round(p, r));
        if (other) TRY(profile_round(other, r));
        TRY(report_progress(common_options(&p->options->common), "profile", r + 1, p->repeat));
    }
    TRY(profile_layers(p));
    return other ? profile_layers(other) : ST_OK;
}
static void profile_end(Profile *p) {
    session_destroy(p->session);
    close_package(&p->opened);
}
static Status measure_limits(Profile *p) {
    Pool *pool = NULL;
    Status status = pool_create(p->opened.threads, &pool);
    if (status == ST_OK) status = measure_peaks(&p->opened.machine, pool, &p->peaks);
    pool_destroy(pool);
    return status;
}

// How far a step is from what the machine can do.
typedef struct Limit {
    double seconds; // it cannot take less
    double gflops;  // of direct sums, at that time
    bool by_memory;
} Limit;
// How much faster than at the arithmetic peak of fp32 a solver's direct sums could be.
static double saving(const Profile *p, const PlanStep *step) {
    const Effort effort = solver_effort(step->solver, &step->configuration);
    return (effort.on_tiles ? p->peaks.tile_gflops / p->peaks.gflops : 1) / effort.products;
}
static Limit limit_of(const Profile *p, const PlanStep *step) {
    Limit limit = {0};
    limit.seconds = peaks_seconds(&p->peaks, step->flop / saving(p, step), step->bytes, &limit.by_memory);
    limit.gflops = limit.seconds > 0 ? step->flop / limit.seconds * 1e-9 : 0;
    return limit;
}
// Of its threads' time, while they waited for the last one: the median of the runs.
static double waiting_part(const Profile *p, int at) {
    return median_of(p->waiting + (size_t)at * (size_t)p->repeat, p->repeat);
}
// What binds the step, and what keeps it from its limit.
static void print_why(const Profile *p, int at, const Limit *limit, Text *why) {
    const PlanStep *step = &p->plan->steps[at];
    text_add(why, "%s", step->why ? step->why : limit->by_memory ? "bound by memory" : "bound by arithmetic");
    if (step->solver->explain && step->problem)
        step->solver->explain(step->problem, &step->configuration, kernels_for(p->opened.machine.isa),
                              &p->opened.machine, why);
    explain_waiting(why, waiting_part(p, at));
}

static void put_text(JsonWriter *w, const char *key, const char *value) { json_key(w, key), json_string(w, value); }
static void tell_step(const Profile *p, int at, struct stent_result *result, Table *table) {
    const PlanStep *step = &p->plan->steps[at];
    const Layer *layer = &p->layers.layers[at];
    const Limit limit = limit_of(p, step);
    Text why = {0};
    print_why(p, at, &limit, &why);
    const double seconds = layer->ms * 1e-3, gflops = seconds > 0 ? step->flop / seconds * 1e-9 : 0;
    const double part = seconds > 0 ? limit.seconds / seconds : 0;
    JsonWriter *w = &result->writer;
    json_begin_object(w);
    put_text(w, "name", layer->name), put_text(w, "op", layer->op), put_text(w, "shape", layer->shape);
    json_key(w, "parts"), json_begin_array(w);
    for (int i = 0; i < layer->n_parts; i++) json_string(w, layer->parts[i]);
    json_end_array(w);
    put_text(w, "solver", layer->solver), put_text(w, "configuration", layer->configuration);
    json_number_at(w, "ms", layer->ms), json_number_at(w, "gflops", gflops);
    json_number_at(w, "limit_gflops", limit.gflops), json_number_at(w, "part_of_limit", part);
    json_number_at(w, "waiting", waiting_part(p, at));
    put_text(w, "why", text_get(&why));
    json_key(w, "fallback"), json_bool(w, layer->fallback);
    json_end_object(w);
    table_cell(table, "%s", layer->name);
    table_cell(table, "%s", layer->op);
    table_cell(table, "%s", layer->shape);
    table_cell(table, "%s%s%s", layer->solver, *layer->configuration ? " " : "", layer->configuration);
    table_cell(table, "%.3f", layer->ms);
    table_cell(table, "%.0f %%", p->layers.sum_ms > 0 ? 100 * layer->ms / p->layers.sum_ms : 0);
    if (step->flop > 0) table_cell(table, "%.1f", gflops), table_cell(table, "%.1f", limit.gflops);
    else table_cell(table, "-"), table_cell(table, "-");
    if (step->why) table_cell(table, "-");
    else table_cell(table, "%.0f %%", 100 * part);
    table_cell(table, "%s%s", step->why ? "FALLBACK: " : "", text_get(&why));
    result->text.failed = result->text.failed || why.failed;
    text_free(&why);
}
static Status tell(const Profile *p, struct stent_result *result) {
    JsonWriter *w = &result->writer;
    Text *text = &result->text;
    Table table;
    double flop = 0;
    table_begin(&table, "name <", "op <", "shape <", "solver <", "ms >", "part >", "GFLOP/s >", "limit >", "of it >",
                "why <", NULL);
    json_key(w, "layers"), json_begin_array(w);
    for (int i = 0; i < p->plan->n_steps; i++) {
        tell_step(p, i, result, &table);
        flop += p->plan->steps[i].flop;
    }
    json_end_array(w);
    const double sum = p->layers.sum_ms, whole = p->layers.whole_ms;
    json_number_at(w, "sum_ms", sum), json_number_at(w, "whole_ms", whole), json_number_at(w, "flop", flop);
    json_number_at(w, "foreseen_error", p->plan->error);
    json_number_at(w, "peak_gflops", p->peaks.gflops), json_number_at(w, "memory_gbytes", p->peaks.memory_gbytes);
    TRY(table_end(&table, text));
    text_add(text,
             "steps together %.3f ms, whole run %.3f ms (%+.1f %%), %.2f GFLOP, %.1f GFLOP/s; %s, %d threads: "
             "peak %.0f GFLOP/s, memory %.1f GB/s\n",
             sum, whole, 100 * (sum / MAX(whole, 1e-6) - 1), flop * 1e-9, flop / MAX(whole, 1e-6) * 1e-6, p->layers.isa,
             p->layers.threads, p->peaks.gflops, p->peaks.memory_gbytes);
    text_add(text, "foreseen error at most %.1e of the output's deviation; %s may have %.0e\n", p->plan->error,
             p->opened.precision, plan_budget(p->opened.mode));
    tell_fallbacks(p->plan, text);
    return ST_OK;
}

// Chrome's trace event format: complete events, times in microseconds; the steps one after the other, at their medians.
static Status write_trace(const Profile *p, const char *path) {
    Text text = {0};
    JsonWriter w = {.text = &text};
    double at = 0;
    json_begin_object(&w);
    json_key(&w, "displayTimeUnit"), json_string(&w, "ms");
    json_key(&w, "traceEvents"), json_begin_array(&w);
    for (int i = 0; i < p->plan->n_steps; i++) {
        const Layer *layer = &p->layers.layers[i];
        json_begin_object(&w);
        put_text(&w, "name", layer->name), put_text(&w, "cat", layer->solver), put_text(&w, "ph", "X");
        json_number_at(&w, "ts", at), json_number_at(&w, "dur", layer->ms * 1e3);
        json_key(&w, "pid"), json_integer(&w, 1);
        json_key(&w, "tid"), json_integer(&w, 1);
        json_key(&w, "args"), json_begin_object(&w);
        put_text(&w, "op", layer->op), put_text(&w, "configuration", layer->configuration);
        json_end_object(&w);
        json_end_object(&w);
        at += layer->ms * 1e3;
    }
    json_end_array(&w);
    json_end_object(&w);
    Status status = text_status(&text);
    if (status == ST_OK) status = file_write(path, text_get(&text), text.length);
    text_free(&text);
    return status;
}

// The other side of --versus: a package, which is measured in turn with this one, or a profile that was saved.
typedef struct Versus {
    const char *path; // NULL: there is none
    bool is_package;
    Profile measured;
    LayerProfile saved;
} Versus;
static Status versus_open(const Profile *p, Versus *versus) {
    versus->path = p->options->versus;
    if (!versus->path) return ST_OK;
    TRY(package_is(versus->path, &versus->is_package));
    if (!versus->is_package) return layer_profile_read(versus->path, p->arena, &versus->saved);
    versus->measured = (Profile){.options = p->options, .path = versus->path, .arena = p->arena, .repeat = p->repeat};
    return open_package(versus->path, &p->options->common, 0, &versus->measured.opened);
}
static Status profile_opened(Profile *p, Versus *versus, struct stent_result *result) {
    TRY(versus_open(p, versus));
    TRY(measure(p, versus->is_package ? &versus->measured : NULL));
    TRY(measure_limits(p));
    TRY(tell(p, result));
    if (versus->path)
        TRY(tell_versus(&p->layers, versus->is_package ? &versus->measured.layers : &versus->saved, result));
    return p->options->trace ? write_trace(p, p->options->trace) : ST_OK;
}
stent_status stent_profile(const char *package, const stent_profile_options *given, stent_result **out) {
    stent_profile_options options = {.size = sizeof options};
    struct stent_result *result = NULL;
    Arena arena = {0};
    Profile p = {.options = &options, .path = package, .arena = &arena};
    Versus versus = {.path = NULL};
    error_clear();
    if (out) *out = NULL;
    Status status = options_take(given, sizeof options, &options);
    p.repeat = options.repeat > 0 ? MIN(options.repeat, 100000) : 10;
    if (status == ST_OK) status = result_begin("profile", package, &options.common, &result);
    if (status == ST_OK) {
        status = open_package(package, &p.options->common, 0, &p.opened);
        if (status == ST_OK) {
            result_opened(result, &p.opened);
            status = profile_opened(&p, &versus, result);
        }
        profile_end(&versus.measured);
        profile_end(&p);
        status = result_finish(result, status, out);
    }
    arena_free(&arena);
    return (stent_status)status;
}
