// TensorFlow's numbers: DataType, TensorProto.
#pragma once
#include "tensor/tensor.h"
#include "wire/protobuf.h"

enum { TF_STRING = 7, TF_RESOURCE = 20 }; // of DataType: no numbers

// Of DataType; references to variables (from 101 on) are what they refer to. ST_UNSUPPORTED names the type (strings,
// complex numbers, quantised ones).
Status tf_dtype(int64_t type, DType *out);

typedef struct TfTensor {
    int64_t type; // DataType
    Shape shape;
    Tensor tensor;    // none for strings
    size_t copied;    // bytes of the file's numbers that had to be copied or repeated
    PbReader message; // for the texts of a tensor of strings
} TfTensor;

// The tensor in `message` (TensorProto). Its data stays in the file where it lies there as numbers do in memory, else
// it is in `arena`. Of fewer numbers than its shape has, the last one is repeated. limit: bytes that may be copied.
// A tensor of strings has none of its texts looked at (tf_texts).
Status tf_tensor(PbReader message, Arena *arena, size_t limit, TfTensor *out);

// The texts of a tensor of strings, NUL-terminated, in `arena`. ST_BAD: bytes that are no text.
Status tf_texts(PbReader message, Arena *arena, const char ***out, int *count);
