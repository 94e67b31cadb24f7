// Constants of the model: in the mapping where they can stay, de-quantised, or in another order of axes.
#include "import/weight.h"
#include "import/tflite/convert.h"
#include <math.h>
#include <string.h>

static const int64_t FREE_COPIES = (int64_t)1 << 26; // bytes of weights that a file of any size may have copied

// Tensors and operators may share bytes, so a small file could ask for any number of copies of them.
static Status charge(Builder *builder, size_t bytes) {
    const int64_t most = 16 * (int64_t)builder->model->file.size + FREE_COPIES;
    builder->copied += (int64_t)bytes; // of one tensor: below the limit of a file, times 8
    FAIL_IF(builder->copied > most, ST_BAD,
            "expected weights that are used about once each, got more than %lld bytes of copies of a file of %zu",
            (long long)most, builder->model->file.size);
    return ST_OK;
}

Status tflite_dtype(int type, DType *out) {
    static const DType dtypes[] = {
        [TFLITE_FLOAT32] = DT_F32, [TFLITE_FLOAT16] = DT_F16, [TFLITE_INT32] = DT_I32,  [TFLITE_UINT8] = DT_U8,
        [TFLITE_INT64] = DT_I64,   [TFLITE_BOOL] = DT_BOOL,   [TFLITE_INT16] = DT_I16,  [TFLITE_INT8] = DT_I8,
        [TFLITE_FLOAT64] = DT_F64, [TFLITE_UINT64] = DT_U64,  [TFLITE_UINT32] = DT_U32, [TFLITE_UINT16] = DT_U16,
        [TFLITE_INT4] = DT_NONE};
    static const char *const others[] = {
        [TFLITE_STRING] = "text",       [TFLITE_COMPLEX64] = "complex64", [TFLITE_COMPLEX128] = "complex128",
        [TFLITE_RESOURCE] = "resource", [TFLITE_VARIANT] = "variant",     [TFLITE_INT4] = "int4"};
    FAIL_IF(type < 0 || type >= (int)COUNT_OF(dtypes), ST_BAD, "expected a type of tensors below %zu, got %d",
            COUNT_OF(dtypes), type);
    *out = dtypes[type];
    return *out != DT_NONE ? ST_OK : fail(ST_UNSUPPORTED, "a tensor of type %s", others[type]);
}

bool tfl_is_quantised(const TfliteTensor *tensor) {
    const bool narrow = tensor->type == TFLITE_INT8 || tensor->type == TFLITE_UINT8 || tensor->type == TFLITE_INT16;
    return narrow && tensor->scale.count > 0;
}

// The tensor as it stands in the file.
static Status raw_tensor(Builder *builder, const TfliteTensor *from, Tensor *out) {
    Shape shape = {.rank = (int)from->rank};
    DType dtype;
    FAIL_IF(from->is_sparse, ST_UNSUPPORTED, "sparse weights; convert the model without sparsity");
    FAIL_IF(from->other_quantisation, ST_UNSUPPORTED, "a quantisation other than by scales and zero points");
    FAIL_IF(from->rank > MAX_RANK, ST_UNSUPPORTED, "a tensor of %u dims; at most %d are had", from->rank, MAX_RANK);
    TRY(tflite_dtype(from->type, &dtype));
    for (int i = 0; i < shape.rank; i++) shape.dim[i] = from->dim[i];
    static const uint8_t nothing[1];
    const uint8_t *data = from->data ? from->data : nothing;
    TRY(weight_tensor(&builder->graph->arena, dtype, &shape, data, from->size, out));
    return out->data == data ? ST_OK : charge(builder, from->size);
}

static Status add(Builder *builder, const TfliteTensor *from, const char *suffix, const Tensor *tensor, ValueId *out) {
    Emit emit = {.graph = builder->graph, .layer = tfl_short_name(builder, from->name)};
    return emit_tensor(&emit, suffix, tensor, out);
}

Status tfl_weight_value(Builder *builder, int index, ValueId *out) {
    const TfliteTensor *from = &builder->model->tensors[index];
    Tensor tensor;
    if (tfl_is_quantised(from)) return tfl_weight_dequantised(builder, index, out);
    TRY(raw_tensor(builder, from, &tensor));
    return add(builder, from, "", &tensor, out);
}

// ---- de-quantisation

// One scale for all, or one for each element along an axis. `inner`: elements that share one before the next comes.
static Status scale_steps(const TfliteTensor *from, const Shape *shape, int64_t *inner) {
    const uint32_t scales = from->scale.count;
    *inner = 1;
    if (scales == 1) return ST_OK;
    FAIL_IF(from->axis < 0 || from->axis >= shape->rank, ST_BAD, "expected scales along one of %d dims, got dim %d",
            shape->rank, from->axis);
    FAIL_IF(shape->dim[from->axis] != scales, ST_BAD, "expected %lld scales along dim %d, got %u",
            (long long)shape->dim[from->axis], from->axis, scales);
    for (int i = from->axis + 1; i < shape->rank; i++) *inner *= shape->dim[i];
    return ST_OK;
}

static Status dequantise(const TfliteTensor *from, const Tensor *raw, Tensor *out) {
    const int64_t count = tensor_count(raw);
    const uint32_t scales = from->scale.count, zeros = from->zero_point.count;
    int64_t inner;
    TRY(scale_steps(from, &raw->shape, &inner));
    for (uint32_t i = 0; i < scales; i++) {
        const float scale = fb_float_at(from->scale, i);
        FAIL_IF(!isfinite(scale), ST_BAD, "expected scales that are numbers, got %g", (double)scale);
    }
    float *to = out->data;
    for (int64_t i = 0; i < count; i++) {
        const uint32_t channel = scales == 1 ? 0 : (uint32_t)(i / inner % scales);
        const int64_t zero = zeros == 0 ? 0 : fb_int64_at(from->zero_point, zeros == 1 ? 0 : channel);
        to[i] = (float)(fb_float_at(from->scale, channel) * ((double)tensor_get_int(raw, i) - (double)zero));
    }
    return ST_OK;
}

Status tfl_weight_dequantised(Builder *builder, int index, ValueId *out) {
    const TfliteTensor *from = &builder->model->tensors[index];
    Tensor raw, made;
    TRY(raw_tensor(builder, from, &raw));
    const int64_t count = tensor_count(&raw);
    TRY(charge(builder, (size_t)count * sizeof(float)));
    if (dtype_is_float(raw.dtype)) {
        TRY(weight_as_float(&builder->graph->arena, &raw, &made));
    } else {
        FAIL_IF(from->scale.count == 0, ST_BAD, "expected a scale with weights of type %s, got none",
                dtype_name(raw.dtype));
        TRY(tensor_make(&builder->graph->arena, DT_F32, raw.shape, &made));
        TRY(dequantise(from, &raw, &made));
        builder->dequantised++;
    }
    return add(builder, from, "", &made, out);
}

// ---- what convolutions need

// Only dims of 1 change their place.
static bool moves_nothing(const Shape *shape, const int *order) {
    int last = -1;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[order[i]] == 1) continue;
        if (order[i] < last) return false;
        last = order[i];
    }
    return true;
}

static Status reordered(Call *call, const TfliteTensor *tensor, const Tensor *weight, const int *order, ValueId *out) {
    Builder *builder = call->builder;
    Emit emit = {.graph = builder->graph, .layer = tfl_short_name(builder, tensor->name)};
    if (!moves_nothing(&weight->shape, order)) {
        TRY(charge(builder, tensor_bytes(weight)));
        return emit_permuted(&emit, "filter", weight, order, out);
    }
    Tensor same = *weight;
    for (int i = 0; i < same.shape.rank; i++) same.shape.dim[i] = weight->shape.dim[order[i]];
    return emit_tensor(&emit, "filter", &same, out);
}

Status tfl_call_filter(Call *call, int input, const int *order, int rank, ValueId *out) {
    Builder *builder = call->builder;
    ValueId value;
    TRY(tfl_call_value(call, input, &value));
    const int index = call->operator->inputs[input], got = emit_type(&call->emit, value)->rank;
    FAIL_IF(got >= 0 && got != rank, ST_BAD, "input %d: expected weights of %d dims, got %d", input, rank, got);
    const Tensor *weight = emit_constant(&call->emit, value);
    if (!weight) return emit_transpose(&call->emit, "filter", value, order, out);
    if (builder->orders[index] != order) {
        TRY(reordered(call, tfl_call_tensor(call, input), weight, order, &builder->filters[index]));
        builder->orders[index] = order;
    }
    *out = builder->filters[index];
    return ST_OK;
}

Status tfl_call_bias(Call *call, int input, ValueId *out) {
    *out = NO_VALUE;
    if (!tfl_call_has(call, input)) return ST_OK;
    const TfliteTensor *tensor = tfl_call_tensor(call, input);
    const bool wide = tensor->type == TFLITE_INT32 || tensor->type == TFLITE_INT64;
    if (wide && tensor->data) TRY(tfl_weight_dequantised(call->builder, call->operator->inputs[input], out));
    else TRY(tfl_call_value(call, input, out));
    if (emit_type(&call->emit, *out)->rank == 1) return ST_OK;
    return emit_reshape(&call->emit, "bias", *out, (const int64_t[]){-1}, 1, out);
}
