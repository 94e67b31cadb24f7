// Writes zip archives for tests: stored or deflated, honest or not.
#pragma once
#include "base/text.h"

typedef struct ZipMaker {
    Text bytes, directory; // what stands so far; the central directory, which comes behind it
    unsigned entries;
    bool zip64; // sizes and offsets as zip64 has them
} ZipMaker;

// A file of the archive: stored, its data at a multiple of `align` bytes (1: anywhere), or deflated.
void zip_add(ZipMaker *zip, const char *name, const void *data, size_t size, unsigned align);
void zip_add_deflated(ZipMaker *zip, const char *name, const void *data, size_t size);
// One whose row says what it likes.
void zip_add_lying(ZipMaker *zip, const char *name, unsigned method, size_t packed_size, size_t size, size_t offset);
// Puts the directory behind the files; bytes.data, bytes.length are the archive then. Text_free both.
void zip_end(ZipMaker *zip);
void zip_forget(ZipMaker *zip);
