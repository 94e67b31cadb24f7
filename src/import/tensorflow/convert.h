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
const Converter *find_converter(const char *op); // NULL: not supported

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
Status call_give(Call *call, ValueId value); // the only one
Status call_give_slots(Call *call, const Slot *slots, int count);

// Inputs. ST_BAD: another number of them, or no value.
Status call_expect(const Call *call, int least, int most); // most -1: any number
Status call_input(const Call *call, int input, ValueId *out);
const Type *call_type(const Call *call, int input); // valid until a value is added
// The numbers of an input that have to be known before a run. ST_UNSUPPORTED: they are not.
Status call_known(Call *call, int input, const char *what, const Tensor **out);
Status call_known_ints(Call *call, int input, const char *what, int limit, int64_t *values, int *count);
Status call_known_int(Call *call, int input, const char *what, int64_t *out);
bool call_is_known(Call *call, int input); // a constant
// The value as int64: ONNX's type for shapes and axes. `vector`: a scalar becomes a list of one.
Status call_int64(Call *call, ValueId value, bool vector, ValueId *out);
Status call_cast(Call *call, const char *suffix, ValueId value, DType dtype, ValueId *out); // itself where it is so

// Attributes; what is not there has its default. ST_BAD: another type.
Status call_attr_int(const Call *call, const char *name, int64_t otherwise, int64_t *out); // bools and DataTypes too
Status call_attr_bool(const Call *call, const char *name, bool otherwise, bool *out);
Status call_attr_float(const Call *call, const char *name, double otherwise, double *out);
Status call_attr_text(const Call *call, const char *name, const char *otherwise, const char **out);
Status call_attr_ints(const Call *call, const char *name, int limit, int64_t *values, int *count); // count 0: absent
Status call_attr_dtype(const Call *call, const char *name, DType otherwise, DType *out);
Status call_attr_function(const TfNode *node, const char *name, Arena *arena, const char **out);
const TfAttr *tf_attr(const TfNode *node, const char *name); // NULL: absent

// An axis of a value of that rank, from -rank on. ST_BAD; ST_UNSUPPORTED where the rank is not known and it is needed.
Status call_axis(const Call *call, int rank, int64_t axis, int *out);

// Converters by subject.
// convert_graph.c
Convert convert_const, convert_identity, convert_identities, convert_placeholder, convert_default;
Convert convert_variable, convert_handle, convert_read, convert_switch, convert_merge, convert_nothing;
// convert_math.c
Convert convert_unary, convert_binary, convert_square, convert_rsqrt, convert_squared_difference, convert_relu6;
Convert convert_leaky_relu, convert_add_n, convert_not_equal, convert_floor_div, convert_floor_mod, convert_mod;
Convert convert_matmul, convert_batch_matmul, convert_reduce, convert_softmax, convert_arg, convert_einsum;
Convert convert_clip, convert_select, convert_like, convert_cast, convert_sum_axis;
// convert_window.c
Convert convert_conv, convert_depthwise, convert_conv_transpose, convert_pool, convert_bias, convert_batch_norm;
Convert convert_space_to_batch, convert_batch_to_space;
// convert_space.c
Convert convert_resize, convert_depth_to_space, convert_pad, convert_mirror_pad;
// convert_move.c
Convert convert_concat, convert_pack, convert_unpack, convert_split, convert_split_sizes, convert_slice;
Convert convert_transpose, convert_reshape, convert_squeeze, convert_expand_dims, convert_tile, convert_gather;
Convert convert_fill, convert_range, convert_shape, convert_rank, convert_size, convert_expand, convert_gather_nd;
Convert convert_reverse;
// convert_slice.c
Convert convert_strided_slice;

// Shared by the files about windows and space. NHWC or NCHW, of `spatial` dims.
typedef struct Layout {
    bool last; // channels
    int spatial;
} Layout;
Status call_layout(const Call *call, int spatial, Layout *out);
// Input 0 with its channels first, and a result back in the node's layout, as the only output.
Status call_first(Call *call, const Layout *layout, ValueId x, ValueId *out);
Status call_give_last(Call *call, const Layout *layout, ValueId y);
