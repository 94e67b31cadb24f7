#!/usr/bin/env python3
"""How much longer `stent segment` of one slice takes than the runs that it reports (start, opening, preparing
weights, reading, writing), from a warm page cache.

    bench/start.py MODEL.onnx SLICE.tif [--pipeline FILE.json] [--limit 0.2]

Prints the median over --repeat calls. Exit status: 0; 1 above --limit seconds.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def reported_ms(path):
    """The sum of `ms` in results.json (one JSON object a line)."""
    with open(path, encoding="utf-8") as file:
        return sum(json.loads(line).get("ms") or 0 for line in file if line.strip())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("slice")
    parser.add_argument("--pipeline")
    parser.add_argument("--limit", type=float, default=0.2, help="seconds beyond the reported runs (default 0.2)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--stent", default=os.path.join(HERE, "..", "build", "stent"))
    args = parser.parse_args()
    beyond = []
    with tempfile.TemporaryDirectory() as folder:
        package = os.path.join(folder, "net.stent")
        subprocess.run([args.stent, "compile", args.model, "-o", package]
                       + (["--pipeline", args.pipeline] if args.pipeline else []), check=True, stdout=subprocess.DEVNULL)
        for i in range(args.repeat + 1):
            out = os.path.join(folder, str(i))
            start = time.perf_counter()
            subprocess.run([args.stent, "segment", package, args.slice, "-o", out, "-q", "--threads", str(args.threads)],
                           check=True, stdout=subprocess.DEVNULL)
            seconds = time.perf_counter() - start
            if i:  # the first call warms the page cache and runs the package's self-check
                beyond.append(seconds - reported_ms(os.path.join(out, "results.json")) / 1e3)
    median = statistics.median(beyond)
    print(f"{os.path.basename(args.model)}: {median * 1e3:.0f} ms beyond the reported runs "
          f"({min(beyond) * 1e3:.0f} .. {max(beyond) * 1e3:.0f}), limit {args.limit * 1e3:.0f} ms")
    return int(median > args.limit)


if __name__ == "__main__":
    sys.exit(main())
