"""Calls stent as a user does, and compares what comes back."""
import json
import os
import subprocess
import tempfile

import numpy as np
import onnx

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
# STENT_ISA -> the flag in /proc/cpuinfo that a machine must have for it.
ISA_FLAGS = {"sse2": "sse2", "avx": "avx", "avx2": "avx2", "avx512": "avx512f", "amx": "amx_bf16"}


class Failure(Exception):
    """The test failed; the text says how."""


class Skip(Exception):
    """The test can't run here; the text says why."""


class Tool:
    """The program under test, with plan store and wisdom in a scratch folder: a user's own are left alone."""

    def __init__(self, program, scratch):
        self.program, self.scratch = os.path.abspath(program), scratch
        self.env = dict(os.environ, HOME=scratch, XDG_DATA_HOME=os.path.join(scratch, "data"),
                        XDG_CACHE_HOME=os.path.join(scratch, "cache"), NO_COLOR="1")
        for name in [name for name in self.env if name.startswith("STENT_")]:
            del self.env[name]

    def answer(self, *words, isa=None, timeout=300):
        """Runs one verb: (status, stdout, stderr's last line)."""
        env = dict(self.env, STENT_ISA=isa) if isa else self.env
        try:
            done = subprocess.run([self.program, *map(str, words)], env=env, capture_output=True, text=True,
                                  timeout=timeout, errors="replace")
        except subprocess.TimeoutExpired:
            raise Failure(f"stent {words[0]}: still running after {timeout} s") from None
        said = done.stderr.strip().splitlines()
        return done.returncode, done.stdout, said[-1] if said else ""

    def call(self, *words, isa=None, timeout=300):
        """Runs one verb, and gives its stdout. A Failure if it doesn't end with status 0."""
        status, out, said = self.answer(*words, isa=isa, timeout=timeout)
        if status:
            raise Failure(f"stent {words[0]}: status {status}: {said[:300] or 'no message'}")
        return out

    def folder(self):
        return tempfile.TemporaryDirectory(dir=self.scratch)

    def run(self, package, feed, outputs, folder, *options, isa=None, timeout=60):
        """The named outputs of one run, as arrays."""
        words = []
        for i, (name, value) in enumerate(feed.items()):
            path = os.path.join(folder, f"input{i}.npy")  # a name may be anything, the output's too
            np.save(path, value)
            words += ["--input", f"{name}={path}"]
        path = os.path.join(folder, "output.npy" if len(outputs) == 1 else "output.npz")
        if os.path.exists(path):
            os.remove(path)
        self.call("run", package, *words, "--output", path, *options, isa=isa, timeout=timeout)
        if len(outputs) == 1:
            return [np.load(path)]
        with np.load(path) as got:
            return [got[name] for name in outputs]

    def isas(self):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            flags = next((line for line in file if line.startswith("flags")), "").split()
        return [isa for isa, flag in ISA_FLAGS.items() if flag in flags]


def expected_of(model, feed):
    """By ONNX Runtime; where it lacks the op, by the reference that comes with onnx."""
    import onnxruntime as ort
    ort.set_default_logger_severity(4)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return session.run(None, feed)
    except Exception as error:  # onnxruntime's exceptions have no common base
        from onnx.reference import ReferenceEvaluator
        try:
            return [np.asarray(y) for y in ReferenceEvaluator(model).run(None, feed)]
        except Exception:
            raise Skip(f"neither onnxruntime nor onnx.reference runs it: {str(error)[:120]}") from None


def split_atol(isa, expected, atol):
    """With AMX fp32 may be split products: 4.6e-6 of the deviation (docs/NUMERICS.md), here ten times that for the worst element."""
    expected = np.asarray(expected)
    floats = isa == "amx" and expected.dtype.kind == "f" and expected.size > 1
    return max(atol, 5e-5 * float(np.std(expected))) if floats and np.isfinite(expected).all() else atol


def compare(got, expected, rtol=1e-4, atol=1e-5):
    """A Failure unless equal: exactly for integers and booleans, within the tolerance for floats."""
    expected = np.asarray(expected)
    if got.shape != expected.shape:
        raise Failure(f"shape {list(got.shape)}, expected {list(expected.shape)}")
    if got.dtype != expected.dtype:
        raise Failure(f"dtype {got.dtype}, expected {expected.dtype}")
    if expected.dtype.kind == "f":
        wrong = ~np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)
    else:
        wrong = got != expected
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise Failure(f"{int(wrong.sum())} of {wrong.size} differ, the first at {list(at)}: got {got[at]}, expected {expected[at]}")


def modes_of(tool):
    """How a package is run: {name: (options of stent run, STENT_ISA)}."""
    return {"reference": (["--reference"], None), **{isa: ([], isa) for isa in tool.isas()}}


# Ops whose result's shape depends on the values of their inputs: these are made constants with `compile --bind`.
SHAPED_BY_VALUES = {"Range", "ConstantOfShape"}


def bound_inputs(model, feed):
    return {name: value for node in model.graph.node if node.op_type in SHAPED_BY_VALUES
            for name, value in feed.items() if name in node.input}


def check_model(tool, model, feed, modes, keep=None, rtol=1e-4, atol=1e-5):
    """{mode: None or what is wrong}, for one model on one input."""
    expected = expected_of(model, feed)
    outputs = [o.name for o in model.graph.output]
    results = {}
    with tool.folder() as folder:
        source, package = os.path.join(folder, "model.onnx"), os.path.join(folder, "model.stent")
        onnx.save(model, source)
        if keep:
            keep_files(keep, model, feed, outputs, expected)
        binds = []
        for name, value in bound_inputs(model, feed).items():
            np.save(os.path.join(folder, name + ".npy"), value)
            binds += ["--bind", f"{name}={os.path.join(folder, name)}.npy"]
        feed = {name: value for name, value in feed.items() if name not in bound_inputs(model, feed)}
        try:
            tool.call("compile", source, "-o", package, *binds, timeout=60)
        except Failure as failure:
            return dict.fromkeys(modes, str(failure).replace(folder + "/", ""))
        for mode, (options, isa) in modes.items():
            try:
                for got, want in zip(tool.run(package, feed, outputs, folder, *options, isa=isa), expected):
                    compare(got, want, rtol, split_atol(isa, want, atol))
                results[mode] = None
            except Failure as failure:
                results[mode] = str(failure).replace(folder + "/", "")
    return results


def keep_files(folder, model, feed, outputs, expected):
    """For repeating a failure by hand: the model, its inputs and the expected outputs."""
    os.makedirs(folder, exist_ok=True)
    onnx.save(model, os.path.join(folder, "model.onnx"))
    for name, value in list(feed.items()) + [("expected." + n, v) for n, v in zip(outputs, expected)]:
        np.save(os.path.join(folder, name + ".npy"), value)


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)
