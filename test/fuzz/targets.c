#define _GNU_SOURCE
#include "base/memory.h"
#include "fuzz/fuzz.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const FuzzTarget fuzz_targets[] = {
    {"onnx", fuzz_onnx},         {"recognise", fuzz_recognise},
    {"protobuf", fuzz_protobuf}, {"package", fuzz_package},
    {"graph", fuzz_graph},       {"tiff", fuzz_tiff},
    {"png", fuzz_png},           {"npy", fuzz_npy},
    {"npz", fuzz_npz},           {"json", fuzz_json},
    {"pipeline", fuzz_pipeline}, {"results", fuzz_results},
    {"profile", fuzz_profile},   {"plan", fuzz_plan},
    {"wisdom", fuzz_wisdom},     {"pickle", fuzz_pickle},
    {"torch", fuzz_torch},       {"export", fuzz_export},
    {"script", fuzz_script},     {"torchscript", fuzz_torchscript},
    {"hdf5", fuzz_hdf5},         {"keras", fuzz_keras},
    {"tflite", fuzz_tflite},     {"tensorflow", fuzz_tensorflow},
    {"sstable", fuzz_sstable},   {"report", fuzz_report},
};
const size_t fuzz_target_count = COUNT_OF(fuzz_targets);

const FuzzTarget *fuzz_find(const char *name) {
    for (size_t i = 0; i < fuzz_target_count; i++)
        if (!strcmp(fuzz_targets[i].name, name)) return &fuzz_targets[i];
    return NULL;
}

void fuzz_broken(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: %s (last message: %s)\n", file, line, what, error_message());
    abort();
}

Status fuzz_status;

void fuzz_check(Status status) {
    fuzz_status = status;
    FUZZ_REQUIRE(status == ST_OK || status == ST_BAD || status == ST_UNSUPPORTED || status == ST_RESOURCE);
    if (status != ST_OK) FUZZ_REQUIRE(*error_message() && !strpbrk(error_message(), "\n\x1b"));
    error_clear();
}

// ---- a folder in memory

static char folder[64];

static void remove_folder(void) {
    char path[PATH_MAX];
    DIR *open = opendir(folder);
    for (struct dirent *entry; open && (entry = readdir(open));) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (*entry->d_name != '.') unlink(path);
    }
    if (open) closedir(open);
    rmdir(folder);
}

const char *fuzz_folder(void) {
    if (*folder) return folder;
    snprintf(folder, sizeof folder, "%s/stent-fuzz-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    FUZZ_REQUIRE(mkdtemp(folder));
    atexit(remove_folder);
    return folder;
}

const char *fuzz_file(const char *name, const void *data, size_t size) {
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
    const int handle = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    FUZZ_REQUIRE(handle >= 0 && write(handle, data, size) == (ssize_t)size && !close(handle));
    return path;
}
