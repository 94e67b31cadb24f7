"""The networks whose weights write_torch.py saves as PyTorch does. Can be imported without torch.

`make` names a function of torch_modules.py, called with `options`; the network gets random weights and statistics.
"""
import dataclasses

# How a file holds the weights; the first for all networks.
ALL_FORMS = ("zip",)
# Only of networks marked so: what people save.
FORMS = ("legacy", "protocol-4", "state_dict", "model_state_dict", "checkpoint", "module-prefix", "lightning",
         "parameters", "one-storage", "channels-last", "half", "bfloat16")
# Whole modules: nothing of theirs is executed, but their weights are there.
WHOLE = ("whole", "whole-legacy", "whole-in-dict")
# Programs: one that is read, and one that gets a clear line, never more.
CODE = ("exported", "torchscript")


@dataclasses.dataclass
class Net:
    name: str
    exercises: str
    make: str
    options: dict
    input: tuple      # (channels, height, width) or (channels, depth, height, width)
    forms: tuple = ALL_FORMS
    batch: int = 1

    def all_forms(self):
        return self.forms


NETS = [
    Net("study", "the study's: bilinear up-sampling, widths w, 2w, 4w, 8w, 8w", "study", {}, (3, 64, 64),
        ALL_FORMS + FORMS + WHOLE + CODE),
    Net("milesial-bilinear", "github.com/milesial/Pytorch-UNet, bilinear=True", "milesial",
        {"classes": 2, "bilinear": True, "width": 8}, (3, 64, 48), ALL_FORMS + ("state_dict",)),
    Net("milesial-transposed", "github.com/milesial/Pytorch-UNet, bilinear=False", "milesial",
        {"classes": 3, "bilinear": False, "width": 8}, (1, 48, 64), ALL_FORMS + ("legacy",), batch=2),
    Net("milesial-odd", "sizes that pooling cuts: the decoder pads", "milesial",
        {"classes": 2, "bilinear": False, "width": 8}, (3, 61, 75)),
    Net("milesial-bias", "its older form: convolutions with a bias, bilinear", "milesial",
        {"classes": 1, "bilinear": True, "width": 8, "bias": True}, (3, 64, 64)),
    Net("mateuszbuda", "github.com/mateuszbuda/brain-segmentation-pytorch: named layers, sigmoid", "mateuszbuda",
        {"width": 8}, (3, 64, 64), ALL_FORMS + ("legacy", "checkpoint", "module-prefix")),
    Net("monai-basicunet-2d", "MONAI BasicUNet", "basic_unet", {"dims": 2}, (1, 48, 64), ALL_FORMS + ("state_dict",)),
    Net("monai-basicunet-3d", "MONAI BasicUNet, 3D", "basic_unet", {"dims": 3}, (2, 32, 32, 16)),
    Net("monai-unet-plain", "MONAI UNet without residual units", "monai_unet", {"dims": 2, "units": 0}, (1, 48, 64)),
    Net("monai-unet-residual", "MONAI UNet with two residual units", "monai_unet", {"dims": 2, "units": 2}, (1, 64, 64)),
    Net("monai-unet-batch", "MONAI UNet, batch normalisation", "monai_unet", {"dims": 2, "units": 2, "norm": "batch"},
        (3, 64, 64), ALL_FORMS + ("lightning",)),
    Net("monai-unet-3d", "MONAI UNet, 3D", "monai_unet", {"dims": 3, "units": 2}, (1, 16, 32, 32)),
    Net("monai-dynunet", "MONAI DynUNet", "dyn_unet", {"dims": 2, "residual": False}, (1, 64, 64)),
    Net("monai-dynunet-residual", "MONAI DynUNet, residual blocks, heads of deep supervision", "dyn_unet",
        {"dims": 3, "residual": True}, (1, 32, 32, 32)),
    Net("nnunet-plain-2d", "nnU-Net PlainConvUNet", "plain_conv_unet", {"dims": 2}, (1, 64, 64), ALL_FORMS + ("nnunet",)),
    Net("nnunet-plain-3d", "nnU-Net PlainConvUNet, 3D", "plain_conv_unet", {"dims": 3}, (1, 16, 32, 32)),
    Net("nnunet-residual-2d", "nnU-Net ResidualEncoderUNet", "residual_encoder_unet", {"dims": 2}, (3, 64, 64)),
    Net("nnunet-residual-3d", "nnU-Net ResidualEncoderUNet, 3D", "residual_encoder_unet", {"dims": 3}, (1, 32, 16, 32),
        ALL_FORMS + ("nnunet",)),
]
BY_NAME = {net.name: net for net in NETS}

# Files of the test data (models/pytorch): the module that goes with each, and the shape of an input.
SHARED = {
    "brats-flair-unet-nobn.state_dict.pth": ("sequential_blocks", (1, 128, 128)),
    "drive-retina-unet-5x5.state_dict.pt": ("retina", (3, 96, 128)),
}
