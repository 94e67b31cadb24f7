"""Small ONNX files, written byte by byte: the tests need no package but numpy.

The fields are those of onnx.proto (https://github.com/onnx/onnx): ModelProto 1 ir_version, 7 graph, 8 opset_import;
GraphProto 1 node, 2 name, 5 initializer, 11 input, 12 output; NodeProto 1 input, 2 output, 4 op_type, 5 attribute.
"""

import struct

import numpy

ELEMENT_TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9, "float64": 11}


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def message(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def attribute(name, value):
    if isinstance(value, float):
        return message(1, name) + varint(2 << 3 | 5) + struct.pack("<f", value) + number(20, 1)
    if isinstance(value, int):
        return message(1, name) + number(3, value) + number(20, 2)
    return message(1, name) + b"".join(number(8, item) for item in value) + number(20, 7)


def node(op, inputs, outputs, **attributes):
    return (b"".join(message(1, name) for name in inputs) + b"".join(message(2, name) for name in outputs)
            + message(4, op) + b"".join(message(5, attribute(*item)) for item in attributes.items()))


def weight(name, array):
    array = numpy.ascontiguousarray(array)
    return (b"".join(number(1, dim) for dim in array.shape) + number(2, ELEMENT_TYPES[array.dtype.name])
            + message(8, name) + message(9, array.tobytes()))


def value(name, dtype, shape):
    """shape: numbers, and names of free dims."""
    dims = b"".join(message(1, message(2, dim) if isinstance(dim, str) else number(1, dim)) for dim in shape)
    return message(1, name) + message(2, message(1, number(1, ELEMENT_TYPES[dtype]) + message(2, dims)))


def save(path, nodes, inputs, outputs, weights=(), opset=17):
    """nodes: of node(); inputs: (name, dtype, shape); outputs: names of float32 values; weights: (name, array)."""
    graph = (b"".join(message(1, item) for item in nodes) + message(2, "g")
             + b"".join(message(5, weight(*item)) for item in weights)
             + b"".join(message(11, value(*item)) for item in inputs)
             + b"".join(message(12, message(1, name) + message(2, message(1, number(1, 1)))) for name in outputs))
    with open(path, "wb") as file:
        file.write(number(1, 8) + message(7, graph) + message(8, number(2, opset)))
    return path
