"""The networks of test_script.py, by name: what of TorchScript each one uses. The modules are in script_modules.py."""
import dataclasses


@dataclasses.dataclass
class Net:
    name: str
    exercises: str
    make: str         # the class in script_modules.py
    inputs: list      # shapes
    names: tuple = ("x",)  # of forward's parameters
    forms: tuple = ("traced", "scripted")
    other: tuple = ()  # a second size of the spatial dims, for --input


TRACED = ("traced",)
SCRIPTED = ("scripted",)
NETS = [
    Net("small", "convolution, normalisation, activation", "Small", [(1, 3, 12, 10)], other=(16, 14),
        forms=("traced", "scripted", "frozen")),
    Net("unet", "pooling, up-sampling padded to odd skips, concatenation", "Unet", [(1, 3, 21, 27)], other=(24, 32)),
    Net("unet-3d", "the same in three dims, transposed convolutions", "Unet3d", [(1, 1, 8, 12, 10)]),
    Net("lists", "ModuleList, ModuleDict, lists of features, loops", "Lists", [(2, 3, 8, 8)]),
    Net("branches", "ifs on constants, None, enums, sizes; while; dict of texts", "Branches", [(1, 4, 9, 8)],
        forms=("scripted", "frozen")),
    Net("interface", "interfaces, NamedTuple, a class of one's own, helper methods", "Interfaces", [(1, 3, 8, 8)],
        forms=("scripted", "frozen")),
    Net("optional", "parameters with defaults", "Optionals", [(1, 3, 8, 8)], forms=SCRIPTED),
    Net("in-place", "relu_, add_, mul_, x[:, 0] = ..., x[:, 1:2, ::2] *= 2, views of views", "InPlace", [(1, 4, 8, 8)],
        forms=("traced", "scripted", "frozen")),
    Net("dict", "outputs in a dict", "DictOut", [(1, 3, 8, 8)]),
    Net("tuple", "outputs in a tuple with a list", "TupleOut", [(1, 3, 8, 8)]),
    Net("two-inputs", "two inputs of other ranks", "TwoInputs", [(1, 3, 8, 8), (1, 5)], names=("image", "vector")),
    Net("normalisations", "batch, instance, group, layer normalisation, dropout", "Norms", [(2, 4, 6, 6)]),
    Net("attention", "attention over tokens, view, permute, softmax", "Attention", [(1, 3, 8, 8)]),
    Net("resizes", "interpolate by size and by scale, adaptive pools, pixel_shuffle", "Resizes", [(1, 4, 9, 12)]),
    Net("pads", "pad modes, slices with steps, flip, roll, stack, chunk, unbind", "Moves", [(1, 4, 9, 12)]),
    Net("half", "weights of float16", "Half", [(1, 3, 8, 8)], forms=TRACED),
    Net("shared", "one module under two names, tied weights", "Shared", [(1, 3, 8, 8)]),
    Net("library", "what libraries write: no_grad, dicts made by dict(), a field called ops, views of lists", "Library",
        [(1, 4, 8, 8)]),
    Net("deep", "modules in modules, thirty deep", "Deep", [(1, 2, 6, 6)], forms=("traced", "scripted")),
]
BY_NAME = {net.name: net for net in NETS}
