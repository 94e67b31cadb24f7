#include "app/sample.h"
#include "app/postprocess.h"
#include <math.h>
#include <string.h>

Status open_for_input(const char *package, const stent_options *options, const char *file, int flags, Arena *arena,
                      Opened *out) {
    stent_options common = *common_options(options);
    const char *const files[] = {file, NULL};
    *out = (Opened){0};
    if (file) TRY(shapes_from_inputs(package, files, arena, &common));
    return open_package(package, &common, flags, out);
}

// The self-check's sample, when it has the shapes that are bound. Copied out of the mapping: it will be read again and
// again, and the file may go away meanwhile.
static Status take_own(const Opened *opened, Arena *arena, Sample *out) {
    const Graph *graph = opened->package->graph;
    const SelfCheck *check = &opened->package->check;
    if (check->n_inputs != graph->n_inputs || check->n_outputs != graph->n_outputs) return ST_OK;
    for (int i = 0; i < graph->n_inputs; i++)
        if (!shape_equal(&check->inputs[i].shape, &out->inputs[i].shape) ||
            check->inputs[i].dtype != out->inputs[i].dtype)
            return ST_OK;
    for (int i = 0; i < graph->n_inputs; i++)
        memcpy(out->inputs[i].data, check->inputs[i].data, tensor_bytes(&out->inputs[i]));
    Tensor *expected;
    TRY(make_tensors(graph, graph->outputs, graph->n_outputs, arena, &expected));
    for (int i = 0; i < graph->n_outputs; i++) {
        if (!shape_equal(&check->expected[i].shape, &expected[i].shape) ||
            check->expected[i].dtype != expected[i].dtype)
            return ST_OK;
        memcpy(expected[i].data, check->expected[i].data, tensor_bytes(&expected[i]));
    }
    TRY(package_intact(opened->package, ST_OK));
    out->expected = expected;
    out->source = "the self-check's sample";
    return ST_OK;
}
Status sample_take(const Opened *opened, const char *file, Arena *arena, Sample *out) {
    const Graph *graph = opened->package->graph;
    *out = (Sample){.source = file};
    if (file) return read_inputs(graph, (const char *const[]){file, NULL}, arena, &out->inputs);
    TRY(make_tensors(graph, graph->inputs, graph->n_inputs, arena, &out->inputs));
    TRY(take_own(opened, arena, out));
    if (out->expected) return ST_OK;
    for (int i = 0; i < graph->n_inputs; i++) synthetic_sample(&out->inputs[i], pipeline_amplitude(&opened->pipeline));
    out->source = "a synthetic sample";
    return ST_OK;
}

// A picture's planes and mask, as segment makes it at the network's own size.
typedef struct Picture {
    Frame frame;
    float *planes; // (channels, pixels), before the activation
    uint8_t *mask;
} Picture;
// *is false: the output is no picture.
static Status picture_of(const Opened *opened, const Tensor *tensor, Arena *arena, Picture *out, bool *is) {
    const Graph *graph = opened->package->graph;
    const Type *input = &graph->values[graph->inputs[0]].type, type = type_make(tensor->dtype, &tensor->shape);
    const Frame in = frame_of_input(input, opened->pipeline.channels);
    if (input->rank != 4 || frame_of_output(&type, &in, &out->frame) != ST_OK ||
        postprocess_check(&opened->pipeline, &out->frame) != ST_OK) {
        error_clear();
        *is = false;
        return ST_OK;
    }
    const int64_t channels = out->frame.channels, pixels = out->frame.height * out->frame.width;
    out->planes = arena_array(arena, (size_t)(channels * pixels), sizeof *out->planes);
    float *active = arena_array(arena, (size_t)(channels * pixels), sizeof *active);
    out->mask = arena_alloc(arena, (size_t)pixels);
    if (!out->planes || !active || !out->mask) return fail_memory((size_t)(channels * pixels) * sizeof *active);
    frame_to_planes(&out->frame, tensor->data, out->planes);
    memcpy(active, out->planes, (size_t)(channels * pixels) * sizeof *active);
    apply_activation(opened->pipeline.activation, active, channels, pixels);
    decide_classes(active, channels, pixels, opened->pipeline.threshold, out->mask);
    *is = true;
    return ST_OK;
}
static double deviation_of(const Tensor *tensor) {
    const int64_t count = tensor_count(tensor);
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) sum += tensor_get(tensor, i);
    const double mean = count ? sum / (double)count : 0;
    for (int64_t i = 0; i < count; i++) squares += (tensor_get(tensor, i) - mean) * (tensor_get(tensor, i) - mean);
    return count ? sqrt(squares / (double)count) : 0;
}
static void count_pixels(const Picture *actual, const Picture *expected, double tie, Difference *out) {
    const int64_t pixels = expected->frame.height * expected->frame.width;
    out->mask_pixels = pixels;
    for (int64_t i = 0; i < pixels; i++) {
        if (actual->mask[i] == expected->mask[i]) continue;
        bool is_tie = true;
        for (int64_t c = 0; c < expected->frame.channels; c++)
            is_tie = is_tie &&
                     fabs((double)actual->planes[c * pixels + i] - (double)expected->planes[c * pixels + i]) <= tie;
        out->mask_changed++;
        out->mask_ties += is_tie;
    }
}
// Other outputs: where they cross the threshold; whole numbers: where they differ.
static void count_plain(double threshold, const Tensor *actual, const Tensor *expected, double tie, Difference *out) {
    out->mask_pixels = tensor_count(expected);
    for (int64_t i = 0; i < out->mask_pixels; i++) {
        const double a = tensor_get(actual, i), e = tensor_get(expected, i);
        const bool is_float = dtype_is_float(expected->dtype);
        const bool changed =
            is_float ? (a > threshold) != (e > threshold) : tensor_get_int(actual, i) != tensor_get_int(expected, i);
        out->mask_changed += changed;
        out->mask_ties += changed && is_float && fabs(a - e) <= tie;
    }
}
static Status count_changed(const Opened *opened, const Tensor *actual, const Tensor *expected, Difference *out) {
    Arena arena = {0};
    Picture one, other;
    const double tie = plan_budget(opened->mode) * deviation_of(expected);
    bool is_picture, other_is = false;
    Status status = picture_of(opened, actual, &arena, &one, &is_picture);
    if (status == ST_OK) status = picture_of(opened, expected, &arena, &other, &other_is);
    if (status == ST_OK && is_picture && other_is) count_pixels(&one, &other, tie, out);
    else if (status == ST_OK) count_plain(opened->pipeline.threshold, actual, expected, tie, out);
    arena_free(&arena);
    return status;
}

// The larger one; NaN is the largest.
static double worse(double a, double b) { return b <= a || isnan(a) ? a : b; }
Status difference_of(const Opened *opened, const Tensor *actual, const Tensor *expected, double atol, double rtol,
                     Difference *out) {
    const int count = opened->package->graph->n_outputs;
    *out = (Difference){0};
    for (int i = 0; i < count; i++) {
        Comparison comparison;
        TRY(tensor_compare(&actual[i], &expected[i], atol, rtol, &comparison));
        const bool exact = !dtype_is_float(expected[i].dtype);
        out->max_abs = worse(out->max_abs, comparison.max_abs);
        out->max_rel = worse(out->max_rel, comparison.max_rel);
        out->rms_rel = worse(out->rms_rel, !exact ? comparison.rms_rel : comparison.worst >= 0 ? INFINITY : 0);
        out->outside += comparison.outside;
    }
    return count > 0 ? count_changed(opened, &actual[0], &expected[0], out) : ST_OK;
}
bool difference_passes(const Difference *difference, double budget) {
    const int64_t decided = difference->mask_changed - difference->mask_ties;
    return difference->rms_rel <= budget && (double)decided <= 1e-5 * (double)difference->mask_pixels;
}
