// MONAI's UNet (networks/nets/unet.py, blocks/convolutions.py; read in the version of June 2025). Each level is
// Sequential(down, SkipConnection(next level), up), so that names grow with the depth:
//
//     model.0                        down: strided convolution, or a residual unit of several
//     model.1.submodule.0            the next level's down ...
//     model.1.submodule.1.submodule  the bottom: as a down, of stride 1
//     model.2                        up: transposed convolution, then a residual unit where downs are such
//
// The skip stands first in the concatenation. Padding is (kernel - 1) / 2, output padding stride - 1. The tensors don't
// tell strides: a residual unit with stride 1 has a 1x1 convolution beside it, or none; any other stride is taken
// for 2.
#include "import/torch/arch.h"
#include <string.h>

// Convolution, then its ADN. The activation has to be a PReLU: no other one leaves a trace.
static Status activated(Arch *arch, const char *prefix, ValueId x, ValueId *out) {
    const ArchName name = arch_name("%s.adn.A", prefix);
    TRY(arch_norm(arch, arch_name("%s.adn.N", prefix).text, x, &x));
    if (!arch_has(arch, "%s.weight", name.text)) {
        return arch_misfit(arch, "'%s.weight' is missing (the slope of PReLU; another activation is not known)",
                           name.text);
    }
    return arch_prelu(arch, name.text, x, 0, out);
}

static void set_stride(EmitWindow *window, int64_t stride) {
    for (int i = 0; i < 3; i++) window->stride[i] = stride;
}

static Status strided_conv(Arch *arch, const char *conv, int64_t stride, ValueId x, ValueId *out) {
    EmitWindow window = {0};
    TRY(arch_window(arch, conv, &window));
    set_stride(&window, stride);
    return arch_conv(arch, conv, x, &window, out);
}

static bool is_pointwise(const Shape *weight) {
    bool pointwise = true;
    for (int i = 2; i < weight->rank; i++) pointwise &= weight->dim[i] == 1;
    return pointwise;
}

// By the convolution that stands beside a residual unit; with 1x1 units it does not tell.
static Status unit_stride(Arch *arch, const char *prefix, int64_t *stride) {
    Shape unit, beside;
    *stride = 1;
    if (!arch_has(arch, "%s.residual.weight", prefix)) return ST_OK;
    TRY(arch_shape(arch, &unit, "%s.conv.unit0.conv.weight", prefix));
    TRY(arch_shape(arch, &beside, "%s.residual.weight", prefix));
    if (is_pointwise(&beside) && !is_pointwise(&unit)) return ST_OK;
    arch_assume(arch, "strides of 2");
    *stride = 2;
    return ST_OK;
}

// Convolutions one behind the other, the first one strided, and what they were made from added. last_only: the last one
// has neither normalisation nor activation.
static Status residual_unit(Arch *arch, const char *prefix, int64_t stride, bool last_only, ValueId x, ValueId *out) {
    const ArchName beside = arch_name("%s.residual", prefix);
    const int units = arch_count(arch, arch_name("%s.conv.unit", prefix).text, 0, ".conv.weight");
    ValueId residual = x;
    for (int i = 0; i < units; i++) {
        TRY(strided_conv(arch, arch_name("%s.conv.unit%d.conv", prefix, i).text, i == 0 ? stride : 1, x, &x));
        if (last_only && i == units - 1) continue;
        TRY(activated(arch, arch_name("%s.conv.unit%d", prefix, i).text, x, &x));
    }
    if (arch_has(arch, "%s.weight", beside.text)) TRY(strided_conv(arch, beside.text, stride, residual, &residual));
    return arch_add(arch, prefix, x, residual, out);
}

static bool has_units(const Arch *arch, const char *prefix) {
    return arch_has(arch, "%s.conv.unit0.conv.weight", prefix);
}

static Status down(Arch *arch, const char *prefix, bool bottom, ValueId x, int64_t *stride, ValueId *out) {
    *stride = 1;
    if (has_units(arch, prefix)) {
        if (!bottom) TRY(unit_stride(arch, prefix, stride));
        return residual_unit(arch, prefix, *stride, false, x, out);
    }
    if (!bottom) {
        arch_assume(arch, "strides of 2");
        *stride = 2;
    }
    TRY(strided_conv(arch, arch_name("%s.conv", prefix).text, *stride, x, &x));
    return activated(arch, prefix, x, out);
}

static Status transposed(Arch *arch, const char *prefix, int64_t stride, ValueId x, ValueId *out) {
    EmitWindow window = {0};
    ArchName name = arch_name("%s.conv", prefix);
    TRY(arch_window(arch, name.text, &window));
    set_stride(&window, stride);
    for (int i = 0; i < 3; i++) window.output_padding[i] = stride - 1;
    return arch_conv_transpose(arch, name.text, x, &window, out);
}

static Status up(Arch *arch, const char *prefix, bool top, int64_t stride, ValueId x, ValueId *out) {
    const ArchName conv = arch_name("%s.0", prefix), unit = arch_name("%s.1", prefix);
    if (has_units(arch, unit.text)) {
        TRY(transposed(arch, conv.text, stride, x, &x));
        TRY(activated(arch, conv.text, x, &x));
        return residual_unit(arch, unit.text, 1, top, x, out);
    }
    TRY(transposed(arch, prefix, stride, x, &x));
    if (!top) return activated(arch, prefix, x, out);
    *out = x;
    return ST_OK;
}

// "model", then ".1.submodule" for each level below the top.
static ArchName level_prefix(int level) {
    ArchName prefix = {"model"};
    for (int i = 0; i < level; i++) strcat(prefix.text, ".1.submodule"); // ARCH_LEVELS of them fit
    return prefix;
}
_Static_assert(ARCH_LEVELS * sizeof ".1.submodule" + sizeof "model" < ARCH_NAME, "names of the deepest level");

static bool is_bottom(const Arch *arch, const char *prefix) {
    return has_units(arch, prefix) || arch_has(arch, "%s.conv.weight", prefix);
}

typedef struct Levels {
    ValueId skip[ARCH_LEVELS];
    int64_t stride[ARCH_LEVELS];
    int count; // above the bottom
} Levels;

static Status go_down(Arch *arch, ValueId x, Levels *levels, ValueId *out) {
    int64_t stride;
    for (levels->count = 0; levels->count < ARCH_LEVELS; levels->count++) {
        const ArchName prefix = level_prefix(levels->count);
        if (is_bottom(arch, prefix.text)) return down(arch, prefix.text, true, x, &stride, out);
        TRY(down(arch, arch_name("%s.0", prefix.text).text, false, x, &levels->stride[levels->count], &x));
        levels->skip[levels->count] = x;
    }
    return arch_misfit(arch, "expected at most %d levels", ARCH_LEVELS);
}

static Status go_up(Arch *arch, const Levels *levels, ValueId x, ValueId *out) {
    for (int level = levels->count - 1; level >= 0; level--) {
        const ArchName prefix = level_prefix(level);
        TRY(arch_concat(arch, prefix.text, levels->skip[level], x, &x));
        TRY(up(arch, arch_name("%s.2", prefix.text).text, level == 0, levels->stride[level], x, &x));
    }
    *out = x;
    return ST_OK;
}

Status arch_monai_unet(Arch *arch) {
    Levels levels;
    ValueId x;
    TRY(arch_begin(arch, has_units(arch, "model.0") ? "model.0.conv.unit0.conv" : "model.0.conv", &x));
    TRY(go_down(arch, x, &levels, &x));
    arch_tell(arch, "%d levels", levels.count + 1);
    TRY(go_up(arch, &levels, x, &x));
    return arch_end(arch, x);
}
