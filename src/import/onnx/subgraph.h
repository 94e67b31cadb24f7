// For converters of nodes that hold graphs: putting such a graph in, and what is known before a run.
#pragma once
#include "import/onnx/convert.h"

// The graph that is the attribute `name`. ST_BAD: absent.
Status call_subgraph(const Call *call, const char *name, const OnnxGraph **out);
// Puts its nodes in (again at each call), with values in place of its inputs; outputs[i]: what its output i is. Weights
// are there once. ST_BAD: another number of inputs, more than LIMIT_VALUES put in.
Status call_put_in(Call *call, const OnnxGraph *subgraph, const ValueId *inputs, int n_inputs, ValueId *outputs);

// The value when it is known before a run: a constant, or what options->resolve makes of constants and known dims; else
// NULL. *blame: an input of the model that keeps it from being known, or "".
Status call_known(Call *call, ValueId value, const Tensor **out, const char **blame);
