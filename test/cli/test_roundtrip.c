// compile -> info -> run -> verify -> bench -> profile, and the keys that docs/INTERFACE.md promises.
#include "base/folder.h"
#include "cli/program.h"
#include "tensor/npy.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void check_keys(const Json *json, const char *const *keys) {
    for (; *keys; keys++) CHECK_MSG(json_get(json, *keys), "key \"%s\" is missing", *keys);
}
#define CHECK_KEYS(json, ...) check_keys(json, (const char *const[]){__VA_ARGS__, NULL})
#define COMMON_KEYS "verb", "stent", "machine", "model", "content_hash", "plan_hash", "precision"
static double number(const Json *json, const char *key) {
    const Json *value = json_get(json, key);
    REQUIRE(value && value->type == JSON_NUMBER);
    return value->number;
}
// A picture for the small network.
static const char *write_picture(const char *name) {
    Arena arena = {0};
    Tensor x;
    const char *path = test_temp(name);
    CHECK_OK(tensor_make(&arena, DT_F32, shape_of(4, (int64_t[]){1, 3, 32, 32}), &x));
    for (int64_t i = 0; i < tensor_count(&x); i++) tensor_set(&x, i, (double)(i % 13) / 13 - 0.3);
    CHECK_OK(npy_write(path, &x));
    arena_free(&arena);
    return path;
}

TEST(compile_json) {
    Arena arena = {0};
    const char *model = small_model();
    const char *package = test_temp("j.stent");
    REQUIRE(program_stdout("compile", model, "--json", "-o", package, NULL) == 0);
    CHECK_KEYS(program_json(&arena), "verb", "stent", "model", "content_hash", "precision", "fallbacks");
    arena_free(&arena);
}
TEST(default_name_is_the_models_in_this_folder) {
    const char *model = small_model();
    const char *folder = test_temp("here");
    CHECK_OK(folder_make(folder));
    REQUIRE(chdir(folder) == 0);
    CHECK_INT(program("compile", model, NULL), 0);
    CHECK_INT(path_kind("small.stent"), PATH_FILE);
    CHECK_INT(folder_count("."), 1);
}
TEST(emit_graph) {
    const char *model = small_model();
    const char *package = test_temp("e.stent");
    CHECK_INT(program_stdout("compile", model, "-o", package, "--emit", "graph", NULL), 0);
    CHECK(strstr(program_out, "# after import") && strstr(program_out, "MaxPool"));
}
TEST(info) {
    Arena arena = {0};
    const char *package = small_package();
    REQUIRE(program_stdout("info", package, "--json", NULL) == 0);
    const Json *json = program_json(&arena);
    CHECK_KEYS(json, COMMON_KEYS, "inputs", "outputs", "ops", "parameters", "flop", "pipeline", "plans", "fallbacks",
               "memory_mb");
    CHECK_INT(number(json, "parameters") >= 808, 1);
    CHECK_INT(number(json_get(json, "ops"), "Conv"), 3);
    CHECK_INT(json_get(json, "fallbacks")->count, 0);
    const char *model = small_model();
    REQUIRE(program_stdout("info", model, "--json", NULL) == 0);
    json = program_json(&arena);
    CHECK_TEXT(json_get(json, "kind")->string, "model");
    CHECK_INT(number(json_get(json, "ops"), "Conv"), 3);
    CHECK(number(json, "flop") > 2 * 216 * 1024);
    arena_free(&arena);
}
TEST(run_agrees_with_the_reference) {
    Arena arena = {0};
    const char *package = small_package();
    const char *x = write_picture("x.npy");
    const char *y = test_temp("y.npy");
    const char *r = test_temp("r.npy");
    char named[4200];
    snprintf(named, sizeof named, "image=%s", x);
    REQUIRE(program_stdout("run", package, "--input", named, "--output", y, "--json", NULL) == 0);
    CHECK_KEYS(program_json(&arena), COMMON_KEYS, "ms");
    REQUIRE(program("run", package, "--input", x, "-o", r, "--reference", NULL) == 0);
    Tensor fast, reference;
    Comparison comparison;
    CHECK_OK(npy_read(&arena, y, &fast));
    CHECK_OK(npy_read(&arena, r, &reference));
    CHECK_OK(tensor_compare(&fast, &reference, 1e-5, 0, &comparison));
    CHECK_INT(comparison.outside, 0);
    CHECK_INT(program("verify", package, "--input", x, "--expect", r, NULL), 0);
    CHECK_INT(program("verify", package, "--input", x, "--expect", r, "--atol", "1e-5", NULL), 0);
    // Another answer is expected: verify says no.
    tensor_set(&reference, 5, tensor_get(&reference, 5) + 0.01);
    CHECK_OK(npy_write(r, &reference));
    CHECK_INT(program("verify", package, "--input", x, "--expect", r, "--atol", "1e-5", NULL), 1);
    CHECK(strstr(program_out, "NOT VERIFIED"));
    CHECK_INT(program("verify", package, "--input", x, "--expect", r, NULL), 1);
    CHECK_INT(program("verify", package, "--input", x, "--expect", r, "--atol", "0.1", NULL), 0);
    CHECK_INT(program("run", package, "--input", y, "--output", r, NULL), 3); // one channel instead of three
    arena_free(&arena);
}
TEST(verify) {
    Arena arena = {0};
    const char *package = small_package();
    const char *model = small_model();
    REQUIRE(program_stdout("verify", package, "--json", "--against", model, "--layers", NULL) == 0);
    const Json *json = program_json(&arena), *layers = json_get(json, "layers");
    CHECK_KEYS(json, COMMON_KEYS, "ok", "max_abs", "max_rel", "rms_rel", "mask_changed", "layers");
    CHECK(json_get(json, "ok")->boolean);
    CHECK(number(json, "rms_rel") < 3e-5);
    REQUIRE(layers->count >= 3);
    CHECK_KEYS(&layers->items[0], "name", "op", "rms_rel", "max_abs", "ok");
    CHECK_TEXT(layers->items[layers->count - 1].items[0].string, "mask");
    arena_free(&arena);
}
TEST(verify_against_another_model) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "image", FLOAT32, "1,3,32,32");
    onnx_filled(&file, "w", "1,3,1,1", 3, 0.3f);
    onnx_node(&file, "Conv", "image w", "c", "");
    onnx_node(&file, "Sigmoid", "c", "mask", "");
    onnx_output(&file, "mask");
    const char *other = onnx_save(&file, "other.onnx");
    CHECK_INT(program("verify", small_package(), "--against", other, NULL), 1);
    CHECK(strstr(program_out, "DIFFERS    with other.onnx"));
}
TEST(bench) {
    Arena arena = {0};
    const char *package = small_package();
    const char *log = test_temp("log.txt");
    REQUIRE(program_stdout("bench", package, "--json", "--repeat", "7", "--log", log, NULL) == 0);
    const Json *json = program_json(&arena);
    CHECK_KEYS(json, COMMON_KEYS, "min_ms", "median_ms", "p90_ms", "p99_ms", "cv", "peak_rss_mb", "arena_mb",
               "weights_mb", "drift", "outliers");
    CHECK_INT(json_get(json, "ms")->count, 7);
    CHECK(number(json, "min_ms") <= number(json, "median_ms") && number(json, "median_ms") <= number(json, "p99_ms"));
    CHECK(number(json, "peak_rss_mb") > number(json, "arena_mb"));
    uint8_t *line;
    size_t size;
    CHECK_OK(file_read(log, 4096, &line, &size));
    CHECK(strstr((char *)line, "\"verb\": \"bench\", \"content_hash\": \""));
    mem_free(line);
    REQUIRE(program_stdout("bench", package, "--repeat", "3", "--list", NULL) == 0);
    CHECK(strstr(program_out, "median") && strstr(program_out, "\ndrift "));
    REQUIRE(program_stdout("bench", package, "--repeat", "3", "--list", "--json", NULL) == 0);
    CHECK_KEYS(program_json(&arena), "drift", "outliers", "disturbances", "different_runs");
    CHECK(json_get(program_json(&arena), "different_runs")->number == 0);
    arena_free(&arena);
}
TEST(bench_versus) {
    Arena arena = {0};
    const char *package = small_package();
    REQUIRE(program_stdout("bench", package, "--json", "--repeat", "6", "--versus", package, NULL) == 0);
    const Json *json = program_json(&arena);
    CHECK_KEYS(json, "ratio_median", "ratio_low", "ratio_high", "rounds", "median_ms");
    CHECK_INT(number(json, "rounds"), 6);
    CHECK_INT(json_get(json, "ms")->count, 12);
    CHECK(number(json, "ratio_low") <= number(json, "ratio_median") &&
          number(json, "ratio_median") <= number(json, "ratio_high"));
    arena_free(&arena);
}
TEST(tune) {
    Arena arena = {0};
    const char *package = small_package();
    REQUIRE(program_stdout("tune", package, "--json", "--time", "1ms", NULL) == 0);
    const Json *json = program_json(&arena), *layers = json_get(json, "layers");
    CHECK_KEYS(json, COMMON_KEYS, "baseline_ms", "tuned_ms", "ratio_median", "ratio_low", "ratio_high", "kept",
               "promised", "noise", "noise_most", "stopped", "wisdom", "disturbances", "package", "recheck", "trials",
               "seconds", "layers", "complete", "rounds", "plan");
    REQUIRE(layers->count >= 3);
    for (size_t i = 0; i < layers->count; i++)
        CHECK_KEYS(&layers->items[i], "name", "op", "shape", "share", "configurations", "tried", "refused", "from",
                   "to", "ratio", "untuned");
    CHECK(number(json, "trials") >= 1);
    // What is kept is found when the package is opened, and nothing else is.
    const bool tuned = !strcmp(json_get(json, "kept")->string, "tuned");
    const char *hash = json_get(json, "plan_hash")->string;
    REQUIRE(program_stdout("bench", package, "--json", "--repeat", "1", NULL) == 0);
    json = program_json(&arena);
    CHECK(!strcmp(json_get(json, "plan")->string, tuned ? "tuned" : "untuned"));
    CHECK(!strcmp(json_get(json, "plan_hash")->string, hash));
    arena_free(&arena);
}
TEST(tune_lists_without_measuring) {
    Arena arena = {0};
    const char *package = small_package();
    REQUIRE(program_stdout("tune", package, "--json", "--list", NULL) == 0);
    const Json *json = program_json(&arena), *layers = json_get(json, "layers");
    CHECK(!json_get(json, "kept"));
    for (size_t i = 0; i < layers->count; i++) {
        CHECK(number(&layers->items[i], "configurations") >= 1);
        CHECK_INT(number(&layers->items[i], "tried"), 0);
    }
    arena_free(&arena);
}
TEST(tune_refuses_what_it_does_not_know) {
    const char *package = small_package();
    CHECK_INT(program("tune", package, "--tuner", "luck", NULL), 2);
    check_one_line("--tuner: expected model, xgb, ga, random or grid, got 'luck'");
    setenv("STENT_PYTHON", "/no/such/python", 1);
    CHECK_INT(program("tune", package, "--tuner", "xgb", NULL), 4);
    check_one_line("expected Python with xgboost");
    CHECK(strstr(program_out, "/no/such/python"));
    CHECK_INT(program("tune", package, "--layer", "nobody", NULL), 2);
    check_one_line("no layer 'nobody'");
    CHECK_INT(program("tune", package, "--max-memory", "100K", NULL), 5);
    check_one_line("--max-memory");
}
// Whether a later step makes the same value: a Concat whose parts don't fit one block is copied part by part.
static bool goes_on(const Json *layers, size_t i) {
    for (size_t k = i + 1; k < layers->count; k++)
        if (!strcmp(json_get(&layers->items[i], "name")->string, json_get(&layers->items[k], "name")->string) &&
            !strcmp(json_get(&layers->items[i], "op")->string, json_get(&layers->items[k], "op")->string))
            return true;
    return false;
}
TEST(profile) {
    Arena arena = {0};
    const char *package = small_package();
    const char *trace = test_temp("trace.json");
    REQUIRE(program_stdout("profile", package, "--json", "--repeat", "3", "--trace", trace, NULL) == 0);
    const Json *json = program_json(&arena), *layers = json_get(json, "layers");
    CHECK_KEYS(json, COMMON_KEYS, "layers", "sum_ms", "whole_ms", "foreseen_error");
    REQUIRE(layers->count >= 3);
    for (size_t i = 0; i < layers->count; i++) {
        const char *op = json_get(&layers->items[i], "op")->string;
        size_t parts = strcmp(op, "convert") && !goes_on(layers, i); // one for each operator
        while ((op = strchr(op, '+'))) parts++, op++;
        CHECK_INT(json_get(&layers->items[i], "parts")->count, parts);
        CHECK_KEYS(&layers->items[i], "name", "op", "shape", "parts", "solver", "configuration", "ms", "gflops",
                   "limit_gflops", "part_of_limit", "waiting", "why");
        const double waiting = number(&layers->items[i], "waiting");
        CHECK(waiting >= 0 && waiting <= 1);
    }
    uint8_t *text;
    size_t size;
    Json *events;
    CHECK_OK(file_read(trace, 1 << 20, &text, &size));
    CHECK_OK(json_parse(&arena, (const char *)text, size, &events));
    CHECK_INT(json_get(events, "traceEvents")->count, layers->count);
    mem_free(text);
    arena_free(&arena);
}
// The other side is a package, or what profile --json printed. Nothing hangs on the times.
TEST(profile_versus) {
    Arena arena = {0};
    const char *package = small_package(), *saved = test_temp("saved.json");
    REQUIRE(program_stdout("profile", package, "--json", "--repeat", "1", NULL) == 0);
    const char *isa = json_get(json_get(program_json(&arena), "machine"), "isa")->string;
    CHECK_OK(file_write(saved, program_out, strlen(program_out)));
    const char *others[] = {package, saved};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        REQUIRE(program_stdout("profile", package, "--json", "--repeat", "2", "--versus", others[i], NULL) == 0);
        const Json *json = program_json(&arena), *versus = json_get(json, "versus");
        CHECK_KEYS(versus, "file", "isa", "threads", "cpu", "precision", "sum_ms", "whole_ms", "layers", "causes");
        const Json *layers = json_get(versus, "layers"), *causes = json_get(versus, "causes");
        CHECK(layers->count >= 3 && causes->count == 1);
        for (size_t k = 0; k < layers->count; k++) CHECK_INT(json_get(&layers->items[k], "reasons")->count, 0);
        CHECK_TEXT(json_get(&causes->items[0], "cause")->string, "same");
    }
    // Every convolution on the reference path, and another instruction set.
    setenv("STENT_ISA", "sse2", 1);
    setenv("STENT_AVOID", "conv_direct,conv_winograd,conv_narrow,conv_amx", 1);
    REQUIRE(program_stdout("profile", package, "--json", "--repeat", "1", "--versus", saved, NULL) == 0);
    const Json *causes = json_get(json_get(program_json(&arena), "versus"), "causes");
    int names = 0;
    bool elsewhere = false;
    for (size_t i = 0; i < causes->count; i++) {
        const Json *why = json_get(&causes->items[i], "why"), *layers = json_get(&causes->items[i], "layers");
        elsewhere = elsewhere || strstr(why->string, "ISA sse2 against ");
        if (!strstr(why->string, "on the reference path in small.stent: STENT_AVOID leaves no solver")) continue;
        for (size_t k = 0; k < layers->count; k++) {
            const char *name = layers->items[k].string;
            names += !strcmp(name, "c1") || !strcmp(name, "c2") || !strcmp(name, "logit");
        }
        CHECK_INT(layers->count, 3);
    }
    CHECK_INT(names, 3);
    CHECK(elsewhere == (strcmp(isa, "sse2") != 0)); // an older CPU has nothing better
    CHECK_INT(program("profile", package, "--versus", test_temp("small.onnx"), NULL), 3);
    check_one_line("small.onnx: expected a package or what stent profile --json prints");
    arena_free(&arena);
}
TEST(profile_names_fallbacks) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, "1,4,8,8");
    onnx_node(&file, "ReduceL2", "x", "norm", "axes=[1]");
    onnx_node(&file, "Relu", "norm", "y", "");
    onnx_output(&file, "y");
    const char *model = onnx_save(&file, "slow.onnx");
    const char *package = test_temp("slow.stent");
    REQUIRE(program("compile", model, "-o", package, NULL) == 0);
    CHECK(strstr(program_out, "slow: 'norm' (ReduceL2) runs on the reference path"));
    REQUIRE(program("profile", package, "--repeat", "2", NULL) == 0);
    CHECK(strstr(program_out, "FALLBACK") && strstr(program_out, "slow: 'norm' (ReduceL2)"));
    REQUIRE(program("info", package, NULL) == 0);
    CHECK(strstr(program_out, "slow: 'norm' (ReduceL2)"));
}

// ---- lockstep

typedef struct Child {
    pid_t pid;
    FILE *in, *out; // as the child sees them
} Child;
static Child lockstep(const char *package, const char *x, const char *y) {
    int to[2], from[2];
    REQUIRE(!pipe(to) && !pipe(from));
    fflush(NULL);
    Child child = {.pid = fork()};
    if (child.pid == 0) {
        dup2(to[0], 0), dup2(from[1], 1);
        close(to[0]), close(to[1]), close(from[0]), close(from[1]);
        if (x)
            execl(test_program(), "stent", "bench", package, "--lockstep", "--input", x, "--expect", y, (char *)NULL);
        else execl(test_program(), "stent", "bench", package, "--lockstep", (char *)NULL);
        _exit(127);
    }
    close(to[0]), close(from[1]);
    child.in = fdopen(to[1], "w"), child.out = fdopen(from[0], "r");
    REQUIRE(child.pid > 0 && child.in && child.out);
    return child;
}
static int finish(Child *child) {
    int status;
    fclose(child->in), fclose(child->out);
    REQUIRE(waitpid(child->pid, &status, 0) == child->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
static const char *read_line(Child *child) {
    static char line[4096];
    return fgets(line, sizeof line, child->out) ? line : "";
}
static size_t count_latencies(const char *line) {
    Arena arena = {0};
    Json *json;
    CHECK_OK(json_parse(&arena, line, strlen(line), &json));
    const size_t count = json->type == JSON_ARRAY ? json->count : 0;
    for (size_t i = 0; i < count; i++) CHECK(json->items[i].number >= 0);
    arena_free(&arena);
    return count;
}
TEST(lockstep_answers_each_line) {
    char version[64];
    double error;
    const char *package = small_package();
    const char *x = write_picture("x.npy");
    const char *y = test_temp("y.npy");
    REQUIRE(program("run", package, "--input", x, "-o", y, "--reference", NULL) == 0);
    Child child = lockstep(package, x, y);
    const char *ready = read_line(&child);
    CHECK_MSG(sscanf(ready, "ready %lg %63s", &error, version) == 2, "got '%s'", ready);
    CHECK(error >= 0 && error < 1e-4);
    fprintf(child.in, "run 3\n"), fflush(child.in);
    CHECK_INT(count_latencies(read_line(&child)), 3);
    fprintf(child.in, "run 1\n"), fflush(child.in);
    CHECK_INT(count_latencies(read_line(&child)), 1);
    fprintf(child.in, "run 0\n"), fflush(child.in);
    CHECK_INT(count_latencies(read_line(&child)), 0);
    CHECK_INT(finish(&child), 0);
}
TEST(lockstep_tells_the_error_of_another_answer) {
    Arena arena = {0};
    Tensor wrong;
    double error = 0;
    const char *package = small_package();
    const char *x = write_picture("x.npy");
    const char *y = test_temp("y.npy");
    REQUIRE(program("run", package, "--input", x, "-o", y, NULL) == 0);
    CHECK_OK(npy_read(&arena, y, &wrong));
    tensor_set(&wrong, 7, tensor_get(&wrong, 7) + 0.5);
    CHECK_OK(npy_write(y, &wrong));
    Child child = lockstep(package, x, y);
    CHECK(sscanf(read_line(&child), "ready %lg", &error) == 1 && error > 0.49 && error < 0.51);
    CHECK_INT(finish(&child), 0);
    arena_free(&arena);
}
TEST(lockstep_refuses_other_lines) {
    Child child = lockstep(small_package(), NULL, NULL);
    CHECK(!strncmp(read_line(&child), "ready ", 6));
    fprintf(child.in, "walk 3\n"), fflush(child.in);
    CHECK_INT(finish(&child), 3);
}
TEST(interrupt_ends_with_130) {
    Child child = lockstep(small_package(), NULL, NULL);
    CHECK(!strncmp(read_line(&child), "ready ", 6)); // it waits for a line now
    kill(child.pid, SIGINT);
    int status;
    REQUIRE(waitpid(child.pid, &status, 0) == child.pid);
    CHECK_INT(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), 130);
}
