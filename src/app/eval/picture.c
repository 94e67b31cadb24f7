// Pictures and masks of a data set, read with suspicion: what they are has to be clear, or they are a fault.
#include "app/eval/eval.h"
#include "base/file.h"
#include "base/hash.h"
#include <math.h>
#include <string.h>

// ---- pictures

// Of what could not be read. A lack of memory is no fault of the file.
static FaultWord read_fault(void) { return strstr(error_message(), "no memory for ") ? EVAL_NO_MEMORY : "unreadable"; }
static FaultWord fault(FaultWord word, const char *format, ...) __attribute__((format(printf, 2, 3)));
static FaultWord fault(FaultWord word, const char *format, ...) {
    Text text = {0};
    va_list args;
    va_start(args, format);
    text_addv(&text, format, args);
    va_end(args);
    (void)fail_record(ST_BAD, "%s", text_get(&text));
    text_free(&text);
    return word;
}
static EvalKind kind_of(const Picture *file) {
    const ImageKind kind = image_kind(file->source);
    return (EvalKind){file->shape.type, file->shape.channels, kind.palette, kind.alpha};
}

// Its bytes; of several files the hash of their hashes.
FaultWord eval_picture_load(const DatasetCase *one, Arena *arena, EvalPicture *out) {
    *out = (EvalPicture){.files = arena_array(arena, (size_t)one->n_pictures, sizeof *out->files)};
    if (!out->files) return fail_memory(sizeof *out->files), EVAL_NO_MEMORY;
    Sha256 sha;
    uint8_t digest[32];
    sha256_begin(&sha);
    for (int i = 0; i < one->n_pictures; i++) {
        if (picture_load(one->pictures[i], &out->files[i]) != ST_OK) return read_fault();
        out->n_files++;
        sha256_add(&sha, out->files[i].hash, 64);
    }
    sha256_end(&sha, digest);
    sha256_text(digest, out->hash);
    if (out->n_files == 1) memcpy(out->hash, out->files[0].hash, sizeof out->hash);
    return NULL;
}
FaultWord eval_picture_open(const DatasetCase *one, EvalPicture *picture) {
    for (int i = 0; i < picture->n_files; i++) {
        Picture *file = &picture->files[i];
        if (!file->size) return fault("empty file", "%s: the file is empty", one->pictures[i]);
        if (picture_open(one->pictures[i], file) != ST_OK) return read_fault();
        const ImageShape *shape = &file->shape;
        if (i == 0) {
            picture->width = shape->width, picture->height = shape->height, picture->depth = shape->depth;
            memcpy(picture->spacing, shape->spacing, sizeof picture->spacing);
            picture->kind = kind_of(file);
        } else if (shape->width != picture->width || shape->height != picture->height ||
                   shape->depth != picture->depth) {
            return fault("size", "%s: expected the size of the picture's first file, got %lld x %lld", one->pictures[i],
                         (long long)shape->width, (long long)shape->height);
        }
        picture->channels += shape->channels;
    }
    if (picture->channels > IMAGE_MAX_CHANNELS)
        return fault("channels", "%lld channels; at most %d are supported", (long long)picture->channels,
                     IMAGE_MAX_CHANNELS);
    return NULL;
}
void eval_picture_close(EvalPicture *picture) {
    for (int i = 0; i < picture->n_files; i++) picture_close(&picture->files[i]);
    picture->n_files = 0;
}
Status eval_picture_slice(EvalPicture *picture, int64_t z, Arena *arena, PictureSlice *out) {
    if (picture->n_files == 1) return picture_slice(&picture->files[0], z, arena, out);
    const size_t pixels = (size_t)(picture->width * picture->height);
    float *planes = arena_array(arena, (size_t)picture->channels * pixels, sizeof *planes), *at = planes;
    if (!planes) return fail_memory(pixels * sizeof *planes);
    for (int i = 0; i < picture->n_files; i++) {
        PictureSlice slice;
        TRY(picture_slice(&picture->files[i], z, arena, &slice));
        memcpy(at, slice.planes, (size_t)slice.channels * pixels * sizeof *planes);
        at += (size_t)slice.channels * pixels;
    }
    *out = (PictureSlice){picture->channels, picture->height, picture->width, planes};
    return ST_OK;
}

// ---- masks

FaultWord eval_truth_load(const char *path, EvalTruth *out) {
    *out = (EvalTruth){.classes = NULL};
    return picture_load(path, &out->file) == ST_OK ? NULL : read_fault();
}
FaultWord eval_truth_open(const char *path, EvalTruth *truth) {
    if (!truth->file.size) return fault("empty file", "%s: the file is empty", path);
    if (picture_open(path, &truth->file) != ST_OK) return read_fault();
    truth->kind = kind_of(&truth->file);
    if (truth->kind.palette)
        return fault("palette",
                     "a mask of palette colours: which colour is which class is not said; save class numbers "
                     "as grey");
    if (truth->kind.alpha)
        return fault("alpha", "a mask with an alpha channel: whether colour or alpha is the mask is not said; save it "
                              "as grey");
    return NULL;
}
void eval_truth_close(EvalTruth *truth) { picture_close(&truth->file); }

// What 1, 2 and 4 bit were stretched by.
static float stretch_of(const EvalTruth *truth, int n_classes) {
    const int bits = image_kind(truth->file.source).bits;
    if (bits == 1) return n_classes > 2 ? 255 : 1;
    return bits == 2 || bits == 4 ? 255 / (float)((1 << bits) - 1) : 1;
}
// The value of a pixel whose channels agree; NaN: they do not.
static float grey_value(const float *pixel, int64_t channels) {
    for (int64_t c = 1; c < channels; c++)
        if (pixel[c] != pixel[0]) return NAN;
    return pixel[0];
}
typedef struct Levels {
    bool has[DATASET_LABELS];
    bool has_full_16; // 65535
} Levels;
static FaultWord take_level(float value, int64_t channels, Levels *levels, uint8_t *out) {
    if (isnan(value) && channels > 1)
        return fault("colour", "a coloured mask: which colour is which class is not said; save class numbers as grey");
    const bool is_full_16 = value == 65535;
    if (!is_full_16 && (!(value >= 0 && value < DATASET_LABELS) || value != floorf(value)))
        return fault("values", "the mask holds the value %g, which is no class", (double)value);
    *out = is_full_16 ? 255 : (uint8_t)value;
    levels->has[*out] = true;
    levels->has_full_16 = levels->has_full_16 || is_full_16;
    return NULL;
}
// Two classes: what is not 0 becomes 1.
static FaultWord take_two_classes(EvalTruth *truth, int64_t pixels, const Levels *levels) {
    for (int value = 2; value < 255; value++)
        if (levels->has[value])
            return fault("values", "the mask holds the value %d; two classes are 0 and 1, or 0 and 255", value);
    if (levels->has[1] && levels->has[255])
        return fault("values", "the mask holds both 1 and 255; two classes are 0 and 1, or 0 and 255");
    truth->coding = levels->has[1] ? CODING_ONE : levels->has[255] ? CODING_FULL : CODING_NONE;
    for (int64_t i = 0; i < pixels; i++) truth->classes[i] = truth->classes[i] != 0;
    return NULL;
}
static FaultWord take_classes(const Levels *levels, int n_classes) {
    if (levels->has_full_16) return fault("values", "the mask holds the value 65535, which is no class");
    for (int value = n_classes; value < DATASET_LABELS; value++)
        if (levels->has[value])
            return fault("values", "the mask holds the value %d; the network tells %d classes apart, 0 to %d", value,
                         n_classes, n_classes - 1);
    return NULL;
}
static FaultWord check_kind(const EvalForm *form, const EvalTruth *truth) {
    static const char *const types[] = {"8 bit", "16 bit", "float"};
    if (truth->kind.type != form->mask.type)
        return fault("type", "a mask of %s samples; the other masks are of %s", types[truth->kind.type],
                     types[form->mask.type]);
    if (truth->kind.channels != form->mask.channels)
        return fault("channels", "a mask of %lld channels; the other masks have %lld", (long long)truth->kind.channels,
                     (long long)form->mask.channels);
    return NULL;
}
static FaultWord check_coding(const EvalForm *form, const EvalTruth *truth) {
    static const char *const codings[] = {"nothing", "0 and 1", "0 and 255"};
    if (truth->coding && form->coding && truth->coding != form->coding)
        return fault("coding", "the mask holds %s, the other masks %s", codings[truth->coding], codings[form->coding]);
    return NULL;
}
static FaultWord read_slice(EvalTruth *truth, int64_t z, int n_classes, Levels *levels) {
    const ImageShape *shape = &truth->file.shape;
    const ImageBox box = image_slice(shape, z);
    const int64_t pixels = box.w * box.h;
    const float stretch = stretch_of(truth, n_classes);
    float *samples = mem_alloc(image_box_samples(shape, &box) * sizeof *samples);
    if (!samples) return fail_memory((size_t)pixels * sizeof *samples), EVAL_NO_MEMORY;
    FaultWord word = image_read_box(truth->file.source, &box, SAMPLE_F32, samples) == ST_OK ? NULL : read_fault();
    for (int64_t i = 0; i < pixels && !word; i++)
        word = take_level(grey_value(samples + i * shape->channels, shape->channels) / stretch, shape->channels, levels,
                          &truth->classes[z * pixels + i]);
    mem_free(samples);
    return word;
}
FaultWord eval_truth_read(const char *path, EvalTruth *truth, const EvalPicture *picture, int n_classes,
                          const EvalForm *form, Arena *arena) {
    const ImageShape *shape = &truth->file.shape;
    Levels levels = {.has = {false}};
    if (picture && (shape->width != picture->width || shape->height != picture->height))
        return fault("size", "%s: the mask has %lld x %lld pixels, the picture %lld x %lld (width x height)", path,
                     (long long)shape->width, (long long)shape->height, (long long)picture->width,
                     (long long)picture->height);
    if (picture && shape->depth != picture->depth)
        return fault("pages", "%s: the mask has %lld pages, the picture %lld", path, (long long)shape->depth,
                     (long long)picture->depth);
    FaultWord word = form ? check_kind(form, truth) : NULL;
    if (word) return word;
    int64_t voxels;
    if (!mul_i64(shape->width * shape->height, shape->depth, &voxels)) return EVAL_NO_MEMORY;
    truth->classes = arena_alloc(arena, (size_t)voxels);
    if (!truth->classes) return fail_memory((size_t)voxels), EVAL_NO_MEMORY;
    for (int64_t z = 0; z < shape->depth && !word; z++) word = read_slice(truth, z, n_classes, &levels);
    if (!word) word = n_classes > 2 ? take_classes(&levels, n_classes) : take_two_classes(truth, voxels, &levels);
    return word || !form ? word : check_coding(form, truth);
}

// ---- what most files are like

FaultWord eval_form_check_picture(const EvalForm *form, const EvalPicture *picture) {
    static const char *const types[] = {"8 bit", "16 bit", "float"};
    const EvalKind *kind = &picture->kind, *usual = &form->picture;
    if (kind->palette != usual->palette)
        return fault("palette", kind->palette ? "a picture of palette colours; the others have none"
                                              : "a picture without a palette; the others have one");
    if (kind->alpha != usual->alpha)
        return fault("alpha", kind->alpha ? "a picture with an alpha channel; the others have none"
                                          : "a picture without an alpha channel; the others have one");
    if (kind->type != usual->type)
        return fault("type", "a picture of %s samples; the others are of %s", types[kind->type], types[usual->type]);
    if (kind->channels != usual->channels)
        return fault("channels", "a picture of %lld channels; the others have %lld", (long long)kind->channels,
                     (long long)usual->channels);
    return NULL;
}

enum { KINDS = 16, LOOKED_AT = 32, MASKS_WANTED = 5 };
typedef struct Votes {
    EvalKind kinds[KINDS];
    int count[KINDS], n;
} Votes;
static void vote(Votes *votes, const EvalKind *kind) {
    for (int i = 0; i < votes->n; i++) {
        const EvalKind *known = &votes->kinds[i];
        if (known->type != kind->type || known->channels != kind->channels || known->palette != kind->palette ||
            known->alpha != kind->alpha)
            continue;
        votes->count[i]++;
        return;
    }
    if (votes->n == KINDS) return;
    votes->kinds[votes->n] = *kind;
    votes->count[votes->n++] = 1;
}
static EvalKind most_voted(const Votes *votes) {
    int best = 0;
    for (int i = 1; i < votes->n; i++)
        if (votes->count[i] > votes->count[best]) best = i;
    return votes->n ? votes->kinds[best] : (EvalKind){SAMPLE_U8, 1, false, false};
}
typedef struct Look {
    Votes pictures, masks;
    int codings[3];
} Look;
// What cannot be read is told of when its turn comes.
static Status look_at_picture(const DatasetCase *one, Look *look) {
    Arena arena = {0};
    EvalPicture picture;
    FaultWord word = eval_picture_load(one, &arena, &picture);
    if (!word) word = eval_picture_open(one, &picture);
    if (!word) vote(&look->pictures, &picture.kind);
    eval_picture_close(&picture);
    arena_free(&arena);
    return word == EVAL_NO_MEMORY ? ST_RESOURCE : ST_OK;
}
static Status look_at_mask(const DatasetCase *one, int n_classes, Look *look) {
    Arena arena = {0};
    EvalTruth truth;
    FaultWord word = eval_truth_load(one->mask, &truth);
    if (!word) word = eval_truth_open(one->mask, &truth);
    if (!word) vote(&look->masks, &truth.kind);
    if (!word) word = eval_truth_read(one->mask, &truth, NULL, n_classes, NULL, &arena);
    if (!word) look->codings[truth.coding]++;
    eval_truth_close(&truth);
    arena_free(&arena);
    return word == EVAL_NO_MEMORY ? ST_RESOURCE : ST_OK;
}
// A step through n cases that comes to each of them once, and to all parts of the list early.
static size_t step_through(size_t n) {
    size_t step = n * 5 / 8 + 1;
    for (;; step++) {
        size_t a = step, b = n;
        while (b) {
            const size_t rest = a % b;
            a = b, b = rest;
        }
        if (a == 1) return step;
    }
}
Status eval_form_find(const Dataset *dataset, int n_classes, const stent_options *common, EvalForm *out) {
    Look look = {.codings = {0}};
    const size_t n = dataset->n_cases, step = step_through(n);
    size_t looked = 0;
    for (size_t k = 0, i = 0; k < n; k++, i = (i + step) % n) {
        const DatasetCase *one = &dataset->cases[i];
        const bool wanted = looked < LOOKED_AT;
        if (!one->mask) continue;
        if (!wanted && (n_classes > 2 || look.codings[CODING_ONE] + look.codings[CODING_FULL] >= MASKS_WANTED)) break;
        TRY(report_progress(common, "looking", 0, 0));
        if (wanted) TRY(look_at_picture(one, &look));
        TRY(look_at_mask(one, n_classes, &look));
        looked++;
    }
    error_clear();
    *out = (EvalForm){most_voted(&look.pictures), most_voted(&look.masks), CODING_NONE};
    if (look.codings[CODING_ONE] || look.codings[CODING_FULL])
        out->coding = look.codings[CODING_ONE] > look.codings[CODING_FULL] ? CODING_ONE : CODING_FULL;
    return ST_OK;
}
Status eval_form_assume(const EvalForm *form, int n_classes, Dataset *dataset) {
    static const char *const types[] = {"8 bit", "16 bit", "float"};
    if (n_classes <= 2 && form->coding == CODING_ONE)
        TRY(dataset_assume(dataset, "Masks hold 0 and 1: 1 is the object."));
    if (form->mask.type != SAMPLE_U8)
        TRY(dataset_assume(dataset, "Masks are of %s samples; their values are class numbers.",
                           types[form->mask.type]));
    if (form->mask.channels > 1)
        TRY(dataset_assume(dataset, "Masks have %lld channels, which are all equal.", (long long)form->mask.channels));
    if (form->picture.alpha) TRY(dataset_assume(dataset, "The alpha channel of the pictures is left out."));
    if (form->picture.palette) TRY(dataset_assume(dataset, "Palette colours of the pictures are read as RGB."));
    return ST_OK;
}
