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
// Without a pipeline file a network that divides by 255 itself gets the values as they are.
static void check_assumed(const char *op, float number, const char *words, const char *key) {
    OnnxFile file = onnx_file(13);
    stent_result *result = NULL, *told = NULL;
    onnx_input(&file, "x", FLOAT32, "1,1,8,8");
    onnx_floats(&file, "c", "1", &number, 1);
    onnx_node(&file, op, "x c", "a", "");
    onnx_node(&file, "Sigmoid", "a", "y", "");
    onnx_output(&file, "y");
    REQUIRE(stent_compile(onnx_save(&file, "net.onnx"), test_temp("net.stent"), NULL, &result) == STENT_OK);
    CHECK_MSG(strstr(stent_result_text(result), words), "%s", stent_result_text(result));
    REQUIRE(stent_info(test_temp("net.stent"), NULL, &told) == STENT_OK);
    CHECK_MSG(strstr(stent_result_json(told), key), "%s", stent_result_json(told));
    stent_result_free(result), stent_result_free(told);
}
TEST(a_network_that_scales_its_input_gets_values_as_they_are) {
    own_home();
    check_assumed("Mul", 1 / 255.0f, "values 0..255, which the network scales itself", "\"scale\": 1,");
    check_assumed("Div", 127.5f, "values 0..255", "\"scale\": 1,");
    check_assumed("Mul", 2, "values / 255", "\"scale\": 0.0039");
    check_assumed("Sub", 0.5f, "values / 255", "\"scale\": 0.0039");
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

// Two convolutions that are nearly the same, subtracted: what is left of the rounding is large beside the result.
// Strict is right about it, within what rounding makes of such a network, and runs.
static void check_magnified(const char *shape) {
    OnnxFile file = onnx_file(13);
    static float weights[2][64 * 64 * 9];
    Rng rng;
    rng_seed(&rng, 1);
    for (size_t i = 0; i < COUNT_OF(weights[0]); i++) {
        weights[0][i] = (float)rng_normal(&rng) * 0.06f;
        weights[1][i] = weights[0][i] + (float)rng_normal(&rng) * 2e-4f;
    }
    onnx_input(&file, "x", FLOAT32, shape);
    onnx_floats(&file, "a", "64,64,3,3", weights[0], 64 * 64 * 9);
    onnx_floats(&file, "b", "64,64,3,3", weights[1], 64 * 64 * 9);
    onnx_node(&file, "Conv", "x a", "p", "pads=[1,1,1,1]");
    onnx_node(&file, "Conv", "x b", "q", "pads=[1,1,1,1]");
    onnx_node(&file, "Sub", "p q", "y", "");
    onnx_output(&file, "y");
    compile_with(2, onnx_save(&file, "magnifies.onnx"), STENT_OK);
    stent_options options = STENT_OPTIONS(stent_options);
    stent_executable *network = NULL;
    options.precision = "strict", options.threads = 2;
    CHECK_MSG(stent_open(test_temp("net.stent"), &options, &network) == STENT_OK, "%s: %s", shape, stent_message());
    if (network) stent_release(network);
}
TEST(compile_takes_networks_that_magnify_rounding) {
    check_magnified("1,64,16,16");   // expected by the reference, if strict were near enough
    check_magnified("1,64,192,192"); // by strict
}
