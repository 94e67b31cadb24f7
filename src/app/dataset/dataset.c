// A data set: its layout recognised, its cases in one order, whatever order the files came in.
#include "app/dataset/inside.h"
#include "base/file.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

const char *dataset_layout_name(DatasetLayout layout) {
    static const char *const names[] = {"kaggle_3m", "folders", "nnunet", "csv"};
    return names[layout];
}

// ---- faults and assumptions

Status faults_add(Faults *faults, const char *file, const char *fault, const char *message) {
    if (faults->count == faults->capacity) {
        const size_t capacity = MAX((size_t)16, faults->capacity * 2), bytes = capacity * sizeof *faults->items;
        Fault *items = mem_resize(faults->items, bytes);
        if (!items) return fail_memory(bytes);
        faults->items = items, faults->capacity = capacity;
    }
    Fault *one = &faults->items[faults->count];
    one->file = arena_string(&faults->arena, file);
    one->fault = arena_string(&faults->arena, fault);
    one->message = arena_string(&faults->arena, message);
    if (!one->file || !one->fault || !one->message) return fail_memory(strlen(message));
    faults->count++;
    return ST_OK;
}
static int compare_faults(const void *a, const void *b) {
    const Fault *x = a, *y = b;
    int order = natural_compare(x->file, y->file);
    if (!order) order = strcmp(x->fault, y->fault);
    return order ? order : strcmp(x->message, y->message);
}
void faults_sort(Faults *faults) {
    size_t kept = 0;
    if (faults->count) qsort(faults->items, faults->count, sizeof *faults->items, compare_faults);
    for (size_t i = 0; i < faults->count; i++)
        if (!kept || compare_faults(&faults->items[kept - 1], &faults->items[i]))
            faults->items[kept++] = faults->items[i];
    faults->count = kept;
}
void faults_free(Faults *faults) {
    mem_free(faults->items);
    arena_free(&faults->arena);
    *faults = (Faults){0};
}

const char *dataset_shown(const Dataset *dataset, const char *path) {
    const size_t length = strlen(dataset->root);
    if (strncmp(path, dataset->root, length)) return path;
    const char *rest = path + length + strspn(path + length, "/");
    return *rest && (rest > path + length || (length && dataset->root[length - 1] == '/')) ? rest : path;
}
Status dataset_fault(Dataset *dataset, const char *path, const char *fault, const char *format, ...) {
    Text message = {0};
    va_list args;
    va_start(args, format);
    text_addv(&message, format, args);
    va_end(args);
    Status status = text_status(&message);
    if (status == ST_OK) status = faults_add(&dataset->faults, dataset_shown(dataset, path), fault, text_get(&message));
    text_free(&message);
    return status;
}
// Names from files may hold what a terminal would interpret (C0, DEL, and C1, which in UTF-8 is C2 80..9F).
static void make_printable(char *text) {
    for (unsigned char *at = (unsigned char *)text; *at; at++) {
        if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f) at[0] = at[1] = '.';
        if (*at < 0x20 || *at == 0x7f) *at = '.';
    }
}
Status dataset_assume(Dataset *dataset, const char *format, ...) {
    enum { MOST = 32 };
    Text text = {0};
    va_list args;
    va_start(args, format);
    text_addv(&text, format, args);
    va_end(args);
    if (!dataset->assumed) dataset->assumed = arena_array(&dataset->arena, MOST, sizeof *dataset->assumed);
    char *copy = text.failed ? NULL : arena_string(&dataset->arena, text_get(&text));
    text_free(&text);
    if (!dataset->assumed || !copy) return fail_memory(strlen(format));
    make_printable(copy);
    if (dataset->n_assumed < MOST) dataset->assumed[dataset->n_assumed++] = copy;
    return ST_OK;
}

// ---- cases

Status dataset_add_case(Dataset *dataset, const DatasetCase *one) {
    if ((dataset->n_cases & (dataset->n_cases - 1)) == 0) { // room is doubled
        const size_t bytes = MAX((size_t)16, 2 * dataset->n_cases) * sizeof *dataset->cases;
        DatasetCase *cases = mem_resize(dataset->cases, bytes);
        if (!cases) return fail_memory(bytes);
        dataset->cases = cases;
    }
    dataset->cases[dataset->n_cases++] = *one;
    return ST_OK;
}
static int compare_cases(const void *a, const void *b) {
    const DatasetCase *x = a, *y = b;
    const int order = natural_compare(x->patient, y->patient);
    return order ? order : natural_compare(x->name, y->name);
}
// Two cases of one name cannot be told apart in the results: the first stays.
static Status order_cases(Dataset *dataset) {
    size_t kept = 0;
    if (dataset->n_cases) qsort(dataset->cases, dataset->n_cases, sizeof *dataset->cases, compare_cases);
    for (size_t i = 0; i < dataset->n_cases; i++) {
        DatasetCase *one = &dataset->cases[i], *before = kept ? &dataset->cases[kept - 1] : NULL;
        if (before && !compare_cases(before, one)) {
            TRY(dataset_fault(dataset, one->pictures[0], "two pictures", "%s is called '%s' as well",
                              dataset_shown(dataset, before->pictures[0]), one->name));
            continue;
        }
        dataset->n_patients += !before || strcmp(before->patient, one->patient) != 0;
        dataset->without_mask += !one->mask;
        dataset->cases[kept++] = *one;
    }
    dataset->n_cases = kept;
    return ST_OK;
}
typedef struct Home {
    char *folder;
    size_t number; // of the case
} Home;
static int compare_homes(const void *a, const void *b) {
    return strcmp(((const Home *)a)->folder, ((const Home *)b)->folder);
}
static Status number_volumes(Dataset *dataset) {
    Arena arena = {0};
    Home *homes = arena_array(&arena, dataset->n_cases + 1, sizeof *homes);
    Status status = homes ? ST_OK : fail_memory(dataset->n_cases * sizeof *homes);
    for (size_t i = 0; i < dataset->n_cases && status == ST_OK; i++) {
        homes[i] = (Home){path_folder(&arena, dataset->cases[i].pictures[0]), i};
        if (!homes[i].folder) status = fail_memory(sizeof *homes);
    }
    if (status == ST_OK) qsort(homes, dataset->n_cases, sizeof *homes, compare_homes);
    int number = 0;
    for (size_t i = 0; i < dataset->n_cases && status == ST_OK; i++) {
        const bool own = dataset->layout == DATASET_NNUNET;
        number += i && (own || compare_homes(&homes[i - 1], &homes[i]));
        dataset->cases[homes[i].number].volume = number;
    }
    arena_free(&arena);
    return status;
}

// ---- recognising

static Status child_folder(Dataset *dataset, const char *folder, const char *name, const char **out) {
    char *path = path_join(&dataset->arena, folder, name);
    if (!path) return fail_memory(strlen(folder));
    PathKind kind;
    TRY(path_known(path, &kind));
    *out = kind == PATH_FOLDER ? path : NULL;
    return ST_OK;
}
// imagesTr (or imagesTs, when it is asked for or the only one with labels) with its labels beside it.
static Status find_nnunet(Dataset *dataset, const char **root, const char **part) {
    static const char *const parts[] = {"Tr", "Ts"};
    *part = NULL;
    for (size_t i = 0; i < COUNT_OF(parts) && !*part; i++) {
        char images[16], labels[16];
        const char *pictures = NULL, *masks;
        memcpy(images, "images", 7), memcpy(labels, "labels", 7);
        strcat(images, parts[i]), strcat(labels, parts[i]);
        *root = dataset->path;
        TRY(child_folder(dataset, *root, images, &pictures));
        if (!strcmp(dataset->name, images)) {
            char *real;
            TRY(path_real(&dataset->arena, dataset->path, &real));
            *root = real ? path_folder(&dataset->arena, real) : NULL;
            if (!*root) return fail_memory(strlen(dataset->path));
            pictures = dataset->path;
        }
        if (!pictures) continue;
        TRY(child_folder(dataset, *root, labels, &masks));
        if (masks) *part = parts[i];
    }
    return ST_OK;
}
static Status find_folders(Dataset *dataset, const char **pictures, const char **masks) {
    static const char *const names[][2] = {{"images", "masks"}, {"images", "labels"}, {"imgs", "masks"},
                                           {"image", "mask"},   {"img", "mask"},      {"image", "label"}};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        TRY(child_folder(dataset, dataset->path, names[i][0], pictures));
        TRY(child_folder(dataset, dataset->path, names[i][1], masks));
        if (*pictures && *masks) return ST_OK;
    }
    *pictures = *masks = NULL;
    return ST_OK;
}
// "IMAGES,MASKS": two folders, unless something is called so.
static Status split_pair(Dataset *dataset, const char **pictures, const char **masks) {
    const char *comma = strchr(dataset->path, ',');
    if (!comma) return ST_OK;
    *pictures = arena_string_n(&dataset->arena, dataset->path, (size_t)(comma - dataset->path));
    if (!*pictures) return fail_memory(strlen(dataset->path));
    *masks = comma + 1;
    return ST_OK;
}
static Status list_pair(Dataset *dataset, const char *pictures, const char *masks) {
    const char *const both[] = {pictures, masks};
    for (int i = 0; i < 2; i++) {
        PathKind kind;
        TRY(path_known(both[i], &kind));
        FAIL_IF(kind == PATH_MISSING, ST_BAD, "%s: there is no such folder", both[i]);
        FAIL_IF(kind != PATH_FOLDER, ST_BAD, "%s: expected a folder of %s", both[i], i ? "masks" : "pictures");
    }
    FAIL_IF(path_same(pictures, masks), ST_USAGE, "%s: pictures and masks lie in one folder; leave out --masks",
            pictures);
    dataset->layout = DATASET_FOLDERS;
    return dataset_list_folders(dataset, pictures, masks);
}
static Status list_folder(Dataset *dataset) {
    const char *root, *part, *pictures, *masks;
    TRY(find_nnunet(dataset, &root, &part));
    if (part) {
        dataset->layout = DATASET_NNUNET;
        return dataset_list_nnunet(dataset, root, part);
    }
    TRY(find_folders(dataset, &pictures, &masks));
    if (pictures) return list_pair(dataset, pictures, masks);
    dataset->layout = DATASET_KAGGLE;
    return dataset_list_kaggle(dataset);
}
static Status list_all(Dataset *dataset, const char *masks) {
    PathKind kind;
    const char *pictures = NULL, *pair = NULL;
    if (masks) return list_pair(dataset, dataset->path, masks);
    TRY(path_known(dataset->path, &kind));
    if (kind == PATH_FOLDER) return list_folder(dataset);
    if (kind == PATH_MISSING) TRY(split_pair(dataset, &pictures, &pair));
    if (pictures) return list_pair(dataset, pictures, pair);
    FAIL_IF(kind == PATH_MISSING, ST_BAD, "%s: there is no such file or folder", dataset->path);
    dataset->layout = DATASET_CSV;
    dataset->root = path_folder(&dataset->arena, dataset->path);
    if (!dataset->root) return fail_memory(strlen(dataset->path));
    return dataset_list_csv(dataset);
}
// The last part of a path, without slashes behind it; of "." and ".." that of the folder itself.
static Status name_dataset(Dataset *dataset) {
    const char *path = dataset->path;
    char *real;
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') length--;
    char *copy = arena_string_n(&dataset->arena, path, length);
    if (!copy) return fail_memory(length);
    dataset->root = dataset->path = copy;
    const char *name = path_name(copy);
    if (!strcmp(name, ".") || !strcmp(name, "..")) {
        TRY(path_real(&dataset->arena, copy, &real));
        if (real) name = path_name(real);
    }
    dataset->name = *name ? name : copy;
    return ST_OK;
}
Status dataset_open(const char *path, const char *masks, Dataset *out) {
    *out = (Dataset){.path = path, .root = path};
    Status status = name_dataset(out);
    if (status == ST_OK) status = list_all(out, masks);
    if (status == ST_OK) status = order_cases(out);
    if (status == ST_OK) status = number_volumes(out);
    if (status == ST_OK && out->without_mask == out->n_cases)
        status = fail(ST_BAD,
                      "%s: no pictures with a mask found; expected folders with X.tif and X_mask.tif, a folder of "
                      "pictures and one of masks (--masks DIR), nnU-Net's imagesTr and labelsTr, or a CSV of pairs",
                      path);
    if (status != ST_OK) dataset_close(out);
    return status;
}
void dataset_close(Dataset *dataset) {
    mem_free(dataset->cases);
    faults_free(&dataset->faults);
    arena_free(&dataset->arena);
    *dataset = (Dataset){0};
}
