"""The results of the backend tests as the text of docs/FORMATS.md between two marks."""
import collections
import dataclasses
import os
import textwrap

import backend_cases
import tool

DOCS = os.path.join(tool.ROOT, "docs", "FORMATS.md")
BEGIN = "<!-- backend tests: begin; written by test/frameworks/run.py --write-docs -->"
END = "<!-- backend tests: end -->"
TIE = "\u00a0"  # keeps a number on the line of its name
PATHS = ("folded", "reference", "solver")
KINDS = {"operator": "an operator that is not had", "dtype": "a type of numbers", "type": "a value that is no tensor",
         "opset": "an opset", "training": "training"}


@dataclasses.dataclass
class Outcome:
    category: str
    path: str = None      # in scope, and passed
    on_solvers: bool = False
    kernels: bool = False   # has an operator that kernels are written for
    reason: tuple = None  # out of scope: (kind, name)
    accepted: bool = False


def row(name, outcomes):
    inside = [o for o in outcomes if o.path]
    counts = [len(outcomes), len(inside), *(sum(o.path == path for o in inside) for path in PATHS),
              sum(o.on_solvers for o in inside)]
    return f"| {name} | " + " | ".join(map(str, counts)) + " |"


def reasons(outcomes, kind):
    """'A 12, B 3', the most frequent first."""
    count = collections.Counter(o.reason[1] for o in outcomes if o.reason and o.reason[0] == kind)
    return ", ".join(f"{name}{TIE}{n}" for name, n in sorted(count.items(), key=lambda item: (-item[1], item[0])))


def text_of(outcomes):
    """`outcomes`: one for each case, all of which passed."""
    lines = ["| category | cases | in scope, all pass | folded | reference | solver | with steps on solvers |",
             "|---|---|---|---|---|---|---|"]
    lines += [row(category, [o for o in outcomes if o.category == category]) for category in backend_cases.CATEGORIES]
    outside = [o for o in outcomes if o.reason]
    lines += [row("all", outcomes)]
    lines += [row("of them with convolutions, pooling, Resize, normalisation, softmax, PRelu or matrix products",
                  [o for o in outcomes if o.kernels]), ""]
    lines += [f"Out of scope: {len(outside)}; {sum(o.accepted for o in outside)} of them are read all the same, and right.", ""]
    for kind, words in KINDS.items():
        count = sum(o.reason[0] == kind for o in outside)
        item = f"- {words} ({count}): {reasons(outside, kind)}"
        lines += textwrap.wrap(item, 120, subsequent_indent="  ", break_on_hyphens=False) if count else []
    return "\n".join(lines).replace(TIE, " ")


def split_docs():
    """What stands before, between and behind the marks."""
    with open(DOCS, encoding="utf-8") as file:
        before, begin, rest = file.read().partition(BEGIN + "\n")
    between, end, behind = rest.partition("\n" + END)
    if not begin or not end:
        raise tool.Failure(f"{DOCS} lacks the marks '{BEGIN}' and '{END}'")
    return before + begin, between, end + behind


def write_docs(text):
    before, _, behind = split_docs()
    with open(DOCS, "w", encoding="utf-8") as file:
        file.write(before + text + behind)


def check_docs(text):
    there = split_docs()[1]
    if there != text:
        line = next((a for a, b in zip(text.split("\n"), there.split("\n")) if a != b), "the end")
        raise tool.Failure(f"docs/FORMATS.md is not what the tests say ({line[:150]}): run.py --only ^onnx/ --write-docs")
