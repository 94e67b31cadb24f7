// If, Loop and Scan: the graphs inside of them are put into the graph around them, as the graph has no control flow.
// The branch of an If, and how often a Loop or Scan goes round, have to be known (docs/decisions/0013).
#include "import/limits.h"
#include "import/onnx/subgraph.h"
#include <string.h>

static Status make_values(const Call *call, int count, ValueId **out) {
    *out = arena_array(call->data->scratch, (size_t)count + 1, sizeof **out);
    return *out ? ST_OK : fail_memory((size_t)count * sizeof **out);
}

// The node's output i is that value.
static Status hand_out(Call *call, int i, ValueId value) {
    Node *node;
    if (i >= call->n_outputs || call->outputs[i] < 0) return ST_OK;
    return graph_add_node(call->graph, OP_Identity, call->node->name, &value, 1, &call->outputs[i], 1, -1, &node);
}

static Status not_known(const Call *call, const char *what, ValueId value, const char *blame) {
    const char *name = call->graph->values[value].name;
    if (strcmp(name, blame) == 0)
        return fail(ST_UNSUPPORTED,
                    "%s ('%s') is an input, which is not supported; make it a constant: --bind %s=x.npy", what, name,
                    name);
    if (!*blame) return fail(ST_UNSUPPORTED, "%s ('%s') is not known before a run, which is not supported", what, name);
    return fail(ST_UNSUPPORTED,
                "%s ('%s') is not known before a run, which is not supported; it depends on input '%s': fix its shape "
                "(--input %s=1x3x256x256) or its values (--bind %s=x.npy)",
                what, name, blame, blame, blame);
}

// A scalar that has to be known.
static Status known_scalar(Call *call, const char *what, ValueId value, DType dtype, const Tensor **out) {
    const char *blame;
    TRY(call_known(call, value, out, &blame));
    if (!*out) return not_known(call, what, value, blame);
    FAIL_IF((*out)->dtype != dtype || tensor_count(*out) != 1, ST_BAD, "%s: expected one %s, got %lld of %s", what,
            dtype_name(dtype), (long long)tensor_count(*out), dtype_name((*out)->dtype));
    return ST_OK;
}

// ---- If

Status convert_if(Call *call) {
    const OnnxGraph *branches[2];
    const Tensor *condition;
    ValueId *outputs;
    TRY(call_subgraph(call, "else_branch", &branches[0]));
    TRY(call_subgraph(call, "then_branch", &branches[1]));
    FAIL_IF(call->n_inputs != 1 || !call_has_input(call, 0), ST_BAD, "expected 1 input, got %d", call->n_inputs);
    for (int i = 0; i < 2; i++)
        FAIL_IF(branches[i]->n_outputs != call->n_outputs, ST_BAD,
                "attribute '%s': expected as many outputs as the node has (%d), got %d",
                i ? "then_branch" : "else_branch", call->n_outputs, branches[i]->n_outputs);
    TRY(known_scalar(call, "its condition", call->inputs[0], DT_BOOL, &condition));
    const OnnxGraph *chosen = branches[tensor_get_int(condition, 0) != 0];
    TRY(make_values(call, chosen->n_outputs, &outputs));
    TRY(call_put_in(call, chosen, NULL, 0, outputs));
    for (int i = 0; i < chosen->n_outputs; i++) TRY(hand_out(call, i, outputs[i]));
    return ST_OK;
}

// ---- Slices of a tensor along an axis

// The `count` slices, without the axis. Their types are inferred here: converters of the body look at them.
static Status take_apart(Call *call, ValueId from, int64_t axis, int count, ValueId *out) {
    Node *node;
    ValueId axes, *parts;
    TRY(make_values(call, count, &parts));
    TRY(call_ints(call, "axis", &axis, 1, &axes));
    for (int i = 0; i < count; i++) TRY(call_value(call, "slice", &parts[i]));
    TRY(graph_add_node(call->graph, OP_Split, call->node->name, &from, 1, parts, count, -1, &node));
    TRY(node_set_int(call->graph, node, "axis", axis));
    TRY(node_set_int(call->graph, node, "num_outputs", count));
    TRY(graph_infer_node(call->graph, node));
    for (int i = 0; i < count; i++) {
        const ValueId inputs[] = {parts[i], axes};
        TRY(call_add(call, OP_Squeeze, "element", inputs, 2, &out[i], &node));
        TRY(graph_infer_node(call->graph, node));
    }
    return ST_OK;
}

static Status put_together(Call *call, const ValueId *values, int64_t axis, int count, ValueId *out) {
    Node *node;
    ValueId axes, *parts;
    TRY(make_values(call, count, &parts));
    TRY(call_ints(call, "axis", &axis, 1, &axes));
    for (int i = 0; i < count; i++) {
        const ValueId inputs[] = {values[i], axes};
        TRY(call_add(call, OP_Unsqueeze, "slice", inputs, 2, &parts[i], NULL));
    }
    TRY(call_add(call, OP_Concat, "stack", parts, count, out, &node));
    return node_set_int(call->graph, node, "axis", axis);
}

// ---- Scan

typedef struct Scan {
    const OnnxGraph *body;
    int states, elements, stacks; // inputs of the body: states, elements; its outputs: states, what is stacked
    int steps;
    const OnnxAttr *in_directions, *out_directions, *in_axes, *out_axes; // NULL: forwards, axis 0
    bool batched;                                                        // opset 8: a batch dim in front of everything
} Scan;

static int64_t entry(const OnnxAttr *list, int i) { return list ? list->ints[i] : 0; }

static Status read_list(const Call *call, const char *name, int count, const OnnxAttr **out) {
    TRY(call_attr(call, name, ONNX_ATTR_INTS, out));
    FAIL_IF(*out && (*out)->count != (size_t)count, ST_BAD, "attribute '%s': expected %d numbers, got %zu", name, count,
            (*out)->count);
    return ST_OK;
}

// The dim of an input of the node that tells how often to go round; the same for all of them.
static Status read_steps(const Call *call, int input, int64_t axis, const char *what, int *steps) {
    const Type *type = call_type(call, input);
    const int64_t at = axis < 0 ? axis + type->rank : axis;
    FAIL_IF(type->rank >= 0 && (at < 0 || at >= type->rank), ST_BAD,
            "input %d: expected an axis from %d to %d, got %lld", input + 1, -type->rank, type->rank - 1,
            (long long)axis);
    FAIL_IF(
        type->rank < 0 || type->dim[at] < 0, ST_UNSUPPORTED,
        "the %s of input %d is not known before a run, which is not supported; fix the shapes of the model's inputs "
        "(--input NAME=1x3x256x256)",
        what, input + 1);
    FAIL_IF(type->dim[at] < 1 || type->dim[at] > LIMIT_STEPS, ST_UNSUPPORTED,
            "a %s from 1 to %d is supported, got %lld", what, LIMIT_STEPS, (long long)type->dim[at]);
    FAIL_IF(*steps > 0 && *steps != type->dim[at], ST_BAD, "input %d: expected a %s of %d, as others have, got %lld",
            input + 1, what, *steps, (long long)type->dim[at]);
    *steps = (int)type->dim[at];
    return ST_OK;
}

static Status read_scan(Call *call, Scan *scan) {
    int64_t elements;
    *scan = (Scan){.batched = call->opset < 9};
    TRY(call_subgraph(call, "body", &scan->body));
    TRY(call_int(call, "num_scan_inputs", 0, &elements));
    if (scan->batched) { // the lengths of sequences come first
        FAIL_IF(call_has_input(call, 0), ST_UNSUPPORTED, "sequence_lens is not supported");
        FAIL_IF(call->n_inputs < 1, ST_BAD, "expected inputs, got none");
        call->inputs++;
        call->n_inputs--;
    }
    FAIL_IF(elements < 1 || elements > call->n_inputs, ST_BAD,
            "attribute 'num_scan_inputs': expected 1 to %d, got %lld", call->n_inputs, (long long)elements);
    for (int i = 0; i < call->n_inputs; i++)
        FAIL_IF(!call_has_input(call, i), ST_BAD, "expected input %d, which is absent", i + 1);
    scan->elements = (int)elements;
    scan->states = call->n_inputs - scan->elements;
    scan->stacks = scan->body->n_outputs - scan->states;
    FAIL_IF(scan->stacks < 0 || call->n_outputs > scan->body->n_outputs, ST_BAD,
            "attribute 'body': expected at least %d outputs, got %d", MAX(scan->states, call->n_outputs),
            scan->body->n_outputs);
    TRY(read_list(call, scan->batched ? "directions" : "scan_input_directions", scan->elements, &scan->in_directions));
    if (scan->batched) return ST_OK;
    TRY(read_list(call, "scan_output_directions", scan->stacks, &scan->out_directions));
    TRY(read_list(call, "scan_input_axes", scan->elements, &scan->in_axes));
    return read_list(call, "scan_output_axes", scan->stacks, &scan->out_axes);
}

// From `values` (states, then tensors to scan) to `results` (states, then stacks).
static Status run_scan(Call *call, const Scan *scan, const ValueId *values, ValueId *results) {
    const int steps = scan->steps;
    ValueId *elements, *stacked, *inputs, *outputs; // the first two: [i * steps + step]
    TRY(make_values(call, scan->elements * steps, &elements));
    TRY(make_values(call, scan->stacks * steps, &stacked));
    TRY(make_values(call, scan->states + scan->elements, &inputs));
    TRY(make_values(call, scan->body->n_outputs, &outputs));
    for (int i = 0; i < scan->elements; i++)
        TRY(take_apart(call, values[scan->states + i], entry(scan->in_axes, i), steps, elements + i * steps));
    for (int i = 0; i < scan->states; i++) inputs[i] = values[i];
    for (int step = 0; step < steps; step++) {
        for (int i = 0; i < scan->elements; i++) {
            const int at = entry(scan->in_directions, i) ? steps - 1 - step : step;
            inputs[scan->states + i] = elements[i * steps + at];
        }
        TRY(call_put_in(call, scan->body, inputs, scan->states + scan->elements, outputs));
        for (int i = 0; i < scan->states; i++) inputs[i] = outputs[i];
        for (int i = 0; i < scan->stacks; i++) {
            const int at = entry(scan->out_directions, i) ? steps - 1 - step : step;
            stacked[i * steps + at] = outputs[scan->states + i];
        }
    }
    for (int i = 0; i < scan->states; i++) results[i] = inputs[i];
    for (int i = 0; i < scan->stacks; i++)
        TRY(put_together(call, stacked + i * steps, entry(scan->out_axes, i), steps, &results[scan->states + i]));
    return ST_OK;
}

// Opset 8: each entry of the batch by itself.
static Status run_batch(Call *call, const Scan *scan, int batch, ValueId *results) {
    const int inputs = call->n_inputs, outputs = scan->body->n_outputs;
    ValueId *in, *values, *out, *one;
    TRY(make_values(call, inputs * batch, &in));
    TRY(make_values(call, outputs * batch, &out));
    TRY(make_values(call, MAX(inputs, batch), &values));
    TRY(make_values(call, outputs, &one));
    for (int i = 0; i < inputs; i++) TRY(take_apart(call, call->inputs[i], 0, batch, in + i * batch));
    for (int b = 0; b < batch; b++) {
        for (int i = 0; i < inputs; i++) values[i] = in[i * batch + b];
        TRY(run_scan(call, scan, values, one));
        for (int i = 0; i < outputs; i++) out[i * batch + b] = one[i];
    }
    for (int i = 0; i < outputs; i++) TRY(put_together(call, out + i * batch, 0, batch, &results[i]));
    return ST_OK;
}

Status convert_scan(Call *call) {
    Scan scan;
    ValueId *results;
    int batch = 0;
    TRY(read_scan(call, &scan));
    for (int i = 0; i < call->n_inputs && scan.batched; i++) TRY(read_steps(call, i, 0, "batch", &batch));
    for (int i = 0; i < scan.elements; i++)
        TRY(read_steps(call, scan.states + i, scan.batched ? 1 : entry(scan.in_axes, i), "length", &scan.steps));
    TRY(make_values(call, scan.body->n_outputs, &results));
    TRY(scan.batched ? run_batch(call, &scan, batch, results) : run_scan(call, &scan, call->inputs, results));
    for (int i = 0; i < scan.body->n_outputs; i++) TRY(hand_out(call, i, results[i]));
    return ST_OK;
}

// ---- Loop

typedef struct Loop {
    const OnnxGraph *body;
    int states, stacks;
    int64_t most;              // steps
    ValueId *inputs, *outputs; // of the body: step, condition, states; condition, states, what is stacked
    ValueId *stacked;          // [i * LIMIT_STEPS + step]
} Loop;

static Status read_loop(Call *call, Loop *loop) {
    const Tensor *most = NULL;
    TRY(call_subgraph(call, "body", &loop->body));
    while (call->n_inputs < 2) call->inputs[call->n_inputs++] = NO_VALUE;
    loop->states = call->n_inputs - 2;
    loop->stacks = loop->body->n_outputs - 1 - loop->states;
    FAIL_IF(loop->stacks < 0 || call->n_outputs > loop->body->n_outputs - 1, ST_BAD,
            "attribute 'body': expected at least %d outputs, got %d", 1 + MAX(loop->states, call->n_outputs),
            loop->body->n_outputs);
    for (int i = 2; i < call->n_inputs; i++)
        FAIL_IF(!call_has_input(call, i), ST_BAD, "expected input %d, which is absent", i + 1);
    if (call_has_input(call, 0)) TRY(known_scalar(call, "how often it goes round", call->inputs[0], DT_I64, &most));
    loop->most = most ? tensor_get_int(most, 0) : INT64_MAX;
    TRY(make_values(call, loop->states + 2, &loop->inputs));
    TRY(make_values(call, loop->body->n_outputs, &loop->outputs));
    return make_values(call, loop->stacks * LIMIT_STEPS, &loop->stacked);
}

static Status run_loop(Call *call, Loop *loop, int *steps) {
    const Tensor *on = NULL;
    if (call_has_input(call, 1)) TRY(known_scalar(call, "its condition", call->inputs[1], DT_BOOL, &on));
    for (int i = 0; i < loop->states; i++) loop->inputs[2 + i] = call->inputs[2 + i];
    for (*steps = 0; *steps < loop->most && (!on || tensor_get_int(on, 0)); ++*steps) {
        FAIL_IF(*steps == LIMIT_STEPS, ST_UNSUPPORTED, "more than %d steps are not supported", LIMIT_STEPS);
        TRY(call_scalar(call, "step", DT_I64, *steps, &loop->inputs[0]));
        TRY(call_scalar(call, "on", DT_BOOL, 1, &loop->inputs[1]));
        TRY(call_put_in(call, loop->body, loop->inputs, loop->states + 2, loop->outputs));
        TRY(known_scalar(call, "its condition", loop->outputs[0], DT_BOOL, &on));
        for (int i = 0; i < loop->states; i++) loop->inputs[2 + i] = loop->outputs[1 + i];
        for (int i = 0; i < loop->stacks; i++)
            loop->stacked[i * LIMIT_STEPS + *steps] = loop->outputs[1 + loop->states + i];
    }
    return ST_OK;
}

Status convert_loop(Call *call) {
    Loop loop = {0};
    int steps;
    TRY(read_loop(call, &loop));
    TRY(run_loop(call, &loop, &steps));
    FAIL_IF(steps == 0 && loop.stacks > 0, ST_UNSUPPORTED, "no step with outputs to stack is not supported");
    for (int i = 0; i < loop.states; i++) TRY(hand_out(call, i, loop.inputs[2 + i]));
    for (int i = 0; i < loop.stacks; i++) {
        ValueId stack;
        TRY(put_together(call, loop.stacked + i * LIMIT_STEPS, 0, steps, &stack));
        TRY(hand_out(call, loop.states + i, stack));
    }
    return ST_OK;
}
