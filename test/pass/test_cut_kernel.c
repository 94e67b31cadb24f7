#include "pass/pass_test.h"

#define PASS "cut_kernel"
#define X "graph (%x: float32[1x2x5x6]) -> (%y) {\n"
#define W " %w = const float32[3x2x3x3] random(seed=1)\n"

TEST(taps_that_meet_padding_only_go) {
    CHECK_REWRITE(PASS,
                  X " %w = const float32[1x2x3x1] {1, 2, 3, 4, 5, 6}\n"
                    " %y = Conv (%x, %w) {pads=[5, 0, 5, 0], dilations=[5, 1], kernel_shape=[3, 1]}\n}",
                  X " %w.1 = const float32[1x2x1x1] {2, 5}\n %y = Conv (%x, %w.1) {pads=[0, 0, 0, 0], dilations=[5, 1]}\n}");
    // The left column meets the last pixel still.
    CHECK_REWRITE(PASS,
                  X " %w = const float32[1x2x1x3] {1, 2, 3, 4, 5, 6}\n"
                    " %y = Conv (%x, %w) {pads=[0, 5, 0, 7], dilations=[1, 6]}\n}",
                  X " %w.1 = const float32[1x2x1x2] {1, 2, 4, 5}\n"
                    " %y = Conv (%x, %w.1) {pads=[0, 5, 0, 1], dilations=[1, 6]}\n}");
    CHECK_SAME_BITS(PASS, X W " %y = Conv (%x, %w) {pads=[9, 9, 9, 9], dilations=[9, 9]}\n}");
    CHECK_SAME_BITS(PASS, X W " %y = Conv (%x, %w) {pads=[5, 2, 5, 2], dilations=[5, 2], strides=[2, 2]}\n}");
    CHECK_SAME_BITS(PASS, X " %w = const float32[4x1x5x1] random(seed=1)\n"
                            " %y = Conv (%x, %w) {pads=[6, 0, 6, 0], dilations=[3, 1], group=2}\n}");
}

TEST(taps_that_meet_a_pixel_stay) {
    CHECK_KEPT(PASS, X W " %y = Conv (%x, %w) {pads=[4, 5, 4, 5], dilations=[4, 5]}\n}");
    CHECK_KEPT(PASS, X W " %y = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n}");
    CHECK_KEPT(PASS, X W " %y = Conv (%x, %w)\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[1x2xHx6]) -> (%y) {\n" W
                     " %y = Conv (%x, %w) {pads=[9, 9, 9, 9], dilations=[9, 9]}\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[1x2x5x6], %w: float32[3x2x3x3]) -> (%y) {\n"
                     " %y = Conv (%x, %w) {pads=[9, 9, 9, 9], dilations=[9, 9]}\n}");
}
