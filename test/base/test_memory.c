#include "test.h"

static bool is_zero(const void *data, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        if (((const char *)data)[i]) return false;
    return true;
}

TEST(heap) {
    char *zeros = mem_zero(100, 3), *copy = mem_string("text");
    REQUIRE(zeros && copy);
    CHECK(is_zero(zeros, 300));
    CHECK_TEXT(copy, "text");
    CHECK(!mem_zero(SIZE_MAX / 2, 3)); // the product overflows
    zeros = mem_resize(zeros, 1000);
    REQUIRE(zeros);
    CHECK(is_zero(zeros, 300));
    mem_free(zeros);
    mem_free(copy);
    mem_free(NULL);
    void *nothing = mem_alloc(0); // not NULL: NULL means no memory
    CHECK(nothing);
    mem_free(nothing);
}

TEST(one_allocation_fails) {
    mem_fail_after(1);
    void *first = mem_alloc(8), *second = mem_alloc(8), *third = mem_alloc(8);
    CHECK(first && !second && third);
    mem_free(first);
    mem_free(third);
    mem_fail_after(0);
    CHECK(!pages_alloc(100, 64));
    mem_fail_after(0);
    CHECK(!mem_string("a"));
    mem_fail_after(0);
    mem_fail_after(-1);
    first = mem_zero(1, 1);
    CHECK(first);
    mem_free(first);
    Arena arena = {0};
    mem_fail_after(0);
    CHECK(!arena_alloc(&arena, 10));
    CHECK(arena_alloc(&arena, 10));
    arena_free(&arena);
}

TEST(pages) {
    static const size_t sizes[] = {1, 4096, 5000, 3 << 20}, aligns[] = {64, 4096, 1 << 16, 1 << 21};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char *pages = pages_alloc(sizes[i], aligns[i]);
        REQUIRE(pages);
        CHECK_INT((uintptr_t)pages % aligns[i], 0);
        CHECK(is_zero(pages, sizes[i]));
        memset(pages, 1, sizes[i]);
        pages_free(pages, sizes[i]);
    }
    CHECK(!pages_alloc(SIZE_MAX, 64));
    CHECK(!pages_alloc(SIZE_MAX - 8192, 64));
    pages_free(NULL, 1);
}

// Random sizes: zeroed, aligned, none overlapping (each keeps its own pattern).
TEST(arena) {
    enum { COUNT = 2000 };
    static unsigned char *pointers[COUNT];
    static size_t sizes[COUNT];
    Arena arena = {0};
    size_t total = 0;
    for (int i = 0; i < COUNT; i++) {
        sizes[i] = (size_t)(i * 7919 % 97) * (i % 50 == 0 ? 1000 : 1);
        unsigned char *at = pointers[i] = arena_alloc(&arena, sizes[i]);
        REQUIRE(at);
        CHECK_INT((uintptr_t)at % (sizes[i] >= 64 ? 64 : 16), 0);
        CHECK(is_zero(at, sizes[i]));
        memset(at, i % 255 + 1, sizes[i]);
        total += sizes[i];
    }
    CHECK_INT(arena.total, total);
    for (int i = 0; i < COUNT; i++)
        for (size_t j = 0; j < sizes[i]; j++)
            if (pointers[i][j] != i % 255 + 1)
                test_failed(__FILE__, __LINE__, "block %d was overwritten", i), j = sizes[i];
    arena_free(&arena);
    CHECK(!arena.head && arena.total == 0);
    CHECK_TEXT(arena_string_n(&arena, "abcdef", 3), "abc");
    CHECK_TEXT(arena_string(&arena, ""), "");
    arena_free(&arena);
}

TEST(arena_limit_and_overflow) {
    Arena arena = {.limit = 1000};
    CHECK(!arena_array(&arena, SIZE_MAX / 2, 3));
    CHECK(!arena_alloc(&arena, SIZE_MAX));
    CHECK(!arena_alloc(&arena, 1001));
    CHECK(arena_alloc(&arena, 600));
    CHECK(!arena_alloc(&arena, 401));
    CHECK(arena_alloc(&arena, 400));
    arena_free(&arena);
    CHECK_INT(arena.limit, 1000);
}

TEST(checked_arithmetic) {
    size_t size = 0;
    int64_t value = 0;
    CHECK(add_size(SIZE_MAX - 1, 1, &size) && size == SIZE_MAX);
    CHECK(!add_size(SIZE_MAX, 1, &size));
    CHECK(!mul_size(SIZE_MAX / 2 + 1, 2, &size));
    CHECK(!mul_i64(INT64_MIN, -1, &value));
    CHECK(!add_i64(INT64_MAX, 1, &value));
    CHECK_INT(div_up(7, 3), 3);
    CHECK_INT(div_up(6, 3), 2);
    CHECK_INT(div_up(2, INT64_MAX), 1);
    CHECK_INT(round_up(6, 3), 6);
    CHECK_INT(round_up(7, 4), 8);
}

// The whole pages inside are gone, and nothing else.
TEST(forgotten_pages_read_as_zeros) {
    enum { PAGE = 4096, SIZE = 4 * PAGE };
    char *pages = pages_alloc(SIZE, PAGE);
    REQUIRE(pages);
    memset(pages, 1, SIZE);
    pages_forget(pages + 10, 3 * PAGE);
    for (int i = 0; i < SIZE; i++) CHECK_MSG(pages[i] == (i < PAGE || i >= 3 * PAGE), "byte %d", i);
    pages_forget(pages + 10, PAGE); // none is whole
    CHECK(pages[PAGE - 1] == 1 && pages[3 * PAGE] == 1);
    pages_free(pages, SIZE);
}

TEST(peak_follows_what_is_touched) {
    enum { SIZE = 64 << 20 };
    uint64_t before = memory_peak();
    CHECK(before > 0);
    char *pages = pages_alloc(SIZE, 64);
    REQUIRE(pages);
    memset(pages, 1, SIZE);
    CHECK(memory_peak() >= before + SIZE / 2);
    pages_free(pages, SIZE);
    CHECK(memory_peak() >= before + SIZE / 2); // a peak stays
}
