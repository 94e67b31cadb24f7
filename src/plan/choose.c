// Choosing: a solver for each region in the order of the nodes, and with it the layout of what it makes.
#include "plan/planner.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

// What is known of an operand before layouts are final: shape, and kind and block of the form that its producer makes.
// rank: leading dims of 1 are put in front up to it (numpy broadcasting).
static Status first_layout(const Planner *planner, ValueId value, int rank, Layout *out) {
    const Type *type = &planner->graph->values[value].type;
    Shape shape = type_shape(type);
    if (shape.rank < rank) {
        Shape padded = {.rank = rank};
        for (int i = 0; i < rank; i++) padded.dim[i] = i < rank - shape.rank ? 1 : shape.dim[i - (rank - shape.rank)];
        shape = padded;
    }
    *out = layout_plain(type->dtype, &shape);
    if (type->dtype != DT_F32 || shape.rank < 3 || shape.rank > 5) return ST_OK;
    const int64_t none[AXES] = {0};
    const int made = planner->primary[value];
    // A residual may be made by a later node than the anchor: it will most likely be blocked.
    const bool blocked =
        made < 0 ? !planner->graph->values[value].constant : planner->forms[made].kind == LAYOUT_BLOCKED;
    TRY(layout_blocked(&shape, blocked && made >= 0 ? planner->forms[made].block : planner->kernels->lanes, none, none,
                       out));
    if (!blocked) out->kind = LAYOUT_PLAIN;
    return ST_OK;
}
static Status first_layouts(const Planner *planner, Region *region) {
    Problem *problem = &region->problem;
    Shape shape;
    const int rank = problem->kind == PROBLEM_BINARY ? value_shape(planner, region->out_value[0], &shape)->rank : 0;
    for (int i = 0; i < problem->n_inputs; i++) TRY(first_layout(planner, region->in_value[i], rank, &problem->in[i]));
    for (int i = 0; i < problem->n_outputs; i++) TRY(first_layout(planner, region->out_value[i], 0, &problem->out[i]));
    return ST_OK;
}
static Status output_form(Planner *planner, ValueId value, const OperandNeed *need, int *form) {
    if (planner->primary[value] >= 0) { // a second copy into the same value
        *form = planner->primary[value];
        return ST_OK;
    }
    TRY(form_add(planner, value, need->kind, need->block, form));
    planner->primary[value] = *form;
    return ST_OK;
}

// The pool is taken in or not by these: arithmetic may hang on it, so they see the usual problem.
double usual_cycles(const Planner *planner, const Problem *problem) {
    const Problem usual = solver_usual(problem);
    Need need;
    Configuration configuration;
    double cycles = 0;
    return solver_choose(&usual, planner->kernels, planner->machine, INFINITY, &need, &configuration, &cycles) ? cycles : 0;
}
// Cycles of what makes the second output of `region` as steps of their own.
static double pool_cycles(const Planner *planner, const Region *region) {
    const Problem scaled = {.kind = PROBLEM_AFFINE,
                            .n_inputs = 1,
                            .n_outputs = 1,
                            .in = {region->problem.out[0]},
                            .out = {region->problem.out[0]},
                            .activation = region->problem.pool_activation};
    const int64_t depth = region->problem.out[0].size[AXIS_D] > 1 ? 2 : 1;
    const Problem pool = {.kind = PROBLEM_POOL,
                          .n_inputs = 1,
                          .n_outputs = 1,
                          .in = {region->problem.out[0]},
                          .out = {region->problem.out[1]},
                          .ic = region->problem.oc,
                          .oc = region->problem.oc,
                          .group = 1,
                          .kernel = {depth, 2, 2},
                          .stride = {depth, 2, 2},
                          .dilation = {1, 1, 1}};
    return usual_cycles(planner, &pool) + (region->problem.pool_scale ? usual_cycles(planner, &scaled) : 0);
}
static const PlanChoice *choice_for(const Planner *planner, const char *name) {
    for (int i = 0; i < planner->options.n_choices; i++)
        if (!strcmp(planner->options.choices[i].name, name)) return &planner->options.choices[i];
    return NULL;
}
static const Solver *choose(const Planner *planner, Region *region) {
    const PlanChoice *given = choice_for(planner, region->name);
    if (given && solver_take(given->solver, &region->problem, planner->kernels, planner->machine, &given->configuration,
                             given->scheduled, &region->need, &region->configuration, &region->cycles))
        return given->solver;
    return solver_choose(&region->problem, planner->kernels, planner->machine, INFINITY, &region->need,
                         &region->configuration, &region->cycles);
}
// With the pool absorbed or not, whichever is estimated faster.
static Status choose_pool(Planner *planner, Region *region) {
    Region apart = *region;
    apart.problem.has_pool = false, apart.problem.n_outputs = 1, apart.out_value[1] = NO_VALUE;
    apart.problem.pool_scale = apart.problem.pool_shift = NULL, apart.n_beside = 0;
    const Solver *together = choose(planner, region);
    apart.solver = choose(planner, &apart);
    const bool cheaper = together && apart.solver &&
                         usual_cycles(planner, &apart.problem) + pool_cycles(planner, region) <
                             usual_cycles(planner, &region->problem);
    if (!together || cheaper) {
        *region = apart;
        return ST_OK;
    }
    region->solver = together;
    region->apart = arena_alloc(planner->arena, sizeof apart);
    if (!region->apart) return fail_memory(sizeof apart);
    *region->apart = apart;
    for (int i = 0; i < region->n_beside; i++) {
        planner->absorbed_by[region->beside[i]] = region->anchor;
        TRY(region_append_op(planner, region, op_info(planner->graph->nodes[region->beside[i]]->op)->name));
    }
    return ST_OK;
}
double region_pool_cycles(const Planner *planner, const Region *region) { return pool_cycles(planner, region); }
Status region_release_pool(Planner *planner, Region *region) {
    const Region taken = *region;
    const int first = planner->n_regions;
    *region = *taken.apart;
    region->out_form[0] = taken.out_form[0];
    for (int i = 0; i < taken.n_beside; i++) planner->absorbed_by[taken.beside[i]] = -1;
    for (int i = 0; i < taken.n_beside; i++) // a normalisation takes its function in
        if (planner->absorbed_by[taken.beside[i]] < 0) TRY(translate_node(planner, taken.beside[i]));
    const int end = planner->n_regions;
    for (int r = first; r < end; r++) TRY(region_choose(planner, planner->regions[r]));
    return ST_OK;
}

// A concatenation along the channels whose parts begin at block borders is laid out as one: producers write into it.
static bool concat_fits(const Planner *planner, const Node *node) {
    const Graph *graph = planner->graph;
    const Shape out = type_shape(&graph->values[node->outputs[0]].type);
    const int64_t axis = node_int(node, "axis", 0);
    if (out.rank < 3 || out.rank > 5 || (axis < 0 ? axis + out.rank : axis) != 1) return false;
    bool any = false;
    for (int i = 0; i < node->n_inputs; i++) {
        const Value *value = &graph->values[node->inputs[i]];
        const int made = planner->primary[node->inputs[i]];
        if (value->type.dtype != DT_F32 || value->constant) return false;
        if (i + 1 < node->n_inputs && value->type.dim[1] % planner->kernels->lanes) return false;
        any = any || (made >= 0 && planner->forms[made].kind == LAYOUT_BLOCKED);
    }
    return any;
}
static Status convert_into(Planner *planner, ValueId value, int form, int order) {
    Region *region;
    TRY(region_add(planner, planner->graph->values[value].name, "convert", order, &region));
    region->problem.kind = PROBLEM_CONVERT;
    region->problem.n_inputs = region->problem.n_outputs = 1;
    region->in_value[0] = region->out_value[0] = value;
    region->out_form[0] = form;
    return ST_OK;
}
static Status choose_concat(Planner *planner, Region *region) {
    const Node *node = region->concat;
    const int lanes = planner->kernels->lanes;
    if (!concat_fits(planner, node)) {
        const int first = planner->n_regions;
        TRY(translate_concat_copies(planner, node, region->order));
        const int end = planner->n_regions;
        for (int i = first; i < end; i++) TRY(region_choose(planner, planner->regions[i]));
        return ST_OK;
    }
    int whole;
    TRY(output_form(planner, node->outputs[0], &(OperandNeed){LAYOUT_BLOCKED, lanes, {0}, {0}}, &whole));
    int64_t block = 0;
    for (int i = 0; i < node->n_inputs; i++) {
        const ValueId value = node->inputs[i];
        const int made = planner->primary[value];
        Form *form = &planner->forms[made];
        if (form->kind == LAYOUT_BLOCKED && form->block == lanes && form->parent < 0 && form->external < 0 &&
            made != whole) {
            form->parent = whole, form->parent_block = block;
        } else {
            int part;
            TRY(form_add(planner, value, LAYOUT_BLOCKED, lanes, &part));
            planner->forms[part].parent = whole, planner->forms[part].parent_block = block;
            TRY(convert_into(planner, value, part, region->order));
        }
        block += div_up(planner->graph->values[value].type.dim[1], lanes);
    }
    return ST_OK;
}

static Status choose_reference(Planner *planner, Region *region) {
    const Node *node = region->node;
    const OperandNeed plain = {LAYOUT_PLAIN, 1, {0}, {0}};
    int form;
    for (int i = 0; i < node->n_outputs; i++)
        if (node->outputs[i] >= 0) TRY(output_form(planner, node->outputs[i], &plain, &form));
    region->solver = solver_find("reference");
    region->configuration = (Configuration){{0}, {0}};
    region->cycles = 10 * node_flop(planner->graph, node);
    return ST_OK;
}
// No solver: the anchor node alone goes to the reference; what it had absorbed is set free again.
static Status fall_back(Planner *planner, Region *region) {
    const Graph *graph = planner->graph;
    const int anchor = region->anchor;
    const bool avoided = solver_avoided(&region->problem, planner->kernels);
    for (int i = 0; i < graph->n_nodes; i++)
        if (planner->absorbed_by[i] == anchor) planner->absorbed_by[i] = -1;
    const Node *node = graph->nodes[anchor];
    *region = (Region){.name = graph->values[node->outputs[0]].name,
                       .op = op_info(node->op)->name,
                       .anchor = anchor,
                       .order = anchor,
                       .node = node,
                       .why = avoided ? "STENT_AVOID leaves no solver" : "no solver takes this shape",
                       .problem = {.kind = PROBLEM_REFERENCE}};
    for (int i = 0; i < PROBLEM_INPUTS; i++) region->in_value[i] = NO_VALUE, region->in_form[i] = -1;
    for (int i = 0; i < PROBLEM_OUTPUTS; i++) region->out_value[i] = NO_VALUE, region->out_form[i] = -1;
    return choose_reference(planner, region);
}

Status region_choose(Planner *planner, Region *region) {
    if (region->concat) return choose_concat(planner, region);
    if (region->problem.kind == PROBLEM_REFERENCE) return choose_reference(planner, region);
    if (region->problem.kind == PROBLEM_CONVERT) return ST_OK; // when its operands are known
    if (region->alias) {
        int form;
        return output_form(planner, region->out_value[0], &(OperandNeed){LAYOUT_PLAIN, 1, {0}, {0}}, &form);
    }
    TRY(first_layouts(planner, region));
    if (region->problem.has_pool) TRY(choose_pool(planner, region));
    else region->solver = choose(planner, region);
    if (!region->solver) return fall_back(planner, region);
    for (int i = 0; i < region->problem.n_outputs; i++)
        TRY(output_form(planner, region->out_value[i], &region->need.out[i], &region->out_form[i]));
    return ST_OK;
}
