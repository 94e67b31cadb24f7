// Models of 8 and 16 bit numbers: weights de-quantised, borders as the model has them, ranges kept.
#include "import/tflite_check.h"

static const char note_words[] = "de-quantised to float32; activations are not rounded as TFLite does";

// y = x w + b, 1x1 convolution of two channels to two, all int8.
static TfliteFile int8_conv(bool per_channel, int activation) {
    static const int8_t w[4] = {10, -20, 30, 40};
    static const int32_t bias[2] = {100, -60};
    TfliteFile file = tflite_file();
    const int x = tflite_tensor(&file, "x", T_INT8, "1,2,1,2"), y = tflite_tensor(&file, "y", T_INT8, "1,2,1,2");
    const int weight = tflite_bytes(&file, "w", T_INT8, "2,1,1,2", w, sizeof w);
    const int b = tflite_bytes(&file, "b", T_INT32, "2", bias, sizeof bias);
    tflite_quantise(&file, x, 0.25f, 3);
    tflite_quantise(&file, y, 0.5f, -7);
    tflite_quantise(&file, weight, 0.125f, 0);
    tflite_quantise(&file, b, 0.03125f, 0);
    if (per_channel) {
        tflite_quantise(&file, weight, 0.25f, 0);
        tflite_quantise(&file, b, 0.0625f, 0);
    }
    const char *options = activation ? "0=b:1 1=i:1 2=i:1 3=b:1" : "0=b:1 1=i:1 2=i:1 3=b:0";
    tflite_op(&file, 3, 1, options, (int[]){x, weight, b}, 3, (int[]){y}, 1);
    tflite_ends(&file, &x, 1, &y, 1);
    return file;
}

static double int8_expected(const double *x, int o, bool per_channel, bool relu) {
    static const double w[4] = {10, -20, 30, 40}, bias[2] = {100, -60};
    const double scale = per_channel && o ? 0.25 : 0.125;
    double sum = bias[o] * scale / 4;
    for (int i = 0; i < 2; i++) sum += 0.25 * (x[i] - 3) * scale * w[2 * o + i];
    if (relu) sum = fmax(sum, 0);
    return fmin(fmax(nearbyint(sum / 0.5) - 7, -128), 127);
}

TEST(int8_in_and_out) {
    for (int form = 0; form < 4; form++) {
        const bool per_channel = form & 1, relu = form & 2;
        TfliteFile file = int8_conv(per_channel, relu);
        Imported model;
        Arena arena = {0};
        Tensor in[1], out[1];
        run_model(tflite_save(&file, "int8.tflite"), &arena, &model, in, out);
        CHECK_INT(in[0].dtype, DT_I8);
        CHECK_INT(out[0].dtype, DT_I8);
        for (int i = 0; i < 4; i++) {
            const double x[2] = {tensor_get(&in[0], i / 2 * 2), tensor_get(&in[0], i / 2 * 2 + 1)};
            CHECK_INT(tensor_get_int(&out[0], i), int8_expected(x, i % 2, per_channel, relu));
        }
        CHECK_MSG(strstr(text_get(&model.notes), "quantised model: 2 weight tensors were"), "%s",
                  text_get(&model.notes));
        CHECK(strstr(text_get(&model.notes), note_words));
        arena_free(&arena);
        import_free(&model);
    }
}

// What a range of 8 bits cannot hold is cut off, in between too.
TEST(ranges_are_kept) {
    OneOp one = one_op("2", T_FLOAT32);
    const int w = tflite_floats(&one.file, "w", "2", (const float[]){100, -100});
    const int q = tflite_tensor(&one.file, "q", T_UINT8, "2"), r = tflite_tensor(&one.file, "r", T_UINT8, "2");
    tflite_quantise(&one.file, q, 0.5f, 10); // -5 to 122.5
    tflite_quantise(&one.file, r, 0.5f, 0);  // 0 to 127.5
    tflite_op(&one.file, 114, 89, "", (int[]){w}, 1, (int[]){q}, 1);
    tflite_op(&one.file, 0, 11, "", (int[]){q, q}, 2, (int[]){r}, 1);
    tflite_op(&one.file, 6, 38, "", (int[]){r}, 1, (int[]){one.y}, 1);
    GIVES(&one.file, "2", 127.5, 0);
}

TEST(dynamic_range_weights) {
    OneOp one = one_op("1,2", T_FLOAT32);
    const int w = tflite_bytes(&one.file, "w", T_INT8, "1,2", (const int8_t[]){4, -8}, 2);
    const int b = tflite_floats(&one.file, "b", "1", (const float[]){1});
    tflite_quantise(&one.file, w, 0.5f, 0);
    tflite_op(&one.file, 9, 8, "3=b:1", (int[]){one.x, w, b}, 3, (int[]){one.y}, 1);
    GIVES(&one.file, "1x1", 2 * test_number(0) - 4 * test_number(1) + 1);
}

TEST(uint8_weights_with_zero_points_along_a_dim) {
    OneOp one = one_op("1,1,1,2", T_FLOAT32);
    const int w = tflite_bytes(&one.file, "w", T_UINT8, "1,1,1,2", (const uint8_t[]){200, 10}, 2);
    tflite_quantise(&one.file, w, 0.5f, 100);
    tflite_quantise(&one.file, w, 2, 20);
    one.file.tensors[w].axis = 3;
    tflite_op(&one.file, 4, 2, "0=b:0 1=i:1 2=i:1 3=i:1", (int[]){one.x, w}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "1x1x1x2", 50 * test_number(0), -20 * test_number(1));
}

TEST(float16_weights) {
    OneOp one = one_op("2", T_FLOAT32);
    const uint16_t halves[2] = {f32_to_f16(1.5f), f32_to_f16(-3)};
    const int h = tflite_bytes(&one.file, "h", T_FLOAT16, "2", halves, 4),
              w = tflite_tensor(&one.file, "w", T_FLOAT32, "2");
    tflite_op(&one.file, 6, 38, "", (int[]){h}, 1, (int[]){w}, 1);
    tflite_op(&one.file, 18, 21, "", (int[]){one.x, w}, 2, (int[]){one.y}, 1);
    Imported model;
    Arena arena = {0};
    Tensor in[1], out[1];
    run_model(tflite_save(&one.file, "half.tflite"), &arena, &model, in, out);
    check_close(&out[0], (const double[]){1.5 * test_number(0), -3 * test_number(1)}, 2, 1e-6);
    CHECK_TEXT(text_get(&model.notes), ""); // nothing is lost
    arena_free(&arena);
    import_free(&model);
}

TEST(int16_activations_with_int64_biases) {
    TfliteFile file = tflite_file();
    const int x = tflite_tensor(&file, "x", T_INT16, "1,2"), y = tflite_tensor(&file, "y", T_INT16, "1,1");
    const int w = tflite_bytes(&file, "w", T_INT8, "1,2", (const int8_t[]){2, 4}, 2);
    const int b = tflite_bytes(&file, "b", T_INT64, "1", (const int64_t[]){8}, 8);
    tflite_quantise(&file, x, 0.5f, 0);
    tflite_quantise(&file, y, 0.25f, 0);
    tflite_quantise(&file, w, 0.5f, 0);
    tflite_quantise(&file, b, 0.25f, 0);
    tflite_op(&file, 9, 8, "", (int[]){x, w, b}, 3, (int[]){y}, 1);
    tflite_ends(&file, &x, 1, &y, 1);
    const double x0 = trunc(4 * test_number(0)), x1 = trunc(4 * test_number(1));
    GIVES(&file, "1x1", 4 * (0.5 * (x0 + 2 * x1) + 2)); // in quarters
}

// CAST takes the integers, not what they stand for.
TEST(casts_of_quantised_numbers) {
    OneOp one = one_op("2", T_FLOAT32);
    const int q = tflite_tensor(&one.file, "q", T_INT8, "2");
    tflite_quantise(&one.file, q, 0.25f, 5);
    tflite_op(&one.file, 114, 89, "", (int[]){one.x}, 1, (int[]){q}, 1);
    tflite_op(&one.file, 53, 37, "", (int[]){q}, 1, (int[]){one.y}, 1);
    GIVES(&one.file, "2", 4 * test_number(0) + 5, 4 * test_number(1) + 5);
}

static TfliteFile one_scale(float scale, int64_t zero, int type) {
    OneOp one = one_op("2", T_FLOAT32);
    const int q = tflite_tensor(&one.file, "q", type, "2");
    tflite_quantise(&one.file, q, scale, zero);
    tflite_op(&one.file, 114, 89, "", (int[]){one.x}, 1, (int[]){q}, 1);
    tflite_op(&one.file, 6, 38, "", (int[]){q}, 1, (int[]){one.y}, 1);
    return one.file;
}

TEST(scales_that_cannot_be) {
    TfliteFile file = one_scale(0, 0, T_INT8);
    check_refused(&file, ST_BAD, "QUANTIZE 'q'|tensor 'q': expected a scale above 0, got 0");
    file = one_scale(NAN, 0, T_INT8);
    check_refused(&file, ST_BAD, "expected a scale above 0");
    file = one_scale(INFINITY, 0, T_INT8);
    check_refused(&file, ST_BAD, "expected a scale above 0");
    file = one_scale(1, 128, T_INT8);
    check_refused(&file, ST_BAD, "expected a zero point from -128 to 127, got 128");
    file = one_scale(1, -1, T_UINT8);
    check_refused(&file, ST_BAD, "zero point from 0 to 255, got -1");
    file = one_scale(1, 0, T_INT8);
    tflite_quantise(&file, 2, 1, 0);
    check_refused(&file, ST_UNSUPPORTED, "2 scales of a value that is no weight");
    OneOp one = one_op("1,2", T_FLOAT32);
    const int w = tflite_bytes(&one.file, "w", T_INT8, "1,2", (const int8_t[]){4, -8}, 2);
    for (int i = 0; i < 3; i++) tflite_quantise(&one.file, w, 0.5f, 0);
    tflite_op(&one.file, 9, 8, "", (int[]){one.x, w}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "input 1 'w': expected 1 scales along dim 0, got 3");
    one = one_op("1,2", T_FLOAT32);
    const int v = tflite_bytes(&one.file, "w", T_INT8, "1,2", (const int8_t[]){4, -8}, 2);
    for (int i = 0; i < 2; i++) tflite_quantise(&one.file, v, 0.5f, 0);
    one.file.tensors[v].axis = -1;
    tflite_op(&one.file, 9, 8, "", (int[]){one.x, v}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "expected scales along one of 2 dims, got dim -1");
    one = one_op("1,2", T_FLOAT32);
    const int m = tflite_floats(&one.file, "w", "1,2", (const float[]){1, 2});
    const int b = tflite_ints(&one.file, "b", "5");
    tflite_op(&one.file, 9, 8, "", (int[]){one.x, m, b}, 3, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "FULLY_CONNECTED 'y'|expected a scale with weights of type int32");
}

TEST(quantised_without_scales) {
    OneOp one = one_op("2", T_FLOAT32);
    const int q = tflite_tensor(&one.file, "q", T_INT8, "2");
    tflite_op(&one.file, 114, 89, "", (int[]){one.x}, 1, (int[]){q}, 1);
    tflite_op(&one.file, 6, 38, "", (int[]){q}, 1, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "QUANTIZE 'q'|expected an output with a scale");
}
