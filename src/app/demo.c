// demo: the whole story on the phantoms of examples/phantom, which are built in: compile, tune, segment, compare with the
// truth and with what is expected, verify, latency. Leaves a table and pictures.
#include "app/app.h"
#include "app/demo_data.h"
#include "base/clock.h"
#include "base/file.h"
#include "image/image.h"
#include "metric/metric.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const size_t expected_limit = 1 << 20, results_limit = 1 << 24; // bytes
static const double dice_tolerance = 5e-5;                             // the same in four decimals

typedef struct SliceScore {
    const char *name;
    MaskCounts counts;
    double ms; // of the network; NaN: not told
} SliceScore;
typedef struct Demo {
    const stent_options *options;
    const char *data, *output;
    const char *package, *masks; // written
    SliceScore *slices;
    size_t n_slices;
    PatientSum sum;                        // of all slices
    double expected_pooled, expected_mean; // NaN: not told
    const Json *compiled, *tuned, *segmented, *verified, *latency;
    double compile_s, tune_s, segment_s, verify_s, latency_s;
    bool ok;
    Arena arena;
} Demo;

static const char *join(Demo *demo, const char *folder, const char *name) {
    return path_join(&demo->arena, folder, name);
}

// The given folder, or the built-in data, which is unpacked beside the results: there to be looked at and tried out.
static Status find_data(Demo *demo, const char *given) {
    demo->data = given ? given : join(demo, demo->output, "phantom");
    if (!demo->data) return fail_memory(strlen(demo->output));
    if (!given) return demo_data_unpack(demo->data);
    const char *model = join(demo, given, "phantom-unet.onnx");
    if (!model) return fail_memory(strlen(given));
    PathKind kind;
    TRY(path_known(model, &kind));
    FAIL_IF(kind != PATH_FILE, ST_BAD,
            "%s: expected a folder with phantom-unet.onnx and volume/, like stent's examples/phantom", given);
    return ST_OK;
}

// ---- the verbs

// Keeps the JSON of a verb's result and gives the result back.
static Status take_result(Demo *demo, Status status, stent_result *result, const Json **out) {
    Json *json = NULL;
    if (result && (status == ST_OK || status == ST_NO)) {
        const Status parsed = json_parse(&demo->arena, text_get(&result->json), result->json.length, &json);
        if (parsed != ST_OK) status = parsed;
    }
    stent_result_free(result);
    *out = json;
    return status;
}
static Status compile_network(Demo *demo) {
    stent_result *result = NULL;
    stent_compile_options options = {.size = sizeof options, .common = *demo->options, .opt_level = -1};
    const char *model = join(demo, demo->data, "phantom-unet.onnx");
    options.pipeline = join(demo, demo->data, "phantom-unet.pipeline.json");
    if (!model || !options.pipeline) return fail_memory(strlen(demo->data));
    const uint64_t start = clock_ns();
    const Status status = (Status)stent_compile(model, demo->package, &options, &result);
    demo->compile_s = clock_ms_since(start) / 1e3;
    return take_result(demo, status, result, &demo->compiled);
}
static Status tune_network(Demo *demo) {
    stent_result *result = NULL;
    const stent_tune_options options = {.size = sizeof options, .common = *demo->options, .seconds = 3};
    const uint64_t start = clock_ns();
    const Status status = (Status)stent_tune(demo->package, &options, &result);
    demo->tune_s = clock_ms_since(start) / 1e3;
    return take_result(demo, status, result, &demo->tuned);
}
static Status segment_volume(Demo *demo) {
    stent_result *result = NULL;
    const stent_segment_options options = {
        .size = sizeof options, .common = *demo->options, .output = demo->masks, .overlay = true, .threshold = -1};
    const char *const paths[] = {join(demo, demo->data, "volume")};
    if (!paths[0]) return fail_memory(strlen(demo->data));
    const uint64_t start = clock_ns();
    const Status status = (Status)stent_segment(demo->package, paths, 1, &options, &result);
    demo->segment_s = clock_ms_since(start) / 1e3;
    return take_result(demo, status, result, &demo->segmented);
}
static Status verify_package(Demo *demo) {
    stent_result *result = NULL;
    const stent_verify_options options = {.size = sizeof options, .common = *demo->options};
    const uint64_t start = clock_ns();
    const Status status = (Status)stent_verify(demo->package, &options, &result);
    demo->verify_s = clock_ms_since(start) / 1e3;
    return take_result(demo, status, result, &demo->verified);
}
static Status measure_latency(Demo *demo) {
    stent_result *result = NULL;
    const stent_bench_options options = {.size = sizeof options, .common = *demo->options, .seconds = 0.5};
    const uint64_t start = clock_ns();
    const Status status = (Status)stent_bench(demo->package, &options, &result);
    demo->latency_s = clock_ms_since(start) / 1e3;
    return take_result(demo, status, result, &demo->latency);
}

// ---- masks against the truth

// A mask of one slice and 8 bit, in `arena`.
static Status read_mask(const char *path, Arena *arena, ImageShape *shape, uint8_t **out) {
    ImageSource *source;
    TRY(image_open(path, IMAGE_FIRST_PAGE, &source));
    *shape = *image_shape(source);
    const ImageBox all = image_slice(shape, 0);
    Status status = ST_OK;
    if (shape->type != SAMPLE_U8 || shape->channels != 1)
        status = fail(ST_BAD, "%s: expected a grey mask of 8 bit", path);
    *out = status == ST_OK ? arena_alloc(arena, image_box_samples(shape, &all)) : NULL;
    if (status == ST_OK && !*out) status = fail_memory(image_box_samples(shape, &all));
    if (status == ST_OK) status = image_read_box(source, &all, SAMPLE_U8, *out);
    image_close(source);
    return status;
}
static Status compare_masks(const char *mask_path, const char *truth_path, CaseMetrics *out) {
    Arena arena = {0};
    ImageShape mask_shape, truth_shape;
    uint8_t *mask, *truth;
    Status status = read_mask(mask_path, &arena, &mask_shape, &mask);
    if (status == ST_OK) status = read_mask(truth_path, &arena, &truth_shape, &truth);
    if (status == ST_OK && (mask_shape.width != truth_shape.width || mask_shape.height != truth_shape.height))
        status = fail(ST_BAD, "%s: expected the size of %s", mask_path, truth_path);
    if (status == ST_OK) {
        const CaseInput input = {.mask = mask,
                                 .truth = truth,
                                 .depth = 1,
                                 .height = mask_shape.height,
                                 .width = mask_shape.width,
                                 .class = ANY_CLASS,
                                 .no_distance = true};
        status = case_metrics(&input, out);
    }
    arena_free(&arena);
    return status;
}
// "phantom_1.tif" has its truth in "phantom_1_mask.tif" and its mask in "phantom_1.png".
static Status score_slice(Demo *demo, const char *folder, const char *name) {
    char truth[256], mask[256];
    const int stem = (int)strlen(name) - 4;
    if (stem < 1 || stem > 200 || strcmp(name + stem, ".tif")) return ST_OK;
    snprintf(truth, sizeof truth, "%.*s_mask.tif", stem, name);
    snprintf(mask, sizeof mask, "%.*s.png", stem, name);
    const char *truth_path = join(demo, folder, truth), *mask_path = join(demo, demo->masks, mask);
    if (!truth_path || !mask_path) return fail_memory(strlen(folder));
    PathKind kind;
    TRY(path_known(truth_path, &kind));
    if (kind != PATH_FILE) return ST_OK;
    SliceScore *score = &demo->slices[demo->n_slices];
    CaseMetrics metrics;
    TRY(compare_masks(mask_path, truth_path, &metrics));
    score->name = name, score->ms = NAN, score->counts = metrics.counts;
    patient_sum_add(&demo->sum, &metrics);
    demo->n_slices++;
    return ST_OK;
}
static Status score_masks(Demo *demo) {
    char **names;
    size_t count;
    const char *folder = join(demo, demo->data, "volume");
    if (!folder) return fail_memory(strlen(demo->data));
    TRY(folder_list(folder, &demo->arena, &names, &count));
    demo->slices = arena_array(&demo->arena, count + 1, sizeof *demo->slices);
    if (!demo->slices) return fail_memory(count * sizeof *demo->slices);
    for (size_t i = 0; i < count; i++) TRY(score_slice(demo, folder, names[i]));
    FAIL_IF(!demo->n_slices, ST_BAD, "%s: no pictures with their truth (NAME.tif, NAME_mask.tif)", folder);
    return ST_OK;
}

static double number_of(const Json *object, const char *key) {
    const Json *value = json_get(object, key);
    return value && value->type == JSON_NUMBER ? value->number : NAN;
}
static const char *string_of(const Json *object, const char *key) {
    const Json *value = json_get(object, key);
    return value && value->type == JSON_STRING ? value->string : "";
}
// The network's time for each slice stands in results.json, a line a picture.
static Status read_times(Demo *demo) {
    uint8_t *bytes;
    size_t size;
    const char *path = join(demo, demo->masks, "results.json");
    if (!path) return fail_memory(strlen(demo->masks));
    TRY(file_read(path, results_limit, &bytes, &size));
    Status status = ST_OK;
    for (const char *line = (const char *)bytes; *line && status == ST_OK;) {
        const size_t length = strcspn(line, "\n");
        Json *json;
        status = json_parse(&demo->arena, line, length, &json);
        for (size_t i = 0; status == ST_OK && i < demo->n_slices; i++)
            if (!strcmp(demo->slices[i].name, path_name(string_of(json, "path"))))
                demo->slices[i].ms = number_of(json, "ms");
        line += length + (line[length] == '\n');
    }
    mem_free(bytes);
    return status == ST_OK ? ST_OK : fail_context(status, "%s", path);
}
static Status read_expected(Demo *demo) {
    uint8_t *bytes;
    size_t size;
    Json *json;
    const char *path = join(demo, demo->data, "expected.json");
    if (!path) return fail_memory(strlen(demo->data));
    demo->expected_pooled = demo->expected_mean = NAN;
    PathKind kind;
    TRY(path_known(path, &kind));
    if (kind == PATH_MISSING) return ST_OK;
    TRY(file_read(path, expected_limit, &bytes, &size));
    Status status = json_parse(&demo->arena, (const char *)bytes, size, &json);
    mem_free(bytes);
    if (status != ST_OK) return fail_context(status, "%s", path);
    const Json *volume = json_get(json, "volume");
    demo->expected_pooled = number_of(volume, "dice_pooled");
    demo->expected_mean = number_of(volume, "dice_mean");
    return ST_OK;
}

// ---- what is told

static void tell_steps(const Demo *demo, Text *text) {
    const Json *machine = json_get(demo->segmented, "machine");
    text_add(text, "stent %s on %s: %s, %.0f threads\n\n", STENT_VERSION, string_of(machine, "cpu"),
             string_of(machine, "isa"), number_of(machine, "threads"));
    text_add(text, "%-10s %8s   %s\n", "step", "time", "result");
    text_add(text, "%-10s %6.2f s   %s, %.2f MB\n", "compile", demo->compile_s, demo->package,
             number_of(demo->compiled, "bytes") / 1e6);
    if (!strcmp(string_of(demo->tuned, "kept"), "tuned"))
        text_add(text, "%-10s %6.2f s   %.2f ms instead of %.2f ms: the faster plan is stored\n", "tune", demo->tune_s,
                 number_of(demo->tuned, "tuned_ms"), number_of(demo->tuned, "baseline_ms"));
    else text_add(text, "%-10s %6.2f s   nothing faster beyond the noise: the plan stays\n", "tune", demo->tune_s);
    text_add(text, "%-10s %6.2f s   %.0f slices, %.2f ms of network each (median)\n", "segment", demo->segment_s,
             number_of(demo->segmented, "done"), number_of(demo->segmented, "median_ms"));
    const Json *ok = json_get(demo->verified, "ok");
    text_add(text, "%-10s %6.2f s   %s: rms / std %.1e, %.0f mask pixels changed\n", "verify", demo->verify_s,
             ok && ok->boolean ? "the same answer as the reference" : "DIFFERS from the reference",
             number_of(demo->verified, "rms_rel"), number_of(demo->verified, "mask_changed"));
    text_add(text, "%-10s %6.2f s   %.2f ms median, %.2f least, %.2f p99\n\n", "bench", demo->latency_s,
             number_of(demo->latency, "median_ms"), number_of(demo->latency, "min_ms"),
             number_of(demo->latency, "p99_ms"));
}
static double pooled_of(const Demo *demo) { return metric_value(&demo->sum, 1, METRIC_DICE_POOLED); }
static double mean_of(const Demo *demo) { return metric_value(&demo->sum, 1, METRIC_DICE_MEAN); }
static void tell_dice(Text *text, const char *name, double value, double expected) {
    text_add(text, "%-47s %8.4f", name, value);
    if (!isnan(expected))
        text_add(text, "   expected %.4f%s", expected, fabs(value - expected) <= dice_tolerance ? "" : "  DIFFERS");
    text_add(text, "\n");
}
static void tell_slices(const Demo *demo, Text *text) {
    text_add(text, "%-20s %8s %8s %8s %8s\n", "slice", "ms", "truth px", "mask px", "Dice");
    for (size_t i = 0; i < demo->n_slices; i++) {
        const SliceScore *slice = &demo->slices[i];
        text_add(text, "%-20s %8.2f %8lld %8lld %8.4f\n", slice->name, slice->ms, (long long)slice->counts.truth,
                 (long long)slice->counts.mask, dice(&slice->counts));
    }
    tell_dice(text, "Dice, pooled", pooled_of(demo), demo->expected_pooled);
    tell_dice(text, "Dice, mean of slices (both empty: 1)", mean_of(demo), demo->expected_mean);
    text_add(text, "\npictures   %s/*_overlay.png\n", demo->masks);
}
static void put_slices(const Demo *demo, JsonWriter *w) {
    json_key(w, "slices"), json_begin_array(w);
    for (size_t i = 0; i < demo->n_slices; i++) {
        const SliceScore *slice = &demo->slices[i];
        json_begin_object(w);
        json_key(w, "name"), json_string(w, slice->name);
        json_key(w, "ms"), json_number(w, slice->ms);
        json_key(w, "truth_px"), json_integer(w, slice->counts.truth);
        json_key(w, "mask_px"), json_integer(w, slice->counts.mask);
        json_key(w, "dice"), json_number(w, dice(&slice->counts));
        json_end_object(w);
    }
    json_end_array(w);
}
static void put_results(const Demo *demo, struct stent_result *result) {
    JsonWriter *w = &result->writer;
    const Json *machine = json_get(demo->segmented, "machine");
    json_key(w, "machine"), json_begin_object(w);
    json_key(w, "isa"), json_string(w, string_of(machine, "isa"));
    json_number_at(w, "threads", number_of(machine, "threads"));
    json_key(w, "cpu"), json_string(w, string_of(machine, "cpu"));
    json_end_object(w);
    static const char *const shared[] = {"model", "content_hash", "plan_hash", "precision"};
    for (size_t i = 0; i < COUNT_OF(shared); i++)
        json_key(w, shared[i]), json_string(w, string_of(demo->segmented, shared[i]));
    json_key(w, "ok"), json_bool(w, demo->ok);
    json_number_at(w, "compile_s", demo->compile_s), json_number_at(w, "tune_s", demo->tune_s);
    json_number_at(w, "segment_s", demo->segment_s);
    json_number_at(w, "verify_s", demo->verify_s), json_number_at(w, "bench_s", demo->latency_s);
    json_number_at(w, "dice_pooled", pooled_of(demo)), json_number_at(w, "expected_dice_pooled", demo->expected_pooled);
    json_number_at(w, "dice_mean", mean_of(demo)), json_number_at(w, "expected_dice_mean", demo->expected_mean);
    json_number_at(w, "rms_rel", number_of(demo->verified, "rms_rel"));
    json_number_at(w, "median_ms", number_of(demo->latency, "median_ms")),
        json_number_at(w, "min_ms", number_of(demo->latency, "min_ms"));
    json_key(w, "output"), json_string(w, demo->output);
    put_slices(demo, w);
}
// table.txt and demo.json: what the terminal shows and what --json gives.
static Status write_results(Demo *demo, const struct stent_result *result) {
    const char *table = join(demo, demo->output, "table.txt"), *json = join(demo, demo->output, "demo.json");
    if (!table || !json) return fail_memory(strlen(demo->output));
    TRY(text_status(&result->text));
    TRY(file_write(table, text_get(&result->text), result->text.length));
    Text closed = {0};
    text_add(&closed, "%s}\n", text_get(&result->json));
    Status status = text_status(&closed);
    if (status == ST_OK) status = file_write(json, text_get(&closed), closed.length);
    text_free(&closed);
    return status;
}

static bool differs(double value, double expected) {
    return !isnan(expected) && !(fabs(value - expected) <= dice_tolerance);
}
static Status run_demo(Demo *demo, const char *data, struct stent_result *result) {
    TRY(find_data(demo, data));
    demo->package = join(demo, demo->output, "phantom-unet.stent");
    demo->masks = join(demo, demo->output, "masks");
    if (!demo->package || !demo->masks) return fail_memory(strlen(demo->output));
    TRY(read_expected(demo));
    TRY(folder_make(demo->output));
    TRY(compile_network(demo));
    TRY(tune_network(demo));
    TRY(segment_volume(demo));
    TRY(score_masks(demo));
    TRY(read_times(demo));
    const Status verified = verify_package(demo);
    if (verified != ST_NO) TRY(verified);
    TRY(measure_latency(demo));
    const bool off = differs(pooled_of(demo), demo->expected_pooled) || differs(mean_of(demo), demo->expected_mean);
    demo->ok = verified == ST_OK && !off;
    tell_steps(demo, &result->text);
    tell_slices(demo, &result->text);
    put_results(demo, result);
    TRY(write_results(demo, result));
    if (verified == ST_NO)
        return fail(ST_NO, "the network does not give the reference's answer on this machine; stent verify %s",
                    demo->package);
    FAIL_IF(off, ST_NO, "Dice is not as expected: %.4f instead of %.4f", pooled_of(demo), demo->expected_pooled);
    return ST_OK;
}

stent_status stent_demo(const char *data, const char *output, const stent_options *given, stent_result **out) {
    stent_options options = *common_options(NULL);
    struct stent_result *result = NULL;
    Demo demo = {.options = &options, .output = output ? output : "demo-out"};
    error_clear();
    if (out) *out = NULL;
    Status status = options_take(given, sizeof options, &options);
    if (status == ST_OK) status = result_begin("demo", data, &options, &result);
    if (status == ST_OK) {
        status = run_demo(&demo, data, result);
        status = result_finish(result, status, out);
    }
    arena_free(&demo.arena);
    return (stent_status)status;
}
