"""The node tests that come with the onnx package, for the ops that stent knows. Counted, not required."""
import glob
import os

import onnx
from onnx import numpy_helper

import tool
from run import Test

OPS = set("""Conv ConvTranspose MaxPool AveragePool GlobalAveragePool GlobalMaxPool BatchNormalization
    InstanceNormalization GroupNormalization LayerNormalization Relu LeakyRelu PRelu Elu Selu Sigmoid HardSigmoid HardSwish
    Swish Gelu Mish Tanh Softplus Softsign Softmax LogSoftmax Exp Log Sqrt Abs Neg Erf Floor Ceil Round Reciprocal Add Sub Mul
    Div Pow Min Max Equal Less LessOrEqual Greater GreaterOrEqual And Or Not Where Concat Split Slice Pad Resize Upsample
    Transpose Reshape Flatten Squeeze Unsqueeze Expand Tile Gather ScatterND Shape Range Constant ConstantOfShape Cast Clip
    ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ArgMax TopK MatMul Gemm DepthToSpace SpaceToDepth
    Dropout Identity""".split())


def load(path):
    """An array, from a .pb file of the test data."""
    tensor = onnx.TensorProto()
    with open(path, "rb") as file:
        tensor.ParseFromString(file.read())
    return numpy_helper.to_array(tensor)


def applies(model):
    """Known ops only, with plain tensors for inputs and outputs."""
    return (all(node.op_type in OPS and node.domain == "" for node in model.graph.node)
            and all(v.type.HasField("tensor_type") for v in list(model.graph.input) + list(model.graph.output)))


def check(context, folder, model):
    data = os.path.join(folder, "test_data_set_0")
    feed = {value.name: load(os.path.join(data, f"input_{i}.pb")) for i, value in enumerate(model.graph.input)}
    expected = [load(os.path.join(data, f"output_{i}.pb")) for i in range(len(model.graph.output))]
    try:
        with context.tool.folder() as scratch:
            package = os.path.join(scratch, "model.stent")
            context.tool.call("compile", os.path.join(folder, "model.onnx"), "-o", package, timeout=60)
            got = context.tool.run(package, feed, [o.name for o in model.graph.output], scratch)
            for one, other in zip(got, expected):
                tool.compare(one, other, rtol=1e-3, atol=1e-4)
    except (OSError, KeyError, TypeError, ValueError) as error:  # types that numpy can't save
        raise tool.Skip(repr(error)[:100]) from None


def tests(context):
    root = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "node")
    result = []
    for path in sorted(glob.glob(os.path.join(root, "*", "model.onnx"))):
        folder, name = os.path.dirname(path), os.path.basename(os.path.dirname(path))
        model = onnx.load(path)
        if applies(model):
            result.append(Test(f"onnx/{name}", "onnx node tests",
                               lambda folder=folder, model=model: check(context, folder, model), required=False))
    return result
