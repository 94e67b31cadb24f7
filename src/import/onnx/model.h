// An ONNX file as plain structs: what stands there, not what it means. Tensors stay where they are in the file.
#pragma once
#include "base/memory.h"
#include "tensor/tensor.h"
#include "wire/protobuf.h"

// AttributeProto.AttributeType
typedef enum OnnxAttrType {
    ONNX_ATTR_NONE,
    ONNX_ATTR_FLOAT,
    ONNX_ATTR_INT,
    ONNX_ATTR_STRING,
    ONNX_ATTR_TENSOR,
    ONNX_ATTR_GRAPH,
    ONNX_ATTR_FLOATS,
    ONNX_ATTR_INTS,
    ONNX_ATTR_STRINGS,
    ONNX_ATTR_OTHER
} OnnxAttrType;
const char *onnx_attr_type_name(OnnxAttrType type);

typedef struct OnnxAttr {
    const char *name;
    OnnxAttrType type;
    int64_t i;
    double f;
    const char *s;
    const int64_t *ints;
    const double *floats;
    const char **strings;
    size_t count;    // of ints, floats, strings
    PbReader tensor; // TensorProto
    struct OnnxGraph *graph;
    bool reference; // stands for an attribute of the function around it
} OnnxAttr;

typedef struct OnnxNode {
    const char *name, *op, *domain; // "" where absent; domain "ai.onnx" is ""
    const char **inputs, **outputs; // "": absent
    int n_inputs, n_outputs;
    OnnxAttr *attrs;
    int n_attrs;
} OnnxNode;
const OnnxAttr *onnx_attr(const OnnxNode *node, const char *name); // NULL when absent

typedef struct OnnxTensor {
    const char *name;
    PbReader message; // TensorProto
} OnnxTensor;

// A graph input. A dim is its number, or -1 with its symbol in `param` (NULL: none).
typedef struct OnnxInput {
    const char *name;
    bool is_tensor;
    int64_t element; // TensorProto.DataType, 0 when absent
    int rank;        // -1: not told
    int64_t dim[MAX_RANK];
    const char *param[MAX_RANK];
} OnnxInput;

// The model's own graph, or one that a node holds as an attribute (a branch of If, the body of a Scan).
typedef struct OnnxGraph {
    const char *name;
    OnnxNode *nodes;
    OnnxTensor *initializers;
    OnnxInput *inputs;
    const char **outputs;
    int n_nodes, n_initializers, n_inputs, n_outputs;
    struct Names *names; // of the builder (names.h)
} OnnxGraph;

typedef struct OnnxModel {
    int64_t opset; // of the default domain
    OnnxGraph graph;
    const char **functions; // "domain.name" of the functions that the file defines
    int n_functions;
} OnnxModel;

// Everything is in `arena`, strings and lists too. ST_BAD: damaged, or beyond the limits; ST_UNSUPPORTED: another
// opset, sparse initializers.
Status onnx_read_model(const void *bytes, size_t size, Arena *arena, OnnxModel *out);

// A list of integers / floats that is field `number` of `message`. Too many: ST_BAD naming `what`.
Status onnx_read_ints(PbReader message, uint32_t number, size_t limit, Arena *arena, const int64_t **out,
                      size_t *count);
