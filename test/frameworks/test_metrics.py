"""Each figure of docs/METRICS.md is the number of the library that it is named after, to 1e-6: masks made here go to
stent-figures (src/metric) and to metric_peers.py (the libraries, in the environment of torch.txt)."""
import json
import os
import subprocess

import numpy as np

import models
import tool
from run import Test

TOLERANCE = 1e-6


def blob(rng, shape):
    """An ellipsoid somewhere, perhaps beyond the border, with specks."""
    grid = np.indices(shape)
    centre, radius = rng.uniform(-0.1, 1.1, 3) * shape, 1 + rng.uniform(0.1, 0.5, 3) * shape
    inside = sum(((g - c) / r) ** 2 for g, c, r in zip(grid, centre, radius)) < 1
    return inside | (rng.random(shape) < 0.01)


def degenerate(shape):
    """Masks that have nothing in between."""
    empty, full = np.zeros(shape, bool), np.ones(shape, bool)
    pixel, corner, far, border, ring, line = (np.zeros(shape, bool) for _ in range(6))
    pixel[tuple(s // 2 for s in shape)] = True
    corner[0, 0, 0] = far[-1, -1, -1] = True
    border[..., 0] = True
    border[..., -1, :] = True
    ring[..., 1:-1, 1:-1] = True
    ring[..., 3:-3, 3:-3] = False
    line[..., shape[1] // 2, :] = True
    return [empty, full, pixel, corner, far, border, ring, line]


def pairs(masks):
    both = [(a, b) for a in masks for b in masks]
    return np.array([a for a, _ in both], np.uint8), np.array([b for _, b in both], np.uint8)


def random_pairs(rng, shape, count):
    truth = np.array([blob(rng, shape) for _ in range(count)], np.uint8)
    mask = np.array([blob(rng, shape) if i % 3 else truth[i] ^ (rng.random(shape) < 0.02) for i in range(count)], np.uint8)
    return mask, truth


def several_classes(rng, shape, count):
    def one():
        return sum((k + 1) * blob(rng, shape) for k in range(4)).astype(np.uint8) % 4
    return np.array([one() for _ in range(count)]), np.array([one() for _ in range(count)])


def near_threshold(rng, mask):
    """Probabilities whose mask is `mask`, but for a few."""
    return np.clip(mask * 0.6 + rng.uniform(0, 0.45, mask.shape), 0, 1).astype(np.float32)


SETS = {  # name: f(rng) -> (mask, truth, spacing or None)
    "degenerate": lambda rng: (*pairs(degenerate((1, 9, 12))), [0.7, 0.7, 5.0]),
    "degenerate volumes": lambda rng: (*pairs(degenerate((5, 7, 6))), [1.5, 0.5, 3.0]),
    "one row": lambda rng: (*pairs(degenerate((1, 1, 11))[:6]), None),
    "random": lambda rng: (*random_pairs(rng, (1, 40, 31), 60), [0.9, 1.3, 2.0]),
    "random volumes": lambda rng: (*random_pairs(rng, (9, 14, 17), 24), [1.0, 0.8, 2.5]),
    "classes": lambda rng: (*several_classes(rng, (1, 24, 20), 30), [1.0, 1.0, 1.0]),
    "nothing anywhere": lambda rng: (*[np.zeros((3, 1, 5, 5), np.uint8)] * 2, None),
}


def write_set(name, folder):
    rng = np.random.default_rng(sum(map(ord, name)))
    mask, truth, spacing = SETS[name](rng)
    arrays = {"mask": mask, "truth": truth, "patient": rng.permutation(len(mask)) // 4}
    if name != "one row":
        arrays["probability"] = near_threshold(rng, mask == 1)
    if spacing:
        arrays["spacing"] = np.array(spacing, np.float64)
    for key, array in arrays.items():
        np.save(os.path.join(folder, key + ".npy"), array)


def output_of(words):
    env = dict(os.environ, OMP_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", env=env, timeout=300)
    if done.returncode:
        raise tool.Failure(f"{os.path.basename(words[-3])}: status {done.returncode}: {done.stderr.strip()[-400:]}")
    return json.loads(done.stdout)


def check_numbers(where, got, expected):
    if set(got) != set(expected):
        raise tool.Failure(f"{where}: figures that only one of them has: {sorted(set(got) ^ set(expected))}")
    for key, want in expected.items():
        have = got[key]
        if (have is None) != (want is None) or (have is not None and not abs(have - want) <= TOLERANCE * max(1, abs(want))):
            raise tool.Failure(f"{where}: {key}: got {have}, expected {want}")


def check_intervals(study, got, expected):
    """Both draw at random: ends of 2000 and of 4000 draws differ by a part of the interval's length."""
    for key, (low, high) in expected.items():
        off = max(abs(got[key][0] - low), abs(got[key][1] - high))
        if off > 0.12 * (high - low) or not got[key][0] <= study[key] <= got[key][1]:
            raise tool.Failure(f"interval of {key}: got {got[key]}, scipy's is {[low, high]}")


def check_set(context, name, label):
    python = models.python_of("torch")
    program = os.path.join(os.path.dirname(context.tool.program), "stent-figures")
    with context.tool.folder() as folder:
        write_set(name, folder)
        got = output_of([program, folder, str(label)])
        expected = output_of([python, os.path.join(tool.HERE, "metric_peers.py"), folder, str(label)])
    for i, (mine, theirs) in enumerate(zip(got["cases"], expected["cases"], strict=True)):
        check_numbers(f"case {i}", mine, theirs)
    check_numbers("study", got["study"], expected["study"])
    check_intervals(got["study"], got["intervals"], expected["intervals"] or {})
    return None


def tests(context):
    chosen = [(name, label) for name in SETS for label in ((1, 2, 3, -1) if name == "classes" else (-1,))]
    return [Test(f"metrics/{name}" + (f" {label}" if name == "classes" else ""), "figures of masks",
                 lambda name=name, label=label: check_set(context, name, label)) for name, label in chosen]
