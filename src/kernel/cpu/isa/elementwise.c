// Elementwise kernels (kernel.h: unary, binary, binary_pixels, affine). A value's result depends on the value only, not
// on where it stands: tails go through the same vector code.
//
// Error of the functions (formulas: graph/ops.def), in ulp of the result unless said otherwise:
//     exp 2, log 2, sigmoid 4, tanh 4, erf 3, softplus 3, softsign 2, elu and selu 4, mish 5, swish 4 (alpha 1),
//     gelu 1.5e-7 |x| absolute, gelu_tanh 4e-7 |x| absolute; the others are exact or rounded once an operation.
// exp(t) inside of sigmoid, swish, softplus and mish is 0 below t = -87 (absolute error 2e-38).
#include "kernel/cpu/isa/isa.h"
#include "kernel/cpu/isa/vector_math.h"

INLINE vf clip(vf low, vf high, vf x) { return vmin(high, vmax(low, x)); }

// x tanh(log(1 + e)) = x (e^2 + 2 e) / (e^2 + 2 e + 2), e = exp(x); the quotient is 1 from 20 on.
INLINE vf mish(vf x) {
    vf e = vexp_normal(vmin(vset1(20), x)), n = e * (e + vset1(2));
    return x * (n / (n + vset1(2)));
}
INLINE vf softplus(vf x) { return vmax(vzero(), x) + vlog1p_unit(vexp_normal(-vabs(x))); }
INLINE vf gelu(vf x) {
    vf tail = normal_tail(x);
    return x * vselect(x < vzero(), tail, vset1(1) - tail);
}
// x/2 (1 + tanh(u)) = x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3)
INLINE vf gelu_tanh(vf x) {
    return x * vsigmoid(vset1(1.5957691f) * vfma(vset1(0.044715f) * x * x, x, x));
}
INLINE vf elu(vf alpha, vf x) { return vselect(x < vzero(), alpha * vexpm1_negative(vmin(vzero(), x)), x); }

// Constant `function`: the switch is gone after inlining.
INLINE vf apply(const Function function, vf alpha, vf beta, vf x) {
    const vf one = vset1(1);
    switch (function) {
    case FN_RELU: return vmax(vzero(), x);
    case FN_LEAKY_RELU: return vselect(x < vzero(), alpha * x, x);
    case FN_CLIP: return clip(alpha, beta, x);
    case FN_SIGMOID: return vsigmoid(x);
    case FN_TANH: return vtanh(x);
    case FN_SWISH: return x * vsigmoid(alpha * x);
    case FN_HARD_SIGMOID: return clip(vzero(), one, vfma(alpha, x, beta));
    case FN_HARD_SWISH: return x * clip(vzero(), one, vfma(vset1(1 / 6.f), x, vset1(0.5f)));
    case FN_ELU: return elu(alpha, x);
    case FN_SELU: return beta * elu(alpha, x);
    case FN_GELU: return gelu(x);
    case FN_GELU_TANH: return gelu_tanh(x);
    case FN_MISH: return mish(x);
    case FN_SOFTPLUS: return softplus(x);
    case FN_SOFTSIGN: return x / (vabs(x) + one);
    case FN_EXP: return vexp(x);
    case FN_LOG: return vlog(x);
    case FN_SQRT: return vsqrt(x);
    case FN_ABS: return vabs(x);
    case FN_NEG: return -x;
    case FN_ERF: return verf(x);
    case FN_FLOOR: return vfloor(x);
    case FN_CEIL: return vceil(x);
    case FN_ROUND: return vround(x);
    case FN_RECIPROCAL: return one / x;
    default: return x;
    }
}
INLINE void unary_loop(const Function function, float alpha_value, float beta_value, const float *in, float *out,
                       int64_t count) {
    const vf alpha = vset1(alpha_value), beta = vset1(beta_value);
    int64_t i = 0;
    for (; i + VL <= count; i += VL) vstore(out + i, apply(function, alpha, beta, vload(in + i)));
    if (i < count) vstore_part(out + i, apply(function, alpha, beta, vload_part(in + i, count - i)), count - i);
}
void KERNEL(unary)(Activation activation, const float *in, float *out, int64_t count) {
    switch (activation.function) {
#define UNARY_CASE(id, name) \
    case id: unary_loop(id, activation.alpha, activation.beta, in, out, count); break;
        FUNCTION_MAP(UNARY_CASE)
    case FN_COUNT: break;
    }
}

INLINE vf combine(const Binary binary, vf a, vf b) {
    switch (binary) {
    case BINARY_ADD: return a + b;
    case BINARY_SUB: return a - b;
    case BINARY_MUL: return a * b;
    case BINARY_DIV: return a / b;
    case BINARY_MIN: return vselect(a != a, a, vmin(a, b)); // NaN on either side wins
    case BINARY_MAX: return vselect(a != a, a, vmax(a, b));
    case BINARY_PRELU: return vselect(a < vzero(), a * b, a);
    }
    return a;
}
// Calls LOOP with each constant operation.
#define BINARY_SWITCH(binary, LOOP)              \
    switch (binary) {                            \
    case BINARY_ADD: LOOP(BINARY_ADD); break;    \
    case BINARY_SUB: LOOP(BINARY_SUB); break;    \
    case BINARY_MUL: LOOP(BINARY_MUL); break;    \
    case BINARY_DIV: LOOP(BINARY_DIV); break;    \
    case BINARY_MIN: LOOP(BINARY_MIN); break;    \
    case BINARY_MAX: LOOP(BINARY_MAX); break;    \
    case BINARY_PRELU: LOOP(BINARY_PRELU); break; \
    }

INLINE void binary_loop(const Binary binary, const float *a, const bool a_step, const float *b, const bool b_step,
                        float *out, int64_t count) {
    const vf a0 = vset1(*a), b0 = vset1(*b);
    int64_t i = 0;
    for (; i + VL <= count; i += VL)
        vstore(out + i, combine(binary, a_step ? vload(a + i) : a0, b_step ? vload(b + i) : b0));
    if (i == count) return;
    const int64_t rest = count - i;
    vstore_part(out + i,
                combine(binary, a_step ? vload_part(a + i, rest) : a0, b_step ? vload_part(b + i, rest) : b0), rest);
}
static void binary(Binary operation, const float *a, int a_step, const float *b, int b_step, float *out,
                   int64_t count) {
    if (count <= 0) return;
#define BINARY_STEPS(op)                                              \
    do {                                                              \
        if (a_step && b_step) binary_loop(op, a, true, b, true, out, count); \
        else if (a_step) binary_loop(op, a, true, b, false, out, count);     \
        else binary_loop(op, a, false, b, b_step != 0, out, count);          \
    } while (0)
    BINARY_SWITCH(operation, BINARY_STEPS)
}
INLINE void binary_pixels_loop(const Binary binary, PixelOperand a, PixelOperand b, float *out, int64_t pixels) {
    for (int64_t p = 0; p < pixels; p++) {
        const float *at = a.data + p * a.step, *bt = b.data + p * b.step;
        vf left = a.splat ? vset1(*at) : vload(at), right = b.splat ? vset1(*bt) : vload(bt);
        vstore(out + p * VL, combine(binary, left, right));
    }
}
static void binary_pixels(Binary operation, PixelOperand a, PixelOperand b, float *out, int64_t pixels) {
#define BINARY_PIXELS(op) binary_pixels_loop(op, a, b, out, pixels)
    BINARY_SWITCH(operation, BINARY_PIXELS)
}

// Bytes beside floats: loops that the compiler turns into vectors by itself.
#define LOGIC_LOOP(expression)                                                                                         \
    for (int64_t i = 0; i < count; i++) out[i] = (expression)
INLINE void compare_loop(const Logic relation, const float *restrict a, const bool a_step, const float *restrict b,
                         const bool b_step, uint8_t *restrict out, int64_t count) {
#define A a[a_step ? i : 0]
#define B b[b_step ? i : 0]
    if (relation == LOGIC_EQUAL) LOGIC_LOOP(A == B);
    else if (relation == LOGIC_LESS) LOGIC_LOOP(A < B);
    else LOGIC_LOOP(A <= B);
}
INLINE void logic_loop(const Logic op, const uint8_t *restrict a, const bool a_step, const uint8_t *restrict b,
                       const bool b_step, uint8_t *restrict out, int64_t count) {
    if (op == LOGIC_AND) LOGIC_LOOP((A != 0) & (B != 0));
    else if (op == LOGIC_OR) LOGIC_LOOP((A != 0) | (B != 0));
    else if (op == LOGIC_XOR) LOGIC_LOOP((A != 0) ^ (B != 0));
    else LOGIC_LOOP(A == 0);
}
INLINE void choose_loop(const uint8_t *restrict condition, const bool step, const float *restrict a, const bool a_step,
                        const float *restrict b, const bool b_step, float *restrict out, int64_t count) {
    LOGIC_LOOP(condition[step ? i : 0] ? A : B);
#undef A
#undef B
}
// Calls LOOP with each pair of constant steps.
#define WITH_STEPS(LOOP)                                                                                               \
    do {                                                                                                               \
        if (a_step && b_step) LOOP(true, true);                                                                        \
        else if (a_step) LOOP(true, false);                                                                            \
        else if (b_step) LOOP(false, true);                                                                            \
        else LOOP(false, false);                                                                                       \
    } while (0)
static void compare(Logic relation, const float *a, int a_step, const float *b, int b_step, uint8_t *out,
                    int64_t count) {
#define COMPARE_EQUAL(a_is, b_is) compare_loop(LOGIC_EQUAL, a, a_is, b, b_is, out, count)
#define COMPARE_LESS(a_is, b_is) compare_loop(LOGIC_LESS, a, a_is, b, b_is, out, count)
#define COMPARE_LESS_OR_EQUAL(a_is, b_is) compare_loop(LOGIC_LESS_OR_EQUAL, a, a_is, b, b_is, out, count)
    if (relation == LOGIC_EQUAL) WITH_STEPS(COMPARE_EQUAL);
    else if (relation == LOGIC_LESS) WITH_STEPS(COMPARE_LESS);
    else WITH_STEPS(COMPARE_LESS_OR_EQUAL);
}
static void logic(Logic op, const uint8_t *a, int a_step, const uint8_t *b, int b_step, uint8_t *out, int64_t count) {
#define LOGIC_AND_LOOP(a_is, b_is) logic_loop(LOGIC_AND, a, a_is, b, b_is, out, count)
#define LOGIC_OR_LOOP(a_is, b_is) logic_loop(LOGIC_OR, a, a_is, b, b_is, out, count)
#define LOGIC_XOR_LOOP(a_is, b_is) logic_loop(LOGIC_XOR, a, a_is, b, b_is, out, count)
    switch (op) {
    case LOGIC_AND: WITH_STEPS(LOGIC_AND_LOOP); break;
    case LOGIC_OR: WITH_STEPS(LOGIC_OR_LOOP); break;
    case LOGIC_XOR: WITH_STEPS(LOGIC_XOR_LOOP); break;
    default: logic_loop(LOGIC_NOT, a, a_step != 0, a, a_step != 0, out, count);
    }
}
static void choose(const uint8_t *condition, int step, const float *a, int a_step, const float *b, int b_step,
                   float *out, int64_t count) {
#define CHOOSE_ONE(a_is, b_is) choose_loop(condition, false, a, a_is, b, b_is, out, count)
#define CHOOSE(a_is, b_is) choose_loop(condition, true, a, a_is, b, b_is, out, count)
    if (step) WITH_STEPS(CHOOSE);
    else WITH_STEPS(CHOOSE_ONE);
}

INLINE void affine_loop(const Function function, const float *in, vf centre, vf scale, vf shift, Activation activation,
                        float *out, int64_t pixels) {
    const vf alpha = vset1(activation.alpha), beta = vset1(activation.beta);
    for (int64_t p = 0; p < pixels; p++)
        vstore(out + p * VL, apply(function, alpha, beta, vfma(vload(in + p * VL) - centre, scale, shift)));
}
static void affine(const float *in, const float *centre, const float *scale, const float *shift, Activation activation,
                   float *out, int64_t pixels) {
    const vf c = centre ? vload(centre) : vzero(), s = vload(scale), t = vload(shift);
    switch (activation.function) {
    case FN_NONE: affine_loop(FN_NONE, in, c, s, t, activation, out, pixels); break;
    case FN_RELU: affine_loop(FN_RELU, in, c, s, t, activation, out, pixels); break;
    case FN_LEAKY_RELU: affine_loop(FN_LEAKY_RELU, in, c, s, t, activation, out, pixels); break;
    case FN_CLIP: affine_loop(FN_CLIP, in, c, s, t, activation, out, pixels); break;
    default:
        affine_loop(FN_NONE, in, c, s, t, activation, out, pixels);
        KERNEL(unary)(activation, out, out, pixels * VL);
    }
}
void KERNEL(fill_elementwise)(Kernels *kernels) {
    kernels->unary = KERNEL(unary);
    kernels->binary = binary;
    kernels->binary_pixels = binary_pixels;
    kernels->compare = compare, kernels->logic = logic, kernels->choose = choose;
    kernels->affine = affine;
}
