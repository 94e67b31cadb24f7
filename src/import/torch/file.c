#include "import/torch/file.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the numbers are little-endian");

enum { MAX_KEY = 256 }; // keys are numbers

static const char save_hint[] = "save the weights with torch.save(model.state_dict(), FILE)";

// ---- storages

// What torch calls storages, and the size of a number: storages that nobody asks for have to be passed over.
static const struct {
    const char *name;
    DType dtype;
    size_t size;
} storage_types[] = {
    {"FloatStorage", DT_F32, 4},           {"DoubleStorage", DT_F64, 8},    {"HalfStorage", DT_F16, 2},
    {"BFloat16Storage", DT_BF16, 2},       {"LongStorage", DT_I64, 8},      {"IntStorage", DT_I32, 4},
    {"ShortStorage", DT_I16, 2},           {"CharStorage", DT_I8, 1},       {"ByteStorage", DT_U8, 1},
    {"BoolStorage", DT_BOOL, 1},           {"UntypedStorage", DT_U8, 1},    {"ComplexFloatStorage", DT_NONE, 8},
    {"ComplexDoubleStorage", DT_NONE, 16}, {"QInt8Storage", DT_NONE, 1},    {"QUInt8Storage", DT_NONE, 1},
    {"QInt32Storage", DT_NONE, 4},         {"QUInt4x2Storage", DT_NONE, 1}, {"QUInt2x4Storage", DT_NONE, 1},
};

static bool is_storage_id(const PickleValue *value) {
    const PickleValue *id = pickle_is(value, PICKLE_PERSISTENT) ? value->id : NULL;
    const char *word = pickle_text(pickle_item(id, 0));
    return pickle_is(id, PICKLE_TUPLE) && word && strcmp(word, "storage") == 0;
}

// A type that is not known has no bytes; that counts when they are asked for.
static Status read_type(const PickleValue *type, int64_t count, TorchStorage *out) {
    FAIL_IF(!pickle_is(type, PICKLE_GLOBAL), ST_BAD, "expected the type of a storage, got %s", pickle_kind_name(type));
    out->type = type->name;
    for (size_t i = 0; i < COUNT_OF(storage_types); i++) {
        if (strcmp(storage_types[i].name, type->name) != 0) continue;
        out->dtype = storage_types[i].dtype;
        out->item = storage_types[i].size;
    }
    FAIL_IF(!mul_size((size_t)count, out->item, &out->bytes), ST_BAD,
            "expected a number of elements that fit in memory, got %lld", (long long)count);
    return ST_OK;
}

static Status read_id(const PickleValue *id, TorchStorage *out) {
    int64_t count;
    const PickleValue *name = pickle_item(id, 2);
    const char *key = pickle_text(name);
    const PickleValue *view = pickle_item(id, 5);
    FAIL_IF(!key || !pickle_int(pickle_item(id, 4), &count) || count < 0, ST_BAD,
            "expected the key of a storage and how many numbers it has, got something else");
    FAIL_IF(name->size > MAX_KEY, ST_BAD, "expected the key of a storage in at most %d bytes, got %zu", MAX_KEY,
            name->size); // it is compared with others, again and again
    FAIL_IF(view && view->kind != PICKLE_NONE, ST_UNSUPPORTED, "views of storages are not supported; %s", save_hint);
    *out = (TorchStorage){.key = key};
    return read_type(pickle_item(id, 1), count, out);
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const TorchStorage *)a)->key, ((const TorchStorage *)b)->key);
}

// A storage stands in the pickle as often as tensors use it.
static Status drop_doubles(TorchFile *file) {
    size_t kept = 0;
    qsort(file->storages, file->n_storages, sizeof *file->storages, by_key);
    for (size_t i = 0; i < file->n_storages; i++) {
        const TorchStorage *last = kept > 0 ? &file->storages[kept - 1] : NULL, *next = &file->storages[i];
        const bool again = last && strcmp(last->key, next->key) == 0;
        FAIL_IF(again && (strcmp(last->type, next->type) != 0 || last->bytes != next->bytes), ST_BAD,
                "storage '%s': expected %zu bytes of a %s each time, got %zu of a %s", next->key, last->bytes,
                last->type, next->bytes, next->type);
        if (!again) file->storages[kept++] = *next;
    }
    file->n_storages = kept;
    return ST_OK;
}

static Status list_storages(const Pickle *pickle, Arena *scratch, TorchFile *file) {
    file->storages = arena_array(scratch, pickle->n_persistent + 1, sizeof *file->storages);
    if (!file->storages) return fail_memory(pickle->n_persistent * sizeof *file->storages);
    for (size_t i = 0; i < pickle->n_persistent; i++) {
        const PickleValue *value = pickle->persistent[i];
        if (!is_storage_id(value)) continue;
        const Status status = read_id(value->id, &file->storages[file->n_storages++]);
        if (status != ST_OK) return fail_context(status, "byte %zu of the pickle", value->offset);
    }
    return drop_doubles(file);
}

static TorchStorage *find_storage(const TorchFile *file, const char *key) {
    const TorchStorage wanted = {.key = key};
    return bsearch(&wanted, file->storages, file->n_storages, sizeof wanted, by_key);
}

TorchStorage *torch_storage(const TorchFile *file, const PickleValue *id) {
    const char *key = is_storage_id(id) ? pickle_text(pickle_item(id->id, 2)) : NULL;
    return key ? find_storage(file, key) : NULL;
}

// ---- the zip

static char *name_in_zip(const TorchFile *file, const char *name, const char *key, Arena *scratch) {
    const size_t folder = strlen(file->folder), middle = strlen(name), last = strlen(key);
    char *path = arena_alloc(scratch, folder + middle + last + 1);
    if (!path) return NULL;
    memcpy(path, file->folder, folder);
    memcpy(path + folder, name, middle);
    memcpy(path + folder + middle, key, last);
    return path;
}

// "NAME/data.pkl", wherever it stands.
static Status find_data_pkl(TorchFile *file, Arena *scratch, const ZipEntry **out) {
    *out = NULL;
    for (size_t i = 0; i < file->zip.n_entries; i++) {
        const ZipEntry *entry = &file->zip.entries[i];
        if (!text_ends(entry->name, "/data.pkl") && strcmp(entry->name, "data.pkl") != 0) continue;
        FAIL_IF(*out, ST_BAD, "expected one data.pkl in the archive, got %s and %s", (*out)->name, entry->name);
        *out = entry;
    }
    FAIL_IF(!*out, ST_BAD, "expected a data.pkl in the archive, got none");
    file->folder = arena_string_n(scratch, (*out)->name, strlen((*out)->name) - strlen("data.pkl"));
    return file->folder ? ST_OK : fail_memory(strlen((*out)->name));
}

static Status check_byte_order(const TorchFile *file, Arena *scratch) {
    const uint8_t *word;
    const char *name = name_in_zip(file, "byteorder", "", scratch);
    if (!name) return fail_memory(strlen(file->folder));
    const ZipEntry *entry = zip_find(&file->zip, name);
    if (!entry) return ST_OK; // before 2.0: little
    TRY(zip_data(scratch, &file->zip, entry, &word));
    FAIL_IF(entry->size == 3 && memcmp(word, "big", 3) == 0, ST_UNSUPPORTED,
            "numbers in big-endian order are not supported; save the file on another machine");
    FAIL_IF(entry->size != 6 || memcmp(word, "little", 6) != 0, ST_BAD,
            "%s: expected the word little or big, got something else", entry->name);
    return ST_OK;
}

static Status read_object(const ZipEntry *entry, Arena *scratch, TorchFile *out) {
    const uint8_t *bytes;
    Pickle pickle;
    TRY(zip_data(scratch, &out->zip, entry, &bytes));
    Status status = pickle_read(scratch, bytes, entry->size, &pickle);
    if (status == ST_OK) status = list_storages(&pickle, scratch, out);
    out->root = pickle.root;
    return status == ST_OK ? ST_OK : fail_context(status, "%s", entry->name);
}

static Status open_zip(const Mapping *mapping, Arena *scratch, TorchFile *out) {
    const ZipEntry *entry;
    out->numbers = "data/";
    TRY(zip_open(scratch, mapping->data, mapping->size, &out->zip));
    TRY(find_data_pkl(out, scratch, &entry));
    TRY(check_byte_order(out, scratch));
    return read_object(entry, scratch, out);
}

Status torch_open_part(const TorchFile *file, const char *part, Arena *scratch, TorchFile *out) {
    const char *name = name_in_zip(file, part, ".pkl", scratch);
    char *numbers = arena_string_n(scratch, part, strlen(part) + 1); // room for the '/'
    if (!name || !numbers) return fail_memory(strlen(part));
    numbers[strlen(part)] = '/';
    *out =
        (TorchFile){.is_zip = true, .zip = file->zip, .folder = file->folder, .size = file->size, .numbers = numbers};
    const ZipEntry *entry = zip_find(&file->zip, name);
    return entry ? read_object(entry, scratch, out) : ST_OK;
}

Status torch_load(const TorchFile *file, Arena *arena, Arena *scratch, TorchStorage *storage) {
    if (storage->data) return ST_OK;
    FAIL_IF(!file->is_zip, ST_BAD, "expected the numbers of storage '%s' in the file, got none", storage->key);
    const char *name = name_in_zip(file, file->numbers, storage->key, scratch);
    if (!name) return fail_memory(strlen(storage->key));
    const ZipEntry *entry = zip_find(&file->zip, name);
    FAIL_IF(!entry, ST_BAD, "expected %s in the archive, got none; the file is damaged", name);
    FAIL_IF(entry->size != storage->bytes, ST_BAD, "%s: expected %zu bytes, got %zu", name, storage->bytes,
            entry->size);
    return zip_data(arena, &file->zip, entry, &storage->data);
}

// ---- pickles in a row

typedef struct Row {
    const uint8_t *bytes;
    size_t at, size;
    Arena *scratch;
} Row;

static Status next_pickle(Row *row, Pickle *out) {
    const Status status = pickle_read(row->scratch, row->bytes + row->at, row->size - row->at, out);
    if (status != ST_OK) return fail_context(status, "pickle at byte %zu", row->at);
    row->at += out->size;
    return ST_OK;
}

static const uint8_t magic[10] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

// Other pickles need not be read to know that they are others; the number stands within the first bytes.
static bool may_have_magic(const Mapping *mapping) {
    enum { WINDOW = 32 };
    for (size_t at = 0; at + sizeof magic <= WINDOW && at + sizeof magic <= mapping->size; at++) {
        if (memcmp(mapping->data + at, magic, sizeof magic) == 0) return true;
    }
    return mapping->size < WINDOW; // cut short?
}

static Status foreign_pickle(void) {
    return fail(ST_UNSUPPORTED,
                "this is a pickle that torch.save did not write; %s, or export the network to ONNX "
                "(torch.onnx.export)",
                save_hint);
}

static Status read_head(Row *row) {
    Pickle pickle;
    int64_t version = 0;
    TRY(next_pickle(row, &pickle));
    const bool is_long = pickle.root->kind == PICKLE_LONG && pickle.root->size == sizeof magic;
    if (!is_long || memcmp(pickle.root->bytes, magic, sizeof magic) != 0) return foreign_pickle();
    TRY(next_pickle(row, &pickle));
    FAIL_IF(!pickle_int(pickle.root, &version) || version != 1001, ST_UNSUPPORTED,
            "expected version 1001 of PyTorch's older files, got %lld", (long long)version);
    TRY(next_pickle(row, &pickle));
    const PickleValue *little = pickle_get(pickle.root, "little_endian");
    FAIL_IF(pickle_is(little, PICKLE_BOOL) && !little->i, ST_UNSUPPORTED,
            "numbers in big-endian order are not supported; save the file on another machine");
    return ST_OK;
}

// Of one storage: how many numbers, in 8 bytes, and the numbers.
static Status read_numbers(Row *row, TorchStorage *storage) {
    uint64_t count = 0;
    size_t bytes;
    const size_t left = row->size - row->at;
    FAIL_IF(storage->data, ST_BAD, "expected it once, got it twice");
    FAIL_IF(storage->item == 0, ST_UNSUPPORTED, "storages of type %s are not supported; %s", storage->type, save_hint);
    FAIL_IF(left < 8, ST_BAD, "expected 8 bytes at byte %zu, got %zu; the file is cut short", row->at, left);
    for (int i = 7; i >= 0; i--) count = count << 8 | row->bytes[row->at + (size_t)i];
    FAIL_IF(!mul_size((size_t)count, storage->item, &bytes) || bytes != storage->bytes, ST_BAD,
            "expected %zu numbers at byte %zu, got %llu", storage->bytes / storage->item, row->at,
            (unsigned long long)count);
    FAIL_IF(left - 8 < bytes, ST_BAD, "expected %zu bytes at byte %zu, got %zu; the file is cut short", bytes,
            row->at + 8, left - 8);
    storage->data = row->bytes + row->at + 8;
    row->at += 8 + bytes;
    return ST_OK;
}

static Status read_storages(Row *row, TorchFile *file) {
    Pickle keys;
    TRY(next_pickle(row, &keys));
    FAIL_IF(keys.root->kind != PICKLE_LIST, ST_BAD, "expected a list of the storages' keys, got %s",
            pickle_kind_name(keys.root));
    for (size_t i = 0; i < keys.root->count; i++) {
        const char *key = pickle_text(keys.root->items[i]);
        TorchStorage *storage = key ? find_storage(file, key) : NULL;
        FAIL_IF(!storage, ST_BAD, "storage %zu of the list: expected one that a tensor uses, got %s", i,
                key ? "another" : pickle_kind_name(keys.root->items[i]));
        const Status status = read_numbers(row, storage);
        if (status != ST_OK) return fail_context(status, "storage '%s'", key);
    }
    return ST_OK;
}

static Status open_row(const Mapping *mapping, Arena *scratch, TorchFile *out) {
    Row row = {.bytes = mapping->data, .size = mapping->size, .scratch = scratch};
    Pickle pickle;
    if (!may_have_magic(mapping)) return foreign_pickle();
    TRY(read_head(&row));
    const size_t at = row.at;
    TRY(next_pickle(&row, &pickle));
    const Status status = list_storages(&pickle, scratch, out);
    if (status != ST_OK) return fail_context(status, "pickle at byte %zu", at);
    out->root = pickle.root;
    return read_storages(&row, out);
}

Status torch_open(const Mapping *mapping, Arena *scratch, TorchFile *out) {
    *out = (TorchFile){.size = mapping->size};
    out->is_zip = mapping->size >= 4 && memcmp(mapping->data, "PK\x03\x04", 4) == 0;
    return out->is_zip ? open_zip(mapping, scratch, out) : open_row(mapping, scratch, out);
}
