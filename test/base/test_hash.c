#include "base/hash.h"
#include "base/rng.h"
#include "base/sha256_blocks.h"
#include "test.h"

// The examples of FIPS 180-4 (and a million times 'a').
TEST(sha256_known_answers) {
    char hex[65];
    sha256_hex("", 0, hex);
    CHECK_TEXT(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_hex("abc", 3, hex);
    CHECK_TEXT(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const char *two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    sha256_hex(two_blocks, strlen(two_blocks), hex);
    CHECK_TEXT(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *million = mem_alloc(1000000);
    REQUIRE(million);
    memset(million, 'a', 1000000);
    sha256_hex(million, 1000000, hex);
    CHECK_TEXT(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    mem_free(million);
}

TEST(sha256_in_parts) {
    uint8_t data[300], whole[32], parts[32];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 7);
    for (size_t cut = 0; cut <= sizeof data; cut++) {
        Sha256 sha;
        sha256_begin(&sha);
        sha256_add(&sha, data, sizeof data);
        sha256_end(&sha, whole);
        sha256_begin(&sha);
        sha256_add(&sha, data, cut);
        sha256_add(&sha, data + cut, sizeof data - cut);
        sha256_end(&sha, parts);
        CHECK_MSG(!memcmp(whole, parts, 32), "cut at %zu", cut);
    }
}

// Both ways give the same, wherever the data lies.
TEST(sha256_by_instructions) {
    if (!sha256_blocks_x86_runs()) test_skip("this CPU has no instructions for it");
    uint8_t data[64 * 9 + 3];
    Rng rng;
    rng_seed(&rng, 17);
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)rng_next(&rng);
    for (size_t blocks = 0; blocks <= 9; blocks++) {
        uint32_t plain[8], fast[8];
        for (int i = 0; i < 8; i++) plain[i] = fast[i] = (uint32_t)rng_next(&rng);
        sha256_blocks_plain(plain, data + blocks % 4, blocks);
        sha256_blocks_x86(fast, data + blocks % 4, blocks);
        CHECK_MSG(!memcmp(plain, fast, sizeof plain), "%zu blocks", blocks);
    }
}

// Stored files depend on these values: they must never change.
TEST(hash64_is_fixed) {
    uint8_t data[100];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)i;
    CHECK_MSG(hash64("", 0, 0) == 0xfe03beafdadf48c6, "%llx", (unsigned long long)hash64("", 0, 0));
    CHECK_MSG(hash64(data, 100, 0) == 0x50447e5c0187ffc7, "%llx", (unsigned long long)hash64(data, 100, 0));
    CHECK_MSG(hash64(data, 31, 5) == 0x74566f2b40369961, "%llx", (unsigned long long)hash64(data, 31, 5));
}

// Every flipped bit, every length, every seed and every swap of words gives another value, and about half the bits.
TEST(hash64_notices_damage) {
    uint8_t data[256];
    Rng rng;
    rng_seed(&rng, 3);
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)rng_next(&rng);
    uint64_t before = hash64(data, sizeof data, 0);
    int64_t changed = 0;
    for (int bit = 0; bit < 2048; bit++) {
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        uint64_t now = hash64(data, sizeof data, 0);
        CHECK_MSG(now != before, "bit %d", bit);
        changed += __builtin_popcountll(now ^ before);
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK_MSG(changed > 31 * 2048 && changed < 33 * 2048, "%lld bits", (long long)changed);
    CHECK(hash64(data, sizeof data, 1) != before);
    uint8_t zeros[256] = {0};
    for (size_t length = 1; length < sizeof zeros; length++)
        CHECK(hash64(zeros, length, 0) != hash64(zeros, length - 1, 0));
    uint8_t swapped[256];
    memcpy(swapped, data, sizeof data);
    memcpy(swapped, data + 32, 32);
    memcpy(swapped + 32, data, 32);
    CHECK(hash64(swapped, sizeof data, 0) != before);
    CHECK(hash64(data + 1, 100, 0) == hash64(memcpy(swapped, data + 1, 100), 100, 0)); // alignment does not matter
}
