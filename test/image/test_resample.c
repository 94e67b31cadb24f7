// Resizing, framing, planes.
#include "image/resample.h"
#include "test.h"

static void check_floats(const float *got, const float *expected, int count, float tolerance, const char *what) {
    for (int i = 0; i < count; i++) {
        CHECK_MSG(fabsf(got[i] - expected[i]) <= tolerance, "%s: [%d] got %g, expected %g", what, i, got[i],
                  expected[i]);
    }
}

// One row of n to one of m, by hand from (x + 0.5) * n / m - 0.5.
TEST(bilinear_rows_by_hand) {
    float out[8];
    resize_bilinear((const float[]){0, 1}, 1, 2, out, 1, 4);
    check_floats(out, (const float[]){0, 0.25f, 0.75f, 1}, 4, 0, "2 to 4");
    resize_bilinear((const float[]){0, 1, 2, 3}, 1, 4, out, 1, 2);
    check_floats(out, (const float[]){0.5f, 2.5f}, 2, 0, "4 to 2");
    resize_bilinear((const float[]){0, 10, 20}, 1, 3, out, 1, 2);
    check_floats(out, (const float[]){2.5f, 17.5f}, 2, 0, "3 to 2");
    resize_bilinear((const float[]){0, 8, 0, 8, 0, 8, 0, 8}, 1, 8, out, 1, 2); // no smoothing: two samples only
    check_floats(out, (const float[]){4, 4}, 2, 0, "8 to 2");
    resize_bilinear((const float[]){7}, 1, 1, out, 2, 4);
    check_floats(out, (const float[]){7, 7, 7, 7, 7, 7, 7, 7}, 8, 0, "1 to 8");
}

// Rows and columns are told apart, and one pass after the other is the same as both.
TEST(bilinear_plane_is_rows_then_columns) {
    static float in[5 * 7], wide[5 * 11], expected[3 * 11], got[3 * 11], column[5], shrunk[3];
    for (int i = 0; i < 5 * 7; i++) in[i] = (float)((i * 37) % 23);
    for (int y = 0; y < 5; y++) resize_bilinear(in + 7 * y, 1, 7, wide + 11 * y, 1, 11);
    for (int x = 0; x < 11; x++) {
        for (int y = 0; y < 5; y++) column[y] = wide[11 * y + x];
        resize_bilinear(column, 1, 5, shrunk, 1, 3);
        for (int y = 0; y < 3; y++) expected[11 * y + x] = shrunk[y];
    }
    resize_bilinear(in, 5, 7, got, 3, 11);
    check_floats(got, expected, 3 * 11, 1e-5f, "plane");
}

TEST(bilinear_keeps_a_ramp_and_the_same_size) {
    static float in[16 * 16], out[40 * 40];
    for (int i = 0; i < 256; i++) in[i] = (float)(i % 16) + 0.1f * (float)(i / 16);
    resize_bilinear(in, 16, 16, out, 40, 40);
    for (int y = 1; y < 39; y++) {
        for (int x = 1; x < 39; x++) {
            const double expected = (x + 0.5) * 0.4 - 0.5 + 0.1 * ((y + 0.5) * 0.4 - 0.5);
            CHECK(fabs(out[40 * y + x] - expected) < 1e-5);
        }
    }
    in[5] = NAN;
    resize_bilinear(in, 16, 16, out, 16, 16);
    CHECK(!memcmp(in, out, sizeof in));
}

TEST(frame_pads_crops_and_is_undone) {
    static const int sizes[][4] = {{3, 4, 7, 7}, {7, 7, 3, 4}, {5, 2, 2, 5}, {4, 4, 4, 4}, {1, 1, 6, 3}, {6, 5, 1, 2}};
    float in[64], out[64], back[64];
    for (int i = 0; i < 64; i++) in[i] = (float)(i + 1);
    place_centred((const float[]){1, 2, 3, 4}, 2, 2, out, 3, 5, -1);
    check_floats(out, (const float[]){-1, 1, 2, -1, -1, -1, 3, 4, -1, -1, -1, -1, -1, -1, -1}, 15, 0, "pad");
    place_centred((const float[]){1, 2, 3, 4, 5, 6}, 2, 3, out, 1, 2, -1);
    check_floats(out, (const float[]){1, 2}, 2, 0, "crop");
    for (size_t k = 0; k < COUNT_OF(sizes); k++) {
        const int *s = sizes[k];
        place_centred(in, s[0], s[1], out, s[2], s[3], -1);
        place_centred(out, s[2], s[3], back, s[0], s[1], -1);
        for (int i = 0, kept = 0; i < s[0] * s[1]; i++) {
            CHECK(back[i] == in[i] || back[i] == -1);
            kept += back[i] == in[i];
            if (i == s[0] * s[1] - 1) CHECK_INT(kept, MIN(s[0], s[2]) * MIN(s[1], s[3]));
        }
    }
}

TEST(planes_and_back) {
    const float interleaved[6] = {1, 2, 3, 4, 5, 6};
    float planes[6], again[6];
    planes_from_interleaved(interleaved, 2, 3, planes);
    check_floats(planes, (const float[]){1, 4, 2, 5, 3, 6}, 6, 0, "planes");
    interleaved_from_planes(planes, 2, 3, again);
    check_floats(again, interleaved, 6, 0, "back");
}
