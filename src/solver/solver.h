// Solvers: each is one way to compute a kind of problem; one file a solver, one row in table.c.
#pragma once
#include "kernel/kernel.h"
#include "problem/problem.h"
#include "thread/work.h"

// What a solver asks of its operands.
typedef struct OperandNeed {
    LayoutKind kind;
    int block;                         // BLOCKED
    int64_t before[AXES], after[AXES]; // least border (inputs)
} OperandNeed;
typedef struct Need {
    OperandNeed in[PROBLEM_INPUTS], out[PROBLEM_OUTPUTS];
    bool in_place; // out[0] may be in[0]'s memory, laid out alike
} Need;

// A configuration: arithmetic (fixes every bit, chosen without looking at threads) and schedule (fixes none).
// The meaning of the numbers belongs to the solver; solver->print puts them in words.
enum { CONFIGURATION_NUMBERS = 6 };
enum { MOST_CONFIGURATIONS = 96 }; // of one solver for one problem, where nothing is tuned
typedef struct Configuration {
    int32_t arithmetic[CONFIGURATION_NUMBERS];
    int32_t schedule[CONFIGURATION_NUMBERS];
} Configuration;

// Is told of one configuration after the other; false: no more are wanted.
typedef bool ConfigurationVisitor(void *context, const Configuration *configuration);

// Where lower() puts what it makes. Everything allocated in `arena` lives as long as the plan.
typedef struct Lowering {
    Arena *arena;
    const Kernels *kernels;
    const Machine *machine;
    Ref in[PROBLEM_INPUTS], out[PROBLEM_OUTPUTS]; // BLOCKED: address of the origin; PLAIN: of the first element
    Ref temporary;                                // as many bytes as temporary() said
    size_t weights_bytes;                         // grows: prepared weights of the whole plan
    Phase *phases, *prepare;                      // grow; prepare phases fill BASE_WEIGHTS when a package is opened
    int n_phases, n_prepare, phases_capacity, prepare_capacity;
    int step;
} Lowering;
Status lowering_phase(Lowering *lowering, UnitFunction *run, const void *arguments, int64_t units, size_t scratch);
Status lowering_prepare(Lowering *lowering, UnitFunction *run, const void *arguments, int64_t units, size_t scratch);
// Room for prepared weights, 64-byte aligned.
Ref lowering_weights(Lowering *lowering, size_t bytes);
// Zeroes the border of a BLOCKED operand; joins the phase that follows. No phase when there is no border.
Status lowering_zero_border(Lowering *lowering, const Layout *layout, Ref origin);
// A constant among the prepared weights, laid out like this (dims of 1 may stand in front of its own). out: as in[].
Status lowering_constant(Lowering *lowering, const Tensor *constant, const Layout *layout, Ref *out);

// What a configuration computes in place of one multiply-add of direct sums in fp32.
typedef struct Effort {
    double products; // multiply-adds of fp32, or of bf16 where on_tiles
    bool on_tiles;   // AMX
    bool rounds;     // factors lose digits that fp32 has
} Effort;

typedef struct Solver {
    const char *name;
    int version; // raised when a configuration's meaning or bits change
    ProblemKind kind;
    // Whether this problem can be computed, and with which operand layouts. Sees in[] kinds and blocks of producers.
    bool (*applicable)(const Problem *problem, const Kernels *kernels, Need *need);
    // Up to `max` configurations, best guess first; at least one. Estimated whenever a package is opened: a few.
    int (*configurations)(const Problem *problem, const Kernels *kernels, const Machine *machine, Configuration *out,
                          int max);
    // Predicted time in cycles of one core's clock with problem->threads threads (only ratios matter).
    double (*estimate)(const Problem *problem, const Configuration *configuration, const Kernels *kernels,
                       const Machine *machine);
    // Bytes of arena needed while the step runs (shared between units); may be NULL: none.
    size_t (*temporary)(const Problem *problem, const Configuration *configuration, const Kernels *kernels,
                        const Machine *machine);
    Status (*lower)(const Problem *problem, const Configuration *configuration, Lowering *lowering);
    void (*print)(const Configuration *configuration, Text *text); // may be NULL
    // The rms error that its sums add to the output, over the output's standard deviation, for normal data: an upper
    // mark for any number of channels (docs/NUMERICS.md). May be NULL: a few roundings, which count as none.
    double (*error)(const Problem *problem, const Configuration *configuration, const Kernels *kernels);
    // May be NULL: direct sums in fp32.
    Effort (*effort)(const Configuration *configuration);
    // Bytes of prepared weights, the bias aside; of grouped convolutions about. May be NULL: none, or as many in each
    // configuration.
    size_t (*prepared_bytes)(const Problem *problem, const Configuration *configuration, const Kernels *kernels);
    // Whether operand i (inputs first, then outputs) may lie as bfloat16 (layout.h); all of a problem's `together` do,
    // or none. NULL: none may.
    bool (*may_halve)(const Problem *problem, const Configuration *configuration, int operand, bool *together);
    // The space of tuning: every configuration worth a try, those above among them, each once. In a number that the few
    // above leave at 0, 0 means what is usual. Sees of operands what applicable() does. May be NULL: the few are all.
    // False: the visitor wanted no more.
    bool (*space)(const Problem *problem, const Kernels *kernels, const Machine *machine, ConfigurationVisitor *visit,
                  void *context);
    // Whether two configurations for one problem prepare the same weights, byte for byte. May be NULL: only equal ones.
    bool (*same_weights)(const Configuration *a, const Configuration *b);
    // What keeps it from the machine's limit, for a person, as clauses behind "; " (solver/explain.h). May be NULL.
    void (*explain)(const Problem *problem, const Configuration *configuration, const Kernels *kernels,
                    const Machine *machine, Text *text);
} Solver;

// Error of a chain of `terms` products added in order, as Solver.error counts it: random roundings, so it grows with the
// root of the number of terms.
double chain_error(const Kernels *kernels, double terms);
double solver_error(const Solver *solver, const Problem *problem, const Configuration *configuration,
                    const Kernels *kernels); // 0 where the solver says nothing
Effort solver_effort(const Solver *solver, const Configuration *configuration);
bool solver_same_weights(const Solver *solver, const Configuration *a, const Configuration *b);
// Solver.same_weights of those whose schedule leaves the weights as they are.
bool weights_by_arithmetic(const Configuration *a, const Configuration *b);
// What solver->print says, behind `before`; nothing where it says nothing.
void solver_print(const Solver *solver, const Configuration *configuration, const char *before, Text *text);
// For solvers with one way only.
int one_configuration(const Problem *problem, const Kernels *kernels, const Machine *machine, Configuration *out,
                      int max);

extern const Solver *const solver_table[];
extern const int solver_count;
const Solver *solver_find(const char *name);
// Whether `solver` may compute `problem`: the right kind, applicable, and not in STENT_AVOID.
bool solver_applies(const Solver *solver, const Problem *problem, const Kernels *kernels, Need *need);
// Visits the whole space of a solver that applies. False: the visitor wanted no more.
bool solver_space(const Solver *solver, const Problem *problem, const Kernels *kernels, const Machine *machine,
                  ConfigurationVisitor *visit, void *context);
// A configuration by its numbers, wherever they come from: *out is the one of the space of `solver` that has them.
// scheduled false: of the few with this arithmetic the one that is estimated to be fastest. False where the solver does
// not apply or has no such one.
bool solver_take(const Solver *solver, const Problem *problem, const Kernels *kernels, const Machine *machine,
                 const Configuration *wanted, bool scheduled, Need *need, Configuration *out, double *cycles);
// The problem as whatever fixes bits sees it: one image, and a number of threads that is always the same.
Problem solver_usual(const Problem *problem);
// Best applicable solver and configuration by estimate and price of memory (problem.h) for `problem` among those whose
// error is below `limit` (INFINITY: all), respecting STENT_AVOID, a comma-separated list of solver names, and
// STENT_ESTIMATE=worst|random. NULL when none applies.
const Solver *solver_choose(const Problem *problem, const Kernels *kernels, const Machine *machine, double limit,
                            Need *need, Configuration *configuration, double *cycles);
// A solver would take `problem`, and STENT_AVOID keeps it out.
bool solver_avoided(const Problem *problem, const Kernels *kernels);
