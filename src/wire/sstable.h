// Sorted tables of keys and values, as LevelDB writes them and TensorFlow keeps the index of a checkpoint. Sources:
// leveldb, doc/table_format.md; tensorflow/core/lib/io/format.h and table_builder.cc.
//
//     blocks of data | index block | footer (48 bytes)
//
// The footer names the index block, whose values name the blocks of data. Blocks hold entries in the order of their
// keys, each key as what it shares with the one before it and the rest. Values stay where they are in `bytes`.
#pragma once
#include "base/memory.h"
#include "base/status.h"

enum {
    SSTABLE_MAX_KEY = 4096,       // bytes of a key
    SSTABLE_MAX_ENTRIES = 262144, // of a table
};

typedef struct SstableEntry {
    const char *key; // NUL-terminated, may hold NULs
    size_t key_size;
    const uint8_t *value;
    size_t value_size;
} SstableEntry;

typedef struct Sstable {
    SstableEntry *entries; // in the order of their keys (as memcmp orders them)
    size_t count;
} Sstable;

// Reads the whole table; entries and keys are in `arena`. ST_BAD: not such a table, damaged, more than the limits
// allow ("byte N: expected ..., got ..."). ST_UNSUPPORTED: compressed blocks (Snappy, by name).
Status sstable_read(Arena *arena, const void *bytes, size_t size, Sstable *out);
// NULL: not there.
const SstableEntry *sstable_find(const Sstable *table, const char *key);
