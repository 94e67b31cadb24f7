// Convolutions and pooling against plain loops over channels-last arrays, as TensorFlow's documentation defines them.
#include "import/tflite_check.h"

enum { SAME, VALID };

typedef struct Image {
    int64_t h, w, c;
    double at[2048];
} Image;

typedef struct Kernel {
    int64_t h, w, stride_h, stride_w, dilation_h, dilation_w;
    int padding;
} Kernel;

static void fill_image(Image *image, int64_t h, int64_t w, int64_t c) {
    *image = (Image){.h = h, .w = w, .c = c};
    REQUIRE(h * w * c <= (int64_t)COUNT_OF(image->at));
    for (int64_t i = 0; i < h * w * c; i++) image->at[i] = test_number(i);
}
static double pixel(const Image *image, int64_t y, int64_t x, int64_t c) {
    return image->at[(y * image->w + x) * image->c + c];
}
static bool inside(const Image *image, int64_t y, int64_t x) {
    return y >= 0 && y < image->h && x >= 0 && x < image->w;
}

// Weights of any layout are told by a small number for each of oc, y, x, ic, so that the oracle needs no layout.
static float weight_of(int64_t oc, int64_t y, int64_t x, int64_t ic) {
    return (float)((oc * 7 + y * 5 + x * 3 + ic * 11) % 13 - 6) / 8;
}

static int64_t output_size(int64_t in, int64_t span, int64_t stride, int padding, int64_t *before) {
    *before = 0;
    if (padding == VALID) return (in - span) / stride + 1;
    const int64_t out = (in + stride - 1) / stride, all = MAX((out - 1) * stride + span - in, 0);
    *before = all / 2;
    return out;
}

// group_in input channels a group, group_out output channels.
static void conv(const Image *in, const Kernel *k, int64_t oc, int64_t group_in, int64_t group_out, Image *out) {
    int64_t top, left;
    *out = (Image){.c = oc};
    out->h = output_size(in->h, (k->h - 1) * k->dilation_h + 1, k->stride_h, k->padding, &top);
    out->w = output_size(in->w, (k->w - 1) * k->dilation_w + 1, k->stride_w, k->padding, &left);
    for (int64_t i = 0; i < out->h * out->w * oc; i++) {
        const int64_t o = i % oc, x = i / oc % out->w, y = i / oc / out->w;
        double sum = (double)o / 4; // the bias
        for (int64_t n = 0; n < k->h * k->w * group_in; n++) {
            const int64_t ic = n % group_in, kx = n / group_in % k->w, ky = n / group_in / k->w;
            const int64_t iy = y * k->stride_h - top + ky * k->dilation_h,
                          ix = x * k->stride_w - left + kx * k->dilation_w;
            if (inside(in, iy, ix)) sum += weight_of(o, ky, kx, ic) * pixel(in, iy, ix, o / group_out * group_in + ic);
        }
        out->at[i] = sum;
    }
}

static int add_bias(TfliteFile *file, int64_t oc) {
    float bias[32];
    char dims[8];
    for (int64_t i = 0; i < oc; i++) bias[i] = (float)i / 4;
    snprintf(dims, sizeof dims, "%d", (int)oc);
    return tflite_floats(file, "bias", dims, bias);
}

// (oc, h, w, ic), or depthwise (1, h, w, oc).
static int add_filter(TfliteFile *file, const Kernel *k, int64_t oc, int64_t ic, bool depthwise) {
    static float values[2048];
    char dims[64];
    const int64_t count = oc * k->h * k->w * ic;
    REQUIRE(count <= (int64_t)COUNT_OF(values));
    for (int64_t i = 0; i < count; i++) {
        const int64_t c = i % (depthwise ? oc : ic), rest = i / (depthwise ? oc : ic);
        const int64_t x = rest % k->w, y = rest / k->w % k->h, o = rest / k->w / k->h;
        values[i] = depthwise ? weight_of(c, y, x, 0) : weight_of(o, y, x, c);
    }
    snprintf(dims, sizeof dims, "%d,%d,%d,%d", depthwise ? 1 : (int)oc, (int)k->h, (int)k->w,
             (int)(depthwise ? oc : ic));
    return tflite_floats(file, "w", dims, values);
}

static void check_image(OneOp *one, const Image *expected) {
    char shape[64];
    snprintf(shape, sizeof shape, "1x%dx%dx%d", (int)expected->h, (int)expected->w, (int)expected->c);
    check_gives(&one->file, shape, expected->at);
}

static OneOp on_image(const Image *in) {
    char dims[64];
    snprintf(dims, sizeof dims, "1,%d,%d,%d", (int)in->h, (int)in->w, (int)in->c);
    return one_op(dims, T_FLOAT32);
}

static const Kernel kernels[] = {{3, 3, 1, 1, 1, 1, SAME},  {3, 3, 1, 1, 1, 1, VALID}, {2, 3, 2, 1, 1, 1, SAME},
                                 {3, 2, 1, 2, 1, 1, VALID}, {1, 1, 1, 1, 1, 1, VALID}, {3, 3, 2, 2, 1, 1, SAME},
                                 {2, 2, 1, 1, 2, 3, SAME},  {2, 2, 1, 1, 2, 1, VALID}, {1, 1, 2, 2, 1, 1, SAME},
                                 {4, 4, 3, 2, 1, 1, SAME}};

static void check_conv(const Kernel *k, int64_t ic, int64_t groups, int64_t oc) {
    Image in, out;
    char options[80];
    fill_image(&in, 7, 6, ic);
    conv(&in, k, oc, ic / groups, oc / groups, &out);
    OneOp one = on_image(&in);
    const int w = add_filter(&one.file, k, oc, ic / groups, false), b = add_bias(&one.file, oc);
    snprintf(options, sizeof options, "0=b:%d 1=i:%d 2=i:%d 3=b:0 4=i:%d 5=i:%d", k->padding, (int)k->stride_w,
             (int)k->stride_h, (int)k->dilation_w, (int)k->dilation_h);
    tflite_op(&one.file, 3, 1, options, (int[]){one.x, w, b}, 3, (int[]){one.y}, 1);
    check_image(&one, &out);
}

TEST(convolutions) {
    for (size_t i = 0; i < COUNT_OF(kernels); i++) {
        check_conv(&kernels[i], 3, 1, 4);
        check_conv(&kernels[i], 4, 2, 6); // the filter has fewer channels: groups
    }
}

TEST(depthwise_convolutions) {
    for (size_t i = 0; i < COUNT_OF(kernels); i++) {
        for (int multiplier = 1; multiplier <= 2; multiplier++) {
            const Kernel *k = &kernels[i];
            Image in, out;
            char options[80];
            fill_image(&in, 7, 6, 3);
            conv(&in, k, 3 * multiplier, 1, multiplier, &out);
            OneOp one = on_image(&in);
            const int w = add_filter(&one.file, k, 3 * multiplier, 1, true), b = add_bias(&one.file, 3 * multiplier);
            snprintf(options, sizeof options, "0=b:%d 1=i:%d 2=i:%d 3=i:%d 4=b:0 5=i:%d 6=i:%d", k->padding,
                     (int)k->stride_w, (int)k->stride_h, multiplier, (int)k->dilation_w, (int)k->dilation_h);
            tflite_op(&one.file, 4, 2, options, (int[]){one.x, w, b}, 3, (int[]){one.y}, 1);
            check_image(&one, &out);
        }
    }
}

// ---- dilated by way of the batch

static void check_spread(int block_h, int block_w, const char *pads, const char *crops, const Kernel *whole,
                         bool alone) {
    const Kernel inner = {whole->h, whole->w, 1, 1, 1, 1, VALID};
    Image in, out;
    char block[16];
    fill_image(&in, 8, 6, 2);
    conv(&in, whole, 3, 2, 3, &out);
    OneOp one = on_image(&in);
    TfliteFile *file = &one.file;
    const int w = add_filter(file, &inner, 3, 2, false), b = add_bias(file, 3);
    snprintf(block, sizeof block, "%d,%d", block_h, block_w);
    const int blocks = tflite_ints(file, "blocks", block), p = tflite_ints(file, "pads", pads);
    const int c = tflite_ints(file, "crops", crops);
    const int s = tflite_tensor(file, "s", T_FLOAT32, "1"), t = tflite_tensor(file, "t", T_FLOAT32, "1");
    const int u = tflite_tensor(file, "u", T_FLOAT32, "1");
    tflite_op(file, 38, 25, "", (int[]){one.x, blocks, p}, 3, (int[]){s}, 1);
    tflite_op(file, 3, 1, "0=b:1 1=i:1 2=i:1", (int[]){s, w, b}, 3, (int[]){t}, 1);
    tflite_op(file, 37, 24, "", (int[]){t, blocks, c}, 3, (int[]){alone ? u : one.y}, 1);
    if (alone) { // somebody else reads what is between, so that it has to be made
        const int m = tflite_tensor(file, "m", T_FLOAT32, "1"), axes = tflite_ints(file, "axes", "0,1,2,3");
        const int z = tflite_tensor(file, "z", T_FLOAT32, "1"), v = tflite_tensor(file, "v", T_FLOAT32, "1");
        tflite_op(file, 74, 27, "", (int[]){t, axes}, 2, (int[]){m}, 1);
        tflite_op(file, 41, 28, "", (int[]){m, m}, 2, (int[]){z}, 1);
        tflite_op(file, 0, 11, "", (int[]){u, z}, 2, (int[]){v}, 1);
        one.file.outputs[0] = v;
    }
    check_image(&one, &out);
}

TEST(convolutions_over_the_batch) {
    static const Kernel same = {3, 3, 1, 1, 2, 2, SAME}, valid = {3, 2, 1, 1, 2, 2, VALID};
    for (int alone = 0; alone < 2; alone++) {
        check_spread(2, 2, "2,2,2,2", "0,0,0,0", &same, alone);
        check_spread(2, 2, "2,4,2,2", "0,2,0,0", &same, alone); // pads that are cut off again
        check_spread(2, 2, "0,0,0,0", "0,0,0,0", &valid, alone);
        check_spread(2, 2, "4,2,2,2", "4,2,2,2", &valid, alone);
    }
}

TEST(convolutions_over_the_batch_become_dilated) {
    OneOp one = one_op("1,8,6,2", T_FLOAT32);
    const Kernel inner = {3, 3, 1, 1, 1, 1, VALID};
    const int w = add_filter(&one.file, &inner, 3, 2, false), blocks = tflite_ints(&one.file, "blocks", "2,2");
    const int p = tflite_ints(&one.file, "pads", "2,2,2,2"), c = tflite_ints(&one.file, "crops", "0,0,0,0");
    const int s = tflite_tensor(&one.file, "s", T_FLOAT32, "1"), t = tflite_tensor(&one.file, "t", T_FLOAT32, "1");
    tflite_op(&one.file, 38, 25, "", (int[]){one.x, blocks, p}, 3, (int[]){s}, 1);
    tflite_op(&one.file, 3, 1, "0=b:1 1=i:1 2=i:1", (int[]){s, w}, 2, (int[]){t}, 1);
    tflite_op(&one.file, 37, 24, "", (int[]){t, blocks, c}, 3, (int[]){one.y}, 1);
    Imported model;
    CHECK_OK(import_model(tflite_save(&one.file, "spread.tflite"), NULL, &model));
    int convs = 0;
    for (int i = 0; i < model.graph->n_nodes; i++) {
        const Node *node = model.graph->nodes[i];
        const int64_t *dilations;
        CHECK(node->op == OP_Conv || node->op == OP_Transpose || node->op == OP_Identity);
        if (node->op != OP_Conv) continue;
        REQUIRE(node_ints(node, "dilations", &dilations) == 2);
        CHECK(dilations[0] == 2 && dilations[1] == 2);
        convs++;
    }
    CHECK_INT(convs, 1);
    import_free(&model);
}

TEST(one_spatial_dim_over_the_batch) {
    OneOp one = one_op("1,5,1", T_FLOAT32);
    const int block = tflite_ints(&one.file, "block", "2"), p = tflite_ints(&one.file, "pads", "0,1");
    const int s = tflite_tensor(&one.file, "s", T_FLOAT32, "1"), t = tflite_tensor(&one.file, "t", T_FLOAT32, "1");
    const int c = tflite_ints(&one.file, "crops", "1,0");
    const int w = tflite_floats(&one.file, "w", "2,1,1", (const float[]){1, 10});
    tflite_op(&one.file, 38, 25, "", (int[]){one.x, block, p}, 3, (int[]){s}, 1);
    tflite_op(&one.file, 18, 21, "", (int[]){s, w}, 2, (int[]){t}, 1);
    tflite_op(&one.file, 37, 24, "", (int[]){t, block, c}, 3, (int[]){one.y}, 1);
    GIVES(&one.file, "1x5x1", 10 * test_number(1), test_number(2), 10 * test_number(3), test_number(4), 0);
}

// ---- transposed

// Every input element is added to the outputs where the forward convolution would have read from.
static void transpose(const Image *in, const Kernel *k, int64_t oc, int64_t h, int64_t w, bool mediapipe, Image *out) {
    int64_t top = 0, left = 0;
    if (k->padding == SAME) {
        output_size(h, k->h, k->stride_h, SAME, &top);
        output_size(w, k->w, k->stride_w, SAME, &left);
    }
    if (mediapipe && k->padding == SAME) {
        top = MAX(k->h - (in->h - 1) % k->stride_h - 1, 0) / 2;
        left = MAX(k->w - (in->w - 1) % k->stride_w - 1, 0) / 2;
    }
    *out = (Image){.h = h, .w = w, .c = oc};
    for (int64_t i = 0; i < h * w * oc; i++) out->at[i] = (double)(i % oc) / 4;
    for (int64_t n = 0; n < in->h * in->w * k->h * k->w; n++) {
        const int64_t kx = n % k->w, ky = n / k->w % k->h, x = n / k->w / k->h % in->w, y = n / k->w / k->h / in->w;
        const int64_t oy = y * k->stride_h - top + ky, ox = x * k->stride_w - left + kx;
        if (!inside(out, oy, ox)) continue;
        for (int64_t o = 0; o < oc; o++) {
            for (int64_t c = 0; c < in->c; c++) {
                out->at[(oy * w + ox) * oc + o] += weight_of(o, ky, kx, c) * pixel(in, y, x, c);
            }
        }
    }
}

static void check_transpose(const Kernel *k, int h, int w) {
    Image in, out;
    char options[80], shape[32];
    fill_image(&in, 4, 3, 2);
    transpose(&in, k, 3, h, w, false, &out);
    OneOp one = on_image(&in);
    snprintf(shape, sizeof shape, "1,%d,%d,3", h, w);
    const int size = tflite_ints(&one.file, "size", shape), filter = add_filter(&one.file, k, 3, 2, false);
    const int b = add_bias(&one.file, 3);
    snprintf(options, sizeof options, "0=b:%d 1=i:%d 2=i:%d", k->padding, (int)k->stride_w, (int)k->stride_h);
    tflite_op(&one.file, 67, 49, options, (int[]){size, filter, one.x, b}, 4, (int[]){one.y}, 1);
    check_image(&one, &out);
}

TEST(transposed_convolutions) {
    check_transpose(&(Kernel){2, 2, 2, 2, 1, 1, SAME}, 8, 6);
    check_transpose(&(Kernel){2, 2, 2, 2, 1, 1, VALID}, 8, 6);
    check_transpose(&(Kernel){3, 3, 2, 2, 1, 1, SAME}, 8, 6);
    check_transpose(&(Kernel){3, 3, 2, 2, 1, 1, SAME}, 7, 5); // the other size whose forward convolution has 4 x 3
    check_transpose(&(Kernel){3, 3, 2, 2, 1, 1, VALID}, 9, 7);
    check_transpose(&(Kernel){3, 3, 2, 2, 1, 1, VALID}, 10, 8); // a border that only the bias reaches
    check_transpose(&(Kernel){4, 3, 2, 1, 1, 1, SAME}, 8, 3);
    check_transpose(&(Kernel){1, 1, 2, 2, 1, 1, VALID}, 8, 6); // a window below the stride
    check_transpose(&(Kernel){1, 2, 3, 2, 1, 1, SAME}, 12, 6);
}

// SHAPE, STRIDED_SLICE, PACK: the batch is not known, the rest of the size is.
static TfliteFile computed_size(bool with_height) {
    OneOp one = one_op(with_height ? "?,?,3,2" : "?,4,3,2", T_FLOAT32);
    TfliteFile *file = &one.file;
    const Kernel k = {3, 3, 2, 2, 1, 1, SAME};
    const int shape = tflite_tensor(file, "shape", T_INT32, "4"), n = tflite_tensor(file, "n", T_INT32, "");
    const int from = tflite_ints(file, "from", "0"), to = tflite_ints(file, "to", "1"),
              step = tflite_ints(file, "step", "1");
    const int h = tflite_int(file, "h", 7), w = tflite_int(file, "width", 5), c = tflite_int(file, "c", 3);
    const int size = tflite_tensor(file, "size", T_INT32, "4"), filter = add_filter(file, &k, 3, 2, false);
    const int b = add_bias(file, 3);
    tflite_op(file, 77, 55, "0=b:2", (int[]){one.x}, 1, (int[]){shape}, 1);
    tflite_op(file, 45, 32, "4=i:1", (int[]){shape, from, to, step}, 4, (int[]){n}, 1);
    tflite_op(file, 83, 59, "0=i:4", (int[]){n, h, w, c}, 4, (int[]){size}, 1);
    tflite_op(file, 67, 49, "0=b:0 1=i:2 2=i:2", (int[]){size, filter, one.x, b}, 4, (int[]){one.y}, 1);
    return one.file;
}

TEST(transposed_convolutions_of_a_computed_size) {
    const Kernel k = {3, 3, 2, 2, 1, 1, SAME};
    Image in, out;
    fill_image(&in, 4, 3, 2);
    transpose(&in, &k, 3, 7, 5, false, &out);
    OneOp one = {.file = computed_size(false)};
    check_image(&one, &out);
    // Nothing is known of the height, so that the usual size is taken and told.
    TfliteFile file = computed_size(true);
    Imported model;
    CHECK_OK(import_model(tflite_save(&file, "free.tflite"), NULL, &model));
    CHECK_MSG(strstr(text_get(&model.notes), "y: a transposed convolution"), "%s", text_get(&model.notes));
    const Type *type = &model.graph->values[model.graph->outputs[0]].type;
    CHECK(type->rank == 4 && type->dim[2] == 6 && type->dim[3] == 3);
    import_free(&model);
}

TEST(transposed_convolutions_of_mediapipe) {
    for (int padding = SAME; padding <= VALID; padding++) {
        for (int size = 2; size <= 3; size++) {
            const Kernel k = {size, size, 2, 2, 1, 1, padding};
            const int32_t words[3] = {padding == SAME ? 1 : 2, 2, 2};
            Image in, out;
            fill_image(&in, 4, 3, 2);
            const int64_t cut_h = padding == SAME ? MAX(size - 3 % 2 - 1, 0) : 0;
            const int64_t cut_w = padding == SAME ? MAX(size - 2 % 2 - 1, 0) : 0;
            transpose(&in, &k, 3, 6 + size - cut_h, 4 + size - cut_w, true, &out);
            OneOp one = on_image(&in);
            const int filter = add_filter(&one.file, &k, 3, 2, false), b = add_bias(&one.file, 3);
            TfliteOperatorMade *made =
                tflite_op(&one.file, 32, 0, NULL, (int[]){one.x, filter, b}, 3, (int[]){one.y}, 1);
            made->custom = "Convolution2DTransposeBias";
            made->custom_options = words;
            made->custom_bytes = sizeof words;
            check_image(&one, &out);
        }
    }
}

// ---- three spatial dims

TEST(convolutions_in_3d) {
    OneOp one = one_op("1,2,2,2,1", T_FLOAT32);
    const int w = tflite_floats(&one.file, "w", "2,2,1,1,2", (const float[]){1, 2, 3, 4, 5, 6, 7, 8}); // d h w ic oc
    double expected[4] = {0};
    for (int x = 0; x < 2; x++) {
        for (int o = 0; o < 2; o++) {
            for (int d = 0; d < 2; d++) {
                for (int y = 0; y < 2; y++) {
                    expected[2 * x + o] += (4 * d + 2 * y + o + 1) * test_number(4 * d + 2 * y + x);
                }
            }
        }
    }
    tflite_op(&one.file, 132, 106, "0=b:1 1=i:1 2=i:1 3=i:1", (int[]){one.x, w}, 2, (int[]){one.y}, 1);
    check_gives(&one.file, "1x1x1x2x2", expected);
}

TEST(transposed_convolutions_in_3d) {
    OneOp one = one_op("1,1,1,2,2", T_FLOAT32);
    const int size = tflite_ints(&one.file, "size", "1,2,1,2,1");
    const int w = tflite_floats(&one.file, "w", "2,1,1,1,2", (const float[]){1, 2, 3, 4}); // d h w oc ic
    const double a = test_number(0), b = test_number(1), c = test_number(2), d = test_number(3);
    tflite_op(&one.file, 141, 106, "0=b:1 1=i:1 2=i:1 3=i:1", (int[]){size, w, one.x}, 3, (int[]){one.y}, 1);
    GIVES(&one.file, "1x2x1x2x1", a + 2 * b, c + 2 * d, 3 * a + 4 * b, 3 * c + 4 * d);
}

// ---- pooling

static void pool(const Image *in, const Kernel *k, bool mean, Image *out) {
    int64_t top, left;
    *out = (Image){.c = in->c};
    out->h = output_size(in->h, k->h, k->stride_h, k->padding, &top);
    out->w = output_size(in->w, k->w, k->stride_w, k->padding, &left);
    for (int64_t i = 0; i < out->h * out->w * out->c; i++) {
        const int64_t c = i % out->c, x = i / out->c % out->w, y = i / out->c / out->w;
        double sum = 0, most = -1e9;
        int count = 0;
        for (int64_t n = 0; n < k->h * k->w; n++) {
            const int64_t iy = y * k->stride_h - top + n / k->w, ix = x * k->stride_w - left + n % k->w;
            if (!inside(in, iy, ix)) continue;
            sum += pixel(in, iy, ix, c);
            most = fmax(most, pixel(in, iy, ix, c));
            count++;
        }
        out->at[i] = mean ? sum / count : most;
    }
}

TEST(pooling) {
    static const Kernel pools[] = {
        {2, 2, 2, 2, 1, 1, VALID}, {2, 2, 2, 2, 1, 1, SAME}, {3, 2, 1, 2, 1, 1, SAME}, {3, 3, 2, 1, 1, 1, VALID}};
    for (size_t i = 0; i < COUNT_OF(pools); i++) {
        for (int mean = 0; mean < 2; mean++) {
            const Kernel *k = &pools[i];
            Image in, out;
            char options[80];
            fill_image(&in, 7, 5, 3);
            pool(&in, k, mean, &out);
            OneOp one = on_image(&in);
            snprintf(options, sizeof options, "0=b:%d 1=i:%d 2=i:%d 3=i:%d 4=i:%d", k->padding, (int)k->stride_w,
                     (int)k->stride_h, (int)k->w, (int)k->h);
            tflite_op(&one.file, mean ? 1 : 17, 5, options, (int[]){one.x}, 1, (int[]){one.y}, 1);
            check_image(&one, &out);
        }
    }
}

// ---- what cannot be

TEST(windows_that_cannot_be) {
    static const struct {
        const char *options;
        const char *words;
    } cases[] = {{"0=b:0 1=i:0 2=i:1", "expected a stride of at least 1, got 0"},
                 {"0=b:0 1=i:1 2=i:-5", "stride of at least 1, got -5"},
                 {"0=b:2 1=i:1 2=i:1", "padding of 0 or 1, got 2"},
                 {"0=b:0 1=i:1 2=i:1 4=i:0", "dilation of at least 1"},
                 {"0=b:1 1=i:1 2=i:1", "window spans 3"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        OneOp one = one_op("1,2,2,1", T_FLOAT32);
        const Kernel k = {3, 3, 1, 1, 1, 1, SAME};
        const int w = add_filter(&one.file, &k, 1, 1, false);
        tflite_op(&one.file, 3, 1, cases[i].options, (int[]){one.x, w}, 2, (int[]){one.y}, 1);
        char words[128];
        snprintf(words, sizeof words, "CONV_2D 'y'|%s", cases[i].words);
        check_refused(&one.file, ST_BAD, words);
    }
    OneOp one = one_op("1,2,2,1", T_FLOAT32);
    const int w = tflite_floats(&one.file, "w", "1,1,1", (const float[]){1});
    tflite_op(&one.file, 3, 1, "0=b:0 1=i:1 2=i:1", (int[]){one.x, w}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "input 1: expected weights of 4 dims, got 3");
    one = one_op("2,2,1", T_FLOAT32);
    const int v = tflite_floats(&one.file, "w", "1,1,1,1", (const float[]){1});
    tflite_op(&one.file, 3, 1, "0=b:0 1=i:1 2=i:1", (int[]){one.x, v}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "input 0: expected 4 dims, got 3");
    one = one_op("1,2,2,1", T_FLOAT32);
    const int u = tflite_floats(&one.file, "w", "1,1,1,1", (const float[]){1});
    tflite_op(&one.file, 3, 5, "0=b:0 1=i:1 2=i:1", (int[]){one.x, u}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "expected options of type 1, got type 5");
    one = one_op("1,2,2,1", T_FLOAT32);
    const int t = tflite_floats(&one.file, "w", "1,1,1,1", (const float[]){1});
    tflite_op(&one.file, 3, 0, NULL, (int[]){one.x, t}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "expected options with strides");
}
