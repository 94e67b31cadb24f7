// The corpus without a fuzzer: small files that fuzzing found worth keeping, and each one that once did harm. Here with
// checksums as they are, then by fuzz-replay without them.
#include "base/file.h"
#include "fuzz/fuzz.h"
#include "fuzz/seeds.h"
#include "test.h"
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define CORPUS TEST_SOURCE_ROOT "/test/fuzz/corpus"
static const uint64_t most_memory = (uint64_t)1 << 30; // resident

// With STENT_FUZZ_SEEDS=DIR the seeds are also written there, a folder a target: what `make fuzz` starts from.
TEST(seeds_are_right) {
    Arena arena = {0};
    Seed *seeds;
    size_t count;
    const char *out = getenv("STENT_FUZZ_SEEDS");
    make_seeds(&arena, &seeds, &count);
    for (size_t i = 0; i < count; i++) {
        const FuzzTarget *target = fuzz_find(seeds[i].target);
        REQUIRE(target);
        target->run(seeds[i].bytes, seeds[i].size);
        CHECK_MSG(fuzz_status == ST_OK, "%s/%s: status %d", target->name, seeds[i].name, fuzz_status);
        if (!out || !*out) continue;
        const char *folder = path_join(&arena, out, target->name);
        CHECK_OK(folder_make(folder));
        CHECK_OK(file_write(path_join(&arena, folder, seeds[i].name), seeds[i].bytes, seeds[i].size));
    }
    arena_free(&arena);
}

static char **corpus_of(const FuzzTarget *target, Arena *arena, size_t *count) {
    char **names;
    const char *folder = path_join(arena, CORPUS, target->name);
    CHECK_OK(folder_list(folder, arena, &names, count));
    for (size_t i = 0; i < *count; i++) names[i] = path_join(arena, folder, names[i]);
    return names;
}

TEST(corpus_is_survived) {
    Arena arena = {0};
    for (size_t t = 0; t < fuzz_target_count; t++) {
        size_t count, size;
        char **files = corpus_of(&fuzz_targets[t], &arena, &count);
        CHECK_MSG(count > 0, "%s has no corpus", fuzz_targets[t].name);
        for (size_t i = 0; i < count; i++) {
            uint8_t *bytes;
            CHECK_OK(file_read(files[i], (size_t)1 << 24, &bytes, &size));
            printf("%s\n", files[i]); // shown when it ends here
            fuzz_targets[t].run(bytes, size);
            mem_free(bytes);
        }
    }
    CHECK_MSG(memory_peak() < most_memory, "%.0f MB", (double)memory_peak() / 1e6);
    arena_free(&arena);
}

// fuzz-replay stands beside the program under test.
TEST(corpus_is_survived_without_checksums) {
    Arena arena = {0};
    const char *program = test_program();
    const char *replay = program ? path_join(&arena, path_folder(&arena, program), "fuzz-replay") : NULL;
    if (!replay || access(replay, X_OK)) test_skip("fuzz-replay is not built beside the program");
    for (size_t t = 0; t < fuzz_target_count; t++) {
        static char out[1 << 16];
        size_t count;
        double megabytes = 0;
        int files = 0;
        char **names = corpus_of(&fuzz_targets[t], &arena, &count);
        const char **argv = arena_array(&arena, count + 3, sizeof *argv);
        REQUIRE(argv);
        argv[0] = replay, argv[1] = fuzz_targets[t].name;
        for (size_t i = 0; i < count; i++) argv[2 + i] = names[i];
        const int status = test_run_command(argv, out, sizeof out);
        CHECK_MSG(status == 0, "%s: exit status %d\n%s", argv[1], status, out);
        CHECK(sscanf(out, "%d files, at most %lf MB", &files, &megabytes) == 2 && files == (int)count);
        CHECK_MSG(megabytes * 1e6 < (double)most_memory, "%s: %.0f MB", argv[1], megabytes);
    }
    arena_free(&arena);
}
