// What the first convolution tells of an input whose shape nobody gives.
#pragma once
#include "import/script/machine.h"

// Walks forward with its first parameter as a tensor of any shape, to where that is the input of a convolution (numbers
// may be added to it and the like before): its rank and channels, float32, the other dims DIM_UNKNOWN. rank -1: the
// walk comes to something else first.
Status script_guess(Program *program, Arena *arena, Type *out);
