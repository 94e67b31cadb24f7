// A graph built layer by layer: what importers share whose models are lists of layers. Nodes are inferred as they are
// made, so that whoever makes the next one can look at types.
//
//     Emit emit = {.graph = graph, .layer = "conv2d_3"};
//     TRY(emit_first(&emit, x, &first));                            // channels last to channels first
//     TRY(emit_conv(&emit, first, weight, bias, &window, &conv));
//     TRY(emit_last(&emit, conv, &y));                              // the pass cancel_transpose joins the two
//
// Values are called "LAYER", "LAYER.suffix"; where that is taken they get a name of their own (graph_add_value).
// Messages don't name the layer; the caller does (fail_context).
#pragma once
#include "graph/graph.h"

typedef struct Emit {
    Graph *graph;
    const char *layer;
} Emit;

// Attributes of a node: ATTRS(ATTR_I("axis", 1), ATTR_S("mode", "linear")), or NO_ATTRS.
#define ATTRS(...) (const Attr[]){__VA_ARGS__}, (int)COUNT_OF(((const Attr[]){__VA_ARGS__}))
#define NO_ATTRS NULL, 0
#define ATTR_I(key, value)                                                                                             \
    { .name = (key), .type = ATTR_INT, .i = (value) }
#define ATTR_F(key, value)                                                                                             \
    { .name = (key), .type = ATTR_FLOAT, .f = (value) }
#define ATTR_S(key, value)                                                                                             \
    { .name = (key), .type = ATTR_STRING, .s = (value) }
#define ATTR_L(key, values, n)                                                                                         \
    { .name = (key), .type = ATTR_INTS, .ints = (values), .count = (size_t)(n) }

// A node with one output. suffix "": the value is called as the layer. Inputs may be NO_VALUE. Attributes are copied.
// `out` may be where an input stands. ST_BAD: the inputs do not go together (the message of inference).
Status emit_node(Emit *emit, Op op, const char *suffix, const ValueId *inputs, int n_inputs, const Attr *attrs,
                 int n_attrs, ValueId *out);
// The same with several outputs, which are no place of an input.
Status emit_nodes(Emit *emit, Op op, const char *suffix, const ValueId *inputs, int n_inputs, const Attr *attrs,
                  int n_attrs, ValueId *outs, int n_outs);
Status emit_unary(Emit *emit, Op op, const char *suffix, ValueId x, ValueId *out);
Status emit_binary(Emit *emit, Op op, const char *suffix, ValueId a, ValueId b, ValueId *out);

// An output of the model, under the model's name for it.
Status emit_output(Emit *emit, const char *name, ValueId value);
// When all is emitted: drops what leads to no output, infers, verifies.
Status emit_end(Graph *graph);

// Constants.
Status emit_tensor(Emit *emit, const char *suffix, const Tensor *tensor, ValueId *out);            // data is not copied
Status emit_ints(Emit *emit, const char *suffix, const int64_t *values, int count, ValueId *out);  // an int64 vector
Status emit_floats(Emit *emit, const char *suffix, const double *values, int count, ValueId *out); // float32 vector
Status emit_scalar(Emit *emit, const char *suffix, DType dtype, double value, ValueId *out);
// A copy of the tensor, its axes permuted as by Transpose: axis k of the result is axis perm[k] of the tensor.
Status emit_permuted(Emit *emit, const char *suffix, const Tensor *tensor, const int *perm, ValueId *out);

const Type *emit_type(const Emit *emit, ValueId value);       // valid until a value is added
const Tensor *emit_constant(const Emit *emit, ValueId value); // NULL: not known

// Moving data. perm, shape, pads: as many as x has dims. emit_first: N spatial... C to N C spatial..., emit_last the
// way back; x has a known rank of 2 at least, with 2 nothing moves.
Status emit_transpose(Emit *emit, const char *suffix, ValueId x, const int *perm, ValueId *out);
Status emit_first(Emit *emit, ValueId x, ValueId *out);
Status emit_last(Emit *emit, ValueId x, ValueId *out);
Status emit_reshape(Emit *emit, const char *suffix, ValueId x, const int64_t *shape, int rank,
                    ValueId *out); // ONNX's 0, -1
// begin[i], end[i] per dim; negative ones crop. mode: constant, reflect, edge, wrap.
Status emit_pad(Emit *emit, const char *suffix, ValueId x, const int64_t *begin, const int64_t *end, const char *mode,
                double value, ValueId *out);

// Windows over channels-first x (N C spatial...). Strides and dilations of 0 are 1. `same`: the output has
// ceil(input / stride) elements, what is padded in all is shared out, the odd one at the end (TensorFlow's SAME); the
// pads are not looked at then.
typedef struct EmitWindow {
    int spatial; // 1..3
    int64_t kernel[3], stride[3], dilation[3], pad_begin[3], pad_end[3];
    int64_t output_padding[3]; // emit_conv_transpose
    int64_t group;             // convolutions; 0 is 1
    bool same;
} EmitWindow;
// weight (oc, ic / group, kernel...); bias (oc) or NO_VALUE. window->kernel is not looked at.
Status emit_conv(Emit *emit, ValueId x, ValueId weight, ValueId bias, const EmitWindow *window, ValueId *out);
// weight (ic, oc / group, kernel...). same: the output has input * stride elements (window->kernel is needed).
Status emit_conv_transpose(Emit *emit, ValueId x, ValueId weight, ValueId bias, const EmitWindow *window, ValueId *out);
// OP_MaxPool, OP_AveragePool (which does not count pads).
Status emit_pool(Emit *emit, Op op, ValueId x, const EmitWindow *window, ValueId *out);

// (x - mean) / sqrt(variance + epsilon) * scale + bias along `axis` of x, wherever that is; all four of shape (c).
Status emit_batch_norm(Emit *emit, ValueId x, int axis, const ValueId parameters[4], double epsilon, ValueId *out);

// Resize of the spatial dims of channels-first x: to `sizes`, or by `scales` where sizes is NULL.
typedef struct EmitResize {
    const int64_t *sizes;
    const double *scales;
    const char *mode;       // nearest, linear, cubic
    const char *coordinate; // half_pixel, pytorch_half_pixel, asymmetric, align_corners
    const char *nearest;    // floor, round_prefer_floor, round_prefer_ceil, ceil; NULL: floor
    double cubic_coeff;     // 0: -0.75
} EmitResize;
Status emit_resize(Emit *emit, ValueId x, const EmitResize *resize, ValueId *out);
