#!/usr/bin/env python3
"""Saves the programs of export_nets.py with torch.export.save, with inputs and outputs.

    tools/venv test/frameworks/torch.txt build/venv-torch
    build/venv-torch/bin/python test/frameworks/write_export.py FOLDER [--net NAME]...

FOLDER/NET/manifest.json is as write_keras.py's.
"""
import argparse
import json
import os
import shutil
import sys
import warnings
import zlib

warnings.simplefilter("ignore")

import numpy as np
import torch
from torch.utils import _pytree as pytree

import export_modules
import export_nets


def set_statistics(module):
    """Statistics and scales that change what they normalise."""
    with torch.no_grad():
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            if name.endswith("running_var") or (name.endswith("weight") and tensor.ndim == 1):
                tensor.copy_(torch.rand(tensor.shape) + 0.5)
            elif name.endswith("running_mean") or (name.endswith("bias") and tensor.ndim == 1):
                tensor.copy_(torch.randn(tensor.shape) * 0.2)


def leaves(values):
    return [value for value in pytree.tree_leaves(values) if isinstance(value, torch.Tensor)]


def answer(module, args, kwargs):
    """What it computes in float32, whatever its weights are stored as."""
    def wide(value):
        return value.float() if isinstance(value, torch.Tensor) and value.is_floating_point() else value
    args, kwargs = pytree.tree_map(wide, args), pytree.tree_map(wide, kwargs)
    state = {name: value.clone() for name, value in module.state_dict().items()}
    with torch.no_grad():
        outputs = leaves(module.float()(*pytree.tree_map(lambda v: v.clone() if isinstance(v, torch.Tensor) else v, args),
                                        **kwargs))
    module.load_state_dict(state)  # of buffers that a run changes
    return leaves((args, kwargs)), outputs


def save(program, form, path):
    torch.export.save(program if form == "plain" else program.run_decompositions(), path)


def write_net(net, folder):
    torch.manual_seed(zlib.crc32(net.name.encode()))
    make = getattr(export_modules, net.name.replace("-", "_") + ("_" if net.name in ("dict", "tuple") else ""))
    module, args, kwargs, shapes, runs = make()
    set_statistics(module.eval())
    cases, refused, inputs, outputs = [], {}, [], []
    for form in export_nets.FORMS:
        try:
            program = torch.export.export(module, args, kwargs, dynamic_shapes=shapes)
            save(program, form, os.path.join(folder, form + ".pt2"))
        except Exception as error:  # whatever torch raises: the test then says so
            refused[form] = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            continue
        cases.append({"format": form, "file": form + ".pt2"})
    values, expected = answer(module, runs or args, kwargs)
    for name, arrays, files in (("x", values, inputs), ("y", expected, outputs)):
        for i, value in enumerate(arrays):
            files.append(f"{name}{i}.npy")
            np.save(os.path.join(folder, files[-1]), value.numpy())
    return [{**case, "inputs": inputs, "outputs": outputs} for case in cases], refused


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--net", choices=export_nets.BY_NAME, action="append", help="default: all")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.net or export_nets.BY_NAME:
        folder = os.path.join(args.folder, name)
        part = f"{folder}.{os.getpid()}.part"
        os.makedirs(part)
        cases, refused = write_net(export_nets.BY_NAME[name], part)
        with open(os.path.join(part, "manifest.json"), "w", encoding="utf-8") as file:
            json.dump({"cases": cases, "refused": refused}, file, indent=1)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(part, folder)
        print(name, flush=True)


if __name__ == "__main__":
    sys.exit(main())
