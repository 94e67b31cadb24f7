// Weights and constants of an exported program, by name.
#pragma once
#include "base/zip.h"
#include "import/export/names.h"
#include "import/torch/tensor.h"

// A run of numbers that weights are views of: a file of the archive.
typedef struct PayloadFile {
    const ZipEntry *entry;
    const uint8_t *data; // NULL: not read yet
} PayloadFile;

// One tensor: a view of a file's numbers, or a tensor in the object of a file of torch.save.
typedef struct PayloadEntry {
    const char *name;         // "encoder.conv1.weight"
    const char *missing;      // what keeps it from being read: "numbers of a type that is not had"; NULL: nothing
    const TorchFile *pickled; // NULL: a view
    const PickleValue *value;
    int32_t file; // in payload->files
    TorchView view;
} PayloadEntry;

typedef struct Payload {
    const Zip *zip;
    Arena *scratch;
    PayloadEntry *entries;
    PayloadFile *files;
    NameTable names, paths; // of entries, of files
    int count, capacity, n_files, files_capacity;
} Payload;

// Adds what a file of torch.save holds: a dict of names and tensors.
Status payload_add_pickled(Payload *payload, const ZipEntry *entry);
// Adds what a list says, {"config": {NAME: {"path_name": ..., "tensor_meta": {...}}}}; the numbers are in `folder`.
Status payload_add_config(Payload *payload, const ZipEntry *entry, const char *folder);

// *found false: none of that name. ST_BAD: a view that leaves its file, a file that is not there. ST_UNSUPPORTED: a
// kind of tensors that is not had.
Status payload_read(Payload *payload, const char *name, TorchTarget *target, bool *found, Tensor *out);
