// The files of torch.save, both forms (Source: torch/serialization.py, torch/_utils.py of pytorch/pytorch):
//
//   zip, since 1.6      NAME/data.pkl: the object; NAME/data/KEY: the numbers of a storage; NAME/byteorder
//   pickles in a row    a magic number, 1001, the writer's system, the object, the keys of its storages; then a storage
//                       each: int64 how many numbers, the numbers
//
// A storage is a run of numbers of one type that tensors are views of. In the object it is a persistent id:
// ('storage', type, key, device, how many numbers).
#pragma once
#include "base/file.h"
#include "base/zip.h"
#include "tensor/tensor.h"
#include "wire/pickle.h"

typedef struct TorchStorage {
    const char *key;
    const char *type;    // "FloatStorage"
    DType dtype;         // DT_NONE: numbers of a kind that is not had
    size_t item, bytes;  // of one number, 0: not known; of all
    const uint8_t *data; // NULL: not read yet
} TorchStorage;

typedef struct TorchFile {
    const PickleValue *root; // the object
    TorchStorage *storages;  // sorted by key
    size_t n_storages;
    bool is_zip;
    Zip zip;
    const char *folder;  // in the zip: "NAME/"
    const char *numbers; // in the folder: "data/"
    size_t size;        // of the file
} TorchFile;

// Reads all but the numbers; `scratch` holds it. ST_BAD: damaged; ST_UNSUPPORTED: a pickle that torch.save did not
// write, big-endian numbers.
Status torch_open(const Mapping *mapping, Arena *scratch, TorchFile *out);

// Another object in the zip of `file`: `part` ("constants") names NAME/constants.pkl and the folder of its storages,
// NAME/constants/. out->root NULL: there is none.
Status torch_open_part(const TorchFile *file, const char *part, Arena *scratch, TorchFile *out);

// The storage that a persistent id names, without its numbers; NULL: it names none.
TorchStorage *torch_storage(const TorchFile *file, const PickleValue *id);
// Makes sure that storage->data is there: in the mapping, or in `arena` where the zip is deflated.
Status torch_load(const TorchFile *file, Arena *arena, Arena *scratch, TorchStorage *storage);
