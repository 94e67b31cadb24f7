// Zip archives (PKWARE APPNOTE 6.3, with zip64) over bytes in memory. Nothing is ever written to a file.
//
//     local header, data | local header, data | ... | central directory: a row an entry | end record
//
// Everything is taken from the central directory; a local header only says how long it is itself. Refused (ST_BAD):
// rows and data that lie outside, entries that share bytes, two of one name, names that lead out of a folder ("..",
// "/x"), a deflated entry that says it unpacks to more than deflate can. ST_UNSUPPORTED: encryption, other methods than
// stored and deflated, several disks, more than ZIP_MAX_ENTRIES, deflated entries that unpack to more than 256 MiB and
// 16 times the file.
#pragma once
#include "base/memory.h"
#include "base/status.h"
#include <stdint.h>

enum { ZIP_MAX_ENTRIES = 65536 };

typedef struct ZipEntry {
    const char *name; // UTF-8, '/' between folders; a folder's own entry ends with '/'
    unsigned flags, method;
    uint32_t crc;
    size_t packed_size, size; // bytes in the archive; unpacked
    size_t offset;            // of the local header
} ZipEntry;

typedef struct Zip {
    const uint8_t *bytes;
    size_t size;
    ZipEntry *entries; // in the order of the directory
    size_t n_entries;
    const ZipEntry **by_name; // the same, sorted
} Zip;

// Reads the directory into `arena`. The bytes have to outlive the Zip.
Status zip_open(Arena *arena, const void *bytes, size_t size, Zip *out);
const ZipEntry *zip_find(const Zip *zip, const char *name); // NULL when absent

// The entry's entry->size bytes: where they lie in the archive when they are stored, else unpacked into `arena`. The
// checksum is checked, where there is one (PyTorch can leave them out). ST_BAD begins with the entry's name.
Status zip_data(Arena *arena, const Zip *zip, const ZipEntry *entry, const uint8_t **data);

// For z_stream.zalloc and zfree: zlib's memory comes through the common door.
void *zlib_take(void *context, unsigned count, unsigned size);
void zlib_give(void *context, void *pointer);
