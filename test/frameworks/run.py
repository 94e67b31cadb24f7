#!/usr/bin/env python3
"""Checks stent against other people's programs: ONNX Runtime, the onnx package, Pillow; TensorFlow, Keras and PyTorch,
which write models in Python environments of their own (models.py).

    make check-frameworks
    build/venv-frameworks/bin/python test/frameworks/run.py --only 'Conv/' --keep /tmp/case

Every test_*.py here has a function tests(context) that gives Tests; closing_tests(context, results), where there is
one, gives those that look at the results; prepare(context, tests) gets what the tests that will run need. Without --long
the whole takes at most about ten minutes: what has not started by then is skipped. The last line is `N passed, N failed, N skipped`.
"""
import argparse
import collections
import concurrent.futures
import dataclasses
import importlib
import os
import re
import sys
import tempfile
import time
import traceback
import typing

import tool as tools

HERE = os.path.dirname(os.path.abspath(__file__))
# The most telling first, so that a slow machine skips the least.
MODULES = ("test_ops", "test_backend", "test_keras", "test_torch_weights", "test_export", "test_script", "test_shared_models",
           "test_python", "test_metrics", "test_graphs", "test_lgg", "test_training", "test_opsets", "test_zoo", "test_examples",
           "test_tune", "test_study", "test_figures")


@dataclasses.dataclass
class Test:
    """`run` returns nothing, or {mode: None or what is wrong}; it may raise tool.Failure or tool.Skip."""
    name: str
    group: str  # the line of the table that it is counted in
    run: typing.Callable
    alone: bool = False  # uses several threads itself


@dataclasses.dataclass
class Context:
    tool: tools.Tool
    testdata: str
    long: bool
    keep: str
    write_docs: bool
    deadline: float
    jobs: int

    def left(self):
        """Seconds that a long call may take."""
        return 3600 if self.long else max(60, self.deadline - time.monotonic() + 30)


@dataclasses.dataclass
class Result:
    status: str  # passed, failed, skipped
    text: str = ""
    modes: dict = dataclasses.field(default_factory=dict)


def run_one(test, context):
    if time.monotonic() > context.deadline:
        return Result("skipped", "no time left (--long has no limit)")
    try:
        modes = test.run() or {}
    except tools.Skip as skip:
        return Result("skipped", str(skip))
    except tools.Failure as failure:
        return Result("failed", str(failure))
    except Exception:
        return Result("failed", "the test itself: " + traceback.format_exc(limit=-2).strip())
    return Result("failed" if any(modes.values()) else "passed", describe(modes), modes)


def describe(modes):
    """'reference, avx2: shape ...': modes that fail in the same way are named together."""
    by_text = collections.defaultdict(list)
    for mode, text in modes.items():
        if text:
            by_text[text].append(mode)
    return "; ".join(f"{', '.join(names)}: {text}" for text, names in by_text.items())


def collect(context, only):
    tests = []
    for name in MODULES:
        tests += importlib.import_module(name).tests(context)
    return [test for test in tests if not only or re.search(only, test.name)]


def prepare(context, tests):
    for name in MODULES:
        module = importlib.import_module(name)
        if hasattr(module, "prepare"):
            module.prepare(context, tests)


def closing(context, results):
    modules = [importlib.import_module(name) for name in MODULES]
    return [test for module in modules if hasattr(module, "closing_tests") for test in module.closing_tests(context, results)]


def run_all(tests, context, jobs):
    """[(test, result)] in the order of `tests`; in parallel but for tests that want the machine to themselves."""
    results = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        batch = []

        def flush():
            for test, result in zip(batch, pool.map(lambda t: run_one(t, context), batch)):
                report(test, result)
                results.append((test, result))
            batch.clear()
        for test in tests:
            if not test.alone:
                batch.append(test)
                continue
            flush()
            result = run_one(test, context)
            report(test, result)
            results.append((test, result))
        flush()
    return results


def report(test, result):
    if result.status == "failed":
        print(f"FAIL {test.name}: {result.text}", flush=True)
        print(f"     repeat: {sys.executable} {os.path.relpath(__file__)} --only '^{re.escape(test.name)}$'")
    elif result.status == "skipped":
        print(f"skip {test.name}: {result.text}", flush=True)
    elif test.alone:
        print(f"ok   {test.name}", flush=True)


def print_table(results):
    """A line per group: tests passed, and for each mode how many."""
    groups = {}
    for test, result in results:
        groups.setdefault(test.group, []).append(result)
    modes = list(dict.fromkeys(mode for _, result in results for mode in result.modes))
    print(f"\n{'':<26}{'passed':>12}" + "".join(f"{mode:>12}" for mode in modes))
    for group, members in groups.items():
        ran = [r for r in members if r.status != "skipped"]
        line = f"{group:<26}{sum(r.status == 'passed' for r in ran):>5} of {len(ran):<4}"
        for mode in modes:
            seen = [r.modes[mode] for r in ran if mode in r.modes]
            line += f"{seen.count(None):>4} of {len(seen):<4}" if seen else " " * 12
        print(line.rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stent", default=os.path.join(tools.ROOT, "build", "stent"))
    parser.add_argument("--only", help="regular expression that a test's name must contain")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--long", action="store_true", help="everything, however long it takes")
    parser.add_argument("--budget", type=float, default=570, help="seconds after which no test is started (default 570)")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--keep", help="folder for the models and arrays of the tests that run (use with --only)")
    parser.add_argument("--write-docs", action="store_true", help="write the counts of the backend tests to docs/FORMATS.md")
    args = parser.parse_args()
    if not args.list and not os.access(args.stent, os.X_OK):
        parser.error(f"{args.stent} is not there: run make first, or name it with --stent")
    testdata = os.environ.get("STENT_TESTDATA", os.path.join(tools.ROOT, "..", "shared"))
    with tempfile.TemporaryDirectory(prefix="stent-frameworks-") as scratch:
        context = Context(tools.Tool(args.stent, scratch), testdata, args.long, args.keep, args.write_docs, float("inf"),
                          args.jobs)
        tests = collect(context, args.only)
        if args.list:
            print("\n".join(test.name for test in tests))
            return 0
        prepare(context, tests)
        if not args.long:  # files are written once, so that their time does not count
            context.deadline = time.monotonic() + args.budget
        results = run_all(tests, context, args.jobs)
        results += run_all(closing(context, results), context, 1)
    print_table(results)
    count = collections.Counter(result.status for test, result in results)
    print(f"\n{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return int(count["failed"] > 0 or not results)


if __name__ == "__main__":
    # The tests import what is defined here from the module `run`: let that be this one.
    sys.modules["run"] = sys.modules["__main__"]
    sys.exit(main())
