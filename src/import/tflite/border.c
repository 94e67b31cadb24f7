// Where a quantised model meets its user: 8 or 16 bit numbers outside, q = round(x / scale) + zero point, float32
// inside. Source: ai.google.dev/edge/litert/models/quantization_spec.
#include "import/tflite/convert.h"
#include <math.h>

static void integer_range(const TfliteTensor *tensor, double *low, double *high) {
    const bool wide = tensor->type == TFLITE_INT16, is_signed = tensor->type != TFLITE_UINT8;
    *low = !is_signed ? 0 : wide ? INT16_MIN : INT8_MIN;
    *high = !is_signed ? UINT8_MAX : wide ? INT16_MAX : INT8_MAX;
}

static double scale_of(const TfliteTensor *tensor) { return fb_float_at(tensor->scale, 0); }
static double zero_of(const TfliteTensor *tensor) {
    return tensor->zero_point.count ? (double)fb_int64_at(tensor->zero_point, 0) : 0;
}

void tfl_quantised_range(const TfliteTensor *tensor, double *low, double *high) {
    integer_range(tensor, low, high);
    *low = scale_of(tensor) * (*low - zero_of(tensor));
    *high = scale_of(tensor) * (*high - zero_of(tensor));
}

Status tfl_check_scale(const TfliteTensor *tensor) {
    FAIL_IF(tensor->other_quantisation, ST_UNSUPPORTED,
            "tensor '%s': a quantisation other than by scale and zero point", tensor->name);
    FAIL_IF(tensor->scale.count != 1, ST_UNSUPPORTED, "tensor '%s': %u scales of a value that is no weight",
            tensor->name, tensor->scale.count);
    double low, high;
    integer_range(tensor, &low, &high);
    FAIL_IF(!(scale_of(tensor) > 0) || isinf(scale_of(tensor)), ST_BAD, "tensor '%s': expected a scale above 0, got %g",
            tensor->name, scale_of(tensor));
    FAIL_IF(zero_of(tensor) < low || zero_of(tensor) > high, ST_BAD,
            "tensor '%s': expected a zero point from %g to %g, got %g", tensor->name, low, high, zero_of(tensor));
    return ST_OK;
}

static Status with_scalar(Emit *emit, Op op, const char *suffix, ValueId x, double number, ValueId *out) {
    ValueId scalar;
    TRY(emit_scalar(emit, suffix, DT_F32, number, &scalar));
    return emit_binary(emit, op, suffix, x, scalar, out);
}

Status tfl_from_quantised(Emit *emit, const TfliteTensor *tensor, ValueId x, ValueId *out) {
    TRY(tfl_check_scale(tensor));
    ValueId y;
    TRY(emit_node(emit, OP_Cast, "float", &x, 1, ATTRS(ATTR_S("to", "float32")), &y));
    if (zero_of(tensor) != 0) TRY(with_scalar(emit, OP_Sub, "centred", y, zero_of(tensor), &y));
    return with_scalar(emit, OP_Mul, "scaled", y, scale_of(tensor), out);
}

Status tfl_to_quantised(Emit *emit, const TfliteTensor *tensor, ValueId x, ValueId *out) {
    double low, high;
    DType dtype;
    TRY(tfl_check_scale(tensor));
    TRY(tflite_dtype(tensor->type, &dtype));
    integer_range(tensor, &low, &high);
    TRY(with_scalar(emit, OP_Div, "scaled", x, scale_of(tensor), &x));
    TRY(emit_unary(emit, OP_Round, "rounded", x, &x));
    if (zero_of(tensor) != 0) TRY(with_scalar(emit, OP_Add, "shifted", x, zero_of(tensor), &x));
    ValueId inputs[3] = {x};
    TRY(emit_scalar(emit, "low", DT_F32, low, &inputs[1]));
    TRY(emit_scalar(emit, "high", DT_F32, high, &inputs[2]));
    TRY(emit_node(emit, OP_Clip, "limited", inputs, 3, NO_ATTRS, &x));
    return emit_node(emit, OP_Cast, "quantised", &x, 1, ATTRS(ATTR_S("to", dtype_name(dtype))), out);
}
