"""The backend tests that come with the onnx package: their models, inputs, expected outputs and tolerances.

As onnx/backend/test/loader and runner read them: a folder with model.onnx and a test_data_set_* for each set of inputs
and outputs; the light ones are a file NAME.onnx, whose input is a ramp and whose output lies beside it.
"""
import dataclasses
import glob
import json
import os

import numpy as np
import onnx
from onnx import numpy_helper

ROOT = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data")
CATEGORIES = ("node", "simple", "pytorch-converted", "pytorch-operator", "light")


@dataclasses.dataclass
class Case:
    category: str
    name: str
    path: str      # of the model
    settings: str  # JSON that may set rtol and atol; may be absent
    data: list     # folders with input_N.pb and output_N.pb; none: a light model

    def model(self):
        return onnx.load(self.path)

    def tolerances(self):
        own = {}
        if os.path.exists(self.settings):
            with open(self.settings, encoding="utf-8") as file:
                own = json.load(file)
        return own.get("rtol", 1e-3), own.get("atol", 1e-7)

    def sets(self, model):
        """[({input: array}, [expected outputs])]. Of tensors only: what else an input may be is out of scope."""
        if not self.data:
            return [(ramps(model), tensors(os.path.splitext(self.path)[0] + "_output_"))]
        names = [value.name for value in model.graph.input]
        return [(dict(zip(names, tensors(os.path.join(folder, "input_")))), tensors(os.path.join(folder, "output_")))
                for folder in self.data]


def tensors(prefix):
    """The arrays of PREFIX0.pb, PREFIX1.pb ..."""
    found = []
    while os.path.exists(path := f"{prefix}{len(found)}.pb"):
        found.append(numpy_helper.to_array(onnx.load_tensor(path)))
    return found


def ramps(model):
    """What the package's runner gives a light model: 0 to 1 over all elements."""
    weights = {tensor.name for tensor in model.graph.initializer}
    feed = {}
    for value in model.graph.input:
        if value.name in weights:
            continue
        shape = [dim.dim_value if dim.HasField("dim_value") else 1 for dim in value.type.tensor_type.shape.dim]
        count = int(np.prod(shape))
        feed[value.name] = (np.arange(count).reshape(shape) / count).astype(np.float32)
    return feed


def all_cases():
    cases = []
    for category in CATEGORIES:
        if category == "light":  # their settings are in the folder of real models, which refer to them
            for path in sorted(glob.glob(os.path.join(ROOT, "light", "*.onnx"))):
                name = os.path.splitext(os.path.basename(path))[0]
                real = name.replace("light_", "test_")
                cases.append(Case(category, name, path, os.path.join(ROOT, "real", real, "data.json"), []))
            continue
        for path in sorted(glob.glob(os.path.join(ROOT, category, "*", "model.onnx"))):
            folder = os.path.dirname(path)
            cases.append(Case(category, os.path.basename(folder), path, os.path.join(folder, "data.json"),
                              sorted(glob.glob(os.path.join(folder, "test_data_set_*")))))
    return cases
