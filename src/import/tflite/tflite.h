// TensorFlow Lite models (.tflite), float and quantised. Sources: tensorflow/lite/schema/schema.fbs (fields and enums),
// ai.google.dev/edge/litert/models/quantization_spec, tensorflow.org/api_docs/python/tf/raw_ops (what operators mean).
//
// Inputs and outputs keep the model's layout (channels last), dtype and names, those of its signature where it has one.
// A quantised model is computed in float32: weights are de-quantised once, activations are not rounded but kept within
// the range of their 8 or 16 bits; out->notes says so.
#pragma once
#include "import/import.h"

// The file is out->mappings[0]. Messages are without the path. options->signature: the key of the signature to take,
// and its subgraph with it; NULL: the first subgraph.
Status tflite_import(const char *path, const ImportOptions *options, Imported *out);
