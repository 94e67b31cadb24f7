// Which line of the network's own source a byte of the code comes from. Beside CODE.py lies CODE.py.debug_pkl
// (Source: torch/csrc/jit/serialization/source_range_serialization.cpp of pytorch/pytorch):
//
//   ("FORMAT_WITH_STRING_TABLE", (texts ...), ((byte of the code, ((pieces, file, line), begin, end), tag) ...))
//
// The source is the texts numbered `pieces`, one behind the other, that begin at `line` of the text numbered `file`;
// the bytes begin to end of it are meant. Of a traced module it is no source but the stack of calls, the innermost
// first:
// "/home/x/resnet.py(286): forward\n" ... A file that says something else tells nothing; no fault is made of it.
#include "base/text.h"
#include "import/script/program.h"
#include <stdio.h>
#include <string.h>

enum {
    MAX_PIECES = 4096,
    MAX_PLACE = 256,
    MAX_READ = 1 << 26 // bytes of sources that are gone through to count lines, all together
};

typedef struct Line {
    uint32_t at;
    const PickleValue *range; // ((pieces, file, line), begin, end)
    const char *place;        // NULL: not made yet
    bool of_torch;
} Line;

typedef struct SourceLines {
    const PickleValue *texts; // NULL: nothing is told
    Line *lines;              // by `at`
    size_t count;
} SourceLines;

// ---- the file

static Status take_lines(Arena *arena, const PickleValue *list, SourceLines *out) {
    out->lines = arena_array(arena, list->count + 1, sizeof *out->lines);
    if (!out->lines) return fail_memory(list->count * sizeof *out->lines);
    for (size_t i = 0; i < list->count; i++) {
        int64_t at;
        const bool good = pickle_int(pickle_item(list->items[i], 0), &at) && at >= 0 && at <= UINT32_MAX;
        if (!good || (out->count > 0 && at < out->lines[out->count - 1].at)) continue;
        out->lines[out->count++] = (Line){(uint32_t)at, pickle_item(list->items[i], 1), NULL, false};
    }
    return ST_OK;
}

static Status read_lines(Program *program, const char *path, SourceLines *out) {
    char name[MAX_PLACE * 4];
    const uint8_t *bytes;
    Pickle pickle;
    const int length = snprintf(name, sizeof name, "%s%s.debug_pkl", program->data.folder, path);
    const ZipEntry *entry = length < (int)sizeof name ? zip_find(&program->data.zip, name) : NULL;
    if (!entry) return ST_OK;
    Status status = zip_data(program->arena, &program->data.zip, entry, &bytes);
    if (status == ST_OK) status = pickle_read(program->arena, bytes, entry->size, &pickle);
    if (status == ST_RESOURCE) return status;
    if (status != ST_OK) return ST_OK;
    const char *form = pickle_text(pickle_item(pickle.root, 0));
    const PickleValue *texts = pickle_item(pickle.root, 1), *lines = pickle_item(pickle.root, 2);
    if (!form || strcmp(form, "FORMAT_WITH_STRING_TABLE") != 0) return ST_OK;
    if (!pickle_is(texts, PICKLE_TUPLE) || !pickle_is(lines, PICKLE_TUPLE)) return ST_OK;
    out->texts = texts;
    return take_lines(program->arena, lines, out);
}

static Status lines_of(Program *program, const ScriptCode *code, const SourceLines **out) {
    SourceLines *lines = code->lines;
    if (!lines) {
        lines = arena_alloc(program->arena, sizeof *lines);
        if (!lines) return fail_memory(sizeof *lines);
        *lines = (SourceLines){0};
        ((ScriptCode *)(uintptr_t)code)->lines = lines; // what was found out of it belongs to it
        TRY(read_lines(program, code->path, lines));
    }
    *out = lines;
    return ST_OK;
}

// ---- one line

static const char *text_at(const SourceLines *lines, const PickleValue *number) {
    int64_t i;
    return pickle_int(number, &i) && i >= 0 ? pickle_text(pickle_item(lines->texts, (size_t)i)) : NULL;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// "/home/x/resnet.py(286): forward" to "resnet.py:286"; false: it is no call.
static bool read_call(const char *text, char place[MAX_PLACE]) {
    const char *open = strstr(text, ".py(");
    if (!open) return false;
    const char *number = open + strlen(".py("), *close = number + strspn(number, "0123456789");
    const char *name = open;
    while (name > text && name[-1] != '/' && name[-1] != '\\') name--;
    if (close == number || strncmp(close, "): ", 3) != 0) return false;
    snprintf(place, MAX_PLACE, "%.*s:%.*s", (int)MIN(open + 3 - name, 128), name, (int)MIN(close - number, 16), number);
    return true;
}

// Also what PyTorch has as text of its own: "<string>".
static bool is_of_torch(const char *text) {
    return strstr(text, "/torch/") || strstr(text, "\\torch\\") || *text == '<';
}

// The innermost call that is not PyTorch's own, else the innermost one.
static bool find_call(const SourceLines *lines, const PickleValue *pieces, char place[MAX_PLACE], bool *of_torch) {
    const char *first = text_at(lines, pickle_item(pieces, 0));
    if (!first || !read_call(first, place)) return false;
    *of_torch = false;
    for (size_t i = 0; i < MIN(pieces->count, (size_t)MAX_PIECES); i++) {
        const char *text = text_at(lines, pieces->items[i]);
        if (text && !is_of_torch(text) && strstr(text, ".py(")) return read_call(text, place);
    }
    *of_torch = true;
    return true;
}

static bool find_line(Program *program, const SourceLines *lines, const PickleValue *source, const PickleValue *pieces,
                      int64_t begin, char place[MAX_PLACE], bool *of_torch) {
    const char *file = text_at(lines, pickle_item(source, 1));
    int64_t line;
    if (!file || !*file || !pickle_int(pickle_item(source, 2), &line) || line < 0) return false;
    if (begin > MAX_READ - program->source_read) return false;
    program->source_read += MAX(begin, 0);
    for (size_t i = 0; i < MIN(pieces->count, (size_t)MAX_PIECES) && begin > 0; i++) {
        const char *text = text_at(lines, pieces->items[i]);
        for (; text && *text && begin > 0; text++, begin--) line += *text == '\n';
    }
    *of_torch = is_of_torch(file);
    snprintf(place, MAX_PLACE, "%.128s:%lld", base_name(file), (long long)line);
    return true;
}

// build_intlist([1, 2, 3]), or the list itself
static const PickleValue *list_of(const PickleValue *value) {
    if (pickle_is(value, PICKLE_OBJECT)) value = pickle_item(value->args, 0);
    return pickle_is(value, PICKLE_LIST) ? value : NULL;
}

// The last line that begins at `at` or before; NULL: none.
static Line *line_at(const SourceLines *lines, uint32_t at) {
    size_t low = 0, high = lines->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (lines->lines[middle].at <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 ? &lines->lines[low - 1] : NULL;
}

static bool find_place(Program *program, const SourceLines *lines, Line *line, char place[MAX_PLACE]) {
    const PickleValue *source = pickle_item(line->range, 0), *pieces = list_of(pickle_item(source, 0));
    int64_t begin;
    if (!pieces || !pickle_int(pickle_item(line->range, 1), &begin)) return false;
    return find_call(lines, pieces, place, &line->of_torch) ||
           find_line(program, lines, source, pieces, begin, place, &line->of_torch);
}

Status program_place(Program *program, const ScriptCode *code, uint32_t at, int line, const char **out,
                     bool *of_torch) {
    const SourceLines *lines;
    char place[MAX_PLACE];
    TRY(lines_of(program, code, &lines));
    Line *own = line_at(lines, at);
    if (own && own->place) {
        *out = own->place;
        *of_torch = own->of_torch;
        return ST_OK;
    }
    const bool found = own && find_place(program, lines, own, place);
    if (!found) snprintf(place, sizeof place, "%.200s:%d", code->path, line);
    *out = arena_string(program->arena, place);
    if (found) own->place = *out;
    *of_torch = found && own->of_torch;
    return *out ? ST_OK : fail_memory(sizeof place);
}
