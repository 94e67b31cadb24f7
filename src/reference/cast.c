// Cast. Floats to integers by float_to_integer, integers wrap, anything but zero is true.
#include "reference/evaluate.h"

static int64_t truncated(double x) {
    return x > -9223372036854777856.0 && x < 9223372036854775808.0 ? (int64_t)x : INT64_MIN;
}

int64_t float_to_integer(double x, DType to) {
    if (to == DT_U64 && x >= 9223372036854775808.0 && x < 18446744073709551616.0) return (int64_t)(uint64_t)x;
    if (to == DT_I64 || to == DT_U64 || to == DT_U32) return truncated(x);
    return x > -2147483649.0 && x < 2147483648.0 ? (int64_t)x : INT32_MIN;
}

// Through float32 at once where that is the type: going over double would round twice.
static void set_from_integer(Tensor *out, int64_t i, int64_t value, bool is_u64) {
    if (out->dtype == DT_F32) ((float *)out->data)[i] = is_u64 ? (float)as_unsigned(value) : (float)value;
    else tensor_set(out, i, is_u64 ? (double)as_unsigned(value) : (double)value);
}

Status evaluate_Cast(const Evaluation *e) {
    const Tensor *const x = e->inputs[0];
    Tensor *const y = &e->outputs[0];
    const bool from_float = dtype_is_float(x->dtype), to_float = dtype_is_float(y->dtype);
    for (int64_t i = 0; i < tensor_count(x); i++) {
        if (y->dtype == DT_BOOL) tensor_set_int(y, i, from_float ? tensor_get(x, i) != 0 : tensor_get_int(x, i) != 0);
        else if (from_float && to_float) tensor_set(y, i, tensor_get(x, i));
        else if (from_float) tensor_set_int(y, i, float_to_integer(tensor_get(x, i), y->dtype));
        else if (to_float) set_from_integer(y, i, tensor_get_int(x, i), x->dtype == DT_U64);
        else tensor_set_int(y, i, tensor_get_int(x, i));
    }
    return ST_OK;
}
