// Making a plan: translate and choose, connect (conversions between layouts), place in memory, lower.
#include "plan/plan.h"
#include "base/hash.h"
#include "plan/planner.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NODES = 20000 };

static Status check_types(const Graph *graph) {
    for (int i = 0; i < graph->n_values; i++) {
        const Value *value = &graph->values[i];
        if (!value->producer && !value->constant && !value->is_input) continue; // left over from a rewrite
        FAIL_IF(!type_is_static(&value->type), ST_UNSUPPORTED,
                "value '%s': its shape is not known before the network runs; give free dims with --input NAME=SHAPE",
                value->name);
        // Sums of the sizes of a whole plan then stay far from overflow.
        const Shape shape = type_shape(&value->type);
        const int64_t count = shape_count(&shape), most = (int64_t)1 << 40;
        FAIL_IF(count < 0 || count > most, ST_UNSUPPORTED, "value '%s' is too large: more than %lld elements",
                value->name, (long long)most);
    }
    return ST_OK;
}
static Status start(Planner *planner) {
    const Graph *graph = planner->graph;
    planner->primary = arena_array(planner->arena, (size_t)graph->n_values + 1, sizeof *planner->primary);
    planner->user = arena_array(planner->arena, (size_t)graph->n_values + 1, sizeof *planner->user);
    planner->uses = arena_array(planner->arena, (size_t)graph->n_values + 1, sizeof *planner->uses);
    planner->absorbed_by = arena_array(planner->arena, (size_t)graph->n_nodes + 1, sizeof *planner->absorbed_by);
    if (!planner->primary || !planner->user || !planner->uses || !planner->absorbed_by)
        return fail_memory(sizeof *planner->user);
    for (int i = 0; i < graph->n_values; i++) planner->primary[i] = planner->user[i] = -1;
    for (int i = 0; i < graph->n_outputs; i++) planner->uses[graph->outputs[i]]++;
    for (int i = 0; i < graph->n_nodes; i++) {
        planner->absorbed_by[i] = -1;
        for (int k = 0; k < graph->nodes[i]->n_inputs; k++)
            if (graph->nodes[i]->inputs[k] >= 0) {
                planner->user[graph->nodes[i]->inputs[k]] = i;
                planner->uses[graph->nodes[i]->inputs[k]]++;
            }
    }
    for (int i = 0; i < graph->n_inputs; i++) {
        const ValueId value = graph->inputs[i];
        TRY(form_add(planner, value, LAYOUT_PLAIN, 1, &planner->primary[value]));
        planner->forms[planner->primary[value]].external = i;
    }
    return ST_OK;
}
static Status translate_all(Planner *planner) {
    for (int i = 0; i < planner->graph->n_nodes; i++) {
        if (planner->absorbed_by[i] >= 0) continue;
        const int first = planner->n_regions;
        TRY(translate_node(planner, i));
        const int end = planner->n_regions;
        for (int r = first; r < end; r++) TRY(region_choose(planner, planner->regions[r]));
    }
    return ST_OK;
}
static int by_order(const void *a, const void *b) {
    const Region *x = *(Region *const *)a, *y = *(Region *const *)b;
    return x->order - y->order;
}
// Stable: qsort is not, so equal orders keep their place by index.
static void sort_regions(Region **regions, int count) {
    for (int i = 1; i < count; i++)
        for (int k = i; k > 0 && by_order(&regions[k - 1], &regions[k]) > 0; k--) {
            Region *swap = regions[k];
            regions[k] = regions[k - 1], regions[k - 1] = swap;
        }
}

// Region number `at` keeps its operands alive.
static void use_operands(Planner *planner, const Region *region, int at) {
    if (region->problem.kind == PROBLEM_REFERENCE) {
        for (int i = 0; i < region->node->n_inputs; i++)
            if (region->node_in_form[i] >= 0) form_use(planner, region->node_in_form[i], at);
        for (int i = 0; i < region->node->n_outputs; i++)
            if (region->node_out_form[i] >= 0) form_use(planner, region->node_out_form[i], at);
        return;
    }
    for (int i = 0; i < region->problem.n_inputs; i++) form_use(planner, region->in_form[i], at);
    for (int i = 0; i < region->problem.n_outputs; i++) form_use(planner, region->out_form[i], at);
}
// A region at the end that converts one form of a value to another.
static Status add_convert(Planner *planner, ValueId value, int from, int to, int order) {
    Region *region;
    TRY(region_add(planner, planner->graph->values[value].name, "convert", order, &region));
    region->problem.kind = PROBLEM_CONVERT;
    region->problem.n_inputs = region->problem.n_outputs = 1;
    region->in_value[0] = region->out_value[0] = value;
    region->in_form[0] = from, region->out_form[0] = to;
    region->solver = solver_find("convert");
    planner->forms[to].ready = true;
    use_operands(planner, region, planner->n_regions - 1);
    return ST_OK;
}
// The form of `value` that has this kind and block, made by a conversion when it is not there yet. shape: NULL, or the
// value's with leading dims of 1 for broadcasting.
static Status form_get(Planner *planner, ValueId value, const OperandNeed *need, const Shape *shape, int order,
                       int *out) {
    const Value *described = &planner->graph->values[value];
    if (described->constant && planner->primary[value] < 0) {
        TRY(form_add(planner, value, LAYOUT_PLAIN, 1, &planner->primary[value]));
        planner->forms[planner->primary[value]].constant = true;
    }
    const Shape own = type_shape(&described->type), *wanted = shape ? shape : &own;
    const int made = planner->primary[value];
    *out = form_find(planner, value, need->kind, need->block, wanted);
    if (*out < 0) {
        TRY(form_add(planner, value, need->kind, need->block, out));
        if (need->kind == LAYOUT_BLOCKED) planner->forms[*out].shape = *wanted;
    }
    if (*out != made && !planner->forms[*out].ready && planner->forms[made].constant) {
        planner->forms[*out].constant = planner->forms[*out].ready = true; // converted once, with the weights
    } else if (*out != made && !planner->forms[*out].ready) {
        int from = made;
        // Blocks of other dims become channels: by way of the plain form.
        if (planner->forms[made].kind == LAYOUT_BLOCKED && need->kind == LAYOUT_BLOCKED && !shape_equal(wanted, &own))
            TRY(form_get(planner, value, &(OperandNeed){.kind = LAYOUT_PLAIN}, NULL, order, &from));
        TRY(add_convert(planner, value, from, *out, order));
    }
    Form *form = &planner->forms[*out];
    for (int axis = 0; axis < AXES; axis++) {
        form->before[axis] = MAX(form->before[axis], need->before[axis]);
        form->after[axis] = MAX(form->after[axis], need->after[axis]);
    }
    return ST_OK;
}
static Status connect_reference(Planner *planner, Region *region) {
    const Node *node = region->node;
    const OperandNeed plain = {LAYOUT_PLAIN, 1, {0}, {0}};
    region->node_in_form = arena_array(planner->arena, (size_t)node->n_inputs + 1, sizeof *region->node_in_form);
    region->node_out_form = arena_array(planner->arena, (size_t)node->n_outputs + 1, sizeof *region->node_out_form);
    if (!region->node_in_form || !region->node_out_form) return fail_memory(sizeof *region->node_in_form);
    for (int i = 0; i < node->n_inputs; i++) {
        region->node_in_form[i] = -1;
        if (node->inputs[i] >= 0 && !planner->graph->values[node->inputs[i]].constant)
            TRY(form_get(planner, node->inputs[i], &plain, NULL, region->order, &region->node_in_form[i]));
    }
    for (int i = 0; i < node->n_outputs; i++)
        region->node_out_form[i] = node->outputs[i] >= 0 ? planner->primary[node->outputs[i]] : -1;
    return ST_OK;
}
static Status connect_region(Planner *planner, Region *region) {
    Problem *problem = &region->problem;
    if (problem->kind == PROBLEM_REFERENCE) return connect_reference(planner, region);
    for (int i = 0; i < problem->n_inputs; i++)
        TRY(form_get(planner, region->in_value[i], &region->need.in[i], &problem->in[i].shape, region->order,
                     &region->in_form[i]));
    return ST_OK;
}
// A reshaped value is the plain memory of its input.
static Status connect_alias(Planner *planner, const Region *region) {
    int from;
    TRY(form_get(planner, region->alias->inputs[0], &(OperandNeed){LAYOUT_PLAIN, 1, {0}, {0}}, NULL, region->order,
                 &from));
    planner->forms[planner->primary[region->out_value[0]]].parent = from;
    return ST_OK;
}
// Puts the regions in order, with the conversions that they need before them.
static Status connect_all(Planner *planner) {
    Region **chosen = planner->regions;
    const int count = planner->n_regions;
    sort_regions(chosen, count);
    planner->regions = NULL, planner->n_regions = 0, planner->regions_capacity = 0;
    for (int i = 0; i < count; i++) {
        Region *region = chosen[i];
        if (region->concat) continue;
        if (region->alias) {
            TRY(connect_alias(planner, region));
            continue;
        }
        if (region->problem.kind == PROBLEM_CONVERT) { // into a concatenation, if no reader has asked for it before
            const ValueId value = region->in_value[0];
            if (!planner->forms[region->out_form[0]].ready)
                TRY(add_convert(planner, value, planner->primary[value], region->out_form[0], region->order));
            continue;
        }
        TRY(connect_region(planner, region));
        // The region's own place: behind its conversions.
        Region *slot;
        TRY(region_add(planner, region->name, region->op, region->order, &slot));
        *slot = *region;
        use_operands(planner, slot, planner->n_regions - 1);
    }
    return ST_OK;
}
// Outputs are plain, in the caller's memory: made there when the producer writes plain, else converted at the end.
static Status connect_outputs(Planner *planner) {
    const Graph *graph = planner->graph;
    for (int i = 0; i < graph->n_outputs; i++) {
        const ValueId value = graph->outputs[i];
        const int made = planner->primary[value];
        if (made >= 0) {
            Form *form = &planner->forms[made];
            if (form->kind == LAYOUT_PLAIN && form->parent < 0 && form->external < 0 && !form->constant) {
                form->external = graph->n_inputs + i;
                continue;
            }
        }
        int from, to;
        const OperandNeed as_made = {
            made >= 0 ? planner->forms[made].kind : LAYOUT_PLAIN, made >= 0 ? planner->forms[made].block : 1, {0}, {0}};
        TRY(form_get(planner, value, &as_made, NULL, graph->n_nodes, &from));
        TRY(form_add(planner, value, LAYOUT_PLAIN, 1, &to));
        planner->forms[to].external = graph->n_inputs + i;
        TRY(add_convert(planner, value, from, to, graph->n_nodes));
    }
    return ST_OK;
}

// The final layouts of a region's operands. A plain operand keeps the rank that it was given for broadcasting, and a
// conversion sees its input with the shape of its output.
static void final_layouts(const Planner *planner, Region *region) {
    Problem *problem = &region->problem;
    if (problem->kind == PROBLEM_REFERENCE) return;
    for (int i = 0; i < problem->n_inputs; i++) {
        const Shape shape = problem->in[i].shape;
        problem->in[i] = planner->forms[region->in_form[i]].layout;
        if (problem->in[i].kind == LAYOUT_PLAIN && shape.rank) problem->in[i].shape = shape;
    }
    for (int i = 0; i < problem->n_outputs; i++) problem->out[i] = planner->forms[region->out_form[i]].layout;
    if (problem->kind == PROBLEM_CONVERT && problem->in[0].kind == LAYOUT_PLAIN)
        problem->in[0].shape = problem->out[0].shape;
}

// Constants that are operands (not packed weights) get a copy among the weights in each layout that is read.
static Status lower_constants(Planner *planner, Lowering *lowering) {
    for (int i = 0; i < planner->n_forms; i++) {
        Form *form = &planner->forms[i];
        if (!form->constant || form->first < 0) continue;
        TRY(lowering_constant(lowering, planner->graph->values[form->value].constant, &form->layout, &form->ref));
    }
    for (int i = 0; i < planner->n_forms; i++) {
        const Form *root = &planner->forms[form_root(planner, i)];
        if (root->constant) planner->forms[i].ref = root->ref;
    }
    return ST_OK;
}
// The reference's view of a region: its node with tensors.
static Status reference_problem(Planner *planner, Region *region) {
    const Node *node = region->node;
    const Graph *graph = planner->graph;
    ReferenceProblem *r = arena_alloc(planner->arena, sizeof *r);
    Tensor *inputs = arena_array(planner->arena, (size_t)node->n_inputs + 1, sizeof *inputs);
    Tensor *outputs = arena_array(planner->arena, (size_t)node->n_outputs + 1, sizeof *outputs);
    Ref *in = arena_array(planner->arena, (size_t)node->n_inputs + 1, sizeof *in);
    Ref *out = arena_array(planner->arena, (size_t)node->n_outputs + 1, sizeof *out);
    if (!r || !inputs || !outputs || !in || !out) return fail_memory(sizeof *r);
    for (int i = 0; i < node->n_inputs; i++) {
        if (node->inputs[i] < 0) continue;
        const Value *value = &graph->values[node->inputs[i]];
        if (value->constant) inputs[i] = *value->constant;
        else
            inputs[i] = (Tensor){value->type.dtype, type_shape(&value->type), NULL},
            in[i] = planner->forms[region->node_in_form[i]].ref;
    }
    for (int i = 0; i < node->n_outputs; i++) {
        if (node->outputs[i] < 0) continue;
        const Value *value = &graph->values[node->outputs[i]];
        outputs[i] = (Tensor){value->type.dtype, type_shape(&value->type), NULL};
        out[i] = planner->forms[region->node_out_form[i]].ref;
    }
    *r = (ReferenceProblem){node, inputs, in, outputs, out};
    region->problem.reference = r;
    return ST_OK;
}
static Status lower_region(Planner *planner, Region *region, Lowering *lowering) {
    const Problem *problem = &region->problem;
    const int first = lowering->n_phases;
    memset(lowering->in, 0, sizeof lowering->in), memset(lowering->out, 0, sizeof lowering->out);
    if (problem->kind == PROBLEM_REFERENCE) {
        TRY(reference_problem(planner, region));
        return region->solver->lower(problem, &region->configuration, lowering);
    }
    for (int i = 0; i < problem->n_inputs; i++) lowering->in[i] = planner->forms[region->in_form[i]].ref;
    for (int i = 0; i < problem->n_outputs; i++) {
        lowering->out[i] = planner->forms[region->out_form[i]].ref;
        if (i == 0 && region->in_place) continue; // who made the input has done that
        TRY(lowering_zero_border(lowering, &problem->out[i], lowering->out[i]));
        if (lowering->n_phases > first + 1) lowering->phases[lowering->n_phases - 1].joins_previous = true;
    }
    lowering->temporary = (Ref){BASE_ARENA, region->temporary_offset};
    const int borders = lowering->n_phases;
    TRY(region->solver->lower(problem, &region->configuration, lowering));
    if (borders > first && lowering->n_phases > borders) lowering->phases[borders].joins_previous = true;
    return ST_OK;
}
// Operands and weights, each once.
static double region_bytes(const Problem *problem) {
    double bytes = 0;
    for (int i = 0; i < problem->n_inputs; i++)
        bytes += (double)shape_count(&problem->in[i].shape) * (double)dtype_size(problem->in[i].dtype);
    for (int i = 0; i < problem->n_outputs; i++)
        bytes += (double)shape_count(&problem->out[i].shape) * (double)dtype_size(problem->out[i].dtype);
    if (problem->weight && problem->kind != PROBLEM_MATMUL)
        bytes += (double)sizeof(float) * (double)problem_weight_count(problem);
    return bytes;
}
// A step's parts: what its anchor makes, and what the nodes make that it absorbed.
static Status name_parts(const Planner *planner, Plan *plan) {
    const Graph *graph = planner->graph;
    int *step_of = arena_array(planner->arena, (size_t)graph->n_nodes + 1, sizeof *step_of), total = 0;
    if (!step_of) return fail_memory((size_t)graph->n_nodes * sizeof *step_of);
    for (int i = 0; i < graph->n_nodes; i++) step_of[i] = -1, total += graph->nodes[i]->n_outputs;
    for (int i = 0; i < planner->n_regions; i++)
        if (planner->regions[i]->problem.kind != PROBLEM_CONVERT) step_of[planner->regions[i]->anchor] = i;
    for (int i = 0; i < graph->n_nodes; i++) {
        const int anchor = planner->absorbed_by[i] >= 0 ? planner->absorbed_by[i] : i;
        step_of[i] = step_of[anchor]; // an anchor comes before what it absorbs, and is absorbed by none
        if (step_of[i] >= 0) plan->steps[step_of[i]].n_parts += graph->nodes[i]->n_outputs;
    }
    const char **names = arena_array(planner->arena, (size_t)total + 1, sizeof *names);
    if (!names) return fail_memory((size_t)total * sizeof *names);
    for (int i = 0; i < plan->n_steps; i++) {
        plan->steps[i].parts = names;
        names += plan->steps[i].n_parts;
        plan->steps[i].n_parts = 0;
    }
    for (int i = 0; i < graph->n_nodes; i++)
        for (int o = 0; o < graph->nodes[i]->n_outputs; o++) {
            const ValueId value = graph->nodes[i]->outputs[o];
            PlanStep *step = step_of[i] >= 0 && value >= 0 ? &plan->steps[step_of[i]] : NULL;
            if (step) step->parts[step->n_parts++] = graph->values[value].name;
        }
    return ST_OK;
}
static Status lower_all(Planner *planner, Plan *plan) {
    Lowering lowering = {.arena = planner->arena, .kernels = planner->kernels, .machine = planner->machine};
    forms_share(planner);
    forms_halve(planner);
    TRY(forms_layout(planner));
    for (int i = 0; i < planner->n_regions; i++) {
        Region *region = planner->regions[i];
        final_layouts(planner, region);
        if (region->solver->temporary)
            region->temporary =
                region->solver->temporary(&region->problem, &region->configuration, planner->kernels, planner->machine);
    }
    TRY(forms_place(planner, &plan->arena_bytes));
    TRY(lower_constants(planner, &lowering));
    plan->steps = arena_array(planner->arena, (size_t)planner->n_regions + 1, sizeof *plan->steps);
    if (!plan->steps) return fail_memory(sizeof *plan->steps);
    for (int i = 0; i < planner->n_regions; i++) {
        Region *region = planner->regions[i];
        lowering.step = i;
        const size_t weights_at = lowering.weights_bytes;
        const int prepare_at = lowering.n_prepare;
        TRY(lower_region(planner, region, &lowering));
        const ValueId made =
            region->node && region->problem.kind == PROBLEM_REFERENCE ? region->node->outputs[0] : region->out_value[0];
        PlanStep *step = &plan->steps[plan->n_steps++];
        *step = (PlanStep){.name = region->name,
                           .op = region->op,
                           .solver = region->solver,
                           .configuration = region->configuration,
                           .cycles = region->cycles,
                           .error = region->error,
                           .why = region->why,
                           .problem = &region->problem,
                           .weights_at = weights_at,
                           .weights_bytes = lowering.weights_bytes - weights_at,
                           .prepare_at = prepare_at,
                           .n_prepare = lowering.n_prepare - prepare_at};
        if (made >= 0) value_shape(planner, made, &step->shape);
        step->bytes = region->problem.kind == PROBLEM_REFERENCE ? 0 : region_bytes(&region->problem);
        step->flop = region->problem.kind == PROBLEM_REFERENCE ? node_flop(planner->graph, region->node)
                                                               : problem_flop(&region->problem);
    }
    TRY(name_parts(planner, plan));
    plan->phases = lowering.phases, plan->n_phases = lowering.n_phases;
    plan->prepare = lowering.prepare, plan->n_prepare = lowering.n_prepare;
    plan->weights_bytes = lowering.weights_bytes;
    for (int i = 0; i < plan->n_phases; i++) plan->scratch_bytes = MAX(plan->scratch_bytes, plan->phases[i].scratch);
    for (int i = 0; i < plan->n_prepare; i++) plan->scratch_bytes = MAX(plan->scratch_bytes, plan->prepare[i].scratch);
    plan->scratch_bytes = (plan->scratch_bytes + 4095) / 4096 * 4096;
    return ST_OK;
}

static Status plan_at_price(const Graph *graph, const Machine *machine, const PlanOptions *options, MemoryPrice price,
                            Plan **out) {
    const Kernels *kernels = options->kernels ? options->kernels : kernels_for(machine->isa);
    FAIL_IF(!kernels, ST_UNSUPPORTED, "this build has no kernels for %s", isa_name(machine->isa));
    Plan *plan = mem_zero(1, sizeof *plan);
    if (!plan) return fail_memory(sizeof *plan);
    plan->graph = graph, plan->threads = options->threads, plan->isa = kernels->isa;
    Planner planner = {.graph = graph,
                       .machine = machine,
                       .kernels = kernels,
                       .options = *options,
                       .price = price,
                       .arena = &plan->arena};
    Status status = start(&planner);
    if (status == ST_OK) status = translate_all(&planner);
    if (status == ST_OK) status = keep_budget(&planner, &plan->error);
    if (status == ST_OK) status = connect_all(&planner);
    if (status == ST_OK) status = connect_outputs(&planner);
    if (status == ST_OK) status = lower_all(&planner, plan);
    if (status != ST_OK) {
        plan_free(plan);
        return status;
    }
    *out = plan;
    return ST_OK;
}
// The smaller of two plans stays, the other is freed.
static void keep_smaller(Plan **kept, Plan *other) {
    const bool smaller = plan_bytes(other) < plan_bytes(*kept);
    plan_free(smaller ? *kept : other);
    if (smaller) *kept = other;
}
// Cycles a byte where nothing limits memory: a schedule that holds its weights transformed may take a fiftieth of a
// millisecond less for each megabyte more, not less gain than that (docs/PERFORMANCE.md).
static const double usual_price = 0.02;

// Memory is a constraint on the sum over the layers, so it gets a price, which is raised until the plan fits (Everett,
// "Generalized Lagrange Multiplier Method", 1963): each layer then gives up the bytes that cost it the least time.

// Prepared weights of convolutions, and what they are in the model.
typedef struct WeightBytes {
    double prepared, plain;
} WeightBytes;
static WeightBytes weight_bytes(const Plan *plan) {
    WeightBytes bytes = {0, 0};
    for (int i = 0; i < plan->n_steps; i++) {
        const Problem *p = plan->steps[i].problem;
        if ((p->kind != PROBLEM_CONV && p->kind != PROBLEM_CONV_TRANSPOSE) || !p->weight) continue;
        bytes.prepared += (double)plan->steps[i].weights_bytes;
        bytes.plain += (double)sizeof(float) * (double)problem_weight_count(p);
    }
    return bytes;
}
// Transformed weights are four times the plain ones: of many channels they would be most of what a network takes, for a
// few percent of its time. Where that is more than a little, they may be three times as large in all, which keeps the
// memory of a U-Net below that of other engines.
static bool is_lean(const Plan *plan) {
    const double little = 32 << 20, times = 3;
    const WeightBytes bytes = weight_bytes(plan);
    return bytes.prepared <= MAX(little, times * bytes.plain);
}
// The lowest price, to a tenth, whose plan is lean, found by halving. A network for which no price does that keeps what
// it has.
static Status make_lean(const Graph *graph, const Machine *machine, const PlanOptions *options, Plan **plan) {
    double low = usual_price, high = 0.5;
    Plan *lean = NULL, *other;
    if (is_lean(*plan)) return ST_OK;
    Status status = plan_at_price(graph, machine, options, (MemoryPrice){high, false}, &lean);
    if (status == ST_OK && !is_lean(lean)) plan_free(lean), lean = NULL;
    while (status == ST_OK && lean && high > 1.1 * low) {
        const double middle = sqrt(low * high);
        status = plan_at_price(graph, machine, options, (MemoryPrice){middle, false}, &other);
        if (status != ST_OK) break;
        const bool enough = is_lean(other);
        if (enough) high = middle;
        else low = middle;
        plan_free(enough ? lean : other);
        if (enough) lean = other;
    }
    if (status == ST_OK && lean) {
        plan_free(*plan);
        *plan = lean;
    } else plan_free(lean);
    return status;
}
static Status shrink(const Graph *graph, const Machine *machine, const PlanOptions *options, Plan **plan) {
    // From where weights transformed on the way (some 0.05) begin to pay to where direct sums do.
    const double least = 2 * usual_price, most = 100, step = 2;
    for (int arithmetic = 0; arithmetic < 2; arithmetic++)
        for (double byte = least; byte < most; byte *= step) {
            if (plan_bytes(*plan) <= options->memory) return ST_OK;
            Plan *other;
            TRY(plan_at_price(graph, machine, options, (MemoryPrice){byte, arithmetic}, &other));
            keep_smaller(plan, other);
        }
    return ST_OK;
}
Status plan_create(const Graph *graph, const Machine *machine, const PlanOptions *options, Plan **out) {
    *out = NULL;
    FAIL_IF(graph->n_nodes > MOST_NODES, ST_UNSUPPORTED,
            "a network of %d operations is too large to be planned: at most %d", graph->n_nodes, MOST_NODES);
    TRY(check_types(graph));
    Plan *plan;
    TRY(plan_at_price(graph, machine, options, (MemoryPrice){usual_price, false}, &plan));
    PlanOptions free_options = *options;
    if (options->n_choices && options->memory && plan_bytes(plan) > options->memory) {
        plan_free(plan);
        free_options.n_choices = 0, options = &free_options;
        TRY(plan_at_price(graph, machine, options, (MemoryPrice){usual_price, false}, &plan));
    }
    Status status = options->n_choices ? ST_OK : make_lean(graph, machine, options, &plan);
    if (status == ST_OK && options->memory) status = shrink(graph, machine, options, &plan);
    if (status == ST_OK) *out = plan;
    else plan_free(plan);
    return status;
}
bool plan_step_has_choice(const PlanStep *step) {
    const ProblemKind kind = step->problem->kind;
    return kind != PROBLEM_REFERENCE && kind != PROBLEM_CONVERT && kind != PROBLEM_COPY;
}
uint64_t plan_bytes(const Plan *plan) {
    return (uint64_t)plan->arena_bytes + plan->weights_bytes + (uint64_t)plan->scratch_bytes * (uint64_t)plan->threads;
}
void plan_free(Plan *plan) {
    if (!plan) return;
    arena_free(&plan->arena);
    mem_free(plan);
}
Status plan_print(const Plan *plan, Text *text) {
    for (int i = 0; i < plan->n_steps; i++) {
        const PlanStep *step = &plan->steps[i];
        text_add(text, "%s  %s  ", step->name, step->op);
        shape_print(text, &step->shape);
        text_add(text, "  %s", step->solver->name);
        solver_print(step->solver, &step->configuration, "  ", text);
        if (step->why) text_add(text, "  (%s)", step->why);
        text_add(text, "\n");
    }
    return text_status(text);
}
Status plan_hash(const Plan *plan, char hex[65]) {
    Text text = {0};
    text_add(&text, "%s %d\n", isa_name(plan->isa), plan->threads);
    Status status = plan_print(plan, &text);
    if (status == ST_OK) sha256_hex(text_get(&text), text.length, hex);
    text_free(&text);
    return status;
}
