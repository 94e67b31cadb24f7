// Outlines: what they are for small masks, and that filling them gives the mask back.
#include "base/rng.h"
#include "image/outline.h"
#include "test.h"

static const char *outline(const char *rows, int64_t height, int64_t width) {
    static Text text;
    uint8_t mask[64] = {0};
    text.length = 0;
    text_bytes(&text, "", 0);
    for (int64_t i = 0; i < height * width; i++) mask[i] = rows[i] == '#' ? 255 : rows[i] == '+';
    CHECK_OK(outline_path(mask, height, width, &text));
    return text_get(&text);
}
TEST(outlines_of_small_masks) {
    CHECK_TEXT(outline("....", 2, 2), "");
    CHECK_TEXT(outline("#", 1, 1), "M0 0h1v1h-1z");
    CHECK_TEXT(outline(".....###.", 3, 3), "M2 1h1v1h-1zM0 2h2v1h-2z");
    CHECK_TEXT(outline("...##+...", 3, 3), "M0 1h3v1h-3z"); // another class is no border
    CHECK_TEXT(outline("####.####", 3, 3), "M0 0h3v3h-3zM1 2h1v-1h-1z");
    CHECK_TEXT(outline("#..#", 2, 2), "M0 0h1v1h-1zM1 1h1v1h-1z"); // they touch at a corner
    CHECK_TEXT(outline("##.#.", 1, 5), "M0 0h2v1h-2zM3 0h1v1h-1z");
}

// Even-odd: a pixel is inside when an odd number of vertical sides lies to its left.
static void fill(const char *path, int64_t height, int64_t width, uint8_t *out) {
    int64_t x = 0, y = 0, start_x = 0, start_y = 0;
    memset(out, 0, (size_t)(height * width));
    for (const char *at = path; *at;) {
        const char command = *at++;
        int64_t to_x = x, to_y = y;
        char *end = (char *)(uintptr_t)at;
        if (command == 'M') {
            start_x = to_x = x = strtoll(at, &end, 10);
            start_y = to_y = y = strtoll(end, &end, 10);
        } else if (command == 'h') to_x += strtoll(at, &end, 10);
        else if (command == 'v') to_y += strtoll(at, &end, 10);
        else if (command == 'z') to_x = start_x, to_y = start_y;
        else test_failed(__FILE__, __LINE__, "command '%c'", command);
        CHECK(to_x == x || to_y == y);
        for (int64_t row = MIN(y, to_y); row < MAX(y, to_y); row++)
            for (int64_t i = x; i < width; i++) out[row * width + i] ^= 1;
        x = to_x, y = to_y, at = end;
    }
}
TEST(filled_outlines_are_the_mask) {
    Rng rng;
    rng_seed(&rng, 3);
    for (int round = 0; round < 300; round++) {
        const int64_t height = 1 + (int64_t)rng_below(&rng, 12), width = 1 + (int64_t)rng_below(&rng, 12);
        uint8_t mask[144], filled[144];
        Text path = {0};
        for (int64_t i = 0; i < height * width; i++) mask[i] = rng_below(&rng, 10) < (uint64_t)(round % 10);
        CHECK_OK(outline_path(mask, height, width, &path));
        fill(text_get(&path), height, width, filled);
        CHECK_MSG(!memcmp(mask, filled, (size_t)(height * width)), "round %d: %s", round, text_get(&path));
        text_free(&path);
    }
}
