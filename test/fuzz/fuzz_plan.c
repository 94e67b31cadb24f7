// Stored plans: what was read prints back the same, and a plan of a small network takes from it only what is its own.
#include "fuzz/fuzz.h"
#include "plan/stored.h"
#include <string.h>

static const char network[] = "graph (%x: float32[1x16x12x12]) -> (%y) {\n"
                              " %w = const float32[16x16x3x3] random(seed=1, scale=0.1)\n"
                              " %r = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
                              " %y = MaxPool (%r) {kernel_shape=[2, 2], strides=[2, 2]}\n"
                              "}\n";

static void plan_with(const PlanChoice *choices, int count) {
    static Graph *graph;
    static Machine machine;
    if (!graph) {
        FUZZ_REQUIRE(graph_parse(network, sizeof network - 1, &graph) == ST_OK);
        FUZZ_REQUIRE(machine_detect(&machine) == ST_OK);
    }
    const PlanOptions options = {
        .threads = 2, .fuse = true, .memory = (uint64_t)1 << 30, .choices = choices, .n_choices = count};
    Plan *plan;
    const Status status = plan_create(graph, &machine, &options, &plan);
    FUZZ_REQUIRE(status == ST_OK || status == ST_RESOURCE); // the network is right: only memory may lack
    if (status != ST_OK) return;
    FUZZ_REQUIRE(plan->error <= plan_budget(PRECISION_FP32) && plan_bytes(plan) <= options.memory);
    plan_free(plan);
}
int fuzz_plan(const uint8_t *data, size_t size) {
    static const char key[] = "fuzz";
    Arena arena = {0};
    StoredPlan stored, again;
    Text first = {0}, second = {0};
    PlanChoice *choices;
    int count;
    const Status status = stored_plan_parse(&arena, (const char *)data, size, key, &stored);
    if (status == ST_OK) {
        FUZZ_REQUIRE(stored_plan_print(&stored, key, &first) == ST_OK);
        FUZZ_REQUIRE(stored_plan_parse(&arena, text_get(&first), first.length, key, &again) == ST_OK);
        FUZZ_REQUIRE(stored_plan_print(&again, key, &second) == ST_OK);
        FUZZ_REQUIRE(!strcmp(text_get(&first), text_get(&second)));
        FUZZ_REQUIRE(stored_plan_choices(&stored, 2, &arena, &choices, &count) == ST_OK);
        plan_with(choices, count);
    }
    for (size_t at = 0, length; at < size; at += length) {
        const char *meant;
        length = stored_plan_length((const char *)data + at, size - at);
        FUZZ_REQUIRE(length > 0 && length <= size - at);
        if (stored_plan_for(&arena, (const char *)data + at, length, &meant) == ST_OK) FUZZ_REQUIRE(meant);
    }
    fuzz_check(status);
    text_free(&first), text_free(&second);
    arena_free(&arena);
    return 0;
}
