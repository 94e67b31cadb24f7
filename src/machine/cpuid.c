// See cpuid.h.
#include "machine/cpuid.h"
#include "base/memory.h"
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum { EAX, EBX, ECX, EDX, XCR0 };
#define EXTENDED 0x80000000u // the first leaf of the second range
typedef struct FeatureBit {
    const char *name;
    Isa level;
    uint32_t leaf, subleaf;
    int word, bit;
} FeatureBit;
static const FeatureBit feature_bits[FEATURE_COUNT] = {
#define FEATURE(level, id, name, leaf, subleaf, register, bit, macro) {name, level, leaf, subleaf, register, bit},
#include "machine/features.def"
#undef FEATURE
};
_Static_assert(FEATURE_COUNT <= 64, "a set of features is one word");

const char *feature_name(Feature feature) { return feature_bits[feature].name; }
uint64_t isa_needs(Isa isa) {
    uint64_t needs = 0;
    for (int f = 0; f < FEATURE_COUNT; f++)
        if (feature_bits[f].level <= isa) needs |= (uint64_t)1 << f;
    return needs;
}
Isa features_isa(uint64_t features) {
    int isa = ISA_SSE2;
    while (isa + 1 < ISA_COUNT && !(isa_needs((Isa)(isa + 1)) & ~features)) isa++;
    return (Isa)isa;
}

static uint32_t raw_word(const Cpuid *cpuid, uint32_t leaf, uint32_t subleaf, int word) {
    for (int i = 0; i < CPUID_ANSWERS; i++)
        if (cpuid->answers[i].leaf == leaf && cpuid->answers[i].subleaf == subleaf) return cpuid->answers[i].word[word];
    return 0;
}
static uint32_t word_of(const Cpuid *cpuid, uint32_t leaf, uint32_t subleaf, int word) {
    const uint32_t greatest = raw_word(cpuid, leaf & EXTENDED, 0, EAX);
    if (leaf > greatest || (leaf == 7 && subleaf > raw_word(cpuid, 7, 0, EAX))) return 0;
    return raw_word(cpuid, leaf, subleaf, word);
}
uint64_t cpuid_features(const Cpuid *cpuid) {
    const FeatureBit *osxsave = &feature_bits[FEATURE_OSXSAVE];
    const bool saves = word_of(cpuid, osxsave->leaf, osxsave->subleaf, osxsave->word) >> osxsave->bit & 1;
    uint64_t features = 0;
    for (int f = 0; f < FEATURE_COUNT; f++) {
        const FeatureBit *want = &feature_bits[f];
        const uint64_t word = want->word == XCR0 ? (saves ? cpuid->xcr0 : 0)
                                                 : word_of(cpuid, want->leaf, want->subleaf, want->word);
        features |= (word >> want->bit & 1) << f;
    }
    return features;
}
static bool is_intel(const Cpuid *cpuid) {
    const CpuidAnswer *vendor = &cpuid->answers[0];
    return vendor->word[EBX] == 0x756e6547 && vendor->word[EDX] == 0x49656e69 && vendor->word[ECX] == 0x6c65746e;
}
// signature: EAX of leaf 1. Virtual machines name themselves as they like: a client model with tiles is a server.
static int intel_vector_bytes(uint32_t signature, bool has_tiles) {
    static const uint8_t halved[] = {
        0x66,       // Cannon Lake
        0x7d, 0x7e, // Ice Lake, client
        0x8c, 0x8d, // Tiger Lake
        0xa7,       // Rocket Lake
        0x97, 0x9a, // Alder Lake, where AVX-512 is not switched off
    };
    const uint32_t family = signature >> 8 & 15, model = (signature >> 4 & 15) | (signature >> 12 & 0xf0);
    if (family != 6 || has_tiles) return 64;
    for (size_t i = 0; i < COUNT_OF(halved); i++)
        if (model == halved[i]) return 32;
    return model == 0xbe ? 16 : 64; // Gracemont alone (N100)
}
int cpuid_vector_bytes(const Cpuid *cpuid) {
    if (is_intel(cpuid)) return intel_vector_bytes(word_of(cpuid, 1, 0, EAX), word_of(cpuid, 7, 0, EDX) >> 24 & 1);
    const uint32_t widths = word_of(cpuid, EXTENDED + 0x1a, 0, EAX); // bits FP128, MOVU, FP256, FP512
    if (widths & 8 || !widths) return 64;
    return widths & 4 ? 32 : 16;
}
void cpuid_brand(const Cpuid *cpuid, char name[49]) {
    char text[49] = {0};
    for (uint32_t i = 0; i < 12; i++) {
        const uint32_t word = word_of(cpuid, EXTENDED + 2 + i / 4, 0, (int)(i % 4));
        memcpy(text + 4 * i, &word, 4);
    }
    const char *from = text;
    while (*from == ' ') from++;
    memset(name, 0, 49);
    memcpy(name, from, strlen(from));
}

void cpuid_read(Cpuid *out) {
    *out = (Cpuid){0};
#if defined(__x86_64__)
    // clang-format off
    static const uint32_t asked[CPUID_ANSWERS][2] = {
        {0, 0}, {1, 0}, {7, 0}, {7, 1},
        {EXTENDED, 0}, {EXTENDED + 2, 0}, {EXTENDED + 3, 0}, {EXTENDED + 4, 0}, {EXTENDED + 0x1a, 0}};
    // clang-format on
    for (int i = 0; i < CPUID_ANSWERS; i++) {
        CpuidAnswer *answer = &out->answers[i];
        answer->leaf = asked[i][0], answer->subleaf = asked[i][1];
        __cpuid_count(answer->leaf, answer->subleaf, answer->word[EAX], answer->word[EBX], answer->word[ECX],
                      answer->word[EDX]);
    }
    if (cpuid_features(out) >> FEATURE_OSXSAVE & 1) { // without it XGETBV is an illegal instruction
        uint32_t low, high;
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        out->xcr0 = (uint64_t)high << 32 | low;
    }
#endif
}
