// Views of a storage, as tensors of PyTorch are: its numbers, where they begin, and a step for each axis.
#pragma once
#include "import/torch/file.h"

// Element (i, j ...) is number offset + i * stride[0] + j * stride[1] ... of the storage.
typedef struct TorchView {
    DType dtype;
    Shape shape;
    int64_t offset, stride[MAX_RANK];
} TorchView;

// Where tensors go.
typedef struct TorchTarget {
    const TorchFile *file;
    Arena *arena, *scratch;   // of the numbers; of names
    size_t size;              // of all that is read, which bounds what is copied; 0: that of `file`
    size_t copied;            // bytes of numbers that were copied so far: they have a bound
    size_t n_converted;       // tensors that were no float32 and are now
    bool converted[DT_COUNT]; // their types
} TorchTarget;

// The view of the storage's `bytes` bytes, row-major: one with its own order of axes is copied once, others stay where
// they are where weight_tensor lets them. Floats of other types become float32, as the network computes in that.
// `name` of the storage is for messages. ST_BAD: a view that leaves its storage, negative dims or strides.
// ST_UNSUPPORTED: copies of more than 4 times the file and 64 MiB (a view may repeat its numbers).
Status torch_read_view(TorchTarget *target, const TorchView *view, const char *name, const uint8_t *data, size_t bytes,
                       Tensor *out);
// "3 tensors of float16 are float32 here", where some were converted.
void torch_note_converted(const TorchTarget *target, Text *notes);
