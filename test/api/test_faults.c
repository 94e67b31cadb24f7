// Each thing that the system may refuse is refused once in turn, over all verbs: a status with one line, no leak,
// nothing half-written, and the same call then works and gives the same bytes. What may fail without harm is named
// below.
#include "app/pictures.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/folder.h"
#include "cli/program.h"
#include "package/make_package.h"
#include "stent.h"
#include "tensor/npy.h"
#include "wisdom/lines.h"
#include <unistd.h>

// What a verb has left in its folder. Of files that are full of times the name counts alone; the log may be torn.
static void list_output(const char *out, Text *list) {
    static const char *const timed[] = {"trace.json", "demo.json", "table.txt", "log.txt"};
    Text all = {0};
    folder_text(out, "", &all);
    for (const char *line = text_get(&all), *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        const char *space = memchr(line, ' ', (size_t)(end - line)), *name = space;
        while (name > line && name[-1] != '/') name--;
        bool is_timed = false;
        for (size_t i = 0; i < COUNT_OF(timed); i++)
            is_timed = is_timed || ((size_t)(space - name) == strlen(timed[i]) && text_starts(name, timed[i]));
        text_add(list, "%.*s\n", (int)((is_timed ? space : end) - line), line);
    }
    text_free(&all);
}

// ---- what is held

typedef struct Held {
    int64_t memory;
    size_t handles, threads;
} Held;
// Threads between the calls, as the driver begins. A thread that was joined is seen for a moment still, under an
// emulator for longer: waited for before it is counted.
static size_t own_threads;
static void count_own_threads(void) {
    own_threads = SIZE_MAX;
    for (int same = 0; same < 20; usleep(1000)) {
        const size_t now = folder_count("/proc/self/task");
        same = now == own_threads ? same + 1 : 0;
        own_threads = now;
    }
}
static Held held(void) {
    Held now = {.handles = folder_count("/proc/self/fd"), .threads = folder_count("/proc/self/task")};
    for (int i = 0; i < 1000 && now.threads > own_threads; i++) {
        usleep(1000);
        now.threads = folder_count("/proc/self/task");
    }
    now.memory = memory_live();
    return now;
}

// ---- the driver

typedef stent_status VerbCall(const char *out);
typedef struct Verb {
    const char *name;
    void (*prepare)(const char *out); // NULL: an empty folder
    VerbCall *call;
    int few; // points that are tried in a short run; 0: 20. Fewer for what takes a good part of a second each time
} Verb;

static void start_afresh(const Verb *verb, const char *out) {
    folder_empty(out);
    folder_empty(test_temp("data")); // the self-check runs and is recorded each time
    CHECK_OK(folder_make(out));
    if (verb->prepare) verb->prepare(out);
}
static void check_message(const Verb *verb, int64_t n, unsigned kind, stent_status status) {
    const char *message = stent_message();
    CHECK_MSG(status == STENT_RESOURCE, "%s, point %lld (kind %u): status %d: %s", verb->name, (long long)n, kind,
              status, message);
    CHECK_MSG(*message && !strchr(message, '\n'), "%s, point %lld (kind %u): '%s'", verb->name, (long long)n, kind,
              message);
}
// Whatever is there is whole: each file as in an undisturbed run, but for the list of results, which may be shorter.
static void check_left(const Verb *verb, int64_t n, const char *out, const Text *expected) {
    Text left = {0};
    list_output(out, &left);
    CHECK_MSG(!folder_endings(out, ".tmp") && !folder_endings(test_temp("data"), ".tmp"), "%s, point %lld left %s",
              verb->name, (long long)n, text_get(&left));
    for (const char *line = text_get(&left), *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        char file[512];
        snprintf(file, sizeof file, "%.*s", (int)(end - line + 1), line);
        CHECK_MSG(strstr(file, "results") || strstr(text_get(expected), file), "%s, point %lld left %s", verb->name,
                  (long long)n, file);
    }
    text_free(&left);
}
static void check_same(const Verb *verb, int64_t n, const char *what, const char *out, const Text *expected) {
    Text now = {0};
    list_output(out, &now);
    CHECK_MSG(!strcmp(text_get(&now), text_get(expected)), "%s, point %lld, %s: got\n%sexpected\n%s", verb->name,
              (long long)n, what, text_get(&now), text_get(expected));
    text_free(&now);
}
// One fault, and the same call again. False: the run ended before the fault.
static bool fail_once(const Verb *verb, unsigned kinds, int64_t n, const char *out, const Text *expected) {
    start_afresh(verb, out);
    const Held before = held();
    fault_after(kinds, n);
    const stent_status status = verb->call(out);
    const unsigned met = fault_met();
    fault_after(0, -1);
    const Held after = held();
    CHECK_MSG(before.memory == after.memory && before.handles == after.handles && before.threads == after.threads,
              "%s, point %lld (kind %u): %lld pieces of memory, %zu handles, %zu threads became %lld, %zu, %zu",
              verb->name, (long long)n, met, (long long)before.memory, before.handles, before.threads,
              (long long)after.memory, after.handles, after.threads);
    if (status != STENT_OK) {
        CHECK_MSG(met, "%s, point %lld: status %d without a fault: %s", verb->name, (long long)n, status,
                  stent_message());
        check_message(verb, n, met, status);
        check_left(verb, n, out, expected);
    } else {
        check_same(verb, n, "done in spite of a fault", out, expected);
    }
    if (met) {
        const stent_status again = verb->call(out);
        CHECK_MSG(again == STENT_OK, "%s, again after point %lld (kind %u): %d: %s", verb->name, (long long)n, met,
                  again, stent_message());
        check_same(verb, n, "again", out, expected);
    }
    return met != 0;
}
static int64_t count_points(const Verb *verb, unsigned kinds, const char *out) {
    start_afresh(verb, out);
    fault_after(kinds, INT64_MAX);
    const stent_status status = verb->call(out);
    const int64_t points = fault_passed();
    fault_after(0, -1);
    CHECK_MSG(status == STENT_OK, "%s: %s", verb->name, stent_message());
    return points;
}
// At most `most` of the points, spread evenly; 0: each of them, until a run meets none.
static void fail_in_turn(const Verb *verb, unsigned kinds, int64_t most, const char *out, const Text *expected) {
    const int64_t points = count_points(verb, kinds, out);
    CHECK_MSG(points > 0, "%s: no fault point", verb->name);
    if (!most || most > points) most = points;
    for (int64_t i = 0; i < most; i++) (void)fail_once(verb, kinds, i * points / most, out, expected);
    // Which thread is where differs from run to run: a few more may be met behind the last one.
    for (int64_t n = points; most == points && fail_once(verb, kinds, n, out, expected); n++)
        REQUIRE(n < points + 1000);
}
// How many points are tried: each one in a long run; the sanitizers take ten times as long for one and get a share.
static int64_t most_points(const Verb *verb) {
    if (!test_long()) return verb->few ? verb->few : 20;
#if defined(__SANITIZE_ADDRESS__)
    return 300;
#else
    return 0;
#endif
}
static void drive(const Verb *verb) {
    const char *out = test_temp("out");
    Text expected = {0};
    setenv("XDG_DATA_HOME", test_temp("data"), 1);
    setenv("STENT_THREADS", "2", 1);
    stent_log(NULL, NULL, 0);
    measuring_effort = 0.01;
    count_own_threads();
    start_afresh(verb, out);
    if (verb->call(out) != STENT_OK) test_failed(__FILE__, __LINE__, "%s: %s", verb->name, stent_message()), test_end();
    list_output(out, &expected);
    fail_in_turn(verb, FAULT_ALL & ~FAULT_MEMORY, most_points(verb), out, &expected);
    fail_in_turn(verb, FAULT_MEMORY, most_points(verb), out, &expected);
    text_free(&expected);
}

// ---- the verbs, on a small network and small pictures

// Without memory of ours, which would be counted.
static const char *in_out(const char *out, const char *name) {
    static char paths[4][4096];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", out, name);
    return path;
}
// What a call found, beside what it wrote.
static void keep(const char *out, const char *name, const void *bytes, size_t size) {
    FILE *file = fopen(in_out(out, name), "wb");
    REQUIRE(file && fwrite(bytes, 1, size, file) == size);
    fclose(file);
}
static const char *package; // the one that the verbs open
static void make_small_package(void) { package = compile_to("net.stent", small_model(), NULL); }
static const char *tensor_here(void) {
    static const char *path;
    static float values[3 * 32 * 32];
    if (path) return path;
    path = test_temp("x.npy");
    for (size_t i = 0; i < COUNT_OF(values); i++) values[i] = (float)(i * 7 % 64) / 64;
    CHECK_OK(npy_write(path, &(Tensor){DT_F32, shape_of(4, (const int64_t[]){1, 3, 32, 32}), values}));
    return path;
}
static const char *pictures_here(void) {
    static const char *folder;
    if (folder) return folder;
    folder = test_temp("pictures");
    CHECK_OK(folder_make(test_temp("pictures/deep")));
    uint8_t samples[20 * 24 * 3];
    static const char *const names[] = {"pictures/1.png", "pictures/2.tif", "pictures/deep/3.png"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        for (size_t k = 0; k < sizeof samples; k++) samples[k] = (uint8_t)(k * (11 + i));
        write_u8(test_temp(names[i]), 20, 24, 3, samples);
    }
    return folder;
}

static stent_status call_compile(const char *out) {
    stent_compile_options options = STENT_OPTIONS(stent_compile_options);
    options.opt_level = -1;
    options.pipeline = test_temp("pipeline.json");
    options.sample = tensor_here();
    options.common.log_file = in_out(out, "log.txt");
    stent_result *result = NULL;
    const stent_status status = stent_compile(test_temp("small.onnx"), in_out(out, "net.stent"), &options, &result);
    stent_result_free(result);
    return status;
}
TEST(compile) {
    (void)small_model();
    (void)tensor_here();
    (void)write_text("pipeline.json", "{\"version\": 1, \"input\": {\"size\": [32, 32], \"resize\": \"bilinear\"}}");
    drive(&(Verb){.name = "compile", .call = call_compile});
}

static const char *weights_beside(void) { // y = x * scale + weights in a file of their own; scale is bound
    OnnxFile file = onnx_file(13);
    float values[2048];
    for (size_t i = 0; i < COUNT_OF(values); i++) values[i] = (float)i / 100;
    keep(test_temp(""), "weights.bin", values, sizeof values);
    onnx_input(&file, "x", FLOAT32, "1,2048");
    onnx_input(&file, "scale", FLOAT32, "1");
    onnx_external_floats(&file, "w", "1,2048", "weights.bin", NULL, NULL);
    onnx_node(&file, "Mul", "x scale", "s", "");
    onnx_node(&file, "Add", "s w", "y", "");
    onnx_output(&file, "y");
    CHECK_OK(npy_write(test_temp("bind.npy"), &(Tensor){DT_F32, shape_of(1, (const int64_t[]){1}), (float[]){2}}));
    return onnx_save(&file, "beside.onnx");
}
static char bind_item[4200];
static stent_status call_compile_bind(const char *out) {
    stent_compile_options options = STENT_OPTIONS(stent_compile_options);
    const char *const bind[] = {bind_item, NULL};
    options.bind = bind;
    return stent_compile(test_temp("beside.onnx"), in_out(out, "net.stent"), &options, NULL);
}
TEST(compile_with_bind_and_external_data) {
    (void)weights_beside();
    snprintf(bind_item, sizeof bind_item, "scale=%s", test_temp("bind.npy"));
    drive(&(Verb){.name = "compile --bind", .call = call_compile_bind});
}

static stent_status tell(const char *out, stent_status status, stent_result *result, bool keeps) {
    if (status == STENT_OK && keeps) keep(out, "told", stent_result_json(result), strlen(stent_result_json(result)));
    stent_result_free(result);
    return status;
}
static stent_status call_info_model(const char *out) {
    stent_result *result = NULL;
    const stent_status status = stent_info(test_temp("small.onnx"), NULL, &result);
    return tell(out, status, result, true);
}
TEST(info_of_a_model) {
    (void)small_model();
    drive(&(Verb){.name = "info MODEL", .call = call_info_model});
}
static stent_status call_info_package(const char *out) {
    stent_result *result = NULL;
    const stent_status status = stent_info(package, NULL, &result);
    return tell(out, status, result, true);
}
TEST(info_of_a_package) {
    make_small_package();
    drive(&(Verb){.name = "info PACKAGE", .call = call_info_package});
}
static stent_status call_machine(const char *out) {
    stent_result *result = NULL;
    const stent_status status = stent_machine(false, NULL, &result);
    return tell(out, status, result, false);
}
TEST(machine) { drive(&(Verb){.name = "machine", .call = call_machine}); }
static stent_status call_measure(const char *out) {
    stent_result *result = NULL;
    const stent_status status = stent_machine(true, NULL, &result);
    return tell(out, status, result, false);
}
TEST(machine_measured) { drive(&(Verb){.name = "machine --measure", .call = call_measure, .few = 4}); }

// A network with a step on the reference path, which allocates while it runs.
static const char *odd_package(void) {
    static const char *odd;
    if (!odd)
        odd = make_package("odd.stent", "graph (%x: float32[1x3x12x12]) -> (%y) {\n"
                                        " %w = const float32[8x3x3x3] random(seed=1, scale=0.2)\n"
                                        " %a = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
                                        " %b = Abs (%a)\n"
                                        " %e = const float32[8x1x1] full(1.5)\n"
                                        " %y = Pow (%b, %e)\n"
                                        "}\n");
    return odd;
}
static stent_status call_session(const char *out) {
    static float input[3 * 12 * 12], output[8 * 12 * 12];
    const stent_tensor x = {STENT_FLOAT32, 4, {1, 3, 12, 12}, input};
    stent_tensor y = {STENT_FLOAT32, 4, {1, 8, 12, 12}, output};
    stent_executable *net = NULL;
    stent_session *session = NULL;
    for (size_t i = 0; i < COUNT_OF(input); i++) input[i] = (float)(i % 17) / 17;
    stent_status status = stent_open(odd_package(), NULL, &net);
    if (status == STENT_OK) status = stent_session_create(net, &session);
    if (status == STENT_OK) status = stent_run(session, &x, 1, &y, 1);
    if (status == STENT_OK) keep(out, "y.bin", output, sizeof output);
    stent_session_destroy(session);
    stent_release(net);
    return status;
}
TEST(open_and_run) {
    (void)odd_package();
    drive(&(Verb){.name = "open, session, run", .call = call_session});
}

static const char *run_output;
static bool run_by_reference;
static stent_status call_run(const char *out) {
    stent_run_options options = STENT_OPTIONS(stent_run_options);
    const char *const inputs[] = {tensor_here(), NULL};
    options.inputs = inputs;
    options.output = in_out(out, run_output);
    options.reference = run_by_reference;
    options.common.log_file = in_out(out, "log.txt");
    stent_result *result = NULL;
    const stent_status status = stent_run_files(package, &options, &result);
    return tell(out, status, result, false);
}
static void drive_run(const char *output, bool reference) {
    make_small_package();
    (void)tensor_here();
    run_output = output, run_by_reference = reference;
    drive(&(Verb){.name = output, .call = call_run});
}
TEST(run_to_npy) { drive_run("y.npy", false); }
TEST(run_to_npz) { drive_run("y.npz", false); }
TEST(run_by_reference_) { drive_run("y.npy", true); }

static bool bench_pairs;
static stent_status call_bench(const char *out) {
    stent_bench_options options = STENT_OPTIONS(stent_bench_options);
    options.repeat = 2;
    options.input = tensor_here();
    options.versus = bench_pairs ? package : NULL;
    options.list = true; // what the system counts is read
    stent_result *result = NULL;
    const stent_status status = stent_bench(package, &options, &result);
    return tell(out, status, result, false);
}
TEST(bench) {
    make_small_package();
    (void)tensor_here();
    drive(&(Verb){.name = "bench", .call = call_bench, .few = 4});
}
TEST(bench_versus) {
    make_small_package();
    (void)tensor_here();
    bench_pairs = true;
    drive(&(Verb){.name = "bench --versus", .call = call_bench, .few = 4});
}
static stent_status call_tune(const char *out) {
    stent_tune_options options = STENT_OPTIONS(stent_tune_options);
    options.seconds = 1e-3;
    stent_result *result = NULL;
    const stent_status status = stent_tune(package, &options, &result);
    return tell(out, status, result, false);
}
TEST(tune) {
    make_small_package();
    drive(&(Verb){.name = "tune", .call = call_tune, .few = 6});
}
// wisdom: two lines of another machine. It is a list like results.json: a call that failed may leave it as it was.
static const char *wisdom_here(void) {
    const char *path = test_temp("given.wisdom");
    Text text = {0};
    for (int i = 0; i < 2; i++) {
        const WisdomLine line = wisdom_line("a", i ? "b" : "c", 0.5);
        CHECK_OK(wisdom_print(&line, &text));
    }
    CHECK_OK(file_write(path, text_get(&text), text.length));
    text_free(&text);
    return path;
}
static const char *wisdom_action;
static void put_wisdom(const char *out) {
    uint8_t *bytes;
    size_t size;
    CHECK_OK(file_read(wisdom_here(), 10000, &bytes, &size));
    CHECK_OK(file_write(in_out(out, "results.wisdom"), bytes, size));
    mem_free(bytes);
}
static stent_status call_wisdom(const char *out) {
    stent_wisdom_options options = STENT_OPTIONS(stent_wisdom_options);
    const char *given = test_temp("given.wisdom");
    const bool merge = !strcmp(wisdom_action, "merge"), export = !strcmp(wisdom_action, "export");
    options.wisdom = export ? given : in_out(out, "results.wisdom");
    if (export) options.output = in_out(out, "exported");
    options.which = "others";
    stent_result *result = NULL;
    const stent_status status = stent_wisdom(wisdom_action, &given, merge, &options, &result);
    return tell(out, status, result, false);
}
static void drive_wisdom(const char *action, void (*prepare)(const char *out)) {
    (void)wisdom_here();
    wisdom_action = action;
    drive(&(Verb){.name = action, .prepare = prepare, .call = call_wisdom});
}
TEST(wisdom_merge) { drive_wisdom("merge", NULL); }
TEST(wisdom_export) { drive_wisdom("export", NULL); }
TEST(wisdom_list) { drive_wisdom("list", put_wisdom); }
TEST(wisdom_forget) { drive_wisdom("forget", put_wisdom); }
static const char *profile_other;
static stent_status call_profile(const char *out) {
    stent_profile_options options = STENT_OPTIONS(stent_profile_options);
    options.repeat = 1;
    options.trace = in_out(out, "trace.json");
    options.versus = profile_other;
    stent_result *result = NULL;
    const stent_status status = stent_profile(package, &options, &result);
    return tell(out, status, result, false);
}
TEST(profile) {
    make_small_package();
    drive(&(Verb){.name = "profile", .call = call_profile, .few = 10});
}
TEST(profile_versus) {
    stent_result *result = NULL;
    make_small_package();
    const char *others[] = {package, test_temp("saved.json")};
    CHECK_INT(stent_profile(package, NULL, &result), STENT_OK);
    CHECK_OK(file_write(others[1], stent_result_json(result), strlen(stent_result_json(result))));
    stent_result_free(result);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        profile_other = others[i];
        drive(&(Verb){.name = "profile --versus", .call = call_profile, .few = 10});
    }
}

static stent_verify_options verify_options;
static stent_status call_verify(const char *out) {
    stent_result *result = NULL;
    const stent_status status = stent_verify(package, &verify_options, &result);
    return tell(out, status, result, true);
}
static void drive_verify(const char *name) {
    verify_options.size = sizeof verify_options;
    make_small_package();
    drive(&(Verb){.name = name, .call = call_verify});
}
TEST(verify) { drive_verify("verify"); }
TEST(verify_layers) {
    verify_options.layers = true;
    drive_verify("verify --layers");
}
TEST(verify_against_a_model) {
    make_small_package();
    verify_options.against = test_temp("small.onnx");
    drive_verify("verify --against");
}
TEST(verify_given_tensors) {
    run_output = "y.npy";
    make_small_package();
    CHECK_OK(folder_make(test_temp("given")));
    CHECK_INT(call_run(test_temp("given")), STENT_OK);
    verify_options.input = tensor_here(), verify_options.expect = test_temp("given/y.npy");
    verify_options.atol = 1e-6;
    drive_verify("verify --expect");
}

static stent_segment_options segment_options = {.size = sizeof segment_options, .threshold = -1};
static stent_status call_segment(const char *out) {
    const char *const paths[] = {pictures_here()};
    stent_result *result = NULL;
    segment_options.output = in_out(out, "masks");
    const stent_status status = stent_segment(package, paths, 1, &segment_options, &result);
    return tell(out, status, result, false);
}
static const char *segment_package(void) { // the pictures are smaller than what the network takes
    return compile_to("net.stent", small_model(),
                      "{\"version\": 1, \"input\": {\"size\": [32, 32], \"resize\": \"bilinear\", \"normalise\": "
                      "\"zscore\", \"scope\": \"volume\"}}");
}
static void segment_first(const char *out) { // an earlier run has done all, and one mask was lost
    const char *const paths[] = {test_temp("pictures")};
    stent_segment_options options = segment_options;
    options.output = in_out(out, "masks"), options.resume = false;
    CHECK_INT(stent_segment(package, paths, 1, &options, NULL), STENT_OK);
    CHECK_INT(unlink(in_out(out, "masks/2.png")), 0);
    folder_empty(test_temp("data"));
}
static void drive_segment(const char *name, void (*prepare)(const char *out)) {
    (void)pictures_here();
    package = segment_package();
    drive(&(Verb){.name = name, .prepare = prepare, .call = call_segment});
}
TEST(segment_with_overlay_and_prob) {
    segment_options.overlay = segment_options.prob = true;
    drive_segment("segment --overlay --prob", NULL);
}
TEST(segment_to_tif_in_shards) {
    segment_options.format = "tif", segment_options.shard = 1, segment_options.shards = 2;
    drive_segment("segment --format tif --shard 1/2", NULL);
}
TEST(segment_resumed) {
    segment_options.resume = true;
    drive_segment("segment --resume", segment_first);
}

static stent_status call_demo(const char *out) {
    stent_result *result = NULL;
    const stent_status status = stent_demo(test_temp("phantom"), in_out(out, "demo"), NULL, &result);
    return tell(out, status, result, false);
}
TEST(demo) {
    static const uint8_t mask[32 * 32] = {255}, picture[32 * 32 * 3] = {7, 99};
    CHECK_OK(folder_make(test_temp("phantom/volume")));
    CHECK_INT(rename(small_model(), test_temp("phantom/phantom-unet.onnx")), 0);
    CHECK_OK(file_write(test_temp("phantom/phantom-unet.pipeline.json"), "{\"version\": 1}", 14));
    write_u8(test_temp("phantom/volume/phantom_1.tif"), 32, 32, 3, picture);
    write_u8(test_temp("phantom/volume/phantom_1_mask.tif"), 32, 32, 1, mask);
    drive(&(Verb){.name = "demo", .call = call_demo, .few = 10});
}
