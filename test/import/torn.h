// Files that are cut, changed and moved about, whatever their format: import_model has to end in a status with one
// line.
#pragma once
#include "import/import.h"
#include "test.h"

// Writes the bytes as the file `name` (test_temp) and imports it, conditions resolved. Checks that the status is one of
// those that a file may have, that there is a message of one line, and that what is imported is a right graph.
Status torn_import(const char *name, const void *bytes, size_t size);
// Cuts at every byte: how many of the beginnings gave `status`.
int torn_cuts(const char *name, const Text *whole, Status status);
// One to three bits or bytes changed, thousands of times.
void torn_flips(const char *name, const Text *whole);
// Bytes moved within the file, the first `kept` ones left alone.
void torn_moves(const char *name, const Text *whole, size_t kept);
// The n-th allocation fails, for each n until the import is done.
void torn_memory(const char *name, const Text *whole);
