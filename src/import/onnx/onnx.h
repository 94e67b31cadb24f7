// ONNX files, opset 6 to 25 of the default domain (onnx.ai/onnx/repo-docs/IR.html, .../operators).
#pragma once
#include "import/import.h"

enum { ONNX_OPSET_FIRST = 6, ONNX_OPSET_LAST = 25 };

// Reads the model in out->mappings[0], the file at `path`; maps the files beside it that hold weights. Fills
// out->graph, format and opset. Errors name the place in the file, not the path.
Status onnx_import(const char *path, const ImportOptions *options, Imported *out);
