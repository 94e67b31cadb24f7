#!/usr/bin/env python3
"""Trains the 2021 study's Keras network on LGG slices and writes it in every format that stent compiles.

    python train_keras.py --data kaggle_3m -o out --width 64 --steps 5000
    python train_keras.py --data kaggle_3m -o out --width 64 --steps 5000 --resume      goes on after an interruption

Four levels down from W channels to 16 W, transposed convolutions, skips taken before the normalisation, a probability out.
The same seed on the same machine with as many threads gives the same weights, bit by bit. Packages:
requirements-keras.txt.
"""
import json
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import absl.logging
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

import lgg

absl.logging.set_verbosity(absl.logging.ERROR)  # .h5 is an old format: that is why it is wanted
CHECKPOINT = "checkpoint.npz"


# ---- the network

def block(x, oc):
    """3x3 convolution, ReLU, 3x3 convolution (the skip), batch normalisation, ReLU."""
    x = layers.Conv2D(oc, 3, padding="same", activation="relu", kernel_initializer="he_normal")(x)
    skip = layers.Conv2D(oc, 3, padding="same", kernel_initializer="he_normal")(x)
    return skip, layers.ReLU()(layers.BatchNormalization(momentum=0.9)(skip))


def unet(width, size, policy):
    """policy: "float32", or "mixed_bfloat16": products in bfloat16, weights and the last layer in float32."""
    keras.mixed_precision.set_global_policy(policy)
    x = image = keras.Input((size, size, 3), name="image")
    skips = []
    for level in range(5):
        skip, x = block(x, width << level)
        skips.append(skip)
        x = layers.MaxPooling2D()(x) if level < 4 else x
    for level in (3, 2, 1, 0):
        x = layers.Conv2DTranspose(width << level, 2, strides=2, kernel_initializer="he_normal")(x)
        _, x = block(layers.Concatenate()([x, skips[level]]), width << level)
    return keras.Model(image, layers.Conv2D(1, 1, activation="sigmoid", dtype="float32", name="mask")(x))


# ---- training

def loss_of(truth, p):
    """Binary cross-entropy and 1 - Dice of the batch's pixels together."""
    both, total = keras.ops.sum(p * truth), keras.ops.sum(p) + keras.ops.sum(truth)
    return keras.ops.mean(keras.losses.binary_crossentropy(truth, p)) + 1 - (2 * both + 1) / (total + 1)


class Net:
    def __init__(self, args):
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.config.experimental.enable_op_determinism()
        keras.utils.set_random_seed(args.seed)
        self.args = args
        self.model = unet(args.width, args.size, "mixed_bfloat16" if args.bf16 else "float32")
        self.model.compile(keras.optimizers.Adam(), loss_of, jit_compile=False)
        self.model.optimizer.build(self.model.trainable_variables)
        self.plain = unet(args.width, args.size, "float32")  # as it will be used

    def step(self, pictures, masks, rate):
        self.model.optimizer.learning_rate = rate
        return float(self.model.train_on_batch(pictures, masks[..., None]))

    def probabilities(self, pictures):
        self.plain.set_weights(self.model.get_weights())
        return self.plain.predict_on_batch(pictures)[..., 0]

    def weights(self):
        return self.model.get_weights()

    def variables(self):
        return [*self.model.variables, *self.model.optimizer.variables]

    def save(self, path, progress):
        arrays = {str(i): keras.ops.convert_to_numpy(variable) for i, variable in enumerate(self.variables())}
        with open(path, "wb") as file:
            np.savez(file, progress=json.dumps(progress), **arrays)

    def load(self, path):
        try:
            with np.load(path) as saved:
                progress = json.loads(str(saved["progress"]))
                if progress["settings"]["width"] == self.args.width:  # else lgg.py says what differs
                    for i, variable in enumerate(self.variables()):
                        variable.assign(saved[str(i)])
        except Exception as error:  # whatever numpy and Keras raise
            raise lgg.BadData(f"{path}: not a checkpoint of this script: {error}") from None
        return progress

    # ---- files

    def export(self, stem):
        """Keras' two formats; a SavedModel; TensorFlow Lite, for one picture."""
        self.plain.set_weights(self.model.get_weights())
        lgg.write_pipeline(stem, self.args.size, "none")
        writers = {".keras": self.plain.save, ".h5": self.plain.save, ".tflite": self.write_lite,
                   ".savedmodel": lambda path: self.plain.export(path, verbose=False)}
        for ending, write in writers.items():
            with lgg.replacing(stem + ending) as part:
                write(part)
        return [stem + ending for ending in (*writers, ".pipeline.json")]

    def write_lite(self, path):
        size = self.args.size
        spec = tf.TensorSpec((1, size, size, 3), tf.float32, "image")
        function = tf.function(lambda image: self.plain(image, training=False)).get_concrete_function(spec)
        constant = convert_variables_to_constants_v2(function)  # else the file has variables, and nothing in them
        with open(path, "wb") as file:
            file.write(tf.lite.TFLiteConverter.from_concrete_functions([constant]).convert())


if __name__ == "__main__":
    sys.exit(lgg.main(__doc__, "keras", Net, CHECKPOINT))
