// TensorFlow: SavedModel folders of TF 1 and TF 2 (saved_model.pb and variables/), and graphs (GraphDef, frozen or
// with a checkpoint beside it; MetaGraphDef, a checkpoint's .meta).
#pragma once
#include "import/import.h"

// path: the folder, or one of those files (out->mappings[0]). Inputs and outputs have the signature's names (its keys)
// and layout, those of a graph the names of its nodes. options->signature: of a SavedModel, its name; of a graph, the
// nodes that are its outputs ("logits,mask"), by default those that nobody reads and that depend on a Placeholder.
// ST_BAD: damaged, more than the limits allow, variables that are not there. ST_UNSUPPORTED: operations that are not
// had, all in one line; variables in slices. ST_USAGE: no such signature.
Status tensorflow_import(const char *path, const ImportOptions *options, Imported *out);
