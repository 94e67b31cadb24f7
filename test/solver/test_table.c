// The choice of a solver, and what lowering gives to all of them.
#include "solver/harness.h"

static void a_convolution(Problem *p, int64_t ic, int64_t size, const float *weight) {
    const Shape in = harness_shape(4, 1, ic, size, size, 0), out = harness_shape(4, 1, 64, size, size, 0);
    const int64_t none[AXES] = {0};
    *p = harness_problem(PROBLEM_CONV);
    p->n_inputs = p->n_outputs = 1, p->ic = ic, p->oc = 64, p->weight = weight;
    CHECK_OK(layout_blocked(&in, 8, none, none, &p->in[0]));
    CHECK_OK(layout_blocked(&out, 8, none, none, &p->out[0]));
    for (int axis = AXIS_H; axis <= AXIS_W; axis++) p->kernel[axis] = 3, p->pad_begin[axis] = p->pad_end[axis] = 1;
}
static const char *chosen(const Problem *p, double *cycles) {
    Machine machine;
    Need need;
    Configuration configuration;
    CHECK_OK(machine_detect(&machine));
    const Solver *solver = solver_choose(p, kernels_for(ISA_SSE2), &machine, INFINITY, &need, &configuration, cycles);
    return solver ? solver->name : "none";
}
TEST(table_finds_solvers_by_name) {
    for (int i = 0; i < solver_count; i++) CHECK(solver_find(solver_table[i]->name) == solver_table[i]);
    CHECK(solver_find("conv") == NULL);
}
TEST(table_chooses_and_avoids) {
    Problem p;
    double cycles = 0, worst = 0;
    const float weight = 1;
    a_convolution(&p, 64, 64, &weight);
    CHECK_TEXT(chosen(&p, &cycles), "conv_winograd");
    CHECK(cycles > 0);
    p.precision = PRECISION_STRICT;
    CHECK_TEXT(chosen(&p, &cycles), "conv_direct");
    p.precision = PRECISION_FP32;
    setenv("STENT_AVOID", "pool,conv_winograd", 1);
    CHECK_TEXT(chosen(&p, &cycles), "conv_direct");
    setenv("STENT_AVOID", "conv_winograd,conv_direct", 1);
    CHECK_TEXT(chosen(&p, &cycles), "none");
    CHECK(solver_avoided(&p, kernels_for(ISA_SSE2)));
    setenv("STENT_AVOID", "conv", 1); // whole names only
    CHECK_TEXT(chosen(&p, &cycles), "conv_winograd");
    CHECK(!solver_avoided(&p, kernels_for(ISA_SSE2)));
    setenv("STENT_ESTIMATE", "worst", 1);
    chosen(&p, &worst);
    CHECK(worst > cycles);
}
// A price of memory chooses among schedules, and among arithmetics where it may.
TEST(table_weighs_memory_against_time) {
    const float weight = 1;
    Machine machine;
    CHECK_OK(machine_detect(&machine));
    machine.l2 = (size_t)1 << 20, machine.l3 = (size_t)32 << 20;
    Problem p;
    Need need;
    Configuration free_one, held;
    double cycles, held_cycles;
    a_convolution(&p, 512, 32, &weight);
    const Kernels *kernels = kernels_for(ISA_SSE2);
    const Solver *solver = solver_choose(&p, kernels, &machine, INFINITY, &need, &free_one, &cycles);
    REQUIRE(solver && solver->prepared_bytes);
    CHECK_TEXT(solver->name, "conv_winograd");
    p.byte_price = 1e6;
    CHECK(solver_choose(&p, kernels, &machine, INFINITY, &need, &held, &held_cycles) == solver);
    CHECK(!memcmp(free_one.arithmetic, held.arithmetic, sizeof held.arithmetic));
    const size_t bytes =
        solver->prepared_bytes(&p, &free_one, kernels) + solver->temporary(&p, &free_one, kernels, &machine);
    CHECK(solver->prepared_bytes(&p, &held, kernels) + solver->temporary(&p, &held, kernels, &machine) <= bytes);
    CHECK_MSG(held_cycles >= cycles, "cycles are without the price: %g and %g", held_cycles, cycles);
    p.price_arithmetic = true;
    CHECK_TEXT(chosen(&p, &cycles), "conv_direct"); // no transformed tiles
}
// The arithmetic (which fixes the bits) is one for every number of threads and images.
TEST(table_arithmetic_ignores_threads_and_batch) {
    const float weight = 1;
    Machine machine;
    CHECK_OK(machine_detect(&machine));
    for (int64_t ic = 8; ic <= 512; ic *= 2)
        for (int64_t size = 1; size <= 64; size *= 2) {
            const Solver *first = NULL;
            Configuration of_first;
            for (int variant = 0; variant < 16; variant++) {
                Problem p;
                Need need;
                Configuration configuration;
                double cycles;
                const int64_t none[AXES] = {0}, images = 1 + variant / 4 * 3;
                const Shape in = harness_shape(4, images, ic, size, size, 0),
                            out = harness_shape(4, images, 64, size, size, 0);
                a_convolution(&p, ic, size, &weight);
                CHECK_OK(layout_blocked(&in, 8, none, none, &p.in[0]));
                CHECK_OK(layout_blocked(&out, 8, none, none, &p.out[0]));
                p.threads = 1 + variant % 4 * 5;
                const Solver *solver =
                    solver_choose(&p, kernels_for(ISA_SSE2), &machine, INFINITY, &need, &configuration, &cycles);
                REQUIRE(solver);
                if (!first) first = solver, of_first = configuration;
                CHECK_MSG(solver == first &&
                              !memcmp(configuration.arithmetic, of_first.arithmetic, sizeof of_first.arithmetic),
                          "%d channels at %d: %d threads and %d images choose %s instead of %s", (int)ic, (int)size,
                          p.threads, (int)images, solver->name, first->name);
            }
        }
}
TEST(lowering_zeroes_borders) {
    const Shape shape = harness_shape(5, 2, 5, 2, 3, 4);
    const int64_t before[AXES] = {1, 2, 0}, after[AXES] = {0, 1, 3};
    Layout l;
    CHECK_OK(layout_blocked(&shape, 4, before, after, &l));
    float *memory = mem_alloc(layout_bytes(&l));
    REQUIRE(memory);
    for (size_t i = 0; i < layout_bytes(&l) / sizeof *memory; i++) memory[i] = 7;
    Arena arena = {0};
    Lowering lowering = {.arena = &arena};
    char *bases[] = {(char *)memory, NULL, NULL};
    CHECK_OK(lowering_zero_border(&lowering, &l, (Ref){BASE_ARENA, layout_origin_bytes(&l)}));
    CHECK_INT(lowering.n_phases, 1);
    for (int64_t unit = 0; unit < lowering.phases[0].units; unit++)
        lowering.phases[0].run(lowering.phases[0].arguments, bases, unit, NULL);
    const float *origin = memory + layout_origin_bytes(&l) / sizeof(float);
    for (int64_t i = 0; i < l.n * l.blocks; i++)
        for (int64_t d = -1; d < 2; d++)
            for (int64_t h = -2; h < 4; h++)
                for (int64_t w = 0; w < 7; w++) {
                    const float *pixel = origin + i / l.blocks * l.stride_n + i % l.blocks * l.stride_block +
                                         d * l.stride[AXIS_D] + h * l.stride[AXIS_H] + w * l.stride[AXIS_W];
                    const float expected = d >= 0 && h >= 0 && h < 3 && w < 4 ? 7 : 0;
                    for (int lane = 0; lane < 4; lane++) CHECK(pixel[lane] == expected);
                }
    const int64_t none[AXES] = {0};
    CHECK_OK(layout_blocked(&shape, 4, none, none, &l));
    CHECK_OK(lowering_zero_border(&lowering, &l, (Ref){BASE_ARENA, 0}));
    CHECK_INT(lowering.n_phases, 1); // nothing to zero
    mem_free(memory);
    arena_free(&arena);
}
