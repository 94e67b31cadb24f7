// Dense tensors: dtype, shape, row-major data.
#pragma once
#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"
#include <stdint.h>

// name, bytes, C type, text name (numpy's), is float, is signed
#define DTYPE_MAP(X)                                  \
    X(DT_F32, 4, float, "float32", true, true)        \
    X(DT_F64, 8, double, "float64", true, true)       \
    X(DT_F16, 2, uint16_t, "float16", true, true)     \
    X(DT_BF16, 2, uint16_t, "bfloat16", true, true)   \
    X(DT_I8, 1, int8_t, "int8", false, true)          \
    X(DT_I16, 2, int16_t, "int16", false, true)       \
    X(DT_I32, 4, int32_t, "int32", false, true)       \
    X(DT_I64, 8, int64_t, "int64", false, true)       \
    X(DT_U8, 1, uint8_t, "uint8", false, false)       \
    X(DT_U16, 2, uint16_t, "uint16", false, false)    \
    X(DT_U32, 4, uint32_t, "uint32", false, false)    \
    X(DT_U64, 8, uint64_t, "uint64", false, false)    \
    X(DT_BOOL, 1, uint8_t, "bool", false, false)

typedef enum DType {
    DT_NONE, // not known
#define DTYPE_ENUM(name, bytes, ctype, text, is_float, is_signed) name,
    DTYPE_MAP(DTYPE_ENUM)
#undef DTYPE_ENUM
        DT_COUNT
} DType;
size_t dtype_size(DType dtype);       // bytes; 0 for DT_NONE
const char *dtype_name(DType dtype);  // "float32"; "none"
DType dtype_from_name(const char *name);
bool dtype_is_float(DType dtype);
bool dtype_is_integer(DType dtype); // integers without bool

enum { MAX_RANK = 8 };
typedef struct Shape {
    int rank; // 0..MAX_RANK; 0 is a scalar of one element
    int64_t dim[MAX_RANK];
} Shape;
Shape shape_of(int rank, const int64_t *dims);
bool shape_equal(const Shape *a, const Shape *b);
// Product of the dims with checked arithmetic; -1 on overflow or a negative dim.
int64_t shape_count(const Shape *shape);
// numpy broadcasting of two shapes; false when they don't go together.
bool shape_broadcast(const Shape *a, const Shape *b, Shape *out);
void shape_print(Text *text, const Shape *shape); // "1x3x256x256", "scalar"
// "1x3x256x256" to a shape.
bool shape_parse(const char *text, Shape *out);

typedef struct Tensor {
    DType dtype;
    Shape shape;
    void *data; // row-major; owner is whoever made it (an arena, a mapping, the caller)
} Tensor;
size_t tensor_bytes(const Tensor *tensor);  // 0 when it would overflow (checked when the tensor is made)
int64_t tensor_count(const Tensor *tensor); // elements
// Zeroed data in `arena`; ST_RESOURCE without memory, ST_BAD for an impossible shape.
Status tensor_make(Arena *arena, DType dtype, Shape shape, Tensor *out);
// A copy in `arena` whose axis k is axis perm[k] of `from` (a permutation of its axes).
Status tensor_permute(Arena *arena, const Tensor *from, const int *perm, Tensor *out);
// Element i (row-major) as double / int64: exact where the type allows it.
double tensor_get(const Tensor *tensor, int64_t i);
int64_t tensor_get_int(const Tensor *tensor, int64_t i);
void tensor_set(Tensor *tensor, int64_t i, double value);      // integers: rounded to nearest, saturated
void tensor_set_int(Tensor *tensor, int64_t i, int64_t value); // wraps to the type
// The elements [first, first + count), as tensor_get and tensor_set have them.
void tensor_read(const Tensor *tensor, int64_t first, int64_t count, double *values);
void tensor_write(Tensor *tensor, int64_t first, const double *values, int64_t count);
float f16_to_f32(uint16_t bits);
uint16_t f32_to_f16(float value); // round to nearest even
float bf16_to_f32(uint16_t bits);
uint16_t f32_to_bf16(float value); // round to nearest even

typedef struct Comparison {
    double max_abs;   // two NaNs differ by 0; a NaN or an infinity on one side only by infinity
    double max_rel;   // |a - e| / |e|, over the elements with e not 0
    double rms_rel;   // rms of the difference / standard deviation of the expected (rms when that is 0)
    int64_t outside;  // elements with |a - e| > atol + rtol * |e| (a NaN on one side only is outside)
    int64_t worst;    // index of the largest difference, -1 when none differs
} Comparison;
// Shapes and dtypes must be equal (else ST_BAD).
Status tensor_compare(const Tensor *actual, const Tensor *expected, double atol, double rtol, Comparison *out);
