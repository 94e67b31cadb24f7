#!/usr/bin/env python3
"""A 3D network of MONAI, run by stent on one window of a volume.

    pip install . monai
    python examples/python/monai_networks.py

Here the weights are random; load yours with load_state_dict(). To go over a whole volume, give
`monai.inferers.sliding_window_inference` a predictor that calls the compiled network:

    net = stent.compile(network, example=torch.zeros(1, 1, 64, 64, 64))
    sliding_window_inference(volume, (64, 64, 64), 4, lambda x: torch.from_numpy(net(x.numpy())))
"""
import torch
from monai.networks.nets import UNet
from side_by_side import compare

torch.manual_seed(1)
network = UNet(spatial_dims=3, in_channels=1, out_channels=2, channels=(16, 32, 64, 128, 256), strides=(2, 2, 2, 2),
               num_res_units=2)
logits = compare(network, torch.rand(1, 1, 64, 64, 64))
print(f"label 1: {(logits.argmax(1) == 1).mean():.1%} of the voxels")
