// A build that people get looks at every checksum; stent-checksums-off, which only tests run, at none.
#include "base/checksum.h"
#include "fuzz/hostile.h"
#include "fuzz/seeds.h"
#include "image/format.h"
#include "image/image.h"
#include "package/make_package.h"
#include "tensor/npy.h"
#include <zlib.h>

static Seed seed_named(Arena *arena, const char *name) {
    Seed *seeds;
    size_t count;
    make_seeds(arena, &seeds, &count);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(seeds[i].name, name)) return seeds[i];
    test_failed(__FILE__, __LINE__, "no seed %s", name);
    test_end();
}

TEST(package_hashes) {
    Arena arena = {0};
    const Seed seed = seed_named(&arena, "tiny.stent");
    const char *path = test_temp("torn.stent");
    Tally tally = {0};
    seed.bytes[section_offset(seed.bytes, PACKAGE_CHECK_DATA) + 1] ^= 1; // of a sample
    write_whole(path, seed.bytes, seed.size);
    CHECK_INT(run_hostile((const char *[]){hostile_program(), "info", path, "-q", NULL}, path, "torn", &tally), 0);
    CHECK_INT(run_hostile((const char *[]){test_program(), "info", path, "-q", NULL}, path, "torn", &tally), 3);
    seed.bytes[section_offset(seed.bytes, PACKAGE_CHECK_DATA) + 1] ^= 1;
    seed.bytes[40] ^= 1; // of the content hash, in the header
    write_whole(path, seed.bytes, seed.size);
    CHECK_INT(run_hostile((const char *[]){hostile_program(), "info", path, "-q", NULL}, path, "torn", &tally), 0);
    CHECK_INT(run_hostile((const char *[]){test_program(), "info", path, "-q", NULL}, path, "torn", &tally), 3);
    arena_free(&arena);
}

TEST(png_chunks_and_streams) {
    Arena arena = {0};
    const Seed seed = seed_named(&arena, "grey16.png");
    const ImageBox box = {0, 0, 0, 7, 5, 1};
    float samples[35];
    ImageSource *source;
    seed.bytes[29] ^= 1; // IHDR's CRC
    CHECK_INT(image_open_bytes("torn.png", seed.bytes, seed.size, IMAGE_FIRST_PAGE, &source), ST_BAD);
    CHECK(strstr(error_message(), "checksum"));
    seed.bytes[29] ^= 1;
    // The stream's own checksum stands last in the last IDAT, before its CRC and IEND; that CRC is made right again.
    uint8_t *end = seed.bytes + seed.size - 12 - 4, *type = end;
    while (memcmp(type, "IDAT", 4)) type--;
    end[-1] ^= 1;
    const uint32_t crc = (uint32_t)crc32(0, type, (unsigned)(end - type));
    for (int i = 0; i < 4; i++) end[i] = (uint8_t)(crc >> (24 - 8 * i));
    CHECK_OK(image_open_bytes("torn.png", seed.bytes, seed.size, IMAGE_FIRST_PAGE, &source));
    CHECK_INT(image_read_box(source, &box, SAMPLE_F32, samples), ST_BAD);
    image_close(source);
    arena_free(&arena);
}

TEST(deflated_blocks) {
    static const uint8_t bytes[1000] = {1, 2, 3};
    uint8_t packed[1100], out[1000];
    uLongf size = sizeof packed;
    REQUIRE(compress(packed, &size, bytes, sizeof bytes) == Z_OK);
    CHECK_OK(unpack_deflate(packed, size, out, sizeof out));
    packed[size - 1] ^= 1;
    CHECK_INT(unpack_deflate(packed, size, out, sizeof out), ST_BAD);
}

TEST(archive_entries) {
    Arena arena = {0};
    const Seed seed = seed_named(&arena, "all.npz");
    NamedTensor *tensors;
    size_t count;
    const char *path = test_temp("torn.npz");
    uint8_t *row = seed.bytes;
    while (memcmp(row, "PK\1\2", 4)) row++;
    row[16] ^= 1; // the first entry's CRC
    write_whole(path, seed.bytes, seed.size);
    CHECK_INT(npz_read(&arena, path, &tensors, &count), ST_BAD);
    CHECK(strstr(error_message(), "checksum"));
    arena_free(&arena);
}
