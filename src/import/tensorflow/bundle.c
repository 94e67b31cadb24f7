#include "import/tensorflow/bundle.h"
#include "base/checksum.h"
#include "import/limits.h"
#include "import/tensorflow/model.h"
#include "import/tensorflow/tensor.h"
#include "import/weight.h"
#include "wire/crc32c.h"
#include "wire/protobuf.h"
#include <string.h>

// shard -1: of the index.
static Status make_name(Arena *arena, const char *prefix, int shard, int shards, const char **out) {
    Text text = {0};
    if (shard < 0) text_add(&text, "%s.index", prefix);
    else text_add(&text, "%s.data-%05d-of-%05d", prefix, shard, shards);
    Status status = text_status(&text);
    if (status == ST_OK && !(*out = arena_string(arena, text_get(&text)))) status = fail_memory(text.length);
    text_free(&text);
    return status;
}

static Status map_file(Bundle *bundle, int shard, const char **what) {
    const char *path;
    PathKind kind;
    TRY(make_name(bundle->scratch, bundle->prefix, shard, bundle->n_shards, &path));
    TRY(make_name(bundle->scratch, bundle->name, shard, bundle->n_shards, what));
    TRY(path_known(path, &kind));
    FAIL_IF(kind != PATH_FILE, ST_BAD, "expected the file %s with the model's variables, which is not there", *what);
    return import_map(bundle->imported, path);
}

// ---- the index

// BundleHeaderProto: num_shards 1, endianness 2 (0 little, 1 big).
static Status read_header(Bundle *bundle) {
    const SstableEntry *entry = sstable_find(&bundle->table, "");
    PbField field;
    int64_t shards = 0, endianness = 0;
    FAIL_IF(!entry, ST_BAD, "expected a checkpoint's header (the empty key), got none");
    PbReader reader = pb_reader(entry->value, entry->value_size);
    while (pb_next(&reader, &field)) {
        if (field.number == 1) shards = pb_int64(&reader, &field);
        if (field.number == 2) endianness = pb_int64(&reader, &field);
    }
    TRY(reader.status);
    FAIL_IF(endianness != 0, ST_UNSUPPORTED, "numbers that are written big-endian are not supported");
    FAIL_IF(shards < 1 || shards > LIMIT_EXTERNAL_FILES, ST_BAD, "expected 1 to %d files with numbers, got %lld",
            LIMIT_EXTERNAL_FILES, (long long)shards);
    bundle->n_shards = (int)shards;
    bundle->mappings = arena_array(bundle->scratch, (size_t)shards, sizeof *bundle->mappings);
    if (!bundle->mappings) return fail_memory((size_t)shards * sizeof *bundle->mappings);
    for (int i = 0; i < bundle->n_shards; i++) bundle->mappings[i] = -1;
    return ST_OK;
}

static Status read_index(Bundle *bundle) {
    const Mapping *file = &bundle->imported->mappings[bundle->imported->n_mappings - 1];
    TRY(sstable_read(bundle->scratch, file->data, file->size, &bundle->table));
    return read_header(bundle);
}

Status tf_bundle_open(Bundle *bundle, Imported *imported, Arena *scratch, const char *prefix, const char *name) {
    const char *what;
    *bundle = (Bundle){.imported = imported, .scratch = scratch, .prefix = prefix, .name = name};
    TRY(map_file(bundle, -1, &what));
    const Status status = read_index(bundle);
    return status == ST_OK ? ST_OK : fail_context(status, "%s", what);
}

bool tf_bundle_has(const Bundle *bundle, const char *key) { return sstable_find(&bundle->table, key) != NULL; }

// BundleEntryProto: dtype 1, shape 2, shard_id 3, offset 4, size 5, crc32c 6, slices 7.
typedef struct Entry {
    int64_t dtype, shard, offset, size;
    uint32_t crc;
    Type shape;
    bool sliced;
} Entry;

static Status read_entry(PbReader reader, Entry *entry) {
    PbField field;
    *entry = (Entry){0};
    while (pb_next(&reader, &field)) {
        switch (field.number) {
        case 1: entry->dtype = pb_int64(&reader, &field); break;
        case 2: {
            const PbReader shape = pb_message(&reader, &field);
            TRY(reader.status);
            TRY(tf_read_shape(shape, &entry->shape));
            break;
        }
        case 3: entry->shard = pb_int64(&reader, &field); break;
        case 4: entry->offset = pb_int64(&reader, &field); break;
        case 5: entry->size = pb_int64(&reader, &field); break;
        case 6: entry->crc = field.wire == PB_FIXED32 ? (uint32_t)field.bits : 0; break;
        case 7: entry->sliced = true; break;
        default: break;
        }
    }
    return reader.status;
}

static Status find_entry(const Bundle *bundle, const char *key, Entry *entry) {
    const SstableEntry *found = sstable_find(&bundle->table, key);
    FAIL_IF(!found, ST_BAD, "expected it in the checkpoint %s, where it is not", bundle->name);
    TRY(read_entry(pb_reader(found->value, found->value_size), entry));
    FAIL_IF(entry->sliced, ST_UNSUPPORTED,
            "it is saved in slices (a partitioned variable), which is not supported; save it whole");
    FAIL_IF(entry->shard < 0 || entry->shard >= bundle->n_shards || entry->offset < 0 || entry->size < 0 ||
                entry->shape.rank < 0,
            ST_BAD, "expected an entry in one of %d files, got file %lld, %lld bytes at %lld", bundle->n_shards,
            (long long)entry->shard, (long long)entry->size, (long long)entry->offset);
    return ST_OK;
}

// ---- the numbers

static Status map_shard(Bundle *bundle, int shard, Mapping *out) {
    if (bundle->mappings[shard] < 0) {
        const char *what;
        TRY(map_file(bundle, shard, &what));
        bundle->mappings[shard] = (int)bundle->imported->n_mappings - 1;
        bundle->mapped_bytes += bundle->imported->mappings[bundle->mappings[shard]].size;
    }
    *out = bundle->imported->mappings[bundle->mappings[shard]];
    return ST_OK;
}

static Status find_bytes(Bundle *bundle, const char *key, Entry *entry, const uint8_t **bytes) {
    Mapping file;
    TRY(find_entry(bundle, key, entry));
    TRY(map_shard(bundle, (int)entry->shard, &file));
    FAIL_IF((uint64_t)entry->offset > file.size || (uint64_t)entry->size > file.size - (uint64_t)entry->offset, ST_BAD,
            "expected %lld bytes at %lld of %s.data-%05lld-of-%05d, got a file of %zu bytes; is it of another "
            "checkpoint?",
            (long long)entry->size, (long long)entry->offset, bundle->name, (long long)entry->shard, bundle->n_shards,
            file.size);
    *bytes = file.data + entry->offset;
    // Each variable has a place of its own: hostile ones that share one would make reading them last for ever.
    bundle->read_bytes += (uint64_t)entry->size;
    FAIL_IF(bundle->read_bytes / 4 > bundle->mapped_bytes, ST_BAD, "expected a place of its own for each variable");
    return ST_OK;
}

static Status read_tensor(Bundle *bundle, const char *key, Arena *arena, Tensor *out, size_t *copied) {
    Entry entry;
    DType dtype;
    const uint8_t *bytes;
    TRY(find_bytes(bundle, key, &entry, &bytes));
    TRY(tf_dtype(entry.dtype, &dtype));
    const Shape shape = shape_of(entry.shape.rank, entry.shape.dim);
    TRY(weight_tensor(arena, dtype, &shape, bytes, (size_t)entry.size, out));
    FAIL_IF(!checksum_matches(crc32c_masked(crc32c(bytes, (size_t)entry.size)), entry.crc), ST_BAD,
            "the checksum of its numbers does not match; the checkpoint is damaged");
    *copied = out->data == (const void *)bytes ? 0 : (size_t)entry.size;
    return ST_OK;
}

Status tf_bundle_tensor(Bundle *bundle, const char *key, Arena *arena, Tensor *out, size_t *copied) {
    const Status status = read_tensor(bundle, key, arena, out, copied);
    return status == ST_OK ? ST_OK : fail_context(status, "'%s'", key);
}

// Strings: the length of each as a varint, a checksum of the lengths (4 bytes), then the bytes.
static Status read_text(Bundle *bundle, const char *key, const uint8_t **out, size_t *size) {
    Entry entry;
    const uint8_t *bytes;
    TRY(find_bytes(bundle, key, &entry, &bytes));
    FAIL_IF(entry.dtype != TF_STRING || entry.shape.rank != 0, ST_BAD, "expected one text, got something else");
    uint64_t length = 0;
    size_t at = 0;
    for (int shift = 0; at < (size_t)entry.size && shift < 35; shift += 7) {
        length |= (uint64_t)(bytes[at] & 0x7f) << shift;
        if (bytes[at++] < 0x80) break;
    }
    const size_t left = (size_t)entry.size - at;
    FAIL_IF(left < 4 || length > left - 4, ST_BAD, "expected a text in %lld bytes, got one of %llu",
            (long long)entry.size, (unsigned long long)length);
    *out = bytes + at + 4;
    *size = (size_t)length;
    return ST_OK;
}

Status tf_bundle_text(Bundle *bundle, const char *key, const uint8_t **bytes, size_t *size) {
    const Status status = read_text(bundle, key, bytes, size);
    return status == ST_OK ? ST_OK : fail_context(status, "'%s'", key);
}
