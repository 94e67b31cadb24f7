// Which dataset is which weight.
//
//     .h5      model_weights/LAYER      attribute weight_names: "a/kernel:0", "a/bias:0" ... in Keras' order. For a
//                                       layer that is a model: all that is trained, layer by layer, then the rest
//     .keras   layers/CLASS/vars/0, 1 ...  CLASS is the class in snake_case, with _1, _2 ... for further ones; a
//                                          model in it has layers/CLASS/layers/CLASS/... (saving_lib.py)
#pragma once
#include "import/keras/layer.h"

// Fills layer->weights of all layers, down to the models in it: names, datasets; no data is read. ST_BAD: more or fewer
// weights than a layer has.
Status keras_find_weights(KerasImport *import, const H5Object *root, KerasModel *model);

// What a layer's weights are, by its kind and settings: "Conv2D" with use_bias false has "kernel".
Status keras_list_weights(Arena *arena, KerasModel *model);
// "BatchNormalization" to "batch_normalization"; in `arena`, NULL: no memory.
const char *keras_snake_case(Arena *arena, const char *class_name);
