#!/usr/bin/env python3
"""Disturbs one layer of a network at a time and sees what of it arrives: the gains of src/plan/budget.c.

    bench/gains.py [MODEL.onnx ...]        default: both networks of the study, 32 channels wide, at 128x128

To the output of a convolution, noise of 1e-4 of its standard deviation is added, in float64. The gain is the square of
(error of the network's output before its last activation, rms / std) / 1e-4. Beside it what the plan foresees. The last
line of a network compares the roots of the sums: what an equal error in all layers makes of the output.
Exit status 0; 1 where the foreseen sum is below the measured one.
"""
import math
import sys

import numpy as np
import onnx
from onnx import numpy_helper

import float64
import nets

NOISE, NEAR, FAR, LEAST = 1e-4, 24, 6, 2  # the last three: src/plan/budget.c


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
    return [max(LEAST, (FAR if i < coarsest else NEAR) * size / max(sizes[i:])) for i, size in enumerate(sizes)]


def measure(name, model):
    model = float64.without_last_activation(model)
    inputs = {model.graph.input[0].name: float64.sample(model)}
    clean = next(iter(float64.run(model, inputs).values()))
    found = layers(model, inputs)
    gains = foresee([math.prod(y.shape[2:]) for _, y in found])
    random, sums = np.random.default_rng(3), [0.0, 0.0]
    print(f"{name}\n  {'layer':28} {'pixels':>12} {'gain':>7} {'foreseen':>8}")
    for (node, y), foreseen in zip(found, gains):
        noise = random.standard_normal(y.shape) * y.std() * NOISE
        got = next(iter(float64.run(disturbed(model, node, noise), inputs).values()))
        gain = (float64.relative_rms(got, clean) / NOISE) ** 2
        sums[0] += gain
        sums[1] += foreseen
        print(f"  {node.output[0][-28:]:28} {'x'.join(map(str, y.shape[2:])):>12} {gain:7.2f} {foreseen:8.2f}", flush=True)
    measured, foreseen = map(math.sqrt, sums)
    print(f"  all layers: measured {measured:.1f} times the error of one, foreseen {foreseen:.1f}")
    return foreseen >= measured


def main():
    models = [(path, onnx.load(path)) for path in sys.argv[1:]]
    models = models or [(name, nets.build(name, width=32, size=128)[0]) for name in nets.NETS]
    return 0 if all([measure(name, model) for name, model in models]) else 1


if __name__ == "__main__":
    sys.exit(main())
