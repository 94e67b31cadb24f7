"""The networks of zoo.txt, in each format that torch writes, at an even and an odd size, against float64 in torch.

Without --long a sample; `make check-zoo` runs all. What became of each cell is kept in build/zoo-tests/results, and
with --write-docs docs/FORMATS.md gets the table of them. Files of networks are written when their turn comes, and in a
long run taken away when they have passed: they are 35 gigabytes.
"""
import hashlib
import json
import os
import subprocess

import models
import tool
import zoo_nets
import zoo_report
from run import Test

# What is run in each change's tests: {network: formats}, at the odd size.
SAMPLE = {
    "smp-unet-mobilenet_v2": ("pt2", "torchscript", "onnx-17"),
    "smp-segformer-efficientnet-b0": ("pt2", "onnx-13"),
    "monai-swinunetr-2d": ("torchscript", "onnx-23"),
    "monai-segresnet-3d": ("pt2", "onnx-17"),
    "torchvision-lraspp_mobilenet_v3_large": ("pt2",),
    "study-unet": ("pt2", "onnx-23"),
}
PRECISIONS = ("strict", "fp32")
WROTE = ("zoo_nets.py", "zoo.txt", "write_zoo.py", "torch_modules.py", models.ENVIRONMENTS["torch"])
ROOT = os.path.join(tool.ROOT, "build", "zoo-tests")


def files_folder():
    """Where files lie that the scripts as they are now wrote."""
    digest = hashlib.sha256()
    for name in WROTE:
        with open(os.path.join(tool.HERE, name), "rb") as file:
            digest.update(file.read())
    return os.path.join(ROOT, "files-" + digest.hexdigest()[:12])


def cell_path(net, size, form, kind=".json"):
    return os.path.join(files_folder(), net, f"{size}.{form}{kind}")


def write(net, formats, sizes):
    """Writes what is missing of a network's files."""
    missing = [form for form in formats if not all(os.path.exists(cell_path(net, size, form)) for size in sizes)]
    if not missing:
        return
    words = [models.python_of("torch"), os.path.join(tool.HERE, "write_zoo.py"), files_folder(), "--net", net]
    words += [word for form in missing for word in ("--format", form)] + [word for size in sizes for word in ("--size", size)]
    done = subprocess.run(words, capture_output=True, text=True, errors="replace",
                          env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))
    if done.returncode:
        last = "; ".join(done.stderr.strip().splitlines()[-3:])
        raise tool.Failure(f"write_zoo.py: status {done.returncode}: {last[-600:]}")


# ---- a cell: a network's file of one size

def run_cell(context, folder, case, options, result):
    """Fills in errors: {precision: rms / standard deviation}."""
    with context.tool.folder() as scratch:
        package = os.path.join(scratch, "model.stent")
        models.compile_file(context, os.path.join(folder, case["file"]), package, options)
        info = json.loads(context.tool.call("info", package, "--json"))
        feed = models.named(info["inputs"], models.arrays(folder, case["inputs"]))
        expected = models.named(info["outputs"], models.arrays(folder, case["outputs"]))
        for precision in PRECISIONS:
            values = context.tool.run(package, feed, list(expected), scratch, "--precision", precision, timeout=300)
            result["errors"][precision] = max(models.error_of(got, want) for got, want in zip(values, expected.values()))


def check_cell(context, net, size, form):
    """{"state": passed, unsupported, unwritten or failed; "text": None or why; "errors"}."""
    folder = os.path.join(files_folder(), net)
    of_size = tool.read_json(os.path.join(folder, size + ".json"))
    result = {"state": "failed", "text": None, "errors": {}, "torch_error": of_size["torch_error"]}
    case = tool.read_json(cell_path(net, size, form))
    if "refused" in case:
        return {**result, "state": "unwritten", "text": case["refused"]}
    # TorchScript does not always tell the sizes that were traced.
    options = ["--input", "x".join(map(str, zoo_nets.NETS[net].shape(size)))] if form == "torchscript" else []
    try:
        run_cell(context, folder, case, options, result)
    except models.Refused as refused:
        return {**result, "state": "unsupported", "text": str(refused)}
    except tool.Failure as failure:
        return {**result, "text": str(failure)}
    over = [f"{name}: rms / std {error:.2g}, at most {models.BUDGETS[name]:g}"
            for name, error in result["errors"].items() if not error <= models.BUDGETS[name]]
    return {**result, "state": "failed" if over else "passed", "text": "; ".join(over) or None}


def remove(net, form, sizes):
    for size in sizes:
        for kind in (".json", zoo_nets.FORMATS[form]):
            if os.path.exists(cell_path(net, size, form, kind)):
                os.remove(cell_path(net, size, form, kind))


def results_path(net, form):
    return os.path.join(ROOT, "results", f"{net}.{form}.json")


def keep_results(net, form, cells):
    path = results_path(net, form)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    kept = tool.read_json(path) if os.path.exists(path) else {}
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**kept, **cells}, file, indent=1)


def check(context, net, form, sizes, formats):
    """All sizes of a network in one format. `formats`: what is written of the network in one go."""
    write(net, formats, sizes)
    cells = {size: check_cell(context, net, size, form) for size in sizes}
    keep_results(net, form, cells)
    states = {cell["state"] for cell in cells.values()}
    if context.long and not context.keep and states <= {"passed", "unwritten"}:
        remove(net, form, sizes)
    if states == {"unwritten"}:
        raise tool.Skip(f"torch does not write it: {cells[sizes[0]]['text'][:200]}")
    return {size: None if cell["state"] in ("passed", "unwritten") else cell["text"] for size, cell in cells.items()}


def wanted(context):
    """{network: formats}, and the sizes."""
    if context.long:
        return dict.fromkeys(zoo_nets.NETS, tuple(zoo_nets.FORMATS)), zoo_nets.SIZES
    return SAMPLE, ("odd",)


def tests(context):
    nets, sizes = wanted(context)
    return [Test(f"zoo/{net}/{form}", f"zoo, {form}", lambda n=net, f=form: check(context, n, f, sizes, WRITTEN.get(n, (f,))),
                 alone=True) for net, formats in nets.items() for form in formats]


WRITTEN = {}  # {network: formats} that will run


def prepare(context, tests):
    for test in tests:
        if test.name.startswith("zoo/"):
            _, net, form = test.name.split("/")
            WRITTEN.setdefault(net, []).append(form)
    if not context.long:
        for net, formats in WRITTEN.items():
            try:
                write(net, formats, ("odd",))
            except (tool.Skip, tool.Failure):
                pass  # the tests themselves say so


def closing_tests(context, results):
    """The table in docs/FORMATS.md, of what is kept of all cells; those that were never run here stay as they are."""
    def table():
        paths = {(net, form): results_path(net, form) for net in zoo_nets.NETS for form in zoo_nets.FORMATS}
        kept = {cell: tool.read_json(path) for cell, path in paths.items() if os.path.exists(path)}
        text = zoo_report.text_of(kept, zoo_report.PART.split()[1])
        if context.write_docs:
            zoo_report.PART.write(text)
        zoo_report.PART.check(text, zoo_report.row_only)
    ran = context.long and any(test.name.startswith("zoo/") for test, _ in results)
    return [Test("docs/zoo", "documentation", table)] if ran else []
