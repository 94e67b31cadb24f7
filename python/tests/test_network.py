"""Running on arrays: shapes, dtypes, layouts, names, threads, closing."""

import gc
import os
import threading
import time
import weakref

import numpy
from case import Case, conv_net, picture, python, relu_net, relu_of, two_net
import small_onnx

import stent


class Arrays(Case):
    def setUp(self):
        super().setUp()
        self.net = stent.compile(relu_net(self.path("net.onnx")), self.path("net.stent"))
        self.addCleanup(self.net.close)

    def test_values_are_described(self):
        self.assertEqual(self.net.inputs, (("x", "float32", (1, 3, 8, 8)),))
        self.assertEqual(self.net.outputs, (("y", "float32", (1, 3, 8, 8)),))
        self.assertEqual(picture(1).dtype, self.net.inputs[0].dtype)
        self.assertIn("net.stent: x float32 1x3x8x8 -> y float32 1x3x8x8", repr(self.net))

    def test_the_answer_is_numpys(self):
        x = picture(1, 3, 8, 8)
        y = self.net.run(x)
        self.assertEqual((y.dtype, y.shape), (numpy.float32, (1, 3, 8, 8)))
        self.assertEqual(y.tobytes(), relu_of(x).tobytes())
        for given in (self.net(x), self.net(x=x), self.net({"x": x}), self.net.run(**{"x": x})):
            self.assertEqual(given.tobytes(), y.tobytes())
        self.assertNotEqual(self.net(-x).tobytes(), y.tobytes())

    def test_each_run_has_arrays_of_its_own(self):
        x = picture(1, 3, 8, 8)
        first = self.net(x)
        kept = first.copy()
        self.net(x + 1)
        self.assertEqual(first.tobytes(), kept.tobytes())

    def test_any_layout(self):
        x = picture(1, 3, 8, 8)
        y = relu_of(x)
        wide = numpy.zeros((1, 3, 16, 24), numpy.float32)
        wide[:, :, ::2, ::3] = x
        unaligned = numpy.frombuffer(b"?" + x.tobytes(), numpy.uint8)[1:].view(numpy.float32).reshape(x.shape)
        read_only = x.copy()
        read_only.flags.writeable = False
        self.assertFalse(unaligned.flags.aligned)
        layouts = {"Fortran": numpy.asfortranarray(x), "strided": wide[:, :, ::2, ::3],
                   "backwards": x[:, :, ::-1].copy()[:, :, ::-1], "unaligned": unaligned, "read-only": read_only,
                   "channels last": numpy.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)}
        for name, array in layouts.items():
            with self.subTest(name):
                before = array.copy()
                self.assertEqual(self.net(array).tobytes(), y.tobytes())
                self.assertEqual(array.tobytes(), before.tobytes())

    def test_no_dtype_is_cast(self):
        x = picture(1, 3, 8, 8)
        for dtype in ("float64", "float16", "int64", "uint8", "bool", ">f4"):
            with self.raises(stent.BadInputError, "input 'x': expected float32 1x3x8x8, got ", 'x.astype("float32")'):
                self.net(x.astype(dtype))
        for wrong in (x.astype(complex), x.astype(object), "x", [["a"]]):
            with self.raises(stent.BadInputError, "expected float32", "an array of numbers"):
                self.net(wrong)
        with self.raises(stent.BadInputError, "got float64"):
            self.net(x.tolist())

    def test_wrong_shapes(self):
        for shape in ((1, 3, 8, 9), (3, 8, 8), (2, 3, 8, 8), (1, 3, 8, 0), (), (1, 3, 8, 8, 1)):
            with self.subTest(shape), self.raises(stent.BadInputError, "'x'"):
                self.net(numpy.zeros(shape, numpy.float32))
        with self.raises(stent.UsageError):
            self.net(numpy.zeros((1,) * 9, numpy.float32))
        self.net(picture(1, 3, 8, 8))  # it still runs

    def test_wrong_arguments(self):
        x = picture(1, 3, 8, 8)
        with self.raises(stent.UsageError, "expected 1 input (x)", "got 0"):
            self.net()
        with self.raises(stent.UsageError, "got 2"):
            self.net(x, x)
        with self.raises(stent.UsageError, "got 'z'"):
            self.net(z=x)
        with self.raises(stent.UsageError, "got both"):
            self.net(x, x=x)
        with self.raises(TypeError, "unexpected option 'thread'", "threads"):
            stent.open(self.net.path, thread=1)


class Kinds(Case):
    """Networks of other forms."""

    def compile(self, name, *what, **options):
        net = stent.compile(small_onnx.save(self.path(name + ".onnx"), *what), **options)
        self.addCleanup(net.close)
        return net

    def test_several_inputs_and_outputs(self):
        net = stent.compile(two_net(self.path("two.onnx")))
        self.addCleanup(net.close)
        a, b = picture(2, 5), picture(2, 5, seed=2)
        for found in (net(a, b), net(**{"left.in": a, "b": b}), net({"b": b, "left.in": a})):
            self.assertEqual(list(found), ["sum", "difference"])
            self.assertEqual(found["sum"].tobytes(), (a + b).tobytes())
            self.assertEqual(found["difference"].tobytes(), (a - b).tobytes())
        with self.raises(stent.UsageError, "expected 2 inputs (left.in, b)", "'b' is missing"):
            net(**{"left.in": a})
        with self.raises(stent.BadInputError, "input 'b'", "float64"):
            net(a, b.astype("float64"))

    def test_integers_and_bools(self):
        net = self.compile("ints", [small_onnx.node("Neg", ["i"], ["n"]), small_onnx.node("Not", ["t"], ["f"])],
                           [("i", "int64", (3,)), ("t", "bool", (2,))], ["n", "f"])
        self.assertEqual([value.dtype for value in net.inputs + net.outputs], ["int64", "bool"] * 2)
        found = net(numpy.array([1, -2, 1 << 40]), numpy.array([True, False]))
        self.assertEqual(found["n"].tolist(), [-1, 2, -(1 << 40)])
        self.assertEqual(found["f"].tolist(), [False, True])
        self.assertEqual(found["f"].dtype, bool)
        with self.raises(stent.BadInputError, "input 'i': expected int64 3, got int32 3"):
            net(numpy.zeros(3, numpy.int32), numpy.array([True, False]))

    def test_a_scalar(self):
        net = self.compile("scalar", [small_onnx.node("Neg", ["x"], ["y"])], [("x", "float32", ())], ["y"])
        self.assertEqual(net.inputs[0].shape, ())
        y = net(numpy.float32(3))
        self.assertEqual((y.shape, float(y)), ((), -3.0))

    def test_free_dims_take_the_shapes_of_the_arrays(self):
        net = stent.compile(relu_net(self.path("free.onnx"), ("N", 3, "H", "W")))
        self.addCleanup(net.close)
        self.assertEqual(net.inputs[0].shape, ("N", 3, "H", "W"))
        self.assertEqual(net.outputs[0].dtype, "float32")
        for shape in ((1, 3, 5, 7), (2, 3, 8, 8), (1, 3, 1, 1), (4, 3, 2, 9), (1, 3, 5, 7), (3, 3, 4, 4), (1, 3, 9, 9)):
            x = picture(*shape)
            self.assertEqual(net(x).tobytes(), relu_of(x).tobytes())
        self.assertEqual(len(net._executables), 4)
        with self.raises(stent.BadInputError, "x"):
            net(picture(1, 4, 8, 8))
        with self.raises(stent.BadInputError, "expected 4 dims, got 3"):
            net(picture(3, 8, 8))
        self.assertEqual(net(picture(1, 3, 5, 7)).shape, (1, 3, 5, 7))

    def test_inputs_fixes_them(self):
        package = self.path("free.stent")
        stent.compile(relu_net(self.path("free.onnx"), ("N", 3, "H", "W")), package).close()
        for inputs in ({"x": (2, 3, 4, 5)}, (2, 3, 4, 5), [2, 3, 4, 5], {"x": numpy.array([2, 3, 4, 5])}):
            with stent.open(package, inputs=inputs) as net:
                self.assertEqual(net.inputs[0].shape, (2, 3, 4, 5))
                self.assertEqual(net(picture(2, 3, 4, 5)).shape, (2, 3, 4, 5))
                with self.raises(stent.BadInputError, "expected float32 2x3x4x5, got 1x3x4x5", "inputs="):
                    net(picture(1, 3, 4, 5))
        for wrong in ("2x3x4x5", {"x": "2x3"}, 7, {"x": (1, 2.5)}, {"x": None}):
            with self.raises(stent.UsageError, "expected a shape such as (1, 3, 256, 256)"):
                stent.open(package, inputs=wrong)
        with self.raises(stent.UsageError, "'z'"):
            stent.open(package, inputs={"z": (1, 3, 4, 4)})
        with self.raises(stent.BadInputError):
            stent.open(package, inputs={"x": (1, 4, 4, 4)})

    def test_threads_and_precisions_are_passed_on(self):
        package = self.path("net.stent")
        stent.compile(conv_net(self.path("net.onnx")), package).close()
        x = picture(1, 3, 32, 32)
        answers = []
        for options in ({"threads": 1}, {"threads": 2}, {"precision": "strict"}, {"untuned": True}):
            with stent.open(package, **options) as net:
                answers.append(net(x))
        self.assertEqual(answers[0].tobytes(), answers[1].tobytes())
        numpy.testing.assert_allclose(answers[2], answers[0], atol=1e-5)
        for options, kind in (({"threads": -1}, stent.UsageError), ({"precision": "fp64"}, stent.UsageError),
                              ({"precision": "bf16"}, stent.UsageError),
                              ({"precision": "int8"}, stent.UnsupportedError),
                              ({"max_memory": 1000}, stent.ResourceError), ({"max_memory": -1}, stent.UsageError),
                              ({"max_memory": 1 << 64}, stent.UsageError), ({"threads": 1 << 32}, stent.UsageError),
                              ({"precision": "a\0b"}, stent.UsageError)):
            with self.subTest(options), self.raises(kind):
                stent.open(package, **options)


class Life(Case):
    def setUp(self):
        super().setUp()
        self.package = self.path("net.stent")
        stent.compile(conv_net(self.path("net.onnx")), self.package).close()

    def test_what_cannot_be_opened(self):
        with self.raises(stent.BadInputError, "missing.stent"):
            stent.open(self.path("missing.stent"))
        with self.raises(stent.BadInputError, "stent compile"):
            stent.open(self.path("net.onnx"))
        with open(self.package, "rb") as file:
            data = bytearray(file.read())
        data[len(data) // 2] ^= 1
        with open(self.path("damaged.stent"), "wb") as file:
            file.write(data)
        with self.raises(stent.BadInputError, "damaged.stent"):
            stent.open(self.path("damaged.stent"))

    def test_closing(self):
        net = stent.open(self.package)
        x = picture(1, 3, 32, 32)
        net(x)
        net.close()
        net.close()
        self.assertEqual(repr(net), "<stent.Network, closed>")
        for call in (lambda: net(x), net.info, net.bench, net.profile, net.verify, lambda: net.tune(seconds=1),
                     lambda: net.save(self.path("a.stent")), lambda: net.segment(self.folder, self.path("m"))):
            with self.raises(stent.UsageError, "closed"):
                call()
        self.assertTrue(os.path.exists(self.package))  # it is the caller's
        with stent.open(self.package) as again:
            self.assertEqual(again(x).shape, (1, 1, 32, 32))
        with self.raises(stent.UsageError, "closed"):
            again(x)

    def test_nothing_is_left(self):
        net = stent.open(self.package)
        net(picture(1, 3, 32, 32))
        executable = weakref.ref(next(iter(net._executables.values())))
        session = weakref.ref(executable().free[0])
        net.close()
        gc.collect()
        self.assertIsNone(executable())
        self.assertIsNone(session())

    def test_threads_share_a_network(self):
        net = stent.open(self.package, threads=1)
        pictures = [picture(1, 3, 32, 32, seed=seed) for seed in range(4)]
        expected = [net(x).tobytes() for x in pictures]
        self.assertEqual(len(set(expected)), 4)
        wrong, start = [], threading.Barrier(4)

        def work(i):
            start.wait()
            for k in range(50):
                if net(pictures[(i + k) % 4]).tobytes() != expected[(i + k) % 4]:
                    wrong.append((i, k))

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        sessions = len(next(iter(net._executables.values())).free)
        self.assertTrue(1 <= sessions <= 4, sessions)
        net.close()

    def test_threads_bind_shapes(self):
        net = stent.compile(relu_net(self.path("free.onnx"), ("N", 3, "H", "W")), threads=1)
        wrong = []

        def work(i):
            for k in range(12):
                x = picture(1, 3, 4 + (i + k) % 6, 5)
                if net(x).tobytes() != relu_of(x).tobytes():
                    wrong.append((i, k))

        threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        net.close()

    def test_closing_while_threads_run(self):
        net = stent.open(self.package, threads=1)
        x = picture(1, 3, 32, 32)
        expected, wrong, closed = net(x).tobytes(), [], []

        def work():
            try:
                while True:
                    if net(x).tobytes() != expected:
                        wrong.append(1)
            except stent.UsageError as error:
                closed.append(str(error))

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        net.close()
        for thread in threads:
            thread.join(30)
        self.assertEqual((wrong, closed), ([], ["the network is closed"] * 3))

    def test_other_threads_run_meanwhile(self):
        net = stent.open(self.package, threads=1)
        done = threading.Event()

        def work():
            net.bench(seconds=0.7)
            done.set()

        thread = threading.Thread(target=work)
        thread.start()
        turns = 0
        while not done.wait(0.01):
            turns += 1
        thread.join()
        self.assertGreater(turns, 10)
        net.close()

    def test_a_fork_runs(self):
        """A child of fork() has none of the parent's threads: it must not wait for them."""
        script = """if True:
            import os, signal, sys, numpy, stent
            net = stent.open(sys.argv[1], threads=2)
            mine = stent.compile(sys.argv[2], threads=2)
            x = numpy.ones((1, 3, 32, 32), numpy.float32)
            y, z = net(x), mine(x)
            child = os.fork()
            if not child:
                signal.alarm(60)
                good = net(x).tobytes() == y.tobytes() and mine(x).tobytes() == z.tobytes()
                net.close(), mine.close()
                del net, mine
                os._exit(0 if good else 9)
            status = os.waitpid(child, 0)[1]
            print(status, os.path.exists(mine.path), net(x).tobytes() == y.tobytes())
        """
        status, out, err = python(script, self.package, self.path("net.onnx"))
        self.assertEqual((status, out), (0, "0 True True\n"), err)


class Library(Case):
    def test_it_must_be_there(self):
        status, _, err = python("import stent", STENT_LIBRARY=self.path("libstent.so"))
        self.assertEqual(status, 1)
        self.assertIn("ImportError", err)
        self.assertIn("pip install .", err)
        with open(self.path("libstent.so"), "wb") as file:
            file.write(b"no library")
        status, _, err = python("import stent", STENT_LIBRARY=self.path("libstent.so"))
        self.assertEqual(status, 1)
        self.assertIn("ImportError", err)
        self.assertIn("cannot be used", err)

    def test_notes_go_to_the_logger(self):
        script = """if True:
            import logging, sys, stent
            lines = []
            class Handler(logging.Handler):
                def emit(self, record):
                    lines.append((record.levelname, record.getMessage()))
            logging.getLogger("stent").addHandler(Handler())
            logging.getLogger("stent").setLevel(logging.INFO)
            with stent.compile(sys.argv[1]) as net:
                net.close()
            print(lines)
        """
        status, out, err = python(script, conv_net(self.path("net.onnx")), XDG_DATA_HOME=self.path("data"))
        self.assertEqual((status, err), (0, ""))
        self.assertIn("('INFO', 'self-check passed", out)
