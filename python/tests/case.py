"""What the tests share: a folder of their own, small networks, other people's objects made up."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy
import small_onnx

import stent

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PHANTOM = os.path.join(ROOT, "examples", "phantom")


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="stent-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def raises(self, kind, *parts):
        """As assertRaises; the message holds each of `parts`, is one line, and the status is the class's."""
        return _Raises(self, kind, parts)


class _Raises:
    def __init__(self, case, kind, parts):
        self.case, self.kind, self.parts, self.error = case, kind, parts, None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _trace):
        if error is None:
            self.case.fail(f"no {self.kind.__name__}")
        if type(error) is not self.kind:
            return False
        self.error = error
        for part in self.parts:
            self.case.assertIn(part, str(error))
        if isinstance(error, stent.Error):
            self.case.assertEqual(error.status, self.kind.status)
            self.case.assertNotIn("\n", str(error))
        return True


BIAS = numpy.array([-0.5, 0.25, 0.125], numpy.float32).reshape(1, 3, 1, 1)


def relu_net(path, shape=(1, 3, 8, 8)):
    """y = max(x + BIAS, 0): the same bits as numpy's."""
    return small_onnx.save(path, [small_onnx.node("Add", ["x", "b"], ["s"]), small_onnx.node("Relu", ["s"], ["y"])],
                           [("x", "float32", shape)], ["y"], [("b", BIAS)])


def relu_of(x):
    return numpy.maximum(x + BIAS, numpy.float32(0))


def two_net(path, shape=(2, 5)):
    """left.in, b: sum = left.in + b, difference = left.in - b."""
    return small_onnx.save(path, [small_onnx.node("Add", ["left.in", "b"], ["sum"]),
                                  small_onnx.node("Sub", ["left.in", "b"], ["difference"])],
                           [("left.in", "float32", shape), ("b", "float32", shape)], ["sum", "difference"])


def conv_net(path, shape=(1, 3, 32, 32), channels=16):
    """Convolutions that take a while, and no pixel of whose output is special."""
    random = numpy.random.default_rng(7)

    def weights(*dims):
        return (random.standard_normal(dims) * (2 / numpy.prod(dims[1:])) ** 0.5).astype(numpy.float32)

    nodes = [small_onnx.node("Conv", ["x", "w1"], ["a"], pads=[1, 1, 1, 1]),
             small_onnx.node("Relu", ["a"], ["b"]),
             small_onnx.node("Conv", ["b", "w2"], ["c"], pads=[1, 1, 1, 1]),
             small_onnx.node("Sigmoid", ["c"], ["y"])]
    return small_onnx.save(path, nodes, [("x", "float32", shape)], ["y"],
                           [("w1", weights(channels, 3, 3, 3)), ("w2", weights(1, channels, 3, 3))])


def picture(*shape, seed=1):
    return numpy.random.default_rng(seed).standard_normal(shape).astype(numpy.float32)


def python(script, *arguments, **environment):
    """Runs a script in a process of its own; (exit status, stdout, stderr)."""
    done = subprocess.run([sys.executable, "-c", script, *arguments], env={**os.environ, **environment},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr
