// Tensors of an ONNX file: TensorProto to Tensor, and the files beside the model that hold weights.
#pragma once
#include "import/import.h"
#include "wire/protobuf.h"

// Of TensorProto.DataType. ST_UNSUPPORTED names the type (strings, complex numbers, 8 bit floats, 4 bit integers).
Status onnx_dtype(int64_t element, DType *out);

// Where tensors' data comes from and goes to.
typedef struct OnnxData {
    const char *path;   // of the model
    Imported *imported; // owns the mappings
    Arena *arena;       // data that has to be copied
    Arena *scratch;     // dropped after the import
    const char **files; // names of the external files that are mapped
    size_t n_files;     // file i is imported->mappings[1 + i]
} OnnxData;

// The tensor in `message` (TensorProto). Its data stays in the mapping, read-only, when there is much of it, and it
// lies there as numbers do in memory and on a multiple of their size; else it is copied. The machine has to be
// little-endian, as all are that this is built for.
Status onnx_tensor(PbReader message, OnnxData *data, Tensor *out);

// The file `location`, mapped, which has `bytes` bytes at `offset`. It has to lie in the model's folder or below:
// ST_BAD for an absolute path, "..", and links that lead out. *out is valid until the next file is mapped.
Status onnx_external(OnnxData *data, const char *location, int64_t offset, size_t bytes, const Mapping **out);
