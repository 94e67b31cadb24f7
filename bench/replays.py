#!/usr/bin/env python3
"""Table and plot of what the tuners find on recorded landscapes (`build/stent-replays`).

    bench/replays.py [--xgb] [--replays 50] [--svg docs/tuners.svg] [LANDSCAPE...]      default: test/tune/landscapes

A line a landscape, as Markdown: its configurations, the part of them within 3 % of the best, what the untuned plan takes;
what `model` has after 30 trials (median, and 9 of 10 replays); `xgb` after 100, where it is asked for (minutes: each replay
starts a Python with xgboost); and after how many trials the others are within 3 % of the best in 9 of 10 replays.
The plot: trials against how far 9 of 10 replays are from the best, mean of the landscapes.
"""
import argparse
import collections
import csv
import glob
import os
import statistics
import subprocess
import sys

import plot

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "..", "test", "tune", "landscapes")


def replay(args):
    """{landscape: {tuner: {trials: row}}}"""
    words = [os.path.join(HERE, "..", "build", "stent-replays"), "--replays", str(args.replays)]
    files = args.landscape or sorted(glob.glob(os.path.join(FOLDER, "*.txt")))
    done = subprocess.run(words + ["--xgb"] * args.xgb + files, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr.strip())
    found = collections.defaultdict(lambda: collections.defaultdict(dict))
    for row in csv.DictReader(done.stdout.splitlines()):
        found[row["landscape"].removesuffix(".txt")][row["tuner"]][int(row["trials"])] = row
    return found


def needs(by_trials):
    """The least number of trials of those that were replayed after which 9 of 10 replays are within 3 %."""
    enough = [trials for trials, row in sorted(by_trials.items()) if float(row["nine_in_ten"]) <= 1.03]
    return str(enough[0]) if enough else f"> {max(by_trials)}"


def at(by_trials, trials):
    row = by_trials.get(trials)
    return f"{float(row['median']):.3f}, {float(row['nine_in_ten']):.3f}" if row else "-"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("landscape", nargs="*")
    parser.add_argument("--xgb", action="store_true")
    parser.add_argument("--replays", type=int, default=50)
    parser.add_argument("--svg")
    args = parser.parse_args()
    found = replay(args)
    others = ["ga", "random", "grid"]
    print("| layer, ISA | configurations | within 3 % | untuned / best | `model`, 30 trials | `xgb`, 100 | "
          + " | ".join(f"`{name}` needs" for name in ["model"] + others) + " |\n" + "|---" * 10 + "|")
    for name, tuners in found.items():
        some = next(iter(tuners["model"].values()))
        print(f"| {name.replace('.', ', ')} | {some['configurations']} | {100 * float(some['near']):.1f} % | "
              f"{float(some['untuned']):.3f} | {at(tuners['model'], 30)} | {at(tuners['xgb'], 100)} | "
              + " | ".join(needs(tuners[tuner]) for tuner in ["model"] + others) + " |")
    if args.svg:
        series = {}
        for tuner in ["model"] + others:
            steps = sorted(next(iter(found.values()))[tuner])
            series[tuner] = [(trials, 100 * (statistics.fmean(float(tuners[tuner][trials]["nine_in_ten"])
                                                              for tuners in found.values()) - 1)) for trials in steps]
        plot.write(args.svg, plot.lines(series, "trials of a layer", "% from the best, 9 of 10 replays"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
