// Phases of a dilated convolution: the pixels whose coordinates agree modulo the dilation, an image of their own.
#pragma once
#include "kernel/kernel.h"
#include "problem/layout.h"

// rows x columns pixels of a phase, from (y, x) of a BLOCKED operand's channel block on and a dilation apart, to rows
// of `columns` pixels of `lanes` floats. Beyond the image: zero.
void phase_gather(const Kernels *kernels, const int64_t dilation[AXES], const Layout *layout, const float *block,
                  int64_t y, int64_t x, int rows, int columns, float *to);
// The way back from rows of `from_columns` pixels, of rows and columns that the image has.
void phase_scatter(const Kernels *kernels, const int64_t dilation[AXES], const Layout *layout, const float *from,
                   int64_t y, int64_t x, int rows, int columns, int from_columns, float *block);
