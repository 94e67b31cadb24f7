// Matrix products of plain tensors with numpy's batch broadcasting:
//
//     in[0] (..., m, k)  x  weight (k, n), or in[1] (..., k, n)  + bias (n), then a function  ->  out[0] (..., m, n)
//
// The right side is packed in panels of two vectors of columns, (panel, k, panel width), filled up with zeros: a
// constant one when the package is opened, an input in a phase of its own. A unit is some rows times one panel. Sums
// along k are cut at MATMUL_CHUNK; part sums are added in order. A constant may lie as (n, k) (transposed_weight).
#include "solver/blocked.h"
#include "solver/explain.h"
#include "solver/space.h"
#include <string.h>

enum { MATMUL_CHUNK = 512, UNIT_FLOP = 1 << 20 };
// Numbers of a schedule, 0 where usual: rows a unit; units in the order of rows instead of panels, so that a panel
// stays; what is read next is not fetched ahead; most rows of a micro-kernel.
enum { ROWS, BY_ROWS, NO_FETCH, GROUP };

typedef struct MatmulWork {
    const Kernels *kernels;
    Activation activation;
    const float *plain_weight, *plain_bias; // while preparing
    bool transposed;
    int64_t m, k, n, batches;
    int64_t batch_dim[MAX_RANK]; // of the output; batch_rank of them
    int64_t stride[2][MAX_RANK]; // in matrices, 0 where broadcast
    int batch_rank;
    int64_t panels, right_batches;
    int64_t rows_a_unit, row_groups;
    bool by_rows, fetches;
    int rows; // most of a micro-kernel
    Ref left, right, packed, bias, out;
} MatmulWork;

static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    (void)kernels;
    const int rank = p->in[0].shape.rank;
    if (!all_float32(p) || rank < 2 || p->has_residual || p->has_pool) return false;
    if (!p->weight && (p->n_inputs != 2 || p->in[1].shape.rank < 2)) return false;
    for (int i = 0; i < p->n_inputs; i++) need->in[i] = need_plain();
    need->out[0] = need_plain();
    return true;
}
static int panel_vectors(const MatmulWork *w, int64_t panel) {
    const int64_t vectors = div_up(w->n, w->kernels->lanes) - panel * GEMM_MAX_VECTORS;
    return (int)MIN(vectors, GEMM_MAX_VECTORS);
}
static int64_t padded_columns(const Kernels *kernels, int64_t n) { return round_up(n, kernels->lanes); }

static void measure(const Problem *p, MatmulWork *w);
static int64_t usual_rows(const Kernels *kernels, int64_t m, int64_t k) {
    const int64_t row_flop = MAX(2 * k * GEMM_MAX_VECTORS * kernels->lanes, 1);
    return MIN(round_up(MAX(UNIT_FLOP / row_flop, 1), kernels->rows), MAX(m, 1));
}
static bool space(const Problem *p, const Kernels *kernels, const Machine *machine, ConfigurationVisitor *visit,
                  void *context) {
    MatmulWork w = {.kernels = kernels};
    measure(p, &w);
    const int64_t usual = usual_rows(kernels, w.m, w.k), width = GEMM_MAX_VECTORS * kernels->lanes;
    const int64_t panels = div_up(w.n, width),
                  most = MIN(w.m, (int64_t)machine->l2 / 4 / (width * (int64_t)sizeof(float)));
    Knob rows = knob(ROWS, 0);
    for (int64_t groups = 1; groups * kernels->rows < most; groups += MAX(1, groups / 2)) // 1, 2, 3, 4, 6, 9, ...
        if (groups * kernels->rows != usual) knob_add(&rows, groups * kernels->rows);
    if (w.m != usual && w.m == most) knob_add(&rows, w.m);
    const Configuration c = {{0}, {0}};
    for (int i = 0; i < rows.count; i++) {
        const int64_t each = rows.value[i] ? rows.value[i] : usual;
        const Knob knobs[] = {knob(ROWS, rows.value[i]), knob_switch(BY_ROWS, panels > 1 && each < w.m),
                              knob_switch(NO_FETCH, w.k > 1), knob_groups(GROUP, each, kernels->rows)};
        if (!knobs_visit(&c, knobs, COUNT_OF(knobs), visit, context)) return false;
    }
    return true;
}
static void print(const Configuration *c, Text *text) {
    const char *comma = "";
    if (c->schedule[ROWS]) text_add(text, "%d rows a unit", (int)c->schedule[ROWS]), comma = ", ";
    if (c->schedule[BY_ROWS]) text_add(text, "%spanel by panel", comma), comma = ", ";
    if (c->schedule[NO_FETCH]) text_add(text, "%snothing fetched ahead", comma), comma = ", ";
    if (c->schedule[GROUP]) text_add(text, "%sat most %d rows at once", comma, (int)c->schedule[GROUP]);
}
// What a schedule takes for its products, in cycles of all threads, by which it is compared with the usual one.
static double schedule_cycles(const MatmulWork *w, const int32_t *schedule, double products, int threads,
                              const Machine *machine) {
    const int64_t width = GEMM_MAX_VECTORS * w->kernels->lanes, panels = MAX(div_up(w->n, width), 1);
    const int64_t rows = schedule[ROWS] ? schedule[ROWS] : usual_rows(w->kernels, w->m, w->k);
    const double groups = (double)(w->batches * div_up(w->m, rows)), units = MAX(groups * (double)panels, 1);
    const int most = schedule[GROUP] ? schedule[GROUP] : w->kernels->rows;
    const double filled = (double)rows / (double)div_up(rows, most),
                 registers = MIN(1.0, filled * GEMM_MAX_VECTORS / 8);
    const double panel_bytes = 4.0 * (double)(w->k * width), left_bytes = 4.0 * (double)(w->m * w->k);
    const double stay = schedule[BY_ROWS] ? panel_bytes : panel_bytes * (double)panels;
    const double held = schedule[BY_ROWS] ? left_bytes : 4.0 * (double)(rows * w->k);
    const double fits = 0.5 * (double)machine->l2;
    double cycles = products / registers + 300 * units;
    cycles += groups * (double)panels * panel_bytes / (stay < fits ? 32 : schedule[NO_FETCH] ? 6 : 12);
    cycles += (double)w->batches * (double)panels * left_bytes / (held < fits ? 64 : 10);
    if (!schedule[NO_FETCH]) cycles += 0.07 * products * MIN(1.0, (double)most / (double)rows);
    return cycles * (double)(div_up((int64_t)units, threads) * threads) / units;
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    const Shape *left = &p->in[0].shape, *out = &p->out[0].shape;
    const double k = (double)left->dim[left->rank - 1], n = (double)out->dim[out->rank - 1];
    const double waste = (double)padded_columns(kernels, out->dim[out->rank - 1]) / MAX(n, 1);
    const double flop = 2 * (double)shape_count(out) * k * waste;
    double bytes = operand_bytes(&p->in[0]) + operand_bytes(&p->out[0]);
    bytes += p->weight ? 4 * k * n : 3 * operand_bytes(&p->in[1]);
    const double products = flop / (0.7 * kernels_peak(kernels, machine)),
                 usual = streaming_estimate(p, products, bytes);
    static const int32_t zeros[CONFIGURATION_NUMBERS];
    if (!memcmp(c->schedule, zeros, sizeof zeros)) return usual;
    MatmulWork w = {.kernels = kernels};
    measure(p, &w);
    return usual * schedule_cycles(&w, c->schedule, products, p->threads, machine) /
           schedule_cycles(&w, zeros, products, p->threads, machine);
}

// Columns panel * width ... of a (k, n) matrix, or of an (n, k) one that stands for its transpose.
static void pack_panel(const MatmulWork *w, const float *matrix, int64_t panel, float *to) {
    const int width = panel_vectors(w, panel) * w->kernels->lanes;
    const int64_t column = panel * GEMM_MAX_VECTORS * w->kernels->lanes, columns = MIN(width, w->n - column);
    for (int64_t k = 0; k < w->k; k++, to += width) {
        for (int64_t j = 0; j < columns; j++)
            to[j] = w->transposed ? matrix[(column + j) * w->k + k] : matrix[k * w->n + column + j];
        memset(to + columns, 0, (size_t)(width - columns) * sizeof *to);
    }
}
static int64_t panel_offset(const MatmulWork *w, int64_t batch, int64_t panel) {
    return batch * w->k * padded_columns(w->kernels, w->n) + panel * GEMM_MAX_VECTORS * w->kernels->lanes * w->k;
}
static void prepare_unit(const void *arguments, char *const *bases, int64_t panel, void *scratch) {
    (void)scratch;
    const MatmulWork *w = arguments;
    pack_panel(w, w->plain_weight, panel, (float *)ref_at(bases, w->packed) + panel_offset(w, 0, panel));
}
static void bias_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)unit, (void)scratch;
    const MatmulWork *w = arguments;
    float *to = ref_at(bases, w->bias);
    memset(to, 0, (size_t)padded_columns(w->kernels, w->n) * sizeof *to);
    memcpy(to, w->plain_bias, (size_t)w->n * sizeof *to);
}
static void pack_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const MatmulWork *w = arguments;
    const int64_t batch = unit / w->panels, panel = unit % w->panels;
    pack_panel(w, (const float *)ref_at(bases, w->right) + batch * w->k * w->n, panel,
               (float *)ref_at(bases, w->packed) + panel_offset(w, batch, panel));
}

// sums (rows, width) = left (rows, k) x packed panel.
static void multiply(const MatmulWork *w, const float *left, int64_t rows, const float *packed, int vectors,
                     float *sums) {
    const int width = vectors * w->kernels->lanes;
    const int64_t groups = div_up(rows, w->rows);
    const int32_t offset = 0;
    if (w->k == 0) memset(sums, 0, (size_t)(rows * width) * sizeof *sums);
    for (int64_t k = 0; k < w->k; k += MATMUL_CHUNK) {
        const int64_t depth = MIN(MATMUL_CHUNK, w->k - k);
        const float *panel = packed + k * width;
        for (int64_t g = 0, r0 = 0, count; g < groups; g++, r0 += count) {
            count = share_of(rows, groups, g);
            const char *ahead = g || !w->fetches ? NULL : (const char *)(panel + depth * width);
            w->kernels->gemm[vectors][count](1, &offset, left + r0 * w->k + k, w->k, panel, depth, sums + r0 * width,
                                             width, k > 0, ahead);
        }
    }
}
// scratch: sums (rows_a_unit, panel width).
static void matmul_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    const MatmulWork *w = arguments;
    const int lanes = w->kernels->lanes;
    const int64_t batch = unit / (w->panels * w->row_groups), of_batch = unit % (w->panels * w->row_groups);
    const int64_t panel = w->by_rows ? of_batch / w->row_groups : of_batch % w->panels;
    const int64_t group = w->by_rows ? of_batch % w->row_groups : of_batch / w->panels, row = group * w->rows_a_unit;
    const int64_t rows = MIN(w->rows_a_unit, w->m - row), column = panel * GEMM_MAX_VECTORS * lanes;
    int64_t at[2] = {0, 0};
    for (int side = 0; side < 2; side++) {
        int64_t rest = batch;
        for (int i = w->batch_rank - 1; i >= 0; rest /= w->batch_dim[i], i--)
            at[side] += rest % w->batch_dim[i] * w->stride[side][i];
    }
    const int vectors = panel_vectors(w, panel), width = vectors * lanes;
    float *sums = scratch;
    multiply(w, (const float *)ref_at(bases, w->left) + (at[0] * w->m + row) * w->k, rows,
             (const float *)ref_at(bases, w->packed) + panel_offset(w, at[1], panel), vectors, sums);
    const float *bias = w->plain_bias ? (const float *)ref_at(bases, w->bias) + column : NULL;
    const Epilogue epilogue = {.bias = bias, .activation = w->activation};
    w->kernels->finish(sums, width, (int)rows, vectors, &epilogue, NULL, 0, 0, sums, lanes, width);
    float *out = (float *)ref_at(bases, w->out) + (batch * w->m + row) * w->n + column;
    const size_t bytes = (size_t)MIN(width, w->n - column) * sizeof *out;
    for (int64_t r = 0; r < rows; r++) memcpy(out + r * w->n, sums + r * width, bytes);
}

// Sizes and the walk over batches, from the shapes.
static void measure(const Problem *p, MatmulWork *w) {
    const Shape *left = &p->in[0].shape, *out = &p->out[0].shape, *right = p->weight ? NULL : &p->in[1].shape;
    w->m = left->dim[left->rank - 2], w->k = left->dim[left->rank - 1], w->n = out->dim[out->rank - 1];
    w->batch_rank = out->rank - 2, w->batches = w->right_batches = 1;
    int64_t step[2] = {1, 1};
    for (int i = w->batch_rank - 1; i >= 0; i--) {
        w->batch_dim[i] = out->dim[i], w->batches *= out->dim[i];
        const Shape *const sides[2] = {left, right};
        for (int side = 0; side < 2; side++) {
            const int from = sides[side] ? i - out->rank + sides[side]->rank : -1;
            const int64_t dim = from >= 0 ? sides[side]->dim[from] : 1;
            w->stride[side][i] = dim > 1 ? step[side] : 0;
            step[side] *= dim;
        }
    }
    w->right_batches = step[1];
    if (right) return;
    // One matrix for all batches: their rows are the rows of one tall matrix.
    w->m *= w->batches, w->batches = 1, w->batch_rank = 0;
}
static size_t packed_bytes(const MatmulWork *w) {
    return (size_t)(w->right_batches * w->k * padded_columns(w->kernels, w->n)) * sizeof(float);
}
static size_t temporary(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)c, (void)machine;
    if (p->weight) return 0;
    MatmulWork w = {.kernels = kernels};
    measure(p, &w);
    return packed_bytes(&w);
}
static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    MatmulWork *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    *w = (MatmulWork){.kernels = lowering->kernels, .activation = p->activation, .plain_weight = p->weight,
                      .plain_bias = p->bias, .transposed = p->weight && p->transposed_weight, .left = lowering->in[0],
                      .right = lowering->in[1], .packed = lowering->temporary, .out = lowering->out[0]};
    measure(p, w);
    w->panels = div_up(w->n, GEMM_MAX_VECTORS * lowering->kernels->lanes);
    w->rows_a_unit = c->schedule[ROWS] ? c->schedule[ROWS] : usual_rows(lowering->kernels, w->m, w->k);
    w->by_rows = c->schedule[BY_ROWS], w->fetches = !c->schedule[NO_FETCH];
    w->rows = c->schedule[GROUP] ? c->schedule[GROUP] : lowering->kernels->rows;
    w->row_groups = div_up(w->m, w->rows_a_unit);
    if (p->bias) {
        w->bias = lowering_weights(lowering, (size_t)padded_columns(w->kernels, w->n) * sizeof(float));
        TRY(lowering_prepare(lowering, bias_unit, w, 1, 0));
    }
    if (p->weight) {
        w->packed = lowering_weights(lowering, packed_bytes(w));
        TRY(lowering_prepare(lowering, prepare_unit, w, w->panels, 0));
    } else {
        TRY(lowering_phase(lowering, pack_unit, w, w->right_batches * w->panels, 0));
    }
    const size_t scratch = (size_t)(w->rows_a_unit * GEMM_MAX_VECTORS * lowering->kernels->lanes) * sizeof(float);
    return lowering_phase(lowering, matmul_unit, w, w->batches * w->row_groups * w->panels, scratch);
}
static double error(const Problem *p, const Configuration *c, const Kernels *kernels) {
    (void)c;
    return chain_error(kernels, (double)MIN(MATMUL_CHUNK, p->in[0].shape.dim[p->in[0].shape.rank - 1]));
}
static void explain(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine,
                    Text *text) {
    MatmulWork w = {.kernels = kernels};
    measure(p, &w);
    const int64_t rows = c->schedule[ROWS] ? c->schedule[ROWS] : usual_rows(kernels, w.m, w.k);
    const double columns = c->schedule[BY_ROWS] ? (double)(GEMM_MAX_VECTORS * kernels->lanes) : (double)w.n;
    explain_places(text, "columns", w.n, padded_columns(kernels, w.n));
    explain_groups(text, "rows of a unit", MIN(rows, w.m), c->schedule[GROUP] ? c->schedule[GROUP] : kernels->rows);
    explain_beyond_l2(text, "columns of the right side", 4.0 * (double)w.k * columns, machine,
                      c->schedule[NO_FETCH] ? "" : ", fetched ahead");
}
const Solver solver_matmul = {.name = "matmul",
                              .version = 1,
                              .kind = PROBLEM_MATMUL,
                              .applicable = applicable,
                              .configurations = one_configuration,
                              .estimate = estimate,
                              .temporary = temporary,
                              .lower = lower,
                              .print = print,
                              .error = error,
                              .same_weights = weights_by_arithmetic,
                              .space = space,
                              .explain = explain};
