// Packages made from graph text, for tests, and ways to damage them.
#pragma once
#include "package/package.h"
#include "test.h"

// Writes a package of the graph `text` (static inputs: with a self-check by the reference; else without one) under a
// temporary name. Ends the test when that fails.
const char *make_package(const char *name, const char *text);
uint8_t *read_whole(const char *path, size_t *size); // mem_free
void write_whole(const char *path, const void *bytes, size_t size);
// Makes all hashes right again, after the bytes were changed (what an enemy would do). Does nothing where the table is
// not.
void rehash_package(uint8_t *bytes, size_t size);
enum {
    PACKAGE_GRAPH,
    PACKAGE_CONSTANTS,
    PACKAGE_PIPELINE,
    PACKAGE_SETTINGS,
    PACKAGE_CHECK,
    PACKAGE_CHECK_DATA,
    PACKAGE_DESCRIPTION,
    PACKAGE_SECTIONS
};
uint64_t section_offset(const uint8_t *bytes, int section);
uint64_t section_size(const uint8_t *bytes, int section);
void put_u64(uint8_t *at, uint64_t value);

// The container taken apart and put together again by the words of docs/FORMATS.md, so that packages of later stents
// can be made up.
typedef struct PackagePart {
    uint32_t kind, flags;
    const void *bytes;
    size_t size;
} PackagePart;
int package_parts(const uint8_t *bytes, PackagePart parts[64]); // the bytes stay the file's; gives their number
void pack_parts(const char *path, uint32_t version, const PackagePart *parts, int count);
void content_hash_of(const PackagePart *parts, int count, uint8_t digest[32]);
