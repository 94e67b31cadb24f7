// Attributes (IV.A.2.m, IV.A.2.v): messages of an object's header, or, when they are many or large (libver="latest"),
// objects of a fractal heap that a B-tree leads to.
#include "wire/hdf5_parts.h"
#include <stdio.h>
#include <string.h>

typedef struct Attribute {
    H5Type type;
    H5Space space;
    H5Cursor data;
} Attribute;

typedef struct Search {
    const H5File *file;
    const char *name;
    bool found;
    Attribute attribute;
    H5Heap heap; // where attributes are many
} Search;

// ---- one attribute

// Its datatype and its dataspace are messages in themselves; either may stand elsewhere.
static Status read_value(H5Cursor *type, H5Cursor *space, H5Cursor *data, unsigned shared, Attribute *out) {
    enum { SHARED_TYPE = 1, SHARED_SPACE = 2 };
    TRY(data->status); // so type and space are there as well
    if (shared & SHARED_SPACE) h5_unshare(space, MSG_DATASPACE);
    h5_space(space, &out->space);
    TRY(space->status);
    out->data = *data;
    if (shared & SHARED_TYPE) h5_unshare(type, MSG_DATATYPE);
    h5_type(type, &out->type);
    if (type->status == ST_UNSUPPORTED && shape_count(&out->space.shape) == 0) { // whatever it is, there is none of it
        error_clear();
        out->type = (H5Type){.kind = H5_NUMBER, .dtype = DT_F32, .size = 4};
        return ST_OK;
    }
    return type->status;
}

static Status match_attribute(Search *search, H5Cursor *cursor) {
    const unsigned version = h5_version(cursor, 1, 3, "an attribute");
    const unsigned shared = (unsigned)h5_uint(cursor, 1); // version 1: reserved
    const uint64_t name_size = h5_uint(cursor, 2), type_size = h5_uint(cursor, 2), space_size = h5_uint(cursor, 2);
    h5_skip(cursor, version == 3 ? 1 : 0);      // the name's character set
    const unsigned fill = version == 1 ? 7 : 0; // parts are filled up to multiples of 8 bytes
    H5Cursor name = h5_part(cursor, (name_size + fill) & ~(uint64_t)fill);
    H5Cursor type = h5_part(cursor, (type_size + fill) & ~(uint64_t)fill);
    H5Cursor space = h5_part(cursor, (space_size + fill) & ~(uint64_t)fill);
    const uint8_t *text = h5_take(&name, name_size);
    TRY(cursor->status);
    TRY(name.status);
    const size_t length = strnlen((const char *)text, (size_t)name_size);
    if (length != strlen(search->name) || memcmp(text, search->name, length) != 0) return ST_OK;
    search->found = true;
    return read_value(&type, &space, cursor, version == 1 ? 0 : shared, &search->attribute);
}

// ---- many attributes

static Status visit_dense(void *context, H5Cursor *record) {
    Search *search = context;
    H5Cursor id = h5_part(record, search->heap.id_size), object;
    if (h5_uint(record, 1) & MSG_SHARED)
        h5_fail(record, ST_UNSUPPORTED, "tables of shared messages are not supported; write the file without them");
    TRY(record->status);
    if (search->found) return ST_OK;
    TRY(h5_heap_object(&search->heap, &id, &object));
    return match_attribute(search, &object);
}

static Status search_dense(Search *search, H5Cursor *info) {
    enum { HAS_ORDER = 1, NAMES = 8 };
    h5_version(info, 0, 0, "an attribute info message");
    const unsigned flags = (unsigned)h5_uint(info, 1);
    h5_skip(info, flags & HAS_ORDER ? 2 : 0);
    const uint64_t heap = h5_address(info), tree = h5_address(info);
    TRY(info->status);
    if (heap == H5_NOWHERE || tree == H5_NOWHERE) return ST_OK;
    TRY(h5_heap_open(search->file, heap, &search->heap));
    const H5Only only = {.at = search->heap.id_size + 1 + 4, // behind flags and order of creation
                         .value = h5_lookup3((const uint8_t *)search->name, strlen(search->name), SIZE_MAX)};
    return h5_visit_records(search->file, tree, NAMES, &only, visit_dense, search);
}

// ---- an object's attribute of that name

static Status search_messages(const H5Object *object, Search *search) {
    H5Header header;
    H5Message message;
    for (h5_header(object->file, object->address, &header); !search->found && h5_message(&header, &message);) {
        if (message.type == MSG_ATTRIBUTE) {
            if (message.flags & MSG_SHARED) h5_unshare(&message.body, MSG_ATTRIBUTE);
            TRY(match_attribute(search, &message.body));
        } else if (message.type == MSG_ATTRIBUTE_INFO) {
            TRY(search_dense(search, &message.body));
        }
    }
    return header.at.status;
}

static Status find_attribute(const H5Object *object, const char *name, Search *search) {
    *search = (Search){.file = object->file, .name = name};
    const Status status = search_messages(object, search);
    return status == ST_OK ? ST_OK : fail_context(status, "attribute %s", name);
}

Status h5_attr_tensor(const H5Object *object, const char *name, Tensor *out, bool *found) {
    Search search;
    h5_begin(object->file);
    TRY(find_attribute(object, name, &search));
    *found = search.found;
    if (!search.found) return ST_OK;
    Attribute *attribute = &search.attribute;
    FAIL_IF(attribute->type.kind != H5_NUMBER, ST_BAD, "attribute %s: expected numbers, got a text", name);
    const Status status = h5_numbers(&attribute->data, &attribute->type, &attribute->space, out);
    return status == ST_OK ? ST_OK : fail_context(status, "attribute %s", name);
}

// ---- texts

typedef struct TextList {
    const char **texts;
    size_t count, capacity;
} TextList;

static Status add_text(const H5File *file, TextList *list, const char *text, size_t size, char padding) {
    while (size > 0 && (text[size - 1] == 0 || text[size - 1] == padding)) size--;
    FAIL_IF((size > 0 && memchr(text, 0, size)) || !utf8_valid(text, size), ST_BAD,
            "expected a text in UTF-8, got other bytes");
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity ? 2 * list->capacity : 16;
        const char **larger = mem_resize(list->texts, capacity * sizeof *larger);
        if (!larger) return fail_memory(capacity * sizeof *larger);
        list->texts = larger;
        list->capacity = capacity;
    }
    TRY(h5_spend_data(file, size + H5_TEXT_COST));
    const char *copy = arena_string_n(file->state->arena, text, size);
    if (!copy) return fail_memory(size);
    list->texts[list->count++] = copy;
    return ST_OK;
}

// A text that ends with a NUL may have anything behind it; one that is filled up with NULs has none inside.
static Status read_fixed_text(const H5File *file, H5Cursor *data, const H5Type *type, TextList *list) {
    const char *text = (const char *)h5_take(data, type->size);
    TRY(data->status);
    const size_t size = type->space_padded ? type->size : strnlen(text, type->size);
    return add_text(file, list, text, size, type->space_padded ? ' ' : 0);
}

static Status read_texts(const H5File *file, Attribute *attribute, TextList *list) {
    H5Cursor *data = &attribute->data;
    const int64_t count = shape_count(&attribute->space.shape);
    FAIL_IF(count > 0 && attribute->type.kind == H5_NUMBER, ST_BAD, "expected texts, got numbers");
    for (int64_t i = 0; i < count; i++) {
        if (attribute->type.kind == H5_TEXT) {
            TRY(read_fixed_text(file, data, &attribute->type, list));
        } else {
            const uint8_t *bytes;
            size_t size;
            TRY(h5_global_object(data, &bytes, &size));
            TRY(add_text(file, list, (const char *)bytes, size, 0));
        }
    }
    return ST_OK;
}

// Adds the texts of one attribute. *found false: there is none of that name.
static Status add_attribute(const H5Object *object, const char *name, TextList *list, bool *found) {
    Search search;
    TRY(find_attribute(object, name, &search));
    *found = search.found;
    const Status status = search.found ? read_texts(object->file, &search.attribute, list) : ST_OK;
    return status == ST_OK ? ST_OK : fail_context(status, "attribute %s", name);
}

// An attribute takes at most 64 kB, so Keras splits long lists: name0, name1, ...
static Status add_parts(const H5Object *object, const char *name, TextList *list, bool *found) {
    bool more = true;
    TRY(add_attribute(object, name, list, found));
    for (unsigned part = 0; !*found && more; part++) {
        char part_name[H5_MAX_NAME];
        const int length = snprintf(part_name, sizeof part_name, "%s%u", name, part);
        if (length < 0 || (size_t)length >= sizeof part_name) break;
        TRY(add_attribute(object, part_name, list, &more));
        if (!more) *found = part > 0;
    }
    return ST_OK;
}

static Status keep_texts(const H5File *file, const TextList *list, const char ***texts) {
    *texts = arena_array(file->state->arena, list->count + 1, sizeof **texts);
    if (!*texts) return fail_memory(list->count * sizeof **texts);
    if (list->count) memcpy(*texts, list->texts, list->count * sizeof **texts);
    return ST_OK;
}

Status h5_attr_texts(const H5Object *object, const char *name, const char ***texts, size_t *count) {
    TextList list = {.count = 0};
    bool found;
    *texts = NULL;
    *count = 0;
    h5_begin(object->file);
    Status status = add_parts(object, name, &list, &found);
    if (status == ST_OK && found) status = keep_texts(object->file, &list, texts);
    if (status == ST_OK) *count = list.count;
    mem_free(list.texts);
    return status;
}

Status h5_attr_text(const H5Object *object, const char *name, const char **text) {
    TextList list = {.count = 0};
    bool found;
    *text = NULL;
    h5_begin(object->file);
    Status status = add_attribute(object, name, &list, &found);
    if (status == ST_OK && found && list.count != 1)
        status = fail(ST_BAD, "attribute %s: expected one text, got %zu", name, list.count);
    if (status == ST_OK && found) *text = list.texts[0];
    mem_free(list.texts);
    return status;
}
