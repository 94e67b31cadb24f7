#include "tensor/tensor.h"
#include "test.h"

TEST(table) {
    CHECK_INT(dtype_size(DT_NONE), 0);
    CHECK_TEXT(dtype_name(DT_NONE), "none");
    CHECK_TEXT(dtype_name(DT_F32), "float32");
    for (int dtype = DT_NONE + 1; dtype < DT_COUNT; dtype++) {
        CHECK_INT(dtype_from_name(dtype_name((DType)dtype)), dtype);
        CHECK(dtype_size((DType)dtype) > 0);
        CHECK_INT(dtype_is_float((DType)dtype) + dtype_is_integer((DType)dtype), dtype != DT_BOOL);
    }
    CHECK_INT(dtype_from_name("float128"), DT_NONE);
    CHECK(dtype_is_float(DT_BF16) && dtype_is_integer(DT_U64) && !dtype_is_integer(DT_BOOL) && !dtype_is_float(DT_I8));
}

// Every half, against the definition; back again unchanged.
TEST(all_halves) {
    for (int bits = 0; bits < 65536; bits++) {
        int exponent = bits >> 10 & 31, fraction = bits & 1023;
        double wanted = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
        if (exponent == 31) wanted = fraction ? NAN : INFINITY;
        if (bits & 0x8000) wanted = -wanted;
        float value = f16_to_f32((uint16_t)bits);
        bool is_right = isnan(wanted) ? isnan(value) : (double)value == wanted && !signbit(value) == !signbit(wanted);
        CHECK_MSG(is_right, "%04x gives %g", bits, (double)value);
        if (isnan(wanted)) CHECK(isnan(f16_to_f32(f32_to_f16(value))));
        else CHECK_MSG(f32_to_f16(value) == bits, "%04x comes back as %04x", bits, f32_to_f16(value));
    }
}

// Between two neighbours: the nearer one, the even one from the middle, on both sides of every step.
TEST(halves_round_to_nearest_even) {
    for (int bits = 0; bits < 0x7c00; bits++) {
        double low = (double)f16_to_f32((uint16_t)bits);
        double high = bits == 0x7bff ? 65536 : (double)f16_to_f32((uint16_t)(bits + 1));
        float middle = (float)((low + high) / 2); // exact in a float
        int even = bits & 1 ? bits + 1 : bits;
        bool is_right = f32_to_f16(middle) == even && f32_to_f16(nextafterf(middle, 0)) == bits &&
                        f32_to_f16(nextafterf(middle, INFINITY)) == bits + 1 && f32_to_f16(-middle) == (even | 0x8000);
        CHECK_MSG(is_right, "above %04x", bits);
    }
    CHECK_INT(f32_to_f16(INFINITY), 0x7c00);
    CHECK_INT(f32_to_f16(1e10f), 0x7c00);
    CHECK_INT(f32_to_f16(-0.f), 0x8000);
    CHECK_INT(f32_to_f16(1e-40f), 0);
}

TEST(bfloats) {
    for (int bits = 0; bits < 65536; bits++) {
        float value = bf16_to_f32((uint16_t)bits);
        if (isnan(value)) CHECK(isnan(bf16_to_f32(f32_to_bf16(value))));
        else CHECK_INT(f32_to_bf16(value), bits);
    }
    CHECK_INT(f32_to_bf16(1.f), 0x3f80);
    CHECK_INT(f32_to_bf16(1 + 0x1p-8f), 0x3f80);     // the middle: to even
    CHECK_INT(f32_to_bf16(1 + 3 * 0x1p-8f), 0x3f82); // the middle: to even, upwards
    CHECK_INT(f32_to_bf16(1 + 0x1p-8f + 0x1p-20f), 0x3f81);
    CHECK_INT(f32_to_bf16(3.4e38f), 0x7f80);
    uint32_t quiet_in_low_bits = 0x7f800001;
    float value;
    memcpy(&value, &quiet_in_low_bits, 4);
    CHECK(isnan(bf16_to_f32(f32_to_bf16(value))));
}
