"""Question 1: why did the CPU get slower? The same network on fewer lanes, with plain sums, and with its heaviest layers on
the reference path, beside what this machine can do; layer by layer."""
import json
import os
import statistics

import engines
import facts
import intervals
import page
from page import muted, number_column, text_column

HEAVIEST = 4
REFERENCE = {"STENT_ISA": "sse2", "STENT_AVOID": "conv_winograd,conv_direct"}
ISA_NAMES = {"sse2": "SSE2", "avx": "AVX", "avx2": "AVX2", "avx512": "AVX-512", "amx": "AMX"}


def variants(study):
    """[(key, name, environment)], the best first."""
    best = study.machine["best_isa"]
    made = [("best", ISA_NAMES.get(best, best), {})]
    if best in ("avx512", "amx"):
        made.append(("avx2", "AVX2", {"STENT_ISA": "avx2"}))
    if best != "sse2":
        made.append(("sse2", "SSE2: 4 lanes, no fused multiply-add", {"STENT_ISA": "sse2"}))
    return made + [("direct", "SSE2, plain sums instead of Winograd's", {"STENT_ISA": "sse2", "STENT_AVOID": "conv_winograd"})]


# ---- measuring ------------------------------------------------------------------------------------------------------

def measure(study, net):
    result = study.cpu[net.framework] = {}
    processes = [(key, engines.start_stent(study, f"{key}-{net.stem}", net.package, "--untuned", env=env))
                 for key, _, env in variants(study)]
    try:
        result["times"] = engines.blocks([(key, process.measure) for key, process in processes], study.few, 2)
    finally:
        for _, process in processes:
            process.close()
    best = os.path.join(study.scratch, f"{net.stem}-best.json")
    result["best"] = study.profile(net, "--untuned")
    page.write_whole(best, json.dumps(result["best"]))
    result["sse2"] = study.profile(net, "--untuned", "--versus", best, env={"STENT_ISA": "sse2"})
    result["direct"] = study.profile(net, "--untuned", env=variants(study)[-1][2], repeat=min(2, study.repeats))
    result["reference"] = study.profile(net, "--untuned", env=REFERENCE, repeat=1)


def flop_of(layer):
    return layer["gflops"] * layer["ms"] * 1e6


def heaviest(profile):
    return sorted((layer for layer in profile["layers"] if flop_of(layer)), key=lambda layer: -layer["ms"])[:HEAVIEST]


def on_reference(layer, profile):
    """ms of the steps that make the same values on the reference path."""
    return sum(other["ms"] for other in profile["layers"] if set(other["parts"]) & set(layer["parts"]))


def composed(result):
    """(ms of a run whose heaviest layers take the reference path, of these layers there). A sum of measured layers: what
    keeps a solver from layers does so for all of them."""
    heavy = heaviest(result["direct"])
    slow = sum(on_reference(layer, result["reference"]) for layer in heavy)
    return result["direct"]["sum_ms"] - sum(layer["ms"] for layer in heavy) + slow, slow


# ---- what it says ---------------------------------------------------------------------------------------------------

def rows_of(study, net):
    result = study.cpu[net.framework]
    flop = result["best"]["flop"]
    best = engines.medians(result["times"]["best"])
    rows = []
    for key, name, _ in variants(study):
        times = engines.medians(result["times"][key])
        ms = statistics.median(times)
        rows.append([net.framework, name, ms, 1.0 if key == "best" else intervals.paired_ratio(times, best), flop / ms * 1e-6,
                     muted("measured in turn")])
    middle = statistics.median(best)
    mixed, _ = composed(result)
    whole = result["reference"]["whole_ms"]
    rows.append([net.framework, f"the same, {HEAVIEST} heaviest layers on the reference path", mixed, mixed / middle,
                 flop / mixed * 1e-6, muted("sum of measured layers")])
    rows.append([net.framework, "SSE2, all 3x3 layers on the reference path", whole, whole / middle, flop / whole * 1e-6,
                 muted("profiled once")])
    before = statistics.median(engines.medians(study.blocks[net.framework]["before"]))
    rows.append([net.framework, f"for comparison: {net.framework}, {net.way}", before, before / middle, flop / before * 1e-6,
                 muted("from the blocks of Table 2")])
    return rows


def answer(study, net):
    result = study.cpu[net.framework]
    middle = {key: statistics.median(engines.medians(times)) for key, times in result["times"].items()}
    before = statistics.median(engines.medians(study.blocks[net.framework]["before"]))
    mixed, slow = composed(result)
    old, new, _, _ = facts.TABLE_1["CPU", net.framework]
    name = dict((key, name) for key, name, _ in variants(study))["best"]
    lanes = f"SSE2 takes {middle['sse2'] / middle['best']:.2f} times as long as {name}" if "sse2" in middle else "SSE2 is the best here"
    return (f"{net.framework}'s network: {lanes}, with plain sums {middle['direct'] / middle['best']:.2f} times, and with the "
            f"{HEAVIEST} heaviest layers on the reference path {mixed / middle['best']:.1f} times; these layers are then "
            f"{100 * slow / mixed:.0f} % of the run. That is {mixed / before:.1f} times the time of {net.framework} itself "
            f"({before:.1f} ms), while {name} takes {middle['best'] / before:.2f} of it. (The study: {new / old:.2f} times.)")


def section(study):
    columns = [text_column("network of"), text_column("way"), number_column("time", "ms", 1), number_column("times the best", None, 2),
               number_column("speed", "GFLOP/s", 1), text_column("how")]
    nets = [net for net in study.nets if net.framework in study.cpu]
    rows = [row for net in nets for row in rows_of(study, net)]
    return {"title": "Question 1: why did the CPU get slower?", "text": [facts.CPU_SLOWER] + [answer(study, n) for n in nets],
            "table": page.table(columns, rows, f"Times of all ways are of {study.threads} threads, untuned. GFLOP/s count direct sums, "
                                "also for Winograd. A layer on the reference path runs plain C with double sums: slower than "
                                "an untuned schedule of TVM's, and the same kind of trouble.")}


def layers_section(study, net):
    """`stent profile --versus`: SSE2 against the best, layer by layer."""
    result = study.cpu[net.framework]
    said = result["sse2"]["versus"]
    of = {layer["name"]: layer for layer in result["sse2"]["layers"]}
    slow = {id(layer): on_reference(layer, result["reference"]) for layer in result["sse2"]["layers"]}
    columns = [text_column("layer"), text_column("operation"), number_column("SSE2", "ms", 2),
               number_column(ISA_NAMES.get(said["isa"], said["isa"]), "ms", 2), number_column("ratio", None, 2),
               number_column("on the reference path", "ms", 1), text_column("why it differs")]
    rows = []
    for layer in said["layers"]:
        mine = of.get(layer["name"])
        rows.append([layer["name"], f"{mine['op']} {mine['shape']}" if mine else None, layer["ms"], layer["versus_ms"],
                     layer["ratio"], slow[id(mine)] if mine and flop_of(mine) else None, layer["why"]])
    causes = "; ".join(f"{cause['why']}: {cause['ms']:+.1f} ms ({len(cause['layers'])} layers)" for cause in said["causes"])
    return {"title": f"Question 1, layer by layer: {net.framework}'s network on SSE2 against {ISA_NAMES.get(said['isa'], said['isa'])}",
            "text": [f"From stent profile --versus. The difference, put down to causes: {causes}."],
            "table": page.table(columns, rows)}
