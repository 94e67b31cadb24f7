// segment: pictures in, masks out. One picture after the other is read, run and written; a picture that cannot be read
// is noted in results.json and the others go on.
#include "app/picture.h"
#include "app/segment_results.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/statistics.h"
#include "image/image.h"
#include "image/overlay.h"
#include "image/resample.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FAILURES_SHOWN = 10 };
typedef struct Run {
    const stent_segment_options *options;
    const stent_options *common;
    SegmentFile *files;
    size_t n_files;
    Segmenter segmenter;
    Volume volume;
    SegmentResults results;
    Text key; // the options that a finished mask depends on
    size_t done, skipped, failed, of_shard;
    bool lacked; // one failed for want of memory, disk or permission
    int64_t area;
    double *ms; // of the pictures done
    double sum_ms;
    Text first_failure, failures;
    Arena arena;
} Run;

// ---- what is written for a picture

typedef struct Sinks {
    ImageSink *mask, *overlay, *prob;
} Sinks;
typedef struct Outputs {
    const char *mask, *overlay, *prob; // paths; NULL: not wanted
} Outputs;

static Status output_path(Run *run, const SegmentFile *file, const char *ending, Arena *arena, const char **out) {
    Text path = {0};
    text_add(&path, "%s%s%s%s", run->options->output, text_ends(run->options->output, "/") ? "" : "/", file->output,
             ending);
    *out = path.failed ? NULL : arena_string(arena, text_get(&path));
    text_free(&path);
    return *out ? ST_OK : fail_memory(strlen(file->output));
}
// PNG holds one slice: a file of several pages gets TIFFs of as many.
static Status name_outputs(Run *run, const SegmentFile *file, int64_t depth, Arena *arena, Outputs *out) {
    const stent_segment_options *options = run->options;
    const bool tif = depth > 1 || !strcmp(options->format, "tif");
    *out = (Outputs){0};
    TRY(output_path(run, file, tif ? ".tif" : ".png", arena, &out->mask));
    if (options->overlay)
        TRY(output_path(run, file, depth > 1 ? "_overlay.tif" : "_overlay.png", arena, &out->overlay));
    if (options->prob) TRY(output_path(run, file, "_prob.tif", arena, &out->prob));
    return ST_OK;
}
// The list was checked for one page a file; the endings of several are known only now.
static Status refuse_overwriting(const Run *run, const char *path, Arena *arena) {
    char *real;
    TRY(path_real(arena, path, &real));
    for (size_t i = 0; real && i < run->n_files; i++)
        FAIL_IF(!strcmp(real, run->files[i].real), ST_USAGE, "%s would overwrite a picture; name another output folder",
                path);
    return ST_OK;
}
static Status open_sinks(const Run *run, const Outputs *outputs, const ImageShape *picture, int64_t classes,
                         Arena *arena, Sinks *out) {
    const char *folder = path_folder(arena, outputs->mask);
    ImageShape shape = {.width = picture->width, .height = picture->height, .depth = picture->depth, .channels = 1};
    if (!folder) return fail_memory(strlen(outputs->mask));
    if (picture->depth > 1) TRY(refuse_overwriting(run, outputs->mask, arena));
    TRY(folder_make(folder));
    TRY(image_create(outputs->mask, &shape, IMAGE_PACKED, &out->mask));
    shape.channels = 3;
    if (outputs->overlay) TRY(image_create(outputs->overlay, &shape, IMAGE_PACKED, &out->overlay));
    shape.channels = 1, shape.type = SAMPLE_F32, shape.depth *= classes;
    if (outputs->prob) TRY(image_create(outputs->prob, &shape, IMAGE_PACKED, &out->prob));
    return ST_OK;
}
static void abort_sinks(Sinks *sinks) {
    image_abort(sinks->mask);
    image_abort(sinks->overlay);
    image_abort(sinks->prob);
    *sinks = (Sinks){0};
}
static Status commit(ImageSink **sink) {
    ImageSink *taken = *sink;
    *sink = NULL;
    return taken ? image_commit(taken) : ST_OK;
}
// The mask last: where it is, all is.
static Status commit_sinks(Sinks *sinks) {
    TRY(commit(&sinks->prob));
    TRY(commit(&sinks->overlay));
    return commit(&sinks->mask);
}
static Status write_overlay(Picture *picture, int64_t z, const uint8_t *mask, Arena *arena, ImageSink *sink) {
    const ImageShape *shape = &picture->shape;
    const ImageBox box = image_slice(shape, z);
    void *samples = arena_array(arena, image_box_samples(shape, &box), sample_size(shape->type));
    uint8_t *rgb = arena_array(arena, (size_t)(box.w * box.h), 3);
    if (!samples || !rgb) return fail_memory((size_t)(box.w * box.h) * 3);
    TRY(image_read_box(picture->source, &box, shape->type, samples));
    TRY(overlay_draw(samples, shape->type, box.h, box.w, shape->channels, mask, rgb));
    return image_write_box(sink, &box, rgb);
}
static Status write_slice(Picture *picture, int64_t z, Segmented *slice, Arena *arena, Sinks *sinks) {
    const ImageBox box = image_slice(&picture->shape, z);
    if (sinks->overlay) TRY(write_overlay(picture, z, slice->mask, arena, sinks->overlay));
    for (int64_t c = 0; sinks->prob && c < slice->classes; c++) {
        const ImageBox page = {0, 0, z * slice->classes + c, box.w, box.h, 1};
        TRY(image_write_box(sinks->prob, &page, slice->probabilities + c * box.w * box.h));
    }
    mask_for_eyes(slice->mask, box.w * box.h, slice->classes);
    return image_write_box(sinks->mask, &box, slice->mask);
}

// ---- one picture

typedef struct FileResult {
    Status status; // what became of the picture
    int64_t area, width, height, pages;
    double ms;
    bool grey_repeated;
    char mask_hash[65]; // for the log, else ""
} FileResult;

// What hinders this picture is in `result` and no reason to stop; what hinders all of them is returned.
static Status segment_slice(Run *run, Picture *picture, int64_t z, const Outputs *outputs, Sinks *sinks,
                            FileResult *result) {
    Arena arena = {0};
    PictureSlice slice;
    Segmented segmented;
    result->status = picture_slice(picture, z, &arena, &slice);
    if (result->status == ST_OK)
        result->status = segmenter_run(&run->segmenter, &slice, run->volume.normaliser, &arena, &segmented);
    Status status = ST_OK;
    if (result->status == ST_OK) {
        if (z == 0) status = open_sinks(run, outputs, &picture->shape, segmented.classes, &arena, sinks);
        if (status == ST_OK) status = write_slice(picture, z, &segmented, &arena, sinks);
        result->ms += segmented.ms;
        result->area += segmented.area;
    }
    arena_free(&arena);
    return status;
}
// The log names the mask by its bytes.
static Status hash_mask(const Run *run, const char *path, FileResult *result) {
    uint8_t *bytes;
    size_t size;
    if (!run->common->log_file) return ST_OK;
    TRY(file_read(path, PICTURE_BYTES, &bytes, &size));
    sha256_hex(bytes, size, result->mask_hash);
    mem_free(bytes);
    return ST_OK;
}
static Status segment_picture(Run *run, const SegmentFile *file, Picture *picture, Arena *arena, FileResult *result) {
    Outputs outputs;
    Sinks sinks = {0};
    run->segmenter.grey_repeated = false;
    TRY(name_outputs(run, file, picture->shape.depth, arena, &outputs));
    result->status = volume_measure(&run->volume, &run->segmenter, run->files, run->n_files, file, picture);
    if (result->status != ST_OK) return ST_OK;
    Status status = ST_OK;
    for (int64_t z = 0; z < picture->shape.depth && status == ST_OK && result->status == ST_OK; z++)
        status = segment_slice(run, picture, z, &outputs, &sinks, result);
    if (status == ST_OK && result->status == ST_OK) status = commit_sinks(&sinks);
    if (status == ST_OK && result->status == ST_OK) status = hash_mask(run, outputs.mask, result);
    abort_sinks(&sinks);
    result->width = picture->shape.width, result->height = picture->shape.height, result->pages = picture->shape.depth;
    result->grey_repeated = run->segmenter.grey_repeated;
    return status;
}

// ---- results.json

static void write_common(JsonWriter *w, const Opened *opened, const Opened *package) {
    json_key(w, "verb"), json_string(w, "segment");
    json_key(w, "stent"), json_string(w, STENT_VERSION);
    json_key(w, "machine"), json_begin_object(w);
    json_key(w, "isa"), json_string(w, isa_name(opened->machine.isa));
    json_key(w, "threads"), json_integer(w, opened->threads);
    json_key(w, "cpu"), json_string(w, opened->machine.cpu);
    json_end_object(w);
    json_key(w, "model"), json_string(w, package->model);
    json_key(w, "content_hash"), json_string(w, package->package->content_hash);
    json_key(w, "plan_hash"), json_string(w, opened->plan_hash);
    json_key(w, "precision"), json_string(w, opened->precision);
}
static void write_measures(JsonWriter *w, const FileResult *result, const char *mask) {
    json_key(w, "ms"), json_number(w, result->ms);
    json_key(w, "area_px"), json_integer(w, result->area);
    json_key(w, "width"), json_integer(w, result->width);
    json_key(w, "height"), json_integer(w, result->height);
    if (result->pages > 1) json_key(w, "pages"), json_integer(w, result->pages);
    json_key(w, "mask"), json_string(w, mask);
    if (result->grey_repeated)
        json_key(w, "note"), json_string(w, "grey picture, repeated for each channel of the network");
}
static Status add_result(Run *run, const SegmentFile *file, const Picture *picture, const FileResult *result) {
    Text line = {0}, mask = {0};
    JsonWriter w = {.text = &line};
    const bool ok = result->status == ST_OK;
    text_add(&mask, "%s.%s", file->output, result->pages > 1 ? "tif" : run->options->format);
    json_begin_object(&w);
    json_key(&w, "path"), json_string(&w, file->path);
    json_key(&w, "hash"), json_string(&w, picture->hash[0] ? picture->hash : NULL);
    json_key(&w, "status"), json_string(&w, ok ? "ok" : "bad");
    if (ok) write_measures(&w, result, text_get(&mask));
    else json_key(&w, "error"), json_string(&w, error_message());
    json_key(&w, "options"), json_string(&w, text_get(&run->key));
    write_common(&w, segmenter_opened(&run->segmenter), &run->segmenter.opened);
    json_end_object(&w);
    Status status = text_status(&line);
    if (status == ST_OK) status = text_status(&mask);
    if (status == ST_OK) status = results_add(&run->results, text_get(&line));
    text_free(&line);
    text_free(&mask);
    return status;
}
// What a mask depends on beside picture and package. Threads and instruction set are not among it.
static Status write_key(Run *run) {
    const stent_segment_options *options = run->options;
    text_add(&run->key, "format=%s%s%s threshold=", options->format, options->overlay ? " overlay" : "",
             options->prob ? " prob" : "");
    text_double(&run->key, run->segmenter.threshold);
    text_add(&run->key, " precision=%s", run->segmenter.opened.precision);
    for (const char *const *item = run->common->inputs; item && *item; item++) text_add(&run->key, " input=%s", *item);
    return text_status(&run->key);
}
// An earlier run has done it: picture, package and options are the same, and what it wrote is there.
static bool is_done(Run *run, const SegmentFile *file, const Picture *picture, const EarlierResult *earlier,
                    Arena *arena) {
    if (!earlier || !earlier->ok || strcmp(earlier->hash, picture->hash) ||
        strcmp(earlier->options, text_get(&run->key)) ||
        strcmp(earlier->content_hash, run->segmenter.opened.package->content_hash))
        return false;
    for (int64_t pages = 1; pages <= 2; pages++) { // one page, several
        Outputs outputs;
        if (name_outputs(run, file, pages, arena, &outputs) != ST_OK) return false;
        if (path_kind(outputs.mask) == PATH_FILE && (!outputs.overlay || path_kind(outputs.overlay) == PATH_FILE) &&
            (!outputs.prob || path_kind(outputs.prob) == PATH_FILE))
            return true;
    }
    return false;
}

// ---- the run

static Status note_failure(Run *run, const SegmentFile *file, Status status) {
    if (!strstr(error_message(), file->path)) (void)fail_context(status, "%s", file->path);
    run->lacked = run->lacked || status == ST_RESOURCE;
    if (!run->failed) text_add(&run->first_failure, "%s", error_message());
    if (run->failed++ < FAILURES_SHOWN) text_add(&run->failures, "failed    %s\n", error_message());
    return text_status(&run->failures);
}
// A picture's line in the log. The error message is that of the picture's status, when it failed.
static Status log_picture(const Run *run, const SegmentFile *file, const Picture *picture, const FileResult *result,
                          bool skipped, uint64_t start_ns) {
    LogLine line;
    log_line_begin(&line, run->common, "segment");
    line.start_ns = start_ns;
    JsonWriter *w = &line.writer;
    log_line_path(&line, file->path);
    json_key(w, "picture"), json_string(w, picture->hash[0] ? picture->hash : NULL);
    json_key(w, "mask"), json_string(w, result->mask_hash[0] ? result->mask_hash : NULL);
    if (skipped) json_key(w, "skipped"), json_bool(w, true);
    log_opened(w, segmenter_opened(&run->segmenter));
    const Status logged = log_line_end(&line, result->status);
    return result->status == ST_OK ? logged : ST_OK;
}
static Status segment_file(Run *run, const SegmentFile *file, Arena *arena) {
    Picture picture;
    FileResult result = {.pages = 1};
    const uint64_t start = clock_ns();
    EarlierResult *earlier = results_find(&run->results, file->path);
    result.status = picture_load(file->path, &picture);
    const bool skipped = result.status == ST_OK && run->options->resume && is_done(run, file, &picture, earlier, arena);
    Status status = ST_OK;
    if (skipped) {
        run->skipped++;
        status = results_add(&run->results, earlier->line);
    } else {
        if (result.status == ST_OK) result.status = picture_open(file->path, &picture);
        if (result.status == ST_OK) status = segment_picture(run, file, &picture, arena, &result);
        if (status == ST_OK && result.status == ST_CANCELLED) status = ST_CANCELLED;
        if (status == ST_OK && result.status != ST_OK) status = note_failure(run, file, result.status);
        if (status == ST_OK) status = add_result(run, file, &picture, &result);
        if (status == ST_OK && result.status == ST_OK)
            run->area += result.area, run->sum_ms += result.ms, run->ms[run->done++] = result.ms;
    }
    if (status == ST_OK) status = log_picture(run, file, &picture, &result, skipped, start);
    if (status == ST_OK && earlier) earlier->taken = true;
    picture_close(&picture);
    return status;
}
static Status segment_files(Run *run) {
    const size_t shards = (size_t)MAX(run->options->shards, 1), shard = (size_t)MAX(run->options->shard, 1) - 1;
    const size_t total = run->n_files / shards + (run->n_files % shards > shard);
    for (size_t i = shard; i < run->n_files; i += shards, run->of_shard++) {
        TRY(report_progress(run->common, "segment", (double)run->of_shard, (double)total));
        Arena arena = {0};
        Status status = segment_file(run, &run->files[i], &arena);
        arena_free(&arena);
        TRY(status);
    }
    return report_progress(run->common, "segment", (double)total, (double)total);
}

// ---- summary

static double median_ms(Run *run) {
    const size_t n = run->done;
    if (!n) return NAN;
    sort_doubles(run->ms, n);
    return n % 2 ? run->ms[n / 2] : (run->ms[n / 2 - 1] + run->ms[n / 2]) / 2;
}
static void tell_summary(Run *run, struct stent_result *result) {
    const double median = median_ms(run);
    const Opened *opened = segmenter_opened(&run->segmenter);
    JsonWriter *w = &result->writer;
    Text *text = &result->text;
    result_opened(result, opened);
    json_key(w, "pictures"), json_integer(w, (int64_t)run->of_shard);
    json_key(w, "done"), json_integer(w, (int64_t)run->done);
    json_key(w, "skipped"), json_integer(w, (int64_t)run->skipped);
    json_key(w, "failed"), json_integer(w, (int64_t)run->failed);
    json_key(w, "area_px"), json_integer(w, run->area);
    json_key(w, "median_ms"), json_number(w, median);
    json_key(w, "sum_ms"), json_number(w, run->sum_ms);
    json_key(w, "output"), json_string(w, run->options->output);
    json_key(w, "results"), json_string(w, run->results.path);
    json_key(&result->log.writer, "pictures"), json_integer(&result->log.writer, (int64_t)run->of_shard);
    json_key(&result->log.writer, "failed"), json_integer(&result->log.writer, (int64_t)run->failed);
    text_add(text, "pictures  %zu done", run->done);
    if (run->skipped) text_add(text, ", %zu done before", run->skipped);
    if (run->failed) text_add(text, ", %zu could not be read", run->failed);
    text_add(text, "\n%s", text_get(&run->failures));
    if (run->failed > FAILURES_SHOWN)
        text_add(text, "          and %zu more, see the results\n", run->failed - FAILURES_SHOWN);
    text_add(text, "area      %lld pixels\n", (long long)run->area);
    if (run->done)
        text_add(text, "network   %.1f ms median, %.0f ms in all, on %s, %d threads\n", median, run->sum_ms,
                 isa_name(opened->machine.isa), opened->threads);
    text_add(text, "masks     %s\nresults   %s\n", run->options->output, run->results.path);
}

static Status check_options(const stent_segment_options *options, int n_paths) {
    FAIL_IF(n_paths < 1, ST_USAGE, "segment: expected pictures or folders");
    FAIL_IF(!options->output || !*options->output, ST_USAGE, "segment: expected a folder for the masks (-o)");
    FAIL_IF(strcmp(options->format, "png") && strcmp(options->format, "tif"), ST_USAGE,
            "--format: expected png or tif, got '%s'", options->format);
    FAIL_IF(options->shards < 0 || options->shard < 0 || options->shard > options->shards ||
                (options->shards && !options->shard),
            ST_USAGE, "--shard: expected i/N with i from 1 to N, got %d/%d", options->shard, options->shards);
    PathKind kind;
    TRY(path_known(options->output, &kind));
    FAIL_IF(kind != PATH_MISSING && kind != PATH_FOLDER, ST_USAGE,
            "%s: expected a folder for the masks, this is a file", options->output);
    return ST_OK;
}
static Status list_files(Run *run, const char *const *paths, int n_paths) {
    const stent_segment_options *options = run->options;
    SegmentNames names = {{!strcmp(options->format, "tif") ? ".tif" : ".png"}, 1};
    if (options->overlay) names.endings[names.count++] = "_overlay.png";
    if (options->prob) names.endings[names.count++] = "_prob.tif";
    TRY(segment_list(paths, n_paths, options->output, &names, &run->arena, &run->files, &run->n_files));
    run->ms = arena_array(&run->arena, run->n_files + 1, sizeof *run->ms);
    return run->ms ? ST_OK : fail_memory(run->n_files * sizeof *run->ms);
}
// Each shard has results of its own: shards may run at the same time.
static Status start_results(Run *run) {
    const stent_segment_options *options = run->options;
    char name[64] = "results.json";
    if (options->shards > 1) snprintf(name, sizeof name, "results-%d-of-%d.json", options->shard, options->shards);
    TRY(results_open(options->output, name, run->n_files, &run->results));
    return options->resume ? results_read_earlier(&run->results, options->shards <= 1) : ST_OK;
}
static Status run_all(Run *run, const char *package, const char *const *paths, int n_paths) {
    TRY(list_files(run, paths, n_paths));
    const double threshold = run->options->threshold >= 0 ? run->options->threshold : NAN;
    TRY(segmenter_open(&(PackageSource){.path = package}, run->common, 0, threshold, &run->segmenter));
    TRY(write_key(run));
    TRY(folder_make(run->options->output));
    TRY(start_results(run));
    Status status = segment_files(run);
    if (status == ST_OK) return results_write(&run->results);
    // What is done stays done, and a later run may resume; the reason for stopping stays the message.
    Text reason = {0};
    text_add(&reason, "%s", error_message());
    (void)results_write(&run->results);
    status = fail(status, "%s", text_get(&reason));
    text_free(&reason);
    return status;
}
static Status segment(const char *package, const char *const *paths, int n_paths, const stent_segment_options *given,
                      struct stent_result *result, bool *finished) {
    stent_segment_options options = *given;
    if (!options.format) options.format = "png";
    TRY(check_options(&options, n_paths));
    Run run = {.options = &options, .common = &options.common, .volume = {NULL, -1}};
    Status status = run_all(&run, package, paths, n_paths);
    *finished = status == ST_OK;
    if (*finished) tell_summary(&run, result);
    const Status reason = run.lacked ? ST_RESOURCE : ST_BAD;
    if (*finished && run.of_shard == 1 && run.failed) status = fail(reason, "%s", text_get(&run.first_failure));
    else if (*finished && run.failed)
        status = fail(reason, "%zu of %zu pictures could not be read: first %s", run.failed, run.of_shard,
                      text_get(&run.first_failure));
    normaliser_free(run.volume.normaliser);
    segmenter_close(&run.segmenter);
    results_close(&run.results);
    text_free(&run.key);
    text_free(&run.first_failure);
    text_free(&run.failures);
    arena_free(&run.arena);
    return status;
}

stent_status stent_segment(const char *package, const char *const *paths, int n_paths,
                           const stent_segment_options *given, stent_result **out) {
    stent_segment_options options = {.size = sizeof options, .threshold = -1};
    struct stent_result *result = NULL;
    bool finished = false;
    error_clear();
    if (out) *out = NULL;
    Status status = options_take(given, sizeof options, &options);
    if (status == ST_OK) status = result_begin("segment", package, &options.common, &result);
    if (status != ST_OK) return (stent_status)status;
    status = segment(package, paths, n_paths, &options, result, &finished);
    status = log_line_end(&result->log, status);
    // The result is handed over also when some pictures failed.
    const Status kept = result_finish(result, finished ? ST_OK : status, out);
    return (stent_status)(finished && kept != ST_OK ? kept : status);
}
