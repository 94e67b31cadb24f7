// Numbers that stand for types, layouts and memory formats in an exported program.
// Source: ScalarType, Layout, MemoryFormat of torch/_export/serde/schema.py; c10/core/ScalarType.h, Layout.h,
// MemoryFormat.h of pytorch/pytorch.
#pragma once
#include "tensor/tensor.h"

enum { EXPORT_STRIDED = 7 }; // the layout of dense tensors

DType export_dtype(int64_t number);           // DT_NONE: not had
const char *export_type_name(int64_t number); // "tensors of complex64": for messages
// The numbers that ATen's operators take for it; -1: there is none. Floats of all widths are float32, as all weights
// and inputs are here.
int64_t export_scalar_type(int64_t number);
int64_t export_layout(int64_t number);
int64_t export_memory_format(int64_t number);
