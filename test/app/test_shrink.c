// A model or a package that is cut short while a verb reads it: an error with its name, nothing written, no signal. The
// verb's own progress tells when to cut.
#include "app/pictures.h"
#include "base/file.h"
#include "base/rng.h"
#include <unistd.h>

typedef struct Cut {
    const char *path, *stage;
    int64_t size; // afterwards
    int count;    // how often it was done
} Cut;
static int cut_at_stage(void *context, const char *stage, double done, double total) {
    Cut *cut = context;
    (void)done, (void)total;
    if (!strcmp(stage, cut->stage) && !cut->count++) CHECK_INT(truncate(cut->path, cut->size), 0);
    return 0;
}

// A convolution with 590 kB of weights in a file of their own.
static const char *write_model(void) {
    enum { COUNT = 64 * 64 * 36 };
    static float values[COUNT];
    OnnxFile file = onnx_file(13);
    Rng rng;
    rng_seed(&rng, 1);
    for (int i = 0; i < COUNT; i++) values[i] = (float)rng_normal(&rng) / 50;
    CHECK_OK(file_write(test_temp("weights.bin"), values, sizeof values));
    onnx_input(&file, "x", FLOAT32, "1,64,8,8");
    onnx_external_floats(&file, "w", "64,64,6,6", "weights.bin", NULL, NULL);
    onnx_node(&file, "Conv", "x w", "y", "");
    onnx_output(&file, "y");
    return onnx_save(&file, "model.onnx");
}
TEST(a_model_that_shrinks_while_it_is_compiled) {
    static const char *const stages[] = {"self-check", "passes", "writing"};
    static const char *const files[] = {"weights.bin", "model.onnx"};
    for (size_t f = 0; f < COUNT_OF(files); f++) {
        for (size_t i = 0; i < COUNT_OF(stages); i++) {
            const char *model = write_model();
            Cut cut = {test_temp(files[f]), stages[i], f ? 64 : 8192, 0};
            stent_compile_options options = STENT_OPTIONS(stent_compile_options);
            options.opt_level = -1;
            options.common.progress = cut_at_stage, options.common.progress_context = &cut;
            const stent_status status = stent_compile(model, test_temp("net.stent"), &options, NULL);
            CHECK_INT(cut.count > 0, 1);
            CHECK_MSG(status == STENT_BAD, "%s at %s: status %d: %s", files[f], stages[i], status, stent_message());
            CHECK(text_starts(stent_message(), cut.path) && strstr(stent_message(), ": the file was cut short or changed"));
            CHECK_INT(path_kind(test_temp("net.stent")), PATH_MISSING);
        }
    }
    CHECK_INT(stent_compile(write_model(), test_temp("net.stent"), NULL, NULL), STENT_OK);
}
TEST(a_package_that_shrinks_while_it_is_verified) {
    const char *package = compile_to("net.stent", write_model(), NULL);
    Cut cut = {package, "reference", 4096, 0};
    stent_verify_options options = STENT_OPTIONS(stent_verify_options);
    options.common.progress = cut_at_stage, options.common.progress_context = &cut;
    CHECK_INT(stent_verify(package, &options, NULL), STENT_BAD);
    CHECK(strstr(stent_message(), "net.stent: the file was cut short or changed"));
    CHECK(cut.count > 0);
}
// Weights are in memory of our own once a package is open: nothing that happens to the file matters to a run.
TEST(a_package_that_shrinks_while_it_runs) {
    const char *package = compile_to("net.stent", write_model(), NULL);
    static float in[64 * 8 * 8], out[2][64 * 3 * 3];
    const stent_tensor x = {STENT_FLOAT32, 4, {1, 64, 8, 8}, in};
    stent_tensor y = {STENT_FLOAT32, 4, {1, 64, 3, 3}, out[0]};
    stent_executable *net;
    stent_session *session;
    for (size_t i = 0; i < COUNT_OF(in); i++) in[i] = (float)(i % 13) / 13;
    REQUIRE(stent_open(package, NULL, &net) == STENT_OK && stent_session_create(net, &session) == STENT_OK);
    CHECK_INT(stent_run(session, &x, 1, &y, 1), STENT_OK);
    CHECK_INT(truncate(package, 0), 0);
    y.data = out[1];
    const uint64_t taken = memory_taken();
    CHECK_INT(stent_run(session, &x, 1, &y, 1), STENT_OK);
    CHECK_INT(memory_taken() - taken, 0); // a run takes no memory
    CHECK(!memcmp(out[0], out[1], sizeof out[0]));
    stent_session_destroy(session);
    stent_release(net);
    CHECK_INT(stent_open(package, NULL, &net), STENT_BAD);
}
