// Levels from the CPUID bits of real CPUs, as manuals and dumps of them tell, and from each bit missing by itself.
#include "machine/cpuid.h"
#include "test.h"

typedef struct Cpu {
    const char *name;
    uint32_t greatest;                       // leaf
    uint32_t edx1, ecx1, ebx7, edx7, eax7_1; // words of leaves 1, 7, and sub-leaf 1 of 7
    uint64_t xcr0;
    Isa isa;
    const char *missing; // one feature that keeps it from the next level; NULL at the top
} Cpu;
static const Cpu cpus[] = {
    {"Core 2 Duo T7700", 0xa, 0xbfebfbff, 0x0000e3bd, 0, 0, 0, 0, ISA_SSE2, "sse4.1"},
    {"Core 2 Duo E8400", 0xa, 0xbfebfbff, 0x0008e3fd, 0, 0, 0, 0, ISA_SSE2, "sse4.2"},
    {"Core i7-920 (Nehalem)", 0xb, 0xbfebfbff, 0x0098e3bd, 0, 0, 0, 0, ISA_SSE2, "avx"},
    {"Phenom II X4", 6, 0x178bfbff, 0x00802009, 0, 0, 0, 0, ISA_SSE2, "ssse3"},
    {"Celeron J1900 (Silvermont)", 0xb, 0xbfebfbff, 0x41d8e3bf, 0x2282, 0, 0, 0, ISA_SSE2, "avx"},
    {"Celeron N4000 (Goldmont Plus)", 0x18, 0xbfebfbff, 0x4ff8ebbf, 0x2294e283, 0, 0, 0x1b, ISA_SSE2, "avx"},
    {"Core i7-2600 (Sandy Bridge)", 0xd, 0xbfebfbff, 0x1fbae3ff, 0, 0, 0, 7, ISA_AVX, "avx2"},
    {"Core i7-3770 (Ivy Bridge)", 0xd, 0xbfebfbff, 0x7fbae3ff, 0x281, 0, 0, 7, ISA_AVX, "fma"},
    {"FX-8150 (Bulldozer)", 0xd, 0x178bfbff, 0x1e98220b, 0, 0, 0, 7, ISA_AVX, "fma"},
    {"FX-8350 (Piledriver)", 0xd, 0x178bfbff, 0x3e98320b, 8, 0, 0, 7, ISA_AVX, "avx2"},
    {"Core i7-4770 (Haswell)", 0xd, 0xbfebfbff, 0x7ffafbff, 0x27ab, 0, 0, 7, ISA_AVX2, "avx512f"},
    {"Haswell, system without XSAVE", 0xd, 0xbfebfbff, 0x77fafbff, 0x27ab, 0, 0, 0, ISA_SSE2, "osxsave"},
    {"Haswell, system without AVX state", 0xd, 0xbfebfbff, 0x7ffafbff, 0x27ab, 0, 0, 3, ISA_SSE2, "xcr0.avx"},
    {"Haswell, leaves limited to 3", 3, 0xbfebfbff, 0x7ffafbff, 0x27ab, 0, 0, 7, ISA_AVX, "avx2"},
    {"Pentium G3220 (Haswell)", 0xd, 0xbfebfbff, 0x4ddaebbf, 0x2603, 0, 0, 3, ISA_SSE2, "avx"},
    {"Ryzen 7 1700 (Zen)", 0xd, 0x178bfbff, 0x7ed8320b, 0x209c01a9, 0, 0, 7, ISA_AVX2, "avx512f"},
    {"Ryzen 7 3700X (Zen 2)", 0x10, 0x178bfbff, 0x7ed8320b, 0x219c91a9, 0, 0, 0x207, ISA_AVX2, "avx512f"},
    {"Ryzen 7 5800X (Zen 3)", 0x10, 0x178bfbff, 0x7ed8320b, 0x219c97a9, 0x10, 0, 0x207, ISA_AVX2, "avx512vl"},
    {"Ryzen 9 7950X (Zen 4)", 0x10, 0x178bfbff, 0x7ed8320b, 0xf1bf97a9, 0x10000010, 0x20, 0x2e7, ISA_AVX512,
     "amx_tile"},
    {"Xeon 8180 (Skylake-SP)", 0x16, 0xbfebfbff, 0x7ffefbff, 0xd39ffffb, 0, 0, 0x2e7, ISA_AVX512, "avx512_bf16"},
    {"Xeon 8480C (Sapphire Rapids)", 0x20, 0xbfebfbff, 0x7ffefbff, 0xf3bfbfeb, 0xffdd4432, 0x1c30, 0x602e7, ISA_AMX,
     NULL},
    {"Sapphire Rapids, system without tile state", 0x20, 0xbfebfbff, 0x7ffefbff, 0xf3bfbfeb, 0xffdd4432, 0x1c30, 0x2e7,
     ISA_AVX512, "xcr0.tiledata"},
    {"Skylake-SP, system without ZMM state", 0x16, 0xbfebfbff, 0x7ffefbff, 0xd39ffffb, 0, 0, 7, ISA_AVX2,
     "xcr0.zmm_hi256"},
    {"Xeon Phi 7210 (Knights Landing)", 0xd, 0xbfebfbff, 0x7ff8f3bf, 0x1c0d23ab, 0, 0, 0xe7, ISA_AVX2, "avx512dq"},
    {"Core i9-12900K (Alder Lake)", 0x20, 0xbfebfbff, 0x7ffafbff, 0x239c27eb, 0, 0x10, 0x207, ISA_AVX2, "avx512f"},
};

static Cpuid cpuid_of(const Cpu *cpu) {
    return (Cpuid){{{0, 0, {cpu->greatest}},
                    {1, 0, {0, 0, cpu->ecx1, cpu->edx1}},
                    {7, 0, {cpu->eax7_1 ? 1 : 0, cpu->ebx7, 0, cpu->edx7}},
                    {7, 1, {cpu->eax7_1}}},
                   cpu->xcr0};
}
static bool lacks(uint64_t features, Isa isa, const char *name) {
    for (int f = 0; f < FEATURE_COUNT; f++)
        if (!strcmp(feature_name((Feature)f), name)) return (isa_needs(isa) & ~features) >> f & 1;
    return false;
}
TEST(levels_of_real_cpus) {
    for (size_t i = 0; i < COUNT_OF(cpus); i++) {
        const Cpuid cpuid = cpuid_of(&cpus[i]);
        const uint64_t features = cpuid_features(&cpuid);
        const Isa isa = features_isa(features);
        CHECK_MSG(isa == cpus[i].isa, "%s: got %s, expected %s", cpus[i].name, isa_name(isa), isa_name(cpus[i].isa));
        CHECK_MSG(!(isa_needs(ISA_SSE2) & ~features), "%s lacks something of x86-64", cpus[i].name);
        if (cpus[i].missing)
            CHECK_MSG(lacks(features, isa + 1, cpus[i].missing), "%s: %s is there", cpus[i].name, cpus[i].missing);
    }
}

// Where each bit stands, once more and independently of features.def: word 0..3 of the answer, or 4: XCR0.
typedef struct Place {
    const char *name;
    Isa level; // that is lost without it: the one below is what remains
    int answer, word, bit;
} Place;
enum { LEAF1 = 1, LEAF7 = 2, LEAF7_1 = 3, EAX = 0, EBX, ECX, EDX, XCR0 };
static const Place places[] = {
    {"sse3", ISA_AVX, LEAF1, ECX, 0},           {"ssse3", ISA_AVX, LEAF1, ECX, 9},
    {"fma", ISA_AVX2, LEAF1, ECX, 12},          {"sse4.1", ISA_AVX, LEAF1, ECX, 19},
    {"sse4.2", ISA_AVX, LEAF1, ECX, 20},        {"popcnt", ISA_AVX, LEAF1, ECX, 23},
    {"xsave", ISA_AVX, LEAF1, ECX, 26},         {"osxsave", ISA_AVX, LEAF1, ECX, 27},
    {"avx", ISA_AVX, LEAF1, ECX, 28},           {"f16c", ISA_AVX512, LEAF1, ECX, 29},
    {"avx2", ISA_AVX2, LEAF7, EBX, 5},          {"avx512f", ISA_AVX512, LEAF7, EBX, 16},
    {"avx512dq", ISA_AVX512, LEAF7, EBX, 17},   {"avx512bw", ISA_AVX512, LEAF7, EBX, 30},
    {"avx512vl", ISA_AVX512, LEAF7, EBX, 31},   {"xcr0.sse", ISA_AVX, 0, XCR0, 1},
    {"xcr0.avx", ISA_AVX, 0, XCR0, 2},          {"xcr0.opmask", ISA_AVX512, 0, XCR0, 5},
    {"xcr0.zmm_hi256", ISA_AVX512, 0, XCR0, 6}, {"xcr0.hi16_zmm", ISA_AVX512, 0, XCR0, 7},
    {"avx512_bf16", ISA_AMX, LEAF7_1, EAX, 5},  {"amx_bf16", ISA_AMX, LEAF7, EDX, 22},
    {"amx_tile", ISA_AMX, LEAF7, EDX, 24},      {"xcr0.tilecfg", ISA_AMX, 0, XCR0, 17},
    {"xcr0.tiledata", ISA_AMX, 0, XCR0, 18},    {"fpu", ISA_SSE2, LEAF1, EDX, 0},
    {"cx8", ISA_SSE2, LEAF1, EDX, 8},           {"cmov", ISA_SSE2, LEAF1, EDX, 15},
    {"mmx", ISA_SSE2, LEAF1, EDX, 23},          {"fxsr", ISA_SSE2, LEAF1, EDX, 24},
    {"sse", ISA_SSE2, LEAF1, EDX, 25},          {"sse2", ISA_SSE2, LEAF1, EDX, 26},
};
static const Cpu everything = {"all", 0x20, ~0u, ~0u, ~0u, ~0u, ~0u, ~0ull, ISA_AMX, NULL};

TEST(each_bit_missing_by_itself) {
    CHECK_INT(COUNT_OF(places), FEATURE_COUNT);
    const Cpuid all = cpuid_of(&everything);
    CHECK_INT(cpuid_features(&all), ((uint64_t)1 << FEATURE_COUNT) - 1);
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        const Place *place = &places[i];
        Cpuid cpuid = all;
        if (place->word == XCR0) cpuid.xcr0 &= ~(1ull << place->bit);
        else cpuid.answers[place->answer].word[place->word] &= ~(1u << place->bit);
        const uint64_t gone = cpuid_features(&all) & ~cpuid_features(&cpuid);
        for (int f = 0; f < FEATURE_COUNT; f++) {
            const bool named = !strcmp(feature_name((Feature)f), place->name);
            // Without OSXSAVE nobody may look at XCR0.
            const bool follows = !strcmp(place->name, "osxsave") && !strncmp(feature_name((Feature)f), "xcr0.", 5);
            CHECK_MSG((gone >> f & 1) == (named || follows), "without %s: %s", place->name, feature_name((Feature)f));
            if (!named) continue;
            CHECK_INT(isa_needs(place->level) >> f & 1, 1);
            if (place->level > ISA_SSE2) CHECK_INT(isa_needs(place->level - 1) >> f & 1, 0);
        }
        const Isa left = place->level == ISA_SSE2 ? ISA_SSE2 : place->level - 1;
        CHECK_MSG(features_isa(cpuid_features(&cpuid)) == left, "without %s: got %s, expected %s", place->name,
                  isa_name(features_isa(cpuid_features(&cpuid))), isa_name(left));
    }
}
TEST(each_level_needs_what_is_below_it) {
    for (int isa = 1; isa < ISA_COUNT; isa++) {
        CHECK(!(isa_needs((Isa)(isa - 1)) & ~isa_needs((Isa)isa)));
        CHECK(isa_needs((Isa)isa) != isa_needs((Isa)(isa - 1)));
        CHECK_INT(features_isa(isa_needs((Isa)isa)), isa);
        CHECK_INT(features_isa(isa_needs((Isa)isa) & ~isa_needs(ISA_SSE2)), ISA_SSE2);
    }
}
// Old Intel CPUs answer a leaf that they lack with their last one's words.
TEST(leaves_beyond_the_greatest_say_nothing) {
    Cpuid cpuid = cpuid_of(&everything);
    cpuid.answers[0].word[EAX] = 6;
    CHECK_INT(features_isa(cpuid_features(&cpuid)), ISA_AVX);
    cpuid.answers[0].word[EAX] = 7;
    cpuid.answers[LEAF7].word[EAX] = 0; // no sub-leaf 1
    CHECK_INT(features_isa(cpuid_features(&cpuid)), ISA_AVX512);
    CHECK(!(cpuid_features(&cpuid) >> FEATURE_AVX512_BF16 & 1));
    cpuid.answers[0].word[EAX] = 0;
    CHECK_INT(cpuid_features(&cpuid), 0);
}
TEST(brand_strings) {
    char name[49];
    Cpuid cpuid = {{{0x80000000, 0, {0x80000004}}, {.leaf = 0x80000002}, {.leaf = 0x80000003}, {.leaf = 0x80000004}}, 0};
    memcpy(cpuid.answers[1].word, "     Intel(R) Co", 16);
    memcpy(cpuid.answers[2].word, "re(TM)2 Duo CPU ", 16);
    memcpy(cpuid.answers[3].word, "    T7700  @ 2.4", 16); // 48 characters, no zero
    cpuid_brand(&cpuid, name);
    CHECK_TEXT(name, "Intel(R) Core(TM)2 Duo CPU     T7700  @ 2.4");
    cpuid.answers[0].word[EAX] = 0x80000001;
    cpuid_brand(&cpuid, name);
    CHECK_TEXT(name, "");
}
TEST(units_of_real_cpus) {
    enum { INTEL, OTHER };
    static const struct {
        const char *name;
        int vendor;
        uint32_t signature, greatest, widths; // leaf 1, greatest extended leaf, leaf 0x8000001a
        int bytes;
        uint32_t leaf7; // EDX
    } units[] = {
        {"Xeon 8180 (Skylake-SP)", INTEL, 0x50654, 0x80000008, 0, 64, 0},
        {"Xeon 8480C (Sapphire Rapids)", INTEL, 0x806f8, 0x80000008, 0, 64, 0},
        {"Core i7-1065G7 (Ice Lake)", INTEL, 0x706e5, 0x80000008, 0, 32, 0},
        {"Core i7-1165G7 (Tiger Lake)", INTEL, 0x806c1, 0x80000008, 0, 32, 0},
        {"Core i5-11400 (Rocket Lake)", INTEL, 0xa0671, 0x80000008, 0, 32, 0},
        {"a Xeon with AMX, named Rocket Lake by its virtual machine", INTEL, 0xa0671, 0x80000008, 0, 64, 1 << 24},
        {"N100 (Gracemont)", INTEL, 0xb06e0, 0x80000008, 0, 16, 0},
        {"Core i7-4770 (Haswell)", INTEL, 0x306c3, 0x80000008, 0, 64, 0},
        {"... that answers with its last leaf", INTEL, 0x306c3, 0x80000008, 4, 64, 0},
        {"FX-8350 (Piledriver)", OTHER, 0x600f20, 0x8000001e, 3, 16, 0},
        {"Ryzen 7 1700 (Zen)", OTHER, 0x800f11, 0x8000001f, 3, 16, 0},
        {"Ryzen 7 5800X (Zen 3)", OTHER, 0xa20f10, 0x80000023, 6, 32, 0},
        {"EPYC 9004 (Zen 4)", OTHER, 0xa10f11, 0x80000021, 6, 32, 0},
        {"EPYC 9005 (Zen 5)", OTHER, 0xb00f21, 0x80000028, 0xe, 64, 0},
        {"Phenom (no such leaf)", OTHER, 0x100f42, 0x80000008, 6, 64, 0},
        {"a virtual machine that hides it", OTHER, 0xa10f11, 0x80000021, 0, 64, 0},
    };
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        const bool intel = units[i].vendor == INTEL;
        const Cpuid cpuid = {{{0,
                               0,
                               {0x10, intel ? 0x756e6547 : 0x68747541, intel ? 0x6c65746e : 0x444d4163,
                                intel ? 0x49656e69 : 0x69746e65}},
                              {1, 0, {units[i].signature}},
                              {7, 0, {0, 0, 0, units[i].leaf7}},
                              {0x80000000, 0, {units[i].greatest}},
                              {0x8000001a, 0, {units[i].widths}}},
                             0};
        CHECK_MSG(cpuid_vector_bytes(&cpuid) == units[i].bytes, "%s: %d", units[i].name, cpuid_vector_bytes(&cpuid));
    }
}
#if defined(__x86_64__)
TEST(this_cpu_answers_all_leaves_that_features_stand_in) {
    Cpuid cpuid;
    cpuid_read(&cpuid);
    CHECK(!(isa_needs(ISA_SSE2) & ~cpuid_features(&cpuid)));
    for (int i = 0; i < CPUID_ANSWERS; i++)
        for (int w = 0; w < 4; w++) cpuid.answers[i].word[w] |= cpuid.answers[i].leaf & 0x7fffffff ? ~0u : 0;
    cpuid.answers[0].word[EAX] = 0x20;
    cpuid.xcr0 = ~0ull;
    CHECK_INT(cpuid_features(&cpuid), ((uint64_t)1 << FEATURE_COUNT) - 1);
}
#endif
