// The error budget of a network: which layers may be computed in a way that is fast and less exact.
//
// Every solver foresees the error that it adds to a layer (Solver.error). Errors of layers are independent, so their
// squares add up on the way to the output:
//
//     error^2 = sum over layers of gain * (error of the layer)^2
//     gain = 54 * pixels / most pixels of this layer and those behind it, at least 2; 8 instead of 54 in front of the
//            coarsest layer; 1 for the last layer, whose error is the output's
//     A map of one channel inside of the network: 64 times that. Where it has 16 pixels or fewer, 9 times in front of
//     it.
//
// An upper mark, found by disturbing one layer of a network at a time (bench/gains.py, docs/NUMERICS.md): what stands
// nearest to the output arrives, the rest is averaged by the layers behind it, but not where the picture is the same
// everywhere, as around a scan: there it has the same error everywhere. Nor in a map of one channel that weighs a whole
// picture (PAN's pyramid); and one of a few numbers, of which one may nearly cancel, makes more of all that arrives.
//
// The plan begins with the fastest way for every layer. While the foreseen error is above the budget, the layer is made
// more exact whose change costs the least time for the error that it takes away (the greedy way into a knapsack). All
// is decided on the usual problem (solver_usual): bits depend neither on the number of threads nor on the batch.
#include "plan/planner.h"
#include <math.h>
#include <string.h>

static const double gain_near = 54, gain_far = 8, gain_least = 2;
static const double gain_one_map = 64, gain_waist = 9, waist_pixels = 16;

double plan_budget(Precision precision) {
    switch (precision) {
    case PRECISION_FP32: break;
    case PRECISION_STRICT: return 5e-6;
    case PRECISION_BF16: return 4e-2;
    }
    return 4e-5;
}

typedef struct Spent {
    Region *region;
    double gain;
    double error, cycles;       // of the way that is taken
    // The fastest way that is more exact.
    enum { NOT_ASKED, NONE, TOGETHER, APART } less; // APART: with an absorbed pool set free
    double less_error, less_cycles;
} Spent;

static double pixels(const Region *region) {
    const Layout *out = &region->problem.out[0];
    return out->kind == LAYOUT_BLOCKED ? (double)(out->size[AXIS_D] * out->size[AXIS_H] * out->size[AXIS_W]) : 1;
}
// A map of one channel, the network's own output aside.
static bool is_one_map(const Region *region) {
    const Shape *shape = &region->problem.out[0].shape;
    return shape->rank > 2 && shape->dim[1] == 1;
}
static bool same_form(const OperandNeed *a, const OperandNeed *b) { return a->kind == b->kind && a->block == b->block; }
static bool same_forms(const Region *region, int outputs, const Need *need) {
    for (int i = 0; i < region->problem.n_inputs; i++)
        if (!same_form(&region->need.in[i], &need->in[i])) return false;
    for (int i = 0; i < outputs; i++)
        if (!same_form(&region->need.out[i], &need->out[i])) return false;
    return true;
}
// Whether `problem`, of the region or of the region without its pool, can be had with less error and without neighbours
// noticing, in fewer cycles than the way found before.
static void ask_for(const Planner *planner, Spent *spent, const Problem *problem, double more_cycles, int how) {
    const Problem usual = solver_usual(problem);
    Need need;
    Configuration configuration;
    double cycles = 0;
    memset(&need, 0, sizeof need);
    const Solver *solver =
        solver_choose(&usual, planner->kernels, planner->machine, spent->error, &need, &configuration, &cycles);
    if (!solver || !same_forms(spent->region, problem->n_outputs, &need)) return;
    cycles += more_cycles;
    if (spent->less != NONE && cycles >= spent->less_cycles) return;
    spent->less = how, spent->less_cycles = cycles;
    spent->less_error = solver_error(solver, &usual, &configuration, planner->kernels);
}
static void ask(const Planner *planner, Spent *spent) {
    const Region *region = spent->region;
    spent->less = NONE;
    ask_for(planner, spent, &region->problem, 0, TOGETHER);
    if (region->apart)
        ask_for(planner, spent, &region->apart->problem, region_pool_cycles(planner, region), APART);
}
static double price(const Spent *spent) {
    const double less = spent->gain * (spent->error * spent->error - spent->less_error * spent->less_error);
    return MAX(spent->less_cycles - spent->cycles, 0) / less;
}
static double total(const Spent *spent, int count) {
    double squares = 0;
    for (int i = 0; i < count; i++) squares += spent[i].gain * spent[i].error * spent[i].error;
    return sqrt(squares);
}
static Status take(Planner *planner, Spent *spent) {
    Region *region = spent->region;
    if (spent->less == APART) TRY(region_release_pool(planner, region));
    region->solver = solver_choose(&region->problem, planner->kernels, planner->machine, spent->error, &region->need,
                                   &region->configuration, &region->cycles);
    spent->error = spent->less_error, spent->cycles = spent->less_cycles, spent->less = NOT_ASKED;
    return ST_OK;
}
static Status exchange(Planner *planner, Spent *spent, int count, bool *done) {
    Spent *best = NULL;
    for (int i = 0; i < count; i++) {
        if (spent[i].less == NOT_ASKED) ask(planner, &spent[i]);
        if (spent[i].less != NONE && (!best || price(&spent[i]) < price(best))) best = &spent[i];
    }
    *done = best == NULL;
    return best ? take(planner, best) : ST_OK;
}
// Cycles of the usual problem's own schedule, not of that which suits the threads at hand.
static Spent spent_by(const Planner *planner, Region *region) {
    const Problem usual = solver_usual(&region->problem);
    return (Spent){.region = region,
                   .error = solver_error(region->solver, &usual, &region->configuration, planner->kernels),
                   .cycles = usual_cycles(planner, &region->problem)};
}
static void set_gains(Spent *spent, int count) {
    int coarsest = 0;
    double most = 1, waist = 1;
    for (int i = 1; i < count; i++)
        if (pixels(spent[i].region) < pixels(spent[coarsest].region)) coarsest = i;
    for (int i = count - 1; i >= 0; i--) {
        const Region *region = spent[i].region;
        most = MAX(most, pixels(region));
        const double gain = i < coarsest ? gain_far : gain_near;
        spent[i].gain = i == count - 1 ? 1 : waist * MAX(gain_least, gain * pixels(region) / most);
        if (i == count - 1 || !is_one_map(region)) continue;
        spent[i].gain *= gain_one_map;
        if (pixels(region) <= waist_pixels) waist = gain_waist;
    }
}
Status keep_budget(Planner *planner, double *foreseen) {
    const double budget = planner->options.budget > 0 ? planner->options.budget : plan_budget(planner->options.precision);
    Spent *spent = arena_array(planner->arena, (size_t)planner->n_regions + 1, sizeof *spent);
    if (!spent) return fail_memory((size_t)planner->n_regions * sizeof *spent);
    int count = 0;
    for (int i = 0; i < planner->n_regions; i++) {
        Region *region = planner->regions[i];
        if (!region->solver || !region->solver->error) continue;
        spent[count++] = spent_by(planner, region);
    }
    set_gains(spent, count);
    // Where no way is more exact the self-check decides: the foreseen error is an upper mark.
    for (bool done = false; !done && total(spent, count) > budget;) TRY(exchange(planner, spent, count, &done));
    for (int i = 0; i < count; i++) spent[i].region->error = sqrt(spent[i].gain) * spent[i].error;
    *foreseen = total(spent, count);
    return ST_OK;
}
