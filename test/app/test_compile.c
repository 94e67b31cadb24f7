// compile through stent.h.
#include "app/pictures.h"
#include "base/rng.h"

// More than 2 GFLOP, so that the strict path makes the expected output.
static const char *large_model(void) {
    OnnxFile file = onnx_file(13);
    static float weights[24 * 24 * 9];
    Rng rng;
    rng_seed(&rng, 1);
    for (size_t i = 0; i < COUNT_OF(weights); i++) weights[i] = (float)rng_normal(&rng) * 0.06f;
    onnx_input(&file, "x", FLOAT32, "1,3,512,512");
    onnx_floats(&file, "w1", "24,3,3,3", weights, 24 * 3 * 9);
    onnx_floats(&file, "w2", "24,24,3,3", weights, 24 * 24 * 9);
    onnx_node(&file, "Conv", "x w1", "a", "pads=[1,1,1,1]");
    onnx_node(&file, "Conv", "a w2", "y", "pads=[1,1,1,1]");
    onnx_output(&file, "y");
    return onnx_save(&file, "large.onnx");
}
// What the strict path says of itself, in the last line that it wrote.
static void keep_threads(void *threads, int level, const char *line) {
    (void)level;
    sscanf(line, "expected output by the strict path, %d threads", (int *)threads);
}
static int compile_with(int threads, const char *model, stent_status expected) {
    int took = 0;
    stent_compile_options options = STENT_OPTIONS(stent_compile_options);
    options.opt_level = -1, options.common.threads = threads;
    stent_log(keep_threads, &took, 2);
    const stent_status status = stent_compile(model, test_temp("net.stent"), &options, NULL);
    stent_log(NULL, NULL, 1);
    CHECK_MSG(status == expected, "status %d: %s", status, stent_message());
    return took;
}
TEST(compile_takes_the_threads_that_it_is_given) {
    const char *model = large_model();
    CHECK_INT(compile_with(1, model, STENT_OK), 1);
    CHECK_INT(compile_with(5, model, STENT_OK), 5);
    setenv("STENT_THREADS", "3", 1);
    CHECK_INT(compile_with(0, model, STENT_OK), 3);
    CHECK_INT(compile_with(-1, model, STENT_USAGE), 0);
}
