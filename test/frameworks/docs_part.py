"""Parts of docs/FORMATS.md that tests write: text between two marks."""
import os

import tool

DOCS = os.path.join(tool.ROOT, "docs", "FORMATS.md")


class Part:
    """`name` as it stands in the marks; `again`: the command that writes it anew."""

    def __init__(self, name, again):
        self.begin = f"<!-- {name}: begin; written by test/frameworks/run.py --write-docs -->"
        self.end, self.again = f"<!-- {name}: end -->", again

    def split(self):
        """What stands before, between and behind the marks."""
        with open(DOCS, encoding="utf-8") as file:
            before, begin, rest = file.read().partition(self.begin + "\n")
        between, end, behind = rest.partition("\n" + self.end)
        if not begin or not end:
            raise tool.Failure(f"{DOCS} lacks the marks '{self.begin}' and '{self.end}'")
        return before + begin, between, end + behind

    def write(self, text):
        before, _, behind = self.split()
        with open(DOCS, "w", encoding="utf-8") as file:
            file.write(before + text + behind)

    def check(self, text, same=lambda line: line):
        """`same` takes from a line what may differ from run to run."""
        there = [same(line) for line in self.split()[1].split("\n")]
        lines = [same(line) for line in text.split("\n")]
        if there != lines:
            line = next((a for a, b in zip(lines, there) if a != b), "the end")
            raise tool.Failure(f"docs/FORMATS.md is not what the tests say ({line[:150]}): {self.again}")
