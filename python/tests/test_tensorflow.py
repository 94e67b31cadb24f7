"""compile of objects of Keras and TensorFlow, where these are there."""

import os
import unittest

import numpy
from case import Case

import stent

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import keras
    import tensorflow as tf
    import tf_keras
except ImportError:
    tf = None


def picture(*shape):
    """Channels last, as theirs."""
    return numpy.random.default_rng(7).random(shape, numpy.float32)


def unet(kit, size=(16, 24)):
    """A U-Net of one level; `kit` is keras or tf_keras."""
    kit.utils.set_random_seed(3)
    layers = kit.layers
    scan = kit.Input((*size, 3), name="scan")
    skip = layers.Conv2D(8, 3, padding="same", activation="relu")(layers.Rescaling(1 / 255)(scan))
    deep = layers.Dropout(0.5)(layers.Conv2D(16, 3, padding="same")(layers.MaxPooling2D()(skip)))
    up = layers.Conv2DTranspose(8, 2, strides=2)(layers.BatchNormalization()(deep))
    return kit.Model(scan, layers.Conv2D(1, 1, activation="sigmoid", name="mask")(layers.Concatenate()([up, skip])))


@unittest.skipIf(tf is None, "there are no TensorFlow, Keras and tf_keras")
class Keras(Case):
    def agrees(self, net, model, x):
        numpy.testing.assert_allclose(net(x), model.predict(x, verbose=0), atol=1e-5)

    def test_it_answers_as_keras_does(self):
        for kit in (keras, tf_keras):
            with self.subTest(kit.__name__):
                model = unet(kit)
                with stent.compile(model) as net:
                    self.assertEqual([value.name for value in net.inputs + net.outputs], ["scan", "mask"])
                    self.assertEqual(net.inputs[0].shape[1:], (16, 24, 3))
                    for batch in (1, 3):
                        self.agrees(net, model, 255 * picture(batch, 16, 24, 3))
                    self.assertTrue(net.verify(model, input=255 * picture(1, 16, 24, 3)).ok)

    def test_free_sizes(self):
        model = unet(keras, (None, None))
        with stent.compile(model) as net:
            for size in ((16, 16), (8, 40)):
                self.agrees(net, model, 255 * picture(1, *size, 3))

    def test_after_training(self):
        for kit in (keras, tf_keras):
            with self.subTest(kit.__name__):
                model = unet(kit)
                model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
                x = 255 * picture(4, 16, 24, 3)
                model.fit(x, (x[..., :1] > 128).astype("float32"), epochs=2, verbose=0)
                with stent.compile(model) as net:
                    self.agrees(net, model, x)

    def test_sequential(self):
        layers = keras.layers
        model = keras.Sequential([keras.Input((12, 12, 1)), layers.Conv2D(4, 3), layers.LeakyReLU(), layers.Flatten(),
                                  layers.Dense(5, activation="softmax")])
        with stent.compile(model) as net:
            self.agrees(net, model, picture(2, 12, 12, 1))

    def test_layers_of_ones_own_are_named(self):
        class Doubling(keras.layers.Layer):
            def call(self, x):
                return 2 * x

        scan = keras.Input((8, 8, 1))
        with self.raises(stent.UnsupportedError, "Doubling"):
            stent.compile(keras.Model(scan, Doubling()(scan)))


@unittest.skipIf(tf is None, "there are no TensorFlow, Keras and tf_keras")
class TensorFlow(Case):
    def module(self):
        """Two signatures, a variable."""
        filters = 0.1 * numpy.random.default_rng(1).standard_normal((3, 3, 2, 4)).astype("float32")

        class Net(tf.Module):
            def __init__(self):
                super().__init__()
                self.filters = tf.Variable(filters)

            @tf.function(input_signature=[tf.TensorSpec((None, None, None, 2), tf.float32, name="scan")])
            def __call__(self, scan):
                return {"mask": tf.nn.sigmoid(tf.nn.conv2d(scan, self.filters, 1, "SAME"))}

            @tf.function(input_signature=[tf.TensorSpec((1, 8, 8, 2), tf.float32, name="scan")])
            def logits(self, scan):
                return {"logits": tf.nn.conv2d(scan, self.filters, 1, "SAME")}

        return Net()

    def agrees(self, net, call, *shape):
        x = picture(*shape)
        expected = call(tf.constant(x))
        expected = next(iter(expected.values())) if isinstance(expected, dict) else expected
        numpy.testing.assert_allclose(net(x), expected.numpy(), atol=1e-5)

    def test_functions(self):
        module = self.module()
        with stent.compile(module.__call__) as net:
            self.assertEqual([value.name for value in net.inputs + net.outputs], ["scan", "mask"])
            self.agrees(net, module, 2, 8, 12, 2)
        with stent.compile(module.logits.get_concrete_function()) as net:
            self.assertEqual(net.inputs[0].shape, (1, 8, 8, 2))
            self.agrees(net, module.logits, 1, 8, 8, 2)

        @tf.function
        def blurred(scan):
            return tf.nn.avg_pool2d(scan, 2, 2, "SAME")

        with stent.compile(blurred, example=picture(1, 8, 8, 3)) as net:
            self.agrees(net, blurred, 2, 9, 7, 3)

    def test_module_with_an_example(self):
        module = self.module()
        with stent.compile(module, example=picture(1, 8, 8, 2)) as net:
            self.agrees(net, module, 3, 10, 6, 2)

    def test_signatures(self):
        module = self.module()
        folder = self.path("saved")
        tf.saved_model.save(module, folder, signatures={"serving_default": module.__call__, "raw": module.logits})
        for source in (folder, tf.saved_model.load(folder)):
            with stent.compile(source) as net:
                self.agrees(net, module, 1, 6, 6, 2)
            with stent.compile(source, signature="raw") as net:
                self.agrees(net, module.logits, 1, 8, 8, 2)
                self.assertTrue(net.verify(source, signature="raw").ok)
                self.assertEqual(net.outputs[0].name, "logits")
            with self.raises(stent.UsageError, "other", "raw", "serving_default"):
                stent.compile(source, signature="other")
        self.assertEqual([value["name"] for value in stent.info(folder, signature="raw")["outputs"]], ["logits"])

    def test_what_says_no_inputs(self):
        class Plain(tf.Module):
            def __call__(self, x):
                return tf.nn.relu(x)

        with stent.compile(Plain(), example=picture(1, 8, 8, 2)) as net:
            self.agrees(net, tf.nn.relu, 2, 4, 4, 2)
        with self.raises(stent.UsageError, "example"):
            stent.compile(Plain())

        @tf.function
        def bare(x):
            return x + 1

        with self.raises(stent.UsageError, "example"):
            stent.compile(bare)
