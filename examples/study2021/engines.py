"""Programs that are measured in turn: each a process of its own on the same cores, stopped while another runs.

How a process is started, stopped and read is bench/versus.py's; the questions go further than its `run N`.
"""
import glob
import json
import os
import signal
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "bench"))

import versus  # noqa: E402  (needs the path above)

EngineError = versus.EngineError
choose_cores, cpuinfo = versus.choose_cores, versus.cpuinfo


class Engine(versus.Engine):
    """Ctrl-C is for the driver, which ends what it has started."""

    def pin(self):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        super().pin()


class Worker(versus.Process):
    """A process that answers lines, stopped except while it answers."""

    def ask(self, line, seconds=900):
        self.child.send_signal(signal.SIGCONT)
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        answer = json.loads(self.read(seconds))
        self.stop()
        return answer

    def close(self):
        """At once, whatever it is doing: it holds nothing that is worth waiting for."""
        self.child.kill()
        self.child.wait()
        self.log.close()


def start(name, command, env, cores, folder):
    """A process that has said that it is ready."""
    process = Worker(Engine(name, command, None, env, cores), folder)
    try:
        process.wait_ready()
    except BaseException:
        process.close()
        raise
    return process


def python_of(environment):
    return os.path.join(ROOT, "build", f"venv-{environment}", "bin", "python")


def hold(process, cores):
    """Holds all threads of a process to these cores."""
    for thread in os.listdir(f"/proc/{process.child.pid}/task"):
        os.sched_setaffinity(int(thread), cores)


def start_framework(study, framework, device="cpu", threads=None):
    """framework.py in its environment, or in the Python that the user named."""
    threads = threads or study.threads
    env = {"OMP_NUM_THREADS": str(threads), "TF_NUM_INTRAOP_THREADS": str(threads), "TF_CPP_MIN_LOG_LEVEL": "2",
           "PYTHONDONTWRITEBYTECODE": "1"}
    if device == "cpu":
        env["CUDA_VISIBLE_DEVICES"] = ""
    command = [study.pythons[framework], os.path.join(HERE, "framework.py"), framework, study.models, "--slices",
               study.slices_file, "--threads", str(threads), "--device", device]
    return start(f"{framework}-{device}-{threads}", command, env, study.cores, study.scratch)


def start_stent(study, name, package, *options, env=None):
    """`stent bench --lockstep` on the first slice."""
    command = [study.stent.program, "bench", package, "--lockstep", "--input", study.input_file, "--threads",
               str(study.threads), *options]
    return start(name, command, {**study.stent.env, **(env or {})}, study.cores, study.scratch)


def start_onnxruntime(study, model):
    """ONNX Runtime as bench/peers.json sets it up, by bench/worker.py."""
    command = [sys.executable, os.path.join(ROOT, "bench", "worker.py"), "onnxruntime", model, "--lockstep", "--input",
               study.input_file, "--threads", str(study.threads)]
    return start("onnxruntime-" + os.path.basename(model), command, {"OMP_NUM_THREADS": str(study.threads)}, study.cores,
                 study.scratch)


def gpu_of(study, framework):
    """The GPU's name that the framework sees, or an empty text."""
    if not glob.glob("/dev/nvidia[0-9]*") and not os.path.exists("/dev/kfd"):
        return ""  # no driver has one: saves loading the framework
    done = subprocess.run([study.pythons[framework], os.path.join(HERE, "framework.py"), framework, study.models, "--probe"],
                          env=dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3"), capture_output=True, text=True, timeout=300, check=False)
    lines = done.stdout.strip().splitlines()
    return lines[-1] if done.returncode == 0 and lines else ""


def blocks(engines, rounds, runs):
    """{name: [[ms] of each round]}. `engines`: [(name, measure(runs))]. Rounds go A B C, C B A, A B C, ...: neighbours are
    compared, and what changes slowly hits both sides alike. The first run of each block wakes a process up and is left out."""
    times = {name: [] for name, _ in engines}
    for number in range(rounds):
        for name, measure in (engines if number % 2 == 0 else engines[::-1]):
            times[name].append(measure(runs + 1)[1:])
    return times


def medians(block_list):
    return [statistics.median(block) for block in block_list]


def means(block_list):
    return [statistics.fmean(block) for block in block_list]
