#!/usr/bin/env python3
"""What `stent compile` of a model file takes: seconds beyond reading the file from a warm cache, and its largest memory
against the bytes of the weights.

    bench/imports.py MODEL... [--repeat 3] [--program build/stent] [-- OPTIONS OF COMPILE]

A line a model: MB of the file (or of all files of a folder), the least seconds of `repeat` compiles, the least seconds of
reading it, their difference, the largest resident memory of any compile in MB and as a multiple of the file. The goal for
a model of 120 MB is a difference below 3 s and less than three times the weights. Exit status 1 where one is missed.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def files_of(path):
    if os.path.isfile(path):
        return [path]
    return [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]


def read_seconds(files):
    start = time.monotonic()
    for name in files:
        with open(name, "rb") as file:
            while file.read(1 << 20):
                pass
    return time.monotonic() - start


def compile_once(program, model, options, folder):
    """Seconds and the child's own peak of resident memory in bytes."""
    start = time.monotonic()
    child = subprocess.Popen([program, "compile", model, "-o", os.path.join(folder, "net.stent"), "-q", *options],
                             stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{model}: compile ended with status {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - start, usage.ru_maxrss * 1024


def measure(args, model, options):
    files = files_of(model)
    size = sum(map(os.path.getsize, files))
    reading = min(read_seconds(files) for _ in range(args.repeat + 1))
    with tempfile.TemporaryDirectory() as folder:
        runs = [compile_once(args.program, model, options, folder) for _ in range(args.repeat)]
    seconds, peak = min(run[0] for run in runs), max(run[1] for run in runs)
    print(f"{model}: {size / 1e6:.1f} MB, compile {seconds:.2f} s, read {reading:.2f} s, more {seconds - reading:.2f} s, "
          f"peak {peak / 1e6:.0f} MB, {peak / size:.2f} times the file", flush=True)
    return seconds - reading < 3 and peak < 3 * size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--program", default=os.path.join(HERE, "..", "build", "stent"))
    own, options = sys.argv[1:], []
    if "--" in own:
        own, options = own[:own.index("--")], own[own.index("--") + 1:]
    args = parser.parse_args(own)
    return 0 if all([measure(args, model, options) for model in args.models]) else 1


if __name__ == "__main__":
    sys.exit(main())
