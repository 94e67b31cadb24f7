#include "pass/pass_test.h"

#define PASS "algebra"
#define X "graph (%x: float32[2x3]) -> (%y) {\n"

TEST(ranges_meet) {
    CHECK_REWRITE(PASS, X " %a = Relu (%x)\n %y = Relu (%a)\n}", X " %y = Relu (%x)\n}");
    CHECK_REWRITE(PASS, X " %a = Sigmoid (%x)\n %b = Relu (%a)\n %y = Exp (%b)\n}",
                  X " %a = Sigmoid (%x)\n %y = Exp (%a)\n}");
    CHECK_REWRITE(PASS, X " %6 = const float32[] {6}\n %a = Relu (%x)\n %y = Clip (%a, _, %6)\n}",
                  X " %6 = const float32[] {6}\n %low = const float32[] {0}\n %y = Clip (%x, %low, %6)\n}");
    CHECK_SAME_BITS(PASS, X " %p = const float32[] {-0.5}\n %q = const float32[] {0.3}\n %a = Clip (%x, %p)\n"
                            " %b = Clip (%a, _, %q)\n %c = Relu (%b)\n %y = Clip (%c, %p, %q)\n}");
    CHECK_KEPT(PASS, X " %p = const float32[] {2}\n %q = const float32[] {1}\n %a = Clip (%x, %p)\n"
                       " %y = Clip (%a, _, %q)\n}"); // they don't meet
}

TEST(applied_twice) {
    CHECK_REWRITE(PASS, X " %a = Floor (%x)\n %b = Floor (%a)\n %y = Exp (%b)\n}",
                  X " %a = Floor (%x)\n %y = Exp (%a)\n}");
    CHECK_REWRITE(PASS, X " %a = Neg (%x)\n %b = Neg (%a)\n %y = Exp (%b)\n}", X " %y = Exp (%x)\n}");
    CHECK_KEPT(PASS, X " %a = Neg (%x)\n %y = Neg (%a)\n}"); // the output is not the input
}

TEST(constants_meet) {
    CHECK_REWRITE(PASS,
                  X " %a = const float32[3] {1, 2, 3}\n %b = const float32[] {4}\n %p = Mul (%x, %a)\n"
                    " %y = Mul (%p, %b)\n}",
                  X " %b.1 = const float32[3] {4, 8, 12}\n %y = Mul (%x, %b.1)\n}");
    CHECK_REWRITE(PASS, X " %a = const float32[] {8}\n %p = Sub (%x, %a)\n %y = Div (%p, %a)\n}",
                  X " %a.1 = const float32[] {-8}\n %a.2 = const float32[] {0.125}\n %p = Add (%x, %a.1)\n"
                    " %y = Mul (%p, %a.2)\n}");
    CHECK_KEPT(PASS, X " %a = const float32[] {12582912}\n %b = const float32[] {-12582912}\n %p = Add (%x, %a)\n"
                       " %y = Add (%p, %b)\n}"); // rounds to integers, on purpose
    CHECK_KEPT(PASS, X " %a = const float32[] {1e30}\n %p = Mul (%x, %a)\n %y = Mul (%p, %a)\n}");
    CHECK_KEPT(PASS, X " %a = const float32[] {1e-30}\n %p = Mul (%x, %a)\n %y = Mul (%p, %a)\n}");
    CHECK_KEPT(PASS, X " %a = const float32[] {3}\n %y = Div (%x, %a)\n}");
    CHECK_KEPT(PASS, X " %a = const float32[3] {1, 2, 3}\n %b = const float32[2x1] {1, 2}\n %p = Mul (%x, %a)\n"
                       " %y = Mul (%p, %b)\n}");
    CHECK_KEPT(PASS, X " %a = const float32[] {2}\n %p = Mul (%x, %a)\n %q = Mul (%p, %a)\n %y = Add (%p, %q)\n}");
}

TEST(squares) {
    CHECK_SAME_BITS(PASS, X " %2 = const float32[] {2}\n %y = Pow (%x, %2)\n}");
    CHECK_KEPT(PASS, X " %3 = const float32[] {3}\n %y = Pow (%x, %3)\n}");
}

TEST(data_that_stays) {
    CHECK_REWRITE(PASS,
                  "graph (%x: float32[2x6]) -> (%y) {\n %a = const int64[3] {2, 2, 3}\n %b = const int64[2] {4, 3}\n"
                  " %p = Reshape (%x, %a)\n %y = Reshape (%p, %b)\n}",
                  "graph (%x: float32[2x6]) -> (%y) {\n %b = const int64[2] {4, 3}\n %y = Reshape (%x, %b)\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[2x6]) -> (%y) {\n %a = const int64[2] {3, 4}\n %b = const int64[3] {0, 2, 2}\n"
                     " %p = Reshape (%x, %a)\n %y = Reshape (%p, %b)\n}");
    CHECK_REWRITE(PASS, "graph (%x: float32[2x3x1x1]) -> (%y) {\n %y = Transpose (%x) {perm=[0, 2, 3, 1]}\n}",
                  "graph (%x: float32[2x3x1x1]) -> (%y) {\n %y.1 = const int64[4] {2, 1, 1, 3}\n"
                  " %y = Reshape (%x, %y.1)\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[2x3x2x1]) -> (%y) {\n %y = Transpose (%x) {perm=[0, 2, 3, 1]}\n}");
}

TEST(concatenations_meet) {
    CHECK_REWRITE(PASS,
                  "graph (%x: float32[2x3]) -> (%y) {\n %a = Exp (%x)\n %p = Concat (%x, %a) {axis=1}\n"
                  " %y = Concat (%a, %p) {axis=-1}\n}",
                  "graph (%x: float32[2x3]) -> (%y) {\n %a = Exp (%x)\n %y = Concat (%a, %x, %a) {axis=1}\n}");
    CHECK_KEPT(PASS,
               "graph (%x: float32[2x2]) -> (%y) {\n %p = Concat (%x, %x) {axis=0}\n %q = Concat (%x, %x) {axis=0}\n"
               " %y = Concat (%q, %p) {axis=1}\n}");
}

TEST(functions_go_before_a_reshape_of_a_convolution) {
#define CONV                                                                                                           \
    "graph (%x: float32[1x2x3x4]) -> (%y) {\n %w = const float32[2x2x1x1] {1, 2, 3, 4}\n"                              \
    " %s = const int64[3] {1, 2, -1}\n %a = Conv (%x, %w)\n"
    CHECK_REWRITE(PASS, CONV " %r = Reshape (%a, %s)\n %y = LeakyRelu (%r) {alpha=0.5}\n}",
                  CONV " %y.1 = LeakyRelu (%a) {alpha=0.5}\n %y = Reshape (%y.1, %s)\n}");
    CHECK_SAME_BITS(PASS, CONV " %r = Reshape (%a, %s)\n %g = Gelu (%r)\n %y = Exp (%g)\n}");
    // Somebody else reads the convolution, or what is reshaped; there is no convolution.
    CHECK_KEPT(PASS, CONV " %r = Reshape (%a, %s)\n %f = Relu (%r)\n %g = Reshape (%a, %s)\n %y = Add (%f, %g)\n}");
    CHECK_KEPT(PASS, CONV " %r = Reshape (%a, %s)\n %f = Relu (%r)\n %y = Add (%f, %r)\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[4x6]) -> (%y) {\n %s = const int64[3] {1, 2, -1}\n"
                     " %r = Reshape (%x, %s)\n %y = Relu (%r)\n}");
}
