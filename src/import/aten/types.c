// Types of numbers, and what comes of several (c10/core/ScalarType.h, aten/src/ATen/native/TypeProperties.cpp).
#include "import/aten/convert.h"

static const DType scalar_types[] = {
    [0] = DT_U8,  [1] = DT_I8,    [2] = DT_I16,   [3] = DT_I32,  [4] = DT_I64,  [5] = DT_F16, [6] = DT_F32,
    [7] = DT_F64, [11] = DT_BOOL, [15] = DT_BF16, [27] = DT_U16, [28] = DT_U32, [29] = DT_U64};

Status aten_dtype(int64_t scalar_type, DType *out) {
    const bool has = scalar_type >= 0 && scalar_type < (int64_t)COUNT_OF(scalar_types);
    *out = has ? scalar_types[scalar_type] : DT_NONE;
    FAIL_IF(*out == DT_NONE, ST_UNSUPPORTED, "numbers of type %lld (c10::ScalarType: complex, quantised ...)",
            (long long)scalar_type);
    return ST_OK;
}

int64_t aten_scalar_type(DType dtype) {
    for (size_t i = 0; dtype != DT_NONE && i < COUNT_OF(scalar_types); i++)
        if (scalar_types[i] == dtype) return (int64_t)i;
    return -1;
}

static int category(DType dtype) { return dtype_is_float(dtype) ? 3 : dtype == DT_BOOL ? 1 : dtype == DT_NONE ? 0 : 2; }

// uint8 and a signed type: the next larger signed one.
DType aten_promote(DType a, DType b) {
    if (a == b || category(a) > category(b)) return a;
    if (category(a) < category(b)) return b;
    if (category(a) == 3 && dtype_size(a) == dtype_size(b)) return DT_F32; // float16 and bfloat16
    if ((a == DT_U8 && b == DT_I8) || (a == DT_I8 && b == DT_U8)) return DT_I16;
    return dtype_size(a) >= dtype_size(b) ? a : b;
}

DType aten_value_dtype(const Call *call, const AtenValue *value) {
    switch (value->kind) {
    case ATEN_BOOL: return DT_BOOL;
    case ATEN_INT: return DT_I64;
    case ATEN_FLOAT: return DT_F32;
    case ATEN_TENSOR: return aten_type(call, value->value)->dtype;
    case ATEN_NUMBER: {
        const DType dtype = aten_type(call, value->value)->dtype;
        return dtype_is_float(dtype) ? DT_F32 : dtype;
    }
    default: return DT_NONE;
    }
}

// What ranks lower counts only where it is of a higher category.
static DType combine(DType higher, DType lower) { return category(lower) > category(higher) ? lower : higher; }

// Tensors with dims, then those without, then numbers.
DType aten_result_type(const Call *call, const AtenValue *values, int count) {
    DType of[3] = {DT_NONE, DT_NONE, DT_NONE};
    for (int i = 0; i < count; i++) {
        if (values[i].kind == ATEN_NONE) continue;
        int class = 2;
        if (values[i].kind == ATEN_TENSOR) class = aten_type(call, values[i].value)->rank == 0;
        of[class] = aten_promote(of[class], aten_value_dtype(call, &values[i]));
    }
    return combine(of[0], combine(of[1], of[2]));
}

Status aten_cast(Call *call, ValueId value, DType dtype, ValueId *out) {
    *out = value;
    if (aten_type(call, value)->dtype == dtype || dtype == DT_NONE) return ST_OK;
    return emit_node(&call->emit, OP_Cast, "cast", &value, 1, ATTRS(ATTR_S("to", dtype_name(dtype))), out);
}

Status aten_as_float(Call *call, ValueId value, ValueId *out) {
    const DType dtype = aten_type(call, value)->dtype;
    return aten_cast(call, value, dtype == DT_NONE || dtype_is_float(dtype) ? dtype : DT_F32, out);
}

Status aten_as_bool(Call *call, ValueId value, ValueId *out) { return aten_cast(call, value, DT_BOOL, out); }

static Status scalar_of(Call *call, const AtenValue *value, DType dtype, ValueId *out) {
    if (value->kind == ATEN_NUMBER) return aten_cast(call, value->value, dtype, out);
    Tensor tensor;
    TRY(tensor_make(&call->aten->graph->arena, dtype, (Shape){0}, &tensor));
    if (value->kind == ATEN_INT && !dtype_is_float(dtype)) tensor_set_int(&tensor, 0, value->i);
    else if (value->kind == ATEN_INT) tensor_set(&tensor, 0, (double)value->i);
    else if (value->kind == ATEN_BOOL) tensor_set(&tensor, 0, value->b);
    else if (dtype == DT_BOOL) tensor_set_int(&tensor, 0, value->f != 0);
    else tensor_set(&tensor, 0, dtype_is_float(dtype) ? value->f : (double)(int64_t)value->f);
    if (dtype == DT_BOOL && value->kind == ATEN_INT) tensor_set_int(&tensor, 0, value->i != 0);
    return emit_tensor(&call->emit, "number", &tensor, out);
}

Status aten_operand(Call *call, const AtenValue *value, DType dtype, ValueId *out) {
    if (value->kind == ATEN_TENSOR) return aten_cast(call, value->value, dtype, out);
    FAIL_IF(!aten_is_number(value), ST_BAD, "expected a tensor or a number");
    return scalar_of(call, value, dtype == DT_NONE ? aten_value_dtype(call, value) : dtype, out);
}
