// Tap tables of a Resize: for each output position of an axis the inputs that it is a weighted sum of. Coordinates and
// weights are computed in double as the ONNX operator's text says, then weights are rounded once.
#include "plan/planner.h"
#include <math.h>
#include <string.h>

enum { MOST_TAPS = 1 << 22 }; // positions of a table; beyond it the reference does without

typedef struct ResizeAxis {
    const char *transform, *mode, *nearest;
    double scale, cubic_a;
    bool exclude_outside;
    int64_t in, out;
} ResizeAxis;

// Mode nearest hangs on the last bit of a coordinate: it is computed in float32, one rounding an operation, as the
// reference and other engines do. Weighted sums take the exact coordinate.
static double rounded(const ResizeAxis *r, double x) { return strcmp(r->mode, "nearest") ? x : (double)(float)x; }
// The input coordinate of output o.
// What the output would be if it did not have to be whole; what float32 scales miss of its size is not meant.
static double scaled_length(const ResizeAxis *r) {
    const double out = (double)r->out, length = r->scale * (double)r->in;
    return fabs(length - out) <= 1e-5 * out ? out : length;
}
static double coordinate(const ResizeAxis *r, int64_t o) {
    const double x = (double)o, scale = rounded(r, r->scale);
    if (!strcmp(r->transform, "align_corners"))
        return r->out == 1 ? 0 : rounded(r, x * (double)(r->in - 1) / (scaled_length(r) - 1));
    if (!strcmp(r->transform, "asymmetric")) return rounded(r, x / scale);
    if (!strcmp(r->transform, "tf_half_pixel_for_nn")) return rounded(r, (x + 0.5) / scale);
    const double half = rounded(r, rounded(r, (x + 0.5) / scale) - 0.5);
    if (!strcmp(r->transform, "pytorch_half_pixel")) return r->out == 1 ? 0 : half;
    if (!strcmp(r->transform, "half_pixel_symmetric")) {
        const double adjustment = rounded(r, (double)r->out / rounded(r, scale * (double)r->in));
        const double offset = rounded(r, (double)r->in / 2 * rounded(r, 1 - adjustment));
        return rounded(r, offset + (x + 0.5) / scale - 0.5);
    }
    return half;
}
static int64_t nearest_index(const ResizeAxis *r, double x) {
    const double below = floor(x), fraction = x - below;
    if (!strcmp(r->nearest, "floor")) return (int64_t)below;
    if (!strcmp(r->nearest, "ceil")) return (int64_t)ceil(x);
    // A fraction within a millionth of 1/2 is a tie that float32 missed.
    const bool up = fabs(fraction - 0.5) <= 1e-6 ? !strcmp(r->nearest, "round_prefer_ceil") : fraction > 0.5;
    return (int64_t)below + up;
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
        if (i < 2 || r.in > INT32_MAX || r.out > MOST_TAPS) return ST_OK;
        if (node_int(node, "antialias", 0) && r.scale < 1) return ST_OK;
        int32_t *index = arena_array(arena, (size_t)r.out * (size_t)count, sizeof *index);
        float *weight = arena_array(arena, (size_t)r.out * (size_t)count, sizeof *weight);
        if (!index || !weight) return fail_memory((size_t)r.out * sizeof *weight);
        fill(&r, count, index, weight);
        taps[AXES - in.rank + i] = (AxisTaps){count, index, weight};
    }
    *done = true;
    return ST_OK;
}
