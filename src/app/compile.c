// compile: model file -> graph -> passes -> package.
#include "app/app.h"
#include "app/frame.h"
#include "app/gate.h"
#include "app/imported.h"
#include "base/clock.h"
#include "base/log.h"
#include "import/import.h"
#include "pass/pass.h"
#include <math.h>
#include <string.h>

enum { PIPELINE_BYTES = 1 << 20 };

// "NAME=x.npy" items to named tensors.
static Status read_binds(const char *const *items, Arena *arena, NamedTensor **out, size_t *count) {
    *count = 0;
    for (const char *const *item = items; item && *item; item++) ++*count;
    *out = arena_array(arena, *count + 1, sizeof **out);
    if (!*out) return fail_memory(*count * sizeof **out);
    for (size_t i = 0; i < *count; i++) {
        const char *equals = strchr(items[i], '=');
        FAIL_IF(!equals || equals == items[i], ST_USAGE, "--bind: expected NAME=x.npy, got '%s'", items[i]);
        (*out)[i].name = arena_string_n(arena, items[i], (size_t)(equals - items[i]));
        if (!(*out)[i].name) return fail_memory(strlen(items[i]));
        TRY(npy_read(arena, equals + 1, &(*out)[i].tensor));
    }
    return ST_OK;
}
static Status import(const char *path, const stent_compile_options *options, Arena *arena, Imported *out) {
    size_t n_bind;
    NamedTensor *bind;
    TRY(read_binds(options->bind, arena, &bind, &n_bind));
    return import_with(path, &options->common, bind, n_bind, arena, out);
}

// What makes the numbers of the first output: behind it they are only moved.
static const Node *last_operation(const Graph *graph) {
    const Node *node = graph->values[graph->outputs[0]].producer;
    while (node && (node->op == OP_Identity || node->op == OP_Transpose || node->op == OP_Reshape ||
                    node->op == OP_Squeeze || node->op == OP_Unsqueeze)) {
        const Node *const before = graph->values[node->inputs[0]].producer;
        if (!before) break;
        node = before;
    }
    return node;
}
static const Node *only_reader(const Graph *graph, ValueId value) {
    const Node *reader = NULL;
    for (int i = 0; i < graph->n_nodes; i++)
        for (int k = 0; k < graph->nodes[i]->n_inputs; k++) {
            if (graph->nodes[i]->inputs[k] != value) continue;
            if (reader) return NULL;
            reader = graph->nodes[i];
        }
    return reader;
}
// The factor by which the network itself scales its input before all else, as Keras' layer Rescaling does; 1: it
// does not. Of factors that differ by channel the first.
static double own_scale(const Graph *graph) {
    enum { STEPS = 8 };
    ValueId value = graph->inputs[0];
    double scale = 1;
    for (int i = 0; i < STEPS; i++) {
        const Node *node = only_reader(graph, value);
        if (!node) break;
        const Tensor *constant = node_constant(graph, node, 1);
        const bool has_number = constant && tensor_count(constant) > 0;
        if (node->op == OP_Mul && has_number) scale *= tensor_get(constant, 0);
        else if (node->op == OP_Div && has_number) scale /= tensor_get(constant, 0);
        else if (!((node->op == OP_Add || node->op == OP_Sub) && has_number) && node->op != OP_Transpose &&
                 node->op != OP_Identity && node->op != OP_Cast)
            break;
        value = node->outputs[0];
    }
    return scale;
}
// Without a pipeline file: what the model says. A final Sigmoid or Softmax is in the network already, so the activation
// stays none; the picture's size is the input's.
static void assume_pipeline(const Graph *graph, Pipeline *pipeline, Text *assumed) {
    *pipeline = pipeline_default();
    if (!graph->n_inputs) return;
    const Type *input = &graph->values[graph->inputs[0]].type, *output = &graph->values[graph->outputs[0]].type;
    if (input->rank == 4) {
        const Frame frame = frame_of_input(input, 0);
        if (frame.channels > 0 && frame.channels <= PIPELINE_CHANNELS) pipeline->channels = (int)frame.channels;
        if (frame.height > 0 && frame.width > 0) pipeline->height = frame.height, pipeline->width = frame.width;
    }
    // One that makes small numbers of 0..255 wants them, not what is scaled already.
    if (fabs(own_scale(graph)) < 0.05) pipeline->scale = 1;
    const Node *last = last_operation(graph);
    const char *op = last ? op_info(last->op)->name : "none";
    text_add(assumed, "assumed, as there is no pipeline file: %d channels", pipeline->channels);
    if (pipeline->height)
        text_add(assumed, ", %lldx%lld pixels", (long long)pipeline->height, (long long)pipeline->width);
    text_add(assumed, ", %s, last op %s, ",
             pipeline->scale == 1 ? "values 0..255, which the network scales itself" : "values / 255", op);
    if (output->rank == 4 && frame_of_input(output, 0).channels > 1)
        text_add(assumed, "the class with the largest output");
    else text_add(assumed, "mask where the output is above %g", pipeline->threshold);
}
static Status read_pipeline(const char *path, Arena *arena, Pipeline *out) {
    uint8_t *text = NULL;
    size_t size;
    TRY(file_read(path, PIPELINE_BYTES, &text, &size));
    Status status = pipeline_parse((const char *)text, size, arena, out);
    mem_free(text);
    return status == ST_OK ? ST_OK : fail_context(status, "%s", path);
}
// The channels of a pipeline and of the network must agree.
static Status match_pipeline(const Graph *graph, Pipeline *pipeline) {
    if (graph->n_inputs != 1 || graph->values[graph->inputs[0]].type.rank != 4) return ST_OK;
    const Type *input = &graph->values[graph->inputs[0]].type;
    const Frame frame = frame_of_input(input, pipeline->channels);
    FAIL_IF(pipeline->channels && frame.channels > 0 && pipeline->channels != frame.channels, ST_BAD,
            "pipeline: input.channels is %d, the network's input '%s' has %lld", pipeline->channels,
            graph->values[graph->inputs[0]].name, (long long)frame.channels);
    const int64_t size[2] = {pipeline->height, pipeline->width}, has[2] = {frame.height, frame.width};
    for (int i = 0; i < 2; i++)
        FAIL_IF(size[i] && has[i] > 0 && size[i] != has[i], ST_BAD,
                "pipeline: input.size has %lld, the network's input '%s' has %lld", (long long)size[i],
                graph->values[graph->inputs[0]].name, (long long)has[i]);
    if (!pipeline->channels && frame.channels > 0 && frame.channels <= PIPELINE_CHANNELS)
        pipeline->channels = (int)frame.channels;
    return ST_OK;
}
// An output that leaves 0..1 where the mask is cut at a probability deserves a word.
static void warn_range(const SelfCheck *check, const Pipeline *pipeline, Text *text) {
    if (pipeline->activation != ACTIVATION_NONE || check->n_outputs < 1 || !dtype_is_float(check->expected[0].dtype))
        return;
    const Tensor *y = &check->expected[0];
    if (y->shape.rank == 4 && y->shape.dim[1] > 1) return; // classes: the largest wins
    for (int64_t i = 0; i < tensor_count(y); i++) {
        const double value = tensor_get(y, i);
        if (value >= -1e-6 && value <= 1 + 1e-6) continue;
        text_add(text,
                 "warning: the output leaves 0..1 (%.3g), yet the pipeline has no activation and cuts at %g;\n"
                 "         for logits say \"activation\": \"sigmoid\" in the pipeline file\n",
                 value, pipeline->threshold);
        return;
    }
}

static Status emit_pass(void *context, const Pass *pass, int round, bool changed, const Graph *graph) {
    const stent_compile_options *options = context;
    (void)round;
    if (!options->emit_graph || !changed) return ST_OK;
    Text text = {0};
    Status status = graph_print(graph, false, &text);
    if (status == ST_OK) options->emit_graph(options->emit_context, pass->name, text_get(&text));
    text_free(&text);
    return status;
}
static Status emit_first(const stent_compile_options *options, const Graph *graph) {
    if (!options->emit_graph) return ST_OK;
    Text text = {0};
    Status status = graph_print(graph, false, &text);
    if (status == ST_OK) options->emit_graph(options->emit_context, "import", text_get(&text));
    text_free(&text);
    return status;
}

// How many channels the first convolution that reads `value` takes; 0: none reads it.
static int64_t channels_read(const Graph *graph, ValueId value) {
    for (int i = 0; i < graph->n_nodes; i++) {
        const Node *node = graph->nodes[i];
        if ((node->op != OP_Conv && node->op != OP_ConvTranspose) || node->inputs[0] != value) continue;
        const Type *weight = &graph->values[node->inputs[1]].type;
        if (!type_is_static(weight) || weight->rank < 2) continue;
        return node->op == OP_Conv ? weight->dim[1] * node_int(node, "group", 1) : weight->dim[0];
    }
    return 0;
}
// One picture of the pipeline's size, or 256 a side, for what is free of an input; volumes of 64.
static Status sample_shape(const Graph *graph, ValueId input, const Pipeline *pipeline, Shape *out) {
    const Value *value = &graph->values[input];
    const Type type = value->type;
    FAIL_IF(type.rank < 0, ST_USAGE, "input '%s' has no shape; give it: --input %s=1x3x256x256", value->name,
            value->name);
    const int64_t read = channels_read(graph, input);
    const int64_t channels = pipeline->channels ? pipeline->channels : MAX(read, 1);
    const int64_t height = pipeline->height ? pipeline->height : 256, width = pipeline->width ? pipeline->width : 256;
    const int64_t side = type.rank == 5 ? 64 : 256;
    *out = (Shape){type.rank, {1, channels, side, side, side, side, side, side}};
    if (type.rank == 4) {
        const bool channels_last = frame_of_input(&type, pipeline->channels).channels_last;
        *out = frame_shape(&(Frame){channels, height, width, channels_last});
    }
    for (int k = 0; k < type.rank; k++)
        if (type.dim[k] >= 0) out->dim[k] = type.dim[k];
    return ST_OK;
}
// A copy of `graph` with the sample's shapes, and passes up to `level` run. imported: the same before any pass.
static Status sample_graph(const Graph *graph, const Graph *imported, const Pipeline *pipeline, int level,
                           Graph **out) {
    TRY(graph_copy(graph, out));
    Status status = ST_OK;
    for (int i = 0; i < imported->n_inputs && status == ST_OK; i++) {
        const Value *value = &imported->values[imported->inputs[i]];
        Shape shape;
        if (type_is_static(&value->type)) continue;
        status = sample_shape(imported, imported->inputs[i], pipeline, &shape);
        if (status == ST_OK) status = graph_bind(*out, value->name, &shape);
    }
    if (status == ST_OK) status = passes_run(*out, level, NULL, NULL);
    if (status != ST_OK) graph_free(*out), *out = NULL;
    return status;
}
// graph: as imported; optimised: as it will be run. Both with the sample's shapes.
static Status make_check(const Graph *graph, const Graph *optimised, const Imported *imported,
                         const stent_compile_options *options, const Pipeline *pipeline, int threads, Arena *arena,
                         SelfCheck *check, Text *text) {
    Tensor sample;
    if (options->sample) TRY(npy_read(arena, options->sample, &sample));
    Text why = {0};
    const SelfCheckOptions wanted = {.threads = threads,
                                     .sample = options->sample ? &sample : NULL,
                                     .amplitude = pipeline_amplitude(pipeline),
                                     .memory = options->common.max_memory,
                                     .from = imported};
    Status status = self_check_make(graph, optimised, &wanted, arena, check, &why);
    if (why.length) text_add(text, "warning: no self-check: %s\n", text_get(&why));
    text_free(&why);
    // Made-up values may not suit (an index outside, a division by zero); a given sample has to.
    if (status == ST_BAD && !options->sample) {
        text_add(text,
                 "warning: no self-check: the network refuses a synthetic sample (%s); give one: --sample x.npy\n",
                 error_message());
        *check = (SelfCheck){0};
        status = ST_OK;
    }
    return status;
}

// What stays on the reference path on this machine, for the person who compiles.
static Status list_fallbacks(const Graph *optimised, const Machine *machine, int threads, struct stent_result *result) {
    Plan *plan = NULL;
    const PlanOptions options = {.threads = threads, .fuse = true};
    const Status status = plan_create(optimised, machine, &options, &plan);
    json_key(&result->writer, "fallbacks"), json_begin_array(&result->writer);
    for (int i = 0; status == ST_OK && i < plan->n_steps; i++)
        if (plan->steps[i].why) json_string(&result->writer, plan->steps[i].name);
    if (status == ST_OK) tell_fallbacks(plan, &result->text);
    json_end_array(&result->writer);
    plan_free(plan);
    return status;
}

// What is known of the network by trying it: its self-check, and what runs slowly here. before: as imported.
static Status try_network(const Graph *before, const Imported *imported, const stent_compile_options *options,
                          const Pipeline *pipeline, const Machine *machine, int threads, Arena *arena, SelfCheck *check,
                          struct stent_result *result) {
    Graph *optimised, *plain = NULL;
    TRY(sample_graph(imported->graph, before, pipeline, 2, &optimised));
    import_drop(imported); // passes have made other weights of many of them
    Status status = sample_graph(before, before, pipeline, 0, &plain);
    if (status == ST_OK)
        status = make_check(plain, optimised, imported, options, pipeline, threads, arena, check, &result->text);
    import_drop(imported);
    if (status == ST_OK) warn_range(check, pipeline, &result->text);
    if (status == ST_OK) status = list_fallbacks(optimised, machine, threads, result);
    graph_free(plain);
    graph_free(optimised);
    return status;
}

// ---- the gate of bf16

static Status choose_precision(const stent_compile_options *options, Precision *out) {
    const bool gated = options->calibrate || options->no_gate || options->max_dice_loss != 0;
    *out = PRECISION_FP32;
    if (options->common.precision) TRY(precision_from_name(options->common.precision, out));
    FAIL_IF(gated && *out != PRECISION_BF16, ST_USAGE,
            "--calibrate, --max-dice-loss and --no-gate go with --precision bf16");
    FAIL_IF(*out == PRECISION_BF16 && !options->calibrate == !options->no_gate, ST_USAGE,
            "--precision bf16: expected --calibrate DIR with at least %d pictures, or --no-gate (for measuring only)",
            GATE_PICTURES);
    FAIL_IF(!(options->max_dice_loss <= 1), ST_USAGE, "--max-dice-loss: expected 0 to 1");
    return ST_OK;
}
static double most_loss(const stent_compile_options *options) {
    return options->max_dice_loss == 0 ? GATE_DICE_LOSS : MAX(options->max_dice_loss, 0);
}
// gate NULL: there was none.
static void write_gate(JsonWriter *w, const stent_compile_options *options, const Gate *gate) {
    json_key(w, "gate");
    if (!gate) {
        json_string(w, "none");
        return;
    }
    json_begin_object(w);
    json_key(w, "pictures"), json_integer(w, gate->pictures);
    json_key(w, "dice_loss_pooled"), json_number(w, gate->pooled);
    json_key(w, "dice_loss_worst"), json_number(w, gate->worst);
    json_key(w, "max_dice_loss"), json_number(w, most_loss(options));
    json_end_object(w);
}
// Tries the package that will be written. ST_NO: its masks lose too much.
static Status pass_gate(const PackageContent *content, const char *package, const stent_compile_options *options,
                        struct stent_result *result, Gate *gate) {
    PackageContent tried = *content;
    Text bytes = {0};
    char hash[65];
    tried.precision = precision_name(PRECISION_FP32);
    Status status = package_bytes(&tried, &bytes, hash);
    const PackageSource source = {package, bytes.data, bytes.length};
    const stent_options opening = without_model(&options->common);
    if (status == ST_OK) status = gate_measure(&source, options->calibrate, &opening, gate);
    text_free(&bytes);
    TRY(status);
    const double most = most_loss(options);
    text_add(&result->text, "bf16: the masks of %lld pictures lose %.2g of their Dice, the worst %.2g (allowed %.2g)\n",
             (long long)gate->pictures, gate->pooled, gate->worst, most);
    FAIL_IF(gate->pooled > most || gate->worst > most, ST_NO,
            "bf16 is refused: of %lld pictures the masks lose %.2g of their Dice, the worst %.2g (%s), allowed %.2g "
            "(--max-dice-loss); compile without --precision",
            (long long)gate->pictures, gate->pooled, gate->worst, gate->worst_path, most);
    return ST_OK;
}

static void describe(const char *model, const Imported *imported, const stent_compile_options *options,
                     const Gate *gate, Precision precision, Text *json) {
    JsonWriter w = {.text = json};
    json_begin_object(&w);
    json_key(&w, "model"), json_string(&w, path_name(model));
    json_key(&w, "format"), json_string(&w, imported->format);
    put_opset(&w, imported);
    json_key(&w, "stent"), json_string(&w, STENT_VERSION);
    if (precision == PRECISION_BF16) write_gate(&w, options, gate);
    json_end_object(&w);
}
static Status compile(const char *model, const char *package, const stent_compile_options *options, Arena *arena,
                      Imported *imported, struct stent_result *result) {
    const stent_options *common = &options->common;
    const int level = options->opt_level < 0 ? 3 : options->opt_level;
    FAIL_IF(level > 3, ST_USAGE, "-O: expected 0 to 3, got %d", level);
    Pipeline pipeline;
    Precision precision;
    Gate gate;
    Text *text = &result->text, assumed = {0}, pipeline_text = {0}, description = {0};
    SelfCheck check;
    Machine machine;
    int threads;
    char hash[65];
    TRY(choose_precision(options, &precision));
    TRY(machine_detect(&machine));
    TRY(choose_threads(common, &machine, &threads));
    TRY(report_progress(common, "reading", 0, 4));
    TRY(import(model, options, arena, imported));
    for (size_t i = 0; i < imported->n_mappings; i++)
        FAIL_IF(file_is_mapped(&imported->mappings[i], package), ST_USAGE,
                "%s: the package would overwrite the model or its weights; name another file", package);
    Graph *graph = imported->graph, *before;
    FAIL_IF(!graph->n_outputs, ST_UNSUPPORTED, "%s: a network without outputs", model);
    if (options->pipeline) TRY(read_pipeline(options->pipeline, arena, &pipeline));
    else assume_pipeline(graph, &pipeline, &assumed);
    if (assumed.length) text_add(text, "%s\n", text_get(&assumed));
    text_free(&assumed);
    TRY(match_pipeline(graph, &pipeline));
    TRY(emit_first(options, graph));
    TRY(report_progress(common, "passes", 1, 4));
    // The package holds the graph as far as passes go without a machine; level 3 is planning, at opening.
    TRY(graph_copy(graph, &before));
    Status status = passes_run(graph, MIN(level, 2), emit_pass, (void *)(uintptr_t)options);
    if (status == ST_OK) status = report_progress(common, "self-check", 2, 4);
    if (status == ST_OK)
        status = try_network(before, imported, options, &pipeline, &machine, threads, arena, &check, result);
    graph_free(before);
    TRY(status);
    TRY(report_progress(common, "writing", 3, 4));
    pipeline_print(&pipeline, &pipeline_text);
    PackageContent content = {.graph = graph,
                              .pipeline = text_get(&pipeline_text),
                              .opt_level = level,
                              .precision = precision_name(precision),
                              .description = "{}",
                              .check = check,
                              .sources = imported->mappings,
                              .n_sources = imported->n_mappings};
    status = text_status(&pipeline_text);
    if (status == ST_OK && options->calibrate) status = pass_gate(&content, package, options, result, &gate);
    const Gate *passed = options->calibrate ? &gate : NULL;
    if (precision == PRECISION_BF16 && (status == ST_OK || status == ST_NO))
        write_gate(&result->writer, options, passed);
    describe(model, imported, options, passed, precision, &description);
    content.description = text_get(&description);
    if (status == ST_OK) status = text_status(&description);
    if (status == ST_OK) status = package_write(package, &content, hash);
    text_free(&pipeline_text);
    text_free(&description);
    TRY(status);
    JsonWriter *w = &result->writer;
    json_key(w, "model"), json_string(w, path_name(model));
    json_key(w, "content_hash"), json_string(w, hash);
    json_key(&result->log.writer, "content_hash"), json_string(&result->log.writer, hash);
    json_key(w, "precision"), json_string(w, precision_name(precision));
    json_key(w, "package"), json_string(w, package);
    json_key(w, "bytes"), json_integer(w, file_size(package));
    json_key(w, "nodes"), json_integer(w, graph->n_nodes);
    json_key(w, "self_check"), json_string(w, !check.n_outputs ? NULL : check.from_reference ? "reference" : "strict");
    tell_notes(imported, result);
    text_add(text, "%s: ", package);
    tell_format(imported, text);
    text_add(text, ", %d operations, %.1f MB, self-check: %s\n", graph->n_nodes, (double)file_size(package) / 1e6,
             !check.n_outputs       ? "none"
             : check.from_reference ? "by the reference"
                                    : "by the strict path, itself checked on a crop");
    const stent_options opening = without_model(common);
    if (options->race > 0) TRY(race_wisdom(package, &opening, options->race, result));
    return report_progress(common, "done", 4, 4);
}

stent_status stent_compile(const char *model, const char *package, const stent_compile_options *given,
                           stent_result **out) {
    stent_compile_options options = {.size = sizeof options, .opt_level = -1};
    struct stent_result *result = NULL;
    Imported imported = {0};
    Arena arena = {0};
    error_clear();
    if (out) *out = NULL;
    Status status = options_take(given, sizeof options, &options);
    if (status == ST_OK) status = result_begin("compile", model, &options.common, &result);
    if (status == ST_OK) {
        status = compile(model, package, &options, &arena, &imported, result);
        // What went wrong may have come of bytes that were lost.
        if (status != ST_OK) status = import_intact(&imported, status);
        status = result_finish(result, status, out);
    }
    import_free(&imported);
    arena_free(&arena);
    return (stent_status)status;
}
