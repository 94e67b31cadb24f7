"""What the examples share: a network in PyTorch and in stent, on the same input."""
import time

import numpy
import stent
import torch


def median_ms(function, runs=7):
    """Of `runs` calls, after one that is not timed."""
    function()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        times.append(1000 * (time.perf_counter() - start))
    return sorted(times)[runs // 2]


def compare(module, x):
    """Compiles `module` for inputs of the shape of `x` and runs both: outputs, errors, times. Both take all cores.

    `module` answers with one tensor. dynamic=False: this shape only, which lets stent plan the most; without it batch
    and sizes stay free.
    """
    module.eval()
    with torch.inference_mode():
        expected = module(x)
        torch_ms = median_ms(lambda: module(x))
    with stent.compile(module, example=x, dynamic=False) as net:
        array = x.numpy()
        found = net(array)
        stent_ms = median_ms(lambda: net(array))
    difference = found - expected.numpy()
    error = float(numpy.sqrt(numpy.mean(difference**2))) / float(expected.std())
    print(f"input {list(x.shape)}, output {list(found.shape)}")
    print(f"PyTorch {torch_ms:.1f} ms, stent {stent_ms:.1f} ms")
    print(f"difference: rms {error:.1e} of the output's deviation, at most {float(abs(difference).max()):.1e}")
    return found
