// A Keras model as its configuration tells it: layers, and which layer takes what from which. Nothing of weights or
// operators.
//
//     {"class_name": "Functional", "config": {"name": ..., "layers": [LAYER ...], "input_layers": [["in", 0, 0]],
//                                             "output_layers": [["out", 0, 0]]}}
//     LAYER: {"name": "a", "class_name": "Conv2D", "config": {...}, "inbound_nodes": [CALL ...]}
//     CALL, Keras 1 and 2: [["in", 0, 0, {keywords}] ...]: layer, which of its calls, which of its outputs
//     CALL, Keras 3:       {"args": [TENSOR or [TENSOR ...] or value ...], "kwargs": {...}},
//     TENSOR: {"class_name": "__keras_tensor__", "config": {"keras_history": ["in", 0, 0]}}
//
// A Sequential is a list of layers; it becomes the same thing here. A layer that is a model itself has a KerasModel.
#pragma once
#include "graph/graph.h"
#include "import/keras/config.h"
#include "wire/hdf5.h"

enum { KERAS_DEPTH = 16, KERAS_SOURCES = 4096 }; // models inside each other; tensors of one call

typedef struct KerasLayer KerasLayer;
typedef struct KerasModel KerasModel;
typedef struct LayerKind LayerKind; // table.h

// A tensor that is taken: output `tensor` of call `node` of a layer of the same model.
typedef struct KerasSource {
    int layer; // index in model->layers
    int node, tensor;
} KerasSource;

typedef struct KerasArg {
    const char *key;      // NULL: by position
    const Json *json;     // as it stands, for what is no tensor
    int first, n_tensors; // in call->sources
    bool is_list;         // a list of tensors, even if of one
} KerasArg;

typedef struct KerasCall {
    KerasArg *args; // those by position first
    int n_args;
    KerasSource *sources;
    int n_sources;
    int id; // unique in the model, from 0
} KerasCall;

typedef struct KerasWeight {
    const char *name;  // "kernel"
    bool is_trainable; // as the layer makes it
    bool is_found, is_read;
    H5Object dataset;
    Tensor tensor; // its numbers as float32, once they are read
    ValueId value; // the constant made of it, once it is; a layer that is called twice has one
} KerasWeight;

struct KerasLayer {
    const char *name, *class_name;
    const Json *config;          // never NULL; an object
    const LayerKind *kind;       // NULL: a model, or not had
    KerasModel *model;           // NULL: none
    bool is_input, is_operation; // an operation of Keras 3 (keras.src.ops) is no layer
    bool is_custom;              // of a package that is not known: its name says nothing
    bool is_frozen;              // "trainable": false
    KerasCall *calls;
    int n_calls;
    KerasWeight *weights;
    int n_weights;
};

typedef struct KerasName {
    const char *name;
    int layer;
} KerasName;

typedef struct KerasStep {
    int layer, call;
} KerasStep;

struct KerasModel {
    const char *name;
    bool is_dict_form;   // its calls are told in the form of Keras 3
    bool is_input_added; // a Sequential that has no InputLayer; it has got one here
    KerasLayer *layers;
    int n_layers, n_calls;
    KerasName *names; // of the layers, sorted
    KerasSource *inputs, *outputs;
    int n_inputs, n_outputs;
    KerasStep *steps; // all calls, each behind those that it takes something from
};

// Reads the model and those in it, into `arena`. json: the object with "class_name" and "config". ST_BAD: what is not
// well formed, a layer that is not there, two of one name, a cycle, too deep or too large. ST_UNSUPPORTED: a model that
// is written as a class of Python, so that its configuration does not tell its layers.
Status keras_read_model(Arena *arena, const Json *json, KerasModel **out);

// Parts, used by keras_read_model: the calls of a model's layers once all the layers are known (calls.c), and the order
// of calls (order.c).
Status keras_read_calls(Arena *arena, const Json *layers, KerasModel *model);
Status keras_read_ends(Arena *arena, const Json *json, const char *what, const KerasModel *model, KerasSource **out,
                       int *count);
Status keras_order_calls(Arena *arena, KerasModel *model);
int keras_find_layer(const KerasModel *model, const char *name); // -1: none
