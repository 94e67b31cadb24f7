#include "import/export/types.h"

// By the number of the file.
static const struct {
    int c10;
    DType dtype;
    const char *name;
} types[] = {
    [1] = {0, DT_U8, NULL},
    [2] = {1, DT_I8, NULL},
    [3] = {2, DT_I16, NULL},
    [4] = {3, DT_I32, NULL},
    [5] = {4, DT_I64, NULL},
    [6] = {5, DT_F16, NULL},
    [7] = {6, DT_F32, NULL},
    [8] = {7, DT_F64, NULL},
    [9] = {8, DT_NONE, "tensors of complex32"},
    [10] = {9, DT_NONE, "tensors of complex64"},
    [11] = {10, DT_NONE, "tensors of complex128"},
    [12] = {11, DT_BOOL, NULL},
    [13] = {15, DT_BF16, NULL},
    [28] = {27, DT_U16, NULL},
    [29] = {24, DT_NONE, "tensors of float8_e4m3fn"},
    [30] = {23, DT_NONE, "tensors of float8_e5m2"},
    [31] = {26, DT_NONE, "tensors of float8_e4m3fnuz"},
    [32] = {25, DT_NONE, "tensors of float8_e5m2fnuz"},
    [33] = {44, DT_NONE, "tensors of float8_e8m0fnu"},
    [34] = {28, DT_U32, NULL},
    [35] = {29, DT_U64, NULL},
};

static bool is_type(int64_t number) {
    return number > 0 && number < (int64_t)COUNT_OF(types) && (types[number].dtype != DT_NONE || types[number].name);
}

DType export_dtype(int64_t number) { return is_type(number) ? types[number].dtype : DT_NONE; }

const char *export_type_name(int64_t number) {
    return is_type(number) && types[number].name ? types[number].name : "tensors of a type that is not known";
}

int64_t export_scalar_type(int64_t number) {
    enum { FLOAT = 6 };
    if (!is_type(number)) return -1;
    return dtype_is_float(types[number].dtype) ? FLOAT : types[number].c10;
}

int64_t export_layout(int64_t number) {
    static const int64_t layouts[] = {-1, 1, 2, 4, 5, 6, 3, 0}; // sparse ones, mkldnn, strided
    return number >= 0 && number < (int64_t)COUNT_OF(layouts) ? layouts[number] : -1;
}

int64_t export_memory_format(int64_t number) {
    static const int64_t formats[] = {-1, 0, 2, 3, 1}; // contiguous, channels last, channels last 3d, preserve
    return number >= 0 && number < (int64_t)COUNT_OF(formats) ? formats[number] : -1;
}
