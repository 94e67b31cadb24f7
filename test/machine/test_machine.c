#include "machine/cache.h"
#include "machine/machine.h"
#include "test.h"
#include <unistd.h>

TEST(names_go_both_ways) {
    for (int i = 0; i < ISA_COUNT; i++) {
        Isa isa = ISA_COUNT;
        CHECK(isa_from_name(isa_name((Isa)i), &isa));
        CHECK_INT(isa, i);
    }
    Isa isa = ISA_AVX;
    CHECK(!isa_from_name("AVX2", &isa));
    CHECK(!isa_from_name("", &isa));
    CHECK_INT(isa, ISA_AVX);
    CHECK_TEXT(isa_name(ISA_COUNT), "unknown");
}
TEST(facts_are_plausible) {
    unsetenv("STENT_ISA");
    Machine machine;
    CHECK_OK(machine_detect(&machine));
    CHECK(machine.best >= ISA_SSE2 && machine.best < ISA_COUNT);
    CHECK_INT(machine.isa, machine.best);
    CHECK(machine.cores >= 1);
    CHECK(machine.l1d >= 4096 && machine.l2 >= machine.l1d);
    CHECK(machine.memory > (64u << 20));
    CHECK(*machine.cpu);
#if defined(__x86_64__) && defined(__GNUC__)
    CHECK_INT(machine.best >= ISA_AVX, __builtin_cpu_supports("avx") != 0);
    CHECK_INT(machine.best >= ISA_AVX2, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
    CHECK_INT(machine.best >= ISA_AVX512, __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                                              __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"));
#endif
}
// glibc reads the same facts by other ways; where both know, they agree.
TEST(caches_are_what_the_c_library_says) {
#ifdef _SC_LEVEL1_DCACHE_SIZE
    if (test_emulated()) test_skip("an emulator's CPUID leaves do not agree with each other");
    const long known[] = {sysconf(_SC_LEVEL1_DCACHE_SIZE), sysconf(_SC_LEVEL2_CACHE_SIZE)};
    for (int i = 0; i < 2; i++)
        if (known[i] > 0 && cache_bytes(i + 1)) CHECK_INT(cache_bytes(i + 1), known[i]);
    CHECK_INT(cache_bytes(7), 0);
#else
    test_skip("this C library does not tell");
#endif
}
TEST(a_level_can_be_asked_for) {
    Machine machine;
    unsetenv("STENT_ISA");
    CHECK_OK(machine_detect(&machine));
    const Isa best = machine.best;
    for (int i = 0; i < ISA_COUNT; i++) {
        setenv("STENT_ISA", isa_name((Isa)i), 1);
        const Status status = machine_detect(&machine);
        CHECK_INT(status, i <= (int)best ? ST_OK : ST_UNSUPPORTED);
        if (status == ST_OK) CHECK_INT(machine.isa, i);
        else CHECK(strstr(error_message(), isa_name((Isa)i)) && strstr(error_message(), isa_name(best)));
        if (status == ST_OK) CHECK_INT(machine.best, best);
    }
    setenv("STENT_ISA", "", 1);
    CHECK_OK(machine_detect(&machine));
    CHECK_INT(machine.isa, best);
}
TEST(an_unknown_level_is_wrong_use) {
    static const char *const wrong[] = {"sse9", "AVX2", "avx2 ", "neon2"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        Machine machine;
        setenv("STENT_ISA", wrong[i], 1);
        CHECK_INT(machine_detect(&machine), ST_USAGE);
        CHECK(strstr(error_message(), wrong[i]));
    }
}
