// One case: picture and truth in, the network run, figures out.
#include "app/eval/eval.h"
#include <math.h>
#include <string.h>

const char EVAL_NO_MEMORY[] = "no memory";

// What the networks say of one slice.
typedef struct Pages {
    EvalPicture *picture;
    EvalTruth *truth;
    const DatasetCase *one;
    EvalMasks masks;
    SoftCounts soft[EVAL_CLASSES]; // summed over slices, as figures
    bool no_soft;
    bool blank;
    float first; // value of the picture
} Pages;

static bool is_blank(Pages *pages, const PictureSlice *slice, int64_t z) {
    const int64_t samples = slice->channels * slice->height * slice->width;
    if (z == 0) pages->first = slice->planes[0];
    for (int64_t i = 0; i < samples; i++)
        if (slice->planes[i] != pages->first) return false;
    return true;
}
static bool are_probabilities(const float *values, int64_t count) {
    const float slack = 1e-3f;
    for (int64_t i = 0; i < count; i++)
        if (!(values[i] >= -slack && values[i] <= 1 + slack)) return false;
    return true;
}
static void add_soft(SoftCounts *sum, const SoftCounts *more) {
    sum->intersection += more->intersection, sum->mask += more->mask, sum->truth += more->truth;
}
// Of any class and of each: what is not background, and the class's own plane.
static Status take_soft(Pages *pages, const Segmented *segmented, const uint8_t *truth, int64_t pixels, int n_figures,
                        Arena *arena) {
    const float *planes = segmented->probabilities;
    pages->no_soft = pages->no_soft || !are_probabilities(planes, segmented->classes * pixels);
    if (pages->no_soft) return ST_OK;
    const float *object = planes;
    if (segmented->classes > 1) {
        float *others = arena_array(arena, (size_t)pixels, sizeof *others);
        if (!others) return fail_memory((size_t)pixels * sizeof *others);
        for (int64_t i = 0; i < pixels; i++) others[i] = 1 - planes[i];
        object = others;
    }
    SoftCounts counts = soft_counts(object, truth, pixels, ANY_CLASS);
    add_soft(&pages->soft[0], &counts);
    for (int k = 1; k < n_figures; k++) {
        counts = soft_counts(planes + k * pixels, truth, pixels, k);
        add_soft(&pages->soft[k], &counts);
    }
    return ST_OK;
}

// ---- running

static Status measure_volume(EvalNets *nets, EvalNet *net, Pages *pages) {
    const Pipeline *pipeline = &net->segmenter.opened.pipeline;
    if (!nets->files || pipeline->scope != SCOPE_VOLUME) return ST_OK;
    FAIL_IF(pages->picture->n_files > 1 && pages->picture->depth > 1, ST_BAD,
            "a picture of several files and pages with normalise over the volume is not supported");
    if (pages->picture->n_files > 1) return ST_OK; // its only slice
    const SegmentFile file = {.path = pages->one->pictures[0], .volume = pages->one->volume};
    return volume_measure(&net->volume, &net->segmenter, nets->files, nets->n_files, &file, &pages->picture->files[0]);
}
static Status run_net(EvalNet *net, const PictureSlice *slice, Arena *arena, Segmented *out) {
    return segmenter_run(&net->segmenter, slice, net->volume.normaliser, arena, out);
}
static Status run_slice(EvalNets *nets, Pages *pages, int64_t z, Arena *arena, EvalRecord *record) {
    PictureSlice slice;
    Segmented own, other;
    const int64_t pixels = pages->picture->width * pages->picture->height;
    TRY(eval_picture_slice(pages->picture, z, arena, &slice));
    pages->blank = pages->blank && is_blank(pages, &slice, z);
    TRY(run_net(&nets->own, &slice, arena, &own));
    record->ms += own.ms;
    memcpy(pages->masks.own + z * pixels, own.mask, (size_t)pixels);
    TRY(take_soft(pages, &own, pages->truth->classes + z * pixels, pixels, record->n_figures, arena));
    if (!nets->other.is_open) return ST_OK;
    TRY(run_net(&nets->other, &slice, arena, &other));
    memcpy(pages->masks.other + z * pixels, other.mask, (size_t)pixels);
    return ST_OK;
}
static Status run_slices(EvalNets *nets, Pages *pages, Arena *arena, EvalRecord *record) {
    const EvalPicture *picture = pages->picture;
    int64_t voxels;
    FAIL_IF(!mul_i64(picture->width * picture->height, picture->depth, &voxels), ST_UNSUPPORTED, "too many voxels");
    pages->masks.own = arena_alloc(arena, (size_t)voxels);
    pages->masks.other = nets->other.is_open ? arena_alloc(arena, (size_t)voxels) : NULL;
    if (!pages->masks.own || (nets->other.is_open && !pages->masks.other)) return fail_memory((size_t)voxels);
    TRY(measure_volume(nets, &nets->own, pages));
    if (nets->other.is_open) TRY(measure_volume(nets, &nets->other, pages));
    for (int64_t z = 0; z < picture->depth; z++) {
        Arena page = {0};
        const Status status = run_slice(nets, pages, z, &page, record);
        arena_free(&page);
        TRY(status);
    }
    return ST_OK;
}

// ---- figures

static Status take_figures(Pages *pages, EvalRecord *record) {
    const EvalPicture *picture = pages->picture;
    const bool flat = picture->depth == 1;
    const double spacing[3] = {picture->spacing[0], picture->spacing[1], flat ? 1 : picture->spacing[2]};
    const bool in_mm = spacing[0] > 0 && spacing[1] > 0 && spacing[2] > 0;
    record->no_soft = pages->no_soft;
    for (int k = 0; k < record->n_figures; k++) {
        const CaseInput input = {.mask = pages->masks.own,
                                 .truth = pages->truth->classes,
                                 .depth = picture->depth,
                                 .height = picture->height,
                                 .width = picture->width,
                                 .class = k ? k : ANY_CLASS,
                                 .spacing = in_mm ? spacing : NULL};
        CaseMetrics *metrics = &record->figures[k];
        TRY(case_metrics(&input, metrics));
        if (pages->no_soft) continue;
        metrics->soft = pages->soft[k], metrics->has_soft = true;
        metrics->dice_soft = dice_soft(&metrics->soft, SOFT_SMOOTH);
    }
    return ST_OK;
}
static void compare_masks(const Pages *pages, EvalRecord *record) {
    const EvalPicture *picture = pages->picture;
    const int64_t voxels = picture->width * picture->height * picture->depth;
    record->compared = true;
    record->other = mask_counts(pages->masks.other, pages->truth->classes, voxels, ANY_CLASS);
    for (int64_t i = 0; i < voxels; i++) record->changed += pages->masks.own[i] != pages->masks.other[i];
}
// A word for what the network refuses of a picture.
static FaultWord refusal(const EvalNets *nets, const EvalPicture *picture) {
    const Segmenter *segmenter = &nets->own.segmenter;
    const Frame *input = &segmenter->input;
    if (!segmenter->session) return "unreadable";
    if (picture->channels != 1 && picture->channels != input->channels) return "channels";
    const bool same = picture->height == input->height && picture->width == input->width;
    return !same && segmenter->opened.pipeline.resize == RESIZE_NONE ? "size" : "unreadable";
}

static CaseFault read_case(const DatasetCase *one, const EvalForm *form, const EvalNets *nets, Arena *arena,
                           EvalPicture *picture, EvalTruth *truth) {
    FaultWord word = eval_picture_load(one, arena, picture);
    if (!word) word = eval_picture_open(one, picture);
    if (!word) word = eval_form_check_picture(form, picture);
    if (word) return (CaseFault){word, false};
    word = eval_truth_load(one->mask, truth);
    if (!word) word = eval_truth_open(one->mask, truth);
    if (!word) word = eval_truth_read(one->mask, truth, picture, nets->n_classes, form, arena);
    return (CaseFault){word, true};
}
static Status run_case(EvalNets *nets, Pages *pages, Arena *arena, EvalRecord *out, CaseFault *fault) {
    const Status status = run_slices(nets, pages, arena, out);
    if (status == ST_BAD || status == ST_UNSUPPORTED) {
        *fault = (CaseFault){refusal(nets, pages->picture), false};
        return ST_OK;
    }
    TRY(status);
    TRY(take_figures(pages, out));
    if (nets->other.is_open) compare_masks(pages, out);
    out->blank = pages->blank;
    return ST_OK;
}
Status eval_case(EvalNets *nets, const DatasetCase *one, const EvalForm *form, EvalVisit *visit, void *context,
                 Arena *arena, EvalRecord *out, CaseFault *fault) {
    EvalPicture picture = {.files = NULL};
    EvalTruth truth = {.classes = NULL};
    Pages pages = {.picture = &picture, .truth = &truth, .one = one, .blank = true};
    const int n_figures = nets->n_classes > 2 ? nets->n_classes : 1;
    *out = (EvalRecord){.name = one->name,
                        .patient = one->patient,
                        .n_figures = n_figures,
                        .figures = arena_array(arena, (size_t)n_figures, sizeof *out->figures)};
    if (!out->figures) return fail_memory((size_t)n_figures * sizeof *out->figures);
    *fault = read_case(one, form, nets, arena, &picture, &truth);
    Status status = fault->word == EVAL_NO_MEMORY ? ST_RESOURCE : ST_OK;
    if (!fault->word) status = run_case(nets, &pages, arena, out, fault);
    if (status == ST_OK && !fault->word && visit)
        status = visit(context, &(EvalView){&picture, truth.classes, pages.masks.own});
    memcpy(out->picture_hash, picture.hash, sizeof out->picture_hash);
    memcpy(out->mask_hash, truth.file.hash, sizeof out->mask_hash);
    eval_picture_close(&picture);
    eval_truth_close(&truth);
    return status;
}
