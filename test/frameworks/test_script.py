"""TorchScript (script_nets.py, write_script.py), against the modules that it was made from."""
import os

import models
import script_nets
import tool
from run import Test

SOURCE = models.Source("script", "torch", "write_script.py", ("script_nets.py", "script_modules.py", "write_torch.py"))


def shapes(net, form, inputs):
    """--input for what the file does not tell, or tells otherwise."""
    if form == "traced":
        return []
    words = []
    for name, value in zip(net.names, inputs):
        words += ["--input", f"{name}={'x'.join(map(str, value.shape))}"]
    return words


def check(context, net, form):
    folder, case = models.case_of(SOURCE, net.name, form)
    inputs, outputs = models.arrays(folder, case["inputs"]), models.arrays(folder, case["outputs"])
    try:
        return models.check_file(context, os.path.join(folder, case["file"]), inputs, outputs,
                                 options=shapes(net, form, inputs))
    except models.Refused as refused:
        raise tool.Failure(f"status 4: {str(refused)[:400]}") from None


def forms_of(net):
    return net.forms + (tuple(form + "-other" for form in net.forms) if net.other else ())


def tests(context):
    return [Test(f"script/{net.name}/{form}", "TorchScript", lambda n=net, f=form: check(context, n, f))
            for net in script_nets.NETS for form in forms_of(net)]


def prepare(context, tests):
    SOURCE.write(models.prefixed(tests, "script"), context.jobs)
