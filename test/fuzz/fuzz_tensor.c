// numpy's files.
#include "fuzz/fuzz.h"
#include "tensor/npy.h"
#include "tensor/npy_bytes.h"
#include <string.h>

// A tensor's data is all there.
static void touch(const Tensor *tensor) {
    volatile uint8_t sum = 0;
    const size_t bytes = tensor_bytes(tensor);
    for (size_t i = 0; i < bytes; i += 64) sum = (uint8_t)(sum + ((const uint8_t *)tensor->data)[i]);
    if (bytes) sum = (uint8_t)(sum + ((const uint8_t *)tensor->data)[bytes - 1]);
    (void)sum;
}

int fuzz_npy(const uint8_t *data, size_t size) {
    Arena arena = {0};
    Tensor tensor;
    const Status status = npy_parse(&arena, data, size, &tensor);
    if (status == ST_OK) touch(&tensor);
    fuzz_check(status);
    arena_free(&arena);
    return 0;
}

int fuzz_npz(const uint8_t *data, size_t size) {
    Arena arena = {0};
    NamedTensor *tensors = NULL;
    size_t count = 0;
    const Status status = npz_read(&arena, fuzz_file("x.npz", data, size), &tensors, &count);
    for (size_t i = 0; status == ST_OK && i < count; i++) {
        FUZZ_REQUIRE(strlen(tensors[i].name) < size);
        touch(&tensors[i].tensor);
    }
    fuzz_check(status);
    arena_free(&arena);
    return 0;
}
