#include "import/onnx/onnx.h"
#include "import/limits.h"
#include "import/onnx/build.h"

typedef struct ModelRead {
    const Mapping *file;
    Arena *scratch;
    OnnxModel model;
    Status status;
} ModelRead;

static void read_body(void *context) {
    ModelRead *read = context;
    read->status = onnx_read_model(read->file->data, read->file->size, read->scratch, &read->model);
}

static Status import_in(const char *path, const ImportOptions *options, Arena *scratch, Imported *out) {
    ModelRead read = {.file = &out->mappings[0], .scratch = scratch};
    TRY(file_guarded(read.file, read_body, &read));
    TRY(read.status);
    TRY(graph_create(&out->graph));
    out->format = "ONNX";
    out->opset = read.model.opset;
    OnnxData data = {.path = path, .imported = out, .arena = &out->graph->arena, .scratch = scratch};
    return onnx_build(&read.model, options, &data);
}

Status onnx_import(const char *path, const ImportOptions *options, Imported *out) {
    Arena scratch = {.limit = (size_t)LIMIT_DESCRIPTION_BYTES};
    const Status status = import_in(path, options, &scratch, out);
    arena_free(&scratch);
    return status;
}
