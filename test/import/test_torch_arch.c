// Networks from the names and shapes of PyTorch's weights. Each family is built small; what has to be there is counted,
// sizes are bound, and who stands first in a concatenation is looked up. The numbers are compared with the packages
// themselves in test/frameworks.
#include "base/file.h"
#include "import/torch_network.h"
#include "reference/reference.h"

// ---- milesial

// format: with one "%d", or none.
static void number(char name[NAME], const char *format, int number) {
    const char *at = strstr(format, "%d");
    if (at) named(name, "%.*s%d%s", (int)(at - format), format, number, at + 2);
    else named(name, "%s", format);
}

static void put_double(Made *made, const char *prefix, int64_t oc, int64_t ic, const char *kernel) {
    char name[NAME];
    named(name, "%s.0", prefix);
    put_conv(made, name, oc, ic, kernel);
    named(name, "%s.1", prefix);
    put_norm(made, name, oc);
    named(name, "%s.3", prefix);
    put_conv(made, name, oc, oc, "3");
    named(name, "%s.4", prefix);
    put_norm(made, name, oc);
}

// Widths 2, 4, ... old: the names until 2019.
static Made *milesial(int levels, bool learnt, bool old) {
    Made *made = made_new(2, true);
    const char *down = old ? "down%d.mpconv.1.conv" : "down%d.maxpool_conv.1.double_conv";
    const char *up = old ? "up%d.conv.conv" : "up%d.conv.double_conv";
    char name[NAME];
    int64_t width = 2;
    put_double(made, old ? "inc.conv.conv" : "inc.double_conv", width, 3, "3");
    for (int i = 1; i < levels; i++, width *= 2) {
        number(name, down, i);
        put_double(made, name, 2 * width, width, "3");
    }
    for (int i = 1; i < levels; i++, width /= 2) {
        number(name, "up%d.up", i);
        if (learnt) put_up(made, name, width, width / 2, "2");
        number(name, up, i);
        put_double(made, name, width / 2, learnt ? width : width + width / 2, "3");
    }
    put_conv(made, "outc.conv", 1, 2, "1");
    return made;
}

TEST(milesial_bilinear) {
    Made *made = milesial(3, false, false);
    Network network = network_of(made);
    check_ops(&network, "Conv 11, BatchNormalization 10, Relu 10, MaxPool 2, Resize 2, Pad 2, Concat 2");
    check_notes(&network, "U-Net as in milesial/Pytorch-UNet, 3 levels, bilinear up-sampling");
    check_joined(&network, 1, OP_Resize);
    CHECK_TEXT(node_string(node_of(&network, "up1.up.resize"), "coordinate_transformation_mode", ""), "align_corners");
    check_size(&network, "2x3x32x48", "2x1x32x48");
    network_free(&network);
    made_free(made);
}

// Sizes that pooling rounds down: what is missing is added behind.
TEST(milesial_odd_sizes) {
    Made *made = milesial(3, false, false);
    Network network = network_of(made);
    check_size(&network, "1x3x33x47", "1x1x33x47");
    const Tensor *pads = node_constant(network.graph, node_of(&network, "up2.up.pad"), 1);
    REQUIRE(pads && tensor_count(pads) == 4);
    for (int i = 0; i < 4; i++) CHECK_INT(tensor_get_int(pads, i), i < 2 ? 0 : 1);
    network_free(&network);
    made_free(made);
}

TEST(milesial_transposed) {
    Made *made = milesial(5, true, false);
    Network network = network_of(made);
    check_ops(&network, "Conv 19, ConvTranspose 4, BatchNormalization 18, Relu 18, MaxPool 4, Pad 4, Concat 4");
    check_notes(&network, "U-Net as in milesial/Pytorch-UNet, 5 levels, transposed convolutions");
    check_joined(&network, 1, OP_ConvTranspose);
    check_size(&network, "1x3x70x50", "1x1x70x50");
    network_free(&network);
    made_free(made);
}

TEST(milesial_before_2019) {
    Made *made = milesial(3, false, true);
    Network network = network_of(made);
    check_ops(&network, "Conv 11, BatchNormalization 10, Relu 10, MaxPool 2, Resize 2, Pad 2, Concat 2");
    network_free(&network);
    made_free(made);
}

// Weights of another float type are converted; those of float32 stay where they are.
TEST(half_floats_become_float32) {
    Made *made = milesial(2, false, false);
    TorchTensor *bias = made_find(made, "outc.conv.bias");
    CHECK_OK(tensor_make(&made->arena, DT_F16, bias->tensor.shape, &bias->tensor));
    tensor_set(&bias->tensor, 0, 1.5);
    Network network = network_of(made);
    const Tensor *constant = network.graph->values[graph_find(network.graph, "outc.conv.bias")].constant;
    REQUIRE(constant);
    CHECK(constant->dtype == DT_F32 && tensor_get(constant, 0) == 1.5);
    const Tensor *weight = network.graph->values[graph_find(network.graph, "outc.conv.weight")].constant;
    CHECK(weight->data == made_find(made, "outc.conv.weight")->tensor.data);
    network_free(&network);
    made_free(made);
}

TEST(milesial_misfits) {
    Made *made = milesial(3, false, false);
    made_remove(made, "up1.conv.double_conv.0.weight");
    refuse(made, "it looks like the U-Net as in milesial/Pytorch-UNet, but 'up1.conv.double_conv.0.weight' is missing|"
                 "its tensors: inc.double_conv.0.weight 2x3x3x3|and |others|torch.onnx.export|--arch FILE");
    made = milesial(3, false, false);
    made_remove(made, "inc.double_conv.0.weight"); // the second sign tells the family
    refuse(made, "'inc.double_conv.0.weight' is missing");
    made = milesial(3, false, false);
    made_find(made, "up1.conv.double_conv.0.weight")->tensor.shape = shape_of(4, (int64_t[]){4, 11, 3, 3});
    refuse(made, "'up1.conv.double_conv.0.weight': expected ?x12x?x?, got 4x11x3x3");
    made = milesial(3, false, false);
    made_find(made, "outc.conv.bias")->tensor.shape = shape_of(1, (int64_t[]){7});
    refuse(made, "'outc.conv.bias': expected 1, got 7");
    made = milesial(3, false, false);
    put_conv(made, "att1.W_g.0", 2, 2, "1"); // an attention gate that the family has not
    refuse(made, "'att1.W_g.0.weight' has no place in it");
    made = milesial(3, false, false);
    made_find(made, "outc.conv.weight")->tensor.dtype = DT_I32;
    refuse(made, "'outc.conv.weight': expected floats, got int32");
    made = milesial(1, false, false);
    refuse(made, "expected 2 to 16 levels");
}

// ---- scripts

static void put_brain(Made *made, const char *prefix, int64_t oc, int64_t ic) {
    char name[NAME];
    for (int k = 1; k <= 2; k++) {
        named(name, "%sconv%d", prefix, k);
        put_kernel(made, name, oc, k == 1 ? ic : oc, "3", 0);
        named(name, "%snorm%d", prefix, k);
        put_norm(made, name, oc);
    }
}

static Made *brain(int levels) {
    Made *made = made_new(2, true);
    char name[NAME];
    for (int i = 1; i < levels; i++) {
        named(name, "encoder%d.enc%d", i, i);
        put_brain(made, name, 2 * i, i == 1 ? 3 : 2 * i - 2);
    }
    put_brain(made, "bottleneck.bottleneck", 2 * levels, 2 * levels - 2);
    for (int i = levels - 1; i >= 1; i--) {
        named(name, "upconv%d", i);
        put_up(made, name, 2 * i + 2, 2 * i, "2");
        named(name, "decoder%d.dec%d", i, i);
        put_brain(made, name, 2 * i, 4 * i);
    }
    put_conv(made, "conv", 1, 2, "1");
    return made;
}

TEST(brain_segmentation) {
    Made *made = brain(5);
    Network network = network_of(made);
    check_ops(&network, "Conv 19, ConvTranspose 4, BatchNormalization 18, Relu 18, MaxPool 4, Concat 4, Sigmoid 1");
    check_joined(&network, 0, OP_ConvTranspose);
    check_size(&network, "1x3x64x32", "1x1x64x32");
    network_free(&network);
    made_free(made);
    made = brain(3);
    made_remove(made, "bottleneck.bottlenecknorm1.running_var");
    refuse(made, "mateuszbuda/brain-segmentation-pytorch, but 'bottleneck.bottlenecknorm1.running_var' is missing");
}

static void put_plain_double(Made *made, const char *prefix, int64_t oc, int64_t ic) {
    char name[NAME];
    named(name, "%s.0", prefix);
    put_conv(made, name, oc, ic, "3");
    named(name, "%s.2", prefix);
    put_conv(made, name, oc, oc, "3");
}

static Made *enc_dec(bool norms) {
    Made *made = made_new(2, true);
    char name[NAME];
    for (int i = 1; i <= 3; i++) {
        named(name, i == 3 ? "bottleneck" : "enc%d", i);
        if (norms) put_double(made, name, 2 * i, i == 1 ? 1 : 2 * i - 2, "3");
        else put_plain_double(made, name, 2 * i, i == 1 ? 1 : 2 * i - 2);
    }
    for (int i = 2; i >= 1; i--) {
        named(name, "up%d", i);
        put_up(made, name, 2 * i + 2, 2 * i, "2");
        named(name, "dec%d", i);
        if (norms) put_double(made, name, 2 * i, 4 * i, "3");
        else put_plain_double(made, name, 2 * i, 4 * i);
    }
    put_conv(made, "out_conv", 1, 2, "1");
    return made;
}

TEST(enc_dec) {
    Made *made = enc_dec(false);
    Network network = network_of(made);
    check_ops(&network, "Conv 11, ConvTranspose 2, Relu 10, MaxPool 2, Concat 2");
    check_notes(&network, "U-Net of enc1, bottleneck, up1, dec1, out_conv, 3 levels; assumed: ReLU, maximum pooling by "
                          "2, the up-sampled in front of the skip, logits");
    check_joined(&network, 0, OP_ConvTranspose);
    check_size(&network, "1x1x8x12", "1x1x8x12");
    network_free(&network);
    made_free(made);
    made = enc_dec(true);
    network = network_of(made);
    check_ops(&network, "Conv 11, ConvTranspose 2, BatchNormalization 10, Relu 10, MaxPool 2, Concat 2");
    network_free(&network);
    made_free(made);
}

static Made *encoder_decoder(const char *kernel) {
    Made *made = made_new(2, true);
    put_double(made, "encoder1.double_conv", 2, 3, kernel);
    put_double(made, "encoder2.double_conv", 4, 2, kernel);
    put_double(made, "encoder3.double_conv", 8, 4, kernel);
    put_up(made, "decoder1", 8, 4, "2");
    put_up(made, "decoder2", 8, 2, "2");
    put_conv(made, "final_conv", 1, 4, "1");
    return made;
}

TEST(encoder_decoder) {
    Made *made = encoder_decoder("5");
    Network network = network_of(made);
    check_ops(&network, "Conv 7, ConvTranspose 2, BatchNormalization 6, LeakyRelu 8, MaxPool 2, Concat 2, Sigmoid 1");
    check_joined(&network, 1, OP_ConvTranspose);
    check_ints(&network, "encoder1.double_conv.0.conv", "pads", "2 2 2 2");
    check_size(&network, "1x3x16x20", "1x1x16x20");
    network_free(&network);
    made_free(made);
    refuse(encoder_decoder("3"), "'encoder1.double_conv.0.weight': expected a kernel of 5|dilation");
}

// A size that the network cannot take says so, and not that the architecture is another one.
TEST(sizes_that_do_not_go_through) {
    Made *made = encoder_decoder("5");
    const InputShape shape = {.name = "input", .shape = shape_of(4, (int64_t[]){1, 3, 18, 21})};
    const ImportOptions options = {.inputs = &shape, .n_inputs = 1};
    check_refused(made, &options, ST_BAD, "Concat 'decoder1'");
    made_free(made);
}

// ---- MONAI

static void put_adn(Made *made, const char *prefix, int64_t channels, int64_t slopes) {
    char name[NAME];
    named(name, "%s.adn.N", prefix);
    put_norm(made, name, channels);
    if (slopes) put(made, slopes, "%s.adn.A.weight", prefix);
}

static void put_two(Made *made, const char *prefix, int64_t oc, int64_t ic, int64_t slopes) {
    char name[NAME];
    for (int i = 0; i < 2; i++) {
        named(name, "%s.conv_%d.conv", prefix, i);
        put_conv(made, name, oc, i ? oc : ic, "3");
        named(name, "%s.conv_%d", prefix, i);
        put_adn(made, name, oc, slopes);
    }
}

typedef enum BasicUp { DECONV, NONTRAINABLE } BasicUp;

static Made *basic_unet(int spatial, bool batch_norm, int64_t slopes, BasicUp up) {
    Made *made = made_new(spatial, batch_norm);
    const int64_t width[] = {4, 4, 8, 16, 32};
    char name[NAME];
    put_two(made, "conv_0", width[0], 1, slopes);
    for (int i = 1; i <= 4; i++) {
        named(name, "down_%d.convs", i);
        put_two(made, name, width[i], width[i - 1], slopes);
    }
    for (int i = 4; i >= 1; i--) {
        const int64_t in = i == 4 ? width[4] : width[i], half = i == 1 ? in : in / 2;
        named(name, up == DECONV ? "upcat_%d.upsample.deconv" : "upcat_%d.upsample.preconv", i);
        if (up == DECONV) put_up(made, name, in, half, "2");
        else if (i > 1) put_conv(made, name, half, in, "1");
        named(name, "upcat_%d.convs", i);
        put_two(made, name, i == 1 ? 6 : width[i - 1], width[i - 1] + half, slopes);
    }
    put_conv(made, "final_conv", 2, 6, "1");
    return made;
}

TEST(basic_unet) {
    Made *made = basic_unet(3, false, 0, DECONV);
    Network network = network_of(made);
    check_ops(&network, "Conv 19, ConvTranspose 4, InstanceNormalization 18, LeakyRelu 18, MaxPool 4, Pad 4, Concat 4");
    check_notes(&network,
                "MONAI BasicUNet, 5 levels; assumed: epsilon 1e-5, affine instance normalisation, LeakyReLU of "
                "0.1");
    check_joined(&network, 1, OP_ConvTranspose);
    CHECK_TEXT(node_string(node_of(&network, "upcat_1.upsample.pad"), "mode", ""), "edge");
    check_size(&network, "1x1x16x17x31", "1x2x16x17x31");
    network_free(&network);
    made_free(made);
}

TEST(basic_unet_options) {
    Made *made = basic_unet(2, true, 1, NONTRAINABLE);
    Network network = network_of(made);
    check_ops(&network, "Conv 22, BatchNormalization 18, PRelu 18, MaxPool 4, Resize 4, Pad 4, Concat 4");
    check_size(&network, "1x1x16x33", "1x2x16x33");
    network_free(&network);
    made_free(made);
    made = basic_unet(2, true, 0, DECONV);
    made_remove(made, "upcat_4.upsample.deconv.weight");
    made_remove(made, "upcat_4.upsample.deconv.bias");
    put_conv(made, "upcat_4.upsample.pixelshuffle.conv_block", 64, 32, "3");
    refuse(made, "MONAI BasicUNet, but 'upcat_4.upsample': up-sampling by pixelshuffle is not had");
}

// A unit of `units` convolutions; beside: the kernel of what stands beside it, or NULL.
static void put_unit(Made *made, const char *prefix, int units, int64_t oc, int64_t ic, const char *beside,
                     bool last_only) {
    char name[NAME];
    for (int i = 0; i < units; i++) {
        named(name, "%s.conv.unit%d.conv", prefix, i);
        put_conv(made, name, oc, i ? oc : ic, "3");
        named(name, "%s.conv.unit%d", prefix, i);
        // MONAI's instance normalisation has no parameters.
        if (!last_only || i < units - 1) put(made, 1, "%s.adn.A.weight", name);
    }
    named(name, "%s.residual", prefix);
    if (beside) put_conv(made, name, oc, ic, beside);
}

// channels 2, 4, 8; strides 2 and `second`.
static Made *monai_unet(const char *second) {
    Made *made = made_new(2, false);
    put_unit(made, "model.0", 2, 2, 1, "3", false);
    put_unit(made, "model.1.submodule.0", 2, 4, 2, second, false);
    put_unit(made, "model.1.submodule.1.submodule", 2, 8, 4, "1", false);
    put_up(made, "model.1.submodule.2.0.conv", 12, 2, "3");
    put(made, 1, "model.1.submodule.2.0.adn.A.weight");
    put_unit(made, "model.1.submodule.2.1", 1, 2, 2, NULL, false);
    put_up(made, "model.2.0.conv", 4, 3, "3");
    put(made, 1, "model.2.0.adn.A.weight");
    put_unit(made, "model.2.1", 1, 3, 3, NULL, true);
    return made;
}

TEST(monai_unet) {
    Made *made = monai_unet("3");
    Network network = network_of(made);
    check_ops(&network, "Conv 11, ConvTranspose 2, InstanceNormalization 9, PRelu 9, Concat 2, Add 5");
    check_notes(&network, "MONAI UNet, 3 levels; assumed: strides of 2, epsilon 1e-5, instance normalisation without "
                          "parameters");
    check_ints(&network, "model.0.conv.unit0.conv.conv", "strides", "2 2");
    check_ints(&network, "model.0.conv.unit1.conv.conv", "strides", "1 1");
    check_ints(&network, "model.0.residual.conv", "strides", "2 2");
    check_ints(&network, "model.1.submodule.1.submodule.conv.unit0.conv.conv", "strides", "1 1");
    check_ints(&network, "model.2.0.conv.conv", "output_padding", "1 1");
    check_size(&network, "1x1x16x24", "1x3x16x24");
    network_free(&network);
    made_free(made);
}

TEST(monai_unet_stride_of_one) {
    Made *made = monai_unet("1");
    Network network = network_of(made);
    check_ints(&network, "model.1.submodule.0.conv.unit0.conv.conv", "strides", "1 1");
    check_ints(&network, "model.1.submodule.2.0.conv.conv", "strides", "1 1");
    check_size(&network, "1x1x6x10", "1x3x6x10");
    network_free(&network);
    made_free(made);
}

TEST(monai_unet_without_units) {
    Made *made = made_new(3, true);
    put_conv(made, "model.0.conv", 2, 1, "3");
    put_adn(made, "model.0", 2, 2);
    put_conv(made, "model.1.submodule.conv", 4, 2, "3");
    put_adn(made, "model.1.submodule", 4, 4);
    put_up(made, "model.2.conv", 6, 2, "3");
    Network network = network_of(made);
    check_ops(&network, "Conv 2, ConvTranspose 1, BatchNormalization 2, PRelu 2, Concat 1");
    check_size(&network, "1x1x4x6x8", "1x2x4x6x8");
    network_free(&network);
    made_remove(made, "model.0.adn.A.weight");
    refuse(made, "MONAI UNet, but 'model.0.adn.A.weight' is missing (the slope of PReLU");
}

static void put_dyn(Made *made, const char *prefix, int64_t oc, int64_t ic, const char *kernel, bool beside) {
    char name[NAME];
    for (int i = 1; i <= 2 + beside; i++) {
        named(name, "%s.conv%d.conv", prefix, i);
        put_kernel(made, name, oc, i == 2 ? oc : ic, i == 3 ? "1" : kernel, 0);
        named(name, "%s.norm%d", prefix, i);
        put_norm(made, name, oc);
    }
}

// Strides 1, (1 2), 2: the first down-sampling is of one dim only.
static Made *dynunet(bool residual) {
    Made *made = made_new(2, false);
    put_dyn(made, "input_block", 2, 1, "13", residual);
    put_dyn(made, "downsamples.0", 4, 2, "33", residual);
    put_dyn(made, "bottleneck", 8, 4, "33", residual);
    put_kernel(made, "upsamples.0.transp_conv.conv", 8, 4, "22", 0);
    put_dyn(made, "upsamples.0.conv_block", 4, 8, "33", false);
    put_kernel(made, "upsamples.1.transp_conv.conv", 4, 2, "12", 0);
    put_dyn(made, "upsamples.1.conv_block", 2, 4, "13", false);
    put_conv(made, "output_block.conv.conv", 3, 2, "1");
    put_dyn(made, "skip_layers.downsample", 2, 1, "13", residual); // the same tensors by other names
    put_conv(made, "deep_supervision_heads.0.conv.conv", 3, 4, "1");
    return made;
}

TEST(dynunet) {
    Made *made = dynunet(false);
    Network network = network_of(made);
    check_ops(&network, "Conv 11, ConvTranspose 2, InstanceNormalization 10, LeakyRelu 10, Concat 2");
    check_notes(&network, "MONAI DynUNet, 3 levels; assumed: strides of the transposed convolutions' kernels, 1 at the "
                          "input, epsilon 1e-5, affine instance normalisation, LeakyReLU of 0.01");
    check_joined(&network, 0, OP_ConvTranspose);
    check_ints(&network, "downsamples.0.conv1.conv.conv", "strides", "1 2");
    check_ints(&network, "downsamples.0.conv1.conv.conv", "pads", "1 1 1 1");
    check_ints(&network, "bottleneck.conv1.conv.conv", "strides", "2 2");
    check_size(&network, "1x1x6x20", "1x3x6x20");
    network_free(&network);
    made_free(made);
}

TEST(dynunet_residual) {
    Made *made = dynunet(true);
    Network network = network_of(made);
    check_ops(&network, "Conv 14, ConvTranspose 2, InstanceNormalization 13, LeakyRelu 10, Concat 2, Add 3");
    check_ints(&network, "downsamples.0.conv3.conv.conv", "strides", "1 2");
    check_ints(&network, "downsamples.0.conv3.conv.conv", "pads", "0 0 0 0");
    check_size(&network, "1x1x6x20", "1x3x6x20");
    network_free(&network);
    made_free(made);
    made = dynunet(false);
    made_remove(made, "upsamples.1.transp_conv.conv.weight");
    refuse(made, "MONAI DynUNet, but 'upsamples.1.transp_conv.conv.weight' is missing");
}

// ---- nnU-Net

static void put_conv_norm(Made *made, const char *prefix, int64_t oc, int64_t ic, const char *kernel, bool bias) {
    char name[NAME];
    named(name, "%s.conv", prefix);
    put_kernel(made, name, oc, ic, kernel, bias ? oc : 0);
    named(name, "%s.norm", prefix);
    put_norm(made, name, oc);
    named(name, "%s.all_modules.0", prefix); // once more
    put_kernel(made, name, oc, ic, kernel, bias ? oc : 0);
    named(name, "%s.all_modules.1", prefix);
    put_norm(made, name, oc);
}

static void put_nn_decoder(Made *made, const char *up_kernel) {
    char name[NAME];
    for (int t = 0; t < 2; t++) {
        const int64_t width = t ? 2 : 4;
        named(name, "decoder.transpconvs.%d", t);
        put_up(made, name, 2 * width, width, t ? up_kernel : "2");
        for (int c = 0; c < 2; c++) {
            named(name, "decoder.stages.%d.convs.%d", t, c);
            put_conv_norm(made, name, width, c ? width : 2 * width, "3", true);
        }
        named(name, "decoder.seg_layers.%d", t);
        put_conv(made, name, 3, width, "1");
    }
    put_conv_norm(made, "decoder.encoder.stages.0.0.convs.0", 2, 1, "3", true);
}

static Made *plain_nnunet(const char *up_kernel) {
    Made *made = made_new((int)strlen(up_kernel), false);
    char name[NAME];
    for (int s = 0; s < 3; s++) {
        for (int c = 0; c < 2; c++) {
            const int64_t width = 2 << s;
            named(name, "encoder.stages.%d.0.convs.%d", s, c);
            put_conv_norm(made, name, width, c ? width : s ? width / 2 : 1, "3", true);
        }
    }
    put_nn_decoder(made, up_kernel);
    return made;
}

TEST(plain_nnunet) {
    Made *made = plain_nnunet("122");
    Network network = network_of(made);
    check_ops(&network, "Conv 11, ConvTranspose 2, InstanceNormalization 10, LeakyRelu 10, Concat 2");
    check_notes(&network,
                "nnU-Net, PlainConvUNet, 3 levels; assumed: strides of the transposed convolutions' kernels, 1 at "
                "the input, epsilon 1e-5, affine instance normalisation, LeakyReLU of 0.01");
    check_joined(&network, 0, OP_ConvTranspose);
    check_ints(&network, "encoder.stages.1.0.convs.0.conv.conv", "strides", "1 2 2");
    check_ints(&network, "encoder.stages.2.0.convs.0.conv.conv", "strides", "2 2 2");
    check_ints(&network, "encoder.stages.2.0.convs.1.conv.conv", "strides", "1 1 1");
    check_size(&network, "1x1x4x8x12", "1x3x4x8x12");
    CHECK(bind(&network, "1x1x4x8x12") == ST_OK);
    network_free(&network);
    made_free(made);
}

static void put_block(Made *made, const char *prefix, int64_t oc, int64_t ic, const char *skip, bool bottleneck) {
    char name[NAME];
    for (int i = 1; i <= 2 + bottleneck; i++) {
        named(name, "%s.conv%d", prefix, i);
        put_conv_norm(made, name, oc, i == 1 ? ic : oc, bottleneck && i != 2 ? "1" : "3", true);
    }
    named(name, "%s.%s", prefix, skip ? skip : "");
    if (skip) put_conv_norm(made, name, oc, ic, "1", false);
}

static Made *residual_nnunet(bool bottleneck) {
    Made *made = made_new(2, false);
    put_conv_norm(made, "encoder.stem.convs.0", 2, 1, "3", true);
    put_block(made, "encoder.stages.0.blocks.0", 2, 2, NULL, bottleneck);
    put_block(made, "encoder.stages.1.blocks.0", 4, 2, "skip.1", bottleneck);
    put_block(made, "encoder.stages.1.blocks.1", 4, 4, NULL, bottleneck);
    put_block(made, "encoder.stages.2.blocks.0", 8, 4, "skip.1", bottleneck);
    put_nn_decoder(made, "22");
    return made;
}

TEST(residual_nnunet) {
    Made *made = residual_nnunet(false);
    Network network = network_of(made);
    check_ops(&network,
              "Conv 16, ConvTranspose 2, InstanceNormalization 15, LeakyRelu 13, AveragePool 2, Concat 2, Add 4");
    check_ints(&network, "encoder.stages.1.blocks.0.conv1.conv.conv", "strides", "2 2");
    check_ints(&network, "encoder.stages.1.blocks.0.conv2.conv.conv", "strides", "1 1");
    check_size(&network, "1x1x8x12", "1x3x8x12");
    network_free(&network);
    made_free(made);
    made = residual_nnunet(true);
    network = network_of(made);
    check_ints(&network, "encoder.stages.1.blocks.0.conv1.conv.conv", "strides", "1 1");
    check_ints(&network, "encoder.stages.1.blocks.0.conv2.conv.conv", "strides", "2 2");
    check_size(&network, "1x1x8x12", "1x3x8x12");
    network_free(&network);
    made_free(made);
    made = residual_nnunet(false);
    made_remove(made, "encoder.stages.1.blocks.0.skip.1.conv.weight");
    refuse(made, "nnU-Net, but 'encoder.stages.1.blocks.0': expected 4 channels on its other way, got 2");
}

// ---- none of them

TEST(no_architecture) {
    Made *made = made_new(2, true);
    char name[NAME];
    for (int i = 0; i < 14; i++) {
        named(name, "backbone.layer%d", i);
        put_kernel(made, name, 4, 3, "3", 0);
    }
    refuse(made, "not known: backbone.layer0.weight 4x3x3x3, |backbone.layer11.weight 4x3x3x3 and 2 others;|"
                 "torch.onnx.export|--arch FILE");
    made = made_new(2, true);
    check_refused(made, &none, ST_BAD, "no tensor at all");
    made_free(made);
}

TEST(inputs_are_bound) {
    Made *made = enc_dec(false);
    const InputShape shape = {.shape = shape_of(4, (int64_t[]){1, 1, 8, 8})};
    const InputShape wrong = {.name = "x", .shape = shape_of(4, (int64_t[]){1, 1, 8, 8})};
    ImportOptions options = {.inputs = &shape, .n_inputs = 1};
    Network network;
    CHECK_OK(try_network(made, &options, &network));
    CHECK(type_is_static(&network.graph->values[network.graph->outputs[0]].type));
    network_free(&network);
    options.inputs = &wrong;
    check_refused(made, &options, ST_USAGE, "'input'|'x'");
    made_free(made);
}

TEST(memory_that_runs_out) {
    Made *made = milesial(2, false, false);
    Status status = ST_RESOURCE;
    int failures = 0;
    for (; status != ST_OK && failures < 5000; failures++) {
        Network network;
        mem_fail_after(failures);
        status = try_network(made, &none, &network);
        mem_fail_after(-1);
        CHECK_MSG(status == ST_OK || status == ST_RESOURCE, "allocation %d: status %d: %s", failures, status,
                  error_message());
        network_free(&network);
    }
    CHECK_MSG(failures > 10 && failures < 5000, "%d allocations", failures);
    made_free(made);
}

// ---- files that other people made

static void check_file(const char *name, const char *notes, const char *input, const char *output) {
    const char *path = test_data(name);
    if (!path) test_skip("no test data");
    Shape shape;
    REQUIRE(shape_parse(input, &shape));
    const InputShape given = {.shape = shape};
    Imported model;
    CHECK_OK(import_model(path, &(ImportOptions){.inputs = &given, .n_inputs = 1}, &model));
    CHECK_OK(pass_resolve_shapes(model.graph));
    CHECK_TEXT(text_get(&model.notes), notes);
    const Type *type = &model.graph->values[model.graph->outputs[0]].type;
    REQUIRE(type_is_static(type));
    Text text = {0};
    shape_print(&text, &(Shape){.rank = type->rank, .dim = {type->dim[0], type->dim[1], type->dim[2], type->dim[3]}});
    CHECK_TEXT(text_get(&text), output);
    text_free(&text);
    import_free(&model);
}

TEST(files_of_the_study_and_of_others) {
    check_file("models/lgg/seed-torch-w32.state_dict.pth",
               "U-Net as in milesial/Pytorch-UNet, 5 levels, bilinear up-sampling", "1x3x250x255", "1x1x250x255");
    check_file("models/pytorch/brats-flair-unet-nobn.state_dict.pth",
               "U-Net of enc1, bottleneck, up1, dec1, out_conv, 4 levels; assumed: ReLU, maximum pooling by 2, the "
               "up-sampled in front of the skip, logits",
               "1x1x240x240", "1x1x240x240");
    check_file("models/pytorch/drive-retina-unet-5x5.state_dict.pt",
               "U-Net of encoder1.double_conv, decoder1, final_conv, 4 levels; assumed: LeakyReLU of 0.01, maximum "
               "pooling by 2, the skip in front of the up-sampled, sigmoid",
               "1x3x512x512", "1x1x512x512");
}

// ---- files that lie

static Made *make_family(int which) {
    switch (which) {
    case 0: return milesial(3, false, false);
    case 1: return milesial(2, true, true);
    case 2: return brain(3);
    case 3: return enc_dec(false);
    case 4: return encoder_decoder("5");
    case 5: return basic_unet(3, false, 0, DECONV);
    case 6: return basic_unet(2, true, 1, NONTRAINABLE);
    case 7: return monai_unet("3");
    case 8: return dynunet(true);
    case 9: return plain_nnunet("122");
    case 10: return residual_nnunet(true);
    default: return NULL;
    }
}

static void try_any(Made *made, const char *what, const char *name, int *accepted) {
    Network network;
    const Status status = try_network(made, &none, &network);
    CHECK_MSG(status == ST_OK || status == ST_UNSUPPORTED, "%s %s: status %d: %s", name, what, status, error_message());
    *accepted += status == ST_OK;
    network_free(&network);
}

// Without a tensor a network is another one, and mostly none: biases may be absent, and what inference needs not.
TEST(each_tensor_missing) {
    Made *made;
    for (int which = 0; (made = make_family(which)); which++) {
        const size_t count = made->count;
        int accepted = 0, optional = 0;
        for (size_t i = 0; i < count; i++) {
            TorchTensor removed = made->tensors[i];
            optional += !text_ends(removed.name, "weight") || strstr(removed.name, "all_modules") ||
                        strstr(removed.name, "norm") || strstr(removed.name, "skip_layers") ||
                        strstr(removed.name, ".adn.") || strstr(removed.name, "deep_supervision") ||
                        strstr(removed.name, "decoder.encoder") || strstr(removed.name, "seg_layers") ||
                        strstr(removed.name, ".1.") || strstr(removed.name, ".4.");
            made->tensors[i] = made->tensors[--made->count];
            try_any(made, "is missing", removed.name, &accepted);
            made->tensors[made->count++] = made->tensors[i];
            made->tensors[i] = removed;
        }
        CHECK_MSG(accepted <= optional, "family %d: %d of %zu accepted, %d optional", which, accepted, count, optional);
        made_free(made);
    }
}

TEST(each_shape_changed) {
    static const Shape shapes[] = {
        {.rank = 0},
        {.rank = 1, .dim = {0}},
        {.rank = 1, .dim = {3}},
        {.rank = 2, .dim = {1, 1}},
        {.rank = 4, .dim = {5, 7, 2, 9}},
        {.rank = 5, .dim = {1, 2, 3, 2, 1}},
        {.rank = 8, .dim = {1, 1, 1, 1, 1, 1, 1, 1}},
    };
    Made *made;
    for (int which = 0; (made = make_family(which)); which++) {
        int accepted = 0;
        for (size_t i = 0; i < made->count; i++) {
            const Tensor kept = made->tensors[i].tensor;
            for (size_t k = 0; k < COUNT_OF(shapes); k++) {
                CHECK_OK(tensor_make(&made->arena, kept.dtype, shapes[k], &made->tensors[i].tensor));
                try_any(made, "has another shape", made->tensors[i].name, &accepted);
            }
            made->tensors[i].tensor = kept;
        }
        made_free(made);
    }
}
