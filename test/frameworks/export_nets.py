"""The programs that write_export.py saves with torch.export.save. Can be imported without torch.

`make` names a function of export_modules.py that gives (module, inputs, options of torch.export.export, inputs to run).
"""
import dataclasses

# plain: as torch.export.export leaves it; core: after run_decompositions(), in core ATen operators only.
FORMS = ("plain", "core")
# Of which version of PyTorch; the first is that of torch.txt, the others have environments of their own.
VERSIONS = {"2.15": "torch", "2.8": "torch-2.8", "2.5": "torch-2.5"}


@dataclasses.dataclass
class Net:
    name: str
    exercises: str
    outputs: tuple = ("output",)  # their names
    nameless: tuple = ()  # versions that do not tell them: "output", "output_1" ...

    def names(self, version):
        numbered = ("output", *(f"output_{i}" for i in range(1, len(self.outputs))))
        return numbered if version in self.nameless else self.outputs


NETS = [
    Net("unet", "convolutions, BatchNorm, ReLU in place, pooling, bilinear up-sampling, concatenation"),
    Net("unet-dynamic", "the same, batch, height and width free: multiples of 4; run at another size"),
    Net("unet-3d", "3D convolutions, InstanceNorm, LeakyReLU, transposed convolutions, residual sums in place"),
    Net("inputs", "three inputs, one by keyword, a list of two, a number and None"),
    Net("dict", "outputs in a dict, with a tuple in it", ("mask", "aux.0", "aux.1")),
    Net("tuple", "outputs in a tuple; one of them is an input, one stands twice", ("output", "output_1", "output_2")),
    Net("named-tuple", "outputs in a named tuple", ("logits", "features"), ("2.5",)),
    Net("constants", "tensors made in forward(), and attributes that are no buffers"),
    Net("buffers", "buffers, one not in the state_dict, one that each run counts up"),
    Net("bfloat16", "weights and inputs of bfloat16"),
    Net("half-stored", "weights of float16 that are cast where they are used"),
    Net("shared-storage", "tied weights, weights that are views of one tensor, channels last"),
    Net("in-place", "x[:, 0] = ..., x[..., ::2] *= ..., writes through views of views"),
    Net("window-mask", "a mask that is filled region by region, as Swin's shifted windows have it"),
    Net("no-grad", "a region without gradients"),
    Net("autocast", "a region with autocast turned off"),
    Net("sizes", "arithmetic on free sizes: padding to a multiple of 8, cropping, halves, views of h * w"),
    Net("attention", "patches, LayerNorm, attention with a mask of -inf, GELU; height and width free"),
    Net("integers", "integer inputs: embedding, comparison, where, arange"),
]
BY_NAME = {net.name: net for net in NETS}
