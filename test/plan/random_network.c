// Random networks as text. Each statement is tried: the text so far is parsed, and what does not fit or grows too large
// is taken back. So a statement needs no knowledge of shapes beyond those of the values it picks.
#include "base/rng.h"
#include "plan/planned.h"

enum { MOST_VALUES = 64 };
typedef struct Live { // a live float32 value
    char name[16];
    Shape shape;
} Live;
typedef struct Maker {
    Rng rng;
    Text inputs, body;
    Live live[MOST_VALUES];
    int n_live, names, rank;
    Text line; // the statement that is being made
} Maker;

static int below(Maker *m, int bound) { return (int)rng_below(&m->rng, (uint64_t)bound); }
static bool chance(Maker *m, int percent) { return below(m, 100) < percent; }
static int one_of(Maker *m, const int *from, int count) { return from[below(m, count)]; }
#define ONE_OF(m, ...) one_of(m, (const int[]){__VA_ARGS__}, (int)COUNT_OF(((const int[]){__VA_ARGS__})))
#define WORD_OF(m, ...)                                                                                                \
    (((const char *const[]){__VA_ARGS__})[below(m, (int)COUNT_OF(((const char *const[]){__VA_ARGS__})))])

static const Live *pick(Maker *m) { // mostly a late one
    const int back = below(m, 3), late = MAX(0, m->n_live - 1 - back);
    return &m->live[chance(m, 75) ? late : below(m, m->n_live)];
}
static const Live *pick_volume(Maker *m) { // (n, c, spatial...) of the usual rank
    for (int i = 0; i < 8; i++) {
        const Live *live = pick(m);
        if (live->shape.rank == m->rank) return live;
    }
    return &m->live[0];
}
static const Live *pick_like(Maker *m, const Live *like, bool channels) {
    for (int i = 0; i < 20; i++) {
        const Live *live = &m->live[below(m, m->n_live)];
        bool same = live->shape.rank == like->shape.rank;
        for (int k = 0; same && k < like->shape.rank; k++)
            same = live->shape.dim[k] == like->shape.dim[k] || (k == 1 && !channels);
        if (same) return live;
    }
    return like;
}

// Takes the statement in `line`, whose result is `name`, if the text stays right and small.
static double cost(const Graph *graph) {
    double sum = 0;
    for (int i = 0; i < graph->n_nodes; i++) sum += node_flop(graph, graph->nodes[i]);
    for (int i = 0; i < graph->n_values; i++) {
        const Shape shape = type_shape(&graph->values[i].type);
        sum += 10 * (double)shape_count(&shape);
    }
    return sum;
}
static bool accept(Maker *m, const char *name) {
    Text text = {0};
    Graph *graph = NULL;
    text_add(&text, "graph (%s) -> (%%%s) {\n%s%s}\n", text_get(&m->inputs), name, text_get(&m->body),
             text_get(&m->line));
    bool good = graph_parse(text_get(&text), text.length, &graph) == ST_OK;
    const ValueId id = good ? graph_find(graph, name) : NO_VALUE;
    good = good && type_is_static(&graph->values[id].type) && cost(graph) < 1.5e7;
    if (good) {
        text_add(&m->body, "%s", text_get(&m->line));
        const Type *type = &graph->values[id].type;
        if (type->dtype == DT_F32 && m->n_live < MOST_VALUES) {
            Live *live = &m->live[m->n_live++];
            snprintf(live->name, sizeof live->name, "%s", name);
            live->shape = type_shape(type);
        }
    }
    graph_free(graph);
    text_free(&text);
    text_free(&m->line);
    return good;
}
static void fresh(Maker *m, char name[16]) { snprintf(name, 16, "v%d", m->names++); }
// A constant of normal numbers; dims as "3x4".
static void constant(Maker *m, char name[16], const char *dims, double scale, double offset) {
    snprintf(name, 16, "k%d", m->names++);
    text_add(&m->line, " %%%s = const float32[%s] random(seed=%d, scale=%g, offset=%g)\n", name, dims,
             below(m, 1 << 20), scale, offset);
}
static void ints(Maker *m, char name[16], const int64_t *values, int count) {
    snprintf(name, 16, "k%d", m->names++);
    text_add(&m->line, " %%%s = const int64[%d] {", name, count);
    for (int i = 0; i < count; i++) text_add(&m->line, "%s%lld", i ? ", " : "", (long long)values[i]);
    text_add(&m->line, "}\n");
}
static void list(Maker *m, const char *name, const int *values, int count) {
    text_add(&m->line, "%s=[", name);
    for (int i = 0; i < count; i++) text_add(&m->line, "%s%d", i ? ", " : "", values[i]);
    text_add(&m->line, "]");
}

static void unary_of(Maker *m, const char *x) {
    // The first ones have no finite or no zero value at 0, or a steep one.
    static const char *const ops[] = {
        "Sigmoid", "HardSigmoid", "Softplus", "Relu", "Relu",     "Relu", "LeakyRelu", "Elu", "Selu",     "HardSwish",
        "Swish",   "Gelu",        "Mish",     "Tanh", "Softsign", "Abs",  "Neg",       "Erf", "Identity", "Dropout"};
    char y[16];
    fresh(m, y);
    text_add(&m->line, " %%%s = %s (%%%s)\n", y, ops[below(m, COUNT_OF(ops))], x);
    accept(m, y);
}
static void make_unary(Maker *m) { unary_of(m, pick(m)->name); }
// Functions with a pole at 0, of values that keep away from it.
static void make_pole(Maker *m) {
    char s[16], t[16], k[16], y[16];
    const char *x = pick(m)->name;
    fresh(m, s), fresh(m, t), fresh(m, y);
    text_add(&m->line, " %%%s = Sigmoid (%%%s)\n", s, x);
    constant(m, k, "1", 0, 0.7);
    text_add(&m->line, " %%%s = Add (%%%s, %%%s)\n %%%s = %s (%%%s)\n", t, s, k, y,
             WORD_OF(m, "Log", "Sqrt", "Reciprocal", "Exp"), t);
    accept(m, y);
}
static void make_clip(Maker *m) {
    char a[16], b[16], y[16];
    const char *x = pick(m)->name;
    const bool low = chance(m, 70), high = chance(m, 70);
    constant(m, a, "", 0, -0.5), constant(m, b, "", 0, 1.5);
    fresh(m, y);
    text_add(&m->line, " %%%s = Clip (%%%s", y, x);
    if (low) text_add(&m->line, ", %%%s", a);
    if (high) text_add(&m->line, "%s, %%%s", low ? "" : ", _", b);
    text_add(&m->line, ")\n");
    accept(m, y);
}
// A normalisation of the last value, perhaps a function, a pool, each for the next one only.
static void scaled_pool(Maker *m) {
    const Live x = m->live[m->n_live - 1];
    char dims[32], k[4][16], n[16], f[16], p[16];
    snprintf(dims, sizeof dims, "%lld", (long long)x.shape.dim[1]);
    constant(m, k[0], dims, 0.5, 0), constant(m, k[1], dims, 0.3, 0), constant(m, k[2], dims, 0.3, 0),
        constant(m, k[3], dims, 0.1, 1.5);
    fresh(m, n), fresh(m, f), fresh(m, p);
    text_add(&m->line, " %%%s = BatchNormalization (%%%s, %%%s, %%%s, %%%s, %%%s)\n", n, x.name, k[0], k[1], k[2],
             k[3]);
    const bool function = chance(m, 70);
    if (function) text_add(&m->line, " %%%s = %s (%%%s)\n", f, chance(m, 50) ? "Relu" : "LeakyRelu", n);
    text_add(&m->line, " %%%s = MaxPool (%%%s) {kernel_shape=[2, 2], strides=[2, 2]}\n", p, function ? f : n);
    accept(m, p);
}
static void conv_end(Maker *m, const char *y) {
    if (!accept(m, y)) return;
    if (chance(m, 25)) { // a residual of the same shape
        const Live now = m->live[m->n_live - 1], *other = pick_like(m, &now, true);
        char s[16];
        fresh(m, s);
        const bool swap = chance(m, 50);
        text_add(&m->line, " %%%s = Add (%%%s, %%%s)\n", s, swap ? other->name : now.name,
                 swap ? now.name : other->name);
        accept(m, s);
    }
    if (chance(m, 60)) unary_of(m, m->live[m->n_live - 1].name);
    if (m->rank == 4 && chance(m, 15)) scaled_pool(m);
    else if (m->rank == 4 && chance(m, 25)) {
        char p[16];
        fresh(m, p);
        text_add(&m->line, " %%%s = MaxPool (%%%s) {kernel_shape=[2, 2], strides=[2, 2]}\n", p,
                 m->live[m->n_live - 1].name);
        accept(m, p);
    }
}
static void make_conv(Maker *m) {
    const Live x = *pick_volume(m);
    const int spatial = m->rank - 2, ic = (int)x.shape.dim[1];
    int kernel[3], stride[3], dilation[3], pads[6];
    const bool usual = chance(m, 50), point = chance(m, 30);
    for (int i = 0; i < spatial; i++) {
        kernel[i] = usual ? 3 : point ? 1 : ONE_OF(m, 1, 2, 3, 4, 5);
        stride[i] = usual || chance(m, 60) ? 1 : ONE_OF(m, 2, 3);
        dilation[i] = usual || chance(m, 70) ? 1 : ONE_OF(m, 2, 3);
        pads[i] = usual ? 1 : below(m, kernel[i] + 1), pads[spatial + i] = usual ? 1 : below(m, kernel[i] + 1);
    }
    const int depthwise = chance(m, 15) && ic > 1;
    int group = depthwise ? ic : chance(m, 15) ? ONE_OF(m, 2, 3, 4, 5) : 1;
    if (ic % group) group = 1;
    const int oc = depthwise ? ic * ONE_OF(m, 1, 1, 2) : group * ONE_OF(m, 1, 3, 4, 5, 8, 8, 16, 16, 17, 32, 33);
    char dims[64], w[16], b[16], y[16];
    int at = snprintf(dims, sizeof dims, "%dx%d", oc, ic / group);
    double taps = (double)ic / group;
    for (int i = 0; i < spatial; i++)
        at += snprintf(dims + at, sizeof dims - (size_t)at, "x%d", kernel[i]), taps *= kernel[i];
    constant(m, w, dims, 1.2 / sqrt(taps), 0);
    snprintf(dims, sizeof dims, "%d", oc);
    const bool biased = chance(m, 60);
    if (biased) constant(m, b, dims, 0.5, 0);
    fresh(m, y);
    text_add(&m->line, " %%%s = Conv (%%%s, %%%s", y, x.name, w);
    if (biased) text_add(&m->line, ", %%%s", b);
    text_add(&m->line, ") {");
    list(m, "strides", stride, spatial);
    text_add(&m->line, ", "), list(m, "dilations", dilation, spatial);
    if (chance(m, 85)) text_add(&m->line, ", "), list(m, "pads", pads, 2 * spatial);
    else text_add(&m->line, ", auto_pad=\"%s\"", WORD_OF(m, "SAME_UPPER", "SAME_LOWER", "VALID"));
    text_add(&m->line, ", group=%d}\n", group);
    conv_end(m, y);
}
static void make_conv_transpose(Maker *m) {
    const Live x = *pick_volume(m);
    const int spatial = m->rank - 2, ic = (int)x.shape.dim[1];
    int kernel[3], stride[3], dilation[3], pads[6], more[3];
    const bool usual = chance(m, 50);
    for (int i = 0; i < spatial; i++) {
        kernel[i] = usual ? 2 : ONE_OF(m, 1, 2, 3, 4, 5), stride[i] = usual ? 2 : ONE_OF(m, 1, 2, 3);
        dilation[i] = usual || chance(m, 70) ? 1 : 2;
        pads[i] = usual ? 0 : below(m, kernel[i]), pads[spatial + i] = usual ? 0 : below(m, kernel[i]);
        more[i] = usual ? 0 : below(m, stride[i]);
    }
    int group = chance(m, 15) ? ONE_OF(m, 2, 3, 4) : 1;
    if (ic % group) group = 1;
    const int ocg = ONE_OF(m, 1, 3, 4, 8, 16, 17);
    char dims[64], w[16], b[16], y[16];
    int at = snprintf(dims, sizeof dims, "%dx%d", ic, ocg);
    for (int i = 0; i < spatial; i++) at += snprintf(dims + at, sizeof dims - (size_t)at, "x%d", kernel[i]);
    constant(m, w, dims, 1 / sqrt((double)ic / group), 0);
    snprintf(dims, sizeof dims, "%d", ocg * group);
    const bool biased = chance(m, 60);
    if (biased) constant(m, b, dims, 0.5, 0);
    fresh(m, y);
    text_add(&m->line, " %%%s = ConvTranspose (%%%s, %%%s", y, x.name, w);
    if (biased) text_add(&m->line, ", %%%s", b);
    text_add(&m->line, ") {");
    list(m, "strides", stride, spatial);
    text_add(&m->line, ", "), list(m, "dilations", dilation, spatial);
    text_add(&m->line, ", "), list(m, "pads", pads, 2 * spatial);
    text_add(&m->line, ", "), list(m, "output_padding", more, spatial);
    text_add(&m->line, ", group=%d}\n", group);
    conv_end(m, y);
}
static void make_pool(Maker *m) {
    const Live *x = pick_volume(m);
    const int spatial = m->rank - 2, which = below(m, 5);
    int kernel[3], stride[3], dilation[3], pads[6];
    for (int i = 0; i < spatial; i++) {
        kernel[i] = ONE_OF(m, 2, 2, 3, 4), stride[i] = ONE_OF(m, 1, 2, 2, 3), dilation[i] = chance(m, 80) ? 1 : 2;
        pads[i] = below(m, kernel[i]), pads[spatial + i] = below(m, kernel[i]);
    }
    char y[16];
    fresh(m, y);
    if (which > 2) {
        text_add(&m->line, " %%%s = %s (%%%s)\n", y, which == 3 ? "GlobalAveragePool" : "GlobalMaxPool", x->name);
    } else {
        text_add(&m->line, " %%%s = %s (%%%s) {", y, which == 0 ? "AveragePool" : "MaxPool", x->name);
        list(m, "kernel_shape", kernel, spatial), text_add(&m->line, ", ");
        list(m, "strides", stride, spatial), text_add(&m->line, ", ");
        list(m, "pads", pads, 2 * spatial), text_add(&m->line, ", ");
        list(m, "dilations", dilation, spatial);
        text_add(&m->line, ", ceil_mode=%d", below(m, 2));
        if (which == 0) text_add(&m->line, ", count_include_pad=%d", below(m, 2));
        text_add(&m->line, "}\n");
    }
    accept(m, y);
}
static void make_resize(Maker *m) {
    const Live *x = pick_volume(m);
    char k[16], y[16];
    int64_t sizes[MAX_RANK];
    if (!shape_count(&x->shape)) return; // nothing to interpolate
    for (int i = 0; i < m->rank; i++) sizes[i] = x->shape.dim[i];
    for (int i = 2; i < m->rank; i++) sizes[i] = chance(m, 60) ? 2 * sizes[i] : 1 + below(m, 12);
    ints(m, k, sizes, m->rank);
    fresh(m, y);
    text_add(
        &m->line,
        " %%%s = Resize (%%%s, _, _, %%%s) {mode=\"%s\", coordinate_transformation_mode=\"%s\", nearest_mode=\"%s\"}\n",
        y, x->name, k, WORD_OF(m, "nearest", "linear", "cubic"),
        WORD_OF(m, "half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"),
        WORD_OF(m, "floor", "ceil", "round_prefer_floor", "round_prefer_ceil"));
    accept(m, y);
}
static void make_concat(Maker *m) {
    const Live x = *pick(m);
    const int axis = chance(m, 80) ? 1 : below(m, x.shape.rank), count = 1 + below(m, 4);
    char y[16], k[16] = "";
    if (chance(m, 10) && x.shape.rank == 4) {
        char dims[64];
        snprintf(dims, sizeof dims, "%lldx3x%lldx%lld", (long long)x.shape.dim[0], (long long)x.shape.dim[2],
                 (long long)x.shape.dim[3]);
        constant(m, k, dims, 1, 0);
    }
    fresh(m, y);
    text_add(&m->line, " %%%s = Concat (%%%s", y, x.name);
    for (int i = 0; i < count; i++) text_add(&m->line, ", %%%s", pick_like(m, &x, axis != 1)->name);
    if (*k) text_add(&m->line, ", %%%s", k);
    text_add(&m->line, ") {axis=%d}\n", chance(m, 80) ? axis : axis - x.shape.rank);
    if (accept(m, y) && chance(m, 50)) make_conv(m);
}
static void make_binary(Maker *m) {
    const Live x = *pick(m);
    const char *other = pick_like(m, &x, true)->name;
    char k[16], y[16], dims[64] = "1";
    const int kind = below(m, 6);
    if (kind < 3) { // a constant: scalar, by channel, or of the last dim
        if (kind == 1 && x.shape.rank > 1) {
            int at = snprintf(dims, sizeof dims, "%lld", (long long)x.shape.dim[1]);
            for (int i = 2; i < x.shape.rank; i++) at += snprintf(dims + at, sizeof dims - (size_t)at, "x1");
        }
        if (kind == 2 && x.shape.rank) snprintf(dims, sizeof dims, "%lld", (long long)x.shape.dim[x.shape.rank - 1]);
        constant(m, k, dims, 0.5, 1);
        other = k;
    }
    if (kind == 3) other = pick(m)->name; // whatever broadcasts
    const bool swap = chance(m, 40);
    const char *op = kind < 3 && chance(m, 20) && !swap ? "PRelu" : WORD_OF(m, "Add", "Sub", "Mul", "Min", "Max");
    fresh(m, y);
    text_add(&m->line, " %%%s = %s (%%%s, %%%s)\n", y, op, swap ? other : x.name, swap ? x.name : other);
    if (accept(m, y) && chance(m, 30)) unary_of(m, m->live[m->n_live - 1].name);
}
static void make_gate(Maker *m) { // squeeze and excite
    const Live x = *pick_volume(m);
    char p[16], s[16], y[16];
    fresh(m, p), fresh(m, s), fresh(m, y);
    text_add(&m->line, " %%%s = GlobalAveragePool (%%%s)\n %%%s = Sigmoid (%%%s)\n %%%s = Mul (%%%s, %%%s)\n", p,
             x.name, s, p, y, x.name, s);
    accept(m, y);
}
static void make_norm(Maker *m) {
    const Live x = *pick(m);
    const int which = below(m, 4);
    char dims[32], k[4][16], y[16];
    snprintf(dims, sizeof dims, "%lld", (long long)x.shape.dim[which == 3 ? x.shape.rank - 1 : 1]);
    constant(m, k[0], dims, 0.2, 1), constant(m, k[1], dims, 0.3, 0), constant(m, k[2], dims, 0.3, 0),
        constant(m, k[3], dims, 0.1, 1.5);
    fresh(m, y);
    text_add(&m->line, " %%%s = ", y);
    if (which == 0)
        text_add(&m->line, "BatchNormalization (%%%s, %%%s, %%%s, %%%s, %%%s)\n", x.name, k[0], k[1], k[2], k[3]);
    if (which == 1) text_add(&m->line, "InstanceNormalization (%%%s, %%%s, %%%s) {epsilon=0.1}\n", x.name, k[0], k[1]);
    if (which == 2)
        text_add(&m->line, "GroupNormalization (%%%s, %%%s, %%%s) {epsilon=0.1, num_groups=%d}\n", x.name, k[0], k[1],
                 ONE_OF(m, 1, 2, 3, 4));
    if (which == 3) text_add(&m->line, "LayerNormalization (%%%s, %%%s, %%%s) {epsilon=0.1}\n", x.name, k[0], k[1]);
    if (accept(m, y) && chance(m, 40)) unary_of(m, m->live[m->n_live - 1].name);
}
static void make_move(Maker *m) {
    const Live x = *pick(m);
    const int rank = x.shape.rank, which = below(m, 9);
    if (rank < 2) return;
    char a[16], b[16], c[16], y[16], z[16];
    int64_t values[2 * MAX_RANK] = {0};
    fresh(m, y), fresh(m, z);
    int perm[MAX_RANK];
    for (int i = 0; i < rank; i++) perm[i] = i;
    for (int i = rank - 1; i > 0; i--) {
        const int k = below(m, i + 1), swap = perm[i];
        perm[i] = perm[k], perm[k] = swap;
    }
    switch (which) {
    case 0:
        text_add(&m->line, " %%%s = Transpose (%%%s) {", y, x.name), list(m, "perm", perm, rank),
            text_add(&m->line, "}\n");
        break;
    case 1: // there and back
        values[0] = 0, values[1] = -1;
        ints(m, a, values, 2);
        for (int i = 0; i < rank; i++) values[i] = x.shape.dim[i];
        ints(m, b, values, rank);
        fresh(m, c);
        text_add(&m->line, " %%%s = Reshape (%%%s, %%%s)\n %%%s = Tanh (%%%s)\n %%%s = Reshape (%%%s, %%%s)\n", z,
                 x.name, a, c, z, y, c, b);
        break;
    case 2: text_add(&m->line, " %%%s = Flatten (%%%s) {axis=%d}\n", y, x.name, 1 + below(m, rank - 1)); break;
    case 3: {
        const int axis = below(m, rank);
        values[0] = below(m, 3), ints(m, a, values, 1);
        values[0] = chance(m, 50) ? -1 : 1000, ints(m, b, values, 1);
        values[0] = axis, ints(m, c, values, 1);
        text_add(&m->line, " %%%s = Slice (%%%s, %%%s, %%%s, %%%s)\n", y, x.name, a, b, c);
        break;
    }
    case 4:
        values[0] = 1 + below(m, 4), values[1] = x.shape.dim[1] - values[0];
        ints(m, a, values, 2);
        text_add(&m->line, " %%%s, %%%s = Split (%%%s, %%%s) {axis=1}\n", y, z, x.name, a);
        if (!accept(m, chance(m, 50) ? y : z)) return;
        if (chance(m, 50)) make_conv(m);
        return;
    case 5:
        for (int i = 0; i < rank; i++) values[i] = below(m, 3) - (i > 1), values[rank + i] = below(m, 3) - 1;
        ints(m, a, values, 2 * rank);
        text_add(&m->line, " %%%s = Pad (%%%s, %%%s) {mode=\"%s\"}\n", y, x.name, a,
                 WORD_OF(m, "constant", "constant", "edge", "reflect"));
        break;
    case 6:
        text_add(&m->line, " %%%s = %s (%%%s) {blocksize=2}\n", y, WORD_OF(m, "DepthToSpace", "SpaceToDepth"), x.name);
        break;
    case 7:
        for (int i = 0; i < rank; i++) values[i] = chance(m, 80) ? 1 : 2;
        ints(m, a, values, rank);
        text_add(&m->line, " %%%s = Tile (%%%s, %%%s)\n", y, x.name, a);
        break;
    default:
        values[0] = below(m, rank), ints(m, a, values, 1),
        text_add(&m->line, " %%%s = Unsqueeze (%%%s, %%%s)\n", y, x.name, a);
    }
    accept(m, y);
}
static void make_other(Maker *m) { // some on the reference path
    const Live x = *pick(m);
    char y[16], a[16], z[16];
    fresh(m, y), fresh(m, z);
    switch (below(m, 5)) {
    case 0:
        text_add(&m->line, " %%%s = %s (%%%s) {axis=%d}\n", y, WORD_OF(m, "Softmax", "LogSoftmax"), x.name,
                 below(m, x.shape.rank));
        break;
    case 1: {
        int64_t axes[2] = {x.shape.rank - 2, x.shape.rank - 1};
        ints(m, a, axes, 2);
        text_add(&m->line, " %%%s = %s (%%%s, %%%s)\n", y, WORD_OF(m, "ReduceMean", "ReduceMax", "ReduceL2"), x.name,
                 a);
        break;
    }
    case 2: {
        char dims[32];
        snprintf(dims, sizeof dims, "%lldx%d", (long long)x.shape.dim[x.shape.rank - 1], ONE_OF(m, 3, 8, 17));
        constant(m, a, dims, 1 / sqrt((double)MAX(x.shape.dim[x.shape.rank - 1], 1)), 0);
        text_add(&m->line, " %%%s = MatMul (%%%s, %%%s)\n", y, x.name, a);
        break;
    }
    case 3:
        text_add(&m->line, " %%%s = Cast (%%%s) {to=\"float64\"}\n %%%s = Cast (%%%s) {to=\"float32\"}\n", z, x.name, y,
                 z);
        break;
    default:
        constant(m, a, "", 0, 0.1);
        text_add(&m->line, " %%%s = Greater (%%%s, %%%s)\n", z, x.name, a);
        text_add(&m->line, " %%%s = Where (%%%s, %%%s, %%%s)\n", y, z, x.name, x.name);
    }
    accept(m, y);
}

static void make_input(Maker *m) {
    Live *live = &m->live[m->n_live];
    snprintf(live->name, sizeof live->name, "x%d", m->n_live);
    live->shape = m->n_live && chance(m, 60) ? m->live[0].shape : (Shape){.rank = m->rank};
    if (!live->shape.dim[0]) {
        live->shape.dim[0] = chance(m, 60) ? 1 : ONE_OF(m, 2, 3);
        live->shape.dim[1] = ONE_OF(m, 1, 3, 3, 4, 5, 8, 16, 17, 32);
        const int most = m->rank == 3 ? 40 : m->rank == 4 ? 20 : 6;
        for (int i = 2; i < m->rank; i++) live->shape.dim[i] = 1 + below(m, most);
    }
    text_add(&m->inputs, "%s%%%s: float32[", m->n_live ? ", " : "", live->name);
    shape_print(&m->inputs, &live->shape);
    text_add(&m->inputs, "]");
    m->n_live++;
}

void random_network(uint64_t seed, Text *text) {
    static void (*const makers[])(Maker *) = {make_conv,   make_conv,   make_conv,   make_conv,   make_conv_transpose,
                                              make_pool,   make_resize, make_concat, make_concat, make_binary,
                                              make_binary, make_gate,   make_norm,   make_move,   make_other,
                                              make_unary,  make_pole,   make_clip};
    Maker m = {0};
    rng_seed(&m.rng, seed);
    m.rank = ONE_OF(&m, 4, 4, 4, 4, 3, 5);
    for (int i = ONE_OF(&m, 1, 1, 2, 3); i > 0; i--) make_input(&m);
    for (int i = 4 + below(&m, 14); i > 0; i--) makers[below(&m, COUNT_OF(makers))](&m);
    text_add(text, "graph (%s) -> (", text_get(&m.inputs));
    for (int i = 1 + below(&m, 3), first = 1; i > 0; i--, first = 0)
        text_add(text, "%s%%%s", first ? "" : ", ",
                 m.live[chance(&m, 70) && m.n_live >= i ? m.n_live - i : below(&m, m.n_live)].name);
    text_add(text, ") {\n%s}\n", text_get(&m.body));
    text_free(&m.inputs);
    text_free(&m.body);
    text_free(&m.line);
}
