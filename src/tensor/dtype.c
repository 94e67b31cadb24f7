#include "tensor/tensor.h"
#include <string.h>

typedef struct DTypeFacts {
    size_t bytes;
    const char *name;
    bool is_float;
} DTypeFacts;

static const DTypeFacts facts[DT_COUNT] = {[DT_NONE] = {0, "none", false},
#define DTYPE_FACTS(name, bytes, ctype, text, is_float, is_signed) [name] = {bytes, text, is_float},
                                           DTYPE_MAP(DTYPE_FACTS)
#undef DTYPE_FACTS
};

size_t dtype_size(DType dtype) { return facts[dtype].bytes; }

const char *dtype_name(DType dtype) { return facts[dtype].name; }

DType dtype_from_name(const char *name) {
    for (int dtype = DT_NONE + 1; dtype < DT_COUNT; dtype++)
        if (!strcmp(facts[dtype].name, name)) return (DType)dtype;
    return DT_NONE;
}

bool dtype_is_float(DType dtype) { return facts[dtype].is_float; }

bool dtype_is_integer(DType dtype) { return dtype != DT_NONE && dtype != DT_BOOL && !facts[dtype].is_float; }

// ---- 16-bit floats ----

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// half: 1 sign, 5 exponent (bias 15), 10 fraction bits; float: 1, 8 (bias 127), 23.
float f16_to_f32(uint16_t bits) {
    uint32_t sign = (uint32_t)(bits & 0x8000) << 16, exponent = bits >> 10 & 31, fraction = bits & 0x3ff;
    if (exponent == 31) return float_of(sign | 0x7f800000 | fraction << 13);
    if (exponent > 0) return float_of(sign | (exponent + 112) << 23 | fraction << 13);
    float tiny = (float)fraction * 0x1p-24f; // zero or subnormal: exact
    return sign ? -tiny : tiny;
}

// Drops the `dropped` lowest bits, to nearest, ties to even. A carry into the exponent is what it should be.
static uint32_t round_bits(uint32_t bits, int dropped) {
    uint32_t half = 1u << (dropped - 1), is_odd = bits >> dropped & 1;
    return (bits + half - 1 + is_odd) >> dropped;
}

uint16_t f32_to_f16(float value) {
    uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x3ff)); // NaN stays one
    if (magnitude >= 0x47800000) return (uint16_t)(sign | 0x7c00); // 65536 and above; 65520 is rounded there below
    if (magnitude >= 0x38800000) return (uint16_t)(sign | round_bits(magnitude - (112u << 23), 13));
    // Below 2^-14: adding 0.5 aligns the value to units of 2^-24, rounded by the addition itself.
    return (uint16_t)(sign | (bits_of(float_of(magnitude) + 0.5f) - bits_of(0.5f)));
}

float bf16_to_f32(uint16_t bits) { return float_of((uint32_t)bits << 16); }

uint16_t f32_to_bf16(float value) {
    uint32_t bits = bits_of(value);
    if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40); // NaN: rounding could make it inf
    return (uint16_t)round_bits(bits, 16);
}
