"""Networks of Keras and TensorFlow in every format that they write (keras_nets.py, write_keras.py), against TensorFlow."""
import os
import re

import keras_nets
import models
import tool
from run import Test

SOURCE = models.Source("keras", "tensorflow", "write_keras.py", ("keras_nets.py", "tflite_float.py"))
# Formats that also run on SSE2, of the networks marked so.
SLOW_FORMATS = ("keras2.h5", "keras3.keras", "export", "frozen.pb", "float.tflite")
# How near we, who compute with the de-quantised weights in float, are to TensorFlow Lite, which rounds activations to
# 8 bits in front of each product (dynamic) or everywhere (int8). Against the same weights without such rounding the
# usual budget holds.
ROUNDED = {"dynamic.tflite": 0.05, "int8.tflite": 0.1}  # seen: up to 0.027 and 0.045
# What may end with exit status 4, which has to name what we have no operator for: {(network, format): its name}.
REFUSED = {("signal", form): "SpaceToBatchND" for form in ("export", "frozen.pb")}  # a dilated convolution in 1D


def check(context, net, form):
    folder, case = models.case_of(SOURCE, net.name, form)
    rounded = (models.arrays(folder, case["rounded"]), ROUNDED[form]) if "rounded" in case else None
    isas = [isa for isa in context.tool.isas()[:1] if net.slow_isa and form in SLOW_FORMATS]
    try:
        return models.check_file(context, os.path.join(folder, case["file"]), models.arrays(folder, case["inputs"]),
                                 models.arrays(folder, case["outputs"]), isas, rounded,
                                 test=f"keras/{net.name}/{form}")
    except models.Refused as refused:
        name = REFUSED.get((net.name, form))
        if not name or not re.search(rf"\b{re.escape(name)}\b", str(refused)):
            raise tool.Failure(f"status 4: {str(refused)[:400]}") from None
        models.FIGURES[f"keras/{net.name}/{form}"] = {}
        return {"exit 4": None}


def tests(context):
    return [Test(f"keras/{net.name}/{form}", keras_nets.GROUPS[form], lambda n=net, f=form: check(context, n, f))
            for net in keras_nets.NETS for form in net.all_formats()]


def prepare(context, tests):
    SOURCE.write(models.prefixed(tests, "keras"), context.jobs)
