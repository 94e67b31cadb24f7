#!/usr/bin/env python3
"""One framework in a process of its own, driven by study.py: the side "before" of the study.

    framework.py torch|tensorflow MODELS --slices slices.npy --threads N [--device cpu|gpu] [--probe]

Prints `ready nan VERSION`, then answers each line on stdin with one line of JSON:

    ways                     how this framework can be used here: {name: null, or why not}
    shape                    the input as the model has it: [layout, parameters]
    run N / use WAY          N latencies in ms on the first slice / chooses the way; null
    series N SECONDS         as run, but ends after SECONDS (at least 5)
    unwaited N DEPTH         N times of a caller who does not wait, with room for DEPTH pictures on their way
    pass                     latencies of all slices, one after the other
    masks FILE               the masks of the last pass, numpy.packbits in a .npy; null

A latency goes from a numpy array to a numpy array, so it holds the copies to and from a GPU and waits for it. Pictures are
made float32 / 255 before. The input is the framework's own layout. --probe: prints the name of the GPU or an empty line, and ends.
"""
import argparse
import gc
import json
import os
import queue
import sys
import threading
import time
import warnings

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
FRAMEWORK_TESTS = os.path.join(HERE, "..", "..", "test", "frameworks")  # torch_modules.py has the study's module
LEAST_RUNS, WARM_UP = 5, 2


class Torch:
    """The study's module with its state_dict, and its TorchScript."""
    layout = "channels first (NCHW)"

    def __init__(self, args):
        import torch
        self.torch, self.version, self.gpu = torch, torch.__version__, args.device == "gpu"
        torch.set_num_threads(args.threads)
        if self.gpu and not torch.cuda.is_available():
            raise RuntimeError("no GPU here")
        sys.path.insert(0, FRAMEWORK_TESTS)
        import torch_modules
        self.network = torch_modules.study(3, 32).eval()
        path = os.path.join(args.models, "seed-torch-w32")
        self.network.load_state_dict(torch.load(path + ".state_dict.pth", map_location="cpu", weights_only=True))
        self.script = path + ".torchscript.pt"
        self.parameters = sum(p.numel() for p in self.network.parameters())
        self.network = self.network.to(self.device())

    @staticmethod
    def probe():
        import torch
        return torch.cuda.get_device_name(0) if torch.cuda.is_available() and torch.cuda.device_count() else ""

    def device(self):
        return "cuda" if self.gpu else "cpu"

    @staticmethod
    def inputs(pictures):
        return [np.ascontiguousarray(p.transpose(2, 0, 1)[None], np.float32) / np.float32(255) for p in pictures]

    @staticmethod
    def foreground(y):
        return y > 0  # logits

    def caller(self, network, **more):
        torch = self.torch

        def run(x):
            with torch.inference_mode():
                return network(torch.from_numpy(x).to(self.device(), **more)).cpu().numpy()
        return run

    def submit(self, x):
        """Hands a picture to the GPU and does not wait."""
        with self.torch.inference_mode():
            self.network(self.torch.from_numpy(x).to(self.device(), non_blocking=True))

    def wait(self):
        self.torch.cuda.synchronize()

    def channels_last(self):
        import copy
        form = self.torch.channels_last
        return self.caller(copy.deepcopy(self.network).to(memory_format=form), memory_format=form)

    def scripted(self):
        jit = self.torch.jit
        network = jit.load(self.script, map_location=self.device()).eval()
        return self.caller(jit.optimize_for_inference(jit.freeze(network)))

    def ways(self):
        return {"eager": lambda: self.caller(self.network), "eager, channels last": self.channels_last,
                "TorchScript, optimised for inference": self.scripted}


class TensorFlow:
    """The study's .keras model."""

    def __init__(self, args):
        import tensorflow as tf
        self.tf, self.version, self.gpu = tf, tf.__version__, args.device == "gpu"
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        gpus = tf.config.list_physical_devices("GPU")
        if self.gpu and not gpus:
            raise RuntimeError("no GPU here")
        if not self.gpu:
            tf.config.set_visible_devices([], "GPU")
        import keras
        self.network = keras.models.load_model(os.path.join(args.models, "seed-keras-w16.keras"), compile=False)
        self.parameters = sum(int(np.prod(w.shape)) for w in self.network.trainable_weights)
        self.first = self.network.input_shape[1] == 3
        self.layout = "channels first (NCHW)" if self.first else "channels last (NHWC)"

    @staticmethod
    def probe():
        import tensorflow as tf
        gpus = tf.config.list_physical_devices("GPU")
        return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU") if gpus else ""

    def inputs(self, pictures):
        order = (2, 0, 1) if self.first else (0, 1, 2)
        return [np.ascontiguousarray(p.transpose(order)[None], np.float32) / np.float32(255) for p in pictures]

    @staticmethod
    def foreground(y):
        return y > 0.5  # probabilities

    def graph(self, **more):
        tf, network = self.tf, self.network
        function = tf.function(lambda x: network(x, training=False), input_signature=[tf.TensorSpec(
            [1, *network.input_shape[1:]], tf.float32)], **more)
        self.function = function
        return lambda x: function(tf.constant(x)).numpy()

    def submit(self, x):
        """Hands a picture to the GPU and does not wait."""
        self.last = self.function(self.tf.constant(x))

    def wait(self):
        self.last.numpy()

    def ways(self):
        return {"tf.function": self.graph, "predict_on_batch": lambda: self.network.predict_on_batch,
                "eager": lambda: lambda x: self.network(x, training=False).numpy(),
                "tf.function, XLA": lambda: self.graph(jit_compile=True)}


FRAMEWORKS = {"torch": Torch, "tensorflow": TensorFlow}


class Served:
    """What the lines on stdin ask for."""

    def __init__(self, framework, slices):
        self.framework, self.inputs = framework, framework.inputs(slices)
        self.ready, self.trouble, self.found = {}, {}, []
        self.use(next(iter(framework.ways())))

    def use(self, way):
        if way not in self.ready:
            self.ready[way] = self.framework.ways()[way]()
            for _ in range(WARM_UP):
                self.ready[way](self.inputs[0])
        self.run_one = self.ready[way]

    def ways(self):
        """Each is made ready and warmed up here, so that a later `use` costs nothing."""
        first = self.run_one
        for way in self.framework.ways():
            try:
                self.use(way)
                self.trouble[way] = None
            except Exception as error:  # whatever a framework raises: this way is not had here
                self.trouble[way] = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        self.run_one = first
        return self.trouble

    def shape(self):
        return [self.framework.layout, self.framework.parameters]

    def latency(self, x, keep=None):
        start = time.perf_counter()
        y = self.run_one(x)
        ms = round((time.perf_counter() - start) * 1e3, 4)
        if keep is not None:
            keep.append(self.framework.foreground(np.asarray(y)).reshape(x.shape[-2:] if x.shape[1] == 3 else x.shape[1:3]))
        return ms

    def all_slices(self):
        self.found = []
        return [self.latency(x, self.found) for x in self.inputs]

    def series(self, count, seconds):
        end, times = time.perf_counter() + seconds, []
        while len(times) < count and (len(times) < LEAST_RUNS or time.perf_counter() < end):
            times.append(self.latency(self.inputs[0]))
        return times

    def unwaited(self, count, depth):
        """On a GPU the caller's time until the kernels are in its queue. On a CPU a thread stands for the device: it
        computes what lies in a queue of `depth`, and the clock is read when the picture has been handed over."""
        if self.framework.gpu:
            times = [self.handing_over(self.framework.submit) for _ in range(count)]
            self.framework.wait()
            return times
        waiting = queue.Queue(depth)

        def device():
            while (x := waiting.get()) is not None:
                self.run_one(x)
        thread = threading.Thread(target=device)
        thread.start()
        times = [self.handing_over(waiting.put) for _ in range(count)]
        waiting.put(None)
        thread.join()
        return times

    def handing_over(self, submit):
        start = time.perf_counter()
        submit(self.inputs[0])
        return round((time.perf_counter() - start) * 1e3, 4)

    def masks(self, path):
        np.save(path, np.packbits(np.stack(self.found), axis=None))

    def answer(self, line):
        word, _, rest = line.strip().partition(" ")
        if word == "run":
            return [self.latency(self.inputs[0]) for _ in range(int(rest))]
        if word == "pass":
            return self.all_slices()
        if word in ("use", "masks"):
            return getattr(self, word)(rest)
        if word in ("series", "unwaited"):
            return getattr(self, word)(*map(int, rest.split()))
        if word in ("ways", "shape"):
            return getattr(self, word)()
        raise ValueError(f"unknown line: {line!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("framework", choices=FRAMEWORKS)
    parser.add_argument("models")
    parser.add_argument("--slices")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--probe", action="store_true")
    args = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    warnings.simplefilter("ignore")
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")  # a framework may print while it loads: it gets stderr
    os.dup2(2, 1)
    if args.probe:
        print(FRAMEWORKS[args.framework].probe(), file=out)
        return
    framework = FRAMEWORKS[args.framework](args)
    served = Served(framework, np.load(args.slices))
    gc.disable()
    print("ready nan", framework.version, file=out, flush=True)
    for line in sys.stdin:
        print(json.dumps(served.answer(line)), file=out, flush=True)


if __name__ == "__main__":
    main()
