#!/usr/bin/env python3
"""Writes the 12 networks that bench/versus.py --zoo compares on, and those of test/frameworks/zoo.txt, as ONNX files and
as torch programs.

    tools/venv bench/peers-large.txt build/venv-large
    build/venv-large/bin/python bench/zoo.py build/zoo                    all 12
    build/venv-large/bin/python bench/zoo.py build/zoo --net segformer-b0
    tools/venv test/frameworks/torch.txt build/venv-torch                 has what all of zoo.txt takes
    build/venv-torch/bin/python bench/zoo.py build/zoo --net monai-swinunetr-2d --net smp-fpn-resnet34
    build/venv-torch/bin/python bench/zoo.py --list                       all names

For each network NAME.onnx, with fixed shapes and a batch of 1, and NAME.ts, the same network traced for torch and
for pnnx. The networks come from the libraries that people take them from (MONAI, segmentation-models-pytorch, which
has its encoders from timm), without their weights: He-normal kernels from a seed, and statistics of the batch
normalisations measured on random pictures (draw in test/frameworks/zoo_nets.py). ONNX of opset 17 by tracing; where
torch does not write that (SwinUNETR), of opset 18 by torch.export.

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

Five of them are in zoo.txt too, under another name.
"""
import argparse
import os
import sys
import warnings

import onnx
import torch
from torch import nn

import nets

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(HERE, "..", "test", "frameworks"))

import zoo_nets

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

# Those that zoo.txt has too.
SAME = {"resnet34-unet": "smp-unet-resnet34", "mobilenetv2-unet": "smp-unet-mobilenet_v2",
        "efficientnetb0-unet": "smp-unet-efficientnet-b0", "basicunet-2d": "monai-basicunet-2d",
        "basicunet-3d": "monai-basicunet-3d"}


def module(name, shape):
    """The network with the weights that its library draws."""
    name = SAME.get(name, name)
    if name in zoo_nets.NETS:
        return zoo_nets.build(name, shape)
    if name == "seed-torch":
        return UNet((64, 128, 256, 512, 512), (256, 128, 64, 64), 1, bias=True, transposed=False)
    if name == "seed-keras":
        return SeedKeras()
    if name == "milesial-unet":
        return UNet((64, 128, 256, 512, 1024), (512, 256, 128, 64), 2, bias=False, transposed=True)
    if name in ("attention-unet", "voxelmorph-3d"):
        from monai.networks import nets as monai
        if name == "attention-unet":
            return monai.AttentionUnet(2, 1, 2, channels=(32, 64, 128, 256, 512), strides=(2, 2, 2, 2))
        return monai.VoxelMorphUNet(3, 2, 32, (16, 32, 32, 32, 32, 32), final_conv_channels=(16, 16))
    import segmentation_models_pytorch as smp
    if name == "deeplabv3plus-resnet50":
        return smp.DeepLabV3Plus("resnet50", encoder_weights=None)
    return smp.Segformer("mit_b0", encoder_weights=None)


def load_onnx_weights(network, model):
    """Weights of nets.py, whose names are torch's own."""
    weights = {t.name: torch.tensor(onnx.numpy_helper.to_array(t)) for t in model.graph.initializer}
    missing, _ = network.load_state_dict(weights, strict=False)
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing:
        raise KeyError(f"nets.py has no weights {missing}")
    network.eval()


def shape_of(name):
    return nets.ZOO[name] if name in nets.ZOO else zoo_nets.NETS[name].bench


def export(network, shape, path):
    names = {"input_names": ["input"], "output_names": ["output"]}
    x = (torch.randn(shape),)
    try:
        torch.onnx.export(network, x, path, dynamo=False, opset_version=17, **names)
    except torch.onnx.errors.OnnxExporterError:  # what its symbolic functions do not know
        torch.onnx.export(network, x, path, dynamo=True, opset_version=18, external_data=False, **names)


def write(name, folder, seed):
    torch.manual_seed(seed)
    path, shape = os.path.join(folder, name + ".onnx"), shape_of(name)
    network, part = module(name, shape), path + ".part"
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name in nets.NETS:
            model = nets.build(name)[0]
            load_onnx_weights(network, model)
            onnx.save(model, part)
        else:
            zoo_nets.draw(network, shape, pictures=2 if name in nets.ZOO else 4)
            export(network, shape, part)
        torch.jit.trace(network, torch.randn(shape), check_trace=False, strict=False).save(path[:-5] + ".ts")
    os.replace(part, path)
    parameters = sum(p.numel() for p in network.parameters())
    print(f"{path}: {'x'.join(map(str, shape))}, {parameters / 1e6:.1f} M parameters", flush=True)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default="build/zoo")
    parser.add_argument("--net", choices=[*nets.ZOO, *zoo_nets.NETS], action="append", metavar="NAME",
                        help="default: the 12")
    parser.add_argument("--list", action="store_true", help="print all names and stop")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.list:
        print("\n".join([*nets.ZOO, *zoo_nets.NETS]))
        return 0
    os.makedirs(args.folder, exist_ok=True)
    for name in args.net or nets.ZOO:
        write(name, args.folder, args.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
