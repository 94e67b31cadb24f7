"""Whole graphs against ONNX Runtime: random ones from seeds, and the turns of phrase of real exporters."""
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import tool
from case import finish
from cases_control import CONTROL
from run import Test

RANDOM_GRAPHS, RANDOM_GRAPHS_LONG = 60, 600


class Graph:
    """A model under construction; values are names, their shapes stand in self.shape."""

    def __init__(self, seed, shape, opset=17):
        self.rng, self.opset = np.random.default_rng(seed), opset
        self.nodes, self.weights, self.outputs = [], [], []
        self.shape = {"x": tuple(shape)}
        self.feed = {"x": self.rng.standard_normal(shape).astype(np.float32)}
        self.dims = list(shape)  # of the graph's input; names make it symbolic

    def const(self, value, dtype=np.float32):
        name = f"c{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        self.shape[name] = np.shape(value)
        return name

    def draw(self, *shape, scale=1.0, shift=0.0):
        return self.const(self.rng.standard_normal(shape) * scale + shift)

    def node(self, op, *inputs, shape=None, **attributes):
        out = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [out], name=f"{op}_{len(self.nodes)}", **attributes))
        self.shape[out] = self.shape[inputs[0]] if shape is None else shape
        return out

    def conv(self, x, oc, k=3, stride=1, group=1):
        n, c, h, w = self.shape[x]
        weight = self.draw(oc, c // group, k, k, scale=(2 / (c // group * k * k)) ** 0.5)
        p = k // 2
        return self.node("Conv", x, weight, self.draw(oc, scale=0.1), pads=[p] * 4, strides=[stride] * 2, group=group,
                         shape=(n, oc, (h + 2 * p - k) // stride + 1, (w + 2 * p - k) // stride + 1))

    def norm(self, x):
        c = self.shape[x][1]
        variance = self.const(self.rng.uniform(0.5, 2, c))
        return self.node("BatchNormalization", x, self.draw(c, scale=0.2, shift=1), self.draw(c, scale=0.2),
                         self.draw(c, scale=0.2), variance)

    def finish(self, *outputs):
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.dims)]
        return finish(self.nodes, inputs, list(outputs), self.weights, self.opset), self.feed


# ---- random graphs -----------------------------------------------------------------------------------------

def activation(g, x):
    op, attributes = [("Relu", {}), ("LeakyRelu", {"alpha": 0.1}), ("Sigmoid", {}), ("Elu", {}), ("HardSwish", {}),
                      ("Tanh", {}), ("Softplus", {})][g.rng.integers(7)]
    return g.node(op, x, **attributes)


def prelu(g, x):
    return g.node("PRelu", x, g.draw(g.shape[x][1], 1, 1, scale=0.2))


def convolution(g, x):
    channels = int(g.rng.choice([3, 8, 16, 19, 32]))
    return g.conv(x, channels, k=int(g.rng.choice([1, 3, 3, 5])), stride=int(g.rng.choice([1, 1, 1, 2])))


def depthwise(g, x):
    c = g.shape[x][1]
    return g.conv(x, c, group=c)


def pooling(g, x):
    n, c, h, w = g.shape[x]
    if min(h, w) < 4:
        return x
    return g.node(str(g.rng.choice(["MaxPool", "AveragePool"])), x, kernel_shape=[2, 2], strides=[2, 2],
                  shape=(n, c, h // 2, w // 2))


def upsampling(g, x):
    n, c, h, w = g.shape[x]
    if max(h, w) > 24:
        return x
    mode = str(g.rng.choice(["nearest", "linear"]))
    where = str(g.rng.choice(["asymmetric", "align_corners", "half_pixel"])) if mode == "linear" else "asymmetric"
    return g.node("Resize", x, "", g.const([1, 1, 2, 2]), mode=mode, coordinate_transformation_mode=where,
                  nearest_mode="floor", shape=(n, c, 2 * h, 2 * w))


def deconvolution(g, x):
    n, c, h, w = g.shape[x]
    if max(h, w) > 24:
        return x
    oc = int(g.rng.choice([4, 8, 17]))
    return g.node("ConvTranspose", x, g.draw(c, oc, 2, 2, scale=(1 / c) ** 0.5), strides=[2, 2], shape=(n, oc, 2 * h, 2 * w))


def joining(g, x):
    """Concat or a sum with an earlier value of the same size."""
    n, c, h, w = g.shape[x]
    same = [v for v, s in g.shape.items()
            if v[0] != "c" and v != x and len(s) == 4 and (s[0], s[2], s[3]) == (n, h, w)]
    if not same:
        return g.node("Add", x, x)
    other = same[g.rng.integers(len(same))]
    if g.shape[other] == g.shape[x] and g.rng.random() < 0.5:
        return g.node(str(g.rng.choice(["Add", "Mul", "Max"])), x, other)
    order = [x, other] if g.rng.random() < 0.5 else [other, x]
    return g.node("Concat", *order, axis=1, shape=(n, c + g.shape[other][1], h, w))


def cutting(g, x):
    n, c, h, w = g.shape[x]
    if c < 4:
        return x
    return g.node("Slice", x, g.const([1], np.int64), g.const([c - 1], np.int64), g.const([1], np.int64), shape=(n, c - 2, h, w))


def padding(g, x):
    n, c, h, w = g.shape[x]
    if max(h, w) > 32 or min(h, w) < 3:
        return x
    return g.node("Pad", x, g.const([0, 0, 1, 0, 0, 0, 0, 2], np.int64), mode=str(g.rng.choice(["constant", "reflect", "edge"])),
                  shape=(n, c, h + 1, w + 2))


def scaling(g, x):
    return g.node(str(g.rng.choice(["Mul", "Add", "Sub"])), x, g.draw(g.shape[x][1], 1, 1, scale=0.5, shift=0.8))


def attention(g, x):
    """Squeeze and excitation: a factor a channel from the channels' means."""
    n, c, _, _ = g.shape[x]
    mean = g.node("GlobalAveragePool", x, shape=(n, c, 1, 1))
    return g.node("Mul", x, g.node("Sigmoid", g.conv(mean, c, k=1)))


def instance_norm(g, x):
    c = g.shape[x][1]
    if min(g.shape[x][2:]) < 3:  # the variance of a few pixels is all rounding error
        return x
    return g.node("InstanceNormalization", x, g.draw(c, scale=0.2, shift=1), g.draw(c, scale=0.2), epsilon=1e-3)


STEPS = [convolution] * 6 + [activation] * 4 + [joining] * 3 + [Graph.norm] * 2 + [
    pooling, pooling, upsampling, upsampling, deconvolution, depthwise, prelu, cutting, padding, scaling, attention, instance_norm]


def random_graph(seed):
    rng = np.random.default_rng(seed)
    shape = (int(rng.choice([1, 1, 2])), int(rng.choice([1, 3, 4, 16])), int(rng.integers(7, 25)), int(rng.integers(7, 25)))
    g = Graph(seed, shape, opset=int(rng.choice([14, 17, 21])))
    x = "x"
    for _ in range(int(rng.integers(4, 16))):
        x = STEPS[g.rng.integers(len(STEPS))](g, x)
    out = g.conv(x, 2, k=1)
    # Sometimes a value in the middle is an output as well, so that it may not be absorbed.
    middle = [v for v in g.shape if v[0] == "v" and v != out]
    return g.finish(*([out] if g.rng.random() < 0.7 else [out, middle[g.rng.integers(len(middle))]]))


# ---- turns of phrase of real exporters ------------------------------------------------------------------------

def unet(symbolic=False, size=(20, 28)):
    """Two levels; the up-sampled map is padded to its skip's size, as the PyTorch seed does for odd sizes."""
    g = Graph(1, (1, 3) + size)
    if symbolic:
        g.dims = ["N", 3, "H", "W"]
    skip = g.node("Relu", g.norm(g.conv("x", 16)))
    n, c, h, w = g.shape[skip]
    down = g.node("MaxPool", skip, kernel_shape=[2, 2], strides=[2, 2], shape=(n, c, h // 2, w // 2))
    deep = g.node("Relu", g.norm(g.conv(down, 32)))
    up = g.node("Resize", deep, "", g.const([1, 1, 2, 2]), mode="linear", coordinate_transformation_mode="align_corners",
                shape=(n, 32, h // 2 * 2, w // 2 * 2))
    both = g.node("Concat", skip, up, axis=1, shape=(n, 48, h, w))
    return g.finish(g.node("Sigmoid", g.conv(g.node("Relu", g.conv(both, 16)), 1, k=1)))


def size_arithmetic():
    """Up-sampling to the skip's size, computed from Shape at run time, with symbolic height and width."""
    g = Graph(2, (1, 4, 9, 13))
    g.dims = [1, 4, "H", "W"]
    small = g.node("AveragePool", "x", kernel_shape=[2, 2], strides=[2, 2], shape=(1, 4, 4, 6))
    whole = g.node("Shape", "x", shape=(4,))
    space = g.node("Slice", whole, g.const([2], np.int64), g.const([4], np.int64), g.const([0], np.int64), shape=(2,))
    front = g.node("Slice", g.node("Shape", small, shape=(4,)), g.const([0], np.int64), g.const([2], np.int64),
                   g.const([0], np.int64), shape=(2,))
    sizes = g.node("Concat", front, space, axis=0, shape=(4,))
    up = g.node("Resize", small, "", "", sizes, mode="linear", shape=(1, 4, 9, 13))
    return g.finish(g.node("Add", up, "x"))


def flatten_by_shape():
    """view(x.size(0), -1) as PyTorch writes it: Shape, Gather, Unsqueeze, Concat, Reshape."""
    g = Graph(3, (2, 3, 4, 5))
    batch = g.node("Gather", g.node("Shape", "x", shape=(4,)), g.const(0, np.int64), axis=0, shape=())
    first = g.node("Unsqueeze", batch, g.const([0], np.int64), shape=(1,))
    shape = g.node("Concat", first, g.const([-1], np.int64), axis=0, shape=(2,))
    flat = g.node("Reshape", "x", shape, shape=(2, 60))
    return g.finish(g.node("Gemm", flat, g.draw(60, 7, scale=0.1), g.draw(7), shape=(2, 7)))


def floor_cast_sizes():
    """F.interpolate of older exporters: sizes through float, Mul, Floor, Cast."""
    g = Graph(4, (1, 2, 5, 7))
    g.dims = [1, 2, "H", "W"]
    shape = g.node("Cast", g.node("Shape", "x", shape=(4,)), to=TensorProto.FLOAT, shape=(4,))
    grown = g.node("Cast", g.node("Floor", g.node("Mul", shape, g.const([1, 1, 2, 2]))), to=TensorProto.INT64)
    return g.finish(g.node("Resize", "x", "", "", grown, mode="nearest", coordinate_transformation_mode="asymmetric",
                           nearest_mode="floor", shape=(1, 2, 10, 14)))


def constants():
    """Constant in all its spellings."""
    g = Graph(5, (2, 3))
    x = g.node("Add", "x", g.node("Constant", shape=(3,), value_floats=[1.0, 2.0, 3.0]))
    x = g.node("Mul", x, g.node("Constant", shape=(), value_float=0.5))
    x = g.node("Reshape", x, g.node("Constant", shape=(2,), value_ints=[3, 2]), shape=(3, 2))
    x = g.node("Gather", x, g.node("Constant", shape=(), value_int=1), axis=0, shape=(2,))
    tensor = numpy_helper.from_array(np.array([5, 6], np.float32))
    return g.finish(g.node("Sub", x, g.node("Constant", shape=(2,), value=tensor)))


def nhwc_island():
    """A TensorFlow network between two Transposes, and a bias as its own Add."""
    g = Graph(6, (1, 10, 12, 3))
    x = g.node("Transpose", "x", perm=[0, 3, 1, 2], shape=(1, 3, 10, 12))
    x = g.node("Conv", x, g.draw(8, 3, 3, 3, scale=0.2), auto_pad="SAME_UPPER", shape=(1, 8, 10, 12))
    x = g.node("Relu", g.node("Add", x, g.draw(1, 8, 1, 1)))
    return g.finish(g.node("Transpose", x, perm=[0, 2, 3, 1], shape=(1, 10, 12, 8)))


def dead_nodes():
    """A branch that nothing uses, and a weight that nothing uses."""
    g = Graph(7, (1, 3, 8, 8))
    g.conv("x", 5)
    g.draw(4, 4)
    return g.finish(g.node("Relu", g.conv("x", 4)))


def several_outputs():
    """One value is an output and an input of others; one output is used twice."""
    g = Graph(8, (1, 3, 8, 8))
    a = g.conv("x", 6)
    b = g.node("Relu", a)
    return g.finish(b, a, g.conv(b, 1, k=1))


def input_to_output():
    g = Graph(9, (2, 3))
    return g.finish(g.node("Identity", "x"))


def shared_weights():
    """One kernel used by two convolutions, one of which is followed by a normalisation that could be folded."""
    g = Graph(10, (1, 8, 9, 9))
    kernel = g.draw(8, 8, 3, 3, scale=0.1)
    one = g.node("Conv", "x", kernel, pads=[1] * 4)
    return g.finish(g.norm(g.node("Conv", one, kernel, pads=[1] * 4)))


def weights_as_inputs():
    """IR version 3: every initializer is listed as a graph input too."""
    g = Graph(11, (1, 3, 6, 6), opset=8)
    model, feed = g.finish(g.node("Relu", g.conv("x", 4)))
    for weight in model.graph.initializer:
        model.graph.input.append(helper.make_tensor_value_info(weight.name, weight.data_type, list(weight.dims)))
    model.ir_version = 3
    return model, feed


def names_with_slashes():
    g = Graph(12, (1, 3, 6, 6))
    model, feed = g.finish(g.node("Relu", g.conv("x", 4)))
    for node in model.graph.node:
        node.name = "/down1/maxpool_conv/" + node.name
        node.input[:] = [n.replace("v0", "/a/b.0/Conv_output_0") for n in node.input]
        node.output[:] = [n.replace("v0", "/a/b.0/Conv_output_0") for n in node.output]
    del model.graph.value_info[:]
    return model, feed


def double_to_float():
    """Weights stored as double, and cast."""
    g = Graph(13, (2, 3))
    weight = g.const(g.rng.standard_normal(3), np.float64)
    return g.finish(g.node("Mul", "x", g.node("Cast", weight, to=TensorProto.FLOAT)))


def volume():
    """A 3D block: convolution, instance normalisation, strided convolution, transposed convolution, concat."""
    g = Graph(14, (1, 2, 8, 8, 8))
    w = g.draw(8, 2, 3, 3, 3, scale=0.2)
    a = g.node("Conv", "x", w, g.draw(8, scale=0.1), pads=[1] * 6, shape=(1, 8, 8, 8, 8))
    a = g.node("LeakyRelu", g.node("InstanceNormalization", a, g.draw(8, shift=1), g.draw(8)), alpha=0.01)
    b = g.node("Conv", a, g.draw(16, 8, 3, 3, 3, scale=0.1), pads=[1] * 6, strides=[2, 2, 2], shape=(1, 16, 4, 4, 4))
    up = g.node("ConvTranspose", b, g.draw(16, 8, 2, 2, 2, scale=0.2), strides=[2, 2, 2], shape=(1, 8, 8, 8, 8))
    both = g.node("Concat", up, a, axis=1, shape=(1, 16, 8, 8, 8))
    return g.finish(g.node("Softmax", g.node("Conv", both, g.draw(3, 16, 1, 1, 1, scale=0.2), shape=(1, 3, 8, 8, 8)), axis=1))


PHRASES = [unet, size_arithmetic, flatten_by_shape, floor_cast_sizes, constants, nhwc_island, dead_nodes, several_outputs,
           input_to_output, shared_weights, weights_as_inputs, names_with_slashes, double_to_float, volume]


def check_external_data(context):
    """Weights in a file beside the model, at offsets."""
    model, feed = unet()
    expected = tool.expected_of(model, feed)
    with context.tool.folder() as folder:
        path, package = os.path.join(folder, "model.onnx"), os.path.join(folder, "model.stent")
        onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
        context.tool.call("compile", path, "-o", package)
        os.remove(os.path.join(folder, "weights.bin"))  # the package carries them
        tool.compare(context.tool.run(package, feed, [o.name for o in model.graph.output], folder)[0], expected[0])


def check_bound_twice(context):
    """One package with symbolic dims, opened with two sizes (both even, as this network needs)."""
    with context.tool.folder() as folder:
        model, _ = unet(symbolic=True)
        source, package = os.path.join(folder, "model.onnx"), os.path.join(folder, "model.stent")
        onnx.save(model, source)
        context.tool.call("compile", source, "-o", package)
        for size in ((20, 28), (36, 16)):
            feed = {"x": np.random.default_rng(1).standard_normal((1, 3) + size).astype(np.float32)}
            got = context.tool.run(package, feed, [o.name for o in model.graph.output], folder)
            tool.compare(got[0], tool.expected_of(model, feed)[0])


def tests(context):
    modes = tool.modes_of(context.tool)

    def check(name, build):
        keep = context.keep and os.path.join(context.keep, name.replace("/", "-"))
        return tool.check_model(context.tool, *build(), modes, keep, rtol=1e-3, atol=1e-4)

    def test(name, group, build):
        return Test(name, group, lambda: check(name, build))
    result = [test(f"graph/{build.__name__}", "graphs", build) for build in PHRASES]
    result += [test(f"control/{name}", "control flow", build) for name, build in CONTROL.items()]
    result += [Test("graph/external_data", "graphs", lambda: check_external_data(context)),
               Test("graph/bound_twice", "graphs", lambda: check_bound_twice(context))]
    for seed in range(RANDOM_GRAPHS_LONG if context.long else RANDOM_GRAPHS):
        result.append(test(f"random/{seed}", "random graphs", lambda seed=seed: random_graph(seed)))
    return result
