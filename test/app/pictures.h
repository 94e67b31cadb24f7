// Tiny networks and pictures for the tests of segment and demo.
#pragma once
#include "image/image.h"
#include "import/onnx_writer.h"
#include "stent.h"

// What a plan's first use records goes into this test's own folder.
static inline void own_home(void) { setenv("XDG_DATA_HOME", test_temp("home"), 1); }

static inline const char *write_text(const char *name, const char *text) {
    const char *path = test_temp(name);
    CHECK_OK(file_write(path, text, strlen(text)));
    return path;
}
// Compiles a model with a pipeline (JSON, NULL: none) to a package in this test's folder.
static inline const char *compile_to(const char *name, const char *model, const char *pipeline) {
    const char *package = test_temp(name);
    stent_compile_options options = STENT_OPTIONS(stent_compile_options);
    options.opt_level = -1;
    if (pipeline) options.pipeline = write_text("pipeline.json", pipeline);
    own_home();
    if (stent_compile(model, package, &options, NULL) != STENT_OK)
        test_failed(__FILE__, __LINE__, "compile: %s", stent_message()), test_end();
    return package;
}
// y = a 1x1 convolution of `in` channels to `out`: weights (out, in), bias (out). shape: "1,3,8,8" or with symbols.
static inline const char *pointwise_net(const char *name, const char *shape, int in, int out, const float *weights,
                                        const float *bias) {
    OnnxFile file = onnx_file(13);
    char dims[32], dim[16];
    snprintf(dims, sizeof dims, "%d,%d,1,1", out, in);
    snprintf(dim, sizeof dim, "%d", out);
    onnx_input(&file, "x", FLOAT32, shape);
    onnx_floats(&file, "w", dims, weights, (size_t)(in * out));
    onnx_floats(&file, "b", dim, bias, (size_t)out);
    onnx_node(&file, "Conv", "x w b", "y", "");
    onnx_output(&file, "y");
    return onnx_save(&file, name);
}
// A network that gives its one channel back.
static inline const char *identity_net(const char *name, const char *shape) {
    return pointwise_net(name, shape, 1, 1, (const float[]){1}, (const float[]){0});
}

static inline void write_u8(const char *path, int64_t height, int64_t width, int64_t channels, const uint8_t *samples) {
    const ImageShape shape = {.width = width, .height = height, .depth = 1, .channels = channels, .type = SAMPLE_U8};
    CHECK_OK(image_save(path, &shape, IMAGE_PACKED, samples));
}
// A grey picture of one value, with a bright square of 255 in rows and columns first..end-1.
static inline void write_square(const char *path, int64_t side, uint8_t value, int64_t first, int64_t end) {
    uint8_t samples[64 * 64];
    REQUIRE(side <= 64);
    for (int64_t i = 0; i < side * side; i++) {
        const int64_t y = i / side, x = i % side;
        samples[i] = y >= first && y < end && x >= first && x < end ? 255 : value;
    }
    write_u8(path, side, side, 1, samples);
}
// All slices as 32-bit float; free() it.
static inline float *read_floats(const char *path, ImageShape *shape) {
    ImageSource *source;
    CHECK_OK(image_open(path, IMAGE_ALL_PAGES, &source));
    *shape = *image_shape(source);
    const ImageBox all = {0, 0, 0, shape->width, shape->height, shape->depth};
    float *samples = malloc(image_box_samples(shape, &all) * sizeof *samples);
    REQUIRE(samples);
    CHECK_OK(image_read_box(source, &all, SAMPLE_F32, samples));
    image_close(source);
    return samples;
}
static inline bool is_there(const char *folder, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path_kind(path) == PATH_FILE;
}
static inline const char *in_folder(const char *folder, const char *name) {
    static Arena kept; // as long as the test
    const char *path = path_join(&kept, folder, name);
    REQUIRE(path);
    return path;
}
