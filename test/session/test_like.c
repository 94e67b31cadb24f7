// Executables whose weights are copied from another one: the same bytes as prepared anew.
#include "plan/planned.h"
#include "session/session.h"
#include "test.h"
#include <string.h>

static const char network[] = "graph (%x: float32[1x24x20x22]) -> (%y, %m) {\n"
                              " %w1 = const float32[36x24x3x3] random(seed=1, scale=0.1)\n"
                              " %w2 = const float32[36x1x3x3] random(seed=2, scale=0.3)\n"
                              " %w3 = const float32[40x36x1x1] random(seed=3, scale=0.2)\n"
                              " %w4 = const float32[40x20x2x2] random(seed=4, scale=0.1)\n"
                              " %w5 = const float32[2x20x1x1] random(seed=5, scale=0.3)\n"
                              " %w6 = const float32[44x30] random(seed=6, scale=0.2)\n"
                              " %a = Conv (%x, %w1) {pads=[1, 1, 1, 1]}\n"
                              " %b = Conv (%a, %w2) {pads=[1, 1, 1, 1], group=36}\n"
                              " %c = Conv (%b, %w3)\n"
                              " %d = ConvTranspose (%c, %w4) {strides=[2, 2]}\n"
                              " %y = Conv (%d, %w5)\n"
                              " %m = MatMul (%y, %w6)\n"
                              "}\n";
typedef struct Like {
    Graph *graph;
    Machine machine;
    Pool *pool;
    Executable *first;
    Tensor *inputs, *outputs, *others;
    const PlanStep *step;
    const Solver *solver;
    int tried, taken, copied;
} Like;
static Plan *plan_with(const Like *l, const PlanChoice *choice) {
    Plan *plan = NULL;
    const PlanOptions options = {.threads = 2, .fuse = true, .choices = choice, .n_choices = choice != NULL};
    CHECK_OK(plan_create(l->graph, &l->machine, &options, &plan));
    REQUIRE(plan);
    return plan;
}
static void run(const Like *l, Executable *executable, Tensor *outputs) {
    Session *session;
    REQUIRE(session_create(executable, &session) == ST_OK);
    CHECK_OK(session_run(session, l->inputs, outputs));
    session_destroy(session);
}
static bool check_configuration(void *context, const Configuration *configuration) {
    enum { EVERY = 5 };
    Like *l = context;
    if (l->tried++ % EVERY) return true;
    const PlanChoice choice = {l->step->name, l->solver, *configuration, true};
    Executable *alone, *like;
    CHECK_OK(executable_create(plan_with(l, &choice), l->pool, NULL, &alone));
    CHECK_OK(executable_create_like(plan_with(l, &choice), l->pool, NULL, l->first, &like));
    CHECK_INT(executable_copied_bytes(alone), 0);
    CHECK(executable_copied_bytes(like) > 0);
    run(l, alone, l->outputs), run(l, like, l->others);
    for (int i = 0; i < l->graph->n_outputs; i++)
        CHECK_MSG(!memcmp(l->outputs[i].data, l->others[i].data, tensor_bytes(&l->outputs[i])), "%s, %s: other weights",
                  l->step->name, l->solver->name);
    l->taken++, l->copied += executable_copied_bytes(like) == executable_copied_bytes(l->first);
    executable_release(alone), executable_release(like);
    return true;
}
TEST(copied_weights_are_the_prepared_ones) {
    Like l = {.graph = planned_graph(network)};
    Arena arena = {0};
    CHECK_OK(machine_detect(&l.machine));
    CHECK_OK(pool_create(2, &l.pool));
    l.inputs = planned_inputs(l.graph, 5, &arena);
    l.outputs = planned_outputs(l.graph, &arena), l.others = planned_outputs(l.graph, &arena);
    Executable *whole;
    CHECK_OK(executable_create(plan_with(&l, NULL), l.pool, NULL, &whole));
    // Its own plan once more: all is copied.
    CHECK_OK(executable_create_like(plan_with(&l, NULL), l.pool, NULL, whole, &l.first));
    CHECK(executable_copied_bytes(l.first) > 0.9 * (double)executable_weights_bytes(l.first));
    const Plan *plan = executable_plan(l.first);
    const Kernels *kernels = kernels_for(l.machine.isa);
    for (int i = 0; i < plan->n_steps; i++) {
        Need need;
        l.step = &plan->steps[i];
        if (!plan_step_has_choice(l.step)) continue;
        for (int s = 0; s < solver_count; s++) {
            l.solver = solver_table[s];
            if (solver_applies(l.solver, l.step->problem, kernels, &need))
                solver_space(l.solver, l.step->problem, kernels, &l.machine, check_configuration, &l);
        }
    }
    CHECK_MSG(l.taken > 50 && l.copied > 0, "%d configurations, all copied in %d", l.taken, l.copied);
    executable_release(l.first), executable_release(whole);
    graph_free(l.graph);
    pool_destroy(l.pool);
    arena_free(&arena);
}
