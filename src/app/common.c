#include "app/app.h"
#include "app/frame.h"
#include "base/log.h"
#include "kernel/kernel.h"
#include "pass/pass.h"
#include <stdlib.h>
#include <string.h>

Status result_begin(const char *verb, const char *path, const stent_options *options, struct stent_result **out) {
    TRY(options_check_common(options));
    struct stent_result *result = mem_zero(1, sizeof *result);
    if (!result) return fail_memory(sizeof *result);
    result->writer.text = &result->json;
    json_begin_object(&result->writer);
    json_key(&result->writer, "verb"), json_string(&result->writer, verb);
    json_key(&result->writer, "stent"), json_string(&result->writer, STENT_VERSION);
    log_line_begin(&result->log, options, verb);
    log_line_path(&result->log, path);
    *out = result;
    return ST_OK;
}
const char *stent_result_text(const stent_result *result) { return text_get(&result->text); }
const char *stent_result_json(const stent_result *result) { return text_get(&result->json); }
void stent_result_free(stent_result *result) {
    if (!result) return;
    text_free(&result->text);
    text_free(&result->json);
    log_line_drop(&result->log);
    mem_free(result);
}
Status result_finish(struct stent_result *result, Status status, stent_result **out) {
    json_end_object(&result->writer);
    status = log_line_end(&result->log, status);
    if ((status == ST_OK || status == ST_NO || status == ST_BAD) && (result->text.failed || result->json.failed))
        status = fail_memory(result->json.capacity);
    if (out && (status == ST_OK || status == ST_NO)) *out = result;
    else stent_result_free(result);
    return status;
}
void result_machine(struct stent_result *result, const Machine *machine, int threads) {
    JsonWriter *w = &result->writer;
    json_key(w, "machine"), json_begin_object(w);
    json_key(w, "isa"), json_string(w, isa_name(machine->isa));
    json_key(w, "threads"), json_integer(w, threads);
    json_key(w, "cpu"), json_string(w, machine->cpu);
    json_end_object(w);
}
static void put_features(JsonWriter *w, const char *key, uint64_t features) {
    json_key(w, key), json_begin_array(w);
    for (int f = 0; f < FEATURE_COUNT; f++)
        if (features >> f & 1) json_string(w, feature_name((Feature)f));
    json_end_array(w);
}
void result_levels(struct stent_result *result, const Machine *machine) {
    JsonWriter *w = &result->writer;
    json_key(w, "levels"), json_begin_array(w);
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        const uint64_t needs = isa_needs((Isa)isa);
        const bool had = kernels_for((Isa)isa) != NULL;
        json_begin_object(w);
        json_key(w, "isa"), json_string(w, isa_name((Isa)isa));
        json_key(w, "had"), json_bool(w, had);
        put_features(w, "needs", needs);
        put_features(w, "missing", had ? 0 : needs & ~machine->features);
        json_end_object(w);
    }
    json_end_array(w);
}
void tell_level(const Machine *machine, Isa isa, Text *text) {
    const uint64_t missing = isa_needs(isa) & ~machine->features;
    const bool had = kernels_for(isa) != NULL;
    text_add(text, "  %-7s %s", isa_name(isa), had ? "had" : "not had");
    const char *between = ": ";
    for (int f = 0; f < FEATURE_COUNT && !had; f++)
        if (missing >> f & 1) text_add(text, "%s%s", between, feature_name((Feature)f)), between = ", ";
    text_add(text, "\n");
}

void tell_fallbacks(const Plan *plan, Text *text) {
    for (int i = 0; i < plan->n_steps; i++)
        if (plan->steps[i].why)
            text_add(text, "slow: '%s' (%s) runs on the reference path: %s\n", plan->steps[i].name, plan->steps[i].op,
                     plan->steps[i].why);
}

Status report_progress(const stent_options *options, const char *stage, double done, double total) {
    if (!options->progress || !options->progress(options->progress_context, stage, done, total)) return ST_OK;
    return fail(ST_CANCELLED, "stopped");
}
const stent_options *common_options(const stent_options *options) {
    static const stent_options defaults = {.size = sizeof defaults};
    return options ? options : &defaults;
}
stent_options without_model(const stent_options *options) {
    stent_options plain = *common_options(options);
    plain.arch = plain.signature = NULL;
    return plain;
}
Status choose_threads(const stent_options *options, const Machine *machine, int *threads) {
    const char *wanted = getenv("STENT_THREADS");
    int64_t count = options->threads;
    if (!count && wanted && *wanted)
        FAIL_IF(!parse_i64(wanted, &count) || count < 1, ST_USAGE,
                "STENT_THREADS: expected a count from 1 on, got '%s'", wanted);
    if (!count) count = machine->cores;
    FAIL_IF(count < 1 || count > 1024, ST_USAGE, "threads: expected 1 to 1024, got %lld", (long long)count);
    *threads = (int)count;
    return ST_OK;
}

Status parse_shape_options(const stent_options *options, Arena *arena, ShapeOption **out, size_t *count) {
    *count = 0;
    for (const char *const *item = options->inputs; item && *item; item++) ++*count;
    *out = arena_array(arena, *count + 1, sizeof **out);
    if (!*out) return fail_memory(*count * sizeof **out);
    for (size_t i = 0; i < *count; i++) {
        const char *text = options->inputs[i], *equals = strrchr(text, '=');
        ShapeOption *option = &(*out)[i];
        if (equals) {
            option->name = arena_string_n(arena, text, (size_t)(equals - text));
            if (!option->name) return fail_memory(strlen(text));
        }
        FAIL_IF(!shape_parse(equals ? equals + 1 : text, &option->shape), ST_USAGE,
                "--input: expected NAME=1x3x256x256, got '%s'", text);
    }
    return ST_OK;
}

static Status bind_option(Graph *graph, const ShapeOption *option) {
    const char *name = option->name;
    if (!name) {
        FAIL_IF(graph->n_inputs != 1, ST_USAGE, "--input: the network has %d inputs: say which, NAME=SHAPE",
                graph->n_inputs);
        name = graph->values[graph->inputs[0]].name;
    }
    const ValueId value = graph_find(graph, name);
    FAIL_IF(value < 0 || !graph->values[value].is_input, ST_USAGE, "--input: the network has no input '%s'", name);
    return graph_bind(graph, name, &option->shape);
}
// Free dims of a picture's input: one picture, the pipeline's channels and size.
static Status bind_picture(Graph *graph, ValueId input, const Pipeline *pipeline) {
    const Value *value = &graph->values[input];
    if (type_is_static(&value->type) || value->type.rank != 4 || graph->n_inputs != 1) return ST_OK;
    const Frame frame = {pipeline->channels, pipeline->height, pipeline->width,
                         frame_of_input(&value->type, pipeline->channels).channels_last};
    const Shape known = frame_shape(&frame);
    Shape shape = {.rank = 4};
    for (int i = 0; i < 4; i++) {
        shape.dim[i] = value->type.dim[i] >= 0 ? value->type.dim[i] : known.dim[i];
        if (shape.dim[i] < 1) return ST_OK;
    }
    return graph_bind(graph, value->name, &shape);
}
Status bind_shapes(Graph *graph, const stent_options *options, const Pipeline *pipeline, int opt_level, Arena *arena) {
    ShapeOption *shapes;
    size_t count;
    TRY(parse_shape_options(options, arena, &shapes, &count));
    for (size_t i = 0; i < count; i++) TRY(bind_option(graph, &shapes[i]));
    bool changed = count > 0;
    for (int i = 0; i < graph->n_inputs; i++) {
        const bool was = type_is_static(&graph->values[graph->inputs[i]].type);
        TRY(bind_picture(graph, graph->inputs[i], pipeline));
        const Value *value = &graph->values[graph->inputs[i]];
        changed = changed || !was;
        FAIL_IF(!type_is_static(&value->type), ST_USAGE,
                "input '%s' has free dims; give its shape: --input %s=1x3x256x256", value->name, value->name);
    }
    for (int i = 0; i < graph->n_values && !changed; i++)
        changed = (graph->values[i].producer || graph->values[i].is_input) && !type_is_static(&graph->values[i].type);
    return changed ? passes_run(graph, opt_level, NULL, NULL) : ST_OK;
}

Status make_tensors(const Graph *graph, const ValueId *values, int count, Arena *arena, Tensor **out) {
    *out = arena_array(arena, (size_t)count + 1, sizeof **out);
    if (!*out) return fail_memory((size_t)count * sizeof **out);
    for (int i = 0; i < count; i++) {
        const Type *type = &graph->values[values[i]].type;
        TRY(tensor_make(arena, type->dtype, type_shape(type), &(*out)[i]));
    }
    return ST_OK;
}
Status precision_from_name(const char *name, Precision *out) {
    static const char *const later[] = {"fp16", "int8"};
    if (precision_parse(name, out)) return ST_OK;
    for (size_t i = 0; i < COUNT_OF(later); i++)
        FAIL_IF(!strcmp(name, later[i]), ST_UNSUPPORTED, "--precision %s: not had yet; fp32, strict and bf16 are", name);
    return fail(ST_USAGE, "--precision: expected fp32, strict or bf16, got '%s'", name);
}
