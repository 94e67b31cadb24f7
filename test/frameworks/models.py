"""Model files that frameworks write in Python environments of their own, and what becomes of such a file in stent.

Files lie under build/frameworks-models/KIND-HASH, the hash being that of the scripts and of the versions that wrote
them: a second `make check-frameworks` writes nothing. An environment that could not be made makes its tests skip.
"""
import concurrent.futures
import dataclasses
import glob
import hashlib
import json
import os
import shutil
import subprocess

import numpy as np

import tool

# Environments that tools/venv makes: the file with the packages. `make check-frameworks` makes the first two.
ENVIRONMENTS = {"tensorflow": "tensorflow.txt", "torch": "torch.txt", "torch-2.8": "torch-2.8.txt",
                "torch-2.5": "torch-2.5.txt"}
BUDGETS = {"strict": 1e-5, "fp32": 5e-5}  # rms of the difference / standard deviation of the expected, before the
                                          # last activation


# What the tests of a format found, by the test's name: {mode: largest error}; {}: refused with exit status 4.
FIGURES = {}


class Refused(Exception):
    """`stent compile` ended with exit status 4; the text is its message."""


def python_of(name):
    """The interpreter of an environment. Skip: it is not there, or of other packages."""
    folder = os.path.join(tool.ROOT, "build", "venv-" + name)
    wanted = os.path.join(tool.HERE, ENVIRONMENTS[name])
    stamp = os.path.join(folder, "requirements.installed")
    with open(wanted, "rb") as file:
        listed = file.read()
    if os.path.exists(stamp):
        with open(stamp, "rb") as file:
            if file.read() == listed:
                return os.path.join(folder, "bin", "python")
    raise tool.Skip(f"the Python environment with {name} could not be made "
                    f"(tools/venv test/frameworks/{ENVIRONMENTS[name]} build/venv-{name})")


@dataclasses.dataclass
class Source:
    """What writes one kind of files: `script FOLDER [extra...] --net NAME ...`, a folder with a manifest.json each."""
    kind: str
    environment: str
    script: str
    reads: tuple  # other files of this folder whose change makes the files old
    extra: tuple = ()  # arguments; also hashed

    def __post_init__(self):
        self.trouble = {}  # net: why it has no files

    def folder(self):
        digest = hashlib.sha256(repr(self.extra).encode())
        for name in (self.script, *self.reads, ENVIRONMENTS[self.environment]):
            with open(os.path.join(tool.HERE, name), "rb") as file:
                digest.update(file.read())
        return os.path.join(tool.ROOT, "build", "frameworks-models", f"{self.kind}-{digest.hexdigest()[:12]}")

    def write(self, nets, jobs):
        """Writes what is missing of `nets`, in `jobs` processes. Trouble is told by `manifest`, test by test."""
        folder = self.folder()
        missing = [net for net in nets if not os.path.exists(os.path.join(folder, net.replace("/", "--"), "manifest.json"))]
        if not missing:
            return
        try:
            python = python_of(self.environment)
        except tool.Skip:
            return
        for old in glob.glob(os.path.join(os.path.dirname(folder), self.kind + "-*")):
            if old != folder:
                shutil.rmtree(old)
        os.makedirs(folder, exist_ok=True)
        for part in glob.glob(os.path.join(folder, "*.part")):
            shutil.rmtree(part)
        shares = [missing[i::jobs] for i in range(jobs) if missing[i::jobs]]
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            list(pool.map(lambda share: self.write_share(python, folder, share), shares))

    def write_share(self, python, folder, nets):
        words = [python, os.path.join(tool.HERE, self.script), folder, *self.extra]
        for net in nets:
            words += ["--net", net]
        env = dict(os.environ, OMP_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1")
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", env=env)
        if done.returncode:
            last = "; ".join(done.stderr.strip().splitlines()[-3:])
            for net in nets:
                self.trouble.setdefault(net, f"{self.script}: status {done.returncode}: {last[-600:]}")

    def manifest(self, net):
        """(folder, manifest) of a network. Skip: no environment. Failure: it was not written."""
        folder = os.path.join(self.folder(), net.replace("/", "--"))
        path = os.path.join(folder, "manifest.json")
        if not os.path.exists(path):
            python_of(self.environment)
            raise tool.Failure(self.trouble.get(net, f"{self.script} wrote nothing"))
        return folder, tool.read_json(path)


def case_of(source, net, form):
    """(folder, case). Skip: the framework can't write this."""
    folder, manifest = source.manifest(net)
    if form in manifest["refused"]:
        raise tool.Skip(f"can't be written: {manifest['refused'][form]}")
    return folder, next(case for case in manifest["cases"] if case["format"] == form)


def arrays(folder, names):
    return [np.load(os.path.join(folder, name)) for name in names]


def error_of(got, expected):
    """rms of the difference / standard deviation of the expected."""
    if got.shape != expected.shape:
        raise tool.Failure(f"shape {list(got.shape)}, expected {list(expected.shape)}")
    if got.dtype != expected.dtype:
        raise tool.Failure(f"dtype {got.dtype}, expected {expected.dtype}")
    deviation = float(expected.astype(np.float64).std())
    if not np.isfinite(expected).all() or deviation == 0:
        raise tool.Failure("the test itself: what is expected is not finite, or the same everywhere")
    return float(np.sqrt(np.mean((got.astype(np.float64) - expected) ** 2))) / deviation


def fits(shape, array):
    return len(shape) == array.ndim and all(d is None or not isinstance(d, int) or d < 0 or d == n
                                            for d, n in zip(shape, array.shape))


def named(ports, values):
    """{name: array}: the ports of `stent info --json`, each with the first array left whose shape goes with it."""
    left, result = list(values), {}
    if len(ports) != len(left):
        raise tool.Failure(f"{len(ports)} inputs or outputs ({', '.join(p['name'] for p in ports)}), expected {len(left)}")
    for port in ports:
        index = next((i for i, value in enumerate(left) if fits(port["shape"], value)), None)
        if index is None:
            raise tool.Failure(f"{port['name']}: shape {port['shape']}, expected {[list(v.shape) for v in left]}")
        result[port["name"]] = left.pop(index)
    return result


def ways(isas):
    """How a package is run: {mode: (options, STENT_ISA, budget)}."""
    result = {"strict": (["--precision", "strict"], None, BUDGETS["strict"]), "fp32": ([], None, BUDGETS["fp32"])}
    return {**result, **{isa: ([], isa, BUDGETS["fp32"]) for isa in isas}}


def compile_file(context, path, package, options=()):
    status, _, said = context.tool.answer("compile", path, "-o", package, *options, timeout=120)
    said = said.replace(path, os.path.basename(path))
    if status == 4:
        raise Refused(said)
    if status:
        raise tool.Failure(f"stent compile: status {status}: {said[:400] or 'no message'}")


def check_file(context, path, inputs, outputs, isas=(), rounded=None, options=(), test=None):
    """{mode: None or what is wrong} of a model file on given arrays. rounded: ([arrays], bound) that fp32 is near to.
    test: the name that FIGURES has for it."""
    results = {}
    with context.tool.folder() as folder:
        package = os.path.join(folder, "model.stent")
        compile_file(context, path, package, options)
        if context.keep:
            keep(context.keep, path, package, inputs, outputs)
        info = json.loads(context.tool.call("info", path, "--json", *options))  # of the package it would be with dims bound
        feed, expected = named(info["inputs"], inputs), named(info["outputs"], outputs)
        for mode, (words, isa, budget) in ways(isas).items():
            try:
                values = context.tool.run(package, feed, list(expected), folder, *words, isa=isa, timeout=120)
                got = dict(zip(expected, values))
                errors = errors_of(got, expected)
                results[mode] = over_budget(errors, budget)
                if test:
                    FIGURES.setdefault(test, {})[mode] = max(errors.values())
            except tool.Failure as failure:
                results[mode] = str(failure).replace(folder + "/", "")
                continue
            if rounded and mode == "fp32":
                results["rounded"] = over_budget(errors_of(got, named(info["outputs"], rounded[0])), rounded[1])
    return results


def errors_of(got, expected):
    return {name: error_of(got[name], value) for name, value in expected.items()}


def over_budget(errors, budget):
    wrong = [f"{name}: rms / std {error:.2g}, at most {budget:g}" for name, error in errors.items() if not error <= budget]
    return "; ".join(wrong) or None


def keep(folder, path, package, inputs, outputs):
    """For repeating a failure by hand."""
    os.makedirs(folder, exist_ok=True)
    (shutil.copytree if os.path.isdir(path) else shutil.copy)(path, os.path.join(folder, os.path.basename(path)))
    shutil.copy(package, folder)
    for name, values in (("x", inputs), ("y", outputs)):
        for i, value in enumerate(values):
            np.save(os.path.join(folder, f"{name}{i}.npy"), value)


def prefixed(tests, prefix):
    """The second word of the names PREFIX/NET/... of the tests that will run, each once."""
    return list(dict.fromkeys(test.name.split("/")[1] for test in tests if test.name.startswith(prefix + "/")))
