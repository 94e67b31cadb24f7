// Slices to look at: the worst, the median, the best of each patient, with truth and mask as outlines. They are known
// at the end only; these few pictures are read and run again.
#include "app/eval/run.h"
#include "image/outline.h"
#include "image/overlay.h"
#include <stdlib.h>
#include <string.h>

static const size_t most_bytes = (size_t)16 << 20; // of all slices together
enum { MOST_PIXELS = 512 };                        // of a picture's longer side, as it is shown

typedef struct Slicing {
    EvalRun *run;
    JsonWriter *w;
    const EvalPick *pick;
} Slicing;

// ---- the picture

// Averages squares of step x step; in place.
static void shrink(uint8_t *rgb, int64_t height, int64_t width, int64_t step, int64_t *new_height, int64_t *new_width) {
    *new_height = height / step, *new_width = width / step;
    for (int64_t y = 0; y < *new_height; y++) {
        for (int64_t x = 0; x < *new_width; x++) {
            for (int64_t c = 0; c < 3; c++) {
                int64_t sum = 0;
                for (int64_t v = 0; v < step; v++)
                    for (int64_t u = 0; u < step; u++) sum += rgb[((y * step + v) * width + x * step + u) * 3 + c];
                rgb[(y * *new_width + x) * 3 + c] = (uint8_t)(sum / (step * step));
            }
        }
    }
}
// A grey picture takes a third of the room.
static int64_t drop_colours(uint8_t *rgb, int64_t pixels) {
    for (int64_t i = 0; i < pixels; i++)
        if (rgb[3 * i] != rgb[3 * i + 1] || rgb[3 * i] != rgb[3 * i + 2]) return 3;
    for (int64_t i = 0; i < pixels; i++) rgb[i] = rgb[3 * i];
    return 1;
}
static Status encode(uint8_t *rgb, int64_t height, int64_t width, Text *uri) {
    const int64_t longer = MAX(height, width), step = longer > MOST_PIXELS ? div_up(longer, MOST_PIXELS) : 1;
    ImageShape shape = {.width = width, .height = height, .depth = 1, .type = SAMPLE_U8};
    Text png = {0};
    if (step > 1 && MIN(height, width) >= step) shrink(rgb, height, width, step, &shape.height, &shape.width);
    shape.channels = drop_colours(rgb, shape.height * shape.width);
    Status status = image_png(&shape, rgb, &png);
    text_add(uri, "data:image/png;base64,");
    text_base64(uri, png.data, png.length);
    text_free(&png);
    return status == ST_OK ? text_status(uri) : status;
}
// As overlays show it, without an outline. Of a picture of several files the first.
static Status draw(const EvalView *view, int64_t z, Arena *arena, Text *uri) {
    Picture *file = &view->picture->files[0];
    const ImageShape *shape = &file->shape;
    const ImageBox box = image_slice(shape, z);
    const size_t pixels = (size_t)(box.w * box.h);
    void *samples = arena_array(arena, image_box_samples(shape, &box), sample_size(shape->type));
    uint8_t *rgb = arena_array(arena, pixels, 3), *nothing = arena_alloc(arena, pixels);
    if (!samples || !rgb || !nothing) return fail_memory(pixels * 3);
    TRY(image_read_box(file->source, &box, shape->type, samples));
    TRY(overlay_draw(samples, shape->type, box.h, box.w, shape->channels, nothing, rgb));
    return encode(rgb, box.h, box.w, uri);
}

// ---- a slice

// Of several pages the one with most in truth and mask.
static int64_t fullest_page(const EvalView *view) {
    const int64_t pixels = view->picture->width * view->picture->height;
    int64_t best = 0, most = -1;
    for (int64_t z = 0; z < view->picture->depth; z++) {
        int64_t count = 0;
        for (int64_t i = z * pixels; i < (z + 1) * pixels; i++) count += (view->truth[i] != 0) + (view->mask[i] != 0);
        if (count > most) most = count, best = z;
    }
    return best;
}
static Status put_outline(JsonWriter *w, const char *key, const uint8_t *mask, int64_t height, int64_t width) {
    Text path = {0};
    const Status status = outline_path(mask, height, width, &path);
    json_key(w, key), json_string(w, text_get(&path));
    text_free(&path);
    return status;
}
static Status put_slice(void *context, const EvalView *view) {
    const Slicing *slicing = context;
    const EvalPick *pick = slicing->pick;
    const DatasetCase *one = &slicing->run->dataset.cases[pick->number];
    const int64_t height = view->picture->height, width = view->picture->width, z = fullest_page(view);
    JsonWriter *w = slicing->w;
    Arena arena = {0};
    Text uri = {0};
    Status status = draw(view, z, &arena, &uri);
    json_begin_object(w);
    json_key(w, "case"), json_string(w, one->name);
    json_key(w, "patient"), json_string(w, one->patient);
    json_key(w, "rank"), json_string(w, pick->rank);
    json_number_at(w, "dice", pick->dice);
    json_number_at(w, "hd95_px", pick->hd95_px);
    json_number_at(w, "ms", pick->ms);
    json_key(w, "width"), json_integer(w, width);
    json_key(w, "height"), json_integer(w, height);
    if (view->picture->depth > 1) json_key(w, "page"), json_integer(w, z + 1);
    json_key(w, "picture"), json_string(w, text_get(&uri));
    if (status == ST_OK) status = put_outline(w, "truth", view->truth + z * height * width, height, width);
    if (status == ST_OK) status = put_outline(w, "mask", view->mask + z * height * width, height, width);
    json_end_object(w);
    text_free(&uri);
    arena_free(&arena);
    return status;
}

// ---- which ones

static int place_of(const EvalPick *pick) { return *pick->rank == 'w' ? 0 : *pick->rank == 'm' ? 1 : 2; }
// Where there is no room for all: the worst of all patients first, then the medians, then the best.
static int by_need(const void *a, const void *b) {
    const EvalPick *x = a, *y = b;
    if (place_of(x) != place_of(y)) return place_of(x) - place_of(y);
    if (x->dice != y->dice) return x->dice < y->dice ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}
static Status show(Slicing *slicing, const EvalPick *pick) {
    EvalRun *run = slicing->run;
    Arena arena = {0};
    EvalRecord record;
    CaseFault fault;
    slicing->pick = pick;
    // A file that has become unreadable meanwhile is left out.
    const Status status = eval_case(&run->nets, &run->dataset.cases[pick->number], &run->form, put_slice, slicing,
                                    &arena, &record, &fault);
    arena_free(&arena);
    return status;
}
Status eval_put_slices(EvalRun *run, JsonWriter *w) {
    EvalTotals *totals = &run->totals;
    Slicing slicing = {run, w, NULL};
    size_t shown = 0;
    if (!run->slices) return ST_OK;
    const size_t begin = w->text->length;
    if (totals->n_picks) qsort(totals->picks, totals->n_picks, sizeof *totals->picks, by_need);
    json_key(w, "slices"), json_begin_array(w);
    for (; shown < totals->n_picks && w->text->length - begin < most_bytes; shown++) {
        TRY(report_progress(run->common, "slices", (double)shown, (double)totals->n_picks));
        TRY(show(&slicing, &totals->picks[shown]));
    }
    json_end_array(w);
    json_key(w, "slices_left_out"), json_integer(w, (int64_t)(totals->n_cases - shown));
    return ST_OK;
}
