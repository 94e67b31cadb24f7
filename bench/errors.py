#!/usr/bin/env python3
"""Errors of whole networks: rms of the difference to a float64 run / its standard deviation, before the last activation.

    bench/errors.py                                   both networks of the study with weights of 10 seeds
    bench/errors.py --seeds 1-3 --net seed-torch      fewer
    bench/errors.py --lgg ../shared --slices 24       the trained network of the study over slices of patients (their
                                                      folders in lgg/, the networks in models/lgg/), and all its masks
                                                      against those that lie beside it

Each with every instruction set of this machine, in fp32 and strict; on 1, 2 and 3 threads the bits must be equal. Needs
Pillow for --lgg. Exit status: 0; 1 where an error is above its limit, bits differ, or more than one mask pixel in 100,000
does.
"""
import argparse
import csv
import glob
import hashlib
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx

import float64
import nets

HERE = os.path.dirname(os.path.abspath(__file__))
LIMITS = {"fp32": 4e-5, "strict": 5e-6}
TRAINED = "seed-torch-w32"
PIXELS_A_CHANGE = 100_000


def call(*command, isa=None):
    env = dict(os.environ, STENT_ISA=isa) if isa else None
    done = subprocess.run([str(c) for c in command], env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"errors: {' '.join(map(str, command))}: status {done.returncode}: {done.stderr[-400:].strip()}")
    return done.stdout


def isas_of(stent):
    """The levels that `stent run` takes here."""
    known = json.loads(call(stent, "machine", "--json"))
    return [name for name, there in known["isas"].items() if there]


class Measured:
    def __init__(self):
        self.rows, self.bad = [], []

    def add(self, what, isa, precision, error):
        self.rows.append({"what": what, "isa": isa, "precision": precision, "error": error})
        if not error <= LIMITS[precision]:
            self.bad.append(f"{what}, {isa}, {precision}: {error:.2e}, at most {LIMITS[precision]:.0e}")

    def tell(self, what):
        """The worst of each kind, as a line an instruction set."""
        for isa in dict.fromkeys(row["isa"] for row in self.rows):
            cells = []
            for precision in LIMITS:
                errors = [r["error"] for r in self.rows
                          if r["what"].startswith(what) and r["isa"] == isa and r["precision"] == precision]
                cells += [f"{precision} {max(errors):.2e} ({len(errors)})"] if errors else []
            if cells:
                print(f"  {what} {isa:7} worst: " + "   ".join(cells), flush=True)


def measure(args, measured, what, package, x, expected, folder):
    """One package and input with each instruction set and precision."""
    given, got = os.path.join(folder, "x.npy"), os.path.join(folder, "y.npy")
    np.save(given, x)
    for isa in args.isa:
        for precision in LIMITS:
            bits = set()
            for threads in (1, 2, 3):
                call(args.stent, "run", package, "--input", given, "--output", got, "--precision", precision,
                     "--threads", threads, isa=isa)
                y = np.load(got)
                bits.add(hashlib.sha256(y.tobytes()).hexdigest())
            if len(bits) > 1:
                measured.bad.append(f"{what}, {isa}, {precision}: other bits on other numbers of threads")
            measured.add(what, isa, precision, float64.relative_rms(y, expected))


def seeds(args, measured):
    for name in args.net:
        for seed in args.seeds:
            model = nets.build(name, size=args.size, seed=seed, logits=True)[0]
            with tempfile.TemporaryDirectory() as folder:
                path, package = os.path.join(folder, "net.onnx"), os.path.join(folder, "net.stent")
                onnx.save(model, path)
                call(args.stent, "compile", path, "-o", package)
                x = float64.sample(model, seed)
                expected = next(iter(float64.run(model, {model.graph.input[0].name: x}).values()))
                measure(args, measured, f"{name} seed {seed}", package, x, expected, folder)
            measured.tell(f"{name} seed {seed}")
        measured.tell(f"{name} ")


def slices_of(folder):
    paths = glob.glob(os.path.join(folder, "lgg", "*", "*.tif"))
    return sorted(path for path in paths if not path.endswith("_mask.tif"))


def lgg_errors(args, measured, package, model, folder):
    from PIL import Image

    paths = slices_of(args.lgg)
    name = model.graph.input[0].name
    for path in paths[:: max(1, len(paths) // args.slices)]:
        with Image.open(path) as image:
            x = (np.asarray(image).astype(np.float32) * np.float32(1 / 255)).transpose(2, 0, 1)[None].copy()
        expected = next(iter(float64.run(model, {name: x}).values()))
        measure(args, measured, f"{TRAINED} {os.path.basename(path)}", package, x, expected, folder)
    measured.tell(TRAINED)


def lgg_masks(args, measured, package, models, folder):
    from PIL import Image

    with np.load(os.path.join(models, TRAINED + ".masks.npz")) as packed:
        for isa in args.isa:
            out = os.path.join(folder, "masks-" + isa)
            call(args.stent, "segment", package, os.path.join(args.lgg, "lgg"), "-o", out, "-q", isa=isa)
            changed = pixels = 0
            for path in glob.glob(os.path.join(out, "**", "*.png"), recursive=True):
                with Image.open(path) as image:
                    mask = np.asarray(image) != 0
                stem = os.path.splitext(os.path.basename(path))[0]
                other = np.unpackbits(packed[stem])[: mask.size].reshape(mask.shape).astype(bool)
                changed, pixels = changed + int((mask != other).sum()), pixels + mask.size
            print(f"  {TRAINED} {isa:7} masks: {changed} of {pixels} pixels differ from ONNX Runtime's", flush=True)
            if not pixels or changed * PIXELS_A_CHANGE > pixels:
                measured.bad.append(f"{TRAINED}, {isa}: {changed} of {pixels} mask pixels differ")


def lgg(args, measured):
    models = os.path.join(args.lgg, "models", "lgg")
    path = os.path.join(models, TRAINED + ".onnx")
    model = float64.without_last_activation(onnx.load(path))
    with tempfile.TemporaryDirectory() as folder:
        package = os.path.join(folder, "net.stent")
        call(args.stent, "compile", path, "-o", package, "--pipeline",
             os.path.join(models, TRAINED + ".pipeline.json"))
        lgg_errors(args, measured, package, model, folder)
        lgg_masks(args, measured, package, models, folder)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", action="append", choices=nets.NETS)
    parser.add_argument("--seeds", default="1-10", help="FIRST-LAST (default 1-10)")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--lgg", metavar="FOLDER", help="the trained network instead of seeds")
    parser.add_argument("--slices", type=int, default=24, help="of --lgg, evenly spread (default 24)")
    parser.add_argument("--isa", help="comma-separated; default: all of this machine")
    parser.add_argument("--stent", default=os.path.join(HERE, "..", "build", "stent"))
    parser.add_argument("--csv", help="one line an error")
    args = parser.parse_args()
    first, _, last = args.seeds.partition("-")
    args.seeds = range(int(first), int(last or first) + 1)
    args.net = args.net or nets.NETS
    args.isa = args.isa.split(",") if args.isa else isas_of(args.stent)
    return args


def main():
    args, measured = parse_args(), Measured()
    (lgg if args.lgg else seeds)(args, measured)
    if args.csv:
        with open(args.csv, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["what", "isa", "precision", "error"])
            writer.writeheader()
            writer.writerows(measured.rows)
    for line in measured.bad:
        print("errors: " + line)
    return int(bool(measured.bad))


if __name__ == "__main__":
    sys.exit(main())
