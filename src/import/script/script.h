// TorchScript: files of torch.jit.save, traced or scripted. docs/FORMATS.md says what is read.
#pragma once
#include "import/import.h"

// Reads the file in out->mappings[0]. Fills out->graph, format and notes. Errors name the place in the file or in the
// program, not the path.
Status script_import(const char *path, const ImportOptions *options, Imported *out);
