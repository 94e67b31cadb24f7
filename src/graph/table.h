// For src/graph and the importers: what the op table says of attributes, and inference of one node.
#pragma once
#include "graph/graph.h"

typedef struct AttrRule {
    AttrType type;
    bool is_dtype; // a string that names a dtype
} AttrRule;
bool op_attribute(Op op, const char *name, AttrRule *rule); // false: the op has no such attribute
const char *attr_type_name(AttrType type);
// Number of inputs and outputs, required inputs there, attribute names and types: what every node must satisfy
// before its inputs are looked at. Messages don't name the node.
Status node_check(const Node *node);
// Inference of one node into the values, or checked against what they have.
Status graph_infer_node(Graph *graph, const Node *node);
Status graph_check_node(const Graph *graph, const Node *node);
