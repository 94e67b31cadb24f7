// What every file of this folder includes: the vectors of its level, and the functions that fill the level's
// descriptor (called by ../kernels.c).
#pragma once
#include "kernel/cpu/isa/vector.h"
#include "kernel/kernel.h"

void KERNEL(fill_gemm)(Kernels *kernels);
void KERNEL(fill_finish)(Kernels *kernels);
void KERNEL(fill_winograd)(Kernels *kernels);
void KERNEL(fill_depthwise)(Kernels *kernels);
void KERNEL(fill_narrow)(Kernels *kernels);
void KERNEL(fill_convert)(Kernels *kernels);
void KERNEL(fill_elementwise)(Kernels *kernels);
void KERNEL(fill_pool)(Kernels *kernels);
void KERNEL(fill_resize)(Kernels *kernels);
void KERNEL(fill_norm)(Kernels *kernels);
void KERNEL(fill_softmax)(Kernels *kernels);
// Applies any function to `count` consecutive floats in place or not (elementwise.c).
void KERNEL(unary)(Activation function, const float *in, float *out, int64_t count);
