// A state_dict: tensors by name, as a PyTorch file holds them.
#pragma once
#include "import/import.h"

typedef struct TorchTensor {
    const char *name; // "inc.double_conv.0.weight"; without "module." and the like in front
    Tensor tensor;    // contiguous, row-major; float32 or integers; data in the mapping or in the graph's arena
} TorchTensor;

typedef struct TorchState {
    TorchTensor *tensors; // in the file's order
    size_t n_tensors;
    const TorchTensor **by_name; // the same entries, sorted
    const char *prefix;          // what stood in front of all names: "module."; "": nothing
} TorchState;

const Tensor *torch_find(const TorchState *state, const char *name); // NULL when absent

// Adds one to imported->notes, or to *notes below, with "; " in between.
void torch_note(Text *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Reads the file in imported->mappings[0], a zip of torch.save or its form before 1.6, into a graph that is there:
// imported->graph's arena takes numbers that have to be copied. `scratch` holds names and lists. Left out are counters
// (num_batches_tracked) and what is no tensor. ST_BAD: a damaged file, two tensors of one name. ST_UNSUPPORTED: no
// state_dict in it, tensors of kinds that are not had, all in one line.
Status torch_read_state(Imported *imported, Arena *scratch, TorchState *out);

// Builds the network whose weights these are into `graph` (empty; its arena takes what has to be copied): of
// options->arch where that is given, else of an architecture that is recognised by names and shapes. *notes tells which
// one it took and what it assumed. ST_UNSUPPORTED: none fits; the message shows the tensors and how to export.
Status torch_network(const TorchState *state, const ImportOptions *options, Arena *scratch, Graph *graph, Text *notes);
