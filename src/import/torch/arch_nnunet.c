// nnU-Net's networks (github.com/MIC-DKFZ/dynamic-network-architectures, read in the version of June 2026):
// PlainConvUNet, ResidualEncoderUNet and ResidualUNet.
//
//     encoder.stages.S.0.convs.C           plain: convolutions, each with normalisation and activation
//     encoder.stem, encoder.stages.S.blocks.B    residual: basic blocks (conv1, conv2) or bottlenecks (conv1 .. conv3)
//     decoder.transpconvs.T, decoder.stages.T.convs.C (or blocks.B), decoder.seg_layers.T      T = 0 is the deepest
//
// The first convolution of a stage is strided, by the kernel of the transposed convolution that leads back. A residual
// block's other way is an average pool of the stride, where that is not 1, and a 1x1 convolution with normalisation,
// where the channels change. The up-sampled stands in front of the skip. Of the heads only the last one counts.
// Modules are registered twice (all_modules, decoder.encoder): the tensors are the same.
#include "import/torch/arch.h"
#include <string.h>

static const double SLOPE = 0.01; // LeakyReLU's default, which nnU-Net keeps

typedef struct Stride {
    int64_t dim[3];
} Stride;
static const Stride one = {{1, 1, 1}};

bool arch_nnunet_ignores(const char *name) {
    return text_starts(name, "decoder.encoder.") || text_starts(name, "decoder.seg_layers.") ||
           strstr(name, ".all_modules.") != NULL;
}

// all_modules has the order: convolution 0, normalisation 1, activation. Dropout shifts what is behind it, so a
// normalisation at 2 stands behind a dropout or, with nonlin_first, behind the activation; one at 3 behind both.
static Status check_order(Arch *arch, const char *prefix) {
    if (arch_has(arch, "%s.all_modules.1.weight", prefix)) return ST_OK;
    if (arch_has(arch, "%s.all_modules.2.weight", prefix)) {
        arch_assume(arch, "normalisations in front of the activations");
    } else if (arch_has(arch, "%s.all_modules.3.weight", prefix)) {
        return arch_misfit(arch, "'%s': a normalisation behind the activation is not had", prefix);
    }
    return ST_OK;
}

// ConvDropoutNormReLU.
static Status conv_norm(Arch *arch, const char *prefix, Stride stride, bool active, ValueId x, ValueId *out) {
    const ArchName name = arch_name("%s.conv", prefix);
    EmitWindow window = {.stride = {stride.dim[0], stride.dim[1], stride.dim[2]}};
    TRY(check_order(arch, prefix));
    TRY(arch_window(arch, name.text, &window));
    TRY(arch_conv(arch, name.text, x, &window, &x));
    TRY(arch_norm(arch, arch_name("%s.norm", prefix).text, x, out));
    return active ? arch_prelu(arch, arch_name("%s.nonlin", prefix).text, *out, SLOPE, out) : ST_OK;
}

static Status stacked_convs(Arch *arch, const char *prefix, Stride stride, ValueId x, ValueId *out) {
    const int count = arch_count(arch, arch_name("%s.convs.", prefix).text, 0, ".conv.weight");
    if (count == 0) return arch_misfit(arch, "'%s.convs.0.conv.weight' is missing", prefix);
    for (int i = 0; i < count; i++) {
        TRY(conv_norm(arch, arch_name("%s.convs.%d", prefix, i).text, i == 0 ? stride : one, true, x, &x));
    }
    *out = x;
    return ST_OK;
}

// ---- residual blocks

static bool is_one(Stride stride) { return stride.dim[0] == 1 && stride.dim[1] == 1 && stride.dim[2] == 1; }

static Status average(Arch *arch, const char *layer, Stride stride, ValueId x, ValueId *out) {
    Emit emit = {.graph = arch->graph, .layer = layer};
    EmitWindow window = {.spatial = arch->spatial};
    for (int i = 0; i < arch->spatial; i++) window.kernel[i] = window.stride[i] = stride.dim[i];
    return emit_pool(&emit, OP_AveragePool, x, &window, out);
}

static Status other_way(Arch *arch, const char *prefix, Stride stride, ValueId x, ValueId *out) {
    ArchName name = arch_name("%s.skip.0", prefix);
    if (!is_one(stride)) {
        TRY(average(arch, name.text, stride, x, &x));
        name = arch_name("%s.skip.1", prefix);
    }
    *out = x;
    return arch_has(arch, "%s.conv.weight", name.text) ? conv_norm(arch, name.text, one, false, x, out) : ST_OK;
}

// BasicBlockD: conv1 is strided. BottleneckD: conv2 of three is.
static Status residual_block(Arch *arch, const char *prefix, Stride stride, ValueId x, ValueId *out) {
    ValueId beside, y = x;
    const bool bottleneck = arch_has(arch, "%s.conv3.conv.weight", prefix);
    const int count = bottleneck ? 3 : 2, strided = bottleneck ? 2 : 1;
    for (int i = 1; i <= count; i++) {
        TRY(conv_norm(arch, arch_name("%s.conv%d", prefix, i).text, i == strided ? stride : one, i < count, y, &y));
    }
    TRY(other_way(arch, prefix, stride, x, &beside));
    TRY(arch_add(arch, prefix, y, beside, &y));
    return arch_prelu(arch, arch_name("%s.nonlin%d", prefix, count).text, y, SLOPE, out);
}

static Status stacked_blocks(Arch *arch, const char *prefix, Stride stride, ValueId x, ValueId *out) {
    for (int i = 0; arch_has(arch, "%s.blocks.%d.conv1.conv.weight", prefix, i); i++) {
        TRY(residual_block(arch, arch_name("%s.blocks.%d", prefix, i).text, i == 0 ? stride : one, x, &x));
    }
    *out = x;
    return ST_OK;
}

// A stage of either kind.
static Status stage(Arch *arch, const char *prefix, Stride stride, ValueId x, ValueId *out) {
    return arch_has(arch, "%s.blocks.0.conv1.conv.weight", prefix) ? stacked_blocks(arch, prefix, stride, x, out)
                                                                   : stacked_convs(arch, prefix, stride, x, out);
}

// ---- the walk

// Of a stage of the encoder, 1 and deeper; `ups` transposed convolutions lead back.
static Status stride_of(Arch *arch, int s, int ups, Stride *out) {
    EmitWindow window = {0};
    *out = one;
    if (s == 0) return ST_OK;
    TRY(arch_window(arch, arch_name("decoder.transpconvs.%d", ups - s).text, &window));
    for (int i = 0; i < window.spatial; i++) out->dim[i] = window.kernel[i];
    return ST_OK;
}

static Status encode(Arch *arch, int ups, bool plain, ValueId x, ValueId skips[ARCH_LEVELS + 1]) {
    Stride stride;
    if (!plain) TRY(stacked_convs(arch, "encoder.stem", one, x, &x));
    for (int s = 0; s <= ups; s++) {
        const ArchName name = arch_name(plain ? "encoder.stages.%d.0" : "encoder.stages.%d", s);
        TRY(stride_of(arch, s, ups, &stride));
        TRY(stage(arch, name.text, stride, x, &x));
        skips[s] = x;
    }
    return ST_OK;
}

static Status decode(Arch *arch, int ups, const ValueId skips[ARCH_LEVELS + 1], ValueId *out) {
    ValueId x = skips[ups];
    for (int t = 0; t < ups; t++) {
        const ArchName name = arch_name("decoder.transpconvs.%d", t);
        TRY(arch_up(arch, name.text, x, &x));
        TRY(arch_concat(arch, name.text, x, skips[ups - 1 - t], &x));
        TRY(stage(arch, arch_name("decoder.stages.%d", t).text, one, x, &x));
    }
    return arch_conv_same(arch, arch_name("decoder.seg_layers.%d", ups - 1).text, x, out);
}

Status arch_nnunet(Arch *arch) {
    ValueId x, skips[ARCH_LEVELS + 1];
    const bool plain = arch_has(arch, "encoder.stages.0.0.convs.0.conv.weight");
    const int ups = arch_count(arch, "decoder.transpconvs.", 0, ".weight");
    if (ups < 1) return arch_misfit(arch, "'decoder.transpconvs.0.weight' is missing");
    arch_tell(arch, plain ? "PlainConvUNet" : "residual encoder");
    arch_tell(arch, "%d levels", ups + 1);
    arch_assume(arch, "strides of the transposed convolutions' kernels, 1 at the input");
    TRY(arch_begin(arch, plain ? "encoder.stages.0.0.convs.0.conv" : "encoder.stem.convs.0.conv", &x));
    TRY(encode(arch, ups, plain, x, skips));
    TRY(decode(arch, ups, skips, &x));
    return arch_end(arch, x);
}
