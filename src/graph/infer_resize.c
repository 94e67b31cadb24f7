// Inference of GridSample (at the end) and of Resize: exactly one of scales and sizes tells the output, for the dims in
// `axes` (all by default). Output dims are floor(in * scale), the product taken in float, as runtimes do (0.7f * 10 is
// 7, not 6.99999988); so it is with tf_crop_and_resize too, where the region of interest changes what is read, not how
// much is written.
#include "graph/infer.h"
#include <math.h>

typedef struct ResizeAxes {
    int count;
    int axis[MAX_RANK];
} ResizeAxes;

static Status resize_axes(const Infer *infer, int rank, ResizeAxes *out) {
    const int64_t *axes;
    const size_t count = node_ints(infer->node, "axes", &axes);
    *out = (ResizeAxes){.count = rank};
    for (int i = 0; i < rank; i++) out->axis[i] = i;
    if (!node_attr(infer->node, "axes")) return ST_OK;
    FAIL_IF(count > (size_t)rank, ST_BAD, "attribute 'axes': expected at most %d numbers, got %zu", rank, count);
    out->count = (int)count;
    bool used[MAX_RANK] = {false};
    for (size_t i = 0; i < count; i++) {
        TRY(want_axis(axes[i], rank, &out->axis[i]));
        FAIL_IF(used[out->axis[i]], ST_BAD, "attribute 'axes': dim %d stands twice", out->axis[i]);
        used[out->axis[i]] = true;
    }
    return ST_OK;
}

// A list with no elements counts as absent: exporters write one for the input that they don't use.
static bool list_given(const Infer *infer, int input) {
    if (!node_has_input(infer->node, input)) return false;
    const Type *type = &infer->in[input];
    return !(type->rank == 1 && type->dim[0] == 0);
}

static Status want_length(const Infer *infer, int input, const char *what, int64_t count) {
    const Type *type = &infer->in[input];
    FAIL_IF(type->rank >= 0 && (type->rank != 1 || dims_clash(type->dim[0], count)), ST_BAD,
            "input %d (%s): expected [%lld], got %s", input, what, (long long)count, shape_words(type).text);
    return ST_OK;
}

static Status scale_dim(const Tensor *scales, int i, int64_t *dim) {
    const double scale = tensor_get(scales, i);
    FAIL_IF(!(scale > 0) || isinf(scale), ST_BAD, "input 2 (scales): expected numbers above 0, got %g", scale);
    if (scale == 1) return ST_OK;
    const int64_t in = *dim;
    *dim = DIM_UNKNOWN;
    if (!dim_known(in)) return ST_OK;
    const double out = scales->dtype == DT_F64 ? floor((double)in * scale) : floorf((float)in * (float)scale);
    FAIL_IF(!(out < 0x1p62) || (out < 1 && in > 0), ST_BAD, "scale %g of a dim of %lld leaves %g elements", scale,
            (long long)in, out);
    *dim = (int64_t)out;
    return ST_OK;
}

static Status resize_by_scales(const Infer *infer, const ResizeAxes *axes) {
    TRY(want_dtype(infer, 2, FLOATS));
    TRY(want_length(infer, 2, "scales", axes->count));
    const Tensor *scales = infer->constant ? infer->constant[2] : NULL;
    for (int i = 0; i < axes->count; i++) {
        int64_t *dim = &infer->out[0].dim[axes->axis[i]];
        if (scales) TRY(scale_dim(scales, i, dim));
        else *dim = DIM_UNKNOWN;
    }
    return ST_OK;
}

// One scale for all axes: the smallest or largest of those that the sizes ask for.
static Status keep_ratio(const Infer *infer, const ResizeAxes *axes, const IntInput *sizes, bool smallest) {
    double ratio = smallest ? INFINITY : 0;
    bool known = true;
    for (int i = 0; i < axes->count; i++) {
        const int64_t in = infer->in[0].dim[axes->axis[i]];
        const double own = (double)int_at(sizes, i) / (double)in;
        known = known && dim_known(in);
        ratio = smallest ? fmin(ratio, own) : fmax(ratio, own);
        FAIL_IF(in == 0, ST_BAD, "dim %d is empty", axes->axis[i]);
    }
    for (int i = 0; i < axes->count; i++) {
        const int64_t in = infer->in[0].dim[axes->axis[i]];
        const double out = floor(ratio * (double)in + 0.5);
        FAIL_IF(known && !(out < 0x1p62), ST_BAD, "input 3 (sizes): the output is too large");
        infer->out[0].dim[axes->axis[i]] = known ? MAX((int64_t)out, 1) : DIM_UNKNOWN;
    }
    return ST_OK;
}

static Status resize_by_sizes(const Infer *infer, const ResizeAxes *axes) {
    IntInput sizes;
    TRY(int_input(infer, 3, "sizes", &sizes));
    TRY(want_length(infer, 3, "sizes", axes->count));
    for (int i = 0; i < axes->count; i++) {
        const int64_t size = sizes.values ? int_at(&sizes, i) : DIM_UNKNOWN;
        FAIL_IF(sizes.values && size < 1, ST_BAD, "input 3 (sizes): expected numbers from 1, got %lld",
                (long long)size);
        infer->out[0].dim[axes->axis[i]] = size;
    }
    const char *policy = node_string(infer->node, "keep_aspect_ratio_policy", "stretch");
    if (policy[0] == 's' || !sizes.values) return ST_OK;
    return keep_ratio(infer, axes, &sizes, text_ends(policy, "larger"));
}

static Status check_modes(const Infer *infer) {
    TRY(want_choice(infer, "mode", "nearest", "nearest linear cubic"));
    TRY(want_choice(infer, "coordinate_transformation_mode", "half_pixel",
                    "half_pixel half_pixel_symmetric pytorch_half_pixel align_corners asymmetric tf_crop_and_resize "
                    "tf_half_pixel_for_nn"));
    TRY(want_choice(infer, "nearest_mode", "round_prefer_floor", "round_prefer_floor round_prefer_ceil floor ceil"));
    return want_choice(infer, "keep_aspect_ratio_policy", "stretch", "stretch not_larger not_smaller");
}

Status infer_resize(const Infer *infer) {
    TRY(check_modes(infer));
    TRY(want_dtype(infer, 0, NUMBERS));
    TRY(want_rank(infer, 0, 1, -1));
    const bool scales = list_given(infer, 2), sizes = list_given(infer, 3);
    FAIL_IF(scales == sizes, ST_BAD, "expected either scales or sizes, got %s", scales ? "both" : "neither");
    infer->out[0] = infer->in[0];
    if (infer->in[0].rank < 0) return ST_OK;
    ResizeAxes axes;
    TRY(resize_axes(infer, infer->in[0].rank, &axes));
    return scales ? resize_by_scales(infer, &axes) : resize_by_sizes(infer, &axes);
}

Status infer_grid_sample(const Infer *infer) {
    const Type *x = &infer->in[0], *grid = &infer->in[1];
    Type *out = &infer->out[0];
    TRY(want_choice(infer, "mode", "linear", "linear nearest cubic"));
    TRY(want_choice(infer, "padding_mode", "zeros", "zeros border reflection"));
    for (int i = 0; i < 2; i++) {
        TRY(want_dtype(infer, i, FLOATS));
        TRY(want_rank(infer, i, 3, 5));
    }
    const int rank = x->rank >= 0 ? x->rank : grid->rank;
    *out = unknown_type(x->dtype, rank);
    if (rank < 0) return ST_OK;
    FAIL_IF(x->rank >= 0 && grid->rank >= 0 && x->rank != grid->rank, ST_BAD,
            "input 1 (grid): expected %d dims like the input, got %s", rank, shape_words(grid).text);
    FAIL_IF(rank != 4 && node_string(infer->node, "mode", "linear")[0] == 'c', ST_UNSUPPORTED,
            "cubic samples of %d spatial dims", rank - 2);
    if (x->rank >= 0) out->dim[0] = x->dim[0], out->dim[1] = x->dim[1];
    if (grid->rank < 0) return ST_OK;
    FAIL_IF(dims_clash(grid->dim[rank - 1], rank - 2), ST_BAD, "input 1 (grid): expected %d numbers a place, got %s",
            rank - 2, shape_words(grid).text);
    FAIL_IF(x->rank >= 0 && dims_clash(x->dim[0], grid->dim[0]), ST_BAD,
            "input 1 (grid): expected %lld in dim 0, got %s", (long long)x->dim[0], shape_words(grid).text);
    out->dim[0] = dim_join(out->dim[0], grid->dim[0]);
    for (int i = 2; i < rank; i++) out->dim[i] = grid->dim[i - 1];
    return ST_OK;
}
