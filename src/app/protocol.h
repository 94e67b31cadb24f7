// verify --protocol: the page.
#pragma once
#include "app/app.h"

// Writes what `result` tells so far, and what the open package is, as a page to `path`; atomic. `package`: its path.
Status protocol_write(const Opened *opened, const char *package, const struct stent_result *result, const char *path);
