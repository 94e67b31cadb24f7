#include "base/hash.h"
#include "base/rng.h"
#include "fuzz/seeds_make.h"
#include "image/foreign_files.h"
#include "image/image.h"
#include "image/tiff_make.h"
#include "import/onnx_writer.h"
#include "package/make_package.h"
#include "plan/planned.h"
#include "report/samples.h"
#include "tensor/foreign_npz.h"
#include "tensor/npy.h"
#include <zlib.h>

enum { MOST_SEEDS = 256 };

void seed_add(Seeds *to, const char *target, const char *name, const void *bytes, size_t size) {
    REQUIRE(to->count < MOST_SEEDS);
    Seed *seed = &to->seeds[to->count++];
    *seed = (Seed){target, arena_string(to->arena, name), arena_alloc(to->arena, size + 1), size};
    REQUIRE(seed->name && seed->bytes);
    if (size) memcpy(seed->bytes, bytes, size);
}
void seed_add_text(Seeds *to, const char *target, const char *name, const char *text) {
    seed_add(to, target, name, text, strlen(text));
}
static void add_file(Seeds *to, const char *target, const char *name, const char *path) {
    size_t size;
    uint8_t *bytes = read_whole(path, &size);
    seed_add(to, target, name, bytes, size);
    mem_free(bytes);
}

// ---- ONNX

static void add_onnx(Seeds *to, const char *name, OnnxFile *file) {
    Text all = onnx_bytes(file);
    seed_add(to, "onnx", name, all.data, all.length);
    seed_add(to, "protobuf", name, all.data, all.length);
    seed_add(to, "recognise", name, all.data, all.length);
    text_free(&all);
    onnx_drop(file);
}

// A small U-Net of an older opset: attributes that have become inputs since.
static void onnx_unet(Seeds *to) {
    OnnxFile file = onnx_file(9);
    onnx_input(&file, "x", FLOAT32, "1,2,8,8");
    onnx_filled(&file, "w", "2,2,3,3", 36, 0.5f);
    onnx_filled(&file, "u", "2,2,2,2", 16, 0.25f);
    onnx_filled(&file, "s", "2", 2, 1);
    onnx_floats(&file, "scales", "4", (float[]){1, 1, 2, 2}, 4);
    onnx_node(&file, "Conv", "x w s", "c", "pads=[1,1,1,1] kernel_shape=[3,3] auto_pad='NOTSET'");
    onnx_node(&file, "BatchNormalization", "c s s s s", "n", "epsilon=0.001");
    onnx_node(&file, "Relu", "n", "r", "");
    onnx_node(&file, "MaxPool", "r", "p", "kernel_shape=[2,2] strides=[2,2]");
    onnx_node(&file, "Conv", "p w", "d", "auto_pad='SAME_UPPER' kernel_shape=[3,3]");
    onnx_node(&file, "Clip", "d", "e", "min=0.0 max=6.0");
    onnx_node(&file, "Upsample", "e scales", "f", "mode='nearest'");
    onnx_node(&file, "ConvTranspose", "e u", "g", "kernel_shape=[2,2] strides=[2,2]");
    onnx_node(&file, "Concat", "f g r", "h", "axis=1");
    onnx_filled(&file, "v", "1,6,1,1", 6, 0.5f);
    onnx_node(&file, "Conv", "h v", "k", "kernel_shape=[1,1]");
    onnx_node(&file, "Sigmoid", "k", "y", "");
    onnx_output(&file, "y");
    add_onnx(to, "unet.onnx", &file);
}

// Shapes as nodes, as exporters write them.
static void onnx_shapes(Seeds *to) {
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", FLOAT32, "N,2,H,8");
    onnx_ints(&file, "i0", "0");
    onnx_ints(&file, "i1", "1");
    onnx_ints(&file, "i2", "2");
    onnx_ints(&file, "minus", "-1");
    onnx_ints(&file, "grid", "1,1,2,2");
    onnx_node(&file, "Shape", "x", "s", "");
    onnx_node(&file, "Slice", "s i0 i2", "a", "");
    onnx_node(&file, "Concat", "a minus", "b", "axis=0");
    onnx_node(&file, "Reshape", "x b", "c", "");
    onnx_node(&file, "Gather", "s i1", "d", "axis=0");
    onnx_node_tensor(&file, "ConstantOfShape", "grid", "z", "value", "1", (const float[]){2}, 1);
    onnx_node(&file, "Expand", "i1 grid", "e", "");
    onnx_node(&file, "Cast", "e", "f", "to=1");
    onnx_node(&file, "Tile", "f grid", "g", "");
    onnx_node(&file, "ReduceMean", "g", "h", "axes=[2,3] keepdims=1");
    onnx_node(&file, "Mul", "z h", "k", "");
    onnx_node(&file, "Pad", "x b8", "l", "mode='reflect'");
    onnx_ints(&file, "b8", "0,0,1,1,0,0,1,1");
    onnx_node(&file, "Transpose", "l", "m", "perm=[0,2,3,1]");
    onnx_node(&file, "Softmax", "m", "n", "axis=3");
    onnx_node(&file, "Transpose", "n", "o", "perm=[0,3,1,2]");
    onnx_node(&file, "Range", "r0 r9 r1", "r", "");
    onnx_raw(&file, "r0", INT64, "", (const int64_t[]){0}, 8);
    onnx_raw(&file, "r9", INT64, "", (const int64_t[]){9}, 8);
    onnx_raw(&file, "r1", INT64, "", (const int64_t[]){2}, 8);
    onnx_node(&file, "TopK", "r i1", "t u", "axis=0");
    onnx_node(&file, "Unsqueeze", "t i0", "v", "");
    onnx_node(&file, "Squeeze", "v", "w", "");
    onnx_node(&file, "Split", "c", "p q", "axis=0");
    for (const char *out = "dkopquw"; *out; out++) onnx_output(&file, (char[]){*out, 0});
    add_onnx(to, "shapes.onnx", &file);
}

static void onnx_others(Seeds *to) {
    OnnxFile file = onnx_file(17);
    onnx_input(&file, "x", FLOAT32, "1,4,4,4");
    onnx_external_floats(&file, "w", "4,4,1,1", "weights.bin", "64", "64");
    onnx_filled(&file, "s", "4", 4, 0.5f);
    onnx_ints(&file, "sizes", "1,4,7,9");
    onnx_node(&file, "Conv", "x w", "a", "group=1 dilations=[1,1] strides=[1,1]");
    onnx_node(&file, "InstanceNormalization", "a s s", "b", "epsilon=0.00001");
    onnx_node(&file, "LayerNormalization", "b s", "c", "axis=-1");
    onnx_node(&file, "PRelu", "c slope", "d", "");
    onnx_filled(&file, "slope", "4,1,1", 4, 0.25f);
    onnx_node(&file, "Resize", "d _ _ sizes", "e",
              "mode='cubic' coordinate_transformation_mode='align_corners' cubic_coeff_a=-0.5");
    onnx_node(&file, "AveragePool", "e", "f", "kernel_shape=[3,2] pads=[1,0,1,1] ceil_mode=1 count_include_pad=1");
    onnx_node(&file, "GlobalAveragePool", "f", "g", "");
    onnx_node(&file, "Flatten", "g", "h", "axis=1");
    onnx_node(&file, "Gemm", "h gw s", "k", "transB=1 alpha=0.5");
    onnx_filled(&file, "gw", "4,4", 16, 0.1f);
    onnx_node(&file, "MatMul", "k gw", "l", "");
    onnx_node(&file, "ReduceSum", "l", "m", "keepdims=0");
    onnx_node(&file, "DepthToSpace", "x", "n", "blocksize=2 mode='CRD'");
    onnx_node(&file, "Where", "q k l", "o", "");
    onnx_node(&file, "Greater", "k l", "q", "");
    onnx_node(&file, "ArgMax", "e", "p", "axis=1 keepdims=0");
    onnx_node(&file, "ScatterND", "s idx upd", "r", "reduction='none'");
    onnx_ints(&file, "one", "1");
    onnx_raw(&file, "idx", INT64, "1,1", (const int64_t[]){2}, 8);
    onnx_filled(&file, "upd", "1", 1, 9);
    for (const char *out = "mnopr"; *out; out++) onnx_output(&file, (char[]){*out, 0});
    add_onnx(to, "others.onnx", &file);
}

// ---- graph text and packages

static const char tiny[] = "graph \"tiny\" (%x: float32[1x2x4x4]) -> (%y) {\n"
                           "%w = const float32[2x2x3x3] random(seed=1)\n"
                           "%c = Conv(%x, %w) {pads=[1, 1, 1, 1]}\n%r = Relu(%c)\n"
                           "%y = MaxPool(%r) {kernel_shape=[2, 2], strides=[2, 2]}\n}";
static const char forms[] =
    "graph \"a \\\"net\\\"\" (%x: float32[Nx3xHx\"my x\"], %\"y/in\": int64[]) -> (%out, %\"y/in\") {\n"
    "%w = const float32[2x3x1x1] {1, -0.5, 0.1, inf, -inf, nan} # a comment\n"
    "%b = const float16[2] {0.33325195, 65504}\n%u = const uint64[1] {18446744073709551615}\n"
    "%t = const bool[2] {0, 1}\n%e = const int64[0] {}\n%z = const float64[3x1] full(0.5)\n"
    "%c = Conv \"enc/conv 1\" (%x, %w, _) {auto_pad=\"NOTSET\", group=1} : float32[Nx2xHx\"my x\"]\n"
    "%k, _ = Split (%c) {axis=1} : float32[Nx1xHx\"my x\"], _\n%l = Clip (%k, _, _)\n"
    "%s = ConstantOfShape (%e) {value=int64[1] {7}} : int64[]\n%h = Cast (%b) {to=\"float32\"}\n"
    "%g = Cast (%u) {to=\"float32\"}\n%i = Cast (%t) {to=\"float32\"}\n%j = Cast (%z) {to=\"float32\"}\n"
    "%q = Cast (%s) {to=\"float32\"}\n%out = Max (%l, %g, %j, %q) : float32[Nx1x?x?]\n}\n";
static const char moves[] =
    "graph (%x: float32[1x4x5x6]) -> (%a, %b, %c, %d, %e) {\n%p = const int64[8] {0, 0, 1, 1, 0, 0, 2, 2}\n"
    "%a = Pad(%x, %p) {mode=\"edge\"}\n%s = const int64[1] {1}\n%l = const int64[1] {-1}\n%t = const int64[1] {2}\n"
    "%b = Slice(%x, %s, %l, %t)\n%n = const int64[4] {1, 2, 1, 3}\n%c = Tile(%x, %n)\n"
    "%k = const int64[4] {1, 4, 10, 9}\n%d = Resize(%x, _, _, %k) {mode=\"linear\"}\n"
    "%h = const int64[3] {-1, 6, 2}\n%g = Reshape(%x, %h)\n%e = Softmax(%g) {axis=1}\n}\n";

static void seed_graphs(Seeds *to) {
    seed_add_text(to, "graph", "tiny.txt", tiny);
    seed_add_text(to, "graph", "forms.txt", forms);
    seed_add_text(to, "graph", "moves.txt", moves);
    add_file(to, "package", "tiny.stent", make_package("tiny.stent", tiny));
    add_file(to, "package", "moves.stent", make_package("moves.stent", moves));
    for (uint64_t seed = 1; seed <= 12; seed++) {
        char name[32];
        Text text = {0};
        random_network(seed, &text);
        snprintf(name, sizeof name, "random%d.txt", (int)seed);
        seed_add_text(to, "graph", name, text_get(&text));
        if (seed <= 4) {
            snprintf(name, sizeof name, "random%d.stent", (int)seed);
            add_file(to, "package", name, make_package(name, text_get(&text)));
        }
        text_free(&text);
    }
}

// ---- pictures

static uint32_t some_sample(const TiffRecipe *r, int page, int y, int x, int c) {
    return (uint32_t)(x * 3 + y * 5 + c + page) & (r->bits < 32 ? (1u << r->bits) - 1 : UINT32_MAX);
}

static void seed_pictures(Seeds *to) {
    static const TiffRecipe base = {.width = 20,
                                    .height = 9,
                                    .channels = 1,
                                    .bits = 8,
                                    .format = 1,
                                    .photometric = 1,
                                    .compression = 1,
                                    .extra = -1};
    TiffRecipe recipes[6] = {base, base, base, base, base, base};
    recipes[0].channels = 3, recipes[0].photometric = 2, recipes[0].compression = 5, recipes[0].predictor = 2;
    recipes[0].separate = true, recipes[0].tile_width = recipes[0].tile_height = 16;
    recipes[1].channels = 2, recipes[1].bits = 16, recipes[1].compression = 8, recipes[1].predictor = 2;
    recipes[1].big_endian = true, recipes[1].rows_per_strip = 2, recipes[1].extra = 1, recipes[1].pages = 3;
    recipes[2].bits = 2, recipes[2].photometric = 3, recipes[2].compression = 32773, recipes[2].big_endian = true;
    recipes[2].tile_width = recipes[2].tile_height = 16;
    recipes[3].photometric = 0, recipes[3].rows_per_strip = 4, recipes[3].pages = 2, recipes[3].resolution = 3;
    recipes[3].description = "ImageJ=1\nunit=mm\nspacing=2\n";
    recipes[4].channels = 3, recipes[4].bits = 32, recipes[4].format = 3, recipes[4].photometric = 2;
    recipes[4].compression = 5, recipes[4].predictor = 3, recipes[4].tile_width = recipes[4].tile_height = 16;
    recipes[5].bits = 16, recipes[5].format = 2;
    for (size_t i = 0; i < COUNT_OF(recipes); i++) {
        size_t size;
        char name[32];
        uint8_t *bytes = tiff_make(&recipes[i], some_sample, &size);
        snprintf(name, sizeof name, "made%zu.tif", i);
        seed_add(to, "tiff", name, bytes, size);
        mem_free(bytes);
    }
    for (size_t i = 0; i < COUNT_OF(foreign_files); i++) {
        char name[32];
        const bool png = foreign_files[i].bytes[0] == 0x89;
        snprintf(name, sizeof name, "foreign%zu.%s", i, png ? "png" : "tif");
        seed_add(to, png ? "png" : "tiff", name, foreign_files[i].bytes, foreign_files[i].size);
    }
}

// PNGs that no foreign file stands for: interlaced (rows of zeros), 16 bit, two chunks of data.
static void png_chunk(Text *png, const char *type, const void *data, size_t size) {
    Text chunk = {0};
    const uint8_t length[4] = {0, 0, (uint8_t)(size >> 8), (uint8_t)size};
    text_bytes(&chunk, type, 4);
    text_bytes(&chunk, data, size);
    const uint32_t crc = (uint32_t)crc32(0, (const Bytef *)chunk.data, (unsigned)chunk.length);
    const uint8_t end[4] = {(uint8_t)(crc >> 24), (uint8_t)(crc >> 16), (uint8_t)(crc >> 8), (uint8_t)crc};
    text_bytes(png, length, 4);
    text_bytes(png, chunk.data, chunk.length);
    text_bytes(png, end, 4);
    text_free(&chunk);
}
static void seed_png(Seeds *to, const char *name, int colour, int bits, int interlaced, size_t rows_bytes) {
    uint8_t rows[512] = {0}, packed[512];
    uLongf size = sizeof packed;
    REQUIRE(rows_bytes <= sizeof rows && compress(packed, &size, rows, rows_bytes) == Z_OK && size > 4);
    Text png = {0};
    text_bytes(&png, "\x89PNG\r\n\x1a\n", 8);
    const uint8_t head[13] = {0, 0, 0, 7, 0, 0, 0, 5, (uint8_t)bits, (uint8_t)colour, 0, 0, (uint8_t)interlaced};
    png_chunk(&png, "IHDR", head, sizeof head);
    png_chunk(&png, "IDAT", packed, 4);
    png_chunk(&png, "IDAT", packed + 4, size - 4);
    png_chunk(&png, "IEND", "", 0);
    seed_add(to, "png", name, png.data, png.length);
    text_free(&png);
}

// ---- tensors

static void seed_tensors(Seeds *to) {
    Arena arena = {0};
    static const DType dtypes[] = {DT_F32, DT_I64, DT_BOOL, DT_F16};
    NamedTensor named[COUNT_OF(dtypes)];
    for (size_t i = 0; i < COUNT_OF(dtypes); i++) {
        char name[32];
        named[i].name = dtype_name(dtypes[i]);
        CHECK_OK(tensor_make(&arena, dtypes[i], shape_of(3, (int64_t[]){2, (int64_t)i + 1, 3}), &named[i].tensor));
        snprintf(name, sizeof name, "%s.npy", named[i].name);
        CHECK_OK(npy_write(test_temp(name), &named[i].tensor));
        add_file(to, "npy", name, test_temp(name));
    }
    CHECK_OK(npz_write(test_temp("all.npz"), named, COUNT_OF(named)));
    add_file(to, "npz", "all.npz", test_temp("all.npz"));
    seed_add(to, "npz", "deflated.npz", deflated, sizeof deflated);
    arena_free(&arena);
    static const char fortran[] = "\x93NUMPY\1\0\x76\0{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }";
    Text npy = {0};
    text_bytes(&npy, fortran, sizeof fortran - 1);
    while (npy.length < 127) text_bytes(&npy, " ", 1);
    text_bytes(&npy, "\n", 1);
    text_bytes(&npy, "\0\1\0\2\0\3\0\4\0\5\0\6", 12);
    seed_add(to, "npy", "fortran.npy", npy.data, npy.length);
    text_free(&npy);
}

// ---- JSON

static void seed_json(Seeds *to) {
    static const char pipeline[] =
        "{\"version\": 1,\n \"input\": {\"channels\": 3, \"size\": [256, 200], \"resize\": \"bilinear\", \"scale\": "
        "0.00392156862745098,\n \"mean\": [0.5, 0, 1e-3], \"std\": [1, 2, 3], \"normalise\": \"percentile\", "
        "\"percentiles\": [10, 99],\n \"scope\": \"volume\", \"clip\": [-1, 255.5]},\n \"output\": {\"activation\": "
        "\"softmax\", \"threshold\": 0.25, \"classes\": [\"background\", \"tumour\\u00e9\"],\n \"keep_largest\": true, "
        "\"min_area\": 12}}";
    seed_add_text(to, "pipeline", "full.json", pipeline);
    seed_add_text(to, "pipeline", "small.json",
                  "{\"version\": 1, \"input\": {\"normalise\": \"zscore\", \"clip\": null}}");
    seed_add_text(to, "json", "pipeline.json", pipeline);
    seed_add_text(
        to, "json", "values.json",
        "[null, true, false, -0, 1e308, 0.1, \"\\\"\\\\\\/\\b\\f\\n\\r\\t\\ud83d\\ude00\", [], {}, {\"a\": [[1]]}]");
    seed_add_text(
        to, "results", "results.json",
        "{\"path\": \"a/b.tif\", \"hash\": \"00ff\", \"status\": \"ok\", \"content_hash\": \"ab\", \"options\": "
        "\"threshold 0.5\", \"ms\": 1.5}\n{\"path\": \"a/b.tif\", \"status\": \"bad\", \"error\": \"x\"}\n"
        "not json\n{\"path\": \"c.png\", \"hash\": null, \"status\": \"ok\"}");
    seed_add_text(
        to, "profile", "profile.json",
        "{\"verb\": \"profile\", \"stent\": \"0.1.0\", \"precision\": \"fp32\",\n \"machine\": {\"isa\": \"avx2\", "
        "\"threads\": 2, \"cpu\": \"A CPU\"},\n \"layers\": [{\"name\": \"x\", \"op\": \"convert\", \"shape\": "
        "\"1x3x8x8\", \"parts\": [], \"solver\": \"convert\", \"configuration\": \"\", \"ms\": 0.5, \"why\": \"bound "
        "by "
        "memory\", \"fallback\": false},\n {\"name\": \"y\", \"op\": \"Conv + Relu\", \"shape\": \"1x4x8x8\", "
        "\"parts\": [\"c\", \"y\"], \"solver\": \"reference\", \"configuration\": \"chunk 32\", \"ms\": 12.25, "
        "\"why\": "
        "\"no solver\", \"fallback\": true}],\n \"sum_ms\": 12.75, \"whole_ms\": 12.5}");
}

static void seed_plan(Seeds *to) {
    static const char body[] =
        "{\"for\": \"fuzz\", \"layers\": [{\"name\": \"r\", \"solver\": \"conv_winograd\", \"version\": 2, "
        "\"arithmetic\": [4, 128, 0, 0, 0, 0], \"schedules\": {\"2\": [0, 6, 1, 0, 0, 0], \"1\": [2, 1, 0, 0, 0, "
        "0]}}, {\"name\": \"y\", \"solver\": \"pool\", \"version\": 1, \"arithmetic\": [0, 0, 0, 0, 0, 0], "
        "\"schedules\": {}}]}\n";
    Text text = {0};
    text_add(&text, "stent-plan 1 %016llx\n%s", (unsigned long long)hash64(body, sizeof body - 1, 0), body);
    seed_add_text(to, "plan", "two.plan", text_get(&text));
    text_free(&text);
}

// For the layer of fuzz_wisdom.c, from here and from elsewhere, and one of another problem.
static void seed_wisdom(Seeds *to) {
    static const char *const bodies[] = {
        "2026-11-28T22:47:32Z\tavx2\tfuzz\t2\tconv fp32 1x16x8x8 -> 1x16x8x8\tconv_direct/2 0,0,0,0,0,0 0,0,0,0,0,0\t"
        "conv_direct/2 0,0,0,0,0,0 1,0,0,0,0,0\t0.9\t0.8\t1",
        "2026-11-28T22:47:33Z\tavx2\tanother\t4\tconv fp32 1x16x8x8 -> 1x16x8x8\tconv_direct/2 0,0,0,0,0,0 "
        "1,0,0,0,0,0\tconv_direct/2 0,0,0,0,0,0 2,0,0,0,0,0\t1.5\t1.5\t1.5",
        "2026-11-28T22:47:34Z\tsse2\tfuzz\t1\tpool fp32 1x8x4x4/4 -> 1x8x2x2/4 max\ta\tb\t1e-3\t0.001\t1000"};
    Text text = {0};
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        text_add(&text, "w1 %016llx\t%s\n", (unsigned long long)hash64(bodies[i], strlen(bodies[i]), 0), bodies[i]);
    seed_add_text(to, "wisdom", "three.wisdom", text_get(&text));
    text_free(&text);
}

static void seed_report(Seeds *to) {
    for (int i = 0; i < SAMPLES; i++) seed_add_text(to, "report", sample_names[i], samples[i]);
}

void make_seeds(Arena *arena, Seed **out, size_t *count) {
    Seeds to = {.arena = arena, .seeds = arena_array(arena, MOST_SEEDS, sizeof(Seed))};
    REQUIRE(to.seeds);
    onnx_unet(&to);
    onnx_shapes(&to);
    onnx_others(&to);
    seed_graphs(&to);
    seed_pictures(&to);
    seed_png(&to, "interlaced.png", 2, 8, 1, 130);
    seed_png(&to, "grey16.png", 4, 16, 0, 5 * (7 * 4 + 1));
    seed_tensors(&to);
    seed_json(&to);
    seed_plan(&to);
    seed_wisdom(&to);
    seed_report(&to);
    seed_torch(&to);
    seed_export(&to);
    seed_script(&to);
    seed_hdf5(&to);
    seed_keras(&to);
    seed_tflite(&to);
    seed_tensorflow(&to);
    *out = to.seeds;
    *count = to.count;
}
