#!/usr/bin/env python3
"""What Keras, TensorFlow and TensorFlow Lite compute with the model files of the test data.

    build/venv-tensorflow/bin/python test/frameworks/write_shared.py FOLDER --testdata SHARED [--net FILE]...

FILE is a name below SHARED/models, such as keras/brats-unet-128.h5. FOLDER/FILE with / as -- holds a manifest.json as
write_keras.py's.
"""
import argparse
import json
import os
import shutil
import sys
import zlib

import numpy as np
import tensorflow as tf

import write_keras


def drawn(name, shape):
    return np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape).astype(np.float32)


def keras_model(path):
    """Old files open in tf_keras, new ones in Keras 3."""
    import tf_keras
    try:
        return tf_keras.models.load_model(path, compile=False)
    except Exception:
        import keras
        return keras.models.load_model(path, compile=False)


def in_double(model):
    """The same network in float64. In float32 Keras itself is up to 2.5e-5 of the standard deviation away from that."""
    keras = __import__(type(model).__module__.split(".")[0])
    twin = keras.models.model_from_json(model.to_json().replace('"float32"', '"float64"'))
    twin.set_weights([weight.astype(np.float64) for weight in model.get_weights()])
    return twin


def by_keras(path, name):
    model = keras_model(path)
    inputs = [drawn(name, [d or 1 for d in value.shape]) for value in model.inputs]
    outputs = write_keras.answers(in_double(model), [x.astype(np.float64) for x in inputs])
    return inputs, [y.astype(np.float32) for y in outputs]


def by_tensorflow(path, name):
    call = tf.saved_model.load(path).signatures["serving_default"]
    specs = call.structured_input_signature[1]
    feed = {key: drawn(name + key, [d or 1 for d in spec.shape]) for key, spec in specs.items()}
    outputs = call(**{key: tf.constant(x) for key, x in feed.items()})
    return list(feed.values()), [y.numpy() for _, y in sorted(outputs.items())]


def by_tflite(path, name):
    with open(path, "rb") as file:
        content = file.read()
    details = write_keras.lite().Interpreter(model_content=content).get_input_details()
    shapes = [tuple(int(d) for d in detail["shape"]) for detail in details]
    inputs = [drawn(name, shape) for shape in shapes]
    return inputs, write_keras.interpret(content, inputs)


RUN = {"keras": by_keras, "tensorflow": by_tensorflow, "tflite": by_tflite}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--testdata", required=True)
    parser.add_argument("--net", action="append", required=True)
    args = parser.parse_args()
    for name in args.net:
        folder = os.path.join(args.folder, name.replace("/", "--"))
        part = f"{folder}.{os.getpid()}.part"
        os.makedirs(part)
        manifest = {"cases": [], "refused": {}}
        try:
            inputs, outputs = RUN[name.split("/")[0]](os.path.join(args.testdata, "models", name), name)
            names = {}
            for letter, values in (("x", inputs), ("y", outputs)):
                names[letter] = [f"{letter}{i}.npy" for i in range(len(values))]
                for path, value in zip(names[letter], values):
                    np.save(os.path.join(part, path), value)
            manifest["cases"].append({"format": "file", "file": name, "inputs": names["x"], "outputs": names["y"]})
        except Exception as error:  # whatever a framework raises on it: the test then says so
            manifest["refused"]["file"] = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        with open(os.path.join(part, "manifest.json"), "w", encoding="utf-8") as file:
            json.dump(manifest, file, indent=1)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(part, folder)
        print(name, flush=True)


if __name__ == "__main__":
    sys.exit(main())
