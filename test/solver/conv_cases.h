// Convolutions for the tests of their solvers: cases, what they should give by plain loops in double, and the check of
// a solver against that.
#pragma once
#include "solver/harness.h"

extern const Solver solver_conv_direct, solver_conv_dilated, solver_conv_depthwise, solver_conv_winograd,
    solver_conv_transpose, solver_conv_amx, solver_conv_narrow, solver_conv_transpose_amx, solver_conv_winograd_amx;

typedef struct ConvCase {
    const char *what;
    int rank; // of the tensors: 2 + spatial dims
    int64_t n, ic, oc, group;
    int64_t in[AXES]; // d, h, w; absent axes 1
    int64_t kernel[AXES], stride[AXES], dilation[AXES], begin[AXES], end[AXES];
    int64_t output_padding[AXES]; // transposed
    bool bias, residual;
    int pool; // 1: of the output y; from 2 on of scaled_pools[pool - 2](y * scale + shift)
    Activation activation;
} ConvCase;
// What of a solver is run: see Run.
typedef struct Part {
    int arithmetic, configuration;
    Isa least;
} Part;
// That permits all that a solver of that level has: one product of bf16 values too.
Precision conv_precision(Isa least);
// Skips the test where neither AMX nor its emulation can run.
void conv_need_amx(void);

Shape conv_shape(int rank, int64_t n, int64_t c, const int64_t size[AXES]);
void conv_geometry(Problem *p, const ConvCase *c);
// The output's sizes.
void conv_out(const Solver *solver, const ConvCase *c, int64_t out[AXES]);
// run's first output before its function, in y.
void conv_expected(const Run *run, const int64_t in[AXES], const int64_t out[AXES], double *y);
double conv_deviation(const double *y, int64_t count);
// error: allowed, in standard deviations of the output before its function; 0: equality. Data are normal then, else
// whole numbers.
void conv_check_part(const Solver *solver, Part part, const ConvCase *c, double error);
void conv_check(const Solver *solver, const ConvCase *c, double error);
// All of conv_winograd_cases by F(tile,3), with the first schedule and the last. F(2,3) is exact on whole numbers.
void conv_check_winograd(const Solver *solver, int tile, Isa least, double error);
// Whether a run of `solver` notices what it loses of values that are all scaled, one of them replaced.
void conv_check_lost(const char *what, const Solver *solver, Part part, float everywhere, float once, bool lost);
void conv_check_all_lost(const Solver *solver, Part part);

// clang-format off
#define ONES { 1, 1, 1 }
#define NONE { 0, 0, 0 }
#define SQUARE(k) { 1, k, k }
#define PAD(p) { 0, p, p }
#define ALONE false, false, false, { FN_NONE, 0, 0 }
#define BIASED true, false, false, { FN_NONE, 0, 0 }
// clang-format on
extern const ConvCase conv_plain_cases[], conv_winograd_cases[];
extern const int conv_plain_count, conv_winograd_count;
