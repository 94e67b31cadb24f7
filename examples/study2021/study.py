#!/usr/bin/env python3
"""Repeats the 2021 study: PyTorch and TensorFlow against stent on the same networks and slices, and its four open questions.

    examples/study2021/run --data ../shared/lgg --models ../shared/models/lgg [-o DIR]

Writes DIR/study.json, report.html, table1.csv, table2.csv. Progress goes to stderr; the verdict on Dice to stdout.
Exit status: 0; 1: Dice before and after, or the expected one, differ in the fourth decimal (the page says where); 2: usage;
3: data or models missing or not as expected; 5: a program, environment or folder is missing; 130: interrupted, and
nothing was written.
"""
import argparse
import dataclasses
import datetime
import os
import signal
import sys
import tempfile
import time

import numpy as np

import answers
import data
import engines
import evaluation
import facts
import page
import program
import progress
import question_cpu
import question_frameworks
import question_layers
import question_steadiness
import tables

ROOT = engines.ROOT
OUTPUTS = ("report.html", "study.json", "table1.csv", "table2.csv")
BUSY = 0.2  # CPUs that others may use before a line says so


@dataclasses.dataclass
class Net:
    """One of the two networks: its framework, the way that the framework is used in Table 1, its files."""
    framework: str
    environment: str
    way: str
    stem: str
    target: str = "CPU"
    model: str = ""
    pipeline: str = ""
    package: str = ""
    tuned: dict = None
    worker: object = None
    repeat_seconds: float = 0  # one repeat of Table 1


class Study:
    """What the steps share: where things are, how much is measured, and what was found."""

    def __init__(self, args, scratch):
        self.data, self.models, self.scratch = os.path.abspath(args.data), os.path.abspath(args.models), scratch
        self.quick = args.quick
        self.repeats, self.runs, self.images, self.few = (2, 3, 1, 2) if args.quick else (5, 25, 4, 5)
        self.deadline = time.monotonic() + 60 * args.minutes - 10  # the page is made and files are written behind it
        self.tune = args.tune or ("3s" if args.quick else "20s")
        self.slices = data.Slices(self.data, args.slices or (1 if args.quick else None))
        self.nets = [Net("PyTorch", "torch", "eager", "seed-torch-w32"),
                     Net("TensorFlow", "tensorflow", "tf.function", "seed-keras-w16")]
        self.pythons = {"torch": args.torch_python or engines.python_of("torch"),
                        "tensorflow": args.tensorflow_python or engines.python_of("tensorflow")}
        self.stent = program.Stent(args.stent, scratch, args.threads)
        self.machine = self.stent.json("machine")
        self.threads = self.stent.threads = args.threads or self.machine["cores"]
        self.cores = engines.choose_cores(self.threads)
        self.passes, self.scores, self.masks, self.blocks, self.ways = {}, {}, {}, {}, {}
        self.gpus, self.gpu_blocks, self.gpu_unwaited = {}, {}, {}
        self.cpu, self.same_engine, self.made_of, self.pipelines, self.profiles = {}, {}, {}, {}, {}
        self.steady, self.evals, self.results = [], {}, []  # results: JSON that goes into the report beside the page
        self.read_models()

    def read_models(self):
        """The files of both networks, what is expected of them, and the slices as the workers read them."""
        self.expected, self.expected_masks = data.read_json(os.path.join(self.models, "expected.json")), {}
        for net in self.nets:
            net.model, net.pipeline = (os.path.join(self.models, net.stem + end) for end in (".onnx", ".pipeline.json"))
            for path in (net.model, net.pipeline):
                if not os.path.exists(path):
                    raise data.DataError(f"{path}: a file of the models is missing")
            path = os.path.join(self.models, net.stem + ".masks.npz")
            try:
                with np.load(path) as packed:
                    self.expected_masks[net.stem] = data.unpacked(packed, self.slices)
            except OSError as error:
                raise data.DataError(f"{path}: expected ONNX Runtime's masks: {error}") from None
        self.slices_file, self.input_file = (os.path.join(self.scratch, n) for n in ("slices.npy", "input.npy"))
        np.save(self.slices_file, self.slices.pictures)
        np.save(self.input_file, self.slices.pictures[:1].transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255))

    # ---- what steps do --------------------------------------------------------------------------------------------

    def compile(self, net):
        net.package = os.path.join(self.scratch, net.stem + ".stent")
        self.stent.call("compile", net.model, "-o", net.package, "--pipeline", net.pipeline, "-q")

    def start(self, net):
        net.worker = engines.start_framework(self, net.environment)

    def tune_net(self, net):
        net.tuned = self.stent.measured("tune", net.package, "--time", self.tune, "-q", cores=self.cores)

    def profile(self, net, *options, repeat=5, **more):
        return self.stent.measured("profile", net.package, "--repeat", repeat, *options, cores=self.cores, **more)

    def segment(self, net, way):
        options = ["--untuned"] if way == "untuned" else []
        return self.stent.segment(net.package, self.slices, os.path.join(self.scratch, f"{net.stem}-{way}"), *options)

    def stent_masks(self, net, way):
        return program.read_masks(os.path.join(self.scratch, f"{net.stem}-{way}"), self.slices)

    def masks_of(self, package, folder, *options):
        self.stent.segment(package, self.slices, folder, *options)
        return program.read_masks(folder, self.slices)

    def worker_masks(self, worker):
        path = os.path.join(self.scratch, "masks.npy")
        worker.ask(f"masks {path}")
        return np.unpackbits(np.load(path))[:self.slices.truth.size].reshape(self.slices.truth.shape).astype(bool)

    def framework_masks(self, net):
        return self.worker_masks(net.worker)

    def score(self, masks):
        return data.Score(masks, self.slices.truth, self.slices.patients)

    def keep_masks(self, net, way, masks):
        key = net.target, net.framework, way
        self.masks[key], self.scores[key] = masks, self.score(masks)

    def close(self):
        for net in self.nets:
            if net.worker:
                net.worker.close()


def busy_cpus(seconds=1.0):
    """How many CPUs other programs keep busy, while this one sleeps."""
    def ticks():
        with open("/proc/stat", encoding="ascii") as file:
            numbers = [int(word) for word in file.readline().split()[1:9]]
        return sum(numbers) - numbers[3] - numbers[4]  # less idle and waiting for a disk
    before = ticks()
    time.sleep(seconds)
    return (ticks() - before) / os.sysconf("SC_CLK_TCK") / seconds


# ---- the steps --------------------------------------------------------------------------------------------------------

def seconds_of(text):
    return float(text[:-1]) * {"s": 1, "m": 60}[text[-1]]


def add_steps(study, steps):
    """Guesses of seconds are of two cores with AVX-512 and all slices; Steps stretches them."""
    part, tune = len(study.slices) / 296, seconds_of(study.tune)

    def each(label, guess, function):
        for net in study.nets:
            steps.add(f"{net.framework}: {label}", guess, lambda n=net: function(n))

    each("compile the package", 3, study.compile)
    each("start the framework", 12, study.start)
    each(f"stent tune, {study.tune}", tune * 1.2 + 3, study.tune_net)
    each("Table 1: all slices, before and after in turn", 180 * part + 5, lambda n: tables.measure_table_1(study, n))
    each("Table 2 and ratios", 60 * study.runs / 25 + 5, lambda n: tables.measure_table_2(study, n))
    each("GPU", 8, lambda n: tables.measure_gpu(study, n))
    for net in study.nets[-1:] if study.quick else study.nets:  # the lighter network is enough for trying
        steps.add(f"{net.framework}: question 1: fewer lanes, plain sums, reference path", 45,
                  lambda n=net: question_cpu.measure(study, n))
    steps.add("question 2: the same engine for both networks", 20, lambda: question_frameworks.measure_engines(study))
    each("question 2: other pre-processing", 25 * part + 3, lambda n: question_frameworks.measure_pipelines(study, n))
    steps.add("question 3: threads, load, waiting", 100 * study.runs / 25, lambda: question_steadiness.measure(study))
    if evaluation.had(study.stent):
        each("stent eval", 25 * part + 3, lambda n: evaluation.measure(study, n))
    each("question 4: profile", 6, lambda n: question_layers.measure(study, n))
    steps.add("Table 1: the repeats that are left", 120 * part, lambda: tables.complete_table_1(study))


# ---- the page ---------------------------------------------------------------------------------------------------------

def machine_of(study):
    info = study.made_of[study.nets[0].framework]["info"]["machine"]
    return {**info, "cores": study.machine["cores"], "l2_bytes": study.machine["l2_bytes"], "l3_bytes": study.machine["l3_bytes"],
            "memory_bytes": study.machine["memory_bytes"]}


def sections_of(study):
    made = [answers.section(study), tables.table_1(study), tables.ratios(study), tables.table_2(study), tables.dice_section(study),
            tables.patients_section(study)] + ([evaluation.section(study)] if study.evals else [])
    made.append(question_cpu.section(study))
    made += [question_cpu.layers_section(study, net) for net in study.nets
             if "sse2" in study.cpu.get(net.framework, {"times": ()})["times"]]
    made += [question_frameworks.networks_section(study), question_frameworks.engines_section(study),
             question_frameworks.dice_section(study), question_steadiness.section(study)]
    return made + [question_layers.section(study, net) for net in study.nets]


def assumed(study):
    versions = ", ".join(f"{net.framework} {net.worker.version}" for net in study.nets)
    gpus = "; ".join(f"{name}: {gpu or 'no GPU'}" for name, gpu in study.gpus.items())
    lines = [f"Frameworks: {versions}, {study.threads} threads, in inference mode, warmed up; GPUs that they see: {gpus}.",
             "All patients of the data set are test patients of both networks: they were trained on others.",
             "A time of the framework goes from a numpy array to a numpy array in the framework's own layout; pictures are made "
             "float32 / 255 before. A time of stent is that of stent segment's results.json, or of stent bench.",
             "The networks have the study's architectures at other widths, so times stand beside the study's for their "
             "changes, not for their size."]
    if study.busy > BUSY:
        lines.append(f"Other programs kept {study.busy:.1f} CPUs busy when it began: times mean little.")
    if not study.slices.complete:
        lines.append(f"A short run: {len(study.slices)} slices, {study.repeats} repeats. Its figures are for trying the script, "
                     "not for reading.")
    return lines


def page_of(study, version):
    return {"verb": "page", "stent": version, "title": "The 2021 study, repeated",
            "subtitle": f"\"{facts.TITLE}\": before and after, and its four open questions by measurement",
            "date": datetime.date.today().isoformat(), "machine": machine_of(study), "sections": sections_of(study),
            "assumed": assumed(study)}


def write_results(study, folder):
    """Each file whole; the report last, as it is made of the page."""
    content = page_of(study, study.machine["stent"])
    page.write_whole(os.path.join(folder, "table1.csv"), tables.csv_1(study))
    page.write_whole(os.path.join(folder, "table2.csv"), tables.csv_2(study))
    result = os.path.join(folder, "study.json")
    page.write_whole(result, page.page_text(content))
    try:
        study.stent.call("report", result, *study.results, "-o", os.path.join(folder, "report.html"))
    except program.StentError as error:
        if error.status not in (2, 4):
            raise
        print("study2021: this stent has no verb report: report.html was not made", file=sys.stderr)


# ---- the command line -------------------------------------------------------------------------------------------------

def parse_args(words):
    parser = argparse.ArgumentParser(prog="examples/study2021/run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of the test patients, PATIENT/PATIENT_N.tif and ..._mask.tif")
    parser.add_argument("--models", required=True, help="folder of the two networks, their pipelines and expected.json")
    parser.add_argument("-o", dest="out", default="study2021-out", metavar="DIR", help="default: study2021-out")
    parser.add_argument("--quick", action="store_true", help="a slice of each patient, few repeats: to try the script")
    parser.add_argument("--slices", type=int, help="so many slices of each patient; default: all")
    parser.add_argument("--tune", metavar="TIME", help="for stent tune, a network (default 20s)")
    parser.add_argument("--minutes", type=float, default=14, help="when to end, about (default 14): what comes last, the fourth "
                        "and fifth repeat of Table 1, is left out where there is no time")
    parser.add_argument("--threads", type=int, default=0, help="default: the physical cores")
    parser.add_argument("--stent", default=os.path.join(ROOT, "build", "stent"), help="default: build/stent")
    parser.add_argument("--torch-python", metavar="PROGRAM", help="a Python with PyTorch, as for a GPU; default: build/venv-torch")
    parser.add_argument("--tensorflow-python", metavar="PROGRAM", help="a Python with TensorFlow; default: build/venv-tensorflow")
    args = parser.parse_args(words)
    if args.tune and (args.tune[-1:] not in ("s", "m") or not args.tune[:-1].replace(".", "", 1).isdigit()):
        parser.error("--tune: expected a time, as 40s")
    if args.slices is not None and args.slices < 1 or args.threads < 0:
        parser.error("--slices and --threads: expected a number above 0")
    return args


def missing_part(args):
    """(what is missing, exit status), or None."""
    if not os.access(args.stent, os.X_OK):
        return f"{args.stent} is missing; type: make", 5
    for name in ("torch", "tensorflow"):
        python = getattr(args, f"{name}_python") or engines.python_of(name)
        if not os.access(python, os.X_OK):
            return f"{python}: the Python with {name} is missing; type: tools/venv test/frameworks/{name}.txt build/venv-{name}", 5
    for option in ("data", "models"):
        if not os.path.isdir(getattr(args, option)):
            return f"{getattr(args, option)}: expected the folder of --{option}, got none", 3
    return None


def repeat_study(args, interrupts):
    """Measures all, then writes all. 0, or 1 where Dice did not stay."""
    with tempfile.TemporaryDirectory(prefix="stent-study-") as scratch:
        study = Study(args, scratch)
        if len(study.cores) < study.threads:
            raise engines.EngineError(f"{study.threads} threads, but this process may use {len(study.cores)} cores only")
        study.busy = busy_cpus()
        if study.busy > BUSY:
            print(f"study2021: other programs keep {study.busy:.1f} CPUs busy: this takes longer, and times mean little",
                  file=sys.stderr)
        steps = progress.Steps()
        add_steps(study, steps)
        try:
            steps.run(interrupts.check)
            write_results(study, args.out)
        finally:
            study.close()
        verdict = tables.dice_section(study)["text"][0]
        names = [name for name in OUTPUTS if os.path.exists(os.path.join(args.out, name))]
        print(f"{verdict}\n{args.out}: {', '.join(names)}")
        return int(bool(tables.check_dice(study)[1]))


class Interrupts:
    """Whoever gets Ctrl-C first, the driver or a stent that it waits for: it was an interruption."""

    def __init__(self):
        self.seen = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.take)

    def take(self, *_):
        self.seen = True
        raise KeyboardInterrupt

    def check(self):
        """Python drops an exception that comes while it forks or collects garbage: asked between the steps."""
        if self.seen:
            raise KeyboardInterrupt


def main(words):
    args = parse_args(words)
    missing = missing_part(args)
    if missing:
        print(f"study2021: {missing[0]}", file=sys.stderr)
        return missing[1]
    interrupts = Interrupts()
    try:
        os.makedirs(args.out, exist_ok=True)
        return repeat_study(args, interrupts)
    except (data.DataError, engines.EngineError, program.StentError, OSError, KeyboardInterrupt) as error:
        status = 130 if interrupts.seen else 3 if isinstance(error, data.DataError) else 5
        print(f"study2021: {'interrupted; nothing was written' if interrupts.seen else error}", file=sys.stderr)
        return status
    finally:
        if os.path.isdir(args.out) and not os.listdir(args.out):
            os.rmdir(args.out)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
