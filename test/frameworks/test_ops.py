"""Op by op against ONNX Runtime: one-node models with many attributes, on the reference and on every ISA."""
import os

import cases_conv
import cases_math
import cases_shape
import tool
from run import Test


def tests(context):
    modes = tool.modes_of(context.tool)

    def check(case):
        model, feed = case.build()
        keep = context.keep and os.path.join(context.keep, case.name.replace("/", "-"))
        return tool.check_model(context.tool, model, feed, modes, keep, atol=case.atol)
    cases = cases_conv.CASES + cases_shape.CASES + cases_math.CASES
    return [Test(case.name, case.op, lambda case=case: check(case)) for case in cases]
