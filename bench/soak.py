#!/usr/bin/env python3
"""Many slices through one session, then through one call of `stent segment`: does memory grow, does time drift, do
masks change?

    bench/soak.py [MODEL.onnx] [--pipeline FILE.json] [--pictures FOLDER] [--slices N] [--threads N]

Default: the phantom network and its volume, 20,000 slices each way. The pictures are hard-linked under as many names
as there are slices. Prints medians of the first and the last thousand slices with the ratio (a drift of a busy machine
is not stent's: run it on a quiet one), and resident memory, file descriptors and threads after the first tenth and at
the end. Exit status: 0; 1 when memory grows by more than --limit KB, descriptors or threads change, or equal pictures
get different masks. Time is not judged.
"""
import argparse
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
PHANTOM = os.path.join(HERE, "..", "examples", "phantom")


def held(pid):
    """Anonymous resident KB, descriptors and threads of a process."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        resident = int(re.search(r"RssAnon:\s+(\d+)", file.read()).group(1))
    return resident, len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task"))


def report_time(name, ms):
    part = max(1, min(1000, len(ms) // 10))
    first, last = statistics.median(ms[:part]), statistics.median(ms[-part:])
    print(f"{name}: {len(ms)} slices, median of the first {part} {first:.2f} ms, of the last {part} {last:.2f} ms, "
          f"ratio {last / first:.3f}")


def report_held(name, early, late, per_slice_kb, slices, limit):
    """per_slice_kb: what the caller is owed for each slice (results). True: nothing grew."""
    growth = late[0] - early[0] - per_slice_kb * slices
    good = growth <= limit and early[1:] == late[1:]
    print(f"{name}: resident {early[0]} -> {late[0]} KB, descriptors {early[1]} -> {late[1]}, threads {early[2]} -> "
          f"{late[2]}{'' if good else '   GREW'}")
    return good


def soak_session(stent, package, args):
    """One session, by the lockstep protocol. The first tenth is the warm-up of memory, not of time."""
    process = subprocess.Popen([stent, "bench", package, "--lockstep", "--threads", str(args.threads)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()  # ready
    ms, early = [], None
    step = max(1, args.slices // 20)
    while len(ms) < args.slices:
        process.stdin.write(f"run {min(step, args.slices - len(ms))}\n")
        process.stdin.flush()
        ms += json.loads(process.stdout.readline())
        if early is None and len(ms) * 10 >= args.slices:
            early = held(process.pid)
    late = held(process.pid)
    process.stdin.close()
    process.wait()
    report_time("session", ms)
    return report_held("session", early, late, 0, args.slices, args.limit)


def link_pictures(folder, args):
    names = sorted(n for n in os.listdir(args.pictures) if n.endswith((".tif", ".png")) and "_mask" not in n)
    os.mkdir(folder)
    first = []
    for i in range(args.slices):
        source = names[i % len(names)]
        path = os.path.join(folder, f"{i}{os.path.splitext(source)[1]}")
        if i < len(names):
            shutil.copyfile(os.path.join(args.pictures, source), path)
            first.append(path)
        else:
            os.link(first[i % len(names)], path)
    return len(names)


class Watch(threading.Thread):
    """Looks at a process again and again until it ends; keeps (masks written, what is held)."""

    def __init__(self, process, masks):
        super().__init__()
        self.process, self.masks, self.seen = process, masks, []

    def run(self):
        while self.process.poll() is None:
            try:
                count = sum(name.endswith(".png") for name in os.listdir(self.masks))
                self.seen.append((count, held(self.process.pid)))
            except (OSError, AttributeError):  # not there yet, or gone
                pass
            try:
                self.process.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                pass


def soak_segment(stent, package, folder, args):
    pictures, masks = os.path.join(folder, "pictures"), os.path.join(folder, "masks")
    kinds = link_pictures(pictures, args)
    process = subprocess.Popen([stent, "segment", package, pictures, "-o", masks, "--threads", str(args.threads), "-q"],
                               stdout=subprocess.DEVNULL)
    watch = Watch(process, masks)
    watch.start()
    watch.join()
    good = process.returncode == 0
    with open(os.path.join(masks, "results.json"), encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    good &= len(lines) == args.slices
    report_time("segment", [line["ms"] for line in lines])
    early = next(h for n, h in watch.seen if n * 10 >= args.slices)
    busy = [h for n, h in watch.seen if n < args.slices]  # while it still works
    # The results of a call stay in memory until it ends, once as lines and once as they are written.
    per_slice_kb = 2 * os.path.getsize(os.path.join(masks, "results.json")) / args.slices / 1024
    good &= report_held("segment", early, busy[-1], per_slice_kb, args.slices, args.limit)
    digests = [set() for _ in range(kinds)]
    for i in range(args.slices):
        with open(os.path.join(masks, f"{i}.png"), "rb") as file:
            digests[i % kinds].add(hashlib.sha256(file.read()).digest())
    same = all(len(d) == 1 for d in digests)
    print(f"segment: masks of {kinds} pictures {'always the same' if same else 'DIFFER'}")
    return good and same


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default=os.path.join(PHANTOM, "phantom-unet.onnx"))
    parser.add_argument("--pipeline", default=os.path.join(PHANTOM, "phantom-unet.pipeline.json"))
    parser.add_argument("--pictures", default=os.path.join(PHANTOM, "volume"))
    parser.add_argument("--slices", type=int, default=20000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=float, default=512, help="KB that memory may grow by (default 512)")
    parser.add_argument("--stent", default=os.path.join(HERE, "..", "build", "stent"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder
        package = os.path.join(folder, "net.stent")
        subprocess.run([args.stent, "compile", args.model, "-o", package, "--pipeline", args.pipeline, "-q"],
                       check=True, stdout=subprocess.DEVNULL)
        good = soak_session(args.stent, package, args)
        good &= soak_segment(args.stent, package, folder, args)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
