"""The same op in every opset from 7 to 25: attributes became inputs, defaults and meanings changed.

A form is a function opset -> Case, or None where the op is not there (or not with this meaning)."""
import tool
from case import C, Case, V, W, X
from run import Test

OPSETS = range(7, 26)
I8 = "i8"
FORMS = {}


def form(since=7, until=25):
    def register(function):
        FORMS[function.__name__] = lambda v: function(v) if since <= v <= until else None
        return function
    return register


@form()
def slice_(v):
    if v < 10:
        return Case("Slice", f"opset {v}", X(2, 5, 7), starts=[1, -5], ends=[4, -1], axes=[1, 2])
    return Case("Slice", f"opset {v}", X(2, 5, 7), C([1, -5], I8), C([4, -1], I8), C([1, 2], I8), C([2, 1], I8))


@form()
def squeeze(v):
    return Case("Squeeze", f"opset {v}", X(1, 3, 1, 4), axes=[0, 2]) if v < 13 else \
        Case("Squeeze", f"opset {v}", X(1, 3, 1, 4), C([0, 2], I8))


@form()
def unsqueeze(v):
    return Case("Unsqueeze", f"opset {v}", X(3, 4), axes=[0, 3]) if v < 13 else \
        Case("Unsqueeze", f"opset {v}", X(3, 4), C([0, 3], I8))


def padded(v, mode):
    pads = [0, 0, 1, 2, 0, 0, 2, 1]
    label = f"{mode}, opset {v}"
    if v < 11:
        return Case("Pad", label, X(1, 2, 5, 6), pads=pads, mode=mode, **({"value": 1.5} if mode == "constant" else {}))
    return Case("Pad", label, X(1, 2, 5, 6), C(pads, I8), C(1.5) if mode == "constant" else None, mode=mode)


@form()
def pad_constant(v):
    return padded(v, "constant")


@form()
def pad_reflect(v):
    return padded(v, "reflect")


@form()
def pad_edge(v):
    return padded(v, "edge")


@form(since=18)
def pad_axes(v):
    return Case("Pad", f"axes, opset {v}", X(1, 2, 5, 6), C([1, 2], I8), C(0.5), C([-1], I8))


@form()
def clip(v):
    return Case("Clip", f"opset {v}", X(3, 7), min=-0.5, max=0.8) if v < 11 else \
        Case("Clip", f"opset {v}", X(3, 7), C(-0.5), C(0.8))


@form()
def clip_one_side(v):
    return Case("Clip", f"one side, opset {v}", X(3, 7), min=0.1) if v < 11 else \
        Case("Clip", f"one side, opset {v}", X(3, 7), C(0.1))


@form()
def dropout(v):
    return Case("Dropout", f"opset {v}", X(3, 7), ratio=0.3) if v < 12 else Case("Dropout", f"opset {v}", X(3, 7), C(0.3))


def scaled(v, mode, scales):
    """Upsample up to 9, then Resize, whose defaults changed at 11."""
    label = f"{mode}, opset {v}"
    if v < 9:
        return Case("Upsample", label, X(1, 3, 5, 6), mode=mode, scales=[float(s) for s in scales])
    if v == 9:
        return Case("Upsample", label, X(1, 3, 5, 6), C(scales), mode=mode)
    if v == 10:
        return Case("Resize", label, X(1, 3, 5, 6), C(scales), mode=mode)
    return Case("Resize", label, X(1, 3, 5, 6), C([]) if v < 13 else None, C(scales), mode=mode)


@form()
def resize_nearest(v):
    return scaled(v, "nearest", [1, 1, 2, 2])


@form()
def resize_linear(v):
    return scaled(v, "linear", [1, 1, 2, 2])


@form(since=10)
def resize_nearest_uneven(v):
    case = scaled(v, "nearest", [1, 1, 1.6, 2.5])
    case.name += " uneven"
    return case


@form(since=11)
def resize_sizes(v):
    return Case("Resize", f"sizes, opset {v}", X(1, 2, 5, 6), C([]) if v < 13 else None, C([]) if v < 13 else None,
                C([1, 2, 8, 9], I8), mode="linear", coordinate_transformation_mode="align_corners")


def reduction(op, moved):
    """`moved`: the opset in which the axes became an input."""
    def make(v):
        return Case(op, f"opset {v}", X(2, 3, 5), axes=[1, -1 if v >= 11 else 2], keepdims=0) if v < moved else \
            Case(op, f"opset {v}", X(2, 3, 5), C([1, -1], I8), keepdims=0)
    make.__name__ = op
    form()(make)


for name, moved_at in (("ReduceSum", 13), ("ReduceMean", 18), ("ReduceMax", 18), ("ReduceMin", 18), ("ReduceProd", 18),
                       ("ReduceL1", 18), ("ReduceL2", 18)):
    reduction(name, moved_at)


@form()
def softmax_default(v):
    """Up to 12: axis 1, and everything from there on is one row; from 13: the last axis alone."""
    return Case("Softmax", f"default axis, opset {v}", X(2, 3, 4, 5))


@form()
def softmax_axis(v):
    return Case("Softmax", f"axis 2, opset {v}", X(2, 3, 4, 5), axis=2)


@form()
def logsoftmax(v):
    return Case("LogSoftmax", f"axis 1, opset {v}", X(2, 3, 4), axis=1)


@form()
def batch_normalization(v):
    return Case("BatchNormalization", f"opset {v}", X(2, 5, 4, 4), W(5, kind="positive"), W(5), W(5), W(5, kind="positive"),
                epsilon=1e-3)


@form()
def topk(v):
    return Case("TopK", f"opset {v}", X(3, 8, kind="distinct"), k=3, outputs=2) if v < 10 else \
        Case("TopK", f"opset {v}", X(3, 8, kind="distinct"), C([3], I8), outputs=2)


@form()
def split(v):
    return Case("Split", f"opset {v}", X(2, 9), axis=1, split=[2, 3, 4], outputs=3) if v < 13 else \
        Case("Split", f"opset {v}", X(2, 9), C([2, 3, 4], I8), axis=1, outputs=3)


@form()
def split_equal(v):
    more = {"num_outputs": 3} if v >= 18 else {}
    return Case("Split", f"equal, opset {v}", X(2, 9), axis=1, outputs=3, **more)


@form()
def max_pool(v):
    more = {"ceil_mode": 1} if v >= 10 else {}
    return Case("MaxPool", f"opset {v}", X(1, 4, 9, 9), kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4, **more)


@form()
def average_pool(v):
    more = {"ceil_mode": 1} if v >= 10 else {}
    return Case("AveragePool", f"opset {v}", X(1, 4, 8, 8), kernel_shape=[3, 3], strides=[2, 2], count_include_pad=1, **more)


@form()
def gemm(v):
    return Case("Gemm", f"opset {v}", X(3, 4), W(4, 5), *([W(5)] if v < 11 else []), alpha=0.5)


@form(since=18, until=20)
def group_normalization_by_group(v):
    """18 to 20: one scale and bias a group."""
    return Case("GroupNormalization", f"opset {v}", X(2, 6, 4, 4), W(3, kind="positive"), W(3), num_groups=3)


@form(since=21)
def group_normalization(v):
    return Case("GroupNormalization", f"opset {v}", X(2, 6, 4, 4), W(6, kind="positive"), W(6), num_groups=3)


@form()
def depth_to_space(v):
    return Case("DepthToSpace", f"opset {v}", X(1, 8, 3, 3), blocksize=2, **({"mode": "CRD"} if v >= 11 else {}))


@form()
def argmax(v):
    return Case("ArgMax", f"opset {v}", X(3, 8, kind="natural"), axis=1, **({"select_last_index": 1} if v >= 12 else {}))


@form()
def flatten(v):
    return Case("Flatten", f"opset {v}", X(2, 3, 4, 5), axis=2 if v < 11 else -2)


@form()
def cast(v):
    return Case("Cast", f"opset {v}", X(3, 5), to=7)


@form()
def shape(v):
    return Case("Shape", f"opset {v}", X(3, 5, 7), **({"start": 1} if v >= 15 else {}))


@form(since=9)
def constant_of_shape(v):
    return Case("ConstantOfShape", f"opset {v}", V([2, 3], I8))


# Ops whose form never changed: (op, first opset, inputs, attributes).
STEADY = [
    ("Conv", 7, (X(1, 4, 8, 8), W(5, 4, 3, 3), W(5)), {"pads": [1] * 4}),
    ("ConvTranspose", 7, (X(1, 4, 5, 5), W(4, 3, 2, 2), W(3)), {"strides": [2, 2]}),
    ("InstanceNormalization", 7, (X(1, 4, 5, 5), W(4, kind="positive"), W(4)), {}),
    ("GlobalAveragePool", 7, (X(1, 4, 5, 6),), {}), ("GlobalMaxPool", 7, (X(1, 4, 5, 6),), {}),
    ("Relu", 7, (X(3, 7),), {}), ("LeakyRelu", 7, (X(3, 7),), {"alpha": 0.2}), ("PRelu", 7, (X(2, 4, 3), W(4, 1)), {}),
    ("Elu", 7, (X(3, 7),), {}), ("Selu", 7, (X(3, 7),), {}), ("Sigmoid", 7, (X(3, 7),), {}), ("Tanh", 7, (X(3, 7),), {}),
    ("HardSigmoid", 7, (X(3, 7),), {}), ("HardSwish", 14, (X(3, 7),), {}), ("Mish", 18, (X(3, 7),), {}),
    ("Gelu", 20, (X(3, 7),), {}), ("Swish", 24, (X(3, 7),), {}), ("Softplus", 7, (X(3, 7),), {}), ("Softsign", 7, (X(3, 7),), {}),
    ("Exp", 7, (X(3, 7),), {}), ("Sqrt", 7, (X(3, 7, kind="positive"),), {}), ("Erf", 9, (X(3, 7),), {}),
    ("Round", 11, (X(3, 7, kind="quarters"),), {}), ("Floor", 7, (X(3, 7),), {}),
    ("Add", 7, (X(2, 3, 4), X(3, 1)), {}), ("Div", 7, (X(2, 3), X(3, kind="positive")), {}),
    ("Pow", 7, (X(2, 3, kind="positive"), C(2.5)), {}), ("Max", 8, (X(2, 3), X(3)), {}), ("Less", 7, (X(2, 3), X(3)), {}),
    ("Equal", 7, (X(6, kind="integer", dtype=I8), X(6, kind="integer", dtype=I8)), {}),
    ("GreaterOrEqual", 12, (X(2, 3), X(3)), {}), ("Where", 9, (X(2, 3, kind="bool", dtype="?"), X(2, 3), X(3)), {}),
    ("Concat", 7, (X(1, 3, 4), X(1, 2, 4)), {"axis": 1}), ("Transpose", 7, (X(2, 3, 4),), {"perm": [2, 0, 1]}),
    ("Reshape", 7, (X(2, 3, 4), C([0, -1], I8)), {}), ("Expand", 8, (X(3, 1), C([2, 3, 4], I8)), {}),
    ("Tile", 7, (X(2, 3), C([1, 2], I8)), {}), ("Gather", 7, (X(5, 3), C([4, 0], I8)), {"axis": 0}),
    ("ScatterND", 11, (X(4, 3), C([[1], [3]], I8), X(2, 3)), {}), ("MatMul", 7, (X(2, 3, 4), W(4, 5)), {}),
    ("LayerNormalization", 17, (X(2, 3, 8), W(8, kind="positive"), W(8)), {}), ("SpaceToDepth", 7, (X(1, 2, 4, 6),), {"blocksize": 2}),
    ("Identity", 7, (X(2, 3),), {}),
]


def all_cases():
    cases = []
    for opset in OPSETS:
        made = [function(opset) for function in FORMS.values()]
        made += [Case(op, f"opset {opset}", *args, **attributes) for op, since, args, attributes in STEADY if opset >= since]
        for case in filter(None, made):
            case.opset = opset
            cases.append(case)
    return cases


def tests(context):
    modes = {"run": ([], None)}
    return [Test("opset/" + case.name, f"opset {case.opset}",
                 lambda case=case: tool.check_model(context.tool, *case.build(), modes, context.keep)) for case in all_cases()]
