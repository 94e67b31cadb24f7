// compile gives one package, whoever compiles: the same bytes from any folder, with any number of threads, on every
// instruction set.
#include "base/rng.h"
#include "cli/program.h"
#include "package/make_package.h"
#include "plan/planned.h"
#include <unistd.h>

// Compiles `model` by that name from inside its folder, or by its path from elsewhere.
static const char *compile_there(const char *folder, const char *model, const char *output, const char *threads,
                                 const char *isa) {
    REQUIRE(chdir(folder) == 0);
    setenv("STENT_ISA", isa, 1);
    const int status = program("compile", model, "-o", output, "--threads", threads, NULL);
    CHECK_MSG(status == 0, "compile: status %d:\n%s", status, program_out);
    return output;
}
static void check_same(const char *what, const char *a, const char *b) {
    size_t n, m;
    uint8_t *one = read_whole(a, &n), *other = read_whole(b, &m);
    CHECK_MSG(n == m && !memcmp(one, other, n), "%s: other bytes", what);
    mem_free(one);
    mem_free(other);
}
TEST(compile_gives_the_same_bytes_everywhere) {
    const char *model = small_model(), *first = test_temp("first.stent");
    Arena arena = {0};
    char *home = path_folder(&arena, model);
    CHECK_OK(folder_make(test_temp("other folder/deep")));
    compile_there("/", model, first, "1", "sse2");
    check_same("from its folder", compile_there(home, "small.onnx", "second.stent", "1", "sse2"), first);
    check_same("from another folder",
               compile_there(test_temp("other folder/deep"), "../../small.onnx", "s", "1", "sse2"), first);
    check_same("3 threads", compile_there(home, "small.onnx", "third.stent", "3", "sse2"), first);
    for (Isa isa = ISA_SSE2; isa <= planned_best_isa(); isa++)
        check_same(isa_name(isa), compile_there(home, "small.onnx", "fourth.stent", "2", isa_name(isa)), first);
    arena_free(&arena);
}

// Beyond 2 GFLOP the strict path makes the expected output: on another instruction set its last bits may be others, and
// nothing else is.
static const char *large_model(void) {
    OnnxFile file = onnx_file(13);
    Rng rng;
    static float weights[32 * 32 * 9];
    rng_seed(&rng, 1);
    for (size_t i = 0; i < COUNT_OF(weights); i++) weights[i] = (float)rng_normal(&rng) * 0.06f;
    onnx_input(&file, "x", FLOAT32, "1,3,256,256");
    onnx_floats(&file, "w1", "32,3,3,3", weights, 32 * 3 * 9);
    onnx_floats(&file, "w2", "32,32,3,3", weights, 32 * 32 * 9);
    onnx_node(&file, "Conv", "x w1", "a", "pads=[1,1,1,1]");
    onnx_node(&file, "Relu", "a", "b", "");
    onnx_node(&file, "Conv", "b w2", "c", "pads=[1,1,1,1]");
    onnx_node(&file, "Relu", "c", "d", "");
    onnx_node(&file, "Conv", "d w2", "y", "pads=[1,1,1,1]");
    onnx_output(&file, "y");
    return onnx_save(&file, "large.onnx");
}
TEST(the_content_hash_is_the_same_everywhere) {
    if (!test_long()) test_skip("the reference takes seconds: in make check-long");
    const char *model = large_model(), *first = test_temp("first.stent"), *other = test_temp("other.stent");
    Package *a, *b;
    compile_there("/", model, first, "1", "sse2");
    check_same("3 threads", compile_there("/", model, other, "3", "sse2"), first);
    compile_there("/", model, other, "1", isa_name(planned_best_isa()));
    CHECK_OK(package_open(first, &a));
    CHECK_OK(package_open(other, &b));
    CHECK(!a->check.from_reference);
    CHECK_TEXT(a->content_hash, b->content_hash);
    CHECK(planned_best_isa() == ISA_SSE2 || strcmp(a->check_hash, b->check_hash));
    package_close(a);
    package_close(b);
}
