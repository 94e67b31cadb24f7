#!/usr/bin/env python3
"""Compares peak memory: `stent run` against ONNX Runtime's own share (its process less an idle Python).

    bench/memory.py [MODEL.onnx ...] [--peer onnxruntime] [--isa avx2] [--json out.json]

A process's peak is its VmHWM: for stent as the kernel accounts it to the parent (ru_maxrss of wait4, the same
counter), for the peer read at its end by bench/worker.py. The idle Python is one that has imported nothing:
the engine needs numpy itself. Compared is the peak after one run, which is what `stent run` does
(medians of three processes).
Exit status: 0; 1 if stent needs more.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
IDLE = "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"


def output_of(command, env=None):
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"memory: {' '.join(command)}: status {done.returncode}: {done.stderr[-400:].strip()}")
    return done.stdout


def peak_of(command, env):
    """Peak in MB of a child. Before exec the child is a copy of this process: which is why this file imports
    nothing large; the figure can't fall below this process's own few MB."""
    child = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    message = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"memory: {' '.join(command)}: status {child.returncode}: {message.strip()[-400:]}")
    return usage.ru_maxrss / 1024


def study_nets(folder):
    """In a process of its own: numpy stays out of this one."""
    code = f"import sys; sys.path.insert(0, {HERE!r}); import versus; print('\\n'.join(versus.study_nets({folder!r})))"
    return output_of([sys.executable, "-c", code]).split("\n")[:-1]


def write_sample(model, path):
    code = (f"import sys; sys.path.insert(0, {HERE!r}); import float64, numpy, onnx; "
            f"numpy.save({path!r}, float64.sample(onnx.load({model!r})))")
    output_of([sys.executable, "-c", code])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="default: the study's two networks")
    parser.add_argument("--peer", default="onnxruntime")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--isa", default="", help="STENT_ISA for stent (the peer keeps the whole machine)")
    parser.add_argument("--stent", default=os.path.join(HERE, "..", "build", "stent"))
    parser.add_argument("--folder", default=os.path.join(HERE, "..", "build", "bench"))
    parser.add_argument("--json")
    args = parser.parse_args()
    stent, folder = os.path.abspath(args.stent), os.path.abspath(args.folder)
    if not os.access(stent, os.X_OK):
        parser.error(f"{stent} is not there: run make first, or name it with --stent")
    os.makedirs(folder, exist_ok=True)
    env = dict(os.environ, STENT_ISA=args.isa) if args.isa else dict(os.environ)
    idle = int(output_of([sys.executable, "-S", "-c", IDLE])) / 1024
    rows = []
    for model in args.models or study_nets(folder):
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            package, x, y = (os.path.join(scratch, name) for name in ("net.stent", "x.npy", "y.npy"))
            write_sample(model, x)
            output_of([stent, "compile", model, "-o", package])
            command = [stent, "run", package, "--input", x, "--output", y, "--threads", str(args.threads)]
            first = peak_of(command, env)  # includes the self-check at a plan's first use
            ours = statistics.median(peak_of(command, env) for _ in range(3))
            worker = [sys.executable, os.path.join(HERE, "worker.py"), args.peer, model, "--input", x,
                      "--threads", str(args.threads), "--memory"]
            peaks = [[float(word) - idle for word in output_of(worker).split()] for _ in range(3)]
            once, later = (statistics.median(column) for column in zip(*peaks))
        rows.append({"model": os.path.basename(model), "isa": args.isa or "none", "stent_mb": ours, "stent_first_mb": first,
                     "peer": args.peer, "peer_mb": once, "peer_later_mb": later, "idle_python_mb": idle})
        print(f"{os.path.basename(model)}: stent run {ours:.0f} MB (first use {first:.0f} MB), "
              f"{args.peer} {once:.0f} MB (after more runs {later:.0f} MB; less {idle:.0f} MB of idle Python)", flush=True)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"verb": "memory", "rows": rows}, file, indent=1)
    return int(any(max(row["stent_mb"], row["stent_first_mb"]) > row["peer_mb"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
