// numpy's .npy (versions 1 to 3, C and Fortran order, both byte orders) and .npz (stored or deflated zip; no
// encryption, no zip64 beyond 4 GiB) files. Bounded: the header's shape must match the file's size.
#pragma once
#include "tensor/tensor.h"

typedef struct NamedTensor {
    const char *name; // "" for a plain .npy
    Tensor tensor;
} NamedTensor;
Status npy_read(Arena *arena, const char *path, Tensor *out);
Status npy_write(const char *path, const Tensor *tensor);
// Reads .npy or .npz by content.
Status npz_read(Arena *arena, const char *path, NamedTensor **out, size_t *count);
Status npz_write(const char *path, const NamedTensor *tensors, size_t count); // stored, deterministic bytes
