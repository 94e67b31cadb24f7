"""What train_torch.py and train_keras.py share: the data set, its split by patient, augmentation, Dice, and the loop.

The network itself is behind six methods, in PyTorch or in Keras:

    step(pictures, masks, rate)   one step of Adam on a batch; the loss
    probabilities(pictures)       of a tumour, by the network as it will be used (fp32, running statistics)
    weights()                     all of them as arrays, running statistics too
    save(path, progress)          everything that the next step depends on, and `progress`, a dict for JSON
    load(path)                    the same back; gives `progress`
    export(stem)                  the files that stent compiles; gives their names

Pictures are (n, height, width, 3) float32 of 0..1, masks and probabilities (n, height, width) float32.

What a step sees is a function of the seed and the step's number, so a run that goes on from a checkpoint sees what an
uninterrupted one would have.
"""
import argparse
import concurrent.futures
import contextlib
import dataclasses
import hashlib
import json
import math
import os
import re
import shutil
import sys
import time

import numpy as np
from PIL import Image

PARTS = ("train", "validation", "test")
SCALE = 1 / 255  # 8 bit to 0..1; stands in the pipeline file, too
THRESHOLD = 0.5


class BadData(Exception):
    """A file that cannot be used; the text says which, what was expected and what to do."""


# ---- data set

@dataclasses.dataclass
class Slices:
    """All slices of a data set, patient by patient."""
    pictures: np.ndarray  # (n, height, width, 3) uint8
    masks: np.ndarray     # (n, height, width) bool
    patients: list        # of each slice
    names: list           # of each slice: PATIENT_7

    def of(self, patients):
        """The numbers of these patients' slices."""
        wanted = set(patients)
        return np.array([i for i, patient in enumerate(self.patients) if patient in wanted], int)


def natural(name):
    """Key of an order in which slice 2 stands before slice 10."""
    return [int(word) if word.isdigit() else word for word in re.split(r"(\d+)", name)]


def read_picture(path, mode):
    try:
        with Image.open(path) as image:
            if image.mode != mode:
                raise BadData(f"{path}: expected 8 bit samples, {'RGB' if mode == 'RGB' else 'grey'}; got {image.mode}")
            return np.asarray(image)
    except (OSError, SyntaxError, ValueError) as error:
        raise BadData(f"{path}: not a picture that can be read: {error}") from None


def read_pair(picture, mask):
    image, truth = read_picture(picture, "RGB"), read_picture(mask, "L")
    if truth.shape != image.shape[:2]:
        raise BadData(f"{mask}: {truth.shape[1]}x{truth.shape[0]}, its picture {image.shape[1]}x{image.shape[0]}")
    if not np.isin(truth, (0, 255)).all():
        raise BadData(f"{mask}: expected 0 and 255 only")
    return image, truth > 0


def pairs_of(folder):
    """[(patient, name, picture, mask)] of PATIENT/NAME.tif with PATIENT/NAME_mask.tif; what has no partner is named."""
    pairs, alone = [], []
    if not os.path.isdir(folder):
        raise BadData(f"{folder}: no such folder (--data: a folder of patients' folders, as kaggle_3m)")
    for patient in sorted(os.listdir(folder)):
        inside = os.path.join(folder, patient)
        files = {f for f in os.listdir(inside) if f.endswith(".tif")} if os.path.isdir(inside) else set()
        for file in sorted(files, key=natural):
            stem = file[:-4]
            if stem.endswith("_mask"):
                alone += [os.path.join(inside, file)] if stem[:-5] + ".tif" not in files else []
            elif stem + "_mask.tif" in files:
                pairs.append((patient, stem, os.path.join(inside, file), os.path.join(inside, stem + "_mask.tif")))
            else:
                alone.append(os.path.join(inside, file))
    if alone:
        raise BadData(f"{len(alone)} files without picture or mask beside them: {', '.join(alone[:5])}; add or remove them")
    if not pairs:
        raise BadData(f"{folder}: no PATIENT/NAME.tif with PATIENT/NAME_mask.tif in it")
    return pairs


def read_slices(folder):
    pairs = pairs_of(folder)
    read = [read_pair(picture, mask) for _, _, picture, mask in pairs]
    sizes = {image.shape for image, _ in read}
    if len(sizes) > 1:
        raise BadData(f"{folder}: pictures of several sizes: {', '.join(map(str, sorted(sizes)))}; they must have one")
    return Slices(np.stack([image for image, _ in read]), np.stack([mask for _, mask in read]),
                  [pair[0] for pair in pairs], [pair[1] for pair in pairs])


# ---- split

def make_split(patients, fractions, seed):
    """{patient: part}. Chance decides who, the fractions how many; a fraction above 0 gets one patient at least."""
    order = list(np.random.default_rng(seed).permutation(sorted(set(patients))))
    total = sum(fractions)
    counts = [max(1, round(len(order) * f / total)) if f else 0 for f in fractions[1:]]
    if sum(counts) >= len(order):
        raise BadData(f"{len(order)} patients are too few for {'/'.join(f'{f:g}' for f in fractions)}: name them with --split")
    parts = ["train"] * (len(order) - sum(counts)) + ["validation"] * counts[0] + ["test"] * counts[1]
    return {str(patient): part for patient, part in sorted(zip(order, parts))}


def write_split(split, path):
    with replacing(path) as part, open(part, "w", encoding="utf-8") as file:
        file.writelines(f"{patient}\t{part}\n" for patient, part in split.items())


def read_split(path, patients):
    """What `stent eval --split` reads: a line a patient, PATIENT<TAB>train|validation|test."""
    split, known = {}, set(patients)
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadData(f"{path}: {error}") from None
    for number, line in enumerate(lines, 1):
        patient, _, part = line.partition("\t")
        if not line.strip() or line.startswith("#"):
            continue
        if part not in PARTS or patient in split:
            raise BadData(f"{path}, line {number}: expected PATIENT<TAB>train|validation|test, each patient once; got {line!r}")
        split[patient] = part
    if known != set(split):
        missing, strange = sorted(known - set(split)), sorted(set(split) - known)
        raise BadData(f"{path}: " + "; ".join(f"{text}: {', '.join(names[:5])}" for text, names in (
            ("patients of the data set that are not in it", missing), ("patients in it that the data set lacks", strange))
            if names))
    return split


def split_for(args, patients):
    """The split that is named, or the one in the output's folder, or a new one, which is written there."""
    own = os.path.join(args.output, "split.txt")
    if not args.split and not args.resume:
        write_split(make_split(patients, args.fractions, args.seed), own)
    split = read_split(args.split or own, patients)
    if args.split:
        write_split(split, own)
    if "train" not in split.values():
        raise BadData(f"{args.split}: no patient to train on")
    return split


# ---- pictures

def resample(picture, height, width, turn=((1, 0), (0, 1))):
    """Bilinear samples at height x width points of a (h, w, c) picture: half-pixel centres, edges repeated, no
    smoothing; so it is what stent's pipeline calls `"resize": "bilinear"`. turn: a matrix about the picture's centre."""
    h, w = picture.shape[:2]
    y = (((np.arange(height) + 0.5) / height - 0.5) * h)[:, None]
    x = (((np.arange(width) + 0.5) / width - 0.5) * w)[None]
    ys = np.clip(turn[0][0] * y + turn[0][1] * x + (h - 1) / 2, 0, h - 1)
    xs = np.clip(turn[1][0] * y + turn[1][1] * x + (w - 1) / 2, 0, w - 1)
    ys, xs = np.broadcast_arrays(ys, xs)
    y0, x0 = ys.astype(int), xs.astype(int)
    y1, x1 = np.minimum(y0 + 1, h - 1), np.minimum(x0 + 1, w - 1)
    fy, fx = (ys - y0).astype(np.float32)[..., None], (xs - x0).astype(np.float32)[..., None]
    top = picture[y0, x0] * (1 - fx) + picture[y0, x1] * fx
    return top * (1 - fy) + (picture[y1, x0] * (1 - fx) + picture[y1, x1] * fx) * fy


def prepared(picture, size):
    """What the network sees of an 8 bit picture, as stent's pipeline makes it: resize, then scale."""
    picture = picture.astype(np.float32)
    if picture.shape[:2] != (size, size):
        picture = resample(picture, size, size)
    return picture * np.float32(SCALE)


def augmented(picture, mask, size, rng):
    """Flipped, turned by at most 15 degrees, 0.9 to 1.1 times as large, brighter or darker; the mask with it."""
    angle, scale = math.radians(rng.uniform(-15, 15)), rng.uniform(0.9, 1.1)
    flip_y, flip_x = rng.choice((-1, 1)), rng.choice((-1, 1))
    turn = ((flip_y * scale * math.cos(angle), -flip_y * scale * math.sin(angle)),
            (flip_x * scale * math.sin(angle), flip_x * scale * math.cos(angle)))
    both = np.concatenate([picture.astype(np.float32) * np.float32(SCALE), mask[..., None].astype(np.float32)], axis=-1)
    both = resample(both, size, size, turn)
    gain = rng.uniform(0.85, 1.15, 3).astype(np.float32)  # a channel is a sequence of the scanner
    return both[..., :3] ** np.float32(rng.uniform(0.8, 1.25)) * gain, both[..., 3]


class Sampler:
    """Batches for training: half of the slices with tumour, half without, as far as there are such."""

    def __init__(self, slices, chosen, args):
        self.slices, self.args = slices, args
        ill = slices.masks[chosen].any(axis=(1, 2))
        self.pools = [pool if len(pool) else chosen for pool in (chosen[ill], chosen[~ill])]

    def batch(self, step):
        rng = np.random.default_rng([self.args.seed, step])
        half = (self.args.batch + 1) // 2
        chosen = [i for pool, n in zip(self.pools, (half, self.args.batch - half))
                  for i in rng.choice(pool, n, replace=n > len(pool))]
        made = [augmented(self.slices.pictures[i], self.slices.masks[i], self.args.size, rng) for i in chosen]
        return np.stack([picture for picture, _ in made]), np.stack([mask for _, mask in made])

    def batches(self, first, end):
        """One is made while the last is used."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            coming = pool.submit(self.batch, first) if first < end else None
            for step in range(first, end):
                batch, coming = coming.result(), pool.submit(self.batch, step + 1) if step + 1 < end else None
                yield step, batch


# ---- judgement

def dice(both, total):
    """2 |X and Y| / (|X| + |Y|); both empty: 1."""
    return 2 * both / total if total else 1.0


def masks_of(net, pictures, size, batch=8):
    """The masks of 8 bit pictures, as `stent segment` makes them: back to the picture's size, then cut."""
    masks = []
    for at in range(0, len(pictures), batch):
        some = pictures[at:at + batch]
        for answer in net.probabilities(np.stack([prepared(picture, size) for picture in some])):
            if answer.shape != some.shape[1:3]:
                answer = resample(answer[..., None], *some.shape[1:3])[..., 0]
            masks.append(answer > THRESHOLD)
    return np.stack(masks)


def judge(net, slices, chosen, size):
    """({Dice of all pixels together, mean over slices, each patient's}, the masks)."""
    masks, truth = masks_of(net, slices.pictures[chosen], size), slices.masks[chosen]
    both = (masks & truth).sum(axis=(1, 2))
    total = masks.sum(axis=(1, 2)) + truth.sum(axis=(1, 2))
    names = [slices.patients[i] for i in chosen]
    of_patient = {name: [i for i, other in enumerate(names) if other == name] for name in dict.fromkeys(names)}
    return {"slices": len(chosen), "dice_pooled": float(dice(both.sum(), total.sum())),
            "dice_mean": float(np.mean([dice(b, t) for b, t in zip(both, total)])),
            "patients": {name: float(dice(both[at].sum(), total[at].sum())) for name, at in of_patient.items()}}, masks


def write_masks(slices, chosen, masks, folder):
    """PATIENT/NAME.png of 0 and 255, the files that `stent segment` writes."""
    for i, mask in zip(chosen, masks):
        inside = os.path.join(folder, slices.patients[i])
        os.makedirs(inside, exist_ok=True)
        Image.fromarray(np.where(mask, 255, 0).astype(np.uint8)).save(os.path.join(inside, slices.names[i] + ".png"))


# ---- files

@contextlib.contextmanager
def replacing(path):
    """A path with the same ending to write to; file or folder is at `path` only when all of it is written."""
    stem, ending = os.path.splitext(path)
    part = f"{stem}.{os.getpid()}.part{ending}"
    try:
        yield part
        if os.path.isdir(path):
            shutil.rmtree(path)
        os.replace(part, path)
    finally:
        if os.path.isdir(part):
            shutil.rmtree(part)
        elif os.path.exists(part):
            os.remove(part)


def write_json(value, path):
    with replacing(path) as part, open(part, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)
        file.write("\n")


def write_pipeline(stem, size, activation):
    """What surrounds the network, for `stent compile --pipeline`."""
    write_json({"version": 1,
                "input": {"channels": 3, "size": [size, size], "resize": "bilinear", "scale": SCALE},
                "output": {"activation": activation, "threshold": THRESHOLD, "classes": ["background", "tumour"]}},
               stem + ".pipeline.json")


# ---- the command line

def fractions(text):
    values = [float(word) for word in text.split("/")]
    if len(values) != 3 or min(values) < 0 or not values[0] or not np.isfinite(values).all():
        raise ValueError
    return values


def arguments(description, framework):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--data", required=True, metavar="DIR", help="folder of patients' folders, as Kaggle's kaggle_3m")
    add("-o", "--output", default=f"lgg-{framework}", metavar="DIR", help="folder for what is written (default: %(default)s)")
    add("--width", type=int, default=16, metavar="W", help="channels of the first level (default: 16; the study's networks have 64)")
    add("--size", type=int, default=256, help="pixels a side that the network sees, a multiple of 16 (default: 256)")
    add("--steps", type=int, default=300, help="steps of the optimiser (default: 300)")
    add("--batch", type=int, default=8, help="slices a step (default: 8)")
    add("--rate", type=float, default=3e-3, help="Adam's highest rate; it rises at first, then falls to 0 (default: 0.003)")
    add("--seed", type=int, default=1, help="of the split, the weights, the batches (default: 1)")
    add("--split", metavar="FILE", help="who is in which part; default: chance decides")
    add("--fractions", type=fractions, default=fractions("64/16/20"), metavar="64/16/20",
        help="how many patients train, validate, test (default: 64/16/20)")
    add("--resume", action="store_true", help="go on from the checkpoint in the output's folder")
    add("--checkpoint", type=int, default=50, metavar="N", help="write a checkpoint every N steps (default: 50)")
    add("--stop-at", type=int, metavar="STEP", help="write a checkpoint after this step and stop there")
    add("--masks", action="store_true", help="also write masks of the test patients as PNG")
    add("--threads", type=int, default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        help="default: all cores")
    add("--bf16", choices=("auto", "on", "off"), default="auto",
        help="multiply in bfloat16 while training; auto: where the CPU has AVX512_BF16 or AMX")
    if framework == "torch":  # TensorFlow takes a GPU by itself
        add("--device", choices=("cpu", "cuda"), default="cpu", help="where to train (default: cpu)")
    args = parser.parse_args()
    if args.size < 16 or args.size % 16:
        parser.error("--size: a multiple of 16")
    counts = (args.width, args.steps, args.batch, args.threads, args.checkpoint, args.stop_at or args.steps)
    if min(counts) < 1 or args.stop_at == 0 or args.seed < 0:
        parser.error("--width, --steps, --batch, --threads, --checkpoint and --stop-at are 1 or more, --seed 0 or more")
    args.bf16 = args.bf16 == "on" or args.bf16 == "auto" and cpu_has_bf16()
    return args


def cpu_has_bf16():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            flags = next((line for line in file if line.startswith("flags")), "").split()
    except OSError:
        return False
    return "amx_bf16" in flags or "avx512_bf16" in flags


# ---- the loop

def rate_at(step, args):
    """Rises over the first twentieth, then falls like a cosine."""
    rise = max(1, args.steps // 20)
    if step < rise:
        return args.rate * (step + 1) / rise
    return args.rate * (1 + math.cos(math.pi * (step - rise) / max(1, args.steps - rise))) / 2


def settings_of(args, framework, split):
    """What the weights depend on; a checkpoint is continued with the same only."""
    names = ("width", "size", "steps", "batch", "rate", "seed", "threads", "bf16")
    return {"framework": framework, **{name: getattr(args, name) for name in names},
            "train": sorted(patient for patient, part in split.items() if part == "train")}


def resumed(net, path, settings):
    if not os.path.exists(path):
        raise BadData(f"{path}: no checkpoint to go on from (leave --resume out to begin)")
    progress = net.load(path)
    for name, value in settings.items():
        if progress["settings"][name] != value:
            raise BadData(f"{path}: made with {name} {progress['settings'][name]}, not {value}; use the same, or begin anew")
    return progress


def duration(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


def fit(net, sampler, args, progress, save):
    """Steps until the last, or --stop-at; appends to progress["losses"]."""
    first, end = len(progress["losses"]), min(args.steps, args.stop_at or args.steps)
    began, cpu_began, before = time.monotonic(), time.process_time(), dict(progress)
    every = max(1, min(10, args.steps // 20))

    def note():
        progress["seconds"] = before["seconds"] + time.monotonic() - began
        progress["cpu_seconds"] = before["cpu_seconds"] + time.process_time() - cpu_began
    for step, (pictures, masks) in sampler.batches(first, end):
        loss = net.step(pictures, masks, rate_at(step, args))
        if not math.isfinite(loss):
            raise BadData(f"step {step + 1}: the loss is {loss}; try a lower --rate")
        progress["losses"].append(loss)
        if (step + 1) % every == 0 or step + 1 == end:
            left = (time.monotonic() - began) / (step + 1 - first) * (end - step - 1)
            print(f"step {step + 1}/{args.steps}  loss {np.mean(progress['losses'][-every:]):.4f}"
                  f"  {duration(left)} left", flush=True)
        if (step + 1) % args.checkpoint == 0 or step + 1 == end:
            note()
            save()


def fallen(losses):
    """The mean loss of the first and of the last twentieth of the steps."""
    some = max(1, len(losses) // 20)
    return float(np.mean(losses[:some])), float(np.mean(losses[-some:]))


def digest(arrays):
    """Equal for equal bits."""
    result = hashlib.sha256()
    for array in arrays:
        result.update(np.ascontiguousarray(array).tobytes())
    return result.hexdigest()


def report(net, slices, split, args, progress):
    """Prints and writes the Dice of each part; writes the masks."""
    first, last = fallen(progress["losses"])
    result = {**progress, "loss_first": first, "loss_last": last, "weights_sha256": digest(net.weights()), "dice": {}}
    print(f"loss {first:.4f} -> {last:.4f} in {duration(progress['seconds'])}"
          f" ({duration(progress['cpu_seconds'])} of CPU time), {'bf16' if args.bf16 else 'fp32'}, {args.threads} threads")
    print(f"weights: SHA-256 {result['weights_sha256'][:16]}...")
    print(f"{'':<12}{'patients':>10}{'slices':>8}{'Dice pooled':>13}{'mean':>8}")
    for part in PARTS:
        patients = [patient for patient, other in split.items() if other == part]
        chosen = slices.of(patients)
        if not len(chosen):
            continue
        found, masks = judge(net, slices, chosen, args.size)
        result["dice"][part] = found
        print(f"{part:<12}{len(patients):>10}{len(chosen):>8}{found['dice_pooled']:>13.4f}{found['dice_mean']:>8.4f}")
        if args.masks and part == "test":
            write_masks(slices, chosen, masks, os.path.join(args.output, "masks"))
    write_json(result, os.path.join(args.output, "training.json"))


def train(args, framework, make_net, checkpoint):
    slices = read_slices(args.data)
    os.makedirs(args.output, exist_ok=True)
    split = split_for(args, slices.patients)
    chosen = slices.of(patient for patient, part in split.items() if part == "train")
    print(f"{len(set(slices.patients))} patients, {len(slices.names)} slices, {int(slices.masks.any(axis=(1, 2)).sum())} with"
          f" tumour; trained on {len(chosen)}", flush=True)
    net, path = make_net(args), os.path.join(args.output, checkpoint)
    settings = settings_of(args, framework, split)
    progress = resumed(net, path, settings) if args.resume else {"settings": settings, "losses": [], "seconds": 0.0,
                                                                 "cpu_seconds": 0.0}

    def save():
        with replacing(path) as part:
            net.save(part, progress)
    fit(net, Sampler(slices, chosen, args), args, progress, save)
    if len(progress["losses"]) < args.steps:
        print(f"stopped after step {len(progress['losses'])}; the same call with --resume and without --stop-at goes on")
        return
    report(net, slices, split, args, progress)
    for file in net.export(os.path.join(args.output, f"lgg-{framework}-w{args.width}")):
        print(file)


def main(description, framework, make_net, checkpoint):
    args = arguments(description, framework)
    try:
        train(args, framework, make_net, checkpoint)
    except BadData as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("interrupted; --resume goes on from the last checkpoint, if there is one", file=sys.stderr)
        return 130
    return 0
