"""compile: from files and from objects of frameworks (made up here; test_torch.py has the real one)."""

import gc
import glob
import json
import os
import pathlib
import shutil
import sys
import tempfile
import types
import unittest.mock

import numpy
import small_onnx
from case import Case, conv_net, picture, python, relu_net, relu_of

import stent


class Files(Case):
    def test_a_path(self):
        model = relu_net(self.path("net.onnx"))
        for given in (model, pathlib.Path(model)):
            for output in (self.path("a.stent"), pathlib.Path(self.path("b.stent"))):
                with stent.compile(given, output) as net:
                    self.assertEqual(net.path, os.fspath(output))
                    self.assertEqual(net.compiled["format"] if "format" in net.compiled.json else "ONNX", "ONNX")
                    self.assertEqual(net.compiled["notes"], [])
                    self.assertEqual(net.compiled["package"], os.fspath(output))
                self.assertTrue(os.path.exists(output))
        self.assertIsNone(stent.open(self.path("a.stent")).compiled)

    def test_without_a_name_the_package_goes_with_the_network(self):
        net = stent.compile(relu_net(self.path("net.onnx")))
        folder = os.path.dirname(net.path)
        self.assertTrue(os.path.exists(net.path))
        net.save(self.path("kept.stent"))
        net.close()
        self.assertFalse(os.path.exists(folder))
        net = stent.compile(relu_net(self.path("net.onnx")))
        folder = os.path.dirname(net.path)
        del net
        gc.collect()
        self.assertFalse(os.path.exists(folder))
        with stent.open(self.path("kept.stent")) as kept:
            self.assertEqual(kept(picture(1, 3, 8, 8)).tobytes(), relu_of(picture(1, 3, 8, 8)).tobytes())

    def test_it_goes_at_exit(self):
        script = "import sys, stent; net = stent.compile(sys.argv[1]); net2 = net; print(net.path)"
        status, out, err = python(script, relu_net(self.path("net.onnx")))
        self.assertEqual((status, err), (0, ""))
        self.assertTrue(out.endswith(".stent\n"))
        self.assertFalse(os.path.exists(os.path.dirname(out.strip())))

    def test_saving(self):
        with stent.compile(relu_net(self.path("net.onnx")), self.path("net.stent")) as net:
            net.save(self.path("net.stent"))  # onto itself
            net.save(pathlib.Path(self.path("copy.stent")))
            net.save(self.path("copy.stent"))  # over an earlier one
            with open(net.path, "rb") as one, open(self.path("copy.stent"), "rb") as other:
                self.assertEqual(one.read(), other.read())
            self.assertEqual(os.stat(net.path).st_mode, os.stat(self.path("copy.stent")).st_mode)
            with self.raises(stent.BadInputError, "nowhere"):
                net.save(self.path("nowhere/net.stent"))
            os.mkdir(self.path("folder"))
            with self.raises(stent.BadInputError, "folder"):
                net.save(self.path("folder"))
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith(".")], [])

    def test_what_is_refused(self):
        model = relu_net(self.path("net.onnx"))
        with open(model, "rb") as file:
            data = file.read()
        with open(self.path("cut.onnx"), "wb") as file:
            file.write(data[: len(data) // 2])
        small_onnx.save(self.path("odd.onnx"), [small_onnx.node("NoSuchOperator", ["x"], ["y"])],
                        [("x", "float32", (1,))], ["y"])
        output = self.path("out.stent")
        for source, kind, part in ((self.path("missing.onnx"), stent.BadInputError, "missing.onnx"),
                                   (self.path("cut.onnx"), stent.BadInputError, "cut.onnx"),
                                   (self.folder, stent.BadInputError, "got another folder"),
                                   (self.path("odd.onnx"), stent.UnsupportedError, "NoSuchOperator"),
                                   (7, stent.UsageError, "got int"), (None, stent.UsageError, "got NoneType"),
                                   (dict, stent.UsageError, "dict (a class; give an object)"),
                                   ("a\0b", stent.UsageError, "NUL")):
            with self.subTest(str(source)):
                with self.raises(kind, part):
                    stent.compile(source, output)
                with self.raises(kind, part):
                    stent.compile(source)
                self.assertFalse(os.path.exists(output))
        with self.raises(stent.UsageError, "overwrite"):
            stent.compile(model, model)
        with self.raises(stent.UsageError, "example"):
            stent.compile(model, example=numpy.zeros(1))
        with self.raises(stent.BadInputError, "nowhere"):
            stent.compile(model, self.path("nowhere/net.stent"))
        with self.raises(TypeError, "'pipelin'"):
            stent.compile(model, pipelin="x")

    def test_nothing_temporary_is_left(self):
        with unittest.mock.patch.object(tempfile, "tempdir", self.path("tmp")):
            os.mkdir(self.path("tmp"))
            model = relu_net(self.path("net.onnx"))
            with stent.compile(model, pipeline={"version": 1}, sample=picture(1, 3, 8, 8)) as net:
                self.assertEqual(len(os.listdir(self.path("tmp"))), 1)  # the package
                net.verify(input=picture(1, 3, 8, 8))
                self.assertEqual(len(os.listdir(self.path("tmp"))), 1)
            with self.raises(stent.BadInputError):
                stent.compile(self.path("missing.onnx"))
            with self.raises(stent.BadInputError):
                stent.compile(model, self.path("nowhere/net.stent"))
            self.assertEqual(os.listdir(self.path("tmp")), [])

    def test_options(self):
        model = relu_net(self.path("free.onnx"), ("N", 3, "H", "W"))
        with stent.compile(model, inputs={"x": (1, 3, 4, 6)}) as net:
            self.assertEqual(net.inputs[0].shape, (1, 3, 4, 6))
            with self.raises(stent.BadInputError):
                net(picture(1, 3, 6, 4))
        with self.raises(stent.UsageError, "-O"):
            stent.compile(model, opt_level=4)
        for level in range(4):
            with stent.compile(model, opt_level=level) as net:
                self.assertEqual(net.info()["made"]["opt_level"], level)
        with stent.compile(model, precision="strict") as net:
            self.assertEqual(net.info()["precision"], "strict")
            with self.raises(stent.UsageError):
                stent.open(net.path, precision="fp32")
        with self.raises(stent.UsageError, "bf16"):
            stent.compile(model, precision="bf16")
        for loss in (-0.1, 1.5, float("nan")):
            with self.raises(stent.UsageError, "max_dice_loss"):
                stent.compile(model, precision="bf16", calibrate=self.folder, max_dice_loss=loss)
        with stent.compile(model, precision="bf16", no_gate=True) as net:
            self.assertEqual(net.info()["made"]["gate"], "none")
        with self.raises(stent.UsageError, "--arch"):
            stent.compile(model, arch=self.path("net.graph"))
        with self.raises(stent.UsageError, "--signature"):
            stent.compile(model, signature="serving_default")
        with self.raises(stent.UsageError, "--signature"):
            stent.info(model, signature="serving_default")
        with stent.compile(model) as net:
            with self.raises(stent.UsageError, "--arch"):
                net.verify(model, arch=self.path("net.graph"), inputs={"x": (1, 3, 8, 8)})
            with self.raises(stent.UsageError, "--against"):
                net.verify(signature="serving_default")
            with self.raises(stent.UsageError, "a model file"):
                stent.info(net.path, arch=self.path("net.graph"))

    def test_pipeline(self):
        model = relu_net(self.path("net.onnx"))
        pipeline = {"version": 1, "input": {"channels": 3}, "output": {"threshold": 0.25}}
        with open(self.path("p.json"), "w", encoding="utf-8") as file:
            json.dump(pipeline, file)
        for given in (pipeline, self.path("p.json"), pathlib.Path(self.path("p.json"))):
            with stent.compile(model, pipeline=given) as net:
                self.assertEqual(net.info()["pipeline"]["output"]["threshold"], 0.25)
        with self.raises(stent.BadInputError, "pipeline"):
            stent.compile(model, pipeline={"version": 1, "colour": "red"})

    def test_bind_and_sample(self):
        model = small_onnx.save(self.path("add.onnx"), [small_onnx.node("Add", ["x", "k"], ["y"])],
                                [("x", "float32", (2, 3)), ("k", "float32", (2, 3))], ["y"])
        k = picture(2, 3)
        numpy.save(self.path("k.npy"), k)
        for given in (k, self.path("k.npy"), numpy.asfortranarray(k)):
            with stent.compile(model, bind={"k": given}) as net:
                self.assertEqual([value.name for value in net.inputs], ["x"])
                x = picture(2, 3, seed=3)
                self.assertEqual(net(x).tobytes(), (x + k).tobytes())
        with self.raises(stent.UsageError, "'z'"):
            stent.compile(model, bind={"z": k})
        with self.raises(stent.UsageError, "expected an array of numbers"):
            stent.compile(model, bind={"k": object()})
        relu = relu_net(self.path("net.onnx"))
        with stent.compile(relu, sample=picture(1, 3, 8, 8)) as net:
            self.assertEqual(net.bench(repeat=3)["verb"], "bench")
        with self.raises(stent.UsageError, "--sample"):
            stent.compile(relu, sample=picture(1, 3, 9, 9))

    def test_progress(self):
        seen = []
        with stent.compile(conv_net(self.path("net.onnx")), progress=lambda part, what: seen.append((part, what))):
            pass
        self.assertIn("passes", [what for _, what in seen])
        self.assertTrue(all(0 <= part <= 1 for part, _ in seen))
        with self.raises(stent.Cancelled):
            stent.compile(self.path("net.onnx"), self.path("net.stent"), progress=lambda part, what: what == "writing")
        self.assertFalse(glob.glob(self.path("*.stent")))


class Objects(Case):
    """Classes that look like the frameworks' own, which write a file that is there already."""

    def setUp(self):
        super().setUp()
        self.model = relu_net(self.path("net.onnx"))
        self.written = []

    def write(self, path):
        self.written.append(path)
        shutil.copyfile(self.model, path)

    def compiled(self, source, **options):
        """It compiles, runs, and leaves nothing; the name of the file that the framework was told to write."""
        x = picture(1, 3, 8, 8)
        with stent.compile(source, **options) as net:
            self.assertEqual(net(x).tobytes(), relu_of(x).tobytes())
            self.assertTrue(net.verify(source, **options).ok)
        self.assertEqual(len(self.written), 2)
        for path in self.written:
            self.assertFalse(os.path.exists(os.path.dirname(path)), path)
        return os.path.basename(self.written[0])

    @staticmethod
    def kind(name, module, /, *bases, **members):
        return type(name, bases, {"__module__": module, **members})

    def test_keras(self):
        case = self

        def save(_self, path, **options):
            case.write(path)
            case.options = options

        for module, root, version, name, options in (
                ("keras.src.models.model", "keras", "3.5.0", "u-net_1.keras", {}),
                ("keras.src.engine.training", "keras", "2.15.0", "u-net_1.h5", None),
                ("tf_keras.src.engine.training", "tf_keras", "2.16.0", "u-net_1.h5", None),
                ("tensorflow.python.keras.engine.training", "tensorflow", "2.4.0", "u-net_1.h5", None)):
            with self.subTest(module):
                self.written.clear()
                framework = types.ModuleType(root)
                framework.__version__ = version
                base = self.kind("Module", "tensorflow.python.module.module", object)
                model = self.kind("Model", module, base, save=save, name="u-net/1")
                mine = self.kind("Model", "__main__", model)  # a subclass of the user's
                with unittest.mock.patch.dict(sys.modules, {root: framework}):
                    for source in (model(), mine()):
                        self.written.clear()
                        self.assertEqual(self.compiled(source), name)
                    self.assertEqual(case.options,
                                     {"save_format": "h5", "include_optimizer": False} if options is None else {})
                    with self.raises(stent.UsageError, "example"):
                        stent.compile(model(), example=numpy.zeros(1))

    def test_onnx(self):
        with open(self.model, "rb") as file:
            data = file.read()
        model = self.kind("ModelProto", "onnx.onnx_ml_pb2", object, SerializeToString=lambda _self: data)
        x = picture(1, 3, 8, 8)
        with stent.compile(model()) as net:
            self.assertEqual(net(x).tobytes(), relu_of(x).tobytes())
            self.assertEqual(net.info()["model"], "ModelProto.onnx")

    def fake_tensorflow(self):
        case = self
        case.saved = []

        class TensorFlow(types.ModuleType):
            """What is called of it."""

            Module = type("Module", (), {"__module__": "tensorflow.python.module.module"})
            TensorSpec = staticmethod(lambda shape, dtype: (tuple(shape), str(dtype)))

            class Saved:
                @staticmethod
                def save(holder, folder, signatures=None):
                    case.saved.append((holder, signatures))
                    case.write(folder)  # the content tells the format; a file will do

                @staticmethod
                def load(_folder):
                    return types.SimpleNamespace(signatures=case.signatures)

            saved_model = Saved

            class function:
                def __init__(self, call):
                    self.call = call

                def get_concrete_function(self, *specs):
                    return ("traced", self.call, specs)

        return TensorFlow("tensorflow")

    def test_tensorflow(self):
        tf = self.fake_tensorflow()
        inside = "tensorflow.python.eager.polymorphic_function."
        concrete = self.kind("ConcreteFunction", inside + "concrete_function", object, variables=("w",))()
        function = self.kind("Function", inside + "polymorphic_function", object,
                             get_concrete_function=lambda _self, *specs: (case.specs.append(specs), concrete)[1])()
        module = self.kind("Net", "__main__", tf.Module, __call__=lambda _self, x: x)()
        case = self
        case.specs, case.signatures = [], {"serving_default": None}
        example = numpy.zeros((1, 16, 16, 3), numpy.float32)
        with unittest.mock.patch.dict(sys.modules, {"tensorflow": tf}):
            self.compiled(concrete)
            holder, signatures = self.saved[0]
            self.assertIs(type(holder), tf.Module)
            self.assertIs(signatures, concrete)
            self.assertEqual(holder.held_variables, ["w"])

            self.written.clear(), self.saved.clear()
            self.compiled(function, example=example)
            self.assertEqual(self.specs, [(((None, None, None, 3), "float32"),)] * 2)
            self.assertIs(self.saved[0][1], concrete)

            self.written.clear(), self.saved.clear()
            self.compiled(module)
            self.assertEqual(self.saved[0], (module, None))
            case.signatures = {}
            with self.raises(stent.UsageError, "example: Net does not say what it takes"):
                stent.compile(module)

            self.written.clear(), self.saved.clear()
            with stent.compile(module, example=(example, example[0, 0]), dynamic=False):
                pass
            holder, (_, call, specs) = self.saved[0]
            self.assertIs(holder, module)
            self.assertEqual(call, module.__call__)
            self.assertEqual(specs, (((1, 16, 16, 3), "float32"), ((16, 3), "float32")))
            with self.raises(stent.UsageError, "example"):
                stent.compile(concrete, example=example)

    def test_what_a_framework_raises_comes_through(self):
        def save(_self, _path, **_options):
            raise NotImplementedError("a subclassed model")

        model = self.kind("Model", "tf_keras.src.engine.training", object, save=save)
        with self.raises(NotImplementedError, "a subclassed model"):
            stent.compile(model())
