// What is in a folder, for tests that compare what two runs have left.
#pragma once
#include "base/text.h"
#include "test.h"

// Adds a line a file, "NAME DIGEST", with folders walked; `below` is put in front of names ("" or "folder/"). Times in
// results.json differ from run to run and are left out of its digest. A folder that is not there has no files.
void folder_text(const char *folder, const char *below, Text *list);
size_t folder_count(const char *folder); // names in it, without "." and ".."
// How many names that end so are in the folder and below.
size_t folder_endings(const char *folder, const char *ending);
void folder_empty(const char *folder); // removes all that is in it
