#include "package/make_package.h"
#include "app/pipeline.h"
#include "base/hash.h"
#include "plan/planned.h"
#include "reference/reference.h"

const char *make_package(const char *name, const char *text) {
    Graph *graph = planned_graph(text);
    Arena arena = {0};
    Text pipeline = {0};
    const Pipeline defaults = pipeline_default();
    pipeline_print(&defaults, &pipeline);
    bool fixed = true;
    for (int i = 0; i < graph->n_inputs; i++) fixed = fixed && type_is_static(&graph->values[graph->inputs[i]].type);
    PackageContent content = {
        .graph = graph, .pipeline = text_get(&pipeline), .description = "{\"model\": \"net.onnx\", \"opt_level\": 3}"};
    if (fixed) {
        content.check = (SelfCheck){.inputs = planned_inputs(graph, 5, &arena),
                                    .n_inputs = graph->n_inputs,
                                    .expected = arena_array(&arena, (size_t)graph->n_outputs, sizeof(Tensor)),
                                    .n_outputs = graph->n_outputs,
                                    .from_reference = true};
        CHECK_OK(reference_run(graph, content.check.inputs, content.check.expected, &arena, NULL, NULL));
    }
    char hex[65];
    const char *path = test_temp(name);
    CHECK_OK(package_write(path, &content, hex));
    text_free(&pipeline);
    arena_free(&arena);
    graph_free(graph);
    return path;
}
uint8_t *read_whole(const char *path, size_t *size) {
    uint8_t *bytes;
    CHECK_OK(file_read(path, (size_t)1 << 28, &bytes, size));
    return bytes;
}
void write_whole(const char *path, const void *bytes, size_t size) { // a damaged file needs no care
    FILE *file = fopen(path, "wb");
    REQUIRE(file);
    REQUIRE(fwrite(bytes, 1, size, file) == size);
    REQUIRE(fclose(file) == 0);
}

static uint64_t get_u64(const uint8_t *at) {
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--) value = value << 8 | at[i];
    return value;
}
void put_u64(uint8_t *at, uint64_t value) {
    for (int i = 0; i < 8; i++) at[i] = (uint8_t)(value >> 8 * i);
}
static const uint8_t *entry(const uint8_t *bytes, int section) { return bytes + 128 + 32 * section; }
uint64_t section_offset(const uint8_t *bytes, int section) { return get_u64(entry(bytes, section) + 8); }
uint64_t section_size(const uint8_t *bytes, int section) { return get_u64(entry(bytes, section) + 16); }
void rehash_package(uint8_t *bytes, size_t size) {
    if (size < 128) return;
    const uint64_t count = get_u64(bytes + 8) >> 32, table = 128 + 32 * count;
    if (count > 64 || table > size) return;
    for (int i = 0; i < (int)count; i++) {
        const uint64_t offset = section_offset(bytes, i), length = section_size(bytes, i);
        if (offset <= size && length <= size - offset)
            put_u64(bytes + 128 + 32 * i + 24, hash64(bytes + offset, length, 0));
    }
    put_u64(bytes + 24, 0);
    put_u64(bytes + 24, hash64(bytes, table, 0));
}
