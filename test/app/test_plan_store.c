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

static void add_key(void *context, const char *key) { text_add(context, "%s\n", key ? key : "damaged"); }
// `tune -o`: the plan travels in the package, beside those of other machines.
TEST(a_package_carries_its_plan) {
    const char *package = compiled(), *path = NULL, *carrier = test_temp("tuned.stent");
    Opened first, opened;
    opened_as(package, 2, false, &first);
    const char *layer = store_other(&first, &path);
    StoredPlan stored;
    CHECK(layer != NULL);
    CHECK_OK(plan_store_read(&first, &stored));
    CHECK_OK(plan_store_carry(&first, &stored, carrier));
    setenv("XDG_DATA_HOME", test_temp("other data"), 1); // another PC of this kind
    opened_as(package, 2, false, &opened);
    CHECK(!opened.tuned);
    close_package(&opened);
    opened_as(carrier, 2, false, &opened);
    CHECK(opened.tuned && strcmp(opened.plan_hash, first.plan_hash) && !notes[0]);
    CHECK_TEXT(opened.package->content_hash, first.package->content_hash);
    CHECK(!strcmp(opened.self_check, "passed"));
    // Once more, and for another kind of machine: the first one's stays.
    snprintf(opened.machine.cpu, sizeof opened.machine.cpu, "another CPU");
    CHECK_OK(plan_store_carry(&opened, &stored, test_temp("two.stent")));
    CHECK_OK(plan_store_carry(&opened, &stored, test_temp("two.stent")));
    close_package(&opened), close_package(&first);
    opened_as(test_temp("two.stent"), 2, false, &opened);
    CHECK(opened.tuned);
    Text keys = {0};
    CHECK_OK(plan_store_carried(&opened, &(CarriedList){add_key, &keys}));
    CHECK(strstr(text_get(&keys), opened.machine.cpu) && strstr(text_get(&keys), "another CPU"));
    const char *first_line = strchr(text_get(&keys), '\n');
    CHECK(first_line && strchr(first_line + 1, '\n') && !strchr(first_line + 1, '\n')[1]); // two
    text_free(&keys);
    close_package(&opened);
    CHECK_INT(program("info", test_temp("two.stent"), NULL), 0);
    CHECK(strstr(program_out, "carries a tuned plan for:") && strstr(program_out, "another CPU"));
}
TEST(a_damaged_plan_in_a_package_is_none) {
    const char *package = compiled(), *carrier = test_temp("tuned.stent"), *path;
    Opened opened;
    Package *read;
    opened_as(package, 2, false, &opened);
    store_other(&opened, &path);
    uint8_t *bytes;
    size_t size;
    CHECK_OK(file_read(path, STORED_BYTES, &bytes, &size));
    bytes[size / 2] ^= 1;
    CHECK_OK(package_open(package, &read));
    CHECK_OK(package_write_with_plans(read, (const char *)bytes, size, carrier));
    package_close(read);
    mem_free(bytes);
    close_package(&opened);
    setenv("XDG_DATA_HOME", test_temp("other data"), 1);
    opened_as(carrier, 2, false, &opened);
    CHECK(!opened.tuned);
    Text keys = {0};
    CHECK_OK(plan_store_carried(&opened, &(CarriedList){add_key, &keys}));
    CHECK_TEXT(text_get(&keys), "damaged\n");
    text_free(&keys);
    close_package(&opened);
}
