"""Question 3: why did timings jump? Series of 25 single pictures of PyTorch's network, by PyTorch and by tuned stent: alone,
with other numbers of threads, beside a data loader and a busy loop, pinned, and without waiting for the result."""
import contextlib
import os
import subprocess
import sys

import numpy as np

import engines
import facts
import intervals
import page
from page import muted, number_column, text_column

SECONDS = 4   # a series of the framework ends after so long, with fewer runs, where a load makes it slow
DEPTH = 8     # pictures on their way that nobody waits for
CAUSES = {"stolen": "hypervisor", "waited": "ready without a CPU", "preempted": "preempted", "migrated": "moved to another core",
          "disk_faults": "disk", "page_faults": "page faults", "clock": "clock", "others": "other processes"}


@contextlib.contextmanager
def load(study, kind, count):
    """`count` processes of load.py on the cores of the study."""
    words = [study.data] if kind == "loader" else []
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "load.py")
    running = [subprocess.Popen([sys.executable, script, kind, *words], preexec_fn=lambda: os.sched_setaffinity(0, study.cores))
               for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def conditions(study):
    """[(name, threads, cores or None, (kind of load, processes) or None)]."""
    all_of_them, one = study.threads, study.cores[:1]
    made = [("alone", all_of_them, None, None)]
    if all_of_them > 1:
        made.append(("alone, one thread", 1, None, None))
    made += [("alone, one thread held to one core", 1, one, None),
             (f"alone, {2 * all_of_them} threads on {all_of_them} cores", 2 * all_of_them, None, None),
             (f"beside a data loader ({all_of_them} processes)", all_of_them, None, ("loader", all_of_them)),
             ("beside a busy loop", all_of_them, None, ("busy", 1)),
             ("beside a busy loop, one thread", 1, None, ("busy", 1)),
             ("beside a busy loop, one thread held to one core", 1, one, ("busy", 1))]
    return made


# ---- measuring ------------------------------------------------------------------------------------------------------

def measure(study):
    """study.steady: [(condition, engine, [ms], what the system saw)]."""
    net = study.nets[0]
    workers = {study.threads: net.worker}  # one for each number of threads, as frameworks fix it at their start
    try:
        for name, threads, cores, kind in conditions(study):
            if threads not in workers:
                workers[threads] = engines.start_framework(study, net.environment, threads=threads)
            engines.hold(workers[threads], cores or study.cores)
            with load(study, *kind) if kind else contextlib.nullcontext():
                times = workers[threads].ask(f"series {study.runs} {SECONDS}")
                study.steady.append((name, f"{net.framework}, {net.way}", times, None))
                said = study.stent.measured("bench", net.package, "--repeat", study.runs, "--list", threads=threads,
                                            cores=cores or study.cores)
                study.steady.append((name, "stent, tuned", said["ms"], said))
    finally:
        for threads, worker in workers.items():
            if worker is not net.worker:
                worker.close()
    study.steady.append(("alone, the clock read without waiting", f"{net.framework}, {net.way}",
                         net.worker.ask(f"unwaited {study.runs} {DEPTH}"), None))


# ---- what it says ---------------------------------------------------------------------------------------------------

def seen_of(said):
    """What the system counted, for stent, which tells it."""
    if not said:
        return None
    slow = [run for run in said["outliers"]]
    named = sorted({CAUSES.get(cause, cause) for run in slow for cause in run["causes"]})
    unexplained = sum(not run["causes"] for run in slow)
    counted = said["disturbances"]
    parts = [f"{counted['waited']:.0f} ms ready without a CPU"] if counted.get("waited") else []
    parts += [f"{counted['others']:.0f} ms of other processes"] if counted.get("others") else []
    parts += [f"{len(slow)} slow runs" + (f" ({', '.join(named)})" if named else "") +
              (f", {unexplained} unexplained" if unexplained else "")] if slow else []
    return "; ".join(parts) or "nothing"


def rows_of(study):
    alone = {engine: np.mean(times) for name, engine, times, _ in study.steady if name == "alone"}
    return [[name, engine, float(np.mean(times)), 100 * intervals.variation(times), min(times), max(times),
             float(np.mean(times) / alone[engine]), len(times), seen_of(said)] for name, engine, times, said in study.steady]


def gpu_row(study, net):
    if net.framework not in study.gpu_unwaited:
        return [f"GPU, {net.framework}, with and without waiting", None, muted("no GPU here")] + [None] * 6
    waited = engines.means(study.gpu_blocks[net.framework])
    times = study.gpu_unwaited[net.framework]
    return [f"GPU, {net.framework}, the clock read without waiting", f"{net.framework}, {net.way}", float(np.mean(times)),
            100 * intervals.variation(times), min(times), max(times), float(np.mean(times) / np.mean(waited)), len(times), None]


def answer(study):
    """Sentences of the figures: who varies by how much, and the least and the worst condition."""
    text = []
    for engine in dict.fromkeys(engine for _, engine, _, _ in study.steady):
        mine = {name: times for name, other, times, _ in study.steady if other == engine and "without waiting" not in name}
        alone = mine["alone"]
        by_cv = sorted(mine, key=lambda name: intervals.variation(mine[name]))
        worst = by_cv[-1]
        slowest = max(mine, key=lambda name: np.mean(mine[name]))
        text.append(f"{engine}: CV {intervals.percent(alone)} alone; most, {intervals.percent(mine[worst])}, {worst}; slowest {slowest}: {np.mean(mine[slowest]) / np.mean(alone):.1f} times the mean alone.")
    times = next(times for name, _, times, _ in study.steady if "without waiting" in name)
    waited = np.mean(next(times for name, _, times, _ in study.steady if name == "alone"))
    quick = sum(t < 0.1 * waited for t in times)
    text.append(f"The clock read without waiting: {quick} of {len(times)} pictures seem to take less than a tenth of what one takes "
                f"({waited:.1f} ms), because the caller only hands them over; once {DEPTH} are on their way each call waits for an older "
                f"one: CV {100 * intervals.variation(times):.0f} %. (On this CPU a thread with a queue stands for the GPU's queue.)")
    return text


def section(study):
    columns = [text_column("condition"), text_column("engine"), number_column("mean", "ms", 2), number_column("CV", "%", 1),
               number_column("min", "ms", 2), number_column("max", "ms", 2), number_column("mean / alone", None, 2),
               number_column("runs", None, 0), text_column("what the system saw")]
    rows = rows_of(study) + [gpu_row(study, net) for net in study.nets]
    series = [{"name": f"{engine}: {name}", "unit": "ms", "values": times} for name, engine, times, _ in study.steady]
    theirs = {when: 100 * intervals.variation(runs) for when, runs in facts.TABLE_2.items()}
    return {"title": "Question 3: why did timings jump?", "text": [
        facts.TIMINGS_JUMP + f" CV of its Table 2: {theirs['before']:.1f} % before, {theirs['after']:.1f} % after."] + answer(study),
        "table": page.table(columns, rows, f"A run is one picture; {study.runs} runs, or as many as the framework makes in "
                            f"{SECONDS} s (at least 5). What the system saw is stent bench --list; frameworks don't tell."), "series": series}
