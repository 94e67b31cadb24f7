"""The examples of python/README.md run, one after the other."""

import contextlib
import importlib.util
import io
import os
import re
import shutil
import unittest

from case import PHANTOM, ROOT, Case


def examples():
    """(line, what it needs or "", code)"""
    with open(os.path.join(ROOT, "python", "README.md"), encoding="utf-8") as file:
        page = file.read()
    for match in re.finditer(r"(?:<!-- needs (\w+) -->\n)?```python\n(.*?)```", page, re.S):
        yield page.count("\n", 0, match.start()) + 1, match.group(1) or "", match.group(2)


@unittest.skipUnless(os.path.isdir(PHANTOM), "the example is not there")
class Readme(Case):
    def test_its_examples(self):
        shutil.copy(os.path.join(PHANTOM, "phantom-unet.onnx"), self.path("unet.onnx"))
        shutil.copy(os.path.join(PHANTOM, "phantom-unet.pipeline.json"), self.path("unet.json"))
        os.mkdir(self.path("scans"))
        shutil.copy(os.path.join(PHANTOM, "volume", "phantom_1.tif"), self.path("scans"))
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.folder)
        names, run = {}, 0
        for line, needs, code in examples():
            if needs and importlib.util.find_spec(needs) is None:
                continue
            code = code.replace("seconds=60", "seconds=1")
            printed = io.StringIO()
            with self.subTest(line), contextlib.redirect_stdout(printed):
                exec(compile(code, f"README.md:{line}", "exec"), names)
                run += 1
            if "convert it" in code:
                self.assertEqual(printed.getvalue().strip(), code.split("print(error)  # ")[1].strip())
        self.assertGreaterEqual(run, 6)
        self.assertIn("phantom_1_overlay.png", os.listdir(self.path("masks")))
