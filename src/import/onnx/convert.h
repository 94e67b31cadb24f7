// One node of an ONNX model to nodes of the graph: what the converters share (call.c) and their table (convert.c).
//
// A converter gets a Call, may change its inputs, and emits. The graph's operators have the newest meaning, so an older
// form is told by what is there (an attribute that has become an input), by the opset only where the same words have
// changed their meaning. Messages of converters don't name the node; the caller does.
#pragma once
#include "graph/graph.h"
#include "import/onnx/model.h"
#include "import/onnx/tensor.h"

typedef struct Call {
    const OnnxNode *node;
    Op op; // of the table's row
    int64_t opset;
    Graph *graph;
    OnnxData *data;
    const bool *used; // by ValueId, of the values that the model names: somebody reads it
    ValueId *inputs, *outputs;
    int n_inputs, n_outputs; // absent ones at the end don't count; outputs: at least what the node lists
    const char *ignored;     // attributes that say nothing here: "a b c"
    struct Builder *builder; // for subgraph.h
    const struct Scope *scope;
} Call;

typedef Status Convert(Call *call);
typedef struct Converter {
    const char *name; // operator of ONNX's default domain
    Op op;            // OP_NONE: the function decides
    Convert *convert;
    const char *ignored; // attributes that the function deals with, or that mean nothing at inference
} Converter;
const Converter *find_converter(const char *op); // NULL: not supported

// Room for inputs that a converter adds.
enum { CALL_EXTRA_INPUTS = 8 };

// Emits call->op with the call's inputs, outputs and attributes; node NULL: not wanted.
Status call_same(Call *call, Node **node);
// Emits a node that the model does not have; it is called "NAME.suffix", as is its only output, which is handed out.
Status call_add(Call *call, Op op, const char *suffix, const ValueId *inputs, int n_inputs, ValueId *out, Node **node);
// A fresh value "NAME.suffix".
Status call_value(Call *call, const char *suffix, ValueId *out);
// Emits the node that makes the call's first output, under the model's name.
Status call_last(Call *call, Op op, const ValueId *inputs, int n_inputs, Node **out);

// Constants "NAME.suffix".
Status call_tensor(Call *call, const char *suffix, const Tensor *tensor, ValueId *out);
Status call_ints(Call *call, const char *suffix, const int64_t *values, size_t count, ValueId *out); // an int64 vector
Status call_floats(Call *call, const char *suffix, const double *values, size_t count,
                   ValueId *out); // a float32 vector
Status call_scalar(Call *call, const char *suffix, DType dtype, double value, ValueId *out);

// Puts a value in place of input `index`; inputs before it that are not there stay absent.
void call_set_input(Call *call, int index, ValueId value);
bool call_has_input(const Call *call, int index);
const Type *call_type(const Call *call, int input); // valid until a value is added
const Tensor *call_constant(const Call *call, int input);
DType call_float_dtype(const Call *call, int input); // of that input; float32 when it is not known

// The attribute, NULL when absent. ST_BAD when it has another type.
Status call_attr(const Call *call, const char *name, OnnxAttrType type, const OnnxAttr **out);
Status call_int(const Call *call, const char *name, int64_t otherwise, int64_t *out);
// An attribute that is a list of integers and has become input `index`: a constant takes its place there.
Status call_ints_to_input(Call *call, const char *name, int index);

// Fails when the model reads one of the outputs from `first` on; drops them.
Status call_drop_outputs(Call *call, int first);

// Converters by subject.
Convert convert_same;
// convert_move.c
Convert convert_pad, convert_slice, convert_split, convert_axes, convert_topk, convert_upsample, convert_resize;
Convert convert_grid_sample;
Convert convert_size, convert_constant;
// convert_math.c
Convert convert_pair, convert_prelu, convert_softmax, convert_einsum, convert_clip, convert_cast_like, convert_sum;
Convert convert_mean, convert_celu;
Convert convert_reduce, convert_reduce_sum_square, convert_reduce_log_sum, convert_reduce_log_sum_exp;
Convert convert_batch_norm, convert_group_norm, convert_layer_norm, convert_dropout;
// convert_composed.c
Convert convert_thresholded_relu, convert_shrink, convert_is_nan, convert_is_inf;
Convert convert_lp_norm, convert_mean_variance, convert_rms_norm, convert_lrn;
Convert convert_trilu, convert_eye_like, convert_hardmax, convert_one_hot;
// convert_control.c
Convert convert_if, convert_loop, convert_scan;
