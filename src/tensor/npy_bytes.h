// The .npy format in memory, for npy.c and npz.c. Messages name no file: callers put it in front.
#pragma once
#include "tensor/tensor.h"

// The whole of a .npy file to a tensor in `arena`.
Status npy_parse(Arena *arena, const uint8_t *bytes, size_t size, Tensor *out);
// What stands before the data: magic, version 1.0 and the dictionary, padded to a multiple of 64 bytes.
Status npy_header(const Tensor *tensor, Text *out);
