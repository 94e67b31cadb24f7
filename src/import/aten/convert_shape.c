// Operators that change the shape of a tensor, or the order of its dims.
#include "import/aten/convert.h"
#include <string.h>

static ValueId self_of(const Call *call) { return call->args[0].value; }

// ---- views

Status aten_convert_view(Call *call) {
    const AtenValue *items = call->args[1].kind == ATEN_LIST ? call->args[1].items : &call->args[1];
    const int count = call->args[1].kind == ATEN_LIST ? call->args[1].count : 1;
    ValueId out;
    for (int i = 0; i < count; i++)
        FAIL_IF(items[i].kind == ATEN_INT && items[i].i < -1, ST_BAD, "expected sizes from -1, got %lld",
                (long long)items[i].i);
    TRY(aten_reshape(call, self_of(call), items, count, &out));
    return aten_give(call, out);
}

Status aten_convert_view_as(Call *call) {
    AtenValue dims[MAX_RANK];
    ValueId out;
    int rank;
    TRY(aten_dims(call, call->args[1].value, dims, &rank));
    TRY(aten_reshape(call, self_of(call), dims, rank, &out));
    return aten_give(call, out);
}

Status aten_convert_flatten(Call *call) {
    AtenValue dims[MAX_RANK], shape[MAX_RANK];
    ValueId out;
    int rank, from, to, count = 0;
    TRY(aten_dims(call, self_of(call), dims, &rank));
    TRY(aten_arg_axis(call, "start_dim", rank, &from));
    TRY(aten_arg_axis(call, "end_dim", rank, &to));
    FAIL_IF(from > to, ST_BAD, "expected a start_dim up to the end_dim, got %d and %d", from, to);
    if (from == to && rank > 0) return aten_give(call, self_of(call));
    for (int i = 0; i < from; i++) shape[count++] = dims[i];
    shape[count++] = aten_int(-1);
    for (int i = to + 1; i < rank; i++) shape[count++] = dims[i];
    TRY(aten_reshape(call, self_of(call), shape, count, &out));
    return aten_give(call, out);
}

Status aten_convert_unflatten(Call *call) {
    AtenValue dims[MAX_RANK], shape[MAX_RANK];
    const AtenValue *sizes;
    ValueId out;
    int rank, at, n, count = 0;
    TRY(aten_dims(call, self_of(call), dims, &rank));
    TRY(aten_arg_axis(call, "dim", rank, &at));
    TRY(aten_arg_items(call, "sizes", &sizes, &n));
    FAIL_IF(n < 1 || rank - 1 + n > MAX_RANK, ST_UNSUPPORTED, "of %d dims", rank - 1 + n);
    for (int i = 0; i < at; i++) shape[count++] = dims[i];
    for (int i = 0; i < n; i++) shape[count++] = sizes[i];
    for (int i = at + 1; i < rank; i++) shape[count++] = dims[i];
    TRY(aten_reshape(call, self_of(call), shape, count, &out));
    return aten_give(call, out);
}

// ---- order

static Status give_permuted(Call *call, const int *perm, int rank) {
    const ValueId x = self_of(call);
    ValueId out;
    const bool is_matrix = rank == 2 && perm[0] == 1 && emit_constant(&call->emit, x);
    TRY(is_matrix ? aten_transpose_last(call, x, &out) : aten_permute(call, x, perm, &out));
    return aten_give(call, out);
}

Status aten_convert_permute(Call *call) {
    int64_t axes[MAX_RANK];
    int perm[MAX_RANK], rank, count;
    TRY(aten_rank(call, self_of(call), &rank));
    TRY(aten_arg_axes(call, "dims", rank, axes, &count));
    FAIL_IF(count != rank, ST_BAD, "argument 'dims': expected %d numbers, got %d", rank, count);
    for (int i = 0; i < rank; i++) perm[i] = (int)axes[i];
    return give_permuted(call, perm, rank);
}

static Status exchange(Call *call, int a, int b, int rank) {
    int perm[MAX_RANK];
    for (int i = 0; i < rank; i++) perm[i] = i;
    perm[a] = b;
    perm[b] = a;
    return rank == 0 ? aten_give(call, self_of(call)) : give_permuted(call, perm, rank);
}

Status aten_convert_transpose(Call *call) { // swapaxes, swapdims too
    int64_t axes[2];
    int at[2], rank;
    TRY(aten_rank(call, self_of(call), &rank));
    for (int i = 0; i < 2; i++) {
        FAIL_IF(!aten_known_int(call->aten, &call->args[1 + i], &axes[i]), ST_UNSUPPORTED,
                "dims that are known in a run only");
        TRY(aten_axis(axes[i], rank, &at[i]));
    }
    return exchange(call, at[0], at[1], rank);
}

Status aten_convert_t(Call *call) {
    int rank;
    TRY(aten_rank(call, self_of(call), &rank));
    FAIL_IF(rank > 2, ST_BAD, "expected at most 2 dims, got %d", rank);
    return rank < 2 ? aten_give(call, self_of(call)) : exchange(call, 0, 1, rank);
}

Status aten_convert_mt(Call *call) {
    int rank;
    TRY(aten_rank(call, self_of(call), &rank));
    FAIL_IF(rank < 2, ST_BAD, "expected at least 2 dims, got %d", rank);
    return exchange(call, rank - 2, rank - 1, rank);
}

Status aten_convert_reverse_dims(Call *call) { // numpy_T
    int perm[MAX_RANK], rank;
    TRY(aten_rank(call, self_of(call), &rank));
    for (int i = 0; i < rank; i++) perm[i] = rank - 1 - i;
    return give_permuted(call, perm, rank);
}

// The dims that move go to their places, the others fill what is left in order.
Status aten_convert_movedim(Call *call) {
    int64_t from[MAX_RANK], to[MAX_RANK];
    int perm[MAX_RANK], rank, count, to_count;
    bool moves[MAX_RANK] = {false};
    TRY(aten_rank(call, self_of(call), &rank));
    TRY(aten_arg_axes(call, "source", rank, from, &count));
    TRY(aten_arg_axes(call, "destination", rank, to, &to_count));
    FAIL_IF(count != to_count, ST_BAD, "expected as many destinations as sources, got %d and %d", to_count, count);
    for (int i = 0; i < rank; i++) perm[i] = -1;
    for (int i = 0; i < count; i++) {
        perm[to[i]] = (int)from[i];
        moves[from[i]] = true;
    }
    for (int i = 0, next = 0; i < rank; i++) {
        if (perm[i] >= 0) continue;
        while (moves[next]) next++;
        perm[i] = next++;
    }
    return give_permuted(call, perm, rank);
}

// ---- dims of 1

// Dims that are not 1 stay; of which that is not known the shape of the output is not.
Status aten_convert_squeeze(Call *call) {
    int64_t axes[MAX_RANK], ones[MAX_RANK];
    int rank, count, n = 0;
    ValueId in[2] = {self_of(call)};
    AtenValue dim;
    TRY(aten_rank(call, in[0], &rank));
    const bool all = call->n_parameters == 1;
    if (all) count = rank;
    else TRY(aten_arg_axes(call, "dim", rank, axes, &count));
    for (int i = 0; i < count && rank > 0; i++) {
        const int axis = all ? i : (int)axes[i];
        int64_t known = aten_type(call, in[0])->dim[axis];
        if (known < 0) {
            TRY(aten_dim(call, in[0], axis, &dim));
            if (!aten_known_int(call->aten, &dim, &known)) return aten_not_known(call, &dim, "size");
        }
        if (known == 1) ones[n++] = axis;
    }
    if (n == 0) return aten_give(call, in[0]);
    TRY(aten_ints(call, ones, n, &in[1]));
    return aten_give_node(call, OP_Squeeze, in, 2, NO_ATTRS);
}

Status aten_convert_unsqueeze(Call *call) {
    int rank, axis;
    ValueId axes;
    TRY(aten_rank(call, self_of(call), &rank));
    TRY(aten_arg_axis(call, "dim", rank + 1, &axis));
    const int64_t at = axis;
    TRY(aten_ints(call, &at, 1, &axes));
    return aten_give_two(call, OP_Unsqueeze, self_of(call), axes);
}

// ---- repetition

// -1 keeps the dim, which is what 1 says to ours.
Status aten_convert_expand(Call *call) {
    AtenValue items[MAX_RANK];
    const AtenValue *sizes;
    int count, rank;
    ValueId out;
    TRY(aten_rank(call, self_of(call), &rank));
    TRY(aten_arg_items(call, "size", &sizes, &count));
    FAIL_IF(count > MAX_RANK, ST_UNSUPPORTED, "expected at most %d dims, got %d", MAX_RANK, count);
    FAIL_IF(count < rank, ST_BAD, "argument 'size': expected at least %d numbers, got %d", rank, count);
    for (int i = 0; i < count; i++) {
        const bool keeps = sizes[i].kind == ATEN_INT && sizes[i].i == -1;
        FAIL_IF(keeps && i < count - rank, ST_BAD, "argument 'size': -1 keeps dim %d, which the tensor has not", i);
        const int64_t dim = i < count - rank ? 1 : aten_type(call, self_of(call))->dim[i - (count - rank)];
        FAIL_IF(!keeps && sizes[i].kind == ATEN_INT && dim > 1 && sizes[i].i != dim, ST_BAD,
                "argument 'size': expected %lld in dim %d, got %lld", (long long)dim, i, (long long)sizes[i].i);
        items[i] = keeps ? aten_int(1) : sizes[i];
    }
    TRY(aten_expand(call, self_of(call), items, count, &out));
    return aten_give(call, out);
}

Status aten_convert_expand_as(Call *call) {
    AtenValue dims[MAX_RANK];
    ValueId out;
    int rank;
    TRY(aten_dims(call, call->args[1].value, dims, &rank));
    TRY(aten_expand(call, self_of(call), dims, rank, &out));
    return aten_give(call, out);
}

// repeat and tile: of two lists of different lengths the shorter one gets ones in front.
Status aten_convert_repeat(Call *call) {
    const bool tile = strcmp(call->source->op, "aten::tile") == 0;
    AtenValue times[MAX_RANK];
    const AtenValue *items;
    int64_t front[MAX_RANK];
    int count, rank;
    ValueId x = self_of(call), list;
    TRY(aten_rank(call, x, &rank));
    TRY(aten_arg_items(call, tile ? "dims" : "repeats", &items, &count));
    FAIL_IF(count > MAX_RANK, ST_UNSUPPORTED, "expected at most %d dims, got %d", MAX_RANK, count);
    FAIL_IF(count < rank && !tile, ST_BAD, "argument 'repeats': expected at least %d numbers, got %d", rank, count);
    const int more = MAX(rank - count, 0);
    for (int i = 0; i < more; i++) times[i] = aten_int(1);
    for (int i = 0; i < count; i++) times[more + i] = items[i];
    for (int i = 0; i < count - rank; i++) front[i] = i;
    if (count > rank) {
        TRY(aten_ints(call, front, count - rank, &list));
        TRY(aten_two(call, OP_Unsqueeze, x, list, &x));
    }
    TRY(aten_list_value(call, times, count + more, &list));
    return aten_give_two(call, OP_Tile, x, list);
}

// Each element `repeats` times, one after the other: a dim behind it, expanded and folded in.
Status aten_convert_repeat_interleave(Call *call) {
    AtenValue dims[MAX_RANK + 1], shape[MAX_RANK];
    ValueId x = self_of(call);
    int64_t repeats;
    int rank, axis = 0;
    TRY(aten_arg_int(call, "repeats", &repeats));
    FAIL_IF(repeats < 0, ST_BAD, "argument 'repeats': expected at least 0, got %lld", (long long)repeats);
    if (aten_arg_is(call, "dim", ATEN_NONE)) TRY(aten_reshape_ints(call, x, (const int64_t[]){-1}, 1, &x));
    TRY(aten_rank(call, x, &rank));
    FAIL_IF(rank == 0 || rank >= MAX_RANK, ST_UNSUPPORTED, "of %d dims", rank);
    if (!aten_arg_is(call, "dim", ATEN_NONE)) TRY(aten_arg_axis(call, "dim", rank, &axis));
    for (int i = 0; i <= rank; i++) dims[i] = aten_int(1);
    dims[axis + 1] = aten_int(repeats);
    TRY(aten_dims(call, x, shape, &rank));
    shape[axis] = aten_int(-1);
    TRY(aten_unsqueeze(call, x, axis + 1, &x));
    TRY(aten_expand(call, x, dims, rank + 1, &x));
    TRY(aten_reshape(call, x, shape, rank, &x));
    return aten_give(call, x);
}

// ---- pixels and channels

// The channels that hold r x r pixels, and the other way round, over (..., c, h, w): seen as (..., c, r, r, h, w).
typedef struct Shuffle {
    int64_t factor, c, h, w;
    int rank;
    AtenValue dims[MAX_RANK];
} Shuffle;

static Status read_shuffle(Call *call, const char *factor, Shuffle *out) {
    TRY(aten_arg_int(call, factor, &out->factor));
    TRY(aten_dims(call, self_of(call), out->dims, &out->rank));
    FAIL_IF(out->factor < 1 || out->factor > 4096, ST_BAD, "argument '%s': expected 1 to 4096, got %lld", factor,
            (long long)out->factor);
    FAIL_IF(out->rank < 3, ST_BAD, "expected at least 3 dims, got %d", out->rank);
    FAIL_IF(out->rank + 2 > MAX_RANK, ST_UNSUPPORTED, "of %d dims", out->rank);
    return ST_OK;
}

// A dim divided by the factor; unknown ones stay for the reshape to find.
static Status divided(Call *call, const AtenValue *dim, int64_t by, AtenValue *out) {
    const AtenValue divisor = aten_int(by);
    FAIL_IF(dim->kind == ATEN_INT && dim->i % by, ST_BAD, "expected a size that is a multiple of %lld, got %lld",
            (long long)by, (long long)dim->i);
    return aten_number_binary(call, "floordiv", dim, &divisor, out);
}

static Status multiplied(Call *call, const AtenValue *dim, int64_t by, AtenValue *out) {
    const AtenValue factor = aten_int(by);
    return aten_number_binary(call, "mul", dim, &factor, out);
}

Status aten_convert_pixel_shuffle(Call *call) {
    Shuffle s;
    AtenValue wide[MAX_RANK], shape[MAX_RANK];
    int perm[MAX_RANK];
    ValueId x = self_of(call);
    TRY(read_shuffle(call, "upscale_factor", &s));
    const int n = s.rank - 3; // dims in front
    if (n == 1)
        return aten_give_node(call, OP_DepthToSpace, &x, 1,
                              ATTRS(ATTR_I("blocksize", s.factor), ATTR_S("mode", "CRD")));
    for (int i = 0; i < n; i++) wide[i] = shape[i] = s.dims[i], perm[i] = i;
    TRY(divided(call, &s.dims[n], s.factor * s.factor, &wide[n]));
    wide[n + 1] = wide[n + 2] = aten_int(s.factor);
    wide[n + 3] = s.dims[n + 1];
    wide[n + 4] = s.dims[n + 2];
    static const int inner[] = {0, 3, 1, 4, 2}; // c, h, r, w, r
    for (int i = 0; i < 5; i++) perm[n + i] = n + inner[i];
    shape[n] = wide[n];
    TRY(multiplied(call, &s.dims[n + 1], s.factor, &shape[n + 1]));
    TRY(multiplied(call, &s.dims[n + 2], s.factor, &shape[n + 2]));
    TRY(aten_reshape(call, x, wide, n + 5, &x));
    TRY(aten_permute(call, x, perm, &x));
    TRY(aten_reshape(call, x, shape, s.rank, &x));
    return aten_give(call, x);
}

Status aten_convert_pixel_unshuffle(Call *call) {
    Shuffle s;
    AtenValue wide[MAX_RANK], shape[MAX_RANK];
    int perm[MAX_RANK];
    ValueId x = self_of(call);
    TRY(read_shuffle(call, "downscale_factor", &s));
    const int n = s.rank - 3;
    for (int i = 0; i < n; i++) wide[i] = shape[i] = s.dims[i], perm[i] = i;
    wide[n] = s.dims[n];
    TRY(divided(call, &s.dims[n + 1], s.factor, &wide[n + 1]));
    TRY(divided(call, &s.dims[n + 2], s.factor, &wide[n + 3]));
    wide[n + 2] = wide[n + 4] = aten_int(s.factor);
    static const int inner[] = {0, 2, 4, 1, 3}; // c, r, r, h, w
    for (int i = 0; i < 5; i++) perm[n + i] = n + inner[i];
    TRY(multiplied(call, &s.dims[n], s.factor * s.factor, &shape[n]));
    shape[n + 1] = wide[n + 1];
    shape[n + 2] = wide[n + 3];
    TRY(aten_reshape(call, x, wide, n + 5, &x));
    TRY(aten_permute(call, x, perm, &x));
    TRY(aten_reshape(call, x, shape, s.rank, &x));
    return aten_give(call, x);
}

// Channels as (groups, c / groups), exchanged.
Status aten_convert_channel_shuffle(Call *call) {
    AtenValue dims[MAX_RANK], wide[MAX_RANK];
    int perm[MAX_RANK], rank;
    int64_t groups;
    ValueId x = self_of(call);
    TRY(aten_arg_int(call, "groups", &groups));
    TRY(aten_dims(call, x, dims, &rank));
    FAIL_IF(rank < 3 || rank >= MAX_RANK, ST_BAD, "expected 3 to %d dims, got %d", MAX_RANK - 1, rank);
    FAIL_IF(groups < 1, ST_BAD, "argument 'groups': expected at least 1, got %lld", (long long)groups);
    for (int i = 0; i <= rank; i++) {
        wide[i] = i == 0 ? dims[0] : i > 2 ? dims[i - 1] : aten_int(groups);
        perm[i] = i == 1 ? 2 : i == 2 ? 1 : i;
    }
    TRY(divided(call, &dims[1], groups, &wide[2]));
    TRY(aten_reshape(call, x, wide, rank + 1, &x));
    TRY(aten_permute(call, x, perm, &x));
    TRY(aten_reshape(call, x, dims, rank, &x));
    return aten_give(call, x);
}
