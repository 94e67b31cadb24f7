// Resizing, and blocks of pixels as channels.
#include "import/tflite/convert.h"

// The nearest element is floor(i * scale), floor((i + 1/2) * scale) with centres of pixels, the rounded one (halves
// up) with aligned corners; the middle one is round(x - 1/2), halves up, of the coordinate x - 1/2 = half_pixel.
static Status coordinates(const Call *call, bool bilinear, const char **coordinate, const char **nearest) {
    const int first = bilinear ? 2 : 0; // two fields of bilinear are obsolete
    const bool corners = fb_uint8(call->options, first, 0), centres = fb_uint8(call->options, first + 1, 0);
    FAIL_IF(corners && centres, ST_BAD, "expected aligned corners or half pixel centres, got both");
    *coordinate = corners ? "align_corners" : centres ? "half_pixel" : "asymmetric";
    *nearest = corners || centres ? "round_prefer_ceil" : "floor";
    return ST_OK;
}

// The sizes are computed in the run.
static Status resize_computed(Call *call, ValueId first, const EmitResize *resize, ValueId *y) {
    ValueId inputs[] = {first, NO_VALUE, NO_VALUE, NO_VALUE};
    const int64_t axes[] = {2, 3};
    TRY(tfl_call_list(call, 1, &inputs[3]));
    return emit_node(&call->emit, OP_Resize, "resize", inputs, 4,
                     ATTRS(ATTR_S("mode", resize->mode), ATTR_S("coordinate_transformation_mode", resize->coordinate),
                           ATTR_S("nearest_mode", resize->nearest), ATTR_L("axes", axes, 2)),
                     y);
}

Status tfl_convert_resize(Call *call) {
    enum { RESIZE_BILINEAR = 23 };
    const bool bilinear = call->row->code == RESIZE_BILINEAR;
    EmitResize resize = {.mode = bilinear ? "linear" : "nearest"};
    ValueId x, sizes, y;
    int rank, count;
    int64_t list[2];
    bool known[2] = {false};
    TRY(coordinates(call, bilinear, &resize.coordinate, &resize.nearest));
    TRY(tfl_call_rank(call, 0, &rank));
    FAIL_IF(rank != 4, ST_BAD, "input 0: expected 4 dims, got %d", rank);
    TRY(tfl_call_value(call, 0, &x));
    TRY(tfl_call_value(call, 1, &sizes));
    tfl_known_ints(call->builder->graph, sizes, 2, list, known, &count);
    TRY(emit_first(&call->emit, x, &x));
    resize.sizes = list;
    if (count == 2 && known[0] && known[1]) TRY(emit_resize(&call->emit, x, &resize, &y));
    else TRY(resize_computed(call, x, &resize, &y));
    TRY(tfl_call_activate(call, y, ACTIVATION_NONE, &y));
    TRY(emit_last(&call->emit, y, &y));
    return tfl_call_give(call, 0, y);
}

Status tfl_convert_depth_space(Call *call) {
    ValueId x, y;
    int rank;
    const int64_t block = fb_int32(call->options, 0, 0);
    FAIL_IF(block < 1, ST_BAD, "expected a block of at least 1, got %lld", (long long)block);
    TRY(tfl_call_rank(call, 0, &rank));
    FAIL_IF(rank != 4, ST_BAD, "input 0: expected 4 dims, got %d", rank);
    TRY(tfl_call_value(call, 0, &x));
    TRY(emit_first(&call->emit, x, &x));
    TRY(emit_node(&call->emit, call->row->op, "blocks", &x, 1, ATTRS(ATTR_I("blocksize", block)), &y));
    TRY(emit_last(&call->emit, y, &y));
    return tfl_call_give(call, 0, y);
}
