"""Graphs with If, Loop and Scan as exporters write them, and attention by Einsum: each builds (model, feed)."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from case import finish

FLOAT, INT, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def info(name, shape=None, element=FLOAT):
    return helper.make_tensor_value_info(name, element, shape)


def weight(name, value, dtype=np.int64):
    return numpy_helper.from_array(np.asarray(value, dtype), name)


def draw(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def branch(*nodes, weights=(), element=FLOAT):
    """Its output is that of the last node."""
    return helper.make_graph(list(nodes), "branch", [], [info(nodes[-1].output[0], element=element)], list(weights))


def model_of(nodes, feed, outputs, weights, opset=17, dims=None):
    inputs = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), dims or value.shape)
              for name, value in feed.items()]
    return finish(nodes, inputs, outputs, weights, opset), feed


def squeeze_if_one(channels):
    """squeeze(1) of PyTorch, where the exporter does not know the channels; N, H and W stay free."""
    node = helper.make_node
    nodes = [node("Conv", ["x", "w"], ["c"], pads=[1] * 4), node("Shape", ["c"], ["shape"]),
             node("Gather", ["shape", "one"], ["dim"], axis=0), node("Equal", ["dim", "one"], ["is_one"]),
             node("If", ["is_one"], ["y"],
                  then_branch=branch(node("Squeeze", ["c", "axis"], ["squeezed"])),
                  else_branch=branch(node("Identity", ["c"], ["same"])))]
    weights = [weight("w", draw(1, channels, 3, 3, 3) * 0.2, np.float32), weight("one", 1), weight("axis", [1])]
    return model_of(nodes, {"x": draw(2, 2, 3, 9, 11)}, ["y"], weights, dims=["N", 3, "H", "W"])


def pad_if_odd():
    """A map is padded to an even height where it is odd, then pooled; two Ifs, the second on what the first made."""
    node = helper.make_node
    # Positive numbers: ONNX Runtime merges the Pad into the MaxPool, where the border never wins.
    nodes, x = [node("Abs", ["x"], ["r"])], "r"
    for i in range(2):
        nodes += [node("Shape", [x], [f"s{i}"]), node("Gather", [f"s{i}", "two"], [f"h{i}"], axis=0),
                  node("Mod", [f"h{i}", "two"], [f"m{i}"]), node("Cast", [f"m{i}"], [f"odd{i}"], to=BOOL),
                  node("If", [f"odd{i}"], [f"p{i}"],
                       then_branch=branch(node("Pad", [x, "pads"], ["padded"]), weights=[weight("pads", [0, 0, 0, 0, 0, 0, 1, 0])]),
                       else_branch=branch(node("Identity", [x], ["padded"]))),
                  node("MaxPool", [f"p{i}"], [f"q{i}"], kernel_shape=[2, 2], strides=[2, 2])]
        x = f"q{i}"
    return model_of(nodes, {"x": draw(3, 1, 4, 13, 16)}, [x], [weight("two", 2)])


def nested_ifs():
    """Both branches and the graph around them use the same names for their own."""
    node = helper.make_node
    inner = branch(node("If", ["no"], ["u"], then_branch=branch(node("Exp", ["v"], ["e"])),
                        else_branch=branch(node("Add", ["v", "k"], ["e"]), weights=[weight("k", [1, 2, 3], np.float32)])))
    inner.node.insert(0, node("Mul", ["x", "k0"], ["v"]))
    nodes = [node("Less", ["k1", "k2"], ["yes"]), node("Not", ["yes"], ["no"]),
             node("If", ["yes"], ["y"], then_branch=inner, else_branch=branch(node("Neg", ["x"], ["u"])))]
    return model_of(nodes, {"x": draw(4, 2, 3)}, ["y"], [weight("k0", 2, np.float32), weight("k1", 3), weight("k2", 4)])


def scan(opset, **attributes):
    """Two states, two tensors to scan (a row each), two outputs to stack."""
    node = helper.make_node
    body = helper.make_graph(
        [node("Add", ["s", "a"], ["s1"]), node("Mul", ["p", "b"], ["p1"]), node("Sub", ["s1", "p1"], ["o1"]), node("Relu", ["s1"], ["o2"])],
        "body", [info(n, [3]) for n in ("s", "p", "a", "b")], [info(n, [3]) for n in ("s1", "p1", "o1", "o2")])
    axes = attributes.get("scan_input_axes", [0, 0])
    shapes = [(4, 3) if axis in (0, -2) else (3, 4) for axis in axes]
    feed = {"s0": draw(5, 3), "p0": draw(6, 3), "a0": draw(7, *shapes[0]), "b0": draw(8, *shapes[1])}
    names, batch = list(feed), opset < 9
    if batch:
        feed = {name: np.stack([value, value * 0.5]) for name, value in feed.items()}
    nodes = [node("Scan", ([""] if batch else []) + names, ["s", "p", "y", "z"], num_scan_inputs=2, body=body, **attributes)]
    return model_of(nodes, feed, ["s", "p", "y", "z"], [], opset)


def loop(count, limit):
    """A state and stacked outputs, `count` rounds or as long as the step is below `limit`; a weight in the body."""
    node = helper.make_node
    body = helper.make_graph(
        [node("Less", ["i", "limit"], ["on"]), node("Cast", ["i"], ["f"], to=FLOAT), node("Mul", ["v", "half"], ["h"]),
         node("Add", ["h", "f"], ["v1"]), node("Tanh", ["v1"], ["o"])],
        "body", [info("i", [], INT), info("c", [], BOOL), info("v", [3])], [info("on", [], BOOL), info("v1", [3]), info("o", [3])],
        [weight("half", 0.5, np.float32)])
    nodes = [node("Loop", ["count", "", "x"], ["y", "z"], body=body)]
    return model_of(nodes, {"x": draw(9, 3)}, ["y", "z"], [weight("count", count), weight("limit", limit)])


def attention():
    """Self-attention over the pixels of a map, all products by Einsum, heads split by the equation."""
    node = helper.make_node
    nodes, weights = [], []
    for name in "qkv":
        weights.append(weight("w" + name, draw(ord(name), 16, 4, 8) * 0.3, np.float32))
        nodes.append(node("Einsum", ["x", "w" + name], [name], equation="nchw,cad->nahwd"))
    nodes += [node("Einsum", ["q", "k"], ["score"], equation="nahwd,naijd->nahwij"), node("Reshape", ["score", "flat"], ["rows"]),
              node("Softmax", ["rows"], ["soft"], axis=-1), node("Reshape", ["soft", "full"], ["weights"]),
              node("Einsum", ["weights", "v", "wo"], ["out"], equation="nahwij,naijd,adc->nchw"), node("Add", ["out", "x"], ["y"])]
    weights += [weight("wo", draw(10, 4, 8, 16) * 0.3, np.float32), weight("flat", [1, 4, 5, 6, 30]), weight("full", [1, 4, 5, 6, 5, 6])]
    return model_of(nodes, {"x": draw(11, 1, 16, 5, 6)}, ["y"], weights)


CONTROL = {
    "squeeze_if_one of 1": lambda: squeeze_if_one(1), "squeeze_if_one of 5": lambda: squeeze_if_one(5), "pad_if_odd": pad_if_odd,
    "nested_ifs": nested_ifs, "scan": lambda: scan(17), "scan, opset 9": lambda: scan(9), "scan, opset 8": lambda: scan(8),
    "scan, opset 8 backwards": lambda: scan(8, directions=[0, 1]),
    "scan, ways and axes": lambda: scan(17, scan_input_axes=[1, -2], scan_input_directions=[1, 0], scan_output_axes=[1, -1],
                                        scan_output_directions=[0, 1]),
    "loop of 5": lambda: loop(5, 99), "loop while below 2": lambda: loop(99, 2), "attention by Einsum": attention}
