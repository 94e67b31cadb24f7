// verify: does a package give the right answer on this machine? Each check compares the fast path's outputs with what
// somebody else says: the self-check, the reference, a model file, given tensors.
#include "app/layers.h"
#include "app/protocol.h"
#include "app/reference_threads.h"
#include "app/sample.h"
#include "import/import.h"
#include "pass/pass.h"
#include "tensor/npy.h"
#include <math.h>
#include <string.h>

// Beyond this the reference takes long (up to minutes): it runs only when it is asked for.
static const double REFERENCE_FLOP = 20e9;

// One comparison, as it is told.
typedef struct Check {
    char who[300];
    bool ok, by_tolerance;
    Difference difference;
} Check;
enum { MOST_CHECKS = 4 };

typedef struct Verification {
    const char *package; // its path
    const stent_verify_options *options;
    Opened opened;
    Sample sample;
    Tensor *outputs; // of the fast path
    Arena *arena;
    double budget;
    struct stent_result *result;
    Difference worst; // of all checks
    Check checks[MOST_CHECKS];
    int n_checks;
    char skipped[100]; // what was left out, and why; "": nothing
    bool ok;
} Verification;

// The reference, with progress by FLOP.
typedef struct Walk {
    const stent_options *options;
    double done, total;
} Walk;
static Status walk_on(void *context, const Graph *graph, const Node *node, const Tensor *outputs) {
    Walk *walk = context;
    (void)outputs;
    walk->done += node_flop(graph, node);
    return report_progress(walk->options, "reference", walk->done, walk->total);
}
static double graph_flop(const Graph *graph) {
    double sum = 0;
    for (int i = 0; i < graph->n_nodes; i++) sum += node_flop(graph, graph->nodes[i]);
    return sum;
}
static Status run_reference(const Verification *v, const Graph *graph, const Tensor *inputs, Tensor **out) {
    Walk walk = {common_options(&v->options->common), 0, graph_flop(graph)};
    PooledReference pooled;
    *out = arena_array(v->arena, (size_t)graph->n_outputs + 1, sizeof **out);
    if (!*out) return fail_memory(sizeof **out);
    TRY(pooled_reference_begin(v->opened.threads, &pooled));
    const ReferenceOptions options = {.observer = walk_on, .context = &walk, .threads = &pooled.threads};
    const Status status = reference_run_with(graph, inputs, *out, v->arena, &options);
    pooled_reference_end(&pooled);
    return status;
}
static Status run_fast(Verification *v) {
    const Graph *graph = v->opened.package->graph;
    Session *session = NULL;
    TRY(make_tensors(graph, graph->outputs, graph->n_outputs, v->arena, &v->outputs));
    Status status = session_create(v->opened.executable, &session);
    if (status == ST_OK) status = session_run(session, v->sample.inputs, v->outputs);
    session_destroy(session);
    return status;
}

static double larger(double a, double b) { return b <= a || isnan(a) ? a : b; }
// Compares the outputs with `expected` and says so in a line.
static Status check_against(Verification *v, const char *who, const Tensor *expected) {
    const stent_verify_options *o = v->options;
    const bool by_tolerance = o->expect && (o->atol > 0 || o->rtol > 0);
    Difference d;
    TRY(difference_of(&v->opened, v->outputs, expected, o->atol, o->rtol, &d));
    const bool ok = by_tolerance ? d.outside == 0 : difference_passes(&d, v->budget);
    Text *text = &v->result->text;
    text_add(text, "%-10s %s: rms / std %.2e, largest difference %.2e, ", ok ? "agrees" : "DIFFERS", who, d.rms_rel,
             d.max_abs);
    if (by_tolerance)
        text_add(text, "%lld values beyond %g + %g * |expected|\n", (long long)d.outside, o->atol, o->rtol);
    else
        text_add(text, "%lld of %lld mask pixels changed, %lld of them ties (allowed rms / std %.0e)\n",
                 (long long)d.mask_changed, (long long)d.mask_pixels, (long long)d.mask_ties, v->budget);
    v->worst.max_abs = larger(v->worst.max_abs, d.max_abs);
    v->worst.max_rel = larger(v->worst.max_rel, d.max_rel);
    v->worst.rms_rel = larger(v->worst.rms_rel, d.rms_rel);
    v->worst.mask_changed = MAX(v->worst.mask_changed, d.mask_changed);
    v->worst.mask_ties = MAX(v->worst.mask_ties, d.mask_ties);
    v->worst.mask_pixels = MAX(v->worst.mask_pixels, d.mask_pixels);
    v->ok = v->ok && ok;
    Check *check = &v->checks[v->n_checks++];
    *check = (Check){.ok = ok, .by_tolerance = by_tolerance, .difference = d};
    snprintf(check->who, sizeof check->who, "%s", who);
    return ST_OK;
}

// The model file with the shapes that are bound here.
static Status import_bound(const Verification *v, Imported *out) {
    const Graph *graph = v->opened.package->graph;
    InputShape *shapes = arena_array(v->arena, (size_t)graph->n_inputs + 1, sizeof *shapes);
    if (!shapes) return fail_memory(sizeof *shapes);
    for (int i = 0; i < graph->n_inputs; i++) {
        const Value *value = &graph->values[graph->inputs[i]];
        // (Another framework's file of the same network may call its only input otherwise.)
        shapes[i] = (InputShape){graph->n_inputs > 1 ? value->name : NULL, type_shape(&value->type)};
    }
    const stent_options *common = common_options(&v->options->common);
    const ImportOptions given = {.inputs = shapes,
                                 .n_inputs = (size_t)graph->n_inputs,
                                 .arch = common->arch,
                                 .signature = common->signature,
                                 .resolve = pass_resolve_shapes};
    return import_model(v->options->against, &given, out);
}
// The package's inputs in the model's order: by name, but for the only one.
static Status match_inputs(const Verification *v, const Graph *model, Tensor **out) {
    const Graph *graph = v->opened.package->graph;
    *out = arena_array(v->arena, (size_t)model->n_inputs + 1, sizeof **out);
    if (!*out) return fail_memory(sizeof **out);
    for (int i = 0; i < model->n_inputs; i++) {
        const char *name = model->values[model->inputs[i]].name;
        int at = -1;
        for (int k = 0; k < graph->n_inputs; k++)
            if (!strcmp(graph->values[graph->inputs[k]].name, name)) at = k;
        if (model->n_inputs == 1 && graph->n_inputs == 1) at = 0;
        FAIL_IF(at < 0, ST_USAGE, "%s: its input '%s' is not one of the package's", v->options->against, name);
        (*out)[i] = v->sample.inputs[at];
    }
    FAIL_IF(model->n_outputs != graph->n_outputs, ST_USAGE, "%s: it has %d outputs, the package %d",
            v->options->against, model->n_outputs, graph->n_outputs);
    return ST_OK;
}
static Status check_model(Verification *v) {
    Imported model = {0};
    Tensor *inputs, *expected;
    char who[300];
    Status status = import_bound(v, &model);
    if (status == ST_OK) status = match_inputs(v, model.graph, &inputs);
    if (status == ST_OK) status = pass_resolve_shapes(model.graph);
    if (status == ST_OK) status = run_reference(v, model.graph, inputs, &expected);
    status = import_intact(&model, status);
    snprintf(who, sizeof who, "with %.200s, run by the reference", path_name(v->options->against));
    if (status == ST_OK) status = check_against(v, who, expected);
    import_free(&model);
    return status;
}
static Status check_given(Verification *v) {
    const Graph *graph = v->opened.package->graph;
    NamedTensor *named;
    size_t count;
    TRY(npz_read(v->arena, v->options->expect, &named, &count));
    FAIL_IF(count != (size_t)graph->n_outputs, ST_USAGE, "%s: expected %d tensors, got %zu", v->options->expect,
            graph->n_outputs, count);
    Tensor *expected = arena_array(v->arena, count + 1, sizeof *expected);
    if (!expected) return fail_memory(count * sizeof *expected);
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (size_t k = 0; k < count; k++)
            if (!strcmp(named[k].name, graph->values[graph->outputs[i]].name)) at = k;
        expected[i] = named[at].tensor;
    }
    Status status = check_against(v, "with the given tensors", expected);
    return status == ST_OK ? ST_OK : fail_context(status, "%s", v->options->expect);
}
static Status check_reference(Verification *v) {
    const Graph *graph = v->opened.package->graph;
    Tensor *expected;
    const double flop = graph_flop(graph);
    // Without another witness the reference has to speak, however long it takes.
    if (flop > REFERENCE_FLOP && v->n_checks > 0) {
        snprintf(v->skipped, sizeof v->skipped, "the reference: %.0f GFLOP take it long; --layers runs it all the same",
                 flop * 1e-9);
        text_add(&v->result->text, "skipped    %s\n", v->skipped);
        return ST_OK;
    }
    TRY(run_reference(v, graph, v->sample.inputs, &expected));
    return check_against(v, "with the reference", expected);
}

static void tell_check(const Verification *v, const Check *check) {
    JsonWriter *w = &v->result->writer;
    const Difference *d = &check->difference;
    json_begin_object(w);
    json_key(w, "with"), json_string(w, text_starts(check->who, "with ") ? check->who + 5 : check->who);
    json_key(w, "ok"), json_bool(w, check->ok);
    json_key(w, "rms_rel"), json_number(w, d->rms_rel);
    json_key(w, "allowed"), json_number(w, check->by_tolerance ? (double)NAN : v->budget);
    json_key(w, "max_abs"), json_number(w, d->max_abs);
    json_key(w, "mask_changed"), json_integer(w, d->mask_changed);
    json_key(w, "mask_ties"), json_integer(w, d->mask_ties);
    json_key(w, "mask_pixels"), json_integer(w, d->mask_pixels);
    if (check->by_tolerance) {
        json_key(w, "atol"), json_number(w, v->options->atol);
        json_key(w, "rtol"), json_number(w, v->options->rtol);
        json_key(w, "outside"), json_integer(w, d->outside);
    }
    json_end_object(w);
}
static void tell_checks(const Verification *v) {
    JsonWriter *w = &v->result->writer;
    json_key(w, "checks"), json_begin_array(w);
    for (int i = 0; i < v->n_checks; i++) tell_check(v, &v->checks[i]);
    json_end_array(w);
    json_key(w, "skipped"), json_string(w, v->skipped[0] ? v->skipped : NULL);
}
static void tell(const Verification *v) {
    JsonWriter *w = &v->result->writer;
    tell_checks(v);
    json_key(w, "ok"), json_bool(w, v->ok);
    json_key(w, "max_abs"), json_number(w, v->worst.max_abs);
    json_key(w, "max_rel"), json_number(w, v->worst.max_rel);
    json_key(w, "rms_rel"), json_number(w, v->worst.rms_rel);
    json_key(w, "mask_changed"), json_integer(w, v->worst.mask_changed);
    json_key(w, "mask_ties"), json_integer(w, v->worst.mask_ties);
    json_key(w, "mask_pixels"), json_integer(w, v->worst.mask_pixels);
    json_key(w, "budget"), json_number(w, v->budget);
    json_key(w, "input"), json_string(w, v->sample.source);
    text_add(&v->result->text, "%s on %s, %d threads, %s, %s\n", v->ok ? "verified" : "NOT VERIFIED",
             isa_name(v->opened.machine.isa), v->opened.threads, v->opened.precision, v->sample.source);
}
static Status verify_opened(Verification *v) {
    const stent_verify_options *o = v->options;
    TRY(sample_take(&v->opened, o->input, v->arena, &v->sample));
    TRY(run_fast(v));
    if (v->sample.expected) TRY(check_against(v, "with the built-in self-check", v->sample.expected));
    if (o->expect) TRY(check_given(v));
    if (o->against) TRY(check_model(v));
    if (!o->expect && !o->against && !o->layers) TRY(check_reference(v));
    if (o->layers)
        TRY(verify_layers(&v->opened, common_options(&o->common), v->sample.inputs, v->budget, v->result, &v->ok));
    tell(v);
    if (o->protocol) TRY(protocol_write(&v->opened, v->package, v->result, o->protocol));
    if (!v->ok)
        return fail(ST_NO,
                    "the result differs from the expected one (rms / standard deviation %.3g, largest difference %.3g, "
                    "%lld mask "
                    "pixels changed)",
                    v->worst.rms_rel, v->worst.max_abs, (long long)v->worst.mask_changed);
    return ST_OK;
}
// The page over one of the files that it tells of.
static Status check_protocol(const char *package, const stent_verify_options *o) {
    const char *const read[] = {package, o->against, o->input, o->expect};
    for (size_t i = 0; o->protocol && i < COUNT_OF(read); i++)
        FAIL_IF(read[i] && path_same(o->protocol, read[i]), ST_USAGE,
                "--protocol: %s would be overwritten; name another file", read[i]);
    return ST_OK;
}
static Status verify(const char *package, Verification *v) {
    const stent_verify_options *o = v->options;
    v->package = package;
    TRY(check_protocol(package, o));
    FAIL_IF(o->expect && !o->input, ST_USAGE, "--expect: needs --input x.npy");
    FAIL_IF(o->atol < 0 || o->rtol < 0, ST_USAGE, "--atol, --rtol: expected numbers from 0 on");
    FAIL_IF((o->atol > 0 || o->rtol > 0) && !o->expect, ST_USAGE, "--atol, --rtol: need --expect y.npy");
    FAIL_IF(!o->against && (o->common.arch || o->common.signature), ST_USAGE,
            "%s: goes with a model file: --against MODEL", o->common.arch ? "--arch" : "--signature");
    const stent_options opening = without_model(&o->common);
    TRY(open_for_input(package, &opening, o->input, OPEN_NO_CHECK, v->arena, &v->opened));
    v->budget = plan_budget(v->opened.mode);
    result_opened(v->result, &v->opened);
    Status status = verify_opened(v);
    // The reference reads the weights again.
    status = package_intact(v->opened.package, status);
    close_package(&v->opened);
    return status;
}
stent_status stent_verify(const char *package, const stent_verify_options *given, stent_result **out) {
    stent_verify_options options = {.size = sizeof options};
    Arena arena = {0};
    Verification v = {.options = &options, .arena = &arena, .ok = true};
    error_clear();
    if (out) *out = NULL;
    Status status = options_take(given, sizeof options, &options);
    if (status == ST_OK) status = result_begin("verify", package, &options.common, &v.result);
    if (status == ST_OK) status = result_finish(v.result, verify(package, &v), out);
    arena_free(&arena);
    return (stent_status)status;
}
