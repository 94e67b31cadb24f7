// Elementwise kernels of every level: the functions' error bounds (kernel/cpu/isa/elementwise.c), their special values,
// tails and broadcast steps.
#include "base/rng.h"
#include "guard.h"
#include "solver/harness.h"

static int levels(Isa *out) {
    Machine machine;
    CHECK_OK(machine_detect(&machine));
    int n = 0;
    for (Isa isa = 0; isa <= machine.best; isa++)
        if (kernels_for(isa)) out[n++] = isa;
    return n;
}

// |error| <= ulp * ulp(expected) + absolute + relative_to_x * |x|
typedef struct Bound {
    Activation activation;
    double ulp, absolute, relative_to_x;
} Bound;
static const Bound bounds[] = {
    {{FN_NONE, 0, 0}, 0, 0, 0},
    {{FN_RELU, 0, 0}, 0, 0, 0},
    {{FN_LEAKY_RELU, 0.1f, 0}, 0.5, 0, 0},
    {{FN_CLIP, -1.5f, 3}, 0, 0, 0},
    {{FN_SIGMOID, 0, 0}, 4, 2e-38, 0},
    {{FN_TANH, 0, 0}, 4, 0, 0},
    {{FN_SWISH, 1, 0}, 4, 0, 2e-38},
    {{FN_HARD_SIGMOID, 0.2f, 0.5f}, 0.5, 6e-8, 0},
    {{FN_HARD_SWISH, 0, 0}, 1, 0, 1e-7},
    {{FN_ELU, 1.5f, 0}, 4, 0, 0},
    {{FN_SELU, 1.67326319f, 1.05070102f}, 4, 0, 0},
    {{FN_GELU, 0, 0}, 1, 0, 1.5e-7},
    {{FN_GELU_TANH, 0, 0}, 1, 0, 4e-7},
    {{FN_MISH, 0, 0}, 5, 0, 2e-38},
    {{FN_SOFTPLUS, 0, 0}, 3, 2e-38, 0},
    {{FN_SOFTSIGN, 0, 0}, 2, 0, 0},
    {{FN_EXP, 0, 0}, 2, 0, 0},
    {{FN_LOG, 0, 0}, 2, 0, 0},
    {{FN_SQRT, 0, 0}, 0.5, 0, 0},
    {{FN_ABS, 0, 0}, 0, 0, 0},
    {{FN_NEG, 0, 0}, 0, 0, 0},
    {{FN_ERF, 0, 0}, 3, 0, 0},
    {{FN_FLOOR, 0, 0}, 0, 0, 0},
    {{FN_CEIL, 0, 0}, 0, 0, 0},
    {{FN_ROUND, 0, 0}, 0, 0, 0},
    {{FN_RECIPROCAL, 0, 0}, 0.5, 0, 0},
};

// The distance of floats at |x|.
static double ulp_at(double x) {
    int exponent;
    x = fabs(x);
    if (x < 0x1p-126) return 0x1p-149;
    frexp(x, &exponent);
    return ldexp(1, exponent - 24);
}
// Error as a part of the bound; 0 where the values agree as NaN, infinity or float.
static double badness(const Bound *bound, float x, float actual) {
    const double expected = harness_function(bound->activation, x);
    if (isnan(expected)) return isnan(actual) ? 0 : INFINITY;
    if (actual == (float)expected) return 0;
    if (isnan(actual)) return INFINITY;
    // Between the largest float and where it rounds to infinity either may come out.
    const double limited = fmax(fmin(expected, 0x1p128), -0x1p128);
    const double limited_actual = fmax(fmin((double)actual, 0x1p128), -0x1p128);
    const double limit = (bound->ulp + 1e-6) * ulp_at(expected) + bound->absolute + bound->relative_to_x * fabs(x);
    return fabs(limited_actual - limited) / limit;
}
static void check_values(const Kernels *kernels, const Bound *bound, const float *x, int64_t count) {
    float *y = mem_alloc((size_t)count * sizeof *y);
    REQUIRE(y);
    kernels->unary(bound->activation, x, y, count);
    double worst = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < count; i++) {
        const double bad = badness(bound, x[i], y[i]);
        if (bad > worst) worst = bad, at = i;
    }
    CHECK_MSG(worst <= 1, "%s, %s(%.9g): got %.9g, expected %.9g, %.3g times the bound", isa_name(kernels->isa),
              function_name(bound->activation.function), x[at], y[at], harness_function(bound->activation, x[at]),
              worst);
    mem_free(y);
}
// Bit patterns all over the floats, and evenly spaced values where functions bend.
static float *sweep(int64_t *count) {
    enum { PATTERNS = 1 << 16, DENSE = 1 << 17 };
    const int step = test_long() ? 16 : 1;
    *count = (int64_t)(PATTERNS + 2 * DENSE) * step;
    float *x = mem_alloc((size_t)*count * sizeof *x);
    REQUIRE(x);
    int64_t n = 0;
    for (int64_t i = 0; i < (int64_t)PATTERNS * step; i++) {
        const uint32_t bits = (uint32_t)(i * (65521 / step) * 1LL + i % 7);
        memcpy(&x[n++], &bits, sizeof bits);
    }
    for (int64_t i = 0; i < (int64_t)DENSE * step; i++) x[n++] = (float)((double)i / (DENSE * step) * 24 - 12);
    for (int64_t i = 0; i < (int64_t)DENSE * step; i++) x[n++] = (float)((double)i / (DENSE * step) * 220 - 110);
    return x;
}

TEST(elementwise_error_bounds) {
    Isa isas[ISA_COUNT];
    const int n = levels(isas);
    int64_t count;
    float *x = sweep(&count);
    CHECK_INT(COUNT_OF(bounds), FN_COUNT);
    for (int i = 0; i < n; i++)
        for (size_t b = 0; b < COUNT_OF(bounds); b++) check_values(kernels_for(isas[i]), &bounds[b], x, count);
    mem_free(x);
}
TEST(elementwise_special_values) {
    static const float special[] = {
        0.0f,       -0.0f,         INFINITY,       -INFINITY, NAN,         -NAN,        0x1p-149f,  -0x1p-149f,
        0x1p-126f,  3.4028235e38f, -3.4028235e38f, 88.72283f, 88.72284f,   -103.97208f, -103.9721f, -87.4f,
        0.5f,       1.5f,          2.5f,           -0.5f,     -1.5f,       -0.3f,       -0.7f,      8388607.5f,
        8388609.0f, -8388607.5f,   1.0f,           -1.0f,     0.41421357f, 5.0f,        7.07107f,   -7.0711f};
    Isa isas[ISA_COUNT];
    const int n = levels(isas);
    for (int i = 0; i < n; i++)
        for (size_t b = 0; b < COUNT_OF(bounds); b++)
            check_values(kernels_for(isas[i]), &bounds[b], special, COUNT_OF(special));
    // The sign of zero.
    for (int i = 0; i < n; i++) {
        const float x[] = {-0.0f, -0.3f, -0.5f};
        float y[3];
        kernels_for(isas[i])->unary((Activation){FN_CEIL, 0, 0}, x, y, 3);
        CHECK(signbit(y[0]) && signbit(y[1]) && signbit(y[2]));
        kernels_for(isas[i])->unary((Activation){FN_ROUND, 0, 0}, x, y, 3);
        CHECK(signbit(y[0]) && signbit(y[1]) && signbit(y[2]));
        kernels_for(isas[i])->unary((Activation){FN_TANH, 0, 0}, x, y, 1);
        CHECK(signbit(y[0]));
    }
}
// Every length up to a few vectors; a value's result must not depend on where it stands; nothing beyond is written.
TEST(elementwise_tails) {
    enum { MOST = 53 };
    Isa isas[ISA_COUNT];
    const int n = levels(isas);
    const float *x = harness_normal(MOST, 1);
    float *guarded[2]; // in and out; what is used are the last floats
    for (int k = 0; k < 2; k++)
        guarded[k] = guard_alloc(k ? "out" : "in", MOST * sizeof(float), sizeof(float), GUARD_END);
    for (int i = 0; i < n; i++)
        for (Function f = 0; f < FN_COUNT; f++) {
            const Activation activation = {f, 0.25f, 0.5f};
            const Kernels *kernels = kernels_for(isas[i]);
            float whole[MOST];
            kernels->unary(activation, x, whole, MOST);
            for (int count = 0; count <= MOST; count++)
                for (int from = 0; from + count <= MOST; from += 3) {
                    float *in = guarded[0] + MOST - count, *part = guarded[1] + MOST - count;
                    memcpy(in, x + from, (size_t)count * sizeof(float));
                    if (count < MOST) part[-1] = 77;
                    kernels->unary(activation, in, part, count);
                    CHECK(!memcmp(part, whole + from, (size_t)count * sizeof(float)));
                    CHECK(count == MOST || part[-1] == 77);
                }
        }
}

static double binary_of(Binary binary, double a, double b) {
    switch (binary) {
    case BINARY_ADD: return a + b;
    case BINARY_SUB: return a - b;
    case BINARY_MUL: return a * b;
    case BINARY_DIV: return a / b;
    case BINARY_MIN: return isnan(a) || isnan(b) ? NAN : fmin(a, b);
    case BINARY_MAX: return isnan(a) || isnan(b) ? NAN : fmax(a, b);
    case BINARY_PRELU: return a < 0 ? a * b : a;
    }
    return 0;
}
static void check_binary(Isa isa, Binary binary, double a, double b, float actual) {
    const float expected = (float)binary_of(binary, a, b); // exact or rounded once: so is the kernel's
    CHECK_MSG(actual == expected || (isnan(actual) && isnan(expected)), "%s, operation %d of %g and %g: got %g",
              isa_name(isa), (int)binary, a, b, actual);
}
TEST(elementwise_binary) {
    enum { MOST = 41 };
    Isa isas[ISA_COUNT];
    const int n = levels(isas);
    float *a = harness_normal(MOST, 2), *b = harness_normal(MOST, 3);
    float *ends[3]; // of a, b and out
    for (int k = 0; k < 3; k++)
        ends[k] = (float *)guard_alloc("operand", MOST * sizeof(float), sizeof(float), GUARD_END) + MOST;
    a[0] = NAN, b[1] = NAN, a[2] = INFINITY, b[3] = 0, a[17] = -0.0f, b[40] = NAN;
    for (int i = 0; i < n; i++)
        for (Binary binary = BINARY_ADD; binary <= BINARY_PRELU; binary++)
            for (int count = 0; count <= MOST; count++)
                for (int steps = 0; steps < 4; steps++) {
                    const int a_step = steps & 1, b_step = steps >> 1,
                              shift = count % 5; // a scalar that is not NaN too
                    const int64_t most = MIN(count, MOST - shift);
                    const int64_t a_count = a_step ? most : 1, b_count = b_step ? most : 1;
                    float *left = ends[0] - a_count, *right = ends[1] - b_count, *out = ends[2] - most;
                    memcpy(left, a + shift, (size_t)a_count * sizeof(float));
                    memcpy(right, b + shift, (size_t)b_count * sizeof(float));
                    kernels_for(isas[i])->binary(binary, left, a_step, right, b_step, out, most);
                    for (int64_t k = 0; k < most; k++)
                        check_binary(isas[i], binary, a[shift + k * a_step], b[shift + k * b_step], out[k]);
                }
}
TEST(elementwise_binary_pixels) {
    enum { PIXELS = 5, LANES = 16 };
    Isa isas[ISA_COUNT];
    const int n = levels(isas);
    const float *a = harness_normal(PIXELS * LANES, 4), *b = harness_normal(PIXELS * LANES, 5);
    for (int i = 0; i < n; i++)
        for (Binary binary = BINARY_ADD; binary <= BINARY_PRELU; binary++)
            for (int form = 0; form < 16; form++) {
                const Kernels *kernels = kernels_for(isas[i]);
                const int lanes = kernels->lanes;
                const PixelOperand left = {a, form & 1 ? lanes : 0, (form & 2) != 0};
                const PixelOperand right = {b, form & 4 ? lanes : 0, (form & 8) != 0};
                float out[PIXELS * LANES];
                kernels->binary_pixels(binary, left, right, out, PIXELS);
                for (int p = 0; p < PIXELS; p++)
                    for (int lane = 0; lane < lanes; lane++)
                        check_binary(isas[i], binary, a[p * left.step + (left.splat ? 0 : lane)],
                                     b[p * right.step + (right.splat ? 0 : lane)], out[p * lanes + lane]);
            }
}
