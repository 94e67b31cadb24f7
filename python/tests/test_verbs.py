"""Verbs: results, tables, pictures, progress, Ctrl-C."""

import json
import os
import shutil
import signal
import threading
import time
import unittest

import numpy
from case import PHANTOM, Case, conv_net, picture, python, relu_net

import stent
from stent import _calls


class Verbs(Case):
    def setUp(self):
        super().setUp()
        self.net = stent.compile(conv_net(self.path("net.onnx")), self.path("net.stent"))
        self.addCleanup(self.net.close)

    def test_info(self):
        result = self.net.info()
        self.assertTrue(result.ok and bool(result))
        self.assertEqual((result["kind"], result.json["inputs"][0]["shape"]), ("package", [1, 3, 32, 32]))
        self.assertEqual(str(result), result.text)
        self.assertIn("content hash", result.text)
        self.assertEqual(json.loads(result.json_text), result.json)
        model = stent.info(self.path("net.onnx"))
        self.assertEqual((model["kind"], model["format"], model["opset"], model["notes"]), ("model", "ONNX", 17, []))
        with self.raises(stent.BadInputError, "missing"):
            stent.info(self.path("missing"))
        with self.raises(stent.UsageError):
            stent.info(self.path("net.onnx"), threads=-1)

    def test_machine(self):
        result = stent.machine()
        self.assertEqual(result["verb"], "machine")
        self.assertTrue(result["isas"]["sse2"] or result["best_isa"])

    def test_bench(self):
        result = self.net.bench(repeat=5)
        self.assertEqual(len(result["ms"]), 5)
        self.assertGreater(result["median_ms"], 0)
        self.assertEqual(self.net.bench(repeat=4, threads=1)["machine"]["threads"], 1)
        self.net.save(self.path("other.stent"))
        with stent.open(self.path("other.stent")) as other:
            for versus in (other, self.path("other.stent")):
                self.assertGreater(self.net.bench(seconds=0.3, versus=versus)["ratio_median"], 0)
        self.net.bench(repeat=3, input=picture(1, 3, 32, 32))
        with self.raises(stent.BadInputError):
            self.net.bench(repeat=3, input=picture(1, 3, 32, 33))
        with self.raises(TypeError, "'speed'"):
            self.net.bench(speed=3)
        with self.raises(stent.UsageError):
            self.net.bench(repeat=3, threads=-1)
        with self.raises(stent.UsageError, "repeat"):
            self.net.bench(repeat=1 << 32)

    def test_profile(self):
        result = self.net.profile(repeat=3)
        self.assertIs(type(result), stent.Profile)
        self.assertGreaterEqual(len(result.layers), 2)
        self.assertIn("Conv", " ".join(layer["op"] for layer in result.layers))
        html = result._repr_html_()
        self.assertEqual(html.count("<tr>"), 1 + len(result.layers))
        for layer in result.layers:
            self.assertIn(f"{layer['ms']:.3f}", html)
            self.assertIn(layer["name"], html)
        self.assertIn("GFLOP/s", str(result))
        self.net.profile(repeat=2, trace=self.path("trace.json"))
        with open(self.path("trace.json"), encoding="utf-8") as file:
            self.assertTrue(json.load(file)["traceEvents"])
        for versus in (result, self.net, self.path("net.stent")):
            self.assertGreaterEqual(len(self.net.profile(repeat=2, versus=versus)["versus"]["layers"]), 2)

    def test_tables_show_what_foreign_names_say(self):
        layer = {"name": "<script>", "op": "a&b", "shape": "1", "solver": "s", "configuration": "", "ms": None,
                 "gflops": None, "limit_gflops": None, "part_of_limit": None, "why": "'\"", "fallback": True}
        html = _calls.Profile(0, "<b>", json.dumps({"layers": [layer]}))._repr_html_()
        self.assertNotIn("<script>", html)
        self.assertIn("&lt;script&gt;", html)
        self.assertIn("FALLBACK", html)
        self.assertEqual(_calls.Result(0, "a < b\n", "{}")._repr_html_(), "<pre>a &lt; b\n</pre>")

    def test_verify(self):
        self.assertTrue(self.net.verify().ok)
        self.assertTrue(self.net.verify(self.path("net.onnx")).ok)
        self.assertIn("Conv", self.net.verify(layers=True)["layers"][0]["op"])
        x = picture(1, 3, 32, 32)
        y = self.net(x)
        self.assertTrue(self.net.verify(input=x, expect=y).ok)
        result = self.net.verify(input=x, expect=1 - y)
        self.assertFalse(result.ok)
        self.assertFalse(result)
        self.assertIn("NOT VERIFIED", result.text)
        self.assertIn(": no", repr(result))
        self.assertTrue(self.net.verify(input=x, expect=y + numpy.float32(0.01), atol=0.1).json["max_abs"] > 0.005)
        with self.raises(stent.UsageError, "--expect"):
            self.net.verify(expect=y)
        conv_net(self.path("other.onnx"), channels=8)
        self.assertFalse(self.net.verify(self.path("other.onnx")).ok)

    def test_free_dims_take_the_shapes_that_ran_last(self):
        with stent.compile(relu_net(self.path("free.onnx"), ("N", 3, "H", "W"))) as net:
            with self.raises(stent.UsageError, "free dims"):
                net.bench(repeat=3)
            self.assertIsNone(net.info()["flop"])
            net(picture(1, 3, 4, 5))
            net(picture(2, 3, 4, 5))
            self.assertEqual(len(net.bench(repeat=3)["ms"]), 3)
            self.assertEqual(net.profile(repeat=2).layers[-1]["shape"], "2x3x4x5")
            self.assertEqual(net.profile(repeat=2, inputs={"x": (1, 3, 9, 9)}).layers[-1]["shape"], "1x3x9x9")
            self.assertTrue(net.verify().ok)
            self.assertTrue(net.verify(input=picture(1, 3, 7, 7)).ok)

    def test_tune(self):
        x = picture(1, 3, 32, 32)
        before = self.net(x)
        listed = self.net.tune(list=True)
        self.assertGreater(listed["layers"][0]["configurations"], 1)
        seen = []
        result = self.net.tune(seconds=1.5, wisdom=self.path("wisdom"), output=self.path("tuned.stent"),
                               progress=lambda part, what: seen.append((part, what)))
        self.assertIn(result["kept"], ("tuned", "baseline"))
        self.assertGreater(result["trials"], 0)
        self.assertTrue(seen)
        numpy.testing.assert_allclose(self.net(x), before, atol=1e-5)
        self.assertEqual(os.path.exists(self.path("tuned.stent")), result["package"] is not None)
        with self.raises(stent.UsageError, "tuner"):
            self.net.tune(seconds=1, tuner="luck")

    def test_a_log(self):
        self.net.bench(repeat=3, log=self.path("log"))
        self.net.info(log=self.path("log"), log_paths=True)
        with open(self.path("log"), encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        self.assertEqual([line["verb"] for line in lines], ["bench", "info"])


class Stopping(Case):
    def setUp(self):
        super().setUp()
        self.net = stent.compile(conv_net(self.path("net.onnx"), channels=32), self.path("net.stent"))
        self.addCleanup(self.net.close)
        self.before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, self.before)

    def interrupted_after(self, seconds):
        timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        self.addCleanup(timer.join)

    def test_progress_stops(self):
        seen = []

        def stop(part, what):
            seen.append((part, what))
            return len(seen) == 4

        with self.raises(stent.Cancelled, "stopped"):
            self.net.bench(seconds=30, progress=stop)
        self.assertEqual(len(seen), 4)
        self.assertTrue(all(isinstance(part, float) and 0 <= part <= 1 for part, _ in seen))
        self.assertTrue(all(isinstance(what, str) and what for _, what in seen))

    def test_what_progress_raises_comes_through(self):
        for kind in (ValueError, KeyboardInterrupt, SystemExit, GeneratorExit):
            def fail(_part, _what, kind=kind):
                raise kind("from within")

            with self.assertRaises(kind) as raised:
                self.net.bench(seconds=30, progress=fail)
            self.assertEqual(str(raised.exception), "from within")
            with self.assertRaises(kind):
                stent.compile(self.path("net.onnx"), self.path("other.stent"), progress=fail)
            self.assertFalse(os.path.exists(self.path("other.stent")))

    def test_ctrl_c(self):
        verbs = {"bench": lambda: self.net.bench(seconds=60), "profile": lambda: self.net.profile(repeat=100000),
                 "tune": lambda: self.net.tune(seconds=60, wisdom=self.path("wisdom")),
                 "with progress": lambda: self.net.bench(seconds=60, progress=lambda part, what: None)}
        for name, verb in verbs.items():
            with self.subTest(name):
                start = time.monotonic()
                self.interrupted_after(0.4)
                with self.assertRaises(KeyboardInterrupt):
                    verb()
                self.assertLess(time.monotonic() - start, 30)
                self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)
        self.net(picture(1, 3, 32, 32))

    def test_a_handler_of_the_caller_is_called(self):
        called = []
        mine = lambda number, _frame: called.append(number)
        signal.signal(signal.SIGINT, mine)
        self.interrupted_after(0.3)
        with self.raises(stent.Cancelled):
            self.net.bench(seconds=60)
        self.assertEqual(called, [signal.SIGINT])
        self.assertIs(signal.getsignal(signal.SIGINT), mine)

    def test_an_ignored_signal_stays_ignored(self):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.interrupted_after(0.2)
        self.assertGreater(len(self.net.bench(seconds=0.6)["ms"]), 3)
        self.assertEqual(signal.getsignal(signal.SIGINT), signal.SIG_IGN)

    def test_other_threads_leave_the_handler_alone(self):
        found = []

        def work():
            self.net.bench(seconds=0.2, progress=lambda part, what: found.append(signal.getsignal(signal.SIGINT)))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        self.assertEqual(set(found), {signal.default_int_handler})


@unittest.skipUnless(os.path.isdir(PHANTOM), "the example is not there")
class Pictures(Case):
    @classmethod
    def setUpClass(cls):
        cls.net = stent.compile(os.path.join(PHANTOM, "phantom-unet.onnx"),
                                pipeline=os.path.join(PHANTOM, "phantom-unet.pipeline.json"))

    @classmethod
    def tearDownClass(cls):
        cls.net.close()

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("scans"))
        for name in ("phantom_1.tif", "phantom_10.tif"):
            shutil.copy(os.path.join(PHANTOM, "volume", name), self.path("scans"))

    def test_segment(self):
        seen = []
        result = self.net.segment(self.path("scans"), self.path("masks"), overlay=True, prob=True,
                                  progress=lambda part, what: seen.append(part))
        self.assertEqual((result["done"], result["failed"]), (2, 0))
        written = [name for name in os.listdir(self.path("masks")) if "phantom_10" not in name]
        self.assertEqual(sorted(written),
                         ["phantom_1.png", "phantom_1_overlay.png", "phantom_1_prob.tif", "results.json"])
        self.assertEqual(seen[-1], 1.0)
        again = self.net.segment([self.path("scans")], self.path("masks"), overlay=True, prob=True, resume=True)
        self.assertEqual((again["done"], again["skipped"]), (0, 2))
        some = self.net.segment([self.path("scans/phantom_10.tif")], self.path("more"), format="tif", threshold=0.5,
                                shard=(1, 1), threads=1)
        self.assertEqual(some["done"], 1)
        self.assertIn("phantom_10.tif", os.listdir(self.path("more")))

    def test_evaluate(self):
        volume = os.path.join(PHANTOM, "volume")
        result = self.net.evaluate(volume, csv=self.path("rows.csv"), slices=1, seed=3, bootstrap=50)
        self.assertEqual((result["cases"], result["patients"], result["layout"]), (16, 1, "kaggle_3m"))
        self.assertAlmostEqual(result["dice_pooled"], 0.9778, places=4)
        self.assertEqual(len(result["slices"]), 1)
        self.assertTrue(os.path.exists(self.path("rows.csv")))
        with self.raises(stent.BadInputError, "no pictures with a mask") as raised:
            self.net.evaluate(self.path("scans"))
        self.assertIsNone(raised.error.result)
        shutil.copy(os.path.join(volume, "phantom_10_mask.tif"), self.path("scans"))
        with self.raises(stent.BadInputError, "missing mask") as raised:
            self.net.evaluate(self.path("scans"), compare=self.net.path)
        self.assertEqual((raised.error.result["cases"], raised.error.result["faulty"]), (1, 1))
        self.assertEqual(raised.error.result["compare"]["changed_px"], 0)

    def test_report(self):
        volume = os.path.join(PHANTOM, "volume")
        found = self.net.evaluate(volume, bootstrap=0, report=self.path("own.html"))
        timed = self.net.bench(repeat=3)
        said = stent.report([found, timed], self.path("page.html"), csv=self.path("page.csv"), title="Two results")
        self.assertTrue(said.ok)
        for name in ("own.html", "page.html"):
            with open(self.path(name), encoding="utf-8") as file:
                self.assertIn("</html>", file.read())
        with open(self.path("page.html"), encoding="utf-8") as file:
            self.assertIn("Two results", file.read())
        with open(self.path("found.json"), "w", encoding="utf-8") as file:
            file.write(found.json_text)
        stent.report(self.path("found.json"), csv=self.path("alone.csv"))
        with open(self.path("alone.csv"), encoding="utf-8") as file:
            self.assertIn("dice_pooled", file.read())
        with self.raises(stent.UsageError):
            stent.report(found)
        with self.raises(stent.BadInputError, "missing.json"):
            stent.report(self.path("missing.json"), self.path("page.html"))

    def test_a_picture_that_cannot_be_read(self):
        with open(self.path("scans/phantom_2.tif"), "wb") as file:
            file.write(b"II*\0 no picture")
        with self.raises(stent.BadInputError, "1 of 3 pictures", "phantom_2.tif") as raised:
            self.net.segment(self.path("scans"), self.path("masks"))
        self.assertEqual((raised.error.result["done"], raised.error.result["failed"]), (2, 1))
        self.assertIn("phantom_1.png", os.listdir(self.path("masks")))

    def test_wrong_arguments(self):
        masks = self.path("masks")
        for wrong in ({"format": "gif"}, {"threshold": -1}, {"shard": (3, 2)}):
            with self.subTest(wrong), self.raises(stent.UsageError):
                self.net.segment(self.path("scans"), masks, **wrong)
        with self.raises(stent.UsageError):
            self.net.segment([], masks)
        with self.raises(stent.BadInputError, "missing"):
            self.net.segment(self.path("missing"), masks)

    def test_ctrl_c_leaves_whole_files(self):
        script = """if True:
            import os, signal, sys, stent
            net = stent.open(sys.argv[1])
            def progress(part, what):
                if part > 0:
                    os.kill(os.getpid(), signal.SIGINT)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            try:
                net.segment(sys.argv[2], sys.argv[3], progress=progress)
            except KeyboardInterrupt:
                print("interrupted")
        """
        status, out, err = python(script, self.net.path, self.path("scans"), self.path("masks"))
        self.assertEqual((status, out), (0, "interrupted\n"), err)
        self.assertFalse([name for name in os.listdir(self.path("masks")) if name.endswith(".tmp")])


class Program(Case):
    def test_python_m_stent(self):
        script = "import runpy, sys; sys.argv[0] = 'stent'; runpy.run_module('stent', run_name='__main__')"
        self.assertEqual(python(script, "--version"), (0, f"stent {stent.__version__}\n", ""))
        status, out, _ = python(script, "compile", "--help")
        self.assertEqual(status, 0)
        self.assertIn("stent compile MODEL", out)
        self.assertEqual(python(script, "nonsense")[0], 2)
        shutil.copy(stent._library.library_path(), self.path("libstent.so"))
        status, _, err = python(script, "--version", STENT_LIBRARY=self.path("libstent.so"))
        self.assertEqual(status, 5)
        self.assertIn("cannot be run", err)
