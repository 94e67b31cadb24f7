// The layout of Kaggle's "LGG MRI segmentation" (kaggle_3m): a folder a patient, X.tif beside X_mask.tif. A folder of
// such pairs alone is one patient.
#include "app/dataset_inside.h"
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

// ---- a slice in another patient's folder

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
static Status check_patients(Dataset *dataset) {
    Arena arena = {0};
    const char **names = arena_array(&arena, dataset->n_cases + 1, sizeof *names);
    if (!names) return fail_memory(dataset->n_cases * sizeof *names);
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < dataset->n_cases; i++) {
        const char *own = path_name(dataset->cases[i].patient);
        if (!count || strcmp(names[count - 1], own)) names[count++] = own;
    }
    if (count) qsort(names, count, sizeof *names, compare_names);
    Status status = ST_OK;
    for (size_t i = 0; i < dataset->n_cases && status == ST_OK; i++) {
        DatasetCase *one = &dataset->cases[i];
        char other[256];
        folder_named(names, count, path_name(one->name), other, sizeof other);
        if (!*other || !strcmp(other, path_name(one->patient))) dataset->cases[kept++] = *one;
        else
            status = dataset_fault(dataset, one->pictures[0], "patient",
                                   "the name is of patient %s, the folder is of another one", other);
    }
    dataset->n_cases = status == ST_OK ? kept : dataset->n_cases;
    arena_free(&arena);
    return status;
}

Status dataset_list_kaggle(Dataset *dataset) {
    FoundList list = {0};
    Status status = dataset_walk(dataset, dataset->path, take_file, &list);
    if (status == ST_OK) status = dataset_pair(dataset, &list, 1, patient_of, name_of);
    if (status == ST_OK) status = check_patients(dataset);
    mem_free(list.items);
    return status;
}
