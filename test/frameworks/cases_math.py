"""Cases: arithmetic, activations, normalisation, reductions, products."""
import numpy as np
import onnx

from case import C, Case, V, W, X

I8, SHAPES = "i8", {"4D": (1, 19, 7, 9), "1D": (37,), "16 channels": (2, 16, 8, 8)}


def each_shape(op, label="", **attributes):
    kind = attributes.pop("kind", "wide")
    return [Case(op, f"{label} {name}".strip(), X(*shape, kind=kind), **attributes) for name, shape in SHAPES.items()]


UNARY = []
for op in ("Relu", "Sigmoid", "Tanh", "Softplus", "Softsign", "Exp", "Abs", "Neg", "Erf", "LeakyRelu", "Elu", "Selu",
           "HardSigmoid", "HardSwish"):
    UNARY += each_shape(op)
for op in ("Floor", "Ceil", "Round"):
    UNARY += each_shape(op, kind="quarters")
for op in ("Log", "Sqrt", "Reciprocal"):
    UNARY += each_shape(op, kind="positive")
UNARY += each_shape("Mish", opset=18) + each_shape("Gelu", opset=20) + each_shape("Gelu", "tanh", opset=20, approximate="tanh")
UNARY += each_shape("Swish", opset=24) + each_shape("Swish", "alpha 0.5", opset=24, alpha=0.5)
UNARY += each_shape("LeakyRelu", "alpha 0.3", alpha=0.3) + each_shape("Elu", "alpha 0.5", alpha=0.5)
UNARY += each_shape("Selu", "own constants", alpha=1.2, gamma=0.9) + each_shape("HardSigmoid", "alpha beta", alpha=0.3, beta=0.4)
UNARY += [
    Case("PRelu", "a slope a channel", X(2, 19, 5, 6), W(19, 1, 1)), Case("PRelu", "one slope", X(2, 8, 5, 6), C([0.2])),
    Case("PRelu", "a slope an element", X(2, 3, 4), W(2, 3, 4)),
    Case("Clip", "both", X(2, 3, 9), C(-0.5), C(0.7)), Case("Clip", "low", X(2, 3, 9), C(0.0)),
    Case("Clip", "high", X(2, 3, 9), None, C(0.2)), Case("Clip", "relu6", X(1, 16, 8, 8, kind="wide"), C(0.0), C(6.0)),
    Case("Clip", "none", X(2, 3, 9)), Case("Clip", "integers", X(9, kind="integer", dtype=I8), C(-2, I8), C(3, I8)),
    Case("Neg", "integers", X(9, kind="integer", dtype=I8)), Case("Abs", "integers", X(9, kind="integer", dtype=I8)),
    Case("Not", "bool", X(9, kind="bool", dtype="?")),
    Case("Sigmoid", "far tails", V([-200.0, -90, -20, 0, 20, 90, 200])),
    Case("Exp", "far tails", V([-120.0, -88, -1e-6, 0, 80])), Case("Tanh", "far tails", V([-50.0, -1e-4, 0, 1e-4, 50])),
    Case("Erf", "far tails", V([-9.0, -1e-4, 0, 1e-4, 9])), Case("Softplus", "far tails", V([-100.0, -20, 0, 20, 80])),
]

# Numpy broadcasting: label, shapes.
PAIRS = [("same", (2, 8, 5, 6), (2, 8, 5, 6)), ("scalar", (2, 8, 5, 6), ()), ("channel", (2, 19, 5, 6), (19, 1, 1)),
         ("both ways", (3, 1, 5), (4, 1)), ("row", (4, 5), (5,)), ("image", (2, 8, 5, 6), (1, 1, 5, 6))]
BINARY = []
for op in ("Add", "Sub", "Mul", "Div"):
    kind = "positive" if op == "Div" else "normal"
    BINARY += [Case(op, label, X(*a), X(*b, kind=kind)) for label, a, b in PAIRS]
    BINARY += [Case(op, "constant " + label, X(*a), W(*b, kind="positive")) for label, a, b in PAIRS[:3]]
    BINARY += [Case(op, "integers", X(3, 4, kind="integer", dtype=I8), X(4, kind="natural", dtype=I8))]
for op in ("Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"):
    BINARY += [Case(op, label, X(*a, kind="quarters"), X(*b, kind="quarters")) for label, a, b in PAIRS[:4]]
    BINARY += [Case(op, "integers", X(3, 4, kind="integer", dtype=I8), X(4, kind="integer", dtype=I8))]
for op in ("And", "Or"):
    BINARY += [Case(op, label, X(*a, kind="bool", dtype="?"), X(*b, kind="bool", dtype="?")) for label, a, b in PAIRS[:4]]
for op in ("Min", "Max"):
    BINARY += [Case(op, label, X(*a), X(*b)) for label, a, b in PAIRS[:4]]
    BINARY += [Case(op, "three", X(2, 3), X(3), X(2, 1)), Case(op, "one", X(2, 3)),
               Case(op, "integers", X(6, kind="integer", dtype=I8), X(6, kind="integer", dtype=I8))]
BINARY += [
    Case("Pow", "square", X(2, 8, 5, 6), C(2.0)), Case("Pow", "cube", X(2, 8, 5), C(3.0)),
    Case("Pow", "root", X(2, 8, 5, kind="positive"), C(0.5)), Case("Pow", "tensor", X(4, 5, kind="positive"), X(5)),
    Case("Pow", "inverse", X(4, 5, kind="positive"), C(-1.0)),
    Case("Where", "same", X(2, 3, 4, kind="bool", dtype="?"), X(2, 3, 4), X(2, 3, 4)),
    Case("Where", "broadcast", X(3, 1, kind="bool", dtype="?"), X(1, 4), X(2, 1, 1)),
    Case("Where", "integers", X(5, kind="bool", dtype="?"), X(5, kind="integer", dtype=I8), C([0], I8)),
]

TYPES = {"float": onnx.TensorProto.FLOAT, "int64": onnx.TensorProto.INT64, "int32": onnx.TensorProto.INT32,
         "bool": onnx.TensorProto.BOOL, "uint8": onnx.TensorProto.UINT8, "int8": onnx.TensorProto.INT8,
         "double": onnx.TensorProto.DOUBLE, "float16": onnx.TensorProto.FLOAT16}
CAST = [Case("Cast", f"{source} to {target}", X(3, 5, kind="natural" if "u" in source else "integer", dtype=source), to=TYPES[target])
        for source, target in (("float32", "int64"), ("float32", "int32"), ("float32", "bool"), ("float32", "uint8"),
                               ("int64", "float"), ("int32", "float"), ("uint8", "float"), ("bool", "float"),
                               ("int64", "int32"), ("int64", "bool"), ("float32", "float"))]
CAST += [Case("Cast", "truncates", V([-2.7, -0.5, 0.5, 2.7]), to=TYPES["int64"])]

NORM = [
    Case("BatchNormalization", label, X(*shape), W(shape[1], kind="positive"), W(shape[1]), W(shape[1]),
         W(shape[1], kind="positive"), epsilon=epsilon)
    for label, shape, epsilon in (("2D", (1, 16, 7, 9), 1e-5), ("odd channels", (2, 19, 5, 5), 1e-3), ("1D", (2, 8, 11), 1e-5),
                                  ("3D", (1, 6, 4, 5, 6), 1e-5), ("no space", (4, 10), 1e-5))
] + [
    Case("InstanceNormalization", label, X(*shape), W(shape[1], kind="positive"), W(shape[1]), epsilon=epsilon)
    for label, shape, epsilon in (("2D", (1, 16, 17, 9), 1e-5), ("odd channels", (2, 19, 5, 5), 1e-3), ("1D", (2, 8, 11), 1e-5),
                                  ("3D", (1, 6, 4, 5, 6), 1e-5))
] + [
    Case("InstanceNormalization", "offset input", V([[[[1000.0, 1001, 1002, 1005]]]]), C([1.0]), C([0.0])),
    Case("GroupNormalization", "4 groups", X(2, 16, 6, 7), W(16, kind="positive"), W(16), opset=21, num_groups=4),
    Case("GroupNormalization", "one group", X(1, 6, 5, 5), W(6, kind="positive"), W(6), opset=21, num_groups=1),
    Case("GroupNormalization", "3D, 3 groups", X(1, 9, 4, 4, 4), W(9, kind="positive"), W(9), opset=21, num_groups=3, epsilon=1e-3),
    Case("LayerNormalization", "last axis", X(2, 5, 24), W(24, kind="positive"), W(24)),
    Case("LayerNormalization", "two axes", X(2, 5, 24), W(5, 24, kind="positive"), W(5, 24), axis=-2),
    Case("LayerNormalization", "no bias", X(2, 5, 24), W(24, kind="positive"), axis=2, epsilon=1e-3),
    Case("LayerNormalization", "channels, first axis", X(2, 8, 5, 5), W(8, 5, 5, kind="positive"), W(8, 5, 5), axis=1),
]
for op in ("Softmax", "LogSoftmax"):
    NORM += [Case(op, "channels", X(1, 5, 6, 7), axis=1), Case(op, "last axis", X(3, 19)), Case(op, "axis 0", X(4, 5), axis=0),
             Case(op, "large", V([[1000.0, 1001, 999], [-1000, -999, -1001]])), Case(op, "one class", X(2, 1, 3, 3), axis=1),
             Case(op, "19 classes", X(1, 19, 16, 16), axis=1)]

REDUCE = []
for op in ("Mean", "Sum", "Max", "Min", "Prod", "L1", "L2"):
    name = "Reduce" + op
    by_input = op == "Sum"  # at opset 17 only ReduceSum takes its axes as an input
    for label, shape, axes, keep in (("space", (2, 8, 5, 6), [2, 3], 1), ("space, dims dropped", (2, 8, 5, 6), [2, 3], 0),
                                     ("channels", (1, 19, 6, 5), [1], 1), ("negative axis", (3, 7), [-1], 0)):
        REDUCE += [Case(name, label, X(*shape), C(axes, I8), keepdims=keep) if by_input
                   else Case(name, label, X(*shape), axes=axes, keepdims=keep)]
        REDUCE += [Case(name, label + ", axes as input", X(*shape), C(axes, I8), opset=18, keepdims=keep)]
    REDUCE += [Case(name, "all", X(2, 3, 4)), Case(name, "all, dims dropped", X(2, 3, 4), keepdims=0)]
REDUCE += [Case("ReduceSum", "noop_with_empty_axes", X(2, 3), noop_with_empty_axes=1),
           Case("ReduceSum", "integers", X(3, 4, kind="integer", dtype=I8), C([1], I8)),
           Case("ReduceMax", "integers", X(3, 4, kind="integer", dtype=I8), axes=[0]),
           Case("ReduceMean", "a thousand pixels, offset", V([[[i / 100 + 50 for i in range(1000)]]]), axes=[2])]

PRODUCT = [
    Case("MatMul", label, X(*a, kind="small"), (W if constant else X)(*b))
    for label, a, b, constant in (
        ("2D", (5, 7), (7, 9), False), ("2D constant", (16, 64), (64, 48), True), ("batched", (2, 3, 5, 7), (2, 3, 7, 4), False),
        ("batch broadcast", (2, 3, 5, 7), (7, 4), False), ("vector left", (7,), (7, 4), False), ("vector right", (5, 7), (7,), False),
        ("dot", (7,), (7,), False), ("broadcast both", (3, 1, 4, 5), (2, 5, 6), False))
] + [
    Case("Gemm", "plain", X(5, 7), W(7, 9), W(9)), Case("Gemm", "transB", X(5, 7), W(9, 7), W(9), transB=1),
    Case("Gemm", "transA", X(7, 5), W(7, 9), W(9), transA=1), Case("Gemm", "both, alpha beta", X(7, 5), W(9, 7), W(5, 9),
                                                                  transA=1, transB=1, alpha=0.5, beta=2.0),
    Case("Gemm", "no C", X(5, 7), W(7, 9)), Case("Gemm", "scalar C", X(5, 7), W(7, 9), C(0.3)),
    Case("Gemm", "column C", X(5, 7), W(7, 9), W(5, 1)), Case("Gemm", "larger", X(33, 128), W(128, 65), W(65)),
]

EINSUM = [
    Case("Einsum", f"{equation} {label}".strip(), *args, equation=equation)
    for equation, label, args in (
        ("bhid,bhjd->bhij", "", (X(2, 3, 20, 16), X(2, 3, 33, 16))), ("bhij,bhjd->bhid", "", (X(2, 3, 20, 33), X(2, 3, 33, 16))),
        ("bij,bjk->bik", "", (X(2, 5, 7), X(2, 7, 9))), ("bij,bjk->bki", "", (X(2, 5, 7), X(2, 7, 9))),
        ("bnd,dhk->bnhk", "", (X(2, 5, 12), W(12, 3, 4))), ("nchw,cd->ndhw", "", (X(1, 19, 7, 9), W(19, 24))),
        ("nchw,dc->ndhw", "computed", (X(1, 19, 7, 9), X(24, 19))), ("ij,jk", "", (X(5, 7), X(7, 9))),
        ("...ij,...jk->...ik", "", (X(2, 1, 5, 7), X(3, 7, 4))), ("i,j->ij", "", (X(5), X(7))), ("ij,ij->ij", "", (X(5, 7), X(5, 7))),
        ("i,i->", "", (X(65), X(65))), ("ij->ji", "", (X(5, 7),)), ("ij->i", "", (X(5, 7),)), ("...ii->...i", "", (X(3, 4, 4),)),
        ("aij,jk->k", "", (X(2, 3, 4), X(4, 5))), ("ij,jk,kl->il", "", (X(3, 4), X(4, 5), X(5, 6))),
        ("ij,jk->ik", "integers", (X(3, 4, kind="integer", dtype=I8), X(4, 5, kind="integer", dtype=I8))))
]
REDUCE += [Case("CumSum", label, X(3, 4, 9), C(axis, dtype), **attributes) for label, axis, dtype, attributes in (
    ("last axis", -1, I8, {}), ("exclusive", 1, I8, {"exclusive": 1}), ("reverse", 0, "i4", {"reverse": 1}),
    ("both", 2, I8, {"exclusive": 1, "reverse": 1}))]
REDUCE += [Case("CumSum", "integers", X(3, 5, kind="integer", dtype=I8), C(1, I8)),
           Case("CumSum", "axis as input", X(3, 5), V(1, I8))]

# Made of other operators by the importer.
COMPOSED = [
    Case("Sign", "float", X(4, 9)), Case("Sign", "integers", X(9, kind="integer", dtype=I8)), Case("Sin", "wide", X(4, 9, kind="wide")),
    Case("Cos", "wide", X(4, 9, kind="wide")), Case("ArgMin", "ties", X(4, 9, kind="natural"), axis=1),
    Case("ArgMin", "ties, last", X(4, 9, kind="natural"), axis=0, keepdims=0, select_last_index=1),
    Case("IsNaN", "some", V([1.0, np.nan, np.inf])), Case("IsInf", "both", V([1.0, np.nan, np.inf, -np.inf])),
    Case("IsInf", "positive", V([1.0, np.nan, np.inf, -np.inf]), detect_negative=0),
    Case("IsInf", "neither", V([1.0, np.nan, np.inf, -np.inf]), detect_negative=0, detect_positive=0),
    Case("ThresholdedRelu", "alpha", X(4, 9), alpha=0.3), Case("ThresholdedRelu", "default", X(4, 9)),
    Case("Shrink", "both", X(4, 9), lambd=0.4, bias=0.2), Case("Shrink", "default", X(4, 9)),
    Case("LpNormalization", "p 1", X(3, 4, 5), axis=1, p=1), Case("LpNormalization", "default", X(3, 4, 5)),
    Case("LRN", "image", X(2, 7, 4, 5), size=3), Case("LRN", "own factors", X(1, 8, 4, 5), size=5, alpha=0.01, beta=0.5, bias=2.0),
    Case("MeanVarianceNormalization", "default", X(2, 3, 4, 5)), Case("MeanVarianceNormalization", "axes", X(2, 3, 4, 5), axes=[2, 3]),
    Case("RMSNormalization", "last", X(2, 3, 8), W(8, kind="positive"), opset=23),
    Case("RMSNormalization", "two axes", X(2, 3, 8), W(3, 8, kind="positive"), opset=23, axis=1, epsilon=0.01),
    Case("ReduceLogSumExp", "space", X(2, 3, 4, 5), axes=[2, 3], keepdims=0), Case("ReduceLogSumExp", "all", X(2, 3)),
    Case("ReduceLogSumExp", "large", V([[1000.0, 1001], [-2000, -2001]]), axes=[1]),
    Case("ReduceLogSumExp", "infinite", V([[-np.inf, -np.inf], [np.inf, 1]]), axes=[1]),
    Case("Hardmax", "channels", X(2, 5, 3), axis=1), Case("Hardmax", "ties", V([[1.0, 3, 3], [2, 2, 1]])),
    Case("Trilu", "upper", X(2, 4, 5)), Case("Trilu", "lower, k", X(4, 5), C(-1, I8), upper=0),
    Case("Trilu", "integers, k", X(4, 5, kind="integer", dtype=I8), C(2, I8)),
    Case("EyeLike", "float", X(4, 5)), Case("EyeLike", "k, int64", X(4, 5), k=-1, dtype=7),
    Case("OneHot", "last", V([[0, 2], [-1, 7]], I8), C(3, I8), C([0.0, 1.0])),
    Case("OneHot", "axis 0, values", V([1, 0, 2], I8), C([3], I8), C([-1.0, 5.0]), axis=0),
    Case("OneHot", "middle", V([[0, 2], [1, 1]], I8), C(3, I8), C([2, 9], I8), axis=1),
]

CASES = EINSUM + COMPOSED + UNARY + BINARY + CAST + NORM + REDUCE + PRODUCT
