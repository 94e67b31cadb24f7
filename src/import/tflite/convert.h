// One operator of TensorFlow Lite becomes one or more nodes. A converter sees its operator as a Call: inputs as values
// of the graph, options as a table. Quantised tensors are float32 values here (weight.c, border.c). Messages of
// converters don't name the operator; the caller does.
#pragma once
#include "import/emit.h"
#include "import/import.h"
#include "import/tflite/model.h"

// A convolution between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND is a dilated one (spread.c).
typedef struct Spread {
    int64_t dilation[2], pad_begin[2], pad_end[2]; // negative pads crop
} Spread;

typedef struct Builder {
    const TfliteModel *model;
    const ImportOptions *options;
    Imported *imported;
    Arena *scratch;
    Graph *graph;
    ValueId *values;       // by tensor: what stands for it; NO_VALUE: nothing yet
    bool *made;            // by tensor: an input of the model, or an operator's output so far
    const int **orders;    // by tensor: the order of axes in which it is had as a filter too, and that value
    ValueId *filters;      //
    int *readers;          // by tensor: how many operators and outputs of the model read it
    int *reader;           // by tensor: the last operator that does
    const Spread **spread; // by tensor: it stands for its unspread source, and is read by a dilated convolution
    bool *joined;          // by tensor: made by that convolution
    int64_t copied;        // bytes of weights that were copied
    int dequantised;       // weights
} Builder;

typedef struct Call {
    Builder *builder;
    const TfliteOperator *operator;
    const struct Converter *row;
    FbTable options; // absent when the operator has none
    Emit emit;       // layer: the name of the first output
} Call;

typedef Status Convert(Call *call);
typedef struct Converter {
    int code;    // BuiltinOperator
    Op op;       // OP_NONE: the function decides
    int options; // the type that its options have (BuiltinOptions); 0: it has none
    int inputs;  // at least
    int outputs; // exactly; -1: any number from 1
    Convert *convert;
} Converter;
const Converter *tfl_find_converter(const TfliteOperator *operator); // NULL: not supported
// "CONV_2D", or a custom operator's own name.
const char *tfl_operator_name(const TfliteOperator *operator);

// ---- inputs and outputs (call.c)

bool tfl_call_has(const Call *call, int input);
const TfliteTensor *tfl_call_tensor(const Call *call, int input); // of an input that is there
const TfliteTensor *tfl_call_output(const Call *call, int output);
// ST_BAD: the operator has no such input, or nothing before it makes it.
Status tfl_call_value(Call *call, int input, ValueId *out);
// The value is the operator's output; it gets the type that the model tells.
Status tfl_call_give(Call *call, int output, ValueId value);
// The fused activation (ActivationFunctionType), and what of a quantised output's range it leaves.
enum { ACTIVATION_NONE, ACTIVATION_RELU, ACTIVATION_RELU_N1_TO_1, ACTIVATION_RELU6, ACTIVATION_TANH };
Status tfl_call_activate(Call *call, ValueId x, int activation, ValueId *out);
// tfl_call_activate with the activation in that field of the options, then tfl_call_give(0).
Status tfl_call_finish(Call *call, ValueId x, int activation_field);
// An integer vector or scalar whose numbers are known before the run, at most `max`. ST_UNSUPPORTED: computed ones.
Status tfl_call_ints(Call *call, int input, int max, int64_t *out, int *count);
Status tfl_call_axis(Call *call, int input, int rank, int64_t *out); // one of them, negative ones from the end
// An integer vector, computed or not, as int64 with one dim: a shape, sizes, repeats.
Status tfl_call_list(Call *call, int input, ValueId *out);
// The rank of an input. ST_UNSUPPORTED: not known.
Status tfl_call_rank(Call *call, int input, int *out);
Status tfl_check_axis(int64_t axis, int rank, int64_t *out); // -rank..rank-1 to 0..rank-1
Status tfl_call_cast(Call *call, const char *suffix, ValueId x, DType dtype, ValueId *out); // nothing when it has it
// The name, cut where it is too long for what is made of it again and again.
const char *tfl_short_name(Builder *builder, const char *name);
// A line of notes for the user.
Status tfl_call_note(Call *call, const char *what);

// Elements of a small integer value as far as they are known: known[i] tells of out[i]. *count -1: not even how many
// there are, or more than `max` (known.c).
void tfl_known_ints(const Graph *graph, ValueId value, int max, int64_t *out, bool *known, int *count);

// ---- weights (weight.c)

Status tflite_dtype(int type, DType *out);         // ST_UNSUPPORTED, by name
bool tfl_is_quantised(const TfliteTensor *tensor); // 8 or 16 bits with a scale
// The constant of tensor `index`: float32 where it is quantised.
Status tfl_weight_value(Builder *builder, int index, ValueId *out);
// Integers or float16 to float32: (q - zero point) * scale.
Status tfl_weight_dequantised(Builder *builder, int index, ValueId *out);
// Filter weights in another order of axes; copied only where elements move.
Status tfl_call_filter(Call *call, int input, const int *order, int rank, ValueId *out);
// The bias, float32 with one dim; NO_VALUE: none.
Status tfl_call_bias(Call *call, int input, ValueId *out);

// ---- quantised inputs and outputs (border.c)

void tfl_quantised_range(const TfliteTensor *tensor, double *low, double *high); // of real numbers
Status tfl_check_scale(const TfliteTensor *tensor);                              // of an activation: one scale, above 0
Status tfl_from_quantised(Emit *emit, const TfliteTensor *tensor, ValueId x, ValueId *out);
Status tfl_to_quantised(Emit *emit, const TfliteTensor *tensor, ValueId x, ValueId *out);

// ---- converters

Convert tfl_convert_same, tfl_convert_binary, tfl_convert_activation, tfl_convert_leaky_relu,
    tfl_convert_gelu; // convert_math.c
Convert tfl_convert_rsqrt, tfl_convert_square, tfl_convert_squared_difference, tfl_convert_floor_div,
    tfl_convert_not_equal;
Convert tfl_convert_softmax, tfl_convert_reduce, tfl_convert_arg, tfl_convert_cast, tfl_convert_quantize,
    tfl_convert_dequantize;
Convert tfl_convert_select, tfl_convert_cumsum, tfl_convert_add_n, tfl_convert_l2_norm, tfl_convert_one_hot,
    tfl_convert_topk, tfl_convert_mod;
Convert tfl_convert_conv, tfl_convert_depthwise, tfl_convert_transpose_conv, tfl_convert_conv_3d; // convert_window.c
Convert tfl_convert_conv_3d_transpose, tfl_convert_transpose_conv_bias, tfl_convert_pool;
Convert tfl_convert_fully_connected, tfl_convert_batch_matmul; // convert_matrix.c
Convert tfl_convert_concat, tfl_convert_reshape, tfl_convert_squeeze, tfl_convert_expand_dims,
    tfl_convert_transpose; // convert_move.c
Convert tfl_convert_pad, tfl_convert_mirror_pad, tfl_convert_split, tfl_convert_split_v, tfl_convert_pack,
    tfl_convert_unpack, tfl_convert_gather;
Convert tfl_convert_tile, tfl_convert_broadcast, tfl_convert_shape, tfl_convert_rank, tfl_convert_fill,
    tfl_convert_range, tfl_convert_zeros;
Convert tfl_convert_reverse, tfl_convert_gather_nd, tfl_convert_scatter_nd;
Convert tfl_convert_slice, tfl_convert_strided_slice;           // convert_slice.c
Convert tfl_convert_resize, tfl_convert_depth_space;            // convert_space.c
Convert tfl_convert_space_to_batch, tfl_convert_batch_to_space; // spread.c
