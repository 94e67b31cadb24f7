"""The page of sections that `stent report` draws, and files that appear whole or not at all."""
import csv
import io
import json
import math
import os

from intervals import value_of


def text_column(name):
    return {"name": name, "align": "left"}


def number_column(name, unit=None, digits=3):
    column = {"name": name, "digits": digits, "align": "right"}
    return {**column, "unit": unit} if unit else column


def table(columns, rows, note=None):
    wrong = [row for row in rows if len(row) != len(columns)]
    assert not wrong, f"{len(wrong[0])} cells for {len(columns)} columns"
    made = {"columns": columns, "rows": rows}
    return {**made, "note": note} if note else made


def good(text):
    return {"text": text, "tone": "good"}


def bad(text):
    return {"text": text, "tone": "bad"}


def muted(text):
    return {"text": text, "tone": "muted"}


def finite(value):
    """JSON has no infinite numbers: they become null."""
    if isinstance(value, dict):
        return {key: finite(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def plain(cell):
    """A cell of a table in a CSV: the value without its interval, the text without its tone."""
    if isinstance(cell, dict):
        return cell["text"] if "text" in cell else repr(float(value_of(cell)))
    return "" if cell is None else cell


def csv_text(columns, rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[plain(cell) for cell in row] for row in rows])
    return out.getvalue()


def write_whole(path, text):
    """Beside its place first, then renamed: a reader never sees half of it."""
    part = f"{path}.{os.getpid()}.part"
    try:
        with open(part, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        if os.path.exists(part):
            os.remove(part)


def page_text(content):
    return json.dumps(finite(content), indent=1, ensure_ascii=False) + "\n"
