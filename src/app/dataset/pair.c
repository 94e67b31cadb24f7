// Walking through the folders of a data set, and pairing what lies there by name.
#include "app/dataset/inside.h"
#include "base/file.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

// ---- names

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }
static bool equals_lower(const char *text, const char *wanted) {
    while (*text && lower(*text) == *wanted) text++, wanted++;
    return !*text && !*wanted;
}
size_t name_stem(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && dot != name ? (size_t)(dot - name) : strlen(name);
}
bool name_is_picture(const char *name) {
    const char *ending = name + name_stem(name);
    return equals_lower(ending, ".png") || equals_lower(ending, ".tif") || equals_lower(ending, ".tiff");
}
bool name_says_mask(const char *text) {
    for (; *text; text++) {
        static const char word[] = "_mask";
        size_t i = 0;
        while (word[i] && lower(text[i]) == word[i]) i++;
        if (!word[i]) return true;
    }
    return false;
}
bool name_is_kept_apart(const char *name) {
    static const char *const known[] = {"readme", "license", "licence", "data.csv", "dataset.json"};
    if (*name == '.' || text_ends(name, ".cases.jsonl")) return true;
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        const size_t length = strlen(known[i]);
        size_t k = 0;
        while (k < length && lower(name[k]) == known[i][k]) k++;
        if (k == length && (!name[k] || (name[k] == '.' && !name_is_picture(name)))) return true;
    }
    return false;
}
// What would be lost on another system, or in a table.
static const char *trouble_with(const char *name) {
    const size_t length = strlen(name), stem = name_stem(name);
    for (const char *at = name; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f) return "has control characters in its name";
    if (!utf8_valid(name, length)) return "has a name that is no UTF-8";
    if (*name == ' ' || name[length - 1] == ' ' || (stem && name[stem - 1] == ' '))
        return "has a blank at the edge of its name";
    return NULL;
}

// ---- walking

typedef struct Above {
    const struct Above *above;
    const char *real;
} Above;
typedef struct Walk {
    Dataset *dataset;
    FoundSink *sink;
    void *context;
} Walk;
static Status walk(Walk *w, const char *folder, const char *below, const Above *above);

static bool is_above(const Above *above, const char *real) {
    for (; above; above = above->above)
        if (!strcmp(above->real, real)) return true;
    return false;
}
static Status walk_folder(Walk *w, const char *path, const char *below, const char *name, const Above *here) {
    char *real;
    TRY(path_real(&w->dataset->arena, path, &real));
    if (real && is_above(here, real))
        return dataset_fault(w->dataset, path, "circle", "the link leads back to a folder above it");
    if (name_is_picture(name))
        return dataset_fault(w->dataset, path, "folder", "a folder that is called like a picture");
    const char *trouble = trouble_with(name);
    if (trouble) return dataset_fault(w->dataset, path, "bad name", "the folder %s", trouble);
    const char *next = *below ? path_join(&w->dataset->arena, below, name) : arena_string(&w->dataset->arena, name);
    return next ? walk(w, path, next, here) : fail_memory(strlen(path));
}
static Status walk_file(Walk *w, const char *path, const char *below, const char *name, PathKind kind) {
    const char *trouble = trouble_with(name);
    if (kind == PATH_MISSING) return dataset_fault(w->dataset, path, "broken link", "the link leads nowhere");
    if (kind != PATH_FILE) return dataset_fault(w->dataset, path, "no file", "neither a file nor a folder");
    if (trouble) return dataset_fault(w->dataset, path, "bad name", "it %s", trouble);
    if (!name_is_picture(name))
        return dataset_fault(w->dataset, path, "extra file", "not called like a picture (.tif, .tiff, .png)");
    w->dataset->n_files++;
    return w->sink(w->context, w->dataset, below, name, path);
}
static Status walk_names(Walk *w, const char *folder, const char *below, const Above *here, char **names,
                         size_t count) {
    size_t seen = 0;
    for (int folders = 0; folders < 2; folders++) {
        for (size_t i = 0; i < count; i++) {
            if (*names[i] == '.' || (!*below && name_is_kept_apart(names[i]))) continue;
            PathKind kind;
            const char *path = path_join(&w->dataset->arena, folder, names[i]);
            if (!path) return fail_memory(strlen(folder));
            TRY(path_known(path, &kind));
            seen++;
            if ((kind == PATH_FOLDER) != folders) continue;
            TRY(folders ? walk_folder(w, path, below, names[i], here) : walk_file(w, path, below, names[i], kind));
        }
    }
    if (!seen && *below) return dataset_fault(w->dataset, folder, "empty folder", "nothing lies in it");
    return ST_OK;
}
static Status walk(Walk *w, const char *folder, const char *below, const Above *above) {
    Arena arena = {0};
    char **names = NULL, *real = NULL;
    size_t count = 0;
    Status status = path_real(&arena, folder, &real);
    const Above here = {above, real ? real : folder};
    if (status == ST_OK) status = folder_list(folder, &arena, &names, &count);
    if (status == ST_OK) status = walk_names(w, folder, below, &here, names, count);
    arena_free(&arena);
    return status;
}
Status dataset_walk(Dataset *dataset, const char *root, FoundSink *sink, void *context) {
    Walk w = {dataset, sink, context};
    return walk(&w, root, "", NULL);
}

// ---- pairing

Status found_add(FoundList *list, const Found *found) {
    if (list->count == list->capacity) {
        const size_t capacity = MAX((size_t)64, list->capacity * 2), bytes = capacity * sizeof *list->items;
        Found *items = mem_resize(list->items, bytes);
        if (!items) return fail_memory(bytes);
        list->items = items, list->capacity = capacity;
    }
    list->items[list->count++] = *found;
    return ST_OK;
}
static int compare_found(const void *a, const void *b) {
    const Found *x = a, *y = b;
    int order = strcmp(x->below, y->below);
    if (!order) order = strcmp(x->stem, y->stem);
    if (!order) order = x->is_mask - y->is_mask;
    if (!order) order = (x->channel > y->channel) - (x->channel < y->channel);
    return order ? order : natural_compare(x->path, y->path);
}
static bool same_pair(const Found *a, const Found *b) {
    return !strcmp(a->below, b->below) && !strcmp(a->stem, b->stem);
}
// Every file of `count` is at fault, because of the others.
static Status refuse_all(Dataset *dataset, const Found *found, size_t count, const char *fault, const char *what) {
    for (size_t i = 0; i < count; i++) {
        const char *other = dataset_shown(dataset, found[i ? 0 : count - 1].path);
        TRY(dataset_fault(dataset, found[i].path, fault, "%s beside %s: which of them counts cannot be known", what,
                          other));
    }
    return ST_OK;
}
static Status check_channels(Dataset *dataset, const Found *pictures, size_t count, int channels, bool *complete) {
    *complete = true;
    for (int c = 0; c < channels && *complete; c++) {
        if ((size_t)c < count && pictures[c].channel == c) continue;
        *complete = false;
        TRY(dataset_fault(dataset, pictures[0].path, "missing channel", "file %s_%04d of the picture is missing",
                          pictures[0].stem, c));
    }
    if (*complete && count > (size_t)channels) {
        *complete = false;
        TRY(dataset_fault(dataset, pictures[channels].path, "channels", "the other pictures have %d files each",
                          channels));
    }
    return ST_OK;
}
static Status add_pair(Dataset *dataset, const Found *pictures, int n_pictures, const Found *mask,
                       PatientOf *patient_of, PatientOf *name_of) {
    const char **paths = arena_array(&dataset->arena, (size_t)n_pictures, sizeof *paths);
    const char *patient = patient_of(dataset, pictures), *name = name_of(dataset, pictures);
    if (!paths || !patient || !name) return fail_memory(strlen(pictures->path));
    for (int i = 0; i < n_pictures; i++) paths[i] = pictures[i].path;
    if (!mask) TRY(dataset_fault(dataset, pictures->path, "missing mask", "the picture has no mask"));
    return dataset_add_case(dataset, &(DatasetCase){patient, name, paths, n_pictures, mask ? mask->path : NULL, 0});
}
// All that has one folder and stem: pictures first, then masks.
static Status pair_group(Dataset *dataset, const Found *found, size_t count, int channels, PatientOf *patient_of,
                         PatientOf *name_of) {
    size_t pictures = 0;
    while (pictures < count && !found[pictures].is_mask) pictures++;
    const size_t masks = count - pictures;
    bool complete = true;
    for (size_t i = 0; !pictures && i < masks; i++)
        TRY(dataset_fault(dataset, found[i].path, "mask without picture", "no picture is called %s", found[i].stem));
    for (size_t i = 1; i < pictures; i++)
        if (found[i].channel == found[i - 1].channel)
            return refuse_all(dataset, found, pictures, "two pictures", "a picture of the same name lies");
    if (!pictures) return ST_OK;
    if (masks > 1) return refuse_all(dataset, found + pictures, masks, "two masks", "a mask of the same name lies");
    TRY(check_channels(dataset, found, pictures, channels, &complete));
    if (!complete) return ST_OK;
    return add_pair(dataset, found, channels, masks ? found + pictures : NULL, patient_of, name_of);
}
Status dataset_pair(Dataset *dataset, FoundList *list, int channels, PatientOf *patient_of, PatientOf *name_of) {
    if (list->count) qsort(list->items, list->count, sizeof *list->items, compare_found);
    for (size_t first = 0, end; first < list->count; first = end) {
        for (end = first + 1; end < list->count && same_pair(&list->items[first], &list->items[end]);) end++;
        TRY(pair_group(dataset, &list->items[first], end - first, channels, patient_of, name_of));
    }
    return ST_OK;
}
