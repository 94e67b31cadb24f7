"""Question 2: why did the frameworks differ? Both networks in the same engines, what they are made of, and Dice as the study
mixed it: smooth 1, smooth 100, pairs by unsorted listings, other pre-processing."""
import json
import os
import statistics

import numpy as np

import engines
import facts
import intervals
import page
from data import Score, dice_of
from page import number_column, text_column

ENGINES = ("stent", "ONNX Runtime")
SHUFFLES = 20
# What an evaluation may do to a picture other than its training did.
OTHER_PIPELINES = {"other pre-processing: z-score of each slice": {"normalise": "zscore"}}
UPS = ("Resize", "ConvTranspose", "Upsample")


# ---- measuring ------------------------------------------------------------------------------------------------------

def measure_engines(study):
    """Both networks in stent and in ONNX Runtime, and each in its framework, all in turn."""
    group, started = [], []
    try:
        for net in study.nets:
            started.append(engines.start_stent(study, f"again-{net.stem}", net.package, "--untuned"))
            group.append((("stent", net.framework), started[-1].measure))
            started.append(engines.start_onnxruntime(study, net.model))
            group.append((("ONNX Runtime", net.framework), started[-1].measure))
            group.append(((net.framework, net.framework), net.worker.measure))
        study.same_engine = engines.blocks(group, study.few, 4)
    finally:
        for process in started:
            process.close()
    for net in study.nets:
        study.made_of[net.framework] = {"info": study.stent.json("info", net.package), "profile": study.profile(net, "--untuned"),
                                        "shape": net.worker.ask("shape")}


def measure_pipelines(study, net):
    """Dice of the same network and slices behind another pre-processing."""
    found = study.pipelines[net.framework] = {}
    for name, change in OTHER_PIPELINES.items():
        with open(net.pipeline, encoding="utf-8") as file:
            pipeline = json.load(file)
        pipeline["input"].update(change)
        stem = os.path.join(study.scratch, f"{net.stem}-other")
        page.write_whole(stem + ".json", json.dumps(pipeline))
        study.stent.call("compile", net.model, "-o", stem + ".stent", "--pipeline", stem + ".json", "-q")
        masks = study.masks_of(stem + ".stent", stem + ".masks", "--untuned")
        found[name] = study.score(masks)


# ---- what the networks are ------------------------------------------------------------------------------------------

def ups_of(study, framework):
    """(text, ms, part of the network) of what makes the images larger again."""
    said = study.made_of[framework]
    ops = {op: count for op, count in said["info"]["ops"].items() if op in UPS}
    ms = sum(layer["ms"] for layer in said["profile"]["layers"] if layer["op"].split(" ")[0] in UPS)
    names = {"Resize": "bilinear", "Upsample": "bilinear", "ConvTranspose": "transposed convolution"}
    return ", ".join(f"{count} x {names[op]}" for op, count in ops.items()), ms, ms / said["profile"]["sum_ms"]


def networks_section(study):
    columns = [text_column("what")] + [text_column(f"{net.framework}'s network") for net in study.nets]
    columns += [text_column(f"the study's, {name}") for name in facts.NETS]
    of = [study.made_of[net.framework] for net in study.nets]
    ups = [ups_of(study, net.framework) for net in study.nets]
    theirs = list(facts.NETS.values())
    rows = [["parameters", *[f"{m['shape'][1] / 1e6:.2f} M" for m in of], *[f"{t['parameters'] / 1e6:.1f} M" for t in theirs]],
            ["GFLOP a picture", *[f"{m['info']['flop'] / 1e9:.2f}" for m in of], *[f"{t['flop'] / 1e9:.1f}" for t in theirs]],
            ["up-sampling", *[up[0] for up in ups], *[t["up"] for t in theirs]],
            ["up-sampling takes", *[f"{up[1]:.2f} ms, {100 * up[2]:.1f} % of stent's time" for up in ups], None, None],
            ["convolutions", *[str(m["info"]["ops"].get("Conv", 0)) for m in of], None, None],
            ["normalisation left after folding", *[str(sum(n for op, n in m["info"]["ops"].items() if "Normalization" in op))
                                                   for m in of], None, None],
            ["layout in the framework", *[m["shape"][0] for m in of], None, None],
            ["layout in stent", *["channel blocks as wide as a vector, borders of zeros" for _ in of], None, None],
            ["weights, activations in stent", *[f"{m['info']['weights_mb']:.0f} MB, {m['info']['arena_mb']:.0f} MB" for m in of],
             None, None]]
    return {"title": "Question 2: why did the frameworks differ? The networks", "text": [facts.FRAMEWORKS_DIFFER],
            "table": page.table(columns, rows, "From stent info and stent profile; ours are trained at half and a quarter of the "
                                "study's width.")}


# ---- time -----------------------------------------------------------------------------------------------------------

def engines_section(study):
    first, second = [net.framework for net in study.nets]
    columns = [text_column("engine"), number_column(f"{first}'s network", "ms", 2), number_column(f"{second}'s network", "ms", 2),
               number_column(f"{second}'s / {first}'s", None, 3), number_column(f"{first}'s network", "GFLOP/s", 0),
               number_column(f"{second}'s network", "GFLOP/s", 0)]
    flop = {f: study.made_of[f]["info"]["flop"] for f in (first, second)}
    rows = []
    for names in [(e, e) for e in ENGINES] + [(first, second)]:
        a, b = study.same_engine[names[0], first], study.same_engine[names[1], second]
        ms = [statistics.median(engines.medians(x)) for x in (a, b)]
        rows.append([names[0] if names[0] == names[1] else "each in its own framework", *ms,
                     intervals.paired_ratio(engines.medians(b), engines.medians(a)),
                     flop[first] / ms[0] * 1e-6, flop[second] / ms[1] * 1e-6])
    nets, own = intervals.value_of(rows[0][3]), intervals.value_of(rows[-1][3])
    text = (f"{second}'s network has {flop[second] / flop[first]:.2f} times the FLOP of {first}'s. The same engine takes "
            f"{nets:.2f} (stent) and {intervals.value_of(rows[1][3]):.2f} (ONNX Runtime) times as long for it; each in its own framework {own:.2f} times. "
            f"So of the factor {own:.2f} between the frameworks, {nets:.2f} is the networks', and {own / nets:.2f} the frameworks'. "
            "(The study, before, CPU: "
            f"{facts.TABLE_1['CPU', second][0] / facts.TABLE_1['CPU', first][0]:.2f} times for "
            f"{facts.NETS[second]['flop'] / facts.NETS[first]['flop']:.2f} times the FLOP.)")
    return {"title": "Question 2: the same engine for both networks", "text": [text], "table": page.table(
        columns, rows, f"All in turn, {study.threads} threads, untuned; ONNX Runtime as bench/peers.json sets it up.")}


# ---- Dice -----------------------------------------------------------------------------------------------------------

def shuffled(score_masks, truth, patients, seed, within):
    """Pooled and mean Dice with the truth masks in another order: of each patient by itself, or of all."""
    rng, order = np.random.default_rng(seed), np.arange(len(truth))
    if within:
        for p in range(patients.max() + 1):
            order[patients == p] = rng.permutation(order[patients == p])
    else:
        order = rng.permutation(order)
    intersection = (score_masks & truth[order]).sum((1, 2))
    total = score_masks.sum((1, 2)) + truth[order].sum((1, 2))
    return float(dice_of(intersection.sum(), total.sum())), float(dice_of(intersection, total).mean())


def pairing_rows(study, net):
    masks = study.masks["CPU", net.framework, "before"]
    rows = []
    for name, within in (("pairs by chance, of all slices", False), ("pairs by chance, within each patient", True)):
        found = np.array([shuffled(masks, study.slices.truth, study.slices.patients, seed, within) for seed in range(SHUFFLES)])
        low, middle, high = found.min(0), found.mean(0), found.max(0)
        rows.append([net.framework, name, *[intervals.interval(middle[i], low[i], high[i]) for i in (0, 1)], None, None])
    return rows


def dice_rows(study, net):
    def row(name, score):
        return [net.framework, name, score.pooled, score.mean, score.smooth[1], score.smooth[100]]
    right = study.scores["CPU", net.framework, "before"]
    return ([row("as trained, paired by name", right)] + pairing_rows(study, net) +
            [row(name, score) for name, score in study.pipelines[net.framework].items()])


def dice_section(study):
    columns = [text_column("network of"), text_column("how it is evaluated"), number_column("pooled", None, 4),
               number_column("mean of slices", None, 4), number_column("smooth 1", None, 4), number_column("smooth 100", None, 4)]
    a, b = (study.scores["CPU", net.framework, "before"] for net in study.nets)
    first, second = (net.framework for net in study.nets)
    text = (f"{first}'s less {second}'s: pooled {a.pooled - b.pooled:+.4f}, mean of slices {a.mean - b.mean:+.4f}, both with "
            f"smooth 1 {a.smooth[1] - b.smooth[1]:+.4f}, both with smooth 100 {a.smooth[100] - b.smooth[100]:+.4f}; {first}'s with "
            f"smooth 1 against {second}'s with smooth 100 {a.smooth[1] - b.smooth[100]:+.4f}, the other way round {a.smooth[100] - b.smooth[1]:+.4f}. "
            f"(The study: {facts.TABLE_1['CPU', first][2] - facts.TABLE_1['CPU', second][2]:+.4f}.)")
    chance = [row for net in study.nets for row in pairing_rows(study, net)[:1]]
    pairs = "; ".join(f"{row[0]}'s pooled Dice {study.scores['CPU', row[0], 'before'].pooled:.4f} paired by name, "
                      f"{row[2]['value']:.4f} by chance" for row in chance)
    return {"title": "Question 2: the same masks, other Dice", "text": [
        text, f"Pairs by unsorted listings are pairs by chance ({SHUFFLES} orders; in brackets the least and the most): {pairs}."],
        "table": page.table(columns, [row for net in study.nets for row in dice_rows(study, net)],
                            "The masks of the first three rows of a network are the same; only the evaluation differs.")}
