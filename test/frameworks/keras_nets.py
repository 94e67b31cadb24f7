"""The networks that write_keras.py writes in every format of Keras and TensorFlow: the two of the study, and ours.

Can be imported without TensorFlow: a builder gets the Kit of the Keras that it shall build with (Keras 3, or Keras 2
as tf_keras). build(k, last) gives (inputs, outputs); `last` is the last activation, None: logits. Layers that are
followed by the outputs are called "logits...": write_keras.py scales their weights, so that logits have a standard
deviation of 1.
"""
import dataclasses
import typing

# Formats: what they are called in the tests' names, and the line of the table that they are counted in.
H5, ZIP, SAVED, FROZEN, TFLITE = "Keras .h5", "Keras .keras", "SavedModel", "GraphDef", "TFLite"
GROUPS = {
    "keras3.h5": H5,            # Keras 3's legacy form
    "keras2.h5": H5,            # tf_keras
    "keras3.keras": ZIP,
    "keras2.keras": ZIP,        # the same name, other names inside
    "export": SAVED,            # Keras 3: model.export
    "saved": SAVED,             # tf.saved_model.save of a Keras 3 model
    "keras2.saved": SAVED,      # tf_keras: model.save(save_format="tf")
    "frozen.pb": FROZEN,        # convert_variables_to_constants_v2
    "float.tflite": TFLITE,
    "float16.tflite": TFLITE,   # weights in half precision
    "dynamic.tflite": TFLITE,   # weights in int8
    "int8.tflite": TFLITE,      # weights and activations in int8, float at the ends
    "v1.saved": SAVED,          # as TensorFlow 1 wrote it: no functions, variables in the graph
    "v1.pb": FROZEN,            # convert_variables_to_constants of such a graph
    # with the last activation
    "last.keras2.h5": H5, "last.keras3.h5": H5, "last.keras3.keras": ZIP, "last.export": SAVED, "last.frozen.pb": FROZEN,
    "last.tflite": TFLITE,
}
SPECIAL = ("int8.tflite", "v1.saved", "v1.pb")  # of few networks
MORE = ("keras2.keras", "saved", "keras2.saved", "float16.tflite")  # of some: TensorFlow is slow at writing
LAST = tuple(name for name in GROUPS if name.startswith("last."))
USUAL = tuple(name for name in GROUPS if name not in SPECIAL + MORE + LAST)
# Networks with a layer of their own: files of layers hold its name only.
GRAPHS = ("export", "saved", "frozen.pb", "float.tflite", "float16.tflite", "dynamic.tflite")


@dataclasses.dataclass
class Net:
    name: str
    exercises: str
    build: typing.Callable
    inputs: list         # (height, width, channels) of each, as it is run; without the batch
    last: str = None     # activation behind the logits
    formats: tuple = USUAL
    batch: int = 1
    slow_isa: bool = False  # also on SSE2
    ends: tuple = ("last.keras3.keras", "last.tflite")  # formats that are written with the last activation, too

    def all_formats(self):
        return self.formats + (self.ends if self.last else ())


class Kit:
    """Layers of one Keras, with what its versions name differently."""

    def __init__(self, keras):
        self.keras, self.L = keras, keras.layers
        self.is_3 = int(keras.__version__.split(".")[0]) >= 3

    def input(self, *shape, name="image"):
        return self.keras.Input(shape, name=name)

    def leaky(self, slope):
        return self.L.LeakyReLU(**{"negative_slope" if self.is_3 else "alpha": slope})

    def conv(self, x, oc, size=3, activation=None, padding="same", **more):
        kind = {2: self.L.Conv1D, 3: self.L.Conv2D, 4: self.L.Conv3D}[len(x.shape) - 1]
        return kind(oc, size, activation=activation, padding=padding, **more)(x)

    def up_conv(self, x, oc, size=2, strides=2, **more):
        kind = {2: self.L.Conv1DTranspose, 3: self.L.Conv2DTranspose, 4: self.L.Conv3DTranspose}[len(x.shape) - 1]
        return kind(oc, size, strides=strides, **{"padding": "same", **more})(x)

    def norm(self, x, **more):
        return self.L.BatchNormalization(**more)(x)

    def act(self, x, kind="relu"):
        return self.L.Activation(kind)(x)

    def pool(self, x, size=2, **more):
        kind = {2: self.L.MaxPooling1D, 3: self.L.MaxPooling2D, 4: self.L.MaxPooling3D}[len(x.shape) - 1]
        return kind(size, **more)(x)

    def up(self, x, size=2, how=None):
        kind = {2: self.L.UpSampling1D, 3: self.L.UpSampling2D, 4: self.L.UpSampling3D}[len(x.shape) - 1]
        return kind(size, **({"interpolation": how} if how else {}))(x)

    def join(self, *values):
        return self.L.Concatenate()(list(values))

    def head(self, x, classes, last, size=1, name="logits"):
        return self.conv(x, classes, size, activation=last, name=name)

    def layer(self, function, name=None):
        """A layer of the user's own, without weights."""
        class Own(self.L.Layer):
            def call(self, x):
                return function(x)
        return Own(name=name)


# ---- the study's

def seed_keras(k, last):
    def block(x, oc):
        skip = k.conv(k.conv(x, oc, activation="relu"), oc)
        return skip, k.act(k.norm(skip))

    width, skips = 8, []
    image = x = k.input(64, 64, 3)
    for i in range(5):
        skip, x = block(x, width << i)
        skips.append(skip)
        x = k.pool(x) if i < 4 else x
    skips.pop()  # the bottom has none
    for i in (3, 2, 1, 0):
        _, x = block(k.join(k.up_conv(x, width << i), skips.pop()), width << i)
    return [image], [k.head(x, 1, last)]


def seed_torch(up):
    def build(k, last):
        def double(x, oc):
            for _ in range(2):
                x = k.act(k.norm(k.conv(x, oc), epsilon=1e-5))
            return x
        width, skips = 8, []
        image = k.input(64, 64, 3)
        x = double(image, width)
        for oc in (2 * width, 4 * width, 8 * width, 8 * width):
            skips.append(x)
            x = double(k.pool(x), oc)
        for oc in (4 * width, 2 * width, width, width):
            x = double(k.join(skips.pop(), up(k, x)), oc)
        return [image], [k.head(x, 1, last)]
    return build


def align_corners(k, x):
    import tensorflow as tf
    size = [2 * x.shape[1], 2 * x.shape[2]]
    return k.layer(lambda value: tf.compat.v1.image.resize_bilinear(value, size, align_corners=True))(x)


# ---- ours

def residual(k, last):
    def block(x, oc, strides):
        short = x if strides == 1 and x.shape[-1] == oc else k.norm(k.conv(x, oc, 1, strides=strides, use_bias=False))
        x = k.L.ReLU(max_value=6)(k.norm(k.conv(x, oc, strides=strides, use_bias=False), scale=False))
        x = k.norm(k.conv(x, oc, use_bias=False), center=False, epsilon=1e-4)
        return k.L.ReLU()(k.L.Add()([x, short]))
    image = k.input(47, 61, 3)
    x = first = block(image, 8, 1)
    x = middle = block(block(x, 16, 2), 16, 1)  # 24 x 31
    x = block(x, 24, 2)                         # 12 x 16
    x = k.L.Cropping2D(((0, 0), (0, 1)))(k.up_conv(x, 16, 3))
    x = k.L.Cropping2D(((0, 1), (1, 0)))(k.up_conv(k.L.Add()([x, middle]), 8, 3))
    return [image], [k.head(k.L.Add()([x, first]), 2, last)]


def separable(k, last):
    image = k.input(40, 56, 3)
    x = k.L.SeparableConv2D(12, 3, padding="same", depth_multiplier=2, activation="relu")(image)
    x = skip = k.norm(x)
    x = k.L.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2)(x)
    x = k.act(k.norm(x), "swish")
    x = k.L.DepthwiseConv2D(5, padding="valid", use_bias=False)(k.L.ZeroPadding2D(2)(x))
    x = k.L.SeparableConv2D(16, (3, 5), strides=2, padding="same", use_bias=False)(x)
    x = k.up(k.act(k.norm(x)), 2)
    x = k.join(k.up(x, (2, 2)), skip)
    return [image], [k.head(x, 1, last)]


def dilated(k, last):
    image = k.input(33, 40, 2)
    x = k.act(k.norm(k.conv(image, 12, 5, strides=2)))  # 17 x 20
    ways = [k.conv(x, 8, 1, activation="relu")]
    ways += [k.conv(x, 8, activation="relu", dilation_rate=rate) for rate in (2, 4, (3, 6))]
    whole = k.L.GlobalAveragePooling2D(keepdims=True)(x)
    ways.append(k.up(k.conv(whole, 4, 1, activation="relu"), (17, 20), "bilinear"))
    x = k.conv(k.join(*ways), 12, padding="valid", dilation_rate=2, activation="relu")  # 13 x 16
    x = k.L.AveragePooling2D(3, strides=1, padding="same")(x)
    x = k.up(k.head(x, 4, None), 3, "bilinear")  # logits are made larger, as DeepLab does
    return [image], [k.L.Softmax()(x) if last else x]


def attention_gate(k, last):
    """Oktay et al., arXiv 1804.03999."""
    def gate(skip, below, c):
        theta = k.conv(skip, c, 2, strides=2, padding="valid", use_bias=False)
        psi = k.act(k.L.Add()([theta, k.conv(below, c, 1)]))
        psi = k.up(k.conv(psi, 1, 1, activation="sigmoid"), 2, "bilinear")
        return k.norm(k.conv(k.L.Multiply()([skip, psi]), skip.shape[-1], 1))
    image = k.input(48, 32, 1)
    x, skips = image, []
    for oc in (8, 16):
        x = k.norm(k.conv(k.conv(x, oc, activation="relu"), oc, activation="relu"))
        skips.append(x)
        x = k.pool(x)
    x = k.conv(x, 24, activation="relu")
    for oc, skip in ((16, skips[1]), (8, skips[0])):
        x = k.join(k.up(x, 2, "nearest"), gate(skip, x, oc))
        x = k.conv(x, oc, activation="relu")
    return [image], [k.head(x, 1, last)]


def activations(k, last):
    image = k.input(24, 28, 3)
    values = [k.conv(image, 8)]

    def put(function):
        values.append(k.conv(function(values[-1]), 8, bias_initializer="zeros"))
    for layer in (k.leaky(0.1), k.leaky(0.3), k.L.PReLU(shared_axes=[1, 2]), k.L.PReLU(), k.L.ELU(0.7),
                  k.L.ReLU(max_value=1.5, negative_slope=0.2, threshold=0.1)):
        put(layer)
    for name in ("elu", "selu", "softplus", "softsign", "tanh", "sigmoid", "hard_sigmoid", "swish", "gelu", "relu6"):
        if name != "relu6" or k.is_3:  # Keras 2 has no such name
            put(k.L.Activation(name))
    return [image], [k.head(k.L.Average()(values[-4:]), 2, last)]


def group_instance(k, last):
    image = k.input(36, 28, 3)
    x = k.leaky(0.2)(k.L.GroupNormalization(4)(k.conv(image, 8)))
    skip = x = k.leaky(0.2)(k.L.GroupNormalization(-1, epsilon=1e-5)(k.conv(x, 12)))  # instance normalisation
    x = k.act(k.L.LayerNormalization()(k.conv(x, 16, strides=2)))
    x = k.act(k.L.GroupNormalization(1, scale=False)(k.conv(x, 16)))
    x = k.join(k.up_conv(x, 8), skip)
    return [image], [k.head(k.act(k.norm(k.conv(x, 8), axis=-1, momentum=0.9)), 1, last)]


def valid(k, last):
    """As in Ronneberger et al., arXiv 1505.04597: convolutions without padding, skips cropped."""
    def double(x, oc):
        return k.conv(k.conv(x, oc, activation="relu", padding="valid"), oc, activation="relu", padding="valid")
    image = k.input(60, 60, 1)
    first = double(image, 6)             # 56
    second = double(k.pool(first), 12)   # 24
    x = double(k.pool(second), 24)       # 8
    x = k.join(k.L.Cropping2D(4)(second), k.up_conv(x, 12, padding="valid"))   # 16
    x = double(x, 12)                                                          # 12
    x = k.join(k.L.Cropping2D(((16, 16), (15, 17)))(first), k.up_conv(x, 6, padding="valid"))  # 24
    x = k.L.ZeroPadding2D(((1, 2), (0, 3)))(double(x, 6))
    return [image], [k.head(x, 2, last, 3)]


def nested(k, last):
    def encoder(name):
        x = image = k.input(32, 32, 8, name=name + "_image")
        x = k.act(k.norm(k.conv(x, 8)))
        low = k.conv(k.pool(x), 16, activation="relu")
        return k.keras.Model(image, [x, low], name=name)
    image = k.input(32, 32, 3)
    shared = k.L.Conv2D(8, 3, padding="same", activation="relu", name="shared")  # called twice, with one set of weights
    stem = shared(k.conv(shared(k.conv(image, 8)), 8))
    high, low = encoder("encoder")(stem)
    tail = k.keras.Sequential([k.keras.Input((16, 16, 16)), k.L.Conv2D(16, 3, padding="same"), k.L.BatchNormalization(),
                               k.L.ReLU(), k.L.UpSampling2D(2)], name="decoder")
    inner = k.keras.Sequential([k.keras.Input((32, 32, 24)), k.L.Conv2D(8, 1, activation="relu")], name="inner")
    both = k.keras.Sequential([k.keras.Input((32, 32, 24)), inner, k.L.Dropout(0.3)], name="outer")  # two levels deep
    return [image], [k.head(both(k.join(high, tail(low))), 1, last)]


def two_inputs(k, last):
    image, guide = k.input(40, 32, 3, name="image"), k.input(20, 16, 1, name="guide")
    a = k.conv(image, 8, activation="relu")
    b = k.up(k.conv(guide, 8, activation="tanh"), 2, "bilinear")
    values = [kind()([a, b]) for kind in (k.L.Subtract, k.L.Multiply, k.L.Maximum, k.L.Minimum, k.L.Average)]
    x = k.conv(k.L.Concatenate(axis=-1)(values), 12, activation="relu")
    x = k.L.Add()([x, k.L.Dense(12, activation="relu")(k.join(a, b)), k.conv(image, 12, 1)])
    return [image, guide], [k.head(x, 1, last)]


def two_outputs(k, last):
    """Supervised at two scales."""
    image = k.input(32, 48, 3)
    high = k.act(k.norm(k.conv(image, 8)))
    low = k.act(k.norm(k.conv(k.conv(high, 16, strides=2), 16)))
    small = k.head(low, 3, last, name="logits_small")
    x = k.join(k.up_conv(low, 8, 4), high)
    x = k.L.Permute((2, 1, 3))(k.conv(x, 8, activation="relu"))  # height and width change places
    return [image], [k.head(x, 2, last, 3, "logits"), small]


def volume(k, last):
    scan = k.input(18, 20, 15, 1, name="scan")
    first = x = k.act(k.norm(k.conv(scan, 6)))
    x = second = k.conv(k.pool(x, 2), 12, activation="relu")                    # 9 10 7
    x = k.conv(k.L.AveragePooling3D((3, 2, 1), padding="same")(x), 16, activation="relu")  # 3 5 7
    x = k.join(k.L.UpSampling3D((3, 2, 1))(x), second)
    x = k.up_conv(k.conv(x, 12, (3, 3, 1), activation="relu"), 6)               # 18 20 14
    x = k.L.ZeroPadding3D(((0, 0), (0, 0), (1, 0)))(x)
    x = k.join(x, first)
    x = k.conv(k.L.Cropping3D(((1, 1), (2, 0), (0, 1)))(x), 6, padding="valid", activation="relu")
    return [scan], [k.head(x, 2, last)]


def volume_strides(k, last):
    """Without pooling, which TensorFlow Lite has in 2D only."""
    scan = k.input(13, 16, 12, 2, name="scan")
    first = k.act(k.norm(k.conv(scan, 8)))
    x = k.conv(k.conv(first, 12, strides=2, activation="relu"), 12, (1, 3, 3), activation="relu")  # 7 8 6
    x = k.L.Cropping3D(((0, 1), (0, 0), (0, 0)))(k.up_conv(x, 8, 3, 2))
    return [scan], [k.head(k.L.Add()([x, first]), 3, last)]


def squeeze_excite(k, last):
    def excite(x, c):
        scale = k.L.Dense(c // 4, activation="relu")(k.L.GlobalAveragePooling2D()(x))
        scale = k.L.Dense(c, activation="sigmoid", use_bias=False)(scale)
        return k.L.Multiply()([x, k.L.Reshape((1, 1, c))(scale)])

    def inverted(x, oc, strides):
        c = x.shape[-1] * 3
        y = k.act(k.norm(k.conv(x, c, 1, use_bias=False)), "swish")
        y = k.act(k.norm(k.L.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(y)), "swish")
        y = k.norm(k.conv(excite(y, c), oc, 1, use_bias=False))
        return k.L.Add()([x, y]) if strides == 1 and x.shape[-1] == oc else y
    image = k.input(44, 44, 3)
    x = first = k.conv(image, 8, strides=2, activation="swish")
    x = inverted(inverted(x, 12, 2), 12, 1)
    spatial = k.conv(x, 1, 1, activation="sigmoid")
    best = k.L.Reshape((1, 1, 12))(k.L.GlobalMaxPooling2D()(x))
    x = k.L.Add()([k.L.Multiply()([x, spatial]), k.L.Multiply()([x, k.act(best, "sigmoid")])])
    x = k.join(k.up(x, 2, "bilinear"), first)
    return [image], [k.up(k.head(x, 1, last), 2)]


def dense_bottleneck(k, last):
    def layer(x, growth):
        y = k.L.Dropout(0.2)(k.conv(k.act(k.norm(x)), growth))
        return k.join(x, y)
    image = k.input(24, 24, 1)
    x = k.L.GaussianNoise(0.1)(k.conv(image, 8))
    for _ in range(3):
        x = skip = layer(x, 4)
    x = k.L.SpatialDropout2D(0.1)(k.conv(k.pool(x, 4), 4, 1))  # 6 x 6
    x = k.L.Dense(48, activation="relu")(k.L.Flatten()(x))
    x = k.L.Dense(6 * 6 * 4)(k.L.LayerNormalization()(x))
    x = k.L.ActivityRegularization(1e-4)(k.L.Reshape((6, 6, 4))(x))
    x = layer(k.join(k.up(x, 4), skip), 4)
    return [image], [k.head(x, 3, last)]


def transposed(k, last):
    image = k.input(11, 14, 4)
    ways = [k.up_conv(image, 4, 3, 2), k.up_conv(image, 4, 4, 2, use_bias=False), k.up_conv(image, 4, 2, 2, activation="relu"),
            k.up_conv(image, 4, 5, 2), k.up_conv(image, 4, (2, 1), 2)]
    x = k.join(*ways)                                            # 22 x 28
    x = k.up_conv(x, 8, 3, 1)                                    # stride 1
    x = k.up_conv(k.act(k.norm(x)), 8, 3, 2, padding="valid")    # 45 x 57
    x = k.up_conv(x, 6, 4, 3, padding="valid", output_padding=2, activation="relu")  # 138 x 174
    x = k.conv(x, 8, 4, strides=(4, 3))                          # 35 x 58
    x = k.up_conv(x, 6, 2, 3, padding="valid")                   # gaps where the kernel is smaller than the stride
    return [image], [k.head(x, 1, last, 3)]


def free_size(k, last):
    """Height and width are not in the file; what "same" pads depends on them. All sizes go."""
    image = k.keras.Input((None, None, 1), name="image")
    x = first = k.act(k.norm(k.conv(image, 8, (5, 3))))
    x = k.L.AveragePooling2D(3, strides=2, padding="same")(x)
    x = k.pool(k.conv(x, 12, 4, strides=2, activation="relu"), 3, strides=1, padding="same")
    x = k.join(k.conv(first, 8, 5, strides=4), x)  # the same as two steps of 2, rounded up
    return [image], [k.up(k.head(x, 1, last), 2)]  # bilinear with free sizes is more than Keras can export


def signal(k, last):
    wave = k.input(95, 2, name="wave")
    x = first = k.act(k.norm(k.conv(wave, 8, 5)))
    x = k.conv(k.pool(x, 2, padding="same"), 12, dilation_rate=2, activation="relu")   # 48
    x = k.L.AveragePooling1D(2)(k.L.SeparableConv1D(12, 3, padding="same")(x))
    x = k.up_conv(k.up(x, 2), 8, 3, 2)                                                  # 96
    x = k.conv(k.L.Cropping1D((1, 0))(x), 8, padding="causal", activation="relu")
    x = k.L.ZeroPadding1D(1)(k.join(x, first))
    return [wave], [k.head(x, 2, last, 3)]


def tensorflow_ops(k, last):
    """What people write between layers."""
    import tensorflow as tf
    image = k.input(30, 26, 3)
    x = k.layer(lambda v: tf.pad(v, [[0, 0], [2, 2], [3, 3], [0, 0]], "REFLECT"))(image)
    x = k.conv(x, 8, 5, padding="valid")  # 30 x 28
    x = k.layer(lambda v: tf.nn.leaky_relu(v[:, 1:-1, ::2, :], 0.15))(x)           # 28 x 14
    x = k.layer(lambda v: tf.pad(v, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC"))(x)  # 30 x 16
    x = k.layer(lambda v: tf.nn.space_to_depth(v, 2))(x)                            # 15 x 8 x 32
    x = k.conv(x, 16, activation="relu6")
    scale = k.layer(lambda v: tf.reduce_mean(tf.square(v), axis=[1, 2], keepdims=True))(x)
    x = k.layer(lambda v: v[0] * tf.math.rsqrt(v[1] + 1e-3))([x, scale])
    x = k.layer(lambda v: tf.nn.depth_to_space(v, 2))(x)                            # 30 x 16 x 4
    x = k.layer(lambda v: tf.image.resize(v, [23, 29]))(x)
    near = k.layer(lambda v: tf.image.resize(v, [23, 29], "nearest"))(image)
    x = k.conv(k.join(x, near), 8)
    x = k.layer(lambda v: tf.concat([t * (i + 1.0) for i, t in enumerate(tf.split(v, 2, axis=-1))], axis=-1))(x)
    x = k.layer(lambda v: tf.transpose(tf.reshape(tf.tile(v, [1, 1, 1, 2]), [-1, 23 * 29, 16]), [0, 2, 1]))(x)
    x = k.layer(lambda v: tf.reshape(tf.transpose(v, [0, 2, 1]), [-1, 23, 29, 16]))(x)
    x = k.layer(lambda v: tf.maximum(tf.minimum(v, 2.0), -2.0) - tf.clip_by_value(v, -0.5, 0.5))(x)
    return [image], [k.head(x, 2, last)]


NETS = [
    Net("seed-keras", "the study's Keras network: transposed convolutions, skips before normalisation", seed_keras,
        [(64, 64, 3)], "sigmoid", USUAL + MORE + SPECIAL, slow_isa=True, ends=LAST),
    Net("seed-torch", "the study's PyTorch network, bilinear up-sampling as TensorFlow's layer does it",
        seed_torch(lambda k, x: k.up(x, 2, "bilinear")), [(64, 64, 3)], "sigmoid", slow_isa=True),
    Net("seed-torch-corners", "the same with align_corners", seed_torch(align_corners), [(64, 64, 3)], None, GRAPHS),
    Net("residual", "Add, strides instead of pooling, odd sizes, ReLU6, normalisation without scale or centre, cropping",
        residual, [(47, 61, 3)], "softmax", USUAL + MORE + ("int8.tflite",), slow_isa=True),
    Net("separable", "separable and depth-wise convolutions with multipliers and strides, swish, nearest up-sampling",
        separable, [(40, 56, 3)], slow_isa=True),
    Net("dilated", "dilation, also not square and without padding; a global branch; average pooling; a Softmax layer",
        dilated, [(33, 40, 2)], "softmax", ends=LAST),
    Net("attention-gate", "gates that multiply by one channel; 1-channel pictures", attention_gate, [(48, 32, 1)],
        "sigmoid", batch=2),
    Net("activations", "LeakyReLU, PReLU (shared or not), ELU, ReLU with all its numbers, ten by name", activations,
        [(24, 28, 3)]),
    Net("group-instance", "group, instance and layer normalisation", group_instance, [(36, 28, 3)], slow_isa=True),
    Net("valid", "convolutions without padding, crops that are not symmetric, ZeroPadding2D", valid, [(60, 60, 1)]),
    Net("nested", "models in models, Sequential, a layer that is called twice", nested, [(32, 32, 3)], "sigmoid",
        USUAL + MORE),
    Net("two-inputs", "two inputs; Subtract, Multiply, Maximum, Minimum, Average; Dense over channels", two_inputs,
        [(40, 32, 3), (20, 16, 1)], None, USUAL + MORE),
    Net("two-outputs", "two outputs, of two scales; Permute", two_outputs, [(32, 48, 3)], "softmax",
        USUAL + ("keras2.keras", "keras2.saved")),
    Net("volume", "3D: odd sizes, pooling and up-sampling by different numbers, cropping, padding", volume,
        [(18, 20, 15, 1)], None, tuple(name for name in USUAL if GROUPS[name] != TFLITE), slow_isa=True),
    Net("volume-strides", "3D, strides instead of pooling", volume_strides, [(13, 16, 12, 2)], None,
        ("keras2.h5", "float.tflite", "float16.tflite", "dynamic.tflite")),
    Net("squeeze-excite", "global pools, Dense, multiplication by channels; inverted residuals", squeeze_excite,
        [(44, 44, 3)], "sigmoid"),
    Net("dense-bottleneck", "densely connected layers; Flatten, Dense, Reshape; what is nothing at inference",
        dense_bottleneck, [(24, 24, 1)], "softmax", batch=3),
    Net("transposed", "transposed convolutions of all kinds: kernel and stride, output_padding, valid", transposed,
        [(11, 14, 4)]),
    Net("free-size", "free height and width, odd; padding of strided windows", free_size, [(37, 43, 1)]),
    Net("signal", "1D, causal padding", signal, [(95, 2)]),
    Net("tensorflow-ops", "reflecting padding, slices, space to depth, resize to a size, split, tile, transpose, clip",
        tensorflow_ops, [(30, 26, 3)], None, GRAPHS + ("v1.saved",)),
]
BY_NAME = {net.name: net for net in NETS}
