"""Stent, called as a user calls it, with plans in a folder of its own."""
import glob
import json
import os
import subprocess

import numpy as np
from PIL import Image

import data


class StentError(Exception):
    """A call that did not end well; the text is its last line. `status` is its exit status."""

    def __init__(self, text, status):
        super().__init__(text)
        self.status = status


class Stent:
    def __init__(self, program, scratch, threads):
        self.program, self.threads = program, threads
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("STENT_")}
        self.env.update(XDG_DATA_HOME=os.path.join(scratch, "data"), NO_COLOR="1")

    def call(self, *words, env=None, cores=None, timeout=600):
        """Stdout of one call. `env`: more variables; `cores`: what it may run on."""
        pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
        done = subprocess.run([self.program, *map(str, words)], env={**self.env, **(env or {})}, capture_output=True,
                              text=True, errors="replace", timeout=timeout, preexec_fn=pin, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise StentError(f"stent {words[0]}: status {done.returncode}: {last[:400]}", done.returncode)
        return done.stdout

    def json(self, *words, **more):
        return json.loads(self.call(*words, "--json", **more))

    def measured(self, *words, threads=None, **more):
        """A call with the study's number of threads, or another."""
        return self.json(*words, "--threads", threads or self.threads, **more)

    def segment(self, package, slices, folder, *options):
        """Masks in `folder`; (ms of each slice, in the order of the slices)."""
        self.call("segment", package, *slices.paths, "-o", folder, "-q", "--threads", self.threads, *options, timeout=900)
        by_stem = {}
        with open(os.path.join(folder, "results.json"), encoding="utf-8") as file:
            for line in map(json.loads, file):
                if line.get("status") == "ok":
                    by_stem[os.path.splitext(os.path.basename(line["path"]))[0]] = line["ms"]
        missing = [stem for stem in slices.stems if stem not in by_stem]
        if missing:
            raise StentError(f"stent segment: no result for {missing[0]}", 1)
        return [by_stem[stem] for stem in slices.stems]


def read_masks(folder, slices):
    found = {os.path.splitext(os.path.basename(path))[0]: path
             for path in glob.glob(os.path.join(folder, "**", "*.png"), recursive=True)}
    missing = [stem for stem in slices.stems if stem not in found]
    if missing:
        raise data.DataError(f"stent segment: no mask for {missing[0]}")
    masks = []
    for stem in slices.stems:
        with Image.open(found[stem]) as image:
            masks.append(np.asarray(image) != 0)
    return np.stack(masks)
