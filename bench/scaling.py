#!/usr/bin/env python3
"""Time and GFLOP/s (of direct sums) of seed-torch against the side of the picture, its width, and threads.

    bench/scaling.py [--csv FILE] [--svg FILE] [--sides 64,...,1024] [--widths 16,...,128] [--threads 1,2]

Every case is measured once a round, for several rounds; what counts is the least time. Exit status 0; 1 where GFLOP/s at
the largest side are below --keep (default 1) times those at 256.
"""
import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile

import onnx

import nets
import plot

HERE = os.path.dirname(os.path.abspath(__file__))
SIDE, WIDTH = 256, 64


class Case:
    def __init__(self, kind, value, side, width, threads):
        self.kind, self.value, self.side, self.width, self.threads = kind, value, side, width, threads
        self.ms, self.flop = float("inf"), 0.0

    def row(self):
        return {"against": self.kind, "value": self.value, "side": self.side, "width": self.width,
                "threads": self.threads, "min_ms": round(self.ms, 4), "gflops": round(self.flop / self.ms * 1e-6, 1)}


def numbers(text):
    return [int(n) for n in text.split(",")]


def compiled(stent, widths, folder):
    """A package with free sides for each width: (path, FLOP at SIDE)."""
    packages = {}
    for width in widths:
        model, _, flop = nets.build("seed-torch", width=width, size=SIDE, dynamic=True)
        path, package = os.path.join(folder, f"{width}.onnx"), os.path.join(folder, f"{width}.stent")
        onnx.save(model, path)
        subprocess.run([stent, "compile", path, "-o", package], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        packages[width] = package, flop
    return packages


def measure(stent, case, packages):
    package, flop = packages[case.width]
    case.flop = flop * (case.side / SIDE) ** 2
    runs = max(3, min(200, int(100e9 / case.flop)))
    done = subprocess.run([stent, "bench", package, "--input", f"1x3x{case.side}x{case.side}", "--threads",
                           str(case.threads), "--repeat", str(runs), "--json"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"scaling: side {case.side}, width {case.width}: {done.stderr.strip()[-400:]}")
    case.ms = min(case.ms, json.loads(done.stdout)["min_ms"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", type=numbers, default=[64, 96, 128, 192, 256, 384, 512, 768, 1024])
    parser.add_argument("--widths", type=numbers, default=[16, 32, 64, 96, 128])
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=float, default=1.0)
    parser.add_argument("--stent", default=os.path.join(HERE, "..", "build", "stent"))
    parser.add_argument("--csv")
    parser.add_argument("--svg")
    args = parser.parse_args()
    most = max(args.threads)
    cases = [Case("side", side, side, WIDTH, threads) for threads in args.threads for side in args.sides]
    cases += [Case("width", width, SIDE, width, most) for width in args.widths]
    with tempfile.TemporaryDirectory() as folder:
        packages = compiled(args.stent, sorted({case.width for case in cases}), folder)
        for _ in range(args.rounds):
            for case in cases:
                measure(args.stent, case, packages)
    rows = [case.row() for case in cases]
    for row in rows:
        print("  {against:5} {value:5}  {threads} threads  {min_ms:9.2f} ms  {gflops:7.1f} GFLOP/s".format(**row))
    if args.csv:
        with open(args.csv, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    if args.svg:
        series = {f"{kind}, {threads} threads": [(row["value"], row["gflops"]) for row in rows
                                                 if (row["against"], row["threads"]) == (kind, threads)]
                  for kind in ("side", "width") for threads in args.threads}
        plot.write(args.svg, plot.lines({k: v for k, v in series.items() if v}, "side or width", "GFLOP/s, seed-torch"))
    at = {row["side"]: row["gflops"] for row in rows if row["against"] == "side" and row["threads"] == most}
    last = max(at)
    if SIDE in at and at[last] < args.keep * at[SIDE]:
        print(f"scaling: {at[last]} GFLOP/s at {last}x{last}, {at[SIDE]} at {SIDE}x{SIDE}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
