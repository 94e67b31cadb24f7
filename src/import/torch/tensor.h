// Tensors in the object of a PyTorch file: calls of torch._utils._rebuild_tensor and its kin, read as data.
#pragma once
#include "import/torch/view.h"

// A tensor or a parameter, of a kind that is had or not.
bool torch_is_tensor(const PickleValue *value);
// What keeps a tensor from being read ("torch._utils._rebuild_qtensor", "ComplexFloatStorage"); NULL: nothing that is
// known before it is read.
const char *torch_tensor_missing(const TorchFile *file, const PickleValue *value);

// The dtype and the shape of a tensor whose numbers are not asked for. ST_BAD: no tensor; ST_UNSUPPORTED: numbers of a
// kind that is not had, more than 8 dims.
Status torch_read_type(const TorchFile *file, const PickleValue *value, DType *dtype, Shape *shape);

// As torch_read_view. ST_UNSUPPORTED: more than 8 dims, too.
Status torch_read_tensor(TorchTarget *target, const PickleValue *value, Tensor *out);
