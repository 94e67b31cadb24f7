// Sampling at the places of a grid (at the end), and resizing of the spatial dims of x (n, c, spatial...). Where a
// factor is given PyTorch maps coordinates by it, else by the sizes (aten/src/ATen/native/UpSample.h).
#include "import/aten/convert.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Upsample {
    int spatial;
    const char *mode, *coordinate;
    bool corners;
    AtenValue size[3];
    double scale[3]; // 0: not given
} Upsample;

static Status read_mode(Call *call, Upsample *out) {
    const char *op = call->source->op, *digit = strpbrk(op, "123");
    if (!digit) abort();
    *out = (Upsample){.spatial = *digit - '0', .mode = "linear", .coordinate = "half_pixel"};
    if (strstr(op, "nearest")) {
        out->mode = "nearest"; // floor((i + 1/2) / scale) or floor(i / scale)
        out->coordinate = strstr(op, "exact") ? "tf_half_pixel_for_nn" : "asymmetric";
        return ST_OK;
    }
    if (strstr(op, "cubic")) out->mode = "cubic";
    TRY(aten_arg_bool(call, "align_corners", &out->corners));
    if (out->corners) out->coordinate = "align_corners";
    return ST_OK;
}

static Status read_sizes(Call *call, Upsample *out, bool *given) {
    const AtenValue *items;
    int count;
    TRY(aten_arg_items(call, "output_size", &items, &count));
    *given = count > 0;
    FAIL_IF(count && count != out->spatial, ST_BAD, "argument 'output_size': expected %d numbers, got %d", out->spatial,
            count);
    for (int i = 0; i < count; i++) {
        out->size[i] = items[i];
        FAIL_IF(items[i].kind == ATEN_INT && items[i].i < 1, ST_BAD,
                "argument 'output_size': expected numbers from 1, got %lld", (long long)items[i].i);
    }
    return ST_OK;
}

static Status check_scales(const Upsample *u) {
    for (int i = 0; i < u->spatial; i++)
        FAIL_IF(!(u->scale[i] > 0) || u->scale[i] > 1e6, ST_BAD, "expected a factor above 0, got %g", u->scale[i]);
    return ST_OK;
}

static bool all_known(const Upsample *u) {
    for (int i = 0; i < u->spatial; i++)
        if (u->size[i].kind != ATEN_INT) return false;
    return true;
}

// By the factors: where they give whole sizes these say the same, exactly.
static Status by_scales(Call *call, const Upsample *u, ValueId x, ValueId inputs[4]) {
    Tensor scales;
    int64_t sizes[3], n = u->spatial;
    bool whole = true;
    for (int i = 0; i < n; i++) {
        const int64_t in = aten_type(call, x)->dim[2 + i];
        const double out = floor((double)in * u->scale[i]);
        const bool exact = out == (double)in * u->scale[i] || u->corners;
        whole = whole && in > 0 && exact && out >= 1 && out < 1e9;
        sizes[i] = whole ? (int64_t)out : 0;
    }
    if (whole) return aten_ints(call, sizes, (int)n, &inputs[3]);
    TRY(tensor_make(&call->aten->graph->arena, DT_F32, shape_of(1, &n), &scales));
    for (int i = 0; i < n; i++) tensor_set(&scales, i, u->scale[i]);
    return emit_tensor(&call->emit, "scales", &scales, &inputs[2]);
}

// ---- nearest: which element it is hangs on the last bit

enum { NEAREST_SIZES = 1 << 20 };

// One axis: elements, the factor that was given (0: none), and the sizes' own one.
typedef struct NearestAxis {
    int64_t in, out;
    double given;
    bool exact; // with centres at 1/2
} NearestAxis;

// As PyTorch computes it, in float32 (UpSampleKernel.cpp, HelperInterpNearest and HelperInterpNearestExact).
static int64_t nearest_there(const NearestAxis *a, int64_t i) {
    const float scale = a->given > 0 ? (float)(1 / a->given) : (float)a->in / (float)a->out;
    float x = scale * (float)i;
    if (a->exact) {
        x = scale * ((float)i + 0.5f) - 0.5f;
        x = floorf((x < 0 ? 0 : x) + 0.5f);
    }
    return MIN((int64_t)floorf(x), a->in - 1);
}

// As Resize has it: the coordinate rounded to float32 (reference/resize.c).
static int64_t nearest_here(const NearestAxis *a, int64_t i) {
    const float scale = a->given > 0 ? (float)a->given : (float)((double)a->out / (double)a->in);
    const float x = (float)(((double)i + (a->exact ? 0.5 : 0)) / (double)scale);
    return MIN((int64_t)floorf(x), a->in - 1);
}

static bool agrees(const NearestAxis *a) {
    for (int64_t i = 0; i < a->out; i++)
        if (nearest_there(a, i) != nearest_here(a, i)) return false;
    return true;
}

static Status take_nearest(Call *call, const NearestAxis *a, int axis, ValueId *x) {
    Tensor indices;
    ValueId in[2] = {*x};
    TRY(tensor_make(&call->aten->graph->arena, DT_I64, shape_of(1, &a->out), &indices));
    for (int64_t i = 0; i < a->out; i++) tensor_set_int(&indices, i, nearest_there(a, i));
    TRY(emit_tensor(&call->emit, "nearest", &indices, &in[1]));
    return aten_node(call, OP_Gather, in, 2, ATTRS(ATTR_I("axis", axis)), x);
}

// Where the two disagree on any axis, the elements are taken by their indices. *done: they were.
static Status settle_nearest(Call *call, const Upsample *u, bool sized, ValueId x, bool *done) {
    NearestAxis axes[3];
    bool agree = true;
    *done = false;
    for (int i = 0; i < u->spatial; i++) {
        NearestAxis *a = &axes[i];
        *a =
            (NearestAxis){.in = aten_type(call, x)->dim[2 + i], .given = u->scale[i], .exact = u->coordinate[0] == 't'};
        if (a->in < 1 || a->in > NEAREST_SIZES || (sized && u->size[i].kind != ATEN_INT)) return ST_OK;
        a->out = sized ? u->size[i].i : (int64_t)((double)a->in * u->scale[i]);
        if (a->out < 1 || a->out > NEAREST_SIZES) return ST_OK;
        agree = agree && agrees(a);
    }
    if (agree) return ST_OK;
    for (int i = 0; i < u->spatial; i++) TRY(take_nearest(call, &axes[i], 2 + i, &x));
    *done = true;
    return aten_give(call, x);
}

// ---- all of them

static Status resize(Call *call, const Upsample *u, bool sized) {
    int64_t axes[3];
    ValueId x = call->args[0].value, inputs[4] = {x, NO_VALUE, NO_VALUE, NO_VALUE};
    int rank;
    bool done = false;
    TRY(aten_rank(call, x, &rank));
    FAIL_IF(rank != u->spatial + 2, ST_BAD, "expected an input of %d dims, got %d", u->spatial + 2, rank);
    if (strcmp(u->mode, "nearest") == 0) TRY(settle_nearest(call, u, sized, x, &done));
    if (done) return ST_OK;
    for (int i = 0; i < u->spatial; i++) axes[i] = 2 + i;
    if (sized) TRY(aten_list_value(call, u->size, u->spatial, &inputs[3]));
    else TRY(by_scales(call, u, x, inputs));
    return aten_give_node(call, OP_Resize, inputs, inputs[3] == NO_VALUE ? 3 : 4,
                          ATTRS(ATTR_S("mode", u->mode), ATTR_S("coordinate_transformation_mode", u->coordinate),
                                ATTR_S("nearest_mode", "floor"), ATTR_F("cubic_coeff_a", -0.75),
                                ATTR_L("axes", axes, u->spatial)));
}

// The factors give these sizes, or those are not known: the factors are what maps then.
static bool scales_fit(const Call *call, const Upsample *u, ValueId x) {
    const Type *type = aten_type(call, x);
    for (int i = 0; i < u->spatial; i++) {
        const int64_t in = type->rank == u->spatial + 2 ? type->dim[2 + i] : -1;
        if (in >= 0 && u->size[i].kind == ATEN_INT && (int64_t)((double)in * u->scale[i]) != u->size[i].i) return false;
    }
    return true;
}

// upsample_bilinear2d(self, output_size, align_corners, scales_h, scales_w)
Status aten_convert_upsample(Call *call) {
    static const char *const names[3][3] = {{"scales"}, {"scales_h", "scales_w"}, {"scales_d", "scales_h", "scales_w"}};
    Upsample u;
    bool given, scaled = true;
    TRY(read_mode(call, &u));
    TRY(read_sizes(call, &u, &given));
    FAIL_IF(!given, ST_BAD, "argument 'output_size': expected %d numbers", u.spatial);
    for (int i = 0; i < u.spatial; i++) {
        const char *name = names[u.spatial - 1][i];
        scaled = scaled && !aten_arg_is(call, name, ATEN_NONE);
        if (!aten_arg_is(call, name, ATEN_NONE)) TRY(aten_arg_float(call, name, &u.scale[i]));
    }
    if (scaled && !(u.corners && all_known(&u)) && scales_fit(call, &u, call->args[0].value)) {
        TRY(check_scales(&u));
        return resize(call, &u, false);
    }
    return resize(call, &u, true);
}

// .vec: the sizes or the factors.
Status aten_convert_upsample_list(Call *call) {
    Upsample u;
    bool given;
    int count;
    TRY(read_mode(call, &u));
    TRY(read_sizes(call, &u, &given));
    if (given) return resize(call, &u, true);
    TRY(aten_arg_floats(call, "scale_factors", 3, u.scale, &count));
    FAIL_IF(count != u.spatial, ST_BAD, "argument 'scale_factors': expected %d numbers, got %d", u.spatial, count);
    TRY(check_scales(&u));
    return resize(call, &u, false);
}

// ---- at the places of a grid

// interpolation_mode and padding_mode by their numbers (GridSamplerUtils.h).
Status aten_convert_grid_sample(Call *call) {
    static const char *const modes[] = {"linear", "nearest", "cubic"}, *const paddings[] = {"zeros", "border",
                                                                                            "reflection"};
    ValueId in[2];
    int64_t mode, padding;
    bool corners;
    TRY(aten_arg_tensor(call, "input", &in[0]));
    TRY(aten_arg_tensor(call, "grid", &in[1]));
    TRY(aten_arg_int(call, "interpolation_mode", &mode));
    TRY(aten_arg_int(call, "padding_mode", &padding));
    TRY(aten_arg_bool(call, "align_corners", &corners));
    FAIL_IF(mode < 0 || mode > 2 || padding < 0 || padding > 2, ST_BAD,
            "expected an interpolation_mode and a padding_mode from 0 to 2, got %lld and %lld", (long long)mode,
            (long long)padding);
    return aten_give_node(call, OP_GridSample, in, 2,
                          ATTRS(ATTR_S("mode", modes[mode]), ATTR_S("padding_mode", paddings[padding]),
                                ATTR_I("align_corners", corners)));
}

enum { GRID_PLACES = 1 << 22 };

// (places, r + 1): the coordinates of the elements of a tensor of these sizes, the last dim first, and 1.
static Status base_grid(Call *call, const int64_t *sizes, int r, bool corners, ValueId *out) {
    Tensor grid;
    int64_t places = 1;
    for (int i = 0; i < r; i++)
        FAIL_IF(sizes[i] < 1 || !mul_i64(places, sizes[i], &places) || places > GRID_PLACES, ST_UNSUPPORTED,
                "a grid of no elements, or of more than %d", GRID_PLACES);
    TRY(tensor_make(&call->aten->graph->arena, DT_F32, shape_of(2, (const int64_t[]){places, r + 1}), &grid));
    for (int64_t i = 0; i < places; i++) {
        int64_t left = i;
        for (int k = 0; k < r; k++) {
            const int64_t size = sizes[r - 1 - k], at = left % size;
            const double x = corners ? (size > 1 ? 2 * (double)at / (double)(size - 1) - 1 : 0)
                                     : (2 * (double)at + 1) / (double)size - 1;
            tensor_set(&grid, i * (r + 1) + k, x);
            left /= size;
        }
        tensor_set(&grid, i * (r + 1) + r, 1);
    }
    return emit_tensor(&call->emit, "places", &grid, out);
}

// theta (n, r, r + 1): the places of a tensor (n, c, spatial...) after an affine map.
Status aten_convert_affine_grid(Call *call) {
    ValueId theta, base, y;
    int64_t size[MAX_RANK];
    AtenValue shape[MAX_RANK];
    const AtenValue *items;
    int count, rank;
    bool corners;
    TRY(aten_arg_tensor(call, "theta", &theta));
    TRY(aten_arg_bool(call, "align_corners", &corners));
    TRY(aten_arg_items(call, "size", &items, &count));
    FAIL_IF(count != 4 && count != 5, ST_BAD, "argument 'size': expected 4 or 5 numbers, got %d", count);
    TRY(aten_arg_ints(call, "size", MAX_RANK, size, &count));
    TRY(aten_rank(call, theta, &rank));
    FAIL_IF(rank != 3, ST_BAD, "argument 'theta': expected 3 dims, got %d", rank);
    TRY(base_grid(call, size + 2, count - 2, corners, &base));
    TRY(aten_transpose_last(call, theta, &theta));
    TRY(aten_two(call, OP_MatMul, base, theta, &y));
    for (int i = 0; i < count; i++) shape[i] = aten_int(i == 0 ? size[0] : i == count - 1 ? count - 2 : size[i + 1]);
    TRY(aten_reshape(call, y, shape, count, &y));
    return aten_give(call, y);
}
