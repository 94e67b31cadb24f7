"""Networks in PyTorch: U-Nets that no package on PyPI holds, written from their public descriptions with the names of
their weights, and those of MONAI and of dynamic-network-architectures (nnU-Net)."""
import collections

import torch
from torch import nn
from torch.nn import functional as F


class DoubleConv(nn.Module):
    def __init__(self, ic, oc, mid, bias):
        super().__init__()
        self.double_conv = nn.Sequential(
            nn.Conv2d(ic, mid, 3, padding=1, bias=bias), nn.BatchNorm2d(mid), nn.ReLU(inplace=True),
            nn.Conv2d(mid, oc, 3, padding=1, bias=bias), nn.BatchNorm2d(oc), nn.ReLU(inplace=True))

    def forward(self, x):
        return self.double_conv(x)


class Down(nn.Module):
    def __init__(self, ic, oc, bias):
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), DoubleConv(ic, oc, oc, bias))

    def forward(self, x):
        return self.maxpool_conv(x)


class Up(nn.Module):
    """Makes `x` larger, pads it to the skip's size, and joins the two, the skip first."""

    def __init__(self, ic, skip, oc, mid, bilinear, bias):
        super().__init__()
        if bilinear:
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        else:
            self.up = nn.ConvTranspose2d(ic, ic // 2, 2, stride=2)
        self.conv = DoubleConv((ic if bilinear else ic // 2) + skip, oc, mid, bias)

    def forward(self, x, skip):
        x = self.up(x)
        dy, dx = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
        x = F.pad(x, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return self.conv(torch.cat([skip, x], 1))


class OutConv(nn.Module):
    def __init__(self, ic, oc):
        super().__init__()
        self.conv = nn.Conv2d(ic, oc, 1)

    def forward(self, x):
        return self.conv(x)


class UNet(nn.Module):
    """github.com/milesial/Pytorch-UNet; with `halves` its newer form, whose bilinear decoder halves in two steps."""

    def __init__(self, ic, classes, widths, ups, bilinear, bias, halves):
        super().__init__()
        self.inc = DoubleConv(ic, widths[0], widths[0], bias)
        for i in range(1, 5):
            setattr(self, f"down{i}", Down(widths[i - 1], widths[i], bias))
        below = widths[4]
        for i, oc in enumerate(ups, 1):
            skip = widths[4 - i]
            mid = (below + skip) // 2 if bilinear and halves else oc
            setattr(self, f"up{i}", Up(below, skip, oc, mid, bilinear, bias))
            below = oc
        self.outc = OutConv(below, classes)

    def forward(self, x):
        skips = [self.inc(x)]
        for i in range(1, 5):
            skips.append(getattr(self, f"down{i}")(skips[-1]))
        x = skips.pop()
        for i in range(1, 5):
            x = getattr(self, f"up{i}")(x, skips.pop())
        return self.outc(x)


def study(ic, width=8):
    widths = [width, 2 * width, 4 * width, 8 * width, 8 * width]
    return UNet(ic, 1, widths, [4 * width, 2 * width, width, width], True, True, False)


def milesial(ic, classes, bilinear, width, bias=False):
    last = 8 * width if bilinear else 16 * width
    ups = [4 * width, 2 * width, width, width] if bilinear else [8 * width, 4 * width, 2 * width, width]
    return UNet(ic, classes, [width, 2 * width, 4 * width, 8 * width, last], ups, bilinear, bias, True)


class Named(nn.Module):
    """github.com/mateuszbuda/brain-segmentation-pytorch."""

    def __init__(self, ic, width, activation=torch.sigmoid):
        super().__init__()
        self.activation = activation
        c = ic
        for i in range(1, 5):
            setattr(self, f"encoder{i}", self.block(c, width << i - 1, f"enc{i}"))
            c = width << i - 1
        self.bottleneck = self.block(c, 16 * width, "bottleneck")
        for i in (4, 3, 2, 1):
            oc = width << i - 1
            setattr(self, f"upconv{i}", nn.ConvTranspose2d(2 * oc, oc, 2, stride=2))
            setattr(self, f"decoder{i}", self.block(2 * oc, oc, f"dec{i}"))
        self.conv = nn.Conv2d(width, 1, 1)

    @staticmethod
    def block(ic, oc, name):
        layers = collections.OrderedDict()
        for i, c in ((1, ic), (2, oc)):
            layers[f"{name}conv{i}"] = nn.Conv2d(c, oc, 3, padding=1, bias=False)
            layers[f"{name}norm{i}"] = nn.BatchNorm2d(oc)
            layers[f"{name}relu{i}"] = nn.ReLU(inplace=True)
        return nn.Sequential(layers)

    def forward(self, x):
        skips = []
        for i in range(1, 5):
            x = getattr(self, f"encoder{i}")(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottleneck(x)
        for i in (4, 3, 2, 1):
            x = getattr(self, f"decoder{i}")(torch.cat([getattr(self, f"upconv{i}")(x), skips.pop()], 1))
        x = self.conv(x)
        return self.activation(x) if self.activation else x


def mateuszbuda(ic, width):
    return Named(ic, width)


class SequentialBlocks(nn.Module):
    """enc1..3, bottleneck, up3..1, dec3..1, out_conv; blocks of conv 3x3 and ReLU twice, without normalisation."""

    def __init__(self, ic, width=16):
        super().__init__()
        c = ic
        for i in (1, 2, 3):
            setattr(self, f"enc{i}", self.block(c, width << i - 1))
            c = width << i - 1
        self.bottleneck = self.block(c, 8 * width)
        for i in (3, 2, 1):
            oc = width << i - 1
            setattr(self, f"up{i}", nn.ConvTranspose2d(2 * oc, oc, 2, stride=2))
            setattr(self, f"dec{i}", self.block(2 * oc, oc))
        self.out_conv = nn.Conv2d(width, 1, 1)

    @staticmethod
    def block(ic, oc):
        return nn.Sequential(nn.Conv2d(ic, oc, 3, padding=1), nn.ReLU(), nn.Conv2d(oc, oc, 3, padding=1), nn.ReLU())

    def forward(self, x):
        skips = []
        for i in (1, 2, 3):
            x = getattr(self, f"enc{i}")(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottleneck(x)
        for i in (3, 2, 1):
            x = getattr(self, f"dec{i}")(torch.cat([getattr(self, f"up{i}")(x), skips.pop()], 1))
        return self.out_conv(x)


def sequential_blocks(ic):
    return SequentialBlocks(ic)


class Retina(nn.Module):
    """encoder1..4 of conv 5x5, BN, LeakyReLU, conv 3x3, BN, LeakyReLU; decoders that are a transposed convolution and
    LeakyReLU alone; the skip first. The names and shapes tell the convolutions, not the activations: these are what
    stent assumes, so the comparison can't tell whether they are right."""

    def __init__(self, ic, width=16):
        super().__init__()
        c = ic
        for i in range(1, 5):
            encoder = DoubleConv(c, width << i - 1, width << i - 1, True)
            encoder.double_conv[0] = nn.Conv2d(c, width << i - 1, 5, padding=2)
            encoder.double_conv[2], encoder.double_conv[5] = nn.LeakyReLU(0.01), nn.LeakyReLU(0.01)
            setattr(self, f"encoder{i}", encoder)
            c = width << i - 1
        for i, c in ((1, 8), (2, 8), (3, 4)):
            setattr(self, f"decoder{i}", nn.ConvTranspose2d(c * width, width << 3 - i, 2, stride=2))
        self.final_conv = nn.Conv2d(2 * width, 1, 1)

    def forward(self, x):
        skips = []
        for i in range(1, 5):
            x = getattr(self, f"encoder{i}")(x if i == 1 else F.max_pool2d(x, 2))
            skips.append(x)
        skips.pop()
        for i in (1, 2, 3):
            x = torch.cat([skips.pop(), F.leaky_relu(getattr(self, f"decoder{i}")(x), 0.01)], 1)
        return torch.sigmoid(self.final_conv(x))


def retina(ic):
    return Retina(ic)


# ---- of packages

def basic_unet(ic, dims):
    from monai.networks.nets import BasicUNet
    return BasicUNet(dims, ic, 2, features=(8, 8, 16, 24, 32, 8))


def monai_unet(ic, dims, units, norm="instance"):
    from monai.networks.nets import UNet as MonaiUNet
    return MonaiUNet(dims, ic, 2, channels=(8, 16, 24, 32), strides=(2, 2, 2), num_res_units=units, norm=norm)


def dyn_unet(ic, dims, residual):
    from monai.networks.nets import DynUNet
    return DynUNet(dims, ic, 3, kernel_size=[3, 3, 3, 3], strides=[1, 2, 2, 2], upsample_kernel_size=[2, 2, 2],
                   filters=[8, 16, 24, 32], res_block=residual, deep_supervision=residual, deep_supr_num=1)


def nnunet_options(dims):
    return {"n_stages": 4, "features_per_stage": [8, 16, 24, 32], "conv_op": nn.Conv2d if dims == 2 else nn.Conv3d,
            "kernel_sizes": 3, "strides": [1, 2, 2, 2], "num_classes": 3, "conv_bias": True,
            "norm_op": nn.InstanceNorm2d if dims == 2 else nn.InstanceNorm3d,
            "norm_op_kwargs": {"eps": 1e-5, "affine": True}, "nonlin": nn.LeakyReLU, "nonlin_kwargs": {"inplace": True}, "deep_supervision": False}


def plain_conv_unet(ic, dims):
    from dynamic_network_architectures.architectures.unet import PlainConvUNet
    return PlainConvUNet(ic, n_conv_per_stage=2, n_conv_per_stage_decoder=2, **nnunet_options(dims))


def residual_encoder_unet(ic, dims):
    from dynamic_network_architectures.architectures.unet import ResidualEncoderUNet
    return ResidualEncoderUNet(ic, n_blocks_per_stage=[1, 2, 2, 2], n_conv_per_stage_decoder=1, **nnunet_options(dims))
