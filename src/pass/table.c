// The table of passes, and the loop that runs them.
#include "base/log.h"
#include "pass/rewrite.h"
#include <string.h>

enum { MAX_ROUNDS = 6, MAX_PASS_NODES = 20000 };

static Status run_resolve_shapes(Graph *graph, bool *changed) {
    (void)changed; // types and constants that later passes don't wait for
    return pass_resolve_shapes(graph);
}

// Transposes go before anything is folded into a convolution: they stand between it and its bias. Pads come next.
// What is added up behind a convolution by resize_late would keep a normalisation out of it.
static const Pass table[] = {
    {"resolve_shapes", 0, run_resolve_shapes},
    {"fold_constants", 1, pass_fold_constants},
    {"lower_einsum", 1, pass_lower_einsum},
    {"remove_identity", 1, pass_remove_identity},
    {"canonicalise", 1, pass_canonicalise},
    {"recognise_activation", 1, pass_recognise_activation},
    {"recognise_normalisation", 1, pass_recognise_normalisation},
    {"recognise_repeat", 1, pass_recognise_repeat},
    {"cse", 1, pass_cse},
    {"cancel_transpose", 2, pass_cancel_transpose},
    {"merge_pad", 2, pass_merge_pad},
    {"cut_kernel", 2, pass_cut_kernel},
    {"fold_normalisation", 2, pass_fold_normalisation},
    {"resize_late", 2, pass_resize_late},
    {"merge_linear", 2, pass_merge_linear},
    {"algebra", 2, pass_algebra},
};

const Pass *pass_table(size_t *count) {
    *count = COUNT_OF(table);
    return table;
}

const Pass *pass_find(const char *name) {
    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (!strcmp(table[i].name, name)) return &table[i];
    return NULL;
}

static Status run_pass(Graph *graph, const Pass *pass, bool *changed) {
    TRY(pass->run(graph, changed));
    TRY(graph_compact(graph));
    TRY(graph_infer(graph));
    return graph_verify(graph);
}

static Status run_round(Graph *graph, int opt_level, int round, PassObserver *observer, void *context, bool *any) {
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        const Pass *const pass = &table[i];
        if (pass->level > opt_level) continue;
        bool changed = false;
        const Status status = run_pass(graph, pass, &changed);
        if (status != ST_OK) return pass->level ? fail_context(status, "pass %s", pass->name) : status;
        if (observer) TRY(observer(context, pass, round, changed, graph));
        *any |= changed;
    }
    return ST_OK;
}

Status passes_run(Graph *graph, int opt_level, PassObserver *observer, void *context) {
    if (opt_level > 0 && graph->n_nodes > MAX_PASS_NODES) {
        log_note("a graph of %d nodes is not optimised (expected at most %d)", graph->n_nodes, MAX_PASS_NODES);
        opt_level = 0;
    }
    bool any = true;
    for (int round = 1; any && round <= MAX_ROUNDS; round++) {
        any = false;
        TRY(run_round(graph, opt_level, round, observer, context, &any));
    }
    return ST_OK;
}
