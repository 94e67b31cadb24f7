// bench: latencies from input tensor to output tensor; alone, paired with another package, or served line by line.
#include "app/sample.h"
#include "app/steadiness.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/statistics.h"
#include "measure/peaks.h"
#include "tensor/npy.h"
#include <math.h>
#include <string.h>

// One network, ready to run.
typedef struct Runner {
    Opened opened;
    Session *session;
    Sample sample;
    Tensor *outputs;
} Runner;

static Status runner_open(const char *package, const stent_options *options, const char *file, Arena *arena,
                          Runner *out) {
    *out = (Runner){.session = NULL};
    TRY(open_for_input(package, options, file, 0, arena, &out->opened));
    const Graph *graph = out->opened.package->graph;
    TRY(sample_take(&out->opened, file, arena, &out->sample));
    TRY(make_tensors(graph, graph->outputs, graph->n_outputs, arena, &out->outputs));
    return session_create(out->opened.executable, &out->session);
}
static void runner_close(Runner *runner) {
    session_destroy(runner->session);
    close_package(&runner->opened);
}
static Status runner_time(Runner *runner, double *ms) {
    const uint64_t start = clock_ns();
    TRY(session_run(runner->session, runner->sample.inputs, runner->outputs));
    *ms = clock_ms_since(start);
    return ST_OK;
}
// First touches of memory, clocks that rise: at least two runs, and about a fifth of a second.
static Status warm_up(Runner *runner, const stent_options *options) {
    enum { LEAST = 2, MOST = 200 };
    const uint64_t start = clock_ns();
    double ms;
    for (int i = 0; i < LEAST || (i < MOST && clock_ms_since(start) < 200); i++) {
        TRY(runner_time(runner, &ms));
        TRY(report_progress(options, "warm-up", MIN(clock_ms_since(start), 200), 200));
    }
    return ST_OK;
}

// A growing list of numbers.
typedef struct Samples {
    double *values;
    Disturbance *seen; // beside them, or NULL
    size_t count, capacity;
    uint64_t bits;    // hash of the first run's outputs
    size_t different; // runs whose outputs had other bits; both where runs are counted
} Samples;
static Status samples_room(Samples *samples, bool seen) {
    if (samples->count < samples->capacity) return ST_OK;
    const size_t capacity = samples->capacity ? 2 * samples->capacity : 256;
    void *values = mem_resize(samples->values, capacity * sizeof *samples->values);
    if (values) samples->values = values;
    void *grown = seen && values ? mem_resize(samples->seen, capacity * sizeof *samples->seen) : NULL;
    if (grown) samples->seen = grown;
    if (!values || (seen && !grown)) return fail_memory(capacity * (sizeof(double) + sizeof(Disturbance)));
    samples->capacity = capacity;
    return ST_OK;
}
static Status samples_add(Samples *samples, double value) {
    TRY(samples_room(samples, false));
    samples->values[samples->count++] = value;
    return ST_OK;
}
static void samples_free(Samples *samples) { mem_free(samples->values), mem_free(samples->seen); }

static double seconds_of(const stent_bench_options *options) {
    return (options->seconds > 0 ? options->seconds : 3) * measuring_effort;
}
// Whether another round is due: by number, or by time (at least `least` rounds).
static bool goes_on(const stent_bench_options *options, size_t done, size_t least, uint64_t start) {
    if (options->repeat > 0) return done < (size_t)options->repeat;
    return done < least || clock_ms_since(start) < 1e3 * seconds_of(options);
}
static Status tell_progress(const stent_bench_options *options, size_t done, uint64_t start) {
    if (options->repeat > 0) return report_progress(&options->common, "bench", (double)done, options->repeat);
    const double limit = 1e3 * seconds_of(options);
    return report_progress(&options->common, "bench", MIN(clock_ms_since(start), limit), limit);
}
static uint64_t hash_outputs(const Runner *runner) {
    const Graph *graph = runner->opened.package->graph;
    uint64_t hash = 0;
    for (int i = 0; i < graph->n_outputs; i++)
        hash = hash64(runner->outputs[i].data, tensor_bytes(&runner->outputs[i]), hash);
    return hash;
}
// What --list looks at between the runs.
typedef struct Watch {
    CounterFiles files;
    Yardstick *yardstick;
} Watch;
// The loop lasts as long as a run, within bounds: what disturbs the one should show in the other.
static Status watch_open(Runner *runner, Watch *out) {
    double ms;
    counters_open("/proc", "/sys/devices/system/cpu",
                  &out->files); // the threads of runs only: the loop's sleep meanwhile
    TRY(runner_time(runner, &ms));
    return yardstick_open(kernels_for(runner->opened.machine.isa), runner->opened.threads,
                          MIN(MAX(ms, 1), 50) * measuring_effort, &out->yardstick);
}
static void watch_close(Watch *watch) {
    counters_close(&watch->files);
    yardstick_close(watch->yardstick);
}
// watch: NULL, or what the system counts is read before and after each run, and the outputs of all runs are compared.
static Status measure_alone(Runner *runner, const stent_bench_options *options, const Watch *watch, Samples *ms) {
    enum { LEAST = 3, MOST = 1 << 20 };
    const uint64_t start = clock_ns();
    const CounterFiles *counted = watch ? &watch->files : NULL;
    double pace = watch ? yardstick_ms(watch->yardstick) : 0;
    while (ms->count < MOST && goes_on(options, ms->count, LEAST, start)) {
        Counters before, after;
        const double pace_before = pace;
        TRY(samples_room(ms, counted != NULL));
        if (counted) counters_read(counted, &before);
        TRY(runner_time(runner, &ms->values[ms->count]));
        if (counted) counters_read(counted, &after);
        if (counted) pace = yardstick_ms(watch->yardstick);
        if (counted) ms->seen[ms->count] = disturbance_between(&before, &after, (pace_before + pace) / 2);
        const uint64_t hash = counted ? hash_outputs(runner) : 0;
        if (!ms->count) ms->bits = hash;
        ms->different += hash != ms->bits;
        ms->count++;
        TRY(tell_progress(options, ms->count, start));
    }
    return ST_OK;
}
// Rounds of A B B A: what drifts slowly hits both alike. A round's ratio is that of the two sums.
static Status measure_pair(Runner *a, Runner *b, const stent_bench_options *options, Samples *ms, Samples *other,
                           Samples *ratios) {
    enum { LEAST = 5, MOST = 1 << 18 };
    const uint64_t start = clock_ns();
    while (ratios->count < MOST && goes_on(options, ratios->count, LEAST, start)) {
        double a_ms[2], b_ms[2];
        TRY(runner_time(a, &a_ms[0]));
        TRY(runner_time(b, &b_ms[0]));
        TRY(runner_time(b, &b_ms[1]));
        TRY(runner_time(a, &a_ms[1]));
        for (int i = 0; i < 2; i++) {
            TRY(samples_add(ms, a_ms[i]));
            TRY(samples_add(other, b_ms[i]));
        }
        TRY(samples_add(ratios, (a_ms[0] + a_ms[1]) / (b_ms[0] + b_ms[1])));
        TRY(tell_progress(options, ratios->count, start));
    }
    return ST_OK;
}

static void put_samples(JsonWriter *w, const char *key, const Samples *samples) {
    json_key(w, key), json_begin_array(w);
    for (size_t i = 0; i < samples->count; i++) json_number(w, rounded_ms(samples->values[i]));
    json_end_array(w);
}
static Status tell_latency(const Runner *runner, const stent_bench_options *options, const Samples *ms,
                           struct stent_result *result) {
    const Plan *plan = executable_plan(runner->opened.executable);
    JsonWriter *w = &result->writer;
    Text *text = &result->text;
    Summary s;
    TRY(summarise(ms->values, ms->count, &s));
    const double peak = (double)memory_peak() / 1e6, arena = (double)plan->arena_bytes / 1e6,
                 weights = (double)executable_weights_bytes(runner->opened.executable) / 1e6;
    put_samples(w, "ms", ms);
    json_number_at(w, "min_ms", rounded_ms(s.min)), json_number_at(w, "median_ms", rounded_ms(s.median));
    json_number_at(w, "p90_ms", rounded_ms(s.p90)), json_number_at(w, "p99_ms", rounded_ms(s.p99)),
        json_number_at(w, "cv", s.cv);
    json_number_at(w, "peak_rss_mb", peak), json_number_at(w, "arena_mb", arena),
        json_number_at(w, "weights_mb", weights);
    TRY(tell_steadiness(&(Runs){ms->values, ms->seen, ms->count}, options->list, result));
    text_add(text, "median %.3f ms  (min %.3f, p90 %.3f, p99 %.3f, variation %.1f %%, %zu runs) on %s, %d threads\n",
             s.median, s.min, s.p90, s.p99, 100 * s.cv, ms->count, isa_name(runner->opened.machine.isa),
             runner->opened.threads);
    text_add(text, "memory: peak %.0f MB, of which arena %.1f MB and prepared weights %.1f MB\n", peak, arena, weights);
    return ST_OK;
}
// *slower: beyond the noise.
static Status tell_ratio(const char *versus, const Samples *other, const Samples *ratios, struct stent_result *result,
                         bool *slower) {
    JsonWriter *w = &result->writer;
    Ratio r;
    Summary s;
    TRY(summarise(other->values, other->count, &s));
    TRY(bootstrap_median(ratios->values, ratios->count, 1, &r));
    *slower = r.low > 1;
    json_key(w, "versus"), json_string(w, path_name(versus));
    put_samples(w, "versus_ms", other);
    json_number_at(w, "versus_median_ms", rounded_ms(s.median));
    json_number_at(w, "ratio_median", r.median), json_number_at(w, "ratio_low", r.low),
        json_number_at(w, "ratio_high", r.high);
    json_key(w, "rounds"), json_integer(w, (int64_t)ratios->count);
    text_add(&result->text,
             "%s: median %.3f ms\ntime as a part of its time: %.3f  (95 %% interval %.3f to %.3f, %zu rounds): %s\n",
             path_name(versus), s.median, r.median, r.low, r.high, ratios->count,
             *slower      ? "slower"
             : r.high < 1 ? "faster"
                          : "no difference beyond the noise");
    return ST_OK;
}

// Both must take the same tensors: B gets A's.
static Status share_inputs(const Runner *a, Runner *b) {
    const int count = a->opened.package->graph->n_inputs;
    bool same = b->opened.package->graph->n_inputs == count;
    for (int i = 0; same && i < count; i++)
        same = a->sample.inputs[i].dtype == b->sample.inputs[i].dtype &&
               shape_equal(&a->sample.inputs[i].shape, &b->sample.inputs[i].shape);
    FAIL_IF(!same, ST_USAGE, "--versus: the two packages take different inputs");
    b->sample.inputs = a->sample.inputs;
    return ST_OK;
}
static Status bench_pair(Runner *runner, const stent_bench_options *options, Arena *arena,
                         struct stent_result *result) {
    Runner other;
    Samples ms = {0}, other_ms = {0}, ratios = {0};
    bool slower = false;
    Status status = runner_open(options->versus, &options->common, options->input, arena, &other);
    if (status == ST_OK) status = share_inputs(runner, &other);
    if (status == ST_OK) status = warm_up(&other, &options->common);
    if (status == ST_OK) status = measure_pair(runner, &other, options, &ms, &other_ms, &ratios);
    if (status == ST_OK) status = tell_latency(runner, options, &ms, result);
    if (status == ST_OK) status = tell_ratio(options->versus, &other_ms, &ratios, result, &slower);
    runner_close(&other);
    samples_free(&ms), samples_free(&other_ms), samples_free(&ratios);
    if (status == ST_OK && options->gate && slower)
        return fail(ST_NO, "slower than %s beyond the noise", options->versus);
    return status;
}
// Bits hang on content, arithmetic and instruction set only: that they differ is a fault, of stent or of the machine.
static Status tell_bits(const Samples *ms, struct stent_result *result) {
    json_key(&result->writer, "different_runs"), json_integer(&result->writer, (int64_t)ms->different);
    FAIL_IF(ms->different, ST_NO, "%zu of %zu runs gave other bits than the first one", ms->different, ms->count);
    text_add(&result->text, "all %zu runs gave the same bits\n", ms->count);
    return ST_OK;
}
static Status bench_alone(Runner *runner, const stent_bench_options *options, struct stent_result *result) {
    Samples ms = {0};
    Watch watch = {.yardstick = NULL};
    Status status = options->list ? watch_open(runner, &watch) : ST_OK;
    if (status == ST_OK) status = measure_alone(runner, options, options->list ? &watch : NULL, &ms);
    if (options->list) watch_close(&watch);
    if (status == ST_OK) status = tell_latency(runner, options, &ms, result);
    if (status == ST_OK && options->list) status = tell_bits(&ms, result);
    samples_free(&ms);
    return status;
}
static Status bench(const char *package, const stent_bench_options *options, Arena *arena,
                    struct stent_result *result) {
    Runner runner;
    FAIL_IF(options->gate && !options->versus, ST_USAGE, "--gate: needs --versus");
    FAIL_IF(options->expect, ST_USAGE, "--expect: goes with --lockstep; to compare tensors say stent verify");
    Status status = runner_open(package, &options->common, options->input, arena, &runner);
    if (status == ST_OK) {
        result_opened(result, &runner.opened);
        json_key(&result->writer, "open_ms"), json_number(&result->writer, rounded_ms(runner.opened.open_ms));
        status = warm_up(&runner, &options->common);
    }
    if (status == ST_OK)
        status = options->versus ? bench_pair(&runner, options, arena, result) : bench_alone(&runner, options, result);
    runner_close(&runner);
    return status;
}
stent_status stent_bench(const char *package, const stent_bench_options *given, stent_result **out) {
    stent_bench_options options = {.size = sizeof options};
    struct stent_result *result = NULL;
    Arena arena = {0};
    error_clear();
    if (out) *out = NULL;
    Status status = options_take(given, sizeof options, &options);
    if (status == ST_OK) status = result_begin("bench", package, &options.common, &result);
    if (status == ST_OK) status = result_finish(result, bench(package, &options, &arena, result), out);
    arena_free(&arena);
    return (stent_status)status;
}

// ---- lockstep

// Largest difference from --expect, else from the self-check; NaN when there is neither.
static Status largest_error(Runner *runner, const stent_bench_options *options, Arena *arena, double *out) {
    const Graph *graph = runner->opened.package->graph;
    Tensor given;
    const Tensor *expected = runner->sample.expected;
    double ms;
    if (options->expect) {
        FAIL_IF(graph->n_outputs != 1, ST_USAGE, "--expect: the network has %d outputs, one is expected",
                graph->n_outputs);
        TRY(npy_read(arena, options->expect, &given));
        expected = &given;
    }
    TRY(runner_time(runner, &ms));
    *out = NAN;
    if (!expected) return ST_OK;
    Difference difference;
    Status status = difference_of(&runner->opened, runner->outputs, expected, 0, 0, &difference);
    *out = difference.max_abs;
    return status == ST_OK || !options->expect ? status : fail_context(status, "%s", options->expect);
}
static Status answer(Runner *runner, int64_t count, FILE *out) {
    fputc('[', out);
    for (int64_t i = 0; i < count; i++) {
        double ms;
        TRY(runner_time(runner, &ms));
        fprintf(out, "%s%.4f", i ? ", " : "", ms);
    }
    fputs("]\n", out);
    FAIL_IF(fflush(out), ST_RESOURCE, "lockstep: cannot write the answer");
    return ST_OK;
}
static Status serve(Runner *runner, const stent_bench_options *options, FILE *in, FILE *out) {
    char line[128];
    while (fgets(line, sizeof line, in)) {
        int64_t count;
        line[strcspn(line, "\r\n")] = 0;
        FAIL_IF(!text_starts(line, "run ") || !parse_i64(line + 4, &count) || count < 0 || count > 1000000, ST_BAD,
                "lockstep: expected a line 'run N', got '%s'", line);
        TRY(answer(runner, count, out));
        TRY(report_progress(&options->common, "lockstep", 0, 0));
    }
    return report_progress(&options->common, "lockstep", 0, 0); // a signal ends the waiting too
}
static Status lockstep(const char *package, const stent_bench_options *options, Arena *arena, FILE *in, FILE *out,
                       struct stent_result *result) {
    Runner runner;
    double error;
    FAIL_IF(options->versus, ST_USAGE, "--lockstep and --versus don't go together");
    FAIL_IF(options->expect && !options->input, ST_USAGE, "--expect: needs --input x.npy");
    Status status = runner_open(package, &options->common, options->input, arena, &runner);
    if (status == ST_OK) result_opened(result, &runner.opened);
    if (status == ST_OK) status = largest_error(&runner, options, arena, &error);
    if (status == ST_OK) {
        fprintf(out, "ready %.3g %s\n", error, STENT_VERSION);
        if (fflush(out)) status = fail(ST_RESOURCE, "lockstep: cannot write the answer");
    }
    if (status == ST_OK) status = serve(&runner, options, in, out);
    runner_close(&runner);
    return status;
}
stent_status stent_bench_lockstep(const char *package, const stent_bench_options *given, FILE *in, FILE *out) {
    stent_bench_options options = {.size = sizeof options};
    struct stent_result *result = NULL; // for the log
    Arena arena = {0};
    error_clear();
    Status status = options_take(given, sizeof options, &options);
    if (status == ST_OK) status = result_begin("bench", package, &options.common, &result);
    if (status == ST_OK) status = result_finish(result, lockstep(package, &options, &arena, in, out, result), NULL);
    arena_free(&arena);
    return (stent_status)status;
}
