"""examples/study2021: a short run on the shared data, the shape of what it writes, its Dice; how it ends otherwise."""
import csv
import json
import math
import os
import signal
import subprocess
import sys

import numpy as np

import models
import tool
from run import Test

FOLDER = os.path.join(tool.ROOT, "examples", "study2021")
RUN = os.path.join(FOLDER, "run")
TITLES = ("The answers", "Table 1", "Ratios", "Table 2", "Dice before = after", "Dice of each patient", "Question 1", "Question 2",
          "Question 3", "Question 4")


def command(context, folder, *more, data=None):
    """The call, or a Skip that says what is missing."""
    lgg, nets = (os.path.join(context.testdata, *part) for part in (("lgg",), ("models", "lgg")))
    if not os.path.isdir(lgg) or not os.path.isdir(nets):
        raise tool.Skip(f"no test data at {context.testdata} (STENT_TESTDATA)")
    for name in ("torch", "tensorflow"):
        models.python_of(name)
    return [RUN, "--data", data or lgg, "--models", nets, "-o", os.path.join(folder, "out"), "--stent", context.tool.program,
            *more]


def start(context, words):
    return subprocess.Popen(words, env=context.tool.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            errors="replace", start_new_session=True)


def expect(found, wanted, what):
    if found != wanted:
        raise tool.Failure(f"{what}: {found!r}, expected {wanted!r}")


# ---- a short run ------------------------------------------------------------------------------------------------------

def check_cell(cell, where):
    if isinstance(cell, dict) and "value" in cell:
        slack = 1e-9 * abs(cell["value"])  # means of the same numbers in another order
        if not cell["low"] - slack <= cell["value"] <= cell["high"] + slack:
            raise tool.Failure(f"{where}: {cell} lies outside its interval")
    elif isinstance(cell, dict):
        expect(cell.get("tone") in ("good", "bad", "muted") and isinstance(cell["text"], str), True, f"{where}: {cell}")
    elif cell is not None and not isinstance(cell, (str, int, float)):
        raise tool.Failure(f"{where}: a cell of {type(cell).__name__}")


def check_section(section):
    where = section["title"]
    expect(bool(section["text"]) and all(isinstance(text, str) for text in section["text"]), True, f"{where}: text")
    table = section.get("table", {"columns": [], "rows": []})
    for row in table["rows"]:
        expect(len(row), len(table["columns"]), f"{where}: cells of a row")
        for cell in row:
            check_cell(cell, where)
    for series in section.get("series", ()):
        expect(len(series["values"]) > 1 and all(math.isfinite(v) for v in series["values"]), True, f"{where}: {series['name']}")
    for bar in section.get("bars", ()):
        expect(bar["value"] >= 0 and bar["limit"] >= 0 and isinstance(bar["text"], str), True, f"{where}: {bar}")


def check_page(page):
    expect(page["verb"], "page", "verb")
    for key in ("stent", "title", "subtitle", "date", "machine", "assumed"):
        expect(bool(page[key]), True, f"key {key}")
    titles = [section["title"] for section in page["sections"]]
    for title in TITLES:
        expect(any(found.startswith(title) for found in titles), True, f"a section {title}")
    for section in page["sections"]:
        check_section(section)


def check_figures(page):
    """Dice equal in every row, times of all ways, the study's figures beside them."""
    of = {section["title"]: section for section in page["sections"]}
    rows = of["Dice before = after"]["table"]["rows"]
    expect(len(rows) >= 6 and all(row[-1] == {"text": "equal", "tone": "good"} for row in rows), True, f"Dice rows {rows}")
    expect("Dice is the same before and after" in of["Dice before = after"]["text"][0], True, "the verdict")
    table = next(section for title, section in of.items() if title.startswith("Table 1"))["table"]["rows"]
    expect(len(table), 12, "rows of Table 1")
    expect([row[3]["value"] > 0 for row in table if row[0] == "CPU"], [True] * 6, "times of Table 1")
    expect(table[0][-2:], [818.674, 0.7678], "the study's figures")
    ratios = of["Ratios from interleaved runs"]["table"]["rows"]
    expect({row[0] for row in ratios if row[1] == "tuned" and isinstance(row[5], dict)}, {"PyTorch", "TensorFlow"}, "ratios")


def check_quick(context):
    with context.tool.folder() as folder:
        process = start(context, command(context, folder, "--quick"))
        out, said = process.communicate(timeout=context.left())
        if process.returncode:
            raise tool.Failure(f"status {process.returncode}: {(said.strip().splitlines() or ['no message'])[-1][:400]}")
        expect("Dice is the same" in out, True, f"stdout {out!r}")
        names = set(os.listdir(os.path.join(folder, "out")))
        expect(names - {"report.html"}, {"study.json", "table1.csv", "table2.csv"}, "files")
        with open(os.path.join(folder, "out", "study.json"), encoding="utf-8") as file:
            page = json.load(file, parse_constant=lambda word: (_ for _ in ()).throw(tool.Failure(f"JSON holds {word}")))
        check_page(page)
        check_figures(page)
        for name, rows in (("table1.csv", 12), ("table2.csv", 8)):
            with open(os.path.join(folder, "out", name), encoding="utf-8", newline="") as file:
                found = list(csv.reader(file))
            expect(len(found) - 1 >= rows and len({len(row) for row in found}) == 1, True, f"{name}: {len(found)} lines")


# ---- other ends -------------------------------------------------------------------------------------------------------

def check_missing(context):
    """A folder that is not there, and one without a mask: exit 3, its name, and nothing left behind."""
    with context.tool.folder() as folder:
        bare = os.path.join(folder, "bare")
        os.makedirs(os.path.join(bare, "P"))
        open(os.path.join(bare, "P", "P_1.tif"), "wb").close()
        for data, told in ((os.path.join(folder, "nowhere"), "nowhere"), (bare, "P_1_mask.tif")):
            process = start(context, command(context, folder, data=data))
            _, said = process.communicate(timeout=60)
            expect((process.returncode, told in said, len(said.strip().splitlines())), (3, True, 1), f"without data: {said!r}")
            expect(os.path.exists(os.path.join(folder, "out")), False, "a folder was left")


def check_interrupt(context):
    with context.tool.folder() as folder:
        process = start(context, command(context, folder, "--quick"))
        for line in process.stderr:
            if "[4/" in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=context.left())
        expect(process.returncode, 130, f"status after Ctrl-C ({said[-300:]!r})")
        expect(os.path.exists(os.path.join(folder, "out")), False, "a folder was left")


def check_dice(context):
    """Dice by hand on small masks; a row with one pixel too many is found."""
    sys.path.insert(0, FOLDER)
    import data
    truth, masks = np.zeros((3, 4, 4), bool), np.zeros((3, 4, 4), bool)
    truth[0, :2, :2], masks[0, :2, :3] = True, True  # 4 and 6 pixels, 4 in common; the second is empty in both
    masks[2, 0, 0] = True                            # the third in the truth only
    score = data.Score(masks, truth, np.array([0, 0, 1]))
    for found, wanted, what in ((score.pooled, 8 / 11, "pooled"), (score.mean, (0.8 + 1 + 0) / 3, "mean"),
                                (score.smooth[1], (9 / 11 + 1 + 1 / 2) / 3, "smooth 1"),
                                (score.smooth[100], (108 / 110 + 1 + 100 / 101) / 3, "smooth 100"),
                                (score.per_patient[0], 0.8, "first patient"), (score.per_patient[1], 0, "second patient")):
        expect(abs(found - wanted) < 1e-12, True, f"{what}: {found}, expected {wanted}")
    check_verdict(data, masks, truth)


def check_verdict(data, masks, truth):
    import tables
    slices = type("Slices", (), {"truth": truth, "patients": np.array([0, 0, 1]), "names": ["A", "B"], "complete": False})
    net = type("Net", (), {"framework": "PyTorch", "stem": "net", "way": "eager"})
    study = type("Study", (), {"nets": [net], "slices": slices, "expected_masks": {"net": masks}, "scores": {}, "masks": {},
                            "evals": {}})
    for key, changed in (("before", 0), ("tuned", 1)):
        mine = masks.copy()
        mine[0, 3, 3] ^= bool(changed)
        study.masks["CPU", "PyTorch", key], study.scores["CPU", "PyTorch", key] = mine, data.Score(mine, truth, slices.patients)
    rows, wrong = tables.check_dice(study)
    expect([row[-1]["text"] for row in rows], ["equal", "differs"], "the verdict of each row")
    expect(wrong, ["CPU, PyTorch's network, stent, tuned"], "what is named")


def tests(context):
    return [Test("study/dice", "study", lambda: check_dice(context)),
            Test("study/missing", "study", lambda: check_missing(context), alone=True),
            Test("study/interrupt", "study", lambda: check_interrupt(context), alone=True),
            Test("study/quick", "study", lambda: check_quick(context), alone=True)]
