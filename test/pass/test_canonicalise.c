#include "pass/pass_test.h"

#define PASS "canonicalise"

TEST(windows_are_spelt_out) {
    CHECK_REWRITE(PASS,
                  "graph (%x: float32[1x1x5x5]) -> (%y) {\n %w = const float32[1x1x3x2] {1, 2, 3, 4, 5, 6}\n"
                  " %y = Conv (%x, %w) {auto_pad=\"SAME_UPPER\"}\n}",
                  "graph (%x: float32[1x1x5x5]) -> (%y) {\n %w = const float32[1x1x3x2] {1, 2, 3, 4, 5, 6}\n"
                  " %y = Conv (%x, %w) {kernel_shape=[3, 2], strides=[1, 1], dilations=[1, 1], pads=[1, 0, 1, 1]}\n}");
    CHECK_REWRITE(PASS,
                  "graph (%x: float32[1x1x5x5]) -> (%y) {\n"
                  " %y = MaxPool (%x) {kernel_shape=[2, 2], strides=[2, 2], auto_pad=\"SAME_LOWER\", ceil_mode=1}\n}",
                  "graph (%x: float32[1x1x5x5]) -> (%y) {\n"
                  " %y = MaxPool (%x) {kernel_shape=[2, 2], strides=[2, 2], dilations=[1, 1], pads=[1, 1, 0, 0]}\n}");
    CHECK_REWRITE(PASS,
                  "graph (%x: float32[1x1x3x3]) -> (%y) {\n %w = const float32[1x1x3x3] random(seed=1)\n"
                  " %y = ConvTranspose (%x, %w) {strides=[2, 2], output_shape=[6, 7]}\n}",
                  "graph (%x: float32[1x1x3x3]) -> (%y) {\n %w = const float32[1x1x3x3] random(seed=1)\n"
                  " %y = ConvTranspose (%x, %w) {strides=[2, 2], kernel_shape=[3, 3], dilations=[1, 1], "
                  "pads=[1, 0, 0, 0], output_padding=[0, 0]}\n}");
    CHECK_REWRITE(PASS, // a free batch
                  "graph (%x: float32[Nx1x4]) -> (%y) {\n %y = MaxPool (%x) {kernel_shape=[2], strides=[2]}\n}",
                  "graph (%x: float32[Nx1x4]) -> (%y) {\n"
                  " %y = MaxPool (%x) {kernel_shape=[2], strides=[2], dilations=[1], pads=[0, 0]} : float32[Nx1x2]\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[1x1xHxW]) -> (%y) {\n %w = const float32[1x1x1x2] {1, 2}\n"
                     " %y = Conv (%x, %w) {auto_pad=\"SAME_UPPER\", strides=[2, 2]}\n}");
    CHECK_SAME_BITS(PASS, "graph (%x: float32[1x2x7x9]) -> (%y, %z) {\n %w = const float32[2x3x3x2] random(seed=1)\n"
                          " %y = AveragePool (%x) {kernel_shape=[3, 2], strides=[3, 2], auto_pad=\"SAME_UPPER\"}\n"
                          " %z = ConvTranspose (%x, %w) {strides=[2, 2], auto_pad=\"SAME_LOWER\"}\n}");
}

TEST(constants_stand_right) {
    CHECK_REWRITE(PASS, "graph (%x: float32[2]) -> (%y) {\n %c = const float32[2] {1, 2}\n %y = Add (%c, %x)\n}",
                  "graph (%x: float32[2]) -> (%y) {\n %c = const float32[2] {1, 2}\n %y = Add (%x, %c)\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[2]) -> (%y) {\n %c = const float32[2] {1, 2}\n %y = Sub (%c, %x)\n}");
}

TEST(shapes_are_told_by_reshape) {
    CHECK_REWRITE(
        PASS, "graph (%x: float32[2x3x1x5]) -> (%y) {\n %y = Flatten (%x)\n}",
        "graph (%x: float32[2x3x1x5]) -> (%y) {\n %y.1 = const int64[2] {2, 15}\n %y = Reshape (%x, %y.1)\n}");
    CHECK_REWRITE(PASS, "graph (%x: float32[2x1x5]) -> (%y) {\n %a = const int64[1] {1}\n %y = Squeeze (%x, %a)\n}",
                  "graph (%x: float32[2x1x5]) -> (%y) {\n %y.1 = const int64[2] {2, 5}\n %y = Reshape (%x, %y.1)\n}");
    CHECK_REWRITE(PASS, "graph (%x: float32[Nx3x1]) -> (%y) {\n %a = const int64[1] {3}\n %y = Unsqueeze (%x, %a)\n}",
                  "graph (%x: float32[Nx3x1]) -> (%y) {\n %y.1 = const int64[4] {0, 3, 1, 1}\n"
                  " %y = Reshape (%x, %y.1) : float32[Nx3x1x1]\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[AxBxCxD]) -> (%y) {\n %y = Flatten (%x) {axis=2}\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[2x6]) -> (%y) {\n %s = const int64[3] {2, 3, 2}\n %y = Reshape (%x, %s)\n}");
}

TEST(gathers_of_even_steps_are_slices) {
    CHECK_REWRITE(PASS,
                  "graph (%x: float32[2x3x5]) -> (%y) {\n %i = const int64[] {-2}\n %y = Gather (%x, %i) {axis=1}\n}",
                  "graph (%x: float32[2x3x5]) -> (%y) {\n %y.1 = const int64[1] {1}\n %y.2 = const int64[1] {2}\n"
                  " %y.3 = const int64[1] {1}\n %y.4 = const int64[1] {1}\n %y.6 = const int64[2] {2, 5}\n"
                  " %y.5 = Slice (%x, %y.1, %y.2, %y.3, %y.4)\n %y = Reshape (%y.5, %y.6)\n}");
    CHECK_REWRITE(PASS, "graph (%x: float32[9xN]) -> (%y) {\n %i = const int64[3] {1, -5, 7}\n %y = Gather (%x, %i)\n}",
                  "graph (%x: float32[9xN]) -> (%y) {\n %y.1 = const int64[1] {1}\n %y.2 = const int64[1] {8}\n"
                  " %y.3 = const int64[1] {0}\n %y.4 = const int64[1] {3}\n"
                  " %y = Slice (%x, %y.1, %y.2, %y.3, %y.4)\n}");
    CHECK_SAME_BITS(PASS, "graph (%x: float32[2x7x5]) -> (%y, %z) {\n %i = const int64[2x2] {0, 2, 4, 6}\n"
                          " %j = const int32[1] {-1}\n %y = Gather (%x, %i) {axis=1}\n"
                          " %z = Gather (%x, %j) {axis=-1}\n}");
    // Uneven, backwards, the same element twice, computed; numbers of a shape; a size that is not known.
    CHECK_KEPT(PASS, "graph (%x: float32[9], %k: int64[1]) -> (%y, %z, %u, %v) {\n %i = const int64[3] {1, 2, 4}\n"
                     " %j = const int64[2] {2, 1}\n %l = const int64[2] {3, 3}\n %y = Gather (%x, %i)\n"
                     " %z = Gather (%x, %j)\n %u = Gather (%x, %k)\n %v = Gather (%x, %l)\n}");
    CHECK_KEPT(PASS, "graph (%x: int64[3]) -> (%y) {\n %i = const int64[1] {0}\n %y = Gather (%x, %i)\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[N]) -> (%y) {\n %i = const int64[1] {0}\n %y = Gather (%x, %i)\n}");
}

TEST(means_over_space_are_global_pooling) {
    CHECK_REWRITE(PASS,
                  "graph (%x: float32[1x2x3x4]) -> (%y, %z) {\n %a = const int64[2] {-1, 2}\n"
                  " %y = ReduceMean (%x, %a)\n %z = ReduceMax (%x, %a)\n}",
                  "graph (%x: float32[1x2x3x4]) -> (%y, %z) {\n"
                  " %y = GlobalAveragePool (%x)\n %z = GlobalMaxPool (%x)\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[1x2x3x4]) -> (%y, %z) {\n %a = const int64[2] {1, 2}\n"
                     " %b = const int64[2] {2, 3}\n %y = ReduceMean (%x, %a)\n"
                     " %z = ReduceMean (%x, %b) {keepdims=0}\n}");
}

TEST(ranges_are_relu_or_clip) {
    CHECK_REWRITE(PASS,
                  "graph (%x: float32[2]) -> (%a, %b, %c, %d, %e) {\n"
                  " %0 = const float32[] {0}\n %6 = const float32[] {6}\n %i = const float32[] {inf}\n"
                  " %a = Max (%0, %x)\n %b = Clip (%x, %0)\n %c = Clip (%x, %0, %i)\n %d = Min (%x, %6)\n"
                  " %e = Clip (%x, %0, %6)\n}",
                  "graph (%x: float32[2]) -> (%a, %b, %c, %d, %e) {\n"
                  " %0 = const float32[] {0}\n %6 = const float32[] {6}\n"
                  " %a = Relu (%x)\n %b = Relu (%x)\n %c = Relu (%x)\n %d = Clip (%x, _, %6)\n"
                  " %e = Clip (%x, %0, %6)\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[2], %z: float32[2]) -> (%a, %b) {\n %c = const float32[2] {0, 1}\n"
                     " %a = Max (%x, %z)\n %b = Max (%x, %c)\n}");
    CHECK_KEPT(PASS, "graph (%x: int32[2]) -> (%a) {\n %0 = const int32[] {0}\n %a = Clip (%x, %0)\n}");
}
