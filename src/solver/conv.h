// What the convolution solvers share.
#pragma once
#include "solver/solver.h"

// The border that a convolution reads beyond its input: in front the pads, behind what the last window reaches.
void conv_border(const Problem *problem, OperandNeed *need);
// Where tap (d, h, w) of the kernel lies from the input pixel of an output, in floats; ST_UNSUPPORTED beyond 2^31.
Status conv_offset(const Problem *problem, int64_t d, int64_t h, int64_t w, int32_t *out);
// Room among the weights for the bias, filled up to whole channel blocks with zeros, and the phase that writes it.
// Nothing when the problem has no bias.
Status conv_lower_bias(const Problem *problem, Lowering *lowering, Ref *bias);
// The same for scale and shift of the pooled copy, the scale first; nothing when it has none.
Status conv_lower_pool(const Problem *problem, Lowering *lowering, Ref *factors);
// Adds the pooled copy's part to the epilogue of output channel block `block` on.
void conv_pool_epilogue(const Problem *problem, char *const *bases, Ref factors, int64_t block, int lanes,
                        Epilogue *epilogue);
// The epilogue of output channel block `block` on.
Epilogue conv_epilogue(const Problem *problem, char *const *bases, Ref bias, int64_t block, int lanes);
