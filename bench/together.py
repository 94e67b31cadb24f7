#!/usr/bin/env python3
"""What two stents at the same time take, against one alone, with their threads free and pinned.

    bench/together.py [MODEL.onnx...] [--processes 2] [--threads 2]     (Python's standard library only)

Each process is a `stent bench --lockstep` with --threads threads. A round measures, in shuffled order: each process
alone for --ms milliseconds' worth of runs while the others sleep, and all of them at once for as many runs each, until
the last is done; both with the threads free and with worker i held to CPU i (what a program that pins by index does;
set from outside). Printed: medians over the rounds of the run alone, of the ratio together / alone, and of
pinned / free alone. The ratio is worth something on an otherwise idle machine only.
Exit status 1: with free threads the ratio is above --limit (default: 1.1 times the number of processes).
"""
import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


class Stent:
    def __init__(self, args, package):
        self.process = subprocess.Popen([args.stent, "bench", package, "--lockstep", "--threads", str(args.threads)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        ready = self.process.stdout.readline()
        if not ready.startswith("ready"):
            sys.exit(f"together: stent bench said {ready!r} instead of 'ready'")

    def start(self, runs):
        self.process.stdin.write(f"run {runs}\n")

    def wait(self):
        return json.loads(self.process.stdout.readline())

    def hold(self, cpus, pinned):
        """Worker i > 0 to the i-th CPU, the caller anywhere; or all of them anywhere."""
        threads = sorted(int(name) for name in os.listdir(f"/proc/{self.process.pid}/task"))
        for i, thread in enumerate(threads):
            os.sched_setaffinity(thread, {cpus[i % len(cpus)]} if pinned and i else set(cpus))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def seconds(stents, runs):
    """Wall time until the last of them has made its runs, and the latencies that they tell."""
    start = time.perf_counter()
    for stent in stents:
        stent.start(runs)
    latencies = [ms for stent in stents for ms in stent.wait()]
    return time.perf_counter() - start, latencies


def measure(args, package):
    rng, cpus = random.Random(args.seed), sorted(os.sched_getaffinity(0))[:args.threads]
    os.sched_setaffinity(0, cpus)  # as many CPUs as threads, so that the processes share them
    stents = [Stent(args, package) for _ in range(args.processes)]
    for stent in stents:
        stent.start(3)
        run = min(stent.wait()) / 1e3
    runs = max(1, round(args.ms / 1e3 / run))
    rounds = []
    for _ in range(args.rounds):
        row = {}
        for pinned in rng.sample((False, True), 2):
            for stent in stents:
                stent.hold(cpus, pinned)
            groups = [[stent] for stent in stents] + [stents]
            times = {i: seconds(groups[i], runs) for i in rng.sample(range(len(groups)), len(groups))}
            how = "pinned" if pinned else "free"
            row[how, "together"] = times.pop(len(stents))[0] / runs
            row[how, "alone"] = statistics.mean(time for time, _ in times.values()) / runs
            row[how, "latencies"] = [ms for _, latencies in times.values() for ms in latencies]
        rounds.append(row)
    for stent in stents:
        stent.close()
    return rounds, runs


def median(rounds, function):
    values = sorted(function(row) for row in rounds)
    return statistics.median(values), values[len(values) // 10], values[-1 - len(values) // 10]


def report(name, rounds, runs):
    print(f"\n{name}: {len(rounds)} rounds of {runs} runs; median (10 % and 90 % of the rounds)")
    print(f"  {'':<8}{'alone ms':<30}{'p99 / median':<14}together / alone")
    for how in ("free", "pinned"):
        alone = median(rounds, lambda row: row[how, "alone"] * 1e3)
        ratio = median(rounds, lambda row: row[how, "together"] / row[how, "alone"])
        single = sorted(ms for row in rounds for ms in row[how, "latencies"])
        tail = single[len(single) * 99 // 100] / statistics.median(single)
        print(f"  {how:<8}{f'{alone[0]:.3f} ({alone[1]:.3f} .. {alone[2]:.3f})':<30}{tail:<14.3f}"
              f"{ratio[0]:.3f} ({ratio[1]:.3f} .. {ratio[2]:.3f})")
    alone = median(rounds, lambda row: row["pinned", "alone"] / row["free", "alone"])
    print(f"  pinned / free, alone: {alone[0]:.3f} ({alone[1]:.3f} .. {alone[2]:.3f})", flush=True)
    return median(rounds, lambda row: row["free", "together"] / row["free", "alone"])[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=[os.path.join(ROOT, "examples", "phantom", "phantom-unet.onnx")])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--ms", type=float, default=300, help="length of one measurement alone (default 300)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float)
    parser.add_argument("--stent", default=os.path.join(ROOT, "build", "stent"))
    args = parser.parse_args()
    limit = args.limit or 1.1 * args.processes
    print(f"{args.processes} processes of {args.threads} threads on {args.threads} CPUs, load before {os.getloadavg()[0]:.2f}")
    missed = False
    for model in args.models:
        with tempfile.TemporaryDirectory() as folder:
            package = os.path.join(folder, "net.stent")
            subprocess.run([args.stent, "compile", model, "-o", package, "-q"], check=True, stdout=subprocess.DEVNULL)
            ratio = report(os.path.basename(model), *measure(args, package))
        if ratio > limit:
            print(f"  NOT HELD: together / alone is {ratio:.3f}, promised at most {limit:.2f}")
            missed = True
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
