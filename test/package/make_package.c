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
    PackageContent content = {.graph = graph,
                              .pipeline = text_get(&pipeline),
                              .opt_level = 3,
                              .precision = "fp32",
                              .description = "{\"model\": \"net.onnx\"}"};
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
    const uint64_t count = get_u64(bytes + 8) >> 32, table = 32 * count;
    if (count <= 64 && 128 + table <= size) {
        for (int i = 0; i < (int)count; i++) {
            const uint64_t offset = section_offset(bytes, i), length = section_size(bytes, i);
            if (offset <= size && length <= size - offset)
                put_u64(bytes + 128 + 32 * i + 24, hash64(bytes + offset, length, 0));
        }
        put_u64(bytes + 64, hash64(bytes + 128, table, 0));
    }
    put_u64(bytes + 24, 0);
    put_u64(bytes + 24, hash64(bytes, 128, 0));
}

int package_parts(const uint8_t *bytes, PackagePart parts[64]) {
    const int count = (int)(get_u64(bytes + 8) >> 32);
    REQUIRE(count <= 64);
    for (int i = 0; i < count; i++) {
        const uint64_t words = get_u64(entry(bytes, i));
        parts[i] = (PackagePart){(uint32_t)words, (uint32_t)(words >> 32), bytes + section_offset(bytes, i),
                                 (size_t)section_size(bytes, i)};
    }
    return count;
}
void content_hash_of(const PackagePart *parts, int count, uint8_t digest[32]) {
    Sha256 sha;
    sha256_begin(&sha);
    for (int i = 0; i < count; i++) {
        uint8_t head[16];
        if (parts[i].flags & 1) continue;
        put_u64(head, parts[i].kind), put_u64(head + 4, parts[i].size);
        sha256_add(&sha, head, 12);
        sha256_add(&sha, parts[i].bytes, parts[i].size);
    }
    sha256_end(&sha, digest);
}
void pack_parts(const char *path, uint32_t version, const PackagePart *parts, int count) {
    Text file = {0};
    static const char zeros[128 + 32 * 64];
    text_bytes(&file, zeros, 128 + 32 * (size_t)count);
    uint64_t offsets[64];
    for (int i = 0; i < count; i++) {
        text_bytes(&file, zeros, (64 - file.length % 64) % 64);
        offsets[i] = file.length;
        text_bytes(&file, parts[i].bytes, parts[i].size);
    }
    CHECK_OK(text_status(&file));
    uint8_t *bytes = (uint8_t *)file.data;
    memcpy(bytes, "STENTPK\n", 8);
    put_u64(bytes + 8, version | (uint64_t)count << 32), put_u64(bytes + 16, file.length);
    content_hash_of(parts, count, bytes + 32);
    for (int i = 0; i < count; i++) {
        uint8_t *at = bytes + 128 + 32 * i;
        put_u64(at, parts[i].kind | (uint64_t)parts[i].flags << 32);
        put_u64(at + 8, offsets[i]), put_u64(at + 16, parts[i].size);
    }
    rehash_package(bytes, file.length);
    write_whole(path, bytes, file.length);
    text_free(&file);
}
