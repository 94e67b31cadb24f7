// For lowering.c: a constant is converted when weights are prepared.
#pragma once
#include "solver/solver.h"

// A prepare phase that writes the constant to `out` in this layout; its border is left alone.
Status prepare_constant(Lowering *lowering, const Tensor *constant, const Layout *layout, Ref out);
