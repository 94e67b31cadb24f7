"""The tuner that learns by XGBoost, with XGBoost."""
import json
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import tool
from run import Test


def two_convolutions():
    rng = np.random.default_rng(1)
    weights = [numpy_helper.from_array(rng.normal(0, 0.1, (32, 32, 3, 3)).astype(np.float32), name) for name in "ab"]
    nodes = [helper.make_node("Conv", ["x", "a"], ["m"], pads=[1, 1, 1, 1]),
             helper.make_node("Conv", ["m", "b"], ["y"], pads=[1, 1, 1, 1], strides=[2, 2])]
    graph = helper.make_graph(nodes, "two", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 32, 40, 40])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 32, 20, 20])], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def check_xgb(context):
    """Tries go on behind the point where the model is asked; a helper that fails would end the verb."""
    with context.tool.folder() as folder:
        source, package = os.path.join(folder, "two.onnx"), os.path.join(folder, "two.stent")
        onnx.save(two_convolutions(), source)
        context.tool.call("compile", source, "-o", package)
        context.tool.env["STENT_PYTHON"] = sys.executable
        said = json.loads(context.tool.call("tune", package, "--tuner", "xgb", "--trials", 12, "--time", "60s", "--json"))
        tried = [layer["tried"] for layer in said["layers"] if layer["untuned"] is None]
        if not tried or max(tried) < 10:
            raise tool.Failure(f"expected some 12 tries of a layer, got {tried}")


def tests(context):
    return [Test("tune/xgb", "tuning", lambda: check_xgb(context), alone=True)]
