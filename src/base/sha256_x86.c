// SHA-256 by the instructions of x86 for it (Intel SDM vol. 2, SHA256RNDS2, SHA256MSG1, SHA256MSG2).
//
// The state lies in two registers, (a b e f) and (c d g h), the highest first. Two rounds at a time give the new (a b e
// f) while the old one becomes (c d g h). Of the message schedule four words are made at a time, from the 16 before.
//
// tools/disassembly lets this file alone use them: nothing is called that the CPU has not been asked for.
#include "base/sha256_blocks.h"
#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>

bool sha256_blocks_x86_runs(void) {
    enum { SSSE3 = 1 << 9, SSE41 = 1 << 19, SHA = 1 << 29 };
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & (SSSE3 | SSE41)) != (SSSE3 | SSE41)) return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & SHA;
}

__attribute__((target("sha,sse4.1"))) void sha256_blocks_x86(uint32_t state[8], const uint8_t *data, size_t blocks) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    const __m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)state);
    const __m128i hgfe = _mm_loadu_si128((const __m128i *)(const void *)(state + 4));
    const __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xf0), w[4];
    for (; blocks > 0; blocks--, data += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) { // four rounds, by the words 4 i .. 4 i + 3
            __m128i *const now = &w[i % 4];
            if (i < 4) {
                *now = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(data + 16 * i)), big_endian);
            } else {
                const __m128i last = w[(i + 3) % 4], seven_before = _mm_alignr_epi8(last, w[(i + 2) % 4], 4);
                const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(*now, w[(i + 1) % 4]), seven_before);
                *now = _mm_sha256msg2_epu32(sum, last);
            }
            const __m128i constants = _mm_loadu_si128((const __m128i *)(const void *)(sha256_constants + 4 * i));
            const __m128i words = _mm_add_epi32(*now, constants);
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, words);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(words, 0x0e));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    const __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}
#else
bool sha256_blocks_x86_runs(void) { return false; }
void sha256_blocks_x86(uint32_t state[8], const uint8_t *data, size_t blocks) {
    sha256_blocks_plain(state, data, blocks);
}
#endif
