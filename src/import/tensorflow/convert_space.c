// Operations on the spatial dims: resizing, channels to space, padding.
#include "import/limits.h"
#include "import/tensorflow/convert.h"
#include <string.h>

// ---- resizing

// Where an element of the output is looked for. TensorFlow's nearest rounds halves up where corners are aligned, and
// takes the element that (x + 1/2) * scale falls into where pixels have centres.
static Status read_mode(const Call *call, bool linear, EmitResize *out) {
    bool corners, centres;
    TRY(tf_call_attr_bool(call, "align_corners", false, &corners));
    TRY(tf_call_attr_bool(call, "half_pixel_centers", false, &centres));
    FAIL_IF(corners && centres, ST_BAD, "expected align_corners or half_pixel_centers, got both");
    *out = (EmitResize){.mode = linear ? "linear" : "nearest",
                        .coordinate = corners   ? "align_corners"
                                      : centres ? "half_pixel"
                                                : "asymmetric",
                        .nearest = corners || centres ? "round_prefer_ceil" : "floor"};
    return ST_OK;
}

// images (n, h, w, c), size (2).
Status tf_convert_resize(Call *call) {
    const Layout layout = {.last = true, .spatial = 2};
    const bool linear = strcmp(call->node->op, "ResizeBilinear") == 0;
    static const int64_t axes[] = {2, 3};
    EmitResize mode;
    ValueId inputs[4] = {NO_VALUE, NO_VALUE, NO_VALUE, NO_VALUE}, y;
    TRY(tf_call_expect(call, 2, 2));
    TRY(read_mode(call, linear, &mode));
    TRY(tf_call_input(call, 0, &inputs[0]));
    TRY(tf_call_input(call, 1, &inputs[3]));
    if (linear && tf_call_type(call, 0)->dtype != DT_NONE)
        TRY(tf_call_cast(call, "float", inputs[0], DT_F32, &inputs[0]));
    TRY(tf_call_int64(call, inputs[3], true, &inputs[3]));
    TRY(tf_call_first(call, &layout, inputs[0], &inputs[0]));
    TRY(emit_node(&call->emit, OP_Resize, "resize", inputs, 4,
                  ATTRS(ATTR_S("mode", mode.mode), ATTR_S("coordinate_transformation_mode", mode.coordinate),
                        ATTR_S("nearest_mode", mode.nearest), ATTR_L("axes", axes, 2)),
                  &y));
    return tf_call_give_last(call, &layout, y);
}

// DepthToSpace, SpaceToDepth: the channels hold a block's rows, its columns, then what were channels.
Status tf_convert_depth_to_space(Call *call) {
    Layout layout;
    ValueId x, y;
    int64_t block;
    TRY(tf_call_expect(call, 1, 1));
    TRY(tf_call_layout(call, 2, &layout));
    TRY(tf_call_attr_int(call, "block_size", 0, &block));
    TRY(tf_call_input(call, 0, &x));
    TRY(tf_call_first(call, &layout, x, &x));
    TRY(emit_node(&call->emit, call->op, "blocks", &x, 1, ATTRS(ATTR_I("blocksize", block)), &y));
    return tf_call_give_last(call, &layout, y);
}

// ---- padding

// Paddings (rank, 2) as the list that Pad takes: the beginnings, then the ends.
static Status pad_list(Call *call, ValueId *out) {
    static const int perm[] = {1, 0};
    static const int64_t flat = -1;
    ValueId paddings;
    const Tensor *constant;
    TRY(tf_call_input(call, 1, &paddings));
    FAIL_IF(tf_call_type(call, 1)->rank != 2, ST_BAD, "expected paddings (dims, 2), got a value of %d dims",
            tf_call_type(call, 1)->rank);
    if ((constant = emit_constant(&call->emit, paddings))) {
        FAIL_IF(tensor_bytes(constant) > 4096, ST_BAD, "expected paddings of a few dims");
        TRY(emit_permuted(&call->emit, "paddings", constant, perm, &paddings));
    } else TRY(emit_transpose(&call->emit, "paddings", paddings, perm, &paddings));
    TRY(emit_reshape(&call->emit, "list", paddings, &flat, 1, &paddings));
    return tf_call_int64(call, paddings, true, out);
}

// Pad, PadV2 (with the value), and the constant paddings of most as a constant.
static Status pad(Call *call, const char *mode, ValueId value) {
    int64_t list[2 * MAX_RANK], pads[2 * MAX_RANK];
    int count;
    ValueId inputs[3] = {NO_VALUE, NO_VALUE, value}, y;
    TRY(tf_call_input(call, 0, &inputs[0]));
    if (tf_call_is_known(call, 1)) {
        TRY(tf_call_known_ints(call, 1, "paddings", 2 * MAX_RANK, list, &count));
        for (int i = 0; i < count / 2; i++) pads[i] = list[2 * i], pads[count / 2 + i] = list[2 * i + 1];
        for (int i = 0; i < count; i++)
            FAIL_IF(list[i] < 0, ST_BAD, "expected paddings from 0, got %lld", (long long)list[i]);
        FAIL_IF(count % 2, ST_BAD, "expected two paddings for each dim, got %d in all", count);
        TRY(emit_ints(&call->emit, "pads", pads, count, &inputs[1]));
    } else TRY(pad_list(call, &inputs[1]));
    TRY(emit_node(&call->emit, OP_Pad, "", inputs, value == NO_VALUE ? 2 : 3, ATTRS(ATTR_S("mode", mode)), &y));
    return tf_call_give(call, y);
}

Status tf_convert_pad(Call *call) {
    ValueId value = NO_VALUE;
    TRY(tf_call_expect(call, 2, 3));
    if (call->n_inputs == 3) TRY(tf_call_input(call, 2, &value));
    return pad(call, "constant", value);
}

// SYMMETRIC repeats the edge itself: for a single element that is what "edge" does.
Status tf_convert_mirror_pad(Call *call) {
    const char *mode;
    int64_t list[2 * MAX_RANK];
    int count;
    TRY(tf_call_expect(call, 2, 2));
    TRY(tf_call_attr_text(call, "mode", "", &mode));
    if (strcmp(mode, "REFLECT") == 0) return pad(call, "reflect", NO_VALUE);
    FAIL_IF(strcmp(mode, "SYMMETRIC") != 0, ST_BAD, "attribute 'mode': expected REFLECT or SYMMETRIC, got '%s'", mode);
    TRY(tf_call_known_ints(call, 1, "paddings", 2 * MAX_RANK, list, &count));
    for (int i = 0; i < count; i++)
        FAIL_IF(list[i] > 1, ST_UNSUPPORTED, "mode SYMMETRIC with paddings above 1 is not supported");
    return pad(call, "edge", NO_VALUE);
}
