// Weights in files beside the model (github.com/onnx/onnx, docs/ExternalData.md).
#include "import/limits.h"
#include "import/onnx/tensor.h"
#include <string.h>

// "weights/a.bin" is fine; "", "/a", "../a", "a/../b", "a\\b", "c:a" are not (the last two are roads out on Windows).
static bool is_inside(const char *location) {
    if (!*location || *location == '/' || strpbrk(location, "\\:")) return false;
    for (const char *part = location;;) {
        const size_t length = strcspn(part, "/");
        if (length == 2 && memcmp(part, "..", 2) == 0) return false;
        part += length;
        if (!*part++) return true;
    }
}

// No link on the way may lead out of the model's folder. *out: the path without links, so that what is opened is what
// was looked at.
static Status check_links(const char *folder, const char *file, const char *location, Arena *scratch, char **out) {
    char *real_folder, *real_file;
    TRY(path_real(scratch, folder, &real_folder));
    TRY(path_real(scratch, file, &real_file));
    *out = real_file;
    FAIL_IF(!real_folder || !real_file, ST_BAD, "the file with weights '%s' is not there; it belongs beside the model",
            location);
    const size_t length = strcmp(real_folder, "/") == 0 ? 0 : strlen(real_folder);
    FAIL_IF(strncmp(real_folder, real_file, length) != 0 || real_file[length] != '/', ST_BAD,
            "expected weights in the model's folder, got the link '%s' that leads out of it; copy the file there",
            location);
    return ST_OK;
}

static Status map_external(OnnxData *data, const char *location) {
    FAIL_IF(!is_inside(location), ST_BAD, "expected weights in the model's folder, got the path '%s'", location);
    FAIL_IF(data->n_files == LIMIT_EXTERNAL_FILES, ST_BAD, "expected at most %d files with weights, got more",
            LIMIT_EXTERNAL_FILES);
    if (!data->files) data->files = arena_array(data->scratch, LIMIT_EXTERNAL_FILES, sizeof *data->files);
    const char *folder = path_folder(data->scratch, data->path);
    const char *file = folder ? path_join(data->scratch, folder, location) : NULL;
    if (!data->files || !file) return fail_memory(strlen(data->path) + strlen(location));
    char *real;
    PathKind kind;
    TRY(check_links(folder, file, location, data->scratch, &real));
    TRY(path_known(real, &kind));
    FAIL_IF(kind != PATH_FILE, ST_BAD, "expected the file with weights '%s', got something else", location);
    TRY(import_map(data->imported, real));
    data->files[data->n_files++] = location;
    return ST_OK;
}

// Index in data->files. The last one is looked at first: a model's tensors mostly lie in one file.
static size_t find_file(const OnnxData *data, const char *location) {
    for (size_t i = data->n_files; i-- > 0;) {
        if (strcmp(data->files[i], location) == 0) return i;
    }
    return data->n_files;
}

Status onnx_external(OnnxData *data, const char *location, int64_t offset, size_t bytes, const Mapping **out) {
    const size_t index = find_file(data, location);
    if (index == data->n_files) TRY(map_external(data, location));
    const Mapping *file = &data->imported->mappings[1 + index];
    FAIL_IF((uint64_t)offset > file->size || bytes > file->size - (size_t)offset, ST_BAD,
            "expected %zu bytes at %lld of '%s', got a file of %zu bytes; is it from another export?", bytes,
            (long long)offset, location, file->size);
    *out = file;
    return ST_OK;
}
