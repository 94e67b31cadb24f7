// SLICE and STRIDED_SLICE. Source for the masks: tensorflow.org/api_docs/python/tf/strided_slice.
#include "import/tflite/convert.h"

// What is cut, and what becomes of the dims behind it.
typedef struct Cuts {
    int64_t starts[MAX_RANK], ends[MAX_RANK], axes[MAX_RANK], steps[MAX_RANK];
    int count;
    int64_t drop[MAX_RANK]; // dims of the cut value that go
    int n_drop;
    int64_t add[MAX_RANK]; // dims of 1 of the result that come
    int n_add;
} Cuts;

static void add_cut(Cuts *cuts, int64_t axis, int64_t start, int64_t end, int64_t step) {
    const int i = cuts->count++;
    cuts->axes[i] = axis;
    cuts->starts[i] = start;
    cuts->ends[i] = end;
    cuts->steps[i] = step;
}

static Status give_cut(Call *call, ValueId x, const Cuts *cuts) {
    ValueId inputs[5] = {x}, list;
    if (cuts->count > 0) {
        TRY(emit_ints(&call->emit, "starts", cuts->starts, cuts->count, &inputs[1]));
        TRY(emit_ints(&call->emit, "ends", cuts->ends, cuts->count, &inputs[2]));
        TRY(emit_ints(&call->emit, "axes", cuts->axes, cuts->count, &inputs[3]));
        TRY(emit_ints(&call->emit, "steps", cuts->steps, cuts->count, &inputs[4]));
        TRY(emit_node(&call->emit, OP_Slice, "slice", inputs, 5, NO_ATTRS, &x));
    }
    if (cuts->n_drop > 0) {
        TRY(emit_ints(&call->emit, "dropped", cuts->drop, cuts->n_drop, &list));
        TRY(emit_binary(&call->emit, OP_Squeeze, "slice", x, list, &x));
    }
    if (cuts->n_add > 0) {
        TRY(emit_ints(&call->emit, "added", cuts->add, cuts->n_add, &list));
        TRY(emit_binary(&call->emit, OP_Unsqueeze, "slice", x, list, &x));
    }
    return tfl_call_give(call, 0, x);
}

Status tfl_convert_slice(Call *call) {
    int64_t begin[MAX_RANK], size[MAX_RANK];
    int rank, n_begin, n_size;
    Cuts cuts = {0};
    ValueId x;
    TRY(tfl_call_rank(call, 0, &rank));
    TRY(tfl_call_value(call, 0, &x));
    TRY(tfl_call_ints(call, 1, MAX_RANK, begin, &n_begin));
    TRY(tfl_call_ints(call, 2, MAX_RANK, size, &n_size));
    FAIL_IF(n_begin != rank || n_size != rank, ST_BAD, "expected %d begins and sizes, got %d and %d", rank, n_begin,
            n_size);
    for (int i = 0; i < rank; i++) {
        int64_t end = INT64_MAX;
        FAIL_IF(begin[i] < 0 || size[i] < -1, ST_BAD, "expected begins from 0 and sizes from -1, got %lld and %lld",
                (long long)begin[i], (long long)size[i]);
        FAIL_IF(size[i] >= 0 && !add_i64(begin[i], size[i], &end), ST_BAD, "expected a slice inside of the input");
        if (begin[i] > 0 || size[i] >= 0) add_cut(&cuts, i, begin[i], end, 1);
    }
    return give_cut(call, x, &cuts);
}

// ---- STRIDED_SLICE

typedef struct Strided {
    int64_t begin[MAX_RANK], end[MAX_RANK], stride[MAX_RANK];
    int count; // of entries: one a dim, but for the ellipsis and for new axes
    int begin_mask, end_mask, ellipsis, new_axis, shrink;
    bool offset; // the end counts from the begin
} Strided;

static Status read_strided(Call *call, Strided *out) {
    int n_end, n_stride;
    TRY(tfl_call_ints(call, 1, MAX_RANK, out->begin, &out->count));
    TRY(tfl_call_ints(call, 2, MAX_RANK, out->end, &n_end));
    TRY(tfl_call_ints(call, 3, MAX_RANK, out->stride, &n_stride));
    FAIL_IF(n_end != out->count || n_stride != out->count, ST_BAD,
            "expected as many begins as ends and strides, got %d, %d and %d", out->count, n_end, n_stride);
    out->begin_mask = fb_int32(call->options, 0, 0);
    out->end_mask = fb_int32(call->options, 1, 0);
    out->ellipsis = fb_int32(call->options, 2, 0);
    out->new_axis = fb_int32(call->options, 3, 0);
    out->shrink = fb_int32(call->options, 4, 0);
    out->offset = fb_uint8(call->options, 5, 0) != 0;
    return call->options.buffer->status;
}

static bool has_bit(int mask, int i) { return (unsigned)mask >> i & 1; }

// One dim of the input.
static Status cut_axis(const Strided *from, int i, int axis, Cuts *cuts) {
    const int64_t begin = from->begin[i], step = from->stride[i];
    int64_t end = from->end[i];
    FAIL_IF(step == 0, ST_BAD, "expected strides other than 0, got 0");
    if (has_bit(from->shrink, i)) {
        FAIL_IF(begin == INT64_MAX, ST_BAD, "expected an index, got %lld", (long long)begin);
        add_cut(cuts, axis, begin, begin == -1 ? INT64_MAX : begin + 1, 1);
        cuts->drop[cuts->n_drop++] = axis;
        return ST_OK;
    }
    if (from->offset) FAIL_IF(!add_i64(begin, end, &end), ST_BAD, "expected ends that can be, got too large ones");
    const bool whole = has_bit(from->begin_mask, i) && has_bit(from->end_mask, i) && step == 1;
    if (whole) return ST_OK;
    add_cut(cuts, axis, has_bit(from->begin_mask, i) ? (step > 0 ? 0 : INT64_MAX) : begin,
            has_bit(from->end_mask, i) ? (step > 0 ? INT64_MAX : INT64_MIN) : end, step);
    return ST_OK;
}

// Entries in order; the ellipsis stands for the dims that the others leave.
static Status read_cuts(const Strided *from, int rank, Cuts *cuts) {
    int taken = 0, axis = 0, result = 0;
    bool seen = false;
    for (int i = 0; i < from->count; i++) taken += !has_bit(from->ellipsis, i) && !has_bit(from->new_axis, i);
    FAIL_IF(taken > rank, ST_BAD, "expected at most %d entries for the dims, got %d", rank, taken);
    for (int i = 0; i < from->count; i++) {
        if (has_bit(from->ellipsis, i)) {
            FAIL_IF(seen, ST_BAD, "expected one ellipsis, got more");
            seen = true;
            axis += rank - taken;
            result += rank - taken;
        } else if (has_bit(from->new_axis, i)) {
            cuts->add[cuts->n_add++] = result++;
        } else {
            TRY(cut_axis(from, i, axis++, cuts));
            result += !has_bit(from->shrink, i);
        }
    }
    return ST_OK;
}

Status tfl_convert_strided_slice(Call *call) {
    Strided strided;
    Cuts cuts = {0};
    ValueId x;
    int rank;
    TRY(tfl_call_rank(call, 0, &rank));
    TRY(tfl_call_value(call, 0, &x));
    TRY(read_strided(call, &strided));
    TRY(read_cuts(&strided, rank, &cuts));
    return give_cut(call, x, &cuts);
}
