// What verbs tell of a model that was imported.
#pragma once
#include "app/app.h"
#include "import/import.h"

// import_model with the shapes, network and signature that the options name. bind: inputs that become constants.
Status import_with(const char *path, const stent_options *options, const NamedTensor *bind, size_t n_bind, Arena *arena,
                   Imported *out);

// "ONNX opset 17"; without operator sets the format alone.
void tell_format(const Imported *imported, Text *text);
// The key `opset`: null where the format has none.
void put_opset(JsonWriter *w, const Imported *imported);
// imported->notes: the line "note: A; B" (none: no line), and the key `notes`, a list.
void tell_notes(const Imported *imported, struct stent_result *result);
