// Elementwise ops. Expected values by hand, or by formula with a pocket calculator's digits; all agree with ONNX
// Runtime 1.31.
#include "gives.h"

#define X4 "%x = const float32[4] {-2, -0.5, 0, 3} "

TEST(piecewise_linear) {
    GIVES(X4 "%y = Relu (%x)", "float32[4] {0, 0, 0, 3}");
    GIVES("%x = const int32[3] {-7, 0, 7} %y = Relu (%x)", "int32[3] {0, 0, 7}");
    GIVES("%x = const float32[3] {0.5, -0.25, 1} %y = Relu (%x)", "float32[3] {0.5, 0, 1}");
    GIVES(X4 "%y = LeakyRelu (%x)", "float32[4] {-0.02, -0.005, 0, 3}");
    GIVES(X4 "%y = LeakyRelu (%x) {alpha=0.25}", "float32[4] {-0.5, -0.125, 0, 3}");
    GIVES(X4 "%y = HardSigmoid (%x)", "float32[4] {0.1, 0.4, 0.5, 1}");
    GIVES(X4 "%y = HardSigmoid (%x) {alpha=0.5, beta=0.25}", "float32[4] {0, 0, 0.25, 1}");
    GIVES(X4 "%y = HardSwish (%x)", "float32[4] {-0.33333333, -0.20833333, 0, 3}");
    GIVES(X4 "%y = Abs (%x)", "float32[4] {2, 0.5, 0, 3}");
    GIVES(X4 "%y = Neg (%x)", "float32[4] {2, 0.5, 0, -3}");
    GIVES("%x = const int8[3] {-128, -1, 127} %y = Neg (%x)", "int8[3] {-128, 1, -127}");
    GIVES("%x = const int64[2] {-9223372036854775807, 5} %y = Abs (%x)", "int64[2] {9223372036854775807, 5}");
}

TEST(smooth) {
    GIVES(X4 "%y = Sigmoid (%x)", "float32[4] {0.11920292, 0.37754067, 0.5, 0.95257413}");
    GIVES(X4 "%y = Tanh (%x)", "float32[4] {-0.96402758, -0.46211716, 0, 0.99505475}");
    GIVES(X4 "%y = Elu (%x) {alpha=2.0}", "float32[4] {-1.72932943, -0.78693868, 0, 3}");
    GIVES(X4 "%y = Selu (%x)", "float32[4] {-1.52016647, -0.69175819, 0, 3.15210295}");
    GIVES("%x = const float32[2] {0.5, 1} %y = Selu (%x) {alpha=2.0, gamma=3.0}", "float32[2] {1.5, 3}");
    GIVES(X4 "%y = Swish (%x)", "float32[4] {-0.23840584, -0.18877033, 0, 2.85772238}");
    GIVES(X4 "%y = Swish (%x) {alpha=2.0}", "float32[4] {-0.03597242, -0.13447071, 0, 2.99258213}");
    GIVES(X4 "%y = Gelu (%x)", "float32[4] {-0.04550026, -0.15426877, 0, 2.99595031}");
    GIVES(X4 "%y = Gelu (%x) {approximate=\"tanh\"}", "float32[4] {-0.04540231, -0.15428599, 0, 2.99636260}");
    GIVES(X4 "%y = Mish (%x)", "float32[4] {-0.25250148, -0.22074378, 0, 2.98653500}");
    GIVES(X4 "%y = Softplus (%x)", "float32[4] {0.12692801, 0.47407698, 0.69314718, 3.04858735}");
    GIVES(X4 "%y = Softsign (%x)", "float32[4] {-0.66666667, -0.33333333, 0, 0.75}");
    GIVES(X4 "%y = Exp (%x)", "float32[4] {0.13533528, 0.60653066, 1, 20.08553692}");
    GIVES(X4 "%y = Erf (%x)", "float32[4] {-0.99532227, -0.52049988, 0, 0.99997791}");
    GIVES("%x = const float32[3] {1, 2, 10} %y = Log (%x)", "float32[3] {0, 0.69314718, 2.30258509}");
    GIVES("%x = const float32[3] {0, 2, 9} %y = Sqrt (%x)", "float32[3] {0, 1.41421356, 3}");
    GIVES("%x = const float32[3] {-4, 0.5, 3} %y = Reciprocal (%x)", "float32[3] {-0.25, 2, 0.33333333}");
}

TEST(rounding) {
    GIVES("%x = const float32[9] {-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.6, -2.4, 7} %y = Round (%x)",
          "float32[9] {-2, -2, 0, 0, 2, 2, 3, -2, 7}");
    GIVES("%x = const float32[4] {-1.5, -0.2, 0.2, 2} %y = Floor (%x)", "float32[4] {-2, -1, 0, 2}");
    GIVES("%x = const float32[4] {-1.5, nan, 0, 2} %y = Sign (%x)", "float32[4] {-1, nan, 0, 1}");
    GIVES("%x = const int32[3] {-7, 0, 5} %y = Sign (%x)", "int32[3] {-1, 0, 1}");
    GIVES("%x = const uint8[3] {0, 1, 255} %y = Sign (%x)", "uint8[3] {0, 1, 1}");
    GIVES("%x = const uint64[2] {0, 18446744073709551615} %y = Sign (%x)", "uint64[2] {0, 1}");
    GIVES("%x = const uint64[2] {0, 18446744073709551615} %y = Abs (%x)", "uint64[2] {0, 18446744073709551615}");
    GIVES("%x = const float32[3] {0, 1.5707964, -2} %y = Sin (%x)", "float32[3] {0, 1, -0.90929743}");
    GIVES("%x = const float32[3] {0, 3.1415927, -2} %y = Cos (%x)", "float32[3] {1, -1, -0.41614684}");
    GIVES("%x = const float32[4] {-1.5, -0.2, 0.2, 2} %y = Ceil (%x)", "float32[4] {-1, 0, 1, 2}");
}

// What ONNX Runtime gives for numbers that are none.
TEST(not_finite) {
    const char *const x = "%x = const float32[3] {nan, inf, -inf} ";
    static const struct {
        const char *node, *expected;
    } cases[] = {
        {"%y = Relu (%x)", "float32[3] {nan, inf, 0}"},
        {"%y = Sigmoid (%x)", "float32[3] {nan, 1, 0}"},
        {"%y = Tanh (%x)", "float32[3] {nan, 1, -1}"},
        {"%y = Softplus (%x)", "float32[3] {nan, inf, 0}"},
        {"%y = HardSigmoid (%x)", "float32[3] {nan, 1, 0}"},
        {"%y = Elu (%x)", "float32[3] {nan, inf, -1}"},
        {"%y = Round (%x)", "float32[3] {nan, inf, -inf}"},
        {"%y = Reciprocal (%x)", "float32[3] {nan, 0, 0}"},
        {"%y = Log (%x)", "float32[3] {nan, inf, nan}"},
        {"%a = const float32[1] {1} %y = Max (%x, %a)", "float32[3] {nan, inf, 1}"},
        {"%a = const float32[1] {1} %y = Max (%a, %x)", "float32[3] {nan, inf, 1}"},
        {"%a = const float32[1] {1} %y = Min (%a, %x)", "float32[3] {nan, 1, -inf}"},
        {"%a = const float32[] {-1} %b = const float32[] {1} %y = Clip (%x, %a, %b)", "float32[3] {nan, 1, -1}"},
        {"%y = Equal (%x, %x)", "bool[3] {0, 1, 1}"},
        {"%a = const float32[] {0} %y = Less (%a, %x)", "bool[3] {0, 1, 0}"},
        {"%y = Cast (%x) {to=\"bool\"}", "bool[3] {1, 1, 1}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) GIVES_AFTER(x, cases[i].node, cases[i].expected);
}

TEST(clip) {
    GIVES(X4 "%a = const float32[] {-1} %b = const float32[] {2} %y = Clip (%x, %a, %b)",
          "float32[4] {-1, -0.5, 0, 2}");
    GIVES(X4 "%a = const float32[] {0} %y = Clip (%x, %a)", "float32[4] {0, 0, 0, 3}");
    GIVES(X4 "%b = const float32[] {0} %y = Clip (%x, _, %b)", "float32[4] {-2, -0.5, 0, 0}");
    GIVES(X4 "%a = const float32[] {2} %b = const float32[] {1} %y = Clip (%x, %a, %b)", "float32[4] {1, 1, 1, 1}");
    GIVES("%x = const uint8[3] {0, 9, 255} %a = const uint8[] {5} %b = const uint8[] {200} %y = Clip (%x, %a, %b)",
          "uint8[3] {5, 9, 200}");
    GIVES_NARROW("%x = const float32[2] {inf, -inf} %y = Clip (%x)", "float32[2] {3.40282347e38, -3.40282347e38}");
}

TEST(cast) {
    GIVES("%x = const float32[5] {-1.9, -0.5, 0.5, 1.9, 300} %y = Cast (%x) {to=\"int32\"}",
          "int32[5] {-1, 0, 0, 1, 300}");
    GIVES("%x = const float32[3] {300, -1, 255.9} %y = Cast (%x) {to=\"uint8\"}", "uint8[3] {44, 255, 255}");
    GIVES("%x = const float32[2] {nan, 1e20} %y = Cast (%x) {to=\"int32\"}", "int32[2] {-2147483648, -2147483648}");
    GIVES("%x = const int64[3] {-1, 0, 256} %y = Cast (%x) {to=\"uint8\"}", "uint8[3] {255, 0, 0}");
    GIVES("%x = const float32[3] {0, -0.1, 2} %y = Cast (%x) {to=\"bool\"}", "bool[3] {0, 1, 1}");
    GIVES("%x = const int64[3] {0, -1, 256} %y = Cast (%x) {to=\"bool\"}", "bool[3] {0, 1, 1}");
    GIVES("%x = const bool[2] {0, 1} %y = Cast (%x) {to=\"float32\"}", "float32[2] {0, 1}");
    GIVES("%x = const uint64[1] {18446744073709551615} %y = Cast (%x) {to=\"float32\"}",
          "float32[1] {1.8446744073709552e19}");
    // One rounding, not two: over double this would be 0x1.000002p60.
    GIVES_NARROW("%x = const int64[1] {1152921573326323713} %y = Cast (%x) {to=\"float32\"}",
                 "float32[1] {1152921642045800448}");
    GIVES_NARROW("%x = const float32[3] {1.0009765, 65520, 1e-8} %a = Cast (%x) {to=\"float16\"} "
                 "%y = Cast (%a) {to=\"float32\"}",
                 "float32[3] {1.0009766, inf, 0}");
    GIVES_NARROW("%x = const float32[2] {1.00390625, 3.14159} %a = Cast (%x) {to=\"bfloat16\"} "
                 "%y = Cast (%a) {to=\"float32\"}",
                 "float32[2] {1, 3.140625}");
}

TEST(arithmetic_broadcasts) {
    const char *const ab = "%a = const float32[2x1] {1, 10} %b = const float32[3] {1, 2, 4} ";
    static const struct {
        const char *node, *expected;
    } cases[] = {
        {"%y = Add (%a, %b)", "float32[2x3] {2, 3, 5, 11, 12, 14}"},
        {"%y = Sub (%a, %b)", "float32[2x3] {0, -1, -3, 9, 8, 6}"},
        {"%y = Mul (%a, %b)", "float32[2x3] {1, 2, 4, 10, 20, 40}"},
        {"%y = Div (%a, %b)", "float32[2x3] {1, 0.5, 0.25, 10, 5, 2.5}"},
        {"%y = Pow (%a, %b)", "float32[2x3] {1, 1, 1, 10, 100, 10000}"},
        {"%y = Min (%a, %b)", "float32[2x3] {1, 1, 1, 1, 2, 4}"},
        {"%y = Max (%a, %b)", "float32[2x3] {1, 2, 4, 10, 10, 10}"},
        {"%y = Equal (%a, %b)", "bool[2x3] {1, 0, 0, 0, 0, 0}"},
        {"%y = Less (%a, %b)", "bool[2x3] {0, 1, 1, 0, 0, 0}"},
        {"%y = LessOrEqual (%a, %b)", "bool[2x3] {1, 1, 1, 0, 0, 0}"},
        {"%y = Greater (%a, %b)", "bool[2x3] {0, 0, 0, 1, 1, 1}"},
        {"%y = GreaterOrEqual (%a, %b)", "bool[2x3] {1, 0, 0, 1, 1, 1}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) GIVES_AFTER(ab, cases[i].node, cases[i].expected);
    GIVES("%a = const float32[2x2] {1, 2, 3, 4} %b = const float32[2] {2, 2} %c = const float32[1] {3.5} "
          "%y = Max (%a, %b, %c)",
          "float32[2x2] {3.5, 3.5, 3.5, 4}");
}

TEST(integers_are_exact) {
    GIVES("%a = const int64[1] {9007199254740993} %b = const int64[1] {2} %y = Add (%a, %b)",
          "int64[1] {9007199254740995}");
    GIVES("%a = const int64[1] {9007199254740993} %b = const int64[1] {9007199254740992} %y = Greater (%a, %b)",
          "bool[1] {1}");
    GIVES("%a = const uint8[2] {250, 3} %b = const uint8[2] {10, 5} %y = Add (%a, %b)", "uint8[2] {4, 8}");
    GIVES("%a = const uint8[2] {250, 3} %b = const uint8[2] {10, 5} %y = Sub (%a, %b)", "uint8[2] {240, 254}");
    GIVES("%a = const uint64[2] {18446744073709551615, 1} %b = const uint64[1] {2} %y = Div (%a, %b)",
          "uint64[2] {9223372036854775807, 0}");
    GIVES("%a = const uint64[1] {18446744073709551615} %b = const uint64[1] {2} %y = Less (%a, %b)", "bool[1] {0}");
    GIVES("%a = const int32[4] {7, -7, 7, -7} %b = const int32[4] {2, 2, -2, -2} %y = Div (%a, %b)",
          "int32[4] {3, -3, -3, 3}");
    GIVES("%a = const int32[4] {7, -7, 7, -7} %b = const int32[4] {3, 3, -3, -3} %y = Mod (%a, %b)",
          "int32[4] {1, 2, -2, -1}");
    GIVES("%a = const int32[4] {7, -7, 7, -7} %b = const int32[4] {3, 3, -3, -3} %y = Mod (%a, %b) {fmod=1}",
          "int32[4] {1, -1, 1, -1}");
    GIVES("%a = const float32[2] {5.5, -5.5} %b = const float32[] {2} %y = Mod (%a, %b) {fmod=1}",
          "float32[2] {1.5, -1.5}");
    GIVES("%a = const int64[3] {3, -2, 2} %b = const int64[3] {4, 3, -1} %y = Pow (%a, %b)", "int64[3] {81, -8, 0}");
    GIVES("%a = const int32[2] {2, 9} %b = const float32[2] {3, 0.5} %y = Pow (%a, %b)", "int32[2] {8, 3}");
    GIVES("%a = const float32[2] {2, 9} %b = const int64[2] {3, -1} %y = Pow (%a, %b)", "float32[2] {8, 0.11111111}");
    REFUSES("%a = const int32[2] {1, 2} %b = const int32[2] {1, 0} %y = Div (%a, %b)", ST_BAD, "division by zero");
    REFUSES("%a = const int32[2] {1, 2} %b = const int32[] {0} %y = Mod (%a, %b)", ST_BAD, "division by zero");
}

TEST(integer_extremes) {
    GIVES("%a = const int64[1] {-9223372036854775807} %b = const int64[1] {-1} %c = Add (%a, %b) %y = Div (%c, %b)",
          "int64[1] {-9223372036854775808}");
    GIVES("%a = const int32[2] {-2147483648, 7} %b = const int32[] {-1} %y = Div (%a, %b)",
          "int32[2] {-2147483648, -7}");
    GIVES("%a = const uint64[2] {18446744073709551615, 4} %b = const uint64[] {3} %y = Mod (%a, %b)",
          "uint64[2] {0, 1}");
    GIVES("%a = const int32[2] {3, 2} %b = const uint64[] {4} %y = Pow (%a, %b)", "int32[2] {81, 16}");
    GIVES("%a = const int32[4] {1, -1, -1, 5} %b = const int32[4] {-2, -2, -3, -1} %y = Pow (%a, %b)",
          "int32[4] {1, 1, -1, 0}");
    GIVES("%x = const float32[3] {9223372036854775808, -9223372036854775808, nan} %y = Cast (%x) {to=\"int64\"}",
          "int64[3] {-9223372036854775808, -9223372036854775808, -9223372036854775808}");
    GIVES("%x = const float32[3] {4294967040, 4e9, 1} %y = Cast (%x) {to=\"uint32\"}",
          "uint32[3] {4294967040, 4000000000, 1}");
    GIVES("%x = const float32[2] {1e19, 3e9} %y = Cast (%x) {to=\"uint64\"}",
          "uint64[2] {9999999980506447872, 3000000000}");
    GIVES("%x = const float32[2] {2147483520, -2147483648} %y = Cast (%x) {to=\"int32\"}",
          "int32[2] {2147483520, -2147483648}");
}

TEST(logic) {
    const char *const ab = "%a = const bool[2x1] {0, 1} %b = const bool[2] {0, 1} ";
    static const struct {
        const char *node, *expected;
    } cases[] = {{"%y = And (%a, %b)", "bool[2x2] {0, 0, 0, 1}"},
                 {"%y = Or (%a, %b)", "bool[2x2] {0, 1, 1, 1}"},
                 {"%y = Xor (%a, %b)", "bool[2x2] {0, 1, 1, 0}"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) GIVES_AFTER(ab, cases[i].node, cases[i].expected);
    GIVES("%a = const bool[2] {0, 1} %y = Not (%a)", "bool[2] {1, 0}");
    GIVES("%c = const bool[2x1] {1, 0} %a = const int64[2] {1, 2} %b = const int64[1] {9} %y = Where (%c, %a, %b)",
          "int64[2x2] {1, 2, 9, 9}");
}

TEST(slopes_and_identities) {
    GIVES("%x = const float32[1x2x2] {-1, 2, -3, -4} %s = const float32[2x1] {0.5, 2} %y = PRelu (%x, %s)",
          "float32[1x2x2] {-0.5, 2, -6, -8}");
    GIVES("%x = const float32[2] {0.5, -0.5} %s = const float32[1] {4} %y = PRelu (%x, %s)", "float32[2] {0.5, -2}");
    GIVES(X4 "%y = Identity (%x)", "float32[4] {-2, -0.5, 0, 3}");
    GIVES(X4 "%y, %m = Dropout (%x)", "float32[4] {-2, -0.5, 0, 3}");
    GIVES_VALUE(X4 "%y, %m = Dropout (%x)", "m", "bool[4] {1, 1, 1, 1}");
}
