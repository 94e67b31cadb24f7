// A pointwise convolution in front of the up-sampling that it followed: interpolation mixes pixels with weights whose
// sum is 1, the convolution mixes channels, so they change places, and the convolution works on fewer pixels. Through a
// concatenation, as networks that bring several scales together have it (SegFormer, FPN):
//
//     Conv(Concat(a, Resize(b), Resize(c)))  =  Conv_a(a) + (Resize(Conv_b(b)) + Resize(Conv_c(c)))
//
// where Conv_a, which keeps the bias, has the weights of a's channels, and so on. Taken where there are at least twice
// as many pixels behind the up-sampling and no more channels behind the convolution than in front; in a concatenation
// each sum is a pass over memory, which fewer than FEWEST_CHANNELS are not worth. Sums are rounded in another order.
#include "pass/rewrite.h"
#include <string.h>

enum { FEWEST_CHANNELS = 64, MOST_PARTS = 16 };

// Channels first .. first + channels - 1 of the convolution's input. up: the up-sampling that makes them, to be moved.
typedef struct Part {
    ValueId value;
    int64_t first, channels;
    const Node *up;
} Part;
typedef struct Parts {
    Part part[MOST_PARTS];
    int count, moved;
} Parts;

static int64_t pixels(const Type *type) {
    int64_t count = 1;
    for (int i = 2; i < type->rank; i++)
        if (type->dim[i] <= 0 || !mul_i64(count, type->dim[i], &count)) return 0;
    return count;
}
// The Resize that makes the value from fewer pixels, and nothing else reads it; NULL when it is not such a one.
static const Node *up_sampling(const Graph *graph, ValueId value) {
    const Node *const up = made_by(graph, value, OP_Resize);
    if (!up || !used_once(graph, value) || is_output(graph, value)) return NULL;
    const Type *const in = input_type(graph, up, 0), *const out = output_type(graph, up);
    const char *const mode = node_string(up, "mode", "nearest");
    const char *const where = node_string(up, "coordinate_transformation_mode", "half_pixel");
    if ((strcmp(mode, "nearest") && strcmp(mode, "linear")) || !strcmp(where, "tf_crop_and_resize")) return NULL;
    if (strcmp(node_string(up, "keep_aspect_ratio_policy", "stretch"), "stretch")) return NULL;
    if (node_int(up, "antialias", 0) || !type_is_static(in) || !type_is_static(out) || in->rank != out->rank)
        return NULL;
    if (in->dtype != DT_F32 || in->dim[0] != out->dim[0] || in->dim[1] != out->dim[1]) return NULL;
    int64_t sizes[MAX_INTS];
    int count;
    if (node_has_input(up, 3) && !constant_ints(graph, up->inputs[3], sizes, &count)) return NULL;
    return pixels(in) && pixels(out) / 2 >= pixels(in) ? up : NULL;
}
static void find_parts(const Graph *graph, const Node *conv, Parts *parts) {
    const ValueId x = conv->inputs[0];
    const Node *const concat = made_by(graph, x, OP_Concat);
    const int64_t oc = output_type(graph, conv)->dim[1], axis = concat ? node_int(concat, "axis", 0) : 0;
    const bool several = concat && used_once(graph, x) && !is_output(graph, x) && concat->n_inputs <= MOST_PARTS &&
                         (axis < 0 ? axis + input_type(graph, conv, 0)->rank : axis) == 1;
    const int64_t fewest = several ? MAX(oc, FEWEST_CHANNELS) : oc;
    int64_t first = 0;
    *parts = (Parts){.count = several ? concat->n_inputs : 1};
    for (int i = 0; i < parts->count; i++) {
        const ValueId value = several ? concat->inputs[i] : x;
        const int64_t channels = graph->values[value].type.dim[1];
        const Node *const up = channels >= fewest ? up_sampling(graph, value) : NULL;
        parts->part[i] = (Part){value, first, channels, up};
        parts->moved += up != NULL;
        first += channels;
    }
}

// The weights (oc, ic, 1...) of some parts' channels, side by side: of part `only`, or (-1) of all that are not moved.
static Status take_weights(Graph *graph, ValueId weight, const Parts *parts, int only, ValueId *out) {
    const Tensor *const from = graph->values[weight].constant;
    const int64_t oc = from->shape.dim[0], ic = from->shape.dim[1];
    Shape shape = from->shape;
    Tensor made;
    shape.dim[1] = 0;
    for (int i = 0; i < parts->count; i++)
        if (only < 0 ? !parts->part[i].up : i == only) shape.dim[1] += parts->part[i].channels;
    TRY(make_tensor(graph, DT_F32, shape, &made));
    float *to = made.data;
    for (int64_t o = 0; o < oc; o++)
        for (int i = 0; i < parts->count; i++) {
            const Part *const part = &parts->part[i];
            if (only < 0 ? part->up != NULL : i != only) continue;
            memcpy(to, (const float *)from->data + o * ic + part->first, (size_t)part->channels * sizeof *to);
            to += part->channels;
        }
    return graph_add_constant(graph, graph->values[weight].name, &made, out);
}

// A graph under change: new nodes go before `node`, at `at`.
typedef struct Change {
    Graph *graph;
    Node *node;
    int at;
    Parts parts;
} Change;
static Status insert(Change *c, Op op, const ValueId *inputs, int n_inputs, const Node *attrs, ValueId *out) {
    Node *made;
    TRY(insert_node(c->graph, c->at++, op, inputs, n_inputs, attrs, c->node->outputs[0], &made));
    *out = made->outputs[0];
    return graph_infer_node(c->graph, made);
}
// The convolution of what is not moved, with the bias; of part `only`, with the bias where it is the only part.
static Status insert_conv(Change *c, ValueId x, int only, bool bias, ValueId *out) {
    ValueId inputs[3] = {x, NO_VALUE, bias ? c->node->inputs[2] : NO_VALUE};
    TRY(take_weights(c->graph, c->node->inputs[1], &c->parts, only, &inputs[1]));
    return insert(c, OP_Conv, inputs, bias ? 3 : 2, c->node, out);
}
// The inputs of the up-sampling, now of x; sizes, if told of all dims, have the new number of channels.
static Status up_inputs(Change *c, const Node *up, ValueId x, ValueId inputs[4]) {
    const int64_t *axes;
    int64_t sizes[MAX_INTS];
    int count;
    for (int i = 0; i < 4; i++) inputs[i] = node_has_input(up, i) ? up->inputs[i] : NO_VALUE;
    inputs[0] = x;
    if (inputs[3] < 0 || node_ints(up, "axes", &axes)) return ST_OK;
    if (!constant_ints(c->graph, inputs[3], sizes, &count)) return ST_OK; // they were, in up_sampling
    sizes[1] = output_type(c->graph, c->node)->dim[1];
    return add_int_list(c->graph, "sizes", sizes, count, &inputs[3]);
}
// Sum of all moved parts.
static Status insert_moved(Change *c, bool bias, ValueId *sum) {
    *sum = NO_VALUE;
    for (int i = 0; i < c->parts.count; i++) {
        const Node *const up = c->parts.part[i].up;
        ValueId inputs[4], small, large;
        if (!up) continue;
        TRY(insert_conv(c, up->inputs[0], i, bias && *sum < 0, &small));
        TRY(up_inputs(c, up, small, inputs));
        TRY(insert(c, OP_Resize, inputs, up->n_inputs, up, &large));
        const ValueId terms[2] = {*sum, large};
        if (*sum < 0) *sum = large;
        else TRY(insert(c, OP_Add, terms, 2, NULL, sum));
    }
    return ST_OK;
}
// The convolution of what stays where it is.
static Status insert_rest(Change *c, bool bias, ValueId *out) {
    const Node *const concat = c->graph->values[c->node->inputs[0]].producer;
    ValueId rest[MOST_PARTS], x;
    int count = 0;
    for (int i = 0; i < c->parts.count; i++)
        if (!c->parts.part[i].up) rest[count++] = c->parts.part[i].value;
    x = rest[0];
    if (count > 1) TRY(insert(c, OP_Concat, rest, count, concat, &x));
    return insert_conv(c, x, -1, bias, out);
}
static Status resize_late(Graph *graph, Node *node, bool *changed) {
    if (!is_pointwise_conv(graph, node)) return ST_OK;
    Change c = {.graph = graph, .node = node};
    find_parts(graph, node, &c.parts);
    if (!c.parts.moved) return ST_OK;
    c.at = node_index(graph, node);
    const bool rest = c.parts.moved < c.parts.count, bias = node_has_input(node, 2);
    ValueId terms[2];
    TRY(insert_moved(&c, bias && !rest, &terms[1]));
    *changed = true;
    if (!rest) {
        (void)replace_output(graph, node, terms[1]);
        return ST_OK;
    }
    TRY(insert_rest(&c, bias, &terms[0]));
    return node_become(graph, node, OP_Add, terms, 2);
}

Status pass_resize_late(Graph *graph, bool *changed) {
    static Rewrite *const rewrites[] = {resize_late};
    return rewrite_nodes(graph, rewrites, COUNT_OF(rewrites), changed);
}
