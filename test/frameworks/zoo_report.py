"""What became of the networks of zoo.txt, as the text of docs/FORMATS.md between two marks."""
import collections
import re
import textwrap

import docs_part
import zoo_nets

PART = docs_part.Part("zoo", "run.py --long --only ^zoo/ --write-docs")
WORDS = {"passed": "ok", "unwritten": "-", "failed": "wrong"}


def operator_of(text):
    """The names in `stent compile`'s message of what is not had."""
    found = re.search(r"not supported: (.*?);", text)
    return re.sub(r" \(\d+ \w+\)", "", found[1]) if found else text[:60]


def word_of(cell):
    return "exit 4: " + operator_of(cell["text"]) if cell["state"] == "unsupported" else WORDS[cell["state"]]


def words_of(cells):
    """'ok', or what differs between the sizes: 'even: ok, odd: -'; empty: not run."""
    words = {size: word_of(cells[size]) for size in zoo_nets.SIZES if size in cells}
    if len(words) == len(zoo_nets.SIZES) and len(set(words.values())) == 1:
        return words[zoo_nets.SIZES[0]]
    return ", ".join(f"{size}: {word}" for size, word in words.items())


def cell_of(word):
    """A cell as the table tells of it."""
    if word.startswith("exit 4: "):
        return {"state": "unsupported", "text": f"not supported: {word[8:]};"}
    return {"state": {shown: state for state, shown in WORDS.items()}[word], "text": None}


def cells_of(words):
    """words_of turned around."""
    if words and not words.startswith(tuple(f"{size}: " for size in zoo_nets.SIZES)):
        return {size: cell_of(words) for size in zoo_nets.SIZES}
    found = re.findall(r"(\w+): (ok|-|wrong|exit 4: .*?)(?:, (?=\w+: )|$)", words)
    return {size: cell_of(word) for size, word in found}


def read_table(text):
    """What stands in the document: {(network, format): {size: cell}}, without errors, and the largest ones."""
    forms, results, largest = list(zoo_nets.FORMATS), {}, {}
    for line in text.split("\n"):
        columns = [column.strip() for column in line.strip("| ").split("|")] if line.startswith("| ") else []
        if columns and columns[0] in zoo_nets.NETS:
            for form, words in zip(forms, columns[1:]):
                cells = {size: {**cell, "errors": {}, "torch_error": 0} for size, cell in cells_of(words).items()}
                results[columns[0], form] = cells
    for what, pattern in (("strict", r"([\d.e-]+) in strict"), ("fp32", r"([\d.e-]+) in fp32"),
                          ("torch", r"own in float32 ([\d.e-]+\d)")):
        found = re.search(pattern, " ".join(text.split()))
        largest[what] = float(found[1]) if found else 0
    return results, largest


def worst(cells, precision, so_far):
    errors = [cell["errors"][precision] for cell in cells if precision in cell["errors"]]
    return f"{max([so_far, *errors]):.1e}"


def text_of(results, before):
    """results: {(network, format): {size: cell of test_zoo.check_cell}}. before: the text as it was, whose cells stay
    where none was run anew."""
    kept, largest = read_table(before)
    if all(results.get(key, {}).keys() >= cells.keys() for key, cells in kept.items()):
        largest = dict.fromkeys(largest, 0)
    results = {key: {**kept.get(key, {}), **results.get(key, {})} for key in {**kept, **results}}
    forms = list(zoo_nets.FORMATS)
    lines = ["| network | " + " | ".join(forms) + " |", "|---" * (1 + len(forms)) + "|"]
    for net in zoo_nets.NETS:
        lines.append(f"| {net} | " + " | ".join(words_of(results.get((net, form), {})) for form in forms) + " |")
    cells = [cell for sizes in results.values() for cell in sizes.values()]
    count = collections.Counter(cell["state"] for cell in cells)
    written = len(cells) - count["unwritten"]
    missing = len(zoo_nets.NETS) * len(forms) * len(zoo_nets.SIZES) - len(cells)
    torch_error = max([largest["torch"], *(cell["torch_error"] for cell in cells)])
    summary = (f"{written} cells (a network in a format at a size) that torch writes: {count['passed']} pass, "
               f"{count['unsupported']} end with exit status 4 and a name, {count['failed']} are wrong. The largest errors: "
               f"{worst(cells, 'strict', largest['strict'])} in strict, {worst(cells, 'fp32', largest['fp32'])} in fp32; torch's own in float32 "
               f"{torch_error:.1e}. {count['unwritten']} cells (-) torch does not write"
               + (f", {missing} were not run." if missing else "."))
    return "\n".join([*lines, "", *textwrap.wrap(summary, 120)])


def row_only(line):
    """What is compared: errors, in the text below the table, are this machine's."""
    return line if line.startswith("| ") else ""
