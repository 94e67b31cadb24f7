// The fallback: any op, by the reference, on one thread. Whoever gets here is named by compile, info and profile.
// The only solver that allocates while it runs, and that can fail: it says so in the session's RunState.
#include "solver/reference.h"
#include "reference/reference.h"
#include "solver/solver.h"
#include <stdio.h>
#include <string.h>

static Status evaluate(const ReferenceProblem *r, char *const *bases, Arena *arena) {
    const Node *node = r->node;
    Tensor *inputs = arena_array(arena, (size_t)node->n_inputs + 1, sizeof *inputs);
    const Tensor **given = arena_array(arena, (size_t)node->n_inputs + 1, sizeof *given);
    Tensor *outputs = arena_array(arena, (size_t)node->n_outputs + 1, sizeof *outputs);
    if (!inputs || !given || !outputs) return fail_memory(sizeof *inputs);
    for (int i = 0; i < node->n_inputs; i++) {
        if (r->inputs[i].dtype == DT_NONE) continue;
        inputs[i] = r->inputs[i];
        if (!inputs[i].data) inputs[i].data = ref_at(bases, r->input_refs[i]);
        given[i] = &inputs[i];
    }
    TRY(reference_node(node, given, arena, outputs));
    for (int i = 0; i < node->n_outputs; i++) {
        if (r->outputs[i].dtype == DT_NONE) continue;
        FAIL_IF(outputs[i].dtype != r->outputs[i].dtype || !shape_equal(&outputs[i].shape, &r->outputs[i].shape),
                ST_BAD, "node '%s' (%s): the result's shape depends on the data", node->name, op_info(node->op)->name);
        memcpy(ref_at(bases, r->output_refs[i]), outputs[i].data, tensor_bytes(&outputs[i]));
    }
    return ST_OK;
}
static void unit_run(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)unit, (void)scratch;
    const ReferenceProblem *r = arguments;
    RunState *state = (RunState *)bases[BASE_SESSION];
    if (state->status) return; // an earlier step failed: its results are not there
    Arena arena = {0};
    int status = evaluate(r, bases, &arena);
    if (status != ST_OK) {
        snprintf(state->message, sizeof state->message, "%s", error_message());
        state->status = status;
    }
    arena_free(&arena);
}

static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    (void)p, (void)kernels, (void)need; // operands are plain, and named in the ReferenceProblem
    return true;
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)p, (void)c, (void)kernels, (void)machine;
    return 1e9;
}
static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    (void)c;
    return lowering_phase(lowering, unit_run, p->reference, 1, 0);
}
const Solver solver_reference = {.name = "reference",
                                 .version = 1,
                                 .kind = PROBLEM_REFERENCE,
                                 .applicable = applicable,
                                 .configurations = one_configuration,
                                 .estimate = estimate,
                                 .lower = lower};
