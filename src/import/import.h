// A model file of another framework to a graph. The format is told by the content, never by the file's name.
//
//     Imported model;
//     TRY(import_model("model.onnx", NULL, &model));
//     ... model.graph ...
//     import_free(&model);
#pragma once
#include "base/file.h"
#include "graph/graph.h"
#include "tensor/npy.h"

// The shape that an input shall have. It fixes symbolic and unknown dims; a dim that the model fixes must agree.
typedef struct InputShape {
    const char *name; // NULL: the only input that is left
    Shape shape;
} InputShape;

typedef struct ImportOptions {
    const InputShape *inputs;
    size_t n_inputs;
    const NamedTensor *bind; // inputs that become constants; the data is copied
    size_t n_bind;
    const char *arch;      // path of a graph text whose weights are named: weights without a network; NULL: none
    const char *signature; // of a SavedModel or a TensorFlow Lite model; NULL: the usual one
    // Computes in place what follows from constants and known dims (pass_resolve_shapes): the condition of an If
    // decides what the graph is. NULL: only a constant is known.
    Status (*resolve)(Graph *graph);
} ImportOptions;

// The graph and what it stands on. Weights are not copied where the file allows it: the data of constants lies in the
// mappings, read-only. So the graph, and every copy of it, must go before import_free, or with it.
typedef struct Imported {
    Graph *graph;      // owned
    Mapping *mappings; // owned: the model file first, then the files with weights beside it
    size_t n_mappings;
    const char *format; // "ONNX", "TensorFlow Lite"
    int64_t opset;      // ONNX: version of the operator set that the file was written for; else 0
    Text notes;         // what the user should know of the model ("a; b"): what was de-quantised, ignored, assumed
} Imported;

// Recognises the format and reads it. The graph has every operator in its newest form, is compacted, inferred as far
// as the constants tell (shape arithmetic is folded by a pass), and verified. All errors begin with the path.
// ST_BAD: damaged or foreign file, more than src/import/limits.h allows. ST_UNSUPPORTED: a format or an operator that
// is not had, all operators in one line. ST_USAGE: options that do not go with the model. options NULL: none. On
// failure *out is empty.
Status import_model(const char *path, const ImportOptions *options, Imported *out);
void import_free(Imported *imported); // twice is fine
// As file_intact, over all files: asked after the constants were read for the last time.
Status import_intact(const Imported *imported, Status status);

// What was read of the files need not stay in memory; what is asked for again comes back from the system's cache.
void import_drop(const Imported *imported);

// For importers: maps `path` into imported->mappings (the last one). ST_BAD beyond LIMIT_FILE_BYTES.
Status import_map(Imported *imported, const char *path);
