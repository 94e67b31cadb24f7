"""The figures of each format in docs/FORMATS.md: files tried and their errors, as the tests of this run found them."""
import docs_part
import keras_nets
import models
import test_keras
import test_torch_weights
import tool
from run import Test

PART = docs_part.Part("figures of formats", "run.py --long --only '^(keras|torch)/' --write-docs")
ROWS = {keras_nets.H5: "Keras `.h5`", keras_nets.ZIP: "Keras `.keras`", keras_nets.SAVED: "TensorFlow SavedModel",
        keras_nets.FROZEN: "TensorFlow GraphDef", keras_nets.TFLITE: "TensorFlow Lite", "PyTorch weights": "PyTorch weights"}
HEAD = ["| format | networks | files | agree | exit 4 | largest error, strict | fp32 |", "|---|---|---|---|---|---|---|"]


def row(group, names):
    """`names`: of the tests that belong to it."""
    found = [models.FIGURES[name] for name in names]
    agree = [figure for figure in found if figure]
    errors = [f"{max(figure[mode] for figure in agree):.1e}" if agree else "-" for mode in ("strict", "fp32")]
    networks = len({name.split("/")[1] for name in names})
    return f"| {ROWS[group]} | {networks} | {len(found)} | {len(agree)} | {len(found) - len(agree)} | {' | '.join(errors)} |"


def text_of(tests):
    return "\n".join(HEAD + [row(group, [test.name for test in tests if test.group == group]) for group in ROWS])


def counts_only(line):
    """Errors are this machine's."""
    return line.split("|")[:6]


def tests(_context):
    return []


def closing_tests(context, results):
    """Once all of them ran and passed; those that the framework cannot write are none."""
    mine = [(test, result) for test, result in results if test.name.startswith(("keras/", "torch/"))]
    ran = [test for test, _ in mine if test.name in models.FIGURES]
    wanted = len(test_keras.tests(context)) + len(test_torch_weights.tests(context))

    def figures():
        undone = [test.name for test, result in mine
                  if result.status == "failed" or "no time left" in result.text or "environment" in result.text]
        if len(mine) != wanted or undone:
            raise tool.Skip(f"{len(mine) - len(undone)} of {wanted} tests of formats ran and passed")
        text = text_of(ran)
        if context.write_docs:
            PART.write(text)
        PART.check(text, counts_only)
    return [Test("docs/figures of formats", "documentation", figures)] if mine else []
