#include "import/export/place.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

enum { LONGEST = 200 }; // bytes of a path, and of a file's name, that are told

typedef struct Span {
    const char *at;
    int length;
} Span;

// The path of the innermost module: "KEY,PATH,TYPE;KEY,PATH,TYPE". torch 2.5 writes "L['self'].encoder" for "encoder".
static Span module_path(const char *stack) {
    const char *entry = strrchr(stack, ';');
    const char *key = entry ? entry + 1 : stack, *path = strchr(key, ',');
    if (!path || text_starts(path + 1, "_empty_nn_module_stack")) return (Span){"", 0}; // a node of no module's
    const size_t length = strcspn(++path, ",");
    const char *local = strncmp(path, "L['", 3) == 0 ? strstr(path, "']") : NULL;
    const size_t skip = local && local < path + length ? (size_t)(local - path) + 2 + (local[2] == '.') : 0;
    return (Span){path + skip, (int)MIN(length - skip, (size_t)LONGEST)};
}

// The innermost line of the stack that is not PyTorch's own, else the innermost of all: lines like
// '  File "/home/me/unet.py", line 12, in forward'.
typedef struct Frame {
    Span file;
    long line;
} Frame;

static bool is_of_torch(Span file) {
    static const char part[] = "/site-packages/torch/";
    for (const char *at = file.at; (at = strstr(at, part)); at++) {
        if (at < file.at + file.length) return true;
    }
    return false;
}

static Span last_name(Span path) {
    for (int i = path.length; i > 0; i--) {
        if (path.at[i - 1] == '/' || path.at[i - 1] == '\\') return (Span){path.at + i, MIN(path.length - i, LONGEST)};
    }
    return (Span){path.at, MIN(path.length, LONGEST)};
}

static Frame source_line(const char *stack) {
    static const char file[] = "File \"", line[] = "\", line ";
    Frame found = {{"", 0}, 0};
    bool is_own = false;
    for (const char *at = stack; (at = strstr(at, file));) {
        const char *path = at + strlen(file), *end = strchr(path, '"');
        if (!end) break;
        const Span span = {path, (int)MIN(end - path, 4096)};
        const bool of_user = !is_of_torch(span);
        at = end;
        if (*path == '<') continue; // text that was made in memory
        if (strncmp(end, line, strlen(line)) != 0 || (is_own && !of_user)) continue;
        is_own = of_user;
        found = (Frame){last_name(span), 0};
        for (const char *digit = end + strlen(line); *digit >= '0' && *digit <= '9' && found.line < 100000000; digit++)
            found.line = found.line * 10 + (*digit - '0');
    }
    return found;
}

static Status text_in(Arena *arena, const JsonPart *part, const char **out) {
    Json *json = NULL;
    *out = "";
    if (!part->text || json_part_type(part) != JSON_STRING) return ST_OK;
    TRY(json_parse_part(arena, part, &json));
    *out = json->string;
    return ST_OK;
}

Status place_of(Arena *arena, const JsonPart *metadata, const char **out) {
    JsonPart modules, trace;
    const char *stack, *lines;
    char text[2 * LONGEST + 64];
    TRY(json_fields(metadata, (const JsonField[]){{"nn_module_stack", &modules}, {"stack_trace", &trace}}, 2));
    TRY(text_in(arena, &modules, &stack));
    TRY(text_in(arena, &trace, &lines));
    const Span path = module_path(stack);
    const Frame frame = source_line(lines);
    int length = snprintf(text, sizeof text, "%.*s", path.length, path.at);
    if (frame.file.length > 0)
        length += snprintf(text + length, sizeof text - (size_t)length, "%s(%.*s:%ld)", length > 0 ? " " : "",
                           frame.file.length, frame.file.at, frame.line);
    *out = arena_string_n(arena, text, (size_t)length);
    return *out ? ST_OK : fail_memory((size_t)length);
}
