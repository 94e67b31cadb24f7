"""The training examples of examples/lgg, in a short form: the loss falls, the same seed gives the same bits, a run that
was interrupted ends as one that was not, and stent compiles every file that comes out of it and makes the same masks.

Pictures are made here, of another size than the networks see, so that the pipeline resizes to and fro; one run each is on
the real slices of the test data, where they are there.
"""
import os
import subprocess

import numpy as np
from PIL import Image

import models
import tool
from run import Test

FOLDER = os.path.join(tool.ROOT, "examples", "lgg")
FORMATS = {"torch": (".state_dict.pth", ".pt2", ".torchscript.pt", ".onnx"),
           "keras": (".keras", ".h5", ".savedmodel", ".tflite")}
ENVIRONMENT = {"torch": "torch", "keras": "tensorflow"}
WIDTH, SIZE, STEPS = 4, 64, 120
SHORT = ("--width", WIDTH, "--size", SIZE, "--steps", STEPS, "--rate", 0.01, "--batch", 4, "--seed", 3, "--threads", 1)
PIXELS_A_CHANGE = 10_000  # at most one mask pixel in so many may differ


# ---- pictures

def picture(rng, ill):
    """(picture, mask) of 80 x 96: a head in noise, and in some a round thing that is bright in the second channel."""
    y, x = np.mgrid[:80, :96]
    head = (((y - 40) / 34) ** 2 + ((x - 48) / 40) ** 2 < 1).astype(float)
    image = head[..., None] * rng.uniform(60, 110, 3) + rng.normal(0, 6, (80, 96, 3))
    cy, cx, r = rng.uniform(28, 52), rng.uniform(32, 64), rng.uniform(8, 14)
    mask = ((y - cy) ** 2 + (x - cx) ** 2 < r * r) & ill
    image[mask] += (10, 110, 40)
    return np.clip(image, 0, 255).astype(np.uint8), np.where(mask, 255, 0).astype(np.uint8)


def write_pictures(folder):
    rng = np.random.default_rng(7)
    for patient in "ABCDEFG":
        os.makedirs(os.path.join(folder, patient))
        for number in range(1, 12, 2):
            path = os.path.join(folder, patient, f"{patient}_{number}")
            for array, ending in zip(picture(rng, number > 4), (".tif", "_mask.tif")):
                Image.fromarray(array).save(path + ending)


# ---- runs of the scripts

class Runs:
    """Each kind of run is made once, when a test first wants it."""

    def __init__(self, context):
        self.context, self.done, self.data = context, {}, os.path.join(context.tool.scratch, "training-pictures")

    def call(self, framework, *words):
        """(status, stderr) of a script."""
        if not os.path.isdir(self.data):
            write_pictures(self.data)
        done = subprocess.run([models.python_of(ENVIRONMENT[framework]), os.path.join(FOLDER, f"train_{framework}.py"),
                               *map(str, words)], env=dict(self.context.tool.env, PYTHONDONTWRITEBYTECODE="1"),
                              capture_output=True, text=True, errors="replace", timeout=300)
        return done.returncode, done.stderr

    def train(self, framework, *words):
        status, said = self.call(framework, *words)
        if status:
            raise tool.Failure(f"train_{framework}.py: status {status}: {'; '.join(said.strip().splitlines()[-3:])[:400]}")

    def folder(self, framework, kind):
        """Where a run of this kind left its files. Skip: it can't be made here."""
        models.python_of(ENVIRONMENT[framework])
        if kind == "real" and not os.path.isdir(os.path.join(self.context.testdata, "lgg")):
            raise tool.Skip(f"no test data at {self.context.testdata} (STENT_TESTDATA)")
        folder = os.path.join(self.context.tool.scratch, f"training-{framework}-{kind}")
        if (framework, kind) not in self.done:
            self.done[framework, kind] = True
            getattr(self, kind)(framework, folder)
        if not os.path.exists(os.path.join(folder, "training.json")):
            raise tool.Failure(f"the run \"{kind}\" failed, see its own test")
        return folder

    def result(self, framework, kind):
        return tool.read_json(os.path.join(self.folder(framework, kind), "training.json"))

    def plain(self, framework, folder):
        self.train(framework, "--data", self.data, "-o", folder, *SHORT, "--masks")

    def again(self, framework, folder):
        self.train(framework, "--data", self.data, "-o", folder, *SHORT)

    def interrupted(self, framework, folder):
        words = ("--data", self.data, "-o", folder, *SHORT)
        self.train(framework, *words, "--stop-at", STEPS // 2)
        if os.path.exists(os.path.join(folder, "training.json")):
            raise tool.Failure("--stop-at did not stop")
        self.train(framework, *words, "--resume")

    def real(self, framework, folder):
        self.train(framework, "--data", os.path.join(self.context.testdata, "lgg"), "-o", folder, *SHORT, "--masks")


# ---- tests

def check_loss(runs, framework, kind, part):
    """It falls to this part of what it was at first."""
    result = runs.result(framework, kind)
    if len(result["losses"]) != STEPS or not result["loss_last"] <= part * result["loss_first"]:
        raise tool.Failure(f"loss {result['loss_first']:.3f} -> {result['loss_last']:.3f} in {len(result['losses'])} steps,"
                           f" expected at most {part} of it in {STEPS}")


def check_same(runs, framework, kind):
    """The same losses and weights as the plain run, bit by bit."""
    expected, got = runs.result(framework, "plain"), runs.result(framework, kind)
    for number, (a, b) in enumerate(zip(expected["losses"], got["losses"]), 1):
        if a != b:
            raise tool.Failure(f"step {number}: loss {b!r}, expected {a!r}")
    if expected["weights_sha256"] != got["weights_sha256"]:
        raise tool.Failure("the same losses, but other weights")


def masks_in(folder):
    found = {}
    for inside, _, files in os.walk(folder):
        for file in files:
            if file.endswith(".png"):
                with Image.open(os.path.join(inside, file)) as image:
                    found[os.path.relpath(os.path.join(inside, file), folder)] = np.asarray(image)
    return found


def check_masks(runs, framework, kind, ending, data):
    """stent's masks of the test patients are the script's."""
    folder = runs.folder(framework, kind)
    stem = os.path.join(folder, f"lgg-{framework}-w{WIDTH}")
    expected = masks_in(os.path.join(folder, "masks"))
    filled = np.mean([mask != 0 for mask in expected.values()])
    if kind == "real" and filled < 1e-4:
        raise tool.Skip("so short a training finds no tumour in real slices")
    if not 1e-4 < filled < 0.5:
        raise tool.Failure(f"the test itself: {100 * filled:.2f} % of the pixels of {len(expected)} masks are set")
    with runs.context.tool.folder() as scratch:
        package, out = os.path.join(scratch, "net.stent"), os.path.join(scratch, "masks")
        runs.context.tool.call("compile", stem + ending, "-o", package, "--pipeline", stem + ".pipeline.json",
                               *(("--input", f"1x3x{SIZE}x{SIZE}") if ending.endswith(".pth") else ()))
        for patient in sorted({name.split("/")[0] for name in expected}):
            runs.context.tool.call("segment", package, os.path.join(data, patient), "-o", os.path.join(out, patient), "-q")
        got = masks_in(out)
    if sorted(got) != sorted(expected):
        raise tool.Failure(f"{len(got)} masks, expected {len(expected)}, or other names: {sorted(got)[:2]}")
    changed = sum(int((got[name] != mask).sum()) for name, mask in expected.items())
    pixels = sum(mask.size for mask in expected.values())
    if changed * PIXELS_A_CHANGE > pixels:
        raise tool.Failure(f"{changed} of {pixels} mask pixels differ")


def check_split(runs, framework):
    """Every patient once, in the three parts; the file is read back as it stands."""
    split = os.path.join(runs.folder(framework, "plain"), "split.txt")
    with open(split, encoding="utf-8") as file:
        lines = [line.split("\t") for line in file.read().splitlines()]
    parts = sorted(part for _, part in lines)
    if [patient for patient, _ in lines] != list("ABCDEFG") or parts != ["test"] + ["train"] * 5 + ["validation"]:
        raise tool.Failure(f"{split}: {lines}")


def check_refused(runs, framework):
    """Bad data and a checkpoint of another run: status 3 and a line that names it."""
    folder = runs.folder(framework, "plain")
    with runs.context.tool.folder() as scratch:
        lonely, split = os.path.join(scratch, "lonely"), os.path.join(scratch, "split.txt")
        os.makedirs(os.path.join(lonely, "A"))
        Image.new("RGB", (64, 64)).save(os.path.join(lonely, "A", "A_1.tif"))
        with open(split, "w", encoding="utf-8") as file:
            file.write("A\ttrain\nB\ttrial\n")
        for words, said in ((("--data", lonely), "A_1.tif"), (("--data", runs.data, "--split", split), "split.txt, line 2"),
                            (("--data", runs.data, *SHORT, "--seed", 4, "--resume"), "seed 3, not 4")):
            where = folder if "--resume" in words else os.path.join(scratch, "out")
            status, text = runs.call(framework, *words, "-o", where)
            if status != 3 or said not in text:
                raise tool.Failure(f"{said}: status {status}, {text.strip()[-300:]}")


def tests(context):
    runs = Runs(context)

    def test(name, function, *words):
        return Test("training/" + name, "training", lambda: function(runs, *words), alone=True)
    result = []
    for framework, endings in FORMATS.items():
        real = os.path.join(context.testdata, "lgg")
        result += [test(f"{framework}/loss", check_loss, framework, "plain", 0.8),
                   test(f"{framework}/same-seed", check_same, framework, "again"),
                   test(f"{framework}/resume", check_same, framework, "interrupted"),
                   test(f"{framework}/split", check_split, framework),
                   test(f"{framework}/refused", check_refused, framework)]
        result += [test(f"{framework}/{ending[1:]}", check_masks, framework, "plain", ending, runs.data)
                   for ending in endings]
        result += [test(f"{framework}/lgg-loss", check_loss, framework, "real", 0.95),
                   test(f"{framework}/lgg-masks", check_masks, framework, "real", endings[-1], real)]
    return result
