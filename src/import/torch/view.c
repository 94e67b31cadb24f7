#include "import/torch/view.h"
#include "import/weight.h"
#include <string.h>

enum {
    COPIES = 4,           // copied numbers may take so many times the file ...
    FREE_COPIES = 1 << 26 // ... and so many bytes
};

// The last element that the view reaches lies within the storage.
static Status check_extent(const TorchView *view, const char *name, size_t bytes) {
    const int64_t count = shape_count(&view->shape);
    const int64_t there = (int64_t)(bytes / dtype_size(view->dtype));
    int64_t last = view->offset;
    FAIL_IF(count < 0, ST_BAD, "expected dims that fit in memory, got too large ones");
    for (int i = 0; i < view->shape.rank && count > 0; i++) {
        int64_t step;
        FAIL_IF(!mul_i64(view->shape.dim[i] - 1, view->stride[i], &step) || !add_i64(last, step, &last), ST_BAD,
                "expected strides that fit in memory, got too large ones");
    }
    FAIL_IF(count > 0 ? last >= there : view->offset > there, ST_BAD,
            "expected a view within the %lld numbers of storage '%s', got number %lld", (long long)there, name,
            (long long)last);
    return ST_OK;
}

static bool is_contiguous(const TorchView *view) {
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
    const size_t most =
        (target->size ? target->size : target->file->size) * COPIES + FREE_COPIES; // the file has at most 8 GiB
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
static void gather(const TorchView *view, const uint8_t *data, uint8_t *to) {
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

static Status copy_view(TorchTarget *target, const TorchView *view, const uint8_t *data, Tensor *out) {
    const int64_t count = shape_count(&view->shape);
    TRY(charge(target, count, view->dtype));
    TRY(tensor_make(target->arena, view->dtype, view->shape, out));
    gather(view, data, out->data);
    for (int64_t i = 0; view->dtype == DT_BOOL && i < count; i++)
        ((uint8_t *)out->data)[i] = ((const uint8_t *)out->data)[i] != 0;
    return ST_OK;
}

static Status take_view(TorchTarget *target, const TorchView *view, const uint8_t *data, Tensor *out) {
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

// Nothing is stepped through along a dim of 1: its stride may be any number. The others are none that leads backwards.
static Status check_strides(TorchView *view) {
    for (int i = 0; i < view->shape.rank; i++) {
        if (view->shape.dim[i] == 1) view->stride[i] = 0;
        FAIL_IF(view->shape.dim[i] < 0 || view->stride[i] < 0, ST_BAD,
                "expected dims and strides that are not negative, got a negative one");
    }
    FAIL_IF(view->offset < 0, ST_BAD, "expected an offset that is not negative, got %lld", (long long)view->offset);
    return ST_OK;
}

Status torch_read_view(TorchTarget *target, const TorchView *from, const char *name, const uint8_t *data, size_t bytes,
                       Tensor *out) {
    TorchView view = *from;
    TRY(check_strides(&view));
    TRY(check_extent(&view, name, bytes));
    TRY(is_contiguous(&view) ? take_view(target, &view, data, out) : copy_view(target, &view, data, out));
    return convert_floats(target, out);
}

void torch_note_converted(const TorchTarget *target, Text *notes) {
    const bool is_one = target->n_converted == 1;
    const char *between = "";
    if (target->n_converted == 0) return;
    if (notes->length > 0) text_add(notes, "; ");
    text_add(notes, "%zu tensor%s of ", target->n_converted, is_one ? "" : "s");
    for (int dtype = 0; dtype < DT_COUNT; dtype++) {
        if (!target->converted[dtype]) continue;
        text_add(notes, "%s%s", between, dtype_name((DType)dtype));
        between = ", ";
    }
    text_add(notes, " %s float32 here", is_one ? "is" : "are");
}
