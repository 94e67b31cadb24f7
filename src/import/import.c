#include "import/import.h"
#include "import/export/export.h"
#include "import/keras/keras.h"
#include "import/limits.h"
#include "import/onnx/onnx.h"
#include "import/recognise.h"
#include "import/script/script.h"
#include "import/tensorflow/tensorflow.h"
#include "import/tflite/tflite.h"
#include "import/torch/torch.h"

Status import_map(Imported *imported, const char *path) {
    const int64_t size = file_size(path);
    FAIL_IF(size > LIMIT_FILE_BYTES, ST_BAD, "%s: expected at most %lld bytes, got %lld", path,
            (long long)LIMIT_FILE_BYTES, (long long)size);
    Mapping *grown = mem_resize(imported->mappings, (imported->n_mappings + 1) * sizeof *grown);
    if (!grown) return fail_memory((imported->n_mappings + 1) * sizeof *grown);
    imported->mappings = grown;
    TRY(file_map(path, &grown[imported->n_mappings]));
    imported->n_mappings++;
    return ST_OK;
}

Status import_intact(const Imported *imported, Status status) {
    for (size_t i = 0; i < imported->n_mappings; i++) status = file_intact(&imported->mappings[i], status);
    return status;
}

// Each reads the model at `path` (for a file: out->mappings[0]) into *out; messages are without the path.
typedef Status Importer(const char *path, const ImportOptions *options, Imported *out);

static const struct {
    Format format;
    Importer *import;
} importers[] = {
    {FORMAT_ONNX, onnx_import},
    {FORMAT_TORCH_ZIP, torch_import},
    {FORMAT_PICKLE, torch_import},
    {FORMAT_TORCH_PT2, export_import},
    {FORMAT_TORCHSCRIPT, script_import},
    {FORMAT_HDF5, keras_import},
    {FORMAT_KERAS_ZIP, keras_import},
    {FORMAT_TFLITE, tflite_import},
    {FORMAT_SAVED_MODEL, tensorflow_import},
    {FORMAT_FROZEN_GRAPH, tensorflow_import},
};

// Options that mean nothing to a format are refused rather than ignored.
static Status check_options(Format format, const ImportOptions *options) {
    const bool signs = format == FORMAT_SAVED_MODEL || format == FORMAT_FROZEN_GRAPH || format == FORMAT_TFLITE;
    const bool weights = format == FORMAT_TORCH_ZIP || format == FORMAT_PICKLE;
    FAIL_IF(options->arch && !weights, ST_USAGE, "--arch goes with a file of weights; this one holds its own network");
    FAIL_IF(options->signature && !signs, ST_USAGE, "--signature goes with TensorFlow's files, which this is not");
    return ST_OK;
}

static Status import_as(Format format, const char *path, const ImportOptions *options, Imported *out) {
    TRY(format_status(format));
    TRY(check_options(format, options));
    for (size_t i = 0; i < COUNT_OF(importers); i++) {
        if (importers[i].format == format) return importers[i].import(path, options, out);
    }
    return fail(ST_UNSUPPORTED, "a format that is not read");
}

void import_drop(const Imported *imported) {
    for (size_t i = 0; i < imported->n_mappings; i++)
        file_drop_pages(&imported->mappings[i], imported->mappings[i].data, imported->mappings[i].size);
}

static Status read_mapped(const char *path, const ImportOptions *options, Imported *out) {
    TRY(import_as(recognise_bytes(out->mappings[0].data, out->mappings[0].size), path, options, out));
    import_drop(out);
    return ST_OK;
}

static Status check_shape_names(const ImportOptions *options) {
    for (size_t i = 0; i < options->n_inputs; i++) {
        FAIL_IF(!options->inputs[i].name && options->n_inputs > 1, ST_USAGE,
                "expected a name with each of several input shapes, got one without");
    }
    return ST_OK;
}

static Status read_folder(const char *path, const ImportOptions *options, Imported *out) {
    Format format;
    TRY(recognise_folder(path, &format));
    FAIL_IF(format == FORMAT_UNKNOWN, ST_BAD,
            "expected a model file, or the folder of a SavedModel (saved_model.pb); got another folder");
    const Status status = import_as(format, path, options, out);
    import_drop(out);
    return status;
}
static Status read_any(const char *path, const ImportOptions *options, Imported *out) {
    TRY(check_shape_names(options));
    PathKind kind;
    TRY(path_known(path, &kind));
    if (kind == PATH_FOLDER) {
        const Status status = read_folder(path, options, out);
        return status == ST_OK ? ST_OK : fail_context(status, "%s", path);
    }
    if (file_size(path) == 0) return fail(ST_BAD, "%s: expected a model, got an empty file", path);
    TRY(import_map(out, path)); // names the path itself
    const Status status = read_mapped(path, options, out);
    return import_intact(out, status == ST_OK ? ST_OK : fail_context(status, "%s", path));
}

Status import_model(const char *path, const ImportOptions *options, Imported *out) {
    static const ImportOptions none;
    *out = (Imported){0};
    const Status status = read_any(path, options ? options : &none, out);
    if (status != ST_OK) import_free(out);
    return status;
}

void import_free(Imported *imported) {
    graph_free(imported->graph);
    for (size_t i = 0; i < imported->n_mappings; i++) file_unmap(&imported->mappings[i]);
    mem_free(imported->mappings);
    text_free(&imported->notes);
    *imported = (Imported){0};
}
