#include "app/segment_list.h"
#include "base/file.h"
#include "base/text.h"
#include "image/image.h"
#include <stdlib.h>
#include <string.h>

typedef struct Listing {
    Arena *arena;
    SegmentFile *files; // mem_resize
    size_t count, capacity;
    const char *output; // the output folder, without links; NULL: not there yet
} Listing;

// ---- names

// Where the ending begins (".tif"), or the end of the name.
static size_t stem_length(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && dot != name ? (size_t)(dot - name) : strlen(name);
}
static bool is_mask(const char *name) {
    const size_t stem = stem_length(name);
    return name[stem] && stem >= 5 && !strncmp(name + stem - 5, "_mask", 5);
}
static bool ending_is(const char *name, const char *ending) {
    const char *at = name + stem_length(name);
    for (; *at && *ending; at++, ending++)
        if ((*at >= 'A' && *at <= 'Z' ? *at + 32 : *at) != *ending) return false;
    return !*at && !*ending;
}
static bool is_called_picture(const char *name) {
    return ending_is(name, ".png") || ending_is(name, ".tif") || ending_is(name, ".tiff");
}
// By content. One that cannot be judged (no permission, a failing disk) is listed, and fails by its name.
static bool is_picture(const char *path) {
    Mapping mapping;
    const Status status = file_map(path, &mapping);
    const bool found =
        status == ST_RESOURCE || (status == ST_OK && image_recognised(mapping.data, MIN(mapping.size, (size_t)1024)));
    file_unmap(&mapping);
    error_clear();
    return found;
}

// ---- walking

static Status add_file(Listing *listing, const char *path, const char *below) {
    if (listing->count == listing->capacity) {
        const size_t capacity = MAX((size_t)64, listing->capacity * 2), bytes = capacity * sizeof *listing->files;
        SegmentFile *files = mem_resize(listing->files, bytes);
        if (!files) return fail_memory(bytes);
        listing->files = files, listing->capacity = capacity;
    }
    const char *name = path_name(path);
    const char *stem = arena_string_n(listing->arena, name, stem_length(name));
    const char *output = stem && *below ? path_join(listing->arena, below, stem) : stem;
    char *real;
    TRY(path_real(listing->arena, path, &real));
    if (!output) return fail_memory(strlen(path));
    listing->files[listing->count++] = (SegmentFile){path, output, real ? real : path, 0};
    return ST_OK;
}

// The folders above, so that a link to one of them does not lead round in a circle.
typedef struct Above {
    const struct Above *above;
    const char *real;
} Above;
static bool is_above(const Above *above, const char *real) {
    for (; above; above = above->above)
        if (!strcmp(above->real, real)) return true;
    return false;
}
// below: the folder as under PATH, "" at first.
static Status walk(Listing *listing, const char *folder, const char *below, const Above *above) {
    char **names;
    size_t count;
    char *real;
    TRY(path_real(listing->arena, folder, &real));
    if (!real || is_above(above, real) || (listing->output && !strcmp(listing->output, real))) return ST_OK;
    const Above here = {above, real};
    TRY(folder_list(folder, listing->arena, &names, &count));
    for (int folders = 0; folders < 2; folders++) {
        for (size_t i = 0; i < count; i++) {
            const char *name = names[i], *path = path_join(listing->arena, folder, name);
            if (!path) return fail_memory(strlen(folder));
            PathKind kind = PATH_OTHER;
            if (*name != '.') TRY(path_known(path, &kind));
            if (folders && kind == PATH_FOLDER) {
                const char *next = *below ? path_join(listing->arena, below, name) : name;
                if (!next) return fail_memory(strlen(path));
                TRY(walk(listing, path, next, &here));
            } else if (!folders && kind == PATH_FILE && !is_mask(name) &&
                       (is_called_picture(name) || is_picture(path))) {
                TRY(add_file(listing, path, below));
            }
        }
    }
    return ST_OK;
}
static Status add_path(Listing *listing, const char *path) {
    PathKind kind;
    char *real;
    TRY(path_known(path, &kind));
    FAIL_IF(kind == PATH_MISSING, ST_BAD, "%s: there is no such file or folder", path);
    if (kind != PATH_FOLDER) return is_mask(path_name(path)) ? ST_OK : add_file(listing, path, "");
    TRY(path_real(listing->arena, path, &real));
    FAIL_IF(real && listing->output && !strcmp(real, listing->output), ST_USAGE,
            "%s: the masks would go among the pictures; name another output folder", path);
    return walk(listing, path, "", NULL);
}

// ---- one output each

static int compare_real(const void *a, const void *b) {
    const SegmentFile *const *x = a, *const *y = b;
    const int order = strcmp((*x)->real, (*y)->real);
    return order ? order : (*x > *y) - (*x < *y);
}
static int compare_output(const void *a, const void *b) {
    const SegmentFile *const *x = a, *const *y = b;
    return strcmp((*x)->output, (*y)->output);
}
static Status sort_files(Listing *listing, int (*compare)(const void *, const void *), SegmentFile ***out) {
    *out = arena_array(listing->arena, listing->count + 1, sizeof **out);
    if (!*out) return fail_memory(listing->count * sizeof **out);
    for (size_t i = 0; i < listing->count; i++) (*out)[i] = &listing->files[i];
    qsort(*out, listing->count, sizeof **out, compare);
    return ST_OK;
}
// A file that was named twice stays where it came first.
static Status drop_repeated(Listing *listing) {
    SegmentFile **sorted;
    TRY(sort_files(listing, compare_real, &sorted));
    for (size_t i = 1; i < listing->count; i++)
        if (!strcmp(sorted[i]->real, sorted[i - 1]->real)) sorted[i]->path = NULL;
    size_t kept = 0;
    for (size_t i = 0; i < listing->count; i++)
        if (listing->files[i].path) listing->files[kept++] = listing->files[i];
    listing->count = kept;
    return ST_OK;
}
// FOLDER/STEM becomes FOLDER/NAME where two have one stem.
static Status keep_endings(Listing *listing) {
    SegmentFile **sorted;
    TRY(sort_files(listing, compare_output, &sorted));
    for (size_t first = 0, end; first < listing->count; first = end) {
        for (end = first + 1; end < listing->count && !compare_output(&sorted[first], &sorted[end]);) end++;
        for (size_t i = first; end - first > 1 && i < end; i++) {
            const char *name = path_name(sorted[i]->path);
            Text output = {0};
            text_add(&output, "%s%s", sorted[i]->output, name + stem_length(name));
            const char *longer = output.failed ? NULL : arena_string(listing->arena, text_get(&output));
            text_free(&output);
            if (!longer) return fail_memory(strlen(name));
            sorted[i]->output = longer;
        }
    }
    return ST_OK;
}

// ---- volumes

typedef struct Home {
    const char *folder; // without links
    SegmentFile *file;
} Home;
static int compare_homes(const void *a, const void *b) {
    return strcmp(((const Home *)a)->folder, ((const Home *)b)->folder);
}
static Status number_volumes(Listing *listing) {
    Home *homes = arena_array(listing->arena, listing->count + 1, sizeof *homes);
    if (!homes) return fail_memory(listing->count * sizeof *homes);
    const char *text = NULL; // the last one: mostly it is the next one's too
    char *real = NULL;
    for (size_t i = 0; i < listing->count; i++) {
        const char *folder = path_folder(listing->arena, listing->files[i].path);
        if (!folder) return fail_memory(strlen(listing->files[i].path));
        if (!text || strcmp(text, folder)) TRY(path_real(listing->arena, folder, &real));
        text = folder;
        homes[i] = (Home){real ? real : folder, &listing->files[i]};
    }
    qsort(homes, listing->count, sizeof *homes, compare_homes);
    for (size_t i = 1; i < listing->count; i++)
        homes[i].file->volume = homes[i - 1].file->volume + (compare_homes(&homes[i - 1], &homes[i]) != 0);
    return ST_OK;
}

// ---- nothing is overwritten

// A file that will be written.
typedef struct Written {
    const char *path;
    const SegmentFile *by;
} Written;
static int compare_written(const void *a, const void *b) {
    return strcmp(((const Written *)a)->path, ((const Written *)b)->path);
}
static Status list_written(Listing *listing, const SegmentNames *names, Written **out, size_t *count) {
    *count = 0;
    *out = arena_array(listing->arena, listing->count * (size_t)names->count + 1, sizeof **out);
    if (!*out) return fail_memory(listing->count * sizeof **out);
    for (size_t i = 0; i < listing->count; i++) {
        for (int k = 0; k < names->count; k++) {
            const char *output = listing->files[i].output;
            const size_t length = strlen(output), more = strlen(names->endings[k]);
            char *path = arena_alloc(listing->arena, length + more + 1);
            if (!path) return fail_memory(length + more);
            memcpy(path, output, length);
            memcpy(path + length, names->endings[k], more);
            (*out)[(*count)++] = (Written){path, &listing->files[i]};
        }
    }
    qsort(*out, *count, sizeof **out, compare_written);
    return ST_OK;
}
static const SegmentFile *find_real(SegmentFile *const *sorted, size_t count, const char *real) {
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(sorted[middle]->real, real);
        if (!order) return sorted[middle];
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return NULL;
}
static Status refuse_collisions(Listing *listing, const char *folder, const SegmentNames *names) {
    Written *written;
    size_t count;
    SegmentFile **sorted;
    TRY(list_written(listing, names, &written, &count));
    TRY(sort_files(listing, compare_real, &sorted));
    for (size_t i = 0; i < count; i++) {
        FAIL_IF(i && !strcmp(written[i].path, written[i - 1].path), ST_USAGE,
                "%s and %s would both write %s; segment them into different folders", written[i - 1].by->path,
                written[i].by->path, written[i].path);
        const char *path = path_join(listing->arena, folder, written[i].path);
        if (!path) return fail_memory(strlen(written[i].path));
        char *real;
        TRY(path_real(listing->arena, path, &real));
        const SegmentFile *picture = real ? find_real(sorted, listing->count, real) : NULL;
        FAIL_IF(picture, ST_USAGE, "the mask of %s would overwrite the picture %s; name another output folder",
                written[i].by->path, picture->path);
    }
    return ST_OK;
}

Status segment_list(const char *const *paths, int n_paths, const char *folder, const SegmentNames *names, Arena *arena,
                    SegmentFile **files, size_t *count) {
    Listing listing = {.arena = arena};
    char *real;
    TRY(path_real(arena, folder, &real));
    listing.output = real;
    Status status = ST_OK;
    for (int i = 0; i < n_paths && status == ST_OK; i++) status = add_path(&listing, paths[i]);
    if (status == ST_OK) status = drop_repeated(&listing);
    if (status == ST_OK && !listing.count)
        status = fail(ST_BAD, "%s%s: no pictures found; expected TIFF or PNG files that are not called *_mask.*",
                      n_paths ? paths[0] : "", n_paths > 1 ? " and the others" : "");
    if (status == ST_OK) status = number_volumes(&listing);
    if (status == ST_OK) status = keep_endings(&listing);
    if (status == ST_OK) status = refuse_collisions(&listing, folder, names);
    *count = listing.count;
    *files = status == ST_OK ? arena_array(arena, listing.count + 1, sizeof **files) : NULL;
    if (status == ST_OK && !*files) status = fail_memory(listing.count * sizeof **files);
    if (status == ST_OK) memcpy(*files, listing.files, listing.count * sizeof **files);
    mem_free(listing.files);
    return status;
}
