#include "base/file.h"
#include "base/rng.h"
#include "tensor/foreign_npz.h"
#include "tensor/npy.h"
#include "test.h"

// Writes a .npy file by hand: version, dictionary (not padded), data.
static const char *write_npy(int major, const char *dictionary, const void *data, size_t bytes) {
    Text text = {0};
    const char *path = test_temp("hand.npy");
    size_t length = strlen(dictionary);
    uint8_t start[12] = {0x93, 'N', 'U', 'M', 'P', 'Y', (uint8_t)major, 0, (uint8_t)length, (uint8_t)(length >> 8)};
    text_bytes(&text, start, major == 1 ? 10 : 12);
    text_bytes(&text, dictionary, length);
    text_bytes(&text, data, bytes);
    CHECK_OK(file_write(path, text.data, text.length));
    text_free(&text);
    return path;
}

static Status read_hand(int major, const char *dictionary, const void *data, size_t bytes, Tensor *out, Arena *arena) {
    return npy_read(arena, write_npy(major, dictionary, data, bytes), out);
}

static Tensor counting(Arena *arena, DType dtype, Shape shape) {
    Tensor tensor;
    CHECK_OK(tensor_make(arena, dtype, shape, &tensor));
    for (int64_t i = 0; i < tensor_count(&tensor); i++) tensor_set_int(&tensor, i, dtype == DT_BOOL ? i & 1 : i + 1);
    return tensor;
}

static void check_same(const Tensor *got, const Tensor *wanted) {
    REQUIRE(got->dtype == wanted->dtype && shape_equal(&got->shape, &wanted->shape));
    CHECK(!memcmp(got->data, wanted->data, tensor_bytes(wanted)));
}

TEST(every_type_and_rank_comes_back) {
    static const int64_t dims[MAX_RANK] = {2, 1, 3, 2, 1, 2, 1, 2};
    Arena arena = {0};
    for (int dtype = DT_NONE + 1; dtype < DT_COUNT; dtype++)
        for (int rank = 0; rank <= MAX_RANK; rank++) {
            Tensor tensor = counting(&arena, (DType)dtype, shape_of(rank, dims)), back;
            CHECK_OK(npy_write(test_temp("a.npy"), &tensor));
            CHECK_OK(npy_read(&arena, test_temp("a.npy"), &back));
            check_same(&back, &tensor);
        }
    Tensor empty = counting(&arena, DT_F32, shape_of(2, (int64_t[]){0, 3})), back;
    CHECK_OK(npy_write(test_temp("a.npy"), &empty));
    CHECK_OK(npy_read(&arena, test_temp("a.npy"), &back));
    CHECK(shape_equal(&back.shape, &empty.shape));
    arena_free(&arena);
}

// Byte for byte what numpy.save writes for numpy.arange(1, 7, dtype='<i2').reshape(2, 3).
TEST(writes_as_numpy_does) {
    static const char head[] = "\x93NUMPY\x01\x00\x76\x00{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }";
    static const uint8_t data[] = {1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0};
    uint8_t wanted[128 + sizeof data], *got;
    size_t size;
    memset(wanted, ' ', 127);
    wanted[127] = '\n';
    memcpy(wanted, head, sizeof head - 1);
    memcpy(wanted + 128, data, sizeof data);
    Arena arena = {0};
    Tensor tensor = counting(&arena, DT_I16, shape_of(2, (int64_t[]){2, 3}));
    CHECK_OK(npy_write(test_temp("a.npy"), &tensor));
    CHECK_OK(file_read(test_temp("a.npy"), 1000, &got, &size));
    REQUIRE(size == sizeof wanted);
    CHECK(!memcmp(got, wanted, size));
    mem_free(got);
    arena_free(&arena);
}

TEST(orders_and_versions) {
    static const uint8_t big_endian[] = {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6};
    static const char *const dictionaries[] = {"{'descr': '>i2', 'fortran_order': True, 'shape': (3, 2), }\n",
                                               "{\"shape\":(3,2),'descr':'>u2','fortran_order':True}",
                                               "{'shape': (3L, 2L), 'fortran_order': True, 'descr': '>i2'}   \n"};
    Arena arena = {0};
    for (int major = 1; major <= 3; major++) {
        Tensor tensor;
        CHECK_OK(read_hand(major, dictionaries[major - 1], big_endian, sizeof big_endian, &tensor, &arena));
        static const int64_t wanted[] = {1, 4, 2, 5, 3, 6}; // columns lie together
        for (int i = 0; i < 6; i++) CHECK_INT(tensor_get_int(&tensor, i), wanted[i]);
        CHECK(tensor.shape.rank == 2 && tensor.shape.dim[0] == 3 && tensor.shape.dim[1] == 2);
    }
    int16_t cube[24];
    for (int i = 0; i < 24; i++) cube[i] = (int16_t)i;
    Tensor tensor;
    CHECK_OK(read_hand(1, "{'descr': '=i2', 'fortran_order': True, 'shape': (2, 3, 4)}", cube, sizeof cube, &tensor,
                       &arena));
    for (int i = 0; i < 24; i++) CHECK_INT(tensor_get_int(&tensor, i), i / 12 + i / 4 % 3 * 2 + i % 4 * 6);
    CHECK_OK(read_hand(1, "{'descr': '|b1', 'fortran_order': False, 'shape': (2,)}", "\0\7", 2, &tensor, &arena));
    CHECK_INT(((uint8_t *)tensor.data)[1], 1); // a bool is 0 or 1
    arena_free(&arena);
}

TEST(refuses_bad_npy) {
    static const struct {
        const char *dictionary;
        Status wanted;
    } cases[] = {{"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", ST_BAD}, // needs 12 bytes
                 {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", ST_BAD}, // leaves 4 bytes
                 {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", ST_UNSUPPORTED},
                 {"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", ST_UNSUPPORTED},
                 {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", ST_UNSUPPORTED},
                 {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2)}", ST_UNSUPPORTED},
                 {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}", ST_BAD},
                 {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", ST_BAD},
                 {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", ST_BAD},
                 {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", ST_BAD},
                 {"{'descr': '<f4', 'shape': (2,)}", ST_BAD},
                 {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", ST_BAD},
                 {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}", ST_BAD},
                 {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} import os", ST_BAD},
                 {"{'descr': '<f4', 'fortran_order': False, 'shape': (2", ST_BAD},
                 {"{'descr': '', 'fortran_order': False, 'shape': (2,)}", ST_UNSUPPORTED},
                 {"", ST_BAD}};
    Arena arena = {0};
    Tensor tensor;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Status got = read_hand(1, cases[i].dictionary, "12345678", 8, &tensor, &arena);
        CHECK_MSG(got == cases[i].wanted, "%s: %d %s", cases[i].dictionary, got, error_message());
        CHECK(strstr(error_message(), "hand.npy"));
    }
    CHECK_OK(read_hand(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "12345678", 8, &tensor, &arena));
    CHECK_INT(read_hand(4, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "12345678", 8, &tensor, &arena),
              ST_UNSUPPORTED);
    CHECK_INT(npy_read(&arena, test_temp("missing"), &tensor), ST_BAD);
    arena_free(&arena);
}

// Without waiting for the disk, as file_write does.
static void write_quickly(const char *path, const uint8_t *bytes, size_t size) {
    remove(path); // a truncated one would be flushed too
    FILE *file = fopen(path, "wb");
    REQUIRE(file && fwrite(bytes, 1, size, file) == size);
    REQUIRE(!fclose(file));
}

// Every cut of a file is refused, not read past.
static void refuse_cuts(const char *path) {
    uint8_t *bytes;
    size_t size;
    CHECK_OK(file_read(path, 1 << 20, &bytes, &size));
    for (size_t cut = 0; cut < size; cut++) {
        Arena arena = {0};
        NamedTensor *tensors;
        size_t count;
        write_quickly(test_temp("cut"), bytes, cut);
        CHECK_MSG(npz_read(&arena, test_temp("cut"), &tensors, &count) == ST_BAD, "cut at %zu", cut);
        arena_free(&arena);
    }
    mem_free(bytes);
}

// Whatever byte is changed: the file is refused, or the change did not touch the tensors (names, dates, unused fields).
static void expect_damage_noticed(const char *path, const NamedTensor *wanted, size_t wanted_count) {
    static const uint8_t changes[] = {0x01, 0x41, 0x80, 0xff};
    uint8_t *bytes;
    size_t size, count;
    CHECK_OK(file_read(path, 1 << 20, &bytes, &size));
    for (size_t i = 0; i < size * COUNT_OF(changes); i++) {
        Arena arena = {0};
        NamedTensor *back;
        bytes[i / COUNT_OF(changes)] ^= changes[i % COUNT_OF(changes)];
        write_quickly(test_temp("damaged"), bytes, size);
        if (npz_read(&arena, test_temp("damaged"), &back, &count) == ST_OK) {
            CHECK_MSG(count <= wanted_count, "byte %zu", i / COUNT_OF(changes));
            for (size_t j = 0; j < count; j++) check_same(&back[j].tensor, &wanted[j].tensor);
        }
        bytes[i / COUNT_OF(changes)] ^= changes[i % COUNT_OF(changes)];
        arena_free(&arena);
    }
    mem_free(bytes);
}

TEST(archive_comes_back) {
    Arena arena = {0};
    NamedTensor tensors[] = {{"a", counting(&arena, DT_F32, shape_of(2, (int64_t[]){2, 3}))},
                             {"folder/b:0", counting(&arena, DT_I64, shape_of(0, NULL))},
                             {"\xc3\xa4", counting(&arena, DT_BOOL, shape_of(1, (int64_t[]){5}))}};
    NamedTensor *back;
    size_t count = 0, first_size, second_size;
    uint8_t *first, *second;
    CHECK_OK(npz_write(test_temp("a.npz"), tensors, 3));
    CHECK_OK(npz_read(&arena, test_temp("a.npz"), &back, &count));
    REQUIRE(count == 3);
    for (size_t i = 0; i < 3; i++) {
        CHECK_TEXT(back[i].name, tensors[i].name);
        check_same(&back[i].tensor, &tensors[i].tensor);
    }
    CHECK_OK(npz_write(test_temp("b.npz"), tensors, 3));
    CHECK_OK(file_read(test_temp("a.npz"), 1 << 20, &first, &first_size));
    CHECK_OK(file_read(test_temp("b.npz"), 1 << 20, &second, &second_size));
    CHECK(first_size == second_size && !memcmp(first, second, first_size));
    expect_damage_noticed(test_temp("a.npz"), tensors, 3);
    refuse_cuts(test_temp("a.npz"));
    CHECK_OK(npz_write(test_temp("none.npz"), NULL, 0));
    CHECK_OK(npz_read(&arena, test_temp("none.npz"), &back, &count));
    CHECK_INT(count, 0);
    mem_free(first);
    mem_free(second);
    arena_free(&arena);
}

TEST(plain_file_as_archive) {
    Arena arena = {0};
    Tensor tensor = counting(&arena, DT_U8, shape_of(1, (int64_t[]){7}));
    NamedTensor *back;
    size_t count;
    CHECK_OK(npy_write(test_temp("a.npy"), &tensor));
    CHECK_OK(npz_read(&arena, test_temp("a.npy"), &back, &count));
    REQUIRE(count == 1);
    CHECK_TEXT(back[0].name, "");
    check_same(&back[0].tensor, &tensor);
    refuse_cuts(test_temp("a.npy"));
    arena_free(&arena);
}

TEST(deflated_archive) {
    Arena arena = {0};
    NamedTensor *back;
    size_t count;
    CHECK_OK(file_write(test_temp("z.npz"), deflated, sizeof deflated));
    CHECK_OK(npz_read(&arena, test_temp("z.npz"), &back, &count));
    REQUIRE(count == 1);
    CHECK_TEXT(back[0].name, "x");
    REQUIRE(back[0].tensor.dtype == DT_U8 && back[0].tensor.shape.rank == 2 && tensor_count(&back[0].tensor) == 64);
    for (int i = 0; i < 64; i++) CHECK_INT(tensor_get_int(&back[0].tensor, i), i % 3);
    refuse_cuts(test_temp("z.npz"));
    expect_damage_noticed(test_temp("z.npz"), back, 1);
    arena_free(&arena);
}

// Random damage to several bytes at once: refused or read, never a crash.
TEST(mutated_files_do_no_harm) {
    static const char dictionary[] = "{'descr': '>f4', 'fortran_order': True, 'shape': (3, 2), }\n";
    uint8_t *seeds[2], data[24] = {0}, *damaged;
    size_t sizes[2], count;
    Rng rng;
    rng_seed(&rng, 11);
    CHECK_OK(file_write(test_temp("z.npz"), deflated, sizeof deflated));
    CHECK_OK(file_read(test_temp("z.npz"), 1 << 20, &seeds[0], &sizes[0]));
    CHECK_OK(file_read(write_npy(1, dictionary, data, sizeof data), 1 << 20, &seeds[1], &sizes[1]));
    for (int round = 0; round < (test_long() ? 200000 : 1000); round++) {
        size_t size = sizes[round % 2];
        damaged = mem_alloc(size);
        REQUIRE(damaged);
        memcpy(damaged, seeds[round % 2], size);
        for (uint64_t change = rng_below(&rng, 5); change > 0; change--)
            damaged[rng_below(&rng, size)] =
                rng_below(&rng, 2) ? (uint8_t)rng_next(&rng) : (uint8_t)(rng_next(&rng) % 3 - 1);
        write_quickly(test_temp("damaged"), damaged, size - rng_below(&rng, 2) * rng_below(&rng, 8));
        Arena arena = {.limit = 1 << 24};
        NamedTensor *tensors;
        if (npz_read(&arena, test_temp("damaged"), &tensors, &count) == ST_OK) CHECK(count <= 1);
        arena_free(&arena);
        mem_free(damaged);
    }
    mem_free(seeds[0]);
    mem_free(seeds[1]);
}

// A failing allocation, wherever it is, gives ST_RESOURCE and no leak.
TEST(starved) {
    Status status = ST_RESOURCE;
    int failures = 0;
    CHECK_OK(file_write(test_temp("z.npz"), deflated, sizeof deflated));
    for (; status == ST_RESOURCE && failures < 100; failures++) {
        Arena arena = {0};
        NamedTensor *back;
        size_t count;
        mem_fail_after(failures);
        status = npz_read(&arena, test_temp("z.npz"), &back, &count);
        if (status == ST_OK) status = npz_write(test_temp("out.npz"), back, count);
        mem_fail_after(-1);
        arena_free(&arena);
    }
    CHECK_INT(status, ST_OK);
    CHECK_MSG(failures > 10, "%d", failures);
}

TEST(reads_masks_of_others) {
    const char *path = test_data("models/lgg/seed-torch-w32.masks.npz");
    if (!path) test_skip("no models/lgg/seed-torch-w32.masks.npz in the test data");
    Arena arena = {0};
    NamedTensor *back;
    size_t count;
    CHECK_OK(npz_read(&arena, path, &back, &count));
    CHECK(count > 0);
    for (size_t i = 0; i < count; i++) CHECK_INT(back[i].tensor.dtype, DT_U8);
    arena_free(&arena);
}
