// Times every way to compute a convolution: all solvers that apply, in all their configurations, each beside what its
// estimate says. bench/estimate.py feeds it and draws conclusions.
//
//     stent-shapes [--space] [THREADS] < shapes        a shape a line:
//         conv|transpose N IC OC D H W KD KH KW STRIDE DILATION GROUP POOL
//
// Pads are such that stride 1 keeps the size (transpose: none). Out, tab-separated, a line a way:
//     number of the shape, solver, configuration, estimate in cycles, milliseconds, 1 where the plan would take it
// --space: the whole space of tuning, hundreds of ways a shape. Behind a shape's ways come lines that begin with '#':
// the share of ways within 3 % of the best, and for each tuner how many trials it needs until it has measured one of
// these, in half and in 9 of 10 of 50 replays with these times (each trial off by a normal error of 1 %). Prepared
// weights are flushed from the caches before each run: in a network all the others came by since the last one. Inputs
// stay where the run before left them. STENT_ISA names the instruction set. Exit status 0; 2 for a line that is no
// shape.
#include "base/clock.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"
#include "measure/statistics.h"
#include "solver/solver.h"
#include "thread/pool.h"
#include "tune/search.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPERANDS = PROBLEM_INPUTS + PROBLEM_OUTPUTS, WAYS = 8192, ROUNDS = 3 };
static const double least_ms = 4; // of a round

typedef struct Bench {
    Machine machine;
    const Kernels *kernels;
    Pool *pool;
    int threads;
    bool space;
} Bench;
typedef struct Way {
    const Solver *solver;
    Need need;
    Configuration configuration;
    double cycles, ms;
} Way;

static void must(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "stent-shapes: %s: %s\n", what, error_message());
    exit(2);
}
static void *random_floats(size_t bytes) {
    float *values = pages_alloc(bytes, 4096);
    must(values, "no memory");
    Rng rng;
    rng_seed(&rng, 1);
    const size_t own = 1 << 16; // then these again
    for (size_t i = 0; i < bytes / sizeof *values; i++) values[i] = i < own ? (float)rng_normal(&rng) : values[i - own];
    return values;
}

// ---- The problem of a line ----

static int64_t out_size(const Problem *p, int axis, int64_t in) {
    const int64_t reach = (p->kernel[axis] - 1) * p->dilation[axis] + 1;
    if (p->kind == PROBLEM_CONV_TRANSPOSE) return (in - 1) * p->stride[axis] + reach;
    return (in + p->pad_begin[axis] + p->pad_end[axis] - reach) / p->stride[axis] + 1;
}
static Layout laid_out(const Bench *b, int64_t n, int64_t c, const int64_t size[AXES], const OperandNeed *need) {
    static const int64_t none[AXES] = {0};
    const Shape shape = shape_of(5, (const int64_t[]){n, c, size[0], size[1], size[2]});
    Layout layout = layout_plain(DT_F32, &shape);
    if (need && need->kind == LAYOUT_PLAIN) return layout;
    must(layout_blocked(&shape, need ? need->block : b->kernels->lanes, need ? need->before : none,
                        need ? need->after : none, &layout) == ST_OK,
         "a layout");
    return layout;
}
typedef struct Shapes {
    int64_t n, in[AXES], out[AXES], half[AXES];
} Shapes;
static bool read_problem(const char *line, const Bench *b, Problem *p, Shapes *s) {
    char kind[16];
    long v[13];
    if (sscanf(line, "%15s %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld", kind, &v[0], &v[1], &v[2], &v[3],
               &v[4], &v[5], &v[6], &v[7], &v[8], &v[9], &v[10], &v[11], &v[12]) != 14)
        return false;
    const bool transposed = !strcmp(kind, "transpose");
    if (!transposed && strcmp(kind, "conv")) return false;
    for (int i = 0; i < 12; i++)
        if (v[i] < 1 || v[i] > 4096) return false;
    *p = (Problem){.kind = transposed ? PROBLEM_CONV_TRANSPOSE : PROBLEM_CONV, .threads = b->threads, .n_inputs = 1};
    s->n = v[0], p->ic = v[1], p->oc = v[2], p->group = v[11], p->has_pool = v[12];
    if (p->ic % p->group || p->oc % p->group) return false;
    for (int axis = 0; axis < AXES; axis++) {
        s->in[axis] = v[3 + axis], p->kernel[axis] = v[6 + axis];
        // One slice: the depth stays as it is.
        p->stride[axis] = v[3] == 1 && axis == AXIS_D ? 1 : v[9];
        p->dilation[axis] = v[3] == 1 && axis == AXIS_D ? 1 : v[10];
        if (!transposed) p->pad_begin[axis] = p->pad_end[axis] = (p->kernel[axis] - 1) * p->dilation[axis] / 2;
        s->out[axis] = out_size(p, axis, s->in[axis]), s->half[axis] = axis ? s->out[axis] / 2 : s->out[axis];
        if (s->out[axis] < 1 || (p->has_pool && s->half[axis] < 1)) return false;
    }
    p->n_outputs = p->has_pool ? 2 : 1;
    p->activation.function = FN_RELU;
    return true;
}
static void first_layouts(const Bench *b, const Shapes *s, Problem *p) {
    p->in[0] = laid_out(b, s->n, p->ic, s->in, NULL);
    if (p->ic <= 4) p->in[0].kind = LAYOUT_PLAIN; // a network's input
    p->out[0] = laid_out(b, s->n, p->oc, s->out, NULL);
    if (p->has_pool) p->out[1] = laid_out(b, s->n, p->oc, s->half, NULL);
}

// ---- One way ----

static size_t most_scratch(const Phase *phases, int count) {
    size_t scratch = 64;
    for (int i = 0; i < count; i++) scratch = MAX(scratch, phases[i].scratch);
    return (size_t)round_up((int64_t)scratch, 64);
}
static void run_phases(const Bench *b, const Phase *phases, int count, char *const *bases, void *scratch) {
    pool_run(b->pool, phases, count, bases, scratch, most_scratch(phases, count), NULL);
}
static void flush(const char *from, size_t bytes) {
#if defined(__SSE2__)
    for (size_t at = 0; at < bytes; at += 64) __builtin_ia32_clflush(from + at);
    __builtin_ia32_mfence();
#else
    (void)from, (void)bytes;
#endif
}
static double best_ms(const Bench *b, const Lowering *l, char *const *bases, void *scratch) {
    double best = INFINITY;
    run_phases(b, l->phases, l->n_phases, bases, scratch);
    for (int round = 0; round < ROUNDS; round++) {
        const uint64_t begin = clock_ns();
        do {
            flush(bases[BASE_WEIGHTS], l->weights_bytes);
            const uint64_t start = clock_ns();
            run_phases(b, l->phases, l->n_phases, bases, scratch);
            best = MIN(best, clock_ms_since(start));
        } while (clock_ms_since(begin) < least_ms);
    }
    return best;
}
static void time_way(const Bench *b, const Shapes *s, Problem p, Way *way) {
    Arena arena = {0};
    Lowering l = {.arena = &arena, .kernels = b->kernels, .machine = &b->machine, .temporary = {BASE_ARENA, 0}};
    RunState state = {0};
    char *bases[BASE_EXTERNAL + OPERANDS] = {[BASE_SESSION] = (char *)&state};
    size_t bytes[OPERANDS] = {0};
    p.in[0] = laid_out(b, s->n, p.ic, s->in, &way->need.in[0]);
    p.out[0] = laid_out(b, s->n, p.oc, s->out, &way->need.out[0]);
    if (p.has_pool) p.out[1] = laid_out(b, s->n, p.oc, s->half, &way->need.out[1]);
    const Layout *layouts[OPERANDS] = {
        [0] = &p.in[0], [PROBLEM_INPUTS] = &p.out[0], [PROBLEM_INPUTS + 1] = p.has_pool ? &p.out[1] : NULL};
    for (int i = 0; i < OPERANDS; i++) {
        if (!layouts[i]) continue;
        bytes[i] = layout_bytes(layouts[i]);
        bases[BASE_EXTERNAL + i] = random_floats(bytes[i]);
        const bool plain = layouts[i]->kind == LAYOUT_PLAIN;
        const Ref origin = {BASE_EXTERNAL + i, plain ? 0 : layout_origin_bytes(layouts[i])};
        if (i < PROBLEM_INPUTS) l.in[i] = origin;
        else l.out[i - PROBLEM_INPUTS] = origin;
    }
    const size_t temporary =
        MAX(way->solver->temporary ? way->solver->temporary(&p, &way->configuration, b->kernels, &b->machine) : 0, 64);
    must(way->solver->lower(&p, &way->configuration, &l) == ST_OK, way->solver->name);
    const size_t scratch_bytes =
        MAX(most_scratch(l.phases, l.n_phases), most_scratch(l.prepare, l.n_prepare)) * (size_t)b->threads;
    const size_t weights = MAX(l.weights_bytes, 64);
    bases[BASE_ARENA] = pages_alloc(temporary, 4096), bases[BASE_WEIGHTS] = pages_alloc(weights, 4096);
    void *scratch = pages_alloc(scratch_bytes, 4096);
    must(bases[BASE_ARENA] && bases[BASE_WEIGHTS] && scratch, "no memory");
    must(pool_reserve(b->pool, MAX(l.n_phases, l.n_prepare)) == ST_OK, "a pool");
    run_phases(b, l.prepare, l.n_prepare, bases, scratch);
    way->ms = best_ms(b, &l, bases, scratch);
    pages_free(scratch, scratch_bytes);
    pages_free(bases[BASE_ARENA], temporary), pages_free(bases[BASE_WEIGHTS], weights);
    for (int i = 0; i < OPERANDS; i++)
        if (bytes[i]) pages_free(bases[BASE_EXTERNAL + i], bytes[i]);
    arena_free(&arena);
}

// ---- All ways ----

typedef struct WayList {
    const Bench *bench;
    const Problem *problem;
    const Solver *solver;
    Need need;
    Way *ways;
    int count;
} WayList;
static bool add_way(void *context, const Configuration *c) {
    WayList *list = context;
    const Bench *b = list->bench;
    const double cycles = list->solver->estimate(list->problem, c, b->kernels, &b->machine);
    if (list->count < WAYS) list->ways[list->count++] = (Way){list->solver, list->need, *c, cycles, 0};
    return list->count < WAYS;
}
static int ways_of(const Bench *b, const Problem *p, Way ways[WAYS]) {
    WayList list = {.bench = b, .problem = p, .ways = ways};
    for (int i = 0; i < solver_count; i++) {
        const Solver *solver = list.solver = solver_table[i];
        Configuration few[MOST_CONFIGURATIONS];
        memset(few, 0, sizeof few), memset(&list.need, 0, sizeof list.need);
        if (solver->kind != p->kind || !solver->applicable(p, b->kernels, &list.need)) continue;
        if (b->space) {
            solver_space(solver, p, b->kernels, &b->machine, add_way, &list);
            continue;
        }
        const int n = solver->configurations(p, b->kernels, &b->machine, few, MOST_CONFIGURATIONS);
        for (int c = 0; c < n; c++) add_way(&list, &few[c]);
    }
    return list.count;
}

// ---- Replays ----

static bool is_way(const Way *a, const Way *b) {
    return a->solver == b->solver && !memcmp(&a->configuration, &b->configuration, sizeof a->configuration);
}
static int number_of(const Solver *solver) {
    int number = 0;
    while (solver_table[number] != solver) number++;
    return number;
}
// The search over these ways; ways[0] is what the plan would take.
static int replay(const Way *ways, int count, double best, Tuner tuner, uint64_t seed) {
    static Candidate candidates[WAYS];
    static const double noise = 0.01;
    SearchLayer layer = {.candidates = candidates, .n_candidates = count};
    Search search;
    Rng rng;
    int pick, trials = 0;
    for (int i = 0; i < count; i++) {
        candidates[i] = (Candidate){.estimate = ways[i].cycles, .knob = {number_of(ways[i].solver)}};
        memcpy(candidates[i].knob + 1, &ways[i].configuration, sizeof ways[i].configuration);
    }
    search_begin(&search, &layer, 1, &(SearchOptions){.tuner = tuner, .seed = seed});
    rng_seed(&rng, seed + 1);
    if (ways[0].ms <= 1.03 * best) return 0;
    while (search_next(&search, &pick)) {
        trials++;
        search_tell(&search, 0, pick, ways[pick].ms / ways[0].ms * (1 + noise * rng_normal(&rng)));
        if (ways[pick].ms <= 1.03 * best) break;
    }
    return trials;
}
static void tell_replays(Way *ways, int count, const Way *chosen) {
    enum { REPLAYS = 50 };
    static const char *const names[] = {"model", "ga", "random", "grid"};
    double best = INFINITY;
    int near = 0;
    for (int i = 0; i < count; i++) {
        best = MIN(best, ways[i].ms);
        if (!is_way(&ways[i], chosen)) continue;
        const Way first = ways[0];
        ways[0] = ways[i], ways[i] = first;
    }
    for (int i = 0; i < count; i++) near += ways[i].ms <= 1.03 * best;
    printf("# %d ways, %.1f %% within 3 %% of the best, %.6f ms; what the plan would take is at %.3f of it\n", count,
           100.0 * near / count, best, ways[0].ms / best);
    for (size_t t = 0; t < COUNT_OF(names); t++) {
        double trials[REPLAYS];
        Tuner tuner;
        must(tuner_from_name(names[t], &tuner), names[t]);
        for (int i = 0; i < REPLAYS; i++) trials[i] = replay(ways, count, best, tuner, (uint64_t)i);
        sort_doubles(trials, REPLAYS);
        printf("# %s\t%.0f\t%.0f\n", names[t], trials[REPLAYS / 2], trials[REPLAYS * 9 / 10]);
    }
}
static void time_shape(const Bench *b, int number, Problem *p, const Shapes *s) {
    static Way ways[WAYS];
    Way chosen = {0};
    first_layouts(b, s, p);
    const int64_t taps = p->kernel[0] * p->kernel[1] * p->kernel[2];
    const size_t weight_bytes = (size_t)(p->ic * p->oc / p->group * taps) * sizeof(float);
    const size_t bias_bytes = (size_t)p->oc * sizeof(float);
    float *weight = random_floats(weight_bytes), *bias = random_floats(bias_bytes);
    p->weight = weight, p->bias = bias;
    chosen.solver =
        solver_choose(p, b->kernels, &b->machine, INFINITY, &chosen.need, &chosen.configuration, &chosen.cycles);
    const int count = ways_of(b, p, ways);
    for (int i = 0; i < count; i++) {
        Text words = {0};
        time_way(b, s, *p, &ways[i]);
        if (ways[i].solver->print) ways[i].solver->print(&ways[i].configuration, &words);
        const bool taken = is_way(&ways[i], &chosen);
        printf("%d\t%s\t%s\t%.0f\t%.6f\t%d\n", number, ways[i].solver->name, text_get(&words), ways[i].cycles,
               ways[i].ms, taken);
        text_free(&words);
    }
    if (b->space && chosen.solver) tell_replays(ways, count, &chosen);
    fflush(stdout);
    pages_free(weight, weight_bytes), pages_free(bias, bias_bytes);
}
int main(int argc, char **argv) {
    Bench b = {.space = argc > 1 && !strcmp(argv[1], "--space")};
    b.threads = argc > 1 + b.space ? atoi(argv[1 + b.space]) : 2;
    char line[256];
    must(b.threads >= 1 && machine_detect(&b.machine) == ST_OK, "the machine");
    b.kernels = kernels_for(b.machine.isa);
    must(b.kernels && pool_create(b.threads, &b.pool) == ST_OK, "threads");
    for (int number = 0; fgets(line, sizeof line, stdin); number++) {
        Problem problem;
        Shapes shapes;
        if (!read_problem(line, &b, &problem, &shapes)) {
            fprintf(stderr, "stent-shapes: line %d is no shape: %s", number + 1, line);
            return 2;
        }
        time_shape(&b, number, &problem, &shapes);
    }
    pool_destroy(b.pool);
    return 0;
}
