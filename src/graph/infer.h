// Private to src/graph: what the shape inference of all ops shares.
//
// An op's function gets types that may be partly unknown and says of the outputs what can be said. Messages are
// written without op and node: infer_node puts them in front.
#pragma once
#include "graph/graph.h"

typedef struct Infer {
    const Node *node;
    const Type *in;                // absent inputs: nothing known
    const Tensor *const *constant; // NULL entries: not known
    Type *out;
} Infer;
typedef Status InferFunction(const Infer *infer);

// Elementwise and normalisation (infer_elementwise.c), windows and matrices (infer_window.c), reductions and
// selections (infer_reduce.c), shapes (infer_shape.c), moving data (infer_move.c), resize (infer_resize.c).
InferFunction infer_same_float, infer_same_signed, infer_same_any, infer_clip, infer_cast, infer_dropout, infer_not;
InferFunction infer_prelu, infer_arithmetic, infer_mod, infer_pow, infer_compare, infer_logical, infer_where;
InferFunction infer_softmax, infer_batch_norm, infer_instance_norm, infer_group_norm, infer_layer_norm;
InferFunction infer_conv, infer_conv_transpose, infer_pool, infer_global_pool, infer_matmul, infer_gemm;
InferFunction infer_einsum; // einsum.c
InferFunction infer_reduce, infer_arg_max, infer_cum_sum, infer_top_k;
InferFunction infer_reshape, infer_flatten, infer_squeeze, infer_unsqueeze, infer_expand, infer_tile, infer_transpose;
InferFunction infer_shape_op, infer_range, infer_constant_of_shape;
InferFunction infer_concat, infer_split, infer_slice, infer_pad, infer_gather, infer_scatter_nd;
InferFunction infer_gather_elements, infer_gather_nd, infer_scatter_elements;
InferFunction infer_depth_to_space, infer_space_to_depth, infer_resize, infer_grid_sample;

// Checks of what is known; unknown passes.
enum { FLOATS = 1, SIGNED_INTS = 2, UNSIGNED_INTS = 4, BOOLS = 8, NUMBERS = 7, ANY_DTYPE = 15 };
Status want_dtype(const Infer *infer, int input, int classes);
Status want_same_dtype(const Infer *infer, int a, int b);
Status want_rank(const Infer *infer, int input, int min, int max); // max -1: MAX_RANK
Status want_vector(const Infer *infer, int input, int64_t count);  // rank 1 of `count` elements; count < 0: any
Status want_axis(int64_t axis, int rank, int *out);                // -rank..rank-1 to 0..rank-1
Status want_choice(const Infer *infer, const char *attribute, const char *otherwise, const char *choices); // "a b c"

// Dims that may be unknown or symbols.
static inline bool dim_known(int64_t dim) { return dim >= 0; }
bool dims_clash(int64_t a, int64_t b);  // both known and different
int64_t dim_join(int64_t a, int64_t b); // the same dim told twice: what is known best
Status dim_add(int64_t a, int64_t b, int64_t *out);
Status dim_mul(int64_t a, int64_t b, int64_t *out);
bool broadcast_dim(int64_t a, int64_t b, int64_t *out); // false: they clash
Status broadcast(const Type *a, const Type *b, Type *out); // shapes only
bool shape_known(const Type *type);
Type unknown_type(DType dtype, int rank); // all dims unknown; rank -1: rank too

// An input that is a list of integers (axes, pads, sizes ...).
typedef struct IntInput {
    bool present;
    const Tensor *values; // NULL: not known
    int64_t count;        // -1: not known
} IntInput;
Status int_input(const Infer *infer, int input, const char *what, IntInput *out);
static inline int64_t int_at(const IntInput *list, int64_t i) { return tensor_get_int(list->values, i); }
// Axes as a set. ST_BAD for one out of range or twice.
Status axes_of(const IntInput *list, int rank, bool chosen[MAX_RANK]);

// Words for messages; unknown dims and symbols are "?".
typedef struct TypeWords {
    char text[256];
} TypeWords;
TypeWords type_words(const Type *type);
TypeWords shape_words(const Type *type);

// Windows (window.c). Attributes, kernel and group; `weight_kernel` NULL: from kernel_shape.
Status window_read(const Node *node, int spatial, const int64_t *weight_kernel, Window *out);
Status window_axis(const Node *node, int axis, Window *window); // of a known input[axis]: output and pads there
int64_t window_symbolic(const Node *node, int axis, const Window *window, int64_t dim); // of an unknown one
