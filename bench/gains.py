#!/usr/bin/env python3
"""Disturbs one layer of a network at a time and sees what of it arrives: the gains of src/plan/budget.c.

    bench/gains.py [MODEL.onnx ...]        default: both networks of the study, 32 channels wide, at 128x128

To the output of a convolution, an error of 1e-4 of its standard deviation is added, in float64. The gain is the square
of (error of the network's output before its last activation, rms / std) / 1e-4. Twice: `noise`, a random input and an
error that is random too; `picture`, a scan's object in dark surroundings, and an error that the value decides, as
rounding does: where a layer has the same value everywhere it has the same error everywhere, which the layers behind it
do not average away. Beside them what the plan foresees. The last line of a network compares the roots of the sums: what
an equal error in all layers makes of the output.
Exit status 0; 1 where the foreseen sum is below the measured one.
"""
import math
import sys

import numpy as np
import onnx
from onnx import numpy_helper

import float64
import nets

NOISE, NEAR, FAR, LEAST = 1e-4, 54, 8, 2  # the last three: src/plan/budget.c


def disturbed(model, node, noise):
    """A copy of the model with `noise` added to the node's output."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    at = next(i for i, n in enumerate(copy.graph.node) if n.output[0] == node.output[0])
    name = copy.graph.node[at].output[0]
    copy.graph.node[at].output[0] = name + ".clean"
    copy.graph.initializer.append(numpy_helper.from_array(noise, name + ".noise"))
    copy.graph.node.insert(at + 1, onnx.helper.make_node("Add", [name + ".clean", name + ".noise"], [name]))
    return copy


def layers(model, inputs):
    """(node, output) of every convolution."""
    nodes = [n for n in model.graph.node if n.op_type in ("Conv", "ConvTranspose")]
    told = onnx.ModelProto()
    told.CopyFrom(model)
    known = {o.name for o in told.graph.output}
    told.graph.output.extend(onnx.helper.make_empty_tensor_value_info(n.output[0])
                             for n in nodes if n.output[0] not in known)
    values = float64.run(told, inputs)
    return [(n, values[n.output[0]]) for n in nodes]


def foresee(sizes):
    """The plan's gain for layers with these numbers of pixels, in their order."""
    coarsest = sizes.index(min(sizes))
    gains = [max(LEAST, (FAR if i < coarsest else NEAR) * size / max(sizes[i:])) for i, size in enumerate(sizes)]
    return gains[:-1] + [1]


def picture(shape):
    """Waves in a disc, as the self-check's sample has them, and zeros around it."""
    channels, height, width = shape[1:]
    c, y, x = np.meshgrid(np.arange(channels), np.arange(height) / height, np.arange(width) / width, indexing="ij")
    waves = 0.5 + 0.2 * np.sin(9 * x + c) * np.cos(7 * y - c) + 0.15 * np.sin(31 * (x + y) + 2 * c)
    waves += 0.05 * (np.random.default_rng(5).random(c.shape) - 0.5)
    return np.where((x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.2, waves, 0)[None].astype(np.float32)


def noise_of(y):
    return np.random.default_rng(3).standard_normal(y.shape) * y.std() * NOISE


def rounding_of(y):
    """What the value decides, of mean 0; the channel too, as every channel has weights of its own."""
    channel = np.arange(y.shape[1]).reshape(1, -1, *[1] * (y.ndim - 2))
    return np.sqrt(2) * np.sin(y / y.std() * 1e5 + 7.0 * channel ** 2) * y.std() * NOISE


def gains_of(model, sample, error_of):
    """(layer, shape, gain) of every convolution."""
    inputs = {model.graph.input[0].name: sample}
    clean = next(iter(float64.run(model, inputs).values()))
    for node, y in layers(model, inputs):
        got = next(iter(float64.run(disturbed(model, node, error_of(y)), inputs).values()))
        yield node.output[0], y.shape[2:], (float64.relative_rms(got, clean) / NOISE) ** 2


def measure(name, model):
    model = float64.without_last_activation(model)
    sample = float64.sample(model)
    noise = list(gains_of(model, sample, noise_of))
    pictured = [gain for _, _, gain in gains_of(model, picture(sample.shape), rounding_of)]
    foreseen = foresee([math.prod(shape) for _, shape, _ in noise])
    print(f"{name}\n  {'layer':28} {'pixels':>12} {'noise':>7} {'picture':>8} {'foreseen':>8}")
    for (layer, shape, gain), second, mark in zip(noise, pictured, foreseen):
        print(f"  {layer[-28:]:28} {'x'.join(map(str, shape)):>12} {gain:7.2f} {second:8.2f} {mark:8.2f}", flush=True)
    sums = [math.sqrt(sum(g)) for g in ([gain for _, _, gain in noise], pictured, foreseen)]
    print("  all layers: noise %.1f, picture %.1f times the error of one, foreseen %.1f" % tuple(sums))
    return sums[2] >= max(sums[:2])


def main():
    models = [(path, onnx.load(path)) for path in sys.argv[1:]]
    models = models or [(name, nets.build(name, width=32, size=128)[0]) for name in nets.NETS]
    return 0 if all([measure(name, model) for name, model in models]) else 1


if __name__ == "__main__":
    sys.exit(main())
