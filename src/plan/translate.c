// From nodes to regions: the anchor op's geometry, and the neighbours that it absorbs.
#include "plan/planner.h"
#include <float.h>
#include <math.h>
#include <string.h>

bool value_is_float(const Planner *planner, ValueId value) {
    return planner->graph->values[value].type.dtype == DT_F32;
}
const Shape *value_shape(const Planner *planner, ValueId value, Shape *room) {
    *room = type_shape(&planner->graph->values[value].type);
    return room;
}
Status region_add(Planner *planner, const char *name, const char *op, int order, Region **out) {
    if (planner->n_regions == planner->regions_capacity) {
        const int grown = planner->regions_capacity ? 2 * planner->regions_capacity : 64;
        Region **bigger = arena_array(planner->arena, (size_t)grown, sizeof *bigger);
        if (!bigger) return fail_memory((size_t)grown * sizeof *bigger);
        if (planner->n_regions) memcpy(bigger, planner->regions, (size_t)planner->n_regions * sizeof *bigger);
        planner->regions = bigger, planner->regions_capacity = grown;
    }
    Region *region = arena_alloc(planner->arena, sizeof *region);
    if (!region) return fail_memory(sizeof *region);
    *region = (Region){.name = name, .op = op, .anchor = order, .order = order};
    for (int i = 0; i < PROBLEM_INPUTS; i++) region->in_value[i] = NO_VALUE, region->in_form[i] = -1;
    for (int i = 0; i < PROBLEM_OUTPUTS; i++) region->out_value[i] = NO_VALUE, region->out_form[i] = -1;
    region->problem.threads = planner->options.threads;
    region->problem.precision = planner->options.precision;
    region->problem.byte_price = planner->price.byte;
    region->problem.price_arithmetic = planner->price.arithmetic;
    region->problem.group = 1;
    for (int axis = 0; axis < AXES; axis++)
        region->problem.kernel[axis] = region->problem.stride[axis] = region->problem.dilation[axis] = 1;
    planner->regions[planner->n_regions++] = region;
    *out = region;
    return ST_OK;
}
Status region_reference(Planner *planner, const Node *node, int order, const char *why) {
    Region *region;
    const char *name = node->name;
    for (int i = 0; i < node->n_outputs; i++)
        if (node->outputs[i] >= 0) {
            name = planner->graph->values[node->outputs[i]].name;
            break;
        }
    TRY(region_add(planner, name, op_info(node->op)->name, order, &region));
    region->problem.kind = PROBLEM_REFERENCE;
    region->node = node, region->why = why;
    return ST_OK;
}

// A region for `node` with its first inputs and output.
static Status begin(Planner *planner, int index, ProblemKind kind, int inputs, Region **out) {
    const Node *node = planner->graph->nodes[index];
    TRY(region_add(planner, planner->graph->values[node->outputs[0]].name, op_info(node->op)->name, index, out));
    (*out)->problem.kind = kind;
    (*out)->problem.n_inputs = inputs, (*out)->problem.n_outputs = 1;
    for (int i = 0; i < inputs; i++) (*out)->in_value[i] = node->inputs[i];
    (*out)->out_value[0] = node->outputs[0];
    return ST_OK;
}
static const float *constant_floats(const Planner *planner, const Node *node, int i) {
    const Tensor *tensor = node_constant(planner->graph, node, i);
    return tensor && tensor->dtype == DT_F32 ? tensor->data : NULL;
}

// The function of an elementwise node; false when it has none.
static bool node_function(const Planner *planner, const Node *node, Activation *out) {
    *out = (Activation){FN_NONE, 0, 0};
    switch (node->op) {
    case OP_Relu: out->function = FN_RELU; return true;
    case OP_LeakyRelu: *out = (Activation){FN_LEAKY_RELU, (float)node_float(node, "alpha", 0.01), 0}; return true;
    case OP_Sigmoid: out->function = FN_SIGMOID; return true;
    case OP_Tanh: out->function = FN_TANH; return true;
    case OP_Swish: *out = (Activation){FN_SWISH, (float)node_float(node, "alpha", 1), 0}; return true;
    case OP_HardSigmoid:
        *out =
            (Activation){FN_HARD_SIGMOID, (float)node_float(node, "alpha", 0.2), (float)node_float(node, "beta", 0.5)};
        return true;
    case OP_HardSwish: out->function = FN_HARD_SWISH; return true;
    case OP_Elu: *out = (Activation){FN_ELU, (float)node_float(node, "alpha", 1), 0}; return true;
    case OP_Selu:
        *out = (Activation){FN_SELU, (float)node_float(node, "alpha", 1.67326319217681884765625),
                            (float)node_float(node, "gamma", 1.05070102214813232421875)};
        return true;
    case OP_Gelu:
        out->function = strcmp(node_string(node, "approximate", "none"), "tanh") ? FN_GELU : FN_GELU_TANH;
        return true;
    case OP_Mish: out->function = FN_MISH; return true;
    case OP_Softplus: out->function = FN_SOFTPLUS; return true;
    case OP_Softsign: out->function = FN_SOFTSIGN; return true;
    case OP_Exp: out->function = FN_EXP; return true;
    case OP_Log: out->function = FN_LOG; return true;
    case OP_Sqrt: out->function = FN_SQRT; return true;
    case OP_Abs: out->function = FN_ABS; return true;
    case OP_Neg: out->function = FN_NEG; return true;
    case OP_Erf: out->function = FN_ERF; return true;
    case OP_Floor: out->function = FN_FLOOR; return true;
    case OP_Ceil: out->function = FN_CEIL; return true;
    case OP_Round: out->function = FN_ROUND; return true;
    case OP_Reciprocal: out->function = FN_RECIPROCAL; return true;
    case OP_Clip: {
        const Tensor *low = node_constant(planner->graph, node, 1), *high = node_constant(planner->graph, node, 2);
        if ((node_has_input(node, 1) && !low) || (node_has_input(node, 2) && !high)) return false;
        *out = (Activation){FN_CLIP, low ? (float)tensor_get(low, 0) : -FLT_MAX,
                            high ? (float)tensor_get(high, 0) : FLT_MAX};
        return true;
    }
    default: return false;
    }
}
// The only user of the region's output, when nothing else sees that value and no other region has taken the user in
// (two convolutions meet in one sum).
static const Node *only_user(const Planner *planner, const Region *region) {
    const ValueId value = region->out_value[0];
    const int user = planner->user[value];
    if (!planner->options.fuse || planner->uses[value] != 1 || user < 0 || planner->absorbed_by[user] >= 0) return NULL;
    return planner->graph->nodes[user];
}
Status region_append_op(Planner *planner, Region *region, const char *op) {
    Text text = {0};
    text_add(&text, "%s + %s", region->op, op);
    region->op = text.failed ? NULL : arena_string(planner->arena, text_get(&text));
    text_free(&text);
    return region->op ? ST_OK : fail_memory(64);
}
// The region swallows the only user of its output, `node`: its output becomes node's.
static Status swallow(Planner *planner, Region *region, const Node *node) {
    const int index = planner->user[region->out_value[0]];
    planner->absorbed_by[index] = region->anchor;
    region->order = MAX(region->order, index);
    region->out_value[0] = node->outputs[0];
    region->name = planner->graph->values[node->outputs[0]].name;
    return region_append_op(planner, region, op_info(node->op)->name);
}
static Status absorb_residual(Planner *planner, Region *region) {
    const Node *user = only_user(planner, region);
    if (!user || user->op != OP_Add) return ST_OK;
    const ValueId other = user->inputs[0] == region->out_value[0] ? user->inputs[1] : user->inputs[0];
    const Value *a = &planner->graph->values[other], *b = &planner->graph->values[region->out_value[0]];
    if (other == region->out_value[0] || a->constant || !type_equal(&a->type, &b->type)) return ST_OK;
    region->in_value[1] = other;
    region->problem.n_inputs = 2, region->problem.has_residual = true;
    return swallow(planner, region, user);
}
// A convolution leaves 0, or what a residual has there, in the lanes beyond its channels; the next one multiplies them
// by zero weights, so the function must keep them finite. (Other solvers zero them behind the function.)
static bool keeps_lanes_finite(const Region *region, Activation a) {
    if (region->problem.kind != PROBLEM_CONV && region->problem.kind != PROBLEM_CONV_TRANSPOSE) return true;
    switch (a.function) {
    case FN_EXP:
    case FN_LOG:
    case FN_SQRT:
    case FN_RECIPROCAL: return false;
    case FN_CLIP: return a.alpha < INFINITY && a.beta > -INFINITY;
    default: return isfinite(a.alpha) && isfinite(a.beta);
    }
}
static Status absorb_activation(Planner *planner, Region *region) {
    const Node *user = only_user(planner, region);
    Activation activation;
    if (!user || !value_is_float(planner, user->outputs[0]) || !node_function(planner, user, &activation)) return ST_OK;
    if (!keeps_lanes_finite(region, activation)) return ST_OK;
    region->problem.activation = activation;
    return swallow(planner, region, user);
}
// The indices of a pool, the statistics of a normalisation.
static bool has_more_outputs(const Node *node) {
    for (int i = 1; i < node->n_outputs; i++)
        if (node->outputs[i] >= 0) return true;
    return false;
}
// A max pool of `value` over windows of 2 with stride 2 along each of 2 to `most` spatial dims, or -1.
static int pool_user(const Planner *planner, ValueId value, int most) {
    for (int i = 0; i < planner->graph->n_nodes; i++) {
        const Node *node = planner->graph->nodes[i];
        Window w;
        Shape shape;
        if (node->op != OP_MaxPool || node->inputs[0] != value || planner->absorbed_by[i] >= 0) continue;
        if (has_more_outputs(node)) continue;
        if (window_of(node, value_shape(planner, value, &shape), NULL, &w) != ST_OK || w.spatial < 2 ||
            w.spatial > most)
            continue;
        bool fits = true;
        for (int k = 0; k < w.spatial; k++)
            fits = fits && w.kernel[k] == 2 && w.stride[k] == 2 && w.dilation[k] == 1 && !w.pad_begin[k] &&
                   w.output[k] == w.input[k] / 2;
        if (fits) return i;
    }
    return -1;
}
// The only user of `value`, when nothing else sees it, or -1.
static int single_user(const Planner *planner, ValueId value) {
    return planner->uses[value] == 1 ? planner->user[value] : -1;
}
// Whether it is cheap and does not fall as its argument grows: then it may as well come behind a maximum.
static bool activation_ascends(Activation a) {
    return a.function == FN_NONE || a.function == FN_RELU || (a.function == FN_LEAKY_RELU && a.alpha >= 0) ||
           (a.function == FN_CLIP && a.alpha <= a.beta);
}
// Scale and shift of a normalisation with constant statistics, in the planner's arena. *scale NULL: it has others.
// A comparison the other way round takes its operands in turn: *turned.
static bool logic_of(const Planner *planner, const Node *node, Logic *out, bool *turned) {
    *turned = false;
    switch (node->op) {
    case OP_Equal: *out = LOGIC_EQUAL; return true;
    case OP_Less: *out = LOGIC_LESS; return true;
    case OP_LessOrEqual: *out = LOGIC_LESS_OR_EQUAL; return true;
    case OP_Greater: *out = LOGIC_LESS, *turned = true; return true;
    case OP_GreaterOrEqual: *out = LOGIC_LESS_OR_EQUAL, *turned = true; return true;
    case OP_And: *out = LOGIC_AND; return true;
    case OP_Or: *out = LOGIC_OR; return true;
    case OP_Xor: *out = LOGIC_XOR; return true;
    case OP_Not: *out = LOGIC_NOT; return true;
    case OP_Where: *out = LOGIC_WHERE; return true;
    case OP_Cast:
        *out = LOGIC_TO_FLOAT;
        return planner->graph->values[node->inputs[0]].type.dtype == DT_BOOL &&
               value_is_float(planner, node->outputs[0]);
    default: return false;
    }
}
static Status translate_logic(Planner *planner, int index, Logic logic, bool turned) {
    const Node *node = planner->graph->nodes[index];
    const bool compares = logic == LOGIC_EQUAL || logic == LOGIC_LESS || logic == LOGIC_LESS_OR_EQUAL;
    if ((compares && !value_is_float(planner, node->inputs[0])) ||
        (logic == LOGIC_WHERE && !value_is_float(planner, node->outputs[0])))
        return region_reference(planner, node, index, "operands that are not float32");
    Region *region;
    TRY(begin(planner, index, PROBLEM_LOGIC, node->n_inputs, &region));
    if (turned) region->in_value[0] = node->inputs[1], region->in_value[1] = node->inputs[0];
    region->problem.logic = logic;
    return ST_OK;
}
static Status norm_factors(Planner *planner, const Node *node, const float **scale_out, const float **shift_out);
// A normalisation of the region's output, which others read too, then a function or none, then a pool, each for the
// next one only: a U-Net's skip in front of its normalisation.
static Status absorb_scaled_pool(Planner *planner, Region *region) {
    const Graph *graph = planner->graph;
    if (planner->uses[region->out_value[0]] < 2) return ST_OK;
    for (int i = region->anchor + 1; i < graph->n_nodes; i++) {
        const Node *norm = graph->nodes[i], *function;
        Activation activation = {FN_NONE, 0, 0};
        if (norm->op != OP_BatchNormalization || norm->inputs[0] != region->out_value[0] || has_more_outputs(norm) ||
            planner->absorbed_by[i] >= 0)
            continue;
        ValueId scaled = norm->outputs[0];
        int last = single_user(planner, scaled), between = -1;
        if (last >= 0 && node_function(planner, function = graph->nodes[last], &activation)) {
            between = last, scaled = function->outputs[0], last = single_user(planner, scaled);
        }
        if (last < 0 || !activation_ascends(activation) || pool_user(planner, scaled, 2) != last) continue;
        TRY(norm_factors(planner, norm, &region->problem.pool_scale, &region->problem.pool_shift));
        if (!region->problem.pool_scale) continue;
        region->problem.pool_activation = activation;
        region->beside[region->n_beside++] = i;
        if (between >= 0) region->beside[region->n_beside++] = between;
        region->beside[region->n_beside++] = last;
        return ST_OK;
    }
    return ST_OK;
}
// A pooled copy of the region's output: recorded, taken or undone when solvers are chosen (choose.c).
static Status absorb_pool(Planner *planner, Region *region) {
    if (!planner->options.fuse) return ST_OK;
    const bool conv = region->problem.kind == PROBLEM_CONV;
    const int pool = pool_user(planner, region->out_value[0], conv ? 2 : 3);
    if (pool >= 0) region->beside[region->n_beside++] = pool;
    else if (conv) TRY(absorb_scaled_pool(planner, region));
    if (!region->n_beside) return ST_OK;
    region->problem.has_pool = true, region->problem.n_outputs = 2;
    region->out_value[1] = planner->graph->nodes[region->beside[region->n_beside - 1]]->outputs[0];
    return ST_OK;
}

static void set_window(Problem *problem, const Window *w) {
    for (int i = 0; i < w->spatial; i++) {
        const int axis = AXES - w->spatial + i;
        problem->kernel[axis] = w->kernel[i], problem->stride[axis] = w->stride[i];
        problem->dilation[axis] = w->dilation[i];
        problem->pad_begin[axis] = w->pad_begin[i], problem->pad_end[axis] = w->pad_end[i];
    }
}
static Status translate_conv(Planner *planner, int index) {
    const Node *node = planner->graph->nodes[index];
    const bool transposed = node->op == OP_ConvTranspose;
    const Tensor *weight = node_constant(planner->graph, node, 1);
    Shape shape;
    value_shape(planner, node->inputs[0], &shape);
    if (!value_is_float(planner, node->inputs[0]) || !weight || weight->dtype != DT_F32 || shape.rank < 3 ||
        shape.rank > 5)
        return region_reference(planner, node, index, "weights that are computed, or not float32");
    if (shape_count(&shape) == 0 || shape_count(&weight->shape) == 0)
        return region_reference(planner, node, index, "an input without elements");
    if (node_has_input(node, 2) && !constant_floats(planner, node, 2))
        return region_reference(planner, node, index, "a bias that is computed");
    Region *region;
    Window w;
    TRY(window_of(node, &shape, &weight->shape, &w));
    TRY(begin(planner, index, transposed ? PROBLEM_CONV_TRANSPOSE : PROBLEM_CONV, 1, &region));
    Problem *problem = &region->problem;
    set_window(problem, &w);
    problem->group = w.group;
    problem->ic = shape.dim[1];
    problem->oc = transposed ? weight->shape.dim[1] * w.group : weight->shape.dim[0];
    problem->weight = weight->data;
    problem->bias = node_has_input(node, 2) ? constant_floats(planner, node, 2) : NULL;
    TRY(absorb_residual(planner, region));
    TRY(absorb_activation(planner, region));
    return transposed ? ST_OK : absorb_pool(planner, region);
}
static Status translate_pool(Planner *planner, int index) {
    const Node *node = planner->graph->nodes[index];
    Shape shape;
    value_shape(planner, node->inputs[0], &shape);
    if (!value_is_float(planner, node->inputs[0]) || shape.rank < 3 || shape.rank > 5)
        return region_reference(planner, node, index, "not float32 of 3 to 5 dims");
    if (has_more_outputs(node)) return region_reference(planner, node, index, "its indices are wanted");
    Region *region;
    TRY(begin(planner, index, PROBLEM_POOL, 1, &region));
    Problem *problem = &region->problem;
    const bool max = node->op == OP_MaxPool || node->op == OP_GlobalMaxPool;
    problem->pool = max ? POOL_MAX : node_int(node, "count_include_pad", 0) ? POOL_AVERAGE_WITH_PAD : POOL_AVERAGE;
    problem->ic = problem->oc = shape.dim[1];
    if (node->op == OP_MaxPool || node->op == OP_AveragePool) {
        Window w;
        TRY(window_of(node, &shape, NULL, &w));
        set_window(problem, &w);
    } else {
        for (int i = 2; i < shape.rank; i++) problem->kernel[AXES - shape.rank + i] = shape.dim[i];
    }
    return ST_OK;
}
static Status translate_resize(Planner *planner, int index) {
    const Node *node = planner->graph->nodes[index];
    Region *region;
    AxisTaps taps[AXES];
    bool done = false;
    if (value_is_float(planner, node->inputs[0])) TRY(resize_taps(planner->graph, node, planner->arena, taps, &done));
    if (!done) return region_reference(planner, node, index, "a resize that is not separable along d, h and w");
    TRY(begin(planner, index, PROBLEM_RESIZE, 1, &region));
    memcpy(region->problem.taps, taps, sizeof taps);
    return ST_OK;
}
static Status translate_grid_sample(Planner *planner, int index) {
    const Node *node = planner->graph->nodes[index];
    if (!value_is_float(planner, node->inputs[0]) || !value_is_float(planner, node->inputs[1]))
        return region_reference(planner, node, index, "not two float32 operands");
    Region *region;
    TRY(begin(planner, index, PROBLEM_GRID_SAMPLE, 2, &region));
    const char *mode = node_string(node, "mode", "linear"), *outside = node_string(node, "padding_mode", "zeros");
    region->problem.sample = *mode == 'n' ? SAMPLE_NEAREST : *mode == 'c' ? SAMPLE_CUBIC : SAMPLE_LINEAR;
    region->problem.outside = *outside == 'b' ? OUTSIDE_BORDER : *outside == 'r' ? OUTSIDE_REFLECTION : OUTSIDE_ZEROS;
    region->problem.align_corners = node_int(node, "align_corners", 0) != 0;
    return ST_OK;
}
static Status translate_unary(Planner *planner, int index, Activation activation) {
    Region *region;
    TRY(begin(planner, index, PROBLEM_UNARY, 1, &region));
    region->problem.activation = activation;
    return ST_OK;
}
static bool binary_of(Op op, Binary *out) {
    switch (op) {
    case OP_Add: *out = BINARY_ADD; return true;
    case OP_Sub: *out = BINARY_SUB; return true;
    case OP_Mul: *out = BINARY_MUL; return true;
    case OP_Div: *out = BINARY_DIV; return true;
    case OP_Min: *out = BINARY_MIN; return true;
    case OP_Max: *out = BINARY_MAX; return true;
    case OP_PRelu: *out = BINARY_PRELU; return true;
    default: return false;
    }
}
static Status translate_binary(Planner *planner, int index, Binary binary) {
    const Node *node = planner->graph->nodes[index];
    if (node->n_inputs != 2 || !value_is_float(planner, node->inputs[0]) || !value_is_float(planner, node->inputs[1]))
        return region_reference(planner, node, index, "not two float32 operands");
    Region *region;
    TRY(begin(planner, index, PROBLEM_BINARY, 2, &region));
    region->problem.binary = binary;
    return absorb_activation(planner, region);
}
static Status norm_factors(Planner *planner, const Node *node, const float **scale_out, const float **shift_out) {
    const float *given[4];
    bool constant = value_is_float(planner, node->inputs[0]);
    for (int i = 0; i < 4; i++) constant = (given[i] = constant_floats(planner, node, i + 1)) && constant;
    Shape shape;
    value_shape(planner, node->inputs[0], &shape);
    *scale_out = *shift_out = NULL;
    if (!constant || shape.rank < 2) return ST_OK;
    const size_t channels = (size_t)shape.dim[1];
    float *scale = arena_array(planner->arena, channels, sizeof *scale);
    float *shift = arena_array(planner->arena, channels, sizeof *shift);
    if (!scale || !shift) return fail_memory(channels * sizeof *scale);
    const double epsilon = node_float(node, "epsilon", 1e-5);
    for (size_t c = 0; c < channels; c++) {
        const double factor = (double)given[0][c] / sqrt((double)given[3][c] + epsilon);
        scale[c] = (float)factor;
        shift[c] = (float)((double)given[1][c] - (double)given[2][c] * factor);
    }
    *scale_out = scale, *shift_out = shift;
    return ST_OK;
}
static Status translate_batch_norm(Planner *planner, int index) {
    const Node *node = planner->graph->nodes[index];
    const float *scale, *shift;
    TRY(norm_factors(planner, node, &scale, &shift));
    if (!scale) return region_reference(planner, node, index, "statistics that are computed, or not float32");
    Region *region;
    TRY(begin(planner, index, PROBLEM_AFFINE, 1, &region));
    region->problem.scale = scale, region->problem.shift = shift;
    return absorb_activation(planner, region);
}
// Whether input i of a layer normalisation, if there, has just the dims that are normalised together: ONNX also takes
// what broadcasts to the whole input.
static bool normalised_dims(const Planner *planner, const Node *node, int i) {
    if (!node_has_input(node, i)) return true;
    Shape shape, given;
    value_shape(planner, node->inputs[0], &shape), value_shape(planner, node->inputs[i], &given);
    const int64_t axis = node_int(node, "axis", -1);
    const int first = (int)(axis < 0 ? axis + shape.rank : axis), count = shape.rank - first, lead = given.rank - count;
    bool same = lead >= 0;
    for (int k = 0; same && k < given.rank; k++) same = given.dim[k] == (k < lead ? 1 : shape.dim[first + k - lead]);
    return same;
}
static Status translate_norm(Planner *planner, int index) {
    const Node *node = planner->graph->nodes[index];
    const float *scale = constant_floats(planner, node, 1);
    const float *shift = node_has_input(node, 2) ? constant_floats(planner, node, 2) : NULL;
    Shape shape;
    value_shape(planner, node->inputs[0], &shape);
    if (!value_is_float(planner, node->inputs[0]) || !scale || (node_has_input(node, 2) && !shift))
        return region_reference(planner, node, index, "scale or bias that are computed, or not float32");
    if (has_more_outputs(node)) return region_reference(planner, node, index, "its mean and deviation are wanted");
    if (node->op == OP_LayerNormalization && !(normalised_dims(planner, node, 1) && normalised_dims(planner, node, 2)))
        return region_reference(planner, node, index, "scale or bias that do not have the normalised dims");
    Region *region;
    TRY(begin(planner, index, PROBLEM_NORM, 1, &region));
    Problem *problem = &region->problem;
    problem->scale = scale, problem->shift = shift;
    problem->epsilon = node_float(node, "epsilon", 1e-5);
    problem->norm = NORM_INSTANCE;
    if (node->op == OP_GroupNormalization)
        problem->norm = NORM_GROUP, problem->norm_groups = node_int(node, "num_groups", 1);
    if (node->op == OP_LayerNormalization) {
        problem->norm = NORM_LAYER, problem->norm_groups = 1;
        const int64_t axis = node_int(node, "axis", -1);
        for (int i = (int)(axis < 0 ? axis + shape.rank : axis); i < shape.rank; i++)
            problem->norm_groups *= shape.dim[i];
    }
    TRY(absorb_activation(planner, region));
    return problem->norm == NORM_LAYER ? ST_OK : absorb_pool(planner, region);
}
static Status translate_softmax(Planner *planner, int index) {
    const Node *node = planner->graph->nodes[index];
    Shape shape;
    value_shape(planner, node->inputs[0], &shape);
    if (!value_is_float(planner, node->inputs[0]) || shape.rank < 1)
        return region_reference(planner, node, index, "not float32");
    Region *region;
    TRY(begin(planner, index, PROBLEM_SOFTMAX, 1, &region));
    const int64_t axis = node_int(node, "axis", -1);
    region->problem.axis = axis < 0 ? axis + shape.rank : axis;
    region->problem.log_softmax = node->op == OP_LogSoftmax;
    return ST_OK;
}
static Status translate_matmul(Planner *planner, int index) {
    const Node *node = planner->graph->nodes[index];
    Shape a, b;
    value_shape(planner, node->inputs[0], &a), value_shape(planner, node->inputs[1], &b);
    if (!value_is_float(planner, node->inputs[0]) || !value_is_float(planner, node->inputs[1]) || a.rank < 2 ||
        b.rank < 2)
        return region_reference(planner, node, index, "not float32 matrices");
    const bool gemm = node->op == OP_Gemm;
    const float *weight = constant_floats(planner, node, 1);
    const float *bias = gemm && node_has_input(node, 2) ? constant_floats(planner, node, 2) : NULL;
    const bool flipped = gemm && node_int(node, "transB", 0);
    if (gemm) {
        Shape c = {0};
        if (node_has_input(node, 2)) value_shape(planner, node->inputs[2], &c);
        const int64_t n = b.dim[flipped ? 0 : 1];
        if (node_int(node, "transA", 0) || node_float(node, "alpha", 1) != 1 ||
            (bias && node_float(node, "beta", 1) != 1) ||
            (node_has_input(node, 2) && (!bias || shape_count(&c) != n || c.dim[MAX(c.rank - 1, 0)] != n)) || !weight)
            return region_reference(planner, node, index, "a Gemm with factors, transposed a, or computed b or c");
    }
    Region *region;
    const bool packed = weight && b.rank == 2;
    TRY(begin(planner, index, PROBLEM_MATMUL, packed ? 1 : 2, &region));
    Problem *problem = &region->problem;
    problem->weight = packed ? weight : NULL;
    problem->transposed_weight = flipped;
    problem->bias = bias;
    problem->ic = a.dim[a.rank - 1], problem->oc = b.dim[flipped ? b.rank - 2 : b.rank - 1];
    return absorb_activation(planner, region);
}
static Status translate_concat(Planner *planner, int index) {
    Region *region;
    TRY(begin(planner, index, PROBLEM_COPY, 0, &region));
    region->concat = planner->graph->nodes[index];
    return ST_OK;
}
static Status translate_alias(Planner *planner, int index) {
    Region *region;
    TRY(begin(planner, index, PROBLEM_COPY, 1, &region));
    region->alias = planner->graph->nodes[index];
    return ST_OK;
}
// Whether `image` (n, c, spatial dims) has the elements of `tokens` (n, pixels, c).
static bool image_of_tokens(const Planner *planner, ValueId image, ValueId tokens) {
    Shape i, t;
    value_shape(planner, image, &i), value_shape(planner, tokens, &t);
    if (!value_is_float(planner, image) || (i.rank != 4 && i.rank != 5) || t.rank != 3) return false;
    return i.dim[0] == t.dim[0] && i.dim[1] == t.dim[2] && shape_count(&i) == shape_count(&t);
}
static bool swaps_last_two(const Node *transpose) {
    const int64_t *perm;
    return node_ints(transpose, "perm", &perm) == 3 && perm[0] == 0 && perm[1] == 2 && perm[2] == 1;
}
static bool is_reshape(const Node *node) { return node->op == OP_Reshape || node->op == OP_Flatten; }
static bool is_blocked(const Planner *planner, ValueId value) {
    const int made = planner->primary[value];
    return made >= 0 && planner->forms[made].kind == LAYOUT_BLOCKED;
}
// Tokens that become an image, by Transpose and Reshape, for a convolution; an image that becomes tokens, by Reshape
// and Transpose. `done` false: the node does not begin such a pair.
static Status translate_tokens(Planner *planner, int index, bool *done) {
    const Node *node = planner->graph->nodes[index];
    const int next = single_user(planner, node->outputs[0]);
    if (!planner->options.fuse || next < 0 || planner->absorbed_by[next] >= 0) return ST_OK;
    const Node *user = planner->graph->nodes[next];
    const bool to_image = node->op == OP_Transpose;
    const Node *transpose = to_image ? node : user, *reshape = to_image ? user : node;
    if (transpose->op != OP_Transpose || !is_reshape(reshape) || !swaps_last_two(transpose)) return ST_OK;
    const ValueId from = node->inputs[0], to = user->outputs[0];
    if (to_image ? !image_of_tokens(planner, to, from) : !image_of_tokens(planner, from, to)) return ST_OK;
    const int reader = planner->user[to];
    const bool blocked =
        to_image ? reader >= 0 && planner->graph->nodes[reader]->op == OP_Conv : is_blocked(planner, from);
    if (!blocked) return ST_OK;
    Region *region;
    TRY(begin(planner, index, PROBLEM_TOKENS, 1, &region));
    *done = true;
    return swallow(planner, region, user);
}
// A mean or maximum over just the spatial dims, kept: a pool over the whole picture.
static bool global_reduce(const Planner *planner, const Node *node, PoolKind *kind) {
    if (node->op != OP_ReduceMean && node->op != OP_ReduceMax) return false;
    const Tensor *axes = node_constant(planner->graph, node, 1);
    Shape shape;
    value_shape(planner, node->inputs[0], &shape);
    if (!axes || shape.rank < 3 || shape.rank > 5 || !node_int(node, "keepdims", 1)) return false;
    if (!value_is_float(planner, node->inputs[0]) || tensor_count(axes) != shape.rank - 2) return false;
    unsigned seen = 0;
    for (int i = 0; i < shape.rank - 2; i++) {
        const int64_t axis = tensor_get_int(axes, i);
        seen |= 1u << (axis < 0 ? axis + shape.rank : axis);
    }
    *kind = node->op == OP_ReduceMean ? POOL_AVERAGE : POOL_MAX;
    return seen == (1u << shape.rank) - 4;
}
static Status translate_reduce(Planner *planner, int index) {
    const Node *node = planner->graph->nodes[index];
    PoolKind kind;
    if (!global_reduce(planner, node, &kind))
        return region_reference(planner, node, index, "no solver for this reduction");
    Shape shape;
    value_shape(planner, node->inputs[0], &shape);
    Region *region;
    TRY(begin(planner, index, PROBLEM_POOL, 1, &region));
    region->problem.pool = kind;
    region->problem.ic = region->problem.oc = shape.dim[1];
    for (int i = 2; i < shape.rank; i++) region->problem.kernel[AXES - shape.rank + i] = shape.dim[i];
    return ST_OK;
}

Status translate_node(Planner *planner, int index) {
    const Node *node = planner->graph->nodes[index];
    if (planner->options.reference) return region_reference(planner, node, index, "asked for");
    Activation activation;
    Binary binary;
    Logic logic;
    bool done = false, turned = false;
    if (node->n_outputs > 0 && node->outputs[0] >= 0 && node_has_input(node, 0)) {
        if (node_function(planner, node, &activation) && value_is_float(planner, node->inputs[0]))
            return translate_unary(planner, index, activation);
        if (binary_of(node->op, &binary)) return translate_binary(planner, index, binary);
        if (logic_of(planner, node, &logic, &turned)) return translate_logic(planner, index, logic, turned);
    }
    if (node->op == OP_Transpose || is_reshape(node)) TRY(translate_tokens(planner, index, &done));
    if (done) return ST_OK;
    switch (node->op) {
    case OP_Conv:
    case OP_ConvTranspose: return translate_conv(planner, index);
    case OP_MaxPool:
    case OP_AveragePool:
    case OP_GlobalAveragePool:
    case OP_GlobalMaxPool: return translate_pool(planner, index);
    case OP_ReduceMean:
    case OP_ReduceMax: return translate_reduce(planner, index);
    case OP_GridSample: return translate_grid_sample(planner, index);
    case OP_Resize: return translate_resize(planner, index);
    case OP_BatchNormalization: return translate_batch_norm(planner, index);
    case OP_InstanceNormalization:
    case OP_GroupNormalization:
    case OP_LayerNormalization: return translate_norm(planner, index);
    case OP_Softmax:
    case OP_LogSoftmax: return translate_softmax(planner, index);
    case OP_MatMul:
    case OP_Gemm: return translate_matmul(planner, index);
    case OP_Concat: return translate_concat(planner, index);
    case OP_Reshape:
    case OP_Flatten:
    case OP_Squeeze:
    case OP_Unsqueeze:
    case OP_Identity: return translate_alias(planner, index);
    case OP_Dropout:
        if (!has_more_outputs(node)) return translate_alias(planner, index);
        break;
    default: TRY(translate_copy(planner, index, &done));
    }
    return done ? ST_OK : region_reference(planner, node, index, "no solver for this op");
}
