// The program: its inputs, a walk through its nodes, its outputs.
// Source of the format: torch/_export/serde/schema.py of pytorch/pytorch.
#pragma once
#include "import/aten/alias.h"
#include "import/export/archive.h"
#include "import/export/dims.h"
#include "import/export/scope.h"

typedef struct ExportOutput {
    const char *name;
    const Json *arg; // a union that names its value
} ExportOutput;

typedef struct ExportProgram {
    Aten *aten;
    AtenAliases aliases;
    ExportArchive *archive;
    TorchTarget target; // of weights
    Arena *scratch;     // of what is needed until the end
    DimRanges ranges;
    Scope scope;                              // of the outermost graph
    JsonPart graph, signature, calls, fields; // of the text
    ExportOutput *outputs;
    int n_outputs, n_nodes; // nodes: so far
    int n_fixed;            // outputs that are no tensors
    NameTable reserved;     // the names of outputs, which nothing else may have
} ExportProgram;

// outputs.c. Their names come first, so that nothing else takes them.
Status program_name_outputs(ExportProgram *program);
Status program_give_outputs(ExportProgram *program);
// inputs.c: inputs of the model, weights, constants.
Status program_read_inputs(ExportProgram *program);
// nodes.c: the calls.
Status program_read_nodes(ExportProgram *program);

// `name` for a value of the graph, or another where it is that of an output.
Status program_name(const ExportProgram *program, const char *name, const char **out);
