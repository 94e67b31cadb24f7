#!/usr/bin/env python3
"""Runs an ONNX network in float64 (numpy only): the yardstick that every engine's error is measured against.

    bench/float64.py MODEL.onnx --input x.npy --output y.npy     the output as float64 numbers
    bench/float64.py MODEL.onnx --logits                         ... before the last activation

Convolutions are sums over kernel taps of one matrix product each: slow enough to be obviously right, fast
enough for a 100 GFLOP network in seconds. Knows the ops that segmentation networks are made of, no more.
"""
import argparse
import functools
import hashlib
import itertools
import math
import os
import sys

import numpy as np
import onnx
from onnx import numpy_helper

ACTIVATIONS = ("Sigmoid", "Softmax")


# ---- convolution and pooling: spatial dims of any number, NC first ----------------------------------------

def spatial_pads(attrs, size, kernel, stride, dilation):
    """Padding as [(before, after)] per spatial axis, with auto_pad worked out."""
    rank = len(size)
    mode = attrs.get("auto_pad", b"NOTSET").decode()
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        pads = []
        for axis in range(rank):
            out = -(-size[axis] // stride[axis])
            total = max(0, (out - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1 - size[axis])
            small = total // 2
            pads.append((small, total - small) if mode == "SAME_UPPER" else (total - small, small))
        return pads
    flat = attrs.get("pads", [0] * 2 * rank) if mode == "NOTSET" else [0] * 2 * rank
    return list(zip(flat[:rank], flat[rank:]))


def windows(x, kernel, stride, dilation):
    """For every kernel tap: (tap, the strided view of x that this tap sees)."""
    size = [(n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], kernel, stride, dilation)]
    for tap in itertools.product(*map(range, kernel)):
        cut = tuple(slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, n, s in zip(tap, dilation, size, stride))
        yield tap, x[(slice(None), slice(None)) + cut]


def conv(attrs, x, w, b=None):
    rank, groups = x.ndim - 2, attrs.get("group", 1)
    stride, dilation = attrs.get("strides", [1] * rank), attrs.get("dilations", [1] * rank)
    pads = spatial_pads(attrs, x.shape[2:], w.shape[2:], stride, dilation)
    x = np.pad(x, [(0, 0), (0, 0)] + pads)
    n, oc, icg = x.shape[0], w.shape[0], w.shape[1]
    y = None
    for tap, view in windows(x, w.shape[2:], stride, dilation):
        if y is None:
            y = np.zeros((n, groups, oc // groups, int(np.prod(view.shape[2:]))), x.dtype)
            out_size = view.shape[2:]
        wt = w[(slice(None), slice(None)) + tap].reshape(groups, oc // groups, icg)
        y += wt @ view.reshape(n, groups, icg, -1)
    y = y.reshape((n, oc) + out_size)
    return y if b is None else y + b.reshape((1, -1) + (1,) * rank)


def conv_transpose(attrs, x, w, b=None):
    """Every input pixel stamps its kernel into the output; the padding is cut off afterwards."""
    rank, groups = x.ndim - 2, attrs.get("group", 1)
    if attrs.get("auto_pad", b"NOTSET") != b"NOTSET" or "output_shape" in attrs:
        raise NotImplementedError("ConvTranspose with auto_pad or output_shape")
    stride, dilation = attrs.get("strides", [1] * rank), attrs.get("dilations", [1] * rank)
    extra = attrs.get("output_padding", [0] * rank)
    pads = spatial_pads(attrs, x.shape[2:], w.shape[2:], stride, dilation)
    n, ic, ocg, kernel = x.shape[0], x.shape[1], w.shape[1], w.shape[2:]
    full = [(i - 1) * s + (k - 1) * d + 1 + e
            for i, s, k, d, e in zip(x.shape[2:], stride, kernel, dilation, extra)]
    y = np.zeros([n, groups * ocg] + full, x.dtype)
    flat = x.reshape(n, groups, ic // groups, -1)
    for tap in itertools.product(*map(range, kernel)):
        wt = w[(slice(None), slice(None)) + tap].reshape(groups, ic // groups, ocg).transpose(0, 2, 1)
        cut = tuple(slice(t * d, t * d + (i - 1) * s + 1, s)
                    for t, d, i, s in zip(tap, dilation, x.shape[2:], stride))
        y[(slice(None), slice(None)) + cut] += (wt @ flat).reshape((n, groups * ocg) + x.shape[2:])
    y = y[(slice(None), slice(None)) + tuple(slice(p, f - q) for (p, q), f in zip(pads, full))]
    return y if b is None else y + b.reshape((1, -1) + (1,) * rank)


def pool(attrs, x, fill, combine):
    if attrs.get("ceil_mode", 0):
        raise NotImplementedError("pooling with ceil_mode")
    rank, kernel = x.ndim - 2, attrs["kernel_shape"]
    stride, dilation = attrs.get("strides", [1] * rank), attrs.get("dilations", [1] * rank)
    pads = spatial_pads(attrs, x.shape[2:], kernel, stride, dilation)
    x = np.pad(x, [(0, 0), (0, 0)] + pads, constant_values=fill)
    return combine([view for _, view in windows(x, kernel, stride, dilation)])


def max_pool(attrs, x):
    return pool(attrs, x, -np.inf, np.maximum.reduce)


def average_pool(attrs, x):
    total = pool(attrs, x, 0, sum)
    inside = np.ones_like(x) if not attrs.get("count_include_pad", 0) else None
    return total / (np.prod(attrs["kernel_shape"]) if inside is None else pool(attrs, inside, 0, sum))


# ---- the rest -------------------------------------------------------------------------------------------

def batch_normalization(attrs, x, scale, bias, mean, var):
    shape = (1, -1) + (1,) * (x.ndim - 2)
    scale, bias, mean, var = (v.reshape(shape) for v in (scale, bias, mean, var))
    return (x - mean) * (scale / np.sqrt(var + attrs.get("epsilon", 1e-5))) + bias


def normalised(x, axes, epsilon):
    return (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + epsilon)


def instance_normalization(attrs, x, scale, bias):
    shape = (1, -1) + (1,) * (x.ndim - 2)
    return normalised(x, tuple(range(2, x.ndim)), attrs.get("epsilon", 1e-5)) * scale.reshape(shape) + bias.reshape(shape)


def layer_normalization(attrs, x, scale, bias=0):
    axes = tuple(range(attrs.get("axis", -1) % x.ndim, x.ndim))
    return normalised(x, axes, attrs.get("epsilon", 1e-5)) * scale + bias


def resize_matrix(attrs, n, out, scale):
    """The (out, n) matrix that resizes one axis."""
    mode = attrs.get("mode", b"nearest").decode()
    where = attrs.get("coordinate_transformation_mode", b"half_pixel").decode()
    i = np.arange(out, dtype=np.float64)
    if where == "align_corners":
        pos = i * (n - 1) / (out - 1) if out > 1 else i * 0
    elif where in ("half_pixel", "pytorch_half_pixel"):
        pos = (i + 0.5) / scale - 0.5 if out > 1 or where == "half_pixel" else i * 0
    elif where == "asymmetric":
        pos = i / scale
    else:
        raise NotImplementedError(f"Resize with {where}")
    m = np.zeros((out, n))
    rows = np.arange(out)
    if mode == "linear":
        low = np.floor(pos)
        for index, weight in ((low, 1 - (pos - low)), (low + 1, pos - low)):
            np.add.at(m, (rows, np.clip(index, 0, n - 1).astype(int)), weight)
    elif mode == "nearest":
        rounding = attrs.get("nearest_mode", b"round_prefer_floor").decode()
        index = {"round_prefer_floor": lambda p: np.ceil(p - 0.5), "round_prefer_ceil": lambda p: np.floor(p + 0.5),
                 "floor": np.floor, "ceil": np.ceil}[rounding](pos)
        m[rows, np.clip(index, 0, n - 1).astype(int)] = 1
    else:
        raise NotImplementedError(f"Resize with mode {mode}")
    return m


def resize(attrs, x, roi=None, scales=None, sizes=None):
    if scales is not None and scales.size:
        out = [int(np.floor(n * s)) for n, s in zip(x.shape, scales)]
    else:
        out = [int(s) for s in sizes]
        scales = [o / n for o, n in zip(out, x.shape)]
    for axis, (n, o, scale) in enumerate(zip(x.shape, out, scales)):
        if n != o:
            m = resize_matrix(attrs, n, o, float(scale)).astype(x.dtype)
            x = np.moveaxis(np.tensordot(m, x, (1, axis)), 0, axis)
    return x


def softmax(attrs, x):
    axis = attrs.get("axis", -1)
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def pad(attrs, x, pads, value=None, axes=None):
    axes = range(x.ndim) if axes is None else [int(a) % x.ndim for a in axes]
    width = [(0, 0)] * x.ndim
    for i, axis in enumerate(axes):
        width[axis] = (int(pads[i]), int(pads[i + len(pads) // 2]))
    mode = attrs.get("mode", b"constant").decode()
    if mode != "constant":
        return np.pad(x, width, mode=mode)
    return np.pad(x, width, constant_values=0 if value is None else value.item())


def slice_(attrs, x, starts, ends, axes=None, steps=None):
    cut = [slice(None)] * x.ndim
    for i in range(len(starts)):
        step = 1 if steps is None else int(steps[i])
        start, end = int(starts[i]), int(ends[i])
        # Counting down, an end far below zero means "to the first element".
        cut[i if axes is None else int(axes[i])] = slice(start, None if step < 0 and end < -x.size else end, step)
    return x[tuple(cut)]


def reshape(attrs, x, shape):
    return x.reshape([x.shape[i] if n == 0 else int(n) for i, n in enumerate(shape)])


def constant(attrs):
    if "value" in attrs:
        return numpy_helper.to_array(attrs["value"])
    (name, value), = attrs.items()  # value_int, value_ints, value_float, value_floats
    return np.array(value, np.int64 if name.startswith("value_int") else np.float32)


def split(attrs, x, sizes=None):
    axis = attrs.get("axis", 0)
    if sizes is None:
        return np.array_split(x, attrs["num_outputs"], axis)
    return np.split(x, np.cumsum(sizes)[:-1], axis)


def reduced(function):
    """An operator that takes its axes as an input, or before opset 18 as an attribute."""
    def run_one(attrs, x, axes=None):
        axes = attrs.get("axes") if axes is None else axes
        if axes is None and attrs.get("noop_with_empty_axes", 0):
            return x
        return function(x, axis=None if axes is None else tuple(int(a) for a in axes), keepdims=bool(attrs.get("keepdims", 1)))
    return run_one


def gemm(attrs, a, b, c=0):
    a, b = a.T if attrs.get("transA", 0) else a, b.T if attrs.get("transB", 0) else b
    return attrs.get("alpha", 1.0) * (a @ b) + attrs.get("beta", 1.0) * c


def group_normalization(attrs, x, scale, bias):
    groups, shape = attrs["num_groups"], (1, -1) + (1,) * (x.ndim - 2)
    grouped = x.reshape((x.shape[0], groups, -1))
    y = normalised(grouped, (2,), attrs.get("epsilon", 1e-5)).reshape(x.shape)
    return y * scale.reshape(shape) + bias.reshape(shape)


def erf(x):
    return np.vectorize(math.erf, otypes=[x.dtype])(x)


def gelu(attrs, x):
    if attrs.get("approximate", b"none") != b"none":
        raise NotImplementedError("Gelu by tanh")
    return x * (1 + erf(x / math.sqrt(2))) / 2


def constant_of_shape(attrs, shape):
    value = numpy_helper.to_array(attrs["value"]) if "value" in attrs else np.zeros(1, np.float32)
    return np.full([int(n) for n in shape], value[0])


def cast(attrs, x):
    return x.astype(onnx.helper.tensor_dtype_to_np_dtype(attrs["to"]))


def scatter_nd(attrs, x, indices, updates):
    if attrs.get("reduction", b"none") != b"none":
        raise NotImplementedError("ScatterND that adds up")
    y = x.copy()
    y[tuple(np.moveaxis(indices, -1, 0))] = updates
    return y


OPS = {
    "Conv": conv, "ConvTranspose": conv_transpose, "MaxPool": max_pool, "AveragePool": average_pool,
    "GlobalAveragePool": lambda a, x: x.mean(axis=tuple(range(2, x.ndim)), keepdims=True),
    "BatchNormalization": batch_normalization, "Resize": resize, "Softmax": softmax, "Pad": pad, "Slice": slice_,
    "InstanceNormalization": instance_normalization, "LayerNormalization": layer_normalization,
    "GroupNormalization": group_normalization, "MatMul": lambda a, x, y: x @ y, "Gemm": gemm,
    "Einsum": lambda a, *xs: np.einsum(a["equation"].decode(), *xs), "Erf": lambda a, x: erf(x), "Gelu": gelu,
    "ReduceMean": reduced(np.mean), "ReduceSum": reduced(np.sum), "ReduceMax": reduced(np.max), "ReduceProd": reduced(np.prod),
    "GlobalMaxPool": lambda a, x: x.max(axis=tuple(range(2, x.ndim)), keepdims=True),
    "HardSigmoid": lambda a, x: np.clip(a.get("alpha", 0.2) * x + a.get("beta", 0.5), 0, 1),
    "HardSwish": lambda a, x: x * np.clip(x / 6 + 0.5, 0, 1), "Split": split,
    "Relu": lambda a, x: np.maximum(x, 0),
    "LeakyRelu": lambda a, x: np.where(x < 0, a.get("alpha", 0.01) * x, x),
    "Elu": lambda a, x: np.where(x < 0, a.get("alpha", 1.0) * np.expm1(np.minimum(x, 0)), x),
    "PRelu": lambda a, x, s: np.where(x < 0, s * x, x),
    "Sigmoid": lambda a, x: 1 / (1 + np.exp(-x)), "Tanh": lambda a, x: np.tanh(x),
    "Add": lambda a, x, y: x + y, "Sub": lambda a, x, y: x - y, "Mul": lambda a, x, y: x * y,
    "Div": lambda a, x, y: x // y if x.dtype.kind == "i" else x / y, "Mod": lambda a, x, y: np.mod(x, y),
    "Pow": lambda a, x, y: x ** y, "Sqrt": lambda a, x: np.sqrt(x), "Reciprocal": lambda a, x: 1 / x,
    "Exp": lambda a, x: np.exp(x), "Log": lambda a, x: np.log(x), "Neg": lambda a, x: -x, "Abs": lambda a, x: abs(x),
    "Floor": lambda a, x: np.floor(x), "Not": lambda a, x: ~x, "And": lambda a, x, y: x & y,
    "Equal": lambda a, x, y: x == y, "Less": lambda a, x, y: x < y, "Greater": lambda a, x, y: x > y,
    "Where": lambda a, c, x, y: np.where(c, x, y), "Range": lambda a, first, end, step: np.arange(first, end, step),
    "Min": lambda a, *xs: functools.reduce(np.minimum, xs), "Max": lambda a, *xs: functools.reduce(np.maximum, xs),
    "Expand": lambda a, x, shape: x * np.ones([int(n) for n in shape], x.dtype), "Tile": lambda a, x, n: np.tile(x, n),
    "Concat": lambda a, *xs: np.concatenate(xs, axis=a["axis"]),
    "Clip": lambda a, x, low=None, high=None: np.clip(x, low, high),
    "Identity": lambda a, x: x, "Dropout": lambda a, x, *rest: x,
    "Transpose": lambda a, x: x.transpose(a.get("perm")), "Reshape": reshape, "Cast": cast,
    "Shape": lambda a, x: np.array(x.shape, np.int64), "Constant": constant, "ConstantOfShape": constant_of_shape,
    "Gather": lambda a, x, i: np.take(x, i, axis=a.get("axis", 0)),
    "ScatterND": scatter_nd,
    "Unsqueeze": lambda a, x, axes: np.expand_dims(x, tuple(int(i) for i in axes)),
    "Squeeze": lambda a, x, axes=None: np.squeeze(x, None if axes is None else tuple(int(i) for i in axes)),
}


def run(model, inputs, dtype=np.float64):
    """All outputs of the model, as {name: array}; float values are carried as dtype."""
    graph = model.graph

    def load(value):
        return value.astype(dtype) if value.dtype.kind == "f" else value

    values = {t.name: load(numpy_helper.to_array(t)) for t in graph.initializer}
    values.update({name: load(np.asarray(x)) for name, x in inputs.items()})
    values[""] = None  # an input that is left out
    outputs = [o.name for o in graph.output]
    last_use = {name: i for i, node in enumerate(graph.node) for name in node.input}
    for i, node in enumerate(graph.node):
        if node.op_type not in OPS:
            raise NotImplementedError(f"{node.op_type} ({node.name})")
        attrs = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        result = OPS[node.op_type](attrs, *[values[name] for name in node.input])
        for name, value in zip(node.output, result if isinstance(result, list) else [result]):
            values[name] = load(np.asarray(value))
        for name in set(node.input) - {""}:  # large networks: give memory back as soon as it can be
            if last_use[name] == i and name not in outputs:
                del values[name]
    return {name: values[name] for name in outputs}


def without_last_activation(model):
    """A copy whose output is what goes into the final Sigmoid or Softmax; the model itself if there is none."""
    out = model.graph.output[0].name
    last = next((n for n in model.graph.node if out in n.output), None)
    if last is None or last.op_type not in ACTIVATIONS:
        return model
    cut = onnx.ModelProto()
    cut.CopyFrom(model)
    cut.graph.node.remove(next(n for n in cut.graph.node if out in n.output))
    before = last.input[0]
    for node in cut.graph.node:  # keep the output's name: the producer takes it over, and so does every other user
        node.output[:] = [out if name == before else name for name in node.output]
        node.input[:] = [out if name == before else name for name in node.input]
    return cut


def cached(model, inputs, folder):
    """run(), with the first output kept in `folder` under the hash of the model, the inputs and this file."""
    digest = hashlib.sha256(model.SerializeToString(deterministic=True))
    for name, x in sorted(inputs.items()):
        digest.update(name.encode() + str((x.shape, x.dtype)).encode() + np.ascontiguousarray(x).tobytes())
    with open(__file__, "rb") as own:
        digest.update(own.read())
    path = os.path.join(folder, digest.hexdigest()[:32] + ".npy")
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        part = f"{path}.{os.getpid()}.npy"
        np.save(part, next(iter(run(model, inputs).values())))
        os.replace(part, path)
    return np.load(path)


def relative_rms(got, expected):
    """Error as docs/NUMERICS.md defines it: rms of the difference / standard deviation of the expected output."""
    expected = expected.astype(np.float64)
    return float(np.sqrt(np.mean((got.astype(np.float64) - expected) ** 2)) / expected.std())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--input", help=".npy; default: seeded standard normal numbers")
    parser.add_argument("--output", help=".npy; default: only print what came out")
    parser.add_argument("--logits", action="store_true", help="stop before the last activation")
    args = parser.parse_args()
    model = onnx.load(args.model)
    if args.logits:
        model = without_last_activation(model)
    x = np.load(args.input) if args.input else sample(model)
    y = next(iter(run(model, {model.graph.input[0].name: x}).values()))
    print(f"shape {list(y.shape)}  mean {y.mean():.6g}  std {y.std():.6g}  min {y.min():.6g}  max {y.max():.6g}")
    if args.output:
        np.save(args.output, y)


def sample(model, seed=1):
    """The input that benchmarks use: seeded standard normal numbers; a symbolic dim is 1 (batch) or 256."""
    dims = model.graph.input[0].type.tensor_type.shape.dim
    shape = [d.dim_value or (1 if i == 0 else 256) for i, d in enumerate(dims)]
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


if __name__ == "__main__":
    sys.exit(main())
