// Normalisations. Where weights are left out ours get ones and zeros.
#include "import/aten/convert.h"
#include <float.h>

static Status weight_or(Call *call, const char *name, ValueId x, double otherwise, ValueId *out) {
    if (!aten_arg_is(call, name, ATEN_NONE)) return aten_arg_tensor(call, name, out);
    return aten_channels_filled(call, x, otherwise, out);
}

// (c) as (c, 1, 1 ...), which broadcasts over x.
static Status along_channels(Call *call, int rank, ValueId value, ValueId *out) {
    int64_t shape[MAX_RANK] = {-1};
    for (int i = 1; i < rank - 1; i++) shape[i] = 1;
    return aten_reshape_ints(call, value, shape, rank - 1, out);
}

// ---- over the batch

static Status running_norm(Call *call, ValueId x, double eps, ValueId *out) {
    ValueId in[5] = {x};
    TRY(weight_or(call, "weight", x, 1, &in[1]));
    TRY(weight_or(call, "bias", x, 0, &in[2]));
    TRY(aten_arg_tensor(call, "running_mean", &in[3]));
    TRY(aten_arg_tensor(call, "running_var", &in[4]));
    return emit_node(&call->emit, OP_BatchNormalization, "", in, 5, ATTRS(ATTR_F("epsilon", eps)), out);
}

static Status instance_norm(Call *call, ValueId x, double eps, ValueId *out) {
    ValueId in[3] = {x};
    TRY(weight_or(call, "weight", x, 1, &in[1]));
    TRY(weight_or(call, "bias", x, 0, &in[2]));
    return emit_node(&call->emit, OP_InstanceNormalization, "", in, 3, ATTRS(ATTR_F("epsilon", eps)), out);
}

// By the statistics of x itself: over a batch of one that is a normalisation of instances.
static Status own_norm(Call *call, ValueId x, double eps, ValueId *out) {
    int64_t axes[MAX_RANK];
    ValueId mean, centred, square, variance, tiny, root, weight, bias, y;
    int rank, count = 0;
    TRY(aten_rank(call, x, &rank));
    FAIL_IF(rank < 2, ST_BAD, "expected an input with channels, got one of %d dims", rank);
    if (rank > 2 && aten_type(call, x)->dim[0] == 1) return instance_norm(call, x, eps, out);
    for (int i = 0; i < rank; i++)
        if (i != 1) axes[count++] = i;
    TRY(aten_over(call, OP_ReduceMean, x, axes, count, true, &mean));
    TRY(aten_two(call, OP_Sub, x, mean, &centred));
    TRY(aten_two(call, OP_Mul, centred, centred, &square));
    TRY(aten_over(call, OP_ReduceMean, square, axes, count, true, &variance));
    TRY(aten_scalar_like(call, x, eps, &tiny));
    TRY(aten_two(call, OP_Add, variance, tiny, &variance));
    TRY(aten_one(call, OP_Sqrt, variance, &root));
    TRY(aten_two(call, OP_Div, centred, root, &y));
    TRY(weight_or(call, "weight", x, 1, &weight));
    TRY(weight_or(call, "bias", x, 0, &bias));
    TRY(along_channels(call, rank, weight, &weight));
    TRY(along_channels(call, rank, bias, &bias));
    TRY(aten_two(call, OP_Mul, y, weight, &y));
    return emit_binary(&call->emit, OP_Add, "", y, bias, out);
}

static Status give_statistics(Call *call, int count) {
    for (int i = 0; i < count; i++) TRY(aten_give_lacking(call, "statistics of a normalisation"));
    return ST_OK;
}

// batch_norm, native_batch_norm and those like them: with running statistics, or, in training, with its own.
Status aten_convert_batch_norm(Call *call) {
    ValueId x, y;
    double eps;
    bool training;
    TRY(aten_arg_tensor(call, "input", &x));
    TRY(aten_arg_float(call, "eps", &eps));
    TRY(aten_arg_bool(call, "training", &training));
    const bool has = !aten_arg_is(call, "running_mean", ATEN_NONE) && !aten_arg_is(call, "running_var", ATEN_NONE);
    FAIL_IF(training && has, ST_UNSUPPORTED,
            "batch normalisation in training mode; call model.eval() before the model is traced or exported");
    FAIL_IF(!training && !has, ST_BAD, "argument 'running_mean': expected a tensor");
    TRY(training ? own_norm(call, x, eps, &y) : running_norm(call, x, eps, &y));
    TRY(aten_give(call, y));
    return give_statistics(call, 3);
}

// Rows without `training`: _no_training has running statistics, .no_stats has none.
static Status norm_by(Call *call, Status (*norm)(Call *, ValueId, double, ValueId *), int statistics) {
    ValueId x, y;
    double eps;
    TRY(aten_arg_tensor(call, "input", &x));
    TRY(aten_arg_float(call, "eps", &eps));
    TRY(norm(call, x, eps, &y));
    TRY(aten_give(call, y));
    return give_statistics(call, statistics);
}
Status aten_convert_batch_norm_legit(Call *call) { return norm_by(call, running_norm, 3); }
Status aten_convert_own_norm(Call *call) { return norm_by(call, own_norm, 2); }

Status aten_convert_instance_norm(Call *call) {
    ValueId x, y;
    double eps;
    bool own;
    TRY(aten_arg_tensor(call, "input", &x));
    TRY(aten_arg_float(call, "eps", &eps));
    TRY(aten_arg_bool(call, "use_input_stats", &own));
    TRY(own ? instance_norm(call, x, eps, &y) : running_norm(call, x, eps, &y));
    return aten_give(call, y);
}

// ---- over groups of channels

static Status group_norm(Call *call, const char *groups) {
    ValueId in[3], y;
    int64_t count;
    double eps;
    TRY(aten_arg_tensor(call, "input", &in[0]));
    TRY(aten_arg_int(call, groups, &count));
    TRY(aten_arg_float(call, "eps", &eps));
    TRY(weight_or(call, "weight", in[0], 1, &in[1]));
    TRY(weight_or(call, "bias", in[0], 0, &in[2]));
    TRY(emit_node(&call->emit, OP_GroupNormalization, "", in, 3,
                  ATTRS(ATTR_F("epsilon", eps), ATTR_I("num_groups", count)), &y));
    TRY(aten_give(call, y));
    return give_statistics(call, 2);
}

Status aten_convert_group_norm(Call *call) { return group_norm(call, "num_groups"); }
Status aten_convert_native_group_norm(Call *call) { return group_norm(call, "group"); }

// ---- over the last dims

// How many of them; they have to be those of x.
static Status last_dims(Call *call, ValueId x, const AtenValue **items, int *count) {
    int rank;
    TRY(aten_rank(call, x, &rank));
    TRY(aten_arg_items(call, "normalized_shape", items, count));
    FAIL_IF(*count < 1 || *count > rank, ST_BAD, "argument 'normalized_shape': expected 1 to %d numbers, got %d", rank,
            *count);
    for (int i = 0; i < *count; i++) {
        const int64_t dim = aten_type(call, x)->dim[rank - *count + i];
        FAIL_IF((*items)[i].kind == ATEN_INT && dim >= 0 && dim != (*items)[i].i, ST_BAD,
                "argument 'normalized_shape': expected %lld, the size of the input, got %lld", (long long)dim,
                (long long)(*items)[i].i);
    }
    return ST_OK;
}

// The statistics come of a node of their own, so that one that nobody asks for goes.
Status aten_convert_layer_norm(Call *call) {
    const AtenValue *items;
    ValueId in[3], y[3];
    int count;
    double eps;
    TRY(aten_arg_tensor(call, "input", &in[0]));
    TRY(aten_arg_float(call, "eps", &eps));
    TRY(last_dims(call, in[0], &items, &count));
    const DType dtype = aten_type(call, in[0])->dtype;
    if (!aten_arg_is(call, "weight", ATEN_NONE)) TRY(aten_arg_tensor(call, "weight", &in[1]));
    else TRY(aten_filled(call, dtype == DT_NONE ? DT_F32 : dtype, 1, items, count, &in[1]));
    TRY(aten_arg_optional(call, "bias", &in[2]));
    const int n = in[2] == NO_VALUE ? 2 : 3;
    TRY(aten_give_node(call, OP_LayerNormalization, in, n, ATTRS(ATTR_F("epsilon", eps), ATTR_I("axis", -count))));
    if (call->n_outs < 2) return ST_OK;
    TRY(emit_nodes(&call->emit, OP_LayerNormalization, "statistics", in, n,
                   ATTRS(ATTR_F("epsilon", eps), ATTR_I("axis", -count)), y, 3));
    TRY(aten_give(call, y[1]));
    return aten_give(call, y[2]);
}

// x / sqrt(mean of x^2 + eps) * weight
Status aten_convert_rms_norm(Call *call) {
    const AtenValue *items;
    int64_t axes[MAX_RANK];
    ValueId x, square, mean, tiny, root, y, weight;
    int count, rank;
    double eps = FLT_EPSILON; // of the type of x
    TRY(aten_arg_tensor(call, "input", &x));
    if (!aten_arg_is(call, "eps", ATEN_NONE)) TRY(aten_arg_float(call, "eps", &eps));
    TRY(last_dims(call, x, &items, &count));
    TRY(aten_rank(call, x, &rank));
    for (int i = 0; i < count; i++) axes[i] = rank - count + i;
    TRY(aten_two(call, OP_Mul, x, x, &square));
    TRY(aten_over(call, OP_ReduceMean, square, axes, count, true, &mean));
    TRY(aten_scalar_like(call, x, eps, &tiny));
    TRY(aten_two(call, OP_Add, mean, tiny, &mean));
    TRY(aten_one(call, OP_Sqrt, mean, &root));
    TRY(aten_two(call, OP_Div, x, root, &y));
    TRY(aten_arg_optional(call, "weight", &weight));
    if (weight != NO_VALUE) TRY(emit_binary(&call->emit, OP_Mul, "", y, weight, &y));
    TRY(aten_give(call, y));
    return aten_give_lacking(call, "statistics of a normalisation");
}
