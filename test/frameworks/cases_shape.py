"""Cases: what moves, cuts, repeats and resizes tensors."""
import itertools

from case import C, Case, V, W, X

I8 = "i8"  # numpy's name of int64


def resize(label, x, scales=None, sizes=None, opset=17, **attributes):
    return Case("Resize", label, X(*x), None, C(scales) if scales else None, C(sizes, I8) if sizes else None,
                opset=opset, **attributes)


def scaled(label, x, scales, where, **attributes):
    """Where scales give no whole size ONNX Runtime takes the corners of the cut one, ONNX's own tests those of the other
    (and so does stent): sizes have one meaning."""
    whole = all((dim * scale).is_integer() for dim, scale in zip(x, map(float, scales)))
    given = {"scales": scales} if whole or where != "align_corners" else \
        {"sizes": [int(dim * scale) for dim, scale in zip(x, scales)]}
    return resize(label, x, **given, coordinate_transformation_mode=where, **attributes)


RESIZE = [
    scaled(f"{mode}, {where}, {'up' if scales[2] > 1 else 'down'}", (1, 3, 8, 9), scales, where, mode=mode)
    for mode, where, scales in itertools.product(
        ("nearest", "linear", "cubic"), ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"),
        ([1, 1, 2, 3], [1, 1, 0.5, 0.7]))
] + [
    scaled(f"nearest, {where}, {rounding}", (1, 2, 6, 7), [1, 1, 1.5, 2.3], where, mode="nearest", nearest_mode=rounding)
    for where, rounding in itertools.product(
        ("half_pixel", "asymmetric", "align_corners"), ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"))
] + [
    resize("linear x2 align_corners, 64 channels", (1, 64, 16, 16), [1, 1, 2, 2], mode="linear",
           coordinate_transformation_mode="align_corners"),
    resize("linear x2 half_pixel, odd channels", (2, 19, 7, 9), [1, 1, 2, 2], mode="linear"),
    resize("nearest x2, 32 channels", (1, 32, 9, 8), [1, 1, 2, 2], mode="nearest",
           coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
    resize("linear to sizes", (1, 4, 7, 9), sizes=[1, 4, 13, 20], mode="linear"),
    resize("linear to sizes, align_corners", (1, 4, 7, 9), sizes=[1, 4, 13, 4], mode="linear",
           coordinate_transformation_mode="align_corners"),
    resize("nearest to sizes", (1, 4, 7, 9), sizes=[1, 4, 13, 20], mode="nearest"),
    resize("cubic to sizes", (1, 2, 7, 9), sizes=[1, 2, 13, 20], mode="cubic"),
    resize("cubic, a = -0.5", (1, 2, 7, 9), [1, 1, 2, 2], mode="cubic", cubic_coeff_a=-0.5),
    resize("cubic, exclude_outside", (1, 2, 7, 9), [1, 1, 2, 2], mode="cubic", exclude_outside=1),
    resize("linear from one pixel", (1, 4, 1, 1), [1, 1, 4, 4], mode="linear"),
    resize("linear to one pixel, pytorch_half_pixel", (1, 4, 5, 6), sizes=[1, 4, 1, 1], mode="linear",
           coordinate_transformation_mode="pytorch_half_pixel"),
    resize("linear 3D", (1, 4, 4, 5, 6), [1, 1, 2, 2, 2], mode="linear"),
    resize("linear 3D align_corners", (1, 4, 4, 5, 6), [1, 1, 2, 2, 2], mode="linear",
           coordinate_transformation_mode="align_corners"),
    resize("nearest 3D", (1, 4, 4, 5, 6), [1, 1, 2, 2, 2], mode="nearest"),
    resize("nearest 1D", (1, 4, 11), [1, 1, 3], mode="nearest"),
    resize("linear one axis", (1, 4, 6, 8), [1, 1, 1, 2], mode="linear"),
    resize("no change", (1, 4, 6, 8), [1, 1, 1, 1], mode="linear"),
    resize("half_pixel_symmetric", (1, 4, 6, 8), [1, 1, 1.5, 1.7], mode="linear", opset=19,
           coordinate_transformation_mode="half_pixel_symmetric"),
    Case("Resize", "tf_crop_and_resize", X(1, 2, 8, 9), C([0, 0, 0.2, 0.1, 1, 1, 0.8, 0.9]), None, C([1, 2, 6, 7], I8),
         mode="linear", coordinate_transformation_mode="tf_crop_and_resize"),
    Case("Resize", "axes", X(1, 2, 8, 9), None, C([2, 3]), opset=18, mode="linear", axes=[2, 3]),
    Case("Resize", "symbolic dims", X(1, 2, 8, 9), None, C([1, 1, 2, 2]), mode="linear", dynamic=True),
    Case("Upsample", "nearest", X(1, 3, 5, 6), C([1, 1, 2, 3]), opset=9, mode="nearest"),
    Case("Upsample", "linear", X(1, 3, 5, 6), C([1, 1, 2, 2]), opset=9, mode="linear"),
]

PAD = [
    Case("Pad", f"{mode}, {label}", X(*shape), C(pads, I8), mode=mode, opset=opset)
    for mode, opset in (("constant", 17), ("reflect", 17), ("edge", 17), ("wrap", 19))
    for label, shape, pads in (("2D", (1, 3, 6, 7), [0, 0, 1, 2, 0, 0, 3, 0]), ("3D", (1, 2, 4, 5, 6), [0, 0, 1, 2, 1] * 2),
                               ("batch and channels", (2, 3, 4, 4), [1, 1, 0, 0, 1, 2, 0, 0]), ("1D", (2, 9), [0, 3, 0, 2]))
] + [
    Case("Pad", "constant value", X(1, 3, 6, 7), C([0, 0, 1, 1, 0, 0, 1, 1], I8), C(2.5)),
    Case("Pad", "negative: crops", X(1, 3, 6, 7), C([0, 0, -1, 1, 0, 0, 0, -2], I8)),
    Case("Pad", "integers", X(2, 5, kind="integer", dtype=I8), C([0, 1, 0, 2], I8), C(7, I8)),
    Case("Pad", "axes", X(1, 3, 6, 7), C([1, 2, 3, 4], I8), None, C([2, 3], I8), opset=18),
    Case("Pad", "nothing", X(1, 3, 6, 7), C([0] * 8, I8)),
]


def cut(label, x, starts, ends, axes=None, steps=None, **more):
    return Case("Slice", label, X(*x, **more), C(starts, I8), C(ends, I8), C(axes, I8) if axes else None,
                C(steps, I8) if steps else None)


SLICE = [
    cut("crop", (1, 8, 12, 13), [2, 3], [10, 11], [2, 3]),
    cut("channels", (1, 37, 6, 6), [5], [21], [1]),
    cut("steps", (1, 4, 12, 13), [0, 1], [12, 13], [2, 3], [2, 3]),
    cut("backwards", (2, 9), [-1], [-100], [1], [-1]),
    cut("backwards by two", (4, 9), [7, 3], [0, -100], [1, 0], [-2, -1]),
    cut("negative", (1, 4, 12, 13), [-5], [-1], [-2]),
    cut("beyond the end", (1, 4, 12, 13), [3], [2 ** 40], [3]),
    cut("without axes", (4, 5, 6), [1, 0, 2], [3, 5, 4]),
    cut("integers", (4, 5), [1], [3], [0], kind="integer", dtype=I8),
    cut("to nothing", (4, 5), [2], [2], [0]),
    Case("Split", "given", X(1, 12, 5), C([3, 4, 5], I8), axis=1, outputs=3),
    Case("Split", "equal parts", X(6, 5), axis=0, outputs=3),
    Case("Split", "negative axis", X(2, 3, 8), C([2, 6], I8), axis=-1, outputs=2),
    Case("Split", "num_outputs, uneven", X(7, 4), axis=0, outputs=3, opset=18, num_outputs=3),
    Case("Concat", "channels", X(1, 16, 6, 7), X(1, 32, 6, 7), axis=1),
    Case("Concat", "odd channels, three", X(1, 3, 6, 7), X(1, 5, 6, 7), X(1, 1, 6, 7), axis=1),
    Case("Concat", "rows", X(1, 8, 6, 7), X(1, 8, 2, 7), axis=2),
    Case("Concat", "columns, negative axis", X(2, 8, 6, 7), X(2, 8, 6, 3), axis=-1),
    Case("Concat", "batch", X(1, 8, 6, 7), X(2, 8, 6, 7), axis=0),
    Case("Concat", "with a constant", X(1, 4, 3, 3), W(1, 2, 3, 3), axis=1),
    Case("Concat", "itself", X(2, 3), axis=0),
    Case("Concat", "integers", X(2, 3, kind="integer", dtype=I8), X(1, 3, kind="integer", dtype=I8), axis=0),
]

MOVE = [
    Case("Transpose", "to NHWC", X(1, 16, 7, 9), perm=[0, 2, 3, 1]),
    Case("Transpose", "to NCHW", X(2, 7, 9, 5), perm=[0, 3, 1, 2]),
    Case("Transpose", "reversed by default", X(2, 3, 4)),
    Case("Transpose", "5D", X(1, 2, 3, 4, 5), perm=[0, 4, 1, 3, 2]),
    Case("Transpose", "integers", X(2, 3, kind="integer", dtype=I8), perm=[1, 0]),
    Case("Reshape", "plain", X(2, 3, 4), C([6, 4], I8)),
    Case("Reshape", "minus one", X(2, 3, 4, 5), C([2, -1, 5], I8)),
    Case("Reshape", "zero copies", X(2, 3, 4), C([0, -1], I8)),
    Case("Reshape", "allowzero", X(0, 3), C([3, 0], I8), allowzero=1),
    Case("Reshape", "16 channels apart", X(1, 32, 4, 4), C([1, 2, 16, 4, 4], I8)),
    Case("Flatten", "default", X(2, 3, 4, 5)), Case("Flatten", "axis 0", X(2, 3, 4), axis=0),
    Case("Flatten", "axis -1", X(2, 3, 4), axis=-1), Case("Flatten", "axis 3 of 3", X(2, 3, 4), axis=3),
    Case("Squeeze", "axes", X(1, 3, 1, 5), C([0, 2], I8)), Case("Squeeze", "all", X(1, 3, 1, 5)),
    Case("Squeeze", "negative axis", X(3, 5, 1), C([-1], I8)),
    Case("Unsqueeze", "axes", X(3, 5), C([0, 3], I8)), Case("Unsqueeze", "negative axis", X(3, 5), C([-1], I8)),
    Case("Expand", "rows", X(1, 5), C([4, 5], I8)), Case("Expand", "new axes", X(3, 1), C([2, 1, 4], I8)),
    Case("Expand", "smaller target", X(3, 4), C([1], I8)),
    Case("Tile", "2D", X(2, 3), C([2, 3], I8)), Case("Tile", "4D", X(1, 3, 2, 4), C([1, 2, 3, 1], I8)),
    Case("DepthToSpace", "DCR", X(1, 16, 4, 5), blocksize=2, mode="DCR"),
    Case("DepthToSpace", "CRD", X(1, 16, 4, 5), blocksize=2, mode="CRD"),
    Case("DepthToSpace", "blocks of 3", X(2, 27, 3, 2), blocksize=3),
    Case("SpaceToDepth", "2", X(1, 3, 6, 8), blocksize=2), Case("SpaceToDepth", "3", X(2, 4, 6, 9), blocksize=3),
    Case("Identity", "float", X(2, 3)), Case("Identity", "integers", X(2, 3, kind="integer", dtype=I8)),
    Case("Dropout", "inference", X(2, 3, 4)), Case("Dropout", "with ratio", X(2, 3, 4), C(0.4)),
]

INDEX = [
    Case("Gather", "rows", X(5, 4), C([3, 0, 3], I8)), Case("Gather", "axis 1", X(2, 5, 3), C([[0, 2], [4, 1]], I8), axis=1),
    Case("Gather", "negative indices", X(5, 4), C([-1, -5], I8)), Case("Gather", "scalar", X(5, 4), C(2, I8), axis=1),
    Case("Gather", "int32 indices as input", X(5, 4), V([1, 2], "i4")),
    Case("Gather", "integers", X(6, kind="integer", dtype=I8), C([1, 5], I8)),
    Case("ScatterND", "rows", X(4, 3), C([[1], [3]], I8), X(2, 3)),
    Case("ScatterND", "elements", X(4, 3), C([[1, 2], [3, 0], [-1, -1]], I8), X(3)),
    Case("ScatterND", "add", X(4, 3), C([[1], [1]], I8), X(2, 3), reduction="add"),
    Case("ScatterND", "max", X(4, 3), C([[1], [2]], I8), X(2, 3), reduction="max", opset=18),
    Case("Shape", "whole", X(2, 3, 4)), Case("Shape", "part", X(2, 3, 4), start=1, end=-1),
    Case("Range", "integers", C(2, I8), C(11, I8), V(3, I8)), Case("Range", "down", V(5, I8), C(-3, I8), C(-2, I8)),
    Case("Range", "float", V(0.5), C(3.0), C(0.75)),
    Case("ConstantOfShape", "zeros", V([2, 3], I8)),
    Case("ArgMax", "channels", X(1, 5, 6, 7, kind="distinct"), axis=1),
    Case("ArgMax", "keepdims 0", X(2, 5, 6, kind="distinct"), axis=-1, keepdims=0),
    Case("ArgMax", "ties, first", X(4, 9, kind="natural"), axis=1),
    Case("ArgMax", "ties, last", X(4, 9, kind="natural"), axis=1, select_last_index=1),
    Case("TopK", "largest", X(3, 9, kind="distinct"), C([4], I8), outputs=2),
    Case("TopK", "smallest, axis 0", X(7, 3, kind="distinct"), C([2], I8), outputs=2, axis=0, largest=0),
    Case("TopK", "ties", X(3, 9, kind="natural"), C([5], I8), outputs=2),
    Case("TopK", "all", X(2, 4, 5, kind="distinct"), C([4], I8), outputs=2, axis=1),
    Case("GatherElements", "rows", X(3, 4), V([[2, 0, -1, 1], [0, 0, 1, -3]], I8)),
    Case("GatherElements", "last axis, more than there are", X(2, 3), V([[0, 1, 2, 2, -1], [2, 2, 0, 1, 1]], I8), axis=-1),
    Case("GatherND", "elements", X(2, 3, 4), V([[0, 1, 2], [1, -1, 0]], I8)),
    Case("GatherND", "slices", X(2, 3, 4), V([[[1], [0]], [[0], [-1]]], I8)),
    Case("GatherND", "batch", X(2, 3, 4), V([[[1], [2]], [[0], [-1]]], I8), batch_dims=1),
    Case("ScatterElements", "rows", X(3, 4), V([[2, 0, 1, 1]], I8), X(1, 4)),
    Case("ScatterElements", "add", X(3, 4), V([[2, 0], [1, 1]], I8), X(2, 2), axis=1, reduction="add"),
    Case("ScatterElements", "max, integers", X(4, kind="integer", dtype=I8), V([-1, 1], I8), X(2, kind="integer", dtype=I8), opset=18,
         reduction="max"),
]

CASES = RESIZE + PAD + SLICE + MOVE + INDEX
