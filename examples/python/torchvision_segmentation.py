#!/usr/bin/env python3
"""A segmentation network of torchvision, run by stent.

    pip install . torchvision
    python examples/python/torchvision_segmentation.py

These networks answer with a dict, {"out": logits}; stent takes that too, and names its output after the key. Here the weights are random;
weights="DEFAULT" takes the library's own, from the network.
"""
import torch
from side_by_side import compare
from torchvision.models.segmentation import lraspp_mobilenet_v3_large


class Logits(torch.nn.Module):
    """The network with the one tensor that is wanted as its answer."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image):
        return self.network(image)["out"]


torch.manual_seed(1)
network = Logits(lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=2))
logits = compare(network, torch.rand(1, 3, 256, 256))
print(f"class 1: {(logits.argmax(1) == 1).mean():.1%} of the pixels")
