// What goes into forward, and what comes out of it.
#pragma once
#include "import/script/machine.h"

// Nobody tells the shape of the only tensor that forward wants.
bool script_lacks_shape(const Machine *machine, const Definition *forward);
// The arguments of the model's forward, but self: an input of the graph for each tensor, called as the parameter. Its
// shape is what the user gives, else that of the trace, else what `guess` has (rank -1: nothing). ST_USAGE: none of
// these. *count: arguments that are given, which may be less than the parameters.
Status script_arguments(Machine *machine, const Definition *forward, const Type *guess, ScriptValue **args, int *count);
// The outputs of the graph: a tensor is "output", those of a tuple or a list "output", "output_1" ..., of a dict or a
// NamedTuple what they are called there.
Status script_outputs(Machine *machine, const ScriptValue *result);
