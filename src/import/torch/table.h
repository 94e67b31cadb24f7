// What a person is told of weights whose network is not known.
#pragma once
#include "import/torch/state.h"

// ST_UNSUPPORTED: `why`, the first tensors with their shapes and how many others there are, and the ways out.
Status torch_table_message(const TorchState *state, const char *why);
