// Where the weights are in the object of a PyTorch file.
#pragma once
#include "wire/pickle.h"

typedef struct TorchEntry {
    const char *name; // as the file has it
    const PickleValue *tensor;
} TorchEntry;

typedef struct TorchEntries {
    TorchEntry *at; // in the file's order
    size_t count;
    size_t n_others;  // entries that are no tensors
    const char *from; // where they were: "'model_state_dict'", "a module of class UNet"; NULL: the object itself
} TorchEntries;

// The object is a dict of names and tensors; or a dict with one in it, under one of the usual keys or the only one, a
// few levels deep; or a whole module, whose parameters and buffers get the names that its state_dict() would give them.
// ST_UNSUPPORTED: something else, with what it is. ST_BAD: more than a file may ask for.
Status torch_entries(const PickleValue *root, Arena *scratch, TorchEntries *out);
