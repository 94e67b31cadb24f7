"""A quantised TFLite file with the same weights in float: what it computes when activations are not rounded.

The flatbuffer is changed by the schema that comes with TensorFlow: each quantised constant becomes
(value - zero_point) * scale in float32, each quantised activation a float that is kept within what its bits can hold
(converters leave out a ReLU that the range implies), and DEQUANTIZE goes. TensorFlow Lite then runs it as any float
network.
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
    zero = np.zeros_like(scale)
    if tensor.quantization.zeroPoint is not None:
        zero = np.asarray(tensor.quantization.zeroPoint, np.float64)
    if len(scale) > 1:
        along = [1] * values.ndim
        along[tensor.quantization.quantizedDimension] = len(scale)
        scale, zero = scale.reshape(along), zero.reshape(along)
    return ((values - zero) * scale).astype(np.float32)


def range_of(tensor):
    """The least and largest number that a quantised activation can be."""
    limits = np.iinfo(KINDS[tensor.type])
    zero = 0 if tensor.quantization.zeroPoint is None else int(tensor.quantization.zeroPoint[0])
    return [(limit - zero) * float(tensor.quantization.scale[0]) for limit in (limits.min, limits.max)]


def add_tensor(model, graph, name, shape, data=None):
    tensor = schema.TensorT()
    tensor.shape, tensor.type, tensor.name, tensor.buffer = np.array(shape, np.int32), schema.TensorType.FLOAT32, name, 0
    if data is not None:
        tensor.buffer = add_buffer(model, data)
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def add_buffer(model, data):
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(np.asarray(data, np.float32).tobytes(), np.uint8)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def add_code(model, builtin):
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = 1
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def clamp(model, graph, codes, source, result, limits):
    """The operators that give `result`: `source` within the limits."""
    made, between = [], add_tensor(model, graph, b"above", graph.tensors[result].shape)
    for code, a, b, limit in ((codes[0], source, between, limits[0]), (codes[1], between, result, limits[1])):
        op = schema.OperatorT()
        op.opcodeIndex = code
        op.inputs = np.array([a, add_tensor(model, graph, b"limit", [], limit)], np.int32)
        op.outputs = np.array([b], np.int32)
        op.builtinOptionsType = schema.BuiltinOptions.MaximumMinimumOptions
        op.builtinOptions = schema.MaximumMinimumOptionsT()
        made.append(op)
    return made


def make_float(model, tensor):
    data = model.buffers[tensor.buffer].data
    if data is not None and len(data):
        tensor.buffer = add_buffer(model, dequantised(tensor, data))  # its own: two tensors may share one
    tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None


def code_of(model, op):
    entry = model.operatorCodes[op.opcodeIndex]
    return max(entry.builtinCode, entry.deprecatedBuiltinCode)


def without_rounding(model, graph, limits):
    """The operators without QUANTIZE and DEQUANTIZE, results clamped: {index of a result that went: what it is}.

    limits: of the tensors that were quantised, by index."""
    same, kept = {}, []
    codes = add_code(model, schema.BuiltinOperator.MAXIMUM), add_code(model, schema.BuiltinOperator.MINIMUM)
    for op in graph.operators:
        op.inputs = np.array([same.get(int(i), int(i)) for i in op.inputs], np.int32)
        result = int(op.outputs[0])
        code = code_of(model, op)
        if code == schema.BuiltinOperator.DEQUANTIZE and int(op.inputs[0]) in limits:
            same[result] = int(op.inputs[0])
            continue
        if code == schema.BuiltinOperator.QUANTIZE and result in limits:
            kept += clamp(model, graph, codes, int(op.inputs[0]), result, limits[result])
            continue
        kept.append(op)
        for i, result in enumerate(map(int, op.outputs)):
            if result in limits:
                op.outputs[i] = add_tensor(model, graph, b"wide", graph.tensors[result].shape)
                kept += clamp(model, graph, codes, int(op.outputs[i]), result, limits[result])
    graph.operators = kept
    return same


def float_model(content):
    """The bytes of the float network."""
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    for number, graph in enumerate(model.subgraphs):
        limits = {i: range_of(tensor) for i, tensor in enumerate(graph.tensors) if is_quantised(tensor)}
        for i in limits:
            make_float(model, graph.tensors[i])
        same = without_rounding(model, graph, limits)
        graph.outputs = np.array([same.get(int(i), int(i)) for i in graph.outputs], np.int32)
        for signature in model.signatureDefs or []:
            for place in signature.outputs if signature.subgraphIndex == number else []:
                place.tensorIndex = same.get(place.tensorIndex, place.tensorIndex)
    builder = flatbuffers.Builder(len(content) * 4)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
