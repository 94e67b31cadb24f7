// The engine of direct convolution: batch-reduce GEMM over rows of output pixels. conv_direct and conv_transpose are
// front ends that say which input pixels meet which taps.
#pragma once
#include "solver/solver.h"

// One regular set of output pixels: along each axis, output o_first + q * o_step takes input q * i_step + tap offset.
// A convolution is one sweep; a transposed one has a sweep a residue of the stride.
typedef struct Sweep {
    int64_t o_first[AXES];
    int taps;                 // GEMM batches a channel block
    const int32_t *offset;    // (taps) floats from the input pixel
    const int32_t *tap;       // (taps, tap_run) index into the kernel (kd kh kw)
} Sweep;

typedef struct Direct {
    const Sweep *sweeps; // (n_sweeps) in the order of o_first: d, h, w
    int n_sweeps;
    int64_t o_step[AXES], i_step[AXES];
    int tap_run;             // consecutive input pixels that one batch covers (first layers: kw), else 1
    bool transposed_weights; // (ic, oc/group, k) instead of (oc, ic/group, k)
    const int32_t *schedule; // of the configuration; read while lowering
} Direct;
// Numbers of a schedule, 0 where usual: rows of input a unit; units in the order of panels instead of rows, so that a
// panel's weights stay; weights that are used next are fetched ahead; most rows of a micro-kernel.
enum { DIRECT_ROWS, DIRECT_BY_PANELS, DIRECT_FETCH, DIRECT_GROUP };

// Sums are cut at this many input channels, about DIRECT_TERMS products; part sums are added in order. Belongs to the
// arithmetic. Shorter sums err less: with 128 channels whatever the kernel, and 3x3, twice as much (docs/NUMERICS.md).
enum { DIRECT_TERMS = 288, DIRECT_LEAST = 16, DIRECT_MOST = 128 };
int direct_chunk(const Problem *problem);

// in[0] BLOCKED with a block of `lanes`, or of all its channels (then one block); out[0] BLOCKED by `lanes`.
Status direct_lower(const Problem *problem, const Direct *direct, Lowering *lowering);
// Error of sums cut at `chunk` channels (Solver.error).
double direct_error(const Problem *problem, int chunk, const Kernels *kernels);
double direct_estimate(const Problem *problem, const Configuration *configuration, const Kernels *kernels,
                       const Machine *machine, double efficiency);
void direct_print(const Configuration *configuration, Text *text);
// Solver.explain and Solver.space of both front ends.
void direct_explain(const Problem *problem, const Configuration *configuration, const Kernels *kernels,
                    const Machine *machine, Text *text);
bool direct_space(const Problem *problem, const Kernels *kernels, const Machine *machine, ConfigurationVisitor *visit,
                  void *context);
