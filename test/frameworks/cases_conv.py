"""Cases: convolution, transposed convolution, pooling."""
from case import Case, V, W, X


def conv(label, x, w, bias=True, **attributes):
    return Case("Conv", label, X(*x), W(*w), W(w[0]) if bias else None, **attributes)


def deconv(label, x, w, bias=True, **attributes):
    oc = w[1] * attributes.get("group", 1)
    return Case("ConvTranspose", label, X(*x), W(*w), W(oc) if bias else None, **attributes)


CONV = [
    conv("3x3 pad 1", (1, 3, 12, 13), (8, 3, 3, 3), pads=[1] * 4),
    conv("3x3 no pad, no bias", (1, 5, 9, 10), (7, 5, 3, 3), bias=False),
    conv("3x3 64 channels", (1, 64, 17, 19), (64, 64, 3, 3), pads=[1] * 4),
    conv("3x3 64 channels, two images", (2, 48, 16, 16), (33, 48, 3, 3), pads=[1] * 4),
    conv("3x3 160 channels, long sums", (1, 160, 8, 8), (32, 160, 3, 3), pads=[1] * 4),
    conv("3x3 first layer", (1, 3, 33, 31), (64, 3, 3, 3), pads=[1] * 4),
    conv("3x3 one channel in", (1, 1, 20, 20), (16, 1, 3, 3), pads=[1] * 4),
    conv("3x3 one channel out", (1, 32, 20, 20), (1, 32, 3, 3), pads=[1] * 4),
    conv("3x3 image of one pixel", (1, 16, 1, 1), (16, 16, 3, 3), pads=[1] * 4),
    conv("3x3 image of one row", (1, 16, 1, 30), (16, 16, 3, 3), pads=[1] * 4),
    conv("3x3 symbolic dims", (1, 16, 14, 18), (16, 16, 3, 3), pads=[1] * 4, dynamic=True),
    conv("1x1", (1, 64, 16, 16), (32, 64, 1, 1)),
    conv("1x1 odd sizes", (2, 13, 7, 5), (11, 13, 1, 1)),
    conv("1x1 to one channel", (1, 64, 32, 32), (1, 64, 1, 1)),
    conv("1x1 stride 2", (1, 16, 15, 16), (8, 16, 1, 1), strides=[2, 2]),
    conv("1x1 pad 1", (1, 8, 6, 6), (8, 8, 1, 1), pads=[1] * 4),
    conv("2x2 stride 2", (1, 16, 16, 16), (16, 16, 2, 2), strides=[2, 2]),
    conv("5x5 pad 2", (1, 8, 15, 15), (16, 8, 5, 5), pads=[2] * 4),
    conv("7x7 stride 2 pad 3", (1, 3, 32, 32), (24, 3, 7, 7), pads=[3] * 4, strides=[2, 2]),
    conv("3x1", (1, 8, 12, 12), (8, 8, 3, 1), pads=[1, 0, 1, 0]),
    conv("1x7", (1, 8, 12, 12), (8, 8, 1, 7), pads=[0, 3, 0, 3]),
    conv("4x2 uneven pads", (1, 6, 11, 10), (9, 6, 4, 2), pads=[0, 1, 2, 0]),
    conv("pad larger than kernel", (1, 4, 6, 6), (4, 4, 3, 3), pads=[4, 4, 4, 4]),
    conv("3x3 stride 2 pad 1", (1, 16, 16, 17), (32, 16, 3, 3), pads=[1] * 4, strides=[2, 2]),
    conv("3x3 stride 3, 1", (1, 8, 16, 16), (8, 8, 3, 3), strides=[3, 1]),
    conv("3x3 dilation 2", (1, 16, 16, 16), (16, 16, 3, 3), pads=[2] * 4, dilations=[2, 2]),
    conv("3x3 dilation 4, 2, stride 2", (1, 8, 20, 20), (8, 8, 3, 3), pads=[4, 2, 4, 2], dilations=[4, 2], strides=[2, 2]),
    conv("groups 2", (1, 16, 12, 12), (24, 8, 3, 3), pads=[1] * 4, group=2),
    conv("groups 4, odd", (2, 12, 9, 7), (20, 3, 3, 3), pads=[1] * 4, group=4),
    conv("depthwise", (1, 32, 15, 14), (32, 1, 3, 3), pads=[1] * 4, group=32),
    conv("depthwise, odd channels", (1, 19, 15, 14), (19, 1, 3, 3), pads=[1] * 4, group=19),
    conv("depthwise stride 2, 5x5", (1, 24, 17, 17), (24, 1, 5, 5), pads=[2] * 4, strides=[2, 2], group=24),
    conv("depthwise times 2", (1, 8, 10, 10), (16, 1, 3, 3), pads=[1] * 4, group=8),
    conv("SAME_UPPER", (1, 8, 13, 12), (8, 8, 3, 3), auto_pad="SAME_UPPER", strides=[2, 2]),
    conv("SAME_LOWER", (1, 8, 13, 12), (8, 8, 4, 4), auto_pad="SAME_LOWER", strides=[2, 2]),
    conv("SAME_UPPER stride 1", (1, 8, 13, 12), (8, 8, 4, 3), auto_pad="SAME_UPPER"),
    conv("VALID", (1, 8, 13, 12), (8, 8, 3, 3), auto_pad="VALID"),
    conv("1D", (1, 8, 40), (16, 8, 5), pads=[2, 2]),
    conv("1D stride 2 dilation 2", (2, 6, 41), (10, 6, 3), pads=[2, 1], strides=[2], dilations=[2]),
    conv("1D depthwise", (1, 16, 33), (16, 1, 3), pads=[1, 1], group=16),
    conv("3D", (1, 8, 7, 8, 9), (16, 8, 3, 3, 3), pads=[1] * 6),
    # Sums deviate by 3, and Winograd's largest error is 1e-5 of that (docs/NUMERICS.md).
    conv("3D 32 channels", (1, 32, 6, 10, 9), (32, 32, 3, 3, 3), pads=[1] * 6, atol=2e-5),
    conv("3D stride 2", (1, 4, 8, 9, 10), (8, 4, 3, 3, 3), pads=[1] * 6, strides=[2, 2, 2]),
    conv("3D 1x1x1", (1, 16, 5, 6, 7), (3, 16, 1, 1, 1)),
    conv("3D 1x3x3", (1, 8, 5, 10, 11), (8, 8, 1, 3, 3), pads=[0, 1, 1, 0, 1, 1]),
    conv("3D groups, dilation", (1, 8, 8, 8, 8), (8, 4, 2, 3, 3), pads=[1] * 6, group=2, dilations=[1, 2, 1]),
    conv("3D SAME_UPPER", (1, 4, 7, 8, 9), (4, 4, 3, 2, 4), auto_pad="SAME_UPPER", strides=[2, 1, 2]),
    Case("Conv", "kernel as an input", X(1, 4, 8, 8), X(6, 4, 3, 3, kind="small"), pads=[1] * 4),
    Case("Conv", "kernel_shape given", X(1, 4, 8, 8), W(6, 4, 3, 3), kernel_shape=[3, 3]),
    Case("Conv", "all zero input", V([[[[0.0] * 8] * 8] * 4]), X(6, 4, 3, 3), pads=[1] * 4),
]

DECONV = [
    deconv("2x2 stride 2", (1, 32, 9, 10), (32, 16, 2, 2), strides=[2, 2]),
    deconv("2x2 stride 2, odd channels", (2, 13, 5, 7), (13, 9, 2, 2), strides=[2, 2]),
    deconv("2x2 stride 2, no bias", (1, 8, 6, 6), (8, 8, 2, 2), strides=[2, 2], bias=False),
    deconv("2x2 stride 2, 128 channels", (1, 128, 8, 8), (128, 64, 2, 2), strides=[2, 2]),
    deconv("3x3", (1, 8, 7, 7), (8, 12, 3, 3)),
    deconv("3x3 pad 1", (1, 16, 9, 9), (16, 16, 3, 3), pads=[1] * 4),
    deconv("3x3 stride 2 pad 1", (1, 8, 8, 9), (8, 6, 3, 3), strides=[2, 2], pads=[1] * 4),
    deconv("3x3 stride 2 output_padding", (1, 8, 8, 9), (8, 6, 3, 3), strides=[2, 2], pads=[1] * 4, output_padding=[1, 1]),
    deconv("4x4 stride 2 pad 1", (1, 16, 8, 8), (16, 8, 4, 4), strides=[2, 2], pads=[1] * 4),
    deconv("kernel smaller than stride", (1, 4, 5, 6), (4, 4, 2, 2), strides=[3, 3]),
    deconv("stride 3, 2", (1, 4, 5, 6), (4, 4, 3, 4), strides=[3, 2]),
    deconv("dilation 2", (1, 4, 6, 6), (4, 4, 3, 3), dilations=[2, 2]),
    deconv("dilation 2 stride 2 pads", (1, 4, 6, 6), (4, 4, 3, 3), dilations=[2, 2], strides=[2, 2], pads=[1, 2, 0, 1]),
    deconv("groups 2", (1, 8, 6, 7), (8, 5, 3, 3), group=2, strides=[2, 2]),
    deconv("depthwise", (1, 16, 8, 8), (16, 1, 4, 4), group=16, strides=[2, 2], pads=[1] * 4),
    deconv("SAME_UPPER", (1, 4, 6, 7), (4, 4, 3, 3), strides=[2, 2], auto_pad="SAME_UPPER"),
    deconv("SAME_LOWER", (1, 4, 6, 7), (4, 4, 3, 3), strides=[2, 2], auto_pad="SAME_LOWER"),
    deconv("VALID", (1, 4, 6, 7), (4, 4, 3, 3), strides=[2, 2], auto_pad="VALID"),
    deconv("output_shape", (1, 4, 6, 7), (4, 4, 3, 3), strides=[2, 2], output_shape=[12, 14]),
    deconv("1x1", (1, 8, 6, 7), (8, 8, 1, 1)),
    deconv("1D stride 2", (1, 8, 17), (8, 6, 4), strides=[2], pads=[1, 1]),
    deconv("3D 2x2x2 stride 2", (1, 16, 4, 5, 6), (16, 8, 2, 2, 2), strides=[2, 2, 2]),
    deconv("3D 3x3x3 stride 2 pad 1", (1, 4, 4, 5, 6), (4, 6, 3, 3, 3), strides=[2, 2, 2], pads=[1] * 6, output_padding=[1, 0, 1]),
    deconv("symbolic dims", (1, 8, 6, 7), (8, 4, 2, 2), strides=[2, 2], dynamic=True),
]


def pool(op, label, x, **attributes):
    return Case(op, label, X(*x), **attributes)


# For both kinds of pooling: label, input, attributes.
WINDOWS = [
    ("2x2 stride 2", (1, 16, 16, 16), dict(kernel_shape=[2, 2], strides=[2, 2])),
    ("2x2 stride 2, odd", (2, 19, 15, 13), dict(kernel_shape=[2, 2], strides=[2, 2])),
    ("2x2 stride 2, ceil", (1, 8, 15, 13), dict(kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)),
    ("3x3 stride 2 pad 1", (1, 8, 17, 16), dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)),
    ("3x3 stride 2 pad 1, ceil", (1, 8, 16, 16), dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4, ceil_mode=1)),
    ("3x3 stride 1 pad 1", (1, 8, 9, 9), dict(kernel_shape=[3, 3], pads=[1] * 4)),
    ("3x2 uneven pads", (1, 4, 9, 10), dict(kernel_shape=[3, 2], strides=[2, 1], pads=[0, 1, 2, 0])),
    ("5x5 stride 3", (1, 4, 20, 21), dict(kernel_shape=[5, 5], strides=[3, 3])),
    ("SAME_UPPER", (1, 4, 13, 12), dict(kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")),
    ("SAME_LOWER", (1, 4, 13, 12), dict(kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_LOWER")),
    ("VALID", (1, 4, 13, 12), dict(kernel_shape=[3, 3], strides=[2, 2], auto_pad="VALID")),
    ("1D", (1, 8, 21), dict(kernel_shape=[3], strides=[2], pads=[1, 1])),
    ("3D 2x2x2", (1, 8, 6, 8, 10), dict(kernel_shape=[2, 2, 2], strides=[2, 2, 2])),
    ("3D 1x2x2", (1, 8, 5, 8, 10), dict(kernel_shape=[1, 2, 2], strides=[1, 2, 2])),
    ("3D 3x3x3 pad 1, ceil", (1, 4, 6, 7, 8), dict(kernel_shape=[3, 3, 3], strides=[2, 2, 2], pads=[1] * 6, ceil_mode=1)),
    ("whole image", (1, 8, 7, 7), dict(kernel_shape=[7, 7])),
]
POOL = [pool(op, label, x, **attributes) for op in ("MaxPool", "AveragePool") for label, x, attributes in WINDOWS] + [
    pool("MaxPool", "dilation 2", (1, 4, 12, 12), kernel_shape=[3, 3], dilations=[2, 2]),
    pool("MaxPool", "dilation 2 stride 2 pad 1 ceil", (1, 4, 13, 12), kernel_shape=[2, 2], dilations=[2, 2],
         strides=[2, 2], pads=[1] * 4, ceil_mode=1),
    pool("MaxPool", "symbolic dims", (1, 8, 14, 10), kernel_shape=[2, 2], strides=[2, 2], dynamic=True),
    pool("AveragePool", "count_include_pad", (1, 8, 9, 9), kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1),
    pool("AveragePool", "count_include_pad stride 2 uneven", (1, 8, 10, 9), kernel_shape=[3, 2], pads=[1, 0, 2, 1],
         strides=[2, 2], count_include_pad=1),
    pool("AveragePool", "count_include_pad 3D", (1, 4, 5, 6, 7), kernel_shape=[3, 3, 3], pads=[1] * 6, count_include_pad=1),
    pool("AveragePool", "dilation 2", (1, 4, 12, 12), kernel_shape=[3, 3], dilations=[2, 2], opset=19),
]
for name in ("GlobalAveragePool", "GlobalMaxPool"):
    POOL += [pool(name, "2D", (2, 19, 9, 10)), pool(name, "1D", (1, 5, 33)), pool(name, "3D", (1, 6, 4, 5, 6)),
             pool(name, "one pixel", (1, 8, 1, 1))]

CASES = CONV + DECONV + POOL
