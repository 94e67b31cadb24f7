#!/usr/bin/env python3
"""Tunes networks again and again, and races what came out against the untuned plan anew: is a tuned plan ever slower?

    bench/tunings.py NET.stent... [--isa avx2,sse2] [--times 2] [--time 60s] [--race 20s] [--busy] [--estimate worst]

Each tuning starts with an empty folder of plans and wisdom. What it stores travels in a package (`tune -o`), which
`stent bench --versus` then races against the package without, in rounds of their own: an interval of the median ratio
tuned / untuned. Where a tuning changes nothing there is nothing to race. --busy: a busy loop runs on one core in the
middle third of the tuning; the output must name it. --estimate worst|random: with STENT_ESTIMATE, so that the untuned
plan is a bad one; what is tuned is raced against the usual plan as well.

A line a tuning; then the most seconds that one took, and how many ended with an upper bound of 1.02 and more. Exit
status 1 where one did.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def stent(program, folder, isa, *words, estimate=None):
    env = dict(os.environ, XDG_DATA_HOME=folder, STENT_ISA=isa)
    if estimate:
        env["STENT_ESTIMATE"] = estimate
    done = subprocess.run([program, *map(str, words)], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"stent {' '.join(map(str, words))}: status {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def seconds_of(text):
    return float(text[:-1]) if text.endswith("s") else 60 * float(text[:-1]) if text.endswith("m") else float(text)


def be_busy(after, lasting):
    """A child that spins for the middle third."""
    time.sleep(after)
    subprocess.run([sys.executable, "-c", f"import time\nt = time.time() + {lasting}\nwhile time.time() < t: pass"],
                   check=False)


def race(program, isa, tuned, untuned, seconds, estimate=None):
    with tempfile.TemporaryDirectory() as folder:
        said = stent(program, folder, isa, "bench", tuned, "--versus", untuned, "--time", seconds, "--json",
                     estimate=estimate)
    return said["ratio_median"], said["ratio_low"], said["ratio_high"]


def tune_once(args, net, isa):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "tuned.stent")
        total = seconds_of(args.time)
        busy = threading.Thread(target=be_busy, args=(total / 3, total / 3))
        if args.busy:
            busy.start()
        start = time.monotonic()
        said = stent(args.program, folder, isa, "tune", net, "--time", args.time, "-o", out, "--json",
                     estimate=args.estimate)
        took = time.monotonic() - start
        if args.busy:
            busy.join()
        line = (f"{os.path.basename(net)} {isa}: {took:.0f} s, {said['trials']} trials, {said['kept']}, race "
                f"{said['ratio_median']} [{said['ratio_low']}, {said['ratio_high']}]")
        disturbed = said["disturbances"]
        line += f", others {disturbed['measuring']['others_cpus']:.2f} CPUs"
        high = 1
        if os.path.exists(out):
            # The plan that was bad by an estimate turned around is raced as it was planned then.
            median, low, high = race(args.program, isa, out, net, args.race, args.estimate)
            line += f"; anew {median:.3f} [{low:.3f}, {high:.3f}]"
            if args.estimate:
                median, low, _ = race(args.program, isa, out, net, args.race)
                line += f"; against the usual plan {median:.3f}"
        print(line, flush=True)
        return took, high


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="+")
    parser.add_argument("--isa", default="avx2,sse2")
    parser.add_argument("--times", type=int, default=2)
    parser.add_argument("--time", default="60s")
    parser.add_argument("--race", default="20s")
    parser.add_argument("--busy", action="store_true")
    parser.add_argument("--estimate", choices=("worst", "random"))
    parser.add_argument("--program", default=os.path.join(HERE, "..", "build", "stent"))
    args = parser.parse_args()
    results = [tune_once(args, net, isa) for _ in range(args.times) for isa in args.isa.split(",") for net in args.nets]
    slower = sum(high >= 1.02 for _, high in results)
    print(f"{len(results)} tunings, the longest {max(took for took, _ in results):.0f} s, {slower} with an upper bound "
          f"of 1.02 or more")
    return slower > 0


if __name__ == "__main__":
    sys.exit(main())
