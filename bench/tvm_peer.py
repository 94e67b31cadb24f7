#!/usr/bin/env python3
"""Times a network compiled by TVM, which bench/worker.py does not drive: untuned it takes too long to be run in rounds.

    tools/venv bench/tvm.txt build/venv-tvm
    build/venv-tvm/bin/python bench/tvm_peer.py MODEL.onnx [--threads 2] [--runs 1] [--shape 1,3,256,256]
    ... --tune TRIALS        tunes it first (meta_schedule), and says so where that fails

Imports the ONNX file by relax' front end, compiles it for the CPU that it runs on, prints one line of JSON: version,
seconds of the compilation, ms of each run (input tensor to output tensor).
"""
import argparse
import json
import os
import tempfile
import time

import numpy as np


def target_of(tvm, threads):
    """LLVM for this CPU. num-cores is for the tuner."""
    cpu = tvm.get_global_func("target.llvm_get_system_cpu")()
    return tvm.target.Target({"kind": "llvm", "mcpu": str(cpu), "num-cores": threads})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--shape", default="1,3,256,256")
    parser.add_argument("--tune", type=int, default=0, metavar="TRIALS")
    args = parser.parse_args()
    os.environ["TVM_NUM_THREADS"] = str(args.threads)

    import onnx
    import tvm
    from tvm import relax
    from tvm.relax.frontend.onnx import from_onnx
    model = onnx.load(args.model)
    shape = [int(size) for size in args.shape.split(",")]
    module = from_onnx(model, shape_dict={model.graph.input[0].name: shape}, keep_params_in_input=False)
    target = target_of(tvm, args.threads)
    start = time.perf_counter()
    if args.tune:
        with tempfile.TemporaryDirectory() as folder, target:
            module = relax.get_pipeline("static_shape_tuning", target=target, total_trials=args.tune,
                                        work_dir=folder)(module)
    executable = relax.build(module, target)
    seconds = time.perf_counter() - start
    machine = relax.VirtualMachine(executable, tvm.cpu())
    x = tvm.runtime.tensor(np.random.default_rng(1).standard_normal(shape, dtype=np.float32))
    times = []
    for _ in range(args.runs):
        start = time.perf_counter()
        machine["main"](x)
        times.append(round((time.perf_counter() - start) * 1e3, 1))
    print(json.dumps({"tvm": tvm.__version__, "target": str(target), "threads": args.threads, "tuned": args.tune,
                      "compile_s": round(seconds, 1), "ms": times}))


if __name__ == "__main__":
    main()
