// The files of torch.export.save, all of them zips (Source: torch/export/__init__.py and torch/export/pt2_archive of
// pytorch/pytorch 2.5.1, 2.8.0 and 2.15.0):
//
//   before 2.8  serialized_exported_program.json     the program
//               serialized_state_dict.pt             weights: a file of torch.save
//               serialized_constants.pt              constants of the program, buffers that a state_dict leaves out
//   2.8         NAME/models/MODEL.json               the program
//               NAME/data/weights/MODEL.pt, NAME/data/constants/MODEL.pt
//   after it    NAME/data/weights/MODEL_weights_config.json, NAME/data/constants/MODEL_constants_config.json: type,
//   dims,
//               strides of each, and the file whose numbers it is a view of: NAME/data/weights/weight_0 ...
//
// Beside them lie the version, example inputs, and what others add (NAME/extra/..., NAME/data/aotinductor/...).
#pragma once
#include "base/file.h"
#include "import/export/payload.h"

typedef struct ExportArchive {
    Zip zip;
    const ZipEntry *program; // JSON
    const char *text;
    Payload weights, constants; // constants: buffers that are not persistent, too
} ExportArchive;

// Reads the directory, the program's text and what is said of weights, without their numbers; `scratch` holds all.
// ST_UNSUPPORTED: no program in it, or several; a version that is not known.
Status archive_open(const Mapping *file, Arena *scratch, ExportArchive *out);
