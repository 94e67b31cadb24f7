"""Figures of masks as other people's libraries give them; runs in the environment of torch.txt.

    metric_peers.py FOLDER CLASS

FOLDER as for stent-figures (figures.c). Prints {"cases": [{figure: number or null}], "study": {key: number or null},
"intervals": {key: [low, high]} or null}: what docs/METRICS.md says that each figure equals, called as it says; null where
the library has no number or an error.
"""
import json
import os
import sys
import unittest.mock
import warnings

import numpy as np
import scipy.stats
import torch
from medpy.metric.binary import hd95 as medpy_hd95
from monai.losses import DiceLoss
from monai.metrics import DiceMetric, compute_hausdorff_distance, compute_iou
from sklearn.metrics import f1_score, jaccard_score, recall_score

# nnU-Net's evaluator is handed arrays here: what it reads files and plans with is not needed, and not installed.
for name in ("batchgenerators", "batchgenerators.utilities", "batchgenerators.utilities.file_and_folder_operations",
             "acvl_utils", "acvl_utils.cropping_and_padding", "acvl_utils.cropping_and_padding.bounding_boxes",
             "nnunetv2.imageio.reader_writer_registry", "nnunetv2.imageio.simpleitk_reader_writer",
             "nnunetv2.utilities.plans_handling", "nnunetv2.utilities.plans_handling.plans_handler"):
    sys.modules[name] = unittest.mock.MagicMock()
from nnunetv2.evaluation.evaluate_predictions import compute_metrics  # noqa: E402

warnings.simplefilter("ignore")  # they warn of empty masks, which is what they are given


class Arrays:
    """In the place of nnU-Net's reader of files: the "file" is the array."""
    @staticmethod
    def read_seg(array):
        return array, {}


def batch(array, dtype=torch.bool):
    """One case and channel; a picture without its depth."""
    return torch.as_tensor(np.ascontiguousarray(array[0] if array.shape[0] == 1 else array), dtype=dtype)[None, None]


def flat_recall(truth, mask, label):
    """NaN where nothing has the label."""
    return recall_score(truth.ravel(), mask.ravel(), pos_label=label, labels=[0, 1], zero_division=np.nan)


def distances(mask, truth, spacing):
    """(MedPy's, MONAI's). MedPy raises an error for an empty mask, MONAI gives NaN or infinity."""
    flat = mask.shape[0] == 1
    a, b = (mask[0], truth[0]) if flat else (mask, truth)
    zyx = None if spacing is None else [float(s) for s in spacing[::-1][1 if flat else 0:]]
    try:
        medpy = medpy_hd95(a, b, voxelspacing=zyx)
    except RuntimeError:
        medpy = np.nan
    monai = compute_hausdorff_distance(batch(mask), batch(truth), include_background=True, percentile=95, spacing=zyx)
    return medpy, monai.item() if torch.isfinite(monai) else np.nan


def monai_dice(mask, truth, **options):
    metric = DiceMetric(include_background=True, **options)
    metric(y_pred=batch(mask, torch.float64), y=batch(truth))
    return metric.get_buffer().item()


def study_dice(mask, truth, smooth):
    """The 2021 study's code, as STUDY describes it."""
    return (2 * float((mask & truth).sum()) + smooth) / (float(mask.sum()) + float(truth.sum()) + smooth)


def figures_of(mask, truth, probability, spacing):
    m, t = mask.ravel(), truth.ravel()
    nnunet = compute_metrics(truth.astype(np.int64), mask.astype(np.int64), Arrays, [1])["metrics"][1]
    px, mm = distances(mask, truth, None), (np.nan, np.nan) if spacing is None else distances(mask, truth, spacing)
    iou = compute_iou(batch(mask, torch.float64), batch(truth, torch.float64), ignore_empty=False).item()
    assert abs(iou - jaccard_score(t, m, zero_division=1)) < 1e-6
    soft = np.nan
    if probability is not None:
        soft = 1 - DiceLoss()(batch(probability, torch.float64), batch(truth, torch.float64)).item()
    return {"dice": monai_dice(mask, truth, ignore_empty=False), "dice_nnunet": nnunet["Dice"],
            "dice_monai": monai_dice(mask, truth), "dice_smooth1": study_dice(mask, truth, 1),
            "dice_smooth100": study_dice(mask, truth, 100), "dice_soft": soft, "iou": iou,
            "hd95_px": px[0], "hd95_mm": mm[0], "hd95_monai_px": px[1], "hd95_monai_mm": mm[1],
            "sensitivity": flat_recall(truth, mask, 1), "specificity": flat_recall(truth, mask, 0)}


# The key of a study's mean: the figure of each case.
MEANS = {"dice_mean": "dice", "dice_mean_nnunet": "dice_nnunet", "dice_mean_monai": "dice_monai",
         "sensitivity_mean": "sensitivity", "specificity_mean": "specificity",
         **{name: name for name in ("dice_smooth1", "dice_smooth100", "dice_soft", "iou", "hd95_px", "hd95_mm",
                                    "hd95_monai_px", "hd95_monai_mm")}}


def study_of(cases, mask, truth, probability, patient):
    m, t = mask.ravel(), truth.ravel()
    found = {key: float(np.nanmean([case[figure] for case in cases])) for key, figure in MEANS.items()}
    found["dice_pooled"] = f1_score(t, m, zero_division=1)
    found["iou_pooled"] = jaccard_score(t, m, zero_division=1)
    found["sensitivity"], found["specificity"] = flat_recall(truth, mask, 1), flat_recall(truth, mask, 0)
    found["dice_patient_mean"] = np.mean([f1_score(truth[patient == p].ravel(), mask[patient == p].ravel(), zero_division=1)
                                          for p in np.unique(patient)])
    found["dice_soft_pooled"] = np.nan
    if probability is not None:
        p, y = (torch.as_tensor(array, dtype=torch.float64)[:, None] for array in (probability, truth))
        found["dice_soft_pooled"] = 1 - DiceLoss(batch=True)(p, y).item()
    return found


def intervals_of(mask, truth, patient):
    """scipy's percentile bootstrap over patients, of two figures; None where nothing varies."""
    axes = tuple(range(1, mask.ndim))
    both = np.stack([2 * (mask & truth).sum(axis=axes), mask.sum(axis=axes) + truth.sum(axis=axes)], axis=1).astype(float)
    sums = np.array([both[patient == p].sum(axis=0) for p in np.unique(patient)])
    if len(sums) < 2 or not sums.all():
        return None
    numbers = np.arange(len(sums))

    def interval(statistic):
        found = scipy.stats.bootstrap((numbers,), statistic, n_resamples=4000, method="percentile", vectorized=False,
                                      rng=np.random.default_rng(1)).confidence_interval
        return [found.low, found.high]

    return {"dice_pooled": interval(lambda i: sums[i, 0].sum() / sums[i, 1].sum()),
            "dice_patient_mean": interval(lambda i: (sums[i, 0] / sums[i, 1]).mean())}


def plain(numbers):
    return {key: None if np.isnan(value) else float(value) for key, value in numbers.items()}


def main(folder, label):
    def read(name):
        path = os.path.join(folder, name + ".npy")
        return np.load(path) if os.path.exists(path) else None

    mask, truth, probability, spacing, patient = map(read, ("mask", "truth", "probability", "spacing", "patient"))
    mask, truth = (array != 0 if label < 0 else array == label for array in (mask, truth))
    patient = np.arange(len(mask)) if patient is None else patient
    cases = [figures_of(mask[i], truth[i], None if probability is None else probability[i], spacing)
             for i in range(len(mask))]
    json.dump({"cases": [plain(case) for case in cases],
               "study": plain(study_of(cases, mask, truth, probability, patient)),
               "intervals": intervals_of(mask, truth, patient)}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
