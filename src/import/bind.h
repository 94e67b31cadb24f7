// What the user says about the inputs of a model.
#pragma once
#include "import/import.h"

// Inputs that are bound become constants, shapes that are given fix dims. Called when the inputs are there and nothing
// else is: converters then see what is known. ST_USAGE: an input that the model has not, a shape or a type that does
// not go with it.
Status import_bind(Graph *graph, const ImportOptions *options);

// A dim that the model leaves free: the symbol "INPUT.AXIS".
Status import_free_dim(Graph *graph, const char *input, int axis, int64_t *dim);
