// Slice and Pad.
#include "reference/evaluate.h"
#include <string.h>

// First index along a dim: negative ones count from the end, then clamped to what the step can start from.
static int64_t slice_start(int64_t start, int64_t dim, int64_t step) {
    if (start < 0) start += dim;
    const int64_t highest = step < 0 ? dim - 1 : dim;
    return start < 0 ? 0 : MIN(start, highest);
}

Status evaluate_Slice(const Evaluation *e) {
    const Tensor *const x = e->inputs[0], *const axes = input_or_null(e, 3), *const steps = input_or_null(e, 4);
    int64_t starts[MAX_RANK], stride[MAX_RANK], offset = 0;
    int count;
    TRY(read_ints(e->inputs[1], "starts", MAX_RANK, starts, &count));
    strides_of(&x->shape, stride);
    if (tensor_count(&e->outputs[0]) == 0) return ST_OK;
    FAIL_IF(axes && tensor_count(axes) != count, ST_BAD, "axes: expected %d, got %lld", count,
            (long long)tensor_count(axes));
    FAIL_IF(steps && tensor_count(steps) != count, ST_BAD, "steps: expected %d, got %lld", count,
            (long long)tensor_count(steps));
    for (int i = 0; i < count; i++) {
        int axis;
        TRY(read_axis(axes ? tensor_get_int(axes, i) : i, x->shape.rank, &axis));
        const int64_t step = steps ? tensor_get_int(steps, i) : 1;
        offset += slice_start(starts[i], x->shape.dim[axis], step) * stride[axis];
        // A step beyond the dim takes one element: its stride is not used, and may not overflow.
        stride[axis] = e->outputs[0].shape.dim[axis] > 1 ? stride[axis] * step : 0;
    }
    copy_strided(&e->outputs[0], x, offset, stride);
    return ST_OK;
}

// ---- Pad ----

typedef enum PadMode { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP } PadMode;

// Where position i relative to a run of `size` elements takes its value from; -1: the constant.
// reflect mirrors at the first and last element without repeating them: d c b | a b c d | c b a.
static int64_t pad_source(int64_t i, int64_t size, PadMode mode) {
    if (i >= 0 && i < size) return i;
    if (size == 0 || mode == PAD_CONSTANT) return -1;
    if (mode == PAD_EDGE) return i < 0 ? 0 : size - 1;
    const int64_t period = mode == PAD_WRAP ? size : MAX(2 * (size - 1), 1);
    const int64_t r = (i % period + period) % period;
    return r < size ? r : period - r;
}

// Negative pads crop first, then the rest is padded.
static Status pad_map(const Evaluation *e, int64_t dim, int64_t begin, int64_t end, PadMode mode, int64_t **out) {
    const int64_t crop = begin < 0 ? -begin : 0;
    const int64_t size = dim - crop - (end < 0 ? -end : 0), count = dim + begin + end;
    FAIL_IF(size < 0 || count < 0, ST_BAD, "pads: %lld and %lld take more than the %lld elements of the dim",
            (long long)begin, (long long)end, (long long)dim);
    int64_t *const map = arena_array(e->scratch, (size_t)MAX(count, 1), sizeof(int64_t));
    if (!map) return fail_memory((size_t)count * sizeof(int64_t));
    for (int64_t i = 0; i < count; i++) {
        const int64_t source = pad_source(i - MAX(begin, 0), size, mode);
        map[i] = source < 0 ? -1 : source + crop;
        FAIL_IF(source < 0 && mode != PAD_CONSTANT, ST_BAD, "pads: nothing to repeat in a dim of size 0");
    }
    *out = map;
    return ST_OK;
}

static PadMode pad_mode(const Node *node) {
    const char *const mode = node_string(node, "mode", "constant");
    return strcmp(mode, "reflect") == 0 ? PAD_REFLECT
           : strcmp(mode, "edge") == 0  ? PAD_EDGE
           : strcmp(mode, "wrap") == 0  ? PAD_WRAP
                                        : PAD_CONSTANT;
}

// Begins and ends by axis, from pads (begins, ends) of the listed axes (NULL: all).
static Status read_pads(const Evaluation *e, int64_t begin[MAX_RANK], int64_t end[MAX_RANK]) {
    const Tensor *const axes = input_or_null(e, 3);
    const int rank = e->inputs[0]->shape.rank;
    const int64_t listed = axes ? tensor_count(axes) : rank;
    int64_t pads[2 * MAX_RANK];
    int count;
    TRY(read_ints(e->inputs[1], "pads", 2 * MAX_RANK, pads, &count));
    FAIL_IF(count != 2 * listed, ST_BAD, "pads: expected %lld numbers, got %d", (long long)(2 * listed), count);
    for (int i = 0; i < count / 2; i++) {
        int axis;
        TRY(read_axis(axes ? tensor_get_int(axes, i) : i, rank, &axis));
        begin[axis] = pads[i];
        end[axis] = pads[i + count / 2];
    }
    return ST_OK;
}

Status evaluate_Pad(const Evaluation *e) {
    const Tensor *const x = e->inputs[0];
    int64_t begin[MAX_RANK] = {0}, end[MAX_RANK] = {0}, *map[MAX_RANK];
    TRY(read_pads(e, begin, end));
    for (int i = 0; i < x->shape.rank; i++)
        TRY(pad_map(e, x->shape.dim[i], begin[i], end[i], pad_mode(e->node), &map[i]));
    uint64_t zero = 0; // of any dtype
    const Tensor none = {.dtype = x->dtype, .data = &zero};
    const Tensor *const value = input_or_null(e, 2);
    copy_mapped(&e->outputs[0], x, map, value && tensor_count(value) > 0 ? value : &none);
    return ST_OK;
}
