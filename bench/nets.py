#!/usr/bin/env python3
"""Writes the two U-Nets of the 2021 study as ONNX files with random weights (onnx and numpy only).

    bench/nets.py build/bench                 both networks at full width: seed-torch.onnx, seed-keras.onnx
    bench/nets.py build/bench --net seed-keras --width 16 --logits --dynamic

Speed and error do not depend on what a network was trained for, so the weights are drawn: He-normal kernels,
random normalisation statistics, and a last layer scaled so that the output before the last activation has a
mean near 0 and a standard deviation near 1. Nodes are those that exporters write: nothing is folded.

    seed-torch   D(i,o) = [conv 3x3, BN, ReLU] twice.  D(3,64); 4x maxpool 2 + D to 128, 256, 512, 512;
                 4x bilinear x2 (align_corners), concat [skip, up], D to 256, 128, 64, 64; conv 1x1 -> logits
    seed-keras   E(o) = conv 3x3, ReLU, conv 3x3 (= skip), BN, ReLU at 64, 128, 256, 512, 1024, maxpool 2 between;
                 4x transposed conv 2x2 stride 2 to half, concat [up, skip], E without skip; conv 1x1, sigmoid
"""
import argparse
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import float64

NETS = ("seed-torch", "seed-keras")
# The networks of zoo.py and their inputs' shapes: pictures of 256x256, as in the study; volumes as a sliding window
# takes them.
ZOO = {"seed-torch": (1, 3, 256, 256), "seed-keras": (1, 3, 256, 256), "milesial-unet": (1, 3, 256, 256),
       "basicunet-2d": (1, 1, 256, 256), "basicunet-3d": (1, 1, 64, 64, 64), "resnet34-unet": (1, 3, 256, 256),
       "mobilenetv2-unet": (1, 3, 256, 256), "efficientnetb0-unet": (1, 3, 256, 256),
       "deeplabv3plus-resnet50": (1, 3, 256, 256), "attention-unet": (1, 1, 256, 256),
       "segformer-b0": (1, 3, 256, 256), "voxelmorph-3d": (1, 2, 64, 64, 64)}


class Net:
    """A graph under construction. Values are names; their (channels, height, width) stand in self.shape."""

    def __init__(self, size, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.weights, self.shape = [], [], {"input": (3, size, size)}
        self.parameters = self.flop = 0

    def weight(self, name, array, trained=True):
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        self.parameters += array.size if trained else 0
        return name

    def node(self, op, name, inputs, shape, **attributes):
        out = name + "_output"
        self.nodes.append(helper.make_node(op, inputs, [out], name=name, **attributes))
        self.shape[out] = shape
        return out

    def drawn(self, name, shape, fan_in, oc):
        """He-normal kernel and a small bias."""
        kernel = self.rng.standard_normal(shape) * np.sqrt(2 / fan_in)
        bias = self.rng.standard_normal(oc) * 0.05
        return [self.weight(name + ".weight", kernel.astype(np.float32)),
                self.weight(name + ".bias", bias.astype(np.float32))]

    def conv(self, name, x, oc, k):
        c, h, w = self.shape[x]
        self.flop += 2 * h * w * oc * c * k * k
        return self.node("Conv", name, [x] + self.drawn(name, (oc, c, k, k), c * k * k, oc), (oc, h, w),
                         kernel_shape=[k, k], strides=[1, 1], pads=[k // 2] * 4, dilations=[1, 1], group=1)

    def conv_transpose(self, name, x, oc):
        """2x2, stride 2: every output pixel is one product over the input's channels."""
        c, h, w = self.shape[x]
        self.flop += 2 * h * w * oc * c * 4
        return self.node("ConvTranspose", name, [x] + self.drawn(name, (c, oc, 2, 2), c, oc), (oc, 2 * h, 2 * w),
                         kernel_shape=[2, 2], strides=[2, 2], pads=[0] * 4, dilations=[1, 1], group=1)

    def batch_norm(self, name, x, epsilon):
        c = self.shape[x][0]
        statistics = {"weight": self.rng.uniform(0.7, 1.3, c), "bias": self.rng.normal(0, 0.2, c),
                      "running_mean": self.rng.normal(0, 0.3, c), "running_var": self.rng.uniform(0.6, 1.8, c)}
        inputs = [self.weight(f"{name}.{key}", v.astype(np.float32), not key.startswith("running"))
                  for key, v in statistics.items()]
        return self.node("BatchNormalization", name, [x] + inputs, self.shape[x], epsilon=epsilon)

    def relu(self, name, x):
        return self.node("Relu", name, [x], self.shape[x])

    def max_pool(self, name, x):
        c, h, w = self.shape[x]
        return self.node("MaxPool", name, [x], (c, h // 2, w // 2), kernel_shape=[2, 2], strides=[2, 2],
                         pads=[0] * 4, ceil_mode=0)

    def upsample(self, name, x):
        c, h, w = self.shape[x]
        scales = self.weight(name + ".scales", np.array([1, 1, 2, 2], np.float32), trained=False)
        return self.node("Resize", name, [x, "", scales], (c, 2 * h, 2 * w), mode="linear",
                         coordinate_transformation_mode="align_corners")

    def concat(self, name, a, b):
        c, h, w = self.shape[a]
        return self.node("Concat", name, [a, b], (c + self.shape[b][0], h, w), axis=1)


def seed_torch(net, width):
    def double_conv(name, x, oc):
        for i in (1, 2):
            x = net.relu(f"{name}.relu{i}", net.batch_norm(f"{name}.bn{i}", net.conv(f"{name}.conv{i}", x, oc, 3), 1e-5))
        return x

    x = double_conv("inc", "input", width)
    skips = []
    for i, oc in enumerate((2 * width, 4 * width, 8 * width, 8 * width), 1):
        skips.append(x)
        x = double_conv(f"down{i}", net.max_pool(f"down{i}.pool", x), oc)
    for i, oc in enumerate((4 * width, 2 * width, width, width), 1):
        x = net.concat(f"up{i}.concat", skips.pop(), net.upsample(f"up{i}.up", x))
        x = double_conv(f"up{i}", x, oc)
    return net.conv("outc", x, 1, 1)


def seed_keras(net, width):
    def block(name, x, oc):
        x = net.relu(f"{name}.relu1", net.conv(f"{name}.conv1", x, oc, 3))
        skip = net.conv(f"{name}.conv2", x, oc, 3)
        return skip, net.relu(f"{name}.relu2", net.batch_norm(f"{name}.bn", skip, 1e-3))

    x, skips = "input", []
    for i in range(5):
        skip, x = block(f"down{i}", x, width << i)
        skips.append(skip)
        x = net.max_pool(f"down{i}.pool", x) if i < 4 else x
    skips.pop()  # the bottom has none
    for i in (3, 2, 1, 0):
        x = net.conv_transpose(f"up{i}.up", x, width << i)
        _, x = block(f"up{i}", net.concat(f"up{i}.concat", x, skips.pop()), width << i)
    return net.conv("out", x, 1, 1)


def to_model(net, name, output, sigmoid, dynamic, size):
    """The ONNX model; its output is called "output", with or without the final sigmoid."""
    nodes = list(net.nodes)
    if sigmoid:
        nodes.append(helper.make_node("Sigmoid", [output], ["output"], name="sigmoid"))
    else:
        nodes[-1].output[0] = "output"
    batch, height, width = ("N", "H", "W") if dynamic else (1, size, size)
    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, 3, height, width])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [batch, 1, height, width])], net.weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
                             producer_name="stent bench/nets.py")


def calibrate(model, net):
    """Scales and shifts the last layer so that the output has a mean near 0 and a standard deviation near 1.

    Factor and shift are rounded, so that the file does not depend on how a machine's BLAS rounds."""
    y = float64.run(model, {"input": float64.sample(model)}, np.float32)["output"]
    kernel, bias = net.weights[-2:]
    factor = float(f"{1 / y.std():.2g}")
    shift = round(-float(y.mean()) * factor, 1)
    kernel.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(kernel) * np.float32(factor), kernel.name))
    bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) * np.float32(factor) + np.float32(shift), bias.name))


def build(name, width=64, size=256, seed=1, logits=False, dynamic=False):
    """(model, parameters, FLOP); two FLOP a multiply-add, convolutions only, at size x size."""
    net = Net(size, seed)
    output = {"seed-torch": seed_torch, "seed-keras": seed_keras}[name](net, width)
    plain = to_model(net, name, output, False, False, size)
    calibrate(plain, net)
    net.nodes[-1].output[0] = output  # to_model renamed it
    model = to_model(net, name, output, name == "seed-keras" and not logits, dynamic, size)
    onnx.checker.check_model(model)
    return model, net.parameters, net.flop


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default="build/bench")
    parser.add_argument("--net", choices=NETS, action="append", help="default: both")
    parser.add_argument("--width", type=int, default=64, help="channels of the first level (default 64)")
    parser.add_argument("--size", type=int, default=256, help="pixels a side, a multiple of 16 (default 256)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--logits", action="store_true", help="leave the final sigmoid out (seed-keras-logits.onnx)")
    parser.add_argument("--dynamic", action="store_true", help="leave batch, height and width symbolic")
    args = parser.parse_args()
    if args.size % 16 or args.size < 16:
        parser.error("--size must be a multiple of 16")
    os.makedirs(args.folder, exist_ok=True)
    for name in args.net or NETS:
        model, parameters, flop = build(name, args.width, args.size, args.seed, args.logits, args.dynamic)
        marks = [name, f"w{args.width}" * (args.width != 64), str(args.size) * (args.size != 256),
                 "logits" * args.logits, "dynamic" * args.dynamic]
        path = os.path.join(args.folder, "-".join(filter(None, marks)) + ".onnx")
        part = f"{path}.{os.getpid()}.part"
        onnx.save(model, part)
        os.replace(part, path)
        print(f"{path}: {flop / 1e9:.1f} GFLOP, {parameters / 1e6:.1f} M parameters")


if __name__ == "__main__":
    sys.exit(main())
