// Small files that ask for much: each gets its line, or its package, within the bounds of hostile.h.
#include "base/file.h"
#include "fuzz/hostile.h"
#include "import/onnx_writer.h"
#include "package/make_package.h"
#include <zlib.h>

static Tally tally;

// compile and info of the model; `expected`: exit statuses that compile may give, as digits.
static void model(OnnxFile *file, const char *name, const char *expected) {
    const char *path = onnx_save(file, name), *package = test_temp("out.stent"), *stent = hostile_program();
    const int status =
        run_hostile((const char *[]){stent, "compile", path, "-o", package, "-q", NULL}, path, name, &tally);
    CHECK_MSG(strchr(expected, '0' + status), "%s: compile gave %d, expected %s", name, status, expected);
    run_hostile((const char *[]){stent, "info", path, "-q", NULL}, path, name, &tally);
}

static OnnxFile from(const char *dims) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, dims);
    return file;
}

TEST(inputs_of_gigabytes) {
    OnnxFile file = from("1,1,65536,65536");
    onnx_filled(&file, "w", "1,1,3,3", 9, 1);
    onnx_node(&file, "Conv", "x w", "y", "pads=[1,1,1,1]");
    onnx_output(&file, "y");
    model(&file, "wide.onnx", "04");
    file = from("1,1,9000000000000000000,4");
    onnx_node(&file, "Relu", "x", "y", "");
    onnx_output(&file, "y");
    model(&file, "overflow.onnx", "34");
    file = from("1,1,3000000000,4");
    onnx_node(&file, "Relu", "x", "y", "");
    onnx_output(&file, "y");
    model(&file, "long.onnx", "04");
}

TEST(constants_that_grow) {
    OnnxFile file = from("1");
    onnx_ints(&file, "shape", "1024,1024,1024");
    onnx_node_tensor(&file, "ConstantOfShape", "shape", "z", "value", "1", (const float[]){2}, 1);
    onnx_node(&file, "ReduceSum", "z", "s", "keepdims=0");
    onnx_node(&file, "Add", "x s", "y", "");
    onnx_output(&file, "y");
    model(&file, "constant.onnx", "04");

    file = from("1"); // each a little below what is folded at once
    onnx_ints(&file, "shape", "1024,1024,3");
    onnx_node_tensor(&file, "ConstantOfShape", "shape", "c0", "value", "1", (const float[]){2}, 1);
    for (int i = 0; i < 300; i++) {
        char in[32], out[32];
        snprintf(in, sizeof in, "c%d", i);
        snprintf(out, sizeof out, "c%d", i + 1);
        onnx_node(&file, "Exp", in, out, "");
    }
    onnx_node(&file, "ReduceSum", "c300", "s", "keepdims=0");
    onnx_node(&file, "Add", "x s", "y", "");
    onnx_output(&file, "y");
    model(&file, "many.onnx", "04");

    file = from("1");
    onnx_ints(&file, "c0", "1,2,3,4");
    for (int i = 0; i < 60; i++) { // twice as long each time
        char in[32], out[32];
        snprintf(in, sizeof in, "c%d c%d", i, i);
        snprintf(out, sizeof out, "c%d", i + 1);
        onnx_node(&file, "Concat", in, out, "axis=0");
    }
    onnx_output(&file, "c60");
    model(&file, "double.onnx", "34");
}

TEST(shapes_that_a_node_asks_for) {
    static const struct {
        const char *name, *op, *inputs, *attrs, *ints;
    } rows[] = {
        {"tile.onnx", "Tile", "x n", "", "1000000,1000000,1000000,1000000"},
        {"tile2.onnx", "Tile", "x n", "", "1,1,100000,100000"},
        {"expand.onnx", "Expand", "x n", "", "1,1000000,4,1000000"},
        {"resize.onnx", "Resize", "x _ _ n", "mode='linear'", "1,1,2000000000,4"},
        {"resize2.onnx", "Resize", "x _ _ n", "mode='cubic'", "1,1,4,2000000000"},
        {"pad.onnx", "Pad", "x n", "", "0,0,4000000000000000000,0,0,0,4000000000000000000,0"},
        {"pad2.onnx", "Pad", "x n", "mode='reflect'", "0,0,0,2000000000,0,0,0,0"},
        {"reshape.onnx", "Reshape", "x n", "", "1,1,-1,9000000000000000000"},
        {"slice.onnx", "Slice", "x n n", "", "9223372036854775807,-9223372036854775807,1,0"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        OnnxFile file = from("1,1,4,4");
        onnx_ints(&file, "n", rows[i].ints);
        onnx_node(&file, rows[i].op, rows[i].inputs, "y", rows[i].attrs);
        onnx_output(&file, "y");
        model(&file, rows[i].name, "034");
    }
    OnnxFile file = from("1");
    onnx_raw(&file, "a", INT64, "", (const int64_t[]){0}, 8);
    onnx_raw(&file, "b", INT64, "", (const int64_t[]){INT64_MAX}, 8);
    onnx_raw(&file, "c", INT64, "", (const int64_t[]){1}, 8);
    onnx_node(&file, "Range", "a b c", "r", "");
    onnx_output(&file, "r");
    model(&file, "range.onnx", "034");
}

TEST(windows_beyond_all_bounds) {
    static const char *const attrs[] = {
        "kernel_shape=[1000000000,1000000000] pads=[999999999,999999999,999999999,999999999]",
        "kernel_shape=[3,3] dilations=[1000000000000,1] pads=[1000000000000,0,1000000000000,0]",
        "kernel_shape=[2,2] pads=[9223372036854775807,9223372036854775807,9223372036854775807,9223372036854775807]",
        "kernel_shape=[2,2] strides=[9223372036854775807,1] ceil_mode=1",
    };
    for (size_t i = 0; i < COUNT_OF(attrs); i++) {
        char name[32];
        OnnxFile file = from("1,1,8,8");
        onnx_node(&file, "MaxPool", "x", "y", attrs[i]);
        onnx_output(&file, "y");
        snprintf(name, sizeof name, "pool%zu.onnx", i);
        model(&file, name, "034");
    }
}

// Time: work that no cut makes small, and that only the reference can do.
TEST(work_for_hours) {
    OnnxFile file = from("4096,4096");
    onnx_node(&file, "Cast", "x", "d0", "to=11");
    for (int i = 0; i < 8; i++) {
        char in[32], out[32];
        snprintf(in, sizeof in, "d%d d%d", i, i);
        snprintf(out, sizeof out, "d%d", i + 1);
        onnx_node(&file, "MatMul", in, out, "");
    }
    onnx_output(&file, "d8");
    model(&file, "matmul.onnx", "0");
}

TEST(a_hundred_thousand_nodes) {
    for (int wide = 0; wide < 2; wide++) {
        OnnxFile file = from("1,4");
        for (int i = 0; i < 99999; i++) {
            char in[32], out[32];
            snprintf(in, sizeof in, wide ? "x n%d" : "n%d", i);
            snprintf(out, sizeof out, "n%d", i + 1);
            if (i == 0) snprintf(in, sizeof in, wide ? "x x" : "x");
            onnx_node(&file, wide ? "Add" : "Relu", in, out, "");
        }
        onnx_output(&file, "n99999");
        model(&file, wide ? "adds.onnx" : "relus.onnx", "04");
    }
}

TEST(graphs_inside_graphs) {
    Text inner = {0};
    for (int i = 0; i < 2000; i++) { // GraphProto { node { attribute { g } } }
        Text attr = {0}, node = {0}, graph = {0};
        put_string(&attr, 1, "body");
        put_bytes(&attr, 6, text_get(&inner), inner.length);
        put_int(&attr, 20, 5);
        put_string(&node, 4, "If");
        put_message(&node, 5, &attr);
        put_message(&graph, 1, &node);
        text_free(&inner);
        inner = graph;
    }
    OnnxFile file = onnx_file(13);
    text_bytes(&file.graph, inner.data, inner.length);
    text_free(&inner);
    onnx_output(&file, "y");
    model(&file, "deep.onnx", "34");
}

// ---- pictures and tensors

static const char *any_picture(void) {
    OnnxFile file = from("1,1,H,W");
    onnx_node(&file, "Relu", "x", "y", "");
    onnx_output(&file, "y");
    const char *path = onnx_save(&file, "any.onnx"), *package = test_temp("any.stent");
    make_with_program((const char *[]){"stent", "compile", path, "-o", package, NULL});
    return package;
}

static void put_u32(Text *to, uint32_t value) {
    const uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
    text_bytes(to, bytes, 4);
}
static void chunk(Text *png, const char *type, const void *data, size_t size) {
    Text body = {0};
    text_bytes(&body, type, 4);
    text_bytes(&body, data, size);
    put_u32(png, (uint32_t)size);
    text_bytes(png, body.data, body.length);
    put_u32(png, (uint32_t)crc32(0, (const Bytef *)body.data, (unsigned)body.length));
    text_free(&body);
}
// Deflated zeros (mem_free).
static uint8_t *packed_zeros(size_t bytes, int window, uLong *size) {
    static const uint8_t zeros[1 << 16];
    z_stream stream = {0};
    REQUIRE(deflateInit2(&stream, 1, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    const size_t room = bytes / 200 + 1024;
    uint8_t *packed = mem_alloc(room);
    REQUIRE(packed);
    stream.next_out = packed, stream.avail_out = (unsigned)room;
    for (size_t left = bytes; left > 0;) {
        stream.next_in = (Bytef *)(uintptr_t)zeros;
        stream.avail_in = (unsigned)MIN(left, sizeof zeros);
        left -= stream.avail_in;
        REQUIRE(deflate(&stream, left ? Z_NO_FLUSH : Z_FINISH) != Z_STREAM_ERROR);
    }
    *size = stream.total_out;
    deflateEnd(&stream);
    return packed;
}

static int segment_png(const char *package, uint32_t width, uint32_t height, int bits, int colour, size_t bytes) {
    const char *path = test_temp("bomb.png"), *out = test_temp("masks");
    uLong size;
    Text png = {0}, head = {0};
    uint8_t *packed = packed_zeros(bytes, 15, &size);
    text_bytes(&png, "\x89PNG\r\n\x1a\n", 8);
    put_u32(&head, width), put_u32(&head, height);
    text_bytes(&head, (const uint8_t[]){(uint8_t)bits, (uint8_t)colour, 0, 0, 0}, 5);
    chunk(&png, "IHDR", head.data, head.length);
    chunk(&png, "IDAT", packed, size);
    chunk(&png, "IEND", "", 0);
    write_whole(path, png.data, png.length);
    text_free(&png), text_free(&head);
    mem_free(packed);
    return run_hostile((const char *[]){hostile_program(), "segment", package, path, "-o", out, "-q", NULL}, path,
                       "bomb.png", &tally);
}
TEST(pictures_of_zeros) {
    const char *package = any_picture();
    CHECK_INT(segment_png(package, 60000, 60000, 8, 0, 1000), 3);
    CHECK_INT(segment_png(package, 8000, 8000, 16, 0, 1000), 3);         // more than 3 << 24 samples
    CHECK_INT(segment_png(package, 4000, 4000, 16, 6, 1000), 3);         // alpha counts
    CHECK_INT(segment_png(package, 4000, 4000, 16, 2, 4000 * 24001), 3); // decoded, then refused: three channels
}

TEST(archives_of_zeros) {
    const char *package = any_picture(), *path = test_temp("bomb.npz"), *out = test_temp("y.npy");
    uLong size;
    const size_t bytes = ((size_t)1 << 28) + 64;
    uint8_t *packed = packed_zeros(bytes, -15, &size);
    Text zip = {0};
    uint8_t local[30] = {'P', 'K', 3, 4, 20, 0, 0, 0, 8}, row[46] = {'P', 'K', 1, 2, 20, 0, 20, 0, 0, 0, 8};
    uint8_t end[22] = {'P', 'K', 5, 6, 0, 0, 0, 0, 1, 0, 1};
    for (int i = 0; i < 4; i++) {
        local[18 + i] = row[20 + i] = (uint8_t)(size >> 8 * i);
        local[22 + i] = row[24 + i] = (uint8_t)(bytes >> 8 * i);
        end[16 + i] = (uint8_t)((30 + 5 + size) >> 8 * i);
    }
    local[26] = row[28] = 5, end[12] = 46 + 5;
    text_bytes(&zip, local, 30), text_bytes(&zip, "x.npy", 5), text_bytes(&zip, packed, size);
    text_bytes(&zip, row, 46), text_bytes(&zip, "x.npy", 5), text_bytes(&zip, end, 22);
    write_whole(path, zip.data, zip.length);
    CHECK_INT(
        run_hostile((const char *[]){hostile_program(), "run", package, "--input", path, "--output", out, "-q", NULL},
                    path, "bomb.npz", &tally),
        4);
    text_free(&zip);
    mem_free(packed);
}

TEST(json_without_a_bottom) {
    enum { DEPTH = 900000 };
    OnnxFile file = from("1,1,4,4");
    onnx_node(&file, "Relu", "x", "y", "");
    onnx_output(&file, "y");
    const char *network = onnx_save(&file, "plain.onnx"), *path = test_temp("deep.json");
    char *text = mem_alloc(DEPTH);
    REQUIRE(text);
    memset(text, '[', DEPTH);
    write_whole(path, text, DEPTH);
    mem_free(text);
    CHECK_INT(run_hostile((const char *[]){hostile_program(), "compile", network, "--pipeline", path, "-o",
                                           test_temp("out.stent"), "-q", NULL},
                          path, "deep.json", &tally),
              3);
}
