#!/usr/bin/env python3
"""Compares what solvers estimate with what they take: 300 convolutions of segmentation networks, every way to compute each.

    bench/estimate.py [--isa avx512,avx2,sse2] [--threads 2] [--shapes 300] [--passes 3] [--csv out.csv] [--worst 10]

Shapes are drawn with a seed: 3x3, 1x1, strided, dilated, 5x5, 7x7 first layers, grouped, depthwise, transposed, volumes;
8 to 1024 channels, 7 to 256 pixels a side, at most 4 GFLOP. build/stent-shapes times all configurations of all solvers that
apply. Printed for each instruction set and kind of layer:

    rank    Spearman's correlation of estimate and time over the ways of one shape, median over the shapes with at least 4
    across  the same over all ways of all shapes
    regret  time of the way that the plan would take / time of the best way: geometric mean, 90 %, worst
    solver  part of the shapes where the plan takes the solver that has the best way

Weights come from memory, inputs from where the run before left them. Run it on an idle machine: times are minima of a few
runs in each pass over all shapes, and a way that was disturbed in all passes counts as it was measured.
Exit status 0.
"""
import argparse
import collections
import csv
import math
import os
import random
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MOST_FLOP = 4e9
SIDES = [7, 8, 13, 14, 16, 20, 28, 32, 48, 56, 64, 96, 112, 128, 192, 224, 256]
CHANNELS = [8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 320, 512, 768, 1024]

Shape = collections.namedtuple("Shape", "kind op n ic oc d h w kd kh kw stride dilation group pool")
Way = collections.namedtuple("Way", "solver configuration cycles ms taken")


def flop(s):
    spread = 1 if s.op == "transpose" else s.stride ** (3 if s.d > 1 else 2)
    return 2 * s.n * s.ic * s.oc / s.group * s.d * s.h * s.w * s.kd * s.kh * s.kw / spread


def draw(r, kind):
    ic, oc, side = r.choice(CHANNELS), r.choice(CHANNELS), r.choice(SIDES)
    plain = dict(kind=kind, op="conv", n=1, ic=ic, oc=oc, d=1, h=side, w=side, kd=1, kh=3, kw=3, stride=1, dilation=1,
                 group=1, pool=0)
    change = {
        "3x3": lambda: {"n": r.choice([1, 1, 1, 4])},
        "3x3 + pool": lambda: {"pool": 1},
        "1x1": lambda: {"kh": 1, "kw": 1},
        "stride 2": lambda: {"stride": 2, **({"kh": 1, "kw": 1} if r.random() < 0.3 else {})},
        "dilated": lambda: {"dilation": r.choice([2, 4, 6, 12])},
        "5x5, 7x7": lambda: dict.fromkeys(("kh", "kw"), r.choice([5, 7])),
        "first": lambda: {"ic": r.choice([1, 3, 4]), "oc": r.choice([16, 32, 64]),
                          **r.choice([{}, {"stride": 2}, {"kh": 7, "kw": 7, "stride": 2}])},
        "grouped": lambda: {"ic": 32 * r.choice([1, 2, 4, 8]), "oc": 32 * r.choice([1, 2, 4, 8]),
                            "group": r.choice([2, 4, 8, 32])},
        "depthwise": lambda: {"oc": ic, "group": ic, "stride": r.choice([1, 1, 2]),
                              **dict.fromkeys(("kh", "kw"), r.choice([3, 5]))},
        "transposed": lambda: {"op": "transpose", "stride": 2, **dict.fromkeys(("kh", "kw"), r.choice([2, 2, 3, 4]))},
        "volume": lambda: {**dict.fromkeys("dhw", r.choice([8, 12, 16, 24, 32])), "kd": 3, "stride": r.choice([1, 1, 1, 2])},
    }
    return Shape(**{**plain, **change[kind]()})


KINDS = {"3x3": 6, "3x3 + pool": 2, "1x1": 4, "stride 2": 3, "dilated": 2, "5x5, 7x7": 2, "first": 2, "grouped": 2,
         "depthwise": 3, "transposed": 2, "volume": 2}  # of 30


def shapes_of(count, seed=1):
    r, found = random.Random(seed), []
    kinds = [kind for kind, times in KINDS.items() for _ in range(times)]
    while len(found) < count:
        shape = draw(r, kinds[len(found) % len(kinds)])
        if flop(shape) <= MOST_FLOP and shape not in found:
            found.append(shape)
    return found


def measure(program, shapes, isa, threads):
    """Ways of each shape."""
    text = "".join(" ".join(map(str, s[1:])) + "\n" for s in shapes)
    done = subprocess.run([program, str(threads)], input=text, capture_output=True, text=True,
                          env={**os.environ, "STENT_ISA": isa})
    if done.returncode:
        sys.exit(f"estimate: {program}: status {done.returncode}: {done.stderr.strip()[-400:]}")
    ways = [[] for _ in shapes]
    for line in done.stdout.splitlines():
        number, solver, configuration, cycles, ms, taken = line.split("\t")
        ways[int(number)].append(Way(solver, configuration, float(cycles), float(ms), taken == "1"))
    return ways


def least(passes):
    """Of all passes the least time of each way."""
    return [[min(same, key=lambda way: way.ms) for same in zip(*of_shape)] for of_shape in zip(*passes)]


def ranks(values):
    order = sorted(range(len(values)), key=values.__getitem__)
    result, at = [0.0] * len(values), 0
    while at < len(order):
        end = at
        while end < len(order) and values[order[end]] == values[order[at]]:
            end += 1
        for i in order[at:end]:
            result[i] = (at + end - 1) / 2
        at = end
    return result


def spearman(a, b):
    x, y = ranks(a), ranks(b)
    mx, my = statistics.fmean(x), statistics.fmean(y)
    spread = math.sqrt(sum((p - mx) ** 2 for p in x) * sum((q - my) ** 2 for q in y))
    return sum((p - mx) * (q - my) for p, q in zip(x, y)) / spread if spread else 1.0


def summary(ways):
    """(shapes, rank, across, regrets, part of right solvers)"""
    every = [way for of_shape in ways for way in of_shape]
    inner = [spearman([w.cycles for w in of], [w.ms for w in of]) for of in ways if len(of) >= 4]
    regrets, right = [], 0
    for of_shape in ways:
        best = min(of_shape, key=lambda w: w.ms)
        taken = next(w for w in of_shape if w.taken)
        regrets.append(taken.ms / best.ms)
        right += taken.solver == best.solver
    across = spearman([w.cycles for w in every], [w.ms for w in every])
    return len(ways), statistics.median(inner) if inner else float("nan"), across, sorted(regrets), right / len(ways)


def tell(name, ways):
    count, rank, across, regrets, right = summary(ways)
    mean = math.exp(statistics.fmean(map(math.log, regrets)))
    print(f"| {name} | {count} | {rank:.2f} | {across:.3f} | {mean:.3f} | {regrets[int(0.9 * (count - 1))]:.2f} | "
          f"{regrets[-1]:.2f} | {100 * right:.0f} % |")


def tell_worst(shapes, ways, count):
    def regret(of_shape):
        return next(w.ms for w in of_shape if w.taken) / min(w.ms for w in of_shape)
    worst = sorted(range(len(shapes)), key=lambda i: -regret(ways[i]))[:count]
    for i in worst:
        taken = next(w for w in ways[i] if w.taken)
        best = min(ways[i], key=lambda w: w.ms)
        print(f"  {regret(ways[i]):5.2f}  {' '.join(map(str, shapes[i][1:]))}: {taken.solver} ({taken.configuration}) "
              f"{taken.ms:.3f} ms, {best.solver} ({best.configuration}) {best.ms:.3f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isa", default="avx512,avx2,sse2")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--shapes", type=int, default=300)
    parser.add_argument("--program", default=os.path.join(HERE, "..", "build", "stent-shapes"))
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--csv")
    parser.add_argument("--worst", type=int, default=0, help="also print so many shapes with the largest regret")
    args = parser.parse_args()
    shapes, rows = shapes_of(args.shapes), []
    for isa in args.isa.split(","):
        ways = least(measure(args.program, shapes, isa, args.threads) for _ in range(args.passes))
        print(f"\n| {isa} | shapes | rank | across | regret | 90 % | worst | solver |\n|---|---|---|---|---|---|---|---|")
        for kind in KINDS:
            chosen = [of for s, of in zip(shapes, ways) if s.kind == kind]
            if chosen:
                tell(kind, chosen)
        tell("all", ways)
        if args.worst:
            tell_worst(shapes, ways, args.worst)
        rows += [[isa, *shape, *way] for shape, of in zip(shapes, ways) for way in of]
        sys.stdout.flush()
    if args.csv:
        with open(args.csv, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["isa", *Shape._fields, *Way._fields])
            writer.writerows(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
