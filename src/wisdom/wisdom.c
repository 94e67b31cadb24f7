#include "wisdom/wisdom.h"
#include "base/checksum.h"
#include "base/file.h"
#include "base/hash.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char head[] = "w1 ";
enum { FIELDS = 10, HEAD = sizeof head - 1 + HASH64_DIGITS + 1 };
static const double least = 1e-3, most = 1e3;

Status wisdom_path(Arena *arena, const char *given, const char **out) {
    const char *path = given ? given : getenv("STENT_WISDOM");
    *out = NULL;
    if (path && *path) *out = arena_string(arena, path);
    else if ((path = user_data_folder(arena)) != NULL) *out = path_join(arena, path, "wisdom");
    else return ST_OK;
    return *out ? ST_OK : fail_memory(256);
}

bool wisdom_fits(const WisdomLine *line) {
    return line->low >= least && line->low <= line->ratio && line->ratio <= line->high && line->high <= most;
}
// Control characters would end a field or a line.
static void add_field(Text *text, const char *field) {
    text_add(text, "\t");
    for (const char *c = field; *c; c++) {
        const bool control = (unsigned char)*c < 0x20 || *c == 0x7f;
        text_bytes(text, control ? " " : c, 1);
    }
}
static void add_number(Text *text, double value) {
    text_add(text, "\t");
    text_double(text, floor(value * 1e4 + 0.5) / 1e4);
}
Status wisdom_print(const WisdomLine *line, Text *text) {
    Text fields = {0};
    FAIL_IF(!wisdom_fits(line), ST_BAD, "a ratio out of range");
    add_field(&fields, line->date), add_field(&fields, line->isa), add_field(&fields, line->machine);
    text_add(&fields, "\t%d", line->threads);
    add_field(&fields, line->problem), add_field(&fields, line->incumbent), add_field(&fields, line->candidate);
    add_number(&fields, line->ratio), add_number(&fields, line->low), add_number(&fields, line->high);
    Status status = text_status(&fields);
    if (status == ST_OK && fields.length + HEAD > WISDOM_LINE) status = fail(ST_BAD, "a line of wisdom is too long");
    if (status == ST_OK) {
        const char *body = text_get(&fields) + 1; // behind the first tab
        text_add(text, "%s%016llx\t%s\n", head, (unsigned long long)hash64(body, fields.length - 1, 0), body);
        status = text_status(text);
    }
    text_free(&fields);
    return status;
}

// Cuts at tabs; exactly so many fields, none of them empty, nothing that a terminal would interpret.
static bool split(char *text, char *fields[FIELDS]) {
    int count = 0;
    fields[count++] = text;
    for (char *c = text; *c; c++) {
        if (*c == '\t') {
            if (count == FIELDS) return false;
            *c = 0, fields[count++] = c + 1;
        } else if ((unsigned char)*c < 0x20 || *c == 0x7f) return false;
    }
    for (int i = 0; i < count; i++)
        if (!*fields[i]) return false;
    return count == FIELDS;
}
bool wisdom_parse(const char *text, size_t length, char buffer[WISDOM_LINE], WisdomLine *out) {
    char *fields[FIELDS];
    uint64_t checksum;
    int64_t threads;
    if (length <= HEAD || length >= WISDOM_LINE || memcmp(text, head, sizeof head - 1) || text[HEAD - 1] != '\t' ||
        !hash64_parse(text + sizeof head - 1, &checksum) ||
        !checksum_matches(hash64(text + HEAD, length - HEAD, 0), checksum) || memchr(text, 0, length))
        return false;
    memcpy(buffer, text + HEAD, length - HEAD), buffer[length - HEAD] = 0;
    if (!utf8_valid(buffer, length - HEAD) || !split(buffer, fields) || !parse_i64(fields[3], &threads) ||
        threads < 1 || threads > INT32_MAX)
        return false;
    *out = (WisdomLine){fields[0], fields[1], fields[2], (int)threads, fields[4], fields[5], fields[6], 0, 0, 0};
    return parse_double(fields[7], &out->ratio) && parse_double(fields[8], &out->low) &&
           parse_double(fields[9], &out->high) && wisdom_fits(out);
}

static Status read_lines(const char *data, size_t size, WisdomVisit *visit, void *context, WisdomCount *count) {
    char buffer[WISDOM_LINE];
    for (size_t at = 0; at < size;) {
        const char *text = data + at, *end = memchr(text, '\n', size - at);
        const size_t length = end ? (size_t)(end - text) : size - at;
        WisdomLine line;
        at += length + 1;
        if (!length) continue;
        if (!wisdom_parse(text, length, buffer, &line)) {
            count->bad++;
            continue;
        }
        count->lines++;
        TRY(visit(context, &line, text, length));
    }
    return ST_OK;
}
Status wisdom_read(const char *path, WisdomVisit *visit, void *context, WisdomCount *count) {
    Mapping mapping;
    PathKind kind;
    *count = (WisdomCount){0};
    TRY(path_known(path, &kind));
    if (kind == PATH_MISSING || (kind == PATH_FILE && file_size(path) == 0)) return ST_OK;
    TRY(file_map(path, &mapping));
    count->cut = mapping.size > WISDOM_BYTES;
    Status status =
        read_lines((const char *)mapping.data, MIN(mapping.size, (size_t)WISDOM_BYTES), visit, context, count);
    status = file_intact(&mapping, status);
    file_unmap(&mapping);
    return status;
}
Status wisdom_append(const char *path, const Text *lines) {
    Arena arena = {0};
    TRY(text_status(lines));
    if (!lines->length) return ST_OK;
    FAIL_IF(file_size(path) + (int64_t)lines->length > WISDOM_BYTES, ST_RESOURCE,
            "%s is full (%d MB); see stent wisdom forget", path, WISDOM_BYTES >> 20);
    const char *folder = path_folder(&arena, path);
    Status status = folder ? folder_make(folder) : fail_memory(strlen(path));
    if (status == ST_OK) status = file_append(path, text_get(lines), lines->length);
    arena_free(&arena);
    return status;
}
