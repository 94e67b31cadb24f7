// PyTorch's weights: files of torch.save that hold a state_dict, a training checkpoint or a whole module. They don't
// say what the network computes; see torch_network.
#pragma once
#include "import/import.h"

// Reads the file in out->mappings[0]. Fills out->graph, format, opset (0) and notes. Errors name the place in the file,
// not the path.
Status torch_import(const char *path, const ImportOptions *options, Imported *out);
