// One node of a TensorFlow graph to nodes of ours: what the converters share (call.c) and their table (convert.c).
//
// A converter gets a Call, emits, and gives its outputs. Data stays in the layout of the model: channels go first only
// around convolutions and the like. Messages of converters don't name the node; the caller does.
#pragma once
#include "import/tensorflow/builder.h"

typedef struct Call {
    Builder *builder;
    const TfNode *node;
    Emit emit; // named as the node
    Op op;     // of the table's row
    Slot *inputs;
    int n_inputs;
    Slot *outputs;
    int n_outputs;
    const EmitWindow *spread; // Conv between SpaceToBatchND and BatchToSpaceND: its dilation and pads
} Call;

typedef Status Convert(Call *call);
typedef struct Converter {
    const char *name;
    Op op; // OP_NONE: the function decides
    Convert *convert;
    bool any_slot; // takes what is no value too (variables, texts, dead branches)
    bool in_batch; // may stand between SpaceToBatchND and BatchToSpaceND
} Converter;
const Converter *tf_find_converter(const char *op); // NULL: not supported

// Nodes between SpaceToBatchND and BatchToSpaceND are converted when the latter is reached, as one dilated convolution.
enum { BATCHED_NODES = 4 };
typedef struct Batched {
    ValueId x; // in front of SpaceToBatchND
    int spatial;
    int64_t block[3], begin[3], end[3];
    struct {
        const Converter *converter;
        Call call;
    } nodes[BATCHED_NODES];
    int n_nodes;
} Batched;

// Outputs.
Status tf_call_give(Call *call, ValueId value); // the only one
Status tf_call_give_slots(Call *call, const Slot *slots, int count);

// Inputs. ST_BAD: another number of them, or no value.
Status tf_call_expect(const Call *call, int least, int most); // most -1: any number
Status tf_call_input(const Call *call, int input, ValueId *out);
const Type *tf_call_type(const Call *call, int input); // valid until a value is added
// The numbers of an input that have to be known before a run. ST_UNSUPPORTED: they are not.
Status tf_call_known(Call *call, int input, const char *what, const Tensor **out);
Status tf_call_known_ints(Call *call, int input, const char *what, int limit, int64_t *values, int *count);
Status tf_call_known_int(Call *call, int input, const char *what, int64_t *out);
bool tf_call_is_known(Call *call, int input); // a constant
// The value as int64: ONNX's type for shapes and axes. `vector`: a scalar becomes a list of one.
Status tf_call_int64(Call *call, ValueId value, bool vector, ValueId *out);
Status tf_call_cast(Call *call, const char *suffix, ValueId value, DType dtype, ValueId *out); // itself where it is so

// Attributes; what is not there has its default. ST_BAD: another type.
Status tf_call_attr_int(const Call *call, const char *name, int64_t otherwise, int64_t *out); // bools and DataTypes too
Status tf_call_attr_bool(const Call *call, const char *name, bool otherwise, bool *out);
Status tf_call_attr_float(const Call *call, const char *name, double otherwise, double *out);
Status tf_call_attr_text(const Call *call, const char *name, const char *otherwise, const char **out);
Status tf_call_attr_ints(const Call *call, const char *name, int limit, int64_t *values, int *count); // count 0: absent
Status tf_call_attr_dtype(const Call *call, const char *name, DType otherwise, DType *out);
Status tf_call_attr_function(const TfNode *node, const char *name, Arena *arena, const char **out);
const TfAttr *tf_attr(const TfNode *node, const char *name); // NULL: absent

// An axis of a value of that rank, from -rank on. ST_BAD; ST_UNSUPPORTED where the rank is not known and it is needed.
Status tf_call_axis(const Call *call, int rank, int64_t axis, int *out);

// Converters by subject.
// convert_graph.c
Convert tf_convert_const, tf_convert_identity, tf_convert_identities, tf_convert_placeholder, tf_convert_default;
Convert tf_convert_variable, tf_convert_handle, tf_convert_read, tf_convert_switch, tf_convert_merge,
    tf_convert_nothing;
// convert_math.c
Convert tf_convert_unary, tf_convert_binary, tf_convert_square, tf_convert_rsqrt, tf_convert_squared_difference,
    tf_convert_relu6;
Convert tf_convert_leaky_relu, tf_convert_erfc, tf_convert_div_no_nan, tf_convert_is_finite, tf_convert_add_n,
    tf_convert_not_equal, tf_convert_floor_div, tf_convert_floor_mod, tf_convert_mod;
Convert tf_convert_matmul, tf_convert_batch_matmul, tf_convert_reduce, tf_convert_softmax, tf_convert_arg,
    tf_convert_einsum;
Convert tf_convert_clip, tf_convert_select, tf_convert_like, tf_convert_cast, tf_convert_sum_axis;
// convert_window.c
Convert tf_convert_conv, tf_convert_depthwise, tf_convert_conv_transpose, tf_convert_pool, tf_convert_bias,
    tf_convert_batch_norm;
Convert tf_convert_space_to_batch, tf_convert_batch_to_space;
// convert_space.c
Convert tf_convert_resize, tf_convert_depth_to_space, tf_convert_pad, tf_convert_mirror_pad;
// convert_move.c
Convert tf_convert_concat, tf_convert_pack, tf_convert_unpack, tf_convert_split, tf_convert_split_sizes,
    tf_convert_slice;
Convert tf_convert_transpose, tf_convert_reshape, tf_convert_squeeze, tf_convert_expand_dims, tf_convert_tile,
    tf_convert_gather;
Convert tf_convert_fill, tf_convert_range, tf_convert_shape, tf_convert_rank, tf_convert_size, tf_convert_expand,
    tf_convert_gather_nd;
Convert tf_convert_reverse;
// tf_convert_slice.c
Convert tf_convert_strided_slice;

// Shared by the files about windows and space. NHWC or NCHW, of `spatial` dims.
typedef struct Layout {
    bool last; // channels
    int spatial;
} Layout;
Status tf_call_layout(const Call *call, int spatial, Layout *out);
// Input 0 with its channels first, and a result back in the node's layout, as the only output.
Status tf_call_first(Call *call, const Layout *layout, ValueId x, ValueId *out);
Status tf_call_give_last(Call *call, const Layout *layout, ValueId y);
