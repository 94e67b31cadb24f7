// A graph of a Keras model whose weights are found.
#pragma once
#include "import/keras/layer.h"

// Sets the kind of each layer. ST_UNSUPPORTED: what is not had, all of it in one line.
Status keras_find_kinds(KerasImport *import, KerasModel *model);
// Fills import->graph: inputs, bound as the options say, layers, outputs.
Status keras_build(KerasImport *import, KerasModel *model);
