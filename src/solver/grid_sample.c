// GridSample: values of in[0] (n, c, spatial dims) at the places that in[1] names (n, out dims, a number from -1 to 1
// for each spatial dim, the last dim first), as spatial transformers ask for. Plain, one to three spatial dims;
// formulas as in reference/grid_sample.c. A place is worked out once for all channels: elements and weights of its
// taps, in double, as a pixel of a wide picture has 1e-5 of its size in fp32; then every channel is a sum of gathered
// values in fp32.
//
// Error: that of a sum of `taps` products in fp32, u sqrt(taps). A tap of weight zero still multiplies: where its
// element is infinite the sum is NaN.
#include "solver/blocked.h"
#include <math.h>

enum { PLACES = 64, MOST_TAPS = 16 };

typedef struct SampleWork {
    const Kernels *kernels;
    SampleMode mode;
    SampleOutside outside;
    bool corners;
    int r, axis_taps, taps;           // spatial dims; of an axis; of a place
    int64_t size[AXES], stride[AXES]; // of the input
    int64_t channels, plane, places;  // elements of an input channel, of an output channel
    int64_t groups;                   // of PLACES places in an image
    Ref in, grid, out;
} SampleWork;

// The taps of one axis at PLACES places: offsets and weights.
typedef struct AxisTapsAt {
    int32_t at[4][PLACES];
    float weight[4][PLACES];
} AxisTapsAt;

static double clamped(double x, double low, double high) { return !(x > low) ? low : x > high ? high : x; }
static int32_t floor_of(double x) { // |x| at most 1e9: without a call
    const int32_t whole = (int32_t)x;
    return whole - (x < whole);
}
static double mirrored(double x, double low, double high) {
    const double span = high - low;
    if (span <= 0) return 0;
    x = fabs(x - low);
    const int32_t turns = floor_of(clamped(x / span, 0, 2e9));
    return turns % 2 ? high - (x - turns * span) : low + (x - turns * span);
}
static double moved_inside(const SampleWork *w, double x, int64_t size) {
    const double last = (double)(size - 1);
    if (w->outside == OUTSIDE_ZEROS) return x;
    if (w->outside == OUTSIDE_REFLECTION) x = w->corners ? mirrored(x, 0, last) : mirrored(x, -0.5, last + 0.5);
    return clamped(x, 0, last);
}
// In elements; NaN lies far outside. Which element is the nearest hangs on the last bit of fp32, in which others
// compute it.
static double place_of(const SampleWork *w, float g, int64_t size) {
    if (w->mode == SAMPLE_NEAREST) {
        const float n = (float)size;
        return clamped(w->corners ? (g + 1) / 2 * (n - 1) : ((g + 1) * n - 1) / 2, -1e9, 1e9);
    }
    const double n = (double)size, whole = (double)g + 1;
    return clamped(w->corners ? whole / 2 * (n - 1) : (whole * n - 1) / 2, -1e9, 1e9);
}
static double keys(double x) { // Keys 1981, a = -0.75
    const double a = -0.75;
    x = fabs(x);
    if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}
// Element `at` of an axis; none: element 0 with weight 0.
static void set_tap(const SampleWork *w, int axis, double at, double weight, int p, int k, AxisTapsAt *taps) {
    const bool inside = at >= 0 && at < (double)w->size[axis];
    taps->at[k][p] = inside ? (int32_t)at * (int32_t)w->stride[axis] : 0;
    taps->weight[k][p] = inside ? (float)weight : 0;
}
static void axis_taps(const SampleWork *w, const float *grid, int places, int axis, AxisTapsAt *taps) {
    const int64_t size = w->size[axis];
    for (int p = 0; p < places; p++, grid += w->r) {
        double x = place_of(w, *grid, size);
        if (w->mode == SAMPLE_CUBIC) {
            const double first = floor_of(x), rest = x - first;
            for (int k = 0; k < 4; k++)
                set_tap(w, axis, moved_inside(w, first + k - 1, size), keys(rest - (k - 1)), p, k, taps);
            continue;
        }
        x = moved_inside(w, x, size);
        if (w->mode == SAMPLE_NEAREST) {
            set_tap(w, axis, nearbyint(x), 1, p, 0, taps);
            continue;
        }
        const double first = floor_of(x), rest = x - first;
        set_tap(w, axis, first, 1 - rest, p, 0, taps), set_tap(w, axis, first + 1, rest, p, 1, taps);
    }
}
// Tap t of place p: offset[t * PLACES + p] and weight there.
static void find_taps(const SampleWork *w, const float *grid, int places, int32_t *offset, float *weight) {
    AxisTapsAt axis[AXES];
    for (int k = 0; k < w->r; k++) axis_taps(w, grid + k, places, AXES - 1 - k, &axis[k]);
    for (int t = 0; t < w->taps; t++, offset += PLACES, weight += PLACES) {
        for (int p = 0; p < places; p++) offset[p] = 0, weight[p] = 1;
        for (int k = 0, rest = t; k < w->r; k++, rest /= w->axis_taps) {
            const int32_t *at = axis[k].at[rest % w->axis_taps];
            const float *factor = axis[k].weight[rest % w->axis_taps];
            for (int p = 0; p < places; p++) offset[p] += at[p], weight[p] *= factor[p];
        }
    }
}
static void unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const SampleWork *w = arguments;
    const int64_t n = unit / w->groups, first = unit % w->groups * PLACES;
    const int places = (int)MIN(PLACES, w->places - first);
    int32_t offset[MOST_TAPS * PLACES];
    float weight[MOST_TAPS * PLACES];
    find_taps(w, (const float *)ref_at(bases, w->grid) + (n * w->places + first) * w->r, places, offset, weight);
    const float *in = (const float *)ref_at(bases, w->in) + n * w->channels * w->plane;
    float *out = (float *)ref_at(bases, w->out) + n * w->channels * w->places + first;
    for (int64_t c = 0; c < w->channels; c++)
        w->kernels->gather_sum(in + c * w->plane, offset, weight, w->taps, PLACES, places, out + c * w->places);
}

static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    (void)kernels;
    const Shape *in = &p->in[0].shape;
    if (p->n_inputs != 2 || !all_float32(p) || in->rank < 3 || in->rank > 2 + AXES) return false;
    if (p->sample == SAMPLE_CUBIC && in->rank > 4) return false;
    int64_t plane = 1;
    for (int i = 2; i < in->rank; i++) plane *= in->dim[i];
    if (plane < 1 || plane > INT32_MAX) return false;
    need->in[0] = need->in[1] = need->out[0] = need_plain();
    return true;
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)c, (void)kernels, (void)machine;
    const double values = (double)shape_count(&p->out[0].shape), places = (double)shape_count(&p->in[1].shape);
    return streaming_estimate(p, 20 * places + 8 * values,
                              operand_bytes(&p->in[0]) + operand_bytes(&p->in[1]) + operand_bytes(&p->out[0]));
}
static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    (void)c;
    SampleWork *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    const Shape *in = &p->in[0].shape, *out = &p->out[0].shape;
    *w = (SampleWork){.kernels = lowering->kernels,
                      .mode = p->sample,
                      .outside = p->outside,
                      .corners = p->align_corners,
                      .r = in->rank - 2,
                      .axis_taps = 1 << (int)p->sample,
                      .taps = 1,
                      .channels = in->dim[1],
                      .plane = 1,
                      .places = 1,
                      .in = lowering->in[0],
                      .grid = lowering->in[1],
                      .out = lowering->out[0]};
    for (int k = 0; k < w->r; k++) {
        const int axis = AXES - 1 - k, dim = in->rank - 1 - k;
        w->size[axis] = in->dim[dim], w->stride[axis] = w->plane;
        w->plane *= in->dim[dim], w->places *= out->dim[out->rank - 1 - k];
        w->taps *= w->axis_taps;
    }
    w->groups = div_up(w->places, PLACES);
    return lowering_phase(lowering, unit, w, w->channels ? in->dim[0] * w->groups : 0, 0);
}
const Solver solver_grid_sample = {.name = "grid_sample",
                                   .version = 1,
                                   .kind = PROBLEM_GRID_SAMPLE,
                                   .applicable = applicable,
                                   .configurations = one_configuration,
                                   .estimate = estimate,
                                   .lower = lower};
