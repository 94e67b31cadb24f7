// The self-check: a sample of the input and what the network must answer, made when a package is compiled and run at a
// plan's first use on a machine.
#include "app/crop.h"
#include "app/frame.h"
#include "app/reference_threads.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"
#include "import/import.h"
#include "pass/pass.h"
#include <math.h>
#include <string.h>

// Beyond this the expected output comes from the strict path, which is first checked against the reference on a crop.
static const double REFERENCE_FLOP = 2e9;
// Beyond this the reference, which may be the only one to ask, takes too long (about a nanosecond each).
static const double MOST_REFERENCE_FLOP = 5e9;
// What a self-check may take: estimated time, and memory where the user does not say. Its model may be anybody's.
static const double MOST_SECONDS = 60, CYCLES_PER_SECOND = 3e9;
static const uint64_t MOST_BYTES = (uint64_t)768 << 20;
enum { SCRATCH_THREADS = 8 };
// Strict against reference on the crop, rms / standard deviation: what is always fine, and how much more than the
// rounding of the values between the layers, where a network magnifies that. Sums of thousands of products round more
// than once.
static const double STRICT_TOLERANCE = 5e-6, STRICT_NOISE = 20;
enum { MOST_OUTPUTS = 64 };
// Pixels a side of a crop. The smaller ones are mostly border: for networks of a thousand channels.
enum { LARGEST_CROP = 128, SMALLEST_CROP = 4 };

void synthetic_sample(Tensor *tensor, double amplitude) {
    Rng rng;
    const int64_t count = tensor_count(tensor);
    rng_seed(&rng, (uint64_t)count + 1);
    const Type type = type_make(tensor->dtype, &tensor->shape);
    const bool last = type.rank == 4 && frame_of_input(&type, 0).channels_last;
    const int rank = type.rank - last; // of all but the channels, where they are last
    const int64_t channels = last ? MAX(type.dim[3], 1) : 1;
    const int64_t width = rank > 0 ? MAX(type.dim[rank - 1], 1) : 1;
    const int64_t height = rank > 1 ? MAX(type.dim[rank - 2], 1) : 1;
    for (int64_t i = 0; i < count; i++) {
        if (!dtype_is_float(tensor->dtype)) {
            tensor_set_int(tensor, i, tensor->dtype == DT_BOOL ? i % 2 : 1 + (int64_t)rng_below(&rng, 3));
            continue;
        }
        // Waves that differ from plane to plane, some noise, and a dark frame as in a scan.
        const int64_t pixel = i / channels;
        const double x = (double)(pixel % width) / (double)width, y = (double)(pixel / width % height) / (double)height;
        const double plane = (double)(pixel / (width * height) * channels + i % channels);
        const double waves = 0.5 + 0.2 * sin(9 * x + plane) * cos(7 * y - plane) + 0.15 * sin(31 * (x + y) + 2 * plane);
        const bool inside = (x - 0.5) * (x - 0.5) + (y - 0.5) * (y - 0.5) < 0.2;
        const double value = inside || width < 8 ? waves + 0.05 * (rng_uniform(&rng) - 0.5) : 0;
        tensor_set(tensor, i, amplitude * value);
    }
}

static double graph_flop(const Graph *graph) {
    double sum = 0;
    for (int i = 0; i < graph->n_nodes; i++) sum += node_flop(graph, graph->nodes[i]);
    return sum;
}
static double worst_rms(const Tensor *actual, const Tensor *expected, int count, Status *status) {
    double worst = 0;
    for (int i = 0; i < count && *status == ST_OK; i++) {
        Comparison comparison;
        *status = tensor_compare(&actual[i], &expected[i], 0, 0, &comparison);
        // Integers are mostly classes: one near-tie in 100,000 may fall the other way.
        const int64_t most = MAX(1, tensor_count(&expected[i]) / 100000);
        const double rms =
            dtype_is_float(expected[i].dtype) ? comparison.rms_rel : (comparison.outside > most ? INFINITY : 0);
        if (*status == ST_OK) worst = isnan(rms) ? INFINITY : fmax(worst, rms);
    }
    return worst;
}
// The strict path's plan of a network as passes have left it.
static Status plan_strict(const Graph *graph, int threads, Plan **out) {
    Machine machine;
    const PlanOptions options = {.threads = threads, .precision = PRECISION_STRICT, .fuse = true};
    TRY(machine_detect(&machine));
    return plan_create(graph, &machine, &options, out);
}
// Uses the plan up.
static Status run_plan(Plan *plan, const Tensor *inputs, Tensor *outputs) {
    Pool *pool = NULL;
    Executable *executable = NULL;
    Session *session = NULL;
    Status status = pool_create(plan->threads, &pool);
    if (status != ST_OK) {
        plan_free(plan);
        return status;
    }
    log_verbose("expected output by the strict path, %d threads", pool_threads(pool));
    status = executable_create(plan, pool, NULL, &executable);
    if (status == ST_OK) status = session_create(executable, &session);
    if (status == ST_OK) status = session_run(session, inputs, outputs);
    session_destroy(session);
    executable_release(executable);
    pool_destroy(pool);
    return status;
}
static Status run_strict(const Graph *graph, int threads, const Tensor *inputs, Tensor *outputs) {
    Plan *plan;
    TRY(plan_strict(graph, threads, &plan));
    return run_plan(plan, inputs, outputs);
}
static Status run_reference(const Graph *graph, bool in_double, int threads, const Tensor *inputs, Tensor *outputs,
                            Arena *arena) {
    PooledReference pooled;
    TRY(pooled_reference_begin(threads, &pooled));
    const ReferenceOptions options = {.in_double = in_double, .threads = &pooled.threads};
    const Status status = reference_run_with(graph, inputs, outputs, arena, &options);
    pooled_reference_end(&pooled);
    return status;
}
static Status optimise(const Graph *graph, Graph **out) {
    TRY(graph_copy(graph, out));
    const Status status = passes_run(*out, 2, NULL, NULL);
    if (status == ST_OK) return ST_OK;
    graph_free(*out);
    *out = NULL;
    return status;
}
// What the rounding of values to fp32, between the layers and of the outputs, makes of the outputs by itself: the
// reference against the same in double. Some networks magnify it more than others; of outputs that are nearly constant
// (0.5 of a sigmoid that says nothing) already the last bit is more than what they differ by allows.
static Status rounding_noise(const Graph *graph, int threads, const Tensor *inputs, const Tensor *expected,
                             double *out) {
    Arena arena = {0};
    Tensor exact[MOST_OUTPUTS], wide; // wide: what is expected, as exact as the other
    *out = 0;
    Status status = run_reference(graph, true, threads, inputs, exact, &arena);
    for (int i = 0; i < graph->n_outputs && status == ST_OK; i++) {
        if (!dtype_is_float(expected[i].dtype)) continue;
        status = tensor_make(&arena, exact[i].dtype, expected[i].shape, &wide);
        const int64_t count = status == ST_OK ? tensor_count(&wide) : 0;
        for (int64_t k = 0; k < count; k++) tensor_set(&wide, k, tensor_get(&expected[i], k));
        if (status == ST_OK) *out = fmax(*out, worst_rms(&wide, &exact[i], 1, &status));
    }
    arena_free(&arena);
    return status;
}
// A network, and what it must give: graph is as imported.
typedef struct Question {
    const Graph *graph;
    int threads;
    const Tensor *inputs;
    Tensor *expected;
} Question;
static Status judge_strict(const Question *question, const Tensor *outputs) {
    Status status = ST_OK;
    double noise;
    const double rms = worst_rms(outputs, question->expected, question->graph->n_outputs, &status);
    if (status != ST_OK || rms <= STRICT_TOLERANCE) return status;
    TRY(rounding_noise(question->graph, question->threads, question->inputs, question->expected, &noise));
    log_verbose("strict differs from the reference by %.2g, which itself is rounded by %.2g", rms, noise);
    FAIL_IF(
        !(rms <= STRICT_NOISE * noise), ST_NO,
        "the strict path differs from the reference by %.2g (rms / standard deviation): a defect of stent or of this "
        "machine",
        rms);
    return ST_OK;
}
// graph: the same network after passes.
static Status ask_strict(const Question *question, const Graph *graph, Arena *arena) {
    Tensor *outputs;
    TRY(make_tensors(graph, graph->outputs, graph->n_outputs, arena, &outputs));
    TRY(run_strict(graph, question->threads, question->inputs, outputs));
    return judge_strict(question, outputs);
}
// The network as it was optimised for the whole picture, cut to the crop's size, so that its weights are those that
// there are. *agrees false: it cannot be cut, or gives something else, as passes have put sizes into it.
static Status ask_cut(const Question *question, const Graph *optimised, int64_t side, Arena *arena, bool *agrees) {
    Graph *cut;
    *agrees = false;
    TRY(crop_graph(optimised, side, &cut));
    if (!cut) return ST_OK;
    const Status status = ask_strict(question, cut, arena);
    graph_free(cut);
    *agrees = status == ST_OK;
    if (status == ST_OK || status == ST_RESOURCE) return status;
    log_verbose("on a crop: %s", error_message());
    error_clear();
    return ST_OK;
}
// Strict against reference on a crop of that graph.
static Status ask_on_crop(const Graph *crop, const Graph *optimised, int64_t side, const SelfCheckOptions *options,
                          Arena *arena) {
    Tensor *inputs, expected[MOST_OUTPUTS];
    Graph *own;
    bool agrees;
    FAIL_IF(crop->n_outputs > MOST_OUTPUTS, ST_UNSUPPORTED, "more than %d outputs", MOST_OUTPUTS);
    TRY(make_tensors(crop, crop->inputs, crop->n_inputs, arena, &inputs));
    synthetic_sample(&inputs[0], options->amplitude);
    TRY(run_reference(crop, false, options->threads, inputs, expected, arena));
    if (options->from) import_drop(options->from);
    heap_trim(); // of the reference; compile needs the most memory in what follows
    const Question question = {crop, options->threads, inputs, expected};
    TRY(ask_cut(&question, optimised, side, arena, &agrees));
    if (agrees) return ST_OK;
    TRY(optimise(crop, &own));
    const Status status = ask_strict(&question, own, arena);
    graph_free(own);
    return status;
}
// Whether a node of the graph reads any of these numbers.
static bool is_read(const Graph *graph, const int *uses, const Tensor *numbers) {
    const char *from = numbers->data, *end = from + tensor_bytes(numbers);
    for (int i = 0; i < graph->n_values; i++) {
        const Tensor *other = uses[i] ? graph->values[i].constant : NULL;
        if (other && (const char *)other->data < end && (const char *)other->data + tensor_bytes(other) > from)
            return true;
    }
    return false;
}
// Weights as imported were needed for the crop only, where passes have made others of them.
static Status forget_weights(const Graph *graph, const Graph *optimised, const Graph *packaged) {
    enum { LARGE = 1 << 20 };
    int *uses = graph_use_counts(optimised), *packaged_uses = graph_use_counts(packaged);
    for (int i = 0; uses && packaged_uses && i < graph->n_values; i++) {
        const Tensor *constant = graph->values[i].constant;
        if (!constant || tensor_bytes(constant) < LARGE) continue;
        if (!is_read(optimised, uses, constant) && !is_read(packaged, packaged_uses, constant))
            pages_forget(constant->data, tensor_bytes(constant));
    }
    const Status status = uses && packaged_uses ? ST_OK : fail_memory((size_t)graph->n_values * sizeof *uses);
    mem_free(uses);
    mem_free(packaged_uses);
    return status;
}
// The crop: the largest that the reference is done with soon, else the smallest that there is; NULL: none.
static Status choose_crop(const Graph *graph, Graph **out, int64_t *out_side) {
    bool is_small = false;
    *out = NULL, *out_side = 0;
    for (int64_t side = LARGEST_CROP; side >= SMALLEST_CROP && !is_small; side /= 2) {
        Graph *crop;
        const Status status = crop_graph(graph, side, &crop);
        if (status != ST_OK) {
            graph_free(*out);
            return status;
        }
        if (!crop) continue;
        is_small = graph_flop(crop) <= REFERENCE_FLOP;
        graph_free(*out);
        *out = crop, *out_side = side;
    }
    return ST_OK;
}
// *trusted false: no crop was possible.
static Status check_on_crop(const Graph *graph, const Graph *optimised, const SelfCheckOptions *options,
                            bool *trusted) {
    int64_t side;
    Graph *crop;
    Arena arena = {0};
    *trusted = false;
    TRY(choose_crop(graph, &crop, &side));
    if (!crop) return ST_OK;
    const Status status = ask_on_crop(crop, optimised, side, options, &arena);
    arena_free(&arena);
    graph_free(crop);
    *trusted = status == ST_OK;
    return status;
}

// Functions of one value take about ten times the time of a multiply-add.
static double reference_cost(const Graph *graph) {
    double sum = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        const OpKind kind = op_info(graph->nodes[i]->op)->kind;
        const bool is_slow = kind != KIND_CONV && kind != KIND_POOL && kind != KIND_REDUCE;
        sum += node_flop(graph, graph->nodes[i]) * (is_slow ? 10 : 1);
    }
    return sum;
}
static double plan_seconds(const Plan *plan) {
    double cycles = 0;
    for (int i = 0; i < plan->n_steps; i++) cycles += plan->steps[i].cycles;
    return cycles / CYCLES_PER_SECOND;
}
bool self_check_takes_too_long(const Plan *plan) { return plan_seconds(plan) > MOST_SECONDS; }

// The tensors that go in and come out; they are no part of a plan's arena.
static uint64_t outer_bytes(const Graph *graph) {
    uint64_t bytes = 0;
    for (int i = 0; i < graph->n_inputs + graph->n_outputs; i++) {
        const ValueId id = i < graph->n_inputs ? graph->inputs[i] : graph->outputs[i - graph->n_inputs];
        const Shape shape = type_shape(&graph->values[id].type);
        bytes += (uint64_t)shape_count(&shape) * dtype_size(graph->values[id].type.dtype);
    }
    return bytes;
}
// *by_reference: the reference is quick and small enough. `why`: the strict path is not either; the check is not made.
static void choose_way(const Graph *graph, const Plan *plan, uint64_t memory, bool *by_reference, Text *why) {
    const uint64_t values = plan->arena_bytes + outer_bytes(graph);
    // Whether a package has a self-check must not depend on how many threads compiled it.
    const uint64_t bytes = values + plan->weights_bytes + plan->scratch_bytes * SCRATCH_THREADS;
    if (!memory) memory = MOST_BYTES;
    // The reference holds operands as doubles beside the values.
    *by_reference = reference_cost(graph) <= REFERENCE_FLOP && 4 * values <= memory;
    if (bytes > memory)
        text_add(why, "it would take %.0f MB, allowed are %.0f (--max-memory)", (double)bytes / 1e6, (double)memory / 1e6);
    else if (self_check_takes_too_long(plan)) text_add(why, "it would take about %.0f s", plan_seconds(plan));
}

// Where strict is right and still beyond what it is allowed, as the network magnifies rounding, its answer is the
// expected one, so that it may run. Uses the plan up.
static Status expect_strict_where_needed(const Graph *graph, Plan *plan, const SelfCheckOptions *options, Arena *arena,
                                         SelfCheck *out) {
    Tensor *outputs;
    Status status = make_tensors(graph, graph->outputs, graph->n_outputs, arena, &outputs);
    if (status != ST_OK) plan_free(plan);
    else status = run_plan(plan, out->inputs, outputs);
    TRY(status);
    const double rms = worst_rms(outputs, out->expected, graph->n_outputs, &status);
    if (status != ST_OK || rms <= STRICT_TOLERANCE) return status;
    status = judge_strict(&(Question){graph, options->threads, out->inputs, out->expected}, outputs);
    if (status == ST_OK) out->expected = outputs, out->from_reference = false;
    if (status != ST_NO) return status;
    error_clear(); // a network whose outputs hardly differ, perhaps: let those judge who want to run it strictly
    return ST_OK;
}
static Status make_sample(const Graph *graph, const SelfCheckOptions *options, Arena *arena, SelfCheck *out) {
    const Tensor *sample = options->sample;
    out->n_inputs = graph->n_inputs, out->n_outputs = graph->n_outputs;
    TRY(make_tensors(graph, graph->inputs, graph->n_inputs, arena, &out->inputs));
    for (int i = 0; i < graph->n_inputs; i++) synthetic_sample(&out->inputs[i], options->amplitude);
    if (!sample) return ST_OK;
    FAIL_IF(graph->n_inputs != 1 || sample->dtype != out->inputs[0].dtype ||
                !shape_equal(&sample->shape, &out->inputs[0].shape),
            ST_USAGE, "--sample: expected one tensor of the input's dtype and shape");
    memcpy(out->inputs[0].data, sample->data, tensor_bytes(sample));
    return ST_OK;
}
static Status expect_by_reference(const Graph *graph, const SelfCheckOptions *options, Arena *arena, SelfCheck *out) {
    out->from_reference = true;
    out->expected = arena_array(arena, (size_t)graph->n_outputs + 1, sizeof *out->expected);
    if (!out->expected) return fail_memory(sizeof *out->expected);
    return run_reference(graph, false, options->threads, out->inputs, out->expected, arena);
}
// Uses the plan up: the strict path's.
static Status expect(const Graph *graph, const Graph *optimised, Plan *plan, bool by_reference,
                     const SelfCheckOptions *options, Arena *arena, SelfCheck *out, Text *why) {
    bool trusted = false;
    Status status = by_reference ? ST_OK : check_on_crop(graph, optimised, options, &trusted);
    if (status == ST_OK) status = make_sample(graph, options, arena, out); // not beside what the crop takes
    if (status == ST_OK && trusted) {
        if (options->from) status = forget_weights(graph, optimised, options->from->graph);
        if (status == ST_OK) status = make_tensors(graph, graph->outputs, graph->n_outputs, arena, &out->expected);
        if (status == ST_OK) return run_plan(plan, out->inputs, out->expected);
    } else if (status == ST_OK && !by_reference && reference_cost(graph) > MOST_REFERENCE_FLOP) {
        *out = (SelfCheck){0};
        text_add(why, "the reference takes too long for it, and it cannot be cut to a smaller picture");
        status = text_status(why);
    } else if (status == ST_OK) {
        status = expect_by_reference(graph, options, arena, out);
        if (status == ST_OK && graph->n_outputs <= MOST_OUTPUTS)
            return expect_strict_where_needed(graph, plan, options, arena, out);
    }
    plan_free(plan);
    return status;
}
Status self_check_make(const Graph *graph, const Graph *optimised, const SelfCheckOptions *options, Arena *arena,
                       SelfCheck *out, Text *why) {
    bool by_reference = false;
    Plan *plan;
    *out = (SelfCheck){0};
    TRY(plan_strict(optimised, options->threads, &plan));
    choose_way(graph, plan, options->memory, &by_reference, why);
    if (why->length) {
        plan_free(plan);
        return text_status(why);
    }
    return expect(graph, optimised, plan, by_reference, options, arena, out, why);
}

// What a session of `executable` makes of the inputs against what is expected.
static Status run_and_compare(const Graph *graph, Executable *executable, const Tensor *inputs, const Tensor *expected,
                              Arena *arena, double *rms) {
    Session *session = NULL;
    Tensor *outputs;
    TRY(make_tensors(graph, graph->outputs, graph->n_outputs, arena, &outputs));
    Status status = session_create(executable, &session);
    if (status == ST_OK) status = session_run(session, inputs, outputs);
    if (status == ST_OK) *rms = worst_rms(outputs, expected, graph->n_outputs, &status);
    session_destroy(session);
    return status;
}
// Uses `strict` up.
static Status run_both(const Graph *graph, Executable *executable, double amplitude, Plan *strict, Arena *arena,
                       double *rms) {
    Tensor *inputs = NULL, *expected = NULL;
    Status status = make_tensors(graph, graph->inputs, graph->n_inputs, arena, &inputs);
    if (status == ST_OK) status = make_tensors(graph, graph->outputs, graph->n_outputs, arena, &expected);
    if (status != ST_OK) {
        plan_free(strict);
        return status;
    }
    for (int i = 0; i < graph->n_inputs; i++) synthetic_sample(&inputs[i], amplitude);
    TRY(run_plan(strict, inputs, expected));
    return run_and_compare(graph, executable, inputs, expected, arena, rms);
}
static Status compare_with_strict(const Graph *graph, const Graph *optimised, Executable *executable, double amplitude,
                                  int threads, uint64_t memory, double *rms) {
    Plan *strict;
    Arena arena = {0};
    TRY(plan_strict(optimised, threads, &strict));
    if (plan_bytes(strict) + plan_bytes(executable_plan(executable)) > memory) {
        plan_free(strict);
        return fail(ST_RESOURCE, "the strict path does not fit beside the plan");
    }
    const Status status = run_both(graph, executable, amplitude, strict, &arena, rms);
    arena_free(&arena);
    return status;
}
Status self_check_against_strict(const Graph *graph, Executable *executable, double amplitude, int threads,
                                 uint64_t memory, double budget, double *rms) {
    Graph *optimised;
    TRY(optimise(graph, &optimised));
    const Status status = compare_with_strict(graph, optimised, executable, amplitude, threads, memory, rms);
    graph_free(optimised);
    if (status == ST_OK && !(*rms <= budget))
        return fail(ST_NO,
                    "the result differs from that of the strict path by %.3g (rms / standard deviation), allowed %.3g",
                    *rms, budget);
    return status;
}
Status self_check_run(const SelfCheck *check, Executable *executable, double budget, double *rms, bool *ran) {
    const Graph *graph = executable_plan(executable)->graph;
    *ran = check->n_inputs == graph->n_inputs && check->n_outputs == graph->n_outputs;
    for (int i = 0; *ran && i < check->n_inputs; i++) {
        const Shape shape = type_shape(&graph->values[graph->inputs[i]].type);
        *ran = shape_equal(&shape, &check->inputs[i].shape);
    }
    if (!*ran) return ST_OK;
    Arena arena = {0};
    const Status status = run_and_compare(graph, executable, check->inputs, check->expected, &arena, rms);
    arena_free(&arena);
    if (status == ST_OK && !(*rms <= budget))
        return fail(ST_NO,
                    "self-check: the result differs from the expected one by %.3g (rms / standard deviation), allowed "
                    "%.3g: do not use this package on this machine; please report it with stent machine --json",
                    *rms, budget);
    return status;
}
