// Tap tables of a Resize: for each output position of an axis the inputs that it is a weighted sum of. Coordinates and
// weights are computed in double as the ONNX operator's text says, then weights are rounded once.
#include "plan/planner.h"
#include <math.h>
#include <string.h>

typedef struct ResizeAxis {
    const char *transform, *mode, *nearest;
    double scale, cubic_a;
    bool exclude_outside;
    int64_t in, out;
} ResizeAxis;

// The input coordinate of output o.
static double coordinate(const ResizeAxis *r, int64_t o) {
    const double x = (double)o;
    const double half = (x + 0.5) / r->scale - 0.5;
    if (!strcmp(r->transform, "align_corners"))
        return r->out == 1 ? 0 : x * (double)(r->in - 1) / (double)(r->out - 1);
    if (!strcmp(r->transform, "asymmetric")) return x / r->scale;
    if (!strcmp(r->transform, "pytorch_half_pixel")) return r->out == 1 ? 0 : half;
    if (!strcmp(r->transform, "half_pixel_symmetric")) {
        const double adjustment = (double)r->out / (r->scale * (double)r->in);
        return (double)r->in / 2 * (1 - adjustment) + half;
    }
    return half;
}
static int64_t nearest_index(const ResizeAxis *r, double x) {
    double at = ceil(x - 0.5); // round_prefer_floor: halves down
    if (!strcmp(r->nearest, "round_prefer_ceil")) at = floor(x + 0.5);
    if (!strcmp(r->nearest, "floor")) at = floor(x);
    if (!strcmp(r->nearest, "ceil")) at = ceil(x);
    return (int64_t)at;
}
static int64_t clamp(int64_t i, int64_t size) { return i < 0 ? 0 : i >= size ? size - 1 : i; }
// Keys' cubic convolution kernel at distance t.
static double cubic(double a, double t) {
    t = fabs(t);
    if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
    return t < 2 ? ((t - 5) * t + 8) * t * a - 4 * a : 0;
}
static void fill(const ResizeAxis *r, int taps, int32_t *index, float *weight) {
    for (int64_t o = 0; o < r->out; o++, index += taps, weight += taps) {
        const double x = coordinate(r, o);
        if (taps == 1) {
            index[0] = (int32_t)clamp(nearest_index(r, x), r->in), weight[0] = 1;
            continue;
        }
        const double base = floor(x), rest = x - base;
        double w[4], sum = 0;
        for (int t = 0; t < taps; t++) {
            const int64_t i = (int64_t)base + t - (taps / 2 - 1);
            w[t] = taps == 2 ? (t ? rest : 1 - rest) : cubic(r->cubic_a, rest - (t - 1));
            if (r->exclude_outside && (i < 0 || i >= r->in)) w[t] = 0;
            sum += w[t];
            index[t] = (int32_t)clamp(i, r->in);
        }
        for (int t = 0; t < taps; t++) weight[t] = (float)(r->exclude_outside ? w[t] / sum : w[t]);
    }
}

// The scale of each dim of the input: given, or from the sizes.
static bool dim_scales(const Graph *graph, const Node *node, const Shape *in, const Shape *out, double *scales) {
    const Tensor *given = node_has_input(node, 2) ? node_constant(graph, node, 2) : NULL;
    const bool use = given && tensor_count(given) > 0;
    const int64_t *axes;
    const size_t n_axes = node_ints(node, "axes", &axes);
    for (int i = 0; i < in->rank; i++) {
        if (in->dim[i] == 0) return false;
        scales[i] = (double)out->dim[i] / (double)in->dim[i];
        if (!use) continue;
        if (!n_axes) {
            if (i < tensor_count(given)) scales[i] = tensor_get(given, i);
            continue;
        }
        scales[i] = 1;
        for (size_t k = 0; k < n_axes; k++)
            if ((axes[k] < 0 ? axes[k] + in->rank : axes[k]) == i) scales[i] = tensor_get(given, (int64_t)k);
    }
    return use || !strcmp(node_string(node, "keep_aspect_ratio_policy", "stretch"), "stretch");
}
Status resize_taps(const Graph *graph, const Node *node, Arena *arena, AxisTaps taps[AXES], bool *done) {
    const Shape in = type_shape(&graph->values[node->inputs[0]].type);
    const Shape out = type_shape(&graph->values[node->outputs[0]].type);
    double scales[MAX_RANK];
    *done = false;
    memset(taps, 0, AXES * sizeof *taps);
    if (in.rank < 3 || in.rank > 5 || !dim_scales(graph, node, &in, &out, scales)) return ST_OK;
    ResizeAxis r = {.transform = node_string(node, "coordinate_transformation_mode", "half_pixel"),
                    .mode = node_string(node, "mode", "nearest"),
                    .nearest = node_string(node, "nearest_mode", "round_prefer_floor"),
                    .cubic_a = node_float(node, "cubic_coeff_a", -0.75),
                    .exclude_outside = node_int(node, "exclude_outside", 0) != 0};
    if (!strcmp(r.transform, "tf_crop_and_resize")) return ST_OK;
    const int count = !strcmp(r.mode, "nearest") ? 1 : !strcmp(r.mode, "linear") ? 2 : 4;
    for (int i = 0; i < in.rank; i++) {
        r.in = in.dim[i], r.out = out.dim[i], r.scale = scales[i];
        if (r.in == r.out && r.scale == 1) continue;
        if (i < 2 || r.in > INT32_MAX || (node_int(node, "antialias", 0) && r.scale < 1)) return ST_OK;
        int32_t *index = arena_array(arena, (size_t)r.out * (size_t)count, sizeof *index);
        float *weight = arena_array(arena, (size_t)r.out * (size_t)count, sizeof *weight);
        if (!index || !weight) return fail_memory((size_t)r.out * sizeof *weight);
        fill(&r, count, index, weight);
        taps[AXES - in.rank + i] = (AxisTaps){count, index, weight};
    }
    *done = true;
    return ST_OK;
}
