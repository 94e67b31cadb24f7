// U-Nets of the classic form: two convolutions a level, maximum pooling on the way down, the skip joined on the way up.
// What differs between the families is a row: names, order of the concatenation, padding, activation, what ends it.
//
//     level 1   x - block ------------------------------- join - block - head
//     level 2        pool - block ------------- join - block - up
//     level 3                 pool - block - up
//
// Sources, of which nothing but the facts is here: github.com/milesial/Pytorch-UNet (unet/unet_parts.py, also as it was
// before 2019), github.com/mateuszbuda/brain-segmentation-pytorch (unet.py), MONAI (networks/nets/basic_unet.py), and
// two forms of U-Net that many people's scripts share.
#include "import/torch/arch.h"

typedef enum Part { ENCODER, UP, DECODER } Part;

typedef struct UNet UNet;
struct UNet {
    // The prefix of a part at a level, 1 is the top; the last of the levels has an encoder only.
    ArchName (*name)(Part part, int level, int levels);
    Status (*block)(Arch *arch, const UNet *unet, const char *prefix, ValueId x, ValueId *out);
    Status (*up)(Arch *arch, const UNet *unet, const char *prefix, ValueId x, ValueId *out);
    const char *counted[2]; // levels: as many as there are tensors of this prefix and suffix, numbered from 1,
    int more_levels;        // and more
    const char *first;      // convolution of the network
    const char *head;
    double slope; // of the activation; 0: ReLU
    ArchPad pad;
    bool skip_first; // in the concatenation
    bool no_decoder; // up, join, up, join ...
    bool sigmoid;    // at the end
};

// ---- blocks

// What Sequential(conv, norm, act, conv, norm, act) or Sequential(conv, act, conv, act) calls its members.
static Status double_conv(Arch *arch, const UNet *unet, const char *prefix, ValueId x, ValueId *out) {
    const bool plain = !arch_has(arch, "%s.1.running_mean", prefix) && arch_has(arch, "%s.2.weight", prefix);
    for (int i = 0; i < 2; i++) {
        const int conv = plain ? 2 * i : 3 * i;
        TRY(arch_conv_same(arch, arch_name("%s.%d", prefix, conv).text, x, &x));
        if (!plain) TRY(arch_batch_norm(arch, arch_name("%s.%d", prefix, conv + 1).text, x, &x));
        TRY(arch_relu(arch, arch_name("%s.%d", prefix, plain ? conv + 1 : conv + 2).text, x, unet->slope, &x));
    }
    *out = x;
    return ST_OK;
}

// An OrderedDict of "conv1", "norm1", "relu1", "conv2" ..., each with the block's name in front.
static Status named_conv(Arch *arch, const UNet *unet, const char *prefix, ValueId x, ValueId *out) {
    for (int i = 1; i <= 2; i++) {
        TRY(arch_conv_same(arch, arch_name("%sconv%d", prefix, i).text, x, &x));
        TRY(arch_batch_norm(arch, arch_name("%snorm%d", prefix, i).text, x, &x));
        TRY(arch_relu(arch, arch_name("%srelu%d", prefix, i).text, x, unet->slope, &x));
    }
    *out = x;
    return ST_OK;
}

// MONAI's TwoConv: convolution, then its ADN of normalisation and activation.
static Status two_conv(Arch *arch, const UNet *unet, const char *prefix, ValueId x, ValueId *out) {
    for (int i = 0; i < 2; i++) {
        TRY(arch_conv_same(arch, arch_name("%s.conv_%d.conv", prefix, i).text, x, &x));
        TRY(arch_norm(arch, arch_name("%s.conv_%d.adn.N", prefix, i).text, x, &x));
        TRY(arch_prelu(arch, arch_name("%s.conv_%d.adn.A", prefix, i).text, x, unet->slope, &x));
    }
    *out = x;
    return ST_OK;
}

// ---- on the way up

static Status up_transposed(Arch *arch, const UNet *unet, const char *prefix, ValueId x, ValueId *out) {
    (void)unet;
    return arch_up(arch, prefix, x, out);
}

static Status up_active(Arch *arch, const UNet *unet, const char *prefix, ValueId x, ValueId *out) {
    TRY(arch_up(arch, prefix, x, &x));
    return arch_relu(arch, prefix, x, unet->slope, out);
}

static Status up_either(Arch *arch, const UNet *unet, const char *prefix, ValueId x, ValueId *out) {
    (void)unet;
    const bool learnt = arch_has(arch, "%s.weight", prefix);
    arch_tell(arch, learnt ? "transposed convolutions" : "bilinear up-sampling");
    return learnt ? arch_up(arch, prefix, x, out) : arch_upsample(arch, prefix, x, out);
}

// MONAI's UpSample: "deconv", or "nontrainable" with a 1x1 convolution in front where the channels change.
static Status up_monai(Arch *arch, const UNet *unet, const char *prefix, ValueId x, ValueId *out) {
    (void)unet;
    const ArchName learnt = arch_name("%s.deconv", prefix), narrow = arch_name("%s.preconv", prefix);
    if (arch_has(arch, "%s.pixelshuffle.conv_block.weight", prefix)) {
        return arch_misfit(arch, "'%s': up-sampling by pixelshuffle is not had", prefix);
    }
    if (arch_has(arch, "%s.weight", learnt.text)) return arch_up(arch, learnt.text, x, out);
    arch_tell(arch, "up-sampling by interpolation");
    if (arch_has(arch, "%s.weight", narrow.text)) TRY(arch_conv_same(arch, narrow.text, x, &x));
    return arch_upsample(arch, prefix, x, out);
}

// ---- the walk

static Status walk_down(Arch *arch, const UNet *unet, int levels, ValueId x, ValueId skips[ARCH_LEVELS + 1]) {
    for (int level = 1; level <= levels; level++) {
        if (level > 1) TRY(arch_pool(arch, arch_name("pool%d", level - 1).text, x, &x));
        TRY(unet->block(arch, unet, unet->name(ENCODER, level, levels).text, x, &x));
        skips[level - 1] = x;
    }
    return ST_OK;
}

static Status step_up(Arch *arch, const UNet *unet, int level, int levels, ValueId skip, ValueId *x) {
    const ArchName up = unet->name(UP, level, levels), decoder = unet->name(DECODER, level, levels);
    TRY(unet->up(arch, unet, up.text, *x, x));
    TRY(arch_pad_like(arch, up.text, *x, skip, unet->pad, x));
    TRY(arch_concat(arch, up.text, unet->skip_first ? skip : *x, unet->skip_first ? *x : skip, x));
    return unet->no_decoder ? ST_OK : unet->block(arch, unet, decoder.text, *x, x);
}

static Status build_unet(Arch *arch, const UNet *unet) {
    ValueId x, skips[ARCH_LEVELS + 1];
    const int levels = arch_count(arch, unet->counted[0], 1, unet->counted[1]) + unet->more_levels;
    if (levels < 2 || levels > ARCH_LEVELS) {
        return arch_misfit(arch, "expected 2 to %d levels (tensors '%s1%s' ...), got %d", ARCH_LEVELS, unet->counted[0],
                           unet->counted[1], levels);
    }
    arch_tell(arch, "%d levels", levels);
    TRY(arch_begin(arch, unet->first, &x));
    TRY(walk_down(arch, unet, levels, x, skips));
    x = skips[levels - 1];
    for (int level = levels - 1; level >= 1; level--) TRY(step_up(arch, unet, level, levels, skips[level - 1], &x));
    TRY(arch_conv_same(arch, unet->head, x, &x));
    if (!unet->sigmoid) return arch_end(arch, x);
    Emit emit = {.graph = arch->graph, .layer = "sigmoid"};
    TRY(emit_unary(&emit, OP_Sigmoid, "", x, &x));
    return arch_end(arch, x);
}

// ---- milesial/Pytorch-UNet: the study's network too, and those that were made from it. The deepest "up" is the first.

static ArchName name_milesial(Part part, int level, int levels) {
    if (part == UP) return arch_name("up%d.up", levels - level);
    if (part == DECODER) return arch_name("up%d.conv.double_conv", levels - level);
    if (level == 1) return arch_name("inc.double_conv");
    return arch_name("down%d.maxpool_conv.1.double_conv", level - 1);
}

// Its names until 2019.
static ArchName name_old_milesial(Part part, int level, int levels) {
    if (part == UP) return arch_name("up%d.up", levels - level);
    if (part == DECODER) return arch_name("up%d.conv.conv", levels - level);
    if (level == 1) return arch_name("inc.conv.conv");
    return arch_name("down%d.mpconv.1.conv", level - 1);
}

Status arch_milesial(Arch *arch) {
    UNet unet = {.name = name_milesial,
                 .block = double_conv,
                 .up = up_either,
                 .counted = {"down", ".maxpool_conv.1.double_conv.0.weight"},
                 .more_levels = 1,
                 .first = "inc.double_conv.0",
                 .head = "outc.conv",
                 .pad = ARCH_PAD_ZERO,
                 .skip_first = true};
    if (!arch_has(arch, "inc.conv.conv.0.weight")) return build_unet(arch, &unet);
    unet.name = name_old_milesial;
    unet.counted[1] = ".mpconv.1.conv.0.weight";
    unet.first = "inc.conv.conv.0";
    return build_unet(arch, &unet);
}

// ---- mateuszbuda/brain-segmentation-pytorch

static ArchName name_brain(Part part, int level, int levels) {
    if (part == UP) return arch_name("upconv%d", level);
    if (part == DECODER) return arch_name("decoder%d.dec%d", level, level);
    if (level == levels) return arch_name("bottleneck.bottleneck");
    return arch_name("encoder%d.enc%d", level, level);
}

Status arch_brain_segmentation(Arch *arch) {
    const UNet unet = {.name = name_brain,
                       .block = named_conv,
                       .up = up_transposed,
                       .counted = {"upconv", ".weight"},
                       .more_levels = 1,
                       .first = "encoder1.enc1conv1",
                       .head = "conv",
                       .sigmoid = true};
    return build_unet(arch, &unet);
}

// ---- enc1 ... bottleneck ... up1, dec1, out_conv: the form that most scripts have. They differ in what ends them, a
// sigmoid or the loss's own; logits are what a pipeline can still make a probability of.

static ArchName name_enc_dec(Part part, int level, int levels) {
    if (part == UP) return arch_name("up%d", level);
    if (part == DECODER) return arch_name("dec%d", level);
    if (level == levels) return arch_name("bottleneck");
    return arch_name("enc%d", level);
}

Status arch_enc_dec(Arch *arch) {
    const UNet unet = {.name = name_enc_dec,
                       .block = double_conv,
                       .up = up_transposed,
                       .counted = {"enc", ".0.weight"},
                       .more_levels = 1,
                       .first = "enc1.0",
                       .head = "out_conv"};
    arch_assume(arch, "ReLU, maximum pooling by 2, the up-sampled in front of the skip, logits");
    return build_unet(arch, &unet);
}

// ---- encoder1.double_conv ... decoder1 ... final_conv: convolutions on the way down only. Known of scripts that
// segment vessels of the retina; there is another one of the same names whose first convolutions are dilated 3x3 ones.

static ArchName name_encoder_decoder(Part part, int level, int levels) {
    if (part == ENCODER) return arch_name("encoder%d.double_conv", level);
    return arch_name("decoder%d", levels - level);
}

Status arch_encoder_decoder(Arch *arch) {
    const UNet unet = {.name = name_encoder_decoder,
                       .block = double_conv,
                       .up = up_active,
                       .counted = {"encoder", ".double_conv.0.weight"},
                       .first = "encoder1.double_conv.0",
                       .head = "final_conv",
                       .slope = 0.01,
                       .skip_first = true,
                       .no_decoder = true,
                       .sigmoid = true};
    Shape shape;
    TRY(arch_shape(arch, &shape, "%s.weight", unet.first));
    if (shape.rank < 3 || shape.dim[2] != 5) {
        return arch_misfit(arch, "'%s.weight': expected a kernel of 5 (of one of 3 the dilation is not known)",
                           unet.first);
    }
    arch_assume(arch, "LeakyReLU of 0.01, maximum pooling by 2, the skip in front of the up-sampled, sigmoid");
    return build_unet(arch, &unet);
}

// ---- MONAI's BasicUNet: pads what odd sizes lack by repeating the edge

static ArchName name_basic(Part part, int level, int levels) {
    (void)levels;
    if (part == UP) return arch_name("upcat_%d.upsample", level);
    if (part == DECODER) return arch_name("upcat_%d.convs", level);
    if (level == 1) return arch_name("conv_0");
    return arch_name("down_%d.convs", level - 1);
}

Status arch_monai_basic_unet(Arch *arch) {
    const UNet unet = {.name = name_basic,
                       .block = two_conv,
                       .up = up_monai,
                       .counted = {"down_", ".convs.conv_0.conv.weight"},
                       .more_levels = 1,
                       .first = "conv_0.conv_0.conv",
                       .head = "final_conv",
                       .slope = 0.1,
                       .pad = ARCH_PAD_EDGE,
                       .skip_first = true};
    return build_unet(arch, &unet);
}
