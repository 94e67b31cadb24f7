"""The scripts of examples/python, each a network of a library of PyTorch's, as a user runs them."""
import glob
import os
import re
import subprocess

import models
import tool
from run import Test

FOLDER = os.path.join(tool.ROOT, "examples", "python")
SHARED = "side_by_side.py"


def check(context, path):
    """Ends well, and prints that both say the same."""
    env = dict(context.tool.env, PYTHONPATH=os.path.join(tool.ROOT, "python"), PYTHONDONTWRITEBYTECODE="1",
               STENT_LIBRARY=os.path.join(os.path.dirname(context.tool.program), "libstent.so"))
    done = subprocess.run([models.python_of("torch"), path], env=env, capture_output=True, text=True, errors="replace",
                          timeout=300)
    if done.returncode:
        raise tool.Failure(f"status {done.returncode}: {'; '.join(done.stderr.strip().splitlines()[-3:])[:400]}")
    found = re.search(r"^difference: rms (\S+) ", done.stdout, re.MULTILINE)
    if not found or not float(found[1]) <= models.BUDGETS["fp32"]:
        raise tool.Failure(f"expected a difference of at most {models.BUDGETS['fp32']}, got: {done.stdout.strip()[-300:]}")


def tests(context):
    scripts = sorted(path for path in glob.glob(os.path.join(FOLDER, "*.py")) if os.path.basename(path) != SHARED)
    return [Test(f"examples/{os.path.basename(path)}", "examples", lambda p=path: check(context, p), alone=True)
            for path in scripts]
