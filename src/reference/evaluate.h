// What the files of the reference share: the form of an op's function, and walking over tensors.
#pragma once
#include "reference/reference.h"

typedef struct Evaluation {
    const Node *node;
    const Tensor *const *inputs; // node->n_inputs; NULL: absent
    Tensor *outputs;             // made and zeroed, with the inferred dtypes and shapes; node->n_outputs
    Arena *scratch;              // given back after the call
    const ReferenceThreads *threads;
} Evaluation;
typedef Status Evaluate(const Evaluation *e);
// Units of an operator, on the threads that it has or one after the other.
Status each_unit(const Evaluation *e, ReferenceUnit *unit, const void *arguments, int64_t units, size_t scratch);

// One function for each op of the table: evaluate_Conv, evaluate_Relu ... A missing one does not link.
#define OP(name, min_in, max_in, min_out, max_out, kind, attributes, doc) Evaluate evaluate_##name;
#include "graph/ops.def"
#undef OP

// Input i, or NULL when it is absent.
static inline const Tensor *input_or_null(const Evaluation *e, int i) {
    return i < e->node->n_inputs ? e->inputs[i] : NULL;
}

// `count` zeros, in scratch.
Status make_doubles(const Evaluation *e, int64_t count, double **out);
// All elements as doubles, in scratch.
Status load_doubles(const Evaluation *e, const Tensor *tensor, double **out);
// The elements of a small integer tensor (axes, pads, sizes ...), at most `limit` of them.
Status read_ints(const Tensor *tensor, const char *what, int limit, int64_t *values, int *count);
// An axis in -rank..rank-1 as 0..rank-1.
Status read_axis(int64_t axis, int rank, int *out);
// Axes (NULL or empty: none) as one flag a dim.
Status read_axis_flags(const Tensor *axes, int rank, bool flags[MAX_RANK]);

static inline uint64_t as_unsigned(int64_t value) { return (uint64_t)value; }
// a < b for integers that tensor_get_int read from a tensor of that dtype (uint64 comes wrapped).
static inline bool integer_less(DType dtype, int64_t a, int64_t b) {
    return dtype == DT_U64 ? as_unsigned(a) < as_unsigned(b) : a < b;
}

// Toward zero. What the type cannot hold (NaN too) gives its lowest value for 32 and 64 bits and wraps from int32 for
// 8 and 16, as x86 processors (and so other engines there) convert.
int64_t float_to_integer(double x, DType to);
// The lowest and highest value of an integer dtype (or bool), as tensor_get_int would read them.
int64_t dtype_lowest(DType dtype);
int64_t dtype_highest(DType dtype);

// Elements spanned by dims from .. to - 1.
static inline int64_t product(const Shape *shape, int from, int to) {
    int64_t count = 1;
    for (int i = from; i < to; i++) count *= shape->dim[i];
    return count;
}

// Row-major strides, in elements.
void strides_of(const Shape *shape, int64_t stride[MAX_RANK]);
// Strides of `in` seen through the broadcast shape `out`: 0 along dims that are repeated.
void broadcast_strides(const Shape *in, const Shape *out, int64_t stride[MAX_RANK]);

// An odometer over a shape in row-major order that keeps offsets into up to three tensors:
//     for (walk_begin(&walk, &shape); walk.left > 0; walk_step(&walk)) ... walk.at[0] ...
// Set the strides after walk_begin (which clears them) and before the first step.
enum { WALK_MAX = 3 };
typedef struct Walk {
    Shape shape;
    int64_t left; // elements still to visit, this one included
    int64_t index[MAX_RANK];
    int64_t stride[WALK_MAX][MAX_RANK];
    int64_t at[WALK_MAX];
} Walk;
void walk_begin(Walk *walk, const Shape *shape);
void walk_step(Walk *walk);

// Copies element j of `from` to element i of `to`; both have the same dtype.
void copy_element(Tensor *to, int64_t i, const Tensor *from, int64_t j);
// Copies a run of elements.
void copy_elements(Tensor *to, int64_t i, const Tensor *from, int64_t j, int64_t count);
// to[index] = from[sum over axes of index * stride + offset] for every index of `to`.
void copy_strided(Tensor *to, const Tensor *from, int64_t offset, const int64_t stride[MAX_RANK]);
// to[index] = from[map[0][index 0], map[1][index 1] ...]; fill (one element of that dtype) where a map says -1.
void copy_mapped(Tensor *to, const Tensor *from, int64_t *const map[MAX_RANK], const Tensor *fill);
