// The names of a program's outputs, by what its forward() returns.
#pragma once
#include "base/json.h"
#include "base/memory.h"

// Gives `count` names. `spec` is the tree as PyTorch writes it (torch/utils/_pytree.py, version 1): {"out": ..., "aux":
// (..., ...)} has the leaves "out", "aux.0", "aux.1". Where it tells no keys, or not for as many leaves: "output",
// "output_1" ... `fields`: the fields of named tuples, by type; may have no text.
Status tree_names(Arena *arena, const char *spec, const JsonPart *fields, int count, const char **names);
