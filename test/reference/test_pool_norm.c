// Pooling and normalisation.
#include "gives.h"

#define X5                                                                                                             \
    "%x = const float32[1x1x5x5] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,"  \
    " 24, 25} "
#define X4 "%x = const float32[1x1x4x4] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16} "

// The examples of the ONNX documentation.
TEST(max_pool) {
    GIVES(X5 "%y = MaxPool (%x) {kernel_shape=[5, 5], pads=[2, 2, 2, 2]}",
          "float32[1x1x5x5] {13, 14, 15, 15, 15, 18, 19, 20, 20, 20, 23, 24, 25, 25, 25, 23, 24, 25, 25, 25, 23, 24,"
          " 25, 25, 25}");
    GIVES(X5 "%y = MaxPool (%x) {kernel_shape=[2, 2], strides=[2, 2]}", "float32[1x1x2x2] {7, 9, 17, 19}");
    GIVES(X5 "%y = MaxPool (%x) {kernel_shape=[3, 3], strides=[2, 2], auto_pad=\"SAME_UPPER\"}",
          "float32[1x1x3x3] {7, 9, 10, 17, 19, 20, 22, 24, 25}");
    GIVES(X4 "%y = MaxPool (%x) {kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1}",
          "float32[1x1x2x2] {11, 12, 15, 16}");
    GIVES(X4 "%y = MaxPool (%x) {kernel_shape=[2, 2], dilations=[2, 2]}", "float32[1x1x2x2] {11, 12, 15, 16}");
    GIVES("%x = const float32[1x1x3] {-1, -2, -3} %y = MaxPool (%x) {kernel_shape=[3], pads=[1, 1]}",
          "float32[1x1x3] {-1, -1, -2}");
    GIVES("%x = const uint8[1x1x3] {1, 200, 3} %y = MaxPool (%x) {kernel_shape=[2]}", "uint8[1x1x2] {200, 200}");
    GIVES("%x = const int8[1x1x3] {-5, -20, -3} %y = MaxPool (%x) {kernel_shape=[2]}", "int8[1x1x2] {-5, -3}");
    GIVES("%x = const float32[1x1x3] {1, nan, 3} %y = MaxPool (%x) {kernel_shape=[2]}", "float32[1x1x2] {nan, nan}");
    GIVES("%x = const float32[1x1x2x2x2] {1, 2, 3, 4, 5, 6, 7, 8} %y = MaxPool (%x) {kernel_shape=[2, 1, 2]}",
          "float32[1x1x1x2x1] {6, 8}");
}

// Of equal elements the first, NaN before all; counted over all of x, by rows or with the first spatial dim fastest.
TEST(indices_of_max_pool) {
    GIVES_VALUE(X4 "%y, %i = MaxPool (%x) {kernel_shape=[2, 2], strides=[2, 2]}", "i", "int64[1x1x2x2] {5, 7, 13, 15}");
    GIVES_VALUE(X4 "%y, %i = MaxPool (%x) {kernel_shape=[2, 2], strides=[2, 2], storage_order=1}", "i",
                "int64[1x1x2x2] {5, 13, 7, 15}");
    const char *const nodes = "%y, %i = MaxPool (%x) {kernel_shape=[2], pads=[1, 1]}";
    check_gives(__FILE__, __LINE__, "%x = const float32[1x2x3] {4, 4, 1, 7, nan, nan}", nodes, "i",
                "int64[1x2x4] {0, 0, 1, 2, 3, 4, 4, 5}", 0, true);
    check_gives(__FILE__, __LINE__, "%x = const uint8[1x1x3] {4, 200, 1}", nodes, "i", "int64[1x1x4] {0, 1, 1, 2}", 0,
                true);
    GIVES_VALUE("%x = const float32[1x1x2x2x2] {0, 1, 2, 3, 4, 5, 9, 6} "
                "%y, %i = MaxPool (%x) {kernel_shape=[2, 2, 2], storage_order=1}",
                "i", "int64[1x1x1x1x1] {3}");
    GIVES_VALUE("%x = const float32[1x2x1x3x2] {0, 1, 2, 3, 4, 9, 0, 1, 2, 3, 4, 9} "
                "%y, %i = MaxPool (%x) {kernel_shape=[1, 3, 2], storage_order=1}",
                "i", "int64[1x2x1x1x1] {5, 11}");
}

TEST(average_pool) {
    GIVES(X5 "%y = AveragePool (%x) {kernel_shape=[5, 5], pads=[2, 2, 2, 2]}",
          "float32[1x1x5x5] {7, 7.5, 8, 8.5, 9, 9.5, 10, 10.5, 11, 11.5, 12, 12.5, 13, 13.5, 14, 14.5, 15, 15.5, 16,"
          " 16.5, 17, 17.5, 18, 18.5, 19}");
    GIVES(X5 "%y = AveragePool (%x) {kernel_shape=[3, 3], strides=[2, 2], auto_pad=\"SAME_UPPER\"}",
          "float32[1x1x3x3] {4, 5.5, 7, 11.5, 13, 14.5, 19, 20.5, 22}");
    GIVES(X4 "%y = AveragePool (%x) {kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1}",
          "float32[1x1x2x2] {6, 7.5, 12, 13.5}");
    GIVES(X4 "%y = AveragePool (%x) {kernel_shape=[2, 2], dilations=[2, 2]}", "float32[1x1x2x2] {6, 7, 10, 11}");
}

// Padding counts as zeros; what ceil_mode reaches beyond the padding does not count.
TEST(average_pool_counts_padding) {
    const char *const x = "%x = const float32[1x1x4] {4, 8, 12, 16} ";
    GIVES_AFTER(x, "%y = AveragePool (%x) {kernel_shape=[2], pads=[1, 1], strides=[2]}", "float32[1x1x3] {4, 10, 16}");
    GIVES_AFTER(x, "%y = AveragePool (%x) {kernel_shape=[2], pads=[1, 1], strides=[2], count_include_pad=1}",
                "float32[1x1x3] {2, 10, 8}");
    GIVES_AFTER(x, "%y = AveragePool (%x) {kernel_shape=[3], strides=[2], ceil_mode=1, count_include_pad=1}",
                "float32[1x1x2] {8, 14}");
    GIVES_AFTER(x,
                "%y = AveragePool (%x) {kernel_shape=[4], pads=[0, 1], strides=[3], ceil_mode=1,"
                " count_include_pad=1}",
                "float32[1x1x2] {10, 8}");
}

TEST(global_pools) {
    const char *const x = "%x = const float32[1x2x2x2] {1, 2, 3, 6, -1, -2, -3, -8} ";
    GIVES_AFTER(x, "%y = GlobalAveragePool (%x)", "float32[1x2x1x1] {3, -3.5}");
    GIVES_AFTER(x, "%y = GlobalMaxPool (%x)", "float32[1x2x1x1] {6, -1}");
}

TEST(batch_normalization) {
    const char *const c = "%s = const float32[2] {2, 1} %b = const float32[2] {1, -1} %m = const float32[2] {1, 10} "
                          "%v = const float32[2] {3, 24} ";
    GIVES_AFTER(c, "%x = const float32[1x2x2] {1, 3, 5, 20} %y = BatchNormalization (%x, %s, %b, %m, %v) {epsilon=1.0}",
                "float32[1x2x2] {1, 3, -2, 1}");
    GIVES_AFTER(c, "%x = const float32[2x2] {1, 5, 3, 20} %y = BatchNormalization (%x, %s, %b, %m, %v) {epsilon=1.0}",
                "float32[2x2] {1, -2, 3, 1}");
    GIVES_AFTER(c,
                "%x = const float32[3x2x1] {1, 5, 3, 20, -1, 0} "
                "%y = BatchNormalization (%x, %s, %b, %m, %v) {epsilon=1.0}",
                "float32[3x2x1] {1, -2, 3, 1, -1, -3}");
    GIVES("%o = const float32[1] {1} %z = const float32[1] {0} %x = const float32[1x1] {1} "
          "%y = BatchNormalization (%x, %o, %z, %z, %z)",
          "float32[1x1] {316.227766}");
}

// (1, 3): mean 2, variance 1; (2, 6): mean 4, variance 4; all four: mean 3, variance 3.5.
TEST(other_normalizations) {
    const char *const x = "%x = const float32[1x2x2] {1, 3, 2, 6} %s = const float32[2] {2, 1} "
                          "%b = const float32[2] {0, 10} ";
    GIVES_AFTER(x, "%y = InstanceNormalization (%x, %s, %b) {epsilon=0.0}", "float32[1x2x2] {-2, 2, 9, 11}");
    GIVES_AFTER(x, "%y = InstanceNormalization (%x, %s, %b) {epsilon=3.0}",
                "float32[1x2x2] {-1, 1, 9.24407105, 10.75592895}");
    GIVES_AFTER(x, "%y = GroupNormalization (%x, %s, %b) {num_groups=2, epsilon=0.0}", "float32[1x2x2] {-2, 2, 9, 11}");
    GIVES_AFTER(x, "%y = GroupNormalization (%x, %s, %b) {num_groups=1, epsilon=0.5}",
                "float32[1x2x2] {-2, 0, 9.5, 11.5}");
    GIVES_AFTER(x, "%y = LayerNormalization (%x, %s, %b) {epsilon=0.0}", "float32[1x2x2] {-2, 11, -2, 11}");
    GIVES_AFTER(x, "%y = LayerNormalization (%x, %s) {epsilon=0.0}", "float32[1x2x2] {-2, 1, -2, 1}");
    GIVES("%x = const float32[3x2] {1, 3, 2, 6, 0, 10} %s = const float32[1] {1} "
          "%y = LayerNormalization (%x, %s) {epsilon=0.0}",
          "float32[3x2] {-1, 1, -1, 1, -1, 1}");
    GIVES("%x = const float32[2x2x1] {1, 3, 2, 6} %s = const float32[2] {1, 2} %b = const float32[2] {0, 1} "
          "%y = GroupNormalization (%x, %s, %b) {num_groups=1, epsilon=0.0}",
          "float32[2x2x1] {-1, 3, -1, 3}");
    GIVES("%x = const float32[1x2x2] {1, 3, 2, 6} %s = const float32[2x2] {1, 1, 2, 2} "
          "%y = LayerNormalization (%x, %s) {epsilon=0.5, axis=-2}",
          "float32[1x2x2] {-1, 0, -1, 3}");
}

TEST(statistics_of_layer_normalization) {
    const char *const before = "%x = const float32[2x2] {1, 3, -2, 6} %s = const float32[2] {1, 1} "
                               "%y, %mean, %deviation = LayerNormalization (%x, %s) {epsilon=0.0}";
    check_gives(__FILE__, __LINE__, before, "", "y", "float32[2x2] {-1, 1, -1, 1}", 1e-6, true);
    check_gives(__FILE__, __LINE__, before, "", "mean", "float32[2x1] {2, 2}", 1e-6, true);
    check_gives(__FILE__, __LINE__, before, "", "deviation", "float32[2x1] {1, 0.25}", 1e-6, true);
    GIVES_VALUE("%x = const float32[2x2] {1, 3, -2, 6} %s = const float32[2] {1, 1} "
                "%y, %mean = LayerNormalization (%x, %s) {axis=0}",
                "mean", "float32[1x1] {2}");
}

// A large mean and a small deviation: two passes keep the digits.
TEST(normalization_with_an_offset) {
    GIVES("%x = const float32[1x1x4] {10000, 10001, 10000, 10001} %s = const float32[1] {1} %b = const float32[1] {0} "
          "%y = InstanceNormalization (%x, %s, %b) {epsilon=0.0}",
          "float32[1x1x4] {-1, 1, -1, 1}");
}
