"""What of a backend test is in scope, told from its model before anything runs; and which of its inputs `compile --bind`
makes constants."""
import os
import re

import onnx
from onnx import AttributeProto, TensorProto, helper

import tool

DTYPES = {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT32, TensorProto.INT64, TensorProto.UINT8, TensorProto.BOOL}
OPSETS = range(6, 26)

# Inputs whose values decide shapes, axes or k, or which branch is taken, by operator.
SHAPING = {"Reshape": (1,), "Slice": (1, 2, 3, 4), "Expand": (1,), "Tile": (1,), "Pad": (1, 3), "Resize": (1, 2, 3),
           "Upsample": (1,), "TopK": (1,), "Range": (0, 1, 2), "ConstantOfShape": (0,), "Squeeze": (1,), "Unsqueeze": (1,),
           "Split": (1,), "Dropout": (2,), "CumSum": (1,), "If": (0,), "Loop": (0, 1), "OneHot": (1,), "Trilu": (1,),
           **{op: (1,) for op in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
                                  "ReduceLogSum", "ReduceSumSquare", "ReduceLogSumExp")}}
# What a trained network has as constants: the kernels want it so, the tests give it as inputs.
WEIGHTS = {"Conv": (1, 2), "ConvTranspose": (1, 2), "Gemm": (1, 2), "MatMul": (1,), "BatchNormalization": (1, 2, 3, 4),
           "InstanceNormalization": (1, 2), "GroupNormalization": (1, 2), "LayerNormalization": (1, 2), "PRelu": (1,)}
# Operators with kernels that folding must not hide.
KERNELS = set(WEIGHTS) | {"MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool", "Resize", "Upsample", "Softmax",
                          "LogSoftmax"}


def nodes_of(graph):
    """All nodes, those of subgraphs too."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                yield from nodes_of(inner)


def graphs_of(graph):
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                if inner.node:
                    yield from graphs_of(inner)


def op_name(node):
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"


def opset_of(model):
    return max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)


# ---- the operators that the program has

BATCH = 30  # a message names 32 operators at most


def known_operators(program):
    """Those of ONNX that the importer does not refuse by name: asked of the program, with nodes of each of them."""
    names = sorted({schema.name for schema in onnx.defs.get_all_schemas() if schema.domain == ""} | {"Upsample"})
    with program.folder() as folder:
        return {name for i in range(0, len(names), BATCH) for name in known_of(program, names[i:i + BATCH], folder)}


def known_of(program, names, folder):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    nodes = [helper.make_node(name, ["x"], [f"y{i}"]) for i, name in enumerate(names)]
    graph = helper.make_graph(nodes, "probe", [x], [helper.make_tensor_value_info("y0", TensorProto.FLOAT, [1])])
    path = os.path.join(folder, "probe.onnx")
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSETS[-1])], ir_version=10), path)
    status, _, said = program.answer("info", path, timeout=10)
    refused = re.findall(r"(\w+) \(1 node\)", said) if "operators that are not supported" in said else []
    if status not in (3, 4) or not set(refused) <= set(names):
        raise tool.Failure(f"stent info on one node of each of {', '.join(names)}: status {status}: {said[:200]}")
    return set(names) - set(refused)


# ---- reasons

def reason_of(case, model, known):
    """None: in scope. Else (kind, name): the first of these that applies."""
    if opset_of(model) and opset_of(model) not in OPSETS:
        return "opset", f"opset {opset_of(model)}"
    for find in (lambda: missing_operator(model.graph.node, known), lambda: odd_type(model),
                 lambda: missing_operator(nodes_of(model.graph), known), lambda: odd_dtype(model)):
        reason = find()
        if reason:
            return reason
    return training(model, case.sets(model))


def missing_operator(nodes, known):
    missing = sorted({op_name(node) for node in nodes} - known)
    return ("operator", missing[0]) if missing else None


def odd_type(model):
    for graph in graphs_of(model.graph):
        for value in [*graph.input, *graph.output]:
            kind = value.type.WhichOneof("value")
            if kind not in (None, "tensor_type"):
                return "type", kind.replace("_type", "")
    return ("type", "sparse_tensor") if any(g.sparse_initializer for g in graphs_of(model.graph)) else None


def dtypes_of(graph):
    """Of inputs, outputs, weights, constants, casts."""
    for inner in graphs_of(graph):
        yield from (value.type.tensor_type.elem_type for value in [*inner.input, *inner.output])
        yield from (tensor.data_type for tensor in inner.initializer)
    for node in nodes_of(graph):
        for attribute in node.attribute:
            if attribute.type == AttributeProto.TENSOR:
                yield attribute.t.data_type
            if node.op_type == "Cast" and attribute.name == "to":
                yield attribute.i
            if node.op_type == "Constant" and attribute.name.startswith("value_string"):
                yield TensorProto.STRING


def odd_dtype(model):
    odd = [dtype for dtype in dtypes_of(model.graph) if dtype and dtype not in DTYPES]
    return ("dtype", TensorProto.DataType.Name(odd[0]).lower()) if odd else None


def training(model, sets):
    """Statistics of the batch, or values dropped at random."""
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.name == "value":
                constants[node.output[0]] = onnx.numpy_helper.to_array(attribute.t)
    for node in nodes_of(model.graph):
        attributes = {attribute.name: attribute.i for attribute in node.attribute}
        mode = attributes.get("training_mode", 0)
        if node.op_type == "Dropout" and len(node.input) > 2 and node.input[2]:
            mode = any({**constants, **feed}.get(node.input[2], False) for feed, _ in sets)
        if node.op_type == "BatchNormalization" and opset_of(model) < 14 and len(node.output) > 1:
            mode = True
        if node.op_type in ("Dropout", "BatchNormalization") and opset_of(model) < 7:
            mode = not attributes.get("is_test", 0)
        if mode:
            return "training", f"training mode of {node.op_type}"
    return None


# ---- inputs that become constants

def operands(graph, ports):
    """Names of the values at the inputs that `ports` names for their operators."""
    return {node.input[i] for node in nodes_of(graph) for i in ports.get(node.op_type, ()) if i < len(node.input)}


def shaping_inputs(model):
    """Inputs whose values reach what decides a shape. Through Shape and Size only a tensor's dims go, not its values."""
    wanted, before = operands(model.graph, SHAPING), None
    while wanted != before:  # a body stands behind what its results go to: more than one round
        before = set(wanted)
        for node in nodes_of(model.graph):
            if node.op_type not in ("Shape", "Size") and wanted & set(node.output):
                wanted |= set(node.input)
                wanted |= {value.name for attribute in node.attribute for value in attribute.g.output}
    return [value.name for value in model.graph.input if value.name in wanted]


def weight_inputs(model):
    """Direct ones only: what is computed is not a weight."""
    names = operands(model.graph, WEIGHTS)
    # A pair of operands with one source: one of them has to stay an input.
    names -= operands(model.graph, dict.fromkeys(WEIGHTS, (0,)))
    return [value.name for value in model.graph.input if value.name in names]


def has_kernels(model):
    return any(node.op_type in KERNELS for node in nodes_of(model.graph))
