// Resize. Every mode is separable: along each axis an output element i has a coordinate on the input,
//     half_pixel            (i + 1/2) / scale - 1/2
//     half_pixel_symmetric  the same, with the centres of both sides on each other where in * scale is not whole
//     pytorch_half_pixel    the same, but 0 for a single output element
//     align_corners         i (in - 1) / (in * scale - 1)
//     asymmetric            i / scale
//     tf_half_pixel_for_nn  (i + 1/2) / scale
//     tf_crop_and_resize    (in - 1) (roi_begin + i (roi_end - roi_begin) / (out - 1))
// and takes either the nearest element there or a weighted sum of neighbours (2 linear, 4 cubic, Keys 1981; with
// antialias and scale < 1 the filter is widened by 1 / scale). Neighbours beyond the border are the border element,
// or left out with exclude_outside. tf_crop_and_resize gives extrapolation_value where a coordinate is outside.
#include "reference/evaluate.h"
#include <math.h>
#include <string.h>

typedef enum Coordinate { HALF_PIXEL, SYMMETRIC, PYTORCH, CORNERS, ASYMMETRIC, CROP, TF_NEAREST } Coordinate;
typedef enum Nearest { ROUND_FLOOR, ROUND_CEIL, NEAREST_FLOOR, NEAREST_CEIL } Nearest;
typedef enum Mode { NEAREST, LINEAR, CUBIC } Mode;

typedef struct Resize {
    Mode mode;
    Coordinate coordinate;
    Nearest nearest;
    bool exclude_outside, antialias;
    double cubic_a, extrapolation;
} Resize;

typedef struct Axis {
    int64_t in, out;
    double scale, roi_begin, roi_end;
} Axis;

// ---- Reading the node ----

// The position of the attribute's text in `names`.
static Status choose(const Evaluation *e, const char *attribute, const char *otherwise, const char *const *names,
                     int count, int *out) {
    const char *const text = node_string(e->node, attribute, otherwise);
    for (int i = 0; i < count; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = i;
            return ST_OK;
        }
    return fail(ST_UNSUPPORTED, "%s: %s is not had", attribute, text);
}

static Status read_resize(const Evaluation *e, Resize *r) {
    static const char *const modes[] = {"nearest", "linear", "cubic"};
    static const char *const coordinates[] = {"half_pixel",          "half_pixel_symmetric", "pytorch_half_pixel",
                                              "align_corners",       "asymmetric",           "tf_crop_and_resize",
                                              "tf_half_pixel_for_nn"};
    static const char *const nearest[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    int mode = 0, coordinate = 0, rounding = 0;
    TRY(choose(e, "mode", "nearest", modes, COUNT_OF(modes), &mode));
    TRY(choose(e, "coordinate_transformation_mode", "half_pixel", coordinates, COUNT_OF(coordinates), &coordinate));
    TRY(choose(e, "nearest_mode", "round_prefer_floor", nearest, COUNT_OF(nearest), &rounding));
    r->mode = (Mode)mode;
    r->coordinate = (Coordinate)coordinate;
    r->nearest = (Nearest)rounding;
    r->exclude_outside = node_int(e->node, "exclude_outside", 0) != 0;
    r->antialias = node_int(e->node, "antialias", 0) != 0;
    r->cubic_a = node_float(e->node, "cubic_coeff_a", -0.75);
    r->extrapolation = node_float(e->node, "extrapolation_value", 0);
    return ST_OK;
}

static const Tensor *input_with_elements(const Evaluation *e, int i) {
    const Tensor *const tensor = input_or_null(e, i);
    return tensor && tensor_count(tensor) > 0 ? tensor : NULL;
}

// With a policy all listed axes get one scale, the smallest or the largest of those that the sizes ask for.
static void keep_aspect_ratio(const Evaluation *e, const int *listed, int count, Axis *axes) {
    const char *const policy = node_string(e->node, "keep_aspect_ratio_policy", "stretch");
    const bool not_larger = strcmp(policy, "not_larger") == 0;
    if (!not_larger && strcmp(policy, "not_smaller") != 0) return;
    const Tensor *const sizes = e->inputs[3];
    double common = not_larger ? INFINITY : 0;
    for (int i = 0; i < count; i++) {
        const double scale = tensor_get(sizes, i) / (double)axes[listed[i]].in;
        common = not_larger ? fmin(common, scale) : fmax(common, scale);
    }
    for (int i = 0; i < count; i++) axes[listed[i]].scale = common;
}

// The axes that roi, scales and sizes speak of, in their order.
static Status listed_axes(const Evaluation *e, int *listed, int *count) {
    const int rank = e->inputs[0]->shape.rank;
    const int64_t *values;
    const size_t given = node_ints(e->node, "axes", &values);
    FAIL_IF(given > MAX_RANK, ST_BAD, "axes: expected at most %d, got %zu", rank, given);
    *count = given ? (int)given : rank;
    for (int i = 0; i < *count; i++) TRY(read_axis(given ? values[i] : i, rank, &listed[i]));
    return ST_OK;
}

static Status read_axes(const Evaluation *e, Axis *axes) {
    const Tensor *const roi = input_with_elements(e, 1), *const scales = input_with_elements(e, 2);
    const Tensor *const sizes = input_with_elements(e, 3);
    const Shape *const x = &e->inputs[0]->shape, *const y = &e->outputs[0].shape;
    int listed[MAX_RANK], count;
    TRY(listed_axes(e, listed, &count));
    FAIL_IF(roi && tensor_count(roi) != 2 * count, ST_BAD, "roi: expected %d numbers, got %lld", 2 * count,
            (long long)tensor_count(roi));
    FAIL_IF(scales && tensor_count(scales) != count, ST_BAD, "scales: expected %d numbers, got %lld", count,
            (long long)tensor_count(scales));
    FAIL_IF(!scales && sizes && tensor_count(sizes) != count, ST_BAD, "sizes: expected %d numbers, got %lld", count,
            (long long)tensor_count(sizes));
    for (int i = 0; i < x->rank; i++) {
        axes[i] = (Axis){.in = x->dim[i], .out = y->dim[i], .roi_end = 1};
        axes[i].scale = x->dim[i] > 0 ? (double)y->dim[i] / (double)x->dim[i] : 1;
    }
    for (int i = 0; i < count; i++) {
        Axis *const axis = &axes[listed[i]];
        if (roi) axis->roi_begin = tensor_get(roi, i);
        if (roi) axis->roi_end = tensor_get(roi, i + count);
        if (scales) axis->scale = tensor_get(scales, i);
    }
    if (!scales && sizes) keep_aspect_ratio(e, listed, count, axes);
    return ST_OK;
}

// ---- Coordinates ----

// Which element is the nearest hangs on the last bit of a coordinate (at 1/2, at whole numbers): other engines
// compute it in float32, one rounding an operation, and so does mode nearest here. Sums take the exact coordinate.
static double rounded(const Resize *r, double x) { return r->mode == NEAREST ? (double)(float)x : x; }

// in * scale, which need not be whole: the output is then cut short. What float32 scales miss of the output's size is
// not meant.
static double scaled_length(const Axis *a) {
    const double out = (double)a->out, length = a->scale * (double)a->in;
    return fabs(length - out) <= 1e-5 * out ? out : length;
}

static double transform(const Resize *r, const Axis *a, int64_t index) {
    const double i = (double)index, in = (double)a->in, out = (double)a->out, scale = rounded(r, a->scale);
    switch (r->coordinate) {
    case PYTORCH:
        if (a->out <= 1) return 0;
        break;
    case CORNERS: return a->out == 1 ? 0 : rounded(r, i * (in - 1) / (scaled_length(a) - 1));
    case ASYMMETRIC: return rounded(r, i / scale);
    case TF_NEAREST: return rounded(r, (i + 0.5) / scale);
    case CROP:
        if (a->out <= 1) return rounded(r, 0.5 * (a->roi_begin + a->roi_end) * (in - 1));
        return rounded(r, rounded(r, a->roi_begin * (in - 1)) +
                              rounded(r, rounded(r, i * rounded(r, a->roi_end - a->roi_begin)) * (in - 1)) / (out - 1));
    case SYMMETRIC: {
        const double adjustment = rounded(r, out / rounded(r, scale * in));
        const double offset = rounded(r, in / 2 * rounded(r, 1 - adjustment));
        return rounded(r, offset + (i + 0.5) / scale - 0.5);
    }
    case HALF_PIXEL: break;
    }
    return rounded(r, rounded(r, (i + 0.5) / scale) - 0.5);
}

// Far outside is as good as further outside, and fits an index (a roi may hold anything, NaN too).
static double coordinate_of(const Resize *r, const Axis *a, int64_t index) {
    return fmin(fmax(transform(r, a, index), -1e15), 1e15);
}

static bool extrapolated(const Resize *r, const Axis *a, double x) {
    return r->coordinate == CROP && (x < 0 || x > (double)(a->in - 1));
}

// Integers as Cast makes them: toward zero.
static void store_number(Tensor *y, int64_t i, double value) {
    if (dtype_is_float(y->dtype)) tensor_set(y, i, value);
    else tensor_set_int(y, i, float_to_integer(value, y->dtype));
}

static int64_t clamp_index(int64_t i, int64_t size) { return i < 0 ? 0 : i >= size ? size - 1 : i; }

// ---- Nearest: elements are moved, so any dtype goes ----

// A fraction within a millionth of 1/2 is a tie that float32 missed.
static double nearest_of(const Resize *r, double x) {
    const double below = floor(x), fraction = x - below;
    if (r->nearest == NEAREST_FLOOR) return below;
    if (r->nearest == NEAREST_CEIL) return ceil(x);
    if (fabs(fraction - 0.5) <= 1e-6) return r->nearest == ROUND_CEIL ? below + 1 : below;
    return fraction < 0.5 ? below : below + 1;
}

static Status resize_nearest(const Evaluation *e, const Resize *r, const Axis *axes) {
    const int rank = e->inputs[0]->shape.rank;
    int64_t *map[MAX_RANK];
    for (int d = 0; d < rank; d++) {
        const Axis *const a = &axes[d];
        map[d] = arena_array(e->scratch, (size_t)MAX(a->out, 1), sizeof(int64_t));
        if (!map[d]) return fail_memory((size_t)a->out * sizeof(int64_t));
        for (int64_t i = 0; i < a->out; i++) {
            const double x = coordinate_of(r, a, i);
            map[d][i] = extrapolated(r, a, x) ? -1 : clamp_index((int64_t)nearest_of(r, x), a->in);
        }
    }
    Tensor fill;
    TRY(tensor_make(e->scratch, e->inputs[0]->dtype, shape_of(0, NULL), &fill));
    store_number(&fill, 0, r->extrapolation);
    copy_mapped(&e->outputs[0], e->inputs[0], map, &fill);
    return ST_OK;
}

// ---- Linear and cubic ----

static double filter(const Resize *r, double x) {
    x = fabs(x);
    if (r->mode == LINEAR) return x < 1 ? 1 - x : 0;
    const double a = r->cubic_a;
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

// The weighted neighbours of one output element: input elements first .. first + count - 1, which may lie outside.
typedef struct Neighbours {
    int64_t first, count;
    double *weight; // room for neighbour_limit
} Neighbours;

static double filter_scale(const Resize *r, const Axis *a) { return r->antialias ? fmin(a->scale, 1) : 1; }
static double filter_reach(const Resize *r, const Axis *a) { return (r->mode == LINEAR ? 1 : 2) / filter_scale(r, a); }
static int64_t neighbour_limit(const Resize *r, const Axis *a) { return 2 * (int64_t)ceil(filter_reach(r, a)) + 2; }

static void find_neighbours(const Resize *r, const Axis *a, double x, Neighbours *n) {
    const double reach = filter_reach(r, a), scale = filter_scale(r, a);
    n->first = (int64_t)ceil(x - reach);
    n->count = (int64_t)floor(x + reach) - n->first + 1;
    double sum = 0;
    for (int64_t j = 0; j < n->count; j++) {
        const int64_t at = n->first + j;
        const bool left_out = r->exclude_outside && (at < 0 || at >= a->in);
        n->weight[j] = left_out ? 0 : filter(r, ((double)at - x) * scale);
        sum += n->weight[j];
    }
    for (int64_t j = 0; j < n->count && sum != 0; j++) n->weight[j] /= sum;
}

// Of every element of an axis.
static Status find_all_neighbours(const Evaluation *e, const Resize *r, const Axis *a, Neighbours **out) {
    double *weights;
    Neighbours *const all = arena_array(e->scratch, (size_t)a->out, sizeof(Neighbours));
    if (!all) return fail_memory((size_t)a->out * sizeof(Neighbours));
    TRY(make_doubles(e, a->out * neighbour_limit(r, a), &weights));
    for (int64_t i = 0; i < a->out; i++) {
        all[i].weight = weights + i * neighbour_limit(r, a);
        find_neighbours(r, a, coordinate_of(r, a, i), &all[i]);
    }
    *out = all;
    return ST_OK;
}

// y[0 .. inner) = sum over neighbours of weight * x[neighbour][0 .. inner)
static void blend(const Neighbours *n, const double *x, int64_t in, int64_t inner, double *y) {
    for (int64_t j = 0; j < n->count; j++) {
        if (n->weight[j] == 0) continue; // so that an infinity beside does not become NaN
        const double *const from = x + clamp_index(n->first + j, in) * inner;
        for (int64_t k = 0; k < inner; k++) y[k] += n->weight[j] * from[k];
    }
}

// (outer, in, inner) to (outer, out, inner)
static Status resize_axis(const Evaluation *e, const Resize *r, const Axis *a, int64_t outer, int64_t inner,
                          double **values) {
    double *y;
    Neighbours *neighbours;
    TRY(make_doubles(e, outer * a->out * inner, &y));
    TRY(find_all_neighbours(e, r, a, &neighbours));
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < a->out; i++)
            blend(&neighbours[i], *values + o * a->in * inner, a->in, inner, y + (o * a->out + i) * inner);
    *values = y;
    return ST_OK;
}

static void extrapolate(const Resize *r, const Axis *axes, const Shape *shape, double *values) {
    Walk walk;
    walk_begin(&walk, shape);
    for (int64_t i = 0; walk.left > 0; i++, walk_step(&walk))
        for (int d = 0; d < shape->rank; d++)
            if (extrapolated(r, &axes[d], coordinate_of(r, &axes[d], walk.index[d]))) values[i] = r->extrapolation;
}

static Status resize_blended(const Evaluation *e, const Resize *r, const Axis *axes) {
    Tensor *const y = &e->outputs[0];
    Shape shape = e->inputs[0]->shape; // of `values`: axis by axis that of y
    double *values;
    TRY(load_doubles(e, e->inputs[0], &values));
    for (int d = 0; d < shape.rank; d++) {
        if (axes[d].in == axes[d].out && axes[d].scale == 1 && r->coordinate != CROP) continue;
        TRY(resize_axis(e, r, &axes[d], product(&shape, 0, d), product(&shape, d + 1, shape.rank), &values));
        shape.dim[d] = axes[d].out;
    }
    if (r->coordinate == CROP) extrapolate(r, axes, &y->shape, values);
    for (int64_t i = 0; i < tensor_count(y); i++) store_number(y, i, values[i]);
    return ST_OK;
}

Status evaluate_Resize(const Evaluation *e) {
    Resize r;
    Axis axes[MAX_RANK];
    TRY(read_resize(e, &r));
    TRY(read_axes(e, axes));
    if (tensor_count(&e->outputs[0]) == 0) return ST_OK;
    for (int d = 0; d < e->inputs[0]->shape.rank; d++)
        FAIL_IF(axes[d].in == 0 || !(axes[d].scale > 0), ST_BAD, "axis %d: a size of %lld cannot be scaled by %g", d,
                (long long)axes[d].in, axes[d].scale);
    if (r.mode == NEAREST) return resize_nearest(e, &r, axes);
    return resize_blended(e, &r, axes);
}
