// The layout of Kaggle's "LGG MRI segmentation" (kaggle_3m): a folder a patient, X.tif beside X_mask.tif. A folder of
// such pairs alone is one patient.
#include "app/dataset/inside.h"
#include "base/file.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

static Status take_file(void *context, Dataset *dataset, const char *below, const char *name, const char *path) {
    static const size_t suffix = 5; // "_mask"
    const size_t length = name_stem(name);
    char *stem = arena_string_n(&dataset->arena, name, length);
    if (!stem) return fail_memory(length);
    const bool is_mask = text_ends(stem, "_mask");
    if (is_mask) stem[length - suffix] = 0;
    if (is_mask && !*stem) return dataset_fault(dataset, path, "bad name", "a mask of no name: expected NAME_mask");
    if (name_says_mask(stem))
        return dataset_fault(dataset, path, "bad name",
                             "neither a picture nor a mask by its name: masks are called NAME_mask");
    return found_add(context, &(Found){below, stem, path, is_mask, 0});
}
static const char *patient_of(Dataset *dataset, const Found *found) {
    return *found->below ? found->below : dataset->name;
}
static const char *name_of(Dataset *dataset, const Found *found) {
    return path_join(&dataset->arena, patient_of(dataset, found), found->stem);
}

// ---- names that say that the slice is of another patient, or none of this data set

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}
static bool has_name(const char *const *names, size_t count, const char *name) {
    return bsearch(&name, names, count, sizeof *names, compare_names) != NULL;
}
// The folder that a file's name begins with ("P_3" in "P"); "": none of them.
static void folder_named(const char *const *names, size_t count, const char *stem, char *out, size_t room) {
    for (size_t length = strlen(stem); length > 0; length--) {
        if ((stem[length] && !strchr("_-. ", stem[length])) || length >= room) continue;
        memcpy(out, stem, length), out[length] = 0;
        if (has_name(names, count, out)) return;
    }
    *out = 0;
}
// "P_12" in folder P.
static bool is_numbered(const DatasetCase *one) {
    const char *patient = path_name(one->patient), *stem = path_name(one->name);
    const size_t length = strlen(patient);
    if (strncmp(stem, patient, length) || stem[length] != '_') return false;
    return stem[length + 1] && !stem[length + 1 + strspn(stem + length + 1, "0123456789")];
}
// Whether the data set keeps to such names: nearly all do.
static bool all_are_numbered(const Dataset *dataset) {
    size_t numbered = 0;
    for (size_t i = 0; i < dataset->n_cases; i++) numbered += is_numbered(&dataset->cases[i]);
    return numbered >= 4 && numbered * 5 >= dataset->n_cases * 4;
}
static Status list_folders(const Dataset *dataset, Arena *arena, const char ***out, size_t *count) {
    *count = 0;
    *out = arena_array(arena, dataset->n_cases + 1, sizeof **out);
    if (!*out) return fail_memory(dataset->n_cases * sizeof **out);
    for (size_t i = 0; i < dataset->n_cases; i++) {
        const char *own = path_name(dataset->cases[i].patient);
        if (!*count || strcmp((*out)[*count - 1], own)) (*out)[(*count)++] = own;
    }
    if (*count) qsort(*out, *count, sizeof **out, compare_names);
    return ST_OK;
}
// A fault, or *good.
static Status check_name(Dataset *dataset, const DatasetCase *one, const char *const *names, size_t count,
                         bool numbered, bool *good) {
    char other[256];
    const char *patient = path_name(one->patient);
    folder_named(names, count, path_name(one->name), other, sizeof other);
    *good = false;
    if (*other && strcmp(other, patient))
        return dataset_fault(dataset, one->pictures[0], "patient",
                             "the name is of patient %s, the folder is of another one", other);
    if (numbered && !is_numbered(one))
        return dataset_fault(dataset, one->pictures[0], "bad name", "expected %s_NUMBER, as the others are called",
                             patient);
    *good = true;
    return ST_OK;
}
static Status check_names(Dataset *dataset) {
    Arena arena = {0};
    const char **names;
    size_t count, kept = 0;
    const bool numbered = all_are_numbered(dataset);
    Status status = list_folders(dataset, &arena, &names, &count);
    for (size_t i = 0; i < dataset->n_cases && status == ST_OK; i++) {
        const DatasetCase one = dataset->cases[i];
        bool good;
        status = check_name(dataset, &one, names, count, numbered, &good);
        if (good) dataset->cases[kept++] = one;
    }
    if (status == ST_OK) dataset->n_cases = kept;
    arena_free(&arena);
    return status;
}

Status dataset_list_kaggle(Dataset *dataset) {
    FoundList list = {0};
    Status status = dataset_walk(dataset, dataset->path, take_file, &list);
    if (status == ST_OK) status = dataset_pair(dataset, &list, 1, patient_of, name_of);
    if (status == ST_OK) status = check_names(dataset);
    mem_free(list.items);
    return status;
}
