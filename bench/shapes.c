// Times every way to compute a convolution: all solvers that apply, in all their configurations, each beside what its
// estimate says. bench/estimate.py feeds it and draws conclusions.
//
//     stent-shapes [THREADS] < shapes
//     stent-shapes --space THREADS [LANDSCAPE] < shape
// A shape a line:
//         conv|transpose N IC OC D H W KD KH KW STRIDE DILATION GROUP POOL
//
// Pads are such that stride 1 keeps the size (transpose: none). Out, tab-separated, a line a way:
//     number of the shape, solver, configuration, estimate in cycles, milliseconds, 1 where the plan would take it
// --space: the whole space of tuning, hundreds of ways a shape, as a landscape (test/tune/landscape.h), each measured
// between two measurements of the plan's way, the best five times; LANDSCAPE: an earlier one of that shape, of which
// only the best are measured again. Prepared weights are flushed from the caches before each run: in a network all the
// others came by since the last one. Inputs stay where the run before left them. STENT_ISA names the instruction set.
// Exit status 0; 2 for a line that is no shape.
#include "base/clock.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/statistics.h"
#include "base/text.h"
#include "solver/solver.h"
#include "thread/pool.h"
#include "tune/recall.h"
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
    const char *times; // an earlier landscape; NULL: none
} Bench;
enum { OFTEN = 5 };
typedef struct TimedWay {
    Way is;
    Need need;
    double cycles, ms;
    double ratios[OFTEN]; // --space: to the plan's way; ms is of their median
    int n_ratios;
} TimedWay;

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
// A way that is ready to run.
typedef struct Opened {
    Arena arena;
    Lowering l;
    RunState state;
    char *bases[BASE_EXTERNAL + OPERANDS];
    size_t bytes[OPERANDS], temporary, weights, scratch_bytes;
    void *scratch;
} Opened;
static void open_way(const Bench *b, const Shapes *s, Problem p, const TimedWay *way, Opened *o) {
    *o = (Opened){.l = {.kernels = b->kernels, .machine = &b->machine, .temporary = {BASE_ARENA, 0}}};
    o->l.arena = &o->arena;
    o->bases[BASE_SESSION] = (char *)&o->state;
    p.in[0] = laid_out(b, s->n, p.ic, s->in, &way->need.in[0]);
    p.out[0] = laid_out(b, s->n, p.oc, s->out, &way->need.out[0]);
    if (p.has_pool) p.out[1] = laid_out(b, s->n, p.oc, s->half, &way->need.out[1]);
    const Layout *layouts[OPERANDS] = {
        [0] = &p.in[0], [PROBLEM_INPUTS] = &p.out[0], [PROBLEM_INPUTS + 1] = p.has_pool ? &p.out[1] : NULL};
    for (int i = 0; i < OPERANDS; i++) {
        if (!layouts[i]) continue;
        o->bytes[i] = layout_bytes(layouts[i]);
        o->bases[BASE_EXTERNAL + i] = random_floats(o->bytes[i]);
        const bool plain = layouts[i]->kind == LAYOUT_PLAIN;
        const Ref origin = {BASE_EXTERNAL + i, plain ? 0 : layout_origin_bytes(layouts[i])};
        if (i < PROBLEM_INPUTS) o->l.in[i] = origin;
        else o->l.out[i - PROBLEM_INPUTS] = origin;
    }
    const Solver *solver = way->is.solver;
    const Configuration *c = &way->is.configuration;
    o->temporary = MAX(solver->temporary ? solver->temporary(&p, c, b->kernels, &b->machine) : 0, 64);
    must(solver->lower(&p, c, &o->l) == ST_OK, solver->name);
    const Lowering *l = &o->l;
    o->scratch_bytes =
        MAX(most_scratch(l->phases, l->n_phases), most_scratch(l->prepare, l->n_prepare)) * (size_t)b->threads;
    o->weights = MAX(l->weights_bytes, 64);
    o->bases[BASE_ARENA] = pages_alloc(o->temporary, 4096), o->bases[BASE_WEIGHTS] = pages_alloc(o->weights, 4096);
    o->scratch = pages_alloc(o->scratch_bytes, 4096);
    must(o->bases[BASE_ARENA] && o->bases[BASE_WEIGHTS] && o->scratch, "no memory");
    must(pool_reserve(b->pool, MAX(l->n_phases, l->n_prepare)) == ST_OK, "a pool");
    run_phases(b, l->prepare, l->n_prepare, o->bases, o->scratch);
}
static void close_way(Opened *o) {
    pages_free(o->scratch, o->scratch_bytes);
    pages_free(o->bases[BASE_ARENA], o->temporary), pages_free(o->bases[BASE_WEIGHTS], o->weights);
    for (int i = 0; i < OPERANDS; i++)
        if (o->bytes[i]) pages_free(o->bases[BASE_EXTERNAL + i], o->bytes[i]);
    arena_free(&o->arena);
}
// The least of at least `rounds` runs, and of rounds * least_ms, behind one that is not timed.
static double best_ms(const Bench *b, const Opened *o, int rounds) {
    double best = INFINITY;
    run_phases(b, o->l.phases, o->l.n_phases, o->bases, o->scratch);
    for (int round = 0; round < rounds; round++) {
        const uint64_t begin = clock_ns();
        do {
            flush(o->bases[BASE_WEIGHTS], o->l.weights_bytes);
            const uint64_t start = clock_ns();
            run_phases(b, o->l.phases, o->l.n_phases, o->bases, o->scratch);
            best = MIN(best, clock_ms_since(start));
        } while (clock_ms_since(begin) < least_ms);
    }
    return best;
}
static void time_way(const Bench *b, const Shapes *s, Problem p, TimedWay *way) {
    Opened opened;
    open_way(b, s, p, way, &opened);
    way->ms = best_ms(b, &opened, ROUNDS);
    close_way(&opened);
}
// As part of what the reference takes right before and after, so that a landscape whose recording takes minutes knows
// nothing of the machine's states. Where those two differ by more than 4 % it is measured again, 5 times at most; the
// calmest attempt counts.
static double time_against(const Bench *b, const Shapes *s, Problem p, const Opened *reference, TimedWay *way) {
    enum { ATTEMPTS = 5 };
    const double calm = 0.04;
    double ratio = 1, least_apart = INFINITY;
    Opened opened;
    open_way(b, s, p, way, &opened);
    double before = best_ms(b, reference, 2);
    for (int i = 0; i < ATTEMPTS && least_apart > calm; i++) {
        const double own = best_ms(b, &opened, ROUNDS), after = best_ms(b, reference, 2);
        const double apart = fabs(after - before) / MIN(before, after);
        if (apart < least_apart) least_apart = apart, ratio = own / ((before + after) / 2);
        before = after;
    }
    close_way(&opened);
    return ratio;
}

// ---- All ways ----

typedef struct WayList {
    const Bench *bench;
    const Problem *problem;
    const Solver *solver;
    Need need;
    TimedWay *ways;
    int count;
} WayList;
static bool add_way(void *context, const Configuration *c) {
    WayList *list = context;
    const Bench *b = list->bench;
    const double cycles = list->solver->estimate(list->problem, c, b->kernels, &b->machine);
    if (list->count < WAYS)
        list->ways[list->count++] = (TimedWay){.is = {list->solver, *c}, .need = list->need, .cycles = cycles};
    return list->count < WAYS;
}
static int ways_of(const Bench *b, const Problem *p, TimedWay ways[WAYS]) {
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

static bool is_way(const TimedWay *a, const TimedWay *b) {
    return a->is.solver == b->is.solver &&
           !memcmp(&a->is.configuration, &b->is.configuration, sizeof a->is.configuration);
}
static void print_way(int number, const TimedWay *way, bool taken) {
    Text words = {0};
    if (way->is.solver->print) way->is.solver->print(&way->is.configuration, &words);
    printf("%d\t%s\t%s\t%.0f\t%.6f\t%d\n", number, way->is.solver->name, text_get(&words), way->cycles, way->ms, taken);
    text_free(&words);
}
// A landscape begins with the way that the plan would take.
static void print_landscape(const Bench *b, const char *line, const TimedWay *ways, int count, const TimedWay *chosen) {
    Text text = {0};
    machine_print(&b->machine, &text);
    text_add(&text, "; %s, %d threads", isa_name(b->machine.isa), b->threads);
    printf("stent landscape 1\nshape %smachine %s\n", line, text_get(&text));
    for (int taken = 1; taken >= 0; taken--)
        for (int i = 0; i < count; i++) {
            if (is_way(&ways[i], chosen) != (bool)taken) continue;
            text.length = 0;
            way_print(&ways[i].is, &text);
            printf("%s %.0f %.3f\n", text_get(&text), ways[i].cycles, 1e3 * ways[i].ms);
        }
    text_free(&text);
}
static void add_ratio(TimedWay *way, double usual, double ratio) {
    double sorted[OFTEN];
    way->ratios[way->n_ratios++] = ratio;
    memcpy(sorted, way->ratios, sizeof sorted);
    sort_doubles(sorted, (size_t)way->n_ratios);
    way->ms = usual * sorted[way->n_ratios / 2];
}
// Of the best the fastest that was not measured OFTEN; NULL: all were.
static TimedWay *least_known_of_best(TimedWay *ways, int count) {
    enum { BEST = 24 };
    double last = 0;
    for (int rank = 0; rank < BEST; rank++) {
        TimedWay *next = NULL;
        for (int i = 0; i < count; i++)
            if (ways[i].ms > last && (!next || ways[i].ms < next->ms)) next = &ways[i];
        if (!next) return NULL;
        if (next->n_ratios < OFTEN) return next;
        last = next->ms;
    }
    return NULL;
}
// Times of an earlier landscape of the same shape, instead of a first measurement of each way.
static void read_times(const char *path, double usual, TimedWay *ways, int count) {
    char line[256], key[256], solver[64], arithmetic[80], schedule[80];
    Text text = {0};
    double cycles, us, first = 0;
    FILE *file = fopen(path, "r");
    must(file != NULL, path);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "%63s %79s %79s %lf %lf", solver, arithmetic, schedule, &cycles, &us) != 5) continue;
        if (!strchr(arithmetic, ',')) continue; // the shape's line: its numbers are no times
        snprintf(key, sizeof key, "%s %s %s", solver, arithmetic, schedule);
        if (first == 0) first = us;
        for (int i = 0; i < count; i++) {
            text.length = 0;
            way_print(&ways[i].is, &text);
            if (!strcmp(text_get(&text), key) && !ways[i].n_ratios) add_ratio(&ways[i], usual, us / first);
        }
    }
    fclose(file);
    text_free(&text);
}
// A landscape's times. The best of a thousand that were measured once is a lucky one: what seems to be among the best
// is measured again.
static void time_space(const Bench *b, const Shapes *s, const Problem *p, const TimedWay *chosen, TimedWay *ways,
                       int count) {
    Opened reference;
    open_way(b, s, *p, chosen, &reference);
    const double usual = best_ms(b, &reference, 5 * ROUNDS);
    if (b->times) read_times(b->times, usual, ways, count);
    for (int i = 0; i < count; i++) {
        if (is_way(&ways[i], chosen)) ways[i].ms = usual, ways[i].n_ratios = OFTEN;
        else if (!ways[i].n_ratios) add_ratio(&ways[i], usual, time_against(b, s, *p, &reference, &ways[i]));
    }
    for (TimedWay *way; (way = least_known_of_best(ways, count));)
        add_ratio(way, usual, time_against(b, s, *p, &reference, way));
    close_way(&reference);
}
static void time_shape(const Bench *b, int number, const char *line, Problem *p, const Shapes *s) {
    static TimedWay ways[WAYS];
    TimedWay chosen = {0};
    first_layouts(b, s, p);
    const size_t weight_bytes = (size_t)problem_weight_count(p) * sizeof(float);
    const size_t bias_bytes = (size_t)p->oc * sizeof(float);
    float *weight = random_floats(weight_bytes), *bias = random_floats(bias_bytes);
    p->weight = weight, p->bias = bias;
    chosen.is.solver =
        solver_choose(p, b->kernels, &b->machine, INFINITY, &chosen.need, &chosen.is.configuration, &chosen.cycles);
    const int count = ways_of(b, p, ways);
    if (!b->space) {
        for (int i = 0; i < count; i++) {
            time_way(b, s, *p, &ways[i]);
            print_way(number, &ways[i], is_way(&ways[i], &chosen));
        }
    } else if (chosen.is.solver) {
        time_space(b, s, p, &chosen, ways, count);
        print_landscape(b, line, ways, count, &chosen);
    }
    fflush(stdout);
    pages_free(weight, weight_bytes), pages_free(bias, bias_bytes);
}
int main(int argc, char **argv) {
    Bench b = {.space = argc > 1 && !strcmp(argv[1], "--space")};
    b.threads = argc > 1 + b.space ? atoi(argv[1 + b.space]) : 2;
    if (b.space && argc > 3) b.times = argv[3];
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
        time_shape(&b, number, line, &problem, &shapes);
    }
    pool_destroy(b.pool);
    return 0;
}
