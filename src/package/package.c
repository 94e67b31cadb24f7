#include "package/package.h"
#include "problem/problem.h"
#include "base/checksum.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES = 128, ENTRY_BYTES = 32, ALIGN = 64, MOST_SECTIONS = 64, MOST_CHECK_TENSORS = 2048 };
enum { // fields of the header
    AT_VERSION = 8,
    AT_COUNT = 12,
    AT_SIZE = 16,
    AT_HEADER_HASH = 24,
    AT_CONTENT_HASH = 32,
    AT_TABLE_HASH = 64
};
static const char magic[8] = {'S', 'T', 'E', 'N', 'T', 'P', 'K', '\n'};
typedef enum SectionKind {
    SECTION_GRAPH = 1, // graph text; large constants by offset into SECTION_CONSTANTS
    SECTION_CONSTANTS,
    SECTION_PIPELINE,
    SECTION_SETTINGS,    // JSON: opt_level, precision
    SECTION_CHECK,       // text: "reference" or "strict", then a line a tensor: input|expected dtype shape
    SECTION_CHECK_DATA,  // their data, each at a multiple of 64
    SECTION_DESCRIPTION, // JSON
    SECTION_PLANS,       // stored plans (plan/stored.h), one behind the other; left out where there are none
    SECTION_KINDS,
    FIRST_OPTIONAL = SECTION_CHECK
} SectionKind;
// The network's answer does not depend on the section: the content hash leaves it out, and a reader that does not know
// it goes on without it.
enum { FLAG_OPTIONAL = 1 };
typedef struct Section {
    uint64_t offset, size, hash;
} Section;

static void put32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> 8 * i);
}
static void put64(uint8_t *at, uint64_t value) {
    for (int i = 0; i < 8; i++) at[i] = (uint8_t)(value >> 8 * i);
}
static uint32_t get32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}
static uint64_t get64(const uint8_t *at) { return get32(at) | (uint64_t)get32(at + 4) << 32; }

// Writing: the sections are put together in memory; head and sections then go out one behind the other.

static void align(Text *file) {
    static const char zeros[ALIGN];
    text_bytes(file, zeros, (size_t)(round_up((int64_t)file->length, ALIGN) - (int64_t)file->length));
}
static void check_tensors(Text *lines, Text *data, const char *what, const Tensor *tensors, int count) {
    for (int i = 0; i < count; i++) {
        text_add(lines, "%s %s ", what, dtype_name(tensors[i].dtype));
        shape_print(lines, &tensors[i].shape);
        text_add(lines, "\n");
        text_bytes(data, tensors[i].data, tensor_bytes(&tensors[i]));
        align(data);
    }
}
static void write_settings(const PackageContent *content, Text *json) {
    JsonWriter w = {.text = json};
    json_begin_object(&w);
    json_key(&w, "opt_level"), json_integer(&w, content->opt_level);
    json_key(&w, "precision"), json_string(&w, content->precision);
    json_end_object(&w);
}
static Status fill_sections(const PackageContent *content, Text sections[SECTION_KINDS]) {
    TRY(graph_print_blob(content->graph, &sections[SECTION_GRAPH], &sections[SECTION_CONSTANTS]));
    text_add(&sections[SECTION_PIPELINE], "%s", content->pipeline);
    write_settings(content, &sections[SECTION_SETTINGS]);
    text_add(&sections[SECTION_DESCRIPTION], "%s", content->description);
    const SelfCheck *check = &content->check;
    text_add(&sections[SECTION_CHECK], "%s\n", check->from_reference ? "reference" : "strict");
    check_tensors(&sections[SECTION_CHECK], &sections[SECTION_CHECK_DATA], "input", check->inputs, check->n_inputs);
    check_tensors(&sections[SECTION_CHECK], &sections[SECTION_CHECK_DATA], "expected", check->expected,
                  check->n_outputs);
    for (int i = 0; i < SECTION_KINDS; i++) TRY(text_status(&sections[i]));
    return ST_OK;
}
// With the field for the hash itself as 0. Of the header alone, so that a reader of any version can tell a damaged
// version number from a newer one.
static uint64_t header_hash(const uint8_t *header) {
    uint8_t copy[HEADER_BYTES];
    memcpy(copy, header, HEADER_BYTES);
    put64(copy + AT_HEADER_HASH, 0);
    return hash64(copy, HEADER_BYTES, 0);
}
// Where the bytes of a package go: a text in memory or a file.
typedef struct Sink {
    Text *text;
    AtomicFile *file;
    uint64_t length; // so far
} Sink;
static Status sink_add(Sink *sink, const void *bytes, size_t count) {
    sink->length += count;
    if (sink->file) return atomic_write(sink->file, bytes, count);
    text_bytes(sink->text, bytes, count);
    return text_status(sink->text);
}
static uint64_t aligned(uint64_t offset) { return (offset + ALIGN - 1) / ALIGN * ALIGN; }
static Status sink_align(Sink *sink) {
    static const char zeros[ALIGN];
    return sink_add(sink, zeros, (size_t)(aligned(sink->length) - sink->length));
}

enum { TABLE_BYTES = SECTION_KINDS * ENTRY_BYTES };
typedef struct Head {
    uint8_t bytes[HEADER_BYTES + TABLE_BYTES]; // header and section table
    uint32_t count;                            // of sections
} Head;
static uint64_t head_bytes(const Head *head) { return HEADER_BYTES + (uint64_t)head->count * ENTRY_BYTES; }
static void make_head(const Text sections[SECTION_KINDS], Head *head, char hex[65]) {
    uint8_t *header = head->bytes, *table = header + HEADER_BYTES;
    Sha256 sha;
    *head = (Head){.count = SECTION_KINDS - (sections[SECTION_PLANS].length ? 1 : 2)};
    uint64_t end = head_bytes(head);
    sha256_begin(&sha);
    for (uint32_t i = 0; i < head->count; i++) {
        const Text *section = &sections[i + 1];
        uint8_t *entry = table + i * ENTRY_BYTES;
        const bool optional = i + 1 >= FIRST_OPTIONAL;
        put32(entry, i + 1), put32(entry + 4, optional ? FLAG_OPTIONAL : 0);
        put64(entry + 8, aligned(end)), put64(entry + 16, section->length);
        put64(entry + 24, hash64(text_get(section), section->length, 0));
        end = aligned(end) + section->length;
        if (optional) continue;
        sha256_add(&sha, entry, 4), sha256_add(&sha, entry + 16, 8);
        sha256_add(&sha, text_get(section), section->length);
    }
    memcpy(header, magic, sizeof magic);
    put32(header + AT_VERSION, PACKAGE_VERSION), put32(header + AT_COUNT, head->count);
    put64(header + AT_SIZE, end);
    sha256_end(&sha, header + AT_CONTENT_HASH);
    put64(header + AT_TABLE_HASH, hash64(table, head->count * ENTRY_BYTES, 0));
    put64(header + AT_HEADER_HASH, header_hash(header));
    sha256_text(header + AT_CONTENT_HASH, hex);
}
static Status put_sections(const Head *head, const Text sections[SECTION_KINDS], Sink *sink) {
    TRY(sink_add(sink, head->bytes, (size_t)head_bytes(head)));
    for (uint32_t i = 0; i < head->count; i++) {
        TRY(sink_align(sink));
        TRY(sink_add(sink, text_get(&sections[i + 1]), sections[i + 1].length));
    }
    return ST_OK;
}
static Status write_sections(const char *path, const Head *head, const Text sections[SECTION_KINDS]) {
    Sink sink = {0};
    TRY(atomic_open(path, &sink.file));
    const Status status = put_sections(head, sections, &sink);
    if (status == ST_OK) return atomic_commit(sink.file);
    atomic_abort(sink.file);
    return status;
}
// The sections and their head, from sources that are still whole.
static Status prepare(const PackageContent *content, Text sections[SECTION_KINDS], Head *head, char hex[65]) {
    Status status = fill_sections(content, sections);
    if (status == ST_OK) make_head(sections, head, hex);
    for (size_t i = 0; i < content->n_sources; i++) status = file_intact(&content->sources[i], status);
    return status;
}
static void forget_sections(Text sections[SECTION_KINDS]) {
    for (int i = 0; i < SECTION_KINDS; i++) text_free(&sections[i]);
}
Status package_bytes(const PackageContent *content, Text *out, char hex[65]) {
    Text sections[SECTION_KINDS] = {{0}};
    Head head;
    Sink sink = {.text = out};
    Status status = prepare(content, sections, &head, hex);
    if (status == ST_OK) status = put_sections(&head, sections, &sink);
    forget_sections(sections);
    return status;
}
Status package_write(const char *path, const PackageContent *content, char hex[65]) {
    Text sections[SECTION_KINDS] = {{0}};
    Head head;
    Status status = prepare(content, sections, &head, hex);
    if (status == ST_OK) status = write_sections(path, &head, sections);
    forget_sections(sections);
    return status;
}

// Reading. The file may shrink while it is read: what came of it counts once package_intact has said so.

// The header, whose layout is the same in every version. count: of sections.
static Status read_header(const Mapping *file, uint32_t *sections) {
    const uint8_t *data = file->data;
    FAIL_IF(file->size < HEADER_BYTES || memcmp(data, magic, sizeof magic), ST_BAD,
            "not a stent package (make one with: stent compile MODEL -o NET.stent)");
    FAIL_IF(!checksum_matches(header_hash(data), get64(data + AT_HEADER_HASH)), ST_BAD, "the header is damaged; copy the file again");
    const uint32_t version = get32(data + AT_VERSION), count = get32(data + AT_COUNT);
    FAIL_IF(version > PACKAGE_VERSION, ST_UNSUPPORTED,
            "made by a newer stent (format %u, this one reads up to %d); update stent", version, PACKAGE_VERSION);
    FAIL_IF(version < 1, ST_BAD, "offset %d: expected a format version, got %u", AT_VERSION, version);
    FAIL_IF(get64(data + AT_SIZE) != file->size, ST_BAD,
            "the file is damaged or cut short: expected %llu bytes, got %zu; copy it again",
            (unsigned long long)get64(data + AT_SIZE), file->size);
    FAIL_IF(count > MOST_SECTIONS || HEADER_BYTES + (uint64_t)count * ENTRY_BYTES > file->size, ST_BAD,
            "offset %d: expected at most %d sections, got %u", AT_COUNT, MOST_SECTIONS, count);
    FAIL_IF(!checksum_matches(hash64(data + HEADER_BYTES, (size_t)count * ENTRY_BYTES, 0), get64(data + AT_TABLE_HASH)),
            ST_BAD, "the section table is damaged; copy the file again");
    *sections = count;
    return ST_OK;
}
// Checks the header and the table; sections[kind] of offset 0 are absent.
static Status read_table(const Mapping *file, Section sections[SECTION_KINDS]) {
    uint32_t count;
    TRY(read_header(file, &count));
    const uint8_t *data = file->data, *table = data + HEADER_BYTES;
    uint64_t end = HEADER_BYTES + (uint64_t)count * ENTRY_BYTES; // of what has been seen of the file
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = table + i * ENTRY_BYTES;
        const uint32_t kind = get32(entry), flags = get32(entry + 4);
        const Section section = {get64(entry + 8), get64(entry + 16), get64(entry + 24)};
        FAIL_IF(section.offset % ALIGN || section.offset > file->size || section.size > file->size - section.offset,
                ST_BAD, "section %u: expected it inside the file, got offset %llu", i,
                (unsigned long long)section.offset);
        FAIL_IF(section.offset < end, ST_BAD, "section %u: expected it behind the one before, got offset %llu", i,
                (unsigned long long)section.offset);
        end = section.offset + section.size;
        FAIL_IF(!checksum_matches(hash64(data + section.offset, section.size, 0), section.hash), ST_BAD,
                "section %u (offset %llu) is damaged; copy the file again", i, (unsigned long long)section.offset);
        if (kind < 1 || kind >= SECTION_KINDS || flags & ~(uint32_t)FLAG_OPTIONAL) { // a later addition
            FAIL_IF(!(flags & FLAG_OPTIONAL), ST_UNSUPPORTED,
                    "section %u: kind %u with flags %u is not known here: made by a newer stent; update stent", i, kind,
                    flags);
            continue;
        }
        FAIL_IF(sections[kind].offset, ST_BAD, "section %u: a second one of kind %u", i, kind);
        sections[kind] = section;
    }
    return ST_OK;
}
Status package_write_with_plans(const Package *package, const char *plans, size_t size, const char *path) {
    Section at[SECTION_KINDS] = {{0}};
    Text sections[SECTION_KINDS] = {{0}};
    Head head;
    char hex[65];
    Status status = read_table(&package->mapping, at);
    for (int kind = SECTION_GRAPH; status == ST_OK && kind < SECTION_PLANS; kind++)
        sections[kind] = (Text){.data = (char *)(uintptr_t)package->mapping.data + at[kind].offset,
                                .length = at[kind].size}; // read only, and not freed
    sections[SECTION_PLANS] = (Text){.data = (char *)(uintptr_t)plans, .length = size};
    if (status == ST_OK) make_head(sections, &head, hex);
    status = package_intact(package, status);
    return status == ST_OK ? write_sections(path, &head, sections) : status;
}

static char *section_text(Package *package, const Section *section) {
    return arena_string_n(&package->arena, (const char *)package->mapping.data + section->offset, section->size);
}
static Status read_settings(Package *package, const char *text) {
    Json *root;
    Precision known;
    Status status = json_parse(&package->arena, text, strlen(text), &root);
    if (status != ST_OK) return fail_context(status, "settings");
    FAIL_IF(root->type != JSON_OBJECT, ST_BAD, "settings: expected an object");
    package->opt_level = -1;
    for (size_t i = 0; i < root->count; i++) {
        const char *key = root->keys[i];
        const Json *value = &root->items[i];
        if (!strcmp(key, "opt_level")) {
            FAIL_IF(value->type != JSON_NUMBER, ST_BAD, "settings: opt_level: expected a number");
            for (int level = 0; level <= 3; level++)
                if (value->number == level) package->opt_level = level;
            FAIL_IF(package->opt_level < 0, ST_UNSUPPORTED, "settings: opt_level %g is not known here; update stent",
                    value->number);
        } else if (!strcmp(key, "precision")) {
            FAIL_IF(value->type != JSON_STRING, ST_BAD, "settings: precision: expected a name");
            package->precision = value->string;
            FAIL_IF(!precision_parse(value->string, &known), ST_UNSUPPORTED,
                    "settings: precision '%.40s' is not known here; update stent", value->string);
        } else {
            return fail(ST_UNSUPPORTED, "settings: '%.40s' is not known here; update stent", key);
        }
    }
    FAIL_IF(package->opt_level < 0 || !package->precision, ST_BAD, "settings: expected opt_level and precision");
    return ST_OK;
}
// One line of the self-check's description: what, dtype, shape. Cuts `line` in place.
static Status read_check_line(char *line, bool *input, Tensor *tensor) {
    char *dtype = strchr(line, ' '), *shape = dtype ? strchr(dtype + 1, ' ') : NULL;
    FAIL_IF(!shape, ST_BAD, "self-check: expected 'input|expected DTYPE SHAPE', got '%.60s'", line);
    *dtype++ = 0, *shape++ = 0;
    *input = !strcmp(line, "input");
    tensor->dtype = dtype_from_name(dtype);
    FAIL_IF((!*input && strcmp(line, "expected")) || tensor->dtype == DT_NONE || !shape_parse(shape, &tensor->shape) ||
                shape_count(&tensor->shape) < 0,
            ST_BAD, "self-check: expected 'input|expected DTYPE SHAPE', got '%.20s %.20s %.40s'", line, dtype, shape);
    return ST_OK;
}
static Status read_check(Package *package, char *text, const Section *data) {
    SelfCheck *check = &package->check;
    check->inputs = arena_array(&package->arena, MOST_CHECK_TENSORS, sizeof(Tensor));
    check->expected = arena_array(&package->arena, MOST_CHECK_TENSORS, sizeof(Tensor));
    if (!check->inputs || !check->expected) return fail_memory(MOST_CHECK_TENSORS * sizeof(Tensor));
    char *line = strtok_r(text, "\n", &text);
    check->from_reference = line && !strcmp(line, "reference");
    FAIL_IF(line && !check->from_reference && strcmp(line, "strict"), ST_UNSUPPORTED,
            "self-check: kind '%.40s' is not known here; update stent", line);
    uint64_t at = 0;
    for (int i = 0; (line = strtok_r(NULL, "\n", &text)); i++) {
        Tensor tensor = {0};
        bool input;
        FAIL_IF(i >= MOST_CHECK_TENSORS, ST_BAD, "self-check: more than %d tensors", MOST_CHECK_TENSORS);
        TRY(read_check_line(line, &input, &tensor));
        const size_t bytes = tensor_bytes(&tensor);
        FAIL_IF(at > data->size || bytes > data->size - at, ST_BAD, "self-check: its data is cut short");
        tensor.data = (void *)(package->mapping.data + data->offset + at);
        at = (at + bytes + ALIGN - 1) / ALIGN * ALIGN;
        if (input) check->inputs[check->n_inputs++] = tensor;
        else check->expected[check->n_outputs++] = tensor;
    }
    return ST_OK;
}
// The self-check must fit the graph.
static Status match_check(const Package *package) {
    const SelfCheck *check = &package->check;
    const Graph *graph = package->graph;
    if (!check->n_inputs && !check->n_outputs) return ST_OK;
    FAIL_IF(check->n_inputs != graph->n_inputs || check->n_outputs != graph->n_outputs, ST_BAD,
            "self-check: expected %d inputs and %d outputs, got %d and %d", graph->n_inputs, graph->n_outputs,
            check->n_inputs, check->n_outputs);
    for (int i = 0; i < check->n_inputs; i++) {
        const Type *type = &graph->values[graph->inputs[i]].type;
        const Tensor *given = &check->inputs[i];
        bool fits = type->dtype == given->dtype && type->rank == given->shape.rank;
        for (int k = 0; fits && k < type->rank; k++) fits = type->dim[k] < 0 || type->dim[k] == given->shape.dim[k];
        FAIL_IF(!fits, ST_BAD, "self-check: input '%s' does not fit the network", graph->values[graph->inputs[i]].name);
    }
    return ST_OK;
}

typedef struct Opening {
    Package *package;
    Section sections[SECTION_KINDS];
    char *graph, *settings, *check; // texts, in the package's arena
} Opening;
// Hashes, and copies of the texts.
static Status read_sections(Opening *opening) {
    Package *package = opening->package;
    Section *sections = opening->sections;
    TRY(read_table(&package->mapping, sections));
    for (int kind = SECTION_GRAPH; kind < FIRST_OPTIONAL; kind++)
        FAIL_IF(!sections[kind].offset, ST_BAD, "section %d is missing", kind);
    opening->graph = section_text(package, &sections[SECTION_GRAPH]);
    opening->settings = section_text(package, &sections[SECTION_SETTINGS]);
    opening->check = section_text(package, &sections[SECTION_CHECK]);
    package->pipeline = section_text(package, &sections[SECTION_PIPELINE]);
    package->description = sections[SECTION_DESCRIPTION].offset ? section_text(package, &sections[SECTION_DESCRIPTION])
                                                                : arena_string(&package->arena, "{}");
    package->plans = (const char *)package->mapping.data + sections[SECTION_PLANS].offset;
    package->plans_bytes = sections[SECTION_PLANS].size;
    FAIL_IF(package->plans_bytes > PACKAGE_PLANS_BYTES, ST_BAD,
            "section %d: expected at most %d bytes of plans, got %zu", SECTION_PLANS, PACKAGE_PLANS_BYTES,
            package->plans_bytes);
    FAIL_IF(!opening->graph || !opening->settings || !opening->check || !package->pipeline || !package->description,
            ST_RESOURCE, "out of memory");
    sha256_text(package->mapping.data + AT_CONTENT_HASH, package->content_hash);
    const uint64_t hashes[] = {sections[SECTION_CHECK].hash, sections[SECTION_CHECK_DATA].hash};
    snprintf(package->check_hash, sizeof package->check_hash, "%016llx",
             (unsigned long long)hash64(hashes, sizeof hashes, 0));
    return ST_OK;
}
static Status read_all(Package *package) {
    Opening opening = {.package = package};
    TRY(read_sections(&opening));
    TRY(read_settings(package, opening.settings));
    const Section *constants = &opening.sections[SECTION_CONSTANTS];
    package->constants = package->mapping.data + constants->offset, package->constants_bytes = constants->size;
    TRY(graph_parse_blob(opening.graph, opening.sections[SECTION_GRAPH].size, package->constants, constants->size,
                         &package->graph));
    TRY(read_check(package, opening.check, &opening.sections[SECTION_CHECK_DATA]));
    return match_check(package);
}
Status package_open(const char *path, Package **out) {
    *out = NULL;
    Package *package = mem_zero(1, sizeof *package);
    if (!package) return fail_memory(sizeof *package);
    Status status = file_map(path, &package->mapping);
    if (status == ST_OK) {
        status = read_all(package);
        if (status != ST_OK) status = fail_context(status, "%s", path);
        status = package_intact(package, status);
    }
    if (status == ST_OK) *out = package;
    else package_close(package);
    return status;
}
Status package_open_bytes(const void *bytes, size_t size, Package **out) {
    *out = NULL;
    Package *package = mem_zero(1, sizeof *package);
    if (!package) return fail_memory(sizeof *package);
    package->mapping = (Mapping){bytes, size, NULL};
    const Status status = read_all(package);
    if (status == ST_OK) *out = package;
    else package_close(package);
    return status;
}
void package_close(Package *package) {
    if (!package) return;
    graph_free(package->graph);
    arena_free(&package->arena);
    file_unmap(&package->mapping);
    mem_free(package);
}
Status package_intact(const Package *package, Status status) { return file_intact(&package->mapping, status); }
Status package_is(const char *path, bool *is) {
    Mapping mapping;
    const Status status = file_map(path, &mapping);
    *is = status == ST_OK && mapping.size >= sizeof magic && !memcmp(mapping.data, magic, sizeof magic);
    file_unmap(&mapping);
    if (status != ST_BAD) return status;
    error_clear(); // no file: no package
    return ST_OK;
}
