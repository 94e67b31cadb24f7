#include "import/torch/tensor.h"
#include <string.h>

enum { MAX_WRAPPERS = 4 }; // parameters and subclasses of tensors around a tensor

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

// Arguments: storage, offset, size, stride, ...; the type of v3 is number 6.
static Status read_view(const Call *call, const TorchStorage *storage, TorchView *out) {
    int strides;
    out->dtype = is_v3(call) ? dtype_of(pickle_item(call->args, 6)) : storage->dtype;
    FAIL_IF(!pickle_int(pickle_item(call->args, 1), &out->offset) || out->offset < 0, ST_BAD,
            "expected an offset in its storage, got something else");
    TRY(read_list(pickle_item(call->args, 2), "size", &out->shape.rank, out->shape.dim));
    TRY(read_list(pickle_item(call->args, 3), "strides", &strides, out->stride));
    FAIL_IF(strides != out->shape.rank, ST_BAD, "expected %d strides, got %d", out->shape.rank, strides);
    return ST_OK;
}

static Status find_call(const TorchFile *file, const PickleValue *value, Call *call, TorchStorage **storage) {
    *call = tensor_call(value);
    FAIL_IF(!call->maker, ST_BAD, "expected a tensor, got %s", pickle_kind_name(value));
    *storage = torch_storage(file, pickle_item(call->args, 0));
    FAIL_IF(!*storage, ST_BAD, "expected its storage, got %s", pickle_kind_name(pickle_item(call->args, 0)));
    const char *missing = torch_tensor_missing(file, value);
    FAIL_IF(missing, ST_UNSUPPORTED, "%s are not supported", missing);
    return ST_OK;
}

Status torch_read_type(const TorchFile *file, const PickleValue *value, DType *dtype, Shape *shape) {
    Call call;
    TorchStorage *storage;
    TRY(find_call(file, value, &call, &storage));
    *dtype = is_v3(&call) ? dtype_of(pickle_item(call.args, 6)) : storage->dtype;
    TRY(read_list(pickle_item(call.args, 2), "size", &shape->rank, shape->dim));
    FAIL_IF(shape_count(shape) < 0, ST_BAD, "expected dims that fit in memory, got too large ones");
    return ST_OK;
}

Status torch_read_tensor(TorchTarget *target, const PickleValue *value, Tensor *out) {
    Call call;
    TorchStorage *storage;
    TorchView view = {0};
    TRY(find_call(target->file, value, &call, &storage));
    TRY(read_view(&call, storage, &view));
    TRY(torch_load(target->file, target->arena, target->scratch, storage));
    return torch_read_view(target, &view, storage->key, storage->data, storage->bytes, out);
}
