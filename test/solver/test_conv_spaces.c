// Spaces of convolutions: all ways of one arithmetic give the same bits, and no two do the same.
#include "base/hash.h"
#include "solver/conv_cases.h"

// A schedule fixes no bits: every configuration with the same arithmetic gives the same ones.
static void check_schedules(const Solver *solver, Part part, int64_t depth) {
    const int64_t size[AXES] = {depth, 22, 27}, pixels = depth * 22 * 27, in = 40 * pixels, out = 36 * pixels;
    const int rank = depth > 1 ? 5 : 4;
    Run run = {.problem = harness_problem(PROBLEM_CONV), .blocked = {true}};
    Problem *p = &run.problem;
    run.in_shape[0] = conv_shape(rank, 1, 40, size), run.out_shape[0] = conv_shape(rank, 1, 36, size);
    p->ic = 40, p->oc = 36;
    for (int axis = depth > 1 ? AXIS_D : AXIS_H; axis <= AXIS_W; axis++)
        p->kernel[axis] = 3, p->pad_begin[axis] = p->pad_end[axis] = 1;
    run.in[0] = harness_normal(in, 1), p->weight = harness_normal(40 * 36 * 27, 2), p->bias = harness_normal(36, 3);
    float *first = harness_normal(out, 4), *other = harness_normal(out, 5);
    run.arithmetic = part.arithmetic, run.least = part.least;
    p->precision = conv_precision(run.least);
    for (EACH_ISA(isa, &run)) {
        run.configuration = 0;
        REQUIRE(harness_run(solver, &run, isa, 1, (void *[]){first, NULL}));
        for (run.configuration = 1; run.configuration < 16; run.configuration++) {
            REQUIRE(harness_run(solver, &run, isa, 2, (void *[]){other, NULL}));
            CHECK_MSG(!memcmp(first, other, (size_t)out * sizeof *first), "%s: configuration %d gives other bits",
                      isa_name(isa), run.configuration);
        }
    }
}
TEST(conv_winograd_schedules_agree) {
    for (int tile = 2; tile <= 4; tile += 2)
        for (int depth = 1; depth <= 5; depth += 4)
            check_schedules(&solver_conv_winograd, (Part){tile, 0, ISA_SSE2}, depth);
}
TEST(conv_amx_schedules_agree) {
    conv_need_amx();
    for (int parts = 1; parts <= 3; parts++) check_schedules(&solver_conv_amx, (Part){parts, 0, ISA_AMX}, 1);
    for (int tile = 2; tile <= 4; tile += 2)
        for (int depth = 1; depth <= 5; depth += 4)
            check_schedules(&solver_conv_winograd_amx, (Part){tile, 0, ISA_AMX}, depth);
}

// All that tuning may try, each on 1 to 3 threads in turn: the same bits for the same arithmetic, near what is
// expected, each listed once and those that are tried without tuning among them.
static void check_space(const Solver *solver, const char *what, const Run *run, const double *y, double allowed) {
    static Configuration list[HARNESS_SPACE], few[HARNESS_SPACE];
    const int64_t out = shape_count(&run->out_shape[0]);
    float *first = harness_normal(out, 4), *other = harness_normal(out, 5);
    for (EACH_ISA(isa, run)) {
        Run all = *run;
        const int n_few = harness_list(solver, &all, isa, 1, few, HARNESS_SPACE);
        all.space = true;
        const int count = harness_list(solver, &all, isa, 1, list, HARNESS_SPACE);
        REQUIRE(count <= HARNESS_SPACE);
        int found = 0;
        for (int i = 0; i < n_few; i++) {
            int j = 0;
            while (j < count && memcmp(&few[i], &list[j], sizeof *few)) j++;
            found += j < count;
        }
        CHECK_MSG(found == n_few, "%s, %s: %d of %d are not in the space", what, isa_name(isa), n_few - found, n_few);
        // Levels have their source in common: two of them run everything.
        const int step = isa == ISA_AVX || isa == ISA_AVX512 ? 3 : 1;
        const Configuration *before = NULL;
        for (all.configuration = 0; all.configuration < count; all.configuration += step) {
            const Configuration *c = &list[all.configuration];
            for (int i = 0; i < all.configuration; i++)
                CHECK_MSG(memcmp(c, &list[i], sizeof *c), "%s, %s: %d and %d are one", what, isa_name(isa), i,
                          all.configuration);
            const bool begins = !before || memcmp(c->arithmetic, before->arithmetic, sizeof c->arithmetic);
            before = c;
            REQUIRE(
                harness_run(solver, &all, isa, 1 + all.configuration % 3, (void *[]){begins ? first : other, NULL}));
            for (int64_t i = 0; begins && i < out; i++)
                CHECK_MSG(fabs(first[i] - y[i]) <= allowed, "%s, %s: got %g, expected %g", what, isa_name(isa),
                          first[i], y[i]);
            CHECK_MSG(begins || !memcmp(first, other, (size_t)out * sizeof *first),
                      "%s, %s: configuration %d gives other bits", what, isa_name(isa), all.configuration);
        }
    }
    mem_free(first), mem_free(other);
}
// Normal data, which live as long as the test. Returns the output's sizes.
static void conv_space_run(const Solver *solver, const ConvCase *c, Isa least, Run *run, int64_t out[AXES]) {
    *run = (Run){.problem = harness_problem(solver->kind), .blocked = {true}, .least = least};
    Problem *p = &run->problem;
    p->precision = conv_precision(least);
    conv_geometry(p, c);
    const int64_t taps = c->kernel[AXIS_D] * c->kernel[AXIS_H] * c->kernel[AXIS_W];
    conv_out(solver, c, out);
    run->in_shape[0] = conv_shape(c->rank, c->n, c->ic, c->in);
    run->out_shape[0] = conv_shape(c->rank, c->n, c->oc, out);
    run->in[0] = harness_normal(shape_count(&run->in_shape[0]), 1);
    p->weight = harness_normal(c->ic * c->oc / c->group * taps, 2);
}
static void check_conv_space(const Solver *solver, const ConvCase *c, Isa least, double error) {
    Run run;
    int64_t out[AXES];
    conv_space_run(solver, c, least, &run, out);
    const int64_t outputs = shape_count(&run.out_shape[0]);
    double *y = harness_doubles(outputs);
    conv_expected(&run, c->in, out, y);
    check_space(solver, c->what, &run, y, error * conv_deviation(y, outputs));
    mem_free(y);
}
static const struct {
    const Solver *solver;
    ConvCase c;
} space_cases[] = {
    {&solver_conv_winograd, {"3x3", 4, 1, 24, 100, 1, {1, 9, 13}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, ALONE}},
    {&solver_conv_winograd,
     {"3x3, two chunks", 4, 2, 140, 36, 1, {1, 5, 10}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, ALONE}},
    {&solver_conv_winograd,
     {"3x3x3", 5, 1, 20, 36, 1, {4, 5, 6}, {3, 3, 3}, ONES, ONES, {1, 1, 1}, {1, 1, 1}, NONE, ALONE}},
    {&solver_conv_direct, {"3x3", 4, 2, 40, 100, 1, {1, 17, 15}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, ALONE}},
    {&solver_conv_direct,
     {"much weight", 4, 1, 300, 70, 1, {1, 9, 7}, SQUARE(3), SQUARE(2), ONES, PAD(1), PAD(1), NONE, ALONE}},
    {&solver_conv_direct,
     {"first layer", 4, 1, 3, 40, 1, {1, 15, 14}, SQUARE(7), SQUARE(2), ONES, PAD(3), PAD(3), NONE, ALONE}},
    {&solver_conv_direct, {"1x1", 4, 1, 600, 50, 1, {1, 20, 13}, ONES, ONES, ONES, NONE, NONE, NONE, ALONE}},
    {&solver_conv_direct,
     {"3x3x3", 5, 1, 20, 36, 1, {4, 5, 9}, {3, 3, 3}, ONES, ONES, {1, 1, 1}, {1, 1, 1}, NONE, ALONE}},
    {&solver_conv_dilated,
     {"far apart", 4, 2, 300, 70, 1, {1, 17, 24}, SQUARE(3), ONES, SQUARE(9), PAD(9), PAD(9), NONE, ALONE}},
    {&solver_conv_dilated,
     {"far apart in 3D", 5, 1, 20, 36, 1, {4, 5, 9}, {3, 3, 3}, ONES, {3, 4, 5}, {3, 4, 5}, {3, 4, 5}, NONE, ALONE}},
    {&solver_conv_transpose,
     {"k2 s2", 4, 2, 70, 72, 1, {1, 7, 9}, SQUARE(2), SQUARE(2), ONES, NONE, NONE, NONE, ALONE}},
    {&solver_conv_transpose,
     {"k5 s3", 4, 1, 20, 40, 1, {1, 5, 6}, SQUARE(5), SQUARE(3), ONES, PAD(1), PAD(1), NONE, ALONE}},
    {&solver_conv_depthwise,
     {"3x3", 4, 2, 35, 35, 35, {1, 21, 14}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, ALONE}},
    {&solver_conv_depthwise,
     {"in 3D", 5, 1, 17, 17, 17, {3, 12, 5}, {3, 3, 3}, ONES, ONES, {1, 1, 1}, {1, 1, 1}, NONE, ALONE}},
    {&solver_conv_narrow, {"to 2", 4, 2, 40, 2, 1, {1, 37, 90}, ONES, ONES, ONES, NONE, NONE, NONE, ALONE}},
};
TEST(conv_spaces_agree) {
    for (size_t i = 0; i < COUNT_OF(space_cases); i++)
        check_conv_space(space_cases[i].solver, &space_cases[i].c, ISA_SSE2, 5e-5);
}
// ---- Every knob changes what is executed: spies see the calls of kernels ----

static const Kernels *spied;
static uint64_t seen;
static const char *last_seen[4];
static void note_call(int64_t a, int64_t b, int64_t c, int64_t d) {
    const int64_t call[] = {a, b, c, d, (int64_t)seen};
    seen = hash64(call, sizeof call, 0);
}
// How far an operand lies from where the last call had it.
static void note_place(int operand, const void *at) {
    if (last_seen[operand]) note_call(operand, (const char *)at - last_seen[operand], 0, 0);
    last_seen[operand] = at;
}
static void note_places(const void *a, const void *w, const void *c) {
    if (a) note_place(0, a);
    note_place(1, w), note_place(2, c);
}
#define SPY_GEMM(rows, vectors)                                                                                        \
    static void spy_gemm_##rows##_##vectors(int64_t batch, const int32_t *offset, const float *a, int64_t lda,         \
                                            const float *w, int64_t depth, float *c, int64_t ldc, int accumulate,      \
                                            const char *prefetch) {                                                    \
        note_call(rows, vectors, batch * 1000 + depth, accumulate * 2 + !prefetch);                                    \
        note_places(a, w, c);                                                                                          \
        spied->gemm[vectors][rows](batch, offset, a, lda, w, depth, c, ldc, accumulate, prefetch);                     \
    }
#define SPY_FINISH(rows, vectors)                                                                                      \
    static void spy_finish_##rows##_##vectors(int64_t batch, const int32_t *offset, const float *a, int64_t lda,       \
                                              const float *w, int64_t depth, const GemmFinish *finish,                 \
                                              const char *prefetch) {                                                  \
        note_call(300 + rows, vectors, batch * 1000 + depth, !finish->sums * 2 + !prefetch);                           \
        note_places(a, w, finish->out);                                                                                \
        spied->gemm_finish[vectors][rows](batch, offset, a, lda, w, depth, finish, prefetch);                          \
    }
#define SPY_KEEP(rows, vectors)                                                                                        \
    static void spy_keep_##rows##_##vectors(int64_t batch, const int32_t *offset, const float *a, int64_t lda,         \
                                            const float *w, int64_t depth, float *c, int64_t ldc, int accumulate,      \
                                            const char *prefetch, float *kept) {                                       \
        note_call(100 + rows, vectors, batch * 1000 + depth, accumulate * 2 + !prefetch);                              \
        note_places(a, w, c);                                                                                          \
        spied->gemm_keep[vectors][rows](batch, offset, a, lda, w, depth, c, ldc, accumulate, prefetch, kept);          \
    }                                                                                                                  \
    static void spy_kept_##rows##_##vectors(const float *kept, const float *w, int64_t depth, float *c, int64_t ldc,   \
                                            int accumulate, const char *prefetch) {                                    \
        note_call(200 + rows, vectors, depth, accumulate * 2 + !prefetch);                                             \
        note_places(NULL, w, c);                                                                                       \
        spied->gemm_kept[vectors][rows](kept, w, depth, c, ldc, accumulate, prefetch);                                 \
    }
#define EACH_ROWS(X) X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2)
EACH_ROWS(SPY_GEMM)
EACH_ROWS(SPY_FINISH)
EACH_ROWS(SPY_KEEP)
static void note_input(int tile, int tiles, int blocks, const float *in) {
    note_call(tile, tiles, blocks, 0);
    note_place(3, in);
}
#define SPY_WINOGRAD(tile)                                                                                             \
    static void spy_input_##tile(const float *in, int64_t in_row, int64_t in_block, int tiles, int blocks, float *v,   \
                                 int64_t v_tile, int64_t v_plane) {                                                    \
        note_input(tile, tiles, blocks, in);                                                                           \
        spied->winograd[tile].input(in, in_row, in_block, tiles, blocks, v, v_tile, v_plane);                          \
    }
SPY_WINOGRAD(2)
SPY_WINOGRAD(4)
static void spy_depthwise(const float *in, int64_t in_pixel, const int32_t *offset, int taps, const float *w,
                          int pixels, const Epilogue *epilogue, const float *residual, int64_t residual_pixel,
                          float *out, int64_t out_pixel) {
    note_places(in, w, out);
    spied->depthwise(in, in_pixel, offset, taps, w, pixels, epilogue, residual, residual_pixel, out, out_pixel);
}
static void spy_narrow(const float *in, int64_t in_block, int blocks, const float *w, int outs, int pixels, float *out,
                       int64_t out_plane) {
    note_places(in, w, out);
    spied->narrow(in, in_block, blocks, w, outs, pixels, out, out_plane);
}
static Kernels with_spies(Isa isa) {
    spied = harness_kernels(isa);
    Kernels k = *spied;
#define PUT_SPIES(rows, vectors)                                                                                       \
    k.gemm[vectors][rows] = spy_gemm_##rows##_##vectors;                                                               \
    k.gemm_finish[vectors][rows] = spy_finish_##rows##_##vectors;                                                      \
    if (spied->gemm_keep[vectors][rows]) {                                                                             \
        k.gemm_keep[vectors][rows] = spy_keep_##rows##_##vectors;                                                      \
        k.gemm_kept[vectors][rows] = spy_kept_##rows##_##vectors;                                                      \
    }
    EACH_ROWS(PUT_SPIES)
    k.winograd[2].input = spy_input_2, k.winograd[4].input = spy_input_4, k.depthwise = spy_depthwise,
    k.narrow = spy_narrow;
    return k;
}
typedef struct Trace {
    uint64_t seen;
    int64_t arithmetic;
} Trace;
static void note_unit(int64_t unit) { note_call(unit, -1, 0, 0); }
static Trace trace_of(const Solver *solver, const Run *run, Isa isa, int64_t arithmetic, float *out) {
    seen = 0, memset(last_seen, 0, sizeof last_seen);
    REQUIRE(harness_run(solver, run, isa, 1, (void *[]){out, NULL}));
    return (Trace){seen, arithmetic};
}
static void check_traces(const Solver *solver, const char *what, const Run *run, Isa isa) {
    static Configuration list[HARNESS_SPACE];
    static Trace traces[HARNESS_SPACE];
    Run all = *run;
    float *out = harness_normal(shape_count(&run->out_shape[0]), 5);
    all.space = true;
    const Kernels kernels = with_spies(isa);
    harness_spy(isa, &kernels), harness_spy_units(note_unit);
    const int count = harness_list(solver, &all, isa, 1, list, HARNESS_SPACE);
    REQUIRE(count > 4 && count <= HARNESS_SPACE);
    for (all.configuration = 0; all.configuration < count; all.configuration++) {
        traces[all.configuration] = trace_of(solver, &all, isa, list[all.configuration].arithmetic[0], out);
        for (int i = 0; i < all.configuration; i++)
            CHECK_MSG(memcmp(&traces[i], &traces[all.configuration], sizeof *traces),
                      "%s, %s, %s: configurations %d and %d do the same", solver->name, what, isa_name(isa), i,
                      all.configuration);
    }
    all.configuration = 0;
    const Trace again = trace_of(solver, &all, isa, list[0].arithmetic[0], out);
    CHECK_MSG(!memcmp(&again, &traces[0], sizeof again), "%s: a trace is not the same again", what);
    harness_spy(isa, NULL), harness_spy_units(NULL);
    mem_free(out);
}
TEST(conv_knobs_change_what_is_done) {
    for (size_t i = 0; i < COUNT_OF(space_cases); i++) {
        Run run;
        int64_t out[AXES];
        conv_space_run(space_cases[i].solver, &space_cases[i].c, ISA_SSE2, &run, out);
        check_traces(space_cases[i].solver, space_cases[i].c.what, &run, ISA_SSE2);
        if (harness_kernels(ISA_AVX2)) check_traces(space_cases[i].solver, space_cases[i].c.what, &run, ISA_AVX2);
    }
}
TEST(conv_amx_spaces_agree) {
    static const ConvCase convolution = {"3x3",     4,    1,    40,     72,     1,    {1, 17, 19},
                                         SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, ALONE},
                          // So many channels that sums are made in chunks; rows that are no line as well.
        deep = {"deep", 4, 1, 900, 40, 1, {1, 5, 7}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, ALONE},
                          doubled = {"k2 s2",   4,         1,    40,   20,   1,    {1, 9, 11},
                                     SQUARE(2), SQUARE(2), ONES, NONE, NONE, NONE, ALONE};
    conv_need_amx();
    check_conv_space(&solver_conv_amx, &convolution, ISA_AMX, 2e-2);
    check_conv_space(&solver_conv_amx, &deep, ISA_AMX, 2e-2);
    check_conv_space(&solver_conv_winograd_amx, &convolution, ISA_AMX, 2e-5);
    check_conv_space(&solver_conv_transpose_amx, &doubled, ISA_AMX, 2e-2);
}
