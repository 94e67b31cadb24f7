#!/usr/bin/env python3
"""Records landscapes: every configuration of the whole space of tuning of eight layers, on two instruction sets.

    bench/landscapes.py [--isa avx512,avx2] [--threads 2] [--layer NAME...] [--again] [-o test/tune/landscapes]

Writes LAYER.ISA.txt (the format: test/tune/landscape.h). Tuners are developed on four layers; the other four are held out:
nothing in the search may be changed by looking at them. Each configuration is measured between two measurements of the
plan's way, and again where those disagree; the best are measured five times. Takes half an hour on an idle machine. --again:
the times that are there stay, and what seems to be among the best is measured again (two minutes).

`build/stent-replays FILES` replays the tuners on them.
"""
import argparse
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
DEVELOPING = {
    "unet-first": "conv 1 64 64 1 256 256 1 3 3 1 1 1 1",       # with its pool
    "unet-middle": "conv 1 256 256 1 64 64 1 3 3 1 1 1 0",
    "resnet-1x1": "conv 1 256 64 1 64 64 1 1 1 1 1 1 0",
    "unet-up": "transpose 1 256 128 1 32 32 1 2 2 2 1 1 0",
}
HELD_OUT = {
    "unet-second": "conv 1 128 128 1 128 128 1 3 3 1 1 1 0",
    "unet-deep": "conv 1 512 512 1 16 16 1 3 3 1 1 1 0",
    "strided": "conv 1 128 128 1 56 56 1 3 3 2 1 1 0",
    "volume": "conv 1 32 32 24 32 32 3 3 3 1 1 1 0",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    layers = DEVELOPING | HELD_OUT
    parser.add_argument("--isa", default="avx512,avx2")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--layer", nargs="+", default=list(layers), choices=list(layers))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("-o", "--output", default=os.path.join(HERE, "..", "test", "tune", "landscapes"))
    args = parser.parse_args()
    program = os.path.join(HERE, "..", "build", "stent-shapes")
    os.makedirs(args.output, exist_ok=True)
    for name in args.layer:
        for isa in args.isa.split(","):
            path = os.path.join(args.output, f"{name}.{isa}.txt")
            done = subprocess.run([program, "--space", str(args.threads)] + [path] * args.again,
                                  input=layers[name] + "\n", text=True, env=dict(os.environ, STENT_ISA=isa),
                                  capture_output=True, check=False)
            if done.returncode:
                sys.exit(f"{name}, {isa}: {done.stderr.strip()}")
            with open(path, "w", encoding="utf-8") as file:
                file.write(done.stdout)
            print(f"{name}, {isa}: {done.stdout.count(chr(10)) - 3} configurations", flush=True)


if __name__ == "__main__":
    sys.exit(main())
