// Overlays: which pixels the line takes, and how the picture is brought to 8 bit.
#include "image/overlay.h"
#include "test.h"

// '#' where the overlay differs from the grey picture of value 40.
static void check_outline(const uint8_t *mask, int height, int width, const char *expected) {
    static uint8_t grey[64 * 64], rgb[64 * 64 * 3];
    char got[64 * 65 + 1];
    memset(grey, 40, sizeof grey);
    CHECK_OK(overlay_draw(grey, SAMPLE_U8, height, width, 1, mask, rgb));
    char *to = got;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            const uint8_t *pixel = rgb + 3 * (y * width + x);
            *to++ = pixel[0] == 40 && pixel[1] == 40 && pixel[2] == 40 ? '.' : '#';
        }
        *to++ = '\n';
    }
    *to = 0;
    CHECK_TEXT(got, expected);
}

TEST(outline_lies_just_inside) {
    static const uint8_t mask[5 * 7] = {0, 0, 0, 0, 0, 0, 1, //
                                        0, 1, 1, 1, 1, 0, 0, //
                                        0, 1, 1, 1, 1, 0, 0, //
                                        0, 1, 1, 1, 1, 0, 0, //
                                        0, 0, 0, 0, 0, 0, 0};
    check_outline(mask, 5, 7, "......#\n.####..\n.#..#..\n.####..\n.......\n");
    static const uint8_t full[4 * 4] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    check_outline(full, 4, 4, "####\n#..#\n#..#\n####\n");
    check_outline((const uint8_t[9]){0}, 3, 3, "...\n...\n...\n");
}

TEST(classes_have_their_own_colours) {
    static const uint8_t mask[8] = {1, 1, 2, 2, 255, 0, 3, 3}, grey[8] = {0};
    uint8_t rgb[24];
    CHECK_OK(overlay_draw(grey, SAMPLE_U8, 1, 8, 1, mask, rgb));
    CHECK(!memcmp(rgb, rgb + 3, 3) && !memcmp(rgb + 6, rgb + 9, 3) && memcmp(rgb, rgb + 6, 3) &&
          memcmp(rgb + 6, rgb + 18, 3));
    CHECK(!memcmp(rgb, rgb + 12, 3)); // 255 is the one class of a binary mask
    CHECK(rgb[15] == 0 && rgb[16] == 0 && rgb[17] == 0);
}

TEST(large_pictures_get_a_line_of_two_pixels) {
    enum { N = 512 };
    uint8_t *mask = mem_zero(N, N), *rgb = mem_alloc(N * N * 3), *grey = mem_zero(N, N);
    REQUIRE(mask && rgb && grey);
    for (int y = 100; y < 200; y++) memset(mask + y * N + 100, 1, 100);
    CHECK_OK(overlay_draw(grey, SAMPLE_U8, N, N, 1, mask, rgb));
    const uint8_t *row = rgb + 3 * 150 * N;
    for (int x = 95; x < 105; x++) CHECK_INT(row[3 * x] > 0, x == 99 || x == 100);
    mem_free(mask);
    mem_free(rgb);
    mem_free(grey);
}

TEST(pictures_are_shown_through_a_window) {
    enum { N = 1000 };
    static uint16_t wide[N];
    static float real[N];
    static uint8_t none[N], rgb[3 * N];
    for (int i = 0; i < N; i++) {
        wide[i] = (uint16_t)(1000 + 2 * i);
        real[i] = (float)i * 0.001f;
    }
    wide[N - 1] = 65535; // one outlier must not make all the rest black
    real[0] = NAN;
    real[1] = INFINITY;
    CHECK_OK(overlay_draw(wide, SAMPLE_U16, 1, N, 1, none, rgb));
    CHECK(rgb[0] == 0 && rgb[3 * (N - 1)] == 255 && rgb[3 * N / 2] > 120 && rgb[3 * N / 2] < 135);
    CHECK_OK(overlay_draw(real, SAMPLE_F32, 1, N, 1, none, rgb));
    CHECK(rgb[0] == 0 && rgb[3] == 0 && rgb[3 * (N - 1)] == 255 && rgb[3 * N / 2] > 120 && rgb[3 * N / 2] < 135);
    // 8 bit as it is, in colour; of two channels the first is shown.
    static const uint8_t colour[6] = {1, 2, 3, 250, 251, 252};
    CHECK_OK(overlay_draw(colour, SAMPLE_U8, 1, 2, 3, none, rgb));
    CHECK(!memcmp(rgb, colour, 6));
    CHECK_OK(overlay_draw(colour, SAMPLE_U8, 1, 3, 2, none, rgb));
    CHECK(!memcmp(rgb, "\1\1\1\3\3\3\373\373\373", 9));
    // A picture of one value, and one of none that is finite.
    static const float flat[3] = {5, 5, 5}, nothing[3] = {NAN, NAN, NAN};
    CHECK_OK(overlay_draw(flat, SAMPLE_F32, 1, 3, 1, none, rgb));
    CHECK_OK(overlay_draw(nothing, SAMPLE_F32, 1, 3, 1, none, rgb));
    CHECK(rgb[0] == 0);
}
