// What solvers put into a plan: phases, room for prepared weights, zeroed borders.
#include "solver/convert.h"
#include <string.h>

static Status append(Arena *arena, Phase **list, int *count, int *capacity, Phase phase) {
    if (*count == *capacity) {
        int grown = *capacity ? 2 * *capacity : 64;
        Phase *bigger = arena_array(arena, (size_t)grown, sizeof **list);
        if (!bigger) return fail_memory((size_t)grown * sizeof **list);
        if (*count) memcpy(bigger, *list, (size_t)*count * sizeof **list);
        *list = bigger, *capacity = grown;
    }
    (*list)[(*count)++] = phase;
    return ST_OK;
}
static Status check_units(int64_t units) {
    FAIL_IF(units < 0 || units > INT32_MAX, ST_UNSUPPORTED, "a layer is too large to split: %lld units of work",
            (long long)units);
    return ST_OK;
}
Status lowering_phase(Lowering *lowering, UnitFunction *run, const void *arguments, int64_t units, size_t scratch) {
    TRY(check_units(units));
    return append(lowering->arena, &lowering->phases, &lowering->n_phases, &lowering->phases_capacity,
                  (Phase){run, arguments, units, scratch, false, lowering->step});
}
Status lowering_prepare(Lowering *lowering, UnitFunction *run, const void *arguments, int64_t units, size_t scratch) {
    TRY(check_units(units));
    // Packing one layer never waits for another.
    return append(lowering->arena, &lowering->prepare, &lowering->n_prepare, &lowering->prepare_capacity,
                  (Phase){run, arguments, units, scratch, lowering->n_prepare > 0, lowering->step});
}
Ref lowering_weights(Lowering *lowering, size_t bytes) {
    Ref ref = {BASE_WEIGHTS, lowering->weights_bytes};
    lowering->weights_bytes = (lowering->weights_bytes + bytes + 63) / 64 * 64;
    return ref;
}

typedef struct BorderArguments {
    Layout layout;
    Ref origin;
} BorderArguments;

static void zero_pixels(float *at, int64_t pixels, int block) {
    if (pixels > 0) memset(at, 0, (size_t)(pixels * block) * sizeof(float));
}
// Unit: one depth slice (border slices included) of one channel block of one image.
static void border_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const BorderArguments *a = arguments;
    const Layout *l = &a->layout;
    const int64_t slices = l->size[AXIS_D] + l->before[AXIS_D] + l->after[AXIS_D];
    const int64_t d = unit % slices - l->before[AXIS_D];
    const int64_t block = unit / slices % l->blocks, n = unit / slices / l->blocks;
    float *slice =
        (float *)ref_at(bases, a->origin) + n * l->stride_n + block * l->stride_block + d * l->stride[AXIS_D];
    const int64_t left = l->before[AXIS_W], width = left + l->size[AXIS_W] + l->after[AXIS_W];
    const int64_t height = l->size[AXIS_H] + l->before[AXIS_H] + l->after[AXIS_H];
    float *corner = slice - l->before[AXIS_H] * l->stride[AXIS_H] - left * l->block;
    if (d < 0 || d >= l->size[AXIS_D]) {
        zero_pixels(corner, width * height, l->block);
        return;
    }
    zero_pixels(corner, width * l->before[AXIS_H], l->block);
    for (int64_t h = 0; h < l->size[AXIS_H]; h++) {
        float *row = slice + h * l->stride[AXIS_H];
        zero_pixels(row - left * l->block, left, l->block);
        zero_pixels(row + l->size[AXIS_W] * l->block, l->after[AXIS_W], l->block);
    }
    zero_pixels(corner + (l->before[AXIS_H] + l->size[AXIS_H]) * l->stride[AXIS_H], width * l->after[AXIS_H], l->block);
}
typedef Status AddPhase(Lowering *lowering, UnitFunction *run, const void *arguments, int64_t units, size_t scratch);
static Status zero_border(Lowering *lowering, const Layout *layout, Ref origin, AddPhase *add) {
    bool any = false;
    for (int axis = 0; axis < AXES; axis++) any = any || layout->before[axis] || layout->after[axis];
    if (layout->kind != LAYOUT_BLOCKED || !any) return ST_OK;
    BorderArguments *arguments = arena_alloc(lowering->arena, sizeof *arguments);
    if (!arguments) return fail_memory(sizeof *arguments);
    *arguments = (BorderArguments){*layout, origin};
    int64_t slices = layout->size[AXIS_D] + layout->before[AXIS_D] + layout->after[AXIS_D];
    return add(lowering, border_unit, arguments, slices * layout->blocks * layout->n, 0);
}
Status lowering_zero_border(Lowering *lowering, const Layout *layout, Ref origin) {
    return zero_border(lowering, layout, origin, lowering_phase);
}
Status lowering_constant(Lowering *lowering, const Tensor *constant, const Layout *layout, Ref *out) {
    const size_t bytes = layout_bytes(layout);
    *out = lowering_weights(lowering, bytes);
    if (!bytes) return ST_OK;
    out->offset += layout_origin_bytes(layout);
    TRY(zero_border(lowering, layout, *out, lowering_prepare));
    return prepare_constant(lowering, constant, layout, *out);
}

int one_configuration(const Problem *problem, const Kernels *kernels, const Machine *machine, Configuration *out,
                      int max) {
    (void)problem, (void)kernels, (void)machine, (void)max;
    memset(out, 0, sizeof *out);
    return 1;
}
