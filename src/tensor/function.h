// Elementwise functions: the words that problems and kernels share.
#pragma once

// Elementwise functions of one value. Formulas as in graph/ops.def; alpha and beta as there (CLIP: min, max).
#define FUNCTION_MAP(X)                                                                                        \
    X(FN_NONE, "none") X(FN_RELU, "relu") X(FN_LEAKY_RELU, "leaky_relu") X(FN_CLIP, "clip") X(FN_SIGMOID, "sigmoid") \
    X(FN_TANH, "tanh") X(FN_SWISH, "swish") X(FN_HARD_SIGMOID, "hard_sigmoid") X(FN_HARD_SWISH, "hard_swish")  \
    X(FN_ELU, "elu") X(FN_SELU, "selu") X(FN_GELU, "gelu") X(FN_GELU_TANH, "gelu_tanh") X(FN_MISH, "mish")      \
    X(FN_SOFTPLUS, "softplus") X(FN_SOFTSIGN, "softsign") X(FN_EXP, "exp") X(FN_LOG, "log") X(FN_SQRT, "sqrt")  \
    X(FN_ABS, "abs") X(FN_NEG, "neg") X(FN_ERF, "erf") X(FN_FLOOR, "floor") X(FN_CEIL, "ceil")                  \
    X(FN_ROUND, "round") X(FN_RECIPROCAL, "reciprocal")
typedef enum Function {
#define FUNCTION_ENUM(id, name) id,
    FUNCTION_MAP(FUNCTION_ENUM)
#undef FUNCTION_ENUM
        FN_COUNT
} Function;
const char *function_name(Function function);
typedef enum Binary { BINARY_ADD, BINARY_SUB, BINARY_MUL, BINARY_DIV, BINARY_MIN, BINARY_MAX, BINARY_PRELU } Binary;
// Elementwise conditions: bool is a byte, any but 0 is true, 1 is written. A comparison with NaN is false.
typedef enum Logic {
    // float32, float32 -> bool
    LOGIC_EQUAL,
    LOGIC_LESS,
    LOGIC_LESS_OR_EQUAL,
    // bool, bool -> bool; NOT has one input
    LOGIC_AND,
    LOGIC_OR,
    LOGIC_XOR,
    LOGIC_NOT,
    LOGIC_WHERE,   // bool, float32 if true, float32 if not -> float32
    LOGIC_TO_FLOAT // bool -> float32: 1 or 0
} Logic;
typedef struct Activation {
    Function function;
    float alpha, beta;
} Activation;
