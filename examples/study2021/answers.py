"""The first section: what came out, each answer in a line, with the figures that stand below."""
import statistics

import numpy as np

import engines
import intervals
import question_cpu
import question_layers
import tables


def ratio_text(study, net):
    times = study.blocks[net.framework]
    found = tables.ratio(times["tuned"], times["before"])
    others = [(tables.ratio(stent, it), way) for way, it, stent in study.ways[net.framework] if stent]
    best, way = max(others, key=lambda other: other[0]["value"], default=(found, None))
    text = (f"{net.framework}'s network: tuned stent takes {intervals.shown(found)} of {net.framework}'s time ({net.way}), "
            "in turn")
    if best["value"] > found["value"]:
        text += f"; of its quickest way here ({way}) {intervals.shown(best)}"
    return text + "."


def cpu_text(study):
    parts, enough = [], True
    for net in study.nets:
        if net.framework not in study.cpu:
            continue
        result = study.cpu[net.framework]
        best = statistics.median(engines.medians(result["times"]["best"]))
        direct = statistics.median(engines.medians(result["times"]["direct"]))
        mixed, _ = question_cpu.composed(result)
        before = statistics.median(engines.medians(study.blocks[net.framework]["before"]))
        enough = enough and mixed > before
        parts.append(f"{net.framework}'s network with plain sums on SSE2 takes {direct / best:.1f} times as long, with its "
                     f"{question_cpu.HEAVIEST} heaviest layers on the slow path besides {mixed / best:.1f} times: {mixed:.0f} ms, "
                     f"the framework {before:.0f} ms")
    verdict = "are enough to make a CPU slower than the framework" if enough else "do not always make a CPU slower than the framework"
    return f"1. Fewer lanes with plain sums and a few heavy layers on a slow path {verdict}: " + "; ".join(parts) + "."


def frameworks_text(study):
    first, second = (net.framework for net in study.nets)
    nets = intervals.paired_ratio(engines.medians(study.same_engine["stent", second]), engines.medians(study.same_engine["stent", first]))
    own = intervals.paired_ratio(engines.medians(study.same_engine[second, second]), engines.medians(study.same_engine[first, first]))
    a, b = (study.scores["CPU", net.framework, "before"] for net in study.nets)
    return (f"2. The networks differ, and so does what is called Dice: in one engine {second}'s takes {nets['value']:.2f} times "
            f"as long as {first}'s, in their frameworks {own['value']:.2f} times; {first}'s lead in Dice is {a.pooled - b.pooled:+.4f} pooled, "
            f"{a.mean - b.mean:+.4f} as mean, {a.smooth[1] - b.smooth[100]:+.4f} where one has smooth 1 and the other smooth 100.")


def steady_text(study):
    parts = []
    for engine in dict.fromkeys(engine for _, engine, _, _ in study.steady):
        mine = {name: times for name, other, times, _ in study.steady if other == engine and "without waiting" not in name}
        slowest = max(mine, key=lambda name: np.mean(mine[name]))
        parts.append(f"{engine}: CV {intervals.percent(mine['alone'])} alone, {intervals.percent(mine[slowest])} and "
                     f"{np.mean(mine[slowest]) / np.mean(mine['alone']):.1f} times the mean {slowest}")
    return "3. Timings jump with what else wants the cores: " + "; ".join(parts) + "."


def layers_text(study):
    parts = []
    for net in study.nets:
        found, count = question_layers.few_layers(study.profiles[net.framework])
        parts.append(f"{found} of {count} layers make up {100 * question_layers.MOST:.0f} % of {net.framework}'s network")
    return "4. The layers that matter stand below with their limits: " + "; ".join(parts) + "."


def section(study):
    return {"title": "The answers", "text": [tables.dice_section(study)["text"][0], *[ratio_text(study, net) for net in study.nets],
                                             cpu_text(study), frameworks_text(study), steady_text(study), layers_text(study)]}
