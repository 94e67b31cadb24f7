"""The networks of zoo.txt: their names, sizes and files; and what makes them, which imports PyTorch when it is called.

A name is LIBRARY-CLASS, and then the encoder (segmentation-models-pytorch) or the number of dims.
"""
import dataclasses
import os
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = ("even", "odd")
# How torch writes a network: as a program of ATen operators, as TorchScript, and as ONNX of an opset: by tracing up to
# 17, and by torch.export for the newest that it knows.
ONNX = {"onnx-13": 13, "onnx-17": 17, "onnx-23": 23}
FORMATS = {"pt2": ".pt2", "torchscript": ".pt", **dict.fromkeys(ONNX, ".onnx")}


@dataclasses.dataclass
class Net:
    name: str
    even: tuple  # (1, channels, spatial...), as the others
    odd: tuple
    bench: tuple

    def shape(self, size):
        return getattr(self, size)


def read_list():
    nets = []
    with open(os.path.join(HERE, "zoo.txt"), encoding="utf-8") as file:
        for line in file:
            words = line.partition("#")[0].split()
            if words:
                nets.append(Net(words[0], *((1, *map(int, word.split("x"))) for word in words[1:])))
    return nets


NETS = {net.name: net for net in read_list()}


# ---- each library

def smp(kind, shape):
    """Output before an activation, as by default."""
    import segmentation_models_pytorch as library
    decoder, _, encoder = kind.partition("-")
    classes = {name.lower(): name for name in ("Unet", "UnetPlusPlus", "MAnet", "Linknet", "FPN", "PSPNet", "PAN",
                                               "DeepLabV3", "DeepLabV3Plus", "Segformer")}
    return getattr(library, classes[decoder])(encoder, encoder_weights=None, in_channels=shape[1])


def monai(kind, shape):
    """As in the library's examples; the numbers of channels and levels are those of its documentation."""
    from monai.networks import nets as library
    name, dims, ic = kind.split("-")[0], len(shape) - 2, shape[1]
    if name == "unet":
        return library.UNet(dims, ic, 2, channels=(16, 32, 64, 128, 256), strides=(2, 2, 2, 2), num_res_units=2)
    if name == "attentionunet":
        return library.AttentionUnet(dims, ic, 2, channels=(16, 32, 64, 128, 256), strides=(2, 2, 2, 2))
    if name == "dynunet":
        levels = 6 if dims == 2 else 5
        return library.DynUNet(dims, ic, 2, kernel_size=[3] * levels, strides=[1] + [2] * (levels - 1),
                               upsample_kernel_size=[2] * (levels - 1))
    if name == "segresnet":
        return library.SegResNet(dims, 16, ic, 2)
    if name == "vnet":
        return library.VNet(dims, ic, 2, dropout_dim=dims)
    if name == "unetr":
        return library.UNETR(ic, 2, shape[2:], spatial_dims=dims)
    if name == "swinunetr":
        return library.SwinUNETR(ic, 2, spatial_dims=dims)
    if name == "basicunetplusplus":
        return library.BasicUNetPlusPlus(dims, ic, 2)
    return library.BasicUNet(dims, ic, 2)


def torchvision(kind, _shape):
    from torchvision.models import segmentation
    return getattr(segmentation, kind)(weights=None, weights_backbone=None)


def nnunet(kind, shape):
    """As nnU-Net plans them, but for the number of levels, which goes with the size of the patch."""
    from dynamic_network_architectures.architectures import unet
    from torch import nn
    dims, ic = len(shape) - 2, shape[1]
    features = (32, 64, 128, 256, 512, 512) if dims == 2 else (32, 64, 128, 256, 320)
    levels = len(features)
    common = {"n_stages": levels, "features_per_stage": features, "conv_op": (nn.Conv2d, nn.Conv3d)[dims - 2],
              "kernel_sizes": 3, "strides": [1] + [2] * (levels - 1), "num_classes": 3, "conv_bias": True,
              "norm_op": (nn.InstanceNorm2d, nn.InstanceNorm3d)[dims - 2], "norm_op_kwargs": {"eps": 1e-5, "affine": True},
              "nonlin": nn.LeakyReLU, "nonlin_kwargs": {"inplace": True}}
    if kind.startswith("plain"):
        return unet.PlainConvUNet(ic, n_conv_per_stage=2, n_conv_per_stage_decoder=2, **common)
    return unet.ResidualEncoderUNet(ic, n_blocks_per_stage=(1, 3, 4, 6, 6, 6)[:levels], n_conv_per_stage_decoder=1, **common)


def study(_kind, shape):
    import torch_modules
    return torch_modules.study(shape[1], 32)


def mateuszbuda(_kind, shape):
    """Before its sigmoid."""
    import torch_modules
    return torch_modules.Named(shape[1], 32, activation=None)


LIBRARIES = {f.__name__: f for f in (smp, monai, torchvision, nnunet, study, mateuszbuda)}


def build(name, shape):
    """The network for inputs of this shape (1, channels, spatial...), with the weights that its library draws."""
    library, _, kind = name.partition("-")
    return LIBRARIES[library](kind, shape)


# ---- weights

def draw(network, shape, pictures=8):
    """He-normal kernels, scales and shifts of normalisations that are not 1 and 0, and batch statistics of random
    pictures, so that values keep their size through the layers.

    Shifts around 1: most values pass a ReLU. With shifts around 0 each layer of a random network makes rounding errors
    1.2 times as large (half of the error passes, a third of the variance), and PyTorch itself misses 1e-5. Pictures
    differ in brightness and contrast: else those of noise are all alike after a global pool, and their statistics a
    factor of a hundred."""
    import torch
    from torch import nn
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    with torch.no_grad():
        for m in network.modules():
            if isinstance(m, nn.modules.conv._ConvNd):
                nn.init.kaiming_normal_(m.weight)
            elif "Norm" in type(m).__name__ and getattr(m, "weight", None) is not None:
                nn.init.uniform_(m.weight, 0.7, 1.3)
                nn.init.normal_(m.bias, 1, 0.2)
        for m in norms:
            m.momentum = None  # the mean over all that it sees
        if norms:
            each = (pictures, 1) + (1,) * (len(shape) - 2)
            network.train()
            network(torch.randn((pictures,) + tuple(shape[1:])) * (0.5 + torch.rand(each)) + torch.randn(each))
    return network.eval()


def make(name, shape):
    """The network in evaluation mode, with the same weights each time."""
    import torch
    torch.manual_seed(zlib.crc32(name.encode()))
    return draw(build(name, shape), shape)
