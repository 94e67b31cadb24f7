"""The results of the backend tests as the text of docs/FORMATS.md between two marks."""
import collections
import dataclasses
import textwrap

import backend_cases
import docs_part

PART = docs_part.Part("backend tests", "run.py --only ^onnx/ --write-docs")
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

