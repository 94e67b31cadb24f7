#include "pass/pass_test.h"

#define PASS "merge_pad"
#define X "graph (%x: float32[1x2x5x6]) -> (%y) {\n %w = const float32[3x2x3x3] random(seed=1)\n"
#define PAD " %s = const int64[8] {0, 0, 1, 2, 0, 0, 2, 1}\n %p = Pad (%x, %s)\n"

TEST(zeros_become_pads) {
    CHECK_REWRITE(PASS, X PAD " %y = Conv (%p, %w) {pads=[1, 0, 0, 3], strides=[2, 2]}\n}",
                  X " %y = Conv (%x, %w) {pads=[2, 2, 2, 4], strides=[2, 2]}\n}");
    CHECK_REWRITE(PASS,
                  X " %s = const int64[2] {1, 2}\n %a = const int64[1] {-1}\n %z = const float32[] {0}\n"
                    " %p = Pad (%x, %s, %z, %a)\n %y = Conv (%p, %w) {auto_pad=\"VALID\"}\n}",
                  X " %y = Conv (%x, %w) {pads=[0, 1, 0, 2]}\n}");
    CHECK_SAME_BITS(PASS, X PAD " %y = Conv (%p, %w) {dilations=[2, 2]}\n}");
    CHECK_SAME_BITS(PASS, X PAD " %y = AveragePool (%p) {kernel_shape=[3, 3], strides=[2, 1]}\n}");
    CHECK_SAME_BITS(PASS, "graph (%x: float32[1x2x5x6]) -> (%y) {\n" PAD
                          " %y = AveragePool (%p) {kernel_shape=[4, 4], pads=[1, 1, 1, 1], count_include_pad=1}\n}");
}

TEST(other_pads_stay) {
    CHECK_KEPT(PASS, X " %s = const int64[8] {0, 0, 1, 1, 0, 0, 1, 1}\n %p = Pad (%x, %s) {mode=\"reflect\"}\n"
                       " %y = Conv (%p, %w)\n}");
    CHECK_KEPT(PASS, X " %s = const int64[8] {0, 0, 1, 1, 0, 0, 1, 1}\n %v = const float32[] {1}\n"
                       " %p = Pad (%x, %s, %v)\n %y = Conv (%p, %w)\n}");
    CHECK_KEPT(PASS, X " %s = const int64[8] {0, 0, -1, 1, 0, 0, 1, 1}\n %p = Pad (%x, %s)\n %y = Conv (%p, %w)\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[1x2x5x6]) -> (%y) {\n %w = const float32[3x3x3x3] random(seed=1)\n"
                     " %s = const int64[8] {0, 1, 1, 1, 0, 0, 1, 1}\n %p = Pad (%x, %s)\n %y = Conv (%p, %w)\n}");
    CHECK_KEPT(PASS, X PAD " %y = Conv (%p, %w) {auto_pad=\"SAME_UPPER\"}\n}");
    CHECK_KEPT(PASS, X PAD " %y = MaxPool (%p) {kernel_shape=[3, 3]}\n}");
    CHECK_KEPT(PASS, X PAD " %y = AveragePool (%p) {kernel_shape=[3, 3], pads=[1, 1, 1, 1]}\n}");
    CHECK_KEPT(PASS, X PAD " %y = AveragePool (%p) {kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1}\n}");
    CHECK_KEPT(PASS, X PAD " %y = AveragePool (%p) {kernel_shape=[2, 2]}\n}"); // a window of padding alone
}
