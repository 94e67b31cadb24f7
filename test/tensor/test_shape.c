#include "tensor/tensor.h"
#include "test.h"

static Shape shape(const char *text) {
    Shape result;
    REQUIRE(shape_parse(text, &result));
    return result;
}

TEST(print_and_parse) {
    static const char *const good[] = {"scalar", "0", "1", "1x3x256x256", "9223372036854775807", "1x2x3x4x5x6x7x8"};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        Text text = {0};
        Shape parsed = shape(good[i]);
        shape_print(&text, &parsed);
        CHECK_TEXT(text_get(&text), good[i]);
        text_free(&text);
    }
    static const char *const bad[] = {"",
                                      "x",
                                      "1x",
                                      "x1",
                                      "1xx2",
                                      "-1",
                                      "+1",
                                      "1 x2",
                                      "a",
                                      "1X2",
                                      "9223372036854775808",
                                      "1x2x3x4x5x6x7x8x9",
                                      "00000000000000000000000000001"};
    Shape out;
    for (size_t i = 0; i < COUNT_OF(bad); i++) CHECK_MSG(!shape_parse(bad[i], &out), "took '%s'", bad[i]);
}

TEST(count) {
    CHECK_INT(shape_count(&(Shape){0}), 1);
    Shape ordinary = shape("2x3x4"), empty = shape("0x9223372036854775807x2"), huge = shape("9223372036854775807x2");
    CHECK_INT(shape_count(&ordinary), 24);
    CHECK_INT(shape_count(&empty), 0);
    CHECK_INT(shape_count(&huge), -1);
    Shape negative = shape_of(2, (int64_t[]){0, -1});
    CHECK_INT(shape_count(&negative), -1);
}

TEST(equality) {
    Shape a = shape("2x3"), b = shape("2x3"), c = shape("2x3x1"), d = shape("2x4");
    CHECK(shape_equal(&a, &b) && !shape_equal(&a, &c) && !shape_equal(&a, &d));
}

TEST(broadcast) {
    static const struct {
        const char *a, *b, *wanted; // NULL: they don't go together
    } cases[] = {
        {"2x3", "2x3", "2x3"}, {"2x3", "3", "2x3"},   {"2x1", "1x3", "2x3"},           {"scalar", "4x5", "4x5"},
        {"2x3", "2", NULL},    {"0x3", "1x3", "0x3"}, {"8x1x6x1", "7x1x5", "8x7x6x5"}, {"2", "3", NULL},
        {"0", "2", NULL},      {"1", "0", "0"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (int turn = 0; turn < 2; turn++) {
            Shape a = shape(cases[i].a), b = shape(cases[i].b), out = {0};
            bool fits = shape_broadcast(turn ? &b : &a, turn ? &a : &b, &out);
            Shape wanted = cases[i].wanted ? shape(cases[i].wanted) : (Shape){0};
            CHECK_MSG(fits == (cases[i].wanted != NULL) && shape_equal(&out, &wanted), "case %zu", i);
        }
}
