// Placement in the arena: no two pieces that live at the same time overlap.
#include "base/rng.h"
#include "plan/planner.h"
#include "test.h"

enum { FORMS = 60, REGIONS = 40 };
typedef struct Piece {
    size_t begin, end;
    int first, last;
} Piece;

static void make_form(Form *form, Rng *rng, int index) {
    const int64_t none[AXES] = {0}, some[AXES] = {0, (int64_t)rng_below(rng, 3), (int64_t)rng_below(rng, 3)};
    Shape shape = {
        4, {1, 1 + (int64_t)rng_below(rng, 40), 1 + (int64_t)rng_below(rng, 9), 1 + (int64_t)rng_below(rng, 9)}};
    const int first = (int)rng_below(rng, REGIONS), last = first + (int)rng_below(rng, (uint64_t)(REGIONS - first));
    *form = (Form){
        .value = index, .shape = shape, .dtype = DT_F32, .parent = -1, .external = -1, .first = first, .last = last};
    form->layout = layout_plain(DT_F32, &shape);
    if (index % 3) CHECK_OK(layout_blocked(&shape, 8, index % 2 ? some : none, some, &form->layout));
    if (rng_below(rng, 8) == 0) form->external = 1;
    if (rng_below(rng, 8) == 0) form->first = form->last = -1; // nobody uses it
}
static void check_placement(uint64_t seed) {
    static Form forms[FORMS];
    static Region regions[REGIONS];
    Region *list[REGIONS];
    Piece pieces[FORMS + REGIONS];
    Arena arena = {0};
    Rng rng;
    rng_seed(&rng, seed);
    for (int i = 0; i < FORMS; i++) make_form(&forms[i], &rng, i);
    for (int i = 0; i < REGIONS; i++) {
        regions[i] = (Region){.temporary = rng_below(&rng, 3) ? 0 : 1 + rng_below(&rng, 5000)};
        list[i] = &regions[i];
    }
    Planner planner = {.forms = forms, .n_forms = FORMS, .regions = list, .n_regions = REGIONS, .arena = &arena};
    size_t total, most = 0, sum = 0;
    int count = 0;
    CHECK_OK(forms_place(&planner, &total));
    for (int i = 0; i < FORMS; i++) {
        if (forms[i].external >= 0) CHECK_INT(forms[i].ref.base, BASE_EXTERNAL + 1);
        if (forms[i].external >= 0 || forms[i].first < 0) continue;
        const size_t bytes = layout_bytes(&forms[i].layout),
                     begin = forms[i].ref.offset - layout_origin_bytes(&forms[i].layout);
        CHECK_INT(forms[i].ref.base, BASE_ARENA);
        pieces[count++] = (Piece){begin, begin + bytes, forms[i].first, forms[i].last};
    }
    for (int i = 0; i < REGIONS; i++)
        if (regions[i].temporary)
            pieces[count++] =
                (Piece){regions[i].temporary_offset, regions[i].temporary_offset + regions[i].temporary, i, i};
    for (int i = 0; i < count; i++) {
        CHECK_INT(pieces[i].begin % 64, 0);
        CHECK(pieces[i].end <= total);
        most = MAX(most, pieces[i].end), sum += pieces[i].end - pieces[i].begin;
        for (int k = 0; k < i; k++) {
            const bool together = pieces[i].first <= pieces[k].last && pieces[k].first <= pieces[i].last;
            const bool apart = pieces[i].end <= pieces[k].begin || pieces[k].end <= pieces[i].begin;
            CHECK_MSG(!together || apart, "seed %d: pieces %d and %d overlap", (int)seed, i, k);
        }
    }
    CHECK(total < most + 256);
    CHECK_MSG(total < sum * 3 / 4, "memory is not used again: %zu of %zu bytes", total, sum);
    arena_free(&arena);
}
TEST(pieces_that_live_together_lie_apart) {
    for (uint64_t seed = 1; seed <= 50; seed++) check_placement(seed);
}
TEST(a_part_lies_inside_its_whole) {
    const int64_t before[AXES] = {0, 1, 2}, after[AXES] = {0, 1, 1};
    Arena arena = {0};
    Form forms[3] = {{.kind = LAYOUT_BLOCKED,
                      .block = 8,
                      .dtype = DT_F32,
                      .shape = {4, {2, 40, 5, 6}},
                      .parent = -1,
                      .external = -1,
                      .last = 1},
                     {.kind = LAYOUT_BLOCKED,
                      .block = 8,
                      .dtype = DT_F32,
                      .shape = {4, {2, 24, 5, 6}},
                      .parent = 0,
                      .parent_block = 2,
                      .external = -1},
                     {.kind = LAYOUT_BLOCKED,
                      .block = 8,
                      .dtype = DT_F32,
                      .shape = {4, {2, 5, 5, 6}},
                      .parent = 1,
                      .parent_block = 1,
                      .external = -1}};
    memcpy(forms[2].before, before, sizeof before); // what one part's reader needs, all have
    memcpy(forms[1].after, after, sizeof after);
    Planner planner = {.forms = forms, .n_forms = 3, .arena = &arena};
    size_t total;
    CHECK_OK(forms_layout(&planner));
    CHECK_OK(forms_place(&planner, &total));
    const int64_t block_bytes = forms[0].layout.stride_block * 4;
    for (int i = 0; i < 3; i++) {
        CHECK_INT(forms[i].layout.before[AXIS_W], 2);
        CHECK_INT(forms[i].layout.after[AXIS_H], 1);
        CHECK_INT(forms[i].layout.stride_n, forms[0].layout.stride_n);
        CHECK_INT(forms[i].layout.stride_block, forms[0].layout.stride_block);
    }
    CHECK_INT((int64_t)(forms[1].ref.offset - forms[0].ref.offset), 2 * block_bytes);
    CHECK_INT((int64_t)(forms[2].ref.offset - forms[0].ref.offset), 3 * block_bytes);
    arena_free(&arena);
}
