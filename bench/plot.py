#!/usr/bin/env python3
"""Plots as SVG, without any library.

    bench/plot.py CSV -o FILE.svg                     ratios of bench/versus.py --csv: a bar a network and peer
    bench/plot.py PROFILE.json -o FILE.svg            roofline of `stent profile --json`: a box a layer, as wide as its
                                                      time, filled up to the part of this machine's limit that it got
"""
import argparse
import csv
import json
import math
import sys
from xml.sax.saxutils import escape

COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")  # Paul Tol's bright scheme
LEFT, TOP, WIDTH = 190, 50, 640


def text(x, y, words, anchor="start", size=12):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(str(words))}</text>'


def box(x, y, width, height, colour, title="", opacity=1.0):
    return (f'<rect x="{x:.2f}" y="{y:.2f}" width="{max(width, 0):.2f}" height="{max(height, 0):.2f}" fill="{colour}" '
            f'fill-opacity="{opacity}"><title>{escape(title)}</title></rect>')


def line(x1, y1, x2, y2, colour="#888"):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def svg(width, height, parts):
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height:.0f}" '
                      f'font-family="sans-serif"><rect width="100%" height="100%" fill="white"/>'] + parts + ["</svg>\n"])


def ratios(rows, title):
    """Bars of stent / peer, shorter is better; a block of bars for each network and instruction set."""
    rows = [row for row in rows if row.get("ratio_median") not in (None, "")]
    peers = list(dict.fromkeys(row["engine"] for row in rows))
    blocks = {}
    for row in rows:
        blocks.setdefault((row["model"].removesuffix(".onnx"), row["isa"]), []).append(row)
    scale = WIDTH / max([1.2] + [min(float(row["ratio_median"]), 2) for row in rows])
    parts, y = [text(LEFT, 20, "stent / engine, time of one run (below 1: stent is faster)   " + title)], TOP
    for i, peer in enumerate(peers):
        parts += [box(LEFT + 120 * i, 28, 10, 10, COLOURS[i % len(COLOURS)]), text(LEFT + 120 * i + 14, 38, peer)]
    for (model, isa), block in blocks.items():
        parts.append(text(LEFT - 8, y + 6 * len(block) + 4, f"{model} {isa}", "end"))
        for row in block:
            ratio = float(row["ratio_median"])
            parts += [box(LEFT, y, scale * min(ratio, 2), 10, COLOURS[peers.index(row["engine"]) % len(COLOURS)],
                          f"{row['engine']} {ratio:.3f}"), text(LEFT + scale * min(ratio, 2) + 4, y + 9, f"{ratio:.2f}", size=9)]
            y += 12
        y += 10
    parts.append(line(LEFT + scale, TOP - 4, LEFT + scale, y))
    return svg(LEFT + WIDTH + 60, y + 20, parts)


def lines(series, x_title, y_title):
    """{name: [(x, y)]} as lines; x by its logarithm, y from 0."""
    points = [point for line_ in series.values() for point in line_]
    low, high = math.log(min(x for x, _ in points)), math.log(max(x for x, _ in points))
    height, top = 300, 1.05 * max(y for _, y in points)

    def place(x, y):
        return LEFT + WIDTH * (math.log(x) - low) / max(high - low, 1e-9), TOP + height * (1 - y / top)

    parts = [text(LEFT, 20, f"{y_title} against {x_title}"), line(LEFT, TOP, LEFT, TOP + height),
             line(LEFT, TOP + height, LEFT + WIDTH, TOP + height)]
    for x in sorted({x for x, _ in points}):
        parts.append(text(place(x, 0)[0], TOP + height + 14, x, "middle", 9))
    for i in range(5):
        y = top * i / 4
        parts.append(text(LEFT - 6, place(math.exp(low), y)[1] + 3, f"{y:.1f}" if top < 20 else f"{y:.0f}", "end", 9))
    for i, (name, line_) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        corners = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in line_)
        parts += [f'<polyline points="{corners}" fill="none" stroke="{colour}" stroke-width="2"/>',
                  box(LEFT + 160 * i, 28, 10, 10, colour), text(LEFT + 160 * i + 14, 38, name)]
    return svg(LEFT + WIDTH + 60, TOP + height + 30, parts)


def roofline(profile):
    """Layers in their order; x: time, y: part of the limit (multiply-add peak or memory, whichever binds)."""
    height, layers = 300, [layer for layer in profile["layers"] if layer["ms"] > 0]
    scale, x = (WIDTH + 400) / sum(layer["ms"] for layer in layers), 60.0
    parts = [text(60, 20, f"{profile['model']}, {profile['machine']['isa']}, {profile['machine']['threads']} threads: "
                          f"{profile['sum_ms']:.1f} ms; peak {profile['peak_gflops']:.0f} GFLOP/s, "
                          f"memory {profile['memory_gbytes']:.0f} GB/s; the area that is not filled is time to gain")]
    for part in (0, 0.5, 1):
        parts += [text(52, TOP + height * (1 - part) + 4, f"{100 * part:.0f} %", "end"),
                  line(60, TOP + height * (1 - part), 460 + WIDTH, TOP + height * (1 - part))]
    solvers = list(dict.fromkeys(layer["solver"] for layer in layers))
    for layer in layers:
        part, colour = min(layer.get("part_of_limit") or 0, 1), COLOURS[solvers.index(layer["solver"]) % len(COLOURS)]
        title = f"{layer['name']} {layer['op']} {layer['shape']}: {layer['ms']:.3f} ms, {layer['solver']} {layer['configuration']}"
        width = scale * layer["ms"]
        parts += [box(x, TOP, width - 0.3, height, colour, title, 0.15),
                  box(x, TOP + height * (1 - part), width - 0.3, height * part, colour, title)]
        x += width
    for i, solver in enumerate(solvers):
        ms = sum(layer["ms"] for layer in layers if layer["solver"] == solver)
        parts += [box(60 + 170 * (i % 6), TOP + height + 12 + 18 * (i // 6), 10, 10, COLOURS[i % len(COLOURS)]),
                  text(74 + 170 * (i % 6), TOP + height + 21 + 18 * (i // 6), f"{solver} {ms:.1f} ms")]
    return svg(WIDTH + 480, TOP + height + 40 + 18 * (len(solvers) // 6), parts)


def write(path, drawing):
    with open(path, "w", encoding="utf-8") as file:
        file.write(drawing)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", help="CSV of bench/versus.py, or JSON of stent profile")
    parser.add_argument("-o", "--output", required=True)
    args = parser.parse_args()
    with open(args.results, encoding="utf-8", newline="") as file:
        drawing = roofline(json.load(file)) if args.results.endswith(".json") else ratios(list(csv.DictReader(file)), "")
    write(args.output, drawing)


if __name__ == "__main__":
    sys.exit(main())
