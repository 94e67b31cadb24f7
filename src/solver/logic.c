// Conditions: comparisons, truth values, choices between two tensors; plain, with numpy broadcasting. Attention masks of
// windows that were moved (Swin) are made of them, as many as the attention itself has values. Exact.
#include "solver/blocked.h"

typedef struct LogicWork {
    const Kernels *kernels;
    Logic logic;
    Broadcast broadcast;
    Ref in[PROBLEM_INPUTS], out;
    PlainRows cut;
} LogicWork;

static int inputs_of(Logic logic) {
    switch (logic) {
    case LOGIC_NOT: case LOGIC_TO_FLOAT: return 1;
    case LOGIC_WHERE: return 3;
    default: return 2;
    }
}
static DType input_dtype(Logic logic, int input) {
    switch (logic) {
    case LOGIC_EQUAL: case LOGIC_LESS: case LOGIC_LESS_OR_EQUAL: return DT_F32;
    case LOGIC_WHERE: return input ? DT_F32 : DT_BOOL;
    default: return DT_BOOL;
    }
}
static DType output_dtype(Logic logic) {
    return logic == LOGIC_WHERE || logic == LOGIC_TO_FLOAT ? DT_F32 : DT_BOOL;
}
static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    (void)kernels;
    if (p->n_inputs != inputs_of(p->logic) || p->out[0].dtype != output_dtype(p->logic)) return false;
    for (int i = 0; i < p->n_inputs; i++) {
        if (p->in[i].dtype != input_dtype(p->logic, i)) return false;
        need->in[i] = need_plain();
    }
    need->out[0] = need_plain();
    return broadcast_fits(p);
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)c, (void)machine;
    const double cycles = 4 * (double)shape_count(&p->out[0].shape) / kernels->lanes;
    double bytes = operand_bytes(&p->out[0]);
    for (int i = 0; i < p->n_inputs; i++) bytes += operand_bytes(&p->in[i]);
    return streaming_estimate(p, cycles, bytes);
}

static void row(const LogicWork *w, const char *in[PROBLEM_INPUTS], char *out, int64_t count) {
    static const float one = 1, zero = 0;
    const Kernels *kernels = w->kernels;
    int step[PROBLEM_INPUTS] = {0};
    for (int i = 0; i < w->broadcast.inputs; i++) step[i] = broadcast_step(&w->broadcast, i);
    switch (w->logic) {
    case LOGIC_EQUAL: case LOGIC_LESS: case LOGIC_LESS_OR_EQUAL:
        kernels->compare(w->logic, (const float *)in[0], step[0], (const float *)in[1], step[1], (uint8_t *)out, count);
        return;
    case LOGIC_WHERE:
        kernels->choose((const uint8_t *)in[0], step[0], (const float *)in[1], step[1], (const float *)in[2], step[2],
                        (float *)out, count);
        return;
    case LOGIC_TO_FLOAT:
        kernels->choose((const uint8_t *)in[0], step[0], &one, 0, &zero, 0, (float *)out, count);
        return;
    default:
        kernels->logic(w->logic, (const uint8_t *)in[0], step[0], (const uint8_t *)in[1], step[1], (uint8_t *)out, count);
    }
}
static void unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const LogicWork *w = arguments;
    const PlainRange range = plain_range(&w->cut, unit);
    const int64_t out_bytes = (int64_t)dtype_size(output_dtype(w->logic));
    for (int64_t r = range.row; r < range.row + range.rows; r++) {
        int64_t at[PROBLEM_INPUTS];
        const char *in[PROBLEM_INPUTS] = {NULL};
        broadcast_at(&w->broadcast, r, range.begin, at);
        for (int i = 0; i < w->broadcast.inputs; i++)
            in[i] = (const char *)ref_at(bases, w->in[i]) + at[i] * (int64_t)dtype_size(input_dtype(w->logic, i));
        row(w, in, (char *)ref_at(bases, w->out) + (r * w->cut.length + range.begin) * out_bytes, range.length);
    }
}
static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    (void)c;
    LogicWork *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    *w = (LogicWork){.kernels = lowering->kernels, .logic = p->logic, .out = lowering->out[0]};
    for (int i = 0; i < p->n_inputs; i++) w->in[i] = lowering->in[i];
    w->broadcast = broadcast_of(p);
    w->cut = broadcast_rows(&w->broadcast, UNIT_BYTES / sizeof(float) / 2);
    return lowering_phase(lowering, unit, w, w->cut.units, 0);
}
const Solver solver_logic = {.name = "logic",
                             .version = 1,
                             .kind = PROBLEM_LOGIC,
                             .applicable = applicable,
                             .configurations = one_configuration,
                             .estimate = estimate,
                             .lower = lower};
