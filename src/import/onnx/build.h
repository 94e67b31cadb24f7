// An ONNX model, as read, to a graph.
#pragma once
#include "import/import.h"
#include "import/onnx/model.h"
#include "import/onnx/tensor.h"

// Fills the empty graph data->imported->graph: complete, compacted, inferred and verified. Faults of several nodes and
// weights are told together. Statuses as of import_model.
Status onnx_build(const OnnxModel *model, const ImportOptions *options, OnnxData *data);
