// Reductions, softmax, selections.
#include "gives.h"

#define X23 "%x = const float32[2x3] {1, -2, 3, 4, 5, -6} "

TEST(reduce_one_axis) {
    static const struct {
        const char *node, *expected;
    } cases[] = {
        {"%y = ReduceSum (%x, %a)", "float32[2x1] {2, 3}"},
        {"%y = ReduceMean (%x, %a)", "float32[2x1] {0.66666667, 1}"},
        {"%y = ReduceMax (%x, %a)", "float32[2x1] {3, 5}"},
        {"%y = ReduceMin (%x, %a)", "float32[2x1] {-2, -6}"},
        {"%y = ReduceProd (%x, %a)", "float32[2x1] {-6, -120}"},
        {"%y = ReduceL1 (%x, %a)", "float32[2x1] {6, 15}"},
        {"%y = ReduceL2 (%x, %a)", "float32[2x1] {3.74165739, 8.77496439}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        GIVES_AFTER(X23 "%a = const int64[1] {-1}", cases[i].node, cases[i].expected);
}

TEST(reduce_axes) {
    GIVES(X23 "%a = const int64[1] {0} %y = ReduceSum (%x, %a) {keepdims=0}", "float32[3] {5, 3, -3}");
    GIVES(X23 "%y = ReduceSum (%x)", "float32[1x1] {5}");
    GIVES(X23 "%y = ReduceSum (%x) {keepdims=0}", "float32[] {5}");
    GIVES(X23 "%a = const int64[0] {} %y = ReduceSum (%x, %a) {keepdims=0}", "float32[] {5}");
    GIVES(X23 "%y = ReduceSum (%x) {noop_with_empty_axes=1}", "float32[2x3] {1, -2, 3, 4, 5, -6}");
    GIVES("%x = const float32[2x2x2] {1, 2, 3, 4, 5, 6, 7, 8} %a = const int64[2] {0, 2} "
          "%y = ReduceSum (%x, %a) {keepdims=0}",
          "float32[2] {14, 22}");
    GIVES("%x = const int64[3] {9007199254740993, 2, 2} %y = ReduceSum (%x)", "int64[1] {9007199254740997}");
    GIVES("%x = const int32[3] {-3, -2, -2} %y = ReduceMean (%x)", "int32[1] {-2}");
    GIVES("%x = const uint8[3] {7, 200, 3} %y = ReduceMax (%x)", "uint8[1] {200}");
    GIVES("%x = const int8[3] {-7, 20, 3} %y = ReduceMin (%x)", "int8[1] {-7}");
    GIVES("%x = const float32[0] {} %y = ReduceMax (%x)", "float32[1] {-inf}");
    GIVES("%x = const float32[0] {} %y = ReduceProd (%x)", "float32[1] {1}");
}

TEST(reduce_bools) {
    const char *const x = "%x = const bool[2x2] {1, 0, 0, 0} %a = const int64[1] {1} ";
    GIVES_AFTER(x, "%y = ReduceMax (%x, %a) {keepdims=0}", "bool[2] {1, 0}");
    GIVES_AFTER(x, "%y = ReduceMin (%x) {keepdims=0}", "bool[] {0}");
    GIVES("%x = const bool[2] {1, 1} %y = ReduceMin (%x)", "bool[1] {1}");
    GIVES("%x = const bool[0] {} %y = ReduceMin (%x)", "bool[1] {1}");
}

TEST(reduce_integers) {
    const char *const x = "%x = const int32[2x2] {5, -3, -8, 6} %a = const int64[1] {1} ";
    static const struct {
        const char *node, *expected;
    } cases[] = {
        {"%y = ReduceSum (%x, %a)", "int32[2x1] {2, -2}"},     {"%y = ReduceMean (%x, %a)", "int32[2x1] {1, -1}"},
        {"%y = ReduceMax (%x, %a)", "int32[2x1] {5, 6}"},      {"%y = ReduceMin (%x, %a)", "int32[2x1] {-3, -8}"},
        {"%y = ReduceProd (%x, %a)", "int32[2x1] {-15, -48}"}, {"%y = ReduceL1 (%x, %a)", "int32[2x1] {8, 14}"},
        {"%y = ReduceL2 (%x, %a)", "int32[2x1] {5, 10}"},      {"%y = ArgMax (%x)", "int64[1x2] {0, 1}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) GIVES_AFTER(x, cases[i].node, cases[i].expected);
    GIVES("%x = const int32[2] {2000000000, 1999999999} %y = ReduceMin (%x)", "int32[1] {1999999999}");
    GIVES("%x = const int16[2] {-30000, -30001} %y = ReduceMax (%x)", "int16[1] {-30000}");
    GIVES("%x = const uint64[2] {18446744073709551614, 18446744073709551615} %y = ReduceMin (%x)",
          "uint64[1] {18446744073709551614}");
    GIVES("%x = const int64[3] {4, 7, 7} %y = ArgMax (%x)", "int64[1] {1}");
    GIVES("%x = const int64[3] {4, 7, 7} %y = ArgMax (%x) {select_last_index=1}", "int64[1] {2}");
}

// Sums are kept in double: in float32 the ones would be lost.
TEST(reduce_accumulates_in_double) {
    GIVES("%x = const float32[4] {16777216, 1, 1, -16777216} %y = ReduceSum (%x)", "float32[1] {2}");
}

TEST(cum_sum) {
    const char *const x = X23 "%a = const int64[] {1} ";
    GIVES_AFTER(x, "%y = CumSum (%x, %a)", "float32[2x3] {1, -1, 2, 4, 9, 3}");
    GIVES_AFTER(x, "%y = CumSum (%x, %a) {exclusive=1}", "float32[2x3] {0, 1, -1, 0, 4, 9}");
    GIVES_AFTER(x, "%y = CumSum (%x, %a) {reverse=1}", "float32[2x3] {2, 1, 3, 3, -1, -6}");
    GIVES_AFTER(x, "%y = CumSum (%x, %a) {exclusive=1, reverse=1}", "float32[2x3] {1, 3, 0, -1, -6, 0}");
    GIVES(X23 "%a = const int32[1] {-2} %y = CumSum (%x, %a)", "float32[2x3] {1, -2, 3, 5, 3, -3}");
    GIVES("%x = const int64[3] {9007199254740993, 2, 2} %a = const int64[] {0} %y = CumSum (%x, %a)",
          "int64[3] {9007199254740993, 9007199254740995, 9007199254740997}");
    GIVES("%x = const int32[2] {2147483647, 1} %a = const int64[] {0} %y = CumSum (%x, %a)",
          "int32[2] {2147483647, -2147483648}");
    GIVES("%x = const float32[2x0x3] {} %a = const int64[] {1} %y = CumSum (%x, %a)", "float32[2x0x3] {}");
    GIVES_NARROW("%x = const float32[4] {16777216, 1, 1, 2} %a = const int64[] {0} %y = CumSum (%x, %a)",
                 "float32[4] {16777216, 16777216, 16777218, 16777220}"); // the sum itself is kept in double
}

TEST(arg_max) {
    const char *const tie = "%x = const float32[2x3] {1, 3, 3, 5, 2, 5} ";
    GIVES_AFTER(tie, "%y = ArgMax (%x) {axis=1}", "int64[2x1] {1, 0}");
    GIVES_AFTER(tie, "%y = ArgMax (%x) {axis=-1, keepdims=0, select_last_index=1}", "int64[2] {2, 2}");
    GIVES_AFTER(tie, "%y = ArgMax (%x)", "int64[1x3] {1, 0, 1}");
    GIVES("%x = const uint64[2] {1, 18446744073709551615} %y = ArgMax (%x)", "int64[1] {1}");
    GIVES_AFTER(tie, "%y = ArgMin (%x)", "int64[1x3] {0, 1, 0}");
    GIVES("%x = const float32[4] {3, 1, 1, 2} %y = ArgMin (%x)", "int64[1] {1}");
    GIVES("%x = const float32[4] {3, 1, 1, 2} %y = ArgMin (%x) {select_last_index=1}", "int64[1] {2}");
}

TEST(softmax) {
    GIVES("%x = const float32[1x3] {0, 1, 2} %y = Softmax (%x)", "float32[1x3] {0.09003057, 0.24472847, 0.66524096}");
    GIVES("%x = const float32[1x3] {1000, 1001, 1002} %y = Softmax (%x)",
          "float32[1x3] {0.09003057, 0.24472847, 0.66524096}");
    GIVES("%x = const float32[2x2] {0, 5, 0, 5} %y = Softmax (%x) {axis=0}", "float32[2x2] {0.5, 0.5, 0.5, 0.5}");
    GIVES("%x = const float32[2x2x2] {0, 9, 0, 9, 5, 5, 1005, 5} %y = Softmax (%x) {axis=1}",
          "float32[2x2x2] {0.5, 0.5, 0.5, 0.5, 0, 0.5, 1, 0.5}");
    GIVES("%x = const float32[3x1] {4, 5, 6} %y = Softmax (%x)", "float32[3x1] {1, 1, 1}");
    GIVES("%x = const float32[1x3] {0, 1, 2} %y = LogSoftmax (%x)",
          "float32[1x3] {-2.40760596, -1.40760596, -0.40760596}");
    GIVES("%x = const float32[1x2] {-1000, 1000} %y = LogSoftmax (%x)", "float32[1x2] {-2000, 0}");
}

TEST(top_k) {
    const char *const x = "%x = const float32[2x4] {1, 4, 4, 2, 8, -1, 8, 8} %k = const int64[1] {3} ";
    static const struct {
        const char *node, *value, *expected;
    } cases[] = {
        {"%v, %i = TopK (%x, %k)", "v", "float32[2x3] {4, 4, 2, 8, 8, 8}"},
        {"%v, %i = TopK (%x, %k)", "i", "int64[2x3] {1, 2, 3, 0, 2, 3}"},
        {"%v, %i = TopK (%x, %k) {largest=0}", "v", "float32[2x3] {1, 2, 4, -1, 8, 8}"},
        {"%v, %i = TopK (%x, %k) {largest=0}", "i", "int64[2x3] {0, 3, 1, 1, 0, 2}"},
        {"%one = const int64[1] {1} %v, %i = TopK (%x, %one) {axis=0}", "i", "int64[1x4] {1, 0, 1, 1}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_gives(__FILE__, __LINE__, x, cases[i].node, cases[i].value, cases[i].expected, 0, true);
    GIVES_VALUE("%x = const int64[4] {9007199254740993, -5, 9007199254740992, 3} %k = const int64[1] {4} "
                "%v, %i = TopK (%x, %k)",
                "i", "int64[4] {0, 2, 3, 1}");
    GIVES_VALUE("%x = const uint64[3] {2, 18446744073709551615, 9} %k = const int64[1] {2} %v, %i = TopK (%x, %k)", "i",
                "int64[2] {1, 2}");
}
