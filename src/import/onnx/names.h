// The names of a graph inside a node. They hide those of the graphs around it; those of other graphs are not seen.
#pragma once
#include "graph/graph.h"
#include "import/onnx/model.h"

typedef struct Name {
    const char *name;
    bool used;        // some node, or an output, reads it
    ValueId constant; // of a weight or a Constant node, which are made once; else NO_VALUE
} Name;

typedef struct Names {
    Name *at; // inputs, weights and outputs of nodes, sorted
    int count;
    bool loaded; // weights and Constant nodes are made
} Names;

// A graph that is being put in, and those around it.
typedef struct Scope {
    const struct Scope *outer; // NULL: the model's own graph is around it
    const OnnxGraph *graph;
    ValueId *values; // of the names, in their order
} Scope;

// Makes graph->names. ST_BAD: a name twice.
Status names_make(OnnxGraph *graph, Arena *arena);
int names_find(const Names *names, const char *name); // -1: not there
