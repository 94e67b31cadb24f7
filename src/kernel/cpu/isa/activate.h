// The activations that cost an instruction or two and run inside the epilogues. All others go over the finished row
// once more, while it is in L1 (elementwise.c).
#pragma once
#include "kernel/cpu/isa/isa.h"
#include "tensor/function.h"

INLINE vf activate(const Function function, vf alpha, vf beta, vf x) {
    switch (function) {
    case FN_RELU: return vmax(vzero(), x); // NaN stays NaN: the second operand is returned
    case FN_LEAKY_RELU: return vselect(x < vzero(), alpha * x, x);
    case FN_CLIP: return vmin(beta, vmax(alpha, x));
    default: return x;
    }
}
// The same with a function that is known when it runs.
INLINE vf activate_as(Activation activation, vf x) {
    const vf alpha = vset1(activation.alpha), beta = vset1(activation.beta);
    switch (activation.function) {
    case FN_RELU: return activate(FN_RELU, alpha, beta, x);
    case FN_LEAKY_RELU: return activate(FN_LEAKY_RELU, alpha, beta, x);
    case FN_CLIP: return activate(FN_CLIP, alpha, beta, x);
    default: return x;
    }
}
// A function that has no place in an epilogue, over `pixels` finished vectors.
INLINE void activate_row(Activation activation, float *row, int64_t pixel, int pixels) {
    if (pixel == VL) {
        KERNEL(unary)(activation, row, row, (int64_t)pixels * VL);
        return;
    }
    for (int p = 0; p < pixels; p++) KERNEL(unary)(activation, row + p * pixel, row + p * pixel, VL);
}
