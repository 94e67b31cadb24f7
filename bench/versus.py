#!/usr/bin/env python3
"""Measures stent against other engines, side by side in one run.

    bench/versus.py                                      both networks of the study, AVX-512 and AVX2, ONNX Runtime
    bench/versus.py build/bench/seed-torch.onnx --isa avx512,avx2 --peers onnxruntime,openvino --json out.json
    bench/versus.py --zoo --isa avx512 --peers onnxruntime,openvino,mnn,ncnn,torch --csv zoo.csv --svg zoo.svg
    bench/versus.py --isa amx --peers openvino-bf16 --compile-options="--precision bf16 --no-gate"
    bench/versus.py --isa avx512,avx2 --gate avx512=0.75 --gate avx2=0.65 --max-error 4e-5

Every engine is a process of its own, held to the same cores, and stopped (SIGSTOP) while another is measured.
A round measures each engine with several runs, in shuffled order; the figure is the median over the rounds of
the ratio of the round's minima, stent / peer, with a bootstrap interval of 95 %. --isa holds all engines to an
older CPU: stent by STENT_ISA, the others by bench/cpumask.c. Error: rms of the difference / standard deviation
of the expected output, before the last activation, against bench/float64.py. Peers, their versions and settings:
bench/peers.json.
Exit status: 0; 1 if a --gate or --max-error is not met; 2 usage; 3 if an engine failed.
"""
import argparse
import csv
import json
import os
import random
import select
import signal
import statistics
import subprocess
import sys
import tempfile

import numpy as np
import onnx

import float64
import nets
import plot
import worker

HERE = os.path.dirname(os.path.abspath(__file__))
# --isa: (STENT_ISA, CPUMASK, the flag in /proc/cpuinfo that the machine must have, the flag that the mask takes away:
# a machine without it needs no mask)
MASKS = {"none": (None, None, "sse2", None), "amx": ("amx", None, "amx_bf16", None),
         "avx512": ("avx512", "avx512", "avx512f", "amx_tile"), "avx2": ("avx2", "avx2", "avx2", "avx512f"),
         "avx": ("avx", "avx", "avx", "avx2"), "sse42": ("sse2", "sse42", "sse4_2", "avx")}


class EngineError(Exception):
    """An engine could not be measured; the text says which and why."""


def last_line(text):
    """What a program said last: for a Python traceback, the error itself."""
    return (text.strip().splitlines() or ["no message"])[-1][:400]


# ---- the machine ------------------------------------------------------------------------------------------

def cpuinfo(key):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next((line.split(":", 1)[1].strip() for line in file if line.startswith(key)), "")


def choose_cores(count):
    """`count` of the cores that this process may use: different physical cores first."""
    allowed, seen, first, rest = sorted(os.sched_getaffinity(0)), set(), [], []
    for cpu in allowed:
        try:
            with open(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list", encoding="ascii") as file:
                physical = file.read().strip()
        except OSError:
            physical = str(cpu)
        (rest if physical in seen else first).append(cpu)
        seen.add(physical)
    return (first + rest)[:count]


def build_cpumask(folder):
    """The library from cpumask.c, built when it is missing or older than its source."""
    source, library = os.path.join(HERE, "cpumask.c"), os.path.join(folder, "libcpumask.so")
    newest = max(os.path.getmtime(os.path.join(HERE, name)) for name in ("cpumask.c", "x86_length.h"))
    if not os.path.exists(library) or os.path.getmtime(library) < newest:
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-shared", "-fPIC", "-Wl,-z,now", "-o", library, source],
                       check=True)
    return os.path.abspath(library)


def mask_of(level, folder):
    """The environment that holds a peer to an older CPU: CPUID masked, and glibc's own functions chosen without it."""
    taken = {"avx2": [], "avx": ["AVX2", "FMA", "BMI1", "BMI2", "LZCNT"], "avx512": []}
    taken["sse42"] = taken["avx"] + ["AVX"]
    wide = [] if level == "avx512" else ["AVX512F", "AVX512BW", "AVX512CD", "AVX512DQ", "AVX512VL"]
    return {"CPUMASK": level, "LD_AUDIT": build_cpumask(folder),
            "GLIBC_TUNABLES": "glibc.cpu.hwcaps=" + ",".join("-" + name for name in wide + taken[level])}


# ---- engines ------------------------------------------------------------------------------------------------

class Engine:
    """How one engine is started: its command, its environment, its cores."""

    def __init__(self, name, lockstep, once, env, cores, asks=None):
        self.name, self.lockstep, self.once, self.cores, self.asks = name, lockstep, once, cores, asks
        unset = ("STENT_ISA", "LD_PRELOAD") + worker.MASK
        self.env = {k: v for k, v in os.environ.items() if k not in unset}
        self.env.update(env)

    def pin(self):
        os.sched_setaffinity(0, self.cores)

    def error(self, expected, folder):
        """rms error of one run on the network without its last activation; NaN where the engine has no such network."""
        if not self.once:
            return float("nan")
        path = os.path.join(folder, f"{self.name}.out.npy")
        done = subprocess.run(self.once + ["--output", path], env=self.env, preexec_fn=self.pin,
                              capture_output=True, text=True)
        if done.returncode:
            raise EngineError(f"{self.name}: status {done.returncode}: {last_line(done.stderr)}")
        return float64.relative_rms(np.load(path).reshape(expected.shape), expected)


class Process:
    """A running engine. It is stopped except inside measure()."""

    def __init__(self, engine, folder):
        self.name, self.asks, self.mask_log = engine.name, None, os.path.join(folder, f"{engine.name}.mask")
        if "CPUMASK" in engine.env:
            self.asks, engine.env["CPUMASK_LOG"] = engine.asks, self.mask_log
        self.log = open(os.path.join(folder, f"{engine.name}.log"), "w+", encoding="utf-8")
        self.child = subprocess.Popen(engine.lockstep, env=engine.env, preexec_fn=engine.pin, text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)

    def wait_ready(self):
        words = self.read(900).split()
        if len(words) < 3 or words[0] != "ready":
            raise EngineError(f"{self.name}: expected 'ready MAXABSERR VERSION', got {' '.join(words)!r}")
        self.max_abs, self.version = float(words[1]), words[2]
        self.check_mask()
        self.stop()

    def check_mask(self):
        """The engine's own library must have asked what the CPU can do, and been answered by the mask."""
        if self.asks is None:
            return
        asked = open(self.mask_log, encoding="utf-8").read() if os.path.exists(self.mask_log) else ""
        if not any(line.startswith("cpuid ") and self.asks in os.path.basename(line) for line in asked.splitlines()):
            raise EngineError(f"{self.name}: the mask of CPUID did not reach {self.asks}*: {last_line(asked)}")

    def read(self, seconds):
        """One line; the engine answers every line with exactly one, so nothing is left in a buffer."""
        ready, _, _ = select.select([self.child.stdout], [], [], seconds)
        line = self.child.stdout.readline() if ready else ""
        if not line:
            self.log.flush()
            self.log.seek(0)
            raise EngineError(f"{self.name}: {'ended' if ready else 'no answer'}: {last_line(self.log.read())}")
        return line

    def stop(self):
        self.child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.child.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def measure(self, runs):
        self.child.send_signal(signal.SIGCONT)
        self.child.stdin.write(f"run {runs}\n")
        self.child.stdin.flush()
        times = json.loads(self.read(600))
        self.stop()
        if len(times) != runs:
            raise EngineError(f"{self.name}: asked for {runs} runs, got {len(times)}")
        return times

    def close(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGCONT)
            self.child.stdin.close()
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        self.log.close()


def stent_compile(args, model, package):
    command = [args.stent, "compile", model, "-o", package] + args.compile_options.split()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise EngineError(f"stent compile {model}: status {done.returncode}: {last_line(done.stderr)}")


def make_engines(args, model, case, mask, cores, folder):
    """Stent first, then the peers, all under one mask."""
    isa, cpumask, _, taken = MASKS[mask]
    threads = str(args.threads)
    options = args.stent_options.split()
    data = ["--input", case["x"]]
    engines = [Engine("stent",
                      [args.stent, "bench", case["package"], "--lockstep", "--threads", threads,
                       "--expect", case["y"]] + data + options,
                      [args.stent, "run", case["logits_package"], "--threads", threads] + data + options,
                      {"STENT_ISA": isa} if isa else {}, cores)]
    env = {"OMP_NUM_THREADS": threads}
    if cpumask and taken in cpuinfo("flags").split():
        env.update(mask_of(cpumask, folder))
    for peer in args.peers:
        command = [sys.executable, os.path.join(HERE, "worker.py"), peer]
        traced = worker.load_peers()[peer]["engine"] == "torch"  # it runs NAME.ts, from which nothing can be cut
        engines.append(Engine(peer, command + [model, "--lockstep", "--threads", threads, "--expect", case["y"]] + data,
                              None if traced and case["logits"] != model else
                              command + [case["logits"], "--threads", threads] + data, dict(env), cores,
                              worker.load_peers()[peer]["asks"]))
    return engines


# ---- one model ------------------------------------------------------------------------------------------------

def prepare(args, path, folder):
    """Input, expected outputs, and the packages of the model and of the model before its last activation."""
    model = onnx.load(path)
    name = model.graph.input[0].name
    cut = float64.without_last_activation(model)
    x = np.load(args.input) if args.input else float64.sample(model)
    cache = os.path.join(args.folder, "float64")
    stem = os.path.join(folder, os.path.splitext(os.path.basename(path))[0])
    case = {"x": stem + ".x.npy", "y": stem + ".y.npy", "logits": path, "package": stem + ".stent",
            "expected": float64.cached(cut, {name: x}, cache)}
    np.save(case["x"], x)
    np.save(case["y"], float64.cached(model, {name: x}, cache).astype(np.float32))
    stent_compile(args, path, case["package"])
    case["logits_package"] = case["package"]
    if cut is not model:
        case["logits"], case["logits_package"] = stem + ".logits.onnx", stem + ".logits.stent"
        onnx.save(cut, case["logits"])
        stent_compile(args, case["logits"], case["logits_package"])
    return case


def rounds_of(args, processes):
    """[{name: latencies of the round}]; the order of each round is shuffled."""
    shuffler = random.Random(args.seed)
    result = []
    for number in range(args.rounds + 1):
        order = list(processes)
        shuffler.shuffle(order)
        times = {process.name: process.measure(args.runs) for process in order}
        if number:  # the first round warms up
            result.append(times)
        if sys.stderr.isatty():
            print(f"\r  round {number}/{args.rounds}", end="\r", file=sys.stderr, flush=True)
    return result


def paired_ratio(rounds, peer, seed, resamples=2000):
    """Median over the rounds of min(stent) / min(peer), and its bootstrap interval of 95 %."""
    ratios = np.array([min(r["stent"]) / min(r[peer]) for r in rounds])
    picks = np.random.default_rng(seed).integers(0, len(ratios), (resamples, len(ratios)))
    low, high = np.quantile(np.median(ratios[picks], axis=1), [0.025, 0.975])
    return {"ratio_median": float(np.median(ratios)), "ratio_low": float(low), "ratio_high": float(high)}


def started(engines, case, folder):
    """(processes, errors): every engine that runs, waiting. A peer that does not is left out, and told; stent must."""
    processes, errors = [], {}
    for engine in engines:
        process = None
        try:
            errors[engine.name] = engine.error(case["expected"], folder)
            process = Process(engine, folder)
            process.wait_ready()
            processes.append(process)
        except EngineError as error:
            if process:
                process.close()
            if engine.name == "stent":
                raise
            print(f"versus: left out: {error}", file=sys.stderr)
    return processes, errors


def measure(args, path, case, mask, cores, folder):
    """One row per engine."""
    processes, errors = started(make_engines(args, path, case, mask, cores, args.folder), case, folder)
    try:
        rounds = rounds_of(args, processes)
    finally:
        for process in processes:
            process.close()
    rows = []
    for process in processes:
        times = [t for r in rounds for t in r[process.name]]
        row = {"model": os.path.basename(path), "isa": mask, "engine": process.name, "version": process.version,
               "threads": args.threads, "rounds": args.rounds, "runs": args.runs, "min_ms": min(times),
               "median_ms": statistics.median(times), "rms_rel": errors[process.name], "max_abs": process.max_abs}
        if process.name != "stent":
            row.update(paired_ratio(rounds, process.name, args.seed))
        row["ms"] = [r[process.name] for r in rounds]
        rows.append(row)
    return rows


# ---- output ---------------------------------------------------------------------------------------------------

def print_rows(rows):
    first = rows[0]
    print(f"\n{first['model']}   isa {first['isa']}   {first['threads']} threads   "
          f"{first['rounds']} rounds x {first['runs']} runs")
    print(f"  {'engine':<15}{'version':<12}{'min ms':>9}{'median ms':>11}{'rms error':>11}"
          f"{'stent / it':>12}   95 % interval")
    for row in rows:
        ratio = f"{row['ratio_median']:>12.3f}   {row['ratio_low']:.3f} .. {row['ratio_high']:.3f}" if "ratio_median" in row else ""
        print(f"  {row['engine']:<15}{row['version']:<12}{row['min_ms']:>9.2f}{row['median_ms']:>11.2f}"
              f"{row['rms_rel']:>11.1e}{ratio}", flush=True)


def print_summary(rows):
    """For each ISA the geometric mean of stent / peer over the networks, and of stent / the fastest peer of each."""
    for mask in dict.fromkeys(row["isa"] for row in rows):
        peers = [row for row in rows if row["isa"] == mask and "ratio_median" in row]
        by_model = {}
        for row in peers:
            by_model.setdefault(row["model"], []).append(row["ratio_median"])
        if len(by_model) < 2:
            continue
        print(f"\nisa {mask}, {len(by_model)} networks: geometric mean of stent / it (worst)")
        for peer in dict.fromkeys(row["engine"] for row in peers):
            print_mean(peer, [row["ratio_median"] for row in peers if row["engine"] == peer])
        print_mean("the fastest", [max(ratios) for ratios in by_model.values()])


def print_mean(name, ratios):
    print(f"  {name:<15}{statistics.geometric_mean(ratios):>7.3f} ({max(ratios):.3f})" + f", {len(ratios)} networks", flush=True)


def check(args, rows):
    """Lines about what was promised and is not held."""
    missed = []
    for row in rows:
        where = f"{row['model']}, isa {row['isa']}"
        gate = args.gates.get(row["isa"])
        if "ratio_median" in row and gate is not None and row["ratio_median"] > gate:
            missed.append(f"{where}: stent / {row['engine']} is {row['ratio_median']:.3f}, promised at most {gate}")
        if row["engine"] == "stent" and args.max_error is not None and not row["rms_rel"] <= args.max_error:
            missed.append(f"{where}: error {row['rms_rel']:.2e}, promised at most {args.max_error:.1e}")
    return missed


def write_results(args, rows, missed):
    if args.svg:
        plot.write(args.svg, plot.ratios(rows, f"{cpuinfo('model name')}, {args.threads} threads"))
    if args.json:
        machine = {"cpu": cpuinfo("model name"), "threads": args.threads, "cores": choose_cores(args.threads)}
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"verb": "versus", "machine": machine, "peers": {p: worker.load_peers()[p] for p in args.peers},
                       "rows": rows, "missed": missed}, file, indent=1)
    if args.csv:
        keys = ["model", "isa", "engine", "version", "threads", "rounds", "runs", "min_ms", "median_ms", "rms_rel",
                "max_abs", "ratio_median", "ratio_low", "ratio_high"]
        with open(args.csv, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, keys, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="ONNX files; default: the study's two networks, from nets.py")
    parser.add_argument("--isa", default="avx512,avx2",
                        help="comma-separated: none (the whole machine), " + ", ".join(list(MASKS)[1:]))
    parser.add_argument("--peers", default="onnxruntime", help="comma-separated: " + ", ".join(worker.load_peers()))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--runs", type=int, default=3, help="runs a round (default 3)")
    parser.add_argument("--seed", type=int, default=1, help="of the order of the rounds and the bootstrap")
    parser.add_argument("--input", help=".npy; default: seeded standard normal numbers")
    parser.add_argument("--stent", default=os.path.join(HERE, "..", "build", "stent"))
    parser.add_argument("--stent-options", default="", help='more options for stent run and bench, as "--untuned"')
    parser.add_argument("--compile-options", default="", help='options for stent compile, as "--precision bf16 --no-gate"')
    parser.add_argument("--folder", default=os.path.join(HERE, "..", "build", "bench"), help="networks and caches")
    parser.add_argument("--gate", action="append", default=[], metavar="ISA=RATIO", help="exit 1 above this ratio")
    parser.add_argument("--max-error", type=float, help="exit 1 where stent's error is above this")
    parser.add_argument("--json")
    parser.add_argument("--csv")
    parser.add_argument("--svg", help="a plot of the ratios")
    parser.add_argument("--zoo", action="store_true", help="the 12 networks of zoo.py, written where they are missing")
    args = parser.parse_args()
    args.isa, args.peers = args.isa.split(","), args.peers.split(",")
    for value, known, what in ((args.isa, MASKS, "--isa"), (args.peers, worker.load_peers(), "--peers")):
        unknown = set(value) - set(known)
        if unknown:
            parser.error(f"{what}: unknown {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    if not os.access(args.stent, os.X_OK):
        parser.error(f"{args.stent} is not there: run make first, or name it with --stent")
    try:
        args.gates = {isa: float(ratio) for isa, ratio in (gate.split("=") for gate in args.gate)}
    except ValueError:
        parser.error("--gate: expected ISA=RATIO, as avx2=0.65")
    if set(args.gates) - set(args.isa):
        parser.error("--gate for an ISA that is not measured: " + ", ".join(set(args.gates) - set(args.isa)))
    return args


def study_nets(folder):
    """The two networks at full width, written anew when nets.py changed."""
    paths = []
    for name in nets.NETS:
        path = os.path.join(folder, name + ".onnx")
        if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(nets.__file__):
            print(f"writing {path}", file=sys.stderr)
            onnx.save(nets.build(name)[0], path)
        paths.append(path)
    return paths


def zoo_nets(folder):
    """The 12 networks of zoo.py; those that are missing are written, by a process that then gives torch's memory back."""
    paths = [os.path.join(folder, name + ".onnx") for name in nets.ZOO]
    missing = [path for path in paths if not os.path.exists(path)]
    if missing:
        names = [f"--net={os.path.basename(path)[:-5]}" for path in missing]
        subprocess.run([sys.executable, os.path.join(HERE, "zoo.py"), folder] + names, check=True, stdout=sys.stderr)
    return paths


def main():
    args = parse_args()
    args.stent, args.folder = os.path.abspath(args.stent), os.path.abspath(args.folder)
    os.makedirs(args.folder, exist_ok=True)
    cores = choose_cores(args.threads)
    if len(cores) < args.threads:
        sys.exit(f"versus: {args.threads} threads, but this process may use {len(cores)} cores only")
    flags = cpuinfo("flags").split()
    print(f"{cpuinfo('model name')}, cores {cores}, load before {os.getloadavg()[0]:.2f}")
    rows, failed = [], False
    zoo = os.path.join(os.path.dirname(args.folder), "zoo")
    for path in args.models or (zoo_nets(zoo) if args.zoo else study_nets(args.folder)):
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            try:
                case = prepare(args, os.path.abspath(path), folder)
                for mask in args.isa:
                    if MASKS[mask][2] not in flags:
                        print(f"\n{os.path.basename(path)}   isa {mask}: this machine does not have it; skipped")
                        continue
                    now = measure(args, os.path.abspath(path), case, mask, cores, folder)
                    print_rows(now)
                    failed |= len(now) < 1 + len(args.peers)
                    rows += now
            except (EngineError, NotImplementedError) as error:
                print(f"versus: {path}: {error}", file=sys.stderr)
                failed = True
    print_summary(rows)
    missed = check(args, rows)
    for line in missed:
        print("NOT HELD: " + line)
    write_results(args, rows, missed)
    return 3 if failed else 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
