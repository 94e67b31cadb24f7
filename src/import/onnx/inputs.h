// The inputs of an ONNX graph, and what the user says of them.
#pragma once
#include "import/import.h"
#include "import/onnx/model.h"

// Adds the model's inputs to the graph; one that has a weight of the same name (as files of IR version 3 and older list
// them all) is none. Gives them the shapes of the options, and makes constants of those that are bound: the data is
// copied. A dim without number or symbol gets the symbol "input.axis".
Status onnx_add_inputs(const OnnxModel *model, const ImportOptions *options, Graph *graph);
