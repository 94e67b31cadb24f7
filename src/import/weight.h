// Weights as they lie in a mapped file.
#pragma once
#include "tensor/tensor.h"

// The tensor of that type and shape whose numbers, little-endian and row-major, are `bytes`. They stay where they are,
// read-only, when they are many and lie on a multiple of their size; else they are copied into `arena`: bools, so that
// each is 0 or 1, and small lists (shapes, axes), so that what is decided by them is decided once.
// ST_BAD: another number of bytes than the shape asks for. The machine has to be little-endian, as all are that this is
// built for.
Status weight_tensor(Arena *arena, DType dtype, const Shape *shape, const uint8_t *bytes, size_t size, Tensor *out);

// The tensor's numbers as float32, each rounded to nearest: a copy in `arena`, but where they are float32 already.
Status weight_as_float(Arena *arena, const Tensor *tensor, Tensor *out);
