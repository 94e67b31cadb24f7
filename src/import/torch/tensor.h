// Tensors in the object of a PyTorch file: calls of torch._utils._rebuild_tensor and its kin, read as data.
#pragma once
#include "import/torch/file.h"

// A tensor or a parameter, of a kind that is had or not.
bool torch_is_tensor(const PickleValue *value);
// What keeps a tensor from being read ("torch._utils._rebuild_qtensor", "ComplexFloatStorage"); NULL: nothing that is
// known before it is read.
const char *torch_tensor_missing(const TorchFile *file, const PickleValue *value);

// Where tensors go.
typedef struct TorchTarget {
    const TorchFile *file;
    Arena *arena, *scratch;   // of the numbers; of names
    size_t copied;            // bytes of numbers that were copied so far: they have a bound
    size_t n_converted;       // tensors that were no float32 and are now
    bool converted[DT_COUNT]; // their types
} TorchTarget;

// Row-major: a view with its own order of axes is copied once, others stay in the mapping where weight_tensor lets
// them. Floats of other types become float32, as the network computes in that. ST_BAD: a view that leaves its storage.
// ST_UNSUPPORTED: more than 8 dims, copies of more than 4 times the file and 64 MiB (a view may repeat its numbers).
Status torch_read_tensor(TorchTarget *target, const PickleValue *value, Tensor *out);
