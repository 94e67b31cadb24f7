#!/usr/bin/env python3
"""One peer engine in a process of its own, driven by bench/versus.py.

    bench/worker.py PEER MODEL.onnx --input x.npy --lockstep [--expect y.npy]

Speaks the protocol of `stent bench --lockstep`: prints `ready MAXABSERR VERSION`; for every line `run N` on
stdin prints a JSON list of N latencies in ms, input tensor to output tensor; ends at end of input.
Without --lockstep it runs once. --output keeps the result, --memory prints the process's peak in MB (VmHWM)
after one run and after three.
PEER is a name in peers.json, where version and settings are pinned.
"""
import argparse
import gc
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

MASK = ("CPUMASK", "CPUMASK_LOG", "CPUMASK_HOW", "LD_AUDIT", "GLIBC_TUNABLES")  # bench/cpumask.c and versus.py
HERE = os.path.dirname(os.path.abspath(__file__))


def load_peers():
    with open(os.path.join(HERE, "peers.json"), encoding="utf-8") as file:
        return json.load(file)


# ---- one function per engine: (model path, settings, threads, input) -> a function that runs once --------

def onnxruntime(model, settings, threads, x):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = settings["inter_op_num_threads"]
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, settings["graph_optimization_level"])
    options.execution_mode = getattr(ort.ExecutionMode, settings["execution_mode"])
    options.log_severity_level = 3
    for key, value in settings.items():
        if "." in key:
            options.add_session_config_entry(key, value)
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: x}
    return lambda: session.run(None, feed)[0]


def openvino(model, settings, threads, x):
    import openvino as ov
    core = ov.Core()
    network = core.read_model(model)
    network.reshape(list(x.shape))
    request = core.compile_model(network, "CPU", {**settings, "INFERENCE_NUM_THREADS": str(threads)}).create_infer_request()
    request.set_input_tensor(ov.Tensor(x, shared_memory=True))

    def run():
        request.infer()
        return request.get_output_tensor(0).data
    return run


def mnn(model, settings, threads, x):
    import MNN
    with tempfile.TemporaryDirectory() as folder:
        converted = os.path.join(folder, "model.mnn")
        convert([os.path.join(os.path.dirname(sys.executable), "mnnconvert"), "-f", "ONNX", "--modelFile", model,
                 "--MNNModel", converted, "--bizCode", "stent"])
        interpreter = MNN.Interpreter(converted)
    session = interpreter.createSession({**settings, "numThread": threads})
    source, target = interpreter.getSessionInput(session), interpreter.getSessionOutput(session)
    interpreter.resizeTensor(source, x.shape)
    interpreter.resizeSession(session)
    given = MNN.Tensor(x.shape, MNN.Halide_Type_Float, x, MNN.Tensor_DimensionType_Caffe)

    def run():
        source.copyFrom(given)
        interpreter.runSession(session)
        shape = target.getShape()
        result = MNN.Tensor(shape, MNN.Halide_Type_Float, np.empty(shape, np.float32), MNN.Tensor_DimensionType_Caffe)
        target.copyToHostTensor(result)
        return np.array(result.getNumpyData()).reshape(shape)  # a copy: the memory goes with `result`
    return run


def ncnn(model, settings, threads, x):
    import ncnn as engine
    net = engine.Net()
    net.opt.num_threads = threads
    for key, value in settings.items():
        setattr(net.opt, key, value)
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "model.onnx")
        os.symlink(os.path.abspath(model), copy)
        convert([os.path.join(os.path.dirname(sys.executable), "pnnx"), copy,
                 "inputshape=[" + ",".join(map(str, x.shape)) + "]", "fp16=0"], folder)
        net.load_param(os.path.join(folder, "model.ncnn.param"))
        net.load_model(os.path.join(folder, "model.ncnn.bin"))
    given = engine.Mat(x[0])

    def run():
        extractor = net.create_extractor()
        extractor.input("in0", given)
        status, out = extractor.extract("out0")
        if status:
            raise RuntimeError(f"ncnn: status {status}")
        return np.array(out)[None]
    return run


def torch(model, settings, threads, x):
    import torch as engine
    engine.set_num_threads(threads)
    traced = os.path.splitext(model)[0] + ".ts"
    if not os.path.exists(traced):
        raise RuntimeError(f"{traced} is missing: torch runs networks of bench/zoo.py")
    network, given = engine.jit.optimize_for_inference(engine.jit.load(traced).eval()), engine.from_numpy(x)

    def run():
        with engine.inference_mode():
            return network(given).numpy()
    return run


def convert(command, folder=None):
    """Runs an engine's own converter, without the CPU mask (it is not what is measured)."""
    env = {k: v for k, v in os.environ.items() if k not in MASK}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: status {done.returncode}: {(done.stdout + done.stderr)[-500:]}")


ENGINES = {"onnxruntime": onnxruntime, "openvino": openvino, "mnn": mnn, "ncnn": ncnn, "torch": torch}


def serve(run, reply):
    """Answers `run N` until end of input."""
    for line in sys.stdin:
        words = line.split()
        if len(words) != 2 or words[0] != "run":
            sys.exit(f"worker: expected 'run N', got {line!r}")
        times = []
        for _ in range(int(words[1])):
            start = time.perf_counter()
            run()
            times.append(round((time.perf_counter() - start) * 1e3, 4))
        reply(json.dumps(times))


def peak_mb():
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer")
    parser.add_argument("model")
    parser.add_argument("--input", required=True)
    parser.add_argument("--expect")
    parser.add_argument("--output")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--lockstep", action="store_true")
    parser.add_argument("--memory", action="store_true")
    args = parser.parse_args()

    # Engines may print to stdout while they load: the protocol keeps the real one, they get stderr.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def reply(text):
        print(text, file=out, flush=True)

    peer = load_peers()[args.peer]
    version = importlib.metadata.version(peer["package"])
    if version != peer["version"]:
        sys.exit(f"worker: {peer['package']} {version} is installed, peers.json pins {peer['version']}: run tools/venv")
    x = np.ascontiguousarray(np.load(args.input))
    run = ENGINES[peer["engine"]](args.model, peer["settings"], args.threads, x)
    y = np.array(run(), copy=True)
    if args.output:
        np.save(args.output, y)
    if args.memory:
        once = peak_mb()
        for _ in range(2):  # ONNX Runtime plans its memory after the first run, and then takes more
            run()
        reply(f"{once:.1f} {peak_mb():.1f}")
    if args.lockstep:
        error = float(np.abs(y - np.load(args.expect)).max()) if args.expect else float("nan")
        gc.disable()
        reply(f"ready {error:.3g} {version}")
        serve(run, reply)


if __name__ == "__main__":
    main()
