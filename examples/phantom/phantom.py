#!/usr/bin/env python3
"""Head phantoms: invented MRI volumes of a head, some with a tumour, and the truth mask.

A slice is 256x256x3, 8 bit: T1 before contrast, FLAIR, T1 after contrast. No picture of a person is
behind it: every tissue is a formula (a signed distance in pixels, positive inside, bent by smooth noise),
painted over what lies below it. A seed fixes the whole volume.

    python3 phantom.py --seed 9001 --tumour yes --out volume      writes volume/phantom_1.tif, phantom_1_mask.tif, ...
    python3 phantom.py --seed 5 --montage look.png                writes one picture to look at
Needs numpy only.
"""
import argparse
import os

import numpy as np

from pictures import montage, write_png, write_tiff

SIZE = 256
Z_LOW, Z_HIGH = -38.0, 76.0            # first and last slice, in pixels above the centre of the head

# Grey values: (T1 before contrast, FLAIR, T1 after contrast)
SKIN, FAT, BONE, MARROW = (95, 80, 105), (178, 150, 180), (14, 12, 15), (118, 78, 118)
CSF, GREY, WHITE, DEEP = (34, 28, 36), (80, 110, 88), (114, 86, 121), (95, 101, 103)
MUSCLE, VITREOUS, VESSEL, BLEED = (72, 66, 90), (34, 26, 36), (40, 30, 215), (170, 178, 172)


# ---- noise and distances -----------------------------------------------------------------------------
def noise(lattice, a, b, c):
    """Smooth noise, about -1..1: a periodic lattice of random numbers, looked up at (a, b, c); c is one number."""
    n = lattice.shape[0]
    c0 = int(np.floor(c))
    fc = c - c0
    fc = fc * fc * (3 - 2 * fc)
    plane = (1 - fc) * lattice[:, :, c0 % n] + fc * lattice[:, :, (c0 + 1) % n]
    a0, b0 = np.floor(a), np.floor(b)
    fa, fb = a - a0, b - b0
    fa, fb = fa * fa * (3 - 2 * fa), fb * fb * (3 - 2 * fb)
    i, j = a0.astype(np.int64) % n, b0.astype(np.int64) % n
    i1, j1 = (i + 1) % n, (j + 1) % n
    low = plane[i, j] * (1 - fb) + plane[i, j1] * fb
    high = plane[i1, j] * (1 - fb) + plane[i1, j1] * fb
    return low * (1 - fa) + high * fa


def ellipsoid(x, y, z, centre, radii):
    """Approximate signed distance, positive inside."""
    px, py, pz = (x - centre[0]) / radii[0], (y - centre[1]) / radii[1], (z - centre[2]) / radii[2]
    rho = np.sqrt(px * px + py * py + pz * pz) + 1e-6
    slope = np.sqrt((px / radii[0]) ** 2 + (py / radii[1]) ** 2 + (pz / radii[2]) ** 2) / rho + 1e-6
    return np.clip((1 - rho) / slope, -99, min(radii))


def tube(x, y, z, nodes):
    """Signed distance to a chain of tapered rods; a node is (x, y, z, radius)."""
    best = np.full(x.shape, -999.0)
    for (ax, ay, az, ar), (bx, by, bz, br) in zip(nodes, nodes[1:]):
        dx, dy, dz = bx - ax, by - ay, bz - az
        t = ((x - ax) * dx + (y - ay) * dy + (z - az) * dz) / (dx * dx + dy * dy + dz * dz)
        t = np.clip(t, 0, 1)
        away = np.sqrt((x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2 + (z - az - t * dz) ** 2)
        best = np.maximum(best, ar + t * (br - ar) - away)
    return best


def cover(distance, softness=1.0):
    """Distance -> opacity 0..1."""
    return np.clip(0.5 + distance / softness, 0, 1)


def paint(image, opacity, colour):
    """Lay a tissue over the image; a colour is three numbers or three planes."""
    image += opacity[..., None] * (np.asarray(colour, float) - image)


# ---- one invented person -----------------------------------------------------------------------------
class Subject:
    """All random choices of one volume, made once, in a fixed order, from the seed."""

    def __init__(self, seed, tumour=None):
        rng = np.random.default_rng(seed)
        self.rng = rng
        self.lattice = rng.uniform(-1, 1, (6, 32, 32, 32))
        self.width, self.length = 78 * rng.uniform(0.94, 1.04), 97 * rng.uniform(0.95, 1.03)
        self.shift, self.tilt = rng.uniform(-5, 5, 2), rng.uniform(-0.09, 0.09)
        self.ventricle = rng.uniform(0.75, 1.35)
        self.atrophy = rng.uniform(0.6, 1.3)
        self.gain = rng.uniform(0.88, 1.12, 3)
        self.slope = rng.uniform(-0.1, 0.1, (3, 2)) * [1, 0.8]
        self.sigma = rng.uniform(1.1, 2.7)
        side = rng.choice([-1, 1])
        self.tumour = rng.random() < 0.75 if tumour is None else tumour
        self.centre = np.array([side * rng.uniform(22, 42), rng.uniform(-48, 48), rng.uniform(-4, 46)])
        self.radius = rng.uniform(11, 24)
        self.radii = self.radius * rng.uniform(0.8, 1.25, 3)
        self.brightness = rng.uniform(126, 182)
        self.enhances = rng.random() < 0.65
        self.push = rng.uniform(0.1, 0.3) if self.tumour else 0.0
        # What looks like a tumour and is not one: small bright spots of old age, an old bleed, bright caps
        self.spots = [(*rng.uniform([-40, -45, 5], [40, 45, 45]), rng.uniform(1.2, 3.6)) for _ in range(rng.integers(0, 9))]
        self.bleed = (*rng.uniform([-40, -40, 0], [40, 45, 50]), rng.uniform(4, 10)) if rng.random() < 0.35 else None
        self.caps = rng.uniform(0.1, 0.8)

    def slice(self, z, rng):
        """One slice at height z: picture (uint8, 256x256x3), mask (uint8, 0 or 255)."""
        L = self.lattice
        row, column = np.mgrid[0:SIZE, 0:SIZE].astype(float)
        x0, y0 = column - 127.5 - self.shift[0], row - 127.5 - self.shift[1]
        x, y = x0 + self.tilt * y0, y0 - self.tilt * x0
        x = x + 4.0 * noise(L[0], x0 / 55 + 7, y0 / 55 + 7, z / 60)          # nobody is quite symmetric
        y = y + 4.0 * noise(L[1], x0 / 55 + 7, y0 / 55 + 7, z / 60)
        xs, ys = x, y                                                        # the skull does not give way to a tumour
        if self.tumour:
            cx, cy, cz = self.centre
            r2 = ((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2) / (1.8 * self.radius) ** 2
            squeeze = 1 - self.push * np.exp(-r2)
            x, y = cx + (x - cx) * squeeze, cy + (y - cy) * squeeze

        # Depth under the skin, in pixels
        flat = np.sqrt(max(1 - (z / 97) ** 2, 0.05)) if z > 0 else 1 + z / 900
        a = self.width * flat * (1 + 0.10 * np.clip(ys / self.length, -1, 1)) + 1.5 * noise(L[2], xs / 40, ys / 40, z / 40 + 9)
        b = self.length * flat
        rho = np.sqrt((xs / a) ** 2 + (ys / b) ** 2) + 1e-6
        depth = (1 - rho) * rho / np.sqrt((xs / a ** 2) ** 2 + (ys / b ** 2) ** 2 + 1e-9)
        depth *= 0.35 + 0.65 * flat                                          # cut at a slant, layers look thicker

        image = np.full((SIZE, SIZE, 3), 1.0)
        thick = 7 + 1.5 * noise(L[3], xs / 35, ys / 35, z / 35) + 1.5 * np.clip(ys / b, -1, 1)
        paint(image, cover(depth), SKIN)
        paint(image, cover(depth - 2, 1.5), FAT)
        paint(image, 0.7 * cover(noise(L[3], xs / 5, ys / 9, z / 9) - 0.45, 0.3) * cover(depth - 3), MUSCLE)
        temple = ellipsoid(np.abs(xs), ys, z, (a.mean() - 10, -22, -22), (9, 30, 36))
        paint(image, cover(np.minimum(temple, depth - 3), 2), MUSCLE)
        bone = depth - thick
        paint(image, cover(bone, 1.5), BONE)
        paint(image, 0.75 * cover(1.1 - np.abs(bone - 3.3), 1.5), MARROW)
        inner = bone - 6.5                                                   # inside of the skull
        paint(image, cover(inner, 1.2), CSF)
        self.base(image, xs, ys, z, inner)

        # Brain: all of the skull above z = -10, single lobes below; then folds
        lobes = np.maximum(np.full_like(x, 6 * (z + 11)), ellipsoid(x, y, z, (0, 47, -36), (50, 38, 30)))
        lobes = np.maximum(lobes, ellipsoid(x, y, z, (0, 14, -40), (14, 12, 60)))
        lobes = np.maximum(lobes, ellipsoid(np.abs(x), y, z, (40, -8, -24), (24, 35, 24)))
        lobes = np.maximum(lobes, ellipsoid(x, y, z, (0, -42, -8), (42, 34, 22)))
        surface = np.minimum(inner - 1.0 - self.atrophy, lobes)
        angle = np.arctan2(x / a, y / b) * 62 * flat
        wobble = 5 * noise(L[4], x / 16, y / 16, z / 20 + 3)
        cerebellum = cover(np.minimum(ellipsoid(x, y, z, (0, 50, -38), (58, 46, 36)), np.hypot(x, y - 14) - 15), 4)
        fold = noise(L[4], (angle + wobble) / 7.5, (inner + 0.8 * wobble) / 20, z / 17)
        fold = fold + 0.35 * noise(L[5], x / 7, y / 7, z / 12)
        gy, gx = np.gradient(fold)
        crease = np.abs(fold) / (np.hypot(gx, gy) + 0.02)                    # pixels to the next sulcus
        deepest = 19 + 0.3 * max(z - 20, 0)
        crease = crease - self.atrophy * 0.9 * np.clip(1.15 - inner / deepest, 0, 1) + 0.6 * np.clip(inner + 6 - deepest, 0, 99)
        folia = 1.5 * np.abs(np.sin(0.85 * np.hypot(x * 0.8, y - 12) + wobble * 0.5)) + 2.0   # leaves of the cerebellum
        crease = crease * (1 - cerebellum) + folia * cerebellum
        callosum = cover(ellipsoid(x, y, z, (0, 2, 8), (30, 31, 19)), 9)         # here the halves are joined
        middle = np.abs(x + 0.35 * noise(L[5], y / 14, z / 20 + 0 * y, 4.0)) - 0.6 * self.atrophy
        middle = middle + 30 * callosum + 30 * (cerebellum > 0.3) + 40 * cover(-12 - z, 4) * cover(8 - np.hypot(x, y - 14), 8)
        sylvian = -tube(np.abs(x), y, z, [(66, -18, -4, 2.0), (46, -8, 2, 1.8), (40, 8, 8, 1.0), (52, 26, 16, 0.8)])
        pial = np.minimum(np.minimum(surface, crease), np.minimum(middle, sylvian - 0.5))
        brain = cover(np.minimum(pial, surface), 1.5)
        ribbon = 3.0 + 0.7 * noise(L[2], x / 12, y / 12, z / 12)
        grey = cover(ribbon - pial, 1.8)
        matter = np.asarray(GREY) + (1 - grey)[..., None] * (np.asarray(WHITE, float) - GREY)
        texture = 3.5 * noise(L[5], x / 9, y / 9, z / 10) + 2.5 * noise(L[3], x / 4, y / 4, z / 8)
        paint(image, brain, matter + texture[..., None])

        # Deep grey matter, fluid spaces
        ax = np.abs(x)
        deep = np.maximum(ellipsoid(ax, y, z, (11, 10, 4), (9, 14, 11)), ellipsoid(ax, y, z, (26, -6, 4), (8, 18, 11)))
        deep = np.maximum(deep, ellipsoid(ax, y, z, (14, -22, 10), (6, 11, 12)))
        paint(image, 0.9 * cover(deep, 2.5) * brain, DEEP)
        v = self.ventricle
        wave = noise(L[1], x / 14, y / 14, z / 14) * 1.2
        lateral = tube(ax, y, z, [(9, -34, 8, 3.5 * v), (8, -22, 15, 5 * v), (10, 0, 24, 5 * v), (14, 20, 20, 6 * v),
                                  (22, 34, 10, 7 * v), (20, 54, 6, 2.5 * v)]) + wave
        lateral = np.maximum(lateral, tube(ax, y, z, [(22, 32, 10, 5 * v), (32, 14, -14, 3 * v), (32, -6, -22, 2 * v)]))
        third = ellipsoid(x, y, z, (0, 6, 0), (2.2 * v, 15, 13))
        fourth = ellipsoid(x, y, z, (0, 29, -36), (8, 5, 14))
        fluid = np.maximum(np.maximum(np.minimum(lateral, ax - 1.2), third), fourth)
        cap = image.copy()
        paint(cap, np.ones_like(x), (90, 150, 96))
        paint(image, self.caps * cover(fluid + 1.8, 3) * brain, cap)
        paint(image, cover(fluid, 1.5) * cover(surface), CSF)
        plexus = tube(ax, y, z, [(16, 26, 16, 1.6), (22, 36, 8, 2.6)]) + noise(L[3], x / 3, y / 3, z / 4)
        paint(image, 0.8 * cover(plexus, 1.5), (70, 74, 170))

        mask = self.lesions(image, x, y, z, surface, fluid, middle, brain)

        # Vessels, bright after contrast
        sinus = np.minimum(3.6 - np.abs(x) - 0.8 * np.abs(inner - 1), inner + 1.5)
        paint(image, cover(sinus, 1.5), VESSEL)
        dots = cover(noise(L[2], x / 3.2, y / 3.2, z / 10) - 0.66, 0.25) * cover(0.6 - pial, 1.5) * cover(surface + 1)
        paint(image[..., 2:], dots, VESSEL[2:])
        return self.scan(image, x0, y0, z, rng), mask

    def base(self, image, x, y, z, inner):
        """Below the brain: bone, orbits with eyes, nose."""
        if z > -6:
            return
        L = self.lattice
        here = cover(inner + 4) * cover(-8 - z, 4)
        mottle = noise(L[0], x / 8, y / 8, z / 8) + 0.5 * noise(L[1], x / 4, y / 4, z / 8)
        paint(image, here, np.asarray(BONE) + cover(mottle - 0.25, 0.8)[..., None] * 75)
        front = cover(-30 - y, 8) * here
        orbit = ellipsoid(np.abs(x), y, z, (29, -58, -30), (18, 27, 17))
        paint(image, cover(orbit, 2) * front, FAT)
        nerve = tube(np.abs(x), y, z, [(29, -60, -30, 3.2), (12, -34, -28, 2.2)])
        paint(image, cover(nerve, 1.5) * front, MUSCLE)
        wall = 1.8 - np.abs(orbit - 5)
        paint(image, 0.5 * cover(wall, 2) * front * cover(y + 66, 6), MUSCLE)
        eye = np.minimum(ellipsoid(np.abs(x), y, z, (29, -70, -30), (11.5, 12, 12)), inner + 12)
        paint(image, cover(eye + 1.2, 1.5), MUSCLE)
        paint(image, cover(eye, 1.5), VITREOUS)
        nose = ellipsoid(x, y, z, (0, -66, -34), (10, 26, 24))
        paint(image, cover(nose, 2) * front, np.asarray((8, 8, 8)) + cover(np.abs(mottle) - 0.35, 0.3)[..., None] * (60, 90, 120))

    def lesions(self, image, x, y, z, surface, fluid, middle, brain):
        """The tumour, and what only looks like one. Returns the truth."""
        L = self.lattice
        for sx, sy, sz, r in self.spots:
            spot = r * (1 + 0.4 * noise(L[4], x / 4, y / 4, z / 5)) - np.sqrt((x - sx) ** 2 + (y - sy) ** 2 + ((z - sz) / 1.5) ** 2)
            paint(image, 0.85 * cover(np.minimum(spot, surface - 5), 2) * cover(-fluid), (82, 150, 88))
        if self.bleed:
            bx, by, bz, r = self.bleed
            blood = r * (1 + 0.5 * noise(L[4], x / 8, y / 8, z / 8)) - np.sqrt((x - bx) ** 2 + (y - by) ** 2 + (z - bz) ** 2)
            blood = np.minimum(np.minimum(blood, surface - 3), -fluid)
            paint(image, cover(blood + 1.5, 1.5) * brain, (50, 40, 52))
            paint(image, cover(blood, 1.5) * brain, BLEED)
        if not self.tumour:
            return np.zeros((SIZE, SIZE), np.uint8)
        r = self.radius
        rough = noise(L[3], x / (0.8 * r), y / (0.8 * r), z / r) + 0.5 * noise(L[4], x / (0.35 * r), y / (0.35 * r), z / (0.5 * r))
        ball = ellipsoid(x, y, z, self.centre, self.radii)
        whole = np.minimum(ball + 0.36 * r * rough, ball + 0.28 * r)
        whole = np.minimum(np.minimum(whole, surface - 1.5), -fluid - 0.5)
        whole = np.minimum(whole, np.where(x * self.centre[0] > 0, middle - 0.5, -middle))
        if (whole > 0).sum() < 60:                                           # no crumbs where it ends
            return np.zeros((SIZE, SIZE), np.uint8)
        inside = 0.75 + 0.3 * noise(L[5], x / 7, y / 7, z / 8) + 0.12 * noise(L[2], x / 3, y / 3, z / 4)
        glow = np.stack([76 - 8 * inside, 96 + (self.brightness - 96) * (0.35 + 0.75 * inside), 82 - 8 * inside], -1)
        paint(image, cover(whole + 0.3, 2.6) * np.maximum(brain, 0.6), glow)
        if self.enhances:
            core = ellipsoid(x, y, z, self.centre, self.radii * 0.6) + 0.16 * r * (rough + noise(L[0], x / 6, y / 6, z / 7))
            core = np.minimum(core, whole - 1.5)
            rim = np.maximum(1.6 + 1.9 * noise(L[1], x / 6, y / 6, z / 8), 0.3)
            paint(image, cover(core, 1.5), (66, self.brightness, 178))
            paint(image, cover(core - 2 * rim, 2), (44, 0.45 * self.brightness + 30, 50))
        return np.where(whole > 0, 255, 0).astype(np.uint8)

    def scan(self, image, x, y, z, rng):
        """What the scanner adds: its point spread, uneven coils, noise of a magnitude image."""
        for axis in (0, 1):
            image = 0.5 * image + 0.25 * (np.roll(image, 1, axis) + np.roll(image, -1, axis))
        for c in range(3):
            field = 1 + 0.10 * noise(self.lattice[c], x / 90 + 5, y / 90 + 5, z / 90)
            image[..., c] *= self.gain[c] * (field + self.slope[c, 0] * x / 128 + self.slope[c, 1] * y / 128)
        real = image + rng.normal(0, self.sigma, image.shape)
        ghost = rng.normal(0, self.sigma, image.shape)
        return np.clip(np.rint(np.hypot(real, ghost) - 1.5 * self.sigma), 0, 255).astype(np.uint8)


def volume(seed, slices=16, tumour=None):
    """A whole head, lowest slice first: pictures (n, 256, 256, 3), masks (n, 256, 256)."""
    subject = Subject(seed, tumour)
    rng = np.random.default_rng([seed, 1])
    made = [subject.slice(z, rng) for z in np.linspace(Z_LOW, Z_HIGH, slices)]
    return np.stack([m[0] for m in made]), np.stack([m[1] for m in made])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=9001)
    parser.add_argument("--slices", type=int, default=16)
    parser.add_argument("--tumour", choices=["yes", "no", "any"], default="any")
    parser.add_argument("--out", help="folder for phantom_N.tif and phantom_N_mask.tif")
    parser.add_argument("--montage", help="PNG file of all slices")
    args = parser.parse_args()
    pictures, masks = volume(args.seed, args.slices, {"yes": True, "no": False, "any": None}[args.tumour])
    if args.out:
        os.makedirs(args.out, exist_ok=True)
        for i, (p, m) in enumerate(zip(pictures, masks), 1):
            write_tiff(os.path.join(args.out, f"phantom_{i}.tif"), p)
            write_tiff(os.path.join(args.out, f"phantom_{i}_mask.tif"), m)
    if args.montage:
        write_png(args.montage, montage(pictures, masks))
    print(f"seed {args.seed}: {args.slices} slices, {int((masks > 0).any((1, 2)).sum())} with tumour, {int((masks > 0).sum())} px")


if __name__ == "__main__":
    main()
