#!/usr/bin/env python3
"""Saves the weights of the networks of torch_nets.py as PyTorch does, with inputs and outputs.

    tools/venv test/frameworks/torch.txt build/venv-torch
    build/venv-torch/bin/python test/frameworks/write_torch.py FOLDER [--testdata FOLDER] [--net NAME]...

FOLDER/NET/manifest.json is as write_keras.py's; a case that is a program has "outputs": null. --net FILE of the test
data (models/pytorch) writes what a module with those weights computes, and no model.
"""
import argparse
import collections
import json
import os
import shutil
import sys
import warnings
import zlib

warnings.simplefilter("ignore")

import numpy as np
import torch
from torch import nn

import torch_modules
import torch_nets


def set_weights(network, seed):
    """He-normal kernels, and statistics that change what they normalise."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(tensor, low, high):
        tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)

    def normal(tensor, deviation):
        tensor.copy_(torch.randn(tensor.shape, generator=generator) * deviation)
    with torch.no_grad():
        for module in network.modules():
            own = dict(module.named_parameters(recurse=False))
            if isinstance(module, nn.PReLU):
                uniform(module.weight, 0.05, 0.4)
            elif own.get("weight") is not None and own["weight"].ndim > 1:
                weight = own["weight"]
                transposed = isinstance(module, nn.modules.conv._ConvTransposeNd)
                normal(weight, np.sqrt(2 / (weight.shape[0] if transposed else weight[0].numel())))
            elif own.get("weight") is not None:
                uniform(own["weight"], 0.6, 1.3)
            if own.get("bias") is not None:
                normal(own["bias"], 0.1)
            for name, buffer in module.named_buffers(recurse=False):
                if name == "running_mean":
                    normal(buffer, 0.3)
                elif name == "running_var":
                    uniform(buffer, 0.6, 1.8)


def answer(network, x):
    with torch.no_grad():
        y = network(x)
    return (y[0] if isinstance(y, (list, tuple)) else y).numpy()


def make(net):
    torch.manual_seed(1)
    network = getattr(torch_modules, net.make)(net.input[0], **net.options)
    set_weights(network, zlib.crc32(net.name.encode()))
    return network.eval()


def one_storage(state):
    """All weights as views of one flat tensor, some not at its start, as optimisers that flatten leave them."""
    floats = {name: value for name, value in state.items() if value.is_floating_point()}
    flat = torch.cat([value.reshape(-1) for value in floats.values()])
    views, at = collections.OrderedDict(), 0
    for name, value in state.items():
        views[name] = value
        if name in floats:
            views[name] = flat[at:at + value.numel()].view(value.shape)
            at += value.numel()
    return views


def channels_last(state):
    """Kernels whose strides are not those of their shape, and transposed views."""
    return collections.OrderedDict((name, value.to(memory_format=torch.channels_last) if value.ndim == 4 else value)
                                   for name, value in state.items())


def converted(network, dtype):
    """Weights rounded to `dtype`: the state that is saved. The network keeps them, in float32."""
    state = collections.OrderedDict((name, value.to(dtype) if value.is_floating_point() else value)
                                    for name, value in network.state_dict().items())
    network.load_state_dict({name: value.float() if value.is_floating_point() else value for name, value in state.items()})
    return state


def adam_of(network):
    """The state of an optimiser that has done a step."""
    optimiser = torch.optim.Adam([next(network.parameters())], lr=1e-3)
    next(network.parameters()).grad = torch.zeros_like(next(network.parameters()))
    optimiser.step()
    next(network.parameters()).grad = None
    return optimiser.state_dict()


def saved(form, network):
    """What is saved in this form, and torch.save's options."""
    state = network.state_dict()
    prefixed = {prefix: collections.OrderedDict((prefix + name, value) for name, value in state.items())
                for prefix in ("module.", "model.")}
    parameters = collections.OrderedDict(network.named_parameters()) | dict(network.named_buffers())
    plain = {
        "zip": state, "legacy": state, "protocol-4": state, "one-storage": one_storage(state),
        "channels-last": channels_last(state), "parameters": parameters,
        "state_dict": {"epoch": 12, "state_dict": state, "best_dice": 0.84},
        "model_state_dict": {"epoch": 3, "model_state_dict": state, "optimizer_state_dict": adam_of(network), "loss": 0.3},
        "checkpoint": {"model": state, "args": {"lr": 0.01, "name": "unet", "sizes": [1, 2, 3]}, "epoch": None, "amp": True},
        "module-prefix": prefixed["module."],
        "lightning": {"state_dict": prefixed["model."], "epoch": 3, "pytorch-lightning_version": "2.4.0",
                      "hyper_parameters": {"lr": 1e-3}, "callbacks": {}, "optimizer_states": [adam_of(network)]},
        "nnunet": {"network_weights": state, "optimizer_state": adam_of(network), "grad_scaler_state": None,
                   "logging": {"mean_fg_dice": [0.1, 0.2]}, "_best_ema": 0.5, "current_epoch": 4,
                   "init_args": {"plans": {"configurations": {}}, "fold": 0}, "trainer_name": "nnUNetTrainer",
                   "inference_allowed_mirroring_axes": (0, 1)},
        "whole": network, "whole-legacy": network, "whole-in-dict": {"epoch": 1, "model": network},
    }
    options = {"_use_new_zipfile_serialization": False} if form in ("legacy", "whole-legacy") else {}
    options |= {"pickle_protocol": 4} if form == "protocol-4" else {}
    return plain[form], options


def write_form(form, network, x, path):
    """Writes one file: its outputs, or None where it is a program."""
    if form in ("half", "bfloat16"):
        torch.save(converted(network, torch.half if form == "half" else torch.bfloat16), path)
        return answer(network, x)
    if form == "torchscript":
        torch.jit.trace(network, x, check_trace=False).save(path)
        return answer(network, x)
    if form == "exported":
        torch.export.save(torch.export.export(network, (x,)), path + ".pt2")
        os.replace(path + ".pt2", path)
        return answer(network, x)
    value, options = saved(form, network)
    torch.save(value, path, **options)
    return answer(network, x)


def write_net(net, folder):
    cases, refused = [], {}
    rng = np.random.default_rng(zlib.crc32(net.name.encode()) ^ 1)
    x = rng.standard_normal((net.batch,) + net.input).astype(np.float32)
    np.save(os.path.join(folder, "x0.npy"), x)
    for form in net.all_forms():
        try:
            y = write_form(form, make(net), torch.from_numpy(x), os.path.join(folder, form + ".pth"))
        except Exception as error:  # whatever torch raises: the test then says so
            refused[form] = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            continue
        if y is not None:
            np.save(os.path.join(folder, form + ".y0.npy"), y)
        cases.append({"format": form, "file": form + ".pth", "inputs": ["x0.npy"],
                      "outputs": None if y is None else [form + ".y0.npy"]})
    return cases, refused


def write_shared(name, testdata, folder):
    """Outputs of a file of the test data, by the module that goes with it."""
    function, shape = torch_nets.SHARED[name]
    network = getattr(torch_modules, function)(shape[0]).eval()
    network.load_state_dict(torch.load(os.path.join(testdata, "models", "pytorch", name), map_location="cpu",
                                       weights_only=True))
    x = np.random.default_rng(zlib.crc32(name.encode())).standard_normal((1,) + shape).astype(np.float32)
    np.save(os.path.join(folder, "x0.npy"), x)
    np.save(os.path.join(folder, "y0.npy"), answer(network, torch.from_numpy(x)))
    return [{"format": "file", "file": name, "inputs": ["x0.npy"], "outputs": ["y0.npy"]}], {}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--testdata", help="folder with models/pytorch")
    parser.add_argument("--net", choices=[*torch_nets.BY_NAME, *torch_nets.SHARED], action="append", help="default: all")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.net or torch_nets.BY_NAME:
        folder = os.path.join(args.folder, name)
        part = f"{folder}.{os.getpid()}.part"
        os.makedirs(part)
        if name in torch_nets.SHARED:
            cases, refused = write_shared(name, args.testdata, part)
        else:
            cases, refused = write_net(torch_nets.BY_NAME[name], part)
        with open(os.path.join(part, "manifest.json"), "w", encoding="utf-8") as file:
            json.dump({"cases": cases, "refused": refused}, file, indent=1)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(part, folder)
        print(name, flush=True)


if __name__ == "__main__":
    sys.exit(main())
