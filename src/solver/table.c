// The table of solvers, and the choice by estimate.
#include "base/rng.h"
#include "base/text.h"
#include "solver/solver.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SOLVER_LIST(X)                                                                                                 \
    X(conv_amx)                                                                                                        \
    X(conv_transpose_amx)                                                                                              \
    X(conv_winograd_amx)                                                                                               \
    X(conv_winograd)                                                                                                   \
    X(conv_direct)                                                                                                     \
    X(conv_dilated)                                                                                                    \
    X(conv_depthwise)                                                                                                  \
    X(conv_narrow)                                                                                                     \
    X(conv_transpose)                                                                                                  \
    X(matmul) X(pool) X(resize) X(grid_sample) X(unary) X(binary) X(logic) X(affine) X(norm) X(softmax) X(convert)     \
        X(tokens) X(copy) X(reference)
#define SOLVER_DECLARE(name) extern const Solver solver_##name;
SOLVER_LIST(SOLVER_DECLARE)
#define SOLVER_ROW(name) &solver_##name,
const Solver *const solver_table[] = {SOLVER_LIST(SOLVER_ROW)};
const int solver_count = COUNT_OF(solver_table);

bool weights_by_arithmetic(const Configuration *a, const Configuration *b) {
    return !memcmp(a->arithmetic, b->arithmetic, sizeof a->arithmetic);
}
bool solver_same_weights(const Solver *solver, const Configuration *a, const Configuration *b) {
    return !memcmp(a, b, sizeof *a) || (solver->same_weights && solver->same_weights(a, b));
}
const Solver *solver_find(const char *name) {
    for (int i = 0; i < solver_count; i++)
        if (!strcmp(solver_table[i]->name, name)) return solver_table[i];
    return NULL;
}
// Whether `name` stands in the comma-separated list.
static bool listed(const char *list, const char *name) {
    const size_t length = strlen(name);
    while (list && *list) {
        const size_t item = strcspn(list, ",");
        if (item == length && !strncmp(list, name, length)) return true;
        list += item + (list[item] == ',');
    }
    return false;
}
// For tests and proofs: STENT_ESTIMATE=worst turns the estimate around, random replaces it by chance (seeded by the
// problem's size, so that a plan is the same each time).
static double disturb(double cycles, const Problem *problem, int candidate) {
    const char *how = getenv("STENT_ESTIMATE");
    if (!how || !*how) return cycles;
    if (!strcmp(how, "worst")) return 1 / (cycles + 1);
    if (strcmp(how, "random")) return cycles;
    Rng rng;
    rng_seed(&rng, (uint64_t)problem_flop(problem) + (uint64_t)problem->kind * 1000003u + (uint64_t)candidate);
    return rng_uniform(&rng);
}
typedef struct Choice {
    const Solver *solver;
    Need need;
    Configuration configuration;
    double cost, cycles;
} Choice;

double chain_error(const Kernels *kernels, double terms) {
    const double unit = 0x1p-24, factor = kernels->isa >= ISA_AVX2 ? 0.35 : 0.5; // with one rounding a term, with two
    return factor * unit * sqrt(terms);
}
Effort solver_effort(const Solver *solver, const Configuration *configuration) {
    return solver->effort ? solver->effort(configuration) : (Effort){.products = 1};
}
double solver_error(const Solver *solver, const Problem *problem, const Configuration *configuration,
                    const Kernels *kernels) {
    return solver->error ? solver->error(problem, configuration, kernels) : 0;
}

void solver_print(const Solver *solver, const Configuration *configuration, const char *before, Text *text) {
    Text words = {0};
    if (solver->print) solver->print(configuration, &words);
    if (words.length) text_add(text, "%s%s", before, text_get(&words));
    text->failed = text->failed || words.failed;
    text_free(&words);
}

// What a configuration's memory costs at the problem's price.
static double memory_cost(const Solver *solver, const Problem *problem, const Configuration *configuration,
                          const Kernels *kernels, const Machine *machine) {
    if (problem->byte_price == 0) return 0;
    double bytes = solver->prepared_bytes ? (double)solver->prepared_bytes(problem, configuration, kernels) : 0;
    if (solver->temporary) bytes += (double)solver->temporary(problem, configuration, kernels, machine);
    return problem->byte_price * bytes;
}
bool solver_applies(const Solver *solver, const Problem *problem, const Kernels *kernels, Need *need) {
    memset(need, 0, sizeof *need);
    return solver->kind == problem->kind && !listed(getenv("STENT_AVOID"), solver->name) &&
           solver->applicable(problem, kernels, need);
}
// The best configuration of all solvers with less than `limit` of error, or only of those with the arithmetic of
// `fixed`.
static Choice best_of(const Problem *problem, const Kernels *kernels, const Machine *machine, double limit,
                      const Choice *fixed) {
    Choice best = {.cost = INFINITY};
    int candidate = 0;
    for (int i = 0; i < solver_count; i++) {
        const Solver *solver = solver_table[i];
        Need need;
        if ((fixed && fixed->solver != solver) || !solver_applies(solver, problem, kernels, &need)) continue;
        Configuration list[MOST_CONFIGURATIONS];
        memset(list, 0, sizeof list);
        const int count = solver->configurations(problem, kernels, machine, list, MOST_CONFIGURATIONS);
        for (int c = 0; c < count; c++) {
            if (fixed && memcmp(list[c].arithmetic, fixed->configuration.arithmetic, sizeof list[c].arithmetic))
                continue;
            if (solver_error(solver, problem, &list[c], kernels) >= limit) continue;
            const double cycles = solver->estimate(problem, &list[c], kernels, machine);
            const double cost =
                disturb(cycles, problem, candidate++) + memory_cost(solver, problem, &list[c], kernels, machine);
            if (cost < best.cost) best = (Choice){solver, need, list[c], cost, cycles};
        }
    }
    return best;
}
bool solver_avoided(const Problem *problem, const Kernels *kernels) {
    for (int i = 0; i < solver_count; i++) {
        Need need;
        memset(&need, 0, sizeof need);
        if (solver_table[i]->kind == problem->kind && listed(getenv("STENT_AVOID"), solver_table[i]->name) &&
            solver_table[i]->applicable(problem, kernels, &need))
            return true;
    }
    return false;
}
static void one_image(Layout *layout) {
    if (layout->kind == LAYOUT_BLOCKED && layout->n > 1) layout->shape.dim[0] = layout->n = 1;
}
Problem solver_usual(const Problem *problem) {
    enum { USUAL_THREADS = 4 };
    Problem usual = *problem;
    usual.threads = USUAL_THREADS;
    if (!problem->price_arithmetic) usual.byte_price = 0;
    if (problem->kind != PROBLEM_CONV && problem->kind != PROBLEM_CONV_TRANSPOSE && problem->kind != PROBLEM_POOL)
        return usual; // one solver each, and operands that may broadcast along the batch
    for (int i = 0; i < problem->n_inputs; i++) one_image(&usual.in[i]);
    for (int i = 0; i < problem->n_outputs; i++) one_image(&usual.out[i]);
    return usual;
}
bool solver_space(const Solver *solver, const Problem *problem, const Kernels *kernels, const Machine *machine,
                  ConfigurationVisitor *visit, void *context) {
    if (solver->space) return solver->space(problem, kernels, machine, visit, context);
    Configuration list[MOST_CONFIGURATIONS];
    memset(list, 0, sizeof list);
    const int count = solver->configurations(problem, kernels, machine, list, MOST_CONFIGURATIONS);
    for (int c = 0; c < count; c++)
        if (!visit(context, &list[c])) return false;
    return true;
}
static bool differs(void *context, const Configuration *configuration) {
    return memcmp(context, configuration, sizeof *configuration) != 0;
}
bool solver_take(const Solver *solver, const Problem *problem, const Kernels *kernels, const Machine *machine,
                 const Configuration *wanted, bool scheduled, Need *need, Configuration *out, double *cycles) {
    if (!scheduled) {
        const Choice arithmetic = {.solver = solver, .configuration = *wanted};
        const Choice best = best_of(problem, kernels, machine, INFINITY, &arithmetic);
        *need = best.need, *out = best.configuration, *cycles = best.cycles;
        return best.solver != NULL;
    }
    *out = *wanted;
    if (!solver_applies(solver, problem, kernels, need)) return false;
    if (solver_space(solver, problem, kernels, machine, differs, out)) return false;
    *cycles = solver->estimate(problem, out, kernels, machine);
    return true;
}
// In two steps, so that bits depend neither on the number of threads nor on the batch: the arithmetic as for a fixed
// number of threads and one image, then the schedule for the real ones.
const Solver *solver_choose(const Problem *problem, const Kernels *kernels, const Machine *machine, double limit,
                            Need *need, Configuration *configuration, double *cycles) {
    const Problem usual = solver_usual(problem);
    const Choice arithmetic = best_of(&usual, kernels, machine, limit, NULL);
    if (!arithmetic.solver) return NULL;
    const Choice choice = best_of(problem, kernels, machine, INFINITY, &arithmetic);
    *need = choice.need, *configuration = choice.configuration, *cycles = choice.cycles;
    return choice.solver;
}
