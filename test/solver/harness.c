#include "solver/harness.h"
#include "base/rng.h"
#include "guard.h"
#include "kernel/emulated.h"
#include "thread/pool.h"
#include <math.h>

enum { OPERANDS = PROBLEM_INPUTS + PROBLEM_OUTPUTS, UNTOUCHED = 0xff };

// ---- Data ----

void *harness_memory(int64_t count, size_t size) {
    static void *kept[1 << 14]; // reachable, so that the leak checker is content
    static size_t n_kept;
    void *memory = mem_zero((size_t)count + 1, size);
    REQUIRE(memory);
    kept[n_kept++ % COUNT_OF(kept)] = memory;
    return memory;
}
float *harness_integers(int64_t n, int range, uint64_t seed) {
    float *values = harness_memory(n, sizeof *values);
    Rng rng;
    rng_seed(&rng, seed);
    for (int64_t i = 0; i < n; i++) values[i] = (float)rng_below(&rng, (uint64_t)(2 * range + 1)) - (float)range;
    return values;
}
float *harness_normal(int64_t n, uint64_t seed) {
    float *values = harness_memory(n, sizeof *values);
    Rng rng;
    rng_seed(&rng, seed);
    for (int64_t i = 0; i < n; i++) values[i] = (float)rng_normal(&rng);
    return values;
}
double *harness_doubles(int64_t n) { return harness_memory(n, sizeof(double)); }
Shape harness_shape(int rank, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e) {
    return shape_of(rank, (const int64_t[]){a, b, c, d, e});
}
Problem harness_problem(ProblemKind kind) {
    Problem p = {.kind = kind, .threads = 1, .group = 1};
    for (int axis = 0; axis < AXES; axis++) p.kernel[axis] = p.stride[axis] = p.dilation[axis] = 1;
    return p;
}
void harness_spatial(const Shape *shape, int64_t size[AXES]) {
    for (int axis = 0; axis < AXES; axis++) {
        const int from = axis - AXES + shape->rank;
        size[axis] = from >= 2 ? shape->dim[from] : 1;
    }
}
static double unit(double x) { return x < 0 ? 0 : x > 1 ? 1 : x; }
static double round_even(double x) { return nearbyint(x); }
double harness_function(Activation f, double x) {
    const double alpha = f.alpha, beta = f.beta;
    switch (f.function) {
    case FN_NONE: case FN_COUNT: return x;
    case FN_RELU: return x < 0 ? 0 : x;
    case FN_LEAKY_RELU: return x < 0 ? alpha * x : x;
    case FN_CLIP: return isnan(x) ? x : fmin(fmax(x, alpha), beta);
    case FN_SIGMOID: return 1 / (1 + exp(-x));
    case FN_TANH: return tanh(x);
    case FN_SWISH: return x / (1 + exp(-alpha * x));
    case FN_HARD_SIGMOID: return unit(alpha * x + beta);
    case FN_HARD_SWISH: return x * unit(x / 6 + 0.5);
    case FN_ELU: return x < 0 ? alpha * expm1(x) : x;
    case FN_SELU: return beta * (x < 0 ? alpha * expm1(x) : x);
    case FN_GELU: return 0.5 * x * erfc(-x / sqrt(2));
    case FN_GELU_TANH: return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case FN_MISH: return x * tanh(x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)));
    case FN_SOFTPLUS: return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
    case FN_SOFTSIGN: return x / (1 + fabs(x));
    case FN_EXP: return exp(x);
    case FN_LOG: return log(x);
    case FN_SQRT: return sqrt(x);
    case FN_ABS: return fabs(x);
    case FN_NEG: return -x;
    case FN_ERF: return erf(x);
    case FN_FLOOR: return floor(x);
    case FN_CEIL: return ceil(x);
    case FN_ROUND: return round_even(x);
    case FN_RECIPROCAL: return 1 / x;
    }
    return x;
}

// ---- Surroundings ----
// All memory that a solver sees stands between inaccessible pages (guard.h). A run on 1 thread has everything as tight
// as the solver may ask for, with the guard behind its end; on 2 threads the guard stands before its start; on 3
// borders are one wider than asked for. On 2 and 3 outputs lie in a concatenation of twice their channels.
typedef struct Surroundings {
    GuardSide side;
    int extra_border;
    bool concatenated;
} Surroundings;
static Surroundings surroundings(int threads) {
    return (Surroundings){threads == 2 ? GUARD_START : GUARD_END, threads > 2 ? 1 : 0, threads > 1};
}

// ---- Operands ----

typedef struct Operand {
    Layout layout;
    char *buffer;
    size_t bytes, origin;
} Operand;

static Layout producer_layout(const Shape *shape, DType dtype, bool blocked, int lanes) {
    Layout layout = layout_plain(dtype, shape);
    if (shape->rank < 3 || shape->rank > 5) return layout;
    const int64_t none[AXES] = {0};
    CHECK_OK(layout_blocked(shape, lanes, none, none, &layout));
    layout.dtype = dtype;
    if (!blocked) layout.kind = LAYOUT_PLAIN;
    return layout;
}
// The layout that the solver asks for. Plain operands may be the caller's, of whom only whole elements are asked; parts
// of concatenations begin at any block.
static void operand_make(Operand *operand, const Shape *shape, DType dtype, const OperandNeed *need, const char *name,
                         const Surroundings *around, bool output) {
    size_t align = dtype_size(dtype);
    operand->origin = 0;
    operand->layout = layout_plain(dtype, shape);
    if (need->kind == LAYOUT_BLOCKED) {
        int64_t before[AXES], after[AXES];
        for (int axis = 0; axis < AXES; axis++) {
            const bool real = axis - AXES + shape->rank >= 2;
            before[axis] = need->before[axis] + (real ? around->extra_border : 0);
            after[axis] = need->after[axis] + (real ? around->extra_border : 0);
        }
        CHECK_OK(layout_blocked(shape, need->block, before, after, &operand->layout));
        if (output && around->concatenated) operand->layout.stride_n *= 2;
        align = (size_t)need->block * sizeof(float);
        operand->origin = layout_origin_bytes(&operand->layout);
    } else {
        harness_spatial(shape, operand->layout.size);
    }
    operand->bytes = layout_bytes(&operand->layout);
    operand->buffer = guard_alloc(name, operand->bytes, align, around->side);
}
static float *pixel(const Operand *o, int64_t n, int64_t block, const int64_t at[AXES]) {
    const Layout *l = &o->layout;
    return (float *)(o->buffer + o->origin) + n * l->stride_n + block * l->stride_block +
           at[AXIS_D] * l->stride[AXIS_D] + at[AXIS_H] * l->stride[AXIS_H] + at[AXIS_W] * l->stride[AXIS_W];
}
// Calls `visit` for each pixel of the image and the border; inside: not of the border.
typedef void Visit(const Operand *o, float *at, int64_t n, int64_t block, const int64_t position[AXES], bool inside,
                   void *data);
static void each_pixel(const Operand *o, Visit *visit, void *data) {
    const Layout *l = &o->layout;
    int64_t p[AXES];
    for (int64_t n = 0; n < l->n; n++)
        for (int64_t b = 0; b < l->blocks; b++)
            for (p[0] = -l->before[0]; p[0] < l->size[0] + l->after[0]; p[0]++)
                for (p[1] = -l->before[1]; p[1] < l->size[1] + l->after[1]; p[1]++)
                    for (p[2] = -l->before[2]; p[2] < l->size[2] + l->after[2]; p[2]++) {
                        bool inside = true;
                        for (int axis = 0; axis < AXES; axis++)
                            inside = inside && p[axis] >= 0 && p[axis] < l->size[axis];
                        visit(o, pixel(o, n, b, p), n, b, p, inside, data);
                    }
}
static int64_t plain_index(const Layout *l, int64_t n, int64_t c, const int64_t p[AXES]) {
    return (((n * l->c + c) * l->size[0] + p[0]) * l->size[1] + p[1]) * l->size[2] + p[2];
}
static void fill_pixel(const Operand *o, float *at, int64_t n, int64_t block, const int64_t position[AXES], bool inside,
                       void *data) {
    const Layout *l = &o->layout;
    const float *plain = data;
    for (int lane = 0; lane < l->block; lane++) {
        const int64_t c = block * l->block + lane;
        if (!inside) at[lane] = 0;
        else
            at[lane] =
                c < l->c ? plain[plain_index(l, n, c, position)] : (float)(1000 + 37 * lane) * (lane % 2 ? -1 : 1);
    }
}
static void operand_fill(Operand *o, const void *plain) {
    if (o->layout.kind == LAYOUT_PLAIN) memcpy(o->buffer, plain, o->bytes);
    else each_pixel(o, fill_pixel, (void *)(uintptr_t)plain);
}
static void read_pixel(const Operand *o, float *at, int64_t n, int64_t block, const int64_t position[AXES], bool inside,
                       void *data) {
    const Layout *l = &o->layout;
    uint32_t bits;
    for (int lane = 0; lane < l->block; lane++) {
        const int64_t c = block * l->block + lane;
        memcpy(&bits, &at[lane], sizeof bits);
        if (!inside) CHECK_MSG(bits == 0xffffffffu, "the output's border was written");
        else if (c < l->c) ((float *)data)[plain_index(l, n, c, position)] = at[lane];
        else CHECK_MSG(isfinite(at[lane]), "lane %d beyond c is not finite: %g", lane, at[lane]);
    }
}
// An input that becomes the output: its border must survive as an output's, whatever it holds.
static void spoil_pixel(const Operand *o, float *at, int64_t n, int64_t block, const int64_t position[AXES],
                        bool inside, void *data) {
    (void)n, (void)block, (void)position, (void)data;
    if (!inside) memset(at, UNTOUCHED, (size_t)o->layout.block * sizeof *at);
}
static void fill_around(Operand *o) {
    if (o->layout.kind == LAYOUT_BLOCKED) each_pixel(o, spoil_pixel, NULL);
}
static void check_gap(const Operand *o) {
    const Layout *l = &o->layout;
    const int64_t used = l->stride_block * l->blocks;
    for (int64_t n = 0; n < l->n; n++)
        for (int64_t i = used; i < l->stride_n; i++) {
            const unsigned char *byte = (const unsigned char *)o->buffer + (n * l->stride_n + i) * 4;
            if (byte[0] == UNTOUCHED && byte[3] == UNTOUCHED) continue;
            test_failed(__FILE__, __LINE__, "another part of the concatenation was written");
            return;
        }
}
static void operand_read(const Operand *o, void *plain) {
    if (o->layout.kind == LAYOUT_PLAIN) {
        memcpy(plain, o->buffer, o->bytes);
        return;
    }
    each_pixel(o, read_pixel, plain);
    check_gap(o);
}

// ---- Constants: copies that are overwritten once the prepare phases are done ----

typedef struct Constant {
    float *data;
    size_t count;
} Constant;
static const float *constant_copy(Constant *constant, const float *from, int64_t count, const char *name,
                                  GuardSide side) {
    *constant = (Constant){NULL, from ? (size_t)count : 0};
    if (!from) return NULL;
    constant->data = guard_alloc(name, constant->count * sizeof(float), sizeof(float), side);
    memcpy(constant->data, from, constant->count * sizeof(float));
    return constant->data;
}
static void constant_drop(Constant *constant) {
    if (constant->data) memset(constant->data, 0xff, constant->count * sizeof(float));
}
enum { WEIGHT, BIAS, SCALE, SHIFT, POOL_SCALE, POOL_SHIFT, CONSTANTS };
static void copy_constants(Problem *p, const Run *run, GuardSide side, Constant constants[CONSTANTS]) {
    const Shape *in = &run->in_shape[0], *out = &run->out_shape[0];
    const int64_t taps = p->kernel[0] * p->kernel[1] * p->kernel[2];
    const bool matmul = p->kind == PROBLEM_MATMUL;
    const int64_t n = matmul ? out->dim[out->rank - 1] : p->oc;
    const int64_t weights = matmul ? in->dim[in->rank - 1] * n : p->ic * p->oc / p->group * taps;
    const int64_t scales = p->kind == PROBLEM_NORM && p->norm == NORM_LAYER ? p->norm_groups : in->dim[1];
    p->weight = constant_copy(&constants[WEIGHT], p->weight, weights, "plain weights", side);
    p->bias = constant_copy(&constants[BIAS], p->bias, n, "bias", side);
    p->scale = constant_copy(&constants[SCALE], p->scale, scales, "scale", side);
    p->shift = constant_copy(&constants[SHIFT], p->shift, scales, "shift", side);
    p->pool_scale = constant_copy(&constants[POOL_SCALE], p->pool_scale, p->oc, "pool's scale", side);
    p->pool_shift = constant_copy(&constants[POOL_SHIFT], p->pool_shift, p->oc, "pool's shift", side);
}

// ---- Levels ----

static const Kernels *spies[ISA_COUNT];
void harness_spy(Isa isa, const Kernels *kernels) { spies[isa] = kernels; }
const Kernels *harness_kernels(Isa isa) { return spies[isa] ? spies[isa] : kernels_or_emulated(isa); }
Isa harness_next(const Run *run, int isa) {
    for (; isa < ISA_COUNT; isa++)
        if ((isa != ISA_AMX || run->least == ISA_AMX) && harness_kernels((Isa)isa)) return (Isa)isa;
    return ISA_COUNT;
}

// ---- The run ----

// ---- The configuration that the run names ----

typedef struct Picker {
    const Run *run;
    Configuration *list;
    int count, room;
} Picker;
static bool pick_one(void *context, const Configuration *configuration) {
    Picker *picker = context;
    if (picker->run->arithmetic && configuration->arithmetic[0] != picker->run->arithmetic) return true;
    if (picker->count < picker->room) picker->list[picker->count] = *configuration;
    picker->count++;
    return true;
}
static void pick_all(const Solver *solver, const Problem *p, const Kernels *kernels, const Machine *machine,
                     Picker *picker) {
    Configuration list[MOST_CONFIGURATIONS];
    memset(list, 0, sizeof list);
    if (picker->run->space) {
        CHECK(solver_space(solver, p, kernels, machine, pick_one, picker));
        return;
    }
    const int count = solver->configurations(p, kernels, machine, list, MOST_CONFIGURATIONS);
    for (int i = 0; i < count; i++) pick_one(picker, &list[i]);
}
static Configuration pick(const Solver *solver, const Run *run, const Problem *p, const Kernels *kernels,
                          const Machine *machine) {
    static Configuration list[HARNESS_SPACE];
    Picker picker = {.run = run, .list = list, .room = HARNESS_SPACE};
    pick_all(solver, p, kernels, machine, &picker);
    REQUIRE(picker.count >= 1 && picker.count <= HARNESS_SPACE);
    return list[run->configuration < 0 ? picker.count - 1 : run->configuration % picker.count];
}
static bool is_other(void *context, const Configuration *configuration) {
    return memcmp(context, configuration, sizeof *configuration) != 0;
}

// The problem as the planner gives it to solvers, and what they ask for. False: the solver does not apply.
static bool make_problem(const Solver *solver, const Run *run, const Kernels *kernels, int threads, int outputs,
                         Problem *out, Need *need) {
    const DType dtype = run->dtype == DT_NONE ? DT_F32 : run->dtype;
    Problem p = run->problem;
    p.threads = threads;
    p.n_inputs = 0, p.n_outputs = outputs;
    while (p.n_inputs < PROBLEM_INPUTS && run->in[p.n_inputs]) p.n_inputs++;
    for (int i = 0; i < p.n_inputs; i++)
        p.in[i] = producer_layout(&run->in_shape[i], dtype, run->blocked[i], kernels->lanes);
    for (int i = 0; i < p.n_outputs; i++) p.out[i] = producer_layout(&run->out_shape[i], dtype, false, kernels->lanes);
    if (p.kind == PROBLEM_CONVERT) {
        p.in[0] = producer_layout(&run->in_shape[0], dtype, run->in_block > 0, MAX(run->in_block, 1));
        p.out[0] = producer_layout(&run->out_shape[0], dtype, run->out_block > 0, MAX(run->out_block, 1));
    }
    memset(need, 0, sizeof *need);
    *out = p;
    return solver->applicable(&p, kernels, need);
}
int harness_list(const Solver *solver, const Run *run, Isa isa, int threads, Configuration *list, int room) {
    Picker picker = {.run = run, .list = list, .room = room};
    Machine machine;
    Problem p;
    Need need;
    CHECK_OK(machine_detect(&machine));
    REQUIRE(make_problem(solver, run, harness_kernels(isa), threads, 1 + run->problem.has_pool, &p, &need));
    pick_all(solver, &p, harness_kernels(isa), &machine, &picker);
    return picker.count;
}

static void run_some(const Phase *phases, int count, char *const *bases, int threads, GuardSide side) {
    Pool *pool;
    size_t scratch = 0;
    for (int i = 0; i < count; i++) scratch = MAX(scratch, phases[i].scratch);
    if (threads > 1) scratch = (size_t)round_up((int64_t)scratch, 64);
    CHECK_OK(pool_create(threads, &pool));
    CHECK_OK(pool_reserve(pool, count));
    char *memory = guard_alloc("scratch", scratch * (size_t)threads, 64, side);
    pool_run(pool, phases, count, bases, memory, scratch, NULL);
    pool_destroy(pool);
    guard_free(memory);
}
// On 1 thread each phase by itself, with as much scratch as it has asked for.
static void run_phases(const Phase *phases, int count, char *const *bases, int threads, GuardSide side) {
    const int together = threads > 1 ? count : 1;
    for (int first = 0; first < count; first += together) run_some(phases + first, together, bases, threads, side);
}
static void (*unit_spy)(int64_t unit);
void harness_spy_units(void (*told)(int64_t unit)) { unit_spy = told; }
static void spied_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    const Phase *phase = arguments;
    unit_spy(unit);
    phase->run(phase->arguments, bases, unit, scratch);
}
static void spy_units(Lowering *l) {
    for (int i = 0; unit_spy && i < l->n_phases; i++) {
        Phase *real = arena_alloc(l->arena, sizeof *real);
        REQUIRE(real);
        *real = l->phases[i];
        l->phases[i].run = spied_unit, l->phases[i].arguments = real;
    }
}
static bool last_lost;
bool harness_lost(void) { return last_lost; }
static void run_lowered(Lowering *l, size_t temporary, char **bases, Constant constants[CONSTANTS], int threads,
                        GuardSide side) {
    RunState state = {0};
    bases[BASE_SESSION] = (char *)&state;
    bases[BASE_ARENA] = guard_alloc("temporary memory", temporary, 64, side);
    bases[BASE_WEIGHTS] = guard_alloc("prepared weights", l->weights_bytes, 64, side);
    run_phases(l->prepare, l->n_prepare, bases, threads, side);
    for (int i = 0; i < CONSTANTS; i++) constant_drop(&constants[i]);
    run_phases(l->phases, l->n_phases, bases, threads, side);
    last_lost = state.lost;
    guard_free(bases[BASE_ARENA]);
    guard_free(bases[BASE_WEIGHTS]);
}
bool harness_run(const Solver *solver, const Run *run, Isa isa, int threads, void *const out[PROBLEM_OUTPUTS]) {
    const Kernels *kernels = harness_kernels(isa);
    const DType dtype = run->dtype == DT_NONE ? DT_F32 : run->dtype;
    Machine machine;
    CHECK_OK(machine_detect(&machine));
    REQUIRE(kernels);
    Problem p;
    Need need;
    int outputs = 0;
    while (outputs < PROBLEM_OUTPUTS && out[outputs]) outputs++;
    if (!make_problem(solver, run, kernels, threads, outputs, &p, &need)) return false;
    const Configuration configuration = pick(solver, run, &p, kernels, &machine), *c = &configuration;
    CHECK(solver->estimate(&p, c, kernels, &machine) > 0);

    static const char *const in_names[] = {"input 0", "input 1", "input 2", "input 3"};
    static const char *const out_names[] = {"output 0", "output 1", "output 2", "output 3"};
    const Surroundings around = surroundings(threads);
    Operand operands[OPERANDS];
    char *bases[BASE_EXTERNAL + OPERANDS] = {0};
    Arena arena = {0};
    Lowering lowering = {.arena = &arena, .kernels = kernels, .machine = &machine, .temporary = {BASE_ARENA, 0}};
    Constant constants[CONSTANTS];
    // On more than 1 thread in place, where the solver may: the input has the output's border and concatenation.
    const bool in_place = need.in_place && threads > 1;
    for (int i = 0; i < p.n_inputs; i++) {
        operand_make(&operands[i], &run->in_shape[i], dtype, &need.in[i], in_names[i], &around, in_place && i == 0);
        operand_fill(&operands[i], run->in[i]);
        p.in[i] = operands[i].layout, bases[BASE_EXTERNAL + i] = operands[i].buffer;
        lowering.in[i] = (Ref){BASE_EXTERNAL + i, operands[i].origin};
    }
    for (int i = 0; i < p.n_outputs; i++) {
        Operand *o = &operands[PROBLEM_INPUTS + i];
        if (in_place && i == 0) *o = operands[0], fill_around(o);
        else operand_make(o, &run->out_shape[i], dtype, &need.out[i], out_names[i], &around, true);
        p.out[i] = o->layout, bases[BASE_EXTERNAL + PROBLEM_INPUTS + i] = o->buffer;
        lowering.out[i] = (Ref){BASE_EXTERNAL + PROBLEM_INPUTS + i, o->origin};
    }
    // What the planner has taken is found again once layouts are final, by tuning.
    CHECK(!solver_space(solver, &p, kernels, &machine, is_other, (void *)(uintptr_t)c));
    copy_constants(&p, run, around.side, constants);
    const size_t temporary = solver->temporary ? solver->temporary(&p, c, kernels, &machine) : 0;
    CHECK_OK(solver->lower(&p, c, &lowering));
    if (solver->prepared_bytes && p.group == 1) { // bias, scale and shift, and rooms of whole cache lines, come on top
        const size_t said = solver->prepared_bytes(&p, c, kernels), took = lowering.weights_bytes;
        const size_t channels = (size_t)round_up(p.oc, kernels->lanes) * sizeof(float);
        const size_t more = channels * (p.pool_scale ? 3 : 1) + 4 * 64;
        CHECK_MSG(said <= took && took <= said + more, "%s said %zu bytes of weights and took %zu", solver->name, said,
                  took);
    }
    spy_units(&lowering);
    run_lowered(&lowering, temporary, bases, constants, threads, around.side);
    for (int i = 0; i < p.n_outputs; i++) operand_read(&operands[PROBLEM_INPUTS + i], out[i]);
    for (int i = 0; i < p.n_inputs; i++) guard_free(operands[i].buffer);
    for (int i = in_place; i < p.n_outputs; i++) guard_free(operands[PROBLEM_INPUTS + i].buffer);
    for (int i = 0; i < CONSTANTS; i++) guard_free(constants[i].data);
    arena_free(&arena);
    return true;
}

// ---- Comparison ----

static void compare(const char *what, Isa isa, const float *actual, const double *expected, int64_t count, double atol,
                    double rtol) {
    int64_t outside = 0, worst = 0;
    double largest = -1;
    for (int64_t i = 0; i < count; i++) {
        const double a = actual[i], e = expected[i], as_float = (float)e;
        if ((isnan(a) && isnan(e)) || a == as_float) continue;
        const double difference = fabs(a - e), limit = atol + rtol * fabs(e);
        if (difference <= limit) continue;
        outside++;
        if (!(difference / (limit + 1e-300) <= largest)) largest = difference / (limit + 1e-300), worst = i;
    }
    CHECK_MSG(outside == 0, "%s, %s: %lld of %lld values are off, most [%lld]: got %.9g, expected %.9g", what,
              isa_name(isa), (long long)outside, (long long)count, (long long)worst, actual[worst], expected[worst]);
}
typedef struct Result {
    void *out[PROBLEM_OUTPUTS];
    size_t bytes[PROBLEM_OUTPUTS];
} Result;
static Result result_make(const Run *run, int outputs) {
    const size_t size = dtype_size(run->dtype == DT_NONE ? DT_F32 : run->dtype);
    Result result = {{NULL, NULL}, {0, 0}};
    for (int i = 0; i < outputs; i++) {
        result.bytes[i] = (size_t)shape_count(&run->out_shape[i]) * size;
        result.out[i] = mem_zero(result.bytes[i] + 1, 1);
        REQUIRE(result.out[i]);
    }
    return result;
}
// Runs on 1, 2 and 3 threads; the result of 1 stays in `result`.
static bool run_threads(const char *what, const Solver *solver, const Run *run, Isa isa, Result *result, int outputs) {
    if (!harness_run(solver, run, isa, 1, result->out)) return false;
    Result other = result_make(run, outputs);
    for (int threads = 2; threads <= 3; threads++) {
        REQUIRE(harness_run(solver, run, isa, threads, other.out));
        for (int i = 0; i < outputs; i++)
            CHECK_MSG(!memcmp(result->out[i], other.out[i], result->bytes[i]), "%s, %s: %d threads give other bits",
                      what, isa_name(isa), threads);
    }
    for (int i = 0; i < outputs; i++) mem_free(other.out[i]);
    return true;
}
void harness_check(const char *what, const Solver *solver, const Run *run, const double *expected,
                   const double *expected1, double atol, double rtol) {
    const int outputs = expected1 ? 2 : 1;
    Result result = result_make(run, outputs);
    for (EACH_ISA(isa, run)) {
        if (!run_threads(what, solver, run, isa, &result, outputs)) {
            test_failed(__FILE__, __LINE__, "%s, %s: %s does not apply", what, isa_name(isa), solver->name);
            continue;
        }
        compare(what, isa, result.out[0], expected, shape_count(&run->out_shape[0]), atol, rtol);
        if (expected1) compare(what, isa, result.out[1], expected1, shape_count(&run->out_shape[1]), atol, rtol);
    }
    for (int i = 0; i < outputs; i++) mem_free(result.out[i]);
}
void harness_check_bytes(const char *what, const Solver *solver, const Run *run, const void *expected) {
    Result result = result_make(run, 1);
    for (EACH_ISA(isa, run)) {
        REQUIRE(run_threads(what, solver, run, isa, &result, 1));
        CHECK_MSG(!memcmp(result.out[0], expected, result.bytes[0]), "%s, %s: other bytes", what, isa_name(isa));
    }
    mem_free(result.out[0]);
}
