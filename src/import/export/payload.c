#include "import/export/payload.h"
#include "import/export/fields.h"
#include "import/export/types.h"
#include "import/limits.h"
#include <stdio.h>
#include <string.h>

static const char no_tensor[] = "objects that are no tensors";

static Status grow(Arena *scratch, void **list, int *capacity, int count, size_t size) {
    if (count < *capacity) return ST_OK;
    const int larger = MAX(2 * *capacity, 64);
    void *moved = arena_array(scratch, (size_t)larger, size);
    if (!moved) return fail_memory((size_t)larger * size);
    if (count > 0) memcpy(moved, *list, (size_t)count * size);
    *list = moved;
    *capacity = larger;
    return ST_OK;
}

static Status add_entry(Payload *payload, const PayloadEntry *entry) {
    void *entries = payload->entries;
    FAIL_IF(payload->count >= LIMIT_NODES, ST_BAD, "expected at most %d weights, got more", LIMIT_NODES);
    TRY(grow(payload->scratch, &entries, &payload->capacity, payload->count, sizeof *entry));
    payload->entries = entries;
    TRY(name_add(&payload->names, payload->scratch, entry->name, payload->count));
    payload->entries[payload->count++] = *entry;
    return ST_OK;
}

// ---- files of torch.save

static Status open_pickled(Payload *payload, const ZipEntry *entry, TorchFile **out) {
    const uint8_t *bytes;
    TRY(zip_data(payload->scratch, payload->zip, entry, &bytes));
    *out = arena_alloc(payload->scratch, sizeof **out);
    if (!*out) return fail_memory(sizeof **out);
    return torch_open(&(Mapping){.data = bytes, .size = entry->size}, payload->scratch, *out);
}

static Status add_pickled(Payload *payload, const TorchFile *file) {
    const PickleValue *dict = pickle_dict(file->root);
    FAIL_IF(!dict, ST_BAD, "expected a dict of names and tensors, got %s", pickle_kind_name(file->root));
    for (size_t i = 0; i < dict->count; i++) {
        const PickleValue *value = dict->items[2 * i + 1];
        PayloadEntry entry = {.name = pickle_text(dict->items[2 * i]), .pickled = file, .value = value};
        if (!entry.name) continue;
        if (!torch_is_tensor(value)) entry.missing = no_tensor;
        TRY(add_entry(payload, &entry));
    }
    return ST_OK;
}

Status payload_add_pickled(Payload *payload, const ZipEntry *entry) {
    TorchFile *file;
    Status status = open_pickled(payload, entry, &file);
    if (status == ST_OK) status = add_pickled(payload, file);
    return status == ST_OK ? ST_OK : fail_context(status, "%s", entry->name);
}

// ---- views of numbers

static Status find_file(Payload *payload, const char *folder, const char *name, int32_t *out) {
    char path[2 * LIMIT_NAME];
    void *files = payload->files;
    const int length = snprintf(path, sizeof path, "%s%s", folder, name);
    FAIL_IF(length >= (int)sizeof path, ST_BAD, "expected a shorter path_name, got '%.100s...'", name);
    *out = name_find(&payload->paths, path);
    if (*out >= 0) return ST_OK;
    const ZipEntry *entry = zip_find(payload->zip, path);
    FAIL_IF(!entry, ST_BAD, "expected the file %.300s in the archive, got none", path);
    TRY(grow(payload->scratch, &files, &payload->files_capacity, payload->n_files, sizeof *payload->files));
    payload->files = files;
    *out = payload->n_files++;
    payload->files[*out] = (PayloadFile){.entry = entry};
    return name_add(&payload->paths, payload->scratch, entry->name, *out);
}

// {"sizes": [{"as_int": 32}, ...]}: dims, or strides.
static Status read_sizes(const Json *meta, const char *key, int *rank, int64_t *out) {
    const Json *list;
    const char *expression;
    TRY(field_list(meta, key, &list));
    FAIL_IF(list->count > MAX_RANK, ST_UNSUPPORTED, "expected at most %d dims, got %zu", MAX_RANK, list->count);
    *rank = (int)list->count;
    for (size_t i = 0; i < list->count; i++) {
        TRY(field_size(&list->items[i], &out[i], &expression));
        FAIL_IF(expression, ST_BAD, "%s: expected numbers, got '%.100s'", key, expression);
    }
    return ST_OK;
}

static Status read_meta(const Json *meta, PayloadEntry *entry) {
    int64_t type, layout;
    int strides;
    const char *expression;
    const Json *offset = json_get(meta, "storage_offset");
    TRY(field_int(json_get(meta, "dtype"), &type));
    TRY(field_int(json_get(meta, "layout"), &layout));
    entry->view.dtype = export_dtype(type);
    if (entry->view.dtype == DT_NONE) entry->missing = export_type_name(type);
    if (layout != EXPORT_STRIDED) entry->missing = "sparse tensors";
    if (entry->missing) return ST_OK;
    TRY(read_sizes(meta, "sizes", &entry->view.shape.rank, entry->view.shape.dim));
    TRY(read_sizes(meta, "strides", &strides, entry->view.stride));
    FAIL_IF(strides != entry->view.shape.rank, ST_BAD, "expected %d strides, got %d", entry->view.shape.rank, strides);
    TRY(field_size(offset, &entry->view.offset, &expression));
    FAIL_IF(expression, ST_BAD, "storage_offset: expected a number, got '%.100s'", expression);
    return ST_OK;
}

// A subclass of tensors has a file of torch.save to itself.
static Status read_own_file(Payload *payload, PayloadEntry *entry) {
    TorchFile *file;
    TRY(open_pickled(payload, payload->files[entry->file].entry, &file));
    entry->pickled = file;
    entry->value = file->root;
    if (!torch_is_tensor(file->root)) entry->missing = no_tensor;
    return ST_OK;
}

static Status read_payload(Payload *payload, const char *folder, const Json *json, PayloadEntry *entry) {
    const char *path;
    const Json *meta = json_get(json, "tensor_meta"), *pickled = json_get(json, "use_pickle");
    if (!meta || meta->type != JSON_OBJECT) entry->missing = no_tensor; // an object of a class
    if (entry->missing) return ST_OK;
    TRY(field_text(json, "path_name", &path));
    TRY(find_file(payload, folder, path, &entry->file));
    if (pickled && pickled->type == JSON_BOOL && pickled->boolean) return read_own_file(payload, entry);
    return read_meta(meta, entry);
}

// Values are parsed one by one, as there may be many.
static Status add_config(Payload *payload, const char *folder, const JsonPart *config, Arena *arena) {
    JsonWalk walk;
    JsonPart key, part;
    bool more;
    TRY(json_walk(config, JSON_OBJECT, &walk));
    for (;;) {
        Json *name, *json;
        TRY(json_next(&walk, &key, &part, &more));
        if (!more) return ST_OK;
        TRY(json_parse_part(payload->scratch, &key, &name));
        TRY(json_parse_part(arena, &part, &json));
        PayloadEntry entry = {.name = name->string};
        const Status status = read_payload(payload, folder, json, &entry);
        if (status != ST_OK) return fail_context(status, "'%.200s'", entry.name);
        TRY(add_entry(payload, &entry));
        arena_free(arena);
    }
}

static Status add_config_in(Payload *payload, const ZipEntry *entry, const char *folder, Arena *arena) {
    const uint8_t *text;
    JsonPart document, config;
    TRY(zip_data(payload->scratch, payload->zip, entry, &text));
    TRY(json_document((const char *)text, entry->size, &document));
    TRY(json_fields(&document, (const JsonField[]){{"config", &config}}, 1));
    FAIL_IF(!config.text, ST_BAD, "expected an object 'config', got none");
    return add_config(payload, folder, &config, arena);
}

Status payload_add_config(Payload *payload, const ZipEntry *entry, const char *folder) {
    Arena arena = {.limit = (size_t)LIMIT_DESCRIPTION_BYTES};
    const Status status = add_config_in(payload, entry, folder, &arena);
    arena_free(&arena);
    return status == ST_OK ? ST_OK : fail_context(status, "%s", entry->name);
}

// ---- reading

static Status read_view(Payload *payload, const PayloadEntry *entry, TorchTarget *target, Tensor *out) {
    PayloadFile *file = &payload->files[entry->file];
    if (!file->data) TRY(zip_data(target->arena, payload->zip, file->entry, &file->data));
    const int64_t count = shape_count(&entry->view.shape);
    FAIL_IF(count > 0 && file->entry->size == 0, ST_UNSUPPORTED,
            "%s: this file was saved without its weights; save the program with real tensors", file->entry->name);
    return torch_read_view(target, &entry->view, file->entry->name, file->data, file->entry->size, out);
}

static Status read_pickled(const PayloadEntry *entry, TorchTarget *target, Tensor *out) {
    const char *missing = torch_tensor_missing(entry->pickled, entry->value);
    FAIL_IF(missing, ST_UNSUPPORTED, "%s are not supported", missing);
    target->file = entry->pickled;
    return torch_read_tensor(target, entry->value, out);
}

Status payload_read(Payload *payload, const char *name, TorchTarget *target, bool *found, Tensor *out) {
    const int32_t at = name_find(&payload->names, name);
    *found = at >= 0;
    if (!*found) return ST_OK;
    const PayloadEntry *entry = &payload->entries[at];
    FAIL_IF(entry->missing, ST_UNSUPPORTED, "%s are not supported", entry->missing);
    return entry->pickled ? read_pickled(entry, target, out) : read_view(payload, entry, target, out);
}
