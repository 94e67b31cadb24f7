// MONAI's DynUNet (networks/nets/dynunet.py, blocks/dynunet_block.py; read in the version of June 2025):
//
//     input_block - downsamples.0 ... downsamples.N-1 - bottleneck - upsamples.0 ... upsamples.N - output_block
//
// upsamples.0 is the deepest. A block is conv1, norm1, activation, conv2, norm2, activation; of residual ones what they
// were made from, or conv3 and norm3 of it, is added before the last activation. The up-sampled stands in front of the
// skip. A transposed convolution's stride is its kernel; the strides on the way down have to be the same ones, which
// the package asks for. Padding is (kernel - stride + 1) / 2.
#include "import/torch/arch.h"

typedef struct Stride {
    int64_t dim[3];
} Stride;
static const Stride one = {{1, 1, 1}};

bool arch_dynunet_ignores(const char *name) {
    return text_starts(name, "skip_layers.") || text_starts(name, "deep_supervision_heads.");
}

static Status conv(Arch *arch, const char *prefix, const char *which, Stride stride, ValueId x, ValueId *out) {
    EmitWindow window = {.stride = {stride.dim[0], stride.dim[1], stride.dim[2]}};
    ArchName name = arch_name("%s.%s.conv", prefix, which);
    TRY(arch_window(arch, name.text, &window));
    for (int i = 0; i < window.spatial; i++) {
        const int64_t over = window.kernel[i] - stride.dim[i] + 1;
        if (over < 0) return arch_misfit(arch, "'%s.weight': expected a kernel of its stride at least", name.text);
        window.pad_begin[i] = window.pad_end[i] = over / 2;
    }
    return arch_conv(arch, name.text, x, &window, out);
}

static Status norm(Arch *arch, const char *prefix, const char *which, ValueId x, ValueId *out) {
    return arch_norm(arch, arch_name("%s.%s", prefix, which).text, x, out);
}

static Status activation(Arch *arch, const char *prefix, ValueId x, ValueId *out) {
    return arch_prelu(arch, arch_name("%s.lrelu", prefix).text, x, 0.01, out);
}

static Status residual_of(Arch *arch, const char *prefix, Stride stride, ValueId x, ValueId *out) {
    *out = x;
    if (!arch_has(arch, "%s.conv3.conv.weight", prefix)) return ST_OK;
    TRY(conv(arch, prefix, "conv3", stride, x, &x));
    return norm(arch, prefix, "norm3", x, out);
}

static Status block(Arch *arch, const char *prefix, Stride stride, bool residual, ValueId x, ValueId *out) {
    ValueId y, beside;
    TRY(conv(arch, prefix, "conv1", stride, x, &y));
    TRY(norm(arch, prefix, "norm1", y, &y));
    TRY(activation(arch, prefix, y, &y));
    TRY(conv(arch, prefix, "conv2", one, y, &y));
    TRY(norm(arch, prefix, "norm2", y, &y));
    if (residual) {
        TRY(residual_of(arch, prefix, stride, x, &beside));
        TRY(arch_add(arch, prefix, y, beside, &y));
    }
    return activation(arch, prefix, y, out);
}

// The kernel of upsamples.`up`, so the stride of what leads down to the level below.
static Status stride_of(Arch *arch, int up, Stride *out) {
    EmitWindow window = {0};
    TRY(arch_window(arch, arch_name("upsamples.%d.transp_conv.conv", up).text, &window));
    *out = one;
    for (int i = 0; i < window.spatial; i++) out->dim[i] = window.kernel[i];
    return ST_OK;
}

static Status up_block(Arch *arch, int up, ValueId skip, ValueId x, ValueId *out) {
    ArchName name = arch_name("upsamples.%d.transp_conv.conv", up);
    TRY(arch_up(arch, name.text, x, &x));
    TRY(arch_concat(arch, name.text, x, skip, &x));
    return block(arch, arch_name("upsamples.%d.conv_block", up).text, one, false, x, out);
}

// Whether blocks are residual: a block that changes strides or channels has a conv3 then.
static bool is_residual(const Arch *arch, int downs) {
    bool residual = arch_has(arch, "input_block.conv3.conv.weight") || arch_has(arch, "bottleneck.conv3.conv.weight");
    for (int i = 0; i < downs; i++) residual |= arch_has(arch, "downsamples.%d.conv3.conv.weight", i);
    return residual;
}

static Status go_down(Arch *arch, int downs, ValueId x, ValueId skips[ARCH_LEVELS + 1], ValueId *out) {
    const bool residual = is_residual(arch, downs);
    Stride stride;
    TRY(block(arch, "input_block", one, residual, x, &skips[0]));
    for (int i = 0; i < downs; i++) {
        TRY(stride_of(arch, downs - i, &stride));
        TRY(block(arch, arch_name("downsamples.%d", i).text, stride, residual, skips[i], &skips[i + 1]));
    }
    TRY(stride_of(arch, 0, &stride));
    return block(arch, "bottleneck", stride, residual, skips[downs], out);
}

Status arch_monai_dynunet(Arch *arch) {
    ValueId x, skips[ARCH_LEVELS + 1];
    const int downs = arch_count(arch, "downsamples.", 0, ".conv1.conv.weight");
    arch_tell(arch, "%d levels", downs + 2);
    arch_assume(arch, "strides of the transposed convolutions' kernels, 1 at the input");
    TRY(arch_begin(arch, "input_block.conv1.conv", &x));
    TRY(go_down(arch, downs, x, skips, &x));
    for (int up = 0; up <= downs; up++) TRY(up_block(arch, up, skips[downs - up], x, &x));
    TRY(arch_conv_same(arch, "output_block.conv.conv", x, &x));
    return arch_end(arch, x);
}
