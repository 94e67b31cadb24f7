// Files that are cut, torn or made to harm: a message each time, never more.
#include "import/tflite_check.h"
#include "import/torn.h"

// A small model that has something of everything: quantised and free, windows, shapes, a signature.
static Text small_model(void) {
    TfliteFile file = tflite_file();
    const int x = tflite_tensor(&file, "x", T_UINT8, "?,8,8,2"), y = tflite_tensor(&file, "y", T_FLOAT32, "1");
    const int w = tflite_bytes(&file, "w", T_INT8, "3,2,2,2", "abcdefghijklmnopqrstuvwx", 24);
    const int d = tflite_floats(&file, "d", "1,1,1,3", (const float[]){1, 2, 3});
    const int b = tflite_bytes(&file, "b", T_INT32, "3", (const int32_t[]){1, 2, 3}, 12);
    const int c = tflite_tensor(&file, "c", T_INT8, "1"), e = tflite_tensor(&file, "e", T_FLOAT32, "1");
    const int f = tflite_tensor(&file, "f", T_FLOAT32, "1"), p = tflite_tensor(&file, "p", T_FLOAT32, "1");
    const int s = tflite_tensor(&file, "s", T_INT32, "4"), n = tflite_tensor(&file, "n", T_INT32, "");
    const int from = tflite_ints(&file, "from", "0"), one = tflite_ints(&file, "one", "1");
    const int h = tflite_int(&file, "h", 8), k = tflite_int(&file, "k", 3), z = tflite_tensor(&file, "z", T_INT32, "4");
    const int u = tflite_floats(&file, "u", "3,2,2,3", (const float[36]){1, 2, 3}),
              t = tflite_tensor(&file, "t", 0, "1");
    const int blocks = tflite_ints(&file, "blocks", "2,2"), pads = tflite_ints(&file, "pads", "0,0,0,0");
    const int q = tflite_tensor(&file, "q", 0, "1"), r = tflite_tensor(&file, "r", 0, "1"),
              v = tflite_tensor(&file, "v", 0, "1");
    const int axes = tflite_ints(&file, "axes", "1,2");
    tflite_quantise(&file, x, 0.5f, 128);
    tflite_quantise(&file, c, 0.5f, 1);
    for (int i = 0; i < 3; i++) tflite_quantise(&file, w, 0.25f, 0), tflite_quantise(&file, b, 0.125f, 0);
    tflite_op(&file, 3, 1, "0=b:0 1=i:1 2=i:1 3=b:1", (int[]){x, w, b}, 3, (int[]){c}, 1);
    tflite_op(&file, 6, 38, "", (int[]){c}, 1, (int[]){e}, 1);
    tflite_op(&file, 4, 2, "0=b:1 1=i:1 2=i:1 3=i:1", (int[]){e, d}, 2, (int[]){f}, 1);
    tflite_op(&file, 17, 5, "0=b:0 1=i:2 2=i:2 3=i:2 4=i:2", (int[]){f}, 1, (int[]){p}, 1);
    tflite_op(&file, 77, 55, "0=b:2", (int[]){p}, 1, (int[]){s}, 1);
    tflite_op(&file, 45, 32, "4=i:1", (int[]){s, from, one, one}, 4, (int[]){n}, 1);
    tflite_op(&file, 83, 59, "0=i:4", (int[]){n, h, h, k}, 4, (int[]){z}, 1);
    tflite_op(&file, 67, 49, "0=b:0 1=i:2 2=i:2", (int[]){z, u, p}, 3, (int[]){t}, 1);
    tflite_op(&file, 38, 25, "", (int[]){t, blocks, pads}, 3, (int[]){q}, 1);
    tflite_op(&file, 3, 1, "0=b:1 1=i:1 2=i:1", (int[]){q, u}, 2, (int[]){r}, 1);
    tflite_op(&file, 37, 24, "", (int[]){r, blocks, pads}, 3, (int[]){v}, 1);
    tflite_op(&file, 40, 27, "0=b:1", (int[]){v, axes}, 2, (int[]){y}, 1);
    tflite_ends(&file, &x, 1, &y, 1);
    file.n_signatures = 1;
    file.signatures[0] = (TfliteSignatureMade){.key = "serving_default", .names = {"image", "mask"}};
    Text all = tflite_all(&file);
    tflite_drop(&file);
    return all;
}

static Status import_bytes(const void *bytes, size_t size) { return torn_import("h.tflite", bytes, size); }

TEST(the_small_model_is_fine) {
    Text all = small_model();
    const Status status = import_bytes(all.data, all.length);
    CHECK_MSG(status == ST_OK, "status %d: %s", status, error_message());
    text_free(&all);
}

TEST(cut_at_every_byte) {
    Text all = small_model();
    CHECK_INT(torn_cuts("h.tflite", &all, ST_BAD),
              all.length); // the weights stand last in the file, so no beginning is a model
    text_free(&all);
}

TEST(flipped_bits_and_bytes) {
    Text all = small_model();
    torn_flips("h.tflite", &all);
    text_free(&all);
}

TEST(words_that_are_extreme) {
    static const uint32_t words[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 0x10000, 0x7fff};
    Text all = small_model();
    uint8_t *torn = malloc(all.length);
    REQUIRE(torn);
    for (size_t at = 8; at + 4 <= all.length; at += 4) {
        for (size_t i = 0; i < COUNT_OF(words); i++) {
            memcpy(torn, all.data, all.length);
            memcpy(torn + at, &words[i], 4);
            import_bytes(torn, all.length);
        }
    }
    free(torn);
    text_free(&all);
}

TEST(bytes_moved_within_the_file) {
    Text all = small_model();
    torn_moves("h.tflite", &all, 8);
    text_free(&all);
}

TEST(memory_that_runs_out) {
    Text all = small_model();
    torn_memory("h.tflite", &all);
    text_free(&all);
}

// ---- operators that do not go together

TEST(cycles) {
    OneOp one = one_op("2", T_FLOAT32);
    const int z = tflite_tensor(&one.file, "z", T_FLOAT32, "2");
    tflite_op(&one.file, 19, 0, NULL, (int[]){z}, 1, (int[]){one.y}, 1);
    tflite_op(&one.file, 19, 0, NULL, (int[]){one.y}, 1, (int[]){z}, 1);
    check_refused(&one.file, ST_BAD, "RELU 'y'|input 0: expected tensor 2 'z' to be made before");
    one = one_op("2", T_FLOAT32);
    tflite_op(&one.file, 19, 0, NULL, (int[]){one.y}, 1, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "RELU 'y'|expected tensor 1 'y' to be made before");
}

TEST(tensors_made_twice) {
    OneOp one = one_op("2", T_FLOAT32);
    tflite_op(&one.file, 19, 0, NULL, (int[]){one.x}, 1, (int[]){one.y}, 1);
    tflite_op(&one.file, 47, 33, "", (int[]){one.x}, 1, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "EXP 'y'|nothing else makes, got tensor 1 'y'");
    one = one_op("2", T_FLOAT32);
    tflite_op(&one.file, 19, 0, NULL, (int[]){one.x}, 1, (int[]){one.x}, 1);
    check_refused(&one.file, ST_BAD, "RELU 'x'|nothing else makes");
    one = one_op("2", T_FLOAT32);
    const int w = tflite_floats(&one.file, "w", "2", (const float[]){1, 2});
    tflite_op(&one.file, 19, 0, NULL, (int[]){one.x}, 1, (int[]){w}, 1);
    check_refused(&one.file, ST_BAD, "RELU 'w'|nothing else makes, got tensor 2 'w'");
    one = one_op("2", T_FLOAT32);
    tflite_op(&one.file, 19, 0, NULL, (int[]){one.x}, 1, (int[]){one.y}, 1);
    tflite_ends(&one.file, (int[]){one.x, one.x}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "tensor 0 'x' once among the inputs");
}

TEST(tensors_that_are_not_there) {
    for (int where = 0; where < 4; where++) {
        OneOp one = one_op("2", T_FLOAT32);
        tflite_op(&one.file, 19, 0, NULL, (int[]){where == 0 ? 2 : one.x}, 1, (int[]){where == 1 ? 99 : one.y}, 1);
        if (where == 2) one.file.inputs[0] = -2;
        if (where == 3) one.file.outputs[0] = -1;
        check_refused(&one.file, ST_BAD,
                      where < 2 ? "operator 0|expected a tensor from 0 to 1" : "expected a tensor from");
    }
    OneOp one = one_op("2", T_FLOAT32);
    one.file.tensors[one.x].buffer = 7;
    check_refused(&one.file, ST_BAD, "tensor 0|expected a buffer below 3, got 7");
    one = one_op("2", T_FLOAT32);
    tflite_op(&one.file, 19, 0, NULL, (int[]){-1}, 1, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "RELU 'y'|expected input 0, which is absent");
    one = one_op("2", T_FLOAT32);
    check_refused(&one.file, ST_BAD, "output 0|tensor 1 'y' to be made, which nothing");
    one = one_op("2", T_FLOAT32);
    one.file.n_outputs = 0;
    check_refused(&one.file, ST_BAD, "expected outputs");
}

TEST(too_few_inputs_and_outputs) {
    OneOp one = one_op("2", T_FLOAT32);
    tflite_op(&one.file, 0, 11, "", (int[]){one.x}, 1, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "ADD 'y'|expected 2 inputs, got 1");
    one = one_op("2", T_FLOAT32);
    tflite_op(&one.file, 19, 0, NULL, (int[]){one.x}, 1, (int[]){one.y}, 0);
    check_refused(&one.file, ST_BAD, "RELU ''|expected 1 outputs, got 0");
}

TEST(weights_that_do_not_fit_their_bytes) {
    OneOp one = one_op("2", T_FLOAT32);
    int w = tflite_bytes(&one.file, "w", T_FLOAT32, "2", "1234567", 7);
    tflite_op(&one.file, 0, 11, "", (int[]){one.x, w}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "ADD 'y'|input 1 'w'|expected 8 bytes of data, got 7");
    one = one_op("2", T_FLOAT32);
    w = tflite_bytes(&one.file, "w", T_FLOAT32, "2147483647,2147483647,2147483647", "12345678", 8);
    tflite_op(&one.file, 0, 11, "", (int[]){one.x, w}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "input 1 'w'|expected dims that fit in memory");
    one = one_op("2", T_FLOAT32);
    w = tflite_bytes(&one.file, "w", T_FLOAT32, "-3", "12345678", 8);
    tflite_op(&one.file, 0, 11, "", (int[]){one.x, w}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "tensor 2|expected dims from 0, got -3");
    one = one_op("2", T_FLOAT32);
    w = tflite_bytes(&one.file, "w", T_FLOAT32, "?,2", "12345678", 8);
    tflite_op(&one.file, 0, 11, "", (int[]){one.x, w}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "input 1 'w'|got a negative one");
}

// Many tensors of the same bytes, each de-quantised: a small file must not become gigabytes.
TEST(shared_bytes_are_not_copied_without_end) {
    TfliteFile file = tflite_file();
    const size_t size = 2 << 20;
    uint8_t *bytes = calloc(size, 1);
    REQUIRE(bytes);
    const int x = tflite_tensor(&file, "x", T_FLOAT32, "1"),
              first = tflite_bytes(&file, "w", T_INT8, "2097152", bytes, size);
    int last = x;
    tflite_quantise(&file, first, 1, 0);
    for (int i = 0; i < 20; i++) {
        const int w = tflite_tensor(&file, "v", T_INT8, "2097152"), y = tflite_tensor(&file, "y", T_FLOAT32, "1");
        file.tensors[w].buffer = first + 1;
        tflite_quantise(&file, w, 1, 0);
        tflite_op(&file, 0, 11, "", (int[]){last, w}, 2, (int[]){y}, 1);
        last = y;
    }
    tflite_ends(&file, &x, 1, &last, 1);
    check_refused(&file, ST_BAD, "expected weights that are used about once each");
    free(bytes);
}

TEST(shapes_that_do_not_go_together) {
    OneOp one = one_op("2,3", T_FLOAT32);
    const int w = tflite_floats(&one.file, "w", "2", (const float[]){1, 2});
    tflite_op(&one.file, 0, 11, "", (int[]){one.x, w}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "ADD 'y'|[2x3]");
}

TEST(a_message_shows_no_control_characters) {
    OneOp one = one_op("2", T_FLOAT32);
    tflite_op(&one.file, 32, 0, NULL, (int[]){one.x}, 1, (int[]){one.y}, 1)->custom = "Evil\x1b[31m\n";
    check_refused(&one.file, ST_UNSUPPORTED, "Evil");
    CHECK(!strpbrk(error_message(), "\x1b\n"));
}

// Long names are cut where values are made of them, between characters.
TEST(long_names) {
    char name[6000];
    memset(name, 'n', sizeof name);
    name[3999] = 0;
    for (int i = 0; i < 2; i++) {
        OneOp one = one_op("2", T_FLOAT32);
        const int z = tflite_tensor(&one.file, name, T_FLOAT32, "2");
        memcpy(name + 99, "\xc3\xa9", 2); // a character of two bytes at 99
        tflite_op(&one.file, 19, 0, NULL, (int[]){one.x}, 1, (int[]){z}, 1);
        tflite_op(&one.file, 47, 33, "", (int[]){z}, 1, (int[]){one.y}, 1);
        if (i == 0) {
            Imported model;
            CHECK_OK(import_model(tflite_save(&one.file, "long.tflite"), NULL, &model));
            for (int k = 0; k < model.graph->n_values; k++) {
                CHECK(utf8_valid(model.graph->values[k].name, strlen(model.graph->values[k].name)));
                CHECK(strlen(model.graph->values[k].name) < 150);
            }
            import_free(&model);
            name[3999] = 'n';
            name[5999] = 0;
        } else {
            check_refused(&one.file, ST_BAD, "tensor 2|at most 4096 bytes, got 5999");
        }
    }
}

// Counts of vectors, in a file that is otherwise right: where they stand is found by looking for their own bytes.
TEST(more_than_the_limits) {
    Text all = {0};
    size_t at[8], inner[5];
    fbm_head(&all, "TFL3");
    fbm_link(&all, 0, fbm_table(&all, (const uint8_t[]){4, 4, 4, 0, 4}, 5, at));
    fbm_number(&all, at[0], 3, 4);
    fbm_link(&all, at[1], fbm_vector(&all, 0, 4, NULL, 4));
    fbm_link(&all, at[4], fbm_vector(&all, 0, 4, NULL, 4));
    const size_t list = fbm_vector(&all, 1, 4, NULL, 4);
    fbm_link(&all, at[2], list);
    fbm_link(&all, list + 4, fbm_table(&all, (const uint8_t[]){4, 4, 4, 4, 0}, 5, inner));
    const size_t outputs = fbm_vector(&all, 1, 4, NULL, 4);
    fbm_link(&all, inner[1], outputs);
    fbm_link(&all, inner[2], outputs);
    const size_t many = fbm_vector(&all, 500001, 4, NULL, 4); // tensors, all of them one table
    fbm_link(&all, inner[0], many);
    fbm_link(&all, inner[3], many);
    const size_t tensor = fbm_table(&all, (const uint8_t[]){0}, 0, at);
    for (size_t i = 0; i < 500001; i++) fbm_link(&all, many + 4 + 4 * i, tensor);
    CHECK_INT(import_bytes(all.data, all.length), ST_BAD);
    CHECK(strstr(error_message(), "at most 500000 tensors, got 500001"));
    fbm_number(&all, many, 100001, 4);
    CHECK_INT(import_bytes(all.data, all.length), ST_BAD);
    CHECK_MSG(strstr(error_message(), "at most 100000 operators, got 100001"), "%s", error_message());
    fbm_number(&all, many, 100000, 4); // operators that have no code
    CHECK_INT(import_bytes(all.data, all.length), ST_BAD);
    CHECK_MSG(strstr(error_message(), "operator 0: expected an operator code below 0, got 0"), "%s", error_message());
    text_free(&all);
}
