// A TensorFlow Lite file as plain structs: what stands there, not what it means. Weights stay where they are.
#pragma once
#include "tensor/tensor.h"
#include "wire/flatbuffer.h"

// TensorType
enum {
    TFLITE_FLOAT32,
    TFLITE_FLOAT16,
    TFLITE_INT32,
    TFLITE_UINT8,
    TFLITE_INT64,
    TFLITE_STRING,
    TFLITE_BOOL,
    TFLITE_INT16,
    TFLITE_COMPLEX64,
    TFLITE_INT8,
    TFLITE_FLOAT64,
    TFLITE_COMPLEX128,
    TFLITE_UINT64,
    TFLITE_RESOURCE,
    TFLITE_VARIANT,
    TFLITE_UINT32,
    TFLITE_UINT16,
    TFLITE_INT4
};

typedef struct TfliteTensor {
    const char *name;      // "" when it has none
    int type;              // TFLITE_...
    uint32_t rank;         // as the file says it: may be above MAX_RANK, `dim` has the first ones
    bool has_shape;        // false: a shape of no dims, which stands for a scalar or for an unknown rank
    int64_t dim[MAX_RANK]; // -1: not told before the run
    const uint8_t *data;   // a constant's bytes; NULL: none
    size_t size;
    FbVector scale, zero_point; // float, int64; scale.count 0: not quantised
    bool other_quantisation;    // by details that are not known here
    int axis;                   // along which scales stand where there are several
    bool is_variable, is_sparse;
} TfliteTensor;

typedef struct TfliteOperator {
    int code;                  // BuiltinOperator
    const char *custom;        // of a custom operator (code 32); "" else
    int32_t *inputs, *outputs; // tensors; -1: absent
    int n_inputs, n_outputs;
    int options_type;        // BuiltinOptions, 0: none
    FbTable options;         // of that type
    FbVector custom_options; // bytes
} TfliteOperator;

typedef struct TfliteModel {
    FbBuffer file;
    const char *name;
    TfliteTensor *tensors;
    TfliteOperator *operators;                // in the order in which they run
    int32_t *inputs, *outputs;                // tensors
    const char **input_names, **output_names; // of the signature; NULL: it has none
    int n_tensors, n_operators, n_inputs, n_outputs;
} TfliteModel;

// Everything but weights is copied into `arena`; *out must stay where it is. signature: NULL, or the key of the one to
// take (ST_USAGE: there is none of that name). ST_BAD: damaged, or beyond the limits; ST_UNSUPPORTED: another version.
Status tflite_read_model(const void *bytes, size_t size, const char *signature, Arena *arena, TfliteModel *out);
