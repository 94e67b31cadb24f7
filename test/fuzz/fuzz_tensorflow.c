// TensorFlow: graphs and SavedModels with a checkpoint beside them, up to the plan; the tables of checkpoints.
#include "fuzz/fuzz.h"
#include "fuzz/small_run.h"
#include "import/import.h"
#include "pass/pass.h"
#include "wire/sstable.h"
#include <string.h>

// The index of a checkpoint with the variable v: two float32 zeros at byte 64 (as test/wire/sstable_writer.h writes
// it).
static const uint8_t checkpoint_index[] = {
    0x00, 0x00, 0x02, 0x08, 0x01, 0x00, 0x01, 0x11, 0x76, 0x08, 0x01, 0x12, 0x04, 0x12, 0x02, 0x08, 0x02,
    0x20, 0x40, 0x28, 0x08, 0x35, 0x29, 0x03, 0x98, 0x07, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
    0x00, 0x3a, 0xef, 0x6c, 0x71, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0xc0, 0xf2, 0xa1,
    0xb0, 0x00, 0x01, 0x02, 0x76, 0x00, 0x22, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0xdc,
    0x61, 0xb9, 0x0d, 0x27, 0x08, 0x34, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb};

int fuzz_tensorflow(const uint8_t *data, size_t size) {
    static const uint8_t weights[4096];
    const ImportOptions options = {.resolve = pass_resolve_shapes};
    fuzz_file("model.index", checkpoint_index, sizeof checkpoint_index);
    fuzz_file("model.data-00000-of-00001", weights, sizeof weights);
    Imported model;
    Status status = import_model(fuzz_file("model.pb", data, size), &options, &model);
    if (status == ST_USAGE) status = ST_UNSUPPORTED; // several signatures, and nobody has named one
    if (status == ST_OK) status = passes_run(model.graph, 2, NULL, NULL);
    if (status == ST_OK) status = small_run(model.graph, NULL);
    import_free(&model);
    fuzz_check(status);
    return 0;
}

int fuzz_sstable(const uint8_t *data, size_t size) {
    Arena arena = {0};
    Sstable table;
    const Status status = sstable_read(&arena, data, size, &table);
    for (size_t i = 0; status == ST_OK && i < table.count; i++) {
        const SstableEntry *entry = &table.entries[i];
        FUZZ_REQUIRE(entry->value >= data && entry->value + entry->value_size <= data + size);
        FUZZ_REQUIRE(strlen(entry->key) != entry->key_size || sstable_find(&table, entry->key) == entry);
    }
    fuzz_check(status);
    arena_free(&arena);
    return 0;
}
