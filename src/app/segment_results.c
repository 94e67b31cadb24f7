#include "app/segment_results.h"
#include "base/clock.h"
#include "base/file.h"
#include <stdlib.h>
#include <string.h>

static const size_t file_limit = (size_t)1 << 28;
static const double interval_ms = 2000;

Status results_open(const char *folder, const char *name, size_t expected, SegmentResults *out) {
    *out = (SegmentResults){.written_ns = clock_ns()};
    out->folder = arena_string(&out->arena, folder);
    out->path = path_join(&out->arena, folder, name);
    out->lines = arena_array(&out->arena, expected + 1, sizeof *out->lines);
    if (out->folder && out->path && out->lines) return ST_OK;
    results_close(out);
    return fail_memory(expected * sizeof *out->lines);
}
void results_close(SegmentResults *results) {
    mem_free(results->earlier);
    arena_free(&results->arena);
    *results = (SegmentResults){0};
}

// ---- earlier lines

static const char *member(const Json *object, const char *key) {
    const Json *value = json_get(object, key);
    return value && value->type == JSON_STRING ? value->string : NULL;
}
static Status add_earlier(SegmentResults *results, const Json *object, const char *line, size_t length,
                          size_t *capacity) {
    const char *text[] = {member(object, "path"), member(object, "hash"), member(object, "content_hash"),
                          member(object, "options")};
    const char *status = member(object, "status");
    if (!text[0] || !status) return ST_OK;
    for (size_t i = 0; i < COUNT_OF(text); i++) {
        text[i] = arena_string(&results->arena, text[i] ? text[i] : "");
        if (!text[i]) return fail_memory(length);
    }
    const char *copy = arena_string_n(&results->arena, line, length);
    if (!copy) return fail_memory(length);
    if (results->n_earlier == *capacity) {
        *capacity = MAX((size_t)64, *capacity * 2);
        EarlierResult *larger = mem_resize(results->earlier, *capacity * sizeof *larger);
        if (!larger) return fail_memory(*capacity * sizeof *larger);
        results->earlier = larger;
    }
    const size_t number = results->n_earlier++;
    results->earlier[number] =
        (EarlierResult){text[0], text[1], text[2], text[3], copy, number, !strcmp(status, "ok"), !results->keeps};
    return ST_OK;
}
// A torn or foreign line is no reason to stop: its picture is done again.
static Status read_line(SegmentResults *results, const char *line, size_t length, size_t *capacity) {
    Arena arena = {0};
    Json *object;
    Status status = json_parse(&arena, line, length, &object);
    if (status == ST_OK) status = add_earlier(results, object, line, length, capacity);
    else if (status == ST_BAD) status = ST_OK;
    arena_free(&arena);
    return status;
}
static Status read_lines(SegmentResults *results, const char *path, size_t *capacity) {
    uint8_t *bytes;
    size_t size;
    TRY(file_read(path, file_limit, &bytes, &size));
    const char *at = (const char *)bytes, *end = at + size;
    Status status = ST_OK;
    while (at < end && status == ST_OK) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const size_t length = (size_t)((stop ? stop : end) - at);
        if (length) status = read_line(results, at, length, capacity);
        at += length + 1;
    }
    mem_free(bytes);
    if (status == ST_OK) error_clear(); // of lines that were left out
    return status;
}
static int compare_paths(const void *a, const void *b) {
    return strcmp(((const EarlierResult *)a)->path, ((const EarlierResult *)b)->path);
}
static int compare_earlier(const void *a, const void *b) {
    const EarlierResult *x = a, *y = b;
    const int order = compare_paths(x, y);
    return order ? order : (x->number > y->number) - (x->number < y->number);
}
Status results_read_earlier(SegmentResults *results, bool merge) {
    char **names;
    size_t count, capacity = 0, kept = 0;
    TRY(folder_list(results->folder, &results->arena, &names, &count));
    for (size_t i = 0; i < count; i++) {
        if (!text_starts(names[i], "results") || !text_ends(names[i], ".json")) continue;
        const char *path = path_join(&results->arena, results->folder, names[i]);
        if (!path) return fail_memory(strlen(names[i]));
        results->keeps = merge || !strcmp(names[i], path_name(results->path));
        TRY(read_lines(results, path, &capacity));
    }
    if (results->n_earlier) qsort(results->earlier, results->n_earlier, sizeof *results->earlier, compare_earlier);
    for (size_t i = 0; i < results->n_earlier; i++) {
        const bool last = i + 1 == results->n_earlier || compare_paths(&results->earlier[i], &results->earlier[i + 1]);
        if (last) results->earlier[kept++] = results->earlier[i];
    }
    results->n_earlier = kept;
    return ST_OK;
}
EarlierResult *results_find(SegmentResults *results, const char *path) {
    const EarlierResult key = {.path = path};
    if (!results->n_earlier) return NULL;
    return bsearch(&key, results->earlier, results->n_earlier, sizeof key, compare_paths);
}

// ---- lines of this run

static Status write_line(AtomicFile *file, const char *line) {
    TRY(atomic_write(file, line, strlen(line)));
    return atomic_write(file, "\n", 1);
}
Status results_write(SegmentResults *results) {
    AtomicFile *file;
    TRY(atomic_open(results->path, &file));
    Status status = ST_OK;
    for (size_t i = 0; i < results->n_earlier && status == ST_OK; i++)
        if (!results->earlier[i].taken) status = write_line(file, results->earlier[i].line);
    for (size_t i = 0; i < results->n_lines && status == ST_OK; i++) status = write_line(file, results->lines[i]);
    results->written_ns = clock_ns();
    if (status == ST_OK) return atomic_commit(file);
    atomic_abort(file);
    return status;
}
Status results_add(SegmentResults *results, const char *line) {
    const char *copy = arena_string(&results->arena, line);
    if (!copy) return fail_memory(strlen(line));
    results->lines[results->n_lines++] = copy;
    return clock_ms_since(results->written_ns) < interval_ms ? ST_OK : results_write(results);
}
