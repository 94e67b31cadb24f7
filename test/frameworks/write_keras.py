#!/usr/bin/env python3
"""Writes the networks of keras_nets.py in every format that Keras and TensorFlow can write, with inputs and outputs.

    tools/venv test/frameworks/tensorflow.txt build/venv-tensorflow
    build/venv-tensorflow/bin/python test/frameworks/write_keras.py FOLDER [--net NAME]...

FOLDER/NET/manifest.json lists the files, and for each the arrays that go in and come out of it:
    {"cases": [{"format", "file", "inputs": [x.npy], "outputs": [y.npy],     what TensorFlow computes with these weights
                "rounded": [y.npy]}],                                        with activations in int8 too; or absent
     "refused": {format: why TensorFlow can't write it}}
"""
import argparse
import json
import os
import shutil
import sys
import warnings
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
warnings.simplefilter("ignore")

import numpy as np
import tensorflow as tf

import keras_nets
import tflite_float

tf.get_logger().setLevel("ERROR")


# ---- weights

def draw(rng, name, shape):
    """He-normal kernels, and statistics that change what they normalise."""
    if name in ("gamma", "moving_variance"):
        return rng.uniform(0.6, 1.8 if name == "moving_variance" else 1.3, shape)
    if name in ("beta", "moving_mean"):
        return rng.normal(0, 0.25, shape)
    if name == "alpha":
        return rng.uniform(0.05, 0.4, shape)
    if name == "bias":
        return rng.normal(0, 0.05, shape)
    taps = np.prod(shape[:-2]) if len(shape) > 2 else 1
    fan_in = taps if name == "depthwise_kernel" else taps * shape[-2]
    return rng.standard_normal(shape) * np.sqrt(2 / fan_in)


def set_weights(model, inputs, seed):
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        name = weight.name.split("/")[-1].split(":")[0]
        if np.issubdtype(np.dtype(weight.dtype if isinstance(weight.dtype, str) else weight.dtype.name), np.floating):
            weight.assign(draw(rng, name, tuple(weight.shape)).astype(np.float32))
    outputs = answers(model, inputs)
    for layer in model.layers:
        if layer.name.startswith("logits"):  # several outputs: each by its own layer
            index = [name.split("/")[0] for name in output_layers(model)].index(layer.name) if len(outputs) > 1 else 0
            layer.set_weights([w / max(outputs[index].std(), 1e-6) for w in layer.get_weights()])


def output_layers(model):
    """The name of the layer that makes each output."""
    if hasattr(model, "output_names"):
        return list(model.output_names)
    return [output._keras_history[0].name for output in model.outputs]


def answers(model, inputs):
    given = [tf.constant(x) for x in inputs]
    outputs = model(given if len(given) > 1 else given[0], training=False)
    return [np.asarray(y) for y in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]


def build(net, keras, last, inputs):
    """The model; with the same weights whatever `last` is."""
    keras.backend.clear_session()
    model = keras.Model(*net.build(keras_nets.Kit(keras), last))
    set_logits = keras.Model(*net.build(keras_nets.Kit(keras), None)) if last else model
    set_weights(set_logits, inputs, zlib.crc32(net.name.encode()))
    if last:
        model.set_weights(set_logits.get_weights())
    return model


# ---- formats

def concrete(model, shapes):
    """A function of TensorFlow; `shapes` with None where a dim is free."""
    specs = [tf.TensorSpec(shape, tf.float32, name=value.name.split(":")[0]) for shape, value in zip(shapes, model.inputs)]

    @tf.function(input_signature=specs)
    def call(*given):
        return model(list(given) if len(given) > 1 else given[0], training=False)
    return call.get_concrete_function()


def free_batch(inputs):
    return [(None,) + x.shape[1:] for x in inputs]


def frozen(model, shapes):
    """The same with variables as constants: also what TensorFlow Lite's converter takes from Keras 3."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
    return convert_variables_to_constants_v2(concrete(model, shapes))


def tflite(function, inputs, kind):
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
    if kind != "float":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if kind == "int8":
        rng = np.random.default_rng(3)
        converter.representative_dataset = lambda: ([rng.standard_normal(x.shape).astype(np.float32) for x in inputs]
                                                    for _ in range(16))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return converter.convert()


def lite():
    """The module with the Interpreter: TensorFlow's, or where it was moved to."""
    try:
        from ai_edge_litert import interpreter as module
        return module
    except ImportError:
        return tf.lite


def interpret(content, inputs):
    """What TensorFlow Lite computes, in the order of the file's outputs. Without XNNPACK: its own plain kernels."""
    module = lite()
    kinds = getattr(getattr(module, "experimental", None), "OpResolverType", None) or module.OpResolverType
    interpreter = module.Interpreter(model_content=content,
                                     experimental_op_resolver_type=kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        fits = [x for x in inputs if tuple(detail["shape"]) == x.shape]
        interpreter.set_tensor(detail["index"], fits[0])
    interpreter.invoke()
    return [np.array(interpreter.get_tensor(detail["index"])) for detail in interpreter.get_output_details()]


def first_version(net, inputs, path, as_graph):
    """As TensorFlow 1 did: a graph with variables, a session, simple_save or a frozen graph. Returns the outputs."""
    import tf_keras
    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session(graph=graph) as session:
        tf_keras.backend.set_session(session) if hasattr(tf_keras.backend, "set_session") else None
        model = tf_keras.Model(*net.build(keras_nets.Kit(tf_keras), None))
        rng = np.random.default_rng(zlib.crc32(net.name.encode()))
        places = [tf.compat.v1.placeholder(tf.float32, (None,) + x.shape[1:], f"input{i}") for i, x in enumerate(inputs)]
        outputs = model(places if len(places) > 1 else places[0], training=False)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        outputs = [tf.identity(y, f"output{i}") for i, y in enumerate(outputs)]
        session.run(tf.compat.v1.global_variables_initializer())
        for weight in model.weights:
            value = draw(rng, weight.name.split("/")[-1].split(":")[0], tuple(weight.shape)).astype(np.float32)
            session.run(weight.assign(value))
        if as_graph:
            constant = tf.compat.v1.graph_util.convert_variables_to_constants(
                session, graph.as_graph_def(), [y.op.name for y in outputs])
            with open(path, "wb") as file:
                file.write(constant.SerializeToString())
        else:
            tf.compat.v1.saved_model.simple_save(session, path, {p.op.name: p for p in places},
                                                 {y.op.name: y for y in outputs})
        return session.run(outputs, dict(zip(places, inputs)))


class Writer:
    """Models and functions are built when a format first asks for them, and kept."""

    def __init__(self, net, folder):
        self.net, self.folder, self.models, self.fixed = net, folder, {}, {}
        rng = np.random.default_rng(zlib.crc32(net.name.encode()) ^ 1)
        self.inputs = [rng.standard_normal((net.batch,) + shape).astype(np.float32) for shape in net.inputs]

    def model(self, version, last=None):
        key = version, last
        if key not in self.models:
            if version == 2:
                import tf_keras as keras
            else:
                import keras
            self.models[key] = build(self.net, keras, last, self.inputs)
        return self.models[key]

    def write(self, form, path):
        """Writes the file: (outputs, outputs with rounded activations or None)."""
        last = self.net.last if form.startswith("last.") else None
        plain = form.removeprefix("last.")
        if plain.startswith("v1."):
            return first_version(self.net, self.inputs, path, plain == "v1.pb"), None
        if plain.endswith("tflite"):
            return self.write_tflite("float" if plain == "tflite" else plain.split(".")[0], last, path)
        model = self.model(2 if plain.startswith("keras2") else 3, last)
        if plain.endswith(".h5") or plain.endswith(".keras"):
            model.save(path)
        elif plain == "export":
            model.export(path, verbose=False)
        elif plain == "saved":
            tf.saved_model.save(model, path)
        elif plain == "keras2.saved":
            model.save(path, save_format="tf")
        else:
            with open(path, "wb") as file:
                file.write(frozen(model, free_batch(self.inputs)).graph.as_graph_def().SerializeToString())
        return answers(model, self.inputs), None

    def write_tflite(self, kind, last, path):
        if last not in self.fixed:
            self.fixed[last] = frozen(self.model(3, last), [x.shape for x in self.inputs])
        content = tflite(self.fixed[last], self.inputs, kind)
        with open(path, "wb") as file:
            file.write(content)
        if kind in ("dynamic", "int8"):
            return interpret(tflite_float.float_model(content), self.inputs), interpret(content, self.inputs)
        return interpret(content, self.inputs), None

    def save(self, name, arrays):
        names = [f"{name}{i}.npy" for i in range(len(arrays))]
        for path, array in zip(names, arrays):
            np.save(os.path.join(self.folder, path), array)
        return names

    def write_all(self):
        cases, refused = [], {}
        inputs = self.save("x", self.inputs)
        for form in self.net.all_formats():
            path = os.path.join(self.folder, form)
            try:
                outputs, rounded = self.write(form, path)
            except Exception as error:  # whatever TensorFlow raises: the test then says so
                refused[form] = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
                continue
            case = {"format": form, "file": form, "inputs": inputs, "outputs": self.save(form + ".y", outputs)}
            if rounded:
                case["rounded"] = self.save(form + ".rounded", rounded)
            cases.append(case)
        with open(os.path.join(self.folder, "manifest.json"), "w", encoding="utf-8") as file:
            json.dump({"cases": cases, "refused": refused}, file, indent=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--net", choices=keras_nets.BY_NAME, action="append", help="default: all")
    args = parser.parse_args()
    for name in args.net or keras_nets.BY_NAME:
        folder = os.path.join(args.folder, name)
        part = f"{folder}.{os.getpid()}.part"
        os.makedirs(part)
        Writer(keras_nets.BY_NAME[name], part).write_all()
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(part, folder)
        print(name, flush=True)


if __name__ == "__main__":
    sys.exit(main())
