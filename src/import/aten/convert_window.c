// Convolutions. x (n, ic, spatial...) or without n; weights (oc, ic / groups, k...), of transposed ones (ic, oc /
// groups, k...), as ours are.
#include "import/aten/convert.h"
#include <string.h>

// x with a batch; *added: it had none.
static Status with_batch(Call *call, ValueId x, int spatial, ValueId *out, bool *added) {
    int rank;
    TRY(aten_rank(call, x, &rank));
    FAIL_IF(rank != spatial + 2 && rank != spatial + 1, ST_BAD, "expected an input of %d or %d dims, got %d",
            spatial + 1, spatial + 2, rank);
    *added = rank == spatial + 1;
    *out = x;
    return *added ? aten_unsqueeze(call, x, 0, out) : ST_OK;
}

static Status give_batch(Call *call, ValueId y, bool added) {
    if (added) TRY(aten_squeeze(call, y, 0, &y));
    return aten_give(call, y);
}

static Status spatial_of(Call *call, ValueId weight, int *out) {
    TRY(aten_rank(call, weight, out));
    *out -= 2;
    FAIL_IF(*out < 1 || *out > 3, ST_BAD, "expected weights of 3 to 5 dims, got %d", *out + 2);
    return ST_OK;
}

// "same": what the windows reach beyond the input is shared out, the odd one at the end (Convolution.cpp).
static Status read_same(Call *call, ValueId weight, EmitWindow *window) {
    const char *text;
    TRY(aten_arg_text(call, "padding", &text));
    if (strcmp(text, "valid") == 0) return ST_OK;
    FAIL_IF(strcmp(text, "same") != 0, ST_BAD, "argument 'padding': expected numbers, 'same' or 'valid', got '%s'",
            text);
    for (int i = 0; i < window->spatial; i++) {
        const int64_t kernel = aten_type(call, weight)->dim[2 + i];
        FAIL_IF(window->stride[i] != 1, ST_BAD, "argument 'padding': 'same' goes with a stride of 1");
        FAIL_IF(kernel < 0 || kernel > INT32_MAX || window->dilation[i] > INT32_MAX, ST_UNSUPPORTED,
                "weights of a size that is not known");
        const int64_t total = window->dilation[i] * MAX(kernel - 1, 0);
        window->pad_begin[i] = total / 2;
        window->pad_end[i] = total - total / 2;
    }
    return ST_OK;
}

static Status read_numbers(Call *call, EmitWindow *window, bool dilates) {
    TRY(aten_arg_each(call, "stride", window->spatial, window->stride));
    if (dilates) TRY(aten_arg_each(call, "dilation", window->spatial, window->dilation));
    for (int i = 0; i < window->spatial; i++)
        FAIL_IF(window->stride[i] < 1 || (dilates && window->dilation[i] < 1), ST_BAD,
                "expected a stride and a dilation of at least 1");
    return ST_OK;
}

static Status read_window(Call *call, ValueId weight, bool grouped, EmitWindow *window) {
    *window = (EmitWindow){.group = 1};
    TRY(spatial_of(call, weight, &window->spatial));
    TRY(read_numbers(call, window, true));
    if (grouped) TRY(aten_arg_int(call, "groups", &window->group));
    FAIL_IF(window->group < 1, ST_BAD, "argument 'groups': expected at least 1, got %lld", (long long)window->group);
    if (aten_arg_is(call, "padding", ATEN_TEXT)) return read_same(call, weight, window);
    TRY(aten_arg_each(call, "padding", window->spatial, window->pad_begin));
    memcpy(window->pad_end, window->pad_begin, sizeof window->pad_end);
    return ST_OK;
}

static Status convolve(Call *call, bool transposed, bool grouped) {
    EmitWindow window;
    ValueId x, weight, bias, y;
    bool added;
    TRY(aten_arg_tensor(call, "input", &x));
    TRY(aten_arg_tensor(call, "weight", &weight));
    TRY(aten_arg_optional(call, "bias", &bias));
    TRY(read_window(call, weight, grouped, &window));
    TRY(with_batch(call, x, window.spatial, &x, &added));
    if (!transposed) TRY(emit_conv(&call->emit, x, weight, bias, &window, &y));
    else {
        TRY(aten_arg_each(call, "output_padding", window.spatial, window.output_padding));
        TRY(emit_conv_transpose(&call->emit, x, weight, bias, &window, &y));
    }
    return give_batch(call, y, added);
}

Status aten_convert_conv(Call *call) { return convolve(call, false, true); }
Status aten_convert_conv_transpose(Call *call) { return convolve(call, true, true); }

// convolution, _convolution: both.
Status aten_convert_convolution(Call *call) {
    bool transposed;
    TRY(aten_arg_bool(call, "transposed", &transposed));
    return convolve(call, transposed, true);
}
