// Connected components, against a plain flood fill.
#include "base/rng.h"
#include "image/components.h"
#include "test.h"

static const uint8_t example[5 * 6] = {1, 0, 0, 2, 2, 0, //
                                       0, 1, 0, 2, 1, 0, //
                                       0, 0, 0, 0, 0, 0, //
                                       1, 1, 0, 1, 1, 1, //
                                       1, 1, 1, 0, 0, 2};

TEST(components_by_hand) {
    static const int32_t expected[5 * 6] = {1, 0, 0, 2, 2, 0, //
                                            0, 1, 0, 2, 3, 0, //
                                            0, 0, 0, 0, 0, 0, //
                                            4, 4, 0, 4, 4, 4, //
                                            4, 4, 4, 0, 0, 5};
    int32_t labels[5 * 6], count;
    CHECK_OK(components_label(example, 5, 6, labels, &count));
    CHECK_INT(count, 5);
    CHECK(!memcmp(labels, expected, sizeof expected));
}

TEST(largest_and_minimum_area) {
    uint8_t mask[5 * 6];
    memcpy(mask, example, sizeof mask);
    CHECK_OK(components_clean(mask, 5, 6, true, 0));
    static const uint8_t largest[5 * 6] = {0, 0, 0, 2, 2, 0, //
                                           0, 0, 0, 2, 0, 0, //
                                           0, 0, 0, 0, 0, 0, //
                                           1, 1, 0, 1, 1, 1, //
                                           1, 1, 1, 0, 0, 0};
    CHECK(!memcmp(mask, largest, sizeof mask));
    memcpy(mask, example, sizeof mask);
    CHECK_OK(components_clean(mask, 5, 6, false, 2)); // the two of one pixel go, the one of two stays
    CHECK(mask[0] == 1 && mask[10] == 0 && mask[29] == 0 && mask[3] == 2);
    CHECK_OK(components_clean(mask, 5, 6, true, 4));
    CHECK(mask[0] == 0 && mask[3] == 0 && mask[18] == 1);
    memcpy(mask, example, sizeof mask);
    CHECK_OK(components_clean(mask, 5, 6, false, 0));
    CHECK(!memcmp(mask, example, sizeof mask));
    uint8_t equal[5] = {1, 0, 1, 0, 1}; // of equal ones the first stays
    CHECK_OK(components_clean(equal, 1, 5, true, 0));
    CHECK(!memcmp(equal, "\1\0\0\0\0", 5));
}

static void flood(const uint8_t *mask, int height, int width, int start, int32_t number, int32_t *labels) {
    static int stack[64 * 64 * 8];
    int depth = 0;
    labels[start] = number;
    stack[depth++] = start;
    while (depth > 0) {
        const int i = stack[--depth];
        for (int k = 0; k < 9; k++) {
            const int y = i / width + k / 3 - 1, x = i % width + k % 3 - 1;
            if (y < 0 || y >= height || x < 0 || x >= width) continue;
            const int j = y * width + x;
            if (labels[j] || mask[j] != mask[i]) continue;
            labels[j] = number;
            stack[depth++] = j;
        }
    }
}

TEST(components_of_random_masks_equal_a_flood_fill) {
    static uint8_t mask[40 * 40];
    static int32_t labels[40 * 40], expected[40 * 40];
    Rng rng;
    rng_seed(&rng, 7);
    for (int round = 0; round < 300; round++) {
        const int height = 1 + (int)rng_below(&rng, 40), width = 1 + (int)rng_below(&rng, 40), pixels = height * width;
        const uint64_t classes = 1 + rng_below(&rng, 3), density = 1 + rng_below(&rng, 9);
        for (int i = 0; i < pixels; i++)
            mask[i] = rng_below(&rng, 10) < density ? (uint8_t)(1 + rng_below(&rng, classes)) : 0;
        int32_t count, expected_count = 0;
        memset(expected, 0, sizeof expected);
        for (int i = 0; i < pixels; i++) {
            if (mask[i] && !expected[i]) flood(mask, height, width, i, ++expected_count, expected);
        }
        CHECK_OK(components_label(mask, height, width, labels, &count));
        CHECK_INT(count, expected_count);
        REQUIRE(!memcmp(labels, expected, (size_t)pixels * sizeof *labels));
    }
}

TEST(components_without_memory_are_a_status) {
    uint8_t mask[30];
    for (int n = 0; n < 3; n++) {
        memcpy(mask, example, sizeof mask);
        mem_fail_after(n);
        CHECK_INT(components_clean(mask, 5, 6, true, 2), ST_RESOURCE);
        mem_fail_after(-1);
        CHECK(!memcmp(mask, example, sizeof mask));
    }
}
