"""The test set: slices and truth masks of patients, paired by name; Dice by the conventions that the study mixed."""
import json
import os
import re

import numpy as np
from PIL import Image

import intervals


class DataError(Exception):
    """Something is missing or not as expected; the text says which, and what was expected."""


def natural(name):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def read_picture(path, channels):
    try:
        with Image.open(path) as image:
            picture = np.asarray(image)
    except OSError as error:
        raise DataError(f"{path}: expected a TIFF picture: {error}") from None
    expected = (256, 256, 3) if channels == 3 else (256, 256)
    if picture.dtype != np.uint8 or picture.shape != expected:
        raise DataError(f"{path}: expected 8 bit, {expected}, got {picture.dtype}, {picture.shape}")
    return picture


class Slices:
    """Of all patients, in natural order. `paths`, `stems`, `patients` (an index each), `pictures`, `truth`."""

    def __init__(self, folder, a_patient=None):
        self.names = sorted(n for n in list_folder(folder) if os.path.isdir(os.path.join(folder, n)))
        self.paths, self.patients, self.complete = [], [], a_patient is None
        for index, name in enumerate(self.names):
            mine = pictures_of(os.path.join(folder, name))
            if a_patient and len(mine) > a_patient:  # evenly from the whole volume, not its empty ends
                mine = [mine[len(mine) * (2 * i + 1) // (2 * a_patient)] for i in range(a_patient)]
            self.paths += mine
            self.patients += [index] * len(mine)
        if not self.paths:
            raise DataError(f"{folder}: expected PATIENT/PATIENT_1.tif with PATIENT_1_mask.tif, got no such slice")
        self.stems = [os.path.splitext(os.path.basename(path))[0] for path in self.paths]
        self.patients = np.array(self.patients)
        self.pictures = np.stack([read_picture(path, 3) for path in self.paths])
        self.truth = np.stack([read_picture(mask_of(path), 1) != 0 for path in self.paths])

    def __len__(self):
        return len(self.paths)


def list_folder(folder):
    try:
        return os.listdir(folder)
    except OSError as error:
        raise DataError(f"{folder}: expected the folder of the data set: {error.strerror}") from None


def mask_of(path):
    return path[:-len(".tif")] + "_mask.tif"


def pictures_of(folder):
    paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder), key=natural)
             if name.endswith(".tif") and not name.endswith("_mask.tif")]
    missing = [path for path in paths if not os.path.exists(mask_of(path))]
    if missing:
        raise DataError(f"{missing[0]}: its mask {os.path.basename(mask_of(missing[0]))} is missing")
    return paths


def unpacked(packed, slices):
    """Masks of a .npz that holds numpy.packbits of each slice by its name."""
    missing = [stem for stem in slices.stems if stem not in packed]
    if missing:
        raise DataError(f"masks by ONNX Runtime: {missing[0]} is missing")
    shape = slices.truth.shape[1:]
    return np.stack([np.unpackbits(packed[stem])[:shape[0] * shape[1]].reshape(shape).astype(bool) for stem in slices.stems])


def read_json(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: expected a JSON file: {error}") from None


def dice_of(intersection, total):
    """Elementwise 2 |X and Y| / (|X| + |Y|); both empty = 1."""
    intersection, total = np.asarray(intersection, float), np.asarray(total, float)
    return np.where(total > 0, 2 * intersection / np.where(total > 0, total, 1), 1.0)


class Score:
    """Dice of masks: pooled over all pixels, mean over slices, with smooth 1 and 100 (mean over slices), of each patient."""

    def __init__(self, masks, truth, patients):
        self.patients = patients
        self.intersection = (masks & truth).sum((1, 2)).astype(np.int64)
        self.total = masks.sum((1, 2)).astype(np.int64) + truth.sum((1, 2)).astype(np.int64)
        self.pooled = float(dice_of(self.intersection.sum(), self.total.sum()))
        self.mean = float(dice_of(self.intersection, self.total).mean())
        self.smooth = {s: float(((2 * self.intersection + s) / (self.total + s)).mean()) for s in (1, 100)}
        self.patient_sums = [(int(self.intersection[patients == p].sum()), int(self.total[patients == p].sum()))
                             for p in range(patients.max() + 1)]
        self.per_patient = [float(dice_of(*sums)) for sums in self.patient_sums]

    def intervals(self):
        """(pooled, mean) with intervals over patients."""
        sums, each = np.array(self.patient_sums), dice_of(self.intersection, self.total)
        members = [np.flatnonzero(self.patients == p) for p in range(len(sums))]
        return (intervals.bootstrapped(len(sums), lambda pick: dice_of(*sums[pick].sum(0))),
                intervals.bootstrapped(len(sums), lambda pick: each[np.concatenate([members[p] for p in pick])].mean()))

    def rounded(self):
        """What has to be equal before and after, to 4 decimals."""
        return [round(x, 4) for x in (self.pooled, self.mean, self.smooth[1], self.smooth[100], *self.per_patient)]
