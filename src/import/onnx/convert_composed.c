// Operators that are made of several others.
#include "import/limits.h"
#include "import/onnx/convert.h"
#include <math.h>

static Status float_attr(const Call *call, const char *name, double otherwise, double *out) {
    const OnnxAttr *attr;
    TRY(call_attr(call, name, ONNX_ATTR_FLOAT, &attr));
    *out = attr ? attr->f : otherwise;
    return ST_OK;
}

static Status expect_inputs(const Call *call, int least, int most) {
    const bool fits = call->n_inputs >= least && call->n_inputs <= most;
    FAIL_IF(!fits && least == most, ST_BAD, "expected %d input%s, got %d", least, least == 1 ? "" : "s",
            call->n_inputs);
    FAIL_IF(!fits, ST_BAD, "expected %d to %d inputs, got %d", least, most, call->n_inputs);
    for (int i = 0; i < least; i++)
        FAIL_IF(!call_has_input(call, i), ST_BAD, "expected input %d, which is absent", i + 1);
    return ST_OK;
}

// A scalar of the first input's dtype.
static Status scalar(Call *call, const char *suffix, double value, ValueId *out) {
    return call_scalar(call, suffix, call_float_dtype(call, 0), value, out);
}
static Status one(Call *call, Op op, const char *suffix, ValueId x, ValueId *out) {
    return call_add(call, op, suffix, &x, 1, out, NULL);
}
static Status two(Call *call, Op op, const char *suffix, ValueId a, ValueId b, ValueId *out) {
    const ValueId inputs[] = {a, b};
    return call_add(call, op, suffix, inputs, 2, out, NULL);
}
static Status last_two(Call *call, Op op, ValueId a, ValueId b) {
    const ValueId inputs[] = {a, b};
    Node *node;
    return call_last(call, op, inputs, 2, &node);
}
static Status last_where(Call *call, ValueId condition, ValueId a, ValueId b) {
    const ValueId inputs[] = {condition, a, b};
    Node *node;
    return call_last(call, OP_Where, inputs, 3, &node);
}
static Status last_cast(Call *call, ValueId x, DType dtype) {
    Node *node;
    TRY(call_last(call, OP_Cast, &x, 1, &node));
    return node_set_string(call->graph, node, "to", dtype_name(dtype));
}
static Status over_axes(Call *call, Op op, const char *suffix, ValueId x, const int64_t *axes, size_t count,
                        ValueId *out) {
    ValueId list;
    TRY(call_ints(call, "axes", axes, count, &list));
    return two(call, op, suffix, x, list, out); // dims are kept
}

// ---- elementwise

// x where x > alpha, else 0.
Status convert_thresholded_relu(Call *call) {
    double alpha;
    ValueId bound, zero, above;
    TRY(expect_inputs(call, 1, 1));
    TRY(float_attr(call, "alpha", 1, &alpha));
    TRY(scalar(call, "alpha", alpha, &bound));
    TRY(scalar(call, "zero", 0, &zero));
    TRY(two(call, OP_Greater, "above", call->inputs[0], bound, &above));
    return last_where(call, above, call->inputs[0], zero);
}

// x + bias below -lambd, x - bias above lambd, else 0.
Status convert_shrink(Call *call) {
    double lambd, bias;
    ValueId low, high, shift, zero, below, above, added, taken, inner;
    const ValueId x = call->n_inputs > 0 ? call->inputs[0] : NO_VALUE;
    TRY(expect_inputs(call, 1, 1));
    TRY(float_attr(call, "lambd", 0.5, &lambd));
    TRY(float_attr(call, "bias", 0, &bias));
    TRY(scalar(call, "low", -lambd, &low));
    TRY(scalar(call, "high", lambd, &high));
    TRY(scalar(call, "bias", bias, &shift));
    TRY(scalar(call, "zero", 0, &zero));
    TRY(two(call, OP_Less, "below", x, low, &below));
    TRY(two(call, OP_Greater, "above", x, high, &above));
    TRY(two(call, OP_Add, "added", x, shift, &added));
    TRY(two(call, OP_Sub, "taken", x, shift, &taken));
    const ValueId inputs[] = {above, taken, zero};
    TRY(call_add(call, OP_Where, "inner", inputs, 3, &inner, NULL));
    return last_where(call, below, added, inner);
}

// A NaN is what does not equal itself.
Status convert_is_nan(Call *call) {
    ValueId equal;
    Node *node;
    TRY(expect_inputs(call, 1, 1));
    TRY(two(call, OP_Equal, "equal", call->inputs[0], call->inputs[0], &equal));
    return call_last(call, OP_Not, &equal, 1, &node);
}

Status convert_is_inf(Call *call) {
    int64_t negative, positive;
    ValueId low, high, is_low, is_high;
    TRY(expect_inputs(call, 1, 1));
    TRY(call_int(call, "detect_negative", 1, &negative));
    TRY(call_int(call, "detect_positive", 1, &positive));
    const ValueId x = call->inputs[0];
    TRY(scalar(call, "low", -HUGE_VAL, &low));
    TRY(scalar(call, "high", HUGE_VAL, &high));
    if (!negative && !positive) return last_two(call, OP_Less, x, x); // never
    if (!negative || !positive) return last_two(call, OP_Equal, x, negative ? low : high);
    TRY(two(call, OP_Equal, "is_low", x, low, &is_low));
    TRY(two(call, OP_Equal, "is_high", x, high, &is_high));
    return last_two(call, OP_Or, is_low, is_high);
}

// ---- normalisation

Status convert_lp_norm(Call *call) {
    int64_t axis, p;
    ValueId norm;
    TRY(expect_inputs(call, 1, 1));
    TRY(call_int(call, "axis", -1, &axis));
    TRY(call_int(call, "p", 2, &p));
    FAIL_IF(p != 1 && p != 2, ST_BAD, "attribute 'p': expected 1 or 2, got %lld", (long long)p);
    TRY(over_axes(call, p == 1 ? OP_ReduceL1 : OP_ReduceL2, "norm", call->inputs[0], &axis, 1, &norm));
    return last_two(call, OP_Div, call->inputs[0], norm);
}

// (x - mean) / (deviation + 1e-9), by default over all but the channels.
Status convert_mean_variance(Call *call) {
    static const int64_t usual[] = {0, 2, 3};
    const OnnxAttr *given;
    ValueId mean, centred, square, variance, deviation, tiny, divisor;
    TRY(expect_inputs(call, 1, 1));
    TRY(call_attr(call, "axes", ONNX_ATTR_INTS, &given));
    const int64_t *axes = given ? given->ints : usual;
    const size_t count = given ? given->count : COUNT_OF(usual);
    TRY(over_axes(call, OP_ReduceMean, "mean", call->inputs[0], axes, count, &mean));
    TRY(two(call, OP_Sub, "centred", call->inputs[0], mean, &centred));
    TRY(two(call, OP_Mul, "square", centred, centred, &square));
    TRY(over_axes(call, OP_ReduceMean, "variance", square, axes, count, &variance));
    TRY(one(call, OP_Sqrt, "deviation", variance, &deviation));
    TRY(scalar(call, "tiny", 1e-9, &tiny));
    TRY(two(call, OP_Add, "divisor", deviation, tiny, &divisor));
    return last_two(call, OP_Div, centred, divisor);
}

// x / sqrt(mean of x^2 over axis...last + epsilon) * scale
Status convert_rms_norm(Call *call) {
    int64_t axis, axes[MAX_RANK];
    double epsilon;
    ValueId square, mean, tiny, sum, root, scaled;
    TRY(expect_inputs(call, 2, 2));
    TRY(call_int(call, "axis", -1, &axis));
    TRY(float_attr(call, "epsilon", 1e-5, &epsilon));
    const int rank = call_type(call, 0)->rank;
    FAIL_IF(rank < 0, ST_UNSUPPORTED, "the number of dims of its input is not known here");
    FAIL_IF(axis < -rank || axis >= rank, ST_BAD, "expected an axis from %d to %d, got %lld", -rank, rank - 1,
            (long long)axis);
    size_t count = 0;
    for (int64_t i = axis < 0 ? axis + rank : axis; i < rank; i++) axes[count++] = i;
    const ValueId x = call->inputs[0];
    TRY(two(call, OP_Mul, "square", x, x, &square));
    TRY(over_axes(call, OP_ReduceMean, "mean", square, axes, count, &mean));
    TRY(scalar(call, "epsilon", epsilon, &tiny));
    TRY(two(call, OP_Add, "sum", mean, tiny, &sum));
    TRY(one(call, OP_Sqrt, "root", sum, &root));
    TRY(two(call, OP_Div, "scaled", x, root, &scaled));
    return last_two(call, OP_Mul, scaled, call->inputs[1]);
}

// The mean of squares over `size` channels, as an AveragePool with the channels for space: x (n, c, ...) is
// (n, 1, c, ...) there.
static Status mean_of_squares(Call *call, int rank, int64_t size, ValueId *out) {
    static const int64_t channels = 1;
    int64_t kernel[MAX_RANK], pads[2 * MAX_RANK] = {0};
    const size_t spatial = (size_t)rank - 1;
    ValueId axes, square, wide, mean;
    Node *node;
    for (size_t i = 0; i < spatial; i++) kernel[i] = i ? 1 : size;
    pads[0] = (size - 1) / 2;
    pads[spatial] = size - 1 - pads[0];
    TRY(call_ints(call, "axes", &channels, 1, &axes));
    TRY(two(call, OP_Mul, "square", call->inputs[0], call->inputs[0], &square));
    TRY(two(call, OP_Unsqueeze, "wide", square, axes, &wide));
    TRY(call_add(call, OP_AveragePool, "mean", &wide, 1, &mean, &node));
    TRY(node_set_ints(call->graph, node, "kernel_shape", kernel, spatial));
    TRY(node_set_ints(call->graph, node, "pads", pads, 2 * spatial));
    TRY(node_set_int(call->graph, node, "count_include_pad", 1));
    return two(call, OP_Squeeze, "squares", mean, axes, out);
}

// x / (bias + alpha mean)^beta
Status convert_lrn(Call *call) {
    double alpha, beta, bias;
    int64_t size;
    ValueId mean, factor, exponent, offset, scaled, sum, power;
    TRY(expect_inputs(call, 1, 1));
    TRY(float_attr(call, "alpha", 1e-4, &alpha));
    TRY(float_attr(call, "beta", 0.75, &beta));
    TRY(float_attr(call, "bias", 1, &bias));
    TRY(call_int(call, "size", 0, &size));
    const int rank = call_type(call, 0)->rank;
    FAIL_IF(rank < 2 || rank > 4, ST_UNSUPPORTED, "an input of 2 to 4 dims is supported, got %d", rank);
    FAIL_IF(size < 1 || size > LIMIT_LIST, ST_BAD, "attribute 'size': expected 1 to %d, got %lld", LIMIT_LIST,
            (long long)size);
    TRY(mean_of_squares(call, rank, size, &mean));
    TRY(scalar(call, "alpha", alpha, &factor));
    TRY(scalar(call, "bias", bias, &offset));
    TRY(scalar(call, "beta", beta, &exponent));
    TRY(two(call, OP_Mul, "scaled", mean, factor, &scaled));
    TRY(two(call, OP_Add, "sum", scaled, offset, &sum));
    TRY(two(call, OP_Pow, "power", sum, exponent, &power));
    return last_two(call, OP_Div, call->inputs[0], power);
}

// ---- places

// 0, 1 ... dim - 1 along the first of `rank` dims; the others are 1.
static Status count_up(Call *call, const char *suffix, int64_t dim, int rank, ValueId *out) {
    Shape shape = {.rank = rank};
    Tensor tensor;
    FAIL_IF(dim < 0, ST_UNSUPPORTED,
            "a shape that is not known here is not supported; give it: --input NAME=1x3x256x256");
    FAIL_IF(dim > LIMIT_LIST, ST_UNSUPPORTED, "a dim of at most %d is supported, got %lld", LIMIT_LIST, (long long)dim);
    for (int i = 0; i < rank; i++) shape.dim[i] = i ? 1 : dim;
    TRY(tensor_make(&call->graph->arena, DT_I64, shape, &tensor));
    for (int64_t i = 0; i < dim; i++) tensor_set_int(&tensor, i, i);
    return call_tensor(call, suffix, &tensor, out);
}

// Column - row of each place of the last two dims.
static Status diagonals(Call *call, ValueId *out) {
    const Type type = *call_type(call, 0);
    ValueId rows, columns;
    FAIL_IF(type.rank >= 0 && type.rank < 2, ST_BAD, "expected an input of at least 2 dims, got %d", type.rank);
    TRY(count_up(call, "rows", type.rank < 0 ? -1 : type.dim[type.rank - 2], 2, &rows));
    TRY(count_up(call, "columns", type.dim[type.rank - 1], 1, &columns));
    return two(call, OP_Sub, "diagonals", columns, rows, out);
}

static Status known_dtype(const Call *call, int input, DType *out) {
    *out = call_type(call, input)->dtype;
    FAIL_IF(*out == DT_NONE, ST_UNSUPPORTED, "the data type of its input is not known here");
    return ST_OK;
}

// The upper or lower triangle of each matrix, from diagonal k on (input 1).
Status convert_trilu(Call *call) {
    int64_t upper;
    DType dtype;
    ValueId diagonal, k, zero, kept;
    TRY(expect_inputs(call, 1, 2));
    TRY(known_dtype(call, 0, &dtype));
    TRY(call_int(call, "upper", 1, &upper));
    TRY(diagonals(call, &diagonal));
    if (call_has_input(call, 1)) k = call->inputs[1];
    else TRY(call_scalar(call, "k", DT_I64, 0, &k));
    TRY(call_scalar(call, "zero", dtype, 0, &zero));
    TRY(two(call, upper ? OP_GreaterOrEqual : OP_LessOrEqual, "kept", diagonal, k, &kept));
    return last_where(call, kept, call->inputs[0], zero);
}

// Ones on diagonal k of a matrix of the input's shape.
Status convert_eye_like(Call *call) {
    const OnnxAttr *given;
    int64_t at;
    DType dtype;
    ValueId diagonal, k, hit;
    TRY(expect_inputs(call, 1, 1));
    TRY(call_int(call, "k", 0, &at));
    TRY(call_attr(call, "dtype", ONNX_ATTR_INT, &given));
    TRY(given ? onnx_dtype(given->i, &dtype) : known_dtype(call, 0, &dtype));
    FAIL_IF(call_type(call, 0)->rank > 2, ST_BAD, "expected an input of 2 dims, got %d", call_type(call, 0)->rank);
    TRY(diagonals(call, &diagonal));
    TRY(call_ints(call, "k", &at, 1, &k));
    TRY(two(call, OP_Equal, "hit", diagonal, k, &hit));
    return last_cast(call, hit, dtype);
}

// 1 at the first largest element along the axis, else 0.
Status convert_hardmax(Call *call) {
    int64_t axis;
    DType dtype;
    ValueId places, best, hit;
    Node *node;
    TRY(expect_inputs(call, 1, 1));
    TRY(known_dtype(call, 0, &dtype));
    const Type type = *call_type(call, 0);
    TRY(call_int(call, "axis", call->opset < 13 ? 1 : -1, &axis));
    FAIL_IF(type.rank >= 0 && (axis < -type.rank || axis >= type.rank), ST_BAD,
            "expected an axis from %d to %d, got %lld", -type.rank, type.rank - 1, (long long)axis);
    if (axis < 0) axis += type.rank;
    FAIL_IF(call->opset < 13 && axis != type.rank - 1, ST_UNSUPPORTED,
            "several dims at once (before opset 13) are not supported");
    TRY(count_up(call, "places", type.rank < 0 ? -1 : type.dim[axis], type.rank - (int)axis, &places));
    TRY(call_add(call, OP_ArgMax, "best", call->inputs, 1, &best, &node));
    TRY(node_set_int(call->graph, node, "axis", axis));
    TRY(two(call, OP_Equal, "hit", best, places, &hit));
    return last_cast(call, hit, dtype);
}

// The number as an int64 scalar.
static Status as_scalar(Call *call, ValueId value, ValueId *out) {
    ValueId whole;
    Node *node;
    TRY(call_add(call, OP_Cast, "whole", &value, 1, &whole, &node));
    TRY(node_set_string(call->graph, node, "to", dtype_name(DT_I64)));
    return one(call, OP_Squeeze, "scalar", whole, out);
}

// 0 .. depth - 1 with `behind` dims of 1 behind it.
static Status places_of(Call *call, ValueId depth, int behind, ValueId *out) {
    int64_t dims[MAX_RANK + 1] = {-1};
    ValueId first, step, numbers, shape;
    for (int i = 1; i <= behind; i++) dims[i] = 1;
    TRY(call_scalar(call, "first", DT_I64, 0, &first));
    TRY(call_scalar(call, "step", DT_I64, 1, &step));
    const ValueId inputs[] = {first, depth, step};
    TRY(call_add(call, OP_Range, "numbers", inputs, 3, &numbers, NULL));
    TRY(call_ints(call, "shape", dims, (size_t)behind + 1, &shape));
    return two(call, OP_Reshape, "places", numbers, shape, out);
}

// indices, depth, values (off, on): on at each index along a new axis of that depth. Negative ones count from its end.
Status convert_one_hot(Call *call) {
    int64_t axis;
    ValueId depth, index, zero, ends, negative, wrapped, axes, wide, places, hit, one_at, off, on;
    Node *node;
    TRY(expect_inputs(call, 3, 3));
    TRY(call_int(call, "axis", -1, &axis));
    const int rank = call_type(call, 0)->rank;
    FAIL_IF(rank < 0, ST_UNSUPPORTED, "the number of dims of its input is not known here");
    FAIL_IF(axis < -rank - 1 || axis > rank, ST_BAD, "expected an axis from %d to %d, got %lld", -rank - 1, rank,
            (long long)axis);
    FAIL_IF(rank >= MAX_RANK, ST_UNSUPPORTED, "expected at most %d dims of the output", MAX_RANK);
    if (axis < 0) axis += rank + 1;
    TRY(as_scalar(call, call->inputs[1], &depth));
    TRY(call_add(call, OP_Cast, "index", call->inputs, 1, &index, &node));
    TRY(node_set_string(call->graph, node, "to", dtype_name(DT_I64)));
    TRY(call_scalar(call, "zero", DT_I64, 0, &zero));
    TRY(two(call, OP_Less, "negative", index, zero, &negative));
    TRY(two(call, OP_Add, "ends", index, depth, &ends));
    const ValueId inputs[] = {negative, ends, index};
    TRY(call_add(call, OP_Where, "wrapped", inputs, 3, &wrapped, NULL));
    TRY(call_ints(call, "axis", &axis, 1, &axes));
    TRY(two(call, OP_Unsqueeze, "wide", wrapped, axes, &wide));
    TRY(places_of(call, depth, rank - (int)axis, &places));
    TRY(two(call, OP_Equal, "hit", wide, places, &hit));
    TRY(call_scalar(call, "one", DT_I64, 1, &one_at));
    TRY(two(call, OP_Gather, "off", call->inputs[2], zero, &off));
    TRY(two(call, OP_Gather, "on", call->inputs[2], one_at, &on));
    return last_where(call, hit, on, off);
}
