// StridedSlice: Python's x[begin:end:stride, ..., newaxis, index]. An entry of the lists is a range of a dim, an index
// that takes its dim away, a new dim, or an ellipsis for the dims that no entry names; masks tell which
// (tensorflow/core/ops/array_ops.cc).
//
//     Slice (ranges, and indices as ranges of one) -> Squeeze (indices) -> Unsqueeze (new dims)
#include "import/limits.h"
#include "import/tensorflow/convert.h"

enum { MOST = 2 * MAX_RANK };

typedef struct Strided {
    int64_t begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_mask;
    int count; // of entries
    int64_t begin[MOST], end[MOST], stride[MOST];
    bool begin_known, end_known;
    ValueId begins, ends; // int64 lists, where they are not known
    // Ranges, one a dim of x:
    int n_ranges, entry[MAX_RANK];
    int64_t axis[MAX_RANK], start[MAX_RANK], stop[MAX_RANK], step[MAX_RANK];
    bool start_told[MAX_RANK], stop_told[MAX_RANK]; // not by the entry itself: masks
    int n_squeezed, n_fresh;
    int64_t squeezed[MAX_RANK], fresh[MAX_RANK]; // dims of x; dims of the result
} Strided;

static bool has_bit(int64_t mask, int i) { return i < 63 && (mask >> i & 1); }

static Status read_list(Call *call, int input, int64_t *values, int *count, bool *known, ValueId *list) {
    TRY(tf_call_input(call, input, list));
    *known = tf_call_is_known(call, input);
    if (*known) return tf_call_known_ints(call, input, "bounds", MOST, values, count);
    const Type *type = tf_call_type(call, input);
    FAIL_IF(type->rank != 1 || type->dim[0] < 0, ST_UNSUPPORTED, "bounds of a number that is not known");
    FAIL_IF(type->dim[0] > MOST, ST_BAD, "expected at most %d bounds, got %lld", MOST, (long long)type->dim[0]);
    *count = (int)type->dim[0];
    return tf_call_int64(call, *list, true, list);
}

static Status read_strided(Call *call, Strided *s) {
    int ends, strides;
    *s = (Strided){0};
    TRY(tf_call_expect(call, 4, 4));
    TRY(tf_call_attr_int(call, "begin_mask", 0, &s->begin_mask));
    TRY(tf_call_attr_int(call, "end_mask", 0, &s->end_mask));
    TRY(tf_call_attr_int(call, "ellipsis_mask", 0, &s->ellipsis_mask));
    TRY(tf_call_attr_int(call, "new_axis_mask", 0, &s->new_axis_mask));
    TRY(tf_call_attr_int(call, "shrink_axis_mask", 0, &s->shrink_mask));
    TRY(read_list(call, 1, s->begin, &s->count, &s->begin_known, &s->begins));
    TRY(read_list(call, 2, s->end, &ends, &s->end_known, &s->ends));
    TRY(tf_call_known_ints(call, 3, "strides", MOST, s->stride, &strides));
    FAIL_IF(ends != s->count || strides != s->count, ST_BAD,
            "expected as many ends and strides as beginnings (%d), got %d and %d", s->count, ends, strides);
    return ST_OK;
}

static Status add_range(Strided *s, int entry, int axis, bool shrink) {
    FAIL_IF(s->n_ranges == MAX_RANK, ST_UNSUPPORTED, "more than %d dims", MAX_RANK);
    const int at = s->n_ranges++;
    const bool down = s->stride[entry] < 0;
    FAIL_IF(s->stride[entry] == 0, ST_BAD, "expected strides other than 0");
    s->entry[at] = entry;
    s->axis[at] = axis;
    s->step[at] = shrink ? 1 : s->stride[entry];
    s->start[at] = s->begin[entry];
    s->stop[at] = s->end[entry];
    s->start_told[at] = s->begin_known;
    s->stop_told[at] = s->end_known;
    if (!shrink && has_bit(s->begin_mask, entry)) s->start[at] = down ? INT64_MAX : 0, s->start_told[at] = true;
    if (!shrink && has_bit(s->end_mask, entry)) s->stop[at] = down ? INT64_MIN : INT64_MAX, s->stop_told[at] = true;
    if (!shrink) return ST_OK;
    FAIL_IF(!s->begin_known, ST_UNSUPPORTED, "an index that is not known before a run");
    // The last element's range has no end that could be told from the front.
    s->stop[at] = s->start[at] == -1 || s->start[at] == INT64_MAX ? INT64_MAX : s->start[at] + 1;
    s->stop_told[at] = true;
    s->squeezed[s->n_squeezed++] = axis;
    return ST_OK;
}

// Dims of x that an entry takes.
static int taken_dims(const Strided *s) {
    int count = 0;
    for (int i = 0; i < s->count; i++) count += !has_bit(s->new_axis_mask, i) && !has_bit(s->ellipsis_mask, i);
    return count;
}

static Status walk_entries(Strided *s, int rank) {
    int axis = 0, out = 0;
    bool ellipsis = false;
    const int taken = taken_dims(s);
    FAIL_IF(rank >= 0 && taken > rank, ST_BAD, "expected at most %d ranges, got %d", rank, taken);
    for (int i = 0; i < s->count; i++) {
        if (has_bit(s->ellipsis_mask, i)) {
            FAIL_IF(ellipsis, ST_BAD, "expected one ellipsis, got several");
            FAIL_IF(rank < 0, ST_UNSUPPORTED, "a value of a rank that is not known");
            ellipsis = true;
            axis += rank - taken;
            out += rank - taken;
        } else if (has_bit(s->new_axis_mask, i)) {
            FAIL_IF(s->n_fresh == MAX_RANK, ST_UNSUPPORTED, "more than %d dims", MAX_RANK);
            s->fresh[s->n_fresh++] = out++;
        } else {
            const bool shrink = has_bit(s->shrink_mask, i);
            TRY(add_range(s, i, axis++, shrink));
            out += !shrink;
        }
    }
    return ST_OK;
}

// One bound of each range as a list; what the entries tell only in a run is picked out of their list.
static Status bound_list(Call *call, const Strided *s, const int64_t *values, const bool *told, ValueId list,
                         const char *suffix, ValueId *out) {
    ValueId parts[MAX_RANK], index;
    bool all = true;
    for (int i = 0; i < s->n_ranges; i++) all = all && told[i];
    if (all) return emit_ints(&call->emit, suffix, values, s->n_ranges, out);
    for (int i = 0; i < s->n_ranges; i++) {
        const int64_t entry = s->entry[i];
        TRY(emit_ints(&call->emit, "bound", told[i] ? &values[i] : &entry, 1, &parts[i]));
        if (told[i]) continue;
        index = parts[i];
        TRY(emit_node(&call->emit, OP_Gather, "bound", (const ValueId[]){list, index}, 2, ATTRS(ATTR_I("axis", 0)),
                      &parts[i]));
    }
    return emit_node(&call->emit, OP_Concat, suffix, parts, s->n_ranges, ATTRS(ATTR_I("axis", 0)), out);
}

static bool is_whole(const Strided *s, int i) {
    return s->start_told[i] && s->stop_told[i] && s->start[i] == 0 && s->stop[i] == INT64_MAX && s->step[i] == 1;
}

// Ranges that are whole dims are left out.
static void drop_whole(Strided *s) {
    int kept = 0;
    for (int i = 0; i < s->n_ranges; i++) {
        if (is_whole(s, i)) continue;
        s->entry[kept] = s->entry[i];
        s->axis[kept] = s->axis[i];
        s->start[kept] = s->start[i];
        s->stop[kept] = s->stop[i];
        s->step[kept] = s->step[i];
        s->start_told[kept] = s->start_told[i];
        s->stop_told[kept++] = s->stop_told[i];
    }
    s->n_ranges = kept;
}

static Status emit_ranges(Call *call, const Strided *s, ValueId x, ValueId *out) {
    ValueId in[5] = {x};
    *out = x;
    if (s->n_ranges == 0) return ST_OK;
    TRY(bound_list(call, s, s->start, s->start_told, s->begins, "starts", &in[1]));
    TRY(bound_list(call, s, s->stop, s->stop_told, s->ends, "ends", &in[2]));
    TRY(emit_ints(&call->emit, "axes", s->axis, s->n_ranges, &in[3]));
    TRY(emit_ints(&call->emit, "steps", s->step, s->n_ranges, &in[4]));
    return emit_node(&call->emit, OP_Slice, "slice", in, 5, NO_ATTRS, out);
}

// x[index] of a list, which may be computed: an element of a shape, mostly.
static Status give_element(Call *call, const Strided *s, ValueId x) {
    ValueId index, out;
    if (s->begin_known) TRY(emit_scalar(&call->emit, "index", DT_I64, (double)s->begin[0], &index));
    else TRY(emit_reshape(&call->emit, "index", s->begins, NULL, 0, &index));
    TRY(emit_node(&call->emit, OP_Gather, "", (const ValueId[]){x, index}, 2, ATTRS(ATTR_I("axis", 0)), &out));
    return tf_call_give(call, out);
}

Status tf_convert_strided_slice(Call *call) {
    Strided s;
    ValueId x, axes;
    TRY(read_strided(call, &s));
    TRY(tf_call_input(call, 0, &x));
    const int rank = tf_call_type(call, 0)->rank;
    if (rank == 1 && s.count == 1 && has_bit(s.shrink_mask, 0) && !has_bit(s.new_axis_mask, 0) &&
        !has_bit(s.ellipsis_mask, 0))
        return give_element(call, &s, x);
    TRY(walk_entries(&s, rank));
    drop_whole(&s);
    TRY(emit_ranges(call, &s, x, &x));
    if (s.n_squeezed) {
        TRY(emit_ints(&call->emit, "squeezed", s.squeezed, s.n_squeezed, &axes));
        TRY(emit_binary(&call->emit, OP_Squeeze, "squeeze", x, axes, &x));
    }
    if (s.n_fresh) {
        TRY(emit_ints(&call->emit, "fresh", s.fresh, s.n_fresh, &axes));
        TRY(emit_binary(&call->emit, OP_Unsqueeze, "expand", x, axes, &x));
    }
    return tf_call_give(call, x);
}
