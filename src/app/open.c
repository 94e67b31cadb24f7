// Opening a package on this machine: bind shapes, plan, prepare the weights, self-check at the plan's first use.
#include "app/app.h"
#include "app/frame.h"
#include "app/plan_store.h"
#include "base/clock.h"
#include "base/log.h"
#include "pass/pass.h"
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Larger: less exact.
static int looseness(Precision precision) {
    static const int order[] = {[PRECISION_STRICT] = 0, [PRECISION_FP32] = 1, [PRECISION_BF16] = 2};
    return order[precision];
}
// The package's precision is a permission: the caller may ask for a stricter one, and a machine that cannot do it runs
// fp32.
static Status choose_precision(const stent_options *options, Opened *opened) {
    static atomic_flag told = ATOMIC_FLAG_INIT;
    Precision permitted;
    TRY(precision_from_name(opened->package->precision, &permitted));
    opened->mode = permitted;
    if (options->precision) TRY(precision_from_name(options->precision, &opened->mode));
    FAIL_IF(looseness(opened->mode) > looseness(permitted), ST_USAGE,
            "--precision %s: the package permits %s, and here only stricter ones; compile the model with it",
            options->precision, opened->package->precision);
    if (opened->mode == PRECISION_BF16 && !kernels_for(opened->machine.isa)->amx_split) {
        opened->mode = PRECISION_FP32;
        if (!atomic_flag_test_and_set(&told))
            log_note("bf16 takes AMX, which is not had on %s here: fp32 runs", isa_name(opened->machine.isa));
    }
    opened->precision = precision_name(opened->mode);
    return ST_OK;
}

// What the package tells of its making; it may be silent.
static Status read_description(Opened *opened) {
    Json *description;
    const char *text = opened->package->description;
    TRY(json_parse(&opened->arena, text, strlen(text), &description));
    const Json *model = json_get(description, "model");
    opened->model = model && model->type == JSON_STRING ? model->string : "";
    opened->opt_level = opened->package->opt_level;
    return ST_OK;
}
uint64_t memory_allowed(const stent_options *options, const Machine *machine) {
    const uint64_t given = common_options(options)->max_memory;
    return given ? given : machine->memory;
}
// Asked before the memory is taken.
static Status check_memory(const Plan *plan, uint64_t limit, uint64_t memory) {
    const uint64_t need = plan_bytes(plan);
    FAIL_IF(limit && need > limit, ST_RESOURCE,
            "the network needs at least %.0f MB, allowed are %.0f MB (--max-memory)", (double)need / 1e6,
            (double)limit / 1e6);
    FAIL_IF(need > memory, ST_RESOURCE, "the network needs %.0f MB, this machine has %.0f MB; use a smaller input",
            (double)need / 1e6, (double)memory / 1e6);
    return ST_OK;
}
PlanOptions plan_options_of(const Opened *opened, const stent_options *options) {
    return (PlanOptions){.threads = opened->threads,
                         .precision = opened->mode,
                         .fuse = opened->opt_level >= 3,
                         .budget = opened->budget,
                         .memory = memory_allowed(options, &opened->machine)};
}
PlainWeights plain_weights_of(const Opened *opened) {
    const Package *package = opened->package;
    return (PlainWeights){&package->mapping, package->constants, package->constants_bytes};
}
static Status make_executable(Opened *opened, const stent_options *options, const PlanOptions *plan_options) {
    Plan *plan = NULL;
    Pool *pool = NULL;
    const PlainWeights plain = plain_weights_of(opened);
    TRY(plan_create(opened->package->graph, &opened->machine, plan_options, &plan));
    Status status = check_memory(plan, options->max_memory, opened->machine.memory);
    if (status == ST_OK) status = plan_hash(plan, opened->plan_hash);
    if (status == ST_OK) status = pool_create(opened->threads, &pool);
    if (status == ST_OK) status = executable_create(plan, pool, &plain, &opened->executable);
    else plan_free(plan);
    if (status == ST_OK) executable_allow_strict(opened->executable, &opened->machine, plan_options);
    pool_destroy(pool);
    return status;
}

// Where it is recorded that a plan passed: an empty file of a telling name in the user's data folder.
static char *record_path(const Opened *opened, Arena *arena) {
    const char *folder = user_data_folder(arena);
    folder = folder ? path_join(arena, folder, "checked") : NULL;
    char name[192];
    // The content hash leaves the self-check out, so that one stands for itself. A strict plan may be the same as the
    // fp32 one, yet has less error to give away; one for bf16 has more.
    snprintf(name, sizeof name, "%.16s-%s-%.16s-%s%s%s-%s", opened->package->content_hash, opened->package->check_hash,
             opened->plan_hash, isa_name(opened->machine.isa), opened->mode != PRECISION_FP32 ? "-" : "",
             opened->mode != PRECISION_FP32 ? opened->precision : "", STENT_VERSION);
    return folder ? path_join(arena, folder, name) : NULL;
}
static void record_passed(Opened *opened) {
    const char *record = record_path(opened, &opened->arena);
    const char *folder = record ? path_folder(&opened->arena, record) : NULL;
    // Without a place for the record the check runs again next time: slower, not wrong.
    if (!folder || folder_make(folder) != ST_OK || file_write(record, "", 0) != ST_OK) {
        log_verbose("the self-check cannot be recorded: %s", error_message());
        error_clear();
    }
}
// Products of rounded factors lose more than other fast ways, and what a network makes of that can only be measured.
static bool rounds_factors(const Plan *plan) {
    for (int i = 0; i < plan->n_steps; i++)
        if (solver_effort(plan->steps[i].solver, &plan->steps[i].configuration).rounds) return true;
    return false;
}
// What a self-check may find for the plan to be left as it is. Other inputs may have three times the sample's error
// (random weights, split products), so in fp32 half of what is permitted; in bf16 the gate has looked at many inputs.
static double wanted_rms(const Opened *opened) {
    return plan_budget(opened->mode) * (opened->mode == PRECISION_FP32 ? 0.5 : 1);
}
// For a package without a self-check, and a plan that takes such products. A network that refuses the sample, or for
// which the memory is too small, keeps its plan.
static Status compare_with_strict(Opened *opened, const stent_options *options, double allowed) {
    const Status status = self_check_against_strict(
        opened->package->graph, opened->executable, pipeline_amplitude(&opened->pipeline), opened->threads,
        memory_allowed(options, &opened->machine), allowed, &opened->self_check_rms);
    if (status == ST_OK || status == ST_NO) return status;
    error_clear();
    return ST_OK;
}
static Status first_use(Opened *opened, const stent_options *options, double allowed) {
    const char *record = record_path(opened, &opened->arena);
    opened->self_check = "recorded";
    if (record && path_kind(record) == PATH_FILE) return ST_OK;
    bool ran = false;
    opened->self_check = "skipped"; // compile makes none that takes minutes
    if (self_check_takes_too_long(executable_plan(opened->executable))) return ST_OK;
    const Status status =
        self_check_run(&opened->package->check, opened->executable, allowed, &opened->self_check_rms, &ran);
    opened->self_check = !ran ? "skipped" : status == ST_OK ? "passed" : "failed";
    TRY(status);
    if (ran) log_verbose("self-check passed: rms / std %.2g", opened->self_check_rms);
    else if (rounds_factors(executable_plan(opened->executable))) TRY(compare_with_strict(opened, options, allowed));
    else return ST_OK;
    record_passed(opened);
    return ST_OK;
}

// Where the budget is recorded with which the self-check passed, after it had not with the precision's own: a number of
// 1e-12.
static char *budget_path(Opened *opened, const stent_options *options) {
    const char *folder = user_data_folder(&opened->arena);
    char name[192];
    folder = folder ? path_join(&opened->arena, folder, "checked") : NULL;
    snprintf(name, sizeof name, "%.16s-%s-%s-%s-%llu-%s-budget", opened->package->content_hash,
             opened->package->check_hash, isa_name(opened->machine.isa), opened->precision,
             (unsigned long long)options->max_memory, STENT_VERSION);
    return folder ? path_join(&opened->arena, folder, name) : NULL;
}
static const double budget_unit = 1e-12;
static double read_budget(Opened *opened, const stent_options *options) {
    const char *path = budget_path(opened, options);
    uint8_t *text = NULL;
    size_t bytes = 0;
    if (!path || path_kind(path) != PATH_FILE) return 0;
    if (file_read(path, 32, &text, &bytes) != ST_OK) {
        error_clear();
        return 0;
    }
    char digits[33] = {0};
    memcpy(digits, text, MIN(bytes, 32));
    mem_free(text);
    const double budget = (double)strtoll(digits, NULL, 10) * budget_unit;
    return budget > 0 && budget < plan_budget(opened->mode) ? budget : 0;
}
static void write_budget(Opened *opened, const stent_options *options) {
    const char *path = budget_path(opened, options);
    char digits[32];
    const int length = snprintf(digits, sizeof digits, "%lld\n", (long long)(opened->budget / budget_unit));
    if (path && file_write(path, digits, (size_t)length) != ST_OK) error_clear();
}
// The foreseen error is a mark for networks as they mostly are; some make more of the error of a layer. Then the
// self-check says how much more, and the plan is made again with as much less to spend, until it has what is wanted or
// no way is more exact: then what is permitted decides.
static Status make_more_exact(Opened *opened, const stent_options *options, PlanOptions *plan_options) {
    enum { MOST_TRIES = 4 };
    const double margin = 0.7;
    Status status = ST_NO;
    for (int tries = 0; status == ST_NO && tries < MOST_TRIES; tries++) {
        const double foreseen = executable_plan(opened->executable)->error;
        char before[sizeof opened->plan_hash];
        memcpy(before, opened->plan_hash, sizeof before);
        if (!isfinite(opened->self_check_rms) || foreseen <= 0) break;
        log_verbose("the self-check found %.2g with %.2g foreseen: a more exact plan is made", opened->self_check_rms,
                    foreseen);
        opened->budget = margin * foreseen * wanted_rms(opened) / opened->self_check_rms;
        plan_options->budget = opened->budget;
        error_clear();
        executable_release(opened->executable);
        opened->executable = NULL;
        TRY(make_executable(opened, options, plan_options));
        status = first_use(opened, options, wanted_rms(opened));
        if (!memcmp(before, opened->plan_hash, sizeof before)) break;
    }
    // It is as exact as it can be. Without a self-check nothing says that it is wrong.
    if (status == ST_NO) {
        const bool skipped = !strcmp(opened->self_check, "skipped");
        error_clear();
        status = first_use(opened, options, skipped ? INFINITY : plan_budget(opened->mode));
    }
    if (status == ST_OK) write_budget(opened, options);
    return status;
}

// With the stored plan's choices, if there are any and the self-check passes with them.
static Status make_and_check(Opened *opened, const stent_options *options, int flags) {
    opened->budget = read_budget(opened, options);
    PlanOptions plan_options = plan_options_of(opened, options);
    StoredPlan stored = {.n_layers = 0};
    PlanChoice *choices = NULL;
    plan_options.reference = (flags & OPEN_REFERENCE) != 0;
    if (!options->untuned && !plan_options.reference) {
        TRY(plan_store_read(opened, &stored));
        TRY(stored_plan_choices(&stored, opened->threads, &opened->arena, &choices, &plan_options.n_choices));
        plan_options.choices = choices;
    }
    opened->tuned = plan_options.n_choices > 0;
    Status status = make_executable(opened, options, &plan_options);
    if (flags & OPEN_NO_CHECK) return status;
    if (status == ST_OK) status = first_use(opened, options, wanted_rms(opened));
    if (status == ST_NO && opened->tuned) {
        log_note("the stored plan is not used: %s", error_message());
        error_clear();
        executable_release(opened->executable);
        opened->executable = NULL, opened->tuned = false;
        plan_options.n_choices = 0;
        TRY(make_executable(opened, options, &plan_options));
        status = first_use(opened, options, wanted_rms(opened));
    }
    const bool may_be_more_exact = opened->mode != PRECISION_STRICT && !plan_options.reference;
    return status == ST_NO && may_be_more_exact ? make_more_exact(opened, options, &plan_options) : status;
}

// Whether bind_shapes would ask for the shape of the one picture that goes in.
static bool awaits_picture(const Graph *graph, const stent_options *options, const Pipeline *pipeline) {
    if (graph->n_inputs != 1 || (options->inputs && options->inputs[0])) return false;
    const Type *type = &graph->values[graph->inputs[0]].type;
    if (type->rank != 4 || type_is_static(type)) return false;
    const Frame frame = frame_of_input(type, pipeline->channels);
    return (frame.channels < 0 && !pipeline->channels) || (frame.height < 0 && !pipeline->height) ||
           (frame.width < 0 && !pipeline->width);
}
// The same for networks that take no single picture.
static bool awaits_shapes(const Graph *graph, const stent_options *options) {
    if (options->inputs && options->inputs[0]) return false;
    for (int i = 0; i < graph->n_inputs; i++) {
        const Type *type = &graph->values[graph->inputs[i]].type;
        if (!type_is_static(type) && (graph->n_inputs != 1 || type->rank != 4)) return true;
    }
    return false;
}
static Status open_all(const PackageSource *source, const stent_options *options, int flags, Opened *opened) {
    TRY(machine_detect(&opened->machine));
    TRY(choose_threads(options, &opened->machine, &opened->threads));
    Precision asked;
    if (options->precision) TRY(precision_from_name(options->precision, &asked));
    if (source->bytes) TRY(package_open_bytes(source->bytes, source->size, &opened->package));
    else TRY(package_open(source->path, &opened->package));
    Package *package = opened->package;
    Status status = pipeline_parse(package->pipeline, strlen(package->pipeline), &opened->arena, &opened->pipeline);
    if (status != ST_OK) return fail_context(status, "%s: pipeline", source->path);
    status = read_description(opened);
    if (status == ST_OK) status = choose_precision(options, opened);
    if (status == ST_OK && (flags & OPEN_FREE) && awaits_picture(package->graph, options, &opened->pipeline))
        return ST_OK;
    if (status == ST_OK && (flags & OPEN_FREE) && (flags & OPEN_GRAPH) && awaits_shapes(package->graph, options))
        return ST_OK;
    if (status == ST_OK)
        status = bind_shapes(package->graph, options, &opened->pipeline, MIN(opened->opt_level, 2), &opened->arena);
    if (status == ST_OK && (flags & OPEN_GRAPH)) return ST_OK;
    if (status == ST_OK && (flags & OPEN_ROUNDED)) status = pass_round_products(package->graph);
    if (status == ST_OK) status = make_and_check(opened, options, flags);
    return status == ST_OK ? ST_OK : fail_context(status, "%s", source->path);
}
// What is said of a model file has no place here.
static Status refuse_model_options(const stent_options *options, const char *path) {
    const char *given = options->arch ? "--arch" : options->signature ? "--signature" : NULL;
    FAIL_IF(given, ST_USAGE, "%s: goes with a model file, and %s is a package", given, path);
    return ST_OK;
}
Status open_source(const PackageSource *source, const stent_options *options, int flags, Opened *out) {
    const uint64_t start = clock_ns();
    *out = (Opened){.self_check = "not run"};
    TRY(refuse_model_options(common_options(options), source->path));
    Status status = open_all(source, common_options(options), flags, out);
    // The self-check's data, and constants that the planner looked at, were read from the file.
    if (out->package) status = package_intact(out->package, status);
    out->open_ms = clock_ms_since(start);
    if (status != ST_OK) close_package(out);
    // A failed self-check is not an answer to the caller's question but a reason not to go on.
    if (status == ST_NO) status = fail_context(ST_BAD, "not opened");
    return status;
}
Status open_package(const char *path, const stent_options *options, int flags, Opened *out) {
    return open_source(&(PackageSource){.path = path}, options, flags, out);
}
void close_package(Opened *opened) {
    executable_release(opened->executable);
    package_close(opened->package);
    arena_free(&opened->arena);
    opened->executable = NULL, opened->package = NULL;
}
void result_opened(struct stent_result *result, const Opened *opened) {
    JsonWriter *w = &result->writer;
    json_key(w, "model"), json_string(w, opened->model);
    json_key(w, "content_hash"), json_string(w, opened->package->content_hash);
    json_key(w, "plan_hash"), json_string(w, opened->plan_hash);
    json_key(w, "plan"), json_string(w, opened->tuned ? "tuned" : "untuned");
    json_key(w, "precision"), json_string(w, opened->precision);
    result_machine(result, &opened->machine, opened->threads);
    log_opened(&result->log.writer, opened);
}
void log_opened(JsonWriter *log, const Opened *opened) {
    json_key(log, "content_hash"), json_string(log, opened->package->content_hash);
    json_key(log, "plan_hash"), json_string(log, opened->plan_hash[0] ? opened->plan_hash : NULL);
    json_key(log, "precision"), json_string(log, opened->precision);
    json_key(log, "isa"), json_string(log, isa_name(opened->machine.isa));
    json_key(log, "threads"), json_integer(log, opened->threads);
}
