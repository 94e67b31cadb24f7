// The activations that cost an instruction or two and run inside the epilogues. All others go over the finished row
// once more, while it is in L1 (elementwise.c).
#pragma once
#include "kernel/cpu/isa/vector.h"
#include "tensor/function.h"

INLINE vf activate(const Function function, vf alpha, vf beta, vf x) {
    switch (function) {
    case FN_RELU: return vmax(vzero(), x); // NaN stays NaN: the second operand is returned
    case FN_LEAKY_RELU: return vselect(x < vzero(), alpha * x, x);
    case FN_CLIP: return vmin(beta, vmax(alpha, x));
    default: return x;
    }
}
