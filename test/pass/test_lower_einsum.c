#include "base/rng.h"
#include "pass/pass_test.h"

#define PASS "lower_einsum"

// What the equation becomes (the Identity that is left behind aside), and that the results stay.
static void check_lowered(int line, const char *a, const char *b, const char *equation, const char *expected) {
    Text text = {0}, ops = {0};
    text_add(&text, "graph (%%a: float32[%s]%s%s%s) -> (%%y) {\n %%y = Einsum (%%a%s) {equation=\"%s\"}\n}", a,
             b ? ", %b: float32[" : "", b ? b : "", b ? "]" : "", b ? ", %b" : "", equation);
    check_same_text(__FILE__, line, PASS, text_get(&text), 1e-6);
    check_same_text(__FILE__, line, NULL, text_get(&text), 1e-6);
    Graph *const graph = parse_graph(text_get(&text));
    run_pass(graph, PASS);
    for (int i = 0; i + 1 < graph->n_nodes; i++)
        text_add(&ops, "%s%s", i ? " " : "", op_info(graph->nodes[i]->op)->name);
    CHECK_INT(graph->nodes[graph->n_nodes - 1]->op, OP_Identity);
    if (strcmp(text_get(&ops), expected)) test_failed(__FILE__, line, "%s: got %s", equation, text_get(&ops));
    graph_free(graph);
    text_free(&text);
    text_free(&ops);
}
#define LOWERED(...) check_lowered(__LINE__, __VA_ARGS__)

TEST(equations_of_attention) {
    LOWERED("2x3x4x5", "2x3x6x5", "bhid,bhjd->bhij", "Transpose MatMul");
    LOWERED("2x3x4x6", "2x3x6x5", "bhij,bhjd->bhid", "MatMul");
    LOWERED("2x4x3x5", "2x6x3x5", "bihd,bjhd->bhij", "Transpose Transpose MatMul");
    LOWERED("2x3x4x6", "2x6x3x5", "bhij,bjhd->bihd", "Transpose MatMul Transpose");
    LOWERED("2x3x4", "2x4x5", "bij,bjk->bik", "MatMul");
    LOWERED("2x3x4", "2x4x5", "bij,bjk->bki", "Transpose Transpose MatMul");
    LOWERED("2x3x4", "4x5x6", "bnd,dhk->bnhk", "Reshape MatMul Reshape");
    LOWERED("2x3x4x5", "2x3x5", "bhnd,bhd->bhn", "Reshape MatMul Reshape");
}

TEST(equations_of_two_inputs) {
    LOWERED("2x3", "3x4", "ij,jk->ik", "MatMul");
    LOWERED("2x3", "3x4", "ij,jk->ki", "Transpose Transpose MatMul");
    LOWERED("5", "5", "i,i->", "Reshape Reshape MatMul Reshape");
    LOWERED("2x3", "2x3", "ij,ij->ij", "Mul");
    LOWERED("2x3", "3x2", "ij,ji->ij", "Transpose Mul");
    LOWERED("2x3", "2", "ij,i->ij", "Reshape Mul");
    LOWERED("2", "3", "i,j->ij", "Reshape Reshape Mul");
    LOWERED("2x3", "4x5", "ij,kl->ik", "ReduceSum ReduceSum Reshape Reshape Mul");
    LOWERED("2x3x4", "4x5", "aij,jk->k", "ReduceSum Transpose Reshape MatMul Reshape");
    LOWERED("2x1x3x4", "5x4x6", "...ij,...jk->...ik", "MatMul");          // the batch broadcasts
    LOWERED("2x3x4x5", "6x3", "nchw,dc->ndhw", "Reshape MatMul Reshape"); // n broadcasts
    LOWERED("2x3x4x5", "4x6", "nhcw,cd->nhdw", "Transpose MatMul");
    LOWERED("2x3x4", "4x5", "bij,jk->bik", "MatMul");
    LOWERED("4x5", "2x3x4", "jk,bij->bik", "MatMul");
    LOWERED("0x3", "3x4", "ij,jk->ik", "MatMul");
    LOWERED("2x0", "0x4", "ij,jk->ik", "MatMul");
}

TEST(equations_of_one_input) {
    LOWERED("2x3x4", NULL, "abc->cab", "Transpose");
    LOWERED("2x3x4", NULL, "abc->ca", "ReduceSum Transpose");
    LOWERED("2x3x4", NULL, "abc->", "ReduceSum");
    LOWERED("2x3x4", NULL, "a...->...", "ReduceSum");
    LOWERED("2x3x4", NULL, "abc", "");
}

TEST(a_constant_matrix_over_channels_is_a_convolution) {
    static const char *const forms[] = {"6x3] random(seed=1)\n %y = Einsum (%x, %w) {equation=\"nchw,dc->ndhw\"}",
                                        "3x6] random(seed=1)\n %y = Einsum (%x, %w) {equation=\"nchw,cd->ndhw\"}",
                                        "3x6] random(seed=1)\n %y = Einsum (%w, %x) {equation=\"ab,zacd->zbcd\"}"};
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        Text text = {0};
        text_add(&text, "graph (%%x: float32[2x3x4x5]) -> (%%y) {\n %%w = const float32[%s\n}", forms[i]);
        CHECK_SAME(PASS, text_get(&text));
        Graph *const graph = parse_graph(text_get(&text));
        CHECK_OK(passes_run(graph, 2, NULL, NULL));
        CHECK_INT(graph->n_nodes, 1);
        CHECK_INT(graph->nodes[0]->op, OP_Conv);
        graph_free(graph);
        text_free(&text);
    }
}

TEST(integers_are_multiplied_too) {
    CHECK_SAME_BITS(PASS, "graph (%x: int64[2x3x4x5]) -> (%y) {\n %w = const int64[3x2] {1, 2, 3, 4, 5, 6}\n"
                          " %y = Einsum (%x, %w) {equation=\"nchw,cd->ndhw\"}\n}");
    CHECK_SAME_BITS(PASS, "graph (%x: int32[2x3]) -> (%y) {\n %y = Einsum (%x) {equation=\"ij->j\"}\n}");
}

TEST(other_equations_stay) {
    static const char *const kept[] = {
        "%a: float32[3x3]) -> (%y) {\n %y = Einsum (%a) {equation=\"ii->i\"}",
        "%a: float32[3x3], %b: float32[3]) -> (%y) {\n %y = Einsum (%a, %b) {equation=\"ii,i->\"}",
        "%a: float32[3x4], %b: float32[3x1]) -> (%y) {\n %y = Einsum (%a, %b) {equation=\"ij,ij->i\"}",
        "%a: float32[Nx3x4], %b: float32[Nx4x5]) -> (%y) {\n %y = Einsum (%a, %b) {equation=\"bij,bjk->bik\"}",
        ("%a: float32[1x1x2x1x1x1x2x3], %b: float32[1x1x2x1x1x1x2x3]) -> (%y) {\n %y = Einsum (%a, %b) "
         "{equation=\"abcdefgh,abcdefgh->abcdefg\"}")};
    for (size_t i = 0; i < COUNT_OF(kept); i++) {
        Text text = {0};
        text_add(&text, "graph (%s\n}", kept[i]);
        CHECK_KEPT(PASS, text_get(&text));
        text_free(&text);
    }
}

// ---- any equation

enum { LETTERS = 6 };

// Some of the letters of `from` in a random order.
static int draw_letters(Rng *rng, const char *from, char *term) {
    int length = 0;
    for (const char *c = from; *c; c++) {
        if (rng_below(rng, 3) == 0) continue;
        const int at = (int)rng_below(rng, (uint64_t)length + 1);
        memmove(term + at + 1, term + at, (size_t)(length++ - at));
        term[at] = *c;
    }
    term[length] = 0;
    return length;
}

// A dim of 1 in place of some, which broadcasts.
static void add_operand(Rng *rng, Text *text, const char *name, const char *term, const int *dims) {
    text_add(text, "%%%s: float32[", name);
    for (const char *c = term; *c; c++)
        text_add(text, "%s%d", c > term ? "x" : "", rng_below(rng, 12) ? dims[*c - 'a'] : 1);
    text_add(text, "]");
}

TEST(random_equations_keep_their_results) {
    int lowered = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        Rng rng;
        rng_seed(&rng, seed);
        char a[LETTERS + 1], b[LETTERS + 1], both[2 * LETTERS + 1], out[2 * LETTERS + 1];
        int dims[LETTERS];
        for (int i = 0; i < LETTERS; i++) dims[i] = 1 + (int)rng_below(&rng, 4);
        draw_letters(&rng, "abcdef", a);
        draw_letters(&rng, "abcdef", b);
        int length = snprintf(both, sizeof both, "%s", a);
        for (const char *c = b; *c; c++)
            if (!strchr(a, *c)) both[length++] = *c;
        both[length] = 0;
        draw_letters(&rng, both, out);
        Text text = {0};
        text_add(&text, "graph (");
        add_operand(&rng, &text, "a", a, dims);
        text_add(&text, ", ");
        add_operand(&rng, &text, "b", b, dims);
        text_add(&text, ") -> (%%y) {\n %%y = Einsum (%%a, %%b) {equation=\"%s,%s->%s\"}\n}", a, b, out);
        Graph *const before = parse_graph(text_get(&text)), *const after = parse_graph(text_get(&text));
        lowered += run_pass(after, PASS);
        check_same_results(text_get(&text), (int)seed, before, after, seed, 1e-5);
        graph_free(before);
        graph_free(after);
        text_free(&text);
    }
    CHECK_MSG(lowered > 300, "%d", lowered);
}
