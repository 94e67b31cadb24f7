"""Interpolation points of Winograd's F(m, 3): what they do to the error (docs/NUMERICS.md, decision 0010).

    python bench/points.py [--channels 128,512,1024] [--tiles 600]

For each set of points: the factors that bound the error, from the exact matrices, and the error of one layer, rms / std
(largest / std), in a simulation: fp32, one rounding a multiply-add, sums cut at 128 channels, normal weights and, in the
last column, normal input behind a ReLU.
"""
import argparse
from fractions import Fraction as F

import numpy as np

CHUNK = 128
# Points beside infinity; +-x stands as x, 0 is always there.
SETS = [(2, "1"), (4, "1 2"), (4, "1/2 1"), (4, "3/4 3/2"), (4, "5/8 3/2"), (4, "11/16 3/2"), (4, "5/8 5/4"),
        (6, "1 2 1/2"), (6, "1/2 1 3/2"), (6, "1/2 1 7/4"), (6, "5/8 9/8 13/8")]


def matrices(m, points):
    """G (m+2, 3), B' (m+2, m+2), A' (m, m+2) of F(m, 3) for the finite points (Toom-Cook), as float64."""
    def product_without(skip):
        poly = [F(1)]
        for j, q in enumerate(points):
            if j != skip:
                poly = [a - q * b for a, b in zip([F(0)] + poly, poly + [F(0)])]
        return poly + [F(0)] * (m + 2 - len(poly))
    g, b, a = [], [], []
    for i, p in enumerate(points):
        norm = F(1)
        for j, q in enumerate(points):
            norm *= p - q if j != i else 1
        g.append([1 / norm, p / norm, p * p / norm])
        b.append(product_without(i))
        a.append([p ** e for e in range(m)])
    g.append([0, 0, 1]), b.append(product_without(None)), a.append([0] * (m - 1) + [1])
    return tuple(np.array(x, dtype=np.float64) for x in (g, b, list(zip(*a))))


def factors(g, b, a):
    """Norms in one dimension; largest sum over |A'||G||B'| and growth of the products' rms error, in two."""
    norms = np.linalg.norm(a) * np.linalg.norm(g) * np.linalg.norm(b)
    largest = (abs(a) @ (abs(g).sum(1) * abs(b).sum(1))).max() ** 2
    growth = (a ** 2 @ ((g ** 2).sum(1) * (b ** 2).sum(1))).mean() / 3
    return norms, largest, growth


def fma(a, b, c):
    """a * b + c in fp32; the sum in float64 rounds once more, which hardly ever shows."""
    return (np.float64(a) * b + c).astype(np.float32)


def transform(matrix, x):
    """matrix @ x @ matrix' over the first two axes of x, row by row, in fp32."""
    for _ in range(2):
        rows = []
        for row in matrix.astype(np.float32):
            total = np.zeros_like(x[0])
            for k in np.flatnonzero(row):
                total = fma(row[k], x[k], total)
            rows.append(total)
        x = np.swapaxes(np.stack(rows), 0, 1)
    return x


def chunked(u, v):
    """Sums over axis 2 (channels) of u (.., channels) and v (.., channels, tiles), cut at CHUNK, in fp32."""
    total = np.zeros(v.shape[:2] + v.shape[3:], np.float32)
    for start in range(0, v.shape[2], CHUNK):
        part = np.zeros_like(total)
        for c in range(start, min(start + CHUNK, v.shape[2])):
            part = fma(u[:, :, c, None], v[:, :, c], part)
        total = total + part
    return total


def layer_error(m, points, channels, tiles, relu):
    """rms and largest error over the output's standard deviation; points None: direct sums of m x m outputs."""
    rng = np.random.default_rng(1)
    d = rng.standard_normal((m + 2, m + 2, channels, tiles), dtype=np.float32)
    g = rng.standard_normal((3, 3, channels), dtype=np.float32)
    d = np.maximum(d, 0) if relu else d
    windows = [[d[i:i + 3, j:j + 3] for j in range(m)] for i in range(m)]
    exact = np.array([[np.einsum("abct,abc->t", w.astype(np.float64), g) for w in row] for row in windows])
    if points is None:  # taps behind channels, as conv_direct adds
        got = []
        for row in windows:
            for w in row:
                total = np.zeros(tiles, np.float32)
                for start in range(0, channels, CHUNK):
                    part = np.zeros(tiles, np.float32)
                    for tap in range(9):
                        for c in range(start, min(start + CHUNK, channels)):
                            part = fma(g[tap // 3, tap % 3, c], w[tap // 3, tap % 3, c], part)
                    total = total + part
                got.append(total)
        got = np.array(got).reshape(exact.shape)
    else:
        mg, mb, ma = matrices(m, points)
        got = transform(ma, chunked(transform(mg, g), transform(mb, d)))
    error = got - exact
    return np.sqrt((error ** 2).mean()) / exact.std(), abs(error).max() / exact.std()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channels", default="128,512,1024")
    parser.add_argument("--tiles", type=int, default=600)
    options = parser.parse_args()
    channels = [int(c) for c in options.channels.split(",")]
    print("| algorithm | points beside 0, infinity | norms, 1D | largest, 2D | products' rms, 2D | "
          + " | ".join(f"{c} channels" for c in channels) + f" | {channels[0]}, behind a ReLU |")
    print("|---" * (6 + len(channels)) + "|")
    for m, text in [(2, None)] + SETS:
        points = None if text is None else [F(0)] + [s * F(p) for p in text.split() for s in (1, -1)]
        cells = ["direct", "-", "-", "-", "-"]
        if points:
            norms, largest, growth = factors(*matrices(m, points))
            cells = [f"F({m},3)", ", ".join("+-" + p for p in text.split()), f"{norms:.1f}", f"{largest:.0f}",
                     f"{growth:.2f}"]
        for c, relu in [(c, False) for c in channels] + [(channels[0], True)]:
            cells.append("{:.2e} ({:.0e})".format(*layer_error(m, points, c, options.tiles, relu)))
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
