"""Programs that torch.export.save wrote (export_nets.py, write_export.py), against the modules that they were made of.

Those of older versions of PyTorch, whose archives are laid out in other ways, need environments of their own; without
them their tests are skipped:

    tools/venv test/frameworks/torch-2.5.txt build/venv-torch-2.5
    tools/venv test/frameworks/torch-2.8.txt build/venv-torch-2.8
"""
import json
import os

import export_nets
import models
import tool
from run import Test

SOURCES = {version: models.Source("export-" + version, environment, "write_export.py",
                                  ("export_nets.py", "export_modules.py"))
           for version, environment in export_nets.VERSIONS.items()}
# Also on SSE2.
SLOW = ("unet", "unet-3d", "attention")


def check(context, version, net, form):
    folder, case = models.case_of(SOURCES[version], net.name, form)
    path = os.path.join(folder, case["file"])
    names = [port["name"] for port in json.loads(context.tool.call("info", path, "--json"))["outputs"]]
    if names != list(net.names(version)):
        raise tool.Failure(f"outputs {', '.join(names)}, expected {', '.join(net.names(version))}")
    isas = context.tool.isas()[:1] if net.name in SLOW and form == "plain" else []
    try:
        return models.check_file(context, path, models.arrays(folder, case["inputs"]),
                                 models.arrays(folder, case["outputs"]), isas)
    except models.Refused as refused:
        raise tool.Failure(f"status 4: {str(refused)[:400]}") from None


def tests(context):
    return [Test(f"export-{version}/{net.name}/{form}", "torch.export",
                 lambda v=version, n=net, f=form: check(context, v, n, f))
            for version in SOURCES for net in export_nets.NETS for form in export_nets.FORMS]


def prepare(context, tests):
    for version, source in SOURCES.items():
        source.write(models.prefixed(tests, "export-" + version), context.jobs)
