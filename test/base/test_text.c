#include "base/rng.h"
#include "base/text.h"
#include "test.h"
#include <locale.h>

TEST(grows) {
    Text text = {0};
    CHECK_TEXT(text_get(&text), "");
    for (int i = 0; i < 1000; i++) text_add(&text, "%d,", i);
    CHECK_INT(text.length, 10 * 2 + 90 * 3 + 900 * 4);
    CHECK(text_ends(text.data, ",998,999,"));
    text_bytes(&text, "a\0b", 3);
    CHECK_INT(text.length, 3893);
    CHECK_INT(text.data[3893], 0);
    CHECK_OK(text_status(&text));
    text_free(&text);
    CHECK(!text.data && !text.length);
}

TEST(no_memory_is_kept_in_mind) {
    Text text = {0};
    text_add(&text, "kept");
    mem_fail_after(0);
    for (int i = 0; i < 100; i++) text_add(&text, "more");
    CHECK(text_starts(text_get(&text), "keptmore"));
    CHECK(text.length % 4 == 0 && text.length < 404);
    CHECK_INT(text_status(&text), ST_RESOURCE);
    text_free(&text);
}

static void check_double(double value, const char *wanted) {
    Text text = {0};
    text_double(&text, value);
    CHECK_TEXT(text_get(&text), wanted);
    text_free(&text);
}

TEST(shortest_numbers) {
    check_double(0.1, "0.1");
    check_double(100, "100");
    check_double(-0.0, "-0");
    check_double(1e22, "1e+22");
    check_double(0.1 + 0.2, "0.30000000000000004");
    check_double(INFINITY, "inf");
    check_double(-INFINITY, "-inf");
    check_double(NAN, "nan");
    check_double(5e-324, "5e-324");
    Text text = {0};
    text_float(&text, 0.1f);
    text_add(&text, " ");
    text_float(&text, 16777216.f);
    CHECK_TEXT(text_get(&text), "0.1 16777216");
    text_free(&text);
}

// Any bit pattern comes back.
TEST(numbers_read_back) {
    Rng rng;
    rng_seed(&rng, 1);
    for (int i = 0; i < 3000; i++) {
        uint64_t bits = rng_next(&rng);
        uint32_t low = (uint32_t)bits;
        double value, back;
        float small;
        memcpy(&value, &bits, 8);
        memcpy(&small, &low, 4);
        if (isnan(value) || isnan(small)) continue;
        Text text = {0};
        text_double(&text, value);
        CHECK_MSG(parse_double(text_get(&text), &back) && back == value, "%s is not %a", text_get(&text), value);
        text.length = 0;
        text_float(&text, small);
        CHECK_MSG(parse_double(text_get(&text), &back) && (float)back == small, "%s is not %a", text.data,
                  (double)small);
        text_free(&text);
    }
}

TEST(numbers_ignore_the_locale) {
    static const char *const commas[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "nl_NL.UTF-8", "de_DE"};
    size_t i = 0;
    // musl takes any name and keeps the point.
    while (i < COUNT_OF(commas) && !(setlocale(LC_ALL, commas[i]) && *localeconv()->decimal_point == ',')) i++;
    if (i == COUNT_OF(commas)) test_skip("no locale with a decimal comma is installed");
    double value = 0;
    CHECK(parse_double("1.5", &value) && value == 1.5);
    CHECK(!parse_double("1,5", &value));
    check_double(1.5, "1.5");
    char digits[8];
    snprintf(digits, sizeof digits, "%.1f", 1.5);
    CHECK_TEXT(digits, "1,5"); // the locale is back
}

TEST(whole_string_numbers) {
    int64_t value = 0;
    double real = 0;
    static const char *const bad[] = {
        "", "-", "+", " 1", "1 ", "1x", "0x10", "9223372036854775808", "-9223372036854775809"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) CHECK_MSG(!parse_i64(bad[i], &value), "took '%s'", bad[i]);
    CHECK(parse_i64("-9223372036854775808", &value) && value == INT64_MIN);
    CHECK(parse_i64("9223372036854775807", &value) && value == INT64_MAX);
    CHECK(parse_i64("+7", &value) && value == 7);
    static const char *const bad_real[] = {"",      ".",        "e5",  " 1",   "1 ",  "0x1p3",
                                           "1e999", "infinity", "NAN", "-nan", "1,5", "--1"};
    for (size_t i = 0; i < COUNT_OF(bad_real); i++)
        CHECK_MSG(!parse_double(bad_real[i], &real), "took '%s'", bad_real[i]);
    CHECK(parse_double("-1.5e3", &real) && real == -1500);
    CHECK(parse_double("1e-999", &real) && real == 0);
    CHECK(parse_double("-inf", &real) && real == -INFINITY);
    CHECK(parse_double("nan", &real) && isnan(real));
}

TEST(base64) { // the examples of RFC 4648
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        Text text = {0};
        text_base64(&text, pairs[i][0], strlen(pairs[i][0]));
        CHECK_TEXT(text_get(&text), pairs[i][1]);
        text_free(&text);
    }
    Text text = {0};
    text_base64(&text, "\xff\xef\xbe", 3);
    CHECK_TEXT(text_get(&text), "/+++");
    text_free(&text);
}
TEST(natural_order) {
    static const char *const sorted[] = {"",
                                         "a",
                                         "a1",
                                         "a01",
                                         "a2",
                                         "a10",
                                         "a10b",
                                         "b",
                                         "c2z",
                                         "c3a",
                                         "slice_2.tif",
                                         "slice_10.tif",
                                         "x99999999999999999998",
                                         "x99999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(sorted); i++)
        for (size_t j = 0; j < COUNT_OF(sorted); j++) {
            if ((i == 2 && j == 3) || (i == 3 && j == 2)) continue; // "a1" and "a01": any order, but an order
            int order = natural_compare(sorted[i], sorted[j]), wanted = (i > j) - (i < j);
            CHECK_MSG((order > 0) - (order < 0) == wanted, "'%s' '%s'", sorted[i], sorted[j]);
        }
    int order = natural_compare("a1", "a01");
    CHECK(order != 0 && (order > 0) == (natural_compare("a01", "a1") < 0));
}

TEST(prefix_suffix_utf8) {
    CHECK(text_starts("abc", "ab") && text_starts("abc", "") && !text_starts("ab", "abc"));
    CHECK(text_ends("x.tif", ".tif") && !text_ends("tif", ".tif") && text_ends("a", ""));
    static const char *const good[] = {
        "", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"};
    static const char *const bad[] = {
        "\x80",     "\xc3",  "\xc0\xaf",         "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xe2\x82", "a\xff", "\xf0\x80\x80\x80", "\xe2\x28\xa1"};
    for (size_t i = 0; i < COUNT_OF(good); i++) CHECK_MSG(utf8_valid(good[i], strlen(good[i])), "good %zu", i);
    for (size_t i = 0; i < COUNT_OF(bad); i++) CHECK_MSG(!utf8_valid(bad[i], strlen(bad[i])), "bad %zu", i);
}
