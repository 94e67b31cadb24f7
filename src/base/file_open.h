// Inside base/: what reading and mapping share.
#pragma once
#include "base/status.h"
#include <sys/stat.h>

// Opens a plain file for reading; anything else (folder, pipe, device) is ST_BAD. The caller closes *handle.
Status file_open_to_read(const char *path, int *handle, struct stat *info);
