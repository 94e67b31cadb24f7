"""Weights that PyTorch saved (torch_nets.py, write_torch.py), against the modules that they were saved from."""
import os
import re

import models
import tool
import torch_nets
from run import Test

SOURCE = models.Source("torch", "torch", "write_torch.py", ("torch_nets.py", "torch_modules.py"))
# What `compile` has to say of a program: status 3 or 4, and in its line one of these.
CODE_LINE = re.compile(r"state_dict|onnx", re.IGNORECASE)
# Also on SSE2.
SLOW = ("study", "mateuszbuda", "monai-basicunet-3d", "nnunet-plain-2d")


def check(context, net, form):
    folder, case = models.case_of(SOURCE, net.name, form)
    path = os.path.join(folder, case["file"])
    if case["outputs"] is None:
        return check_refused(context, path)
    isas = context.tool.isas()[:1] if net.name in SLOW and form == "zip" else []
    try:
        return models.check_file(context, path, models.arrays(folder, case["inputs"]),
                                 models.arrays(folder, case["outputs"]), isas, test=f"torch/{net.name}/{form}")
    except models.Refused as refused:
        raise tool.Failure(f"status 4: {str(refused)[:400]}") from None


def check_refused(context, path):
    """One clear line that says what to do; nothing is written."""
    with context.tool.folder() as folder:
        package = os.path.join(folder, "model.stent")
        status, _, said = context.tool.answer("compile", path, "-o", package, timeout=60)
        if status not in (3, 4) or not CODE_LINE.search(said.replace(path, "")) or os.path.exists(package):
            raise tool.Failure(f"status {status}, expected 3 or 4 and a way out: {said[:300]}")
    return {f"exit {status}": None}


def tests(context):
    return [Test(f"torch/{net.name}/{form}", "PyTorch weights", lambda n=net, f=form: check(context, n, f))
            for net in torch_nets.NETS for form in net.all_forms()]


def prepare(context, tests):
    SOURCE.write(models.prefixed(tests, "torch"), context.jobs)
