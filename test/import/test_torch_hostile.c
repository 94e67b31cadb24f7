// PyTorch files that are cut, torn or made to harm: a message each time, never more, and nothing is run.
#define _GNU_SOURCE
#include "base/rng.h"
#include "import/onnx_check.h"
#include "import/torch_check.h"
#include <unistd.h>

// ---- views and storages that lie

static void check_view(int64_t offset, const char *size, const char *stride, Status status, const char *words) {
    const float values[] = {1, 2, 3, 4, 5, 6};
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_str(&made.object, "w");
    put_view(&made, add_storage(&made, "FloatStorage", values, sizeof values, 6), offset, size, stride);
    put_end(&made.object);
    check_state_fails(&made, status, words);
}

TEST(views_that_leave_their_storage) {
    check_view(1, "2,3", "3,1", ST_BAD,
               "tensor 'w': expected a view within the 6 numbers of storage '0', got number 6");
    check_view(0, "2,3", "4,1", ST_BAD, "got number 6");
    check_view(6, "1", "1", ST_BAD, "got number 6");
    check_view(6, "", "", ST_BAD, "got number 6");
    check_view(7, "0", "1", ST_BAD, "within the 6 numbers");
    check_view(0, "3", "9000000000000000000", ST_BAD, "strides that fit");
    check_view(9223372036854775807, "2", "1", ST_BAD, "strides that fit");
    check_view(0, "4000000000,4000000000", "1,1", ST_BAD, "dims that fit");
    check_view(0, "9223372036854775807", "1", ST_BAD, "within the 6 numbers");
    check_view(-1, "2", "1", ST_BAD, "expected an offset in its storage");
    check_view(0, "-2", "1", ST_BAD, "expected size of integers that are not negative");
    check_view(5, "2", "-1", ST_BAD, "expected strides of integers that are not negative");
    check_view(0, "2,3", "1", ST_BAD, "expected 2 strides, got 1");
    check_view(0, "1,1,1,1,1,1,1,1,1", "1,1,1,1,1,1,1,1,1", ST_UNSUPPORTED, "at most 8 dims, got 9");
}

// One number that says it is gigabytes.
TEST(a_view_that_repeats_its_numbers) {
    check_view(0, "100000,100000", "0,0", ST_UNSUPPORTED, "bytes of numbers to copy");
    check_view(0, "2147483648,2147483648,2", "0,0,0", ST_BAD, "dims that fit");
}

TEST(many_views_that_are_copied) {
    TorchMade made = torch_made();
    const float value = 1;
    const int storage = add_storage(&made, "FloatStorage", &value, 4, 1);
    put_dict(&made.object);
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "w%d", i);
        put_str(&made.object, name);
        put_view(&made, storage, 0, "1024,1024", "0,0");
    }
    put_end(&made.object);
    check_state_fails(&made, ST_UNSUPPORTED, "bytes of numbers to copy");
}

TEST(storages_that_are_not_there) {
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_floats(&made, "a", "2", 1);
    put_floats(&made, "b", "2", 1);
    put_end(&made.object);
    made.missing = 1;
    check_load_fails(torch_zip(&made, "a.pth"), ST_BAD, "tensor 'b': expected archive/data/1 in the archive, got none");
    check_load_fails(torch_row(&made, "b.pth"), ST_BAD, "tensor 'b': expected the numbers of storage '1'");
    made.missing = -1;
    made.storages[1].data.length = 4;
    check_load_fails(torch_zip(&made, "a.pth"), ST_BAD, "archive/data/1: expected 8 bytes, got 4");
    check_load_fails(torch_row(&made, "b.pth"), ST_BAD, "storage '1': expected 8 bytes at byte");
    made.storages[1].data.length = 8;
    made.storages[1].count = 3; // beside what the pickle says
    check_load_fails(torch_row(&made, "b.pth"), ST_BAD, "storage '1': expected 2 numbers at byte");
    torch_drop(&made);
}

static void put_id(TorchMade *made, const char *type, const char *key, int64_t count) {
    Text *to = &made->object;
    put_code(to, '(');
    put_str(to, "storage");
    put_global(to, "torch", type);
    put_str(to, key);
    put_str(to, "cpu");
    put_number(to, count);
    text_add(to, "tQ");
}

TEST(storages_that_contradict_themselves) {
    TorchMade made = torch_made();
    text_add(&made.object, "(");
    put_id(&made, "FloatStorage", "0", 6);
    put_id(&made, "FloatStorage", "0", 7);
    text_add(&made.object, "t");
    check_state_fails(&made, ST_BAD, "storage '0': expected 2");
    made = torch_made();
    text_add(&made.object, "(");
    put_id(&made, "FloatStorage", "0", 6);
    put_id(&made, "IntStorage", "0", 6);
    text_add(&made.object, "t");
    check_state_fails(&made, ST_BAD, "storage '0': expected 24 bytes of a");
    made = torch_made();
    put_id(&made, "FloatStorage", "0", -1);
    check_state_fails(&made, ST_BAD, "expected the key of a storage and how many numbers it has");
    made = torch_made();
    put_id(&made, "DoubleStorage", "0", INT64_MAX);
    check_state_fails(&made, ST_BAD, "expected a number of elements that fit in memory");
    char key[300];
    memset(key, '7', sizeof key - 1);
    key[sizeof key - 1] = 0;
    made = torch_made();
    put_id(&made, "FloatStorage", key, 1);
    check_state_fails(&made, ST_BAD, "the key of a storage in at most 256 bytes, got 299");
    made = torch_made();
    text_add(&made.object, "(");
    put_str(&made.object, "storage");
    text_add(&made.object, "tQ");
    check_state_fails(&made, ST_BAD, "expected the key of a storage");
}

// The tensor's arguments are something else; a storage without a key.
TEST(tensors_of_nonsense) {
    static const struct {
        const char *args, *words;
    } rows[] = {
        {")", "tensor 'w': expected its storage, got nothing"},
        {"(NNNNt", "expected its storage, got None"},
        {"(Pid\nNNNt", "expected its storage, got a persistent id"},
        {"(](K\1e]]]t", "expected its storage, got a list"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        TorchMade made = torch_made();
        put_dict(&made.object);
        put_str(&made.object, "w");
        put_global(&made.object, "torch._utils", "_rebuild_tensor_v2");
        text_add(&made.object, "%s", rows[i].args);
        put_code(&made.object, 'R');
        put_end(&made.object);
        check_state_fails(&made, ST_BAD, rows[i].words);
    }
}

TEST(big_endian_numbers) {
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_floats(&made, "a", "2", 1);
    put_end(&made.object);
    made.byte_order = "big";
    check_state_fails(&made, ST_UNSUPPORTED, "big-endian");
    made = torch_made();
    put_dict(&made.object);
    put_floats(&made, "a", "2", 1);
    put_end(&made.object);
    made.byte_order = "middle";
    check_load_fails(torch_zip(&made, "a.pth"), ST_BAD, "archive/byteorder: expected the word little or big");
    torch_drop(&made);
}

TEST(names) {
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_floats(&made, "a", "1", 1);
    put_floats(&made, "a", "1", 2);
    put_end(&made.object);
    check_state_fails(&made, ST_BAD, "expected tensor 'a' once, got it twice");
    char name[6000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    made = torch_made();
    put_dict(&made.object);
    put_floats(&made, name, "1", 1);
    put_end(&made.object);
    check_state_fails(&made, ST_BAD, "names of at most 4096 bytes, got 5999");
    made = torch_made();
    put_dict(&made.object);
    put_str(&made.object, "evil\x1b[31m\n");
    put_view(&made, add_storage(&made, "FloatStorage", (const float[]){1}, 4, 1), 0, "2", "1");
    put_end(&made.object);
    check_state_fails(&made, ST_BAD, "tensor 'evil\\x1b[31m\\x0a'");
}

// ---- archives

TEST(archives_without_an_object) {
    MadeZip zip = {0};
    zip_put(&zip, "archive/data.pkl", "}.", 2);
    zip_put(&zip, "other/data.pkl", "}.", 2);
    Text bytes = zip_end(&zip);
    check_load_fails(torch_write(&bytes, "a.pth"), ST_BAD, "expected one data.pkl in the archive");
    zip = (MadeZip){0};
    zip_put(&zip, "archive/data.pk", "}.", 2);
    bytes = zip_end(&zip);
    check_load_fails(torch_write(&bytes, "a.pth"), ST_BAD, "expected a data.pkl in the archive, got none");
    zip = (MadeZip){0};
    zip_put(&zip, "archive/data.pkl", "}", 1);
    bytes = zip_end(&zip);
    check_load_fails(torch_write(&bytes, "a.pth"), ST_BAD, "archive/data.pkl: byte 1: expected an opcode");
}

TEST(numbers_that_were_changed) {
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_floats(&made, "a", "2", 1);
    put_end(&made.object);
    Text bytes = torch_zip_bytes(&made, false);
    uint8_t *found = memmem(bytes.data, bytes.length, (const float[]){1, 2}, 8);
    REQUIRE(found);
    found[0] ^= 1;
    check_load_fails(torch_write(&bytes, "a.pth"), ST_BAD, "archive/data/0: the checksum is wrong");
    torch_drop(&made);
}

// ---- calls

TEST(nothing_is_run) {
    static const char *const calls[] = {
        "cos\nsystem\n(S'touch pwned'\ntR",
        "(S'touch pwned'\nios\nsystem\n",
        "(cos\nsystem\nS'touch pwned'\no",
        "cbuiltins\nexec\n(S'open(\"pwned\", \"w\")'\ntR",
        "cnet\nUNet\n)\x81}S'__setstate__'\ncos\nsystem\nsb",
    };
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        TorchMade made = torch_made();
        put_dict(&made.object);
        put_floats(&made, "a", "1", 1);
        put_str(&made.object, "b");
        text_add(&made.object, "%s", calls[i]);
        put_end(&made.object);
        check_state(&made, "a 1 {1}", "1 entry that is no tensor is left out");
        made = torch_made();
        text_add(&made.object, "%s", calls[i]);
        check_state_fails(&made, ST_UNSUPPORTED, "this file holds an object of class");
    }
    CHECK(access("pwned", F_OK) != 0);
}

// ---- bombs

static void time_bomb(TorchMade *made, const char *words) {
    check_load_fails(torch_zip(made, "bomb.pth"), ST_BAD, words);
    torch_drop(made);
}

// M0 holds M1 twice, which holds M2 twice ...: 2^40 modules in a few kilobytes.
TEST(modules_that_are_named_again_and_again) {
    TorchMade made = torch_made();
    Text *to = &made.object;
    for (int i = 0; i < 40; i++) {
        text_add(to, "cnet\nM\n)\x81}(");
        put_str(to, "_parameters");
        text_add(to, "}");
        put_str(to, "_modules");
        text_add(to, "}(");
        put_str(to, "a");
        if (i == 0) put_code(to, 'N');
        else text_add(to, "g%d\n", i - 1);
        put_str(to, "b");
        if (i == 0) put_code(to, 'N');
        else text_add(to, "g%d\n", i - 1);
        text_add(to, "uubp%d\n0", i);
    }
    text_add(to, "g39\n");
    time_bomb(&made, "expected at most 4000000 entries of dicts, got more");
}

TEST(a_module_that_holds_itself) {
    TorchMade made = torch_made();
    Text *to = &made.object;
    text_add(to, "cnet\nM\n)\x81p0\n}(");
    put_str(to, "_parameters");
    text_add(to, "}");
    put_str(to, "_modules");
    text_add(to, "}(");
    put_str(to, "a");
    text_add(to, "g0\nuub");
    time_bomb(&made, "at most 64 modules inside each other");
}

// One dict of many entries, asked for by many modules.
TEST(a_large_dict_that_all_share) {
    TorchMade made = torch_made();
    Text *to = &made.object;
    text_add(to, "}(");
    put_str(to, "_parameters");
    text_add(to, "}");
    put_str(to, "_modules");
    text_add(to, "}");
    for (int i = 0; i < 20000; i++) text_add(to, "NN");
    text_add(to, "up0\n0cnet\nM\n)\x81}(");
    put_str(to, "_parameters");
    text_add(to, "}");
    put_str(to, "_modules");
    text_add(to, "}(");
    for (int i = 0; i < 2000; i++) {
        char key[16];
        snprintf(key, sizeof key, "m%d", i);
        put_str(to, key);
        text_add(to, "cnet\nM\n)\x81g0\nb");
    }
    text_add(to, "uub");
    time_bomb(&made, "entries of dicts, got more");
}

// {'a': d, 'b': d, ...} of one dict, deeper than anyone looks.
TEST(dicts_that_are_named_again_and_again) {
    TorchMade made = torch_made();
    Text *to = &made.object;
    text_add(to, "}p0\n0");
    for (int i = 1; i < 20; i++) {
        text_add(to, "}(");
        for (int k = 0; k < 100; k++) {
            char key[16];
            snprintf(key, sizeof key, "k%d", k);
            put_str(to, key);
            text_add(to, "g%d\n", i - 1);
        }
        text_add(to, "up%d\n0", i);
    }
    text_add(to, "g19\n");
    time_bomb(&made, "entries of dicts, got more");
}

TEST(a_dict_that_holds_itself) {
    TorchMade made = torch_made();
    text_add(&made.object, "}p0\n(");
    put_str(&made.object, "state_dict");
    text_add(&made.object, "g0\nu");
    check_state_fails(&made, ST_UNSUPPORTED, "a dict of 1 without tensors: 'state_dict'");
}

// Parameters around parameters without end.
TEST(a_tensor_that_is_wrapped_in_itself) {
    TorchMade made = torch_made();
    put_dict(&made.object);
    put_str(&made.object, "w");
    put_range(&made, "1", 1);
    put_global(&made.object, "torch._utils", "_rebuild_parameter");
    text_add(&made.object, "p1\n0");
    for (int i = 0; i < 10; i++) text_add(&made.object, "\x85p2\n0g1\ng2\nR"); // value to _rebuild_parameter(value)
    put_end(&made.object);
    check_state_fails(&made, ST_UNSUPPORTED, "_rebuild_parameter (1 tensor)");
}

// ---- cut and torn files

// A checkpoint that has something of everything.
static TorchMade small_file(void) {
    const float values[] = {0, 1, 2, 3, 4, 5};
    TorchMade made = torch_made();
    Text *to = &made.object;
    put_dict(to);
    put_str(to, "epoch");
    put_number(to, 3);
    put_str(to, "state_dict");
    put_ordered_dict(to);
    put_floats(&made, "module.a", "2,2", 1);
    put_str(to, "module.b");
    put_view(&made, add_storage(&made, "FloatStorage", values, sizeof values, 6), 1, "2,2", "1,3");
    put_str(to, "module.h");
    put_tensor(&made, "HalfStorage", "1", (const uint16_t[]){0x3c00}, 2);
    put_end(to);
    put_end(to);
    return made;
}

static Status load_any(const void *bytes, size_t size) {
    Text text = {0};
    Loaded loaded;
    text_bytes(&text, bytes, size);
    const Status status = torch_load_file(torch_write(&text, "h.pth"), &loaded);
    CHECK_MSG(status == ST_OK || status == ST_BAD || status == ST_UNSUPPORTED, "status %d: %s", status,
              error_message());
    CHECK(status == ST_OK || (*error_message() && !strpbrk(error_message(), "\n\x1b")));
    if (status == ST_OK) check_whole(&loaded.state);
    torch_unload(&loaded);
    return status;
}

static Text small_bytes(bool is_zip) {
    TorchMade made = small_file();
    Text bytes = is_zip ? torch_zip_bytes(&made, false) : torch_row_bytes(&made);
    torch_drop(&made);
    return bytes;
}

TEST(cut_at_every_byte) {
    for (int is_zip = 0; is_zip < 2; is_zip++) {
        Text bytes = small_bytes(is_zip);
        CHECK_INT(load_any(bytes.data, bytes.length), ST_OK);
        for (size_t size = 1; size < bytes.length; size++) {
            const Status status = load_any(bytes.data, size);
            CHECK_MSG(status == ST_BAD, "%zu of %zu bytes: status %d", size, bytes.length, status);
        }
        text_free(&bytes);
    }
}

TEST(flipped_bits_and_bytes) {
    Rng rng;
    rng_seed(&rng, 1);
    const int rounds = test_long() ? 100000 : 2000;
    for (int is_zip = 0; is_zip < 2; is_zip++) {
        Text bytes = small_bytes(is_zip);
        uint8_t *torn = malloc(bytes.length);
        REQUIRE(torn);
        for (int round = 0; round < rounds; round++) {
            memcpy(torn, bytes.data, bytes.length);
            for (uint64_t flips = 1 + rng_below(&rng, 3); flips > 0; flips--) {
                const size_t at = rng_below(&rng, bytes.length);
                torn[at] = round % 2 ? (uint8_t)rng_next(&rng) : torn[at] ^ (uint8_t)(1u << rng_below(&rng, 8));
            }
            load_any(torn, bytes.length);
        }
        free(torn);
        text_free(&bytes);
    }
}

// The same within the object, whose checksum would hide it in the archive.
TEST(torn_objects_in_whole_archives) {
    TorchMade made = small_file();
    Text right = {0};
    Rng rng;
    rng_seed(&rng, 2);
    text_bytes(&right, made.object.data, made.object.length);
    for (int round = 0; round < 2000; round++) {
        memcpy(made.object.data, right.data, right.length);
        for (uint64_t flips = 1 + rng_below(&rng, 3); flips > 0; flips--)
            made.object.data[rng_below(&rng, right.length)] ^= (char)(1u << rng_below(&rng, 8));
        Text bytes = torch_zip_bytes(&made, false);
        load_any(bytes.data, bytes.length);
        text_free(&bytes);
    }
    text_free(&right);
    torch_drop(&made);
}

static void run_out(const char *path) {
    Status status = ST_RESOURCE;
    int failures = 0;
    for (; status != ST_OK && failures < 5000; failures++) {
        Loaded loaded;
        mem_fail_after(failures);
        status = torch_load_file(path, &loaded);
        mem_fail_after(-1);
        CHECK_MSG(status == ST_OK || status == ST_RESOURCE, "allocation %d: status %d: %s", failures, status,
                  error_message());
        torch_unload(&loaded);
    }
    CHECK_MSG(failures > 5 && failures < 5000, "%d allocations", failures);
}

TEST(memory_that_runs_out) {
    TorchMade made = small_file();
    run_out(torch_zip(&made, "new.pth"));
    run_out(torch_row(&made, "old.pth"));
    torch_drop(&made);
}
