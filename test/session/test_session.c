// Executables and sessions: sharing, lifetimes, what a run may and may not do.
#include "kernel/emulated.h"
#include "package/make_package.h"
#include "plan/planned.h"
#include "reference/reference.h"
#include "session/session.h"
#include <pthread.h>

static const char network[] = // skip connections, a residual, a pool, and a value of each kind of layout
    "graph (%x: float32[2x3x13x10]) -> (%y, %p, %n) {\n"
    " %w = const float32[16x3x3x3] random(seed=1, scale=0.2)\n"
    " %v = const float32[16x16x3x3] random(seed=2, scale=0.1)\n"
    " %u = const float32[2x32x1x1] random(seed=3, scale=0.2)\n"
    " %a = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
    " %r = Relu (%a)\n"
    " %b = Conv (%r, %v) {pads=[1, 1, 1, 1]}\n"
    " %s = Add (%b, %r)\n"
    " %t = Relu (%s)\n"
    " %p = MaxPool (%t) {kernel_shape=[2, 2], strides=[2, 2]}\n"
    " %c = Concat (%r, %t) {axis=1}\n"
    " %l = Conv (%c, %u)\n"
    " %y = Softmax (%l) {axis=1}\n"
    " %n = GlobalAveragePool (%c)\n"
    "}\n";

typedef struct Made {
    Graph *graph;
    Executable *executable;
    Arena arena;
    Tensor *inputs, *expected;
} Made;
static Status make(const Graph *graph, int threads, Executable **out) {
    Machine machine;
    Plan *plan;
    Pool *pool = NULL;
    TRY(machine_detect(&machine));
    TRY(plan_create(graph, &machine, &(PlanOptions){.threads = threads, .fuse = true}, &plan));
    Status status = pool_create(threads, &pool);
    if (status == ST_OK) status = executable_create(plan, pool, NULL, out);
    else plan_free(plan);
    pool_destroy(pool);
    return status;
}
static Made make_network(const char *text, int threads) {
    Made made = {.graph = planned_graph(text)};
    made.inputs = planned_inputs(made.graph, 21, &made.arena);
    made.expected = arena_array(&made.arena, (size_t)made.graph->n_outputs, sizeof(Tensor));
    CHECK_OK(reference_run(made.graph, made.inputs, made.expected, &made.arena, NULL, NULL));
    CHECK_OK(make(made.graph, threads, &made.executable));
    return made;
}
static void free_network(Made *made) {
    executable_release(made->executable);
    graph_free(made->graph);
    arena_free(&made->arena);
}
static void check_run(const char *what, const Made *made, Session *session) {
    Arena arena = {0};
    Tensor *outputs = planned_outputs(made->graph, &arena);
    CHECK_OK(session_run(session, made->inputs, outputs));
    planned_compare(what, made->graph, outputs, made->expected, 1e-5);
    arena_free(&arena);
}

TEST(a_session_outlives_its_executable_handle) {
    Made made = make_network(network, 2);
    Session *a, *b;
    CHECK_OK(session_create(made.executable, &a));
    CHECK_OK(session_create(made.executable, &b));
    executable_release(made.executable);
    made.executable = NULL;
    check_run("first", &made, a);
    check_run("second", &made, b);
    session_destroy(a);
    check_run("second again", &made, b);
    session_destroy(b);
    session_destroy(NULL);
    free_network(&made);
}
typedef struct Runner {
    const Made *made;
    Session *session;
    bool good;
} Runner;
static void *run_often(void *argument) {
    Runner *runner = argument;
    Arena arena = {0};
    Tensor *outputs = planned_outputs(runner->made->graph, &arena);
    runner->good = true;
    for (int i = 0; i < 50; i++) {
        for (int k = 0; k < runner->made->graph->n_outputs; k++)
            memset(outputs[k].data, 0xff, tensor_bytes(&outputs[k]));
        runner->good = runner->good && session_run(runner->session, runner->made->inputs, outputs) == ST_OK &&
                       planned_compare("a thread", runner->made->graph, outputs, runner->made->expected, 1e-5);
    }
    arena_free(&arena);
    return NULL;
}
TEST(sessions_run_side_by_side) {
    Made made = make_network(network, 2);
    Runner runners[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        runners[i] = (Runner){.made = &made};
        CHECK_OK(session_create(made.executable, &runners[i].session));
    }
    for (int i = 0; i < 4; i++) REQUIRE(pthread_create(&threads[i], NULL, run_often, &runners[i]) == 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < 4; i++) {
        CHECK(runners[i].good);
        session_destroy(runners[i].session);
    }
    free_network(&made);
}
TEST(a_run_allocates_nothing) {
    Made made = make_network(network, 2);
    Session *session;
    CHECK_OK(session_create(made.executable, &session));
    Tensor *outputs = planned_outputs(made.graph, &made.arena);
    mem_fail_after(0);
    const Status status = session_run(session, made.inputs, outputs);
    mem_fail_after(-1);
    CHECK_INT(status, ST_OK);
    session_destroy(session);
    free_network(&made);
}
TEST(wrong_tensors_are_refused_by_name) {
    Made made = make_network(network, 1);
    Session *session;
    CHECK_OK(session_create(made.executable, &session));
    Tensor *outputs = planned_outputs(made.graph, &made.arena), input = made.inputs[0], output = outputs[1];
    input.shape.dim[3] = 9;
    CHECK_INT(session_run(session, &input, outputs), ST_BAD);
    CHECK_TEXT(error_message(), "input 'x': expected float32 2x3x13x10, got float32 2x3x13x9");
    input = made.inputs[0], input.dtype = DT_I32;
    CHECK_INT(session_run(session, &input, outputs), ST_BAD);
    CHECK(strstr(error_message(), "got int32"));
    outputs[1].shape.rank = 3;
    CHECK_INT(session_run(session, made.inputs, outputs), ST_BAD);
    CHECK(strstr(error_message(), "output 'p'"));
    outputs[1] = output;
    CHECK_OK(session_run(session, made.inputs, outputs));
    session_destroy(session);
    free_network(&made);
}
TEST(times_of_all_steps_are_measured) {
    Made made = make_network(network, 2);
    Session *session;
    CHECK_OK(session_create(made.executable, &session));
    const Plan *plan = executable_plan(made.executable);
    StepTime *times = mem_zero((size_t)plan->n_steps + 1, sizeof *times);
    REQUIRE(times);
    for (int i = 0; i < 3; i++)
        CHECK_OK(session_profile(session, made.inputs, planned_outputs(made.graph, &made.arena), times));
    for (int i = 0; i < plan->n_steps; i++)
        CHECK_MSG(times[i].ns > 0, "step %d '%s' took no time", i, plan->steps[i].name);
    CHECK_INT(times[plan->n_steps].ns, 0);
    mem_free(times);
    session_destroy(session);
    free_network(&made);
}
TEST(a_step_that_fails_says_why_and_the_next_run_works) {
    const char *text = "graph (%x: float32[4x3], %i: int64[2]) -> (%y, %z) {\n"
                       " %g = Gather (%x, %i)\n"
                       " %y = Relu (%g)\n"
                       " %z = ReduceL2 (%g)\n"
                       "}\n";
    Made made = make_network(text, 2);
    Session *session;
    CHECK_OK(session_create(made.executable, &session));
    Tensor *outputs = planned_outputs(made.graph, &made.arena);
    int64_t *index = made.inputs[1].data;
    const int64_t right = index[0];
    index[0] = 7;
    CHECK_INT(session_run(session, made.inputs, outputs), ST_BAD);
    CHECK_MSG(strstr(error_message(), "7") != NULL, "got '%s'", error_message());
    index[0] = right;
    check_run("afterwards", &made, session);
    mem_fail_after(0); // the reference path needs memory
    const Status status = session_run(session, made.inputs, outputs);
    mem_fail_after(-1);
    CHECK_INT(status, ST_RESOURCE);
    check_run("with memory again", &made, session);
    session_destroy(session);
    free_network(&made);
}
TEST(a_plan_tells_its_steps_and_its_hash) {
    Made made = make_network(network, 1);
    char one[65], again[65], other[65];
    const Plan *plan = executable_plan(made.executable);
    CHECK_OK(plan_hash(plan, one));
    CHECK_OK(plan_hash(plan, again));
    CHECK_TEXT(one, again);
    Executable *two;
    CHECK_OK(make(made.graph, 2, &two));
    CHECK_OK(plan_hash(executable_plan(two), other));
    CHECK(strcmp(one, other));
    executable_release(two);
    free_network(&made);
}
TEST(shapes_that_are_not_known_are_named) {
    Graph *graph = planned_graph("graph (%x: float32[1x3xHx8]) -> (%y) { %y = Relu (%x) }");
    Executable *executable;
    CHECK_INT(make(graph, 1, &executable), ST_UNSUPPORTED);
    CHECK(strstr(error_message(), "'x'") && strstr(error_message(), "--input"));
    graph_free(graph);
}
TEST(a_network_beyond_all_memory_is_refused) {
    // Sizes whose sum would overflow, and one that does not fit into an address.
    static const char *const texts[] = {"graph (%x: float32[1x1x1x1]) -> (%d) {\n"
                                        " %s = const int64[4] {1, 1000000, 1000000, 1000000}\n"
                                        " %a = Expand (%x, %s)\n"
                                        " %b = Relu (%a)\n"
                                        " %c = Neg (%a)\n"
                                        " %d = GlobalMaxPool (%c)\n"
                                        "}\n",
                                        "graph (%x: float32[1x1x1x1]) -> (%d) {\n"
                                        " %s = const int64[4] {1, 1, 900000, 1000000}\n"
                                        " %a = Expand (%x, %s)\n"
                                        " %b = Relu (%a)\n"
                                        " %c = Neg (%a)\n"
                                        " %d = GlobalMaxPool (%c)\n"
                                        "}\n",
                                        "graph (%x: float32[1x3x4x4]) -> (%d) {\n"
                                        " %w = const float32[3x3x1x1] zeros\n"
                                        " %a = Conv (%x, %w) {pads=[2000000000, 0, 2000000000, 0]}\n"
                                        " %d = GlobalMaxPool (%a)\n"
                                        "}\n"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        Graph *graph = NULL;
        if (graph_parse(texts[i], strlen(texts[i]), &graph) != ST_OK) continue; // refused even before
        Executable *executable = NULL;
        Session *session = NULL;
        Status status = make(graph, 1, &executable);
        if (status == ST_OK) status = session_create(executable, &session);
        CHECK_MSG(status == ST_RESOURCE || status == ST_UNSUPPORTED, "%d: status %d: %s", (int)i, status,
                  error_message());
        session_destroy(session);
        executable_release(executable);
        graph_free(graph);
    }
}
TEST(no_memory_for_a_plan_or_a_session) {
    Graph *graph = planned_graph(network);
    for (int64_t n = 0;; n++) {
        Executable *executable = NULL;
        Session *session = NULL;
        mem_fail_after(n);
        Status status = make(graph, 2, &executable);
        if (status == ST_OK) status = session_create(executable, &session);
        mem_fail_after(-1);
        session_destroy(session);
        executable_release(executable);
        if (status == ST_OK) break;
        CHECK_INT(status, ST_RESOURCE);
        CHECK(*error_message());
        REQUIRE(n < 20000);
    }
    graph_free(graph);
}
TEST(no_memory_for_plans_of_all_kinds) {
    // Arenas take memory by the block (sanitized: by the piece), so that each network meets the fault elsewhere.
    for (uint64_t seed = 1; seed <= 12; seed++) {
        Text text = {0};
        random_network(7000 + seed, &text);
        Graph *graph = planned_graph(text_get(&text));
        for (int64_t n = 0, step = 1;; n += step, step += n > 60) {
            Executable *executable = NULL;
            mem_fail_after(n);
            const Status status = make(graph, 1, &executable);
            mem_fail_after(-1);
            executable_release(executable);
            if (status == ST_OK) break;
            CHECK_MSG(status == ST_RESOURCE, "seed %d, allocation %d: status %d: %s", (int)seed, (int)n, status,
                      error_message());
        }
        graph_free(graph);
        text_free(&text);
    }
}

// ---- What the fast ways lose is repeated in strict

static const char fast_network[] = "graph (%x: float32[1x32x24x26]) -> (%y) {\n"
                                   " %w = const float32[32x32x3x3] random(seed=1, scale=0.06)\n"
                                   " %v = const float32[32x32x3x3] random(seed=2, scale=0.06)\n"
                                   " %a = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
                                   " %r = Relu (%a)\n"
                                   " %y = Conv (%r, %v) {pads=[1, 1, 1, 1]}\n"
                                   "}\n";
// kernels: NULL, or those that the plans are made with.
static Status make_with(const Graph *graph, Precision precision, const Kernels *kernels, bool allow, Executable **out) {
    Machine machine;
    Plan *plan;
    Pool *pool = NULL;
    const PlanOptions options = {.threads = 2, .fuse = true, .precision = precision, .kernels = kernels};
    TRY(machine_detect(&machine));
    TRY(plan_create(graph, &machine, &options, &plan));
    bool fast = false;
    for (int i = 0; i < plan->n_steps; i++) fast = fast || strstr("conv_winograd conv_amx", plan->steps[i].solver->name);
    CHECK_INT(fast, precision != PRECISION_STRICT);
    Status status = pool_create(2, &pool);
    if (status == ST_OK) status = executable_create(plan, pool, NULL, out);
    else plan_free(plan);
    if (status == ST_OK && allow) executable_allow_strict(*out, &machine, &options);
    pool_destroy(pool);
    return status;
}
static void check_repeats(Precision precision, const Kernels *kernels) {
    static const float worst[] = {INFINITY, NAN, 3.4e38f, 1}; // the last: nothing to notice
    Graph *graph = planned_graph(fast_network);
    Executable *fast, *alone, *strict;
    Session *sessions[2], *without, *expected;
    Arena arena = {0};
    CHECK_OK(make_with(graph, precision, kernels, true, &fast));
    CHECK_OK(make_with(graph, precision, kernels, false, &alone));
    CHECK_OK(make_with(graph, PRECISION_STRICT, kernels, true, &strict));
    for (int i = 0; i < 2; i++) CHECK_OK(session_create(fast, &sessions[i]));
    CHECK_OK(session_create(alone, &without));
    CHECK_OK(session_create(strict, &expected));
    for (size_t i = 0; i < COUNT_OF(worst); i++) {
        Tensor *inputs = planned_inputs(graph, 5, &arena), *want = planned_outputs(graph, &arena);
        Tensor *plain = planned_outputs(graph, &arena);
        tensor_set(&inputs[0], 4000, worst[i]);
        CHECK_OK(session_run(expected, inputs, want));
        CHECK_OK(session_run(without, inputs, plain));
        for (int k = 0; k < 2; k++) {
            Tensor *got = planned_outputs(graph, &arena);
            CHECK_OK(session_run(sessions[k], inputs, got));
            planned_same_bits("repeated", graph, got, worst[i] == 1 ? plain : want);
            CHECK_INT(session_repeats(sessions[k]), worst[i] == 1 ? i : i + 1);
        }
        CHECK_INT(session_repeats(without) + session_repeats(expected), 0);
    }
    for (int i = 0; i < 2; i++) session_destroy(sessions[i]);
    session_destroy(without), session_destroy(expected);
    executable_release(fast), executable_release(alone), executable_release(strict);
    graph_free(graph);
    arena_free(&arena);
}
TEST(lost_values_are_repeated_in_strict) { check_repeats(PRECISION_FP32, NULL); }
TEST(values_that_bf16_loses_are_repeated_in_strict) {
    const Kernels *kernels = kernels_or_emulated(ISA_AMX);
    if (!kernels) test_skip("neither AMX nor the AVX2 that its emulation takes is here");
    check_repeats(PRECISION_BF16, kernels);
    check_repeats(PRECISION_FP32, kernels);
}
