// Layers of several inputs.
#include "import/keras/layer.h"
#include <string.h>

static Status expect_several(const LayerCall *call, int least) {
    FAIL_IF(call->n_inputs < least, ST_BAD, "expected %d inputs at least, got %d", least, call->n_inputs);
    return ST_OK;
}

// Keras gives inputs of fewer dims ones behind the batch.
static Status raise_rank(LayerCall *call, ValueId x, int rank, ValueId *out) {
    const int64_t axes[MAX_RANK] = {1, 2, 3, 4, 5, 6, 7};
    const int own = type_of(call, x)->rank;
    ValueId list;
    *out = x;
    if (own == rank || own == 0) return ST_OK;
    TRY(emit_ints(&call->emit, "axes", axes, rank - own, &list));
    return emit_binary(&call->emit, OP_Unsqueeze, "raised", x, list, out);
}

static int highest_rank(const LayerCall *call) {
    int rank = 0;
    for (int i = 0; i < call->n_inputs; i++) rank = MAX(rank, type_of(call, call->inputs[i])->rank);
    return rank;
}

static Status join(LayerCall *call, Op op) {
    const int rank = highest_rank(call);
    ValueId sum, next;
    TRY(raise_rank(call, call->inputs[0], rank, &sum));
    for (int i = 1; i < call->n_inputs; i++) {
        TRY(raise_rank(call, call->inputs[i], rank, &next));
        TRY(emit_binary(&call->emit, op, "merged", sum, next, &sum));
    }
    call->out[0] = sum;
    return ST_OK;
}

// kind->number: the Op.
Status keras_merge(LayerCall *call) {
    const Op op = (Op)call->kind->number;
    TRY(expect_several(call, 1));
    FAIL_IF(op == OP_Sub && call->n_inputs != 2, ST_BAD, "expected 2 inputs, got %d", call->n_inputs);
    return join(call, op);
}

Status keras_average(LayerCall *call) {
    ValueId factor;
    TRY(expect_several(call, 1));
    TRY(join(call, OP_Add));
    TRY(emit_scalar(&call->emit, "share", DT_F32, 1.0 / call->n_inputs, &factor));
    return emit_binary(&call->emit, OP_Mul, "average", call->out[0], factor, &call->out[0]);
}

Status keras_concatenate(LayerCall *call) {
    int axis;
    TRY(expect_several(call, 1));
    TRY(layer_axis(call, "axis", -1, type_of(call, call->inputs[0])->rank, &axis));
    return emit_node(&call->emit, OP_Concat, "joined", call->inputs, call->n_inputs, ATTRS(ATTR_I("axis", axis)),
                     &call->out[0]);
}

// Keras 1's Merge: "mode" is the name of what it does.
Status keras_old_merge(LayerCall *call) {
    static const struct {
        const char *mode;
        Op op;
    } modes[] = {{"sum", OP_Add}, {"mul", OP_Mul}, {"max", OP_Max}, {"min", OP_Min}};
    const char *mode;
    TRY(expect_several(call, 1));
    TRY(config_text(call->config, "mode", "sum", &mode));
    if (strcmp(mode, "concat") == 0) return keras_concatenate(call);
    if (strcmp(mode, "ave") == 0) return keras_average(call);
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        if (strcmp(modes[i].mode, mode) == 0) return join(call, modes[i].op);
    }
    return fail(ST_UNSUPPORTED, "'mode' '%s'", mode);
}
