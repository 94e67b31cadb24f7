#!/usr/bin/env python3
"""Writes networks of zoo.txt as torch does: exported programs, traced TorchScript, ONNX; with an input, and the output
that float64 computes.

    tools/venv test/frameworks/torch.txt build/venv-torch
    build/venv-torch/bin/python test/frameworks/write_zoo.py FOLDER --net NAME [--format FORMAT]... [--size even|odd]...

FOLDER/NAME/SIZE.FORMAT.json says what became of one: {"file", "inputs", "outputs"}, names beside it; or {"refused": why
torch does not write it}. SIZE.json has "torch_error": what float32 in torch itself misses, rms / standard deviation.
"""
import argparse
import contextlib
import json
import os
import sys
import warnings
import zlib

warnings.simplefilter("ignore")

import numpy as np
import torch

import zoo_nets


def tensors_of(answer):
    """The outputs in the order of an export: of a tensor, a dict of tensors (torchvision) or a list (MONAI)."""
    if isinstance(answer, torch.Tensor):
        return [answer]
    return list(answer.values()) if isinstance(answer, dict) else list(answer)


def answers(network, x):
    with torch.no_grad():
        return [y.numpy() for y in tensors_of(network(x))]


def error_of(got, expected):
    return float(np.sqrt(np.mean((got - expected) ** 2)) / expected.std())


def write_arrays(network, net, size, folder):
    """Input and expected outputs of one size: names of the files."""
    rng = np.random.default_rng(zlib.crc32(f"{net.name}/{size}".encode()))
    x = rng.standard_normal(net.shape(size)).astype(np.float32)
    single = answers(network, torch.from_numpy(x))
    double = answers(network.double(), torch.from_numpy(x).double())
    network.float()
    names = {"inputs": [f"{size}.x0.npy"], "outputs": [f"{size}.y{i}.npy" for i in range(len(double))]}
    np.save(os.path.join(folder, names["inputs"][0]), x)
    for name, y in zip(names["outputs"], double):
        np.save(os.path.join(folder, name), y.astype(np.float32))
    worst = max(error_of(a, b) for a, b in zip(single, double))
    write_json(os.path.join(folder, size + ".json"), {"torch_error": worst, **names})
    return torch.from_numpy(x), names


def write_json(path, value):
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)
    os.replace(path + ".part", path)


def write_file(network, x, form, path):
    if form == "pt2":
        torch.export.save(torch.export.export(network, (x,)), path)
    elif form == "torchscript":
        torch.jit.trace(network, x, check_trace=False, strict=False).save(path)
    else:
        opset = zoo_nets.ONNX[form]
        torch.onnx.export(network, (x,), path, dynamo=opset > 17, opset_version=opset, external_data=False)


def write_format(network, x, form, names, stem):
    path = f"{stem}.{form}{zoo_nets.FORMATS[form]}"
    try:
        with torch.no_grad(), contextlib.redirect_stdout(sys.stderr):
            write_file(network, x, form, path)
    except Exception as error:  # whatever torch raises: the test then says so
        write_json(f"{stem}.{form}.json", {"refused": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"})
        return
    write_json(f"{stem}.{form}.json", {"file": os.path.basename(path), **names})


def write_net(net, sizes, formats, folder):
    os.makedirs(folder, exist_ok=True)
    for size in sizes:
        network = zoo_nets.make(net.name, net.shape(size))
        x, names = write_arrays(network, net, size, folder)
        for form in formats:
            write_format(network, x, form, names, os.path.join(folder, size))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--net", choices=zoo_nets.NETS, action="append", help="default: all")
    parser.add_argument("--format", choices=zoo_nets.FORMATS, action="append", help="default: all")
    parser.add_argument("--size", choices=zoo_nets.SIZES, action="append", help="default: both")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.net or zoo_nets.NETS:
        write_net(zoo_nets.NETS[name], args.size or zoo_nets.SIZES, args.format or zoo_nets.FORMATS,
                  os.path.join(args.folder, name))
        print(name, flush=True)


if __name__ == "__main__":
    sys.exit(main())
