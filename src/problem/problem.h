// A problem: one region to be computed on one device, free of graphs: geometry, operands with layouts, epilogue.
#pragma once
#include "problem/layout.h"
#include "tensor/function.h"

typedef enum ProblemKind {
    PROBLEM_CONV,           // in[0] * weight + bias, epilogue
    PROBLEM_CONV_TRANSPOSE, // as conv
    PROBLEM_MATMUL,         // in[0] (..., m, k) x in[1] or weight (..., k, n)
    PROBLEM_POOL,
    PROBLEM_RESIZE,      // also anything that is separable taps along d, h, w
    PROBLEM_GRID_SAMPLE, // in[0] (n, c, spatial dims) at the places in in[1] (n, out dims, a number for each spatial
                         // dim)
    PROBLEM_UNARY,       // function(in[0])
    PROBLEM_BINARY,      // binary(in[0], in[1]) then function
    PROBLEM_LOGIC,       // comparisons, and, or, not, where
    PROBLEM_AFFINE,      // in[0] * scale[c] + shift[c], then function
    PROBLEM_NORM,        // instance, group or layer normalisation, then function
    PROBLEM_SOFTMAX,
    PROBLEM_CONVERT,  // in[0] to out[0]: same tensor, other layout
    PROBLEM_TOKENS,   // (n, pixels, c) in[0] to (n, c, spatial dims) out[0], or the other way
    PROBLEM_COPY,     // strided copies between plain tensors (concat, slice, transpose, pad, ...)
    PROBLEM_REFERENCE // any op, by the reference
} ProblemKind;

typedef enum PoolKind { POOL_MAX, POOL_AVERAGE, POOL_AVERAGE_WITH_PAD } PoolKind;
typedef enum SampleMode { SAMPLE_NEAREST, SAMPLE_LINEAR, SAMPLE_CUBIC } SampleMode;
typedef enum SampleOutside { OUTSIDE_ZEROS, OUTSIDE_BORDER, OUTSIDE_REFLECTION } SampleOutside;
typedef enum NormKind { NORM_INSTANCE, NORM_GROUP, NORM_LAYER } NormKind;

// One axis of a separable resize: out[o] = sum over t of weight[o * taps + t] * in[index[o * taps + t]].
typedef struct AxisTaps {
    int taps;             // 1: nearest, 2: linear, 4: cubic; 0: this axis is left alone
    const int32_t *index; // (out, taps), each within the input
    const float *weight;  // (out, taps)
} AxisTaps;

// One strided copy between plain tensors, element counts and strides in elements; dims beyond rank are absent.
typedef struct StridedCopy {
    int input;               // which in[]; -1: fill with the constant
    int rank;
    int64_t count[MAX_RANK];
    int64_t from_offset, from_stride[MAX_RANK];
    int64_t to_offset, to_stride[MAX_RANK];
} StridedCopy;

// What arithmetics may be used, each within an error of the whole network (plan_budget).
typedef enum Precision {
    PRECISION_FP32,   // any mix of direct sums, Winograd and split products
    PRECISION_STRICT, // direct sums only
    PRECISION_BF16    // also products of bf16 values, added in fp32
} Precision;
const char *precision_name(Precision precision); // "fp32", "strict", "bf16"
bool precision_parse(const char *name, Precision *out);

enum { PROBLEM_INPUTS = 3, PROBLEM_OUTPUTS = 2 };
typedef struct Problem {
    ProblemKind kind;
    int threads;    // a schedule may look at it, arithmetic may not
    Precision precision;
    // What a byte of prepared weights or temporary memory costs, in cycles: 0 where there is enough. It chooses among
    // schedules; among arithmetics, which changes bits, only where price_arithmetic.
    double byte_price;
    bool price_arithmetic;
    int n_inputs, n_outputs;
    Layout in[PROBLEM_INPUTS];   // while solvers are chosen: kind and block of what producers give; final in lower()
    Layout out[PROBLEM_OUTPUTS]; // out[1]: maxima, when has_pool
    // Convolutions, pooling. Spatial arrays are d, h, w, filled with 1 (pads 0) where absent.
    int64_t ic, oc, group;
    int64_t kernel[AXES], stride[AXES], dilation[AXES], pad_begin[AXES], pad_end[AXES];
    const float *weight; // conv (oc, ic/group, kd, kh, kw); transpose (ic, oc/group, kd, kh, kw); matmul (k, n) or NULL
    bool transposed_weight; // MATMUL: weight is (n, k)
    const float *bias;   // (oc) or NULL
    PoolKind pool;
    // Epilogue, in this order: + bias, + in[1] when has_residual, activation; that is out[0]. When has_pool, out[1] is
    // the 2x2 max-pooled copy of it (of NORM over volumes 2x2x2), or with a pool_scale of pool_activation(out[0] *
    // pool_scale[c] + pool_shift[c]), which must not fall as its argument grows: NONE, RELU, CLIP, or LEAKY_RELU with
    // alpha >= 0.
    Activation activation, pool_activation;
    bool has_residual, has_pool;
    Binary binary;
    Logic logic;
    const float *scale, *shift;           // AFFINE and NORM: (c)
    const float *pool_scale, *pool_shift; // CONV: (c)
    NormKind norm;
    int64_t norm_groups;        // GROUP; LAYER: number of trailing elements normalised together
    double epsilon;
    int64_t axis;               // SOFTMAX
    bool log_softmax;
    AxisTaps taps[AXES];        // RESIZE
    SampleMode sample;          // GRID_SAMPLE
    SampleOutside outside;
    bool align_corners;
    const StridedCopy *copies;  // COPY
    int n_copies;
    uint64_t fill;              // COPY with input -1: the bytes of one element, as in memory
    const void *reference;      // REFERENCE: ReferenceProblem (solver/reference.h)
} Problem;
int64_t problem_taps(const Problem *problem);         // of the kernel
int64_t problem_weight_count(const Problem *problem); // convolutions, either way: values of `weight`
double problem_flop(const Problem *problem); // direct sums: 2 per multiply-add
// In words, on one line without tabs: all that its time hangs on, so not the weights' values, names, borders of
// operands, or the number of threads. Not parsed by anybody.
void problem_print(const Problem *problem, Text *text);
