// The forms of values: which layouts exist, how wide their borders are, how long they live, where they lie.
#include "plan/planner.h"
#include <stdlib.h>
#include <string.h>

Status form_add(Planner *planner, ValueId value, LayoutKind kind, int block, int *out) {
    if (planner->n_forms == planner->forms_capacity) {
        const int grown = planner->forms_capacity ? 2 * planner->forms_capacity : 128;
        Form *bigger = arena_array(planner->arena, (size_t)grown, sizeof *bigger);
        if (!bigger) return fail_memory((size_t)grown * sizeof *bigger);
        if (planner->n_forms) memcpy(bigger, planner->forms, (size_t)planner->n_forms * sizeof *bigger);
        planner->forms = bigger, planner->forms_capacity = grown;
    }
    const Type *type = &planner->graph->values[value].type;
    planner->forms[planner->n_forms] = (Form){.value = value,
                                              .shape = type_shape(type),
                                              .dtype = type->dtype,
                                              .kind = kind,
                                              .block = kind == LAYOUT_PLAIN ? 1 : block,
                                              .parent = -1,
                                              .external = -1,
                                              .first = -1,
                                              .last = -1};
    *out = planner->n_forms++;
    return ST_OK;
}
static bool form_is(const Form *form, LayoutKind kind, int block, const Shape *shape) {
    return form->kind == kind && (kind == LAYOUT_PLAIN || (form->block == block && shape_equal(&form->shape, shape)));
}
int form_find(const Planner *planner, ValueId value, LayoutKind kind, int block, const Shape *shape) {
    const int made = planner->primary[value];
    if (made >= 0 && form_is(&planner->forms[made], kind, block, shape)) return made;
    for (int i = 0; i < planner->n_forms; i++)
        if (planner->forms[i].value == value && form_is(&planner->forms[i], kind, block, shape)) return i;
    return -1;
}
int form_root(const Planner *planner, int form) {
    while (planner->forms[form].parent >= 0) form = planner->forms[form].parent;
    return form;
}
void form_use(Planner *planner, int form, int region) {
    Form *root = &planner->forms[form_root(planner, form)];
    if (root->first < 0 || region < root->first) root->first = region;
    if (region > root->last) root->last = region;
}

// Where nobody reads a region's input after it, and the region may work in place, the input's form becomes a part of
// the output's: the same memory and border.
static bool may_share(const Planner *planner, const Region *region, int at) {
    if (!region->need.in_place) return false;
    const int from = region->in_form[0];
    const Form *in = &planner->forms[from], *out = &planner->forms[region->out_form[0]];
    if (in->parent >= 0 || in->external >= 0 || in->constant || in->last > at) return false;
    // Another operand in the same memory would be overwritten before it is read by all.
    for (int i = 1; i < region->problem.n_inputs; i++)
        if (form_root(planner, region->in_form[i]) == from) return false;
    return shape_equal(&in->shape, &out->shape) && form_is(in, out->kind, out->block, &out->shape);
}
void forms_share(Planner *planner) {
    for (int i = 0; i < planner->n_regions; i++) {
        Region *region = planner->regions[i];
        region->in_place = may_share(planner, region, i);
        if (!region->in_place) continue;
        Form *in = &planner->forms[region->in_form[0]];
        in->parent = region->out_form[0];
        form_use(planner, in->parent, in->first);
    }
}

// Whether a form as a whole, with its parts, has halves that fit: two blocks of channels become one.
static bool halves_fit(const Planner *planner, int at) {
    const Form *form = &planner->forms[at], *root = &planner->forms[form_root(planner, at)];
    if (form->kind != LAYOUT_BLOCKED || form->dtype != DT_F32 || form->constant || root->external >= 0) return false;
    if (form->parent < 0) return true;
    // A part ends with a block of its own, or with the whole.
    const Form *parent = &planner->forms[form->parent];
    const int64_t blocks = div_up(form->shape.dim[1], form->block), all = div_up(parent->shape.dim[1], parent->block);
    return form->block == parent->block && form->parent_block % 2 == 0 &&
           (blocks % 2 == 0 || form->parent_block + blocks == all);
}
// In precision bf16: values between layers that all round them anyway, or may (Solver.may_halve).
void forms_halve(Planner *planner) {
    if (planner->options.precision != PRECISION_BF16) return;
    for (int i = 0; i < planner->n_forms; i++) planner->forms[i].halved = planner->forms[i].kind == LAYOUT_BLOCKED;
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < planner->n_forms; i++) {
            Form *root = &planner->forms[form_root(planner, i)];
            if (root->halved && !halves_fit(planner, i)) root->halved = false, changed = true;
        }
        for (int r = 0; r < planner->n_regions; r++) {
            const Region *region = planner->regions[r];
            const Problem *p = &region->problem;
            if (p->kind == PROBLEM_REFERENCE) continue; // its forms are plain
            Form *roots[PROBLEM_INPUTS + PROBLEM_OUTPUTS];
            bool together[PROBLEM_INPUTS + PROBLEM_OUTPUTS] = {false}, all = true;
            const int count = p->n_inputs + p->n_outputs;
            for (int k = 0; k < count; k++) {
                const int form = k < p->n_inputs ? region->in_form[k] : region->out_form[k - p->n_inputs];
                roots[k] = &planner->forms[form_root(planner, form)];
                const bool may =
                    region->solver->may_halve && region->solver->may_halve(p, &region->configuration, k, &together[k]);
                if (roots[k]->halved && !may) roots[k]->halved = false, changed = true;
                all = all && (!together[k] || roots[k]->halved);
            }
            for (int k = 0; k < count && !all; k++)
                if (together[k] && roots[k]->halved) roots[k]->halved = false, changed = true;
        }
    }
    for (int i = 0; i < planner->n_forms; i++) planner->forms[i].halved = planner->forms[form_root(planner, i)].halved;
}

// Layouts: the border of a whole concatenation is the largest that any reader of it or of a part needs.
Status forms_layout(Planner *planner) {
    for (int i = 0; i < planner->n_forms; i++) {
        const Form *form = &planner->forms[i];
        Form *root = &planner->forms[form_root(planner, i)];
        for (int axis = 0; axis < AXES; axis++) {
            root->before[axis] = MAX(root->before[axis], form->before[axis]);
            root->after[axis] = MAX(root->after[axis], form->after[axis]);
        }
    }
    for (int i = 0; i < planner->n_forms; i++) {
        Form *form = &planner->forms[i];
        const Form *root = &planner->forms[form_root(planner, i)];
        form->layout = layout_plain(form->dtype, &form->shape);
        if (form->kind == LAYOUT_PLAIN) continue;
        Status (*const lay)(const Shape *, int, const int64_t[AXES], const int64_t[AXES], Layout *) =
            root->halved ? layout_halved : layout_blocked;
        TRY(lay(&form->shape, form->block, root->before, root->after, &form->layout));
        Layout whole;
        TRY(lay(&root->shape, root->block, root->before, root->after, &whole));
        form->layout.stride_n = whole.stride_n;
    }
    return ST_OK;
}

// A piece of the arena: a form's buffer or a region's temporary.
typedef struct Piece {
    size_t bytes;
    int first, last;
    size_t *offset;
} Piece;
static int larger_first(const void *a, const void *b) {
    const Piece *x = a, *y = b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return x->first - y->first;
}
static int earlier_first(const void *a, const void *b) {
    const Piece *x = a, *y = b;
    return x->first != y->first ? x->first - y->first : larger_first(a, b);
}
static int lower_first(const void *a, const void *b) {
    const Piece *x = *(Piece *const *)a, *y = *(Piece *const *)b;
    return *x->offset < *y->offset ? -1 : *x->offset > *y->offset;
}
// Largest first, each at the lowest place that is free during its life (the "greedy by size" of Pisarchyk & Lee,
// "Efficient Memory Management for Deep Neural Net Inference", 2020).
// That looks at all pairs. Beyond any real network they come by the time of their first use instead: then those that
// live together with a piece are among the ones that did with the piece before, and that one.
enum { MANY_PIECES = 4096 };
static Status place(Piece *pieces, size_t count, Arena *arena, size_t *total) {
    const bool many = count > MANY_PIECES;
    Piece **living = arena_array(arena, count + 1, sizeof *living);
    if (!living) return fail_memory(count * sizeof *living);
    qsort(pieces, count, sizeof *pieces, many ? earlier_first : larger_first);
    *total = 0;
    for (size_t i = 0, n = 0; i < count; i++) {
        size_t at = 0;
        const size_t before = n;
        n = 0;
        for (size_t k = 0; many && k < before; k++)
            if (living[k]->last >= pieces[i].first) living[n++] = living[k];
        for (size_t k = many ? MAX(i, 1) - 1 : 0; k < i; k++)
            if (pieces[k].first <= pieces[i].last && pieces[i].first <= pieces[k].last) living[n++] = &pieces[k];
        qsort(living, n, sizeof *living, lower_first);
        for (size_t k = 0; k < n; k++) {
            if (*living[k]->offset >= at + pieces[i].bytes) break;
            at = MAX(at, *living[k]->offset + living[k]->bytes);
        }
        size_t end;
        FAIL_IF(!add_size(at, pieces[i].bytes, &end) || end > SIZE_MAX / 4, ST_UNSUPPORTED, "the network is too large");
        *pieces[i].offset = at;
        *total = MAX(*total, end);
    }
    return ST_OK;
}
static size_t whole_lines(size_t bytes) { return (bytes + 127) / 64 * 64; } // and a line between neighbours
// Tiles of AMX read on behind the last pixel of a value that lies as bfloat16 (conv_amx.c).
static size_t form_bytes(const Form *form) {
    enum { READ_ON = 4096 };
    return whole_lines(layout_bytes(&form->layout)) + (form->halved ? READ_ON : 0);
}

Status forms_place(Planner *planner, size_t *arena_bytes) {
    Piece *pieces = arena_array(planner->arena, (size_t)(planner->n_forms + planner->n_regions) + 1, sizeof *pieces);
    if (!pieces) return fail_memory(sizeof *pieces);
    size_t count = 0;
    for (int i = 0; i < planner->n_forms; i++) {
        Form *form = &planner->forms[i];
        if (form->parent >= 0 || form->constant || form->external >= 0 || form->first < 0) continue;
        pieces[count++] = (Piece){form_bytes(form), form->first, form->last, &form->offset};
    }
    for (int i = 0; i < planner->n_regions; i++) {
        Region *region = planner->regions[i];
        if (region->temporary)
            pieces[count++] = (Piece){whole_lines(region->temporary), i, i, &region->temporary_offset};
    }
    TRY(place(pieces, count, planner->arena, arena_bytes));
    for (int i = 0; i < planner->n_forms; i++) {
        Form *form = &planner->forms[i];
        const Form *root = &planner->forms[form_root(planner, i)];
        if (root->constant) continue; // has its place among the weights
        if (root->external >= 0) {
            form->ref = (Ref){BASE_EXTERNAL + root->external, 0};
            continue;
        }
        int64_t blocks = 0;
        for (int k = i; planner->forms[k].parent >= 0; k = planner->forms[k].parent)
            blocks += planner->forms[k].parent_block / (root->halved ? 2 : 1);
        form->ref = (Ref){BASE_ARENA, root->offset + layout_origin_bytes(&root->layout)};
        form->ref = ref_add(form->ref, blocks * root->layout.stride_block * (int64_t)sizeof(float));
    }
    return ST_OK;
}
