// Programs of torch.export.save (.pt2) as graphs.
#pragma once
#include "import/import.h"

// Reads the file in out->mappings[0]; nothing in it is executed. ST_BAD: damaged. ST_UNSUPPORTED: compiled code
// (AOTInductor), several programs, operators that are not had, all in one line. ST_USAGE: shapes that the program's
// own limits of its dims do not allow.
Status export_import(const char *path, const ImportOptions *options, Imported *out);
