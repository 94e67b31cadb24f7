// Strided copies between plain tensors of one dtype: concat, slice, transpose, pad, expand, split and their like. Each
// copy is brought to its simplest form (dims of 1 dropped, even neighbours merged), so that a run of consecutive
// elements is one memcpy; transpositions go in tiles that keep both sides in cache, those of four bytes by a kernel.
#include "solver/blocked.h"
#include <string.h>

// A copy as rows of `count` elements each; rows are numbered over the outer dims.
typedef struct CopyRows {
    int input;
    int rank; // outer dims
    int64_t dim[MAX_RANK], from[MAX_RANK], to[MAX_RANK];
    int64_t from_offset, to_offset;
    int64_t count, from_step, to_step;
    bool transposes; // the last outer dim runs along consecutive source elements, the rows along those of the output
    PlainRows cut;
    int64_t first_unit;
} CopyRows;

typedef struct CopyWork {
    const Kernels *kernels;
    Ref in[PROBLEM_INPUTS], out;
    size_t size;       // bytes of an element
    uint64_t fill;     // its bytes, for copies without an input
    CopyRows *copies;
    int n_copies;
} CopyWork;

static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    (void)kernels;
    for (int i = 0; i < p->n_inputs; i++) {
        if (p->in[i].dtype != p->out[0].dtype) return false;
        need->in[i] = need_plain();
    }
    need->out[0] = need_plain();
    const size_t size = dtype_size(p->out[0].dtype);
    return p->n_outputs == 1 && (size == 1 || size == 2 || size == 4 || size == 8);
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)c, (void)kernels, (void)machine;
    return streaming_estimate(p, 0, 2 * operand_bytes(&p->out[0]));
}

// `count` elements of type T; a step of 0 in `from` repeats one.
#define COPY_ELEMENTS(T)                                                                             \
    for (int64_t i = 0; i < count; i++) ((T *)to)[i * to_step] = ((const T *)from)[i * from_step]
static void copy_elements(const char *from, int64_t from_step, char *to, int64_t to_step, int64_t count, size_t size) {
    if (from_step == 1 && to_step == 1) {
        memcpy(to, from, (size_t)count * size);
        return;
    }
    switch (size) {
    case 1: COPY_ELEMENTS(uint8_t); break;
    case 2: COPY_ELEMENTS(uint16_t); break;
    case 4: COPY_ELEMENTS(uint32_t); break;
    default: COPY_ELEMENTS(uint64_t);
    }
}
// Where a row begins, in elements of both sides, and its index in each outer dim.
typedef struct RowWalk {
    int64_t from, to, index[MAX_RANK];
} RowWalk;
static RowWalk walk_begin(const CopyRows *c, int64_t row) {
    RowWalk walk = {c->from_offset, c->to_offset, {0}};
    for (int i = c->rank - 1; i >= 0; row /= c->dim[i], i--) {
        walk.index[i] = row % c->dim[i];
        walk.from += walk.index[i] * c->from[i];
        walk.to += walk.index[i] * c->to[i];
    }
    return walk;
}
static void walk_step(const CopyRows *c, RowWalk *walk) {
    for (int i = c->rank - 1; i >= 0; i--) {
        walk->from += c->from[i], walk->to += c->to[i];
        if (++walk->index[i] < c->dim[i]) return;
        walk->from -= c->from[i] * c->dim[i], walk->to -= c->to[i] * c->dim[i], walk->index[i] = 0;
    }
}
// Rows in short pieces: where neighbouring rows lie beside each other in the source, a piece of each of them reads the
// same cache lines.
enum { PIECE = 32 };
// Rows of one index of the other outer dims at a time: they are the columns of a matrix in the source.
static void transpose_rows(const CopyWork *w, const CopyRows *c, const PlainRange *range, const float *in, float *out) {
    const int last = c->rank - 1;
    int64_t rows;
    for (int64_t row = range->row; row < range->row + range->rows; row += rows) {
        const RowWalk walk = walk_begin(c, row);
        rows = MIN(range->row + range->rows - row, c->dim[last] - walk.index[last]);
        w->kernels->transpose(in + walk.from + range->begin * c->from_step, c->from_step, range->length, rows,
                              out + walk.to + range->begin, c->to[last]);
    }
}
static void copy_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const CopyWork *w = arguments;
    const CopyRows *c = w->copies;
    while (c + 1 < w->copies + w->n_copies && unit >= c[1].first_unit) c++;
    const PlainRange range = plain_range(&c->cut, unit - c->first_unit);
    const bool filled = c->input < 0, consecutive = c->from_step == 1 && c->to_step == 1;
    const char *in = filled ? (const char *)&w->fill : ref_at(bases, w->in[c->input]);
    char *out = ref_at(bases, w->out);
    if (c->transposes) {
        transpose_rows(w, c, &range, (const float *)in, (float *)out);
        return;
    }
    const int64_t size = (int64_t)w->size, piece = consecutive || filled ? range.length : PIECE;
    for (int64_t begin = 0; begin < range.length; begin += piece) {
        RowWalk walk = walk_begin(c, range.row);
        const int64_t from = (range.begin + begin) * c->from_step, to = (range.begin + begin) * c->to_step;
        const int64_t count = MIN(piece, range.length - begin);
        for (int64_t i = 0; i < range.rows; i++, walk_step(c, &walk))
            copy_elements(in + (walk.from + from) * size, c->from_step, out + (walk.to + to) * size, c->to_step, count,
                          w->size);
    }
}

// Drops dims of 1 and merges neighbours that step on evenly on both sides. Returns the number of elements.
static int64_t simplify(const StridedCopy *s, CopyRows *c) {
    int64_t elements = 1;
    const int64_t source = s->input >= 0; // a filled copy reads one element again and again
    *c = (CopyRows){.input = s->input, .from_offset = s->from_offset * source, .to_offset = s->to_offset};
    for (int i = 0; i < s->rank; i++) {
        elements *= s->count[i];
        if (s->count[i] == 1) continue;
        const int64_t from = s->from_stride[i] * source, to = s->to_stride[i];
        const int last = c->rank - 1;
        const bool merges = last >= 0 && c->from[last] == from * s->count[i] && c->to[last] == to * s->count[i];
        const int at = merges ? last : c->rank++;
        c->dim[at] = merges ? c->dim[at] * s->count[i] : s->count[i];
        c->from[at] = from, c->to[at] = to;
    }
    return elements;
}
// Makes the innermost dim, the last in which the output is consecutive where there is one, the row.
static void choose_row(CopyRows *c) {
    c->count = c->from_step = c->to_step = 1;
    if (!c->rank) return;
    int row = c->rank - 1;
    for (int i = 0; i < c->rank; i++)
        if (c->to[i] == 1) row = i;
    c->count = c->dim[row], c->from_step = c->from[row], c->to_step = c->to[row];
    c->rank--;
    for (int i = row; i < c->rank; i++) c->dim[i] = c->dim[i + 1], c->from[i] = c->from[i + 1], c->to[i] = c->to[i + 1];
}
// For tiles: the outer dim in which the source is consecutive becomes the innermost of the outer ones.
static void order_outer(CopyRows *c) {
    if (c->from_step == 1) return;
    for (int i = 0; i + 1 < c->rank; i++) {
        if (c->from[i] != 1) continue;
        const int last = c->rank - 1;
        const int64_t dim = c->dim[i], to = c->to[i];
        for (int j = i; j < last; j++) c->dim[j] = c->dim[j + 1], c->from[j] = c->from[j + 1], c->to[j] = c->to[j + 1];
        c->dim[last] = dim, c->from[last] = 1, c->to[last] = to;
        return;
    }
}
// Units of a transposition are about square, so that both sides' cache lines are used up.
static PlainRows square_tiles(int64_t rows, int64_t length) {
    enum { ROWS = 64, LENGTH = 256 };
    PlainRows cut = plain_rows(rows, length, LENGTH);
    cut.rows_a_unit = MIN(ROWS, rows);
    cut.units = div_up(rows, cut.rows_a_unit) * cut.segments;
    return cut;
}
static Status lower(const Problem *p, const Configuration *configuration, Lowering *lowering) {
    (void)configuration;
    CopyWork *w = arena_alloc(lowering->arena, sizeof *w);
    CopyRows *copies = arena_array(lowering->arena, (size_t)MAX(p->n_copies, 1), sizeof *copies);
    if (!w || !copies) return fail_memory((size_t)p->n_copies * sizeof *copies);
    *w = (CopyWork){.kernels = lowering->kernels,
                    .out = lowering->out[0],
                    .size = dtype_size(p->out[0].dtype),
                    .fill = p->fill,
                    .copies = copies};
    memcpy(w->in, lowering->in, sizeof w->in);
    int64_t units = 0;
    for (int i = 0; i < p->n_copies; i++) {
        CopyRows *c = &copies[w->n_copies];
        const int64_t elements = simplify(&p->copies[i], c);
        if (!elements) continue;
        choose_row(c);
        order_outer(c);
        c->transposes = w->size == sizeof(float) && c->input >= 0 && c->to_step == 1 && c->from_step != 1 &&
                        c->rank > 0 && c->from[c->rank - 1] == 1;
        c->cut = c->transposes ? square_tiles(elements / c->count, c->count)
                               : plain_rows(elements / c->count, c->count, MAX(1, UNIT_BYTES / (int64_t)w->size));
        c->first_unit = units;
        units += c->cut.units;
        w->n_copies++;
    }
    return lowering_phase(lowering, copy_unit, w, units, 0);
}
const Solver solver_copy = {.name = "copy",
                            .version = 2,
                            .kind = PROBLEM_COPY,
                            .applicable = applicable,
                            .configurations = one_configuration,
                            .estimate = estimate,
                            .lower = lower};
