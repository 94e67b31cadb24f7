"""The backend tests that come with the onnx package. All that are in scope (backend_scope.py) have to pass; the others
have to end with status 0 and the right answer, or with status 4 and one line that says what is missing.

A case counts in one of three paths: `folded`, none of its inputs is left, so that all its operands are constants;
`reference`, a step of its plan falls back to the reference; `solver`, none does. Whatever the path, it runs by
`--reference` too, and what has steps on solvers runs on every instruction set of the machine. The weights of the tests
are inputs; a case with weights runs once so, and once with them as constants, as networks have them: the better path
of the two counts.
"""
import dataclasses
import json
import os

import numpy as np

import backend_cases
import backend_report
import backend_scope
import tool
from run import Test

SECONDS = 20  # that a refusal may take, on a busy machine
LONG = 600    # that a verb may take: the largest light model has 143 million weights


@dataclasses.dataclass
class Form:
    """How a case is compiled: which inputs are constants."""
    case: backend_cases.Case
    feed: dict
    expected: list
    outputs: list
    bound: list
    rtol: float
    atol: float


def compile_words(form, folder):
    """Arguments of compile after the model and the package; shapes of the inputs that stay."""
    words = []
    for i, (name, value) in enumerate(form.feed.items()):
        path = os.path.join(folder, f"bind{i}.npy")
        if name in form.bound:
            np.save(path, value)
            words += ["--bind", f"{name}={path}"]
        else:
            words += ["--input", shape_word(name, value)]
    return words


def shape_word(name, value):
    return f"{name}={'x'.join(map(str, value.shape)) or 'scalar'}"


def run_form(program, form, isas):
    """(path, {mode: None or what is wrong})."""
    with program.folder() as folder:
        package = os.path.join(folder, "case.stent")
        program.call("compile", form.case.path, "-o", package, *compile_words(form, folder), timeout=LONG)
        feed = {name: value for name, value in form.feed.items() if name not in form.bound}
        info = json.loads(program.call("info", package, "--json", timeout=LONG))
        path = "folded" if not feed else "reference" if info["fallbacks"] else "solver"

        def wrong(*options, isa=None):
            try:
                outputs = program.run(package, feed, form.outputs, folder, *options, isa=isa, timeout=LONG)
                for got, want in zip(outputs, form.expected, strict=True):
                    got, want = as_plain(got, want)
                    tool.compare(got, want, form.rtol, tool.split_atol(isa, want, form.atol))
            except tool.Failure as failure:
                return str(failure).replace(folder + "/", "")
            return None
        on_solvers = path != "folded" and info["steps"] > len(info["fallbacks"])
        modes = {path if path == "folded" else "reference": wrong("--reference")}
        if on_solvers and isas:
            return path, {**modes, **{isa: wrong(isa=isa) for isa in isas}}
        return path, {mode: text or wrong() for mode, text in modes.items()}


def as_plain(got, want):
    """numpy has no bfloat16: files hold its two bytes."""
    if got.dtype != "V2" or want.dtype.name != "bfloat16":
        return got, want
    return got.view(want.dtype).astype("f4"), want.astype("f4")


def forms_of(case, model):
    """For each set of data: with what shapes need as constants, and with the weights too."""
    rtol, atol = case.tolerances()
    shaping, weights = backend_scope.shaping_inputs(model), backend_scope.weight_inputs(model)
    outputs = [value.name for value in model.graph.output]
    for feed, expected in case.sets(model):
        yield Form(case, feed, expected, outputs, shaping, rtol, atol)
        if set(weights) & set(feed) - set(shaping):  # old models list constants as inputs, too
            yield Form(case, feed, expected, outputs, shaping + weights, rtol, atol)


def run_all(program, case, model, isas):
    """All forms of a case: (path, {mode: None or what is wrong})."""
    paths, results = [], {}
    for form in forms_of(case, model):
        path, modes = run_form(program, form, isas)
        paths.append(path)
        for mode, text in modes.items():
            results[mode] = results.get(mode) or text
    return max(paths, key=backend_report.PATHS.index), results


def check(program, case, model, isas, outcomes):
    best, results = run_all(program, case, model, isas)
    kernels = backend_scope.has_kernels(model)
    if best == "folded" and kernels and model.graph.input:
        raise tool.Failure("folding hides the kernels")
    outcomes.append(backend_report.Outcome(case.category, best, bool(set(results) & set(isas)), kernels))
    return results


def check_outside(program, case, model, reason, outcomes):
    """Not in scope: refused by name, or accepted and right."""
    with program.folder() as folder:
        status, _, said = program.answer("compile", case.path, "-o", os.path.join(folder, "case.stent"), timeout=SECONDS)
    if status == 4:
        if not said.startswith("stent: ") or (reason[0] == "operator" and reason[1] not in said):
            raise tool.Failure(f"refused without the name of {reason[1]}: {said[:300]}")
    elif status != 0:
        raise tool.Failure(f"status {status}, expected 0 or 4: {said[:300]}")
    else:
        wrong = run_all(program, case, model, [])[1]
        if any(wrong.values()):
            raise tool.Failure(f"accepted, and wrong: {wrong}")
    outcomes.append(backend_report.Outcome(case.category, reason=reason, accepted=status == 0))


OUTCOMES = []  # of the cases that ran, in whatever order


def tests(context):
    known = backend_scope.known_operators(context.tool)
    isas = context.tool.isas()
    result = []
    for case in backend_cases.all_cases():
        model = case.model()
        reason = backend_scope.reason_of(case, model, known)
        if reason:
            result.append(Test(f"onnx/{case.category}/{case.name}", "onnx, out of scope",
                               lambda c=case, m=model, r=reason: check_outside(context.tool, c, m, r, OUTCOMES)))
        else:
            result.append(Test(f"onnx/{case.category}/{case.name}", f"onnx, {case.category}",
                               lambda c=case, m=model: check(context.tool, c, m, isas, OUTCOMES)))
    return result


def closing_tests(context, results):
    """The counts in docs/FORMATS.md, once every case has passed."""
    passed = sum(result.status == "passed" for test, result in results if test.name.startswith("onnx/"))

    def counts():
        if passed != len(backend_cases.all_cases()):
            raise tool.Skip(f"{passed} of {len(backend_cases.all_cases())} backend tests ran and passed")
        text = backend_report.text_of(OUTCOMES)
        if context.write_docs:
            backend_report.PART.write(text)
        backend_report.PART.check(text)
    return [Test("docs/backend tests", "documentation", counts)] if passed else []
