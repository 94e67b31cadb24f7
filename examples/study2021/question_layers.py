"""Question 4: which layers matter? `stent profile` of both networks: a bar a layer, its limit on this machine, and why."""
import facts
import page
from page import number_column, text_column

MOST = 0.8  # of the time: how many layers make that up


def measure(study, net):
    study.profiles[net.framework] = study.profile(net, repeat=10 if study.repeats > 2 else 3)


def few_layers(profile):
    """(how many layers make up MOST of the time, their convolutions, all layers)."""
    total, found = 0, 0
    for layer in sorted(profile["layers"], key=lambda layer: -layer["ms"]):
        if total >= MOST * profile["sum_ms"]:
            break
        total, found = total + layer["ms"], found + 1
    return found, len(profile["layers"])


def answer(net, profile):
    found, count = few_layers(profile)
    longest = sorted(profile["layers"], key=lambda layer: -layer["ms"])[:4]
    convolutions = sum(layer["ms"] for layer in profile["layers"] if layer["op"].startswith("Conv"))
    limit = sum(layer["ms"] * layer["part_of_limit"] for layer in profile["layers"])
    return (f"{found} of {count} layers make up {100 * MOST:.0f} % of the time, convolutions "
            f"{100 * convolutions / profile['sum_ms']:.0f} %. The longest: " + "; ".join(f"{layer['name']} ({layer['op']}, {layer['shape']}) {layer['ms']:.2f} ms, "
                                        f"{100 * layer['ms'] / profile['sum_ms']:.0f} %" for layer in longest) +
            f". All layers together run at {100 * limit / profile['sum_ms']:.0f} % of what this machine could do at most "
            f"(peak {profile['peak_gflops']:.0f} GFLOP/s, memory {profile['memory_gbytes']:.0f} GB/s, both measured).")


def section(study, net):
    profile = study.profiles[net.framework]
    columns = [text_column("layer"), text_column("operation"), text_column("shape"), text_column("solver"), text_column("configuration"),
               number_column("time", "ms", 3), number_column("part", "%", 1), number_column("speed", "GFLOP/s", 0),
               number_column("of its limit", "%", 0), text_column("why")]
    rows = [[layer["name"], layer["op"], layer["shape"], layer["solver"], layer["configuration"], layer["ms"],
             100 * layer["ms"] / profile["sum_ms"], layer["gflops"] or None, 100 * layer["part_of_limit"], layer["why"]]
            for layer in profile["layers"]]
    bars = [{"name": f"{layer['name']} ({layer['op']}, {layer['shape']})", "value": layer["ms"],
             "limit": layer["ms"] * layer["part_of_limit"], "text": layer["why"]} for layer in profile["layers"]]
    return {"title": f"Question 4: which layers matter? {net.framework}'s network, tuned", "text": [
        facts.LAYERS_MATTER, answer(net, profile),
        f"The layers add up to {profile['sum_ms']:.2f} ms; plain runs beside them take {profile['whole_ms']:.2f} ms."],
        "table": page.table(columns, rows), "bars": bars, "bar_unit": "ms"}
