"""Trained networks by others, one or two a format (models/ of the test data), against the frameworks that they are of;
and the study's two networks in all their formats: masks and Dice."""
import os

import numpy as np

import models
import test_lgg
import tool
import torch_nets
from run import Test

GROUP = "models by others"
KERAS = ("keras/brats-unet-128.h5", "keras/tiramisu45.h5", "tensorflow/brain-t1c-120-savedmodel",
         "tflite/unet-128-tile-upsample.tflite")
# What has to end with one clear line: {file below models/: (exit status, what stands in it)}.
REFUSED = {
    "keras/voxelmorph-3d-vm1.h5": (4, "SpatialTransformer"),
    "coreml/tiramisu45.mlmodel": (4, "Core ML"),
    "damaged/lfs-pointer.hdf5": (3, "Git LFS"),
    "damaged/text-filtered.h5": (3, "text"),
}
# {file: (network in expected.json)}
LGG = {"seed-torch-w32.state_dict.pth": "seed-torch-w32", "seed-torch-w32.pt2": "seed-torch-w32",
       "seed-torch-w32.torchscript.pt": "seed-torch-w32", "seed-keras-w16.h5": "seed-keras-w16",
       "seed-keras-w16.keras": "seed-keras-w16", "seed-keras-w16.savedmodel": "seed-keras-w16",
       "seed-keras-w16.tflite": "seed-keras-w16"}


def source_of(context, name):
    """What computes the expected output of a file below models/."""
    extra = ("--testdata", os.path.abspath(context.testdata))
    if name.startswith("pytorch/"):
        return models.Source("shared-torch", "torch", "write_torch.py", ("torch_nets.py", "torch_modules.py"), extra)
    return models.Source("shared-tensorflow", "tensorflow", "write_shared.py", ("write_keras.py",), extra)


def path_of(context, name):
    path = os.path.join(context.testdata, "models", name)
    if not os.path.exists(path):
        raise tool.Skip(f"no test data at {path} (STENT_TESTDATA)")
    return path


def check_model(context, name):
    path = path_of(context, name)
    folder, case = models.case_of(sources(context)[name], name.removeprefix("pytorch/"), "file")
    try:
        return models.check_file(context, path, models.arrays(folder, case["inputs"]),
                                 models.arrays(folder, case["outputs"]), context.tool.isas()[:1])
    except models.Refused as refused:
        raise tool.Failure(f"status 4: {str(refused)[:400]}") from None


def check_onnx(context, name):
    """By ONNX Runtime, which is in the environment that runs this."""
    import onnxruntime as ort
    path = path_of(context, name)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(1)
    feed = {value.name: rng.standard_normal([d if isinstance(d, int) else 1 for d in value.shape]).astype(np.float32)
            for value in session.get_inputs()}
    return models.check_file(context, path, list(feed.values()), session.run(None, feed), context.tool.isas()[:1])


def check_refused(context, name):
    path = path_of(context, name)
    wanted, words = REFUSED[name]
    with context.tool.folder() as folder:
        package = os.path.join(folder, "model.stent")
        status, _, said = context.tool.answer("compile", path, "-o", package, timeout=60)
        if status != wanted or words not in said.replace(path, "") or os.path.exists(package):
            raise tool.Failure(f"status {status}, expected {wanted} and '{words}' in the line: {said[:300]}")
    return {f"exit {status}": None}


def sources(context):
    """One for all files of a kind: it remembers what went wrong."""
    if not hasattr(context, "shared_sources"):
        both = source_of(context, "pytorch/"), source_of(context, "keras/")
        context.shared_sources = {**{"pytorch/" + name: both[0] for name in torch_nets.SHARED},
                                  **{name: both[1] for name in KERAS}}
    return context.shared_sources


def tests(context):
    result = [Test("shared/" + name, GROUP, lambda n=name: check_model(context, n)) for name in sources(context)]
    result.append(Test("shared/onnx/cervix-unet-224.onnx", GROUP, lambda: check_onnx(context, "onnx/cervix-unet-224.onnx")))
    result += [Test("shared/" + name, GROUP, lambda n=name: check_refused(context, n)) for name in REFUSED]
    best = context.tool.isas()[-1]
    return result + [Test(f"shared/lgg/{file}/masks", "lgg, other formats",
                          lambda f=file, n=net: test_lgg.check_masks(context, n, best, f), alone=True)
                     for file, net in LGG.items()]


def prepare(context, tests):
    wanted = [test.name.removeprefix("shared/") for test in tests]
    if not os.path.isdir(os.path.join(context.testdata, "models")):
        return
    for kind in ("pytorch/", "keras/"):
        source = next(s for name, s in sources(context).items() if name.startswith(kind))
        names = [name for name, other in sources(context).items() if other is source and name in wanted]
        source.write([name.removeprefix("pytorch/") for name in names], context.jobs)
