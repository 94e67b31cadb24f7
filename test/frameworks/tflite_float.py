"""A quantised TFLite file with the same weights in float: what it computes when activations are not rounded.

The flatbuffer is changed by the schema that comes with TensorFlow: each quantised constant becomes
(value - zero_point) * scale in float32, each quantised activation a float, and the operators between the two,
QUANTIZE and DEQUANTIZE, go. TensorFlow Lite then runs it as any float network.
"""
import flatbuffers
import numpy as np

try:
    from tensorflow.lite.python import schema_py_generated as schema
except ImportError:  # moved out of TensorFlow
    from ai_edge_litert import schema_py_generated as schema

KINDS = {schema.TensorType.INT8: np.int8, schema.TensorType.UINT8: np.uint8, schema.TensorType.INT16: np.int16,
         schema.TensorType.INT32: np.int32}


def is_quantised(tensor):
    q = tensor.quantization
    return tensor.type in KINDS and q is not None and q.scale is not None and len(q.scale) > 0


def dequantised(tensor, data):
    values = np.frombuffer(bytes(data), KINDS[tensor.type]).reshape(tensor.shape)
    scale = np.asarray(tensor.quantization.scale, np.float64)
    zero = np.zeros_like(scale) if tensor.quantization.zeroPoint is None else np.asarray(tensor.quantization.zeroPoint, np.float64)
    if len(scale) > 1:
        along = [1] * values.ndim
        along[tensor.quantization.quantizedDimension] = len(scale)
        scale, zero = scale.reshape(along), zero.reshape(along)
    return ((values - zero) * scale).astype(np.float32)


def make_float(model, tensor):
    data = model.buffers[tensor.buffer].data
    if data is not None and len(data):
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(dequantised(tensor, data).tobytes(), np.uint8)
        model.buffers.append(buffer)  # its own: two tensors may share one
        tensor.buffer = len(model.buffers) - 1
    tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None


def code_of(model, op):
    entry = model.operatorCodes[op.opcodeIndex]
    return max(entry.builtinCode, entry.deprecatedBuiltinCode)


def drop_conversions(model, graph, touched):
    """Removes QUANTIZE and DEQUANTIZE at tensors that are floats now: {index of the result: index of what it is}."""
    same, kept = {}, []
    for op in graph.operators:
        op.inputs = np.array([same.get(int(i), int(i)) for i in op.inputs], np.int32)
        convert = code_of(model, op) in (schema.BuiltinOperator.QUANTIZE, schema.BuiltinOperator.DEQUANTIZE)
        if convert and {int(op.inputs[0]), int(op.outputs[0])} & touched:
            same[int(op.outputs[0])] = int(op.inputs[0])
        else:
            kept.append(op)
    graph.operators = kept
    return same


def float_model(content):
    """The bytes of the float network."""
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    for number, graph in enumerate(model.subgraphs):
        touched = {i for i, tensor in enumerate(graph.tensors) if is_quantised(tensor)}
        for i in touched:
            make_float(model, graph.tensors[i])
        same = drop_conversions(model, graph, touched)
        graph.outputs = np.array([same.get(int(i), int(i)) for i in graph.outputs], np.int32)
        for signature in model.signatureDefs or []:
            for place in signature.outputs if signature.subgraphIndex == number else []:
                place.tensorIndex = same.get(place.tensorIndex, place.tensorIndex)
    builder = flatbuffers.Builder(len(content) * 4)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
