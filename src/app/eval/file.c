// The case file: JSON lines. A heading with what results depend on; then a line for each case or fault, as it comes; at
// the end a line that says so. What an interrupted run leaves is whole lines and at most one torn one, which is cut.
#include "app/eval/file.h"
#include "base/file.h"
#include <stdlib.h>
#include <string.h>

// ---- reading

typedef struct Line {
    const char *name, *patient; // of a case; name NULL: a fault of no case
    size_t at, length;
} Line;
struct CaseFile {
    const char *path;
    Mapping mapping; // of an earlier run, or what is merged
    Line *lines;     // cases, in order of their names (patient, case); of two of one name the last
    size_t n_lines, capacity;
    Text buffer;
    Arena arena;
};

static int compare_lines(const void *a, const void *b) {
    const Line *x = a, *y = b;
    int order = natural_compare(x->patient, y->patient);
    if (!order) order = natural_compare(x->name, y->name);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}
static bool same_case(const Line *a, const Line *b) {
    return !strcmp(a->patient, b->patient) && !strcmp(a->name, b->name);
}
static Status add_line(CaseFile *file, const EvalRecord *record, size_t at, size_t length) {
    if (file->n_lines == file->capacity) {
        const size_t capacity = MAX((size_t)256, file->capacity * 2), bytes = capacity * sizeof *file->lines;
        Line *lines = mem_resize(file->lines, bytes);
        if (!lines) return fail_memory(bytes);
        file->lines = lines, file->capacity = capacity;
    }
    Line line = {arena_string(&file->arena, record->name), arena_string(&file->arena, record->patient), at, length};
    if (!line.name || !line.patient) return fail_memory(length);
    file->lines[file->n_lines++] = line;
    return ST_OK;
}
// A damaged line is no reason to stop: its case is done again.
static Status read_line(CaseFile *file, size_t at, size_t length, Faults *faults, CaseHeading *heading) {
    Arena arena = {0};
    Json *json;
    EvalRecord record;
    const char *text = (const char *)file->mapping.data + at;
    Status status = json_parse(&arena, text, length, &json);
    if (status == ST_OK && json_get(json, "fault")) {
        const Json *of = json_get(json, "file"), *fault = json_get(json, "fault"), *said = json_get(json, "message");
        const bool good =
            of && of->type == JSON_STRING && fault->type == JSON_STRING && said && said->type == JSON_STRING;
        if (good && faults) status = faults_add(faults, of->string, fault->string, said->string);
    } else if (status == ST_OK && json_get(json, "end")) {
        heading->finished = true;
    } else if (status == ST_OK) {
        status = eval_record_read(json, &arena, &record);
        if (status == ST_OK) status = add_line(file, &record, at, length);
    }
    if (status == ST_BAD) status = ST_OK, heading->damaged++;
    arena_free(&arena);
    return status;
}
static Status copy_member(Arena *arena, const Json *json, const char *key, const char **out) {
    const Json *value = json_get(json, key);
    *out = arena_string(arena, value && value->type == JSON_STRING ? value->string : "");
    return *out ? ST_OK : fail_memory(16);
}
static Status read_machine(CaseFile *file, const Json *made, CaseHeading *heading) {
    const Json *machine = made ? json_get(made, "machine") : NULL;
    const Json *threads = machine ? json_get(machine, "threads") : NULL;
    TRY(copy_member(&file->arena, made ? made : machine, "model", &heading->model));
    TRY(copy_member(&file->arena, made, "plan_hash", &heading->plan_hash));
    TRY(copy_member(&file->arena, machine, "isa", &heading->isa));
    TRY(copy_member(&file->arena, machine, "cpu", &heading->cpu));
    heading->threads = threads && threads->type == JSON_NUMBER && threads->number >= 0 && threads->number < 1e6
                           ? (int)threads->number
                           : 0;
    return ST_OK;
}
static Status read_shard(const char *path, const Json *json, CaseHeading *heading) {
    const Json *shard = json_get(json, "shard");
    heading->shard = heading->shards = 1;
    if (!shard || shard->type == JSON_NULL) return ST_OK;
    const bool good = shard->type == JSON_ARRAY && shard->count == 2 && shard->items[0].type == JSON_NUMBER &&
                      shard->items[1].type == JSON_NUMBER && shard->items[0].number >= 1 &&
                      shard->items[1].number <= 1e6 && shard->items[0].number <= shard->items[1].number;
    FAIL_IF(!good, ST_BAD, "%s: line 1: expected \"shard\": [i, N]", path);
    heading->shard = (int)shard->items[0].number, heading->shards = (int)shard->items[1].number;
    return ST_OK;
}
static Status read_heading(CaseFile *file, const char *path, size_t length, CaseHeading *heading) {
    Arena arena = {0};
    Json *json = NULL;
    Status status = json_parse(&arena, (const char *)file->mapping.data, length, &json);
    if (status == ST_OK && !json_get(json, "depends")) status = ST_BAD;
    if (status == ST_BAD) status = fail(ST_BAD, "%s: expected a case file of stent eval, this is something else", path);
    if (status == ST_OK) status = copy_member(&file->arena, json, "depends", &heading->depends);
    if (status == ST_OK) status = copy_member(&file->arena, json, "with", &heading->with);
    if (status == ST_OK) status = read_shard(path, json, heading);
    if (status == ST_OK) status = read_machine(file, json_get(json, "made"), heading);
    arena_free(&arena);
    return status;
}
static Status read_lines(CaseFile *file, const char *path, Faults *faults, CaseHeading *heading) {
    const char *text = (const char *)file->mapping.data;
    const size_t size = file->mapping.size;
    const char *end = size ? memchr(text, '\n', size) : NULL;
    FAIL_IF(!end, ST_BAD, "%s: expected a case file of stent eval, this is something else", path);
    TRY(read_heading(file, path, (size_t)(end - text), heading));
    for (size_t at = (size_t)(end - text) + 1; at < size;) {
        const char *stop = memchr(text + at, '\n', size - at);
        if (!stop) { // torn
            heading->damaged++;
            break;
        }
        const size_t length = (size_t)(stop - text) - at;
        if (length) TRY(read_line(file, at, length, faults, heading));
        at += length + 1;
    }
    return ST_OK;
}
static void sort_lines(CaseFile *file) {
    size_t kept = 0;
    if (file->n_lines) qsort(file->lines, file->n_lines, sizeof *file->lines, compare_lines);
    for (size_t i = 0; i < file->n_lines; i++) {
        const bool again = kept && same_case(&file->lines[kept - 1], &file->lines[i]);
        file->lines[again ? kept - 1 : kept++] = file->lines[i];
    }
    file->n_lines = kept;
}
Status case_file_read(const char *path, Faults *faults, CaseHeading *heading, CaseFile **out) {
    CaseFile *file = mem_zero(1, sizeof *file);
    *out = NULL;
    *heading = (CaseHeading){0};
    if (!file) return fail_memory(sizeof *file);
    file->path = arena_string(&file->arena, path);
    Status status = file->path ? file_map(path, &file->mapping) : fail_memory(strlen(path));
    if (status == ST_OK) status = file_intact(&file->mapping, read_lines(file, path, faults, heading));
    sort_lines(file);
    if (status == ST_OK) *out = file;
    else case_file_close(file);
    return status;
}
void case_file_close(CaseFile *file) {
    if (!file) return;
    file_unmap(&file->mapping);
    mem_free(file->lines);
    text_free(&file->buffer);
    arena_free(&file->arena);
    mem_free(file);
}
size_t case_file_count(const CaseFile *file) { return file->n_lines; }
void case_file_name(const CaseFile *file, size_t i, const char **patient, const char **name) {
    *patient = file->lines[i].patient, *name = file->lines[i].name;
}
Status case_file_record(const CaseFile *file, size_t i, Arena *arena, EvalRecord *out) {
    const Line *line = &file->lines[i];
    Json *json;
    Status status = json_parse(arena, (const char *)file->mapping.data + line->at, line->length, &json);
    if (status == ST_OK) status = eval_record_read(json, arena, out);
    return file_intact(&file->mapping, status);
}
ptrdiff_t case_file_find(const CaseFile *file, const char *patient, const char *name) {
    const Line wanted = {name, patient, 0, 0};
    size_t low = 0, high = file->n_lines;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (same_case(&file->lines[middle], &wanted)) return (ptrdiff_t)middle;
        if (compare_lines(&file->lines[middle], &wanted) < 0) low = middle + 1;
        else high = middle;
    }
    return -1;
}

// ---- writing

static Status end_line(Text *line) {
    text_add(line, "\n");
    return text_status(line);
}
void case_file_fault(const Fault *fault, JsonWriter *w) {
    json_begin_object(w);
    json_key(w, "file"), json_string(w, fault->file);
    json_key(w, "fault"), json_string(w, fault->fault);
    json_key(w, "message"), json_string(w, fault->message);
    json_end_object(w);
}
static Status write_start(AtomicFile *out, const char *heading, const Faults *faults, const CaseFile *earlier,
                          const bool *kept) {
    Text line = {0};
    text_add(&line, "%s", heading);
    Status status = end_line(&line);
    for (size_t i = 0; status == ST_OK && i < faults->count; i++) {
        JsonWriter w = {.text = &line};
        case_file_fault(&faults->items[i], &w);
        status = end_line(&line);
    }
    if (status == ST_OK) status = atomic_write(out, line.data, line.length);
    for (size_t i = 0; status == ST_OK && earlier && i < earlier->n_lines; i++)
        if (kept[i]) // with its end
            status = atomic_write(out, earlier->mapping.data + earlier->lines[i].at, earlier->lines[i].length + 1);
    text_free(&line);
    return status == ST_OK && earlier ? file_intact(&earlier->mapping, ST_OK) : status;
}
Status case_file_start(const char *path, const char *heading, const Faults *faults, const CaseFile *earlier,
                       const bool *kept) {
    AtomicFile *out;
    TRY(atomic_open(path, &out));
    const Status status = write_start(out, heading, faults, earlier, kept);
    if (status == ST_OK) return atomic_commit(out);
    atomic_abort(out);
    return status;
}
Status case_file_append(const char *path, Text *line) {
    Status status = end_line(line);
    if (status == ST_OK) status = file_append(path, line->data, line->length);
    line->length = 0;
    return status;
}
