#!/usr/bin/env python3
"""Saves the networks of script_nets.py as TorchScript, traced, scripted and frozen, with inputs and outputs.

    tools/venv test/frameworks/torch.txt build/venv-torch
    build/venv-torch/bin/python test/frameworks/write_script.py FOLDER [--net NAME]...

FOLDER/NET/manifest.json is as write_keras.py's; outputs of a dict are in the order of its keys.
"""
import argparse
import json
import os
import shutil
import warnings
import zlib

warnings.simplefilter("ignore")

import numpy as np
import torch

import script_modules
import script_nets
import write_torch


def make(net):
    torch.manual_seed(1)
    network = getattr(script_modules, net.make)()
    write_torch.set_weights(network, zlib.crc32(net.name.encode()))
    if net.make == "Half":
        with torch.no_grad():
            for value in [*network.parameters(), *network.buffers()]:
                if value.is_floating_point():
                    value.copy_(value.half().float())
    return network.eval()


def flat(value):
    """Tensors in the order of outputs."""
    if isinstance(value, torch.Tensor):
        return [value.detach().numpy()]
    parts = value.values() if isinstance(value, dict) else value
    return [array for part in parts for array in flat(part)]


@torch.no_grad()
def save(net, form, network, example, path):
    if form == "traced" and net.make == "Half":  # half's convolutions are slow or not there on a CPU: weights only
        traced = torch.jit.trace(network, example, check_trace=False)
        torch.jit.save(traced.half(), path)
        return
    if form == "traced":
        torch.jit.trace(network, example, check_trace=False, strict=False).save(path)
        return
    scripted = torch.jit.script(network)
    (torch.jit.freeze(scripted) if form == "frozen" else scripted).save(path)


def write_net(net, folder):
    cases, refused = [], {}
    rng = np.random.default_rng(zlib.crc32(net.name.encode()) ^ 1)
    sizes = {"": net.inputs}
    if net.other:
        sizes["-other"] = [tuple(net.inputs[0][:2]) + net.other]
    for suffix, shapes in sizes.items():
        inputs = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
        for i, value in enumerate(inputs):
            np.save(os.path.join(folder, f"x{i}{suffix}.npy"), value)
        with torch.no_grad():
            outputs = flat(make(net)(*(torch.from_numpy(value.copy()) for value in inputs)))
        for i, value in enumerate(outputs):
            np.save(os.path.join(folder, f"y{i}{suffix}.npy"), value)
        for form in net.forms:
            try:
                if not suffix:
                    example = tuple(torch.from_numpy(value.copy()) for value in inputs)
                    save(net, form, make(net), example, os.path.join(folder, form + ".pt"))
            except Exception as error:  # whatever torch raises: the test then says so
                refused[form] = f"{type(error).__name__}: {' '.join(str(error).split())[-300:]}"
                continue
            cases.append({"format": form + suffix, "file": form + ".pt",
                          "inputs": [f"x{i}{suffix}.npy" for i in range(len(inputs))],
                          "outputs": [f"y{i}{suffix}.npy" for i in range(len(outputs))]})
    return cases, refused


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--net", choices=list(script_nets.BY_NAME), action="append", help="default: all")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.net or script_nets.BY_NAME:
        folder = os.path.join(args.folder, name)
        part = f"{folder}.{os.getpid()}.part"
        os.makedirs(part)
        cases, refused = write_net(script_nets.BY_NAME[name], part)
        with open(os.path.join(part, "manifest.json"), "w", encoding="utf-8") as file:
            json.dump({"net": name, "cases": cases, "refused": refused}, file, indent=1)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(part, folder)


if __name__ == "__main__":
    main()
