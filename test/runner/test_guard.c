// Guarded memory: each access beyond it must be seen, or the tests of kernels prove nothing.
#include "guard.h"
#include "test.h"

static void write_at(size_t bytes, size_t align, GuardSide side, ptrdiff_t at) {
    volatile char *memory = guard_alloc("some memory", bytes, align, side);
    memory[at] = 1;
    guard_free((void *)(uintptr_t)memory);
}
static void read_at(size_t bytes, size_t align, GuardSide side, ptrdiff_t at) {
    const volatile char *memory = guard_alloc("some memory", bytes, align, side);
    (void)memory[at];
    guard_free((void *)(uintptr_t)memory);
}
static void read_behind(void) { read_at(100, 4, GUARD_END, 100); }
static void write_behind(void) { write_at(100, 4, GUARD_END, 100); }
static void read_far_behind(void) { read_at(100, 4, GUARD_END, 4000); }
static void read_before(void) { read_at(100, 4, GUARD_START, -1); }
static void write_before(void) { write_at(5000, 64, GUARD_START, -64); }
static void write_into_the_gap(void) { write_at(100, 64, GUARD_END, 101); }
static void write_into_the_lead(void) { write_at(100, 4, GUARD_END, -2); }
static void write_into_the_rest(void) { write_at(100, 4, GUARD_START, 100); }
static void read_nothing(void) { read_at(0, 4, GUARD_END, 0); }
static void keep_inside(void) {
    write_at(100, 4, GUARD_END, 99);
    read_at(100, 4, GUARD_START, 0);
    write_at(8192, 4096, GUARD_END, 8191);
    guard_free(NULL);
}

TEST(each_access_beyond_guarded_memory_is_seen) {
    static const struct {
        void (*act)(void);
        const char *says;
    } cases[] = {
        {read_behind, "of 'some memory' (100 bytes), 0 bytes behind its end"},
        {write_behind, "of 'some memory' (100 bytes), 0 bytes behind its end"},
        {read_far_behind, "of 'some memory' (100 bytes), 3900 bytes behind its end"},
        {read_before, "of 'some memory' (100 bytes), 1 bytes before its start"},
        {write_before, "of 'some memory' (5000 bytes), 64 bytes before its start"},
        {write_into_the_gap, "of 'some memory' (100 bytes), 1 bytes behind its end"},
        {write_into_the_lead, "of 'some memory' (100 bytes), 2 bytes before its start"},
        {write_into_the_rest, "of 'some memory' (100 bytes), 0 bytes behind its end"},
        {read_nothing, "of 'some memory' (0 bytes), 0 bytes behind its end"},
    };
    static char out[1 << 16];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CHECK_MSG(guard_ends_badly(cases[i].act, out, sizeof out), "case %zu went on", i);
        CHECK_MSG(strstr(out, cases[i].says), "case %zu: no \"%s\" in:\n%s", i, cases[i].says, out);
    }
    CHECK_MSG(!guard_ends_badly(keep_inside, out, sizeof out), "%s", out);
}
TEST(guarded_memory_is_aligned) {
    for (size_t bytes = 0; bytes < 300; bytes += 7)
        for (size_t align = 4; align <= 128; align *= 2)
            for (int side = 0; side < 2; side++) {
                unsigned char *memory = guard_alloc("memory", bytes, align, (GuardSide)side);
                CHECK((uintptr_t)memory % align == 0);
                for (size_t i = 0; i < bytes; i++) CHECK(memory[i] == 0xff);
                guard_free(memory);
            }
}
