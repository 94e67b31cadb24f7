// Groups: their links, and paths through them.
//
//     old (III.A.1, III.B, III.C): "TREE" -> ... -> "TREE" -> "SNOD" | entry | entry ..., sorted by name
//     new (IV.A.2.g, IV.A.2.c): link messages, or a B-tree sorted by the names' hash values -> link messages in a heap
#include "wire/hdf5_parts.h"
#include <stdlib.h>
#include <string.h>

typedef enum LinkKind { LINK_HARD = 0, LINK_SOFT = 1, LINK_OTHER = 64 } LinkKind;

typedef struct Link {
    const char *name, *target; // as they lie in the file: without a NUL behind them
    size_t name_size, target_size;
    LinkKind kind;
    uint64_t address; // LINK_HARD
} Link;

// What is looked for in a group. `visit` is given every link; where a name is wanted, perhaps only some: those that
// cannot have it are left out.
typedef struct Search {
    const H5File *file;
    const char *wanted; // NULL: all links
    size_t wanted_size;
    Status (*visit)(struct Search *search, const Link *link);
    void *context;
} Search;

static int compare_bytes(const char *a, size_t a_size, const char *b, size_t b_size) {
    const int order = memcmp(a, b, MIN(a_size, b_size));
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static bool is_wanted(const Search *search, const Link *link) {
    return compare_bytes(search->wanted, search->wanted_size, link->name, link->name_size) == 0;
}

// ---- old groups

enum { CACHED_SOFT_LINK = 2, GROUP_NODE = 0 };

static Status visit_entry(Search *search, uint64_t heap, H5Cursor *entry) {
    const H5File *file = search->file;
    Link link = {.kind = LINK_HARD};
    const uint64_t name = h5_uint(entry, file->offset_size);
    link.address = h5_address(entry);
    const uint64_t cache = h5_uint(entry, 4);
    h5_skip(entry, 4);
    const uint64_t value = h5_uint(entry, 4); // the first bytes of the scratch pad
    h5_skip(entry, 12);
    TRY(entry->status);
    TRY(h5_local_name(file, heap, name, &link.name, &link.name_size));
    if (cache == CACHED_SOFT_LINK) {
        link.kind = LINK_SOFT;
        TRY(h5_local_name(file, heap, value, &link.target, &link.target_size));
    }
    return search->visit(search, &link);
}

static Status visit_symbols(Search *search, uint64_t heap, uint64_t address) {
    H5Cursor cursor = h5_cursor_open(search->file, address, "a table of symbols");
    h5_expect(&cursor, "SNOD", "a table of symbols");
    h5_version(&cursor, 1, 1, "a table of symbols");
    h5_skip(&cursor, 1);
    for (uint64_t n = h5_uint(&cursor, 2); n > 0 && cursor.status == ST_OK; n--)
        TRY(visit_entry(search, heap, &cursor));
    return cursor.status;
}

// Keys stand around the children: a child holds the names that are greater than the key before it, up to the one
// behind it. *order: of the wanted name against the key.
static Status compare_key(const Search *search, uint64_t heap, uint64_t key, int *order) {
    const char *name;
    size_t size;
    TRY(h5_local_name(search->file, heap, key, &name, &size));
    *order = compare_bytes(search->wanted, search->wanted_size, name, size);
    return ST_OK;
}

// `above`: the level of the node that leads here, plus one at the root.
static Status visit_tree(Search *search, uint64_t heap, uint64_t address, unsigned above) {
    const H5File *file = search->file;
    H5Cursor cursor = h5_cursor_open(file, address, "a group's B-tree");
    h5_expect(&cursor, "TREE", "a group's B-tree");
    const unsigned type = (unsigned)h5_uint(&cursor, 1), level = (unsigned)h5_uint(&cursor, 1);
    uint64_t n = h5_uint(&cursor, 2);
    h5_skip(&cursor, 2 * file->offset_size); // the neighbours
    if (cursor.status == ST_OK && (type != GROUP_NODE || level >= above))
        h5_fail(&cursor, ST_BAD,
                "expected a group's B-tree of less than %u levels, got type %u, level %u; the file is "
                "damaged",
                above, type, level);
    h5_length(&cursor); // the key before the first child: below all names
    for (int order = 1; n > 0 && cursor.status == ST_OK; n--) {
        const bool is_behind = search->wanted && order <= 0; // the key before this child is not below the name
        const uint64_t child = h5_address(&cursor), key = h5_length(&cursor);
        TRY(cursor.status);
        if (is_behind) break;
        if (search->wanted) TRY(compare_key(search, heap, key, &order));
        if (search->wanted && order > 0) continue;
        if (level > 0) TRY(visit_tree(search, heap, child, level));
        else TRY(visit_symbols(search, heap, child));
    }
    return cursor.status;
}

static Status visit_old(Search *search, H5Message *message) {
    const uint64_t tree = h5_address(&message->body), heap = h5_address(&message->body);
    TRY(message->body.status);
    return tree == H5_NOWHERE ? ST_OK : visit_tree(search, heap, tree, H5_MAX_DEPTH);
}

// ---- new groups

static Status visit_link(Search *search, H5Cursor *cursor) {
    enum { HAS_ORDER = 4, HAS_KIND = 8, HAS_CHARSET = 16 };
    Link link = {.kind = LINK_HARD};
    h5_version(cursor, 1, 1, "a link");
    const unsigned flags = (unsigned)h5_uint(cursor, 1);
    if (flags & HAS_KIND) link.kind = (LinkKind)h5_uint(cursor, 1);
    h5_skip(cursor, (flags & HAS_ORDER ? 8 : 0) + (flags & HAS_CHARSET ? 1 : 0));
    const uint64_t size = h5_uint(cursor, 1u << (flags & 3));
    if (cursor->status == ST_OK && size > H5_MAX_NAME)
        h5_fail(cursor, ST_BAD, "expected a name of at most %d bytes, got %llu; the file is damaged", H5_MAX_NAME,
                (unsigned long long)size);
    link.name = (const char *)h5_take(cursor, size);
    link.name_size = (size_t)size;
    if (link.kind == LINK_HARD) {
        link.address = h5_address(cursor);
    } else if (link.kind == LINK_SOFT) {
        link.target_size = (size_t)h5_uint(cursor, 2);
        link.target = (const char *)h5_take(cursor, link.target_size);
    } else {
        link.kind = LINK_OTHER;
    }
    TRY(cursor->status);
    return search->visit(search, &link);
}

typedef struct Dense {
    Search *search;
    H5Heap heap;
} Dense;

static Status visit_dense_link(void *context, H5Cursor *record) {
    Dense *dense = context;
    H5Cursor link;
    h5_skip(record, 4); // the name's hash value
    TRY(h5_heap_object(&dense->heap, record, &link));
    return visit_link(dense->search, &link);
}

static Status visit_dense(Search *search, H5Cursor *info) {
    enum { HAS_ORDER = 1, NAMES = 5 };
    Dense dense = {.search = search};
    h5_version(info, 0, 0, "a link info message");
    const unsigned flags = (unsigned)h5_uint(info, 1);
    h5_skip(info, flags & HAS_ORDER ? 8 : 0);
    const uint64_t heap = h5_address(info), tree = h5_address(info);
    TRY(info->status);
    if (heap == H5_NOWHERE || tree == H5_NOWHERE) return ST_OK;
    const H5Only only = {.at = 0, .value = h5_lookup3((const uint8_t *)search->wanted, search->wanted_size, SIZE_MAX)};
    TRY(h5_heap_open(search->file, heap, &dense.heap));
    return h5_visit_records(search->file, tree, NAMES, search->wanted ? &only : NULL, visit_dense_link, &dense);
}

// ---- all links of a group

static Status visit_links(Search *search, uint64_t address, bool *is_group) {
    H5Header header;
    H5Message message;
    *is_group = false;
    for (h5_header(search->file, address, &header); h5_message(&header, &message);) {
        if (message.type == MSG_SYMBOL_TABLE) TRY(visit_old(search, &message));
        else if (message.type == MSG_LINK_INFO) TRY(visit_dense(search, &message.body));
        else if (message.type == MSG_LINK) TRY(visit_link(search, &message.body));
        else continue;
        *is_group = true;
    }
    return header.at.status;
}

typedef struct Names {
    const char **names;
    size_t count, capacity;
} Names;

static Status collect_name(Search *search, const Link *link) {
    Names *names = search->context;
    TRY(h5_spend_data(search->file, link->name_size + H5_TEXT_COST));
    const char *copy = arena_string_n(search->file->state->arena, link->name, link->name_size);
    if (!copy) return fail_memory(link->name_size);
    FAIL_IF(memchr(link->name, 0, link->name_size) || !utf8_valid(link->name, link->name_size), ST_BAD,
            "byte %zu: expected a name in UTF-8, got other bytes; the file is damaged",
            (size_t)((const uint8_t *)link->name - search->file->bytes));
    if (names->count == names->capacity) {
        const size_t capacity = names->capacity ? 2 * names->capacity : 64;
        const char **larger = mem_resize(names->names, capacity * sizeof *larger);
        if (!larger) return fail_memory(capacity * sizeof *larger);
        names->names = larger;
        names->capacity = capacity;
    }
    names->names[names->count++] = copy;
    return ST_OK;
}

static int compare_natural(const void *a, const void *b) {
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    const int order = natural_compare(x, y);
    return order ? order : strcmp(x, y);
}

static Status keep_names(const H5File *file, Names *names, const char ***out) {
    const char **kept = arena_array(file->state->arena, names->count + 1, sizeof *kept);
    if (!kept) return fail_memory(names->count * sizeof *kept);
    if (names->count) {
        qsort(names->names, names->count, sizeof *names->names, compare_natural);
        memcpy(kept, names->names, names->count * sizeof *kept);
    }
    for (size_t i = 1; i < names->count; i++)
        FAIL_IF(strcmp(kept[i - 1], kept[i]) == 0, ST_BAD,
                "expected %s once in its group, got it twice; the file is "
                "damaged",
                kept[i]);
    *out = kept;
    return ST_OK;
}

Status h5_names(const H5Object *group, const char ***names, size_t *count) {
    Names found = {.count = 0};
    Search search = {.file = group->file, .visit = collect_name, .context = &found};
    bool is_group;
    h5_begin(group->file);
    Status status = visit_links(&search, group->address, &is_group);
    if (status == ST_OK && !is_group)
        status = fail(ST_BAD, "byte %llu: expected a group, got a dataset",
                      (unsigned long long)(group->file->base + group->address));
    if (status == ST_OK) status = keep_names(group->file, &found, names);
    *count = status == ST_OK ? found.count : 0;
    mem_free(found.names);
    return status;
}

// ---- paths

typedef struct Found {
    Link link;
    bool found;
} Found;

static Status match_name(Search *search, const Link *link) {
    Found *found = search->context;
    if (is_wanted(search, link) && !found->found) *found = (Found){*link, true};
    return ST_OK;
}

// Goes from *address along the path; soft links count from the group that they stand in, or from the root.
static Status follow_path(const H5File *file, const char *path, size_t size, unsigned *links, uint64_t *address,
                          bool *found) {
    const char *end = path + size;
    if (size > 0 && *path == '/') *address = file->root;
    *found = true;
    while (*found) {
        while (path < end && *path == '/') path++;
        if (path == end) break;
        const char *slash = memchr(path, '/', (size_t)(end - path));
        const size_t length = (size_t)((slash ? slash : end) - path);
        Found match = {.found = false};
        Search search = {.file = file, .wanted = path, .wanted_size = length, .visit = match_name, .context = &match};
        bool is_group;
        if (length != 1 || *path != '.') TRY(visit_links(&search, *address, &is_group));
        else match = (Found){{.kind = LINK_HARD, .address = *address}, true};
        path += length;
        *found = match.found;
        if (!match.found) break;
        FAIL_IF(match.link.kind == LINK_OTHER, ST_UNSUPPORTED, "%.*s: links to other files are not supported",
                (int)match.link.name_size, match.link.name);
        if (match.link.kind == LINK_HARD) {
            *address = match.link.address;
            continue;
        }
        FAIL_IF(++*links > H5_MAX_LINKS, ST_BAD,
                "%.*s: expected a path through at most %d soft links, got more; they "
                "lead in a circle",
                (int)match.link.name_size, match.link.name, H5_MAX_LINKS);
        TRY(follow_path(file, match.link.target, match.link.target_size, links, address, found));
    }
    return ST_OK;
}

Status h5_find(const H5Object *from, const char *path, H5Object *out, bool *found) {
    unsigned links = 0;
    uint64_t address = from->address;
    h5_begin(from->file);
    TRY(follow_path(from->file, path, strlen(path), &links, &address, found));
    *out = (H5Object){.file = from->file, .address = address};
    return ST_OK;
}

bool h5_is_dataset(const H5Object *object) {
    H5Message message;
    bool found = false;
    h5_begin(object->file);
    const Status status = h5_find_message(object->file, object->address, MSG_LAYOUT, &message, &found);
    if (status != ST_OK) error_clear();
    return status == ST_OK && found;
}
