#include "app/segmenter.h"
#include "base/clock.h"
#include <math.h>
#include <string.h>

static Status check_input(const Graph *graph) {
    FAIL_IF(graph->n_inputs != 1 || graph->n_outputs < 1, ST_UNSUPPORTED,
            "segment needs a network with one input, a picture; this one has %d inputs", graph->n_inputs);
    const Value *input = &graph->values[graph->inputs[0]];
    FAIL_IF(input->type.dtype != DT_F32, ST_UNSUPPORTED, "segment needs a float32 input; '%s' is %s", input->name,
            dtype_name(input->type.dtype));
    FAIL_IF(input->type.rank != 4, ST_UNSUPPORTED,
            "segment needs an input of 1 x channels x height x width; '%s' has %d dims", input->name, input->type.rank);
    FAIL_IF(input->type.dim[0] > 1, ST_UNSUPPORTED,
            "segment needs a network of batch 1; '%s' takes %lld pictures at once", input->name,
            (long long)input->type.dim[0]);
    return ST_OK;
}
static void drop_session(Segmenter *segmenter) {
    session_destroy(segmenter->session);
    normaliser_free(segmenter->normaliser);
    arena_free(&segmenter->arena);
    segmenter->session = NULL, segmenter->normaliser = NULL;
}
// Makes all that a run needs for the shapes that `opened` is bound to.
static Status make_session(Segmenter *segmenter, const Opened *opened) {
    const Graph *graph = opened->package->graph;
    const Pipeline *pipeline = &opened->pipeline;
    segmenter->input = frame_of_input(&graph->values[graph->inputs[0]].type, pipeline->channels);
    TRY(frame_of_output(&graph->values[graph->outputs[0]].type, &segmenter->input, &segmenter->output));
    TRY(preprocess_check(pipeline, &segmenter->input));
    TRY(postprocess_check(pipeline, &segmenter->output));
    TRY(make_tensors(graph, graph->inputs, graph->n_inputs, &segmenter->arena, &segmenter->inputs));
    TRY(make_tensors(graph, graph->outputs, graph->n_outputs, &segmenter->arena, &segmenter->outputs));
    TRY(normaliser_create(pipeline, segmenter->input.channels, &segmenter->normaliser));
    return session_create(opened->executable, &segmenter->session);
}

static Status ready(Segmenter *segmenter, double threshold) {
    TRY(check_input(segmenter->opened.package->graph));
    segmenter->threshold = isnan(threshold) ? segmenter->opened.pipeline.threshold : threshold;
    return segmenter->opened.executable ? make_session(segmenter, &segmenter->opened) : ST_OK;
}
Status segmenter_open(const PackageSource *source, const stent_options *options, int flags, double threshold,
                      Segmenter *out) {
    *out = (Segmenter){.source = *source, .options = options, .flags = flags};
    TRY(open_source(source, options, OPEN_FREE | flags, &out->opened));
    Status status = ready(out, threshold);
    if (status == ST_OK) return ST_OK;
    segmenter_close(out);
    return fail_context(status, "%s", source->path);
}
void segmenter_close(Segmenter *segmenter) {
    drop_session(segmenter);
    close_package(&segmenter->sized);
    close_package(&segmenter->opened);
}
const Opened *segmenter_opened(const Segmenter *segmenter) {
    return segmenter->sized.executable ? &segmenter->sized : &segmenter->opened;
}

// Free dims: what the pipeline leaves open is taken from the picture.
static Status open_sized(Segmenter *segmenter, const PictureSlice *slice) {
    const Pipeline *pipeline = &segmenter->opened.pipeline;
    const Graph *graph = segmenter->opened.package->graph;
    const Type *type = &graph->values[graph->inputs[0]].type;
    Frame frame = frame_of_input(type, pipeline->channels);
    frame.channels = frame.channels >= 0 ? frame.channels : pipeline->channels ? pipeline->channels : slice->channels;
    frame.height = frame.height >= 0 ? frame.height : pipeline->height ? pipeline->height : slice->height;
    frame.width = frame.width >= 0 ? frame.width : pipeline->width ? pipeline->width : slice->width;
    Text shape = {0};
    const Shape dims = frame_shape(&frame);
    shape_print(&shape, &dims);
    Status status = text_status(&shape);
    const char *const inputs[] = {text_get(&shape), NULL};
    stent_options options = *common_options(segmenter->options);
    options.inputs = inputs;
    drop_session(segmenter);
    close_package(&segmenter->sized);
    if (status == ST_OK) status = open_source(&segmenter->source, &options, segmenter->flags, &segmenter->sized);
    if (status == ST_OK) status = make_session(segmenter, &segmenter->sized);
    if (status != ST_OK) {
        status = fail_context(status, "the network for pictures of %s", text_get(&shape));
        drop_session(segmenter);
        close_package(&segmenter->sized);
    }
    text_free(&shape);
    segmenter->height = slice->height, segmenter->width = slice->width;
    return status;
}
static Status fit(Segmenter *segmenter, const PictureSlice *slice) {
    if (segmenter->opened.executable) return ST_OK;
    if (segmenter->session && segmenter->height == slice->height && segmenter->width == slice->width) return ST_OK;
    return open_sized(segmenter, slice);
}

Status segmenter_place(Segmenter *segmenter, const PictureSlice *slice, Arena *arena, float **framed) {
    TRY(fit(segmenter, slice));
    const Frame *input = &segmenter->input;
    *framed = arena_array(arena, (size_t)(input->channels * input->height * input->width), sizeof **framed);
    if (!*framed) return fail_memory((size_t)(input->channels * input->height * input->width) * sizeof **framed);
    segmenter->grey_repeated = segmenter->grey_repeated || (slice->channels == 1 && input->channels > 1);
    return preprocess_place(&segmenter->opened.pipeline, input, slice->planes, slice->channels, slice->height,
                            slice->width, *framed);
}
static void normalise_slice(Normaliser *normaliser, const float *framed, int64_t pixels) {
    normaliser_begin(normaliser);
    for (int pass = 0; pass < NORMALISE_PASSES; pass++) {
        normaliser_add(normaliser, framed, pixels);
        normaliser_end_pass(normaliser);
    }
}
Status segmenter_run(Segmenter *segmenter, const PictureSlice *slice, const Normaliser *volume, Arena *arena,
                     Segmented *out) {
    float *framed;
    TRY(segmenter_place(segmenter, slice, arena, &framed));
    const Pipeline *pipeline = &segmenter->opened.pipeline;
    const Frame *input = &segmenter->input, *output = &segmenter->output;
    const int64_t pixels = input->height * input->width;
    if (!volume && pipeline->normalise != NORMALISE_NONE) normalise_slice(segmenter->normaliser, framed, pixels);
    normaliser_apply(volume ? volume : segmenter->normaliser, framed, pixels);
    frame_from_planes(input, framed, segmenter->inputs[0].data);
    const uint64_t start = clock_ns();
    TRY(session_run(segmenter->session, segmenter->inputs, segmenter->outputs));
    *out = (Segmented){.classes = output->channels, .ms = clock_ms_since(start)};
    TRY(postprocess(pipeline, segmenter->threshold, input, output, segmenter->outputs[0].data, slice->height,
                    slice->width, arena, &out->probabilities, &out->mask));
    for (int64_t i = 0; i < slice->height * slice->width; i++) out->area += out->mask[i] != 0;
    return ST_OK;
}
