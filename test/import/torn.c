#include "import/torn.h"
#include "base/rng.h"
#include "pass/pass.h"

static const ImportOptions resolving = {.resolve = pass_resolve_shapes};

Status torn_import(const char *name, const void *bytes, size_t size) {
    const char *path = test_temp(name);
    FILE *stream = fopen(path, "wb"); // thousands of them: nothing has to reach the disk
    REQUIRE(stream && fwrite(bytes, 1, size, stream) == size && fclose(stream) == 0);
    Imported model;
    error_clear();
    const Status status = import_model(path, &resolving, &model);
    if (status == ST_OK) CHECK_OK(graph_verify(model.graph));
    const bool asks = status == ST_USAGE && strstr(error_message(), "--input"); // the shape of an input was torn off
    CHECK_MSG(status == ST_OK || status == ST_BAD || status == ST_UNSUPPORTED || asks, "status %d: %s", status,
              error_message());
    CHECK(status == ST_OK || *error_message());
    CHECK(!strchr(error_message(), '\n'));
    import_free(&model);
    return status;
}

int torn_cuts(const char *name, const Text *whole, Status status) {
    int count = 0;
    for (size_t size = 0; size < whole->length; size++) count += torn_import(name, whole->data, size) == status;
    return count;
}

void torn_flips(const char *name, const Text *whole) {
    uint8_t *torn = malloc(whole->length);
    REQUIRE(torn);
    Rng rng;
    rng_seed(&rng, 1);
    const int rounds = test_long() ? 100000 : 3000;
    for (int round = 0; round < rounds; round++) {
        memcpy(torn, whole->data, whole->length);
        for (uint64_t flips = 1 + rng_below(&rng, 3); flips > 0; flips--) {
            const size_t at = rng_below(&rng, whole->length);
            torn[at] = round % 2 ? (uint8_t)rng_next(&rng) : torn[at] ^ (uint8_t)(1u << rng_below(&rng, 8));
        }
        torn_import(name, torn, whole->length);
    }
    free(torn);
}

void torn_moves(const char *name, const Text *whole, size_t kept) {
    uint8_t *torn = malloc(whole->length);
    REQUIRE(torn);
    Rng rng;
    rng_seed(&rng, 2);
    for (int round = 0; round < 500; round++) {
        const size_t count = 1 + rng_below(&rng, 40), from = rng_below(&rng, whole->length - count);
        memcpy(torn, whole->data, whole->length);
        memmove(torn + kept + rng_below(&rng, whole->length - count - kept), torn + from, count);
        torn_import(name, torn, whole->length);
    }
    free(torn);
}

void torn_memory(const char *name, const Text *whole) {
    const char *path = test_temp(name);
    CHECK_OK(file_write(path, whole->data, whole->length));
    Status status = ST_RESOURCE;
    int failures = 0;
    for (; status != ST_OK && failures < 5000; failures++) {
        Imported model;
        mem_fail_after(failures);
        status = import_model(path, &resolving, &model);
        mem_fail_after(-1);
        CHECK_MSG(status == ST_OK || status == ST_RESOURCE, "allocation %d: status %d: %s", failures, status,
                  error_message());
        import_free(&model);
    }
    CHECK_MSG(failures > 20 && failures < 5000, "%d allocations", failures);
}
