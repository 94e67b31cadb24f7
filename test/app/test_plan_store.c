// Plans in the user's data folder: found when the package is opened, and never trusted.
#include "app/plan_store.h"
#include "base/log.h"
#include "cli/program.h"

static char notes[1000];
static void keep_note(void *context, LogLevel level, const char *line) {
    (void)context, (void)level;
    snprintf(notes, sizeof notes, "%s", line);
}
static const char *compiled(void) {
    const char *package = test_temp("net.stent");
    setenv("XDG_DATA_HOME", test_temp("data"), 1);
    log_set(keep_note, NULL, LOG_NOTE);
    CHECK_INT(stent_compile(small_model(), package, NULL, NULL), STENT_OK);
    return package;
}
static void opened_as(const char *package, int threads, bool untuned, Opened *out) {
    const stent_options options = {.size = sizeof options, .threads = threads, .untuned = untuned};
    notes[0] = 0;
    REQUIRE(open_package(package, &options, 0, out) == ST_OK);
}
// Stores the plan as it is, for its number of threads; the first layer that has another configuration with the same
// arithmetic takes that. Its name, in the package's arena.
static const char *store_other(Opened *opened, const char **path) {
    StoredPlan stored = {.n_layers = 0};
    const Plan *plan = executable_plan(opened->executable);
    bool dropped;
    CHECK_OK(stored_plan_put(&stored, plan, &opened->arena, &dropped));
    for (int i = 0; i < plan->n_steps; i++) {
        const PlanStep *step = &plan->steps[i];
        Configuration list[MOST_CONFIGURATIONS];
        memset(list, 0, sizeof list);
        if (!plan_step_has_choice(step)) continue;
        const int count = step->solver->configurations(step->problem, kernels_for(opened->machine.isa),
                                                       &opened->machine, list, MOST_CONFIGURATIONS);
        for (int c = 0; c < count; c++) {
            if (!memcmp(&list[c], &step->configuration, sizeof *list) ||
                memcmp(list[c].arithmetic, step->configuration.arithmetic, sizeof list[c].arithmetic))
                continue;
            for (int k = 0; k < stored.n_layers; k++)
                if (!strcmp(stored.layers[k].name, step->name))
                    memcpy(stored.layers[k].schedules[0], list[c].schedule, sizeof list[c].schedule);
            CHECK_OK(plan_store_write(opened, &stored, path));
            return step->name;
        }
    }
    REQUIRE(!"a layer has two schedules");
    return NULL;
}

TEST(a_stored_plan_is_found) {
    const char *package = compiled(), *path = NULL;
    Opened first, opened;
    opened_as(package, 2, false, &first);
    CHECK(!first.tuned);
    store_other(&first, &path);
    opened_as(package, 2, false, &opened);
    CHECK(opened.tuned && strcmp(opened.plan_hash, first.plan_hash) && !notes[0]);
    CHECK(!strcmp(opened.self_check, "passed")); // the first use of this plan
    close_package(&opened);
    opened_as(package, 2, true, &opened);
    CHECK(!opened.tuned && !strcmp(opened.plan_hash, first.plan_hash));
    close_package(&opened);
    opened_as(package, 3, false, &opened); // gives the arithmetic, which is the untuned one's
    CHECK(opened.tuned);
    close_package(&opened), close_package(&first);
}
TEST(damaged_stored_plans_count_as_none) {
    const char *package = compiled(), *path = NULL;
    Opened first, opened;
    uint8_t *bytes;
    size_t size;
    opened_as(package, 2, false, &first);
    store_other(&first, &path);
    CHECK_OK(file_read(path, 1 << 20, &bytes, &size));
    bytes[size / 2] ^= 4;
    CHECK_OK(file_write(path, bytes, size));
    opened_as(package, 2, false, &opened);
    CHECK(!opened.tuned && !strcmp(opened.plan_hash, first.plan_hash));
    CHECK_MSG(strstr(notes, "the stored plan is not used") && strstr(notes, "checksum"), "%s", notes);
    close_package(&opened);
    CHECK_OK(file_write(path, "", 0));
    opened_as(package, 2, false, &opened);
    CHECK(!opened.tuned && strstr(notes, "the stored plan is not used"));
    close_package(&opened), close_package(&first);
    mem_free(bytes);
}
TEST(a_plan_stands_for_its_content_machine_and_precision) {
    const char *package = compiled();
    Opened opened;
    opened_as(package, 2, false, &opened);
    const char *key = plan_store_key(&opened);
    CHECK(strstr(key, opened.package->content_hash) && strstr(key, "fp32") && strstr(key, opened.machine.cpu) &&
          strstr(key, isa_name(opened.machine.isa)) && strstr(key, "1x3x32x32"));
    close_package(&opened);
}
