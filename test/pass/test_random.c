// Random networks through all passes: whatever they rewrite, results, names and types stay. Each network is a text, so
// that a failure can be repeated from the seed that it names.
#include "base/rng.h"
#include "pass/pass_test.h"

enum { MAX_LIVE = 200 };

typedef struct Live { // a value and its shape
    char name[16];
    int rank;
    int64_t dim[5];
} Live;

typedef struct Maker {
    Rng rng;
    Text text;
    Live live[MAX_LIVE];
    int n_live, n_names;
} Maker;

static int below(Maker *m, int bound) { return (int)rng_below(&m->rng, (uint64_t)bound); }

static const Live *pick(Maker *m) { // mostly a late one
    const int back = below(m, 6);
    return &m->live[MAX(0, m->n_live - 1 - back)];
}

static Live *add_live(Maker *m, const Live *like) {
    REQUIRE(m->n_live < MAX_LIVE);
    Live *const live = &m->live[m->n_live++];
    *live = *like;
    snprintf(live->name, sizeof live->name, "v%d", m->n_names++);
    return live;
}

// A constant with a random part of the dims of `like`, the others 1: what broadcasts without a larger result.
static int add_partial_constant(Maker *m, const Live *like) {
    const int id = m->n_names++, rank = below(m, like->rank + 1), kind = below(m, 4);
    text_add(&m->text, " %%k%d = const float32[", id);
    for (int i = like->rank - rank; i < like->rank; i++) {
        const bool keep = kind == 0 || (kind == 1 && i == 1) || (kind == 2 && i == like->rank - 1);
        text_add(&m->text, "%s%lld", i > like->rank - rank ? "x" : "", keep ? (long long)like->dim[i] : 1LL);
    }
    static const char *const data[] = {"", "full(1)", "full(0)", "full(2)", "full(0.5)"};
    text_add(&m->text, "] ");
    const int which = below(m, 8);
    if (which < 4) text_add(&m->text, "random(seed=%d, scale=0.3, offset=2)\n", id);
    else text_add(&m->text, "%s\n", data[which - 3]);
    return id;
}

static void make_unary(Maker *m) {
    static const char *const ops[] = {"Relu", "Sigmoid", "Tanh", "Abs",      "Neg",   "Identity", "Floor",
                                      "Relu", "Neg",     "Abs",  "Softplus", "Floor", "Dropout",  "HardSigmoid"};
    const Live x = *pick(m);
    const Live *const y = add_live(m, &x);
    text_add(&m->text, " %%%s = %s (%%%s)\n", y->name, ops[below(m, COUNT_OF(ops))], x.name);
}

static void make_constant_arithmetic(Maker *m) {
    static const char *const ops[] = {"Add", "Sub", "Mul", "Div", "Mul", "Add", "Max", "Min"};
    const Live x = *pick(m);
    int id = add_partial_constant(m, &x);
    const char *const op = ops[below(m, COUNT_OF(ops))];
    bool swap = below(m, 3) == 0;
    if (!strcmp(op, "Div")) { // a divisor away from zero
        id = m->n_names++;
        text_add(&m->text, " %%k%d = const float32[] {%s}\n", id, below(m, 2) ? "4" : "3");
        swap = false;
    }
    const Live *const y = add_live(m, &x);
    if (swap) text_add(&m->text, " %%%s = %s (%%k%d, %%%s)\n", y->name, op, id, x.name);
    else text_add(&m->text, " %%%s = %s (%%%s, %%k%d)\n", y->name, op, x.name, id);
}

static void make_gate(Maker *m) {
    static const char *const ops[] = {"Sigmoid", "HardSigmoid", "Tanh", "Relu"};
    const Live x = *pick(m), gate = *add_live(m, &x);
    const Live *const y = add_live(m, &x);
    text_add(&m->text, " %%%s = %s (%%%s)\n %%%s = Mul (%%%s, %%%s)\n", gate.name, ops[below(m, COUNT_OF(ops))], x.name,
             y->name, below(m, 2) ? x.name : gate.name, below(m, 2) ? gate.name : x.name);
}

static bool same_shape(const Live *a, const Live *b) {
    return a->rank == b->rank && !memcmp(a->dim, b->dim, (size_t)a->rank * sizeof *a->dim);
}

static void make_binary(Maker *m) {
    const Live x = *pick(m);
    for (int i = m->n_live - 1; i >= 0; i--) {
        const Live other = m->live[i];
        if (!same_shape(&x, &other) || below(m, 3) == 0) continue;
        const Live *const y = add_live(m, &x);
        text_add(&m->text, " %%%s = %s (%%%s, %%%s)\n", y->name, below(m, 2) ? "Add" : "Max", x.name, other.name);
        return;
    }
}

static void make_concat(Maker *m) {
    const Live x = *pick(m), other = *pick(m);
    if (!same_shape(&x, &other) || x.dim[1] > 12) return;
    Live *const y = add_live(m, &x);
    const int axis = below(m, 2) ? 1 : x.rank - 1;
    y->dim[axis] *= 2;
    text_add(&m->text, " %%%s = Concat (%%%s, %%%s) {axis=%d}\n", y->name, x.name, other.name, axis);
}

static void make_transpose(Maker *m) {
    static const int perms[][4] = {{0, 2, 3, 1}, {0, 3, 1, 2}, {0, 2, 3, 1}, {0, 3, 1, 2}, {0, 1, 3, 2}, {0, 1, 2, 3}};
    const Live x = *pick(m);
    const int *const perm = perms[below(m, COUNT_OF(perms))];
    Live *const y = add_live(m, &x);
    for (int i = 0; i < 4; i++) y->dim[i] = x.dim[perm[i]];
    text_add(&m->text, " %%%s = Transpose (%%%s) {perm=[%d, %d, %d, %d]}\n", y->name, x.name, perm[0], perm[1], perm[2],
             perm[3]);
}

static void make_conv(Maker *m) {
    const Live x = *pick(m);
    const int id = m->n_names++, oc = 1 + below(m, 4), k = below(m, 2) ? 3 : 1, pad = below(m, k);
    const bool biased = below(m, 2);
    if (x.dim[2] < k || x.dim[3] < k || x.dim[1] > 16) return;
    text_add(&m->text, " %%w%d = const float32[%dx%lldx%dx%d] random(seed=%d, scale=0.3)\n", id, oc,
             (long long)x.dim[1], k, k, id);
    if (biased) text_add(&m->text, " %%b%d = const float32[%d] random(seed=%d)\n", id, oc, id);
    Live *const y = add_live(m, &x);
    y->dim[1] = oc;
    for (int i = 2; i < 4; i++) y->dim[i] = x.dim[i] + 2 * pad - k + 1;
    text_add(&m->text, " %%%s = Conv (%%%s, %%w%d", y->name, x.name, id);
    if (biased) text_add(&m->text, ", %%b%d", id);
    text_add(&m->text, ") {pads=[%d, %d, %d, %d]}\n", pad, pad, pad, pad);
}

static void make_norm(Maker *m) {
    const Live x = *pick(m);
    const int id = m->n_names++;
    static const char *const parts[] = {"s", "b", "m", "v"};
    for (int i = 0; i < 4; i++)
        text_add(&m->text, " %%%s%d = const float32[%lld] random(seed=%d, scale=0.2, offset=%d)\n", parts[i], id,
                 (long long)x.dim[1], id + i,
                 i == 0   ? 1
                 : i == 3 ? 2
                          : 0);
    const Live *const y = add_live(m, &x);
    text_add(&m->text, " %%%s = BatchNormalization (%%%s, %%s%d, %%b%d, %%m%d, %%v%d)\n", y->name, x.name, id, id, id,
             id);
}

static void make_pad(Maker *m) {
    const Live x = *pick(m);
    const int id = m->n_names++, a = below(m, 2), b = below(m, 2);
    if (x.dim[2] > 12 || x.dim[3] > 12) return;
    text_add(&m->text, " %%p%d = const int64[8] {0, 0, %d, %d, 0, 0, %d, %d}\n", id, a, b, b, a);
    Live *const y = add_live(m, &x);
    y->dim[2] += a + b;
    y->dim[3] += a + b;
    text_add(&m->text, " %%%s = Pad (%%%s, %%p%d)\n", y->name, x.name, id);
}

static void make_reshape(Maker *m) {
    const Live x = *pick(m);
    const int id = m->n_names++;
    text_add(&m->text, " %%s%d = Shape (%%%s)\n", id, x.name);
    const Live flat = *add_live(m, &x);
    m->n_live--; // of another rank: nobody picks it
    text_add(&m->text, " %%%s = Flatten (%%%s)\n", flat.name, x.name);
    const Live *const y = add_live(m, &x);
    text_add(&m->text, " %%%s = Reshape (%%%s, %%s%d)\n", y->name, flat.name, id);
}

static void make_reduce(Maker *m) {
    static const char *const axes[] = {"[2] {2, 3}", "[2] {1, 2}", "[1] {-1}"};
    const Live x = *pick(m);
    const int id = m->n_names++, which = below(m, 3);
    text_add(&m->text, " %%a%d = const int64%s\n", id, axes[which]);
    const Live mean = *add_live(m, &x);
    m->n_live--;
    text_add(&m->text, " %%%s = ReduceMean (%%%s, %%a%d)\n", mean.name, x.name, id);
    const Live *const y = add_live(m, &x);
    text_add(&m->text, " %%%s = Sub (%%%s, %%%s)\n", y->name, x.name, mean.name);
}

static void make_nodes(Maker *m, int count) {
    static void (*const makers[])(Maker *) = {make_unary,     make_constant_arithmetic,
                                              make_gate,      make_binary,
                                              make_concat,    make_transpose,
                                              make_conv,      make_norm,
                                              make_pad,       make_reshape,
                                              make_reduce,    make_constant_arithmetic,
                                              make_unary,     make_transpose,
                                              make_transpose, make_constant_arithmetic};
    for (int i = 0; i < count; i++) makers[below(m, COUNT_OF(makers))](m);
}

// The last values are the outputs, so that inner ones may be outputs too.
static void make_network(Maker *m, uint64_t seed) {
    *m = (Maker){.n_live = 1, .live[0] = {.name = "x", .rank = 4, .dim = {2, 3, 5, 4}}};
    rng_seed(&m->rng, seed);
    make_nodes(m, 6 + below(m, 20));
    const int wanted = 1 + below(m, 3), outputs = MIN(wanted, m->n_live);
    Text head = {0};
    text_add(&head, "graph (%%x: float32[2x3x5x4]) -> (");
    for (int i = 0; i < outputs; i++) text_add(&head, "%s%%%s", i ? ", " : "", m->live[m->n_live - 1 - i].name);
    text_add(&head, ") {\n%s}\n", text_get(&m->text));
    text_free(&m->text);
    m->text = head;
}

// Floor near an integer, or a division that meets zero, may turn a rounding into a jump: such networks are not judged.
static bool is_well_conditioned(const char *text) { return !strstr(text, "Floor"); }

static void check_network(uint64_t seed) {
    Maker m;
    make_network(&m, seed);
    const char *const text = text_get(&m.text);
    Graph *const before = parse_graph(text);
    for (int level = 1; level < 3; level++) {
        Graph *const after = parse_graph(text);
        if (passes_run(after, level, NULL, NULL) != ST_OK)
            test_failed(__FILE__, __LINE__, "seed %d: %s in\n%s", (int)seed, error_message(), text);
        else check_same_results(__FILE__, __LINE__, before, after, seed, is_well_conditioned(text) ? 1e-5 : INFINITY);
        graph_free(after);
    }
    graph_free(before);
    text_free(&m.text);
}

TEST(networks_keep_their_results) {
    for (uint64_t seed = 1; seed <= 400; seed++) check_network(seed);
}
