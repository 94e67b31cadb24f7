// What the files share that make a graph of a model: build.c walks over the nodes and into functions, ports.c says what
// goes in and out, variables.c reads checkpoints, call.c and convert_*.c are about one node.
#pragma once
#include "import/emit.h"
#include "import/import.h"
#include "import/known.h"
#include "import/missing.h"
#include "import/tensorflow/bundle.h"
#include "import/tensorflow/model.h"

typedef enum SlotKind {
    SLOT_ABSENT,   // an output that is not had (statistics of a normalisation)
    SLOT_VALUE,    // a value of the graph
    SLOT_VARIABLE, // a variable that is handed on, not its numbers
    SLOT_TEXT,     // strings: names of files, of variables
    SLOT_DEAD,     // of the branch that is not taken
    SLOT_MISSING,  // an operation that is not supported is on its way
    SLOT_BATCHED   // between SpaceToBatchND and BatchToSpaceND
} SlotKind;

// What an output of a node has become.
typedef struct Slot {
    SlotKind kind;
    ValueId value;                 // SLOT_VALUE
    const ValueId *parts;          // of a Pack: the values that it is made of; else NULL
    int n_parts;                   //
    const TfNode *variable;        // SLOT_VARIABLE
    const struct Batched *batched; // SLOT_BATCHED
} Slot;

// A variable of the model's own graph.
typedef struct Variable {
    const char *key; // in the checkpoint; NULL: not told by the graph
    bool sliced;
    bool loaded;
    ValueId value;
} Variable;

typedef struct Variables {
    Variable *of_node; // of node i of the model's own graph; NULL: not looked at yet
    Bundle bundle;
    bool is_open;
    TfName *objects; // names of variables as the checkpoint's objects have them, in order; index: in `keys`
    const char **keys;
    int n_objects;
} Variables;

typedef struct Builder {
    const ImportOptions *options;
    Imported *imported;
    Graph *graph;
    Arena *scratch; // dropped after the import
    const char *path;
    const char *folder; // where the checkpoint lies
    bool is_saved_model;
    TfModel model;
    Variables variables;
    Known known;
    Missing missing;
    size_t copied;                     // bytes of weights in another order, or of numbers that repeat
    int64_t frame_nodes, frame_inputs; // of all functions that were put in, and of the model's own graph
    size_t name_bytes;                 // of names that values got from nodes
    ValueId *reordered; // by ValueId: weights with their dims in the order of Conv, NO_VALUE where not made; in scratch
    int n_reordered;
} Builder;

// Takes bytes out of what may be copied of the files. ST_BAD: a small file that asks for much.
Status tf_builder_take(Builder *builder, size_t bytes);
size_t tf_builder_left(const Builder *builder); // of those

// The whole graph, from builder->model.
Status tf_builder_run(Builder *builder);

// The signature that is asked for; of a graph the one that its nodes make. ST_USAGE lists what there is.
Status tf_builder_signature(Builder *builder, TfSignature *out);

// The numbers of the variable that the node is, as a constant; read once. ST_BAD, ST_UNSUPPORTED as tf_bundle_tensor.
Status tf_builder_variable(Builder *builder, const TfNode *node, ValueId *out);

// Whether what an If or a Switch asks holds. *known false: it cannot be told before a run. ST_UNSUPPORTED: an input of
// the model decides it, which the user can make a constant.
Status tf_builder_condition(Builder *builder, const Slot *slot, bool *known, bool *holds);

// Whether the node (-1: none) says which branch of a Switch another one is in: the Switch itself, an Identity of it.
bool tf_builder_tells_branch(const TfBody *body, int node);

// Output `input->index` of argument `input->arg` among the outputs of the operation. -1: it has no such argument.
int tf_builder_output(const Builder *builder, const TfNode *node, const TfInput *input);
