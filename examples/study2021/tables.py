"""Table 1 (before and after, time and Dice), Table 2 (25 runs), the ratios, and the check that Dice stayed."""
import statistics
import time

import numpy as np

import engines
import evaluation
import facts
import intervals
import page
from data import Score
from page import muted, number_column, text_column

NO_GPU = "no GPU here"
AFTER = ("untuned", "tuned")  # the ways of stent
FIRST_REPEATS = 3  # of all slices; the others come last, as far as there is time
NAMES = {"before": "{framework}, {way}", "untuned": "stent, untuned", "tuned": "stent, tuned"}


def row_name(net, way):
    return NAMES[way].format(framework=net.framework, way=net.way)


# ---- measuring ------------------------------------------------------------------------------------------------------

def repeat_table_1(study, net):
    """Every slice once more, the three ways in turn."""
    start, done = time.monotonic(), len(study.passes[net.target, net.framework, "before"])
    for way in (("before", *AFTER) if done % 2 == 0 else (*reversed(AFTER), "before")):
        times = net.worker.ask("pass") if way == "before" else study.segment(net, way)
        study.passes[net.target, net.framework, way].append(statistics.fmean(times))
    net.repeat_seconds = time.monotonic() - start


def measure_table_1(study, net):
    """The first repeats, and the masks."""
    for way in ("before", *AFTER):
        study.passes[net.target, net.framework, way] = []
    for _ in range(min(FIRST_REPEATS, study.repeats)):
        repeat_table_1(study, net)
    for way in ("before", *AFTER):
        masks = study.framework_masks(net) if way == "before" else study.stent_masks(net, way)
        study.keep_masks(net, way, masks)


def complete_table_1(study):
    """The repeats that are still lacking, of the networks in turn, while they end before the deadline."""
    for repeat in range(FIRST_REPEATS, study.repeats):
        for net in study.nets:
            if len(study.passes[net.target, net.framework, "before"]) == repeat and \
                    time.monotonic() + net.repeat_seconds < study.deadline:
                repeat_table_1(study, net)


def measure_table_2(study, net):
    """The three ways in turn, block by block: a run is the mean of a block. The ratios come of the same blocks."""
    stents = {way: engines.start_stent(study, f"stent-{way}-{net.stem}", net.package,
                                       *(["--untuned"] if way == "untuned" else [])) for way in AFTER}
    try:
        group = [("before", net.worker.measure)] + [(way, stents[way].measure) for way in AFTER]
        study.blocks[net.framework] = engines.blocks(group, study.runs, study.images)
        study.ways[net.framework] = other_ways(study, net, stents["tuned"])
    finally:
        for process in stents.values():
            process.close()


def other_ways(study, net, tuned):
    """[(way, blocks of it, blocks of tuned stent)]: how else this framework can be used, each against stent in turn."""
    found = []
    for way, trouble in net.worker.ask("ways").items():
        if way == net.way:
            continue
        if trouble:
            found.append((way, trouble, None))
            continue
        net.worker.ask(f"use {way}")
        times = engines.blocks([("it", net.worker.measure), ("stent", tuned.measure)], study.few, 4)
        found.append((way, times["it"], times["stent"]))
    net.worker.ask(f"use {net.way}")
    return found


def measure_gpu(study, net):
    """The framework on a GPU, where there is one: passes, masks, runs."""
    name = engines.gpu_of(study, net.environment)
    study.gpus[net.framework] = name
    if not name:
        return
    worker = engines.start_framework(study, net.environment, device="gpu")
    try:
        study.passes["GPU", net.framework, "before"] = [statistics.fmean(worker.ask("pass")) for _ in range(study.repeats)]
        study.scores["GPU", net.framework, "before"] = study.score(study.worker_masks(worker))
        study.gpu_blocks[net.framework] = [worker.measure(study.images + 1)[1:] for _ in range(study.runs)]
        study.gpu_unwaited[net.framework] = worker.ask("unwaited 25 0")
    finally:
        worker.close()


# ---- Table 1 --------------------------------------------------------------------------------------------------------

def table_1(study):
    columns = [text_column("target"), text_column("network of"), text_column("before and after"), number_column("mean time", "ms", 2),
               number_column("repeats", None, 0), number_column("change", "%", 1), number_column("Dice", None, 4),
               number_column("mean", None, 4), number_column("smooth 1", None, 4), number_column("smooth 100", None, 4),
               number_column("study", "ms", 1), number_column("study, Dice", None, 4)]
    rows = [row for target in ("CPU", "GPU") for net in study.nets for row in rows_1(study, target, net)]
    text = [f"{len(study.slices)} slices of {len(study.slices.names)} patients, batch 1, 256x256x3, {study.repeats} repeats of all "
            "slices (or as many as there was time for), the ways in turn. A time goes from input tensor to output tensor. In brackets 95 % intervals: of times over "
            "the repeats (Student's t), of Dice over the patients (bootstrap).",
            f"Beside it Table 1 of the study: {facts.SOURCE}; {facts.SET_UP}. Its networks are two to four times as wide as "
            "these (question 2), its machine was another one: compare changes, not times.",
            "The study printed its changes with mixed denominators (" +
            ", ".join(f"{t} {f} {v[3]}" for (t, f), v in facts.TABLE_1.items()) +
            "); by the old time they are " + ", ".join(f"{change(v[0], v[1]):+.1f} %" for v in facts.TABLE_1.values()) + "."]
    return {"title": "Table 1: before and after", "text": text,
            "table": page.table(columns, rows, "Change by the old time. Dice: pooled over all pixels; mean: of slices, both empty 1; "
                                "smooth s: (2 |X and Y| + s) / (|X| + |Y| + s), mean of slices. Not had yet: stent has no GPU kernels. The study does not say which Dice is which.")}


def change(before, after):
    return (after / before - 1) * 100


def rows_1(study, target, net):
    rows = []
    for way in ("before", *AFTER):
        old, new, dice, _ = facts.TABLE_1[target, net.framework]
        theirs = [None, None] if way == "untuned" else [round(1e3 * (old if way == "before" else new), 3), dice]
        key = (target, net.framework, way)
        if key not in study.passes:
            why = NO_GPU if way == "before" else "not had yet"
            rows.append([target, net.framework, row_name(net, way), muted(why)] + [None] * 6 + theirs)
            continue
        score, before = study.scores[key], study.passes[target, net.framework, "before"]
        moved = None if way == "before" else change(np.mean(before), np.mean(study.passes[key]))
        times = study.passes[key]
        rows.append([target, net.framework, row_name(net, way), intervals.mean(times), len(times), moved, score.intervals()[0],
                     score.mean, score.smooth[1], score.smooth[100], *theirs])
    return rows


def csv_1(study):
    columns = ["target", "framework", "way", "mean_ms", "mean_ms_low", "mean_ms_high", "repeats_ms", "dice_pooled", "dice_mean",
               "dice_smooth1", "dice_smooth100", "study_ms", "study_dice", "note"]
    rows = []
    for target in ("CPU", "GPU"):
        for net in study.nets:
            for way, shown in zip(("before", *AFTER), rows_1(study, target, net)):
                key = (target, net.framework, way)
                if key in study.passes:
                    time, score = intervals.mean(study.passes[key]), study.scores[key]
                    low, high = (time["low"], time["high"]) if isinstance(time, dict) else (None, None)
                    rows.append([*key, intervals.value_of(time), low, high, " ".join(f"{t:.4f}" for t in study.passes[key]),
                                 score.pooled, score.mean, score.smooth[1], score.smooth[100], *shown[-2:], ""])
                else:
                    rows.append([*key] + [None] * 8 + [*shown[-2:], shown[3]])
    return page.csv_text(columns, rows)


# ---- Table 2 --------------------------------------------------------------------------------------------------------

def series_2(study):
    """[(name, [ms of each run])], the study's last."""
    made = []
    for net in study.nets:
        for way in ("before", *AFTER):
            made.append((f"CPU, {net.framework}'s network: {row_name(net, way)}", engines.means(study.blocks[net.framework][way])))
    for net in study.nets:
        if net.framework in study.gpu_blocks:
            made.append((f"GPU: {row_name(net, 'before')}", engines.means(study.gpu_blocks[net.framework])))
    return made + [(f"the study: GPU, PyTorch, {when}", list(runs)) for when, runs in facts.TABLE_2.items()]


def summary(values):
    return [float(np.mean(values)), 100 * intervals.variation(values), min(values), max(values)]


def table_2(study):
    columns = [text_column("what"), number_column("mean", "ms", 2), number_column("CV", "%", 1), number_column("min", "ms", 2),
               number_column("max", "ms", 2), number_column("runs", None, 0)]
    made = series_2(study)
    rows = [[name, *summary(runs), len(runs)] for name, runs in made]
    for net in study.nets:
        if net.framework not in study.gpu_blocks:
            rows.insert(-2, [f"GPU: {row_name(net, 'before')}", muted(NO_GPU)] + [None] * 4)
    return {"title": f"Table 2: {study.runs} runs", "bar_unit": "ms",
            "text": [f"A run is the mean of {study.images} pictures, one after the other, in a process that goes on; the three ways in "
                     "turn (A B C, C B A, ...). CV is the standard deviation of the runs / their mean. Each run stands in table2.csv."],
            "table": page.table(columns, rows), "series": [{"name": n, "unit": "ms", "values": v} for n, v in made]}


def csv_2(study):
    made = series_2(study)
    most = max(len(runs) for _, runs in made)
    columns = ["what", "mean_ms", "cv_percent", "min_ms", "max_ms"] + [f"run_{i + 1}_ms" for i in range(most)]
    rows = [[name, *summary(runs), *runs, *[None] * (most - len(runs))] for name, runs in made]
    return page.csv_text(columns, rows)


# ---- ratios ---------------------------------------------------------------------------------------------------------

def ratio(ours, theirs):
    return intervals.paired_ratio(engines.medians(ours), engines.medians(theirs))


def ratios(study):
    columns = [text_column("network of"), text_column("stent"), text_column("against"), number_column("stent", "ms", 2),
               number_column("it", "ms", 2), number_column("stent / it", None, 3), number_column("pairs", None, 0)]
    rows = []
    for net in study.nets:
        times = study.blocks[net.framework]
        pairs = [("tuned", f"{net.framework}, {net.way}", times["tuned"], times["before"]),
                 ("untuned", f"{net.framework}, {net.way}", times["untuned"], times["before"]),
                 ("tuned", "stent, untuned", times["tuned"], times["untuned"])]
        pairs += [("tuned", f"{net.framework}, {way}", stent, it) for way, it, stent in study.ways[net.framework] if stent]
        rows += [[net.framework, ours, theirs, statistics.median(engines.medians(a)), statistics.median(engines.medians(b)),
                  ratio(a, b), len(a)] for ours, theirs, a, b in pairs]
        rows += [[net.framework, "tuned", f"{net.framework}, {way}", None, muted("not had here: " + why), None, None]
                 for way, why, stent in study.ways[net.framework] if not stent]
    return {"title": "Ratios from interleaved runs", "table": page.table(columns, rows), "text": [
        "Blocks of pictures in turn (A B C, C B A, ...), all programs but one stopped, on the same cores with "
        f"{study.threads} threads; the ratio of the blocks' medians, pair by pair, its median and 95 % interval (bootstrap over the "
        "pairs). Below 1: stent is faster. The framework's first way is the one of Table 1; the others are how it can be used "
        "besides, so that the comparison doesn't hang on one of them."] + [tuned_text(net) for net in study.nets]}


def tuned_text(net):
    said = net.tuned
    if said["kept"] == "tuned":
        return (f"{net.framework}'s network: stent tune measured {said['trials']} trials in {said['seconds']:.0f} s; its plan won the "
                f"race against the untuned one, {said['ratio_median']:.3f} [{said['ratio_low']:.3f}, {said['ratio_high']:.3f}].")
    return (f"{net.framework}'s network: stent tune measured {said['trials']} trials in {said['seconds']:.0f} s and found nothing that "
            "won the race against the untuned plan, so \"tuned\" runs the untuned plan here.")


# ---- Dice -----------------------------------------------------------------------------------------------------------

def expected_scores(study, net):
    """(rounded figures of expected.json: pooled, mean, patients; its score from the masks by ONNX Runtime)."""
    score = Score(study.expected_masks[net.stem], study.slices.truth, study.slices.patients)
    if not study.slices.complete:
        return None, score
    entry = study.expected[net.stem]
    return [round(entry["dice_pooled"], 4), round(entry["dice_mean"], 4)] + [
        round(entry["patients"][name]["dice"], 4) for name in study.slices.names], score


def check_dice(study):
    """(rows of the table, rows that are not equal). Before = after = expected, in all and per patient."""
    rows, wrong = [], []
    for net in study.nets:
        figures, reference = expected_scores(study, net)
        for key, score in study.scores.items():
            if key[1] != net.framework:
                continue
            mine = score.rounded()
            patients = sum(a == b for a, b in zip(mine[4:], reference.rounded()[4:]))
            same = mine == reference.rounded() and (figures is None or mine[:2] + mine[4:] == figures)
            if not same:
                wrong.append(f"{key[0]}, {net.framework}'s network, {row_name(net, key[2])}")
            changed = int((study.masks[key] != study.expected_masks[net.stem]).sum()) if key in study.masks else None
            rows.append([key[0], net.framework, row_name(net, key[2]), *mine[:4], reference.rounded()[0], reference.rounded()[1],
                         f"{patients} of {len(study.slices.names)}", changed, page.good("equal") if same else page.bad("differs")])
    return rows, wrong + evaluation.differing(study)


def dice_section(study):
    rows, wrong = check_dice(study)
    columns = [text_column("target"), text_column("network of"), text_column("way"), number_column("pooled", None, 4),
               number_column("mean", None, 4), number_column("smooth 1", None, 4), number_column("smooth 100", None, 4),
               number_column("expected, pooled", None, 4), number_column("expected, mean", None, 4), text_column("patients equal"),
               number_column("mask pixels that differ", None, 0), text_column("to 4 decimals")]
    pixels = study.slices.truth.size
    source = ("expected.json (ONNX Runtime)" if study.slices.complete else
              "ONNX Runtime's masks of the same slices (expected.json holds for the whole set only)")
    verdict = (f"Dice is the same before and after, and as in {source}, to 4 decimals in every row, in all and for each patient."
               if not wrong else f"Dice is NOT the same, or not as in {source}: " + "; ".join(wrong) + ".")
    return {"title": "Dice before = after", "text": [verdict, f"Mask pixels are compared with ONNX Runtime's, of {pixels:,}."],
            "table": page.table(columns, rows)}


def patients_section(study):
    keys = [key for key in study.scores]
    columns = [text_column("patient"), number_column("slices", None, 0), number_column("tumour", "pixels", 0)]
    columns += [number_column(f"{key[1]}'s: {key[2]}" + (" (GPU)" if key[0] == "GPU" else ""), None, 4) for key in keys]
    rows = []
    for index, name in enumerate(study.slices.names):
        mine = study.slices.patients == index
        rows.append([name, int(mine.sum()), int(study.slices.truth[mine].sum())] +
                    [study.scores[key].per_patient[index] for key in keys])
    return {"title": "Dice of each patient", "text": ["Pooled over the pixels of a patient; both empty = 1."],
            "table": page.table(columns, rows)}
