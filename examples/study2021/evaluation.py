"""`stent eval` over the same slices: the same Dice as the driver's own, and what else it says of the masks."""
import json
import os
import shutil

import page
import program
from page import number_column, text_column

SAME = 1e-9
# Key of `stent eval --json`: the same figure of data.Score.
OWN = {"dice_pooled": lambda s: s.pooled, "dice_mean": lambda s: s.mean, "dice_smooth1": lambda s: s.smooth[1],
       "dice_smooth100": lambda s: s.smooth[100]}


def data_set(study):
    """The data set; of a short run a folder with its slices only."""
    if study.slices.complete:
        return study.data
    folder = os.path.join(study.scratch, "slices")
    for path in study.slices.paths:
        patient = os.path.join(folder, os.path.basename(os.path.dirname(path)))
        os.makedirs(patient, exist_ok=True)
        for name in (path, path[:-len(".tif")] + "_mask.tif"):
            shutil.copy(name, patient)
    return folder


def measure(study, net):
    """Result of eval; the slices that it draws go into the report."""
    said = study.stent.measured("eval", net.package, data_set(study), "--slices", 1, cores=study.cores)
    study.evals[net.framework] = said
    path = os.path.join(study.scratch, f"{net.stem}.eval.json")
    page.write_whole(path, json.dumps(said))
    study.results.append(path)


def had(stent):
    try:
        stent.call("eval", "--help")
    except program.StentError as error:
        if error.status in (2, 4):
            return False
        raise
    return True


def differing(study):
    """["..."]: figures of stent eval that are not the driver's own."""
    wrong = []
    for framework, said in study.evals.items():
        score = study.scores["CPU", framework, "tuned"]
        wrong += [f"stent eval, {framework}'s network, {key} {said[key]:.6f} instead of {own(score):.6f}"
                  for key, own in OWN.items() if not abs(said[key] - own(score)) <= SAME]
        patients = {row["patient"]: row["dice_pooled"] for row in said["per_patient"]}
        wrong += [f"stent eval, {framework}'s network, patient {name}" for name, value in zip(study.slices.names, score.per_patient)
                  if not abs(patients.get(name, -1) - value) <= SAME]
    return wrong


def section(study):
    keys = ("dice_pooled", "dice_patient_mean", "dice_mean", "dice_soft", "iou_pooled", "hd95_px", "sensitivity", "specificity")
    names = ("Dice, pooled", "mean of patients", "mean of slices", "soft", "IoU, pooled", "HD95, pixels", "sensitivity", "specificity")
    columns = [text_column("network of")] + [number_column(name, None, 1 if "HD95" in name else 4) for name in names]
    rows = []
    for framework, said in study.evals.items():
        def cell(key):
            between = said["intervals"].get(key)
            return {"value": said[key], "low": between[0], "high": between[1]} if between and said[key] is not None else said[key]
        rows.append([framework, *map(cell, keys)])
    wrong = differing(study)
    text = ("stent eval gives the Dice of this page, pooled, mean, smooth 1 and 100, in all and of each patient." if not wrong
            else "stent eval gives other figures: " + "; ".join(wrong))
    return {"title": "Are the masks good?", "text": [text, "95 % intervals over patients. Conventions: docs/METRICS.md."],
            "table": page.table(columns, rows)}
