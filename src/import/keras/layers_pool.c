// Pooling, resizing, padding and cropping: what moves a window over the spatial dims.
#include "import/keras/layer.h"
#include <string.h>

// ---- pooling

// kind->number: spatial dims, and 16 for the mean.
static int spatial_of(const LayerCall *call) { return call->kind->number & 15; }
static bool is_mean(const LayerCall *call) { return call->kind->number & 16; }

Status keras_pool(LayerCall *call) {
    const int spatial = spatial_of(call);
    EmitWindow window = {.spatial = spatial};
    const char *padding;
    ValueId x, y;
    TRY(expect_layer_input(call, spatial + 2));
    TRY(config_sizes(call->config, "pool_size", spatial, 2, window.kernel));
    memcpy(window.stride, window.kernel, sizeof window.stride);
    if (config_get(call->config, "strides")) TRY(config_sizes(call->config, "strides", spatial, 0, window.stride));
    TRY(config_text(call->config, "padding", "valid", &padding));
    FAIL_IF(strcmp(padding, "valid") && strcmp(padding, "same"), ST_UNSUPPORTED, "padding '%s'", padding);
    window.same = *padding == 's';
    TRY(layer_to_first(call, call->x, &x));
    TRY(emit_pool(&call->emit, is_mean(call) ? OP_AveragePool : OP_MaxPool, x, &window, &y));
    return layer_from_first(call, y, &call->out[0]);
}

Status keras_global_pool(LayerCall *call) {
    const int spatial = spatial_of(call);
    int64_t axes[3];
    ValueId x, y, list;
    bool keep;
    TRY(expect_layer_input(call, spatial + 2));
    TRY(config_bool(call->config, "keepdims", false, &keep));
    TRY(layer_to_first(call, call->x, &x));
    TRY(emit_unary(&call->emit, is_mean(call) ? OP_GlobalAveragePool : OP_GlobalMaxPool, "pool", x, &y));
    if (keep) return layer_from_first(call, y, &call->out[0]);
    for (int i = 0; i < spatial; i++) axes[i] = 2 + i;
    TRY(emit_ints(&call->emit, "axes", axes, spatial, &list));
    return emit_binary(&call->emit, OP_Squeeze, "flat", y, list, &call->out[0]);
}

// ---- resizing

// TensorFlow's bilinear and nearest with half-pixel centres; a nearest one takes the element above where it is between
// two. Repeating each element is nearest by whole factors.
static Status resize_as(const LayerCall *call, const char *interpolation, EmitResize *out) {
    const bool is_linear = strcmp(interpolation, "bilinear") == 0;
    FAIL_IF(!is_linear && strcmp(interpolation, "nearest"), ST_UNSUPPORTED, "interpolation '%s'", interpolation);
    out->mode = is_linear ? "linear" : "nearest";
    out->coordinate = "half_pixel";
    out->nearest = is_linear ? NULL : "round_prefer_ceil";
    if (is_linear && (call->import->version < 2 || (call->import->version == 2 && call->import->minor < 3))) {
        call->import->notes.old_resize++;
    }
    return ST_OK;
}

Status keras_up_sampling(LayerCall *call) {
    const int spatial = call->kind->number;
    int64_t factors[3];
    double scales[3];
    const char *interpolation;
    EmitResize resize = {.scales = scales};
    ValueId x, y;
    TRY(expect_layer_input(call, spatial + 2));
    TRY(config_sizes(call->config, config_get(call->config, "size") ? "size" : "length", spatial, 2, factors));
    TRY(config_text(call->config, "interpolation", "nearest", &interpolation));
    TRY(resize_as(call, interpolation, &resize));
    if (strcmp(resize.mode, "nearest") == 0) {
        resize.coordinate = "asymmetric";
        resize.nearest = "floor";
    }
    for (int i = 0; i < spatial; i++) scales[i] = (double)factors[i];
    TRY(layer_to_first(call, call->x, &x));
    TRY(emit_resize(&call->emit, x, &resize, &y));
    return layer_from_first(call, y, &call->out[0]);
}

static Status read_target(const LayerCall *call, int64_t out[2]) {
    TRY(config_sizes(call->config, "height", 1, 0, &out[0]));
    return config_sizes(call->config, "width", 1, 0, &out[1]);
}

Status keras_resizing(LayerCall *call) {
    int64_t sizes[2];
    const char *interpolation;
    EmitResize resize = {.sizes = sizes};
    ValueId x, y;
    bool crops, pads, smooths;
    TRY(expect_layer_input(call, 4));
    TRY(read_target(call, sizes));
    TRY(config_bool(call->config, "crop_to_aspect_ratio", false, &crops));
    TRY(config_bool(call->config, "pad_to_aspect_ratio", false, &pads));
    TRY(config_bool(call->config, "antialias", false, &smooths));
    FAIL_IF(crops || pads || smooths, ST_UNSUPPORTED, "resizing that keeps the aspect ratio or smooths");
    TRY(config_text(call->config, "interpolation", "bilinear", &interpolation));
    TRY(resize_as(call, interpolation, &resize));
    TRY(layer_to_first(call, call->x, &x));
    TRY(emit_resize(&call->emit, x, &resize, &y));
    return layer_from_first(call, y, &call->out[0]);
}

// ---- padding and cropping

static bool is_pair(const Json *json, int64_t out[2]) {
    return json->type == JSON_ARRAY && json->count == 2 && json_integer_of(&json->items[0], &out[0]) &&
           json_integer_of(&json->items[1], &out[1]);
}

// "padding", "cropping": n, or for each dim n or [before, after]; in one dim [before, after].
static Status read_sides(const LayerCall *call, const char *key, int spatial, int64_t otherwise, int64_t sides[][2]) {
    const Json *json = config_get(call->config, key);
    int64_t all = otherwise;
    const bool is_number = !json || json_integer_of(json, &all);
    for (int i = 0; i < spatial; i++) sides[i][0] = sides[i][1] = all;
    if (is_number || (spatial == 1 && is_pair(json, sides[0]))) return ST_OK;
    FAIL_IF(json->type != JSON_ARRAY || json->count != (size_t)spatial, ST_BAD,
            "'%s': expected a number, or %d numbers or pairs of them", key, spatial);
    for (int i = 0; i < spatial; i++) {
        const bool is_same = json_integer_of(&json->items[i], &sides[i][0]);
        if (is_same) sides[i][1] = sides[i][0];
        FAIL_IF(!is_same && !is_pair(&json->items[i], sides[i]), ST_BAD, "'%s': expected numbers or pairs of them",
                key);
    }
    return ST_OK;
}

// sign -1: cropping. In the layout that the input has.
static Status pad_sides(LayerCall *call, const char *key, int sign) {
    const int spatial = call->kind->number;
    int64_t sides[3][2], begin[MAX_RANK] = {0}, end[MAX_RANK] = {0};
    bool is_first;
    TRY(expect_layer_input(call, spatial + 2));
    TRY(layer_is_first(call, &is_first));
    TRY(read_sides(call, key, spatial, 1, sides));
    const Type type = *type_of(call, call->x);
    for (int i = 0; i < spatial; i++) {
        const int axis = (is_first ? 2 : 1) + i;
        FAIL_IF(sides[i][0] < 0 || sides[i][1] < 0 || sides[i][0] > INT32_MAX || sides[i][1] > INT32_MAX, ST_BAD,
                "'%s': expected numbers from 0 on", key);
        FAIL_IF(sign < 0 && type.dim[axis] >= 0 && sides[i][0] + sides[i][1] >= type.dim[axis], ST_BAD,
                "'%s': expected less than the %lld elements of axis %d, got %lld", key, (long long)type.dim[axis], axis,
                (long long)(sides[i][0] + sides[i][1]));
        begin[axis] = sign * sides[i][0];
        end[axis] = sign * sides[i][1];
    }
    return emit_pad(&call->emit, sign < 0 ? "cropped" : "padded", call->x, begin, end, "constant", 0, &call->out[0]);
}

Status keras_zero_padding(LayerCall *call) { return pad_sides(call, "padding", 1); }
Status keras_cropping(LayerCall *call) { return pad_sides(call, "cropping", -1); }

Status keras_center_crop(LayerCall *call) {
    int64_t sizes[2], begin[MAX_RANK] = {0}, end[MAX_RANK] = {0};
    bool is_first;
    TRY(expect_layer_input(call, 4));
    TRY(read_target(call, sizes));
    TRY(layer_is_first(call, &is_first));
    const Type type = *type_of(call, call->x);
    for (int i = 0; i < 2; i++) {
        const int axis = (is_first ? 2 : 1) + i;
        const int64_t left = type.dim[axis] - sizes[i];
        FAIL_IF(type.dim[axis] < 0 || left < 0, ST_UNSUPPORTED,
                "a crop of an image that is smaller, or of a size that is not known");
        begin[axis] = -(left / 2);
        end[axis] = -(left - left / 2);
    }
    return emit_pad(&call->emit, "cropped", call->x, begin, end, "constant", 0, &call->out[0]);
}
