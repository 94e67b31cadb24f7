// Stored plans: what is taken from them, and what is not.
#include "base/hash.h"
#include "plan/planned.h"
#include "plan/stored.h"

static const char network[] = "graph (%x: float32[1x16x20x24]) -> (%y) {\n"
                              " %w = const float32[32x16x3x3] random(seed=1, scale=0.1)\n"
                              " %v = const float32[16x32x3x3] random(seed=2, scale=0.1)\n"
                              " %a = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
                              " %r = Relu (%a)\n"
                              " %y = Conv (%r, %v) {pads=[1, 1, 1, 1]}\n"
                              "}\n";
static const char key[] = "this network, this machine";

static Plan *make(const Graph *graph, const Machine *machine, int threads, const PlanChoice *choices, int n_choices) {
    const PlanOptions options = {.threads = threads, .fuse = true, .choices = choices, .n_choices = n_choices};
    Plan *plan;
    REQUIRE(plan_create(graph, machine, &options, &plan) == ST_OK);
    return plan;
}
static const PlanStep *step_named(const Plan *plan, const char *name) {
    for (int i = 0; i < plan->n_steps; i++)
        if (!strcmp(plan->steps[i].name, name) && plan_step_has_choice(&plan->steps[i])) return &plan->steps[i];
    REQUIRE(!"the step is there");
    return NULL;
}
// Another configuration of the step's problem, with the same arithmetic or another one.
static PlanChoice other_choice(const PlanStep *step, const Machine *machine, bool same_arithmetic) {
    const Solver *solver = solver_find("conv_winograd");
    Configuration list[MOST_CONFIGURATIONS];
    memset(list, 0, sizeof list);
    REQUIRE(step->solver == solver);
    const int count =
        solver->configurations(step->problem, kernels_for(machine->isa), machine, list, MOST_CONFIGURATIONS);
    for (int c = 0; c < count; c++) {
        const bool same = !memcmp(list[c].arithmetic, step->configuration.arithmetic, sizeof list[c].arithmetic);
        if (same == same_arithmetic && memcmp(&list[c], &step->configuration, sizeof list[c]))
            return (PlanChoice){step->name, solver, list[c], true};
    }
    REQUIRE(!"there is another configuration");
    return (PlanChoice){0};
}
static bool same_configuration(const PlanStep *step, const Configuration *configuration) {
    return !memcmp(&step->configuration, configuration, sizeof *configuration);
}

TEST(a_choice_is_taken) {
    Graph *graph = planned_graph(network);
    const Machine machine = planned_machine(planned_best_isa());
    Plan *untuned = make(graph, &machine, 2, NULL, 0);
    const PlanChoice choice = other_choice(step_named(untuned, "r"), &machine, false);
    Plan *tuned = make(graph, &machine, 2, &choice, 1);
    CHECK(same_configuration(step_named(tuned, "r"), &choice.configuration));
    CHECK(same_configuration(step_named(tuned, "y"), &step_named(untuned, "y")->configuration));
    plan_free(tuned), plan_free(untuned);
    graph_free(graph);
}
TEST(a_choice_that_is_none_of_the_solvers_is_left) {
    Graph *graph = planned_graph(network);
    const Machine machine = planned_machine(planned_best_isa());
    Plan *untuned = make(graph, &machine, 2, NULL, 0);
    const PlanStep *step = step_named(untuned, "r");
    PlanChoice choices[] = {{"r", step->solver, step->configuration, true},                  // absurd numbers
                            {"r", step->solver, step->configuration, false},                 // absurd arithmetic
                            {"r", solver_find("conv_depthwise"), step->configuration, true}, // does not apply
                            {"r", solver_find("pool"), step->configuration, true},           // another kind
                            {"nobody", step->solver, step->configuration, true}};
    choices[0].configuration.schedule[1] = 1 << 30;
    choices[1].configuration.arithmetic[0] = 77;
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        Plan *plan = make(graph, &machine, 2, &choices[i], 1);
        CHECK(same_configuration(step_named(plan, "r"), &step->configuration));
        plan_free(plan);
    }
    plan_free(untuned);
    graph_free(graph);
}
TEST(choices_keep_the_budget_and_the_memory) {
    Graph *graph = planned_graph(network);
    const Machine machine = planned_machine(planned_best_isa());
    Plan *untuned = make(graph, &machine, 2, NULL, 0);
    const PlanStep *step = step_named(untuned, "r");
    const PlanChoice choice = {"r", step->solver, step->configuration, true};
    PlanOptions options = {
        .threads = 2, .fuse = true, .choices = &choice, .n_choices = 1, .precision = PRECISION_STRICT};
    Plan *plan;
    CHECK_OK(plan_create(graph, &machine, &options, &plan)); // Winograd is not for strict
    CHECK(strcmp(step_named(plan, "r")->solver->name, "conv_winograd"));
    plan_free(plan);
    options.precision = PRECISION_FP32, options.budget = 1e-7;
    CHECK_OK(plan_create(graph, &machine, &options, &plan));
    CHECK(!same_configuration(step_named(plan, "r"), &step->configuration));
    plan_free(plan);
    options.budget = 0, options.memory = plan_bytes(untuned) * 7 / 10;
    CHECK_OK(plan_create(graph, &machine, &options, &plan));
    CHECK(plan_bytes(plan) < plan_bytes(untuned));
    plan_free(plan), plan_free(untuned);
    graph_free(graph);
}

// A stored plan with other configurations than the untuned one's for 2 threads.
static void store(const Graph *graph, const Machine *machine, StoredPlan *stored, Arena *arena, bool same_arithmetic) {
    bool dropped;
    Plan *untuned = make(graph, machine, 2, NULL, 0);
    const PlanChoice choice = other_choice(step_named(untuned, "r"), machine, same_arithmetic);
    Plan *tuned = make(graph, machine, 2, &choice, 1);
    CHECK_OK(stored_plan_put(stored, tuned, arena, &dropped));
    plan_free(tuned), plan_free(untuned);
}
TEST(what_was_stored_comes_back) {
    Graph *graph = planned_graph(network);
    const Machine machine = planned_machine(planned_best_isa());
    Arena arena = {0};
    StoredPlan stored = {.n_layers = 0}, again;
    PlanChoice *choices;
    Text text = {0}, twice = {0};
    int count;
    store(graph, &machine, &stored, &arena, false);
    CHECK_OK(stored_plan_print(&stored, key, &text));
    REQUIRE(stored_plan_parse(&arena, text_get(&text), text.length, key, &again) == ST_OK);
    CHECK_INT(again.n_layers, 2);
    CHECK_OK(stored_plan_print(&again, key, &twice));
    CHECK(!strcmp(text_get(&twice), text_get(&text)));
    CHECK_OK(stored_plan_choices(&again, 2, &arena, &choices, &count));
    Plan *plan = make(graph, &machine, 2, choices, count);
    CHECK(same_configuration(step_named(plan, "r"), &choices[0].configuration));
    plan_free(plan);
    // On 3 threads, for which nothing was tuned, the arithmetic is the same.
    CHECK_OK(stored_plan_choices(&again, 3, &arena, &choices, &count));
    plan = make(graph, &machine, 3, choices, count);
    CHECK(!choices[0].scheduled);
    CHECK(!memcmp(step_named(plan, "r")->configuration.arithmetic, choices[0].configuration.arithmetic,
                  sizeof choices[0].configuration.arithmetic));
    plan_free(plan);
    text_free(&text), text_free(&twice);
    arena_free(&arena);
    graph_free(graph);
}
TEST(bits_of_a_tuned_plan_do_not_hang_on_threads) {
    Graph *graph = planned_graph(network);
    const Machine machine = planned_machine(planned_best_isa());
    Arena arena = {0};
    StoredPlan stored = {.n_layers = 0};
    store(graph, &machine, &stored, &arena, false);
    Tensor *inputs = planned_inputs(graph, 1, &arena), *outputs[3];
    for (int threads = 1; threads <= 3; threads++) {
        PlanChoice *choices;
        int count;
        CHECK_OK(stored_plan_choices(&stored, threads, &arena, &choices, &count));
        const Setting setting = {.isa = machine.isa,
                                 .threads = threads,
                                 .fuse = true,
                                 .memory = (uint64_t)1 << 40, // caches as in `machine`
                                 .choices = choices,
                                 .n_choices = count};
        outputs[threads - 1] = planned_outputs(graph, &arena);
        CHECK(planned_run("tuned", graph, inputs, &setting, outputs[threads - 1]));
        CHECK(planned_same_bits("threads", graph, outputs[threads - 1], outputs[0]));
    }
    const Setting untuned = {.isa = machine.isa, .threads = 2, .fuse = true, .memory = (uint64_t)1 << 40};
    CHECK(planned_run("untuned", graph, inputs, &untuned, outputs[1]));
    CHECK(memcmp(outputs[1]->data, outputs[0]->data, tensor_bytes(outputs[0]))); // else no choice was taken
    arena_free(&arena);
    graph_free(graph);
}
TEST(schedules_of_other_threads_stay_with_the_same_bits_only) {
    Graph *graph = planned_graph(network);
    const Machine machine = planned_machine(planned_best_isa());
    Arena arena = {0};
    StoredPlan stored = {.n_layers = 0};
    bool dropped;
    store(graph, &machine, &stored, &arena, true);
    Plan *plan = make(graph, &machine, 1, NULL, 0); // the arithmetic is the untuned one's
    CHECK_OK(stored_plan_put(&stored, plan, &arena, &dropped));
    CHECK(!dropped);
    CHECK_INT(stored.layers[0].n_schedules, 2);
    CHECK_INT(stored.layers[0].threads[0], 2);
    CHECK_INT(stored.layers[0].threads[1], 1);
    const PlanChoice other = other_choice(step_named(plan, "r"), &machine, false);
    plan_free(plan);
    plan = make(graph, &machine, 1, &other, 1);
    CHECK_OK(stored_plan_put(&stored, plan, &arena, &dropped));
    CHECK(dropped);
    for (int i = 0; i < stored.n_layers; i++) {
        CHECK_INT(stored.layers[i].n_schedules, 1);
        CHECK_INT(stored.layers[i].threads[0], 1);
        CHECK(!memcmp(stored.layers[i].schedules[0], step_named(plan, stored.layers[i].name)->configuration.schedule,
                      sizeof stored.layers[i].schedules[0]));
    }
    plan_free(plan);
    arena_free(&arena);
    graph_free(graph);
}

// ---- files that are not what they should be

static void refused(const char *body, const char *part) {
    Text text = {0};
    Arena arena = {0};
    StoredPlan stored;
    text_add(&text, "stent-plan 1 %016llx\n%s", (unsigned long long)hash64(body, strlen(body), 0), body);
    CHECK_INT(stored_plan_parse(&arena, text_get(&text), text.length, key, &stored), ST_BAD);
    CHECK_MSG(strstr(error_message(), part), "%s", error_message());
    text_free(&text);
    arena_free(&arena);
}
#define LAYER(more) "{\"for\":\"this network, this machine\",\"layers\":[{\"name\":\"r\"," more "}]}"
TEST(wrong_contents_are_refused) {
    refused("", "expected");
    refused("[]", "expected an object");
    refused("{\"for\":3,\"layers\":[]}", "expected an object");
    refused("{\"for\":\"another network\",\"layers\":[]}", "it is for something else: another network");
    refused("{\"for\":\"this network, this machine\",\"layers\":[3]}", "expected a layer");
    refused(LAYER("\"solver\":\"pool\",\"version\":1,\"arithmetic\":[1],\"schedules\":{}"), "expected a layer");
    refused(LAYER("\"solver\":\"pool\",\"version\":1,\"arithmetic\":[1,2,3,4,5,1e99],\"schedules\":{}"),
            "expected a layer");
    refused(LAYER("\"solver\":\"pool\",\"version\":1,\"arithmetic\":[1,2,3,4,5,0.5],\"schedules\":{}"),
            "expected a layer");
    refused(LAYER("\"solver\":\"pool\",\"version\":1,\"arithmetic\":[1,2,3,4,5,6],\"schedules\":{\"0\":[1,2,3,4,5,6]}"),
            "expected a layer");
    refused(LAYER("\"solver\":\"pool\",\"version\":1,\"arithmetic\":[1,2,3,4,5,6],\"schedules\":[]"),
            "expected a layer");
}
TEST(layers_of_unknown_solvers_and_versions_are_counted) {
    static const char body[] =
        "{\"for\":\"this network, this machine\",\"layers\":["
        "{\"name\":\"r\",\"solver\":\"none_such\",\"version\":1,\"arithmetic\":[0,0,0,0,0,0],\"schedules\":{}},"
        "{\"name\":\"y\",\"solver\":\"conv_winograd\",\"version\":999,\"arithmetic\":[0,0,0,0,0,0],\"schedules\":{}}]}";
    Text text = {0};
    Arena arena = {0};
    StoredPlan stored;
    text_add(&text, "stent-plan 1 %016llx\n%s", (unsigned long long)hash64(body, strlen(body), 0), body);
    CHECK_OK(stored_plan_parse(&arena, text_get(&text), text.length, key, &stored));
    CHECK_INT(stored.n_layers, 0);
    CHECK_INT(stored.n_unknown, 2);
    text_free(&text);
    arena_free(&arena);
}
TEST(cut_and_changed_files_are_refused) {
    Graph *graph = planned_graph(network);
    const Machine machine = planned_machine(planned_best_isa());
    Arena arena = {0};
    StoredPlan stored = {.n_layers = 0}, again;
    Text text = {0};
    store(graph, &machine, &stored, &arena, false);
    CHECK_OK(stored_plan_print(&stored, key, &text));
    char *bytes = arena_string(&arena, text_get(&text));
    for (size_t length = 0; length < text.length; length++)
        CHECK_INT(stored_plan_parse(&arena, bytes, length, key, &again), ST_BAD);
    for (size_t i = 0; i < text.length; i++) {
        bytes[i] ^= 1;
        CHECK_INT(stored_plan_parse(&arena, bytes, text.length, key, &again), ST_BAD);
        bytes[i] ^= 1;
    }
    CHECK_INT(stored_plan_parse(&arena, bytes, text.length, "another key", &again), ST_BAD);
    text_free(&text);
    arena_free(&arena);
    graph_free(graph);
}
TEST(several_plans_lie_one_behind_the_other) {
    static const char two[] = "stent-plan 1 0\n{\"for\": \"stent-plan \"}\nstent-plan 1 1\n{}\n";
    const size_t first = strlen("stent-plan 1 0\n{\"for\": \"stent-plan \"}\n"), all = sizeof two - 1;
    CHECK_INT(stored_plan_length(two, all), first);
    CHECK_INT(stored_plan_length(two + first, all - first), all - first);
    CHECK_INT(stored_plan_length("x", 1), 1);
    CHECK_INT(stored_plan_length("\n", 1), 1);
    CHECK_INT(stored_plan_length("\nstent-plan", 11), 11); // cut
    CHECK_INT(stored_plan_length("\nstent-plan ", 12), 1);
}
