// Checkpoints (tensor bundles): PREFIX.index, a table of what is where, and PREFIX.data-00000-of-00001 ... with the
// numbers. Source: tensorflow/core/protobuf/tensor_bundle.proto, tensorflow/core/util/tensor_bundle/tensor_bundle.h.
#pragma once
#include "import/import.h"
#include "wire/sstable.h"

typedef struct Bundle {
    Imported *imported; // owns the mappings
    Arena *scratch;
    const char *prefix; // path
    const char *name;   // the prefix as messages tell it: "variables/variables"
    Sstable table;
    int n_shards;
    int *mappings;                     // of shard i: an index in imported->mappings, -1: not mapped yet
    uint64_t mapped_bytes, read_bytes; // of the files with numbers; of tensors that were read
} Bundle;

// Maps and reads PREFIX.index. ST_BAD: it is not there, damaged, not of a checkpoint; ST_UNSUPPORTED: big-endian,
// compressed.
Status tf_bundle_open(Bundle *bundle, Imported *imported, Arena *scratch, const char *prefix, const char *name);
bool tf_bundle_has(const Bundle *bundle, const char *key);
// The tensor of that key: in place where it is aligned, else in `arena` (*copied: bytes). Its checksum is compared.
// ST_BAD: no such key, a file with numbers that is not there or too short, another number of bytes than the shape asks
// for. ST_UNSUPPORTED: a tensor in slices (partitioned), by its name; strings.
Status tf_bundle_tensor(Bundle *bundle, const char *key, Arena *arena, Tensor *out, size_t *copied);
// The first text of a tensor of strings. Valid as long as the mappings are.
Status tf_bundle_text(Bundle *bundle, const char *key, const uint8_t **bytes, size_t *size);
