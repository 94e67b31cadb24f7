// A TensorFlow model as plain structs: what stands there, not what it means. Attributes stay in the file.
#pragma once
#include "graph/graph.h"
#include "wire/protobuf.h"

typedef struct TfAttr {
    const char *name;
    PbReader value; // AttrValue
} TfAttr;

// An input of a node: output `index` of output argument `arg` of a node of the same body, or an argument of the
// function around it.
typedef struct TfInput {
    const char *text; // as it stands there
    int node;         // -1: an argument, or nothing that is there
    int argument;     // -1: a node, or nothing that is there
    const char *arg;  // NULL: not told; the outputs are counted through
    int index;
} TfInput;

typedef struct TfNode {
    const char *name, *op;
    TfInput *inputs; // without those that only order ("^node")
    int n_inputs;
    int *controls; // nodes of those that order; -1: not there
    int n_controls;
    TfAttr *attrs; // without TensorFlow's own ("_output_shapes")
    int n_attrs;
} TfNode;

typedef struct TfName {
    const char *name;
    int index;
} TfName;
typedef struct TfNames {
    TfName *list; // in the order of the names
} TfNames;
int tf_find_name(const TfNames *names, int count, const char *name); // its index; -1: not there

typedef struct TfBody {
    TfNode *nodes;
    int n_nodes;
    int64_t n_inputs; // of all nodes together
    TfNames names;
} TfBody;
int tf_body_find(const TfBody *body, const char *name); // -1: no such node

typedef struct TfArguments {
    int count;
    TfNames names;
} TfArguments;

typedef struct TfFunction {
    const char *name;
    PbReader message; // FunctionDef
    bool is_read;     // what follows is there (tf_read_function)
    TfBody body;
    TfArguments arguments, results;
    TfInput *returns; // of result i
} TfFunction;

typedef struct TfGraph {
    TfBody body;
    TfFunction *functions; // in the order of their names
    int n_functions;
} TfGraph;
TfFunction *tf_find_function(const TfGraph *graph, const char *name); // NULL: not there

// A tensor that goes in or out of the model.
typedef struct TfPort {
    const char *name; // for the user
    const char *node;
    int output;
    int64_t dtype; // DataType, 0: not told
    Type shape;    // its dims only; DIM_UNKNOWN where not told, rank -1
    ValueId value; // of an input: the graph's
} TfPort;

typedef struct TfSignature {
    const char *name;
    TfPort *inputs, *outputs; // in the order of their names
    int n_inputs, n_outputs;
} TfSignature;

typedef struct TfModel {
    TfGraph graph;
    TfSignature *signatures;
    int n_signatures;
    const char *restore; // the node that reads a checkpoint, "" when not told
} TfModel;

// Everything is in `arena`. ST_BAD: damaged, or beyond the limits. A function's nodes are read by tf_read_function
// only, as most functions of a SavedModel are for training.
Status tf_read_saved_model(PbReader message, Arena *arena, TfModel *out);
// A GraphDef, or a MetaGraphDef.
Status tf_read_graph_file(PbReader message, Arena *arena, TfModel *out);
Status tf_read_function(TfFunction *function, Arena *arena);

// TensorShapeProto. ST_UNSUPPORTED: more than MAX_RANK dims.
Status tf_read_shape(PbReader message, Type *out);
// "node", "node:1"; "^node" has no output.
Status tf_split_name(const char *text, Arena *arena, const char **node, int *output);
