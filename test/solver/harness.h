// Runs one solver on one problem, for tests: every instruction set that this machine has, 1 to 3 threads (the bits must
// be equal), against expected values.
//
// Operands are laid out as the solver asks, in hostile surroundings: borders as asked or one wider (zeros in inputs; in
// outputs a pattern that must survive), lanes beyond c full of other numbers, output parts of a concatenation, and
// scratch, temporaries and outputs full of NaN beforehand. All of it, weights too, has exactly the right size and
// stands between inaccessible pages. After the prepare phases the plain constants are overwritten, since a package
// drops them.
#pragma once
#include "solver/solver.h"
#include "test.h"

enum { HARNESS_SPACE = 8192 }; // configurations of a solver for a problem
typedef struct Run {
    Problem problem;                    // kind, geometry, constants; threads, in[] and out[] are filled in
    Shape in_shape[PROBLEM_INPUTS], out_shape[PROBLEM_OUTPUTS];
    DType dtype;                        // of all operands; DT_NONE: float32
    const void *in[PROBLEM_INPUTS];     // plain, row-major
    bool blocked[PROBLEM_INPUTS];       // what the producer gives
    int in_block, out_block;            // CONVERT only: channels in a pixel of in[0] and out[0], 0: plain
    int arithmetic;                     // only configurations whose arithmetic begins with this number; 0: all
    int configuration;                  // which one of those (taken modulo their number; -1: the last)
    bool space;                         // of all that tuning may try
    Isa least;                          // the lowest level that has the solver
} Run;

// The kernels of a level, AVX-512 and AMX emulated where the machine has none (and AVX2), or NULL.
const Kernels *harness_kernels(Isa isa);
// From run->least up, the levels that differ for it: AMX only where it is asked for. ISA_COUNT: none is left.
Isa harness_next(const Run *run, int isa);
#define EACH_ISA(isa, run)                                                                                             \
    Isa isa = harness_next(run, (int)(run)->least);                                                                    \
    isa < ISA_COUNT;                                                                                                   \
    isa = harness_next(run, isa + 1)

// All configurations that the run may have, as far as there is room; how many there are.
int harness_list(const Solver *solver, const Run *run, Isa isa, int threads, Configuration *list, int room);

// False when the solver does not apply. out[i]: room for the plain elements of output i. Ends the test on a failure.
bool harness_run(const Solver *solver, const Run *run, Isa isa, int threads, void *const out[PROBLEM_OUTPUTS]);

// Replaces the kernels of a level, as a test's spies do; NULL: as they are.
void harness_spy(Isa isa, const Kernels *kernels);
// Told of each unit of the phases (prepare phases apart) before it runs; NULL: nobody is.
void harness_spy_units(void (*told)(int64_t unit));
bool harness_lost(void); // whether the last run called run_note_lost

// Checks out[0] (and out[1] where expected1 is given) on every level: |actual - expected| <= atol + rtol |expected|;
// NaN for NaN, infinity for infinity. what: names the case in messages. The solver must apply.
void harness_check(const char *what, const Solver *solver, const Run *run, const double *expected,
                   const double *expected1, double atol, double rtol);
// For dtypes other than float32: bytes must be equal.
void harness_check_bytes(const char *what, const Solver *solver, const Run *run, const void *expected);

// n values, in a buffer that the test may mem_free or leave (tests are processes).
void *harness_memory(int64_t count, size_t size);             // zeros
float *harness_integers(int64_t n, int range, uint64_t seed); // whole numbers from -range to range
float *harness_normal(int64_t n, uint64_t seed);              // mean 0, standard deviation 1
double *harness_doubles(int64_t n);                           // zeros
Shape harness_shape(int rank, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e);
// Kernel, stride, dilation 1 and pads 0 along all axes; 1 thread, no function.
Problem harness_problem(ProblemKind kind);
// The three spatial axes of a shape (n, c, 1 to 3 spatial dims), 1 where absent.
void harness_spatial(const Shape *shape, int64_t size[AXES]);
double harness_function(Activation activation, double x); // in double; every Function
