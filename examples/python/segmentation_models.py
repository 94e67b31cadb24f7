#!/usr/bin/env python3
"""A network of segmentation_models_pytorch, run by stent.

    pip install . segmentation-models-pytorch
    python examples/python/segmentation_models.py [ENCODER]      default: resnet34

Any of the library's architectures goes in the same way: Unet, UnetPlusPlus, MAnet, Linknet, FPN, PSPNet, PAN,
DeepLabV3, DeepLabV3Plus, Segformer. Here the weights are random; load yours with load_state_dict().
"""
import sys

import segmentation_models_pytorch as smp
import torch
from side_by_side import compare

encoder = sys.argv[1] if len(sys.argv) > 1 else "resnet34"
torch.manual_seed(1)
network = smp.Unet(encoder, encoder_weights=None, in_channels=3, classes=1)
logits = compare(network, torch.rand(1, 3, 256, 256))
print(f"mask: {(logits > 0).mean():.1%} of the pixels")
