"""The Python package's tests of objects of frameworks, which need these."""
import os
import re
import subprocess

import models
import tool
from run import Test

WORDS = {"tensorflow": ("test_tensorflow",), "torch": ("test_torch",)}
SECONDS = 300
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.M)


def check(context, name):
    env = dict(context.tool.env, PYTHON=models.python_of(name), TF_CPP_MIN_LOG_LEVEL="3")
    build = os.path.dirname(context.tool.program)
    done = subprocess.run([os.path.join(tool.ROOT, "python", "check"), build, *WORDS[name]], capture_output=True, text=True,
                          errors="replace", env=env, timeout=SECONDS)
    counts = COUNTS.findall(done.stdout)
    if done.returncode or not counts or counts[-1][1] != "0" or counts[-1][2] != "0":
        raise tool.Failure(f"status {done.returncode}: {done.stdout[-1500:]}")


def tests(context):
    return [Test(f"python/{name}", "Python package", lambda n=name: check(context, n)) for name in WORDS]
