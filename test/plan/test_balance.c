// Threads have as much to do as each other: the units of the plans of the study's two networks, counted for numbers of
// cores that this machine may not have. `stent-test --no-fork plan/balance` prints the table of docs/PERFORMANCE.md.
#include "kernel/emulated.h"
#include "plan/planned.h"

// ---- The networks: at full width, with batch normalisation folded away, weights of zeros, of which one page each is
// touched ----

typedef struct Writer {
    Text text;
    int values, weights;
} Writer;
static int convolution(Writer *w, int x, int64_t ic, int64_t oc, int kernel) {
    text_add(&w->text, " %%w%d = const float32[%lldx%lldx%dx%d] zeros\n", w->weights, (long long)oc, (long long)ic,
             kernel, kernel);
    text_add(&w->text, " %%v%d = Conv (%%v%d, %%w%d) {pads=[%d, %d, %d, %d]}\n", w->values + 1, x, w->weights++,
             kernel / 2, kernel / 2, kernel / 2, kernel / 2);
    return ++w->values;
}
static int simple(Writer *w, const char *op, int x, const char *attributes) {
    text_add(&w->text, " %%v%d = %s (%%v%d) {%s}\n", w->values + 1, op, x, attributes);
    return ++w->values;
}
static int join(Writer *w, int a, int b) {
    text_add(&w->text, " %%v%d = Concat (%%v%d, %%v%d) {axis=1}\n", w->values + 1, a, b);
    return ++w->values;
}
static int pool(Writer *w, int x) { return simple(w, "MaxPool", x, "kernel_shape=[2, 2], strides=[2, 2]"); }
static int two_convolutions(Writer *w, int x, int64_t ic, int64_t oc) {
    x = simple(w, "Relu", convolution(w, x, ic, oc, 3), "");
    return simple(w, "Relu", convolution(w, x, oc, oc, 3), "");
}
static int enlarged(Writer *w, int x) {
    text_add(&w->text, " %%s%d = const float32[4] {1, 1, 2, 2}\n", w->values);
    text_add(&w->text,
             " %%v%d = Resize (%%v%d, _, %%s%d) {mode=\"linear\", coordinate_transformation_mode=\"align_corners\"}\n",
             w->values + 1, x, w->values);
    return ++w->values;
}
static int transposed(Writer *w, int x, int64_t ic, int64_t oc) {
    text_add(&w->text, " %%w%d = const float32[%lldx%lldx2x2] zeros\n", w->weights, (long long)ic, (long long)oc);
    text_add(&w->text, " %%v%d = ConvTranspose (%%v%d, %%w%d) {strides=[2, 2]}\n", w->values + 1, x, w->weights++);
    return ++w->values;
}
enum { WIDTH = 64, LEVELS = 5 };
static int seed_torch(Writer *w) {
    static const int64_t down[LEVELS] = {1, 2, 4, 8, 8}, up[LEVELS] = {1, 1, 2, 4, 0};
    int skips[LEVELS], x = two_convolutions(w, 0, 3, WIDTH);
    for (int level = 1; level < LEVELS; level++) {
        skips[level - 1] = x;
        x = two_convolutions(w, pool(w, x), WIDTH * down[level - 1], WIDTH * down[level]);
    }
    int64_t channels = WIDTH * down[LEVELS - 1];
    for (int level = LEVELS - 2; level >= 0; level--) {
        x = join(w, skips[level], enlarged(w, x));
        x = two_convolutions(w, x, channels + WIDTH * down[level], WIDTH * up[level]);
        channels = WIDTH * up[level];
    }
    return convolution(w, x, WIDTH, 1, 1);
}
static int seed_keras(Writer *w) {
    int skips[LEVELS], x = 0;
    for (int level = 0; level < LEVELS; level++) {
        x = simple(w, "Relu", convolution(w, x, level ? WIDTH << (level - 1) : 3, WIDTH << level, 3), "");
        skips[level] = x = convolution(w, x, WIDTH << level, WIDTH << level, 3);
        x = simple(w, "Relu", x, "");
        if (level < LEVELS - 1) x = pool(w, x);
    }
    for (int level = LEVELS - 2; level >= 0; level--) {
        x = join(w, transposed(w, x, WIDTH << (level + 1), WIDTH << level), skips[level]);
        x = two_convolutions(w, x, WIDTH << (level + 1), WIDTH << level);
    }
    return convolution(w, x, WIDTH, 1, 1);
}
static Graph *network(int (*write)(Writer *w), int side) {
    Writer w = {0};
    Text text = {0};
    const int y = write(&w);
    text_add(&text, "graph (%%v0: float32[1x3x%dx%d]) -> (%%v%d) {\n%s}\n", side, side, y, text_get(&w.text));
    REQUIRE(text_status(&text) == ST_OK);
    Graph *graph = planned_graph(text_get(&text));
    // AMX wants some weight that is not tiny.
    for (int i = 0; i < graph->n_values; i++)
        if (graph->values[i].constant) *(float *)graph->values[i].constant->data = 1;
    text_free(&text), text_free(&w.text);
    return graph;
}

// ---- Counting ----

// The busiest thread's share of the units / the mean share. Phases that do not wait for each other are one.
static double phase_balance(const Plan *plan, int *first) {
    int64_t units = plan->phases[(*first)++].units;
    for (; *first < plan->n_phases && plan->phases[*first].joins_previous; (*first)++)
        units += plan->phases[*first].units;
    return units ? (double)(div_up(units, plan->threads) * plan->threads) / (double)units : 1;
}
// Of a step whose last phases, behind one that splits or transforms, have most of the work: about so much of it.
static double step_balance(const Plan *plan, int step) {
    static const double parts[][3] = {{1}, {0.15, 0.85}, {0.15, 0.7, 0.15}};
    double phase[3] = {1, 1, 1}, sum = 0;
    int count = 0;
    for (int first = 0; first < plan->n_phases;) {
        const int of = plan->phases[first].step;
        const double balance = phase_balance(plan, &first);
        if (of == step && count < 3) phase[count++] = balance;
    }
    for (int i = 0; i < count; i++) sum += parts[count - 1][i] * phase[i];
    return count ? sum : 1;
}
// Of the whole network, weighted by FLOP. print: each step that is above `print`.
static double balance(const Graph *graph, Isa isa, int threads, double print) {
    const Machine machine = planned_machine(isa);
    const PlanOptions options = {.threads = threads, .fuse = true, .kernels = kernels_or_emulated(isa)};
    Plan *plan;
    CHECK_OK(plan_create(graph, &machine, &options, &plan));
    double flop = 0, longest = 0;
    for (int i = 0; i < plan->n_steps; i++) {
        const PlanStep *step = &plan->steps[i];
        const double worst = step_balance(plan, i);
        flop += step->flop, longest += step->flop * worst;
        if (worst <= print || step->flop < 1e6) continue;
        Text text = {0};
        shape_print(&text, &step->shape);
        text_add(&text, "  %s  ", step->solver->name);
        if (step->solver->print) step->solver->print(&step->configuration, &text);
        printf("    %s: %.2f (%.1f GFLOP)\n", text_get(&text), worst, step->flop * 1e-9);
        text_free(&text);
    }
    plan_free(plan);
    return longest / flop;
}

TEST(threads_have_equal_shares) {
    static const int threads[] = {2, 3, 4, 6, 8, 12};
    const double print = getenv("STENT_TEST_LAYERS") ? 1.2 : INFINITY; // the layers beyond, too
    for (int side = 256; side <= 512; side *= 2)
        for (int which = 0; which < 2; which++) {
            Graph *graph = network(which ? seed_keras : seed_torch, side);
            for (EACH_PLANNED_ISA(isa, true)) {
                const char *name = which ? "seed-keras" : "seed-torch";
                printf("%s, %dx%d, %-6s ", name, side, side, isa_name(isa));
                for (size_t t = 0; t < COUNT_OF(threads); t++) {
                    const double worst = balance(graph, isa, threads[t], print);
                    printf("  %d: %.3f", threads[t], worst);
                    CHECK_MSG(worst <= 1.10, "%s, %s, %d threads: the busiest has %.3f times the mean", name,
                              isa_name(isa), threads[t], worst);
                }
                printf("\n");
            }
            graph_free(graph);
        }
}
