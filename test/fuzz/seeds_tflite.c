#include "fuzz/seeds_make.h"
#include "import/tflite_writer.h"

static void add_tflite(Seeds *to, const char *name, TfliteFile *file) {
    Text all = tflite_all(file);
    seed_add(to, "tflite", name, all.data, all.length);
    seed_add(to, "recognise", name, all.data, all.length);
    text_free(&all);
    tflite_drop(file);
}

// Windows of all kinds, a computed size, a signature.
static void tflite_unet(Seeds *to) {
    TfliteFile file = tflite_file();
    const int x = tflite_tensor(&file, "x", T_FLOAT32, "?,8,8,2");
    const int w = tflite_floats(&file, "w", "2,3,3,2", (const float[36]){1, -0.5f, 0.25f});
    const int d = tflite_floats(&file, "d", "1,3,3,2", (const float[18]){0.5f, 1, 2});
    const int u = tflite_floats(&file, "u", "2,2,2,2", (const float[16]){1, 2, 3});
    const int b = tflite_floats(&file, "b", "2", (const float[]){1, -1});
    const int from = tflite_ints(&file, "from", "0"), one = tflite_ints(&file, "one", "1");
    const int eight = tflite_int(&file, "eight", 8), two = tflite_int(&file, "two", 2);
    const int double_size = tflite_ints(&file, "size", "8,8"), pads = tflite_ints(&file, "pads", "0,0,1,1,1,1,0,0");
    file.tensors[pads].shape[0] = 4, file.tensors[pads].shape[1] = 2, file.tensors[pads].rank = 2;
    int t[13];
    for (int i = 0; i < 13; i++) t[i] = tflite_tensor(&file, "t", i > 4 && i < 8 ? T_INT32 : T_FLOAT32, "1");
    tflite_op(&file, 34, 0, NULL, (int[]){x, pads}, 2, &t[0], 1);
    tflite_op(&file, 3, 1, "0=b:1 1=i:1 2=i:1 3=b:1", (int[]){t[0], w, b}, 3, &t[1], 1);
    tflite_op(&file, 4, 2, "0=b:0 1=i:1 2=i:1 3=i:1 4=b:3 5=i:2 6=i:2", (int[]){t[1], d, b}, 3, &t[2], 1);
    tflite_op(&file, 17, 5, "0=b:1 1=i:2 2=i:2 3=i:2 4=i:2", &t[2], 1, &t[3], 1);
    tflite_op(&file, 1, 5, "0=b:0 1=i:1 2=i:1 3=i:3 4=i:2", &t[3], 1, &t[4], 1);
    tflite_op(&file, 77, 55, "0=b:2", &t[4], 1, &t[5], 1);
    tflite_op(&file, 45, 32, "4=i:1", (int[]){t[5], from, one, one}, 4, &t[6], 1);
    tflite_op(&file, 83, 59, "0=i:4", (int[]){t[6], eight, eight, two}, 4, &t[7], 1);
    tflite_op(&file, 67, 49, "0=b:0 1=i:2 2=i:2", (int[]){t[7], u, t[4], b}, 4, &t[8], 1);
    tflite_op(&file, 23, 15, "3=b:1", (int[]){t[4], double_size}, 2, &t[9], 1);
    tflite_op(&file, 2, 10, "0=i:3", (int[]){t[8], t[9], x}, 3, &t[10], 1);
    tflite_op(&file, 25, 9, "0=f:1", &t[10], 1, &t[11], 1);
    tflite_op(&file, 56, 40, "0=b:2", (int[]){t[11], one}, 2, &t[12], 1);
    file.tensors[t[12]].type = T_INT64;
    tflite_ends(&file, &x, 1, (int[]){t[11], t[12]}, 2);
    file.n_signatures = 1;
    file.signatures[0] = (TfliteSignatureMade){.key = "serving_default", .names = {"image", "mask", "classes"}};
    add_tflite(to, "unet.tflite", &file);
}

static void tflite_int8(Seeds *to) {
    TfliteFile file = tflite_file();
    const int x = tflite_tensor(&file, "x", T_INT8, "1,4,4,2"), y = tflite_tensor(&file, "y", T_UINT8, "1");
    const int w = tflite_bytes(&file, "w", T_INT8, "2,2,2,2", "abcdefghijklmnop", 16);
    const int b = tflite_bytes(&file, "b", T_INT32, "2", (const int32_t[]){1, 2}, 8);
    const int blocks = tflite_ints(&file, "blocks", "2,2"), pads = tflite_ints(&file, "pads", "2,2,2,2");
    const int shape = tflite_ints(&file, "shape", "1,-1"), f = tflite_bytes(&file, "f", T_INT8, "1,8", "01234567", 8);
    const int begin = tflite_ints(&file, "begin", "0,0"), size = tflite_ints(&file, "rows", "-1,8");
    int t[7];
    for (int i = 0; i < 7; i++) {
        t[i] = tflite_tensor(&file, "t", T_INT8, "1");
        tflite_quantise(&file, t[i], 0.5f, i);
    }
    tflite_quantise(&file, x, 0.25f, -3);
    tflite_quantise(&file, y, 0.125f, 100);
    tflite_quantise(&file, f, 0.5f, 0);
    for (int i = 0; i < 2; i++) tflite_quantise(&file, w, 0.5f, 0), tflite_quantise(&file, b, 0.125f, 0);
    tflite_op(&file, 38, 25, "", (int[]){x, blocks, pads}, 3, &t[0], 1);
    tflite_op(&file, 3, 1, "0=b:1 1=i:1 2=i:1 3=b:1", (int[]){t[0], w, b}, 3, &t[1], 1);
    tflite_op(&file, 37, 24, "", (int[]){t[1], blocks, pads}, 3, &t[2], 1);
    tflite_op(&file, 22, 17, "", (int[]){t[2], shape}, 2, &t[3], 1);
    tflite_op(&file, 65, 48, "", (int[]){t[3], begin, size}, 3, &t[4], 1);
    tflite_op(&file, 9, 8, "0=b:1", (int[]){t[4], f}, 2, &t[5], 1);
    tflite_op(&file, 14, 0, NULL, &t[5], 1, &t[6], 1);
    tflite_op(&file, 114, 89, "", &t[6], 1, &y, 1);
    tflite_ends(&file, &x, 1, &y, 1);
    add_tflite(to, "int8.tflite", &file);
}

void seed_tflite(Seeds *to) {
    tflite_unet(to);
    tflite_int8(to);
}
