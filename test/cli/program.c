#include "cli/program.h"
#include "base/rng.h"
#include <stdarg.h>

char program_out[PROGRAM_OUT];

static int run(const char *const *head, const char *word, va_list words) {
    const char *argv[64];
    int count = 0;
    if (!test_program()) test_skip("the program is not built");
    setenv("XDG_DATA_HOME", test_temp("data"), 1);
    for (; *head; head++) argv[count++] = *head;
    for (; word && count < 63; word = va_arg(words, const char *)) argv[count++] = word;
    argv[count] = NULL;
    return test_run_command(argv, program_out, sizeof program_out);
}
int program(const char *word, ...) {
    va_list words;
    va_start(words, word);
    const int status = run((const char *const[]){"stent", NULL}, word, words);
    va_end(words);
    return status;
}
int program_stdout(const char *word, ...) {
    va_list words;
    va_start(words, word);
    const char *const head[] = {"sh", "-c", "exec \"$0\" \"$@\" 2>/dev/null", test_program(), NULL};
    const int status = run(test_program() ? head : head + 4, word, words);
    va_end(words);
    return status;
}
const Json *program_json(Arena *arena) {
    Json *json = NULL;
    CHECK_OK(json_parse(arena, program_out, strlen(program_out), &json));
    REQUIRE(json->type == JSON_OBJECT);
    return json;
}
void check_one_line(const char *part) {
    const size_t length = strlen(program_out);
    CHECK_MSG(!strncmp(program_out, "stent: ", 7) && length && program_out[length - 1] == '\n' &&
                  strchr(program_out, '\n') == program_out + length - 1,
              "expected one line 'stent: ...', got\n%s", program_out);
    CHECK_MSG(strstr(program_out, part), "expected '%s' in\n%s", part, program_out);
}

static void random_weights(OnnxFile *file, const char *name, const char *shape, size_t count, double scale) {
    Rng rng;
    float *values = calloc(count, sizeof *values);
    REQUIRE(values);
    rng_seed(&rng, count);
    for (size_t i = 0; i < count; i++) values[i] = (float)(rng_normal(&rng) * scale);
    onnx_floats(file, name, shape, values, count);
    free(values);
}
const char *small_model(void) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "image", FLOAT32, "1,3,32,32");
    random_weights(&file, "w1", "8,3,3,3", 216, 0.3);
    random_weights(&file, "w2", "8,8,3,3", 576, 0.2);
    random_weights(&file, "w3", "1,16,1,1", 16, 0.5);
    onnx_floats(&file, "scales", "4", (float[]){1, 1, 2, 2}, 4);
    onnx_node(&file, "Conv", "image w1", "c1", "pads=[1,1,1,1]");
    onnx_node(&file, "Relu", "c1", "skip", "");
    onnx_node(&file, "MaxPool", "skip", "small", "kernel_shape=[2,2] strides=[2,2]");
    onnx_node(&file, "Conv", "small w2", "c2", "pads=[1,1,1,1]");
    onnx_node(&file, "Relu", "c2", "deep", "");
    onnx_node(&file, "Resize", "deep _ scales", "up",
              "mode='nearest' coordinate_transformation_mode='asymmetric' nearest_mode='floor'");
    onnx_node(&file, "Concat", "up skip", "both", "axis=1");
    onnx_node(&file, "Conv", "both w3", "logit", "");
    onnx_node(&file, "Sigmoid", "logit", "mask", "");
    onnx_output(&file, "mask");
    return onnx_save(&file, "small.onnx");
}
const char *wide_package(void) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, "1,64,48,48");
    random_weights(&file, "w1", "64,64,3,3", 64 * 64 * 9, 0.05);
    random_weights(&file, "w2", "64,64,3,3", 64 * 64 * 9, 0.05);
    onnx_node(&file, "Conv", "x w1", "m", "pads=[1,1,1,1]");
    onnx_node(&file, "Conv", "m w2", "y", "pads=[1,1,1,1]");
    onnx_output(&file, "y");
    const char *package = test_temp("wide.stent");
    CHECK_INT(program("compile", onnx_save(&file, "wide.onnx"), "-o", package, NULL), 0);
    return package;
}
const char *small_package(void) {
    const char *path = test_temp("small.stent");
    const int status = program("compile", small_model(), "-o", path, NULL);
    if (status) test_failed(__FILE__, __LINE__, "compile: status %d:\n%s", status, program_out);
    REQUIRE(status == 0);
    return path;
}
