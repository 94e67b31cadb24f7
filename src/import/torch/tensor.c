#include "import/torch/tensor.h"
#include "import/weight.h"
#include <string.h>

enum {
    MAX_WRAPPERS = 4,     // parameters and subclasses of tensors around a tensor
    COPIES = 4,           // copied numbers may take so many times the file ...
    FREE_COPIES = 1 << 26 // ... and so many bytes
};

// ---- what a value says

// The call that makes a tensor.
typedef struct Call {
    const PickleValue *maker, *args;
} Call;

// _rebuild_parameter(tensor, ...) and others that put something around a tensor; false: it is none of them.
static bool unwrap(Call *call) {
    static const struct {
        const char *module, *name;
    } wrappers[] = {{"torch._utils", "_rebuild_parameter"},
                    {"torch._utils", "_rebuild_parameter_with_state"},
                    {"torch.nn.parameter", "Parameter"}};
    const PickleValue *inner = pickle_item(call->args, 0);
    // (function, class, its arguments, state): a subclass of tensors
    if (pickle_is_global(call->maker, "torch._tensor", "_rebuild_from_type_v2") ||
        pickle_is_global(call->maker, "torch._tensor", "_rebuild_from_type")) {
        *call = (Call){inner, pickle_item(call->args, 2)};
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(wrappers); i++) {
        if (!pickle_is_global(call->maker, wrappers[i].module, wrappers[i].name)) continue;
        if (!pickle_is(inner, PICKLE_OBJECT)) return false;
        *call = (Call){inner->maker, inner->args};
        return true;
    }
    return false;
}

// {NULL, NULL}: no tensor.
static Call tensor_call(const PickleValue *value) {
    static const char rebuild[] = "_rebuild_";
    if (!pickle_is(value, PICKLE_OBJECT)) return (Call){NULL, NULL};
    Call call = {value->maker, value->args};
    for (int i = 0; i < MAX_WRAPPERS && unwrap(&call); i++) continue;
    const bool is_tensor = pickle_is(call.maker, PICKLE_GLOBAL) && strcmp(call.maker->module, "torch._utils") == 0 &&
                           strncmp(call.maker->name, rebuild, sizeof rebuild - 1) == 0;
    return is_tensor ? call : (Call){NULL, NULL};
}

bool torch_is_tensor(const PickleValue *value) { return tensor_call(value).maker != NULL; }

// torch.float32 ..., which _rebuild_tensor_v3 names; DT_NONE: not had.
static DType dtype_of(const PickleValue *value) {
    return pickle_is(value, PICKLE_GLOBAL) ? dtype_from_name(value->name) : DT_NONE;
}

static bool is_v3(const Call *call) { return strcmp(call->maker->name, "_rebuild_tensor_v3") == 0; }

const char *torch_tensor_missing(const TorchFile *file, const PickleValue *value) {
    static const char *const known[] = {"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3"};
    const Call call = tensor_call(value);
    bool is_known = false;
    if (!call.maker) return "objects that are no tensors";
    for (size_t i = 0; i < COUNT_OF(known); i++) is_known |= strcmp(call.maker->name, known[i]) == 0;
    if (!is_known) return call.maker->name;
    // {"neg": True}: numbers that are to be negated, {"conj": True}: conjugated.
    const PickleValue *metadata = pickle_item(call.args, is_v3(&call) ? 7 : 6);
    if (pickle_is(metadata, PICKLE_DICT) && metadata->count > 0) return "negated or conjugated views";
    const TorchStorage *storage = torch_storage(file, pickle_item(call.args, 0));
    if (!storage) return NULL;
    if (storage->dtype == DT_NONE) return storage->type;
    const PickleValue *type = is_v3(&call) ? pickle_item(call.args, 6) : NULL;
    if (!is_v3(&call) || dtype_of(type) != DT_NONE) return NULL;
    return pickle_is(type, PICKLE_GLOBAL) ? type->name : "numbers without a type"; // float8_e4m3fn ...
}

// ---- views

// Elements of a storage: element (i, j ...) is number offset + i * stride[0] + j * stride[1] ...
typedef struct View {
    DType dtype;
    Shape shape;
    int64_t offset, stride[MAX_RANK];
} View;

// A tuple of integers that are not negative; torch.Size holds one.
static Status read_list(const PickleValue *value, const char *what, int *rank, int64_t *numbers) {
    if (pickle_is_made_by(value, "torch", "Size")) value = pickle_item(value->args, 0);
    FAIL_IF(!pickle_is(value, PICKLE_TUPLE) && !pickle_is(value, PICKLE_LIST), ST_BAD, "expected its %s, got %s", what,
            pickle_kind_name(value));
    FAIL_IF(value->count > MAX_RANK, ST_UNSUPPORTED, "expected at most %d dims, got %zu", MAX_RANK, value->count);
    for (size_t i = 0; i < value->count; i++) {
        FAIL_IF(!pickle_int(value->items[i], &numbers[i]) || numbers[i] < 0, ST_BAD,
                "expected %s of integers that are not negative, got something else", what);
    }
    *rank = (int)value->count;
    return ST_OK;
}

// The last element that the view reaches lies within the storage.
static Status check_extent(const View *view, const TorchStorage *storage) {
    const int64_t count = shape_count(&view->shape);
    const int64_t there = (int64_t)(storage->bytes / dtype_size(view->dtype));
    int64_t last = view->offset;
    FAIL_IF(count < 0, ST_BAD, "expected dims that fit in memory, got too large ones");
    for (int i = 0; i < view->shape.rank && count > 0; i++) {
        int64_t step;
        FAIL_IF(!mul_i64(view->shape.dim[i] - 1, view->stride[i], &step) || !add_i64(last, step, &last), ST_BAD,
                "expected strides that fit in memory, got too large ones");
    }
    FAIL_IF(count > 0 ? last >= there : view->offset > there, ST_BAD,
            "expected a view within the %lld numbers of storage '%s', got number %lld", (long long)there, storage->key,
            (long long)last);
    return ST_OK;
}

// Arguments: storage, offset, size, stride, ...; the type of v3 is number 6.
static Status read_view(const Call *call, const TorchStorage *storage, View *out) {
    int strides;
    out->dtype = is_v3(call) ? dtype_of(pickle_item(call->args, 6)) : storage->dtype;
    FAIL_IF(!pickle_int(pickle_item(call->args, 1), &out->offset) || out->offset < 0, ST_BAD,
            "expected an offset in its storage, got something else");
    TRY(read_list(pickle_item(call->args, 2), "size", &out->shape.rank, out->shape.dim));
    TRY(read_list(pickle_item(call->args, 3), "strides", &strides, out->stride));
    FAIL_IF(strides != out->shape.rank, ST_BAD, "expected %d strides, got %d", out->shape.rank, strides);
    for (int i = 0; i < out->shape.rank; i++) {
        if (out->shape.dim[i] == 1) out->stride[i] = 0; // nothing is stepped through: it may be any number
    }
    return check_extent(out, storage);
}

static bool is_contiguous(const View *view) {
    int64_t expected = 1;
    if (shape_count(&view->shape) == 0) return true;
    for (int i = view->shape.rank - 1; i >= 0; i--) {
        if (view->shape.dim[i] != 1 && view->stride[i] != expected) return false;
        expected *= view->shape.dim[i]; // no more than shape_count
    }
    return true;
}

// ---- copies

// Before memory is taken for them.
static Status charge(TorchTarget *target, int64_t count, DType dtype) {
    const size_t most = target->file->size * COPIES + FREE_COPIES; // the file has at most 8 GiB
    size_t bytes;
    const bool fits = mul_size((size_t)count, dtype_size(dtype), &bytes) && add_size(target->copied, bytes, &bytes);
    FAIL_IF(!fits || bytes > most, ST_UNSUPPORTED,
            "expected at most %zu bytes of numbers to copy, got more; save contiguous tensors of float32", most);
    target->copied = bytes;
    return ST_OK;
}

// One run along the last axis.
static void gather_run(uint8_t *to, const uint8_t *from, int64_t count, int64_t stride, size_t size) {
    for (int64_t i = 0; i < count; i++) memcpy(to + (size_t)i * size, from + (size_t)(i * stride) * size, size);
}

// Of a view that has elements and is not contiguous.
static void gather(const View *view, const uint8_t *data, uint8_t *to) {
    const size_t size = dtype_size(view->dtype);
    const int last = view->shape.rank - 1; // a scalar is contiguous
    const int64_t run = view->shape.dim[last], runs = shape_count(&view->shape) / run;
    int64_t at[MAX_RANK] = {0}, number = view->offset;
    for (int64_t i = 0; i < runs; i++) {
        gather_run(to + (size_t)(i * run) * size, data + (size_t)number * size, run, view->stride[last], size);
        for (int axis = last - 1; axis >= 0; axis--) { // the next run, as an odometer counts
            number += view->stride[axis];
            if (++at[axis] < view->shape.dim[axis]) break;
            number -= view->stride[axis] * view->shape.dim[axis];
            at[axis] = 0;
        }
    }
}

static Status copy_view(TorchTarget *target, const View *view, const uint8_t *data, Tensor *out) {
    const int64_t count = shape_count(&view->shape);
    TRY(charge(target, count, view->dtype));
    TRY(tensor_make(target->arena, view->dtype, view->shape, out));
    gather(view, data, out->data);
    for (int64_t i = 0; view->dtype == DT_BOOL && i < count; i++)
        ((uint8_t *)out->data)[i] = ((const uint8_t *)out->data)[i] != 0;
    return ST_OK;
}

static Status take_view(TorchTarget *target, const View *view, const uint8_t *data, Tensor *out) {
    const size_t size = dtype_size(view->dtype), bytes = (size_t)shape_count(&view->shape) * size;
    const uint8_t *start = data + (size_t)view->offset * size;
    TRY(weight_tensor(target->arena, view->dtype, &view->shape, start, bytes, out));
    return out->data == start ? ST_OK : charge(target, (int64_t)bytes, DT_U8);
}

static Status convert_floats(TorchTarget *target, Tensor *tensor) {
    Tensor single;
    if (tensor->dtype != DT_F16 && tensor->dtype != DT_BF16 && tensor->dtype != DT_F64) return ST_OK;
    TRY(charge(target, tensor_count(tensor), DT_F32));
    TRY(weight_as_float(target->arena, tensor, &single));
    target->n_converted++;
    target->converted[tensor->dtype] = true;
    *tensor = single;
    return ST_OK;
}

Status torch_read_tensor(TorchTarget *target, const PickleValue *value, Tensor *out) {
    const Call call = tensor_call(value);
    View view = {0};
    FAIL_IF(!call.maker, ST_BAD, "expected a tensor, got %s", pickle_kind_name(value));
    TorchStorage *storage = torch_storage(target->file, pickle_item(call.args, 0));
    FAIL_IF(!storage, ST_BAD, "expected its storage, got %s", pickle_kind_name(pickle_item(call.args, 0)));
    const char *missing = torch_tensor_missing(target->file, value);
    FAIL_IF(missing, ST_UNSUPPORTED, "%s are not supported", missing);
    TRY(read_view(&call, storage, &view));
    TRY(torch_load(target->file, target->arena, target->scratch, storage));
    TRY(is_contiguous(&view) ? take_view(target, &view, storage->data, out)
                             : copy_view(target, &view, storage->data, out));
    return convert_floats(target, out);
}
