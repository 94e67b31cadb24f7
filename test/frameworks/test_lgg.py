"""Real slices: the two trained networks over the LGG patients, against ONNX Runtime's masks and their Dice."""
import glob
import os

import numpy as np
from PIL import Image

import tool
from run import Test

NETS = ("seed-torch-w32", "seed-keras-w16")
# Without --long, the slow instruction sets see two patients: one well segmented, one badly.
FEW_PATIENTS = ("TCGA_CS_4942_19970222", "TCGA_HT_7602_19951103")
SLOW_ISAS = ("sse2", "avx")
PIXELS_A_CHANGE = 100_000  # at most one mask pixel in so many may differ


def read_mask(path):
    with Image.open(path) as image:
        mask = np.asarray(image)
    if mask.dtype != np.uint8 or mask.ndim != 2 or not np.isin(mask, (0, 255)).all():
        raise tool.Failure(f"{os.path.basename(path)}: expected an 8 bit grey picture of 0 and 255")
    return mask != 0


def slices_of(testdata, patient):
    """The pictures of one patient, without their truth masks."""
    paths = glob.glob(os.path.join(testdata, "lgg", patient, "*.tif"))
    return sorted(path for path in paths if not path.endswith("_mask.tif"))


def stem(path):
    return os.path.splitext(os.path.basename(path))[0]


def dice(intersection, total):
    """Both empty = 1."""
    return 2 * intersection / total if total else 1.0


class Score:
    """Pooled Dice and the mean over slices, as shared with expected.json."""

    def __init__(self):
        self.intersection = self.total = 0
        self.each = []

    def add(self, mask, truth):
        intersection, total = int((mask & truth).sum()), int(mask.sum()) + int(truth.sum())
        self.intersection += intersection
        self.total += total
        self.each.append(dice(intersection, total))

    def rounded(self):
        return round(dice(self.intersection, self.total), 4), round(float(np.mean(self.each)), 4)


def compile_net(context, net, folder, file=None):
    """`file`: the same network in another format; default: ONNX."""
    models = os.path.join(context.testdata, "models", "lgg")
    if not os.path.isdir(models) or not os.path.isdir(os.path.join(context.testdata, "lgg")):
        raise tool.Skip(f"no test data at {context.testdata} (STENT_TESTDATA)")
    package = os.path.join(folder, net + ".stent")
    context.tool.call("compile", os.path.join(models, file or net + ".onnx"), "-o", package,
                      "--pipeline", os.path.join(models, net + ".pipeline.json"))
    return package


def check_masks(context, net, isa, file=None):
    """Masks and Dice of all patients (or a few) on one instruction set."""
    few = isa in SLOW_ISAS and not context.long
    with context.tool.folder() as folder:
        package = compile_net(context, net, folder, file)
        patients = FEW_PATIENTS if few else sorted(os.listdir(os.path.join(context.testdata, "lgg")))
        out = os.path.join(folder, "masks")
        # One call for everything; in the few-patients case a call a patient, as their folders are named one by one.
        for patient in (patients if few else [""]):
            context.tool.call("segment", package, os.path.join(context.testdata, "lgg", patient), "-o",
                              os.path.join(out, patient), "-q", isa=isa, timeout=context.left())
        found = {stem(path): path for path in glob.glob(os.path.join(out, "**", "*.png"), recursive=True)}
        paths = [path for patient in patients for path in slices_of(context.testdata, patient)]
        if sorted(found) != sorted(map(stem, paths)):
            raise tool.Failure(f"{len(found)} masks for {len(paths)} slices, or other names")
        compare_masks(context, net, paths, found, complete=not few)


def compare_masks(context, net, paths, found, complete):
    models = os.path.join(context.testdata, "models", "lgg")
    ours, theirs = Score(), Score()
    changed = pixels = 0
    with np.load(os.path.join(models, net + ".masks.npz")) as packed:
        for path in paths:
            truth = read_mask(path.replace(".tif", "_mask.tif"))
            mask = read_mask(found[stem(path)])
            other = np.unpackbits(packed[stem(path)])[:truth.size].reshape(truth.shape).astype(bool)
            if mask.shape != truth.shape:
                raise tool.Failure(f"{stem(path)}: mask of {mask.shape}, picture of {truth.shape}")
            changed += int((mask != other).sum())
            pixels += mask.size
            ours.add(mask, truth)
            theirs.add(other, truth)
    if changed * PIXELS_A_CHANGE > pixels:
        raise tool.Failure(f"{changed} of {pixels} mask pixels differ from ONNX Runtime's")
    expected = theirs.rounded()
    if complete:  # the file says the same of all patients; it is the one that counts
        entry = tool.read_json(os.path.join(models, "expected.json"))[net]
        expected = round(entry["dice_pooled"], 4), round(entry["dice_mean"], 4)
    if ours.rounded() != expected:
        raise tool.Failure(f"Dice (pooled, mean) {ours.rounded()}, expected {expected}; {changed} mask pixels differ")


def check_threads(context, net, isa):
    """The probabilities of some slices, bit by bit, on 1, 2 and 3 threads."""
    with context.tool.folder() as folder:
        package = compile_net(context, net, folder)
        slices = slices_of(context.testdata, FEW_PATIENTS[0])[::7]
        first = None
        for threads in (1, 2, 3):
            out = os.path.join(folder, str(threads))
            context.tool.call("segment", package, *slices, "-o", out, "--prob", "-q", "--threads", threads, isa=isa,
                              timeout=context.left())
            now = {}
            for path in glob.glob(os.path.join(out, "**", "*_prob.tif"), recursive=True):
                with Image.open(path) as image:
                    now[os.path.basename(path)] = np.asarray(image)
            if len(now) != len(slices) or any(a.dtype != np.float32 or a.std() == 0 for a in now.values()):
                raise tool.Failure(f"{len(now)} probability pictures for {len(slices)} slices, or not 32 bit floats")
            first = first or now
            for name, picture in now.items():
                if picture.tobytes() != first[name].tobytes():
                    raise tool.Failure(f"{name}: {threads} threads give other bits than 1")


def tests(context):
    result = []
    for isa in reversed(context.tool.isas()):
        for net in NETS:
            result += [Test(f"lgg/{net}/{isa}/masks", "lgg", lambda n=net, i=isa: check_masks(context, n, i), alone=True),
                       Test(f"lgg/{net}/{isa}/threads", "lgg", lambda n=net, i=isa: check_threads(context, n, i), alone=True)]
    return result
