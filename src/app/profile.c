// profile: the median time of every step of the plan, beside what this machine could do at most.
#include "app/sample.h"
#include "base/clock.h"
#include "measure/peaks.h"
#include "measure/statistics.h"
#include "report/table.h"
#include <string.h>

typedef struct Profile {
    const stent_profile_options *options;
    Opened opened;
    const Plan *plan;
    Session *session;
    Sample sample;
    Tensor *outputs;
    Arena *arena;
    int repeat;
    double *ms; // (steps) medians
    double whole_ms, sum_ms;
    Peaks peaks;
} Profile;

static Status measure(Profile *p) {
    const size_t steps = (size_t)p->plan->n_steps, repeat = (size_t)p->repeat;
    double *all = arena_array(p->arena, steps * repeat + 1, sizeof *all); // [step][run]
    double *whole = arena_array(p->arena, repeat, sizeof *whole);
    uint64_t *times = arena_array(p->arena, steps + 1, sizeof *times);
    p->ms = arena_array(p->arena, steps + 1, sizeof *p->ms);
    if (!all || !whole || !times || !p->ms) return fail_memory(steps * repeat * sizeof *all);
    for (int warm = 0; warm < 2; warm++) TRY(session_run(p->session, p->sample.inputs, p->outputs));
    for (size_t r = 0; r < repeat; r++) {
        // Plain and profiled runs in turn: the whole is measured without the profiler.
        const uint64_t start = clock_ns();
        TRY(session_run(p->session, p->sample.inputs, p->outputs));
        whole[r] = clock_ms_since(start);
        memset(times, 0, steps * sizeof *times);
        TRY(session_profile(p->session, p->sample.inputs, p->outputs, times));
        for (size_t s = 0; s < steps; s++) all[s * repeat + r] = (double)times[s] * 1e-6;
        TRY(report_progress(common_options(&p->options->common), "profile", (double)r + 1, (double)repeat));
    }
    sort_doubles(whole, repeat);
    p->whole_ms = sorted_quantile(whole, repeat, 0.5);
    for (size_t s = 0; s < steps; s++) {
        sort_doubles(all + s * repeat, repeat);
        p->ms[s] = sorted_quantile(all + s * repeat, repeat, 0.5);
        p->sum_ms += p->ms[s];
    }
    return ST_OK;
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
    const char *why;
} Limit;
// How much faster than at the arithmetic peak of fp32 a solver's direct sums could be. Winograd F(m,3) computes 9 m^2
// multiply-adds with (m+2)^2 products; AMX takes 1, 3 or 6 products of tiles for one, from 1, 2 or 3 parts of a value.
static double saving(const Profile *p, const PlanStep *step) {
    const double first = step->configuration.arithmetic[0];
    if (!strcmp(step->solver->name, "conv_winograd")) return 9 * first * first / ((first + 2) * (first + 2));
    if (strstr("conv_amx conv_transpose_amx", step->solver->name))
        return p->peaks.tile_gflops / p->peaks.gflops / (first * (first + 1) / 2);
    return 1;
}
static Limit limit_of(const Profile *p, const PlanStep *step) {
    bool by_memory;
    Limit limit = {.seconds = peaks_seconds(&p->peaks, step->flop / saving(p, step), step->bytes, &by_memory)};
    limit.gflops = limit.seconds > 0 ? step->flop / limit.seconds * 1e-9 : 0;
    limit.why = step->why ? step->why : by_memory ? "bound by memory" : "bound by arithmetic";
    return limit;
}

static void print_configuration(const PlanStep *step, Text *text) {
    if (step->solver->print) step->solver->print(&step->configuration, text);
}
static void put_number(JsonWriter *w, const char *key, double value) { json_key(w, key), json_number(w, value); }
static void tell_step(const Profile *p, int at, struct stent_result *result, Table *table) {
    const PlanStep *step = &p->plan->steps[at];
    const Limit limit = limit_of(p, step);
    const double seconds = p->ms[at] * 1e-3, gflops = seconds > 0 ? step->flop / seconds * 1e-9 : 0;
    const double part = seconds > 0 ? limit.seconds / seconds : 0;
    Text shape = {0}, configuration = {0};
    shape_print(&shape, &step->shape);
    print_configuration(step, &configuration);
    JsonWriter *w = &result->writer;
    json_begin_object(w);
    json_key(w, "name"), json_string(w, step->name);
    json_key(w, "op"), json_string(w, step->op);
    json_key(w, "shape"), json_string(w, text_get(&shape));
    json_key(w, "solver"), json_string(w, step->solver->name);
    json_key(w, "configuration"), json_string(w, text_get(&configuration));
    put_number(w, "ms", p->ms[at]), put_number(w, "gflops", gflops);
    put_number(w, "limit_gflops", limit.gflops), put_number(w, "part_of_limit", part);
    json_key(w, "why"), json_string(w, limit.why);
    json_key(w, "fallback"), json_bool(w, step->why != NULL);
    json_end_object(w);
    table_cell(table, "%s", step->name);
    table_cell(table, "%s", step->op);
    table_cell(table, "%s", text_get(&shape));
    table_cell(table, "%s%s%s", step->solver->name, configuration.length ? " " : "", text_get(&configuration));
    table_cell(table, "%.3f", p->ms[at]);
    table_cell(table, "%.0f %%", p->sum_ms > 0 ? 100 * p->ms[at] / p->sum_ms : 0);
    if (step->flop > 0) table_cell(table, "%.1f", gflops), table_cell(table, "%.1f", limit.gflops);
    else table_cell(table, "-"), table_cell(table, "-");
    if (step->why) table_cell(table, "-");
    else table_cell(table, "%.0f %%", 100 * part);
    table_cell(table, "%s%s", step->why ? "FALLBACK: " : "", limit.why);
    result->text.failed = result->text.failed || shape.failed || configuration.failed;
    text_free(&shape), text_free(&configuration);
}
static void tell_fallbacks(const Profile *p, Text *text) {
    for (int i = 0; i < p->plan->n_steps; i++)
        if (p->plan->steps[i].why)
            text_add(text, "slow: '%s' (%s) runs on the reference path: %s\n", p->plan->steps[i].name,
                     p->plan->steps[i].op, p->plan->steps[i].why);
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
    put_number(w, "sum_ms", p->sum_ms), put_number(w, "whole_ms", p->whole_ms), put_number(w, "flop", flop);
    put_number(w, "foreseen_error", p->plan->error);
    put_number(w, "peak_gflops", p->peaks.gflops), put_number(w, "memory_gbytes", p->peaks.memory_gbytes);
    TRY(table_end(&table, text));
    text_add(text,
             "steps together %.3f ms, whole run %.3f ms, %.2f GFLOP, %.1f GFLOP/s; %s, %d threads: peak %.0f GFLOP/s, "
             "memory %.1f GB/s\n",
             p->sum_ms, p->whole_ms, flop * 1e-9, flop / MAX(p->whole_ms, 1e-6) * 1e-6, isa_name(p->opened.machine.isa),
             p->opened.threads, p->peaks.gflops, p->peaks.memory_gbytes);
    text_add(text, "foreseen error at most %.1e of the output's deviation; %s may have %.0e\n", p->plan->error,
             p->opened.precision, plan_budget(p->opened.mode));
    tell_fallbacks(p, text);
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
        const PlanStep *step = &p->plan->steps[i];
        Text configuration = {0};
        print_configuration(step, &configuration);
        json_begin_object(&w);
        json_key(&w, "name"), json_string(&w, step->name);
        json_key(&w, "cat"), json_string(&w, step->solver->name);
        json_key(&w, "ph"), json_string(&w, "X");
        put_number(&w, "ts", at), put_number(&w, "dur", p->ms[i] * 1e3);
        json_key(&w, "pid"), json_integer(&w, 1);
        json_key(&w, "tid"), json_integer(&w, 1);
        json_key(&w, "args"), json_begin_object(&w);
        json_key(&w, "op"), json_string(&w, step->op);
        json_key(&w, "configuration"), json_string(&w, text_get(&configuration));
        json_end_object(&w);
        json_end_object(&w);
        at += p->ms[i] * 1e3;
        text_free(&configuration);
    }
    json_end_array(&w);
    json_end_object(&w);
    Status status = text_status(&text);
    if (status == ST_OK) status = file_write(path, text_get(&text), text.length);
    text_free(&text);
    return status;
}

static Status profile_opened(Profile *p, struct stent_result *result) {
    const Graph *graph = p->opened.package->graph;
    p->plan = executable_plan(p->opened.executable);
    TRY(sample_take(&p->opened, NULL, p->arena, &p->sample));
    TRY(make_tensors(graph, graph->outputs, graph->n_outputs, p->arena, &p->outputs));
    Status status = session_create(p->opened.executable, &p->session);
    if (status == ST_OK) status = measure(p);
    session_destroy(p->session);
    if (status == ST_OK) status = measure_limits(p);
    if (status == ST_OK) status = tell(p, result);
    if (status == ST_OK && p->options->trace) status = write_trace(p, p->options->trace);
    return status;
}
stent_status stent_profile(const char *package, const stent_profile_options *given, stent_result **out) {
    stent_profile_options options = {.size = sizeof options};
    struct stent_result *result = NULL;
    Arena arena = {0};
    Profile p = {.options = &options, .arena = &arena};
    error_clear();
    if (out) *out = NULL;
    Status status = options_take(given, sizeof options, &options);
    p.repeat = options.repeat > 0 ? MIN(options.repeat, 100000) : 10;
    if (status == ST_OK) status = result_begin("profile", package, &options.common, &result);
    if (status == ST_OK) {
        status = open_package(package, &p.options->common, 0, &p.opened);
        if (status == ST_OK) {
            result_opened(result, &p.opened);
            status = profile_opened(&p, result);
            close_package(&p.opened);
        }
        status = result_finish(result, status, out);
    }
    arena_free(&arena);
    return (stent_status)status;
}
