// What the functions see that make operators of layers: the layer's configuration, its weights, its inputs.
//
//     Status keras_relu(LayerCall *call) {
//         return emit_unary(&call->emit, OP_Relu, "relu", call->x, &call->out[0]);
//     }
//
// Errors say what is wrong with the setting or the weight; build.c puts the layer's name in front. Values are never
// called as the layer alone: that name is for the model's outputs.
#pragma once
#include "import/emit.h"
#include "import/import.h"
#include "import/keras/model.h"
#include "import/missing.h"

enum { KERAS_OUTPUTS = 64 }; // of one layer

// What is told once the graph is made, and how often it was.
typedef struct KerasNotes {
    int batch_statistics; // BatchNormalization that was called with training=True
    int random;           // Dropout and the like, called so
    int half_weights;     // float16, bfloat16 or float64
    int mixed_precision;  // layers that compute in less than float32
    int old_resize;       // bilinear, from before 2.3
} KerasNotes;

typedef struct KerasImport {
    Graph *graph;
    Arena *scratch;
    const ImportOptions *options;
    int version, minor; // of the Keras that wrote the file: 1, 2, 3; and what follows the dot
    bool is_theano;     // its backend; kernels are flipped then
    bool is_zip;        // .keras
    int made;           // calls so far: a model that calls models has many
    KerasNotes notes;
} KerasImport;

typedef struct LayerCall {
    KerasImport *import;
    KerasLayer *layer;
    const LayerKind *kind; // the layer's, or that of a layer that it stands for
    const Json *config;    // the layer's, or that of an activation in it
    const KerasCall *call;
    Emit emit;
    const ValueId *inputs; // all tensors of the call
    int n_inputs;          // of the first argument, which come first
    ValueId x;             // the first one
    ValueId out[KERAS_OUTPUTS];
    int n_out; // 1 unless the function says otherwise
} LayerCall;

typedef Status LayerFunction(LayerCall *call);

// weights: names in the order in which Keras makes them, "kernel bias:use_bias | count": one is there if the setting
// behind its colon is true (it is when it is absent, but for "!name": if that setting is absent or null); those behind
// the bar are not trained.
struct LayerKind {
    const char *class_name;
    LayerFunction *import;
    int number; // spatial dims, or an Op: what the function makes of it
    const char *weights;
    bool has_activation; // the setting "activation" is a function that follows
};
// By class, without the package in front of ">"; NULL: not had. For an operation of Keras 3, or a TFOpLambda: by the
// function's name.
const LayerKind *layer_kind(const char *class_name);
const LayerKind *operation_kind(const char *name);           // keras.src.ops
const LayerKind *tensorflow_kind(const char *function_name); // "math.add", "nn.relu"

// ---- weights

bool layer_has_weight(const LayerCall *call, const char *name);
// NULL: none. Where its value is set, the constant has been made: each layer's are made once, however often it is
// called.
KerasWeight *layer_slot(const LayerCall *call, const char *name);
// ST_BAD: not there, or of another type. `weight` has 32-bit floats, and `rank` dims.
Status layer_weight(LayerCall *call, const char *name, int rank, Tensor *weight);
// Its numbers were copied, and nobody asks for them again.
void layer_weight_done(LayerCall *call, const char *name);
// A constant made of it: as it lies, or its axes permuted (NULL: as they are). dims: the shape that it must have
// before, entries of -1 are not looked at. Made once for each layer.
Status layer_constant(LayerCall *call, const char *name, const int64_t *dims, int rank, const int *perm, ValueId *out);
// The same for one that need not be there: `count` numbers, or as many of `otherwise`.
Status layer_vector(LayerCall *call, const char *name, int64_t count, double otherwise, ValueId *out);

// ---- inputs

static inline const Type *type_of(const LayerCall *call, ValueId value) { return emit_type(&call->emit, value); }
// ST_BAD unless there is one input of that rank (0: any).
Status expect_layer_input(const LayerCall *call, int rank);
// The config's data_format; `is_first` with channels behind the batch. Keras 1's "th" and "tf" too.
Status layer_is_first(const LayerCall *call, bool *is_first);
// x with channels behind the batch, and back: nothing is done for channels_first.
Status layer_to_first(LayerCall *call, ValueId x, ValueId *out);
Status layer_from_first(LayerCall *call, ValueId x, ValueId *out);
// An axis of `rank` dims, counted from 0.
Status layer_axis(const LayerCall *call, const char *key, int64_t otherwise, int rank, int *out);

// An argument of the call: by keyword, by position, or a setting of that name. Absent or null: false.
typedef struct Operand {
    const Json *json; // NULL: tensors
    const ValueId *values;
    int n_values;
    bool is_list;
} Operand;
bool call_operand(const LayerCall *call, int position, const char *key, Operand *out);
// A tensor: the operand itself, or a constant made of its number or list of numbers, of dtype `like`.
Status operand_value(LayerCall *call, const Operand *operand, DType like, const char *suffix, ValueId *out);

// ---- activations

bool activation_known(const Json *json, const char **name); // *name: of one that is not
// The function that "activation" names: a text, or {"class_name", "config"}. NULL: the identity.
Status add_activation(LayerCall *call, const Json *json, ValueId x, ValueId *out);
Status add_named_activation(LayerCall *call, const char *name, ValueId x, ValueId *out);

// Whether TimeDistributed of a layer of that class is had (NULL: no).
bool time_distributes(const char *class_name);

#define LAYERS(X)                                                                                                      \
    X(conv)                                                                                                            \
    X(depthwise)                                                                                                       \
    X(separable)                                                                                                       \
    X(conv_transpose)                                                                                                  \
    X(dense)                                                                                                           \
    X(batch_norm)                                                                                                      \
    X(layer_norm) X(group_norm) X(instance_norm) X(unit_norm) X(normalization) X(activation) X(relu) X(leaky_relu)     \
        X(prelu) X(elu) X(softmax) X(thresholded_relu) X(pool) X(global_pool) X(up_sampling) X(zero_padding)           \
            X(cropping) X(resizing) X(center_crop) X(flatten) X(reshape) X(permute) X(repeat_vector) X(identity)       \
                X(random) X(rescaling) X(merge) X(average) X(concatenate) X(old_merge) X(time_distributed)             \
                    X(multi_head_attention)
#define LAYER_FUNCTION(name) LayerFunction keras_##name;
LAYERS(LAYER_FUNCTION)
#undef LAYER_FUNCTION
