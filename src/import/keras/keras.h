// Whole models that Keras has saved: .h5 (Keras 1, 2 and 3; HDF5 with the attribute model_config) and .keras (Keras 3,
// and 2 from 2.12 on; a zip of config.json, metadata.json and model.weights.h5).
//
// Facts are from Keras' public source (github.com/keras-team/keras): src/legacy/saving/legacy_h5_format.py,
// src/saving/saving_lib.py, src/saving/serialization_lib.py, src/models/functional.py, src/layers/.
#pragma once
#include "import/import.h"

// Reads the model in out->mappings[0]. Fills out->graph, format and notes. The network keeps its layout (channels last,
// mostly); inputs are called as their InputLayers, outputs as the layers that make them; dims that the model leaves
// open become the symbols "batch" and "INPUT.AXIS".
// ST_BAD: a damaged file, weights that are missing or have other shapes than the layers. ST_UNSUPPORTED: layers that
// are not had (all in one line), weights without a configuration. Errors name the layer, not the path.
Status keras_import(const char *path, const ImportOptions *options, Imported *out);
