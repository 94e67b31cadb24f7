// The operators that are read, by their number in BuiltinOperator, with the number of their options in BuiltinOptions
// (0: none that say anything), and the names of all. Source: tensorflow/lite/schema/schema.fbs.
#include "import/tflite/convert.h"
#include <string.h>

enum { CUSTOM = 32 };

// clang-format off
#define ROW(code, name, op, options, inputs, outputs, function) {code, OP_##op, options, inputs, outputs, function}

static const Converter converters[] = {
    ROW(0, ADD, Add, 11, 2, 1, tfl_convert_binary),
    ROW(1, AVERAGE_POOL_2D, AveragePool, 5, 1, 1, tfl_convert_pool),
    ROW(2, CONCATENATION, NONE, 10, 1, 1, tfl_convert_concat),
    ROW(3, CONV_2D, NONE, 1, 2, 1, tfl_convert_conv),
    ROW(4, DEPTHWISE_CONV_2D, NONE, 2, 2, 1, tfl_convert_depthwise),
    ROW(5, DEPTH_TO_SPACE, DepthToSpace, 94, 1, 1, tfl_convert_depth_space),
    ROW(6, DEQUANTIZE, NONE, 0, 1, 1, tfl_convert_dequantize),
    ROW(8, FLOOR, Floor, 0, 1, 1, tfl_convert_same),
    ROW(9, FULLY_CONNECTED, NONE, 8, 2, 1, tfl_convert_fully_connected),
    ROW(11, L2_NORMALIZATION, NONE, 12, 1, 1, tfl_convert_l2_norm),
    ROW(14, LOGISTIC, Sigmoid, 0, 1, 1, tfl_convert_same),
    ROW(17, MAX_POOL_2D, MaxPool, 5, 1, 1, tfl_convert_pool),
    ROW(18, MUL, Mul, 21, 2, 1, tfl_convert_binary),
    ROW(19, RELU, NONE, 0, 1, 1, tfl_convert_activation),
    ROW(20, RELU_N1_TO_1, NONE, 0, 1, 1, tfl_convert_activation),
    ROW(21, RELU6, NONE, 0, 1, 1, tfl_convert_activation),
    ROW(22, RESHAPE, NONE, 17, 1, 1, tfl_convert_reshape),
    ROW(23, RESIZE_BILINEAR, NONE, 15, 2, 1, tfl_convert_resize),
    ROW(25, SOFTMAX, NONE, 9, 1, 1, tfl_convert_softmax),
    ROW(26, SPACE_TO_DEPTH, SpaceToDepth, 19, 1, 1, tfl_convert_depth_space),
    ROW(28, TANH, Tanh, 0, 1, 1, tfl_convert_same),
    ROW(34, PAD, NONE, 0, 2, 1, tfl_convert_pad),
    ROW(36, GATHER, NONE, 23, 2, 1, tfl_convert_gather),
    ROW(37, BATCH_TO_SPACE_ND, NONE, 0, 3, 1, tfl_convert_batch_to_space),
    ROW(38, SPACE_TO_BATCH_ND, NONE, 0, 3, 1, tfl_convert_space_to_batch),
    ROW(39, TRANSPOSE, NONE, 0, 2, 1, tfl_convert_transpose),
    ROW(40, MEAN, ReduceMean, 27, 2, 1, tfl_convert_reduce),
    ROW(41, SUB, Sub, 28, 2, 1, tfl_convert_binary),
    ROW(42, DIV, Div, 29, 2, 1, tfl_convert_binary),
    ROW(43, SQUEEZE, NONE, 30, 1, 1, tfl_convert_squeeze),
    ROW(45, STRIDED_SLICE, NONE, 32, 4, 1, tfl_convert_strided_slice),
    ROW(47, EXP, Exp, 0, 1, 1, tfl_convert_same),
    ROW(48, TOPK_V2, NONE, 0, 2, 2, tfl_convert_topk),
    ROW(49, SPLIT, NONE, 35, 2, -1, tfl_convert_split),
    ROW(50, LOG_SOFTMAX, LogSoftmax, 0, 1, 1, tfl_convert_same),
    ROW(53, CAST, NONE, 37, 1, 1, tfl_convert_cast),
    ROW(54, PRELU, PRelu, 0, 2, 1, tfl_convert_binary),
    ROW(55, MAXIMUM, Max, 0, 2, 1, tfl_convert_binary),
    ROW(56, ARG_MAX, ArgMax, 40, 2, 1, tfl_convert_arg),
    ROW(57, MINIMUM, Min, 0, 2, 1, tfl_convert_binary),
    ROW(58, LESS, Less, 0, 2, 1, tfl_convert_binary),
    ROW(59, NEG, Neg, 0, 1, 1, tfl_convert_same),
    ROW(60, PADV2, NONE, 0, 3, 1, tfl_convert_pad),
    ROW(61, GREATER, Greater, 0, 2, 1, tfl_convert_binary),
    ROW(62, GREATER_EQUAL, GreaterOrEqual, 0, 2, 1, tfl_convert_binary),
    ROW(63, LESS_EQUAL, LessOrEqual, 0, 2, 1, tfl_convert_binary),
    ROW(64, SELECT, NONE, 0, 3, 1, tfl_convert_select),
    ROW(65, SLICE, NONE, 0, 3, 1, tfl_convert_slice),
    ROW(66, SIN, Sin, 0, 1, 1, tfl_convert_same),
    ROW(67, TRANSPOSE_CONV, NONE, 49, 3, 1, tfl_convert_transpose_conv),
    ROW(69, TILE, NONE, 0, 2, 1, tfl_convert_tile),
    ROW(70, EXPAND_DIMS, NONE, 0, 2, 1, tfl_convert_expand_dims),
    ROW(71, EQUAL, Equal, 0, 2, 1, tfl_convert_binary),
    ROW(72, NOT_EQUAL, NONE, 0, 2, 1, tfl_convert_not_equal),
    ROW(73, LOG, Log, 0, 1, 1, tfl_convert_same),
    ROW(74, SUM, ReduceSum, 27, 2, 1, tfl_convert_reduce),
    ROW(75, SQRT, Sqrt, 0, 1, 1, tfl_convert_same),
    ROW(76, RSQRT, NONE, 0, 1, 1, tfl_convert_rsqrt),
    ROW(77, SHAPE, NONE, 55, 1, 1, tfl_convert_shape),
    ROW(78, POW, Pow, 0, 2, 1, tfl_convert_binary),
    ROW(79, ARG_MIN, ArgMin, 57, 2, 1, tfl_convert_arg),
    ROW(81, REDUCE_PROD, ReduceProd, 27, 2, 1, tfl_convert_reduce),
    ROW(82, REDUCE_MAX, ReduceMax, 27, 2, 1, tfl_convert_reduce),
    ROW(83, PACK, NONE, 59, 1, 1, tfl_convert_pack),
    ROW(84, LOGICAL_OR, Or, 0, 2, 1, tfl_convert_binary),
    ROW(85, ONE_HOT, NONE, 61, 4, 1, tfl_convert_one_hot),
    ROW(86, LOGICAL_AND, And, 0, 2, 1, tfl_convert_binary),
    ROW(87, LOGICAL_NOT, Not, 0, 1, 1, tfl_convert_same),
    ROW(88, UNPACK, NONE, 64, 1, -1, tfl_convert_unpack),
    ROW(89, REDUCE_MIN, ReduceMin, 27, 2, 1, tfl_convert_reduce),
    ROW(90, FLOOR_DIV, NONE, 0, 2, 1, tfl_convert_floor_div),
    ROW(91, REDUCE_ANY, ReduceMax, 27, 2, 1, tfl_convert_reduce),
    ROW(92, SQUARE, NONE, 0, 1, 1, tfl_convert_square),
    ROW(93, ZEROS_LIKE, NONE, 0, 1, 1, tfl_convert_zeros),
    ROW(94, FILL, NONE, 0, 2, 1, tfl_convert_fill),
    ROW(95, FLOOR_MOD, NONE, 0, 2, 1, tfl_convert_mod),
    ROW(96, RANGE, NONE, 0, 3, 1, tfl_convert_range),
    ROW(97, RESIZE_NEAREST_NEIGHBOR, NONE, 74, 2, 1, tfl_convert_resize),
    ROW(98, LEAKY_RELU, NONE, 75, 1, 1, tfl_convert_leaky_relu),
    ROW(99, SQUARED_DIFFERENCE, NONE, 0, 2, 1, tfl_convert_squared_difference),
    ROW(100, MIRROR_PAD, NONE, 77, 2, 1, tfl_convert_mirror_pad),
    ROW(101, ABS, Abs, 0, 1, 1, tfl_convert_same),
    ROW(102, SPLIT_V, NONE, 79, 3, -1, tfl_convert_split_v),
    ROW(104, CEIL, Ceil, 0, 1, 1, tfl_convert_same),
    ROW(105, REVERSE_V2, NONE, 0, 2, 1, tfl_convert_reverse),
    ROW(106, ADD_N, NONE, 0, 1, 1, tfl_convert_add_n),
    ROW(107, GATHER_ND, NONE, 0, 2, 1, tfl_convert_gather_nd),
    ROW(108, COS, Cos, 0, 1, 1, tfl_convert_same),
    ROW(110, RANK, NONE, 0, 1, 1, tfl_convert_rank),
    ROW(111, ELU, Elu, 0, 1, 1, tfl_convert_same),
    ROW(114, QUANTIZE, NONE, 0, 1, 1, tfl_convert_quantize),
    ROW(116, ROUND, Round, 0, 1, 1, tfl_convert_same),
    ROW(117, HARD_SWISH, HardSwish, 0, 1, 1, tfl_convert_same),
    ROW(122, SCATTER_ND, NONE, 0, 3, 1, tfl_convert_scatter_nd),
    ROW(123, SELECT_V2, NONE, 0, 3, 1, tfl_convert_select),
    ROW(126, BATCH_MATMUL, NONE, 101, 2, 1, tfl_convert_batch_matmul),
    ROW(128, CUMSUM, NONE, 102, 2, 1, tfl_convert_cumsum),
    ROW(130, BROADCAST_TO, NONE, 0, 2, 1, tfl_convert_broadcast),
    ROW(132, CONV_3D, NONE, 106, 2, 1, tfl_convert_conv_3d),
    ROW(140, REDUCE_ALL, ReduceMin, 27, 2, 1, tfl_convert_reduce),
    ROW(141, CONV_3D_TRANSPOSE, NONE, 106, 3, 1, tfl_convert_conv_3d_transpose),
    ROW(150, GELU, NONE, 116, 1, 1, tfl_convert_gelu),
    ROW(152, RELU_0_TO_1, NONE, 0, 1, 1, tfl_convert_activation),
    ROW(158, SIGN, Sign, 0, 1, 1, tfl_convert_same),
};

static const struct {
    const char *name;
    Converter converter;
} customs[] = {
    {"Convolution2DTransposeBias", {CUSTOM, OP_NONE, 0, 3, 1, tfl_convert_transpose_conv_bias}},
};

static const char *const names[] = {
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE",
    "EMBEDDING_LOOKUP", "FLOOR", "FULLY_CONNECTED", "HASHTABLE_LOOKUP", "L2_NORMALIZATION", "L2_POOL_2D",
    "LOCAL_RESPONSE_NORMALIZATION", "LOGISTIC", "LSH_PROJECTION", "LSTM", "MAX_POOL_2D", "MUL", "RELU",
    "RELU_N1_TO_1", "RELU6", "RESHAPE", "RESIZE_BILINEAR", "RNN", "SOFTMAX", "SPACE_TO_DEPTH", "SVDF", "TANH",
    "CONCAT_EMBEDDINGS", "SKIP_GRAM", "CALL", "CUSTOM", "EMBEDDING_LOOKUP_SPARSE", "PAD",
    "UNIDIRECTIONAL_SEQUENCE_RNN", "GATHER", "BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND", "TRANSPOSE", "MEAN", "SUB",
    "DIV", "SQUEEZE", "UNIDIRECTIONAL_SEQUENCE_LSTM", "STRIDED_SLICE", "BIDIRECTIONAL_SEQUENCE_RNN", "EXP", "TOPK_V2",
    "SPLIT", "LOG_SOFTMAX", "DELEGATE", "BIDIRECTIONAL_SEQUENCE_LSTM", "CAST", "PRELU", "MAXIMUM", "ARG_MAX",
    "MINIMUM", "LESS", "NEG", "PADV2", "GREATER", "GREATER_EQUAL", "LESS_EQUAL", "SELECT", "SLICE", "SIN",
    "TRANSPOSE_CONV", "SPARSE_TO_DENSE", "TILE", "EXPAND_DIMS", "EQUAL", "NOT_EQUAL", "LOG", "SUM", "SQRT", "RSQRT",
    "SHAPE", "POW", "ARG_MIN", "FAKE_QUANT", "REDUCE_PROD", "REDUCE_MAX", "PACK", "LOGICAL_OR", "ONE_HOT",
    "LOGICAL_AND", "LOGICAL_NOT", "UNPACK", "REDUCE_MIN", "FLOOR_DIV", "REDUCE_ANY", "SQUARE", "ZEROS_LIKE", "FILL",
    "FLOOR_MOD", "RANGE", "RESIZE_NEAREST_NEIGHBOR", "LEAKY_RELU", "SQUARED_DIFFERENCE", "MIRROR_PAD", "ABS",
    "SPLIT_V", "UNIQUE", "CEIL", "REVERSE_V2", "ADD_N", "GATHER_ND", "COS", "WHERE", "RANK", "ELU",
    "REVERSE_SEQUENCE", "MATRIX_DIAG", "QUANTIZE", "MATRIX_SET_DIAG", "ROUND", "HARD_SWISH", "IF", "WHILE",
    "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5", "SCATTER_ND", "SELECT_V2", "DENSIFY", "SEGMENT_SUM",
    "BATCH_MATMUL", "PLACEHOLDER", "CUMSUM", "CALL_ONCE", "BROADCAST_TO", "RFFT2D", "CONV_3D", "IMAG", "REAL",
    "COMPLEX_ABS", "HASHTABLE", "HASHTABLE_FIND", "HASHTABLE_IMPORT", "HASHTABLE_SIZE", "REDUCE_ALL",
    "CONV_3D_TRANSPOSE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "BROADCAST_ARGS", "RANDOM_STANDARD_NORMAL",
    "BUCKETIZE", "RANDOM_UNIFORM", "MULTINOMIAL", "GELU", "DYNAMIC_UPDATE_SLICE", "RELU_0_TO_1",
    "UNSORTED_SEGMENT_PROD", "UNSORTED_SEGMENT_MAX", "UNSORTED_SEGMENT_SUM", "ATAN2", "UNSORTED_SEGMENT_MIN", "SIGN",
    "BITCAST", "BITWISE_XOR", "RIGHT_SHIFT",
};
// clang-format on

const Converter *tfl_find_converter(const TfliteOperator *operator) {
    for (size_t i = 0; operator->code == CUSTOM && i<COUNT_OF(customs); i++) {
        if (strcmp(customs[i].name, operator->custom) == 0) return &customs[i].converter;
    }
    for (size_t i = 0; i < COUNT_OF(converters); i++) {
        if (converters[i].code == operator->code) return &converters[i];
    }
    return NULL;
}

const char *tfl_operator_name(const TfliteOperator *operator) {
    if (operator->code == CUSTOM) return *operator->custom ? operator->custom : "a custom operator without a name";
    const bool named = operator->code >= 0 && operator->code<(int) COUNT_OF(names);
    return named ? names[operator->code] : "an operator newer than this program";
}
