// Conv, ConvTranspose, MatMul, Gemm: the examples of the ONNX documentation, small ones by hand, and algebra.
#include "gives.h"

// 0 .. 24 and a kernel of ones: each output is the sum of a 3x3 neighbourhood.
#define X5                                                                                                             \
    "%x = const float32[1x1x5x5] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,"   \
    " 23, 24} %w = const float32[1x1x3x3] {1, 1, 1, 1, 1, 1, 1, 1, 1} "

TEST(conv_documentation) {
    GIVES(X5 "%y = Conv (%x, %w) {pads=[1, 1, 1, 1]}",
          "float32[1x1x5x5] {12, 21, 27, 33, 24, 33, 54, 63, 72, 51, 63, 99, 108, 117, 81, 93, 144, 153, 162, 111, 72,"
          " 111, 117, 123, 84}");
    GIVES(X5 "%y = Conv (%x, %w)", "float32[1x1x3x3] {54, 63, 72, 99, 108, 117, 144, 153, 162}");
    GIVES(X5 "%y = Conv (%x, %w) {strides=[2, 2], pads=[1, 1, 1, 1]}",
          "float32[1x1x3x3] {12, 27, 24, 63, 108, 81, 72, 117, 84}");
    GIVES(X5 "%y = Conv (%x, %w) {strides=[2, 2], auto_pad=\"SAME_LOWER\"}",
          "float32[1x1x3x3] {12, 27, 24, 63, 108, 81, 72, 117, 84}");
    GIVES(X5 "%y = Conv (%x, %w) {dilations=[2, 2]}", "float32[1x1x1x1] {108}");
    GIVES(X5 "%y = Conv (%x, %w) {dilations=[2, 2], pads=[1, 0, 0, 0]}", "float32[1x1x2x1] {72, 108}");
}

TEST(conv_one_and_three_dims) {
    GIVES("%x = const float32[1x1x4] {1, 2, 3, 4} %w = const float32[2x1x2] {1, -1, 10, 1} "
          "%b = const float32[2] {0.5, 0} %y = Conv (%x, %w, %b)",
          "float32[1x2x3] {-0.5, -0.5, -0.5, 12, 23, 34}");
    GIVES("%x = const float32[1x1x2x2x2] {1, 2, 3, 4, 5, 6, 7, 8} %w = const float32[1x1x2x1x2] {1, 10, 100, 1000} "
          "%y = Conv (%x, %w)",
          "float32[1x1x1x2x1] {6521, 8743}");
}

TEST(conv_groups) {
    const char *const xw = "%x = const float32[1x4x1] {1, 2, 3, 4} ";
    GIVES_AFTER(xw, "%w = const float32[2x2x1] {1, 10, 100, 1000} %y = Conv (%x, %w) {group=2}",
                "float32[1x2x1] {21, 4300}");
    GIVES_AFTER(xw, "%w = const float32[4x1x1] {1, 10, 100, 1000} %y = Conv (%x, %w) {group=4}",
                "float32[1x4x1] {1, 20, 300, 4000}");
    GIVES_AFTER(xw, "%w = const float32[8x1x1] {1, 2, 1, 2, 1, 2, 1, 2} %y = Conv (%x, %w) {group=4}",
                "float32[1x8x1] {1, 2, 2, 4, 3, 6, 4, 8}");
}

// Padding is skipped, not multiplied with.
TEST(conv_infinite_weights_at_the_border) {
    GIVES("%x = const float32[1x1x2] {1, 2} %w = const float32[1x1x3] {inf, 1, 0} "
          "%y = Conv (%x, %w) {pads=[1, 1]}",
          "float32[1x1x2] {1, inf}");
}

#define X3T                                                                                                            \
    "%x = const float32[1x1x3x3] {0, 1, 2, 3, 4, 5, 6, 7, 8} %w = const float32[1x1x3x3] {1, 1, 1, 1, 1, 1, 1, 1, 1} "

TEST(conv_transpose_documentation) {
    GIVES(X3T "%y = ConvTranspose (%x, %w)",
          "float32[1x1x5x5] {0, 1, 3, 3, 2, 3, 8, 15, 12, 7, 9, 21, 36, 27, 15, 9, 20, 33, 24, 13, 6, 13, 21, 15, 8}");
    GIVES(X3T "%y = ConvTranspose (%x, %w) {pads=[1, 1, 1, 1]}",
          "float32[1x1x3x3] {8, 15, 12, 21, 36, 27, 20, 33, 24}");
    GIVES("%x = const float32[1x1x3] {0, 1, 2} %w = const float32[1x2x3] {1, 1, 1, 1, 1, 1} "
          "%y = ConvTranspose (%x, %w)",
          "float32[1x2x5] {0, 1, 3, 3, 2, 0, 1, 3, 3, 2}");
}

TEST(conv_transpose_strides) {
    const char *const xw = "%x = const float32[1x1x3] {1, 2, 3} %w = const float32[1x1x2] {1, 10} ";
    GIVES_AFTER(xw, "%y = ConvTranspose (%x, %w) {strides=[2]}", "float32[1x1x6] {1, 10, 2, 20, 3, 30}");
    GIVES_AFTER(xw, "%y = ConvTranspose (%x, %w) {strides=[3], output_padding=[1]}",
                "float32[1x1x9] {1, 10, 0, 2, 20, 0, 3, 30, 0}");
    GIVES_AFTER(xw, "%y = ConvTranspose (%x, %w) {strides=[2], pads=[1, 2]}", "float32[1x1x3] {10, 2, 20}");
    GIVES_AFTER(xw, "%y = ConvTranspose (%x, %w) {dilations=[2]}", "float32[1x1x5] {1, 2, 13, 20, 30}");
    GIVES_AFTER(xw, "%y = ConvTranspose (%x, %w) {strides=[2], output_shape=[4], auto_pad=\"SAME_UPPER\"}",
                "float32[1x1x4] {10, 2, 20, 3}");
    GIVES("%x = const float32[1x2x2] {1, 2, 3, 4} %w = const float32[2x1x1] {10, 100} %b = const float32[2] {1, 2} "
          "%y = ConvTranspose (%x, %w, %b) {group=2}",
          "float32[1x2x2] {11, 21, 302, 402}");
}

TEST(matmul) {
    GIVES("%a = const float32[2x3] {1, 2, 3, 4, 5, 6} %b = const float32[3x2] {1, 0, 0, 1, 10, 100} "
          "%y = MatMul (%a, %b)",
          "float32[2x2] {31, 302, 64, 605}");
    GIVES("%a = const float32[3] {1, 2, 3} %b = const float32[3] {1, 10, 100} %y = MatMul (%a, %b)", "float32[] {321}");
    GIVES("%a = const float32[2] {1, 10} %b = const float32[2x2x2] {1, 2, 3, 4, 5, 6, 7, 8} %y = MatMul (%a, %b)",
          "float32[2x2] {31, 42, 75, 86}");
    GIVES("%a = const float32[2x2x2] {1, 2, 3, 4, 5, 6, 7, 8} %b = const float32[2] {1, 10} %y = MatMul (%a, %b)",
          "float32[2x2] {21, 43, 65, 87}");
    GIVES("%a = const float32[2x1x1x2] {1, 2, 3, 4} %b = const float32[2x2x1] {1, 10, 100, 1000} %y = MatMul (%a, %b)",
          "float32[2x2x1x1] {21, 2100, 43, 4300}");
    GIVES("%a = const int64[1x2] {3037000500, 1} %b = const int64[2x1] {3037000499, 7} %y = MatMul (%a, %b)",
          "int64[1x1] {9223372033963249507}");
}

TEST(matmul_of_integer_batches) {
    GIVES("%a = const int32[2x2x1] {1, 2, 3, 4} %b = const int32[2x1x2] {1, 10, 100, 1000} %y = MatMul (%a, %b)",
          "int32[2x2x2] {1, 10, 2, 20, 300, 3000, 400, 4000}");
    GIVES("%a = const int32[2x1] {2, 3} %b = const int32[1x2] {5, 7} %c = const int32[2] {100, 200} "
          "%y = Gemm (%a, %b, %c)",
          "int32[2x2] {110, 214, 115, 221}");
}

TEST(gemm) {
    const char *const ab = "%a = const float32[2x2] {1, 2, 3, 4} %b = const float32[2x2] {1, 10, 100, 1000} ";
    static const struct {
        const char *node, *expected;
    } cases[] = {
        {"%y = Gemm (%a, %b)", "float32[2x2] {201, 2010, 403, 4030}"},
        {"%y = Gemm (%a, %b) {transA=1}", "float32[2x2] {301, 3010, 402, 4020}"},
        {"%y = Gemm (%a, %b) {transB=1}", "float32[2x2] {21, 2100, 43, 4300}"},
        {"%c = const float32[2] {1, 2} %y = Gemm (%a, %b, %c)", "float32[2x2] {202, 2012, 404, 4032}"},
        {"%c = const float32[2x1] {1, 2} %y = Gemm (%a, %b, %c) {alpha=2.0, beta=-1.0}",
         "float32[2x2] {401, 4019, 804, 8058}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) GIVES_AFTER(ab, cases[i].node, cases[i].expected);
}

TEST(gemm_of_other_shapes) {
    const char *const ab = "%a = const float32[3x2] {1, 2, 3, 4, 5, 6} %b = const float32[1x3] {1, 10, 100} ";
    GIVES_AFTER(ab, "%y = Gemm (%a, %b) {transA=1, transB=1}", "float32[2x1] {531, 642}");
    GIVES("%a = const int32[3x2] {1, 2, 3, 4, 5, 6} %b = const int32[1x3] {1, 10, 100} %c = const int32[] {-1} "
          "%y = Gemm (%a, %b, %c) {transA=1, transB=1}",
          "int32[2x1] {530, 641}");
    GIVES("%a = const int32[1x2] {2, 3} %b = const int32[2x2] {1, 10, 100, 1000} %y = Gemm (%a, %b)",
          "int32[1x2] {302, 3020}");
    GIVES("%a = const int32[2] {2, 3} %b = const int32[2x2] {1, 10, 100, 1000} %y = MatMul (%a, %b)",
          "int32[2] {302, 3020}");
    GIVES("%a = const float32[2x3] {1, 2, 3, 4, 5, 6} %b = const float32[3] {1, 10, 100} %y = MatMul (%a, %b)",
          "float32[2] {321, 654}");
    GIVES("%a = const float32[2] {1, 10} %b = const float32[3x2x1] {1, 2, 3, 4, 5, 6} %y = MatMul (%a, %b)",
          "float32[3x1] {21, 43, 65}");
}

// ---- Algebra, on random data in all sorts of windows ----

#define WINDOWS 5
static const char *const windows[WINDOWS][3] = {
    // shape of x, shape of w, attributes
    {"2x3x9", "4x3x3", "{pads=[1, 2]}"},
    {"1x4x8x7", "6x2x3x2", "{group=2, strides=[2, 1], pads=[1, 0, 1, 1]}"},
    {"1x3x10x9", "3x1x3x3", "{group=3, dilations=[2, 3], pads=[2, 3, 2, 3]}"},
    {"2x2x5x6x7", "3x2x2x3x3", "{strides=[1, 2, 3], pads=[0, 1, 1, 1, 0, 1]}"},
    {"1x2x13x11", "2x2x5x1", "{strides=[3, 2], dilations=[2, 1]}"},
};

// Conv (x1 + 3 x2) = Conv x1 + 3 Conv x2
TEST(conv_is_linear) {
    for (int i = 0; i < WINDOWS; i++) {
        Text text = {0};
        text_add(&text,
                 "graph () -> (%%y, %%z) {\n%%x1 = const float32[%s] random(seed=1)\n%%x2 = const float32[%s] "
                 "random(seed=2)\n%%w = const float32[%s] random(seed=3)\n%%three = const float32[] {3}\n"
                 "%%x2s = Mul (%%x2, %%three)\n%%sum = Add (%%x1, %%x2s)\n%%y = Conv (%%sum, %%w) %s\n"
                 "%%y1 = Conv (%%x1, %%w) %s\n%%y2 = Conv (%%x2, %%w) %s\n%%y2s = Mul (%%y2, %%three)\n"
                 "%%z = Add (%%y1, %%y2s)\n}\n",
                 windows[i][0], windows[i][0], windows[i][1], windows[i][2], windows[i][2], windows[i][2]);
        Graph *const graph = parse_or_end(text_get(&text));
        Arena arena = {0};
        Tensor out[2];
        CHECK_OK(reference_run_double(graph, NULL, out, &arena, NULL, NULL));
        CHECK_MSG(nearly_equal(&out[0], &out[1], 1e-12), "window %d", i);
        arena_free(&arena);
        graph_free(graph);
        text_free(&text);
    }
}

static double dot(const Tensor *a, const Tensor *b) {
    double sum = 0;
    for (int64_t i = 0; i < tensor_count(a); i++) sum += tensor_get(a, i) * tensor_get(b, i);
    return sum;
}

// <Conv x, g> = <x, ConvTranspose g>: one is the adjoint of the other.
TEST(conv_transpose_is_the_adjoint) {
    // Sizes that fit the strides, so that no output_padding is needed.
    static const char *const cases[][3] = {
        {"2x3x9", "4x3x3", "{pads=[1, 2]}"},
        {"1x4x9x7", "6x2x3x2", "{group=2, strides=[2, 1], pads=[1, 0, 1, 1]}"},
        {"1x3x10x9", "3x1x3x3", "{group=3, dilations=[2, 3], pads=[2, 3, 2, 3]}"},
        {"2x2x5x6x8", "3x2x2x3x4", "{strides=[1, 2, 3], pads=[0, 1, 1, 1, 0, 1]}"},
        {"1x2x12x11", "2x2x5x1", "{strides=[3, 2], dilations=[2, 1]}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Text text = {0};
        text_add(&text,
                 "graph () -> (%%x, %%y, %%g, %%t) {\n%%x = const float32[%s] random(seed=1)\n"
                 "%%w = const float32[%s] random(seed=3)\n%%y = Conv (%%x, %%w) %s\n%%s = Shape (%%y)\n"
                 "%%r = ConstantOfShape (%%s) {value=float32[1] {0.5}}\n%%q = Mul (%%y, %%y)\n"
                 "%%g = Add (%%q, %%r)\n%%t = ConvTranspose (%%g, %%w) %s\n}\n",
                 cases[i][0], cases[i][1], cases[i][2], cases[i][2]);
        Graph *const graph = parse_or_end(text_get(&text));
        Arena arena = {0};
        Tensor out[4]; // x, Conv x, some g, its ConvTranspose
        CHECK_OK(reference_run_double(graph, NULL, out, &arena, NULL, NULL));
        REQUIRE(shape_equal(&out[0].shape, &out[3].shape));
        const double left = dot(&out[1], &out[2]), right = dot(&out[0], &out[3]);
        CHECK_MSG(fabs(left - right) <= 1e-11 * fabs(left), "case %zu: %.17g and %.17g", i, left, right);
        arena_free(&arena);
        graph_free(graph);
        text_free(&text);
    }
}

// A kernel with a single one moves the picture; a picture with a single one shows the kernel, mirrored.
TEST(conv_shift_and_impulse) {
    GIVES("%x = const float32[1x1x2x3] {1, 2, 3, 4, 5, 6} %w = const float32[1x1x3x3] {0, 0, 0, 0, 0, 0, 1, 0, 0} "
          "%y = Conv (%x, %w) {pads=[1, 1, 1, 1]}",
          "float32[1x1x2x3] {0, 4, 5, 0, 0, 0}");
    GIVES("%x = const float32[1x1x3x3] {0, 0, 0, 0, 1, 0, 0, 0, 0} "
          "%w = const float32[1x1x3x3] {1, 2, 3, 4, 5, 6, 7, 8, 9} %y = Conv (%x, %w) {pads=[1, 1, 1, 1]}",
          "float32[1x1x3x3] {9, 8, 7, 6, 5, 4, 3, 2, 1}");
}
