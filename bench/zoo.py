#!/usr/bin/env python3
"""Writes the 12 networks that bench/versus.py --zoo compares on, as ONNX files and as torch programs.

    tools/venv bench/peers-large.txt build/venv-large
    build/venv-large/bin/python bench/zoo.py build/zoo                    all 12
    build/venv-large/bin/python bench/zoo.py build/zoo --net segformer-b0

For each network NAME.onnx, with fixed shapes and a batch of 1, and NAME.ts, the same network traced for torch and
for pnnx. The networks come from the libraries that people take them from (MONAI, segmentation-models-pytorch, which
has its encoders from timm), without their weights: He-normal kernels from a seed, and statistics of the batch
normalisations measured on random pictures, so that values keep their size through the layers.

    seed-torch, seed-keras     the 2021 study's, from nets.py: the same files as there
    milesial-unet              github.com/milesial/Pytorch-UNet: Ronneberger et al., arXiv 1505.04597, with padded
                               convolutions, batch normalisation, transposed convolutions; 64..1024 channels
    basicunet-2d, -3d          MONAI BasicUNet (Falk et al., Nature Methods 2019): instance normalisation, leaky ReLU
    resnet34-unet, mobilenetv2-unet, efficientnetb0-unet
                               smp.Unet: encoders of arXiv 1512.03385, 1801.04381, 1905.11946
    deeplabv3plus-resnet50     smp.DeepLabV3Plus: arXiv 1802.02611, output stride 16
    attention-unet             MONAI AttentionUnet: Oktay et al., arXiv 1804.03999
    segformer-b0               smp.Segformer with the encoder mit_b0: arXiv 2105.15203
    voxelmorph-3d              MONAI VoxelMorphUNet: Balakrishnan et al., arXiv 1809.05231, without the warp behind it
"""
import argparse
import os
import sys
import warnings

import onnx
import torch
from torch import nn

import nets

# ---- the U-Nets that no library has -----------------------------------------------------------------------

class DoubleConv(nn.Module):
    """[conv 3x3, BN, ReLU] twice; names as in nets.py."""

    def __init__(self, ic, oc, bias=True):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(ic, oc, 3, padding=1, bias=bias), nn.Conv2d(oc, oc, 3, padding=1, bias=bias)
        self.bn1, self.bn2 = nn.BatchNorm2d(oc), nn.BatchNorm2d(oc)

    def forward(self, x):
        return self.bn2(self.conv2(self.bn1(self.conv1(x)).relu())).relu()


class UNet(nn.Module):
    """Up-sampling is bilinear (seed-torch), or a transposed convolution to half the channels (milesial-unet)."""

    def __init__(self, down, up, classes, bias, transposed):
        super().__init__()
        self.inc, self.levels, self.transposed = DoubleConv(3, down[0], bias), len(down) - 1, transposed
        for i in range(1, len(down)):
            self.add_module(f"down{i}", DoubleConv(down[i - 1], down[i], bias))
        c = down[-1]
        for i, oc in enumerate(up, 1):
            if transposed:
                self.add_module(f"up{i}_up", nn.ConvTranspose2d(c, oc, 2, 2))
                c = oc
            self.add_module(f"up{i}", DoubleConv(c + down[-1 - i], oc, bias))
            c = oc
        self.outc = nn.Conv2d(c, classes, 1)

    def larger(self, i, x):
        if self.transposed:
            return getattr(self, f"up{i}_up")(x)
        return nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=True)

    def forward(self, x):
        x, skips = self.inc(x), []
        for i in range(1, self.levels + 1):
            skips.append(x)
            x = getattr(self, f"down{i}")(nn.functional.max_pool2d(x, 2))
        for i in range(1, self.levels + 1):
            x = getattr(self, f"up{i}")(torch.cat([skips.pop(), self.larger(i, x)], 1))
        return self.outc(x)


class KerasBlock(nn.Module):
    def __init__(self, ic, oc):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(ic, oc, 3, padding=1), nn.Conv2d(oc, oc, 3, padding=1)
        self.bn = nn.BatchNorm2d(oc, 1e-3)

    def forward(self, x):
        skip = self.conv2(self.conv1(x).relu())
        return skip, self.bn(skip).relu()


class SeedKeras(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        for i in range(5):
            self.add_module(f"down{i}", KerasBlock(width << i >> 1 if i else 3, width << i))
        for i in range(4):
            up = nn.Module()
            up.up, block = nn.ConvTranspose2d(2 * width << i, width << i, 2, 2), KerasBlock(2 * width << i, width << i)
            for name, child in block.named_children():
                up.add_module(name, child)
            up.block = [block]  # in a list: its weights are counted once
            self.add_module(f"up{i}", up)
        self.out = nn.Conv2d(width, 1, 1)

    def forward(self, x):
        skips = []
        for i in range(5):
            skip, x = getattr(self, f"down{i}")(x if i == 0 else nn.functional.max_pool2d(x, 2))
            skips.append(skip)
        skips.pop()
        for i in (3, 2, 1, 0):
            up = getattr(self, f"up{i}")
            _, x = up.block[0](torch.cat([up.up(x), skips.pop()], 1))
        return self.out(x).sigmoid()


# ---- the others -------------------------------------------------------------------------------------------

def module(name):
    """The network with the weights that its library draws."""
    if name == "seed-torch":
        return UNet((64, 128, 256, 512, 512), (256, 128, 64, 64), 1, bias=True, transposed=False)
    if name == "seed-keras":
        return SeedKeras()
    if name == "milesial-unet":
        return UNet((64, 128, 256, 512, 1024), (512, 256, 128, 64), 2, bias=False, transposed=True)
    if name in ("basicunet-2d", "basicunet-3d", "attention-unet", "voxelmorph-3d"):
        from monai.networks import nets as monai
        if name == "attention-unet":
            return monai.AttentionUnet(2, 1, 2, channels=(32, 64, 128, 256, 512), strides=(2, 2, 2, 2))
        if name == "voxelmorph-3d":
            return monai.VoxelMorphUNet(3, 2, 32, (16, 32, 32, 32, 32, 32), final_conv_channels=(16, 16))
        return monai.BasicUNet(int(name[-2]), 1, 2)
    import segmentation_models_pytorch as smp
    if name == "deeplabv3plus-resnet50":
        return smp.DeepLabV3Plus("resnet50", encoder_weights=None)
    if name == "segformer-b0":
        return smp.Segformer("mit_b0", encoder_weights=None)
    encoder = {"resnet34-unet": "resnet34", "mobilenetv2-unet": "mobilenet_v2", "efficientnetb0-unet": "efficientnet-b0"}
    return smp.Unet(encoder[name], encoder_weights=None)


def draw(network, shape):
    """He-normal kernels, and batch statistics of two random pictures."""
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for m in network.modules():
        if isinstance(m, nn.modules.conv._ConvNd):
            nn.init.kaiming_normal_(m.weight)
    for m in norms:
        m.momentum = None  # the mean over all that it sees
    network.train()
    network(torch.randn((2,) + shape[1:]))
    network.eval()


def load_onnx_weights(network, model):
    """Weights of nets.py, whose names are torch's own."""
    weights = {t.name: torch.tensor(onnx.numpy_helper.to_array(t)) for t in model.graph.initializer}
    missing, _ = network.load_state_dict(weights, strict=False)
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing:
        raise KeyError(f"nets.py has no weights {missing}")
    network.eval()


def write(name, folder, seed):
    torch.manual_seed(seed)
    path, shape, network = os.path.join(folder, name + ".onnx"), nets.ZOO[name], module(name)
    part = path + ".part"
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name in nets.NETS:
            model = nets.build(name)[0]
            load_onnx_weights(network, model)
            onnx.save(model, part)
        else:
            draw(network, shape)
            torch.onnx.export(network, (torch.randn(shape),), part, dynamo=False, opset_version=17,
                              input_names=["input"], output_names=["output"])
        torch.jit.trace(network, torch.randn(shape), check_trace=False).save(path[:-5] + ".ts")
    os.replace(part, path)
    parameters = sum(p.numel() for p in network.parameters())
    print(f"{path}: {'x'.join(map(str, shape))}, {parameters / 1e6:.1f} M parameters", flush=True)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default="build/zoo")
    parser.add_argument("--net", choices=nets.ZOO, action="append", help="default: all")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    for name in args.net or nets.ZOO:
        write(name, args.folder, args.seed)


if __name__ == "__main__":
    sys.exit(main())
