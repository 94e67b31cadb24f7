// What the files share that make a graph of a model: build.c the model's own graph, subgraph.c the graphs inside of
// nodes.
#pragma once
#include "base/text.h"
#include "import/import.h"
#include "import/known.h"
#include "import/onnx/model.h"
#include "import/onnx/names.h"
#include "import/onnx/tensor.h"

typedef struct Builder {
    const OnnxModel *model;
    const ImportOptions *options;
    OnnxData *data;
    Graph *graph;
    bool *used; // by ValueId, of the values that the model names
    int used_capacity;
    int n_declared;        // ids below are inputs, weights and node outputs of the model's own graph
    int64_t n_names;       // of all graphs
    int64_t values_put_in; // and nodes, of subgraphs
    Known known;
    Text faults; // "...; ..."
    int n_faults;
    Status fault; // of all of them together: ST_BAD when one is
} Builder;

// All operators of the graph that are not had, in one line (ST_UNSUPPORTED).
Status builder_operators(const OnnxModel *model, const OnnxGraph *graph);
// Converts the Constant nodes of a graph, or the others. scope NULL: of the model's own graph, whose faults are
// collected; else the first one ends it.
Status builder_nodes(Builder *builder, const OnnxGraph *graph, const Scope *scope, bool constants);
// The value that a name stands for, or NO_VALUE.
ValueId builder_find(const Builder *builder, const Scope *scope, const char *name);
// Notes whether the model reads the value.
Status builder_mark(Builder *builder, ValueId value, bool used);
