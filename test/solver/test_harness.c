// The harness itself: a solver that reads or writes beyond what it was given must not pass.
#include "guard.h"
#include "solver/harness.h"

typedef enum Place { INPUT, OUTPUT, WEIGHTS, PLAIN, TEMPORARY, SCRATCH, PLACES } Place;
enum { COUNT = 48, ROOM = COUNT * sizeof(float) };

// Copies its input, and misbehaves at one place.
typedef struct Bad {
    Place place;
    bool before; // in front of the start, not behind the end
    Ref in, out, weights, temporary;
    const float *plain;
} Bad;
static Bad bad;
static void touch(volatile char *memory, size_t bytes, bool written) {
    volatile char *at = bad.before ? memory - 1 : memory + bytes;
    if (written) *at = 1;
    else (void)*at;
}
static void bad_prepare(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)arguments, (void)unit, (void)scratch;
    if (bad.place == PLAIN) touch((volatile char *)(uintptr_t)bad.plain, ROOM, false);
    memcpy(ref_at(bases, bad.weights), bad.plain, ROOM);
}
static void bad_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)arguments, (void)unit;
    memset(scratch, 0, 64);
    memset(ref_at(bases, bad.temporary), 0, 64);
    memcpy(ref_at(bases, bad.out), ref_at(bases, bad.in), ROOM);
    switch (bad.place) {
    case INPUT: touch(ref_at(bases, bad.in), ROOM, false); break;
    case OUTPUT: touch(ref_at(bases, bad.out), ROOM, true); break;
    case WEIGHTS: touch(ref_at(bases, bad.weights), ROOM, false); break;
    case TEMPORARY: touch(ref_at(bases, bad.temporary), 64, true); break;
    case SCRATCH: touch(scratch, 64, true); break;
    case PLAIN:
    case PLACES: break;
    }
}
static bool bad_applicable(const Problem *problem, const Kernels *kernels, Need *need) {
    (void)problem, (void)kernels;
    need->in[0] = need->out[0] = (OperandNeed){LAYOUT_PLAIN, 1, {0}, {0}};
    return true;
}
static double bad_estimate(const Problem *problem, const Configuration *configuration, const Kernels *kernels,
                           const Machine *machine) {
    (void)problem, (void)configuration, (void)kernels, (void)machine;
    return 1;
}
static size_t bad_temporary(const Problem *problem, const Configuration *configuration, const Kernels *kernels,
                            const Machine *machine) {
    (void)problem, (void)configuration, (void)kernels, (void)machine;
    return 64;
}
static Status bad_lower(const Problem *problem, const Configuration *configuration, Lowering *lowering) {
    (void)configuration;
    bad.in = lowering->in[0], bad.out = lowering->out[0], bad.temporary = lowering->temporary;
    bad.weights = lowering_weights(lowering, ROOM);
    bad.plain = problem->scale;
    TRY(lowering_prepare(lowering, bad_prepare, NULL, 1, 0));
    return lowering_phase(lowering, bad_unit, NULL, 1, 64);
}
static const Solver solver_bad = {.name = "bad",
                                  .kind = PROBLEM_AFFINE,
                                  .applicable = bad_applicable,
                                  .configurations = one_configuration,
                                  .estimate = bad_estimate,
                                  .temporary = bad_temporary,
                                  .lower = bad_lower};
static int bad_threads;
static void run_bad(void) {
    const float *x = harness_normal(COUNT, 1);
    float y[COUNT];
    Run run = {.problem = harness_problem(PROBLEM_AFFINE), .in = {x}};
    run.problem.scale = x;
    run.in_shape[0] = run.out_shape[0] = harness_shape(2, 1, COUNT, 0, 0, 0);
    // Workers' scratch lies side by side, and which of them takes the unit is chance: only one's ends are both guarded.
    const int threads = bad.place == SCRATCH ? 1 : bad_threads;
    CHECK(harness_run(&solver_bad, &run, ISA_SSE2, threads, (void *[]){y, NULL}));
    CHECK(!memcmp(x, y, sizeof y));
}

TEST(solvers_that_reach_beyond_their_memory_do_not_pass) {
    static const char *const names[] = {"'input 0'", "'output 0'",         "'prepared weights'",
                                        "'scale'",   "'temporary memory'", "'scratch'"};
    static char out[1 << 16];
    for (int place = 0; place < PLACES; place++)
        for (bad_threads = 1; bad_threads <= 3; bad_threads++) {
            bad.place = (Place)place, bad.before = bad_threads == 2;
            CHECK_MSG(guard_ends_badly(run_bad, out, sizeof out), "%s on %d threads", names[place], bad_threads);
            CHECK_MSG(strstr(out, names[place]), "no %s in:\n%s", names[place], out);
        }
    bad.place = PLACES, bad_threads = 1;
    CHECK_MSG(!guard_ends_badly(run_bad, out, sizeof out), "%s", out);
}
