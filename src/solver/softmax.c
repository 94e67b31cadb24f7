// Softmax and log-softmax over one axis of a plain tensor (outer, length, inner): rows where the axis is the last one
// (inner 1), else columns side by side.
#include "solver/blocked.h"

typedef struct SoftmaxWork {
    const Kernels *kernels;
    bool log_softmax;
    int64_t length, inner;
    Ref in, out;
    PlainRows cut; // of outer rows, or of inner columns of one outer row
} SoftmaxWork;

static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    (void)kernels;
    if (!all_float32(p) || p->axis < 0 || p->axis >= p->in[0].shape.rank) return false;
    need->in[0] = need->out[0] = need_plain();
    return true;
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)c, (void)machine;
    const double cycles_a_vector = 20, vectors = (double)shape_count(&p->out[0].shape) / kernels->lanes;
    return streaming_estimate(p, vectors * cycles_a_vector, 3 * operand_bytes(&p->out[0]));
}
static void rows_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const SoftmaxWork *w = arguments;
    const PlainRange range = plain_range(&w->cut, unit); // of rows: they are the elements of one long row
    for (int64_t row = range.begin; row < range.begin + range.length; row++)
        w->kernels->softmax_row(w->log_softmax, (const float *)ref_at(bases, w->in) + row * w->length, w->length,
                                (float *)ref_at(bases, w->out) + row * w->length);
}
static void columns_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const SoftmaxWork *w = arguments;
    const PlainRange range = plain_range(&w->cut, unit);
    for (int64_t row = range.row; row < range.row + range.rows; row++) {
        const int64_t at = row * w->length * w->inner + range.begin;
        w->kernels->softmax_columns(w->log_softmax, (const float *)ref_at(bases, w->in) + at, w->length, w->inner,
                                    range.length, (float *)ref_at(bases, w->out) + at);
    }
}
static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    (void)c;
    SoftmaxWork *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    *w = (SoftmaxWork){.kernels = lowering->kernels,
                       .log_softmax = p->log_softmax,
                       .length = p->in[0].shape.dim[p->axis],
                       .inner = 1,
                       .in = lowering->in[0],
                       .out = lowering->out[0]};
    int64_t outer = 1;
    for (int i = 0; i < p->axis; i++) outer *= p->in[0].shape.dim[i];
    for (int i = (int)p->axis + 1; i < p->in[0].shape.rank; i++) w->inner *= p->in[0].shape.dim[i];
    // Units of about UNIT_BYTES: that many whole rows, or columns (whole cache lines of them).
    enum { LINE = 16 };
    const int64_t fit = MAX(1, UNIT_BYTES / (int64_t)sizeof(float) / MAX(w->length, 1));
    const bool rows = w->inner == 1;
    w->cut = rows ? plain_rows(1, w->length ? outer : 0, fit)
                  : plain_rows(outer, w->length ? w->inner : 0, round_up(fit, 4 * LINE));
    return lowering_phase(lowering, rows ? rows_unit : columns_unit, w, w->cut.units, 0);
}
const Solver solver_softmax = {.name = "softmax",
                               .version = 1,
                               .kind = PROBLEM_SOFTMAX,
                               .applicable = applicable,
                               .configurations = one_configuration,
                               .estimate = estimate,
                               .lower = lower};
