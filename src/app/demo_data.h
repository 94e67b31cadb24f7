// The demo's data, which is part of the library.
#pragma once
#include "base/status.h"

// Writes phantom-unet.onnx, its pipeline, expected.json and volume/ (examples/phantom) below `folder`, which is made.
Status demo_data_unpack(const char *folder);
