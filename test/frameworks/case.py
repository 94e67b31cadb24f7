"""What a test case of one op is: the op, its attributes, and its inputs, as a one-node ONNX model.

Inputs are written in the tables as
    X(2, 3, 8, 8)         graph input, random          W(8, 3, 3, 3)     initializer, random
    V([1, 2], "i8")       graph input, these values    C([1, 2], "i8")   initializer, these values
    None                  left out
Random numbers are drawn from the case's own name, so a case never changes when others come or go.
"""
import dataclasses
import zlib

import numpy as np
import onnx
from onnx import helper, numpy_helper

OPSET = 17

# How random numbers are drawn: kind -> f(rng, shape).
KINDS = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "positive": lambda rng, shape: rng.uniform(0.1, 3, shape),
    "small": lambda rng, shape: rng.standard_normal(shape) * 0.1,  # kernels: keeps sums near one
    "wide": lambda rng, shape: rng.standard_normal(shape) * 6,     # both tails of an activation
    "quarters": lambda rng, shape: rng.integers(-12, 13, shape) / 4,  # exact halves, for rounding
    "integer": lambda rng, shape: rng.integers(-5, 6, shape),
    "natural": lambda rng, shape: rng.integers(1, 6, shape),
    "bool": lambda rng, shape: rng.integers(0, 2, shape),
    "distinct": lambda rng, shape: rng.permutation(int(np.prod(shape))).reshape(shape) / 7,  # no ties
}


@dataclasses.dataclass
class Arg:
    constant: bool
    shape: tuple = None
    kind: str = "normal"
    dtype: str = "f4"
    value: np.ndarray = None

    def draw(self, rng):
        if self.value is not None:
            return self.value
        return np.asarray(KINDS[self.kind](rng, self.shape)).astype(self.dtype)


def X(*shape, kind="normal", dtype="f4"):
    return Arg(False, shape, kind, dtype)


def W(*shape, kind="small", dtype="f4"):
    return Arg(True, shape, kind, dtype)


def V(value, dtype="f4"):
    return Arg(False, value=np.asarray(value, dtype))


def C(value, dtype="f4"):
    return Arg(True, value=np.asarray(value, dtype))


class Case:
    """One op with its inputs and attributes. Attributes are given as keywords; `label` tells cases apart. atol: how far a
    float of the result may be off, beside 1e-4 of itself."""

    def __init__(self, op, label, *args, opset=OPSET, outputs=1, dynamic=False, atol=1e-5, **attributes):
        self.op, self.name, self.args = op, f"{op}/{label}", args
        self.opset, self.outputs, self.dynamic, self.attributes = opset, outputs, dynamic, attributes
        self.atol = atol

    def build(self):
        """(model, {input name: array})."""
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        names, feed, inputs, weights = [], {}, [], []
        for i, arg in enumerate(self.args):
            if arg is None:
                names.append("")
                continue
            name, value = f"in{i}", arg.draw(rng)
            names.append(name)
            if arg.constant:
                weights.append(numpy_helper.from_array(value, name))
            else:
                feed[name] = value
                dims = [f"d{i}_{axis}" for axis in range(value.ndim)] if self.dynamic else value.shape
                inputs.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), dims))
        while names and not names[-1]:
            names.pop()
        outputs = [f"out{i}" for i in range(self.outputs)]
        node = helper.make_node(self.op, names, outputs, name="node", **self.attributes)
        return finish([node], inputs, outputs, weights, self.opset), feed


def finish(nodes, inputs, outputs, weights, opset):
    """A model with the outputs' types and shapes filled in by onnx's own inference, as exporters do."""
    # An output's type has to be named before it can be inferred: a first graph names none.
    graph = helper.make_graph(nodes, "case", inputs, [onnx.ValueInfoProto(name=name) for name in outputs], weights)
    version = helper.make_opsetid("", opset)
    model = helper.make_model(graph, opset_imports=[version], producer_name="stent test",
                              ir_version=min(10, max(7, helper.find_min_ir_version_for([version], True))))
    model = onnx.shape_inference.infer_shapes(model)
    for value in model.graph.output:
        if not value.type.HasField("tensor_type"):
            value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    return model
