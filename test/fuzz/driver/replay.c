// The corpus without a fuzzer: replay TARGET FILE...
#include "base/file.h"
#include "fuzz/fuzz.h"
#include <stdio.h>

// An allocation that is far too large gives NULL, as it does without the sanitizer.
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "allocator_may_return_null=1:quarantine_size_mb=32"; }

int main(int argc, char **argv) {
    const FuzzTarget *target = argc > 1 ? fuzz_find(argv[1]) : NULL;
    if (!target) {
        fprintf(stderr, "usage: fuzz-replay TARGET FILE...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        uint8_t *data;
        size_t size;
        if (file_read(argv[i], (size_t)1 << 28, &data, &size) != ST_OK) {
            fprintf(stderr, "%s\n", error_message());
            return 3;
        }
        target->run(data, size);
        mem_free(data);
    }
    printf("%d files, at most %.0f MB\n", argc - 2, (double)memory_peak() / 1e6);
    return 0;
}
