#include "import/onnx/onnx.h"
#include "import/limits.h"
#include "import/onnx/build.h"

static Status import_in(const char *path, const ImportOptions *options, Arena *scratch, Imported *out) {
    OnnxModel model;
    TRY(onnx_read_model(out->mappings[0].data, out->mappings[0].size, scratch, &model));
    TRY(graph_create(&out->graph));
    out->format = "ONNX";
    out->opset = model.opset;
    OnnxData data = {.path = path, .imported = out, .arena = &out->graph->arena, .scratch = scratch};
    return onnx_build(&model, options, &data);
}

Status onnx_import(const char *path, const ImportOptions *options, Imported *out) {
    Arena scratch = {.limit = (size_t)LIMIT_DESCRIPTION_BYTES};
    const Status status = import_in(path, options, &scratch, out);
    arena_free(&scratch);
    return status;
}
