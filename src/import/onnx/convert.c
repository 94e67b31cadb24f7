// The operators of ONNX that are read, in the order of their names.
#include "import/onnx/convert.h"
#include <string.h>

Status convert_same(Call *call) { return call_same(call, NULL); }

// clang-format off
#define SAME(name, ignored) {#name, OP_##name, convert_same, ignored}
#define WITH(name, function, ignored) {#name, OP_##name, function, ignored}
#define MADE(name, function, ignored) {#name, OP_NONE, function, ignored} // of other operators

static const Converter converters[] = {
    SAME(Abs, ""),
    SAME(Add, ""),
    SAME(And, ""),
    SAME(ArgMax, ""),
    SAME(AveragePool, ""),
    WITH(BatchNormalization, convert_batch_norm, "spatial momentum training_mode"),
    SAME(Cast, "saturate round_mode"), // both for 8 bit floats only
    MADE(CastLike, convert_cast_like, "saturate round_mode"),
    SAME(Ceil, ""),
    MADE(Celu, convert_celu, "alpha"),
    WITH(Clip, convert_clip, "min max"),
    SAME(Concat, ""),
    MADE(Constant, convert_constant, ""),
    SAME(ConstantOfShape, ""),
    SAME(Conv, ""),
    SAME(ConvTranspose, ""),
    SAME(DepthToSpace, ""),
    SAME(Div, ""),
    WITH(Dropout, convert_dropout, "ratio seed"),
    SAME(Elu, ""),
    SAME(Equal, ""),
    SAME(Erf, ""),
    SAME(Exp, ""),
    SAME(Expand, ""),
    SAME(Flatten, ""),
    SAME(Floor, ""),
    SAME(Gather, ""),
    SAME(Gelu, ""),
    SAME(Gemm, ""),
    SAME(GlobalAveragePool, ""),
    SAME(GlobalMaxPool, ""),
    SAME(Greater, ""),
    SAME(GreaterOrEqual, ""),
    WITH(GroupNormalization, convert_group_norm, "stash_type"),
    SAME(HardSigmoid, ""),
    SAME(HardSwish, ""),
    SAME(Identity, ""),
    SAME(InstanceNormalization, ""),
    SAME(LayerNormalization, "stash_type"),
    SAME(LeakyRelu, ""),
    SAME(Less, ""),
    SAME(LessOrEqual, ""),
    SAME(Log, ""),
    WITH(LogSoftmax, convert_softmax, "axis"),
    SAME(MatMul, ""),
    SAME(Max, ""),
    SAME(MaxPool, "storage_order"), // of the indices, which are not had
    MADE(Mean, convert_mean, ""),
    SAME(Min, ""),
    SAME(Mish, ""),
    SAME(Mod, ""),
    SAME(Mul, ""),
    SAME(Neg, ""),
    SAME(Not, ""),
    SAME(Or, ""),
    SAME(PRelu, ""),
    WITH(Pad, convert_pad, "pads value"),
    SAME(Pow, ""),
    SAME(Range, ""),
    SAME(Reciprocal, ""),
    WITH(ReduceL1, convert_reduce, "axes"),
    WITH(ReduceL2, convert_reduce, "axes"),
    MADE(ReduceLogSum, convert_reduce_log_sum, "axes"),
    WITH(ReduceMax, convert_reduce, "axes"),
    WITH(ReduceMean, convert_reduce, "axes"),
    WITH(ReduceMin, convert_reduce, "axes"),
    WITH(ReduceProd, convert_reduce, "axes"),
    WITH(ReduceSum, convert_reduce, "axes"),
    MADE(ReduceSumSquare, convert_reduce_sum_square, "axes"),
    SAME(Relu, ""),
    SAME(Reshape, ""),
    WITH(Resize, convert_resize, ""),
    SAME(Round, ""),
    SAME(ScatterND, ""),
    SAME(Selu, ""),
    SAME(Shape, ""),
    SAME(Sigmoid, ""),
    MADE(Size, convert_size, ""),
    WITH(Slice, convert_slice, "starts ends axes"),
    WITH(Softmax, convert_softmax, "axis"),
    SAME(Softplus, ""),
    SAME(Softsign, ""),
    SAME(SpaceToDepth, ""),
    WITH(Split, convert_split, "split"),
    SAME(Sqrt, ""),
    WITH(Squeeze, convert_axes, "axes"),
    SAME(Sub, ""),
    MADE(Sum, convert_sum, ""),
    SAME(Swish, ""),
    SAME(Tanh, ""),
    SAME(Tile, ""),
    WITH(TopK, convert_topk, "k"),
    SAME(Transpose, ""),
    WITH(Unsqueeze, convert_axes, "axes"),
    MADE(Upsample, convert_upsample, "scales"),
    SAME(Where, ""),
    SAME(Xor, ""),
};
// clang-format on

const Converter *find_converter(const char *op) {
    for (size_t i = 0; i < COUNT_OF(converters); i++) {
        if (strcmp(converters[i].name, op) == 0) return &converters[i];
    }
    return NULL;
}
