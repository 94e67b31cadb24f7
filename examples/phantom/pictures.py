"""Just enough TIFF and PNG to write the phantoms down. Needs numpy only."""
import struct
import zlib

import numpy as np


def write_tiff(path, picture, rows=64):
    """8-bit TIFF, grey or RGB, strips of 64 rows, Deflate."""
    h, w = picture.shape[:2]
    n = 1 if picture.ndim == 2 else picture.shape[2]
    strips = [zlib.compress(picture[r:r + rows].tobytes(), 9) for r in range(0, h, rows)]
    data, places = b"", []
    for s in strips:
        places.append(8 + len(data))
        data += s + b"\0" * (len(s) % 2)
    extra = 8 + len(data)                                                    # arrays that do not fit into an entry
    arrays = struct.pack(f"<{len(strips)}I", *places) + struct.pack(f"<{len(strips)}I", *map(len, strips))
    bits = extra + len(arrays)
    arrays += struct.pack("<4H", 8, 8, 8, 0)
    entries = [(256, 4, 1, w), (257, 4, 1, h), (258, 3, n, bits if n == 3 else 8), (259, 3, 1, 8), (262, 3, 1, 2 if n == 3 else 1),
               (273, 4, len(strips), extra), (277, 3, 1, n), (278, 4, 1, rows), (279, 4, len(strips), extra + 4 * len(strips)),
               (284, 3, 1, 1)]
    folder = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries) + b"\0\0\0\0"
    with open(path, "wb") as f:
        f.write(b"II*\0" + struct.pack("<I", extra + len(arrays)) + data + arrays + folder)


def write_png(path, picture):
    """8-bit RGB PNG."""
    h, w = picture.shape[:2]
    raw = b"".join(b"\0" + picture[r].tobytes() for r in range(h))
    chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0))
                + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


def montage(pictures, masks):
    """Two slices a row, each as: colours, the three channels, the truth."""
    grey = lambda plane: np.repeat(plane[..., None], 3, 2)
    cells = [np.hstack([p] + [grey(p[..., c]) for c in range(3)] + [grey(m)]) for p, m in zip(pictures, masks)]
    if len(cells) % 2:
        cells.append(np.zeros_like(cells[0]))
    return np.vstack([np.hstack(cells[i:i + 2]) for i in range(0, len(cells), 2)])
