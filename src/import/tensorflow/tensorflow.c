#include "import/tensorflow/tensorflow.h"
#include "import/limits.h"
#include "import/recognise.h"
#include "import/tensorflow/builder.h"
#include <string.h>

// The file that holds the graph is mappings[0]: mapped already, or saved_model.pb in the folder.
static Status find_files(Builder *builder) {
    Imported *imported = builder->imported;
    const char *file = "saved_model.pb";
    PathKind kind;
    TRY(path_known(builder->path, &kind));
    if (kind == PATH_FOLDER) {
        builder->folder = builder->path;
        const char *path = path_join(builder->scratch, builder->path, file);
        if (!path) return fail_memory(strlen(builder->path));
        return imported->n_mappings ? ST_OK : import_map(imported, path);
    }
    builder->folder = path_folder(builder->scratch, builder->path);
    return builder->folder ? ST_OK : fail_memory(strlen(builder->path));
}

static Status read_model(Builder *builder) {
    TRY(find_files(builder));
    const Mapping *file = &builder->imported->mappings[0];
    FAIL_IF(file->size == 0, ST_BAD, "expected a model, got an empty file");
    const PbReader message = pb_reader(file->data, file->size);
    builder->is_saved_model =
        builder->folder == builder->path || recognise_bytes(file->data, file->size) == FORMAT_SAVED_MODEL;
    if (builder->is_saved_model) return tf_read_saved_model(message, builder->scratch, &builder->model);
    return tf_read_graph_file(message, builder->scratch, &builder->model);
}

static Status import_in(Builder *builder) {
    const Status status = read_model(builder);
    if (status != ST_OK) return builder->folder == builder->path ? fail_context(status, "saved_model.pb") : status;
    builder->imported->format = builder->is_saved_model ? "TensorFlow SavedModel" : "TensorFlow GraphDef";
    TRY(graph_create(&builder->imported->graph));
    builder->graph = builder->imported->graph;
    return tf_builder_run(builder);
}

Status tensorflow_import(const char *path, const ImportOptions *options, Imported *out) {
    Arena scratch = {.limit = (size_t)LIMIT_DESCRIPTION_BYTES};
    Builder builder = {.options = options,
                       .imported = out,
                       .scratch = &scratch,
                       .path = path,
                       .known = {.resolve = options->resolve, .arena = &scratch}};
    const Status status = import_in(&builder);
    arena_free(&scratch);
    return import_intact(out, status);
}
